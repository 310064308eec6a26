// runtime/module.c: modules the process has used: checked once, their code known to the fault handler, their image
// ready for instances to map.
//
// A record is made at a module's first instantiation and found again without a lock; wasmx_module_forget empties it for
// reuse. Writers hold one lock.
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/platform.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static wx_loaded *_Atomic first;

bool wx_error_set(wasmx_error *err, const char *format, ...) {
    if (!err) return false;
    va_list args;
    va_start(args, format);
    vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    return false;
}

// ---- First use

static const char *name_of(const wasmx_module *m) { return m->name && *m->name ? m->name : "module"; }

static bool check_module(const wasmx_module *m, wasmx_error *err) {
    char missing[64];
    if (m->abi_hash != wxrt_abi_hash()) // nothing else of it can be read then
        return wx_error_set(err, "the module was built for another version of libwasmx (ABI %016llx, this is %016llx)",
                            (unsigned long long)m->abi_hash, (unsigned long long)wxrt_abi_hash());
    if (!m->target || strcmp(m->target, WX_TARGET))
        return wx_error_set(err, "%s: built for %s, this is %s", name_of(m), m->target ? m->target : "?", WX_TARGET);
    if (m->cpu_features && !wx_cpu_has(m->cpu_features, missing, sizeof missing))
        return wx_error_set(err, "%s: built for a CPU with the feature %s, which this one lacks", name_of(m), missing);
    return true;
}

static wx_loaded *find(const wasmx_module *m) {
    wx_loaded *l = atomic_load_explicit(&first, memory_order_acquire);
    while (l && atomic_load_explicit(&l->module, memory_order_acquire) != m) l = l->next;
    return l;
}

static wx_loaded *free_record(void) {
    wx_loaded *l = find(NULL);
    if (l || !(l = calloc(1, sizeof *l))) return l;
    l->next = atomic_load(&first);
    atomic_store_explicit(&first, l, memory_order_release);
    return l;
}

static wx_loaded *load(const wasmx_module *m, wasmx_error *err) {
    if (!check_module(m, err)) return NULL;
    wx_loaded *l = free_record();
    if (!l || !wx_types_intern(m) || !(l->range = wx_ranges_add(&wx_code_ranges, m->text_start, m->text_end, m))) {
        wx_error_set(err, "out of memory");
        return NULL;
    }
    atomic_store_explicit(&l->module, m, memory_order_release);
    return l;
}

wx_loaded *wx_module_load(const wasmx_module *m, wasmx_error *err) {
    wx_loaded *l = find(m);
    if (WX_LIKELY(l)) return l;
    wx_signals_install();
    pthread_mutex_lock(&lock);
    l = find(m);
    if (!l) l = load(m, err);
    pthread_mutex_unlock(&lock);
    return l;
}

void wasmx_module_forget(const wasmx_module *m) {
    pthread_mutex_lock(&lock);
    wx_loaded *l = m ? find(m) : NULL;
    if (l) {
        wx_ranges_remove(&wx_code_ranges, l->range);
        wx_memory_drop_parked();
        wx_image_free(atomic_exchange(&l->image, NULL));
        atomic_store(&l->module, NULL);
    }
    pthread_mutex_unlock(&lock);
}

// ---- The image

const wx_image *wx_module_image(wx_loaded *l) {
    wx_image *image = atomic_load_explicit(&l->image, memory_order_acquire);
    if (WX_LIKELY(image)) return image;
    pthread_mutex_lock(&lock);
    image = atomic_load(&l->image);
    if (!image) atomic_store_explicit(&l->image, image = wx_image_make(atomic_load(&l->module)), memory_order_release);
    pthread_mutex_unlock(&lock);
    return image;
}

// ---- The address map

static uint64_t start_of(const wxrt_map *at) { return (uint64_t)(uintptr_t)&at->at + (uint64_t)(int64_t)at->at; }

// The last piece of code that starts at or before the address, or NULL.
static const wxrt_map *map_find(const wasmx_module *m, uint64_t address) {
    size_t low = 0, high = (size_t)(m->map_end - m->map);
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (start_of(&m->map[mid]) <= address) low = mid + 1;
        else high = mid;
    }
    return low ? &m->map[low - 1] : NULL;
}

static const char *func_name(const wasmx_module *m, uint32_t func) {
    return func < m->name_count && m->name_at[func] ? m->names + m->name_at[func] : NULL;
}

bool wx_find_frame(uint64_t address, wasmx_frame *out, uint64_t *start) {
    const wasmx_module *m = wx_ranges_find(&wx_code_ranges, address);
    const wxrt_map *at = m ? map_find(m, address) : NULL;
    if (!at || at->func == UINT32_MAX) return false;
    *out = (wasmx_frame){m, at->func, func_name(m, at->func)};
    if (start) *start = start_of(at);
    return true;
}

// ---- For tools

const char *wasmx_module_name(const wasmx_module *m) { return m->name ? m->name : ""; }
size_t wasmx_module_export_count(const wasmx_module *m) { return m->export_count; }

const char *wasmx_module_export_name(const wasmx_module *m, size_t i, wasmx_extern_kind *kind) {
    if (i >= m->export_count) return NULL;
    if (kind) *kind = (wasmx_extern_kind)m->exports[i].kind;
    return m->exports[i].name;
}
