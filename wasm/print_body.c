// wasm/print_body.c: instructions, one a line, driven by the immediate column of opcodes.def.
//
// in: a body, decoded or not validated at all. out: text; where the bytes stop making sense a comment says so.
#include <math.h>
#include <string.h>

#include "wasm/print.h"

#define DEEPEST_INDENT 40 // levels; deeper nesting is not indented further, or the text would grow with its square

void wx_print_type(wx_printer *p, wx_type t) {
    char text[WX_TYPE_TEXT];
    wx_buf_printf(p->out, " %s", wx_type_text(t, text));
}

void wx_print_types(wx_printer *p, const char *what, const wx_type *types, uint32_t count) {
    if (!count) return;
    wx_buf_printf(p->out, " (%s", what);
    for (uint32_t i = 0; i < count; i++) wx_print_type(p, types[i]);
    wx_buf_byte(p->out, ')');
}

static void print_block_type(wx_printer *p, const wx_instr *in) {
    if (in->block_type.is_index) wx_buf_printf(p->out, " (type %u)", in->block_type.index);
    else wx_print_types(p, "result", &in->block_type.result, in->block_type.result != WX_NONE);
}

static void print_br_table(wx_printer *p, const wx_instr *in) {
    wx_error err = {0};
    wx_reader r = wx_reader_make(in->labels.at, &err);
    for (uint32_t i = 0; i <= in->labels.count; i++) wx_buf_printf(p->out, " %u", wx_label_read(&r));
}

static void print_clauses(wx_printer *p, const wx_instr *in) {
    static const char *const kinds[] = {"catch", "catch_ref", "catch_all", "catch_all_ref"};
    wx_error err = {0};
    wx_reader r = wx_reader_make(in->labels.at, &err);
    for (uint32_t i = 0; i < in->labels.count; i++) {
        wx_catch c = wx_catch_read(&r);
        wx_buf_printf(p->out, " (%s", kinds[c.kind]);
        if (c.kind < 2) wx_print_ref(p, WX_SPACE_TAG, c.tag);
        wx_buf_printf(p->out, " %u)", c.label);
    }
}

static void print_select_types(wx_printer *p, const wx_instr *in) {
    wx_error err = {0};
    wx_reader r = wx_reader_make(in->labels.at, &err);
    wx_buf_str(p->out, " (result");
    for (uint32_t i = 0; i < in->labels.count; i++) wx_print_type(p, wx_read_value_type(&r));
    wx_buf_byte(p->out, ')');
}

// A NaN's payload is the fraction; the hexadecimal form of anything else is exact.
static void print_float(wx_printer *p, double value, bool negative, uint64_t fraction) {
    wx_buf_str(p->out, negative ? " -" : " ");
    if (isnan(value)) wx_buf_printf(p->out, "nan:0x%llx", (unsigned long long)fraction);
    else if (isinf(value)) wx_buf_str(p->out, "inf");
    else wx_buf_printf(p->out, "%a", fabs(value));
}

static void print_f32(wx_printer *p, uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    print_float(p, (double)value, bits >> 31, bits & 0x7fffff);
}

static void print_f64(wx_printer *p, uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof value);
    print_float(p, value, bits >> 63, bits & 0xfffffffffffff);
}

static void print_v128(wx_printer *p, const uint8_t bytes[16]) {
    wx_buf_str(p->out, " i32x4");
    for (int lane = 0; lane < 4; lane++) {
        const uint8_t *b = bytes + 4 * lane;
        wx_buf_printf(p->out, " 0x%02x%02x%02x%02x", b[3], b[2], b[1], b[0]);
    }
}

static void print_shuffle(wx_printer *p, const uint8_t bytes[16]) {
    for (int i = 0; i < 16; i++) wx_buf_printf(p->out, " %u", bytes[i]);
}

static void print_memarg(wx_printer *p, const wx_instr *in) {
    uint32_t natural = wx_imm_bytes(wx_ops[in->op].imm);
    if (in->a) wx_print_ref(p, WX_SPACE_MEMORY, in->a);
    if (in->offset) wx_buf_printf(p->out, " offset=%llu", (unsigned long long)in->offset);
    if (in->align < 32 && 1u << in->align != natural) wx_buf_printf(p->out, " align=%u", 1u << in->align);
}

// Index 0 of a space goes without saying where the instruction has nothing else to tell the two apart.
static void print_optional(wx_printer *p, wx_space space, uint32_t index) {
    if (index) wx_print_ref(p, space, index);
}

static void print_both(wx_printer *p, wx_space space, const wx_instr *in) {
    if (!in->a && !in->b) return;
    wx_print_ref(p, space, in->a);
    wx_print_ref(p, space, in->b);
}

static void print_heap(wx_printer *p, const wx_instr *in) {
    if (in->op == WX_OP_REF_NULL) wx_print_type(p, in->type);
    else wx_print_type(p, WX_REF(in->op == WX_OP_REF_TEST_NULL || in->op == WX_OP_REF_CAST_NULL, in->type));
}

static void print_immediate(wx_printer *p, const wx_instr *in) {
    wx_imm imm = wx_ops[in->op].imm;
    switch (imm) {
    case WX_IMM_NONE: case WX_IMM_ZERO_BYTE: break;
    case WX_IMM_BLOCK: print_block_type(p, in); break;
    case WX_IMM_LABEL: case WX_IMM_TYPE: case WX_IMM_LOCAL: wx_buf_printf(p->out, " %u", in->a); break;
    case WX_IMM_BR_TABLE: print_br_table(p, in); break;
    case WX_IMM_TRY_TABLE: print_block_type(p, in), print_clauses(p, in); break;
    case WX_IMM_FUNC: wx_print_ref(p, WX_SPACE_FUNC, in->a); break;
    case WX_IMM_GLOBAL: wx_print_ref(p, WX_SPACE_GLOBAL, in->a); break;
    case WX_IMM_TABLE: wx_print_ref(p, WX_SPACE_TABLE, in->a); break;
    case WX_IMM_MEMORY: print_optional(p, WX_SPACE_MEMORY, in->a); break;
    case WX_IMM_TAG: wx_print_ref(p, WX_SPACE_TAG, in->a); break;
    case WX_IMM_DATA: wx_print_ref(p, WX_SPACE_DATA, in->a); break;
    case WX_IMM_ELEM: wx_print_ref(p, WX_SPACE_ELEM, in->a); break;
    case WX_IMM_CALL_INDIRECT:
        print_optional(p, WX_SPACE_TABLE, in->b);
        wx_buf_printf(p->out, " (type %u)", in->a);
        break;
    case WX_IMM_SELECT_T: print_select_types(p, in); break;
    case WX_IMM_HEAP: print_heap(p, in); break;
    case WX_IMM_FIELD: case WX_IMM_TYPE_N: case WX_IMM_TYPE_TYPE: wx_buf_printf(p->out, " %u %u", in->a, in->b); break;
    case WX_IMM_TYPE_DATA: wx_buf_printf(p->out, " %u", in->a), wx_print_ref(p, WX_SPACE_DATA, in->b); break;
    case WX_IMM_TYPE_ELEM: wx_buf_printf(p->out, " %u", in->a), wx_print_ref(p, WX_SPACE_ELEM, in->b); break;
    case WX_IMM_BR_CAST:
        wx_buf_printf(p->out, " %u", in->a);
        wx_print_type(p, in->type), wx_print_type(p, in->type2);
        break;
    case WX_IMM_DATA_MEMORY: print_optional(p, WX_SPACE_MEMORY, in->b), wx_print_ref(p, WX_SPACE_DATA, in->a); break;
    case WX_IMM_ELEM_TABLE: print_optional(p, WX_SPACE_TABLE, in->b), wx_print_ref(p, WX_SPACE_ELEM, in->a); break;
    case WX_IMM_MEMORY_MEMORY: print_both(p, WX_SPACE_MEMORY, in); break;
    case WX_IMM_TABLE_TABLE: print_both(p, WX_SPACE_TABLE, in); break;
    case WX_IMM_I32: case WX_IMM_I64: wx_buf_printf(p->out, " %lld", (long long)in->bits); break;
    case WX_IMM_F32: print_f32(p, (uint32_t)in->bits); break;
    case WX_IMM_F64: print_f64(p, in->bits); break;
    case WX_IMM_V128: print_v128(p, in->bytes); break;
    case WX_IMM_SHUFFLE: print_shuffle(p, in->bytes); break;
    case WX_IMM_LANE: wx_buf_printf(p->out, " %u", in->lane); break;
    case WX_IMM_MEM1: case WX_IMM_MEM2: case WX_IMM_MEM4: case WX_IMM_MEM8: case WX_IMM_MEM16:
    case WX_IMM_ATOMIC1: case WX_IMM_ATOMIC2: case WX_IMM_ATOMIC4: case WX_IMM_ATOMIC8: print_memarg(p, in); break;
    case WX_IMM_MEM1_LANE: case WX_IMM_MEM2_LANE: case WX_IMM_MEM4_LANE: case WX_IMM_MEM8_LANE:
        print_memarg(p, in);
        wx_buf_printf(p->out, " %u", in->lane);
        break;
    }
}

// The nullable casts are instructions of their own, but in the text the type says so.
static void print_instr(wx_printer *p, const wx_instr *in) {
    const char *text = wx_ops[in->op].text, *space = strchr(text, ' ');
    wx_buf_add(p->out, text, space ? (size_t)(space - text) : strlen(text));
    print_immediate(p, in);
}

static void indent(wx_printer *p, uint32_t depth) {
    if (depth > DEEPEST_INDENT) depth = DEEPEST_INDENT;
    wx_buf_byte(p->out, '\n');
    for (uint32_t i = 0; i <= depth; i++) wx_buf_str(p->out, "  ");
}

static bool opens(wx_op op) { return wx_ops[op].imm == WX_IMM_BLOCK || op == WX_OP_TRY_TABLE; }
static bool closes(wx_op op) { return op == WX_OP_END || op == WX_OP_DELEGATE; }

static bool is_arm(wx_op op) { return op == WX_OP_ELSE || op == WX_OP_CATCH || op == WX_OP_CATCH_ALL; }

static void print_instrs(wx_printer *p, wx_reader *r) {
    wx_instr in;
    for (uint32_t depth = 1; depth;) {
        wx_instr_read(r, &in);
        if (!wx_reader_ok(r)) {
            wx_buf_printf(p->out, "\n    ;; 0x%llx: %s", (unsigned long long)r->err->offset, r->err->msg);
            return;
        }
        if (closes(in.op)) depth--;
        if (!depth) return;
        indent(p, depth - is_arm(in.op));
        print_instr(p, &in);
        if (opens(in.op)) depth++;
    }
}

static void print_locals(wx_printer *p, wx_reader *r) {
    uint32_t groups = wx_read_u32(r);
    if (groups) wx_buf_str(p->out, "\n    (local");
    for (uint32_t i = 0; i < groups && wx_reader_ok(r); i++) {
        uint32_t count = wx_read_u32(r);
        wx_type t = wx_read_value_type(r);
        for (uint32_t k = 0; k < count; k++) wx_print_type(p, t);
    }
    if (groups) wx_buf_byte(p->out, ')');
}

void wx_print_body(wx_printer *p, const wx_func *f) {
    wx_error err = {0};
    wx_reader r = wx_reader_make(f->code, &err);
    print_locals(p, &r);
    print_instrs(p, &r);
}

void wx_print_expr(wx_printer *p, wx_expr expr) {
    wx_error err = {0};
    wx_reader r = wx_reader_make(expr, &err);
    wx_instr in;
    for (uint32_t depth = 1; depth;) {
        wx_instr_read(&r, &in);
        depth += opens(in.op);
        depth -= closes(in.op);
        if (!wx_reader_ok(&r) || !depth) return;
        wx_buf_byte(p->out, ' ');
        print_instr(p, &in);
    }
}
