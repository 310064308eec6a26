// compiler/startup_gc.c: constant expressions that make objects, for code on demand. emit_gc.c makes code of the same.
//
// in: an instruction and its operands   out: its result   Operands stay where a collection sees them until the object
// that holds them is there.
#include "compiler/startup.h"

#include <string.h>

#include "interp/code.h"

typedef struct object { // that is being made
    const wx_starting *s;
    wasmx_instance *instance;
    uint32_t type;
} object;

static const wx_typedef *type_of(const object *o) { return &o->s->u->m->types[o->type]; }
static uint32_t tag_of(const object *o) { return (uint32_t)*o->instance->module->types[o->type].id; }
static uint32_t element_log(const object *o) { return wx_field_log(o->s->u->m, type_of(o)->fields[0].type); }

static uint8_t *bytes_of(const object *o, const void *ref) {
    return WX_ITEMS(o->s->ctx, o->s->it, gc, struct wxrt_gc)->base + (uint32_t)(uintptr_t)ref;
}

static void *new_struct(const object *o, const wasmx_value *values) { // NULL: all of them zero
    const wx_object *layout = &o->s->u->objects[o->type];
    void *ref = wxrt_gc_new(o->instance, tag_of(o), layout->size);
    for (uint32_t i = 0; values && i < type_of(o)->field_count; i++) {
        uint32_t log = wx_field_log(o->s->u->m, type_of(o)->fields[i].type);
        memcpy(bytes_of(o, ref) + layout->at[i], &values[i], (size_t)1 << log);
    }
    return ref;
}

static void *new_array(const object *o, uint32_t count, const wasmx_value *value) { // NULL: zeros
    void *ref = wxrt_gc_new_array(o->instance, tag_of(o), count, element_log(o));
    if (value) wxrt_gc_fill(o->instance, ref, 0, count, element_log(o), value);
    return ref;
}

static void *new_fixed(const object *o, uint32_t count, const wasmx_value *values) {
    void *ref = wxrt_gc_new_array(o->instance, tag_of(o), count, element_log(o));
    for (uint32_t i = 0; i < count; i++) wxrt_gc_fill(o->instance, ref, i, 1, element_log(o), &values[i]);
    return ref;
}

static void *as_pointer(const wasmx_value *v) { return (void *)(uintptr_t)v->words[0]; }

static wasmx_value *give(wasmx_value *at, const void *ref) {
    *at = (wasmx_value){.words = {(uint64_t)(uintptr_t)ref}};
    return at + 1;
}

wasmx_value *wx_startup_object(const wx_starting *s, const wx_instr *in, wasmx_value *top) {
    const object o = {s, wx_instance_of(s->ctx), in->a};
    switch (in->op) {
    case WX_OP_STRUCT_NEW: top -= type_of(&o)->field_count; return give(top, new_struct(&o, top));
    case WX_OP_STRUCT_NEW_DEFAULT: return give(top, new_struct(&o, NULL));
    case WX_OP_ARRAY_NEW: top -= 2; return give(top, new_array(&o, (uint32_t)top[1].i32, top));
    case WX_OP_ARRAY_NEW_DEFAULT: return give(top - 1, new_array(&o, (uint32_t)top[-1].i32, NULL));
    case WX_OP_ARRAY_NEW_FIXED: top -= in->b; return give(top, new_fixed(&o, in->b, top));
    case WX_OP_REF_I31: return give(top - 1, (void *)(uintptr_t)((uint32_t)top[-1].i32 << 1 | 1));
    case WX_OP_ANY_CONVERT_EXTERN: return give(top - 1, wxrt_gc_internalize(o.instance, as_pointer(&top[-1])));
    case WX_OP_EXTERN_CONVERT_ANY: return give(top - 1, wxrt_gc_externalize(o.instance, as_pointer(&top[-1])));
    default: return NULL;
    }
}
