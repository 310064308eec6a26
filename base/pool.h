// base/pool.h: run n independent jobs on some threads.
#pragma once
#include <stddef.h>

// Calls job(arg, i) once for every i in [0, n), on `threads` threads of 64 MiB stack each. Jobs start in
// the order of i; returns when all have ended.
void wx_parallel(unsigned threads, size_t n, void (*job)(void *arg, size_t i), void *arg);
// Processors this process may run on, at least 1.
unsigned wx_cpus(void);
