// tests/unit/test_runtime_pool_use.c: pools used rightly and wrongly: several modules, limits, start functions, errors.
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "runtime/internal.h"
#include "tests/unit/runtime_code.h"
#include "wasmx_wasi.h"

static const char plain[] =
    "(module (memory (export \"m\") 1) (table $t (export \"t\") 1 funcref)"
    "  (func (export \"grow\") (param i32) (result i32) (memory.grow (local.get 0)))"
    "  (func (export \"grow_t\") (param i32) (result i32) (table.grow $t (ref.null func) (local.get 0)))"
    "  (func $down (export \"down\") (param i32) (result i32) (if (result i32) (local.get 0)"
    "    (then (i32.add (i32.const 1) (call $down (i32.sub (local.get 0) (i32.const 1))))) (else (i32.const 0)))))";

static wasmx_pool *try_pool(wasmx_pool_module *modules, size_t count, uint32_t slots, wasmx_error *err) {
    wasmx_pool_options o = {.slots = slots, .modules = modules, .module_count = count};
    err->message[0] = 0;
    return wasmx_pool_new(&o, err);
}

static wasmx_pool *pool_with(wasmx_pool_module *modules, size_t count, uint32_t slots) {
    wasmx_error err;
    wasmx_pool *p = try_pool(modules, count, slots, &err);
    cr_assert_not_null(p, "%s", err.message);
    return p;
}

static const char *pool_refusal(wasmx_pool_module *modules, size_t count, uint32_t slots) {
    static wasmx_error err;
    cr_assert_null(try_pool(modules, count, slots, &err));
    return err.message;
}

static wasmx_instance *acquire(wasmx_pool *p, const wasmx_module *m) {
    wasmx_error err = {""};
    wasmx_instance *i = wasmx_pool_acquire(p, m, NULL, &err);
    cr_assert_not_null(i, "%s", err.message);
    return i;
}

static const char *acquire_refusal(wasmx_pool *p, const wasmx_module *m) {
    static wasmx_error err;
    err.message[0] = 0;
    cr_assert_null(wasmx_pool_acquire(p, m, NULL, &err));
    return err.message;
}

static wasmx_pool_stats stats_of(wasmx_pool *p) {
    wasmx_pool_stats s;
    wasmx_pool_get_stats(p, &s);
    return s;
}

// ---- Several modules

Test(runtime_pool_use, slots_remember_their_module) {
    wasmx_pool_module m[3] = {{.module = compile(plain)}, {.module = compile(plain)}, {.module = compile(plain)}};
    wasmx_pool *p = pool_with(m, 3, 2);
    wasmx_instance *a = acquire(p, m[0].module), *b = acquire(p, m[1].module);
    cr_assert(strstr(acquire_refusal(p, m[0].module), "all 2 instances of the pool are in use"));
    wasmx_pool_release(a);
    wasmx_pool_release(b);
    for (int k = 0; k < 10; k++) {
        cr_assert_eq(acquire(p, m[1].module), b);
        cr_assert_eq(acquire(p, m[0].module), a);
        wasmx_pool_release(b);
        usleep(10000); // the clock of `least recently` is a coarse one
        wasmx_pool_release(a);
    }
    cr_assert_eq(stats_of(p).made, 2);
    cr_assert_eq(stats_of(p).remade, 0);
    wasmx_instance *c = acquire(p, m[2].module); // b was used less recently
    cr_assert_eq(wasmx_instance_module(c), m[2].module);
    cr_assert_eq(stats_of(p).remade, 1);
    cr_assert_eq(acquire(p, m[0].module), a);
    cr_assert_eq(stats_of(p).acquired, 24);
    wasmx_pool_release(a);
    wasmx_pool_release(c);
    cr_assert(wasmx_pool_free(p));
}

Test(runtime_pool_use, modules_without_memory_have_slots_too) {
    wasmx_pool_module m = {.module = compile("(module (global $g (mut i32) (i32.const 4))"
        "(func (export \"next\") (result i32) (global.set $g (i32.add (global.get $g) (i32.const 1))) (global.get $g)))")};
    wasmx_pool *p = pool_with(&m, 1, 1);
    for (int k = 0; k < 5; k++) {
        wasmx_instance *i = acquire(p, m.module);
        cr_assert_eq(call(i, "next", 0, 0), 5);
        cr_assert_eq(call(i, "next", 0, 0), 6);
        wasmx_instance_free(i); // the same as a release
    }
    cr_assert_eq(stats_of(p).made, 1);
}

// ---- Start functions

static wasmx_status count_start(void *env, wasmx_instance *i, const wasmx_value *args, wasmx_value *results) {
    (void)i, (void)args;
    results[0].i32 = ++*(int32_t *)env;
    return *(int32_t *)env == 3 ? WASMX_TRAP_HOST : WASMX_OK;
}

Test(runtime_pool_use, start_functions_run_at_every_acquire) {
    int32_t starts = 0;
    wasmx_linker *l = wasmx_linker_new();
    wasmx_linker_define_callback(l, "h", "count", ":i", count_start, &starts);
    wasmx_pool_module m = {.module = compile("(module (import \"h\" \"count\" (func $count (result i32)))"
        "(memory 1) (func $s (i32.store (i32.const 8) (i32.add (i32.load (i32.const 8)) (call $count)))) (start $s)"
        "(func (export \"get\") (result i32) (i32.load (i32.const 8))))"), .options = {.linker = l}};
    wasmx_pool *p = pool_with(&m, 1, 1);
    for (int k = 1; k <= 5; k++) {
        if (k == 3) {
            cr_assert(strlen(acquire_refusal(p, m.module)));
            continue;
        }
        wasmx_instance *i = acquire(p, m.module);
        cr_assert_eq(call(i, "get", 0, 0), k);
        cr_assert(wasmx_pool_release(i));
    }
    cr_assert_eq(starts, 5);
    cr_assert_eq(stats_of(p).in_use, 0);
    cr_assert(wasmx_pool_free(p));
}

// Segments at the place a global says are applied by code, and are the same each time.
Test(runtime_pool_use, segments_that_code_applies) {
    wasmx_linker *l = wasmx_linker_new();
    wasmx_global *base = wasmx_global_new(WASMX_I32, false, (wasmx_value){.i32 = 3});
    wasmx_linker_define(l, "h", "base", (wasmx_extern){.kind = WASMX_GLOBAL, .of.global = base});
    wasmx_pool_module m = {.options = {.linker = l}, .module = compile(
        "(module (import \"h\" \"base\" (global $b i32)) (memory 1) (data (global.get $b) \"abc\")"
        "  (table $t (export \"t\") 9 funcref) (elem (table $t) (global.get $b) func $f)"
        "  (func $f (result i32) (i32.const 42))"
        "  (func (export \"wipe\") (i64.store (i32.const 0) (i64.const 0)) (table.set $t (i32.const 3) (ref.null func)))"
        "  (func (export \"get\") (param i32) (result i32)"
        "    (i32.add (i32.load8_u (local.get 0)) (call_indirect $t (result i32) (local.get 0)))))")};
    wasmx_pool *p = pool_with(&m, 1, 1);
    for (int k = 0; k < 4; k++) {
        wasmx_instance *i = acquire(p, m.module);
        cr_assert_eq(call(i, "get", 3, 0), 'a' + 42);
        (void)call(i, "wipe", 0, 0);
        expect_trap(i, "get", 3, 0, WASMX_TRAP_UNINITIALIZED_ELEMENT);
        cr_assert(wasmx_pool_release(i));
    }
}

// ---- Limits

static void check_limits(wasmx_bounds bounds, size_t stack) {
    wasmx_pool_module m = {.module = compile_with(plain, bounds),
                           .options = {.max_memory_bytes = 5 * 65536, .max_table_elements = 10, .max_stack_bytes = stack}};
    wasmx_pool *p = pool_with(&m, 1, 1);
    for (int k = 0; k < 3; k++) {
        wasmx_instance *i = acquire(p, m.module);
        cr_assert_eq(call(i, "grow", 5, 0), -1);
        cr_assert_eq(call(i, "grow", 4, 0), 1);
        cr_assert_eq(call(i, "grow", 1, 0), -1);
        cr_assert_eq(call(i, "grow_t", 10, 0), -1);
        cr_assert_eq(call(i, "grow_t", 9, 0), 1);
        cr_assert_eq(call(i, "grow_t", 1, 0), -1);
        cr_assert_eq(call(i, "down", 100, 0), 100);
        expect_trap(i, "down", stack ? 10000 : 100000000, 0, WASMX_TRAP_STACK_EXHAUSTED);
        cr_assert(wasmx_pool_release(i));
    }
    cr_assert(wasmx_pool_free(p));
}

Test(runtime_pool_use, limits_hold_for_every_request) {
    check_limits(WASMX_BOUNDS_GUARD, 64 << 10);
    check_limits(WASMX_BOUNDS_EXPLICIT, 0);
}

static uint64_t address_space(void) {
    FILE *f = fopen("/proc/self/statm", "r");
    unsigned long pages = 0;
    cr_assert(f && fscanf(f, "%lu", &pages) == 1);
    fclose(f);
    return (uint64_t)pages << 12;
}

// 64 MiB of addresses are all there is.
Test(runtime_pool_use, many_small_reservations) {
    const wasmx_module *m = compile_with(plain, WASMX_BOUNDS_EXPLICIT), *guard = compile(plain);
    wasmx_instance *few[100];
    wasmx_options small = {.reserve_bytes = 4 * 65536};
    struct rlimit now;
    getrlimit(RLIMIT_AS, &now);
    setrlimit(RLIMIT_AS, &(struct rlimit){address_space() + ((uint64_t)64 << 20), now.rlim_max});
    for (int k = 0; k < 100; k++) {
        few[k] = start_with(m, &small);
        cr_assert_eq(call(few[k], "grow", 4, 0), -1); // past its reservation
        cr_assert_eq(call(few[k], "grow", 3, 0), 1);
    }
    cr_assert(strstr(refusal(guard, NULL), "no address space"));
    for (int k = 0; k < 100; k++) wasmx_instance_free(few[k]);
    wasmx_pool_module module = {.module = m, .options = small};
    wasmx_pool *p = pool_with(&module, 1, 100);
    for (int round = 0; round < 3; round++) {
        for (int k = 0; k < 100; k++) cr_assert_eq(call(few[k] = acquire(p, m), "grow", 3, 0), 1);
        for (int k = 0; k < 100; k++) cr_assert(wasmx_pool_release(few[k]));
    }
    cr_assert(wasmx_pool_free(p));
}

static uint64_t data_now(void) { // what RLIMIT_DATA counts
    FILE *f = fopen("/proc/self/status", "r");
    char line[256];
    unsigned long kib = 0;
    while (f && fgets(line, sizeof line, f) && sscanf(line, "VmData: %lu", &kib) != 1) {}
    fclose(f);
    return (uint64_t)kib << 10;
}

Test(runtime_pool_use, growth_that_the_system_refuses_is_minus_one) {
    wasmx_pool_module m = {.module = compile(plain)};
    wasmx_pool *p = pool_with(&m, 1, 1);
    wasmx_pool_release(acquire(p, m.module));
    struct rlimit now;
    getrlimit(RLIMIT_DATA, &now);
    setrlimit(RLIMIT_DATA, &(struct rlimit){data_now() + ((uint64_t)4 << 20), now.rlim_max});
    for (int k = 0; k < 3; k++) {
        wasmx_instance *i = acquire(p, m.module);
        cr_assert_eq(call(i, "grow", 1000, 0), -1);
        cr_assert_eq(call(i, "grow", 4, 0), 1);
        cr_assert_eq(call(i, "grow_t", 5000000, 0), -1);
        cr_assert_eq(call(i, "grow_t", 10, 0), 1);
        cr_assert(wasmx_pool_release(i));
    }
    setrlimit(RLIMIT_DATA, &now);
    cr_assert(wasmx_pool_free(p));
}

Test(runtime_pool_use, a_pool_that_finds_no_address_space_says_so) {
    wasmx_pool_module m = {.module = compile(plain)};
    wasmx_pool *p = pool_with(&m, 1, 4);
    struct rlimit now;
    getrlimit(RLIMIT_AS, &now);
    setrlimit(RLIMIT_AS, &(struct rlimit){address_space() + ((uint64_t)64 << 20), now.rlim_max});
    cr_assert(strstr(acquire_refusal(p, m.module), "no address space"), "%s", acquire_refusal(p, m.module));
    setrlimit(RLIMIT_AS, &now);
    cr_assert(wasmx_pool_release(acquire(p, m.module)));
}

// ---- Misuse

static bool released_inside;

static wasmx_status release_caller(void *env, wasmx_instance *i, const wasmx_value *args, wasmx_value *results) {
    (void)env, (void)args, (void)results;
    released_inside = wasmx_pool_release(i);
    return WASMX_OK;
}

Test(runtime_pool_use, releases_that_are_refused) {
    wasmx_linker *l = wasmx_linker_new();
    wasmx_linker_define_callback(l, "h", "f", ":", release_caller, NULL);
    wasmx_pool_module m = {.options = {.linker = l}, .module = compile(
        "(module (import \"h\" \"f\" (func $f)) (memory 1) (func (export \"out\") (call $f)))")};
    wasmx_pool *p = pool_with(&m, 1, 1);
    wasmx_instance *i = acquire(p, m.module), *other = start(plain);
    released_inside = true;
    cr_assert_eq(try_call(i, "out", 0, 0, NULL), WASMX_OK);
    cr_assert_not(released_inside);
    cr_assert_not(wasmx_pool_release(other));
    cr_assert_not(wasmx_pool_release(NULL));
    cr_assert_not(wasmx_pool_free(p)); // i is in use
    cr_assert(wasmx_pool_release(i));
    cr_assert_not(wasmx_pool_release(i));
    cr_assert(wasmx_pool_free(p));
    cr_assert(wasmx_pool_free(NULL));
    wasmx_instance_free(other);
}

Test(runtime_pool_use, pools_that_are_refused) {
    wasmx_pool_module m = {.module = compile(plain)}, none = {0};
    cr_assert(strstr(pool_refusal(&m, 1, 0), "1 to 1000000 slots"));
    cr_assert(strstr(pool_refusal(&m, 1, 1000001), "1 to 1000000 slots"));
    cr_assert(strstr(pool_refusal(&m, 0, 1), "needs a module"));
    cr_assert(strstr(pool_refusal(&none, 1, 1), "NULL"));
    wasmx_pool *p = pool_with(&m, 1, 1);
    cr_assert(strstr(acquire_refusal(p, compile(plain)), "none of the pool's"));
}

Test(runtime_pool_use, shared_imports_are_refused) {
    wasmx_pool_module m = {.module = compile("(module (import \"a\" \"b\" (memory 1)))")};
    cr_assert(strstr(pool_refusal(&m, 1, 1), "\"a\" \"b\" would be shared"));
    m.module = compile("(module (import \"a\" \"c\" (table 1 funcref)))");
    cr_assert(strstr(pool_refusal(&m, 1, 1), "\"a\" \"c\" would be shared"));
    m.module = compile("(module (import \"a\" \"d\" (global (mut i32))))");
    cr_assert(strstr(pool_refusal(&m, 1, 1), "\"a\" \"d\" would be shared"));
    wasmx_linker *l = wasmx_linker_new();
    wasmx_instance *library = start(plain);
    wasmx_linker_define_instance(l, "a", library);
    m = (wasmx_pool_module){.options = {.linker = l}, .module = compile(
        "(module (import \"a\" \"grow\" (func (param i32) (result i32))) (memory 1))")};
    wasmx_pool *p = pool_with(&m, 1, 1);
    cr_assert(strstr(acquire_refusal(p, m.module), "cannot import functions of instances"));
    cr_assert(wasmx_pool_free(p));
    wasmx_instance_free(library);
}

Test(runtime_pool_use, an_import_nobody_has) {
    wasmx_pool_module m = {.module = compile("(module (import \"a\" \"b\" (func)) (memory 1))")};
    wasmx_pool *p = pool_with(&m, 1, 1);
    for (int k = 0; k < 3; k++) cr_assert(strstr(acquire_refusal(p, m.module), "unknown import \"a\" \"b\""));
    cr_assert_eq(stats_of(p).in_use, 0);
    cr_assert(wasmx_pool_free(p));
}

// ---- WASI: its own for each request

Test(runtime_pool_use, every_request_has_its_own_wasi) {
    wasmx_error err;
    wasmx_linker *l = wasmx_linker_new();
    wasmx_wasi *of_linker = wasmx_wasi_new(&(wasmx_wasi_config){.stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1}, &err);
    wasmx_linker_define_wasi(l, of_linker);
    wasmx_pool_module m = {.options = {.linker = l}, .module = compile(
        "(module (import \"wasi_snapshot_preview1\" \"args_sizes_get\" (func $sizes (param i32 i32) (result i32)))"
        "  (memory (export \"memory\") 1)"
        "  (func (export \"count\") (result i32) (drop (call $sizes (i32.const 0) (i32.const 4)))"
        "    (i32.load (i32.const 0))))")};
    wasmx_pool *p = pool_with(&m, 1, 1);
    cr_assert(strstr(acquire_refusal(p, m.module), "wasmx_pool_acquire_wasi"));
    const char *args[] = {"a", "b", "c", NULL};
    for (int k = 0; k < 3; k++) {
        wasmx_wasi *own = wasmx_wasi_new(&(wasmx_wasi_config){.args = args + k, .stdin_fd = -1, .stdout_fd = -1,
                                                              .stderr_fd = -1}, &err);
        wasmx_instance *i = wasmx_pool_acquire_wasi(p, m.module, NULL, own, &err);
        cr_assert_not_null(i, "%s", err.message);
        cr_assert_eq(call(i, "count", 0, 0), 3 - k);
        cr_assert(wasmx_pool_release(i));
        wasmx_wasi_free(own);
    }
    cr_assert(wasmx_pool_free(p));
}
