// wasm/instr.h: instructions one at a time, straight from the bytes.
//
// The decoder, the validator, the compiler and the printer all walk bodies with wx_instr_read: no tree is built, so a
// body of any size costs no memory.
#pragma once
#include "wasm/module.h"
#include "wasm/reader.h"

typedef enum wx_op {
#define OP(name, ...) WX_OP_##name,
#include "wasm/opcodes.def"
#undef OP
    WX_OP_COUNT
} wx_op;

// Immediate kinds (column `immediate` of opcodes.def) and the fields of wx_instr they fill.
typedef enum wx_imm {
    WX_IMM_NONE,
    WX_IMM_BLOCK,         // block_type
    WX_IMM_LABEL,         // a
    WX_IMM_BR_TABLE,      // labels: count of targets before the default, and where they are encoded
    WX_IMM_TRY_TABLE,     // block_type, labels: count of catch clauses, and where
    WX_IMM_FUNC, WX_IMM_TYPE, WX_IMM_LOCAL, WX_IMM_GLOBAL, WX_IMM_TABLE, WX_IMM_MEMORY, WX_IMM_TAG, // a
    WX_IMM_DATA, WX_IMM_ELEM, // a
    WX_IMM_CALL_INDIRECT, // a = type, b = table
    WX_IMM_SELECT_T,      // labels: count of value types, and where; type = the first
    WX_IMM_HEAP,          // type: a heap type
    WX_IMM_FIELD,         // a = type, b = field
    WX_IMM_TYPE_N,        // a = type, b = count
    WX_IMM_TYPE_DATA, WX_IMM_TYPE_ELEM, WX_IMM_TYPE_TYPE, // a = type, b = the other
    WX_IMM_BR_CAST,       // a = label, type and type2: reference types from and to
    WX_IMM_DATA_MEMORY,   // a = data, b = memory
    WX_IMM_ELEM_TABLE,    // a = elem, b = table
    WX_IMM_MEMORY_MEMORY, // a = destination, b = source
    WX_IMM_TABLE_TABLE,   // a = destination, b = source
    WX_IMM_I32, WX_IMM_I64, WX_IMM_F32, WX_IMM_F64, // bits (i32 sign-extended, f32 zero-extended)
    WX_IMM_V128, WX_IMM_SHUFFLE, // bytes
    WX_IMM_LANE,          // lane
    WX_IMM_ZERO_BYTE,
    WX_IMM_MEM1, WX_IMM_MEM2, WX_IMM_MEM4, WX_IMM_MEM8, WX_IMM_MEM16,               // align, offset, a = memory
    WX_IMM_MEM1_LANE, WX_IMM_MEM2_LANE, WX_IMM_MEM4_LANE, WX_IMM_MEM8_LANE,         // and lane
    WX_IMM_ATOMIC1, WX_IMM_ATOMIC2, WX_IMM_ATOMIC4, WX_IMM_ATOMIC8,                 // as MEMn
} wx_imm;

typedef struct wx_op_info {
    const char *text;
    uint8_t prefix; // 0 for one-byte opcodes
    uint16_t code;
    wx_imm imm;
    const char *sig;
    wx_feature feature;
} wx_op_info;

extern const wx_op_info wx_ops[WX_OP_COUNT];

typedef struct wx_instr {
    wx_op op;
    uint64_t at; // offset of the opcode in the file
    uint32_t a, b;
    wx_type type, type2;
    struct { bool is_index; uint32_t index; wx_type result; } block_type; // result WX_NONE: no result
    uint32_t align; // log2
    uint64_t offset;
    uint8_t lane;
    uint64_t bits;
    uint8_t bytes[16];
    struct { uint32_t count; wx_span at; } labels;
} wx_instr;

// Reads one instruction with its immediates; reader errors are sticky (reader.h). On an error the result is
// `unreachable` and the caller's loop ends because wx_reader_ok is false.
void wx_instr_read(wx_reader *r, wx_instr *out);
// At the start of a body: over the declarations of locals, to the first instruction.
void wx_skip_locals(wx_reader *r);
// The next target of a br_table: call it labels.count + 1 times on a reader made from labels.at.
uint32_t wx_label_read(wx_reader *r);
// The next clause of a try_table: kind 0 catch, 1 catch_ref, 2 catch_all, 3 catch_all_ref; tag is set for 0 and 1.
typedef struct wx_catch { uint8_t kind; uint32_t tag, label; } wx_catch;
wx_catch wx_catch_read(wx_reader *r);
// The opcode of a text name, or WX_OP_COUNT.
wx_op wx_op_find(const char *text);
// Bytes the natural alignment of a memory immediate stands for (MEM, LANE and ATOMIC kinds), else 0.
uint32_t wx_imm_bytes(wx_imm imm);
