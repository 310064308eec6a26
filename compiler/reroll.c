// compiler/reroll.c: loops whose body is k copies of one become loops of one copy.
//
// clang unrolls before it writes Wasm; LLVM's vectoriser then meets several interleaved streams and gives up, or checks
// at run time that they do not overlap, which they do. A loop is rolled back when
//   - its body is one block, or two of which the first one leaves and the second one leads back;
//   - the n stores are k groups in order, and what the stores of group j need is what those of group 0 need, by the
//     same instructions, with addresses and counters that are j steps of 1/k of the counter's step farther;
//   - what a phi carries into group 0 is carried from group j - 1 into group j in the same manner;
//   - a load that thereby moves past stores cannot overlap them: their addresses differ by a constant;
//   - there is nothing else with an effect, and nothing in between is used after the loop.
// The rolled loop makes the same stores in the same order and the same loads; a value that clang kept from the copy
// before may be loaded again. No load or store is made that was not made, so no trap comes or goes.
#include <stdlib.h>

#include "compiler/access.h"

#define MOST_COPIES 16
#define MOST_INSTRUCTIONS 2000
#define MOST_TERMS 4

typedef struct place { // base + the terms + constant
    v base, terms[MOST_TERMS];
    unsigned count;
    int64_t constant;
} place;

typedef struct carry { v phi, from; uint32_t copy; v value; } carry; // copy uses value where copy 0 uses the phi

typedef struct body {
    part *p;
    const flow *w;
    uint32_t loop;
    LLVMBasicBlockRef head, tail;   // tail: the second block or NULL
    v branch;                       // of the head: leaves or goes on
    LLVMBasicBlockRef out;
    v stores[MOST_INSTRUCTIONS];
    wx_map place_of;                // load -> stores before it, + 1
    v loads[MOST_INSTRUCTIONS];
    uint32_t store_count, load_count, copies, group; // group: stores of one copy
    wx_map same[MOST_COPIES];       // value of copy 0 -> value of copy j
    wx_map matched;                 // loads that belong to some copy
    carry carries[64];
    uint32_t carry_count;
    unsigned depth;
} body;

// ---- Steps: by how much an i32, an i64 or a pointer grows from one iteration to the next

static v latch_of(const body *l, v phi) {
    for (unsigned i = 0; i < LLVMCountIncoming(phi); i++)
        if (LLVMGetIncomingBlock(phi, i) == (l->tail ? l->tail : l->head)) return LLVMGetIncomingValue(phi, i);
    return NULL;
}

static LLVMBasicBlockRef entry_of(const body *l) { return l->w->blocks[l->w->loops[l->loop].entry]; }

static v start_of(const body *l, v phi) {
    return LLVMGetIncomingValue(phi, LLVMGetIncomingBlock(phi, 0) == entry_of(l) ? 0 : 1);
}

static bool is_inside(const body *l, v x) {
    if (!LLVMIsAInstruction(x)) return false;
    LLVMBasicBlockRef b = LLVMGetInstructionParent(x);
    return b == l->head || (l->tail && b == l->tail);
}

// Sums in any integer type.
static v split(v x, int64_t *constant) {
    *constant = 0;
    while (LLVMIsAInstruction(x)) {
        LLVMOpcode op = LLVMGetInstructionOpcode(x);
        if (op != LLVMAdd && !(op == LLVMOr && LLVMGetIsDisjoint(x))) break;
        if (!LLVMIsAConstantInt(LLVMGetOperand(x, 1))) break;
        *constant += LLVMConstIntGetSExtValue(LLVMGetOperand(x, 1));
        x = LLVMGetOperand(x, 0);
    }
    return x;
}

static bool is_counter(const body *l, v x, int64_t *step) {
    if (!LLVMIsAPHINode(x) || LLVMGetInstructionParent(x) != l->head) return false;
    if (LLVMGetTypeKind(LLVMTypeOf(x)) != LLVMIntegerTypeKind) return false;
    v next = latch_of(l, x);
    return next && next != x && split(next, step) == x;
}

// A zext of what grows is no sum: `widen` says that the caller knows that it does not wrap.
static bool step_of(const body *l, v x, unsigned depth, bool widen, int64_t *step) {
    int64_t a, b;
    *step = 0;
    if (!is_inside(l, x)) return true;
    if (is_counter(l, x, step)) return true;
    if (depth == 0 || LLVMGetNumOperands(x) < 1) return false;
    LLVMOpcode op = LLVMGetInstructionOpcode(x);
    v c = LLVMGetNumOperands(x) > 1 ? LLVMGetOperand(x, 1) : NULL;
    if (op == LLVMZExt) return widen && step_of(l, LLVMGetOperand(x, 0), depth - 1, false, step);
    if (op == LLVMOr && !LLVMGetIsDisjoint(x)) return false;
    if (op == LLVMAdd || op == LLVMSub || op == LLVMOr) {
        if (!step_of(l, LLVMGetOperand(x, 0), depth - 1, widen, &a) || !step_of(l, c, depth - 1, widen, &b))
            return false;
        *step = op == LLVMSub ? a - b : a + b;
        return true;
    }
    if ((op != LLVMShl && op != LLVMMul) || !LLVMIsAConstantInt(c)) return false;
    int64_t n = LLVMConstIntGetSExtValue(c);
    if (n < 0 || n > (op == LLVMShl ? 16 : 65536)) return false;
    if (!step_of(l, LLVMGetOperand(x, 0), depth - 1, widen, &a)) return false;
    *step = op == LLVMShl ? a * (1 << n) : a * n;
    return *step <= (int64_t)WXRT_PAGE && *step >= -(int64_t)WXRT_PAGE;
}

static bool find_place(v pointer, place *p) {
    *p = (place){.base = pointer};
    while (LLVMIsAGetElementPtrInst(p->base) && LLVMGetNumIndices(p->base) == 1 &&
           LLVMGetIntTypeWidth(LLVMGetGEPSourceElementType(p->base)) == 8) {
        v index = LLVMGetOperand(p->base, 1);
        if (LLVMIsAConstantInt(index)) p->constant += LLVMConstIntGetSExtValue(index);
        else if (p->count < MOST_TERMS) p->terms[p->count++] = index;
        else return false;
        p->base = LLVMGetOperand(p->base, 0);
    }
    return true;
}

static bool has_term(const place *p, v term) {
    for (unsigned i = 0; i < p->count; i++)
        if (p->terms[i] == term) return true;
    return false;
}

static bool differ_by_constant(const place *a, const place *b) {
    if (a->base != b->base || a->count != b->count) return false;
    for (unsigned i = 0; i < a->count; i++)
        if (!has_term(b, a->terms[i]) || !has_term(a, b->terms[i])) return false;
    return a->count < 2 || a->terms[0] != a->terms[1];
}

// zext of a 32-bit counter: displacing the access by d and adding d to the counter are the same while neither wraps. It
// does not: the access of copy 0 succeeded (addresses.c has the argument). Downwards both trap, if nothing lifts them.
static bool may_wrap(const body *l, const place *p, int64_t delta) {
    int64_t step;
    for (unsigned i = 0; i < p->count; i++) {
        if (!LLVMIsAZExtInst(p->terms[i]) || !step_of(l, p->terms[i], 8, true, &step) || step == 0) continue;
        if (l->p->u->explicit_bounds) return true; // its bound was compared otherwise
        if (delta > 0 ? p->constant < 0 : p->constant > 0) return true;
    }
    return false;
}

static bool places_match(const body *l, v x0, v xj, uint32_t j) {
    place a, b;
    if (!find_place(x0, &a) || !find_place(xj, &b)) return false;
    if (!differ_by_constant(&a, &b) || is_inside(l, a.base)) return false;
    int64_t sum = 0, step;
    for (unsigned i = 0; i < a.count; i++) {
        if (!step_of(l, a.terms[i], 8, true, &step)) return false;
        sum += step;
    }
    if (sum % l->copies || sum > (int64_t)WXRT_PAGE || sum < -(int64_t)WXRT_PAGE) return false;
    return b.constant - a.constant == sum / l->copies * j && !may_wrap(l, &a, sum);
}

static bool sums_match(const body *l, v x0, v xj, uint32_t j) {
    int64_t a, b, step;
    v root = split(x0, &a);
    if (split(xj, &b) != root || !is_inside(l, root) || !step_of(l, root, 8, false, &step) || step == 0) return false;
    return step % l->copies == 0 && b - a == step / l->copies * j;
}

// ---- What copy j does is what copy 0 does

static bool match(body *l, v x0, v xj, uint32_t j);

static bool is_same_call(v x0, v xj) {
    v f = LLVMGetCalledValue(x0);
    return f == LLVMGetCalledValue(xj) && (LLVMIsAInlineAsm(f) || LLVMIsAIntrinsicInst(x0));
}

static bool is_same_kind(v x0, v xj) {
    LLVMOpcode op = LLVMGetInstructionOpcode(x0);
    if (op != LLVMGetInstructionOpcode(xj) || LLVMTypeOf(x0) != LLVMTypeOf(xj)) return false;
    if (LLVMGetNumOperands(x0) != LLVMGetNumOperands(xj)) return false;
    switch (op) {
    case LLVMPHI: case LLVMGetElementPtr: case LLVMShuffleVector: case LLVMAlloca: return false;
    case LLVMICmp: return LLVMGetICmpPredicate(x0) == LLVMGetICmpPredicate(xj);
    case LLVMFCmp: return LLVMGetFCmpPredicate(x0) == LLVMGetFCmpPredicate(xj);
    case LLVMCall: return is_same_call(x0, xj);
    default: return !LLVMIsATerminatorInst(x0);
    }
}

static bool match_carried(body *l, v phi, v xj, uint32_t j) {
    if (l->carry_count == sizeof l->carries / sizeof *l->carries) return false;
    l->carries[l->carry_count++] = (carry){.phi = phi, .copy = j, .value = xj};
    return true;
}

static bool match_operands(body *l, v x0, v xj, uint32_t j) {
    int n = LLVMGetNumOperands(x0);
    for (int i = 0; i < n; i++)
        if (!match(l, LLVMGetOperand(x0, (unsigned)i), LLVMGetOperand(xj, (unsigned)i), j)) return false;
    return true;
}

static bool is_pointer(v x) { return LLVMGetTypeKind(LLVMTypeOf(x)) == LLVMPointerTypeKind; }

static bool match_inside(body *l, v x0, v xj, uint32_t j) {
    int64_t step;
    if (LLVMIsAPHINode(x0) && LLVMGetInstructionParent(x0) == l->head)
        return !is_counter(l, x0, &step) && match_carried(l, x0, xj, j);
    if (LLVMGetInstructionParent(x0) != l->head || !is_inside(l, xj) || !is_same_kind(x0, xj)) return false;
    return match_operands(l, x0, xj, j);
}

#define DEEPEST 64

static bool match(body *l, v x0, v xj, uint32_t j) {
    if (!is_inside(l, x0)) return x0 == xj;
    if (is_pointer(x0)) return places_match(l, x0, xj, j);
    if (sums_match(l, x0, xj, j)) return true;
    int added;
    uint64_t *known = wx_map_put(&l->same[j], (uintptr_t)x0, &added);
    if (!added) return *known == (uintptr_t)xj;
    *known = (uintptr_t)xj;
    if (l->depth == DEEPEST) return false;
    l->depth++;
    bool ok = j == 0 ? x0 == xj : match_inside(l, x0, xj, j);
    l->depth--;
    if (!ok) return false;
    if (LLVMIsALoadInst(x0)) {
        wx_map_put(&l->matched, (uintptr_t)x0, NULL);
        wx_map_put(&l->matched, (uintptr_t)xj, NULL);
    }
    return true;
}

static bool match_stores(body *l) {
    for (uint32_t j = 1; j < l->copies; j++)
        for (uint32_t i = 0; i < l->group; i++) {
            v x0 = l->stores[i], xj = l->stores[j * l->group + i];
            if (LLVMTypeOf(LLVMGetOperand(x0, 0)) != LLVMTypeOf(LLVMGetOperand(xj, 0))) return false;
            if (!match_operands(l, x0, xj, j)) return false;
        }
    return true;
}

// ---- What phis carry: copy 1 uses y where copy 0 uses the phi; then copy j uses y's counterpart in copy j - 1, and
// the phi gets its counterpart in the last copy.

static carry *first_carry(body *l, v phi) {
    for (uint32_t i = 0; i < l->carry_count; i++)
        if (l->carries[i].phi == phi && l->carries[i].copy == 1) return &l->carries[i];
    return NULL;
}

static bool match_in(body *l, v y, v x, uint32_t copy) { return copy ? match(l, y, x, copy) : y == x; }

static bool match_carries(body *l) {
    for (uint32_t i = 0; i < l->carry_count; i++) { // grows
        carry c = l->carries[i], *first = first_carry(l, c.phi);
        if (!first || !is_inside(l, first->value) || LLVMGetInstructionParent(first->value) != l->head) return false;
        if (LLVMIsAPHINode(first->value) || !match_in(l, first->value, c.value, c.copy - 1)) return false;
    }
    return true;
}

// A carried value that is neither loaded nor a sum keeps LLVM from vectorising: then the loop is better as it is.
static bool is_worth_it(v carried) {
    if (LLVMIsALoadInst(carried)) return true;
    if (LLVMGetTypeKind(LLVMTypeOf(carried)) != LLVMIntegerTypeKind) return false;
    switch (LLVMGetInstructionOpcode(carried)) {
    case LLVMAdd: case LLVMAnd: case LLVMOr: case LLVMXor: return true;
    default: return false;
    }
}

static bool match_phis(body *l) {
    int64_t step;
    for (EACH_INSTRUCTION(phi, l->head)) {
        if (!LLVMIsAPHINode(phi)) break;
        if (is_counter(l, phi, &step)) {
            if (step % l->copies) return false;
            continue;
        }
        carry *first = first_carry(l, phi);
        if (!first || !is_worth_it(first->value)) return false;
        if (!match_in(l, first->value, latch_of(l, phi), l->copies - 1)) return false;
    }
    return true;
}

// ---- Order

static bool never_overlap(const part *p, v a, v b) {
    place x, y;
    if (!find_place(access_pointer(p, a), &x) || !find_place(access_pointer(p, b), &y)) return false;
    if (!differ_by_constant(&x, &y)) return false;
    int64_t d = x.constant - y.constant;
    return d >= (int64_t)access_size(p, b) || -d >= (int64_t)access_size(p, a);
}

static uint32_t stores_before(const body *l, v load) {
    return (uint32_t)*wx_map_get(&l->place_of, (uintptr_t)load) - 1;
}

// The load that copy j makes, where it was made and where it will be.
static bool may_move(const body *l, v load, uint32_t from, uint32_t to) {
    for (uint32_t i = from < to ? from : to; i < (from < to ? to : from); i++)
        if (!never_overlap(l->p, load, l->stores[i])) return false;
    return true;
}

static bool order_holds(body *l) {
    for (uint32_t i = 0; i < l->load_count; i++) {
        v load = l->loads[i];
        if (!wx_map_get(&l->matched, (uintptr_t)load)) return false;
        if (!wx_map_get(&l->same[1], (uintptr_t)load)) continue; // of a later copy only
        uint32_t now = stores_before(l, load), then = now < l->group ? now : l->group;
        for (uint32_t j = 0; j < l->copies; j++) {
            uint64_t *image = wx_map_get(&l->same[j], (uintptr_t)load);
            v x = image ? (v)(uintptr_t)*image : load;
            if (!may_move(l, x, stores_before(l, x), j * l->group + then)) return false;
        }
    }
    return true;
}

// ---- After the loop only what the last copy made may be used: then it is what the rolled loop makes last.

static bool is_outside_use(const body *l, LLVMUseRef u) { return !is_inside(l, LLVMGetUser(u)); }

static v rolled_value(const body *l, v x) {
    for (EACH_INSTRUCTION(x0, l->head)) {
        uint64_t *image = wx_map_get(&l->same[l->copies - 1], (uintptr_t)x0);
        if (image && (v)(uintptr_t)*image == x && !LLVMIsAPHINode(x0)) return x0;
    }
    return NULL;
}

// With a tail the head is copy 0 and left from there: its values stay what they are.
static bool uses_hold(const body *l) {
    if (l->tail) return true;
    for (EACH_INSTRUCTION(x, l->head))
        for (EACH_USE(u, x))
            if (is_outside_use(l, u) && !rolled_value(l, x)) return false;
    return true;
}

static void replace_outside(const body *l, v x, v by) {
    for (LLVMUseRef u = LLVMGetFirstUse(x), next; u; u = next) {
        next = LLVMGetNextUse(u);
        v user = LLVMGetUser(u);
        if (is_inside(l, user)) continue;
        for (int i = 0; i < LLVMGetNumOperands(user); i++)
            if (LLVMGetOperand(user, (unsigned)i) == x) LLVMSetOperand(user, (unsigned)i, by);
        next = LLVMGetFirstUse(x); // several may have gone; those inside are passed again
        while (next && is_inside(l, LLVMGetUser(next))) next = LLVMGetNextUse(next);
    }
}

// ---- Its shape

static bool collect_block(body *l, LLVMBasicBlockRef b, uint32_t *count) {
    for (EACH_INSTRUCTION(i, b)) {
        if (++*count > MOST_INSTRUCTIONS) return false;
        bool is_load = LLVMIsALoadInst(i) != NULL, is_store = LLVMIsAStoreInst(i) != NULL;
        if (is_load || is_store) {
            if (!access_pointer(l->p, i) || LLVMGetVolatile(i) || LLVMIsAtomic(i)) return false;
            if (is_store) l->stores[l->store_count++] = i;
            else l->loads[l->load_count++] = i, *wx_map_put(&l->place_of, (uintptr_t)i, NULL) = l->store_count + 1;
        } else if (LLVMIsACallInst(i)) {
            if (LLVMGetTypeKind(LLVMTypeOf(i)) == LLVMVoidTypeKind) return false;
            if (!LLVMIsAIntrinsicInst(i) && !LLVMIsAInlineAsm(LLVMGetCalledValue(i))) return false;
        }
    }
    return true;
}

// One block, or a head that leaves and a tail that leads back to it.
static bool find_shape(body *l) {
    const flow_loop *f = &l->w->loops[l->loop];
    if (f->entry == FLOW_NONE || f->latch_count != 1) return false;
    l->head = l->w->blocks[f->header];
    if (f->latches[0] != f->header) {
        l->tail = l->w->blocks[f->latches[0]];
        if (l->w->idom[f->latches[0]] != f->header || LLVMGetNumSuccessors(LLVMGetBasicBlockTerminator(l->tail)) != 1)
            return false;
        if (l->w->first_pred[f->latches[0] + 1] - l->w->first_pred[f->latches[0]] != 1) return false;
        if (LLVMIsAPHINode(LLVMGetFirstInstruction(l->tail))) return false;
    }
    l->branch = LLVMGetBasicBlockTerminator(l->head);
    if (!LLVMIsABranchInst(l->branch) || !LLVMIsConditional(l->branch)) return false;
    LLVMBasicBlockRef back = l->tail ? l->tail : l->head, first = LLVMGetSuccessor(l->branch, 0);
    l->out = first == back ? LLVMGetSuccessor(l->branch, 1) : first;
    uint32_t count = 0;
    return l->out != back && collect_block(l, l->head, &count) && (!l->tail || collect_block(l, l->tail, &count));
}

// A positive multiple: a constant, or a product that version.c made.
static bool is_multiple(v limit, int64_t step) {
    if (LLVMIsAConstantInt(limit)) {
        int64_t n = LLVMConstIntGetSExtValue(limit);
        return n > 0 && n % step == 0;
    }
    if (!LLVMIsAInstruction(limit) || LLVMGetInstructionOpcode(limit) != LLVMMul || !LLVMGetNUW(limit)) return false;
    v by = LLVMGetOperand(limit, 1);
    return LLVMIsAConstantInt(by) && LLVMConstIntGetSExtValue(by) == step;
}

// The exit as count.c and version.c leave it: the sum of a counter and its step is compared with what is known before.
static bool find_limit(const body *l, v *counter, int64_t *step, v *limit) {
    v compare = LLVMGetCondition(l->branch);
    if (!LLVMIsAICmpInst(compare) || is_inside(l, LLVMGetOperand(compare, 1))) return false;
    LLVMIntPredicate is = LLVMGetICmpPredicate(compare);
    LLVMBasicBlockRef equal = LLVMGetSuccessor(l->branch, is == LLVMIntEQ ? 0 : 1);
    if ((is != LLVMIntEQ && is != LLVMIntNE) || equal != l->out) return false;
    v next = LLVMGetOperand(compare, 0);
    int64_t c;
    *counter = split(next, &c);
    if (LLVMTypeOf(next) != l->p->i64 || !is_counter(l, *counter, step) || c != *step || *step <= 0) return false;
    v start = start_of(l, *counter);
    *limit = LLVMGetOperand(compare, 1);
    return LLVMIsAConstantInt(start) && LLVMConstIntGetZExtValue(start) == 0 && is_multiple(*limit, *step);
}

// ---- The change

typedef struct rolled { v old, phi, next; bool nuw, nsw; } rolled;

static rolled roll_phi(body *l, v phi) {
    v start = start_of(l, phi);
    LLVMPositionBuilderBefore(l->p->b, phi);
    rolled r = {.old = phi, .phi = LLVMBuildPhi(l->p->b, LLVMTypeOf(phi), "")};
    int64_t step;
    if (is_counter(l, phi, &step)) {
        v old = latch_of(l, phi);
        bool is_add = LLVMGetInstructionOpcode(old) == LLVMAdd && LLVMGetOperand(old, 0) == phi;
        r.nuw = is_add && LLVMGetNUW(old); // a smaller step on the same way
        r.nsw = is_add && LLVMGetNSW(old);
        LLVMPositionBuilderBefore(l->p->b, l->branch);
        r.next = LLVMBuildAdd(l->p->b, r.phi, LLVMConstInt(LLVMTypeOf(phi), (uint64_t)(step / l->copies), true), "");
    } else {
        r.next = first_carry(l, phi)->value;
    }
    LLVMAddIncoming(r.phi, (v[]){start, r.next}, (LLVMBasicBlockRef[]){entry_of(l), l->head}, 2);
    return r;
}

static void erase_block(LLVMBasicBlockRef b) {
    for (v i; (i = LLVMGetLastInstruction(b));) {
        if (LLVMGetFirstUse(i)) LLVMReplaceAllUsesWith(i, LLVMGetUndef(LLVMTypeOf(i)));
        LLVMInstructionEraseFromParent(i);
    }
    LLVMDeleteBasicBlock(b);
}

// Flags that held for copy 0 need not hold for what it now stands for as well.
static void drop_flags(v i) {
    switch (LLVMGetInstructionOpcode(i)) {
    case LLVMAdd: case LLVMSub: case LLVMMul: case LLVMShl: LLVMSetNUW(i, false), LLVMSetNSW(i, false); break;
    case LLVMUDiv: case LLVMSDiv: case LLVMLShr: case LLVMAShr: LLVMSetExact(i, false); break;
    case LLVMZExt: case LLVMUIToFP: LLVMSetNNeg(i, false); break;
    case LLVMTrunc: LLVMSetNUW(i, false), LLVMSetNSW(i, false); break;
    case LLVMICmp: LLVMSetICmpSameSign(i, false); break;
    default: break;
    }
}

// `or disjoint` was a sum because of low bits that a finer step no longer leaves free.
static void make_sums(body *l) {
    for (v i = LLVMGetFirstInstruction(l->head), next; i; i = next) {
        next = LLVMGetNextInstruction(i);
        drop_flags(i);
        if (LLVMGetInstructionOpcode(i) != LLVMOr || !LLVMGetIsDisjoint(i)) continue;
        LLVMPositionBuilderBefore(l->p->b, i);
        LLVMReplaceAllUsesWith(i, LLVMBuildAdd(l->p->b, LLVMGetOperand(i, 0), LLVMGetOperand(i, 1), ""));
        LLVMInstructionEraseFromParent(i);
    }
}

#define MOST_PHIS 64

static bool too_many_phis(const body *l) {
    uint32_t n = 0;
    for (EACH_INSTRUCTION(phi, l->head)) n += LLVMIsAPHINode(phi) != NULL;
    return n > MOST_PHIS;
}

static uint32_t roll_phis(body *l, rolled *r) {
    uint32_t n = 0;
    v phis[MOST_PHIS];
    for (EACH_INSTRUCTION(phi, l->head))
        if (LLVMIsAPHINode(phi)) phis[n++] = phi;
    for (uint32_t i = 0; i < n; i++) r[i] = roll_phi(l, phis[i]);
    return n;
}

static void replace_uses_outside(body *l) {
    for (EACH_INSTRUCTION(x, l->head)) {
        v by = l->tail ? NULL : rolled_value(l, x);
        if (by && by != x) replace_outside(l, x, by);
    }
}

static void close_loop(body *l, const rolled *counter, v limit) {
    LLVMPositionBuilderBefore(l->p->b, l->branch);
    v done = LLVMBuildICmp(l->p->b, LLVMIntEQ, counter->next, limit, "");
    LLVMBuildCondBr(l->p->b, done, l->out, l->head);
    LLVMInstructionEraseFromParent(l->branch);
}

static void roll(body *l, v counter, v limit) {
    rolled r[MOST_PHIS];
    replace_uses_outside(l);
    uint32_t n = roll_phis(l, r);
    for (uint32_t i = l->group; i < l->store_count; i++)
        if (LLVMGetInstructionParent(l->stores[i]) == l->head) LLVMInstructionEraseFromParent(l->stores[i]);
    for (uint32_t i = 0; i < n; i++) {
        if (r[i].old == counter) close_loop(l, &r[i], limit);
        LLVMReplaceAllUsesWith(r[i].old, r[i].phi);
        LLVMInstructionEraseFromParent(r[i].old);
    }
    if (l->tail) erase_block(l->tail);
    make_sums(l);
    for (uint32_t i = 0; i < n; i++) {
        if (r[i].nuw) LLVMSetNUW(r[i].next, true);
        if (r[i].nsw) LLVMSetNSW(r[i].next, true);
    }
}

static bool is_made_of(body *l, uint32_t copies) {
    for (uint32_t j = 0; j < MOST_COPIES; j++) wx_map_clear(&l->same[j]);
    wx_map_clear(&l->matched);
    l->carry_count = l->depth = 0;
    l->copies = copies;
    l->group = l->store_count / copies;
    return match_stores(l) && match_phis(l) && match_carries(l) && order_holds(l) && uses_hold(l);
}

// Where the loop leaves: after all copies, or, when there is a tail, after the first, which fills the head.
static bool is_cut_right(const body *l) {
    if (!l->tail) return true;
    for (uint32_t i = 0; i < l->store_count; i++)
        if ((LLVMGetInstructionParent(l->stores[i]) == l->head) != (i < l->group)) return false;
    return true;
}

// Before the loop.
static v less(const body *l, v limit, int64_t by) {
    LLVMPositionBuilderBefore(l->p->b, LLVMGetBasicBlockTerminator(entry_of(l)));
    return LLVMBuildSub(l->p->b, limit, ci64(l->p, (uint64_t)by), "");
}

static void try_loop(body *l) {
    v counter;
    v limit;
    int64_t step;
    if (!find_shape(l) || l->store_count < 2 || too_many_phis(l) || !find_limit(l, &counter, &step, &limit)) return;
    for (uint32_t k = MOST_COPIES; k > 1; k--) {
        if (l->store_count % k || step % k) continue;
        if (!is_made_of(l, k) || !is_cut_right(l)) continue;
        roll(l, counter, l->tail ? less(l, limit, step - step / k) : limit);
        return;
    }
}

void reroll_loops(part *p, const flow *w) {
    body *l = wx_xcalloc(1, sizeof *l);
    l->p = p;
    l->w = w;
    for (l->loop = 0; l->loop < w->loop_count; l->loop++) {
        l->tail = NULL;
        l->store_count = l->load_count = 0;
        wx_map_clear(&l->place_of);
        try_loop(l);
    }
    wx_map_free(&l->place_of);
    wx_map_free(&l->matched);
    for (uint32_t j = 0; j < MOST_COPIES; j++) wx_map_free(&l->same[j]);
    free(l);
}
