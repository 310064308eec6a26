// wizer/run.c: makes an instance and runs what initialises it: the start function, _initialize, the initialiser.
//
// in: the module's code, the caller's linker, perhaps WASI. out: s->instance as the initialiser left it, or an error
// that says what ended it and where.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wizer/wizer.h"

// ---- Imports that become the module's own

static const char *text(wx_snapshot *s, wx_name name) {
    return wx_arena_str(&s->arena, name.ptr ? name.ptr : "", name.len);
}

static wasmx_kind kind_of(wx_type t) {
    switch (t) {
    case WX_I32: return WASMX_I32;
    case WX_I64: return WASMX_I64;
    case WX_F32: return WASMX_F32;
    case WX_F64: return WASMX_F64;
    case WX_V128: return WASMX_V128;
    case WX_FUNCREF: return WASMX_FUNCREF;
    default: return WASMX_EXTERNREF;
    }
}

static bool is_common(wx_type t) { return !wx_is_ref(t) || t == WX_FUNCREF || t == WX_EXTERNREF; }

static wasmx_tag *new_tag(const wx_typedef *t) {
    static const char letters[] = "?iIfFvre"; // by wasmx_kind
    char *type = wx_xmalloc(t->param_count + 2);
    for (uint32_t k = 0; k < t->param_count; k++)
        type[k] = is_common(t->params[k]) ? letters[kind_of(t->params[k])] : '?';
    strcpy(type + t->param_count, ":");
    wasmx_tag *tag = wasmx_tag_new(type);
    free(type);
    return tag;
}

// The smallest thing that satisfies the import; false: none can be made.
static bool make_own(const wx_module *m, const wx_import *x, wasmx_extern *out) {
    if (x->kind == WX_EXTERN_MEMORY) {
        const wx_limits *l = &m->memories[x->index].limits;
        out->kind = WASMX_MEMORY;
        out->of.memory = l->is64 ? wasmx_memory_new64(l->min, l->max) : wasmx_memory_new(l->min, l->max);
        return out->of.memory;
    }
    if (x->kind == WX_EXTERN_TABLE) {
        const wx_table *t = &m->tables[x->index];
        out->kind = WASMX_TABLE;
        wasmx_table *(*make)(wasmx_kind, uint64_t, uint64_t) = t->limits.is64 ? wasmx_table_new64 : wasmx_table_new;
        return is_common(t->type) && (out->of.table = make(kind_of(t->type), t->limits.min, t->limits.max));
    }
    if (x->kind == WX_EXTERN_TAG) {
        out->kind = WASMX_TAG;
        return (out->of.tag = new_tag(&m->types[m->tags[x->index].type]));
    }
    const wx_global *g = &m->globals[x->index];
    out->kind = WASMX_GLOBAL;
    return x->kind == WX_EXTERN_GLOBAL && is_common(g->type) &&
           (out->of.global = wasmx_global_new(kind_of(g->type), g->mutable, (wasmx_value){.words = {0}}));
}

static void end_own(wx_extern_kind kind, void *thing) {
    if (kind == WX_EXTERN_MEMORY) wasmx_memory_free(thing);
    else if (kind == WX_EXTERN_TABLE) wasmx_table_free(thing);
    else if (kind == WX_EXTERN_TAG) wasmx_tag_free(thing);
    else wasmx_global_free(thing);
}

static bool provide(wx_snapshot *s, uint32_t i) {
    static const char *const kinds[] = {"function", "table", "memory", "global", "tag"};
    const wx_import *x = &s->m.imports[i];
    const char *module = text(s, x->module), *name = text(s, x->field);
    wasmx_extern made;
    if (x->kind == WX_EXTERN_FUNC) return true;
    if (!s->options->own_imports && x->kind != WX_EXTERN_TAG) // a tag has no state, and stays imported
        return wx_snapshot_fail(s, "%s %u is imported (\"%s\" \"%s\"), so its state is not the module's to keep; "
                                "--own-imports makes it the module's own", kinds[x->kind], x->index, module, name);
    if (wasmx_linker_has(s->linker, module, name)) return true;
    if (!make_own(&s->m, x, &made))
        return wx_snapshot_fail(s, "no %s can be made for the import \"%s\" \"%s\"", kinds[x->kind], module, name);
    s->own[i] = made.of.memory;
    wasmx_linker_define(s->linker, module, name, made);
    return true;
}

static bool provide_all(wx_snapshot *s) {
    s->own = WX_NEW_ARRAY(&s->arena, void *, s->m.import_count);
    for (uint32_t i = 0; i < s->m.import_count; i++)
        if (!provide(s, i)) return false;
    return true;
}

// ---- WASI

static bool give_wasi(wx_snapshot *s) {
    wasmx_error err;
    if (!s->options->wasi) return true;
    wasmx_wasi_config config = *s->options->wasi;
    config.sources = wx_sources_make(&s->sources, &config.sources, s->options->seed, s->options->system_sources);
    if (!(s->wasi = wasmx_wasi_new(&config, &err))) return wx_snapshot_fail(s, "%s", err.message);
    wasmx_linker_define_wasi(s->linker, s->wasi);
    return true;
}

// An instance that starts from the snapshot has the preopened directories again, and nothing else.
static bool check_open_files(wx_snapshot *s) {
    char path[256];
    int64_t fd = s->wasi ? wasmx_wasi_open_file(s->wasi, 0, path, sizeof path) : -1;
    if (fd < 0) return true;
    return wx_snapshot_fail(s, "the initialiser left a file open, which no instance would have: descriptor %d, %s",
                            (int)fd, *path ? path : "an embedded file");
}

// ---- What went wrong

// What it is called inside, or outside.
static wx_name name_of(const wx_snapshot *s, const wasmx_frame *f) {
    bool ours = f->module == wx_engine_module(s->engine);
    if (f->name) return (wx_name){f->name, (uint32_t)strlen(f->name)};
    for (uint32_t i = 0; ours && i < s->m.export_count; i++)
        if (s->m.exports[i].kind == WX_EXTERN_FUNC && s->m.exports[i].index == f->func) return s->m.exports[i].name;
    return (wx_name){0};
}

static void write_backtrace(wx_snapshot *s, const wasmx_trap *t) {
    size_t used = 0, size = sizeof s->err->backtrace;
    for (uint32_t i = 0; i < t->frame_count && used < size; i++) {
        const wasmx_frame *f = &t->frames[i];
        char line[300];
        wx_name name = name_of(s, f);
        int length = name.len < 200 ? (int)name.len : 200;
        int n = length ? snprintf(line, sizeof line, "    at %.*s (func %u)\n", length, name.ptr, f->func)
                       : snprintf(line, sizeof line, "    at func %u\n", f->func);
        if (used + (size_t)n >= size) break; // whole lines only
        memcpy(s->err->backtrace + used, line, (size_t)n + 1);
        used += (size_t)n;
    }
}

static bool explain(wx_snapshot *s, const char *what, const wasmx_trap *t) {
    write_backtrace(s, t);
    const char *hint = "";
    if (t->kind == WASMX_TRAP_INTERRUPTED)
        return wx_snapshot_fail(s, "the initialiser did not end within %g seconds",
                                (double)s->options->timeout_ns / 1e9);
    if (t->kind == WASMX_TRAP_EXIT)
        return wx_snapshot_fail(s, "%s ended the program: proc_exit(%d)", what, t->exit_code);
    if (t->kind != WASMX_TRAP_UNKNOWN_IMPORT) return wx_snapshot_fail(s, "%s trapped: %s", what, t->message);
    if (strstr(t->message, ": \"wasi_") && !s->options->wasi) hint = "; --allow-wasi would let it";
    return wx_snapshot_fail(s, "%s called an import that it may not: %s%s", what, strchr(t->message, '"'), hint);
}

// ---- The run

static bool instantiate(wx_snapshot *s) {
    wasmx_error err;
    wasmx_trap trap;
    wasmx_options options = {.host = s->options->host, .linker = s->linker, .trap_unknown_imports = true,
                             .trap = &trap, .deadline_ns = s->options->timeout_ns,
                             .deadline_clock = WASMX_TIME_WALL};
    s->instance = wasmx_instantiate(wx_engine_module(s->engine), &options, &err);
    if (s->instance) return true;
    if (trap.kind == WASMX_OK) return wx_snapshot_fail(s, "%s", err.message);
    return explain(s, s->m.start == WX_NO_INDEX ? "instantiation" : "instantiation or the start function", &trap);
}

static bool call(wx_snapshot *s, const char *name) {
    wasmx_func *f = wasmx_export_func(s->instance, name);
    if (!f) return true;
    if (wasmx_call(f, NULL, NULL) == WASMX_OK) return true;
    return explain(s, name, wasmx_last_trap(s->instance));
}

static bool is_initialize(const wx_snapshot *s) {
    for (uint32_t i = 0; i < s->m.export_count; i++) {
        const wx_export *x = &s->m.exports[i];
        if (!wx_same_name(x->name, "_initialize") || x->kind != WX_EXTERN_FUNC) continue;
        const wx_typedef *t = wx_func_type(&s->m, x->index);
        return !t->param_count && !t->result_count;
    }
    return false;
}

bool wx_run_init(wx_snapshot *s) {
    bool first = is_initialize(s) && !(s->init && !strcmp(s->init, "_initialize"));
    if (!(s->linker = wasmx_linker_copy(s->options->linker))) return wx_snapshot_fail(s, "out of memory");
    return give_wasi(s) && provide_all(s) && instantiate(s) && (!first || call(s, "_initialize")) &&
           (!s->init || call(s, s->init)) && check_open_files(s);
}

void wx_run_end(wx_snapshot *s) {
    wasmx_instance_free(s->instance);
    for (uint32_t i = 0; s->own && i < s->m.import_count; i++)
        if (s->own[i]) end_own(s->m.imports[i].kind, s->own[i]);
    wasmx_linker_free(s->linker);
    wasmx_wasi_free(s->wasi);
    wx_map_free(&s->sources.inodes);
}
