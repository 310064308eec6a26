// tests/unit/test_interp.c: every tier of wasmx_code_compile does the same, and they call one another.
#include <pthread.h>

#include "tests/unit/compile_code.h"
#include "wasm/wasm.h"

static const wasmx_tiers all_tiers[] = {WASMX_TIERS_MIXED, WASMX_TIERS_INTERPRET, WASMX_TIERS_COMPILE,
                                        WASMX_TIERS_EAGER, WASMX_TIERS_BASELINE};
#define EACH_TIER(t) for (const wasmx_tiers *t = all_tiers; t < all_tiers + 5; t++)

// Once for each test, before anything is compiled in the background: a text is parsed in a forked process, and one that
// is forked while another thread holds a lock of AddressSanitizer's allocator waits for it until its time is up.
static const wx_buf *binary_of(const char *text) {
    static const char *last;
    static wx_buf binary;
    wx_error e = {0};
    if (text != last) cr_assert(wx_text_to_binary("test", text, strlen(text), &binary, &e), "%s", e.msg);
    last = text;
    return &binary;
}

static wasmx_code *code_of(const char *text, wasmx_compile_options options) {
    wasmx_compile_error err = {""};
    options.name = "test";
    const wx_buf *binary = binary_of(text);
    wasmx_code *code = wasmx_code_compile(binary->data, binary->len, &options, &err);
    cr_assert_not_null(code, "%s", err.line);
    return code;
}

static wasmx_instance *instance_in(const char *text, wasmx_tiers tiers) {
    return instance_of(wasmx_code_module(code_of(text, (wasmx_compile_options){.tiers = tiers})), NULL);
}

// Calls it until there can be no doubt that it is compiled, where anything is.
static void warm(wasmx_instance *i, const char *name, int32_t argument) {
    for (int k = 0; k < 300; k++) status_of(i, name, argument, NULL);
    struct timespec pause = {.tv_nsec = 20000000};
    nanosleep(&pause, NULL);
    for (int k = 0; k < 10; k++) status_of(i, name, argument, NULL);
}

// ---- From a loop of an interpreted frame into compiled code

Test(interp, a_loop_goes_on_in_compiled_code_with_what_is_on_the_operand_stack) {
    // 1000 and 7 lie below the loop, 3 and f64 0.5 are its parameters
    const char *text =
        "(module (func (export \"f\") (param $n i32) (result i32) (local $x i64) (local $y f32)"
        " (local.set $x (i64.const 5)) (local.set $y (f32.const 1.5))"
        " (i32.const 1000) (i64.const 7) (i32.const 3) (f64.const 0.5)"
        " (loop $l (param i32 f64) (result i32 f64)"
        "  (f64.add (f64.const 1)) (local.set $x (i64.add (local.get $x) (i64.const 2)))"
        "  (local.set $n (i32.sub (local.get $n) (i32.const 1)))"
        "  (br_if $l (local.get $n)))"
        " (i32.trunc_f64_s) (i32.add) (local.set $n) (i32.wrap_i64) (i32.add) (i32.add (local.get $n))"
        " (i32.add (i32.wrap_i64 (local.get $x))) (i32.add (i32.trunc_f32_s (local.get $y)))))";
    for (int32_t n = 1; n <= 20000000; n = n * 7 + 1) {
        if (n > 100000 && n < 1000000) continue;
        EACH_TIER(t) cr_assert_eq(result_of(instance_in(text, *t), "f", n), 1000 + 7 + 3 + n + 5 + 2 * n + 1, "%d", n);
    }
}

Test(interp, the_right_one_of_several_loops_goes_on) {
    const char *text =
        "(module (func (export \"f\") (param $n i32) (result i32) (local $i i32) (local $j i32) (local $sum i32)"
        " (loop $once (local.set $sum (i32.add (local.get $sum) (i32.const 1))))"
        " (if (i32.const 0) (then (loop $never (br $never))))"
        " (block $out (br $out) (loop $dead (br $dead)))"
        " (loop $a (local.set $j (i32.const 3))"
        "  (loop $b (local.set $sum (i32.add (local.get $sum) (local.get $j)))"
        "   (br_if $b (local.tee $j (i32.sub (local.get $j) (i32.const 1)))))"
        "  (br_if $a (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))"
        " (loop $c (local.set $sum (i32.sub (local.get $sum) (i32.const 2)))"
        "  (br_if $c (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))"
        " (local.get $sum)))";
    EACH_TIER(t) {
        wasmx_instance *i = instance_in(text, *t);
        cr_assert_eq(result_of(i, "f", 10), 41);
        cr_assert_eq(result_of(i, "f", 3000000), 12000001);
        cr_assert_eq(result_of(i, "f", 5), 21);
    }
}

// Its value would reach the addition from an entry at the loop, which its own instruction does not.
Test(interp, a_large_function_with_operands_below_a_loop_has_no_entry_there) {
    static char text[1 << 16];
    size_t n = (size_t)sprintf(text, "(module (func (export \"f\") (param $n i32) (result i32)"
                                     " (local $i i32) (local $p i32)");
    for (int k = 0; k < 600; k++)
        n += (size_t)sprintf(text + n, " (local.set $p (i32.add (local.get $p) (i32.const 12345678)))");
    sprintf(text + n, " (i32.mul (local.get $n) (i32.const 7))"
                      " (if (result i32) (local.get $n)"
                      "  (then (loop $l (local.set $i (i32.add (local.get $i) (i32.const 1)))"
                      "    (br_if $l (i32.lt_u (local.get $i) (local.get $n)))) (local.get $i))"
                      "  (else (i32.const 5)))"
                      " (i32.add)))");
    EACH_TIER(t) {
        wasmx_instance *i = instance_in(text, *t);
        cr_assert_eq(result_of(i, "f", 3000000), 24000000);
        cr_assert_eq(result_of(i, "f", 10), 80);
        cr_assert_eq(result_of(i, "f", 0), 5);
    }
}

// ---- Traps

#define STAIRS \
    "(module (memory 1)" \
    " (func $bottom (param i32) (result i32) (i32.div_u (i32.const 6) (local.get 0)))" \
    " (func $middle (export \"middle\") (param i32) (result i32) (i32.add (call $bottom (local.get 0)) (i32.const 0)))" \
    " (func $top (export \"top\") (param i32) (result i32) (i32.add (call $middle (local.get 0)) (i32.const 0))))"

static void check_stairs(wasmx_instance *i, const char *from, uint32_t frames) {
    static const char *const names[] = {"bottom", "middle", "top"};
    cr_assert_eq(status_of(i, from, 0, NULL), WASMX_TRAP_INTEGER_DIVIDE_BY_ZERO);
    const wasmx_trap *t = wasmx_last_trap(i);
    cr_assert_eq(t->frame_count, frames, "%u frames", t->frame_count);
    for (uint32_t k = 0; k < frames; k++) cr_assert_str_eq(t->frames[k].name, names[k]);
}

Test(interp, backtraces_pass_through_both_tiers) {
    EACH_TIER(t) {
        wasmx_instance *i = instance_in(STAIRS, *t);
        check_stairs(i, "top", 3); // all interpreted, or all compiled
        warm(i, "middle", 1);
        check_stairs(i, "middle", 2);
        check_stairs(i, "top", 3); // interpreted, with compiled ones below
        warm(i, "top", 1);
        check_stairs(i, "top", 3);
    }
}

Test(interp, an_interpreted_function_below_compiled_ones_traps) {
    const char *text =
        "(module (func $rare (param i32) (result i32) (unreachable))"
        " (func $often (export \"often\") (param i32) (result i32)"
        "  (if (result i32) (local.get 0) (then (call $rare (local.get 0))) (else (i32.const 4)))))";
    EACH_TIER(t) {
        wasmx_instance *i = instance_in(text, *t);
        warm(i, "often", 0);
        cr_assert_eq(status_of(i, "often", 1, NULL), WASMX_TRAP_UNREACHABLE);
        const wasmx_trap *trap = wasmx_last_trap(i);
        cr_assert_eq(trap->frame_count, 2);
        cr_assert_str_eq(trap->frames[0].name, "rare");
        cr_assert_str_eq(trap->frames[1].name, "often");
        cr_assert_eq(result_of(i, "often", 0), 4);
    }
}

Test(interp, runaway_recursion_exhausts_the_stack_again_and_again) {
    const char *text = "(module (func $f (export \"f\") (param i32) (result i32) (local i64 i64 i64)"
                       " (i32.add (i32.const 1) (call $g (local.get 0))))"
                       " (func $g (param i32) (result i32) (i32.add (i32.const 1) (call $f (local.get 0))))"
                       " (func (export \"one\") (param i32) (result i32) (local.get 0)))";
    EACH_TIER(t) {
        wasmx_instance *i = instance_in(text, *t);
        for (int k = 0; k < 5; k++) {
            cr_assert_eq(status_of(i, "f", 0, NULL), WASMX_TRAP_STACK_EXHAUSTED);
            cr_assert_eq(result_of(i, "one", k), k);
        }
    }
}

// ---- Control

Test(interp, br_table_carries_values_to_different_heights) {
    const char *text =
        "(module (func (export \"f\") (param $n i32) (result i32)"
        " (i32.const 100)"
        " (block $c (result i32) (i32.const 10)"
        "  (block $b (result i32) (i32.const 20)"
        "   (block $a (result i32) (br_table $a $b $c $b (i32.const 1) (local.get $n)))"
        "   (i32.add (i32.const 2)) (i32.add))" // from a: 1 + 2 + 20
        "  (i32.add))"                          // from b: + 10
        " (i32.add)))";                         // from c: + 100
    EACH_TIER(t) {
        wasmx_instance *i = instance_in(text, *t);
        for (int k = 0; k < 40; k++) {
            cr_assert_eq(result_of(i, "f", 0), 133);
            cr_assert_eq(result_of(i, "f", 1), 111);
            cr_assert_eq(result_of(i, "f", 2), 101);
            cr_assert_eq(result_of(i, "f", 3), 111);
            cr_assert_eq(result_of(i, "f", -1), 111);
        }
    }
}

Test(interp, locals_read_before_they_are_written_keep_what_was_read) {
    const char *text =
        "(module (func (export \"f\") (param $n i32) (result i32) (local $m i32)"
        " (local.get $n) (local.get $n) (local.set $n (i32.const 5)) (local.get $n)" // n n 5
        " (i32.mul) (i32.add)"                                                       // 6n
        " (local.get $m) (block (local.set $m (i32.const 9))) (i32.add)"             // + 0
        " (local.tee $m (i32.const 2)) (local.set $m (i32.const 3)) (i32.mul)"       // * 2
        " (local.get $m) (if (result i32) (local.tee $m (i32.const 1)) (then (i32.const 4)) (else (i32.const 5)))"
        " (i32.mul) (i32.add)))"; // + 3 * 4
    EACH_TIER(t) cr_assert_eq(result_of(instance_in(text, *t), "f", 7), 96);
}

Test(interp, a_callee_grows_the_memory_of_its_callers) {
    const char *text =
        "(module (memory 1 100) (func $grow (param i32) (drop (memory.grow (local.get 0))))"
        " (func (export \"f\") (param $n i32) (result i32) (local $k i32)"
        "  (i32.store (i32.const 65532) (i32.const 1))"
        "  (loop $l (call $grow (i32.const 1))"
        "   (i32.store (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 4)) (local.get $k))"
        "   (br_if $l (i32.lt_u (local.tee $k (i32.add (local.get $k) (i32.const 1))) (local.get $n))))"
        "  (i32.load (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 4))))"
        " (func (export \"past\") (param $n i32) (result i32)"
        "  (i32.load (i32.sub (i32.mul (memory.size) (i32.const 65536)) (local.get $n)))))";
    EACH_TIER(t) {
        wasmx_instance *i = instance_in(text, *t);
        cr_assert_eq(result_of(i, "f", 50), 49);
        cr_assert_eq(result_of(i, "past", 4), 49);
        cr_assert_eq(status_of(i, "past", 3, NULL), WASMX_TRAP_MEMORY_OUT_OF_BOUNDS);
    }
}

// ---- Calls

Test(interp, tail_calls_and_plain_ones_call_each_other) {
    const char *text =
        "(module (type $t (func (param i32 i32) (result i32))) (table funcref (elem $loop $plain))"
        " (func $loop (type $t) (if (result i32) (local.get 0)"
        "   (then (return_call_indirect (type $t) (i32.sub (local.get 0) (i32.const 1)) (local.get 1) (i32.const 0)))"
        "   (else (return_call $plain (local.get 1) (i32.const 2)))))"
        " (func $plain (type $t) (i32.mul (local.get 0) (local.get 1)))"
        " (func $caller (type $t) (i32.add (call $loop (local.get 0) (local.get 1)) (i32.const 1)))"
        " (func (export \"f\") (param i32) (result i32) (call $caller (local.get 0) (i32.const 20))))";
    EACH_TIER(t) {
        wasmx_instance *i = instance_in(text, *t);
        cr_assert_eq(result_of(i, "f", 1000000), 41);
        for (int k = 0; k < 50; k++) cr_assert_eq(result_of(i, "f", k), 41);
    }
}

static wasmx_status swap(void *env, wasmx_instance *instance, const wasmx_value *args, wasmx_value *results) {
    (void)env, (void)instance;
    results[0].f64 = args[1].f64;
    results[1].i32 = args[0].i32;
    results[2].i64 = args[2].i64;
    return WASMX_OK;
}

Test(interp, many_values_of_every_type_go_both_ways) {
    const char *text =
        "(module (import \"host\" \"swap\" (func $swap (param i32 f64 i64) (result f64 i32 i64)))"
        " (func $two (param i32 f32) (result f32 i32) (local.get 1) (local.get 0))"
        " (func $same (param f64 f64) (result f64 f64) (local.get 1) (local.get 0))"
        " (func $many (param i32 i64 f32 f64 i32 i64 f32 f64 i32 i64 f32 f64 i32 i64 f32 f64 f64 f64 f64 f64 i32)"
        "  (result i32 i64 f32 f64)"
        "  (i32.add (local.get 0) (i32.add (local.get 20) (local.get 12)))"
        "  (i64.add (local.get 1) (i64.add (local.get 9) (local.get 13)))"
        "  (f32.add (local.get 2) (f32.add (local.get 10) (local.get 14)))"
        "  (f64.add (local.get 3) (f64.add (local.get 16) (local.get 19))))"
        " (func (export \"f\") (param $n i32) (result i32) (local $x i64) (local $y f32) (local $z f64)"
        "  (call $many (i32.const 1) (i64.const 2) (f32.const 4) (f64.const 8) (i32.const 0) (i64.const 0)"
        "   (f32.const 0) (f64.const 0) (i32.const 0) (i64.const 16) (f32.const 32) (f64.const 0) (i32.const 64)"
        "   (i64.const 128) (f32.const 256) (f64.const 0) (f64.const 512) (f64.const 0) (f64.const 0)"
        "   (f64.const 1024) (local.get $n))"
        "  (local.set $z) (local.set $y) (local.set $x) (local.set $n)"
        "  (call $two (local.get $n) (local.get $y)) (local.set $n) (local.set $y)"
        "  (call $same (local.get $z) (f64.const 0)) (local.set $z) (drop)"
        "  (call $swap (local.get $n) (local.get $z) (local.get $x))"
        "  (local.set $x) (local.set $n) (local.set $z)"
        "  (i32.add (i32.add (local.get $n) (i32.wrap_i64 (local.get $x)))"
        "   (i32.add (i32.trunc_f32_s (local.get $y)) (i32.trunc_f64_s (local.get $z))))))";
    EACH_TIER(t) {
        wasmx_linker *linker = wasmx_linker_new();
        wasmx_linker_define_callback(linker, "host", "swap", "iFI:FiI", swap, NULL);
        wasmx_code *code = code_of(text, (wasmx_compile_options){.tiers = *t});
        wasmx_instance *i = instance_of(wasmx_code_module(code), &(wasmx_options){.linker = linker});
        for (int k = 0; k < 60; k++) cr_assert_eq(result_of(i, "f", 4096), 2047 + 4096);
    }
}

// ---- Between host and guest: every type, in registers and on the stack, by value and by pointer

#define MIX_TYPE "iFvIfvFFFFFvFiIiIvi:Ivf"
#define MIX_WAT \
    "(param i32 f64 v128 i64 f32 v128 f64 f64 f64 f64 f64 v128 f64 i32 i64 i32 i64 v128 i32) (result i64 v128 f32)"
enum { MIX = 19 };

static int64_t lanes(const wasmx_v128 *v) {
    int64_t words[2];
    memcpy(words, v, sizeof words);
    return words[0] + words[1];
}

static int64_t sum_of_mix(const wasmx_value *v) {
    int64_t sum = v[0].i32 + v[3].i64 + v[13].i32 + v[14].i64 + v[15].i32 + v[16].i64 + v[18].i32;
    static const int doubles[] = {1, 6, 7, 8, 9, 10, 12}, vectors[] = {2, 5, 11, 17};
    for (size_t k = 0; k < 7; k++) sum += (int64_t)v[doubles[k]].f64;
    for (size_t k = 0; k < 4; k++) sum += lanes(&v[vectors[k]].v128);
    return sum + (int64_t)v[4].f32;
}

static wasmx_status mix_callback(void *env, wasmx_instance *i, const wasmx_value *args, wasmx_value *results) {
    (void)env, (void)i;
    const wasmx_value all[] = {{.i64 = sum_of_mix(args)}, args[17], args[4]}; // both may be the same memory
    memcpy(results, all, sizeof all);
    return WASMX_OK;
}

static void mix_typed(wasmx_instance *i, int32_t a, double b, const wasmx_v128 *c, int64_t d, float e,
                      const wasmx_v128 *f, double g, double h, double j, double k, double l, const wasmx_v128 *m,
                      double n, int32_t o, int64_t p, int32_t q, int64_t r, const wasmx_v128 *s, int32_t t,
                      wasmx_value *results) {
    cr_assert_not_null(i);
    results[0].i64 = a + d + o + p + q + r + t + (int64_t)(b + g + h + j + k + l + n) + lanes(c) + lanes(f) + lanes(m) +
                     lanes(s) + (int64_t)e;
    results[1].v128 = *s;
    results[2].f32 = e;
}

static void fill_mix(wasmx_value *v) {
    for (int k = 0; k < MIX; k++) {
        uint64_t bit = (uint64_t)1 << k, words[2] = {bit, bit << 20};
        switch (MIX_TYPE[k]) {
        case 'F': v[k].f64 = (double)bit; break;
        case 'f': v[k].f32 = (float)bit; break;
        case 'i': v[k].i32 = (int32_t)bit; break;
        case 'v': memcpy(&v[k].v128, words, 16); break;
        default: v[k].i64 = (int64_t)bit; break;
        }
    }
}

static void check_mix(wasmx_instance *i, const char *name) {
    wasmx_value v[MIX + 1], results[3];
    fill_mix(v);
    cr_assert_eq(wasmx_call(wasmx_export_func(i, name), v, results), WASMX_OK, "%s", name);
    cr_assert_eq(results[0].i64, sum_of_mix(v), "%s", name);
    cr_assert_eq(memcmp(&results[1], &v[17], 16), 0, "%s", name);
    cr_assert_eq(results[2].f32, v[4].f32, "%s", name);
}

Test(interp, hosts_and_guests_pass_every_type_in_every_place) {
#define ALL "(local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4) (local.get 5) (local.get 6)" \
    " (local.get 7) (local.get 8) (local.get 9) (local.get 10) (local.get 11) (local.get 12) (local.get 13)" \
    " (local.get 14) (local.get 15) (local.get 16) (local.get 17) (local.get 18)"
    const char *text =
        "(module (type $mix (func " MIX_WAT "))"
        " (import \"host\" \"callback\" (func $callback (type $mix)))"
        " (import \"host\" \"typed\" (func $typed (type $mix)))"
        " (table funcref (elem $callback $typed $relayed)) (export \"host\" (func $callback))"
        " (func $relayed (type $mix) (call $typed " ALL "))"
        " (func (export \"callback\") (type $mix) (call $callback " ALL "))"
        " (func (export \"typed\") (type $mix) (call $typed " ALL "))"
        " (func (export \"table 0\") (type $mix) (call_indirect (type $mix) " ALL " (i32.const 0)))"
        " (func (export \"table 1\") (type $mix) (call_indirect (type $mix) " ALL " (i32.const 1)))"
        " (func (export \"table 2\") (type $mix) (call_indirect (type $mix) " ALL " (i32.const 2)))"
        " (func (export \"tail\") (type $mix) (return_call $callback " ALL ")))";
    static const char *const names[] = {"callback", "typed", "table 0", "table 1", "table 2", "tail", "host"};
    EACH_TIER(t) {
        wasmx_linker *linker = wasmx_linker_new();
        wasmx_linker_define_callback(linker, "host", "callback", MIX_TYPE, mix_callback, NULL);
        wasmx_linker_define_typed(linker, "host", "typed", MIX_TYPE, (void (*)(void))mix_typed);
        wasmx_code *code = code_of(text, (wasmx_compile_options){.tiers = *t});
        wasmx_instance *i = instance_of(wasmx_code_module(code), &(wasmx_options){.linker = linker});
        for (size_t k = 0; k < sizeof names / sizeof *names; k++) check_mix(i, names[k]);
    }
}

// What objects do in code made for it: values and segments that only an instance knows, then the start function.
Test(interp, instances_begin_with_what_only_they_know) {
    const char *text =
        "(module (import \"host\" \"base\" (global $base i32)) (import \"host\" \"wide\" (global $wide i64))"
        " (memory 1) (table $t 8 funcref) (elem (table $t) (i32.const 6) $two) (table $u 4 funcref)"
        " (global $sum i32 (i32.add (global.get $base) (i32.mul (i32.const 3) (i32.sub (global.get $base) (i32.const 1)))))"
        " (global $far (mut i64) (i64.sub (i64.mul (global.get $wide) (i64.const 2)) (i64.const 1)))"
        " (global $f funcref (ref.func $three)) (global $started (mut i32) (i32.const 0))"
        " (data (offset (i32.add (global.get $base) (i32.const 1))) \"\\2a\")"
        " (elem (table $u) (offset (global.get $base)) funcref (ref.func $two) (global.get $f) (ref.null func))"
        " (type $v (func (result i32)))"
        " (func $two (type $v) (i32.const 2)) (func $three (type $v) (i32.const 3))"
        " (func $start (global.set $started (i32.load8_u (i32.add (global.get $base) (i32.const 1)))))"
        " (start $start)"
        " (func (export \"f\") (param i32) (result i32)"
        "  (table.set $t (i32.const 7) (ref.null func))"
        "  (i32.add (i32.add (global.get $sum) (i32.wrap_i64 (global.get $far)))"
        "   (i32.add (global.get $started) (i32.add (call_indirect $t (type $v) (i32.const 6))"
        "    (call_indirect $u (type $v) (local.get 0)))))))";
    EACH_TIER(t) {
        wasmx_linker *linker = wasmx_linker_new();
        wasmx_global *base = wasmx_global_new(WASMX_I32, false, (wasmx_value){.i32 = 1});
        wasmx_global *wide = wasmx_global_new(WASMX_I64, false, (wasmx_value){.i64 = 50});
        wasmx_linker_define(linker, "host", "base", (wasmx_extern){.kind = WASMX_GLOBAL, .of.global = base});
        wasmx_linker_define(linker, "host", "wide", (wasmx_extern){.kind = WASMX_GLOBAL, .of.global = wide});
        wasmx_code *code = code_of(text, (wasmx_compile_options){.tiers = *t});
        wasmx_instance *i = instance_of(wasmx_code_module(code), &(wasmx_options){.linker = linker});
        cr_assert_eq(result_of(i, "f", 1), 1 + 99 + 42 + 2 + 2);
        cr_assert_eq(result_of(i, "f", 2), 1 + 99 + 42 + 2 + 3);
        cr_assert_eq(status_of(i, "f", 3, NULL), WASMX_TRAP_UNINITIALIZED_ELEMENT);
    }
}

Test(interp, references_lead_to_functions_of_either_tier) {
    const char *text =
        "(module (type $t (func (param i32) (result i32))) (table $fixed funcref (elem $a $b))"
        " (table $changing (export \"t\") 4 funcref) (elem declare func $a $b)"
        " (func $a (type $t) (i32.add (local.get 0) (i32.const 1)))"
        " (func $b (type $t) (i32.mul (local.get 0) (i32.const 3)))"
        " (func $other (param i64))"
        " (func (export \"f\") (param $n i32) (result i32)"
        "  (table.set $changing (i32.const 1) (ref.func $a)) (table.set $changing (i32.const 2) (ref.func $b))"
        "  (call_indirect $changing (type $t) (local.get $n) (i32.const 1))"
        "  (call_indirect $changing (type $t) (i32.const 2))"
        "  (call_indirect $fixed (type $t) (i32.const 0)))"
        " (func (export \"g\") (param $n i32) (result i32)"
        "  (call_indirect $changing (type $t) (i32.const 1) (local.get $n))))";
    EACH_TIER(t) {
        wasmx_instance *i = instance_in(text, *t);
        for (int k = 0; k < 60; k++) cr_assert_eq(result_of(i, "f", 4), 16);
        cr_assert_eq(result_of(i, "g", 2), 3);
        cr_assert_eq(status_of(i, "g", 0, NULL), WASMX_TRAP_UNINITIALIZED_ELEMENT);
        cr_assert_eq(status_of(i, "g", 4, NULL), WASMX_TRAP_UNDEFINED_ELEMENT);
    }
}

// ---- Threads and time

static const char *const busy =
    "(module (func $fib (export \"fib\") (param i32) (result i32)"
    " (if (result i32) (i32.lt_s (local.get 0) (i32.const 2)) (then (local.get 0))"
    "  (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1))) (call $fib (i32.sub (local.get 0) (i32.const 2))))))))";

static void *fib(void *module) {
    wasmx_instance *i = instance_of(module, NULL);
    for (int k = 0; k < 20; k++) cr_assert_eq(result_of(i, "fib", 15), 610);
    wasmx_instance_free(i);
    return NULL;
}

Test(interp, threads_interpret_one_function_at_once) {
    EACH_TIER(t) {
        wasmx_code *code = code_of(busy, (wasmx_compile_options){.tiers = *t});
        pthread_t threads[4];
        for (int k = 0; k < 4; k++) pthread_create(&threads[k], NULL, fib, (void *)(uintptr_t)wasmx_code_module(code));
        for (int k = 0; k < 4; k++) pthread_join(threads[k], NULL);
        wasmx_code_free(code);
    }
}

Test(interp, a_deadline_ends_interpreted_loops_and_recursion) {
    const char *text =
        "(module (memory 1) (func (export \"loop\") (param i32) (result i32) (loop $l (br $l)) (i32.const 0))"
        " (func $f (export \"calls\") (param i32) (result i32) (if (i32.lt_u (local.get 0) (i32.const 60))"
        "   (then (drop (call $f (i32.add (local.get 0) (i32.const 1))))"
        "         (drop (call $f (i32.add (local.get 0) (i32.const 1)))))) (i32.const 0)))";
    EACH_TIER(t) {
        wasmx_compile_options options = {.tiers = *t, .interruptible = true};
        wasmx_instance *i = instance_of(wasmx_code_module(code_of(text, options)), NULL);
        for (int k = 0; k < 2; k++) {
            cr_assert(wasmx_set_deadline(i, WASMX_TIME_WALL, 20000000));
            cr_assert_eq(status_of(i, k ? "calls" : "loop", 0, NULL), WASMX_TRAP_INTERRUPTED);
            cr_assert(wasmx_set_deadline(i, WASMX_TIME_WALL, 0));
        }
    }
}

Test(interp, code_is_interpreted_after_the_threads_have_ended) {
    EACH_TIER(t) {
        if (*t == WASMX_TIERS_COMPILE) continue; // there it traps: wasmx_code_finish says so
        wasmx_code *code = code_of(busy, (wasmx_compile_options){.tiers = *t});
        wasmx_code_finish(code);
        cr_assert_eq(result_of(instance_of(wasmx_code_module(code), NULL), "fib", 20), 6765);
    }
}

// ---- NaNs

#define NANS \
    "(module (func (export \"add\") (param i32) (result i32)" \
    "  (i32.reinterpret_f32 (f32.add (f32.reinterpret_i32 (local.get 0)) (f32.const 1))))" \
    " (func (export \"div\") (param i32) (result i32) (i32.reinterpret_f32 (f32.div" \
    "   (f32.convert_i32_s (local.get 0)) (f32.convert_i32_s (local.get 0)))))" \
    " (func (export \"sqrt\") (param i32) (result i32) (i32.wrap_i64 (i64.shr_u (i64.reinterpret_f64" \
    "   (f64.sqrt (f64.convert_i32_s (i32.sub (local.get 0) (i32.const 1))))) (i64.const 32))))" \
    " (func (export \"min\") (param i32) (result i32)" \
    "  (i32.reinterpret_f32 (f32.min (f32.reinterpret_i32 (local.get 0)) (f32.const 1))))" \
    " (func (export \"promote\") (param i32) (result i32) (i32.wrap_i64 (i64.shr_u (i64.reinterpret_f64" \
    "   (f64.promote_f32 (f32.reinterpret_i32 (local.get 0)))) (i64.const 32))))" \
    " (func (export \"lanes\") (param i32) (result i32) (i32x4.extract_lane 2" \
    "   (f32x4.mul (i32x4.splat (local.get 0)) (f32x4.splat (f32.const 1)))))" \
    " (func (export \"neg\") (param i32) (result i32)" \
    "  (i32.reinterpret_f32 (f32.neg (f32.reinterpret_i32 (local.get 0))))))"

static void check_nans(wasmx_instance *i) {
    const int32_t nan = (int32_t)0xffa00123; // signalling, negative, with a payload
    for (int k = 0; k < 60; k++) {
        cr_assert_eq(result_of(i, "add", nan), 0x7fc00000);
        cr_assert_eq(result_of(i, "div", 0), 0x7fc00000);
        cr_assert_eq(result_of(i, "div", 3), 0x3f800000);
        cr_assert_eq(result_of(i, "sqrt", 0), 0x7ff80000);
        cr_assert_eq(result_of(i, "min", nan), 0x7fc00000);
        cr_assert_eq(result_of(i, "promote", nan), 0x7ff80000);
        cr_assert_eq(result_of(i, "lanes", nan), 0x7fc00000);
        cr_assert_eq(result_of(i, "neg", nan), 0x7fa00123); // not arithmetic
    }
}

Test(interp, nans_are_canonical_in_every_tier) {
    EACH_TIER(t) check_nans(instance_in(NANS, *t));
}

Test(interp, nans_are_canonical_in_objects_that_ask_for_it) {
    for (const char *level = "012s"; *level; level++) {
        wasmx_output out = compiled_text(NANS, (wasmx_compile_options){.name = "test", .opt_level = *level,
                                                                       .canonical_nans = true});
        check_nans(instance_of(wasmx_code_module(loaded(&out, "test")), NULL));
        wasmx_output_free(&out);
    }
}
