// tests/spec/compile.c: compiles the modules of one converted script, for run.c.
//
//   compile DIR OUT LEVEL guard|explicit TARGET
//
// in: DIR/script.txt and its modules (convert.mjs)   out: OUT/N.o, OUT/modules.c (the table run.c wants), OUT/script.txt,
// OUT/unsupported.txt (what the compiler says it cannot compile yet). Exit status 1 when a module fails otherwise.
//
// LEVEL w: every module is replaced by a snapshot of itself, without an initialiser, and compiled at level 0; k: the same
// with keep_all. What cannot be snapshotted (imported state, a start function that calls imports or traps) is
// compiled as it is. A snapshot of the snapshot has to be the snapshot.
//
// LEVEL g: at level 2 with counters. u: at level 2 by the profile that the runner wrote then, OUT/FILE.wxprof.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wasmx_snapshot.h"

static const char *in_dir, *out_dir;
static wasmx_compile_options options;
static FILE *table, *unsupported;
static int failures;
static char snapshots; // 'w', 'k' or 0
static bool by_profile; // LEVEL u
static unsigned snapshot_count, module_count;

static FILE *open_in(const char *dir, const char *name, const char *mode) {
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, mode);
    if (!f) perror(path), exit(2);
    return f;
}

static wasmx_buffer read_file(const char *dir, const char *name) {
    FILE *f = open_in(dir, name, "rb");
    wasmx_buffer b = {0};
    fseek(f, 0, SEEK_END);
    b.size = (size_t)ftell(f);
    rewind(f);
    b.data = malloc(b.size + 1);
    if (fread(b.data, 1, b.size, f) != b.size) perror(name), exit(2);
    fclose(f);
    return b;
}

static void write_object(const char *name, const wasmx_buffer *object) {
    FILE *f = open_in(out_dir, name, "wb");
    if (fwrite(object->data, 1, object->size, f) != object->size || fclose(f)) perror(name), exit(2);
}

static void check_fixed_point(const wasmx_snapshot_options *o, const wasmx_snapshot_result *one) {
    wasmx_snapshot_result two;
    wasmx_snapshot_error err;
    bool ok = wasmx_snapshot(one->wasm.data, one->wasm.size, o, &two, &err);
    if (ok && two.wasm.size == one->wasm.size && !memcmp(one->wasm.data, two.wasm.data, two.wasm.size))
        return wasmx_snapshot_free(&two);
    printf("%s/%s: %s\n", in_dir, o->file, ok ? "the snapshot of the snapshot is another one" : err.line);
    failures++;
}

static void replace_by_snapshot(const char *file, wasmx_buffer *bytes) {
    wasmx_snapshot_options o = {.file = file, .init_func = "", .keep_all = snapshots == 'k', .threads = 1};
    wasmx_snapshot_result result;
    wasmx_snapshot_error err;
    module_count++;
    if (!wasmx_snapshot(bytes->data, bytes->size, &o, &result, &err)) return;
    snapshot_count++;
    check_fixed_point(&o, &result);
    free(bytes->data);
    *bytes = result.wasm;
}

// All zero for modules that could not be compiled with counters either.
static wasmx_buffer read_profile(const char *file) {
    char name[300], path[1400];
    snprintf(name, sizeof name, "%s.wxprof", file);
    snprintf(path, sizeof path, "%s/%s", out_dir, name);
    return access(path, R_OK) ? (wasmx_buffer){0} : read_file(out_dir, name);
}

// "12.wasm" is module m12.
static void compile(const char *file) {
    char name[64], object[64];
    snprintf(name, sizeof name, "m%.*s", (int)strcspn(file, "."), file);
    snprintf(object, sizeof object, "%.*s.o", (int)strcspn(file, "."), file);
    wasmx_buffer bytes = read_file(in_dir, file), profile = {0};
    if (snapshots) replace_by_snapshot(file, &bytes);
    wasmx_output out;
    wasmx_compile_error err;
    options.file = file;
    options.name = name;
    if (by_profile) profile = read_profile(file);
    options.profile = profile.data;
    options.profile_size = profile.size;
    if (wasmx_compile(bytes.data, bytes.size, &options, &out, &err)) {
        if (by_profile && !profile.data) printf("%s/%s: no profile\n", in_dir, file), failures++;
        if (*out.note) printf("%s/%s: %s\n", in_dir, file, out.note), failures++;
        write_object(object, &out.object);
        fprintf(table, "extern const wasmx_module %s;\n", name);
        wasmx_output_free(&out);
    } else if (strstr(err.line, "is not compiled yet")) {
        fprintf(unsupported, "unsupported %s %s\n", file, err.line);
    } else {
        printf("%s/%s\n", in_dir, err.line);
        failures++;
    }
    free(bytes.data);
    free(profile.data);
}

static bool names_module(const char *command) {
    static const char *const commands[] = {"module", "definition", "assert_unlinkable", "assert_uninstantiable"};
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (!strcmp(command, commands[i])) return true;
    return false;
}

static void read_script(void (*each)(const char *file)) {
    FILE *script = open_in(in_dir, "script.txt", "r"), *copy = open_in(out_dir, "script.txt", "w");
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, script) > 0) {
        char command[32], file[256];
        fputs(line, copy);
        if (sscanf(line, "%*u %31s %255s", command, file) == 2 && names_module(command)) each(file);
    }
    free(line);
    fclose(script);
    fclose(copy);
}

static char listed[1 << 16]; // names already compiled, each between bars

static void compile_once(const char *file) {
    char marked[300];
    snprintf(marked, sizeof marked, "|%s|", file);
    if (strstr(listed, marked)) return;
    if (strlen(listed) + strlen(marked) >= sizeof listed) exit(2);
    strcat(listed, marked);
    compile(file);
}

static void list_modules(void) {
    fprintf(table, "const struct { const char *file; const wasmx_module *module; } spec_modules[] = {\n");
    for (char *at = strtok(listed, "|"); at; at = strtok(NULL, "|")) {
        char object[1024];
        snprintf(object, sizeof object, "%s/%.*s.o", out_dir, (int)strcspn(at, "."), at);
        FILE *f = fopen(object, "rb");
        if (f) fprintf(table, "    {\"%s\", &m%.*s},\n", at, (int)strcspn(at, "."), at), fclose(f);
    }
    fprintf(table, "    {0, 0}};\n");
}

int main(int argc, char **argv) {
    if (argc != 6) return fputs("usage: compile DIR OUT LEVEL guard|explicit TARGET\n", stderr), 2;
    in_dir = argv[1];
    out_dir = argv[2];
    snapshots = strchr("wk", argv[3][0]) ? argv[3][0] : 0;
    by_profile = argv[3][0] == 'u';
    options.profile_generate = argv[3][0] == 'g';
    options.opt_level = snapshots ? '0' : by_profile || options.profile_generate ? '2' : argv[3][0];
    options.bounds = strcmp(argv[4], "explicit") ? WASMX_BOUNDS_GUARD : WASMX_BOUNDS_EXPLICIT;
    options.target = argv[5];
    options.threads = 1;
    table = open_in(out_dir, "modules.c", "w");
    unsupported = open_in(out_dir, "unsupported.txt", "w");
    fputs("#include \"wasmx.h\"\n", table);
    read_script(compile_once);
    list_modules();
    fclose(table);
    fclose(unsupported);
    if (snapshots) printf("%u of %u modules are snapshots\n", snapshot_count, module_count);
    return failures != 0;
}
