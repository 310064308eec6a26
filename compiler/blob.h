// compiler/blob.h: C structs as LLVM constants: the bytes as the C compiler lays them out, with pointers on top.
#pragma once
#include "compiler/part.h"

typedef struct blob_pointer { size_t at; LLVMValueRef to; } blob_pointer;

typedef struct blob {
    wx_buf bytes;
    blob_pointer *pointers; // ascending
    size_t count, cap;
} blob;

// Appends a struct and returns where it starts.
size_t blob_add(blob *b, const void *data, size_t size);
// The 8 bytes at `at` become a pointer; NULL leaves them zero. Calls come in ascending order of `at`.
void blob_point(blob *b, size_t at, LLVMValueRef to);
// A constant global of the blob's content, internal, read-only where it holds no pointers. Frees the blob.
LLVMValueRef blob_global(part *p, blob *b, const char *name);
LLVMValueRef blob_constant(part *p, blob *b);
void blob_free(blob *b);
