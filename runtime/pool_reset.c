// runtime/pool_reset.c: a slot's instance, as it was before the request.
//
//   memory   [ image, changed pages copied back | zeros, changed pages cleared | grown: closed again ]
//            0                                                            bytes                  peak
//
// in: a slot nobody uses, and whether its kept pages are known to be all that changed; out: an instance that no guest
// can tell from a new one. Pages that changed once stay this process's own and are copied back at every release, so
// there is nothing to find unless new ones may have joined them. Those beyond the pool's budget go back to the system.
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "runtime/gc.h"
#include "runtime/pool.h"

#define AUDIT 256 // releases between two looks at which kept pages still change

// ---- Memories

static void put_back(const wx_slot *s, const wx_slot_memory *m, uint64_t at, uint64_t end) {
    uint8_t *base = m->memory->base;
    while (at < end) {
        uint64_t n = end - at;
        const uint8_t *from = s->image ? wx_image_at(s->image, m->index, at, &n) : NULL;
        if (from) memcpy(base + at, from, n);
        else memset(base + at, 0, n);
        at += n;
    }
}

static void put_back_kept(wx_slot *s, const wx_slot_memory *m, uint64_t accessible) {
    uint64_t copied = 0;
    for (size_t k = 0; k < m->kept_count && m->kept[k].at < accessible; k++) {
        uint64_t end = m->kept[k].at + m->kept[k].size;
        if (end > accessible) end = accessible;
        put_back(s, m, m->kept[k].at, end);
        copied += end - m->kept[k].at;
    }
    wx_count(&s->copied, copied);
}

static bool image_is_copied(const wx_slot *s, const wx_slot_memory *m) {
    return s->image && s->image->fd < 0 && s->image->first[m->index] < s->image->first[m->index + 1];
}

// Gives all pages from `from` on to the system; what they held at first comes from the file again, or from here.
static bool discard(wx_slot *s, wx_slot_memory *m, uint64_t from) {
    if (from < m->peak && madvise(m->memory->base + from, m->peak - from, MADV_DONTNEED)) return false;
    m->peak = from;
    wx_count(&s->discarded, 1);
    for (uint64_t at = from, n; image_is_copied(s, m) && at < m->bytes; at += n) {
        n = m->bytes - at;
        const uint8_t *bytes = wx_image_at(s->image, m->index, at, &n);
        if (bytes) memcpy(m->memory->base + at, bytes, n);
        m->incomplete |= bytes != NULL;
    }
    return true;
}

static uint64_t pages_of(const wx_slot_memory *m) {
    uint64_t size = 0;
    for (size_t k = 0; k < m->kept_count; k++) size += m->kept[k].size;
    return size;
}

// The pages past the budget, which is one less than what was asked for.
static uint64_t cut(wx_slot_memory *m, uint64_t budget) {
    uint64_t total = pages_of(m);
    if (total <= budget) return UINT64_MAX;
    wx_span *last = &m->kept[m->kept_count - 1]; // has all of the excess: the list stops at the first page too many
    last->size -= total - budget;
    uint64_t end = last->at + last->size;
    m->kept_count -= !last->size;
    return end;
}

static bool search(wx_slot *s, wx_slot_memory *m) {
    uint64_t budget = s->pool->keep_bytes;
    wx_dirty list = {.spans = m->kept, .room = m->kept_room, .pages = budget / wx_page_size() + 1};
    m->kept_count = 0;
    m->incomplete = false;
    wx_count(&s->searched, 1);
    if (!wx_dirty_list(s->pool->reset, m->memory->base, m->peak, &list)) return discard(s, m, 0);
    m->kept_count = list.count;
    uint64_t end = cut(m, budget);
    if (end > list.end) end = list.end;
    return end >= m->peak || discard(s, m, end);
}

static bool is_as_at_first(const wx_slot *s, const wx_slot_memory *m, uint64_t at) {
    static const uint8_t zeros[4096];
    for (uint64_t end = at + wx_page_size(), n; at < end; at += n) {
        n = end - at;
        const uint8_t *from = s->image ? wx_image_at(s->image, m->index, at, &n) : NULL;
        if (!from && n > sizeof zeros) n = sizeof zeros;
        if (memcmp(m->memory->base + at, from ? from : zeros, n)) return false;
    }
    return true;
}

// Calls `act` for every kept page that this request left as it was; how many there are.
static uint64_t each_idle(const wx_slot *s, const wx_slot_memory *m, uint64_t accessible, bool give_back) {
    uint64_t page = wx_page_size(), count = 0;
    for (size_t k = 0; k < m->kept_count; k++)
        for (uint64_t at = m->kept[k].at; at < m->kept[k].at + m->kept[k].size; at += page) {
            if (at >= accessible || !is_as_at_first(s, m, at)) continue;
            count++;
            if (give_back) madvise(m->memory->base + at, page, MADV_DONTNEED);
        }
    return count;
}

// Kept pages are copied back whether they changed or not. When most of them did not, they are let go.
static void audit(wx_slot *s, wx_slot_memory *m, uint64_t accessible) {
    if (image_is_copied(s, m)) return;
    if (each_idle(s, m, accessible, false) * 2 * wx_page_size() <= pages_of(m)) return;
    each_idle(s, m, accessible, true);
    m->incomplete = true;
}

static bool reset_memory(wx_slot *s, wx_slot_memory *m, bool spared) {
    uint64_t accessible = m->memory->bytes;
    if (accessible > m->peak) m->peak = accessible;
    if (s->pool->reset == WASMX_RESET_DISCARD) {
        if (!discard(s, m, 0)) return false;
    } else {
        if (s->releases % AUDIT == AUDIT - 1) audit(s, m, accessible);
        if (spared && !m->incomplete) wx_count(&s->spared, 1);
        else if (!search(s, m)) return false;
        put_back_kept(s, m, accessible);
    }
    m->memory->bytes = m->bytes;
    return accessible == m->bytes || !mprotect(m->memory->base + m->bytes, accessible - m->bytes, PROT_NONE);
}

// ---- Tables

static size_t element_size(const wasmx_table *t) { return t->is_func ? sizeof(wxrt_slot) : sizeof(void *); }

static void reset_table(const wx_slot_table *saved) {
    wasmx_table *t = saved->table;
    size_t size = element_size(t);
    uint64_t low = t->written_low, high = t->written_high < saved->size ? t->written_high : saved->size;
    t->written_low = t->written_high = 0;
    t->size = saved->size;
    if (low < high && saved->elems)
        memcpy((char *)t->elems + low * size, (char *)saved->elems + low * size, (high - low) * size);
    else if (low < high)
        memset((char *)t->elems + low * size, 0, (high - low) * size);
    if (t->capacity <= 2 * saved->capacity + 1024) return;
    void *less = realloc(t->elems, (saved->capacity ? saved->capacity : 1) * size);
    if (!less) return;
    t->elems = less;
    t->capacity = saved->capacity;
}

// ---- All of it

static void put_fields(wx_slot *s) {
    wasmx_instance *i = s->instance;
    const wasmx_module *m = i->module;
    memcpy(WX_AREA(i, globals, wasmx_value), s->globals, m->global_count * sizeof(wasmx_value));
    memcpy(WX_AREA(i, dropped_data, uint8_t), s->dropped, m->data_count);
    memcpy(WX_AREA(i, dropped_elems, uint8_t), s->dropped + m->data_count, m->elem_count);
    if (i->state->link.next != &i->state->link) wx_link_end(&i->state->link); // and with it what was shared
    if (i->state->link.heap) wx_heap_reset(i->state->link.heap, s->pool->keep_bytes);
    memset(WX_AREA(i, elem_values, uint64_t), 0, m->elem_value_count * sizeof(uint64_t));
    i->state->trap.kind = WASMX_OK;
    i->state->trap.exit_code = 0;
    i->state->trap.frame_count = i->state->trace_count = 0;
    i->state->trap.message[0] = 0;
    i->host = NULL;
    i->wasi = NULL;
}

bool wx_slot_reset(wx_slot *s, bool spared) {
    for (uint32_t k = 0; k < s->memory_count; k++)
        if (!reset_memory(s, &s->memories[k], spared)) return false;
    for (uint32_t k = 0; k < s->table_count; k++) reset_table(&s->tables[k]);
    put_fields(s);
    s->releases++;
    return true;
}

// ---- Remembering

static void *copy_of(const void *p, size_t size) {
    void *copy = malloc(size ? size : 1);
    return copy && size ? memcpy(copy, p, size) : copy;
}

static bool is_null(const wasmx_table *t) {
    const char *p = t->elems, *end = p + t->size * element_size(t);
    for (; p < end; p += sizeof(uint64_t))
        if (*(const uint64_t *)(const void *)p) return false;
    return true;
}

static bool save_table(wx_slot_table *saved, wasmx_table *t) {
    t->written_low = t->written_high = 0;
    free(saved->elems);
    *saved = (wx_slot_table){.table = t, .size = t->size, .capacity = t->capacity};
    return is_null(t) || (saved->elems = copy_of(t->elems, t->size * element_size(t)));
}

static bool save_tables(wx_slot *s) {
    const wasmx_module *m = s->instance->module;
    wasmx_table *own = WX_AREA(s->instance, own_tables, wasmx_table);
    if (!s->tables && !(s->tables = calloc(m->table_count + 1, sizeof *s->tables))) return false;
    s->table_count = 0;
    for (uint32_t k = 0; k < m->table_count; k++) {
        if (m->tables[k].import) continue;
        if (!m->tables[k].is_constant && !save_table(&s->tables[s->table_count++], own)) return false;
        own++;
    }
    return true;
}

static bool save_memory(wx_slot *s, wx_slot_memory *saved, uint32_t index) {
    wasmx_memory *m = WX_AREA(s->instance, memories, wasmx_memory *)[index];
    size_t room = s->pool->keep_bytes / wx_page_size() + 1, most = m->reserved / wx_page_size() + 1;
    if (room > most) room = most;
    *saved = (wx_slot_memory){.memory = m, .index = index, .bytes = m->bytes, .peak = m->bytes, .incomplete = true,
                              .kept_room = room, .kept = calloc(room, sizeof(wx_span))};
    madvise(m->mapping, m->mapping_size, MADV_NOHUGEPAGE); // one write must not change 512 pages; fails where no kernel
    return saved->kept;                                    // has them
}

static bool save_memories(wx_slot *s) {
    const wasmx_module *m = s->instance->module;
    if (!(s->memories = calloc(m->memory_count + 1, sizeof *s->memories))) return false;
    for (uint32_t k = 0; k < m->memory_count; k++)
        if (!m->memories[k].import && !save_memory(s, &s->memories[s->memory_count++], k)) return false;
    return true;
}

static bool save_fields(wx_slot *s) {
    const wasmx_instance *i = s->instance;
    const wasmx_module *m = i->module;
    free(s->globals);
    free(s->dropped);
    s->globals = copy_of(WX_AREA(i, globals, wasmx_value), m->global_count * sizeof(wasmx_value));
    if (!s->globals || !(s->dropped = malloc(m->data_count + m->elem_count + 1))) return false;
    memcpy(s->dropped, WX_AREA(i, dropped_data, uint8_t), m->data_count);
    memcpy(s->dropped + m->data_count, WX_AREA(i, dropped_elems, uint8_t), m->elem_count);
    return true;
}

static bool wrote_memory(const wasmx_instance *i) { // every segment init applies is dropped by it
    const uint8_t *dropped = WX_AREA(i, dropped_data, uint8_t);
    for (uint32_t k = 0; k < i->module->data_count; k++)
        if (dropped[k]) return true;
    return false;
}

// What init does may differ each time, or it makes objects, of which nothing is remembered.
static bool starts_anew(const wasmx_module *m) { return m->has_start || m->layout.gc; }

// Without a start function, what init does is the same every time: it becomes part of what is remembered, but for
// memory, which comes from the image.
static bool start_once(wx_slot *s, wasmx_error *err) {
    if (wx_instance_start(s->instance) != WASMX_OK) return wx_error_set(err, "%s", s->instance->state->trap.message);
    s->start_again = wrote_memory(s->instance);
    if (s->start_again ? wx_slot_reset(s, false) : save_tables(s) && save_fields(s)) return true;
    return wx_error_set(err, "out of memory");
}

bool wx_slot_prepare(wx_slot *s, wasmx_error *err) {
    const wasmx_module *m = s->instance->module;
    if (!save_memories(s) || !save_tables(s) || !save_fields(s)) return wx_error_set(err, "out of memory");
    s->releases = 0;
    s->dry = s->wait = 0;
    s->start_again = starts_anew(m);
    return !m->init || starts_anew(m) || start_once(s, err);
}

void wx_slot_empty(wx_slot *s) {
    for (uint32_t k = 0; k < s->memory_count; k++) free(s->memories[k].kept);
    for (uint32_t k = 0; k < s->table_count; k++) free(s->tables[k].elems);
    free(s->memories);
    free(s->tables);
    free(s->globals);
    free(s->dropped);
    s->memories = NULL;
    s->tables = NULL;
    s->globals = NULL;
    s->dropped = NULL;
    s->memory_count = s->table_count = 0;
    if (s->instance) wx_instance_end(s->instance);
    s->instance = NULL;
    s->image = NULL;
    atomic_store_explicit(&s->module, WX_SLOT_EMPTY, memory_order_relaxed);
}
