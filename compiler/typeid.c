// compiler/typeid.c: identities of types (runtime/abi.h says what they promise).
#include "compiler/unit.h"

static uint32_t simple_kind(wx_type t) {
    switch (t) {
    case WX_I32: return WASMX_I32;
    case WX_I64: return WASMX_I64;
    case WX_F32: return WASMX_F32;
    case WX_F64: return WASMX_F64;
    case WX_V128: return WASMX_V128;
    case WX_FUNCREF: return WASMX_FUNCREF;
    case WX_EXTERNREF: return WASMX_EXTERNREF;
    default: return 0;
    }
}

// Other reference types keep the compiler's code, by the canonical type index so that equal codes are equal types.
uint32_t wx_desc_kind(const wx_module *m, wx_type t) {
    uint32_t kind = simple_kind(t);
    if (kind) return kind;
    if (!wx_has_index(t)) return t;
    uint32_t object = wx_holds_objects(m, t) ? WXRT_OBJECT_BIT : 0;
    return (t & ~WX_LOW_MASK) | object | m->types[wx_low(t)].canon;
}

static bool append(uint64_t *id, const wx_type *types, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        uint32_t kind = simple_kind(types[i]);
        if (!kind) return false;
        *id = *id << 3 | kind;
    }
    return true;
}

bool wx_holds_functions(const wx_module *m, wx_type t) {
    if (wx_has_index(t)) return m->types[wx_low(t)].kind == WX_KIND_FUNC;
    return wx_low(t) == WX_HEAP_FUNC || wx_low(t) == WX_HEAP_NOFUNC;
}

uint64_t wx_type_id(const wx_module *m, uint32_t type) {
    const wx_typedef *t = &m->types[type];
    bool plain = t->kind == WX_KIND_FUNC && t->final && t->super == WX_NO_INDEX && t->group_size <= 1;
    if (!plain || t->param_count > WXRT_TYPE_DIGITS || t->result_count > WXRT_TYPE_DIGITS - t->param_count) return 0;
    uint64_t id = 1;
    if (!append(&id, t->params, t->param_count)) return 0;
    id <<= 3;
    return append(&id, t->results, t->result_count) ? id : 0;
}

// ---- Canonical bytes: the whole recursion group, with references into it by position and references out of it by the
// SHA-256 of their own canonical bytes; then the position of the type in its group.

static void add_type(const wx_module *m, const wx_typedef *group, wx_type t, wx_buf *out) {
    wx_buf_u32le(out, wx_has_index(t) ? t & ~WX_LOW_MASK : t);
    if (!wx_has_index(t)) return;
    uint32_t index = wx_low(t);
    if (index >= group->group && index < group->group + group->group_size) {
        wx_buf_byte(out, 1);
        wx_buf_u32le(out, index - group->group);
        return;
    }
    uint8_t digest[32];
    wx_buf outer = {0};
    wx_type_canonical(m, index, &outer);
    wx_sha256(outer.data, outer.len, digest);
    wx_buf_byte(out, 2);
    wx_buf_add(out, digest, sizeof digest);
    wx_buf_free(&outer);
}

static void add_types(const wx_module *m, const wx_typedef *group, const wx_type *types, uint32_t n, wx_buf *out) {
    wx_buf_u32le(out, n);
    for (uint32_t i = 0; i < n; i++) add_type(m, group, types[i], out);
}

static void add_definition(const wx_module *m, const wx_typedef *t, wx_buf *out) {
    wx_buf_byte(out, (uint8_t)t->kind);
    wx_buf_byte(out, t->final);
    wx_buf_byte(out, t->super != WX_NO_INDEX);
    if (t->super != WX_NO_INDEX) add_type(m, t, WX_REF(true, WX_INDEX_BIT | t->super), out);
    add_types(m, t, t->params, t->param_count, out);
    add_types(m, t, t->results, t->result_count, out);
    wx_buf_u32le(out, t->field_count);
    for (uint32_t i = 0; i < t->field_count; i++) {
        wx_buf_byte(out, t->fields[i].mutable);
        add_type(m, t, t->fields[i].type, out);
    }
}

// Recursion ends: a group refers to earlier groups only.
void wx_type_canonical(const wx_module *m, uint32_t type, wx_buf *out) {
    const wx_typedef *t = &m->types[type];
    wx_buf_u32le(out, type - t->group);
    for (uint32_t i = 0; i < t->group_size; i++) add_definition(m, &m->types[t->group + i], out);
}
