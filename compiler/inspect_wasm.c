// compiler/inspect_wasm.c: a report of a module.
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/pool.h"
#include "compiler/report.h"
#include "wasm/wasm.h"

static const char *copy(report *r, wx_name n) { return n.ptr ? wx_arena_str(&r->arena, n.ptr, n.len) : NULL; }

static void add_fact(report *r, const char *name, const char *text) {
    *REPORT_ADD(r, facts) = (report_pair){.name = name, .text = text};
}

static const char *finish_text(report *r, wx_buf *b) {
    const char *text = wx_arena_str(&r->arena, (const char *)b->data, b->len);
    wx_buf_free(b);
    return text;
}

// ---- Types as text

static void add_list(wx_buf *b, const wx_type *types, uint32_t count) {
    char text[WX_TYPE_TEXT];
    wx_buf_str(b, "(");
    for (uint32_t i = 0; i < count; i++) wx_buf_printf(b, "%s%s", i ? ", " : "", wx_type_text(types[i], text));
    wx_buf_str(b, ")");
}

static const char *func_text(report *r, const wx_typedef *t) {
    wx_buf b = {0};
    char text[WX_TYPE_TEXT];
    add_list(&b, t->params, t->param_count);
    wx_buf_str(&b, " -> ");
    if (t->result_count == 1) wx_buf_str(&b, wx_type_text(t->results[0], text));
    else add_list(&b, t->results, t->result_count);
    return finish_text(r, &b);
}

static const char *limits_text(report *r, const wx_limits *l, const char *unit) {
    const char *width = l->is64 ? " i64" : "", *shared = l->shared ? " shared" : "";
    char max[24] = "";
    if (l->has_max) snprintf(max, sizeof max, "%llu", (unsigned long long)l->max);
    return wx_arena_printf(&r->arena, "%llu..%s %s%s%s", (unsigned long long)l->min, max, unit, width, shared);
}

static const char *type_text(report *r, const wx_module *m, wx_extern_kind kind, uint32_t i) {
    char text[WX_TYPE_TEXT];
    switch (kind) {
    case WX_EXTERN_FUNC: return func_text(r, wx_func_type(m, i));
    case WX_EXTERN_TABLE: return limits_text(r, &m->tables[i].limits, wx_type_text(m->tables[i].type, text));
    case WX_EXTERN_MEMORY: return limits_text(r, &m->memories[i].limits, "pages");
    case WX_EXTERN_GLOBAL:
        wx_type_text(m->globals[i].type, text);
        return wx_arena_printf(&r->arena, "%s%s", m->globals[i].mutable ? "mut " : "", text);
    case WX_EXTERN_TAG: return func_text(r, &m->types[m->tags[i].type]);
    }
    return "";
}

// ---- The parts

static const char *const kind_names[] = {"func", "table", "memory", "global", "tag"};

static void add_externs(report *r, const wx_module *m) {
    for (uint32_t i = 0; i < m->import_count; i++) {
        const wx_import *x = &m->imports[i];
        *REPORT_ADD(r, imports) = (report_extern){
            .kind = kind_names[x->kind],
            .module = copy(r, x->module),
            .name = copy(r, x->field),
            .type = type_text(r, m, x->kind, x->index),
        };
    }
    for (uint32_t i = 0; i < m->export_count; i++) {
        const wx_export *x = &m->exports[i];
        *REPORT_ADD(r, exports) = (report_extern){
            .kind = kind_names[x->kind], .name = copy(r, x->name), .type = type_text(r, m, x->kind, x->index)};
    }
}

static void add_funcs(report *r, const wx_module *m) {
    for (uint32_t i = m->func_imports; i < m->func_count; i++) {
        const wx_func *f = &m->funcs[i];
        *REPORT_ADD(r, funcs) = (report_func){.index = i, .name = copy(r, f->name), .bytes = f->code.len};
    }
}

static void add_customs(report *r, const wx_module *m) {
    for (uint32_t i = 0; i < m->custom_count; i++)
        *REPORT_ADD(r, customs) = (report_pair){.name = copy(r, m->customs[i].name), .bytes = m->customs[i].bytes.len};
}

static void add_facts(report *r, const wx_module *m, const uint8_t *bytes, size_t size) {
    wx_buf features = {0}, hash = {0};
    uint8_t digest[32];
    if (m->name.len) add_fact(r, "name", copy(r, m->name));
    wx_sha256(bytes, size, digest);
    for (int i = 0; i < 32; i++) wx_buf_printf(&hash, "%02x", digest[i]);
    add_fact(r, "sha256", finish_text(r, &hash));
    for (int f = 0; f < WX_FEATURE_COUNT; f++) {
        if (!(m->features >> f & 1)) continue;
        if (features.len) wx_buf_str(&features, ",");
        wx_buf_str(&features, wx_feature_name((wx_feature)f));
    }
    add_fact(r, "features", finish_text(r, &features));
}

static bool fill(report *r, wx_module *m, const uint8_t *bytes, size_t size, wx_error *e) {
    if (!wx_module_decode(m, bytes, size, e) || !wx_module_validate(m, wx_cpus(), e)) return false;
    r->format = "module";
    add_facts(r, m, bytes, size);
    add_externs(r, m);
    add_funcs(r, m);
    add_customs(r, m);
    return true;
}

bool wx_report_wasm(report *r, const uint8_t *bytes, size_t size, const char *file, wx_error *e) {
    wx_buf binary = {0};
    wx_module m = {0};
    bool text = size && bytes[0] != 0, ok = true;
    if (text) ok = wx_text_to_binary(file, (const char *)bytes, size, &binary, e);
    ok = ok && fill(r, &m, text ? binary.data : bytes, text ? binary.len : size, e);
    wx_module_free(&m);
    wx_buf_free(&binary);
    return ok;
}
