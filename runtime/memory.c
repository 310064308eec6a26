// runtime/memory.c: linear memories.
//
//   [ front ][ low guard 64 KiB ] base► [ accessible | reserved ........ ][ high guard ]
//
// The whole is one reservation without access; growing makes more of it readable and writable, so base never moves.
// front is the instance for its memory 0 (abi.h), nothing for all others. Modules with explicit bounds do not need
// 4 GiB of addresses: they get what they can ever use, and live with less where the system gives no more.
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runtime/internal.h"

#define MAX_PAGES64 ((uint64_t)1 << 48)
#define RESERVE64 ((uint64_t)64 << 30) // address space of a 64-bit memory without a smaller maximum

uint64_t wx_page_size(void) {
    static _Atomic uint64_t size;
    uint64_t s = atomic_load_explicit(&size, memory_order_relaxed);
    if (!s) atomic_store_explicit(&size, s = (uint64_t)sysconf(_SC_PAGESIZE), memory_order_relaxed);
    return s;
}

static uint64_t least(uint64_t a, uint64_t b) { return a < b ? a : b; }

bool wx_memory_plan(wasmx_memory *m, const wx_memory_limits *l, wasmx_error *err) {
    uint64_t most = l->is64 ? MAX_PAGES64 : WXRT_MAX_PAGES32;
    uint64_t max = least(l->has_max ? l->max : most, most);
    if (l->limit) max = least(max, l->limit / WXRT_PAGE);
    if (l->min > max)
        return wx_error_set(err, "memory of %llu pages: the limit is %llu", (unsigned long long)l->min,
                            (unsigned long long)max);
    *m = (wasmx_memory){.bytes = l->min * WXRT_PAGE, .max_bytes = max * WXRT_PAGE, .has_max = l->has_max,
                        .declared_max = l->max, .is64 = l->is64,
                        .is_shared = l->is_shared};
    m->reserved = l->is64 ? least(m->max_bytes, RESERVE64) : WXRT_RESERVE32;
    m->guarded = !l->explicit_bounds && !l->is64;
    if (l->explicit_bounds) m->reserved = least(m->reserved, m->max_bytes);
    if (l->explicit_bounds && l->reserve) m->reserved = least(m->reserved, wx_round_up(l->reserve, WXRT_PAGE));
    if (m->reserved < m->bytes) m->reserved = m->bytes;
    return true;
}

// Where a reservation was given back: the place to ask for first. A kernel would choose it anyway; emulators go on to
// ever new addresses, and keep tables of them all.
static void *_Atomic last_freed;

// ---- Parked: the mappings of the last instances freed, for the next one of the same module
//
// Half of what a new instance costs is to unmap 4 GiB, their page tables included, and to map them again. Instead their
// pages are given back, which leaves zeros and the image. A few of them, of any module; none keeps memory.

#define PARKED 4
enum { EMPTY, FULL, BUSY };

typedef struct parking {
    _Atomic int state;
    uint64_t area, image; // bytes of the instance's area; which image is mapped
    wasmx_memory memory;
} parking;

static parking parked[PARKED];
static _Atomic unsigned next_victim;

static bool hold(parking *k, int state) { return atomic_compare_exchange_strong(&k->state, &state, BUSY); }

bool wx_memory_drop_parked(void) {
    bool any = false;
    for (parking *k = parked; k < parked + PARKED; k++) {
        if (!hold(k, FULL)) continue;
        munmap(k->memory.mapping, k->memory.mapping_size);
        atomic_store(&k->state, EMPTY);
        any = true;
    }
    return any;
}

static parking *place_to_park(void) {
    for (parking *k = parked; k < parked + PARKED; k++)
        if (hold(k, EMPTY)) return k;
    parking *k = &parked[atomic_fetch_add(&next_victim, 1) % PARKED];
    if (!hold(k, FULL)) return NULL;
    munmap(k->memory.mapping, k->memory.mapping_size);
    return k;
}

// m lies in the area that is cleared here.
static bool park(const wasmx_memory *m, uint64_t area) {
    parking *k = place_to_park();
    if (!k) return false;
    k->memory = *m;
    k->area = area;
    k->image = m->image;
    uint8_t *start = k->memory.base - WXRT_LOW_GUARD - area;
    bool ok = !madvise(start, WXRT_LOW_GUARD + area + k->memory.bytes, MADV_DONTNEED);
    if (!ok) munmap(k->memory.mapping, k->memory.mapping_size);
    atomic_store(&k->state, ok ? FULL : EMPTY);
    return true;
}

static bool set_size(const wasmx_memory *is, uint64_t bytes) {
    if (is->bytes < bytes) return !mprotect(is->base + is->bytes, bytes - is->bytes, PROT_READ | PROT_WRITE);
    return is->bytes == bytes || !mprotect(is->base + bytes, is->bytes - bytes, PROT_NONE);
}

static bool fits(const parking *k, const wasmx_memory *m, uint64_t front, uint64_t area, uint64_t image) {
    const wasmx_memory *is = &k->memory;
    return k->area == area && k->image == image && is->reserved == m->reserved &&
           (uint64_t)(is->base - (uint8_t *)is->mapping) == front + WXRT_LOW_GUARD && set_size(is, m->bytes);
}

static bool unpark(wasmx_memory *m, uint64_t front, uint64_t area, uint64_t image) {
    for (parking *k = parked; area && m->guarded && k < parked + PARKED; k++) {
        if (!hold(k, FULL)) continue;
        bool taken = fits(k, m, front, area, image);
        if (taken) {
            m->mapping = k->memory.mapping;
            m->mapping_size = k->memory.mapping_size;
            m->base = k->memory.base;
            m->image = image;
        }
        atomic_store(&k->state, taken ? EMPTY : FULL);
        if (taken) return true;
    }
    return false;
}

// ---- Mapped

// Code without compares counts on the guard.
static uint64_t high_guard(const wasmx_memory *m) { return m->guarded || m->is64 ? WXRT_HIGH_GUARD : 0; }

// Asks for less while the system refuses, down to what is needed now. Guard mode needs all of it.
static void *reserve(wasmx_memory *m, uint64_t around, bool flexible) {
    for (;;) {
        void *p = mmap(atomic_load(&last_freed), around + m->reserved, PROT_NONE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (p != MAP_FAILED) return p;
        if (!flexible || m->reserved <= m->bytes) return NULL;
        uint64_t half = m->reserved / 2 / WXRT_PAGE * WXRT_PAGE;
        m->reserved = half > m->bytes ? half : m->bytes;
    }
}

static bool map_new(wasmx_memory *m, uint64_t front, uint64_t area, wasmx_error *err) {
    uint64_t before = front + WXRT_LOW_GUARD;
    uint8_t *p = reserve(m, before + high_guard(m), !m->guarded);
    if (!p && wx_memory_drop_parked()) p = reserve(m, before + high_guard(m), !m->guarded);
    if (!p) return wx_error_set(err, "no address space for a memory of %llu bytes", (unsigned long long)m->reserved);
    m->mapping = p;
    m->mapping_size = before + m->reserved + high_guard(m);
    m->base = p + before;
    bool ok = !area || !mprotect(p + front - area, area, PROT_READ | PROT_WRITE);
    if (ok && (!m->bytes || !mprotect(m->base, m->bytes, PROT_READ | PROT_WRITE))) return true;
    munmap(p, m->mapping_size);
    return wx_error_set(err, "out of memory for a memory of %llu bytes", (unsigned long long)m->bytes);
}

bool wx_memory_map(wasmx_memory *m, uint64_t front, uint64_t area, uint64_t image, wasmx_error *err) {
    if (!unpark(m, front, area, image) && !map_new(m, front, area, err)) return false;
    uint8_t *p = m->mapping;
    if ((m->range = wx_ranges_add(&wx_memory_ranges, p, p + m->mapping_size, p))) return true;
    munmap(p, m->mapping_size);
    return wx_error_set(err, "out of memory");
}

void wx_memory_unmap(wasmx_memory *m, uint64_t area) {
    if (!m->mapping) return;
    wx_ranges_remove(&wx_memory_ranges, m->range);
    if (area && m->guarded && park(m, area)) return;
    void *mapping = m->mapping; // m may lie inside
    munmap(mapping, m->mapping_size);
    atomic_store(&last_freed, mapping);
}

static uint64_t grow(wasmx_memory *m, uint64_t pages) {
    uint64_t old = m->bytes / WXRT_PAGE, most = least(m->max_bytes, m->reserved);
    if (!pages) return old;
    if (most < m->bytes || pages > (most - m->bytes) / WXRT_PAGE) return UINT64_MAX;
    if (mprotect(m->base + m->bytes, pages * WXRT_PAGE, PROT_READ | PROT_WRITE)) return UINT64_MAX;
    __atomic_store_n(&m->bytes, m->bytes + pages * WXRT_PAGE, __ATOMIC_RELEASE);
    return old;
}

uint64_t wasmx_memory_grow(wasmx_memory *m, uint64_t pages) {
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    if (!m->is_shared) return grow(m, pages);
    pthread_mutex_lock(&lock);
    uint64_t old = grow(m, pages);
    pthread_mutex_unlock(&lock);
    return old;
}

uint8_t *wasmx_memory_data(const wasmx_memory *m) { return m->base; }
uint64_t wasmx_memory_size(const wasmx_memory *m) { return wx_memory_bytes(m); }
bool wasmx_memory_is_shared(const wasmx_memory *m) { return m->is_shared; }

void *wasmx_memory_at(const wasmx_memory *m, uint64_t address, uint64_t length) {
    uint64_t bytes = wx_memory_bytes(m);
    return address <= bytes && length <= bytes - address ? m->base + address : NULL;
}

static wasmx_memory *new_memory(uint64_t min_pages, uint64_t max_pages, bool is_shared) {
    bool has_max = max_pages != UINT64_MAX;
    wasmx_memory *m = malloc(sizeof *m);
    wx_memory_limits limits = {.min = min_pages, .max = max_pages, .has_max = has_max, .is_shared = is_shared};
    if (m && min_pages <= max_pages && wx_memory_plan(m, &limits, NULL) && wx_memory_map(m, 0, 0, 0, NULL)) return m;
    free(m);
    return NULL;
}

wasmx_memory *wasmx_memory_new(uint64_t min_pages, uint64_t max_pages) {
    return new_memory(min_pages, max_pages, false);
}

wasmx_memory *wasmx_memory_new_shared(uint64_t min_pages, uint64_t max_pages) {
    return max_pages == UINT64_MAX ? NULL : new_memory(min_pages, max_pages, true);
}

void wasmx_memory_free(wasmx_memory *m) {
    if (!m) return;
    wx_memory_unmap(m, 0);
    free(m);
}
