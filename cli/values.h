// cli/values.h: Wasm values as words, for --invoke.
#pragma once
#include "cli/cli.h"

// Makes arguments for a function of `type` (letters of wasmx_func_type) from words, and room for its results; both to
// be freed. False after a message: wrong usage.
bool read_values(const char *type, const char *const *words, size_t count, wasmx_value **args, wasmx_value **results);
// One a line.
void print_values(const char *types, const wasmx_value *values);
