// wasmx_compile.h: WebAssembly bytes to native objects. Link with libwasmx-compile, which needs LLVM.
//
// Threads: calls are independent of each other; one compilation uses options->threads threads of its own. The first one
// installs LLVM's handler of fatal errors and sets its option grow-region-complexity-budget, which are the process's.
#pragma once
#include "wasmx.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum wasmx_emit { // bits: what wasmx_compile produces
    WASMX_EMIT_OBJECT = 1, WASMX_EMIT_HEADER = 2, WASMX_EMIT_ASM = 4, WASMX_EMIT_LLVM_IR = 8, WASMX_EMIT_BITCODE = 16,
} wasmx_emit;

typedef enum wasmx_bounds { WASMX_BOUNDS_GUARD, WASMX_BOUNDS_EXPLICIT } wasmx_bounds;
typedef enum wasmx_traps { WASMX_TRAPS_DEFAULT, WASMX_TRAPS_PRECISE } wasmx_traps;

// What wasmx_code_compile makes of functions. Results do not depend on it.
typedef enum wasmx_tiers {
    WASMX_TIERS_MIXED,     // interpreted at first; after some calls copied together from machine code of single
                           // instructions, or where wasmx has none (aarch64) compiled by another thread
    WASMX_TIERS_INTERPRET, // only what cannot be interpreted (vectors, atomics, tail calls) is compiled
    WASMX_TIERS_COMPILE,   // compiled when they are called first
    WASMX_TIERS_EAGER,     // interpreted, and compiled by another thread after a few calls: for tests
    WASMX_TIERS_BASELINE,  // as mixed, but at the first call: for tests
} wasmx_tiers;

typedef struct wasmx_embed { // a file kept in the object, which WASI programs find open without any on disk
    const char *root; // the directory as the guest sees it opened: "/lib"
    const char *path; // below it: "python/os.py"; no empty component, no "." and no ".."
    const void *data;
    size_t size;
} wasmx_embed;

typedef struct wasmx_compile_options {
    const char *file;     // for messages; NULL: "module"
    const char *name;     // the C name of the descriptor and prefix of all names; NULL: derived from file
    const char *target;   // "x86_64-linux-gnu" or "aarch64-linux-gnu"; NULL: this machine's
    const char *cpu;      // a level ("x86-64-v3", "generic"), a CPU's name or "native"; NULL: x86-64-v2, generic
    const char *features; // "+avx2,-bmi" on top; NULL: none
    char opt_level;       // '0' '1' '2' '3' 's'; 0 means '2'
    bool debug;           // backtraces (wasmx_frame) and debuggers know offsets in the module, and source lines if it
                          // has debug information; at '2' up to a fifth more time and a half more object
    wasmx_bounds bounds;
    wasmx_traps traps;
    bool interruptible;   // deadlines and wasmx_interrupt stop the code; it looks for them in loops
    bool canonical_nans;  // arithmetic never gives a NaN but 0x7fc00000 and 0x7ff8000000000000 (the deterministic
                          // profile): the same results on every machine, for some instructions more
    bool link_imports;    // imports are extern C functions that the linker binds
    bool profile_generate; // the code counts what it does, for wasmx_profile_write; not with profile
    const void *profile;  // the bytes of a profile, by which the code is optimised; NULL: none
    size_t profile_size;
    const char *profile_file; // for messages; NULL: "profile"
    bool hot_only;        // compile cheaply what never runs by the profile, or, without one, runs but once at the start
    unsigned threads;     // 0: as many as there are processors. The result does not depend on it.
    unsigned emit;        // bits of wasmx_emit; 0: object
    // Called from any thread now and then, never concurrently: done of total functions. May be NULL.
    void (*progress)(void *arg, size_t done, size_t total);
    void *progress_arg;
    const wasmx_embed *embeds; // in any order
    size_t embed_count;
    // A directory where compiled parts of modules are kept, so that what did not change is not compiled again; NULL:
    // none. It is made if it does not exist; processes may share it; one that others may write to is refused. Parts
    // not used for longest are removed when it is larger than cache_bytes (0: 4 GiB). For wasmx_compile.
    const char *cache_dir;
    uint64_t cache_bytes;
    wasmx_tiers tiers;    // for wasmx_code_compile
    bool bytes_stay;      // for wasmx_code_compile: the module's bytes outlive the code, so it needs no copy of them
} wasmx_compile_options;

typedef struct wasmx_buffer { uint8_t *data; size_t size; } wasmx_buffer;

typedef struct wasmx_phase { const char *name; double seconds; uint64_t bytes; } wasmx_phase;
#define WASMX_MAX_PHASES 16

typedef struct wasmx_output { // owned by the caller, ended by wasmx_output_free
    wasmx_buffer object, header, assembly, llvm_ir, bitcode;
    wasmx_phase phases[WASMX_MAX_PHASES]; // wall seconds, and bytes of what the phase produced
    unsigned phase_count;
    char note[320]; // "", or what could not be used: debug information that is broken, parts of a profile
    uint32_t cold_functions; // with a profile or hot_only: how many were found cold, and
    uint64_t cold_bytes;     // how many bytes of Wasm they are, of
    uint64_t code_bytes;     // so many that were compiled
    double cold_seconds;     // of processor time for those that were compiled cheaply, and
    double saved_seconds;    // an estimate of what that saved, from the speed with which all others were compiled
} wasmx_output;

typedef struct wasmx_compile_error {
    char line[512]; // file.wasm:0x1c4 (func 12 "main"): type mismatch: ...
} wasmx_compile_error;

// Compiles a binary module (or text, when it does not begin with "\0asm"). False with *err set; *out is then empty.
WASMX_API WASMX_NODISCARD bool wasmx_compile(const void *bytes, size_t size, const wasmx_compile_options *options,
                                             wasmx_output *out, wasmx_compile_error *err);
WASMX_API void wasmx_output_free(wasmx_output *out);

// Code in this process, without a file: object is what wasmx_compile made for this machine. The descriptor lives until
// wasmx_code_free, which must come after its last instance. NULL with *err set.
typedef struct wasmx_code wasmx_code;
WASMX_API WASMX_NODISCARD wasmx_code *wasmx_code_load(const wasmx_buffer *object, const char *name,
                                                      wasmx_compile_error *err);
// Code in this process that is made function by function: interpreted at first, compiled when it has been called often
// (options->tiers); so it is ready at once, and a big module costs only what runs of it. options (NULL: defaults) are
// needed for the call only, and so are bytes, unless options->bytes_stay says that they stay. opt_level 0 means '0';
// emit, link_imports, debug, hot_only, cache_dir and what is about profiles do not apply; options->threads threads
// compile (0: one less than there are processors, at least one) until wasmx_code_free. NaNs are canonical. NULL with
// *err set: the whole module is validated first.
WASMX_API WASMX_NODISCARD wasmx_code *wasmx_code_compile(const void *bytes, size_t size,
                                                         const wasmx_compile_options *options,
                                                         wasmx_compile_error *err);
WASMX_API const wasmx_module *wasmx_code_module(const wasmx_code *code);
// Ends the threads of wasmx_code_compile and gives back what they used. A function that was not called yet is
// interpreted from then on; where it cannot be, or with WASMX_TIERS_COMPILE, it traps (WASMX_TRAP_HOST) when it is
// called. Not while another thread frees the code.
WASMX_API void wasmx_code_finish(wasmx_code *code);
WASMX_API void wasmx_code_free(wasmx_code *code);

#ifdef __cplusplus
}
#endif
