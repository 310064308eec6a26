// compiler/compile.c: the pass list. Bytes in, object and header out.
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <llvm-c/Analysis.h>
#include <llvm-c/BitWriter.h>
#include <pthread.h>

#include "base/pool.h"
#include "compiler/exports.h"
#include "compiler/part.h"
#include "wasm/wasm.h"

// ---- Time and progress

typedef struct job { // one wasmx_compile
    wx_unit u;
    wx_module m;
    wx_buf binary;       // of a text module
    wasmx_output *out;
    wx_buf *objects;     // per partition
    wx_error *errors;
    wx_buf assembly, ir, bitcode;
    pthread_mutex_t lock; // guards progress and seconds
    size_t done;
    double emit_seconds, optimise_seconds, codegen_seconds; // summed over threads
    double started;
} job;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void phase(job *j, const char *name, double seconds, uint64_t bytes) {
    if (j->out->phase_count == WASMX_MAX_PHASES) return;
    j->out->phases[j->out->phase_count++] = (wasmx_phase){name, seconds, bytes};
}

static void phase_since(job *j, const char *name, uint64_t bytes) {
    double t = now();
    phase(j, name, t - j->started, bytes);
    j->started = t;
}

static void report(job *j, uint32_t index, double emitted, double optimised, double coded) {
    const wasmx_compile_options *o = j->u.options;
    pthread_mutex_lock(&j->lock);
    j->emit_seconds += emitted;
    j->optimise_seconds += optimised;
    j->codegen_seconds += coded;
    j->done += j->u.cuts[index + 1] - j->u.cuts[index];
    if (o->progress) o->progress(o->progress_arg, j->done, j->u.live_count);
    pthread_mutex_unlock(&j->lock);
}

// ---- One partition

static void emit_part(part *p) {
    const wx_unit *u = p->u;
    if (p->index == 0) emit_text_start(p);
    for (uint32_t i = u->cuts[p->index]; i < u->cuts[p->index + 1]; i++) emit_function(p, u->live[i]);
    emit_tail_entries(p);
    if (p->index + 1 < u->part_count) return;
    emit_export_functions(p);
    emit_descriptor(p);
}

static void verify(part *p, const char *when) {
    char *message = NULL;
    if (p->u->verify && LLVMVerifyModule(p->m, LLVMReturnStatusAction, &message))
        wx_fail(p->e, WX_ERR_BACKEND, "LLVM IR is broken %s: %s", when, message);
    LLVMDisposeMessage(message);
}

static void write_code(part *p, LLVMTargetMachineRef tm, LLVMCodeGenFileType kind, wx_buf *out) {
    char *message = NULL;
    LLVMMemoryBufferRef memory;
    if (LLVMTargetMachineEmitToMemoryBuffer(tm, p->m, kind, &message, &memory)) {
        wx_fail(p->e, WX_ERR_BACKEND, "LLVM: %s", message);
        LLVMDisposeMessage(message);
        return;
    }
    wx_buf_add(out, LLVMGetBufferStart(memory), LLVMGetBufferSize(memory));
    LLVMDisposeMemoryBuffer(memory);
}

// Text and bitcode are asked for rarely, and then of one partition that holds everything.
static void write_listings(job *j, part *p, LLVMTargetMachineRef tm) {
    unsigned emit = j->u.options->emit;
    if (emit & WASMX_EMIT_LLVM_IR) {
        char *text = LLVMPrintModuleToString(p->m);
        wx_buf_str(&j->ir, text);
        LLVMDisposeMessage(text);
    }
    if (emit & WASMX_EMIT_BITCODE) {
        LLVMMemoryBufferRef memory = LLVMWriteBitcodeToMemoryBuffer(p->m);
        wx_buf_add(&j->bitcode, LLVMGetBufferStart(memory), LLVMGetBufferSize(memory));
        LLVMDisposeMemoryBuffer(memory);
    }
    if (emit & WASMX_EMIT_ASM) {
        LLVMModuleRef copy = LLVMCloneModule(p->m), whole = p->m;
        p->m = copy; // writing code changes the module
        write_code(p, tm, LLVMAssemblyFile, &j->assembly);
        p->m = whole;
        LLVMDisposeModule(copy);
    }
}

static void compile_part(void *arg, size_t index) {
    job *j = arg;
    wx_error *e = &j->errors[index];
    LLVMTargetMachineRef tm = wx_target_machine(&j->u, e);
    if (!tm) return;
    part p;
    part_open(&p, &j->u, (uint32_t)index, e);
    LLVMTargetDataRef layout = LLVMCreateTargetDataLayout(tm);
    LLVMSetModuleDataLayout(p.m, layout);
    LLVMDisposeTargetData(layout);
    double t0 = now();
    emit_part(&p);
    verify(&p, "after emission");
    double t1 = now();
    if (e->code == WX_OK) optimise(&p, tm);
    insert_stack_checks(&p);
    emit_address_map(&p);
    verify(&p, "after optimisation");
    double t2 = now();
    if (e->code == WX_OK) write_listings(j, &p, tm);
    if (e->code == WX_OK) write_code(&p, tm, LLVMObjectFile, &j->objects[index]);
    part_close(&p);
    LLVMDisposeTargetMachine(tm);
    report(j, (uint32_t)index, t1 - t0, t2 - t1, now() - t2);
}

// ---- The whole

static void set_options(wx_unit *u, const wasmx_compile_options *o) {
    char level = o->opt_level ? o->opt_level : '2';
    u->options = o;
    u->opt_size = level == 's';
    u->opt_level = level == 's' ? 2 : level - '0';
    u->explicit_bounds = o->bounds == WASMX_BOUNDS_EXPLICIT;
    u->precise_traps = o->traps == WASMX_TRAPS_PRECISE;
#ifndef NDEBUG
    u->verify = true;
#endif
    const char *file = o->file ? o->file : "module", *base = strrchr(file, '/');
    base = base ? base + 1 : file;
    wx_name stem = {base, (uint32_t)strcspn(base, ".")};
    u->name = o->name ? o->name : wx_module_c_name(&u->arena, stem);
}

static int by_root_and_path(const void *a, const void *b) {
    const wasmx_embed *x = a, *y = b;
    int order = strcmp(x->root, y->root);
    return order ? order : strcmp(x->path, y->path);
}

// Nothing empty, no "." and no "..".
static bool is_plain_path(const char *path) {
    for (const char *at = path;; at++) {
        size_t n = strcspn(at, "/");
        if (!n || (n <= 2 && !memcmp(at, "..", n))) return false;
        at += n;
        if (!*at) return true;
    }
}

// Another file has the name of a directory of this one.
static bool has_file_above(const wasmx_embed *all, size_t count, const wasmx_embed *x, wx_arena *arena) {
    char *path = wx_arena_printf(arena, "%s", x->path);
    for (char *slash; (slash = strrchr(path, '/'));) {
        *slash = 0;
        wasmx_embed above = {.root = x->root, .path = path};
        if (bsearch(&above, all, count, sizeof *all, by_root_and_path)) return true;
    }
    return false;
}

// The embedded files in the order of the descriptor.
static bool sort_embeds(wx_unit *u, wx_error *e) {
    const wasmx_compile_options *o = u->options;
    wasmx_embed *all = WX_NEW_ARRAY(&u->arena, wasmx_embed, o->embed_count + 1);
    u->embeds = all;
    if (!o->embed_count) return true;
    memcpy(all, o->embeds, o->embed_count * sizeof *all);
    qsort(all, o->embed_count, sizeof *all, by_root_and_path);
    for (size_t i = 0; i < o->embed_count; i++) {
        if (!*all[i].root || !is_plain_path(all[i].path))
            return wx_fail(e, WX_ERR_USAGE, "'%s' cannot be embedded under that name", all[i].path);
        bool again = i && !by_root_and_path(&all[i - 1], &all[i]);
        if (again || has_file_above(all, o->embed_count, &all[i], &u->arena))
            return wx_fail(e, WX_ERR_USAGE, "'%s' is embedded twice", all[i].path);
    }
    return true;
}

static bool check_options(const wasmx_compile_options *o, wx_error *e) {
    char level = o->opt_level ? o->opt_level : '2';
    if (!strchr("0123s", level)) return wx_fail(e, WX_ERR_USAGE, "no optimisation level '%c'; 0, 1, 2, 3 or s", level);
    if (!o->name) return true;
    wx_arena scratch = {0};
    bool ok = !strcmp(wx_c_name(&scratch, (wx_name){o->name, (uint32_t)strlen(o->name)}), o->name);
    wx_arena_free(&scratch);
    if (!ok) return wx_fail(e, WX_ERR_USAGE, "'%s' is not a C identifier", o->name);
    return !wx_is_word(o->name) || wx_fail(e, WX_ERR_USAGE, "'%s' is a word of C or C++", o->name);
}

static bool read_module(job *j, const uint8_t *bytes, size_t size, wx_error *e) {
    const wasmx_compile_options *o = j->u.options;
    if (!wx_is_binary(bytes, size) && size && bytes[0] != 0) {
        if (!wx_text_to_binary(o->file ? o->file : "module", (const char *)bytes, size, &j->binary, e)) return false;
        bytes = j->binary.data;
        size = j->binary.len;
    }
    unsigned threads = o->threads ? o->threads : wx_cpus();
    wx_sha256(bytes, size, j->u.sha256);
    if (!wx_module_decode(&j->m, bytes, size, e)) return false;
    phase_since(j, "decode", size);
    if (!wx_module_validate(&j->m, threads, e)) return false;
    phase_since(j, "validate", size);
    return true;
}

static bool has_nul(wx_name n) { return n.len && memchr(n.ptr, 0, n.len); }

// Names of imports are C strings in the descriptor.
static bool check_names(const wx_module *m, wx_error *e) {
    for (uint32_t i = 0; i < m->import_count; i++)
        if (has_nul(m->imports[i].module) || has_nul(m->imports[i].field))
            return wx_fail(e, WX_ERR_UNSUPPORTED, "an import's name holds a NUL character");
    return true;
}

static bool prepare(job *j, wx_error *e) {
    wx_unit *u = &j->u;
    u->m = &j->m;
    if (!check_names(u->m, e) || !wx_find_facts(u, e)) return false;
    wx_make_image(u);
    wx_make_layout(u);
    wx_name_exports(u);
    bool listing = u->options->emit & (WASMX_EMIT_ASM | WASMX_EMIT_LLVM_IR | WASMX_EMIT_BITCODE);
    if (listing) {
        u->part_count = 1;
        u->cuts[1] = u->live_count;
    }
    phase_since(j, "facts", u->image.bytes.len);
    return true;
}

static bool first_error(job *j, wx_error *e) {
    for (uint32_t i = 0; i < j->u.part_count; i++) {
        if (j->errors[i].code == WX_OK) continue;
        *e = j->errors[i];
        return false;
    }
    return true;
}

static bool compile_parts(job *j, wx_error *e) {
    wx_unit *u = &j->u;
    const wasmx_compile_options *o = u->options;
    j->objects = WX_NEW_ARRAY(&u->arena, wx_buf, u->part_count);
    j->errors = WX_NEW_ARRAY(&u->arena, wx_error, u->part_count);
    pthread_mutex_init(&j->lock, NULL);
    wx_parallel(o->threads ? o->threads : wx_cpus(), u->part_count, compile_part, j);
    pthread_mutex_destroy(&j->lock);
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < u->part_count; i++) bytes += j->objects[i].len;
    phase_since(j, "compile", bytes);
    phase(j, "emit (all threads)", j->emit_seconds, 0);
    phase(j, "optimise (all threads)", j->optimise_seconds, 0);
    phase(j, "codegen (all threads)", j->codegen_seconds, bytes);
    return first_error(j, e);
}

static wasmx_buffer give(wx_buf *b) {
    wasmx_buffer out = {b->data, b->len};
    *b = (wx_buf){0};
    return out;
}

static bool finish(job *j, wx_error *e) {
    wx_buf object = {0}, header = {0};
    if (!wx_merge_objects(&j->u, j->objects, j->u.part_count, &object, e)) return false;
    phase_since(j, "merge", object.len);
    j->out->object = give(&object);
    if (j->u.options->emit & WASMX_EMIT_HEADER) {
        wx_write_header(&j->u, &header);
        j->out->header = give(&header);
    }
    j->out->assembly = give(&j->assembly);
    j->out->llvm_ir = give(&j->ir);
    j->out->bitcode = give(&j->bitcode);
    return true;
}

static void free_job(job *j) {
    for (uint32_t i = 0; j->objects && i < j->u.part_count; i++) wx_buf_free(&j->objects[i]);
    for (uint32_t i = 0; j->u.image.runs && i < j->m.memory_count; i++) free(j->u.image.runs[i]);
    wx_buf_free(&j->u.image.bytes);
    wx_buf_free(&j->binary);
    wx_buf_free(&j->assembly);
    wx_buf_free(&j->ir);
    wx_buf_free(&j->bitcode);
    wx_arena_free(&j->u.arena);
    wx_module_free(&j->m);
}

bool wasmx_compile(const void *bytes, size_t size, const wasmx_compile_options *options, wasmx_output *out,
                   wasmx_compile_error *err) {
    static const wasmx_compile_options defaults;
    wx_error e = {0};
    job j = {.out = out, .started = now()};
    *out = (wasmx_output){0};
    if (!options) options = &defaults;
    bool ok = check_options(options, &e);
    if (ok) {
        set_options(&j.u, options);
        ok = sort_embeds(&j.u, &e) && wx_choose_target(&j.u, &e);
        ok = ok && read_module(&j, bytes, size, &e) && prepare(&j, &e) &&
             compile_parts(&j, &e) && finish(&j, &e);
    }
    if (!ok) {
        if (e.code == WX_ERR_USAGE) snprintf(err->line, sizeof err->line, "%s", e.msg);
        else wx_error_line(&e, options->file ? options->file : "module", err->line, sizeof err->line);
        wasmx_output_free(out);
    }
    free_job(&j);
    return ok;
}

void wasmx_output_free(wasmx_output *out) {
    free(out->object.data);
    free(out->header.data);
    free(out->assembly.data);
    free(out->llvm_ir.data);
    free(out->bitcode.data);
    *out = (wasmx_output){0};
}
