// wasm/remap.h: what code refers to, and the same code with other indices.
//
// For whoever removes or adds entities of a module: first visit what is in use, then copy bodies and expressions with
// the new numbers. Everything here expects validated code.
#pragma once
#include "base/buf.h"
#include "wasm/instr.h"

typedef enum wx_space { // the index spaces
    WX_SPACE_TYPE, WX_SPACE_FUNC, WX_SPACE_TABLE, WX_SPACE_MEMORY, WX_SPACE_GLOBAL, WX_SPACE_TAG, WX_SPACE_ELEM,
    WX_SPACE_DATA, WX_SPACES
} wx_space;

// Calls visit for every index an instruction names; for an index in a value type too.
typedef void wx_visitor(void *arg, wx_space space, uint32_t index);
void wx_instr_visit(const wx_instr *in, wx_visitor *visit, void *arg);
void wx_type_visit(wx_type t, wx_visitor *visit, void *arg);

// Per space: the new index by the old one; NULL: all stay as they are.
typedef struct wx_remap { const uint32_t *to[WX_SPACES]; } wx_remap;

static inline uint32_t wx_remap_index(const wx_remap *r, wx_space space, uint32_t index) {
    return r->to[space] ? r->to[space][index] : index;
}
wx_type wx_remap_type(const wx_remap *r, wx_type t); // of value and heap types
// Appends a body (with its local declarations) or a constant expression. Instructions without a changed index space are
// copied as they are; indices in the others are written in shortest form.
void wx_remap_body(const wx_remap *r, wx_span body, wx_buf *out);
void wx_remap_expr(const wx_remap *r, wx_expr expr, wx_buf *out);

// encode.c: a value or reference type; a heap type.
void wx_put_type(wx_buf *out, wx_type t);
void wx_put_heap(wx_buf *out, wx_type heap);
