// tests/unit/test_wasm_validate.c: what is accepted, what is refused and with which words.
#include <criterion/criterion.h>

#include "test_wasm_build.h"

static wx_error error;

// "" when the text is a valid module, else the validator's message (kept in `error` too).
static const char *of_text(const char *text) {
    wx_buf bytes = {0};
    wx_module m = {0};
    error = (wx_error){0};
    if (wx_text_to_binary("t.wat", text, strlen(text), &bytes, &error)) accept(&m, bytes.data, bytes.len, 1, &error);
    wx_module_free(&m);
    wx_buf_free(&bytes);
    return error.code == WX_OK ? "" : error.msg;
}

#define ACCEPT(text) cr_expect_str_eq(of_text(text), "", "%s: %s", text, error.msg)
#define REFUSE(text, message) cr_expect(starts_with(of_text(text), message), "%s: %s", text, error.msg)

Test(validate, messages_say_what_and_where) {
    of_text("(module (func) (func $main (param f64) (result i32) i32.const 1 local.get 0 i32.add))");
    cr_expect_str_eq(error.msg, "type mismatch: i32.add wants i32, stack has f64");
    cr_expect_eq(error.code, WX_ERR_INVALID);
    cr_expect_eq(error.func, 1);
    cr_expect_str_eq(error.name, "main");
    cr_expect_eq(error.offset, 0x24);
    of_text("(module (func drop))");
    cr_expect_str_eq(error.msg, "type mismatch: drop wants a value, stack is empty");
    of_text("(module (func i32.const 1))");
    cr_expect_str_eq(error.msg, "type mismatch: 1 values remaining on stack at end of block");
}

Test(validate, blocks_and_branches) {
    ACCEPT("(module (func (result i32) block (result i32) i32.const 1 i32.const 0 br_if 0 end))");
    ACCEPT("(module (func (result i32 i64) i32.const 1 i64.const 2))");
    ACCEPT("(module (func (param i32) (result i32) local.get 0 if (param) (result i32) i32.const 1 else unreachable "
           "end))");
    ACCEPT("(module (func (result i32) loop (result i32) br 0 end))");
    ACCEPT("(module (func unreachable i32.add drop))");
    REFUSE("(module (func (result i32) i32.const 1 if (result i32) i32.const 1 end))", "type mismatch");
    REFUSE("(module (func br 1))", "unknown label 1");
    REFUSE("(module (func (result i32) block br 0 end))", "type mismatch");
    REFUSE("(module (func block i32.const 0 br_table 0 1 2 end))", "unknown label 2");
    REFUSE("(module (func unreachable i64.const 1 i32.add drop))", "type mismatch: i32.add wants i32, stack has i64");
}

Test(validate, indices) {
    REFUSE("(module (func local.get 0 drop))", "unknown local 0");
    REFUSE("(module (func call 1))", "unknown function 1");
    REFUSE("(module (func global.get 0 drop))", "unknown global 0");
    REFUSE("(module (func i32.const 0 i32.load drop))", "unknown memory 0");
    REFUSE("(module (func i32.const 0 table.get 0 drop))", "unknown table 0");
    REFUSE("(module (func throw 0))", "unknown tag 0");
    REFUSE("(module (func elem.drop 0))", "unknown elem segment 0");
    REFUSE("(module (func (type 3)))", "unknown type");
    REFUSE("(module (export \"x\" (func 0)))", "unknown function 0");
    REFUSE("(module (start 0))", "unknown function 0");
    REFUSE("(module (func) (export \"x\" (func 0)) (export \"x\" (func 0)))", "duplicate export name");
    REFUSE("(module (func (param i32)) (start 0))", "start function");
}

Test(validate, memories_and_globals) {
    ACCEPT("(module (memory 1) (func (result i32) i32.const 0 i32.load align=4))");
    REFUSE("(module (memory 1) (func (result i32) i32.const 0 i32.load align=8))",
           "alignment must not be larger than natural");
    ACCEPT("(module (memory 1 1 shared) (func i32.const 0 i32.atomic.load drop))");
    REFUSE("(module (memory 1 1 shared) (func i32.const 0 i32.atomic.load align=2 drop))",
           "atomic alignment must be natural");
    REFUSE("(module (memory 65537))", "memory size must be at most 65536 pages (4GiB)");
    REFUSE("(module (memory 2 1))", "size minimum must not be greater than maximum");
    ACCEPT("(module (memory i64 1) (func i64.const 0 i32.load drop))");
    REFUSE("(module (memory i64 1) (func i32.const 0 i32.load drop))",
           "type mismatch: i32.load wants i64, stack has i32");
    REFUSE("(module (global i32 (i32.const 1)) (func i32.const 1 global.set 0))", "immutable global");
    REFUSE("(module (global i32 (i32.const 1) (i32.const 2) (i32.div_s)))", "constant expression required");
    ACCEPT("(module (global i32 (i32.const 1) (i32.const 2) (i32.mul)))");
    REFUSE("(module (global i32 (i64.const 1)))", "type mismatch");
    REFUSE("(module (global i32 (global.get 0)))", "unknown global 0");
    REFUSE("(module (func) (func ref.func 0 drop))", "undeclared function reference");
    ACCEPT("(module (func) (elem declare func 0) (func ref.func 0 drop))");
}

Test(validate, tables_and_segments) {
    REFUSE("(module (table 1 externref) (elem (i32.const 0) func))", "type mismatch");
    REFUSE("(module (table 1 externref) (type (func)) (func i32.const 0 call_indirect 0 (type 0)))", "type mismatch");
    REFUSE("(module (table 1 funcref) (elem (i32.const 0) func 3))", "unknown function 3");
    REFUSE("(module (data (i32.const 0) \"\"))", "unknown memory 0");
    ACCEPT("(module (memory 1) (data \"x\") (func i32.const 0 i32.const 0 i32.const 0 memory.init 0 data.drop 0))");
}

static const char *refuse_bytes(builder *b) {
    const char *message = verdict(b->module.data, b->module.len);
    discard(b);
    return message;
}

Test(validate, data_count_is_required) {
    builder b = build();
    SECTION(&b, TYPE, "\x01\x60\x00\x00");
    SECTION(&b, FUNC, "\x01\x00");
    SECTION(&b, MEMORY, "\x01\x00\x01");
    SECTION(&b, CODE, "\x01\x05\x00\xfc\x09\x00\x0b");
    SECTION(&b, DATA, "\x01\x01\x00");
    cr_expect(starts_with(refuse_bytes(&b), "data count section required"));
}

Test(validate, bodies_end_where_they_should) {
    static const struct { const char *code; size_t len; const char *message; } bodies[] = {
        {"\x01\x02\x00\x0b", 4, ""},
        {"\x01\x02\x00\x01", 4, "END opcode expected"},
        {"\x01\x03\x00\x0b\x0b", 5, "END opcode expected"},
        {"\x01\x01\x00", 3, "END opcode expected"},
        {"\x01\x03\x00\x05\x0b", 5, "else without an if"},
        {"\x01\x03\x00\x02\x40", 5, "END opcode expected"},
        {"\x01\x03\x00\xff\x0b", 5, "illegal opcode ff"},
        {"\x01\x04\x00\xfc\x7f\x0b", 6, "illegal opcode fc 7f"},
    };
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        builder b = build();
        SECTION(&b, TYPE, "\x01\x60\x00\x00");
        SECTION(&b, FUNC, "\x01\x00");
        begin(&b, CODE);
        wx_buf_add(&b.section, bodies[i].code, bodies[i].len);
        end(&b);
        const char *message = refuse_bytes(&b);
        cr_expect(bodies[i].message[0] ? starts_with(message, bodies[i].message) : !message[0], "body %zu: %s", i,
                  message);
    }
}

// Types: 0 struct {i32}, 1 the same again, 2 sub of 0 without being open: refused.
Test(validate, equal_types_get_one_canonical_index) {
    builder b = build();
    SECTION(&b, TYPE, "\x06"
            "\x50\x00\x5f\x01\x7f\x00"                         // 0: open struct {i32}
            "\x50\x00\x5f\x01\x7f\x00"                         // 1: the same
            "\x50\x01\x00\x5f\x02\x7f\x00\x7e\x01"             // 2: sub 0, {i32, mut i64}
            "\x50\x01\x01\x5f\x02\x7f\x00\x7e\x01"             // 3: sub 1, the same as 2
            "\x4e\x02\x5e\x63\x05\x00\x60\x00\x00"             // 4, 5: array of (ref null 5), func
            "\x4e\x02\x5e\x63\x07\x00\x60\x00\x00");           // 6, 7: the same group
    wx_module m;
    wx_error e;
    cr_assert(accept(&m, b.module.data, b.module.len, 1, &e), "%s", e.msg);
    const uint32_t canon[] = {0, 0, 2, 2, 4, 5, 4, 5}, depth[] = {0, 0, 1, 1, 0, 0, 0, 0};
    for (int i = 0; i < 8; i++) cr_expect(m.types[i].canon == canon[i] && m.types[i].depth == depth[i], "type %d", i);
    cr_expect(m.features & 1u << WX_FEATURE_GC);
    wx_module_free(&m);
    discard(&b);
}

Test(validate, subtypes_have_to_fit) {
    static const struct { const char *bytes; size_t len; const char *message; } types[] = {
        {"\x02\x5f\x00\x50\x01\x00\x5f\x00", 8, "sub type"},                     // supertype is final
        {"\x02\x50\x00\x5f\x01\x7f\x01\x50\x01\x00\x5f\x01\x7e\x01", 14, "sub type"}, // field differs
        {"\x02\x50\x00\x5f\x00\x50\x01\x00\x60\x00\x00", 11, "sub type"},        // kind differs
        {"\x01\x50\x01\x00\x5f\x00", 6, "unknown type"},                         // supertype is itself
        {"\x01\x5f\x01\x63\x01\x00", 6, "unknown type"},                         // beyond the group
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        builder b = build();
        begin(&b, TYPE);
        wx_buf_add(&b.section, types[i].bytes, types[i].len);
        end(&b);
        const char *message = refuse_bytes(&b);
        cr_expect(starts_with(message, types[i].message), "types %zu: %s", i, message);
    }
}

// A local of non-nullable type, type index 0 a struct without fields: set before read, and only inside the block.
static const char *with_body(const char *body, size_t len) {
    builder b = build();
    wx_buf bytes = {0};
    SECTION(&b, TYPE, "\x02\x5f\x00\x60\x00\x00");
    SECTION(&b, FUNC, "\x01\x01");
    begin(&b, CODE);
    wx_buf_byte(&b.section, 1);
    wx_buf_add(&bytes, "\x01\x01\x64\x00", 4);
    wx_buf_add(&bytes, body, len);
    put_body(&b, &bytes);
    end(&b);
    wx_buf_free(&bytes);
    return refuse_bytes(&b);
}

Test(validate, locals_without_default_are_set_first) {
    cr_expect(starts_with(with_body("\x20\x00\x1a\x0b", 4), "uninitialized local 0"));
    cr_expect_str_eq(with_body("\xfb\x00\x00\x21\x00\x20\x00\x1a\x0b", 9), "");
    cr_expect_str_eq(with_body("\xfb\x00\x00\x21\x00\x02\x40\x20\x00\x1a\x0b\x0b", 12), "");
    cr_expect(starts_with(with_body("\x02\x40\xfb\x00\x00\x21\x00\x0b\x20\x00\x1a\x0b", 12), "uninitialized local 0"));
    cr_expect(starts_with(with_body("\x41\x00\x04\x40\xfb\x00\x00\x21\x00\x05\x20\x00\x1a\x0b\x0b", 15),
                          "uninitialized local 0"));
}

// Many bad functions: the lowest is reported, whatever the number of threads.
Test(validate, lowest_function_wins) {
    builder b = build();
    SECTION(&b, TYPE, "\x01\x60\x00\x00");
    const uint32_t count = 50000;
    begin(&b, FUNC);
    wx_buf_uleb(&b.section, count);
    for (uint32_t i = 0; i < count; i++) wx_buf_byte(&b.section, 0);
    end(&b);
    begin(&b, CODE);
    wx_buf_uleb(&b.section, count);
    for (uint32_t i = 0; i < count; i++) {
        bool bad = i == 31234 || i == 31235 || i % 10007 == 40000 % 10007;
        wx_buf_add(&b.section, bad && i > 31000 ? "\x03\x00\x1a\x0b" : "\x03\x00\x01\x0b", 4);
    }
    end(&b);
    for (unsigned threads = 0; threads < 8; threads += 1) {
        wx_module m;
        wx_error e;
        cr_expect_not(accept(&m, b.module.data, b.module.len, threads, &e));
        cr_expect_eq(e.func, 31234);
        wx_module_free(&m);
    }
    discard(&b);
}

Test(validate, bodies_leave_their_facts) {
    wx_buf bytes = {0};
    wx_error e = {0};
    const char *text =
        "(module (memory 1) (memory 1) (table 1 funcref) (table 1 funcref) (global (mut i32) (i32.const 0))"
        " (global (mut i32) (i32.const 0)) (func i32.const 1 global.set 1 i32.const 1 memory.grow 1 drop"
        " i32.const 0 ref.null func table.set 1 i32.const 0 i32.const 0 i32.const 0 memory.fill"
        " i32.const 0 i32x4.splat drop))";
    cr_assert(wx_text_to_binary("t.wat", text, strlen(text), &bytes, &e), "%s", e.msg);
    wx_module m;
    cr_assert(accept(&m, bytes.data, bytes.len, 2, &e), "%s", e.msg);
    cr_expect(!m.globals[0].is_written && m.globals[1].is_written);
    cr_expect(!m.memory_grown[0] && m.memory_grown[1] && !m.table_written[0] && m.table_written[1]);
    uint64_t want =
        1u << WX_FEATURE_SIMD | 1u << WX_FEATURE_BULK | 1u << WX_FEATURE_MULTI_MEMORY | 1u << WX_FEATURE_REF_TYPES;
    cr_expect_eq(m.features & want, want);
    wx_module_free(&m);
    wx_buf_free(&bytes);
}
