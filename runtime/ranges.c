// runtime/ranges.c: address ranges that a signal handler looks addresses up in.
//
//   first ► [ 256 ranges ] ► [ 256 ranges ] ► ...      chunks are only ever added; a removed range is empty and reused
//
// Writers take a lock. A reader takes none: a range becomes visible when its `high` is stored last, and is empty while
// `high` is 0.
#include <pthread.h>
#include <stdlib.h>

#include "runtime/internal.h"

#define CHUNK 256

typedef struct range {
    _Atomic uint64_t low, high;
    const void *_Atomic owner;
    struct range *next_free; // under the lock
} range;

typedef struct chunk {
    struct chunk *_Atomic next;
    _Atomic uint32_t used; // none at or after it was ever taken
    range ranges[CHUNK];
} chunk;

struct wx_ranges {
    pthread_mutex_t lock;
    chunk *_Atomic first;
    range *free;
};

wx_ranges wx_code_ranges = {.lock = PTHREAD_MUTEX_INITIALIZER};
wx_ranges wx_memory_ranges = {.lock = PTHREAD_MUTEX_INITIALIZER};

static bool add_chunk(wx_ranges *r) {
    chunk *c = calloc(1, sizeof *c);
    if (!c) return false;
    for (int i = CHUNK - 1; i >= 0; i--) {
        c->ranges[i].next_free = r->free;
        r->free = &c->ranges[i];
    }
    atomic_store_explicit(&c->next, atomic_load(&r->first), memory_order_relaxed);
    atomic_store_explicit(&r->first, c, memory_order_release);
    return true;
}

// Free ranges are handed out from a chunk's start, and the first chunk is the only one with fresh ones.
static void note_use(chunk *c, const range *at) {
    if (at < c->ranges || at >= c->ranges + CHUNK) return;
    uint32_t k = (uint32_t)(at - c->ranges);
    if (k >= atomic_load(&c->used)) atomic_store_explicit(&c->used, k + 1, memory_order_release);
}

void *wx_ranges_add(wx_ranges *r, const void *low, const void *high, const void *owner) {
    range *at = NULL;
    pthread_mutex_lock(&r->lock);
    if (r->free || add_chunk(r)) {
        at = r->free;
        r->free = at->next_free;
        note_use(atomic_load(&r->first), at);
        atomic_store(&at->low, (uint64_t)(uintptr_t)low);
        atomic_store(&at->owner, owner);
        atomic_store(&at->high, (uint64_t)(uintptr_t)high);
    }
    pthread_mutex_unlock(&r->lock);
    return at;
}

void wx_ranges_remove(wx_ranges *r, void *p) {
    range *at = p;
    if (!at) return;
    pthread_mutex_lock(&r->lock);
    atomic_store(&at->high, 0);
    at->next_free = r->free;
    r->free = at;
    pthread_mutex_unlock(&r->lock);
}

const void *wx_ranges_find(wx_ranges *r, uint64_t address) {
    for (chunk *c = atomic_load_explicit(&r->first, memory_order_acquire); c; c = atomic_load(&c->next)) {
        uint32_t used = atomic_load_explicit(&c->used, memory_order_acquire);
        for (uint32_t i = 0; i < used; i++) {
            range *at = &c->ranges[i];
            if (address < atomic_load(&at->high) && address >= atomic_load(&at->low)) return atomic_load(&at->owner);
        }
    }
    return NULL;
}
