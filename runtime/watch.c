// runtime/watch.c: who takes the access from an instance's page, and when.
//
// in: deadlines, set by the threads that run instances; out: pages without access   One thread sleeps until the next
// deadline. Who sets one compares it with what the thread has planned, and wakes it only for an earlier one; so with
// deadlines of one length, which most servers have, nobody wakes it, and it looks once in that length. Setting and
// clearing a deadline that has not passed are atomic operations; only the passage itself takes the lock.
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "runtime/internal.h"

#define SHORT_NS 500000    // the watcher plans no lull shorter than this
#define LONG_NS 100000000  // after such a time without a new deadline it sleeps until it is woken
#define CLOSE_NS 5000      // what is left of processor time when taking the page away takes as long
#define AWAKE_NS 15000     // to sleep for less is not worth it
#define STANDING_NS 100000 // how often the clock of a thread that does not run is looked at
#define SLICE_NS 100000
#define WATCHER_STACK ((size_t)128 << 10)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; // the list, and every change of a page's access
static pthread_cond_t wake;
static wx_watch *all;
static atomic_bool running;
static _Atomic uint64_t next_look = WX_NEVER; // by CLOCK_MONOTONIC; WX_NEVER also while it looks, under the lock
static _Atomic uint64_t shortest = WX_NEVER;  // of the times that were set since the last look

static wx_watch *watch_of(const wasmx_instance *i) { return &i->state->watch; }

void *wx_interrupt_page(const wasmx_instance *i) {
    return i->module->interrupt_at ? (char *)wx_ctx(i) - i->module->interrupt_at : NULL;
}

bool wx_is_interrupted(const wasmx_instance *i) {
    return atomic_load_explicit(&watch_of(i)->deadline, memory_order_relaxed) == WX_EXPIRED;
}

bool wx_is_interruption(const wasmx_instance *instance, uint64_t address) {
    const wx_link *first = &instance->state->link, *l = first;
    do {
        uint64_t page = l->instance ? (uint64_t)(uintptr_t)wx_interrupt_page(l->instance) : 0;
        if (page && page == address) return true;
        l = l->next;
    } while (l != first);
    return false;
}

static void set_access(const wx_watch *w, int access) {
    mprotect(wx_interrupt_page(w->instance), wx_page_size(), access);
}

static uint64_t now_of(int clock) {
    struct timespec t;
    if (clock_gettime(clock, &t)) return WX_NEVER - 1; // the thread has ended: so has its time
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

// ---- The thread

// When processor time may reach the deadline. It passes no faster than time; of a thread that does not run it does not
// pass at all, and asking more often would be in vain.
static uint64_t time_left(wx_watch *w, uint64_t left, uint64_t now) {
    uint64_t least = now == w->seen ? STANDING_NS : AWAKE_NS;
    w->seen = now;
    return left > least ? left : least;
}

// When to look at it again, by CLOCK_MONOTONIC.
static uint64_t look_at(wx_watch *w, uint64_t now) {
    uint64_t deadline = atomic_load(&w->deadline), due = atomic_load(&w->due);
    if (deadline == WX_NEVER || deadline == WX_EXPIRED) return WX_NEVER;
    if (now < due) return due;
    int clock = atomic_load(&w->clock); // of this deadline, or the exchanges below fail
    uint64_t time = clock == CLOCK_MONOTONIC ? now : now_of(clock);
    if (time + CLOSE_NS < deadline) {
        uint64_t next = now + time_left(w, deadline - time, time);
        return atomic_compare_exchange_strong(&w->due, &due, next) ? next : due;
    }
    if (atomic_compare_exchange_strong(&w->deadline, &deadline, WX_EXPIRED)) set_access(w, PROT_NONE);
    return WX_NEVER;
}

static uint64_t look_at_all(uint64_t now) {
    uint64_t next = WX_NEVER;
    for (wx_watch *w = all; w; w = w->next) {
        uint64_t due = look_at(w, now);
        if (due < next) next = due;
    }
    return next;
}

// How long it may be until a deadline that is not yet set has passed: as long as those of late.
static uint64_t lull(uint64_t now) {
    static uint64_t length, since;
    uint64_t asked = atomic_exchange(&shortest, WX_NEVER);
    if (asked != WX_NEVER) length = asked < SHORT_NS ? SHORT_NS : asked < LONG_NS ? asked : LONG_NS, since = now;
    return now - since > LONG_NS ? WX_NEVER : now + length;
}

// A deadline set meanwhile waits for the lock in look_by.
static void look(void) {
    atomic_store(&next_look, WX_NEVER);
    uint64_t now = now_of(CLOCK_MONOTONIC), due = look_at_all(now), latest = lull(now);
    atomic_store(&next_look, due < latest ? due : latest);
}

static void look_by(uint64_t time) {
    if (time >= atomic_load(&next_look)) return;
    pthread_mutex_lock(&lock);
    if (time < atomic_load(&next_look)) {
        atomic_store(&next_look, time);
        pthread_cond_signal(&wake);
    }
    pthread_mutex_unlock(&lock);
}

static void sleep_until_then(void) {
    uint64_t then = atomic_load(&next_look);
    struct timespec t = {.tv_sec = (time_t)(then / 1000000000u), .tv_nsec = (long)(then % 1000000000u)};
    if (then == WX_NEVER) pthread_cond_wait(&wake, &lock);
    else pthread_cond_timedwait(&wake, &lock, &t);
}

// It runs for microseconds: let it do so at once, where it may (CAP_SYS_NICE; a slice of its own: Linux 6.12).
static void be_punctual(void) {
    struct { uint32_t size, policy; uint64_t flags; int32_t nice; uint32_t priority; uint64_t slice, rest[2]; } a;
    prctl(PR_SET_TIMERSLACK, 1ul);
    if (syscall(SYS_sched_getattr, 0, &a, (unsigned)sizeof a, 0u) || a.policy) return; // 0: SCHED_OTHER
    int nice = a.nice;
    a.slice = SLICE_NS;
    a.nice = -20;
    if (!syscall(SYS_sched_setattr, 0, &a, 0u)) return;
    a.nice = nice;
    syscall(SYS_sched_setattr, 0, &a, 0u);
}

static void *watcher(void *arg) {
    be_punctual();
    pthread_mutex_lock(&lock);
    for (;;) {
        look();
        do sleep_until_then();
        while (now_of(CLOCK_MONOTONIC) < atomic_load(&next_look));
    }
    return arg;
}

static void make_condition(void) {
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&wake, &attr);
    pthread_condattr_destroy(&attr);
}

// With every signal blocked: they are for the threads of the host.
static bool start_watcher(void) {
    pthread_t thread;
    pthread_attr_t attr;
    sigset_t every, before;
    sigfillset(&every);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, WATCHER_STACK);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_sigmask(SIG_SETMASK, &every, &before);
    running = !pthread_create(&thread, &attr, watcher, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    return running;
}

// ---- fork: the child has the list and the pages, but not the thread

static void before_fork(void) { pthread_mutex_lock(&lock); }
static void after_fork(void) { pthread_mutex_unlock(&lock); }

static void in_child(void) {
    running = false;
    atomic_store(&next_look, WX_NEVER);
    make_condition();
    pthread_mutex_unlock(&lock);
}

static void prepare(void) {
    make_condition();
    pthread_atfork(before_fork, after_fork, in_child);
}

// ---- One instance

static bool list(wx_watch *w) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, prepare);
    pthread_mutex_lock(&lock);
    bool ok = running || start_watcher();
    if (ok && !w->listed) {
        w->listed = true;
        w->next = all;
        w->prev = NULL;
        if (all) all->prev = w;
        all = w;
    }
    pthread_mutex_unlock(&lock);
    return ok;
}

static void unlist(wx_watch *w) {
    if (!w->listed) return;
    if (w->next) w->next->prev = w->prev;
    if (w->prev) w->prev->next = w->next;
    else all = w->next;
    w->listed = false;
}

void wx_watch_open(wasmx_instance *i) {
    *watch_of(i) = (wx_watch){.instance = i, .deadline = WX_NEVER};
}

// Whatever it was: afterwards it has no deadline, and its page can be read.
static void clear(wx_watch *w) {
    uint64_t deadline = atomic_load(&w->deadline);
    if (deadline == WX_NEVER) return;
    while (deadline != WX_EXPIRED)
        if (atomic_compare_exchange_weak(&w->deadline, &deadline, WX_NEVER)) return;
    pthread_mutex_lock(&lock);
    set_access(w, PROT_READ);
    atomic_store(&w->deadline, WX_NEVER);
    pthread_mutex_unlock(&lock);
}

void wx_watch_close(wasmx_instance *i) {
    wx_watch *w = watch_of(i);
    if (!i->module->interrupt_at) return;
    clear(w);
    if (!w->listed) return;
    pthread_mutex_lock(&lock);
    unlist(w);
    pthread_mutex_unlock(&lock);
}

static bool clock_id(wasmx_time clock, clockid_t *out) {
    *out = CLOCK_MONOTONIC;
    return clock != WASMX_TIME_THREAD || !pthread_getcpuclockid(pthread_self(), out);
}

static uint64_t after(uint64_t time, uint64_t nanoseconds) {
    return nanoseconds < WX_NEVER - 1 - time ? time + nanoseconds : WX_NEVER - 1;
}

bool wasmx_set_deadline(wasmx_instance *i, wasmx_time clock, uint64_t nanoseconds) {
    wx_watch *w = watch_of(i);
    if (!i->module->interrupt_at) return nanoseconds == 0;
    clear(w);
    if (!nanoseconds) return true;
    clockid_t id;
    if (!clock_id(clock, &id) || ((!w->listed || !running) && !list(w))) return false;
    uint64_t now = now_of(CLOCK_MONOTONIC), due = after(now, nanoseconds);
    atomic_store_explicit(&w->clock, id, memory_order_relaxed);
    atomic_store_explicit(&w->due, due, memory_order_release);
    atomic_store(&w->deadline, id == CLOCK_MONOTONIC ? due : after(now_of(CLOCK_THREAD_CPUTIME_ID), nanoseconds));
    if (nanoseconds < atomic_load_explicit(&shortest, memory_order_relaxed)) atomic_store(&shortest, nanoseconds);
    look_by(due);
    return true;
}

bool wx_watch_begin(wasmx_instance *i, const wasmx_options *options, wasmx_error *err) {
    if (!options->deadline_ns) return true;
    if (!i->module->interrupt_at)
        return wx_error_set(err, "a deadline needs a module that was built with --interruptible");
    if (wasmx_set_deadline(i, (wasmx_time)options->deadline_clock, options->deadline_ns)) return true;
    return wx_error_set(err, "no thread could be started to watch the deadline");
}

bool wasmx_interrupt(wasmx_instance *i) {
    wx_watch *w = watch_of(i);
    if (!i->module->interrupt_at) return false;
    pthread_mutex_lock(&lock);
    if (atomic_exchange(&w->deadline, WX_EXPIRED) != WX_EXPIRED) set_access(w, PROT_NONE);
    pthread_mutex_unlock(&lock);
    return true;
}
