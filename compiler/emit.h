// compiler/emit.h: all emitters, declared from the table.
#pragma once
#include "compiler/fn.h"
#include "compiler/simd.h"

#define OP(name, prefix, code, text, imm, sig, feature, emitter, a, b) \
    void emit_##emitter(fn *f, const wx_instr *in, int a_, int b_);
#include "wasm/opcodes.def"
#undef OP

void open_body(fn *f);                  // the label of the function itself
void emit_idiom(fn *f);                 // what the host does in a known function's stead
v emit_expression(fn *f, wx_expr expr); // a constant expression
void fn_open(fn *f, part *p, v llvm);
void fn_close(fn *f);
