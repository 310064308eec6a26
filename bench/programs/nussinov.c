// nussinov: the most base pairs a strand of RNA can form with itself: dynamic programming over a triangle.
#include "bench.h"

enum { N = 960 };
static unsigned char base[N];
static int best[N][N];

static void prepare(void) {
    for (int i = 0; i < N; i++) base[i] = (unsigned char)rng_below(4);
}

static inline int larger(int a, int b) { return a > b ? a : b; }

static uint64_t work(void) {
    for (int i = N - 1; i >= 0; i--)
        for (int j = i + 1; j < N; j++) {
            best[i][j] = larger(best[i][j], best[i][j - 1]);
            if (i + 1 < N) best[i][j] = larger(best[i][j], best[i + 1][j]);
            if (i + 1 < N) {
                int pair = i < j - 1 && base[i] + base[j] == 3;
                best[i][j] = larger(best[i][j], best[i + 1][j - 1] + pair);
            }
            for (int k = i + 1; k < j; k++) best[i][j] = larger(best[i][j], best[i][k] + best[k + 1][j]);
        }
    return sum_bytes(best, sizeof best);
}
