// runtime/gc_heap.c: the memory of a heap.
//
//   pages   [ cells of 16 bytes ][ free ][ an object of three pages ....... ][ cells of 48 bytes ][ free ...
//
// in: sizes; out: places. A page has cells of one size, or belongs to an object of its own pages. Cells are given out
// in runs, a class's room, from which generated code takes them by itself; those of a run count as taken, and what is
// left of it is given back before a collection looks.
#include "runtime/gc.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define DEFAULT_BYTES ((uint64_t)256 << 20)
#define LEAST_BYTES ((uint64_t)64 << 10)
#define MOST_BYTES (WXRT_HEAP_SPACE - WXRT_HEAP_FIRST)
#define LEAST_GARBAGE ((uint64_t)4 << 20) // bytes given out before a collection is worth it
#define GRAINS (WX_HEAP_PAGE / WX_HEAP_GRAIN)

static const struct wxrt_heap no_rooms;

// ---- Its beginning and its end

static void *map(size_t size, int access) {
    void *p = mmap(NULL, size, access, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

// All that 32 bits and a field's offset can reach; where the system refuses that, what references do reach.
static bool map_objects(wx_heap *h, uint64_t bytes) {
    h->mapping_size = WXRT_HEAP_SPACE + WXRT_HEAP_GUARD;
    if (!(h->mapping = map(h->mapping_size, PROT_NONE))) {
        h->mapping_size = WXRT_HEAP_FIRST + bytes + WXRT_HEAP_GUARD;
        if (!(h->mapping = map(h->mapping_size, PROT_NONE))) return false;
    }
    h->base = h->mapping;
    return !mprotect(h->base + WXRT_HEAP_FIRST, bytes, PROT_READ | PROT_WRITE);
}

static bool map_records(wx_heap *h) {
    size_t pages = h->end * sizeof(wx_page), bits = h->end * GRAINS / 8, stack = h->end * GRAINS * sizeof *h->stack;
    h->records_size = pages + 2 * bits + stack;
    if (!(h->records = map(h->records_size, PROT_READ | PROT_WRITE))) return false;
    h->pages = h->records;
    h->taken = (uint64_t *)((char *)h->records + pages);
    h->marked = h->taken + bits / sizeof *h->taken;
    h->stack = (uint32_t *)(h->marked + bits / sizeof *h->marked);
    return true;
}

static void empty(wx_heap *h) {
    memset(&h->rooms, 0, sizeof h->rooms);
    memset(h->partial, 0, sizeof h->partial);
    h->top = h->lowest_free = h->rover = h->first;
    h->used = 0;
    h->since = 0;
    h->threshold = LEAST_GARBAGE;
}

static void end(wx_heap *h) {
    for (wx_root *r = h->roots; r; r = r->next) r->heap = NULL;
    if (h->mapping) munmap(h->mapping, h->mapping_size);
    if (h->records) munmap(h->records, h->records_size);
    free(h);
}

static wx_heap *make(uint64_t limit) {
    uint64_t bytes = limit ? limit : DEFAULT_BYTES;
    if (bytes < LEAST_BYTES) bytes = LEAST_BYTES;
    if (bytes > MOST_BYTES) bytes = MOST_BYTES;
    bytes = bytes / LEAST_BYTES * LEAST_BYTES;
    wx_heap *h = calloc(1, sizeof *h);
    if (!h) return NULL;
    h->first = h->clean = WXRT_HEAP_FIRST / WX_HEAP_PAGE;
    h->end = h->first + (uint32_t)(bytes / WX_HEAP_PAGE);
    h->stress = getenv("WASMX_GC_STRESS") != NULL;
    empty(h);
    if (map_objects(h, bytes) && map_records(h)) return h;
    end(h);
    return NULL;
}

// ---- Whose it is

static struct wxrt_gc *gc_of(wasmx_instance *i) {
    return i && i->module->layout.gc ? WX_AREA(i, gc, struct wxrt_gc) : NULL;
}

static void show(wasmx_instance *i, wx_heap *h) {
    struct wxrt_gc *gc = gc_of(i);
    if (!gc) return;
    gc->base = h ? h->base : NULL;
    gc->heap = h ? &h->rooms : (struct wxrt_heap *)&no_rooms;
}

void wx_gc_open(wasmx_instance *i) {
    show(i, NULL);
    if (gc_of(i)) gc_of(i)->displays = wx_displays;
}

void wx_heap_attach(wx_link *link, wx_heap *h) {
    link->heap = h;
    h->users++;
    show(link->instance, h);
}

void wx_heap_detach(wx_link *link) {
    wx_heap *h = link->heap;
    if (!h) return;
    link->heap = NULL;
    show(link->instance, NULL);
    if (!--h->users) end(h);
}

wx_heap *wx_heap_of(wasmx_instance *i) {
    wx_link *first = &i->state->link, *l = first;
    if (first->heap) return first->heap;
    wx_heap *h = make(i->state->max_gc_bytes);
    if (!h) return NULL;
    do {
        wx_heap_attach(l, h);
        l = l->next;
    } while (l != first);
    return h;
}

void wx_heap_reset(wx_heap *h, uint64_t keep) {
    uint64_t bytes = (uint64_t)(h->top - h->first) * WX_HEAP_PAGE, cleared = bytes < keep ? bytes : keep;
    uint8_t *from = h->base + WXRT_HEAP_FIRST;
    size_t grains = (size_t)h->first * GRAINS / 64, words = (size_t)(h->top - h->first) * GRAINS / 64;
    memset(h->pages + h->first, 0, (h->top - h->first) * sizeof *h->pages);
    memset(h->taken + grains, 0, words * sizeof *h->taken);
    for (wx_root *r = h->roots; r; r = r->next) r->heap = NULL;
    h->roots = NULL;
    memset(from, 0, cleared);
    if (cleared < bytes && madvise(from + cleared, bytes - cleared, MADV_DONTNEED))
        memset(from + cleared, 0, bytes - cleared);
    h->clean = h->first;
    empty(h);
}

// ---- Pages. A record of zeros is one of a free page.

static bool is_free(const wx_heap *h, uint32_t page) { return !h->pages[page].count; }

static uint32_t find_from(const wx_heap *h, uint32_t p, uint32_t count) {
    for (uint32_t found = 0; p < h->end; p++) {
        if (is_free(h, p)) {
            if (++found == count) return p + 1 - count;
            continue;
        }
        found = 0;
        p = h->pages[p].first + h->pages[h->pages[p].first].count - 1;
    }
    return 0;
}

// One page is the lowest that is free. Several are looked for after the last that were taken, so that what is known to
// be too narrow is not looked at again and again.
static uint32_t find_pages(wx_heap *h, uint32_t count) {
    uint32_t first = count > 1 ? find_from(h, h->rover, count) : 0;
    if (!first) first = find_from(h, h->lowest_free, count);
    if (first && count > 1) h->rover = first + count;
    if (first && count == 1) h->lowest_free = first + 1;
    return first;
}

static uint32_t take_pages(wx_heap *h, uint64_t count, uint32_t class) {
    uint32_t first = count <= h->end - h->first - h->used ? find_pages(h, (uint32_t)count) : 0;
    if (!first) return 0;
    uint32_t after = first + (uint32_t)count;
    for (uint32_t p = first; p < after; p++)
        h->pages[p] = (wx_page){.first = first, .count = (uint32_t)count, .class = class};
    if (first < h->clean) memset(h->base + (uint64_t)first * WX_HEAP_PAGE, 0, count * WX_HEAP_PAGE);
    if (after > h->clean) h->clean = after;
    if (after > h->top) h->top = after;
    h->used += (uint32_t)count;
    h->since += count * WX_HEAP_PAGE;
    return first;
}

void wx_heap_free_pages(wx_heap *h, uint32_t first) {
    uint32_t count = h->pages[first].count;
    memset(h->pages + first, 0, count * sizeof *h->pages);
    if (first < h->lowest_free) h->lowest_free = h->rover = first;
    h->used -= count;
}

// ---- Cells

static uint32_t grain_of(uint32_t page, uint32_t cell, uint32_t size) {
    return page * GRAINS + cell * (size / WX_HEAP_GRAIN);
}

static void *cell_at(const wx_heap *h, uint32_t page, uint32_t cell, uint32_t size) {
    return h->base + (uint64_t)page * WX_HEAP_PAGE + cell * size;
}

// The next run of free cells of a page becomes the room; false: it has none.
static bool open_room(wx_heap *h, uint32_t class, uint32_t page) {
    uint32_t size = wxrt_cell_size(class), cells = WX_HEAP_PAGE / size, from = 0;
    while (from < cells && wx_bit(h->taken, grain_of(page, from, size))) from++;
    uint32_t to = from, most = h->stress && from < cells ? from + 1 : cells;
    for (; to < most && !wx_bit(h->taken, grain_of(page, to, size)); to++)
        wx_bit_set(h->taken, grain_of(page, to, size));
    if (from == to) return false;
    memset(cell_at(h, page, from, size), 0, (size_t)(to - from) * size);
    h->rooms.rooms[class] = (wxrt_room){page * WX_HEAP_PAGE + from * size, page * WX_HEAP_PAGE + to * size};
    h->since += (to - from) * size;
    return true;
}

static bool is_due(const wx_heap *h, uint64_t more) { return h->stress || h->since + more > h->threshold; }

static bool refill(wx_heap *h, uint32_t class, bool may_grow) {
    if (!may_grow && is_due(h, WX_HEAP_PAGE)) return false;
    for (uint32_t page; (page = h->partial[class]); h->partial[class] = h->pages[page].next)
        if (open_room(h, class, page)) return true;
    uint32_t page = take_pages(h, 1, class);
    if (!page) return false;
    h->since -= WX_HEAP_PAGE; // its cells are counted when they are given out
    h->partial[class] = page;
    return open_room(h, class, page);
}

static uint32_t take_cell(wx_heap *h, uint32_t class, bool may_grow) {
    wxrt_room *room = &h->rooms.rooms[class];
    if (room->next == room->end && !refill(h, class, may_grow)) return 0;
    uint32_t ref = room->next;
    room->next += wxrt_cell_size(class);
    return ref;
}

uint32_t wx_heap_take(wx_heap *h, uint64_t size, bool may_grow) {
    uint32_t class = wxrt_cell_class(size);
    if (class < WXRT_CELL_CLASSES) return take_cell(h, class, may_grow);
    if (!may_grow && is_due(h, size)) return 0;
    uint32_t page = take_pages(h, (size + WX_HEAP_PAGE - 1) / WX_HEAP_PAGE, WX_PAGE_LARGE);
    if (page) wx_bit_set(h->taken, page * GRAINS);
    return page * WX_HEAP_PAGE;
}

void wx_heap_close_rooms(wx_heap *h) {
    for (uint32_t class = 0; class < WXRT_CELL_CLASSES; class++) {
        wxrt_room *room = &h->rooms.rooms[class];
        for (uint32_t at = room->next; at < room->end; at += wxrt_cell_size(class))
            wx_bit_clear(h->taken, at / WX_HEAP_GRAIN);
        *room = (wxrt_room){0, 0};
    }
}

// ---- From a place to its object

uint32_t wx_heap_object_at(const wx_heap *h, uint32_t place) {
    uint32_t page = place / WX_HEAP_PAGE;
    if (page < h->first || page >= h->top || is_free(h, page)) return 0;
    const wx_page *p = &h->pages[page];
    uint32_t ref = p->first * WX_HEAP_PAGE;
    if (p->class < WXRT_CELL_CLASSES) {
        uint32_t size = wxrt_cell_size(p->class);
        ref += (place - ref) / size * size;
    }
    return wx_bit(h->taken, ref / WX_HEAP_GRAIN) ? ref : 0;
}
