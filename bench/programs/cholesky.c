// cholesky: the lower triangle whose square is a symmetric matrix; rows against rows.
#include "bench.h"

enum { N = 900 };
static double a[N][N];

static void prepare(void) {
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < i; j++) a[i][j] = rng_unit() - 0.5;
        a[i][i] = N;
    }
}

static uint64_t work(void) {
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < i; j++) {
            for (int k = 0; k < j; k++) a[i][j] -= a[i][k] * a[j][k];
            a[i][j] /= a[j][j];
        }
        for (int k = 0; k < i; k++) a[i][i] -= a[i][k] * a[i][k];
        a[i][i] = __builtin_sqrt(a[i][i]);
    }
    return sum_bytes(a, sizeof a);
}
