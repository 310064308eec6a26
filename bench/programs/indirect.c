// indirect: a chain of small functions called through a table in an order that data decides.
#include "bench.h"

enum { OPS = 12, SCRIPT = 4096, ROUNDS = 7000 };
typedef uint32_t (*operation)(uint32_t x, uint32_t y);

static uint32_t op_add(uint32_t x, uint32_t y) { return x + y; }
static uint32_t op_sub(uint32_t x, uint32_t y) { return x - y; }
static uint32_t op_xor(uint32_t x, uint32_t y) { return x ^ y; }
static uint32_t op_or(uint32_t x, uint32_t y) { return x | y; }
static uint32_t op_mul(uint32_t x, uint32_t y) { return x * (y | 1); }
static uint32_t op_turn(uint32_t x, uint32_t y) { return x << (y & 15) | x >> (31 & -(y & 15)); }
static uint32_t op_low(uint32_t x, uint32_t y) { return x < y ? x + 7 : y; }
static uint32_t op_high(uint32_t x, uint32_t y) { return x > y ? x : y - 9; }
static uint32_t op_fold(uint32_t x, uint32_t y) { return x ^ x >> 16 ^ y; }
static uint32_t op_not(uint32_t x, uint32_t y) { return ~x + y; }
static uint32_t op_swap(uint32_t x, uint32_t y) { return (x << 16 | x >> 16) - y; }
static uint32_t op_count(uint32_t x, uint32_t y) { return x + (uint32_t)__builtin_clz(y | 1); }

static operation operations[OPS] = {op_add, op_sub, op_xor, op_or,  op_mul,  op_turn,
                                    op_low, op_high, op_fold, op_not, op_swap, op_count};
static uint8_t script[SCRIPT];

// Runs of one operation, so that the branch predictor is not all that is measured.
static void prepare(void) {
    uint8_t op = 0;
    for (int i = 0; i < SCRIPT; i++) {
        if (i % 16 == 0) op = (uint8_t)rng_below(OPS);
        script[i] = op;
    }
    for (int i = 0; i < OPS; i++) { // and so that nobody knows the table
        uint32_t k = rng_below(OPS);
        operation t = operations[i];
        operations[i] = operations[k];
        operations[k] = t;
    }
}

static uint64_t work(void) {
    uint32_t x = 1;
    for (uint32_t round = 0; round < ROUNDS; round++)
        for (uint32_t i = 0; i < SCRIPT; i++) x = operations[script[i]](x, round + i);
    return x;
}
