// tests/fuzz/fuzz_compile.c: any bytes: what is valid compiles for both targets, at -O0 mostly, or is said to be
// unsupported. Nothing is run.
//
// cmake --preset fuzz && cmake --build --preset fuzz --target fuzz_compile
// build/fuzz/bin/fuzz/fuzz_compile -max_total_time=60 -max_len=4096 CORPUS
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wasm/wasm.h"
#include "wasmx_compile.h"

static bool is_valid(const uint8_t *data, size_t size) {
    wx_error e = {0};
    wx_module m = {0};
    bool ok = wx_module_decode(&m, data, size, &e) && wx_module_validate(&m, 1, &e);
    wx_module_free(&m);
    return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!wx_is_binary(data, size) || !is_valid(data, size)) return 0;
    uint8_t choice = data[size - 1]; // any byte will do
    wasmx_compile_options options = {.threads = 1, .opt_level = choice % 8 ? '0' : '1',
                                     .emit = WASMX_EMIT_OBJECT | WASMX_EMIT_HEADER,
                                     .bounds = choice & 8 ? WASMX_BOUNDS_EXPLICIT : WASMX_BOUNDS_GUARD,
                                     .traps = choice & 16 ? WASMX_TRAPS_PRECISE : WASMX_TRAPS_DEFAULT,
                                     .target = choice & 32 ? "aarch64-linux-gnu" : "x86_64-linux-gnu"};
    wasmx_output out;
    wasmx_compile_error err;
    if (wasmx_compile(data, size, &options, &out, &err)) {
        wasmx_output_free(&out);
    } else if (!strstr(err.line, "not compiled yet") && !strstr(err.line, "NUL character")) {
        fprintf(stderr, "a valid module was refused: %s\n", err.line);
        abort();
    }
    return 0;
}
