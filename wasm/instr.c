// wasm/instr.c: reads one instruction, driven by the immediate column of opcodes.def.
//
// in: a reader inside a body. out: a wx_instr whose fields for that immediate kind are set; the others hold whatever
// they held before, so that nothing is cleared a hundred million times.
#include "wasm/instr.h"

#include <string.h>

#include "wasm/opcodes.h"

static wx_op read_op(wx_reader *r) {
    uint64_t at = wx_reader_offset(r);
    uint32_t byte = wx_read_u8(r);
    bool prefixed = byte >= 0xfb && byte <= 0xfe;
    uint32_t code = prefixed ? wx_read_u32(r) : byte;
    uint32_t slot = prefixed ? WX_OP_SLOT(byte) : 0;
    uint32_t found = code < WX_OP_CODES ? wx_op_lookup[slot * WX_OP_CODES + code] : 0;
    if (found) return (wx_op)(found - 1);
    if (prefixed) wx_reader_fail_at(r, WX_ERR_MALFORMED, at, "illegal opcode %02x %02x", byte, code);
    else wx_reader_fail_at(r, WX_ERR_MALFORMED, at, "illegal opcode %02x", byte);
    return WX_OP_UNREACHABLE;
}

// 0x40 is the empty type; other one-byte negatives are value types; the rest is a type index.
static void read_block_type(wx_reader *r, wx_instr *in) {
    uint8_t code = wx_peek_u8(r);
    in->block_type.is_index = false;
    in->block_type.result = WX_NONE;
    if (code == 0x40) {
        wx_read_u8(r);
    } else if ((code & 0xc0) == 0x40) {
        in->block_type.result = wx_read_value_type(r);
    } else {
        int64_t index = wx_read_s33(r);
        if (index < 0) wx_reader_fail(r, WX_ERR_MALFORMED, "malformed block type");
        in->block_type.is_index = true;
        in->block_type.index = (uint32_t)index;
    }
}

static void begin_list(wx_reader *r, wx_instr *in, uint32_t count) {
    in->labels.count = count;
    in->labels.at = (wx_span){.ptr = r->at, .offset = wx_reader_offset(r)};
}

static void end_list(wx_reader *r, wx_instr *in) { in->labels.at.len = (size_t)(r->at - in->labels.at.ptr); }

static void read_br_table(wx_reader *r, wx_instr *in) {
    begin_list(r, in, wx_read_count(r, 1));
    for (uint32_t i = 0; i <= in->labels.count && wx_reader_ok(r); i++) wx_read_u32(r);
    end_list(r, in);
}

static void read_try_table(wx_reader *r, wx_instr *in) {
    read_block_type(r, in);
    begin_list(r, in, wx_read_count(r, 2));
    for (uint32_t i = 0; i < in->labels.count && wx_reader_ok(r); i++) wx_catch_read(r);
    end_list(r, in);
}

static void read_select_types(wx_reader *r, wx_instr *in) {
    begin_list(r, in, wx_read_count(r, 1));
    in->type = WX_NONE;
    for (uint32_t i = 0; i < in->labels.count && wx_reader_ok(r); i++) {
        wx_type t = wx_read_value_type(r);
        if (i == 0) in->type = t;
    }
    end_list(r, in);
}

// Flags: bit 0, the source type is nullable; bit 1, the target type is.
static void read_br_cast(wx_reader *r, wx_instr *in) {
    uint8_t flags = wx_read_u8(r);
    if (flags > 3) wx_reader_fail(r, WX_ERR_MALFORMED, "malformed br_on_cast flags");
    in->a = wx_read_u32(r);
    in->type = WX_REF(flags & 1, wx_read_heap_type(r));
    in->type2 = WX_REF(flags & 2, wx_read_heap_type(r));
}

// The low six bits are the alignment; bit 6 says that a memory index follows.
static void read_memarg(wx_reader *r, wx_instr *in) {
    uint32_t flags = wx_read_u32(r);
    if (flags >= 0x80) wx_reader_fail(r, WX_ERR_MALFORMED, "malformed memop flags 0x%x", flags);
    in->align = flags & 0x3f;
    in->a = flags & 0x40 ? wx_read_u32(r) : 0;
    in->offset = r->at < r->end && *r->at < 0x80 ? *r->at++ : wx_read_u64(r);
}

static void read_zero_byte(wx_reader *r) {
    if (wx_read_u8(r) != 0) wx_reader_fail(r, WX_ERR_MALFORMED, "zero byte expected");
}

static uint64_t read_fixed(wx_reader *r, uint32_t bytes) {
    if ((size_t)(r->end - r->at) < bytes) return wx_reader_fail(r, WX_ERR_MALFORMED, "unexpected end"), 0;
    uint64_t v = 0;
    for (uint32_t i = 0; i < bytes; i++) v |= (uint64_t)r->at[i] << 8 * i;
    r->at += bytes;
    return v;
}

static void read_16_bytes(wx_reader *r, wx_instr *in) {
    memset(in->bytes, 0, sizeof in->bytes);
    if ((size_t)(r->end - r->at) < sizeof in->bytes) wx_reader_fail(r, WX_ERR_MALFORMED, "unexpected end");
    else memcpy(in->bytes, wx_read_bytes(r, sizeof in->bytes).ptr, sizeof in->bytes);
}

static void read_pair(wx_reader *r, wx_instr *in) {
    in->a = wx_read_u32(r);
    in->b = wx_read_u32(r);
}

static void read_immediate(wx_reader *r, wx_instr *in, wx_imm imm) {
    switch (imm) {
    case WX_IMM_NONE: break;
    case WX_IMM_BLOCK: read_block_type(r, in); break;
    case WX_IMM_LABEL: case WX_IMM_FUNC: case WX_IMM_TYPE: case WX_IMM_LOCAL: case WX_IMM_GLOBAL: case WX_IMM_TABLE:
    case WX_IMM_MEMORY: case WX_IMM_TAG: case WX_IMM_DATA: case WX_IMM_ELEM: in->a = wx_read_u32(r); break;
    case WX_IMM_BR_TABLE: read_br_table(r, in); break;
    case WX_IMM_TRY_TABLE: read_try_table(r, in); break;
    case WX_IMM_CALL_INDIRECT: case WX_IMM_FIELD: case WX_IMM_TYPE_N: case WX_IMM_TYPE_DATA: case WX_IMM_TYPE_ELEM:
    case WX_IMM_TYPE_TYPE: case WX_IMM_DATA_MEMORY: case WX_IMM_MEMORY_MEMORY: case WX_IMM_TABLE_TABLE:
    case WX_IMM_ELEM_TABLE: read_pair(r, in); break;
    case WX_IMM_SELECT_T: read_select_types(r, in); break;
    case WX_IMM_HEAP: in->type = wx_read_heap_type(r); break;
    case WX_IMM_BR_CAST: read_br_cast(r, in); break;
    case WX_IMM_I32: in->bits = (uint64_t)(int64_t)wx_read_s32(r); break;
    case WX_IMM_I64: in->bits = (uint64_t)wx_read_s64(r); break;
    case WX_IMM_F32: in->bits = read_fixed(r, 4); break;
    case WX_IMM_F64: in->bits = read_fixed(r, 8); break;
    case WX_IMM_V128: case WX_IMM_SHUFFLE: read_16_bytes(r, in); break;
    case WX_IMM_LANE: in->lane = wx_read_u8(r); break;
    case WX_IMM_ZERO_BYTE: read_zero_byte(r); break;
    case WX_IMM_MEM1: case WX_IMM_MEM2: case WX_IMM_MEM4: case WX_IMM_MEM8: case WX_IMM_MEM16:
    case WX_IMM_ATOMIC1: case WX_IMM_ATOMIC2: case WX_IMM_ATOMIC4: case WX_IMM_ATOMIC8: read_memarg(r, in); break;
    case WX_IMM_MEM1_LANE: case WX_IMM_MEM2_LANE: case WX_IMM_MEM4_LANE: case WX_IMM_MEM8_LANE:
        read_memarg(r, in);
        in->lane = wx_read_u8(r);
        break;
    }
}

void wx_instr_read(wx_reader *r, wx_instr *in) {
    in->at = wx_reader_offset(r);
    in->op = read_op(r);
    read_immediate(r, in, wx_ops[in->op].imm);
    if (!wx_reader_ok(r)) in->op = WX_OP_UNREACHABLE;
}

void wx_skip_locals(wx_reader *r) {
    uint32_t groups = wx_read_u32(r);
    for (uint32_t i = 0; i < groups && wx_reader_ok(r); i++) wx_read_u32(r), wx_read_value_type(r);
}

uint32_t wx_label_read(wx_reader *r) { return wx_read_u32(r); }

wx_catch wx_catch_read(wx_reader *r) {
    wx_catch c = {.kind = wx_read_u8(r)};
    if (c.kind > 3) wx_reader_fail(r, WX_ERR_MALFORMED, "malformed catch clause %u", c.kind);
    if (c.kind < 2) c.tag = wx_read_u32(r);
    c.label = wx_read_u32(r);
    return c;
}
