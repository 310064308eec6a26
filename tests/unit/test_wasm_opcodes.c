// tests/unit/test_wasm_opcodes.c: opcodes.def agrees with itself and with the code that hangs from it.
#include <criterion/criterion.h>

#include <stdio.h>

#include "test_wasm_build.h"
#include "wasm/instr.h"
#include "wasm/opcodes.h"
#include "wasm/validate.h"

Test(opcodes, each_code_leads_to_its_row) {
    for (int op = 0; op < WX_OP_COUNT; op++) {
        const wx_op_info *info = &wx_ops[op];
        cr_expect(info->prefix == 0 ? info->code < 0xfb : info->prefix >= 0xfb && info->prefix <= 0xfe, "%s",
                  info->text);
        cr_assert_lt(info->code, WX_OP_CODES);
        cr_expect_eq(wx_op_lookup[WX_OP_SLOT(info->prefix) * WX_OP_CODES + info->code], op + 1, "%s: code used twice",
                     info->text);
    }
}

Test(opcodes, text_names_are_unique_but_for_select) {
    for (int op = 0; op < WX_OP_COUNT; op++) {
        wx_op found = wx_op_find(wx_ops[op].text);
        cr_expect(found == (wx_op)op || (op == WX_OP_SELECT_T && found == WX_OP_SELECT), "%s", wx_ops[op].text);
    }
    cr_expect_eq(wx_op_find("i32.frobnicate"), WX_OP_COUNT);
}

// Operands, one colon, results; only letters that stand for types, and "a" only where a memory is named.
Test(opcodes, signatures_are_well_formed) {
    for (int op = 0; op < WX_OP_COUNT; op++) {
        const wx_op_info *info = &wx_ops[op];
        if (strcmp(info->sig, "*") == 0) continue;
        const char *colon = strchr(info->sig, ':');
        bool memory = wx_imm_bytes(info->imm) || info->imm == WX_IMM_MEMORY;
        cr_assert(colon && !strchr(colon + 1, ':'), "%s", info->text);
        cr_expect_eq(strspn(info->sig, "iIfFva:"), strlen(info->sig), "%s", info->text);
        cr_expect_eq(strchr(info->sig, 'a') != NULL, memory, "%s", info->text);
        cr_expect_leq(strlen(colon + 1), 1, "%s", info->text);
    }
}

Test(opcodes, exactly_the_untyped_ones_have_handlers) {
    bool handled[WX_OP_COUNT] = {0};
#define X(op, handler) handled[WX_OP_##op] = true;
    WX_HANDLERS(X)
#undef X
    for (int op = 0; op < WX_OP_COUNT; op++)
        cr_expect_eq(handled[op], strcmp(wx_ops[op].sig, "*") == 0, "%s", wx_ops[op].text);
}

// What the name promises: the first operand or result type of i32.add is i32.
Test(opcodes, names_agree_with_signatures) {
    static const struct { const char *prefix; char letter;
    } types[] = {
        {"i32.", 'i'},   {"i64.", 'I'},   {"f32.", 'f'},   {"f64.", 'F'},   {"v128.", 'v'},  {"i8x16.", 'v'},
        {"i16x8.", 'v'}, {"i32x4.", 'v'}, {"i64x2.", 'v'}, {"f32x4.", 'v'}, {"f64x2.", 'v'},
    };
    for (int op = 0; op < WX_OP_COUNT; op++)
        for (size_t i = 0; i < sizeof types / sizeof *types; i++)
            if (starts_with(wx_ops[op].text, types[i].prefix))
                cr_expect(strchr(wx_ops[op].sig, types[i].letter), "%s", wx_ops[op].text);
}

// Accesses say their width in the name: i64.load32_u, i32.atomic.rmw8.add_u, v128.load16_lane; else the type's own.
static uint32_t bytes_by_name(const char *text) {
    unsigned bits = 0;
    const char *at = strstr(text, "rmw");
    if (!at) at = strstr(text, "load");
    if (!at) at = strstr(text, "store");
    if (!at) return 0;
    at += strcspn(at, "0123456789.");
    unsigned lanes = 1;
    if (*at && *at != '.') sscanf(at, "%ux%u", &bits, &lanes);
    if (bits) return bits * lanes / 8;
    return starts_with(text, "v128") ? 16 : text[1] == '3' ? 4 : 8;
}

Test(opcodes, access_widths_agree_with_names) {
    for (int op = 0; op < WX_OP_COUNT; op++) {
        uint32_t bytes = wx_imm_bytes(wx_ops[op].imm);
        if (bytes && !starts_with(wx_ops[op].text, "memory.atomic"))
            cr_expect_eq(bytes, bytes_by_name(wx_ops[op].text), "%s", wx_ops[op].text);
    }
}

Test(opcodes, lanes) {
    cr_expect_eq(wx_op_lanes(WX_OP_I8X16_EXTRACT_LANE_S), 16);
    cr_expect_eq(wx_op_lanes(WX_OP_F64X2_REPLACE_LANE), 2);
    cr_expect_eq(wx_op_lanes(WX_OP_V128_LOAD16_LANE), 8);
    for (int op = 0; op < WX_OP_COUNT; op++)
        if (wx_ops[op].imm == WX_IMM_LANE) cr_expect_gt(wx_op_lanes((wx_op)op), 0, "%s", wx_ops[op].text);
}

Test(opcodes, every_other_code_is_illegal) {
    for (int prefix = 0; prefix < 256; prefix++) {
        uint8_t bytes[24] = {(uint8_t)prefix};
        wx_error err = {0};
        wx_reader r = wx_reader_make((wx_span){.ptr = bytes, .len = sizeof bytes}, &err);
        wx_instr in;
        wx_instr_read(&r, &in);
        bool there = prefix >= 0xfb ? prefix <= 0xfe : wx_op_lookup[prefix] != 0;
        cr_expect_eq(err.code == WX_OK || !starts_with(err.msg, "illegal opcode"), there, "%02x: %s", prefix, err.msg);
    }
}

Test(opcodes, immediates_are_read_back) {
    static const uint8_t bytes[] = {0x29, 0x43, 0x02, 0x80, 0x01, 0x11, 0x05, 0x80, 0x80, 0x80, 0x80, 0x00, 0x41, 0x7f};
    wx_error err = {0};
    wx_reader r = wx_reader_make((wx_span){.ptr = bytes, .len = sizeof bytes, .offset = 10}, &err);
    wx_instr in;
    wx_instr_read(&r, &in);
    cr_expect(in.op == WX_OP_I64_LOAD && in.align == 3 && in.a == 2 && in.offset == 128 && in.at == 10);
    wx_instr_read(&r, &in);
    cr_expect(in.op == WX_OP_CALL_INDIRECT && in.a == 5 && in.b == 0 && in.at == 15);
    wx_instr_read(&r, &in);
    cr_expect(in.op == WX_OP_I32_CONST && in.bits == UINT64_MAX && wx_reader_done(&r) && wx_reader_ok(&r));
}
