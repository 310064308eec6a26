// runtime/global.c: globals as the host sees them. Generated code knows cells only.
#include <stdlib.h>

#include "runtime/internal.h"

typedef struct standalone {
    wasmx_global global;
    wx_link link;
} standalone;

wasmx_kind wasmx_global_kind(const wasmx_global *g) {
    if (!(g->type & WXRT_REF_BIT)) return (wasmx_kind)g->type;
    return wx_is_func_type(g->type) ? WASMX_FUNCREF : WASMX_EXTERNREF;
}

wasmx_value wasmx_global_get(const wasmx_global *g) { return *g->cell; }

bool wasmx_global_set(wasmx_global *g, wasmx_value value) {
    if (!g->is_mutable) return false;
    if ((g->type & WXRT_REF_BIT) && value.externref) return false; // a type that nothing here could check
    if (g->type == WASMX_FUNCREF) wx_link_func(g->link, value.funcref);
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
