// runtime/wasi/sock.c: sockets: preview 1 cannot make one; the host gives listeners and connections.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/wasi/wasi.h"

enum { RECV_PEEK = 1, RECV_WAITALL = 2, RECV_TRUNCATED = 1, SHUT_RECV = 1, SHUT_SEND = 2, FLAG_NONBLOCK = 4 };

static bool is_socket(const wx_fd *f) { return f->type == W_TYPE_STREAM || f->type == W_TYPE_DGRAM; }

// A socket with a right; on anything else NOTSOCK, whatever its rights.
static wx_fd *get_socket(wasmx_instance *i, int32_t fd, int right, int32_t *error) {
    wx_fd *f = wx_fd_get(i, fd, 0, error);
    if (!f) return NULL;
    *error = is_socket(f) ? wx_fd_lacks(f, W_RIGHT(right)) : W_NOTSOCK;
    if (!*error) return f;
    wx_fd_done(&f);
    return NULL;
}

// Declares `f` until the end of the block, or returns the error.
#define GET_SOCKET(f, fd, right)                                                               \
    int32_t f##_error;                                                                         \
    __attribute__((cleanup(wx_fd_done))) wx_fd *f = get_socket(i, fd, right, &f##_error);      \
    if (!f) return wx_stop_here(), f##_error

int32_t wx_wasi_sock_accept(wasmx_instance *i, int32_t fd, int32_t fdflags, int32_t out) {
    wx_fd entry;
    GET_SOCKET(f, fd, R_SOCK_ACCEPT);
    if (fdflags & ~FLAG_NONBLOCK) return W_INVAL;
    if (!wx_guest(i, out, 4)) return W_FAULT;
    int host = accept4(f->host, NULL, NULL, SOCK_CLOEXEC | (fdflags ? SOCK_NONBLOCK : 0));
    if (host < 0) return wx_wasi_errno(errno);
    wx_fd_of_host(&entry, host);
    entry.owned = true;
    entry.rights = f->inheriting & wx_type_rights(entry.type);
    int64_t number = wx_fd_add(i->wasi, entry);
    if (number >= 0) return wx_guest_put32(i, out, (uint32_t)number);
    wx_fd_end(&entry);
    return W_MFILE;
}

int32_t wx_wasi_sock_recv(wasmx_instance *i, int32_t fd, int32_t list, int32_t count, int32_t flags, int32_t size,
                          int32_t out_flags) {
    struct iovec buffers[W_BUFFERS];
    GET_SOCKET(f, fd, R_FD_READ);
    if (flags & ~(RECV_PEEK | RECV_WAITALL)) return W_INVAL;
    void *result = wx_guest(i, out_flags, 2);
    if (!result || !wx_guest(i, size, 4)) return W_FAULT;
    int32_t error = wx_guest_buffers(i, list, &count, buffers);
    if (error) return error;
    struct msghdr m = {.msg_iov = buffers, .msg_iovlen = (size_t)count};
    ssize_t n = recvmsg(f->host, &m, (flags & RECV_PEEK ? MSG_PEEK : 0) | (flags & RECV_WAITALL ? MSG_WAITALL : 0));
    if (n < 0) return wx_wasi_errno(errno);
    uint16_t truncated = m.msg_flags & MSG_TRUNC ? RECV_TRUNCATED : 0;
    memcpy(result, &truncated, sizeof truncated);
    return wx_guest_put32(i, size, (uint32_t)n);
}

int32_t wx_wasi_sock_send(wasmx_instance *i, int32_t fd, int32_t list, int32_t count, int32_t flags, int32_t size) {
    struct iovec buffers[W_BUFFERS];
    GET_SOCKET(f, fd, R_FD_WRITE);
    if (flags) return W_INVAL;
    if (!wx_guest(i, size, 4)) return W_FAULT;
    int32_t error = wx_guest_buffers(i, list, &count, buffers);
    if (error) return error;
    struct msghdr m = {.msg_iov = buffers, .msg_iovlen = (size_t)count};
    ssize_t n = sendmsg(f->host, &m, MSG_NOSIGNAL);
    return n < 0 ? wx_wasi_errno(errno) : wx_guest_put32(i, size, (uint32_t)n);
}

int32_t wx_wasi_sock_shutdown(wasmx_instance *i, int32_t fd, int32_t how) {
    static const int hows[] = {[SHUT_RECV] = SHUT_RD, [SHUT_SEND] = SHUT_WR, [SHUT_RECV | SHUT_SEND] = SHUT_RDWR};
    GET_SOCKET(f, fd, R_SOCK_SHUTDOWN);
    return how > 0 && how <= 3 ? wx_wasi_result(shutdown(f->host, hows[how])) : W_INVAL;
}
