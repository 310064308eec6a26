// adi: heat in a plate by alternating directions; recurrences down columns, then back up.
#include "bench.h"

enum { N = 200, STEPS = 150 };
static double u[N][N], w[N][N], p[N][N], q[N][N];

static void prepare(void) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) u[i][j] = rng_unit();
}

static void sweep(double (*from)[N], double (*to)[N], double a, double b, double d) {
    double c = a, f = d;
    for (int i = 1; i < N - 1; i++) {
        to[0][i] = 1;
        p[i][0] = 0;
        q[i][0] = to[0][i];
        for (int j = 1; j < N - 1; j++) {
            p[i][j] = -c / (a * p[i][j - 1] + b);
            q[i][j] = (-d * from[j][i - 1] + (1 + 2 * d) * from[j][i] - f * from[j][i + 1] - a * q[i][j - 1]) /
                      (a * p[i][j - 1] + b);
        }
        to[N - 1][i] = 1;
        for (int j = N - 2; j >= 1; j--) to[j][i] = p[i][j] * to[j + 1][i] + q[i][j];
    }
}

static uint64_t work(void) {
    const double mul1 = 2.0 * N * N / STEPS / 100, mul2 = 1.0 * N * N / STEPS / 100;
    for (int step = 0; step < STEPS; step++) {
        sweep(u, w, -mul1 / 2, 1 + mul1, mul2 / 2);
        sweep(w, u, -mul2 / 2, 1 + mul2, mul1 / 2);
    }
    return sum_bytes(u, sizeof u);
}
