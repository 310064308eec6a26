// runtime/gc_stacks.c: where references may be on native stacks.
//
//   this thread   [ sp .. helper, guest, entry, host, guest, entry ]   outermost entry: what is above it is the host's
//   on an async   [ sp .. entry, base ] of its stack, then [ resumer .. entry ] of the one below it
//
// in: a stack pointer, the thread's record; out: ranges of words. A host may also enter on stacks of its own making, of
// which only what its promise of max_stack_bytes says is known: then the parts that are sure are visited, and where
// there is doubt the answer is that it is not known.
#include "runtime/gc_stacks.h"

#include "runtime/platform.h"

#define BELOW_LIMIT ((uint64_t)64 << 10) // how far helpers may be below the guest's limit on a stack of the host's

typedef struct walk {
    uint64_t low;          // everything below was visited
    wx_thread_stack stack; // the one that is known
} walk;

static bool is_inside(const wx_thread_stack *s, uint64_t address) { return address - s->low < s->size; }

static bool visit_entry(walk *w, const wx_entry *e, wx_stack_visit *visit, void *arg) {
    uint64_t high = (uint64_t)(uintptr_t)e->sp;
    bool from_known = is_inside(&w->stack, w->low), to_known = is_inside(&w->stack, high);
    if (from_known && !to_known) return false;
    if (!from_known && to_known) w->low = w->stack.low;
    if (!from_known && !to_known && w->low + BELOW_LIMIT < e->limit) return false;
    if (w->low > high) return false;
    visit(arg, w->low, high);
    w->low = high;
    return true;
}

// The whole of a call's stack above; then that of who resumed it.
static void leave_async(walk *w, const wasmx_async *a, wx_stack_visit *visit, void *arg) {
    if (!is_inside(&w->stack, w->low)) w->low = a->low;
    visit(arg, w->low, a->low + a->size);
    w->low = (uint64_t)(uintptr_t)a->resumer;
    w->stack = a->stack_before;
}

bool wx_visit_stacks(uint64_t sp, wx_stack_visit *visit, void *arg) {
    const wx_thread *t = wx_thread_now();
    const wasmx_async *a = t->async;
    walk w = {.low = sp, .stack = t->stack};
    for (const wx_entry *e = t->top; e; e = e->prev) {
        if (e->instance) {
            if (!visit_entry(&w, e, visit, arg)) return false;
            continue;
        }
        leave_async(&w, a, visit, arg);
        a = a->async_before;
    }
    return true;
}

// ---- Suspended calls, of all threads: those that may hold references

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static wasmx_async *waiting;

static bool has_heap(const wasmx_async *a, const wx_heap *heap) {
    for (const wx_entry *e = a->top; e != &a->base; e = e->prev)
        if (heap ? e->instance->state->link.heap == heap : e->instance->state->link.heap != NULL) return true;
    return false;
}

void wx_stack_waits(wasmx_async *a) {
    if (!has_heap(a, NULL)) return;
    pthread_mutex_lock(&lock);
    a->prev = NULL;
    a->next = waiting;
    if (waiting) waiting->prev = a;
    waiting = a;
    a->listed = true;
    pthread_mutex_unlock(&lock);
}

void wx_stack_runs(wasmx_async *a) {
    if (!a->listed) return;
    pthread_mutex_lock(&lock);
    if (a->prev) a->prev->next = a->next;
    else waiting = a->next;
    if (a->next) a->next->prev = a->prev;
    a->listed = false;
    pthread_mutex_unlock(&lock);
}

void wx_visit_suspended(const wx_heap *heap, wx_stack_visit *visit, void *arg) {
    pthread_mutex_lock(&lock);
    for (const wasmx_async *a = waiting; a; a = a->next)
        if (has_heap(a, heap)) visit(arg, (uint64_t)(uintptr_t)a->sp, a->low + a->size);
    pthread_mutex_unlock(&lock);
}
