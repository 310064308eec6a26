// runtime/pool.c: instances kept ready: which slot a request gets.
//
//   ready[module]  [ 1 0 1 1 .. ][ 0 1 .. ] ...     a bit a slot: free, and holds this module's instance
//   ready[empty]   [ 0 1 0 0 .. ][ 1 0 .. ] ...     free, and holds none
//
// A slot is in no row while it is in use. Whoever clears its bit owns it, so there are no locks and no lists. A thread
// tries the slot it used last first: its pages are in that processor's caches.
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "runtime/pool.h"

#define MOST_SLOTS 1000000u
#define KEEP ((size_t)1 << 20)

enum { FREE, USED, BUSY }; // wx_slot.in_use

typedef struct mine { // what a thread remembers
    uint64_t serial, faults;
    const wasmx_pool *pool;
    uint32_t slot;
} mine;

static _Thread_local mine my __attribute__((tls_model("initial-exec")));
static _Atomic uint64_t threads;

static mine *me(void) {
    if (!my.serial) my.serial = atomic_fetch_add_explicit(&threads, 1, memory_order_relaxed) + 1;
    return &my;
}

// ---- Taking a free slot

static struct wx_ready *row(const wasmx_pool *p, uint32_t module) { return &p->ready[(size_t)module * p->words]; }

static bool take_bit(struct wx_ready *word, uint64_t bit) {
    uint64_t seen = atomic_load_explicit(&word->bits, memory_order_relaxed);
    while (seen & bit)
        if (atomic_compare_exchange_weak_explicit(&word->bits, &seen, seen & ~bit, memory_order_acquire,
                                                  memory_order_relaxed))
            return true;
    return false;
}

static bool take(const wasmx_pool *p, uint32_t module, uint32_t slot) {
    return take_bit(&row(p, module)[slot / p->width], (uint64_t)1 << slot % p->width);
}

static wx_slot *take_any(wasmx_pool *p, uint32_t module) {
    const mine *m = me();
    if (m->pool == p && m->slot < p->slot_count && take(p, module, m->slot)) return &p->slots[m->slot];
    for (uint32_t k = 0; k < p->words; k++) {
        uint32_t w = (uint32_t)((m->serial + k) % p->words);
        struct wx_ready *word = &row(p, module)[w];
        for (uint64_t bits; (bits = atomic_load_explicit(&word->bits, memory_order_relaxed));)
            if (take_bit(word, bits & -bits)) return &p->slots[w * p->width + (uint32_t)__builtin_ctzll(bits)];
    }
    return NULL;
}

static wx_slot *least_recent(wasmx_pool *p) {
    wx_slot *best = NULL;
    for (uint32_t k = 0; k < p->slot_count; k++) {
        wx_slot *s = &p->slots[k];
        if (atomic_load(&s->in_use) != FREE || atomic_load(&s->module) == WX_SLOT_EMPTY) continue;
        if (!best || atomic_load(&s->last_use) < atomic_load(&best->last_use)) best = s;
    }
    return best;
}

// Another thread may be faster with the one that was found; then another is looked for.
static wx_slot *take_from_others(wasmx_pool *p) {
    for (wx_slot *s; (s = least_recent(p));) {
        uint32_t module = atomic_load(&s->module);
        if (module != WX_SLOT_EMPTY && take(p, module, s->number)) return s;
    }
    return NULL;
}

static void put(wx_slot *s) {
    const wasmx_pool *p = s->pool;
    uint32_t module = atomic_load_explicit(&s->module, memory_order_relaxed);
    struct wx_ready *word = &row(p, module == WX_SLOT_EMPTY ? p->module_count : module)[s->number / p->width];
    atomic_store_explicit(&s->in_use, FREE, memory_order_relaxed);
    atomic_fetch_or_explicit(&word->bits, (uint64_t)1 << s->number % p->width, memory_order_release);
}

// ---- What is in it

static void give_back(wasmx_instance *i) { (void)wasmx_pool_release(i); }

static bool alone(const wx_slot *s, wasmx_error *err) {
    const wx_link *link = &s->instance->state->link;
    return link->next == link || wx_error_set(err, "a module in a pool cannot import functions of instances");
}

static bool fill(wx_slot *s, uint32_t module, wasmx_error *err) {
    const wasmx_pool_module *m = &s->pool->modules[module];
    if (!(s->instance = wx_instance_make(m->module, &m->options, err))) return false;
    s->instance->state->slot = s;
    s->instance->state->give_back = give_back;
    s->image = m->module->image_size ? wx_module_image(wx_module_load(m->module, err)) : NULL;
    if (alone(s, err) && wx_slot_prepare(s, err)) {
        atomic_store_explicit(&s->module, module, memory_order_relaxed);
        return true;
    }
    wx_slot_empty(s);
    return false;
}

static wx_slot *take_and_fill(wasmx_pool *p, uint32_t module, wasmx_error *err) {
    wx_slot *s = take_any(p, p->module_count);
    bool again = !s && (s = take_from_others(p));
    if (!s) {
        wx_error_set(err, "all %u instances of the pool are in use", p->slot_count);
        return NULL;
    }
    atomic_store_explicit(&s->in_use, BUSY, memory_order_relaxed);
    if (again) wx_slot_empty(s);
    bool ok = fill(s, module, err);
    wx_count(again ? &s->remade : &s->made, ok);
    if (ok) return s;
    put(s);
    return NULL;
}

// ---- Whether changed pages have to be looked for

static void note_faults(wx_slot *s) {
    const mine *m = me();
    bool mine_only = s->pool->one_thread;
    s->thread = m->serial;
    s->faults = mine_only ? m->faults : atomic_load_explicit(&s->pool->faults, memory_order_relaxed);
}

// Counts now. What is stored is never ahead of the truth; that another thread's count may be older does no harm.
static bool no_faults(const wx_slot *s) {
    bool mine_only = s->pool->one_thread;
    uint64_t now = wx_faults(mine_only);
    if (mine_only) {
        me()->faults = now;
        return now && now == s->faults && s->thread == me()->serial;
    }
    if (atomic_load_explicit(&s->pool->faults, memory_order_relaxed) != now)
        atomic_store_explicit(&s->pool->faults, now, memory_order_relaxed);
    return now && now == s->faults;
}

// In a process that faults all the time counting is in vain: after 8 times it is done for 2 releases of 16.
static bool can_spare(wx_slot *s) {
    if (!s->pool->learns || !s->memory_count) return false;
    if (s->wait && s->wait--) return false;
    bool spared = no_faults(s);
    if (spared) s->dry = 0;
    else if (++s->dry >= 8) s->dry = 6, s->wait = 14;
    return spared;
}

// ---- Acquire and release

static int64_t coarse_time(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void end_use(wx_slot *s, bool whole) {
    mine *m = me();
    if (!whole) wx_slot_empty(s);
    m->pool = s->pool;
    m->slot = s->number;
    if (s->pool->module_count > 1) atomic_store_explicit(&s->last_use, coarse_time(), memory_order_relaxed);
    put(s);
}

static wasmx_instance *fail_start(wx_slot *s, wasmx_error *err) {
    wx_error_set(err, "%s", s->instance->state->trap.message);
    wasmx_set_deadline(s->instance, WASMX_TIME_WALL, 0);
    end_use(s, wx_slot_reset(s, false));
    return NULL;
}

static wasmx_instance *begin_use(wx_slot *s, void *host, wasmx_wasi *wasi, wasmx_error *err) {
    wasmx_instance *i = s->instance;
    note_faults(s);
    wx_count(&s->acquired, 1);
    i->host = host;
    i->wasi = wasi;
    const wasmx_options *options = &s->pool->modules[atomic_load_explicit(&s->module, memory_order_relaxed)].options;
    if (!wx_watch_begin(i, options, err)) {
        end_use(s, wx_slot_reset(s, false));
        return NULL;
    }
    if (s->start_again && wx_instance_start(i) != WASMX_OK) return fail_start(s, err);
    atomic_store_explicit(&s->in_use, USED, memory_order_relaxed);
    return i;
}

static uint32_t index_of(const wasmx_pool *p, const wasmx_module *module) {
    uint32_t k = 0;
    while (k < p->module_count && p->modules[k].module != module) k++;
    return k;
}

static bool has_wasi(const wasmx_pool *p, uint32_t module) {
    const wasmx_linker *l = p->modules[module].options.linker;
    return l && l->wasi;
}

wasmx_instance *wasmx_pool_acquire_wasi(wasmx_pool *p, const wasmx_module *module, void *host, wasmx_wasi *wasi,
                                        wasmx_error *err) {
    uint32_t k = index_of(p, module);
    if (k == p->module_count) return wx_error_set(err, "the module is none of the pool's"), NULL;
    if (!wasi && has_wasi(p, k))
        return wx_error_set(err, "the module uses WASI: wasmx_pool_acquire_wasi gives an instance its own"), NULL;
    wx_slot *s = take_any(p, k);
    if (s) atomic_store_explicit(&s->in_use, BUSY, memory_order_relaxed);
    else if (!(s = take_and_fill(p, k, err))) return NULL;
    return begin_use(s, host, wasi, err);
}

wasmx_instance *wasmx_pool_acquire(wasmx_pool *p, const wasmx_module *module, void *host, wasmx_error *err) {
    return wasmx_pool_acquire_wasi(p, module, host, NULL, err);
}

static bool inside_call(const wasmx_instance *i) {
    if (i->state->suspended) return true;
    for (const wx_entry *e = wx_this_thread.top; e; e = e->prev)
        if (e->instance == i) return true;
    return false;
}

bool wasmx_pool_release(wasmx_instance *i) {
    wx_slot *s = i ? i->state->slot : NULL;
    uint32_t used = USED;
    if (!s || inside_call(i) || !atomic_compare_exchange_strong(&s->in_use, &used, BUSY)) return false;
    wasmx_set_deadline(i, WASMX_TIME_WALL, 0);
    end_use(s, wx_slot_reset(s, can_spare(s)));
    return true;
}

// ---- Its beginning and its end

static bool may_import(const wxrt_import *im) {
    return im->kind == WASMX_FUNC || im->kind == WASMX_TAG ||
           (im->kind == WASMX_GLOBAL && !im->is_mutable && im->type <= WASMX_V128);
}

static bool check_module(const wasmx_module *m, wasmx_error *err) {
    if (!m) return wx_error_set(err, "a pool's module is NULL");
    if (!wx_module_load(m, err)) return false;
    for (uint32_t k = 0; k < m->import_count; k++)
        if (!may_import(&m->imports[k]))
            return wx_error_set(err, "a module in a pool imports functions, tags and immutable numbers only: \"%.60s\" "
                                "\"%.60s\" would be shared by all its instances", m->imports[k].module,
                                m->imports[k].name);
    for (uint32_t k = 0; k < m->memory_count; k++)
        if (m->memories[k].is_shared)
            return wx_error_set(err, "a module in a pool has no shared memory: threads of one request might see the "
                                     "next one's");
    return true;
}

static bool check(const wasmx_pool_options *o, wasmx_error *err) {
    if (!o->slots || o->slots > MOST_SLOTS)
        return wx_error_set(err, "a pool has 1 to %u slots, not %u", MOST_SLOTS, o->slots);
    if (!o->module_count || !o->modules) return wx_error_set(err, "a pool needs a module");
    for (size_t k = 0; k < o->module_count; k++)
        if (!check_module(o->modules[k].module, err)) return false;
    return true;
}

static const char *const ways[] = {"auto", "scan", "pagemap", "discard"};

static bool read_way(const char *text, wasmx_reset *way, wasmx_error *err) {
    for (*way = WASMX_RESET_AUTO; *way <= WASMX_RESET_DISCARD; ++*way)
        if (!strcmp(text, ways[*way])) return true;
    return wx_error_set(err, "WASMX_RESET=%.60s: it is auto, scan, pagemap or discard", text);
}

static bool choose_way(wasmx_pool *p, wasmx_reset way, wasmx_error *err) {
    const char *forced = way == WASMX_RESET_AUTO ? getenv("WASMX_RESET") : NULL;
    if (forced && !read_way(forced, &way, err)) return false;
    if ((unsigned)way > WASMX_RESET_DISCARD) return wx_error_set(err, "there is no way %u to reset", (unsigned)way);
    if (!wx_dirty_works(way))
        return wx_error_set(err, "resetting by %s does not work on this system; auto finds what does", ways[way]);
    p->reset = way == WASMX_RESET_AUTO ? wx_dirty_best() : way;
    return true;
}

static bool allocate(wasmx_pool *p) {
    p->width = p->slot_count < 16 ? 1 : p->slot_count / 8 > 64 ? 64 : p->slot_count / 8;
    p->words = (p->slot_count + p->width - 1) / p->width;
    size_t ready = (size_t)p->words * (p->module_count + 1) * sizeof *p->ready;
    p->modules = calloc(p->module_count, sizeof *p->modules);
    if ((p->ready = aligned_alloc(64, ready))) memset(p->ready, 0, ready);
    p->slots = mmap(NULL, p->slot_count * sizeof *p->slots, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p->slots == MAP_FAILED) p->slots = NULL;
    return p->modules && p->ready && p->slots;
}

static void end(wasmx_pool *p) {
    if (p->slots) munmap(p->slots, p->slot_count * sizeof *p->slots);
    free(p->ready);
    free(p->modules);
    free(p);
}

static void set_up(wasmx_pool *p, const wasmx_pool_options *o) {
    memcpy(p->modules, o->modules, o->module_count * sizeof *p->modules);
    uint64_t keep = o->keep_bytes ? o->keep_bytes : KEEP;
    p->keep_bytes = keep / wx_page_size() * wx_page_size();
    p->learns = !o->always_search && p->reset != WASMX_RESET_DISCARD && wx_faults(false);
    p->one_thread = o->one_thread;
    for (uint32_t k = 0; k < p->slot_count; k++) {
        wx_slot *s = &p->slots[k];
        s->pool = p;
        s->number = k;
        atomic_store(&s->module, WX_SLOT_EMPTY);
        put(s);
    }
}

wasmx_pool *wasmx_pool_new(const wasmx_pool_options *o, wasmx_error *err) {
    if (!check(o, err)) return NULL;
    wasmx_pool *p = aligned_alloc(128, sizeof *p);
    if (!p) return wx_error_set(err, "out of memory"), NULL;
    memset(p, 0, sizeof *p);
    p->slot_count = o->slots;
    p->module_count = (uint32_t)o->module_count;
    if (!choose_way(p, o->reset, err) || (!allocate(p) && !wx_error_set(err, "out of memory"))) return end(p), NULL;
    set_up(p, o);
    return p;
}

static uint32_t count_used(const wasmx_pool *p) {
    uint32_t used = 0;
    for (uint32_t k = 0; k < p->slot_count; k++) used += atomic_load(&p->slots[k].in_use) != FREE;
    return used;
}

bool wasmx_pool_free(wasmx_pool *p) {
    if (!p) return true;
    if (count_used(p)) return false;
    for (uint32_t k = 0; k < p->slot_count; k++) wx_slot_empty(&p->slots[k]);
    end(p);
    return true;
}

void wasmx_pool_get_stats(wasmx_pool *p, wasmx_pool_stats *out) {
    *out = (wasmx_pool_stats){.reset = p->reset, .learns = p->learns, .slots = p->slot_count, .in_use = count_used(p)};
    for (uint32_t k = 0; k < p->slot_count; k++) {
        wx_slot *s = &p->slots[k];
        out->acquired += atomic_load(&s->acquired);
        out->made += atomic_load(&s->made);
        out->remade += atomic_load(&s->remade);
        out->searched += atomic_load(&s->searched);
        out->spared += atomic_load(&s->spared);
        out->discarded += atomic_load(&s->discarded);
        out->copied_bytes += atomic_load(&s->copied);
    }
}
