// interp/loop.c: runs translated code.
//
// in: a body and its arguments   out: its results, in the arguments' place   One C function, threaded by the table of
// its labels; handlers are made from ops.def. A frame lies on the native stack, so a trap or a suspended call needs
// nothing of us. Compiled with frame pointers: backtraces pass through.
#include <string.h>

#include "interp/code.h"

typedef uint32_t u32;
typedef uint64_t u64;
typedef float f32;
typedef double f64;

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

// ---- Values in slots

static inline u32 get_u32(const u64 *fp, u32 i) { return (u32)fp[i]; }
static inline u64 get_u64(const u64 *fp, u32 i) { return fp[i]; }

static inline f32 get_f32(const u64 *fp, u32 i) {
    u32 bits = (u32)fp[i];
    f32 v;
    memcpy(&v, &bits, 4);
    return v;
}

static inline f64 get_f64(const u64 *fp, u32 i) {
    f64 v;
    memcpy(&v, &fp[i], 8);
    return v;
}

static inline void put_u32(u64 *fp, u32 i, u32 v) { fp[i] = v; }
static inline void put_u64(u64 *fp, u32 i, u64 v) { fp[i] = v; }

static inline void put_f32(u64 *fp, u32 i, f32 v) {
    u32 bits;
    memcpy(&bits, &v, 4);
    fp[i] = bits;
}

static inline void put_f64(u64 *fp, u32 i, f64 v) { memcpy(&fp[i], &v, 8); }

// What arithmetic gives where the bits of a NaN are the implementation's to choose.
static inline void put_f32c(u64 *fp, u32 i, f32 v) {
    if (LIKELY(v == v)) put_f32(fp, i, v);
    else fp[i] = 0x7fc00000u;
}

static inline void put_f64c(u64 *fp, u32 i, f64 v) {
    if (LIKELY(v == v)) put_f64(fp, i, v);
    else fp[i] = 0x7ff8000000000000u;
}

static inline u32 constant_u32(const wx_ins *in) { return (u32)(int16_t)in->c; }
static inline u64 constant_u64(const wx_ins *in) { return (u64)(int64_t)(int16_t)in->c; }

// ---- Arithmetic that C does not have as it is. x: ctx, for traps.

static inline void trap_if(char *x, bool condition, wasmx_status kind) {
    if (UNLIKELY(condition)) wx_interp_trap(x, kind);
}

#define DIVISION(bits, type, least) \
    static inline type div_s##bits(char *x, type a, type b) { \
        trap_if(x, b == 0, WASMX_TRAP_INTEGER_DIVIDE_BY_ZERO); \
        trap_if(x, a == (type)least && b == (type)-1, WASMX_TRAP_INTEGER_OVERFLOW); \
        return (type)((int##bits##_t)a / (int##bits##_t)b); \
    } \
    static inline type div_u##bits(char *x, type a, type b) { \
        trap_if(x, b == 0, WASMX_TRAP_INTEGER_DIVIDE_BY_ZERO); \
        return a / b; \
    } \
    static inline type rem_s##bits(char *x, type a, type b) { \
        trap_if(x, b == 0, WASMX_TRAP_INTEGER_DIVIDE_BY_ZERO); \
        return b == (type)-1 ? 0 : (type)((int##bits##_t)a % (int##bits##_t)b); \
    } \
    static inline type rem_u##bits(char *x, type a, type b) { \
        trap_if(x, b == 0, WASMX_TRAP_INTEGER_DIVIDE_BY_ZERO); \
        return a % b; \
    }
DIVISION(32, u32, INT32_MIN)
DIVISION(64, u64, INT64_MIN)

// An operand that converts to an integer: between the bounds, neither of which does.
static inline f64 checked(char *x, f64 a, f64 low, f64 high) {
    trap_if(x, a != a, WASMX_TRAP_INVALID_CONVERSION);
    trap_if(x, !(a > low && a < high), WASMX_TRAP_INTEGER_OVERFLOW);
    return a;
}

static inline u64 to_u64(f64 a) { return a < 0x1p63 ? (u64)(int64_t)a : (u64)(int64_t)(a - 0x1p63) + ((u64)1 << 63); }

static inline int64_t sat_s(f64 a, int64_t least, int64_t most) {
    if (a != a) return 0;
    if (a <= (f64)least) return least;
    return a >= (f64)most ? most : (int64_t)a; // most + 1 where it is no double: then nothing lies between
}

static inline u64 sat_u(f64 a, u64 most) {
    if (!(a > 0)) return 0;
    return a >= (f64)most ? most : to_u64(a);
}

#define LESSER_GREATER(type, sum) \
    static inline type min_##type(type a, type b) { \
        if (a != a || b != b) return sum; \
        if (a == b) return __builtin_signbit(a) ? a : b; \
        return a < b ? a : b; \
    } \
    static inline type max_##type(type a, type b) { \
        if (a != a || b != b) return sum; \
        if (a == b) return __builtin_signbit(a) ? b : a; \
        return a > b ? a : b; \
    }
LESSER_GREATER(f32, a + b)
LESSER_GREATER(f64, a + b)

// ---- The frame

static __attribute__((noinline, cold)) void stack_exhausted(char *ctx) {
    wx_interp_trap(ctx, WASMX_TRAP_STACK_EXHAUSTED);
}

static __attribute__((noinline, cold)) bool now_compiled(wx_interp *it, wx_ifunc *f, u32 loop, char *ctx) {
    wxrt_look(wx_instance_of(ctx));
    atomic_store_explicit(&f->heat, it->hot(it->arg, f, loop), memory_order_relaxed);
    return atomic_load_explicit(&f->code, memory_order_acquire);
}

// Counts; true when the count has run out.
static inline bool cool(wx_ifunc *f, int32_t by) {
    int32_t heat = atomic_load_explicit(&f->heat, memory_order_relaxed) - by;
    atomic_store_explicit(&f->heat, heat, memory_order_relaxed);
    return UNLIKELY(heat < 0);
}

// Code that goes on at the loop, if it has been made.
static __attribute__((noinline, cold)) void *at_loop(wx_interp *it, wx_ifunc *f, u32 loop, char *ctx) {
    now_compiled(it, f, loop, ctx);
    return atomic_load_explicit(&f->whole, memory_order_acquire);
}

static inline wasmx_memory *memory_0(wx_interp *it, char *ctx) {
    static wasmx_memory none;
    return it->m->memory_count ? *WX_ITEMS(ctx, it, memories, wasmx_memory *) : &none;
}

#define CALL_HEAT 10 // what a call counts, in turns of a loop

WX_LEFT_BY_TRAPS void wx_interpret(wx_interp *it, wx_ifunc *f, u64 *args, void *self, char *ctx) {
    static const void *const labels[I_COUNT] = {
#define ARITH(op, ...) [I_##op] = &&do_##op, [I_##op##_C] = &&do_##op##_C,
#define COMPARE(op, ...) [I_##op] = &&do_##op, [I_##op##_C] = &&do_##op##_C, \
                         [I_##op##_BR] = &&do_##op##_BR, [I_##op##_C_BR] = &&do_##op##_C_BR,
#define BINARY(op, ...) [I_##op] = &&do_##op,
#define UNARY(op, ...) [I_##op] = &&do_##op,
#define LOAD(op, ...) [I_##op] = &&do_##op,
#define STORE(op, ...) [I_##op] = &&do_##op,
#define MANY(op) [I_##op] = &&do_MANY,
#define OWN(op) [I_##op] = &&do_##op,
#include "interp/ops.def"
#undef ARITH
#undef COMPARE
#undef BINARY
#undef UNARY
#undef LOAD
#undef STORE
#undef MANY
#undef OWN
    };
    (void)self;
    const wx_body *body = atomic_load_explicit(&f->body, memory_order_acquire);
    if (UNLIKELY(!body) && !(body = wx_body_of(it, f))) {
        wx_call_native(it, it->m->funcs[f->index].type, atomic_load(&f->code), ctx, args);
        return;
    }
    atomic_store_explicit(&f->entries, atomic_load_explicit(&f->entries, memory_order_relaxed) + 1,
                          memory_order_relaxed); // threads may lose one
    if (cool(f, CALL_HEAT) && now_compiled(it, f, WX_NO_LOOP, ctx)) {
        wx_call_native(it, it->m->funcs[f->index].type, atomic_load(&f->code), ctx, args);
        return;
    }
    const u64 low = (u64)(uintptr_t)__builtin_frame_address(0) - body->slots * sizeof(u64) - 256;
    if (UNLIKELY(low < wx_instance_of(ctx)->stack_limit)) stack_exhausted(ctx);
    u64 *const fp = __builtin_alloca(body->slots * sizeof(u64));
    u32 slot = 0;
    for (; slot < body->params; slot++) fp[slot] = args[slot];
    for (; slot < body->locals; slot++) fp[slot] = 0;
    const wasmx_memory *const memory = memory_0(it, ctx);
    uint8_t *const base = memory->base;
    const wx_ins *ip = body->code;
    char *const x = ctx;
    u32 loop = WX_NO_LOOP;
    void *whole = atomic_load_explicit(&f->whole, memory_order_acquire);
    if (UNLIKELY(whole)) goto do_whole;

#define GO goto *labels[ip->op]
#define NEXT do { ip++; GO; } while (0)
#define NEXT_BUT(n) do { ip += 1 + (n); GO; } while (0)
#define BYTES __atomic_load_n(&memory->bytes, __ATOMIC_RELAXED)
#define BRANCH(word) do { ip = (word) + (word)->off; GO; } while (0)

    GO;

#define ARITH(op, T, expr) \
    do_##op: { const T a = get_##T(fp, ip->b), b = get_##T(fp, ip->c); put_##T(fp, ip->a, expr); } NEXT; \
    do_##op##_C: { const T a = get_##T(fp, ip->b), b = constant_##T(ip); put_##T(fp, ip->a, expr); } NEXT;
#define COMPARE(op, T, expr, not) \
    do_##op: { const T a = get_##T(fp, ip->b), b = get_##T(fp, ip->c); put_u32(fp, ip->a, expr); } NEXT; \
    do_##op##_C: { const T a = get_##T(fp, ip->b), b = constant_##T(ip); put_u32(fp, ip->a, expr); } NEXT; \
    do_##op##_BR: { const T a = get_##T(fp, ip->b), b = get_##T(fp, ip->c); if (expr) BRANCH(ip + 1); } NEXT_BUT(1); \
    do_##op##_C_BR: { const T a = get_##T(fp, ip->b), b = constant_##T(ip); if (expr) BRANCH(ip + 1); } NEXT_BUT(1);
#define BINARY(op, T, R, expr) \
    do_##op: { const T a = get_##T(fp, ip->b), b = get_##T(fp, ip->c); put_##R(fp, ip->a, expr); } NEXT;
#define UNARY(op, T, R, expr) do_##op: { const T a = get_##T(fp, ip->b); put_##R(fp, ip->a, expr); } NEXT;
#define LOAD(op, M, R) \
    do_##op: { \
        const u64 at = (u64)get_u32(fp, ip->b) + ip->c; \
        M v; \
        if (UNLIKELY(at + sizeof v > BYTES)) goto outside; \
        memcpy(&v, base + at, sizeof v); \
        put_##R(fp, ip->a, (R)v); \
    } NEXT;
#define STORE(op, T, M) \
    do_##op: { \
        const u64 at = (u64)get_u32(fp, ip->a) + ip->c; \
        const M v = (M)get_##T(fp, ip->b); \
        if (UNLIKELY(at + sizeof v > BYTES)) goto outside; \
        memcpy(base + at, &v, sizeof v); \
    } NEXT;
#define MANY(op)
#define OWN(op)
#include "interp/ops.def"
#undef ARITH
#undef COMPARE
#undef BINARY
#undef UNARY
#undef LOAD
#undef STORE
#undef MANY
#undef OWN

do_MANY: wx_interp_many(it, x, ip->op, fp + ip->a, (u32)ip[1].word, (u32)(ip[1].word >> 32)); NEXT_BUT(1);
do_TRAP: wx_interp_trap(x, ip->a);
do_MOVE: fp[ip->a] = fp[ip->b]; NEXT;
do_CONST: fp[ip->a] = ip[1].word; NEXT_BUT(1);
do_SMALL32: fp[ip->a] = (u32)(int16_t)ip->b; NEXT;
do_SMALL64: fp[ip->a] = (u64)(int64_t)(int16_t)ip->b; NEXT;
do_SELECT: fp[ip->a] = (u32)fp[ip[1].word] ? fp[ip->b] : fp[ip->c]; NEXT_BUT(1);
#define CELL(T) (*(T *)(void *)(x + (int64_t)ip[1].word))
#define FAR(T) (*(T *)CELL(void *))
do_GET32: fp[ip->a] = CELL(u32); NEXT_BUT(1);
do_GET64: fp[ip->a] = CELL(u64); NEXT_BUT(1);
do_SET32: CELL(u32) = (u32)fp[ip->a]; NEXT_BUT(1);
do_SET64: CELL(u64) = fp[ip->a]; NEXT_BUT(1);
do_GET32_FAR: fp[ip->a] = FAR(u32); NEXT_BUT(1);
do_GET64_FAR: fp[ip->a] = FAR(u64); NEXT_BUT(1);
do_SET32_FAR: FAR(u32) = (u32)fp[ip->a]; NEXT_BUT(1);
do_SET64_FAR: FAR(u64) = fp[ip->a]; NEXT_BUT(1);
do_ADDRESS: fp[ip->a] = (u64)(uintptr_t)&CELL(char); NEXT_BUT(1);
do_CHECK_REF: trap_if(x, !fp[ip->a], WASMX_TRAP_NULL_REFERENCE); NEXT;
do_ACCESS: wx_interp_access(it, x, fp, ip); NEXT_BUT(2);
do_LOOP:
    if (cool(f, 1) && (whole = at_loop(it, f, loop = (u32)ip->off, ctx))) goto do_whole;
    NEXT;
do_whole: {
    const u64 frame[WX_SLACK] = {(u64)(uintptr_t)fp, loop};
    wx_leave_words(whole, ctx, frame);
    for (u32 i = 0; i < body->results; i++) args[i] = fp[i];
    return;
}
do_BR: BRANCH(ip);
do_BR_IF: if ((u32)fp[ip->a]) BRANCH(ip); NEXT;
do_BR_UNLESS: if (!(u32)fp[ip->a]) BRANCH(ip); NEXT;
do_BR_REF: if (fp[ip->a]) BRANCH(ip); NEXT;
do_BR_NULL: if (!fp[ip->a]) BRANCH(ip); NEXT;
do_BR_TABLE: {
    const u32 i = (u32)fp[ip->a], n = (u32)ip->off;
    ip += 1 + (i < n ? i : n);
    BRANCH(ip);
}
do_RETURN: return;
do_RETURN_ONE: args[0] = fp[ip->a]; return;
do_RETURN_MANY: for (u32 i = 0; i < ip->b; i++) args[i] = fp[ip->a + i]; return;
do_CALL: wx_call_func(it, it->funcs + ip[1].word, fp + ip->a, ctx); NEXT_BUT(1);
do_CALL_IMPORT: {
    const wasmx_func *host = WX_ITEMS(ctx, it, imports, wasmx_func) + ip[1].word;
    wx_call_native(it, it->m->funcs[ip[1].word].type, host->code, host->ctx, fp + ip->a);
} NEXT_BUT(1);
do_CALL_INDIRECT: wx_interp_call_indirect(it, ctx, fp, ip); NEXT_BUT(1);
do_CALL_REF: wx_interp_call_ref(it, ctx, fp, ip); NEXT_BUT(1);
do_RUN_OUT: __builtin_unreachable();
outside: wx_interp_trap(x, WASMX_TRAP_MEMORY_OUT_OF_BOUNDS);
}
