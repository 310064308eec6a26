// runtime/gc_host.c: references on their way from and to the host, and what the host keeps alive.
//
//   guest   null | i31: 32 bits, odd | an object's place  | a place of WXRT_TAG_HOST
//   host    NULL | I31 + these bits  | its address        | the host's own word
//
// The host's form is also what extern.convert_any gives. Whatever the host hands in is checked: the start of an object
// that is there now, and of the type that is wanted; a word that is no object's is a reference of the host's own.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/gc.h"

#define I31 ((uint64_t)0x80310000 << 32) // no address of any process

static bool is_i31(uint64_t word) { return (word & ~(uint64_t)UINT32_MAX) == I31 && (word & 1); }

static uint64_t *host_word(const wx_heap *h, uint32_t ref) { return (uint64_t *)(void *)(h->base + ref + 8); }

void *wx_to_host(wasmx_instance *i, void *ref) {
    const wx_heap *h = i->state->link.heap;
    uint32_t word = (uint32_t)(uintptr_t)ref;
    if (!word) return NULL;
    if (word & 1) return (void *)(uintptr_t)(I31 | word);
    if (wx_heap_tag(h, word) == WXRT_TAG_HOST) return (void *)(uintptr_t)*host_word(h, word);
    return h->base + word;
}

static uint32_t wrap(wasmx_instance *i, uint64_t word, bool in_guest) {
    WX_SAVE_REGISTERS();
    uint32_t ref = in_guest ? wx_object_new(i, WXRT_TAG_HOST, 16) : wx_object_try(i, WXRT_TAG_HOST, 16);
    if (ref) *host_word(i->state->link.heap, ref) = word;
    return ref;
}

// 0: there is no room.
static uint32_t internalize(wasmx_instance *i, uint64_t word, bool in_guest) {
    const wx_heap *h = i->state->link.heap;
    if (is_i31(word)) return (uint32_t)word;
    if (h && wx_heap_spans(h, word)) {
        uint32_t ref = (uint32_t)(word - (uint64_t)(uintptr_t)h->base);
        if (wx_heap_holds(h, ref)) return ref;
    }
    return wrap(i, word, in_guest);
}

void *wxrt_gc_internalize(wasmx_instance *i, void *word) {
    return word ? (void *)(uintptr_t)internalize(i, (uint64_t)(uintptr_t)word, true) : NULL;
}

void *wxrt_gc_externalize(wasmx_instance *i, void *ref) { return wx_to_host(i, ref); }

bool wx_from_host(wasmx_instance *i, uint32_t type, const wasmx_module *m, void *word, bool in_guest, void **ref,
                  bool *full) {
    *full = false;
    *ref = word;
    if (word && wxrt_is_object(type)) {
        *ref = (void *)(uintptr_t)internalize(i, (uint64_t)(uintptr_t)word, in_guest);
        if (!*ref) return !(*full = true);
    }
    return wx_value_is(i->state->link.heap, *ref, type, m);
}

void *wxrt_gc_from_host(wasmx_instance *i, uint32_t kind, void *word) {
    bool full;
    void *ref;
    if (!wx_from_host(i, kind, i->module, word, true, &ref, &full))
        wx_raise(WASMX_TRAP_HOST, "a host function's result is not of its type", 0);
    return ref;
}

// ---- What the host keeps

wasmx_root *wasmx_root_new(wasmx_instance *i, wasmx_value value) {
    wx_heap *h = wx_heap_of(i);
    wx_root *r = h ? malloc(sizeof *r) : NULL;
    if (!r) return NULL;
    *r = (wx_root){.heap = h, .next = h->roots, .word = value.externref};
    if (r->next) r->next->prev = r;
    h->roots = r;
    return r;
}

wasmx_value wasmx_root_get(const wasmx_root *r) { return (wasmx_value){.externref = r->heap ? r->word : NULL}; }

void wasmx_root_free(wasmx_root *r) {
    if (!r) return;
    if (r->heap) {
        if (r->prev) r->prev->next = r->next;
        else r->heap->roots = r->next;
        if (r->next) r->next->prev = r->prev;
    }
    free(r);
}

// Below a guest, the host functions in between may hold objects.
static __attribute__((noinline)) void collect_above(wasmx_instance *i, const wx_words *more) {
    if (i->state->link.heap) wx_heap_collect(i->state->link.heap, i, __builtin_frame_address(0), more);
}

void wx_collect_here(wasmx_instance *i, const wx_words *more) {
    WX_SAVE_REGISTERS();
    collect_above(i, more);
    WX_KEEP_FRAME();
}

void wasmx_gc_collect(wasmx_instance *i) { wx_collect_here(i, NULL); }

void wasmx_gc_get_stats(const wasmx_instance *i, wasmx_gc_stats *out) {
    const wx_heap *h = i->state->link.heap;
    *out = (wasmx_gc_stats){0};
    if (!h) return;
    *out = (wasmx_gc_stats){.bytes = (uint64_t)h->used * WX_HEAP_PAGE, .collections = h->collections,
                            .max_bytes = (uint64_t)(h->end - h->first) * WX_HEAP_PAGE};
}
