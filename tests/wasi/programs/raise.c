// tests/wasi/programs/raise.c: numbers of descriptors that are moved, rights that are given back, the end by a signal.
#include "say.h"

#ifdef __wasi__
#include <wasi/api.h>
#include <wasi/libc.h>

__attribute__((import_module("wasi_snapshot_preview1"), import_name("proc_raise"))) int proc_raise(int signal);

static int move(int from, int to) { return __wasilibc_fd_renumber(from, to); }

// What a descriptor may do no longer; afterwards the errors are the specification's.
static void keep_reading_only(int fd) {
    __wasi_fdstat_t now;
    char c;
    int failed = __wasi_fd_fdstat_get((__wasi_fd_t)fd, &now);
    printf("drop: %d\n", failed || __wasi_fd_fdstat_set_rights((__wasi_fd_t)fd, __WASI_RIGHTS_FD_READ, 0));
    printf("back: %d\n", __wasi_fd_fdstat_set_rights((__wasi_fd_t)fd, now.fs_rights_base, 0) == __WASI_ERRNO_NOTCAPABLE);
    printf("write: %d\n", write(fd, "x", 1) < 0);
    printf("seek: %d\n", lseek(fd, 0, SEEK_SET) < 0);
    SAY(read(fd, &c, 1));
}
#else
#include <signal.h>

static int move(int from, int to) { return dup2(from, to) < 0 || close(from); }
static int proc_raise(int signal) { return raise(signal); }

static void keep_reading_only(int fd) {
    char c;
    printf("drop: 0\nback: 1\nwrite: 1\nseek: 1\n");
    SAY(read(fd, &c, 1));
}
#endif

int main(void) {
    char text[8] = "";
    int a = open("a", O_RDWR | O_CREAT, 0644), b = open("b", O_RDWR | O_CREAT, 0644);
    SAY(write(a, "in a", 4));
    SAY(write(b, "in b", 4));
    SAY(move(a, b));
    SAY(read(a, text, 1));
    SAY(lseek(b, 0, SEEK_SET));
    SAY(read(b, text, 4));
    printf("%s\n", text);
    SAY(lseek(b, 1, SEEK_SET));
    keep_reading_only(b);
    SAY(close(b));
    fflush(stdout);
    proc_raise(15); // SIGTERM, there as here
    return 1;
}
