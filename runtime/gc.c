// runtime/gc.c: what generated code calls for objects: the helpers of abi.def that begin with gc_, but for those that
// meet the host.
//
// Places in arrays are checked here, and a helper that traps has no effect. Whatever may collect leaves references in
// frames that a collection looks through.
#include <string.h>

#include "runtime/gc.h"

#define PIECE_ELEMENTS 65536u // between two looks for an interruption

static bool outside(uint64_t at, uint64_t n, uint64_t size) { return n > size || at > size - n; }

// ---- Allocation

static uint32_t place(const wx_heap *h, uint32_t ref, uint32_t tag) {
    if (ref) *(uint32_t *)(void *)(h->base + ref) = tag;
    return ref;
}

// When the heap is full for what was asked for, garbage may still be what fills it.
static uint32_t collect_and_take(wasmx_instance *i, wx_heap *h, uint64_t size, const void *from) {
    wx_heap_collect(h, i, from, NULL);
    if (wx_is_interrupted(i)) WX_TRAP(INTERRUPTED);
    uint32_t ref = wx_heap_take(h, size, true);
    if (!ref) wx_raise_exhausted();
    return ref;
}

__attribute__((noinline)) uint32_t wx_object_new(wasmx_instance *i, uint32_t tag, uint64_t size) {
    wx_heap *h = wx_heap_of(i);
    if (!h) wx_raise(WASMX_TRAP_HEAP_EXHAUSTED, "no address space for a garbage-collected heap", 0);
    uint32_t ref = wx_heap_take(h, size, false);
    return place(h, ref ? ref : collect_and_take(i, h, size, __builtin_frame_address(0)), tag);
}

uint32_t wx_object_try(wasmx_instance *i, uint32_t tag, uint64_t size) {
    wx_heap *h = wx_heap_of(i);
    return h ? place(h, wx_heap_take(h, size, true), tag) : 0;
}

static void *as_ref(uint32_t ref) { return (void *)(uintptr_t)ref; }

void *wxrt_gc_new(wasmx_instance *i, uint32_t tag, uint32_t size) {
    WX_SAVE_REGISTERS();
    void *ref = as_ref(wx_object_new(i, tag, size));
    WX_KEEP_FRAME();
    return ref;
}

void *wxrt_gc_new_array(wasmx_instance *i, uint32_t tag, uint32_t count, uint32_t log) {
    WX_SAVE_REGISTERS();
    uint32_t ref = wx_object_new(i, tag, wxrt_array_data(log) + ((uint64_t)count << log));
    *(uint32_t *)(void *)(i->state->link.heap->base + ref + 4) = count;
    return as_ref(ref);
}

// ---- Arrays

static uint8_t *object_of(wasmx_instance *i, const void *ref) {
    return i->state->link.heap->base + (uint32_t)(uintptr_t)ref;
}

static uint32_t length_of(wasmx_instance *i, const void *ref) {
    return *(const uint32_t *)(const void *)(object_of(i, ref) + 4);
}

static uint8_t *checked(wasmx_instance *i, const void *ref, uint32_t at, uint32_t n, uint32_t log) {
    if (outside(at, n, length_of(i, ref))) WX_TRAP(ARRAY_OUT_OF_BOUNDS);
    return object_of(i, ref) + wxrt_array_data(log) + ((uint64_t)at << log);
}

static void look(wasmx_instance *i, uint64_t k) {
    if (k % PIECE_ELEMENTS == PIECE_ELEMENTS - 1 && wx_is_interrupted(i)) WX_TRAP(INTERRUPTED);
}

// What is filled already is copied behind itself.
void wxrt_gc_fill(wasmx_instance *i, void *ref, uint32_t at, uint32_t n, uint32_t log, const void *value) {
    uint8_t *to = checked(i, ref, at, n, log);
    uint64_t size = (uint64_t)n << log, done = n ? (uint64_t)1 << log : 0;
    memcpy(to, value, done);
    for (uint64_t more; done < size; done += more) {
        more = size - done < done ? size - done : done;
        wxrt_memory_copy(i, to + done, to, more);
    }
}

void wxrt_gc_copy(wasmx_instance *i, void *ref, uint32_t at, void *from, uint32_t src, uint32_t n, uint32_t log) {
    uint8_t *to = checked(i, ref, at, n, log);
    wxrt_memory_copy(i, to, checked(i, from, src, n, log), (uint64_t)n << log);
}

// ---- From segments

static const uint8_t *data_bytes(wasmx_instance *i, uint32_t data, uint32_t src, uint64_t n) {
    const wxrt_datadesc *d = &i->module->datas[data];
    uint64_t size = WX_AREA(i, dropped_data, uint8_t)[data] ? 0 : d->size;
    if (outside(src, n, size)) WX_TRAP(MEMORY_OUT_OF_BOUNDS);
    return d->bytes + src;
}

static void check_elements(wasmx_instance *i, uint32_t elem, uint32_t src, uint32_t n) {
    uint64_t count = WX_AREA(i, dropped_elems, uint8_t)[elem] ? 0 : i->module->elems[elem].count;
    if (outside(src, n, count)) WX_TRAP(TABLE_OUT_OF_BOUNDS);
}

static void put_elements(wasmx_instance *i, uint8_t *to, uint32_t elem, uint32_t src, uint32_t n, uint32_t log) {
    for (uint64_t k = 0; k < n; k++) {
        const void *ref = wx_item_ref(i, i->module->elems[elem].items[src + k]);
        memcpy(to + (k << log), &ref, (size_t)1 << log);
        look(i, k);
    }
}

void wxrt_gc_init_data(wasmx_instance *i, void *ref, uint32_t at, uint32_t data, uint32_t src, uint32_t n,
                       uint32_t log) {
    uint8_t *to = checked(i, ref, at, n, log);
    uint64_t size = (uint64_t)n << log;
    wxrt_memory_copy(i, to, data_bytes(i, data, src, size), size);
}

void wxrt_gc_init_elem(wasmx_instance *i, void *ref, uint32_t at, uint32_t elem, uint32_t src, uint32_t n,
                       uint32_t log) {
    uint8_t *to = checked(i, ref, at, n, log);
    check_elements(i, elem, src, n);
    put_elements(i, to, elem, src, n, log);
}

void *wxrt_gc_new_data(wasmx_instance *i, uint32_t tag, uint32_t data, uint32_t src, uint32_t n, uint32_t log) {
    const uint8_t *bytes = data_bytes(i, data, src, (uint64_t)n << log);
    void *ref = wxrt_gc_new_array(i, tag, n, log);
    wxrt_memory_copy(i, object_of(i, ref) + wxrt_array_data(log), bytes, (uint64_t)n << log);
    return ref;
}

void *wxrt_gc_new_elem(wasmx_instance *i, uint32_t tag, uint32_t elem, uint32_t src, uint32_t n, uint32_t log) {
    check_elements(i, elem, src, n);
    void *ref = wxrt_gc_new_array(i, tag, n, log);
    put_elements(i, object_of(i, ref) + wxrt_array_data(log), elem, src, n, log);
    return ref;
}
