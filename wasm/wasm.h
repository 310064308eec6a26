// wasm/wasm.h: the doors of this folder. Bytes to module, module to bytes or text.
#pragma once
#include "base/buf.h"
#include "wasm/module.h"

// Decodes a binary module of WebAssembly 3.0, threads and legacy exceptions. m must be zeroed; after a failure
// (false, *e set: WX_ERR_MALFORMED or WX_ERR_LIMIT) it still has to be freed. bytes must outlive m.
// Memory is bounded by a small multiple of len whatever the counts in it claim.
bool wx_module_decode(wx_module *m, const uint8_t *bytes, size_t len, wx_error *e);
// Validates everything (WX_ERR_INVALID) on `threads` threads and fills the fields marked (validation). Also decodes
// every body, so a malformed body is found here. The lowest function index with an error wins, whatever the threads.
bool wx_module_validate(wx_module *m, unsigned threads, wx_error *e);
// Encodes the module again: the same sections in canonical order, LEB128 in shortest form, custom sections kept.
void wx_module_encode(const wx_module *m, wx_buf *out);
// Prints it in the text format (flat instructions, one a line).
void wx_module_print(const wx_module *m, wx_buf *out);
// True when the bytes begin with "\0asm".
bool wx_is_binary(const uint8_t *bytes, size_t len);
// Parses the text format into a binary (wabt's parser, with every feature it has; WX_ERR_TEXT).
bool wx_text_to_binary(const char *file, const char *text, size_t len, wx_buf *out, wx_error *e);
