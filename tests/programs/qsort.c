// tests/programs/qsort.c: callbacks: qsort and bsearch with many comparators, and tables of functions of several types.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"

struct record {
    uint32_t id; // unique, so that every order below is total
    int32_t score;
    double weight;
    char name[12];
};

static int by_id(const void *a, const void *b) {
    uint32_t x = ((const struct record *)a)->id, y = ((const struct record *)b)->id;
    return (x > y) - (x < y);
}
static int by_score(const void *a, const void *b) {
    int32_t x = ((const struct record *)a)->score, y = ((const struct record *)b)->score;
    return x != y ? (x > y) - (x < y) : by_id(a, b);
}
static int by_weight_down(const void *a, const void *b) {
    double x = ((const struct record *)a)->weight, y = ((const struct record *)b)->weight;
    return x != y ? (x < y) - (x > y) : by_id(a, b);
}
static int by_name(const void *a, const void *b) {
    int c = strcmp(((const struct record *)a)->name, ((const struct record *)b)->name);
    return c ? (c > 0) - (c < 0) : by_id(a, b);
}

static int (*const comparators[])(const void *, const void *) = {by_score, by_weight_down, by_name, by_id};
static const char *const titles[] = {"score", "weight", "name", "id"};

// A sort of our own, so that the sequence of calls is the same everywhere; counts them.
static uint64_t calls;
static void merge_sort(char *base, size_t n, size_t size, int (*compare)(const void *, const void *), char *scratch) {
    if (n < 2) return;
    size_t half = n / 2, i = 0, j = half, k = 0;
    merge_sort(base, half, size, compare, scratch);
    merge_sort(base + half * size, n - half, size, compare, scratch);
    while (i < half && j < n) {
        calls++;
        size_t from = compare(base + i * size, base + j * size) <= 0 ? i++ : j++;
        memcpy(scratch + k++ * size, base + from * size, size);
    }
    memcpy(scratch + k * size, base + i * size, (half - i) * size);
    k += half - i;
    memcpy(base, scratch, k * size);
}

static void records(void) {
    enum { N = 40000 };
    struct record *r = malloc(N * sizeof *r), *s = malloc(N * sizeof *s), *scratch = malloc(N * sizeof *r);
    uint64_t rng = 31;
    if (!r || !s || !scratch) exit(1);
    memset(r, 0, N * sizeof *r);
    for (uint32_t i = 0; i < N; i++) {
        r[i].id = i * 7919 % N;
        r[i].score = (int32_t)rng_below(&rng, 1000) - 500;
        r[i].weight = rng_unit(&rng) * 100;
        for (int k = 0; k < 5; k++) r[i].name[k] = (char)('a' + rng_below(&rng, 5));
    }
    for (int c = 0; c < 4; c++) {
        memcpy(s, r, N * sizeof *r);
        calls = 0;
        qsort(r, N, sizeof *r, comparators[c]);
        merge_sort((char *)s, N, sizeof *s, comparators[c], (char *)scratch);
        struct record key = r[N / 3], *found = bsearch(&key, r, N, sizeof *r, comparators[c]);
        printf("%-6s first %u %s, last %u, %s, calls %llu, found %d\n", titles[c], (unsigned)r[0].id, r[0].name,
               (unsigned)r[N - 1].id, memcmp(r, s, N * sizeof *r) ? "DIFFERENT" : "equal", (unsigned long long)calls,
               (int)(found - r));
    }
    free(r), free(s), free(scratch);
}

// ---- tables of functions: one table in memory for the machine, several types for C

struct state {
    int32_t i;
    int64_t l;
    float f;
    double d;
};

static int32_t i_double(int32_t x) { return (int32_t)((uint32_t)x * 2); }
static int32_t i_invert(int32_t x) { return ~x; }
static int32_t i_rotate(int32_t x) { return (int32_t)((uint32_t)x << 7 | (uint32_t)x >> 25); }
static int64_t l_mix(int64_t x, int32_t y) {
    return (int64_t)((uint64_t)x * 6364136223846793005ULL + (uint64_t)(int64_t)y);
}
static int64_t l_fold(int64_t x, int32_t y) { return x ^ (int64_t)((uint64_t)x >> 17) ^ y; }
static float f_half(float x) { return x * 0.5f + 3; }
static float f_square(float x) { return x * x > 1e6f ? 1.5f : x * x; }
static double d_scale(double x, float y) { return fabs(x) > 1e9 ? 1.25 : x * 0.75 + (double)y; }
static double d_minus(double x, float y) { return fabs(x) > 1e9 ? 2.25 : x * 2 - (double)y; }
static void s_swap(struct state *s) {
    int32_t low = (int32_t)s->l;
    s->l = s->i, s->i = low;
}
static void s_floats(struct state *s) { s->f = (float)s->d, s->d = (double)s->f + 0.125; }
static void s_nothing(struct state *s) { (void)s; }

static int32_t (*const i_table[])(int32_t) = {i_double, i_invert, i_rotate};
static int64_t (*const l_table[])(int64_t, int32_t) = {l_mix, l_fold};
static float (*const f_table[])(float) = {f_half, f_square};
static double (*const d_table[])(double, float) = {d_scale, d_minus};
static void (*s_table[])(struct state *) = {s_swap, s_floats, s_nothing}; // written to below

static void tables(void) {
    struct state s = {1, 2, 3, 4};
    uint64_t rng = 17;
    for (int n = 0; n < 2000000; n++) {
        uint32_t pick = (uint32_t)rng_next(&rng);
        s.i = i_table[pick % 3](s.i);
        s.l = l_table[pick >> 8 & 1](s.l, s.i);
        s.f = f_table[pick >> 9 & 1](s.f);
        s.d = d_table[pick >> 10 & 1](s.d, s.f);
        s_table[(pick >> 11) % 3](&s);
        if (n % 1000 == 0) {
            void (*t)(struct state *) = s_table[0];
            s_table[0] = s_table[2], s_table[2] = t;
        }
    }
    printf("tables %d %lld %.9g %.17g\n", (int)s.i, (long long)s.l, (double)s.f, s.d);
}

// ---- a callback with its context, and one that calls back again

typedef int visitor(void *context, int depth, uint32_t path);

static int walk(int depth, uint32_t path, visitor *visit, void *context) {
    if (visit(context, depth, path)) return 1;
    return depth > 0 && (walk(depth - 1, path * 2, visit, context) || walk(depth - 1, path * 2 + 1, visit, context));
}

static int add_up(void *context, int depth, uint32_t path) {
    *(uint64_t *)context += path ^ (uint32_t)depth;
    return 0;
}

static int stop_at(void *context, int depth, uint32_t path) {
    (void)depth;
    return path == *(uint32_t *)context;
}

static int nested(void *context, int depth, uint32_t path) {
    uint64_t inner = 0;
    if (depth == 8) walk(6, path, add_up, &inner);
    *(uint64_t *)context = *(uint64_t *)context * 3 + inner;
    return 0;
}

int main(void) {
    records();
    tables();
    uint64_t total = 0, mixed = 0;
    uint32_t goal = 54321, none = 0xffffffff;
    walk(18, 1, add_up, &total);
    walk(14, 1, nested, &mixed);
    printf("walk %llu %llu %d %d\n", (unsigned long long)total, (unsigned long long)mixed, walk(17, 1, stop_at, &goal),
           walk(10, 1, stop_at, &none));
    return 0;
}
