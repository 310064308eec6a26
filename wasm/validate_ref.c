// wasm/validate_ref.c: references, structures and arrays (core 3.0, sections 3.4.6 and following).
#include "wasm/validate.h"

static wx_type ref_to(uint32_t type) { return WX_REF(false, WX_INDEX_BIT | type); }
static wx_type ref_null_to(uint32_t type) { return WX_REF(true, WX_INDEX_BIT | type); }
static wx_type non_null(wx_type t) { return t & ~WX_NULL_BIT; }

void wx_check_ref_null(wx_checker *c) { wx_push(c, WX_REF(true, c->in.type)); }

void wx_check_ref_is_null(wx_checker *c) {
    wx_pop_ref(c);
    wx_push(c, WX_I32);
}

void wx_check_ref_func(wx_checker *c) {
    const wx_func *f = &c->m->funcs[c->in.a];
    if (!f->is_ref) wx_check_fail(c, "undeclared function reference %u", c->in.a);
    wx_push(c, ref_to(f->type));
}

void wx_check_ref_eq(wx_checker *c) {
    wx_pop(c, WX_REF(true, WX_HEAP_EQ));
    wx_pop(c, WX_REF(true, WX_HEAP_EQ));
    wx_push(c, WX_I32);
}

void wx_check_ref_as_non_null(wx_checker *c) { wx_push(c, non_null(wx_pop_ref(c))); }

// Branches by reference

void wx_check_br_on_null(wx_checker *c) {
    wx_type t = wx_pop_ref(c);
    wx_types label = wx_label_types(c, c->in.a);
    wx_pop_list(c, label);
    wx_push_list(c, label);
    wx_push(c, non_null(t));
}

// The label takes the reference as the last of its values; what stays behind are the others.
static void branch_with(wx_checker *c, wx_type ref) {
    wx_types label = wx_label_types(c, c->in.a);
    if (label.count == 0) {
        wx_check_fail(c, "type mismatch: %s to a label that takes no reference", wx_ops[c->in.op].text);
        return;
    }
    wx_push(c, ref);
    wx_pop_list(c, label);
    label.count--;
    wx_push_list(c, label);
}

void wx_check_br_on_non_null(wx_checker *c) { branch_with(c, non_null(wx_pop_ref(c))); }

// What is left of a type when a cast to `to` failed.
static wx_type without(wx_type from, wx_type to) { return wx_is_nullable(to) ? non_null(from) : from; }

static void cast_branch(wx_checker *c, wx_type taken, wx_type stays) {
    if (!wx_type_matches(c->m, c->in.type2, c->in.type))
        wx_check_fail(c, "type mismatch: %s to a type that is no subtype", wx_ops[c->in.op].text);
    wx_pop(c, c->in.type);
    branch_with(c, taken);
    wx_push(c, stays);
}

void wx_check_br_on_cast(wx_checker *c) { cast_branch(c, c->in.type2, without(c->in.type, c->in.type2)); }
void wx_check_br_on_cast_fail(wx_checker *c) { cast_branch(c, without(c->in.type, c->in.type2), c->in.type2); }

// Casts

void wx_check_ref_test(wx_checker *c) {
    wx_pop(c, WX_REF(true, wx_heap_top(c->m, c->in.type)));
    wx_push(c, WX_I32);
}

void wx_check_ref_cast(wx_checker *c) {
    wx_pop(c, WX_REF(true, wx_heap_top(c->m, c->in.type)));
    wx_push(c, WX_REF(c->in.op == WX_OP_REF_CAST_NULL, c->in.type));
}

static void convert(wx_checker *c, wx_type from, wx_type to) {
    wx_type t = wx_pop(c, WX_REF(true, from));
    wx_push(c, WX_REF(t != WX_BOTTOM && wx_is_nullable(t), to));
}

void wx_check_any_convert(wx_checker *c) { convert(c, WX_HEAP_EXTERN, WX_HEAP_ANY); }
void wx_check_extern_convert(wx_checker *c) { convert(c, WX_HEAP_ANY, WX_HEAP_EXTERN); }

void wx_check_ref_i31(wx_checker *c) {
    wx_pop(c, WX_I32);
    wx_push(c, WX_REF(false, WX_HEAP_I31));
}

void wx_check_i31_get(wx_checker *c) {
    wx_pop(c, WX_REF(true, WX_HEAP_I31));
    wx_push(c, WX_I32);
}

// Structures

void wx_check_struct_new(wx_checker *c) {
    const wx_typedef *t = wx_type_of_kind(c, c->in.a, WX_KIND_STRUCT);
    if (!t) return;
    wx_pop_fields(c, t);
    wx_push(c, ref_to(c->in.a));
}

void wx_check_struct_new_default(wx_checker *c) {
    const wx_typedef *t = wx_type_of_kind(c, c->in.a, WX_KIND_STRUCT);
    if (!t) return;
    for (uint32_t i = 0; i < t->field_count; i++)
        if (!wx_has_default(t->fields[i].type))
            wx_check_fail(c, "field type is not defaultable: field %u of type %u", i, c->in.a);
    wx_push(c, ref_to(c->in.a));
}

static const wx_field *struct_field(wx_checker *c) {
    const wx_typedef *t = wx_type_of_kind(c, c->in.a, WX_KIND_STRUCT);
    if (!t) return NULL;
    if (c->in.b < t->field_count) return &t->fields[c->in.b];
    wx_check_fail(c, "unknown field %u of type %u", c->in.b, c->in.a);
    return NULL;
}

// The plain form reads unpacked fields, _s and _u packed ones.
static void check_packing(wx_checker *c, const wx_field *f, bool plain) {
    bool packed = f->type != wx_unpacked(f->type);
    if (packed == plain)
        wx_check_fail(c, "type mismatch: %s of a field that is %spacked", wx_ops[c->in.op].text, packed ? "" : "not ");
}

static void check_mutable(wx_checker *c, const wx_field *f, const char *what) {
    if (!f->mutable) wx_check_fail(c, "immutable %s", what);
}

void wx_check_struct_get(wx_checker *c) {
    const wx_field *f = struct_field(c);
    if (!f) return;
    check_packing(c, f, c->in.op == WX_OP_STRUCT_GET);
    wx_pop(c, ref_null_to(c->in.a));
    wx_push(c, wx_unpacked(f->type));
}

void wx_check_struct_set(wx_checker *c) {
    const wx_field *f = struct_field(c);
    if (!f) return;
    check_mutable(c, f, "field");
    wx_pop(c, wx_unpacked(f->type));
    wx_pop(c, ref_null_to(c->in.a));
}

// Arrays

static const wx_field *array_field(wx_checker *c, uint32_t type) {
    const wx_typedef *t = wx_type_of_kind(c, type, WX_KIND_ARRAY);
    return t ? t->fields : NULL;
}

void wx_check_array_new(wx_checker *c) {
    const wx_field *f = array_field(c, c->in.a);
    if (!f) return;
    wx_pop(c, WX_I32);
    wx_pop(c, wx_unpacked(f->type));
    wx_push(c, ref_to(c->in.a));
}

void wx_check_array_new_default(wx_checker *c) {
    const wx_field *f = array_field(c, c->in.a);
    if (!f) return;
    if (!wx_has_default(f->type)) wx_check_fail(c, "array type is not defaultable: type %u", c->in.a);
    wx_pop(c, WX_I32);
    wx_push(c, ref_to(c->in.a));
}

// In unreachable code the operands need not be there, so their count has to be bounded by itself.
void wx_check_array_new_fixed(wx_checker *c) {
    const wx_field *f = array_field(c, c->in.a);
    if (!f) return;
    uint32_t there = c->depth - c->floor;
    bool missing = c->in.b > there;
    for (uint32_t i = missing ? there : c->in.b; i-- > 0;) wx_pop(c, wx_unpacked(f->type));
    if (missing) wx_pop(c, wx_unpacked(f->type));
    wx_push(c, ref_to(c->in.a));
}

static void check_data_array(wx_checker *c, const wx_field *f) {
    if (wx_is_ref(f->type)) wx_check_fail(c, "array type is not numeric or vector: type %u", c->in.a);
}

static void check_elem_array(wx_checker *c, const wx_field *f) {
    if (!wx_type_matches(c->m, c->m->elems[c->in.b].type, f->type))
        wx_check_fail(c, "type mismatch: %s of type %u from elem segment %u", wx_ops[c->in.op].text, c->in.a, c->in.b);
}

static void new_from_segment(wx_checker *c) {
    wx_pop(c, WX_I32);
    wx_pop(c, WX_I32);
    wx_push(c, ref_to(c->in.a));
}

void wx_check_array_new_data(wx_checker *c) {
    const wx_field *f = array_field(c, c->in.a);
    if (!f) return;
    check_data_array(c, f);
    new_from_segment(c);
}

void wx_check_array_new_elem(wx_checker *c) {
    const wx_field *f = array_field(c, c->in.a);
    if (!f) return;
    check_elem_array(c, f);
    new_from_segment(c);
}

void wx_check_array_get(wx_checker *c) {
    const wx_field *f = array_field(c, c->in.a);
    if (!f) return;
    check_packing(c, f, c->in.op == WX_OP_ARRAY_GET);
    wx_pop(c, WX_I32);
    wx_pop(c, ref_null_to(c->in.a));
    wx_push(c, wx_unpacked(f->type));
}

void wx_check_array_set(wx_checker *c) {
    const wx_field *f = array_field(c, c->in.a);
    if (!f) return;
    check_mutable(c, f, "array");
    wx_pop(c, wx_unpacked(f->type));
    wx_pop(c, WX_I32);
    wx_pop(c, ref_null_to(c->in.a));
}

void wx_check_array_len(wx_checker *c) {
    wx_pop(c, WX_REF(true, WX_HEAP_ARRAY));
    wx_push(c, WX_I32);
}

void wx_check_array_fill(wx_checker *c) {
    const wx_field *f = array_field(c, c->in.a);
    if (!f) return;
    check_mutable(c, f, "array");
    wx_pop(c, WX_I32);
    wx_pop(c, wx_unpacked(f->type));
    wx_pop(c, WX_I32);
    wx_pop(c, ref_null_to(c->in.a));
}

void wx_check_array_copy(wx_checker *c) {
    const wx_field *to = array_field(c, c->in.a), *from = to ? array_field(c, c->in.b) : NULL;
    if (!from) return;
    check_mutable(c, to, "array");
    if (!wx_type_matches(c->m, from->type, to->type))
        wx_check_fail(c, "array types do not match: types %u and %u", c->in.a, c->in.b);
    wx_pop(c, WX_I32);
    wx_pop(c, WX_I32);
    wx_pop(c, ref_null_to(c->in.b));
    wx_pop(c, WX_I32);
    wx_pop(c, ref_null_to(c->in.a));
}

static void init_from_segment(wx_checker *c) {
    wx_pop(c, WX_I32);
    wx_pop(c, WX_I32);
    wx_pop(c, WX_I32);
    wx_pop(c, ref_null_to(c->in.a));
}

void wx_check_array_init_data(wx_checker *c) {
    const wx_field *f = array_field(c, c->in.a);
    if (!f) return;
    check_mutable(c, f, "array");
    check_data_array(c, f);
    init_from_segment(c);
}

void wx_check_array_init_elem(wx_checker *c) {
    const wx_field *f = array_field(c, c->in.a);
    if (!f) return;
    check_mutable(c, f, "array");
    check_elem_array(c, f);
    init_from_segment(c);
}
