// compiler/startup.h: what an instance needs beyond its images before it can run (core 4.5.4, in its order).
#pragma once
#include "compiler/unit.h"
#include "interp/interp.h"

typedef enum wx_startup {
    STARTUP_GLOBAL, STARTUP_TABLE,
    STARTUP_VALUE, // of elements of segments, where it is an object
    STARTUP_ELEMENT, STARTUP_DATA, STARTUP_SORTS
} wx_startup;

uint32_t wx_startup_count(const wx_unit *u, wx_startup sort);
// Whether the i-th of its sort has something left to do. The start function, if there is one, comes after all of them.
bool wx_startup_needs(const wx_unit *u, wx_startup sort, uint32_t i);
bool wx_startup_is_empty(const wx_unit *u);
// Does it, without code made for it.
void wx_startup_run(const wx_unit *u, wx_interp *it, char *ctx);

// ---- Constant expressions in an instance

typedef struct wx_starting {
    const wx_unit *u;
    wx_interp *it;
    char *ctx;
} wx_starting;

// startup_gc.c: an instruction that makes an object or converts a reference. Takes its operands from below top and puts
// its result there; returns the new top. NULL: it is none of those.
wasmx_value *wx_startup_object(const wx_starting *s, const wx_instr *in, wasmx_value *top);
