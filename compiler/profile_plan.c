// compiler/profile_plan.c: which counters --profile-generate makes: numbered over all live functions, and the table by
// which the runtime knows what each of them counts.
//
// in: live functions   out: u->profiling.funcs[].counter, site_table
#include "compiler/profile.h"

uint64_t wx_body_hash(const wx_func *f) { return wx_hash64(f->code.ptr, f->code.len, 0); }

uint64_t wx_site_words(const wx_instr *in, wxrt_site *kind) {
    switch (in->op) {
    case WX_OP_LOOP: *kind = WXRT_SITE_LOOP; return 1;
    case WX_OP_IF: case WX_OP_BR_IF: case WX_OP_BR_ON_NULL: case WX_OP_BR_ON_NON_NULL: case WX_OP_BR_ON_CAST:
    case WX_OP_BR_ON_CAST_FAIL:
        *kind = WXRT_SITE_BRANCH;
        return 2;
    case WX_OP_BR_TABLE: *kind = WXRT_SITE_SWITCH; return (uint64_t)in->labels.count + 1;
    case WX_OP_CALL_INDIRECT: case WX_OP_RETURN_CALL_INDIRECT: case WX_OP_CALL_REF: case WX_OP_RETURN_CALL_REF:
        *kind = WXRT_SITE_TARGETS;
        return 2 * WXRT_TARGETS;
    default: return 0;
    }
}

typedef struct table { wx_buf rows; uint64_t sites, words, last; } table;

static void add_site(table *t, uint64_t at, wxrt_site kind, uint64_t words) {
    wx_buf_uleb(&t->rows, (at - t->last) * 8 + kind);
    if (kind == WXRT_SITE_SWITCH) wx_buf_uleb(&t->rows, words);
    t->last = at;
    t->sites++;
    t->words += words;
}

static void scan_body(table *t, const wx_func *f) {
    wx_error none = {0};
    wx_reader r = wx_reader_make(f->code, &none);
    wx_skip_locals(&r);
    add_site(t, 0, WXRT_SITE_ENTRY, 1);
    for (wx_instr in; !wx_reader_done(&r);) {
        wxrt_site kind;
        wx_instr_read(&r, &in);
        uint64_t words = wx_site_words(&in, &kind);
        if (words) add_site(t, in.at - f->code.offset, kind, words);
    }
}

void wx_plan_counters(wx_unit *u) {
    wx_profiling *p = &u->profiling;
    for (uint32_t i = 0; i < u->live_count; i++) {
        const wx_func *f = &u->m->funcs[u->live[i]];
        table t = {0};
        scan_body(&t, f);
        p->funcs[u->live[i]].counter = p->counter_count;
        p->counter_count += t.words;
        wx_buf_uleb(&p->site_table, u->live[i]);
        wx_buf_u64le(&p->site_table, wx_body_hash(f));
        wx_buf_uleb(&p->site_table, t.sites);
        wx_buf_add(&p->site_table, t.rows.data, t.rows.len);
        wx_buf_free(&t.rows);
    }
}
