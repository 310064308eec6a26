// tests/unit/test_runtime_instance.c: instantiation: what is checked, what is shared, what is left when it fails.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "runtime/internal.h"
#include "tests/unit/runtime_code.h"

// A program that does not use WASI must not be linked with it: a weak reference finds only what something else pulled in.
extern wasmx_wasi *wasmx_wasi_new(const void *, wasmx_error *) __attribute__((weak));

Test(runtime_instance, the_core_links_without_wasi) { cr_assert(!wasmx_wasi_new); }

// ---- What a module needs

static const char small[] = "(module (func (export \"one\") (result i32) (i32.const 1)))";

static const char *refusal_of(wasmx_module changed) {
    wasmx_module *copy = malloc(sizeof *copy); // a module of its own for the registry
    *copy = changed;
    return refusal(copy, NULL);
}

Test(runtime_instance, foreign_objects_are_refused) {
    wasmx_module m = *compile(small);
    m.abi_hash++;
    cr_assert(strstr(refusal_of(m), "another version of libwasmx"));
    m.abi_hash--;
    m.target = "riscv64";
    cr_assert(strstr(refusal_of(m), "built for riscv64"));
    m = *compile(small);
    m.cpu_features = "sse2,frobnicate";
    cr_assert(strstr(refusal_of(m), "frobnicate"), "%s", refusal_of(m));
}

static bool has(const char *features) {
    char missing[64];
    return wx_cpu_has(features, missing, sizeof missing);
}

Test(runtime_instance, features_of_this_processor) {
    cr_assert(has(""));
#if defined(__x86_64__)
    cr_assert(has("sse2,+cmov,cx8,64bit"));
    cr_assert_eq(has("sse4.2"), !!__builtin_cpu_supports("sse4.2"));
    cr_assert_eq(has("popcnt"), !!__builtin_cpu_supports("popcnt"));
    cr_assert_eq(has("avx2,fma"), __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"));
    cr_assert_eq(has("bmi,bmi2"), __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2"));
    cr_assert_eq(has("avx512f"), !!__builtin_cpu_supports("avx512f"));
    cr_assert_eq(has("avx512bw,avx512vl"), __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"));
#else
    cr_assert(has("neon,fp-armv8"));
#endif
    cr_assert_not(has("sse2,,popcn"));
}

// ---- Memory

static uint64_t address_space(void) {
    FILE *f = fopen("/proc/self/statm", "r");
    unsigned long pages = 0;
    cr_assert(f && fscanf(f, "%lu", &pages) == 1);
    fclose(f);
    return (uint64_t)pages << 12;
}

Test(runtime_instance, reservations_come_and_go) {
    const wasmx_module *none = compile(small), *one = compile("(module (memory (export \"m\") 1))");
    const uint64_t GiB = (uint64_t)1 << 30;
    uint64_t before = address_space();
    wasmx_instance *i = start_with(none, NULL), *many[20];
    cr_assert_lt(address_space() - before, (uint64_t)1 << 20);
    for (int k = 0; k < 20; k++) many[k] = start_with(one, NULL);
    cr_assert_gt(address_space() - before, 80 * GiB);
    for (int k = 0; k < 20; k++) wasmx_instance_free(many[k]);
    wasmx_instance_free(i);
    wasmx_instance_free(NULL);
    cr_assert_lt(address_space() - before, 20 * GiB); // a few are kept for the next
    wasmx_module_forget(one);
    cr_assert_lt(address_space() - before, (uint64_t)1 << 20);
}

// What is kept of an instance holds nothing of it: not its bytes, not its size.
Test(runtime_instance, a_parked_reservation_is_clean) {
    const wasmx_module *m = compile("(module (memory (export \"m\") 2 9) (data (i32.const 9) \"x\")"
                                    "(global (export \"g\") (mut i32) (i32.const 3))"
                                    "(func (export \"at\") (param i32) (result i32) (i32.load8_u (local.get 0))))");
    for (int k = 0; k < 6; k++) {
        wasmx_instance *i = start_with(m, NULL);
        wasmx_memory *memory = wasmx_export_memory(i, "m");
        cr_assert_eq(wasmx_memory_size(memory), 2 * 65536);
        expect_trap(i, "at", 2 * 65536, 0, WASMX_TRAP_MEMORY_OUT_OF_BOUNDS);
        cr_assert_eq(wasmx_memory_grow(memory, 3), 2);
        for (uint64_t at = 0; at < wasmx_memory_size(memory); at++)
            cr_assert_eq(wasmx_memory_data(memory)[at], at == 9 ? 'x' : 0);
        memset(wasmx_memory_data(memory), 170, wasmx_memory_size(memory));
        wasmx_instance_free(i);
    }
}

static const char memories[] = "(module (memory (export \"m\") 1 3) (data (i32.const 65500) \"abc\")"
                               " (func (export \"grow\") (param i32) (result i32) (memory.grow (local.get 0)))"
                               " (func (export \"get\") (param i32) (result i32) (i32.load8_u (local.get 0))))";

static void grow_to_the_limit(wasmx_instance *i) {
    wasmx_memory *m = wasmx_export_memory(i, "m");
    uint8_t *data = wasmx_memory_data(m);
    cr_assert_eq(wasmx_memory_size(m), 65536);
    cr_assert(!memcmp(wasmx_memory_at(m, 65500, 3), "abc", 3));
    cr_assert_null(wasmx_memory_at(m, 65535, 2));
    cr_assert_null(wasmx_memory_at(m, UINT64_MAX, 2));
    cr_assert_not_null(wasmx_memory_at(m, 65536, 0));
    expect_trap(i, "get", 65536, 0, WASMX_TRAP_MEMORY_OUT_OF_BOUNDS);
    cr_assert_eq(call(i, "grow", 1, 0), 1);
    cr_assert_eq(call(i, "get", 65536, 0), 0);
    cr_assert_eq(call(i, "grow", 2, 0), -1);
    cr_assert_eq(wasmx_memory_grow(m, 1), 2);
    cr_assert_eq(wasmx_memory_grow(m, 1), UINT64_MAX);
    cr_assert_eq(wasmx_memory_grow(m, 0), 3);
    cr_assert_eq(wasmx_memory_data(m), data);
    cr_assert_eq(call(i, "grow", -1, 0), -1);
}

Test(runtime_instance, memory_grows_to_its_maximum) {
    grow_to_the_limit(start(memories));
    grow_to_the_limit(start_with(compile_with(memories, WASMX_BOUNDS_EXPLICIT), NULL));
}

Test(runtime_instance, the_host_limits_memory) {
    const wasmx_module *m = compile(memories);
    wasmx_instance *i = start_with(m, &(wasmx_options){.max_memory_bytes = 140000});
    cr_assert_eq(call(i, "grow", 2, 0), -1);
    cr_assert_eq(call(i, "grow", 1, 0), 1);
    cr_assert(strstr(refusal(m, &(wasmx_options){.max_memory_bytes = 65535}), "the limit is 0"));
    cr_assert(strstr(refusal(compile("(module (memory 65536))"), NULL), "65535"));
}

Test(runtime_instance, a_large_image_is_private_to_each_instance) {
    size_t n = 300000;
    char *text = malloc(2 * n),
         *p = text + sprintf(text, "(module (memory (export \"m\") 8) (data (i32.const 5000) \"");
    for (size_t k = 0; k < n; k++) *p++ = (char)('a' + k % 23);
    strcpy(p, "\"))");
    const wasmx_module *m = compile(text);
    for (int round = 0; round < 2; round++) {
        wasmx_instance *one = start_with(m, NULL), *two = start_with(m, NULL);
        uint8_t *a = wasmx_memory_data(wasmx_export_memory(one, "m")),
                *b = wasmx_memory_data(wasmx_export_memory(two, "m"));
        for (size_t k = 0; k < n; k++) cr_assert(a[5000 + k] == 'a' + k % 23 && b[5000 + k] == a[5000 + k]);
        memset(a, 1, n);
        cr_assert(b[5000] == 'a' && b[4999] == 0 && a[4999] == 1 && b[5000 + n] == 0);
        wasmx_instance_free(one);
        wasmx_instance_free(two);
        wasmx_module_forget(m); // the next use loads it again
    }
}

Test(runtime_instance, little_address_space) {
    const wasmx_module *with = compile_with("(module (memory (export \"m\") 1))", WASMX_BOUNDS_EXPLICIT);
    const wasmx_module *guard = compile("(module (memory (export \"m\") 1))");
    wasmx_instance_free(start_with(with, NULL));
    rlim_t most = address_space() + ((rlim_t)1 << 30);
    setrlimit(RLIMIT_AS, &(struct rlimit){most, most});
    cr_assert(strstr(refusal(guard, NULL), "no address space"));
    wasmx_instance *i = start_with(with, NULL);
    wasmx_memory *m = wasmx_export_memory(i, "m");
    cr_assert_eq(wasmx_memory_grow(m, 100), 1);
    cr_assert_eq(wasmx_memory_grow(m, 60000), UINT64_MAX);
    cr_assert_eq(wasmx_memory_size(m), 101 << 16);
    wasmx_instance_free(i);
}

Test(runtime_instance, several_memories) {
    wasmx_instance *i =
        start("(module (memory $a 1) (memory $b (export \"b\") 2) (data (memory $b) (i32.const 70000) \"x\")"
              " (func (export \"get\") (param i32) (result i32) (i32.load8_u $b (local.get 0)))"
              " (func (export \"copy\") (param i32) (memory.copy $a $b (local.get 0) (i32.const 70000) (i32.const 1)))"
              " (func (export \"a\") (param i32) (result i32) (i32.load8_u $a (local.get 0))))");
    cr_assert_eq(call(i, "get", 70000, 0), 'x');
    expect_trap(i, "get", 131072, 0, WASMX_TRAP_MEMORY_OUT_OF_BOUNDS);
    expect_trap(i, "get", -1, 0, WASMX_TRAP_MEMORY_OUT_OF_BOUNDS);
    expect_trap(i, "copy", 65536, 0, WASMX_TRAP_MEMORY_OUT_OF_BOUNDS);
    call(i, "copy", 3, 0);
    cr_assert_eq(call(i, "a", 3, 0), 'x');
    wasmx_instance_free(i);
}

// ---- Imports

static wasmx_linker *one_definition(const char *name, wasmx_extern value) {
    wasmx_linker *l = wasmx_linker_new();
    wasmx_linker_define(l, "env", name, value);
    return l;
}

static wasmx_status nothing(void *env, wasmx_instance *caller, const wasmx_value *args, wasmx_value *results) {
    (void)env, (void)caller, (void)args, (void)results;
    return WASMX_OK;
}

Test(runtime_instance, unknown_imports) {
    const wasmx_module *m = compile("(module (import \"env\" \"f\" (func $f (param i32) (result i32)))"
                                    " (func (export \"go\") (param i32) (result i32) (call $f (local.get 0))))");
    cr_assert_str_eq(refusal(m, NULL), "unknown import \"env\" \"f\"");
    wasmx_instance *i = start_with(m, &(wasmx_options){.trap_unknown_imports = true});
    expect_trap(i, "go", 1, 0, WASMX_TRAP_UNKNOWN_IMPORT);
    wasmx_linker *l = wasmx_linker_new();
    wasmx_linker_define_callback(l, "env", "f", "iI:i", nothing, NULL);
    i = start_with(m, &(wasmx_options){.linker = l, .trap_unknown_imports = true}); // nothing has this name and type
    expect_trap(i, "go", 1, 0, WASMX_TRAP_UNKNOWN_IMPORT);
    cr_assert_str_eq(
        refusal(m, &(wasmx_options){.linker = l}),
        "incompatible import type for \"env\" \"f\": module wants (i32) -> (i32), given (i32, i64) -> (i32)");
    wasmx_linker_define(l, "env", "f", (wasmx_extern){.kind = WASMX_MEMORY, .of.memory = wasmx_memory_new(1, 1)});
    cr_assert_str_eq(refusal(m, &(wasmx_options){.linker = l}),
                     "incompatible import type for \"env\" \"f\": module wants a function, given a memory");
}

Test(runtime_instance, memories_are_shared_and_their_limits_checked) {
    wasmx_memory *memory = wasmx_memory_new(2, 4);
    wasmx_options options = {.linker = one_definition("m", (wasmx_extern){.kind = WASMX_MEMORY, .of.memory = memory})};
    wasmx_instance *a =
        start_with(compile("(module (import \"env\" \"m\" (memory 1 5))"
                           " (func (export \"set\") (param i32 i32) (i32.store8 (local.get 0) (local.get 1)))"
                           " (func (export \"grow\") (param i32) (result i32) (memory.grow (local.get 0))))"),
                   &options);
    wasmx_instance *b =
        start_with(compile("(module (import \"env\" \"m\" (memory 2))"
                           " (func (export \"get\") (param i32) (result i32) (i32.load8_u (local.get 0))))"),
                   &options);
    call(a, "set", 100, 42);
    cr_assert_eq(call(b, "get", 100, 0), 42);
    expect_trap(b, "get", 131072, 0, WASMX_TRAP_MEMORY_OUT_OF_BOUNDS);
    cr_assert_eq(call(a, "grow", 2, 0), 2);
    cr_assert_eq(call(b, "get", 131072, 0), 0);
    expect_trap(a, "set", -1, 0, WASMX_TRAP_MEMORY_OUT_OF_BOUNDS);
    cr_assert(
        strstr(refusal(compile("(module (import \"env\" \"m\" (memory 5)))"), &options), "incompatible import type"));
    cr_assert(
        strstr(refusal(compile("(module (import \"env\" \"m\" (memory 1 3)))"), &options), "incompatible import type"));
    wasmx_instance_free(a);
    wasmx_instance_free(b);
    wasmx_memory_free(memory);
    cr_assert_null(wasmx_memory_new(3, 2));
    cr_assert_null(wasmx_memory_new(65536, UINT64_MAX));
}

// ---- Tags

static wasmx_tag *tag_of(wasmx_instance *i, const char *name) {
    wasmx_extern e;
    cr_assert(wasmx_export(i, name, &e) && e.kind == WASMX_TAG);
    return e.of.tag;
}

Test(runtime_instance, tags_are_shared_by_importing_them) {
    wasmx_tag *tag = wasmx_tag_new("iF:");
    char type[8];
    cr_assert_eq(wasmx_tag_type(tag, type, sizeof type), 3);
    cr_assert_str_eq(type, "iF:");
    wasmx_options options = {.linker = one_definition("t", (wasmx_extern){.kind = WASMX_TAG, .of.tag = tag})};
    const char *again = "(module (tag $t (import \"env\" \"t\") (param i32 f64)) (tag $own (export \"own\") (param i64))"
                        " (export \"t\" (tag $t)))";
    wasmx_instance *a = start_with(compile(again), &options), *b = start_with(compile(again), &options);
    cr_assert(tag_of(a, "t") == tag && tag_of(b, "t") == tag);
    cr_assert_neq(tag_of(a, "own"), tag_of(b, "own")); // the same declaration, but each instance's is its own
    cr_assert_eq(wasmx_tag_type(tag_of(a, "own"), type, sizeof type), 2);
    cr_assert_str_eq(type, "I:");
    wasmx_linker *l = wasmx_linker_new();
    wasmx_linker_define_instance(l, "a", a);
    wasmx_options from_a = {.linker = l};
    wasmx_instance *c = start_with(compile("(module (import \"a\" \"own\" (tag $x (param i64))) (export \"x\" (tag $x)))"), &from_a);
    cr_assert_eq(tag_of(c, "x"), tag_of(a, "own"));
    cr_assert_null(wasmx_export_func(c, "x"));
    wasmx_instance_free(c);
    wasmx_instance_free(a);
    wasmx_instance_free(b);
    wasmx_linker_free(l);
    wasmx_tag_free(tag);
    wasmx_tag_free(NULL);
}

Test(runtime_instance, tags_that_do_not_fit_are_refused) {
    cr_assert_null(wasmx_tag_new("i:i")); // results
    cr_assert_null(wasmx_tag_new("i"));
    cr_assert_null(wasmx_tag_new("x:"));
    wasmx_tag *tag = wasmx_tag_new("i:");
    wasmx_options options = {.linker = one_definition("t", (wasmx_extern){.kind = WASMX_TAG, .of.tag = tag})}, none = {0};
    const wasmx_module *m = compile("(module (import \"env\" \"t\" (tag (param i64))))");
    cr_assert(strstr(refusal(m, &options), "incompatible import type for \"env\" \"t\": module wants (i64) -> (), given (i32) -> ()"));
    cr_assert(strstr(refusal(m, &none), "unknown import \"env\" \"t\""));
    cr_assert(strstr(refusal(compile("(module (import \"env\" \"t\" (func (param i32))))"), &options),
                     "module wants a function, given a tag"));
    wasmx_instance *a = start_with(compile("(module (tag (export \"t\") (param f32)))"), NULL);
    wasmx_linker_define_instance((wasmx_linker *)(uintptr_t)options.linker, "env", a);
    cr_assert(strstr(refusal(m, &options), "given (f32) -> ()"));
    wasmx_instance_free(a);
    wasmx_tag_free(tag);
}

Test(runtime_instance, globals_are_shared) {
    wasmx_global *g = wasmx_global_new(WASMX_I32, true, (wasmx_value){.i32 = 5});
    wasmx_options options = {.linker = one_definition("g", (wasmx_extern){.kind = WASMX_GLOBAL, .of.global = g})};
    wasmx_instance *i =
        start_with(compile("(module (global $g (import \"env\" \"g\") (mut i32)) (export \"g\" (global $g))"
                           " (func (export \"inc\") (result i32)"
                           "   (global.set $g (i32.add (global.get $g) (i32.const 1))) (global.get $g)))"),
                   &options);
    cr_assert_eq(call(i, "inc", 0, 0), 6);
    cr_assert_eq(wasmx_global_get(g).i32, 6);
    cr_assert(wasmx_global_set(g, (wasmx_value){.i32 = 40}));
    cr_assert_eq(call(i, "inc", 0, 0), 41);
    wasmx_extern e;
    cr_assert(wasmx_export(i, "g", &e) && e.kind == WASMX_GLOBAL);
    cr_assert_eq(e.of.global, g);
    cr_assert_eq(wasmx_global_kind(g), WASMX_I32);
    cr_assert(
        strstr(refusal(compile("(module (import \"env\" \"g\" (global i32)))"), &options), "an immutable global"));
    cr_assert(
        strstr(refusal(compile("(module (import \"env\" \"g\" (global (mut i64))))"), &options), "module wants i64"));
    wasmx_instance_free(i);
    wasmx_global_free(g);
}

Test(runtime_instance, exported_globals) {
    wasmx_instance *i =
        start("(module (global (export \"c\") i64 (i64.const 7)) (global $m (export \"m\") (mut f64) (f64.const 2))"
              " (func (export \"neg\") (global.set $m (f64.neg (global.get $m)))))");
    wasmx_extern c, m, again;
    cr_assert(wasmx_export(i, "c", &c) && wasmx_export(i, "m", &m) && wasmx_export(i, "m", &again));
    cr_assert_eq(m.of.global, again.of.global);
    cr_assert_eq(wasmx_global_get(c.of.global).i64, 7);
    cr_assert_not(wasmx_global_set(c.of.global, (wasmx_value){.i64 = 8}));
    call(i, "neg", 0, 0);
    cr_assert_eq(wasmx_global_get(m.of.global).f64, -2);
    cr_assert_not(wasmx_export(i, "d", &again));
    cr_assert_null(wasmx_export_func(i, "c"));
    cr_assert_null(wasmx_export_memory(i, "c"));
    wasmx_instance_free(i);
}

// ---- Tables

static const char tables[] =
    "(module (type $t (func (param i32) (result i32))) (table $t (export \"t\") 2 4 funcref)"
    " (func $one (export \"one\") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))"
    " (func (export \"call\") (param i32 i32) (result i32) (call_indirect $t (type $t) (local.get 0) (local.get 1)))"
    " (func (export \"grow\") (param i32) (result i32) (table.grow $t (ref.null func) (local.get 0)))"
    " (func (export \"copy\") (param i32 i32) (table.copy $t $t (local.get 0) (local.get 1) (i32.const 1)))"
    " (elem (i32.const 0) $one))";

Test(runtime_instance, tables_from_both_sides) {
    wasmx_instance *i = start(tables);
    wasmx_extern e;
    wasmx_value v;
    cr_assert(wasmx_export(i, "t", &e) && e.kind == WASMX_TABLE);
    wasmx_table *t = e.of.table;
    cr_assert_eq(wasmx_table_size(t), 2);
    cr_assert(wasmx_table_get(t, 0, &v) && v.funcref == func(i, "one"));
    cr_assert(wasmx_table_get(t, 1, &v) && !v.funcref);
    cr_assert_not(wasmx_table_get(t, 2, &v));
    expect_trap(i, "call", 5, 1, WASMX_TRAP_UNINITIALIZED_ELEMENT);
    cr_assert(wasmx_table_set(t, 1, (wasmx_value){.funcref = func(i, "one")}));
    cr_assert_eq(call(i, "call", 5, 1), 6);
    cr_assert_eq(call(i, "grow", 3, 0), -1);
    cr_assert_eq(call(i, "grow", 1, 0), 2);
    cr_assert_eq(wasmx_table_grow(t, 1, (wasmx_value){.funcref = func(i, "one")}), 3);
    cr_assert_eq(wasmx_table_grow(t, 1, (wasmx_value){0}), UINT64_MAX);
    cr_assert_eq(call(i, "call", 8, 3), 9);
    call(i, "copy", 2, 3);
    cr_assert_eq(call(i, "call", 9, 2), 10);
    expect_trap(i, "copy", 4, 0, WASMX_TRAP_TABLE_OUT_OF_BOUNDS);
    cr_assert_not(wasmx_table_set(t, 4, (wasmx_value){0}));
    cr_assert(strstr(refusal(compile(tables), &(wasmx_options){.max_table_elements = 1}), "the limit is 1"));
    wasmx_instance_free(i);
}

static int32_t plus_ten(wasmx_instance *caller, int32_t a) {
    (void)caller;
    return a + 10;
}

// A host function reaches tables by a segment of the module that imports it, and by the host from there.
Test(runtime_instance, host_functions_in_tables) {
    wasmx_linker *l = wasmx_linker_new();
    wasmx_linker_define_typed(l, "env", "f", "i:i", (void (*)(void))plus_ten);
    wasmx_instance *a = start_with(compile("(module (type $t (func (param i32) (result i32)))"
                                           " (import \"env\" \"f\" (func $f (type $t))) (export \"f\" (func $f))"
                                           " (table (export \"t\") 1 funcref) (elem (i32.const 0) $f) (memory 1)"
                                           " (func (export \"call\") (param i32) (result i32)"
                                           "   (call_indirect (type $t) (local.get 0) (i32.const 0))))"),
                                   &(wasmx_options){.linker = l});
    wasmx_instance *b = start(tables);
    wasmx_extern e;
    wasmx_value v;
    cr_assert_eq(call(a, "call", 1, 0), 11);
    cr_assert(wasmx_export(a, "t", &e) && wasmx_table_get(e.of.table, 0, &v) && v.funcref);
    cr_assert(wasmx_export(b, "t", &e) && wasmx_table_set(e.of.table, 1, v));
    cr_assert_eq(call(b, "call", 2, 1), 12);
    wasmx_value arg = {.i32 = 3};
    cr_assert_eq(wasmx_call(v.funcref, &arg, &arg), WASMX_OK);
    cr_assert_eq(arg.i32, 13);
    wasmx_instance_free(b);
    wasmx_instance_free(a);
}

Test(runtime_instance, tables_of_host_references) {
    wasmx_table *t = wasmx_table_new(WASMX_EXTERNREF, 1, UINT64_MAX);
    int x;
    wasmx_value v = {.externref = &x};
    cr_assert(wasmx_table_set(t, 0, v));
    cr_assert_eq(wasmx_table_grow(t, 1000, v), 1);
    cr_assert(wasmx_table_get(t, 1000, &v) && v.externref == &x);
    wasmx_table_free(t);
    cr_assert_null(wasmx_table_new(WASMX_I32, 1, 2));
    cr_assert_null(wasmx_table_new(WASMX_FUNCREF, 3, 2));
}

// What failed to start has left a function in somebody else's table, and that stays callable.
Test(runtime_instance, functions_of_a_failed_instance_survive) {
    wasmx_instance *i = start(tables);
    wasmx_linker *l = wasmx_linker_new();
    wasmx_linker_define_instance(l, "env", i);
    const wasmx_module *bad = compile("(module (import \"env\" \"t\" (table 2 funcref)) (memory 1)"
                                      " (type $t (func (param i32) (result i32)))"
                                      " (func $f (type $t) (i32.store (i32.const 8) (local.get 0))"
                                      "   (i32.mul (i32.load (i32.const 8)) (i32.const 3)))"
                                      " (func $start unreachable) (elem (i32.const 1) $f) (start $start))");
    for (int k = 0; k < 3; k++) {
        cr_assert_str_eq(refusal(bad, &(wasmx_options){.linker = l}), "unreachable");
        cr_assert_eq(call(i, "call", 7, 1), 21);
    }
    wasmx_instance_free(i);
}

// ---- Instances of instances

static const char provider[] =
    "(module (global $n (mut i32) (i32.const 0))"
    " (func (export \"next\") (result i32) (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n))"
    " (func $deep (export \"deep\") (result i32) (i32.add (call $deep) (i32.const 1)))"
    " (func (export \"fail\") (param i32) (if (local.get 0) (then unreachable))))";
static const char consumer[] =
    "(module (import \"p\" \"next\" (func $next (result i32))) (import \"p\" \"deep\" (func $deep (result i32)))"
    " (import \"p\" \"fail\" (func $fail (param i32))) (export \"next\" (func $next))"
    " (func (export \"sum\") (result i32) (i32.add (call $next) (call $next)))"
    " (func (export \"deep\") (result i32) (call $deep))"
    " (func (export \"fail\") (param i32) (call $fail (local.get 0))))";

static wasmx_instance *linked(wasmx_instance **from) {
    *from = start(provider);
    wasmx_linker *l = wasmx_linker_new();
    wasmx_linker_define_instance(l, "p", *from);
    wasmx_instance *i = start_with(compile(consumer), &(wasmx_options){.linker = l});
    wasmx_linker_free(l);
    return i;
}

Test(runtime_instance, functions_run_in_their_own_instance) {
    wasmx_instance *p, *i = linked(&p);
    cr_assert_eq(call(i, "sum", 0, 0), 3);
    cr_assert_eq(call(p, "next", 0, 0), 3);
    cr_assert_eq(call(i, "next", 0, 0), 4); // an import exported again
    cr_assert_eq(wasmx_func_instance(func(i, "next")), p);
    expect_trap(i, "fail", 1, 0, WASMX_TRAP_UNREACHABLE);
    cr_assert_geq(wasmx_last_trap(i)->frame_count, 2);
    cr_assert_eq(wasmx_last_trap(i)->frames[0].module, wasmx_instance_module(p));
    cr_assert_eq(wasmx_last_trap(p)->kind, WASMX_OK);
    wasmx_instance_free(i);
    cr_assert_eq(call(p, "next", 0, 0), 5);
    wasmx_instance_free(p);
}

static void *exhaust(void *i) {
    expect_trap(i, "deep", 0, 0, WASMX_TRAP_STACK_EXHAUSTED);
    return NULL;
}

// The limit of the provider's functions is that of the thread that entered the consumer.
static int32_t own_number(wasmx_instance *caller) { return *(int32_t *)wasmx_host(caller); }

// Three modules in a chain through functions, a memory, a table and a global of the first; each has its own host data,
// and a host function gets that of the instance that imports it, whoever called from outside.
Test(runtime_instance, a_chain_of_modules_with_data_of_their_own) {
    static const char *const texts[3] = {
        "(module (import \"h\" \"own\" (func $own (result i32))) (memory (export \"m\") 1)"
        "  (table (export \"t\") 3 funcref) (global (export \"g\") (mut i32) (i32.const 0)) (elem (i32.const 0) $f)"
        "  (func $f (export \"f\") (result i32) (i32.store (i32.const 0) (call $own)) (call $own)))",
        "(module (import \"h\" \"own\" (func $own (result i32))) (import \"0\" \"f\" (func $in (result i32)))"
        "  (import \"0\" \"m\" (memory 1)) (import \"0\" \"t\" (table 3 funcref)) (import \"0\" \"g\" (global $g (mut i32)))"
        "  (elem (i32.const 1) $f) (func $f (export \"f\") (result i32)"
        "    (global.set $g (call $own)) (i32.add (i32.mul (call $in) (i32.const 100)) (call $own))))",
        "(module (import \"h\" \"own\" (func $own (result i32))) (import \"1\" \"f\" (func $in (result i32)))"
        "  (import \"0\" \"m\" (memory 1)) (import \"0\" \"t\" (table 3 funcref)) (import \"0\" \"g\" (global $g (mut i32)))"
        "  (func (export \"f\") (result i32) (i32.add (i32.mul (call $in) (i32.const 100)) (call $own)))"
        "  (func (export \"all\") (result i32) (i32.add (i32.load (i32.const 0)) (i32.add (global.get $g)"
        "    (call_indirect (result i32) (i32.const 1))))))"};
    int32_t numbers[3] = {1, 2, 3};
    wasmx_instance *all[3];
    wasmx_linker *l = wasmx_linker_new();
    wasmx_linker_define_typed(l, "h", "own", ":i", (void (*)(void))own_number);
    for (int k = 0; k < 3; k++) {
        all[k] = start_with(compile(texts[k]), &(wasmx_options){.linker = l, .host = &numbers[k]});
        wasmx_linker_define_instance(l, (const char *[]){"0", "1", "2"}[k], all[k]);
    }
    cr_assert_eq(call(all[2], "f", 0, 0), 10203);
    cr_assert_eq(call(all[2], "all", 0, 0), 1 + 2 + 102);
    for (int k = 3; k-- > 0;) wasmx_instance_free(all[k]);
    wasmx_linker_free(l);
}

Test(runtime_instance, linked_instances_change_threads_together) {
    wasmx_instance *p, *i = linked(&p);
    for (int k = 0; k < 3; k++) {
        pthread_t t;
        cr_assert_eq(pthread_create(&t, NULL, exhaust, k % 2 ? p : i), 0);
        pthread_join(t, NULL);
        exhaust(i);
        exhaust(p);
    }
}

Test(runtime_instance, typed_imports_come_first) {
    const wasmx_module *m = compile("(module (import \"env\" \"f\" (func $f)) (func (export \"go\") (call $f)))");
    wasmx_linker *l = wasmx_linker_new();
    wasmx_linker_define_callback(l, "env", "f", ":", nothing, NULL);
    const void *empty[1] = {NULL};
    wasmx_instance *i = start_with(m, &(wasmx_options){.imports = empty, .linker = l}); // a NULL entry: the linker's
    call(i, "go", 0, 0);
    cr_assert_str_eq(refusal(m, &(wasmx_options){.imports = empty}), "unknown import \"env\" \"f\"");
}

Test(runtime_instance, exports_by_name) {
    wasmx_instance *i = start(tables);
    const wasmx_module *m = wasmx_instance_module(i);
    wasmx_extern_kind kind;
    unsigned tables_seen = 0;
    cr_assert_eq(wasmx_module_export_count(m), 5);
    for (size_t k = 0; k < 5; k++) {
        wasmx_extern e;
        cr_assert(wasmx_export(i, wasmx_module_export_name(m, k, &kind), &e));
        cr_assert_eq(e.kind, kind);
        tables_seen += kind == WASMX_TABLE;
    }
    cr_assert_eq(tables_seen, 1);
    cr_assert_null(wasmx_module_export_name(m, 5, NULL));
    cr_assert_not_null(wasmx_module_name(m));
}
