// runtime/gc_collect.c: a collection: which objects are reachable; all others become free cells and pages.
//
// in: a heap, an instance of its ring; out: bits, lists and pages of the heap. Objects do not move. Stacks and
// registers are read without knowing what is in them: each 32 bits may be a reference, or lead into an object, and each
// 64 bits an address in it; what is no taken cell is none. Globals, tables, and objects by their type's list of
// references, are known.
#include <string.h>
#include <sys/mman.h>

#include "runtime/gc_stacks.h"

#define LEAST_GARBAGE ((uint64_t)4 << 20) // given out before the next one
#define KEPT_STACK ((size_t)64 << 10)     // bytes of the mark stack that stay
#define GRAINS (WX_HEAP_PAGE / WX_HEAP_GRAIN)

// ---- One reference

static void mark(wx_heap *h, uint32_t ref) {
    if (!ref || wx_bit(h->marked, ref / WX_HEAP_GRAIN)) return;
    wx_bit_set(h->marked, ref / WX_HEAP_GRAIN);
    h->stack[h->depth++] = ref;
    if (h->depth > h->deepest) h->deepest = h->depth;
}

static void mark_ref(wx_heap *h, uint32_t ref) {
    if (!(ref & 1)) mark(h, wx_heap_object_at(h, ref));
}

// As the host has it.
static void mark_word(wx_heap *h, uint64_t word) {
    if (wx_heap_spans(h, word)) mark_ref(h, (uint32_t)(word - (uint64_t)(uintptr_t)h->base));
}

// ---- Words of which nothing is known

// Into an object, or just behind it: what a loop over its elements ends with.
static void mark_place(wx_heap *h, uint32_t place) {
    mark(h, wx_heap_object_at(h, place));
    if (place) mark(h, wx_heap_object_at(h, place - 1));
}

static void mark_doubtful(wx_heap *h, uint64_t word) {
    mark_place(h, (uint32_t)word);
    mark_place(h, (uint32_t)(word >> 32));
    if (wx_heap_spans(h, word)) mark_place(h, (uint32_t)(word - (uint64_t)(uintptr_t)h->base));
}

static void mark_range(void *heap, uint64_t low, uint64_t high) {
    for (uint64_t at = low / 8 * 8; at + 8 <= high; at += 8) mark_doubtful(heap, wx_word_at(at));
}

// ---- What is inside objects

static void mark_field(wx_heap *h, const uint8_t *at, uint32_t sort) {
    if (sort == WXRT_REF_ANY) mark_ref(h, *(const uint32_t *)(const void *)at);
    else mark_word(h, *(const uint64_t *)(const void *)at);
}

static uint64_t room_of(const wx_heap *h, uint32_t ref) { // bytes
    const wx_page *p = &h->pages[ref / WX_HEAP_PAGE];
    return p->class < WXRT_CELL_CLASSES ? wxrt_cell_size(p->class) : (uint64_t)p->count * WX_HEAP_PAGE;
}

static void look_into_struct(wx_heap *h, uint32_t ref, const wx_object_type *t) {
    uint64_t room = room_of(h, ref);
    for (uint32_t k = 0; k < t->ref_count; k++) {
        uint32_t at = t->refs[k] & ~WXRT_REF_MASK;
        if (at + 8 <= room || at + 4 == room) mark_field(h, h->base + ref + at, t->refs[k] & WXRT_REF_MASK);
    }
}

static void look_into_array(wx_heap *h, uint32_t ref, const wx_object_type *t) {
    if (!t->ref_count) return;
    const uint8_t *object = h->base + ref;
    uint64_t length = *(const uint32_t *)(const void *)(object + 4);
    uint64_t most = (room_of(h, ref) - WXRT_ARRAY_DATA) / t->size;
    if (length > most) length = most;
    for (uint64_t k = 0; k < length; k++) mark_field(h, object + WXRT_ARRAY_DATA + k * t->size, t->refs[0]);
}

static void look_into(wx_heap *h, uint32_t ref) {
    uint32_t tag = wx_heap_tag(h, ref), number = tag >> WXRT_TAG_BITS;
    if (number >= WXRT_MAX_INTERNED || !wx_object_types) return;
    const wx_object_type *t = &wx_object_types[number];
    if ((tag & WXRT_TAG_MASK) == WXRT_TAG_STRUCT) look_into_struct(h, ref, t);
    else if ((tag & WXRT_TAG_MASK) == WXRT_TAG_ARRAY) look_into_array(h, ref, t);
}

// ---- Roots

static void mark_value(wx_heap *h, uint32_t type, uint64_t word) {
    if (wxrt_is_object(type)) mark_ref(h, (uint32_t)word);
    else if (wx_is_extern_type(type)) mark_word(h, word);
}

static void mark_globals(wx_heap *h, const wasmx_instance *i) {
    const wasmx_module *m = i->module;
    for (uint32_t k = 0; k < m->global_count; k++) {
        const wasmx_value *cell = &WX_AREA(i, globals, wasmx_value)[k];
        if (m->globals[k].import) cell = (const wasmx_value *)(uintptr_t)cell->words[0];
        if (cell) mark_value(h, m->globals[k].type, cell->words[0]);
    }
}

static void mark_tables(wx_heap *h, const wasmx_instance *i) {
    for (uint32_t k = 0; k < i->module->table_count; k++) {
        const wasmx_table *t = WX_AREA(i, tables, wasmx_table *)[k];
        for (uint64_t at = 0; t && !t->is_func && at < t->size; at++)
            mark_value(h, t->type, (uint64_t)(uintptr_t)((void **)t->elems)[at]);
    }
}

static void mark_segments(wx_heap *h, const wasmx_instance *i) {
    const uint64_t *values = WX_AREA(i, elem_values, uint64_t);
    for (uint32_t k = 0; k < i->module->elem_value_count; k++) mark_doubtful(h, values[k]);
}

static void mark_ring(wx_heap *h, wasmx_instance *i) {
    const wx_link *first = &i->state->link, *l = first;
    do {
        if (l->instance) mark_globals(h, l->instance), mark_tables(h, l->instance), mark_segments(h, l->instance);
        l = l->next;
    } while (l != first);
}

static void drain(wx_heap *h) {
    while (h->depth) look_into(h, h->stack[--h->depth]);
}

static bool mark_all(wx_heap *h, wasmx_instance *i, const void *from, const wx_words *more) {
    if (!wx_visit_stacks((uint64_t)(uintptr_t)from, mark_range, h)) return false;
    if (more) mark_range(h, (uint64_t)(uintptr_t)more->low, (uint64_t)(uintptr_t)more->high);
    wx_visit_suspended(h, mark_range, h);
    for (const wx_root *r = h->roots; r; r = r->next) mark_word(h, (uint64_t)(uintptr_t)r->word);
    mark_ring(h, i);
    drain(h);
    return true;
}

// ---- What is left

static uint32_t count_bits(const uint64_t *bits) {
    uint32_t n = 0;
    for (uint32_t k = 0; k < GRAINS / 64; k++) n += (uint32_t)__builtin_popcountll(bits[k]);
    return n;
}

// Bytes that stay.
static uint64_t sweep_page(wx_heap *h, uint32_t page) {
    wx_page *p = &h->pages[page];
    uint64_t *taken = h->taken + (size_t)page * (GRAINS / 64), *marked = h->marked + (size_t)page * (GRAINS / 64);
    memcpy(taken, marked, GRAINS / 8);
    memset(marked, 0, GRAINS / 8);
    uint32_t left = count_bits(taken);
    if (!left) wx_heap_free_pages(h, page);
    else if (p->class == WX_PAGE_LARGE) return (uint64_t)p->count * WX_HEAP_PAGE;
    else if (left < WX_HEAP_PAGE / wxrt_cell_size(p->class)) {
        p->next = h->partial[p->class];
        h->partial[p->class] = page;
    }
    return p->count ? (uint64_t)left * wxrt_cell_size(p->class) : 0;
}

// Downwards, so that lists begin with their lowest page.
static uint64_t sweep(wx_heap *h) {
    uint64_t left = 0;
    memset(h->partial, 0, sizeof h->partial);
    for (uint32_t page = h->top; page-- > h->first;) {
        if (!h->pages[page].count) continue;
        page = h->pages[page].first;
        left += sweep_page(h, page);
    }
    return left;
}

static void forget(wx_heap *h) { // marks of a collection that is given up
    memset(h->marked + (size_t)h->first * (GRAINS / 64), 0, (size_t)(h->top - h->first) * (GRAINS / 8));
    h->depth = 0;
}

static void trim_stack(wx_heap *h) {
    size_t bytes = h->deepest * sizeof *h->stack, page = wx_page_size();
    uintptr_t from = ((uintptr_t)h->stack + KEPT_STACK + page - 1) / page * page, end = (uintptr_t)h->stack + bytes;
    if (end > from) madvise((void *)from, (end - from + page - 1) / page * page, MADV_DONTNEED);
    h->deepest = 0;
}

void wx_heap_collect(wx_heap *h, wasmx_instance *i, const void *from, const wx_words *more) {
    wx_heap_close_rooms(h);
    uint64_t left = 0;
    if (mark_all(h, i, from, more)) left = sweep(h);
    else forget(h);
    trim_stack(h);
    h->since = 0;
    h->threshold = left > LEAST_GARBAGE ? left : LEAST_GARBAGE;
    h->collections++;
}
