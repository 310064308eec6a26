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
    const char *guest; // the name the guest sees, such as "/" or "data"; NULL: as outside
    bool read_only;    // nothing in it can be made, written, renamed, linked or removed
} wasmx_preopen;

// A standard stream without a descriptor. It must stay valid, and may change, until wasmx_wasi_free.
typedef struct wasmx_stream {
    // Fills, or takes, up to size bytes (size > 0); the number moved, 0 at the end of input, or an errno negated.
    // bytes lie in the guest's memory: it may change them meanwhile. NULL: data is used.
    int64_t (*transfer)(void *env, void *bytes, size_t size);
    void *env;
    // Input: size bytes to read. Output: room for size bytes; ENOSPC to the guest when it is full.
    char *data;
    size_t size;
    size_t used; // bytes of data the guest has read or written
} wasmx_stream;

typedef enum wasmx_clock {
    WASMX_CLOCK_REALTIME, WASMX_CLOCK_MONOTONIC, WASMX_CLOCK_PROCESS_CPU, WASMX_CLOCK_THREAD_CPU,
} wasmx_clock;

typedef struct wasmx_file_facts { // what the system adds to a file's contents, size and type
    uint64_t device, inode;
    uint64_t accessed, modified, changed; // nanoseconds since 1970
} wasmx_file_facts;

// Where time and randomness come from. A NULL function: the system.
typedef struct wasmx_sources {
    void *env;
    uint64_t (*clock)(void *env, wasmx_clock clock);        // nanoseconds
    void (*sleep)(void *env, uint64_t nanoseconds);         // poll_oneoff waits; NULL: really
    bool (*random)(void *env, void *out, size_t size);      // false: EIO to the guest
    void (*file)(void *env, wasmx_file_facts *facts);       // changes what the guest is told of a file
} wasmx_sources;

typedef struct wasmx_wasi_config {
    const char *const *args; // NULL-terminated; args[0] is the program's name; NULL: none
    const char *const *env;  // NULL-terminated "K=V"; NULL: none
    const wasmx_preopen *preopens; // the guest's descriptors from 3
    size_t preopen_count;
    int stdin_fd, stdout_fd, stderr_fd; // descriptors to use, not owned; -1: closed
    wasmx_stream *streams[3];      // where not NULL: in place of the descriptor of stdin, stdout, stderr
    const wasmx_module *embedded;  // the module whose embedded files the guest sees; NULL: none
    const int *sockets;            // the guest's next descriptors after all directories: listeners or connected
    size_t socket_count;           // sockets, not owned
    wasmx_sources sources;
    uint32_t max_descriptors;      // that the guest can have open; 0: 1024
    uint32_t max_threads;          // that the guest can have besides its first, at a time; 0: 512
    bool no_openat2;               // keep paths in without openat2, as on kernels before 5.6
} wasmx_wasi_config;

// One per instance that runs at a time: it holds the descriptor table. Everything in config is copied, but for streams.
// NULL with *err when a directory cannot be opened.
WASMX_API wasmx_wasi *wasmx_wasi_new(const wasmx_wasi_config *config, wasmx_error *err);
// Closes what the guest left open. After the instances that use it have ended.
WASMX_API void wasmx_wasi_free(wasmx_wasi *wasi);
// For tools: the first descriptor from `from` that is a file or directory the guest opened itself and has not closed,
// with its path outside (cut to size) where the system knows it. -1: there is none.
WASMX_API int64_t wasmx_wasi_open_file(const wasmx_wasi *wasi, uint32_t from, char *path, size_t size);
// Defines every function of WASI in the linker; instances made from it use `wasi`.
WASMX_API void wasmx_linker_define_wasi(wasmx_linker *linker, wasmx_wasi *wasi);
// wasi-threads: defines "wasi" "thread-spawn". Each thread is an instance of the caller's module on its own thread,
// made from `linker` and the other options (copied; NULL: none), which must live until wasmx_wasi_end_threads. The
// module imports a shared memory, exports wasi_thread_start, and shares nothing else: thread-spawn answers ENOTSUP
// where it imports guest functions, tables or globals. `wasi`, its streams and sources are then used from all these
// threads; functions of a stream run one at a time and must return. One call of the host at a time runs the program.
// False: out of memory.
WASMX_API bool wasmx_linker_define_threads(wasmx_linker *linker, wasmx_wasi *wasi, const wasmx_options *options);
// Ends the threads that a call has started, wherever they are, and waits for them; to be called on the thread of that
// call, after it, before its instance is freed. A trap or proc_exit of a thread ends the whole program: the host's call
// then returns that status too, and this the thread's trap, valid until the next call with `wasi`; NULL: the call ended
// of itself. Threads are stopped by SIGSEGV sent to them, which the runtime handles; system calls that they are in
// return EINTR, and functions of the host must return then.
WASMX_API const wasmx_trap *wasmx_wasi_end_threads(wasmx_wasi *wasi);
// The whole of a command's main: instantiates, calls _start, prints a trap with its backtrace on stderr. Returns the
// process's exit status: proc_exit's code, 0, or 134 after a trap, 1 when it cannot be instantiated. Where config
// names no embedded files, the module's own are there.
WASMX_API int wasmx_wasi_main(const wasmx_module *module, const wasmx_wasi_config *config, bool trap_unknown_imports);
// The same with this process's arguments, environment and standard streams: what main() of an executable made by
// --emit=exe calls. dirs are the directories to open, "HOST[::GUEST[::ro]]", each followed by a NUL, and an empty one
// at the end; those that WASMX_DIR names (separated by commas) are opened too.
WASMX_API int wasmx_wasi_command(const wasmx_module *module, char **argv, const char *dirs, int trap_unknown_imports);
// "HOST", "HOST::GUEST" or "HOST::GUEST::ro", cut into its parts in place.
WASMX_API wasmx_preopen wasmx_preopen_parse(char *text);

#ifdef __cplusplus
}
#endif
