// runtime/wait.c: memory.atomic.wait32, wait64 and notify (threads proposal): a parking lot.
//
//   buckets[hash of the address] ► waiter ► waiter ► ...      in the order they came; each lies on its thread's stack
//
// A waiter looks at the value and lines up under the lock of its bucket, and a notifier takes the same lock: whoever
// stores first and notifies then finds the waiter in line, or the waiter finds the new value. Addresses are the host's,
// so instances that share a memory meet, and others do not.
#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "runtime/internal.h"

#define BUCKETS 256u

typedef struct waiter {
    struct waiter *next, *prev;
    const uint8_t *address;
    _Atomic uint32_t woken; // what the system waits for
} waiter;

typedef struct bucket {
    pthread_mutex_t lock;
    waiter *first, *last;
} bucket;

static bucket buckets[BUCKETS] = {[0 ... BUCKETS - 1] = {.lock = PTHREAD_MUTEX_INITIALIZER}};

static bucket *bucket_of(const uint8_t *address) {
    return &buckets[((uint64_t)(uintptr_t)address >> 2) * 0x9e3779b97f4a7c15u >> 56];
}

static void line_up(bucket *b, waiter *w) {
    w->prev = b->last;
    if (b->last) b->last->next = w;
    else b->first = w;
    b->last = w;
}

static void leave(bucket *b, waiter *w) {
    if (w->prev) w->prev->next = w->next;
    else b->first = w->next;
    if (w->next) w->next->prev = w->prev;
    else b->last = w->prev;
}

// size bytes at an aligned guest address inside the memory, or a trap.
static uint8_t *place(const wasmx_memory *m, uint64_t at, uint32_t size) {
    if (at % size) WX_TRAP(UNALIGNED_ATOMIC);
    uint8_t *p = wasmx_memory_at(m, at, size);
    if (!p) WX_TRAP(MEMORY_OUT_OF_BOUNDS);
    return p;
}

// Of the monotonic clock. Beyond what it can count is never.
static bool deadline_after(int64_t nanoseconds, struct timespec *out) {
    if (nanoseconds < 0 || clock_gettime(CLOCK_MONOTONIC, out)) return false;
    int64_t sum = (int64_t)out->tv_nsec + nanoseconds % 1000000000;
    out->tv_sec += nanoseconds / 1000000000 + sum / 1000000000;
    out->tv_nsec = (long)(sum % 1000000000);
    return true;
}

// Until it is woken, too late, or this thread is asked to end.
static void sleep_until(waiter *w, const struct timespec *deadline) {
    while (!atomic_load(&w->woken) && !atomic_load(&wx_this_thread.stop)) {
        long r = syscall(SYS_futex, &w->woken, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, 0, deadline, NULL,
                         FUTEX_BITSET_MATCH_ANY);
        if (r && errno == ETIMEDOUT) return;
    }
}

enum { WOKEN, NOT_EQUAL, TIMED_OUT };

static uint32_t wait(const uint8_t *address, bool equal(const uint8_t *, uint64_t), uint64_t expected,
                     int64_t timeout) {
    struct timespec deadline;
    bool ends = deadline_after(timeout, &deadline);
    waiter w = {.address = address};
    bucket *b = bucket_of(address);
    pthread_mutex_lock(&b->lock);
    bool waits = equal(address, expected);
    if (waits) line_up(b, &w);
    pthread_mutex_unlock(&b->lock);
    if (!waits) return NOT_EQUAL;
    sleep_until(&w, ends ? &deadline : NULL);
    pthread_mutex_lock(&b->lock);
    bool woken = atomic_load(&w.woken);
    if (!woken) leave(b, &w);
    pthread_mutex_unlock(&b->lock);
    wx_stop_here();
    return woken ? WOKEN : TIMED_OUT;
}

static bool equal32(const uint8_t *p, uint64_t value) {
    return __atomic_load_n((const uint32_t *)p, __ATOMIC_SEQ_CST) == value;
}

static bool equal64(const uint8_t *p, uint64_t value) {
    return __atomic_load_n((const uint64_t *)p, __ATOMIC_SEQ_CST) == value;
}

uint32_t wxrt_atomic_wait32(wasmx_memory *m, uint64_t at, uint32_t expected, int64_t timeout) {
    const uint8_t *p = place(m, at, 4);
    if (!m->is_shared) WX_TRAP(EXPECTED_SHARED_MEMORY);
    return wait(p, equal32, expected, timeout);
}

uint32_t wxrt_atomic_wait64(wasmx_memory *m, uint64_t at, uint64_t expected, int64_t timeout) {
    const uint8_t *p = place(m, at, 8);
    if (!m->is_shared) WX_TRAP(EXPECTED_SHARED_MEMORY);
    return wait(p, equal64, expected, timeout);
}

uint32_t wxrt_atomic_notify(wasmx_memory *m, uint64_t at, uint32_t count) {
    const uint8_t *p = place(m, at, 4);
    bucket *b = bucket_of(p);
    uint32_t n = 0;
    pthread_mutex_lock(&b->lock);
    for (waiter *w = b->first, *next; w && n < count; w = next) {
        next = w->next;
        if (w->address != p) continue;
        leave(b, w);
        atomic_store(&w->woken, 1);
        syscall(SYS_futex, &w->woken, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0);
        n++;
    }
    pthread_mutex_unlock(&b->lock);
    return n;
}
