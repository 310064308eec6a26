// compiler/looks.c: where code of --interruptible modules looks whether it has been interrupted.
//
// in: a function after all of LLVM's passes, so that no loop is kept from being unrolled or vectorised; out: the same
// with dead volatile loads of the page whose loss interrupts. Every cycle of blocks has one at the target of a branch
// that goes back, and functions that call have one at their entry. A loop that counts does without the load:
//
//   head: ..                        outer: stop = limit, or N iterations from here if it is farther
//   tail: ..                        head:  ..
//         if (next < limit) -> head        tail:  .. if (next < stop) -> head
//                                          then:  if (next < limit) -> again: load -> outer
//
// N follows from what an iteration costs at most, so that a guest is stopped within a fraction of a millisecond. A loop
// that is shorter for certain has no look.
#include "compiler/looks.h"

#include <stdlib.h>
#include <string.h>

#include "compiler/access.h"

#define BUDGET 32768  // of what may happen between two looks: an instruction is 1,
#define ACCESS 16     // an access of memory, which may be a page fault, this,
#define CALL 16       // a call of a function that only computes this and its instructions;
#define ENDLESS UINT32_MAX // any other call
#define LEAST 8       // iterations: below, a load costs less than to count
#define MOST_BLOCKS 16384 // of a function whose loops are looked at
#define MOST_LEAF 256 // instructions of a function that is looked into

#define EACH_BLOCK(b, f) LLVMBasicBlockRef b = LLVMGetFirstBasicBlock(f); b; b = LLVMGetNextBasicBlock(b)

static v first_after_phis(LLVMBasicBlockRef block) {
    v at = LLVMGetFirstInstruction(block);
    while (LLVMIsAPHINode(at) || LLVMIsAAllocaInst(at)) at = LLVMGetNextInstruction(at);
    return at;
}

static void look_before(part *p, v f, v at) {
    LLVMPositionBuilderBefore(p->b, at);
    debug_near(p, at);
    int64_t offset = -(int64_t)wxrt_interrupt_at(p->u->area_size);
    LLVMSetVolatile(LLVMBuildLoad2(p->b, p->i8, byte_offset(p, LLVMGetParam(f, 0), offset), ""), true);
}

// ---- Branches that go back
//
// Found by a walk in depth; every cycle has at least one branch to a block that the walk is still in.

typedef struct walk { LLVMBasicBlockRef block; unsigned next; } walk;
enum { UNSEEN, OPEN, TARGET, DONE }; // a block that the walk is in: OPEN, or TARGET once such a branch was seen

typedef struct targets { LLVMBasicBlockRef *blocks; uint32_t count; } targets;

static uint64_t *mark_of(wx_map *marks, LLVMBasicBlockRef block) { return wx_map_put(marks, (uintptr_t)block, NULL); }

static targets find_targets(v f) {
    wx_map marks = {0};
    uint32_t count = LLVMCountBasicBlocks(f), depth = 0;
    targets t = {wx_xmalloc(count * sizeof *t.blocks), 0};
    walk *stack = wx_xmalloc(count * sizeof *stack);
    stack[depth++] = (walk){LLVMGetEntryBasicBlock(f), 0};
    *mark_of(&marks, stack[0].block) = OPEN;
    while (depth) {
        walk *top = &stack[depth - 1];
        v end = LLVMGetBasicBlockTerminator(top->block);
        if (top->next == LLVMGetNumSuccessors(end)) {
            *mark_of(&marks, top->block) = DONE;
            depth--;
            continue;
        }
        LLVMBasicBlockRef to = LLVMGetSuccessor(end, top->next++);
        uint64_t *mark = mark_of(&marks, to);
        if (*mark == OPEN) t.blocks[t.count++] = to, *mark = TARGET;
        if (*mark != UNSEEN) continue;
        *mark = OPEN;
        stack[depth++] = (walk){to, 0};
    }
    free(stack);
    wx_map_free(&marks);
    return t;
}

// ---- What an iteration costs at most

static uint32_t cost_of(v i, bool inside);

static uint32_t sum(uint32_t a, uint32_t b) { return a > ENDLESS - b ? ENDLESS : a + b; }

// A function that only computes; whatever else is ENDLESS.
static uint32_t cost_of_leaf(v f) {
    uint32_t cost = CALL, left = MOST_LEAF;
    for (EACH_BLOCK(b, f))
        for (EACH_INSTRUCTION(i, b)) {
            if (!left--) return ENDLESS;
            cost = sum(cost, cost_of(i, true));
        }
    targets t = find_targets(f);
    free(t.blocks);
    return t.count ? ENDLESS : cost;
}

static bool moves_memory(v intrinsic) {
    size_t size;
    const char *name = LLVMGetValueName2(intrinsic, &size);
    return size > 8 && !strncmp(name, "llvm.mem", 8);
}

static uint32_t cost_of_call(v i, bool inside) {
    v callee = LLVMGetCalledValue(i);
    if (LLVMIsAInlineAsm(callee)) return 1;
    if (LLVMIsAIntrinsicInst(i)) return moves_memory(callee) ? ENDLESS : 4;
    return !inside && LLVMIsAFunction(callee) && LLVMCountBasicBlocks(callee) ? cost_of_leaf(callee) : ENDLESS;
}

static uint32_t cost_of(v i, bool inside) {
    switch (LLVMGetInstructionOpcode(i)) {
    case LLVMCall: return cost_of_call(i, inside);
    case LLVMLoad: case LLVMStore: case LLVMAtomicRMW: case LLVMAtomicCmpXchg: return ACCESS;
    default: return 1;
    }
}

static uint32_t cost_of_block(LLVMBasicBlockRef block) {
    uint32_t cost = 0;
    for (v i = LLVMGetFirstInstruction(block); i && cost <= BUDGET; i = LLVMGetNextInstruction(i))
        cost = sum(cost, cost_of(i, false));
    return cost;
}

// The dearest way from the head of its loop to the end of the block; blocks are numbered in an order of such ways.
static uint32_t cost_up_to(const flow *w, const uint32_t *ways, uint32_t block) {
    uint32_t most = 0;
    for (uint32_t i = w->first_pred[block]; i < w->first_pred[block + 1]; i++) {
        uint32_t pred = w->preds[i];
        if (pred < block && w->loop_of[pred] == w->loop_of[block] && ways[pred] > most) most = ways[pred];
    }
    return sum(most, cost_of_block(w->blocks[block]));
}

// Of every loop that has no other one inside.
static uint32_t *find_costs(const flow *w) {
    uint32_t *costs = wx_xcalloc(w->loop_count + 1, sizeof *costs), *ways = wx_xcalloc(w->count + 1, sizeof *ways);
    for (uint32_t b = 0; b < w->count; b++) {
        uint32_t loop = w->loop_of[b];
        if (loop == FLOW_NONE) continue;
        ways[b] = cost_up_to(w, ways, b);
        if (ways[b] > costs[loop]) costs[loop] = ways[b];
    }
    free(ways);
    return costs;
}

// A loop with another one inside is not counted; nor one with a cycle that is no loop.
static void rule_out_outer(const flow *w, const targets *t, uint32_t *costs) {
    for (uint32_t k = 0; k < t->count; k++) {
        uint32_t block = flow_number(w, t->blocks[k]), loop = w->loop_of[block];
        if (loop != FLOW_NONE && w->loops[loop].header == block) loop = w->loops[loop].parent;
        for (; loop != FLOW_NONE && costs[loop] != ENDLESS; loop = w->loops[loop].parent) costs[loop] = ENDLESS;
    }
}

// ---- Loops that count

typedef struct counted {
    LLVMBasicBlockRef head, tail, exit;
    v end;                  // of tail: goes on with the head while `next` is before, or not yet at, `limit`
    v next, limit;
    v tested;               // what is compared with the limit: next, or its extension by zeros
    LLVMIntPredicate goes_on;
    int64_t step;
    unsigned width;         // bits of next
    uint64_t most;          // iterations between two looks
} counted;

static v incoming_from(v phi, LLVMBasicBlockRef block) {
    for (unsigned k = 0; k < LLVMCountIncoming(phi); k++)
        if (LLVMGetIncomingBlock(phi, k) == block) return LLVMGetIncomingValue(phi, k);
    return NULL;
}

static LLVMIntPredicate inverse(LLVMIntPredicate p) {
    switch (p) {
    case LLVMIntEQ: return LLVMIntNE;
    case LLVMIntNE: return LLVMIntEQ;
    case LLVMIntUGE: return LLVMIntULT;
    case LLVMIntULE: return LLVMIntUGT;
    case LLVMIntSGE: return LLVMIntSLT;
    case LLVMIntSLE: return LLVMIntSGT;
    case LLVMIntULT: return LLVMIntUGE;
    case LLVMIntUGT: return LLVMIntULE;
    case LLVMIntSLT: return LLVMIntSGE;
    default: return LLVMIntSLE;
    }
}

static LLVMIntPredicate swapped(LLVMIntPredicate p) {
    switch (p) {
    case LLVMIntUGT: return LLVMIntULT;
    case LLVMIntULT: return LLVMIntUGT;
    case LLVMIntSGT: return LLVMIntSLT;
    case LLVMIntSLT: return LLVMIntSGT;
    default: return p == LLVMIntNE ? p : LLVMIntEQ; // EQ stands for those that are not used here
    }
}

static bool counts_towards(const counted *c) {
    uint64_t size = (uint64_t)(c->step < 0 ? -c->step : c->step);
    if (!c->step || size > 4096) return false;
    switch (c->goes_on) {
    case LLVMIntNE: return !(size & (size - 1));
    case LLVMIntULT: case LLVMIntSLT: return c->step > 0;
    case LLVMIntUGT: case LLVMIntSGT: return c->step < 0;
    default: return false;
    }
}

// next = phi of the head + constant
static bool find_step(counted *c) {
    if (!LLVMIsAInstruction(c->next) || LLVMGetInstructionOpcode(c->next) != LLVMAdd) return false;
    v phi = LLVMGetOperand(c->next, 0), step = LLVMGetOperand(c->next, 1);
    if (!LLVMIsAPHINode(phi) || LLVMGetInstructionParent(phi) != c->head || !LLVMIsAConstantInt(step)) return false;
    if (incoming_from(phi, c->tail) != c->next) return false;
    c->width = LLVMGetIntTypeWidth(LLVMTypeOf(step));
    c->step = c->width <= 64 ? LLVMConstIntGetSExtValue(step) : 0;
    return (c->width == 32 || c->width == 64) && counts_towards(c);
}

// The pieces compare 32 bits, also with what a limit of 64 bits has of them: where it has more, a piece ends too early.
static bool find_next(counted *c) {
    bool wide = LLVMIsAZExtInst(c->tested);
    c->next = wide ? LLVMGetOperand(c->tested, 0) : c->tested;
    return !wide || c->goes_on == LLVMIntNE || c->goes_on == LLVMIntULT;
}

static bool find_counted(const flow *w, uint32_t loop, counted *c) {
    const flow_loop *l = &w->loops[loop];
    if (l->latch_count != 1) return false;
    c->head = w->blocks[l->header];
    c->tail = w->blocks[l->latches[0]];
    c->end = LLVMGetBasicBlockTerminator(c->tail);
    if (LLVMGetNumSuccessors(c->end) != 2 || !LLVMIsABranchInst(c->end)) return false;
    unsigned leaves = LLVMGetSuccessor(c->end, 0) == c->head;
    c->exit = LLVMGetSuccessor(c->end, leaves);
    v test = LLVMGetCondition(c->end);
    if (c->exit == c->head || !LLVMIsAICmpInst(test)) return false;
    c->tested = LLVMGetOperand(test, 0), c->limit = LLVMGetOperand(test, 1);
    c->goes_on = leaves ? LLVMGetICmpPredicate(test) : inverse(LLVMGetICmpPredicate(test));
    if (flow_invariant(w, loop, c->tested)) {
        v t = c->tested;
        c->tested = c->limit, c->limit = t, c->goes_on = swapped(c->goes_on);
    }
    return flow_invariant(w, loop, c->limit) && find_next(c) && find_step(c);
}

// ---- Whether the limit is far: more than `most` iterations from the first test

static v constant_start(const counted *c) {
    v phi = LLVMGetOperand(c->next, 0), start = NULL;
    for (unsigned k = 0; k < LLVMCountIncoming(phi); k++) {
        if (LLVMGetIncomingBlock(phi, k) == c->tail) continue;
        if (start || !LLVMIsAConstantInt(start = LLVMGetIncomingValue(phi, k))) return NULL;
    }
    return start;
}

// At the builder's place; with constants, a constant.
static v build_far(part *p, const counted *c, v first, v limit) {
    LLVMTypeRef type = LLVMTypeOf(first);
    uint64_t size = (uint64_t)(c->step < 0 ? -c->step : c->step);
    v up = LLVMBuildSub(p->b, limit, first, ""), left = c->step > 0 ? up : LLVMBuildNeg(p->b, up, "");
    v far = LLVMBuildICmp(p->b, LLVMIntUGT, left, LLVMConstInt(type, c->most * size, false), "");
    if (c->goes_on != LLVMIntNE) // ordered: it may be past the limit already
        return LLVMBuildAnd(p->b, far, LLVMBuildICmp(p->b, c->goes_on, first, limit, ""), "");
    if (size == 1) return far;
    v rest = LLVMBuildAnd(p->b, left, LLVMConstInt(type, size - 1, false), ""); // then it is never met, or after a wrap
    return LLVMBuildOr(p->b, far, LLVMBuildICmp(p->b, LLVMIntNE, rest, LLVMConstNull(type), ""), "");
}

static v build_first(part *p, const counted *c, v start) {
    return LLVMBuildAdd(p->b, start, LLVMGetOperand(c->next, 1), "");
}

static v build_limit(part *p, const counted *c) {
    return c->tested == c->next ? c->limit : LLVMBuildTrunc(p->b, c->limit, LLVMTypeOf(c->next), "");
}

static bool is_short(part *p, const counted *c) {
    v start = constant_start(c);
    if (!start || !LLVMIsAConstantInt(c->limit)) return false;
    LLVMPositionBuilderBefore(p->b, c->end);
    v limit = build_limit(p, c);
    if (c->tested != c->next && LLVMConstIntGetZExtValue(limit) != LLVMConstIntGetZExtValue(c->limit)) return false;
    v far = build_far(p, c, build_first(p, c, start), limit);
    return LLVMIsAConstantInt(far) && !LLVMConstIntGetZExtValue(far);
}

// ---- The loop around it

static void lead_to(v end, LLVMBasicBlockRef from, LLVMBasicBlockRef to) {
    for (unsigned k = 0; k < LLVMGetNumSuccessors(end); k++)
        if (LLVMGetSuccessor(end, k) == from) LLVMSetSuccessor(end, k, to);
}

static void replace_phi(v old, v new) {
    LLVMReplaceAllUsesWith(old, new);
    LLVMInstructionEraseFromParent(old);
}

static v new_phi(part *p, v like) {
    debug_near(p, like);
    return LLVMBuildPhi(p->b, LLVMTypeOf(like), "");
}

// What came to the head from outside comes to `outer`; the head's phis then have two inputs, outer and tail.
static void move_entries(part *p, const counted *c, LLVMBasicBlockRef outer) {
    for (v phi = LLVMGetFirstInstruction(c->head), next; LLVMIsAPHINode(phi); phi = next) {
        next = LLVMGetNextInstruction(phi);
        LLVMPositionBuilderAtEnd(p->b, outer);
        v before = new_phi(p, phi);
        LLVMPositionBuilderBefore(p->b, phi);
        v inner = new_phi(p, phi);
        for (unsigned k = 0; k < LLVMCountIncoming(phi); k++) {
            LLVMBasicBlockRef from = LLVMGetIncomingBlock(phi, k);
            v value = LLVMGetIncomingValue(phi, k);
            LLVMAddIncoming(from == c->tail ? inner : before, &value, &from, 1);
            if (from != c->tail) lead_to(LLVMGetBasicBlockTerminator(from), c->head, outer);
        }
        LLVMAddIncoming(inner, &before, &outer, 1);
        replace_phi(phi, inner);
    }
}

// The loop's later entries into outer bring what the tail had.
static void carry_on(const counted *c, LLVMBasicBlockRef outer, LLVMBasicBlockRef again) {
    v before = LLVMGetFirstInstruction(outer);
    for (v phi = LLVMGetFirstInstruction(c->head); LLVMIsAPHINode(phi); phi = LLVMGetNextInstruction(phi)) {
        v value = incoming_from(phi, c->tail);
        LLVMAddIncoming(before, &value, &again, 1);
        before = LLVMGetNextInstruction(before);
    }
}

static void rename_input(part *p, LLVMBasicBlockRef block, LLVMBasicBlockRef from, LLVMBasicBlockRef to) {
    for (v phi = LLVMGetFirstInstruction(block), next; LLVMIsAPHINode(phi); phi = next) {
        next = LLVMGetNextInstruction(phi);
        LLVMPositionBuilderBefore(p->b, phi);
        v copy = new_phi(p, phi);
        for (unsigned k = 0; k < LLVMCountIncoming(phi); k++) {
            LLVMBasicBlockRef b = LLVMGetIncomingBlock(phi, k);
            v value = LLVMGetIncomingValue(phi, k);
            LLVMAddIncoming(copy, &value, b == from ? &to : &b, 1);
        }
        replace_phi(phi, copy);
    }
}

// From the end of outer to the head; the value to stop at.
static v build_stop(part *p, const counted *c, LLVMBasicBlockRef outer) {
    LLVMPositionBuilderAtEnd(p->b, outer);
    v first = build_first(p, c, incoming_from(LLVMGetOperand(c->next, 0), outer));
    v reach = LLVMConstInt(LLVMTypeOf(first), c->most * (uint64_t)c->step, true);
    v limit = build_limit(p, c), far = build_far(p, c, first, limit);
    v stop = LLVMBuildSelect(p->b, far, LLVMBuildAdd(p->b, first, reach, ""), limit, "");
    LLVMBuildBr(p->b, c->head);
    return stop;
}

static v stop_at(part *p, const counted *c, v stop, LLVMBasicBlockRef then) {
    v test = LLVMGetCondition(c->end);
    LLVMPositionBuilderBefore(p->b, c->end);
    bool stays_first = LLVMGetSuccessor(c->end, 0) == c->head;
    LLVMIntPredicate how = stays_first ? c->goes_on : inverse(c->goes_on);
    LLVMSetCondition(c->end, LLVMBuildICmp(p->b, how, c->next, stop, ""));
    lead_to(c->end, c->exit, then);
    return test;
}

static void count_in_pieces(part *p, v f, const counted *c) {
    LLVMBasicBlockRef outer = LLVMInsertBasicBlockInContext(p->c, c->head, "");
    LLVMBasicBlockRef again = LLVMAppendBasicBlockInContext(p->c, f, "");
    LLVMBasicBlockRef then = LLVMInsertBasicBlockInContext(p->c, LLVMGetNextBasicBlock(c->tail), "");
    move_entries(p, c, outer);
    v old_test = stop_at(p, c, build_stop(p, c, outer), then);
    rename_input(p, c->exit, c->tail, then);
    LLVMPositionBuilderAtEnd(p->b, then);
    v branch = LLVMBuildCondBr(p->b, LLVMBuildICmp(p->b, c->goes_on, c->tested, c->limit, ""), again, c->exit);
    LLVMSetMetadata(branch, p->md_prof, p->unlikely_md);
    LLVMPositionBuilderAtEnd(p->b, again);
    look_before(p, f, LLVMBuildBr(p->b, outer));
    carry_on(c, outer, again);
    if (!LLVMGetFirstUse(old_test)) LLVMInstructionEraseFromParent(old_test);
}

// False: it needs a look of its own.
static bool count_loop(part *p, v f, const flow *w, uint32_t block, const uint32_t *costs) {
    uint32_t loop = w->loop_of[block];
    counted c;
    if (loop == FLOW_NONE || w->loops[loop].header != block || costs[loop] > BUDGET / LEAST) return false;
    if (!find_counted(w, loop, &c)) return false;
    c.most = BUDGET / costs[loop];
    if (!is_short(p, &c)) count_in_pieces(p, f, &c);
    return true;
}

// ---- Functions

static bool can_count(const part *p, v f) {
    return p->u->opt_level && !p->plan->cheap && LLVMCountBasicBlocks(f) <= MOST_BLOCKS;
}

void look_in_loops(part *p, v f) {
    targets t = find_targets(f);
    flow w;
    bool counts = t.count && can_count(p, f);
    uint32_t *costs = NULL;
    if (counts) {
        flow_open(&w, f);
        costs = find_costs(&w);
        rule_out_outer(&w, &t, costs);
    }
    for (uint32_t k = 0; k < t.count; k++) {
        if (counts && count_loop(p, f, &w, flow_number(&w, t.blocks[k]), costs)) continue;
        look_before(p, f, first_after_phis(t.blocks[k]));
    }
    if (counts) flow_close(&w);
    free(costs);
    free(t.blocks);
}

void look_at_entry(part *p, v f) { look_before(p, f, first_after_phis(LLVMGetEntryBasicBlock(f))); }
