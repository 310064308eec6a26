// runtime/gc.h: what the files of the garbage collector share with each other and with who holds references.
//
//   gc_heap.c     the memory of a heap: pages, cells, what is free
//   gc_collect.c  which objects are reachable, and what becomes of the others
//   gc.c          helpers of generated code
//   gc_host.c     references on their way from and to the host, and what the host keeps alive
//
// A heap belongs to a ring of linked instances (internal.h). All that decides what is an object lies outside of the
// memory that guests write: a page's record says which cells it has, a bit for each cell whether it is taken.
#pragma once
#include "runtime/internal.h"

#define WX_HEAP_PAGE 4096u
#define WX_HEAP_GRAIN 16u // objects lie at multiples of it; there is a bit for each

typedef struct wx_object_type { // by type number
    const uint32_t *refs;       // wxrt_type.refs
    uint32_t ref_count, size, sort;
} wx_object_type;
extern WX_INTERNAL const wxrt_display *wx_displays;         // types.c; NULL: nothing has a number
extern WX_INTERNAL const wx_object_type *wx_object_types;

enum { WX_PAGE_LARGE = WXRT_CELL_CLASSES }; // in place of a class of cells

typedef struct wx_page { // of the heap; pages of one object are a span
    uint32_t first;      // page of the span
    uint32_t count;      // in the first one's record: pages of the span
    uint32_t next;       // in a list of pages with free cells; 0: the last one
    uint32_t class;
} wx_page;

typedef struct wasmx_root wx_root;

struct wx_heap {
    struct wxrt_heap rooms;       // first: what generated code sees
    uint8_t *base;
    void *mapping, *records;      // of objects, and of everything below
    size_t mapping_size, records_size;
    uint32_t users;               // links
    uint32_t first, end;          // pages for objects
    uint32_t top;                 // pages from here on were not used since the last reset
    uint32_t clean;               // pages from here on hold zeros
    uint32_t lowest_free;         // no page before it is free
    uint32_t rover;               // where several pages are looked for first
    uint32_t used;                // pages
    uint32_t partial[WXRT_CELL_CLASSES]; // lists of pages that may have free cells
    uint64_t since, threshold;    // bytes given out since the last collection; so many ask for the next
    wx_page *pages;               // by page number
    uint64_t *taken, *marked;     // bits by grain: an object begins there
    uint32_t *stack;              // of objects that are marked, and not looked into
    size_t depth, deepest;
    wx_root *roots;
    bool stress;                  // WASMX_GC_STRESS: a collection at every allocation
    uint64_t collections;
};

struct wasmx_root { // gc_host.c
    struct wasmx_root *next, *prev;
    wx_heap *heap; // NULL: it is gone
    void *word;    // as the host has it
};

static inline bool wx_bit(const uint64_t *bits, uint32_t grain) { return bits[grain / 64] >> grain % 64 & 1; }
static inline void wx_bit_set(uint64_t *bits, uint32_t grain) { bits[grain / 64] |= (uint64_t)1 << grain % 64; }
static inline void wx_bit_clear(uint64_t *bits, uint32_t grain) { bits[grain / 64] &= ~((uint64_t)1 << grain % 64); }

// ---- gc_heap.c

// The heap of the instance's ring, made if need be; NULL: no memory.
WX_INTERNAL wx_heap *wx_heap_of(wasmx_instance *instance);
WX_INTERNAL void wx_heap_attach(wx_link *link, wx_heap *heap);
WX_INTERNAL void wx_heap_detach(wx_link *link); // and its end, when it was the last one's
WX_INTERNAL void wx_gc_open(wasmx_instance *instance); // its wxrt_gc, without a heap
// Empty again. So many bytes are kept and cleared, the rest go back to the system.
WX_INTERNAL void wx_heap_reset(wx_heap *heap, uint64_t keep);
// Room for an object of so many bytes, all of them 0, that is not taken from a class's room; 0: there is none, or a
// collection is due and `may_grow` is false.
WX_INTERNAL uint32_t wx_heap_take(wx_heap *heap, uint64_t size, bool may_grow);
WX_INTERNAL void wx_heap_close_rooms(wx_heap *heap);
WX_INTERNAL void wx_heap_free_pages(wx_heap *heap, uint32_t first);
// The object that the byte at a place belongs to; 0: none.
WX_INTERNAL uint32_t wx_heap_object_at(const wx_heap *heap, uint32_t place);
static inline uint32_t wx_heap_tag(const wx_heap *h, uint32_t ref) {
    return *(const uint32_t *)(const void *)(h->base + ref);
}
// Is it an object? Cells that wait in a room have no tag.
static inline bool wx_heap_holds(const wx_heap *h, uint32_t ref) {
    return ref && wx_heap_object_at(h, ref) == ref && wx_heap_tag(h, ref);
}
// An address in the 4 GiB of the heap, as a place in it.
static inline bool wx_heap_spans(const wx_heap *h, uint64_t address) {
    return address - (uint64_t)(uintptr_t)h->base < WXRT_HEAP_SPACE;
}

// ---- gc_collect.c

typedef struct wx_words { const void *low, *high; } wx_words;
// Frees what is not reachable from the instances of the ring, the host's roots, the stacks of this thread and of calls
// that are suspended, and `more`, which may be NULL. Nothing where a stack is not known. This thread's stack counts
// from `from` on: whoever is called from there has WX_SAVE_REGISTERS, so that no frame below holds more, and what
// earlier calls have left in those frames keeps nothing alive.
WX_INTERNAL void wx_heap_collect(wx_heap *heap, wasmx_instance *instance, const void *from, const wx_words *more);
// Those that a called function keeps, into this function's frame; and at its end, so that the last call is no jump.
#define WX_SAVE_REGISTERS() __builtin_unwind_init()
#define WX_KEEP_FRAME() __asm__ volatile("" ::: "memory")

// ---- gc.c

// An object of the type with this tag; traps when there is no room. size: in bytes. The caller has WX_SAVE_REGISTERS.
WX_INTERNAL uint32_t wx_object_new(wasmx_instance *instance, uint32_t tag, uint64_t size);
// The same outside of guest code: no collection, no trap; 0: there is no room now.
WX_INTERNAL uint32_t wx_object_try(wasmx_instance *instance, uint32_t tag, uint64_t size);

// ---- gc_host.c: see wasmx.h, "References to objects"

// A collection from where the host is.
WX_INTERNAL void wx_collect_here(wasmx_instance *instance, const wx_words *more);
WX_INTERNAL void *wx_to_host(wasmx_instance *instance, void *ref);
// Of type `type` in m; false: it is not, or there is no room (then *full).
WX_INTERNAL bool wx_from_host(wasmx_instance *instance, uint32_t type, const wasmx_module *m, void *word, bool in_guest,
                              void **ref, bool *full);
