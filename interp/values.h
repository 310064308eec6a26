// interp/values.h: what the expressions of ops.def mean in C: values in slots, and arithmetic that C does not have.
//
// Whoever includes it says first how a trap is raised, TRAP_NOW(ctx, kind), which does not return, and where the C
// library's functions are, LIBRARY(name).
#pragma once
#include <string.h>

#include "interp/code.h"

typedef uint32_t u32;
typedef uint64_t u64;
typedef float f32;
typedef double f64;

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

// Also where code is made small: what a stencil needs is in it. And in wx_interpret a sanitizer would forbid the place
// of a variable for ever.
#define INLINE static inline WX_LEFT_BY_TRAPS __attribute__((always_inline))

// ---- Values and the words that slots are

INLINE u32 as_u32(u64 word) { return (u32)word; }
INLINE u64 as_u64(u64 word) { return word; }

INLINE f32 as_f32(u64 word) {
    u32 bits = (u32)word;
    f32 v;
    memcpy(&v, &bits, 4);
    return v;
}

INLINE f64 as_f64(u64 word) {
    f64 v;
    memcpy(&v, &word, 8);
    return v;
}

INLINE u64 of_u32(u32 v) { return v; }
INLINE u64 of_u64(u64 v) { return v; }

INLINE u64 of_f32(f32 v) {
    u32 bits;
    memcpy(&bits, &v, 4);
    return bits;
}

INLINE u64 of_f64(f64 v) {
    u64 word;
    memcpy(&word, &v, 8);
    return word;
}

// What arithmetic gives where the bits of a NaN are the implementation's to choose.
INLINE u64 of_f32c(f32 v) { return LIKELY(v == v) ? of_f32(v) : 0x7fc00000u; }
INLINE u64 of_f64c(f64 v) { return LIKELY(v == v) ? of_f64(v) : 0x7ff8000000000000u; }

// ---- Arithmetic that C does not have as it is. x: ctx, for traps.

#define trap_if(x, condition, kind) do { if (UNLIKELY(condition)) TRAP_NOW(x, kind); } while (0)

#define DIVISION(bits, type, least) \
    INLINE type div_s##bits(char *x, type a, type b) { \
        trap_if(x, b == 0, WASMX_TRAP_INTEGER_DIVIDE_BY_ZERO); \
        trap_if(x, a == (type)least && b == (type)-1, WASMX_TRAP_INTEGER_OVERFLOW); \
        return (type)((int##bits##_t)a / (int##bits##_t)b); \
    } \
    INLINE type div_u##bits(char *x, type a, type b) { \
        trap_if(x, b == 0, WASMX_TRAP_INTEGER_DIVIDE_BY_ZERO); \
        return a / b; \
    } \
    INLINE type rem_s##bits(char *x, type a, type b) { \
        trap_if(x, b == 0, WASMX_TRAP_INTEGER_DIVIDE_BY_ZERO); \
        return b == (type)-1 ? 0 : (type)((int##bits##_t)a % (int##bits##_t)b); \
    } \
    INLINE type rem_u##bits(char *x, type a, type b) { \
        trap_if(x, b == 0, WASMX_TRAP_INTEGER_DIVIDE_BY_ZERO); \
        return a % b; \
    }
DIVISION(32, u32, INT32_MIN)
DIVISION(64, u64, INT64_MIN)

// An operand that converts to an integer: between the bounds, neither of which does.
INLINE f64 checked(char *x, f64 a, f64 low, f64 high) {
    trap_if(x, a != a, WASMX_TRAP_INVALID_CONVERSION);
    trap_if(x, !(a > low && a < high), WASMX_TRAP_INTEGER_OVERFLOW);
    return a;
}

INLINE u64 to_u64(f64 a) { return a < 0x1p63 ? (u64)(int64_t)a : (u64)(int64_t)(a - 0x1p63) + ((u64)1 << 63); }

INLINE int64_t sat_s(f64 a, int64_t least, int64_t most) {
    if (a != a) return 0;
    if (a <= (f64)least) return least;
    return a >= (f64)most ? most : (int64_t)a; // most + 1 where it is no double: then nothing lies between
}

INLINE u64 sat_u(f64 a, u64 most) {
    if (!(a > 0)) return 0;
    return a >= (f64)most ? most : to_u64(a);
}

#define LESSER_GREATER(type, sum) \
    INLINE type min_##type(type a, type b) { \
        if (a != a || b != b) return sum; \
        if (a == b) return __builtin_signbit(a) ? a : b; \
        return a < b ? a : b; \
    } \
    INLINE type max_##type(type a, type b) { \
        if (a != a || b != b) return sum; \
        if (a == b) return __builtin_signbit(a) ? b : a; \
        return a > b ? a : b; \
    }
LESSER_GREATER(f32, a + b)
LESSER_GREATER(f64, a + b)

INLINE f32 ceil_f32(f32 a) { return LIBRARY(ceilf)(a); }
INLINE f32 floor_f32(f32 a) { return LIBRARY(floorf)(a); }
INLINE f32 trunc_f32(f32 a) { return LIBRARY(truncf)(a); }
INLINE f32 nearest_f32(f32 a) { return LIBRARY(rintf)(a); }
INLINE f64 ceil_f64(f64 a) { return LIBRARY(ceil)(a); }
INLINE f64 floor_f64(f64 a) { return LIBRARY(floor)(a); }
INLINE f64 trunc_f64(f64 a) { return LIBRARY(trunc)(a); }
INLINE f64 nearest_f64(f64 a) { return LIBRARY(rint)(a); }
