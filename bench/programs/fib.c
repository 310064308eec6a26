// fib: nothing but calls.
#include "bench.h"

static volatile uint32_t n = 38;

static void prepare(void) {}

__attribute__((noinline)) static uint32_t fib(uint32_t k) { return k < 2 ? k : fib(k - 1) + fib(k - 2); }

static uint64_t work(void) { return fib(n); }
