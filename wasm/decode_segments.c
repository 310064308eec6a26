// wasm/decode_segments.c: element segments, data segments, and where the bodies are.
//
// in: a reader of one section. out: m->elems, m->datas, and code, local_groups and local_count of each function.
#include "wasm/decode.h"

// Flags of an element segment.
enum { PASSIVE_OR_DECLARED = 1, EXPLICIT = 2, EXPRESSIONS = 4 }; // EXPLICIT: a table index, or "declared"

static void read_elem_funcs(wx_module *m, wx_reader *r, wx_elem *e) {
    e->count = wx_read_count(r, 1);
    uint32_t *funcs = WX_NEW_ARRAY(&m->arena, uint32_t, e->count);
    for (uint32_t i = 0; i < e->count && wx_reader_ok(r); i++) {
        funcs[i] = wx_read_u32(r);
        if (funcs[i] < m->func_count) m->funcs[funcs[i]].is_ref = true;
    }
    e->funcs = funcs;
}

static void read_elem_exprs(wx_module *m, wx_reader *r, wx_elem *e) {
    e->count = wx_read_count(r, 1);
    wx_expr *exprs = WX_NEW_ARRAY(&m->arena, wx_expr, e->count);
    for (uint32_t i = 0; i < e->count && wx_reader_ok(r); i++) exprs[i] = wx_decode_expr(m, r);
    e->exprs = exprs;
}

// The type of the elements: given where something else was explicit too.
static wx_type read_elem_type(wx_module *m, wx_reader *r, uint32_t flags) {
    bool given = flags & (PASSIVE_OR_DECLARED | EXPLICIT);
    if (flags & EXPRESSIONS) {
        wx_type t = given ? wx_read_ref_type(r) : WX_FUNCREF;
        wx_note_type(m, t);
        return t;
    }
    if (given && wx_read_u8(r) != 0) wx_reader_fail(r, WX_ERR_MALFORMED, "malformed elements segment kind");
    return WX_REF(false, WX_HEAP_FUNC);
}

static void read_elem(wx_module *m, wx_reader *r, wx_elem *e) {
    uint32_t flags = wx_read_u32(r);
    if (flags > 7) wx_reader_fail(r, WX_ERR_MALFORMED, "malformed elements segment kind %u", flags);
    if (flags) m->features |= WX_FEATURE_BIT(BULK);
    e->mode = !(flags & PASSIVE_OR_DECLARED) ? WX_ACTIVE : flags & EXPLICIT ? WX_DECLARED : WX_PASSIVE;
    if (e->mode == WX_ACTIVE) {
        if (flags & EXPLICIT) e->table = wx_read_u32(r);
        e->offset = wx_decode_expr(m, r);
    }
    e->type = read_elem_type(m, r, flags);
    if (flags & EXPRESSIONS) read_elem_exprs(m, r, e);
    else read_elem_funcs(m, r, e);
}

void wx_decode_elems(wx_module *m, wx_reader *r) {
    uint32_t n = wx_read_count(r, 3);
    m->elems = WX_NEW_ARRAY(&m->arena, wx_elem, n);
    for (uint32_t i = 0; i < n && wx_reader_ok(r); i++, m->elem_count++) read_elem(m, r, &m->elems[i]);
}

// Flags: 0 active in memory 0, 1 passive, 2 active in a memory given.
static void read_data(wx_module *m, wx_reader *r, wx_data *d) {
    uint32_t flags = wx_read_u32(r);
    if (flags > 2) wx_reader_fail(r, WX_ERR_MALFORMED, "malformed data segment kind %u", flags);
    if (flags == 1) m->features |= WX_FEATURE_BIT(BULK);
    d->mode = flags == 1 ? WX_PASSIVE : WX_ACTIVE;
    if (flags == 2) d->memory = wx_read_u32(r);
    if (d->mode == WX_ACTIVE) d->offset = wx_decode_expr(m, r);
    d->bytes = wx_read_bytes(r, wx_read_u32(r));
}

void wx_decode_datas(wx_module *m, wx_reader *r) {
    uint32_t n = wx_read_count(r, 2);
    m->datas = WX_NEW_ARRAY(&m->arena, wx_data, n);
    for (uint32_t i = 0; i < n && wx_reader_ok(r); i++, m->data_count++) read_data(m, r, &m->datas[i]);
}

static void read_locals(wx_module *m, wx_reader *r, wx_func *f) {
    uint64_t total = 0, at = wx_reader_offset(r);
    f->local_groups = wx_read_count(r, 2);
    for (uint32_t i = 0; i < f->local_groups && wx_reader_ok(r); i++) {
        total += wx_read_u32(r);
        wx_note_type(m, wx_read_value_type(r));
    }
    if (total > UINT32_MAX)
        wx_reader_fail_at(r, WX_ERR_MALFORMED, at, "too many locals: %llu", (unsigned long long)total);
    else if (total > WX_MAX_LOCALS)
        wx_reader_fail_at(r, WX_ERR_LIMIT, at, "too many locals: %llu, the limit is %u", (unsigned long long)total,
                          WX_MAX_LOCALS);
    f->local_count = (uint32_t)total;
}

void wx_decode_code(wx_module *m, wx_reader *r) {
    uint32_t n = wx_read_count(r, 2);
    if (wx_reader_ok(r) && n != m->func_count - m->func_imports)
        wx_reader_fail(r, WX_ERR_MALFORMED, "function and code section have inconsistent lengths: %u and %u",
                       m->func_count - m->func_imports, n);
    for (uint32_t i = m->func_imports; i < m->func_count && wx_reader_ok(r); i++) {
        wx_func *f = &m->funcs[i];
        f->code = wx_read_bytes(r, wx_read_u32(r));
        wx_reader body = wx_reader_make(f->code, r->err);
        read_locals(m, &body, f);
        if (!wx_reader_ok(r)) r->err->func = i;
    }
}
