// runtime/wasi/fd.c: the fd_* functions that act on what a descriptor stands for.
//
// Buffers are given to the system as they lie in guest memory, after the guest's list of them was copied once and
// checked. Where a result goes is checked first: no bytes are lost to a bad pointer.
#include <dirent.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/wasi/wasi.h"

// ---- Reading and writing

// A write to a socket whose other end is gone must not raise SIGPIPE in the host.
static ssize_t send_buffers(int host, struct iovec *buffers, int count) {
    struct msghdr m = {.msg_iov = buffers, .msg_iovlen = (size_t)count};
    return sendmsg(host, &m, MSG_NOSIGNAL);
}

static ssize_t host_write(const wx_fd *f, struct iovec *buffers, int count) {
    if (f->type == W_TYPE_STREAM || f->type == W_TYPE_DGRAM) return send_buffers(f->host, buffers, count);
    if (count == 1) return write(f->host, buffers->iov_base, buffers->iov_len); // cheaper than writev
    return writev(f->host, buffers, count);
}

static ssize_t host_read(const wx_fd *f, struct iovec *buffers, int count) {
    return count == 1 ? read(f->host, buffers->iov_base, buffers->iov_len) : readv(f->host, buffers, count);
}

// The number moved, or a WASI error negated.
static int64_t move_virtual(wasmx_instance *i, wx_fd *f, struct iovec *buffers, int count, bool reads) {
    wx_fd_hold(f);
    int64_t n = f->kind == FD_STREAM ? wx_stream_move(f->stream, buffers, count, reads)
                                     : wx_embed_read(i->wasi, f, buffers, count, &f->at);
    wx_fd_let_go(f);
    return n;
}

static int64_t read_some(wasmx_instance *i, wx_fd *f, struct iovec *buffers, int count) {
    if (f->kind != FD_HOST) return move_virtual(i, f, buffers, count, true);
    ssize_t n = host_read(f, buffers, count);
    return n < 0 ? -wx_wasi_errno(errno) : n;
}

static int64_t write_some(wasmx_instance *i, wx_fd *f, struct iovec *buffers, int count) {
    if (f->kind != FD_HOST) return move_virtual(i, f, buffers, count, false);
    ssize_t n = host_write(f, buffers, count);
    return n < 0 ? -wx_wasi_errno(errno) : n;
}

static int32_t finish_transfer(wasmx_instance *i, int64_t n, int32_t out) {
    return n < 0 ? (int32_t)-n : wx_guest_put32(i, out, (uint32_t)n);
}

// Declares `buffers` of the guest's list, or returns the error.
#define GET_BUFFERS(buffers, list, count, out)                         \
    struct iovec buffers[W_BUFFERS];                                   \
    if (!wx_guest(i, out, 4)) return W_FAULT;                          \
    int32_t buffers##_error = wx_guest_buffers(i, list, &count, buffers); \
    if (buffers##_error) return buffers##_error

int32_t wx_wasi_fd_read(wasmx_instance *i, int32_t fd, int32_t list, int32_t count, int32_t out) {
    GET_FD(f, fd, W_RIGHT(R_FD_READ));
    GET_BUFFERS(buffers, list, count, out);
    return finish_transfer(i, read_some(i, f, buffers, count), out);
}

int32_t wx_wasi_fd_write(wasmx_instance *i, int32_t fd, int32_t list, int32_t count, int32_t out) {
    GET_FD(f, fd, W_RIGHT(R_FD_WRITE));
    GET_BUFFERS(buffers, list, count, out);
    return finish_transfer(i, write_some(i, f, buffers, count), out);
}

static int64_t read_at(wasmx_instance *i, wx_fd *f, const struct iovec *buffers, int count, int64_t at) {
    uint64_t place = (uint64_t)at;
    if (f->kind == FD_EMBED) return at < 0 ? -W_INVAL : wx_embed_read(i->wasi, f, buffers, count, &place);
    ssize_t n = preadv(f->host, buffers, count, at);
    return n < 0 ? -wx_wasi_errno(errno) : n;
}

int32_t wx_wasi_fd_pread(wasmx_instance *i, int32_t fd, int32_t list, int32_t count, int64_t at, int32_t out) {
    GET_FD(f, fd, W_RIGHT(R_FD_READ) | W_RIGHT(R_FD_SEEK));
    GET_BUFFERS(buffers, list, count, out);
    return finish_transfer(i, read_at(i, f, buffers, count, at), out);
}

int32_t wx_wasi_fd_pwrite(wasmx_instance *i, int32_t fd, int32_t list, int32_t count, int64_t at, int32_t out) {
    GET_FD(f, fd, W_RIGHT(R_FD_WRITE) | W_RIGHT(R_FD_SEEK));
    GET_BUFFERS(buffers, list, count, out);
    ssize_t n = pwritev(f->host, buffers, count, at);
    return finish_transfer(i, n < 0 ? -wx_wasi_errno(errno) : n, out);
}

static int32_t seek(wasmx_instance *i, int32_t fd, uint64_t rights, int64_t offset, int whence, int32_t out) {
    GET_FD(f, fd, rights);
    if (!wx_guest(i, out, 8)) return W_FAULT;
    wx_fd_hold(f);
    int64_t at = f->kind == FD_EMBED ? wx_embed_seek(i->wasi, f, offset, whence) : lseek(f->host, offset, whence);
    wx_fd_let_go(f);
    if (at < 0) return f->kind == FD_EMBED ? (int32_t)-at : wx_wasi_errno(errno);
    return wx_guest_put64(i, out, (uint64_t)at);
}

static int32_t seek_by(wasmx_instance *i, const int whences[3], int32_t fd, int64_t offset, int32_t whence,
                       int32_t out) {
    GET_FD(f, fd, 0);
    (void)f;
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
    if (f->kind != FD_HOST) return W_SUCCESS;
    int code = posix_fadvise(f->host, at, length, advices[advice]);
    return code ? wx_wasi_errno(code) : W_SUCCESS;
}

int32_t wx_wasi_fd_allocate(wasmx_instance *i, int32_t fd, int64_t at, int64_t length) {
    GET_FD(f, fd, W_RIGHT(R_FD_ALLOCATE));
    int code = posix_fallocate(f->host, at, length);
    return code ? wx_wasi_errno(code) : W_SUCCESS;
}

// ---- What a descriptor is

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
    int flags = f->kind == FD_HOST ? fcntl(f->host, F_GETFL) : 0;
    if (flags < 0) return wx_wasi_errno(errno);
    char *p = wx_guest(i, out, 24);
    if (!p) return W_FAULT;
    uint16_t bits = guest_flags(flags);
    uint64_t inheriting = wx_fd_passes(f);
    memset(p, 0, 24);
    p[0] = (char)f->type;
    memcpy(p + 2, &bits, 2);
    memcpy(p + 8, &f->rights, 8);
    memcpy(p + 16, &inheriting, 8);
    return W_SUCCESS;
}

// The system would take a change of the synchronous ones for done, and not do it.
int32_t wx_wasi_fd_fdstat_set_flags(wasmx_instance *i, int32_t fd, int32_t fdflags) {
    GET_FD(f, fd, W_RIGHT(R_FDSTAT_SET_FLAGS));
    if (fdflags & ~31) return W_INVAL;
    int now = fcntl(f->host, F_GETFL), flags = wx_host_flags(fdflags);
    if (now < 0) return wx_wasi_errno(errno);
    if ((now ^ flags) & (O_SYNC | O_DSYNC)) return W_INVAL;
    return wx_wasi_result(fcntl(f->host, F_SETFL, flags));
}

static uint64_t nanoseconds(struct timespec t) { return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec; }

// Preview 0 has a link count of 32 bits, and so everything after it lies elsewhere.
int32_t wx_put_filestat(wasmx_instance *i, int32_t address, const struct stat *st, bool unstable) {
    wasmx_file_facts known = {st->st_dev, st->st_ino, nanoseconds(st->st_atim), nanoseconds(st->st_mtim),
                              nanoseconds(st->st_ctim)};
    const wasmx_sources *s = &i->wasi->sources;
    if (s->file) s->file(s->env, &known);
    uint64_t size = unstable ? 56 : 64;
    uint64_t fields[] = {(uint64_t)st->st_size, known.accessed, known.modified, known.changed};
    uint64_t head[] = {known.device, known.inode, wx_file_type(st->st_mode), st->st_nlink};
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
    if (f->kind != FD_HOST) wx_virtual_stat(i->wasi, f, &st);
    else if (fstat(f->host, &st)) return wx_wasi_errno(errno);
    return wx_put_filestat(i, out, &st, unstable);
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

uint32_t wx_put_entry(char *out, uint32_t room, const wx_entry_of_dir *e) {
    char head[24] = {0};
    memcpy(head, &e->next, 8);
    memcpy(head + 8, &e->inode, 8);
    memcpy(head + 16, &e->size, 4);
    head[20] = (char)e->type;
    uint32_t n = room < sizeof head ? room : (uint32_t)sizeof head, left = room - n;
    memcpy(out, head, n);
    if (left > e->size) left = e->size;
    memcpy(out + n, e->name, left);
    return n + left;
}

// ".." of a preopened directory lies outside: its number is nobody's business.
static uint32_t put_host_entry(char *out, uint32_t room, const struct dirent64 *e) {
    bool up = !strcmp(e->d_name, "..");
    wx_entry_of_dir entry = {.next = (uint64_t)e->d_off, .inode = up ? 0 : e->d_ino, .name = e->d_name,
                             .size = (uint32_t)strlen(e->d_name), .type = wx_file_type(DTTOIF(e->d_type))};
    return wx_put_entry(out, room, &entry);
}

// Cookies are the system's own offsets, so nothing has to be kept between calls, and names that come and go meanwhile
// do not move the others.
static int64_t read_host_dir(int host, char *out, uint32_t room, int64_t cookie) {
    char entries[4096] __attribute__((aligned(8)));
    uint32_t used = 0;
    if (lseek(host, cookie, SEEK_SET) < 0) return -wx_wasi_errno(errno);
    while (used < room) {
        ssize_t n = getdents64(host, entries, sizeof entries);
        if (n < 0) return -wx_wasi_errno(errno);
        if (!n) break;
        for (ssize_t at = 0; at < n && used < room; at += ((struct dirent64 *)(entries + at))->d_reclen) {
            const struct dirent64 *e = (struct dirent64 *)(entries + at);
            if (!wx_is_utf8(e->d_name, strlen(e->d_name))) return -W_ILSEQ;
            used += put_host_entry(out + used, room - used, e);
        }
    }
    return used;
}

int32_t wx_wasi_fd_readdir(wasmx_instance *i, int32_t fd, int32_t out, int32_t size, int64_t cookie, int32_t used_out) {
    GET_FD(f, fd, W_RIGHT(R_FD_READDIR));
    char *p = wx_guest(i, out, (uint32_t)size);
    if (!p || !wx_guest(i, used_out, 4)) return W_FAULT;
    wx_fd_hold(f);
    int64_t used = f->kind == FD_EMBED ? wx_embed_readdir(i->wasi, f, p, (uint32_t)size, (uint64_t)cookie)
                                       : read_host_dir(f->host, p, (uint32_t)size, cookie);
    wx_fd_let_go(f);
    return finish_transfer(i, used, used_out);
}
