// wasm/validate_control.c: blocks, branches, calls and exceptions, old and new (core 3.0, section 3.4.1).
#include "wasm/validate.h"

bool wx_block_types(wx_checker *c, wx_types *params, wx_types *results, wx_type *single) {
    *params = *results = (wx_types){0};
    *single = c->in.block_type.result;
    c->features |= wx_type_features(*single);
    if (!c->in.block_type.is_index) return wx_type_check_known(c, *single);
    *single = WX_NONE;
    const wx_typedef *t = wx_type_of_kind(c, c->in.block_type.index, WX_KIND_FUNC);
    if (!t) return false;
    c->features |= WX_FEATURE_BIT(MULTI_VALUE);
    *params = (wx_types){t->params, t->param_count};
    *results = (wx_types){t->results, t->result_count};
    return true;
}

static wx_types params_of(const wx_typedef *t) { return (wx_types){t->params, t->param_count}; }
static wx_types results_of(const wx_typedef *t) { return (wx_types){t->results, t->result_count}; }

void wx_check_unreachable(wx_checker *c) { wx_set_unreachable(c); }

void wx_check_block(wx_checker *c) {
    wx_types params, results;
    wx_type single;
    if (!wx_block_types(c, &params, &results, &single)) return;
    wx_pop_list(c, params);
    wx_push_frame(c, c->in.op, params, results, single);
    wx_push_list(c, params);
}

void wx_check_if(wx_checker *c) {
    wx_pop(c, WX_I32);
    wx_check_block(c);
}

// Closes the frame on top and opens another with the same results in its place.
static void next_arm(wx_checker *c, wx_op op, wx_types operands) {
    wx_close_frame(c);
    wx_frame f = *wx_top(c);
    wx_pop_frame(c);
    wx_push_frame(c, op, f.params, f.results, f.one_result ? f.single : WX_NONE);
    wx_push_list(c, operands);
}

void wx_check_else(wx_checker *c) {
    if (wx_top(c)->op != WX_OP_IF) wx_check_fail(c, "else without an if");
    else next_arm(c, WX_OP_ELSE, wx_top(c)->params);
}

void wx_check_end(wx_checker *c) {
    wx_close_frame(c);
    wx_frame f = *wx_top(c);
    if (f.op == WX_OP_IF && !wx_list_matches(c->m, f.params, wx_results_of(&f)))
        wx_check_fail(c, "type mismatch: an if without else whose results are not its parameters");
    wx_pop_frame(c);
    if (c->frame_count) wx_push_list(c, wx_results_of(&f));
}

void wx_check_br(wx_checker *c) {
    wx_pop_list(c, wx_label_types(c, c->in.a));
    wx_set_unreachable(c);
}

void wx_check_br_if(wx_checker *c) {
    wx_pop(c, WX_I32);
    wx_types t = wx_label_types(c, c->in.a);
    wx_pop_list(c, t);
    wx_push_list(c, t);
}

// The operands on top match the list; they stay.
static void peek_list(wx_checker *c, wx_types list) {
    uint32_t there = c->depth - c->floor, missing = list.count > there ? list.count - there : 0;
    if (missing && !wx_top(c)->unreachable)
        wx_check_fail(c, "type mismatch: br_table wants %u values, stack has %u", list.count, there);
    for (uint32_t i = missing; i < list.count; i++) {
        wx_type have = c->stack[c->depth - list.count + i];
        char a[WX_TYPE_TEXT], b[WX_TYPE_TEXT];
        if (!wx_type_matches(c->m, have, list.at[i]))
            wx_check_fail(c, "type mismatch: br_table wants %s, stack has %s", wx_type_text(list.at[i], a),
                          wx_type_text(have, b));
    }
}

// A label is checked once a table, however often it occurs in it.
static void check_target(wx_checker *c, uint32_t label, uint32_t *arity) {
    if (!wx_label_known(c, label)) return;
    wx_frame *f = &c->frames[c->frame_count - 1 - label];
    if (f->stamp == c->stamp) return;
    f->stamp = c->stamp;
    wx_types t = wx_label_types(c, label);
    if (*arity == UINT32_MAX) *arity = t.count;
    if (t.count != *arity) wx_check_fail(c, "type mismatch: br_table targets take %u and %u values", *arity, t.count);
    else peek_list(c, t);
}

void wx_check_br_table(wx_checker *c) {
    uint32_t arity = UINT32_MAX;
    wx_pop(c, WX_I32);
    c->stamp++;
    wx_reader r = wx_reader_make(c->in.labels.at, c->r.err);
    for (uint32_t i = 0; i <= c->in.labels.count && wx_reader_ok(&r); i++) check_target(c, wx_label_read(&r), &arity);
    wx_set_unreachable(c);
}

void wx_check_return(wx_checker *c) {
    wx_pop_list(c, wx_results_of(&c->frames[0]));
    wx_set_unreachable(c);
}

// Calls

static void call(wx_checker *c, const wx_typedef *t) {
    wx_pop_list(c, params_of(t));
    wx_push_list(c, results_of(t));
}

static void tail_call(wx_checker *c, const wx_typedef *t) {
    if (!wx_list_matches(c->m, results_of(t), wx_results_of(&c->frames[0])))
        wx_check_fail(c, "type mismatch: %s to a function whose results are not the caller's", wx_ops[c->in.op].text);
    wx_pop_list(c, params_of(t));
    wx_set_unreachable(c);
}

void wx_check_call(wx_checker *c) { call(c, wx_func_type(c->m, c->in.a)); }
void wx_check_return_call(wx_checker *c) { tail_call(c, wx_func_type(c->m, c->in.a)); }

// Pops the index into the table; the type of the callee, or NULL after failing.
static const wx_typedef *indirect_callee(wx_checker *c) {
    const wx_table *t = &c->m->tables[c->in.b];
    if (c->in.b) c->features |= WX_FEATURE_BIT(REF_TYPES);
    if (!wx_type_matches(c->m, t->type, WX_FUNCREF)) {
        wx_check_fail(c, "type mismatch: %s through table %u, which is not of functions", wx_ops[c->in.op].text,
                      c->in.b);
        return NULL;
    }
    wx_pop(c, wx_address_type(&t->limits));
    return wx_type_of_kind(c, c->in.a, WX_KIND_FUNC);
}

void wx_check_call_indirect(wx_checker *c) {
    const wx_typedef *t = indirect_callee(c);
    if (t) call(c, t);
}

void wx_check_return_call_indirect(wx_checker *c) {
    const wx_typedef *t = indirect_callee(c);
    if (t) tail_call(c, t);
}

static const wx_typedef *referenced_callee(wx_checker *c) {
    wx_pop(c, WX_REF(true, WX_INDEX_BIT | c->in.a));
    return wx_type_of_kind(c, c->in.a, WX_KIND_FUNC);
}

void wx_check_call_ref(wx_checker *c) {
    const wx_typedef *t = referenced_callee(c);
    if (t) call(c, t);
}

void wx_check_return_call_ref(wx_checker *c) {
    const wx_typedef *t = referenced_callee(c);
    if (t) tail_call(c, t);
}

// Exceptions

static wx_types tag_params(const wx_checker *c, uint32_t tag) { return params_of(&c->m->types[c->m->tags[tag].type]); }

void wx_check_throw(wx_checker *c) {
    wx_pop_list(c, tag_params(c, c->in.a));
    wx_set_unreachable(c);
}

void wx_check_throw_ref(wx_checker *c) {
    wx_pop(c, WX_REF(true, WX_HEAP_EXN));
    wx_set_unreachable(c);
}

// A catch clause brings the tag's values, then for the _ref kinds the exception: all that to its label.
static void check_clause(wx_checker *c, wx_catch clause) {
    bool has_tag = clause.kind < 2, has_ref = clause.kind & 1;
    if (has_tag && clause.tag >= c->m->tag_count) {
        wx_check_fail(c, "unknown tag %u", clause.tag);
        return;
    }
    if (!wx_label_known(c, clause.label)) return;
    wx_types label = wx_label_types(c, clause.label), values = has_tag ? tag_params(c, clause.tag) : (wx_types){0};
    bool ok = label.count == values.count + has_ref;
    wx_types first = {label.at, values.count};
    ok = ok && wx_list_matches(c->m, values, first);
    ok = ok && (!has_ref || wx_type_matches(c->m, WX_REF(false, WX_HEAP_EXN), label.at[values.count]));
    if (!ok) wx_check_fail(c, "type mismatch: a catch clause does not bring what label %u takes", clause.label);
}

void wx_check_try_table(wx_checker *c) {
    wx_reader r = wx_reader_make(c->in.labels.at, c->r.err);
    for (uint32_t i = 0; i < c->in.labels.count && wx_reader_ok(&r); i++) check_clause(c, wx_catch_read(&r));
    wx_check_block(c);
}

// The old form: try ... catch t ... catch_all ... end, or try ... delegate l.

static bool in_try(wx_checker *c) {
    wx_op op = wx_top(c)->op;
    if (op == WX_OP_TRY || op == WX_OP_CATCH) return true;
    wx_check_fail(c, "%s without a try", wx_ops[c->in.op].text);
    return false;
}

void wx_check_catch(wx_checker *c) {
    if (in_try(c)) next_arm(c, WX_OP_CATCH, tag_params(c, c->in.a));
}

void wx_check_catch_all(wx_checker *c) {
    if (in_try(c)) next_arm(c, WX_OP_CATCH_ALL, (wx_types){0});
}

void wx_check_rethrow(wx_checker *c) {
    wx_op op = c->frames[c->frame_count - 1 - c->in.a].op;
    if (op != WX_OP_CATCH && op != WX_OP_CATCH_ALL) wx_check_fail(c, "invalid rethrow label %u", c->in.a);
    wx_set_unreachable(c);
}

// The label counts from outside the try.
void wx_check_delegate(wx_checker *c) {
    if (wx_top(c)->op != WX_OP_TRY) wx_check_fail(c, "delegate without a try");
    else if (c->in.a + 1 >= c->frame_count) wx_check_fail(c, "unknown label %u", c->in.a);
    else wx_check_end(c);
}
