// runtime/helpers.c: what generated code calls for bulk operations: the helpers of abi.def that are not elsewhere.
//
// Each checks its bounds and traps, and has no effect when it traps.
#include <string.h>

#include "runtime/internal.h"

static bool outside(uint64_t at, uint64_t n, uint64_t size) { return n > size || at > size - n; }

static wasmx_table *table_of(wasmx_instance *i, uint32_t index) { return WX_AREA(i, tables, wasmx_table *)[index]; }

uint64_t wxrt_memory_grow(wasmx_memory *m, uint64_t delta) { return wasmx_memory_grow(m, delta); }

// ---- Long work in pieces, so that a deadline ends it too

#define PIECE ((uint64_t)1 << 20) // bytes
#define PIECE_ELEMENTS 16384u

static void look(wasmx_instance *i) {
    if (wx_is_interrupted(i)) WX_TRAP(INTERRUPTED);
}

void wxrt_look(wasmx_instance *i) {
    wx_stop_here();
    look(i);
}

void wxrt_memory_fill(wasmx_instance *i, void *at, uint32_t byte, uint64_t n) {
    for (char *p = at; n > PIECE; p = at = p + PIECE, n -= PIECE) {
        memset(p, (int)byte, PIECE);
        look(i);
    }
    memset(at, (int)byte, n);
}

// Pieces from the front, or from the back when the front of what is still to be read would be overwritten.
static __attribute__((noinline)) void copy_long(wasmx_instance *i, char *a, const char *b, uint64_t n) {
    bool backwards = a > b && (uint64_t)(a - b) < n;
    while (n > PIECE) {
        uint64_t at = backwards ? n - PIECE : 0;
        memmove(a + at, b + at, PIECE);
        n -= PIECE;
        if (!backwards) a += PIECE, b += PIECE;
        look(i);
    }
    memmove(a, b, n);
}

void wxrt_memory_copy(wasmx_instance *i, void *to, const void *from, uint64_t n) { // most are short
    if (WX_LIKELY(n <= PIECE)) memmove(to, from, n);
    else copy_long(i, to, from, n);
}

uint64_t wxrt_find_zero(const void *at, uint64_t n) {
    const char *zero = memchr(at, 0, n);
    return zero ? (uint64_t)(zero - (const char *)at) : UINT64_MAX;
}

void wxrt_memory_init(wasmx_instance *i, uint32_t memory, uint32_t data, uint64_t dst, uint64_t src, uint64_t n) {
    const wxrt_datadesc *d = &i->module->datas[data];
    wasmx_memory *m = WX_AREA(i, memories, wasmx_memory *)[memory];
    uint64_t size = WX_AREA(i, dropped_data, uint8_t)[data] ? 0 : d->size;
    if (outside(src, n, size) || outside(dst, n, wx_memory_bytes(m))) WX_TRAP(MEMORY_OUT_OF_BOUNDS);
    wxrt_memory_copy(i, m->base + dst, d->bytes + src, n);
}

void wxrt_data_drop(wasmx_instance *i, uint32_t data) { WX_AREA(i, dropped_data, uint8_t)[data] = 1; }
void wxrt_elem_drop(wasmx_instance *i, uint32_t elem) { WX_AREA(i, dropped_elems, uint8_t)[elem] = 1; }

void *wx_item_ref(wasmx_instance *i, uint32_t item) {
    if (item == WXRT_ITEM_NULL) return NULL;
    if (!(item & (WXRT_ITEM_GLOBAL | WXRT_ITEM_VALUE))) {
        wasmx_func *f = wx_func_at(i, item);
        if (!f) WX_TRAP(HOST);
        return f;
    }
    if (!(item & WXRT_ITEM_GLOBAL))
        return (void *)(uintptr_t)WX_AREA(i, elem_values, uint64_t)[item & ~WXRT_ITEM_VALUE];
    uint32_t g = item & ~WXRT_ITEM_GLOBAL;
    wasmx_value *cell = &WX_AREA(i, globals, wasmx_value)[g];
    if (i->module->globals[g].import) cell = (wasmx_value *)(uintptr_t)cell->words[0];
    return cell->externref;
}

void wxrt_table_init(wasmx_instance *i, uint32_t table, uint32_t elem, uint64_t dst, uint64_t src, uint64_t n) {
    const wxrt_elemdesc *e = &i->module->elems[elem];
    wasmx_table *t = table_of(i, table);
    uint64_t count = WX_AREA(i, dropped_elems, uint8_t)[elem] ? 0 : e->count;
    if (outside(src, n, count) || outside(dst, n, t->size)) WX_TRAP(TABLE_OUT_OF_BOUNDS);
    for (uint64_t k = 0; k < n; k++) {
        wx_table_put(t, dst + k, wx_item_ref(i, e->items[src + k]));
        if (k % PIECE_ELEMENTS == PIECE_ELEMENTS - 1) look(i);
    }
}

void wxrt_table_copy(wasmx_instance *i, uint32_t to, uint32_t from, uint64_t dst, uint64_t src, uint64_t n) {
    wasmx_table *a = table_of(i, to), *b = table_of(i, from);
    if (outside(src, n, b->size) || outside(dst, n, a->size)) WX_TRAP(TABLE_OUT_OF_BOUNDS);
    size_t size = a->is_func ? sizeof(wxrt_slot) : sizeof(void *);
    wx_table_note(a, dst, n);
    if (n) memmove((char *)a->elems + dst * size, (char *)b->elems + src * size, n * size);
}

void wxrt_table_fill(wasmx_instance *i, uint32_t table, uint64_t at, void *ref, uint64_t n) {
    wasmx_table *t = table_of(i, table);
    if (outside(at, n, t->size)) WX_TRAP(TABLE_OUT_OF_BOUNDS);
    for (uint64_t k = 0; k < n; k++) {
        wx_table_put(t, at + k, ref);
        if (k % PIECE_ELEMENTS == PIECE_ELEMENTS - 1) look(i);
    }
}

void wxrt_table_set(wasmx_instance *i, uint32_t table, uint64_t at, void *ref) {
    wxrt_table_fill(i, table, at, ref, 1);
}

void *wxrt_table_get(wasmx_instance *i, uint32_t table, uint64_t at) {
    wasmx_table *t = table_of(i, table);
    if (at >= t->size) WX_TRAP(TABLE_OUT_OF_BOUNDS);
    return wx_table_ref(t, at);
}

uint64_t wxrt_table_grow(wasmx_instance *i, uint32_t table, uint64_t delta, void *ref) {
    return wx_table_grow(table_of(i, table), delta, ref);
}
