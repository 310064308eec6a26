// compiler/bound.c: reading explicit checks.
//
// in: a branch   out: what it compares, in one form, whichever LLVM chose
#include "compiler/bound.h"

#define FARTHEST 64 // blocks on the way to a trap

static bool leads_to_trap(LLVMBasicBlockRef b, unsigned *room) {
    v end = LLVMGetBasicBlockTerminator(b);
    if (LLVMIsAUnreachableInst(end)) return true;
    unsigned n = LLVMGetNumSuccessors(end);
    for (unsigned i = 0; i < n; i++)
        if (!*room || (--*room, !leads_to_trap(LLVMGetSuccessor(end, i), room))) return false;
    return n > 0;
}

bool is_doomed(LLVMBasicBlockRef b) {
    unsigned room = FARTHEST;
    return leads_to_trap(b, &room);
}

typedef struct comparison { v less, more; bool or_equal; } comparison; // traps if more > less, or more >= less

static bool read_comparison(v branch, comparison *c, unsigned *keep) {
    v is = LLVMGetCondition(branch);
    if (!LLVMIsAICmpInst(is)) return false;
    bool first = is_doomed(LLVMGetSuccessor(branch, 0)), second = is_doomed(LLVMGetSuccessor(branch, 1));
    if (first == second) return false;
    *keep = first ? 1 : 0;
    v a = LLVMGetOperand(is, 0), b = LLVMGetOperand(is, 1);
    switch (LLVMGetICmpPredicate(is)) {
    case LLVMIntUGT: *c = first ? (comparison){b, a, false} : (comparison){a, b, true}; return true;
    case LLVMIntUGE: *c = first ? (comparison){b, a, true} : (comparison){a, b, false}; return true;
    case LLVMIntULT: *c = first ? (comparison){a, b, false} : (comparison){b, a, true}; return true;
    case LLVMIntULE: *c = first ? (comparison){a, b, true} : (comparison){b, a, false}; return true;
    default: return false;
    }
}

// x = zext(result) + constant, in 64 bits without a wrap: the constant is below 2^33.
static v narrow_sum(const part *p, v x, int64_t *constant) {
    *constant = 0;
    if (is_sum(x) && LLVMIsAConstantInt(LLVMGetOperand(x, 1))) {
        *constant = LLVMConstIntGetSExtValue(LLVMGetOperand(x, 1));
        if (*constant < 0 || *constant >> 33) return NULL;
        x = LLVMGetOperand(x, 0);
    }
    if (!LLVMIsAZExtInst(x) || LLVMTypeOf(LLVMGetOperand(x, 0)) != p->i32) return NULL;
    return LLVMGetOperand(x, 0);
}

static bool is_size(const part *p, v x) {
    return LLVMIsALoadInst(x) && LLVMGetMetadata(x, p->md_scope) == p->scopes[SCOPE_SIZE];
}

// ---- Two checks that LLVM made one of: the first traps, or the second does

static bool read_either(v x, v *first, v *second) {
    if (!LLVMIsAInstruction(x)) return false;
    LLVMOpcode op = LLVMGetInstructionOpcode(x);
    if (op != LLVMOr && op != LLVMSelect) return false;
    v middle = LLVMGetOperand(x, 1);
    *first = LLVMGetOperand(x, 0);
    *second = op == LLVMOr ? middle : LLVMGetOperand(x, 2);
    return op == LLVMOr || (LLVMIsAConstantInt(middle) && LLVMConstIntGetZExtValue(middle) == 1);
}

static bool has_phis(LLVMBasicBlockRef b) { return LLVMIsAPHINode(LLVMGetFirstInstruction(b)) != NULL; }

static bool split_check(part *p, LLVMBasicBlockRef b) {
    v branch = LLVMGetBasicBlockTerminator(b), first, second;
    if (!LLVMIsABranchInst(branch) || !LLVMIsConditional(branch)) return false;
    if (!read_either(LLVMGetCondition(branch), &first, &second)) return false;
    LLVMBasicBlockRef trap = LLVMGetSuccessor(branch, 0), on = LLVMGetSuccessor(branch, 1);
    if (!is_doomed(trap) || is_doomed(on) || has_phis(trap) || has_phis(on)) return false;
    LLVMBasicBlockRef next = LLVMInsertBasicBlockInContext(p->c, on, "");
    LLVMPositionBuilderAtEnd(p->b, next);
    debug_near(p, branch);
    LLVMSetMetadata(LLVMBuildCondBr(p->b, second, trap, on), p->md_prof, p->unlikely_md);
    LLVMSetCondition(branch, first);
    LLVMSetMetadata(branch, p->md_prof, p->unlikely_md);
    LLVMSetSuccessor(branch, 1, next);
    return true;
}

void split_checks(part *p, v function) {
    for (LLVMBasicBlockRef b = LLVMGetFirstBasicBlock(function); b; b = LLVMGetNextBasicBlock(b))
        while (split_check(p, b)) {}
}

bool read_bound(const part *p, v branch, bound *b) {
    comparison c;
    *b = (bound){.branch = branch};
    if (!LLVMIsABranchInst(branch) || !LLVMIsConditional(branch)) return false;
    if (!read_comparison(branch, &c, &b->keep)) return false;
    b->index = LLVMTypeOf(c.more) == p->i32 ? c.more : narrow_sum(p, c.more, &b->extent);
    if (!b->index) return false;
    b->extent += c.or_equal;
    if (LLVMIsAConstantInt(c.less)) {
        uint64_t most = LLVMConstIntGetZExtValue(c.less);
        if (most < (uint64_t)b->extent) return false;
        b->most = most - (uint64_t)b->extent;
        return true;
    }
    b->size = c.less;
    return is_size(p, c.less) && LLVMTypeOf(c.more) == p->i64;
}
