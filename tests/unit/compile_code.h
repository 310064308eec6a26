// tests/unit/compile_code.h: for the tests of the compiler: text or bytes to an object, and to code in this process.
#pragma once
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tests/unit/test_wasm_build.h"
#include "wasmx.h"
#include "wasmx_compile.h"

// Processor seconds of this process: what else the machine does should not count.
static inline double seconds_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

// Compiling has to work; the caller ends the result with wasmx_output_free.
static inline wasmx_output compiled(const void *bytes, size_t size, wasmx_compile_options options) {
    wasmx_output out;
    wasmx_compile_error err = {""};
    cr_assert(wasmx_compile(bytes, size, &options, &out, &err), "%s", err.line);
    return out;
}

static inline wasmx_output compiled_text(const char *text, wasmx_compile_options options) {
    return compiled(text, strlen(text), options);
}

// Compiling has to fail, and leave nothing; its line.
static inline const char *refused(const void *bytes, size_t size, wasmx_compile_options options) {
    static wasmx_compile_error err;
    wasmx_output out;
    err.line[0] = 0;
    cr_assert_not(wasmx_compile(bytes, size, &options, &out, &err));
    cr_assert(!out.object.data && !out.header.data && !out.phase_count);
    return err.line;
}

static inline const char *refused_text(const char *text, wasmx_compile_options options) {
    return refused(text, strlen(text), options);
}

static inline wasmx_code *loaded(const wasmx_output *out, const char *name) {
    wasmx_compile_error err = {""};
    wasmx_code *code = wasmx_code_load(&out->object, name, &err);
    cr_assert_not_null(code, "%s", err.line);
    return code;
}

// Never freed: a test is a process of its own.
static inline const wasmx_module *module_of(const void *bytes, size_t size, char level) {
    wasmx_output out = compiled(bytes, size, (wasmx_compile_options){.name = "test", .opt_level = level});
    const wasmx_module *m = wasmx_code_module(loaded(&out, "test"));
    wasmx_output_free(&out);
    return m;
}

static inline const wasmx_module *module_of_text(const char *text, char level) {
    return module_of(text, strlen(text), level);
}

static inline wasmx_instance *instance_of(const wasmx_module *m, const wasmx_options *options) {
    wasmx_error err = {""};
    wasmx_instance *i = wasmx_instantiate(m, options, &err);
    cr_assert_not_null(i, "%s", err.message);
    return i;
}

static inline wasmx_func *export_of(wasmx_instance *i, const char *name) {
    wasmx_func *f = wasmx_export_func(i, name);
    cr_assert_not_null(f, "no function %s", name);
    return f;
}

// An export of type [i32] -> [i32] or less.
static inline wasmx_status status_of(wasmx_instance *i, const char *name, int32_t argument, int32_t *result) {
    wasmx_value in = {.i32 = argument}, out = {.i32 = 0};
    wasmx_status s = wasmx_call(export_of(i, name), &in, &out);
    if (result) *result = out.i32;
    return s;
}

static inline int32_t result_of(wasmx_instance *i, const char *name, int32_t argument) {
    int32_t result;
    wasmx_status s = status_of(i, name, argument, &result);
    cr_assert_eq(s, WASMX_OK, "%s: %s", name, wasmx_last_trap(i)->message);
    return result;
}
