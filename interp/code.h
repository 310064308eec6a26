// interp/code.h: translated code. Slots are 8 bytes; an i32 or f32 is in the low half, and the high half means nothing.
//
//   frame:  [ parameters | other locals | operand stack ]      one instruction: 8 bytes, some are followed by words
#pragma once
#include "interp/interp.h"

typedef enum wx_iop {
#define ARITH(op, ...) I_##op, I_##op##_C,
#define COMPARE(op, ...) I_##op, I_##op##_C, I_##op##_BR, I_##op##_C_BR,
#define BINARY(op, ...) I_##op,
#define UNARY(op, ...) I_##op,
#define LOAD(op, ...) I_##op,
#define STORE(op, ...) I_##op,
#define MANY(op) I_##op,
#define OWN(op) I_##op,
#include "interp/ops.def"
    I_COUNT
} wx_iop;

typedef union wx_ins {
    struct {
        uint16_t op, a;
        union {
            struct { uint16_t b, c; };
            int32_t off; // of a branch, in instructions from here
        };
    };
    uint64_t word;
} wx_ins;

struct wx_body {
    uint32_t slots;          // of a frame
    uint32_t params, results, locals; // locals: parameters included
    wx_ins code[];
};

#define WX_SLACK 8u // readable slots behind any arguments: wx_leave_words reads so many

// misc.c: an access that is not to a 32-bit memory 0 at a small offset. which: the op of the plain access.
void wx_interp_access(wx_interp *it, char *ctx, uint64_t *fp, const wx_ins *in);
// Looks a callee up and calls it: index and type, or a reference.
void wx_interp_call_indirect(wx_interp *it, char *ctx, uint64_t *fp, const wx_ins *in);
void wx_interp_call_ref(wx_interp *it, char *ctx, uint64_t *fp, const wx_ins *in);
void wx_interp_call_import(wx_interp *it, char *ctx, uint64_t *fp, const wx_ins *in);
// An instruction of MANY.
void wx_interp_call_many(wx_interp *it, char *ctx, uint64_t *fp, const wx_ins *in);

static inline wasmx_instance *wx_instance_of(char *ctx) {
    return (wasmx_instance *)(void *)(ctx - WXRT_LOW_GUARD - sizeof(wasmx_instance));
}
#define WX_ITEMS(ctx, it, array, type) \
    ((type *)(void *)((char *)(ctx) - WXRT_LOW_GUARD - sizeof(wasmx_instance) - (it)->layout->array))

static inline const wasmx_memory *wx_memory_0(wx_interp *it, char *ctx) {
    static const wasmx_memory none;
    return it->m->memory_count ? *WX_ITEMS(ctx, it, memories, wasmx_memory *) : &none;
}

void wx_baseline_enter(void *code, uint64_t *args, char *ctx, const wasmx_memory *memory); // baseline.h

// Calls the function by whatever tier it is in.
static inline void wx_call_func(wx_interp *it, wx_ifunc *f, uint64_t *args, char *ctx) {
    void *code = atomic_load_explicit(&f->code, memory_order_acquire);
    void *made = atomic_load_explicit(&f->made, memory_order_acquire);
    if (code) {
        wx_call_native(it, it->m->funcs[f->index].type, code, ctx, args);
        return;
    }
    if (made) {
        wx_baseline_enter(made, args, ctx, wx_memory_0(it, ctx));
        return;
    }
    typedef void through(wx_interp *, wx_ifunc *, uint64_t *, void *, char *);
    ((through *)(uintptr_t)wx_stub_inner(it->stubs, f->index))(it, f, args, (void *)(uintptr_t)wx_interpret, ctx);
}

__attribute__((noreturn, cold, noinline)) void wx_interp_trap(char *ctx, wasmx_status kind);
