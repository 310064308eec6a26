// runtime/entry.c: calls from the host into guest code.
//
// in: an instance, a thunk and its packed arguments; out: a status. Sets the stack limit of every linked instance,
// links an entry record where a trap resumes, and calls through the assembly. Takes no lock and allocates nothing but
// on a thread's first call, which needs a stack for signal handlers.
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#include "runtime/gc.h"
#include "runtime/platform.h"

#define HOST_RESERVE ((uint64_t)128 << 10) // for host functions, below the guest's limit
#define FOREIGN_STACK ((uint64_t)64 << 10) // assumed on a stack that is not the thread's, such as a coroutine's
#define SIGNAL_STACK ((size_t)64 << 10)

_Thread_local wx_thread wx_this_thread __attribute__((tls_model("initial-exec")));

static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static pthread_key_t thread_key;

static void end_thread(void *p) {
    wx_thread *t = p;
    stack_t now;
    if (!sigaltstack(NULL, &now) && now.ss_sp == t->signal_stack) sigaltstack(&(stack_t){.ss_flags = SS_DISABLE}, NULL);
    munmap(t->signal_stack, t->signal_stack_size);
    t->signal_stack = NULL;
}

static void make_key(void) { pthread_key_create(&thread_key, end_thread); }

uint64_t wx_host_reserve(uint64_t size) { return size < 2 * HOST_RESERVE ? size / 2 : HOST_RESERVE; }

static void find_stack(wx_thread *t) {
    pthread_attr_t attr;
    void *low = NULL;
    size_t size = 0, guard = 0;
    if (!pthread_getattr_np(pthread_self(), &attr)) {
        pthread_attr_getstack(&attr, &low, &size);
        pthread_attr_getguardsize(&attr, &guard);
        pthread_attr_destroy(&attr);
    }
    t->stack.low = (uint64_t)(uintptr_t)low + guard;
    t->stack.size = size > guard ? size - guard : 0;
    t->stack.limit = t->stack.low + wx_host_reserve(t->stack.size);
    if (!t->stack.limit) t->stack.limit = 1;
}

// The handler of a stack overflow cannot run on the stack that overflowed.
static void make_signal_stack(wx_thread *t) {
    stack_t now;
    if (sigaltstack(NULL, &now) || !(now.ss_flags & SS_DISABLE)) return;
    size_t size = SIGNAL_STACK + wx_round_up(getauxval(AT_MINSIGSTKSZ), wx_page_size());
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) return;
    t->signal_stack = p;
    t->signal_stack_size = size;
    sigaltstack(&(stack_t){.ss_sp = p, .ss_size = size}, NULL);
    pthread_once(&key_once, make_key);
    pthread_setspecific(thread_key, t);
}

static __attribute__((noinline, cold)) void start_thread(wx_thread *t) {
    find_stack(t);
    make_signal_stack(t);
}

wx_thread *wx_thread_ready(void) {
    wx_thread *t = wx_thread_now();
    if (!t->stack.limit) start_thread(t);
    return t;
}

static inline bool on_own_stack(const wx_thread *t, uint64_t sp) { return sp - t->stack.low < t->stack.size; }

uint64_t wx_stack_limit(uint64_t max_stack) {
    wx_thread *t = wx_thread_ready();
    uint64_t sp = (uint64_t)(uintptr_t)__builtin_frame_address(0);
    bool own = on_own_stack(t, sp);
    if (own && !max_stack) return t->stack.limit;
    if (!own) return sp - (max_stack ? max_stack : FOREIGN_STACK);
    return max_stack < sp && sp - max_stack > t->stack.limit ? sp - max_stack : t->stack.limit;
}

void wx_spread_limit(wasmx_instance *instance, uint64_t limit) {
    wx_link *first = &instance->state->link, *l = first;
    do {
        if (l->instance) l->instance->stack_limit = limit;
        l = l->next;
    } while (l != first);
}

static inline uint32_t enter(wasmx_instance *instance, void *ctx, void *thunk, void *code, wasmx_value *slots,
                             uint64_t limit) {
    wx_thread *t = &wx_this_thread;
    wx_entry entry = {.prev = t->top, .instance = instance, .limit = limit};
    t->top = &entry;
    uint32_t status = wx_enter(ctx, thunk, code, slots, &entry.sp);
    wx_thread_now()->top = entry.prev; // another thread's, if the call was suspended; a trap has done so already
    return status;
}

// The limit may differ: another thread than last time, another stack, or a maximum counted from here. Within a call it
// is put back afterwards for the call around this one.
static __attribute__((noinline)) uint32_t call_with_limit(wasmx_instance *instance, void *ctx, void *thunk, void *code,
                                                          wasmx_value *slots) {
    uint64_t limit = wx_stack_limit(instance->max_stack), before = instance->stack_limit;
    wx_spread_limit(instance, limit);
    uint32_t status = enter(instance, ctx, thunk, code, slots, limit);
    if (wx_thread_now()->top) wx_spread_limit(instance, before);
    return status;
}

uint32_t wx_call(wasmx_instance *instance, void *ctx, void *thunk, void *code, wasmx_value *slots) {
    const wx_thread *t = &wx_this_thread;
    bool same = instance->stack_limit == t->stack.limit && !instance->max_stack;
    if (WX_LIKELY(same && on_own_stack(t, (uint64_t)(uintptr_t)__builtin_frame_address(0))))
        return enter(instance, ctx, thunk, code, slots, t->stack.limit);
    return call_with_limit(instance, ctx, thunk, code, slots);
}

// What entry_x86_64.S does for itself in the usual case.
_Static_assert(offsetof(wx_thread, top) == 0 && offsetof(wx_thread, stack.limit) == 8 &&
                   offsetof(wx_thread, stack.low) == 16 && offsetof(wx_thread, stack.size) == 24, "wxrt_call");
_Static_assert(offsetof(wx_entry, prev) == 0 && offsetof(wx_entry, sp) == 8 && offsetof(wx_entry, instance) == 16 &&
                   offsetof(wx_entry, limit) == 24 && sizeof(wx_entry) == 32, "wxrt_call");
_Static_assert(offsetof(wasmx_instance, stack_limit) == 32 && offsetof(wasmx_instance, max_stack) == 40 &&
                   sizeof(wasmx_instance) + WXRT_LOW_GUARD == 65584, "wxrt_call");

uint32_t wx_call_from_host(wasmx_instance *i, void *thunk, void *code, wasmx_value *slots) {
    return wx_call(i, wx_ctx(i), thunk, code, slots);
}

// ---- Rings

void wx_link_init(wx_link *link, wasmx_instance *instance) {
    *link = (wx_link){.next = link, .prev = link, .instance = instance};
}

static bool same_ring(const wx_link *a, const wx_link *b) {
    const wx_link *l = a;
    do {
        if (l == b) return true;
        l = l->next;
    } while (l != a);
    return false;
}

// Afterwards all of the ring have one limit: that of the call which runs, else the thread's.
static void level_limits(wx_link *first) {
    const wx_entry *top = wx_this_thread.top;
    uint64_t limit = top ? top->limit : wx_stack_limit(0);
    wx_link *l = first;
    do {
        if (l->instance) l->instance->stack_limit = limit;
        l = l->next;
    } while (l != first);
}

static bool join_heaps(wx_link *a, wx_link *b) {
    if (!a->heap) return !b->heap || join_heaps(b, a);
    if (b->heap) return b->heap == a->heap;
    wx_link *l = b;
    do {
        wx_heap_attach(l, a->heap);
        l = l->next;
    } while (l != b);
    return true;
}

bool wx_link_join(wx_link *a, wx_link *b) {
    if (same_ring(a, b)) return true;
    if (!join_heaps(a, b)) return false;
    wx_link *after_a = a->next, *after_b = b->next;
    a->next = after_b;
    after_b->prev = a;
    b->next = after_a;
    after_a->prev = b;
    level_limits(a);
    return true;
}

void wx_link_leave(wx_link *link) {
    link->prev->next = link->next;
    link->next->prev = link->prev;
    link->next = link->prev = link;
    wx_heap_detach(link);
}

bool wx_link_func(wx_link *link, const wasmx_func *func) {
    return !link || !func || !func->owner || wx_link_join(link, &func->owner->state->link);
}
