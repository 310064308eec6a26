// 2mm: D = alpha A B C + beta D in doubles by dot products, the second operand walked down its columns.
#include "bench.h"

enum { N = 420 };
static double a[N][N], b[N][N], c[N][N], d[N][N], t[N][N];

static void prepare(void) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            a[i][j] = rng_unit(), b[i][j] = rng_unit();
            c[i][j] = rng_unit(), d[i][j] = rng_unit();
        }
}

static uint64_t work(void) {
    const double alpha = 1.5, beta = 1.2;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            t[i][j] = 0;
            for (int k = 0; k < N; k++) t[i][j] += alpha * a[i][k] * b[k][j];
        }
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            d[i][j] *= beta;
            for (int k = 0; k < N; k++) d[i][j] += t[i][k] * c[k][j];
        }
    return sum_bytes(d, sizeof d);
}
