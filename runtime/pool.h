// runtime/pool.h: what the files of pools share: slots, and how changed pages are found.
//
//   pool.c        acquire and release: which slot
//   pool_reset.c  a slot's instance back to how it was
//   dirty.c       which pages of a range this process has changed
#pragma once
#include "runtime/internal.h"

// ---- Changed pages (dirty.c)

typedef struct wx_span { uint64_t at, size; } wx_span; // bytes from the base of a memory, whole pages

// The best way that passes a trial in this process, tried once: WASMX_RESET_SCAN, _PAGEMAP or _DISCARD.
WX_INTERNAL wasmx_reset wx_dirty_best(void);
WX_INTERNAL bool wx_dirty_works(wasmx_reset way);
// Lists the changed pages of [base, base + size) in order, at most `room` spans and `pages` pages, which is more than
// 0. *end is how far the list is complete: size, or where it was full. False: it cannot be done now.
typedef struct wx_dirty {
    wx_span *spans;
    size_t room, count;
    uint64_t pages, end;
} wx_dirty;
WX_INTERNAL bool wx_dirty_list(wasmx_reset way, const uint8_t *base, uint64_t size, wx_dirty *out);

// Page faults up to now, of this process or of this thread, as a number that differs whenever one has happened, or a
// fork. 0: they cannot be counted.
WX_INTERNAL uint64_t wx_faults(bool of_thread);
// Different in every process; differs after a fork.
WX_INTERNAL uint64_t wx_process_serial(void);

// ---- Slots

enum { WX_SLOT_EMPTY = UINT32_MAX }; // in wx_slot.module

typedef struct wx_slot_memory { // an own memory of the slot's instance
    wasmx_memory *memory;
    uint32_t index;
    uint64_t bytes;      // at first
    uint64_t peak;       // nothing at or after it was ever accessible, or all of that was given back
    wx_span *kept;       // the changed pages below peak
    size_t kept_count, kept_room;
    bool incomplete;     // kept may lack some
} wx_slot_memory;

typedef struct wx_slot_table {
    wasmx_table *table;
    uint64_t size, capacity; // at first
    void *elems;             // at first
} wx_slot_table;

typedef struct wx_slot {
    wasmx_pool *pool;
    wasmx_instance *instance;
    _Atomic uint32_t module;   // index in the pool, or WX_SLOT_EMPTY
    _Atomic uint32_t in_use;
    bool start_again;          // guest code has to run at every acquire
    uint8_t dry, wait;         // searches in a row that could not be left out; releases until that is tried again
    uint32_t number;
    uint32_t releases;
    uint64_t faults, thread;   // when it was acquired: at most so many; by which thread
    _Atomic int64_t last_use;
    wx_slot_memory *memories;
    wx_slot_table *tables;
    uint32_t memory_count, table_count;
    wasmx_value *globals;      // at first
    uint8_t *dropped;          // data segments, then element segments
    const wx_image *image;     // NULL: there are no bytes
    _Atomic uint64_t acquired, made, remade, searched, spared, discarded, copied; // written by one thread at a time
} __attribute__((aligned(128))) wx_slot;

struct wasmx_pool {
    uint32_t slot_count, module_count;
    uint32_t width, words;     // slots a word of `ready` has bits for; words of a row
    wx_slot *slots;
    wasmx_pool_module *modules;
    uint64_t keep_bytes;
    wasmx_reset reset;
    bool learns, one_thread;
    _Atomic uint64_t faults __attribute__((aligned(128))); // of the process, when they were last counted
    struct wx_ready { _Atomic uint64_t bits; } __attribute__((aligned(64))) *ready; // a row of words a module, and one
                               // for empty slots: the free slots that hold it
};

static inline void wx_count(_Atomic uint64_t *counter, uint64_t n) {
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n, memory_order_relaxed);
}

// ---- Back to the beginning (pool_reset.c)

// Remembers the state of a new instance, its start not yet run where that has to be repeated; false: out of memory, or
// a trap, see err.
WX_INTERNAL bool wx_slot_prepare(wx_slot *slot, wasmx_error *err);
// Puts it back; spared: no page has changed but the kept ones. False: that failed, the instance cannot be used again.
WX_INTERNAL bool wx_slot_reset(wx_slot *slot, bool spared);
// Ends the instance and forgets it.
WX_INTERNAL void wx_slot_empty(wx_slot *slot);
