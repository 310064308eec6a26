// cli/watch.c: a thread that shows progress and ends an initialiser that takes too long.
//
// A deadline stops its code (wasmx_snapshot_options.timeout_ns), not a host function that waits, for standard input
// say. Nothing has been written yet: ending the process a little later stops that too and leaves nothing behind.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"

#define PATIENCE 0.5 // seconds above the time limit

struct watch {
    pthread_t thread;
    pthread_mutex_t lock; // guards what follows
    pthread_cond_t over_now;
    const char *file, *phase;
    double began, phase_began, timeout;
    size_t done, total;
    bool on_terminal, shown, running, over;
};

static void clear_line(watch *w) {
    if (w->shown) fputs("\r\033[K", stderr);
    w->shown = false;
}

static void show(watch *w, double now) {
    if (!w->on_terminal || now - w->began < 1) return;
    w->shown = true;
    fprintf(stderr, "\r%s: %s", w->file, w->phase);
    if (w->done) fprintf(stderr, " %zu of %zu", w->done, w->total);
    fprintf(stderr, ", %.0f s\033[K", now - w->phase_began);
}

static void give_up(watch *w) {
    clear_line(w);
    fail("%s: the initialiser did not end within %g seconds", w->file, w->timeout);
    _exit(EXIT_FAILED);
}

static struct timespec soon(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_nsec += 50000000;
    if (t.tv_nsec >= 1000000000) t.tv_nsec -= 1000000000, t.tv_sec++;
    return t;
}

static void *look(void *arg) {
    watch *w = arg;
    pthread_mutex_lock(&w->lock);
    while (!w->over) {
        struct timespec t = soon();
        pthread_cond_timedwait(&w->over_now, &w->lock, &t);
        double now = seconds_now();
        if (w->over) break;
        bool late = w->timeout > 0 && now - w->phase_began > w->timeout + PATIENCE;
        if (late && !strcmp(w->phase, "initialise")) give_up(w);
        show(w, now);
    }
    clear_line(w);
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

watch *watch_begin(const char *file, double timeout) {
    watch *w = calloc(1, sizeof *w);
    if (!w) abort();
    w->file = file;
    w->phase = "compile";
    w->began = w->phase_began = seconds_now();
    w->timeout = timeout;
    w->on_terminal = isatty(STDERR_FILENO);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->over_now, NULL);
    return w;
}

void watch_progress(void *arg, const char *phase, size_t done, size_t total) {
    watch *w = arg;
    pthread_mutex_lock(&w->lock);
    // Not before: text is read in a child process, and children of threads inherit the locks these hold.
    if (!w->running && pthread_create(&w->thread, NULL, look, w)) abort();
    w->running = true;
    if (strcmp(w->phase, phase)) w->phase_began = seconds_now();
    w->phase = phase;
    w->done = done;
    w->total = total;
    pthread_mutex_unlock(&w->lock);
}

void watch_end(watch *w) {
    pthread_mutex_lock(&w->lock);
    w->over = true;
    pthread_cond_signal(&w->over_now);
    pthread_mutex_unlock(&w->lock);
    if (w->running) pthread_join(w->thread, NULL);
    pthread_cond_destroy(&w->over_now);
    pthread_mutex_destroy(&w->lock);
    free(w);
}
