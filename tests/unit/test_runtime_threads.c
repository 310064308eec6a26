// tests/unit/test_runtime_threads.c: shared memories and atomics through the embedding interface: instances on several
// threads, growth under the readers' feet, wait and notify.
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/runtime_code.h"

static const char text[] =
    "(module (import \"env\" \"memory\" (memory 1 64 shared))"
    " (func (export \"add\") (param $at i32) (param $n i32) (loop $l"
    "   (drop (i32.atomic.rmw.add (local.get $at) (i32.const 1)))"
    "   (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))"
    " (func (export \"size\") (result i32) (memory.size))"
    " (func (export \"grow\") (param i32) (result i32) (memory.grow (local.get 0)))"
    " (func (export \"peek\") (param i32) (result i32) (i32.load (local.get 0)))"
    " (func (export \"wait\") (param $at i32) (param $milliseconds i32) (result i32)"
    "   (memory.atomic.wait32 (local.get $at) (i32.const 0)"
    "     (i64.mul (i64.extend_i32_s (local.get $milliseconds)) (i64.const 1000000))))"
    " (func (export \"wait64\") (param $at i32) (param $milliseconds i32) (result i32)"
    "   (memory.atomic.wait64 (local.get $at) (i64.const 0)"
    "     (i64.mul (i64.extend_i32_s (local.get $milliseconds)) (i64.const 1000000))))"
    " (func (export \"notify\") (param i32 i32) (result i32) (memory.atomic.notify (local.get 0) (local.get 1)))"
    // Touches the last word of what memory.size says, again and again; the pages it saw.
    " (func (export \"follow\") (param $until i32) (result i32) (local $n i32) (loop $l"
    "   (local.set $n (memory.size))"
    "   (i32.atomic.store offset=0 (i32.sub (i32.mul (local.get $n) (i32.const 65536)) (i32.const 4)) (i32.const 1))"
    "   (br_if $l (i32.lt_u (local.get $n) (local.get $until)))) (local.get $n)))";

static const wasmx_module *module;
static wasmx_memory *shared;
static wasmx_linker *linker;

static void begin(wasmx_bounds bounds) {
    module = compile_with(text, bounds);
    shared = wasmx_memory_new_shared(1, 64);
    cr_assert(shared && wasmx_memory_is_shared(shared));
    linker = wasmx_linker_new();
    wasmx_linker_define(linker, "env", "memory", (wasmx_extern){.kind = WASMX_MEMORY, .of.memory = shared});
}

static wasmx_instance *fresh(void) { return start_with(module, &(wasmx_options){.linker = linker}); }

// A call on a thread of its own, with an instance of its own.
typedef struct work {
    const char *name;
    int32_t a, b, result;
    wasmx_status status;
    pthread_t thread;
} work;

static void *do_work(void *p) {
    work *w = p;
    wasmx_instance *i = fresh();
    w->status = try_call(i, w->name, w->a, w->b, &w->result);
    wasmx_instance_free(i);
    return NULL;
}

static void begin_work(work *w, const char *name, int32_t a, int32_t b) {
    *w = (work){.name = name, .a = a, .b = b};
    cr_assert(!pthread_create(&w->thread, NULL, do_work, w));
}

static int32_t end_work(work *w) {
    pthread_join(w->thread, NULL);
    return w->result;
}

static uint32_t word(uint32_t at) { return atomic_load((_Atomic uint32_t *)(wasmx_memory_data(shared) + at)); }

// ---- Instances in parallel

static void count_together(wasmx_bounds bounds) {
    work w[6];
    begin(bounds);
    for (int k = 0; k < 6; k++) begin_work(&w[k], "add", 8 * (k % 2), 50000);
    for (int k = 0; k < 6; k++) end_work(&w[k]);
    cr_expect(word(0) == 150000 && word(8) == 150000, "%u %u", word(0), word(8));
}

Test(threads, instances_share_a_memory_by_guard_pages) { count_together(WASMX_BOUNDS_GUARD); }
Test(threads, instances_share_a_memory_with_compares) { count_together(WASMX_BOUNDS_EXPLICIT); }

// A trap, a stack overflow in one are none in the other, and both threads go on.
Test(threads, a_trap_ends_the_call_of_one_thread) {
    work w[4];
    begin(WASMX_BOUNDS_GUARD);
    for (int round = 0; round < 50; round++) {
        begin_work(&w[0], "add", 0, 2000);
        begin_work(&w[1], "peek", 64 << 16, 0);
        begin_work(&w[2], "add", 0, 2000);
        begin_work(&w[3], "add", 2, 1);
        for (int k = 0; k < 4; k++) end_work(&w[k]);
        cr_assert(w[0].status == WASMX_OK && w[2].status == WASMX_OK);
        cr_assert(w[1].status == WASMX_TRAP_MEMORY_OUT_OF_BOUNDS && w[3].status == WASMX_TRAP_UNALIGNED_ATOMIC);
    }
    cr_expect_eq(word(0), 200000);
}

// ---- Growth

static void grow_and_follow(wasmx_bounds bounds) {
    work w[3];
    begin(bounds);
    const uint8_t *base = wasmx_memory_data(shared);
    for (int k = 0; k < 3; k++) begin_work(&w[k], "follow", 64, 0);
    for (int pages = 1; pages < 64; pages++) cr_assert_neq(wasmx_memory_grow(shared, 1), UINT64_MAX);
    for (int k = 0; k < 3; k++) cr_expect(end_work(&w[k]) == 64 && w[k].status == WASMX_OK);
    cr_expect(wasmx_memory_data(shared) == base && wasmx_memory_size(shared) == 64 << 16);
    cr_expect_eq(wasmx_memory_grow(shared, 1), UINT64_MAX, "beyond the maximum");
}

Test(threads, a_memory_grows_under_its_users_by_guard_pages) { grow_and_follow(WASMX_BOUNDS_GUARD); }
Test(threads, a_memory_grows_under_its_users_with_compares) { grow_and_follow(WASMX_BOUNDS_EXPLICIT); }

// Each page is given to one.
Test(threads, growth_from_several_threads_adds_up) {
    work w[8];
    bool seen[64] = {false};
    begin(WASMX_BOUNDS_GUARD);
    for (int round = 0; round < 7; round++) {
        for (int k = 0; k < 8; k++) begin_work(&w[k], "grow", 1, 0);
        for (int k = 0; k < 8; k++) {
            int32_t old = end_work(&w[k]);
            cr_assert(old > 0 && old < 64 && !seen[old], "%d", old);
            seen[old] = true;
        }
    }
    cr_expect_eq(wasmx_memory_size(shared), 57 << 16);
}

// ---- Wait and notify

static void sleep_ms(int n) { nanosleep(&(struct timespec){n / 1000, n % 1000 * 1000000L}, NULL); }

// Until so many wait at an address: tried without waking anyone too many.
static int32_t notify_all_of(uint32_t at, int32_t most, int want) {
    wasmx_instance *i = fresh();
    int32_t woken = 0;
    for (int k = 0; k < 2000 && woken < want; k++, sleep_ms(1)) woken += call(i, "notify", (int32_t)at, most);
    wasmx_instance_free(i);
    return woken;
}

Test(threads, a_waiter_is_woken) {
    work w;
    begin(WASMX_BOUNDS_GUARD);
    begin_work(&w, "wait", 16, -1);
    cr_expect_eq(notify_all_of(16, 1, 1), 1);
    cr_expect_eq(end_work(&w), 0);
}

Test(threads, notify_wakes_as_many_as_it_says_and_at_its_address_only) {
    work w[5];
    begin(WASMX_BOUNDS_GUARD);
    for (int k = 0; k < 4; k++) begin_work(&w[k], k % 2 ? "wait64" : "wait", 32, -1);
    begin_work(&w[4], "wait", 48, 300);
    sleep_ms(100);
    wasmx_instance *i = fresh();
    cr_expect_eq(call(i, "notify", 32, 0), 0);
    cr_expect_eq(call(i, "notify", 40, -1), 0);
    cr_expect_eq(notify_all_of(32, 3, 3), 3);
    cr_expect_eq(notify_all_of(32, -1, 1), 1);
    for (int k = 0; k < 4; k++) cr_expect_eq(end_work(&w[k]), 0);
    cr_expect_eq(end_work(&w[4]), 2);
    cr_expect_eq(call(i, "notify", 32, -1), 0);
}

Test(threads, waiting_takes_its_time) {
    struct timespec a, b;
    begin(WASMX_BOUNDS_GUARD);
    wasmx_instance *i = fresh();
    cr_expect_eq(call(i, "wait", 0, 0), 2);
    clock_gettime(CLOCK_MONOTONIC, &a);
    cr_expect_eq(call(i, "wait64", 0, 60), 2);
    clock_gettime(CLOCK_MONOTONIC, &b);
    cr_expect((b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000 >= 59);
    wasmx_memory_data(shared)[0] = 1;
    cr_expect_eq(call(i, "wait", 0, -1), 1);
    cr_expect_eq(call(i, "wait64", 0, -1), 1);
}

Test(threads, misuse_of_waiting_traps) {
    begin(WASMX_BOUNDS_GUARD);
    wasmx_instance *i = fresh();
    expect_trap(i, "wait", 2, 0, WASMX_TRAP_UNALIGNED_ATOMIC);
    expect_trap(i, "wait64", 4, 0, WASMX_TRAP_UNALIGNED_ATOMIC);
    expect_trap(i, "wait", 1 << 16, 0, WASMX_TRAP_MEMORY_OUT_OF_BOUNDS);
    expect_trap(i, "notify", 1 << 16, 0, WASMX_TRAP_MEMORY_OUT_OF_BOUNDS);
    expect_trap(i, "notify", -4, 0, WASMX_TRAP_MEMORY_OUT_OF_BOUNDS);
    expect_trap(i, "notify", 1, 0, WASMX_TRAP_UNALIGNED_ATOMIC);
    i = start("(module (memory 1) (func (export \"w\") (param i32 i32) (result i32)"
              " (memory.atomic.wait32 (local.get 0) (i32.const 0) (i64.const -1))))");
    expect_trap(i, "w", 0, 0, WASMX_TRAP_EXPECTED_SHARED_MEMORY);
}

// No wake is lost: a ball goes to and fro, each player waits for the other's word.
static void *play(void *p) {
    const bool first = p;
    wasmx_instance *i = fresh();
    _Atomic uint32_t *mine = (_Atomic uint32_t *)(wasmx_memory_data(shared) + (first ? 0 : 64));
    _Atomic uint32_t *other = (_Atomic uint32_t *)(wasmx_memory_data(shared) + (first ? 64 : 0));
    for (int k = 0; k < 5000; k++) {
        if (first || k) {
            while (!atomic_load(mine)) call(i, "wait", first ? 0 : 64, -1);
            atomic_store(mine, 0);
        }
        atomic_store(other, 1);
        call(i, "notify", first ? 64 : 0, 1);
    }
    wasmx_instance_free(i);
    return NULL;
}

Test(threads, no_wake_is_lost) {
    pthread_t a, b;
    begin(WASMX_BOUNDS_GUARD);
    cr_assert(!pthread_create(&a, NULL, play, (void *)1) && !pthread_create(&b, NULL, play, NULL));
    pthread_join(a, NULL);
    pthread_join(b, NULL);
}

// ---- Types of imports

Test(threads, shared_and_other_memories_do_not_match) {
    wasmx_memory *own = wasmx_memory_new(1, 64);
    begin(WASMX_BOUNDS_GUARD);
    wasmx_options options = {.linker = linker};
    wasmx_linker_define(linker, "env", "memory", (wasmx_extern){.kind = WASMX_MEMORY, .of.memory = own});
    cr_expect(strstr(refusal(module, &options), "module wants a shared memory"));
    wasmx_linker_define(linker, "env", "memory", (wasmx_extern){.kind = WASMX_MEMORY, .of.memory = shared});
    const wasmx_module *unshared = compile("(module (import \"env\" \"memory\" (memory 1 64)))");
    cr_expect(strstr(refusal(unshared, &options), "module wants a memory of its own"));
    const wasmx_module *smaller = compile("(module (import \"env\" \"memory\" (memory 1 63 shared)))");
    cr_expect(strstr(refusal(smaller, &options), "module wants a memory of 1 to 63, given a memory of 1 to 64"));
    wasmx_memory_free(own);
}

Test(threads, a_shared_memory_needs_a_maximum) {
    cr_expect_null(wasmx_memory_new_shared(1, UINT64_MAX));
    cr_expect_null(wasmx_memory_new_shared(2, 1));
    wasmx_memory *own = wasmx_memory_new(0, UINT64_MAX);
    cr_expect_not(wasmx_memory_is_shared(own));
    wasmx_memory_free(own);
}

// A module may define and export it; another instance imports it.
Test(threads, a_shared_memory_of_a_module) {
    wasmx_instance *owner = start("(module (memory (export \"memory\") 1 64 shared) (data (i32.const 8) \"\\07\"))");
    begin(WASMX_BOUNDS_GUARD);
    wasmx_linker_define_instance(linker, "env", owner);
    wasmx_instance *user = fresh();
    cr_expect_eq(call(user, "peek", 8, 0), 7);
    cr_expect_eq(call(user, "grow", 2, 0), 1);
    cr_expect_eq(wasmx_memory_size(wasmx_export_memory(owner, "memory")), 3 << 16);
    cr_expect(wasmx_memory_is_shared(wasmx_export_memory(owner, "memory")));
}
