// compiler/stubs.h: entries of functions that have no code yet. No LLVM here.
//
//   stub k:   jump through table[k]        at first: to the next instruction, which asks resolve(arg, k) for the code
//   common:   what all stubs share         keeps every register that can hold an argument
//
// resolve returns the address to go on at, having stored it in table[k] for the calls to come. It runs on the stack of
// the caller of the stub, in any thread. The signal handler never sees a fault in here.
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef struct wx_stubs {
    void *(*resolve)(void *arg, uint32_t k); // the two fields the assembly reads come first
    void *arg;
    uint8_t *code;         // writable while stubs are written, executable afterwards
    void *_Atomic *table;  // within 2 GiB of the code
} wx_stubs;

#define WX_STUB_TRAP_AT 48        // in what stubs share
extern const size_t wx_stub_bytes; // of one stub

size_t wx_stubs_size(uint32_t count);              // bytes of code for so many
void wx_stubs_begin(wx_stubs *s);                  // writes what they share
void wx_stub_write(wx_stubs *s, uint32_t k);       // and table[k]
void *wx_stub_at(const wx_stubs *s, uint32_t k);   // what callers call
void *wx_stub_trap(const wx_stubs *s);             // code that ends the call with WASMX_TRAP_HOST
