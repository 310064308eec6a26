// runtime/wasi/virtual.c: descriptors without one of the host's: streams from memory or callbacks, and the files that
// were embedded in the module's object.
//
// Embedded files are rows sorted by root and path (runtime/abi.h), so a directory is a range of rows with a common
// prefix, and nothing has to be built when a program starts.
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "runtime/wasi/wasi.h"

// ---- Streams

static int64_t move_data(wasmx_stream *s, char *bytes, size_t n, bool reads) {
    size_t left = s->used < s->size ? s->size - s->used : 0;
    if (n > left) n = left;
    if (!n) return reads ? 0 : -W_NOSPC;
    if (reads) memcpy(bytes, s->data + s->used, n);
    else memcpy(s->data + s->used, bytes, n);
    s->used += n;
    return (int64_t)n;
}

static int64_t move_one(wasmx_stream *s, const struct iovec *b, bool reads) {
    if (!s->transfer) return move_data(s, b->iov_base, b->iov_len, reads);
    int64_t n = s->transfer(s->env, b->iov_base, b->iov_len);
    if (n < 0) return -wx_wasi_errno(n < -4095 ? EIO : (int)-n);
    return n <= (int64_t)b->iov_len ? n : -W_IO;
}

// An error is told when nothing was moved before it; then the next call meets it again.
int64_t wx_stream_move(wasmx_stream *s, const struct iovec *buffers, int count, bool reads) {
    int64_t total = 0;
    for (int k = 0; k < count; k++) {
        if (!buffers[k].iov_len) continue;
        if (total + (int64_t)buffers[k].iov_len > INT32_MAX && total) break;
        int64_t n = move_one(s, &buffers[k], reads);
        if (n < 0) return total ? total : n;
        total += n;
        if ((size_t)n < buffers[k].iov_len) break;
    }
    return total;
}

// ---- Embedded files

static const wxrt_file *files(const wasmx_wasi *w) { return w->embedded->files; }

static bool same_root(const wxrt_file *a, const wxrt_file *b) { return !strcmp(a->root, b->root); }

bool wx_embed_preopen(wasmx_wasi *w) {
    uint32_t count = w->embedded ? (uint32_t)w->embedded->file_count : 0, end;
    for (uint32_t first = 0; first < count; first = end) {
        for (end = first + 1; end < count && same_root(&files(w)[first], &files(w)[end]);) end++;
        wx_fd fd = {.kind = FD_EMBED, .type = W_TYPE_DIR, .dir = {first, end, 0}, .inheriting = W_ALL_RIGHTS,
                    .read_only = true, .rights = W_LOOKING_RIGHTS, .preopen = strdup(files(w)[first].root)};
        if (!fd.preopen || wx_fd_add(w, fd) < 0) {
            free(fd.preopen);
            return false;
        }
    }
    return true;
}

// The first row of [first, end) whose path from `prefix` on is not below name (n bytes) followed by `after`.
static uint32_t bound(const wasmx_wasi *w, const wx_embed_dir *d, const char *name, size_t n, unsigned char after) {
    uint32_t low = d->first, high = d->end;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        const char *path = files(w)[mid].path + d->prefix;
        int order = strncmp(path, name, n);
        if (order < 0 || (!order && (unsigned char)path[n] < after)) low = mid + 1;
        else high = mid;
    }
    return low;
}

// What a name in a directory is.
static int32_t enter(const wasmx_wasi *w, const wx_embed_dir *d, const char *name, size_t n, wx_fd *out) {
    uint32_t file = bound(w, d, name, n, 0), first = bound(w, d, name, n, '/');
    uint32_t end = bound(w, d, name, n, '/' + 1);
    if (first < end) {
        *out = (wx_fd){.kind = FD_EMBED, .type = W_TYPE_DIR, .dir = {first, end, d->prefix + (uint32_t)n + 1}};
        return W_SUCCESS;
    }
    const char *path = file < d->end ? files(w)[file].path + d->prefix : "";
    if (strncmp(path, name, n) || path[n] || !*path) return W_NOENT;
    *out = (wx_fd){.kind = FD_EMBED, .type = W_TYPE_FILE, .file = file};
    return W_SUCCESS;
}

// The directory that holds d: down again from top by all but the last component.
static wx_fd parent_of(const wasmx_wasi *w, const wx_fd *top, const wx_fd *f) {
    const char *path = files(w)[f->dir.first].path;
    uint32_t end = f->dir.prefix - 1; // of the last component
    while (end > top->dir.prefix && path[end - 1] != '/') end--;
    wx_fd at = *top;
    while (at.dir.prefix < end) {
        const char *name = path + at.dir.prefix;
        enter(w, &at.dir, name, strcspn(name, "/"), &at);
    }
    return at;
}

int32_t wx_embed_find(const wasmx_wasi *w, const wx_fd *f, const char *path, wx_fd *out) {
    wx_fd top = {.kind = FD_EMBED, .type = W_TYPE_DIR, .dir = f->dir}, at = top;
    if (*path == '/') return W_NOTCAPABLE;
    while (*path) {
        size_t n = strcspn(path, "/");
        if (at.type != W_TYPE_DIR) return W_NOTDIR; // "file/" as well
        if (n == 2 && !memcmp(path, "..", 2)) {
            if (at.dir.prefix == top.dir.prefix) return W_NOTCAPABLE;
            at = parent_of(w, &top, &at);
        } else if (n && !(n == 1 && *path == '.')) {
            int32_t error = enter(w, &at.dir, path, n, &at);
            if (error) return error;
        }
        path += n;
        if (*path && at.type != W_TYPE_DIR) return W_NOTDIR;
        path += strspn(path, "/");
    }
    *out = at;
    return W_SUCCESS;
}

int64_t wx_embed_read(const wasmx_wasi *w, const wx_fd *f, const struct iovec *buffers, int count, uint64_t *at) {
    const wxrt_file *file = &files(w)[f->file];
    int64_t total = 0;
    for (int k = 0; k < count && *at < file->size; k++) {
        uint64_t n = file->size - *at, room = (uint64_t)(INT32_MAX - total);
        if (n > buffers[k].iov_len) n = buffers[k].iov_len;
        if (n > room) n = room;
        memcpy(buffers[k].iov_base, file->bytes + *at, n);
        *at += n;
        total += (int64_t)n;
    }
    return total;
}

int64_t wx_embed_seek(const wasmx_wasi *w, wx_fd *f, int64_t offset, int whence) {
    int64_t from = whence == SEEK_SET ? 0 : (int64_t)(whence == SEEK_END ? files(w)[f->file].size : f->at), to;
    if (__builtin_add_overflow(from, offset, &to)) return -W_OVERFLOW;
    if (to < 0) return -W_INVAL;
    return (int64_t)(f->at = (uint64_t)to);
}

// No two things have the same: a file its row, a directory its first row and its depth.
static uint64_t inode_of(const wx_fd *f) {
    return f->type == W_TYPE_DIR ? (uint64_t)(f->dir.prefix + 1) << 32 | f->dir.first : (uint64_t)f->file + 1;
}

void wx_virtual_stat(const wasmx_wasi *w, const wx_fd *f, struct stat *st) {
    *st = (struct stat){.st_nlink = 1};
    if (f->kind != FD_EMBED) return;
    st->st_ino = inode_of(f);
    st->st_mode = f->type == W_TYPE_DIR ? S_IFDIR : S_IFREG;
    st->st_size = f->type == W_TYPE_DIR ? 0 : (off_t)files(w)[f->file].size;
}

uint64_t wx_virtual_ready(const wasmx_wasi *w, const wx_fd *f) {
    if (f->kind == FD_STREAM) return f->stream->transfer ? 1 : f->stream->size - f->stream->used;
    if (f->type == W_TYPE_DIR) return 0;
    uint64_t size = files(w)[f->file].size;
    return f->at < size ? size - f->at : 0;
}

// A cookie is 1 and 2 after the two dots, then the row after the entry's last one, and 2 more.
uint32_t wx_embed_readdir(const wasmx_wasi *w, const wx_fd *f, char *out, uint32_t room, uint64_t cookie) {
    static const char *const dots[] = {".", ".."};
    uint32_t used = 0;
    for (; cookie < 2 && used < room; cookie++) {
        wx_entry_of_dir e = {cookie + 1, cookie ? 0 : inode_of(f), dots[cookie], (uint32_t)cookie + 1, W_TYPE_DIR};
        used += wx_put_entry(out + used, room - used, &e);
    }
    if (cookie < f->dir.first + (uint64_t)2) cookie = f->dir.first + (uint64_t)2;
    while (used < room && cookie - 2 < f->dir.end) {
        wx_fd found;
        uint32_t row = (uint32_t)(cookie - 2);
        const char *name = files(w)[row].path + f->dir.prefix;
        uint32_t n = (uint32_t)strcspn(name, "/");
        enter(w, &f->dir, name, n, &found);
        cookie = 2 + (uint64_t)(found.type == W_TYPE_DIR ? found.dir.end : row + 1);
        wx_entry_of_dir e = {cookie, inode_of(&found), name, n, found.type};
        used += wx_put_entry(out + used, room - used, &e);
    }
    return used;
}
