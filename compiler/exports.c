// compiler/exports.c: C names for imports and exports.
#include "compiler/exports.h"

#include <ctype.h>
#include <string.h>

char *wx_c_name(wx_arena *a, wx_name name) {
    char *out = wx_arena_alloc(a, (size_t)name.len + 2), *at = out;
    if (!name.len || isdigit((unsigned char)name.ptr[0])) *at++ = '_';
    for (uint32_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.ptr[i];
        *at++ = c < 0x80 && isalnum(c) ? (char)c : '_';
    }
    return out;
}

// Words that contain no character but letters and _ and still name nothing; main is the program's own.
static const char *const words[] = {
    "alignas", "alignof", "and", "and_eq", "asm", "auto", "bitand", "bitor", "bool", "break", "case", "catch",
    "char", "class", "compl", "const", "const_cast", "constexpr", "continue", "decltype", "default", "delete", "do",
    "double", "dynamic_cast", "else", "enum", "explicit", "export", "extern", "false", "float", "for", "friend",
    "goto", "if", "inline", "int", "long", "main", "mutable", "namespace", "new", "noexcept", "not", "not_eq",
    "nullptr", "operator", "or", "or_eq", "private", "protected", "public", "register", "reinterpret_cast",
    "restrict", "return", "short", "signed", "sizeof", "static", "static_assert", "static_cast", "struct", "switch",
    "template", "this", "thread_local", "throw", "true", "try", "typedef", "typeid", "typename", "typeof",
    "union", "unsigned", "using", "virtual", "void", "volatile", "wchar_t", "while", "xor", "xor_eq",
};

bool wx_is_word(const char *name) {
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strcmp(words[i], name)) return true;
    return false;
}

char *wx_module_c_name(wx_arena *a, wx_name name) {
    char *plain = wx_c_name(a, name);
    return wx_is_word(plain) ? wx_arena_printf(a, "%s_", plain) : plain;
}

static bool is_wasi(wx_name module) {
    static const char *const names[] = {"wasi_snapshot_preview1", "wasi_unstable"};
    for (int i = 0; i < 2; i++)
        if (strlen(names[i]) == module.len && !memcmp(names[i], module.ptr, module.len)) return true;
    return false;
}

// ---- Names that are taken

static uint64_t key(const char *name) { return wx_hash64(name, strlen(name), 0) | 1; }

// Takes a name, with those of its accessors if it is a global's. False, and none is taken, when one already was.
static bool take(wx_unit *u, wx_map *taken, const char *name, bool global) {
    const char *names[3] = {name};
    unsigned n = 1;
    if (global) names[n++] = wx_arena_printf(&u->arena, "%s_get", name);
    if (global) names[n++] = wx_arena_printf(&u->arena, "%s_set", name);
    for (unsigned i = 0; i < n; i++)
        if (wx_map_get(taken, key(names[i]))) return false;
    for (unsigned i = 0; i < n; i++) *wx_map_put(taken, key(names[i]), NULL) = 1;
    return true;
}

// The name, or with the next number after it. What is tried is remembered, so that many of one name stay cheap.
static const char *unique(wx_unit *u, wx_map *taken, const char *name, bool global) {
    if (take(u, taken, name, global)) return name;
    for (;;) {
        int fresh;
        uint64_t *number = wx_map_put(taken, key(name), &fresh);
        *number += fresh ? 2 : 1;
        const char *candidate = wx_arena_printf(&u->arena, "%s_%u", name, (unsigned)*number);
        if (take(u, taken, candidate, global)) return candidate;
    }
}

// Two imports of one name get one symbol when they are linked, so only the table numbers repeated names.
static void name_imports(wx_unit *u) {
    wx_map taken = {0};
    const wx_module *m = u->m;
    u->import_names = wx_arena_array(&u->arena, m->func_imports, sizeof *u->import_names);
    u->typed_slots = wx_arena_array(&u->arena, m->func_imports, sizeof *u->typed_slots);
    int32_t slots = 0;
    for (uint32_t i = 0; i < m->func_imports; i++) {
        const wx_import *x = &m->imports[m->funcs[i].import];
        const char *module = wx_c_name(&u->arena, x->module), *field = wx_c_name(&u->arena, x->field);
        const char *name = wx_arena_printf(&u->arena, "%s_%s", module, field);
        if (wx_is_word(name)) name = wx_arena_printf(&u->arena, "%s_", name);
        u->import_names[i] = u->options->link_imports ? name : unique(u, &taken, name, false);
        u->typed_slots[i] = is_wasi(x->module) || u->options->link_imports ? -1 : slots++;
    }
    wx_map_free(&taken);
}

static const char *prefixed(wx_unit *u, const char *name) {
    return wx_arena_printf(&u->arena, "%s_%s", u->name, name);
}

void wx_name_exports(wx_unit *u) {
    static const char *const ours[] = {"imports", "instance", "instantiate", "free"};
    const wx_module *m = u->m;
    name_imports(u);
    u->export_names = wx_arena_array(&u->arena, m->export_count, sizeof *u->export_names);
    if (m->export_count > WX_MAX_HEADER_EXPORTS) return;
    wx_map taken = {0};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) take(u, &taken, prefixed(u, ours[i]), false);
    for (uint32_t i = 0; i < m->export_count; i++) {
        const char *name = prefixed(u, wx_c_name(&u->arena, m->exports[i].name));
        u->export_names[i] = unique(u, &taken, name, m->exports[i].kind == WX_EXTERN_GLOBAL);
    }
    wx_map_free(&taken);
}

static bool is_hosts(const wx_unit *u, uint32_t func) {
    uint32_t import = u->m->funcs[func].import;
    return import != WX_NO_INDEX && !is_wasi(u->m->imports[import].module);
}

const char *wx_linked_name(const wx_unit *u, uint32_t func) {
    if (!u->options->link_imports || !is_hosts(u, func)) return NULL;
    return u->import_names[func];
}

int32_t wx_typed_slot(const wx_unit *u, uint32_t func) { return u->typed_slots[func]; }

const char *wx_import_field(const wx_unit *u, uint32_t func) { return u->import_names[func]; }
