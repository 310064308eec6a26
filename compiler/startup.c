// compiler/startup.c: initial values, segments that the images do not hold, the start function: which there are, and
// for code on demand how they are done. init.c makes code of the same.
#include "compiler/startup.h"

#include <stdlib.h>
#include <string.h>

#include "interp/code.h"

uint32_t wx_startup_count(const wx_unit *u, wx_startup sort) {
    const wx_module *m = u->m;
    const uint32_t counts[STARTUP_SORTS] = {m->global_count, m->table_count, u->elem_value_count, m->elem_count,
                                            m->data_count};
    return counts[sort];
}

static bool needs_table(const wx_module *m, uint32_t i) {
    return i >= m->table_imports && m->tables[i].init.len && m->tables[i].limits.min;
}

bool wx_startup_needs(const wx_unit *u, wx_startup sort, uint32_t i) {
    const wx_module *m = u->m;
    switch (sort) {
    case STARTUP_GLOBAL: return i >= m->global_imports && !u->facts.globals[i].is_static;
    case STARTUP_TABLE: return needs_table(m, i);
    case STARTUP_VALUE: return u->elem_values[i].len;
    case STARTUP_ELEMENT: return m->elems[i].mode == WX_ACTIVE && !u->facts.tables[m->elems[i].table].constant;
    case STARTUP_DATA: return m->datas[i].mode == WX_ACTIVE && !u->image.in_image[i];
    case STARTUP_SORTS: break;
    }
    return false;
}

bool wx_startup_is_empty(const wx_unit *u) {
    for (wx_startup sort = 0; sort < STARTUP_SORTS; sort++)
        for (uint32_t i = 0; i < wx_startup_count(u, sort); i++)
            if (wx_startup_needs(u, sort, i)) return false;
    return u->m->start == WX_NO_INDEX;
}

// ---- Constant expressions, in an instance

typedef wx_starting starting;

static wasmx_value *global_cell(const starting *s, uint32_t i) {
    wasmx_value *own = WX_ITEMS(s->ctx, s->it, globals, wasmx_value) + i;
    return s->u->m->globals[i].import == WX_NO_INDEX ? own : (wasmx_value *)(uintptr_t)own->words[0];
}

static wasmx_value word(uint64_t x) { return (wasmx_value){.words = {x}}; }

static wasmx_value value_of(const starting *s, const wx_instr *in) {
    wasmx_value v = word(in->bits);
    if (in->op == WX_OP_I32_CONST) v = word((uint32_t)in->bits);
    if (in->op == WX_OP_V128_CONST) memcpy(&v, in->bytes, sizeof v);
    if (in->op == WX_OP_REF_NULL) v = word(0);
    if (in->op == WX_OP_GLOBAL_GET) v = *global_cell(s, in->a);
    if (in->op == WX_OP_REF_FUNC)
        v = word((uint64_t)(uintptr_t)(WX_ITEMS(s->ctx, s->it, refs, wasmx_func) + s->u->funcdesc[in->a]));
    return v;
}

// All others that take operands take two numbers.
static bool is_binary(wx_op op) {
    return op == WX_OP_I32_ADD || op == WX_OP_I32_SUB || op == WX_OP_I32_MUL || op == WX_OP_I64_ADD ||
           op == WX_OP_I64_SUB || op == WX_OP_I64_MUL;
}

// The operands are on the native stack, where a collection sees them.
static WX_LEFT_BY_TRAPS wasmx_value evaluate(const starting *s, wx_expr expr) {
    const uint64_t bytes = (expr.len + 1) * sizeof(wasmx_value); // an instruction that gives a value has a byte
    const uint64_t here = (uint64_t)(uintptr_t)__builtin_frame_address(0);
    if (here - bytes - 256 < wx_instance_of(s->ctx)->stack_limit || bytes > here)
        wx_interp_trap(s->ctx, WASMX_TRAP_STACK_EXHAUSTED);
    wasmx_value *const stack = __builtin_alloca(bytes), *top = stack;
    wx_error none = {0};
    wx_reader r = wx_reader_make(expr, &none);
    wx_instr in;
    for (wx_instr_read(&r, &in); in.op != WX_OP_END; wx_instr_read(&r, &in)) {
        wasmx_value *after = wx_startup_object(s, &in, top);
        if (after) top = after;
        else if (is_binary(in.op)) top--, top[-1] = word(wx_const_compute(in.op, top[-1].words[0], top->words[0]));
        else *top++ = value_of(s, &in);
    }
    return *stack;
}

static uint64_t offset_of(const starting *s, wx_expr expr, bool is64) {
    uint64_t at = evaluate(s, expr).words[0];
    return is64 ? at : (uint32_t)at;
}

// ---- One of each sort

static void keep_value(const starting *s, uint32_t i) {
    WX_ITEMS(s->ctx, s->it, elem_values, uint64_t)[i] = evaluate(s, s->u->elem_values[i]).words[0];
}

static void fill_table(const starting *s, uint32_t i) {
    const wx_table *t = &s->u->m->tables[i];
    void *ref = (void *)(uintptr_t)evaluate(s, t->init).words[0];
    wxrt_table_fill(wx_instance_of(s->ctx), i, 0, ref, t->limits.min);
}

static void copy_element(const starting *s, uint32_t i) {
    const wx_elem *e = &s->u->m->elems[i];
    wasmx_instance *instance = wx_instance_of(s->ctx);
    uint64_t at = offset_of(s, e->offset, s->u->m->tables[e->table].limits.is64);
    wxrt_table_init(instance, e->table, i, at, 0, e->count);
    wxrt_elem_drop(instance, i);
}

static void copy_data(const starting *s, uint32_t i) {
    const wx_data *d = &s->u->m->datas[i];
    wasmx_instance *instance = wx_instance_of(s->ctx);
    uint64_t at = offset_of(s, d->offset, s->u->m->memories[d->memory].limits.is64);
    wxrt_memory_init(instance, d->memory, i, at, 0, d->bytes.len);
    wxrt_data_drop(instance, i);
}

static void do_one(const starting *s, wx_startup sort, uint32_t i) {
    switch (sort) {
    case STARTUP_GLOBAL: *global_cell(s, i) = evaluate(s, s->u->m->globals[i].init); break;
    case STARTUP_TABLE: fill_table(s, i); break;
    case STARTUP_VALUE: keep_value(s, i); break;
    case STARTUP_ELEMENT: copy_element(s, i); break;
    case STARTUP_DATA: copy_data(s, i); break;
    case STARTUP_SORTS: break;
    }
}

WX_LEFT_BY_TRAPS void wx_startup_run(const wx_unit *u, wx_interp *it, char *ctx) {
    const starting s = {u, it, ctx};
    for (wx_startup sort = 0; sort < STARTUP_SORTS; sort++)
        for (uint32_t i = 0; i < wx_startup_count(u, sort); i++)
            if (wx_startup_needs(u, sort, i)) do_one(&s, sort, i);
    if (u->m->start != WX_NO_INDEX) wx_call_nothing(it, u->m->start, ctx);
}
