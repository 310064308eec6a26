// wasm/constexpr.c: evaluates constant expressions as far as the module alone tells.
//
// in: a validated expression. out: its value, or the reason there is none yet. allocates nothing.
//
// Globals may name earlier globals, whose expressions may name others twice each; so the work is bounded by a budget,
// and what exceeds it (or a small operand stack) is left to instantiation, which is always right.
#include "wasm/constexpr.h"

#include <string.h>

#define OPERANDS 8
#define DEPTH 32

typedef struct evaluator {
    const wx_module *m;
    int budget; // instructions left
    int depth;  // globals being followed
} evaluator;

static wx_const eval(evaluator *ev, wx_expr expr);

static wx_const number(wx_type type, uint64_t bits) {
    return (wx_const){.kind = WX_CONST_NUMBER, .type = type, .bits = bits};
}

static wx_const follow(evaluator *ev, uint32_t global) {
    const wx_global *g = &ev->m->globals[global];
    wx_const here = {.kind = WX_CONST_GLOBAL, .type = g->type, .index = global};
    if (g->import != WX_NO_INDEX || g->mutable || ev->depth == DEPTH) return here;
    ev->depth++;
    wx_const value = eval(ev, g->init);
    ev->depth--;
    return value.kind == WX_CONST_EXPR ? here : value;
}

uint64_t wx_const_compute(wx_op op, uint64_t a, uint64_t b) {
    switch (op) {
    case WX_OP_I32_ADD: return (uint32_t)(a + b);
    case WX_OP_I32_SUB: return (uint32_t)(a - b);
    case WX_OP_I32_MUL: return (uint32_t)(a * b);
    case WX_OP_I64_ADD: return a + b;
    case WX_OP_I64_SUB: return a - b;
    default: return a * b;
    }
}

// One instruction; false when it is not one that can be computed here.
static bool step(evaluator *ev, const wx_instr *in, wx_const *stack, int *height) {
    wx_const *next = &stack[*height];
    switch (in->op) {
    case WX_OP_I32_CONST: *next = number(WX_I32, (uint32_t)in->bits); break;
    case WX_OP_I64_CONST: *next = number(WX_I64, in->bits); break;
    case WX_OP_F32_CONST: *next = number(WX_F32, in->bits); break;
    case WX_OP_F64_CONST: *next = number(WX_F64, in->bits); break;
    case WX_OP_V128_CONST:
        *next = number(WX_V128, 0);
        memcpy(next->bytes, in->bytes, sizeof next->bytes);
        break;
    case WX_OP_REF_NULL: *next = (wx_const){.kind = WX_CONST_NULL, .type = WX_REF(true, in->type)}; break;
    case WX_OP_REF_FUNC:
        *next = (wx_const){
            .kind = WX_CONST_FUNC, .type = WX_REF(false, WX_INDEX_BIT | ev->m->funcs[in->a].type), .index = in->a};
        break;
    case WX_OP_GLOBAL_GET: *next = follow(ev, in->a); break;
    case WX_OP_I32_ADD: case WX_OP_I32_SUB: case WX_OP_I32_MUL:
    case WX_OP_I64_ADD: case WX_OP_I64_SUB: case WX_OP_I64_MUL:
        next -= 2, *height -= 2;
        if (next[0].kind != WX_CONST_NUMBER || next[1].kind != WX_CONST_NUMBER) return false;
        next->bits = wx_const_compute(in->op, next[0].bits, next[1].bits);
        break;
    default: return false;
    }
    ++*height;
    return true;
}

static wx_const eval(evaluator *ev, wx_expr expr) {
    wx_const stack[OPERANDS + 1] = {0}, unknown = {.kind = WX_CONST_EXPR};
    wx_error err = {0};
    wx_reader r = wx_reader_make(expr, &err);
    wx_instr in;
    for (int height = 0;;) {
        wx_instr_read(&r, &in);
        if (in.op == WX_OP_END) return height == 1 ? stack[0] : unknown;
        if (height == OPERANDS || --ev->budget < 0 || !step(ev, &in, stack, &height)) return unknown;
    }
}

wx_const wx_const_eval(const wx_module *m, wx_expr expr) {
    evaluator ev = {.m = m, .budget = 1000};
    return eval(&ev, expr);
}
