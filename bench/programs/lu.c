// lu: a matrix of doubles into a lower and an upper triangle, in place and without pivots; triangular loops.
#include "bench.h"

enum { N = 640 };
static double a[N][N];

static void prepare(void) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) a[i][j] = rng_unit() + (i == j ? N : 0);
}

static uint64_t work(void) {
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < i; j++) {
            for (int k = 0; k < j; k++) a[i][j] -= a[i][k] * a[k][j];
            a[i][j] /= a[j][j];
        }
        for (int j = i; j < N; j++)
            for (int k = 0; k < i; k++) a[i][j] -= a[i][k] * a[k][j];
    }
    return sum_bytes(a, sizeof a);
}
