// wasm/print.h: what the files of the printer share. Private to wasm/; the door is wasm.h.
#pragma once
#include "wasm/decode.h"

// The index spaces that have names in the text format.
typedef enum wx_space {
    WX_SPACE_FUNC, WX_SPACE_TABLE, WX_SPACE_MEMORY, WX_SPACE_GLOBAL, WX_SPACE_TAG, WX_SPACE_ELEM, WX_SPACE_DATA,
    WX_SPACE_COUNT,
} wx_space;

typedef struct wx_printer {
    const wx_module *m;
    wx_buf *out;
    bool *named[WX_SPACE_COUNT]; // per index: its name can stand as an identifier
} wx_printer;

// print_names.c
void wx_print_names_begin(wx_printer *p);
void wx_print_names_end(wx_printer *p);
void wx_print_ref(wx_printer *p, wx_space space, uint32_t index);        // " $name" or " 7"
void wx_print_definition(wx_printer *p, wx_space space, uint32_t index); // " $name (;7;)" or " (;7;)"
void wx_print_string(wx_printer *p, const void *bytes, size_t len);      // quoted

// print_body.c
void wx_print_type(wx_printer *p, wx_type t); // " i32"
void wx_print_types(wx_printer *p, const char *what, const wx_type *types, uint32_t count); // " (param i32 i64)"
void wx_print_body(wx_printer *p, const wx_func *f);
void wx_print_expr(wx_printer *p, wx_expr expr); // " i32.const 0 ..." without the end
