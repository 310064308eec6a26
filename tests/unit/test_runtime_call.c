// tests/unit/test_runtime_call.c: calls in both directions, traps, their backtraces, the stack limit.
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <ucontext.h>

#include "tests/unit/runtime_code.h"

// ---- Traps

static const char traps[] =
    "(module (memory 1) (table 2 funcref) (type $v (func)) (type $i (func (result i32)))"
    " (func $unreachable (export \"unreachable\") unreachable)"
    " (func (export \"load\") (param i32) (result i32) (i32.load (local.get 0)))"
    " (func (export \"store\") (param i32) (i32.store (local.get 0) (i32.const 1)))"
    " (func (export \"div\") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))"
    " (func (export \"trunc\") (param i32) (result i32)"
    "   (i32.trunc_f32_s (f32.mul (f32.convert_i32_s (local.get 0)) (f32.const 1e20))))"
    " (func (export \"nan\") (result i32) (i32.trunc_f32_s (f32.const nan)))"
    " (func (export \"indirect\") (param i32) (call_indirect (type $v) (local.get 0)))"
    " (func (export \"table\") (param i32) (drop (table.get 0 (local.get 0))))"
    " (func (export \"fill\") (param i32 i32) (memory.fill (local.get 0) (i32.const 7) (local.get 1)))"
    " (func $deep (export \"deep\") (param i32) (result i32) (i32.add (call $deep (local.get 0)) (i32.const 1)))"
    " (func $inner (param i32) (if (local.get 0) (then (call $unreachable))))"
    " (func $outer (export \"outer\") (param i32) (call $inner (local.get 0)) (i32.store (i32.const 0) (i32.const 9)))"
    " (func $seven (result i32) (i32.const 7))"
    " (elem (table 0) (i32.const 1) func $seven))";

Test(runtime_call, every_trap_has_its_status) {
    wasmx_instance *i = start(traps);
    expect_trap(i, "unreachable", 0, 0, WASMX_TRAP_UNREACHABLE);
    expect_trap(i, "load", 65533, 0, WASMX_TRAP_MEMORY_OUT_OF_BOUNDS);
    expect_trap(i, "load", -1, 0, WASMX_TRAP_MEMORY_OUT_OF_BOUNDS);
    expect_trap(i, "store", 65536, 0, WASMX_TRAP_MEMORY_OUT_OF_BOUNDS);
    expect_trap(i, "fill", 65530, 7, WASMX_TRAP_MEMORY_OUT_OF_BOUNDS);
    expect_trap(i, "div", 1, 0, WASMX_TRAP_INTEGER_DIVIDE_BY_ZERO);
    expect_trap(i, "div", INT32_MIN, -1, WASMX_TRAP_INTEGER_OVERFLOW);
    expect_trap(i, "trunc", 1, 0, WASMX_TRAP_INTEGER_OVERFLOW);
    expect_trap(i, "nan", 0, 0, WASMX_TRAP_INVALID_CONVERSION);
    expect_trap(i, "indirect", 2, 0, WASMX_TRAP_UNDEFINED_ELEMENT);
    expect_trap(i, "indirect", 0, 0, WASMX_TRAP_UNINITIALIZED_ELEMENT);
    expect_trap(i, "indirect", 1, 0, WASMX_TRAP_INDIRECT_CALL_TYPE_MISMATCH);
    expect_trap(i, "table", 2, 0, WASMX_TRAP_TABLE_OUT_OF_BOUNDS);
    expect_trap(i, "deep", 0, 0, WASMX_TRAP_STACK_EXHAUSTED);
    cr_assert_eq(call(i, "div", 7, -2), -3);
    cr_assert_eq(call(i, "load", 65532, 0), 0);
    wasmx_instance_free(i);
}

Test(runtime_call, messages_and_backtrace) {
    wasmx_instance *i = start(traps);
    cr_assert_eq(wasmx_last_trap(i)->kind, WASMX_OK);
    expect_trap(i, "outer", 1, 0, WASMX_TRAP_UNREACHABLE);
    const wasmx_trap *t = wasmx_last_trap(i);
    cr_assert_str_eq(t->message, "unreachable");
    cr_assert_geq(t->frame_count, 1); // inlining may have made one function of some
    cr_assert_eq(t->frames[0].module, wasmx_instance_module(i));
    for (uint32_t k = 0; k < t->frame_count; k++) cr_assert_lt(t->frames[k].func, 13);
    expect_trap(i, "deep", 0, 0, WASMX_TRAP_STACK_EXHAUSTED);
    cr_assert_eq(t->frame_count, WASMX_MAX_FRAMES);
    for (uint32_t k = 0; k < t->frame_count; k++) cr_assert_str_eq(t->frames[k].name, "deep");
    cr_assert_str_eq(wasmx_status_message(WASMX_TRAP_NULL_REFERENCE), "null reference");
    cr_assert_str_eq(wasmx_status_message(WASMX_OK), "ok");
}

Test(runtime_call, explicit_bounds_trap_too) {
    wasmx_instance *i = start_with(compile_with(traps, WASMX_BOUNDS_EXPLICIT), NULL);
    expect_trap(i, "load", 65533, 0, WASMX_TRAP_MEMORY_OUT_OF_BOUNDS);
    expect_trap(i, "store", -4, 0, WASMX_TRAP_MEMORY_OUT_OF_BOUNDS);
    cr_assert_eq(call(i, "load", 65532, 0), 0);
}

// ---- Values

static const char values[] =
    "(module"
    " (func (export \"swap\") (param i64 f64) (result f64 i64) (local.get 1) (local.get 0))"
    " (func (export \"many\") (param i32) (result i32 i64 f32 f64 i32)"
    "   (local.get 0) (i64.const -2) (f32.const 1.5) (f64.const -0.25) (i32.const 5))"
    " (func (export \"vector\") (param v128) (result v128) (i8x16.add (local.get 0) (local.get 0)))"
    " (func (export \"refs\") (param funcref externref) (result externref funcref) (local.get 1) (local.get 0)))";

Test(runtime_call, values_of_every_kind) {
    wasmx_instance *i = start(values);
    wasmx_value a[2] = {{.i64 = -7}, {.f64 = 2.5}}, r[5];
    cr_assert_eq(wasmx_call(func(i, "swap"), a, r), WASMX_OK);
    cr_assert(r[0].f64 == 2.5 && r[1].i64 == -7);
    a[0].i32 = 42;
    cr_assert_eq(wasmx_call(func(i, "many"), a, r), WASMX_OK);
    cr_assert(r[0].i32 == 42 && r[1].i64 == -2 && r[2].f32 == 1.5f && r[3].f64 == -0.25 && r[4].i32 == 5);
    for (int k = 0; k < 16; k++) a[0].v128.bytes[k] = (uint8_t)(k * 20);
    cr_assert_eq(wasmx_call(func(i, "vector"), a, r), WASMX_OK);
    for (int k = 0; k < 16; k++) cr_assert_eq(r[0].v128.bytes[k], (uint8_t)(k * 40));
    a[0].funcref = func(i, "swap");
    a[1].externref = &a;
    cr_assert_eq(wasmx_call(func(i, "refs"), a, r), WASMX_OK);
    cr_assert(r[0].externref == &a && r[1].funcref == func(i, "swap"));
}

Test(runtime_call, types_as_letters) {
    wasmx_instance *i = start(values);
    char text[16];
    cr_assert_eq(wasmx_func_type(func(i, "many"), text, sizeof text), 7);
    cr_assert_str_eq(text, "i:iIfFi");
    wasmx_func_type(func(i, "refs"), text, sizeof text);
    cr_assert_str_eq(text, "re:er");
    cr_assert_eq(wasmx_func_type(func(i, "swap"), text, 4), 5);
    cr_assert_str_eq(text, "IF:");
    wasmx_func_type(func(i, "vector"), text, sizeof text);
    cr_assert_str_eq(text, "v:v");
    cr_assert_eq(func(i, "swap"), func(i, "swap"));
    cr_assert_eq(wasmx_func_instance(func(i, "swap")), i);
}

// ---- Host functions

static const char imports[] =
    "(module (import \"env\" \"f\" (func $f (param i32 i64) (result i32)))"
    " (import \"env\" \"again\" (func $again (param i32) (result i32)))"
    " (func (export \"f\") (param i32) (result i32) (i32.mul (call $f (local.get 0) (i64.const 3)) (i32.const 2)))"
    " (func $go (export \"go\") (param i32) (result i32) (i32.add (call $again (local.get 0)) (i32.const 1)))"
    " (export \"host\" (func $f)))";

static int32_t typed_f(wasmx_instance *caller, int32_t a, int64_t b) {
    int32_t *calls = wasmx_host(caller);
    if (calls) ++*calls;
    if (a == -1) wasmx_raise(caller, WASMX_TRAP_HOST, "minus one");
    if (a == -2) wasmx_raise_exit(caller, 77);
    return a + (int32_t)b;
}

// Enters the same instance again until a reaches 0.
static int32_t typed_again(wasmx_instance *caller, int32_t a) {
    int32_t result;
    if (a <= 0) return typed_f(caller, a, 0);
    wasmx_status status = try_call(caller, "go", a - 1, 0, &result);
    return status == WASMX_OK ? result : -100 - (int32_t)status;
}

static wasmx_status callback_f(void *env, wasmx_instance *caller, const wasmx_value *args, wasmx_value *results) {
    (void)caller;
    if (args[0].i32 == 13) return WASMX_TRAP_HOST;
    results[0].i32 = args[0].i32 + (int32_t)args[1].i64 + *(int32_t *)env;
    return WASMX_OK;
}

static wasmx_linker *typed_linker(void) {
    wasmx_linker *l = wasmx_linker_new();
    cr_assert(wasmx_linker_define_typed(l, "env", "f", "iI:i", (void (*)(void))typed_f));
    cr_assert(wasmx_linker_define_typed(l, "env", "again", "i:i", (void (*)(void))typed_again));
    return l;
}

Test(runtime_call, typed_host_functions) {
    int32_t calls = 0;
    wasmx_instance *i = start_with(compile(imports), &(wasmx_options){.linker = typed_linker(), .host = &calls});
    cr_assert_eq(call(i, "f", 4, 0), 14);
    cr_assert_eq(calls, 1);
    expect_trap(i, "f", -1, 0, WASMX_TRAP_HOST);
    cr_assert_str_eq(wasmx_last_trap(i)->message, "minus one");
    expect_trap(i, "f", -2, 0, WASMX_TRAP_EXIT);
    cr_assert_eq(wasmx_last_trap(i)->exit_code, 77);
    wasmx_value args[] = {{.i32 = 1}, {.i64 = 2}}, r;
    cr_assert_eq(wasmx_call(func(i, "host"), args, &r), WASMX_OK); // a host function through its export
    cr_assert_eq(r.i32, 3);
}

Test(runtime_call, a_trap_ends_the_innermost_call_only) {
    wasmx_instance *i = start_with(compile(imports), &(wasmx_options){.linker = typed_linker()});
    cr_assert_eq(call(i, "go", 5, 0), 6);
    expect_trap(i, "go", -1, 0, WASMX_TRAP_HOST);
    cr_assert_eq(call(i, "go", 0, 0), 1);
}

static int32_t raise_inside(wasmx_instance *caller, int32_t a) {
    return a > 0 ? typed_again(caller, a) : typed_f(caller, -1, 0);
}

Test(runtime_call, nested_traps_are_seen_by_the_host_function) {
    wasmx_linker *l = typed_linker();
    wasmx_linker_define_typed(l, "env", "again", "i:i", (void (*)(void))raise_inside);
    wasmx_instance *i = start_with(compile(imports), &(wasmx_options){.linker = l});
    cr_assert_eq(call(i, "go", 1, 0), -100 - WASMX_TRAP_HOST + 1);
    cr_assert_eq(call(i, "go", 2, 0), -100 - WASMX_TRAP_HOST + 2);
}

Test(runtime_call, callbacks) {
    int32_t extra = 1000;
    wasmx_linker *l = typed_linker();
    cr_assert(wasmx_linker_define_callback(l, "env", "f", "iI:i", callback_f, &extra));
    cr_assert_not(wasmx_linker_define_callback(l, "env", "g", "iX:i", callback_f, &extra));
    cr_assert_not(wasmx_linker_define_callback(l, "env", "g", "ii", callback_f, &extra));
    wasmx_instance *i = start_with(compile(imports), &(wasmx_options){.linker = l});
    wasmx_linker_free(l);
    cr_assert_eq(call(i, "f", 4, 0), 2014);
    expect_trap(i, "f", 13, 0, WASMX_TRAP_HOST);
    cr_assert_str_eq(wasmx_last_trap(i)->message, "host function failed");
    cr_assert_geq(wasmx_last_trap(i)->frame_count, 1); // the function that called the host
    cr_assert_eq(wasmx_last_trap(i)->frames[0].func, 2);
}

// ---- The stack

static void *exhaust(void *instance) {
    for (int k = 0; k < 3; k++) expect_trap(instance, "deep", 0, 0, WASMX_TRAP_STACK_EXHAUSTED);
    cr_assert_eq(call(instance, "div", 9, 3), 3);
    return NULL;
}

Test(runtime_call, stack_of_any_thread) {
    wasmx_instance *i = start(traps);
    static const size_t sizes[] = {96 << 10, 256 << 10, 64 << 20};
    for (int k = 0; k < 3; k++) {
        pthread_t t;
        pthread_attr_t attr;
        pthread_attr_init(&attr);
        pthread_attr_setstacksize(&attr, sizes[k]);
        cr_assert_eq(pthread_create(&t, &attr, exhaust, i), 0);
        pthread_join(t, NULL);
        exhaust(i);
    }
}

static ucontext_t outside, inside;
static wasmx_instance *on_other_stack;
static void other_stack(void) { exhaust(on_other_stack); }

Test(runtime_call, stack_of_a_coroutine) {
    static char stack[256 << 10];
    on_other_stack = start(traps);
    getcontext(&inside);
    inside.uc_stack.ss_sp = stack;
    inside.uc_stack.ss_size = sizeof stack;
    inside.uc_link = &outside;
    makecontext(&inside, other_stack, 0);
    swapcontext(&outside, &inside);
    exhaust(on_other_stack);
}

static const char deep[] =
    "(module (import \"env\" \"again\" (func $again (param i32) (result i32)))"
    " (global $depth (mut i32) (i32.const 0)) (export \"depth\" (global $depth))"
    " (func $down (export \"down\") (global.set $depth (i32.add (global.get $depth) (i32.const 1))) (call $down)"
    "   (drop (call $again (i32.const 0))))"
    " (func (export \"go\") (param i32) (result i32) (call $again (local.get 0))))";

static int32_t depth_of(wasmx_instance *i) {
    wasmx_extern e;
    cr_assert(wasmx_export(i, "depth", &e) && e.kind == WASMX_GLOBAL);
    int32_t depth = wasmx_global_get(e.of.global).i32;
    cr_assert(wasmx_global_set(e.of.global, (wasmx_value){.i32 = 0}));
    return depth;
}

static int32_t run_down(wasmx_instance *caller, int32_t a) {
    (void)a;
    expect_trap(caller, "down", 0, 0, WASMX_TRAP_STACK_EXHAUSTED);
    return depth_of(caller);
}

Test(runtime_call, a_smaller_stack_on_request) {
    wasmx_linker *l = wasmx_linker_new();
    wasmx_linker_define_typed(l, "env", "again", "i:i", (void (*)(void))run_down);
    const wasmx_module *m = compile(deep);
    wasmx_instance *all = start_with(m, &(wasmx_options){.linker = l});
    wasmx_instance *some = start_with(m, &(wasmx_options){.linker = l, .max_stack_bytes = 64 << 10});
    expect_trap(all, "down", 0, 0, WASMX_TRAP_STACK_EXHAUSTED);
    expect_trap(some, "down", 0, 0, WASMX_TRAP_STACK_EXHAUSTED);
    int32_t deep_calls = depth_of(all), few_calls = depth_of(some);
    cr_assert_gt(few_calls, 100);
    cr_assert_gt(deep_calls, few_calls * 20);
    cr_assert_gt(call(some, "go", 0, 0), few_calls / 2); // a nested call has a limit of its own
    expect_trap(some, "down", 0, 0, WASMX_TRAP_STACK_EXHAUSTED);
    cr_assert_lt(abs(depth_of(some) - few_calls), 50);
}

// ---- Threads

static void *trap_often(void *module) {
    wasmx_instance *i = start_with(module, NULL);
    for (int k = 0; k < 2000; k++) {
        expect_trap(i, "load", -k - 1, 0, WASMX_TRAP_MEMORY_OUT_OF_BOUNDS);
        expect_trap(i, "div", k, 0, WASMX_TRAP_INTEGER_DIVIDE_BY_ZERO);
        cr_assert_eq(call(i, "div", k, 1), k);
        if (k % 100) continue;
        wasmx_instance_free(i);
        i = start_with(module, NULL);
    }
    wasmx_instance_free(i);
    return NULL;
}

Test(runtime_call, threads_trap_independently) {
    pthread_t threads[4];
    void *module = (void *)compile(traps);
    for (int k = 0; k < 4; k++) cr_assert_eq(pthread_create(&threads[k], NULL, trap_often, module), 0);
    for (int k = 0; k < 4; k++) pthread_join(threads[k], NULL);
}
