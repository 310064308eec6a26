// cli/run.c: `wasmx-aot run`: compile in memory by the fast tier, then run as a WASI command, or call one export.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/values.h"
#include "compiler/compiler.h"
#include "wasmx_wasi.h"

typedef struct program {
    const settings *s;
    const char *path;
    char *name;              // of the module
    wasmx_code *code;
    const wasmx_module *module;
    wasmx_preopen *dirs;
    const char **args, **env; // NULL-terminated
    wasmx_wasi_config config;
    bool trap_unknown;
} program;

// ---- What the guest sees

static const char **copy_list(const char *first, const text_list *l, size_t from) {
    const char **out = calloc(l->count + 2, sizeof *out);
    size_t n = 0;
    if (!out) abort();
    if (first) out[n++] = first;
    for (size_t i = from; i < l->count; i++) out[n++] = l->items[i];
    return out;
}

static void read_dirs(program *p) {
    const text_list *l = &p->s->dirs;
    p->dirs = calloc(l->count + 1, sizeof *p->dirs);
    if (!p->dirs) abort();
    for (size_t i = 0; i < l->count; i++) {
        char *text = strdup(l->items[i]);
        if (!text) abort();
        p->dirs[i] = wasmx_preopen_parse(text);
    }
}

static bool check_env(const text_list *l) {
    for (size_t i = 0; i < l->count; i++) {
        if (strchr(l->items[i], '=')) continue;
        wrong_usage("run", "--env: '%s' is not K=V", l->items[i]);
        return false;
    }
    return true;
}

static void make_config(program *p) {
    const char *slash = strrchr(p->path, '/');
    read_dirs(p);
    p->args = copy_list(slash ? slash + 1 : p->path, &p->s->words, 1);
    p->env = copy_list(NULL, &p->s->env, 0);
    p->config = (wasmx_wasi_config){
        .args = p->args,
        .env = p->env,
        .preopens = p->dirs,
        .preopen_count = p->s->dirs.count,
        .stdin_fd = STDIN_FILENO,
        .stdout_fd = STDOUT_FILENO,
        .stderr_fd = STDERR_FILENO,
    };
}

// ---- Code

// Without optimisation, functions are compiled when they are called; with it, or with lines, all at once.
static wasmx_code *make_code(const program *p, const wasmx_buffer *input, wasmx_compile_options *options,
                             wasmx_compile_error *err) {
    wasmx_output output;
    if (!options->opt_level) options->opt_level = '0';
    if (options->opt_level == '0' && !options->debug)
        return wasmx_code_compile(input->data, input->size, options, err);
    if (!wasmx_compile(input->data, input->size, options, &output, err)) return NULL;
    if (*output.note) fail("%s: %s", p->path, output.note);
    wasmx_code *code = wasmx_code_load(&output.object, p->name, err);
    wasmx_output_free(&output);
    return code;
}

static bool load(program *p, wasmx_compile_options *options, wasmx_compile_error *err) {
    wasmx_buffer input = {0};
    options->emit = WASMX_EMIT_OBJECT;
    options->file = strcmp(p->path, "-") ? p->path : "stdin";
    options->name = p->name;
    p->code = wx_input_read(p->path, &input, err) ? make_code(p, &input, options, err) : NULL;
    wx_buffer_free(&input);
    if (!p->code) return false;
    p->module = wasmx_code_module(p->code);
    return true;
}

static bool exports(const wasmx_module *m, const char *name) {
    wasmx_extern_kind kind;
    for (size_t i = 0; i < wasmx_module_export_count(m); i++)
        if (!strcmp(wasmx_module_export_name(m, i, &kind), name) && kind == WASMX_FUNC) return true;
    return false;
}

// ---- --invoke

static int report_trap(const program *p, wasmx_instance *instance) {
    const wasmx_trap *t = wasmx_last_trap(instance);
    if (t->kind == WASMX_TRAP_EXIT) return t->exit_code;
    fail("%s: trap: %s", p->path, t->message);
    for (uint32_t i = 0; i < t->frame_count; i++) {
        char text[512];
        wasmx_frame_text(&t->frames[i], text, sizeof text);
        fprintf(stderr, "    at %s\n", text);
    }
    return EXIT_TRAPPED;
}

static int call(const program *p, wasmx_func *func) {
    wasmx_value *values, *results;
    char type[2048];
    wasmx_func_type(func, type, sizeof type);
    const char *const *words = p->s->words.items + 1;
    if (!read_values(type, words, p->s->words.count - 1, &values, &results)) return EXIT_USAGE;
    wasmx_status status = wasmx_call(func, values, results);
    if (status == WASMX_OK) print_values(strchr(type, ':') + 1, results);
    free(values);
    free(results);
    return status == WASMX_OK ? EXIT_FINE : report_trap(p, wasmx_func_instance(func));
}

static int invoke_in(const program *p, wasmx_instance *instance) {
    wasmx_func *start = wasmx_export_func(instance, "_initialize"), *func = wasmx_export_func(instance, p->s->invoke);
    if (!func) return fail("%s: no exported function '%s'", p->path, p->s->invoke);
    char type[8];
    if (start && wasmx_func_type(start, type, sizeof type) < sizeof type && !strcmp(type, ":") &&
        wasmx_call(start, NULL, NULL) != WASMX_OK)
        return report_trap(p, instance);
    return call(p, func);
}

static int invoke(const program *p) {
    wasmx_error err;
    wasmx_wasi_config config = p->config;
    config.embedded = p->module;
    wasmx_wasi *wasi = wasmx_wasi_new(&config, &err);
    if (!wasi) return fail("%s: %s", p->path, err.message);
    wasmx_linker *linker = wasmx_linker_new();
    wasmx_linker_define_wasi(linker, wasi);
    wasmx_options options = {.linker = linker, .trap_unknown_imports = p->trap_unknown};
    wasmx_instance *instance = wasmx_instantiate(p->module, &options, &err);
    int status = instance ? invoke_in(p, instance) : fail("%s: %s", p->path, err.message);
    wasmx_instance_free(instance);
    wasmx_linker_free(linker);
    wasmx_wasi_free(wasi);
    return status;
}

static int run(const program *p) {
    if (p->s->invoke) return invoke(p);
    if (exports(p->module, "_start")) return wasmx_wasi_main(p->module, &p->config, p->trap_unknown);
    return fail("%s: not a program: it has no '_start'; --invoke calls another export", p->path);
}

static void free_program(program *p) {
    wasmx_code_free(p->code);
    for (size_t i = 0; p->dirs && i < p->s->dirs.count; i++) free((char *)(uintptr_t)p->dirs[i].host);
    free(p->dirs);
    free(p->args);
    free(p->env);
    free(p->name);
}

int cmd_run(const settings *s) {
    program p = {.s = s, .path = s->words.items[0]};
    wasmx_compile_options options;
    wasmx_compile_error err;
    if (!compile_options("run", s, &options) || !check_env(&s->env)) return EXIT_USAGE;
    p.name = name_of_file("", p.path);
    p.trap_unknown = s->unknown_imports && !strcmp(s->unknown_imports, "trap");
    make_config(&p);
    int status = EXIT_FAILED;
    if (read_embeds(s, &options)) status = load(&p, &options, &err) ? run(&p) : fail("%s", err.line);
    free_embeds(&options);
    free_program(&p);
    return status;
}
