// wizer/output.c: the module that starts where the initialiser ended.
//
// in: the module, its state, what is in use. out: another wx_module of the same kind, and its bytes. Order everywhere
// as in the input; passive segments before what the state needs, so that a snapshot of the result is the result.
#include <stdlib.h>
#include <string.h>

#include "wasm/wasm.h"
#include "wizer/wizer.h"

typedef struct output {
    wx_snapshot *s;
    const wx_module *m; // the input
    wx_module out;
    wx_remap to;
    wx_buf scratch;
    bool *declared;     // functions of the input that ref.func may name in the result
    bool same_code;
} output;

#define ELEM_SEGMENTS 10000u // for one table; beyond, one segment with nulls in it

static wx_span keep_scratch(output *o) {
    return (wx_span){.ptr = wx_arena_dup(&o->s->arena, o->scratch.data, o->scratch.len), .len = o->scratch.len};
}

// ---- New numbers

// Numbers what is used from *next on; NULL when nothing changes.
static const uint32_t *number(output *o, wx_space space, uint32_t count, uint32_t *kept) {
    uint32_t *to = WX_NEW_ARRAY(&o->s->arena, uint32_t, count);
    uint32_t next = 0;
    for (uint32_t i = 0; i < count; i++) to[i] = o->s->reach->used[space][i] ? next++ : WX_NO_INDEX;
    *kept = next;
    return next == count ? NULL : to;
}

static void *copy_used(output *o, wx_space space, const void *items, size_t size, uint32_t count) {
    char *copy = wx_arena_array(&o->s->arena, count, size), *at = copy;
    for (uint32_t i = 0; i < count; i++) {
        if (!o->s->reach->used[space][i]) continue;
        memcpy(at, (const char *)items + i * size, size);
        at += size;
    }
    return copy;
}

#define TAKE(space, list, n) \
    (o->to.to[WX_SPACE_##space] = number(o, WX_SPACE_##space, o->m->n, &o->out.n), \
     o->out.list = copy_used(o, WX_SPACE_##space, o->m->list, sizeof *o->m->list, o->m->n))

static void take_used(output *o) {
    TAKE(TYPE, types, type_count);
    TAKE(FUNC, funcs, func_count);
    TAKE(TABLE, tables, table_count);
    TAKE(MEMORY, memories, memory_count);
    TAKE(GLOBAL, globals, global_count);
    TAKE(TAG, tags, tag_count);
}

static uint32_t func_to(const output *o, uint32_t func) { return wx_remap_index(&o->to, WX_SPACE_FUNC, func); }
static bool is_used(const output *o, wx_space space, uint32_t i) { return o->s->reach->used[space][i]; }

// ---- Types

static const wx_type *map_types(output *o, const wx_type *types, uint32_t count) {
    wx_type *to = WX_NEW_ARRAY(&o->s->arena, wx_type, count);
    for (uint32_t i = 0; i < count; i++) to[i] = wx_remap_type(&o->to, types[i]);
    return to;
}

static void map_typedef(output *o, wx_typedef *t) {
    wx_field *fields = WX_NEW_ARRAY(&o->s->arena, wx_field, t->field_count);
    for (uint32_t i = 0; i < t->field_count; i++) {
        fields[i] = t->fields[i];
        fields[i].type = wx_remap_type(&o->to, fields[i].type);
    }
    t->fields = fields;
    t->params = map_types(o, t->params, t->param_count);
    t->results = map_types(o, t->results, t->result_count);
    t->group = wx_remap_index(&o->to, WX_SPACE_TYPE, t->group);
    if (t->super != WX_NO_INDEX) t->super = wx_remap_index(&o->to, WX_SPACE_TYPE, t->super);
}

static void put_types(output *o) {
    if (!o->to.to[WX_SPACE_TYPE]) return;
    for (uint32_t i = 0; i < o->out.type_count; i++) map_typedef(o, &o->out.types[i]);
}

// ---- Imports: functions and tags. Imported memories, tables and globals have become the module's own.

static void put_imports(output *o) {
    wx_import *all = WX_NEW_ARRAY(&o->s->arena, wx_import, o->m->import_count);
    uint32_t n = 0, funcs = 0;
    for (uint32_t i = 0; i < o->m->import_count; i++) {
        wx_import x = o->m->imports[i];
        bool func = x.kind == WX_EXTERN_FUNC;
        if (x.kind != WX_EXTERN_TAG && (!func || !is_used(o, WX_SPACE_FUNC, x.index))) continue;
        if (func) x.index = func_to(o, x.index), funcs++;
        all[n++] = x;
    }
    o->out.imports = all;
    o->out.import_count = n;
    o->out.func_imports = funcs;
    o->out.table_imports = o->out.memory_imports = o->out.global_imports = 0;
}

static void put_exports(output *o) {
    static const wx_space spaces[] = {WX_SPACE_FUNC, WX_SPACE_TABLE, WX_SPACE_MEMORY, WX_SPACE_GLOBAL, WX_SPACE_TAG};
    wx_export *all = WX_NEW_ARRAY(&o->s->arena, wx_export, o->m->export_count);
    uint32_t n = 0;
    for (uint32_t i = 0; i < o->m->export_count; i++) {
        const wx_export *x = &o->m->exports[i];
        if (!wx_export_stays(o->s, x)) continue;
        if (x->kind == WX_EXTERN_FUNC) o->declared[x->index] = true;
        uint32_t index = wx_remap_index(&o->to, spaces[x->kind], x->index);
        all[n++] = (wx_export){wx_export_name(o->s, x), x->kind, index};
    }
    o->out.exports = all;
    o->out.export_count = n;
}

// ---- Constant expressions

static void put_fixed(wx_buf *out, uint64_t bits, unsigned bytes) {
    for (unsigned i = 0; i < bytes; i++) wx_buf_byte(out, (uint8_t)(bits >> 8 * i));
}

static void put_number(wx_buf *out, wx_type type, const wasmx_value *v) {
    switch (type) {
    case WX_I32: wx_buf_byte(out, 0x41), wx_buf_sleb(out, v->i32); break;
    case WX_I64: wx_buf_byte(out, 0x42), wx_buf_sleb(out, v->i64); break;
    case WX_F32: wx_buf_byte(out, 0x43), put_fixed(out, v->words[0], 4); break;
    case WX_F64: wx_buf_byte(out, 0x44), put_fixed(out, v->words[0], 8); break;
    default: wx_buf_add(out, "\xfd\x0c", 2), wx_buf_add(out, v->v128.bytes, 16); break;
    }
}

static void put_ref(output *o, wx_buf *out, wx_type type, uint32_t func) {
    if (func == WX_NULL_REF) {
        wx_buf_byte(out, 0xd0);
        wx_put_heap(out, wx_heap_of(wx_remap_type(&o->to, type)));
    } else {
        wx_buf_byte(out, 0xd2);
        wx_buf_uleb(out, func_to(o, func));
        o->declared[func] = true;
    }
}

static void declare_expr(output *o, wx_expr expr) {
    wx_error none = {0};
    wx_reader r = wx_reader_make(expr, &none);
    for (wx_instr in; !wx_reader_done(&r);) {
        wx_instr_read(&r, &in);
        if (in.op == WX_OP_REF_FUNC) o->declared[in.a] = true;
    }
}

static wx_span map_expr(output *o, wx_expr expr) {
    o->scratch.len = 0;
    wx_remap_expr(&o->to, expr, &o->scratch);
    declare_expr(o, expr);
    return keep_scratch(o);
}

static wx_span address(output *o, const wx_limits *l, uint64_t at) {
    o->scratch.len = 0;
    wx_buf_byte(&o->scratch, l->is64 ? 0x42 : 0x41);
    wx_buf_sleb(&o->scratch, l->is64 ? (int64_t)at : (int32_t)at);
    wx_buf_byte(&o->scratch, 0x0b);
    return keep_scratch(o);
}

// ---- Memories, tables, globals

static void put_memories(output *o) {
    for (uint32_t i = 0; i < o->m->memory_count; i++) {
        if (!is_used(o, WX_SPACE_MEMORY, i)) continue;
        wx_memory *to = &o->out.memories[wx_remap_index(&o->to, WX_SPACE_MEMORY, i)];
        to->import = WX_NO_INDEX;
        to->limits.min = o->s->state.memories[i].bytes >> 16;
    }
}

// An initial element is needed only where there is no null.
static void put_tables(output *o) {
    for (uint32_t i = 0; i < o->m->table_count; i++) {
        if (!is_used(o, WX_SPACE_TABLE, i)) continue;
        wx_table *to = &o->out.tables[wx_remap_index(&o->to, WX_SPACE_TABLE, i)];
        to->import = WX_NO_INDEX;
        to->limits.min = o->s->state.tables[i].size;
        to->init = wx_is_nullable(to->type) ? (wx_span){0} : map_expr(o, to->init);
        to->type = wx_remap_type(&o->to, to->type);
    }
}

static wx_span global_expr(output *o, uint32_t i) {
    const wx_global *g = &o->m->globals[i];
    const wx_global_state *state = &o->s->state.globals[i];
    if (state->keep_expr) return map_expr(o, g->init);
    o->scratch.len = 0;
    if (wx_is_ref(g->type)) put_ref(o, &o->scratch, g->type, state->func);
    else put_number(&o->scratch, g->type, &state->value);
    wx_buf_byte(&o->scratch, 0x0b);
    return keep_scratch(o);
}

static void put_globals(output *o) {
    for (uint32_t i = 0; i < o->m->global_count; i++) {
        if (!is_used(o, WX_SPACE_GLOBAL, i)) continue;
        wx_global *to = &o->out.globals[wx_remap_index(&o->to, WX_SPACE_GLOBAL, i)];
        to->import = WX_NO_INDEX;
        to->init = global_expr(o, i);
        to->type = wx_remap_type(&o->to, to->type);
    }
}

// ---- Element segments: those that are left, an empty one for all of a type that are not, what tables hold, and the
// functions that code takes references to

static wx_elem *new_elem(output *o, wx_segment_mode mode, wx_type type) {
    wx_elem *e = &o->out.elems[o->out.elem_count++];
    *e = (wx_elem){.mode = mode, .type = type};
    return e;
}

static const uint32_t *map_funcs(output *o, const uint32_t *funcs, uint32_t count) {
    uint32_t *to = WX_NEW_ARRAY(&o->s->arena, uint32_t, count);
    for (uint32_t i = 0; i < count; i++) to[i] = func_to(o, funcs[i]), o->declared[funcs[i]] = true;
    return to;
}

static void keep_elem(output *o, const wx_elem *from) {
    wx_elem *e = new_elem(o, WX_PASSIVE, wx_remap_type(&o->to, from->type));
    wx_expr *exprs = from->funcs ? NULL : WX_NEW_ARRAY(&o->s->arena, wx_expr, from->count);
    e->count = from->count;
    if (from->funcs) e->funcs = map_funcs(o, from->funcs, from->count);
    for (uint32_t k = 0; exprs && k < from->count; k++) exprs[k] = map_expr(o, from->exprs[k]);
    e->exprs = exprs;
}

static uint32_t empty_elem(output *o, uint32_t first, wx_type type) {
    static const uint32_t none[1];
    type = wx_remap_type(&o->to, type);
    for (uint32_t i = first; i < o->out.elem_count; i++)
        if (o->out.elems[i].type == type) return i;
    wx_elem *e = new_elem(o, WX_PASSIVE, type);
    if (type == WX_REF(false, WX_HEAP_FUNC)) e->funcs = none;
    else e->exprs = WX_NEW(&o->s->arena, wx_expr);
    return o->out.elem_count - 1;
}

static void keep_elems(output *o, uint32_t *to) {
    for (uint32_t i = 0; i < o->m->elem_count; i++) {
        if (!is_used(o, WX_SPACE_ELEM, i) || o->s->state.elem_empty[i]) continue;
        to[i] = o->out.elem_count;
        keep_elem(o, &o->m->elems[i]);
    }
    uint32_t first = o->out.elem_count;
    for (uint32_t i = 0; i < o->m->elem_count; i++)
        if (is_used(o, WX_SPACE_ELEM, i) && o->s->state.elem_empty[i])
            to[i] = empty_elem(o, first, o->m->elems[i].type);
}

static uint32_t count_ref_runs(const wx_table_state *t) {
    uint32_t runs = 0;
    for (uint64_t k = 0; k < t->size; k++)
        runs += t->refs[k] != WX_NULL_REF && (!k || t->refs[k - 1] == WX_NULL_REF);
    return runs;
}

static void put_entries(output *o, uint32_t table, uint64_t from, uint64_t to, bool exprs) {
    const wx_table *t = &o->m->tables[table];
    const uint32_t *refs = o->s->state.tables[table].refs;
    wx_elem *e = new_elem(o, WX_ACTIVE, exprs ? wx_remap_type(&o->to, t->type) : WX_REF(false, WX_HEAP_FUNC));
    e->table = wx_remap_index(&o->to, WX_SPACE_TABLE, table);
    e->offset = address(o, &t->limits, from);
    e->count = (uint32_t)(to - from);
    if (!exprs) {
        e->funcs = map_funcs(o, refs + from, e->count);
        return;
    }
    wx_expr *all = WX_NEW_ARRAY(&o->s->arena, wx_expr, e->count);
    for (uint32_t k = 0; k < e->count; k++) {
        o->scratch.len = 0;
        put_ref(o, &o->scratch, t->type, refs[from + k]);
        wx_buf_byte(&o->scratch, 0x0b);
        all[k] = keep_scratch(o);
    }
    e->exprs = all;
}

static void put_table_contents(output *o, uint32_t table) {
    const wx_table_state *t = &o->s->state.tables[table];
    uint32_t runs = count_ref_runs(t);
    uint64_t at = 0, end = t->size;
    while (end && t->refs[end - 1] == WX_NULL_REF) end--;
    while (at < end) {
        while (t->refs[at] == WX_NULL_REF) at++;
        uint64_t stop = at;
        while (stop < end && (runs > ELEM_SEGMENTS || t->refs[stop] != WX_NULL_REF)) stop++;
        put_entries(o, table, at, stop, runs > ELEM_SEGMENTS || o->m->tables[table].type != WX_FUNCREF);
        at = stop;
    }
}

static void declare_rest(output *o) {
    uint32_t *funcs = WX_NEW_ARRAY(&o->s->arena, uint32_t, o->m->func_count), n = 0;
    for (uint32_t i = 0; i < o->m->func_count; i++)
        if (o->s->reach->declared[i] && !o->declared[i]) funcs[n++] = func_to(o, i);
    if (!n) return;
    wx_elem *e = new_elem(o, WX_DECLARED, WX_REF(false, WX_HEAP_FUNC));
    e->funcs = funcs;
    e->count = n;
}

static void put_elems(output *o) {
    uint32_t *to = WX_NEW_ARRAY(&o->s->arena, uint32_t, o->m->elem_count);
    size_t most = (size_t)o->m->elem_count + 1;
    for (uint32_t i = 0; i < o->m->table_count; i++)
        if (is_used(o, WX_SPACE_TABLE, i)) most += count_ref_runs(&o->s->state.tables[i]);
    o->out.elems = WX_NEW_ARRAY(&o->s->arena, wx_elem, most);
    o->out.elem_count = 0;
    keep_elems(o, to);
    for (uint32_t i = 0; i < o->m->table_count; i++)
        if (is_used(o, WX_SPACE_TABLE, i)) put_table_contents(o, i);
    declare_rest(o);
    o->to.to[WX_SPACE_ELEM] = to;
}

// ---- Data segments: those that are left, one empty one for all that are not, what memories hold

static void put_runs(output *o, uint32_t memory, const wx_runs *runs) {
    for (uint32_t i = 0; i < runs->count; i++) {
        wx_data *d = &o->out.datas[o->out.data_count++];
        *d = (wx_data){.mode = WX_ACTIVE, .memory = wx_remap_index(&o->to, WX_SPACE_MEMORY, memory)};
        d->offset = address(o, &o->m->memories[memory].limits, runs->items[i].at);
        d->bytes = (wx_span){.ptr = o->s->state.memories[memory].data + runs->items[i].at, .len = runs->items[i].size};
    }
}

static void keep_datas(output *o, uint32_t *to) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < o->m->data_count; i++) {
        if (!is_used(o, WX_SPACE_DATA, i) || o->s->state.data_empty[i]) continue;
        to[i] = n;
        o->out.datas[n++] = o->m->datas[i];
    }
    uint32_t empty = n;
    for (uint32_t i = 0; i < o->m->data_count; i++) {
        if (!is_used(o, WX_SPACE_DATA, i) || !o->s->state.data_empty[i]) continue;
        to[i] = empty;
        n = empty + 1;
        o->out.datas[empty] = (wx_data){.mode = WX_PASSIVE};
    }
    o->out.data_count = n;
}

static bool put_datas(output *o) {
    wx_snapshot *s = o->s;
    uint32_t *to = WX_NEW_ARRAY(&s->arena, uint32_t, o->m->data_count);
    wx_runs *runs = WX_NEW_ARRAY(&s->arena, wx_runs, o->m->memory_count);
    o->out.datas = WX_NEW_ARRAY(&s->arena, wx_data, (size_t)o->m->data_count + 1);
    keep_datas(o, to);
    uint32_t max = s->options->max_segments ? s->options->max_segments : 10000, kept = o->out.data_count;
    bool ok = wx_find_runs(s, max, kept, runs);
    size_t total = kept;
    for (uint32_t i = 0; i < o->m->memory_count; i++) total += runs[i].count;
    wx_data *all = WX_NEW_ARRAY(&s->arena, wx_data, ok ? total : 0);
    if (ok) memcpy(all, o->out.datas, kept * sizeof *all);
    if (ok) o->out.datas = all;
    for (uint32_t i = 0; i < o->m->memory_count; i++) {
        if (ok) put_runs(o, i, &runs[i]);
        free(runs[i].items);
    }
    o->to.to[WX_SPACE_DATA] = to;
    o->out.has_data_count = kept > 0;
    return ok;
}

// ---- Code

// Segments keep their numbers more often than not.
static void drop_identity(output *o, wx_space space, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        if (is_used(o, space, i) && o->to.to[space][i] != i) return;
    o->to.to[space] = NULL;
}

static bool is_identity(const output *o) {
    for (int i = 0; i < WX_SPACES; i++)
        if (o->to.to[i]) return false;
    return true;
}

static void put_body(output *o, const wx_func *from, wx_func *to) {
    o->scratch.len = 0;
    wx_remap_body(&o->to, from->code, &o->scratch);
    bool same = o->scratch.len == from->code.len && !memcmp(o->scratch.data, from->code.ptr, from->code.len);
    if (same) return;
    o->same_code = false;
    to->code = keep_scratch(o);
}

static void put_funcs(output *o) {
    drop_identity(o, WX_SPACE_ELEM, o->m->elem_count);
    drop_identity(o, WX_SPACE_DATA, o->m->data_count);
    o->same_code = o->out.func_count == o->m->func_count;
    bool identity = is_identity(o);
    for (uint32_t i = 0; i < o->m->func_count; i++) {
        if (!is_used(o, WX_SPACE_FUNC, i)) continue;
        wx_func *to = &o->out.funcs[func_to(o, i)];
        to->type = wx_remap_index(&o->to, WX_SPACE_TYPE, to->type);
        if (to->import == WX_NO_INDEX && !identity) put_body(o, &o->m->funcs[i], to);
    }
}

// ---- How large it has become

static void measure(const wx_module *m, uint64_t bytes, wasmx_snapshot_size *out) {
    *out = (wasmx_snapshot_size){.bytes = bytes, .functions = m->func_count - m->func_imports,
                                 .imports = m->import_count, .types = m->type_count,
                                 .globals = m->global_count, .data_segments = m->data_count,
                                 .elem_segments = m->elem_count};
    for (uint32_t i = 0; i < m->func_count; i++) out->code_bytes += m->funcs[i].code.len;
    for (uint32_t i = 0; i < m->data_count; i++) out->data_bytes += m->datas[i].bytes.len;
    for (uint32_t i = 0; i < m->custom_count; i++) out->custom_bytes += m->customs[i].bytes.len;
    for (uint32_t i = 0; i < m->memory_count; i++) out->pages += m->memories[i].limits.min;
    for (uint32_t i = 0; i < m->elem_count; i++)
        if (m->elems[i].mode == WX_ACTIVE) out->table_entries += m->elems[i].count;
}

bool wx_write_output(wx_snapshot *s, wx_buf *out) {
    output o = {.s = s, .m = &s->m, .out = s->m};
    o.declared = WX_NEW_ARRAY(&s->arena, bool, s->m.func_count);
    take_used(&o);
    put_types(&o);
    put_imports(&o);
    put_exports(&o);
    put_memories(&o);
    put_tables(&o);
    put_globals(&o);
    put_elems(&o);
    bool ok = put_datas(&o);
    put_funcs(&o);
    o.out.start = WX_NO_INDEX;
    for (uint32_t i = 0; i < o.out.tag_count; i++)
        o.out.tags[i].type = wx_remap_index(&o.to, WX_SPACE_TYPE, o.out.tags[i].type);
    wx_put_customs(s, &o.to, o.same_code, &o.out);
    if (ok) wx_module_encode(&o.out, out);
    measure(&s->m, s->bytes.len, &s->out->before);
    measure(&o.out, out->len, &s->out->after);
    wx_buf_free(&o.scratch);
    return ok;
}
