// tests/unit/test_wasm_decode.c: malformed input of every kind ends in an error.
#include <criterion/criterion.h>

#include "test_wasm_build.h"

#define HEADER "\0asm\1\0\0\0"
#define EXPECT(literal, message) \
    cr_expect(starts_with(verdict(literal, sizeof(literal) - 1), message), "%s: %s", #literal, \
              verdict(literal, sizeof(literal) - 1))

Test(decode, headers) {
    EXPECT(HEADER, "");
    cr_expect_str_eq(verdict(HEADER, 8), "");
    EXPECT("", "unexpected end");
    EXPECT("\0as", "unexpected end");
    EXPECT("\0asn\1\0\0\0", "magic header not detected");
    EXPECT("\0asm\2\0\0\0", "unknown binary version");
    EXPECT("\x7f" "ELF\2\1\1", "magic header not detected");
}

Test(decode, sections) {
    EXPECT(HEADER "\x0e\x00", "malformed section id");
    EXPECT(HEADER "\x01\x05\x00", "length out of bounds");
    EXPECT(HEADER "\x01\x02\x00\x00", "section size mismatch");
    EXPECT(HEADER "\x01\x01\x00\x01\x01\x00", "unexpected content after last section");
    EXPECT(HEADER "\x03\x01\x00\x01\x01\x00", "unexpected content after last section");
    EXPECT(HEADER "\x01\x04\x01\x60\x00\x00\x03\x02\x01\x00", "function and code section have inconsistent lengths");
    EXPECT(HEADER "\x0c\x01\x01", "data count and data section have inconsistent lengths");
    EXPECT(HEADER "\x00\x00", "unexpected end");
    EXPECT(HEADER "\x00\x03\x02\xff\xfe", "malformed UTF-8 encoding");
}

// A count that cannot be true is refused before memory is asked for.
Test(decode, huge_counts) {
    for (int id = TYPE; id <= TAG; id++) {
        if (id == START || id == DATA_COUNT) continue;
        builder b = build();
        begin(&b, id);
        wx_buf_uleb(&b.section, UINT32_MAX);
        for (int i = 0; i < 100; i++) wx_buf_byte(&b.section, 0);
        end(&b);
        wx_module m = {0};
        wx_error e = {0};
        cr_expect_not(wx_module_decode(&m, b.module.data, b.module.len, &e));
        cr_expect_eq(e.code, WX_ERR_MALFORMED);
        cr_expect(starts_with(e.msg, "unexpected end"), "section %d: %s", id, e.msg);
        cr_expect_lt(m.arena.total, 10000);
        wx_module_free(&m);
        discard(&b);
    }
}

// 4 GiB of memory and of table claimed costs nothing here.
Test(decode, claims_cost_nothing) {
    builder b = build();
    SECTION(&b, TABLE, "\x01\x70\x00\xff\xff\xff\xff\x0f");
    SECTION(&b, MEMORY, "\x01\x00\x80\x80\x04");
    wx_module m;
    wx_error e;
    cr_assert(accept(&m, b.module.data, b.module.len, 1, &e), "%s", e.msg);
    cr_expect_eq(m.memories[0].limits.min, 65536);
    cr_expect_lt(m.arena.total, 10000);
    wx_module_free(&m);
    discard(&b);
}

Test(decode, locals_are_bounded) {
    builder b = build();
    SECTION(&b, TYPE, "\x01\x60\x00\x00");
    SECTION(&b, FUNC, "\x01\x00");
    SECTION(&b, CODE, "\x01\x0e\x02\xff\xff\xff\xff\x0f\x7f\xff\xff\xff\xff\x0f\x7e\x0b");
    cr_expect(starts_with(verdict(b.module.data, b.module.len), "too many locals"));
    discard(&b);
    b = build();
    SECTION(&b, TYPE, "\x01\x60\x00\x00");
    SECTION(&b, FUNC, "\x01\x00");
    SECTION(&b, CODE, "\x01\x08\x01\xff\xff\xff\x7f\x7f\x0b\x0b");
    wx_module m = {0};
    wx_error e = {0};
    cr_expect_not(wx_module_decode(&m, b.module.data, b.module.len, &e));
    cr_expect_eq(e.code, WX_ERR_LIMIT);
    cr_expect_eq(e.func, 0);
    wx_module_free(&m);
    discard(&b);
}

Test(decode, names_are_read_and_bad_ones_ignored) {
    builder b = build();
    SECTION(&b, TYPE, "\x01\x60\x00\x00");
    SECTION(&b, FUNC, "\x02\x00\x00");
    SECTION(&b, CODE, "\x02\x02\x00\x0b\x02\x00\x0b");
    SECTION(&b, CUSTOM, "\x04name" "\x00\x04\x03mod" "\x01\x0c\x03\x00\x02" "f0" "\x01\x02" "f1" "\x09\x01x");
    SECTION(&b, CUSTOM, "\x04name" "\x01\x04\x01\x01\xff\xff");
    SECTION(&b, CUSTOM, "\x04name" "\xff\xff\xff");
    wx_module m;
    wx_error e;
    cr_assert(accept(&m, b.module.data, b.module.len, 1, &e), "%s", e.msg);
    cr_expect(m.name.len == 3 && memcmp(m.name.ptr, "mod", 3) == 0);
    cr_expect(m.funcs[0].name.len == 2 && memcmp(m.funcs[0].name.ptr, "f0", 2) == 0);
    cr_expect(m.funcs[1].name.len == 2 && memcmp(m.funcs[1].name.ptr, "f1", 2) == 0);
    cr_expect_eq(m.custom_count, 3);
    cr_expect_eq(m.customs[0].after, CODE);
    wx_module_free(&m);
    discard(&b);
}

Test(decode, declarations_are_noted) {
    wx_buf bytes = {0};
    wx_error e = {0};
    const char *text =
        "(module (import \"m\" \"f\" (func)) (table 3 funcref) (memory i64 1) (global (export \"g\") (mut v128)"
        " (v128.const i64x2 0 0)) (func) (func (export \"x\")) (func) (elem (i32.const 0) func 1)"
        " (global funcref (ref.func 3)))";
    cr_assert(wx_text_to_binary("t.wat", text, strlen(text), &bytes, &e), "%s", e.msg);
    wx_module m;
    cr_assert(accept(&m, bytes.data, bytes.len, 1, &e), "%s", e.msg);
    cr_expect(!m.funcs[0].is_ref && m.funcs[1].is_ref && m.funcs[2].is_ref && m.funcs[3].is_ref);
    cr_expect(m.funcs[2].is_exported && !m.funcs[1].is_exported && m.globals[0].is_exported);
    uint64_t want = 1u << WX_FEATURE_SIMD | 1u << WX_FEATURE_MEMORY64 | 1u << WX_FEATURE_MUTABLE_GLOBALS;
    cr_expect_eq(m.features & want, want);
    cr_expect_not(m.features & (1u << WX_FEATURE_GC | 1u << WX_FEATURE_THREADS));
    wx_module_free(&m);
    wx_buf_free(&bytes);
}

// A module with something in every section, to be damaged.
static const char everything[] =
    "(module $m (type (func (param i32 i64) (result f32))) (type $v (func)) (import \"a\" \"b\" (func $i (type $v)))"
    " (import \"a\" \"g\" (global $g i32)) (import \"a\" \"t\" (table 1 funcref)) (table $t 10 20 funcref) (table "
    "externref (elem))"
    " (memory 1 2) (memory i64 1) (tag $e (param i32)) (global (mut i64) (i64.const 5)) (global i32 (global.get $g))"
    " (export \"f\" (func $f)) (export \"m\" (memory 0)) (start $s) (func $s)"
    " (func $f (type 0) (local i32 i32 f64 v128) (local funcref)"
    "   block (result f32) loop local.get 0 if (result i32) i32.const 1 else i32.const 2 end br_if 0 end f32.const 1 "
    "end"
    "   block block local.get 0 br_table 0 1 0 end end"
    "   try call $s catch $e drop catch_all rethrow 0 end i32.const 0 i32.const 7 call_indirect $t (type $v) drop"
    "   local.get 1 i64.const -9 i64.mul drop i32.const 4 v128.load offset=16 align=4 i8x16.popcnt v128.any_true drop"
    "   i32.const 1 i32.const 2 i32.const 3 memory.init 1 i32.const 1 i32.const 2 i32.const 3 table.copy"
    "   i32.const 1 i32.const 2 ref.func $s ref.is_null select (result i32) drop)"
    " (func (param i32) (result i32) local.get 0 i32.const 1 i32.add return_call 3)"
    " (elem (table $t) (i32.const 1) func $s $f) (elem funcref (ref.func $s) (ref.null func)) (elem declare func $f)"
    " (data (i32.const 8) \"hello\") (data \"passive\"))";

static wx_buf seed(void) {
    wx_buf bytes = {0};
    wx_error e = {0};
    cr_assert(wx_text_to_binary("all.wat", everything, strlen(everything), &bytes, &e), "%s", e.msg);
    cr_assert_str_eq(verdict(bytes.data, bytes.len), "");
    return bytes;
}

// Whatever the outcome, it ends, and printing and encoding what was decoded does no harm.
static bool survive(const uint8_t *bytes, size_t len) {
    wx_module m = {0};
    wx_error e = {0};
    wx_buf out = {0};
    bool decoded = wx_module_decode(&m, bytes, len, &e);
    cr_assert_eq(decoded, e.code == WX_OK);
    cr_assert_lt(m.arena.total, 40 * len + 40000);
    if (decoded) {
        wx_module_print(&m, &out);
        out.len = 0;
        wx_module_encode(&m, &out);
    }
    bool valid = decoded && wx_module_validate(&m, 1, &e);
    if (valid) cr_assert_str_eq(verdict(out.data, out.len), "");
    cr_assert_eq(valid, e.code == WX_OK);
    cr_assert(valid || e.msg[0]);
    wx_module_free(&m);
    wx_buf_free(&out);
    return valid;
}

Test(decode, truncation_anywhere) {
    wx_buf bytes = seed();
    for (size_t len = 0; len < bytes.len; len++) {
        uint8_t *exact = malloc(len ? len : 1); // so that reading past the end is seen by a sanitizer
        memcpy(exact, bytes.data, len);
        survive(exact, len);
        free(exact);
    }
    wx_buf_free(&bytes);
}

Test(decode, thousands_of_damaged_modules) {
    wx_buf bytes = seed();
    uint64_t state = 42;
    unsigned valid = 0;
    for (int round = 0; round < 20000; round++) {
        size_t len = bytes.len;
        uint8_t *copy = malloc(len);
        memcpy(copy, bytes.data, len);
        for (uint32_t i = next_random(&state) % 6; i > 0; i--) {
            uint32_t at = 8 + next_random(&state) % (uint32_t)(len - 8);
            copy[at] = next_random(&state) & 1 ? (uint8_t)next_random(&state) : (uint8_t)(copy[at] + 1);
        }
        valid += survive(copy, len);
        free(copy);
    }
    cr_assert_gt(valid, 1000);
    cr_assert_lt(valid, 19000);
    wx_buf_free(&bytes);
}

Test(decode, random_bytes) {
    uint64_t state = 7;
    for (int round = 0; round < 20000; round++) {
        uint8_t bytes[64];
        for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)next_random(&state);
        size_t keep = next_random(&state) % 12; // a header, and often a plausible section
        memcpy(bytes, HEADER "\x01\x30\x02\x60", keep < 12 ? keep : 12);
        survive(bytes, sizeof bytes);
    }
}

// Bodies of random opcodes inside a good module.
Test(decode, random_bodies) {
    uint64_t state = 99;
    for (int round = 0; round < 20000; round++) {
        builder b = build();
        wx_buf body = {0};
        SECTION(&b, TYPE, "\x03\x60\x00\x00\x5f\x02\x7f\x01\x78\x01\x5e\x7e\x01");
        SECTION(&b, FUNC, "\x01\x00");
        SECTION(&b, TABLE, "\x01\x70\x00\x05");
        SECTION(&b, MEMORY, "\x01\x00\x01");
        SECTION(&b, GLOBAL, "\x01\x7f\x01\x41\x00\x0b");
        begin(&b, CODE);
        wx_buf_byte(&b.section, 1);
        wx_buf_add(&body, "\x01\x02\x7f\x00", 4); // two locals, then unreachable, so that operands are there
        for (uint32_t i = next_random(&state) % 60; i > 0; i--) {
            static const uint8_t prefixes[] = {0xfb, 0xfc, 0xfd, 0xfe};
            uint32_t roll = next_random(&state);
            if (roll % 4 == 0) wx_buf_byte(&body, prefixes[roll / 4 % 4]);
            wx_buf_byte(&body, (uint8_t)(next_random(&state) % (roll % 3 ? 0xd7 : 4)));
        }
        wx_buf_byte(&body, 0x0b);
        put_body(&b, &body);
        end(&b);
        survive(b.module.data, b.module.len);
        wx_buf_free(&body);
        discard(&b);
    }
}
