// runtime/async.h: what the switch between stacks and the threads' records have to know of each other.
#pragma once
#include "runtime/internal.h"

struct wasmx_async {
    uint8_t *mapping;
    size_t mapping_size;
    uint64_t low, size;   // the stack, its guard page not counted
    void *sp, *resumer;   // where the call, and where who resumed it, goes on
    enum { WX_IDLE, WX_RUNNING, WX_SUSPENDED } state;
    wx_entry base;        // of no instance: below the call's entries in a thread's chain
    wx_entry *top;        // its last entry, while it is suspended
    wx_thread_stack stack_before; // of the thread's record
    wasmx_async *async_before;    // likewise
    wasmx_async *next, *prev;     // in the list of those that hold references (gc_stacks.c)
    bool listed;
    wasmx_status (*run)(void *arg);
    void *arg;
    wasmx_status status;
    void *fake_stack, *outer_fake, *fiber, *outer_fiber; // for sanitizers
    const void *outer_low;
    size_t outer_size;
};

// Saves this stack's registers, stores its pointer in *from, and goes on at `to`, which another wx_switch stored or
// which wx_async_entry begins. Of one architecture: entry_*.S.
WX_INTERNAL void wx_switch(void **from, void *to);
// Where a new stack begins: calls wx_async_main with the word that a wx_frame holds.
WX_INTERNAL void wx_async_entry(void);
WX_INTERNAL void wx_async_main(wasmx_async *call) __attribute__((noreturn));
