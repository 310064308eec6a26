// tests/unit/delay.c: delay/llvm.c and its trampolines on the machine that runs this, natively and under qemu.
//
// Built three times: as a library in LLVM's place (-DLIBRARY), as a program that loads it, and as one that loads what is
// not there. Several threads make the first call, with arguments in every register and on the stack.
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "compiler/need.h"

double LLVMSum(long a, long b, long c, long d, long e, long f, long g, long h, long i, double p, double q, double r,
               double s, double t, double u, double v, double w, double x);
int LLVMCalls(void);

#ifdef LIBRARY
static int calls;
double LLVMSum(long a, long b, long c, long d, long e, long f, long g, long h, long i, double p, double q, double r,
               double s, double t, double u, double v, double w, double x) {
    __atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED);
    return (double)(a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i) + p + 2 * q + 3 * r + 4 * s +
           5 * t + 6 * u + 7 * v + 8 * w + 9 * x;
}
int LLVMCalls(void) { return calls; }
#else

#define THREADS 8

static pthread_barrier_t all;

static void *call(void *arg) {
    pthread_barrier_wait(&all);
    double x = LLVMSum(1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9);
    return x == 2 * 285 ? arg : NULL;
}

static bool call_in_threads(void) {
    pthread_t threads[THREADS];
    bool ok = true;
    pthread_barrier_init(&all, NULL, THREADS);
    for (int i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, call, &all);
    for (int i = 0; i < THREADS; i++) {
        void *result;
        pthread_join(threads[i], &result);
        ok = ok && result;
    }
    return ok && LLVMCalls() == THREADS;
}

int main(int argc, char **argv) {
    wx_error e = {0};
    if (argc > 1 && !strcmp(argv[1], "ask")) {
        bool there = wx_need_llvm(&e);
        return puts(there ? "there" : e.msg), 0;
    }
    if (!call_in_threads()) return puts("not ok delay: calls"), 1;
    if (!wx_need_llvm(&e)) return printf("not ok delay: %s\n", e.msg), 1;
    wx_rest_llvm(); // and what is read again is the same
    pthread_barrier_init(&all, NULL, 1);
    if (!call(&all)) return puts("not ok delay: after a rest"), 1;
    return puts("ok delay"), 0;
}
#endif
