// wasm/reader.h: a sticky reader over bytes.
//
// The first error is kept in *err and the reader jumps to its end: every later read returns zeros, so no line after a
// read has to test anything. Messages begin with the specification's phrase ("unexpected end", "integer too large").
#pragma once
#include "wasm/module.h"

typedef struct wx_reader {
    const uint8_t *at, *end;
    const uint8_t *start;
    uint64_t base;  // file offset of start
    wx_error *err;  // never NULL
} wx_reader;

wx_reader wx_reader_make(wx_span span, wx_error *err);
static inline bool wx_reader_ok(const wx_reader *r) { return r->err->code == WX_OK; }
static inline bool wx_reader_done(const wx_reader *r) { return r->at == r->end; }
static inline uint64_t wx_reader_offset(const wx_reader *r) { return r->base + (uint64_t)(r->at - r->start); }
// Records an error at the reader's place (or at a given offset) and ends the reader.
void wx_reader_fail(wx_reader *r, wx_code code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void wx_reader_fail_at(wx_reader *r, wx_code code, uint64_t offset, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

uint8_t wx_read_u8(wx_reader *r);
uint8_t wx_peek_u8(const wx_reader *r); // 0 at the end
uint32_t wx_read_u32(wx_reader *r);     // LEB128, as are the following
uint64_t wx_read_u64(wx_reader *r);
int32_t wx_read_s32(wx_reader *r);
int64_t wx_read_s33(wx_reader *r);
int64_t wx_read_s64(wx_reader *r);
wx_span wx_read_bytes(wx_reader *r, uint64_t len);
wx_name wx_read_name(wx_reader *r); // a length and UTF-8, checked
