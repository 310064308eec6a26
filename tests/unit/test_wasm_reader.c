// tests/unit/test_wasm_reader.c: the sticky reader at its edges.
#include <criterion/criterion.h>

#include "test_wasm_build.h"
#include "wasm/reader.h"

static wx_error err;

static wx_reader over(const char *bytes, size_t len) {
    err = (wx_error){0};
    return wx_reader_make((wx_span){.ptr = (const uint8_t *)bytes, .len = len, .offset = 100}, &err);
}

#define OVER(literal) over(literal, sizeof(literal) - 1)

#define EXPECT(read, literal, value) \
    do { \
        wx_reader r = OVER(literal); \
        cr_expect_eq(read(&r), (value)); \
        cr_expect(wx_reader_ok(&r) && wx_reader_done(&r), "%s: %s", #literal, err.msg); \
    } while (0)

#define REFUSE(read, literal, message) \
    do { \
        wx_reader r = OVER(literal); \
        cr_expect_eq(read(&r), 0); \
        cr_expect(starts_with(err.msg, message), "%s: %s", #literal, err.msg); \
        cr_expect(wx_reader_done(&r)); \
    } while (0)

Test(reader, unsigned_numbers) {
    EXPECT(wx_read_u32, "\x00", 0u);
    EXPECT(wx_read_u32, "\x7f", 127u);
    EXPECT(wx_read_u32, "\x80\x01", 128u);
    EXPECT(wx_read_u32, "\x80\x80\x80\x80\x00", 0u);
    EXPECT(wx_read_u32, "\xff\xff\xff\xff\x0f", UINT32_MAX);
    REFUSE(wx_read_u32, "\xff\xff\xff\xff\x1f", "integer too large");
    REFUSE(wx_read_u32, "\x80\x80\x80\x80\x80\x00", "integer representation too long");
    REFUSE(wx_read_u32, "\x80\x80", "unexpected end");
    REFUSE(wx_read_u32, "", "unexpected end");
    EXPECT(wx_read_u64, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", UINT64_MAX);
    REFUSE(wx_read_u64, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", "integer too large");
    REFUSE(wx_read_u64, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", "integer representation too long");
}

Test(reader, signed_numbers) {
    EXPECT(wx_read_s32, "\x3f", 63);
    EXPECT(wx_read_s32, "\x40", -64);
    EXPECT(wx_read_s32, "\x7f", -1);
    EXPECT(wx_read_s32, "\xff\xff\xff\xff\x7f", -1);
    EXPECT(wx_read_s32, "\xff\xff\xff\xff\x07", INT32_MAX);
    EXPECT(wx_read_s32, "\x80\x80\x80\x80\x78", INT32_MIN);
    REFUSE(wx_read_s32, "\x80\x80\x80\x80\x08", "integer too large");
    REFUSE(wx_read_s32, "\xff\xff\xff\xff\x4f", "integer too large");
    REFUSE(wx_read_s32, "\xff\xff\xff\xff\xff\x7f", "integer representation too long");
    EXPECT(wx_read_s33, "\xff\xff\xff\xff\x0f", (int64_t)UINT32_MAX);
    EXPECT(wx_read_s33, "\x80\x80\x80\x80\x70", -(INT64_C(1) << 32));
    REFUSE(wx_read_s33, "\x80\x80\x80\x80\x10", "integer too large");
    EXPECT(wx_read_s64, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x7f", INT64_MIN);
    EXPECT(wx_read_s64, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00", INT64_MAX);
    REFUSE(wx_read_s64, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "integer too large");
}

// Every value survives being written and read.
Test(reader, numbers_round_trip) {
    wx_buf b = {0};
    uint64_t state = 1;
    for (int i = 0; i < 20000; i++) {
        uint64_t v = ((uint64_t)next_random(&state) << 32 | next_random(&state)) >> (next_random(&state) % 64);
        b.len = 0;
        wx_buf_uleb(&b, v);
        wx_buf_sleb(&b, (int64_t)v);
        wx_buf_sleb(&b, (int32_t)v);
        wx_buf_uleb(&b, (uint32_t)v);
        wx_reader r = over((char *)b.data, b.len);
        cr_assert_eq(wx_read_u64(&r), v);
        cr_assert_eq(wx_read_s64(&r), (int64_t)v);
        cr_assert_eq(wx_read_s32(&r), (int32_t)v);
        cr_assert_eq(wx_read_u32(&r), (uint32_t)v);
        cr_assert(wx_reader_ok(&r) && wx_reader_done(&r));
    }
    wx_buf_free(&b);
}

Test(reader, first_error_stays_and_everything_after_is_zero) {
    wx_reader r = OVER("\x05" "ab");
    cr_assert_eq(wx_read_name(&r).len, 0);
    cr_assert(starts_with(err.msg, "length out of bounds"));
    cr_assert_eq(err.offset, 101);
    cr_assert_eq(wx_read_u32(&r), 0);
    cr_assert_eq(wx_read_bytes(&r, 1).len, 0);
    cr_assert(starts_with(err.msg, "length out of bounds"));
    cr_assert(wx_reader_done(&r));
}

Test(reader, counts_must_fit) {
    wx_reader r = OVER("\xff\xff\xff\xff\x0f" "abcdef");
    cr_assert_eq(wx_read_count(&r, 1), 0);
    cr_assert(starts_with(err.msg, "unexpected end"));
    r = OVER("\x03" "abcdef");
    cr_assert_eq(wx_read_count(&r, 2), 3);
    r = OVER("\x03" "abcdef");
    cr_assert_eq(wx_read_count(&r, 3), 0);
}

static bool utf8(const char *text) { return wx_utf8_valid((const uint8_t *)text, strlen(text)); }

Test(reader, utf8) {
    cr_expect(utf8("") && utf8("abc") && utf8("\xc2\x80") && utf8("\xe0\xa0\x80") && utf8("\xed\x9f\xbf"));
    cr_expect(utf8("\xf0\x90\x80\x80") && utf8("\xf4\x8f\xbf\xbf") && utf8("\xef\xbb\xbf"));
    cr_expect_not(utf8("\x80") || utf8("\xc2") || utf8("\xc0\x80") || utf8("\xc1\xbf") || utf8("\xe0\x9f\xbf"));
    cr_expect_not(utf8("\xed\xa0\x80") || utf8("\xf0\x8f\xbf\xbf") || utf8("\xf4\x90\x80\x80") ||
                  utf8("\xf5\x80\x80\x80"));
    cr_expect_not(utf8("\xe2\x82") || utf8("\xff") || utf8("a\xe2\x28\xa1"));
}

Test(reader, types) {
    EXPECT(wx_read_value_type, "\x7f", (wx_type)WX_I32);
    EXPECT(wx_read_value_type, "\x70", WX_FUNCREF);
    EXPECT(wx_read_value_type, "\x64\x05", WX_REF(false, WX_INDEX_BIT | 5));
    EXPECT(wx_read_value_type, "\x63\x6e", WX_REF(true, WX_HEAP_ANY));
    EXPECT(wx_read_storage_type, "\x78", (wx_type)WX_I8);
    EXPECT(wx_read_heap_type, "\xff\xff\xff\xff\x0f", WX_INDEX_BIT | WX_LOW_MASK);
    wx_reader r = OVER("\x7a");
    wx_read_value_type(&r);
    cr_expect(starts_with(err.msg, "malformed value type"));
    r = OVER("\x7f");
    wx_read_ref_type(&r);
    cr_expect(starts_with(err.msg, "malformed reference type"));
    r = OVER("\x64\x40");
    wx_read_ref_type(&r);
    cr_expect(starts_with(err.msg, "malformed heap type"));
}

Test(reader, type_names) {
    char text[WX_TYPE_TEXT];
    cr_expect_str_eq(wx_type_text(WX_I32, text), "i32");
    cr_expect_str_eq(wx_type_text(WX_FUNCREF, text), "funcref");
    cr_expect_str_eq(wx_type_text(WX_REF(true, WX_HEAP_NONE), text), "nullref");
    cr_expect_str_eq(wx_type_text(WX_REF(false, WX_HEAP_EXTERN), text), "(ref extern)");
    cr_expect_str_eq(wx_type_text(WX_REF(true, WX_INDEX_BIT | 999999), text), "(ref null 999999)");
}
