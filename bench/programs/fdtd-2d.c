// fdtd-2d: an electromagnetic field on a grid, three coupled arrays of doubles, stepped in time.
#include "bench.h"

enum { N = 500, STEPS = 480 };
static double ex[N][N], ey[N][N], hz[N][N], source[STEPS];

static void prepare(void) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) ex[i][j] = rng_unit(), ey[i][j] = rng_unit(), hz[i][j] = rng_unit();
    for (int t = 0; t < STEPS; t++) source[t] = rng_unit();
}

static uint64_t work(void) {
    for (int t = 0; t < STEPS; t++) {
        for (int j = 0; j < N; j++) ey[0][j] = source[t];
        for (int i = 1; i < N; i++)
            for (int j = 0; j < N; j++) ey[i][j] -= 0.5 * (hz[i][j] - hz[i - 1][j]);
        for (int i = 0; i < N; i++)
            for (int j = 1; j < N; j++) ex[i][j] -= 0.5 * (hz[i][j] - hz[i][j - 1]);
        for (int i = 0; i < N - 1; i++)
            for (int j = 0; j < N - 1; j++) hz[i][j] -= 0.7 * (ex[i][j + 1] - ex[i][j] + ey[i + 1][j] - ey[i][j]);
    }
    return sum_bytes(hz, sizeof hz);
}
