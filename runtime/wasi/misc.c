// runtime/wasi/misc.c: arguments, environment, clocks, random bytes, the end.
#include <sched.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "runtime/wasi/wasi.h"

// ---- Arguments and environment

static int32_t strings_sizes(wasmx_instance *i, const wx_strings *s, int32_t count, int32_t size) {
    int32_t error = wx_guest_put32(i, count, s->count);
    return error ? error : wx_guest_put32(i, size, s->size);
}

static int32_t strings_get(wasmx_instance *i, const wx_strings *s, int32_t list, int32_t bytes) {
    char *to = wx_guest(i, bytes, s->size), *pointers = wx_guest(i, list, (uint64_t)s->count * 4);
    if (!to || !pointers) return W_FAULT;
    uint32_t at = 0;
    for (uint32_t k = 0; k < s->count; k++) {
        uint32_t address = (uint32_t)bytes + at;
        memcpy(pointers + k * 4, &address, 4);
        at += (uint32_t)strlen(s->bytes + at) + 1;
    }
    memcpy(to, s->bytes, s->size);
    return W_SUCCESS;
}

int32_t wx_wasi_args_sizes_get(wasmx_instance *i, int32_t count, int32_t size) {
    return strings_sizes(i, &i->wasi->args, count, size);
}

int32_t wx_wasi_args_get(wasmx_instance *i, int32_t list, int32_t bytes) {
    return strings_get(i, &i->wasi->args, list, bytes);
}

int32_t wx_wasi_environ_sizes_get(wasmx_instance *i, int32_t count, int32_t size) {
    return strings_sizes(i, &i->wasi->env, count, size);
}

int32_t wx_wasi_environ_get(wasmx_instance *i, int32_t list, int32_t bytes) {
    return strings_get(i, &i->wasi->env, list, bytes);
}

// ---- Clocks

static const clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID};

static uint64_t nanoseconds(struct timespec t) { return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec; }

bool wx_clock_now(const wasmx_wasi *w, uint32_t clock, uint64_t *out) {
    struct timespec t;
    if (w->sources.clock) {
        *out = w->sources.clock(w->sources.env, (wasmx_clock)clock);
        return true;
    }
    if (clock_gettime(clocks[clock], &t)) return false;
    *out = nanoseconds(t);
    return true;
}

int32_t wx_wasi_clock_res_get(wasmx_instance *i, int32_t id, int32_t out) {
    struct timespec t = {.tv_nsec = 1};
    if ((uint32_t)id >= WX_COUNT(clocks)) return W_INVAL;
    if (!i->wasi->sources.clock && clock_getres(clocks[id], &t)) return wx_wasi_errno(errno);
    return wx_guest_put64(i, out, nanoseconds(t));
}

int32_t wx_wasi_clock_time_get(wasmx_instance *i, int32_t id, int64_t precision, int32_t out) {
    uint64_t t;
    (void)precision;
    if ((uint32_t)id >= WX_COUNT(clocks)) return W_INVAL;
    return wx_clock_now(i->wasi, (uint32_t)id, &t) ? wx_guest_put64(i, out, t) : wx_wasi_errno(errno);
}

// ---- Random bytes, the scheduler, the end

int32_t wx_wasi_random_get(wasmx_instance *i, int32_t out, int32_t size) {
    uint32_t left = (uint32_t)size;
    char *p = wx_guest(i, out, left);
    const wasmx_sources *s = &i->wasi->sources;
    if (!p) return W_FAULT;
    if (s->random) return s->random(s->env, p, left) ? W_SUCCESS : W_IO;
    while (left) {
        ssize_t n = getrandom(p, left, 0);
        if (n < 0 && errno != EINTR) return wx_wasi_errno(errno);
        if (n > 0) p += n, left -= (uint32_t)n;
    }
    return W_SUCCESS;
}

int32_t wx_wasi_sched_yield(wasmx_instance *i) {
    (void)i;
    wx_stop_here();
    sched_yield();
    return W_SUCCESS;
}

void wx_wasi_proc_exit(wasmx_instance *i, int32_t code) { wasmx_raise_exit(i, code); }

// What a signal's default does to a process is done to the guest: the host is not the guest's to signal. A program that
// a signal ends has the status that a shell gives it.
int32_t wx_wasi_proc_raise(wasmx_instance *i, int32_t signal) {
    enum { NONE = 0, CHILD = 16, CONTINUE, STOP, TTY_STOP, TTY_IN, TTY_OUT, URGENT, WINDOW = 27, LAST = 30 };
    if ((uint32_t)signal > LAST) return W_INVAL;
    if (signal == NONE || signal == CHILD || signal == CONTINUE || signal == URGENT || signal == WINDOW)
        return W_SUCCESS;
    if (signal >= STOP && signal <= TTY_OUT) return W_NOTSUP;
    wasmx_raise_exit(i, 128 + signal + (signal >= CHILD)); // Linux has one more before these
}
