// runtime/wasi/threads.c: wasi-threads: thread-spawn, and the end of a program that has threads.
//
// A thread is a new instance of its parent's module, made from the same linker, on a thread of the system's; it shares
// what the module imports: a shared memory, and WASI's descriptors. A trap or proc_exit of one ends the program:
// whoever meets it first writes down what it was and gets the main thread out of guest code, and that one, in
// wasmx_wasi_end_threads, ends the others and waits for them.
#include <sched.h>
#include <stdlib.h>
#include <time.h>

#include "runtime/wasi/wasi.h"

#define THREADS 512u          // config.max_threads unless the host says so
#define LAST_TID 0x1fffffff   // the proposal reserves the numbers above
#define REPEAT 1000000        // nanoseconds until a thread that still runs is asked to end again

typedef struct guest_thread {
    struct guest_thread *next;
    wx_threads *all;
    pthread_t handle;
    wx_thread *self;          // while it may run guest code
    wasmx_instance *instance;
    wasmx_func *start;
    int32_t tid, argument;
    bool has_ended;           // nothing but pthread_join is left
} guest_thread;

struct wx_threads {
    pthread_mutex_t lock;     // of everything below
    pthread_cond_t changed;
    wasmx_options options;    // of every thread's instance
    uint32_t limit, running;
    int32_t last_tid;
    guest_thread *list;
    wx_thread *main;          // the thread whose call started the others, while it may run guest code
    pthread_t main_handle;
    bool is_ending;
    wasmx_trap end;           // what ended it; WASMX_OK: the main thread's call did
};

static _Thread_local const wx_threads *my_program; // of a thread that was spawned

static void wait_a_little(wx_threads *all) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_nsec += REPEAT;
    if (t.tv_nsec >= 1000000000) t.tv_sec++, t.tv_nsec -= 1000000000;
    pthread_cond_timedwait(&all->changed, &all->lock, &t);
}

// What the others' calls end with: the same, or exit with 0 where the main thread is just done.
static void stop(wx_threads *all, wx_thread *thread, pthread_t handle) {
    wx_stop_thread(thread, handle, all->end.kind ? all->end.kind : WASMX_TRAP_EXIT, all->end.exit_code);
}

// ---- The life of a thread

static void end_program(wx_threads *all, const wasmx_trap *trap) {
    pthread_mutex_lock(&all->lock);
    if (!all->is_ending) all->end = *trap;
    all->is_ending = true;
    while (all->main) {
        stop(all, all->main, all->main_handle);
        wait_a_little(all);
    }
    pthread_mutex_unlock(&all->lock);
}

static bool enter(guest_thread *t) {
    my_program = t->all;
    pthread_mutex_lock(&t->all->lock);
    wx_this_thread.is_stoppable = true;
    t->self = &wx_this_thread;
    bool goes = !t->all->is_ending;
    pthread_mutex_unlock(&t->all->lock);
    return goes;
}

static void leave(guest_thread *t) {
    pthread_mutex_lock(&t->all->lock);
    t->self = NULL;
    pthread_mutex_unlock(&t->all->lock);
}

static void *run_thread(void *p) {
    guest_thread *t = p;
    wx_threads *all = t->all;
    wasmx_value args[] = {{.i32 = t->tid}, {.i32 = t->argument}};
    if (enter(t) && wasmx_call(t->start, args, NULL) != WASMX_OK) end_program(all, wasmx_last_trap(t->instance));
    leave(t);
    wasmx_instance_free(t->instance);
    pthread_mutex_lock(&all->lock);
    t->has_ended = true;
    all->running--;
    pthread_cond_broadcast(&all->changed);
    pthread_mutex_unlock(&all->lock);
    return NULL;
}

// ---- thread-spawn

// Guest functions, tables and globals that two instances have in common would let one's code run on the other's thread.
static bool is_apart(const wasmx_module *m, const wasmx_linker *linker) {
    uint32_t memories = 0;
    for (uint32_t k = 0; k < m->import_count; k++) {
        const wxrt_import *im = &m->imports[k];
        const wx_definition *d = wx_linker_find(linker, im->module, im->name);
        if (im->kind == WASMX_FUNC && d && d->value.of.func) return false;
        if (im->kind == WASMX_TABLE || im->kind == WASMX_GLOBAL) return false;
        if (im->kind == WASMX_MEMORY && !m->memories[memories++].is_shared) return false;
    }
    return true;
}

static void reap(wx_threads *all) {
    for (guest_thread **at = &all->list, *t; (t = *at);) {
        if (!t->has_ended) {
            at = &t->next;
            continue;
        }
        *at = t->next;
        pthread_join(t->handle, NULL);
        free(t);
    }
}

// A number for a new thread, or an error negated.
static int32_t reserve(wx_threads *all) {
    bool is_main = my_program != all;
    int32_t tid = -W_AGAIN;
    pthread_mutex_lock(&all->lock);
    reap(all);
    if (is_main && all->main && all->main != &wx_this_thread) {
        tid = -W_NOTSUP; // the descriptors have one program
    } else if (!all->is_ending && all->running < all->limit) {
        if (is_main) {
            wx_this_thread.is_stoppable = true;
            all->main = &wx_this_thread;
            all->main_handle = pthread_self();
        }
        tid = all->last_tid = all->last_tid < LAST_TID ? all->last_tid + 1 : 1;
        all->running++;
    }
    pthread_mutex_unlock(&all->lock);
    return tid;
}

static bool make(guest_thread *t, const wasmx_instance *parent) {
    char type[4];
    t->instance = wasmx_instantiate(parent->module, &t->all->options, NULL);
    t->start = t->instance ? wasmx_export_func(t->instance, "wasi_thread_start") : NULL;
    if (!t->start || wasmx_func_type(t->start, type, sizeof type) != 3 || strcmp(type, "ii:")) return false;
    pthread_mutex_lock(&t->all->lock);
    bool ok = !pthread_create(&t->handle, NULL, run_thread, t);
    if (ok) t->next = t->all->list, t->all->list = t;
    pthread_mutex_unlock(&t->all->lock);
    return ok;
}

int32_t wx_wasi_thread_spawn(wasmx_instance *i, int32_t argument) {
    wx_threads *all = i->wasi ? i->wasi->threads : NULL;
    if (!all || !is_apart(i->module, all->options.linker)) return -W_NOTSUP;
    int32_t tid = reserve(all);
    if (tid < 0) return tid;
    guest_thread *t = calloc(1, sizeof *t);
    if (t) *t = (guest_thread){.all = all, .tid = tid, .argument = argument};
    if (t && make(t, i)) return tid;
    if (t) wasmx_instance_free(t->instance);
    free(t);
    pthread_mutex_lock(&all->lock);
    all->running--;
    pthread_mutex_unlock(&all->lock);
    return -W_AGAIN;
}

// ---- The host's side

const wasmx_trap *wasmx_wasi_end_threads(wasmx_wasi *w) {
    wx_threads *all = w->threads;
    if (!all) return NULL;
    pthread_mutex_lock(&all->lock);
    bool is_mine = !all->is_ending;
    if (is_mine) all->end = (wasmx_trap){.kind = WASMX_OK};
    all->is_ending = true;
    all->main = NULL;
    pthread_cond_broadcast(&all->changed);
    while (all->running) {
        for (guest_thread *t = all->list; t; t = t->next)
            if (t->self) stop(all, t->self, t->handle);
        wait_a_little(all);
    }
    reap(all);
    all->is_ending = false;
    pthread_mutex_unlock(&all->lock);
    sched_yield(); // a signal that was sent to this thread has come when a system call is over
    atomic_store(&wx_this_thread.stop, 0);
    return is_mine ? NULL : &all->end;
}

bool wasmx_linker_define_threads(wasmx_linker *l, wasmx_wasi *w, const wasmx_options *options) {
    pthread_condattr_t monotonic;
    wx_threads *all = w->threads ? w->threads : calloc(1, sizeof *all);
    if (!all) return false;
    if (!w->threads) {
        pthread_mutex_init(&all->lock, NULL);
        pthread_condattr_init(&monotonic);
        pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
        pthread_cond_init(&all->changed, &monotonic);
        pthread_condattr_destroy(&monotonic);
    }
    w->threads = all;
    all->limit = w->max_threads ? w->max_threads : THREADS;
    if (options) all->options = *options;
    all->options.linker = l;
    return wasmx_linker_define_typed(l, "wasi", "thread-spawn", "i:i", (void (*)(void))wx_wasi_thread_spawn);
}

void wx_threads_free(wasmx_wasi *w) {
    wx_threads *all = w->threads;
    if (!all) return;
    wasmx_wasi_end_threads(w);
    pthread_cond_destroy(&all->changed);
    pthread_mutex_destroy(&all->lock);
    free(all);
}
