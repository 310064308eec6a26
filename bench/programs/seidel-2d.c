// seidel-2d: a nine-point stencil in doubles that uses what it has just written.
#include "bench.h"

enum { N = 400, STEPS = 100 };
static double a[N][N];

static void prepare(void) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) a[i][j] = rng_unit();
}

static uint64_t work(void) {
    for (int step = 0; step < STEPS; step++)
        for (int i = 1; i < N - 1; i++)
            for (int j = 1; j < N - 1; j++)
                a[i][j] = (a[i - 1][j - 1] + a[i - 1][j] + a[i - 1][j + 1] + a[i][j - 1] + a[i][j] + a[i][j + 1] +
                           a[i + 1][j - 1] + a[i + 1][j] + a[i + 1][j + 1]) * (1.0 / 9.0);
    return sum_bytes(a, sizeof a);
}
