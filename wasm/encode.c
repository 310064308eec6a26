// wasm/encode.c: from wx_module to bytes.
//
// in: a module, decoded or put together by hand; bodies, constant expressions and custom sections are copied as bytes.
// out: sections in canonical order, LEB128 in shortest form. A custom section goes where it was: after the section
// `after`, or after the place where that one would be.
#include <string.h>

#include "wasm/decode.h"
#include "wasm/remap.h"

static void put_name(wx_buf *out, wx_name name) {
    wx_buf_uleb(out, name.len);
    wx_buf_add(out, name.ptr, name.len);
}

static void put_span(wx_buf *out, wx_span s) { wx_buf_add(out, s.ptr, s.len); }

void wx_put_heap(wx_buf *out, wx_type heap) {
    if (wx_has_index(heap)) wx_buf_sleb(out, wx_low(heap));
    else wx_buf_byte(out, (uint8_t)wx_low(heap));
}

void wx_put_type(wx_buf *out, wx_type t) {
    bool short_form = !wx_is_ref(t) || (wx_is_nullable(t) && !wx_has_index(t));
    if (!short_form) wx_buf_byte(out, wx_is_nullable(t) ? 0x63 : 0x64);
    wx_put_heap(out, t);
}

static void put_types(wx_buf *out, const wx_type *types, uint32_t count) {
    wx_buf_uleb(out, count);
    for (uint32_t i = 0; i < count; i++) wx_put_type(out, types[i]);
}

static void put_fields(wx_buf *out, const wx_typedef *t) {
    for (uint32_t i = 0; i < t->field_count; i++) {
        wx_put_type(out, t->fields[i].type);
        wx_buf_byte(out, t->fields[i].mutable);
    }
}

static void put_composite(wx_buf *out, const wx_typedef *t) {
    switch (t->kind) {
    case WX_KIND_FUNC:
        wx_buf_byte(out, 0x60);
        put_types(out, t->params, t->param_count);
        put_types(out, t->results, t->result_count);
        break;
    case WX_KIND_STRUCT:
        wx_buf_byte(out, 0x5f);
        wx_buf_uleb(out, t->field_count);
        put_fields(out, t);
        break;
    case WX_KIND_ARRAY:
        wx_buf_byte(out, 0x5e);
        put_fields(out, t);
        break;
    }
}

static void put_typedef(wx_buf *out, const wx_typedef *t) {
    bool has_super = t->super != WX_NO_INDEX;
    if (!t->final || has_super) {
        wx_buf_byte(out, t->final ? 0x4f : 0x50);
        wx_buf_uleb(out, has_super);
        if (has_super) wx_buf_uleb(out, t->super);
    }
    put_composite(out, t);
}

static void put_type_section(const wx_module *m, wx_buf *out) {
    uint32_t groups = 0;
    for (uint32_t i = 0; i < m->type_count; i += m->types[i].group_size) groups++;
    wx_buf_uleb(out, groups);
    for (uint32_t i = 0; i < m->type_count; i++) {
        const wx_typedef *t = &m->types[i];
        if (i == t->group && t->group_size > 1) {
            wx_buf_byte(out, 0x4e);
            wx_buf_uleb(out, t->group_size);
        }
        put_typedef(out, t);
    }
}

// What imports and definitions have in common

static void put_limits(wx_buf *out, const wx_limits *l) {
    wx_buf_byte(out, (uint8_t)(l->has_max | l->shared << 1 | l->is64 << 2));
    wx_buf_uleb(out, l->min);
    if (l->has_max) wx_buf_uleb(out, l->max);
}

static void put_table_type(wx_buf *out, const wx_table *t) {
    wx_put_type(out, t->type);
    put_limits(out, &t->limits);
}

static void put_global_type(wx_buf *out, const wx_global *g) {
    wx_put_type(out, g->type);
    wx_buf_byte(out, g->mutable);
}

static void put_tag_type(wx_buf *out, const wx_tag *t) {
    wx_buf_byte(out, 0);
    wx_buf_uleb(out, t->type);
}

static void put_import(const wx_module *m, const wx_import *im, wx_buf *out) {
    put_name(out, im->module);
    put_name(out, im->field);
    wx_buf_byte(out, (uint8_t)im->kind);
    switch (im->kind) {
    case WX_EXTERN_FUNC: wx_buf_uleb(out, m->funcs[im->index].type); break;
    case WX_EXTERN_TABLE: put_table_type(out, &m->tables[im->index]); break;
    case WX_EXTERN_MEMORY: put_limits(out, &m->memories[im->index].limits); break;
    case WX_EXTERN_GLOBAL: put_global_type(out, &m->globals[im->index]); break;
    case WX_EXTERN_TAG: put_tag_type(out, &m->tags[im->index]); break;
    }
}

// Sections

static void put_import_section(const wx_module *m, wx_buf *out) {
    wx_buf_uleb(out, m->import_count);
    for (uint32_t i = 0; i < m->import_count; i++) put_import(m, &m->imports[i], out);
}

static void put_func_section(const wx_module *m, wx_buf *out) {
    wx_buf_uleb(out, m->func_count - m->func_imports);
    for (uint32_t i = m->func_imports; i < m->func_count; i++) wx_buf_uleb(out, m->funcs[i].type);
}

static void put_table_section(const wx_module *m, wx_buf *out) {
    wx_buf_uleb(out, m->table_count - m->table_imports);
    for (uint32_t i = m->table_imports; i < m->table_count; i++) {
        const wx_table *t = &m->tables[i];
        if (t->init.len) wx_buf_add(out, "\x40", 2);
        put_table_type(out, t);
        put_span(out, t->init);
    }
}

static void put_memory_section(const wx_module *m, wx_buf *out) {
    wx_buf_uleb(out, m->memory_count - m->memory_imports);
    for (uint32_t i = m->memory_imports; i < m->memory_count; i++) put_limits(out, &m->memories[i].limits);
}

static void put_tag_section(const wx_module *m, wx_buf *out) {
    wx_buf_uleb(out, m->tag_count - m->tag_imports);
    for (uint32_t i = m->tag_imports; i < m->tag_count; i++) put_tag_type(out, &m->tags[i]);
}

static void put_global_section(const wx_module *m, wx_buf *out) {
    wx_buf_uleb(out, m->global_count - m->global_imports);
    for (uint32_t i = m->global_imports; i < m->global_count; i++) {
        put_global_type(out, &m->globals[i]);
        put_span(out, m->globals[i].init);
    }
}

static void put_export_section(const wx_module *m, wx_buf *out) {
    wx_buf_uleb(out, m->export_count);
    for (uint32_t i = 0; i < m->export_count; i++) {
        put_name(out, m->exports[i].name);
        wx_buf_byte(out, (uint8_t)m->exports[i].kind);
        wx_buf_uleb(out, m->exports[i].index);
    }
}

static void put_start_section(const wx_module *m, wx_buf *out) { wx_buf_uleb(out, m->start); }

static void put_elem(const wx_elem *e, wx_buf *out) {
    bool exprs = !e->funcs, plain = e->type == (exprs ? WX_FUNCREF : WX_REF(false, WX_HEAP_FUNC));
    bool explicit = e->mode == WX_DECLARED || (e->mode == WX_ACTIVE && (e->table || !plain));
    uint32_t flags = (uint32_t)(e->mode != WX_ACTIVE) | (uint32_t)explicit << 1 | (uint32_t)exprs << 2;
    wx_buf_uleb(out, flags);
    if (e->mode == WX_ACTIVE && explicit) wx_buf_uleb(out, e->table);
    if (e->mode == WX_ACTIVE) put_span(out, e->offset);
    if (flags & 3 && exprs) wx_put_type(out, e->type);
    if (flags & 3 && !exprs) wx_buf_byte(out, 0);
    wx_buf_uleb(out, e->count);
    for (uint32_t i = 0; i < e->count; i++) {
        if (exprs) put_span(out, e->exprs[i]);
        else wx_buf_uleb(out, e->funcs[i]);
    }
}

static void put_elem_section(const wx_module *m, wx_buf *out) {
    wx_buf_uleb(out, m->elem_count);
    for (uint32_t i = 0; i < m->elem_count; i++) put_elem(&m->elems[i], out);
}

static void put_data_count_section(const wx_module *m, wx_buf *out) { wx_buf_uleb(out, m->data_count); }

static void put_code_section(const wx_module *m, wx_buf *out) {
    wx_buf_uleb(out, m->func_count - m->func_imports);
    for (uint32_t i = m->func_imports; i < m->func_count; i++) {
        wx_buf_uleb(out, m->funcs[i].code.len);
        put_span(out, m->funcs[i].code);
    }
}

static void put_data_section(const wx_module *m, wx_buf *out) {
    wx_buf_uleb(out, m->data_count);
    for (uint32_t i = 0; i < m->data_count; i++) {
        const wx_data *d = &m->datas[i];
        bool passive = d->mode != WX_ACTIVE;
        wx_buf_uleb(out, passive ? 1 : d->memory ? 2 : 0);
        if (!passive && d->memory) wx_buf_uleb(out, d->memory);
        if (!passive) put_span(out, d->offset);
        wx_buf_uleb(out, d->bytes.len);
        put_span(out, d->bytes);
    }
}

// The section's body in *out; false when the module has no such section.
static bool put_section(const wx_module *m, int id, wx_buf *out) {
    static const struct { void (*put)(const wx_module *, wx_buf *); } writers[WX_SECTION_IDS] = {
        [WX_SECTION_TYPE] = {put_type_section}, [WX_SECTION_IMPORT] = {put_import_section},
        [WX_SECTION_FUNC] = {put_func_section}, [WX_SECTION_TABLE] = {put_table_section},
        [WX_SECTION_MEMORY] = {put_memory_section}, [WX_SECTION_TAG] = {put_tag_section},
        [WX_SECTION_GLOBAL] = {put_global_section}, [WX_SECTION_EXPORT] = {put_export_section},
        [WX_SECTION_START] = {put_start_section}, [WX_SECTION_ELEM] = {put_elem_section},
        [WX_SECTION_DATA_COUNT] = {put_data_count_section}, [WX_SECTION_CODE] = {put_code_section},
        [WX_SECTION_DATA] = {put_data_section},
    };
    const bool there[WX_SECTION_IDS] = {
        [WX_SECTION_TYPE] = m->type_count, [WX_SECTION_IMPORT] = m->import_count,
        [WX_SECTION_FUNC] = m->func_count > m->func_imports, [WX_SECTION_TABLE] = m->table_count > m->table_imports,
        [WX_SECTION_MEMORY] = m->memory_count > m->memory_imports, [WX_SECTION_TAG] = m->tag_count > m->tag_imports,
        [WX_SECTION_GLOBAL] = m->global_count > m->global_imports, [WX_SECTION_EXPORT] = m->export_count,
        [WX_SECTION_START] = m->start != WX_NO_INDEX, [WX_SECTION_ELEM] = m->elem_count,
        [WX_SECTION_DATA_COUNT] = m->has_data_count, [WX_SECTION_CODE] = m->func_count > m->func_imports,
        [WX_SECTION_DATA] = m->data_count,
    };
    if (there[id]) writers[id].put(m, out);
    return there[id];
}

#define LENGTH_BYTES 5 // room for any length that fits 32 bits

// A section is written behind room for its length, then moved to where that ends: no second copy of large ones.
static size_t begin_section(wx_buf *out) {
    size_t start = out->len;
    wx_buf_add(out, "\0\0\0\0\0", 1 + LENGTH_BYTES);
    return start;
}

static void end_section(wx_buf *out, size_t start, int id) {
    size_t body = start + 1 + LENGTH_BYTES, len = out->len - body;
    out->len = start;
    wx_buf_byte(out, (uint8_t)id);
    wx_buf_uleb(out, len);
    memmove(out->data + out->len, out->data + body, len);
    out->len += len;
}

static void put_customs(const wx_module *m, int after, wx_buf *out) {
    for (uint32_t i = 0; i < m->custom_count; i++) {
        if (m->customs[i].after != after) continue;
        size_t start = begin_section(out);
        put_name(out, m->customs[i].name);
        put_span(out, m->customs[i].bytes);
        end_section(out, start, WX_SECTION_CUSTOM);
    }
}

// What is large, and room for the heads around it: growing by copying would hold the result twice.
static size_t expected_size(const wx_module *m) {
    size_t n = 65536 + 32 * ((size_t)m->func_count + m->data_count);
    for (uint32_t i = 0; i < m->func_count; i++) n += m->funcs[i].code.len;
    for (uint32_t i = 0; i < m->data_count; i++) n += m->datas[i].bytes.len;
    for (uint32_t i = 0; i < m->custom_count; i++) n += m->customs[i].bytes.len;
    return n;
}

void wx_module_encode(const wx_module *m, wx_buf *out) {
    wx_buf_reserve(out, expected_size(m));
    int order[WX_SECTION_IDS];
    for (int id = 0; id < WX_SECTION_IDS; id++) order[wx_section_rank[id]] = id;
    wx_buf_add(out, "\0asm\1\0\0", 8);
    put_customs(m, 0, out);
    for (int rank = 1; rank < WX_SECTION_IDS; rank++) {
        size_t start = begin_section(out);
        if (put_section(m, order[rank], out)) end_section(out, start, order[rank]);
        else out->len = start;
        put_customs(m, order[rank], out);
    }
}
