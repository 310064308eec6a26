// base/buf.c: the growing buffer, and files as whole buffers.
#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/error.h"

void wx_buf_free(wx_buf *b) {
    free(b->data);
    *b = (wx_buf){0};
}

static uint8_t *reserve(wx_buf *b, size_t more) {
    if (b->cap - b->len < more) {
        size_t cap = b->cap * 2 > b->len + more ? b->cap * 2 : b->len + more;
        if (cap < 64) cap = 64;
        b->data = wx_xrealloc(b->data, cap);
        b->cap = cap;
    }
    return b->data + b->len;
}

void wx_buf_reserve(wx_buf *b, size_t more) {
    if (b->cap - b->len >= more) return;
    b->data = wx_xrealloc(b->data, b->len + more);
    b->cap = b->len + more;
}

void wx_buf_add(wx_buf *b, const void *data, size_t len) {
    if (!len) return;
    memcpy(reserve(b, len), data, len);
    b->len += len;
}

void wx_buf_byte(wx_buf *b, uint8_t byte) { wx_buf_add(b, &byte, 1); }

void wx_buf_str(wx_buf *b, const char *s) { wx_buf_add(b, s, strlen(s)); }

void wx_buf_printf(wx_buf *b, const char *fmt, ...) {
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    size_t len = (size_t)vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    vsnprintf((char *)reserve(b, len + 1), len + 1, fmt, again);
    va_end(again);
    b->len += len;
}

void wx_buf_u32le(wx_buf *b, uint32_t v) {
    for (int i = 0; i < 4; i++) wx_buf_byte(b, (uint8_t)(v >> 8 * i));
}

void wx_buf_u64le(wx_buf *b, uint64_t v) {
    for (int i = 0; i < 8; i++) wx_buf_byte(b, (uint8_t)(v >> 8 * i));
}

void wx_buf_uleb(wx_buf *b, uint64_t v) {
    do {
        uint8_t low = v & 0x7f;
        v >>= 7;
        wx_buf_byte(b, v ? low | 0x80 : low);
    } while (v);
}

void wx_buf_sleb(wx_buf *b, int64_t v) {
    for (;;) {
        uint8_t low = v & 0x7f;
        v >>= 7;
        bool last = (v == 0 && !(low & 0x40)) || (v == -1 && (low & 0x40));
        wx_buf_byte(b, last ? low : low | 0x80);
        if (last) return;
    }
}

void wx_buf_json(wx_buf *b, const char *s, size_t len) {
    wx_buf_byte(b, '"');
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c == '"' || c == '\\') wx_buf_printf(b, "\\%c", c);
        else if (c < 0x20) wx_buf_printf(b, "\\u%04x", c);
        else wx_buf_byte(b, c);
    }
    wx_buf_byte(b, '"');
}

// What a regular file still holds, as far as one may believe it.
static size_t expected_rest(int fd) {
    struct stat st;
    off_t at = lseek(fd, 0, SEEK_CUR);
    if (at < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size <= at) return 0;
    return st.st_size - at < (1 << 30) ? (size_t)(st.st_size - at) : 1 << 30;
}

bool wx_fd_read(wx_buf *b, int fd) {
    wx_buf_reserve(b, expected_rest(fd) + (1 << 16));
    for (;;) {
        ssize_t n = read(fd, reserve(b, 1 << 16), 1 << 16);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return n == 0;
        b->len += (size_t)n;
    }
}

bool wx_file_read(wx_buf *b, const char *path, wx_error *e) {
    b->len = 0;
    bool standard = strcmp(path, "-") == 0;
    int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return wx_fail(e, WX_ERR_IO, "cannot open: %s", strerror(errno));
    bool ok = wx_fd_read(b, fd);
    if (!ok) wx_fail(e, WX_ERR_IO, "cannot read: %s", strerror(errno));
    if (!standard) close(fd);
    return ok;
}

bool wx_fd_write(int fd, const void *data, size_t len) {
    const char *at = data;
    while (len) {
        ssize_t n = write(fd, at, len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

bool wx_path_is_special(const char *path) {
    struct stat st;
    return strcmp(path, "-") == 0 || (stat(path, &st) == 0 && !S_ISREG(st.st_mode));
}

static bool write_special(const char *path, const void *data, size_t len, wx_error *e) {
    bool standard = strcmp(path, "-") == 0;
    int fd = standard ? STDOUT_FILENO : open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return wx_fail(e, WX_ERR_IO, "cannot open: %s", strerror(errno));
    bool ok = wx_fd_write(fd, data, len) || wx_fail(e, WX_ERR_IO, "cannot write: %s", strerror(errno));
    if (!standard) close(fd);
    return ok;
}

bool wx_file_write(const char *path, const void *data, size_t len, wx_error *e) {
    if (wx_path_is_special(path)) return write_special(path, data, len, e);
    wx_arena scratch = {0};
    char *temp = wx_arena_printf(&scratch, "%s.XXXXXX", path);
    int fd = mkostemp(temp, O_CLOEXEC);
    bool ok = fd >= 0 && wx_fd_write(fd, data, len);
    mode_t mask = umask(0);
    umask(mask);
    ok = ok && fchmod(fd, 0666 & ~mask) == 0;
    int saved = errno;
    if (fd >= 0 && close(fd) != 0 && ok) ok = false, saved = errno;
    if (ok && rename(temp, path) != 0) ok = false, saved = errno;
    if (!ok && fd >= 0) unlink(temp);
    wx_arena_free(&scratch);
    return ok || wx_fail(e, WX_ERR_IO, "cannot write: %s", strerror(saved));
}
