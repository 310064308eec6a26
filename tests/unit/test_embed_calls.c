// tests/unit/test_embed_calls.c: calls in and out of guest code at every level: values, nesting, traps, names.
#include <stdlib.h>

#include "tests/unit/compile_code.h"

static const char levels[] = "012";

// ---- Many results, both ways

// Twenty results of all types, from a host function through the guest to the host, in typed and in callback form.
static const char results20[] =
    "(module (type $t (func (param i32) (result i32 i64 f32 f64 v128 funcref externref i32 i64 f32 f64 v128"
    " funcref externref i32 i64 f32 f64 i32 i64)))"
    " (type $one (func (result v128))) (type $two (func (result externref f32)))"
    " (type $three (func (result i64 v128 i32)))"
    " (import \"m\" \"f20\" (func $f20 (type $t))) (import \"m\" \"f1\" (func $f1 (type $one)))"
    " (import \"m\" \"f2\" (func $f2 (type $two))) (import \"m\" \"f3\" (func $f3 (type $three)))"
    " (table 5 funcref) (elem (i32.const 0) $own20 $f20)"
    " (func $own20 (type $t) (call $f20 (i32.add (local.get 0) (i32.const 1))))"
    " (func (export \"f20\") (type $t) (call $own20 (local.get 0)))"
    " (func (export \"i20\") (type $t) (call_indirect (type $t) (local.get 0) (i32.const 0)))"
    " (func (export \"h20\") (type $t) (call_indirect (type $t) (local.get 0) (i32.const 1)))"
    " (func (export \"f1\") (type $one) (call $f1)) (func (export \"f2\") (type $two) (call $f2))"
    " (func (export \"f3\") (type $three) (call $f3)))";

static int object;

static void fill20(int32_t base, wasmx_func *func, wasmx_value *r) {
    static const char kinds[] = "iIfFvreiIfFvreiIfFiI";
    for (int k = 0; k < 20; k++) {
        r[k] = (wasmx_value){.words = {0, 0}};
        switch (kinds[k]) {
        case 'i': r[k].i32 = base + k; break;
        case 'I': r[k].i64 = -(int64_t)base - ((int64_t)k << 40); break;
        case 'f': r[k].f32 = (float)(base + k) / 2; break;
        case 'F': r[k].f64 = (base + k) / 3.0; break;
        case 'v': memset(r[k].v128.bytes, base + k, 16); break;
        case 'r': r[k].funcref = k < 10 ? func : NULL; break;
        default: r[k].externref = k < 10 ? NULL : &object;
        }
    }
}

static void typed20(wasmx_instance *caller, int32_t base, wasmx_value *results) {
    fill20(base, export_of(caller, "f1"), results);
}

static wasmx_status callback20(void *env, wasmx_instance *caller, const wasmx_value *args, wasmx_value *results) {
    cr_assert_eq(env, &object);
    typed20(caller, args[0].i32, results);
    return WASMX_OK;
}

static void typed1(wasmx_instance *caller, wasmx_value *results) {
    (void)caller;
    memset(results[0].v128.bytes, 0x5a, 16);
}

static void typed2(wasmx_instance *caller, wasmx_value *results) {
    (void)caller;
    results[0].externref = &object;
    results[1].f32 = 1.25f;
}

static void typed3(wasmx_instance *caller, wasmx_value *results) {
    (void)caller;
    results[0].i64 = -5;
    memset(results[1].v128.bytes, 7, 16);
    results[2].i32 = 11;
}

static void expect20(wasmx_instance *i, const char *name, int32_t base) {
    wasmx_value in = {.i32 = 10}, want[20], got[20];
    memset(got, 0xee, sizeof got);
    fill20(base, export_of(i, "f1"), want);
    cr_assert_eq(wasmx_call(export_of(i, name), &in, got), WASMX_OK);
    static const uint8_t sizes[] = {4, 8, 4, 8, 16, 8, 8, 4, 8, 4, 8, 16, 8, 8, 4, 8, 4, 8, 4, 8};
    for (int k = 0; k < 20; k++) cr_expect_eq(memcmp(&got[k], &want[k], sizes[k]), 0, "%s: result %d", name, k);
}

static void define_results(wasmx_linker *l, bool callback) {
#define TYPED(name, type, f) cr_assert(wasmx_linker_define_typed(l, "m", name, type, (void (*)(void))(f)))
    static const char type[] = "i:iIfFvreiIfFvreiIfFiI";
    if (callback) cr_assert(wasmx_linker_define_callback(l, "m", "f20", type, callback20, &object));
    else TYPED("f20", type, typed20);
    TYPED("f1", ":v", typed1);
    TYPED("f2", ":ef", typed2);
    TYPED("f3", ":Ivi", typed3);
}

Test(embed_calls, many_results_both_ways) {
    for (const char *level = levels; *level; level++) {
        const wasmx_module *m = module_of_text(results20, *level);
        for (int callback = 0; callback < 2; callback++) {
            wasmx_linker *l = wasmx_linker_new();
            define_results(l, callback);
            wasmx_instance *i = instance_of(m, &(wasmx_options){.linker = l});
            wasmx_linker_free(l);
            expect20(i, "f20", 11);
            expect20(i, "i20", 11);
            expect20(i, "h20", 10);
            wasmx_value r[3];
            cr_assert_eq(wasmx_call(export_of(i, "f1"), NULL, r), WASMX_OK);
            cr_expect(r[0].v128.bytes[0] == 0x5a && r[0].v128.bytes[15] == 0x5a);
            cr_assert_eq(wasmx_call(export_of(i, "f2"), NULL, r), WASMX_OK);
            cr_expect(r[0].externref == &object && r[1].f32 == 1.25f);
            cr_assert_eq(wasmx_call(export_of(i, "f3"), NULL, r), WASMX_OK);
            cr_expect(r[0].i64 == -5 && r[1].v128.bytes[9] == 7 && r[2].i32 == 11);
            wasmx_instance_free(i);
        }
    }
}

// ---- Import tables and linkers together

static int32_t seven(wasmx_instance *caller) { return *(int32_t *)wasmx_host(caller); }

static wasmx_status callback_eight(void *env, wasmx_instance *caller, const wasmx_value *args, wasmx_value *results) {
    (void)env, (void)caller, (void)args;
    results[0].i32 = 8;
    return WASMX_OK;
}

Test(embed_calls, typed_tables_with_a_linker_for_the_rest) {
    const wasmx_module *m = module_of_text(
        "(module (import \"m\" \"a\" (func $a (result i32))) (import \"m\" \"b\" (func $b (result i32)))"
        " (func (export \"f\") (param i32) (result i32) (i32.add (i32.mul (call $a) (i32.const 10)) (call $b))))", '2');
    struct { int32_t (*m_a)(wasmx_instance *); int32_t (*m_b)(wasmx_instance *); } imports = {seven, NULL};
    int32_t host = 7;
    wasmx_linker *l = wasmx_linker_new();
    cr_assert(wasmx_linker_define_callback(l, "m", "a", ":i", callback_eight, NULL));
    cr_assert(wasmx_linker_define_callback(l, "m", "b", ":i", callback_eight, NULL));
    wasmx_instance *i = instance_of(m, &(wasmx_options){.imports = &imports, .linker = l, .host = &host});
    cr_expect_eq(result_of(i, "f", 0), 78);
    i = instance_of(m, &(wasmx_options){.linker = l});
    cr_expect_eq(result_of(i, "f", 0), 88);
    wasmx_error err = {""};
    cr_expect_null(wasmx_instantiate(m, &(wasmx_options){.imports = &imports, .host = &host}, &err));
    cr_expect(strstr(err.message, "unknown import \"m\" \"b\""), "%s", err.message);
    i = instance_of(m, &(wasmx_options){.imports = &imports, .host = &host, .trap_unknown_imports = true});
    cr_expect_eq(status_of(i, "f", 0, NULL), WASMX_TRAP_UNKNOWN_IMPORT);
    wasmx_linker_free(l);
}

// ---- Host, guest, host, guest: a trap at each depth ends exactly one call

static const char ladder[] =
    "(module (import \"m\" \"down\" (func $down (param i32) (result i32)))"
    " (memory 1) (global $sum (export \"sum\") (mut i32) (i32.const 0))"
    " (func $step (param i32) (result i32) (global.set $sum (i32.add (global.get $sum) (local.get 0)))"
    "   (i32.add (call $down (i32.sub (local.get 0) (i32.const 1))) (i32.const 1)))"
    " (func (export \"go\") (param i32) (result i32) (call $step (local.get 0)))"
    " (func (export \"load\") (param i32) (result i32) (i32.load (i32.const -1)))"
    " (func (export \"bad\") (param i32) (result i32) unreachable))";

typedef struct plan { int trap_at, kind, caught; bool swallow; } plan;

// At depth plan->trap_at something traps; above it every host function either hands the trap on or swallows it.
static int32_t down(wasmx_instance *caller, int32_t depth) {
    plan *p = wasmx_host(caller);
    int32_t result = 0;
    if (depth == p->trap_at && p->kind == WASMX_TRAP_HOST) wasmx_raise(caller, WASMX_TRAP_HOST, "enough");
    if (depth == p->trap_at && p->kind == WASMX_TRAP_EXIT) wasmx_raise_exit(caller, 3);
    const char *next = depth != p->trap_at ? "go" : p->kind == WASMX_TRAP_UNREACHABLE ? "bad" : "load";
    if (depth == 0 && p->trap_at != 0) return 100;
    wasmx_status s = status_of(caller, next, depth, &result);
    if (s == WASMX_OK) return result;
    p->caught++;
    if (!p->swallow) wasmx_raise(caller, s, NULL);
    return 1000;
}

Test(embed_calls, traps_at_every_depth) {
    static const wasmx_status kinds[] = {WASMX_TRAP_HOST, WASMX_TRAP_UNREACHABLE, WASMX_TRAP_MEMORY_OUT_OF_BOUNDS,
                                         WASMX_TRAP_EXIT};
    wasmx_linker *l = wasmx_linker_new();
    cr_assert(wasmx_linker_define_typed(l, "m", "down", "i:i", (void (*)(void))down));
    plan p;
    for (const char *level = levels; *level; level++) {
        wasmx_instance *i = instance_of(module_of_text(ladder, *level), &(wasmx_options){.linker = l, .host = &p});
        p = (plan){.trap_at = -1};
        cr_expect_eq(result_of(i, "go", 20), 120);
        for (int kind = 0; kind < 4; kind++)
            for (int depth = 0; depth < 20; depth++) {
                bool by_host = kinds[kind] == WASMX_TRAP_HOST || kinds[kind] == WASMX_TRAP_EXIT;
                p = (plan){.trap_at = depth, .kind = kinds[kind]};
                cr_assert_eq(status_of(i, "go", 20, NULL), kinds[kind]);
                cr_assert_eq(p.caught, 19 - depth + !by_host);
                p = (plan){.trap_at = depth, .kind = kinds[kind], .swallow = true};
                int32_t above = 19 - depth + !by_host; // host functions that saw a failed call: only the innermost
                cr_assert_eq(status_of(i, "go", 20, NULL), above ? WASMX_OK : kinds[kind]);
                cr_assert_eq(p.caught, above ? 1 : 0);
            }
        p = (plan){.trap_at = -1};
        cr_expect_eq(result_of(i, "go", 20), 120);
    }
    wasmx_linker_free(l);
}

// ---- Backtraces

static const char names[] =
    "(module (import \"m\" \"down\" (func $host (param i32) (result i32)))"
    " (func $inner (param i32) (result i32) (if (local.get 0) (then unreachable)) (call $host (i32.const 0)))"
    " (func $middle (param i32) (result i32) (i32.add (call $inner (local.get 0)) (i32.const 1)))"
    " (func $outer (export \"go\") (param i32) (result i32) (i32.add (call 2 (local.get 0)) (i32.const 2))))";

static int32_t refuse(wasmx_instance *caller, int32_t x) {
    (void)x;
    wasmx_raise(caller, WASMX_TRAP_HOST, "no");
}

static void expect_names(const wasmx_trap *t) {
    cr_assert_eq(t->frame_count, 3);
    static const char *const want[] = {"inner", "middle", "outer"};
    for (uint32_t k = 0; k < 3; k++) {
        cr_expect_eq(t->frames[k].func, k + 1);
        cr_expect_str_eq(t->frames[k].name, want[k]);
    }
}

Test(embed_calls, backtraces_have_names) {
    wasmx_linker *l = wasmx_linker_new();
    cr_assert(wasmx_linker_define_typed(l, "m", "down", "i:i", (void (*)(void))refuse));
    for (const char *level = "02"; *level; level++) {
        const wasmx_module *m = module_of_text(names, *level);
        wasmx_instance *i = instance_of(m, &(wasmx_options){.linker = l});
        for (int32_t way = 0; way < 2; way++) {
            cr_expect_eq(status_of(i, "go", way, NULL), way ? WASMX_TRAP_UNREACHABLE : WASMX_TRAP_HOST);
            const wasmx_trap *t = wasmx_last_trap(i);
            cr_assert_geq(t->frame_count, 1);
            cr_expect_eq(t->frames[0].module, m);
            for (uint32_t k = 0; k < t->frame_count; k++) cr_expect_not_null(t->frames[k].name);
            if (*level == '0') expect_names(t); // higher levels may inline
        }
    }
    wasmx_linker_free(l);
}

// ---- Start functions

Test(embed_calls, a_trap_in_the_start_function) {
    static const char text[] = "(module (import \"m\" \"down\" (func $h (param i32) (result i32)))"
                               " (func $s (drop (call $h (i32.const 1))) unreachable) (start $s))";
    wasmx_linker *l = wasmx_linker_new();
    cr_assert(wasmx_linker_define_typed(l, "m", "down", "i:i", (void (*)(void))refuse));
    for (const char *level = levels; *level; level++) {
        wasmx_error err = {""};
        const wasmx_module *m = module_of_text(text, *level);
        cr_expect_null(wasmx_instantiate(m, &(wasmx_options){.linker = l}, &err));
        cr_expect_str_eq(err.message, "no");
    }
    wasmx_error err = {""};
    cr_expect_null(wasmx_instantiate(module_of_text("(module (func $s unreachable) (start $s))", '2'), NULL, &err));
    cr_expect_str_eq(err.message, "unreachable");
    wasmx_linker_free(l);
}

// ---- Names of exports

Test(embed_calls, export_names_are_any_bytes) {
    wasmx_instance *i = instance_of(module_of_text(
        "(module (func (export \"\") (result i32) (i32.const 1)) (func (export \"a\\00b\") (result i32) (i32.const 2))"
        " (func (export \"a\") (result i32) (i32.const 3)) (func (export \"a\\00\") (result i32) (i32.const 4))"
        " (func (export \"\\f0\\9f\\98\\80\") (result i32) (i32.const 5)))", '2'), NULL);
    static const struct { const char *name; size_t size; } want[] = {{"", 0}, {"a\0b", 3}, {"a", 1}, {"a\0", 2},
                                                                     {"\xf0\x9f\x98\x80", 4}};
    for (int k = 0; k < 5; k++) {
        wasmx_extern e;
        wasmx_value r;
        cr_assert(wasmx_export_bytes(i, want[k].name, want[k].size, &e) && e.kind == WASMX_FUNC);
        cr_assert_eq(wasmx_call(e.of.func, NULL, &r), WASMX_OK);
        cr_expect_eq(r.i32, k + 1);
    }
    wasmx_extern e;
    cr_expect_not(wasmx_export_bytes(i, "a\0c", 3, &e));
    cr_expect_not(wasmx_export(i, "b", &e));
}
