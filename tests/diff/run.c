// tests/diff/run.c: calls every export of a fuzzer's module and writes down what happened.
//
//   run FILE LEVEL guard|explicit default|precise|exact [interruptible]
//
// in: a module as `wasm-opt -ttf` makes it (imports log functions, exports hangLimitInitializer)   out, one a line:
// `call NAME TYPE`, `log VALUE...`, then `= VALUE...` and `memory HASH`, or `trap`. Each call has an instance of its
// own, and memory is looked at after a trap in `exact` transcripts only, which are made with --traps=precise. There
// nothing beyond a memory faults when bounds are explicit. Integers are decimal, floats
// are their bits with every NaN as `nan`, so that transcripts of engines can be compared (run.mjs writes the same).
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "wasmx_compile.h"

static void print_value(char kind, const wasmx_value *v) {
    switch (kind) {
    case 'i': printf(" %" PRId32, v->i32); break;
    case 'I': printf(" %" PRId64, v->i64); break;
    case 'f': v->f32 != v->f32 ? printf(" nan") : printf(" %08" PRIx32, (uint32_t)v->words[0]); break;
    case 'F': v->f64 != v->f64 ? printf(" nan") : printf(" %016" PRIx64, v->words[0]); break;
    case 'v': printf(" %016" PRIx64 "%016" PRIx64, v->words[1], v->words[0]); break;
    default: printf(v->externref ? " ref" : " null");
    }
}

static wasmx_status log_value(void *kind, wasmx_instance *caller, const wasmx_value *args, wasmx_value *results) {
    (void)caller, (void)results;
    printf("log");
    print_value(*(const char *)kind, args);
    putchar('\n');
    return WASMX_OK;
}

static wasmx_linker *make_linker(void) {
    static const struct { const char *name, *type; } logs[] = {
        {"log-i32", "i:"}, {"log-i64", "I:"}, {"log-f32", "f:"}, {"log-f64", "F:"}, {"log-v128", "v:"}};
    wasmx_linker *linker = wasmx_linker_new();
    for (size_t i = 0; i < sizeof logs / sizeof *logs; i++)
        wasmx_linker_define_callback(linker, "fuzzing-support", logs[i].name, logs[i].type, log_value,
                                     (void *)(uintptr_t)logs[i].type);
    return linker;
}

static bool beyond; // open_beyond
static bool exact; // memory is what it should be after a trap, too

static void hash_memory(wasmx_instance *i) {
    wasmx_memory *m = wasmx_export_memory(i, "memory");
    uint32_t h = 2166136261u;
    for (uint64_t k = 0; m && k < wasmx_memory_size(m); k++) h = (h ^ wasmx_memory_data(m)[k]) * 16777619u;
    printf("memory %08" PRIx32 "\n", h);
}

// What lies beyond the memory, up to the 16 pages that modules for `exact` transcripts may grow to, can be accessed
// from here on: explicit bounds must hold without faults.
static void open_beyond(wasmx_instance *i) {
    wasmx_memory *m = wasmx_export_memory(i, "memory");
    uint64_t size = m ? wasmx_memory_size(m) : 0, all = (uint64_t)16 << 16;
    if (m && mprotect(wasmx_memory_data(m) + size, all - size, PROT_READ | PROT_WRITE)) perror("mprotect"), exit(2);
}

static void reset_hang_limit(wasmx_instance *i) {
    wasmx_func *reset = wasmx_export_func(i, "hangLimitInitializer");
    if (reset && wasmx_call(reset, NULL, NULL) != WASMX_OK) puts("the hang limit trapped");
}

static void call_export(wasmx_instance *i, const char *name) {
    static wasmx_value args[64], results[64];
    char type[256];
    wasmx_func *f = wasmx_export_func(i, name);
    if (wasmx_func_type(f, type, sizeof type) > 60) return;
    if (beyond) open_beyond(i);
    reset_hang_limit(i);
    memset(args, 0, sizeof args);
    printf("call %s %s\n", name, type);
    if (wasmx_call(f, args, results) != WASMX_OK) {
        puts("trap");
        if (exact) hash_memory(i);
        return;
    }
    printf("=");
    const char *kinds = strchr(type, ':') + 1;
    for (size_t k = 0; kinds[k]; k++) print_value(kinds[k], &results[k]);
    putchar('\n');
    hash_memory(i);
}

static void call_each(const wasmx_module *module) {
    wasmx_linker *linker = make_linker();
    for (size_t k = 0; k < wasmx_module_export_count(module); k++) {
        wasmx_extern_kind kind;
        wasmx_error why;
        const char *name = wasmx_module_export_name(module, k, &kind);
        if (kind != WASMX_FUNC || !strcmp(name, "hangLimitInitializer")) continue;
        wasmx_instance *i = wasmx_instantiate(module, &(wasmx_options){.linker = linker}, &why);
        if (i) call_export(i, name);
        else puts("not instantiated");
        wasmx_instance_free(i);
    }
    wasmx_linker_free(linker);
}

// LEVEL i, e, b, c: code made on demand: interpreted, then compiled, copied, compiled at the first call; else a number, or s: all of it
// in advance.
static wasmx_code *make_code(const uint8_t *bytes, size_t size, wasmx_compile_options *options,
                             wasmx_compile_error *err) {
    wasmx_output out;
    const char *tiers = "iebc", *which = strchr(tiers, options->opt_level);
    if (which) {
        static const wasmx_tiers of[] = {WASMX_TIERS_INTERPRET, WASMX_TIERS_EAGER, WASMX_TIERS_BASELINE,
                                         WASMX_TIERS_COMPILE};
        options->tiers = of[which - tiers];
        options->opt_level = 0;
        options->threads = 2;
        return wasmx_code_compile(bytes, size, options, err);
    }
    if (!wasmx_compile(bytes, size, options, &out, err)) return NULL;
    wasmx_code *code = wasmx_code_load(&out.object, options->name, err);
    wasmx_output_free(&out);
    return code;
}

int main(int argc, char **argv) {
    if (argc != 5 && argc != 6)
        return fputs("usage: run FILE LEVEL guard|explicit default|precise|exact [interruptible]\n", stderr), 2;
    static uint8_t bytes[1 << 22];
    FILE *file = fopen(argv[1], "rb");
    if (!file) return perror(argv[1]), 2;
    wasmx_compile_options options = {.file = argv[1], .name = "m", .opt_level = argv[2][0], .threads = 1,
                                     .interruptible = argc == 6,
                                     .bounds = strcmp(argv[3], "guard") ? WASMX_BOUNDS_EXPLICIT : WASMX_BOUNDS_GUARD,
                                     .traps = strcmp(argv[4], "default") ? WASMX_TRAPS_PRECISE : WASMX_TRAPS_DEFAULT};
    exact = !strcmp(argv[4], "exact");
    beyond = exact && options.bounds == WASMX_BOUNDS_EXPLICIT;
    wasmx_compile_error err;
    wasmx_code *code = make_code(bytes, fread(bytes, 1, sizeof bytes, file), &options, &err);
    if (!code) return puts(err.line), 1;
    call_each(wasmx_code_module(code));
    wasmx_code_free(code);
    return 0;
}
