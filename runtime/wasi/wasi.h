// runtime/wasi/wasi.h: what the files of WASI share.
//
// Every function of WASI is a typed host function `int32_t wx_wasi_NAME(wasmx_instance *, ...)` that returns one of
// WASI's own error codes. Guest pointers arrive as int32_t and become host pointers by wx_guest and nothing else. What
// lies in guest memory is read once, into memory of ours: another thread of the guest may be changing it.
#pragma once
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "runtime/internal.h"
#include "wasmx_wasi.h"

// Error codes the code itself names; the rest comes from errno through wx_wasi_errno.
enum {
    W_SUCCESS = 0, W_AGAIN = 6, W_BADF = 8, W_BUSY = 10, W_EXIST = 20, W_FAULT = 21, W_ILSEQ = 25, W_INTR = 27,
    W_INVAL = 28, W_IO = 29, W_ISDIR = 31, W_MFILE = 33, W_NAMETOOLONG = 37, W_NOENT = 44, W_NOSPC = 51, W_NOSYS = 52,
    W_NOTDIR = 54, W_NOTSOCK = 57, W_NOTSUP = 58, W_OVERFLOW = 61, W_SPIPE = 70, W_NOTCAPABLE = 76,
};

enum { W_TYPE_UNKNOWN, W_TYPE_BLOCK, W_TYPE_CHAR, W_TYPE_DIR, W_TYPE_FILE, W_TYPE_DGRAM, W_TYPE_STREAM, W_TYPE_LINK };

#define W_RIGHT(n) ((uint64_t)1 << (n))
enum { // bits of rights
    R_FD_DATASYNC, R_FD_READ, R_FD_SEEK, R_FDSTAT_SET_FLAGS, R_FD_SYNC, R_FD_TELL, R_FD_WRITE, R_FD_ADVISE,
    R_FD_ALLOCATE, R_PATH_CREATE_DIRECTORY, R_PATH_CREATE_FILE, R_PATH_LINK_SOURCE, R_PATH_LINK_TARGET, R_PATH_OPEN,
    R_FD_READDIR, R_PATH_READLINK, R_PATH_RENAME_SOURCE, R_PATH_RENAME_TARGET, R_PATH_FILESTAT_GET,
    R_PATH_FILESTAT_SET_SIZE, R_PATH_FILESTAT_SET_TIMES, R_FD_FILESTAT_GET, R_FD_FILESTAT_SET_SIZE,
    R_FD_FILESTAT_SET_TIMES, R_PATH_SYMLINK, R_PATH_REMOVE_DIRECTORY, R_PATH_UNLINK_FILE, R_POLL_FD_READWRITE,
    R_SOCK_SHUTDOWN, R_SOCK_ACCEPT, R_COUNT,
};
#define W_ALL_RIGHTS (W_RIGHT(R_COUNT) - 1)
// What a directory that nothing may change grants: itself, and to what is opened in it.
#define W_LOOKING_RIGHTS                                                                                          \
    (W_RIGHT(R_PATH_OPEN) | W_RIGHT(R_FD_READDIR) | W_RIGHT(R_PATH_READLINK) | W_RIGHT(R_PATH_FILESTAT_GET) |     \
     W_RIGHT(R_FD_FILESTAT_GET) | W_RIGHT(R_POLL_FD_READWRITE))
#define W_READING_RIGHTS                                                                                          \
    (W_LOOKING_RIGHTS | W_RIGHT(R_FD_READ) | W_RIGHT(R_FD_SEEK) | W_RIGHT(R_FD_TELL) | W_RIGHT(R_FD_ADVISE))

typedef enum wx_fd_kind { FD_FREE, FD_HOST, FD_STREAM, FD_EMBED } wx_fd_kind;

typedef struct wx_embed_dir { // files[first..end) are below it; prefix bytes of their paths are its own
    uint32_t first, end, prefix;
} wx_embed_dir;

typedef struct wx_fd {
    uint8_t kind;         // wx_fd_kind
    uint8_t type;         // W_TYPE_...
    bool owned;           // the host's descriptor is closed with the guest's
    int host;             // FD_HOST
    bool read_only;       // a directory that the host keeps from changes, or something in it
    uint8_t guard;        // which of the object's guards keeps its position
    bool closing;         // no longer the guest's; the last user ends it
    uint32_t users;       // calls that use it, where the guest has threads
    wasmx_wasi *wasi;     // whose table it is in
    uint64_t rights, inheriting;
    char *preopen;        // the guest's name of a preopened directory, or NULL
    union {
        wasmx_stream *stream; // FD_STREAM
        wx_embed_dir dir;     // FD_EMBED, directories
        struct {
            uint32_t file;    // FD_EMBED, files: index in the module's
            uint64_t at;
        };
    };
} wx_fd;

typedef struct wx_strings { // arguments or environment
    char *bytes;          // one after another, each with its NUL
    uint32_t size, count;
} wx_strings;

// Opens a path beneath a directory: -1 and errno on failure, EXDEV for a path that leads out. flags as for open.
typedef int wx_opener(int dir, const char *path, int flags, mode_t mode);

typedef struct wx_threads wx_threads;
enum { W_GUARDS = 4 };

struct wasmx_wasi {
    wx_strings args, env;
    wx_fd *fds;           // fd_room places, of which the first fd_count have been used
    uint32_t fd_count, fd_room;
    uint32_t lowest;      // no place from 3 to here is free
    wx_opener *open;
    const wasmx_module *embedded;
    wasmx_sources sources;
    uint32_t max_threads;
    wx_threads *threads;  // NULL: one thread uses all this, and no lock is taken
    pthread_mutex_t lock; // of the table
    pthread_mutex_t guards[W_GUARDS]; // of what a call moves along: streams by their first number, then all others
};

// ---- Guest memory (wasi.c)

// length bytes at a guest address, or NULL.
WX_INTERNAL void *wx_guest(wasmx_instance *i, int32_t address, uint64_t length);
WX_INTERNAL int32_t wx_guest_put32(wasmx_instance *i, int32_t address, uint32_t value); // W_SUCCESS or W_FAULT
WX_INTERNAL int32_t wx_guest_put64(wasmx_instance *i, int32_t address, uint64_t value);

// Copies out of guest memory; what was copied is what counts, whatever the compiler makes of later uses.
static inline void wx_guest_copy(void *to, const void *from, size_t n) {
    memcpy(to, from, n);
    __asm__ volatile("" : : "r"(to) : "memory");
}

#define W_PATH 4096
// A path of the guest's as a C string in a buffer of W_PATH bytes. ILSEQ: it is not UTF-8, or holds a NUL.
WX_INTERNAL int32_t wx_guest_path(wasmx_instance *i, int32_t address, int32_t length, char *out);

#define W_BUFFERS 256 // a call with more of them transfers the first ones: short reads and writes are allowed
// The guest's list of buffers: pairs of address and length. *count is cut to what `out` holds.
WX_INTERNAL int32_t wx_guest_buffers(wasmx_instance *i, int32_t address, int32_t *count, struct iovec *out);

// UTF-8 as the Unicode standard has it: nothing overlong, no surrogates (wasi.c).
WX_INTERNAL bool wx_is_utf8(const char *text, size_t n);

// ---- Descriptors (table.c)

// An open descriptor that has all of the rights, or NULL with *error set: BADF; where its type could never have the
// right what a system says of that (ISDIR, NOTDIR, NOTSOCK, SPIPE, BADF); else NOTCAPABLE.
// Other threads may close it meanwhile: until wx_fd_done it stays what it is. INTR when the program has ended.
WX_INTERNAL wx_fd *wx_fd_get(wasmx_instance *i, int32_t fd, uint64_t rights, int32_t *error);
WX_INTERNAL void wx_fd_done_shared(wx_fd *fd);
static inline void wx_fd_done(wx_fd **fd) { // NULL is allowed
    if (*fd && __atomic_load_n(&(*fd)->users, __ATOMIC_RELAXED)) wx_fd_done_shared(*fd);
}
// What wx_fd_get would say of rights that it lacks, or W_SUCCESS.
WX_INTERNAL int32_t wx_fd_lacks(const wx_fd *fd, uint64_t rights);
// What is opened in this directory can have at most these.
static inline uint64_t wx_fd_passes(const wx_fd *f) {
    return f->inheriting & (f->read_only ? W_READING_RIGHTS : ~(uint64_t)0);
}
// One thread at a time in between.
WX_INTERNAL void wx_fd_hold(wx_fd *fd);
WX_INTERNAL void wx_fd_let_go(wx_fd *fd);
// The lowest free number from 3 for it, or -1; takes over entry.host and entry.preopen only when it succeeds.
WX_INTERNAL int64_t wx_fd_add(wasmx_wasi *w, wx_fd entry);
WX_INTERNAL void wx_fd_end(wx_fd *fd);
// A descriptor of the host's as an entry without rights; false: it is not one.
WX_INTERNAL bool wx_fd_of_host(wx_fd *out, int host);
WX_INTERNAL uint64_t wx_type_rights(uint8_t type);
WX_INTERNAL uint8_t wx_file_type(mode_t mode);

// Declares `f` until the end of the block, or returns the error.
#define GET_FD(f, fd, rights)                                                              \
    int32_t f##_error;                                                                     \
    __attribute__((cleanup(wx_fd_done))) wx_fd *f = wx_fd_get(i, fd, rights, &f##_error);  \
    if (!f) return wx_stop_here(), f##_error

// Times of fd_filestat_set_times and path_filestat_set_times as utimensat wants them; false: flags contradict.
WX_INTERNAL bool wx_file_times(struct timespec out[2], int64_t atim, int64_t mtim, int32_t flags);
// Writes a filestat in the layout of preview 1, or with unstable that of preview 0.
WX_INTERNAL int32_t wx_put_filestat(wasmx_instance *i, int32_t address, const struct stat *st, bool unstable);
WX_INTERNAL int wx_host_flags(int32_t fdflags); // O_APPEND and its like

// One entry of fd_readdir as far as it fits in room; the bytes written.
typedef struct wx_entry_of_dir {
    uint64_t next, inode;
    const char *name;
    uint32_t size;        // of the name
    uint8_t type;
} wx_entry_of_dir;
WX_INTERNAL uint32_t wx_put_entry(char *out, uint32_t room, const wx_entry_of_dir *e);

// WASI's code for an errno.
WX_INTERNAL int32_t wx_wasi_errno(int host);
static inline int32_t wx_wasi_result(int64_t result) { return result < 0 ? wx_wasi_errno(errno) : W_SUCCESS; }

// ---- What is no descriptor of the host's (virtual.c): each returns bytes moved, or a WASI error negated

WX_INTERNAL int64_t wx_stream_move(wasmx_stream *s, const struct iovec *buffers, int count, bool reads);
// at: the position, which is moved along.
WX_INTERNAL int64_t wx_embed_read(const wasmx_wasi *w, const wx_fd *f, const struct iovec *buffers, int count,
                                  uint64_t *at);
WX_INTERNAL int64_t wx_embed_seek(const wasmx_wasi *w, wx_fd *f, int64_t offset, int whence);
WX_INTERNAL void wx_virtual_stat(const wasmx_wasi *w, const wx_fd *f, struct stat *st);
WX_INTERNAL uint32_t wx_embed_readdir(const wasmx_wasi *w, const wx_fd *f, char *out, uint32_t room, uint64_t cookie);
// What path is, seen from the directory f: an entry without rights; or the error.
WX_INTERNAL int32_t wx_embed_find(const wasmx_wasi *w, const wx_fd *f, const char *path, wx_fd *out);
// Bytes that can be read at once.
WX_INTERNAL uint64_t wx_virtual_ready(const wasmx_wasi *w, const wx_fd *f);
// A preopened directory for every root of the embedded files.
WX_INTERNAL bool wx_embed_preopen(wasmx_wasi *w);

// ---- Threads (threads.c)

WX_INTERNAL void wx_threads_free(wasmx_wasi *w);
// Another thread has ended the program: a call that waits gives up, as if a signal had come.
static inline bool wx_stopping(void) { return atomic_load_explicit(&wx_this_thread.stop, memory_order_relaxed); }

// ---- Clocks (misc.c)

WX_INTERNAL bool wx_clock_now(const wasmx_wasi *w, uint32_t clock, uint64_t *out); // false: errno

// ---- Staying beneath a directory (sandbox.c): wx_openers

// By openat2, or where that is missing as wx_beneath_walk.
WX_INTERNAL wx_opener wx_beneath_open;
// Without openat2: one component after another.
WX_INTERNAL wx_opener wx_beneath_walk;
// The directory that holds the last component, which *last points at inside path, for the calls that act on a name.
// *last keeps one of its trailing slashes: only calls that never follow the last component may see it. The caller
// closes the directory.
WX_INTERNAL int wx_beneath_parent(wx_opener *open, int dir, char *path, const char **last);
