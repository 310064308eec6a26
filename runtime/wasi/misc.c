// runtime/wasi/misc.c: arguments, environment, clocks, random bytes, waiting, ending, and sockets, which are not there.
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
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

static int32_t clock_value(wasmx_instance *i, int (*read)(clockid_t, struct timespec *), int32_t id, int32_t out) {
    struct timespec t;
    if ((uint32_t)id >= WX_COUNT(clocks)) return W_INVAL;
    return read(clocks[id], &t) ? wx_wasi_errno(errno) : wx_guest_put64(i, out, nanoseconds(t));
}

int32_t wx_wasi_clock_res_get(wasmx_instance *i, int32_t id, int32_t out) {
    return clock_value(i, clock_getres, id, out);
}

int32_t wx_wasi_clock_time_get(wasmx_instance *i, int32_t id, int64_t precision, int32_t out) {
    (void)precision;
    return clock_value(i, clock_gettime, id, out);
}

// ---- Random bytes, the scheduler, the end

int32_t wx_wasi_random_get(wasmx_instance *i, int32_t out, int32_t size) {
    uint32_t left = (uint32_t)size;
    char *p = wx_guest(i, out, left);
    if (!p) return W_FAULT;
    while (left) {
        ssize_t n = getrandom(p, left, 0);
        if (n < 0 && errno != EINTR) return wx_wasi_errno(errno);
        if (n > 0) p += n, left -= (uint32_t)n;
    }
    return W_SUCCESS;
}

int32_t wx_wasi_sched_yield(wasmx_instance *i) {
    (void)i;
    sched_yield();
    return W_SUCCESS;
}

void wx_wasi_proc_exit(wasmx_instance *i, int32_t code) { wasmx_raise_exit(i, code); }

// A signal would reach the host, which is not the guest's to end.
int32_t wx_wasi_proc_raise(wasmx_instance *i, int32_t signal) {
    (void)i, (void)signal;
    return W_NOSYS;
}

// ---- Sockets: preview 1 cannot make one, and none is given

static int32_t no_socket(wasmx_instance *i, int32_t fd) {
    int32_t error;
    return wx_fd_get(i, fd, 0, &error) ? W_NOTSOCK : error;
}

int32_t wx_wasi_sock_accept(wasmx_instance *i, int32_t fd, int32_t flags, int32_t out) {
    (void)flags, (void)out;
    return no_socket(i, fd);
}

int32_t wx_wasi_sock_recv(wasmx_instance *i, int32_t fd, int32_t list, int32_t count, int32_t flags, int32_t size,
                          int32_t out_flags) {
    (void)list, (void)count, (void)flags, (void)size, (void)out_flags;
    return no_socket(i, fd);
}

int32_t wx_wasi_sock_send(wasmx_instance *i, int32_t fd, int32_t list, int32_t count, int32_t flags, int32_t size) {
    (void)list, (void)count, (void)flags, (void)size;
    return no_socket(i, fd);
}

int32_t wx_wasi_sock_shutdown(wasmx_instance *i, int32_t fd, int32_t how) {
    (void)how;
    return no_socket(i, fd);
}

// ---- Waiting: subscriptions to clocks and descriptors become one poll with a time-out

#define MAX_SUBSCRIPTIONS 1024u
enum { EVENT_CLOCK, EVENT_READ, EVENT_WRITE };
enum { EVENT_HANGUP = 1, CLOCK_ABSOLUTE = 1 };

typedef struct subscription {
    uint64_t userdata;
    uint8_t type;
    uint64_t deadline;    // clocks: nanoseconds of CLOCK_MONOTONIC
    int32_t error;        // found before waiting
    uint32_t poll;        // descriptors: index in the pollfd array
    int host;
} subscription;

static uint64_t now(clockid_t clock) {
    struct timespec t;
    return clock_gettime(clock, &t) ? 0 : nanoseconds(t);
}

static uint64_t add(uint64_t a, uint64_t b) { return a + b < a ? UINT64_MAX : a + b; }

static void read_clock(subscription *s, const char *at) {
    uint32_t id;
    uint64_t timeout;
    uint16_t flags;
    memcpy(&id, at, 4);
    memcpy(&timeout, at + 8, 8);
    memcpy(&flags, at + 24, 2);
    if (id >= WX_COUNT(clocks)) {
        s->error = W_INVAL;
        return;
    }
    if (flags & CLOCK_ABSOLUTE) {
        uint64_t t = now(clocks[id]);
        timeout = timeout > t ? timeout - t : 0;
    }
    s->deadline = add(now(CLOCK_MONOTONIC), timeout);
}

static void read_descriptor(wasmx_instance *i, subscription *s, const char *at, struct pollfd *polls, uint32_t *count) {
    int32_t fd;
    memcpy(&fd, at, 4);
    wx_fd *f = wx_fd_get(i, fd, W_RIGHT(R_POLL_FD_READWRITE), &s->error);
    if (!f) return;
    s->error = W_SUCCESS;
    s->host = f->host;
    s->poll = *count;
    polls[(*count)++] = (struct pollfd){.fd = f->host, .events = s->type == EVENT_READ ? POLLIN : POLLOUT};
}

// Waits until something of it happens. -1: errno.
static int wait_for(const subscription *subs, uint32_t n, struct pollfd *polls, uint32_t count) {
    uint64_t deadline = UINT64_MAX;
    for (uint32_t k = 0; k < n; k++) {
        if (subs[k].error) deadline = 0;
        if (subs[k].type == EVENT_CLOCK && !subs[k].error && subs[k].deadline < deadline) deadline = subs[k].deadline;
    }
    for (;;) {
        uint64_t t = now(CLOCK_MONOTONIC), left = deadline > t ? deadline - t : 0;
        struct timespec timeout = {(time_t)(left / 1000000000u), (long)(left % 1000000000u)};
        int ready = ppoll(polls, count, deadline == UINT64_MAX ? NULL : &timeout, NULL);
        if (ready || !left) return ready;
    }
}

static uint64_t readable_bytes(int host) {
    int n = 0;
    return ioctl(host, FIONREAD, &n) || n < 0 ? 0 : (uint64_t)n;
}

static void put_event(char *out, const subscription *s, uint64_t bytes, uint16_t flags) {
    uint16_t error = (uint16_t)s->error;
    memset(out, 0, 32);
    memcpy(out, &s->userdata, 8);
    memcpy(out + 8, &error, 2);
    out[10] = (char)s->type;
    memcpy(out + 16, &bytes, 8);
    memcpy(out + 24, &flags, 2);
}

static bool put_if_ready(char *out, const subscription *s, const struct pollfd *polls) {
    if (s->error || (s->type == EVENT_CLOCK && s->deadline <= now(CLOCK_MONOTONIC))) {
        put_event(out, s, 0, 0);
        return true;
    }
    if (s->type == EVENT_CLOCK || !polls[s->poll].revents) return false;
    uint16_t flags = polls[s->poll].revents & (POLLHUP | POLLERR) ? EVENT_HANGUP : 0;
    put_event(out, s, s->type == EVENT_READ ? readable_bytes(s->host) : 1, flags);
    return true;
}

// In preview 0 a clock has an identifier in front.
static int32_t poll_oneoff(wasmx_instance *i, int32_t in, int32_t out, int32_t count, int32_t ready_out,
                           bool unstable) {
    uint32_t n = (uint32_t)count, polled = 0, ready = 0, size = unstable ? 56 : 48;
    subscription subs[MAX_SUBSCRIPTIONS];
    struct pollfd polls[MAX_SUBSCRIPTIONS];
    if (!n || n > MAX_SUBSCRIPTIONS) return W_INVAL;
    const char *from = wx_guest(i, in, (uint64_t)n * size);
    char *to = wx_guest(i, out, (uint64_t)n * 32);
    if (!from || !to) return W_FAULT;
    for (uint32_t k = 0; k < n; k++) {
        const char *at = from + (size_t)k * size;
        subs[k] = (subscription){.type = (uint8_t)at[8]};
        memcpy(&subs[k].userdata, at, 8);
        if (subs[k].type > EVENT_WRITE) return W_INVAL;
        if (subs[k].type == EVENT_CLOCK) read_clock(&subs[k], at + (unstable ? 24 : 16));
        else read_descriptor(i, &subs[k], at + 16, polls, &polled);
    }
    if (wait_for(subs, n, polls, polled) < 0) return wx_wasi_errno(errno);
    for (uint32_t k = 0; k < n; k++) ready += put_if_ready(to + (size_t)ready * 32, &subs[k], polls);
    return wx_guest_put32(i, ready_out, ready);
}

int32_t wx_wasi_poll_oneoff(wasmx_instance *i, int32_t in, int32_t out, int32_t count, int32_t ready) {
    return poll_oneoff(i, in, out, count, ready, false);
}

int32_t wx_wasi0_poll_oneoff(wasmx_instance *i, int32_t in, int32_t out, int32_t count, int32_t ready) {
    return poll_oneoff(i, in, out, count, ready, true);
}
