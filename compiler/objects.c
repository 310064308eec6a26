// compiler/objects.c: where fields of objects are (runtime/abi.h draws an object), and the values of element segments
// that only an instance can compute.
//
// in: a module with garbage collection   out: u->objects, u->elem_values, u->elem_value_at
#include "compiler/unit.h"

bool wx_holds_objects(const wx_module *m, wx_type t) {
    if (!wx_is_ref(t)) return false;
    if (wx_has_index(t)) return m->types[wx_low(t)].kind != WX_KIND_FUNC;
    return wx_low(t) == WX_HEAP_NONE || (wx_low(t) <= WX_HEAP_ANY && wx_low(t) >= WX_HEAP_ARRAY);
}

bool wx_mentions_objects(const wx_module *m, const wx_typedef *t) {
    for (uint32_t i = 0; i < t->param_count; i++)
        if (wx_holds_objects(m, t->params[i])) return true;
    for (uint32_t i = 0; i < t->result_count; i++)
        if (wx_holds_objects(m, t->results[i])) return true;
    return false;
}

uint32_t wx_field_log(const wx_module *m, wx_type t) {
    switch (t) {
    case WX_I8: return 0;
    case WX_I16: return 1;
    case WX_I32: case WX_F32: return 2;
    case WX_V128: return 4;
    default: return wx_holds_objects(m, t) ? 2 : 3;
    }
}

static uint32_t sort_of(const wx_module *m, wx_type t) {
    if (wx_holds_objects(m, t)) return WXRT_REF_ANY;
    return wx_is_ref(t) && !wx_holds_functions(m, t) ? WXRT_REF_EXTERN : 0;
}

static uint32_t round_up(uint32_t at, uint32_t log) { return (at + (1u << log) - 1) >> log << log; }

static void lay_out_struct(wx_unit *u, const wx_typedef *t, wx_object *out) {
    out->at = WX_NEW_ARRAY(&u->arena, uint32_t, t->field_count);
    out->refs = WX_NEW_ARRAY(&u->arena, uint32_t, t->field_count);
    out->size = 4;
    for (uint32_t i = 0; i < t->field_count; i++) {
        wx_type field = t->fields[i].type;
        uint32_t log = wx_field_log(u->m, field), sort = sort_of(u->m, field);
        out->at[i] = round_up(out->size, log);
        out->size = out->at[i] + (1u << log);
        if (sort) out->refs[out->ref_count++] = out->at[i] | sort;
    }
}

static void lay_out_array(wx_unit *u, const wx_typedef *t, wx_object *out) {
    uint32_t sort = sort_of(u->m, t->fields[0].type);
    out->size = 1u << wx_field_log(u->m, t->fields[0].type);
    out->refs = WX_NEW_ARRAY(&u->arena, uint32_t, 1);
    if (sort) out->refs[out->ref_count++] = sort;
}

// Of a segment with such a value all have a place, so that one number leads to each of them.
static bool has_values(const wx_unit *u, const wx_elem *e) {
    for (uint32_t k = 0; !e->funcs && e->mode != WX_DECLARED && k < e->count; k++)
        if (wx_const_eval(u->m, e->exprs[k]).kind == WX_CONST_EXPR) return true;
    return false;
}

static void list_values(wx_unit *u) {
    const wx_module *m = u->m;
    u->elem_value_at = WX_NEW_ARRAY(&u->arena, uint32_t, m->elem_count);
    for (uint32_t i = 0; i < m->elem_count; i++) {
        u->elem_value_at[i] = u->elem_value_count;
        if (has_values(u, &m->elems[i])) u->elem_value_count += m->elems[i].count;
    }
    u->elem_values = WX_NEW_ARRAY(&u->arena, wx_expr, u->elem_value_count);
    for (uint32_t i = 0; i < m->elem_count; i++) {
        uint32_t end = i + 1 < m->elem_count ? u->elem_value_at[i + 1] : u->elem_value_count;
        for (uint32_t at = u->elem_value_at[i]; at < end; at++) {
            wx_expr expr = m->elems[i].exprs[at - u->elem_value_at[i]];
            if (wx_const_eval(m, expr).kind == WX_CONST_EXPR) u->elem_values[at] = expr;
        }
    }
}

void wx_lay_out_objects(wx_unit *u) {
    u->gc = u->m->features >> WX_FEATURE_GC & 1;
    if (!u->gc) return;
    u->objects = WX_NEW_ARRAY(&u->arena, wx_object, u->m->type_count);
    for (uint32_t i = 0; i < u->m->type_count; i++) {
        const wx_typedef *t = &u->m->types[i];
        if (t->kind == WX_KIND_STRUCT) lay_out_struct(u, t, &u->objects[i]);
        else if (t->kind == WX_KIND_ARRAY) lay_out_array(u, t, &u->objects[i]);
    }
    list_values(u);
}
