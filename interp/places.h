// interp/places.h: where the values of a call are by the calling convention of Wasm functions.
//
// Integers and references travel in integer registers, floats and vectors in vector registers, each sort in order; what
// finds none left lies on the stack in 8 bytes, a vector in 16. Results: up to two in registers, more in memory that a
// last argument points to.
#pragma once
#include <string.h>

#include "interp/interp.h"

static inline bool wx_in_vec(wx_type t) { return t == WX_F32 || t == WX_F64 || t == WX_V128; }
static inline size_t wx_width(wx_type t) { return t == WX_V128 ? 16 : 8; }

typedef struct wx_cursor { uint32_t ints, vecs, words; } wx_cursor; // used so far

static inline uint64_t *wx_next_place(wx_cursor *c, wx_regs *r, wx_type t, uint64_t *stack) {
    bool in_vec = wx_in_vec(t);
    if (in_vec && c->vecs < 8) return r->vecs[c->vecs++];
    if (!in_vec && c->ints < wx_int_registers) return &r->ints[c->ints++];
    if (t == WX_V128) c->words += c->words & 1;
    uint64_t *at = &stack[c->words];
    c->words += (uint32_t)(wx_width(t) / 8);
    return at;
}

// Words of the stack that so many arguments, and one more for results, may take.
static inline size_t wx_most_words(const wx_typedef *t) { return 2 * (size_t)t->param_count + 2; }

static inline uint32_t wx_most_values(const wx_typedef *t) {
    return t->param_count > t->result_count ? t->param_count : t->result_count;
}

static inline uint64_t wx_narrowed(wx_type t, uint64_t x) { return t == WX_I32 || t == WX_F32 ? (uint32_t)x : x; }

// Where the i-th result is in registers; in order.
static inline uint64_t *wx_result_place(wx_cursor *c, wx_regs *r, wx_type t) {
    return wx_in_vec(t) ? r->vecs[c->vecs++] : &r->ints[c->ints++];
}
