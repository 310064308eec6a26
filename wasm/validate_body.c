// wasm/validate_body.c: the machine that checks bodies and constant expressions.
//
// in: a module whose types, imports and declarations are checked. out: true, or an error with the offset of the
// instruction. needs: wx_checker's arrays, which grow to what the largest function wants and are then reused.
//
// An instruction goes through three steps, each driven by its row of opcodes.def: its indices exist, then its operands
// and results by signature, or by its handler where the signature is "*".
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wasm/opcodes.h"
#include "wasm/validate.h"

static wx_handler *const handlers[WX_OP_COUNT] = {
#define X(op, handler) [WX_OP_##op] = wx_check_##handler,
    WX_HANDLERS(X)
#undef X
};

void wx_checker_free(wx_checker *c) {
    free(c->stack);
    free(c->frames);
    free(c->runs);
    free(c->is_set);
    free(c->set_log);
}

void wx_check_fail(wx_checker *c, const char *fmt, ...) {
    char msg[sizeof c->r.err->msg];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(msg, sizeof msg, fmt, ap);
    va_end(ap);
    wx_reader_fail_at(&c->r, WX_ERR_INVALID, c->in.at, "%s", msg);
}

// Operands

void wx_push_slow(wx_checker *c, wx_type t) {
    if (c->depth >= WX_MAX_OPERANDS) {
        wx_reader_fail_at(&c->r, WX_ERR_LIMIT, c->in.at, "too many operands on the stack");
        return;
    }
    c->stack_cap = c->stack_cap ? c->stack_cap * 2 : 256;
    c->stack = wx_xrealloc(c->stack, c->stack_cap * sizeof *c->stack);
    c->stack[c->depth++] = t;
}

wx_type wx_pop_any(wx_checker *c) {
    if (c->depth > c->floor) return c->stack[--c->depth];
    if (!wx_top(c)->unreachable)
        wx_check_fail(c, "type mismatch: %s wants a value, stack is empty", wx_ops[c->in.op].text);
    return WX_BOTTOM;
}

static void mismatch(wx_checker *c, wx_type want, wx_type have) {
    char a[WX_TYPE_TEXT], b[WX_TYPE_TEXT];
    wx_check_fail(c, "type mismatch: %s wants %s, stack has %s", wx_ops[c->in.op].text, wx_type_text(want, a),
                  wx_type_text(have, b));
}

wx_type wx_pop_slow(wx_checker *c, wx_type want) {
    if (c->depth > c->floor) {
        wx_type have = c->stack[--c->depth];
        if (!wx_type_matches(c->m, have, want)) mismatch(c, want, have);
        return have;
    }
    char text[WX_TYPE_TEXT];
    if (!wx_top(c)->unreachable)
        wx_check_fail(c, "type mismatch: %s wants %s, stack is empty", wx_ops[c->in.op].text, wx_type_text(want, text));
    return WX_BOTTOM;
}

wx_type wx_pop_ref(wx_checker *c) {
    wx_type t = wx_pop_any(c);
    if (wx_is_ref(t)) return t;
    char text[WX_TYPE_TEXT];
    if (t != WX_BOTTOM)
        wx_check_fail(c, "type mismatch: %s wants a reference, stack has %s", wx_ops[c->in.op].text,
                      wx_type_text(t, text));
    return WX_BOTTOM_REF;
}

// In unreachable code an empty stack has everything, however long the list.
static bool has_anything(const wx_checker *c) {
    return c->depth == c->floor && c->frames[c->frame_count - 1].unreachable;
}

void wx_pop_list(wx_checker *c, wx_types list) {
    for (uint32_t i = list.count; i-- > 0 && !has_anything(c);) wx_pop(c, list.at[i]);
}

void wx_pop_fields(wx_checker *c, const wx_typedef *t) {
    for (uint32_t i = t->field_count; i-- > 0 && !has_anything(c);) wx_pop(c, wx_unpacked(t->fields[i].type));
}

void wx_push_list(wx_checker *c, wx_types list) {
    for (uint32_t i = 0; i < list.count; i++) wx_push(c, list.at[i]);
}

bool wx_list_matches(const wx_module *m, wx_types sub, wx_types super) {
    if (sub.count != super.count) return false;
    for (uint32_t i = 0; i < sub.count; i++)
        if (!wx_type_matches(m, sub.at[i], super.at[i])) return false;
    return true;
}

wx_type wx_unpacked(wx_type t) { return t == WX_I8 || t == WX_I16 ? WX_I32 : t; }

wx_type wx_address_type(const wx_limits *l) { return l->is64 ? WX_I64 : WX_I32; }

// Frames

void wx_push_frame(wx_checker *c, wx_op op, wx_types params, wx_types results, wx_type single) {
    if (c->frame_count == c->frame_cap) {
        c->frame_cap = c->frame_cap ? c->frame_cap * 2 : 64;
        c->frames = wx_xrealloc(c->frames, c->frame_cap * sizeof *c->frames);
    }
    c->frames[c->frame_count++] = (wx_frame){
        .op = op, .one_result = single != WX_NONE, .single = single, .height = c->depth, .init_height = c->set_count,
        .params = params, .results = results,
    };
    c->floor = c->depth;
}

void wx_set_unreachable(wx_checker *c) {
    c->depth = c->floor;
    wx_top(c)->unreachable = true;
}

void wx_close_frame(wx_checker *c) {
    wx_frame *f = wx_top(c);
    wx_pop_list(c, wx_results_of(f));
    if (c->depth != c->floor)
        wx_check_fail(c, "type mismatch: %u values remaining on stack at end of block", c->depth - c->floor);
    c->depth = c->floor;
}

// Locals set inside the frame are unset again outside.
void wx_pop_frame(wx_checker *c) {
    uint32_t keep = wx_top(c)->init_height;
    while (c->set_count > keep) c->is_set[c->set_log[--c->set_count]] = 0;
    c->frame_count--;
    c->floor = c->frame_count ? wx_top(c)->height : 0;
}

bool wx_label_known(wx_checker *c, uint32_t depth) {
    if (depth < c->frame_count) return true;
    wx_check_fail(c, "unknown label %u", depth);
    return false;
}

wx_types wx_label_types(wx_checker *c, uint32_t depth) {
    const wx_frame *f = &c->frames[c->frame_count - 1 - depth];
    return f->op == WX_OP_LOOP ? f->params : wx_results_of(f);
}

// Indices

bool wx_type_check_known(wx_checker *c, wx_type t) {
    if (wx_type_known(c->m, t)) return true;
    wx_check_fail(c, "unknown type %u", wx_low(t));
    return false;
}

const wx_typedef *wx_type_of_kind(wx_checker *c, uint32_t type, wx_kind kind) {
    static const char *const names[] = {"function", "structure", "array"};
    if (type >= c->m->type_count) wx_check_fail(c, "unknown type %u", type);
    else if (c->m->types[type].kind == kind) return &c->m->types[type];
    else
        wx_check_fail(c, "type mismatch: type %u is not a%s %s type", type, kind == WX_KIND_ARRAY ? "n" : "",
                      names[kind]);
    return NULL;
}

static bool known(wx_checker *c, const char *what, uint32_t index, uint32_t count) {
    if (index < count) return true;
    wx_check_fail(c, "unknown %s %u", what, index);
    return false;
}

static bool known_data(wx_checker *c, uint32_t index) {
    if (c->m->has_data_count) return known(c, "data segment", index, c->m->data_count);
    wx_reader_fail_at(&c->r, WX_ERR_MALFORMED, c->in.at, "data count section required by %s", wx_ops[c->in.op].text);
    return false;
}

static bool known_memory(wx_checker *c, uint32_t index) {
    if (!known(c, "memory", index, c->m->memory_count)) return false;
    c->address = wx_address_type(&c->m->memories[index].limits);
    if (c->in.op == WX_OP_MEMORY_GROW) wx_note(&c->m->memory_grown[index]);
    return true;
}

static bool check_memarg(wx_checker *c, wx_imm imm) {
    uint32_t natural = wx_imm_bytes(imm);
    bool atomic = imm >= WX_IMM_ATOMIC1 && imm <= WX_IMM_ATOMIC8;
    if (!known_memory(c, c->in.a)) return false;
    if (c->in.align > 4 || 1u << c->in.align > natural) wx_check_fail(c, "alignment must not be larger than natural");
    else if (atomic && 1u << c->in.align != natural) wx_check_fail(c, "atomic alignment must be natural");
    else if (c->address == WX_I32 && c->in.offset > UINT32_MAX) wx_check_fail(c, "offset out of range");
    else return true;
    return false;
}

static bool check_lane(wx_checker *c) {
    if (c->in.lane < wx_op_lanes(c->in.op)) return true;
    wx_check_fail(c, "invalid lane index %u", c->in.lane);
    return false;
}

static bool check_shuffle(wx_checker *c) {
    for (int i = 0; i < 16; i++) {
        if (c->in.bytes[i] < 32) continue;
        wx_check_fail(c, "invalid lane index %u", c->in.bytes[i]);
        return false;
    }
    return true;
}

// Everything an immediate names exists.
static bool check_immediate(wx_checker *c, wx_imm imm) {
    const wx_module *m = c->m;
    const wx_instr *in = &c->in;
    switch (imm) {
    case WX_IMM_LABEL: return wx_label_known(c, in->a);
    case WX_IMM_FUNC: return known(c, "function", in->a, m->func_count);
    case WX_IMM_TYPE: case WX_IMM_FIELD: case WX_IMM_TYPE_N: return known(c, "type", in->a, m->type_count);
    case WX_IMM_LOCAL: return known(c, "local", in->a, c->local_count);
    case WX_IMM_GLOBAL: return known(c, "global", in->a, c->global_limit);
    case WX_IMM_TABLE: return known(c, "table", in->a, m->table_count);
    case WX_IMM_MEMORY: return known_memory(c, in->a);
    case WX_IMM_TAG: return known(c, "tag", in->a, m->tag_count);
    case WX_IMM_DATA: return known_data(c, in->a);
    case WX_IMM_ELEM: return known(c, "elem segment", in->a, m->elem_count);
    case WX_IMM_CALL_INDIRECT:
        return known(c, "type", in->a, m->type_count) && known(c, "table", in->b, m->table_count);
    case WX_IMM_HEAP:
        c->features |= wx_type_features(WX_REF(true, in->type));
        return wx_type_check_known(c, in->type);
    case WX_IMM_TYPE_DATA: return known(c, "type", in->a, m->type_count) && known_data(c, in->b);
    case WX_IMM_TYPE_ELEM:
        return known(c, "type", in->a, m->type_count) && known(c, "elem segment", in->b, m->elem_count);
    case WX_IMM_TYPE_TYPE: return known(c, "type", in->a, m->type_count) && known(c, "type", in->b, m->type_count);
    case WX_IMM_BR_CAST:
        return wx_label_known(c, in->a) && wx_type_check_known(c, in->type) && wx_type_check_known(c, in->type2);
    case WX_IMM_DATA_MEMORY: return known_memory(c, in->b) && known_data(c, in->a);
    case WX_IMM_ELEM_TABLE:
        return known(c, "table", in->b, m->table_count) && known(c, "elem segment", in->a, m->elem_count);
    case WX_IMM_MEMORY_MEMORY: return known_memory(c, in->a) && known_memory(c, in->b);
    case WX_IMM_TABLE_TABLE:
        return known(c, "table", in->a, m->table_count) && known(c, "table", in->b, m->table_count);
    case WX_IMM_SHUFFLE: return check_shuffle(c);
    case WX_IMM_LANE: return check_lane(c);
    case WX_IMM_MEM1: case WX_IMM_MEM2: case WX_IMM_MEM4: case WX_IMM_MEM8: case WX_IMM_MEM16:
    case WX_IMM_ATOMIC1: case WX_IMM_ATOMIC2: case WX_IMM_ATOMIC4: case WX_IMM_ATOMIC8: return check_memarg(c, imm);
    case WX_IMM_MEM1_LANE: case WX_IMM_MEM2_LANE: case WX_IMM_MEM4_LANE: case WX_IMM_MEM8_LANE:
        return check_memarg(c, imm) && check_lane(c);
    default: return true;
    }
}

// Instructions

static wx_type sig_type(const wx_checker *c, char letter) {
    switch (letter) {
    case 'i': return WX_I32;
    case 'I': return WX_I64;
    case 'f': return WX_F32;
    case 'F': return WX_F64;
    case 'v': return WX_V128;
    default: return c->address;
    }
}

static void check_signature(wx_checker *c, const char *sig) {
    uint32_t colon = 0;
    while (sig[colon] != ':') colon++;
    for (uint32_t i = colon; i-- > 0;) wx_pop(c, sig_type(c, sig[i]));
    for (uint32_t i = colon + 1; sig[i]; i++) wx_push(c, sig_type(c, sig[i]));
}

static bool is_constant(wx_op op) {
    switch (op) {
    case WX_OP_I32_CONST: case WX_OP_I64_CONST: case WX_OP_F32_CONST: case WX_OP_F64_CONST: case WX_OP_V128_CONST:
    case WX_OP_REF_NULL: case WX_OP_REF_FUNC: case WX_OP_GLOBAL_GET: case WX_OP_END:
    case WX_OP_I32_ADD: case WX_OP_I32_SUB: case WX_OP_I32_MUL:
    case WX_OP_I64_ADD: case WX_OP_I64_SUB: case WX_OP_I64_MUL:
    case WX_OP_STRUCT_NEW: case WX_OP_STRUCT_NEW_DEFAULT: case WX_OP_ARRAY_NEW: case WX_OP_ARRAY_NEW_DEFAULT:
    case WX_OP_ARRAY_NEW_FIXED: case WX_OP_REF_I31: case WX_OP_ANY_CONVERT_EXTERN: case WX_OP_EXTERN_CONVERT_ANY:
        return true;
    default: return false;
    }
}

// Arithmetic is constant only by the extended-const feature.
static uint64_t features_of(const wx_checker *c, const wx_op_info *info) {
    uint64_t bits = UINT64_C(1) << info->feature;
    bool arithmetic = c->is_const && info->sig[0] != '*' && info->sig[0] != ':';
    return arithmetic ? bits | WX_FEATURE_BIT(EXTENDED_CONST) : bits;
}

static void check_instr(wx_checker *c) {
    const wx_op_info *info = &wx_ops[c->in.op];
    if (c->is_const && !is_constant(c->in.op)) {
        wx_check_fail(c, "constant expression required, not %s", info->text);
        return;
    }
    c->features |= features_of(c, info);
    if (!check_immediate(c, info->imm)) return;
    if (info->sig[0] == '*') handlers[c->in.op](c);
    else check_signature(c, info->sig);
}

static void check_all(wx_checker *c) {
    while (c->frame_count && wx_reader_ok(&c->r)) {
        if (wx_reader_done(&c->r)) wx_reader_fail(&c->r, WX_ERR_MALFORMED, "END opcode expected");
        wx_instr_read(&c->r, &c->in);
        if (wx_reader_ok(&c->r)) check_instr(c);
    }
    if (wx_reader_ok(&c->r) && !wx_reader_done(&c->r))
        wx_reader_fail(&c->r, WX_ERR_MALFORMED, "END opcode expected as the last byte, found before it");
}

// Locals

wx_type wx_local_type(const wx_checker *c, uint32_t local) {
    if (local < WX_FLAT_LOCALS) return c->flat[local];
    uint32_t low = 0, high = c->run_count - 1;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (local < c->runs[middle].end) high = middle;
        else low = middle + 1;
    }
    return c->runs[low].type;
}

static void add_run(wx_checker *c, uint32_t count, wx_type t) {
    if (c->run_count == c->run_cap) {
        c->run_cap = c->run_cap ? c->run_cap * 2 : 64;
        c->runs = wx_xrealloc(c->runs, c->run_cap * sizeof *c->runs);
    }
    for (uint32_t i = c->local_count; i < c->local_count + count && i < WX_FLAT_LOCALS; i++) c->flat[i] = t;
    c->local_count += count;
    c->runs[c->run_count++] = (wx_local_run){c->local_count, t};
}

static void reserve_sets(wx_checker *c) {
    if (c->local_count <= c->set_cap) return;
    c->is_set = wx_xrealloc(c->is_set, c->local_count);
    c->set_log = wx_xrealloc(c->set_log, c->local_count * sizeof *c->set_log);
    memset(c->is_set + c->set_cap, 0, c->local_count - c->set_cap);
    c->set_cap = c->local_count;
}

static void add_params(wx_checker *c, const wx_typedef *t) {
    c->local_count = c->run_count = 0;
    for (uint32_t i = 0; i < t->param_count; i++) add_run(c, 1, t->params[i]);
    reserve_sets(c);
    for (uint32_t i = 0; i < t->param_count; i++)
        if (!wx_has_default(t->params[i])) c->is_set[i] = 1, c->set_log[c->set_count++] = i;
}

static void read_locals(wx_checker *c) {
    uint32_t groups = wx_read_count(&c->r, 2);
    for (uint32_t i = 0; i < groups && wx_reader_ok(&c->r); i++) {
        c->in.at = wx_reader_offset(&c->r);
        uint32_t count = wx_read_u32(&c->r);
        wx_type t = wx_read_value_type(&c->r);
        if (wx_type_check_known(c, t)) add_run(c, count, t);
    }
    reserve_sets(c);
}

static void begin(wx_checker *c, wx_span code) {
    c->r = wx_reader_make(code, c->r.err);
    c->depth = c->floor = c->frame_count = 0;
    c->in.at = code.offset;
}

// After an error frames may be left; what they set has to be unset for the next function.
static bool finish(wx_checker *c) {
    while (c->set_count) c->is_set[c->set_log[--c->set_count]] = 0;
    return wx_reader_ok(&c->r);
}

bool wx_check_func(wx_checker *c, uint32_t func) {
    const wx_typedef *t = wx_func_type(c->m, func);
    c->is_const = false;
    c->global_limit = c->m->global_count;
    begin(c, c->m->funcs[func].code);
    add_params(c, t);
    read_locals(c);
    wx_push_frame(c, WX_OP_UNREACHABLE, (wx_types){0}, (wx_types){t->results, t->result_count}, WX_NONE);
    c->frames[0].init_height = 0;
    check_all(c);
    return finish(c);
}

bool wx_check_const(wx_checker *c, wx_expr expr, wx_type want, uint32_t global_limit) {
    c->is_const = true;
    c->global_limit = global_limit;
    c->local_count = 0;
    begin(c, expr);
    wx_push_frame(c, WX_OP_UNREACHABLE, (wx_types){0}, (wx_types){0}, want);
    check_all(c);
    return finish(c);
}
