// runtime/image.c: what a module's memories hold at first, in the form instances take it in.
//
//   runs of the object    |####|    |##| |###|                 |#####|     whole pages that are not all zero
//   parts of the file     [####......##..###]                  [#####]     neighbouring runs with the gap between them
//
// in: a module; out: a file in memory that instances map privately, or for small images the runs as they are, to be
// copied. A part is one mapping of each instance, so their number is bounded; gaps are holes of the file.
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/internal.h"

#define COPIED 65536u                // images up to this size are copied: cheaper than a mapping and its faults
#define GAP ((uint64_t)64 << 10)     // gaps up to this size are bridged
#define MOST_PARTS 32u               // of a memory; larger gaps are bridged until that holds

typedef struct builder {
    const wasmx_module *m;
    wx_image *image;
    bool mapped;
    uint64_t page;
} builder;

// ---- Which parts there are

static void add_part(builder *b, uint32_t memory, const wxrt_run *run, uint64_t gap) {
    uint64_t start = run->address, end = run->address + run->size;
    wx_image_part *last = b->image->count > b->image->first[memory] ? &b->image->parts[b->image->count - 1] : NULL;
    if (b->mapped) {
        start = start / b->page * b->page;
        end = wx_round_up(end, b->page);
        if (last && start <= last->address + last->size + gap) {
            last->size = end - last->address;
            return;
        }
    }
    b->image->parts[b->image->count++] = (wx_image_part){start, end - start, 0, b->m->image + run->at};
}

static void add_memory(builder *b, uint32_t memory) {
    const wxrt_memdesc *d = &b->m->memories[memory];
    uint32_t first = b->image->count;
    uint64_t gap = GAP;
    do {
        b->image->count = b->image->first[memory] = first;
        for (uint32_t k = 0; k < d->run_count; k++) add_part(b, memory, &d->runs[k], gap);
        gap *= 4;
    } while (b->mapped && b->image->count - first > MOST_PARTS);
}

static wx_image *plan(builder *b) {
    const wasmx_module *m = b->m;
    size_t runs = 0;
    for (uint32_t k = 0; k < m->memory_count; k++) runs += m->memories[k].run_count;
    size_t size = sizeof *b->image + runs * sizeof *b->image->parts + (m->memory_count + 1) * sizeof(uint32_t);
    if (!(b->image = calloc(1, size))) return NULL;
    b->image->fd = -1;
    b->image->first = (uint32_t *)(b->image->parts + runs);
    for (uint32_t k = 0; k < m->memory_count; k++) add_memory(b, k);
    b->image->first[m->memory_count] = b->image->count;
    return b->image;
}

// ---- The file

static bool write_all(int fd, const uint8_t *bytes, uint64_t size, uint64_t at) {
    while (size) {
        ssize_t n = pwrite(fd, bytes, size, (off_t)at);
        if (n <= 0) return false;
        bytes += n;
        at += (uint64_t)n;
        size -= (uint64_t)n;
    }
    return true;
}

static bool write_memory(const builder *b, uint32_t memory) {
    const wxrt_memdesc *d = &b->m->memories[memory];
    const wx_image_part *part = &b->image->parts[b->image->first[memory]];
    for (uint32_t k = 0; k < d->run_count; k++) {
        const wxrt_run *run = &d->runs[k];
        while (run->address >= part->address + part->size) part++;
        if (!write_all(b->image->fd, b->m->image + run->at, run->size, part->at + run->address - part->address))
            return false;
    }
    return true;
}

static bool fill_file(builder *b) {
    wx_image *image = b->image;
    for (uint32_t k = 0; k < image->count; k++) {
        image->parts[k].at = image->size;
        image->size += image->parts[k].size;
    }
    image->fd = memfd_create("wasmx-image", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (image->fd < 0 || ftruncate(image->fd, (off_t)image->size)) return false;
    for (uint32_t k = 0; k < b->m->memory_count; k++)
        if (b->m->memories[k].run_count && !write_memory(b, k)) return false;
    fcntl(image->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
    image->view = mmap(NULL, image->size, PROT_READ, MAP_SHARED, image->fd, 0);
    if (image->view == MAP_FAILED) image->view = NULL;
    if (!image->view) return false;
    for (uint32_t k = 0; k < image->count; k++) image->parts[k].bytes = image->view + image->parts[k].at;
    struct stat st;
    if (fstat(image->fd, &st)) return false;
    image->device = st.st_dev;
    image->inode = st.st_ino;
    static _Atomic uint64_t serial;
    image->serial = atomic_fetch_add(&serial, 1) + 1;
    return true;
}

wx_image *wx_image_make(const wasmx_module *m) {
    builder b = {.m = m, .mapped = m->image_size > COPIED, .page = wx_page_size()};
    if (!plan(&b) || !b.mapped || fill_file(&b)) return b.image;
    wx_image_free(b.image); // no such files here: every instance copies
    b.mapped = false;
    return plan(&b);
}

void wx_image_free(wx_image *image) {
    if (!image) return;
    if (image->view) munmap((void *)(uintptr_t)image->view, image->size);
    if (image->fd >= 0) close(image->fd);
    free(image);
}

// ---- Into a memory

static bool put_part(const wx_image *image, const wx_image_part *part, uint8_t *base) {
    if (image->fd < 0) {
        memcpy(base + part->address, part->bytes, part->size);
        return true;
    }
    void *at = base + part->address;
    return mmap(at, part->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, image->fd, (off_t)part->at) == at;
}

// Hosts that close all descriptors close this one too, and its number comes to stand for another file.
static bool is_there(const wx_image *image) {
    struct stat st;
    return image->fd < 0 || (!fstat(image->fd, &st) && st.st_ino == image->inode && st.st_dev == image->device);
}

bool wx_image_put(const wx_image *image, uint32_t index, wasmx_memory *m, wasmx_error *err) {
    if (image->serial && m->image == image->serial) return true;
    if (!is_there(image)) return wx_error_set(err, "the descriptor of the memory's image was closed by the host");
    for (uint32_t k = image->first[index]; k < image->first[index + 1]; k++)
        if (!put_part(image, &image->parts[k], m->base))
            return wx_error_set(err, "the memory's image cannot be mapped: out of memory or of mappings");
    m->image = image->serial;
    return true;
}

// The first part that ends after the address, or the end of the list.
static const wx_image_part *part_after(const wx_image *image, uint32_t memory, uint64_t at) {
    uint32_t low = image->first[memory], high = image->first[memory + 1];
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (image->parts[mid].address + image->parts[mid].size <= at) low = mid + 1;
        else high = mid;
    }
    return &image->parts[low];
}

const uint8_t *wx_image_at(const wx_image *image, uint32_t memory, uint64_t at, uint64_t *size) {
    const wx_image_part *part = part_after(image, memory, at);
    if (part == &image->parts[image->first[memory + 1]]) return NULL;
    bool inside = at >= part->address;
    uint64_t left = inside ? part->address + part->size - at : part->address - at;
    if (left < *size) *size = left;
    return inside ? part->bytes + (at - part->address) : NULL;
}
