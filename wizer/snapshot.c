// wizer/snapshot.c: the pass list of a snapshot: bytes and options in, bytes and figures out.
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "wasm/wasm.h"
#include "wizer/wizer.h"

static const char *file_of(const wx_snapshot *s) { return s->options->file ? s->options->file : "module"; }

bool wx_snapshot_fail(wx_snapshot *s, const char *fmt, ...) {
    va_list ap;
    size_t size = sizeof s->err->line;
    int n = snprintf(s->err->line, size, "%.200s: ", file_of(s));
    va_start(ap, fmt);
    vsnprintf(s->err->line + n, size - (size_t)n, fmt, ap);
    va_end(ap);
    return false;
}

// ---- The module

static bool read_module(wx_snapshot *s, const uint8_t *bytes, size_t size) {
    const wasmx_snapshot_options *o = s->options;
    if (size && bytes[0] != 0) { // no text begins with a NUL
        if (!wx_text_to_binary(file_of(s), (const char *)bytes, size, &s->binary, &s->e)) return false;
        bytes = s->binary.data;
        size = s->binary.len;
    }
    s->bytes = (wx_span){.ptr = bytes, .len = size};
    return wx_module_decode(&s->m, bytes, size, &s->e) &&
           wx_module_validate(&s->m, o->threads ? o->threads : wx_cpus(), &s->e);
}

static bool check_features(wx_snapshot *s) {
    static const struct { unsigned bit; wx_feature feature; } all[] = {
        {WASMX_WASM_MULTI_MEMORY, WX_FEATURE_MULTI_MEMORY}, {WASMX_WASM_MULTI_VALUE, WX_FEATURE_MULTI_VALUE},
        {WASMX_WASM_BULK_MEMORY, WX_FEATURE_BULK}, {WASMX_WASM_SIMD, WX_FEATURE_SIMD},
        {WASMX_WASM_RELAXED_SIMD, WX_FEATURE_RELAXED_SIMD}, {WASMX_WASM_REFERENCE_TYPES, WX_FEATURE_REF_TYPES},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (s->options->refuse & all[i].bit && s->m.features >> all[i].feature & 1)
            return wx_snapshot_fail(s, "the module uses %s, which is switched off", wx_feature_name(all[i].feature));
    return true;
}

// ---- The initialiser

static const wx_export *find_export(const wx_snapshot *s, const char *name) {
    for (uint32_t i = 0; i < s->m.export_count; i++)
        if (wx_same_name(s->m.exports[i].name, name)) return &s->m.exports[i];
    return NULL;
}

static bool check_init(wx_snapshot *s, const wx_export *x) {
    if (x->kind != WX_EXTERN_FUNC) return wx_snapshot_fail(s, "the export \"%s\" is not a function", s->init);
    const wx_typedef *t = wx_func_type(&s->m, x->index);
    if (!t->param_count && !t->result_count) return true;
    return wx_snapshot_fail(s, "the initialiser \"%s\" must have no parameters and no results, it has %u and %u",
                            s->init, t->param_count, t->result_count);
}

static bool choose_init(wx_snapshot *s) {
    static const char *const usual[] = {"wizer-initialize", "wizer.initialize"};
    const char *given = s->options->init_func;
    if (given && !*given) return true;
    for (int i = 0; i < 2 && !given && !s->init; i++)
        if (find_export(s, usual[i])) s->init = usual[i];
    if (given) s->init = given;
    if (!s->init)
        return wx_snapshot_fail(s, "no function \"wizer-initialize\" or \"wizer.initialize\" is exported; --init-func "
                                   "names another%s", find_export(s, "_initialize") ? ", such as \"_initialize\"" : "");
    const wx_export *x = find_export(s, s->init);
    return x ? check_init(s, x) : wx_snapshot_fail(s, "no function \"%s\" is exported", s->init);
}

// ---- Renames

static bool is_removed(const wx_snapshot *s, wx_name name) {
    if (s->init && !s->options->keep_init_func && wx_same_name(name, s->init)) return true;
    bool kept = s->options->keep_init_func && s->init && wx_same_name(name, s->init);
    return wx_same_name(name, "_initialize") && !kept;
}

static bool check_rename(wx_snapshot *s, size_t i) {
    const wasmx_rename *all = s->options->renames;
    for (size_t k = 0; k < i; k++) {
        if (!strcmp(all[k].to, all[i].to)) return wx_snapshot_fail(s, "two functions are renamed to \"%s\"", all[i].to);
        if (!strcmp(all[k].from, all[i].from)) return wx_snapshot_fail(s, "\"%s\" is renamed twice", all[i].from);
    }
    const wx_export *x = find_export(s, all[i].from);
    if (!x || x->kind != WX_EXTERN_FUNC)
        return wx_snapshot_fail(s, "cannot rename \"%s\": no such function is exported", all[i].from);
    if (!is_removed(s, x->name)) return true;
    return wx_snapshot_fail(s, "cannot rename \"%s\": the result does not export what initialises", all[i].from);
}

static bool check_renames(wx_snapshot *s) {
    for (size_t i = 0; i < s->options->rename_count; i++)
        if (!check_rename(s, i)) return false;
    return true;
}

wx_name wx_export_name(const wx_snapshot *s, const wx_export *x) {
    for (size_t i = 0; i < s->options->rename_count; i++) {
        const wasmx_rename *r = &s->options->renames[i];
        if (wx_same_name(x->name, r->from)) return (wx_name){r->to, (uint32_t)strlen(r->to)};
    }
    return x->name;
}

bool wx_export_stays(const wx_snapshot *s, const wx_export *x) {
    if (x->kind == WX_EXTERN_FUNC && is_removed(s, x->name)) return false;
    if (wx_export_name(s, x).ptr != x->name.ptr) return true;
    for (size_t i = 0; i < s->options->rename_count; i++) // another takes its name
        if (wx_same_name(x->name, s->options->renames[i].to)) return false;
    return true;
}

// ---- The passes

static void tell(const wx_snapshot *s, const char *phase) {
    if (s->options->progress) s->options->progress(s->options->progress_arg, phase, 0, 1);
}

static void clocked(double *out, double *since) {
    double now = wx_seconds();
    *out = now - *since;
    *since = now;
}

static bool take(wx_snapshot *s, wx_buf *out) {
    double since = wx_seconds();
    if (!choose_init(s) || !check_renames(s) || !check_features(s)) return false;
    if (!(s->engine = wx_engine_open(s))) return false;
    clocked(&s->out->compile_seconds, &since);
    tell(s, "initialise");
    if (!wx_run_init(s)) return false;
    wx_engine_finish(s->engine);
    clocked(&s->out->init_seconds, &since);
    if (!wx_state_read(s)) return false;
    wx_find_reach(s);
    if (!wx_write_output(s, out)) return false;
    clocked(&s->out->write_seconds, &since);
    wx_sources_note(&s->sources, s->out);
    return true;
}

static void end(wx_snapshot *s) {
    wx_run_end(s);
    wx_engine_close(s->engine);
    wx_buf_free(&s->binary);
    wx_arena_free(&s->arena);
    wx_module_free(&s->m);
}

bool wasmx_snapshot(const void *bytes, size_t size, const wasmx_snapshot_options *options, wasmx_snapshot_result *out,
                    wasmx_snapshot_error *err) {
    static const wasmx_snapshot_options defaults;
    wx_snapshot s = {.options = options ? options : &defaults, .out = out, .err = err};
    wx_buf wasm = {0};
    *out = (wasmx_snapshot_result){0};
    err->line[0] = err->backtrace[0] = 0;
    bool ok = read_module(&s, bytes, size);
    if (!ok) wx_error_line(&s.e, file_of(&s), err->line, sizeof err->line);
    ok = ok && take(&s, &wasm);
    end(&s);
    if (ok) {
        out->wasm = (wasmx_buffer){wasm.data, wasm.len};
        return true;
    }
    wx_buf_free(&wasm);
    *out = (wasmx_snapshot_result){0};
    return false;
}

void wasmx_snapshot_free(wasmx_snapshot_result *out) {
    free(out->wasm.data);
    *out = (wasmx_snapshot_result){0};
}
