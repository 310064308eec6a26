// wizer/state.c: what the instance holds, as numbers and function indices of the module.
//
// in: the instance after its initialiser. out: s->state; memories are not copied, they stay the instance's. A reference
// to anything but a function of the module cannot be written down: false, and the message names the place.
#include <stdio.h>
#include <string.h>

#include "wasm/constexpr.h"
#include "wizer/wizer.h"

// References to objects and i31: the hierarchy of any.
static bool is_object_ref(const wx_module *m, wx_type t) {
    if (wx_has_index(t)) return m->types[wx_low(t)].kind != WX_KIND_FUNC;
    return wx_low(t) == WX_HEAP_NONE || (wx_low(t) <= WX_HEAP_ANY && wx_low(t) >= WX_HEAP_ARRAY);
}

static bool is_func_ref(const wx_module *m, wx_type t) {
    if (!wx_is_ref(t)) return false;
    if (wx_has_index(t)) return m->types[wx_low(t)].kind == WX_KIND_FUNC;
    return wx_low(t) == WX_HEAP_FUNC || wx_low(t) == WX_HEAP_NOFUNC;
}

// `where` names the place, for the message.
static bool read_ref(wx_snapshot *s, wx_type type, wasmx_value v, const char *where, uint64_t at, uint32_t *out) {
    char slot[32] = "";
    *out = WX_NULL_REF;
    if (!v.externref) return true;
    if (at != UINT64_MAX) snprintf(slot, sizeof slot, "[%llu]", (unsigned long long)at);
    if (is_object_ref(&s->m, type))
        return wx_snapshot_fail(s, "%s%s holds a reference to an object or an i31, which cannot be kept", where, slot);
    if (!is_func_ref(&s->m, type))
        return wx_snapshot_fail(s, "%s%s holds a reference of the host's (%s), which cannot be kept", where, slot,
                                type == WX_EXTERNREF ? "externref" : "not a function");
    *out = wasmx_instance_func_index(s->instance, v.funcref);
    if (*out != WX_NULL_REF) return true;
    return wx_snapshot_fail(s, "%s%s holds a function of another module, which cannot be kept", where, slot);
}

// ---- Memories and globals

static void read_memories(wx_snapshot *s) {
    for (uint32_t i = 0; i < s->m.memory_count; i++) {
        const wasmx_memory *memory = wasmx_instance_memory(s->instance, i);
        s->state.memories[i] = (wx_memory_state){wasmx_memory_data(memory), wasmx_memory_size(memory)};
    }
}

static bool has_mutable_fields(const wx_typedef *t) {
    for (uint32_t i = 0; i < t->field_count; i++)
        if (t->fields[i].mutable) return true;
    return false;
}

// Could the initialiser have changed an object that this makes?
static bool makes_state(const wx_module *m, const wx_instr *in) {
    switch (in->op) {
    case WX_OP_STRUCT_NEW: case WX_OP_STRUCT_NEW_DEFAULT: case WX_OP_ARRAY_NEW: case WX_OP_ARRAY_NEW_DEFAULT:
    case WX_OP_ARRAY_NEW_FIXED: return has_mutable_fields(&m->types[in->a]);
    default: return false;
    }
}

// An expression that gives the same later: it makes nothing that may have changed since, and, for a global, names no
// global, which might be an imported one, which the result may not import.
static bool is_repeatable(const wx_module *m, wx_expr expr, bool in_global) {
    wx_error none = {0};
    wx_reader r = wx_reader_make(expr, &none);
    for (wx_instr in; !wx_reader_done(&r);) {
        wx_instr_read(&r, &in);
        if (makes_state(m, &in) || (in_global && in.op == WX_OP_GLOBAL_GET)) return false;
    }
    return true;
}

static bool read_global(wx_snapshot *s, uint32_t i) {
    const wx_global *g = &s->m.globals[i];
    wx_global_state *state = &s->state.globals[i];
    char where[64];
    state->func = WX_NULL_REF;
    state->keep_expr = !g->mutable && g->import == WX_NO_INDEX && is_repeatable(&s->m, g->init, true);
    if (state->keep_expr) return true;
    wasmx_global *global = wasmx_instance_global(s->instance, i);
    if (!global) return wx_snapshot_fail(s, "out of memory");
    state->value = wasmx_global_get(global);
    snprintf(where, sizeof where, "global %u", i);
    return !wx_is_ref(g->type) || read_ref(s, g->type, state->value, where, UINT64_MAX, &state->func);
}

static bool read_globals(wx_snapshot *s) {
    for (uint32_t i = 0; i < s->m.global_count; i++)
        if (!read_global(s, i)) return false;
    return true;
}

// ---- Tables

static uint32_t *new_refs(wx_snapshot *s, wx_table_state *t, uint64_t size) {
    t->size = size;
    t->refs = WX_NEW_ARRAY(&s->arena, uint32_t, size);
    memset(t->refs, 0xff, size * sizeof *t->refs);
    return t->refs;
}

static bool read_table(wx_snapshot *s, uint32_t i, const wasmx_table *table) {
    char where[64];
    uint32_t *refs = new_refs(s, &s->state.tables[i], wasmx_table_size(table));
    snprintf(where, sizeof where, "table %u", i);
    for (uint64_t k = 0; k < s->state.tables[i].size; k++) {
        wasmx_value v;
        if (!wasmx_table_get(table, k, &v)) break;
        if (!read_ref(s, s->m.tables[i].type, v, where, k, &refs[k])) return false;
    }
    return true;
}

static wx_const element(const wx_module *m, const wx_elem *e, uint32_t i) {
    if (!e->funcs) return wx_const_eval(m, e->exprs[i]);
    return (wx_const){.kind = WX_CONST_FUNC, .index = e->funcs[i]};
}

// A table without a record of its own holds what the segments put there.
static void read_constant_table(wx_snapshot *s, uint32_t table) {
    const wx_module *m = &s->m;
    wx_table_state *t = &s->state.tables[table];
    uint32_t *refs = new_refs(s, t, m->tables[table].limits.min);
    for (uint32_t i = 0; i < m->elem_count; i++) {
        const wx_elem *e = &m->elems[i];
        if (e->mode != WX_ACTIVE || e->table != table) continue;
        uint64_t start = wx_const_eval(m, e->offset).bits;
        for (uint32_t k = 0; k < e->count && start + k < t->size; k++) {
            wx_const c = element(m, e, k);
            refs[start + k] = c.kind == WX_CONST_FUNC ? c.index : WX_NULL_REF;
        }
    }
}

static bool read_tables(wx_snapshot *s) {
    for (uint32_t i = 0; i < s->m.table_count; i++) {
        const wasmx_table *table = wasmx_instance_table(s->instance, i);
        if (!table) read_constant_table(s, i);
        else if (!read_table(s, i, table)) return false;
    }
    return true;
}

// ---- Segments

static void read_segments(wx_snapshot *s) {
    for (uint32_t i = 0; i < s->m.data_count; i++)
        s->state.data_empty[i] = s->m.datas[i].mode != WX_PASSIVE || wasmx_instance_data_dropped(s->instance, i);
    for (uint32_t i = 0; i < s->m.elem_count; i++)
        s->state.elem_empty[i] = s->m.elems[i].mode != WX_PASSIVE || wasmx_instance_elem_dropped(s->instance, i);
}

// The elements of a passive segment are made anew in every instance.
static bool check_segments(wx_snapshot *s) {
    for (uint32_t i = 0; i < s->m.elem_count; i++) {
        const wx_elem *e = &s->m.elems[i];
        for (uint32_t k = 0; !s->state.elem_empty[i] && !e->funcs && k < e->count; k++)
            if (!is_repeatable(&s->m, e->exprs[k], false))
                return wx_snapshot_fail(s, "element segment %u holds objects, which cannot be kept", i);
    }
    return true;
}

bool wx_state_read(wx_snapshot *s) {
    const wx_module *m = &s->m;
    s->state.memories = WX_NEW_ARRAY(&s->arena, wx_memory_state, m->memory_count);
    s->state.globals = WX_NEW_ARRAY(&s->arena, wx_global_state, m->global_count);
    s->state.tables = WX_NEW_ARRAY(&s->arena, wx_table_state, m->table_count);
    s->state.data_empty = WX_NEW_ARRAY(&s->arena, bool, m->data_count);
    s->state.elem_empty = WX_NEW_ARRAY(&s->arena, bool, m->elem_count);
    read_memories(s);
    read_segments(s);
    return check_segments(s) && read_globals(s) && read_tables(s);
}
