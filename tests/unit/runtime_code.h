// tests/unit/runtime_code.h: modules for the tests of the runtime, written as text in the test and compiled in this
// process by the compiler that users have.
#pragma once
#include <criterion/criterion.h>
#include <string.h>

#include "wasmx.h"
#include "wasmx_compile.h"

// Never freed: a test is a process of its own.
static inline const wasmx_module *compile_with(const char *text, wasmx_bounds bounds) {
    wasmx_compile_options options = {.file = "test", .name = "test", .opt_level = '1', .bounds = bounds, .threads = 1};
    wasmx_output out;
    wasmx_compile_error err = {""};
    cr_assert(wasmx_compile(text, strlen(text), &options, &out, &err), "%s", err.line);
    wasmx_code *code = wasmx_code_load(&out.object, "test", &err);
    cr_assert_not_null(code, "%s", err.line);
    wasmx_output_free(&out);
    return wasmx_code_module(code);
}

static inline const wasmx_module *compile(const char *text) { return compile_with(text, WASMX_BOUNDS_GUARD); }

static inline wasmx_instance *start_with(const wasmx_module *module, const wasmx_options *options) {
    wasmx_error err = {""};
    wasmx_instance *i = wasmx_instantiate(module, options, &err);
    cr_assert_not_null(i, "%s", err.message);
    return i;
}

static inline wasmx_instance *start(const char *text) { return start_with(compile(text), NULL); }

// Instantiation has to fail; its message.
static inline const char *refusal(const wasmx_module *module, const wasmx_options *options) {
    static wasmx_error err;
    err.message[0] = 0;
    cr_assert_null(wasmx_instantiate(module, options, &err));
    return err.message;
}

static inline wasmx_func *func(wasmx_instance *i, const char *name) {
    wasmx_func *f = wasmx_export_func(i, name);
    cr_assert_not_null(f, "no function %s", name);
    return f;
}

// Calls a function of type [i32 i32...] -> [i32?] with up to two arguments.
static inline wasmx_status try_call(wasmx_instance *i, const char *name, int32_t a, int32_t b, int32_t *result) {
    wasmx_value args[2] = {{.i32 = a}, {.i32 = b}}, out[1] = {{.i32 = 0}};
    wasmx_status status = wasmx_call(func(i, name), args, out);
    if (result) *result = out[0].i32;
    return status;
}

static inline int32_t call(wasmx_instance *i, const char *name, int32_t a, int32_t b) {
    int32_t result;
    wasmx_status status = try_call(i, name, a, b, &result);
    cr_assert_eq(status, WASMX_OK, "%s: %s", name, wasmx_last_trap(i)->message);
    return result;
}

static inline void expect_trap(wasmx_instance *i, const char *name, int32_t a, int32_t b, wasmx_status kind) {
    wasmx_status status = try_call(i, name, a, b, NULL);
    cr_assert_eq(status, kind, "%s(%d, %d): %s", name, a, b, wasmx_status_message(status));
    cr_assert_eq(wasmx_last_trap(i)->kind, kind);
}
