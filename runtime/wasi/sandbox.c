// runtime/wasi/sandbox.c: paths that must stay beneath a directory.
//
// The kernel's openat2 resolves and checks at once. Where it is missing the walk below does the same with what every
// kernel has: it opens one component after another without following links, resolves links itself, and goes up only
// through the directories it came by. Neither looks at a path twice: who renames or links meanwhile changes which
// file beneath is opened, or makes the call fail, and nothing else.
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/wasi/wasi.h"

#define MAX_DEPTH 128
#define MAX_LINKS 40
#define MAX_RACES 16

// ---- Without openat2

typedef struct walk {
    int fds[MAX_DEPTH];   // fds[0] is the directory itself and not ours
    int depth;            // the current one
    int links;
    char rest[W_PATH];    // what is still to be resolved
} walk;

static int fail(int code) {
    errno = code;
    return -1;
}

static void go_up(walk *w) { close(w->fds[w->depth--]); }

static int go_down(walk *w, const char *name) {
    if (w->depth + 1 == MAX_DEPTH) return fail(ENAMETOOLONG);
    int fd = openat(w->fds[w->depth], name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return -1;
    w->fds[++w->depth] = fd;
    return 0;
}

// Puts the target of a link before what is left of the path.
static int expand(walk *w, const char *name) {
    char target[W_PATH];
    if (++w->links > MAX_LINKS) return fail(ELOOP);
    ssize_t n = readlinkat(w->fds[w->depth], name, target, sizeof target);
    if (n < 0) return -1;
    size_t rest = strlen(w->rest);
    if ((size_t)n + 1 + rest >= sizeof w->rest) return fail(ENAMETOOLONG);
    if (n && target[0] == '/') return fail(EXDEV);
    memmove(w->rest + n + 1, w->rest, rest + 1);
    memcpy(w->rest, target, (size_t)n);
    w->rest[n] = '/';
    if (!rest) w->rest[n] = 0;
    return 0;
}

static bool is_link(walk *w, const char *name) {
    struct stat st;
    return !fstatat(w->fds[w->depth], name, &st, AT_SYMLINK_NOFOLLOW) && S_ISLNK(st.st_mode);
}

// Cuts the first component off the rest. *is_last: nothing but slashes followed; *slashed: some did.
static void next_component(walk *w, char *name, bool *is_last, bool *slashed) {
    char *p = w->rest + strspn(w->rest, "/");
    size_t n = strcspn(p, "/"), after = n + strspn(p + n, "/");
    memcpy(name, p, n);
    name[n] = 0;
    *slashed = after > n;
    *is_last = !p[after];
    memmove(w->rest, p + after, strlen(p + after) + 1);
}

static int step(walk *w, const char *name) {
    if (!*name || !strcmp(name, ".")) return 0;
    if (!strcmp(name, "..")) {
        if (!w->depth) return fail(EXDEV);
        go_up(w);
        return 0;
    }
    if (!go_down(w, name)) return 0;
    int code = errno;
    if (code != ENOTDIR && code != ELOOP) return -1;
    return is_link(w, name) ? expand(w, name) : fail(code);
}

// Opens the last component; -2: it was a link, which is in the rest now.
static int open_last(walk *w, const char *name, int flags, mode_t mode) {
    bool follow = !(flags & O_NOFOLLOW), is_new = (flags & O_CREAT) && (flags & O_EXCL);
    if (follow && !is_new && is_link(w, name)) return expand(w, name) ? -1 : -2;
    return openat(w->fds[w->depth], name, flags | O_NOFOLLOW | O_CLOEXEC, mode);
}

static int finish(walk *w, const char *name, bool slashed, int flags, mode_t mode) {
    if (slashed && (flags & O_CREAT)) return fail(EISDIR); // as the kernel says
    if (slashed) flags = (flags | O_DIRECTORY) & ~O_NOFOLLOW;
    bool here = !*name || !strcmp(name, ".") || !strcmp(name, "..");
    if (!here) return open_last(w, name, flags, mode);
    if (step(w, name)) return -1;
    return openat(w->fds[w->depth], ".", (flags & ~(O_CREAT | O_EXCL)) | O_CLOEXEC, mode);
}

static int resolve(walk *w, int flags, mode_t mode) {
    char name[W_PATH];
    bool is_last, slashed;
    for (;;) {
        next_component(w, name, &is_last, &slashed);
        if (!is_last) {
            if (step(w, name)) return -1;
            continue;
        }
        int fd = finish(w, name, slashed, flags, mode);
        if (fd != -2) return fd;
        if (slashed) strcat(w->rest, "/"); // expand left room for it
    }
}

int wx_beneath_walk(int dir, const char *path, int flags, mode_t mode) {
    walk w = {.fds = {dir}};
    if (!*path) return fail(ENOENT);
    if (*path == '/') return fail(EXDEV);
    if (strlen(path) >= sizeof w.rest) return fail(ENAMETOOLONG);
    strcpy(w.rest, path);
    int fd = resolve(&w, flags, mode), code = errno;
    while (w.depth) go_up(&w);
    errno = code;
    return fd;
}

// ---- With it

static int open_by_kernel(int dir, const char *path, int flags, mode_t mode) {
    struct open_how how = {.flags = (uint64_t)(unsigned)(flags | O_CLOEXEC), .mode = flags & O_CREAT ? mode : 0,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    long fd;
    int races = 0;
    do fd = syscall(SYS_openat2, dir, path, &how, sizeof how);
    while (fd < 0 && errno == EAGAIN && ++races < MAX_RACES); // a rename came in between
    return (int)fd;
}

// Where openat2 is missing, or a filter of system calls forbids it, even the root cannot be opened by it.
static bool kernel_can(void) {
    static _Atomic int known;
    int can = atomic_load_explicit(&known, memory_order_relaxed);
    if (!can) {
        struct open_how how = {.flags = O_PATH | O_CLOEXEC};
        long fd = syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof how);
        if (fd >= 0) close((int)fd);
        atomic_store_explicit(&known, can = fd >= 0 ? 1 : -1, memory_order_relaxed);
    }
    return can > 0;
}

int wx_beneath_open(int dir, const char *path, int flags, mode_t mode) {
    if (!kernel_can()) return wx_beneath_walk(dir, path, flags, mode);
    int fd = open_by_kernel(dir, path, flags, mode);
    return fd < 0 && errno == EAGAIN ? wx_beneath_walk(dir, path, flags, mode) : fd;
}

// ---- The directory of a name

// Where the last component starts; everything after one slash behind it is cut off.
static size_t find_last(char *path) {
    size_t end = strlen(path);
    while (end > 1 && path[end - 1] == '/') end--;
    if (path[end]) path[end + 1] = 0;
    while (end && path[end - 1] != '/') end--;
    return end;
}

static bool is_up(const char *name) { return !strcmp(name, "..") || !strcmp(name, "../"); }

// A path that ends in "..": the calls that act on names all refuse those, but only inside may they say how.
static bool leads_out(wx_opener *open, int dir, const char *path) {
    int fd = open(dir, path, O_PATH | O_DIRECTORY, 0);
    if (fd >= 0) close(fd);
    return fd < 0;
}

int wx_beneath_parent(wx_opener *open, int dir, char *path, const char **last) {
    if (!*path) return fail(ENOENT);
    if (*path == '/') return fail(EXDEV);
    size_t start = find_last(path);
    *last = path + start;
    if (is_up(*last) && leads_out(open, dir, path)) return -1;
    if (!start) return open(dir, ".", O_PATH | O_DIRECTORY, 0);
    path[start - 1] = 0;
    return open(dir, path, O_PATH | O_DIRECTORY, 0);
}
