// tests/unit/test_compile_lines.c: backtraces with offsets in the Wasm file and lines of its source.
#include <stdlib.h>

#include "tests/unit/compile_code.h"
#include "wasm/instr.h"

// What an offset has to be: the n-th instruction of a kind in a function, as the decoder counts.
static uint64_t place_in(const void *bytes, size_t size, uint32_t func, wx_op op, unsigned n) {
    wx_module m;
    wx_error e;
    uint64_t at = 0;
    cr_assert(accept(&m, bytes, size, 1, &e), "%s", e.msg);
    wx_reader r = wx_reader_make(m.funcs[func].code, &e);
    wx_skip_locals(&r);
    for (wx_instr in; !at && !wx_reader_done(&r);) {
        wx_instr_read(&r, &in);
        if (in.op == op && n-- == 0) at = in.at;
    }
    cr_assert(at);
    wx_module_free(&m);
    return at;
}

static uint64_t place(const char *text, uint32_t func, wx_op op, unsigned n) {
    wx_buf binary = {0};
    wx_error e = {0};
    cr_assert(wx_text_to_binary("t", text, strlen(text), &binary, &e), "%s", e.msg);
    uint64_t at = place_in(binary.data, binary.len, func, op, n);
    wx_buf_free(&binary);
    return at;
}

static wasmx_instance *start(const void *bytes, size_t size, wasmx_compile_options options) {
    options.name = "t";
    wasmx_output out = compiled(bytes, size, options);
    wasmx_instance *i = instance_of(wasmx_code_module(loaded(&out, "t")), NULL);
    wasmx_output_free(&out);
    return i;
}

static wasmx_instance *start_text(const char *text, wasmx_compile_options options) {
    return start(text, strlen(text), options);
}

// The frame k of the last trap; the call has to have trapped.
static const wasmx_frame *frame(wasmx_instance *i, uint32_t k) {
    const wasmx_trap *t = wasmx_last_trap(i);
    cr_assert_lt(k, t->frame_count);
    return &t->frames[k];
}

static void expect_frame(wasmx_instance *i, uint32_t k, uint32_t func, uint64_t offset) {
    const wasmx_frame *f = frame(i, k);
    cr_expect(f->func == func && f->offset == offset, "frame %u: func %u at 0x%llx, not %u at 0x%llx", k, f->func,
              (unsigned long long)f->offset, func, (unsigned long long)offset);
    cr_expect_null(f->file);
}

// ---- Offsets

static const char traps[] =
    "(module (memory 1) (type $v (func)) (table $t 4 funcref) (elem (table $t) (i32.const 1) func $good $other)"
    " (func $leaf (param i32) (result i32)" // function 0: every kind of trap, each twice
    "   (block (block (block (block (block (block (block (block (block (block (block (block (block"
    "     (br_table 0 1 2 3 4 5 6 7 8 9 10 11 12 (local.get 0)))"
    "     (return (i32.load (i32.const 65536))))"
    "     (return (i32.load (i32.const 65537))))"
    "     (i32.store (i32.sub (local.get 0) (i32.const 99)) (i32.const 1)) (return (i32.const 0)))"
    "     (return (i32.div_s (local.get 0) (i32.sub (local.get 0) (i32.const 3)))))"
    "     (return (i32.div_s (i32.const 9) (i32.sub (local.get 0) (i32.const 4)))))"
    "     (return (i32.rem_u (local.get 0) (i32.sub (local.get 0) (i32.const 5)))))"
    "     unreachable)"
    "     unreachable)"
    "     (return (i32.trunc_f64_s (f64.mul (f64.convert_i32_s (local.get 0)) (f64.const 1e20)))))"
    "     (call_indirect (type $v) (local.get 0)) (return (i32.const 0)))"
    "     (call_indirect (type $v) (i32.sub (local.get 0) (i32.const 7))) (return (i32.const 0)))"
    "     (call_indirect (type $v) (i32.sub (local.get 0) (i32.const 9))) (return (i32.const 0)))"
    "   (memory.fill (i32.const 65530) (i32.const 7) (local.get 0)) (i32.const 0))"
    " (func $good) (func $other (param i32))"
    " (func $caller (export \"caller\") (param i32) (result i32)" // function 3
    "   (i32.add (call $leaf (local.get 0)) (call $leaf (i32.add (local.get 0) (i32.const 1)))))"
    " (func (export \"table\") (param i32) (table.set $t (i32.const 3) (ref.null func)))"
    " (func $deep (export \"deep\") (param i32) (result i32) (i32.add (call $deep (local.get 0)) (i32.const 1))))";

static const struct { wx_op op; unsigned n; wasmx_status kind; } cases[] = {
    {WX_OP_I32_LOAD, 0, WASMX_TRAP_MEMORY_OUT_OF_BOUNDS},
    {WX_OP_I32_LOAD, 1, WASMX_TRAP_MEMORY_OUT_OF_BOUNDS},
    {WX_OP_I32_STORE, 0, WASMX_TRAP_MEMORY_OUT_OF_BOUNDS},
    {WX_OP_I32_DIV_S, 0, WASMX_TRAP_INTEGER_DIVIDE_BY_ZERO},
    {WX_OP_I32_DIV_S, 1, WASMX_TRAP_INTEGER_DIVIDE_BY_ZERO},
    {WX_OP_I32_REM_U, 0, WASMX_TRAP_INTEGER_DIVIDE_BY_ZERO},
    {WX_OP_UNREACHABLE, 0, WASMX_TRAP_UNREACHABLE},
    {WX_OP_UNREACHABLE, 1, WASMX_TRAP_UNREACHABLE},
    {WX_OP_I32_TRUNC_F64_S, 0, WASMX_TRAP_INTEGER_OVERFLOW},
    {WX_OP_CALL_INDIRECT, 0, WASMX_TRAP_UNDEFINED_ELEMENT},
    {WX_OP_CALL_INDIRECT, 1, WASMX_TRAP_UNINITIALIZED_ELEMENT},
    {WX_OP_CALL_INDIRECT, 2, WASMX_TRAP_INDIRECT_CALL_TYPE_MISMATCH},
    {WX_OP_MEMORY_FILL, 0, WASMX_TRAP_MEMORY_OUT_OF_BOUNDS},
};

static void expect_places(wasmx_compile_options options) {
    wasmx_instance *i = start_text(traps, options);
    for (int k = 0; k < (int)(sizeof cases / sizeof *cases); k++) {
        cr_expect_eq(status_of(i, "caller", k, NULL), cases[k].kind, "case %d", k);
        expect_frame(i, 0, 0, place(traps, 0, cases[k].op, cases[k].n));
        expect_frame(i, 1, 3, place(traps, 3, WX_OP_CALL, 0));
        cr_expect_eq(wasmx_last_trap(i)->frame_count, 2);
    }
    wasmx_instance_free(i);
}

Test(compile_lines, every_trap_at_every_level_has_its_place) {
    for (const char *level = "0123s"; *level; level++)
        for (int mode = 0; mode < 4; mode++)
            expect_places((wasmx_compile_options){.opt_level = *level, .debug = true,
                .bounds = mode & 1 ? WASMX_BOUNDS_EXPLICIT : WASMX_BOUNDS_GUARD,
                .traps = mode & 2 ? WASMX_TRAPS_PRECISE : WASMX_TRAPS_DEFAULT});
}

Test(compile_lines, the_second_of_two_calls) {
    static const char text[] =
        "(module (func $leaf (param i32) (result i32) (i32.div_u (i32.const 1) (local.get 0)))"
        " (func (export \"f\") (param i32) (result i32)"
        "   (i32.add (call $leaf (i32.add (local.get 0) (i32.const 1))) (call $leaf (local.get 0)))))";
    for (const char *level = "02"; *level; level++) {
        wasmx_instance *i = start_text(text, (wasmx_compile_options){.opt_level = *level, .debug = true});
        cr_expect_eq(status_of(i, "f", 0, NULL), WASMX_TRAP_INTEGER_DIVIDE_BY_ZERO);
        expect_frame(i, 0, 0, place(text, 0, WX_OP_I32_DIV_U, 0));
        expect_frame(i, 1, 1, place(text, 1, WX_OP_CALL, 1));
        wasmx_instance_free(i);
    }
}

// Four functions become one, and remain four frames.
Test(compile_lines, what_was_inlined) {
    static const char text[] =
        "(module (func $a (param i32) (result i32) (i32.div_s (i32.const 7) (local.get 0)))"
        " (func $b (param i32) (result i32) (i32.add (call $a (local.get 0)) (i32.const 1)))"
        " (func $c (param i32) (result i32) (i32.mul (call $b (local.get 0)) (call $b (i32.const 1))))"
        " (func (export \"f\") (param i32) (result i32) (call $c (local.get 0))))";
    wasmx_instance *i = start_text(text, (wasmx_compile_options){.opt_level = '2', .debug = true});
    cr_expect_eq(status_of(i, "f", 0, NULL), WASMX_TRAP_INTEGER_DIVIDE_BY_ZERO);
    expect_frame(i, 0, 0, place(text, 0, WX_OP_I32_DIV_S, 0));
    for (uint32_t k = 1; k < 4; k++) expect_frame(i, k, k, place(text, k, WX_OP_CALL, 0));
    cr_expect_eq(wasmx_last_trap(i)->frame_count, 4);
    cr_expect_str_eq(frame(i, 1)->name, "b");
    wasmx_instance_free(i);
    i = start_text(text, (wasmx_compile_options){.opt_level = '2'}); // without, what is left
    cr_expect_eq(status_of(i, "f", 0, NULL), WASMX_TRAP_INTEGER_DIVIDE_BY_ZERO);
    cr_expect_eq(wasmx_last_trap(i)->frame_count, 1);
    expect_frame(i, 0, 3, 0);
    wasmx_instance_free(i);
}

// Tail calls have an entry with the C convention, of which the body becomes a part.
Test(compile_lines, tail_calls) {
    static const char text[] =
        "(module (func $last (param i32) (result i32) (i32.div_s (i32.const 7) (local.get 0)))"
        " (func (export \"f\") (param i32) (result i32) (return_call $last (local.get 0))))";
    for (const char *level = "02"; *level; level++) {
        wasmx_instance *i = start_text(text, (wasmx_compile_options){.opt_level = *level, .debug = true});
        cr_expect_eq(status_of(i, "f", 0, NULL), WASMX_TRAP_INTEGER_DIVIDE_BY_ZERO);
        expect_frame(i, 0, 0, place(text, 0, WX_OP_I32_DIV_S, 0));
        wasmx_instance_free(i);
    }
}

Test(compile_lines, an_exhausted_stack) {
    wasmx_instance *i = start_text(traps, (wasmx_compile_options){.debug = true});
    cr_expect_eq(status_of(i, "deep", 0, NULL), WASMX_TRAP_STACK_EXHAUSTED);
    cr_expect_eq(wasmx_last_trap(i)->frame_count, WASMX_MAX_FRAMES);
    cr_expect_eq(frame(i, 0)->func, 5); // where it begins: before its first instruction
    cr_expect(frame(i, 0)->offset && frame(i, 0)->offset < place(traps, 5, WX_OP_CALL, 0));
    expect_frame(i, 1, 5, place(traps, 5, WX_OP_CALL, 0));
    expect_frame(i, WASMX_MAX_FRAMES - 1, 5, place(traps, 5, WX_OP_CALL, 0));
    wasmx_instance_free(i);
}

Test(compile_lines, nothing_without_debug_and_nothing_on_demand) {
    wasmx_instance *i = start_text(traps, (wasmx_compile_options){.opt_level = '0'});
    cr_expect_eq(status_of(i, "caller", 3, NULL), WASMX_TRAP_INTEGER_DIVIDE_BY_ZERO);
    expect_frame(i, 0, 0, 0);
    expect_frame(i, 1, 3, 0);
    wasmx_compile_error err;
    wasmx_compile_options options = {.name = "t", .debug = true};
    wasmx_code *code = wasmx_code_compile(traps, strlen(traps), &options, &err);
    cr_assert_not_null(code, "%s", err.line);
    i = instance_of(wasmx_code_module(code), NULL);
    cr_expect_eq(status_of(i, "caller", 3, NULL), WASMX_TRAP_INTEGER_DIVIDE_BY_ZERO);
    expect_frame(i, 0, 0, 0);
    wasmx_instance_free(i);
    wasmx_code_free(code);
}

Test(compile_lines, a_trace_that_is_asked_for_twice_or_never) {
    wasmx_instance *i = start_text(traps, (wasmx_compile_options){.debug = true});
    status_of(i, "caller", 3, NULL);
    const wasmx_trap *t = wasmx_last_trap(i);
    cr_expect_eq(wasmx_last_trap(i), t);
    cr_expect_eq(t->frame_count, 2);
    status_of(i, "caller", 4, NULL);
    status_of(i, "caller", 6, NULL);
    expect_frame(i, 0, 0, place(traps, 0, WX_OP_UNREACHABLE, 0));
    cr_expect_eq(wasmx_last_trap(i)->frame_count, 2);
    wasmx_instance_free(i);
}

// ---- Several partitions

static builder many(uint32_t funcs) { // function k: 1 / (argument - k), then a great deal of nothing
    builder b = build();
    SECTION(&b, TYPE, "\x01\x60\x01\x7f\x01\x7f");
    begin(&b, FUNC);
    wx_buf_uleb(&b.section, funcs);
    for (uint32_t k = 0; k < funcs; k++) wx_buf_byte(&b.section, 0);
    end(&b);
    SECTION(&b, MEMORY, "\x01\x00\x01");
    begin(&b, EXPORT);
    wx_buf_uleb(&b.section, funcs);
    for (uint32_t k = 0; k < funcs; k++) {
        char name[16];
        wx_buf_byte(&b.section, (uint8_t)snprintf(name, sizeof name, "f%u", k));
        wx_buf_str(&b.section, name);
        wx_buf_byte(&b.section, 0);
        wx_buf_uleb(&b.section, k);
    }
    end(&b);
    begin(&b, CODE);
    wx_buf_uleb(&b.section, funcs);
    for (uint32_t k = 0; k < funcs; k++) {
        wx_buf body = {0};
        wx_buf_byte(&body, 0);
        for (int n = 0; n < 40; n++) wx_buf_add(&body, "\x41\x08\x20\x00\x36\x02\x04", 7);
        wx_buf_add(&body, "\x41\x01\x20\x00\x41", 5);
        wx_buf_sleb(&body, (int32_t)k);
        wx_buf_add(&body, "\x6b\x6d\x0b", 3);
        put_body(&b, &body);
        wx_buf_free(&body);
    }
    end(&b);
    return b;
}

Test(compile_lines, partitions_and_threads) {
    enum { FUNCS = 1500 };
#if defined(__SANITIZE_ADDRESS__)
    cr_skip_test("takes minutes with AddressSanitizer");
#endif
    builder b = many(FUNCS);
    wasmx_output one = compiled(b.module.data, b.module.len,
                                (wasmx_compile_options){.name = "t", .threads = 1, .debug = true});
    wasmx_output two = compiled(b.module.data, b.module.len,
                                (wasmx_compile_options){.name = "t", .threads = 3, .debug = true});
    cr_expect(one.object.size == two.object.size && !memcmp(one.object.data, two.object.data, one.object.size));
    wasmx_instance *i = instance_of(wasmx_code_module(loaded(&two, "t")), NULL);
    for (uint32_t k = 0; k < FUNCS; k += 7) {
        char name[16];
        snprintf(name, sizeof name, "f%u", k);
        cr_assert_eq(status_of(i, name, (int32_t)k, NULL), WASMX_TRAP_INTEGER_DIVIDE_BY_ZERO);
        expect_frame(i, 0, k, place_in(b.module.data, b.module.len, k, WX_OP_I32_DIV_S, 0));
    }
    wasmx_instance_free(i);
    wasmx_output_free(&one);
    wasmx_output_free(&two);
    discard(&b);
}

// ---- Source lines, from debug information put together here: version 4, one unit, one sequence

#define ADD(buf, literal) wx_buf_add((buf), (literal), sizeof(literal) - 1)

typedef struct debug { wx_buf line, info, abbrev; } debug;

static void put_custom(builder *b, const char *name, const wx_buf *content) {
    begin(b, CUSTOM);
    wx_buf_byte(&b->section, (uint8_t)strlen(name));
    wx_buf_str(&b->section, name);
    if (content->len) wx_buf_add(&b->section, content->data, content->len);
    end(b);
}

static void put_length(wx_buf *b) { // over the first four bytes
    uint32_t size = (uint32_t)b->len - 4;
    memcpy(b->data, &size, 4);
}

// Line 10 from `low`, line 20 from `low` + 2 on, up to `high`; a.c is file 1.
static debug make_debug(uint32_t low, uint32_t high, uint8_t file) {
    debug d = {{0}, {0}, {0}};
    ADD(&d.abbrev, "\x01\x11\x00\x10\x17\x1b\x08\x00\x00\x00"); // a unit: where its lines are, its folder
    ADD(&d.info, "\0\0\0\0\x04\0\0\0\0\0\x04\x01\0\0\0\0/src\0");
    put_length(&d.info);
    ADD(&d.line, "\0\0\0\0\x04\0");
    static const char prologue[] = "\x01\x01\x01\xfb\x0e\x0d\0\1\1\1\1\0\0\0\1\0\0\1\0a.c\0\0\0\0\0";
    wx_buf_u32le(&d.line, sizeof prologue - 1);
    ADD(&d.line, "\x01\x01\x01\xfb\x0e\x0d\0\1\1\1\1\0\0\0\1\0\0\1\0a.c\0\0\0\0\0");
    ADD(&d.line, "\0\x05\x02"); // address
    wx_buf_u32le(&d.line, low);
    wx_buf_byte(&d.line, 4), wx_buf_byte(&d.line, file);
    ADD(&d.line, "\x03\x09\x01\x03\x0a\x02\x02\x01\x02"); // line 10, a row; line 20, 2 further, a row; to the end
    wx_buf_uleb(&d.line, high - low - 2);
    ADD(&d.line, "\0\x01\x01");
    put_length(&d.line);
    return d;
}

static void put_debug(builder *b, debug *d) {
    put_custom(b, ".debug_abbrev", &d->abbrev);
    put_custom(b, ".debug_info", &d->info);
    put_custom(b, ".debug_line", &d->line);
    wx_buf_free(&d->line), wx_buf_free(&d->info), wx_buf_free(&d->abbrev);
}

// f: one function whose body is `unreachable` at its third byte. Its code section's content is 5 bytes long before that:
// count, size, locals, nop, unreachable, end.
static builder one_function(void) {
    builder b = build();
    SECTION(&b, TYPE, "\x01\x60\x00\x00");
    SECTION(&b, FUNC, "\x01\x00");
    SECTION(&b, EXPORT, "\x01\x01" "f\x00\x00");
    SECTION(&b, CODE, "\x01\x05\x00\x01\x01\x00\x0b");
    return b;
}

static wasmx_instance *run_f(builder *b, char note[320]) {
    wasmx_output out = compiled(b->module.data, b->module.len, (wasmx_compile_options){.name = "t", .debug = true});
    wasmx_instance *i = instance_of(wasmx_code_module(loaded(&out, "t")), NULL);
    if (note) memcpy(note, out.note, sizeof out.note);
    wasmx_output_free(&out);
    cr_assert_eq(wasmx_call(export_of(i, "f"), NULL, NULL), WASMX_TRAP_UNREACHABLE);
    cr_assert_eq(frame(i, 0)->offset, place_in(b->module.data, b->module.len, 0, WX_OP_UNREACHABLE, 0));
    return i;
}

Test(compile_lines, source_lines_of_the_module) {
    for (uint32_t low = 1; low <= 4; low++) {
        builder b = one_function();
        char note[320];
        debug d = make_debug(low, 7, 1);
        put_debug(&b, &d);
        wasmx_instance *i = run_f(&b, note); // the instruction is at 5
        cr_expect_str_eq(note, "");
        cr_assert_not_null(frame(i, 0)->file, "from %u", low);
        cr_expect_str_eq(frame(i, 0)->file, "a.c");
        cr_expect_eq(frame(i, 0)->line, low + 2 <= 5 ? 20 : 10);
        wasmx_instance_free(i);
        discard(&b);
    }
}

// Code that the linker has left out, code that is not there, files that are not there: no line is better than a wrong one.
Test(compile_lines, lines_of_other_code) {
    static const struct { uint32_t low, high; uint8_t file; } all[] = {
        {0, 7, 1}, {0xfffffff0, 0xffffffff, 1}, {1, 4000, 1}, {100, 110, 1}, {1, 7, 2}, {1, 7, 0},
    };
    for (unsigned k = 0; k < sizeof all / sizeof *all; k++) {
        builder b = one_function();
        debug d = make_debug(all[k].low, all[k].high, all[k].file);
        put_debug(&b, &d);
        wasmx_instance *i = run_f(&b, NULL);
        cr_expect(!frame(i, 0)->file && !frame(i, 0)->line, "case %u: %s", k, frame(i, 0)->file);
        wasmx_instance_free(i);
        discard(&b);
    }
}

// Every byte of the debug information replaced: the module compiles and says where it trapped, whatever it says of lines.
Test(compile_lines, debug_information_that_is_broken) {
    builder b = one_function();
    size_t from = b.module.len;
    debug d = make_debug(1, 7, 1);
    put_debug(&b, &d);
    uint64_t seed = 7;
    for (size_t at = from; at < b.module.len; at++) {
        wx_module m;
        wx_error e;
        uint8_t before = b.module.data[at];
        b.module.data[at] = at % 3 ? (uint8_t)next_random(&seed) : 0xff;
        bool is_module = accept(&m, b.module.data, b.module.len, 1, &e); // else it hit a section's size
        wx_module_free(&m);
        if (is_module) wasmx_instance_free(run_f(&b, NULL));
        b.module.data[at] = before;
    }
    discard(&b);
}

Test(compile_lines, too_much_debug_information_is_said) {
    builder b = one_function();
    debug d = make_debug(1, 7, 1);
    wx_buf units = {0}; // each reads the same table again
    for (int k = 0; k < 2000; k++) wx_buf_add(&units, d.info.data, d.info.len);
    for (int k = 0; k < 400000; k++) ADD(&d.line, "\x01");
    put_length(&d.line);
    // Rows without end, before the end of the sequence that makes them count.
    size_t end = d.line.len - 400000 - 3;
    memset(d.line.data + end, 1, 400003);
    ADD(&d.line, "\0\x01\x01");
    put_length(&d.line);
    wx_buf_free(&d.info);
    d.info = units;
    put_debug(&b, &d);
    char note[320];
    wasmx_instance *i = run_f(&b, note);
    cr_expect(starts_with(note, "no source lines: "), "%s", note);
    cr_expect_null(frame(i, 0)->file);
    wasmx_instance_free(i);
    discard(&b);
}

// ---- As text

Test(compile_lines, frames_as_text) {
    char out[64];
    wasmx_frame f = {.func = 7, .name = "main", .offset = 0x1a2b, .file = "app.c", .line = 34};
    cr_expect_eq(wasmx_frame_text(&f, out, sizeof out), strlen("main (func 7:0x1a2b), app.c:34"));
    cr_expect_str_eq(out, "main (func 7:0x1a2b), app.c:34");
    f.file = NULL;
    wasmx_frame_text(&f, out, sizeof out);
    cr_expect_str_eq(out, "main (func 7:0x1a2b)");
    f.offset = 0;
    wasmx_frame_text(&f, out, sizeof out);
    cr_expect_str_eq(out, "main (func 7)");
    f.name = NULL;
    wasmx_frame_text(&f, out, sizeof out);
    cr_expect_str_eq(out, "func 7");
    f.offset = 1;
    cr_expect_eq(wasmx_frame_text(&f, out, 5), 10); // too small: cut, and the length it would have
    cr_expect_str_eq(out, "func");
    cr_expect_eq(wasmx_frame_text(&f, NULL, 0), 10);
}
