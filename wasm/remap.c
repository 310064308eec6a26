// wasm/remap.c: walks the indices in code, and writes code again with others.
//
// in: validated bodies and expressions. out: calls of a visitor, or bytes. One table says for each kind of immediate
// which index spaces its numbers a and b count in.
#include "wasm/remap.h"

typedef struct operands { // of an immediate kind: spaces + 1, 0: no index; and what else may hold one
    uint8_t a, b;
    bool block, types, memarg;
} operands;

#define AT(space) (WX_SPACE_##space + 1)
#define MEMARG {.a = AT(MEMORY), .memarg = true}

static const operands kinds[] = {
    [WX_IMM_BLOCK] = {.block = true}, [WX_IMM_TRY_TABLE] = {.block = true},
    [WX_IMM_FUNC] = {AT(FUNC)}, [WX_IMM_TYPE] = {AT(TYPE)}, [WX_IMM_GLOBAL] = {AT(GLOBAL)},
    [WX_IMM_TABLE] = {AT(TABLE)}, [WX_IMM_MEMORY] = {AT(MEMORY)}, [WX_IMM_TAG] = {AT(TAG)},
    [WX_IMM_DATA] = {AT(DATA)}, [WX_IMM_ELEM] = {AT(ELEM)},
    [WX_IMM_CALL_INDIRECT] = {AT(TYPE), AT(TABLE)}, [WX_IMM_SELECT_T] = {.types = true},
    [WX_IMM_HEAP] = {.types = true},
    [WX_IMM_FIELD] = {AT(TYPE)}, [WX_IMM_TYPE_N] = {AT(TYPE)}, [WX_IMM_TYPE_DATA] = {AT(TYPE), AT(DATA)},
    [WX_IMM_TYPE_ELEM] = {AT(TYPE), AT(ELEM)}, [WX_IMM_TYPE_TYPE] = {AT(TYPE), AT(TYPE)},
    [WX_IMM_BR_CAST] = {.types = true}, [WX_IMM_DATA_MEMORY] = {AT(DATA), AT(MEMORY)},
    [WX_IMM_ELEM_TABLE] = {AT(ELEM), AT(TABLE)}, [WX_IMM_MEMORY_MEMORY] = {AT(MEMORY), AT(MEMORY)},
    [WX_IMM_TABLE_TABLE] = {AT(TABLE), AT(TABLE)},
    [WX_IMM_MEM1] = MEMARG, [WX_IMM_MEM2] = MEMARG, [WX_IMM_MEM4] = MEMARG, [WX_IMM_MEM8] = MEMARG,
    [WX_IMM_MEM16] = MEMARG, [WX_IMM_MEM1_LANE] = MEMARG, [WX_IMM_MEM2_LANE] = MEMARG, [WX_IMM_MEM4_LANE] = MEMARG,
    [WX_IMM_MEM8_LANE] = MEMARG, [WX_IMM_ATOMIC1] = MEMARG, [WX_IMM_ATOMIC2] = MEMARG, [WX_IMM_ATOMIC4] = MEMARG,
    [WX_IMM_ATOMIC8] = MEMARG,
};
#define KINDS (sizeof kinds / sizeof *kinds)

static operands operands_of(wx_op op) {
    wx_imm imm = wx_ops[op].imm;
    return imm < KINDS ? kinds[imm] : (operands){0};
}

// ---- Visiting

void wx_type_visit(wx_type t, wx_visitor *visit, void *arg) {
    if (wx_has_index(t)) visit(arg, WX_SPACE_TYPE, wx_low(t));
}

static void visit_block(const wx_instr *in, wx_visitor *visit, void *arg) {
    if (in->block_type.is_index) visit(arg, WX_SPACE_TYPE, in->block_type.index);
    else wx_type_visit(in->block_type.result, visit, arg);
}

static void visit_lists(const wx_instr *in, wx_visitor *visit, void *arg) {
    wx_error none = {0};
    wx_reader r = wx_reader_make(in->labels.at, &none);
    for (uint32_t i = 0; i < in->labels.count; i++) {
        if (wx_ops[in->op].imm == WX_IMM_SELECT_T) {
            wx_type_visit(wx_read_value_type(&r), visit, arg);
            continue;
        }
        wx_catch clause = wx_catch_read(&r);
        if (clause.kind < 2) visit(arg, WX_SPACE_TAG, clause.tag);
    }
}

void wx_instr_visit(const wx_instr *in, wx_visitor *visit, void *arg) {
    operands o = operands_of(in->op);
    wx_imm imm = wx_ops[in->op].imm;
    if (o.a) visit(arg, (wx_space)(o.a - 1), in->a);
    if (o.b) visit(arg, (wx_space)(o.b - 1), in->b);
    if (o.block) visit_block(in, visit, arg);
    if (imm == WX_IMM_TRY_TABLE || imm == WX_IMM_SELECT_T) visit_lists(in, visit, arg);
    if (imm == WX_IMM_HEAP || imm == WX_IMM_BR_CAST) wx_type_visit(in->type, visit, arg);
    if (imm == WX_IMM_BR_CAST) wx_type_visit(in->type2, visit, arg);
}

// ---- Writing

wx_type wx_remap_type(const wx_remap *r, wx_type t) {
    if (!wx_has_index(t)) return t;
    return (t & ~WX_LOW_MASK) | wx_remap_index(r, WX_SPACE_TYPE, wx_low(t));
}

static bool changes(const wx_remap *r, operands o) {
    return (o.a && r->to[o.a - 1]) || (o.b && r->to[o.b - 1]) ||
           ((o.block || o.types) && (r->to[WX_SPACE_TYPE] || r->to[WX_SPACE_TAG]));
}

static void put_block_type(const wx_remap *r, const wx_instr *in, wx_buf *out) {
    if (in->block_type.is_index) wx_buf_sleb(out, wx_remap_index(r, WX_SPACE_TYPE, in->block_type.index));
    else if (in->block_type.result == WX_NONE) wx_buf_byte(out, 0x40);
    else wx_put_type(out, wx_remap_type(r, in->block_type.result));
}

static void put_memarg(const wx_remap *r, const wx_instr *in, wx_buf *out) {
    uint32_t memory = wx_remap_index(r, WX_SPACE_MEMORY, in->a);
    wx_buf_uleb(out, in->align | (memory ? 0x40 : 0));
    if (memory) wx_buf_uleb(out, memory);
    wx_buf_uleb(out, in->offset);
    wx_imm imm = wx_ops[in->op].imm;
    if (imm >= WX_IMM_MEM1_LANE && imm <= WX_IMM_MEM8_LANE) wx_buf_byte(out, in->lane);
}

static void put_list(const wx_remap *r, const wx_instr *in, wx_buf *out) {
    wx_error none = {0};
    wx_reader all = wx_reader_make(in->labels.at, &none);
    wx_buf_uleb(out, in->labels.count);
    for (uint32_t i = 0; i < in->labels.count; i++) {
        if (wx_ops[in->op].imm == WX_IMM_SELECT_T) {
            wx_put_type(out, wx_remap_type(r, wx_read_value_type(&all)));
            continue;
        }
        wx_catch clause = wx_catch_read(&all);
        wx_buf_byte(out, clause.kind);
        if (clause.kind < 2) wx_buf_uleb(out, wx_remap_index(r, WX_SPACE_TAG, clause.tag));
        wx_buf_uleb(out, clause.label);
    }
}

static void put_cast(const wx_remap *r, const wx_instr *in, wx_buf *out) {
    wx_buf_byte(out, (uint8_t)(wx_is_nullable(in->type) | wx_is_nullable(in->type2) << 1));
    wx_buf_uleb(out, in->a);
    wx_put_heap(out, wx_heap_of(wx_remap_type(r, in->type)));
    wx_put_heap(out, wx_heap_of(wx_remap_type(r, in->type2)));
}

static void put_numbers(const wx_remap *r, const wx_instr *in, operands o, wx_buf *out) {
    wx_imm imm = wx_ops[in->op].imm;
    wx_buf_uleb(out, wx_remap_index(r, (wx_space)(o.a - 1), in->a));
    if (o.b) wx_buf_uleb(out, wx_remap_index(r, (wx_space)(o.b - 1), in->b));
    else if (imm == WX_IMM_FIELD || imm == WX_IMM_TYPE_N) wx_buf_uleb(out, in->b);
}

static void put_instr(const wx_remap *r, const wx_instr *in, operands o, wx_buf *out) {
    const wx_op_info *info = &wx_ops[in->op];
    if (info->prefix) wx_buf_byte(out, info->prefix), wx_buf_uleb(out, info->code);
    else wx_buf_byte(out, (uint8_t)info->code);
    if (o.block) put_block_type(r, in, out);
    if (info->imm == WX_IMM_TRY_TABLE || info->imm == WX_IMM_SELECT_T) put_list(r, in, out);
    else if (info->imm == WX_IMM_BR_CAST) put_cast(r, in, out);
    else if (info->imm == WX_IMM_HEAP) wx_put_heap(out, wx_remap_type(r, in->type));
    else if (o.memarg) put_memarg(r, in, out);
    else if (o.a) put_numbers(r, in, o, out);
}

static void put_code(const wx_remap *r, wx_reader *from, wx_buf *out) {
    const uint8_t *copied = from->at;
    for (wx_instr in; !wx_reader_done(from);) {
        const uint8_t *start = from->at;
        wx_instr_read(from, &in);
        operands o = operands_of(in.op);
        if (!changes(r, o)) continue;
        wx_buf_add(out, copied, (size_t)(start - copied));
        put_instr(r, &in, o, out);
        copied = from->at;
    }
    wx_buf_add(out, copied, (size_t)(from->at - copied));
}

static void put_locals(const wx_remap *r, wx_reader *from, wx_buf *out) {
    const uint8_t *start = from->at;
    bool copy = !r->to[WX_SPACE_TYPE];
    uint32_t groups = wx_read_u32(from);
    if (!copy) wx_buf_uleb(out, groups);
    for (uint32_t i = 0; i < groups; i++) {
        uint32_t count = wx_read_u32(from);
        wx_type type = wx_read_value_type(from);
        if (!copy) wx_buf_uleb(out, count), wx_put_type(out, wx_remap_type(r, type));
    }
    if (copy) wx_buf_add(out, start, (size_t)(from->at - start));
}

void wx_remap_body(const wx_remap *r, wx_span body, wx_buf *out) {
    wx_error none = {0};
    wx_reader from = wx_reader_make(body, &none);
    put_locals(r, &from, out);
    put_code(r, &from, out);
}

void wx_remap_expr(const wx_remap *r, wx_expr expr, wx_buf *out) {
    wx_error none = {0};
    wx_reader from = wx_reader_make(expr, &none);
    put_code(r, &from, out);
}
