// runtime/async.h: what the switch between stacks and the threads' records have to know of each other.
#pragma once
#include "runtime/internal.h"

// Saves this stack's registers, stores its pointer in *from, and goes on at `to`, which another wx_switch stored or
// which wx_async_entry begins. Of one architecture: entry_*.S.
WX_INTERNAL void wx_switch(void **from, void *to);
// Where a new stack begins: calls wx_async_main with the word that a wx_frame holds.
WX_INTERNAL void wx_async_entry(void);
WX_INTERNAL void wx_async_main(wasmx_async *call) __attribute__((noreturn));
