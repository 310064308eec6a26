// tests/unit/test_wasi_threads.c: thread-spawn as a host of its own offers it, and what it refuses.
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "tests/unit/runtime_code.h"
#include "wasmx_wasi.h"

#define HEAD "(module (import \"wasi\" \"thread-spawn\" (func $spawn (param i32) (result i32)))" \
    " (import \"wasi_snapshot_preview1\" \"proc_exit\" (func $exit (param i32)))" \
    " (import \"env\" \"memory\" (memory 1 4 shared)) (export \"memory\" (memory 0))" \
    " (func (export \"spawn\") (param i32 i32) (result i32) (call $spawn (local.get 0)))" \
    " (func (export \"wait\") (param i32 i32) (result i32)" \
    "   (memory.atomic.wait32 (local.get 0) (i32.const 0) (i64.const -1)))"

// Adds its argument to the word at 0 and wakes; 100: traps; 200: exits with 9; 300: waits for ever.
static const char usual[] = HEAD
    " (func (export \"wasi_thread_start\") (param $tid i32) (param $n i32)"
    "   (if (i32.eq (local.get $n) (i32.const 100)) (then unreachable))"
    "   (if (i32.eq (local.get $n) (i32.const 200)) (then (call $exit (i32.const 9))))"
    "   (if (i32.eq (local.get $n) (i32.const 300))"
    "     (then (drop (memory.atomic.wait32 (i32.const 64) (i32.const 0) (i64.const -1)))))"
    "   (drop (i32.atomic.rmw.add (i32.const 0) (local.get $n)))"
    "   (drop (memory.atomic.notify (i32.const 0) (i32.const -1)))))";

static wasmx_wasi *wasi;
static wasmx_linker *linker;
static wasmx_memory *memory;
static wasmx_instance *guest;

static void begin(const char *text, uint32_t max_threads) {
    wasmx_error err;
    wasi = wasmx_wasi_new(&(wasmx_wasi_config){.stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1, .max_threads = max_threads}, &err);
    linker = wasmx_linker_new();
    memory = wasmx_memory_new_shared(1, 4);
    wasmx_linker_define_wasi(linker, wasi);
    cr_assert(wasmx_linker_define_threads(linker, wasi, NULL));
    wasmx_linker_define(linker, "env", "memory", (wasmx_extern){.kind = WASMX_MEMORY, .of.memory = memory});
    guest = start_with(compile(text), &(wasmx_options){.linker = linker});
}

static uint32_t word(void) { return atomic_load((_Atomic uint32_t *)wasmx_memory_data(memory)); }

static void wait_for_word(uint32_t value) {
    for (int k = 0; k < 5000 && word() != value; k++) nanosleep(&(struct timespec){0, 1000000}, NULL);
    cr_assert_eq(word(), value);
}

Test(wasi_threads, threads_run_and_have_numbers) {
    begin(usual, 0);
    int32_t last = 0;
    for (int k = 1; k <= 20; k++) {
        int32_t tid = call(guest, "spawn", k, 0);
        cr_assert(tid > last, "%d", tid);
        last = tid;
    }
    wait_for_word(210);
    cr_expect_null(wasmx_wasi_end_threads(wasi));
    cr_expect(call(guest, "spawn", 1, 0) > last, "the object serves another call");
    wait_for_word(211);
    cr_expect_null(wasmx_wasi_end_threads(wasi));
}

// The host's call ends too, with the same.
Test(wasi_threads, proc_exit_of_a_thread_ends_the_call) {
    begin(usual, 0);
    cr_assert(call(guest, "spawn", 300, 0) > 0 && call(guest, "spawn", 200, 0) > 0);
    expect_trap(guest, "wait", 64, 0, WASMX_TRAP_EXIT);
    cr_expect_eq(wasmx_last_trap(guest)->exit_code, 9);
    const wasmx_trap *end = wasmx_wasi_end_threads(wasi);
    cr_assert(end && end->kind == WASMX_TRAP_EXIT && end->exit_code == 9);
}

Test(wasi_threads, a_trap_of_a_thread_ends_the_call) {
    begin(usual, 0);
    cr_assert(call(guest, "spawn", 100, 0) > 0);
    expect_trap(guest, "wait", 64, 0, WASMX_TRAP_UNREACHABLE);
    const wasmx_trap *end = wasmx_wasi_end_threads(wasi);
    cr_assert(end && end->kind == WASMX_TRAP_UNREACHABLE && end->frame_count == 1);
}

Test(wasi_threads, no_more_than_the_host_allows) {
    begin(usual, 3);
    for (int k = 0; k < 3; k++) cr_assert(call(guest, "spawn", 300, 0) > 0);
    cr_expect_eq(call(guest, "spawn", 300, 0), -6, "EAGAIN");
    cr_expect_null(wasmx_wasi_end_threads(wasi));
    cr_expect(call(guest, "spawn", 300, 0) > 0);
    wasmx_instance_free(guest);
    wasmx_wasi_free(wasi); // ends them itself
    wasmx_linker_free(linker);
    wasmx_memory_free(memory);
}

Test(wasi_threads, a_module_without_the_entry) {
    begin(HEAD ")", 0);
    cr_expect_eq(call(guest, "spawn", 1, 0), -6);
}

Test(wasi_threads, an_entry_of_another_type) {
    begin(HEAD "(func (export \"wasi_thread_start\") (param i32)))", 0);
    cr_expect_eq(call(guest, "spawn", 1, 0), -6);
}

// Code of one thread would run on the stack of another: ENOTSUP.
Test(wasi_threads, instances_that_share_more_than_a_memory) {
    static const char *const imports[] = {"(import \"o\" \"f\" (func))", "(import \"o\" \"t\" (table 1 funcref))", "(import \"o\" \"g\" (global i32))"};
    for (int k = 0; k < 3; k++) {
        char text[2000];
        snprintf(text, sizeof text, "(module %s %s", imports[k], usual + strlen("(module"));
        wasmx_instance *other = start("(module (func (export \"f\")) (table (export \"t\") 1 funcref) (global (export \"g\") i32 (i32.const 1)))");
        begin("(module)", 0);
        wasmx_linker_define_instance(linker, "o", other);
        guest = start_with(compile(text), &(wasmx_options){.linker = linker});
        cr_expect_eq(call(guest, "spawn", 1, 0), -58, "%s", imports[k]);
    }
}

Test(wasi_threads, without_threads_nothing_happens) {
    wasmx_error err;
    wasi = wasmx_wasi_new(&(wasmx_wasi_config){.stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1}, &err);
    cr_expect_null(wasmx_wasi_end_threads(wasi));
    wasmx_wasi_free(wasi);
}
