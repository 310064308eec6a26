// bench/js.c: what one request costs a JavaScript service in an instance of its own.
//
//   js REQUESTS THREADS      a line a phase: nanoseconds, median and 99th percentile
//
// in: the object that examples/compute/build makes of js-handler.js   out: phases from the acquire on. The service's
// first statement reads the time of day, which the host answers and so learns when the first JavaScript ran; the engine
// itself reads other clocks only. Answers are
// checked: a request that is answered wrongly ends the program.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "examples/compute/abi.h"
#include "service.h"
#include "wasmx_wasi.h"

enum { WARM_UP = 200, PHASES = 6 };
static const char *const phase_names[PHASES] = {"acquire", "first JavaScript", "answered", "returned", "released", "whole"};

typedef struct run {
    exchange e;
    wasmx_wasi *wasi;
    uint64_t at[PHASES]; // since the request began
    uint64_t begun, *samples[PHASES];
    size_t count;
} run;

static wasmx_pool *pool;
static size_t requests;

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t clock_of_guest(void *env, wasmx_clock clock) {
    run *r = env;
    uint64_t t = now();
    if (clock == WASMX_CLOCK_REALTIME && !r->at[1]) r->at[1] = t - r->begun;
    return t;
}

static void note_answer(exchange *e) {
    run *r = (run *)e;
    r->at[2] = now() - r->begun;
}

static _Noreturn void fail(const char *what) { exit((fprintf(stderr, "js: %s\n", what), 1)); }

static void check(const exchange *e) {
    static const char expected[] = "{\"greeting\":\"Bonjour, bench\",\"requests\":1}";
    if (!e->answer || e->answer->status != 200) fail("no answer");
    if (e->answer_body->bytes.size != strlen(expected) || memcmp(e->answer_body->bytes.at, expected, strlen(expected)))
        fail("a wrong answer");
}

static void request(run *r, bool count) {
    wasmx_error error;
    memset(r->at, 0, sizeof r->at);
    exchange_begin(&r->e);
    exchange_request(&r->e, "GET", "http://127.0.0.1/?name=bench");
    exchange_field(&r->e, "accept-language", 15, "fr", 2);
    r->begun = now();
    wasmx_instance *i = wasmx_pool_acquire_wasi(pool, &service, &r->e, r->wasi, &error);
    r->at[0] = now() - r->begun;
    if (!i) fail(error.message);
    wasmx_status s = service__start(i);
    r->at[3] = now() - r->begun;
    if (s != WASMX_OK) fail(wasmx_last_trap(i)->message);
    wasmx_pool_release(i);
    r->at[4] = r->at[5] = now() - r->begun;
    check(&r->e);
    if (!count) return;
    for (int p = 0; p < PHASES; p++) r->samples[p][r->count] = p == 4 ? r->at[4] - r->at[3] : r->at[p];
    r->count++;
}

static void *work(void *arg) {
    run *r = arg;
    for (size_t k = 0; k < WARM_UP + requests; k++) request(r, k >= WARM_UP);
    return NULL;
}

static run *new_run(void) {
    wasmx_error error;
    run *r = calloc(1, sizeof *r);
    wasmx_wasi_config config = {.stdin_fd = -1, .stdout_fd = 2, .stderr_fd = 2, .sources = {.env = r, .clock = clock_of_guest}};
    if (!r || !exchange_open(&r->e) || !(r->wasi = wasmx_wasi_new(&config, &error))) fail("no memory");
    r->e.on_answer = note_answer;
    for (int p = 0; p < PHASES; p++)
        if (!(r->samples[p] = calloc(requests, sizeof *r->samples[p]))) fail("no memory");
    return r;
}

static int by_size(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void report(run **runs, int threads) {
    uint64_t *all = calloc(requests * (size_t)threads, sizeof *all);
    for (int p = 0; p < PHASES; p++) {
        size_t n = 0;
        for (int k = 0; k < threads; k++)
            for (size_t s = 0; s < runs[k]->count; s++) all[n++] = runs[k]->samples[p][s];
        qsort(all, n, sizeof *all, by_size);
        printf("%s\t%llu\t%llu\n", phase_names[p], (unsigned long long)all[n / 2], (unsigned long long)all[n * 99 / 100]);
    }
}

int main(int argc, char **argv) {
    int threads = argc == 3 ? atoi(argv[2]) : 0;
    wasmx_error error;
    if (threads < 1 || threads > 16) fail("js REQUESTS THREADS");
    requests = strtoul(argv[1], NULL, 10);
    run *runs[16];
    pthread_t ids[16];
    for (int k = 0; k < threads; k++) runs[k] = new_run();
    wasmx_linker *linker = wasmx_linker_new();
    wasmx_linker_define_wasi(linker, runs[0]->wasi);
    exchange_define(linker);
    wasmx_pool_module module = {&service, {.linker = linker, .trap_unknown_imports = true}};
    wasmx_pool_options options = {.slots = (uint32_t)threads, .modules = &module, .module_count = 1, .one_thread = true};
    if (!(pool = wasmx_pool_new(&options, &error))) fail(error.message);
    for (int k = 0; k < threads; k++) pthread_create(&ids[k], NULL, work, runs[k]);
    for (int k = 0; k < threads; k++) pthread_join(ids[k], NULL);
    report(runs, threads);
    return 0;
}
