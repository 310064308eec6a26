// wasm/decode_entities.c: imports, what a module declares itself (functions, tables, memories, tags, globals), exports.
//
// in: a reader of one section. out: the index spaces, imports first.
#include <string.h>

#include "wasm/decode.h"

static void *resize(wx_module *m, const void *items, uint32_t count, size_t room, size_t size) {
    void *all = wx_arena_array(&m->arena, room, size);
    return count ? memcpy(all, items, count * size) : all;
}

// Room for n more items; and room for one more, where the capacity is always the next power of two.
#define RESERVE(m, list, count, n) ((list) = resize((m), (list), (count), (size_t)(count) + (n), sizeof *(list)))
#define IS_FULL(count) (((count) & ((count) - 1)) == 0)
#define RESERVE_ONE(m, list, count) (IS_FULL(count) ? RESERVE(m, list, count, (count) + !(count)) : NULL)

wx_expr wx_decode_expr(wx_module *m, wx_reader *r) {
    wx_expr e = {.ptr = r->at, .offset = wx_reader_offset(r)};
    wx_instr in;
    for (uint32_t depth = 1; depth && wx_reader_ok(r);) {
        wx_instr_read(r, &in);
        wx_imm imm = wx_ops[in.op].imm;
        if (in.op == WX_OP_END) depth--;
        else if (imm == WX_IMM_BLOCK || imm == WX_IMM_TRY_TABLE) depth++;
        else if (in.op == WX_OP_REF_FUNC && in.a < m->func_count) m->funcs[in.a].is_ref = true;
    }
    e.len = (size_t)(r->at - e.ptr);
    return e;
}

// Flags: bit 0 a maximum follows, bit 1 shared, bit 2 64-bit addresses.
static wx_limits read_limits(wx_module *m, wx_reader *r, bool may_share) {
    uint64_t at = wx_reader_offset(r);
    uint8_t flags = wx_read_u8(r);
    wx_limits l = {.has_max = flags & 1, .shared = flags & 2, .is64 = flags & 4, .max = UINT64_MAX};
    if (flags > 7) wx_reader_fail_at(r, WX_ERR_MALFORMED, at, "malformed limits flags 0x%02x", flags);
    if (l.shared && !may_share) wx_reader_fail_at(r, WX_ERR_MALFORMED, at, "malformed limits flags: a shared table");
    l.min = wx_read_u64(r);
    if (l.has_max) l.max = wx_read_u64(r);
    if (l.is64) m->features |= WX_FEATURE_BIT(MEMORY64);
    if (l.shared) m->features |= WX_FEATURE_BIT(THREADS);
    return l;
}

static void read_func(wx_module *m, wx_reader *r, uint32_t import) {
    m->funcs[m->func_count++] = (wx_func){.type = wx_read_u32(r), .import = import};
}

static void read_table(wx_module *m, wx_reader *r, uint32_t import) {
    wx_table *t = &m->tables[m->table_count++];
    *t = (wx_table){.import = import};
    bool has_init = import == WX_NO_INDEX && wx_peek_u8(r) == 0x40;
    if (has_init) {
        wx_read_u8(r);
        if (wx_read_u8(r) != 0) wx_reader_fail(r, WX_ERR_MALFORMED, "malformed table");
        m->features |= WX_FEATURE_BIT(FUNC_REFS);
    }
    t->type = wx_read_ref_type(r);
    t->limits = read_limits(m, r, false);
    if (has_init) t->init = wx_decode_expr(m, r);
    if (t->type != WX_FUNCREF) wx_note_type(m, t->type);
    if (m->table_count > 1) m->features |= WX_FEATURE_BIT(REF_TYPES);
}

static void read_memory(wx_module *m, wx_reader *r, uint32_t import) {
    m->memories[m->memory_count++] = (wx_memory){.limits = read_limits(m, r, true), .import = import};
    if (m->memory_count > 1) m->features |= WX_FEATURE_BIT(MULTI_MEMORY);
}

static void read_tag(wx_module *m, wx_reader *r, uint32_t import) {
    if (wx_read_u8(r) != 0) wx_reader_fail(r, WX_ERR_MALFORMED, "malformed tag attribute");
    m->tags[m->tag_count++] = (wx_tag){.type = wx_read_u32(r), .import = import};
    m->features |= WX_FEATURE_BIT(EH);
}

static void read_global(wx_module *m, wx_reader *r, uint32_t import) {
    wx_global *g = &m->globals[m->global_count++];
    *g = (wx_global){.type = wx_read_value_type(r), .import = import};
    uint8_t mutable = wx_read_u8(r);
    if (mutable > 1) wx_reader_fail(r, WX_ERR_MALFORMED, "malformed mutability");
    g->mutable = mutable;
    if (import == WX_NO_INDEX) g->init = wx_decode_expr(m, r);
    else if (mutable) m->features |= WX_FEATURE_BIT(MUTABLE_GLOBALS);
    wx_note_type(m, g->type);
}

static void read_import(wx_module *m, wx_reader *r, uint32_t i) {
    wx_import *im = &m->imports[i];
    im->module = wx_read_name(r);
    im->field = wx_read_name(r);
    uint8_t kind = wx_read_u8(r);
    im->kind = (wx_extern_kind)kind;
    switch (kind) {
    case WX_EXTERN_FUNC:
        im->index = m->func_count;
        RESERVE_ONE(m, m->funcs, m->func_count);
        read_func(m, r, i);
        break;
    case WX_EXTERN_TABLE:
        im->index = m->table_count;
        RESERVE_ONE(m, m->tables, m->table_count);
        read_table(m, r, i);
        break;
    case WX_EXTERN_MEMORY:
        im->index = m->memory_count;
        RESERVE_ONE(m, m->memories, m->memory_count);
        read_memory(m, r, i);
        break;
    case WX_EXTERN_GLOBAL:
        im->index = m->global_count;
        RESERVE_ONE(m, m->globals, m->global_count);
        read_global(m, r, i);
        break;
    case WX_EXTERN_TAG:
        im->index = m->tag_count;
        RESERVE_ONE(m, m->tags, m->tag_count);
        read_tag(m, r, i);
        break;
    default: wx_reader_fail(r, WX_ERR_MALFORMED, "malformed import kind %u", kind);
    }
}

void wx_decode_imports(wx_module *m, wx_reader *r) {
    uint32_t n = wx_read_count(r, 4);
    m->imports = WX_NEW_ARRAY(&m->arena, wx_import, n);
    for (uint32_t i = 0; i < n && wx_reader_ok(r); i++, m->import_count++) read_import(m, r, i);
    m->func_imports = m->func_count;
    m->table_imports = m->table_count;
    m->memory_imports = m->memory_count;
    m->global_imports = m->global_count;
    m->tag_imports = m->tag_count;
}

void wx_decode_funcs(wx_module *m, wx_reader *r) {
    uint32_t n = wx_read_count(r, 1);
    RESERVE(m, m->funcs, m->func_count, n);
    for (uint32_t i = 0; i < n && wx_reader_ok(r); i++) read_func(m, r, WX_NO_INDEX);
}

void wx_decode_tables(wx_module *m, wx_reader *r) {
    uint32_t n = wx_read_count(r, 3);
    RESERVE(m, m->tables, m->table_count, n);
    for (uint32_t i = 0; i < n && wx_reader_ok(r); i++) read_table(m, r, WX_NO_INDEX);
}

void wx_decode_memories(wx_module *m, wx_reader *r) {
    uint32_t n = wx_read_count(r, 2);
    RESERVE(m, m->memories, m->memory_count, n);
    for (uint32_t i = 0; i < n && wx_reader_ok(r); i++) read_memory(m, r, WX_NO_INDEX);
}

void wx_decode_tags(wx_module *m, wx_reader *r) {
    uint32_t n = wx_read_count(r, 2);
    RESERVE(m, m->tags, m->tag_count, n);
    for (uint32_t i = 0; i < n && wx_reader_ok(r); i++) read_tag(m, r, WX_NO_INDEX);
}

void wx_decode_globals(wx_module *m, wx_reader *r) {
    uint32_t n = wx_read_count(r, 3);
    RESERVE(m, m->globals, m->global_count, n);
    for (uint32_t i = 0; i < n && wx_reader_ok(r); i++) read_global(m, r, WX_NO_INDEX);
}

// What an export means for the thing exported; an index out of range is for validation to find.
static void note_export(wx_module *m, const wx_export *x) {
    uint32_t i = x->index;
    if (x->kind == WX_EXTERN_FUNC && i < m->func_count) m->funcs[i].is_exported = m->funcs[i].is_ref = true;
    if (x->kind == WX_EXTERN_TABLE && i < m->table_count) m->tables[i].is_exported = true;
    if (x->kind == WX_EXTERN_MEMORY && i < m->memory_count) m->memories[i].is_exported = true;
    if (x->kind != WX_EXTERN_GLOBAL || i >= m->global_count) return;
    m->globals[i].is_exported = true;
    if (m->globals[i].mutable) m->features |= WX_FEATURE_BIT(MUTABLE_GLOBALS);
}

void wx_decode_exports(wx_module *m, wx_reader *r) {
    uint32_t n = wx_read_count(r, 3);
    m->exports = WX_NEW_ARRAY(&m->arena, wx_export, n);
    for (uint32_t i = 0; i < n && wx_reader_ok(r); i++, m->export_count++) {
        wx_export *x = &m->exports[i];
        x->name = wx_read_name(r);
        uint8_t kind = wx_read_u8(r);
        if (kind > WX_EXTERN_TAG) wx_reader_fail(r, WX_ERR_MALFORMED, "malformed export kind %u", kind);
        x->kind = (wx_extern_kind)kind;
        x->index = wx_read_u32(r);
        note_export(m, x);
    }
}
