// bench/programs/bench.h: the frame of every program here.
//
// A program defines prepare(), which makes its inputs and is not timed, and work(), which is, and which returns a
// checksum of everything it computed. main() prints the checksum on standard output and `TIME seconds` on standard
// error. work() must take 0.1-0.5 s natively, call no function of the C library that does real work, and compute the
// same on every machine: no pointers and no `long` in what is summed.
#pragma once
#include <stdint.h>
#include <stdio.h>
#include <time.h>

static void prepare(void);
static uint64_t work(void);

// xorshift64*: the same numbers everywhere.
static uint64_t rng_state = 0x9e3779b97f4a7c15ULL;
static inline uint32_t rng(void) {
    uint64_t x = rng_state;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    rng_state = x;
    return (uint32_t)(x * 0x2545f4914f6cdd1dULL >> 32);
}

static inline uint32_t rng_below(uint32_t n) { return (uint32_t)((uint64_t)rng() * n >> 32); }
static inline double rng_unit(void) { return rng() * 0x1p-32; } // in [0, 1)

// Eight bytes a step, so that it is no part of what is measured.
static inline uint64_t sum_bytes(const void *data, uint32_t size) {
    const unsigned char *p = (const unsigned char *)data;
    uint64_t sum = 0xcbf29ce484222325ULL, word;
    for (; size >= 8; size -= 8, p += 8) {
        __builtin_memcpy(&word, p, 8);
        sum = (sum ^ word) * 0x9e3779b97f4a7c15ULL;
        sum ^= sum >> 29;
    }
    for (; size; size--) sum = (sum ^ *p++) * 0x100000001b3ULL;
    return sum;
}

static double clock_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

int main(void) {
    prepare();
    double start = clock_seconds();
    uint64_t sum = work();
    double seconds = clock_seconds() - start;
    printf("%08x%08x\n", (unsigned)(sum >> 32), (unsigned)sum);
    fprintf(stderr, "TIME %.6f\n", seconds);
    return 0;
}
