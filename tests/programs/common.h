// tests/programs/common.h: what the programs share: repeatable random numbers and a checksum of anything.
#pragma once
#include <stddef.h>
#include <stdint.h>

// xorshift64*: the same sequence everywhere. A seed is any value but 0.
static inline uint64_t rng_next(uint64_t *state) {
    uint64_t x = *state;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *state = x;
    return x * 0x2545f4914f6cdd1dULL;
}

// In [0, n), n > 0.
static inline uint32_t rng_below(uint64_t *state, uint32_t n) { return (uint32_t)((rng_next(state) >> 32) * n >> 32); }

// In [0, 1), 53 random bits.
static inline double rng_unit(uint64_t *state) { return (double)(rng_next(state) >> 11) * 0x1p-53; }

#define SUM_START 0xcbf29ce484222325ULL
static inline uint64_t sum_bytes(uint64_t sum, const void *data, size_t len) {
    const unsigned char *p = (const unsigned char *)data;
    for (size_t i = 0; i < len; i++) sum = (sum ^ p[i]) * 0x100000001b3ULL;
    return sum;
}
