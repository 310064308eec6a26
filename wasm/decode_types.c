// wasm/decode_types.c: the type section.
//
// in: a reader of the section. out: m->types with everything but canon and depth.
#include "wasm/decode.h"

typedef struct types {
    wx_module *m;
    wx_reader *r;
    uint32_t cap;
} types;

void wx_note_type(wx_module *m, wx_type t) { m->features |= wx_type_features(t); }

static wx_type *read_list(types *t, uint32_t count) {
    wx_type *list = WX_NEW_ARRAY(&t->m->arena, wx_type, count);
    for (uint32_t i = 0; i < count && wx_reader_ok(t->r); i++) {
        list[i] = wx_read_value_type(t->r);
        wx_note_type(t->m, list[i]);
    }
    return list;
}

static uint32_t read_limited(types *t, uint32_t min_bytes, uint32_t limit, const char *what) {
    uint32_t n = wx_read_count(t->r, min_bytes);
    if (n <= limit) return n;
    wx_reader_fail(t->r, WX_ERR_LIMIT, "too many %s: %u, the limit is %u", what, n, limit);
    return 0;
}

static void read_func(types *t, wx_typedef *out) {
    out->kind = WX_KIND_FUNC;
    out->param_count = read_limited(t, 1, WX_MAX_PARAMS, "parameters");
    out->params = read_list(t, out->param_count);
    out->result_count = read_limited(t, 1, WX_MAX_RESULTS, "results");
    out->results = read_list(t, out->result_count);
    if (out->result_count > 1) t->m->features |= WX_FEATURE_BIT(MULTI_VALUE);
}

static void read_fields(types *t, wx_typedef *out, wx_kind kind, uint32_t count) {
    wx_field *fields = WX_NEW_ARRAY(&t->m->arena, wx_field, count);
    out->kind = kind;
    out->fields = fields;
    out->field_count = count;
    t->m->features |= WX_FEATURE_BIT(GC);
    for (uint32_t i = 0; i < count && wx_reader_ok(t->r); i++) {
        fields[i].type = wx_read_storage_type(t->r);
        wx_note_type(t->m, fields[i].type);
        uint8_t mutable = wx_read_u8(t->r);
        if (mutable > 1) wx_reader_fail(t->r, WX_ERR_MALFORMED, "malformed mutability");
        fields[i].mutable = mutable;
    }
}

static void read_composite(types *t, uint8_t form, wx_typedef *out) {
    switch (form) {
    case 0x60: read_func(t, out); break;
    case 0x5f: read_fields(t, out, WX_KIND_STRUCT, read_limited(t, 2, WX_MAX_FIELDS, "fields")); break;
    case 0x5e: read_fields(t, out, WX_KIND_ARRAY, 1); break;
    default: wx_reader_fail(t->r, WX_ERR_MALFORMED, "integer representation too long: type form 0x%02x", form);
    }
}

// 0x50 is sub, 0x4f is sub final, each with its supertypes; a composite type alone is final without any.
static void read_subtype(types *t, uint8_t form, wx_typedef *out) {
    out->final = true;
    out->super = WX_NO_INDEX;
    if (form == 0x50 || form == 0x4f) {
        out->final = form == 0x4f;
        uint32_t supers = wx_read_count(t->r, 1);
        if (supers > 1) wx_reader_fail(t->r, WX_ERR_INVALID, "sub type: more than one supertype");
        if (supers) out->super = wx_read_u32(t->r);
        if (supers && out->super > WX_LOW_MASK) out->super = WX_LOW_MASK;
        t->m->features |= WX_FEATURE_BIT(GC);
        form = wx_read_u8(t->r);
    }
    read_composite(t, form, out);
}

static void reserve(types *t, uint32_t more) {
    wx_module *m = t->m;
    if (more > WX_MAX_TYPES - m->type_count) {
        wx_reader_fail(t->r, WX_ERR_LIMIT, "too many types: the limit is %u", WX_MAX_TYPES);
        return;
    }
    if (m->type_count + more <= t->cap) return;
    t->cap = t->cap * 2 > m->type_count + more ? t->cap * 2 : m->type_count + more;
    wx_typedef *all = WX_NEW_ARRAY(&m->arena, wx_typedef, t->cap);
    for (uint32_t i = 0; i < m->type_count; i++) all[i] = m->types[i];
    m->types = all;
}

static void read_group(types *t) {
    wx_module *m = t->m;
    uint8_t form = wx_read_u8(t->r);
    bool explicit = form == 0x4e;
    uint32_t size = explicit ? wx_read_count(t->r, 2) : 1, first = m->type_count;
    reserve(t, size);
    if (explicit) m->features |= WX_FEATURE_BIT(GC);
    for (uint32_t i = 0; i < size && wx_reader_ok(t->r); i++) {
        wx_typedef *out = &m->types[m->type_count++];
        out->group = first;
        out->group_size = size;
        read_subtype(t, explicit ? wx_read_u8(t->r) : form, out);
    }
}

void wx_decode_types(wx_module *m, wx_reader *r) {
    types t = {.m = m, .r = r};
    uint32_t groups = wx_read_count(r, 2);
    reserve(&t, groups);
    for (uint32_t i = 0; i < groups && wx_reader_ok(r); i++) read_group(&t);
}
