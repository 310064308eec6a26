// compiler/clone.c: a second copy of a loop.
//
// in: a loop in LLVM's lcssa form   out: the same blocks once more   LLVM's own cloning has no C interface.
#include "compiler/clone.h"

static bool is_inside(const flow *w, uint32_t loop, LLVMBasicBlockRef b) {
    uint32_t n = flow_number(w, b);
    return n != FLOW_NONE && flow_contains(w, loop, n);
}

// ---- Possible?

static bool is_used_well(const flow *w, uint32_t loop, v x) {
    for (EACH_USE(u, x)) {
        v user = LLVMGetUser(u);
        if (!LLVMIsAInstruction(user)) return false;
        if (!is_inside(w, loop, LLVMGetInstructionParent(user)) && !LLVMIsAPHINode(user)) return false;
    }
    return true;
}

static bool is_plain(const flow *w, uint32_t loop, LLVMBasicBlockRef b, uint32_t *room) {
    v end = LLVMGetBasicBlockTerminator(b);
    if (!LLVMIsABranchInst(end) && !LLVMIsASwitchInst(end)) return false;
    for (EACH_INSTRUCTION(i, b)) {
        if (!*room || LLVMIsAAllocaInst(i) || !is_used_well(w, loop, i)) return false;
        --*room;
    }
    return true;
}

#define EACH_BLOCK_INSIDE(b, w, loop) \
    uint32_t at_ = (w)->in[(w)->loops[loop].header], b; \
    at_ < (w)->out[(w)->loops[loop].header] && (b = (w)->order[at_], true); at_++

bool clone_is_possible(const flow *w, uint32_t loop, uint32_t most_instructions) {
    uint32_t room = most_instructions;
    for (EACH_BLOCK_INSIDE(b, w, loop))
        if (flow_contains(w, loop, b) && !is_plain(w, loop, w->blocks[b], &room)) return false;
    return true;
}

// ---- The copy

void clone_open(clone *k, part *p, const flow *w, uint32_t loop) { *k = (clone){.p = p, .w = w, .loop = loop}; }

void clone_close(clone *k) {
    wx_map_free(&k->values);
    wx_map_free(&k->blocks);
    wx_map_free(&k->cuts);
}

void clone_cut(clone *k, v branch, unsigned keep) { *wx_map_put(&k->cuts, (uintptr_t)branch, NULL) = keep + 1; }

v clone_of(const clone *k, v x) {
    uint64_t *copy = wx_map_get(&k->values, (uintptr_t)x);
    return copy ? (v)(uintptr_t)*copy : x;
}

static LLVMBasicBlockRef block_of(const clone *k, LLVMBasicBlockRef b) {
    uint64_t *copy = wx_map_get(&k->blocks, (uintptr_t)b);
    return copy ? (LLVMBasicBlockRef)(uintptr_t)*copy : b;
}

LLVMBasicBlockRef clone_block(const clone *k, uint32_t block) { return block_of(k, k->w->blocks[block]); }

static v copy_instruction(const clone *k, v i) {
    uint64_t *cut = wx_map_get(&k->cuts, (uintptr_t)i);
    if (cut) return LLVMBuildBr(k->p->b, LLVMGetSuccessor(i, (unsigned)*cut - 1));
    if (LLVMIsAPHINode(i)) return LLVMBuildPhi(k->p->b, LLVMTypeOf(i), "");
    v copy = LLVMInstructionClone(i);
    LLVMInsertIntoBuilder(k->p->b, copy);
    return copy;
}

static void copy_block(clone *k, LLVMBasicBlockRef from) {
    LLVMPositionBuilderAtEnd(k->p->b, block_of(k, from));
    for (EACH_INSTRUCTION(i, from)) {
        debug_near(k->p, i);
        *wx_map_put(&k->values, (uintptr_t)i, NULL) = (uintptr_t)copy_instruction(k, i);
    }
}

static void connect_phi(const clone *k, v from, v to) {
    for (unsigned i = 0; i < LLVMCountIncoming(from); i++) {
        v value = clone_of(k, LLVMGetIncomingValue(from, i));
        LLVMBasicBlockRef block = block_of(k, LLVMGetIncomingBlock(from, i));
        LLVMAddIncoming(to, &value, &block, 1);
    }
}

static void connect_operands(const clone *k, v copy) {
    int n = LLVMGetNumOperands(copy);
    for (int i = 0; i < n; i++) {
        v x = LLVMGetOperand(copy, (unsigned)i), y = LLVMValueIsBasicBlock(x) ? x : clone_of(k, x);
        if (x != y) LLVMSetOperand(copy, (unsigned)i, y);
    }
}

// Where the copy leaves the loop, phis get from it what they got from the original.
static void feed_phis(const clone *k, LLVMBasicBlockRef from, LLVMBasicBlockRef out) {
    LLVMBasicBlockRef copy = block_of(k, from);
    for (EACH_INSTRUCTION(phi, out)) {
        if (!LLVMIsAPHINode(phi)) return;
        unsigned i = 0;
        while (LLVMGetIncomingBlock(phi, i) != from) i++;
        v value = clone_of(k, LLVMGetIncomingValue(phi, i));
        LLVMAddIncoming(phi, &value, &copy, 1);
    }
}

static void connect_block(const clone *k, LLVMBasicBlockRef from) {
    v end = NULL;
    for (EACH_INSTRUCTION(i, from)) {
        end = clone_of(k, i);
        if (LLVMIsAPHINode(i)) connect_phi(k, i, end);
        else connect_operands(k, end);
    }
    for (unsigned i = 0; i < LLVMGetNumSuccessors(end); i++) {
        LLVMBasicBlockRef to = LLVMGetSuccessor(end, i), inside = block_of(k, to);
        if (inside != to) LLVMSetSuccessor(end, i, inside);
        else feed_phis(k, from, to);
    }
}

void clone_blocks(clone *k) {
    const flow *w = k->w;
    LLVMBasicBlockRef header = w->blocks[w->loops[k->loop].header];
    for (EACH_BLOCK_INSIDE(b, w, k->loop))
        if (flow_contains(w, k->loop, b)) {
            LLVMBasicBlockRef copy = LLVMInsertBasicBlockInContext(k->p->c, header, "");
            *wx_map_put(&k->blocks, (uintptr_t)w->blocks[b], NULL) = (uintptr_t)copy;
        }
    for (EACH_BLOCK_INSIDE(b, w, k->loop))
        if (flow_contains(w, k->loop, b)) copy_block(k, w->blocks[b]);
    for (EACH_BLOCK_INSIDE(b, w, k->loop))
        if (flow_contains(w, k->loop, b)) connect_block(k, w->blocks[b]);
}
