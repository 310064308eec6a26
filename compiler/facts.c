// compiler/facts.c: what is known about the whole module before any code is made.
//
// in: a validated module   out: u->facts: live functions, constant globals and tables, who takes part in tail calls
// Bodies are scanned once, in the order in which they are found to be reachable.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/unit.h"

typedef struct scan {
    wx_unit *u;
    const wx_module *m;
    wx_facts *facts;
    wx_error *e;
    uint32_t *queue;
    uint32_t head, tail;
    bool *global_written, *table_changed; // by live bodies; table_changed also when elements are read, or
                                          // called by a type that has subtypes
} scan;

static bool is_unsupported(wx_op op) {
    static const char *const emitters[] = {
#define OP(name, prefix, code, text, imm, sig, feature, emitter, a, b) #emitter,
#include "wasm/opcodes.def"
#undef OP
    };
    return emitters[op][0] == 'u' && strcmp(emitters[op], "unsupported") == 0;
}

static bool refuse(scan *s, uint32_t func, uint64_t at, wx_feature feature, const char *what) {
    if (s->e->code != WX_OK) return false;
    wx_fail_at(s->e, WX_ERR_UNSUPPORTED, at, "%s is not compiled yet: %s", wx_feature_name(feature), what);
    s->e->func = func;
    if (func == WX_NO_FUNC) return false;
    wx_name name = s->m->funcs[func].name;
    snprintf(s->e->name, sizeof s->e->name, "%.*s", (int)name.len, name.ptr ? name.ptr : "");
    return false;
}

static void reach(scan *s, uint32_t func) {
    if (s->facts->funcs[func].live) return;
    s->facts->funcs[func].live = true;
    s->queue[s->tail++] = func;
}

static void reference(scan *s, uint32_t func) {
    reach(s, func);
    s->facts->funcs[func].referenced = s->facts->funcs[func].described = true;
}

// In constant tables types are compared by what they are in this module, which is right for types without subtypes.
static void note_indirect(scan *s, const wx_instr *in) {
    if (!s->m->types[in->a].final) s->table_changed[in->b] = true;
}

static void note_tail_call(scan *s, uint32_t func, const wx_instr *in) {
    s->facts->funcs[func].tail = true;
    if (in->op == WX_OP_RETURN_CALL) {
        if (s->m->funcs[in->a].import == WX_NO_INDEX) s->facts->funcs[in->a].tail = true;
    } else {
        s->facts->tail_indirect = true;
    }
}

static void note_instruction(scan *s, uint32_t func, const wx_instr *in) {
    if (is_unsupported(in->op)) refuse(s, func, in->at, wx_ops[in->op].feature, wx_ops[in->op].text);
    switch (in->op) {
    case WX_OP_CALL: reach(s, in->a); break;
    case WX_OP_RETURN_CALL: reach(s, in->a); note_tail_call(s, func, in); break;
    case WX_OP_RETURN_CALL_INDIRECT: note_indirect(s, in); note_tail_call(s, func, in); break;
    case WX_OP_RETURN_CALL_REF: note_tail_call(s, func, in); break;
    case WX_OP_CALL_INDIRECT: note_indirect(s, in); break;
    case WX_OP_REF_FUNC: reference(s, in->a); break;
    case WX_OP_GLOBAL_SET: s->global_written[in->a] = true; break;
    case WX_OP_MEMORY_GROW: s->facts->memory_grown[in->a] = true; break;
    case WX_OP_TABLE_GET: case WX_OP_TABLE_SET: case WX_OP_TABLE_FILL: case WX_OP_TABLE_GROW:
        s->table_changed[in->a] = true;
        break;
    case WX_OP_TABLE_INIT: s->table_changed[in->b] = true; break;
    case WX_OP_TABLE_COPY: s->table_changed[in->a] = s->table_changed[in->b] = true; break;
    default: break;
    }
}

static void scan_body(scan *s, uint32_t func) {
    const wx_func *f = &s->m->funcs[func];
    if (f->import != WX_NO_INDEX) return;
    wx_error none = {0};
    wx_reader r = wx_reader_make(f->code, &none);
    wx_skip_locals(&r);
    for (wx_instr in; !wx_reader_done(&r);) {
        wx_instr_read(&r, &in);
        note_instruction(s, func, &in);
    }
}

// ---- Constant expressions

static bool scan_expr(scan *s, wx_expr expr) {
    wx_error none = {0};
    wx_reader r = wx_reader_make(expr, &none);
    for (wx_instr in; !wx_reader_done(&r);) {
        wx_instr_read(&r, &in);
        if (is_unsupported(in.op)) return refuse(s, WX_NO_FUNC, in.at, wx_ops[in.op].feature, wx_ops[in.op].text);
        if (in.op == WX_OP_REF_FUNC) reference(s, in.a);
    }
    return true;
}

static void scan_globals(scan *s) {
    for (uint32_t i = s->m->global_imports; i < s->m->global_count; i++) scan_expr(s, s->m->globals[i].init);
    for (uint32_t i = s->m->table_imports; i < s->m->table_count; i++)
        if (s->m->tables[i].init.len) scan_expr(s, s->m->tables[i].init);
}

static void scan_exports(scan *s) {
    for (uint32_t i = 0; i < s->m->export_count; i++) {
        const wx_export *x = &s->m->exports[i];
        if (x->kind != WX_EXTERN_FUNC) continue;
        reach(s, x->index);
        s->facts->funcs[x->index].described = true;
    }
    if (s->m->start != WX_NO_INDEX) reach(s, s->m->start);
}

static wx_const element(const wx_module *m, const wx_elem *e, uint32_t i) {
    if (!e->funcs) return wx_const_eval(m, e->exprs[i]);
    return (wx_const){.kind = WX_CONST_FUNC, .type = WX_FUNCREF, .index = e->funcs[i]};
}

static void scan_elements(scan *s) {
    for (uint32_t i = 0; i < s->m->elem_count; i++) {
        const wx_elem *e = &s->m->elems[i];
        if (e->mode == WX_DECLARED) continue;
        for (uint32_t k = 0; k < e->count; k++) {
            if (!e->funcs && !scan_expr(s, e->exprs[k])) return;
            wx_const c = element(s->m, e, k);
            if (c.kind == WX_CONST_FUNC) reach(s, c.index);
        }
    }
}

// ---- Tables

// A table of a few bytes in the module must not become hundreds of megabytes in the object.
static bool is_well_filled(const wx_module *m, uint32_t table) {
    uint64_t elements = 0;
    for (uint32_t i = 0; i < m->elem_count; i++)
        if (m->elems[i].mode == WX_ACTIVE && m->elems[i].table == table) elements += m->elems[i].count;
    return m->tables[table].limits.min <= 1024 + 4 * elements;
}

static bool may_be_constant(scan *s, uint32_t table) {
    const wx_table *t = &s->m->tables[table];
    if (t->import != WX_NO_INDEX || t->is_exported || s->table_changed[table]) return false;
    return wx_holds_functions(s->m, t->type) && t->init.len == 0 && is_well_filled(s->m, table);
}

// False when the segment has to be applied at instantiation: unknown offset or element, or out of bounds.
static bool apply_to_image(scan *s, const wx_elem *e, wx_table_facts *t, uint64_t size) {
    wx_const at = wx_const_eval(s->m, e->offset);
    uint64_t start = s->m->tables[e->table].limits.is64 ? at.bits : (uint32_t)at.bits;
    if (at.kind != WX_CONST_NUMBER || start > size || e->count > size - start) return false;
    for (uint32_t k = 0; k < e->count; k++) {
        wx_const c = element(s->m, e, k);
        if (c.kind != WX_CONST_FUNC && c.kind != WX_CONST_NULL) return false;
        t->image[start + k] = c.kind == WX_CONST_FUNC ? c.index : UINT32_MAX;
    }
    return true;
}

static void find_signature(scan *s, wx_table_facts *t, uint64_t size) {
    t->signature = UINT32_MAX;
    t->one_signature = true;
    for (uint64_t i = 0; i < size && t->one_signature; i++) {
        if (t->image[i] == UINT32_MAX) continue;
        uint32_t type = s->m->funcs[t->image[i]].type;
        if (t->signature == UINT32_MAX) t->signature = type;
        else if (s->m->types[t->signature].canon != s->m->types[type].canon) t->one_signature = false;
    }
    if (t->signature == UINT32_MAX) t->one_signature = false;
}

#define TABLES_WITH_SPANS 4 // real modules have one; the spans of a table are as many as the module's types

static void find_spans(scan *s, wx_table_facts *t, uint64_t size) {
    t->spans = WX_NEW_ARRAY(&s->u->arena, wx_table_span, s->m->type_count);
    for (uint32_t i = 0; i < size; i++) {
        if (t->image[i] == UINT32_MAX) continue;
        wx_table_span *span = &t->spans[s->m->types[s->m->funcs[t->image[i]].type].canon];
        if (!span->count++) span->low = i;
        span->high = i + 1;
    }
}

static void find_constant_tables(scan *s) {
    for (uint32_t i = 0; i < s->m->table_count; i++) {
        wx_table_facts *t = &s->facts->tables[i];
        if (!(t->constant = may_be_constant(s, i))) continue;
        uint64_t size = s->m->tables[i].limits.min;
        t->image = wx_arena_alloc(&s->u->arena, (size + 1) * sizeof *t->image);
        memset(t->image, 0xff, (size + 1) * sizeof *t->image);
        for (uint32_t k = 0; k < s->m->elem_count && t->constant; k++) {
            const wx_elem *e = &s->m->elems[k];
            if (e->mode == WX_ACTIVE && e->table == i) t->constant = apply_to_image(s, e, t, size);
        }
        if (!t->constant) continue;
        find_signature(s, t, size);
        if (i < TABLES_WITH_SPANS) find_spans(s, t, size);
    }
}

// Functions that live in a table somebody may read, or in a segment that may be copied there, need a reference.
static void reference_elements(scan *s) {
    for (uint32_t i = 0; i < s->m->elem_count; i++) {
        const wx_elem *e = &s->m->elems[i];
        if (e->mode == WX_DECLARED || (e->mode == WX_ACTIVE && s->facts->tables[e->table].constant)) continue;
        for (uint32_t k = 0; k < e->count; k++) {
            wx_const c = element(s->m, e, k);
            if (c.kind == WX_CONST_FUNC) reference(s, c.index);
        }
    }
}

static void find_constant_globals(scan *s) {
    for (uint32_t i = s->m->global_imports; i < s->m->global_count; i++) {
        const wx_global *g = &s->m->globals[i];
        wx_global_facts *known = &s->facts->globals[i];
        known->value = wx_const_eval(s->m, g->init);
        known->is_static = known->value.kind == WX_CONST_NUMBER || known->value.kind == WX_CONST_NULL;
        bool fixed = !g->mutable || (!g->is_exported && !s->global_written[i]);
        known->constant = fixed && (known->is_static || known->value.kind == WX_CONST_FUNC);
    }
}

static void scan_memories(scan *s) {
    for (uint32_t i = 0; i < s->m->memory_count; i++) s->facts->shared |= s->m->memories[i].limits.shared;
}

static void allocate(scan *s) {
    wx_arena *a = &s->u->arena;
    const wx_module *m = s->m;
    s->facts->funcs = WX_NEW_ARRAY(a, wx_func_facts, m->func_count);
    s->facts->tables = WX_NEW_ARRAY(a, wx_table_facts, m->table_count);
    s->facts->globals = WX_NEW_ARRAY(a, wx_global_facts, m->global_count);
    s->facts->memory_grown = WX_NEW_ARRAY(a, bool, m->memory_count);
    s->queue = WX_NEW_ARRAY(a, uint32_t, m->func_count);
    s->global_written = WX_NEW_ARRAY(a, bool, m->global_count);
    s->table_changed = WX_NEW_ARRAY(a, bool, m->table_count);
    for (uint32_t i = 0; i < m->memory_count; i++)
        s->facts->memory_grown[i] = m->memories[i].is_exported || m->memories[i].import != WX_NO_INDEX;
}

bool wx_find_facts(wx_unit *u, wx_error *e) {
    scan s = {.u = u, .m = u->m, .facts = &u->facts, .e = e};
    allocate(&s);
    scan_memories(&s);
    scan_exports(&s);
    scan_globals(&s);
    scan_elements(&s);
    while (s.head < s.tail && e->code == WX_OK) scan_body(&s, s.queue[s.head++]);
    if (e->code != WX_OK) return false;
    find_constant_tables(&s);
    reference_elements(&s);
    find_constant_globals(&s);
    return true;
}
