// interp/loop.c: runs translated code.
//
// in: a body and its arguments   out: its results, in the arguments' place   One C function, threaded by the table of
// its labels; handlers are made from ops.def. A frame lies on the native stack, so a trap or a suspended call needs
// nothing of us. Compiled with frame pointers: backtraces pass through.
#define TRAP_NOW(x, kind) wx_interp_trap(x, kind)
#define LIBRARY(name) __builtin_##name
#include "interp/baseline.h"
#include "interp/values.h"

static inline u32 constant_u32(const wx_ins *in) { return (u32)(int16_t)in->c; }
static inline u64 constant_u64(const wx_ins *in) { return (u64)(int64_t)(int16_t)in->c; }

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

// Is there code that goes on at loops?
static inline bool has_loops(wx_ifunc *f) {
    return atomic_load_explicit(&f->loops, memory_order_acquire) ||
           atomic_load_explicit(&f->whole, memory_order_acquire);
}

static __attribute__((noinline, cold)) bool at_loop(wx_interp *it, wx_ifunc *f, u32 loop, char *ctx) {
    now_compiled(it, f, loop, ctx);
    return has_loops(f);
}

// Goes on there; the results are left in the frame's first slots.
static WX_LEFT_BY_TRAPS __attribute__((noinline)) void go_on(wx_interp *it, wx_ifunc *f, u32 loop, u64 *fp, char *ctx) {
    void **loops = atomic_load_explicit(&f->loops, memory_order_acquire);
    if (loops) {
        wx_baseline_go_on(loops[loop], fp, ctx, wx_memory_0(it, ctx));
        return;
    }
    const u64 frame[WX_SLACK] = {(u64)(uintptr_t)fp, loop};
    wx_leave_words(atomic_load_explicit(&f->whole, memory_order_acquire), ctx, frame);
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
    const wasmx_memory *const memory = wx_memory_0(it, ctx);
    uint8_t *const base = memory->base;
    const wx_ins *ip = body->code;
    char *const x = ctx;
    u32 loop = WX_NO_LOOP;
    if (UNLIKELY(has_loops(f))) goto go_on;

#define GO goto *labels[ip->op]
#define NEXT do { ip++; GO; } while (0)
#define NEXT_BUT(n) do { ip += 1 + (n); GO; } while (0)
#define BYTES __atomic_load_n(&memory->bytes, __ATOMIC_RELAXED)
#define BRANCH(word) do { ip = (word) + (word)->off; GO; } while (0)

    GO;

#define ARITH(op, T, expr) \
    do_##op: { const T a = as_##T(fp[ip->b]), b = as_##T(fp[ip->c]); fp[ip->a] = of_##T(expr); } NEXT; \
    do_##op##_C: { const T a = as_##T(fp[ip->b]), b = constant_##T(ip); fp[ip->a] = of_##T(expr); } NEXT;
#define COMPARE(op, T, expr, not) \
    do_##op: { const T a = as_##T(fp[ip->b]), b = as_##T(fp[ip->c]); fp[ip->a] = of_u32(expr); } NEXT; \
    do_##op##_C: { const T a = as_##T(fp[ip->b]), b = constant_##T(ip); fp[ip->a] = of_u32(expr); } NEXT; \
    do_##op##_BR: { const T a = as_##T(fp[ip->b]), b = as_##T(fp[ip->c]); if (expr) BRANCH(ip + 1); } NEXT_BUT(1); \
    do_##op##_C_BR: { const T a = as_##T(fp[ip->b]), b = constant_##T(ip); if (expr) BRANCH(ip + 1); } NEXT_BUT(1);
#define BINARY(op, T, R, expr) \
    do_##op: { const T a = as_##T(fp[ip->b]), b = as_##T(fp[ip->c]); fp[ip->a] = of_##R(expr); } NEXT;
#define UNARY(op, T, R, expr) do_##op: { const T a = as_##T(fp[ip->b]); fp[ip->a] = of_##R(expr); } NEXT;
#define LOAD(op, M, R) \
    do_##op: { \
        const u64 at = (u64)as_u32(fp[ip->b]) + ip->c; \
        M v; \
        if (UNLIKELY(at + sizeof v > BYTES)) goto outside; \
        memcpy(&v, base + at, sizeof v); \
        fp[ip->a] = of_##R((R)v); \
    } NEXT;
#define STORE(op, T, M) \
    do_##op: { \
        const u64 at = (u64)as_u32(fp[ip->a]) + ip->c; \
        const M v = (M)as_##T(fp[ip->b]); \
        if (UNLIKELY(at + sizeof v > BYTES)) goto outside; \
        memcpy(base + at, &v, sizeof v); \
    } NEXT;
#define MANY(op)
#define OWN(op)
#include "interp/ops.def"

do_MANY: wx_interp_call_many(it, x, fp, ip); NEXT_BUT(1);
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
    if (cool(f, 1) && at_loop(it, f, loop = (u32)ip->off, ctx)) goto go_on;
    NEXT;
go_on:
    go_on(it, f, loop, fp, ctx);
    for (u32 i = 0; i < body->results; i++) args[i] = fp[i];
    return;
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
do_CALL_IMPORT: wx_interp_call_import(it, ctx, fp, ip); NEXT_BUT(1);
do_CALL_INDIRECT: wx_interp_call_indirect(it, ctx, fp, ip); NEXT_BUT(1);
do_CALL_REF: wx_interp_call_ref(it, ctx, fp, ip); NEXT_BUT(1);
do_RUN_OUT: __builtin_unreachable();
outside: wx_interp_trap(x, WASMX_TRAP_MEMORY_OUT_OF_BOUNDS);
}
