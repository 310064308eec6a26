// runtime/table.c: tables of references.
//
// A table of function references holds a copy of type, code and context beside each reference, so that a call through
// it loads one line; every other table is an array of pointers.
#include <stdlib.h>
#include <string.h>

#include "runtime/gc.h"

#define DEFAULT_LIMIT 10000000u

typedef struct standalone {
    wasmx_table table;
    wx_link link;
} standalone;

static size_t element_size(const wasmx_table *t) { return t->is_func ? sizeof(wxrt_slot) : sizeof(void *); }

static uint64_t least(uint64_t a, uint64_t b) { return a < b ? a : b; }

bool wx_table_init(wasmx_table *t, uint64_t min, uint64_t limit, wasmx_error *err) {
    t->max = least(t->has_max ? t->declared_max : UINT64_MAX, limit ? limit : DEFAULT_LIMIT);
    if (min > t->max)
        return wx_error_set(err, "table of %llu elements: the limit is %llu", (unsigned long long)min,
                            (unsigned long long)t->max);
    t->elems = min <= SIZE_MAX / sizeof(wxrt_slot) ? calloc(min ? min : 1, element_size(t)) : NULL;
    if (!t->elems) return wx_error_set(err, "out of memory for a table of %llu elements", (unsigned long long)min);
    t->size = t->capacity = min;
    return true;
}

void wx_table_note(wasmx_table *t, uint64_t at, uint64_t count) {
    if (!count) return;
    if (t->written_low >= t->written_high) {
        t->written_low = at;
        t->written_high = at + count;
        return;
    }
    if (at < t->written_low) t->written_low = at;
    if (at + count > t->written_high) t->written_high = at + count;
}

void wx_table_put(wasmx_table *t, uint64_t at, void *ref) {
    wx_table_note(t, at, 1);
    if (!t->is_func) {
        ((void **)t->elems)[at] = ref;
        return;
    }
    wasmx_func *f = ref;
    ((wxrt_slot *)t->elems)[at] = f ? (wxrt_slot){f->type, f->code, f->ctx, f} : (wxrt_slot){0};
}

void *wx_table_ref(const wasmx_table *t, uint64_t at) {
    return t->is_func ? ((wxrt_slot *)t->elems)[at].ref : ((void **)t->elems)[at];
}

// Room for `size` elements, some more than asked so that growing by one many times is not quadratic.
static bool make_room(wasmx_table *t, uint64_t size) {
    if (size <= t->capacity) return true;
    uint64_t capacity = least(size + size / 2, t->max);
    if (capacity > SIZE_MAX / sizeof(wxrt_slot)) return false;
    void *p = realloc(t->elems, capacity * element_size(t));
    if (!p) return false;
    t->elems = p;
    t->capacity = capacity;
    return true;
}

uint64_t wx_table_grow(wasmx_table *t, uint64_t delta, void *ref) {
    uint64_t old = t->size;
    if (delta > t->max - old || !make_room(t, old + delta)) return UINT64_MAX;
    t->size += delta;
    for (uint64_t k = old; k < t->size; k++) wx_table_put(t, k, ref);
    return old;
}

// ---- For the host

// What the host gives, as it stands in the table; false: it is not of the elements' type.
static bool take_ref(const wasmx_table *t, wasmx_value v, void **ref) {
    bool full;
    *ref = t->is_func ? (void *)v.funcref : v.externref;
    if (t->is_func && !wx_link_func(t->link, *ref)) return false;
    if (!t->link->instance) return true; // the host's own: of functions, or of its references
    return wx_from_host(t->link->instance, t->type, t->module, *ref, false, ref, &full);
}

uint64_t wasmx_table_size(const wasmx_table *t) { return t->size; }

bool wasmx_table_get(const wasmx_table *t, uint64_t index, wasmx_value *out) {
    if (index >= t->size) return false;
    void *ref = wx_table_ref(t, index);
    *out = (wasmx_value){.externref = wxrt_is_object(t->type) ? wx_to_host(t->link->instance, ref) : ref};
    return true;
}

bool wasmx_table_set(wasmx_table *t, uint64_t index, wasmx_value value) {
    void *ref;
    if (index >= t->size || !take_ref(t, value, &ref)) return false;
    wx_table_put(t, index, ref);
    return true;
}

uint64_t wasmx_table_grow(wasmx_table *t, uint64_t delta, wasmx_value init) {
    void *ref;
    if (!take_ref(t, init, &ref)) return UINT64_MAX;
    return wx_table_grow(t, delta, ref);
}

static wasmx_table *new_table(wasmx_kind kind, uint64_t min, uint64_t max, bool is64) {
    if ((kind != WASMX_FUNCREF && kind != WASMX_EXTERNREF) || min > max) return NULL;
    standalone *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    s->table = (wasmx_table){.is_func = kind == WASMX_FUNCREF, .is64 = is64, .type = kind, .has_max = max != UINT64_MAX,
                             .declared_max = max, .link = &s->link};
    wx_link_init(&s->link, NULL);
    if (wx_table_init(&s->table, min, UINT64_MAX, NULL)) return &s->table;
    free(s);
    return NULL;
}

wasmx_table *wasmx_table_new(wasmx_kind kind, uint64_t min, uint64_t max) { return new_table(kind, min, max, false); }
wasmx_table *wasmx_table_new64(wasmx_kind kind, uint64_t min, uint64_t max) { return new_table(kind, min, max, true); }

void wasmx_table_free(wasmx_table *t) {
    if (!t) return;
    wx_link_end(t->link);
    free(t->elems);
    free((standalone *)t);
}
