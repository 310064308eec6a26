// compiler/blob.c: runs of bytes, and where in them references are.
#include "compiler/blob.h"

#include <stdlib.h>

size_t blob_add(blob *b, const void *data, size_t size) {
    size_t at = b->bytes.len;
    wx_buf_add(&b->bytes, data, size);
    return at;
}

void blob_point(blob *b, size_t at, wx_ref to) {
    if (!to.kind) return;
    if (b->count == b->cap) {
        b->cap = b->cap ? 2 * b->cap : 16;
        b->pointers = wx_xrealloc(b->pointers, b->cap * sizeof *b->pointers);
    }
    b->pointers[b->count++] = (blob_pointer){at, to};
}

void blob_free(blob *b) {
    if (!b->borrowed) wx_buf_free(&b->bytes);
    free(b->pointers);
    *b = (blob){0};
}
