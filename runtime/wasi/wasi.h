// runtime/wasi/wasi.h: what the files of WASI share.
//
// Every function of WASI is a typed host function `int32_t wx_wasi_NAME(wasmx_instance *, ...)` that returns one of
// WASI's own error codes. Guest pointers arrive as int32_t and become host pointers by wx_guest and nothing else.
#pragma once
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime/internal.h"
#include "wasmx_wasi.h"

// Error codes the code itself names; the rest comes from errno through wx_wasi_errno.
enum {
    W_SUCCESS = 0, W_BADF = 8, W_FAULT = 21, W_ILSEQ = 25, W_INVAL = 28, W_IO = 29, W_MFILE = 33, W_NAMETOOLONG = 37,
    W_NOENT = 44, W_NOSYS = 52, W_NOTDIR = 54, W_NOTSOCK = 57, W_NOTCAPABLE = 76,
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

typedef struct wx_fd {
    int host;             // -1: this place is free
    bool owned;           // closed with the guest's descriptor
    uint8_t type;         // W_TYPE_...
    uint64_t rights, inheriting;
    char *preopen;        // the guest's name of a preopened directory, or NULL
} wx_fd;

typedef struct wx_strings { // arguments or environment
    char *bytes;          // one after another, each with its NUL
    uint32_t size, count;
} wx_strings;

struct wasmx_wasi {
    wx_strings args, env;
    wx_fd *fds;
    uint32_t fd_count;    // places, used or free
};

// ---- Guest memory (wasi.c)

// length bytes at a guest address, or NULL.
WX_INTERNAL void *wx_guest(wasmx_instance *i, int32_t address, uint64_t length);
WX_INTERNAL int32_t wx_guest_put32(wasmx_instance *i, int32_t address, uint32_t value); // W_SUCCESS or W_FAULT
WX_INTERNAL int32_t wx_guest_put64(wasmx_instance *i, int32_t address, uint64_t value);

#define W_PATH 4096
// A path of the guest's as a C string in a buffer of W_PATH bytes.
WX_INTERNAL int32_t wx_guest_path(wasmx_instance *i, int32_t address, int32_t length, char *out);

// ---- Descriptors (fd.c)

// An open descriptor that has all of the rights, or NULL with *error set.
WX_INTERNAL wx_fd *wx_fd_get(wasmx_instance *i, int32_t fd, uint64_t rights, int32_t *error);
// The lowest free number from 3 for it, or -1; takes over entry.host and entry.preopen only when it succeeds.
WX_INTERNAL int64_t wx_fd_add(wasmx_wasi *w, wx_fd entry);
WX_INTERNAL void wx_fd_end(wx_fd *fd);
WX_INTERNAL uint8_t wx_file_type(mode_t mode);
// Times of fd_filestat_set_times and path_filestat_set_times as utimensat wants them; false: flags contradict.
WX_INTERNAL bool wx_file_times(struct timespec out[2], int64_t atim, int64_t mtim, int32_t flags);
// Writes a filestat in the layout of preview 1, or with unstable that of preview 0.
WX_INTERNAL int32_t wx_put_filestat(wasmx_instance *i, int32_t address, const struct stat *st, bool unstable);
WX_INTERNAL int wx_host_flags(int32_t fdflags); // O_APPEND and its like

// WASI's code for an errno.
WX_INTERNAL int32_t wx_wasi_errno(int host);
static inline int32_t wx_wasi_result(int64_t result) { return result < 0 ? wx_wasi_errno(errno) : W_SUCCESS; }

// ---- Staying beneath a directory (sandbox.c): -1 and errno on failure, EXDEV for a path that leads out

// Opens path, which follows symbolic links only to places beneath dir. flags as for open.
WX_INTERNAL int wx_beneath_open(int dir, const char *path, int flags, mode_t mode);
// The same without openat2: one component after another.
WX_INTERNAL int wx_beneath_walk(int dir, const char *path, int flags, mode_t mode);
// The directory that holds the last component, which *last points at inside path (its trailing slashes cut off), for
// the calls that act on a name. The caller closes it.
WX_INTERNAL int wx_beneath_parent(int dir, char *path, const char **last);
