// tests/hosts/host.c: a host whose guest traps in every way that raises a signal. tests/suites/hosts.sh runs it under gdb
// and under sanitizers.
#include <stdio.h>

#include "traps.h" // made by wasmx-aot build tests/load/traps.wat

static void fail(wasmx_instance *guest) { wasmx_raise(guest, WASMX_TRAP_HOST, NULL); }
static void again(wasmx_instance *guest, int32_t kind) { wasmx_raise(guest, traps_trap(guest, kind, 1), NULL); }

static const traps_imports imports = {.h_fail = fail, .h_again = again};
static const wasmx_status expected[] = {
    WASMX_TRAP_UNREACHABLE,     WASMX_TRAP_MEMORY_OUT_OF_BOUNDS,  WASMX_TRAP_INTEGER_DIVIDE_BY_ZERO,
    WASMX_TRAP_STACK_EXHAUSTED, WASMX_TRAP_UNINITIALIZED_ELEMENT, WASMX_TRAP_INDIRECT_CALL_TYPE_MISMATCH,
    WASMX_TRAP_HOST,            WASMX_TRAP_MEMORY_OUT_OF_BOUNDS};

__attribute__((noinline)) static int call_guest(wasmx_instance *guest, int kind) {
    wasmx_status status = traps_trap(guest, kind, 2);
    if (status != expected[kind]) printf("traps: kind %d: %s\n", kind, wasmx_status_message(status));
    return status != expected[kind];
}

int main(void) {
    wasmx_error err;
    wasmx_instance *guest = wasmx_instantiate(&traps, &(wasmx_options){.imports = &imports, .max_stack_bytes = 65536}, &err);
    if (!guest) return fprintf(stderr, "%s\n", err.message), 1;
    int wrong = 0;
    for (int kind = 0; kind < 8; kind++) wrong += call_guest(guest, kind);
    wasmx_instance_free(guest);
    if (!wrong) printf("traps: all as expected\n");
    return wrong;
}
