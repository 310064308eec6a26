// runtime/linker.c: names that imports are looked up in: a hash table of definitions, none of it used after
// instantiation.
#include <stdlib.h>
#include <string.h>

#include "runtime/internal.h"

static uint64_t hash_of(const char *module, const char *name) {
    return wxrt_hash_row(wxrt_hash_row(0xcbf29ce484222325u, module, 0), name, 0);
}

// Where the definition is, or the free place it would have.
static wx_definition *slot_of(const wasmx_linker *l, const char *module, const char *name) {
    uint64_t h = hash_of(module, name), k = (h ^ h >> 29) & (l->capacity - 1);
    while (l->slots[k].name && (strcmp(l->slots[k].name, name) || strcmp(l->slots[k].module, module)))
        k = (k + 1) & (l->capacity - 1);
    return &l->slots[k];
}

const wx_definition *wx_linker_find(const wasmx_linker *l, const char *module, const char *name) {
    wx_definition *d = l && l->capacity ? slot_of(l, module, name) : NULL;
    return d && d->name ? d : NULL;
}

static bool make_room(wasmx_linker *l) {
    if ((l->count + 1) * 4 <= l->capacity * 3) return true;
    wasmx_linker bigger = *l;
    bigger.capacity = l->capacity ? l->capacity * 2 : 128;
    if (!(bigger.slots = calloc(bigger.capacity, sizeof *bigger.slots))) return false;
    for (size_t k = 0; k < l->capacity; k++)
        if (l->slots[k].name) *slot_of(&bigger, l->slots[k].module, l->slots[k].name) = l->slots[k];
    free(l->slots);
    *l = bigger;
    return true;
}

static void clear(wx_definition *d) {
    free(d->module);
    free(d->name);
    free(d->signature.kinds);
    *d = (wx_definition){0};
}

// Takes over definition->signature, also when it fails.
static bool define(wasmx_linker *l, const char *module, const char *name, wx_definition definition) {
    definition.module = strdup(module);
    definition.name = strdup(name);
    if (!definition.module || !definition.name || !make_room(l)) {
        clear(&definition);
        return false;
    }
    wx_definition *d = slot_of(l, module, name);
    if (d->name) clear(d);
    else l->count++;
    *d = definition;
    return true;
}

wasmx_linker *wasmx_linker_new(void) { return calloc(1, sizeof(wasmx_linker)); }

void wasmx_linker_free(wasmx_linker *l) {
    if (!l) return;
    for (size_t k = 0; k < l->capacity; k++) clear(&l->slots[k]);
    free(l->slots);
    free(l);
}

static bool copy_definition(wasmx_linker *l, const wx_definition *d) {
    wx_definition copy = *d;
    uint32_t count = d->signature.params + d->signature.results;
    if (d->signature.kinds) {
        if (!(copy.signature.kinds = calloc(count + 1, sizeof *copy.signature.kinds))) return false;
        memcpy(copy.signature.kinds, d->signature.kinds, count * sizeof *copy.signature.kinds);
    }
    return define(l, d->module, d->name, copy);
}

wasmx_linker *wasmx_linker_copy(const wasmx_linker *from) {
    wasmx_linker *l = wasmx_linker_new();
    bool ok = l != NULL;
    if (ok && from) l->wasi = from->wasi;
    for (size_t k = 0; ok && from && k < from->capacity; k++)
        if (from->slots[k].name) ok = copy_definition(l, &from->slots[k]);
    if (ok) return l;
    wasmx_linker_free(l);
    return NULL;
}

bool wasmx_linker_has(const wasmx_linker *l, const char *module, const char *name) {
    return wx_linker_find(l, module, name) != NULL;
}

bool wasmx_linker_define_callback(wasmx_linker *l, const char *module, const char *name, const char *type,
                                  wasmx_callback callback, void *env) {
    wx_definition d = {.value.kind = WASMX_FUNC, .function = (void *)callback, .env = env, .is_callback = true};
    return wx_signature_read(&d.signature, type) && define(l, module, name, d);
}

bool wasmx_linker_define_typed(wasmx_linker *l, const char *module, const char *name, const char *type,
                               void (*function)(void)) {
    wx_definition d = {.value.kind = WASMX_FUNC, .function = (void *)function};
    return wx_signature_read(&d.signature, type) && define(l, module, name, d);
}

void wasmx_linker_define(wasmx_linker *l, const char *module, const char *name, wasmx_extern value) {
    define(l, module, name, (wx_definition){.value = value});
}

void wasmx_linker_define_instance(wasmx_linker *l, const char *module, wasmx_instance *instance) {
    const wasmx_module *m = wasmx_instance_module(instance);
    wasmx_extern value;
    for (uint32_t k = 0; k < m->export_count; k++)
        if (wasmx_export(instance, m->exports[k].name, &value))
            wasmx_linker_define(l, module, m->exports[k].name, value);
}
