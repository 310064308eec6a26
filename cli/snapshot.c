// cli/snapshot.c: `wasmx-snapshot`, and what `wasmx-aot build --init` has of it: the settings become options of
// wasmx_snapshot.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "compiler/compiler.h"

extern char **environ;

typedef struct snapshot {
    const char *command; // for messages
    const settings *s;
    wasmx_snapshot_options options;
    wasmx_wasi_config wasi;
    wasmx_stream streams[3]; // nothing to read, room for everything
    wasmx_preopen *dirs;
    wasmx_rename *renames;
    char **texts;        // copies that were cut into pieces
    size_t text_count;
    const char **env;
    preloads preloads;
    wasmx_linker *linker;
    double timeout;
} snapshot;

static bool is_true(const char *value, bool otherwise) { return value ? !strcmp(value, "true") : otherwise; }

static void *array(size_t count, size_t size) {
    void *p = calloc(count + 1, size);
    if (!p) abort();
    return p;
}

static char *own(snapshot *t, const char *text) {
    char *copy = strdup(text);
    t->texts = realloc(t->texts, (t->text_count + 1) * sizeof *t->texts);
    if (!copy || !t->texts) abort();
    return t->texts[t->text_count++] = copy;
}

// ---- What the initialiser is given

static bool read_dirs(snapshot *t) {
    const text_list *dirs = &t->s->dirs, *maps = &t->s->mapdirs;
    t->dirs = array(dirs->count + maps->count, sizeof *t->dirs);
    for (size_t i = 0; i < dirs->count; i++) t->dirs[i] = wasmx_preopen_parse(own(t, dirs->items[i]));
    for (size_t i = 0; i < maps->count; i++) {
        char *guest = own(t, maps->items[i]), *mark = strstr(guest, "::");
        if (!mark || mark == guest || !mark[2]) {
            wrong_usage(t->command, "--mapdir: '%s' is not GUEST::HOST", maps->items[i]);
            return false;
        }
        *mark = 0;
        t->dirs[dirs->count + i] = (wasmx_preopen){.guest = guest, .host = mark + 2};
    }
    return true;
}

static bool read_env(snapshot *t) {
    const text_list *l = &t->s->env;
    size_t n = 0, inherited = 0;
    if (is_true(t->s->inherit_env, false))
        while (environ[inherited]) inherited++;
    t->env = array(l->count + inherited, sizeof *t->env);
    for (size_t i = 0; i < inherited; i++) t->env[n++] = environ[i];
    for (size_t i = 0; i < l->count; i++) {
        if (!strchr(l->items[i], '=')) {
            wrong_usage(t->command, "--env: '%s' is not K=V", l->items[i]);
            return false;
        }
        t->env[n++] = l->items[i];
    }
    return true;
}

static int64_t swallow(void *env, void *bytes, size_t size) {
    (void)env, (void)bytes;
    return (int64_t)size;
}

static bool make_wasi(snapshot *t) {
    const settings *s = t->s;
    if (!read_dirs(t) || !read_env(t)) return false;
    t->wasi = (wasmx_wasi_config){.env = t->env, .preopens = t->dirs, .preopen_count = s->dirs.count + s->mapdirs.count,
                                  .stdin_fd = STDIN_FILENO, .stdout_fd = STDOUT_FILENO, .stderr_fd = STDERR_FILENO};
    bool inherits = is_true(s->inherit_stdio, true);
    // The module is written there, so what the initialiser prints goes to the other one.
    bool to_stdout = t->command == NULL && (!s->output || !strcmp(s->output, "-"));
    if (to_stdout) t->wasi.stdout_fd = STDERR_FILENO;
    t->streams[1].transfer = t->streams[2].transfer = swallow;
    for (int i = 0; i < 3 && !inherits; i++) t->wasi.streams[i] = &t->streams[i];
    if (s->allow_wasi) t->options.wasi = &t->wasi;
    return true;
}

// ---- Options

static bool read_renames(snapshot *t) {
    const text_list *l = &t->s->renames;
    t->renames = array(l->count, sizeof *t->renames);
    for (size_t i = 0; i < l->count; i++) {
        char *to = own(t, l->items[i]), *equals = strchr(to, '=');
        if (!equals || equals == to || !equals[1]) {
            wrong_usage(t->command, "--rename-func: '%s' is not DST=SRC", l->items[i]);
            return false;
        }
        *equals = 0;
        t->renames[i] = (wasmx_rename){to, equals + 1};
    }
    t->options.renames = t->renames;
    t->options.rename_count = l->count;
    return true;
}

static unsigned refused(const settings *s) {
    const struct { const char *value; unsigned bit; } all[] = {
        {s->multi_memory, WASMX_WASM_MULTI_MEMORY}, {s->multi_value, WASMX_WASM_MULTI_VALUE},
        {s->bulk_memory, WASMX_WASM_BULK_MEMORY}, {s->simd, WASMX_WASM_SIMD},
        {s->relaxed_simd, WASMX_WASM_RELAXED_SIMD}, {s->reference_types, WASMX_WASM_REFERENCE_TYPES}};
    unsigned bits = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (!is_true(all[i].value, true)) bits |= all[i].bit;
    return bits;
}

static bool read_count(const snapshot *t, const char *name, const char *text, unsigned long least, unsigned long most,
                       unsigned long *out) {
    if (parse_number(text, most, out) && (!text || *out >= least)) return true;
    wrong_usage(t->command, "%s: '%s' is not a number from %lu to %lu", name, text, least, most);
    return false;
}

static bool read_numbers(snapshot *t) {
    const settings *s = t->s;
    unsigned long segments = 0, seed = 0, threads = 0;
    char *end = NULL;
    if (!read_count(t, "--max-segments", s->max_segments, 1, 100000, &segments) ||
        !read_count(t, "--seed", s->seed, 0, ~0ul, &seed) || !read_count(t, "-j", s->jobs, 1, 1024, &threads))
        return false;
    t->timeout = s->timeout ? strtod(s->timeout, &end) : 0;
    if (s->timeout && (!*s->timeout || *end || !(t->timeout > 0 && t->timeout < 1e9))) {
        wrong_usage(t->command, "--timeout: '%s' is not a number of seconds", s->timeout);
        return false;
    }
    t->options.timeout_ns = (uint64_t)(t->timeout * 1e9);
    t->options.max_segments = (uint32_t)segments;
    t->options.seed = seed;
    t->options.threads = (unsigned)threads;
    t->options.tiers = (int)tiers_of(s);
    return true;
}

static bool read_settings(snapshot *t) {
    const settings *s = t->s;
    t->options.init_func = t->command && s->init && !*s->init ? NULL : s->init; // build: --init alone
    t->options.keep_init_func = is_true(s->keep_init_func, false);
    t->options.keep_all = s->keep_all;
    t->options.own_imports = s->own_imports;
    t->options.system_sources = s->system_sources;
    t->options.refuse = refused(s);
    return read_renames(t) && make_wasi(t) && read_numbers(t);
}

// ---- Work

static int report_error(const wasmx_snapshot_error *err) {
    fail("%s", err->line);
    fputs(err->backtrace, stderr);
    return EXIT_FAILED;
}

static int work(snapshot *t, const wasmx_buffer *input, wasmx_snapshot_result *out) {
    wasmx_snapshot_error err;
    if (!(t->linker = wasmx_linker_new())) abort();
    if (!load_preloads(t->s, t->linker, &t->preloads)) return EXIT_FAILED;
    watch *w = watch_begin(t->options.file, t->timeout);
    t->options.linker = t->linker;
    t->options.progress = watch_progress;
    t->options.progress_arg = w;
    bool ok = wasmx_snapshot(input->data, input->size, &t->options, out, &err);
    watch_end(w);
    return ok ? EXIT_FINE : report_error(&err);
}

static void free_snapshot(snapshot *t) {
    free_preloads(&t->preloads);
    wasmx_linker_free(t->linker);
    for (size_t i = 0; i < t->text_count; i++) free(t->texts[i]);
    free(t->texts);
    free(t->env);
    free(t->dirs);
    free(t->renames);
}

int take_snapshot(const char *command, const settings *s, const wasmx_buffer *input, const char *file, bool whole_pages,
                  wasmx_snapshot_result *out) {
    snapshot t = {.command = command, .s = s, .options = {.file = file, .whole_pages = whole_pages}};
    int status = read_settings(&t) ? work(&t, input, out) : EXIT_USAGE;
    free_snapshot(&t);
    if (status != EXIT_FINE) return status;
    if (s->report && !*s->report) print_report(out, file);
    print_notes(out, file);
    return EXIT_FINE;
}

int cmd_snapshot(const settings *s) {
    const char *in = s->words.count ? s->words.items[0] : "-", *out = s->output ? s->output : "-";
    wasmx_buffer input = {0}, json = {0};
    wasmx_snapshot_result result = {0};
    wasmx_compile_error err;
    if (s->words.count > 1) return wrong_usage(NULL, "one input at a time, '%s' is too many", s->words.items[1]);
    const char *file = strcmp(in, "-") ? in : "stdin";
    if (!s->output && isatty(STDOUT_FILENO))
        return wrong_usage(NULL, "a module is no text: say where to write with -o");
    if (!wx_input_read(in, &input, &err)) return fail("%s", err.line);
    int status = take_snapshot(NULL, s, &input, file, false, &result);
    if (status == EXIT_FINE) {
        wx_out_file files[2] = {{out, result.wasm, false}};
        if (s->report && *s->report) json = report_json(&result, file);
        files[1] = (wx_out_file){s->report, json, false};
        if (!wx_outputs_write(files, json.data ? 2 : 1, &err)) status = fail("%s", err.line);
    }
    wx_buffer_free(&input);
    wx_buffer_free(&json);
    wasmx_snapshot_free(&result);
    return status;
}
