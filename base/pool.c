// base/pool.c: jobs are handed out from one atomic counter; threads live as long as the call.

#include "base/pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/arena.h"

#define STACK_BYTES ((size_t)64 << 20) // LLVM recurses deeply on large functions

struct batch {
    atomic_size_t next;
    size_t n;
    void (*job)(void *arg, size_t i);
    void *arg;
};

static void *work(void *p) {
    struct batch *b = p;
    for (size_t i; (i = atomic_fetch_add(&b->next, 1)) < b->n;) b->job(b->arg, i);
    return NULL;
}

unsigned wx_cpus(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
    int n = CPU_COUNT(&set);
    return n > 0 ? (unsigned)n : 1;
}

void wx_parallel(unsigned threads, size_t n, void (*job)(void *arg, size_t i), void *arg) {
    struct batch b = {.n = n, .job = job, .arg = arg};
    if (threads > n) threads = (unsigned)n;
    pthread_t *ids = wx_xmalloc((threads + 1) * sizeof *ids);
    unsigned started = 0;
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    // Even one job runs on a thread of ours: its stack is of known size, the caller's is not.
    while (started < threads && pthread_create(&ids[started], &attr, work, &b) == 0) started++;
    pthread_attr_destroy(&attr);
    if (started == 0) work(&b);
    for (unsigned i = 0; i < started; i++) pthread_join(ids[i], NULL);
    free(ids);
}
