// runtime/wasi/path.c: the path_* functions. Every path goes through sandbox.c; a call that acts on a name gets the
// directory that holds it, resolved, and the last component, which is never followed.
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "runtime/wasi/wasi.h"

enum { LOOKUP_FOLLOW = 1 };
enum { OPEN_CREATE = 1, OPEN_DIRECTORY = 2, OPEN_EXCLUSIVE = 4, OPEN_TRUNCATE = 8 };

// A path that leads out is not the guest's to use.
static int32_t path_error(void) { return errno == EXDEV ? W_NOTCAPABLE : wx_wasi_errno(errno); }

typedef struct place { // a name in a directory
    wx_fd *dir;
    int parent;
    const char *last;
    char path[W_PATH];
} place;

// Directory and path of a call, checked and copied.
static int32_t get_path(wasmx_instance *i, place *p, int32_t fd, int32_t address, int32_t length, int right) {
    int32_t error;
    p->parent = -1;
    if (!(p->dir = wx_fd_get(i, fd, W_RIGHT(right), &error))) return error;
    if (p->dir->type != W_TYPE_DIR) return W_NOTDIR;
    if ((error = wx_guest_path(i, address, length, p->path))) return error;
    return p->path[0] ? W_SUCCESS : W_NOENT;
}

static int32_t open_parent(place *p) {
    p->parent = wx_beneath_parent(p->dir->host, p->path, &p->last);
    return p->parent < 0 ? path_error() : W_SUCCESS;
}

// The same, and the directory that holds the last component opened.
static int32_t get_place(wasmx_instance *i, place *p, int32_t fd, int32_t address, int32_t length, int right) {
    int32_t error = get_path(i, p, fd, address, length, right);
    return error ? error : open_parent(p);
}

static int32_t end_place(place *p, int result) {
    int32_t error = wx_wasi_result(result);
    close(p->parent);
    return error;
}

// ---- Names

int32_t wx_wasi_path_create_directory(wasmx_instance *i, int32_t fd, int32_t path, int32_t length) {
    place p;
    int32_t error = get_place(i, &p, fd, path, length, R_PATH_CREATE_DIRECTORY);
    return error ? error : end_place(&p, mkdirat(p.parent, p.last, 0777));
}

int32_t wx_wasi_path_remove_directory(wasmx_instance *i, int32_t fd, int32_t path, int32_t length) {
    place p;
    int32_t error = get_place(i, &p, fd, path, length, R_PATH_REMOVE_DIRECTORY);
    return error ? error : end_place(&p, unlinkat(p.parent, p.last, AT_REMOVEDIR));
}

int32_t wx_wasi_path_unlink_file(wasmx_instance *i, int32_t fd, int32_t path, int32_t length) {
    place p;
    struct stat st;
    int32_t error = get_path(i, &p, fd, path, length, R_PATH_UNLINK_FILE);
    bool slashed = !error && p.path[strlen(p.path) - 1] == '/'; // only a directory may be named so
    if (!error) error = open_parent(&p);
    if (error) return error;
    if (slashed && !fstatat(p.parent, p.last, &st, AT_SYMLINK_NOFOLLOW) && !S_ISDIR(st.st_mode)) {
        close(p.parent);
        return W_NOTDIR;
    }
    return end_place(&p, unlinkat(p.parent, p.last, 0));
}

int32_t wx_wasi_path_rename(wasmx_instance *i, int32_t fd, int32_t path, int32_t length, int32_t new_fd,
                            int32_t new_path, int32_t new_length) {
    place from, to;
    int32_t error = get_place(i, &from, fd, path, length, R_PATH_RENAME_SOURCE);
    if (error) return error;
    error = get_place(i, &to, new_fd, new_path, new_length, R_PATH_RENAME_TARGET);
    if (!error) error = end_place(&to, renameat(from.parent, from.last, to.parent, to.last));
    close(from.parent);
    return error;
}

int32_t wx_wasi_path_link(wasmx_instance *i, int32_t fd, int32_t flags, int32_t path, int32_t length, int32_t new_fd,
                          int32_t new_path, int32_t new_length) {
    place from, to;
    if (flags & LOOKUP_FOLLOW) return W_INVAL; // a link to where a link leads cannot be made without a race
    int32_t error = get_place(i, &from, fd, path, length, R_PATH_LINK_SOURCE);
    if (error) return error;
    error = get_place(i, &to, new_fd, new_path, new_length, R_PATH_LINK_TARGET);
    if (!error) error = end_place(&to, linkat(from.parent, from.last, to.parent, to.last, 0));
    close(from.parent);
    return error;
}

// A link may say anything: it is checked when it is followed. Absolute ones never lead anywhere, so they are refused.
int32_t wx_wasi_path_symlink(wasmx_instance *i, int32_t target, int32_t target_length, int32_t fd, int32_t path,
                             int32_t length) {
    char text[W_PATH];
    place p;
    int32_t error = wx_guest_path(i, target, target_length, text);
    if (error) return error;
    if (text[0] == '/') return W_NOTCAPABLE;
    error = get_place(i, &p, fd, path, length, R_PATH_SYMLINK);
    return error ? error : end_place(&p, symlinkat(text, p.parent, p.last));
}

int32_t wx_wasi_path_readlink(wasmx_instance *i, int32_t fd, int32_t path, int32_t length, int32_t out, int32_t size,
                              int32_t used) {
    place p;
    int32_t error = get_place(i, &p, fd, path, length, R_PATH_READLINK);
    if (error) return error;
    char *to = wx_guest(i, out, (uint32_t)size);
    ssize_t n = to ? readlinkat(p.parent, p.last, to, (uint32_t)size) : 0;
    error = end_place(&p, (int)n);
    if (!to) return W_FAULT;
    return error ? error : wx_guest_put32(i, used, (uint32_t)n);
}

// ---- What a path is

static int lookup(const place *p, int32_t flags) {
    return wx_beneath_open(p->dir->host, p->path, O_PATH | (flags & LOOKUP_FOLLOW ? 0 : O_NOFOLLOW), 0);
}

static int32_t filestat(wasmx_instance *i, int32_t fd, int32_t flags, int32_t path, int32_t length, int32_t out,
                        bool unstable) {
    place p;
    struct stat st;
    int32_t error = get_path(i, &p, fd, path, length, R_PATH_FILESTAT_GET);
    if (error) return error;
    int host = lookup(&p, flags);
    if (host < 0) return path_error();
    error = wx_wasi_result(fstat(host, &st));
    close(host);
    return error ? error : wx_put_filestat(i, out, &st, unstable);
}

int32_t wx_wasi_path_filestat_get(wasmx_instance *i, int32_t fd, int32_t flags, int32_t path, int32_t length,
                                  int32_t out) {
    return filestat(i, fd, flags, path, length, out, false);
}

int32_t wx_wasi0_path_filestat_get(wasmx_instance *i, int32_t fd, int32_t flags, int32_t path, int32_t length,
                                   int32_t out) {
    return filestat(i, fd, flags, path, length, out, true);
}

// utimensat takes no O_PATH descriptor before Linux 5.8, but its name in /proc.
static int set_times(int host, const struct timespec times[2]) {
    char name[32];
    if (!utimensat(host, "", times, AT_EMPTY_PATH)) return 0;
    if (errno != EINVAL && errno != ENOENT) return -1;
    snprintf(name, sizeof name, "/proc/self/fd/%d", host);
    return utimensat(AT_FDCWD, name, times, 0);
}

int32_t wx_wasi_path_filestat_set_times(wasmx_instance *i, int32_t fd, int32_t flags, int32_t path, int32_t length,
                                        int64_t atim, int64_t mtim, int32_t time_flags) {
    place p;
    struct timespec times[2];
    if (!wx_file_times(times, atim, mtim, time_flags)) return W_INVAL;
    if (!(flags & LOOKUP_FOLLOW)) {
        int32_t error = get_place(i, &p, fd, path, length, R_PATH_FILESTAT_SET_TIMES);
        return error ? error : end_place(&p, utimensat(p.parent, p.last, times, AT_SYMLINK_NOFOLLOW));
    }
    int32_t error = get_path(i, &p, fd, path, length, R_PATH_FILESTAT_SET_TIMES);
    if (error) return error;
    int host = lookup(&p, flags);
    if (host < 0) return path_error();
    error = wx_wasi_result(set_times(host, times));
    close(host);
    return error;
}

// ---- Opening

static const uint64_t reading = W_RIGHT(R_FD_READ) | W_RIGHT(R_FD_READDIR);
static const uint64_t writing = W_RIGHT(R_FD_DATASYNC) | W_RIGHT(R_FD_WRITE) | W_RIGHT(R_FD_ALLOCATE) |
                                W_RIGHT(R_FD_FILESTAT_SET_SIZE);

static int open_flags(uint64_t rights, int32_t lookup_flags, int32_t oflags, int32_t fdflags) {
    int flags = wx_host_flags(fdflags) | (lookup_flags & LOOKUP_FOLLOW ? 0 : O_NOFOLLOW) | O_NOCTTY;
    if (oflags & OPEN_DIRECTORY) return flags | O_RDONLY | O_DIRECTORY;
    if (oflags & OPEN_CREATE) flags |= O_CREAT;
    if (oflags & OPEN_EXCLUSIVE) flags |= O_EXCL;
    if (oflags & OPEN_TRUNCATE) flags |= O_TRUNC;
    bool writes = (rights & writing) || (oflags & OPEN_TRUNCATE);
    return flags | (!writes ? O_RDONLY : rights & reading ? O_RDWR : O_WRONLY);
}

static int64_t needed_rights(int32_t oflags) {
    uint64_t rights = W_RIGHT(R_PATH_OPEN);
    if (oflags & OPEN_CREATE) rights |= W_RIGHT(R_PATH_CREATE_FILE);
    if (oflags & OPEN_TRUNCATE) rights |= W_RIGHT(R_PATH_FILESTAT_SET_SIZE);
    return (int64_t)rights;
}

// Hands a host descriptor to the guest.
static int32_t give(wasmx_instance *i, int host, uint64_t rights, uint64_t inheriting, int32_t out) {
    struct stat st;
    wx_fd entry = {.host = host, .owned = true, .rights = rights, .inheriting = inheriting};
    int32_t error = wx_wasi_result(fstat(host, &st));
    if (!error && !wx_guest(i, out, 4)) error = W_FAULT;
    if (!error) {
        entry.type = wx_file_type(st.st_mode);
        if (entry.type == W_TYPE_CHAR) entry.rights &= ~(W_RIGHT(R_FD_SEEK) | W_RIGHT(R_FD_TELL));
        int64_t fd = wx_fd_add(i->wasi, entry);
        if (fd >= 0) return wx_guest_put32(i, out, (uint32_t)fd);
        error = W_MFILE;
    }
    close(host);
    return error;
}

int32_t wx_wasi_path_open(wasmx_instance *i, int32_t fd, int32_t lookup_flags, int32_t path, int32_t length,
                          int32_t oflags, int64_t rights, int64_t inheriting, int32_t fdflags, int32_t out) {
    place p;
    if ((oflags & ~15) || (fdflags & ~31)) return W_INVAL;
    if ((oflags & OPEN_DIRECTORY) && (oflags & (OPEN_CREATE | OPEN_EXCLUSIVE | OPEN_TRUNCATE))) return W_INVAL;
    int32_t error = get_path(i, &p, fd, path, length, R_PATH_OPEN);
    if (error) return error;
    uint64_t needs = (uint64_t)needed_rights(oflags);
    if ((p.dir->rights & needs) != needs) return W_NOTCAPABLE;
    uint64_t granted = (uint64_t)rights & p.dir->inheriting;
    int host = wx_beneath_open(p.dir->host, p.path, open_flags(granted, lookup_flags, oflags, fdflags), 0666);
    if (host < 0) return path_error();
    return give(i, host, granted, (uint64_t)inheriting & p.dir->inheriting, out);
}
