// runtime/async.c: calls on stacks of their own, which host functions can suspend.
//
//   resume ──► [ wx_async_main ► run ► guest ► host function ► wasmx_suspend ] ──► resume returns
//
// in: a function to run; out: its status, or that it is suspended   While a call runs, the thread's record describes
// the call's stack instead of the thread's own. Entries of the call stand on a base entry that stays the same, and
// whose `prev` is the last entry of whoever resumes the call.
#include "runtime/gc_stacks.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "runtime/platform.h"

#define DEFAULT_STACK ((size_t)512 << 10)
#define LEAST_STACK ((size_t)64 << 10)
#define CACHED 64 // stacks of the default size kept for new calls

// ---- Sanitizers follow stacks only when they are told

#if defined(__SANITIZE_ADDRESS__)
void __sanitizer_start_switch_fiber(void **save, const void *low, size_t size);
void __sanitizer_finish_switch_fiber(void *save, const void **low, size_t *size);
#else
#define __sanitizer_start_switch_fiber(save, low, size) ((void)(save), (void)(low), (void)(size))
#define __sanitizer_finish_switch_fiber(save, low, size) ((void)(save), (void)(low), (void)(size))
#endif

void __asan_unpoison_memory_region(const volatile void *at, size_t size) __attribute__((weak)); // of the host, maybe

#if defined(__SANITIZE_THREAD__)
void *__tsan_get_current_fiber(void);
void *__tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void *fiber);
void __tsan_switch_to_fiber(void *fiber, unsigned flags);
#else
#define __tsan_get_current_fiber() NULL
#define __tsan_create_fiber(flags) NULL
#define __tsan_destroy_fiber(fiber) ((void)(fiber))
#define __tsan_switch_to_fiber(fiber, flags) ((void)(fiber))
#endif

static void enter_stack(wasmx_async *a) {
    a->outer_fiber = __tsan_get_current_fiber();
    __sanitizer_start_switch_fiber(&a->outer_fake, (void *)(uintptr_t)a->low, a->size);
    __tsan_switch_to_fiber(a->fiber, 0);
    wx_switch(&a->resumer, a->sp);
    __sanitizer_finish_switch_fiber(a->outer_fake, NULL, NULL);
}

static void leave_stack(wasmx_async *a) {
    bool ends = a->state == WX_IDLE;
    __sanitizer_start_switch_fiber(ends ? NULL : &a->fake_stack, a->outer_low, a->outer_size);
    __tsan_switch_to_fiber(a->outer_fiber, 0);
    wx_switch(&a->sp, a->resumer);
    __sanitizer_finish_switch_fiber(a->fake_stack, &a->outer_low, &a->outer_size);
}

// ---- Stacks

static pthread_mutex_t cache_lock = PTHREAD_MUTEX_INITIALIZER;
static wasmx_async *cache[CACHED];
static unsigned cached;

static wasmx_async *take_cached(void) {
    pthread_mutex_lock(&cache_lock);
    wasmx_async *a = cached ? cache[--cached] : NULL;
    pthread_mutex_unlock(&cache_lock);
    return a;
}

static bool put_cached(wasmx_async *a) {
    pthread_mutex_lock(&cache_lock);
    bool room = a->size == DEFAULT_STACK && cached < CACHED;
    if (room) cache[cached++] = a;
    pthread_mutex_unlock(&cache_lock);
    return room;
}

static bool map_stack(wasmx_async *a, size_t size) {
    uint64_t guard = wx_page_size();
    a->size = wx_round_up(size, guard);
    a->mapping_size = a->size + guard;
    a->mapping = mmap(NULL, a->mapping_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (a->mapping == MAP_FAILED) return false;
    a->low = (uint64_t)(uintptr_t)a->mapping + guard;
    if (mprotect(a->mapping + guard, a->size, PROT_READ | PROT_WRITE)) {
        munmap(a->mapping, a->mapping_size);
        return false;
    }
    a->fiber = __tsan_create_fiber(0);
    return true;
}

wasmx_async *wasmx_async_new(size_t stack_bytes, wasmx_error *err) {
    size_t size = !stack_bytes ? DEFAULT_STACK : stack_bytes < LEAST_STACK ? LEAST_STACK : stack_bytes;
    wasmx_async *a = size == DEFAULT_STACK ? take_cached() : NULL;
    if (a) return a;
    if (size <= SIZE_MAX / 2 && (a = calloc(1, sizeof *a)) && map_stack(a, size)) return a;
    free(a);
    wx_error_set(err, "no memory for a stack of %zu bytes", size);
    return NULL;
}

// The instances it has entered.
static void count_suspended(wasmx_async *a, int by) {
    for (wx_entry *e = a->top; e != &a->base; e = e->prev) e->instance->state->suspended += by;
}

// What surrounds variables of frames that nobody will return from.
static void forget_frames(const wasmx_async *a) {
    if (__asan_unpoison_memory_region) __asan_unpoison_memory_region((const void *)(uintptr_t)a->low, a->size);
}

void wasmx_async_free(wasmx_async *a) {
    if (!a || a->state == WX_RUNNING) return;
    if (a->state == WX_SUSPENDED) {
        count_suspended(a, -1);
        wx_stack_runs(a);
        forget_frames(a);
    }
    a->state = WX_IDLE;
    if (put_cached(a)) return;
    __tsan_destroy_fiber(a->fiber);
    munmap(a->mapping, a->mapping_size);
    free(a);
}

// ---- Switching

// Other calls may have run in its instances meanwhile, with limits of their own.
static void set_limits(wasmx_async *a) {
    if (a->top != &a->base) wx_spread_limit(a->top->instance, a->top->limit);
}

static wasmx_status go_on(wasmx_async *a) {
    wx_thread *t = wx_thread_ready();
    a->stack_before = t->stack;
    a->async_before = t->async;
    a->base.prev = t->top;
    t->top = a->top;
    t->async = a;
    t->stack = (wx_thread_stack){a->base.limit, a->low, a->size};
    set_limits(a);
    wx_stack_runs(a);
    a->state = WX_RUNNING;
    enter_stack(a);
    t->stack = a->stack_before; // t is this thread still: who resumes another call is not moved before that is back
    t->async = a->async_before;
    t->top = a->base.prev;
    return a->state == WX_SUSPENDED ? WASMX_SUSPENDED : a->status;
}

bool wasmx_suspend(void) {
    wx_thread *t = wx_thread_now();
    wasmx_async *a = t->async;
    if (!a) return false;
    a->top = t->top;
    a->state = WX_SUSPENDED;
    count_suspended(a, 1);
    wx_stack_waits(a);
    leave_stack(a);
    count_suspended(a, -1);
    return true;
}

void wx_async_main(wasmx_async *a) {
    __sanitizer_finish_switch_fiber(NULL, &a->outer_low, &a->outer_size);
    a->status = a->run(a->arg);
    a->state = WX_IDLE;
    leave_stack(a);
    abort(); // nobody resumes what has ended
}

wasmx_status wasmx_async_run(wasmx_async *a, wasmx_status (*run)(void *arg), void *arg) {
    if (a->state != WX_IDLE) return WASMX_TRAP_HOST;
    a->run = run;
    a->arg = arg;
    a->top = &a->base;
    a->base.limit = a->low + wx_host_reserve(a->size);
    a->sp = wx_first_frame((void *)(uintptr_t)(a->low + a->size), a);
    return go_on(a);
}

wasmx_status wasmx_resume(wasmx_async *a) { return a->state == WX_SUSPENDED ? go_on(a) : WASMX_TRAP_HOST; }

typedef struct call { wasmx_func *func; const wasmx_value *args; wasmx_value *results; } call;

static wasmx_status run_call(void *p) {
    call c = *(const call *)p; // p is gone once the call has been suspended
    return wasmx_call(c.func, c.args, c.results);
}

wasmx_status wasmx_call_async(wasmx_async *a, wasmx_func *func, const wasmx_value *args, wasmx_value *results) {
    call c = {func, args, results};
    return wasmx_async_run(a, run_call, &c);
}

wasmx_async *wasmx_async_current(void) { return wx_thread_now()->async; }
