// runtime/watch.h: deadlines and interruption of instances whose module was built to be interruptible.
//
// Such code reads a byte of a page of its instance in every loop and in every function that calls. Taking the
// page's access away makes the next of these reads a fault, which the signal handler turns into a trap.
#pragma once
#include <stdatomic.h>

#include "runtime/abi.h"

typedef struct wx_watch { // in an instance's host state
    struct wx_watch *next, *prev;
    wasmx_instance *instance;
    uint64_t _Atomic deadline; // nanoseconds of `clock`; WX_NEVER, or WX_EXPIRED: then the page has no access
    uint64_t _Atomic due;      // the same by CLOCK_MONOTONIC, at the earliest
    _Atomic int clock;
    uint64_t seen;             // what the clock said last, for the thread that looks
    bool listed;
} wx_watch;

#define WX_NEVER UINT64_MAX
#define WX_EXPIRED 0u

WX_INTERNAL void wx_watch_open(wasmx_instance *instance);
// The deadline that the options ask for; false: it cannot be.
WX_INTERNAL bool wx_watch_begin(wasmx_instance *instance, const wasmx_options *options, wasmx_error *err);
WX_INTERNAL void wx_watch_close(wasmx_instance *instance); // before its mapping goes
WX_INTERNAL void *wx_interrupt_page(const wasmx_instance *instance); // NULL: the module is not interruptible
WX_INTERNAL bool wx_is_interrupted(const wasmx_instance *instance);
// Has a fault at this address interrupted the instance, or one that is linked with it? Async-signal-safe.
WX_INTERNAL bool wx_is_interruption(const wasmx_instance *instance, uint64_t address);
