// compiler/exports.c: C names for imports and exports.
#include "compiler/exports.h"

#include <ctype.h>
#include <string.h>

char *wx_c_name(wx_arena *a, wx_name name) {
    char *out = wx_arena_alloc(a, (size_t)name.len + 2), *at = out;
    if (!name.len || isdigit((unsigned char)name.ptr[0])) *at++ = '_';
    for (uint32_t i = 0; i < name.len; i++)
        *at++ = isalnum((unsigned char)name.ptr[i]) && (uint8_t)name.ptr[i] < 0x80 ? name.ptr[i] : '_';
    return out;
}

static uint64_t key(const char *name) { return wx_hash64(name, strlen(name), 0) | 1; }

static char *unique(wx_unit *u, wx_map *seen, const char *name) {
    for (unsigned n = 1;; n++) {
        char *candidate = n == 1 ? wx_arena_printf(&u->arena, "%s_%s", u->name, name)
                                 : wx_arena_printf(&u->arena, "%s_%s_%u", u->name, name, n);
        int fresh;
        wx_map_put(seen, key(candidate), &fresh);
        if (fresh) return candidate;
    }
}

// Two imports of one name get one symbol when they are linked, so only the table numbers repeated names.
static void name_imports(wx_unit *u) {
    wx_map seen = {0};
    u->import_names = wx_arena_array(&u->arena, u->m->func_imports, sizeof *u->import_names);
    for (uint32_t i = 0; i < u->m->func_imports; i++) {
        const wx_import *x = &u->m->imports[u->m->funcs[i].import];
        char *name =
            wx_arena_printf(&u->arena, "%s_%s", wx_c_name(&u->arena, x->module), wx_c_name(&u->arena, x->field));
        int fresh;
        uint64_t *times = wx_map_put(&seen, key(name), &fresh);
        if (++*times > 1 && !u->options->link_imports)
            name = wx_arena_printf(&u->arena, "%s_%u", name, (unsigned)*times);
        u->import_names[i] = name;
    }
    wx_map_free(&seen);
}

void wx_name_exports(wx_unit *u) {
    name_imports(u);
    static const char *const taken[] = {"imports", "instance", "instantiate", "free"};
    u->export_names = wx_arena_array(&u->arena, u->m->export_count, sizeof *u->export_names);
    if (u->m->export_count > WX_MAX_HEADER_EXPORTS) return;
    wx_map seen = {0};
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) unique(u, &seen, taken[i]);
    for (uint32_t i = 0; i < u->m->export_count; i++)
        u->export_names[i] = unique(u, &seen, wx_c_name(&u->arena, u->m->exports[i].name));
    wx_map_free(&seen);
}

static bool is_wasi(wx_name module) {
    static const char *const names[] = {"wasi_snapshot_preview1", "wasi_unstable"};
    for (int i = 0; i < 2; i++)
        if (strlen(names[i]) == module.len && !memcmp(names[i], module.ptr, module.len)) return true;
    return false;
}

static bool is_hosts(const wx_unit *u, uint32_t func) {
    uint32_t import = u->m->funcs[func].import;
    return import != WX_NO_INDEX && !is_wasi(u->m->imports[import].module);
}

const char *wx_linked_name(const wx_unit *u, uint32_t func) {
    if (!u->options->link_imports || !is_hosts(u, func)) return NULL;
    return u->import_names[func];
}

int32_t wx_typed_slot(const wx_unit *u, uint32_t func) {
    if (u->options->link_imports || !is_hosts(u, func)) return -1;
    int32_t slot = 0;
    for (uint32_t i = 0; i < func; i++) slot += is_hosts(u, i);
    return slot;
}

const char *wx_import_field(const wx_unit *u, uint32_t func) { return u->import_names[func]; }
