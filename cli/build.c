// cli/build.c: `wasmx-aot build`: compile, link what asks for it, and only then write everything.
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "compiler/compiler.h"

typedef struct kind { // a row of what --emit knows
    const char *name, *extension;
    unsigned emit;    // what the compiler makes for it
    int link;         // wx_link_kind, or -1: the compiler's output as it is
    size_t member;    // then: where in wasmx_output
} kind;

static const kind kinds[] = {
    {"obj", ".o", WASMX_EMIT_OBJECT, -1, offsetof(wasmx_output, object)},
    {"header", ".h", WASMX_EMIT_HEADER, -1, offsetof(wasmx_output, header)},
    {"static", ".a", WASMX_EMIT_OBJECT, WX_LINK_STATIC, 0},
    {"shared", ".so", WASMX_EMIT_OBJECT, WX_LINK_SHARED, 0},
    {"exe", "", WASMX_EMIT_OBJECT, WX_LINK_EXE, 0},
    {"asm", ".s", WASMX_EMIT_ASM, -1, offsetof(wasmx_output, assembly)},
    {"llvm-ir", ".ll", WASMX_EMIT_LLVM_IR, -1, offsetof(wasmx_output, llvm_ir)},
    {"bc", ".bc", WASMX_EMIT_BITCODE, -1, offsetof(wasmx_output, bitcode)},
};
enum { KINDS = sizeof kinds / sizeof *kinds, EXE = 4 };

typedef struct build {
    const settings *s;
    const char *in;
    char *name;               // of the module
    bool wanted[KINDS];
    unsigned wanted_count;
    char *paths[KINDS];
    wasmx_buffer profile;
    wasmx_buffer linked[KINDS];
    double linked_seconds[KINDS];
    wasmx_compile_options options;
    wasmx_output output;
    wasmx_snapshot_result snapshot; // with --init: what is compiled
    double started, shown;    // progress: when it began, when it was last shown
    bool on_terminal;
} build;

// ---- What to make, and what to call it

static bool want(build *b, const char *word, size_t len) {
    for (int i = 0; i < KINDS; i++) {
        if (strlen(kinds[i].name) != len || memcmp(kinds[i].name, word, len)) continue;
        b->wanted_count += !b->wanted[i];
        b->wanted[i] = true;
        b->options.emit |= kinds[i].emit;
        return true;
    }
    wrong_usage("build", "--emit: unknown kind '%.*s'; obj, header, static, shared, exe, asm, llvm-ir or bc", (int)len,
                word);
    return false;
}

static bool read_kinds(build *b) {
    for (const char *at = b->s->emit ? b->s->emit : "obj,header";; at++) {
        size_t n = strcspn(at, ",");
        if (!want(b, at, n)) return false;
        at += n;
        if (!*at) return true;
    }
}

// The length of path without an extension that one of our files or inputs has.
static size_t stem_length(const char *path) {
    const char *dot = strrchr(path, '.');
    if (!dot || dot == path || dot[-1] == '/' || strchr(dot, '/')) return strlen(path);
    bool known = !strcmp(dot, ".wasm") || !strcmp(dot, ".wat");
    for (int i = 0; i < KINDS; i++) known |= !strcmp(dot, kinds[i].extension);
    return known ? (size_t)(dot - path) : strlen(path);
}

static char *join(const char *stem, size_t len, const char *extension) {
    char *out = malloc(len + strlen(extension) + 1);
    if (!out) abort();
    memcpy(out, stem, len);
    strcpy(out + len, extension);
    return out;
}

static void name_outputs(build *b) {
    const char *out = b->s->output, *slash = strrchr(b->in, '/');
    const char *stem = out ? out : slash ? slash + 1 : b->in;
    bool exact = out && b->wanted_count == 1;
    for (int i = 0; i < KINDS; i++) {
        if (!b->wanted[i]) continue;
        b->paths[i] = exact ? join(out, strlen(out), "") : join(stem, stem_length(stem), kinds[i].extension);
    }
}

static bool same_file(const char *a, const char *b) {
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && S_ISREG(x.st_mode) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static bool check_outputs(const build *b) {
    const char *out = b->s->output;
    if (!out && !strcmp(b->in, "-")) {
        wrong_usage("build", "the input has no name: say where to write with -o");
        return false;
    }
    if (out && !strcmp(out, "-") && b->wanted_count != 1) {
        wrong_usage("build", "only one kind fits on standard output: add --emit=obj, for example");
        return false;
    }
    for (int i = 0; i < KINDS; i++) {
        if (!b->wanted[i] || !same_file(b->in, b->paths[i])) continue;
        wrong_usage("build", "'%s' is the input; choose another name with -o", b->paths[i]);
        return false;
    }
    return true;
}

static bool is_identifier(const char *name) {
    for (const char *c = name; *c; c++)
        if (*c != '_' && !isalpha((unsigned char)*c) && !(c > name && isdigit((unsigned char)*c))) return false;
    return *name;
}

static bool choose_name(build *b) {
    const char *out = b->s->output, *given = b->s->name;
    if (given && !is_identifier(given)) {
        wrong_usage("build", "--name: '%s' is not a C identifier", given);
        return false;
    }
    // An executable is alone with the C library, whose names it must not take: time.wasm defines no `time`.
    const char *prefix = b->wanted[EXE] && b->wanted_count == 1 ? "wasm_" : "";
    const char *file = strcmp(b->in, "-") ? b->in : out && strcmp(out, "-") ? out : "module";
    b->name = given ? join(given, strlen(given), "") : name_of_file(prefix, file);
    b->options.name = b->name;
    return true;
}

static bool prepare(build *b) {
    const settings *s = b->s;
    if (s->words.count > 1) {
        wrong_usage("build", "one input at a time, '%s' is too many", s->words.items[1]);
        return false;
    }
    if (!compile_options("build", s, &b->options) || !read_kinds(b)) return false;
    name_outputs(b);
    if (s->dirs.count && !b->wanted[EXE] && !s->init) {
        wrong_usage("build", "--dir is for --emit=exe and --init");
        return false;
    }
    if (s->needs_init && !s->init) {
        wrong_usage("build", "--%s is for --init", s->needs_init);
        return false;
    }
    if (s->profile_generate && s->profile_use) {
        wrong_usage("build", "--profile-generate counts for a later --profile-use; not both at once");
        return false;
    }
    b->options.file = strcmp(b->in, "-") ? b->in : "stdin";
    return choose_name(b) && check_outputs(b);
}

// ---- Progress: a line on a terminal, once the work has taken a second

static void show_progress(void *arg, size_t done, size_t total) {
    build *b = arg;
    double now = seconds_now();
    if (now - b->started < 1 || now - b->shown < 0.1) return;
    b->shown = now;
    fprintf(stderr, "\r%s: %zu of %zu functions, %.0f s\033[K", b->in, done, total, now - b->started);
}

static void end_progress(const build *b) {
    if (b->shown > 0) fputs("\r\033[K", stderr);
}

// ---- Work

// The input, or with --init what its initialiser leaves behind. An exit status.
static int read_input(build *b, wasmx_buffer *out) {
    wasmx_compile_error err;
    if (!wx_input_read(b->in, out, &err)) return fail("%s", err.line);
    if (!b->s->init) return EXIT_FINE;
    int status = take_snapshot("build", b->s, out, b->options.file, true, &b->snapshot);
    wx_buffer_free(out);
    *out = b->snapshot.wasm;
    b->snapshot.wasm = (wasmx_buffer){0};
    return status;
}

static bool read_profile(build *b, wasmx_compile_error *err) {
    const char *path = b->s->profile_use;
    if (!path) return true;
    if (!wx_input_read(path, &b->profile, err)) return false;
    b->options.profile = b->profile.data ? (const void *)b->profile.data : "";
    b->options.profile_size = b->profile.size;
    b->options.profile_file = path;
    return true;
}

static bool compile(build *b, const wasmx_buffer *input, wasmx_compile_error *err) {
    b->started = seconds_now();
    if (isatty(STDERR_FILENO)) b->options.progress = show_progress, b->options.progress_arg = b;
    bool ok = wasmx_compile(input->data, input->size, &b->options, &b->output, err);
    end_progress(b);
    if (ok && *b->output.note) fprintf(stderr, "wasmx-aot: %s: %s\n", b->in, b->output.note);
    return ok;
}

static bool link_kinds(build *b, wasmx_compile_error *err) {
    for (int i = 0; i < KINDS; i++) {
        if (!b->wanted[i] || kinds[i].link < 0) continue;
        wx_link_options o = {
            .kind = (wx_link_kind)kinds[i].link,
            .name = b->name,
            .target = b->options.target,
            .dirs = b->s->dirs.items,
            .dir_count = b->s->dirs.count,
            .trap_unknown_imports = b->s->unknown_imports && !strcmp(b->s->unknown_imports, "trap"),
        };
        double start = seconds_now();
        if (!wx_link(&b->output.object, &o, &b->linked[i], err)) return false;
        b->linked_seconds[i] = seconds_now() - start;
    }
    return true;
}

static wasmx_buffer data_of(const build *b, int i) {
    return kinds[i].link >= 0 ? b->linked[i] : *(const wasmx_buffer *)((const char *)&b->output + kinds[i].member);
}

// ---- --stats

static double cpu_seconds(void) {
    struct timespec t;
    return clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) ? 0 : (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static uint64_t peak_memory(void) {
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? (uint64_t)usage.ru_maxrss * 1024 : 0;
}

static void print_phase(FILE *f, const char *comma, const char *verb, const char *name, double seconds,
                        uint64_t bytes) {
    fprintf(f, "%s\n    {\"name\": \"%s%s\", \"seconds\": %.6f, \"bytes\": %llu}", comma, verb, name, seconds,
            (unsigned long long)bytes);
}

static void print_phases(const build *b, FILE *f) {
    const char *comma = "";
    for (unsigned i = 0; i < b->output.phase_count; i++, comma = ",") {
        const wasmx_phase *p = &b->output.phases[i];
        print_phase(f, comma, "", p->name, p->seconds, p->bytes);
    }
    for (int i = 0; i < KINDS; i++) {
        if (!b->wanted[i] || kinds[i].link < 0) continue;
        print_phase(f, comma, "link ", kinds[i].name, b->linked_seconds[i], b->linked[i].size);
        comma = ",";
    }
}

// With a profile or --hot-only.
static void print_cold(const build *b, FILE *f) {
    const wasmx_output *o = &b->output;
    if (!b->s->profile_use && !b->s->hot_only) return;
    fprintf(f, "\n  \"cold\": {\"functions\": %u, \"wasm_bytes\": %llu, \"of_wasm_bytes\": %llu,", o->cold_functions,
            (unsigned long long)o->cold_bytes, (unsigned long long)o->code_bytes);
    fprintf(f, " \"cpu_seconds\": %.6f, \"saved_cpu_seconds\": %.6f},", o->cold_seconds, o->saved_seconds);
}

static void print_stats(const build *b, FILE *f) {
    fputs("{\n  \"input\": ", f);
    print_json_text(f, b->in);
    fprintf(f, ",\n  \"seconds\": %.6f,\n  \"cpu_seconds\": %.6f,\n  \"peak_memory_bytes\": %llu,\n  \"phases\": [",
            seconds_now() - b->started, cpu_seconds(), (unsigned long long)peak_memory());
    print_phases(b, f);
    fputs("\n  ],\n  \"outputs\": [", f);
    const char *comma = "";
    for (int i = 0; i < KINDS; i++) {
        if (!b->wanted[i]) continue;
        fprintf(f, "%s\n    {\"kind\": \"%s\", \"bytes\": %zu, \"file\": ", comma, kinds[i].name, data_of(b, i).size);
        print_json_text(f, b->paths[i]);
        fputc('}', f);
        comma = ",";
    }
    fputs("\n  ],", f);
    print_cold(b, f);
    fputs("\n  \"note\": ", f);
    print_json_text(f, b->output.note);
    fputs("\n}\n", f);
}

static wasmx_buffer stats_text(const build *b) {
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    if (!f) return (wasmx_buffer){0};
    print_stats(b, f);
    fclose(f);
    return (wasmx_buffer){(uint8_t *)text, size};
}

static bool write_all(build *b, wasmx_compile_error *err) {
    wx_out_file files[KINDS + 2];
    size_t n = 0;
    for (int i = 0; i < KINDS; i++)
        if (b->wanted[i]) files[n++] = (wx_out_file){b->paths[i], data_of(b, i), kinds[i].link > WX_LINK_STATIC};
    wasmx_buffer stats = {0}, report = {0};
    bool reports = b->s->report && *b->s->report;
    if (reports) report = report_json(&b->snapshot, b->options.file);
    if (reports) files[n++] = (wx_out_file){b->s->report, report, false};
    if (b->s->stats) stats = stats_text(b), files[n++] = (wx_out_file){b->s->stats, stats, false};
    bool ok = wx_outputs_write(files, n, err);
    wx_buffer_free(&stats);
    wx_buffer_free(&report);
    return ok;
}

static void free_build(build *b) {
    for (int i = 0; i < KINDS; i++) free(b->paths[i]), wx_buffer_free(&b->linked[i]);
    free(b->name);
    wx_buffer_free(&b->profile);
    wasmx_output_free(&b->output);
    free_embeds(&b->options);
}

static int work(build *b) {
    wasmx_compile_error err;
    wasmx_buffer input = {0};
    int status = read_input(b, &input);
    bool ok = status != EXIT_FINE || (read_profile(b, &err) && compile(b, &input, &err) && link_kinds(b, &err) &&
                                      write_all(b, &err));
    if (!ok) status = fail("%s", err.line);
    wx_buffer_free(&input);
    return status;
}

int cmd_build(const settings *s) {
    build b = {.s = s, .in = s->words.items[0]};
    int status = EXIT_FINE;
    if (!prepare(&b)) status = EXIT_USAGE;
    else status = read_embeds(s, &b.options) ? work(&b) : EXIT_FAILED;
    free_build(&b);
    return status;
}
