// tests/programs/matrix.c: loops over arrays of double, float and integers; every sum is taken in a fixed order.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common.h"

enum { N = 224 };
static double a[N][N], b[N][N], c[N][N];
static float fa[N][N], fb[N][N], fc[N][N];

static void fill(void) {
    uint64_t rng = 11;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            a[i][j] = rng_unit(&rng) - 0.5, b[i][j] = rng_unit(&rng) - 0.5, c[i][j] = 0;
            fa[i][j] = (float)a[i][j], fb[i][j] = (float)b[i][j], fc[i][j] = 0;
        }
}

static double sum(const double *p, size_t n) {
    double s = 0;
    for (size_t i = 0; i < n; i++) s += p[i] * (double)(i % 7 + 1);
    return s;
}

static double sum_f(const float *p, size_t n) {
    float s = 0;
    for (size_t i = 0; i < n; i++) s += p[i] * (float)(i % 7 + 1);
    return s;
}

static void gemm(void) {
    for (int i = 0; i < N; i++)
        for (int k = 0; k < N; k++)
            for (int j = 0; j < N; j++) c[i][j] += a[i][k] * b[k][j];
    for (int i = 0; i < N; i++)
        for (int k = 0; k < N; k++)
            for (int j = 0; j < N; j++) fc[i][j] += fa[i][k] * fb[k][j];
    printf("gemm %.17g %.9g\n", sum(&c[0][0], N * N), sum_f(&fc[0][0], N * N));
}

// LU decomposition with partial pivoting, then one solve and its residual.
static void lu(void) {
    static double m[N][N];
    double x[N], residual = 0;
    int row[N], swaps = 0;
    memcpy(m, a, sizeof m);
    for (int i = 0; i < N; i++) row[i] = i;
    for (int k = 0; k < N; k++) {
        int best = k;
        for (int i = k + 1; i < N; i++)
            if (fabs(m[row[i]][k]) > fabs(m[row[best]][k])) best = i;
        if (best != k) swaps++;
        int t = row[k];
        row[k] = row[best], row[best] = t;
        for (int i = k + 1; i < N; i++) {
            double f = m[row[i]][k] /= m[row[k]][k];
            for (int j = k + 1; j < N; j++) m[row[i]][j] -= f * m[row[k]][j];
        }
    }
    for (int i = 0; i < N; i++) {
        x[i] = b[row[i]][0];
        for (int j = 0; j < i; j++) x[i] -= m[row[i]][j] * x[j];
    }
    for (int i = N - 1; i >= 0; i--) {
        for (int j = i + 1; j < N; j++) x[i] -= m[row[i]][j] * x[j];
        x[i] /= m[row[i]][i];
    }
    for (int i = 0; i < N; i++) {
        double r = -b[i][0];
        for (int j = 0; j < N; j++) r += a[i][j] * x[j];
        residual = fmax(residual, fabs(r));
    }
    printf("lu swaps %d, x %.15g, residual %s\n", swaps, sum(x, N), residual < 1e-9 ? "small" : "LARGE");
}

static void jacobi(void) {
    static double u[2][N + 2][N + 2];
    memset(u, 0, sizeof u);
    for (int i = 0; i < N + 2; i++) u[0][0][i] = u[1][0][i] = 100, u[0][i][0] = u[1][i][0] = i;
    for (int step = 0; step < 800; step++) {
        double(*from)[N + 2] = u[step & 1], (*to)[N + 2] = u[~step & 1];
        for (int i = 1; i <= N; i++)
            for (int j = 1; j <= N; j++)
                to[i][j] = 0.25 * (from[i - 1][j] + from[i + 1][j] + from[i][j - 1] + from[i][j + 1]);
    }
    printf("jacobi %.17g\n", sum(&u[0][0][0], (N + 2) * (N + 2)));
}

static void blur(void) {
    static float from[256][256], to[256][256];
    uint64_t rng = 3;
    for (int y = 0; y < 256; y++)
        for (int x = 0; x < 256; x++) from[y][x] = (float)rng_below(&rng, 256);
    for (int pass = 0; pass < 60; pass++) {
        for (int y = 1; y < 255; y++)
            for (int x = 1; x < 255; x++) {
                float s = 0;
                for (int dy = -1; dy <= 1; dy++)
                    for (int dx = -1; dx <= 1; dx++) s += from[y + dy][x + dx];
                to[y][x] = s / 9.0f;
            }
        memcpy(from, to, sizeof from);
    }
    printf("blur %.9g\n", sum_f(&from[0][0], 256 * 256));
}

// Shortest paths, small integers; and a histogram, where stores depend on data.
static void integers(void) {
    static int32_t d[N][N];
    static uint16_t bins[1024];
    uint64_t rng = 21, total = 0;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) d[i][j] = i == j ? 0 : 1 + (int32_t)rng_below(&rng, 10000);
    for (int k = 0; k < N; k++)
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++)
                if (d[i][k] + d[k][j] < d[i][j]) d[i][j] = d[i][k] + d[k][j];
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) total += (uint64_t)d[i][j], bins[d[i][j] & 1023]++;
    printf("paths %llu, bins %016llx\n", (unsigned long long)total,
           (unsigned long long)sum_bytes(SUM_START, bins, sizeof bins));
}

static void mixed_widths(void) {
    static int8_t s8[4096];
    static uint8_t u8[4096];
    static int16_t s16[4096];
    static int64_t s64[4096];
    uint64_t rng = 8;
    int64_t dot = 0, saturated = 0;
    for (int i = 0; i < 4096; i++)
        s8[i] = (int8_t)rng_next(&rng), u8[i] = (uint8_t)rng_next(&rng), s16[i] = (int16_t)rng_next(&rng);
    for (int round = 0; round < 1000; round++) {
        for (int i = 0; i < 4096; i++) dot += s8[i] * u8[i] + s16[(i + round) & 4095];
        for (int i = 0; i < 4096; i++) {
            int v = s16[i] + s8[i] * 64;
            saturated += v > 32767 ? 32767 : v < -32768 ? -32768 : v;
            s64[i] += s16[i] * ((int64_t)1 << (i & 31));
        }
    }
    printf("widths %lld %lld %016llx\n", (long long)dot, (long long)saturated,
           (unsigned long long)sum_bytes(SUM_START, s64, sizeof s64));
}

int main(void) {
    fill();
    gemm();
    lu();
    jacobi();
    blur();
    integers();
    mixed_widths();
    return 0;
}
