// compiler/flow.c: blocks, dominators and loops of one LLVM function.
//
// in: a function   out: a flow   allocates: its arena   Linear but for dominators, which on structured code are too.
#include "compiler/flow.h"

uint32_t flow_number(const flow *w, LLVMBasicBlockRef block) {
    uint64_t *n = wx_map_get(&w->numbers, (uintptr_t)block);
    return n ? (uint32_t)*n - 1 : FLOW_NONE;
}

static uint32_t *numbers(flow *w, uint32_t n, uint32_t value) {
    uint32_t *a = WX_NEW_ARRAY(&w->arena, uint32_t, n + 1);
    for (uint32_t i = 0; i <= n; i++) a[i] = value;
    return a;
}

static unsigned successors(const flow *w, uint32_t b) {
    return LLVMGetNumSuccessors(LLVMGetBasicBlockTerminator(w->blocks[b]));
}

static uint32_t successor(const flow *w, uint32_t b, unsigned i) {
    return flow_number(w, LLVMGetSuccessor(LLVMGetBasicBlockTerminator(w->blocks[b]), i));
}

// ---- Order

typedef struct step { LLVMBasicBlockRef block; unsigned next; } step;

// Depth first without recursion; blocks come out in postorder, last one first into the array.
static void number_blocks(flow *w, LLVMValueRef function) {
    uint32_t all = LLVMCountBasicBlocks(function), depth = 0, at = all;
    step *stack = WX_NEW_ARRAY(&w->arena, step, all);
    LLVMBasicBlockRef *post = WX_NEW_ARRAY(&w->arena, LLVMBasicBlockRef, all);
    stack[depth++] = (step){LLVMGetEntryBasicBlock(function), 0};
    wx_map_put(&w->numbers, (uintptr_t)stack[0].block, NULL);
    while (depth) {
        step *top = &stack[depth - 1];
        LLVMValueRef end = LLVMGetBasicBlockTerminator(top->block);
        if (top->next == LLVMGetNumSuccessors(end)) {
            post[--at] = top->block;
            depth--;
            continue;
        }
        LLVMBasicBlockRef next = LLVMGetSuccessor(end, top->next++);
        int added;
        wx_map_put(&w->numbers, (uintptr_t)next, &added);
        if (added) stack[depth++] = (step){next, 0};
    }
    w->blocks = post + at;
    w->count = all - at;
    for (uint32_t i = 0; i < w->count; i++) *wx_map_put(&w->numbers, (uintptr_t)w->blocks[i], NULL) = i + 1;
}

static void find_preds(flow *w) {
    w->first_pred = numbers(w, w->count, 0);
    uint32_t sum = 0;
    for (uint32_t b = 0; b < w->count; b++)
        for (unsigned i = 0, n = successors(w, b); i < n; i++) w->first_pred[successor(w, b, i)]++;
    for (uint32_t b = 0; b <= w->count; b++) w->first_pred[b] = sum += w->first_pred[b];
    w->preds = numbers(w, sum, 0);
    for (uint32_t b = w->count; b-- > 0;)
        for (unsigned i = successors(w, b); i-- > 0;) w->preds[--w->first_pred[successor(w, b, i)]] = b;
}

#define EACH_PRED(p, w, b) uint32_t i_ = (w)->first_pred[b], p; \
    i_ < (w)->first_pred[(b) + 1] && (p = (w)->preds[i_], true); i_++

// ---- Dominators (Cooper, Harvey and Kennedy: intersect along the tree until nothing changes)

static uint32_t meet(const flow *w, uint32_t a, uint32_t b) {
    while (a != b) {
        while (a > b) a = w->idom[a];
        while (b > a) b = w->idom[b];
    }
    return a;
}

static bool improve(flow *w, uint32_t b) {
    uint32_t best = FLOW_NONE;
    for (EACH_PRED(p, w, b))
        if (w->idom[p] != FLOW_NONE) best = best == FLOW_NONE ? p : meet(w, best, p);
    if (best == w->idom[b]) return false;
    w->idom[b] = best;
    return true;
}

static void find_dominators(flow *w) {
    w->idom = numbers(w, w->count, FLOW_NONE);
    w->idom[0] = 0;
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t b = 1; b < w->count; b++) changed |= improve(w, b);
    }
}

// A block's number is above its dominator's, so sizes of subtrees add up from the end, and places follow from them.
static void order_tree(flow *w) {
    uint32_t *size = numbers(w, w->count, 1), *next = numbers(w, w->count, 0);
    w->in = numbers(w, w->count, 0);
    w->out = numbers(w, w->count, 0);
    w->order = numbers(w, w->count, 0);
    for (uint32_t b = w->count; b-- > 1;) size[w->idom[b]] += size[b];
    for (uint32_t b = 0; b < w->count; b++) {
        uint32_t above = w->idom[b];
        w->in[b] = b ? next[above] : 0;
        if (b) next[above] += size[b];
        next[b] = w->in[b] + 1;
        w->out[b] = w->in[b] + size[b];
        w->order[w->in[b]] = b;
    }
}

bool flow_dominates(const flow *w, uint32_t a, uint32_t b) { return w->in[a] <= w->in[b] && w->in[b] < w->out[a]; }

// ---- Loops

static uint32_t outermost(const flow *w, uint32_t loop) {
    while (w->loops[loop].parent != FLOW_NONE) loop = w->loops[loop].parent;
    return loop;
}

static void note_edges(flow *w, flow_loop *l) {
    uint32_t outside = 0;
    l->entry = FLOW_NONE;
    l->latches = numbers(w, w->first_pred[l->header + 1] - w->first_pred[l->header], 0);
    for (EACH_PRED(p, w, l->header)) {
        if (flow_dominates(w, l->header, p)) l->latches[l->latch_count++] = p;
        else if (outside++ == 0) l->entry = p;
        else l->entry = FLOW_NONE;
    }
}

// Backwards from the latches; loops inside were found before and are walked past as one.
static void fill_loop(flow *w, uint32_t loop, uint32_t *stack) {
    flow_loop *l = &w->loops[loop];
    uint32_t depth = 0;
    for (uint32_t i = 0; i < l->latch_count; i++) {
        stack[depth++] = l->latches[i];
        while (depth) {
            uint32_t b = stack[--depth], head = b;
            if (w->loop_of[b] == FLOW_NONE) {
                w->loop_of[b] = loop;
            } else {
                uint32_t inner = outermost(w, w->loop_of[b]);
                if (inner == loop) continue;
                w->loops[inner].parent = loop;
                head = w->loops[inner].header;
            }
            if (head == l->header) continue;
            for (EACH_PRED(p, w, head))
                if (flow_dominates(w, l->header, p)) stack[depth++] = p;
        }
    }
}

static bool is_header(const flow *w, uint32_t b) {
    for (EACH_PRED(p, w, b))
        if (flow_dominates(w, b, p)) return true;
    return false;
}

static void find_loops(flow *w) {
    w->loop_of = numbers(w, w->count, FLOW_NONE);
    w->loops = WX_NEW_ARRAY(&w->arena, flow_loop, w->count);
    uint32_t *stack = numbers(w, w->first_pred[w->count] + w->count, 0);
    for (uint32_t b = w->count; b-- > 0;) {
        if (!is_header(w, b)) continue;
        uint32_t loop = w->loop_count++;
        w->loops[loop] = (flow_loop){.header = b, .parent = FLOW_NONE};
        note_edges(w, &w->loops[loop]);
        fill_loop(w, loop, stack);
    }
}

bool flow_contains(const flow *w, uint32_t loop, uint32_t block) {
    uint32_t at = w->loop_of[block];
    while (at != FLOW_NONE && at != loop) at = w->loops[at].parent;
    return at == loop;
}

bool flow_every_time(const flow *w, uint32_t loop, uint32_t block) {
    const flow_loop *l = &w->loops[loop];
    for (uint32_t i = 0; i < l->latch_count; i++)
        if (!flow_dominates(w, block, l->latches[i])) return false;
    return true;
}

bool flow_invariant(const flow *w, uint32_t loop, LLVMValueRef value) {
    if (!LLVMIsAInstruction(value)) return true;
    uint32_t block = flow_number(w, LLVMGetInstructionParent(value));
    return block != FLOW_NONE && !flow_contains(w, loop, block);
}

void flow_open(flow *w, LLVMValueRef function) {
    *w = (flow){0};
    number_blocks(w, function);
    find_preds(w);
    find_dominators(w);
    order_tree(w);
    find_loops(w);
}

void flow_close(flow *w) {
    wx_map_free(&w->numbers);
    wx_arena_free(&w->arena);
}
