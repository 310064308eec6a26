// wasm/validate_types.c: type definitions and the relations between types (core 3.0, sections 3.1 to 3.3).
//
// in: m->types as decoded. out: canon and depth of each.
//
// Two types are the same when their recursion groups are, where a reference to a type of the group itself is told
// apart by its place in the group and any other by what it canonically is. So each group is written down in that
// form, hashed, and looked up once: linear time for the whole section.
#include <stdlib.h>

#include "base/buf.h"
#include "base/hash.h"
#include "wasm/validate.h"

bool wx_type_known(const wx_module *m, wx_type t) { return !wx_has_index(t) || wx_low(t) < m->type_count; }

static wx_type heap_of_kind(wx_kind kind) {
    return kind == WX_KIND_FUNC ? WX_HEAP_FUNC : kind == WX_KIND_STRUCT ? WX_HEAP_STRUCT : WX_HEAP_ARRAY;
}

wx_type wx_heap_top(const wx_module *m, wx_type heap) {
    if (wx_has_index(heap)) heap = heap_of_kind(m->types[wx_low(heap)].kind);
    switch (heap) {
    case WX_HEAP_FUNC: case WX_HEAP_NOFUNC: return WX_HEAP_FUNC;
    case WX_HEAP_EXTERN: case WX_HEAP_NOEXTERN: return WX_HEAP_EXTERN;
    case WX_HEAP_EXN: case WX_HEAP_NOEXN: return WX_HEAP_EXN;
    default: return WX_HEAP_ANY;
    }
}

// Abstract types only.
static bool abstract_matches(wx_type sub, wx_type super) {
    if (sub == super) return true;
    switch (super) {
    case WX_HEAP_ANY:
        return sub == WX_HEAP_EQ || sub == WX_HEAP_I31 || sub == WX_HEAP_STRUCT || sub == WX_HEAP_ARRAY ||
               sub == WX_HEAP_NONE;
    case WX_HEAP_EQ:
        return sub == WX_HEAP_I31 || sub == WX_HEAP_STRUCT || sub == WX_HEAP_ARRAY || sub == WX_HEAP_NONE;
    case WX_HEAP_I31: case WX_HEAP_STRUCT: case WX_HEAP_ARRAY: return sub == WX_HEAP_NONE;
    case WX_HEAP_FUNC: return sub == WX_HEAP_NOFUNC;
    case WX_HEAP_EXTERN: return sub == WX_HEAP_NOEXTERN;
    case WX_HEAP_EXN: return sub == WX_HEAP_NOEXN;
    default: return false;
    }
}

static bool index_matches(const wx_module *m, uint32_t sub, uint32_t super) {
    uint32_t canon = m->types[super].canon, depth = m->types[super].depth;
    while (m->types[sub].depth > depth) sub = m->types[sub].super;
    return m->types[sub].canon == canon;
}

bool wx_heap_matches(const wx_module *m, wx_type sub, wx_type super) {
    if (sub == super || sub == WX_BOTTOM_HEAP) return true;
    if (wx_has_index(sub) && wx_has_index(super)) return index_matches(m, wx_low(sub), wx_low(super));
    if (wx_has_index(sub)) return abstract_matches(heap_of_kind(m->types[wx_low(sub)].kind), super);
    if (!wx_has_index(super)) return abstract_matches(sub, super);
    bool is_func = m->types[wx_low(super)].kind == WX_KIND_FUNC;
    return sub == (is_func ? WX_HEAP_NOFUNC : WX_HEAP_NONE);
}

bool wx_type_matches(const wx_module *m, wx_type sub, wx_type super) {
    if (sub == super || sub == WX_BOTTOM) return true;
    if (!wx_is_ref(sub) || !wx_is_ref(super)) return false;
    if (wx_is_nullable(sub) && !wx_is_nullable(super)) return false;
    return wx_heap_matches(m, wx_heap_of(sub), wx_heap_of(super));
}

// Every type a definition mentions: parameters, results, fields.
typedef struct mention {
    const wx_typedef *t;
    uint32_t i;
} mention;

static bool next_mention(mention *it, wx_type *out) {
    const wx_typedef *t = it->t;
    uint32_t i = it->i++;
    if (i < t->param_count) return *out = t->params[i], true;
    i -= t->param_count;
    if (i < t->result_count) return *out = t->results[i], true;
    i -= t->result_count;
    if (i < t->field_count) return *out = t->fields[i].type, true;
    return false;
}

static bool check_mentions(const wx_module *m, uint32_t index, wx_error *e) {
    const wx_typedef *t = &m->types[index];
    mention it = {t, 0};
    for (wx_type x; next_mention(&it, &x);)
        if (wx_has_index(x) && wx_low(x) >= t->group + t->group_size)
            return wx_fail(e, WX_ERR_INVALID, "unknown type: type %u mentions type %u", index, wx_low(x));
    return true;
}

// A type as it is written down for comparison: a place in the group, or the canonical index.
static uint32_t written(const wx_module *m, uint32_t group, wx_type t) {
    if (!wx_has_index(t)) return t;
    uint32_t i = wx_low(t);
    return i >= group ? (t & ~WX_LOW_MASK) | 1u << 28 | (i - group) : (t & ~WX_LOW_MASK) | m->types[i].canon;
}

static void write_type(const wx_module *m, const wx_typedef *t, wx_buf *out) {
    uint32_t super = t->super == WX_NO_INDEX ? WX_NO_INDEX : written(m, t->group, WX_INDEX_BIT | t->super);
    uint32_t head[] = {t->kind | (uint32_t)t->final << 8, super, t->param_count, t->result_count, t->field_count};
    wx_buf_add(out, head, sizeof head);
    mention it = {t, 0};
    for (wx_type x; next_mention(&it, &x);) {
        uint32_t w = written(m, t->group, x);
        wx_buf_add(out, &w, sizeof w);
    }
    for (uint32_t i = 0; i < t->field_count; i++) wx_buf_byte(out, t->fields[i].mutable);
}

// A 64-bit key of a group. SHA-256 because whoever made the module must not be able to choose two groups that collide.
static uint64_t group_key(const wx_module *m, uint32_t group, wx_buf *scratch) {
    const wx_typedef *first = &m->types[group];
    scratch->len = 0;
    for (uint32_t i = 0; i < first->group_size; i++) write_type(m, first + i, scratch);
    uint8_t digest[32];
    wx_sha256(scratch->data, scratch->len, digest);
    uint64_t key = 0;
    for (int i = 0; i < 8; i++) key = key << 8 | digest[i];
    return key ? key : 1;
}

static bool same_type(const wx_module *m, const wx_typedef *a, const wx_typedef *b) {
    if (a->kind != b->kind || a->final != b->final || a->param_count != b->param_count ||
        a->result_count != b->result_count || a->field_count != b->field_count ||
        (a->super == WX_NO_INDEX) != (b->super == WX_NO_INDEX))
        return false;
    if (a->super != WX_NO_INDEX &&
        written(m, a->group, WX_INDEX_BIT | a->super) != written(m, b->group, WX_INDEX_BIT | b->super))
        return false;
    mention ia = {a, 0}, ib = {b, 0};
    for (wx_type x, y; next_mention(&ia, &x) && next_mention(&ib, &y);)
        if (written(m, a->group, x) != written(m, b->group, y)) return false;
    for (uint32_t i = 0; i < a->field_count; i++)
        if (a->fields[i].mutable != b->fields[i].mutable) return false;
    return true;
}

static bool same_group(const wx_module *m, uint32_t a, uint32_t b) {
    if (m->types[a].group_size != m->types[b].group_size) return false;
    for (uint32_t i = 0; i < m->types[a].group_size; i++)
        if (!same_type(m, &m->types[a + i], &m->types[b + i])) return false;
    return true;
}

// Finds the first group that is the same as this one, which may be itself.
static void canonicalise(wx_module *m, uint32_t group, wx_map *seen, wx_buf *scratch) {
    uint32_t size = m->types[group].group_size;
    for (uint64_t key = group_key(m, group, scratch);; key += key == UINT64_MAX ? 2 : 1) {
        uint64_t *place = wx_map_put(seen, key, NULL);
        if (*place == 0) *place = group + 1;
        uint32_t first = (uint32_t)*place - 1;
        if (first != group && !same_group(m, first, group)) continue;
        for (uint32_t i = 0; i < size; i++) m->types[group + i].canon = first + i;
        return;
    }
}

static bool func_matches(const wx_module *m, const wx_typedef *sub, const wx_typedef *super) {
    if (sub->param_count != super->param_count || sub->result_count != super->result_count) return false;
    for (uint32_t i = 0; i < sub->param_count; i++)
        if (!wx_type_matches(m, super->params[i], sub->params[i])) return false;
    for (uint32_t i = 0; i < sub->result_count; i++)
        if (!wx_type_matches(m, sub->results[i], super->results[i])) return false;
    return true;
}

// A mutable field must have the very same type, an immutable one may be narrower.
static bool fields_match(const wx_module *m, const wx_typedef *sub, const wx_typedef *super) {
    if (sub->field_count < super->field_count) return false;
    for (uint32_t i = 0; i < super->field_count; i++) {
        const wx_field *a = &sub->fields[i], *b = &super->fields[i];
        if (a->mutable != b->mutable || !wx_type_matches(m, a->type, b->type)) return false;
        if (a->mutable && !wx_type_matches(m, b->type, a->type)) return false;
    }
    return true;
}

static bool set_depth(wx_module *m, uint32_t index, wx_error *e) {
    wx_typedef *t = &m->types[index];
    if (t->super == WX_NO_INDEX) return true;
    if (t->super >= index)
        return wx_fail(e, WX_ERR_INVALID, "unknown type %u as supertype of type %u", t->super, index);
    t->depth = m->types[t->super].depth + 1;
    if (t->depth <= WX_MAX_SUBTYPE_DEPTH) return true;
    return wx_fail(e, WX_ERR_LIMIT, "too many supertypes above type %u, the limit is %u", index, WX_MAX_SUBTYPE_DEPTH);
}

static bool check_super(const wx_module *m, uint32_t index, wx_error *e) {
    const wx_typedef *t = &m->types[index];
    if (t->super == WX_NO_INDEX) return true;
    const wx_typedef *super = &m->types[t->super];
    bool ok = !super->final && super->kind == t->kind &&
              (t->kind == WX_KIND_FUNC ? func_matches(m, t, super) : fields_match(m, t, super));
    return ok || wx_fail(e, WX_ERR_INVALID, "sub type %u does not match its supertype %u", index, t->super);
}

static bool check_group(wx_module *m, uint32_t group, wx_map *seen, wx_buf *scratch, wx_error *e) {
    uint32_t end = group + m->types[group].group_size;
    for (uint32_t i = group; i < end; i++)
        if (!check_mentions(m, i, e) || !set_depth(m, i, e)) return false;
    canonicalise(m, group, seen, scratch);
    for (uint32_t i = group; i < end; i++)
        if (!check_super(m, i, e)) return false;
    return true;
}

bool wx_validate_types(wx_module *m, wx_error *e) {
    wx_map seen = {0};
    wx_buf scratch = {0};
    bool ok = true;
    for (uint32_t i = 0; ok && i < m->type_count; i += m->types[i].group_size)
        ok = check_group(m, i, &seen, &scratch, e);
    wx_map_free(&seen);
    wx_buf_free(&scratch);
    return ok;
}
