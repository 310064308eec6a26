// compiler/init.c: code for what an instance runs first: initial values, segments that the images do not hold, then the
// start function (startup.h).
#include "compiler/emit.h"
#include "compiler/startup.h"

static v instance(fn *f) { return instance_of(f->p, f->ctx); }

// ---- One step of each sort

static void init_global(fn *f, uint32_t i) {
    v cell = area_at(f, f->p->u->layout.globals, i * sizeof(wasmx_value));
    v store = LLVMBuildStore(f->b, emit_expression(f, f->m->globals[i].init), cell);
    set_scope(f->p, store, SCOPE_GLOBAL);
}

static void init_table(fn *f, uint32_t i) {
    const wx_table *t = &f->m->tables[i];
    v ref = emit_expression(f, t->init);
    v args[] = {instance(f), ci32(f->p, i), ci64(f->p, 0), ref, ci64(f->p, t->limits.min)};
    call_helper(f->p, HELP_table_fill, args, 5);
}

static void init_value(fn *f, uint32_t i) {
    v place = area_at(f, f->p->u->layout.elem_values, i * sizeof(uint64_t));
    LLVMBuildStore(f->b, emit_expression(f, f->p->u->elem_values[i]), place);
}

static void init_element(fn *f, uint32_t i) {
    const wx_elem *e = &f->m->elems[i];
    v at = zext64(f, emit_expression(f, e->offset));
    v args[] = {instance(f), ci32(f->p, e->table), ci32(f->p, i), at, ci64(f->p, 0), ci64(f->p, e->count)};
    call_helper(f->p, HELP_table_init, args, 6);
    call_helper(f->p, HELP_elem_drop, (v[]){instance(f), ci32(f->p, i)}, 2);
}

static void init_data(fn *f, uint32_t i) {
    const wx_data *d = &f->m->datas[i];
    v at = zext64(f, emit_expression(f, d->offset));
    v args[] = {instance(f), ci32(f->p, d->memory), ci32(f->p, i), at, ci64(f->p, 0), ci64(f->p, d->bytes.len)};
    call_helper(f->p, HELP_memory_init, args, 6);
    call_helper(f->p, HELP_data_drop, (v[]){instance(f), ci32(f->p, i)}, 2);
}

// ---- All of them

typedef struct sort {
    const char *name;
    void (*step)(fn *f, uint32_t i);
} sort;

static const sort sorts[STARTUP_SORTS] = {
    {"globals", init_global}, {"tables", init_table}, {"values", init_value},
    {"elements", init_element}, {"data", init_data},
};

#define CHUNK 500

static v init_function(part *p, const char *name) {
    return new_func(p, symbol(p, name), LLVMFunctionType(p->void_, &p->ptr, 1, false), true);
}

static void call_init(fn *f, v function) {
    static const wx_typedef nothing;
    build_call(f, LLVMFunctionType(f->p->void_, &f->p->ptr, 1, false), function, f->ctx, NULL, &nothing, false);
}

// Functions of a few hundred steps: LLVM takes more than linear time for long ones.
static void init_chunk(fn *f, const sort *s, const uint32_t *steps, uint32_t n, uint32_t number) {
    v function = init_function(f->p, wx_arena_printf(&f->p->scratch, "init_%s_%u", s->name, number));
    LLVMAddAttributeAtIndex(function, LLVMAttributeFunctionIndex,
                            LLVMCreateEnumAttribute(f->p->c, f->p->attr_noinline, 0));
    fn chunk;
    fn_open(&chunk, f->p, function);
    for (uint32_t i = 0; i < n; i++) s->step(&chunk, steps[i]);
    LLVMBuildRetVoid(f->b);
    fn_close(&chunk);
    call_init(f, function);
}

static void init_sort(fn *f, wx_startup which) {
    const sort *s = &sorts[which];
    uint32_t count = wx_startup_count(f->p->u, which), *steps = WX_NEW_ARRAY(&f->p->scratch, uint32_t, count), n = 0;
    for (uint32_t i = 0; i < count; i++)
        if (wx_startup_needs(f->p->u, which, i)) steps[n++] = i;
    for (uint32_t i = 0; n <= CHUNK && i < n; i++) s->step(f, steps[i]);
    for (uint32_t i = 0; n > CHUNK && i < n; i += CHUNK)
        init_chunk(f, s, steps + i, n - i < CHUNK ? n - i : CHUNK, i / CHUNK);
}

LLVMValueRef emit_init(part *p) {
    if (wx_startup_is_empty(p->u)) return NULL;
    v init = init_function(p, "init");
    fn f;
    fn_open(&f, p, init);
    for (wx_startup which = 0; which < STARTUP_SORTS; which++) init_sort(&f, which);
    static const wx_typedef nothing;
    if (p->u->m->start != WX_NO_INDEX) {
        ty type = func_type(p, p->u->m->funcs[p->u->m->start].type);
        build_call(&f, type, c_entry(p, p->u->m->start), f.ctx, NULL, &nothing, false);
    }
    LLVMBuildRetVoid(p->b);
    fn_close(&f);
    return init;
}

// void thunk(swiftself ctx, code, slots) for init's type, which the module itself may not have.
LLVMValueRef emit_init_thunk(part *p) {
    ty params[] = {p->ptr, p->ptr, p->ptr};
    v thunk = new_func(p, symbol(p, "init_thunk"), LLVMFunctionType(p->void_, params, 3, false), true);
    static const wx_typedef nothing;
    fn f;
    fn_open(&f, p, thunk);
    build_call(&f, LLVMFunctionType(p->void_, &p->ptr, 1, false), LLVMGetParam(thunk, 1), f.ctx, NULL, &nothing, false);
    LLVMBuildRetVoid(p->b);
    fn_close(&f);
    return thunk;
}
