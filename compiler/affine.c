// compiler/affine.c: values that grow evenly from one iteration of a loop to the next.
//
// in: an i32 and a loop   out: start and step   Sums, differences and products with constants of a phi of the loop's
// header and of what is invariant. All of it in 32 bits: that a sum wraps changes nothing here.
#include "compiler/affine.h"

#define DEEPEST 8 // sums within sums

typedef struct sight { part *p; const flow *w; uint32_t loop; } sight;

static v incoming(v phi, LLVMBasicBlockRef from) {
    for (unsigned i = 0; i < LLVMCountIncoming(phi); i++)
        if (LLVMGetIncomingBlock(phi, i) == from) return LLVMGetIncomingValue(phi, i);
    return NULL;
}

static bool is_header_phi(const sight *s, v x) {
    return LLVMIsAPHINode(x) && LLVMGetInstructionParent(x) == s->w->blocks[s->w->loops[s->loop].header];
}

static bool affine_phi(const sight *s, v x, affine *a) {
    const flow_loop *l = &s->w->loops[s->loop];
    v next = l->latch_count == 1 ? incoming(x, s->w->blocks[l->latches[0]]) : NULL;
    int32_t step;
    if (!next || next == x || split_constant(next, &step) != x) return false;
    *a = (affine){incoming(x, s->w->blocks[l->entry]), (uint32_t)step};
    return true;
}

v end_of_entry(const flow *w, uint32_t loop) {
    return LLVMGetBasicBlockTerminator(w->blocks[w->loops[loop].entry]);
}

// What is invariant is known there too: it dominates the header.
static v build_start(const sight *s, LLVMOpcode op, v left, v right) {
    LLVMPositionBuilderBefore(s->p->b, end_of_entry(s->w, s->loop));
    return LLVMBuildBinOp(s->p->b, op == LLVMOr ? LLVMAdd : op, left, right, "");
}

static bool find(const sight *s, v x, unsigned depth, affine *a);

static bool affine_sum(const sight *s, v x, LLVMOpcode op, unsigned depth, affine *a) {
    affine l, r;
    if (!find(s, LLVMGetOperand(x, 0), depth, &l) || !find(s, LLVMGetOperand(x, 1), depth, &r)) return false;
    *a = (affine){build_start(s, op, l.start, r.start), op == LLVMSub ? l.step - r.step : l.step + r.step};
    return true;
}

static bool affine_product(const sight *s, v x, LLVMOpcode op, unsigned depth, affine *a) {
    affine l;
    v by = LLVMGetOperand(x, 1);
    if (!LLVMIsAConstantInt(by) || !find(s, LLVMGetOperand(x, 0), depth, &l)) return false;
    uint64_t n = LLVMConstIntGetZExtValue(by);
    if (op == LLVMShl && n > 31) return false;
    *a = (affine){build_start(s, op, l.start, by), op == LLVMShl ? l.step << n : l.step * (uint32_t)n};
    return true;
}

static bool find(const sight *s, v x, unsigned depth, affine *a) {
    if (flow_invariant(s->w, s->loop, x)) {
        *a = (affine){x, 0};
        return true;
    }
    if (depth == 0 || !LLVMIsAInstruction(x)) return false;
    if (is_header_phi(s, x)) return affine_phi(s, x, a);
    LLVMOpcode op = LLVMGetInstructionOpcode(x);
    switch (op) {
    case LLVMOr: return LLVMGetIsDisjoint(x) && affine_sum(s, x, op, depth - 1, a);
    case LLVMAdd: case LLVMSub: return affine_sum(s, x, op, depth - 1, a);
    case LLVMShl: case LLVMMul: return affine_product(s, x, op, depth - 1, a);
    default: return false;
    }
}

bool find_affine(part *p, const flow *w, uint32_t loop, v x, affine *a) {
    sight s = {p, w, loop};
    return LLVMTypeOf(x) == p->i32 && find(&s, x, DEEPEST, a);
}
