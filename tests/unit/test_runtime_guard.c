// tests/unit/test_runtime_guard.c: code that relies on guard pages gets no memory without them.
//
// A module compiled with explicit bounds may reserve as little as its memory's maximum. If another one, compiled for
// guard pages, imported that memory, it could reach past the reservation.
#include <criterion/criterion.h>
#include <string.h>

#include "wasmx_compile.h"

static const char owner_text[] = "(module (memory (export \"m\") 1 2))";
static const char user_text[] = "(module (import \"o\" \"m\" (memory 1 2)) (func (export \"f\") (result i32) (i32.load (i32.const 0))))";

static wasmx_code *code(const char *text, const char *name, wasmx_bounds bounds) {
    wasmx_compile_options options = {.name = name, .bounds = bounds, .threads = 1};
    wasmx_output out;
    wasmx_compile_error err;
    cr_assert(wasmx_compile(text, strlen(text), &options, &out, &err), "%s", err.line);
    wasmx_code *c = wasmx_code_load(&out.object, name, &err);
    cr_assert(c, "%s", err.line);
    wasmx_output_free(&out);
    return c;
}

static bool links(wasmx_bounds of_owner, wasmx_bounds of_user, wasmx_error *err) {
    wasmx_code *owner = code(owner_text, "owner", of_owner), *user = code(user_text, "user", of_user);
    wasmx_instance *o = wasmx_instantiate(wasmx_code_module(owner), NULL, err);
    cr_assert(o, "%s", err->message);
    wasmx_linker *linker = wasmx_linker_new();
    wasmx_linker_define_instance(linker, "o", o);
    wasmx_instance *u = wasmx_instantiate(wasmx_code_module(user), &(wasmx_options){.linker = linker}, err);
    bool ok = u != NULL;
    wasmx_instance_free(u);
    wasmx_instance_free(o);
    wasmx_linker_free(linker);
    wasmx_code_free(user);
    wasmx_code_free(owner);
    return ok;
}

Test(guard, a_guarded_memory_serves_both_kinds) {
    wasmx_error err;
    cr_expect(links(WASMX_BOUNDS_GUARD, WASMX_BOUNDS_GUARD, &err));
    cr_expect(links(WASMX_BOUNDS_GUARD, WASMX_BOUNDS_EXPLICIT, &err));
    cr_expect(links(WASMX_BOUNDS_EXPLICIT, WASMX_BOUNDS_EXPLICIT, &err));
}

Test(guard, a_small_reservation_is_refused_by_guarded_code) {
    wasmx_error err;
    cr_expect_not(links(WASMX_BOUNDS_EXPLICIT, WASMX_BOUNDS_GUARD, &err));
    cr_expect(strstr(err.message, "a memory with guard pages"), "%s", err.message);
}
