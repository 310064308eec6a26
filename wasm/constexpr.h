// wasm/constexpr.h: constant expressions (core 3.3.11), for who must know their value before instantiation.
#pragma once
#include "wasm/instr.h"

typedef enum wx_const_kind {
    WX_CONST_NUMBER,   // bits (or bytes, for v128)
    WX_CONST_NULL,     // a null reference
    WX_CONST_FUNC,     // ref.func `index`
    WX_CONST_GLOBAL,   // global.get `index` alone, of a global whose value is not known here (an import, mostly)
    WX_CONST_EXPR,     // anything else: has to be computed at instantiation (extended constants over imports, GC);
                       // type is WX_NONE, the place of the expression says what it is
} wx_const_kind;

typedef struct wx_const {
    wx_const_kind kind;
    wx_type type;
    uint64_t bits;
    uint8_t bytes[16];
    uint32_t index;
} wx_const;

// Evaluates a validated expression as far as the module alone tells. Immutable globals with a known initialiser are
// followed, extended constants over known numbers are computed.
wx_const wx_const_eval(const wx_module *m, wx_expr expr);
// a op b, for the arithmetic that constant expressions may hold.
uint64_t wx_const_compute(wx_op op, uint64_t a, uint64_t b);
