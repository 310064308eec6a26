// wasm/validate_values.c: parametric and variable instructions, tables and bulk memory (core 3.0, section 3.4).
#include "wasm/validate.h"

void wx_check_drop(wx_checker *c) { wx_pop_any(c); }

// Without a type: numbers and vectors only, and the same.
void wx_check_select(wx_checker *c) {
    wx_pop(c, WX_I32);
    wx_type b = wx_pop_any(c), a = wx_pop_any(c);
    char x[WX_TYPE_TEXT], y[WX_TYPE_TEXT];
    if (wx_is_ref(a) || wx_is_ref(b))
        wx_check_fail(c, "type mismatch: select without a type wants numbers, stack has %s and %s", wx_type_text(a, x),
                      wx_type_text(b, y));
    else if (a != b && a != WX_BOTTOM && b != WX_BOTTOM)
        wx_check_fail(c, "type mismatch: select between %s and %s", wx_type_text(a, x), wx_type_text(b, y));
    wx_push(c, a == WX_BOTTOM ? b : a);
}

void wx_check_select_t(wx_checker *c) {
    if (c->in.labels.count != 1) {
        wx_check_fail(c, "invalid result arity: select with %u types", c->in.labels.count);
        return;
    }
    if (!wx_type_check_known(c, c->in.type)) return;
    wx_pop(c, WX_I32);
    wx_pop(c, c->in.type);
    wx_pop(c, c->in.type);
    wx_push(c, c->in.type);
}

// Locals: those of a type without a default have to be set before they are read.

void wx_check_local_get(wx_checker *c) {
    wx_type t = wx_local_type(c, c->in.a);
    if (__builtin_expect(!wx_has_default(t), 0) && !c->is_set[c->in.a])
        wx_check_fail(c, "uninitialized local %u", c->in.a);
    wx_push(c, t);
}

static wx_type set_local(wx_checker *c) {
    wx_type t = wx_local_type(c, c->in.a);
    wx_pop(c, t);
    if (wx_has_default(t) || c->is_set[c->in.a]) return t;
    c->is_set[c->in.a] = 1;
    c->set_log[c->set_count++] = c->in.a;
    return t;
}

void wx_check_local_set(wx_checker *c) { set_local(c); }
void wx_check_local_tee(wx_checker *c) { wx_push(c, set_local(c)); }

void wx_check_global_get(wx_checker *c) {
    const wx_global *g = &c->m->globals[c->in.a];
    if (c->is_const && g->mutable) wx_check_fail(c, "constant expression required, not a mutable global");
    if (c->is_const && g->import == WX_NO_INDEX) c->features |= WX_FEATURE_BIT(EXTENDED_CONST);
    wx_push(c, g->type);
}

void wx_check_global_set(wx_checker *c) {
    wx_global *g = &c->m->globals[c->in.a];
    if (!g->mutable) wx_check_fail(c, "immutable global %u", c->in.a);
    wx_note(&g->is_written);
    wx_pop(c, g->type);
}

// Tables

static wx_type table_address(const wx_checker *c, uint32_t table) {
    return wx_address_type(&c->m->tables[table].limits);
}
static wx_type smaller(wx_type a, wx_type b) { return a == WX_I64 && b == WX_I64 ? WX_I64 : WX_I32; }

void wx_check_table_get(wx_checker *c) {
    wx_pop(c, table_address(c, c->in.a));
    wx_push(c, c->m->tables[c->in.a].type);
}

void wx_check_table_set(wx_checker *c) {
    wx_note(&c->m->table_written[c->in.a]);
    wx_pop(c, c->m->tables[c->in.a].type);
    wx_pop(c, table_address(c, c->in.a));
}

void wx_check_table_size(wx_checker *c) { wx_push(c, table_address(c, c->in.a)); }

void wx_check_table_grow(wx_checker *c) {
    wx_type address = table_address(c, c->in.a);
    wx_note(&c->m->table_written[c->in.a]);
    wx_pop(c, address);
    wx_pop(c, c->m->tables[c->in.a].type);
    wx_push(c, address);
}

void wx_check_table_fill(wx_checker *c) {
    wx_type address = table_address(c, c->in.a);
    wx_note(&c->m->table_written[c->in.a]);
    wx_pop(c, address);
    wx_pop(c, c->m->tables[c->in.a].type);
    wx_pop(c, address);
}

void wx_check_table_copy(wx_checker *c) {
    wx_type to = table_address(c, c->in.a), from = table_address(c, c->in.b);
    wx_note(&c->m->table_written[c->in.a]);
    if (!wx_type_matches(c->m, c->m->tables[c->in.b].type, c->m->tables[c->in.a].type))
        wx_check_fail(c, "type mismatch: table.copy from table %u to table %u", c->in.b, c->in.a);
    wx_pop(c, smaller(to, from));
    wx_pop(c, from);
    wx_pop(c, to);
}

void wx_check_table_init(wx_checker *c) {
    wx_note(&c->m->table_written[c->in.b]);
    if (!wx_type_matches(c->m, c->m->elems[c->in.a].type, c->m->tables[c->in.b].type))
        wx_check_fail(c, "type mismatch: table.init of table %u from elem segment %u", c->in.b, c->in.a);
    wx_pop(c, WX_I32);
    wx_pop(c, WX_I32);
    wx_pop(c, table_address(c, c->in.b));
}

// Memories

static wx_type memory_address(const wx_checker *c, uint32_t i) { return wx_address_type(&c->m->memories[i].limits); }

void wx_check_memory_init(wx_checker *c) {
    wx_pop(c, WX_I32);
    wx_pop(c, WX_I32);
    wx_pop(c, memory_address(c, c->in.b));
}

void wx_check_memory_copy(wx_checker *c) {
    wx_type to = memory_address(c, c->in.a), from = memory_address(c, c->in.b);
    wx_pop(c, smaller(to, from));
    wx_pop(c, from);
    wx_pop(c, to);
}

void wx_check_memory_fill(wx_checker *c) {
    wx_pop(c, c->address);
    wx_pop(c, WX_I32);
    wx_pop(c, c->address);
}
