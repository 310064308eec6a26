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
void wx_reader_fail_at(wx_reader *r, wx_code code, uint64_t offset, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

// The one-byte forms, nearly all there are, are read in place.
uint8_t wx_read_u8_end(wx_reader *r);
uint32_t wx_read_u32_long(wx_reader *r);
int32_t wx_read_s32_long(wx_reader *r);

static inline uint8_t wx_read_u8(wx_reader *r) { return r->at < r->end ? *r->at++ : wx_read_u8_end(r); }
static inline uint8_t wx_peek_u8(const wx_reader *r) { return r->at < r->end ? *r->at : 0; } // 0 at the end
static inline uint32_t wx_read_u32(wx_reader *r) { // LEB128, as are the following
    return r->at < r->end && *r->at < 0x80 ? *r->at++ : wx_read_u32_long(r);
}
static inline int32_t wx_read_s32(wx_reader *r) {
    return r->at < r->end && *r->at < 0x80 ? (int8_t)(*r->at++ << 1) >> 1 : wx_read_s32_long(r);
}
uint64_t wx_read_u64(wx_reader *r);
int64_t wx_read_s33(wx_reader *r);
int64_t wx_read_s64(wx_reader *r);
wx_span wx_read_bytes(wx_reader *r, uint64_t len);
wx_name wx_read_name(wx_reader *r); // a length and UTF-8, checked
// A u32 that counts items of at least min_bytes bytes each, which follow: fails when they cannot all be there.
uint32_t wx_read_count(wx_reader *r, uint32_t min_bytes);
// Type indices beyond WX_LOW_MASK become WX_LOW_MASK, which no module has: validation calls it unknown.
wx_type wx_read_value_type(wx_reader *r);
wx_type wx_read_storage_type(wx_reader *r); // and WX_I8, WX_I16
wx_type wx_read_ref_type(wx_reader *r);
wx_type wx_read_heap_type(wx_reader *r); // without WX_REF_BIT
bool wx_utf8_valid(const uint8_t *p, size_t len);
