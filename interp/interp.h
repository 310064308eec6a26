// interp/interp.h: the first tier: code that is interpreted until it has proved to be worth more (baseline.h, LLVM).
//
//   guest ──► stub of f ──► table: code, once there is some; at first bridge: translate (once), then loop.c runs it
//                                                                            └─► compiled callees, imports, hot()
//
// A function's body is translated when it is called first, into a register form (code.h): locals and the places of
// the operand stack are slots of a frame on the native stack. Every interpreted call goes through its function's stub,
// whose return address is what names it in a backtrace. Everything here may be called by several threads.
#pragma once
#include <pthread.h>
#include <stdatomic.h>

#include "interp/stubs.h"
#include "runtime/abi.h"
#include "wasm/module.h"

#define WX_NO_LOOP 0 // loops have numbers from 1, in the order of the text; 0 is the body itself

typedef struct wx_body wx_body; // code.h

typedef struct wx_ifunc {
    wx_body *_Atomic body; // NULL: not translated yet
    void *_Atomic code;    // compiled; NULL: interpreted
    void *_Atomic whole;   // compiled with an entry at every loop: void (swiftself ctx, frame, entry); or NULL
    void *_Atomic made;    // by the second tier (baseline.h), or NULL
    void **_Atomic loops;  // by it too: where interpreted frames go on, by the numbers of loops; or NULL
    _Atomic int32_t heat;  // counts down at calls and loops; below 0 wx_interp.hot is told
    uint32_t index;
    _Atomic bool has_entries; // translated, and nothing lies on the operand stack at the head of any loop
    bool tail;             // has the convention of tail calls: only its entry of the other one is called from here
    _Atomic uint32_t entries; // calls, roughly
    uint32_t rounds;       // how often hot was told; under the lock of who decides
} wx_ifunc;

typedef struct wx_target { // an element of a table that never changes
    uint32_t type, func;   // type: canonical, + 1; 0: there is no function, or it is an import
} wx_target;

typedef struct wx_interp {
    const wx_module *m;
    const wxrt_layout *layout;
    const uint32_t *funcdesc;            // per function: its place among references
    const uint32_t *const *table_images; // per table: its functions for ever, or NULL
    wx_stubs *stubs;
    // Compiles the function now, if need be, and returns its code: what cannot be interpreted. slot: of the stub.
    void *(*compile)(void *arg, uint32_t slot);
    // The function has been called, or its loop gone round, many times. Returns how often until it asks again.
    int32_t (*hot)(void *arg, wx_ifunc *f, uint32_t loop);
    // Does what an instance needs before it runs; NULL where nobody asks for it (WX_INIT).
    void (*start)(void *arg, char *ctx);
    void *arg;
    bool never;         // interpret nothing
    int32_t first_heat; // WX_HEAT, or less
    wx_ifunc *funcs;
    wx_target **targets;     // per table: its functions for ever, or NULL
    struct wx_shape *shapes; // per type: how its values travel (bridge.c)
    pthread_mutex_t lock;    // translation
    wx_arena arena;          // of bodies
} wx_interp;

// Frames that hold arrays and that a trap leaves behind: a sanitizer would keep their surroundings forbidden.
#define WX_LEFT_BY_TRAPS __attribute__((no_sanitize("address")))

#define WX_HEAT 20000 // of a function that was not called yet: 2,000 calls, or so many turns
#define WX_BASELINE_HEAT 100 // where the second tier is next: 10 calls

// The fields above `funcs` are set. Ended by wx_interp_close.
void wx_interp_open(wx_interp *it);
void wx_interp_close(wx_interp *it);
// What the stubs call (stubs.h).
void *wx_interp_enter(void *it, uint32_t slot, wx_regs *regs);

// ---- translate.c: NULL: not for the interpreter. Under the lock; lives in it->arena.
wx_body *wx_translate(wx_interp *it, uint32_t func);

// ---- loop.c: arguments and results stand in args. Returns when the function does.
void wx_interpret(wx_interp *it, wx_ifunc *f, uint64_t *args, void *self, char *ctx);

// ---- adapt.c: stubs after those of functions and of their entries of the other convention: what the descriptor names
// besides functions. A kind has as many as there are types or imported functions.
typedef enum wx_adapter {
    WX_THUNK,                       // of a type: void (swiftself ctx, code, slots)
    WX_TYPED, WX_CALLBACK, WX_RELAY, // of an imported function
    WX_UNKNOWN, WX_EMPTY, WX_INIT, WX_INIT_THUNK, // one of each
    WX_ADAPTERS
} wx_adapter;
uint32_t wx_adapter_span(const wx_module *m);
uint32_t wx_first_adapter(const wx_module *m); // its slot
uint32_t wx_adapter_slot(const wx_module *m, wx_adapter kind, uint32_t n);
void wx_adapt(wx_interp *it, uint32_t k, wx_regs *regs);
// Calls a function without parameters and results.
void wx_call_nothing(wx_interp *it, uint32_t func, char *ctx);

// ---- bridge.c
// The translated body; NULL: there is none, the function is compiled.
wx_body *wx_body_of(wx_interp *it, wx_ifunc *f);
// Calls native code of a function type; args holds its arguments, and its results afterwards.
void wx_call_native(wx_interp *it, uint32_t type, void *code, void *ctx, uint64_t *args);
// Code of a function with a body, with the C calling convention: its stub, or that of its other entry.
static inline void *wx_func_entry(const wx_interp *it, uint32_t func) {
    return wx_stub_at(it->stubs, it->funcs[func].tail ? it->m->func_count + func : func);
}
