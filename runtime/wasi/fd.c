// runtime/wasi/fd.c: the fd_* functions and the descriptor table.
//
// A guest's descriptor is an index in a table; the host's own never reach it. Buffers are given to the system as they
// lie in guest memory, after the guest's list of them was copied once and checked.
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include "runtime/wasi/wasi.h"

#define MAX_FDS 4096u
#define STREAMS 3u       // no file gets the number of a closed standard stream: libraries take it for one
#define MAX_BUFFERS 256u // a call with more of them transfers the first ones: short reads and writes are allowed

// ---- The table

wx_fd *wx_fd_get(wasmx_instance *i, int32_t fd, uint64_t rights, int32_t *error) {
    wasmx_wasi *w = i->wasi;
    wx_fd *f = (uint32_t)fd < w->fd_count ? &w->fds[(uint32_t)fd] : NULL;
    *error = W_BADF;
    if (!f || f->host < 0) return NULL;
    *error = W_NOTCAPABLE;
    return (f->rights & rights) == rights ? f : NULL;
}

static bool add_places(wasmx_wasi *w) {
    uint32_t count = w->fd_count * 2 > 32 ? w->fd_count * 2 : 32;
    wx_fd *more = count <= MAX_FDS ? realloc(w->fds, count * sizeof *more) : NULL;
    if (!more) return false;
    for (uint32_t k = w->fd_count; k < count; k++) more[k] = (wx_fd){.host = -1};
    w->fds = more;
    w->fd_count = count;
    return true;
}

int64_t wx_fd_add(wasmx_wasi *w, wx_fd entry) {
    uint32_t k = STREAMS;
    while (k < w->fd_count && w->fds[k].host >= 0) k++;
    if (k == w->fd_count && !add_places(w)) return -1;
    w->fds[k] = entry;
    return k;
}

void wx_fd_end(wx_fd *f) {
    if (f->host >= 0 && f->owned) close(f->host);
    free(f->preopen);
    *f = (wx_fd){.host = -1};
}

// Declares `f`, or returns the error.
#define GET_FD(f, fd, rights)                   \
    int32_t f##_error;                          \
    wx_fd *f = wx_fd_get(i, fd, rights, &f##_error); \
    if (!f) return f##_error

int32_t wx_wasi_fd_close(wasmx_instance *i, int32_t fd) {
    GET_FD(f, fd, 0);
    wx_fd_end(f);
    return W_SUCCESS;
}

int32_t wx_wasi_fd_renumber(wasmx_instance *i, int32_t from, int32_t to) {
    GET_FD(a, from, 0);
    GET_FD(b, to, 0);
    if (a == b) return W_SUCCESS;
    wx_fd_end(b);
    *b = *a;
    *a = (wx_fd){.host = -1};
    return W_SUCCESS;
}

// ---- Reading and writing

// The guest's list of buffers: pairs of address and length. *count is cut to what `out` holds.
static int32_t read_buffers(wasmx_instance *i, int32_t address, int32_t *count, struct iovec *out) {
    uint32_t n = (uint32_t)*count, pair[2];
    const char *list = wx_guest(i, address, (uint64_t)n * sizeof pair);
    if (!list) return W_FAULT;
    if (n > MAX_BUFFERS) n = MAX_BUFFERS;
    for (uint32_t k = 0; k < n; k++) {
        memcpy(pair, list + k * sizeof pair, sizeof pair);
        out[k] = (struct iovec){wx_guest(i, (int32_t)pair[0], pair[1]), pair[1]};
        if (!out[k].iov_base) return W_FAULT;
    }
    *count = (int32_t)n;
    return W_SUCCESS;
}

static int32_t finish_transfer(wasmx_instance *i, ssize_t n, int32_t out) {
    return n < 0 ? wx_wasi_errno(errno) : wx_guest_put32(i, out, (uint32_t)n);
}

int32_t wx_wasi_fd_read(wasmx_instance *i, int32_t fd, int32_t list, int32_t count, int32_t out) {
    struct iovec buffers[MAX_BUFFERS];
    GET_FD(f, fd, W_RIGHT(R_FD_READ));
    int32_t error = read_buffers(i, list, &count, buffers);
    return error ? error : finish_transfer(i, readv(f->host, buffers, count), out);
}

int32_t wx_wasi_fd_write(wasmx_instance *i, int32_t fd, int32_t list, int32_t count, int32_t out) {
    struct iovec buffers[MAX_BUFFERS];
    GET_FD(f, fd, W_RIGHT(R_FD_WRITE));
    int32_t error = read_buffers(i, list, &count, buffers);
    return error ? error : finish_transfer(i, writev(f->host, buffers, count), out);
}

int32_t wx_wasi_fd_pread(wasmx_instance *i, int32_t fd, int32_t list, int32_t count, int64_t at, int32_t out) {
    struct iovec buffers[MAX_BUFFERS];
    GET_FD(f, fd, W_RIGHT(R_FD_READ) | W_RIGHT(R_FD_SEEK));
    int32_t error = read_buffers(i, list, &count, buffers);
    return error ? error : finish_transfer(i, preadv(f->host, buffers, count, at), out);
}

int32_t wx_wasi_fd_pwrite(wasmx_instance *i, int32_t fd, int32_t list, int32_t count, int64_t at, int32_t out) {
    struct iovec buffers[MAX_BUFFERS];
    GET_FD(f, fd, W_RIGHT(R_FD_WRITE) | W_RIGHT(R_FD_SEEK));
    int32_t error = read_buffers(i, list, &count, buffers);
    return error ? error : finish_transfer(i, pwritev(f->host, buffers, count, at), out);
}

static int32_t seek(wasmx_instance *i, int32_t fd, uint64_t rights, int64_t offset, int whence, int32_t out) {
    GET_FD(f, fd, rights);
    off_t at = f->type == W_TYPE_DIR ? (off_t)-1 : lseek(f->host, offset, whence);
    if (f->type == W_TYPE_DIR) return W_BADF;
    return at < 0 ? wx_wasi_errno(errno) : wx_guest_put64(i, out, (uint64_t)at);
}

static int32_t seek_by(wasmx_instance *i, const int whences[3], int32_t fd, int64_t offset, int32_t whence,
                       int32_t out) {
    if ((uint32_t)whence > 2) return W_INVAL;
    bool tells = !offset && whences[whence] == SEEK_CUR;
    return seek(i, fd, W_RIGHT(tells ? R_FD_TELL : R_FD_SEEK), offset, whences[whence], out);
}

int32_t wx_wasi_fd_seek(wasmx_instance *i, int32_t fd, int64_t offset, int32_t whence, int32_t out) {
    return seek_by(i, (const int[]){SEEK_SET, SEEK_CUR, SEEK_END}, fd, offset, whence, out);
}

int32_t wx_wasi0_fd_seek(wasmx_instance *i, int32_t fd, int64_t offset, int32_t whence, int32_t out) {
    return seek_by(i, (const int[]){SEEK_CUR, SEEK_END, SEEK_SET}, fd, offset, whence, out);
}

int32_t wx_wasi_fd_tell(wasmx_instance *i, int32_t fd, int32_t out) {
    return seek(i, fd, W_RIGHT(R_FD_TELL), 0, SEEK_CUR, out);
}

int32_t wx_wasi_fd_sync(wasmx_instance *i, int32_t fd) {
    GET_FD(f, fd, W_RIGHT(R_FD_SYNC));
    return wx_wasi_result(fsync(f->host));
}

int32_t wx_wasi_fd_datasync(wasmx_instance *i, int32_t fd) {
    GET_FD(f, fd, W_RIGHT(R_FD_DATASYNC));
    return wx_wasi_result(fdatasync(f->host));
}

int32_t wx_wasi_fd_advise(wasmx_instance *i, int32_t fd, int64_t at, int64_t length, int32_t advice) {
    static const int advices[] = {POSIX_FADV_NORMAL, POSIX_FADV_SEQUENTIAL, POSIX_FADV_RANDOM, POSIX_FADV_WILLNEED,
                                  POSIX_FADV_DONTNEED, POSIX_FADV_NOREUSE};
    GET_FD(f, fd, W_RIGHT(R_FD_ADVISE));
    if ((uint32_t)advice >= WX_COUNT(advices) || at < 0 || length < 0) return W_INVAL;
    if (f->type == W_TYPE_DIR) return W_BADF;
    int code = posix_fadvise(f->host, at, length, advices[advice]);
    return code ? wx_wasi_errno(code) : W_SUCCESS;
}

int32_t wx_wasi_fd_allocate(wasmx_instance *i, int32_t fd, int64_t at, int64_t length) {
    GET_FD(f, fd, W_RIGHT(R_FD_ALLOCATE));
    int code = posix_fallocate(f->host, at, length);
    return code ? wx_wasi_errno(code) : W_SUCCESS;
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

static const int flag_bits[] = {O_APPEND, O_DSYNC, O_NONBLOCK, O_RSYNC, O_SYNC}; // by bit of WASI's fdflags

int wx_host_flags(int32_t fdflags) {
    int flags = 0;
    for (size_t k = 0; k < WX_COUNT(flag_bits); k++)
        if (fdflags >> k & 1) flags |= flag_bits[k];
    return flags;
}

static uint16_t guest_flags(int flags) {
    uint16_t out = 0;
    for (size_t k = 0; k < WX_COUNT(flag_bits); k++)
        if ((flags & flag_bits[k]) == flag_bits[k]) out |= (uint16_t)(1u << k);
    return out;
}

int32_t wx_wasi_fd_fdstat_get(wasmx_instance *i, int32_t fd, int32_t out) {
    GET_FD(f, fd, 0);
    int flags = fcntl(f->host, F_GETFL);
    if (flags < 0) return wx_wasi_errno(errno);
    char *p = wx_guest(i, out, 24);
    if (!p) return W_FAULT;
    uint16_t bits = guest_flags(flags);
    memset(p, 0, 24);
    p[0] = (char)f->type;
    memcpy(p + 2, &bits, 2);
    memcpy(p + 8, &f->rights, 8);
    memcpy(p + 16, &f->inheriting, 8);
    return W_SUCCESS;
}

int32_t wx_wasi_fd_fdstat_set_flags(wasmx_instance *i, int32_t fd, int32_t fdflags) {
    GET_FD(f, fd, W_RIGHT(R_FDSTAT_SET_FLAGS));
    if (fdflags & ~31) return W_INVAL;
    return wx_wasi_result(fcntl(f->host, F_SETFL, wx_host_flags(fdflags)));
}

int32_t wx_wasi_fd_fdstat_set_rights(wasmx_instance *i, int32_t fd, int64_t rights, int64_t inheriting) {
    GET_FD(f, fd, 0);
    if (((uint64_t)rights & ~f->rights) || ((uint64_t)inheriting & ~f->inheriting)) return W_NOTCAPABLE;
    f->rights = (uint64_t)rights;
    f->inheriting = (uint64_t)inheriting;
    return W_SUCCESS;
}

static uint64_t nanoseconds(struct timespec t) { return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec; }

// Preview 0 has a link count of 32 bits, and so everything after it lies elsewhere.
int32_t wx_put_filestat(wasmx_instance *i, int32_t address, const struct stat *st, bool unstable) {
    uint64_t size = unstable ? 56 : 64, fields[] = {(uint64_t)st->st_size, nanoseconds(st->st_atim),
                                                   nanoseconds(st->st_mtim), nanoseconds(st->st_ctim)};
    uint64_t head[] = {st->st_dev, st->st_ino, wx_file_type(st->st_mode), st->st_nlink};
    uint32_t nlink = (uint32_t)st->st_nlink;
    char *p = wx_guest(i, address, size);
    if (!p) return W_FAULT;
    memcpy(p, head, unstable ? 24 : 32);
    if (unstable) memcpy(p + 20, &nlink, 4);
    memcpy(p + size - sizeof fields, fields, sizeof fields);
    return W_SUCCESS;
}

static int32_t filestat(wasmx_instance *i, int32_t fd, int32_t out, bool unstable) {
    struct stat st;
    GET_FD(f, fd, W_RIGHT(R_FD_FILESTAT_GET));
    return fstat(f->host, &st) ? wx_wasi_errno(errno) : wx_put_filestat(i, out, &st, unstable);
}

int32_t wx_wasi_fd_filestat_get(wasmx_instance *i, int32_t fd, int32_t out) { return filestat(i, fd, out, false); }
int32_t wx_wasi0_fd_filestat_get(wasmx_instance *i, int32_t fd, int32_t out) { return filestat(i, fd, out, true); }

int32_t wx_wasi_fd_filestat_set_size(wasmx_instance *i, int32_t fd, int64_t size) {
    GET_FD(f, fd, W_RIGHT(R_FD_FILESTAT_SET_SIZE));
    return wx_wasi_result(ftruncate(f->host, size));
}

static bool one_time(struct timespec *out, int64_t time, bool given, bool now) {
    if (given && now) return false;
    *out = (struct timespec){.tv_nsec = now ? UTIME_NOW : UTIME_OMIT};
    if (given) *out = (struct timespec){(uint64_t)time / 1000000000u, (long)((uint64_t)time % 1000000000u)};
    return true;
}

bool wx_file_times(struct timespec out[2], int64_t atim, int64_t mtim, int32_t flags) {
    return !(flags & ~15) && one_time(&out[0], atim, flags & 1, flags & 2) &&
           one_time(&out[1], mtim, flags & 4, flags & 8);
}

int32_t wx_wasi_fd_filestat_set_times(wasmx_instance *i, int32_t fd, int64_t atim, int64_t mtim, int32_t flags) {
    struct timespec times[2];
    GET_FD(f, fd, W_RIGHT(R_FD_FILESTAT_SET_TIMES));
    return wx_file_times(times, atim, mtim, flags) ? wx_wasi_result(futimens(f->host, times)) : W_INVAL;
}

// ---- Directories

int32_t wx_wasi_fd_prestat_get(wasmx_instance *i, int32_t fd, int32_t out) {
    GET_FD(f, fd, 0);
    if (!f->preopen) return W_BADF;
    int32_t error = wx_guest_put32(i, out, 0); // the tag of a directory
    return error ? error : wx_guest_put32(i, (int32_t)((uint32_t)out + 4), (uint32_t)strlen(f->preopen));
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

// One entry as far as it fits; a full buffer tells the guest that there is more.
static uint32_t put_entry(char *out, uint32_t room, const struct dirent64 *e) {
    uint32_t name = (uint32_t)strlen(e->d_name), n = 24 + name;
    char record[24 + sizeof e->d_name] = {0};
    uint64_t head[] = {(uint64_t)e->d_off, e->d_ino};
    memcpy(record, head, 16);
    memcpy(record + 16, &name, 4);
    record[20] = (char)wx_file_type(DTTOIF(e->d_type));
    memcpy(record + 24, e->d_name, name);
    if (n > room) n = room;
    memcpy(out, record, n);
    return n;
}

// Cookies are the system's own offsets, so nothing has to be kept between calls.
int32_t wx_wasi_fd_readdir(wasmx_instance *i, int32_t fd, int32_t out, int32_t size, int64_t cookie, int32_t used_out) {
    char entries[4096] __attribute__((aligned(8)));
    GET_FD(f, fd, W_RIGHT(R_FD_READDIR));
    uint32_t room = (uint32_t)size, used = 0;
    char *p = wx_guest(i, out, room);
    if (!p) return W_FAULT;
    if (lseek(f->host, cookie, SEEK_SET) < 0) return wx_wasi_errno(errno);
    while (used < room) {
        ssize_t n = getdents64(f->host, entries, sizeof entries);
        if (n < 0) return wx_wasi_errno(errno);
        if (!n) break;
        for (ssize_t at = 0; at < n && used < room; at += ((struct dirent64 *)(entries + at))->d_reclen)
            used += put_entry(p + used, room - used, (struct dirent64 *)(entries + at));
    }
    return wx_guest_put32(i, used_out, used);
}
