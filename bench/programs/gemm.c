// gemm: C = beta C + alpha A B in doubles, the innermost loop along rows: made for vectors.
#include "bench.h"

enum { N = 880 };
static double a[N][N], b[N][N], c[N][N];

static void prepare(void) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) a[i][j] = rng_unit(), b[i][j] = rng_unit(), c[i][j] = rng_unit();
}

static uint64_t work(void) {
    const double alpha = 1.5, beta = 1.2;
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++) c[i][j] *= beta;
        for (int k = 0; k < N; k++)
            for (int j = 0; j < N; j++) c[i][j] += alpha * a[i][k] * b[k][j];
    }
    return sum_bytes(c, sizeof c);
}
