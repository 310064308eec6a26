// compiler/emit_table.c: tables and function references (core 4.4.6).
//
// Tables of functions are 32-byte slots, all others arrays of pointers. Plain reads are inline, the rest are helpers.
#include "compiler/emit.h"

v table_record(fn *f, uint32_t table) {
    const wxrt_layout *at = &f->p->u->layout;
    if (f->m->tables[table].import != WX_NO_INDEX)
        return load_const(f, f->p->ptr, f->ctx, wxrt_area_offset(at->tables, table * sizeof(void *)));
    return area_at(f, at->own_tables, (table - f->m->table_imports) * sizeof(wasmx_table));
}

v function_reference(fn *f, uint32_t func) {
    return area_at(f, f->p->u->layout.refs, f->p->u->funcdesc[func] * sizeof(wasmx_func));
}

static v args_front(fn *f) { return instance_of(f->p, f->ctx); }

// What an index of the table can be: 32 or 64 bits of x.
static v as_index(fn *f, uint32_t table, v x) {
    return f->m->tables[table].limits.is64 ? x : LLVMBuildTrunc(f->b, x, f->p->i32, "");
}

void emit_table_get(fn *f, const wx_instr *in, int a, int b) {
    (void)a, (void)b;
    v index = zext64(f, pop(f));
    push(f, call_helper(f->p, HELP_table_get, (v[]){args_front(f), ci32(f->p, in->a), index}, 3));
}

void emit_table_set(fn *f, const wx_instr *in, int a, int b) {
    (void)a, (void)b;
    v ref = pop(f), index = zext64(f, pop(f));
    call_helper(f->p, HELP_table_set, (v[]){args_front(f), ci32(f->p, in->a), index, ref}, 4);
}

void emit_table_size(fn *f, const wx_instr *in, int a, int b) {
    (void)a, (void)b;
    if (f->p->u->facts.tables[in->a].constant) {
        push(f, as_index(f, in->a, ci64(f->p, f->m->tables[in->a].limits.min)));
        return;
    }
    v size = load_field(f, f->p->i64, table_record(f, in->a), offsetof(wasmx_table, size));
    set_scope(f->p, size, SCOPE_TABLE);
    push(f, as_index(f, in->a, size));
}

void emit_table_grow(fn *f, const wx_instr *in, int a, int b) {
    (void)a, (void)b;
    v delta = zext64(f, pop(f)), ref = pop(f);
    v old = call_helper(f->p, HELP_table_grow, (v[]){args_front(f), ci32(f->p, in->a), delta, ref}, 4);
    push(f, as_index(f, in->a, old));
}

void emit_table_fill(fn *f, const wx_instr *in, int a, int b) {
    (void)a, (void)b;
    v count = zext64(f, pop(f)), ref = pop(f), start = zext64(f, pop(f));
    call_helper(f->p, HELP_table_fill, (v[]){args_front(f), ci32(f->p, in->a), start, ref, count}, 5);
}

static void move_elements(fn *f, enum helper h, uint32_t to, uint32_t from) {
    v count = zext64(f, pop(f)), src = zext64(f, pop(f)), dst = zext64(f, pop(f));
    call_helper(f->p, h, (v[]){args_front(f), ci32(f->p, to), ci32(f->p, from), dst, src, count}, 6);
}

void emit_table_copy(fn *f, const wx_instr *in, int a, int b) {
    (void)a, (void)b;
    move_elements(f, HELP_table_copy, in->a, in->b);
}

void emit_table_init(fn *f, const wx_instr *in, int a, int b) {
    (void)a, (void)b;
    move_elements(f, HELP_table_init, in->b, in->a);
}

void emit_elem_drop(fn *f, const wx_instr *in, int a, int b) {
    (void)a, (void)b;
    call_helper(f->p, HELP_elem_drop, (v[]){args_front(f), ci32(f->p, in->a)}, 2);
}
