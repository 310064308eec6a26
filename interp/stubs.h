// interp/stubs.h: entries of functions, and the way between native code and C that has values in memory. No LLVM here.
//
//   stub k:   jump through table[k]   at first: to what follows, which makes a frame and asks enter(arg, k, regs)
//             inner(k):               the same frame for who calls C code as function k: a backtrace then names it
//   common:   what all stubs share
//
// enter gets every register that can hold an argument. It returns the code to go on at, as if that had been called; or
// NULL when it has done the work, and left the results in *regs. It runs on the stack of the caller of the stub, in any
// thread. The signal handler never sees a fault in here.
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef struct wx_regs { // of the calling convention; the assembly knows the offsets
    uint64_t ints[8];    // arguments, as many as the convention has registers for; results: the first two
    _Alignas(16) uint64_t vecs[8][2]; // likewise
    char *ctx;
    const uint64_t *stack; // the arguments that are there
} wx_regs;

typedef struct wx_stubs {
    void *(*enter)(void *arg, uint32_t k, wx_regs *regs); // the two fields the assembly reads come first
    void *arg;
    uint8_t *code;         // writable while stubs are written, executable afterwards
    void *_Atomic *table;  // within 2 GiB of the code
} wx_stubs;

#define WX_STUB_TRAP_AT 48        // in what stubs share
extern const size_t wx_stub_bytes; // of one stub
extern const size_t wx_stub_inner_at; // in a stub
extern const uint32_t wx_int_registers; // that hold arguments; of the other sort there are 8

size_t wx_stubs_size(uint32_t count);              // bytes of code for so many
void wx_stubs_begin(wx_stubs *s);                  // writes what they share
void wx_stub_write(wx_stubs *s, uint32_t k);       // and table[k]
void *wx_stub_at(const wx_stubs *s, uint32_t k);   // what callers call
void *wx_stub_trap(const wx_stubs *s);             // code that ends the call with WASMX_TRAP_HOST
// A C function of five arguments, (a, b, c, function, d), whose fourth is the one to call with all of them.
static inline void *wx_stub_inner(const wx_stubs *s, uint32_t k) {
    return (char *)wx_stub_at(s, k) + wx_stub_inner_at;
}

// ---- stubs_*.S: from C to native code
// Calls code with what regs and `words` words for the stack say; regs then holds the results.
void wx_leave(void *code, void *ctx, wx_regs *regs, const uint64_t *stack, size_t words);
// The same for a function whose arguments are integers in registers: the first words of args, 8 of which are read.
uint64_t wx_leave_words(void *code, void *ctx, const uint64_t *args);
