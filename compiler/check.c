// compiler/check.c: answers without compiling: is this a valid module, does this target exist.
#include <string.h>

#include "base/pool.h"
#include "compiler/compiler.h"
#include "compiler/unit.h"
#include "wasm/wasm.h"

static bool check(const wasmx_buffer *input, const char *file, unsigned threads, wx_buf *binary, wx_module *m,
                  wx_error *e) {
    const uint8_t *bytes = input->data;
    size_t size = input->size;
    if (size && bytes[0] != 0) { // as in wasmx_compile: no text begins with a NUL
        if (!wx_text_to_binary(file, (const char *)bytes, size, binary, e)) return false;
        bytes = binary->data, size = binary->len;
    }
    return wx_module_decode(m, bytes, size, e) && wx_module_validate(m, threads ? threads : wx_cpus(), e);
}

bool wx_input_check(const wasmx_buffer *input, const char *file, unsigned threads, wasmx_compile_error *err) {
    wx_buf binary = {0};
    wx_module m = {0};
    wx_error e = {0};
    bool ok = check(input, file, threads, &binary, &m, &e);
    if (!ok) wx_error_line(&e, file, err->line, sizeof err->line);
    wx_module_free(&m);
    wx_buf_free(&binary);
    return ok;
}

bool wx_target_check(const wasmx_compile_options *options, wasmx_compile_error *err) {
    wx_unit u = {.options = options};
    wx_error e = {0};
    bool ok = wx_choose_target(&u, &e);
    wx_arena_free(&u.arena);
    if (!ok) memcpy(err->line, e.msg, sizeof e.msg);
    return ok;
}

const char *wx_target_arch(const char *target) {
    wasmx_compile_options options = {.target = target};
    wx_unit u = {.options = &options};
    wx_error e = {0};
    wx_choose_target(&u, &e);
    wx_arena_free(&u.arena);
    return u.is_x86 ? "x86_64" : "aarch64";
}
