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
typedef struct wasmx_linker wasmx_linker;     // names that imports are looked up in
typedef struct wasmx_wasi wasmx_wasi;         // see wasmx_wasi.h

// ---- Values

typedef enum wasmx_kind {
    WASMX_I32 = 1, WASMX_I64, WASMX_F32, WASMX_F64, WASMX_V128, WASMX_FUNCREF, WASMX_EXTERNREF,
} wasmx_kind;

typedef struct wasmx_v128 { uint8_t bytes[16]; } wasmx_v128;

typedef union wasmx_value {
    int32_t i32;
    int64_t i64;
    float f32;
    double f64;
    wasmx_v128 v128;
    wasmx_func *funcref; // NULL: ref.null func
    void *externref;     // NULL: ref.null extern
    uint64_t words[2];
} wasmx_value;

// ---- Status, traps, errors

typedef enum wasmx_status {
    WASMX_OK = 0,
#define TRAP(name, message) WASMX_TRAP_##name,
#include "wasmx_traps.def"
#undef TRAP
    WASMX_STATUS_COUNT
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

// ---- Instances

typedef struct wasmx_options {
    void *host;                // what wasmx_host returns
    const void *imports;       // `const NAME_imports *` of the generated header: typed host functions. A NULL entry is
                               // looked up in the linker. NULL: everything comes from the linker.
    const wasmx_linker *linker; // may be NULL; not needed after instantiation
    bool trap_unknown_imports; // a function import that nothing satisfies by name and type traps when it is called
    uint64_t max_memory_bytes; // memory.grow beyond it answers -1; 0: the module's own limit
    uint64_t max_table_elements; // per table; 0: 10 million
    size_t max_stack_bytes;    // native stack a call may use; 0: what the thread has. Set it for calls on a stack that
                               // is not the thread's own (a coroutine's): 64 KiB are assumed there.
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

// ---- Exports

typedef enum wasmx_extern_kind { WASMX_FUNC, WASMX_TABLE, WASMX_MEMORY, WASMX_GLOBAL, WASMX_TAG } wasmx_extern_kind;

typedef struct wasmx_extern {
    wasmx_extern_kind kind;
    union {
        wasmx_func *func;
        wasmx_table *table;
        wasmx_memory *memory;
        wasmx_global *global;
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

// A type as letters: parameters, ':', results; i I f F v r e stand for i32 i64 f32 f64 v128 funcref externref. "ii:i".
// Writes at most size bytes with the NUL and returns the length it needs; other reference types are '?'.
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
// False also for a reference in a table of a narrower type than funcref or externref, which nothing here could check;
// wasmx_table_grow and wasmx_global_set likewise take null only there.
WASMX_API bool wasmx_table_set(wasmx_table *table, uint64_t index, wasmx_value value);
WASMX_API uint64_t wasmx_table_grow(wasmx_table *table, uint64_t delta, wasmx_value init);

WASMX_API wasmx_kind wasmx_global_kind(const wasmx_global *global);
WASMX_API wasmx_value wasmx_global_get(const wasmx_global *global);
WASMX_API bool wasmx_global_set(wasmx_global *global, wasmx_value value); // false: immutable

// Standalone ones, for imports. The caller owns them and frees them after every instance that imports them.
// max UINT64_MAX: no maximum. NULL when memory is short or the limits make no sense.
WASMX_API wasmx_memory *wasmx_memory_new(uint64_t min_pages, uint64_t max_pages);
WASMX_API void wasmx_memory_free(wasmx_memory *memory);
WASMX_API wasmx_table *wasmx_table_new(wasmx_kind kind, uint64_t min, uint64_t max);
WASMX_API void wasmx_table_free(wasmx_table *table);
WASMX_API wasmx_global *wasmx_global_new(wasmx_kind kind, bool is_mutable, wasmx_value value);
WASMX_API void wasmx_global_free(wasmx_global *global);

// ---- Linker: what imports are called

WASMX_API wasmx_linker *wasmx_linker_new(void);
WASMX_API void wasmx_linker_free(wasmx_linker *linker);
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

// ---- Modules, for tools

WASMX_API const char *wasmx_module_name(const wasmx_module *module);
WASMX_API size_t wasmx_module_export_count(const wasmx_module *module);
WASMX_API const char *wasmx_module_export_name(const wasmx_module *module, size_t i, wasmx_extern_kind *kind);
// Before a shared object that holds the module is unloaded; no instance of it may be left.
WASMX_API void wasmx_module_forget(const wasmx_module *module);

#ifdef __cplusplus
}
#endif
