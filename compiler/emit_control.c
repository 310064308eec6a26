// compiler/emit_control.c: blocks, branches and locals (core 3.3.8, 4.4.8).
//
// Every label has phis for what branches carry; a branch adds an edge to each. Blocks nobody reaches are deleted at
// their end.
#include "compiler/emit.h"

static void block_counts(fn *f, const wx_instr *in, uint32_t *params, uint32_t *results, const wx_type **p,
                         const wx_type **r) {
    static const wx_type none;
    *params = *results = 0;
    *p = *r = &none;
    if (in->block_type.is_index) {
        const wx_typedef *t = &f->m->types[in->block_type.index];
        *params = t->param_count, *results = t->result_count;
        *p = t->params, *r = t->results;
    } else if (in->block_type.result != WX_NONE) {
        *results = 1;
        *r = &in->block_type.result;
    }
}

v *make_phis(fn *f, LLVMBasicBlockRef block, const wx_type *types, uint32_t n) {
    LLVMBasicBlockRef here = LLVMGetInsertBlock(f->b);
    v *phis = WX_NEW_ARRAY(&f->p->scratch, v, n);
    go_on(f, block);
    for (uint32_t i = 0; i < n; i++) phis[i] = LLVMBuildPhi(f->b, value_type(f->p, types[i]), "");
    go_on(f, here);
    return phis;
}

static label *open_label(fn *f, wx_op op) {
    if (f->depth == f->label_capacity) {
        f->label_capacity = f->label_capacity ? f->label_capacity * 2 : 32;
        f->labels = wx_xrealloc(f->labels, f->label_capacity * sizeof *f->labels);
    }
    label *l = &f->labels[f->depth++];
    *l = (label){.op = op};
    return l;
}

static void open_end(fn *f, label *l, const wx_type *results, uint32_t n) {
    l->end = new_block(f, "end");
    l->end_arity = n;
    l->end_phis = make_phis(f, l->end, results, n);
}

static void branch_to_end(label *l) {
    l->target = l->end;
    l->phis = l->end_phis;
    l->arity = l->end_arity;
}

void open_body(fn *f) {
    label *l = open_label(f, WX_OP_BLOCK);
    open_end(f, l, f->type->results, f->type->result_count);
    branch_to_end(l);
}

void emit_block(fn *f, const wx_instr *in, int a, int b) {
    (void)a, (void)b;
    uint32_t np, nr;
    const wx_type *params, *results;
    block_counts(f, in, &np, &nr, &params, &results);
    label *l = open_label(f, WX_OP_BLOCK);
    l->height = f->height - np;
    open_end(f, l, results, nr);
    branch_to_end(l);
}

void add_edges(fn *f, v *phis, uint32_t n, v *values) {
    LLVMBasicBlockRef from = LLVMGetInsertBlock(f->b);
    for (uint32_t i = 0; i < n; i++) LLVMAddIncoming(phis[i], &values[i], &from, 1);
}

// An entry at a loop. The operand stack is empty there (wx_ifunc.has_entries), and locals are in allocas.
static void add_entry(fn *f) {
    LLVMBasicBlockRef join = new_block(f, "");
    LLVMAddCase(f->entries, ci32(f->p, ++f->loops), join);
    LLVMBuildBr(f->b, join);
    go_on(f, join);
}

void emit_loop(fn *f, const wx_instr *in, int a, int b) {
    (void)a, (void)b;
    uint32_t np, nr;
    const wx_type *params, *results;
    block_counts(f, in, &np, &nr, &params, &results);
    if (f->frame) add_entry(f);
    label *l = open_label(f, WX_OP_LOOP);
    l->height = f->height - np;
    l->target = new_block(f, "loop");
    l->arity = np;
    l->phis = make_phis(f, l->target, params, np);
    open_end(f, l, results, nr);
    add_edges(f, l->phis, np, &f->stack[l->height]);
    LLVMBuildBr(f->b, l->target);
    go_on(f, l->target);
    for (uint32_t i = 0; i < np; i++) f->stack[l->height + i] = l->phis[i];
    profile_count(f, NULL);
}

static v truth(fn *f, v x) { return LLVMBuildICmp(f->b, LLVMIntNE, x, ci32(f->p, 0), ""); }

void emit_if(fn *f, const wx_instr *in, int a, int b) {
    (void)a, (void)b;
    uint32_t np, nr;
    const wx_type *params, *results;
    block_counts(f, in, &np, &nr, &params, &results);
    v condition = truth(f, pop(f));
    profile_count_condition(f, condition);
    label *l = open_label(f, WX_OP_IF);
    l->height = f->height - np;
    l->otherwise = new_block(f, "else");
    l->param_count = np;
    l->params = wx_arena_dup(&f->p->scratch, f->stack + l->height, np * sizeof(v));
    open_end(f, l, results, nr);
    branch_to_end(l);
    LLVMBasicBlockRef then = new_block(f, "then");
    profile_weigh(f, LLVMBuildCondBr(f->b, condition, then, l->otherwise));
    go_on(f, then);
}

static void fall_to_end(fn *f, label *l) {
    if (f->dead) return;
    add_edges(f, l->end_phis, l->end_arity, &f->stack[f->height - l->end_arity]);
    LLVMBuildBr(f->b, l->end);
}

static void begin_else(fn *f, label *l) {
    go_on(f, l->otherwise);
    l->otherwise = NULL;
    f->dead = false;
    f->height = l->height;
    for (uint32_t i = 0; i < l->param_count; i++) push(f, l->params[i]);
}

void emit_else(fn *f, const wx_instr *in, int a, int b) {
    (void)in, (void)a, (void)b;
    label *l = &f->labels[f->depth - 1];
    fall_to_end(f, l);
    begin_else(f, l);
    l->op = WX_OP_ELSE;
}

static bool is_reached(LLVMBasicBlockRef block) { return LLVMGetFirstUse(LLVMBasicBlockAsValue(block)) != NULL; }

static void drop_block(LLVMBasicBlockRef block) { LLVMDeleteBasicBlock(block); }

static void close_body(fn *f, label *l) {
    go_on(f, l->end);
    return_values(f, l->end_phis);
    f->dead = true;
}

void emit_end(fn *f, const wx_instr *in, int a, int b) {
    (void)in, (void)a, (void)b;
    label *l = &f->labels[f->depth - 1];
    fall_to_end(f, l);
    if (l->otherwise) { // an if without else: its parameters are its results
        begin_else(f, l);
        fall_to_end(f, l);
    }
    f->depth--;
    f->height = l->height;
    f->dead = !is_reached(l->end);
    if (f->dead) {
        drop_block(l->end);
        f->dead_depth = 0;
        return;
    }
    if (f->depth == 0) {
        close_body(f, l);
        return;
    }
    go_on(f, l->end);
    for (uint32_t i = 0; i < l->end_arity; i++) push(f, l->end_phis[i]);
}

static label *label_at(fn *f, uint32_t depth) { return &f->labels[f->depth - 1 - depth]; }

static void carry(fn *f, label *l) { add_edges(f, l->phis, l->arity, &f->stack[f->height - l->arity]); }

void emit_br(fn *f, const wx_instr *in, int a, int b) {
    (void)a, (void)b;
    label *l = label_at(f, in->a);
    carry(f, l);
    LLVMBuildBr(f->b, l->target);
    set_dead(f);
}

// The edge goes straight to the target, so the values are added before the branch is built.
static void branch_when(fn *f, v condition, label *l) {
    LLVMBasicBlockRef next = new_block(f, "");
    profile_count_condition(f, condition);
    carry(f, l);
    profile_weigh(f, LLVMBuildCondBr(f->b, condition, l->target, next));
    go_on(f, next);
}

void branch_to(fn *f, v condition, uint32_t depth) { branch_when(f, condition, label_at(f, depth)); }

void emit_br_if(fn *f, const wx_instr *in, int a, int b) {
    (void)a, (void)b;
    v condition = truth(f, pop(f));
    branch_when(f, condition, label_at(f, in->a));
}

void emit_br_table(fn *f, const wx_instr *in, int a, int b) {
    (void)a, (void)b;
    v index = pop(f);
    wx_error none = {0};
    uint32_t count = in->labels.count;
    wx_reader r = wx_reader_make(in->labels.at, &none);
    uint32_t *depths = WX_NEW_ARRAY(&f->p->scratch, uint32_t, (size_t)count + 1);
    for (uint32_t i = 0; i <= count; i++) depths[i] = wx_label_read(&r);
    profile_count_case(f, index, count);
    label *fallback = label_at(f, depths[count]);
    v select = LLVMBuildSwitch(f->b, index, fallback->target, count);
    carry(f, fallback);
    uint32_t cases = 0;
    for (uint32_t i = 0; i < count; i++) {
        label *l = label_at(f, depths[i]);
        depths[i] = 0;
        if (l->target == fallback->target) continue; // the default takes it
        LLVMAddCase(select, ci32(f->p, i), l->target);
        carry(f, l);
        depths[i] = ++cases; // from here on, which successor it is
    }
    depths[count] = 0;
    profile_weigh_switch(f, select, depths, count);
    set_dead(f);
}

void emit_return(fn *f, const wx_instr *in, int a, int b) {
    (void)in, (void)a, (void)b;
    label *body = &f->labels[0];
    carry(f, body);
    LLVMBuildBr(f->b, body->target);
    set_dead(f);
}

void emit_unreachable(fn *f, const wx_instr *in, int a, int b) {
    (void)in, (void)a, (void)b;
    trap_always(f, WASMX_TRAP_UNREACHABLE);
}

void emit_nop(fn *f, const wx_instr *in, int a, int b) { (void)f, (void)in, (void)a, (void)b; }

void emit_drop(fn *f, const wx_instr *in, int a, int b) {
    (void)in, (void)a, (void)b;
    pop(f);
}

void emit_select(fn *f, const wx_instr *in, int a, int b) {
    (void)in, (void)a, (void)b;
    v condition = truth(f, pop(f)), otherwise = pop(f), then = pop(f);
    push(f, LLVMBuildSelect(f->b, condition, then, otherwise, ""));
}

void emit_local_get(fn *f, const wx_instr *in, int a, int b) {
    (void)a, (void)b;
    push(f, LLVMBuildLoad2(f->b, value_type(f->p, f->local_types[in->a]), f->locals[in->a], ""));
}

void emit_local_set(fn *f, const wx_instr *in, int a, int b) {
    (void)a, (void)b;
    LLVMBuildStore(f->b, pop(f), f->locals[in->a]);
}

void emit_local_tee(fn *f, const wx_instr *in, int a, int b) {
    (void)a, (void)b;
    LLVMBuildStore(f->b, top(f, 0), f->locals[in->a]);
}

void emit_unsupported(fn *f, const wx_instr *in, int a, int b) {
    (void)in, (void)a, (void)b;
    trap_always(f, WASMX_TRAP_UNREACHABLE); // facts.c has refused every live body that gets here
}

// ---- References (core 4.4.3)

void emit_ref_null(fn *f, const wx_instr *in, int a, int b) {
    (void)in, (void)a, (void)b;
    push(f, LLVMConstNull(f->p->ptr));
}

static v is_null(fn *f, v ref) { return LLVMBuildIsNull(f->b, ref, ""); }

void emit_ref_is_null(fn *f, const wx_instr *in, int a, int b) {
    (void)in, (void)a, (void)b;
    push(f, LLVMBuildZExt(f->b, is_null(f, pop(f)), f->p->i32, ""));
}

void emit_ref_func(fn *f, const wx_instr *in, int a, int b) {
    (void)a, (void)b;
    push(f, function_reference(f, in->a));
}

void emit_ref_as_non_null(fn *f, const wx_instr *in, int a, int b) {
    (void)in, (void)a, (void)b;
    trap_if(f, is_null(f, top(f, 0)), WASMX_TRAP_NULL_REFERENCE);
}

void emit_br_on_null(fn *f, const wx_instr *in, int a, int b) {
    (void)a, (void)b;
    v ref = pop(f);
    branch_when(f, is_null(f, ref), label_at(f, in->a));
    push(f, ref);
}

void emit_br_on_non_null(fn *f, const wx_instr *in, int a, int b) {
    (void)a, (void)b;
    v condition = LLVMBuildNot(f->b, is_null(f, top(f, 0)), "");
    branch_when(f, condition, label_at(f, in->a));
    pop(f);
}
