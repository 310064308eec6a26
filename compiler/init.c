// compiler/init.c: what an instance runs first: initial values, segments that the images do not hold, then the start
// function (core 4.5.4, in its order).
#include "compiler/emit.h"

static bool needs_store(const part *p, uint32_t global) { return !p->u->facts.globals[global].is_static; }

static void init_globals(fn *f) {
    for (uint32_t i = f->m->global_imports; i < f->m->global_count; i++) {
        if (!needs_store(f->p, i)) continue;
        v cell = area_at(f, f->p->u->layout.globals, i * sizeof(wasmx_value));
        v store = LLVMBuildStore(f->b, emit_expression(f, f->m->globals[i].init), cell);
        set_scope(f->p, store, SCOPE_GLOBAL);
    }
}

static v instance(fn *f) { return instance_of(f->p, f->ctx); }

static void init_tables(fn *f) {
    for (uint32_t i = f->m->table_imports; i < f->m->table_count; i++) {
        const wx_table *t = &f->m->tables[i];
        if (!t->init.len || t->limits.min == 0) continue;
        v ref = emit_expression(f, t->init);
        call_helper(f->p, HELP_table_fill,
                    (v[]){instance(f), ci32(f->p, i), ci64(f->p, 0), ref, ci64(f->p, t->limits.min)}, 5);
    }
}

static void init_elements(fn *f) {
    for (uint32_t i = 0; i < f->m->elem_count; i++) {
        const wx_elem *e = &f->m->elems[i];
        if (e->mode != WX_ACTIVE || f->p->u->facts.tables[e->table].constant) continue;
        v at = zext64(f, emit_expression(f, e->offset));
        v args[] = {instance(f), ci32(f->p, e->table), ci32(f->p, i), at, ci64(f->p, 0), ci64(f->p, e->count)};
        call_helper(f->p, HELP_table_init, args, 6);
        call_helper(f->p, HELP_elem_drop, (v[]){instance(f), ci32(f->p, i)}, 2);
    }
}

static void init_data(fn *f) {
    for (uint32_t i = 0; i < f->m->data_count; i++) {
        const wx_data *d = &f->m->datas[i];
        if (d->mode != WX_ACTIVE || f->p->u->image.in_image[i]) continue;
        v at = zext64(f, emit_expression(f, d->offset));
        v args[] = {instance(f), ci32(f->p, d->memory), ci32(f->p, i), at, ci64(f->p, 0), ci64(f->p, d->bytes.len)};
        call_helper(f->p, HELP_memory_init, args, 6);
        call_helper(f->p, HELP_data_drop, (v[]){instance(f), ci32(f->p, i)}, 2);
    }
}

static bool has_work(const part *p) {
    const wx_unit *u = p->u;
    const wx_module *m = u->m;
    bool work = m->start != WX_NO_INDEX;
    for (uint32_t i = m->global_imports; i < m->global_count; i++) work |= needs_store(p, i);
    for (uint32_t i = m->table_imports; i < m->table_count; i++)
        work |= m->tables[i].init.len && m->tables[i].limits.min;
    for (uint32_t i = 0; i < m->elem_count; i++)
        work |= m->elems[i].mode == WX_ACTIVE && !u->facts.tables[m->elems[i].table].constant;
    for (uint32_t i = 0; i < m->data_count; i++) work |= m->datas[i].mode == WX_ACTIVE && !u->image.in_image[i];
    return work;
}

LLVMValueRef emit_init(part *p) {
    if (!has_work(p)) return NULL;
    v init = new_func(p, symbol(p, "init"), LLVMFunctionType(p->void_, &p->ptr, 1, false), true);
    fn f;
    fn_open(&f, p, init);
    init_globals(&f);
    init_tables(&f);
    init_elements(&f);
    init_data(&f);
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
