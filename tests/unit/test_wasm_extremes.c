// tests/unit/test_wasm_extremes.c: the sizes that real modules reach, and what they cost.
#include <criterion/criterion.h>

#include <stdio.h>

#include "test_wasm_build.h"
#include "wasm/constexpr.h"

static void expect_valid(builder *b) {
    wx_module m;
    wx_error e;
    cr_assert(accept(&m, b->module.data, b->module.len, 2, &e), "%s (func %u)", e.msg, e.func);
    cr_assert_lt(m.arena.total, 40 * b->module.len + 40000);
    wx_buf again = {0};
    wx_module_encode(&m, &again);
    cr_assert_eq(again.len, b->module.len);
    cr_assert_eq(memcmp(again.data, b->module.data, again.len), 0);
    wx_buf_free(&again);
    wx_module_free(&m);
    discard(b);
}

static void put_zeros(builder *b, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) wx_buf_byte(&b->section, 0);
}

Test(extremes, functions_and_elements) {
    const uint32_t funcs = 617490, elems = 704143;
    builder b = build();
    SECTION(&b, TYPE, "\x01\x60\x01\x7f\x01\x7f");
    begin(&b, FUNC);
    wx_buf_uleb(&b.section, funcs);
    put_zeros(&b, funcs);
    end(&b);
    begin(&b, TABLE);
    wx_buf_add(&b.section, "\x01\x70\x00", 3);
    wx_buf_uleb(&b.section, elems);
    end(&b);
    begin(&b, ELEM);
    wx_buf_add(&b.section, "\x01\x00\x41\x00\x0b", 5);
    wx_buf_uleb(&b.section, elems);
    for (uint32_t i = 0; i < elems; i++) wx_buf_uleb(&b.section, i % funcs);
    end(&b);
    begin(&b, CODE);
    wx_buf_uleb(&b.section, funcs);
    for (uint32_t i = 0; i < funcs; i++) wx_buf_add(&b.section, "\x07\x00\x20\x00\x41\x05\x6a\x0b", 8);
    end(&b);
    expect_valid(&b);
}

Test(extremes, element_expressions) {
    const uint32_t elems = 704143;
    builder b = build();
    SECTION(&b, TYPE, "\x01\x60\x00\x00");
    SECTION(&b, FUNC, "\x01\x00");
    begin(&b, ELEM);
    wx_buf_add(&b.section, "\x01\x05\x70", 3);
    wx_buf_uleb(&b.section, elems);
    for (uint32_t i = 0; i < elems; i++) wx_buf_add(&b.section, i % 2 ? "\xd2\x00\x0b" : "\xd0\x70\x0b", 3);
    end(&b);
    SECTION(&b, CODE, "\x01\x02\x00\x0b");
    expect_valid(&b);
}

// One function with this body after its local declarations.
static void expect_valid_body(const wx_buf *body, const char *type, size_t type_len) {
    builder b = build();
    begin(&b, TYPE);
    wx_buf_add(&b.section, type, type_len);
    end(&b);
    SECTION(&b, FUNC, "\x01\x00");
    SECTION(&b, TABLE, "\x01\x70\x00\x05");
    begin(&b, CODE);
    wx_buf_byte(&b.section, 1);
    put_body(&b, body);
    end(&b);
    expect_valid(&b);
}

#define ADD(buf, literal) wx_buf_add((buf), (literal), sizeof(literal) - 1)

static void nest(uint32_t depth) {
    wx_buf body = {0};
    ADD(&body, "\x00");
    for (uint32_t i = 0; i < depth; i++) wx_buf_add(&body, i % 3 ? "\x02\x40" : "\x03\x40", 2);
    for (uint32_t i = 0; i < depth; i++) ADD(&body, "\x0b");
    ADD(&body, "\x0b");
    expect_valid_body(&body, "\x01\x60\x00\x00", 4);
    wx_buf_free(&body);
}

Test(extremes, nesting) {
    nest(4100);
    nest(1000000);
}

Test(extremes, one_function_of_383500_instructions) {
    wx_buf body = {0};
    ADD(&body, "\x01\x01\x7e"); // one i64
    for (uint32_t i = 0; i < 383500 / 5; i++) ADD(&body, "\x20\x00\x42\xf9\xac\xd1\x11\x7c\x22\x00\x1a");
    ADD(&body, "\x0b");
    expect_valid_body(&body, "\x01\x60\x00\x00", 4);
    wx_buf_free(&body);
}

Test(extremes, br_table_of_5490_targets) {
    wx_buf body = {0};
    ADD(&body, "\x00");
    for (uint32_t i = 0; i < 5490; i++) ADD(&body, "\x02\x40");
    ADD(&body, "\x41\x07\x0e");
    wx_buf_uleb(&body, 5490);
    for (uint32_t i = 0; i <= 5490; i++) wx_buf_uleb(&body, i);
    for (uint32_t i = 0; i <= 5490; i++) ADD(&body, "\x0b");
    expect_valid_body(&body, "\x01\x60\x00\x00", 4);
    wx_buf_free(&body);
}

Test(extremes, locals_and_parameters) {
    wx_buf body = {0}, type = {0};
    ADD(&type, "\x01\x60");
    wx_buf_uleb(&type, 91);
    for (uint32_t i = 0; i < 91; i++) ADD(&type, "\x7f");
    ADD(&type, "\x00");
    wx_buf_uleb(&body, 2441);
    for (uint32_t i = 0; i < 2441; i++) wx_buf_add(&body, i % 2 ? "\x01\x7f" : "\x01\x7c", 2);
    for (uint32_t i = 0; i < 2441; i++) { // each read as the type that it has, beyond the flat ones too
        ADD(&body, "\x20");
        wx_buf_uleb(&body, 91 + i);
        wx_buf_add(&body, i % 2 ? "\x45\x1a" : "\x9a\x1a", 2);
    }
    ADD(&body, "\x0b");
    expect_valid_body(&body, (char *)type.data, type.len);
    wx_buf_free(&body);
    wx_buf_free(&type);
}

Test(extremes, table_index_in_five_bytes) {
    wx_buf body = {0};
    ADD(&body, "\x00\x41\x00\x11\x00\x80\x80\x80\x80\x00\x0b");
    expect_valid_body(&body, "\x01\x60\x00\x00", 4);
    wx_buf_free(&body);
}

Test(extremes, data_segments) {
    builder b = build();
    SECTION(&b, MEMORY, "\x01\x00\x01");
    begin(&b, DATA_COUNT);
    wx_buf_uleb(&b.section, 98450);
    end(&b);
    begin(&b, DATA);
    wx_buf_uleb(&b.section, 98450);
    for (uint32_t i = 0; i < 98450; i++) ADD(&b.section, "\x00\x41\x08\x0b\x01x");
    end(&b);
    expect_valid(&b);
}

// Each is the one before it, through global.get: none of that may recurse.
Test(extremes, globals) {
    builder b = build();
    begin(&b, GLOBAL);
    wx_buf_uleb(&b.section, 31003);
    ADD(&b.section, "\x7f\x00\x41\x07\x0b");
    for (uint32_t i = 1; i < 31003; i++) {
        ADD(&b.section, "\x7f\x00\x23");
        wx_buf_uleb(&b.section, i - 1);
        ADD(&b.section, "\x0b");
    }
    end(&b);
    wx_module m;
    wx_error e;
    cr_assert(accept(&m, b.module.data, b.module.len, 1, &e), "%s", e.msg);
    wx_const near = wx_const_eval(&m, m.globals[20].init), far = wx_const_eval(&m, m.globals[31002].init);
    cr_expect(near.kind == WX_CONST_NUMBER && near.bits == 7);
    cr_expect(far.kind == WX_CONST_GLOBAL && far.index < 31002);
    wx_module_free(&m);
    expect_valid(&b);
}

Test(extremes, exports) {
    builder b = build();
    SECTION(&b, MEMORY, "\x01\x00\x01");
    begin(&b, EXPORT);
    wx_buf_uleb(&b.section, 75111);
    for (uint32_t i = 0; i < 75111; i++) {
        char name[32];
        int len = snprintf(name, sizeof name, "export number %u", i * 7919u % 75111u);
        wx_buf_uleb(&b.section, (uint32_t)len);
        wx_buf_add(&b.section, name, (size_t)len);
        ADD(&b.section, "\x02\x00");
    }
    end(&b);
    expect_valid(&b);
}

// Equal recursion groups by the thousand, and chains as deep as the limit allows.
Test(extremes, types) {
    builder b = build();
    const uint32_t groups = 60000;
    begin(&b, TYPE);
    wx_buf_uleb(&b.section, groups);
    for (uint32_t i = 0; i < groups; i++) {
        ADD(&b.section, "\x4e\x02\x5f\x01\x63");
        wx_buf_sleb(&b.section, 2 * i + 1);
        ADD(&b.section, "\x00\x5f\x01\x63");
        wx_buf_sleb(&b.section, 2 * i);
        ADD(&b.section, "\x01");
    }
    end(&b);
    wx_module m;
    wx_error e;
    cr_assert(accept(&m, b.module.data, b.module.len, 1, &e), "%s", e.msg);
    for (uint32_t i = 0; i < m.type_count; i++) cr_assert_eq(m.types[i].canon, i % 2);
    wx_module_free(&m);
    expect_valid(&b);
}

static const char *chain(uint32_t length) {
    builder b = build();
    begin(&b, TYPE);
    wx_buf_uleb(&b.section, length);
    ADD(&b.section, "\x50\x00\x5f\x00");
    for (uint32_t i = 1; i < length; i++) {
        ADD(&b.section, "\x50\x01");
        wx_buf_uleb(&b.section, i - 1);
        ADD(&b.section, "\x5f\x00");
    }
    end(&b);
    const char *message = verdict(b.module.data, b.module.len);
    discard(&b);
    return message;
}

Test(extremes, supertypes) {
    cr_expect_str_eq(chain(64), "");
    cr_expect(starts_with(chain(65), "too many supertypes"));
}

// A few bytes that push a thousand operands each must not become gigabytes.
Test(extremes, operands) {
    wx_buf body = {0};
    builder b = build();
    begin(&b, TYPE);
    ADD(&b.section, "\x02\x60\x00\x00\x60\x00");
    wx_buf_uleb(&b.section, 1000);
    for (int i = 0; i < 1000; i++) ADD(&b.section, "\x7e");
    end(&b);
    SECTION(&b, IMPORT, "\x01\x01m\x01" "f\x00\x01");
    SECTION(&b, FUNC, "\x01\x00");
    begin(&b, CODE);
    wx_buf_byte(&b.section, 1);
    ADD(&body, "\x00");
    for (int i = 0; i < 20000; i++) ADD(&body, "\x10\x00");
    ADD(&body, "\x0b");
    put_body(&b, &body);
    end(&b);
    cr_expect(starts_with(verdict(b.module.data, b.module.len), "too many operands"));
    wx_buf_free(&body);
    discard(&b);
}
