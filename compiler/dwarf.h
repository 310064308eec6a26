// compiler/dwarf.h: the door to LLVM's reader of DWARF, which is C++.
#pragma once
#ifdef __cplusplus
extern "C" {
#endif
#include "base/buf.h"
#include "base/error.h"

typedef struct wx_row { uint32_t key, a, b; } wx_row; // a row of a line table, see runtime/abi.h

typedef struct wx_debug_section {
    const char *name; // "debug_line"
    const uint8_t *bytes;
    size_t size;
} wx_debug_section;

typedef struct wx_debug_input {
    const wx_debug_section *sections;
    size_t count;
    uint32_t base;       // what is added to addresses
    uint32_t low, high;  // rows of sequences that do not lie there are left out
} wx_debug_input;

// Rows of an ELF object that LLVM made: address in the section; line, column. In the order of addresses.
bool wx_object_rows(const wx_buf *object, const char *section, wx_buf *rows, uint64_t *size, uint64_t *alignment,
                    wx_error *e);
// Rows of any debug information, be it a lie: at most 2^26, in order of addresses, each once, and NUL-terminated paths.
// May crash, run for long and take much memory: for a process of its own. False: too much of it.
typedef struct wx_debug_rows {
    wx_buf rows, files;
    uint32_t file_count;
    bool broken; // the reader did not like something of it
} wx_debug_rows;
bool wx_read_debug(const wx_debug_input *input, wx_debug_rows *out);

#ifdef __cplusplus
}
#endif
