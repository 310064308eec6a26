// compiler/lines.h: the lines of backtraces on their way from LLVM's debug information into the object.
#pragma once
#include "base/error.h"
#include "compiler/dwarf.h"
#include "compiler/unit.h"

typedef struct wx_part_lines { // of one partition
    wx_buf rows;    // wx_row: bytes from where its code starts; offset in the Wasm file, number of what is inlined
    wx_buf inlined; // wxrt_inlined, from number 1 on
    uint64_t size, alignment; // of its code
} wx_part_lines;

// Fills rows, size and alignment from the partition's object. Any thread.
bool wx_read_lines(const wx_buf *object, const char *section, wx_part_lines *out, wx_error *e);
// All of u's partitions, and the module's own debug information, as a wxrt_lines. note says so when that is broken.
void wx_make_lines(const wx_unit *u, const wx_part_lines *parts, wx_lines *out, char *note, size_t note_size);
void wx_part_lines_free(wx_part_lines *lines);
// source.c: what the module's debug information says. Rows: offset in the Wasm file; line, number of the file.
void wx_source_lines(const wx_unit *u, wx_debug_rows *out, char *note, size_t note_size);
