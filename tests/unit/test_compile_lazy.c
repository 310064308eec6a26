// tests/unit/test_compile_lazy.c: code that is made when it is called (wasmx_code_compile).
#include <pthread.h>

#include "tests/unit/compile_code.h"

static wasmx_code *lazy_code(const char *text, char level) {
    wasmx_compile_error err = {""};
    wasmx_compile_options options = {.name = "test", .file = "test.wat", .opt_level = level};
    wasmx_code *code = wasmx_code_compile(text, strlen(text), &options, &err);
    cr_assert_not_null(code, "%s", err.line);
    return code;
}

static wasmx_instance *lazy_instance(const char *text) {
    return instance_of(wasmx_code_module(lazy_code(text, 0)), NULL);
}

#define EVEN_ODD \
    "(module (type $t (func (param i32) (result i32)))" \
    " (table funcref (elem $even $odd))" \
    " (func $even (export \"even\") (type $t) (if (result i32) (local.get 0)" \
    "   (then (call $odd (i32.sub (local.get 0) (i32.const 1)))) (else (i32.const 1))))" \
    " (func $odd (export \"odd\") (type $t) (if (result i32) (local.get 0)" \
    "   (then (call_indirect (type $t) (i32.sub (local.get 0) (i32.const 1)) (i32.const 0))) (else (i32.const 0))))" \
    " (func (export \"tail\") (type $t) (return_call $loop (local.get 0)))" \
    " (func $loop (type $t) (if (result i32) (local.get 0)" \
    "   (then (return_call $loop (i32.sub (local.get 0) (i32.const 1)))) (else (i32.const 7)))))"

Test(lazy, functions_call_one_another_directly_and_through_tables) {
    wasmx_instance *i = lazy_instance(EVEN_ODD);
    cr_assert_eq(result_of(i, "even", 1001), 0);
    cr_assert_eq(result_of(i, "odd", 1001), 1);
    cr_assert_eq(result_of(i, "even", 0), 1);
}

Test(lazy, tail_calls_take_no_stack) {
    cr_assert_eq(result_of(lazy_instance(EVEN_ODD), "tail", 3000000), 7);
}

Test(lazy, optimised_code_can_be_made_on_demand_too) {
    wasmx_instance *i = instance_of(wasmx_code_module(lazy_code(EVEN_ODD, '2')), NULL);
    cr_assert_eq(result_of(i, "even", 1001), 0);
    cr_assert_eq(result_of(i, "tail", 3000000), 7);
}

// Arguments in every register and on the stack are as they were when the code is made between call and callee.
Test(lazy, every_argument_arrives) {
    wasmx_instance *i = lazy_instance(
        "(module (func $f (param i32 i64 f32 f64 i32 i32 i32 i32 i32 i32 f64 f64 f64 f64 f64 f64 f64 f64 v128) (result i32)"
        "  (i32.add (i32.add (i32.add (local.get 0) (i32.wrap_i64 (local.get 1)))"
        "                    (i32.add (i32.trunc_f32_s (local.get 2)) (i32.trunc_f64_s (local.get 3))))"
        "    (i32.add (i32.add (local.get 8) (local.get 9))"
        "      (i32.add (i32.trunc_f64_s (f64.add (local.get 16) (local.get 17))) (i32x4.extract_lane 3 (local.get 18))))))"
        " (func (export \"f\") (param i32) (result i32)"
        "  (call $f (local.get 0) (i64.const 2) (f32.const 4) (f64.const 8) (i32.const 0) (i32.const 0) (i32.const 0)"
        "   (i32.const 0) (i32.const 16) (i32.const 32) (f64.const 0) (f64.const 0) (f64.const 0) (f64.const 0)"
        "   (f64.const 0) (f64.const 0) (f64.const 64) (f64.const 128) (v128.const i32x4 0 0 0 256))))");
    cr_assert_eq(result_of(i, "f", 1), 511);
}

Test(lazy, traps_have_a_backtrace_over_functions_made_apart) {
    wasmx_instance *i = lazy_instance("(module (memory 1) (func $deep (param i32) (result i32) (i32.load (local.get 0)))"
                                      " (func $mid (param i32) (result i32) (call $deep (local.get 0)))"
                                      " (func (export \"f\") (param i32) (result i32) (call $mid (local.get 0))))");
    cr_assert_eq(result_of(i, "f", 0), 0);
    cr_assert_eq(status_of(i, "f", -1, NULL), WASMX_TRAP_MEMORY_OUT_OF_BOUNDS);
    const wasmx_trap *t = wasmx_last_trap(i);
    cr_assert_eq(t->frame_count, 3);
    cr_assert_str_eq(t->frames[0].name, "deep");
    cr_assert_str_eq(t->frames[1].name, "mid");
}

Test(lazy, runaway_recursion_exhausts_the_stack) {
    wasmx_instance *i = lazy_instance("(module (func $f (export \"f\") (param i32) (result i32)"
                                      " (i32.add (i32.const 1) (call $f (local.get 0)))))");
    cr_assert_eq(status_of(i, "f", 0, NULL), WASMX_TRAP_STACK_EXHAUSTED);
}

Test(lazy, memory_has_its_image_and_start_runs) {
    wasmx_instance *i = lazy_instance("(module (memory 1) (data (i32.const 8) \"\\2a\") (global $g (mut i32) (i32.const 0))"
                                      " (start $s) (func $s (global.set $g (i32.const 5)))"
                                      " (func (export \"f\") (param i32) (result i32)"
                                      "  (i32.add (global.get $g) (i32.load8_u (local.get 0)))))");
    cr_assert_eq(result_of(i, "f", 8), 47);
}

#define CHAIN 64

static void *call_chain(void *arg) {
    wasmx_instance *i = instance_of(arg, NULL);
    cr_assert_eq(result_of(i, "f", 3), 3 + CHAIN);
    wasmx_instance_free(i);
    return NULL;
}

Test(lazy, threads_wait_for_the_same_function) {
    static char text[16384];
    size_t n = (size_t)snprintf(text, sizeof text, "(module");
    for (int k = 0; k < CHAIN; k++)
        n += (size_t)snprintf(text + n, sizeof text - n,
                              "(func $f%d (param i32) (result i32) (call $f%d (i32.add (local.get 0) (i32.const 1))))", k,
                              k + 1);
    snprintf(text + n, sizeof text - n,
             "(func $f%d (param i32) (result i32) (local.get 0)) (export \"f\" (func $f0)))", CHAIN);
    wasmx_code *code = lazy_code(text, 0);
    pthread_t threads[4];
    for (int k = 0; k < 4; k++) pthread_create(&threads[k], NULL, call_chain, (void *)(uintptr_t)wasmx_code_module(code));
    for (int k = 0; k < 4; k++) pthread_join(threads[k], NULL);
    wasmx_code_free(code);
}

Test(lazy, code_may_end_before_anything_was_called) { wasmx_code_free(lazy_code(EVEN_ODD, 0)); }

Test(lazy, functions_never_called_are_validated_nevertheless) {
    wasmx_compile_error err = {""};
    const char *text = "(module (func (result i32) (i64.const 0)))";
    cr_assert_null(wasmx_code_compile(text, strlen(text), NULL, &err));
    cr_assert(strstr(err.line, "type mismatch"), "%s", err.line);
}

static int32_t three(wasmx_instance *i) {
    (void)i;
    return 3;
}

Test(lazy, imports_are_given_even_if_objects_would_link_them) {
    const char *text = "(module (import \"host\" \"three\" (func $three (result i32)))"
                       " (func (export \"f\") (param i32) (result i32) (i32.add (local.get 0) (call $three))))";
    wasmx_compile_error err = {""};
    wasmx_compile_options options = {.name = "test", .link_imports = true};
    wasmx_code *code = wasmx_code_compile(text, strlen(text), &options, &err);
    cr_assert_not_null(code, "%s", err.line);
    void *const table[] = {(void *)(uintptr_t)three};
    wasmx_instance *i = instance_of(wasmx_code_module(code), &(wasmx_options){.imports = table});
    cr_assert_eq(result_of(i, "f", 4), 7);
}

Test(lazy, a_wrong_option_is_refused) {
    wasmx_compile_error err = {""};
    wasmx_compile_options options = {.opt_level = '9'};
    cr_assert_null(wasmx_code_compile("(module)", 8, &options, &err));
    cr_assert(strstr(err.line, "no optimisation level '9'"), "%s", err.line);
}
