// compiler/merge.c: explicit checks that follow from others.
//
// Where zext(b + low) + extent <= size has been found, and memories never become smaller, it holds in all that is
// dominated, and with it every access at b + c of z bytes for low <= c and c - low + z <= extent. A memory ends 64 KiB
// below 4 GiB, so b + low + d does not wrap for 0 <= d < 64 KiB, and what was found for b + low and for b + low + d is
// one fact.
//
// A check that others for the same base follow, on a straight way, compares the extent of all of them. Where that fails
// one of them is going to fail, because either the farthest is outside, or the nearest is in the last 64 KiB. Which
// one, and what is stored before it, is found by going the same way once more with the checks as they were: a cold
// copy that ends in the trap. Where nothing is stored on the way, nobody can tell, and the trap comes at once; not so
// with debug information, which says where it came.
#include <stdlib.h>

#include "compiler/bound.h"

#define REACH ((int64_t)WXRT_PAGE) // displacements that cannot wrap
#define MOST_FACTS 6               // of one value
#define MOST_ON_WAY 96             // instructions
#define MOST_COPIED 60
#define MOST_BLOCKS 32

typedef struct subject { // key + c, and where the size is loaded from
    v key;
    int32_t c;
    v record;
    int64_t offset;
} subject;

typedef struct fact {
    subject of;        // of.c: low
    int64_t extent;
    uint32_t next;     // of the same key, place + 1
} fact;

typedef struct merging {
    part *p;
    const flow *w;
    wx_map heads;      // key -> place + 1 of its newest fact
    fact *facts;
    uint32_t count, room;
} merging;

// ---- Facts

// Of the first memory, if it never grows; else 0.
static uint64_t fixed_bytes(const part *p) {
    const wx_module *m = p->u->m;
    return m->memory_count && !p->u->facts.memory_grown[0] ? m->memories[0].limits.min * WXRT_PAGE : 0;
}

// A constant bound is written as one of the size of a memory that never grows; whether it was meant so does not matter.
static bool find_subject(const part *p, bound *b, subject *s) {
    int32_t low;
    *s = (subject){.key = split_constant(b->index, &low)};
    s->c = low;
    if (LLVMIsAConstant(s->key)) return false;
    if (!b->size) {
        uint64_t bytes = fixed_bytes(p);
        b->extent = (int64_t)(bytes - b->most);
        return b->most <= bytes;
    }
    int64_t c;
    s->record = LLVMGetOperand(b->size, 0);
    for (v below; (below = access_step(s->record, &c)); s->record = below) s->offset += c;
    return true;
}

static bool is_same(const subject *a, const subject *b) {
    return a->key == b->key && a->record == b->record && a->offset == b->offset;
}

static fact *find_fact(merging *m, const subject *s) {
    uint64_t *head = wx_map_get(&m->heads, (uintptr_t)s->key);
    unsigned seen = 0;
    for (uint32_t at = head ? (uint32_t)*head : 0; at && seen < MOST_FACTS; at = m->facts[at - 1].next, seen++) {
        fact *f = &m->facts[at - 1];
        int64_t d = (int64_t)s->c - f->of.c;
        if (is_same(&f->of, s) && d > -REACH && d < REACH) return f;
    }
    return NULL;
}

static void widen(int32_t *low, int64_t *extent, int32_t c, int64_t more) {
    int64_t d = (int64_t)c - *low;
    if (d < 0) *extent -= d, *low = c, d = 0;
    if (d + more > *extent) *extent = d + more;
}

static void add_fact(merging *m, const subject *s, int64_t extent) {
    fact n = {*s, extent, 0}, *old = find_fact(m, s);
    if (old) widen(&n.of.c, &n.extent, old->of.c, old->extent);
    uint64_t *head = wx_map_put(&m->heads, (uintptr_t)s->key, NULL);
    n.next = (uint32_t)*head;
    m->facts = wx_one_more(m->facts, m->count, &m->room, sizeof n);
    m->facts[m->count++] = n;
    *head = m->count;
}

static void forget(merging *m, uint32_t mark) {
    for (; m->count > mark; m->count--) {
        const fact *f = &m->facts[m->count - 1];
        *wx_map_put(&m->heads, (uintptr_t)f->of.key, NULL) = f->next;
    }
}

static bool is_within(merging *m, const subject *s, int64_t extent) {
    const fact *f = find_fact(m, s);
    return f && s->c >= f->of.c && (int64_t)s->c - f->of.c + extent <= f->extent;
}

#define DEEPEST 5

// What an i32 is at most, by its own form.
static uint32_t most_of(v x, unsigned depth) {
    if (LLVMIsAConstantInt(x)) return (uint32_t)LLVMConstIntGetZExtValue(x);
    if (!LLVMIsAInstruction(x) || depth == 0) return UINT32_MAX;
    LLVMOpcode op = LLVMGetInstructionOpcode(x);
    v a = LLVMGetOperand(x, 0);
    if (op == LLVMZExt) {
        uint64_t all = ((uint64_t)1 << LLVMGetIntTypeWidth(LLVMTypeOf(a))) - 1, m = most_of(a, depth - 1);
        return (uint32_t)(m < all ? m : all);
    }
    if (op != LLVMAnd && op != LLVMShl && op != LLVMLShr && op != LLVMMul) return UINT32_MAX;
    uint64_t m = most_of(a, depth - 1), c = most_of(LLVMGetOperand(x, 1), depth - 1);
    if (op == LLVMAnd) return (uint32_t)(m < c ? m : c);
    if (!LLVMIsAConstantInt(LLVMGetOperand(x, 1)) || (op != LLVMMul && c > 31)) return UINT32_MAX;
    m = op == LLVMLShr ? m >> c : op == LLVMShl ? m << c : m * c;
    return m < UINT32_MAX ? (uint32_t)m : UINT32_MAX;
}

static bool is_near(merging *m, const subject *s, v key, v more, int64_t extent) {
    int32_t c;
    subject at = *s;
    at.key = split_constant(key, &c);
    at.c = (int32_t)((uint32_t)s->c + (uint32_t)c);
    int64_t most = most_of(more, DEEPEST);
    return most < REACH && is_within(m, &at, extent + most);
}

// An access that was found inside, or one of an array all of which was.
static bool follows(merging *m, const subject *s, int64_t extent) {
    if (is_within(m, s, extent)) return true;
    if (!is_sum(s->key)) return false;
    v a = LLVMGetOperand(s->key, 0), b = LLVMGetOperand(s->key, 1);
    return is_near(m, s, a, b, extent) || is_near(m, s, b, a, extent);
}

// ---- The way from a check

static LLVMBasicBlockRef trap_of(const bound *b) { return LLVMGetSuccessor(b->branch, 1 - b->keep); }

typedef struct way {
    bound first;
    subject of;
    LLVMBasicBlockRef blocks[MOST_BLOCKS]; // that follow
    unsigned block_count;
    unsigned last;             // the last of them with a check of the same subject, + 1
    bool again;                // somebody could tell: stores on the way there, other traps, debug information
    int32_t low;               // of all of them
    int64_t extent;
} way;

static bool has_one_pred(const merging *m, LLVMBasicBlockRef b) {
    uint32_t n = flow_number(m->w, b);
    return n != FLOW_NONE && m->w->first_pred[n + 1] - m->w->first_pred[n] == 1;
}

static bool may_pass(v i, bool *stores) {
    if (LLVMIsAPHINode(i) || LLVMIsAAllocaInst(i)) return false;
    if (LLVMIsALoadInst(i)) return !LLVMIsAtomic(i);
    if (LLVMIsAStoreInst(i)) return *stores = true, !LLVMIsAtomic(i);
    if (LLVMIsACallInst(i)) {
        bool pure = LLVMIsAIntrinsicInst(i) || LLVMIsAInlineAsm(LLVMGetCalledValue(i));
        return pure && LLVMGetTypeKind(LLVMTypeOf(i)) != LLVMVoidTypeKind;
    }
    return !LLVMIsAAtomicRMWInst(i) && !LLVMIsAAtomicCmpXchgInst(i) && !LLVMIsAFenceInst(i);
}

static bool pass_block(LLVMBasicBlockRef b, unsigned *room, bool *stores) {
    for (EACH_INSTRUCTION(i, b)) {
        if (!*room || (!LLVMIsATerminatorInst(i) && !may_pass(i, stores))) return false;
        --*room;
    }
    return true;
}

static void take_in(const part *p, way *y, bound *b, bool again, unsigned copied) {
    subject s;
    if (again && copied > MOST_COPIED) return;
    if (!find_subject(p, b, &s) || !is_same(&s, &y->of)) return;
    int32_t low = y->low;
    int64_t extent = y->extent;
    widen(&low, &extent, s.c, b->extent);
    if (extent >= REACH) return;
    y->low = low;
    y->extent = extent;
    y->last = y->block_count;
    y->again |= again;
}

// Straight on, over checks of whatever kind of bound, as long as nothing but stores could be noticed.
static void look_ahead(const merging *m, way *y) {
    unsigned room = MOST_ON_WAY;
    bool again = m->p->u->debug;
    LLVMBasicBlockRef at = LLVMGetSuccessor(y->first.branch, y->first.keep);
    while (y->block_count < MOST_BLOCKS && has_one_pred(m, at) && pass_block(at, &room, &again)) {
        v end = LLVMGetBasicBlockTerminator(at);
        y->blocks[y->block_count++] = at;
        bound b;
        if (read_bound(m->p, end, &b)) {
            again |= trap_of(&b) != trap_of(&y->first);
            take_in(m->p, y, &b, again, MOST_ON_WAY - room);
            at = LLVMGetSuccessor(end, b.keep);
        } else if (LLVMGetInstructionOpcode(end) == LLVMBr && !LLVMIsConditional(end)) {
            at = LLVMGetSuccessor(end, 0);
        } else {
            return;
        }
    }
}

// ---- The cold copy of the way

typedef struct replay { part *p; wx_map values; } replay;

static v image_of(const replay *r, v x) {
    uint64_t *image = wx_map_get(&r->values, (uintptr_t)x);
    return image ? (v)(uintptr_t)*image : x;
}

static void copy_body(replay *r, LLVMBasicBlockRef from) {
    for (EACH_INSTRUCTION(i, from)) {
        if (LLVMIsATerminatorInst(i)) return;
        debug_near(r->p, i);
        v copy = LLVMInstructionClone(i);
        LLVMInsertIntoBuilder(r->p->b, copy);
        *wx_map_put(&r->values, (uintptr_t)i, NULL) = (uintptr_t)copy;
        int n = LLVMGetNumOperands(copy);
        for (int k = 0; k < n; k++) LLVMSetOperand(copy, (unsigned)k, image_of(r, LLVMGetOperand(copy, (unsigned)k)));
    }
}

static void copy_check(replay *r, const bound *b, LLVMBasicBlockRef next) {
    v condition = image_of(r, LLVMGetCondition(b->branch));
    LLVMBasicBlockRef to[] = {trap_of(b), next};
    LLVMBuildCondBr(r->p->b, condition, to[b->keep ? 0 : 1], to[b->keep ? 1 : 0]);
}

static LLVMBasicBlockRef copy_way(part *p, const way *y, v function) {
    replay r = {.p = p};
    LLVMBasicBlockRef first = LLVMAppendBasicBlockInContext(p->c, function, "again"), at = first;
    bound b = y->first;
    for (unsigned i = 0; i < y->last; i++) {
        LLVMBasicBlockRef next = LLVMAppendBasicBlockInContext(p->c, function, "again");
        LLVMPositionBuilderAtEnd(p->b, at);
        if (i) copy_body(&r, y->blocks[i - 1]);
        if (i && !read_bound(p, LLVMGetBasicBlockTerminator(y->blocks[i - 1]), &b)) LLVMBuildBr(p->b, next);
        else copy_check(&r, &b, next);
        at = next;
    }
    LLVMPositionBuilderAtEnd(p->b, at); // it has to be this one
    copy_body(&r, y->blocks[y->last - 1]);
    if (read_bound(p, LLVMGetBasicBlockTerminator(y->blocks[y->last - 1]), &b)) LLVMBuildBr(p->b, trap_of(&b));
    wx_map_free(&r.values);
    return first;
}

// ---- One check for all

static bool has_phis(LLVMBasicBlockRef b) { return LLVMIsAPHINode(LLVMGetFirstInstruction(b)) != NULL; }

static bool traps_are_simple(const part *p, const way *y) {
    if (has_phis(trap_of(&y->first))) return false;
    for (unsigned i = 0; i < y->last; i++) {
        bound b;
        if (read_bound(p, LLVMGetBasicBlockTerminator(y->blocks[i]), &b) && has_phis(trap_of(&b))) return false;
    }
    return true;
}

static void compare_all(part *p, const way *y) {
    const bound *b = &y->first;
    LLVMPositionBuilderBefore(p->b, b->branch);
    debug_near(p, b->branch);
    v index = b->index;
    if (y->low != y->of.c) index = LLVMBuildAdd(p->b, y->of.key, ci32(p, (uint32_t)y->low), "");
    v end = LLVMBuildNUWAdd(p->b, LLVMBuildZExt(p->b, index, p->i64, ""), ci64(p, (uint64_t)y->extent), "");
    v size = b->size ? b->size : ci64(p, fixed_bytes(p));
    LLVMSetCondition(b->branch, LLVMBuildICmp(p->b, b->keep ? LLVMIntUGT : LLVMIntULE, end, size, ""));
}

static void strengthen(merging *m, const bound *b, const subject *s) {
    way y = {.first = *b, .of = *s, .low = s->c, .extent = b->extent};
    if (b->extent >= REACH) return;
    look_ahead(m, &y);
    if (!y.last || (y.low == s->c && y.extent == b->extent)) return;
    if (!traps_are_simple(m->p, &y)) return;
    if (y.again) {
        v function = LLVMGetBasicBlockParent(LLVMGetInstructionParent(b->branch));
        LLVMBasicBlockRef cold = copy_way(m->p, &y, function);
        compare_all(m->p, &y);
        LLVMSetSuccessor(b->branch, 1 - b->keep, cold);
    } else {
        compare_all(m->p, &y);
    }
}

// ---- All of them

static void go_on(merging *m, const bound *b) {
    LLVMBasicBlockRef to = LLVMGetSuccessor(b->branch, b->keep);
    LLVMPositionBuilderBefore(m->p->b, b->branch);
    LLVMBuildBr(m->p->b, to);
    LLVMInstructionEraseFromParent(b->branch);
}

static void visit(merging *m, uint32_t block) {
    const flow *w = m->w;
    bound b;
    subject s;
    if (w->first_pred[block + 1] - w->first_pred[block] == 1) {
        v from = LLVMGetBasicBlockTerminator(w->blocks[w->preds[w->first_pred[block]]]);
        bool is_checked = read_bound(m->p, from, &b) && LLVMGetSuccessor(from, b.keep) == w->blocks[block];
        if (is_checked && find_subject(m->p, &b, &s)) add_fact(m, &s, b.extent);
    }
    v end = LLVMGetBasicBlockTerminator(w->blocks[block]);
    if (!read_bound(m->p, end, &b) || !find_subject(m->p, &b, &s)) return;
    if (follows(m, &s, b.extent) && !has_phis(trap_of(&b))) go_on(m, &b);
    else if (!LLVMGetMetadata(end, m->p->md_cold) && !m->p->u->opt_size) strengthen(m, &b, &s);
}

void merge_checks(part *p, const flow *w) {
    merging m = {.p = p, .w = w};
    uint32_t *marks = wx_xmalloc(w->count * sizeof *marks), *open = wx_xmalloc(w->count * sizeof *open), depth = 0;
    for (uint32_t i = 0; i < w->count; i++) {
        uint32_t b = w->order[i];
        while (depth && !flow_dominates(w, open[depth - 1], b)) forget(&m, marks[--depth]);
        open[depth] = b;
        marks[depth++] = m.count;
        visit(&m, b);
    }
    wx_map_free(&m.heads);
    free(m.facts);
    free(marks);
    free(open);
}
