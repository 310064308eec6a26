// cli/preload.c: --preload NAME=FILE: modules that others import from.
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "compiler/compiler.h"

static wasmx_code *compile(const char *file) {
    wasmx_compile_options options = {.file = file};
    wasmx_buffer input = {0};
    wasmx_compile_error err;
    bool ok = wx_input_read(file, &input, &err);
    wasmx_code *code = ok ? wasmx_code_compile(input.data, input.size, &options, &err) : NULL;
    if (!code) fail("--preload: %s", err.line);
    wx_buffer_free(&input);
    return code;
}

static bool load(const char *name, const char *file, wasmx_linker *linker, preloads *p) {
    wasmx_error err;
    wasmx_options options = {.linker = linker, .trap_unknown_imports = true};
    wasmx_code *code = compile(file);
    if (!code) return false;
    p->codes[p->count] = code;
    wasmx_instance *instance = p->instances[p->count++] = wasmx_instantiate(wasmx_code_module(code), &options, &err);
    if (instance) wasmx_linker_define_instance(linker, name, instance);
    else fail("--preload: %s: %s", file, err.message);
    return instance;
}

bool load_preloads(const settings *s, wasmx_linker *linker, preloads *out) {
    bool ok = true;
    out->codes = calloc(s->preloads.count + 1, sizeof(wasmx_code *));
    out->instances = calloc(s->preloads.count + 1, sizeof(wasmx_instance *));
    if (!out->codes || !out->instances) abort();
    for (size_t i = 0; ok && i < s->preloads.count; i++) {
        char *name = strdup(s->preloads.items[i]);
        if (!name) abort();
        char *equals = strchr(name, '=');
        if (equals) *equals = 0;
        if (equals && *name && equals[1]) ok = load(name, equals + 1, linker, out);
        else ok = fail("--preload: '%s' is not NAME=FILE", s->preloads.items[i]) == EXIT_FINE;
        free(name);
    }
    return ok;
}

void free_preloads(preloads *p) {
    for (size_t i = p->count; i-- > 0;) wasmx_instance_free(p->instances[i]);
    for (size_t i = 0; i < p->count; i++) wasmx_code_free(p->codes[i]);
    free(p->codes);
    free(p->instances);
}
