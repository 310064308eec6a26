// tests/unit/gc_code.h: for the tests of the collector: guests of gc_guest.h to instances, and calls of them.
#pragma once
#include <criterion/criterion.h>

#include "tests/unit/gc_guest.h"
#include "wasmx.h"
#include "wasmx_compile.h"

#define ON_DEMAND 'l' // a level: interpreted, and compiled function by function where that cannot be

static inline const wasmx_module *gc_module_on_demand(const char *text) {
    wasmx_compile_error err = {""};
    builder b = guest_module(text);
    wasmx_code *code = wasmx_code_compile(b.module.data, b.module.len, NULL, &err);
    cr_assert_not_null(code, "%s", err.line);
    discard(&b);
    return wasmx_code_module(code);
}

// Never freed: a test is a process of its own.
static inline const wasmx_module *gc_module_for(const char *text, char level, wasmx_bounds bounds) {
    wasmx_compile_options options = {.file = "test", .name = "test", .opt_level = level, .bounds = bounds, .threads = 1};
    wasmx_output out;
    wasmx_compile_error err = {""};
    builder b = guest_module(text);
    cr_assert(wasmx_compile(b.module.data, b.module.len, &options, &out, &err), "%s", err.line);
    wasmx_code *code = wasmx_code_load(&out.object, "test", &err);
    cr_assert_not_null(code, "%s", err.line);
    wasmx_output_free(&out);
    discard(&b);
    return wasmx_code_module(code);
}

static inline const wasmx_module *gc_module(const char *text, char level) {
    return level == ON_DEMAND ? gc_module_on_demand(text) : gc_module_for(text, level, WASMX_BOUNDS_GUARD);
}

static inline wasmx_instance *gc_start(const wasmx_module *m, const wasmx_options *options) {
    wasmx_error err = {""};
    wasmx_instance *i = wasmx_instantiate(m, options, &err);
    cr_assert_not_null(i, "%s", err.message);
    return i;
}

static inline wasmx_func *gc_func(wasmx_instance *i, const char *name) {
    wasmx_func *f = wasmx_export_func(i, name);
    cr_assert_not_null(f, "no function %s", name);
    return f;
}

// Up to two arguments, up to one result.
static inline wasmx_status gc_try(wasmx_instance *i, const char *name, wasmx_value a, wasmx_value b, wasmx_value *out) {
    wasmx_value args[2] = {a, b}, result = {.words = {0}};
    wasmx_status status = wasmx_call(gc_func(i, name), args, out ? out : &result);
    return status;
}

static inline wasmx_value gc_value(wasmx_instance *i, const char *name, wasmx_value a, wasmx_value b) {
    wasmx_value out = {.words = {0}};
    wasmx_status status = gc_try(i, name, a, b, &out);
    cr_assert_eq(status, WASMX_OK, "%s: %s", name, wasmx_last_trap(i)->message);
    return out;
}

static inline wasmx_value i32_value(int32_t n) { return (wasmx_value){.i32 = n}; }
static inline wasmx_value ref_value(void *word) { return (wasmx_value){.externref = word}; }

static inline int32_t gc_call(wasmx_instance *i, const char *name, int32_t a, int32_t b) {
    return gc_value(i, name, i32_value(a), i32_value(b)).i32;
}

static inline void *gc_ref(wasmx_instance *i, const char *name, int32_t a) {
    return gc_value(i, name, i32_value(a), i32_value(0)).externref;
}

static inline void gc_trap(wasmx_instance *i, const char *name, int32_t a, int32_t b, wasmx_status kind) {
    wasmx_status status = gc_try(i, name, i32_value(a), i32_value(b), NULL);
    cr_assert_eq(status, kind, "%s(%d, %d): %s", name, a, b, wasmx_status_message(status));
}

static inline wasmx_gc_stats gc_stats(const wasmx_instance *i) {
    wasmx_gc_stats s;
    wasmx_gc_get_stats(i, &s);
    return s;
}

static inline wasmx_extern gc_export(wasmx_instance *i, const char *name) {
    wasmx_extern e;
    cr_assert(wasmx_export(i, name, &e), "no export %s", name);
    return e;
}
