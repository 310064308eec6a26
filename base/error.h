// base/error.h: the one error a call reports.
//
// The caller owns the struct, nothing in it is ever freed, and the first error wins: wx_fail on an error that is
// already set changes nothing. Codes are rows of errors.def.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum wx_code {
    WX_OK = 0,
#define ERROR(name, text) WX_ERR_##name,
#include "base/errors.def"
#undef ERROR
} wx_code;

#define WX_NO_FUNC UINT32_MAX
#define WX_NO_OFFSET UINT64_MAX

typedef struct wx_error {
    wx_code code;    // WX_OK while nothing went wrong
    uint32_t func;   // function index in the module, or WX_NO_FUNC
    uint64_t offset; // byte offset in the Wasm file, or WX_NO_OFFSET
    char name[48];   // the function's name, cut if longer; empty when it has none
    char msg[160];   // starts with the specification's own phrase
} wx_error;

// Sets *e unless it is set already; always returns false, so that `return wx_fail(...)` reads well.
bool wx_fail(wx_error *e, wx_code code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
bool wx_fail_at(wx_error *e, wx_code code, uint64_t offset, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
// What the code is called in documentation ("malformed", "invalid", ...).
const char *wx_code_name(wx_code code);
// One line without newline: `file.wasm:0x1c4 (func 12 "main"): type mismatch: ...`. Returns out.
char *wx_error_line(const wx_error *e, const char *file, char *out, size_t size);
