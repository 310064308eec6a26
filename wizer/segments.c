// wizer/segments.c: from the bytes of a memory to few data segments.
//
// in: memories as they are. out: runs of bytes with data, ascending. Zeros between two of them are written out where
// that costs less than the head of another segment, and where there would be too many segments the shortest gaps are
// filled first. With whole_pages, a run is whole pages of 4 KiB that are not all zero.
#include <stdlib.h>
#include <string.h>

#include "wizer/wizer.h"

#define PAGE 4096u

static void add_run(wx_runs *r, uint64_t at, uint64_t size) {
    if (r->count == r->cap) {
        r->cap = r->cap ? 2 * r->cap : 256;
        r->items = wx_xrealloc(r->items, r->cap * sizeof *r->items);
    }
    r->items[r->count++] = (wx_run){at, size};
}

// ---- Where bytes are

static bool is_zero(const uint8_t *p, size_t n) {
    static const uint8_t zeros[PAGE];
    return memcmp(p, zeros, n) == 0;
}

static uint64_t word_at(const uint8_t *p) {
    uint64_t w;
    memcpy(&w, p, sizeof w);
    return w;
}

static uint64_t skip_zeros(const uint8_t *data, uint64_t at, uint64_t end) {
    while (at + 8 <= end && !word_at(data + at)) at += 8;
    while (at < end && !data[at]) at++;
    return at;
}

// Bytes that the head of a segment at this address takes: flags, memory, offset expression, a length of one byte.
static uint64_t head_bytes(uint32_t memory, uint64_t at) {
    uint64_t bytes = 5 + (memory ? 1 : 0);
    for (int64_t v = (int32_t)at; v > 63 || v < -64; v >>= 7) bytes++;
    return bytes;
}

// Joins the last run when what lies between is cheaper than a head.
static void join_or_add(wx_runs *r, uint32_t memory, uint64_t at, uint64_t end) {
    wx_run *last = r->count ? &r->items[r->count - 1] : NULL;
    uint64_t gap = last ? at - (last->at + last->size) : 0;
    if (last && gap <= head_bytes(memory, at)) last->size = end - last->at;
    else add_run(r, at, end - at);
}

static void find_in_page(const uint8_t *data, uint32_t memory, uint64_t at, uint64_t end, wx_runs *out) {
    while ((at = skip_zeros(data, at, end)) < end) {
        uint64_t stop = at + 1;
        while (stop < end && data[stop]) stop++;
        join_or_add(out, memory, at, stop);
        at = stop;
    }
}

static void add_page(wx_runs *r, uint64_t at) {
    wx_run *last = r->count ? &r->items[r->count - 1] : NULL;
    if (last && last->at + last->size == at) last->size += PAGE;
    else add_run(r, at, PAGE);
}

static void find_in_memory(wx_snapshot *s, uint32_t memory, wx_runs *out) {
    const wx_memory_state *m = &s->state.memories[memory];
    for (uint64_t at = 0; at < m->bytes; at += PAGE) {
        if (is_zero(m->data + at, PAGE)) continue;
        s->out->nonzero_pages++;
        if (s->options->whole_pages) add_page(out, at);
        else find_in_page(m->data, memory, at, at + PAGE, out);
    }
}

// ---- At most so many

typedef struct gaps { wx_runs *runs; uint32_t memories; } gaps;

static uint64_t gap_after(const wx_runs *r, uint32_t i) {
    return r->items[i + 1].at - r->items[i].at - r->items[i].size;
}

static uint64_t count_up_to(const gaps *g, uint64_t length) {
    uint64_t n = 0;
    for (uint32_t k = 0; k < g->memories; k++)
        for (uint32_t i = 0; i + 1 < g->runs[k].count; i++) n += gap_after(&g->runs[k], i) <= length;
    return n;
}

// The smallest length such that at least `wanted` gaps are no longer.
static uint64_t find_length(const gaps *g, uint64_t wanted) {
    uint64_t low = 0, high = UINT64_C(1) << 48;
    while (low < high) {
        uint64_t mid = low + (high - low) / 2;
        if (count_up_to(g, mid) >= wanted) high = mid;
        else low = mid + 1;
    }
    return low;
}

// Fills all gaps shorter than `length`, and *exact of those that are as long.
static void fill_gaps(wx_runs *r, uint64_t length, uint64_t *exact) {
    uint32_t to = 0;
    for (uint32_t i = 1; i < r->count; i++) {
        uint64_t gap = r->items[i].at - r->items[to].at - r->items[to].size;
        bool fill = gap < length || (gap == length && *exact);
        if (gap == length && *exact) --*exact;
        if (fill) r->items[to].size = r->items[i].at + r->items[i].size - r->items[to].at;
        else r->items[++to] = r->items[i];
    }
    if (r->count) r->count = to + 1;
}

static bool limit(wx_snapshot *s, uint32_t max, uint32_t kept, wx_runs *of_memory) {
    gaps g = {of_memory, s->m.memory_count};
    uint64_t total = 0, least = 0, room = max > kept ? max - kept : 0;
    for (uint32_t k = 0; k < g.memories; k++) total += of_memory[k].count, least += of_memory[k].count > 0;
    if (total <= room) return true;
    if (least > room)
        return wx_snapshot_fail(s, "%u data segments are too few: at least %llu are needed", max,
                                (unsigned long long)(least + kept));
    uint64_t wanted = total - room, length = find_length(&g, wanted);
    uint64_t exact = wanted - (length ? count_up_to(&g, length - 1) : 0);
    for (uint32_t k = 0; k < g.memories; k++) fill_gaps(&of_memory[k], length, &exact);
    return true;
}

// ----

static uint64_t count_zeros(const uint8_t *p, uint64_t size) {
    uint64_t zeros = 0;
    for (uint64_t i = 0; i < size; i++) zeros += !p[i];
    return zeros;
}

// Keeps the list of the largest ones, largest first; of equal ones the first.
static void note_block(wasmx_snapshot_result *out, wasmx_snapshot_block b) {
    unsigned at = out->block_count;
    while (at && out->blocks[at - 1].size < b.size) at--;
    if (at == WASMX_MAX_BLOCKS) return;
    unsigned last = out->block_count < WASMX_MAX_BLOCKS ? out->block_count++ : WASMX_MAX_BLOCKS - 1;
    memmove(&out->blocks[at + 1], &out->blocks[at], (last - at) * sizeof b);
    out->blocks[at] = b;
}

bool wx_find_runs(wx_snapshot *s, uint32_t max, uint32_t kept, wx_runs *of_memory) {
    for (uint32_t k = 0; k < s->m.memory_count; k++)
        if (s->reach->used[WX_SPACE_MEMORY][k]) find_in_memory(s, k, &of_memory[k]);
    if (!s->options->whole_pages && !limit(s, max, kept, of_memory)) return false;
    for (uint32_t k = 0; k < s->m.memory_count; k++) {
        for (uint32_t i = 0; i < of_memory[k].count; i++) {
            const wx_run *r = &of_memory[k].items[i];
            s->out->filled_bytes += count_zeros(s->state.memories[k].data + r->at, r->size);
            note_block(s->out, (wasmx_snapshot_block){k, r->at, r->size});
        }
    }
    return true;
}
