// tests/unit/test_compile_extremes.c: the sizes that real modules reach, through the whole compiler, and what they cost.
// Those that last longer than a few seconds want WASMX_TEST_ALL=1 and are counted as skipped without.
#include <stdlib.h>
#include <sys/resource.h>

#include "tests/unit/compile_code.h"

#define ADD(buf, literal) wx_buf_add((buf), (literal), sizeof(literal) - 1)
#define SLOW() \
    if (!getenv("WASMX_TEST_ALL") || !*getenv("WASMX_TEST_ALL")) cr_skip_test("slow: WASMX_TEST_ALL=1")

// ---- Modules of one function, exported as f: type 0 [] -> [], type 1 [i32] -> [i32]

static builder one_function(const wx_buf *body, uint8_t type) {
    builder b = build();
    SECTION(&b, TYPE, "\x02\x60\x00\x00\x60\x01\x7f\x01\x7f");
    begin(&b, FUNC);
    wx_buf_byte(&b.section, 1);
    wx_buf_byte(&b.section, type);
    end(&b);
    SECTION(&b, MEMORY, "\x01\x00\x01");
    SECTION(&b, EXPORT, "\x01\x01" "f\x00\x00");
    begin(&b, CODE);
    wx_buf_byte(&b.section, 1);
    put_body(&b, body);
    end(&b);
    return b;
}

static double compile_for(const builder *b, char level, wasmx_output *out) {
    double before = seconds_now();
    *out = compiled(b->module.data, b->module.len, (wasmx_compile_options){.name = "t", .opt_level = level});
    double seconds = seconds_now() - before;
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    fprintf(stderr, "%zu bytes of Wasm at -O%c: %.2f s, object of %zu bytes, %ld MB at most\n", b->module.len, level,
            seconds, out->object.size, use.ru_maxrss >> 10);
    return seconds;
}

static wasmx_instance *run_of(const builder *b, char level) {
    wasmx_output out;
    compile_for(b, level, &out);
    wasmx_instance *i = instance_of(wasmx_code_module(loaded(&out, "t")), NULL);
    wasmx_output_free(&out);
    return i;
}

// What one more doubling costs beyond twice the time, measured over a factor of four.
static void expect_linear(builder (*make)(uint32_t n), uint32_t n, char level) {
    wasmx_output out;
    builder small = make(n), large = make(4 * n);
    double one = compile_for(&small, level, &out);
    wasmx_output_free(&out);
    double four = compile_for(&large, level, &out);
    wasmx_output_free(&out);
    cr_expect_lt(four, 8 * one + 0.5, "four times the size: %.2f s after %.2f s at -O%c", four, one, level);
    discard(&small);
    discard(&large);
}

// Five instructions a round: locals, constants, arithmetic.
static builder straight(uint32_t instructions) {
    wx_buf body = {0};
    ADD(&body, "\x01\x01\x7e");
    for (uint32_t i = 0; i < instructions / 5; i++) ADD(&body, "\x20\x00\x42\xf9\xac\xd1\x11\x7c\x22\x00\x1a");
    ADD(&body, "\x0b");
    builder b = one_function(&body, 0);
    wx_buf_free(&body);
    return b;
}

// Loads, stores and branches: each round reads memory, adds, stores under an if.
static builder branchy(uint32_t instructions) {
    wx_buf body = {0};
    ADD(&body, "\x01\x02\x7f");
    for (uint32_t i = 0; i < instructions / 14; i++) {
        ADD(&body, "\x20\x01\x20\x00\x28\x02");
        wx_buf_uleb(&body, 4 * (i % 16000));
        ADD(&body, "\x6a\x22\x01\x41\x01\x71\x04\x40\x20\x00\x20\x01\x36\x02");
        wx_buf_uleb(&body, 4 * (i % 16000));
        ADD(&body, "\x0b\x20\x01\x41\x07\x6a\x21\x01");
    }
    ADD(&body, "\x20\x01\x0b");
    builder b = one_function(&body, 1);
    wx_buf_free(&body);
    return b;
}

Test(compile_extremes, one_function_of_383500_instructions_at_O0) {
    builder b = straight(383500);
    run_of(&b, '0');
    discard(&b);
    b = branchy(383500);
    cr_expect_gt(b.module.len, 700000);
    wasmx_instance *i = run_of(&b, '0');
    cr_expect_eq(status_of(i, "f", 0, NULL), WASMX_OK);
    cr_expect_eq(status_of(i, "f", 65000, NULL), WASMX_TRAP_MEMORY_OUT_OF_BOUNDS);
    discard(&b);
}

Test(compile_extremes, one_function_of_383500_instructions_at_O1) {
    SLOW();
    builder b = straight(383500);
    run_of(&b, '1');
    discard(&b);
    b = branchy(383500);
    run_of(&b, '1');
    discard(&b);
}

Test(compile_extremes, large_functions_take_linear_time) {
    expect_linear(straight, 40000, '0');
    expect_linear(branchy, 30000, '0');
    expect_linear(straight, 40000, '1');
    expect_linear(branchy, 10000, '1');
}

// Sums of sums of one load: the ways from it to a store are more than can be walked.
static builder lattice(uint32_t layers) {
    enum { WIDTH = 6 };
    wx_buf body = {0};
    ADD(&body, "\x01\x0c\x7f\x20\x00\x28\x02\x00\x21\x01"); // two layers of six locals
    for (uint32_t k = 2; k <= WIDTH; k++) {
        ADD(&body, "\x20\x01\x41");
        wx_buf_sleb(&body, (int32_t)k);
        ADD(&body, "\x6c\x21");
        wx_buf_uleb(&body, k);
    }
    for (uint32_t l = 0; l < layers; l++)
        for (uint32_t to = 0; to < WIDTH; to++) {
            uint32_t old = l % 2 ? 7 : 1, fresh = l % 2 ? 1 : 7;
            for (uint32_t from = 0; from < WIDTH; from++) {
                ADD(&body, "\x20");
                wx_buf_uleb(&body, old + from);
                ADD(&body, "\x41");
                wx_buf_sleb(&body, (int32_t)(3 + from + to + l));
                ADD(&body, "\x6c");
                if (from) ADD(&body, "\x73");
            }
            ADD(&body, "\x21");
            wx_buf_uleb(&body, fresh + to);
        }
    ADD(&body, "\x20\x01\x0b");
    builder b = one_function(&body, 1);
    wx_buf_free(&body);
    return b;
}

Test(compile_extremes, values_with_many_uses_of_uses) {
    builder b = lattice(24);
    wasmx_instance *i = run_of(&b, '1');
    cr_expect_eq(status_of(i, "f", -1, NULL), WASMX_TRAP_MEMORY_OUT_OF_BOUNDS);
    discard(&b);
}

// ---- Nesting

// Blocks, loops and ifs in each other; the innermost leaves the middle one.
static builder nest(uint32_t depth) {
    wx_buf body = {0};
    ADD(&body, "\x00");
    for (uint32_t i = 0; i < depth; i++) {
        if (i % 3 == 1) ADD(&body, "\x20\x00");
        wx_buf_add(&body, i % 3 == 0 ? "\x02\x40" : i % 3 == 1 ? "\x04\x40" : "\x03\x40", 2);
    }
    ADD(&body, "\x20\x00\x41\x01\x6a\x21\x00\x0c");
    wx_buf_uleb(&body, depth / 2 / 3 * 3 + (depth - 1) % 3); // to a block: never back into a loop
    for (uint32_t i = 0; i < depth; i++) ADD(&body, "\x0b");
    ADD(&body, "\x20\x00\x0b");
    builder b = one_function(&body, 1);
    wx_buf_free(&body);
    return b;
}

Test(compile_extremes, nesting) {
    builder b = nest(4100);
    for (const char *level = "012"; *level; level++) {
        wasmx_instance *i = run_of(&b, *level);
        cr_expect_eq(result_of(i, "f", 1), 2);
        cr_expect_eq(result_of(i, "f", 0), 0);
    }
    discard(&b);
    b = nest(100000); // beyond what any compiler has made
    run_of(&b, '0');
    discard(&b);
}

Test(compile_extremes, br_table_of_5490_targets) {
    const uint32_t n = 5490;
    wx_buf body = {0};
    ADD(&body, "\x01\x01\x7f");
    ADD(&body, "\x20\x00\x21\x01");
    for (uint32_t i = 0; i <= n; i++) ADD(&body, "\x02\x40");
    ADD(&body, "\x20\x00\x0e");
    wx_buf_uleb(&body, n);
    for (uint32_t i = 0; i <= n; i++) wx_buf_uleb(&body, i);
    for (uint32_t i = 0; i <= n; i++) { // each case adds its number and is done
        ADD(&body, "\x0b\x20\x01\x41");
        wx_buf_sleb(&body, (int32_t)(3 * i));
        ADD(&body, "\x6a\x0f");
    }
    ADD(&body, "\x20\x01\x0b");
    builder b = one_function(&body, 1);
    for (const char *level = "012"; *level; level++) {
        wasmx_instance *i = run_of(&b, *level);
        cr_expect_eq(result_of(i, "f", 0), 0);
        cr_expect_eq(result_of(i, "f", 5489), 4 * 5489);
        cr_expect_eq(result_of(i, "f", 5490), 4 * 5490);
        cr_expect_eq(result_of(i, "f", -1), 3 * 5490 - 1);
    }
    wx_buf_free(&body);
    discard(&b);
}

// ---- Locals and parameters

// A loop in which every local takes part: local k of 2441 becomes local k - 1 plus one, 2441 times, hence 91 + 2441.
Test(compile_extremes, locals) {
    const uint32_t n = 2441;
    wx_buf body = {0};
    ADD(&body, "\x01");
    wx_buf_uleb(&body, n);
    ADD(&body, "\x7f\x03\x40");
    for (uint32_t i = n; i > 0; i--) {
        ADD(&body, "\x20");
        wx_buf_uleb(&body, i - 1);
        ADD(&body, "\x41\x01\x6a\x21");
        wx_buf_uleb(&body, i);
    }
    ADD(&body, "\x20\x00\x41\x01\x6b\x22\x00\x0d\x00\x0b\x20");
    wx_buf_uleb(&body, 3);
    ADD(&body, "\x0b");
    builder b = one_function(&body, 1);
    for (const char *level = "01"; *level; level++) {
        wasmx_instance *i = run_of(&b, *level);
        cr_expect_eq(result_of(i, "f", 10), 6); // at the last round local 0 is 1; local 3 has it from 3 rounds ago
    }
    wx_buf_free(&body);
    discard(&b);
}

// [91 x i32, i64, f32, f64 in turn] -> [i64]: the sum, directly, through a table, and from the host.
static const char *sum_of(int params) {
    static const char *const types[] = {"i32", "i64", "f32", "f64"};
    static const char *const widen[] = {"i64.extend_i32_s", "i64.add (i64.const 0)", "i64.trunc_f32_s",
                                        "i64.trunc_f64_s"};
    static char text[60000];
    char *p = text + sprintf(text, "(module (table 1 funcref) (elem (i32.const 0) $sum) (type $t (func");
    for (int k = 0; k < params; k++) p += sprintf(p, " (param %s)", types[k % 4]);
    p += sprintf(p, " (result i64))) (func $sum (export \"sum\") (type $t) (i64.const 0)");
    for (int k = 0; k < params; k++) p += sprintf(p, " (i64.add (%s (local.get %d)))", widen[k % 4], k);
    p += sprintf(p, ") (func (export \"direct\") (result i64) (call $sum");
    for (int k = 0; k < params; k++) p += sprintf(p, " (%s.const %d)", types[k % 4], k);
    p += sprintf(p, ")) (func (export \"indirect\") (result i64) (call_indirect (type $t)");
    for (int k = 0; k < params; k++) p += sprintf(p, " (%s.const %d)", types[k % 4], k);
    sprintf(p, " (i32.const 0))))");
    return text;
}

Test(compile_extremes, parameters) {
    for (const char *level = "012"; *level; level++) {
        wasmx_instance *i = instance_of(module_of_text(sum_of(91), *level), NULL);
        wasmx_value args[91], r;
        for (int k = 0; k < 91; k++) {
            if (k % 4 == 0) args[k].i32 = k;
            else if (k % 4 == 1) args[k].i64 = k;
            else if (k % 4 == 2) args[k].f32 = (float)k;
            else args[k].f64 = k;
        }
        static const char *const ways[] = {"sum", "direct", "indirect"};
        for (int k = 0; k < 3; k++) {
            cr_assert_eq(wasmx_call(export_of(i, ways[k]), args, &r), WASMX_OK);
            cr_expect_eq(r.i64, 91 * 90 / 2, "%s at -O%c", ways[k], *level);
        }
    }
}

// ---- Many of one thing

Test(compile_extremes, data_segments) {
    const uint32_t n = 98450;
    builder b = build();
    SECTION(&b, MEMORY, "\x01\x00\x40");
    SECTION(&b, EXPORT, "\x01\x01m\x02\x00");
    begin(&b, DATA);
    wx_buf_uleb(&b.section, n);
    for (uint32_t i = 0; i < n; i++) {
        ADD(&b.section, "\x00\x41");
        wx_buf_sleb(&b.section, (int32_t)(40 * i));
        ADD(&b.section, "\x0b\x02");
        wx_buf_byte(&b.section, (uint8_t)i);
        wx_buf_byte(&b.section, 77);
    }
    end(&b);
    wasmx_instance *i = run_of(&b, '2');
    const uint8_t *data = wasmx_memory_data(wasmx_export_memory(i, "m"));
    for (uint32_t k = 0; k < n; k++) cr_assert(data[40 * k] == (uint8_t)k && data[40 * k + 1] == 77);
    discard(&b);
}

// One byte in each of many pages: no image of gigabytes, and the bytes are there all the same.
static builder far_apart(uint32_t n) {
    builder b = build();
    SECTION(&b, MEMORY, "\x01\x00\xff\xff\x03");
    SECTION(&b, EXPORT, "\x01\x01m\x02\x00");
    begin(&b, DATA);
    wx_buf_uleb(&b.section, n);
    for (uint32_t i = 0; i < n; i++) {
        ADD(&b.section, "\x00\x41");
        wx_buf_sleb(&b.section, (int32_t)(65536 * i));
        ADD(&b.section, "\x0b\x01\x07");
    }
    end(&b);
    return b;
}

Test(compile_extremes, data_far_apart) {
    const uint32_t n = 20000;
    builder b = far_apart(n);
    wasmx_output out;
    compile_for(&b, '0', &out);
    cr_expect_lt(out.object.size, 48u << 20);
    wasmx_instance *i = instance_of(wasmx_code_module(loaded(&out, "t")), NULL);
    const uint8_t *data = wasmx_memory_data(wasmx_export_memory(i, "m"));
    for (uint32_t k = 0; k < n; k++) cr_assert_eq(data[(uint64_t)65536 * k], 7);
    wasmx_output_free(&out);
    wasmx_instance_free(i);
    discard(&b);
}

Test(compile_extremes, segments_applied_at_the_start_take_linear_time) {
    expect_linear(far_apart, 10000, '0');
}

Test(compile_extremes, segments_applied_at_the_start_take_linear_time_at_O2) {
    SLOW();
    expect_linear(far_apart, 10000, '2');
}

// Function k adds its argument to a hundred globals and gives the last of them.
static void put_adder(builder *b, uint32_t first, uint32_t n) {
    wx_buf body = {0};
    ADD(&body, "\x00");
    for (uint32_t i = first; i < first + n; i++) {
        ADD(&body, "\x23");
        wx_buf_uleb(&body, i);
        ADD(&body, "\x20\x00\x6a\x24");
        wx_buf_uleb(&body, i);
    }
    ADD(&body, "\x23");
    wx_buf_uleb(&body, first + n - 1);
    ADD(&body, "\x0b");
    put_body(b, &body);
    wx_buf_free(&body);
}

Test(compile_extremes, globals) {
    enum { N = 31003, EACH = 100, FUNCS = (N + EACH - 1) / EACH };
    builder b = build();
    SECTION(&b, TYPE, "\x01\x60\x01\x7f\x01\x7f");
    begin(&b, FUNC);
    wx_buf_uleb(&b.section, FUNCS);
    for (int i = 0; i < FUNCS; i++) wx_buf_byte(&b.section, 0);
    end(&b);
    begin(&b, GLOBAL);
    wx_buf_uleb(&b.section, N);
    for (int i = 0; i < N; i++) {
        ADD(&b.section, "\x7f\x01\x41");
        wx_buf_sleb(&b.section, i);
        ADD(&b.section, "\x0b");
    }
    end(&b);
    begin(&b, EXPORT);
    wx_buf_uleb(&b.section, FUNCS);
    for (int i = 0; i < FUNCS; i++) {
        char name[8];
        int len = snprintf(name, sizeof name, "f%d", i);
        wx_buf_uleb(&b.section, (uint32_t)len);
        wx_buf_add(&b.section, name, (size_t)len);
        ADD(&b.section, "\x00");
        wx_buf_uleb(&b.section, (uint32_t)i);
    }
    end(&b);
    begin(&b, CODE);
    wx_buf_uleb(&b.section, FUNCS);
    for (uint32_t i = 0; i < FUNCS; i++) put_adder(&b, EACH * i, i + 1 < FUNCS ? EACH : N - EACH * i);
    end(&b);
    for (const char *level = "01"; *level; level++) {
        wasmx_instance *i = run_of(&b, *level);
        cr_expect_eq(result_of(i, "f310", 5), N + 4);
        cr_expect_eq(result_of(i, "f310", 5), N + 9);
        cr_expect_eq(result_of(i, "f0", 1), EACH);
    }
    discard(&b);
}

Test(compile_extremes, exports) {
    const uint32_t n = 75111;
    builder b = build();
    SECTION(&b, TYPE, "\x01\x60\x01\x7f\x01\x7f");
    SECTION(&b, FUNC, "\x01\x00");
    begin(&b, EXPORT);
    wx_buf_uleb(&b.section, n);
    for (uint32_t i = 0; i < n; i++) {
        char name[32];
        int len = snprintf(name, sizeof name, "export number %u", i * 7919u % n);
        wx_buf_uleb(&b.section, (uint32_t)len);
        wx_buf_add(&b.section, name, (size_t)len);
        ADD(&b.section, "\x00\x00");
    }
    end(&b);
    SECTION(&b, CODE, "\x01\x04\x00\x20\x00\x0b");
    wasmx_instance *i = run_of(&b, '2');
    cr_expect_eq(result_of(i, "export number 75110", 4), 4);
    cr_expect_null(wasmx_export_func(i, "export number 75111"));
    discard(&b);
}

static void many_imports(builder *b, uint32_t n) {
    begin(b, IMPORT);
    wx_buf_uleb(&b->section, n);
    for (uint32_t i = 0; i < n; i++) {
        char name[16];
        int len = snprintf(name, sizeof name, "i%u", i);
        ADD(&b->section, "\x01m");
        wx_buf_uleb(&b->section, (uint32_t)len);
        wx_buf_add(&b->section, name, (size_t)len);
        ADD(&b->section, "\x00\x00");
    }
    end(b);
}

static builder importing(uint32_t n) {
    builder b = build();
    SECTION(&b, TYPE, "\x01\x60\x00\x00");
    many_imports(&b, n);
    return b;
}

Test(compile_extremes, imports) { expect_linear(importing, 5000, '0'); }

// 617,490 functions and 704,143 elements of which a few thousand functions are reachable.
static builder many_functions(uint32_t funcs, uint32_t elems, uint32_t reachable) {
    builder b = build();
    SECTION(&b, TYPE, "\x01\x60\x01\x7f\x01\x7f");
    begin(&b, FUNC);
    wx_buf_uleb(&b.section, funcs);
    for (uint32_t i = 0; i < funcs; i++) wx_buf_byte(&b.section, 0);
    end(&b);
    begin(&b, TABLE);
    ADD(&b.section, "\x01\x70\x00");
    wx_buf_uleb(&b.section, elems);
    end(&b);
    SECTION(&b, EXPORT, "\x01\x01" "f\x00\x00");
    begin(&b, ELEM);
    ADD(&b.section, "\x01\x00\x41\x00\x0b");
    wx_buf_uleb(&b.section, elems);
    for (uint32_t i = 0; i < elems; i++) wx_buf_uleb(&b.section, i % reachable);
    end(&b);
    begin(&b, CODE);
    wx_buf_uleb(&b.section, funcs);
    ADD(&b.section, "\x09\x00\x41\x01\x20\x00\x11\x00\x00\x0b"); // f(x): element x of 1
    for (uint32_t i = 1; i < funcs; i++) {
        wx_buf body = {0};
        ADD(&body, "\x00\x20\x00\x41");
        wx_buf_sleb(&body, (int32_t)i);
        ADD(&body, "\x6a\x0b");
        put_body(&b, &body);
        wx_buf_free(&body);
    }
    end(&b);
    return b;
}

static void check_functions(uint32_t reachable) {
    builder b = many_functions(617490, 704143, reachable);
    wasmx_instance *i = run_of(&b, '0');
    cr_expect_eq(result_of(i, "f", 1234), 1235);
    cr_expect_eq(result_of(i, "f", 704142), 704142 % (int32_t)reachable + 1);
    cr_expect_eq(status_of(i, "f", 704143, NULL), WASMX_TRAP_UNDEFINED_ELEMENT);
    discard(&b);
}

Test(compile_extremes, functions_and_elements_mostly_dead) { check_functions(5000); }

Test(compile_extremes, functions_and_elements) {
    SLOW();
    check_functions(617490);
}

// ---- Claims

// Memory must stay small whatever a few bytes say; the limit of the address space makes more an abort.
Test(compile_extremes, huge_claims_are_errors_at_once) {
    static const struct { const char *bytes; size_t size; } cases[] = {
#define CASE(literal) {"\0asm\1\0\0\0" literal, sizeof("\0asm\1\0\0\0" literal) - 1}
        CASE("\1\x05\xff\xff\xff\xff\x0f"),                     // 4 Gi types
        CASE("\1\x07\1\x60\xff\xff\xff\xff\x0f"),               // 4 Gi parameters
        CASE("\3\x05\xff\xff\xff\xff\x0f"),                     // functions
        CASE("\x0a\x05\xff\xff\xff\xff\x0f"),                   // bodies
        CASE("\x0b\x05\xff\xff\xff\xff\x0f"),                   // segments
        CASE("\1\4\1\x60\0\0\3\2\1\0\x0a\x0a\1\x08\1\xff\xff\xff\xff\x0f\x7f\x0b"), // locals
        CASE("\1\4\1\x60\0\0\3\2\1\0\x0a\x0b\1\x09\0\x02\x40\x0e\xff\xff\xff\xff\x0f"), // br_table targets
        CASE("\0\xff\xff\xff\xff\x0f"),                         // a custom section of 4 GiB
        CASE("\x0a\xff\xff\xff\xff\x0f"),                       // a code section of 4 GiB
        CASE("\5\x06\1\0\xff\xff\xff\xff\x0f"),                 // a memory of 4 Gi pages
#undef CASE
    };
    double before = seconds_now();
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
        cr_expect_neq(*refused(cases[k].bytes, cases[k].size, (wasmx_compile_options){0}), 0);
    cr_expect_lt(seconds_now() - before, 2);
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    cr_expect_lt(use.ru_maxrss, 300 << 10);
}

// A table of ten million null references in 30 bytes: no object of 160 MB.
Test(compile_extremes, an_empty_table_has_no_image) {
    static const char text[] = "(module (table 10000000 funcref) (type $t (func))"
                               " (func (export \"f\") (param i32) (call_indirect (type $t) (local.get 0))))";
    wasmx_output out = compiled_text(text, (wasmx_compile_options){.name = "t"});
    cr_expect_lt(out.object.size, 100000);
    wasmx_output_free(&out);
}
