// compiler/report.h: what `inspect` knows of a file, from whichever kind of file it was. Everything lives in arena.
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "compiler/compiler.h"

typedef struct report_extern { // an import or an export
    const char *kind;          // "func", "memory", ...
    const char *module, *name; // module: imports only
    const char *type;          // "(i32) -> i32", "1..2 pages", "" when not known
} report_extern;

typedef struct report_func {
    int64_t index;    // -1: not known
    const char *name; // or NULL
    uint64_t bytes;
} report_func;

typedef struct report_pair { const char *name; const char *text; uint64_t bytes; } report_pair;

#define REPORT_LIST(type, name) type *name; size_t name##_count, name##_room

typedef struct report {
    wx_arena arena;
    const char *format; // "module", "object", "executable", ...
    uint64_t size;      // of the file
    REPORT_LIST(report_pair, facts);    // name and text: of the note, in its order; of a module its name and features
    REPORT_LIST(report_extern, imports);
    REPORT_LIST(report_extern, exports);
    REPORT_LIST(report_func, funcs);
    REPORT_LIST(report_pair, customs);  // name and bytes: custom sections
} report;

// The place of a new, zeroed entry: *REPORT_ADD(r, imports) = ...
#define REPORT_ADD(r, list) \
    ((r)->list = report_room(&(r)->arena, (r)->list, &(r)->list##_room, (r)->list##_count, sizeof *(r)->list), \
     &(r)->list[(r)->list##_count++])
void *report_room(wx_arena *a, void *items, size_t *room, size_t count, size_t size);

// inspect_wasm.c, inspect_elf.c: fill a report.
bool wx_report_wasm(report *r, const uint8_t *bytes, size_t size, const char *file, wx_error *e);
bool wx_report_elf(report *r, const uint8_t *bytes, size_t size, wx_error *e);
