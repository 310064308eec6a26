// runtime/wasi/poll.c: poll_oneoff: subscriptions to clocks and descriptors become one poll with a time-out.
//
// Every deadline becomes one of the monotonic clock when the call begins. What is no descriptor of the host's is
// always ready.
#include <poll.h>
#include <sys/ioctl.h>
#include <time.h>

#include "runtime/wasi/wasi.h"

#define MAX_SUBSCRIPTIONS 1024u
enum { EVENT_CLOCK, EVENT_READ, EVENT_WRITE };
enum { EVENT_HANGUP = 1, CLOCK_ABSOLUTE = 1 };
#define VIRTUAL UINT32_MAX
#define NEVER UINT64_MAX

typedef struct subscription {
    uint64_t userdata;
    union {
        uint64_t deadline; // clocks: nanoseconds of the monotonic clock
        uint64_t ready;    // descriptors that are always ready: bytes
    };
    uint32_t poll;         // descriptors: index in the pollfd array, or VIRTUAL
    uint8_t type, error;   // error: found before waiting
    wx_fd *fd;             // descriptors that are open
} subscription;

typedef struct waiting {
    wasmx_instance *i;
    subscription subs[MAX_SUBSCRIPTIONS];
    struct pollfd polls[MAX_SUBSCRIPTIONS];
    uint32_t taken;         // subscriptions that were read
    uint32_t polled;
    uint64_t now, deadline; // deadline: the earliest of all; NEVER: none
} waiting;

static void end_waiting(waiting *w) {
    for (uint32_t k = 0; k < w->taken; k++) wx_fd_done(&w->subs[k].fd);
}

// ---- What is waited for

static uint64_t add(uint64_t a, uint64_t b) { return a + b < a ? NEVER - 1 : a + b; }

static void soonest(waiting *w, uint64_t deadline) {
    if (deadline < w->deadline) w->deadline = deadline;
}

// Time that only passes while the guest works cannot be waited for.
static void read_clock(waiting *w, subscription *s, const char *at) {
    uint32_t id;
    uint64_t timeout, t;
    uint16_t flags;
    memcpy(&id, at, 4);
    memcpy(&timeout, at + 8, 8);
    memcpy(&flags, at + 24, 2);
    if (id > WASMX_CLOCK_MONOTONIC || (flags & ~CLOCK_ABSOLUTE)) {
        s->error = W_INVAL;
        return;
    }
    if (flags & CLOCK_ABSOLUTE) {
        if (!wx_clock_now(w->i->wasi, id, &t)) t = 0;
        timeout = timeout > t ? timeout - t : 0;
    }
    s->deadline = add(w->now, timeout);
    soonest(w, s->deadline);
}

static void read_descriptor(waiting *w, subscription *s, const char *at) {
    int32_t fd, error;
    memcpy(&fd, at, 4);
    wx_fd *f = s->fd = wx_fd_get(w->i, fd, W_RIGHT(R_POLL_FD_READWRITE), &error);
    if (!f) {
        s->error = (uint8_t)error;
    } else if (f->kind != FD_HOST) {
        s->poll = VIRTUAL;
        s->ready = s->type == EVENT_READ ? wx_virtual_ready(w->i->wasi, f) : 1;
        soonest(w, 0);
    } else {
        s->poll = w->polled++;
        w->polls[s->poll] = (struct pollfd){.fd = f->host, .events = s->type == EVENT_READ ? POLLIN : POLLOUT};
    }
}

// One subscription, copied out of guest memory. In preview 0 a clock has an identifier in front. False: no such type.
static bool read_subscription(waiting *w, subscription *s, const char *from, uint32_t size) {
    char at[56];
    wx_guest_copy(at, from, size);
    *s = (subscription){.type = (uint8_t)at[8]};
    memcpy(&s->userdata, at, 8);
    if (s->type > EVENT_WRITE) return false;
    if (s->type == EVENT_CLOCK) read_clock(w, s, at + size - 32);
    else read_descriptor(w, s, at + 16);
    if (s->error) soonest(w, 0);
    return true;
}

// ---- Waiting

static int poll_for(waiting *w, uint64_t nanoseconds, bool forever) {
    struct timespec timeout = {(time_t)(nanoseconds / 1000000000u), (long)(nanoseconds % 1000000000u)};
    return ppoll(w->polls, w->polled, forever ? NULL : &timeout, NULL);
}

// The host has replaced the clock, and knows how to let time pass.
static int wait_by_host(waiting *w, const wasmx_sources *s) {
    int ready = poll_for(w, 0, w->deadline == NEVER);
    if (ready || w->deadline <= w->now) return ready;
    s->sleep(s->env, w->deadline - w->now);
    w->now = w->deadline;
    return 0;
}

// Time is measured by the system's own clock here: what the guest is told may stand still.
static int wait_really(waiting *w) {
    static const wasmx_wasi system_clock;
    bool forever = w->deadline == NEVER;
    uint64_t start = 0, t, left = w->deadline > w->now ? w->deadline - w->now : 0;
    wx_clock_now(&system_clock, WASMX_CLOCK_MONOTONIC, &start);
    uint64_t end = add(start, left);
    for (;;) {
        int ready = poll_for(w, left, forever);
        if (ready > 0 || (ready < 0 && (errno != EINTR || wx_stopping()))) return ready;
        if (!wx_clock_now(&system_clock, WASMX_CLOCK_MONOTONIC, &t)) return -1;
        if (!ready && t >= end) break;
        left = t < end ? end - t : 0;
    }
    if (w->deadline > w->now) w->now = w->deadline;
    return 0;
}

// ---- What happened

static uint64_t readable_bytes(int host) {
    int n = 0;
    return ioctl(host, FIONREAD, &n) || n < 0 ? 0 : (uint64_t)n;
}

static void put_event(char *out, const subscription *s, uint16_t error, uint64_t bytes, uint16_t flags) {
    memset(out, 0, 32);
    memcpy(out, &s->userdata, 8);
    memcpy(out + 8, &error, 2);
    out[10] = (char)s->type;
    memcpy(out + 16, &bytes, 8);
    memcpy(out + 24, &flags, 2);
}

static bool put_if_ready(char *out, const subscription *s, const waiting *w) {
    if (s->error) {
        put_event(out, s, s->error, 0, 0);
    } else if (s->type == EVENT_CLOCK) {
        if (s->deadline > w->now) return false;
        put_event(out, s, W_SUCCESS, 0, 0);
    } else if (s->poll == VIRTUAL) {
        put_event(out, s, W_SUCCESS, s->ready, 0);
    } else {
        const struct pollfd *p = &w->polls[s->poll];
        if (!p->revents) return false;
        uint64_t bytes = s->type == EVENT_READ ? readable_bytes(p->fd) : 1;
        uint16_t flags = p->revents & (POLLHUP | POLLERR) ? EVENT_HANGUP : 0;
        put_event(out, s, p->revents & POLLNVAL ? W_BADF : W_SUCCESS, bytes, flags);
    }
    return true;
}

static int32_t poll_oneoff(wasmx_instance *i, int32_t in, int32_t out, int32_t count, int32_t ready_out,
                           uint32_t size) {
    uint32_t n = (uint32_t)count, ready = 0;
    const wasmx_sources *sources = &i->wasi->sources;
    __attribute__((cleanup(end_waiting))) waiting w;
    wx_stop_here();
    w.taken = 0;
    if (!n || n > MAX_SUBSCRIPTIONS) return W_INVAL;
    const char *from = wx_guest(i, in, (uint64_t)n * size);
    char *to = wx_guest(i, out, (uint64_t)n * 32);
    if (!from || !to || !wx_guest(i, ready_out, 4)) return W_FAULT;
    w.i = i;
    w.polled = 0;
    w.deadline = NEVER;
    if (!wx_clock_now(i->wasi, WASMX_CLOCK_MONOTONIC, &w.now)) return wx_wasi_errno(errno);
    for (; w.taken < n; w.taken++)
        if (!read_subscription(&w, &w.subs[w.taken], from + (size_t)w.taken * size, size)) return W_INVAL;
    if ((sources->sleep ? wait_by_host(&w, sources) : wait_really(&w)) < 0) return wx_wasi_errno(errno);
    for (uint32_t k = 0; k < n; k++) ready += put_if_ready(to + (size_t)ready * 32, &w.subs[k], &w);
    return wx_guest_put32(i, ready_out, ready);
}

int32_t wx_wasi_poll_oneoff(wasmx_instance *i, int32_t in, int32_t out, int32_t count, int32_t ready) {
    return poll_oneoff(i, in, out, count, ready, 48);
}

int32_t wx_wasi0_poll_oneoff(wasmx_instance *i, int32_t in, int32_t out, int32_t count, int32_t ready) {
    return poll_oneoff(i, in, out, count, ready, 56);
}
