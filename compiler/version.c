// compiler/version.c: explicit bounds of counted loops are checked once, before the loop.
//
// A check in a loop leaves to a trap where e, a 32-bit value, is too large: zext(e) + c > size of the memory, or e > a
// constant. Where e grows evenly and the loop ends after N + 1 iterations at most, one comparison before the loop says
// that no iteration of it traps:
//
//   zext(S) + N * step + c <= limit     with S = e in the first iteration, all in 64 bits: N and step are below 2^32
//
// A limit is below 2^32, so no e on the way wraps either, and zext(e) is zext(S) + n * step. A memory never becomes
// smaller: what lies inside before the loop does so throughout, whatever the loop calls. So there are two loops
// afterwards: the one that was there, checks and all, taken where the comparison fails; and a copy of it without these
// checks, its addresses made of 64-bit counters from 0. Nothing is checked earlier or later than before, so a trap
// comes exactly where it did, after the same stores.
#include <stdlib.h>

#include "compiler/affine.h"
#include "compiler/bound.h"
#include "compiler/clone.h"

#define MOST_INSTRUCTIONS 800 // of a loop: it is there twice
#define MOST_GROUPS 12
#define MOST_LIMITS 3
#define NEAR ((int64_t)1 << 28)

typedef struct limit { v load; int64_t extent; } limit; // zext(first + extent) <= what is loaded; of a size

typedef struct group {  // values key + c that grow by one step; displacements are from key + first
    v key;
    uint32_t step;
    int32_t first;
    int64_t low, high;  // least and greatest displacement
    uint64_t most;      // zext(first) may be at most this, in every iteration
    limit limits[MOST_LIMITS];
    unsigned limit_count;
    v start;            // i32: key + first + low, before the loop
} group;

typedef struct check { v branch; unsigned keep; } check; // keep: the successor that goes on

typedef struct root { v gep; unsigned group; int64_t displacement; } root;

typedef struct trip { // how often
    v branch, compare;
    affine a;
    v limit;
    bool exact;       // ends when a == limit; else bounded by a < limit
    bool is_signed;
    bool found;
} trip;

typedef struct versioning {
    part *p;
    const flow *w;
    uint32_t loop;
    group groups[MOST_GROUPS];
    unsigned group_count;
    check *checks;
    root *roots;
    uint32_t check_count, check_room, root_count, root_room;
    v ok, last;       // before the loop: all comparisons; iterations after the first, at most
} versioning;

static bool is_negative(uint32_t step) { return (int32_t)step < 0; }
static uint64_t width_of(uint32_t step) { return is_negative(step) ? 0u - step : step; }

// ---- Groups

static group *group_of(versioning *z, v key, uint32_t step, int32_t c) {
    for (unsigned i = 0; i < z->group_count; i++) {
        group *g = &z->groups[i];
        int64_t d = (int64_t)c - g->first;
        if (g->key == key && g->step == step && d < NEAR && d > -NEAR) return g;
    }
    if (z->group_count == MOST_GROUPS) return NULL;
    group *g = &z->groups[z->group_count++];
    *g = (group){.key = key, .step = step, .first = c, .most = UINT32_MAX};
    return g;
}

static void stretch(group *g, int64_t d) {
    if (d < g->low) g->low = d;
    if (d > g->high) g->high = d;
}

// A constant start has no key: constants of different starts are told apart by c alone.
static group *find_group(versioning *z, v f, affine *a, int64_t *displacement) {
    if (!find_affine(z->p, z->w, z->loop, f, a)) return NULL;
    int32_t c;
    v key = split_constant(a->start, &c);
    if (LLVMIsAConstantInt(key)) {
        c = (int32_t)((uint32_t)c + (uint32_t)LLVMConstIntGetZExtValue(key));
        key = ci32(z->p, 0);
    }
    group *g = group_of(z, key, a->step, c);
    if (g) *displacement = (int64_t)c - g->first;
    return g;
}

static bool add_limit(group *g, v load, int64_t extent) {
    v from = LLVMGetOperand(load, 0);
    for (unsigned i = 0; i < g->limit_count; i++) {
        limit *l = &g->limits[i];
        if (LLVMGetOperand(l->load, 0) != from) continue;
        if (extent > l->extent) l->extent = extent;
        return true;
    }
    if (g->limit_count == MOST_LIMITS) return false;
    g->limits[g->limit_count++] = (limit){load, extent};
    return true;
}

// ---- Checks

// The size's address is ctx with a constant, or what the entry knows.
static bool is_known_before(const versioning *z, v pointer) {
    int64_t c;
    for (v below; (below = access_step(pointer, &c)); pointer = below)
        if (flow_invariant(z->w, z->loop, pointer)) return true;
    return flow_invariant(z->w, z->loop, pointer);
}

// A negative displacement lets the first be more.
static bool add_most(group *g, int64_t d, uint64_t most) {
    if (d > 0 && most < (uint64_t)d) return false;
    most -= (uint64_t)d;
    if (most < g->most) g->most = most;
    return true;
}

static bool note_bound(versioning *z, const bound *b) {
    affine a;
    int64_t d;
    if (b->size && !is_known_before(z, LLVMGetOperand(b->size, 0))) return false;
    group *g = find_group(z, b->index, &a, &d);
    if (!g || !(b->size ? add_limit(g, b->size, d + b->extent) : add_most(g, d, b->most))) return false;
    stretch(g, d);
    return true;
}

static void note_branch(versioning *z, v branch) {
    bound b;
    if (!read_bound(z->p, branch, &b) || !note_bound(z, &b)) return;
    z->checks = wx_one_more(z->checks, z->check_count, &z->check_room, sizeof *z->checks);
    z->checks[z->check_count++] = (check){branch, b.keep};
}

// ---- Addresses

static void note_root(versioning *z, v gep) {
    v index = root_index(gep);
    affine a;
    int64_t d;
    if (!index || !flow_invariant(z->w, z->loop, root_base(gep)) || flow_invariant(z->w, z->loop, index)) return;
    group *g = find_group(z, index, &a, &d);
    if (!g) return;
    stretch(g, d);
    add_most(g, d, UINT32_MAX);
    z->roots = wx_one_more(z->roots, z->root_count, &z->root_room, sizeof *z->roots);
    z->roots[z->root_count++] = (root){gep, (unsigned)(g - z->groups), d};
}

// ---- How often

// Of the tests that are understood; the others become what is not.
static LLVMIntPredicate otherwise(LLVMIntPredicate is) {
    switch (is) {
    case LLVMIntEQ: return LLVMIntNE;
    case LLVMIntUGE: return LLVMIntULT;
    case LLVMIntSGE: return LLVMIntSLT;
    default: return LLVMIntEQ;
    }
}

static trip read_trip(versioning *z, uint32_t block) {
    trip t = {.branch = LLVMGetBasicBlockTerminator(z->w->blocks[block])};
    if (!LLVMIsABranchInst(t.branch) || !LLVMIsConditional(t.branch)) return t;
    t.compare = LLVMGetCondition(t.branch);
    if (!LLVMIsAICmpInst(t.compare)) return t;
    if (is_doomed(LLVMGetSuccessor(t.branch, 0)) || is_doomed(LLVMGetSuccessor(t.branch, 1))) return t;
    bool leaves_first = !flow_contains(z->w, z->loop, flow_number(z->w, LLVMGetSuccessor(t.branch, 0)));
    bool leaves_second = !flow_contains(z->w, z->loop, flow_number(z->w, LLVMGetSuccessor(t.branch, 1)));
    affine l;
    if (leaves_first == leaves_second || !find_affine(z->p, z->w, z->loop, LLVMGetOperand(t.compare, 0), &t.a) ||
        !find_affine(z->p, z->w, z->loop, LLVMGetOperand(t.compare, 1), &l) || l.step || !t.a.step)
        return t;
    t.limit = l.start;
    LLVMIntPredicate is = LLVMGetICmpPredicate(t.compare); // what keeps the loop going:
    if (leaves_first) is = otherwise(is);
    t.exact = is == LLVMIntNE;
    t.is_signed = is == LLVMIntSLT;
    t.found = t.exact || ((is == LLVMIntSLT || is == LLVMIntULT) && !is_negative(t.a.step));
    return t;
}

static trip find_trip(versioning *z) {
    trip best = {0};
    const flow *w = z->w;
    uint32_t header = w->loops[z->loop].header;
    for (uint32_t i = w->in[header]; i < w->out[header]; i++) {
        uint32_t b = w->order[i];
        if (w->loop_of[b] != z->loop || !flow_every_time(w, z->loop, b)) continue;
        trip t = read_trip(z, b);
        if (t.found && (!best.found || (t.exact && !best.exact))) best = t;
    }
    return best;
}

static void demand(versioning *z, v condition) {
    z->ok = z->ok ? LLVMBuildAnd(z->p->b, z->ok, condition, "") : condition;
}

static v compare(versioning *z, LLVMIntPredicate is, v a, v b) { return LLVMBuildICmp(z->p->b, is, a, b, ""); }
static v wide(versioning *z, v x) { return LLVMBuildZExt(z->p->b, x, z->p->i64, ""); }

// The distance in 32 bits is a multiple of the step, or the counter would run past the limit and around.
static void count_exactly(versioning *z, const trip *t) {
    LLVMBuilderRef b = z->p->b;
    bool down = is_negative(t->a.step);
    v distance = down ? LLVMBuildSub(b, t->a.start, t->limit, "") : LLVMBuildSub(b, t->limit, t->a.start, "");
    v width = ci32(z->p, width_of(t->a.step));
    if (width_of(t->a.step) != 1)
        demand(z, compare(z, LLVMIntEQ, LLVMBuildURem(b, distance, width, ""), ci32(z->p, 0)));
    z->last = wide(z, LLVMBuildUDiv(b, distance, width, ""));
}

// The counter passes the limit by less than a step; that must not take it around.
static void count_below(versioning *z, const trip *t) {
    LLVMBuilderRef b = z->p->b;
    v start = t->a.start, limit = t->limit, top = ci32(z->p, 0x80000000u);
    if (t->is_signed) start = LLVMBuildXor(b, start, top, ""), limit = LLVMBuildXor(b, limit, top, "");
    uint64_t width = width_of(t->a.step);
    if (width != 1) demand(z, compare(z, LLVMIntULE, limit, ci32(z->p, 0x100000000u - width)));
    v more = compare(z, LLVMIntULT, start, limit);
    v distance = LLVMBuildSelect(b, more, LLVMBuildSub(b, limit, start, ""), ci32(z->p, 0), "");
    v up = LLVMBuildNUWAdd(b, wide(z, distance), ci64(z->p, width - 1), "");
    z->last = LLVMBuildUDiv(b, up, ci64(z->p, width), "");
}

// ---- Before the loop

static v copy_before(versioning *z, v pointer) {
    if (flow_invariant(z->w, z->loop, pointer)) return pointer;
    int64_t c;
    v below = access_step(pointer, &c);
    return byte_offset(z->p, copy_before(z, below), c);
}

static v load_before(versioning *z, v load) {
    v pointer = copy_before(z, LLVMGetOperand(load, 0)), copy = LLVMInstructionClone(load);
    LLVMInsertIntoBuilder(z->p->b, copy);
    LLVMSetOperand(copy, 0, pointer);
    return copy;
}

static void check_group(versioning *z, group *g) {
    LLVMBuilderRef b = z->p->b;
    v reach = LLVMBuildMul(b, z->last, ci64(z->p, width_of(g->step)), "");
    int64_t offset = g->first + g->low;
    g->start = LLVMBuildAdd(b, g->key, ci32(z->p, (uint32_t)offset), "");
    v start = wide(z, g->start), farthest = start;
    if (is_negative(g->step)) demand(z, compare(z, LLVMIntUGE, start, reach));
    else farthest = LLVMBuildAdd(b, start, reach, "");
    for (unsigned i = 0; i < g->limit_count; i++) {
        int64_t extent = g->limits[i].extent - g->low;
        if (extent < g->high - g->low) extent = g->high - g->low;
        v end = LLVMBuildNUWAdd(b, farthest, ci64(z->p, (uint64_t)extent), "");
        demand(z, compare(z, LLVMIntULE, end, load_before(z, g->limits[i].load)));
    }
    // A size is at most 2^32 - 64 KiB, which says for the whole group that nothing wraps. Constants may ask for more.
    if (g->limit_count && g->most >= UINT32_MAX - (uint64_t)g->high) return;
    if (g->low < 0 && (uint64_t)-g->low > g->most) demand(z, LLVMConstInt(z->p->i1, 0, false));
    uint64_t all = UINT32_MAX - (uint64_t)(g->high - g->low), most = g->most + (uint64_t)g->low;
    demand(z, compare(z, LLVMIntULE, farthest, ci64(z->p, most < all ? most : all)));
}

// ---- The copy

typedef struct counter { uint32_t step; v w, next; } counter;

static v step_of(versioning *z, uint32_t step) {
    return LLVMConstInt(z->p->i64, (uint64_t)(int64_t)(int32_t)step, true);
}

static counter *counter_of(versioning *z, const clone *k, counter *counters, unsigned *count, uint32_t step) {
    for (unsigned i = 0; i < *count; i++)
        if (counters[i].step == step) return &counters[i];
    const flow_loop *l = &z->w->loops[z->loop];
    LLVMBasicBlockRef header = clone_block(k, l->header), latch = clone_block(k, l->latches[0]);
    LLVMPositionBuilderBefore(z->p->b, LLVMGetFirstInstruction(header));
    v w = LLVMBuildPhi(z->p->b, z->p->i64, "");
    LLVMPositionBuilderBefore(z->p->b, LLVMGetBasicBlockTerminator(latch));
    v next = LLVMBuildAdd(z->p->b, w, step_of(z, step), "");
    LLVMSetNSW(next, true);
    LLVMSetNUW(next, !is_negative(step));
    LLVMAddIncoming(w, (v[]){ci64(z->p, 0), next}, (LLVMBasicBlockRef[]){z->w->blocks[l->entry], latch}, 2);
    counters[*count] = (counter){step, w, next};
    return &counters[(*count)++];
}

static v start_of(versioning *z, v base, const group *g) {
    LLVMPositionBuilderBefore(z->p->b, end_of_entry(z->w, z->loop));
    return new_root(z->p, base, g->start);
}

static void rewrite_roots(versioning *z, const clone *k, counter *counters, unsigned *count) {
    v starts[MOST_GROUPS] = {0}, bases[MOST_GROUPS] = {0};
    for (uint32_t i = 0; i < z->root_count; i++) {
        const root *r = &z->roots[i];
        const group *g = &z->groups[r->group];
        if (g->step == 0) continue;
        v base = root_base(r->gep), copy = clone_of(k, r->gep);
        if (bases[r->group] != base) bases[r->group] = base, starts[r->group] = start_of(z, base, g);
        v w = counter_of(z, k, counters, count, g->step)->w;
        LLVMPositionBuilderBefore(z->p->b, copy);
        v at = is_negative(g->step) ? LLVMBuildGEP2(z->p->b, z->p->i8, starts[r->group], &w, 1, "")
                                    : add_bytes(z->p, starts[r->group], w);
        int64_t d = r->displacement - g->low;
        LLVMReplaceAllUsesWith(copy, d ? byte_offset(z->p, at, d) : at);
        LLVMInstructionEraseFromParent(copy);
    }
}

// The exit in terms of a counter, which LLVM likes best. What is compared is a + step after the counter's own step.
static void rewrite_exit(versioning *z, const clone *k, const trip *t, const counter *n) {
    v branch = clone_of(k, t->branch), one = ci64(z->p, 1);
    LLVMPositionBuilderBefore(z->p->b, end_of_entry(z->w, z->loop));
    v times = LLVMBuildNUWAdd(z->p->b, z->last, one, ""), limit = LLVMBuildMul(z->p->b, times, step_of(z, n->step), "");
    if (LLVMIsAInstruction(limit)) LLVMSetNUW(limit, !is_negative(n->step));
    LLVMPositionBuilderBefore(z->p->b, branch);
    v next = n->next;
    const flow_loop *l = &z->w->loops[z->loop];
    if (LLVMGetInstructionParent(branch) != clone_block(k, l->latches[0]))
        next = LLVMBuildAdd(z->p->b, n->w, step_of(z, n->step), ""), LLVMSetNSW(next, true);
    LLVMSetCondition(branch, LLVMBuildICmp(z->p->b, LLVMGetICmpPredicate(t->compare), next, limit, ""));
}

static void choose(versioning *z, LLVMBasicBlockRef fast, LLVMBasicBlockRef slow) {
    v end = end_of_entry(z->w, z->loop);
    LLVMPositionBuilderBefore(z->p->b, end);
    v bad = LLVMBuildNot(z->p->b, z->ok, "");
    v branch = LLVMBuildCondBr(z->p->b, bad, slow, fast);
    LLVMSetMetadata(branch, z->p->md_prof, z->p->unlikely_md);
    LLVMInstructionEraseFromParent(end);
}

static void split_loop(versioning *z, const trip *t) {
    clone k;
    clone_open(&k, z->p, z->w, z->loop);
    for (uint32_t i = 0; i < z->check_count; i++) clone_cut(&k, z->checks[i].branch, z->checks[i].keep);
    clone_blocks(&k);
    for (uint32_t i = 0; i < z->check_count; i++) LLVMSetMetadata(z->checks[i].branch, z->p->md_cold, z->p->empty_md);
    counter counters[MOST_GROUPS];
    unsigned count = 0;
    rewrite_roots(z, &k, counters, &count);
    if (t->exact && count) rewrite_exit(z, &k, t, &counters[0]);
    choose(z, clone_block(&k, z->w->loops[z->loop].header), z->w->blocks[z->w->loops[z->loop].header]);
    clone_close(&k);
}

// ---- Which loops

static bool is_innermost(const flow *w, uint32_t loop) {
    for (uint32_t i = 0; i < w->loop_count; i++)
        if (w->loops[i].parent == loop) return false;
    return true;
}

static bool has_form(const versioning *z) {
    const flow_loop *l = &z->w->loops[z->loop];
    if (l->entry == FLOW_NONE || l->latch_count != 1 || !is_innermost(z->w, z->loop)) return false;
    return LLVMGetNumSuccessors(end_of_entry(z->w, z->loop)) == 1;
}

static void note_block(versioning *z, LLVMBasicBlockRef b) {
    for (v i = LLVMGetFirstInstruction(b), next; i; i = next) {
        next = LLVMGetNextInstruction(i);
        if (LLVMIsAGetElementPtrInst(i)) note_root(z, i);
    }
    note_branch(z, LLVMGetBasicBlockTerminator(b));
}

static void version_loop(versioning *z) {
    if (!has_form(z) || !clone_is_possible(z->w, z->loop, MOST_INSTRUCTIONS)) return;
    trip t = find_trip(z);
    if (!t.found) return;
    uint32_t header = z->w->loops[z->loop].header;
    for (uint32_t i = z->w->in[header]; i < z->w->out[header]; i++)
        if (flow_contains(z->w, z->loop, z->w->order[i])) note_block(z, z->w->blocks[z->w->order[i]]);
    if (!z->check_count) return;
    LLVMPositionBuilderBefore(z->p->b, end_of_entry(z->w, z->loop));
    z->ok = NULL;
    if (t.exact) count_exactly(z, &t);
    else count_below(z, &t);
    for (unsigned i = 0; i < z->group_count; i++) check_group(z, &z->groups[i]);
    split_loop(z, &t);
}

void version_loops(part *p, const flow *w) {
    versioning z = {.p = p, .w = w};
    for (z.loop = 0; z.loop < w->loop_count; z.loop++) {
        z.group_count = 0;
        z.check_count = z.root_count = 0;
        version_loop(&z);
    }
    free(z.checks);
    free(z.roots);
}
