// wasmx_snapshot.h: runs a module's initialiser and writes a module that starts from there. Link with
// libwasmx-compile and libwasmx.
//
// What comes out is plain WebAssembly with the same exports, for any engine: memories, globals and tables hold what
// they held when the initialiser returned, and what only the initialiser needed is gone. The same input and options
// give the same bytes, unless wasmx_snapshot_options says that the system's clocks and random numbers are to be used.
//
// Threads: calls are independent of each other. The initialiser runs on the calling thread.
#pragma once
#include "wasmx_compile.h"
#include "wasmx_wasi.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct wasmx_rename { const char *to, *from; } wasmx_rename; // of exported functions

// Features a module may not use; see refuse.
typedef enum wasmx_wasm_feature {
    WASMX_WASM_MULTI_MEMORY = 1, WASMX_WASM_MULTI_VALUE = 2, WASMX_WASM_BULK_MEMORY = 4, WASMX_WASM_SIMD = 8,
    WASMX_WASM_RELAXED_SIMD = 16, WASMX_WASM_REFERENCE_TYPES = 32,
} wasmx_wasm_feature;

typedef struct wasmx_snapshot_options {
    const char *file;          // for messages; NULL: "module"
    const char *init_func;     // the export to call, of type [] -> []. NULL: the first of wizer-initialize and
                               // wizer.initialize that there is; "": none, only the start function and _initialize run
    bool keep_init_func;       // it stays exported
    bool keep_all;             // functions, types, segments and table entries that nothing reaches any more stay
    bool own_imports;          // imported memories, tables and globals become the module's own; what the linker does
                               // not have is made: zeros and nulls, of the smallest size. Otherwise such imports are
                               // errors.
    const wasmx_rename *renames;
    size_t rename_count;
    const wasmx_linker *linker; // host functions of the caller's, and instances; may be NULL. The state of instances in
                               // it is not saved. Calling an import that is not in it is an error.
    void *host;                // what wasmx_host returns in them
    const wasmx_wasi_config *wasi; // NULL: calling WASI is an error
    bool system_sources;       // WASI's clocks, random numbers and facts about files are the system's. Otherwise,
                               // unless wasi->sources has functions: clocks that start in the year 2000 and advance
                               // by a millisecond a call, random numbers made from seed, files without times
    uint64_t seed;
    unsigned refuse;           // bits of wasmx_wasm_feature
    bool whole_pages;          // segments are whole 4 KiB pages, as many as there are: for compiling the result
    uint32_t max_segments;     // data segments at most; 0: 10,000
    uint64_t timeout_ns;       // wall time for the start function, _initialize and the initialiser together, compiling
                               // them included; 0: no end. A host function is not interrupted, what follows it is
    unsigned threads;          // for compiling; 0: as many as there are processors, one for the initialiser itself
    int tiers;                 // a wasmx_tiers (wasmx_compile.h): the result is the same with each
    // Called now and then on any thread, never concurrently; phase is "compile" or "initialise". May be NULL.
    void (*progress)(void *arg, const char *phase, size_t done, size_t total);
    void *progress_arg;
} wasmx_snapshot_options;

// A call of the initialiser's that another run might have answered otherwise.
typedef struct wasmx_snapshot_note {
    const char *call;          // "random_get"
    uint64_t count, bytes;     // bytes: of random_get
} wasmx_snapshot_note;
#define WASMX_MAX_NOTES 8

typedef struct wasmx_snapshot_block { // a data segment of the result
    uint32_t memory;
    uint64_t address, size;
} wasmx_snapshot_block;
#define WASMX_MAX_BLOCKS 10

typedef struct wasmx_snapshot_size { // of the input and of the result
    uint64_t bytes, code_bytes, data_bytes, custom_bytes; // whole; bodies; bytes in data segments; custom sections
    uint64_t pages;            // of all memories, 64 KiB each
    uint32_t functions, imports, types, globals, data_segments, elem_segments, table_entries;
} wasmx_snapshot_size;

typedef struct wasmx_snapshot_result { // owned by the caller, ended by wasmx_snapshot_free
    wasmx_buffer wasm;
    wasmx_snapshot_size before, after;
    uint64_t nonzero_pages;    // of 4 KiB: how many hold anything
    uint64_t filled_bytes;     // zeros between data that were cheaper to write than a segment, or above max_segments
    wasmx_snapshot_block blocks[WASMX_MAX_BLOCKS]; // the largest first
    unsigned block_count;
    wasmx_snapshot_note notes[WASMX_MAX_NOTES];
    unsigned note_count;
    bool system_sources;       // the notes' values came from the system
    bool debug_removed;        // sections that point into the code were left out, because the code is another
    double compile_seconds, init_seconds, write_seconds;
} wasmx_snapshot_result;

typedef struct wasmx_snapshot_error {
    char line[512];            // "file.wasm: the initialiser trapped: unreachable"
    char backtrace[4096];      // "    at NAME (func N)\n" for each function, innermost first; empty when there is none
} wasmx_snapshot_error;

// bytes: binary or text. False with *err set; *out is then empty.
WASMX_API WASMX_NODISCARD bool wasmx_snapshot(const void *bytes, size_t size, const wasmx_snapshot_options *options,
                                              wasmx_snapshot_result *out, wasmx_snapshot_error *err);
WASMX_API void wasmx_snapshot_free(wasmx_snapshot_result *out);

#ifdef __cplusplus
}
#endif
