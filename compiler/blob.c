// compiler/blob.c: a packed LLVM struct of byte runs and pointers.
#include "compiler/blob.h"

#include <stdio.h>
#include <stdlib.h>

size_t blob_add(blob *b, const void *data, size_t size) {
    size_t at = b->bytes.len;
    wx_buf_add(&b->bytes, data, size);
    return at;
}

void blob_point(blob *b, size_t at, LLVMValueRef to) {
    if (!to) return;
    if (b->count == b->cap) {
        b->cap = b->cap ? 2 * b->cap : 16;
        b->pointers = wx_xrealloc(b->pointers, b->cap * sizeof *b->pointers);
    }
    b->pointers[b->count++] = (blob_pointer){at, to};
}

static LLVMValueRef byte_run(part *p, const blob *b, size_t from, size_t to) {
    return LLVMConstStringInContext2(p->c, (const char *)b->bytes.data + from, to - from, true);
}

LLVMValueRef blob_constant(part *p, blob *b) {
    if (!b->count) return byte_run(p, b, 0, b->bytes.len);
    LLVMValueRef *fields = wx_xmalloc((2 * b->count + 1) * sizeof *fields);
    unsigned n = 0;
    size_t at = 0;
    for (size_t i = 0; i < b->count; i++) {
        if (b->pointers[i].at > at) fields[n++] = byte_run(p, b, at, b->pointers[i].at);
        fields[n++] = b->pointers[i].to;
        at = b->pointers[i].at + sizeof(void *);
    }
    if (at < b->bytes.len) fields[n++] = byte_run(p, b, at, b->bytes.len);
    LLVMValueRef whole = LLVMConstStructInContext(p->c, fields, n, true);
    free(fields);
    return whole;
}

void blob_free(blob *b) {
    wx_buf_free(&b->bytes);
    free(b->pointers);
    *b = (blob){0};
}

LLVMValueRef blob_global(part *p, blob *b, const char *name) {
    if (!b->bytes.len) return NULL;
    LLVMValueRef value = blob_constant(p, b);
    char unlike_c[64]; // a module may be called "types" too
    snprintf(unlike_c, sizeof unlike_c, ".%s", name);
    LLVMValueRef g = LLVMAddGlobal(p->m, LLVMTypeOf(value), unlike_c);
    LLVMSetInitializer(g, value);
    LLVMSetGlobalConstant(g, true);
    LLVMSetLinkage(g, LLVMPrivateLinkage);
    LLVMSetAlignment(g, 16);
    blob_free(b);
    return g;
}
