// tests/unit/test_runtime_async.c: calls that host functions suspend.
#include <pthread.h>

#include "tests/unit/compile_code.h"

// sum(n) = wait(n) + wait(n - 1) + ... ; deep(n) recurses n times and then waits.
#define WAITS \
    "(module (import \"h\" \"wait\" (func $wait (param i32) (result i32))) (memory 1)" \
    " (func (export \"sum\") (param i32) (result i32) (local $s i32)" \
    "  (loop $l (local.set $s (i32.add (local.get $s) (call $wait (local.get 0))))" \
    "   (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (local.get $s))" \
    " (func $deep (export \"deep\") (param i32) (result i32)" \
    "  (if (result i32) (local.get 0)" \
    "   (then (i32.add (i32.const 1) (call $deep (i32.sub (local.get 0) (i32.const 1)))))" \
    "   (else (call $wait (i32.const 0)))))" \
    " (func $for_ever (export \"after\") (param i32) (result i32)" \
    "  (drop (call $wait (i32.const 0))) (i32.add (i32.const 1) (call $for_ever (i32.const 0))))" \
    " (func (export \"fault\") (param i32) (result i32) (drop (call $wait (i32.const 0))) (i32.load (i32.const -1)))" \
    " (func (export \"plain\") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2))))"

static int suspensions;
static bool call_within; // wait calls back into the instance before it suspends

static wasmx_status wait_for(void *env, wasmx_instance *caller, const wasmx_value *args, wasmx_value *results) {
    (void)env;
    if (call_within) results->i32 = result_of(caller, "plain", 4);
    suspensions++;
    if (!wasmx_suspend()) return WASMX_TRAP_HOST;
    results->i32 = args->i32;
    return WASMX_OK;
}

static wasmx_linker *waits(void) {
    wasmx_linker *l = wasmx_linker_new();
    cr_assert(wasmx_linker_define_callback(l, "h", "wait", "i:i", wait_for, NULL));
    return l;
}

static wasmx_instance *waiter(void) {
    static const wasmx_module *m;
    if (!m) m = module_of_text(WAITS, '2');
    return instance_of(m, &(wasmx_options){.linker = waits()});
}

static wasmx_async *new_async(size_t size) {
    wasmx_error err = {""};
    wasmx_async *a = wasmx_async_new(size, &err);
    cr_assert_not_null(a, "%s", err.message);
    return a;
}

static wasmx_status begin_call(wasmx_async *a, wasmx_instance *i, const char *name, int32_t n, wasmx_value *result) {
    wasmx_value arg = {.i32 = n};
    return wasmx_call_async(a, export_of(i, name), &arg, result);
}

Test(async, a_host_function_suspends_and_the_call_goes_on) {
    wasmx_value r = {.i32 = -1};
    wasmx_async *a = new_async(0);
    cr_assert_eq(begin_call(a, waiter(), "sum", 3, &r), WASMX_SUSPENDED);
    cr_assert_eq(r.i32, -1);
    cr_assert_eq(wasmx_resume(a), WASMX_SUSPENDED);
    cr_assert_eq(wasmx_resume(a), WASMX_SUSPENDED);
    cr_assert_null(wasmx_async_current());
    cr_assert_eq(wasmx_resume(a), WASMX_OK);
    cr_assert_eq(r.i32, 6);
    cr_assert_eq(suspensions, 3);
    wasmx_async_free(a);
}

Test(async, a_stack_serves_one_call_after_the_other) {
    wasmx_async *a = new_async(0);
    wasmx_instance *i = waiter();
    for (int k = 1; k < 20; k++) {
        wasmx_value r;
        wasmx_status s = begin_call(a, i, "sum", k, &r);
        for (int n = 0; n < k; n++) {
            cr_assert_eq(s, WASMX_SUSPENDED);
            s = wasmx_resume(a);
        }
        cr_assert_eq(s, WASMX_OK);
        cr_assert_eq(r.i32, k * (k + 1) / 2);
    }
    wasmx_async_free(a);
}

#define MANY 200

Test(async, many_calls_take_turns) {
    static wasmx_async *calls[MANY];
    static wasmx_value results[MANY];
    for (int k = 0; k < MANY; k++) {
        calls[k] = new_async(64 << 10);
        cr_assert_eq(begin_call(calls[k], waiter(), "sum", 5, &results[k]), WASMX_SUSPENDED);
    }
    for (int turn = 0; turn < 5; turn++)
        for (int k = 0; k < MANY; k++)
            cr_assert_eq(wasmx_resume(calls[(k * 7 + turn) % MANY]), turn < 4 ? WASMX_SUSPENDED : WASMX_OK);
    for (int k = 0; k < MANY; k++) {
        cr_assert_eq(results[k].i32, 15);
        wasmx_async_free(calls[k]);
    }
}

Test(async, a_trap_ends_the_call_with_its_backtrace) {
    wasmx_value r;
    wasmx_async *a = new_async(0);
    wasmx_instance *i = waiter();
    cr_assert_eq(begin_call(a, i, "fault", 0, &r), WASMX_SUSPENDED);
    cr_assert_eq(wasmx_resume(a), WASMX_TRAP_MEMORY_OUT_OF_BOUNDS);
    cr_assert_eq(wasmx_last_trap(i)->frame_count, 1);
    cr_assert_eq(result_of(i, "plain", 21), 42);
    cr_assert_eq(begin_call(a, i, "sum", 1, &r), WASMX_SUSPENDED);
    cr_assert_eq(wasmx_resume(a), WASMX_OK);
}

Test(async, runaway_recursion_exhausts_the_stack_of_the_call) {
    wasmx_value r;
    wasmx_async *a = new_async(128 << 10);
    wasmx_instance *i = waiter();
    cr_assert_eq(begin_call(a, i, "deep", 1000000, &r), WASMX_TRAP_STACK_EXHAUSTED);
    cr_assert_eq(begin_call(a, i, "deep", 10, &r), WASMX_SUSPENDED);
    cr_assert_eq(wasmx_resume(a), WASMX_OK);
    cr_assert_eq(r.i32, 10);
}

// Between, the instance runs on the thread's stack, whose limit says nothing about the call's.
Test(async, other_calls_in_the_instance_meanwhile_do_not_move_the_limit) {
    wasmx_value r;
    wasmx_async *a = new_async(128 << 10);
    wasmx_instance *i = waiter();
    cr_assert_eq(begin_call(a, i, "after", 0, &r), WASMX_SUSPENDED);
    cr_assert_eq(result_of(i, "plain", 1), 2);
    wasmx_status s;
    int n = 0;
    while ((s = wasmx_resume(a)) == WASMX_SUSPENDED && n++ < 1000000) result_of(i, "plain", 1);
    cr_assert_eq(s, WASMX_TRAP_STACK_EXHAUSTED);
    cr_assert_lt(n, 128 << 10);
}

Test(async, calls_back_from_the_host_function_are_part_of_it) {
    wasmx_value r;
    wasmx_async *a = new_async(0);
    call_within = true;
    cr_assert_eq(begin_call(a, waiter(), "sum", 2, &r), WASMX_SUSPENDED);
    cr_assert_eq(wasmx_resume(a), WASMX_SUSPENDED);
    cr_assert_eq(wasmx_resume(a), WASMX_OK);
    cr_assert_eq(r.i32, 3);
}

static void *resume_here(void *a) { return (void *)(uintptr_t)wasmx_resume(a); }

static wasmx_status resume_in_another_thread(wasmx_async *a) {
    pthread_t t;
    void *status;
    pthread_create(&t, NULL, resume_here, a);
    pthread_join(t, &status);
    return (wasmx_status)(uintptr_t)status;
}

Test(async, another_thread_may_resume) {
    wasmx_value r;
    wasmx_async *a = new_async(0);
    wasmx_instance *i = waiter();
    call_within = true;
    cr_assert_eq(begin_call(a, i, "sum", 4, &r), WASMX_SUSPENDED);
    cr_assert_eq(resume_in_another_thread(a), WASMX_SUSPENDED);
    cr_assert_eq(wasmx_resume(a), WASMX_SUSPENDED);
    cr_assert_eq(resume_in_another_thread(a), WASMX_SUSPENDED);
    cr_assert_eq(resume_in_another_thread(a), WASMX_OK);
    cr_assert_eq(r.i32, 10);
    cr_assert_eq(begin_call(a, i, "fault", 0, &r), WASMX_SUSPENDED);
    cr_assert_eq(resume_in_another_thread(a), WASMX_TRAP_MEMORY_OUT_OF_BOUNDS);
    cr_assert_eq(result_of(i, "plain", 1), 2);
}

static wasmx_async *inner;
static wasmx_instance *inner_instance;
static wasmx_value inner_result;

static wasmx_status outer_run(void *arg) {
    (void)arg;
    wasmx_async *self = wasmx_async_current();
    wasmx_status s = begin_call(inner, inner_instance, "sum", 2, &inner_result);
    while (s == WASMX_SUSPENDED) {
        if (wasmx_async_current() != self || !wasmx_suspend()) return WASMX_TRAP_HOST;
        s = wasmx_resume(inner);
    }
    return s;
}

Test(async, a_suspendable_call_may_run_another) {
    wasmx_async *outer = new_async(0);
    inner = new_async(0);
    inner_instance = waiter();
    cr_assert_eq(wasmx_async_run(outer, outer_run, NULL), WASMX_SUSPENDED);
    cr_assert_eq(resume_in_another_thread(outer), WASMX_SUSPENDED);
    cr_assert_eq(wasmx_resume(outer), WASMX_OK);
    cr_assert_eq(inner_result.i32, 3);
}

Test(async, an_abandoned_call_leaves_its_instance_usable) {
    wasmx_value r;
    wasmx_instance *i = waiter();
    for (int k = 0; k < 1000; k++) {
        wasmx_async *a = new_async(0);
        cr_assert_eq(begin_call(a, i, "sum", 2, &r), WASMX_SUSPENDED);
        wasmx_async_free(a);
    }
    cr_assert_eq(result_of(i, "plain", 3), 6);
}

Test(async, an_instance_of_a_suspended_call_is_not_released) {
    wasmx_error err;
    wasmx_value r;
    wasmx_pool_module modules[] = {{module_of_text(WAITS, '0'), {.linker = waits()}}};
    wasmx_pool_options options = {.slots = 2, .modules = modules, .module_count = 1};
    wasmx_pool *pool = wasmx_pool_new(&options, &err);
    cr_assert_not_null(pool, "%s", err.message);
    wasmx_instance *i = wasmx_pool_acquire(pool, modules[0].module, NULL, &err);
    cr_assert_not_null(i, "%s", err.message);
    wasmx_async *a = new_async(0);
    cr_assert_eq(begin_call(a, i, "sum", 1, &r), WASMX_SUSPENDED);
    cr_assert_not(wasmx_pool_release(i));
    cr_assert_eq(wasmx_resume(a), WASMX_OK);
    cr_assert(wasmx_pool_release(i));
}

Test(async, misuse_is_answered) {
    wasmx_value r;
    wasmx_error err = {""};
    wasmx_async *a = new_async(1);
    wasmx_instance *i = waiter();
    cr_assert_not(wasmx_suspend());
    cr_assert_eq(wasmx_resume(a), WASMX_TRAP_HOST);
    cr_assert_eq(status_of(i, "sum", 1, NULL), WASMX_TRAP_HOST);
    cr_assert_eq(begin_call(a, i, "sum", 1, &r), WASMX_SUSPENDED);
    cr_assert_eq(begin_call(a, i, "sum", 1, &r), WASMX_TRAP_HOST);
    cr_assert_eq(wasmx_resume(a), WASMX_OK);
    cr_assert_eq(wasmx_resume(a), WASMX_TRAP_HOST);
    wasmx_async_free(NULL);
    cr_assert_null(wasmx_async_new(SIZE_MAX / 4, &err));
    cr_assert(strstr(err.message, "no memory for a stack"), "%s", err.message);
}
