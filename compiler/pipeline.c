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

static const char loops_and_lines[] =
    SUMMARY
    "function<eager-inv>("
    // branches and values
    "correlated-propagation," TIDY("") ",reassociate,constraint-elimination,"
    // loops into their best shape
    "loop-mssa(loop-instsimplify,loop-simplifycfg,licm<no-allowspeculation>,loop-rotate<header-duplication>,"
    "licm<allowspeculation>,simple-loop-unswitch<no-nontrivial;trivial>)," TIDY("") "," COMBINE ","
    "loop(loop-idiom,indvars,loop-deletion,loop-unroll-full),"
    // what is known already, or never looked at
    "gvn<>,sccp,bdce,dse," INVARIANTS "," TIDY(";hoist-common-insts;sink-common-insts") "," COMBINE ","
    // vectors
    "loop(loop-rotate<header-duplication>,loop-deletion),"
    "loop-vectorize<no-interleave-forced-only;no-vectorize-forced-only>,infer-alignment,loop-load-elim," COMBINE ","
    "simplifycfg<forward-switch-cond;switch-range-to-icmp;switch-to-arithmetic;switch-to-lookup;no-keep-loops;"
    "hoist-common-insts;sink-common-insts>,slp-vectorizer,vector-combine," COMBINE ","
    // the shape that code is made from
    "loop-unroll<O2>," COMBINE "," INVARIANTS ",loop-sink,instsimplify,div-rem-pairs,"
    TIDY(";switch-to-arithmetic;switch-to-lookup;hoist-loads-stores-with-cond-faulting;speculate-unpredictables")
    ")";

// For a function that is too large for what is above: several passes over loops take time by the square of their number
// in one function, and this is all that such a function gets after inlining.
static const char large[] = "function<eager-inv>(gvn<>,sccp,bdce,dse," COMBINE ","
                            TIDY(";hoist-common-insts;sink-common-insts;switch-to-lookup") ")";
#define MOST_BLOCKS 16384
#define MOST_LOOPS 512

// ---- Which function gets which
//
// LLVM's only way to leave a function out of a list is optnone. And its only switch for the vectoriser of straight code
// is noimplicitfloat: where there are no loops it would cost a third of the whole and buy nothing that can be measured.
// Both are there after inlining, which would spread or obey them, and gone when code is made.

typedef enum size_class { STRAIGHT, LOOPS, LARGE } size_class;

static size_class classify(LLVMValueRef f) {
    if (LLVMCountBasicBlocks(f) > MOST_BLOCKS) return LARGE;
    flow w;
    flow_open(&w, f);
    size_class c = w.loop_count > MOST_LOOPS ? LARGE : w.loop_count ? LOOPS : STRAIGHT;
    flow_close(&w);
    return c;
}

static unsigned kind_of(const char *name) { return LLVMGetEnumAttributeKindForName(name, strlen(name)); }

static void add(part *p, LLVMValueRef f, const char *name) {
    LLVMAddAttributeAtIndex(f, LLVMAttributeFunctionIndex, LLVMCreateEnumAttribute(p->c, kind_of(name), 0));
}

static void take(LLVMValueRef f, const char *name) {
    LLVMRemoveEnumAttributeAtIndex(f, LLVMAttributeFunctionIndex, kind_of(name));
}

static void leave_out(part *p, LLVMValueRef f, bool out) {
    if (out) add(p, f, "noinline"), add(p, f, "optnone"); // the one wants the other
    else take(f, "optnone");
}

typedef struct sized { LLVMValueRef f; size_class size; } sized;

static uint32_t classify_all(part *p, sized **out) {
    wx_buf all = {0};
    for (LLVMValueRef f = LLVMGetFirstFunction(p->m); f; f = LLVMGetNextFunction(f)) {
        if (!LLVMCountBasicBlocks(f)) continue;
        sized s = {f, classify(f)};
        wx_buf_add(&all, &s, sizeof s);
    }
    *out = (sized *)all.data;
    return (uint32_t)(all.len / sizeof **out);
}

static void optimise_loops_and_lines(part *p, LLVMTargetMachineRef tm) {
    sized *all;
    uint32_t count = classify_all(p, &all), large_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (all[i].size == STRAIGHT) add(p, all[i].f, "noimplicitfloat");
        if (all[i].size == LARGE) leave_out(p, all[i].f, true), large_count++;
    }
    run_passes(p, tm, loops_and_lines);
    for (uint32_t i = 0; i < count; i++) {
        take(all[i].f, "noimplicitfloat");
        if (large_count) leave_out(p, all[i].f, all[i].size != LARGE);
    }
    if (large_count) run_passes(p, tm, large);
    for (uint32_t i = 0; large_count && i < count; i++) leave_out(p, all[i].f, false);
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
    optimise_loops_and_lines(p, tm);
    run_passes(p, tm, "globaldce");
}
