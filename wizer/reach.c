// wizer/reach.c: what of a module an instance that starts from the snapshot can still reach.
//
// in: the module, its state. out: s->reach, and null in entries of tables that no call can reach. From exports, through
// bodies, tables and segments, until nothing new comes up. A table that only call_indirect uses is reached one
// signature at a time; anything else that reads its elements reaches all of them.
#include <string.h>

#include "wizer/wizer.h"

typedef struct scan {
    wx_snapshot *s;
    const wx_module *m;
    wx_reach *reach;
    uint64_t *queue; // space << 32 | index: what is in use and still to be looked into
    uint32_t head, tail;
    bool *opened;    // per table: all elements count
    uint32_t **lists; // per table, once asked for: pairs of a function and the place of the next of its type, from 1
    wx_map heads;    // table << 32 | canonical type: where such a list begins
    wx_map called;   // table << 32 | canonical type: calls of this type through this table
} scan;

static void visit(void *arg, wx_space space, uint32_t index);

static bool mark(scan *c, wx_space space, uint32_t index) {
    bool *used = &c->reach->used[space][index];
    if (*used) return false;
    return *used = true;
}

// ---- Types: a recursion group is one thing, and brings what its members name

static void visit_list(scan *c, const wx_type *types, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) wx_type_visit(types[i], visit, c);
}

static void visit_definition(scan *c, const wx_typedef *t) {
    if (t->super != WX_NO_INDEX) visit(c, WX_SPACE_TYPE, t->super);
    visit_list(c, t->params, t->param_count);
    visit_list(c, t->results, t->result_count);
    for (uint32_t i = 0; i < t->field_count; i++) wx_type_visit(t->fields[i].type, visit, c);
}

static void reach_type(scan *c, uint32_t index) {
    const wx_typedef *first = &c->m->types[c->m->types[index].group];
    for (uint32_t i = 0; i < first->group_size; i++) mark(c, WX_SPACE_TYPE, first->group + i);
    for (uint32_t i = 0; i < first->group_size; i++) visit_definition(c, &c->m->types[first->group + i]);
}

// ---- Tables

static uint64_t key(uint32_t table, uint32_t canon) { return ((uint64_t)table << 32 | canon) + 1; }

static uint32_t canon_of(const scan *c, uint32_t func) { return c->m->types[c->m->funcs[func].type].canon; }

// A list for each type, so that however many types are called, every entry is looked at once.
static void list_entries(scan *c, uint32_t table) {
    const wx_table_state *t = &c->s->state.tables[table];
    size_t count = 0;
    for (uint64_t k = 0; k < t->size; k++) count += t->refs[k] != WX_NULL_REF;
    uint32_t *list = c->lists[table] = wx_arena_array(&c->s->arena, 2 * count + 2, sizeof *list), n = 0;
    for (uint64_t k = 0; k < t->size; k++) {
        if (t->refs[k] == WX_NULL_REF) continue;
        uint64_t *head = wx_map_put(&c->heads, key(table, canon_of(c, t->refs[k])), NULL);
        list[2 * ++n] = t->refs[k];
        list[2 * n + 1] = (uint32_t)*head;
        *head = n;
    }
}

static void reach_all_entries(scan *c, uint32_t table) {
    const wx_table_state *t = &c->s->state.tables[table];
    for (uint64_t k = 0; k < t->size; k++)
        if (t->refs[k] != WX_NULL_REF) visit(c, WX_SPACE_FUNC, t->refs[k]);
}

static void reach_entries(scan *c, uint32_t table, uint32_t canon) {
    if (!c->lists[table]) list_entries(c, table);
    const uint64_t *head = wx_map_get(&c->heads, key(table, canon));
    for (uint64_t at = head ? *head : 0; at; at = c->lists[table][2 * at + 1])
        visit(c, WX_SPACE_FUNC, c->lists[table][2 * at]);
}

static void open_table(scan *c, uint32_t table) {
    visit(c, WX_SPACE_TABLE, table);
    if (c->opened[table]) return;
    c->opened[table] = true;
    reach_all_entries(c, table);
}

static void call_through(scan *c, uint32_t table, uint32_t type) {
    int fresh;
    const wx_typedef *t = &c->m->types[type];
    if (!t->final || t->super != WX_NO_INDEX) {
        open_table(c, table); // subtypes may be called as well
        return;
    }
    wx_map_put(&c->called, key(table, t->canon), &fresh);
    if (fresh && !c->opened[table]) reach_entries(c, table, t->canon);
}

static bool is_reachable_entry(scan *c, uint32_t table, uint32_t func) {
    return c->opened[table] || wx_map_get(&c->called, key(table, canon_of(c, func)));
}

static void clear_entries(scan *c) {
    for (uint32_t i = 0; i < c->m->table_count; i++) {
        wx_table_state *t = &c->s->state.tables[i];
        // A type without null has no other value.
        bool fixed = !wx_is_nullable(c->m->tables[i].type) || c->s->options->keep_all;
        for (uint64_t k = 0; k < t->size; k++) {
            if (t->refs[k] == WX_NULL_REF) continue;
            if (!fixed && !is_reachable_entry(c, i, t->refs[k])) t->refs[k] = WX_NULL_REF;
        }
    }
}

// ---- Everything else

static void visit_expr(scan *c, wx_expr expr) {
    wx_error none = {0};
    wx_reader r = wx_reader_make(expr, &none);
    for (wx_instr in; !wx_reader_done(&r);) {
        wx_instr_read(&r, &in);
        wx_instr_visit(&in, visit, c);
    }
}

static void reach_global(scan *c, uint32_t index) {
    const wx_global_state *state = &c->s->state.globals[index];
    wx_type_visit(c->m->globals[index].type, visit, c);
    if (state->keep_expr) visit_expr(c, c->m->globals[index].init);
    else if (state->func != WX_NULL_REF) visit(c, WX_SPACE_FUNC, state->func);
}

static void reach_table(scan *c, uint32_t index) {
    const wx_table *t = &c->m->tables[index];
    wx_type_visit(t->type, visit, c);
    if (t->init.len) visit_expr(c, t->init);
    if (!wx_is_nullable(t->type)) open_table(c, index);
}

static void reach_elem(scan *c, uint32_t index) {
    const wx_elem *e = &c->m->elems[index];
    wx_type_visit(e->type, visit, c);
    if (c->s->state.elem_empty[index]) return;
    for (uint32_t k = 0; k < e->count; k++) {
        if (e->funcs) visit(c, WX_SPACE_FUNC, e->funcs[k]);
        else visit_expr(c, e->exprs[k]);
    }
}

// What is found waits in a queue, so that no chain of references is too long for the stack.
static void visit(void *arg, wx_space space, uint32_t index) {
    scan *c = arg;
    if (mark(c, space, index)) c->queue[c->tail++] = (uint64_t)space << 32 | index;
}

static void visit_instr(scan *c, const wx_instr *in) {
    wx_instr_visit(in, visit, c);
    switch (in->op) {
    case WX_OP_CALL_INDIRECT: case WX_OP_RETURN_CALL_INDIRECT: call_through(c, in->b, in->a); break;
    case WX_OP_TABLE_GET: open_table(c, in->a); break;
    case WX_OP_TABLE_COPY: open_table(c, in->a), open_table(c, in->b); break;
    case WX_OP_REF_FUNC: c->reach->declared[in->a] = true; break;
    default: break;
    }
}

static void read_body(scan *c, uint32_t func) {
    const wx_func *f = &c->m->funcs[func];
    visit(c, WX_SPACE_TYPE, f->type);
    if (f->import != WX_NO_INDEX) return;
    wx_error none = {0};
    wx_reader r = wx_reader_make(f->code, &none);
    uint32_t groups = wx_read_u32(&r);
    for (uint32_t i = 0; i < groups; i++) wx_read_u32(&r), wx_type_visit(wx_read_value_type(&r), visit, c);
    for (wx_instr in; !wx_reader_done(&r);) {
        wx_instr_read(&r, &in);
        visit_instr(c, &in);
    }
}

static void look_into(scan *c, wx_space space, uint32_t index) {
    switch (space) {
    case WX_SPACE_FUNC: read_body(c, index); break;
    case WX_SPACE_TYPE: reach_type(c, index); break;
    case WX_SPACE_GLOBAL: reach_global(c, index); break;
    case WX_SPACE_TABLE: reach_table(c, index); break;
    case WX_SPACE_ELEM: reach_elem(c, index); break;
    case WX_SPACE_TAG: visit(c, WX_SPACE_TYPE, c->m->tags[index].type); break;
    default: break;
    }
}

static uint32_t count_of(const wx_module *m, wx_space space) {
    const uint32_t counts[WX_SPACES] = {m->type_count, m->func_count, m->table_count, m->memory_count, m->global_count,
                                        m->tag_count, m->elem_count, m->data_count};
    return counts[space];
}

static void visit_roots(scan *c) {
    static const wx_space spaces[] = {WX_SPACE_FUNC, WX_SPACE_TABLE, WX_SPACE_MEMORY, WX_SPACE_GLOBAL, WX_SPACE_TAG};
    for (uint32_t i = 0; i < c->m->export_count; i++) {
        const wx_export *x = &c->m->exports[i];
        if (!wx_export_stays(c->s, x)) continue;
        visit(c, spaces[x->kind], x->index);
        if (x->kind == WX_EXTERN_TABLE) open_table(c, x->index);
    }
    for (uint32_t i = 0; i < c->m->tag_count; i++) visit(c, WX_SPACE_TAG, i);
}

// Segments that were declared or active mean nothing any more unless code names them.
static bool is_kept_anyway(const scan *c, wx_space space, uint32_t index) {
    if (space == WX_SPACE_ELEM) return c->m->elems[index].mode == WX_PASSIVE;
    if (space == WX_SPACE_DATA) return c->m->datas[index].mode == WX_PASSIVE;
    return true;
}

static void visit_everything(scan *c) {
    for (int space = 0; space < WX_SPACES; space++)
        for (uint32_t i = 0; i < count_of(c->m, (wx_space)space); i++)
            if (is_kept_anyway(c, (wx_space)space, i)) visit(c, (wx_space)space, i);
}

void wx_find_reach(wx_snapshot *s) {
    wx_reach *reach = s->reach = WX_NEW(&s->arena, wx_reach);
    scan c = {.s = s, .m = &s->m, .reach = reach};
    size_t total = 0;
    for (int i = 0; i < WX_SPACES; i++) {
        uint32_t count = count_of(c.m, (wx_space)i);
        reach->used[i] = WX_NEW_ARRAY(&s->arena, bool, count);
        total += count;
    }
    reach->declared = WX_NEW_ARRAY(&s->arena, bool, c.m->func_count);
    c.queue = WX_NEW_ARRAY(&s->arena, uint64_t, total);
    c.opened = WX_NEW_ARRAY(&s->arena, bool, c.m->table_count);
    c.lists = WX_NEW_ARRAY(&s->arena, uint32_t *, c.m->table_count);
    visit_roots(&c);
    if (s->options->keep_all) visit_everything(&c);
    for (; c.head < c.tail; c.head++) look_into(&c, (wx_space)(c.queue[c.head] >> 32), (uint32_t)c.queue[c.head]);
    clear_entries(&c);
    wx_map_free(&c.called);
    wx_map_free(&c.heads);
}
