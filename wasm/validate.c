// wasm/validate.c: the module as a whole; bodies in parallel.
//
// in: a decoded module. out: the fields marked (validation) in module.h and types.h, or the first error.
// allocates from: m->arena for what the module keeps, the heap for checkers.
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "wasm/validate.h"

static bool invalid(wx_error *e, const char *what, uint32_t index) {
    return wx_fail(e, WX_ERR_INVALID, "unknown %s %u", what, index);
}

static bool check_func_type(const wx_module *m, uint32_t type, wx_error *e) {
    if (type >= m->type_count) return invalid(e, "type", type);
    return m->types[type].kind == WX_KIND_FUNC ||
           wx_fail(e, WX_ERR_INVALID, "type mismatch: type %u is not a function type", type);
}

static bool check_funcs(const wx_module *m, wx_error *e) {
    for (uint32_t i = 0; i < m->func_count; i++)
        if (!check_func_type(m, m->funcs[i].type, e)) return false;
    return true;
}

static bool check_tags(const wx_module *m, wx_error *e) {
    for (uint32_t i = 0; i < m->tag_count; i++) {
        if (!check_func_type(m, m->tags[i].type, e)) return false;
        if (m->types[m->tags[i].type].result_count)
            return wx_fail(e, WX_ERR_INVALID, "non-empty tag result type: tag %u", i);
    }
    return true;
}

static bool check_limits(const wx_limits *l, uint64_t most, const char *message, wx_error *e) {
    if (l->min > most || (l->has_max && l->max > most)) return wx_fail(e, WX_ERR_INVALID, "%s", message);
    return l->min <= l->max || wx_fail(e, WX_ERR_INVALID, "size minimum must not be greater than maximum");
}

static bool check_table(wx_checker *c, const wx_table *t, wx_error *e) {
    if (!wx_type_known(c->m, t->type)) return invalid(e, "type", wx_low(t->type));
    uint64_t most = t->limits.is64 ? UINT64_MAX : UINT32_MAX;
    if (!check_limits(&t->limits, most, "table size must be at most 2^32-1", e)) return false;
    if (t->init.len) return wx_check_const(c, t->init, t->type, c->m->global_imports);
    return wx_has_default(t->type) || t->import != WX_NO_INDEX ||
           wx_fail(e, WX_ERR_INVALID, "type mismatch: a table of non-nullable references needs an initial value");
}

static bool check_tables(wx_checker *c, wx_error *e) {
    for (uint32_t i = 0; i < c->m->table_count; i++)
        if (!check_table(c, &c->m->tables[i], e)) return false;
    return true;
}

static bool check_memories(const wx_module *m, wx_error *e) {
    for (uint32_t i = 0; i < m->memory_count; i++) {
        const wx_limits *l = &m->memories[i].limits;
        const char *message =
            l->is64 ? "memory size must be at most 2^48 pages" : "memory size must be at most 65536 pages (4GiB)";
        if (!check_limits(l, l->is64 ? UINT64_C(1) << 48 : 65536, message, e)) return false;
        if (l->shared && !l->has_max) return wx_fail(e, WX_ERR_INVALID, "shared memory must have maximum");
    }
    return true;
}

static bool check_globals(wx_checker *c, wx_error *e) {
    for (uint32_t i = 0; i < c->m->global_count; i++) {
        const wx_global *g = &c->m->globals[i];
        if (!wx_type_known(c->m, g->type)) return invalid(e, "type", wx_low(g->type));
        if (g->import == WX_NO_INDEX && !wx_check_const(c, g->init, g->type, i)) return false;
    }
    return true;
}

// Exports: every index known, every name once. Names are compared in sorted order, not by a hash that a module could
// be made to defeat.

static int compare_exports(const void *a, const void *b) {
    const wx_export *x = *(const wx_export *const *)a, *y = *(const wx_export *const *)b;
    uint32_t len = x->name.len < y->name.len ? x->name.len : y->name.len;
    int order = memcmp(x->name.ptr, y->name.ptr, len);
    if (order) return order;
    return x->name.len != y->name.len ? (x->name.len > y->name.len) - (x->name.len < y->name.len) : (x > y) - (x < y);
}

static bool same_name(wx_name a, wx_name b) { return a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0; }

static bool check_export_names(const wx_module *m, wx_error *e) {
    const wx_export **sorted = wx_xmalloc(m->export_count * sizeof *sorted), *twice = NULL;
    for (uint32_t i = 0; i < m->export_count; i++) sorted[i] = &m->exports[i];
    qsort(sorted, m->export_count, sizeof *sorted, compare_exports);
    for (uint32_t i = 1; i < m->export_count; i++)
        if (same_name(sorted[i - 1]->name, sorted[i]->name) && (!twice || sorted[i] < twice)) twice = sorted[i];
    free(sorted);
    if (!twice) return true;
    return wx_fail(e, WX_ERR_INVALID, "duplicate export name \"%.*s\"",
                   (int)(twice->name.len < 64 ? twice->name.len : 64), twice->name.ptr);
}

static bool check_exports(const wx_module *m, wx_error *e) {
    static const char *const names[] = {"function", "table", "memory", "global", "tag"};
    const uint32_t counts[] = {m->func_count, m->table_count, m->memory_count, m->global_count, m->tag_count};
    for (uint32_t i = 0; i < m->export_count; i++)
        if (m->exports[i].index >= counts[m->exports[i].kind])
            return invalid(e, names[m->exports[i].kind], m->exports[i].index);
    return check_export_names(m, e);
}

static bool check_start(const wx_module *m, wx_error *e) {
    if (m->start == WX_NO_INDEX) return true;
    if (m->start >= m->func_count) return invalid(e, "function", m->start);
    const wx_typedef *t = wx_func_type(m, m->start);
    return t->param_count + t->result_count == 0 ||
           wx_fail(e, WX_ERR_INVALID, "start function %u has parameters or results", m->start);
}

// Segments

static bool check_elem_place(wx_checker *c, const wx_elem *s, wx_error *e) {
    if (s->mode != WX_ACTIVE) return true;
    if (s->table >= c->m->table_count) return invalid(e, "table", s->table);
    const wx_table *t = &c->m->tables[s->table];
    if (!wx_type_matches(c->m, s->type, t->type))
        return wx_fail(e, WX_ERR_INVALID, "type mismatch: an elem segment for table %u", s->table);
    return wx_check_const(c, s->offset, wx_address_type(&t->limits), c->m->global_count);
}

static bool check_elem(wx_checker *c, const wx_elem *s, wx_error *e) {
    if (!wx_type_known(c->m, s->type)) return invalid(e, "type", wx_low(s->type));
    if (!check_elem_place(c, s, e)) return false;
    for (uint32_t i = 0; i < s->count; i++) {
        if (s->funcs && s->funcs[i] >= c->m->func_count) return invalid(e, "function", s->funcs[i]);
        if (s->exprs && !wx_check_const(c, s->exprs[i], s->type, c->m->global_count)) return false;
    }
    return true;
}

static bool check_elems(wx_checker *c, wx_error *e) {
    for (uint32_t i = 0; i < c->m->elem_count; i++)
        if (!check_elem(c, &c->m->elems[i], e)) return false;
    return true;
}

static bool check_datas(wx_checker *c, wx_error *e) {
    for (uint32_t i = 0; i < c->m->data_count; i++) {
        const wx_data *d = &c->m->datas[i];
        if (d->mode != WX_ACTIVE) continue;
        if (d->memory >= c->m->memory_count) return invalid(e, "memory", d->memory);
        wx_type address = wx_address_type(&c->m->memories[d->memory].limits);
        if (!wx_check_const(c, d->offset, address, c->m->global_count)) return false;
    }
    return true;
}

// Bodies: chunks of neighbouring functions are jobs. The lowest chunk with an error wins, and a chunk stops at its
// first error, so the error reported is that of the lowest function whatever the threads do.

#define CHUNK_BYTES (256u << 10)
#define CHUNK_FUNCS 4096u

typedef struct bodies {
    wx_module *m;
    uint32_t *starts;       // chunk i is [starts[i], starts[i + 1])
    wx_error *errors;       // per chunk
    atomic_size_t failed;   // the lowest chunk with an error so far
    atomic_uint_fast64_t features;
} bodies;

static size_t cut_chunks(const wx_module *m, uint32_t *starts) {
    size_t chunks = 0, bytes = 0;
    for (uint32_t i = m->func_imports; i < m->func_count; i++) {
        bool full = chunks && (bytes >= CHUNK_BYTES || i - starts[chunks - 1] >= CHUNK_FUNCS);
        if (!chunks || full) starts[chunks++] = i, bytes = 0;
        bytes += m->funcs[i].code.len;
    }
    starts[chunks] = m->func_count;
    return chunks;
}

// Upper bound of what cut_chunks cuts.
static size_t chunk_bound(const wx_module *m) {
    return m->bytes.len / CHUNK_BYTES + (m->func_count - m->func_imports) / CHUNK_FUNCS + 2;
}

static void name_function(const wx_module *m, uint32_t func, wx_error *e) {
    wx_name name = m->funcs[func].name;
    size_t len = name.len < sizeof e->name ? name.len : sizeof e->name - 1;
    while (len < name.len && len && (name.ptr[len] & 0xc0) == 0x80) len--; // not in the middle of a character
    e->func = func;
    for (size_t i = 0; i < len; i++) e->name[i] = (unsigned char)name.ptr[i] < ' ' ? '?' : name.ptr[i];
    e->name[len] = 0;
}

static void note_failure(bodies *b, size_t chunk) {
    size_t lowest = atomic_load(&b->failed);
    while (chunk < lowest && !atomic_compare_exchange_weak(&b->failed, &lowest, chunk)) continue;
}

static void check_chunk(void *arg, size_t chunk) {
    bodies *b = arg;
    if (chunk > atomic_load(&b->failed)) return;
    wx_checker *c = wx_xmalloc(sizeof *c);
    memset(c, 0, sizeof *c);
    c->m = b->m;
    c->r.err = &b->errors[chunk];
    for (uint32_t i = b->starts[chunk]; i < b->starts[chunk + 1]; i++) {
        if (wx_check_func(c, i)) continue;
        name_function(b->m, i, c->r.err);
        note_failure(b, chunk);
        break;
    }
    atomic_fetch_or(&b->features, c->features);
    wx_checker_free(c);
    free(c);
}

static bool check_bodies(wx_module *m, unsigned threads, wx_error *e) {
    bodies b = {.m = m};
    atomic_init(&b.failed, SIZE_MAX);
    b.starts = wx_xmalloc((chunk_bound(m) + 1) * sizeof *b.starts);
    size_t chunks = cut_chunks(m, b.starts);
    b.errors = wx_xmalloc(chunks * sizeof *b.errors);
    memset(b.errors, 0, chunks * sizeof *b.errors);
    if (threads > 1 && chunks > 1) wx_parallel(threads, chunks, check_chunk, &b);
    else for (size_t i = 0; i < chunks; i++) check_chunk(&b, i);
    size_t failed = atomic_load(&b.failed);
    if (failed != SIZE_MAX) *e = b.errors[failed];
    m->features |= atomic_load(&b.features);
    free(b.errors);
    free(b.starts);
    return failed == SIZE_MAX;
}

static bool check_declarations(wx_module *m, wx_error *e) {
    wx_checker *c = wx_xmalloc(sizeof *c);
    memset(c, 0, sizeof *c);
    c->m = m;
    c->r.err = e;
    bool ok = check_funcs(m, e) && check_tags(m, e) && check_tables(c, e) && check_memories(m, e) &&
              check_globals(c, e) && check_exports(m, e) && check_start(m, e) && check_elems(c, e) && check_datas(c, e);
    m->features |= c->features;
    wx_checker_free(c);
    free(c);
    return ok;
}

bool wx_module_validate(wx_module *m, unsigned threads, wx_error *e) {
    m->table_written = WX_NEW_ARRAY(&m->arena, bool, m->table_count);
    m->memory_grown = WX_NEW_ARRAY(&m->arena, bool, m->memory_count);
    return e->code == WX_OK && wx_validate_types(m, e) && check_declarations(m, e) && check_bodies(m, threads, e);
}
