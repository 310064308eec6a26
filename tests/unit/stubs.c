// tests/unit/stubs.c: interp/stubs.h on the machine that runs this: the unit suite runs it natively and under qemu.
//
// Functions of many arguments are called through stubs that find code, whose finder destroys every register it may;
// through stubs that do the work themselves; and from memory.
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "interp/stubs.h"

#define COUNT 70000u
#define USED (COUNT - 1)
#define DONE (COUNT - 2) // what enter does itself

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

static double number(const uint64_t *bits) {
    double x;
    memcpy(&x, bits, sizeof x);
    return x;
}

// sum of what the registers and the stack hold; wx_int_registers of the nine integers are in registers.
static void do_it(wx_regs *r) {
    const uint64_t *stack = r->stack;
    double total = 0;
    for (unsigned k = 0; k < 9; k++) total += (double)((k + 1) * (k < wx_int_registers ? r->ints[k] : *stack++));
    for (unsigned k = 0; k < 9; k++) total += (k + 1) * number(k < 8 ? r->vecs[k] : stack++);
    memcpy(r->vecs[0], &total, sizeof total);
}

static void *enter(void *arg, uint32_t k, wx_regs *r) {
    resolved++;
    volatile double x = disturb(k, 2, 3, 4, 5, 6, 7, 8);
    (void)x;
    if (arg != &resolved) return NULL;
    if (k == USED) return stubs.table[k] = (void *)(uintptr_t)sum;
    if (k == DONE) do_it(r);
    return NULL;
}

typedef double sum_function(long, long, long, long, long, long, long, long, long, double, double, double, double, double,
                            double, double, double, double);

static int fail(const char *what) { return printf("not ok stubs: %s\n", what), 1; }

// ---- From memory

static bool leaves(void) {
    wx_regs r = {.ints = {1, 2, 3, 4, 5, 6, 7, 8}};
    uint64_t stack[8], words = 0;
    for (uint64_t k = wx_int_registers; k < 9; k++) stack[words++] = k + 1;
    for (unsigned k = 0; k < 9; k++) {
        double x = k + 1;
        memcpy(k < 8 ? r.vecs[k] : &stack[words++], &x, sizeof x);
    }
    wx_leave((void *)(uintptr_t)sum, NULL, &r, stack, words);
    return number(r.vecs[0]) == 570 || !fail("a value from memory did not arrive");
}

static uint64_t difference(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f) {
    return a - b + 10 * c - 10 * d + 100 * e - 100 * f;
}

static uint64_t inside(uint64_t a, uint64_t b, uint64_t c, void *self, uint64_t d) {
    const uint64_t args[8] = {a, b, c, d, (uintptr_t)self != 0, 0};
    return wx_leave_words((void *)(uintptr_t)difference, NULL, args);
}

static bool goes_inside(void) {
    typedef uint64_t through(uint64_t, uint64_t, uint64_t, void *, uint64_t);
    through *f = (through *)(uintptr_t)wx_stub_inner(&stubs, 3);
    return f(9, 5, 4, (void *)(uintptr_t)inside, 2) == 124 || !fail("the inner entry does not hand on");
}

int main(void) {
    size_t size = wx_stubs_size(COUNT), code = (size + 65535) / 65536 * 65536, table = COUNT * sizeof(void *);
    uint8_t *p = mmap(NULL, code + table, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) return fail("no memory");
    stubs = (wx_stubs){.enter = enter, .arg = &resolved, .code = p, .table = (void *)(p + code)};
    wx_stubs_begin(&stubs);
    for (uint32_t k = 0; k < COUNT; k++) wx_stub_write(&stubs, k);
    __builtin___clear_cache((char *)p, (char *)p + code);
    mprotect(p, code, PROT_READ | PROT_EXEC);
    sum_function *f = (sum_function *)(uintptr_t)wx_stub_at(&stubs, USED);
    for (int call = 0; call < 3; call++)
        if (f(1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9) != 570) return fail("an argument changed on the way");
    if (resolved != 1) return fail("the code was not asked for once");
    f = (sum_function *)(uintptr_t)wx_stub_at(&stubs, DONE);
    for (int call = 0; call < 3; call++)
        if (f(1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9) != 570) return fail("an argument did not arrive");
    if (resolved != 4) return fail("a stub was passed by");
    if (!leaves() || !goes_inside()) return 1;
    return puts("ok stubs"), 0;
}
