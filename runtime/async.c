// runtime/async.c: calls on stacks of their own, which host functions can suspend.
//
//   resume ──wx_switch──► [ wx_async_main ► run ► guest ► host function ► wasmx_suspend ] ──wx_switch──► resume returns
//
// in: a function to run; out: its status, or that it is suspended   While a call runs, the thread's record describes the
// call's stack instead of the thread's own; entries of the call are cut from the thread's chain when it is suspended
// and spliced into that of the thread that resumes it.
#include "runtime/async.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "runtime/platform.h"

#define DEFAULT_STACK ((size_t)512 << 10)
#define LEAST_STACK ((size_t)64 << 10)
#define CACHED 64 // stacks of the default size kept for new calls

typedef enum state { IDLE, RUNNING, SUSPENDED } state;

struct wasmx_async {
    uint8_t *mapping;
    size_t mapping_size;
    uint64_t low, size;   // the stack, its guard page not counted
    void *sp, *resumer;   // where the call, and where who resumed it, goes on
    state state;
    wx_entry *top, *bottom; // its entries while it is suspended; NULL: none
    wx_thread_stack stack_before; // of the thread's record, as are the next three
    wx_entry *top_before, *base_before;
    wasmx_async *async_before;
    wasmx_status (*run)(void *arg);
    void *arg;
    wasmx_status status;
    void *fake_stack, *outer_fake, *fiber, *outer_fiber; // for sanitizers
    const void *outer_low;
    size_t outer_size;
};

// ---- Sanitizers follow stacks only when they are told

#if defined(__SANITIZE_ADDRESS__)
void __sanitizer_start_switch_fiber(void **save, const void *low, size_t size);
void __sanitizer_finish_switch_fiber(void *save, const void **low, size_t *size);
#else
#define __sanitizer_start_switch_fiber(save, low, size) ((void)(save), (void)(low), (void)(size))
#define __sanitizer_finish_switch_fiber(save, low, size) ((void)(save), (void)(low), (void)(size))
#endif

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
    bool ends = a->state == IDLE;
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
    a->fiber = __tsan_create_fiber(0);
    if (!mprotect(a->mapping + guard, a->size, PROT_READ | PROT_WRITE)) return true;
    munmap(a->mapping, a->mapping_size);
    return false;
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

// ---- Entries of a suspended call

static void count_suspended(wasmx_async *a, int by) {
    for (wx_entry *e = a->top; e; e = e == a->bottom ? NULL : e->prev) e->instance->state->suspended += by;
}

static void cut_entries(wasmx_async *a, wx_thread *t) {
    a->top = a->bottom = NULL;
    if (t->top == a->top_before) return;
    a->top = a->bottom = t->top;
    while (a->bottom->prev != a->top_before) a->bottom = a->bottom->prev;
    count_suspended(a, 1);
}

// Other calls may have run in the instances meanwhile, with limits of their own.
static void splice_entries(wasmx_async *a, wx_thread *t) {
    if (!a->top) return;
    count_suspended(a, -1);
    a->bottom->prev = t->top;
    t->top = a->top;
    wx_spread_limit(a->top->instance, a->top->limit);
}

void wasmx_async_free(wasmx_async *a) {
    if (!a || a->state == RUNNING) return;
    if (a->state == SUSPENDED) count_suspended(a, -1);
    a->state = IDLE;
    a->top = a->bottom = NULL;
    if (put_cached(a)) return;
    __tsan_destroy_fiber(a->fiber);
    munmap(a->mapping, a->mapping_size);
    free(a);
}

// ---- Switching

static wasmx_status go_on(wasmx_async *a) {
    wx_thread *t = wx_thread_ready();
    a->stack_before = t->stack;
    a->base_before = t->base;
    a->async_before = t->async;
    t->base = a->top_before = t->top;
    t->async = a;
    t->stack = (wx_thread_stack){a->low + wx_host_reserve(a->size), a->low, a->size};
    splice_entries(a, t);
    a->state = RUNNING;
    enter_stack(a);
    t->stack = a->stack_before; // t is this thread still: who resumes another call is not moved before that is back
    t->top = a->top_before;
    t->base = a->base_before;
    t->async = a->async_before;
    return a->state == SUSPENDED ? WASMX_SUSPENDED : a->status;
}

bool wasmx_suspend(void) {
    wx_thread *t = wx_thread_now();
    wasmx_async *a = t->async;
    if (!a) return false;
    cut_entries(a, t);
    a->state = SUSPENDED;
    leave_stack(a);
    return true;
}

void wx_async_main(wasmx_async *a) {
    __sanitizer_finish_switch_fiber(NULL, &a->outer_low, &a->outer_size);
    a->status = a->run(a->arg);
    a->top = a->bottom = NULL;
    a->state = IDLE;
    leave_stack(a);
    abort(); // nobody resumes what has ended
}

wasmx_status wasmx_async_run(wasmx_async *a, wasmx_status (*run)(void *arg), void *arg) {
    if (a->state != IDLE) return WASMX_TRAP_HOST;
    a->run = run;
    a->arg = arg;
    a->sp = wx_first_frame((void *)(uintptr_t)(a->low + a->size), a);
    return go_on(a);
}

wasmx_status wasmx_resume(wasmx_async *a) { return a->state == SUSPENDED ? go_on(a) : WASMX_TRAP_HOST; }

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
