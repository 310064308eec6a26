// tests/fuzz/fuzz_decode.c: any bytes: decode and validate; a valid module encodes to one that is valid again and encodes
// to the same bytes, and prints.
//
// cmake --preset fuzz && cmake --build --preset fuzz --target fuzz_decode
// build/fuzz/bin/fuzz/fuzz_decode -max_total_time=60 -max_len=4096 CORPUS
#include <stdlib.h>
#include <string.h>

#include "wasm/wasm.h"

static bool read_module(wx_module *m, const uint8_t *bytes, size_t size) {
    wx_error e = {0};
    return wx_module_decode(m, bytes, size, &e) && wx_module_validate(m, 1, &e);
}

static void round_trip(const wx_module *m) {
    wx_buf first = {0}, second = {0}, text = {0};
    wx_module again = {0};
    wx_module_encode(m, &first);
    if (!read_module(&again, first.data, first.len)) abort();
    wx_module_encode(&again, &second);
    if (first.len != second.len || memcmp(first.data, second.data, first.len)) abort();
    wx_module_print(m, &text);
    wx_module_free(&again);
    wx_buf_free(&first);
    wx_buf_free(&second);
    wx_buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    wx_module m = {0};
    if (read_module(&m, data, size)) round_trip(&m);
    wx_module_free(&m);
    return 0;
}
