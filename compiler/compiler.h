// compiler/compiler.h: the commands' door: what cli/ needs of the compiler beyond the public headers.
//
// Files, checking without compiling, looking inside modules and objects, and the system's linker. Every function that
// can fail returns false with the one line to show in *err. Buffers that are filled belong to the caller, who ends
// them with wx_buffer_free.
#pragma once
#include "wasmx_compile.h"

void wx_buffer_free(wasmx_buffer *b);

// ---- files.c

// The whole file; "-" is standard input.
bool wx_input_read(const char *path, wasmx_buffer *out, wasmx_compile_error *err);

typedef struct wx_out_file {
    const char *path; // "-": standard output
    wasmx_buffer data; // not owned
    bool executable;
} wx_out_file;

// All of them or none: each under a temporary name beside its place first, then all renamed.
bool wx_outputs_write(const wx_out_file *files, size_t count, wasmx_compile_error *err);

// ---- lazy.c

// wasmx_code_compile for a module that has been decoded and validated, and outlives the code.
struct wx_module;
wasmx_code *wx_code_of_module(const struct wx_module *m, const wasmx_compile_options *options,
                              wasmx_compile_error *err);

// ---- check.c

// Decodes and validates binary or text; file is for the message.
bool wx_input_check(const wasmx_buffer *input, const char *file, unsigned threads, wasmx_compile_error *err);
// False when target, cpu or features name something that does not exist.
bool wx_target_check(const wasmx_compile_options *options, wasmx_compile_error *err);
// "x86_64" or "aarch64": what a target means, NULL being this machine.
const char *wx_target_arch(const char *target);

// ---- inspect.c

typedef struct wx_inspect_options {
    const char *file;
    bool json;
    size_t top; // functions shown, largest first; 0: all
} wx_inspect_options;

// Describes a module (binary or text), or an object, archive, shared object or executable that was made from one.
bool wx_inspect(const wasmx_buffer *input, const wx_inspect_options *options, wasmx_buffer *out,
                wasmx_compile_error *err);

// ---- profile_show.c

// The sum of profiles of one module; files are for messages.
bool wx_profile_merge(const wasmx_buffer *inputs, const char *const *files, size_t count, wasmx_buffer *out,
                      wasmx_compile_error *err);
// The hottest functions and places of a profile; options->top of each.
bool wx_profile_show(const wasmx_buffer *input, const wx_inspect_options *options, wasmx_buffer *out,
                     wasmx_compile_error *err);

// ---- link.c

typedef enum wx_link_kind { WX_LINK_STATIC, WX_LINK_SHARED, WX_LINK_EXE } wx_link_kind;

typedef struct wx_link_options {
    wx_link_kind kind;
    const char *name;          // of the descriptor
    const char *target;        // as in wasmx_compile_options
    const char *const *dirs;   // exe: "HOST[::GUEST]" opened at start
    size_t dir_count;
    bool trap_unknown_imports; // exe
} wx_link_options;

// Makes an archive (by ar), a shared object with the runtime inside, or a static WASI executable (by the C compiler as
// a linker) from an object of wasmx_compile. libwasmx.a is looked for in ../lib of the running program or in
// $WASMX_LIBDIR, in <triple>/ there for another architecture. Leaves no temporary file, whatever happens.
bool wx_link(const wasmx_buffer *object, const wx_link_options *options, wasmx_buffer *out, wasmx_compile_error *err);
