// interp/stencils/stencils.c: one function for each way of each instruction (stencil.h). Not part of any program.
//
// in: ops.def   out: an object for tool.c   Every function has the same arguments in the same registers, and ends by a
// tail call of `next`; the addresses of `hole_...` stand for numbers that are known when the code is copied. A way that
// an instruction has not is not here. Compiled by clang for size, which turns a branch around a tail call into a
// conditional one.
#define TRAP_NOW(x, kind) do { (void)(x); TRAP_HERE(kind); __builtin_unreachable(); } while (0)
#define LIBRARY(name) library.name
#include "interp/stencil.h"

extern const wx_library library;
#include "interp/stencils/platform.h"
#include "interp/values.h"

#define STATE u64 *fp, char *x, uint8_t *base, const wasmx_memory *memory, u64 last
#define GO_ON(where) __attribute__((musttail)) return where(fp, x, base, memory, last)
#define STENCIL(op, way) __attribute__((preserve_none)) void op##__##way(STATE)
typedef __attribute__((preserve_none)) void stencil(STATE);
stencil next, taken;

#define X(name) extern char hole_##name[];
WX_HOLES_VALUE(X)
#undef X
#define HOLE(name) ((uintptr_t)hole_##name)
#define SLOT(name) (*(u64 *)(void *)((char *)fp + HOLE(name)))
#define SIGNED(name) ((u64)(int64_t)(int32_t)HOLE(name))
INLINE u32 constant_u32(void) { return (u32)HOLE(constant); }
INLINE u64 constant_u64(void) { return SIGNED(constant); }

INLINE u64 word_64(void) {
    u64 word;
    WORD_64(word);
    return word;
}

// The last result becomes r; stored is 1 or 0.
#define GIVE(r, stored) do { last = (r); if (stored) SLOT(a) = last; } while (0)

// In this order the conditional jump is the one that is not next.
#define BRANCH_IF(condition) if (LIKELY(!(condition))) GO_ON(next); GO_ON(taken);

// Each way of two operands, of one; of two and a result, of one and a result: ways 3 to 5 do not store it.
#define TWO(ways, ...) ways(0, SLOT(b), SLOT(c), __VA_ARGS__) ways(1, last, SLOT(c), __VA_ARGS__) \
    ways(2, SLOT(b), last, __VA_ARGS__)
#define TWO_GIVE(ways, ...) \
    ways(0, 1, SLOT(b), SLOT(c), __VA_ARGS__) ways(1, 1, last, SLOT(c), __VA_ARGS__) \
    ways(2, 1, SLOT(b), last, __VA_ARGS__) ways(3, 0, SLOT(b), SLOT(c), __VA_ARGS__) \
    ways(4, 0, last, SLOT(c), __VA_ARGS__) ways(5, 0, SLOT(b), last, __VA_ARGS__)
#define ONE_GIVE(ways, ...) \
    ways(0, 1, SLOT(b), __VA_ARGS__) ways(1, 1, last, __VA_ARGS__) \
    ways(3, 0, SLOT(b), __VA_ARGS__) ways(4, 0, last, __VA_ARGS__)
#define NONE_GIVE(ways, ...) ways(0, 1, __VA_ARGS__) ways(3, 0, __VA_ARGS__)

#define BINARY_WAY(way, stored, left, right, op, T, R, expr) \
    STENCIL(op, way) { const T a = as_##T(left), b = as_##T(right); GIVE(of_##R(expr), stored); GO_ON(next); }
#define CONSTANT_WAY(way, stored, left, op, T, R, expr) \
    STENCIL(op, way) { const T a = as_##T(left), b = constant_##T(); GIVE(of_##R(expr), stored); GO_ON(next); }
#define UNARY_WAY(way, stored, operand, op, T, R, expr) \
    STENCIL(op, way) { const T a = as_##T(operand); GIVE(of_##R(expr), stored); GO_ON(next); }
#define BRANCH_WAY(way, left, right, op, T, expr) \
    STENCIL(op, way) { const T a = as_##T(left), b = as_##T(right); BRANCH_IF(expr) }
#define CONSTANT_BRANCH_WAY(way, left, op, T, expr) \
    STENCIL(op, way) { const T a = as_##T(left), b = constant_##T(); BRANCH_IF(expr) }
#define LOAD_WAY(way, stored, address, CHECK, op, M, R) \
    STENCIL(op, way) { \
        const u64 at = (u64)(u32)(address) + HOLE(offset); \
        M v; \
        CHECK(at + sizeof v, memory->bytes); \
        memcpy(&v, base + at, sizeof v); \
        GIVE(of_##R((R)v), stored); \
        GO_ON(next); \
    }
#define STORE_WAY(way, address, value, CHECK, op, T, M) \
    STENCIL(op, way) { \
        const u64 at = (u64)(u32)(address) + HOLE(offset); \
        const M v = (M)as_##T(value); \
        CHECK(at + sizeof v, memory->bytes); \
        memcpy(base + at, &v, sizeof v); \
        GO_ON(next); \
    }
#define GUARDED(end, most) // ways 6 to 11: what lies behind the memory is never there

#define ARITH(op, T, expr) TWO_GIVE(BINARY_WAY, I_##op, T, T, expr) ONE_GIVE(CONSTANT_WAY, I_##op##_C, T, T, expr)
#define COMPARE(op, T, expr, not) \
    TWO_GIVE(BINARY_WAY, I_##op, T, u32, expr) ONE_GIVE(CONSTANT_WAY, I_##op##_C, T, u32, expr) \
    TWO(BRANCH_WAY, I_##op##_BR, T, expr) \
    CONSTANT_BRANCH_WAY(0, SLOT(b), I_##op##_C_BR, T, expr) CONSTANT_BRANCH_WAY(1, last, I_##op##_C_BR, T, expr)
#define BINARY(op, T, R, expr) TWO_GIVE(BINARY_WAY, I_##op, T, R, expr)
#define UNARY(op, T, R, expr) ONE_GIVE(UNARY_WAY, I_##op, T, R, expr)
#define LOAD(op, M, R) \
    ONE_GIVE(LOAD_WAY, TRAP_IF_ABOVE, I_##op, M, R) \
    LOAD_WAY(6, 1, SLOT(b), GUARDED, I_##op, M, R) LOAD_WAY(7, 1, last, GUARDED, I_##op, M, R) \
    LOAD_WAY(9, 0, SLOT(b), GUARDED, I_##op, M, R) LOAD_WAY(10, 0, last, GUARDED, I_##op, M, R)
#define STORE(op, T, M) \
    STORE_WAY(0, SLOT(a), SLOT(b), TRAP_IF_ABOVE, I_##op, T, M) \
    STORE_WAY(1, last, SLOT(b), TRAP_IF_ABOVE, I_##op, T, M) STORE_WAY(2, SLOT(a), last, TRAP_IF_ABOVE, I_##op, T, M) \
    STORE_WAY(6, SLOT(a), SLOT(b), GUARDED, I_##op, T, M) \
    STORE_WAY(7, last, SLOT(b), GUARDED, I_##op, T, M) STORE_WAY(8, SLOT(a), last, GUARDED, I_##op, T, M)
#define MANY(op)
#define OWN(op)
#include "interp/ops.def"

// ---- The interpreter's own instructions, but those that call or leave the function: baseline_*.c makes these

#define GIVE_WAY(way, stored, op, value) STENCIL(op, way) { GIVE(value, stored); GO_ON(next); }
#define GIVE_OPERAND_WAY(way, stored, operand, op) STENCIL(op, way) { GIVE(operand, stored); GO_ON(next); }
ONE_GIVE(GIVE_OPERAND_WAY, I_MOVE)
NONE_GIVE(GIVE_WAY, I_SMALL32, (u32)HOLE(small))
NONE_GIVE(GIVE_WAY, I_SMALL64, SIGNED(small))
NONE_GIVE(GIVE_WAY, I_CONST, word_64())

#define SELECT_WAY(way, stored, condition) \
    STENCIL(I_SELECT, way) { \
        const u64 then = SLOT(b), otherwise = SLOT(c); \
        GIVE((u32)(condition) ? then : otherwise, stored); \
        GO_ON(next); \
    }
SELECT_WAY(0, 1, SLOT(slot)) SELECT_WAY(1, 1, last) SELECT_WAY(3, 0, SLOT(slot)) SELECT_WAY(4, 0, last)

#define CELL(T) (*(T *)(void *)(x + HOLE(cell)))
#define FAR(T) (*(T *)CELL(void *))
NONE_GIVE(GIVE_WAY, I_GET32, CELL(u32))
NONE_GIVE(GIVE_WAY, I_GET64, CELL(u64))
NONE_GIVE(GIVE_WAY, I_GET32_FAR, FAR(u32))
NONE_GIVE(GIVE_WAY, I_GET64_FAR, FAR(u64))
NONE_GIVE(GIVE_WAY, I_ADDRESS, (u64)(uintptr_t)&CELL(char))

#define SET_WAY(way, value, op, cell, T) STENCIL(op, way) { cell = (T)(value); GO_ON(next); }
#define SET(...) SET_WAY(0, SLOT(a), __VA_ARGS__) SET_WAY(1, last, __VA_ARGS__)
SET(I_SET32, CELL(u32), u32)
SET(I_SET64, CELL(u64), u64)
SET(I_SET32_FAR, FAR(u32), u32)
SET(I_SET64_FAR, FAR(u64), u64)

STENCIL(I_CHECK_REF, 0) { trap_if(x, !SLOT(a), WASMX_TRAP_NULL_REFERENCE); GO_ON(next); }

#define TEST_WAY(way, operand, op, T, expr) \
    STENCIL(op, way) { const T a = as_##T(operand); BRANCH_IF(expr) }
#define TEST(...) TEST_WAY(0, SLOT(a), __VA_ARGS__) TEST_WAY(1, last, __VA_ARGS__)
TEST(I_BR_IF, u32, a)
TEST(I_BR_UNLESS, u32, !a)
TEST(I_BR_REF, u64, a)
TEST(I_BR_NULL, u64, !a)
