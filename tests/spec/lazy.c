// tests/spec/lazy.c: run.c on modules whose code is made in this process, by one of the tiers.
//
//   spec_lazy DIR OUT TIERS guard|explicit NAME      TIERS: interpret, compile, eager, baseline or mixed
//
// in: DIR/script.txt and its modules (convert.mjs)   out: what run.c prints; OUT/script.txt and OUT/unsupported.txt for it
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wasmx_compile.h"

#define MOST 4096

typedef struct spec_module { // as in run.c
    const char *file;
    const wasmx_module *module;
} spec_module;
spec_module spec_modules[MOST];
int spec_run(int argc, char **argv); // run.c's main

static const char *in_dir, *out_dir;
static wasmx_compile_options options;
static FILE *unsupported;
static wasmx_code *codes[MOST];
static unsigned count, failures;

static FILE *open_in(const char *dir, const char *name, const char *mode) {
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, mode);
    if (!f) perror(path), exit(2);
    return f;
}

static wasmx_buffer read_file(const char *name) {
    FILE *f = open_in(in_dir, name, "rb");
    wasmx_buffer b = {0};
    fseek(f, 0, SEEK_END);
    b.size = (size_t)ftell(f);
    rewind(f);
    b.data = malloc(b.size + 1);
    if (fread(b.data, 1, b.size, f) != b.size) perror(name), exit(2);
    fclose(f);
    return b;
}

static void make(const char *file) {
    wasmx_buffer bytes = read_file(file);
    wasmx_compile_error err;
    options.file = file;
    wasmx_code *code = wasmx_code_compile(bytes.data, bytes.size, &options, &err); // stays to the end
    if (code && count < MOST - 1) {
        codes[count] = code;
        spec_modules[count++] = (spec_module){strdup(file), wasmx_code_module(code)};
    }
    else if (strstr(err.line, "is not compiled yet")) fprintf(unsupported, "unsupported %s %s\n", file, err.line);
    else printf("%s/%s\n", in_dir, err.line), failures++;
    free(bytes.data);
}

static bool is_made(const char *file) {
    for (unsigned i = 0; i < count; i++)
        if (!strcmp(spec_modules[i].file, file)) return true;
    return false;
}

static bool names_module(const char *command) {
    static const char *const commands[] = {"module", "definition", "assert_unlinkable", "assert_uninstantiable"};
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (!strcmp(command, commands[i])) return true;
    return false;
}

static void make_all(void) {
    FILE *script = open_in(in_dir, "script.txt", "r"), *copy = open_in(out_dir, "script.txt", "w");
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, script) > 0) {
        char command[32], file[256];
        fputs(line, copy);
        bool named = sscanf(line, "%*u %31s %255s", command, file) == 2 && names_module(command);
        if (named && !is_made(file)) make(file);
    }
    free(line);
    fclose(script);
    fclose(copy);
}

int main(int argc, char **argv) {
    static const char *const tiers[] = {"mixed", "interpret", "compile", "eager", "baseline"}; // in the order of wasmx_tiers
    if (argc != 6) return fputs("usage: spec_lazy DIR OUT TIERS guard|explicit NAME\n", stderr), 2;
    in_dir = argv[1];
    out_dir = argv[2];
    for (int i = 0; i < 5; i++)
        if (!strcmp(argv[3], tiers[i])) options.tiers = (wasmx_tiers)i;
    options.bounds = strcmp(argv[4], "explicit") ? WASMX_BOUNDS_GUARD : WASMX_BOUNDS_EXPLICIT;
    options.threads = 1;
    unsupported = open_in(out_dir, "unsupported.txt", "w");
    make_all();
    fclose(unsupported);
    if (failures) return puts("a module does not compile"), 1;
    int status = spec_run(3, (char *[]){argv[0], argv[2], argv[5], NULL});
    for (unsigned i = 0; i < count; i++) wasmx_code_finish(codes[i]); // instances are left; threads must not be
    return status;
}
