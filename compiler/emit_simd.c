// compiler/emit_simd.c: vectors (core 4.3.4). On the value stack a v128 is <2 x i64>; emitters cast to their shape.
#include "compiler/emit.h"

static ty lane_type(fn *f, int shape) {
    switch (shape) {
    case I8X16: return f->p->i8;
    case I16X8: return f->p->i16;
    case I32X4: return f->p->i32;
    case I64X2: return f->p->i64;
    case F32X4: return f->p->f32;
    default: return f->p->f64;
    }
}

static unsigned lanes_of(int shape) {
    static const unsigned lanes[] = {0, 16, 8, 4, 2, 4, 2};
    return lanes[shape];
}

static unsigned bits_of(int shape) { return 128 / lanes_of(shape); }
static ty vector(fn *f, int shape) { return LLVMVectorType(lane_type(f, shape), lanes_of(shape)); }
static ty int_vector(fn *f, int shape) {
    return LLVMVectorType(LLVMIntTypeInContext(f->p->c, bits_of(shape)), lanes_of(shape));
}
static v pop_as(fn *f, int shape) { return as(f, pop(f), vector(f, shape)); }
static void push_v(fn *f, v x) { push(f, as(f, x, f->p->v128)); }

static v splat(fn *f, v lane, unsigned n) {
    ty type = LLVMVectorType(LLVMTypeOf(lane), n);
    v first = LLVMBuildInsertElement(f->b, LLVMGetPoison(type), lane, ci32(f->p, 0), "");
    v zeros = LLVMConstNull(LLVMVectorType(f->p->i32, n));
    return LLVMBuildShuffleVector(f->b, first, LLVMGetPoison(type), zeros, "");
}

static v splat_int(fn *f, int shape, uint64_t value) {
    return splat(f, LLVMConstInt(LLVMIntTypeInContext(f->p->c, bits_of(shape)), value, true), lanes_of(shape));
}

// Lanes start, start + step, ... of a and b side by side.
static v pick(fn *f, v a, v b, unsigned start, unsigned step, unsigned n) {
    v mask[16];
    for (unsigned i = 0; i < n; i++) mask[i] = ci32(f->p, start + i * step);
    return LLVMBuildShuffleVector(f->b, a, b, LLVMConstVector(mask, n), "");
}

static v half(fn *f, v x, bool high, unsigned n) {
    return pick(f, x, LLVMGetPoison(LLVMTypeOf(x)), high ? n : 0, 1, n);
}

// ---- Constants, memory

void emit_v128_const(fn *f, const wx_instr *in, int a, int b) {
    (void)a, (void)b;
    uint64_t words[2];
    __builtin_memcpy(words, in->bytes, 16);
    push(f, LLVMConstVector((v[]){ci64(f->p, words[0]), ci64(f->p, words[1])}, 2));
}

void emit_v_load(fn *f, const wx_instr *in, int a, int b) {
    (void)a, (void)b;
    push(f, heap_load(f, f->p->v128, effective_address(f, in, pop(f), 16)));
}

void emit_v_store(fn *f, const wx_instr *in, int a, int b) {
    (void)a, (void)b;
    v x = pop(f);
    heap_store(f, x, effective_address(f, in, pop(f), 16));
}

void emit_v_load_extend(fn *f, const wx_instr *in, int bits, int is_signed) {
    unsigned n = 64 / (unsigned)bits;
    ty narrow = LLVMVectorType(LLVMIntTypeInContext(f->p->c, (unsigned)bits), n);
    ty wide = LLVMVectorType(LLVMIntTypeInContext(f->p->c, 2 * (unsigned)bits), n);
    v x = heap_load(f, narrow, effective_address(f, in, pop(f), 8));
    push_v(f, is_signed ? LLVMBuildSExt(f->b, x, wide, "") : LLVMBuildZExt(f->b, x, wide, ""));
}

static v load_lane(fn *f, const wx_instr *in, unsigned bits, v address) {
    return heap_load(f, LLVMIntTypeInContext(f->p->c, bits), effective_address(f, in, address, bits / 8));
}

void emit_v_load_splat(fn *f, const wx_instr *in, int bits, int b) {
    (void)b;
    push_v(f, splat(f, load_lane(f, in, (unsigned)bits, pop(f)), 128 / (unsigned)bits));
}

void emit_v_load_zero(fn *f, const wx_instr *in, int bits, int b) {
    (void)b;
    ty type = LLVMVectorType(LLVMIntTypeInContext(f->p->c, (unsigned)bits), 128 / (unsigned)bits);
    v lane = load_lane(f, in, (unsigned)bits, pop(f));
    push_v(f, LLVMBuildInsertElement(f->b, LLVMConstNull(type), lane, ci32(f->p, 0), ""));
}

static ty lanes_of_bits(fn *f, unsigned bits) {
    return LLVMVectorType(LLVMIntTypeInContext(f->p->c, bits), 128 / bits);
}

void emit_v_load_lane(fn *f, const wx_instr *in, int bits, int b) {
    (void)b;
    v x = as(f, pop(f), lanes_of_bits(f, (unsigned)bits));
    v lane = load_lane(f, in, (unsigned)bits, pop(f));
    push_v(f, LLVMBuildInsertElement(f->b, x, lane, ci32(f->p, in->lane), ""));
}

void emit_v_store_lane(fn *f, const wx_instr *in, int bits, int b) {
    (void)b;
    v x = as(f, pop(f), lanes_of_bits(f, (unsigned)bits));
    v lane = LLVMBuildExtractElement(f->b, x, ci32(f->p, in->lane), "");
    heap_store(f, lane, effective_address(f, in, pop(f), (uint32_t)bits / 8));
}

// ---- Lanes

void emit_v_splat(fn *f, const wx_instr *in, int shape, int b) {
    (void)in, (void)b;
    v x = pop(f);
    if (shape <= I16X8) x = LLVMBuildTrunc(f->b, x, lane_type(f, shape), "");
    push_v(f, splat(f, x, lanes_of(shape)));
}

void emit_v_extract_lane(fn *f, const wx_instr *in, int shape, int is_signed) {
    v lane = LLVMBuildExtractElement(f->b, pop_as(f, shape), ci32(f->p, in->lane), "");
    if (shape <= I16X8)
        lane = is_signed ? LLVMBuildSExt(f->b, lane, f->p->i32, "") : LLVMBuildZExt(f->b, lane, f->p->i32, "");
    push(f, lane);
}

void emit_v_replace_lane(fn *f, const wx_instr *in, int shape, int b) {
    (void)b;
    v lane = pop(f);
    if (shape <= I16X8) lane = LLVMBuildTrunc(f->b, lane, lane_type(f, shape), "");
    push_v(f, LLVMBuildInsertElement(f->b, pop_as(f, shape), lane, ci32(f->p, in->lane), ""));
}

void emit_v_shuffle(fn *f, const wx_instr *in, int a_, int b_) {
    (void)a_, (void)b_;
    v b = pop_as(f, I8X16), a = pop_as(f, I8X16), mask[16];
    for (int i = 0; i < 16; i++) mask[i] = ci32(f->p, in->bytes[i]);
    push_v(f, LLVMBuildShuffleVector(f->b, a, b, LLVMConstVector(mask, 16), ""));
}

static v target_intrinsic(fn *f, const char *name, ty overload, v *args, unsigned n) {
    unsigned id = LLVMLookupIntrinsicID(name, __builtin_strlen(name));
    ty type = LLVMIntrinsicGetType(f->p->c, id, &overload, overload ? 1 : 0);
    v callee = LLVMGetIntrinsicDeclaration(f->p->m, id, &overload, overload ? 1 : 0);
    return LLVMBuildCall2(f->b, type, callee, args, n, "");
}

// pshufb gives zero where the top bit of the index is set; adding 0x70 with saturation sets it for every index over
// 15. tbl gives zero for every index out of range.
void emit_v_swizzle(fn *f, const wx_instr *in, int a, int b) {
    (void)in, (void)a, (void)b;
    v index = pop_as(f, I8X16), x = pop_as(f, I8X16);
    if (f->p->u->is_x86) {
        index = intrinsic1(f, UADD_SAT, LLVMTypeOf(index), (v[]){index, splat_int(f, I8X16, 0x70)}, 2);
        push_v(f, target_intrinsic(f, "llvm.x86.ssse3.pshuf.b.128", NULL, (v[]){x, index}, 2));
    } else {
        push_v(f, target_intrinsic(f, "llvm.aarch64.neon.tbl1", LLVMTypeOf(x), (v[]){x, index}, 2));
    }
}

// ---- Comparison, bits

static void push_mask(fn *f, v bits, int shape) { push_v(f, LLVMBuildSExt(f->b, bits, int_vector(f, shape), "")); }

void emit_v_icmp(fn *f, const wx_instr *in, int shape, int predicate) {
    (void)in;
    v b = pop_as(f, shape), a = pop_as(f, shape);
    push_mask(f, LLVMBuildICmp(f->b, (LLVMIntPredicate)predicate, a, b, ""), shape);
}

void emit_v_fcmp(fn *f, const wx_instr *in, int shape, int predicate) {
    (void)in;
    v b = pop_as(f, shape), a = pop_as(f, shape);
    push_mask(f, LLVMBuildFCmp(f->b, (LLVMRealPredicate)predicate, a, b, ""), shape);
}

void emit_v_not(fn *f, const wx_instr *in, int a, int b) {
    (void)in, (void)a, (void)b;
    push(f, LLVMBuildNot(f->b, pop(f), ""));
}

void emit_v_andnot(fn *f, const wx_instr *in, int a_, int b_) {
    (void)in, (void)a_, (void)b_;
    v b = pop(f), a = pop(f);
    push(f, LLVMBuildAnd(f->b, a, LLVMBuildNot(f->b, b, ""), ""));
}

void emit_v_bitselect(fn *f, const wx_instr *in, int a_, int b_) {
    (void)in, (void)a_, (void)b_;
    v mask = pop(f), b = pop(f), a = pop(f);
    v from_a = LLVMBuildAnd(f->b, a, mask, ""), from_b = LLVMBuildAnd(f->b, b, LLVMBuildNot(f->b, mask, ""), "");
    push(f, LLVMBuildOr(f->b, from_a, from_b, ""));
}

static void push_truth(fn *f, v bit) { push(f, LLVMBuildZExt(f->b, bit, f->p->i32, "")); }

void emit_v_any_true(fn *f, const wx_instr *in, int a, int b) {
    (void)in, (void)a, (void)b;
    v x = pop(f), any = intrinsic1(f, REDUCE_OR, f->p->v128, &x, 1);
    push_truth(f, LLVMBuildICmp(f->b, LLVMIntNE, any, ci64(f->p, 0), ""));
}

void emit_v_all_true(fn *f, const wx_instr *in, int shape, int b) {
    (void)in, (void)b;
    v x = pop_as(f, shape);
    v set = LLVMBuildICmp(f->b, LLVMIntNE, x, LLVMConstNull(LLVMTypeOf(x)), "");
    push_truth(f, intrinsic1(f, REDUCE_AND, LLVMTypeOf(set), &set, 1));
}

void emit_v_bitmask(fn *f, const wx_instr *in, int shape, int b) {
    (void)in, (void)b;
    v x = pop_as(f, shape);
    v negative = LLVMBuildICmp(f->b, LLVMIntSLT, x, LLVMConstNull(LLVMTypeOf(x)), "");
    v packed = LLVMBuildBitCast(f->b, negative, LLVMIntTypeInContext(f->p->c, lanes_of(shape)), "");
    push(f, LLVMBuildZExt(f->b, packed, f->p->i32, ""));
}

// ---- Integers

void emit_v_int_binary(fn *f, const wx_instr *in, int shape, int op) {
    (void)in;
    v b = pop_as(f, shape), a = pop_as(f, shape);
    push_v(f, LLVMBuildBinOp(f->b, (LLVMOpcode)op, a, b, ""));
}

void emit_v_int_intrinsic(fn *f, const wx_instr *in, int shape, int which) {
    (void)in;
    v b = pop_as(f, shape), a = pop_as(f, shape);
    push_v(f, intrinsic1(f, which, vector(f, shape), (v[]){a, b}, 2));
}

void emit_v_int_abs(fn *f, const wx_instr *in, int shape, int b) {
    (void)in, (void)b;
    v args[] = {pop_as(f, shape), LLVMConstInt(f->p->i1, 0, false)}; // the minimum stays the minimum
    push_v(f, intrinsic1(f, ABS, vector(f, shape), args, 2));
}

void emit_v_int_neg(fn *f, const wx_instr *in, int shape, int b) {
    (void)in, (void)b;
    push_v(f, LLVMBuildNeg(f->b, pop_as(f, shape), ""));
}

void emit_v_popcnt(fn *f, const wx_instr *in, int shape, int b) {
    (void)in, (void)b;
    v x = pop_as(f, shape);
    push_v(f, intrinsic1(f, CTPOP, LLVMTypeOf(x), &x, 1));
}

void emit_v_shift(fn *f, const wx_instr *in, int shape, int op) {
    (void)in;
    v count = LLVMBuildAnd(f->b, pop(f), ci32(f->p, bits_of(shape) - 1), "");
    ty lane = lane_type(f, shape);
    count = shape == I64X2 ? LLVMBuildZExt(f->b, count, lane, "") : LLVMBuildTrunc(f->b, count, lane, "");
    push_v(f, LLVMBuildBinOp(f->b, (LLVMOpcode)op, pop_as(f, shape), splat(f, count, lanes_of(shape)), ""));
}

static v widen(fn *f, v x, unsigned bits, unsigned n, bool is_signed) {
    ty type = LLVMVectorType(LLVMIntTypeInContext(f->p->c, bits), n);
    return is_signed ? LLVMBuildSExt(f->b, x, type, "") : LLVMBuildZExt(f->b, x, type, "");
}

// The operand has twice as many lanes of half the width.
static v extend_half(fn *f, v x, int shape, bool high, bool is_signed) {
    return widen(f, half(f, as(f, x, vector(f, shape - 1)), high, lanes_of(shape)), bits_of(shape), lanes_of(shape),
                 is_signed);
}

void emit_v_extend_low(fn *f, const wx_instr *in, int shape, int is_signed) {
    (void)in;
    push_v(f, extend_half(f, pop(f), shape, false, is_signed));
}

void emit_v_extend_high(fn *f, const wx_instr *in, int shape, int is_signed) {
    (void)in;
    push_v(f, extend_half(f, pop(f), shape, true, is_signed));
}

static void extmul(fn *f, int shape, bool high, bool is_signed) {
    v b = extend_half(f, pop(f), shape, high, is_signed), a = extend_half(f, pop(f), shape, high, is_signed);
    push_v(f, LLVMBuildMul(f->b, a, b, ""));
}

void emit_v_extmul_low(fn *f, const wx_instr *in, int shape, int is_signed) {
    (void)in;
    extmul(f, shape, false, is_signed);
}

void emit_v_extmul_high(fn *f, const wx_instr *in, int shape, int is_signed) {
    (void)in;
    extmul(f, shape, true, is_signed);
}

// Sums of neighbours: even lanes plus odd lanes of the widened operand.
static v pairwise_sum(fn *f, v wide, int shape) {
    v none = LLVMGetPoison(LLVMTypeOf(wide));
    v even = pick(f, wide, none, 0, 2, lanes_of(shape)), odd = pick(f, wide, none, 1, 2, lanes_of(shape));
    return LLVMBuildAdd(f->b, even, odd, "");
}

void emit_v_extadd_pairwise(fn *f, const wx_instr *in, int shape, int is_signed) {
    (void)in;
    v wide = widen(f, pop_as(f, shape - 1), bits_of(shape), 2 * lanes_of(shape), is_signed);
    push_v(f, pairwise_sum(f, wide, shape));
}

void emit_v_dot(fn *f, const wx_instr *in, int shape, int b_) {
    (void)in, (void)b_;
    v b = widen(f, pop_as(f, I16X8), 32, 8, true), a = widen(f, pop_as(f, I16X8), 32, 8, true);
    push_v(f, pairwise_sum(f, LLVMBuildMul(f->b, a, b, ""), shape));
}

// Both operands side by side, clamped to the range of the narrow lanes.
void emit_v_narrow(fn *f, const wx_instr *in, int shape, int is_signed) {
    (void)in;
    v b = pop_as(f, shape + 1), a = pop_as(f, shape + 1);
    unsigned n = lanes_of(shape), bits = bits_of(shape);
    v wide = pick(f, a, b, 0, 1, n);
    ty type = LLVMTypeOf(wide), lane = LLVMGetElementType(type);
    int64_t low = is_signed ? -((int64_t)1 << (bits - 1)) : 0;
    int64_t high = is_signed ? ((int64_t)1 << (bits - 1)) - 1 : ((int64_t)1 << bits) - 1;
    v least = splat(f, LLVMConstInt(lane, (uint64_t)low, true), n),
      most = splat(f, LLVMConstInt(lane, (uint64_t)high, true), n);
    wide = intrinsic1(f, SMAX, type, (v[]){wide, least}, 2);
    wide = intrinsic1(f, SMIN, type, (v[]){wide, most}, 2);
    push_v(f, LLVMBuildTrunc(f->b, wide, vector(f, shape), ""));
}

// (a + b + 1) / 2 in twice the width.
void emit_v_avgr(fn *f, const wx_instr *in, int shape, int b_) {
    (void)in, (void)b_;
    unsigned bits = 2 * bits_of(shape), n = lanes_of(shape);
    v b = widen(f, pop_as(f, shape), bits, n, false), a = widen(f, pop_as(f, shape), bits, n, false);
    v one = splat(f, LLVMConstInt(LLVMIntTypeInContext(f->p->c, bits), 1, false), n);
    v sum = LLVMBuildAdd(f->b, LLVMBuildAdd(f->b, a, b, ""), one, "");
    push_v(f, LLVMBuildTrunc(f->b, LLVMBuildLShr(f->b, sum, one, ""), vector(f, shape), ""));
}

// (a * b + 2^14) >> 15, saturated: only -2^15 * -2^15 overflows.
void emit_v_q15mulr(fn *f, const wx_instr *in, int shape, int b_) {
    (void)in, (void)b_;
    v b = widen(f, pop_as(f, shape), 32, 8, true), a = widen(f, pop_as(f, shape), 32, 8, true);
    v round = splat(f, ci32(f->p, 1 << 14), 8), most = splat(f, ci32(f->p, 32767), 8);
    v sum = LLVMBuildAdd(f->b, LLVMBuildMul(f->b, a, b, ""), round, "");
    v product = LLVMBuildAShr(f->b, sum, splat(f, ci32(f->p, 15), 8), "");
    product = intrinsic1(f, SMIN, LLVMTypeOf(product), (v[]){product, most}, 2);
    push_v(f, LLVMBuildTrunc(f->b, product, vector(f, shape), ""));
}

// ---- Floats

void emit_v_float_unary(fn *f, const wx_instr *in, int shape, int which) {
    (void)in;
    v x = pop_as(f, shape);
    x = intrinsic1(f, which, LLVMTypeOf(x), &x, 1);
    push_v(f, which == FABS ? x : settle_nans(f, x));
}

void emit_v_float_neg(fn *f, const wx_instr *in, int shape, int b) {
    (void)in, (void)b;
    push_v(f, LLVMBuildFNeg(f->b, pop_as(f, shape), ""));
}

void emit_v_float_binary(fn *f, const wx_instr *in, int shape, int op) {
    (void)in;
    v b = pop_as(f, shape), a = pop_as(f, shape);
    push_v(f, settle_nans(f, LLVMBuildBinOp(f->b, (LLVMOpcode)op, a, b, "")));
}

void emit_v_float_minmax(fn *f, const wx_instr *in, int shape, int which) {
    (void)in;
    v b = pop_as(f, shape), a = pop_as(f, shape);
    push_v(f, float_minmax(f, which, a, b));
}

// pmin: b < a ? b : a; pmax: a < b ? b : a. Bits are handed through.
void emit_v_pminmax(fn *f, const wx_instr *in, int shape, int is_max) {
    (void)in;
    v b = pop_as(f, shape), a = pop_as(f, shape);
    v take_b = LLVMBuildFCmp(f->b, LLVMRealOLT, is_max ? a : b, is_max ? b : a, "");
    push_v(f, LLVMBuildSelect(f->b, take_b, b, a, ""));
}

void emit_v_trunc_sat(fn *f, const wx_instr *in, int shape, int is_signed) {
    (void)in;
    v x = pop_as(f, shape);
    unsigned n = lanes_of(shape);
    ty to = LLVMVectorType(f->p->i32, n);
    v ints = intrinsic2(f, is_signed ? FPTOSI_SAT : FPTOUI_SAT, to, LLVMTypeOf(x), &x, 1);
    push_v(f, n == 4 ? ints : pick(f, ints, LLVMConstNull(to), 0, 1, 4));
}

void emit_v_convert(fn *f, const wx_instr *in, int shape, int is_signed) {
    (void)in;
    v x = pop_as(f, I32X4);
    if (shape == F64X2) x = half(f, x, false, 2);
    ty to = vector(f, shape);
    push_v(f, is_signed ? LLVMBuildSIToFP(f->b, x, to, "") : LLVMBuildUIToFP(f->b, x, to, ""));
}

void emit_v_demote(fn *f, const wx_instr *in, int a, int b) {
    (void)in, (void)a, (void)b;
    ty to = LLVMVectorType(f->p->f32, 2);
    v x = settle_nans(f, LLVMBuildFPTrunc(f->b, pop_as(f, F64X2), to, ""));
    push_v(f, pick(f, x, LLVMConstNull(to), 0, 1, 4));
}

void emit_v_promote(fn *f, const wx_instr *in, int a, int b) {
    (void)in, (void)a, (void)b;
    push_v(f, settle_nans(f, LLVMBuildFPExt(f->b, half(f, pop_as(f, F32X4), false, 2), vector(f, F64X2), "")));
}
