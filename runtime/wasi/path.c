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
    const char *last; // may end in a slash: wx_beneath_parent
    char path[W_PATH];
} place;

static void end_dir(place *p) { wx_fd_done(&p->dir); }

// Declares a place whose directory is given back at the end of the block.
#define PLACE(p)                               \
    __attribute__((cleanup(end_dir))) place p; \
    p.dir = NULL

// Directory and path of a call, checked and copied.
static int32_t get_path(wasmx_instance *i, place *p, int32_t fd, int32_t address, int32_t length, uint64_t rights) {
    int32_t error;
    p->parent = -1;
    if (!(p->dir = wx_fd_get(i, fd, rights, &error))) return error;
    if ((error = wx_guest_path(i, address, length, p->path))) return error;
    return p->path[0] ? W_SUCCESS : W_NOENT;
}

// The same, and the directory that holds the last component opened.
static int32_t get_place(wasmx_instance *i, place *p, int32_t fd, int32_t address, int32_t length, int right) {
    int32_t error = get_path(i, p, fd, address, length, W_RIGHT(right));
    if (error) return error;
    p->parent = wx_beneath_parent(i->wasi->open, p->dir->host, p->path, &p->last);
    return p->parent < 0 ? path_error() : W_SUCCESS;
}

static int32_t end_place(place *p, int result) {
    int32_t error = wx_wasi_result(result);
    close(p->parent);
    return error;
}

// Directory and path of a call that acts on what is there: opened as a thing, whatever it is.
static int32_t get_thing(wasmx_instance *i, place *p, bool follow, int *out) {
    *out = i->wasi->open(p->dir->host, p->path, O_PATH | (follow ? 0 : O_NOFOLLOW), 0);
    return *out < 0 ? path_error() : W_SUCCESS;
}

// ---- Names

int32_t wx_wasi_path_create_directory(wasmx_instance *i, int32_t fd, int32_t path, int32_t length) {
    PLACE(p);
    int32_t error = get_place(i, &p, fd, path, length, R_PATH_CREATE_DIRECTORY);
    return error ? error : end_place(&p, mkdirat(p.parent, p.last, 0777));
}

int32_t wx_wasi_path_remove_directory(wasmx_instance *i, int32_t fd, int32_t path, int32_t length) {
    PLACE(p);
    int32_t error = get_place(i, &p, fd, path, length, R_PATH_REMOVE_DIRECTORY);
    return error ? error : end_place(&p, unlinkat(p.parent, p.last, AT_REMOVEDIR));
}

int32_t wx_wasi_path_unlink_file(wasmx_instance *i, int32_t fd, int32_t path, int32_t length) {
    PLACE(p);
    int32_t error = get_place(i, &p, fd, path, length, R_PATH_UNLINK_FILE);
    return error ? error : end_place(&p, unlinkat(p.parent, p.last, 0));
}

int32_t wx_wasi_path_rename(wasmx_instance *i, int32_t fd, int32_t path, int32_t length, int32_t new_fd,
                            int32_t new_path, int32_t new_length) {
    PLACE(from);
    PLACE(to);
    int32_t error = get_place(i, &from, fd, path, length, R_PATH_RENAME_SOURCE);
    if (error) return error;
    error = get_place(i, &to, new_fd, new_path, new_length, R_PATH_RENAME_TARGET);
    if (!error) error = end_place(&to, renameat(from.parent, from.last, to.parent, to.last));
    close(from.parent);
    return error;
}

// Gives the thing itself, which nobody can exchange any more, another name. Without /proc only some may do it.
static int link_thing(int thing, int parent, const char *last) {
    char name[32];
    snprintf(name, sizeof name, "/proc/self/fd/%d", thing);
    if (!linkat(AT_FDCWD, name, parent, last, AT_SYMLINK_FOLLOW)) return 0;
    return errno == ENOENT ? linkat(thing, "", parent, last, AT_EMPTY_PATH) : -1;
}

int32_t wx_wasi_path_link(wasmx_instance *i, int32_t fd, int32_t flags, int32_t path, int32_t length, int32_t new_fd,
                          int32_t new_path, int32_t new_length) {
    PLACE(from);
    PLACE(to);
    int thing;
    if (flags & ~LOOKUP_FOLLOW) return W_INVAL;
    int32_t error = get_path(i, &from, fd, path, length, W_RIGHT(R_PATH_LINK_SOURCE));
    if (!error) error = get_thing(i, &from, flags & LOOKUP_FOLLOW, &thing);
    if (error) return error;
    error = get_place(i, &to, new_fd, new_path, new_length, R_PATH_LINK_TARGET);
    if (!error) error = end_place(&to, link_thing(thing, to.parent, to.last));
    close(thing);
    return error;
}

// A link may say anything: it is checked when it is followed. Absolute ones never lead anywhere, so they are refused.
int32_t wx_wasi_path_symlink(wasmx_instance *i, int32_t target, int32_t target_length, int32_t fd, int32_t path,
                             int32_t length) {
    char text[W_PATH];
    PLACE(p);
    int32_t error = wx_guest_path(i, target, target_length, text);
    if (error) return error;
    error = get_place(i, &p, fd, path, length, R_PATH_SYMLINK);
    if (error) return error;
    if (text[0] != '/') return end_place(&p, symlinkat(text, p.parent, p.last));
    close(p.parent);
    return W_NOTCAPABLE;
}

// ---- What a path is

static int64_t read_link(wasmx_instance *i, place *p, char *to, uint32_t size) {
    int thing;
    wx_fd found;
    if (p->dir->kind == FD_EMBED) return -(wx_embed_find(i->wasi, p->dir, p->path, &found) ?: W_INVAL);
    int32_t error = get_thing(i, p, false, &thing);
    if (error) return -error;
    char text[W_PATH];
    ssize_t n = readlinkat(thing, "", text, sizeof text);
    error = errno == ENOENT ? W_INVAL : wx_wasi_errno(errno); // so it says that the thing is no link
    close(thing);
    if (n < 0) return -error;
    if (!size) return -W_INVAL; // as the system says
    if (!wx_is_utf8(text, (size_t)n)) return -W_ILSEQ;
    if ((size_t)n > size) n = size;
    memcpy(to, text, (size_t)n);
    return n;
}

int32_t wx_wasi_path_readlink(wasmx_instance *i, int32_t fd, int32_t path, int32_t length, int32_t out, int32_t size,
                              int32_t used) {
    PLACE(p);
    int32_t error = get_path(i, &p, fd, path, length, W_RIGHT(R_PATH_READLINK));
    if (error) return error;
    char *to = wx_guest(i, out, (uint32_t)size);
    if (!to || !wx_guest(i, used, 4)) return W_FAULT;
    int64_t n = read_link(i, &p, to, (uint32_t)size);
    return n < 0 ? (int32_t)-n : wx_guest_put32(i, used, (uint32_t)n);
}

static int32_t host_stat(wasmx_instance *i, place *p, int32_t flags, struct stat *st) {
    int thing;
    int32_t error = get_thing(i, p, flags & LOOKUP_FOLLOW, &thing);
    if (error) return error;
    error = wx_wasi_result(fstat(thing, st));
    close(thing);
    return error;
}

static int32_t embed_stat(wasmx_instance *i, place *p, struct stat *st) {
    wx_fd found;
    int32_t error = wx_embed_find(i->wasi, p->dir, p->path, &found);
    if (!error) wx_virtual_stat(i->wasi, &found, st);
    return error;
}

static int32_t filestat(wasmx_instance *i, int32_t fd, int32_t flags, int32_t path, int32_t length, int32_t out,
                        bool unstable) {
    PLACE(p);
    struct stat st;
    if (flags & ~LOOKUP_FOLLOW) return W_INVAL;
    int32_t error = get_path(i, &p, fd, path, length, W_RIGHT(R_PATH_FILESTAT_GET));
    if (!error) error = p.dir->kind == FD_EMBED ? embed_stat(i, &p, &st) : host_stat(i, &p, flags, &st);
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
static int set_times(int thing, const struct timespec times[2]) {
    char name[32];
    if (!utimensat(thing, "", times, AT_EMPTY_PATH)) return 0;
    if (errno != EINVAL && errno != ENOENT && errno != EBADF) return -1;
    snprintf(name, sizeof name, "/proc/self/fd/%d", thing);
    return utimensat(AT_FDCWD, name, times, 0);
}

int32_t wx_wasi_path_filestat_set_times(wasmx_instance *i, int32_t fd, int32_t flags, int32_t path, int32_t length,
                                        int64_t atim, int64_t mtim, int32_t time_flags) {
    PLACE(p);
    int thing;
    struct timespec times[2];
    int32_t error = get_path(i, &p, fd, path, length, W_RIGHT(R_PATH_FILESTAT_SET_TIMES));
    if (error) return error;
    if ((flags & ~LOOKUP_FOLLOW) || !wx_file_times(times, atim, mtim, time_flags)) return W_INVAL;
    error = get_thing(i, &p, flags & LOOKUP_FOLLOW, &thing);
    if (error) return error;
    error = wx_wasi_result(set_times(thing, times));
    close(thing);
    return error;
}

// ---- Opening

enum { FLAG_DSYNC = 2, FLAG_RSYNC = 8, FLAG_SYNC = 16 };

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

// Of the directory itself.
static uint64_t needed_rights(int32_t oflags) {
    uint64_t rights = W_RIGHT(R_PATH_OPEN);
    if (oflags & OPEN_CREATE) rights |= W_RIGHT(R_PATH_CREATE_FILE);
    if (oflags & OPEN_TRUNCATE) rights |= W_RIGHT(R_PATH_FILESTAT_SET_SIZE);
    return rights;
}

// Rights that do not stand in the specification are nobody's. A directory that the host made read-only passes on what
// is for reading; asked for more than that it gives less, but for what says outright that it is to be written:
// libraries ask for all that a file they read could need (docs/wasi.md).
static bool may_inherit(const wx_fd *dir, uint64_t rights, uint64_t inheriting, int32_t fdflags) {
    uint64_t wants = (rights | inheriting) & W_ALL_RIGHTS, surely = rights & W_RIGHT(R_FD_WRITE);
    if (fdflags & (FLAG_RSYNC | FLAG_SYNC)) surely |= W_RIGHT(R_FD_SYNC);
    if ((fdflags & FLAG_DSYNC) && !(wx_fd_passes(dir) & W_RIGHT(R_FD_SYNC))) surely |= W_RIGHT(R_FD_DATASYNC);
    return !(wants & ~dir->inheriting) && !(surely & ~wx_fd_passes(dir));
}

static int32_t open_host(wasmx_instance *i, place *p, int flags, wx_fd *out) {
    int host = i->wasi->open(p->dir->host, p->path, flags, 0666);
    if (host < 0) return path_error();
    if (wx_fd_of_host(out, host)) {
        out->owned = true;
        return W_SUCCESS;
    }
    int32_t error = wx_wasi_errno(errno);
    close(host);
    return error;
}

static int32_t open_embedded(wasmx_instance *i, place *p, int32_t oflags, wx_fd *out) {
    int32_t error = wx_embed_find(i->wasi, p->dir, p->path, out);
    if (error) return error;
    if (oflags & OPEN_EXCLUSIVE) return W_EXIST;
    return (oflags & OPEN_DIRECTORY) && out->type != W_TYPE_DIR ? W_NOTDIR : W_SUCCESS;
}

int32_t wx_wasi_path_open(wasmx_instance *i, int32_t fd, int32_t lookup_flags, int32_t path, int32_t length,
                          int32_t oflags, int64_t rights, int64_t inheriting, int32_t fdflags, int32_t out) {
    PLACE(p);
    wx_fd entry;
    if ((oflags & ~15) || (fdflags & ~31) || (lookup_flags & ~LOOKUP_FOLLOW)) return W_INVAL;
    if ((oflags & OPEN_DIRECTORY) && (oflags & (OPEN_CREATE | OPEN_EXCLUSIVE | OPEN_TRUNCATE))) return W_INVAL;
    int32_t error = get_path(i, &p, fd, path, length, needed_rights(oflags));
    if (error) return error;
    if (!wx_guest(i, out, 4)) return W_FAULT;
    if (!may_inherit(p.dir, (uint64_t)rights, (uint64_t)inheriting, fdflags)) return W_NOTCAPABLE;
    uint64_t granted = (uint64_t)rights & wx_fd_passes(p.dir);
    error = p.dir->kind == FD_EMBED ? open_embedded(i, &p, oflags, &entry)
                                    : open_host(i, &p, open_flags(granted, lookup_flags, oflags, fdflags), &entry);
    if (error) return error;
    entry.rights = granted & wx_type_rights(entry.type);
    entry.inheriting = (uint64_t)inheriting & p.dir->inheriting;
    entry.read_only = p.dir->read_only;
    int64_t number = wx_fd_add(i->wasi, entry);
    if (number >= 0) return wx_guest_put32(i, out, (uint32_t)number);
    wx_fd_end(&entry);
    return W_MFILE;
}
