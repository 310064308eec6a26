// gramschmidt: the columns of a matrix made orthogonal, one by one; all of it strided by a row.
#include "bench.h"

enum { M = 240, N = 200 };
static double a[M][N], q[M][N], r[N][N];

static void prepare(void) {
    for (int i = 0; i < M; i++)
        for (int j = 0; j < N; j++) a[i][j] = rng_unit() + (i == j ? 10 : 0);
}

static uint64_t work(void) {
    for (int round = 0; round < 12; round++)
        for (int k = 0; k < N; k++) {
            double norm = 0;
            for (int i = 0; i < M; i++) norm += a[i][k] * a[i][k];
            r[k][k] = __builtin_sqrt(norm);
            for (int i = 0; i < M; i++) q[i][k] = a[i][k] / r[k][k];
            for (int j = k + 1; j < N; j++) {
                r[k][j] = 0;
                for (int i = 0; i < M; i++) r[k][j] += q[i][k] * a[i][j];
                for (int i = 0; i < M; i++) a[i][j] -= q[i][k] * r[k][j];
            }
        }
    return sum_bytes(q, sizeof q) * 31 + sum_bytes(r, sizeof r);
}
