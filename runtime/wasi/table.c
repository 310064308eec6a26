// runtime/wasi/table.c: the descriptor table: numbers, rights, and what a type of file can do at all.
//
// A guest's descriptor is an index in the table; the host's own never reach it. The table is made once, in full.
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/wasi/wasi.h"

#define STREAMS 3u // no file gets the number of a closed standard stream: libraries take it for one

static const uint64_t path_rights =
    W_RIGHT(R_PATH_CREATE_DIRECTORY) | W_RIGHT(R_PATH_CREATE_FILE) | W_RIGHT(R_PATH_LINK_SOURCE) |
    W_RIGHT(R_PATH_LINK_TARGET) | W_RIGHT(R_PATH_OPEN) | W_RIGHT(R_FD_READDIR) | W_RIGHT(R_PATH_READLINK) |
    W_RIGHT(R_PATH_RENAME_SOURCE) | W_RIGHT(R_PATH_RENAME_TARGET) | W_RIGHT(R_PATH_FILESTAT_GET) |
    W_RIGHT(R_PATH_FILESTAT_SET_SIZE) | W_RIGHT(R_PATH_FILESTAT_SET_TIMES) | W_RIGHT(R_PATH_SYMLINK) |
    W_RIGHT(R_PATH_REMOVE_DIRECTORY) | W_RIGHT(R_PATH_UNLINK_FILE);
static const uint64_t socket_rights = W_RIGHT(R_SOCK_SHUTDOWN) | W_RIGHT(R_SOCK_ACCEPT);
static const uint64_t place_rights = W_RIGHT(R_FD_SEEK) | W_RIGHT(R_FD_TELL);
static const uint64_t byte_rights = W_RIGHT(R_FD_READ) | W_RIGHT(R_FD_WRITE) | W_RIGHT(R_FD_ADVISE) |
                                    W_RIGHT(R_FD_ALLOCATE) | W_RIGHT(R_FD_FILESTAT_SET_SIZE);

uint64_t wx_type_rights(uint8_t type) {
    uint64_t others = W_ALL_RIGHTS & ~path_rights & ~socket_rights;
    switch (type) {
    case W_TYPE_DIR: return W_ALL_RIGHTS & ~socket_rights & ~place_rights & ~byte_rights;
    case W_TYPE_UNKNOWN: // pipes
    case W_TYPE_CHAR: return others & ~place_rights; // isatty looks at that
    case W_TYPE_DGRAM:
    case W_TYPE_STREAM: return (others & ~place_rights) | socket_rights;
    default: return others;
    }
}

// What is said of a call that lacks rights.
static int32_t misuse(const wx_fd *f, uint64_t lacking) {
    uint64_t never = lacking & ~wx_type_rights(f->type);
    if (!never) return W_NOTCAPABLE;
    if (never & path_rights) return W_NOTDIR;
    if (never & socket_rights) return W_NOTSOCK;
    if (f->type != W_TYPE_DIR) return W_SPIPE;
    return never & W_RIGHT(R_FD_READ) ? W_ISDIR : W_BADF;
}

int32_t wx_fd_lacks(const wx_fd *f, uint64_t rights) {
    uint64_t lacking = rights & ~f->rights;
    return lacking ? misuse(f, lacking) : W_SUCCESS;
}

// ---- Looking up
//
// Where the guest has threads, a descriptor that calls are using counts them: closing it takes it from the guest at
// once, but the host's descriptor is closed, and its place free, when the last of them is done.

static void lock(wasmx_wasi *w) {
    if (w->threads) pthread_mutex_lock(&w->lock);
}

static void unlock(wasmx_wasi *w) {
    if (w->threads) pthread_mutex_unlock(&w->lock);
}

static inline wx_fd *open_fd(wasmx_wasi *w, int32_t fd) {
    wx_fd *f = (uint32_t)fd < w->fd_count ? &w->fds[(uint32_t)fd] : NULL;
    return f && f->kind != FD_FREE && !f->closing ? f : NULL;
}

static inline wx_fd *look_up(wasmx_wasi *w, int32_t fd, uint64_t rights, int32_t *error) {
    wx_fd *f = open_fd(w, fd);
    if (WX_LIKELY(f && (f->rights & rights) == rights)) return f;
    *error = f ? wx_fd_lacks(f, rights) : W_BADF;
    return NULL;
}

wx_fd *wx_fd_get(wasmx_instance *i, int32_t fd, uint64_t rights, int32_t *error) {
    wasmx_wasi *w = i->wasi;
    if (WX_LIKELY(!w->threads)) return look_up(w, fd, rights, error);
    *error = W_INTR;
    if (wx_stopping()) return NULL; // who goes on to call has to be met in guest code (signals.c)
    lock(w);
    wx_fd *f = look_up(w, fd, rights, error);
    if (f) f->users++;
    unlock(w);
    return f;
}

int64_t wx_fd_add(wasmx_wasi *w, wx_fd entry) {
    int64_t number = -1;
    lock(w);
    uint32_t k = w->lowest > STREAMS ? w->lowest : STREAMS;
    while (k < w->fd_count && w->fds[k].kind != FD_FREE) k++;
    if (k < w->fd_room) {
        if (k == w->fd_count) w->fd_count++;
        entry.wasi = w;
        entry.guard = W_GUARDS - 1;
        w->fds[k] = entry;
        w->lowest = k + 1;
        number = k;
    }
    unlock(w);
    return number;
}

void wx_fd_end(wx_fd *f) {
    if (f->kind == FD_HOST && f->owned) close(f->host);
    free(f->preopen);
    *f = (wx_fd){.kind = FD_FREE};
}

static void make_free(wasmx_wasi *w, wx_fd *f) {
    uint32_t k = (uint32_t)(f - w->fds);
    *f = (wx_fd){.kind = FD_FREE};
    if (k < w->lowest) w->lowest = k;
}

static void end_and_free(wasmx_wasi *w, wx_fd *f) {
    wx_fd_end(f);
    make_free(w, f);
}

void wx_fd_done_shared(wx_fd *f) {
    wasmx_wasi *w = f->wasi;
    lock(w);
    if (!--f->users && f->closing) end_and_free(w, f);
    unlock(w);
}

void wx_fd_hold(wx_fd *f) {
    if (f->wasi->threads) pthread_mutex_lock(&f->wasi->guards[f->guard]);
}

void wx_fd_let_go(wx_fd *f) {
    if (f->wasi->threads) pthread_mutex_unlock(&f->wasi->guards[f->guard]);
}

int32_t wx_wasi_fd_close(wasmx_instance *i, int32_t fd) {
    wasmx_wasi *w = i->wasi;
    lock(w);
    wx_fd *f = open_fd(w, fd);
    if (f && f->users) f->closing = true;
    else if (f) end_and_free(w, f);
    unlock(w);
    return f ? W_SUCCESS : W_BADF;
}

static int32_t renumber(wasmx_wasi *w, wx_fd *from, wx_fd *to) {
    if (!from || !to) return W_BADF;
    if (from == to) return W_SUCCESS;
    if (from->users || to->users) return W_BUSY; // another thread's call uses one of them
    wx_fd_end(to);
    *to = *from;
    make_free(w, from);
    return W_SUCCESS;
}

int32_t wx_wasi_fd_renumber(wasmx_instance *i, int32_t from, int32_t to) {
    wasmx_wasi *w = i->wasi;
    lock(w);
    int32_t error = renumber(w, open_fd(w, from), open_fd(w, to));
    unlock(w);
    return error;
}

static int32_t set_rights(wx_fd *f, uint64_t rights, uint64_t inheriting) {
    if (!f) return W_BADF;
    if ((rights & ~f->rights) || (inheriting & ~wx_fd_passes(f))) return W_NOTCAPABLE;
    f->rights = rights;
    f->inheriting = inheriting;
    return W_SUCCESS;
}

int32_t wx_wasi_fd_fdstat_set_rights(wasmx_instance *i, int32_t fd, int64_t rights, int64_t inheriting) {
    lock(i->wasi);
    int32_t error = set_rights(open_fd(i->wasi, fd), (uint64_t)rights, (uint64_t)inheriting);
    unlock(i->wasi);
    return error;
}

// ---- What a descriptor is

uint8_t wx_file_type(mode_t mode) {
    switch (mode & S_IFMT) {
    case S_IFREG: return W_TYPE_FILE;
    case S_IFDIR: return W_TYPE_DIR;
    case S_IFCHR: return W_TYPE_CHAR;
    case S_IFBLK: return W_TYPE_BLOCK;
    case S_IFLNK: return W_TYPE_LINK;
    case S_IFSOCK: return W_TYPE_STREAM;
    default: return W_TYPE_UNKNOWN;
    }
}

static bool is_datagram(int host) {
    int type = 0;
    socklen_t size = sizeof type;
    return !getsockopt(host, SOL_SOCKET, SO_TYPE, &type, &size) && type == SOCK_DGRAM;
}

bool wx_fd_of_host(wx_fd *out, int host) {
    struct stat st;
    *out = (wx_fd){.kind = FD_FREE};
    if (host < 0 || fstat(host, &st)) return false;
    *out = (wx_fd){.kind = FD_HOST, .host = host, .type = wx_file_type(st.st_mode)};
    if (out->type == W_TYPE_STREAM && is_datagram(host)) out->type = W_TYPE_DGRAM;
    return true;
}

// ---- Preopened directories

int32_t wx_wasi_fd_prestat_get(wasmx_instance *i, int32_t fd, int32_t out) {
    GET_FD(f, fd, 0);
    if (!f->preopen) return W_BADF;
    return wx_guest_put64(i, out, (uint64_t)strlen(f->preopen) << 32); // 0: the tag of a directory
}

int32_t wx_wasi_fd_prestat_dir_name(wasmx_instance *i, int32_t fd, int32_t out, int32_t size) {
    GET_FD(f, fd, 0);
    if (!f->preopen) return W_BADF;
    size_t n = strlen(f->preopen);
    if ((uint32_t)size < n) return W_NAMETOOLONG;
    char *p = wx_guest(i, out, n);
    if (!p) return W_FAULT;
    memcpy(p, f->preopen, n);
    return W_SUCCESS;
}

// ---- What is left open

static bool is_left_open(const wx_fd *f) {
    return ((f->kind == FD_HOST && f->owned) || f->kind == FD_EMBED) && !f->preopen;
}

int64_t wasmx_wasi_open_file(const wasmx_wasi *w, uint32_t from, char *path, size_t size) {
    for (uint32_t k = from; k < w->fd_count; k++) {
        const wx_fd *f = &w->fds[k];
        if (!is_left_open(f)) continue;
        char link[64];
        snprintf(link, sizeof link, "/proc/self/fd/%d", f->host);
        ssize_t n = f->kind == FD_HOST && size ? readlink(link, path, size - 1) : 0;
        if (size) path[n > 0 ? n : 0] = 0;
        return k;
    }
    return -1;
}
