// runtime/internal.h: what the files of libwasmx share.
//
// Threads: a wasmx_module's record (struct wx_loaded) and the two range tables are shared by the process and written
// under a lock; everything else belongs to an instance, and so to one thread at a time.
#pragma once
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "runtime/abi.h"

#define WX_INTERNAL __attribute__((visibility("hidden")))
#define WX_LIKELY(x) __builtin_expect(!!(x), 1)
#include "runtime/watch.h"

#define WX_COUNT(array) (sizeof(array) / sizeof((array)[0]))

// Always returns false, so that `return wx_error_set(...)` reads well. err may be NULL.
WX_INTERNAL bool wx_error_set(wasmx_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

// ---- Instances tied together: a ring
//
// Guest functions of linked instances call one another without the runtime seeing it, so all of them must have the
// stack limit of the thread that entered one of them. Every function reference that can travel from one instance to
// another joins their rings: an import, a table, a global.
//
// They also have one heap, because objects travel the same ways. The first of a ring that allocates one makes it; two
// rings that each have one already cannot be joined.
typedef struct wx_heap wx_heap;

typedef struct wx_link {
    struct wx_link *next, *prev;
    wasmx_instance *instance; // NULL: a table or global made by the host
    wx_heap *heap;            // of all in the ring; NULL: none yet
} wx_link;

WX_INTERNAL void wx_link_init(wx_link *link, wasmx_instance *instance);
WX_INTERNAL bool wx_link_join(wx_link *a, wx_link *b); // false: each has a heap
WX_INTERNAL void wx_link_leave(wx_link *link);
// Leaves, and frees the instances that failed to start when nothing else is left in the ring to reach them.
WX_INTERNAL void wx_link_end(wx_link *link);
// Joins what `func` belongs to with `link`; either may be NULL. False: each has a heap.
WX_INTERNAL bool wx_link_func(wx_link *link, const wasmx_func *func);
#define WX_TWO_HEAPS "instances of which each has objects cannot be linked"

struct wxrt_host_state {
    wx_link link;
    void *block;           // the instance's allocation, when it is not in the mapping of its memory 0
    wasmx_func **funcs;    // by index in module->funcs: those without a place in `refs`, made when asked for
    wasmx_global **globals; // by global index: imported ones, and own ones made when asked for
    wasmx_tag **tags;      // by tag index; NULL: there are none
    wasmx_memory *wasi_memory; // the export "memory", once WASI has looked it up
    struct wx_slot *slot;  // where in a pool it lives, or NULL
    void (*give_back)(wasmx_instance *); // how that ends its use
    uint64_t max_gc_bytes; // of a heap that it makes
    bool zombie;           // failed to start, but functions of it may be in tables of others
    wx_watch watch;
    uint32_t suspended;    // calls in it that wait on stacks of their own
    uint64_t block_size;   // of a block that is a mapping of its own; 0: it is not
    wasmx_trap trap;
    uint64_t trace[WASMX_MAX_FRAMES]; // places in code, innermost first, which trap.frames are made of when asked for
    uint32_t trace_count;
};

static inline void *wx_ctx(const wasmx_instance *i) { return (char *)(i + 1) + WXRT_LOW_GUARD; }

#define WX_AREA(i, array, type) ((type *)((char *)(i) - (i)->module->layout.array))

// ---- Threads and entry (entry.c)

typedef struct wx_entry { // one call from the host that has not ended
    struct wx_entry *prev;
    void *sp;             // where the assembly resumes when the call ends by a trap
    wasmx_instance *instance; // NULL: below the entries of a suspendable call
    uint64_t limit;
} wx_entry;

typedef struct wx_thread_stack {
    uint64_t limit;       // the lowest stack pointer of guest code; 0: this thread was not set up yet
    uint64_t low, size;
} wx_thread_stack;

typedef struct wx_thread {
    wx_entry *top;
    wx_thread_stack stack; // its own, or that of the suspendable call it runs
    wasmx_async *async;    // that call, or NULL
    void *signal_stack;
    size_t signal_stack_size;
    // Another thread may end what runs here (signals.c): the status and exit code that its guest code then ends with.
    bool is_stoppable;    // stays true, for a signal that comes late
    _Atomic uint32_t stop; // 0: it goes on
    int32_t stop_code;
} wx_thread;

// Asks a thread that is_stoppable to end the guest code it runs: at once there, and after the host function that it is
// in, whose system call is interrupted. To be repeated until the thread has left: it may be about to enter guest code.
WX_INTERNAL void wx_stop_thread(wx_thread *thread, pthread_t handle, uint32_t status, int32_t exit_code);
// Does not return when this thread was asked to end.
WX_INTERNAL void wx_stop_here(void);

// A function that is suspended may go on in another thread: where that can have happened, wx_thread_now (platform.h)
// finds the record anew, which C's thread-local variables do not.
extern WX_INTERNAL _Thread_local wx_thread wx_this_thread __attribute__((tls_model("initial-exec")));

// Calls thunk(code, slots) with ctx pinned; the instance is the one a trap is recorded in.
WX_INTERNAL uint32_t wx_call(wasmx_instance *instance, void *ctx, void *thunk, void *code, wasmx_value *slots);
WX_INTERNAL wx_thread *wx_thread_ready(void); // this thread's record, set up
WX_INTERNAL uint64_t wx_host_reserve(uint64_t stack_size); // of a stack, what guest code leaves to host functions
WX_INTERNAL void wx_spread_limit(wasmx_instance *instance, uint64_t limit); // to all of its ring
// The same for a function of the instance's own: what wxrt_call is, in every case.
WX_INTERNAL uint32_t wx_call_from_host(wasmx_instance *instance, void *thunk, void *code, wasmx_value *slots);
// The stack limit of guest code called here and now.
WX_INTERNAL uint64_t wx_stack_limit(uint64_t max_stack);

// The assembly of one architecture. wx_enter stores its stack pointer in *sp and returns 0, or the status wx_resume was
// given; who resumes takes the entry off the thread's list. wx_resume_here is where a signal handler continues, with
// that stack pointer and the status in the result register.
WX_INTERNAL uint32_t wx_enter(void *ctx, void *thunk, void *code, wasmx_value *slots, void **sp);
WX_INTERNAL void wx_resume(void *sp, uint32_t status) __attribute__((noreturn));
extern WX_INTERNAL const char wx_resume_here[];

// ---- Traps (trap.c, signals.c)

// Ends the innermost call. message NULL: the status' own.
WX_INTERNAL void wx_raise(uint32_t status, const char *message, int32_t exit_code) __attribute__((noreturn));
WX_INTERNAL void wx_raise_exhausted(void) __attribute__((noreturn)); // the heap is; by a helper that the guest called
#define WX_TRAP(name) wx_raise(WASMX_TRAP_##name, NULL, 0)

// A word of the stack, whoever's frame it is in: sanitizers forbid some of them.
WX_INTERNAL uint64_t wx_word_at(uint64_t address);

typedef struct wx_where { // a place in guest code that trapped
    uint64_t pc, fp, sp;
    uint64_t link; // return address of a function without a frame, or 0
} wx_where;

// Fills the trap record of the innermost entry. Async-signal-safe.
WX_INTERNAL void wx_trap_record(const wx_entry *entry, uint32_t status, const wx_where *where);
// The record of a call that was refused before it began. message NULL: the status' own.
WX_INTERNAL void wx_trap_set(const wasmx_instance *instance, uint32_t status, const char *message);
WX_INTERNAL void wx_signals_install(void);

// ---- Address ranges (ranges.c): read without a lock, from a signal handler too

typedef struct wx_ranges wx_ranges;
extern WX_INTERNAL wx_ranges wx_code_ranges;   // owner: the wasmx_module
extern WX_INTERNAL wx_ranges wx_memory_ranges; // owner: any
// NULL: out of memory. What it returns goes to wx_ranges_remove.
WX_INTERNAL void *wx_ranges_add(wx_ranges *ranges, const void *low, const void *high, const void *owner);
WX_INTERNAL void wx_ranges_remove(wx_ranges *ranges, void *range);
// The owner of the range that holds the address, or NULL.
WX_INTERNAL const void *wx_ranges_find(wx_ranges *ranges, uint64_t address);

// ---- Modules (module.c, cpu*.c, types.c)

typedef struct wx_loaded { // a module this process has used
    struct wx_loaded *next;
    const wasmx_module *_Atomic module; // NULL: forgotten, the record is free
    void *range;
    struct wx_image *_Atomic image; // NULL: not made
} wx_loaded;

// Checks the module on first use (ABI, target, CPU), gives its types identities and makes its code known.
WX_INTERNAL wx_loaded *wx_module_load(const wasmx_module *module, wasmx_error *err);
// What its memories hold at first, made on first use; NULL: out of memory.
WX_INTERNAL const struct wx_image *wx_module_image(wx_loaded *loaded);
WX_INTERNAL bool wx_cpu_has(const char *features, char *missing, size_t size);
WX_INTERNAL bool wx_cpu_has_feature(const char *name, size_t length);
WX_INTERNAL bool wx_types_intern(const wasmx_module *module); // false: out of memory
// The module whose code an address is in, and the function, UINT32_MAX for a thunk or adapter; NULL: none.
WX_INTERNAL const wasmx_module *wx_find_code(uint64_t address, uint32_t *func);
// Where the function starts that a code address is in; false: it is in none.
WX_INTERNAL bool wx_find_function(uint64_t address, uint64_t *start);
WX_INTERNAL const char *wx_func_name(const wasmx_module *module, uint32_t func); // or NULL
// The frames that an address of code stands for, innermost first, at most `room`; returns how many (lines.c).
WX_INTERNAL uint32_t wx_frames_at(uint64_t address, wasmx_frame *out, uint32_t room);

// ---- Profiles (profile.c)

// When the process ends, what a module counted is written to $WASMX_PROFILE, or PROGRAM.wxprof in the working
// directory; program is argv[0]. Nothing for modules that count nothing.
WX_INTERNAL void wx_profile_at_exit(const wasmx_module *module, const char *program);

// ---- The first contents of memories (image.c)

typedef struct wx_image_part {
    uint64_t address, size; // in the memory
    uint64_t at;            // in the file
    const uint8_t *bytes;
} wx_image_part;

typedef struct wx_image {
    int fd;               // what instances map privately; -1: they copy
    uint64_t device, inode; // of the file
    uint64_t serial;      // of images that are mapped: different for each; 0 else
    uint64_t size;        // of the file
    const uint8_t *view;  // the file, mapped for reading
    uint32_t count;
    uint32_t *first;      // by memory, and one more: where its parts begin
    wx_image_part parts[];
} wx_image;

WX_INTERNAL wx_image *wx_image_make(const wasmx_module *module); // NULL: out of memory
WX_INTERNAL void wx_image_free(wx_image *image);
// Puts the contents in a fresh memory; false: the system refused.
WX_INTERNAL bool wx_image_put(const wx_image *image, uint32_t index, wasmx_memory *memory,
                              wasmx_error *err);
// The bytes that belong at an address, NULL: zeros; *size is cut to how far the answer holds.
WX_INTERNAL const uint8_t *wx_image_at(const wx_image *image, uint32_t memory, uint64_t at, uint64_t *size);

// ---- Types as text and their matching (types.c)

// "(i32, i64) -> (f32)", cut to size.
WX_INTERNAL void wx_kind_text(const wxrt_type *type, char *out, size_t size);
WX_INTERNAL const char *wx_value_type_text(uint32_t type);
// Value types, each with the module its indices count in (may be NULL): a is a subtype of b.
WX_INTERNAL bool wx_kind_matches(uint32_t a, const wasmx_module *in_a, uint32_t b, const wasmx_module *in_b);
// Value types: references to functions; of the host's. No index counts in a module here.
WX_INTERNAL bool wx_is_func_type(uint32_t type);
WX_INTERNAL bool wx_is_extern_type(uint32_t type);
// Identities: equal, or a is below b.
WX_INTERNAL bool wx_identity_matches(uint64_t a, uint64_t b);
// Is what a guest has as a reference a value of the type? One to an object is in the heap; functions are believed to
// be.
WX_INTERNAL bool wx_value_is(const wx_heap *heap, const void *ref, uint32_t type, const wasmx_module *m);
// A type as letters ("ii:i") read into kinds; false: malformed.
typedef struct wx_signature { uint32_t params, results; uint32_t *kinds; } wx_signature;
WX_INTERNAL bool wx_signature_read(wx_signature *signature, const char *letters);
WX_INTERNAL bool wx_signature_is(const wx_signature *signature, const wxrt_type *type);

// ---- Memories, tables, globals

WX_INTERNAL uint64_t wx_page_size(void);
static inline uint64_t wx_round_up(uint64_t n, uint64_t to) { return (n + to - 1) / to * to; }

// The size of a memory now. One that is shared grows under the reader's feet, but only grows: what was inside it once
// stays inside.
static inline uint64_t wx_memory_bytes(const wasmx_memory *m) { return __atomic_load_n(&m->bytes, __ATOMIC_ACQUIRE); }

// Limits in pages; false: err says why. limit in bytes, 0: none.
typedef struct wx_memory_limits {
    uint64_t min, max, limit;
    uint64_t reserve;      // with explicit bounds: the most address space to take; 0: as much as it may ever use
    bool has_max, is64, explicit_bounds, is_shared;
} wx_memory_limits;
WX_INTERNAL bool wx_memory_plan(wasmx_memory *memory, const wx_memory_limits *limits, wasmx_error *err);
// Makes the planned memory, with `front` bytes before its low guard of which the last `area` are made readable and
// writable. Fails when the address space or the memory is short. image: the serial of the image that will be put there,
// 0: none that is mapped; where memory->image is the same afterwards, it is there already.
WX_INTERNAL bool wx_memory_map(wasmx_memory *memory, uint64_t front, uint64_t area, uint64_t image, wasmx_error *err);
// area as it was given for mapping it.
WX_INTERNAL void wx_memory_unmap(wasmx_memory *memory, uint64_t area);
// Unmaps what was kept for new instances; false: there was nothing.
WX_INTERNAL bool wx_memory_drop_parked(void);

WX_INTERNAL bool wx_table_init(wasmx_table *table, uint64_t min, uint64_t limit, wasmx_error *err);
WX_INTERNAL void wx_table_put(wasmx_table *table, uint64_t at, void *ref); // in bounds
// Elements were, or will be, written: what a pool puts back.
WX_INTERNAL void wx_table_note(wasmx_table *table, uint64_t at, uint64_t count);
WX_INTERNAL void *wx_table_ref(const wasmx_table *table, uint64_t at);
WX_INTERNAL uint64_t wx_table_grow(wasmx_table *table, uint64_t delta, void *ref);

// ---- Instances

// All of instantiation but what runs guest code; then that: a trap, or WASMX_OK.
WX_INTERNAL wasmx_instance *wx_instance_make(const wasmx_module *module, const wasmx_options *options,
                                             wasmx_error *err);
WX_INTERNAL wasmx_status wx_instance_start(wasmx_instance *instance);
WX_INTERNAL void wx_instance_end(wasmx_instance *instance); // wasmx_instance_free for one that is in no pool
// The function at an index of module->funcs, its record made if need be; NULL: out of memory.
WX_INTERNAL wasmx_func *wx_func_at(wasmx_instance *instance, uint32_t index);
WX_INTERNAL void *wx_item_ref(wasmx_instance *instance, uint32_t item); // of an element segment
WX_INTERNAL wasmx_global *wx_global_at(wasmx_instance *instance, uint32_t index);
WX_INTERNAL bool wx_resolve_imports(wasmx_instance *instance, const wasmx_options *options, wasmx_error *err);

// ---- Tags (tag.c)

WX_INTERNAL bool wx_tags_make(wasmx_instance *instance); // its own, and room for the others; false: out of memory
WX_INTERNAL bool wx_tag_fits(const wasmx_tag *tag, const wxrt_type *type);

// ---- Linker

typedef struct wx_definition {
    char *module, *name;
    wasmx_extern value;       // host functions: kind WASMX_FUNC and no func
    wx_signature signature;   // host functions
    void *function, *env;
    bool is_callback;
} wx_definition;

struct wasmx_linker {
    wx_definition *slots;     // open addressing; free where name is NULL
    size_t count, capacity;   // capacity is 0 or a power of two
    wasmx_wasi *wasi;
};

WX_INTERNAL const wx_definition *wx_linker_find(const wasmx_linker *linker, const char *module, const char *name);
