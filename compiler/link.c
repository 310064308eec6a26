// compiler/link.c: archives, shared objects and executables from one object, by the system's ar and C compiler.
//
// in: an object of wasmx_compile   out: the file's bytes   how: a temporary folder, libwasmx.a from where this program
// is installed, and for executables a main() of a few instructions that calls wasmx_wasi_command.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "compiler/compiler.h"
#include "compiler/tool.h"
#include "compiler/unit.h"

typedef struct linking {
    const wx_link_options *options;
    const char *arch;
    bool native;
    wx_workdir dir;
    const char *object, *result; // files in dir
} linking;

// ---- main(), as an object

static LLVMValueRef string(LLVMModuleRef m, const wx_buf *bytes) {
    LLVMContextRef c = LLVMGetModuleContext(m);
    LLVMValueRef value = LLVMConstStringInContext2(c, (const char *)bytes->data, bytes->len, true);
    LLVMValueRef g = LLVMAddGlobal(m, LLVMTypeOf(value), "dirs");
    LLVMSetInitializer(g, value);
    LLVMSetLinkage(g, LLVMInternalLinkage);
    LLVMSetGlobalConstant(g, true);
    return g;
}

// The directories one after the other, each with its NUL, and an empty one at the end.
static LLVMValueRef directories(LLVMModuleRef m, const wx_link_options *o) {
    wx_buf bytes = {0};
    for (size_t i = 0; i < o->dir_count; i++) wx_buf_add(&bytes, o->dirs[i], strlen(o->dirs[i]) + 1);
    wx_buf_byte(&bytes, 0);
    LLVMValueRef value = string(m, &bytes);
    wx_buf_free(&bytes);
    return value;
}

// int main(int argc, char **argv) { return wasmx_wasi_command(&NAME, argv, dirs, trap_unknown_imports); }
static void emit_main(LLVMModuleRef m, const wx_link_options *o) {
    LLVMContextRef c = LLVMGetModuleContext(m);
    LLVMTypeRef i32 = LLVMInt32TypeInContext(c), ptr = LLVMPointerTypeInContext(c, 0);
    LLVMTypeRef main_params[] = {i32, ptr}, params[] = {ptr, ptr, ptr, i32};
    LLVMTypeRef type = LLVMFunctionType(i32, params, 4, false);
    LLVMValueRef main = LLVMAddFunction(m, "main", LLVMFunctionType(i32, main_params, 2, false));
    LLVMValueRef command = LLVMAddFunction(m, "wasmx_wasi_command", type);
    LLVMBuilderRef b = LLVMCreateBuilderInContext(c);
    LLVMPositionBuilderAtEnd(b, LLVMAppendBasicBlockInContext(c, main, ""));
    LLVMValueRef args[] = {
        LLVMAddGlobal(m, LLVMInt8TypeInContext(c), o->name),
        LLVMGetParam(main, 1),
        directories(m, o),
        LLVMConstInt(i32, o->trap_unknown_imports, false),
    };
    LLVMBuildRet(b, LLVMBuildCall2(b, type, command, args, 4, ""));
    LLVMDisposeBuilder(b);
}

static bool write_main(LLVMModuleRef m, LLVMTargetMachineRef tm, const char *path, wx_error *e) {
    LLVMMemoryBufferRef code;
    char *message = NULL;
    if (LLVMTargetMachineEmitToMemoryBuffer(tm, m, LLVMObjectFile, &message, &code)) {
        wx_fail(e, WX_ERR_BACKEND, "LLVM: %s", message);
        LLVMDisposeMessage(message);
        return false;
    }
    bool ok = wx_file_write(path, LLVMGetBufferStart(code), LLVMGetBufferSize(code), e);
    LLVMDisposeMemoryBuffer(code);
    return ok;
}

static bool make_main(const wx_link_options *o, const char *path, wx_error *e) {
    wasmx_compile_options options = {.target = o->target};
    wx_unit u = {.options = &options};
    LLVMTargetMachineRef tm = wx_choose_target(&u, e) ? wx_target_machine(&u, e) : NULL;
    if (tm) {
        LLVMContextRef c = LLVMContextCreate();
        LLVMModuleRef m = LLVMModuleCreateWithNameInContext("main", c);
        LLVMSetTarget(m, u.triple);
        emit_main(m, o);
        write_main(m, tm, path, e);
        LLVMDisposeModule(m);
        LLVMContextDispose(c);
        LLVMDisposeTargetMachine(tm);
    }
    wx_arena_free(&u.arena);
    return e->code == WX_OK;
}

// ---- Where things are

static const char *find_library(linking *l, wx_error *e) {
    const char *folder = wx_library_folder(&l->dir.names);
    const char *path = l->native ? wx_arena_printf(&l->dir.names, "%s/libwasmx.a", folder)
                                 : wx_arena_printf(&l->dir.names, "%s/%s-linux-gnu/libwasmx.a", folder, l->arch);
    if (access(path, R_OK) == 0) return path;
    wx_fail(e, WX_ERR_BACKEND, "%s is missing; WASMX_LIBDIR says where libwasmx.a is", path);
    return NULL;
}

static const char *tool(linking *l, const char *variable, const char *native, const char *cross) {
    const char *given = getenv(variable);
    if (given && *given) return given;
    return l->native ? native : wx_arena_printf(&l->dir.names, "%s-linux-gnu-%s", l->arch, cross);
}

// ---- The three kinds

static bool make_archive(linking *l, wx_error *e) {
    const char *argv[] = {tool(l, "WASMX_AR", "ar", "ar"), "rcsD", l->result, l->object, NULL};
    return wx_tool_run(&l->dir, argv, e);
}

// All of libwasmx is inside and exported, so that the file can be used alone; in a process that has libwasmx.so
// already the dynamic linker binds everything to that one.
static bool make_shared(linking *l, wx_error *e) {
    const char *library = find_library(l, e);
    const char *argv[] = {
        tool(l, "WASMX_CC", "cc", "gcc"), "-shared", "-o", l->result, l->object,
        "-Wl,--whole-archive", library, "-Wl,--no-whole-archive", "-Wl,-z,defs", "-pthread", "-lm", NULL,
    };
    return library && wx_tool_run(&l->dir, argv, e);
}

static bool make_exe(linking *l, wx_error *e) {
    const char *library = find_library(l, e), *start = wx_workdir_file(&l->dir, "main.o");
    const char *argv[] = {
        tool(l, "WASMX_CC", "cc", "gcc"), "-static", "-o", l->result, start, l->object, library, "-pthread", "-lm",
        NULL,
    };
    return library && make_main(l->options, start, e) && wx_tool_run(&l->dir, argv, e);
}

static bool make(linking *l, const wasmx_buffer *object, wx_buf *out, wx_error *e) {
    static bool (*const makers[])(linking *, wx_error *) = {make_archive, make_shared, make_exe};
    char name[128];
    snprintf(name, sizeof name, "%.120s.o", l->options->name); // what `ar t` shows
    l->object = wx_workdir_file(&l->dir, name);
    l->result = wx_workdir_file(&l->dir, "result");
    return wx_file_write(l->object, object->data, object->size, e) && makers[l->options->kind](l, e) &&
           wx_file_read(out, l->result, e);
}

bool wx_link(const wasmx_buffer *object, const wx_link_options *options, wasmx_buffer *out, wasmx_compile_error *err) {
    wx_error e = {0};
    wx_buf bytes = {0};
    linking l = {.options = options, .arch = wx_target_arch(options->target)};
    l.native = !strcmp(l.arch, wx_target_arch(NULL));
    bool ok = wx_workdir_open(&l.dir, &e) && make(&l, object, &bytes, &e);
    wx_workdir_close(&l.dir);
    if (!ok) memcpy(err->line, e.msg, sizeof e.msg), wx_buf_free(&bytes);
    *out = (wasmx_buffer){bytes.data, bytes.len};
    return ok;
}
