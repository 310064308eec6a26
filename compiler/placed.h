// compiler/placed.h: the descriptor of code on demand: made in its address space, of stubs, without LLVM.
#pragma once
#include "compiler/space.h"
#include "compiler/unit.h"

typedef struct wx_placed {
    const struct wasmx_module *module;
    void *type_ids, **tables; // what code refers to by name; tables: by index
} wx_placed;

// Lives as long as the space; tables belongs to the unit. Every stub the descriptor names is one by number (interp.h).
bool wx_place_descriptor(wx_unit *u, wx_space *space, wx_placed *out, wx_error *e);
