// tests/wasi/escape.c: attempts to get out of the opened directories, as the author of a hostile program makes them.
//
//   escape kernel|fallback [SECONDS]    with openat2, or without; how long each race lasts
//   escape naive [SECONDS]              with a plain openat: shows that the attempts would get out
//
// Beside the opened directories lies one that nobody opened. An attempt succeeds when a call that leads there does not
// fail, when its content comes back, or when anything in it has changed. One line an attempt: `ok` or `FAIL`.
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <time.h>

#include "tests/wasi/direct.h"

enum { PATH1 = 1000, PATH2 = 9000, OUT = 20000, LIST = 20100, DATA = 24000, IN = 3, IN2 = 4, LOOK = 5, PROC = 6 };
#define ALL ((int64_t)W_ALL_RIGHTS)

static direct guest;
static char root[64] = "/tmp/wasmx-escape-XXXXXX";
static const char *mode;
static int failures, attempts;

static void shell(const char *format) {
    char command[1200];
    snprintf(command, sizeof command, "set -e; T=%s; cd $T; %s", root, format);
    if (system(command)) die(format);
}

static void make_tree(void) {
    if (!mkdtemp(root)) die(root);
    shell("mkdir -p outside/sub in/a/b in/a/x in/m/1/2/3 in2 proc; printf SECRET >outside/secret; printf SECRET >outside/sub/marker;"
          "printf inside >in/a/f; printf inside >in/a/x/secret; printf inside >in/f; printf inside >in/a/g; ln -s ../outside in/rel;"
          "ln -s $T/outside in/abs; ln -s ../../outside in/a/rel2; ln -s chain2 in/chain; ln -s rel in/chain2; ln -s a/b in/dirlink;"
          "ln -s ../outside/secret in/relsecret; ln -s $T/outside/secret in/abssecret; ln -s .. in/up; ln -s ../.. in/a/upup;"
          "ln -s ../outside/new in/dangling; ln -s $T/outside/new in/absdangling; ln -s . in/self; ln -s loop in/loop;"
          "ln -s a/../../outside in/through; ln -s ../../outside in/a/y; ln -s /proc/self/root in/magic; ln -s ../../outside/secret in/a/h;"
          "ln -s //////$T/outside in/slashes; ln -s ./self/../rel in/mixed");
}

// ---- Is everything outside as it was?

static uint64_t mix(uint64_t h, const void *data, size_t n) {
    for (size_t k = 0; k < n; k++) h = (h ^ ((const uint8_t *)data)[k]) * 0x100000001b3u;
    return h;
}

static uint64_t state_of(const char *name) {
    char path[200], text[64] = "";
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", root, name);
    if (lstat(path, &st)) return 0;
    uint64_t h = mix(1, &st.st_mtim, sizeof st.st_mtim);
    h = mix(h, &st.st_ctim, sizeof st.st_ctim);
    h = mix(h, &st.st_nlink, sizeof st.st_nlink);
    h = mix(h, &st.st_size, sizeof st.st_size);
    int fd = S_ISREG(st.st_mode) ? open(path, O_RDONLY | O_NOATIME) : -1;
    if (fd >= 0) h = mix(h, text, (size_t)read(fd, text, sizeof text));
    if (fd >= 0) close(fd);
    return h;
}

// A directory's time changes with every name in it.
static uint64_t outside(void) {
    static const char *const names[] = {"outside", "outside/secret", "outside/sub", "outside/sub/marker", ".", "outside/new"};
    uint64_t h = 0;
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) h = h * 31 + state_of(names[k]);
    return h;
}

static uint64_t before;

static void judge(bool refused, const char *what, const char *path) {
    bool same = outside() == before;
    attempts++;
    if (refused && same) {
        printf("ok %s %s %s\n", mode, what, path);
        return;
    }
    failures++;
    printf("FAIL %s %s %s: %s\n", mode, what, path, refused ? "something outside has changed" : "was let through");
    shell("rm -rf outside in/a/stolen in2/stolen; mkdir -p outside/sub; printf SECRET >outside/secret; printf SECRET >outside/sub/marker");
    before = outside();
}

// ---- The control: opens whatever the path says, so long as that lies in the tree of this test and stays as it is

static int naive(int dir, const char *path, int flags, mode_t mode_bits) {
    char name[40], place[300] = "";
    if (flags & (O_CREAT | O_TRUNC)) return wx_beneath_walk(dir, path, flags, mode_bits);
    int fd = openat(dir, path, flags | O_CLOEXEC);
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    if (fd < 0 || (readlink(name, place, sizeof place - 1) > 0 && !strncmp(place, root, strlen(root)))) return fd;
    close(fd);
    errno = EXDEV;
    return -1;
}

// ---- Calls

static void put_path(int at, const char *path, size_t n) { memcpy(guest.memory + at, path, n); }

static int32_t result(void) {
    int32_t v;
    memcpy(&v, guest.memory + OUT, 4);
    return v;
}

// What an opened thing says; true when it is the secret.
static bool tells_secret(int32_t fd) {
    const uint32_t list[2] = {DATA, 100};
    memcpy(guest.memory + LIST, list, sizeof list);
    memset(guest.memory + DATA, 0, 4096);
    bool read = !CALL(&guest, fd_read, fd, LIST, 1, OUT) && strstr((char *)guest.memory + DATA, "SECRET");
    memset(guest.memory + DATA, 0, 4096);
    bool listed = !CALL(&guest, fd_readdir, fd, DATA, 4000, 0, OUT) &&
                  (memmem(guest.memory + DATA, 4000, "marker", 6) || memmem(guest.memory + DATA, 4000, "outside", 7));
    return read || listed;
}

static int32_t open_at(int dir, int64_t n, int follow, int oflags, int64_t rights) {
    return CALL(&guest, path_open, dir, follow, PATH1, n, oflags, rights, rights, 0, OUT);
}

// Opens and closes again; whether it was refused.
static bool cannot_open(int dir, int64_t n, int follow, int oflags, int64_t rights) {
    if (open_at(dir, n, follow, oflags, rights)) return true;
    CALL(&guest, fd_close, result());
    return false;
}

static int64_t second(const char *path) {
    put_path(PATH2, path, strlen(path));
    return (int64_t)strlen(path);
}

static bool try_read(int dir, int64_t n) { return cannot_open(dir, n, 1, 0, W_RIGHT(R_FD_READ)); }
static bool try_directory(int dir, int64_t n) { return cannot_open(dir, n, 1, 2, ALL); }
static bool try_create(int dir, int64_t n) { return cannot_open(dir, n, 1, 1, ALL); }
static bool try_truncate(int dir, int64_t n) { return cannot_open(dir, n, 1, 9, ALL); }
static bool try_stat(int dir, int64_t n) { return CALL(&guest, path_filestat_get, dir, 1, PATH1, n, DATA); }
static bool try_times(int dir, int64_t n) { return CALL(&guest, path_filestat_set_times, dir, 1, PATH1, n, 5, 5, 5); }
static bool try_link_through(int dir, int64_t n) { return CALL(&guest, path_link, dir, 1, PATH1, n, IN, PATH2, second("a/stolen")); }
static bool try_mkdir(int dir, int64_t n) { return CALL(&guest, path_create_directory, dir, PATH1, n); }
static bool try_rmdir(int dir, int64_t n) { return CALL(&guest, path_remove_directory, dir, PATH1, n); }
static bool try_unlink(int dir, int64_t n) { return CALL(&guest, path_unlink_file, dir, PATH1, n); }
static bool try_steal(int dir, int64_t n) { return CALL(&guest, path_rename, dir, PATH1, n, IN2, PATH2, second("stolen")); }
static bool try_drop(int dir, int64_t n) { return CALL(&guest, path_rename, IN, PATH2, second("a/f"), dir, PATH1, n); }
static bool try_link(int dir, int64_t n) { return CALL(&guest, path_link, dir, 0, PATH1, n, IN, PATH2, second("a/stolen")); }
static bool try_plant(int dir, int64_t n) { return CALL(&guest, path_link, IN, 0, PATH2, second("a/f"), dir, PATH1, n); }
static bool try_symlink(int dir, int64_t n) { return CALL(&guest, path_symlink, PATH2, second("x"), dir, PATH1, n); }
static bool try_readlink(int dir, int64_t n) { return CALL(&guest, path_readlink, dir, PATH1, n, DATA, 100, OUT); }
static bool try_own_times(int dir, int64_t n) { return CALL(&guest, path_filestat_set_times, dir, 0, PATH1, n, 5, 5, 5); }

typedef struct way {
    const char *name;
    bool (*attempt)(int dir, int64_t n); // true: refused
} way;

static const way following[] = {
    {"read", try_read}, {"open directory", try_directory}, {"create", try_create}, {"truncate", try_truncate},
    {"stat", try_stat}, {"set times of", try_times}, {"link what is behind", try_link_through},
};
static const way naming[] = {
    {"make directory", try_mkdir}, {"remove directory", try_rmdir}, {"unlink", try_unlink}, {"rename away", try_steal},
    {"rename onto", try_drop}, {"link", try_link}, {"link onto", try_plant}, {"symlink at", try_symlink},
    {"read link", try_readlink}, {"set own times of", try_own_times},
};
#define COUNT(array) (sizeof(array) / sizeof *(array))

// ---- Paths

// What ends in a link may be named, but not followed.
static const char *const out_paths[] = {
    "..", "../", "../.", "../..", "../../../../../../../../etc/passwd", "../outside/secret", "./../outside/secret",
    "a/../../outside/secret", "a/b/../../../outside/secret", "a//..//..//outside/secret", "a/./.././../outside/secret",
    "dirlink/../../../outside/secret", "/", "//", "/etc/passwd", "//etc/passwd", "/../outside/secret", "/.", "/..",
    "rel/secret", "rel/", "rel/.", "rel/..", "rel/sub/marker", "rel/../in/f", "abs/secret", "abs/", "abs/sub/../secret",
    "a/rel2/secret", "chain/secret", "chain/", "chain2/sub", "up/outside/secret", "up/in/f", "up/", "a/upup/outside/secret",
    "a/upup/", "self/rel/secret", "self/self/self/up/outside", "through/secret", "slashes/secret", "mixed/secret",
    "magic/etc/passwd", "magic/", "a/f/../../../outside/secret", "loop/../../outside/secret", "relsecret/", "rel/new",
    "a/y/secret", "missing/../../outside/secret",
};
static const char *const out_links[] = {"rel", "abs", "chain", "up", "a/upup", "relsecret", "abssecret", "dangling",
                                        "absdangling", "loop", "through", "slashes", "mixed", "magic", "a/h", "a/rel2"};
static const char *const magic_paths[] = {
    "self/root/etc/passwd", "self/root/", "self/cwd/", "self/cwd/..", "self/fd/0", "self/fd/3", "self/fd/4/../outside/secret",
    "thread-self/root/etc", "self/task/../root/etc", "self/exe", "self/ns/mnt", "self/map_files/..//root/", "1/root/etc",
};

static void try_ways(const way *ways, size_t count, int dir, const char *path, size_t n) {
    for (size_t k = 0; k < count; k++) {
        put_path(PATH1, path, n);
        judge(ways[k].attempt(dir, (int64_t)n), ways[k].name, path);
    }
}

static void known_paths(void) {
    for (size_t k = 0; k < COUNT(out_paths); k++) {
        try_ways(following, COUNT(following), IN, out_paths[k], strlen(out_paths[k]));
        try_ways(naming, COUNT(naming), IN, out_paths[k], strlen(out_paths[k]));
    }
    for (size_t k = 0; k < COUNT(out_links); k++)
        try_ways(following, COUNT(following), IN, out_links[k], strlen(out_links[k]));
    for (size_t k = 0; k < COUNT(magic_paths); k++)
        try_ways(following, 3, PROC, magic_paths[k], strlen(magic_paths[k]));
}

static void odd_paths(void) {
    static char ups[4096], name[4096];
    for (int k = 0; k < 4095; k++) ups[k] = "../"[k % 3], name[k] = 'n';
    try_ways(following, COUNT(following), IN, ups, 4095);
    try_ways(naming, COUNT(naming), IN, ups, 4095);
    try_ways(following, COUNT(following), IN, name, 4095);
    try_ways(following, COUNT(following), IN, "a\0/../../outside/secret", 23);
    try_ways(following, COUNT(following), IN, "../outside/secret\0", 18);
    try_ways(naming, COUNT(naming), IN, "rel/secret\0x", 12);
    try_ways(following, COUNT(following), IN, "", 0);
    try_ways(naming, COUNT(naming), IN, "", 0);
}

// ---- What needs more than one call

static void links_of_its_own(void) {
    static const char *const targets[] = {"../outside/secret", "../../outside", "a/../../outside", "up/outside/secret", "rel", "..",
                                          "self/../../outside/secret", "made0"};
    for (size_t k = 0; k < COUNT(targets); k++) {
        char name[16];
        snprintf(name, sizeof name, "made%zu", k);
        size_t n = strlen(name);
        put_path(PATH1, name, n);
        int64_t t = second(targets[k]);
        if (CALL(&guest, path_symlink, PATH2, t, IN, PATH1, n)) die(name);
        before = outside();
        try_ways(following, COUNT(following), IN, name, n);
    }
    put_path(PATH1, "made9", 5);
    judge(CALL(&guest, path_symlink, PATH2, second("/etc/passwd"), IN, PATH1, 5), "make an absolute link", "made9");
}

static void across_directories(void) {
    put_path(PATH1, "rel", 3); // a link that says elsewhere something else: moved up, down and away
    judge(CALL(&guest, path_rename, IN, PATH1, 3, IN2, PATH2, second("rel")) == 0, "rename a link across directories", "rel");
    put_path(PATH1, "rel/secret", 10);
    judge(try_read(IN2, 10), "follow it there", "rel/secret");
    put_path(PATH1, "rel", 3);
    judge(CALL(&guest, path_rename, IN2, PATH1, 3, IN, PATH2, second("a/b/rel")) == 0, "rename it deeper", "a/b/rel");
    put_path(PATH1, "a/b/rel/secret", 14);
    judge(try_read(IN, 14), "follow it there", "a/b/rel/secret");
    put_path(PATH1, "a/b/rel", 7);
    if (CALL(&guest, path_rename, IN, PATH1, 7, IN, PATH2, second("rel"))) die("rel");
    before = outside();
    put_path(PATH1, "a", 1);
    open_at(IN, 1, 1, 2, ALL);
    int32_t a = result();
    static const char *const ups[] = {"..", "../f", "../a/f", "b/../../f", "upup/outside", "rel2/secret"};
    for (size_t k = 0; k < COUNT(ups); k++) try_ways(following, COUNT(following), a, ups[k], strlen(ups[k]));
    CALL(&guest, fd_renumber, a, IN2); // takes the place of a preopened one, and gains nothing
    put_path(PATH1, "../f", 4);
    judge(try_read(IN2, 4), "renumber a directory, then read", "../f");
    judge(CALL(&guest, fd_read, a, LIST, 1, OUT) == W_BADF, "use the old number", "");
    static const way writes[] = {{"create", try_create}, {"truncate", try_truncate}, {"unlink", try_unlink}, {"link", try_link},
                                 {"rename away", try_steal}, {"rename onto", try_drop}, {"symlink at", try_symlink},
                                 {"make directory", try_mkdir}, {"set own times of", try_own_times}, {"link onto", try_plant}};
    try_ways(writes, COUNT(writes), LOOK, "secret", 6); // opened to be read only
    try_ways(writes, COUNT(writes), LOOK, "new", 3);
    put_path(PATH1, "secret", 6);
    judge(cannot_open(LOOK, 6, 1, 0, W_RIGHT(R_FD_WRITE)), "open for writing, read-only:", "secret");
    judge(cannot_open(LOOK, 6, 1, 0, W_RIGHT(R_FD_READ)) == false, "(reading it is allowed)", "secret");
    CALL(&guest, path_open, LOOK, 1, PATH1, 6, 0, W_RIGHT(R_FD_READ), ALL, 0, OUT);
    int32_t fd = result();
    judge(CALL(&guest, fd_filestat_set_size, fd, 0), "cut off a file opened read-only", "secret");
    judge(CALL(&guest, fd_filestat_set_times, fd, 5, 5, 5), "set its times", "secret");
    judge(CALL(&guest, fd_allocate, fd, 0, 100), "allocate in it", "secret");
    judge(CALL(&guest, fd_fdstat_set_rights, fd, ALL, ALL), "give itself rights", "secret");
    for (int host = 0; host < 3; host++) judge(CALL(&guest, fd_read, 500 + host, LIST, 1, OUT), "guess a descriptor", "");
    judge(CALL(&guest, fd_prestat_get, -1, OUT), "a negative descriptor", "");
}

// ---- Races: somebody exchanges what the path goes through, all the time

static _Atomic bool stop;

static void exchange(const char *a, const char *b) {
    char x[200], y[200];
    snprintf(x, sizeof x, "%s/%s", root, a);
    snprintf(y, sizeof y, "%s/%s", root, b);
    while (!atomic_load_explicit(&stop, memory_order_relaxed)) renameat2(AT_FDCWD, x, AT_FDCWD, y, RENAME_EXCHANGE);
}

static void move_to_and_fro(const char *a, const char *b) {
    char x[200], y[200];
    snprintf(x, sizeof x, "%s/%s", root, a);
    snprintf(y, sizeof y, "%s/%s", root, b);
    while (!atomic_load_explicit(&stop, memory_order_relaxed)) rename(x, y), rename(y, x);
}

static void *swap_directory_and_link(void *arg) { return exchange("in/a/x", "in/a/y"), arg; }
static void *swap_file_and_link(void *arg) { return exchange("in/a/g", "in/a/h"), arg; }
static void *move_up(void *arg) { return move_to_and_fro("in/m/1/2/3", "in/3"), arg; }
static void *move_away(void *arg) { return move_to_and_fro("in/m/1/2", "in2/2"), arg; }
static void *swap_parent_and_link(void *arg) { return exchange("in/a", "in/rel"), arg; }

static bool no_read(int dir, int64_t n) {
    if (open_at(dir, n, 1, 0, W_RIGHT(R_FD_READ) | W_RIGHT(R_FD_READDIR))) return true;
    int32_t fd = result();
    bool secret = tells_secret(fd);
    CALL(&guest, fd_close, fd);
    return !secret;
}
static bool no_read_unfollowed(int dir, int64_t n) {
    if (open_at(dir, n, 0, 0, W_RIGHT(R_FD_READ))) return true;
    int32_t fd = result();
    bool secret = tells_secret(fd);
    CALL(&guest, fd_close, fd);
    return !secret;
}
static struct stat secret_stat;
static bool no_stat(int dir, int64_t n) {
    uint64_t inode;
    if (CALL(&guest, path_filestat_get, dir, 1, PATH1, n, DATA)) return true;
    memcpy(&inode, guest.memory + DATA + 8, 8);
    return inode != secret_stat.st_ino;
}
// Whatever these answer, what counts is that nothing outside changes.
static bool any_create(int dir, int64_t n) { return cannot_open(dir, n, 1, 1, ALL), true; }
static bool any_truncate(int dir, int64_t n) { return cannot_open(dir, n, 1, 9, ALL), true; }
static bool any_mkdir(int dir, int64_t n) { return try_mkdir(dir, n), try_rmdir(dir, n), true; }
static bool any_symlink(int dir, int64_t n) { return try_symlink(dir, n), try_unlink(dir, n), true; }
static bool any_times(int dir, int64_t n) { return try_times(dir, n), try_own_times(dir, n), true; }
static bool any_plant(int dir, int64_t n) { return try_plant(dir, n), try_unlink(dir, n), true; }
static bool any_steal(int dir, int64_t n) {
    if (try_steal(dir, n)) return true;
    char path[64];
    memcpy(path, guest.memory + PATH1, (size_t)n);
    put_path(PATH1, "stolen", 6);
    bool secret = !no_read(IN2, 6);
    CALL(&guest, path_unlink_file, IN2, PATH1, 6);
    put_path(PATH1, path, (size_t)n);
    return !secret;
}
static bool any_link(int dir, int64_t n) {
    if (try_link_through(dir, n)) return true;
    char path[64];
    memcpy(path, guest.memory + PATH1, (size_t)n);
    put_path(PATH1, "a/stolen", 8);
    bool secret = !no_read_unfollowed(IN, 8);
    CALL(&guest, path_unlink_file, IN, PATH1, 8);
    put_path(PATH1, path, (size_t)n);
    return !secret;
}

static const struct race {
    const char *what;
    void *(*racer)(void *);
    const char *path;
    bool (*attempt)(int dir, int64_t n);
} races[] = {
    {"read while a directory and a link change places", swap_directory_and_link, "a/x/secret", no_read},
    {"list while they do", swap_directory_and_link, "a/x/sub", no_read},
    {"list the place itself", swap_directory_and_link, "a/x", no_read},
    {"create while they do", swap_directory_and_link, "a/x/new", any_create},
    {"truncate while they do", swap_directory_and_link, "a/x/secret", any_truncate},
    {"make a directory while they do", swap_directory_and_link, "a/x/newdir", any_mkdir},
    {"make a link while they do", swap_directory_and_link, "a/x/newlink", any_symlink},
    {"set times while they do", swap_directory_and_link, "a/x/secret", any_times},
    {"set times with a slash while they do", swap_directory_and_link, "a/x/", any_times},
    {"stat while they do", swap_directory_and_link, "a/x/secret", no_stat},
    {"link the secret while they do", swap_directory_and_link, "a/x/secret", any_link},
    {"link into it while they do", swap_directory_and_link, "a/x/planted", any_plant},
    {"go up from it while they do", swap_directory_and_link, "a/x/../../outside/secret", no_read},
    {"read while a file and a link change places", swap_file_and_link, "a/g", no_read},
    {"read without following while they do", swap_file_and_link, "a/g", no_read_unfollowed},
    {"truncate while a file and a link do", swap_file_and_link, "a/g", any_truncate},
    {"create while a file and a link do", swap_file_and_link, "a/g", any_create},
    {"set times while a file and a link do", swap_file_and_link, "a/g", any_times},
    {"stat while a file and a link do", swap_file_and_link, "a/g", no_stat},
    {"link while a file and a link do", swap_file_and_link, "a/g", any_link},
    {"go up while the directory moves up", move_up, "m/1/2/3/../../../../outside/secret", no_read},
    {"create up while the directory moves up", move_up, "m/1/2/3/../../../../outside/new", any_create},
    {"remove up while the directory moves up", move_up, "m/1/2/3/../../../../outside/secret", any_steal},
    {"go up while it moves to another opened directory", move_away, "m/1/2/3/../../../../outside/secret", no_read},
    {"make a directory up while it moves away", move_away, "m/1/2/3/../../../../outside/new", any_mkdir},
    {"read while the parent and a link change places", swap_parent_and_link, "a/secret", no_read},
    {"steal while the parent and a link change places", swap_parent_and_link, "a/secret", any_steal},
    {"create while the parent and a link change places", swap_parent_and_link, "a/new", any_create},
};

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void race(const struct race *r, double duration) {
    pthread_t racer;
    size_t n = strlen(r->path);
    bool refused = true;
    long rounds = 0;
    before = outside();
    atomic_store(&stop, false);
    if (pthread_create(&racer, NULL, r->racer, NULL)) die("pthread_create");
    for (double end = seconds() + duration; refused && seconds() < end;)
        for (int k = 0; refused && k < 50; k++, rounds++) {
            put_path(PATH1, r->path, n);
            refused = r->attempt(IN, (int64_t)n);
        }
    atomic_store(&stop, true);
    pthread_join(racer, NULL);
    char what[120];
    snprintf(what, sizeof what, "%s (%ld times)", r->what, rounds);
    judge(refused, what, r->path);
    // Afterwards as before, whichever way round the racer left it.
    shell("cd in; [ -d a ] && [ ! -L a ] || mv -T --exchange a rel 2>/dev/null || { mv -T a tmp; mv -T rel a; mv -T tmp rel; };"
          "[ ! -L a/x ] || { mv -T a/x tmp; mv -T a/y a/x; mv -T tmp a/y; }; [ ! -L a/g ] || { mv a/g tmp; mv a/h a/g; mv tmp a/h; };"
          "[ ! -d 3 ] || mv 3 m/1/2/3; [ ! -d ../in2/2 ] || mv ../in2/2 m/1/2; printf inside >a/f; [ -e a/g ] || printf inside >a/g;"
          "printf inside >a/x/secret");
}

int main(int argc, char **argv) {
    char in[80], in2[80], out[80];
    mode = argc > 1 ? argv[1] : "kernel";
    double duration = argc > 2 ? atof(argv[2]) : 0.15;
    make_tree();
    snprintf(in, sizeof in, "%s/in", root);
    snprintf(in2, sizeof in2, "%s/in2", root);
    snprintf(out, sizeof out, "%s/outside", root);
    const wasmx_preopen preopens[] = {
        {.host = in, .guest = "/"}, {.host = in2, .guest = "/2"}, {out, "/look", true}, {.host = "/proc", .guest = "/proc"}};
    wasmx_wasi_config config = {.preopens = preopens, .preopen_count = 4, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1,
                                .no_openat2 = !strcmp(mode, "fallback")};
    snprintf(in, sizeof in, "%s/in", root);
    direct_begin(&guest, &config);
    if (!strcmp(mode, "naive")) guest.instance.wasi->open = naive;
    snprintf(out, sizeof out, "%s/outside/secret", root);
    if (stat(out, &secret_stat)) die(out);
    before = outside();
    known_paths();
    odd_paths();
    links_of_its_own();
    across_directories();
    for (size_t k = 0; k < COUNT(races); k++) race(&races[k], duration);
    direct_end(&guest);
    shell("rm -rf $T");
    fprintf(stderr, "%s: %d attempts, %d got through\n", mode, attempts, failures);
    return failures != 0;
}
