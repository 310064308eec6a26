// compiler/placed.c: the descriptor of code on demand: plain memory with addresses in it.
//
// in: blobs   out: their bytes in the space, within reach of code   Functions are stubs; nothing is made for them.
#include "compiler/placed.h"

#include <stdlib.h>
#include <string.h>

#include "compiler/blob.h"
#include "compiler/startup.h"

typedef struct late { uint8_t *at; uint64_t to; } late; // an address of a string

typedef struct placing {
    wx_writer w;
    const wx_unit *u;
    wx_space *space;
    wx_placed *out;
    uint8_t **written; // by number
    uint32_t count, cap;
    wx_buf late;       // late[]
    bool full;
} placing;

// ---- References

static void *adapter(const placing *p, wx_adapter kind, uint32_t n) {
    return wx_stub_at(&p->space->stubs, wx_adapter_slot(p->u->m, kind, n));
}

static void *entry(const placing *p, uint32_t func) {
    const wx_module *m = p->u->m;
    if (m->funcs[func].import != WX_NO_INDEX) return adapter(p, WX_RELAY, func);
    return wx_stub_at(&p->space->stubs, p->u->facts.funcs[func].tail ? m->func_count + func : func);
}

static void *address_of(const placing *p, wx_ref to) {
    switch (to.kind) {
    case REF_BLOB: return p->written[to.n] + to.at;
    case REF_ENTRY: return entry(p, to.n);
    case REF_TAIL: return wx_stub_at(&p->space->stubs, to.n);
    case REF_THUNK: return adapter(p, WX_THUNK, to.n);
    case REF_TYPED: return adapter(p, WX_TYPED, to.n);
    case REF_CALLBACK: return adapter(p, WX_CALLBACK, to.n);
    case REF_UNKNOWN: return adapter(p, WX_UNKNOWN, 0);
    case REF_EMPTY: return adapter(p, WX_EMPTY, 0);
    case REF_INIT: return adapter(p, WX_INIT, 0);
    case REF_INIT_THUNK: return adapter(p, WX_INIT_THUNK, 0);
    case REF_TEXT_START: return p->space->base;
    case REF_TEXT_END: return p->space->code_end;
    case REF_MAP: return p->space->map;
    case REF_MAP_END: return p->space->map_end;
    case REF_NONE: case REF_STRING: case REF_COUNTERS: break; // late; objects only
    }
    return NULL;
}

static void set_pointer(placing *p, uint8_t *at, wx_ref to) {
    void *address = address_of(p, to);
    memcpy(at, &address, sizeof address);
    if (to.kind == REF_STRING) wx_buf_add(&p->late, &(late){at, to.at}, sizeof(late));
}

// ---- Blobs

static uint8_t *place(placing *p, const blob *b) {
    if (b->borrowed) return b->bytes.data;
    uint8_t *at = wx_space_data(p->space, b->bytes.len);
    if (!at) {
        p->full = true;
        return NULL;
    }
    memcpy(at, b->bytes.data, b->bytes.len);
    for (size_t i = 0; i < b->count; i++) set_pointer(p, at + b->pointers[i].at, b->pointers[i].to);
    return at;
}

static wx_ref put(wx_writer *w, const blob *b) {
    placing *p = (placing *)w;
    if (p->count == p->cap) {
        p->cap = p->cap ? 2 * p->cap : 64;
        p->written = wx_xrealloc(p->written, p->cap * sizeof *p->written);
    }
    uint8_t *at = p->written[p->count] = place(p, b);
    if (b->kind == BLOB_TYPE_IDS) p->out->type_ids = at;
    if (b->kind == BLOB_TABLE) p->out->tables[b->n] = at;
    if (b->kind == BLOB_DESCRIPTOR) p->out->module = (const void *)at;
    return (wx_ref){.kind = REF_BLOB, .n = p->count++};
}

static wx_ref init(wx_writer *w) {
    return (wx_ref){.kind = wx_startup_is_empty(((placing *)w)->u) ? REF_NONE : REF_INIT};
}

static void finish(wx_writer *w, const blob *strings) {
    placing *p = (placing *)w;
    uint8_t *base = place(p, strings);
    for (const late *l = (const void *)p->late.data; base && (const uint8_t *)l < p->late.data + p->late.len; l++) {
        void *address = base + l->to;
        memcpy(l->at, &address, sizeof address);
    }
}

bool wx_place_descriptor(wx_unit *u, wx_space *space, wx_placed *out, wx_error *e) {
    placing p = {.w = {put, init, finish}, .u = u, .space = space, .out = out};
    *out = (wx_placed){.tables = WX_NEW_ARRAY(&u->arena, void *, u->m->table_count + 1)};
    wx_describe(&p.w, u);
    free(p.written);
    wx_buf_free(&p.late);
    return !p.full || wx_fail(e, WX_ERR_BACKEND, "too much constant data");
}
