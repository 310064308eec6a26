// wasmx_wasi.h: WASI preview 1 (wasi_snapshot_preview1, and preview 0 as wasi_unstable) for instances.
//
// A server whose modules import none of it does not include this and links none of it.
#pragma once
#include "wasmx.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct wasmx_preopen {
    const char *host;  // directory outside
    const char *guest; // the name the guest sees, such as "/" or "data"
} wasmx_preopen;

typedef struct wasmx_wasi_config {
    const char *const *args; // NULL-terminated; args[0] is the program's name; NULL: none
    const char *const *env;  // NULL-terminated "K=V"; NULL: none
    const wasmx_preopen *preopens;
    size_t preopen_count;
    int stdin_fd, stdout_fd, stderr_fd; // descriptors to use, not owned; -1: closed
} wasmx_wasi_config;

// One per instance that runs at a time: it holds the descriptor table. Everything in config is copied. NULL with *err
// when a directory cannot be opened.
WASMX_API wasmx_wasi *wasmx_wasi_new(const wasmx_wasi_config *config, wasmx_error *err);
// Closes what the guest left open. After the instances that use it have ended.
WASMX_API void wasmx_wasi_free(wasmx_wasi *wasi);
// Defines every function of WASI in the linker; instances made from it use `wasi`.
WASMX_API void wasmx_linker_define_wasi(wasmx_linker *linker, wasmx_wasi *wasi);
// The whole of a command's main: instantiates, calls _start, prints a trap with its backtrace on stderr. Returns the
// process's exit status: proc_exit's code, 0, or 134 after a trap, 1 when it cannot be instantiated.
WASMX_API int wasmx_wasi_main(const wasmx_module *module, const wasmx_wasi_config *config, bool trap_unknown_imports);
// The same with this process's arguments, environment and standard streams: what main() of an executable made by
// --emit=exe calls. dirs are the directories to open, "HOST[::GUEST]", each followed by a NUL, and an empty one at the
// end; those that WASMX_DIR names (separated by commas) are opened too.
WASMX_API int wasmx_wasi_command(const wasmx_module *module, char **argv, const char *dirs, int trap_unknown_imports);

#ifdef __cplusplus
}
#endif
