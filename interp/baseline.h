// interp/baseline.h: the second tier: machine code made from translated code, by copying stencils (stencil.h).
//
//   [ own entry of native callers | prologue | stencils and calls | where accesses out of bounds trap ]
//
// A frame is like the interpreter's: the same slots, on the native stack, with a frame pointer. So an interpreted
// function can go on here at any loop. Callees get the address of their arguments in the caller's frame, and leave
// their results there. A module's pieces reach what they share, the anchor, and each other by 32-bit distances.
#pragma once
#include "interp/stencil.h"

extern const bool wx_has_baseline; // on this architecture; without it the rest of this file is never called
extern const uint32_t wx_native_entry_bytes; // what native callers enter is so far before a piece's entry

enum wx_callee { WX_CALL_MANY, WX_CALL_ACCESS, WX_CALL_IMPORT, WX_CALL_INDIRECT, WX_CALL_REF, WX_CALLEES };
typedef void wx_callee_fn(wx_interp *it, char *ctx, uint64_t *fp, const wx_ins *in);

#define WX_POOL_ROOM 2048

typedef struct wx_anchor {
    wx_interp *it;
    wx_callee_fn *callees[WX_CALLEES]; // what is C
    wx_library library;
    _Alignas(32) uint8_t pool[WX_POOL_ROOM];
    void *_Atomic entries[]; // per function: its code, or wx_baseline_miss
} wx_anchor;

size_t wx_anchor_size(uint32_t func_count);
void wx_anchor_fill(wx_anchor *a, wx_interp *it);

// What is to be made of a body. Zero where not said otherwise.
typedef struct wx_piece {
    const wx_anchor *anchor;
    const struct wasmx_module *module; // with an instance, so that types have their identities
    const wx_body *body;
    uint32_t func;
    // For frames of the interpreter that go on at a loop: where each loop of the body is is written here, the beginning
    // first. NULL: for calls.
    void **loops;
    // out
    uint8_t *entry, *end;
} wx_piece;

// How much room it needs at most; 0: it cannot be made. loops: the number of loops.
size_t wx_baseline_bound(const wx_piece *p, uint32_t *loops);
// Writes it to room. False: it cannot be made.
bool wx_baseline_write(wx_piece *p, uint8_t *room, size_t size);

// ---- baseline_*.S
// Calls code of this tier; args holds the arguments, and the results afterwards.
void wx_baseline_enter(void *code, uint64_t *args, char *ctx, const wasmx_memory *memory);
// Goes on at a loop with this frame; the results are left in its first slots.
void wx_baseline_go_on(void *loop, uint64_t *fp, char *ctx, const wasmx_memory *memory);
void wx_baseline_miss(void); // the entry of who has no code here: calls
void wx_baseline_call(wx_interp *it, uint32_t func, uint64_t *args, char *ctx);
// Slots from 2 * func_count on, for wx_interp_enter: functions whose frame their own code will name.
#define WX_MADE_SLOT(it, func) (2 * (it)->m->func_count + (func))

// ---- Between baseline.c and baseline_*.c

typedef struct wx_fixup { uint8_t *at; const uint8_t *from; uint32_t target; } wx_fixup;
#define WX_TO_OUTSIDE UINT32_MAX
#define WX_NO_SLOT UINT32_MAX

typedef struct wx_maker {
    wx_piece *p;
    const wx_ins *code;
    uint8_t *at, *limit;
    bool failed;
    uint32_t len;          // instructions and words
    uint8_t *joins;        // by instruction: several ways lead here
    uint8_t **places;      // by instruction: its code
    wx_fixup *fixups;
    size_t fixup_count, fixup_cap;
    uint32_t last;         // the slot whose value is the last result
    const wx_ins *constant; // the instruction before this one, if it is one with this one
} wx_maker;

void wx_put(wx_maker *m, const void *bytes, size_t n);
void wx_put_32(wx_maker *m, int64_t x);
void wx_put_to(wx_maker *m, const void *place); // the distance to it, 32 bits
void wx_put_branch(wx_maker *m, uint32_t target); // likewise, to an instruction
void wx_put_head(wx_maker *m);
void wx_put_tail(wx_maker *m);
size_t wx_head_bound(const wx_piece *p);
void wx_put_by_hand(wx_maker *m, const wx_ins *in); // an instruction without a stencil
#define WX_BY_HAND_BOUND 192 // bytes; those of a table are more
