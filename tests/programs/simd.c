// tests/programs/simd.c: 128-bit vectors through the compilers' vector extensions; the same results on every machine.
// Built with -msimd128 for Wasm; natively the machine's baseline vectors (SSE2, NEON) do.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common.h"

typedef uint8_t u8x16 __attribute__((vector_size(16)));
typedef int8_t s8x16 __attribute__((vector_size(16)));
typedef uint16_t u16x8 __attribute__((vector_size(16)));
typedef int16_t s16x8 __attribute__((vector_size(16)));
typedef uint32_t u32x4 __attribute__((vector_size(16)));
typedef int32_t s32x4 __attribute__((vector_size(16)));
typedef uint64_t u64x2 __attribute__((vector_size(16)));
typedef int64_t s64x2 __attribute__((vector_size(16)));
typedef float f32x4 __attribute__((vector_size(16)));
typedef double f64x2 __attribute__((vector_size(16)));
typedef uint8_t u8x8 __attribute__((vector_size(8)));
typedef int32_t s32x2 __attribute__((vector_size(8)));

enum { N = 1 << 16 };
static uint8_t bytes[2][N];

#define LOAD(type, p) \
    ({ \
        type v_; \
        memcpy(&v_, (p), sizeof v_); \
        v_; \
    })
#define STORE(p, v) \
    ({ \
        __typeof__(v) v_ = (v); \
        memcpy((p), &v_, sizeof v_); \
    })
// a where the mask's bits are set, else b.
#define CHOOSE(mask, a, b) ((__typeof__(a))(((u8x16)(a) & (u8x16)(mask)) | ((u8x16)(b) & ~(u8x16)(mask))))

static void show(const char *name, const void *p, size_t n) {
    printf("%-10s %016llx\n", name, (unsigned long long)sum_bytes(SUM_START, p, n));
}

// ---- integers of every width

static u8x16 add_saturate(u8x16 a, u8x16 b) {
    u8x16 s = a + b;
    return s | (u8x16)(s < a);
}

static void bytes_and_shorts(void) {
    static uint8_t out[N];
    u16x8 total = {0};
    for (int round = 0; round < 150; round++)
        for (int i = 0; i < N; i += 16) {
            u8x16 a = LOAD(u8x16, bytes[0] + i), b = LOAD(u8x16, bytes[1] + i);
            u8x16 average = (a >> 1) + (b >> 1) + ((a | b) & 1);
            u8x16 mix = CHOOSE(a > b, add_saturate(a, average), a - b);
            s8x16 sa = (s8x16)a, sb = (s8x16)b;
            mix ^= (u8x16)CHOOSE(sa < sb, sa, sb); // signed minimum
            u16x8 low = __builtin_convertvector(LOAD(u8x8, bytes[0] + i), u16x8),
                  high = __builtin_convertvector(LOAD(u8x8, bytes[0] + i + 8), u16x8);
            total += (low * 257 + (high << 3)) ^ (u16x8)(((s16x8)low - (s16x8)high) >> 2);
            STORE(out + i, mix + (uint8_t)round);
        }
    show("u8x16", out, N);
    show("s16x8", &total, sizeof total);
}

static void words_and_longs(void) {
    u32x4 hash = {1, 2, 3, 4};
    s64x2 sums = {0};
    u64x2 product = {3, 5};
    for (int round = 0; round < 150; round++)
        for (int i = 0; i < N; i += 16) {
            u32x4 v = LOAD(u32x4, bytes[0] + i);
            hash = (hash ^ v) * 2654435761u;
            hash = hash << 13 | hash >> 19;
            s32x2 half = LOAD(s32x2, bytes[1] + i);
            sums += __builtin_convertvector(half, s64x2) * (s64x2){3, -5};
            product = product * 6364136223846793005ULL + (u64x2)v;
            product ^= product >> 29;
            sums -= (s64x2)(sums > (s64x2){1LL << 40, 1LL << 41}) & (s64x2){77, 99};
        }
    show("u32x4", &hash, sizeof hash);
    show("s64x2", &sums, sizeof sums);
    show("u64x2", &product, sizeof product);
}

// ---- lanes that change places

static void shuffles(void) {
    static uint8_t out[N];
    for (int i = 0; i < N; i += 16) {
        u8x16 a = LOAD(u8x16, bytes[0] + i), b = LOAD(u8x16, bytes[1] + i);
        u8x16 reversed = __builtin_shufflevector(a, a, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
        u8x16 zipped = __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
        u32x4 turned = __builtin_shufflevector((u32x4)reversed, (u32x4)zipped, 1, 6, 3, 4);
        u16x8 odd = __builtin_shufflevector((u16x8)a, (u16x8)b, 1, 3, 5, 7, 9, 11, 13, 15);
        STORE(out + i, (u8x16)turned ^ (u8x16)odd);
    }
    show("shuffles", out, N);
}

// 4 x 4 bytes transposed, the way image code does it.
static void transpose(void) {
    static uint32_t out[N / 4];
    for (int i = 0; i < N; i += 64) {
        u32x4 r[4];
        for (int k = 0; k < 4; k++) r[k] = LOAD(u32x4, bytes[0] + i + 16 * k);
        u32x4 a = __builtin_shufflevector(r[0], r[1], 0, 4, 1, 5), b = __builtin_shufflevector(r[0], r[1], 2, 6, 3, 7);
        u32x4 c = __builtin_shufflevector(r[2], r[3], 0, 4, 1, 5), d = __builtin_shufflevector(r[2], r[3], 2, 6, 3, 7);
        STORE(out + i / 4, __builtin_shufflevector(a, c, 0, 1, 4, 5));
        STORE(out + i / 4 + 4, __builtin_shufflevector(a, c, 2, 3, 6, 7));
        STORE(out + i / 4 + 8, __builtin_shufflevector(b, d, 0, 1, 4, 5));
        STORE(out + i / 4 + 12, __builtin_shufflevector(b, d, 2, 3, 6, 7));
    }
    show("transpose", out, sizeof out);
}

// ---- floating point

static void mandelbrot(void) {
    static uint8_t image[128][128];
    for (int y = 0; y < 128; y++)
        for (int x = 0; x < 128; x += 4) {
            f32x4 cx = {(float)x, (float)x + 1, (float)x + 2, (float)x + 3},
                  cy = {(float)y, (float)y, (float)y, (float)y};
            f32x4 zx = {0}, zy = {0};
            s32x4 count = {0};
            const f32x4 outside = {2, 2, 2, 2}; // a lane that left stays here and never overflows
            cx = cx / 43.0f - 2.0f, cy = cy / 64.0f - 1.0f;
            for (int i = 0; i < 1000; i++) {
                f32x4 xx = zx * zx, yy = zy * zy;
                s32x4 inside = xx + yy <= 4.0f;
                count -= inside;
                zy = zx * zy * 2.0f + cy;
                zx = xx - yy + cx;
                zx = CHOOSE(inside, zx, outside), zy = CHOOSE(inside, zy, outside);
            }
            for (int k = 0; k < 4; k++) image[y][x + k] = (uint8_t)count[k];
        }
    show("mandelbrot", image, sizeof image);
}

// Two bodies a vector, square roots lane by lane.
static void orbit(void) {
    f64x2 x = {1, 2}, y = {0, 0.5}, vx = {0, 0.1}, vy = {1, 0.6};
    for (int i = 0; i < 1000000; i++) {
        f64x2 r2 = x * x + y * y, r = {sqrt(r2[0]), sqrt(r2[1])};
        f64x2 pull = -0.001 / (r2 * r);
        vx += x * pull, vy += y * pull;
        x += vx * 0.001, y += vy * 0.001;
    }
    printf("orbit      %.17g %.17g %.17g %.17g\n", x[0], y[0], x[1], y[1]);
}

static void convert(void) {
    static float out[N / 4];
    s32x4 back = {0};
    const f32x4 most = {100, 100, 100, 100};
    for (int i = 0; i < N; i += 16) {
        s32x4 v = LOAD(s32x4, bytes[0] + i);
        f32x4 f = __builtin_convertvector(v, f32x4) / 65536.0f;
        f32x4 low = CHOOSE(f < 100.0f, f, most);
        STORE(out + i / 4, low * 0.5f - f);
        back += __builtin_convertvector(f, s32x4);
    }
    show("convert", out, sizeof out);
    show("truncate", &back, sizeof back);
}

int main(void) {
    uint64_t rng = 9;
    for (int i = 0; i < N; i++) bytes[0][i] = (uint8_t)rng_next(&rng), bytes[1][i] = (uint8_t)(rng_next(&rng) >> 40);
    bytes_and_shorts();
    words_and_longs();
    shuffles();
    transpose();
    mandelbrot();
    orbit();
    convert();
    return 0;
}
