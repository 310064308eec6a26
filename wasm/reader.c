// wasm/reader.c: bytes, LEB128, names and types, with the first error kept.
//
// in: a span of the file. out: values, and zeros after the first error. needs: nothing but the span.
#include "wasm/reader.h"

#include <stdarg.h>
#include <stdio.h>

wx_reader wx_reader_make(wx_span span, wx_error *err) {
    const uint8_t *end = span.len ? span.ptr + span.len : span.ptr;
    return (wx_reader){.at = span.ptr, .end = end, .start = span.ptr, .base = span.offset, .err = err};
}

static void fail(wx_reader *r, wx_code code, uint64_t offset, const char *fmt, va_list ap) {
    char msg[sizeof r->err->msg];
    vsnprintf(msg, sizeof msg, fmt, ap);
    wx_fail_at(r->err, code, offset, "%s", msg);
    r->at = r->end;
}

void wx_reader_fail(wx_reader *r, wx_code code, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    fail(r, code, wx_reader_offset(r), fmt, ap);
    va_end(ap);
}

void wx_reader_fail_at(wx_reader *r, wx_code code, uint64_t offset, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    fail(r, code, offset, fmt, ap);
    va_end(ap);
}

uint8_t wx_read_u8_end(wx_reader *r) {
    wx_reader_fail(r, WX_ERR_MALFORMED, "unexpected end of section or function");
    return 0;
}

// An unsigned LEB128 number of at most `bits` bits: the last byte possible may not continue, nor hold bits beyond.
static uint64_t read_uleb(wx_reader *r, unsigned bits) {
    uint64_t at = wx_reader_offset(r), value = 0;
    for (unsigned shift = 0;; shift += 7) {
        uint8_t byte = wx_read_u8(r);
        unsigned room = bits - shift; // bits that this byte may still fill
        if (room < 7 && byte & 0x80) {
            wx_reader_fail_at(r, WX_ERR_MALFORMED, at, "integer representation too long");
            return 0;
        }
        if (room < 7 && byte >> room) {
            wx_reader_fail_at(r, WX_ERR_MALFORMED, at, "integer too large");
            return 0;
        }
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) return value;
    }
}

// The signed form: bits beyond must repeat the sign.
static int64_t read_sleb(wx_reader *r, unsigned bits) {
    uint64_t at = wx_reader_offset(r), value = 0;
    for (unsigned shift = 0;; shift += 7) {
        uint8_t byte = wx_read_u8(r);
        unsigned room = bits - shift;
        if (room < 7 && byte & 0x80) {
            wx_reader_fail_at(r, WX_ERR_MALFORMED, at, "integer representation too long");
            return 0;
        }
        if (room < 7 && byte >> (room - 1) != 0 && byte >> (room - 1) != 0x7f >> (room - 1)) {
            wx_reader_fail_at(r, WX_ERR_MALFORMED, at, "integer too large");
            return 0;
        }
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte & 0x80) continue;
        if (byte & 0x40 && shift + 7 < 64) value |= UINT64_MAX << (shift + 7);
        return (int64_t)value;
    }
}

uint32_t wx_read_u32_long(wx_reader *r) { return (uint32_t)read_uleb(r, 32); }
uint64_t wx_read_u64(wx_reader *r) { return read_uleb(r, 64); }
int32_t wx_read_s32_long(wx_reader *r) { return (int32_t)read_sleb(r, 32); }
int64_t wx_read_s33(wx_reader *r) { return read_sleb(r, 33); }
int64_t wx_read_s64(wx_reader *r) { return read_sleb(r, 64); }

wx_span wx_read_bytes(wx_reader *r, uint64_t len) {
    if (len > (uint64_t)(r->end - r->at)) {
        wx_reader_fail(r, WX_ERR_MALFORMED, "length out of bounds: %llu bytes wanted, %zu left",
                       (unsigned long long)len, (size_t)(r->end - r->at));
        return (wx_span){0};
    }
    wx_span s = {.ptr = r->at, .len = (size_t)len, .offset = wx_reader_offset(r)};
    if (len) r->at += len;
    return s;
}

uint32_t wx_read_count(wx_reader *r, uint32_t min_bytes) {
    uint64_t at = wx_reader_offset(r);
    uint32_t n = wx_read_u32(r);
    if ((uint64_t)n * min_bytes <= (uint64_t)(r->end - r->at)) return n;
    wx_reader_fail_at(r, WX_ERR_MALFORMED, at, "unexpected end: a count of %u, but %zu bytes are left", n,
                      (size_t)(r->end - r->at));
    return 0;
}

// Bytes of the UTF-8 sequence at p, 0 when it is not one. Shortest form only, no surrogates, up to U+10FFFF.
static size_t utf8_sequence(const uint8_t *p, size_t left) {
    if (p[0] < 0x80) return 1;
    size_t n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || left < n) return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80) return 0;
    bool too_long = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
    bool outside = (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf4 && p[1] > 0x8f);
    return too_long || outside ? 0 : n;
}

bool wx_utf8_valid(const uint8_t *p, size_t len) {
    for (size_t i = 0, n; i < len; i += n)
        if ((n = utf8_sequence(p + i, len - i)) == 0) return false;
    return true;
}

wx_name wx_read_name(wx_reader *r) {
    wx_span s = wx_read_bytes(r, wx_read_u32(r));
    if (!wx_utf8_valid(s.ptr, s.len)) {
        wx_reader_fail_at(r, WX_ERR_MALFORMED, s.offset, "malformed UTF-8 encoding");
        return (wx_name){0};
    }
    return (wx_name){.ptr = (const char *)s.ptr, .len = (uint32_t)s.len};
}

static wx_type malformed_type(wx_reader *r, const char *what) {
    wx_reader_fail(r, WX_ERR_MALFORMED, "malformed %s type 0x%02x", what, wx_peek_u8(r));
    return WX_I32;
}

static bool is_abstract_heap(uint8_t code) { return code >= WX_HEAP_EXN && code <= WX_HEAP_NOEXN; }

wx_type wx_read_heap_type(wx_reader *r) {
    uint8_t code = wx_peek_u8(r);
    if (is_abstract_heap(code)) return wx_read_u8(r);
    if ((code & 0xc0) == 0x40) return malformed_type(r, "heap");
    int64_t index = wx_read_s33(r);
    if (index < 0) return malformed_type(r, "heap");
    return WX_INDEX_BIT | (uint32_t)(index < WX_LOW_MASK ? index : WX_LOW_MASK);
}

// 0x63 is (ref null ht), 0x64 (ref ht); a code byte alone is nullable.
wx_type wx_read_ref_type(wx_reader *r) {
    uint8_t code = wx_peek_u8(r);
    if (is_abstract_heap(code)) return WX_REF(true, wx_read_u8(r));
    if (code != 0x63 && code != 0x64) return malformed_type(r, "reference");
    wx_read_u8(r);
    return WX_REF(code == 0x63, wx_read_heap_type(r));
}

wx_type wx_read_value_type(wx_reader *r) {
    uint8_t code = wx_peek_u8(r);
    if (code <= WX_I32 && code >= WX_V128) return wx_read_u8(r);
    if (wx_reader_done(r)) return wx_read_u8(r); // "unexpected end"
    if (is_abstract_heap(code) || code == 0x63 || code == 0x64) return wx_read_ref_type(r);
    return malformed_type(r, "value");
}

wx_type wx_read_storage_type(wx_reader *r) {
    uint8_t code = wx_peek_u8(r);
    return code == WX_I8 || code == WX_I16 ? wx_read_u8(r) : wx_read_value_type(r);
}
