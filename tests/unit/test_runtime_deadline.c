// tests/unit/test_runtime_deadline.c: wasmx_set_deadline and wasmx_interrupt.
#include <pthread.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/compile_code.h"

#define MS ((uint64_t)1000000)

#define SPINS \
    "(module (memory 1) (table 1 funcref)" \
    " (func $loop (export \"loop\") (loop $l (br $l)))" \
    " (func $two (export \"irreducible\") (param i32)" \
    "   (loop $a (loop $b (br_if $a (local.get 0)) (br_if $b (i32.const 1)))))" \
    " (func $recurse (export \"recurse\") (param i32) (if (local.get 0)" \
    "   (then (call $recurse (i32.sub (local.get 0) (i32.const 1)))" \
    "         (call $recurse (i32.sub (local.get 0) (i32.const 1))))))" \
    " (func $tail (export \"tail\") (return_call $tail))" \
    " (func (export \"f\") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))" \
    " (func (export \"fill\") (loop $l (memory.fill (i32.const 0) (i32.const 1) (i32.const 65536)) (br $l))))"

static wasmx_code *spin_code(const char *text, char level, wasmx_bounds bounds) {
    wasmx_output out = compiled_text(text, (wasmx_compile_options){.name = "test", .opt_level = level, .bounds = bounds,
                                                                   .interruptible = true});
    wasmx_code *code = loaded(&out, "test");
    wasmx_output_free(&out);
    return code;
}

static wasmx_instance *spinner(const char *text, char level) {
    return instance_of(wasmx_code_module(spin_code(text, level, WASMX_BOUNDS_GUARD)), NULL);
}

static wasmx_status call(wasmx_instance *i, const char *name, int32_t argument) {
    wasmx_value in = {.i32 = argument}, out;
    return wasmx_call(export_of(i, name), &in, &out);
}

static void every_spin_ends(wasmx_instance *i) {
    static const char *const names[] = {"loop", "irreducible", "recurse", "tail", "fill"};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        cr_assert(wasmx_set_deadline(i, WASMX_TIME_WALL, 2 * MS));
        cr_assert_eq(call(i, names[k], k == 2 ? 60 : 0), WASMX_TRAP_INTERRUPTED, "%s", names[k]);
        cr_assert_str_eq(wasmx_last_trap(i)->message, "interrupted");
        cr_assert_geq(wasmx_last_trap(i)->frame_count, 1);
    }
    cr_assert(wasmx_set_deadline(i, WASMX_TIME_WALL, 0));
    cr_assert_eq(result_of(i, "f", 1), 2);
}

Test(deadline, ends_loops_recursion_and_tail_calls) {
    every_spin_ends(spinner(SPINS, '0'));
    every_spin_ends(spinner(SPINS, '2'));
}

Test(deadline, ends_code_with_explicit_bounds) {
    every_spin_ends(instance_of(wasmx_code_module(spin_code(SPINS, '2', WASMX_BOUNDS_EXPLICIT)), NULL));
}

Test(deadline, ends_code_made_on_demand) {
    wasmx_compile_error err = {""};
    wasmx_compile_options options = {.name = "test", .interruptible = true};
    wasmx_code *code = wasmx_code_compile(SPINS, strlen(SPINS), &options, &err);
    cr_assert_not_null(code, "%s", err.line);
    every_spin_ends(instance_of(wasmx_code_module(code), NULL));
}

Test(deadline, works_without_a_memory) {
    wasmx_instance *i = spinner("(module (func (export \"loop\") (loop $l (br $l))))", '2');
    cr_assert(wasmx_set_deadline(i, WASMX_TIME_WALL, 2 * MS));
    cr_assert_eq(call(i, "loop", 0), WASMX_TRAP_INTERRUPTED);
    wasmx_instance_free(i);
}

Test(deadline, may_count_processor_time_of_the_thread) {
    wasmx_instance *i = spinner(SPINS, '2');
    cr_assert(wasmx_set_deadline(i, WASMX_TIME_THREAD, 3 * MS));
    nanosleep(&(struct timespec){.tv_nsec = 20 * (long)MS}, NULL); // sleeping takes none
    cr_assert_eq(result_of(i, "f", 1), 2);
    cr_assert_eq(call(i, "loop", 0), WASMX_TRAP_INTERRUPTED);
}

Test(deadline, that_has_passed_ends_every_call_until_it_is_set_anew) {
    wasmx_instance *i = spinner(SPINS, '2');
    cr_assert(wasmx_set_deadline(i, WASMX_TIME_WALL, 1));
    cr_assert_eq(call(i, "loop", 0), WASMX_TRAP_INTERRUPTED);
    cr_assert_eq(call(i, "loop", 0), WASMX_TRAP_INTERRUPTED);
    cr_assert(wasmx_set_deadline(i, WASMX_TIME_WALL, 1000 * MS));
    cr_assert_eq(call(i, "recurse", 3), WASMX_OK);
}

Test(deadline, that_is_far_away_does_nothing) {
    wasmx_instance *i = spinner(SPINS, '2');
    cr_assert(wasmx_set_deadline(i, WASMX_TIME_WALL, UINT64_MAX));
    cr_assert_eq(call(i, "recurse", 5), WASMX_OK);
    wasmx_instance_free(i);
}

Test(deadline, of_a_module_that_does_not_look_is_refused) {
    wasmx_instance *i = instance_of(module_of_text(SPINS, '0'), NULL);
    cr_assert_not(wasmx_set_deadline(i, WASMX_TIME_WALL, MS));
    cr_assert(wasmx_set_deadline(i, WASMX_TIME_WALL, 0));
    cr_assert_not(wasmx_interrupt(i));
    wasmx_error err;
    wasmx_options options = {.deadline_ns = MS};
    cr_assert_null(wasmx_instantiate(module_of_text(SPINS, '0'), &options, &err));
    cr_assert(strstr(err.message, "--interruptible"), "%s", err.message);
}

Test(deadline, of_the_options_ends_a_start_function) {
    wasmx_error err;
    wasmx_options options = {.deadline_ns = 2 * MS};
    const char *text = "(module (memory 1) (func $s (loop $l (br $l))) (start $s))";
    const wasmx_module *m = wasmx_code_module(spin_code(text, '2', WASMX_BOUNDS_GUARD));
    cr_assert_null(wasmx_instantiate(m, &options, &err));
    cr_assert(strstr(err.message, "interrupted"), "%s", err.message);
}

static void *interrupt_later(void *instance) {
    nanosleep(&(struct timespec){.tv_nsec = 5 * (long)MS}, NULL);
    return wasmx_interrupt(instance) ? instance : NULL;
}

Test(deadline, another_thread_may_interrupt) {
    wasmx_instance *i = spinner(SPINS, '2');
    for (int k = 0; k < 3; k++) {
        pthread_t t;
        void *done;
        pthread_create(&t, NULL, interrupt_later, i);
        cr_assert_eq(call(i, "loop", 0), WASMX_TRAP_INTERRUPTED);
        pthread_join(t, &done);
        cr_assert_not_null(done);
        cr_assert(wasmx_set_deadline(i, WASMX_TIME_WALL, 0));
        cr_assert_eq(call(i, "recurse", 3), WASMX_OK);
    }
}

// Setting and clearing race with the thread that watches; no interruption may stay behind.
Test(deadline, cleared_in_time_leaves_nothing_behind) {
    wasmx_instance *i = spinner(SPINS, '2');
    for (int k = 0; k < 3000; k++) {
        wasmx_set_deadline(i, WASMX_TIME_WALL, 1 + (uint64_t)k * 1000);
        wasmx_status s = call(i, "recurse", 8);
        cr_assert(s == WASMX_OK || s == WASMX_TRAP_INTERRUPTED);
        wasmx_set_deadline(i, WASMX_TIME_WALL, 0);
        cr_assert_eq(call(i, "recurse", 1), WASMX_OK);
    }
}

// ---- Loops that count are left now and then to look

// (from, limit): a sum in which the order of what is added counts.
#define SUM(T, NAME, LOW, STEP, GOES_ON) \
    "(func (export \"" NAME "\") (param $i " T ") (param $n " T ") (result i32) (local $s i32)" \
    " (loop $l (local.set $s (i32.add (i32.mul (local.get $s) (i32.const 31))" \
    "   (i32.load8_u (i32.and (i32.const 65535) " LOW "))))" \
    "  (br_if $l (" GOES_ON " (local.tee $i (" T ".add (local.get $i) (" T ".const " STEP "))) (local.get $n))))" \
    " (local.get $s))"
#define SUM32(NAME, STEP, GOES_ON) SUM("i32", NAME, "(local.get $i)", STEP, "i32." GOES_ON)
#define SUM64(NAME, STEP, GOES_ON) SUM("i64", NAME, "(i32.wrap_i64 (local.get $i))", STEP, "i64." GOES_ON)
#define SUMS \
    "(module (memory 1)" \
    " (func (export \"fill\") (param $i i32) (result i32)" \
    "  (loop $l (i32.store8 (local.get $i) (i32.mul (local.get $i) (i32.const 167)))" \
    "   (br_if $l (local.tee $i (i32.sub (local.get $i) (i32.const 1))))) (i32.const 0))" \
    " (func $leaf (param i32) (result i32) (i32.xor (local.get 0) (i32.shr_u (local.get 0) (i32.const 7))))" \
    SUM32("ne1", "1", "ne") SUM32("ne4", "4", "ne") SUM32("lt_u3", "3", "lt_u") SUM32("lt_s1", "1", "lt_s") \
    SUM32("gt_u-1", "-1", "gt_u") SUM32("gt_s-5", "-5", "gt_s") SUM32("ne-1", "-1", "ne") SUM32("le_u1", "1", "le_u") \
    SUM64("ne1l", "1", "ne") SUM64("lt_u2l", "2", "lt_u") SUM64("lt_s7l", "7", "lt_s") SUM64("gt_s-1l", "-1", "gt_s") \
    " (func (export \"nested\") (param $i i32) (param $n i32) (result i32) (local $j i32) (local $s i32)" \
    "  (loop $o (local.set $j (i32.const 0))" \
    "   (loop $l (local.set $s (i32.add (call $leaf (local.get $s)) (i32.load8_u (local.get $j))))" \
    "    (br_if $l (i32.lt_u (local.tee $j (i32.add (local.get $j) (i32.const 1))) (i32.const 40))))" \
    "   (br_if $o (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))" \
    "  (local.get $s))" \
    " (func (export \"search\") (param $i i32) (param $n i32) (result i32)" \
    "  (block $found (loop $l (br_if $found (i32.eq (i32.const 200) (i32.load8_u (i32.and (i32.const 65535) (local.get $i)))))" \
    "   (br_if $l (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n)))))" \
    "  (local.get $i)))"

typedef struct sum { const char *name; int64_t from, to, endless_to; } sum; // by steps; endless: for a second at least

static const sum sums[] = {
    {"ne1", 0, 1, 0}, {"ne4", 0, 4, 2}, {"lt_u3", 0, 3, UINT32_MAX}, {"lt_s1", -50, 1, INT32_MAX}, {"gt_u-1", 1000000, -1, 1},
    {"gt_s-5", 0, -5, INT32_MIN}, {"ne-1", 7, -1, 7}, {"le_u1", 0, 1, UINT32_MAX}, {"ne1l", 0, 1, 0},
    {"lt_u2l", 5, 2, INT64_MAX}, {"lt_s7l", -9, 7, INT64_MAX - 9}, {"gt_s-1l", 3, -1, INT64_MIN},
    {"nested", 0, 1, UINT32_MAX}, {"search", 0, 1, 0},
};

static wasmx_value sum_of(wasmx_instance *i, const sum *s, int64_t from, int64_t to, wasmx_status expected) {
    bool is64 = strchr(s->name, 'l') && s->name[strlen(s->name) - 1] == 'l';
    wasmx_value in[2] = {{.i32 = (int32_t)from}, {.i32 = (int32_t)to}}, out = {.i32 = 0};
    if (is64) in[0].i64 = from, in[1].i64 = to;
    cr_assert_eq(wasmx_call(export_of(i, s->name), in, &out), expected, "%s %lld", s->name, (long long)to);
    return out;
}

Test(deadline, counting_loops_compute_the_same) {
    static const int64_t lengths[] = {1, 2, 3, 39, 255, 256, 257, 1000, 1023, 1024, 1025, 4096, 30000, 100001};
    wasmx_instance *looks = spinner(SUMS, '2'), *does_not = instance_of(module_of_text(SUMS, '2'), NULL);
    result_of(looks, "fill", 65535), result_of(does_not, "fill", 65535);
    for (size_t k = 0; k < sizeof sums / sizeof *sums; k++)
        for (size_t n = 0; n < sizeof lengths / sizeof *lengths; n++) {
            int64_t to = sums[k].from + lengths[n] * sums[k].to;
            cr_assert_eq(sum_of(looks, &sums[k], sums[k].from, to, WASMX_OK).i32,
                         sum_of(does_not, &sums[k], sums[k].from, to, WASMX_OK).i32, "%s %lld", sums[k].name, (long long)to);
        }
}

Test(deadline, ends_loops_that_count) {
    wasmx_instance *i = spinner(SUMS, '2');
    for (size_t k = 0; k < sizeof sums / sizeof *sums; k++) {
        if (!strcmp(sums[k].name, "gt_u-1")) continue; // over in a moment
        cr_assert(wasmx_set_deadline(i, WASMX_TIME_WALL, 1000)); // passed before much is counted
        sum_of(i, &sums[k], sums[k].from, sums[k].endless_to, WASMX_TRAP_INTERRUPTED);
    }
}

// The thread that watches has planned to sleep for an hour, or until it is woken; then for as long as deadlines took.
Test(deadline, that_is_nearer_than_all_others_is_kept) {
    wasmx_instance *one = spinner(SPINS, '2'), *other = spinner(SPINS, '2');
    cr_assert(wasmx_set_deadline(one, WASMX_TIME_WALL, 3600000 * MS));
    for (int k = 0; k < 3; k++) {
        nanosleep(&(struct timespec){.tv_nsec = (long)(k ? 5 * MS : 300 * MS)}, NULL);
        cr_assert(wasmx_set_deadline(other, k % 2 ? WASMX_TIME_THREAD : WASMX_TIME_WALL, MS));
        cr_assert_eq(call(other, "loop", 0), WASMX_TRAP_INTERRUPTED);
    }
    cr_assert_eq(call(one, "recurse", 3), WASMX_OK);
}

static void *spin_often(void *module) {
    for (int k = 0; k < 40; k++) {
        wasmx_instance *i = instance_of(module, NULL);
        cr_assert(wasmx_set_deadline(i, WASMX_TIME_WALL, (uint64_t)(k % 4) * MS / 4 + 1));
        cr_assert_eq(call(i, "loop", 0), WASMX_TRAP_INTERRUPTED);
        wasmx_instance_free(i);
    }
    return NULL;
}

Test(deadline, many_threads_have_their_own) {
    const wasmx_module *m = wasmx_code_module(spin_code(SPINS, '2', WASMX_BOUNDS_GUARD));
    pthread_t threads[4];
    for (int k = 0; k < 4; k++) pthread_create(&threads[k], NULL, spin_often, (void *)(uintptr_t)m);
    for (int k = 0; k < 4; k++) pthread_join(threads[k], NULL);
}

Test(deadline, works_in_a_child_after_fork) {
    wasmx_instance *i = spinner(SPINS, '2');
    cr_assert(wasmx_set_deadline(i, WASMX_TIME_WALL, MS));
    cr_assert_eq(call(i, "loop", 0), WASMX_TRAP_INTERRUPTED);
    pid_t child = fork();
    if (!child) {
        bool ok = wasmx_set_deadline(i, WASMX_TIME_WALL, MS) && call(i, "loop", 0) == WASMX_TRAP_INTERRUPTED;
        _exit(ok ? 0 : 1);
    }
    int status;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    cr_assert(wasmx_set_deadline(i, WASMX_TIME_WALL, MS));
    cr_assert_eq(call(i, "loop", 0), WASMX_TRAP_INTERRUPTED);
}

Test(deadline, of_a_pool_holds_for_one_request) {
    wasmx_error err;
    const wasmx_module *m = wasmx_code_module(spin_code(SPINS, '2', WASMX_BOUNDS_GUARD));
    wasmx_pool_module modules[] = {{m, {.deadline_ns = 2 * MS}}};
    wasmx_pool_options options = {.slots = 1, .modules = modules, .module_count = 1};
    wasmx_pool *pool = wasmx_pool_new(&options, &err);
    cr_assert_not_null(pool, "%s", err.message);
    for (int k = 0; k < 3; k++) {
        wasmx_instance *i = wasmx_pool_acquire(pool, modules[0].module, NULL, &err);
        cr_assert_not_null(i, "%s", err.message);
        cr_assert_eq(call(i, "loop", 0), WASMX_TRAP_INTERRUPTED);
        cr_assert(wasmx_pool_release(i));
    }
    cr_assert(wasmx_pool_free(pool));
}

Test(deadline, long_copies_are_whole_and_right) {
    wasmx_instance *i = spinner("(module (memory (export \"m\") 100)"
                                " (func (export \"copy\") (param i32) (result i32)"
                                "  (memory.copy (local.get 0) (i32.const 1000000) (i32.const 4000000)) (i32.const 0)))",
                                '2');
    wasmx_memory *m = wasmx_export_memory(i, "m");
    for (int32_t to = 999000; to <= 1001000; to += 2000) {
        uint8_t *data = wasmx_memory_data(m);
        for (uint32_t k = 0; k < 4000000; k++) data[1000000 + k] = (uint8_t)(k * 2654435761u >> 24);
        result_of(i, "copy", to);
        for (uint32_t k = 0; k < 4000000; k++) cr_assert_eq(data[(uint32_t)to + k], (uint8_t)(k * 2654435761u >> 24));
    }
}
