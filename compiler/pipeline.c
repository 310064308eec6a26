// compiler/pipeline.c: LLVM's passes, by level.
//
// Levels 1 and 3 are LLVM's own lists. Level 2 is ours: Wasm comes out of an optimiser, so most of what default<O2>
// does again and again finds nothing. RATIONALE.md ("Compile speed") has what that buys and costs.
#include "compiler/flow.h"

#include <stdlib.h>
#include <string.h>

#define COMBINE "instcombine<max-iterations=1;no-verify-fixpoint>"
#define TIDY(more) "simplifycfg<switch-range-to-icmp;keep-loops" more ">"
#define INVARIANTS "loop-mssa(licm<allowspeculation>)"

// What a profile says of the whole module is there for those that look, if it is asked for first.
#define SUMMARY "require<profile-summary>,"

// Callees first: what is inlined has been simplified.
static const char inlining[] =
    SUMMARY
    "cgscc(devirt<4>(inline,function<eager-inv;no-rerun>(sroa<modify-cfg>,early-cse<memssa>," COMBINE "," TIDY("") ")))"
    ",elim-avail-extern,globaldce";

#define LOOPS_AND_LINES(slp) \
    SUMMARY \
    "function<eager-inv>(" \
    /* branches and values */ \
    "correlated-propagation," TIDY("") ",reassociate,constraint-elimination," \
    /* loops into their best shape */ \
    "loop-mssa(loop-instsimplify,loop-simplifycfg,licm<no-allowspeculation>,loop-rotate<header-duplication>," \
    "licm<allowspeculation>,simple-loop-unswitch<no-nontrivial;trivial>)," TIDY("") "," COMBINE "," \
    "loop(loop-idiom,indvars,loop-deletion,loop-unroll-full)," \
    /* what is known already, or never looked at */ \
    "gvn<>,sccp,bdce,dse," INVARIANTS "," TIDY(";hoist-common-insts;sink-common-insts") "," COMBINE "," \
    /* vectors */ \
    "loop(loop-rotate<header-duplication>,loop-deletion)," \
    "loop-vectorize<no-interleave-forced-only;no-vectorize-forced-only>,infer-alignment,loop-load-elim," COMBINE "," \
    "simplifycfg<forward-switch-cond;switch-range-to-icmp;switch-to-arithmetic;switch-to-lookup;no-keep-loops;" \
    "hoist-common-insts;sink-common-insts>," slp "vector-combine," COMBINE "," \
    /* the shape that code is made from */ \
    "loop-unroll<O2>," COMBINE "," INVARIANTS ",loop-sink,instsimplify,div-rem-pairs," \
    TIDY(";switch-to-arithmetic;switch-to-lookup;hoist-loads-stores-with-cond-faulting;speculate-unpredictables") \
    ")"

static const char loops_and_lines[] = LOOPS_AND_LINES("slp-vectorizer,");

// For a function that has tight loops, but little in them: vectors of what is straight would be most of its vectors,
// and joining what was just stored one by one waits for the stores.
static const char few_loops[] = LOOPS_AND_LINES("");

// For a function without a loop that calls nothing: no vectors, no unrolling, and half of what tidies up after them.
// Its time goes into its calls; the longer list made no program faster, and the code larger.
static const char lines[] =
    SUMMARY
    "function<eager-inv>(reassociate,"
    "loop-mssa(loop-simplifycfg,licm<no-allowspeculation>,loop-rotate<header-duplication>,licm<allowspeculation>),"
    TIDY("") "," COMBINE ",early-cse<memssa>,sccp,bdce," INVARIANTS ","
    TIDY(";hoist-common-insts;sink-common-insts") "," COMBINE ","
    "simplifycfg<forward-switch-cond;switch-range-to-icmp;switch-to-arithmetic;switch-to-lookup;no-keep-loops;"
    "hoist-common-insts;sink-common-insts>,instsimplify,div-rem-pairs)";

// For one that is too large for either: several passes over loops take time by the square of their number in one
// function, and this is all that such a function gets after inlining.
static const char large[] = "function<eager-inv>(gvn<>,sccp,bdce,dse," COMBINE ","
                            TIDY(";hoist-common-insts;sink-common-insts;switch-to-lookup") ")";
#define MOST_BLOCKS 16384
#define MOST_LOOPS 512
#define MOST_BLOCKS_WITH_VECTORS 4096

// ---- Which function gets which
//
// LLVM's only way to leave a function out of a list is optnone, which is there after inlining, which would obey it, and
// gone when code is made.

typedef enum size_class { LOOPS, FEW_LOOPS, LINES, LARGE, CLASSES } size_class;

static const char *const lists[CLASSES] = {
    [LOOPS] = loops_and_lines, [FEW_LOOPS] = few_loops, [LINES] = lines, [LARGE] = large};

#define FEW 8 // a part in so many of a function's instructions

typedef struct block { uint32_t size; bool calls; } block;

static block look_at(LLVMBasicBlockRef b) {
    block k = {0};
    for (LLVMValueRef i = LLVMGetFirstInstruction(b); i; i = LLVMGetNextInstruction(i)) {
        k.size++;
        k.calls = k.calls || is_call(i);
    }
    return k;
}

// By how much is in loops that call nothing; where there is one, an innermost one is.
static size_class by_loops(const flow *w) {
    block *loops = wx_xcalloc((size_t)w->loop_count + 1, sizeof *loops);
    uint64_t tight = 0, all = 0;
    for (uint32_t b = 0; b < w->count; b++) {
        block k = look_at(w->blocks[b]);
        all += k.size;
        if (w->loop_of[b] == FLOW_NONE) continue;
        loops[w->loop_of[b]].size += k.size;
        loops[w->loop_of[b]].calls |= k.calls;
    }
    for (uint32_t l = 0; l < w->loop_count; l++) { // inner ones come first
        if (!loops[l].calls) tight += loops[l].size;
        else if (w->loops[l].parent != FLOW_NONE) loops[w->loops[l].parent].calls = true;
    }
    free(loops);
    return !tight ? LINES : tight < all / FEW ? FEW_LOOPS : LOOPS;
}

static size_class classify(LLVMValueRef f) {
    if (LLVMCountBasicBlocks(f) > MOST_BLOCKS) return LARGE;
    flow w;
    flow_open(&w, f);
    size_class c = w.loop_count > MOST_LOOPS ? LARGE : w.count > MOST_BLOCKS_WITH_VECTORS ? LINES : by_loops(&w);
    flow_close(&w);
    return c;
}

static unsigned kind_of(const char *name) { return LLVMGetEnumAttributeKindForName(name, strlen(name)); }

static void add(part *p, LLVMValueRef f, const char *name) {
    LLVMAddAttributeAtIndex(f, LLVMAttributeFunctionIndex, LLVMCreateEnumAttribute(p->c, kind_of(name), 0));
}

static void leave_out(part *p, LLVMValueRef f, bool out) {
    if (out) add(p, f, "noinline"), add(p, f, "optnone"); // the one wants the other
    else LLVMRemoveEnumAttributeAtIndex(f, LLVMAttributeFunctionIndex, kind_of("optnone"));
}

typedef struct sized { LLVMValueRef f; size_class size; } sized;

static uint32_t classify_all(part *p, sized **out, uint32_t counts[CLASSES]) {
    wx_buf all = {0};
    for (LLVMValueRef f = LLVMGetFirstFunction(p->m); f; f = LLVMGetNextFunction(f)) {
        if (!LLVMCountBasicBlocks(f)) continue;
        sized s = {f, classify(f)};
        counts[s.size]++;
        wx_buf_add(&all, &s, sizeof s);
    }
    *out = (sized *)all.data;
    return (uint32_t)(all.len / sizeof **out);
}

static void optimise_by_class(part *p, LLVMTargetMachineRef tm) {
    sized *all;
    uint32_t counts[CLASSES] = {0}, count = classify_all(p, &all, counts);
    for (size_class c = 0; c < CLASSES; c++) {
        if (!counts[c]) continue;
        for (uint32_t i = 0; i < count; i++) leave_out(p, all[i].f, all[i].size != c);
        run_passes(p, tm, lists[c]);
    }
    for (uint32_t i = 0; i < count; i++) leave_out(p, all[i].f, false);
    free(all);
}

void run_pipeline(part *p, LLVMTargetMachineRef tm) {
    static const char *const levels[] = {NULL, "default<O1>", NULL, "default<O3>"};
    const wx_unit *u = p->u;
    if (u->opt_size || levels[u->opt_level]) {
        run_passes(p, tm, u->opt_size ? "default<Oz>" : levels[u->opt_level]);
        return;
    }
    run_passes(p, tm, inlining);
    optimise_by_class(p, tm);
    run_passes(p, tm, "globaldce");
}
