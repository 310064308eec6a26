// tests/pool/async.c: suspended calls that travel between threads, with deadlines.
//
//   async ROUNDS THREADS
//
// Every thread takes the oldest call from one queue, runs it until it waits or ends, and puts it back. A call that ended
// must have ended as its kind does; its instance goes back to the pool and a new call begins. in: nothing   out: a
// line of counts, status 0; or what went wrong, status 1.
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wait.h"
#include "wasmx.h"

#define CALLS 64
#define MS 1000000u

static _Noreturn void fail(const char *what, int detail) {
    fprintf(stderr, "async: %s (%d)\n", what, detail);
    exit(1);
}

// Suspends only when the call can be; spin and deep wait too.
static wasmx_status wait_here(void *env, wasmx_instance *caller, const wasmx_value *args, wasmx_value *results) {
    (void)env, (void)caller;
    if (!wasmx_suspend()) return WASMX_TRAP_HOST;
    results->i32 = args->i32;
    return WASMX_OK;
}

typedef struct task {
    wasmx_async *async;
    wasmx_instance *instance;
    wasmx_value arg, result;
    int kind;
    bool begun;
} task;

static const struct { const char *name; wasmx_status ends; } kinds[] = {
    {"sum", WASMX_OK}, {"spin", WASMX_TRAP_INTERRUPTED}, {"fault", WASMX_TRAP_MEMORY_OUT_OF_BOUNDS},
    {"deep", WASMX_TRAP_STACK_EXHAUSTED}, {"sum", WASMX_OK}, {"sum", WASMX_OK}};

static wasmx_pool *pool;
static task tasks[CALLS], *queue[CALLS];
static unsigned head, count, left, busy;
static atomic_uint ended[sizeof kinds / sizeof *kinds];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER;

static task *take(void) {
    pthread_mutex_lock(&lock);
    while (!count && busy) pthread_cond_wait(&filled, &lock);
    task *t = NULL;
    if (count) {
        t = queue[head++ % CALLS];
        count--;
        busy++;
    }
    pthread_mutex_unlock(&lock);
    return t;
}

static void put(task *t) {
    pthread_mutex_lock(&lock);
    busy--;
    if (t) queue[(head + count++) % CALLS] = t;
    pthread_cond_broadcast(&filled);
    pthread_mutex_unlock(&lock);
}

// False: no rounds are left.
static bool renew(task *t) {
    wasmx_error err;
    pthread_mutex_lock(&lock);
    unsigned round = left ? left-- : 0;
    pthread_mutex_unlock(&lock);
    if (!round) return false;
    t->kind = (int)(round % (sizeof kinds / sizeof *kinds));
    t->arg.i32 = t->result.i32 = (int)(round % 20 + 1);
    t->begun = false;
    t->instance = wasmx_pool_acquire(pool, &wait, NULL, &err);
    if (!t->instance) fail(err.message, 0);
    return true;
}

static wasmx_status step(task *t) {
    if (t->begun) return wasmx_resume(t->async);
    t->begun = true;
    wasmx_set_deadline(t->instance, WASMX_TIME_WALL, t->kind == 1 ? MS : (uint64_t)600000 * MS);
    return wasmx_call_async(t->async, wasmx_export_func(t->instance, kinds[t->kind].name), &t->arg, &t->result);
}

static void check_end(task *t, wasmx_status s) {
    int n = t->arg.i32;
    if (s != kinds[t->kind].ends) fail(kinds[t->kind].name, (int)s);
    if (s == WASMX_OK && t->result.i32 != n * (n + 1) / 2) fail("a wrong sum", t->result.i32);
    if (memcmp(wasmx_memory_data(wasmx_export_memory(t->instance, "memory")) + 70000, "image", 5)) fail("the image", 0);
    if (!wasmx_pool_release(t->instance)) fail("not released", 0);
    atomic_fetch_add(&ended[t->kind], 1);
}

static void *work(void *arg) {
    for (task *t; (t = take());) {
        wasmx_status s = step(t);
        if (s == WASMX_SUSPENDED) put(t);
        else check_end(t, s), put(renew(t) ? t : NULL);
    }
    return arg;
}

int main(int argc, char **argv) {
    if (argc != 3) fail("async ROUNDS THREADS", argc);
    wasmx_error err;
    wasmx_linker *linker = wasmx_linker_new();
    wasmx_linker_define_callback(linker, "h", "wait", "i:i", wait_here, NULL);
    wasmx_pool_module modules[] = {{&wait, {.linker = linker}}};
    wasmx_pool_options options = {.slots = CALLS, .modules = modules, .module_count = 1};
    if (!(pool = wasmx_pool_new(&options, &err))) fail(err.message, 0);
    left = (unsigned)atoi(argv[1]);
    for (int k = 0; k < CALLS; k++) {
        if (!(tasks[k].async = wasmx_async_new(k % 2 ? 0 : 100000, &err))) fail(err.message, k);
        if (renew(&tasks[k])) queue[count++] = &tasks[k];
    }
    pthread_t threads[64];
    int n = atoi(argv[2]);
    for (int k = 0; k < n; k++) pthread_create(&threads[k], NULL, work, NULL);
    for (int k = 0; k < n; k++) pthread_join(threads[k], NULL);
    for (int k = 0; k < CALLS; k++) wasmx_async_free(tasks[k].async);
    if (!wasmx_pool_free(pool)) fail("the pool is still in use", 0);
    wasmx_linker_free(linker);
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) printf("%s %u ", kinds[k].name, ended[k]);
    putchar('\n');
    return 0;
}
