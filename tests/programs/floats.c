// tests/programs/floats.c: floating point in and out: printf in many formats, strtod, rounding, conversions, special values.
// The sign and payload of a NaN that arithmetic makes is not fixed, so none is printed; nor is a denormal in %a, which C
// leaves open.
#include <fenv.h>
#include <float.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"

static uint64_t bits(double d) {
    uint64_t u;
    memcpy(&u, &d, 8);
    return u;
}

static uint32_t bits_f(float f) {
    uint32_t u;
    memcpy(&u, &f, 4);
    return u;
}

static double from_bits(uint64_t u) {
    double d;
    memcpy(&d, &u, 8);
    return d;
}

static const double values[] = {
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.1,
    1.0 / 3,
    2.5,
    3.5,
    -2.5,
    0.5,
    1e15,
    1e16,
    123456789.125,
    1e21,
    1e22,
    1e23,
    5e-324,
    2.2250738585072014e-308,
    1.7976931348623157e308,
    4.35,
    0.000123456,
    9.9999995,
    99999.95,
    1e-5,
    1e-4,
    6.02214076e23,
    HUGE_VAL,
    -HUGE_VAL,
};
enum { VALUES = sizeof values / sizeof *values };

static void formats(void) {
    static const char *const formats[] = {"%g", "%.17g", "%e",    "%.0e",    "%f",       "%.0f",  "%.3f",
                                          "%a", "%.2a",  "%+.5g", "%012.4f", "%-14.6e|", "%#.0f", "% G"};
    for (int i = 0; i < VALUES; i++) {
        for (size_t f = 0; f < sizeof formats / sizeof *formats; f++) {
            // 1e308 in %f is 309 digits: fine, but once is enough.
            if (fabs(values[i]) > 1e100 && isfinite(values[i]) && f != 4 && strchr(formats[f], 'f')) continue;
            if (fpclassify(values[i]) == FP_SUBNORMAL && strchr(formats[f], 'a')) continue;
            if (f) putchar(' ');
            printf(formats[f], values[i]);
        }
        putchar('\n');
    }
    printf("nan: %f %e %10g %-6F|\n", fabs((double)NAN), fabs((double)NAN), fabs((double)NAN), fabs((double)NAN));
}

static void parsing(void) {
    static const char *const texts[] = {
        "0",
        "-0",
        "1",
        "1.5e3xyz",
        ".5",
        "5.",
        "0x1.8p1",
        "0x.1p-4",
        "1e",
        "1e+",
        "inf",
        "-INFINITY!",
        "nan",
        "1e400",
        "-1e400",
        "1e-400",
        "4.9406564584124654e-324",
        "2.4703282292062327e-324",
        "2.4703282292062328e-324",
        "2.2250738585072011e-308",
        "1.7976931348623159e308",
        "9007199254740993",
        "9007199254740992.9999999999999999999999",
        "0.500000000000000166533453693773481063544750213623046875",
        "123456789012345678901234567890",
        "  \t12",
        "+7",
        "--7",
        "0x",
        "1.00000005960464477539062500000000000000000000000000000000000001",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char *end, *end_f;
        double d = strtod(texts[i], &end);
        float f = strtof(texts[i], &end_f);
        if (isnan(d)) printf("%s: nan, %d\n", texts[i], (int)(end - texts[i]));
        else
            printf("%s: %016" PRIx64 " %08" PRIx32 " %d %d\n", texts[i], bits(d), bits_f(f), (int)(end - texts[i]),
                   (int)(end_f - texts[i]));
    }
}

// Text and back must give the same bits; the sum covers the text.
static void round_trips(void) {
    uint64_t rng = 41, sum = SUM_START;
    int different = 0;
    for (int i = 0; i < 200000; i++) {
        double d = from_bits(rng_next(&rng));
        char text[40];
        if (!isfinite(d)) continue;
        int n = snprintf(text, sizeof text, i & 1 || !isnormal(d) ? "%.17g" : "%a", d);
        sum = sum_bytes(sum, text, (size_t)n);
        different += bits(strtod(text, NULL)) != bits(d);
    }
    printf("round trips: %d different, sum %016" PRIx64 "\n", different, sum);
}

static void rounding(void) {
    static double (*const functions[])(double) = {floor, ceil, trunc, rint, nearbyint, round, sqrt, fabs, cbrt};
    for (int i = 0; i < VALUES; i++) {
        for (size_t f = 0; f < sizeof functions / sizeof *functions; f++) {
            double r = functions[f](values[i]);
            if (isnan(r)) printf("nan ");
            else printf("%.13g%s ", r, r == 0 && signbit(r) ? "(neg)" : "");
        }
        putchar('\n');
    }
    float halves[] = {0.5f, 1.5f, -0.5f, -1.5f, 8388607.5f, 1e30f, 0.49999997f};
    for (int i = 0; i < 7; i++) {
        float h = halves[i];
        printf("%.9g: %.9g %.9g %.9g %.9g %.9g\n", (double)h, (double)floorf(h), (double)ceilf(h), (double)truncf(h),
               (double)rintf(h), (double)roundf(h));
    }
}

// Only conversions that C defines.
static void conversions(void) {
    static const double inside[] = {0,
                                    -0.9,
                                    0.9,
                                    1.5,
                                    -1.5,
                                    2147483647.0,
                                    -2147483648.0,
                                    4294967295.0,
                                    9007199254740993.0,
                                    -9223372036854775808.0,
                                    9223372036854774784.0,
                                    18446744073709549568.0};
    for (size_t i = 0; i < sizeof inside / sizeof *inside; i++) {
        volatile double v = inside[i];
        printf("%.17g:", v);
        if (v > -2147483649.0 && v < 2147483648.0) printf(" i32 %" PRId32, (int32_t)v);
        if (v > -1 && v < 4294967296.0) printf(" u32 %" PRIu32, (uint32_t)v);
        if (v >= -9223372036854775808.0 && v < 9223372036854775808.0) printf(" i64 %" PRId64, (int64_t)v);
        if (v > -1 && v < 18446744073709551616.0) printf(" u64 %" PRIu64, (uint64_t)v);
        printf(" f32 %08" PRIx32 "\n", bits_f((float)v));
    }
    static const uint64_t whole[] = {0,
                                     1,
                                     16777217,
                                     33554435,
                                     9007199254740993ULL,
                                     0x7fffffffffffffffULL,
                                     0x8000000000000000ULL,
                                     0xffffffffffffffffULL,
                                     0x8000008000000001ULL,
                                     0x20000000000001ULL};
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
        volatile uint64_t v = whole[i];
        printf("%" PRIu64 ": %016" PRIx64 " %016" PRIx64 " %08" PRIx32 " %08" PRIx32 " %08" PRIx32 " %08" PRIx32 "\n",
               v, bits((double)v), bits((double)(int64_t)v), bits_f((float)v), bits_f((float)(int64_t)v),
               bits_f((float)(uint32_t)v), bits_f((float)(int32_t)(uint32_t)v));
    }
}

static void special(void) {
    volatile double inf = HUGE_VAL, zero = 0, nan = NAN, one = 1;
    printf("comparisons %d%d%d%d%d%d%d\n", nan<one, nan> one, nan == nan, nan != nan, zero == -zero, inf > DBL_MAX,
           nan <= nan);
    printf("makes nan %d%d%d%d%d\n", isnan(inf - inf) != 0, isnan(zero / zero) != 0, isnan(inf * zero) != 0,
           isnan(sqrt(-one)) != 0, isnan(fmod(one, zero)) != 0);
    printf("zero sign %d%d%d%d\n", signbit(-zero) != 0, signbit(zero * -1) != 0, signbit(zero - zero) != 0,
           signbit(-zero + zero) != 0);
    printf("min max %g %g %g %g\n", fmin(nan, one), fmax(one, nan), fmin(inf, one), fmax(-inf, one));
    printf("copysign %g %g, 1/-0 %g, next %a %016" PRIx64 "\n", copysign(3, -zero), copysign(-3, one), one / -zero,
           nextafter(one, 2), bits(nextafter(zero, -1)));
    printf("denormal %016" PRIx64 " %08" PRIx32 " %016" PRIx64 "\n", bits(DBL_MIN / 2), bits_f(FLT_MIN * 0.5f),
           bits(DBL_MIN * DBL_EPSILON));
    printf("frexp ldexp modf fma %g %016" PRIx64 " %a\n", fmod(-7.5, 2), bits(scalbn(1.25, -1070)), fma(0.1, 10, -1));
    int e;
    double whole, part = modf(-3.75, &whole), f = frexp(1e-310, &e);
    printf("%a %d %g %g, hypot %.6f, lround %ld %ld, ilogb %d\n", f, e, part, whole, hypot(3e200, 4e200) / 1e200,
           lround(-2.5), lround(0.49999999999999994), ilogb(1e300));
}

// Summation where every rounding shows, single and double mixed.
static void sums(void) {
    double up = 0, down = 0, kahan = 0, carry = 0, product = 1;
    float single = 0;
    for (int i = 1; i <= 1000000; i++) {
        up += 1.0 / i, down += 1.0 / (1000001 - i), single += 1.0f / (float)i;
        double y = 1.0 / i - carry, t = kahan + y;
        carry = (t - kahan) - y, kahan = t;
        product *= 1 + 1.0 / (double)((int64_t)i * i);
    }
    printf("sums %.17g %.17g %.17g %.9g %.17g\n", up, down, kahan, (double)single, product);
    double x = 0.3;
    for (int i = 0; i < 100000; i++) x = 3.9 * x * (1 - x);
    printf("chaos %.17g\n", x);
}

int main(void) {
    formats();
    parsing();
    round_trips();
    rounding();
    conversions();
    special();
    sums();
    return 0;
}
