// runtime/import.c: finds what a module imports and checks that it fits (core specification, 4.5.3 and 3.3).
//
// in: the module's imports, the host's typed functions, a linker; out: the instance's import records, memories, tables,
// tags and cells of globals filled in. Order for functions: the typed struct, the linker, a stub that traps when asked
// for.
#include <stdio.h>

#include "runtime/internal.h"

typedef struct resolver {
    wasmx_instance *instance;
    const wasmx_options *options;
    wasmx_error *err;
    uint32_t counts[WASMX_TAG + 1]; // imports seen so far, by kind
} resolver;

static const char *const kind_texts[] = {"a function", "a table", "a memory", "a global", "a tag"};

static bool unknown(resolver *r, const wxrt_import *im) {
    return wx_error_set(r->err, "unknown import \"%.80s\" \"%.80s\"", im->module, im->name);
}

static bool incompatible(resolver *r, const wxrt_import *im, const char *wants, const char *given) {
    return wx_error_set(r->err, "incompatible import type for \"%.50s\" \"%.50s\": module wants %s, given %s",
                        im->module, im->name, wants, given);
}

// ---- Functions

static bool wrong_type(resolver *r, const wxrt_import *im, const char *given) {
    char wants[64];
    wx_kind_text(&r->instance->module->types[im->type], wants, sizeof wants);
    return incompatible(r, im, wants, given);
}

static wasmx_func *record_of(resolver *r) {
    return &WX_AREA(r->instance, imports, wasmx_func)[r->counts[WASMX_FUNC]];
}

static bool set_host_func(resolver *r, const wxrt_import *im, void *code, void *host, void *env) {
    wasmx_func *f = record_of(r);
    const wxrt_type *t = &r->instance->module->types[im->type];
    *f = (wasmx_func){.type = *t->id, .code = code, .ctx = f, .thunk = im->thunk, .host = host, .env = env,
                      .owner = r->instance, .signature = t};
    return true;
}

// A record made by trap_unknown_imports has the import in place of an environment.
void wxrt_unknown_import(wasmx_func *f) {
    const wxrt_import *im = f->env;
    char message[160];
    snprintf(message, sizeof message, "unknown import called: \"%s\" \"%s\"", im->module, im->name);
    wx_raise(WASMX_TRAP_UNKNOWN_IMPORT, message, 0);
}

// Bound by the system's linker: a function of the module's own, as it were.
static bool set_linked_func(resolver *r, const wxrt_import *im) {
    set_host_func(r, im, im->typed_adapter, NULL, NULL);
    record_of(r)->ctx = wx_ctx(r->instance);
    return true;
}

static bool two_heaps(resolver *r, const wxrt_import *im) {
    return wx_error_set(r->err, "import \"%.60s\" \"%.60s\": " WX_TWO_HEAPS, im->module, im->name);
}

static bool set_guest_func(resolver *r, const wxrt_import *im, const wasmx_func *given) {
    char text[64];
    if (!wx_identity_matches(given->type, *r->instance->module->types[im->type].id)) {
        wx_kind_text(given->signature, text, sizeof text);
        return wrong_type(r, im, text);
    }
    *record_of(r) = *given;
    return wx_link_func(&r->instance->state->link, given) || two_heaps(r, im);
}

static bool set_defined_func(resolver *r, const wxrt_import *im, const wx_definition *d) {
    char text[64];
    if (d->value.of.func) return set_guest_func(r, im, d->value.of.func);
    if (!wx_signature_is(&d->signature, &r->instance->module->types[im->type])) {
        // Known by this name with another type, it is as unknown as one that has no name here.
        if (r->options->trap_unknown_imports) return set_host_func(r, im, im->trap_stub, NULL, (void *)(uintptr_t)im);
        wxrt_type given = {.param_count = d->signature.params, .result_count = d->signature.results,
                           .kinds = d->signature.kinds};
        wx_kind_text(&given, text, sizeof text);
        return wrong_type(r, im, text);
    }
    return set_host_func(r, im, d->is_callback ? im->callback_adapter : im->typed_adapter, d->function, d->env);
}

static void *typed_function(const resolver *r, const wxrt_import *im) {
    void *const *table = r->options->imports;
    return table && im->typed_slot >= 0 ? table[im->typed_slot] : NULL;
}

static bool resolve_func(resolver *r, const wxrt_import *im, const wx_definition *d) {
    void *typed = typed_function(r, im);
    if (im->typed_slot == WXRT_LINKED) return set_linked_func(r, im);
    if (typed) return set_host_func(r, im, im->typed_adapter, typed, NULL);
    if (d ? set_defined_func(r, im, d) : unknown(r, im)) return true;
    return r->options->trap_unknown_imports && set_host_func(r, im, im->trap_stub, NULL, (void *)(uintptr_t)im);
}

// ---- Memories, tables, globals, tags

static bool limits_fit(const wxrt_import *im, uint64_t size, bool has_max, uint64_t max) {
    return size >= im->min && (!im->has_max || (has_max && max <= im->max));
}

static const char *limits_text(char *out, size_t size, const char *what, uint64_t min, bool has_max, uint64_t max) {
    if (has_max) snprintf(out, size, "%s of %llu to %llu", what, (unsigned long long)min, (unsigned long long)max);
    else snprintf(out, size, "%s of %llu or more", what, (unsigned long long)min);
    return out;
}

static bool wrong_limits(resolver *r, const wxrt_import *im, const char *what, uint64_t size, bool has_max,
                         uint64_t max) {
    char wants[64], given[64];
    limits_text(wants, sizeof wants, what, im->min, im->has_max, im->max);
    return incompatible(r, im, wants, limits_text(given, sizeof given, what, size, has_max, max));
}

static bool resolve_memory(resolver *r, const wxrt_import *im, const wx_definition *d) {
    uint32_t k = r->counts[WASMX_MEMORY];
    wasmx_memory *m = d->value.of.memory;
    if (m->is64 != r->instance->module->memories[k].is64)
        return incompatible(r, im, m->is64 ? "a 32-bit memory" : "a 64-bit memory", "the other");
    if (m->is_shared != r->instance->module->memories[k].is_shared)
        return incompatible(r, im, m->is_shared ? "a memory of its own" : "a shared memory", "the other");
    uint64_t pages = wx_memory_bytes(m) / WXRT_PAGE;
    if (!limits_fit(im, pages, m->has_max, m->declared_max))
        return wrong_limits(r, im, "a memory", pages, m->has_max, m->declared_max);
    if (!r->instance->module->explicit_bounds && !m->is64 && !m->guarded) // relies on the guard
        return incompatible(r, im, "a memory with guard pages", "one of a module with explicit bounds");
    WX_AREA(r->instance, memories, wasmx_memory *)[k] = m;
    return true;
}

static bool same_type(uint32_t a, const wasmx_module *in_a, uint32_t b, const wasmx_module *in_b) {
    return wx_kind_matches(a, in_a, b, in_b) && wx_kind_matches(b, in_b, a, in_a);
}

// Through what holds such values, do functions or objects come from one instance to another? An externref may be an
// object's, for who can make one of it, and where another instance has put it.
static bool ties(const resolver *r, uint32_t type, const wasmx_module *in) {
    if (wx_is_func_type(type) || wxrt_is_object(type)) return true;
    return in && r->instance->module->layout.gc && wx_is_extern_type(type);
}

static bool resolve_table(resolver *r, const wxrt_import *im, const wx_definition *d) {
    wasmx_table *t = d->value.of.table;
    if (!same_type(t->type, t->module, im->type, r->instance->module))
        return incompatible(r, im, wx_value_type_text(im->type), wx_value_type_text(t->type));
    if (t->is64 != r->instance->module->tables[r->counts[WASMX_TABLE]].is64)
        return incompatible(r, im, t->is64 ? "a 32-bit table" : "a 64-bit table", "the other");
    if (!limits_fit(im, t->size, t->has_max, t->declared_max))
        return wrong_limits(r, im, "a table", t->size, t->has_max, t->declared_max);
    WX_AREA(r->instance, tables, wasmx_table *)[r->counts[WASMX_TABLE]] = t;
    return !ties(r, t->type, t->module) || wx_link_join(&r->instance->state->link, t->link) || two_heaps(r, im);
}

static bool resolve_global(resolver *r, const wxrt_import *im, const wx_definition *d) {
    wasmx_global *g = d->value.of.global;
    const wasmx_module *m = r->instance->module;
    uint32_t k = r->counts[WASMX_GLOBAL];
    if (g->is_mutable != im->is_mutable)
        return incompatible(r, im, im->is_mutable ? "a mutable global" : "an immutable global", "the other");
    bool fits = im->is_mutable ? same_type(g->type, g->module, im->type, m)
                               : wx_kind_matches(g->type, g->module, im->type, m);
    if (!fits) return incompatible(r, im, wx_value_type_text(im->type), wx_value_type_text(g->type));
    WX_AREA(r->instance, globals, wasmx_value)[k].words[0] = (uint64_t)(uintptr_t)g->cell;
    r->instance->state->globals[k] = g;
    return !ties(r, g->type, g->module) || wx_link_join(&r->instance->state->link, g->link) || two_heaps(r, im);
}

static bool resolve_tag(resolver *r, const wxrt_import *im, const wx_definition *d) {
    char given[64];
    if (wx_tag_fits(d->value.of.tag, &r->instance->module->types[im->type])) {
        r->instance->state->tags[r->counts[WASMX_TAG]] = d->value.of.tag;
        return true;
    }
    wx_kind_text(&d->value.of.tag->type, given, sizeof given);
    return wrong_type(r, im, given);
}

// ----

static bool resolve(resolver *r, const wxrt_import *im) {
    const wx_definition *d = wx_linker_find(r->options->linker, im->module, im->name);
    if (im->kind == WASMX_FUNC && (typed_function(r, im) || im->typed_slot == WXRT_LINKED)) d = NULL;
    if (d && d->value.kind != im->kind)
        return incompatible(r, im, kind_texts[im->kind], kind_texts[d->value.kind]);
    if (im->kind == WASMX_FUNC) return resolve_func(r, im, d);
    if (!d) return unknown(r, im);
    switch (im->kind) {
    case WASMX_TABLE: return resolve_table(r, im, d);
    case WASMX_MEMORY: return resolve_memory(r, im, d);
    case WASMX_GLOBAL: return resolve_global(r, im, d);
    case WASMX_TAG: return resolve_tag(r, im, d);
    default: return unknown(r, im);
    }
}

bool wx_resolve_imports(wasmx_instance *i, const wasmx_options *options, wasmx_error *err) {
    resolver r = {.instance = i, .options = options, .err = err};
    for (uint32_t k = 0; k < i->module->import_count; k++) {
        const wxrt_import *im = &i->module->imports[k];
        if (im->kind > WASMX_TAG) return unknown(&r, im);
        if (!resolve(&r, im)) return false;
        r.counts[im->kind]++;
    }
    return true;
}
