// compiler/blob.h: C structs as constant data: the bytes as the C compiler lays them out, with references on top.
//
// What a reference means is decided by who writes the data: constants.c, for objects; placed.c, into memory.
#pragma once
#include "compiler/unit.h"

typedef enum wx_ref_kind { // n is the number of
    REF_NONE,
    REF_BLOB,       // what was written as the n-th, and a byte in it
    REF_STRING,     // a byte in the strings, which are written last
    REF_ENTRY,      // a function: its code with the C calling convention
    REF_TAIL,       // a function that takes part in tail calls: its code
    REF_THUNK,      // a type
    REF_TYPED,      // an imported function, and so are the next two
    REF_CALLBACK,
    REF_UNKNOWN,
    REF_EMPTY,      // what traps in place of an element that is not there
    REF_INIT, REF_INIT_THUNK,
    REF_TEXT_START, REF_TEXT_END,
    REF_MAP, REF_MAP_END,
    REF_COUNTERS,   // of a profile
} wx_ref_kind;

typedef struct wx_ref { wx_ref_kind kind; uint32_t n; uint64_t at; } wx_ref;
typedef struct blob_pointer { size_t at; wx_ref to; } blob_pointer;

typedef enum blob_kind {
    BLOB_PLAIN,
    BLOB_TYPE_IDS,   // words, which are filled in at run time; known to code
    BLOB_TABLE,      // a constant table; known to code
    BLOB_IMAGE,
    BLOB_LINES,
    BLOB_DESCRIPTOR,
} blob_kind;

typedef struct blob {
    const char *name;   // of a plain one
    blob_kind kind;
    uint32_t n;         // of a table
    bool borrowed;      // the bytes are someone else's, and stay
    wx_buf bytes;
    blob_pointer *pointers; // ascending
    size_t count, cap;
} blob;

// Appends a struct and returns where it starts.
size_t blob_add(blob *b, const void *data, size_t size);
// The 8 bytes at `at` become a pointer; REF_NONE leaves them zero. Calls come in ascending order of `at`.
void blob_point(blob *b, size_t at, wx_ref to);
void blob_free(blob *b);

typedef struct wx_writer {
    wx_ref (*put)(struct wx_writer *w, const blob *b); // not empty
    wx_ref (*init)(struct wx_writer *w);   // REF_INIT, or nothing if there is nothing to do
    void (*finish)(struct wx_writer *w, const blob *strings);
} wx_writer;

// descriptor.c: the `const wasmx_module NAME` and all it leads to.
void wx_describe(wx_writer *w, const wx_unit *u);
