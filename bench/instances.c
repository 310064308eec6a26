// bench/instances.c: what an instance for a request costs: from a pool, and new; and calls in both directions.
//   instances [ITERATIONS]
// Out: one line of JSON. Linked with the objects that bench/instances.mjs makes, and libwasmx.
//
// A request acquires an instance, calls a function that writes to so many pages, spread evenly over the image, and
// releases it. `both` is acquire and release without the call, in nanoseconds; the clock's own cost is taken off.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "calls.h"
#include "image1.h"
#include "image16.h"
#include "image32.h"
#include "tabled.h"
#include "tiny.h"

enum { MOST = 20000, WARM = 64, CALLS = 20000, ROUNDS = 301 };

static int iterations = 2000;
static double clock_cost;
static const char *separator = "";

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void die(const char *why) {
    fprintf(stderr, "instances: %s\n", why);
    exit(1);
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double part(double *list, int count, double share) {
    qsort(list, (size_t)count, sizeof *list, by_size);
    return list[(int)(share * (count - 1))];
}

// ---- Requests

typedef wasmx_status (*toucher)(wasmx_instance *, int32_t pages, int32_t stride);

typedef struct image { const char *name; const wasmx_module *module; toucher touch; int32_t size; } image;

static const image images[] = {
    {"tiny", &tiny, tiny_touch, 1 << 20},
    {"1 MiB", &image1, image1_touch, 1 << 20},
    {"16 MiB", &image16, image16_touch, 16 << 20},
    {"32 MiB", &image32, image32_touch, 32 << 20},
};
static const int dirty_counts[] = {0, 1, 16, 64, 256};

typedef enum way { LEARNED, ONE_THREAD, SEARCH, DISCARD, FRESH, WAYS } way;
static const char *const way_names[WAYS] = {"learned", "learned, one thread", "searched", "discarded", "fresh"};

typedef struct worker {
    const image *image;
    wasmx_pool *pool; // NULL: fresh instances
    int dirty, count;
    pthread_barrier_t *start;
    double both[MOST], all[MOST];
    pthread_t thread;
} worker;

static wasmx_instance *begin(const worker *w) {
    wasmx_error err;
    wasmx_instance *i = w->pool ? wasmx_pool_acquire(w->pool, w->image->module, NULL, &err)
                                : wasmx_instantiate(w->image->module, NULL, &err);
    if (!i) die(err.message);
    return i;
}

static void request(worker *w, int n) {
    double start = now();
    wasmx_instance *i = begin(w);
    double called = now();
    if (w->dirty && w->image->touch(i, w->dirty, w->image->size / w->dirty)) die("trap");
    double ended = now();
    if (!w->pool) wasmx_instance_free(i);
    else if (!wasmx_pool_release(i)) die("release");
    double end = now();
    if (n < 0) return;
    w->both[n] = called - start + end - ended - 2 * clock_cost;
    w->all[n] = end - start - 3 * clock_cost;
}

static void *work(void *p) {
    worker *w = p;
    pthread_barrier_wait(w->start);
    for (int n = -WARM; n < w->count; n++) request(w, n);
    return NULL;
}

static wasmx_pool *make_pool(const image *im, way how, int threads) {
    wasmx_pool_module module = {.module = im->module};
    wasmx_pool_options o = {.slots = (uint32_t)threads, .modules = &module, .module_count = 1,
                            .keep_bytes = (1 << 20) + 65536};
    o.always_search = how == SEARCH;
    o.one_thread = how == ONE_THREAD;
    if (how == DISCARD) o.reset = WASMX_RESET_DISCARD;
    wasmx_error err;
    wasmx_pool *pool = wasmx_pool_new(&o, &err);
    if (!pool) die(err.message);
    return pool;
}

static void measure(const image *im, way how, int dirty, int threads) {
    static worker workers[2];
    pthread_barrier_t start;
    pthread_barrier_init(&start, NULL, (unsigned)threads);
    wasmx_pool *pool = how == FRESH ? NULL : make_pool(im, how, threads);
    bool slow = how == FRESH || (how == DISCARD && dirty > 16);
    for (int t = 0; t < threads; t++) {
        worker *w = &workers[t];
        *w = (worker){.image = im, .pool = pool, .dirty = dirty, .count = slow ? iterations / 10 : iterations,
                      .start = &start};
        if (t) pthread_create(&w->thread, NULL, work, w);
    }
    work(&workers[0]);
    for (int t = 1; t < threads; t++) pthread_join(workers[t].thread, NULL);
    wasmx_pool_stats stats = {0};
    if (pool) wasmx_pool_get_stats(pool, &stats);
    if (!wasmx_pool_free(pool)) die("pool in use");
    pthread_barrier_destroy(&start);
    worker *w = &workers[0];
    printf("%s\n{\"image\":\"%s\",\"way\":\"%s\",\"dirty\":%d,\"threads\":%d,\"both_p50\":%.0f,\"both_p99\":%.0f,"
           "\"all_p50\":%.0f,\"all_p99\":%.0f,\"searched\":%.3f}", separator, im->name, way_names[how], dirty, threads,
           part(w->both, w->count, 0.5), part(w->both, w->count, 0.99), part(w->all, w->count, 0.5),
           part(w->all, w->count, 0.99), stats.acquired ? (double)stats.searched / (double)stats.acquired : 0);
    separator = ",";
}

static void measure_requests(void) {
    printf("\"requests\":[");
    for (size_t k = 0; k < sizeof images / sizeof *images; k++)
        for (int how = 0; how < WAYS; how++)
            for (size_t d = 0; d < sizeof dirty_counts / sizeof *dirty_counts; d++)
                for (int threads = 1; threads <= 2; threads++)
                    if (how != FRESH || threads == 1) measure(&images[k], (way)how, dirty_counts[d], threads);
    printf("\n],");
}

// ---- Calls

static int32_t __attribute__((noinline)) plain(wasmx_instance *i, int32_t x) {
    __asm__ volatile("" : : "r"(i) : "memory");
    return x + 1;
}

static wasmx_status __attribute__((noinline)) plain_export(wasmx_instance *i, int32_t x, int32_t y, int32_t *out) {
    __asm__ volatile("" : : "r"(i) : "memory");
    *out = x + y;
    return WASMX_OK;
}

// The functions of the two modules that import: bound by the linker, and through the table of imports.
int32_t env_tick(wasmx_instance *i, int32_t x) { return plain(i, x); }

typedef double loop(wasmx_instance *i);

static double per_call(double start) { return (now() - start) / CALLS; }

static double call_plain(wasmx_instance *i) {
    int32_t x = 0;
    double start = now();
    for (int k = 0; k < CALLS; k++)
        if (plain_export(i, x, 1, &x)) die("plain");
    return per_call(start);
}

static double call_typed(wasmx_instance *i) {
    int32_t x = 0;
    double start = now();
    for (int k = 0; k < CALLS; k++)
        if (calls_add(i, x, 1, &x)) die("typed");
    return per_call(start);
}

static double call_values(wasmx_instance *i) {
    wasmx_func *f = wasmx_export_func(i, "add");
    wasmx_value args[2] = {{.i32 = 0}, {.i32 = 1}}, out;
    double start = now();
    for (int k = 0; k < CALLS; k++, args[0] = out)
        if (wasmx_call(f, args, &out)) die("values");
    return per_call(start);
}

static double plain_loop(wasmx_instance *i) {
    int32_t x = 0;
    double start = now();
    for (int k = 0; k < CALLS; k++) x = env_tick(i, x);
    if (x != CALLS) die("plain loop");
    return per_call(start);
}

static double guest_loop(wasmx_instance *i) {
    int32_t x;
    double start = now();
    if (calls_ticks(i, CALLS, &x) || x != CALLS) die("linked");
    return per_call(start);
}

static double table_loop(wasmx_instance *i) {
    wasmx_value args[1] = {{.i32 = CALLS}}, out;
    double start = now();
    if (wasmx_call(wasmx_export_func(i, "ticks"), args, &out) || out.i32 != CALLS) die("by table");
    return per_call(start);
}

static const struct { const char *name; loop *run; bool by_table; } loops[] = {
    {"plain C call, as an export's", call_plain, false}, {"host to Wasm, typed", call_typed, false},
    {"host to Wasm, by values", call_values, false},     {"plain C call, as an import's", plain_loop, false},
    {"Wasm to host, linked", guest_loop, false},         {"Wasm to host, by table", table_loop, true},
};

static wasmx_instance *instance_of(bool by_table) {
    static const tabled_imports table = {.env_tick = plain};
    wasmx_options o = {.imports = by_table ? (const void *)&table : NULL};
    wasmx_error err;
    wasmx_instance *i = wasmx_instantiate(by_table ? &tabled : &calls, &o, &err);
    if (!i) die(err.message);
    return i;
}

static void measure_calls(void) {
    printf("\"calls\":[");
    for (size_t k = 0; k < sizeof loops / sizeof *loops; k++) {
        double ns[ROUNDS];
        wasmx_instance *i = instance_of(loops[k].by_table);
        for (int r = 0; r < ROUNDS; r++) ns[r] = loops[k].run(i);
        wasmx_instance_free(i);
        printf("%s{\"name\":\"%s\",\"shortest\":%.2f,\"p50\":%.2f}", k ? "," : "", loops[k].name,
               part(ns, ROUNDS, 0), part(ns, ROUNDS, 0.5));
    }
    printf("]}\n");
}

static void measure_clock(void) {
    static double cost[MOST];
    for (int k = 0; k < MOST; k++) {
        double start = now();
        cost[k] = now() - start;
    }
    clock_cost = part(cost, MOST, 0.5);
}

int main(int argc, char **argv) {
    if (argc > 1) iterations = atoi(argv[1]);
    if (iterations < 100 || iterations > MOST) return fputs("usage: instances [100 to 20000]\n", stderr), 2;
    measure_clock();
    printf("{\"clock_ns\":%.0f,", clock_cost);
    measure_requests();
    measure_calls();
    return 0;
}
