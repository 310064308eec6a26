// tests/wasi/fuzz_main.c: runs a fuzz target without libFuzzer: fuzz_main SEED SECONDS, or fuzz_main FILE.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t state;
static uint8_t bytes[2048];

static uint8_t random_byte(void) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint8_t)(state >> 56);
}

static int run_file(const char *name) {
    FILE *f = fopen(name, "rb");
    if (!f) return perror(name), 2;
    size_t n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    return LLVMFuzzerTestOneInput(bytes, n);
}

// An input that ends the process is in the file that is written before it.
static void keep(size_t n) {
    FILE *f = fopen("fuzz.input", "wb");
    if (f) fwrite(bytes, 1, n, f), fclose(f);
}

int main(int argc, char **argv) {
    if (argc == 2) return run_file(argv[1]);
    state = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    long runs = 0;
    for (time_t end = time(NULL) + (argc > 2 ? atoi(argv[2]) : 5); time(NULL) < end; runs++) {
        size_t n = (size_t)(random_byte() * 4);
        for (size_t k = 0; k < n; k++) bytes[k] = random_byte();
        keep(n);
        LLVMFuzzerTestOneInput(bytes, n);
    }
    printf("%ld inputs\n", runs);
    return 0;
}
