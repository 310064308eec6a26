// base/arena.c: bump allocation in blocks that double up to 1 MiB; larger requests get a block of their own.
//
//     head ─► [header | used ........ at | free ... end ]
//               └─prev─► [header | used ......... | (lost tail) ] ─► ...
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALIGN 16
#define FIRST_BLOCK 4096
#define LARGEST_BLOCK ((size_t)1 << 20)

struct wx_arena_block {
    struct wx_arena_block *prev;
    size_t size; // payload bytes
    char payload[] __attribute__((aligned(ALIGN)));
};

static void *out_of_memory(void) {
    fputs("wasmx: out of memory\n", stderr);
    exit(3);
}

void *wx_xmalloc(size_t size) {
    void *p = malloc(size ? size : 1);
    return p ? p : out_of_memory();
}

void *wx_xcalloc(size_t count, size_t size) {
    void *p = calloc(count, size);
    if (!p) out_of_memory();
    return p;
}

void *wx_xrealloc(void *p, size_t size) {
    p = realloc(p, size ? size : 1);
    return p ? p : out_of_memory();
}

void *wx_one_more(void *array, uint32_t count, uint32_t *room, size_t size) {
    if (count < *room) return array;
    *room = *room ? 2 * *room : 64;
    return wx_xrealloc(array, *room * size);
}

static void add_block(wx_arena *a, size_t need) {
    size_t size = a->head ? a->head->size * 2 : FIRST_BLOCK;
    if (size > LARGEST_BLOCK) size = LARGEST_BLOCK;
    if (size < need) size = need;
    if (size > SIZE_MAX - sizeof(struct wx_arena_block)) out_of_memory();
    struct wx_arena_block *b = wx_xmalloc(sizeof *b + size);
    b->prev = a->head;
    b->size = size;
    a->head = b;
    a->at = b->payload;
    a->end = b->payload + size;
    a->total += size;
}

void *wx_arena_alloc(wx_arena *a, size_t size) {
    if (size > SIZE_MAX - ALIGN) out_of_memory();
    size = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    if ((size_t)(a->end - a->at) < size || !a->head) add_block(a, size);
    void *p = a->at;
    a->at += size;
    return memset(p, 0, size);
}

void *wx_arena_array(wx_arena *a, size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) out_of_memory();
    return wx_arena_alloc(a, bytes);
}

void *wx_arena_dup(wx_arena *a, const void *data, size_t size) {
    void *p = wx_arena_alloc(a, size);
    return size ? memcpy(p, data, size) : p;
}

char *wx_arena_str(wx_arena *a, const char *s, size_t len) {
    char *p = wx_arena_alloc(a, len + 1);
    if (len) memcpy(p, s, len);
    return p;
}

char *wx_arena_printf(wx_arena *a, const char *fmt, ...) {
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int len = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char *p = wx_arena_alloc(a, (size_t)len + 1);
    vsnprintf(p, (size_t)len + 1, fmt, again);
    va_end(again);
    return p;
}

static void free_blocks(struct wx_arena_block *b) {
    while (b) {
        struct wx_arena_block *prev = b->prev;
        free(b);
        b = prev;
    }
}

void wx_arena_reset(wx_arena *a) {
    if (!a->head) return;
    free_blocks(a->head->prev);
    a->head->prev = NULL;
    a->at = a->head->payload;
    a->total = a->head->size;
}

void wx_arena_free(wx_arena *a) {
    free_blocks(a->head);
    *a = (wx_arena){0};
}
