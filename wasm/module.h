// wasm/module.h: a WebAssembly module as data. The page to read first.
//
// wx_module_decode (wasm/wasm.h) fills it from bytes; wx_module_validate (wasm/wasm.h) checks it and fills the
// fields marked (validation). After that it is never written again and may be read by any number of threads.
//
// Everything here lives in m->arena, and names, bodies and data point into m->bytes, which belong to the caller and
// must outlive the module. Index spaces follow the specification: imports come first.
#pragma once
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "wasm/types.h"

typedef struct wx_name { // UTF-8, not NUL-terminated; ptr is NULL when absent
    const char *ptr;
    uint32_t len;
} wx_name;

typedef struct wx_span { // bytes of the file
    const uint8_t *ptr;
    size_t len;
    uint64_t offset; // of ptr in the file
} wx_span;

typedef enum wx_extern_kind {
    WX_EXTERN_FUNC, WX_EXTERN_TABLE, WX_EXTERN_MEMORY, WX_EXTERN_GLOBAL, WX_EXTERN_TAG, // the binary format's codes
} wx_extern_kind;

typedef struct wx_import {
    wx_name module, field;
    wx_extern_kind kind;
    uint32_t index; // in the index space of its kind
} wx_import;

typedef struct wx_export {
    wx_name name;
    wx_extern_kind kind;
    uint32_t index;
} wx_export;

typedef struct wx_limits {
    uint64_t min, max; // pages or elements; max is UINT64_MAX when not given
    bool has_max, is64, shared;
} wx_limits;

typedef struct wx_func {
    uint32_t type;     // type index; of kind function after validation
    uint32_t import;   // index in m->imports, or UINT32_MAX for functions with a body
    wx_name name;      // from the name section, else empty
    wx_span code;      // the body with its local declarations, without the size (empty for imports)
    uint32_t local_groups;      // runs in the local declarations
    uint32_t local_count;       // declared locals, parameters not counted
    bool is_ref;       // ref.func may name it: occurs outside bodies (exports, element segments, globals)
    bool is_exported;
} wx_func;

// A constant expression: its bytes up to and with `end`. wasm/constexpr.h evaluates it.
typedef wx_span wx_expr;

typedef struct wx_table {
    wx_type type; // of the elements
    wx_limits limits;
    uint32_t import;
    wx_name name;
    wx_expr init; // empty: null
    bool is_exported;
} wx_table;

typedef struct wx_memory {
    wx_limits limits;
    uint32_t import;
    wx_name name;
    bool is_exported;
} wx_memory;

typedef struct wx_global {
    wx_type type;
    bool mutable;
    uint32_t import;
    wx_name name;
    wx_expr init;
    bool is_exported;
    bool is_written; // some body holds a global.set of it (validation)
} wx_global;

typedef struct wx_tag {
    uint32_t type;
    uint32_t import;
    wx_name name;
} wx_tag;

typedef enum wx_segment_mode { WX_ACTIVE, WX_PASSIVE, WX_DECLARED } wx_segment_mode;

typedef struct wx_elem {
    wx_segment_mode mode;
    wx_type type;
    uint32_t table;  // active
    wx_expr offset;  // active
    uint32_t count;
    const uint32_t *funcs; // function indices, when the segment is given so
    const wx_expr *exprs;  // constant expressions otherwise
    wx_name name;
} wx_elem;

typedef struct wx_data {
    wx_segment_mode mode;
    uint32_t memory; // active
    wx_expr offset;  // active
    wx_span bytes;
    wx_name name;
} wx_data;

typedef struct wx_custom {
    wx_name name;
    wx_span bytes;   // after the name
    int after;       // the id of the last non-custom section before it, 0 when there was none
} wx_custom;

#define WX_NO_INDEX UINT32_MAX

typedef struct wx_module {
    wx_arena arena;
    wx_span bytes;
    wx_name name;
    wx_typedef *types;    uint32_t type_count;
    wx_import *imports;   uint32_t import_count;
    wx_func *funcs;       uint32_t func_count, func_imports;
    wx_table *tables;     uint32_t table_count, table_imports;
    wx_memory *memories;  uint32_t memory_count, memory_imports;
    wx_global *globals;   uint32_t global_count, global_imports;
    wx_tag *tags;         uint32_t tag_count, tag_imports;
    wx_export *exports;   uint32_t export_count;
    wx_elem *elems;       uint32_t elem_count;
    wx_data *datas;       uint32_t data_count;
    wx_custom *customs;   uint32_t custom_count;
    uint32_t start;       // function index or WX_NO_INDEX
    bool has_data_count;
    uint64_t features; // bit (1 << WX_FEATURE_x) of everything used: declarations by the decoder, bodies by validation
    bool *table_written;  // per table: table.set/fill/copy-to/init/grow occurs in some body (validation)
    bool *memory_grown;   // per memory: memory.grow occurs in some body (validation)
} wx_module;

typedef enum wx_feature {
#define FEATURE(name, text, version) WX_FEATURE_##name,
#include "wasm/features.def"
#undef FEATURE
    WX_FEATURE_COUNT
} wx_feature;

const char *wx_feature_name(wx_feature f); // "simd"

// The function type of a function index.
static inline const wx_typedef *wx_func_type(const wx_module *m, uint32_t func) {
    return &m->types[m->funcs[func].type];
}
void wx_module_free(wx_module *m);
