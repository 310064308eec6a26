// compiler/emit_number.c: scalar arithmetic, comparison and conversion (core 4.3.2, 4.3.3).
#include <float.h>

#include "compiler/emit.h"

static unsigned bits_of(v x) { return LLVMGetIntTypeWidth(LLVMTypeOf(x)); }
static v same_type_const(v like, uint64_t value) { return LLVMConstInt(LLVMTypeOf(like), value, false); }
static void push_bool(fn *f, v bit) { push(f, LLVMBuildZExt(f->b, bit, f->p->i32, "")); }

// ---- Constants

void emit_i32_const(fn *f, const wx_instr *in, int a, int b) {
    (void)a, (void)b;
    push(f, ci32(f->p, in->bits));
}

void emit_i64_const(fn *f, const wx_instr *in, int a, int b) {
    (void)a, (void)b;
    push(f, ci64(f->p, in->bits));
}

// From the bits, so that NaN payloads survive.
void emit_f32_const(fn *f, const wx_instr *in, int a, int b) {
    (void)a, (void)b;
    push(f, LLVMConstBitCast(ci32(f->p, in->bits), f->p->f32));
}

void emit_f64_const(fn *f, const wx_instr *in, int a, int b) {
    (void)a, (void)b;
    push(f, LLVMConstBitCast(ci64(f->p, in->bits), f->p->f64));
}

// ---- Integers

void emit_eqz(fn *f, const wx_instr *in, int a, int b) {
    (void)in, (void)a, (void)b;
    v x = pop(f);
    push_bool(f, LLVMBuildICmp(f->b, LLVMIntEQ, x, same_type_const(x, 0), ""));
}

void emit_icmp(fn *f, const wx_instr *in, int predicate, int b_) {
    (void)in, (void)b_;
    v b = pop(f), a = pop(f);
    push_bool(f, LLVMBuildICmp(f->b, (LLVMIntPredicate)predicate, a, b, ""));
}

void emit_int_unary(fn *f, const wx_instr *in, int which, int b) {
    (void)in, (void)b;
    v args[] = {pop(f), LLVMConstInt(f->p->i1, 0, false)}; // zero is a defined operand
    push(f, intrinsic1(f, which, LLVMTypeOf(args[0]), args, which == CTPOP ? 1 : 2));
}

void emit_int_binary(fn *f, const wx_instr *in, int op, int b_) {
    (void)in, (void)b_;
    v b = pop(f), a = pop(f);
    push(f, LLVMBuildBinOp(f->b, (LLVMOpcode)op, a, b, ""));
}

void emit_int_shift(fn *f, const wx_instr *in, int op, int b_) {
    (void)in, (void)b_;
    v b = pop(f), a = pop(f);
    b = LLVMBuildAnd(f->b, b, same_type_const(b, bits_of(a) - 1), "");
    push(f, LLVMBuildBinOp(f->b, (LLVMOpcode)op, a, b, ""));
}

void emit_int_rotate(fn *f, const wx_instr *in, int which, int b_) {
    (void)in, (void)b_;
    v b = pop(f), a = pop(f);
    push(f, intrinsic1(f, which, LLVMTypeOf(a), (v[]){a, a, b}, 3));
}

static v is_minimum(fn *f, v a) {
    return LLVMBuildICmp(f->b, LLVMIntEQ, a, same_type_const(a, (uint64_t)1 << (bits_of(a) - 1)), "");
}

static v is_minus_one(fn *f, v b) { return LLVMBuildICmp(f->b, LLVMIntEQ, b, LLVMConstAllOnes(LLVMTypeOf(b)), ""); }

void emit_int_div(fn *f, const wx_instr *in, int op, int b_) {
    (void)in, (void)b_;
    v b = pop(f), a = pop(f);
    trap_if(f, LLVMBuildICmp(f->b, LLVMIntEQ, b, same_type_const(b, 0), ""), WASMX_TRAP_INTEGER_DIVIDE_BY_ZERO);
    if (op == LLVMSDiv)
        trap_if(f, LLVMBuildAnd(f->b, is_minimum(f, a), is_minus_one(f, b), ""), WASMX_TRAP_INTEGER_OVERFLOW);
    // x % -1 is 0 for every x, also for the minimum, where the machine would fault.
    if (op == LLVMSRem) b = LLVMBuildSelect(f->b, is_minus_one(f, b), same_type_const(b, 1), b, "");
    push(f, LLVMBuildBinOp(f->b, (LLVMOpcode)op, a, b, ""));
}

void emit_int_wrap(fn *f, const wx_instr *in, int a, int b) {
    (void)in, (void)a, (void)b;
    push(f, LLVMBuildTrunc(f->b, pop(f), f->p->i32, ""));
}

void emit_int_extend(fn *f, const wx_instr *in, int is_signed, int b) {
    (void)in, (void)b;
    v x = pop(f);
    push(f, is_signed ? LLVMBuildSExt(f->b, x, f->p->i64, "") : LLVMBuildZExt(f->b, x, f->p->i64, ""));
}

void emit_int_extend_in_place(fn *f, const wx_instr *in, int width, int b) {
    (void)in, (void)b;
    v x = pop(f);
    v low = LLVMBuildTrunc(f->b, x, LLVMIntTypeInContext(f->p->c, (unsigned)width), "");
    push(f, LLVMBuildSExt(f->b, low, LLVMTypeOf(x), ""));
}

// ---- Floats

// The bits of the NaN that arithmetic gives in the deterministic profile, in the form of type, a float or a vector.
static v canonical_nan(fn *f, ty type, ty *bits) {
    bool is_vector = LLVMGetTypeKind(type) == LLVMVectorTypeKind;
    bool is_double = (is_vector ? LLVMGetElementType(type) : type) == f->p->f64;
    v one = is_double ? ci64(f->p, 0x7ff8000000000000u) : ci32(f->p, 0x7fc00000u);
    unsigned lanes = is_vector ? LLVMGetVectorSize(type) : 1;
    *bits = is_vector ? LLVMVectorType(LLVMTypeOf(one), lanes) : LLVMTypeOf(one);
    return is_vector ? LLVMConstVector((v[]){one, one, one, one}, lanes) : one;
}

// In the bits, because to LLVM all NaNs are the same.
v settle_nans(fn *f, v x) {
    if (!f->p->u->canonical_nans) return x;
    ty type = LLVMTypeOf(x), bits;
    v nan = canonical_nan(f, type, &bits), is_nan = LLVMBuildFCmp(f->b, LLVMRealUNO, x, x, "");
    return as(f, LLVMBuildSelect(f->b, is_nan, nan, as(f, x, bits), ""), type);
}

void emit_fcmp(fn *f, const wx_instr *in, int predicate, int b_) {
    (void)in, (void)b_;
    v b = pop(f), a = pop(f);
    push_bool(f, LLVMBuildFCmp(f->b, (LLVMRealPredicate)predicate, a, b, ""));
}

void emit_float_unary(fn *f, const wx_instr *in, int which, int b) {
    (void)in, (void)b;
    v x = pop(f);
    x = intrinsic1(f, which, LLVMTypeOf(x), &x, 1);
    push(f, which == FABS ? x : settle_nans(f, x));
}

void emit_float_neg(fn *f, const wx_instr *in, int a, int b) {
    (void)in, (void)a, (void)b;
    push(f, LLVMBuildFNeg(f->b, pop(f), ""));
}

void emit_float_binary(fn *f, const wx_instr *in, int op, int b_) {
    (void)in, (void)b_;
    v b = pop(f), a = pop(f);
    push(f, settle_nans(f, LLVMBuildBinOp(f->b, (LLVMOpcode)op, a, b, "")));
}

// llvm.minimum may hand a signalling NaN through; the sum of the operands is a quiet NaN exactly when one is a NaN.
v float_minmax(fn *f, int which, v a, v b) {
    v either_nan = LLVMBuildFCmp(f->b, LLVMRealUNO, a, b, "");
    v quiet = LLVMBuildFAdd(f->b, a, b, "");
    v ordered = intrinsic1(f, which, LLVMTypeOf(a), (v[]){a, b}, 2);
    LLVMSetFastMathFlags(ordered, LLVMFastMathNoNaNs);
    return settle_nans(f, LLVMBuildSelect(f->b, either_nan, quiet, ordered, ""));
}

void emit_float_minmax(fn *f, const wx_instr *in, int which, int b_) {
    (void)in, (void)b_;
    v b = pop(f), a = pop(f);
    push(f, float_minmax(f, which, a, b));
}

void emit_float_copysign(fn *f, const wx_instr *in, int a_, int b_) {
    (void)in, (void)a_, (void)b_;
    v b = pop(f), a = pop(f);
    push(f, intrinsic1(f, COPYSIGN, LLVMTypeOf(a), (v[]){a, b}, 2));
}

// ---- Conversions

static ty result_of(fn *f, const wx_instr *in) {
    switch (wx_ops[in->op].text[0] == 'i' ? wx_ops[in->op].text[1] : wx_ops[in->op].text[1] + 100) {
    case '3': return f->p->i32;
    case '6': return f->p->i64;
    case '3' + 100: return f->p->f32;
    default: return f->p->f64;
    }
}

// Exclusive bounds: the operand converts without overflow when low < x < high. Where the type of the operand cannot
// hold the integer's minimum - 1, low is the next float below the minimum.
static void conversion_bounds(bool from_f64, bool to_64, bool is_signed, double *low, double *high) {
    *high = to_64 ? (is_signed ? 0x1p63 : 0x1p64) : (is_signed ? 0x1p31 : 0x1p32);
    if (!is_signed) *low = -1.0;
    else if (to_64) *low = from_f64 ? -0x1.0000000000001p63 : -0x1.000002p63;
    else *low = from_f64 ? -2147483649.0 : -0x1.000002p31;
}

void emit_float_to_int(fn *f, const wx_instr *in, int is_signed, int b) {
    (void)b;
    v x = pop(f);
    ty to = result_of(f, in), from = LLVMTypeOf(x);
    double low, high;
    conversion_bounds(from == f->p->f64, to == f->p->i64, is_signed, &low, &high);
    trap_if(f, LLVMBuildFCmp(f->b, LLVMRealUNO, x, x, ""), WASMX_TRAP_INVALID_CONVERSION);
    v too_low = LLVMBuildFCmp(f->b, LLVMRealULE, x, LLVMConstReal(from, low), "");
    v too_high = LLVMBuildFCmp(f->b, LLVMRealUGE, x, LLVMConstReal(from, high), "");
    trap_if(f, LLVMBuildOr(f->b, too_low, too_high, ""), WASMX_TRAP_INTEGER_OVERFLOW);
    push(f, is_signed ? LLVMBuildFPToSI(f->b, x, to, "") : LLVMBuildFPToUI(f->b, x, to, ""));
}

void emit_float_to_int_sat(fn *f, const wx_instr *in, int is_signed, int b) {
    (void)b;
    v x = pop(f);
    push(f, intrinsic2(f, is_signed ? FPTOSI_SAT : FPTOUI_SAT, result_of(f, in), LLVMTypeOf(x), &x, 1));
}

void emit_int_to_float(fn *f, const wx_instr *in, int is_signed, int b) {
    (void)b;
    v x = pop(f);
    ty to = result_of(f, in);
    push(f, is_signed ? LLVMBuildSIToFP(f->b, x, to, "") : LLVMBuildUIToFP(f->b, x, to, ""));
}

void emit_float_demote(fn *f, const wx_instr *in, int a, int b) {
    (void)in, (void)a, (void)b;
    push(f, settle_nans(f, LLVMBuildFPTrunc(f->b, pop(f), f->p->f32, "")));
}

void emit_float_promote(fn *f, const wx_instr *in, int a, int b) {
    (void)in, (void)a, (void)b;
    push(f, settle_nans(f, LLVMBuildFPExt(f->b, pop(f), f->p->f64, "")));
}

void emit_reinterpret(fn *f, const wx_instr *in, int a, int b) {
    (void)a, (void)b;
    push(f, as(f, pop(f), result_of(f, in)));
}
