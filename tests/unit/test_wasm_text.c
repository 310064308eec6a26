// tests/unit/test_wasm_text.c: text in and out, encoding, constant expressions.
#include <criterion/criterion.h>

#include "test_wasm_build.h"
#include "wasm/constexpr.h"

static wx_buf parse(const char *text) {
    wx_buf bytes = {0};
    wx_error e = {0};
    cr_assert(wx_text_to_binary("t.wat", text, strlen(text), &bytes, &e), "%s: %s", text, e.msg);
    return bytes;
}

// The module without its custom sections, encoded; and printed.
static void both_forms(const wx_buf *bytes, wx_buf *binary, wx_buf *text) {
    wx_module m;
    wx_error e;
    cr_assert(accept(&m, bytes->data, bytes->len, 1, &e), "%s", e.msg);
    wx_module_print(&m, text);
    m.custom_count = 0;
    wx_module_encode(&m, binary);
    wx_module_free(&m);
}

// text -> binary -> print -> binary: the two binaries are equal, names apart.
static void expect_round_trip(const char *source) {
    wx_buf first = parse(source), one = {0}, printed = {0}, two = {0}, again = {0};
    both_forms(&first, &one, &printed);
    wx_buf_byte(&printed, 0);
    wx_buf second = parse((char *)printed.data);
    both_forms(&second, &two, &again);
    cr_expect(one.len == two.len && memcmp(one.data, two.data, one.len) == 0, "%s\n%s", source, (char *)printed.data);
    wx_buf_free(&first), wx_buf_free(&second), wx_buf_free(&one), wx_buf_free(&two);
    wx_buf_free(&printed), wx_buf_free(&again);
}

Test(text, print_reads_back_as_the_same_module) {
    expect_round_trip("(module)");
    expect_round_trip(
        "(module (import \"a\\00\\7f\\\"\" \"b\\\\\" (func $x (param i32))) (func $y (result f64) f64.const 1.5)"
        " (export \"\\u{1f600}\" (func $y)) (start 2) (func))");
    expect_round_trip(
        "(module (memory $m 1 2) (memory i64 1) (data (i32.const 1) \"a\\00b\") (data (memory 1) (i64.const 2) \"x\")"
        " (data $p \"passive\") (func i32.const 0 i32.const 0 i32.const 0 memory.init $p data.drop $p i32.const 1"
        " i64.const 2 i32.load8_s (memory 1) offset=7 i32.store16 align=1 memory.size (memory 1) drop))");
    expect_round_trip(
        "(module (table $t 1 10 funcref) (table externref (elem)) (func $f) (elem $e (table $t) (i32.const 0) func $f)"
        " (elem funcref (ref.func $f) (ref.null func)) (elem declare func $f) (type $v (func))"
        " (func i32.const 0 call_indirect $t (type $v) i32.const 0 table.get 1 drop"
        " i32.const 0 i32.const 0 i32.const 0 table.init $t $e elem.drop $e i32.const 0 i32.const 0 i32.const 0 "
        "table.copy))");
    expect_round_trip(
        "(module (global $g (mut i64) (i64.const -1)) (global i32 (i32.const 3)) (global funcref (ref.null func))"
        " (func global.get $g i64.const 9223372036854775807 i64.add global.set $g))");
}

Test(text, control_and_numbers) {
    expect_round_trip(
        "(module (func (param i32) (result i32) block (result i32) i32.const 1 local.get 0 br_table 0 1 0 end"
        " if loop br 1 end else nop end i32.const 1 i32.const 2 local.get 0 select"
        " i32.const 5 local.get 0 select (result i32)))");
    expect_round_trip("(module (tag $e (param i32)) (func try nop catch $e drop catch_all rethrow 0 end try i32.const "
                      "1 throw $e delegate 0))");
    expect_round_trip(
        "(module (func f32.const nan f32.const -nan:0x200001 f32.const inf f32.const -0 f32.const 0x1.fffffep+127"
        " f32.const 0x1p-149 f64.const -inf f64.const nan:0x1 f64.const 0.1 f64.const 0x1p-1074"
        " drop drop drop drop drop drop drop drop drop drop))");
    expect_round_trip(
        "(module (memory 1 1 shared) (func v128.const i8x16 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 255 i32.const 0"
        " v128.load offset=3 align=2 i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 31 i16x8.extract_lane_u 7"
        " drop atomic.fence i32.const 0 v128.const i64x2 0 0 v128.load16_lane 5 drop"
        " i32.const 0 i64.const 0 i64.atomic.rmw.xchg drop))");
}

Test(text, names_serve_as_identifiers_only_when_unique_and_plain) {
    wx_buf bytes = parse("(module (func $good) (func $a) (func (export \"e\") call $good call $a call 0))");
    for (size_t i = 0; i + 4 < bytes.len; i++) // the second function gets the first one's name, shortened
        if (memcmp(bytes.data + i, "\x01\x01" "a", 3) == 0) bytes.data[i + 2] = ' ';
    wx_buf one = {0}, printed = {0};
    both_forms(&bytes, &one, &printed);
    wx_buf_byte(&printed, 0);
    const char *text = (char *)printed.data;
    cr_expect(strstr(text, "(func $good (;0;) (type 0)") && strstr(text, "(func (;1;) (type 0)"), "%s", text);
    cr_expect(strstr(text, "call $good\n    call 1\n    call $good"), "%s", text);
    wx_buf_free(&bytes), wx_buf_free(&one), wx_buf_free(&printed);
}

Test(text, modern_types_are_printed) {
    builder b = build();
    SECTION(&b, TYPE,
            "\x02\x50\x00\x5f\x02\x7f\x00\x78\x01"
            "\x4e\x02\x4f\x01\x00\x5f\x02\x7f\x00\x78\x01\x60\x01\x63\x01\x01\x64\x6c");
    SECTION(&b, FUNC, "\x01\x02");
    SECTION(&b, CODE, "\x01\x11\x00\x20\x00\xfb\x16\x00\xfb\x02\x00\x00\xfb\x1c\xfb\x17\x6c\xd4\x0b");
    wx_buf one = {0}, printed = {0};
    both_forms(&b.module, &one, &printed);
    wx_buf_byte(&printed, 0);
    static const char expected[] =
        "(module\n  (type (;0;) (sub (struct (field i32) (field (mut i8)))))\n  (rec\n"
        "  (type (;1;) (sub final 0 (struct (field i32) (field (mut i8)))))\n"
        "  (type (;2;) (func (param (ref null 1)) (result (ref i31)))))\n  (func (;0;) (type 2)\n    local.get 0\n"
        "    ref.cast (ref 0)\n    struct.get 0 0\n    ref.i31\n    ref.cast i31ref\n    ref.as_non_null)\n)\n";
    cr_expect_str_eq((char *)printed.data, expected);
    wx_buf_free(&one), wx_buf_free(&printed);
    discard(&b);
}

Test(text, errors_have_line_and_column) {
    wx_buf out = {0};
    wx_error e = {0};
    const char *text = "(module\n  (func\n    i32.frob))";
    cr_expect_not(wx_text_to_binary("t.wat", text, strlen(text), &out, &e));
    cr_expect_eq(e.code, WX_ERR_TEXT);
    cr_expect(starts_with(e.msg, "3:5: "), "%s", e.msg);
    wx_buf_free(&out);
}

Test(text, hostile_text_ends_in_an_error) {
    static const char *const texts[] = {
        "", "(", ")", "(module", "(@x ", "(@x (y (z))", "(; (;", "\"", "(module (func (param $x", "\xff\xfe"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        wx_buf out = {0};
        wx_error e = {0};
        bool ok = wx_text_to_binary("t.wat", texts[i], strlen(texts[i]), &out, &e);
        cr_expect(ok ? texts[i][0] == 0 : e.msg[0] != 0, "%s", texts[i]);
        wx_buf_free(&out);
    }
}

// Damaged text, on which the parser itself may abort: always a result or an error.
Test(text, damaged_text_ends_in_an_error) {
    static const char good[] =
        "(module (memory 1) (table 1 funcref) (func $f (param i32) (result i32) (local i64)\n (block (result i32)"
        " (i32.load offset=4 (local.get 0)) (br_if 0 (i32.const 1) (local.get 0)) (drop)) (i32.add (i32.const 3)))"
        " (export \"f\" (func $f)) (data (i32.const 0) \"abc\") (elem (i32.const 0) $f))";
    uint64_t state = 5;
    unsigned refused = 0;
    for (int round = 0; round < 1500; round++) {
        char text[sizeof good];
        memcpy(text, good, sizeof good);
        for (uint32_t i = 1 + next_random(&state) % 3; i > 0; i--)
            text[next_random(&state) % (sizeof good - 1)] = " ()0$\"a;"[next_random(&state) % 8];
        wx_buf out = {0};
        wx_error e = {0};
        bool ok = wx_text_to_binary("t.wat", text, sizeof good - 1, &out, &e);
        cr_expect_eq(ok, e.code == WX_OK);
        refused += !ok;
        wx_buf_free(&out);
    }
    cr_expect_gt(refused, 500);
}

static bool nested(const char *open, const char *close, int depth) {
    wx_buf text = {0}, out = {0};
    wx_error e = {0};
    wx_buf_str(&text, "(module (func ");
    for (int i = 0; i < depth; i++) wx_buf_str(&text, open);
    for (int i = 0; i < depth; i++) wx_buf_str(&text, close);
    wx_buf_str(&text, "))");
    bool ok = wx_text_to_binary("t.wat", (char *)text.data, text.len, &out, &e);
    cr_expect(ok || e.code == WX_ERR_LIMIT, "%s", e.msg);
    if (ok) cr_expect_str_eq(verdict(out.data, out.len), "");
    wx_buf_free(&text), wx_buf_free(&out);
    return ok;
}

Test(text, nesting_is_bounded) {
    cr_expect(nested("(block ", ")", 4100));
    cr_expect(nested("block ", "end ", 4100));
    cr_expect(nested("(block ", ")", 9990));
    cr_expect(nested("block ", "end ", 9990));
    cr_expect_not(nested("(block ", ")", 1000000));
    cr_expect_not(nested("block ", "end ", 1000000));
}

Test(encode, custom_sections_keep_their_places) {
    builder b = build();
    SECTION(&b, CUSTOM, "\x05" "first" "1");
    SECTION(&b, TYPE, "\x01\x60\x00\x00");
    SECTION(&b, CUSTOM, "\x02t1");
    SECTION(&b, CUSTOM, "\x02t2" "abc");
    SECTION(&b, FUNC, "\x01\x00");
    SECTION(&b, CODE, "\x01\x02\x00\x0b");
    SECTION(&b, CUSTOM, "\x04last");
    wx_module m;
    wx_error e;
    wx_buf out = {0};
    cr_assert(accept(&m, b.module.data, b.module.len, 1, &e), "%s", e.msg);
    wx_module_encode(&m, &out);
    cr_expect(out.len == b.module.len && memcmp(out.data, b.module.data, out.len) == 0);
    wx_module_free(&m);
    wx_buf_free(&out);
    discard(&b);
}

// Long LEB128 in what the encoder writes itself becomes short; a second time nothing changes.
Test(encode, shortest_form) {
    builder b = build();
    SECTION(&b, TYPE, "\x81\x80\x00\x60\x80\x00\x00");
    SECTION(&b, MEMORY, "\x01\x81\x00\x80\x00\x81\x00");
    wx_module m = {0};
    wx_error e = {0};
    wx_buf out = {0};
    cr_expect_not(wx_module_decode(&m, b.module.data, b.module.len, &e)); // the flags of limits are a byte
    wx_module_free(&m);
    discard(&b);
    b = build();
    SECTION(&b, TYPE, "\x81\x80\x00\x60\x80\x00\x00");
    SECTION(&b, MEMORY, "\x01\x01\x80\x00\x81\x00");
    cr_assert(accept(&m, b.module.data, b.module.len, 1, &e), "%s", e.msg);
    wx_module_encode(&m, &out);
    static const char expected[] = "\0asm\1\0\0\0\x01\x04\x01\x60\x00\x00\x05\x04\x01\x01\x00\x01";
    cr_expect(out.len == sizeof expected - 1 && memcmp(out.data, expected, out.len) == 0);
    wx_module_free(&m);
    wx_buf_free(&out);
    discard(&b);
}

Test(constexpr, values) {
    wx_buf bytes = parse(
        "(module (import \"m\" \"i\" (global $i i32)) (func $f) (global i32 (i32.const -1)) (global i64 (i64.const 5))"
        " (global f32 (f32.const 1.5)) (global v128 (v128.const i8x16 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16))"
        " (global externref (ref.null extern)) (global funcref (ref.func $f)) (global i32 (global.get $i))"
        " (global i32 (i32.const 2) (i32.const 3) (i32.mul) (i32.const 7) (i32.sub))"
        " (global i32 (global.get $i) (i32.const 1) (i32.add)) (global i32 (global.get 8) (i32.const 1) (i32.add))"
        " (global (mut i32) (i32.const 4)))");
    wx_module m;
    wx_error e;
    cr_assert(accept(&m, bytes.data, bytes.len, 1, &e), "%s", e.msg);
    wx_const v[12];
    for (uint32_t i = 1; i < m.global_count; i++) v[i] = wx_const_eval(&m, m.globals[i].init);
    cr_expect(v[1].kind == WX_CONST_NUMBER && v[1].type == WX_I32 && v[1].bits == 0xffffffff);
    cr_expect(v[2].kind == WX_CONST_NUMBER && v[2].type == WX_I64 && v[2].bits == 5);
    cr_expect(v[3].kind == WX_CONST_NUMBER && v[3].type == WX_F32 && v[3].bits == 0x3fc00000);
    cr_expect(v[4].kind == WX_CONST_NUMBER && v[4].type == WX_V128 && v[4].bytes[15] == 16);
    cr_expect(v[5].kind == WX_CONST_NULL && v[5].type == WX_EXTERNREF);
    cr_expect(v[6].kind == WX_CONST_FUNC && v[6].index == 0);
    cr_expect(v[7].kind == WX_CONST_GLOBAL && v[7].index == 0 && v[7].type == WX_I32);
    cr_expect(v[8].kind == WX_CONST_NUMBER && v[8].bits == 0xffffffff);
    cr_expect_eq(v[9].kind, WX_CONST_EXPR);
    cr_expect(v[10].kind == WX_CONST_NUMBER && v[10].bits == 0);
    cr_expect(m.features & 1u << WX_FEATURE_EXTENDED_CONST);
    wx_module_free(&m);
    wx_buf_free(&bytes);
}
