// compiler/emit_atomic.c: atomic accesses, wait and notify (threads proposal).
//
// All are sequentially consistent, and volatile: LLVM knows atomics that have no effect on memory, and would drop them
// with their traps. An address that is not aligned traps before its bounds are looked at. They work on every memory;
// one that nobody shares only knows no waiting.
#include "compiler/emit.h"

#include <string.h>

static ty inside_type(const fn *f, int bits) { return LLVMIntTypeInContext(f->p->c, (unsigned)bits); }

// The result's type: i32 or i64.
static ty result_of(const fn *f, const wx_instr *in) {
    return strchr(wx_ops[in->op].sig, ':')[1] == 'I' ? f->p->i64 : f->p->i32;
}

// A memory's start is aligned, so its own sum of address and offset says whether the access is.
static v aligned_address(fn *f, const wx_instr *in, v address, int bits) {
    uint32_t bytes = (uint32_t)bits / 8;
    ty type = LLVMTypeOf(address);
    if (bytes > 1) {
        v low = LLVMBuildAdd(f->b, address, LLVMConstInt(type, in->offset & (bytes - 1), false), "");
        low = LLVMBuildAnd(f->b, low, LLVMConstInt(type, bytes - 1, false), "");
        trap_if(f, LLVMBuildICmp(f->b, LLVMIntNE, low, LLVMConstNull(type), ""), WASMX_TRAP_UNALIGNED_ATOMIC);
    }
    return effective_address(f, in, address, bytes);
}

static v narrow(fn *f, v x, int bits) { return LLVMBuildTrunc(f->b, x, inside_type(f, bits), ""); }

static void push_wide(fn *f, const wx_instr *in, v x) { push(f, LLVMBuildZExt(f->b, x, result_of(f, in), "")); }

void emit_atomic_load(fn *f, const wx_instr *in, int bits, int b) {
    (void)b;
    v load = LLVMBuildLoad2(f->b, inside_type(f, bits), aligned_address(f, in, pop(f), bits), "");
    LLVMSetOrdering(load, LLVMAtomicOrderingSequentiallyConsistent);
    LLVMSetAlignment(load, (unsigned)bits / 8);
    LLVMSetVolatile(load, true);
    push_wide(f, in, load);
}

void emit_atomic_store(fn *f, const wx_instr *in, int bits, int b) {
    (void)b;
    v x = narrow(f, pop(f), bits);
    v store = LLVMBuildStore(f->b, x, aligned_address(f, in, pop(f), bits));
    LLVMSetOrdering(store, LLVMAtomicOrderingSequentiallyConsistent);
    LLVMSetAlignment(store, (unsigned)bits / 8);
    LLVMSetVolatile(store, true);
}

void emit_atomic_rmw(fn *f, const wx_instr *in, int bits, int op) {
    v x = narrow(f, pop(f), bits), at = aligned_address(f, in, pop(f), bits);
    v old = LLVMBuildAtomicRMW(f->b, (LLVMAtomicRMWBinOp)op, at, x, LLVMAtomicOrderingSequentiallyConsistent, false);
    LLVMSetVolatile(old, true);
    push_wide(f, in, old);
}

void emit_atomic_cmpxchg(fn *f, const wx_instr *in, int bits, int b) {
    (void)b;
    v fresh = narrow(f, pop(f), bits), expected = narrow(f, pop(f), bits), at = aligned_address(f, in, pop(f), bits);
    LLVMAtomicOrdering seq_cst = LLVMAtomicOrderingSequentiallyConsistent;
    v both = LLVMBuildAtomicCmpXchg(f->b, at, expected, fresh, seq_cst, seq_cst, false);
    LLVMSetVolatile(both, true);
    push_wide(f, in, LLVMBuildExtractValue(f->b, both, 0, ""));
}

void emit_atomic_fence(fn *f, const wx_instr *in, int a, int b) {
    (void)in, (void)a, (void)b;
    LLVMBuildFence(f->b, LLVMAtomicOrderingSequentiallyConsistent, false, "");
}

// ---- Waiting: the runtime checks alignment and bounds

static v whole_address(fn *f, const wx_instr *in, v address) {
    return LLVMBuildAdd(f->b, zext64(f, address), ci64(f->p, in->offset), "");
}

void emit_atomic_wait(fn *f, const wx_instr *in, int bits, int b) {
    (void)b;
    v timeout = pop(f), expected = pop(f), at = whole_address(f, in, pop(f));
    mem m = open_memory(f, in->a);
    v args[] = {m.record, at, expected, timeout};
    push(f, call_helper(f->p, bits == 64 ? HELP_atomic_wait64 : HELP_atomic_wait32, args, 4));
}

void emit_atomic_notify(fn *f, const wx_instr *in, int a, int b) {
    (void)a, (void)b;
    v count = pop(f), at = whole_address(f, in, pop(f));
    mem m = open_memory(f, in->a);
    push(f, call_helper(f->p, HELP_atomic_notify, (v[]){m.record, at, count}, 3));
}
