// tests/unit/test_embed_instances.c: what instances share, what they leave behind, threads, fork and foreign signals.
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/compile_code.h"

// ---- Shared things

// Two modules over one memory, table and two globals, owned by a third or by the host.
static const char owner[] =
    "(module (memory (export \"mem\") 1 4) (table (export \"tab\") 4 8 funcref)"
    " (global (export \"count\") (mut i64) (i64.const 40)) (global (export \"fixed\") i32 (i32.const 6)))";
static const char writer[] =
    "(module (import \"o\" \"mem\" (memory 1)) (import \"o\" \"tab\" (table 4 funcref))"
    " (import \"o\" \"count\" (global $c (mut i64))) (import \"o\" \"fixed\" (global $f i32))"
    " (global $mine (mut i32) (i32.const 500))"
    " (func $square (result i32) (i32.mul (global.get $mine) (global.get $mine)))"
    " (elem (offset (i32.const 1)) $square) (data (offset (global.get $f)) \"data\")"
    " (func (export \"put\") (param i32) (result i32)"
    "   (i32.store (i32.const 100) (local.get 0))"
    "   (global.set $c (i64.add (global.get $c) (i64.const 2)))"
    "   (global.set $mine (local.get 0)) (memory.grow (i32.const 1))))";
static const char reader[] =
    "(module (import \"o\" \"mem\" (memory 1)) (import \"o\" \"tab\" (table 4 funcref))"
    " (import \"o\" \"count\" (global $c (mut i64))) (type $t (func (result i32)))"
    " (func (export \"get\") (param i32) (result i32) (i32.load (local.get 0)))"
    " (func (export \"count\") (param i32) (result i32) (i32.wrap_i64 (global.get $c)))"
    " (func (export \"call\") (param i32) (result i32) (call_indirect (type $t) (local.get 0)))"
    " (func (export \"size\") (param i32) (result i32) (memory.size)))";

static void use_shared(wasmx_linker *l, char level) {
    wasmx_options o = {.linker = l};
    wasmx_instance *w = instance_of(module_of_text(writer, level), &o), *r = instance_of(module_of_text(reader, level), &o);
    cr_expect_eq(result_of(r, "get", 6), 0x61746164);
    int32_t pages = result_of(r, "size", 0);
    cr_expect_eq(result_of(w, "put", 12), pages);
    cr_expect_eq(result_of(r, "size", 0), pages + 1);
    cr_expect_eq(result_of(r, "get", 100), 12);
    cr_expect_eq(result_of(r, "get", 65536 * pages), 0);
    cr_expect_eq(result_of(r, "count", 0), 42);
    cr_expect_eq(result_of(r, "call", 1), 144);
    cr_expect_eq(status_of(r, "call", 0, NULL), WASMX_TRAP_UNINITIALIZED_ELEMENT);
    cr_expect_eq(status_of(r, "call", 4, NULL), WASMX_TRAP_UNDEFINED_ELEMENT);
    cr_expect_eq(status_of(r, "get", 65536 * (pages + 1) - 3, NULL), WASMX_TRAP_MEMORY_OUT_OF_BOUNDS);
    wasmx_instance_free(r);
    wasmx_instance_free(w);
}

Test(embed_instances, shared_things_of_an_instance) {
    for (const char *level = "02"; *level; level++) {
        wasmx_instance *o = instance_of(module_of_text(owner, *level), NULL);
        wasmx_linker *l = wasmx_linker_new();
        wasmx_linker_define_instance(l, "o", o);
        use_shared(l, *level);
        wasmx_linker_free(l);
        wasmx_instance_free(o);
    }
}

Test(embed_instances, shared_things_of_the_host) {
    wasmx_memory *m = wasmx_memory_new(2, 5);
    wasmx_table *t = wasmx_table_new(WASMX_FUNCREF, 4, 4);
    wasmx_global *c = wasmx_global_new(WASMX_I64, true, (wasmx_value){.i64 = 40});
    wasmx_global *f = wasmx_global_new(WASMX_I32, false, (wasmx_value){.i32 = 6});
    wasmx_linker *l = wasmx_linker_new();
    wasmx_linker_define(l, "o", "mem", (wasmx_extern){WASMX_MEMORY, {.memory = m}});
    wasmx_linker_define(l, "o", "tab", (wasmx_extern){WASMX_TABLE, {.table = t}});
    wasmx_linker_define(l, "o", "count", (wasmx_extern){WASMX_GLOBAL, {.global = c}});
    wasmx_linker_define(l, "o", "fixed", (wasmx_extern){WASMX_GLOBAL, {.global = f}});
    use_shared(l, '2');
    cr_expect_eq(wasmx_global_get(c).i64, 42);
    cr_expect_eq(wasmx_memory_size(m), 3 * 65536);
    wasmx_linker_free(l);
    wasmx_memory_free(m);
    wasmx_table_free(t);
    wasmx_global_free(c);
    wasmx_global_free(f);
}

// ---- Nothing is left behind

static int mappings(void) {
    FILE *f = fopen("/proc/self/maps", "r");
    cr_assert_not_null(f);
    int lines = 0;
    for (int c; (c = fgetc(f)) != EOF;) lines += c == '\n';
    fclose(f);
    return lines;
}

Test(embed_instances, a_thousand_instances_and_none) {
    const wasmx_module *m = module_of_text("(module (memory 1) (data (i32.const 9) \"x\") (table 1 funcref)"
                                           " (func (export \"f\") (param i32) (result i32)"
                                           "   (i32.store8 (i32.const 9) (local.get 0)) (i32.load8_u (i32.const 9))))", '1');
    static wasmx_instance *all[1000];
    wasmx_instance_free(instance_of(m, NULL));
    int before = mappings();
    for (int k = 0; k < 1000; k++) all[k] = instance_of(m, NULL);
    for (int k = 0; k < 1000; k++) cr_assert_eq(result_of(all[k], "f", k & 255), k & 255);
    for (int k = 0; k < 1000; k++) wasmx_instance_free(all[(k * 7 + 3) % 1000]);
    cr_expect_leq(mappings(), before + 2 + 3 * 6); // the heap may be in two pieces, and a few instances are parked
    wasmx_module_forget(m);
    cr_expect_leq(mappings(), before + 2);
}

Test(embed_instances, failures_leave_nothing) {
    static const char *const texts[] = {
        "(module (memory 1) (func $s unreachable) (start $s))",
        "(module (memory 1) (data (i32.const 65536) \"x\"))",
        "(module (memory 1) (table 1 funcref) (func $f) (elem (i32.const 1) $f) (export \"t\" (table 0)))",
        "(module (memory 1) (memory 1) (import \"no\" \"where\" (func)))",
        "(module (memory 2) (table 20000000 funcref) (export \"t\" (table 0)))",
        "(module (memory 65536))",
        "(module (memory 4) (memory 65536))",
    };
    for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
        wx_buf text = {0};
        wx_buf_str(&text, texts[k]);
        if (k == 3) { // imports come first in text
            text.len = 0;
            wx_buf_str(&text, "(module (import \"no\" \"where\" (func)) (memory 1))");
        }
        if (k == 6) { // several memories have no text here: one is enough
            wx_buf_free(&text);
            continue;
        }
        const wasmx_module *m = module_of(text.data, text.len, '1');
        wasmx_error err = {""};
        cr_assert_null(wasmx_instantiate(m, NULL, &err));
        int before = mappings();
        for (int n = 0; n < 100; n++) {
            err.message[0] = 0;
            cr_assert_null(wasmx_instantiate(m, NULL, &err));
            cr_assert_neq(err.message[0], 0);
        }
        cr_expect_leq(mappings(), before + 1, "%s: %d mappings, %d before", texts[k], mappings(), before);
        wx_buf_free(&text);
    }
}

// ---- Limits

Test(embed_instances, memory_grows_as_far_as_the_host_allows) {
    const wasmx_module *m = module_of_text("(module (memory 1) (func (export \"grow\") (param i32) (result i32)"
                                           " (memory.grow (local.get 0))))", '2');
    wasmx_instance *i = instance_of(m, &(wasmx_options){.max_memory_bytes = 10 * 65536});
    cr_expect_eq(result_of(i, "grow", 9), 1);
    cr_expect_eq(result_of(i, "grow", 1), -1);
    cr_expect_eq(result_of(i, "grow", 0), 10);
    i = instance_of(m, NULL);
    cr_expect_eq(result_of(i, "grow", 65534), 1);
    cr_expect_eq(result_of(i, "grow", 1), -1);
    cr_expect_eq(result_of(i, "grow", -1), -1);
}

static const char recursion[] =
    "(module (global $n (export \"n\") (mut i32) (i32.const 0))"
    " (func $f (export \"f\") (param i32) (result i32) (global.set $n (i32.add (global.get $n) (i32.const 1)))"
    "   (i32.add (call $f (local.get 0)) (i32.const 1))))";

static int32_t depth_reached(wasmx_instance *i) {
    wasmx_extern e;
    cr_assert(wasmx_export(i, "n", &e));
    cr_assert(wasmx_global_set(e.of.global, (wasmx_value){.i32 = 0}));
    cr_assert_eq(status_of(i, "f", 0, NULL), WASMX_TRAP_STACK_EXHAUSTED);
    return wasmx_global_get(e.of.global).i32;
}

Test(embed_instances, the_stack_is_as_large_as_it_was_said_to_be) {
    for (const char *level = "02"; *level; level++) {
        const wasmx_module *m = module_of_text(recursion, *level);
        int32_t small = depth_reached(instance_of(m, &(wasmx_options){.max_stack_bytes = 100000}));
        int32_t large = depth_reached(instance_of(m, &(wasmx_options){.max_stack_bytes = 400000}));
        cr_expect_gt(small, 500);
        cr_expect(large > 3 * small && large < 5 * small, "%d and %d calls", small, large);
    }
}

// ---- Threads

static const char traps[] =
    "(module (memory 1) (func (export \"load\") (param i32) (result i32) (i32.load (local.get 0)))"
    " (func (export \"div\") (param i32) (result i32) (i32.div_u (i32.const 60) (local.get 0)))"
    " (func $deep (export \"deep\") (param i32) (result i32) (i32.add (i32.const 1) (call $deep (local.get 0)))))";

static void *trap_often(void *module) {
    wasmx_instance *i = instance_of(module, &(wasmx_options){.max_stack_bytes = 64 << 10});
    for (int k = 0; k < 10000; k++) {
        cr_assert_eq(status_of(i, "load", 65533 + k, NULL), WASMX_TRAP_MEMORY_OUT_OF_BOUNDS);
        cr_assert_eq(status_of(i, "div", 0, NULL), WASMX_TRAP_INTEGER_DIVIDE_BY_ZERO);
        cr_assert_eq(result_of(i, "div", 1 + k % 6), 60 / (1 + k % 6));
        if (k % 50 == 0) cr_assert_eq(status_of(i, "deep", 0, NULL), WASMX_TRAP_STACK_EXHAUSTED);
    }
    wasmx_instance_free(i);
    return NULL;
}

Test(embed_instances, four_threads_trap_ten_thousand_times) {
    pthread_t threads[4];
    void *m = (void *)(uintptr_t)module_of_text(traps, '2');
    for (int k = 0; k < 4; k++) cr_assert_eq(pthread_create(&threads[k], NULL, trap_often, m), 0);
    for (int k = 0; k < 4; k++) pthread_join(threads[k], NULL);
}

// ---- fork

static int32_t in_child(wasmx_instance *i, const wasmx_module *m) {
    if (status_of(i, "load", -1, NULL) != WASMX_TRAP_MEMORY_OUT_OF_BOUNDS) return 1;
    if (status_of(i, "deep", 0, NULL) != WASMX_TRAP_STACK_EXHAUSTED) return 2;
    if (result_of(i, "div", 6) != 10) return 3;
    wasmx_instance *own = instance_of(m, NULL);
    if (status_of(own, "load", 65536, NULL) != WASMX_TRAP_MEMORY_OUT_OF_BOUNDS) return 4;
    wasmx_instance_free(own);
    wasmx_instance_free(i);
    return 42;
}

Test(embed_instances, traps_in_a_forked_child) {
    const wasmx_module *m = module_of_text(traps, '1');
    wasmx_instance *i = instance_of(m, NULL);
    cr_assert_eq(status_of(i, "load", -1, NULL), WASMX_TRAP_MEMORY_OUT_OF_BOUNDS);
    pid_t pid = fork();
    cr_assert_geq(pid, 0);
    if (!pid) _exit(in_child(i, m));
    int status;
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 42, "status %x", status);
    cr_assert_eq(status_of(i, "load", -1, NULL), WASMX_TRAP_MEMORY_OUT_OF_BOUNDS);
}

// ---- Signals of others

static sigjmp_buf out;

static void ours(int sig, siginfo_t *info, void *context) {
    (void)context;
    cr_assert_eq(sig, SIGSEGV);
    siglongjmp(out, info->si_addr == (void *)4096 ? 1 : 2);
}

Test(embed_instances, a_fault_of_the_host_goes_to_the_handler_before) {
    struct sigaction a = {.sa_sigaction = ours, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &a, NULL);
    wasmx_instance *i = instance_of(module_of_text(traps, '1'), NULL);
    for (int k = 0; k < 3; k++) {
        int reached = sigsetjmp(out, 1);
        if (!reached) *(volatile int *)(uintptr_t)4096 = 1;
        cr_assert_eq(reached, 1);
        cr_assert_eq(status_of(i, "load", -1, NULL), WASMX_TRAP_MEMORY_OUT_OF_BOUNDS);
    }
}
