// compiler/image.c: the contents of memories as far as they are known at compile time.
//
// in: active data segments   out: runs of 4 KiB pages that are not all zero   rule: a prefix of the segments, up to
// the first that is not known, is out of bounds or goes to an imported memory, or until pages for a few bytes each make
// the image out of proportion; the rest is applied at instantiation.
#include <stdlib.h>
#include <string.h>

#include "compiler/unit.h"

#define PAGE 4096
#define MOST_SPREAD 16          // bytes of pages for a byte of segments, above
#define MOST_PLAIN (16u << 20) // which is free
#define MOST_PAGES ((uint64_t)1 << 24) // of 64 KiB: no larger memory can be had

typedef struct page { uint32_t memory; uint64_t number; uint8_t bytes[PAGE]; } page;

typedef struct pages { // in the order of first use; map finds them
    page **list;
    uint32_t count, cap;
    wx_map map;
} pages;

static page *page_at(wx_unit *u, pages *p, uint32_t memory, uint64_t number) {
    int added;
    uint64_t *place = wx_map_put(&p->map, ((uint64_t)memory << 40 | number) + 1, &added);
    if (!added) return (page *)(uintptr_t)*place;
    page *fresh = WX_NEW(&u->arena, page);
    fresh->memory = memory;
    fresh->number = number;
    *place = (uintptr_t)fresh;
    if (p->count == p->cap) {
        p->cap = p->cap ? 2 * p->cap : 64;
        p->list = wx_xrealloc(p->list, p->cap * sizeof *p->list);
    }
    return p->list[p->count++] = fresh;
}

static void write_bytes(wx_unit *u, pages *p, uint32_t memory, uint64_t address, wx_span bytes) {
    for (size_t done = 0; done < bytes.len;) {
        uint64_t at = address + done;
        size_t room = PAGE - at % PAGE, left = bytes.len - done, n = room < left ? room : left;
        memcpy(page_at(u, p, memory, at / PAGE)->bytes + at % PAGE, bytes.ptr + done, n);
        done += n;
    }
}

static bool is_known(const wx_module *m, const wx_data *d, uint64_t *start) {
    if (m->memories[d->memory].import != WX_NO_INDEX) return false;
    wx_const at = wx_const_eval(m, d->offset);
    const wx_limits *l = &m->memories[d->memory].limits;
    *start = l->is64 ? at.bits : (uint32_t)at.bits;
    uint64_t size = l->min > MOST_PAGES ? 0 : l->min * WXRT_PAGE;
    return at.kind == WX_CONST_NUMBER && *start <= size && d->bytes.len <= size - *start;
}

static int by_place(const void *a, const void *b) {
    const page *x = *(page *const *)a, *y = *(page *const *)b;
    if (x->memory != y->memory) return x->memory < y->memory ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

static bool is_zero(const page *p) {
    static const uint8_t zeros[PAGE];
    return memcmp(p->bytes, zeros, PAGE) == 0;
}

// Neighbouring pages make one run.
static void add_page(wx_image *image, const page *p) {
    uint32_t *count = &image->run_counts[p->memory];
    wxrt_run *last = *count ? &image->runs[p->memory][*count - 1] : NULL;
    if (last && last->address + last->size == p->number * PAGE) {
        last->size += PAGE;
    } else {
        image->runs[p->memory] = wx_xrealloc(image->runs[p->memory], (*count + 1) * sizeof *last);
        image->runs[p->memory][(*count)++] = (wxrt_run){p->number * PAGE, PAGE, image->bytes.len};
    }
    wx_buf_add(&image->bytes, p->bytes, PAGE);
}

void wx_make_image(wx_unit *u) {
    const wx_module *m = u->m;
    wx_image *image = &u->image;
    pages p = {0};
    image->runs = WX_NEW_ARRAY(&u->arena, wxrt_run *, m->memory_count);
    image->run_counts = WX_NEW_ARRAY(&u->arena, uint32_t, m->memory_count);
    image->in_image = WX_NEW_ARRAY(&u->arena, bool, m->data_count);
    uint64_t bytes = 0; // in the image's segments
    for (uint32_t i = 0; i < m->data_count; i++) {
        uint64_t start;
        if (m->datas[i].mode != WX_ACTIVE) continue;
        if (!is_known(m, &m->datas[i], &start) || (uint64_t)p.count * PAGE > MOST_SPREAD * bytes + MOST_PLAIN) break;
        bytes += m->datas[i].bytes.len;
        write_bytes(u, &p, m->datas[i].memory, start, m->datas[i].bytes);
        image->in_image[i] = true;
    }
    if (p.count) qsort(p.list, p.count, sizeof *p.list, by_place);
    for (uint32_t i = 0; i < p.count; i++)
        if (!is_zero(p.list[i])) add_page(image, p.list[i]);
    free(p.list);
    wx_map_free(&p.map);
}
