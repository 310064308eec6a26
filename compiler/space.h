// compiler/space.h: the address space of code that is made while it runs: within 2 GiB, so that any part of it reaches
// any other.
//
//   [ stubs | their table | anchor of the second tier | code, growing up | data, growing up | address map ]
//
// Code is written, then made executable, never both. The map's unused entries are zero and therefore point at
// themselves, above all code: a search in the whole of it finds the right entry at any time.
#pragma once
#include <stdbool.h>

#include <llvm-c/OrcEE.h>

#include "interp/baseline.h"
#include "runtime/abi.h"

typedef struct wx_space {
    uint8_t *base;
    size_t size;
    wx_stubs stubs;
    wx_anchor *anchor;
    uint8_t *code_at, *code_end;         // code_at: the first free byte
    uint8_t *data_at, *data_end;
    uint8_t *open;                       // code from here on is not executable yet
    wxrt_map *map, *map_at, *map_end;
} wx_space;

// Room for stubs, and about what the code of a module of so many bytes needs, and as much constant data besides. False:
// the address space is short.
bool wx_space_open(wx_space *s, uint32_t func_count, uint32_t stubs, uint64_t wasm_bytes, uint64_t data_bytes);
void wx_space_close(wx_space *s);
void wx_space_protect_stubs(wx_space *s); // after the last wx_stub_write
// The map of the stubs, which comes first: of these functions, ascending. False: no room.
bool wx_space_map_stubs(wx_space *s, const uint32_t *funcs, uint32_t count);
// Says that from there on is no function's code, up to what is added next.
bool wx_space_end_map(wx_space *s, const void *at);
// Copies the map of a new piece of code; its functions lie above all earlier ones. False: no room.
bool wx_space_add_map(wx_space *s, const wxrt_map *map, uint32_t count);
// Constant data beside the code's; NULL: no room.
void *wx_space_data(wx_space *s, uint64_t size);
// The same for one function, or UINT32_MAX.
bool wx_space_map_code(wx_space *s, const void *at, uint32_t func);
// Room for code that is written here, and its end: from then on it can run. Under the lock of who links.
uint8_t *wx_space_take_code(wx_space *s, size_t size);
bool wx_space_seal(wx_space *s, uint8_t *end);
static inline void *wx_map_address(const wxrt_map *m) { return (char *)(uintptr_t)&m->at + m->at; }
// A linking layer that puts objects there. One object at a time is linked.
LLVMOrcObjectLayerRef wx_space_layer(void *space, LLVMOrcExecutionSessionRef session, const char *triple);
