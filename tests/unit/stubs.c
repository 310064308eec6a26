// tests/unit/stubs.c: interp/stubs.h on the machine that runs this: the unit suite runs it natively and under qemu.
//
// Functions of many arguments are called through stubs whose resolver destroys every register it may.
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "interp/stubs.h"

#define COUNT 70000u
#define USED (COUNT - 1)

static double sum(long a, long b, long c, long d, long e, long f, long g, long h, long i, double p, double q, double r,
                  double s, double t, double u, double v, double w, double x) {
    return (double)(a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i) + p + 2 * q + 3 * r + 4 * s +
           5 * t + 6 * u + 7 * v + 8 * w + 9 * x;
}

static wx_stubs stubs;
static unsigned resolved;

__attribute__((noinline)) static double disturb(double a, double b, double c, double d, double e, double f, double g,
                                                double h) {
    return a * b + c * d + e * f + g * h;
}

static void *resolve(void *arg, uint32_t k) {
    resolved++;
    volatile double x = disturb(k, 2, 3, 4, 5, 6, 7, 8);
    (void)x;
    if (arg != &resolved || k != USED) return NULL;
    return stubs.table[k] = (void *)(uintptr_t)sum;
}

typedef double sum_function(long, long, long, long, long, long, long, long, long, double, double, double, double, double,
                            double, double, double, double);

static int fail(const char *what) { return printf("not ok stubs: %s\n", what), 1; }

int main(void) {
    size_t size = wx_stubs_size(COUNT), code = (size + 65535) / 65536 * 65536, table = COUNT * sizeof(void *);
    uint8_t *p = mmap(NULL, code + table, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) return fail("no memory");
    stubs = (wx_stubs){.resolve = resolve, .arg = &resolved, .code = p, .table = (void *)(p + code)};
    wx_stubs_begin(&stubs);
    for (uint32_t k = 0; k < COUNT; k++) wx_stub_write(&stubs, k);
    __builtin___clear_cache((char *)p, (char *)p + code);
    mprotect(p, code, PROT_READ | PROT_EXEC);
    sum_function *f = (sum_function *)(uintptr_t)wx_stub_at(&stubs, USED);
    for (int call = 0; call < 3; call++)
        if (f(1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9) != 570) return fail("an argument changed on the way");
    if (resolved != 1) return fail("the resolver was not called once");
    return puts("ok stubs"), 0;
}
