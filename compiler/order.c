// compiler/order.c: in what order functions are compiled, and so stand in memory.
//
// in: live functions, cold ones, the profile   out: u->order
// As in the module, unless there is a profile or there are cold functions. Then come first those that ran, the
// commonest first, and after each what it calls nearly as often; then those of which nothing is known; then the cold
// ones. So what runs together stands together, and in one partition, where it can be inlined.
#include <stdlib.h>

#include "compiler/unit.h"

#define FOLLOWED 100 // a callee is placed with its caller when its peak is at least one part in so many of the caller's

typedef struct rank { uint32_t func; uint64_t peak; } rank;

typedef struct order {
    wx_unit *u;
    bool *placed;
    uint32_t count;  // placed so far
    uint32_t *stack; // to be placed next, the last one first
    size_t depth, cap;
} order;

static void place(order *o, uint32_t func) {
    o->placed[func] = true;
    o->u->order[o->count++] = func;
}

static void place_if(order *o, bool (*is_one)(const wx_unit *u, uint32_t func)) {
    for (uint32_t i = 0; i < o->u->live_count; i++)
        if (!o->placed[o->u->live[i]] && is_one(o->u, o->u->live[i])) place(o, o->u->live[i]);
}

static bool is_cold(const wx_unit *u, uint32_t func) { return u->cold && u->cold[func]; }
static bool ran(const wx_unit *u, uint32_t func) { return u->profiling.use && u->profiling.funcs[func].peak; }
static bool is_unknown(const wx_unit *u, uint32_t func) { return !is_cold(u, func); }

static void push(order *o, uint32_t func) {
    if (o->depth == o->cap) {
        o->cap = o->cap ? 2 * o->cap : 64;
        o->stack = wx_xrealloc(o->stack, o->cap * sizeof *o->stack);
    }
    o->stack[o->depth++] = func;
}

static void follow(order *o, uint32_t from, uint32_t to) {
    const wx_unit *u = o->u;
    if (u->m->funcs[to].import != WX_NO_INDEX || o->placed[to] || !ran(u, to)) return;
    if (u->profiling.funcs[to].peak >= u->profiling.funcs[from].peak / FOLLOWED) push(o, to);
}

static void follow_targets(order *o, uint32_t func) {
    const wx_func_profile *f = &o->u->profiling.funcs[func];
    for (uint32_t i = 0; i < f->site_count; i++)
        for (uint32_t k = 0; f->sites[i].kind == WXRT_SITE_TARGETS && k < f->sites[i].count; k++)
            if (f->sites[i].counts[k].which != UINT32_MAX) follow(o, func, f->sites[i].counts[k].which);
}

static void follow_calls(order *o, uint32_t func) {
    size_t first = o->depth;
    wx_error none = {0};
    wx_reader r = wx_reader_make(o->u->m->funcs[func].code, &none);
    wx_skip_locals(&r);
    for (wx_instr in; !wx_reader_done(&r);) {
        wx_instr_read(&r, &in);
        if (in.op == WX_OP_CALL || in.op == WX_OP_RETURN_CALL) follow(o, func, in.a);
    }
    follow_targets(o, func);
    for (size_t low = first, high = o->depth; low + 1 < high; low++) { // what is called first is placed first
        uint32_t swapped = o->stack[low];
        o->stack[low] = o->stack[--high];
        o->stack[high] = swapped;
    }
}

static void place_with_callees(order *o, uint32_t func) {
    push(o, func);
    while (o->depth) {
        uint32_t next = o->stack[--o->depth];
        if (o->placed[next]) continue;
        place(o, next);
        follow_calls(o, next);
    }
}

static int by_peak(const void *a, const void *b) {
    const rank *x = a, *y = b;
    if (x->peak != y->peak) return x->peak > y->peak ? -1 : 1;
    return x->func < y->func ? -1 : x->func > y->func;
}

static void place_by_rank(order *o) {
    const wx_unit *u = o->u;
    rank *ranks = wx_xmalloc((u->live_count + 1) * sizeof *ranks);
    uint32_t n = 0;
    for (uint32_t i = 0; i < u->live_count; i++)
        if (ran(u, u->live[i])) ranks[n++] = (rank){u->live[i], u->profiling.funcs[u->live[i]].peak};
    if (n) qsort(ranks, n, sizeof *ranks, by_peak);
    for (uint32_t i = 0; i < n; i++) place_with_callees(o, ranks[i].func);
    free(ranks);
}

static void order_all(wx_unit *u) {
    order o = {.u = u, .placed = wx_xcalloc((size_t)u->m->func_count + 1, sizeof(bool))};
    u->order = WX_NEW_ARRAY(&u->arena, uint32_t, u->live_count);
    place_by_rank(&o);
    place_if(&o, is_unknown);
    place_if(&o, is_cold);
    free(o.placed);
    free(o.stack);
}

void wx_order_functions(wx_unit *u) {
    u->order = u->live;
    if (u->cold) order_all(u);
    u->place = WX_NEW_ARRAY(&u->arena, uint32_t, u->m->func_count);
    for (uint32_t i = 0; i < u->live_count; i++) u->place[u->order[i]] = i;
}
