// tests/pool/load.c: requests on threads, each with an instance of a pool or a new one: some trap, some overflow the
// stack, and a child process goes on with what it inherited.
//   load REQUESTS THREADS RESERVE      RESERVE: bytes of address space a memory may take, 0: no limit
// Out: one line; status 0 when every answer was right.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "filter.h" // made by wasmx-aot build tests/pool/filter.wat

enum { SLOTS = 8, MOST_THREADS = 16 };

typedef struct worker {
    wasmx_pool *pool;
    int requests, wrong, noted;
    pthread_t thread;
} worker;

static void note(wasmx_instance *caller, int32_t wrong) {
    worker *w = wasmx_host(caller);
    w->noted++;
    w->wrong += wrong != 0;
}

static const filter_imports imports = {.env_note = note};
static wasmx_options options = {.imports = &imports, .max_stack_bytes = 128 << 10};

static wasmx_instance *begin(worker *w, int k) {
    wasmx_error err;
    wasmx_options own = options;
    own.host = w;
    wasmx_instance *i = k % 10 ? wasmx_pool_acquire(w->pool, &filter, w, &err) : wasmx_instantiate(&filter, &own, &err);
    if (!i) fprintf(stderr, "load: %s\n", err.message), exit(1);
    return i;
}

static void request(worker *w, int k) {
    wasmx_instance *i = begin(w, k);
    int32_t result = -1;
    w->wrong += filter_request(i, 1 + k % 20, &result) != WASMX_OK || result;
    if (k % 5 == 1) w->wrong += filter_out(i, &result) != WASMX_TRAP_MEMORY_OUT_OF_BOUNDS;
    if (k % 5 == 2) w->wrong += filter_stop(i) != WASMX_TRAP_UNREACHABLE;
    if (k % 5 == 3) w->wrong += filter_down(i, 0, &result) != WASMX_TRAP_STACK_EXHAUSTED;
    wasmx_instance_free(i);
}

static void *work(void *p) {
    worker *w = p;
    for (int k = 0; k < w->requests; k++) request(w, k);
    w->wrong += w->noted != w->requests;
    return NULL;
}

static int serve(wasmx_pool *pool, int requests, int threads) {
    worker w[MOST_THREADS];
    int wrong = 0;
    for (int t = 0; t < threads; t++) {
        w[t] = (worker){.pool = pool, .requests = requests};
        if (pthread_create(&w[t].thread, NULL, work, &w[t])) return -1;
    }
    for (int t = 0; t < threads; t++) {
        pthread_join(w[t].thread, NULL);
        wrong += w[t].wrong;
    }
    return wrong;
}

// A server's master that forks its workers with the pool already warm, and an instance in use.
static int in_child(wasmx_pool *pool, int requests) {
    worker w = {.pool = pool, .requests = requests};
    wasmx_instance *i = begin(&w, 1);
    int32_t result;
    w.wrong += filter_request(i, 7, &result) != WASMX_OK || result;
    pid_t child = fork();
    if (!child) {
        wasmx_instance_free(i);
        w.noted = 0;
        work(&w);
        _exit(w.wrong || !wasmx_pool_free(pool));
    }
    wasmx_instance_free(i);
    w.noted = 0;
    work(&w);
    int status;
    return waitpid(child, &status, 0) != child || status || w.wrong;
}

int main(int argc, char **argv) {
    if (argc != 4) return fputs("usage: load REQUESTS THREADS RESERVE\n", stderr), 2;
    int requests = atoi(argv[1]), threads = atoi(argv[2]);
    options.reserve_bytes = strtoull(argv[3], NULL, 0);
    wasmx_pool_module module = {.module = &filter, .options = options};
    wasmx_pool_options o = {.slots = SLOTS, .modules = &module, .module_count = 1};
    wasmx_error err;
    wasmx_pool *pool = wasmx_pool_new(&o, &err);
    if (!pool || threads > SLOTS) return fprintf(stderr, "load: %s\n", err.message), 1;
    int wrong = serve(pool, requests, threads);
    if (in_child(pool, requests)) wrong++;
    wasmx_pool_stats s;
    wasmx_pool_get_stats(pool, &s);
    printf("wrong %d, acquired %llu, made %llu, way %d, learns %d\n", wrong, (unsigned long long)s.acquired,
           (unsigned long long)s.made, s.reset, s.learns);
    if (!wasmx_pool_free(pool)) return 1;
    wasmx_module_forget(&filter);
    return wrong != 0;
}
