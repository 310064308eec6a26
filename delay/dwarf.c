// delay/dwarf.c: the reader of line tables for the programs. It uses classes of LLVM's, which no table of function
// names stands for, so it is a shared object that is linked with LLVM (cmake/WasmxDelay.cmake), and loaded by -g.
#include <dlfcn.h>
#include <pthread.h>

#include "compiler/dwarf.h"
#include "compiler/tool.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static __typeof__(wx_object_rows) *object_rows;
static __typeof__(wx_read_debug) *read_debug;
static wx_error failure;

static void load(void) {
    wx_arena names = {0};
    const char *path = wx_arena_printf(&names, "%s/wasmx-dwarf.so", wx_library_folder(&names));
    void *reader = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (reader) {
        object_rows = (__typeof__(object_rows))(uintptr_t)dlsym(reader, "wx_object_rows");
        read_debug = (__typeof__(read_debug))(uintptr_t)dlsym(reader, "wx_read_debug");
    }
    if (!object_rows || !read_debug)
        wx_fail(&failure, WX_ERR_BACKEND, "-g needs wasmx-dwarf.so, WASMX_LIBDIR says where it is: %.100s", dlerror());
    wx_arena_free(&names);
}

static bool is_loaded(wx_error *e) {
    pthread_once(&once, load);
    return !failure.code || wx_fail(e, failure.code, "%s", failure.msg);
}

bool wx_object_rows(const wx_buf *object, const char *section, wx_buf *rows, uint64_t *size, uint64_t *alignment,
                    wx_error *e) {
    return is_loaded(e) && object_rows(object, section, rows, size, alignment, e);
}

bool wx_read_debug(const wx_debug_input *input, wx_debug_rows *out) {
    return is_loaded(&(wx_error){0}) && read_debug(input, out);
}
