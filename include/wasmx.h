// wasmx.h: embedding modules that wasmx-aot compiled. Link with libwasmx.
//
// A compiled object defines one `const wasmx_module NAME`. An instance of it has its own memories, tables and globals.
//
// Threads: a wasmx_module is constant and shared freely. An instance (with everything it shares by imports) is used by
// one thread at a time; different instances run on different threads without locks. Nothing here may be called from a
// signal handler.
//
// Errors: functions that can fail before any guest code runs fill a caller-owned wasmx_error and return NULL or false.
// Calls into guest code return a wasmx_status: 0, or the kind of trap that ended the call.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define WASMX_API __attribute__((visibility("default")))
#define WASMX_NODISCARD __attribute__((warn_unused_result))
#else
#define WASMX_API
#define WASMX_NODISCARD
#endif

typedef struct wasmx_module wasmx_module;     // what an object defines
typedef struct wasmx_instance wasmx_instance; // one running copy of it
typedef struct wasmx_func wasmx_func;         // a function reference
typedef struct wasmx_memory wasmx_memory;
typedef struct wasmx_table wasmx_table;
typedef struct wasmx_global wasmx_global;
typedef struct wasmx_tag wasmx_tag;
typedef struct wasmx_linker wasmx_linker;     // names that imports are looked up in
typedef struct wasmx_async wasmx_async;       // a stack for a call that can be suspended
typedef struct wasmx_wasi wasmx_wasi;         // see wasmx_wasi.h

// ---- Values

typedef enum wasmx_kind {
    WASMX_I32 = 1, WASMX_I64, WASMX_F32, WASMX_F64, WASMX_V128, WASMX_FUNCREF, WASMX_EXTERNREF,
    WASMX_ANYREF, // of the garbage collector's: anyref and all types below it
} wasmx_kind;

typedef struct wasmx_v128 { uint8_t bytes[16]; } wasmx_v128;

typedef union wasmx_value {
    int32_t i32;
    int64_t i64;
    float f32;
    double f64;
    wasmx_v128 v128;
    wasmx_func *funcref; // NULL: ref.null func
    void *externref;     // NULL: ref.null extern. Also what references to objects are given and taken as
    uint64_t words[2];
} wasmx_value;

// ---- Status, traps, errors

typedef enum wasmx_status {
    WASMX_OK = 0,
#define TRAP(name, message) WASMX_TRAP_##name,
#include "wasmx_traps.def"
#undef TRAP
    WASMX_STATUS_COUNT,
    WASMX_SUSPENDED = 0x100 // no trap: the call waits to be resumed (wasmx_async)
} wasmx_status;

// The message of a status: "out of bounds memory access"; "ok" for WASMX_OK.
WASMX_API const char *wasmx_status_message(wasmx_status status);

typedef struct wasmx_error { char message[256]; } wasmx_error;

#define WASMX_MAX_FRAMES 64

typedef struct wasmx_frame {
    const wasmx_module *module;
    uint32_t func;    // function index
    const char *name; // from the name section, or NULL; lives as long as the module
    uint64_t offset;  // of the instruction in the Wasm file, in bytes, or 0: not known
    const char *file; // of the source, from the module's debug information, or NULL; lives as long as the module
    uint32_t line;    // in file, from 1
} wasmx_frame;

// "main (func 7:0x1a2b), app.c:34", as much as is known. Returns the length it has; out holds what fits in size, always
// with a NUL, and may be NULL when size is 0. Any thread.
WASMX_API size_t wasmx_frame_text(const wasmx_frame *frame, char *out, size_t size);

// What ended the last call into an instance that did not return WASMX_OK.
typedef struct wasmx_trap {
    wasmx_status kind;
    int32_t exit_code;    // of proc_exit, where kind is WASMX_TRAP_EXIT
    char message[160];    // the kind's message, or what the host function said
    uint32_t frame_count; // innermost first; frames past the array's end are not kept
    wasmx_frame frames[WASMX_MAX_FRAMES];
} wasmx_trap;

// Valid until the next call into the instance. Never NULL; kind is WASMX_OK when no call trapped yet.
WASMX_API const wasmx_trap *wasmx_last_trap(const wasmx_instance *instance);
// Ends the innermost call into guest code with a trap. For host functions only; does not return, and unwinds nothing:
// what the host function holds it must have released before. message may be NULL for the kind's own.
WASMX_API void wasmx_raise(wasmx_instance *instance, wasmx_status kind, const char *message) __attribute__((noreturn));
// The same for WASMX_TRAP_EXIT with its code.
WASMX_API void wasmx_raise_exit(wasmx_instance *instance, int32_t code) __attribute__((noreturn));

// ---- Signals
//
// Faults of guest code become traps in handlers of SIGSEGV, SIGBUS and SIGILL (aarch64: SIGTRAP), which the first use
// of a module installs. They hand everything else to the handlers that were there before. A handler installed later has
// to do the same with ours.

// For a host that keeps its own handlers: call it before the first use of a module; false: it is too late. Then each of
// the host's handlers, which need SA_SIGINFO and SA_ONSTACK, has to call wasmx_handle_signal.
WASMX_API bool wasmx_handler_opt_out(void);
// With the arguments of the handler, info being its siginfo_t *. True: the fault was the guest's; return from the
// handler at once, and the call ends with its trap. False: it is none of ours. Async-signal-safe.
WASMX_API bool wasmx_handle_signal(int signal, const void *info, void *context);

// ---- Instances

typedef struct wasmx_options {
    void *host;                // what wasmx_host returns
    const void *imports;       // `const NAME_imports *` of the generated header: typed host functions. A NULL entry is
                               // looked up in the linker. NULL: everything comes from the linker.
    const wasmx_linker *linker; // may be NULL; not needed after instantiation
    bool trap_unknown_imports; // a function import that nothing satisfies by name and type traps when it is called
    uint64_t max_memory_bytes; // memory.grow beyond it answers -1; 0: the module's own limit
    uint64_t max_table_elements; // per table; 0: 10 million
    uint64_t max_gc_bytes;     // of objects on the garbage-collected heap, garbage not collected yet among them; beyond
                               // it guest code traps with WASMX_TRAP_HEAP_EXHAUSTED. 0: 256 MiB; at most 4 GiB.
                               // Of linked instances, which have one heap: the limit of who allocates first.
    uint64_t deadline_ns;      // as wasmx_set_deadline before the start function; 0: none
    int deadline_clock;        // a wasmx_time
    size_t max_stack_bytes;    // native stack a call may use; 0: what the thread has. Set it for calls on a stack that
                               // is not the thread's own (a coroutine's): 64 KiB are assumed there.
    wasmx_trap *trap;          // may be NULL; filled when a trap is why there is no instance. Its names live as long as
                               // the module.
    uint64_t reserve_bytes;    // modules with explicit bounds only: the most address space a memory takes, and so how
                               // far it can grow; its first size is always there. 0: all it may ever use, or, where
                               // the system refuses that, less.
} wasmx_options;

// Checks the module's note (ABI, CPU features), resolves imports, makes memories and tables, applies segments, runs the
// start function. options may be NULL. On failure NULL, and err->message says which import, which feature, or which
// trap. The caller owns the result; it must not outlive instances whose exports it imports.
WASMX_API WASMX_NODISCARD wasmx_instance *wasmx_instantiate(const wasmx_module *module, const wasmx_options *options,
                                                            wasmx_error *err);
// Ends an instance and unmaps its memories. Function references into it become dangling. NULL is allowed.
WASMX_API void wasmx_instance_free(wasmx_instance *instance);
WASMX_API void *wasmx_host(const wasmx_instance *instance);
WASMX_API const wasmx_module *wasmx_instance_module(const wasmx_instance *instance);

// ---- Time
//
// For modules built with --interruptible: their code looks in every loop, and at the entry of every function that
// calls, whether it has been interrupted, which costs a load of one byte.

typedef enum wasmx_time {
    WASMX_TIME_WALL,   // time that passes
    WASMX_TIME_THREAD, // processor time of the calling thread, which has to be the one that runs the instance
} wasmx_time;

// From so many nanoseconds on, within 0.1 ms on an idle machine, guest code of the instance traps with
// WASMX_TRAP_INTERRUPTED: the call that runs, and every later one until the deadline is set anew. 0: no deadline. Host
// functions are not interrupted, but what runs after they return is. Replaces an earlier deadline and forgets an
// interruption. Of instances linked through imports or tables, each stops only its own code.
// By the thread that uses the instance. False: the module is not interruptible, or no thread could be started (the
// first call in a process starts one, with all signals blocked; also after a fork).
WASMX_API bool wasmx_set_deadline(wasmx_instance *instance, wasmx_time clock, uint64_t nanoseconds);
// As if its deadline had passed now. From any thread, while the instance exists. False: it is not interruptible.
WASMX_API bool wasmx_interrupt(wasmx_instance *instance);

// ---- Calls that can be suspended
//
// A wasmx_async is a stack. A call on it may be suspended by any host function it reaches, and resumed later by the
// same thread or another: what an event loop needs to wait for input without a thread.
//
// Threads: one at a time uses a wasmx_async, and the instances its call is in. Code that is suspended may go on in
// another thread: a host function must not keep addresses of thread-local variables (errno's is one) across
// wasmx_suspend, nor hold locks that belong to a thread. While a call is suspended, its instances may be called
// otherwise, but not released or freed.

// A stack with a guard page below; it serves one call after the other. 0: 512 KiB, which are kept for reuse when freed;
// at least 64 KiB. Memory is taken as the stack is used. Guest code leaves 128 KiB, or half, to host functions.
// NULL and *err: no memory.
WASMX_API WASMX_NODISCARD wasmx_async *wasmx_async_new(size_t stack_bytes, wasmx_error *err);
// A suspended call is abandoned: what it holds is lost, and its host functions never return. NULL, or one whose call
// runs, is left alone.
WASMX_API void wasmx_async_free(wasmx_async *async);
// Begins a call. WASMX_SUSPENDED when it has been suspended; otherwise as wasmx_call. args are read before this
// returns; results are written when the call ends. WASMX_TRAP_HOST when the stack has a call already.
WASMX_API WASMX_NODISCARD wasmx_status wasmx_call_async(wasmx_async *async, wasmx_func *func, const wasmx_value *args,
                                                        wasmx_value *results);
// The same for any C function, which may call the typed functions of headers. arg must live until it has read it.
WASMX_API WASMX_NODISCARD wasmx_status wasmx_async_run(wasmx_async *async, wasmx_status (*run)(void *arg), void *arg);
// Goes on with a suspended call, until it ends or is suspended again. WASMX_TRAP_HOST when there is none.
WASMX_API WASMX_NODISCARD wasmx_status wasmx_resume(wasmx_async *async);
// In a host function: suspends the innermost suspendable call of this thread; returns true when it is resumed. False at
// once: there is no such call.
WASMX_API bool wasmx_suspend(void);
WASMX_API wasmx_async *wasmx_async_current(void); // the innermost one that runs in this thread, or NULL

// ---- Exports

typedef enum wasmx_extern_kind { WASMX_FUNC, WASMX_TABLE, WASMX_MEMORY, WASMX_GLOBAL, WASMX_TAG } wasmx_extern_kind;

typedef struct wasmx_extern {
    wasmx_extern_kind kind;
    union {
        wasmx_func *func;
        wasmx_table *table;
        wasmx_memory *memory;
        wasmx_global *global;
        wasmx_tag *tag;
    } of;
} wasmx_extern;

// False when there is no such export. What it points to is owned by the instance.
WASMX_API bool wasmx_export(wasmx_instance *instance, const char *name, wasmx_extern *out);
// The same for any name: Wasm allows NUL characters in it.
WASMX_API bool wasmx_export_bytes(wasmx_instance *instance, const char *name, size_t size, wasmx_extern *out);
// Shorthands; NULL when the export is absent or of another kind.
WASMX_API wasmx_func *wasmx_export_func(wasmx_instance *instance, const char *name);
WASMX_API wasmx_memory *wasmx_export_memory(wasmx_instance *instance, const char *name);

// ---- Functions

// A type as letters: parameters, ':', results; i I f F v r e a stand for i32 i64 f32 f64 v128 funcref externref, and
// anyref with all types below it. "ii:i". Writes at most size bytes with the NUL and returns the length it needs; other
// reference types are '?'.
WASMX_API size_t wasmx_func_type(const wasmx_func *func, char *out, size_t size);
// Calls a function whose type is not known at compile time. args and results have as many values as its type says.
// A typed function of the generated header is faster and checked by the C compiler.
WASMX_API WASMX_NODISCARD wasmx_status wasmx_call(wasmx_func *func, const wasmx_value *args, wasmx_value *results);
// The instance whose last trap tells why wasmx_call failed.
WASMX_API wasmx_instance *wasmx_func_instance(const wasmx_func *func);

// A host function for any type. Return WASMX_OK, or a trap kind to trap (wasmx_raise gives it a message too).
typedef wasmx_status (*wasmx_callback)(void *env, wasmx_instance *caller, const wasmx_value *args,
                                       wasmx_value *results);

// ---- Memories, tables, globals

// Where the bytes are; stays the same for the life of the memory. Index it only below wasmx_memory_size.
WASMX_API uint8_t *wasmx_memory_data(const wasmx_memory *memory);
WASMX_API uint64_t wasmx_memory_size(const wasmx_memory *memory); // bytes, now
// A guest's pointer and length, checked: NULL when any byte of it lies outside.
WASMX_API void *wasmx_memory_at(const wasmx_memory *memory, uint64_t address, uint64_t length);
// Returns the old size in pages of 64 KiB, or UINT64_MAX when it cannot grow.
WASMX_API uint64_t wasmx_memory_grow(wasmx_memory *memory, uint64_t pages);

WASMX_API uint64_t wasmx_table_size(const wasmx_table *table);
WASMX_API bool wasmx_table_get(const wasmx_table *table, uint64_t index, wasmx_value *out); // false: out of bounds
// False also for a reference that is not of the elements' type; wasmx_table_grow and wasmx_global_set likewise.
WASMX_API bool wasmx_table_set(wasmx_table *table, uint64_t index, wasmx_value value);
WASMX_API uint64_t wasmx_table_grow(wasmx_table *table, uint64_t delta, wasmx_value init);

WASMX_API wasmx_kind wasmx_global_kind(const wasmx_global *global);
WASMX_API wasmx_value wasmx_global_get(const wasmx_global *global);
WASMX_API bool wasmx_global_set(wasmx_global *global, wasmx_value value); // false: immutable

// Standalone ones, for imports. The caller owns them and frees them after every instance that imports them.
// max UINT64_MAX: no maximum. NULL when memory is short or the limits make no sense.
WASMX_API wasmx_memory *wasmx_memory_new(uint64_t min_pages, uint64_t max_pages);
// A shared one, for instances on several threads. It may grow while others use it; what wasmx_memory_size and
// wasmx_memory_at said once stays true. Its bytes change at any time: copy what you check. NULL also without a maximum.
WASMX_API wasmx_memory *wasmx_memory_new_shared(uint64_t min_pages, uint64_t max_pages);
// For modules that import a memory with 64-bit addresses; 64 GiB at most.
WASMX_API wasmx_memory *wasmx_memory_new64(uint64_t min_pages, uint64_t max_pages);
WASMX_API bool wasmx_memory_is_shared(const wasmx_memory *memory);
WASMX_API void wasmx_memory_free(wasmx_memory *memory);
WASMX_API wasmx_table *wasmx_table_new(wasmx_kind kind, uint64_t min, uint64_t max);
WASMX_API wasmx_table *wasmx_table_new64(wasmx_kind kind, uint64_t min, uint64_t max); // with 64-bit indices
WASMX_API void wasmx_table_free(wasmx_table *table);
WASMX_API wasmx_global *wasmx_global_new(wasmx_kind kind, bool is_mutable, wasmx_value value);
WASMX_API void wasmx_global_free(wasmx_global *global);

// ---- References to objects
//
// Structs and arrays of a module with garbage collection lie on a heap of the instance, with a limit (max_gc_bytes),
// and are made and read by guest code only. The host sees a reference of anyref or below as a word that means nothing
// to it, in the externref of a wasmx_value and as `void *` in typed functions; its letter is `a`. externref values
// that a guest made of objects (extern.convert_any) are the same words. Whatever the host hands back is checked: it
// has to be an object (or i31) that exists, of the type that is wanted, or the call is refused with WASMX_TRAP_HOST, a
// host function's result traps, and wasmx_global_set and wasmx_table_set answer false. Any other word is a reference
// of the host's own, which a guest gets where it takes anyref, and which comes back as it was.
//
// A collection may happen whenever guest code of the instance, or of one linked with it, runs. An object lives as long
// as a global, table, element segment or other object leads to it, or a frame of guest code, or of a host function
// called by it, has its word. What a call returned to the host, and what the host keeps anywhere else, lives until the
// next call only, unless a root holds it. A word whose object is gone may since be that of another object; nothing
// worse comes of it.
//
// Linked instances share one heap, made by the first that allocates. Instances that have each made one already cannot
// be linked: instantiation fails, wasmx_table_set and wasmx_global_set answer false, and a call with a function of the
// other is refused.

typedef struct wasmx_root wasmx_root;

// Keeps the object that an externref or anyref leads to, for as long as the root or the instance exists, or until the
// instance is back in its pool. NULL: memory is short.
WASMX_API wasmx_root *wasmx_root_new(wasmx_instance *instance, wasmx_value value);
WASMX_API wasmx_value wasmx_root_get(const wasmx_root *root); // NULL once the instance is gone
WASMX_API void wasmx_root_free(wasmx_root *root);             // also after the instance; NULL is allowed

typedef struct wasmx_gc_stats {
    uint64_t bytes, max_bytes; // pages of the heap that hold objects or garbage; the limit
    uint64_t collections;      // so far
} wasmx_gc_stats;

// All zero while there is no heap.
WASMX_API void wasmx_gc_get_stats(const wasmx_instance *instance, wasmx_gc_stats *out);
// Collects now: before a server waits, or to be sure that something is gone.
WASMX_API void wasmx_gc_collect(wasmx_instance *instance);

// ---- Tags: what an exception is
//
// A module may declare tags, import and export them. Two are the same only when they are one: an instance makes its own
// anew, and who imports one has that one. (Code that throws or catches is not compiled yet.)

// One of the host's, to be imported by several modules. type: what an exception carries, in the letters of
// wasmx_func_type, without results: "ii:". The caller owns it and frees it after every instance that imports it. NULL:
// the type cannot be read or has results, or memory is short. Any thread.
WASMX_API wasmx_tag *wasmx_tag_new(const char *type);
WASMX_API void wasmx_tag_free(wasmx_tag *tag);
// Its type as letters, as wasmx_func_type gives a function's.
WASMX_API size_t wasmx_tag_type(const wasmx_tag *tag, char *out, size_t size);

// ---- Linker: what imports are called

WASMX_API wasmx_linker *wasmx_linker_new(void);
WASMX_API void wasmx_linker_free(wasmx_linker *linker);
// A linker with the same definitions, to be freed like any other; NULL: out of memory. linker may be NULL: an empty
// one.
WASMX_API wasmx_linker *wasmx_linker_copy(const wasmx_linker *linker);
WASMX_API bool wasmx_linker_has(const wasmx_linker *linker, const char *module, const char *name);
// Later definitions of one name replace earlier ones. Names are copied. type as for wasmx_func_type. False: the type
// cannot be read.
WASMX_API bool wasmx_linker_define_callback(wasmx_linker *linker, const char *module, const char *name,
                                            const char *type, wasmx_callback callback, void *env);
// A typed C function `R fn(wasmx_instance *caller, parameters...)`; more than one result: written through a last
// parameter `wasmx_value *results`. v128 parameters come as `const wasmx_v128 *`, a v128 result through `results`.
WASMX_API bool wasmx_linker_define_typed(wasmx_linker *linker, const char *module, const char *name, const char *type,
                                         void (*function)(void));
WASMX_API void wasmx_linker_define(wasmx_linker *linker, const char *module, const char *name, wasmx_extern value);
// Every export of an instance, as `module`. The instance must outlive what is instantiated from the linker.
WASMX_API void wasmx_linker_define_instance(wasmx_linker *linker, const char *module, wasmx_instance *instance);

// ---- The state of an instance, for tools that save it
//
// Indices are those of the Wasm module, imports first. What is returned is owned by the instance, or by who gave it.

WASMX_API wasmx_memory *wasmx_instance_memory(const wasmx_instance *instance, uint32_t index); // NULL: no such memory
// NULL also for a table that the module never changes and shows to nobody: it is what the element segments say.
WASMX_API wasmx_table *wasmx_instance_table(const wasmx_instance *instance, uint32_t index);
WASMX_API wasmx_global *wasmx_instance_global(wasmx_instance *instance, uint32_t index); // NULL: no such, or no memory
// Whether memory.init or table.init would find a passive segment empty.
WASMX_API bool wasmx_instance_data_dropped(const wasmx_instance *instance, uint32_t index);
WASMX_API bool wasmx_instance_elem_dropped(const wasmx_instance *instance, uint32_t index);
// The function's index in the instance's module; UINT32_MAX: it is neither a function nor a function import of it.
WASMX_API uint32_t wasmx_instance_func_index(const wasmx_instance *instance, const wasmx_func *func);

// ---- Profiles
//
// A module built with --profile-generate counts what its code does, all instances together, for as long as the process
// has it; `wasmx-aot build --profile-use` compiles it again by what was counted. Threads count without locks, so a few
// counts may be lost. Both functions may be called by any thread at any time, while instances run too.

// Writes the counts so far to a file, all of it or nothing; an existing file is replaced. False and *err (may be NULL):
// the module was built without --profile-generate or for another libwasmx, or the file cannot be written.
WASMX_API bool wasmx_profile_write(const wasmx_module *module, const char *path, wasmx_error *err);
// All counts become 0. False: the module counts nothing.
WASMX_API bool wasmx_profile_reset(const wasmx_module *module);

// ---- Pools: an instance for every request
//
// A pool keeps instances ready. Acquiring one takes no system call and no allocation once it has been used before; what
// comes out cannot be told from a fresh instance: memories with their sizes, tables, globals, dropped segments, the
// trap record. A module's start function runs at every acquire.
//
// Threads: acquire and release may be called by any threads at one time, without locks between them. An instance may be
// acquired on one thread and released on another.
//
// fork: the child has copies of the pool and of its instances and goes on with both; what other threads had acquired
// stays acquired there.

typedef struct wasmx_pool wasmx_pool;

typedef struct wasmx_pool_module {
    const wasmx_module *module;
    wasmx_options options; // for every instance: imports and linker, both used as long as the pool lives, and limits;
                           // the field host is not used. Imports other than host functions, tags and immutable numbers
                           // are refused: through what instances share one request could see another.
} wasmx_pool_module;

// How the pages are found that a request has changed.
typedef enum wasmx_reset {
    WASMX_RESET_AUTO,    // the best that works here; the environment's WASMX_RESET=scan, pagemap or discard overrides
    WASMX_RESET_SCAN,    // the system call PAGEMAP_SCAN, Linux 6.7 or later
    WASMX_RESET_PAGEMAP, // by reading /proc/self/pagemap
    WASMX_RESET_DISCARD, // not at all: every page goes back to the system
} wasmx_reset;

typedef struct wasmx_pool_options {
    uint32_t slots;                   // instances at one time: 1 to 1,000,000
    const wasmx_pool_module *modules; // copied
    size_t module_count;              // at least 1
    size_t keep_bytes;  // changed pages an instance keeps, to be copied back at release; those beyond go back to the
                        // system. 0: 1 MiB
    wasmx_reset reset;
    bool always_search; // search for changed pages at every release. Otherwise the search is left out when the process
                        // has had no page fault since the acquire: then no page has changed but those that the slot
                        // copies back in any case, because earlier requests had changed them. Set it where something
                        // outside this process writes into instances' memories.
    bool one_thread;    // a promise: the thread that acquires an instance also releases it, and no other thread writes
                        // to its memories in between. Then that thread's page faults alone decide.
} wasmx_pool_options;

// Slots are filled when first needed. NULL and *err: what the options lack, or out of memory.
WASMX_API WASMX_NODISCARD wasmx_pool *wasmx_pool_new(const wasmx_pool_options *options, wasmx_error *err);
// False, and nothing happens, while an instance of it is in use. NULL is allowed.
WASMX_API bool wasmx_pool_free(wasmx_pool *pool);
// An instance of one of the pool's modules, for this request; host is what wasmx_host returns. NULL and *err: all are
// in use, it cannot be made (limits, imports, address space), or its start function trapped. Prefers a slot that held
// this module, then an empty one, then the least recently used one of another module.
WASMX_API WASMX_NODISCARD wasmx_instance *wasmx_pool_acquire(wasmx_pool *pool, const wasmx_module *module, void *host,
                                                             wasmx_error *err);
// The same for modules whose linker has WASI: what this request has of it. The caller owns wasi and frees it after the
// release; wasmx_pool_acquire refuses such modules, because instances must not share one.
WASMX_API WASMX_NODISCARD wasmx_instance *wasmx_pool_acquire_wasi(wasmx_pool *pool, const wasmx_module *module,
                                                                  void *host, wasmx_wasi *wasi, wasmx_error *err);
// Ends a request: all that was obtained from the instance (function references, exports) must no longer be used, as
// after wasmx_instance_free, which does the same for an instance of a pool. False, and nothing happens, when it is not
// one of a pool, was released before and not acquired since, or is inside a call.
WASMX_API bool wasmx_pool_release(wasmx_instance *instance);

typedef struct wasmx_pool_stats {
    wasmx_reset reset;  // the way in use, never WASMX_RESET_AUTO
    bool learns;        // whether searches are left out when there was no page fault
    uint32_t slots, in_use;
    uint64_t acquired;  // so often in all; of these
    uint64_t made;      // in a slot that was empty
    uint64_t remade;    // in a slot that held another module
    uint64_t searched, spared; // memories put back with and without a search for changed pages
    uint64_t discarded; // memories of which pages went back to the system
    uint64_t copied_bytes;
} wasmx_pool_stats;

// Counts so far; while other threads use the pool each number is recent, and no more.
WASMX_API void wasmx_pool_get_stats(wasmx_pool *pool, wasmx_pool_stats *out);

// ---- Modules, for tools

WASMX_API const char *wasmx_module_name(const wasmx_module *module);
WASMX_API size_t wasmx_module_export_count(const wasmx_module *module);
WASMX_API const char *wasmx_module_export_name(const wasmx_module *module, size_t i, wasmx_extern_kind *kind);
// Before a shared object that holds the module is unloaded; no instance of it may be left.
WASMX_API void wasmx_module_forget(const wasmx_module *module);

#ifdef __cplusplus
}
#endif
