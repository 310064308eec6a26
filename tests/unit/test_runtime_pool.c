// tests/unit/test_runtime_pool.c: what a request leaves in an instance of a pool is gone at the next.
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/seccomp.h>
#include <malloc.h>

#include "runtime/pool.h"
#include "tests/unit/runtime_code.h"

// ---- A module that can change everything it has. The %s are more segments.

static const char scribbler[] =
    "(module (memory $m (export \"m\") %u 64) (memory $n (export \"n\") 1 3)"
    "  (global $g (export \"g\") (mut i32) (i32.const 7)) (global $h (export \"h\") (mut f64) (f64.const 2.5))"
    "  (global $r (export \"r\") (mut funcref) (ref.func $one))"
    "  (table $t (export \"t\") 8 100 funcref) (table $x (export \"x\") 4 externref) (table $fixed 2 2 funcref)"
    "  (elem (table $t) (i32.const 1) func $one $two) (elem (table $fixed) (i32.const 0) func $one $two)"
    "  (elem $e func $two) (data $d \"passive\") (data (memory $m) (i32.const 100) \"small\")"
    "  (data (memory $n) (i32.const 65530) \"second\") %s"
    "  (func $one (export \"one\") (result i32) (i32.const 1)) (func $two (result i32) (i32.const 2))"
    "  (func (export \"at\") (param i32) (result i32) (i32.load8_u $m (local.get 0)))"
    "  (func (export \"set\") (param i32 i32) (i32.store8 $m (local.get 0) (local.get 1)))"
    "  (func (export \"touch\") (param $pages i32) (param $stride i32) (local $at i32)"
    "    (loop $l (i32.store8 $m (local.get $at) (i32.const 255))"
    "      (local.set $at (i32.add (local.get $at) (local.get $stride)))"
    "      (br_if $l (local.tee $pages (i32.sub (local.get $pages) (i32.const 1))))))"
    "  (func (export \"grow\") (param i32) (result i32) (memory.grow $m (local.get 0)))"
    "  (func (export \"grow_t\") (param i32) (result i32) (table.grow $t (ref.null func) (local.get 0)))"
    "  (func (export \"size\") (result i32) (memory.size $m))"
    "  (func (export \"call\") (param i32) (result i32) (call_indirect $t (result i32) (local.get 0)))"
    "  (func (export \"init\") (result i32) (memory.init $d (i32.const 0) (i32.const 0) (i32.const 7))"
    "    (table.init $t $e (i32.const 0) (i32.const 0) (i32.const 1)) (i32.load8_u $m (i32.const 0)))"
    "  (func (export \"deep\") (param i32) (result i32)"
    "    (i32.add (i32.const 1) (call $deep2 (i32.add (local.get 0) (i32.const 1)))))"
    "  (func $deep2 (param i32) (result i32) (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 0))"
    "    (else (i32.add (i32.const 1) (call $deep2 (i32.add (local.get 0) (i32.const 1)))))))"
    "  (func (export \"scribble\") (param $grow i32)"
    "    (drop (memory.grow $m (local.get $grow))) (drop (memory.grow $n (i32.const 2)))"
    "    (memory.fill $m (i32.const 0) (i32.const 170) (i32.mul (memory.size $m) (i32.const 65536)))"
    "    (memory.fill $n (i32.const 0) (i32.const 187) (i32.mul (memory.size $n) (i32.const 65536)))"
    "    (global.set $g (i32.const -1)) (global.set $h (f64.const -1)) (global.set $r (ref.null func))"
    "    (table.fill $t (i32.const 0) (ref.null func) (i32.const 8)) (table.set $t (i32.const 7) (ref.func $two))"
    "    (drop (table.grow $t (ref.func $one) (i32.const 50))) (data.drop $d) (elem.drop $e)"
    "    (table.copy $t $t (i32.const 0) (i32.const 20) (i32.const 2)))"
    "  (func (export \"fill_x\") (param externref) (table.fill $x (i32.const 0) (local.get 0) (i32.const 4)))"
    "  (func (export \"crash\") (unreachable)))";

static const wasmx_module *scribbler_with(unsigned pages, const char *more, wasmx_bounds bounds) {
    size_t size = sizeof scribbler + strlen(more) + 16;
    char *text = malloc(size);
    snprintf(text, size, scribbler, pages, more);
    const wasmx_module *m = compile_with(text, bounds);
    free(text);
    return m;
}

// count segments of `length` bytes, `apart` from each other.
static char *segments(unsigned count, unsigned length, unsigned apart) {
    char *text = malloc((size_t)count * (length + 64) + 1), *at = text;
    *at = 0;
    for (unsigned k = 0; k < count; k++) {
        at += sprintf(at, "(data (memory $m) (i32.const %u) \"", 4096 + k * apart);
        for (unsigned n = 0; n < length; n++) *at++ = (char)('a' + (n + k) % 26);
        at += sprintf(at, "\")\n");
    }
    return text;
}

typedef struct sort { const char *name; unsigned pages, count, length, apart; } sort;
static const sort sorts[] = { // images: copied; mapped; mapped with holes; in many places
    {"small", 1, 0, 0, 0},
    {"large", 4, 1, 150000, 0},
    {"with holes", 24, 20, 9000, 70000},
    {"scattered", 48, 300, 300, 10000},
};

static const wasmx_module *scribbler_of(const sort *s, wasmx_bounds bounds) {
    return scribbler_with(s->pages, segments(s->count, s->length, s->apart), bounds);
}

static const wasmx_module *small(void) { return scribbler_of(&sorts[0], WASMX_BOUNDS_GUARD); }

static wasmx_pool *pool_of(const wasmx_module *m, wasmx_pool_options o) {
    wasmx_pool_module module = {.module = m};
    wasmx_error err = {""};
    if (!o.modules) {
        o.modules = &module;
        o.module_count = 1;
    }
    if (!o.slots) o.slots = 1;
    wasmx_pool *p = wasmx_pool_new(&o, &err);
    cr_assert_not_null(p, "%s", err.message);
    return p;
}

static wasmx_instance *acquire(wasmx_pool *p, const wasmx_module *m) {
    wasmx_error err = {""};
    wasmx_instance *i = wasmx_pool_acquire(p, m, NULL, &err);
    cr_assert_not_null(i, "%s", err.message);
    return i;
}

static wasmx_pool_stats stats_of(wasmx_pool *p) {
    wasmx_pool_stats s;
    wasmx_pool_get_stats(p, &s);
    return s;
}

// ---- Everything of two instances compared

static void expect_same_memory(wasmx_instance *a, wasmx_instance *b, const char *name) {
    wasmx_memory *x = wasmx_export_memory(a, name), *y = wasmx_export_memory(b, name);
    cr_assert_eq(wasmx_memory_size(x), wasmx_memory_size(y));
    for (uint64_t at = 0; at < wasmx_memory_size(x); at += 4096)
        cr_assert(!memcmp(wasmx_memory_data(x) + at, wasmx_memory_data(y) + at, 4096), "%s at page %lu", name,
                  (unsigned long)at / 4096);
}

static uint32_t place_of(const wasmx_instance *i, wasmx_value v) { // what a reference is in either instance
    if (!v.funcref) return 0;
    cr_assert_eq(v.funcref->owner, i);
    return (uint32_t)((char *)i - (char *)v.funcref);
}

static void expect_same_table(wasmx_instance *a, wasmx_instance *b, const char *name) {
    wasmx_extern x, y;
    cr_assert(wasmx_export(a, name, &x) && wasmx_export(b, name, &y));
    cr_assert_eq(wasmx_table_size(x.of.table), wasmx_table_size(y.of.table), "%s", name);
    for (uint64_t k = 0; k < wasmx_table_size(x.of.table); k++) {
        wasmx_value v, w;
        cr_assert(wasmx_table_get(x.of.table, k, &v) && wasmx_table_get(y.of.table, k, &w));
        cr_assert_eq(place_of(a, v), place_of(b, w), "%s[%lu]", name, (unsigned long)k);
    }
}

static wasmx_value global(wasmx_instance *i, const char *name) {
    wasmx_extern e;
    cr_assert(wasmx_export(i, name, &e));
    return wasmx_global_get(e.of.global);
}

static void expect_same(wasmx_instance *a, wasmx_instance *b) {
    expect_same_memory(a, b, "m");
    expect_same_memory(a, b, "n");
    expect_same_table(a, b, "t");
    expect_same_table(a, b, "x");
    cr_assert_eq(global(a, "g").i32, global(b, "g").i32);
    cr_assert_eq(global(a, "h").f64, global(b, "h").f64);
    cr_assert_eq(place_of(a, global(a, "r")), place_of(b, global(b, "r")));
    cr_assert_eq(wasmx_last_trap(a)->kind, WASMX_OK);
    const wasmx_module *m = a->module;
    cr_assert(!memcmp(WX_AREA(a, dropped_data, uint8_t), WX_AREA(b, dropped_data, uint8_t), m->data_count));
    cr_assert(!memcmp(WX_AREA(a, dropped_elems, uint8_t), WX_AREA(b, dropped_elems, uint8_t), m->elem_count));
}

// All it can do: 3 pages more, its last byte, and a trap.
static void scribble(wasmx_instance *i) {
    static int something;
    wasmx_value args[1] = {{.i32 = 3}}, none[1];
    cr_assert_eq(wasmx_call(func(i, "scribble"), args, none), WASMX_OK);
    args[0].externref = &something;
    cr_assert_eq(wasmx_call(func(i, "fill_x"), args, none), WASMX_OK);
    wasmx_memory *m = wasmx_export_memory(i, "m");
    cr_assert_eq(wasmx_memory_data(m)[wasmx_memory_size(m) - 1], 170);
    expect_trap(i, "crash", 0, 0, WASMX_TRAP_UNREACHABLE);
}

static void check_isolation(const sort *s, wasmx_bounds bounds, wasmx_pool_options o) {
    if (!wx_dirty_works(o.reset)) return;
    const wasmx_module *m = scribbler_of(s, bounds);
    wasmx_instance *fresh = start_with(m, NULL);
    wasmx_pool *p = pool_of(m, o);
    for (int round = 0; round < 6; round++) {
        wasmx_instance *i = acquire(p, m);
        expect_same(i, fresh);
        int32_t size = call(i, "size", 0, 0);
        cr_assert_eq(call(i, "call", 2, 0), 2);
        if (round % 2) scribble(i);
        else call(i, "grow", 1, 0), call(i, "set", size * 65536 + 65535, 9), call(i, "set", 5000, round);
        cr_assert(wasmx_pool_release(i));
        cr_assert_eq(acquire(p, m), i);
        expect_trap(i, "at", size * 65536, 0, WASMX_TRAP_MEMORY_OUT_OF_BOUNDS); // closed again
        cr_assert_eq(call(i, "grow", 1, 0), size);
        for (int at = 0; at < 65536; at += 4095) cr_assert_eq(call(i, "at", size * 65536 + at, 0), 0);
        cr_assert(wasmx_pool_release(i));
        cr_assert_eq(acquire(p, m), i);
        cr_assert_eq(call(i, "init", 0, 0), 'p'); // the segments are there again
        cr_assert_eq(call(i, "call", 0, 0), 2);
        cr_assert(wasmx_pool_release(i));
    }
    cr_assert(wasmx_pool_free(p));
    wasmx_instance_free(fresh);
}

static void check_all_sorts(wasmx_bounds bounds, wasmx_pool_options o) {
    for (size_t k = 0; k < WX_COUNT(sorts); k++) check_isolation(&sorts[k], bounds, o);
}

Test(runtime_pool, a_released_slot_is_a_fresh_instance) { check_all_sorts(WASMX_BOUNDS_GUARD, (wasmx_pool_options){0}); }

Test(runtime_pool, with_explicit_bounds_too) { check_all_sorts(WASMX_BOUNDS_EXPLICIT, (wasmx_pool_options){0}); }

Test(runtime_pool, by_every_way) {
    for (wasmx_reset way = WASMX_RESET_SCAN; way <= WASMX_RESET_DISCARD; way++)
        check_all_sorts(WASMX_BOUNDS_GUARD, (wasmx_pool_options){.reset = way, .always_search = way != WASMX_RESET_SCAN});
}

Test(runtime_pool, on_the_promise_of_one_thread) {
    check_all_sorts(WASMX_BOUNDS_GUARD, (wasmx_pool_options){.one_thread = true});
}

Test(runtime_pool, past_its_budget) {
    check_all_sorts(WASMX_BOUNDS_GUARD, (wasmx_pool_options){.keep_bytes = 3 * 4096});
    check_all_sorts(WASMX_BOUNDS_GUARD, (wasmx_pool_options){.keep_bytes = 1}); // none at all
}

Test(runtime_pool, the_way_can_be_asked_and_forced) {
    const wasmx_module *m = small();
    wasmx_pool_module module = {.module = m};
    wasmx_pool_options o = {.slots = 1, .modules = &module, .module_count = 1};
    wasmx_error err;
    setenv("WASMX_RESET", "discard", 1);
    wasmx_pool *p = pool_of(m, o);
    cr_assert_eq(stats_of(p).reset, WASMX_RESET_DISCARD);
    cr_assert_not(stats_of(p).learns);
    wasmx_pool_free(p);
    setenv("WASMX_RESET", "sometimes", 1);
    cr_assert_null(wasmx_pool_new(&o, &err));
    cr_assert(strstr(err.message, "it is auto, scan, pagemap or discard"), "%s", err.message);
    unsetenv("WASMX_RESET");
    p = pool_of(m, o);
    cr_assert_eq(stats_of(p).reset, wx_dirty_best());
    wasmx_pool_free(p);
    o.reset = (wasmx_reset)9;
    cr_assert_null(wasmx_pool_new(&o, &err));
}

// ---- What is not searched for

// In steady state: every request changes the pages that others changed.
static void settle(wasmx_pool *p, const wasmx_module *m, int pages) {
    for (int k = 0; k < 20; k++) {
        wasmx_instance *i = acquire(p, m);
        (void)try_call(i, "touch", pages, 8192, NULL);
        cr_assert(wasmx_pool_release(i));
    }
}

static bool learns(wasmx_pool *p) { // not under emulators
    if (stats_of(p).learns) return true;
    cr_log_info("page faults cannot be counted here");
    return false;
}

Test(runtime_pool, known_pages_need_no_search) {
    const wasmx_module *m = scribbler_of(&sorts[2], WASMX_BOUNDS_GUARD);
    wasmx_pool *p = pool_of(m, (wasmx_pool_options){.one_thread = true});
    if (!learns(p)) return;
    wasmx_pool_stats before, after;
    int rounds = 0;
    do { // other faults of the process make searches; not for ever
        before = stats_of(p);
        settle(p, m, 10);
        after = stats_of(p);
    } while (after.searched != before.searched && ++rounds < 200);
    cr_assert_eq(after.searched, before.searched);
    cr_assert_eq(after.spared, before.spared + 40); // two memories
    cr_assert_geq(after.copied_bytes - before.copied_bytes, 20u * 10 * 4096);
    cr_assert_eq(after.discarded, 0);
}

static void expect_clean_after(wasmx_pool *p, const wasmx_module *m, uint64_t at, uint8_t was) {
    wasmx_instance *i = acquire(p, m);
    cr_assert_eq(wasmx_memory_data(wasmx_export_memory(i, "m"))[at], was);
    cr_assert(wasmx_pool_release(i));
}

Test(runtime_pool, what_the_kernel_writes_is_found) {
    const wasmx_module *m = scribbler_of(&sorts[2], WASMX_BOUNDS_GUARD);
    for (int one = 0; one < 2; one++) {
        wasmx_pool *p = pool_of(m, (wasmx_pool_options){.one_thread = one});
        int zero = open("/dev/zero", O_RDONLY), ends[2];
        cr_assert(zero >= 0 && !pipe(ends));
        settle(p, m, 3);
        for (int page = 40; page < 60; page++) {
            wasmx_instance *i = acquire(p, m);
            uint8_t *at = wasmx_memory_data(wasmx_export_memory(i, "m")) + page * 4096 + 17, was = *at;
            cr_assert_eq(write(ends[1], "x", 1), 1);
            cr_assert_eq(read(ends[0], at, 1), 1); // into a page of the image that was never written: no EFAULT
            cr_assert_eq(*at, 'x');
            cr_assert(wasmx_pool_release(i));
            expect_clean_after(p, m, (uint64_t)page * 4096 + 17, was);
        }
        wasmx_pool_free(p);
    }
}

static void *write_there(void *p) {
    *(volatile uint8_t *)p = 77;
    return NULL;
}

Test(runtime_pool, what_another_thread_writes_is_found) {
    const wasmx_module *m = scribbler_of(&sorts[2], WASMX_BOUNDS_GUARD);
    wasmx_pool *p = pool_of(m, (wasmx_pool_options){0});
    settle(p, m, 3);
    for (int page = 40; page < 60; page++) {
        wasmx_instance *i = acquire(p, m);
        uint8_t *at = wasmx_memory_data(wasmx_export_memory(i, "m")) + page * 4096 + 17, was = *at;
        pthread_t other;
        pthread_create(&other, NULL, write_there, at);
        pthread_join(other, NULL);
        cr_assert(wasmx_pool_release(i));
        expect_clean_after(p, m, (uint64_t)page * 4096 + 17, was);
    }
}

Test(runtime_pool, released_by_another_thread) {
    const wasmx_module *m = scribbler_of(&sorts[2], WASMX_BOUNDS_GUARD);
    wasmx_pool *p = pool_of(m, (wasmx_pool_options){.one_thread = true}); // a promise broken half: still found
    settle(p, m, 3);
    wasmx_instance *i = acquire(p, m);
    call(i, "set", 40 * 4096, 200);
    pthread_t other;
    pthread_create(&other, NULL, (void *(*)(void *))(void (*)(void))wasmx_pool_release, i);
    pthread_join(other, NULL);
    cr_assert_eq(call(acquire(p, m), "at", 40 * 4096, 0), call(start_with(m, NULL), "at", 40 * 4096, 0));
}

Test(runtime_pool, pages_that_stop_changing_are_let_go) {
    const wasmx_module *m = scribbler_of(&sorts[3], WASMX_BOUNDS_GUARD);
    wasmx_pool *p = pool_of(m, (wasmx_pool_options){0});
    if (stats_of(p).reset == WASMX_RESET_DISCARD) return;
    settle(p, m, 200);
    uint64_t before = stats_of(p).copied_bytes;
    settle(p, m, 1);
    cr_assert_geq(stats_of(p).copied_bytes - before, 20u * 200 * 4096); // all of them, every time
    for (int k = 0; k < 30; k++) settle(p, m, 1);
    before = stats_of(p).copied_bytes;
    settle(p, m, 1);
    cr_assert_lt(stats_of(p).copied_bytes - before, 20u * 20 * 4096);
    expect_same(acquire(p, m), start_with(m, NULL));
}

// ---- What a warm acquire does

Test(runtime_pool, a_warm_acquire_makes_no_system_call) {
    const wasmx_module *m = scribbler_of(&sorts[1], WASMX_BOUNDS_GUARD);
    wasmx_pool *p = pool_of(m, (wasmx_pool_options){0});
    settle(p, m, 4);
    wasmx_error err;
    size_t before = mallinfo2().uordblks;
    pid_t child = fork();
    if (!child) { // in this mode of the kernel's, all but read, write and exit are the end
        if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT)) _exit(3);
        wasmx_instance *i = wasmx_pool_acquire(p, m, NULL, &err);
        bool same = mallinfo2().uordblks == before;
        syscall(SYS_exit, i && same ? 0 : 1);
    }
    int status;
    waitpid(child, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 3) return; // emulators have no such mode
    cr_assert(WIFEXITED(status) && !WEXITSTATUS(status), "status %x", status);
}

Test(runtime_pool, what_was_exported_stays_where_it_is) {
    const wasmx_module *m = small();
    wasmx_pool *p = pool_of(m, (wasmx_pool_options){0});
    wasmx_instance *i = acquire(p, m);
    wasmx_func *f = func(i, "size");
    wasmx_extern g, after;
    cr_assert(wasmx_export(i, "g", &g));
    cr_assert(wasmx_global_set(g.of.global, (wasmx_value){.i32 = 5}));
    wasmx_pool_release(i);
    cr_assert_eq(func(acquire(p, m), "size"), f);
    cr_assert(wasmx_export(i, "g", &after) && after.of.global == g.of.global);
    cr_assert_eq(wasmx_global_get(g.of.global).i32, 7);
}

// ---- fork

static int check_here(wasmx_pool *p, const wasmx_module *m, wasmx_instance *i, int depth) {
    scribble(i);
    if (!wasmx_pool_release(i)) return 1;
    for (int k = 0; k < 30; k++) {
        i = acquire(p, m);
        expect_same(i, start_with(m, NULL));
        (void)try_call(i, "touch", 5 + k, 4096, NULL);
        if (k == 15 && depth) {
            pid_t child = fork();
            if (!child) _exit(check_here(p, m, i, depth - 1));
            int status;
            waitpid(child, &status, 0);
            if (status) return 2;
        }
        if (!wasmx_pool_release(i)) return 1;
    }
    return 0;
}

static int descriptors(void) {
    int count = 0;
    for (int fd = 0; fd < 256; fd++) count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

Test(runtime_pool, fork_in_the_middle) {
    const wasmx_module *m = scribbler_of(&sorts[2], WASMX_BOUNDS_GUARD);
    wasmx_pool *p = pool_of(m, (wasmx_pool_options){0});
    settle(p, m, 3);
    wasmx_instance *i = acquire(p, m);
    int before = descriptors();
    pid_t child = fork();
    if (!child) {
        int result = check_here(p, m, i, 2);
        _exit(result ? result : descriptors() > before ? 9 : 0);
    }
    int status;
    waitpid(child, &status, 0);
    cr_assert_eq(status, 0, "%x", status);
    cr_assert_eq(check_here(p, m, i, 0), 0);
}

// Puts /dev/null where a descriptor of ours is; false: there is none.
static bool replace(const char *what) {
    char link[64], target[256];
    for (int fd = 0; fd < 256; fd++) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        ssize_t n = readlink(link, target, sizeof target - 1);
        if (n <= 0 || (target[n] = 0, !strstr(target, what))) continue;
        int null = open("/dev/null", O_RDWR);
        dup2(null, fd);
        close(null);
        return true;
    }
    return false;
}

Test(runtime_pool, a_host_that_closes_all_descriptors) {
    const wasmx_module *m = scribbler_of(&sorts[2], WASMX_BOUNDS_GUARD);
    wasmx_pool *p = pool_of(m, (wasmx_pool_options){.always_search = true, .slots = 2});
    wasmx_error err;
    settle(p, m, 3);
    cr_assert(replace("/pagemap") || stats_of(p).reset != WASMX_RESET_SCAN);
    for (int k = 0; k < 4; k++) {
        wasmx_instance *i = acquire(p, m);
        (void)try_call(i, "touch", 30, 4096, NULL);
        cr_assert(wasmx_pool_release(i));
        i = acquire(p, m);
        for (int at = 0; at < 30 * 4096; at += 4096) cr_assert_neq(call(i, "at", at, 0), 255);
        cr_assert(wasmx_pool_release(i));
    }
    wasmx_instance *i = acquire(p, m);
    cr_assert(replace("wasmx-image"));
    cr_assert_null(wasmx_pool_acquire(p, m, NULL, &err)); // rather than another file's bytes
    cr_assert(strstr(err.message, "descriptor of the memory's image"), "%s", err.message);
    cr_assert(wasmx_pool_release(i));
}

// ---- Threads

typedef struct crowd { wasmx_pool *pool; const wasmx_module *m; int32_t first; int served, wrong; } crowd;

static void *serve(void *p) {
    crowd *c = p;
    wasmx_error err;
    for (int k = 0; k < 1000; k++) {
        wasmx_instance *i = wasmx_pool_acquire(c->pool, c->m, c, &err);
        if (!i) {
            c->wrong += !strstr(err.message, "all 3 instances of the pool are in use");
            continue;
        }
        c->served++;
        c->wrong += wasmx_host(i) != c || call(i, "at", 50000, 0) != c->first || global(i, "g").i32 != 7;
        (void)try_call(i, "touch", 1 + k % 12, 5000, NULL);
        (void)call(i, "grow", 1, 0);
        call(i, "set", 50000, 1);
        if (k % 50 == 0) scribble(i);
        c->wrong += !wasmx_pool_release(i);
    }
    return NULL;
}

Test(runtime_pool, four_threads_three_slots) {
    const wasmx_module *m = scribbler_of(&sorts[1], WASMX_BOUNDS_GUARD);
    wasmx_pool *p = pool_of(m, (wasmx_pool_options){.slots = 3});
    crowd c[4];
    pthread_t threads[4];
    int32_t first = call(start_with(m, NULL), "at", 50000, 0);
    for (int k = 0; k < 4; k++) {
        c[k] = (crowd){.pool = p, .m = m, .first = first};
        pthread_create(&threads[k], NULL, serve, &c[k]);
    }
    uint64_t served = 0;
    for (int k = 0; k < 4; k++) {
        pthread_join(threads[k], NULL);
        cr_assert_eq(c[k].wrong, 0);
        served += (uint64_t)c[k].served;
    }
    cr_assert_eq(stats_of(p).acquired, served);
    cr_assert_eq(stats_of(p).in_use, 0);
    cr_assert(wasmx_pool_free(p));
}

// ---- Many

static int lines_of(const char *path) {
    FILE *f = fopen(path, "r");
    int lines = 0;
    for (int c; (c = getc(f)) != EOF;) lines += c == '\n';
    fclose(f);
    return lines;
}

#define OF_THE_ALLOCATOR 64 // mappings: a sanitizer's maps a piece now and then; one lost in a thousand instances is more

Test(runtime_pool, a_hundred_thousand_instances_leave_nothing) {
    const wasmx_module *m = scribbler_of(&sorts[1], WASMX_BOUNDS_GUARD);
    wasmx_pool *p = pool_of(m, (wasmx_pool_options){.slots = 8});
    int maps = 0, open_files = 0;
    for (int k = 0; k < 100000; k++) {
        wasmx_instance *i = acquire(p, m);
        call(i, "set", k % 100000, 1);
        if (k % 16 == 0) call(i, "grow", 1 + k % 3, 0);
        cr_assert(wasmx_pool_release(i));
        i = start_with(m, NULL);
        call(i, "set", k % 100000, 1);
        wasmx_instance_free(i);
        if (k == 1000) maps = lines_of("/proc/self/maps"), open_files = descriptors();
    }
    cr_assert_leq(lines_of("/proc/self/maps"), maps + OF_THE_ALLOCATOR);
    cr_assert_eq(descriptors(), open_files);
    cr_assert_eq(stats_of(p).made, 1);
    cr_assert(wasmx_pool_free(p));
}

Test(runtime_pool, a_scattered_image_is_few_mappings) {
    const wasmx_module *m = scribbler_of(&sorts[3], WASMX_BOUNDS_GUARD);
    wasmx_pool *p = pool_of(m, (wasmx_pool_options){.slots = 20});
    wasmx_instance *i[20];
    int before = lines_of("/proc/self/maps");
    for (int k = 0; k < 20; k++) (void)try_call(i[k] = acquire(p, m), "touch", 200, 12288, NULL);
    cr_assert_lt(lines_of("/proc/self/maps") - before, 20 * 70);
    for (int k = 0; k < 20; k++) wasmx_pool_release(i[k]);
    cr_assert_lt(lines_of("/proc/self/maps") - before, 20 * 70);
}
