// compiler/cold.c: which functions are cold: compiled cheaply with --hot-only, and kept apart from what runs.
//
// in: the profile, or without one the calls between functions   out: u->cold
// With a profile: what it knows and never saw run. Without: what runs a few times at the start and never again. That is
// a function without loops whose only callers are such functions, outside of their loops, or nobody but the host at the
// start (`_start`, `_initialize`, the start function). Everything else that can be called from outside or through a
// reference may run at any time.
#include <stdio.h>
#include <string.h>

#include "compiler/unit.h"

#define MOST_RUNS 16 // of a function at the start, by the static count

static void find_by_profile(wx_unit *u) {
    for (uint32_t i = 0; i < u->live_count; i++) {
        const wx_func_profile *f = &u->profiling.funcs[u->live[i]];
        u->cold[u->live[i]] = f->known && !f->peak;
    }
}

// ---- Without a profile: functions in the order of calls, callers first; those in cycles are never reached

typedef struct calls {
    wx_unit *u;
    uint32_t *left;  // per function: calls of it that are not known to run but a few times
    uint32_t *runs;  // of those that are, at most MOST_RUNS + 1
    bool *loops;     // it has one
    uint32_t *queue, head, tail;
} calls;

typedef void visit_call(calls *c, uint32_t from, uint32_t to, bool in_loop);

// Whether code at this place runs again and again: the blocks that are open, and how many are loops.
typedef struct nesting { wx_buf blocks; uint32_t loops; } nesting;

static void follow(nesting *n, const wx_instr *in) {
    switch (in->op) {
    case WX_OP_BLOCK: case WX_OP_IF: wx_buf_byte(&n->blocks, 0); break;
    case WX_OP_LOOP: wx_buf_byte(&n->blocks, 1), n->loops++; break;
    case WX_OP_END: if (n->blocks.len) n->loops -= n->blocks.data[--n->blocks.len]; break;
    default: break;
    }
}

static void each_call(calls *c, uint32_t func, visit_call *visit) {
    const wx_module *m = c->u->m;
    nesting n = {0};
    wx_error none = {0};
    wx_reader r = wx_reader_make(m->funcs[func].code, &none);
    wx_skip_locals(&r);
    for (wx_instr in; !wx_reader_done(&r);) {
        wx_instr_read(&r, &in);
        follow(&n, &in);
        if (in.op == WX_OP_LOOP) c->loops[func] = true;
        bool calls = in.op == WX_OP_CALL || in.op == WX_OP_RETURN_CALL;
        if (calls && m->funcs[in.a].import == WX_NO_INDEX) visit(c, func, in.a, n.loops > 0);
    }
    wx_buf_free(&n.blocks);
}

static void count_call(calls *c, uint32_t from, uint32_t to, bool in_loop) {
    (void)from, (void)in_loop;
    c->left[to]++;
}

static void run_call(calls *c, uint32_t from, uint32_t to, bool in_loop) {
    if (in_loop) return;
    c->runs[to] += c->runs[from];
    if (c->runs[to] > MOST_RUNS) c->runs[to] = MOST_RUNS + 1;
    if (!--c->left[to] && c->runs[to] <= MOST_RUNS) c->queue[c->tail++] = to;
}

static bool is_called_at_start(wx_name name) {
    static const char *const names[] = {"_start", "_initialize", "__wasm_call_ctors"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (name.len == strlen(names[i]) && !memcmp(name.ptr, names[i], name.len)) return true;
    return false;
}

// Calls that no body makes, which are never taken off again.
static void add_outside(calls *c) {
    const wx_module *m = c->u->m;
    for (uint32_t i = 0; i < m->func_count; i++) c->left[i] += c->u->facts.funcs[i].referenced;
    for (uint32_t i = 0; i < m->export_count; i++) {
        const wx_export *x = &m->exports[i];
        if (x->kind == WX_EXTERN_FUNC && !is_called_at_start(x->name)) c->left[x->index]++;
    }
    for (uint32_t i = 0; i < m->table_count; i++) {
        const wx_table_facts *t = &c->u->facts.tables[i];
        for (uint64_t k = 0; t->constant && k < m->tables[i].limits.min; k++)
            if (t->image[k] != UINT32_MAX) c->left[t->image[k]]++;
    }
}

static void find_by_calls(wx_unit *u) {
    uint32_t n = u->m->func_count;
    wx_arena arena = {0};
    calls c = {.u = u, .left = WX_NEW_ARRAY(&arena, uint32_t, n), .runs = WX_NEW_ARRAY(&arena, uint32_t, n),
               .loops = WX_NEW_ARRAY(&arena, bool, n), .queue = WX_NEW_ARRAY(&arena, uint32_t, n)};
    for (uint32_t i = 0; i < u->live_count; i++) each_call(&c, u->live[i], count_call);
    add_outside(&c);
    for (uint32_t i = 0; i < u->live_count; i++) {
        if (c.left[u->live[i]]) continue;
        c.runs[u->live[i]] = 1;
        c.queue[c.tail++] = u->live[i];
    }
    while (c.head < c.tail) {
        uint32_t func = c.queue[c.head++];
        u->cold[func] = !c.loops[func];
        each_call(&c, func, run_call);
    }
    wx_arena_free(&arena);
}

void wx_find_cold(wx_unit *u) {
    if (u->lazy || (!u->profiling.use && !u->options->hot_only)) return;
    u->cold = WX_NEW_ARRAY(&u->arena, bool, u->m->func_count);
    if (!u->profiling.use) find_by_calls(u);
    else if (u->profiling.total_count) find_by_profile(u); // it ran at all
}

void wx_report_cold(const wx_unit *u, uint64_t cheap_bytes, double cheap_seconds, double seconds, wasmx_output *out) {
    size_t used = strlen(out->note);
    if (*u->profiling.note)
        snprintf(out->note + used, sizeof out->note - used, "%s%s", used ? "; " : "", u->profiling.note);
    for (uint32_t i = 0; i < u->live_count; i++) {
        uint64_t bytes = u->m->funcs[u->live[i]].code.len;
        out->code_bytes += bytes;
        if (!u->cold || !u->cold[u->live[i]]) continue;
        out->cold_functions++;
        out->cold_bytes += bytes;
    }
    if (!cheap_bytes || out->code_bytes == cheap_bytes) return;
    double pace = (seconds - cheap_seconds) / (double)(out->code_bytes - cheap_bytes);
    out->cold_seconds = cheap_seconds;
    out->saved_seconds = pace * (double)cheap_bytes - cheap_seconds;
}
