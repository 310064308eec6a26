// compiler/emit_call.c: direct, indirect and reference calls, and their tail forms (core 4.4.8).
//
// ctx stays in its register for calls inside the instance. A call that may leave the instance loads the callee's ctx.
// Tail calls are real (musttail, tailcc) inside one instance; across instances the register of ctx would have to be
// restored afterwards, so there a tail call is a call and a return.
#include "compiler/emit.h"
#include "compiler/exports.h"

typedef struct callee { v code, ctx, tail; } callee; // tail is NULL where there is no such entry

static v *pop_args(fn *f, const wx_typedef *t) {
    f->height -= t->param_count;
    return f->stack + f->height;
}

v build_call(fn *f, ty type, v code, v ctx, v *args, const wx_typedef *t, bool tailcc) {
    v *all = WX_NEW_ARRAY(&f->p->scratch, v, t->param_count + 2);
    unsigned n = 0;
    all[n++] = ctx;
    for (uint32_t i = 0; i < t->param_count; i++) all[n++] = args[i];
    if (results_in_memory(t)) all[n++] = args[t->param_count]; // where results go, added by the caller
    v call = LLVMBuildCall2(f->b, type, code, all, n, "");
    LLVMAddCallSiteAttribute(call, 1, LLVMCreateEnumAttribute(f->p->c, f->p->attr_swiftself, 0));
    if (tailcc) LLVMSetInstructionCallConv(call, TAILCC);
    return call;
}

static v result_slot(fn *f, v memory, uint32_t i) {
    return byte_offset(f->p, memory, (int64_t)(i * sizeof(wasmx_value)));
}

void push_results(fn *f, const wx_typedef *t, v result, v memory) {
    if (t->result_count == 1) push(f, result);
    else if (!results_in_memory(t))
        for (uint32_t i = 0; i < t->result_count; i++) push(f, LLVMBuildExtractValue(f->b, result, i, ""));
    else
        for (uint32_t i = 0; i < t->result_count; i++)
            push(f, LLVMBuildLoad2(f->b, value_type(f->p, t->results[i]), result_slot(f, memory, i), ""));
}

// The last parameter of a function whose results go to memory.
static v results_pointer(fn *f) { return LLVMGetParam(f->llvm, f->type->param_count + 1); }

void return_values(fn *f, v *values) {
    const wx_typedef *t = f->type;
    if (f->frame) {
        for (uint32_t i = 0; i < t->result_count; i++)
            LLVMBuildStore(f->b, values[i], byte_offset(f->p, f->frame, 8 * (int64_t)i));
        LLVMBuildRetVoid(f->b);
    } else if (t->result_count == 0) {
        LLVMBuildRetVoid(f->b);
    } else if (t->result_count == 1) {
        LLVMBuildRet(f->b, values[0]);
    } else if (!results_in_memory(t)) {
        LLVMBuildAggregateRet(f->b, values, 2);
    } else {
        v memory = results_pointer(f);
        for (uint32_t i = 0; i < t->result_count; i++) LLVMBuildStore(f->b, values[i], result_slot(f, memory, i));
        LLVMBuildRetVoid(f->b);
    }
}

// args has room for one more: pop_args leaves the popped part of the stack, which may be exactly full.
static v *with_memory(fn *f, v *args, const wx_typedef *t, v memory) {
    if (!results_in_memory(t)) return args;
    v *all = WX_NEW_ARRAY(&f->p->scratch, v, t->param_count + 1);
    for (uint32_t i = 0; i < t->param_count; i++) all[i] = args[i];
    all[t->param_count] = memory;
    return all;
}

static void call_and_push(fn *f, uint32_t type, callee c, v *args, bool tailcc) {
    const wx_typedef *t = &f->m->types[type];
    v memory = results_in_memory(t) ? entry_alloca(f, LLVMArrayType2(f->p->v128, t->result_count)) : NULL;
    args = with_memory(f, args, t, memory);
    v result = build_call(f, func_type(f->p, type), c.code, c.ctx, args, t, tailcc);
    push_results(f, t, result, memory);
}

static void ret_result(fn *f, v result) {
    if (f->type->result_count == 0 || results_in_memory(f->type)) LLVMBuildRetVoid(f->b);
    else LLVMBuildRet(f->b, result);
}

// The callee writes its results where our caller wants ours: the types are the same.
static void call_and_return(fn *f, uint32_t type, v code, v ctx, v *args, bool tailcc) {
    const wx_typedef *t = &f->m->types[type];
    args = with_memory(f, args, t, results_in_memory(t) ? results_pointer(f) : NULL);
    v result = build_call(f, func_type(f->p, type), code, ctx, args, t, tailcc);
    if (tailcc) LLVMSetTailCallKind(result, LLVMTailCallKindMustTail);
    ret_result(f, result);
}

// ---- Callees

static callee imported(fn *f, uint32_t func) {
    uint64_t record = func * sizeof(wasmx_func), imports = f->p->u->layout.imports;
    return (callee){
        .code = load_const(f, f->p->ptr, f->ctx, wxrt_area_offset(imports, record + offsetof(wasmx_func, code))),
        .ctx = load_const(f, f->p->ptr, f->ctx, wxrt_area_offset(imports, record + offsetof(wasmx_func, ctx))),
    };
}

static bool is_import(const fn *f, uint32_t func) { return f->m->funcs[func].import != WX_NO_INDEX; }

// --imports=link: an extern C function of the import's name, called with the instance in front, as a typed adapter
// would.
static bool is_linked(const fn *f, uint32_t func) { return is_import(f, func) && wx_linked_name(f->p->u, func); }

static callee direct(fn *f, uint32_t func) {
    if (is_linked(f, func)) return (callee){.code = typed_adapter(f->p, func), .ctx = f->ctx};
    if (is_import(f, func)) return imported(f, func);
    return (callee){.code = func_value(f->p, func), .ctx = f->ctx};
}

void emit_call(fn *f, const wx_instr *in, int a, int b) {
    (void)a, (void)b;
    const wx_func *func = &f->m->funcs[in->a];
    v *args = pop_args(f, &f->m->types[func->type]);
    call_and_push(f, func->type, direct(f, in->a), args, f->p->u->facts.funcs[in->a].tail);
}

void emit_return_call(fn *f, const wx_instr *in, int a, int b) {
    (void)a, (void)b;
    const wx_func *func = &f->m->funcs[in->a];
    v *args = pop_args(f, &f->m->types[func->type]);
    callee c = direct(f, in->a);
    call_and_return(f, func->type, c.code, c.ctx, args, !is_import(f, in->a));
    set_dead(f);
}

// ---- Through tables

// A slot whose type does not match is empty (type 0) or of another type: told apart off the hot path.
static void check_slot_type(fn *f, v actual, v matches) {
    LLVMBasicBlockRef wrong = new_block(f, "wrong"), next = new_block(f, "");
    branch_unlikely(f, LLVMBuildNot(f->b, matches, ""), wrong, next);
    go_on(f, wrong);
    v empty = LLVMBuildICmp(f->b, LLVMIntEQ, actual, ci64(f->p, 0), "");
    LLVMBuildCondBr(f->b, empty, trap_block(f, WASMX_TRAP_UNINITIALIZED_ELEMENT),
                    trap_block(f, WASMX_TRAP_INDIRECT_CALL_TYPE_MISMATCH));
    go_on(f, next);
}

static bool same_signature(const wx_module *m, uint32_t a, uint32_t b) {
    return m->types[a].canon == m->types[b].canon;
}

// ---- Tables that never change: arrays in read-only data; all functions there run on our own ctx

static bool is_one_signature(const fn *f, const wx_instr *in, const wx_table_facts *known) {
    return known->one_signature && same_signature(f->m, known->signature, in->a);
}

static v constant_entry(fn *f, const wx_instr *in, v index) {
    v path[] = {ci64(f->p, 0), zext64(f, index)}, image = table_image(f->p, in->b);
    ty table = LLVMArrayType2(table_entry_type(f->p), f->m->tables[in->b].limits.min);
    return LLVMBuildGEP2(f->b, table, image, path, 2, "");
}

// Where the functions of the type are, if nothing else is among them; with one signature nothing has to be told apart.
static bool find_span(const fn *f, const wx_instr *in, const wx_table_facts *known, wx_table_span *span) {
    *span = (wx_table_span){0, (uint32_t)f->m->tables[in->b].limits.min, 0};
    if (is_one_signature(f, in, known)) return true;
    if (!known->spans) return false;
    *span = known->spans[f->m->types[in->a].canon];
    return span->count && span->high - span->low == span->count;
}

// What is wrong with an element that is not of the type.
static void trap_by_element(fn *f, const wx_instr *in, v index) {
    v size = LLVMConstInt(LLVMTypeOf(index), f->m->tables[in->b].limits.min, false);
    trap_if(f, LLVMBuildICmp(f->b, LLVMIntUGE, index, size, ""), WASMX_TRAP_UNDEFINED_ELEMENT);
    v type = load_const(f, f->p->i64, constant_entry(f, in, index), 0);
    LLVMBuildCondBr(f->b, LLVMBuildICmp(f->b, LLVMIntEQ, type, ci64(f->p, 0), ""),
                    trap_block(f, WASMX_TRAP_UNINITIALIZED_ELEMENT),
                    trap_block(f, WASMX_TRAP_INDIRECT_CALL_TYPE_MISMATCH));
}

// One comparison says that the index is one of them.
static void check_span(fn *f, const wx_instr *in, v index, const wx_table_span *span) {
    ty type = LLVMTypeOf(index);
    v low = LLVMConstInt(type, span->low, false), count = LLVMConstInt(type, span->high - span->low, false);
    v outside = LLVMBuildICmp(f->b, LLVMIntUGE, LLVMBuildSub(f->b, index, low, ""), count, "");
    if (!span->count) {
        trap_if(f, outside, WASMX_TRAP_UNDEFINED_ELEMENT);
        return;
    }
    LLVMBasicBlockRef wrong = new_block(f, "wrong"), next = new_block(f, "");
    branch_unlikely(f, outside, wrong, next);
    go_on(f, wrong);
    trap_by_element(f, in, index);
    go_on(f, next);
}

static void check_each(fn *f, const wx_instr *in, v index) {
    v size = LLVMConstInt(LLVMTypeOf(index), f->m->tables[in->b].limits.min, false);
    trap_if(f, LLVMBuildICmp(f->b, LLVMIntUGE, index, size, ""), WASMX_TRAP_UNDEFINED_ELEMENT);
    v type = load_const(f, f->p->i64, constant_entry(f, in, index), 0);
    v own = ci64(f->p, local_identity(f->m, in->a)); // one without subtypes: facts.c
    check_slot_type(f, type, LLVMBuildICmp(f->b, LLVMIntEQ, type, own, ""));
}

static callee constant_slot(fn *f, const wx_instr *in, v index, const wx_table_facts *known) {
    wx_table_span span;
    if (find_span(f, in, known, &span)) check_span(f, in, index, &span);
    else check_each(f, in, index);
    v slot = constant_entry(f, in, index);
    callee c = {.code = load_const(f, f->p->ptr, slot, 8), .ctx = f->ctx};
    if (f->p->u->facts.tail_indirect) c.tail = load_const(f, f->p->ptr, slot, 16);
    return c;
}

// Few and small: then a switch over direct calls is better than a call through the table, for LLVM inlines them, those
// of other partitions as well (lend.c).
#define MOST_CANDIDATES 16
#define MOST_APART 256
#define SMALL 48 // bytes of Wasm

static bool is_candidate(const fn *f, uint32_t func) {
    return f->m->funcs[func].import == WX_NO_INDEX && f->m->funcs[func].code.len <= SMALL && func != f->index &&
           !f->p->u->facts.funcs[func].tail;
}

static bool are_few(const fn *f, const wx_instr *in, const wx_table_facts *known, wx_table_span *span) {
    const wx_unit *u = f->p->u;
    if (!known->constant || !known->spans || u->opt_level < 2 || u->opt_size || u->lazy) return false;
    if (u->profiling.generate || f->p->plan->cheap) return false; // counted is a call through the table
    *span = known->spans[f->m->types[in->a].canon];
    if (!span->count || span->count > MOST_CANDIDATES || span->high - span->low > MOST_APART) return false;
    for (uint32_t i = span->low; i < span->high; i++) {
        uint32_t func = known->image[i];
        if (func == UINT32_MAX || !same_signature(f->m, f->m->funcs[func].type, in->a)) continue;
        if (!is_candidate(f, func)) return false;
    }
    return true;
}

static void add_case(fn *f, const wx_instr *in, v choice, uint32_t element, uint32_t func, v *args,
                     LLVMBasicBlockRef join, v phi) {
    const wx_typedef *t = &f->m->types[in->a];
    LLVMBasicBlockRef block = new_block(f, "");
    LLVMAddCase(choice, LLVMConstInt(LLVMTypeOf(LLVMGetOperand(choice, 0)), element, false), block);
    go_on(f, block);
    v result = build_call(f, func_type(f->p, in->a), func_value(f->p, func), f->ctx, args, t, false);
    LLVMBasicBlockRef from = LLVMGetInsertBlock(f->b);
    LLVMBuildBr(f->b, join);
    if (phi) LLVMAddIncoming(phi, &result, &from, 1);
}

static void call_one_of_few(fn *f, const wx_instr *in, v index, const wx_table_facts *known,
                            const wx_table_span *span) {
    const wx_typedef *t = &f->m->types[in->a];
    v *args = pop_args(f, t), phi = NULL;
    LLVMBasicBlockRef wrong = new_block(f, "wrong"), join = new_block(f, "");
    v choice = LLVMBuildSwitch(f->b, index, wrong, span->count);
    uint32_t callees[MOST_APART], cases = 0;
    if (t->result_count) {
        LLVMPositionBuilderAtEnd(f->b, join);
        phi = LLVMBuildPhi(f->b, result_type(f->p, t), "");
    }
    for (uint32_t i = span->low; i < span->high; i++) {
        uint32_t func = known->image[i];
        if (func == UINT32_MAX || !same_signature(f->m, f->m->funcs[func].type, in->a)) continue;
        add_case(f, in, choice, i, func, args, join, phi);
        callees[cases++] = func;
    }
    profile_weigh_callees(f, choice, callees, cases);
    go_on(f, wrong);
    trap_by_element(f, in, index);
    go_on(f, join);
    push_results(f, t, phi, NULL);
}

static v table_load(fn *f, ty type, v from, int64_t offset) {
    v load = load_field(f, type, from, offset);
    set_scope(f->p, load, SCOPE_TABLE);
    return load;
}

// The slot of a table that may change, or NULL.
static v open_slot(fn *f, const wx_instr *in, v index) {
    if (f->p->u->facts.tables[in->b].constant) return NULL;
    v table = table_record(f, in->b);
    v size = table_load(f, f->p->i64, table, offsetof(wasmx_table, size)), wide = zext64(f, index);
    trap_if(f, LLVMBuildICmp(f->b, LLVMIntUGE, wide, size, ""), WASMX_TRAP_UNDEFINED_ELEMENT);
    v elems = table_load(f, f->p->ptr, table, offsetof(wasmx_table, elems));
    return LLVMBuildGEP2(f->b, LLVMArrayType2(f->p->i64, sizeof(wxrt_slot) / 8), elems, &wide, 1, "");
}

static callee in_slot(fn *f, const wx_instr *in, v slot, bool want_tail) {
    v type = table_load(f, f->p->i64, slot, offsetof(wxrt_slot, type));
    check_slot_type(f, type, identity_matches(f, type, in->a));
    callee c = {.code = table_load(f, f->p->ptr, slot, offsetof(wxrt_slot, code)),
                .ctx = table_load(f, f->p->ptr, slot, offsetof(wxrt_slot, ctx))};
    if (want_tail) {
        v ref = table_load(f, f->p->ptr, slot, offsetof(wxrt_slot, ref));
        c.tail = load_field(f, f->p->ptr, ref, offsetof(wasmx_func, tail));
    }
    return c;
}

static callee through_table(fn *f, const wx_instr *in, v index, v slot, bool want_tail) {
    if (slot) return in_slot(f, in, slot, want_tail);
    return constant_slot(f, in, index, &f->p->u->facts.tables[in->b]);
}

// ---- Guards: what a profile found to be called here most of the time is called by its name, and can be inlined
//
// Each function is known by what only it has: its index in a constant table, or the address of its reference in this
// instance. Whatever else it is goes the usual way, with the usual checks, so a wrong profile costs time only.

typedef struct guards {
    uint32_t type;
    v *args;
    bool tail;
    LLVMBasicBlockRef join; // where all ways meet again; made with the first guard
    v *phis;
} guards;

static guards open_guards(fn *f, uint32_t type, bool tail) {
    const wx_typedef *t = &f->m->types[type];
    v *args = pop_args(f, t); // results will be pushed there
    args = wx_arena_dup(&f->p->scratch, args, t->param_count * sizeof *args);
    return (guards){.type = type, .tail = tail, .args = args};
}

static v is_index(fn *f, uint32_t table, v index, uint32_t func) {
    uint32_t at;
    if (!wx_index_in_table(f->p->u, table, func, &at)) return NULL;
    return LLVMBuildICmp(f->b, LLVMIntEQ, index, LLVMConstInt(LLVMTypeOf(index), at, false), "");
}

static v is_reference(fn *f, v ref, uint32_t func) {
    if (!f->p->u->facts.funcs[func].referenced || is_import(f, func)) return NULL;
    return LLVMBuildICmp(f->b, LLVMIntEQ, ref, function_reference(f, func), "");
}

static void join(fn *f, guards *g) {
    const wx_typedef *t = &f->m->types[g->type];
    if (!g->join) {
        g->join = new_block(f, "called");
        g->phis = make_phis(f, g->join, t->results, t->result_count);
    }
    f->height -= t->result_count;
    add_edges(f, g->phis, t->result_count, f->stack + f->height);
    LLVMBuildBr(f->b, g->join);
}

// is_it is NULL where it cannot be told.
static void guard(fn *f, guards *g, v is_it, const hot_target *hot) {
    if (!is_it) return;
    bool tailcc = f->p->u->facts.funcs[hot->func].tail;
    LLVMBasicBlockRef then = new_block(f, "hot"), next = new_block(f, "");
    profile_weights(f->p, LLVMBuildCondBr(f->b, is_it, then, next), (uint64_t[]){hot->count, hot->others}, 2);
    go_on(f, then);
    if (g->tail) call_and_return(f, g->type, func_value(f->p, hot->func), f->ctx, g->args, tailcc);
    else call_and_push(f, g->type, direct(f, hot->func), g->args, tailcc), join(f, g);
    go_on(f, next);
}

static void close_guards(fn *f, guards *g) {
    if (!g->join) return;
    join(f, g);
    go_on(f, g->join);
    for (uint32_t i = 0; i < f->m->types[g->type].result_count; i++) push(f, g->phis[i]);
}

static callee guarded_table(fn *f, const wx_instr *in, guards *g) {
    v index = pop(f), slot = open_slot(f, in, index);
    *g = open_guards(f, in->a, in->op == WX_OP_RETURN_CALL_INDIRECT);
    hot_target hot[HOT_TARGETS];
    uint32_t n = profile_hot_targets(f, in->a, hot);
    v ref = slot && n ? table_load(f, f->p->ptr, slot, offsetof(wxrt_slot, ref)) : NULL;
    for (uint32_t i = 0; i < n; i++)
        guard(f, g, slot ? is_reference(f, ref, hot[i].func) : is_index(f, in->b, index, hot[i].func), &hot[i]);
    callee c = through_table(f, in, index, slot, g->tail);
    profile_count_target(f, c.code);
    return c;
}

void emit_call_indirect(fn *f, const wx_instr *in, int a, int b) {
    (void)a, (void)b;
    const wx_table_facts *known = &f->p->u->facts.tables[in->b];
    wx_table_span span;
    if (!results_in_memory(&f->m->types[in->a]) && are_few(f, in, known, &span)) {
        call_one_of_few(f, in, pop(f), known, &span);
        return;
    }
    guards g;
    callee c = guarded_table(f, in, &g);
    call_and_push(f, in->a, c, g.args, false);
    close_guards(f, &g);
}

// A real tail call where the callee has a tailcc entry and runs on our ctx; else a call and a return. The callee then
// holds no return_call itself or is of another instance.
static void tail_call(fn *f, uint32_t type, callee c, v *args) {
    LLVMBasicBlockRef real = new_block(f, "tail"), plain = new_block(f, "plain");
    v has_entry = LLVMBuildIsNotNull(f->b, c.tail, ""), ours = LLVMBuildICmp(f->b, LLVMIntEQ, c.ctx, f->ctx, "");
    LLVMBuildCondBr(f->b, LLVMBuildAnd(f->b, has_entry, ours, ""), real, plain);
    go_on(f, real);
    call_and_return(f, type, c.tail, f->ctx, args, true);
    go_on(f, plain);
    call_and_return(f, type, c.code, c.ctx, args, false);
    set_dead(f);
}

void emit_return_call_indirect(fn *f, const wx_instr *in, int a, int b) {
    (void)a, (void)b;
    guards g;
    callee c = guarded_table(f, in, &g);
    tail_call(f, in->a, c, g.args);
}

// ---- Through references

static callee through_reference(fn *f, v ref) {
    trap_if(f, LLVMBuildIsNull(f->b, ref, ""), WASMX_TRAP_NULL_FUNCTION);
    return (callee){.code = load_const(f, f->p->ptr, ref, offsetof(wasmx_func, code)),
                    .ctx = load_const(f, f->p->ptr, ref, offsetof(wasmx_func, ctx)),
                    .tail = load_const(f, f->p->ptr, ref, offsetof(wasmx_func, tail))};
}

static callee guarded_reference(fn *f, const wx_instr *in, guards *g) {
    v ref = pop(f);
    *g = open_guards(f, in->a, in->op == WX_OP_RETURN_CALL_REF);
    hot_target hot[HOT_TARGETS];
    uint32_t n = profile_hot_targets(f, in->a, hot);
    for (uint32_t i = 0; i < n; i++) guard(f, g, is_reference(f, ref, hot[i].func), &hot[i]);
    callee c = through_reference(f, ref);
    profile_count_target(f, c.code);
    return c;
}

void emit_call_ref(fn *f, const wx_instr *in, int a, int b) {
    (void)a, (void)b;
    guards g;
    callee c = guarded_reference(f, in, &g);
    call_and_push(f, in->a, c, g.args, false);
    close_guards(f, &g);
}

void emit_return_call_ref(fn *f, const wx_instr *in, int a, int b) {
    (void)a, (void)b;
    guards g;
    callee c = guarded_reference(f, in, &g);
    tail_call(f, in->a, c, g.args);
}
