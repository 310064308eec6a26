// runtime/lines.c: from an address to frames: the function, what was inlined there, offsets, source lines.
//
// Runs when the host asks for a trap's backtrace, not when the trap happens.
#include <stdio.h>

#include "runtime/internal.h"

#define PART(lines, type, at) ((const type *)(const void *)((const char *)(lines) + (at)))

// ---- Rows (abi.h)

static const uint8_t *read_unsigned(const uint8_t *at, uint64_t *out) {
    unsigned shift = 0;
    *out = 0;
    do *out |= (uint64_t)(*at & 0x7f) << shift, shift += 7;
    while (*at++ & 0x80);
    return at;
}

static const uint8_t *add_signed(const uint8_t *at, uint32_t *to) {
    uint64_t bits;
    const uint8_t *end = read_unsigned(at, &bits);
    unsigned width = 7 * (unsigned)(end - at);
    if (width < 64 && bits >> (width - 1) & 1) bits |= ~(uint64_t)0 << width;
    *to += (uint32_t)bits;
    return end;
}

// The last block whose key is not above; count where there is none.
static uint32_t find_block(const wxrt_block *blocks, uint32_t count, uint64_t key) {
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (blocks[mid].key <= key) low = mid + 1;
        else high = mid;
    }
    return low ? low - 1 : count;
}

// The values of the row that holds for a key; both 0 where there is none.
static void find_row(const wxrt_lines *lines, const wxrt_rows *rows, uint64_t key, uint32_t values[2]) {
    const wxrt_block *blocks = PART(lines, wxrt_block, rows->blocks);
    uint32_t n = find_block(blocks, rows->count, key), base[2] = {0, 0};
    values[0] = values[1] = 0;
    if (n == rows->count) return;
    const uint8_t *bytes = PART(lines, uint8_t, rows->bytes), *at = bytes + blocks[n].at;
    const uint8_t *end = bytes + (n + 1 < rows->count ? blocks[n + 1].at : rows->size);
    for (uint64_t here = blocks[n].key, more; at < end;) {
        at = read_unsigned(at, &more);
        here += more / 4;
        if (here > key) return;
        if (more % 4 >= WXRT_ROW_FIRST) at = add_signed(at, &base[0]);
        if (more % 4 == WXRT_ROW_BOTH) at = add_signed(at, &base[1]);
        values[0] = more % 4 ? base[0] : 0;
        values[1] = more % 4 ? base[1] : 0;
    }
}

// ---- Frames

static void fill(wasmx_frame *out, const wasmx_module *m, uint32_t func, uint32_t offset) {
    *out = (wasmx_frame){.module = m, .func = func, .name = wx_func_name(m, func), .offset = offset};
    if (!m->lines || !offset) return;
    uint32_t line[2];
    find_row(m->lines, &m->lines->source, offset, line);
    if (!line[0]) return;
    out->line = line[0];
    out->file = PART(m->lines, char, PART(m->lines, uint32_t, m->lines->files)[line[1]]);
}

uint32_t wx_frames_at(uint64_t address, wasmx_frame *out, uint32_t room) {
    uint32_t func, n = 0, row[2] = {0, 0};
    const wasmx_module *m = wx_find_code(address, &func);
    if (!m) return 0;
    if (m->lines) find_row(m->lines, &m->lines->code, address - (uint64_t)(uintptr_t)m->text_start, row);
    uint32_t offset = row[0];
    for (uint32_t up = row[1]; up && n < room;) {
        const wxrt_inlined *x = &PART(m->lines, wxrt_inlined, m->lines->inlined)[up];
        fill(&out[n++], m, x->func, offset);
        offset = x->at;
        up = x->up;
    }
    if (func != UINT32_MAX && n < room) fill(&out[n++], m, func, offset);
    return n;
}

// ---- As text

size_t wasmx_frame_text(const wasmx_frame *f, char *out, size_t size) {
    char place[32] = "", line[16] = "";
    if (f->offset) snprintf(place, sizeof place, ":0x%llx", (unsigned long long)f->offset);
    if (f->file) snprintf(line, sizeof line, ":%u", f->line);
    const char *comma = f->file ? ", " : "", *file = f->file ? f->file : "";
    int n = f->name ? snprintf(out, size, "%s (func %u%s)%s%s%s", f->name, f->func, place, comma, file, line)
                    : snprintf(out, size, "func %u%s%s%s%s", f->func, place, comma, file, line);
    return n < 0 ? 0 : (size_t)n;
}
