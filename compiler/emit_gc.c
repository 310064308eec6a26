// compiler/emit_gc.c: structs, arrays and i31 (core 4.4.5), and what a reference is asked for (casts).
//
// A reference is 32 bits in a pointer's register (runtime/abi.h draws what it leads to). Objects are reached by adding
// these 32 bits to the heap's base, so that no value they could have leads out of it; null is checked each time.
#include "compiler/emit.h"

static v instance(fn *f) { return instance_of(f->p, f->ctx); }

static v word_of(fn *f, v ref) { return LLVMBuildPtrToInt(f->b, ref, f->p->i32, ""); }
static v as_ref(fn *f, v word) { return LLVMBuildIntToPtr(f->b, word, f->p->ptr, ""); }
static v is_null(fn *f, v ref) { return LLVMBuildIsNull(f->b, ref, ""); }
static v compare(fn *f, LLVMIntPredicate how, v a, uint64_t b) {
    return LLVMBuildICmp(f->b, how, a, LLVMConstInt(LLVMTypeOf(a), b, false), "");
}

static v heap_field(fn *f, size_t field) {
    v load = load_field(f, f->p->ptr, f->ctx, wxrt_area_offset(f->p->u->layout.gc, field));
    set_scope(f->p, load, SCOPE_ALLOCATOR);
    return load;
}

static v heap_base(fn *f) { return heap_field(f, offsetof(struct wxrt_gc, base)); }

// The bytes at a place in the heap.
static v bytes_at(fn *f, v word) {
    v wide = LLVMBuildZExt(f->b, word, f->p->i64, "");
    return LLVMBuildGEP2(f->b, f->p->i8, heap_base(f), &wide, 1, "");
}

static v field_at(fn *f, v ref, uint32_t offset) {
    v object = bytes_at(f, word_of(f, ref));
    return offset ? byte_offset(f->p, object, offset) : object;
}

// Of the tag of an object, or the length of an array: written when it is made, and never again.
static v load_head(fn *f, v ref, uint32_t offset) {
    v load = load_field(f, f->p->i32, field_at(f, ref, offset), 0);
    set_scope(f->p, load, SCOPE_HEAD);
    return load;
}

static void store_head(fn *f, v value, v ref, uint32_t offset) {
    set_scope(f->p, LLVMBuildStore(f->b, value, field_at(f, ref, offset)), SCOPE_HEAD);
}

// ---- Fields and elements, in the form they are stored in

static ty storage_type(fn *f, wx_type t) {
    if (t == WX_I8) return f->p->i8;
    if (t == WX_I16) return f->p->i16;
    return wx_holds_objects(f->m, t) ? f->p->i32 : value_type(f->p, t);
}

static v load_stored(fn *f, wx_type t, v place, bool is_signed) {
    v x = load_field(f, storage_type(f, t), place, 0);
    set_scope(f->p, x, SCOPE_OBJECT);
    if (wx_holds_objects(f->m, t)) return as_ref(f, x);
    if (t != WX_I8 && t != WX_I16) return x;
    return is_signed ? LLVMBuildSExt(f->b, x, f->p->i32, "") : LLVMBuildZExt(f->b, x, f->p->i32, "");
}

static v stored_form(fn *f, wx_type t, v x) {
    if (wx_holds_objects(f->m, t)) return word_of(f, x);
    return t == WX_I8 || t == WX_I16 ? LLVMBuildTrunc(f->b, x, storage_type(f, t), "") : x;
}

static void store_stored(fn *f, wx_type t, v x, v place) {
    set_scope(f->p, LLVMBuildStore(f->b, stored_form(f, t, x), place), SCOPE_OBJECT);
}

// ---- Types

static v type_id_at(fn *f, ty type, uint32_t index) {
    v ids = hidden_global(f->p, symbol(f->p, "type_ids"), LLVMArrayType2(f->p->i64, f->m->type_count));
    return load_const(f, type, ids, (int64_t)(index * sizeof(uint64_t)));
}

v type_identity(fn *f, uint32_t type) {
    uint64_t id = wx_type_id(f->m, type);
    return id ? ci64(f->p, id) : type_id_at(f, f->p->i64, type);
}

static v tag_of_type(fn *f, uint32_t type) { return type_id_at(f, f->p->i32, type); }

// Whether what has this tag is of a type: itself where that has no subtypes, else an entry of its display.
static v tag_matches(fn *f, v tag, uint32_t type) {
    const wx_typedef *t = &f->m->types[type];
    if (t->final) return LLVMBuildICmp(f->b, LLVMIntEQ, tag, tag_of_type(f, type), "");
    v displays = load_const(f, f->p->ptr, f->ctx,
                            wxrt_area_offset(f->p->u->layout.gc, offsetof(struct wxrt_gc, displays)));
    v number = LLVMBuildLShr(f->b, tag, ci32(f->p, WXRT_TAG_BITS), ""), wide = zext64(f, number);
    v display = LLVMBuildGEP2(f->b, LLVMArrayType2(f->p->i32, WXRT_DISPLAY), displays, &wide, 1, "");
    v entry = load_const(f, f->p->i32, display, (int64_t)(t->depth * sizeof(uint32_t)));
    return LLVMBuildICmp(f->b, LLVMIntEQ, entry, tag_of_type(f, type), "");
}

// The identity of a function's type; one that is written out has no subtypes and no number.
v identity_matches(fn *f, v id, uint32_t type) {
    if (f->m->types[type].final) return LLVMBuildICmp(f->b, LLVMIntEQ, id, type_identity(f, type), "");
    v numbered = compare(f, LLVMIntSLT, id, 0), tag = LLVMBuildTrunc(f->b, id, f->p->i32, "");
    return tag_matches(f, LLVMBuildSelect(f->b, numbered, tag, ci32(f->p, 0), ""), type);
}

// ---- Allocation

static v room_field(fn *f, v heap, uint32_t class, size_t field) {
    size_t at = offsetof(struct wxrt_heap, rooms) + class * sizeof(wxrt_room) + field;
    return byte_offset(f->p, heap, (int64_t)at);
}

static v load_room(fn *f, v place) {
    v load = load_field(f, f->p->i32, place, 0);
    set_scope(f->p, load, SCOPE_ALLOCATOR);
    return load;
}

static v call_new(fn *f, v tag, uint32_t size) {
    return word_of(f, call_helper(f->p, HELP_gc_new, (v[]){instance(f), tag, ci32(f->p, size)}, 3));
}

// The next free cell, where there is one; the result is where it is. Its tag is written, the rest are zeros.
static v take_cell(fn *f, v tag, uint32_t size, uint32_t class) {
    LLVMBasicBlockRef take = new_block(f, "take"), ask = new_block(f, "ask"), join = new_block(f, "");
    v heap = heap_field(f, offsetof(struct wxrt_gc, heap));
    v next_at = room_field(f, heap, class, offsetof(wxrt_room, next)), next = load_room(f, next_at);
    v end = load_room(f, room_field(f, heap, class, offsetof(wxrt_room, end)));
    branch_unlikely(f, LLVMBuildICmp(f->b, LLVMIntEQ, next, end, ""), ask, take);
    go_on(f, ask);
    v asked = call_new(f, tag, size);
    LLVMBasicBlockRef asked_from = LLVMGetInsertBlock(f->b);
    LLVMBuildBr(f->b, join);
    go_on(f, take);
    v after = LLVMBuildAdd(f->b, next, ci32(f->p, wxrt_cell_size(class)), "");
    set_scope(f->p, LLVMBuildStore(f->b, after, next_at), SCOPE_ALLOCATOR);
    set_scope(f->p, LLVMBuildStore(f->b, tag, bytes_at(f, next)), SCOPE_HEAD);
    LLVMBuildBr(f->b, join);
    go_on(f, join);
    v phi = LLVMBuildPhi(f->b, f->p->i32, "");
    LLVMAddIncoming(phi, (v[]){asked, next}, (LLVMBasicBlockRef[]){asked_from, take}, 2);
    return phi;
}

static v new_object(fn *f, uint32_t type, uint32_t size) {
    v tag = tag_of_type(f, type);
    uint32_t class = wxrt_cell_class(size);
    bool small = f->p->u->opt_size || f->p->u->opt_level == 0 || f->p->plan->cheap;
    return as_ref(f, class == WXRT_CELL_CLASSES || small ? call_new(f, tag, size) : take_cell(f, tag, size, class));
}

// ---- Structs

void emit_struct_new(fn *f, const wx_instr *in, int is_default, int b) {
    (void)b;
    const wx_typedef *t = &f->m->types[in->a];
    const wx_object *o = &f->p->u->objects[in->a];
    v ref = new_object(f, in->a, o->size);
    for (uint32_t i = is_default ? 0 : t->field_count; i-- > 0;)
        store_stored(f, t->fields[i].type, pop(f), field_at(f, ref, o->at[i]));
    push(f, ref);
}

static v struct_field(fn *f, const wx_instr *in, v ref) {
    trap_if(f, is_null(f, ref), WASMX_TRAP_NULL_STRUCTURE);
    return field_at(f, ref, f->p->u->objects[in->a].at[in->b]);
}

void emit_struct_get(fn *f, const wx_instr *in, int is_signed, int b) {
    (void)b;
    v place = struct_field(f, in, pop(f));
    push(f, load_stored(f, f->m->types[in->a].fields[in->b].type, place, is_signed));
}

void emit_struct_set(fn *f, const wx_instr *in, int a, int b) {
    (void)a, (void)b;
    v value = pop(f), place = struct_field(f, in, pop(f));
    store_stored(f, f->m->types[in->a].fields[in->b].type, value, place);
}

// ---- Arrays

static wx_type element_type(fn *f, uint32_t type) { return f->m->types[type].fields[0].type; }
static uint32_t element_log(fn *f, uint32_t type) { return wx_field_log(f->m, element_type(f, type)); }

static v length_of(fn *f, v array) {
    trap_if(f, is_null(f, array), WASMX_TRAP_NULL_ARRAY);
    return load_head(f, array, 4);
}

// In 32 bits, that wrap: whatever the index, the place is in the heap.
static v element_at(fn *f, uint32_t type, v array, v index) {
    uint32_t log = element_log(f, type);
    v bytes = LLVMBuildShl(f->b, index, ci32(f->p, log), "");
    v from = LLVMBuildAdd(f->b, word_of(f, array), ci32(f->p, wxrt_array_data(log)), "");
    return bytes_at(f, LLVMBuildAdd(f->b, from, bytes, ""));
}

static v checked_element(fn *f, uint32_t type, v array, v index) {
    v outside = LLVMBuildICmp(f->b, LLVMIntUGE, index, length_of(f, array), "");
    trap_if(f, outside, WASMX_TRAP_ARRAY_OUT_OF_BOUNDS);
    return element_at(f, type, array, index);
}

void emit_array_get(fn *f, const wx_instr *in, int is_signed, int b) {
    (void)b;
    v index = pop(f), place = checked_element(f, in->a, pop(f), index);
    push(f, load_stored(f, element_type(f, in->a), place, is_signed));
}

void emit_array_set(fn *f, const wx_instr *in, int a, int b) {
    (void)a, (void)b;
    v value = pop(f), index = pop(f), place = checked_element(f, in->a, pop(f), index);
    store_stored(f, element_type(f, in->a), value, place);
}

void emit_array_len(fn *f, const wx_instr *in, int a, int b) {
    (void)in, (void)a, (void)b;
    push(f, length_of(f, pop(f)));
}

static v new_array(fn *f, uint32_t type, v count) {
    v args[] = {instance(f), tag_of_type(f, type), count, ci32(f->p, element_log(f, type))};
    return call_helper(f->p, HELP_gc_new_array, args, 4);
}

static void fill(fn *f, uint32_t type, v array, v at, v value, v count) {
    wx_type t = element_type(f, type);
    v slot = entry_alloca(f, f->p->v128);
    LLVMBuildStore(f->b, stored_form(f, t, value), slot);
    v args[] = {instance(f), array, at, count, ci32(f->p, element_log(f, type)), slot};
    call_helper(f->p, HELP_gc_fill, args, 6);
}

void emit_array_new(fn *f, const wx_instr *in, int is_default, int b) {
    (void)b;
    v count = pop(f), value = is_default ? NULL : pop(f), array = new_array(f, in->a, count);
    if (value && !(LLVMIsConstant(value) && LLVMIsNull(value))) fill(f, in->a, array, ci32(f->p, 0), value, count);
    push(f, array);
}

void emit_array_new_fixed(fn *f, const wx_instr *in, int a, int b) {
    (void)a, (void)b;
    uint32_t log = element_log(f, in->a), n = in->b;
    uint64_t size = wxrt_array_data(log) + ((uint64_t)n << log);
    bool is_small = wxrt_cell_class(size) < WXRT_CELL_CLASSES;
    v array = is_small ? new_object(f, in->a, (uint32_t)size) : new_array(f, in->a, ci32(f->p, n));
    if (is_small) store_head(f, ci32(f->p, n), array, 4);
    f->height -= n;
    for (uint32_t i = 0; i < n; i++)
        store_stored(f, element_type(f, in->a), f->stack[f->height + i],
                     field_at(f, array, wxrt_array_data(log) + (i << log)));
    push(f, array);
}

void emit_array_fill(fn *f, const wx_instr *in, int a, int b) {
    (void)a, (void)b;
    v count = pop(f), value = pop(f), at = pop(f), array = pop(f);
    trap_if(f, is_null(f, array), WASMX_TRAP_NULL_ARRAY);
    fill(f, in->a, array, at, value, count);
}

void emit_array_copy(fn *f, const wx_instr *in, int a, int b) {
    (void)a, (void)b;
    v count = pop(f), src = pop(f), from = pop(f), at = pop(f), to = pop(f);
    trap_if(f, is_null(f, to), WASMX_TRAP_NULL_ARRAY);
    trap_if(f, is_null(f, from), WASMX_TRAP_NULL_ARRAY);
    call_helper(f->p, HELP_gc_copy, (v[]){instance(f), to, at, from, src, count, ci32(f->p, element_log(f, in->a))}, 7);
}

void emit_array_new_segment(fn *f, const wx_instr *in, int helper, int b) {
    (void)b;
    v count = pop(f), src = pop(f), log = ci32(f->p, element_log(f, in->a));
    v args[] = {instance(f), tag_of_type(f, in->a), ci32(f->p, in->b), src, count, log};
    push(f, call_helper(f->p, (enum helper)helper, args, 6));
}

void emit_array_init_segment(fn *f, const wx_instr *in, int helper, int b) {
    (void)b;
    v count = pop(f), src = pop(f), at = pop(f), array = pop(f);
    trap_if(f, is_null(f, array), WASMX_TRAP_NULL_ARRAY);
    v args[] = {instance(f), array, at, ci32(f->p, in->b), src, count, ci32(f->p, element_log(f, in->a))};
    call_helper(f->p, (enum helper)helper, args, 7);
}

// ---- Small integers, identity, conversions

void emit_ref_i31(fn *f, const wx_instr *in, int a, int b) {
    (void)in, (void)a, (void)b;
    v twice = LLVMBuildShl(f->b, pop(f), ci32(f->p, 1), "");
    push(f, as_ref(f, LLVMBuildOr(f->b, twice, ci32(f->p, 1), "")));
}

void emit_i31_get(fn *f, const wx_instr *in, int is_signed, int b) {
    (void)in, (void)b;
    v ref = pop(f), one = ci32(f->p, 1);
    trap_if(f, is_null(f, ref), WASMX_TRAP_NULL_I31);
    v word = word_of(f, ref);
    push(f, is_signed ? LLVMBuildAShr(f->b, word, one, "") : LLVMBuildLShr(f->b, word, one, ""));
}

void emit_ref_eq(fn *f, const wx_instr *in, int a, int b) {
    (void)in, (void)a, (void)b;
    v y = pop(f), x = pop(f);
    push(f, LLVMBuildZExt(f->b, LLVMBuildICmp(f->b, LLVMIntEQ, x, y, ""), f->p->i32, ""));
}

void emit_convert_ref(fn *f, const wx_instr *in, int helper, int b) {
    (void)in, (void)b;
    push(f, call_helper(f->p, (enum helper)helper, (v[]){instance(f), pop(f)}, 2));
}

// ---- What a reference refers to

static v object_matches(fn *f, v ref, wx_type heap) {
    v tag = load_head(f, ref, 0);
    if (wx_has_index(heap)) return tag_matches(f, tag, wx_low(heap));
    v sort = LLVMBuildAnd(f->b, tag, ci32(f->p, WXRT_TAG_MASK), "");
    if (wx_low(heap) == WX_HEAP_EQ) return compare(f, LLVMIntNE, sort, WXRT_TAG_HOST);
    return compare(f, LLVMIntEQ, sort, wx_low(heap) == WX_HEAP_STRUCT ? WXRT_TAG_STRUCT : WXRT_TAG_ARRAY);
}

// Of one that is not null and may be an i31: for all heap types but any, none and i31 that has to be told first.
static v any_matches(fn *f, v ref, wx_type heap) {
    v odd = LLVMBuildTrunc(f->b, word_of(f, ref), f->p->i1, "");
    if (heap == WX_HEAP_I31) return odd;
    LLVMBasicBlockRef object = new_block(f, "object"), join = new_block(f, "");
    LLVMBasicBlockRef from = LLVMGetInsertBlock(f->b);
    LLVMBuildCondBr(f->b, odd, join, object);
    go_on(f, object);
    v matches = object_matches(f, ref, heap);
    LLVMBuildBr(f->b, join);
    go_on(f, join);
    v phi = LLVMBuildPhi(f->b, f->p->i1, ""), if_odd = LLVMConstInt(f->p->i1, heap == WX_HEAP_EQ, false);
    LLVMAddIncoming(phi, (v[]){if_odd, matches}, (LLVMBasicBlockRef[]){from, object}, 2);
    return phi;
}

static v function_matches(fn *f, v ref, wx_type heap) {
    return identity_matches(f, load_const(f, f->p->i64, ref, offsetof(wasmx_func, type)), wx_low(heap));
}

static v not_null_matches(fn *f, v ref, wx_type heap) {
    return wx_holds_functions(f->m, WX_REF(false, heap)) ? function_matches(f, ref, heap) : any_matches(f, ref, heap);
}

// The types whose every value is known by being null or not.
static bool is_top(wx_type heap) { return heap == WX_HEAP_ANY || heap == WX_HEAP_FUNC || heap == WX_HEAP_EXTERN; }
static bool is_bottom(wx_type heap) {
    return heap == WX_HEAP_NONE || heap == WX_HEAP_NOFUNC || heap == WX_HEAP_NOEXTERN;
}

static v is_of(fn *f, v ref, wx_type type) {
    wx_type heap = wx_heap_of(type);
    v yes = LLVMConstInt(f->p->i1, 1, false), no = LLVMConstNull(f->p->i1), null = is_null(f, ref);
    v if_null = wx_is_nullable(type) ? yes : no;
    if (is_top(heap)) return wx_is_nullable(type) ? yes : LLVMBuildNot(f->b, null, "");
    if (is_bottom(heap)) return wx_is_nullable(type) ? null : no;
    LLVMBasicBlockRef look = new_block(f, "look"), join = new_block(f, ""), from = LLVMGetInsertBlock(f->b);
    LLVMBuildCondBr(f->b, null, join, look);
    go_on(f, look);
    v matches = not_null_matches(f, ref, heap);
    LLVMBasicBlockRef looked = LLVMGetInsertBlock(f->b);
    LLVMBuildBr(f->b, join);
    go_on(f, join);
    v phi = LLVMBuildPhi(f->b, f->p->i1, "");
    LLVMAddIncoming(phi, (v[]){if_null, matches}, (LLVMBasicBlockRef[]){from, looked}, 2);
    return phi;
}

void emit_ref_test(fn *f, const wx_instr *in, int nullable, int b) {
    (void)b;
    push(f, LLVMBuildZExt(f->b, is_of(f, pop(f), WX_REF(nullable, in->type)), f->p->i32, ""));
}

void emit_ref_cast(fn *f, const wx_instr *in, int nullable, int b) {
    (void)b;
    v matches = is_of(f, top(f, 0), WX_REF(nullable, in->type));
    trap_if(f, LLVMBuildNot(f->b, matches, ""), WASMX_TRAP_CAST_FAILURE);
}

void emit_br_on_cast(fn *f, const wx_instr *in, int on_failure, int b) {
    (void)b;
    v matches = is_of(f, top(f, 0), in->type2);
    branch_to(f, on_failure ? LLVMBuildNot(f->b, matches, "") : matches, in->a);
}
