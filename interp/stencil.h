// interp/stencil.h: the table of stencils: machine code of single instructions with holes in it.
//
// stencils/stencils.c is compiled when wasmx is built, one function for each way of an instruction to find its
// operands; stencils/tool.c reads the object and writes this table as C. Copied one after the other, with their holes
// filled in, stencils are a function (baseline.c). The idea is copy-and-patch (Xu and Kjolstad, 2021).
//
//   in registers all along: the frame, ctx, the memory and its base, and the last result, from which the next
//   instruction may take an operand
#pragma once
#include "interp/code.h"

// What a hole takes: fields of the instruction, ...
#define WX_HOLES_VALUE(X) \
    X(a) X(b) X(c)     /* where in the frame these slots are */ \
    X(slot)            /* the one that the next word names */ \
    X(constant)        /* c as a constant */ \
    X(small)           /* b as a constant */ \
    X(offset)          /* c as an offset */ \
    X(cell)            /* the next word, an offset from ctx */ \
    X(word)            /* the next word, all 64 bits */
// ... or a place, as the distance from the end of the hole.
#define WX_HOLES_PLACE(X) \
    X(next)            /* behind this stencil */ \
    X(taken)           /* where the instruction branches to */ \
    X(outside)         /* a trap: the access was out of bounds */ \
    X(library)         /* wx_library */ \
    X(pool)            /* wx_stencil_pool */

typedef enum wx_hole_kind {
#define X(name) WX_HOLE_##name,
    WX_HOLES_VALUE(X) WX_HOLES_PLACE(X)
#undef X
    WX_HOLE_COUNT
} wx_hole_kind;

typedef struct wx_hole {
    uint8_t at, kind; // at: in the stencil
    int16_t addend;
} wx_hole;

typedef struct wx_stencil {
    uint32_t at, first_hole; // in wx_stencil_code, wx_stencil_holes
    uint8_t size, holes;
    bool exists;
} wx_stencil;

// The ways of an instruction: which operand is the last result; whether the own one is needed in its slot; whether an
// access out of bounds faults.
enum { WX_FROM_SLOTS, WX_FROM_FIRST, WX_FROM_SECOND, WX_UNSTORED, WX_GUARDED = 6, WX_WAYS = 12 };

extern const wx_stencil wx_stencils[I_COUNT][WX_WAYS]; // generated
extern const uint8_t wx_stencil_code[];
extern const wx_hole wx_stencil_holes[];
extern const uint8_t wx_stencil_pool[]; // constants that code reads
extern const uint32_t wx_stencil_pool_size;

typedef struct wx_library { // functions of C that stencils call
    float (*ceilf)(float), (*floorf)(float), (*truncf)(float), (*rintf)(float);
    double (*ceil)(double), (*floor)(double), (*trunc)(double), (*rint)(double);
} wx_library;
