// compiler/count.c: 64-bit counters from 0 for the addresses of loops.
//
// clang counts a Wasm loop in 32 bits, often from a negative number up to zero. LLVM cannot see that the addresses made
// of such a counter grow without a wrap, and when it widens the counter its own vectoriser no longer understands the
// exit. We know more: where an access at zext(e) succeeds in every iteration and e grows by a step of at most 64 KiB, e
// cannot wrap from one iteration to the next, because a memory ends 64 KiB below 4 GiB. So zext(e) is zext(e at the
// start) + w with a counter w = 0, step, 2 step, ...; and the loop ends when w reaches a constant.
//
// Only loops with a constant bound are treated: then w is small enough to stay, on top of any 32-bit address, within
// the guards, whatever becomes of the access that proves it.
#include <stdlib.h>

#include "compiler/affine.h"

typedef struct counter { uint32_t step; v w, next; } counter;

typedef struct counting {
    part *p;
    const flow *w;
    uint32_t loop;
    int64_t last;          // iterations after the first, at most
    counter *counters;     // of this loop
    uint32_t counter_count, counter_room;
    wx_map bounds;         // each w made -> its largest value
} counting;

// ---- The bound

// x != limit keeps the loop going: the iteration in which they are equal. It is the last one.
static bool last_iteration(const affine *a, uint32_t limit, int64_t *last) {
    uint32_t distance = limit - (uint32_t)LLVMConstIntGetZExtValue(a->start);
    if (a->step == 0 || (int32_t)a->step < 0 || distance % a->step) return false;
    *last = distance / a->step;
    return true;
}

typedef struct exit { v branch, compare; affine a; int64_t last; bool found; } exit_test;

// A branch that every iteration takes and that leaves the loop when x == constant.
static exit_test find_exit(const counting *c, uint32_t block) {
    exit_test t = {.branch = LLVMGetBasicBlockTerminator(c->w->blocks[block])};
    if (!LLVMIsABranchInst(t.branch) || !LLVMIsConditional(t.branch)) return t;
    t.compare = LLVMGetCondition(t.branch);
    if (!LLVMIsAICmpInst(t.compare) || !LLVMIsAConstantInt(LLVMGetOperand(t.compare, 1))) return t;
    v x = LLVMGetOperand(t.compare, 0), limit = LLVMGetOperand(t.compare, 1);
    if (LLVMTypeOf(x) != c->p->i32) return t;
    LLVMIntPredicate is = LLVMGetICmpPredicate(t.compare);
    if (is != LLVMIntEQ && is != LLVMIntNE) return t;
    uint32_t out = flow_number(c->w, LLVMGetSuccessor(t.branch, is == LLVMIntEQ ? 0 : 1));
    if (flow_contains(c->w, c->loop, out) || !find_affine(c->p, c->w, c->loop, x, &t.a)) return t;
    if (!LLVMIsAConstantInt(t.a.start)) return t;
    t.found = last_iteration(&t.a, (uint32_t)LLVMConstIntGetZExtValue(limit), &t.last);
    return t;
}

// ---- Counters

static v new_counter(counting *c, uint32_t step, v *next) {
    const flow_loop *l = &c->w->loops[c->loop];
    LLVMBuilderRef b = c->p->b;
    LLVMBasicBlockRef header = c->w->blocks[l->header];
    LLVMPositionBuilderBefore(b, LLVMGetFirstInstruction(header));
    v w = LLVMBuildPhi(b, c->p->i64, "");
    bool is_short = l->latch_count == 1 && l->latches[0] == l->header;
    v at = LLVMGetBasicBlockTerminator(header);
    if (!is_short)
        for (at = LLVMGetFirstInstruction(header); LLVMIsAPHINode(at);) at = LLVMGetNextInstruction(at);
    LLVMPositionBuilderBefore(b, at);
    *next = LLVMBuildNUWAdd(b, w, ci64(c->p, step), "");
    LLVMSetNSW(*next, true);
    LLVMAddIncoming(w, (v[]){ci64(c->p, 0)}, &c->w->blocks[l->entry], 1);
    for (uint32_t i = 0; i < l->latch_count; i++) LLVMAddIncoming(w, next, &c->w->blocks[l->latches[i]], 1);
    *wx_map_put(&c->bounds, (uintptr_t)w, NULL) = (uint64_t)(c->last * step);
    return w;
}

static counter *counter_of(counting *c, uint32_t step) {
    for (uint32_t i = 0; i < c->counter_count; i++)
        if (c->counters[i].step == step) return &c->counters[i];
    if (c->counter_count == c->counter_room) {
        c->counter_room = c->counter_room ? 2 * c->counter_room : 8;
        c->counters = wx_xrealloc(c->counters, c->counter_room * sizeof *c->counters);
    }
    counter *n = &c->counters[c->counter_count++];
    n->step = step;
    n->w = new_counter(c, step, &n->next);
    return n;
}

// x == limit becomes a comparison of the counter after the step, which LLVM likes best.
static void replace_exit(counting *c, const exit_test *t) {
    counter *n = counter_of(c, t->a.step);
    LLVMPositionBuilderBefore(c->p->b, t->branch);
    v limit = ci64(c->p, (uint64_t)(t->last + 1) * t->a.step);
    LLVMSetCondition(t->branch, LLVMBuildICmp(c->p->b, LLVMGetICmpPredicate(t->compare), n->next, limit, ""));
}

// ---- Addresses

#define DEEPEST 8 // displacements of displacements

typedef struct reach { bool proved; int64_t most; } reach; // bytes from the root, to the end of the farthest access

// Everything that is made of a root has to be an access or a displacement of one, and to stay near.
static bool follow(const counting *c, v pointer, int64_t low, int64_t high, int64_t step, unsigned depth, reach *r) {
    for (EACH_USE(u, pointer)) {
        v user = LLVMGetUser(u);
        if (access_pointer(c->p, user) == pointer) {
            int64_t end = high + (int64_t)access_size(c->p, user);
            if (end > r->most) r->most = end;
            uint32_t block = flow_number(c->w, LLVMGetInstructionParent(user));
            if (block == FLOW_NONE) return false;
            if (step <= (int64_t)WXRT_PAGE + low && flow_contains(c->w, c->loop, block) &&
                flow_every_time(c->w, c->loop, block))
                r->proved = true;
            continue;
        }
        int64_t k = 0;
        v below = access_step(user, &k);
        v index = LLVMIsAGetElementPtrInst(user) ? LLVMGetOperand(user, 1) : NULL;
        uint64_t *bound = !below && index ? wx_map_get(&c->bounds, (uintptr_t)index) : NULL;
        if (depth == 0 || (!below && !bound) || LLVMGetOperand(user, 0) != pointer) return false;
        if (!follow(c, user, low + k, high + k + (bound ? (int64_t)*bound : 0), step, depth - 1, r)) return false;
    }
    return true;
}

static v start_root(const counting *c, v base, v start) {
    LLVMPositionBuilderBefore(c->p->b, end_of_entry(c->w, c->loop));
    return new_root(c->p, base, start);
}

static void replace_root(counting *c, v root) {
    v index = root_index(root);
    affine a;
    if (!index || !LLVMGetFirstUse(root)) return;
    if (flow_invariant(c->w, c->loop, index) || !flow_invariant(c->w, c->loop, root_base(root))) return;
    if (!find_affine(c->p, c->w, c->loop, index, &a) || a.step == 0 || (int32_t)a.step < 0) return;
    reach r = {0};
    if (!follow(c, root, 0, 0, a.step, DEEPEST, &r) || !r.proved) return;
    if (c->last > (int64_t)WXRT_HIGH_GUARD || c->last * a.step + r.most > (int64_t)WXRT_HIGH_GUARD) return;
    v start = start_root(c, root_base(root), a.start);
    counter *n = counter_of(c, a.step);
    LLVMPositionBuilderBefore(c->p->b, root);
    LLVMReplaceAllUsesWith(root, add_bytes(c->p, start, n->w));
    LLVMInstructionEraseFromParent(root);
}

static void count_block(counting *c, LLVMBasicBlockRef b) {
    for (v i = LLVMGetFirstInstruction(b), next; i; i = next) {
        next = LLVMGetNextInstruction(i);
        if (LLVMIsAGetElementPtrInst(i)) replace_root(c, i);
    }
}

// The blocks of a loop lie in the header's part of the dominator tree.
static void each_block(counting *c, void (*act)(counting *c, uint32_t block)) {
    const flow *w = c->w;
    uint32_t header = w->loops[c->loop].header;
    for (uint32_t i = w->in[header]; i < w->out[header]; i++)
        if (flow_contains(w, c->loop, w->order[i])) act(c, w->order[i]);
}

static void bound_by(counting *c, uint32_t block) {
    if (c->w->loop_of[block] != c->loop || !flow_every_time(c->w, c->loop, block)) return;
    exit_test t = find_exit(c, block);
    if (t.found && (c->last < 0 || t.last < c->last)) c->last = t.last;
}

static void count_in(counting *c, uint32_t block) { count_block(c, c->w->blocks[block]); }

static void count_out(counting *c, uint32_t block) {
    if (!c->counter_count || c->w->loop_of[block] != c->loop || !flow_every_time(c->w, c->loop, block)) return;
    exit_test t = find_exit(c, block);
    if (t.found) replace_exit(c, &t);
}

void count_loops(part *p, const flow *w) {
    counting c = {.p = p, .w = w};
    for (c.loop = 0; c.loop < w->loop_count; c.loop++) {
        if (w->loops[c.loop].entry == FLOW_NONE) continue;
        c.last = -1;
        c.counter_count = 0;
        each_block(&c, bound_by);
        if (c.last < 0) continue;
        each_block(&c, count_in);
        each_block(&c, count_out);
    }
    wx_map_free(&c.bounds);
    free(c.counters);
}
