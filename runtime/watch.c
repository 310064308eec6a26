// runtime/watch.c: who takes the access from an instance's page, and when.
//
// in: deadlines, set by the threads that run instances; out: pages without access   One thread looks at the deadlines
// of all instances that ever had one, every half millisecond while there are any. Setting and clearing a deadline that
// has not passed is one atomic exchange; only the passage itself takes the lock.
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <time.h>

#include "runtime/internal.h"

#define TICK_NS 500000
#define IDLE_TICKS 200 // then the thread sleeps until it is woken
#define WATCHER_STACK ((size_t)128 << 10)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; // the list, and every change of a page's access
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
static wx_watch *all;
static atomic_bool running;
static atomic_bool asleep;

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

static bool expire_if_due(wx_watch *w, uint64_t now) {
    uint64_t deadline = atomic_load(&w->deadline);
    if (deadline == WX_NEVER || deadline == WX_EXPIRED) return false;
    int clock = atomic_load(&w->clock); // of this deadline, or the exchange below fails
    if (clock != CLOCK_MONOTONIC) now = now_of(clock);
    bool due = now >= deadline && atomic_compare_exchange_strong(&w->deadline, &deadline, WX_EXPIRED);
    if (due) set_access(w, PROT_NONE);
    return true;
}

// True when there was any deadline.
static bool look_at_all(void) {
    uint64_t now = now_of(CLOCK_MONOTONIC);
    bool any = false;
    for (wx_watch *w = all; w; w = w->next) any |= expire_if_due(w, now);
    return any;
}

// A deadline set meanwhile is either seen here or sees `asleep`.
static void sleep_until_woken(void) {
    atomic_store(&asleep, true);
    if (!look_at_all()) pthread_cond_wait(&wake, &lock);
    atomic_store(&asleep, false);
}

static void *watcher(void *arg) {
    int idle = 0;
    pthread_mutex_lock(&lock);
    for (;;) {
        idle = look_at_all() ? 0 : idle + 1;
        if (idle > IDLE_TICKS) sleep_until_woken();
        pthread_mutex_unlock(&lock);
        nanosleep(&(struct timespec){.tv_nsec = TICK_NS}, NULL);
        pthread_mutex_lock(&lock);
    }
    return arg;
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
    atomic_store(&asleep, false);
    pthread_cond_init(&wake, NULL);
    pthread_mutex_unlock(&lock);
}

static void follow_forks(void) { pthread_atfork(before_fork, after_fork, in_child); }

// ---- One instance

static bool list(wx_watch *w) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, follow_forks);
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

bool wasmx_set_deadline(wasmx_instance *i, wasmx_time clock, uint64_t nanoseconds) {
    wx_watch *w = watch_of(i);
    if (!i->module->interrupt_at) return nanoseconds == 0;
    clear(w);
    if (!nanoseconds) return true;
    clockid_t id;
    if (!clock_id(clock, &id) || ((!w->listed || !running) && !list(w))) return false;
    atomic_store(&w->clock, id);
    uint64_t now = now_of(id);
    atomic_store(&w->deadline, nanoseconds < WX_NEVER - 1 - now ? now + nanoseconds : WX_NEVER - 1);
    if (!atomic_load(&asleep)) return true;
    pthread_mutex_lock(&lock);
    pthread_cond_signal(&wake);
    pthread_mutex_unlock(&lock);
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
