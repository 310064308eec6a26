// tests/unit/test_wasm_build.h: modules put together byte by byte, for tests.
#pragma once
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "wasm/wasm.h"

enum { // section ids
    CUSTOM, TYPE, IMPORT, FUNC, TABLE, MEMORY, GLOBAL, EXPORT, START, ELEM, CODE, DATA, DATA_COUNT, TAG,
};

typedef struct builder {
    wx_buf module, section;
    int id;
} builder;

static inline builder build(void) {
    builder b = {0};
    wx_buf_add(&b.module, "\0asm\1\0\0", 8);
    return b;
}

static inline void begin(builder *b, int id) {
    b->id = id;
    b->section.len = 0;
}

static inline void end(builder *b) {
    wx_buf_byte(&b->module, (uint8_t)b->id);
    wx_buf_uleb(&b->module, b->section.len);
    wx_buf_add(&b->module, b->section.data, b->section.len);
}

// A section given whole; the bytes follow as a string literal.
#define SECTION(b, id, literal) (begin((b), (id)), wx_buf_add(&(b)->section, (literal), sizeof(literal) - 1), end(b))

static inline void put_body(builder *b, const wx_buf *body) {
    wx_buf_uleb(&b->section, body->len);
    wx_buf_add(&b->section, body->data, body->len);
}

static inline void discard(builder *b) {
    wx_buf_free(&b->module);
    wx_buf_free(&b->section);
}

// Decodes and validates; the caller frees m.
static inline bool accept(wx_module *m, const void *bytes, size_t len, unsigned threads, wx_error *e) {
    *m = (wx_module){0};
    *e = (wx_error){0};
    return wx_module_decode(m, bytes, len, e) && wx_module_validate(m, threads, e);
}

// "" when the bytes are a valid module, else the message.
static inline const char *verdict(const void *bytes, size_t len) {
    static wx_error e;
    wx_module m;
    bool ok = accept(&m, bytes, len, 1, &e);
    wx_module_free(&m);
    return ok ? "" : e.msg;
}

static inline bool starts_with(const char *text, const char *prefix) {
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

// Deterministic random numbers (xorshift).
static inline uint32_t next_random(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (uint32_t)(*state >> 16);
}
