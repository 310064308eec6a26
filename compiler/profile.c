// compiler/profile.c: profiles in code: counting what it does (--profile-generate), and telling LLVM what was counted
// (--profile-use).
//
// in: u->profiling   out: increments; branch weights, entry counts, the summary
// Every site is one increment: the condition, or the case, says of which counter. The loads and stores are atomic but
// not together: a count may be lost between threads, and LLVM does not keep a counter in a register for a whole loop,
// where a trap or a reader would not see it.
#include "compiler/profile.h"

#include <stdlib.h>
#include <string.h>

#include "compiler/emit.h"

static wx_func_profile *known_of(fn *f) {
    wx_func_profile *all = f->p->u->profiling.funcs;
    return all ? &all[f->index] : NULL;
}

// ---- Where we are

static void arrive(fn *f, uint64_t at, wxrt_site kind, uint64_t words) {
    fn_profile *p = &f->profile;
    p->at_site = words > 0;
    p->counter = p->next_counter;
    p->next_counter += words;
    p->site = NULL;
    while (words && p->next < p->end && p->next->at < at) p->next++;
    if (words && p->next < p->end && p->next->at == at && p->next->kind == kind) p->site = p->next;
}

void profile_at(fn *f, const wx_instr *in) {
    wxrt_site kind = WXRT_SITE_ENTRY;
    if (!known_of(f)) return;
    uint64_t words = wx_site_words(in, &kind);
    arrive(f, in->at - f->m->funcs[f->index].code.offset, kind, words);
}

// ---- Counting

static bool counting(const fn *f) { return f->p->u->profiling.generate && f->profile.at_site; }

static v counter_at(fn *f, v which) {
    part *p = f->p;
    ty all = LLVMArrayType2(p->i64, p->u->profiling.counter_count);
    v counters = hidden_global(p, symbol(p, "counters"), all), first = ci64(p, f->profile.counter);
    v at[] = {ci64(p, 0), which ? LLVMBuildAdd(f->b, first, zext64(f, which), "") : first};
    return LLVMBuildGEP2(f->b, all, counters, at, 2, "");
}

static v atomic(v access) {
    LLVMSetOrdering(access, LLVMAtomicOrderingMonotonic);
    LLVMSetAlignment(access, 8);
    return access;
}

void profile_count(fn *f, v which) {
    if (!counting(f)) return;
    v at = counter_at(f, which), old = atomic(LLVMBuildLoad2(f->b, f->p->i64, at, ""));
    atomic(LLVMBuildStore(f->b, LLVMBuildAdd(f->b, old, ci64(f->p, 1), ""), at));
}

void profile_count_condition(fn *f, v condition) {
    if (counting(f)) profile_count(f, LLVMBuildZExt(f->b, condition, f->p->i32, ""));
}

void profile_count_case(fn *f, v index, uint32_t count) {
    if (!counting(f)) return;
    v args[] = {index, ci32(f->p, count)};
    profile_count(f, intrinsic1(f, UMIN, f->p->i32, args, 2));
}

void profile_count_target(fn *f, v code) {
    if (!counting(f)) return;
    v args[] = {counter_at(f, NULL), code};
    call_helper(f->p, HELP_profile_target, args, 2);
}

// ---- Weights

static LLVMMetadataRef word_md(part *p, const char *text) { return LLVMMDStringInContext2(p->c, text, strlen(text)); }

static LLVMMetadataRef number_md(LLVMTypeRef type, uint64_t n) {
    return LLVMValueAsMetadata(LLVMConstInt(type, n, false));
}

// They have 32 bits each, and their sum should have no more.
void profile_weights(part *p, v branch, const uint64_t *counts, uint32_t count) {
    uint64_t sum = 0;
    unsigned shift = 0;
    for (uint32_t i = 0; i < count; i++) sum = wx_add_saturating(sum, counts[i]);
    if (!sum) return;
    while (sum >> shift > UINT32_MAX) shift++;
    LLVMMetadataRef *words = wx_xmalloc((count + 1) * sizeof *words);
    words[0] = word_md(p, "branch_weights");
    for (uint32_t i = 0; i < count; i++) {
        uint64_t weight = counts[i] >> shift;
        words[i + 1] = number_md(p->i32, counts[i] && !weight ? 1 : weight);
    }
    LLVMSetMetadata(branch, p->md_prof, LLVMMetadataAsValue(p->c, LLVMMDNodeInContext2(p->c, words, count + 1)));
    free(words);
}

static uint64_t count_of(const wx_site *s, uint32_t which) {
    for (uint32_t i = 0; i < s->count; i++)
        if (s->counts[i].which == which) return s->counts[i].count;
    return 0;
}

void profile_weigh(fn *f, v branch) {
    const wx_site *s = f->profile.site;
    if (s) profile_weights(f->p, branch, (uint64_t[]){count_of(s, 1), count_of(s, 0)}, 2);
}

void profile_weigh_switch(fn *f, v select, const uint32_t *successors, uint32_t count) {
    const wx_site *s = f->profile.site;
    if (!s) return;
    unsigned n = LLVMGetNumSuccessors(LLVMIsASwitchInst(select));
    uint64_t *counts = WX_NEW_ARRAY(&f->p->scratch, uint64_t, n);
    for (uint32_t i = 0; i < s->count; i++) {
        uint32_t which = s->counts[i].which;
        if (which > count) continue;
        counts[successors[which]] = wx_add_saturating(counts[successors[which]], s->counts[i].count);
    }
    profile_weights(f->p, select, counts, n);
}

void profile_weigh_callees(fn *f, v select, const uint32_t *funcs, uint32_t count) {
    const wx_site *s = f->profile.site;
    if (!s) return;
    uint64_t *counts = WX_NEW_ARRAY(&f->p->scratch, uint64_t, count + 1);
    for (uint32_t i = 0; i < count; i++) counts[i + 1] = count_of(s, funcs[i]);
    profile_weights(f->p, select, counts, count + 1);
}

// !prof of a function: how often it was entered.
static void set_entries(fn *f, uint64_t entries) {
    part *p = f->p;
    LLVMMetadataRef words[] = {word_md(p, "function_entry_count"), number_md(p->i64, entries)};
    LLVMGlobalSetMetadata(f->llvm, p->md_prof, LLVMMDNodeInContext2(p->c, words, 2));
}

void profile_open(fn *f) {
    const wx_func_profile *known = known_of(f);
    if (!known) return;
    f->profile = (fn_profile){.next_counter = known->counter, .next = known->sites,
                              .end = known->sites ? known->sites + known->site_count : NULL};
    arrive(f, 0, WXRT_SITE_ENTRY, 1);
    profile_count(f, NULL);
    if (known->known) set_entries(f, known->entries);
}

// ---- Targets of calls

static int by_count(const void *a, const void *b) {
    const wx_count *x = a, *y = b;
    if (x->count != y->count) return x->count > y->count ? -1 : 1;
    return x->which < y->which ? -1 : x->which > y->which;
}

// Each that makes at least a third of the calls that get to its guard.
uint32_t profile_hot_targets(fn *f, uint32_t type, hot_target out[HOT_TARGETS]) {
    const wx_site *s = f->profile.site;
    uint64_t rest = 0;
    uint32_t n = 0;
    if (!s) return 0;
    wx_count *sorted = wx_arena_dup(&f->p->scratch, s->counts, s->count * sizeof *sorted);
    if (s->count) qsort(sorted, s->count, sizeof *sorted, by_count);
    for (uint32_t i = 0; i < s->count; i++) rest = wx_add_saturating(rest, sorted[i].count);
    for (uint32_t i = 0; i < s->count && n < HOT_TARGETS; i++) {
        uint32_t func = sorted[i].which;
        uint64_t count = sorted[i].count;
        if (!count || count < rest / 3) break;
        if (func == UINT32_MAX || !f->p->u->facts.funcs[func].live) continue;
        if (f->m->types[f->m->funcs[func].type].canon != f->m->types[type].canon) continue;
        rest -= count < rest ? count : rest;
        out[n++] = (hot_target){func, count, rest};
    }
    return n;
}

// ---- The summary: how many counts make up which part of all of them; by it LLVM knows hot from cold

static LLVMMetadataRef pair_md(part *p, const char *key, LLVMMetadataRef value) {
    LLVMMetadataRef pair[] = {word_md(p, key), value};
    return LLVMMDNodeInContext2(p->c, pair, 2);
}

typedef struct sums { uint64_t all, largest, largest_entry, functions; } sums;

static sums add_up(const wx_unit *u) {
    sums s = {0};
    for (size_t i = 0; i < u->profiling.total_count; i++) s.all = wx_add_saturating(s.all, u->profiling.totals[i]);
    if (u->profiling.total_count) s.largest = u->profiling.totals[0];
    for (uint32_t i = 0; i < u->live_count; i++) {
        const wx_func_profile *f = &u->profiling.funcs[u->live[i]];
        s.functions += f->known;
        if (f->entries > s.largest_entry) s.largest_entry = f->entries;
    }
    return s;
}

// Of the whole in millionths: the smallest count that is still needed, and how many are.
static LLVMMetadataRef cutoffs(part *p, const sums *s) {
    static const uint32_t parts[] = {10000, 100000, 200000, 300000, 400000, 500000, 600000, 700000,
                                     800000, 900000, 950000, 990000, 999000, 999900, 999990, 999999};
    enum { PARTS = sizeof parts / sizeof *parts };
    const wx_profiling *all = &p->u->profiling;
    LLVMMetadataRef rows[PARTS];
    uint64_t sum = 0, least = 0;
    size_t n = 0;
    for (unsigned i = 0; i < PARTS; i++) {
        uint64_t wanted = s->all / 1000000 * parts[i] + s->all % 1000000 * parts[i] / 1000000;
        for (; n < all->total_count && sum < wanted; n++) {
            least = all->totals[n];
            sum = wx_add_saturating(sum, least);
        }
        LLVMMetadataRef row[] = {number_md(p->i32, parts[i]), number_md(p->i64, least), number_md(p->i32, n)};
        rows[i] = LLVMMDNodeInContext2(p->c, row, 3);
    }
    return LLVMMDNodeInContext2(p->c, rows, PARTS);
}

void profile_summary(part *p) {
    if (!p->u->profiling.use || !p->u->profiling.total_count) return;
    sums s = add_up(p->u);
    LLVMMetadataRef fields[] = {
        pair_md(p, "ProfileFormat", word_md(p, "InstrProf")),
        pair_md(p, "TotalCount", number_md(p->i64, s.all)),
        pair_md(p, "MaxCount", number_md(p->i64, s.largest)),
        pair_md(p, "MaxInternalCount", number_md(p->i64, s.largest)),
        pair_md(p, "MaxFunctionCount", number_md(p->i64, s.largest_entry)),
        pair_md(p, "NumCounts", number_md(p->i64, p->u->profiling.total_count)),
        pair_md(p, "NumFunctions", number_md(p->i64, s.functions)),
        pair_md(p, "DetailedSummary", cutoffs(p, &s)),
    };
    LLVMMetadataRef all = LLVMMDNodeInContext2(p->c, fields, sizeof fields / sizeof *fields);
    LLVMAddModuleFlag(p->m, LLVMModuleFlagBehaviorError, "ProfileSummary", 14, all);
}

// ---- For the runtime

// Zeros in a section of their own: they take no room in the object.
LLVMValueRef define_counters(part *p) {
    LLVMTypeRef type = LLVMArrayType2(p->i64, p->u->profiling.counter_count);
    LLVMValueRef counters = hidden_global(p, symbol(p, "counters"), type);
    LLVMSetInitializer(counters, LLVMConstNull(type));
    LLVMSetAlignment(counters, 64);
    LLVMSetSection(counters, wx_arena_printf(&p->scratch, ".bss.wasmx_counters.%s", p->u->name));
    if (p->u->part_count == 1) LLVMSetLinkage(counters, LLVMInternalLinkage);
    return counters;
}
