// runtime/gc_stacks.h: where references may be on native stacks.
#pragma once
#include "runtime/async.h"
#include "runtime/gc.h"

typedef void wx_stack_visit(void *arg, uint64_t low, uint64_t high);

// This thread's stacks, from sp up to its first call of guest code. False: it is not known how far one of them goes.
WX_INTERNAL bool wx_visit_stacks(uint64_t sp, wx_stack_visit *visit, void *arg);
// Those of suspended calls into instances that have the heap.
WX_INTERNAL void wx_visit_suspended(const wx_heap *heap, wx_stack_visit *visit, void *arg);
// A call is about to be suspended, with its entries in a->top; it goes on, or is abandoned.
WX_INTERNAL void wx_stack_waits(wasmx_async *a);
WX_INTERNAL void wx_stack_runs(wasmx_async *a);
