// tests/snapshot/programs/grow.c: an initialiser that takes 100 MB, gives them back, and keeps a little from the middle.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT(name) __attribute__((export_name(name)))

enum { BLOCKS = 100, SIZE = 1 << 20 };
static uint8_t *kept;

EXPORT("wizer-initialize") void initialise(void) {
    uint8_t *blocks[BLOCKS];
    for (int i = 0; i < BLOCKS; i++) {
        blocks[i] = malloc(SIZE);
        if (!blocks[i]) __builtin_trap();
        memset(blocks[i], 0, SIZE);
        if (i % 10 == 0)
            for (int k = 0; k < SIZE; k += 5000) blocks[i][k] = (uint8_t)(i + k);
        if (i == 50) kept = malloc(100), memset(kept, 7, 100);
    }
    for (int i = 0; i < BLOCKS; i++) {
        memset(blocks[i], 0, SIZE / 2);
        free(blocks[i]);
    }
}

EXPORT("kept") uint32_t get(uint32_t i) { return kept[i % 100]++; }
EXPORT("pages") uint32_t pages(void) { return (uint32_t)__builtin_wasm_memory_size(0); }

EXPORT("use") uint32_t use(uint32_t n) {
    uint8_t *p = calloc(n % 100 + 1, 1000);
    if (!p) return 0;
    p[n % 1000] = (uint8_t)n;
    uint32_t sum = 0;
    for (uint32_t i = 0; i < (n % 100 + 1) * 1000; i++) sum += p[i];
    free(p);
    return sum;
}
