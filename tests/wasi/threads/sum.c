// A sum in parts, over memory that grows while the threads are at work: each part asks for its own pages.
#include "thread.h"

enum { PARTS = 6, NUMBERS = 200000 };

#ifdef __wasm__
static uint32_t *numbers(void) {
    size_t pages = (NUMBERS * sizeof(uint32_t) + 65535) / 65536, at = __builtin_wasm_memory_grow(0, pages);
    return at == SIZE_MAX ? NULL : (uint32_t *)(at * 65536);
}
#else
#include <stdlib.h>
static uint32_t *numbers(void) { return calloc(NUMBERS, sizeof(uint32_t)); }
#endif

static uint64_t sums[PARTS];
static _Atomic uint32_t others_write;

static void add(void *argument) {
    uint32_t part = (uint32_t)(uintptr_t)argument, *at = numbers();
    if (!at) return;
    for (uint32_t k = 0; k < NUMBERS; k++) at[k] = part * NUMBERS + k;
    atomic_fetch_add(&others_write, 1);
    uint64_t sum = 0;
    for (uint32_t k = 0; k < NUMBERS; k++) sum += at[k];
    sums[part] = sum;
}

static void do_nothing(void *argument) { (void)argument; }

int main(int argc, char **argv) {
    static thread threads[PARTS];
    uint64_t sum = 0;
    (void)argc, (void)argv;
    for (uint32_t k = 0; k < PARTS; k++) spawn(&threads[k], add, (void *)(uintptr_t)k);
    for (int k = 0; k < PARTS; k++) join(&threads[k]), sum += sums[k];
    say("sum", sum);
    // One after another: places of threads that have ended are free again.
    for (uint32_t k = 0; k < 600; k++) spawn(&threads[0], do_nothing, NULL), join(&threads[0]);
    say("threads in a row", 600);
    return 0;
}
