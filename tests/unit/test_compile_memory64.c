// tests/unit/test_compile_memory64.c: memories with 64-bit addresses. Tables with them cannot be written in the text that
// wabt reads; the official suite has them.
#include "tests/unit/compile_code.h"

#define WIDE \
    "(module (memory (export \"m\") i64 1 262144)" \
    " (data (i64.const 100) \"hello\")" \
    " (func (export \"load\") (param i64) (result i32) (i32.load (local.get 0)))" \
    " (func (export \"far\") (param i64) (result i32) (i32.load8_u offset=0xffffffff (local.get 0)))" \
    " (func (export \"store\") (param i64) (result i32) (i32.store offset=8 (local.get 0) (i32.const 42)) (i32.const 1))" \
    " (func (export \"grow\") (param i64) (result i64) (memory.grow (local.get 0)))" \
    " (func (export \"size\") (param i64) (result i64) (memory.size))" \
    " (func (export \"fill\") (param i64) (result i32)" \
    "   (memory.fill (local.get 0) (i32.const 1) (i64.const 16)) (i32.const 1))" \
    " (func (export \"copy\") (param i64) (result i32)" \
    "   (memory.copy (i64.const 0) (i64.const 100) (local.get 0)) (i32.load8_u (i64.const 4))))"

static wasmx_instance *wide(char level, wasmx_bounds bounds) {
    wasmx_output out = compiled_text(WIDE, (wasmx_compile_options){.name = "test", .opt_level = level, .bounds = bounds});
    wasmx_instance *i = instance_of(wasmx_code_module(loaded(&out, "test")), NULL);
    wasmx_output_free(&out);
    return i;
}

static wasmx_status call64(wasmx_instance *i, const char *name, uint64_t argument, wasmx_value *out) {
    wasmx_value in = {.i64 = (int64_t)argument};
    return wasmx_call(export_of(i, name), &in, out);
}

static void check(wasmx_instance *i, const char *name, uint64_t argument, int64_t expected) {
    wasmx_value out = {.i64 = 0};
    cr_assert_eq(call64(i, name, argument, &out), WASMX_OK, "%s %#llx: %s", name, (unsigned long long)argument,
                 wasmx_last_trap(i)->message);
    char type[8];
    wasmx_func_type(export_of(i, name), type, sizeof type);
    int64_t result = strchr(type, ':')[1] == 'i' ? out.i32 : out.i64;
    cr_assert_eq(result, expected, "%s %#llx: %lld", name, (unsigned long long)argument, (long long)result);
}

static void check_trap(wasmx_instance *i, const char *name, uint64_t argument, wasmx_status expected) {
    wasmx_value out;
    cr_assert_eq(call64(i, name, argument, &out), expected, "%s %#llx", name, (unsigned long long)argument);
}

static void check_all(wasmx_instance *i) {
    const wasmx_status oob = WASMX_TRAP_MEMORY_OUT_OF_BOUNDS;
    check(i, "load", 100, 0x6c6c6568);
    check(i, "load", 65532, 0);
    check_trap(i, "load", 65533, oob);
    check_trap(i, "load", (uint64_t)1 << 32, oob);
    check_trap(i, "load", ((uint64_t)1 << 32) + 100, oob);
    check_trap(i, "load", UINT64_MAX - 3, oob);
    check_trap(i, "load", UINT64_MAX, oob);
    check_trap(i, "far", 100, oob);
    check_trap(i, "far", UINT64_MAX - 0xfffffffe + 100, oob); // inside again, if the sum could wrap
    check_trap(i, "store", UINT64_MAX - 7, oob);
    check_trap(i, "fill", UINT64_MAX - 8, oob);
    check_trap(i, "fill", 65521, oob);
    check(i, "fill", 65520, 1);
    check_trap(i, "copy", UINT64_MAX - 50, oob);
    check(i, "copy", 5, 'o');
}

Test(memory64, every_address_is_checked_in_64_bits) {
    for (const char *level = "012"; *level; level++) {
        check_all(wide(*level, WASMX_BOUNDS_GUARD));
        check_all(wide(*level, WASMX_BOUNDS_EXPLICIT));
    }
}

Test(memory64, memory_above_4_GiB_is_there) {
    wasmx_instance *i = wide('2', WASMX_BOUNDS_GUARD);
    uint64_t six = (uint64_t)6 << 30;
    check(i, "grow", (six >> 16) + 1, 1);
    check(i, "size", 0, (int64_t)(six >> 16) + 2);
    check(i, "store", six, 1);
    check(i, "load", six + 8, 42);
    check(i, "load", 8, 0); // not the same place modulo 4 GiB
    check(i, "grow", (uint64_t)1 << 50, -1);
}

Test(memory64, the_host_makes_them_too) {
    const char *text = "(module (import \"h\" \"m\" (memory i64 1 2))"
                       " (func (export \"load\") (param i64) (result i32) (i32.load (local.get 0))))";
    const wasmx_module *m = module_of_text(text, '1');
    wasmx_linker *l = wasmx_linker_new();
    wasmx_extern memory = {.kind = WASMX_MEMORY, .of.memory = wasmx_memory_new64(1, 2)};
    wasmx_linker_define(l, "h", "m", memory);
    wasmx_instance *i = instance_of(m, &(wasmx_options){.linker = l});
    check(i, "load", 8, 0);
    check_trap(i, "load", 65536, WASMX_TRAP_MEMORY_OUT_OF_BOUNDS);

    wasmx_error err;
    memory.of.memory = wasmx_memory_new(1, 2);
    wasmx_linker_define(l, "h", "m", memory);
    cr_assert_null(wasmx_instantiate(m, &(wasmx_options){.linker = l}, &err));
    cr_assert(strstr(err.message, "a 64-bit memory"), "%s", err.message);
}

Test(memory64, more_than_there_can_be_is_an_error) {
    wasmx_error err;
    const wasmx_module *m = module_of_text("(module (memory i64 0x1000000000000))", '0');
    cr_assert_null(wasmx_instantiate(m, NULL, &err));
    cr_assert(strstr(err.message, "the limit is"), "%s", err.message);
}
