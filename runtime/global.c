// runtime/global.c: globals as the host sees them. Generated code knows cells only.
#include <stdlib.h>

#include "runtime/gc.h"

typedef struct standalone {
    wasmx_global global;
    wx_link link;
} standalone;

wasmx_kind wasmx_global_kind(const wasmx_global *g) {
    if (!(g->type & WXRT_REF_BIT)) return (wasmx_kind)g->type;
    return wx_is_func_type(g->type) ? WASMX_FUNCREF : wxrt_is_object(g->type) ? WASMX_ANYREF : WASMX_EXTERNREF;
}

wasmx_value wasmx_global_get(const wasmx_global *g) {
    if (!wxrt_is_object(g->type)) return *g->cell;
    return (wasmx_value){.externref = wx_to_host(g->link->instance, g->cell->externref)};
}

// What the host gives, as guest code has it; false: it is not of the global's type. One of the host's own holds what it
// likes.
static bool take_ref(const wasmx_global *g, wasmx_value *value) {
    bool full;
    void *ref;
    if (wx_is_func_type(g->type) && !wx_link_func(g->link, value->funcref)) return false;
    if (!g->link->instance) return true;
    if (!wx_from_host(g->link->instance, g->type, g->module, value->externref, false, &ref, &full)) return false;
    *value = (wasmx_value){.externref = ref};
    return true;
}

bool wasmx_global_set(wasmx_global *g, wasmx_value value) {
    if (!g->is_mutable) return false;
    if (g->type > WASMX_V128 && !take_ref(g, &value)) return false;
    *g->cell = value;
    return true;
}

wasmx_global *wasmx_global_new(wasmx_kind kind, bool is_mutable, wasmx_value value) {
    if (kind < WASMX_I32 || kind > WASMX_EXTERNREF) return NULL;
    standalone *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    s->global = (wasmx_global){.type = kind, .is_mutable = is_mutable, .own = value, .link = &s->link};
    s->global.cell = &s->global.own;
    wx_link_init(&s->link, NULL);
    if (kind == WASMX_FUNCREF) wx_link_func(&s->link, value.funcref);
    return &s->global;
}

void wasmx_global_free(wasmx_global *g) {
    if (!g) return;
    wx_link_end(g->link);
    free((standalone *)g);
}
