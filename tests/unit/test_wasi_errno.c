// tests/unit/test_wasi_errno.c: what every function of preview 1 says of every misuse: a function and an error a line.
#include <sys/socket.h>
#include <sys/un.h>

#include "tests/unit/wasi_guest.h"

#define ERRNO(code, name) E_##name = code,
enum {
#include "runtime/wasi/errno.def"
    E_OK = 0, E_NOTCAPABLE = 76,
};
#undef ERRNO

// What is open besides 0, 1 (pipes), 3 and 4 (the directory, and the same to look at); 2 is closed.
static int64_t listener = 5, stream = 6, file, bare, sub, reader;
static int other_end, checks;

static int64_t open_as(const char *name, int oflags, uint64_t rights) {
    cr_assert_eq(W(path_open, 3, 1, P(name), oflags, (int64_t)rights, (int64_t)rights, 0, RESULT), 0, "%s", name);
    return (int64_t)get(RESULT, 4);
}

static void make_sockets(int pair[2]) {
    static char name[sizeof dir + 8];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(name, sizeof name, "%s.sock", dir);
    strcpy(address.sun_path, name);
    pair[0] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    unlink(name);
    cr_assert(!bind(pair[0], (struct sockaddr *)&address, sizeof address) && !listen(pair[0], 3));
    unlink(name);
    int both[2];
    cr_assert(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, both));
    pair[1] = both[0];
    other_end = both[1];
}

static void begin_all(void) {
    static int sockets[2];
    make_sockets(sockets);
    extra.sockets = sockets;
    extra.socket_count = 2;
    begin();
    run("cd %s && printf hello >f && mkdir d full && printf x >d/g && printf x >full/x && ln -s f l && ln -s d dl && ln -s loop loop"
        " && ln -s gone dang && ln -s /etc out && ln -s .. up%s",
        dir, "");
    file = open_as("f", 0, W_ALL_RIGHTS);
    bare = open_as("f", 0, 0);
    sub = open_as("d", DIRECTORY, W_ALL_RIGHTS);
    reader = open_as("f", 0, W_RIGHT(R_FD_READ));
    buffers(1, 3);
}

static void end_all(void) {
    printf("%d\n", checks);
    end();
}

#define IS(code, name, ...)                                                                                    \
    do {                                                                                                       \
        int32_t seen = W(name, __VA_ARGS__);                                                                   \
        checks++;                                                                                              \
        cr_expect_eq(seen, E_##code, "%s(%s): %d, not %s (%d)", #name, #__VA_ARGS__, seen, #code, E_##code);   \
    } while (0)
#define ERRNO_TEST(name) Test(wasi_errno, name, .init = begin_all, .fini = end_all)
#define ALL_BITS ((int64_t)W_ALL_RIGHTS)
#define BIG (int64_t)INT64_MAX

ERRNO_TEST(arguments_and_environment) {
    IS(FAULT, args_get, BAD, DATA);
    IS(FAULT, args_get, BAD - 11, DATA);
    IS(OK, args_get, BAD - 12, DATA); // three pointers that end where memory ends
    IS(FAULT, args_get, LIST, BAD - 9);
    IS(OK, args_get, LIST, BAD - 10);
    IS(FAULT, args_get, -4, DATA); // would wrap around
    IS(FAULT, args_sizes_get, BAD - 3, RESULT);
    IS(FAULT, args_sizes_get, RESULT, BAD - 3);
    IS(OK, args_sizes_get, RESULT, BAD - 4);
    IS(FAULT, environ_get, BAD - 7, DATA);
    IS(FAULT, environ_get, LIST, BAD - 14);
    IS(OK, environ_get, BAD - 8, DATA);
    IS(FAULT, environ_sizes_get, BAD, RESULT);
    IS(FAULT, environ_sizes_get, RESULT, -1);
}

ERRNO_TEST(clocks_and_random) {
    IS(INVAL, clock_res_get, 4, RESULT);
    IS(INVAL, clock_res_get, -1, RESULT);
    IS(FAULT, clock_res_get, 0, BAD - 7);
    IS(OK, clock_res_get, 3, BAD - 8);
    IS(INVAL, clock_time_get, 4, 0, RESULT);
    IS(FAULT, clock_time_get, 1, 0, BAD - 7);
    IS(FAULT, clock_time_get, 1, 0, -8);
    IS(OK, clock_time_get, 1, 0, BAD - 8);
    IS(FAULT, random_get, BAD - 3, 4);
    IS(FAULT, random_get, 0, -1);
    IS(FAULT, random_get, -1, 1);
    IS(OK, random_get, BAD - 4, 4);
    IS(OK, random_get, BAD, 0); // nothing, at the end
    IS(FAULT, random_get, BAD + 1, 0);
}

ERRNO_TEST(advise_and_allocate) {
    IS(BADF, fd_advise, 99, 0, 0, 0);
    IS(BADF, fd_advise, sub, 0, 0, 0);
    IS(NOTCAPABLE, fd_advise, bare, 0, 0, 0);
    IS(NOTCAPABLE, fd_advise, stream, 0, 0, 0);
    IS(INVAL, fd_advise, file, 0, 0, 6);
    IS(INVAL, fd_advise, file, -1, 0, 0);
    IS(INVAL, fd_advise, file, 0, -1, 0);
    IS(OK, fd_advise, file, 0, 0, 5);
    IS(BADF, fd_allocate, -1, 0, 1);
    IS(BADF, fd_allocate, sub, 0, 1);
    IS(NOTCAPABLE, fd_allocate, reader, 0, 1);
    IS(INVAL, fd_allocate, file, 0, 0);
    IS(INVAL, fd_allocate, file, -1, 1);
    IS(FBIG, fd_allocate, file, BIG, 1);
}

ERRNO_TEST(flags_and_rights) {
    IS(BADF, fd_fdstat_get, 2, DATA);
    IS(FAULT, fd_fdstat_get, file, BAD - 23);
    IS(OK, fd_fdstat_get, file, BAD - 24);
    IS(BADF, fd_fdstat_set_flags, 99, 0);
    IS(NOTCAPABLE, fd_fdstat_set_flags, bare, 0);
    IS(NOTCAPABLE, fd_fdstat_set_flags, 1, 4); // the host's own stream stays as it is
    IS(INVAL, fd_fdstat_set_flags, file, 32);
    IS(INVAL, fd_fdstat_set_flags, file, 16); // synchronous now: the system cannot
    IS(INVAL, fd_fdstat_set_flags, file, 2);
    IS(OK, fd_fdstat_set_flags, file, 4);
    IS(BADF, fd_fdstat_set_rights, 99, 0, 0);
    IS(NOTCAPABLE, fd_fdstat_set_rights, bare, 2, 0);
    IS(NOTCAPABLE, fd_fdstat_set_rights, bare, 0, 2);
    IS(NOTCAPABLE, fd_fdstat_set_rights, 3, (int64_t)1 << 40, 0);
    IS(OK, fd_fdstat_set_rights, file, 0, 0);
    IS(NOTCAPABLE, fd_tell, file, RESULT);
}

ERRNO_TEST(close_and_renumber) {
    IS(BADF, fd_close, 2);
    IS(BADF, fd_close, -1);
    IS(BADF, fd_renumber, 99, file);
    IS(BADF, fd_renumber, file, 99);
    IS(BADF, fd_renumber, file, 2);
    IS(OK, fd_renumber, file, file);
    IS(OK, fd_renumber, file, sub);
    IS(BADF, fd_close, file);
    IS(OK, fd_close, sub);
    IS(BADF, fd_close, sub);
    IS(OK, fd_close, 3);
    IS(BADF, fd_prestat_get, 3, RESULT);
}

ERRNO_TEST(filestat) {
    IS(BADF, fd_filestat_get, 99, DATA);
    IS(NOTCAPABLE, fd_filestat_get, bare, DATA);
    IS(FAULT, fd_filestat_get, file, BAD - 63);
    IS(OK, fd_filestat_get, file, BAD - 64);
    IS(BADF, fd_filestat_set_size, 99, 0);
    IS(BADF, fd_filestat_set_size, sub, 0);
    IS(NOTCAPABLE, fd_filestat_set_size, reader, 0);
    IS(INVAL, fd_filestat_set_size, file, -1);
    IS(NOTCAPABLE, fd_filestat_set_size, 1, 0);
    IS(BADF, fd_filestat_set_times, 99, 0, 0, 0);
    IS(NOTCAPABLE, fd_filestat_set_times, bare, 0, 0, 0);
    IS(INVAL, fd_filestat_set_times, file, 0, 0, 3);
    IS(INVAL, fd_filestat_set_times, file, 0, 0, 12);
    IS(INVAL, fd_filestat_set_times, file, 0, 0, 16);
    IS(OK, fd_filestat_set_times, sub, 0, 0, 10);
}

ERRNO_TEST(reading) {
    IS(BADF, fd_read, 99, LIST, 1, RESULT);
    IS(ISDIR, fd_read, sub, LIST, 1, RESULT);
    IS(ISDIR, fd_read, 3, LIST, 1, RESULT);
    IS(NOTCAPABLE, fd_read, bare, LIST, 1, RESULT);
    IS(NOTCAPABLE, fd_read, 1, LIST, 1, RESULT);
    IS(FAULT, fd_read, file, BAD - 7, 1, RESULT);
    IS(FAULT, fd_read, file, LIST, -1, RESULT);
    IS(FAULT, fd_read, file, LIST, 1, BAD - 3);
    IS(OK, fd_tell, file, RESULT);
    cr_expect_eq(get(RESULT, 8), 0, "nothing was read into the void");
    put(LIST + 4, 4, 0xffffffff); // goes round
    IS(FAULT, fd_read, file, LIST, 1, RESULT);
    put(LIST, 4, BAD - 3);
    put(LIST + 4, 4, 4);
    IS(FAULT, fd_read, file, LIST, 1, RESULT);
    put(LIST, 4, BAD - 4);
    IS(OK, fd_read, file, LIST, 1, RESULT);
    IS(BADF, fd_pread, 99, LIST, 1, 0, RESULT);
    IS(ISDIR, fd_pread, sub, LIST, 1, 0, RESULT);
    IS(SPIPE, fd_pread, 0, LIST, 1, 0, RESULT);
    IS(SPIPE, fd_pread, stream, LIST, 1, 0, RESULT);
    IS(NOTCAPABLE, fd_pread, reader, LIST, 1, 0, RESULT); // may read, but not elsewhere
    IS(INVAL, fd_pread, file, LIST, 1, -1, RESULT);
    IS(FAULT, fd_pread, file, LIST, 1, 0, BAD);
    IS(OK, fd_pread, file, LIST, 1, BIG - 4, RESULT);
}

ERRNO_TEST(writing) {
    IS(BADF, fd_write, 2, LIST, 1, RESULT);
    IS(BADF, fd_write, sub, LIST, 1, RESULT);
    IS(NOTCAPABLE, fd_write, reader, LIST, 1, RESULT);
    IS(NOTCAPABLE, fd_write, 0, LIST, 1, RESULT);
    IS(FAULT, fd_write, file, LIST, 1, BAD - 3);
    IS(FAULT, fd_write, file, -8, 1, RESULT);
    IS(FAULT, fd_write, file, LIST, 0x20000000, RESULT); // eight times that wraps around
    IS(OK, fd_write, file, LIST, 0, RESULT);
    IS(BADF, fd_pwrite, 99, LIST, 1, 0, RESULT);
    IS(BADF, fd_pwrite, sub, LIST, 1, 0, RESULT);
    IS(SPIPE, fd_pwrite, 1, LIST, 1, 0, RESULT);
    IS(NOTCAPABLE, fd_pwrite, reader, LIST, 1, 0, RESULT);
    IS(INVAL, fd_pwrite, file, LIST, 1, -1, RESULT);
    IS(FAULT, fd_pwrite, file, LIST, 1, 0, BAD - 1);
    IS(OK, fd_pwrite, file, LIST, 1, 0, RESULT);
    close(in[0]), close(other_end);
    IS(PIPE, fd_write, stream, LIST, 1, RESULT); // and no signal
    IS(PIPE, sock_send, stream, LIST, 1, 0, RESULT);
}

ERRNO_TEST(places) {
    IS(BADF, fd_seek, 99, 0, 0, RESULT);
    IS(BADF, fd_seek, sub, 0, 0, RESULT);
    IS(SPIPE, fd_seek, 0, 0, 0, RESULT);
    IS(SPIPE, fd_seek, stream, 0, 1, RESULT);
    IS(NOTCAPABLE, fd_seek, bare, 0, 0, RESULT);
    IS(INVAL, fd_seek, file, 0, 3, RESULT);
    IS(INVAL, fd_seek, file, 0, -1, RESULT);
    IS(INVAL, fd_seek, file, -1, 0, RESULT);
    IS(FAULT, fd_seek, file, 0, 0, BAD - 7);
    IS(OK, fd_seek, file, 0, 2, BAD - 8);
    IS(BADF, fd_tell, 99, RESULT);
    IS(BADF, fd_tell, sub, RESULT);
    IS(SPIPE, fd_tell, 1, RESULT);
    IS(NOTCAPABLE, fd_tell, bare, RESULT);
    IS(FAULT, fd_tell, file, BAD);
    IS(BADF, fd_sync, 99);
    IS(NOTCAPABLE, fd_sync, bare);
    IS(NOTCAPABLE, fd_sync, 4);
    IS(BADF, fd_datasync, 99);
    IS(NOTCAPABLE, fd_datasync, reader);
    IS(OK, fd_sync, sub);
    IS(INVAL, fd_sync, 1); // a pipe
}

ERRNO_TEST(listing) {
    IS(BADF, fd_readdir, 99, DATA, 100, 0, RESULT);
    IS(NOTDIR, fd_readdir, file, DATA, 100, 0, RESULT);
    IS(NOTDIR, fd_readdir, 0, DATA, 100, 0, RESULT);
    IS(INVAL, fd_readdir, sub, DATA, 100, -1, RESULT);
    IS(FAULT, fd_readdir, sub, BAD - 99, 100, 0, RESULT);
    IS(FAULT, fd_readdir, sub, DATA, 100, 0, BAD - 3);
    IS(FAULT, fd_readdir, sub, DATA, -1, 0, RESULT);
    IS(OK, fd_readdir, sub, BAD - 100, 100, 0, RESULT);
    IS(OK, fd_readdir, sub, DATA, 0, 0, RESULT);
    IS(OK, fd_fdstat_set_rights, sub, 0, 0);
    IS(NOTCAPABLE, fd_readdir, sub, DATA, 100, 0, RESULT);
    IS(BADF, fd_prestat_get, file, RESULT);
    IS(BADF, fd_prestat_get, 99, RESULT);
    IS(FAULT, fd_prestat_get, 3, BAD - 7);
    IS(OK, fd_prestat_get, 3, BAD - 8);
    IS(BADF, fd_prestat_dir_name, 1, DATA, 4);
    IS(NAMETOOLONG, fd_prestat_dir_name, 3, DATA, 3);
    IS(FAULT, fd_prestat_dir_name, 3, BAD - 3, 4);
    IS(OK, fd_prestat_dir_name, 3, BAD - 4, 4);
}

ERRNO_TEST(create_directory) {
    IS(BADF, path_create_directory, 99, P("x"));
    IS(NOTDIR, path_create_directory, file, P("x"));
    IS(NOTCAPABLE, path_create_directory, 4, P("x"));
    IS(EXIST, path_create_directory, 3, P("d"));
    IS(EXIST, path_create_directory, 3, P("f"));
    IS(EXIST, path_create_directory, 3, P("dang"));
    IS(EXIST, path_create_directory, 3, P("."));
    IS(EXIST, path_create_directory, 3, P("d/.."));
    IS(NOENT, path_create_directory, 3, P("gone/x"));
    IS(NOTDIR, path_create_directory, 3, P("f/x"));
    IS(LOOP, path_create_directory, 3, P("loop/x"));
    IS(NOENT, path_create_directory, 3, P(""));
    IS(NOTCAPABLE, path_create_directory, 3, P("../x"));
    IS(NOTCAPABLE, path_create_directory, 3, P("/x"));
    IS(NOTCAPABLE, path_create_directory, 3, P("out/x"));
    IS(NAMETOOLONG, path_create_directory, 3, PATH, 4096);
    IS(FAULT, path_create_directory, 3, BAD - 1, 2);
    IS(ILSEQ, path_create_directory, 3, text_at("a"), 2);
    IS(OK, path_create_directory, 3, P("new/"));
}

ERRNO_TEST(remove_and_unlink) {
    IS(BADF, path_remove_directory, 99, P("d"));
    IS(NOTDIR, path_remove_directory, file, P("d"));
    IS(NOTCAPABLE, path_remove_directory, 4, P("d"));
    IS(NOTEMPTY, path_remove_directory, 3, P("full"));
    IS(NOTDIR, path_remove_directory, 3, P("f"));
    IS(NOTDIR, path_remove_directory, 3, P("dl"));
    IS(NOTDIR, path_remove_directory, 3, P("dl/"));
    IS(NOENT, path_remove_directory, 3, P("gone"));
    IS(INVAL, path_remove_directory, 3, P("."));
    IS(NOTEMPTY, path_remove_directory, 3, P("d/.."));
    IS(NOTCAPABLE, path_remove_directory, 3, P(".."));
    IS(NOENT, path_remove_directory, 3, P(""));
    IS(BADF, path_unlink_file, 99, P("f"));
    IS(NOTDIR, path_unlink_file, file, P("f"));
    IS(NOTCAPABLE, path_unlink_file, 4, P("f"));
    IS(ISDIR, path_unlink_file, 3, P("d"));
    IS(ISDIR, path_unlink_file, 3, P("d/"));
    IS(NOTDIR, path_unlink_file, 3, P("f/"));
    IS(NOTDIR, path_unlink_file, 3, P("dl/"));
    IS(NOENT, path_unlink_file, 3, P("gone"));
    IS(NOTDIR, path_unlink_file, 3, P("f/x"));
    IS(NOTCAPABLE, path_unlink_file, 3, P("out/passwd"));
    IS(OK, path_unlink_file, 3, P("out")); // the link itself
}

ERRNO_TEST(path_filestat) {
    IS(BADF, path_filestat_get, 99, 0, P("f"), DATA);
    IS(NOTDIR, path_filestat_get, file, 0, P("f"), DATA);
    IS(INVAL, path_filestat_get, 3, 2, P("f"), DATA);
    IS(NOENT, path_filestat_get, 3, 0, P("gone"), DATA);
    IS(NOENT, path_filestat_get, 3, 1, P("dang"), DATA);
    IS(LOOP, path_filestat_get, 3, 1, P("loop"), DATA);
    IS(NOTDIR, path_filestat_get, 3, 0, P("f/"), DATA);
    IS(NOTDIR, path_filestat_get, 3, 0, P("l/"), DATA);
    IS(NOTCAPABLE, path_filestat_get, 3, 1, P("out"), DATA);
    IS(NOTCAPABLE, path_filestat_get, 3, 0, P("out/"), DATA);
    IS(NOTCAPABLE, path_filestat_get, 3, 0, P("up/"), DATA);
    IS(NOTCAPABLE, path_filestat_get, 3, 0, P(".."), DATA);
    IS(FAULT, path_filestat_get, 3, 0, P("f"), BAD - 63);
    IS(OK, path_filestat_get, 3, 0, P("out"), DATA);
    IS(OK, path_filestat_get, 4, 1, P("dl/g"), DATA);
    IS(BADF, path_filestat_set_times, 99, 0, P("f"), 0, 0, 5);
    IS(NOTCAPABLE, path_filestat_set_times, 4, 0, P("f"), 0, 0, 5);
    IS(INVAL, path_filestat_set_times, 3, 0, P("f"), 0, 0, 3);
    IS(INVAL, path_filestat_set_times, 3, 2, P("f"), 0, 0, 5);
    IS(NOENT, path_filestat_set_times, 3, 0, P("gone"), 0, 0, 5);
    IS(NOTCAPABLE, path_filestat_set_times, 3, 1, P("out"), 0, 0, 5);
    IS(NOTCAPABLE, path_filestat_set_times, 3, 0, P("out/"), 0, 0, 5);
    IS(OK, path_filestat_set_times, 3, 0, P("out"), 0, 0, 5); // the link's own
}

ERRNO_TEST(links) {
    IS(BADF, path_link, 99, 0, P("f"), 3, P("n"));
    IS(BADF, path_link, 3, 0, P("f"), 99, P("n"));
    IS(NOTDIR, path_link, 3, 0, P("f"), file, P("n"));
    IS(NOTCAPABLE, path_link, 4, 0, P("f"), 3, P("n")); // what may only be looked at gets no name where it can be written
    IS(NOTCAPABLE, path_link, 3, 0, P("f"), 4, P("n"));
    IS(INVAL, path_link, 3, 4, P("f"), 3, P("n"));
    IS(NOENT, path_link, 3, 0, P("gone"), 3, P("n"));
    IS(NOENT, path_link, 3, 1, P("dang"), 3, P("n"));
    IS(PERM, path_link, 3, 0, P("d"), 3, P("n"));
    IS(EXIST, path_link, 3, 0, P("f"), 3, P("d/g"));
    IS(NOTDIR, path_link, 3, 0, P("f/"), 3, P("n"));
    IS(NOTCAPABLE, path_link, 3, 0, P("out/passwd"), 3, P("n"));
    IS(NOTCAPABLE, path_link, 3, 0, P("f"), 3, P("out/n"));
    IS(OK, path_link, 3, 0, P("l"), 3, P("n"));
    IS(BADF, path_symlink, P("t"), 99, P("s"));
    IS(NOTDIR, path_symlink, P("t"), file, P("s"));
    IS(NOTCAPABLE, path_symlink, P("t"), 4, P("s"));
    IS(NOTCAPABLE, path_symlink, P("/t"), 3, P("s"));
    IS(NOENT, path_symlink, P(""), 3, P("s"));
    IS(NOENT, path_symlink, P("t"), 3, P(""));
    IS(NOENT, path_symlink, P("t"), 3, P("s/"));
    IS(EXIST, path_symlink, P("t"), 3, P("f"));
    IS(NOTCAPABLE, path_symlink, P("t"), 3, P("../s"));
    IS(FAULT, path_symlink, BAD - 1, 2, 3, P("s"));
    IS(BADF, path_readlink, 99, P("l"), DATA, 9, RESULT);
    IS(NOTDIR, path_readlink, file, P("l"), DATA, 9, RESULT);
    IS(INVAL, path_readlink, 3, P("f"), DATA, 9, RESULT);
    IS(INVAL, path_readlink, 3, P("dl/"), DATA, 9, RESULT);
    IS(INVAL, path_readlink, 3, P("l"), DATA, 0, RESULT);
    IS(NOENT, path_readlink, 3, P("gone"), DATA, 9, RESULT);
    IS(NOTCAPABLE, path_readlink, 3, P("out/x"), DATA, 9, RESULT);
    IS(NOTCAPABLE, path_readlink, 3, P("out/"), DATA, 9, RESULT);
    IS(FAULT, path_readlink, 3, P("l"), BAD - 8, 9, RESULT);
    IS(FAULT, path_readlink, 3, P("l"), DATA, 9, BAD - 3);
    IS(OK, path_readlink, 4, P("l"), BAD - 9, 9, RESULT);
}

ERRNO_TEST(opening) {
    IS(BADF, path_open, 99, 0, P("f"), 0, 0, 0, 0, RESULT);
    IS(NOTDIR, path_open, file, 0, P("f"), 0, 0, 0, 0, RESULT);
    IS(INVAL, path_open, 3, 2, P("f"), 0, 0, 0, 0, RESULT);
    IS(INVAL, path_open, 3, 0, P("f"), 16, 0, 0, 0, RESULT);
    IS(INVAL, path_open, 3, 0, P("f"), 0, 0, 0, 32, RESULT);
    IS(INVAL, path_open, 3, 0, P("d"), CREATE | DIRECTORY, 0, 0, 0, RESULT);
    IS(INVAL, path_open, 3, 0, P("d"), TRUNCATE | DIRECTORY, 0, 0, 0, RESULT);
    IS(NOENT, path_open, 3, 0, P("gone"), 0, 0, 0, 0, RESULT);
    IS(NOENT, path_open, 3, 1, P("dang"), 0, 0, 0, 0, RESULT);
    IS(NOENT, path_open, 3, 0, P(""), 0, 0, 0, 0, RESULT);
    IS(EXIST, path_open, 3, 0, P("f"), CREATE | EXCLUSIVE, 0, 0, 0, RESULT);
    IS(EXIST, path_open, 3, 1, P("dang"), CREATE | EXCLUSIVE, 0, 0, 0, RESULT);
    IS(LOOP, path_open, 3, 0, P("l"), 0, 0, 0, 0, RESULT); // not followed
    IS(LOOP, path_open, 3, 1, P("loop"), 0, 0, 0, 0, RESULT);
    IS(NOTDIR, path_open, 3, 0, P("f"), DIRECTORY, 0, 0, 0, RESULT);
    IS(NOTDIR, path_open, 3, 0, P("f/"), 0, 0, 0, 0, RESULT);
    IS(NOTDIR, path_open, 3, 0, P("f/x"), CREATE, 0, 0, 0, RESULT);
    IS(ISDIR, path_open, 3, 0, P("new/"), CREATE, 0, 0, 0, RESULT);
    IS(ISDIR, path_open, 3, 0, P("d"), 0, W_RIGHT(R_FD_WRITE), 0, 0, RESULT);
    IS(ISDIR, path_open, 3, 0, P("d"), TRUNCATE, 0, 0, 0, RESULT);
    IS(NOTCAPABLE, path_open, 3, 1, P("out"), 0, 0, 0, 0, RESULT);
    IS(NOTCAPABLE, path_open, 3, 1, P("out/passwd"), 0, 0, 0, 0, RESULT);
    IS(NOTCAPABLE, path_open, 3, 1, P("up"), 0, 0, 0, 0, RESULT);
    IS(NOTCAPABLE, path_open, 3, 1, P(".."), 0, 0, 0, 0, RESULT);
    IS(NOTCAPABLE, path_open, 3, 1, P("/f"), 0, 0, 0, 0, RESULT);
    IS(NOTCAPABLE, path_open, sub, 1, P("../f"), 0, 0, 0, 0, RESULT); // a directory is a root of its own
    IS(NOTCAPABLE, path_open, 4, 0, P("f"), 0, W_RIGHT(R_FD_WRITE), 0, 0, RESULT);
    IS(NOTCAPABLE, path_open, 4, 0, P("f"), TRUNCATE, 0, 0, 0, RESULT);
    IS(NOTCAPABLE, path_open, 4, 0, P("new"), CREATE, 0, 0, 0, RESULT);
    IS(NOTCAPABLE, path_open, 4, 0, P("f"), 0, 2, 0, 16, RESULT); // synchronous needs the right to synchronise
    IS(FAULT, path_open, 3, 0, P("f"), 0, 0, 0, 0, BAD - 3);
    IS(FAULT, path_open, 3, 0, -1, 2, 0, 0, 0, 0, RESULT);
    IS(NAMETOOLONG, path_open, 3, 0, PATH, -1, 0, 0, 0, 0, RESULT);
    IS(NOTCAPABLE, path_open, 4, 0, P("f"), 0, 2, 0, 2, RESULT);
    IS(OK, path_open, 4, 1, P("l"), 0, ALL_BITS & ~(int64_t)W_RIGHT(R_FD_WRITE), -1, 0, RESULT);
    int64_t fd = (int64_t)get(RESULT, 4);
    IS(NOTCAPABLE, fd_filestat_set_size, fd, 0);
    IS(NOTCAPABLE, fd_filestat_set_times, fd, 0, 0, 5);
}

// Each function that takes a path, for each of its paths.
ERRNO_TEST(paths_that_are_not_utf8) {
    static const char *const bad[] = {"\x80", "a\xff", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf0\x80\x80\xaf",
                                      "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xc3", "\xe2\x82", "\xf0\x9f\x98", "d/\xfe/x"};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        IS(ILSEQ, path_create_directory, 3, P(bad[k]));
        IS(ILSEQ, path_remove_directory, 3, P(bad[k]));
        IS(ILSEQ, path_unlink_file, 3, P(bad[k]));
        IS(ILSEQ, path_filestat_get, 3, 0, P(bad[k]), DATA);
        IS(ILSEQ, path_filestat_set_times, 3, 0, P(bad[k]), 0, 0, 10);
        IS(ILSEQ, path_link, 3, 0, P(bad[k]), 3, P("n"));
        IS(ILSEQ, path_link, 3, 0, P("f"), 3, P(bad[k]));
        IS(ILSEQ, path_symlink, P(bad[k]), 3, P("n"));
        IS(ILSEQ, path_symlink, P("f"), 3, P(bad[k]));
        IS(ILSEQ, path_readlink, 3, P(bad[k]), DATA, 9, RESULT);
        IS(ILSEQ, path_rename, 3, P(bad[k]), 3, P("n"));
        IS(ILSEQ, path_rename, 3, P("f"), 3, P(bad[k]));
        IS(ILSEQ, path_open, 3, 0, P(bad[k]), CREATE, 0, 0, 0, RESULT);
    }
    IS(OK, path_open, 3, 0, P("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xed\x9f\xbf\xf4\x8f\xbf\xbf"), CREATE, 0, 0, 0, RESULT);
}

// What the host has put there.
ERRNO_TEST(names_of_the_host_that_are_not_utf8) {
    run("cd %s && ln -s \"$(printf 'x\\377')\" bad && ln -s \"$(printf 'x\\303\\251')\" good && touch \"full/$(printf 'n\\376')\"%s", dir, "");
    IS(ILSEQ, path_readlink, 3, P("bad"), DATA, 9, RESULT);
    IS(ILSEQ, path_readlink, 3, P("bad"), DATA, 2, RESULT);
    IS(ILSEQ, path_readlink, 3, P("bad"), DATA, 1, RESULT);
    IS(OK, path_readlink, 3, P("good"), DATA, 9, RESULT);
    IS(OK, path_readlink, 3, P("good"), DATA, 2, RESULT);
    int64_t full = open_as("full", DIRECTORY, W_ALL_RIGHTS);
    IS(ILSEQ, fd_readdir, full, DATA, 1000, 0, RESULT);
    IS(OK, fd_readdir, sub, DATA, 1000, 0, RESULT);
}

// A directory passes on its inheriting rights and no other; they only ever become fewer.
ERRNO_TEST(inherited_rights) {
    const int64_t read = W_RIGHT(R_FD_READ), few = read | W_RIGHT(R_FD_SEEK) | W_RIGHT(R_PATH_OPEN);
    IS(OK, path_open, 3, 0, P("d"), DIRECTORY, ALL_BITS, few, 0, RESULT);
    int64_t d = (int64_t)get(RESULT, 4);
    IS(OK, fd_fdstat_get, d, DATA);
    cr_expect_eq(get(DATA + 16, 8), (uint64_t)few);
    IS(OK, path_open, d, 0, P("g"), 0, read, read, 0, RESULT);
    IS(OK, path_open, d, 0, P("g"), 0, few, few, 0, RESULT);
    for (int right = 0; right < R_COUNT; right++) {
        if (few >> right & 1) continue;
        IS(NOTCAPABLE, path_open, d, 0, P("g"), 0, read | (int64_t)W_RIGHT(right), 0, 0, RESULT);
        IS(NOTCAPABLE, path_open, d, 0, P("g"), 0, read, (int64_t)W_RIGHT(right), 0, RESULT);
    }
    IS(OK, path_open, d, 0, P("g"), 0, read | (int64_t)1 << 40, 0, 0, RESULT); // a bit that is no right
    IS(NOTCAPABLE, fd_fdstat_set_rights, d, 0, few | W_RIGHT(R_FD_WRITE));
    IS(OK, fd_fdstat_set_rights, d, W_RIGHT(R_PATH_OPEN), read);
    IS(NOTCAPABLE, path_open, d, 0, P("g"), 0, few, 0, 0, RESULT);
    IS(NOTCAPABLE, path_open, d, 0, P("n"), CREATE, read, 0, 0, RESULT);
    IS(OK, path_open, d, 0, P("g"), 0, read, 0, 0, RESULT);
    IS(OK, fd_fdstat_set_rights, d, W_RIGHT(R_PATH_OPEN), 0);
    IS(NOTCAPABLE, path_open, d, 0, P("g"), 0, read, 0, 0, RESULT);
    IS(OK, path_open, d, 0, P("g"), 0, 0, 0, 0, RESULT);
}

// What Rust's library asks for when it opens a file to read (docs/wasi.md); what it gets is for reading.
ERRNO_TEST(read_only_directories_give_less_than_is_asked_for) {
    const int64_t writes = W_RIGHT(R_FD_WRITE), rust = ALL_BITS & ~(int64_t)(writes | W_RIGHT(R_FD_DATASYNC) | W_RIGHT(R_FD_ALLOCATE));
    IS(OK, fd_fdstat_get, 4, DATA);
    cr_expect_eq(get(DATA + 16, 8), W_READING_RIGHTS);
    IS(OK, path_open, 4, 0, P("f"), 0, rust, rust, 0, RESULT);
    int64_t fd = (int64_t)get(RESULT, 4);
    IS(OK, fd_fdstat_get, fd, DATA);
    cr_expect_eq(get(DATA + 8, 8) & ~W_READING_RIGHTS, 0);
    IS(OK, fd_read, fd, LIST, 1, RESULT);
    IS(NOTCAPABLE, path_open, 4, 0, P("f"), 0, rust | writes, rust, 0, RESULT);
    IS(OK, path_open, 4, 0, P("d"), DIRECTORY, rust, ALL_BITS, 0, RESULT);
    int64_t below = (int64_t)get(RESULT, 4);
    IS(NOTCAPABLE, path_open, below, 0, P("g"), 0, writes, 0, 0, RESULT);
    IS(NOTCAPABLE, path_open, below, 0, P("n"), CREATE, 0, 0, 0, RESULT);
    IS(NOTCAPABLE, path_unlink_file, below, P("g"));
    IS(NOTCAPABLE, fd_fdstat_set_rights, below, 0, writes);
}

ERRNO_TEST(renaming) {
    IS(BADF, path_rename, 99, P("f"), 3, P("n"));
    IS(BADF, path_rename, 3, P("f"), 99, P("n"));
    IS(NOTDIR, path_rename, file, P("f"), 3, P("n"));
    IS(NOTCAPABLE, path_rename, 4, P("f"), 3, P("n"));
    IS(NOTCAPABLE, path_rename, 3, P("f"), 4, P("n"));
    IS(NOENT, path_rename, 3, P("gone"), 3, P("n"));
    IS(NOENT, path_rename, 3, P("f"), 3, P("gone/n"));
    IS(NOTDIR, path_rename, 3, P("d"), 3, P("f"));
    IS(ISDIR, path_rename, 3, P("f"), 3, P("d"));
    IS(NOTEMPTY, path_rename, 3, P("d"), 3, P("full"));
    IS(INVAL, path_rename, 3, P("d"), 3, P("d/x"));
    IS(NOTDIR, path_rename, 3, P("f/"), 3, P("n"));
    IS(NOTDIR, path_rename, 3, P("f"), 3, P("n/"));
    IS(BUSY, path_rename, 3, P("."), 3, P("n"));
    IS(BUSY, path_rename, 3, P("d/.."), 3, P("n"));
    IS(NOTCAPABLE, path_rename, 3, P(".."), 3, P("n"));
    IS(NOTCAPABLE, path_rename, 3, P("f"), 3, P("../n"));
    IS(NOTCAPABLE, path_rename, 3, P("out/passwd"), 3, P("n"));
    IS(OK, path_rename, 3, P("d/"), 3, P("e/"));
}

static void subscribe(uint32_t k, uint8_t type, uint32_t what, uint64_t timeout, uint16_t flags) {
    uint32_t at = DATA + k * 48;
    memset(memory + at, 0, 48);
    put(at, 8, 100 + k);
    memory[at + 8] = type;
    put(at + 16, 4, what);
    if (!type) put(at + 24, 8, timeout), put(at + 40, 2, flags);
}

static void event_is(uint32_t k, uint64_t userdata, int error) {
    uint32_t at = TEXTS + k * 32;
    cr_expect(get(at, 8) == userdata && get(at + 8, 2) == (uint64_t)error, "event %u: %lu error %lu", k, get(at, 8),
              get(at + 8, 2));
    checks++;
}

ERRNO_TEST(polling) {
    subscribe(0, 0, 1, 0, 0);
    IS(INVAL, poll_oneoff, DATA, TEXTS, 0, RESULT);
    IS(INVAL, poll_oneoff, DATA, TEXTS, -1, RESULT);
    IS(INVAL, poll_oneoff, DATA, TEXTS, 1025, RESULT);
    IS(FAULT, poll_oneoff, BAD - 47, TEXTS, 1, RESULT);
    IS(FAULT, poll_oneoff, DATA, BAD - 31, 1, RESULT);
    IS(FAULT, poll_oneoff, DATA, TEXTS, 1, BAD - 3);
    IS(OK, poll_oneoff, DATA, BAD - 32, 1, RESULT);
    memory[DATA + 8] = 3;
    IS(INVAL, poll_oneoff, DATA, TEXTS, 1, RESULT);
    subscribe(0, 0, 9, 0, 0);
    subscribe(1, 0, 2, 0, 0);
    subscribe(2, 0, 1, 0, 2);
    subscribe(3, 1, 99, 0, 0);
    subscribe(4, 2, (uint32_t)bare, 0, 0);
    subscribe(5, 1, 0, 0, 0);             // nothing to read there
    subscribe(6, 0, 1, 3600000000000, 0); // not in this hour
    IS(OK, poll_oneoff, DATA, TEXTS, 7, RESULT);
    cr_expect_eq(get(RESULT, 4), 5);
    event_is(0, 100, E_INVAL);
    event_is(1, 101, E_INVAL);
    event_is(2, 102, E_INVAL);
    event_is(3, 103, E_BADF);
    event_is(4, 104, E_NOTCAPABLE);
}

ERRNO_TEST(many_subscriptions) {
    for (uint32_t k = 0; k < 1024; k++) subscribe(k, k % 2 ? 2 : 0, k % 2 ? (uint32_t)file : 0, 1, k % 4 ? 1 : 0);
    IS(OK, poll_oneoff, DATA, TEXTS, 1024, RESULT);
    cr_expect_geq(get(RESULT, 4), 768); // all files and what was long ago; the nanoseconds may be over too
}

ERRNO_TEST(sockets) {
    IS(BADF, sock_accept, 99, 0, RESULT);
    IS(NOTSOCK, sock_accept, file, 0, RESULT);
    IS(NOTSOCK, sock_accept, 3, 0, RESULT);
    IS(INVAL, sock_accept, listener, 1, RESULT);
    IS(AGAIN, sock_accept, listener, 0, RESULT);
    IS(INVAL, sock_accept, stream, 0, RESULT); // does not listen
    IS(FAULT, sock_accept, listener, 0, BAD - 3);
    IS(BADF, sock_recv, 99, LIST, 1, 0, RESULT, RESULT + 4);
    IS(NOTSOCK, sock_recv, file, LIST, 1, 0, RESULT, RESULT + 4);
    IS(INVAL, sock_recv, stream, LIST, 1, 4, RESULT, RESULT + 4);
    IS(AGAIN, sock_recv, stream, LIST, 1, 0, RESULT, RESULT + 4);
    IS(INVAL, sock_recv, listener, LIST, 1, 0, RESULT, RESULT + 4); // what the system says of a listener
    IS(FAULT, sock_recv, stream, LIST, 1, 0, BAD - 3, RESULT);
    IS(FAULT, sock_recv, stream, LIST, 1, 0, RESULT, BAD - 1);
    IS(FAULT, sock_recv, stream, BAD - 4, 1, 0, RESULT, RESULT + 4);
    IS(BADF, sock_send, 2, LIST, 1, 0, RESULT);
    IS(NOTSOCK, sock_send, 1, LIST, 1, 0, RESULT);
    IS(INVAL, sock_send, stream, LIST, 1, 1, RESULT);
    IS(FAULT, sock_send, stream, LIST, 1, 0, BAD);
    IS(NOTCONN, sock_send, listener, LIST, 1, 0, RESULT);
    IS(BADF, sock_shutdown, 99, 1);
    IS(NOTSOCK, sock_shutdown, file, 1);
    IS(INVAL, sock_shutdown, stream, 0);
    IS(INVAL, sock_shutdown, stream, 4);
    IS(OK, sock_shutdown, stream, 2);
    IS(PIPE, sock_send, stream, LIST, 1, 0, RESULT);
    IS(OK, fd_fdstat_set_rights, stream, 0, 0);
    IS(NOTCAPABLE, sock_recv, stream, LIST, 1, 0, RESULT, RESULT + 4);
    IS(NOTCAPABLE, sock_send, stream, LIST, 1, 0, RESULT);
    IS(NOTCAPABLE, sock_shutdown, stream, 1);
}
