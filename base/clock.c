// base/clock.c: clocks as seconds.
#include "base/clock.h"

#include <time.h>

static double now(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

double wx_seconds(void) { return now(CLOCK_MONOTONIC); }
double wx_thread_seconds(void) { return now(CLOCK_THREAD_CPUTIME_ID); }
