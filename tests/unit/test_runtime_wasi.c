// tests/unit/test_runtime_wasi.c: WASI, function by function, through modules that import and export all of it.
#include "tests/unit/wasi_guest.h"

// ---- The process

Test(runtime_wasi, arguments_and_environment, .init = begin, .fini = end) {
    cr_assert_eq(W(args_sizes_get, RESULT, RESULT + 4), 0);
    cr_assert(get(RESULT, 4) == 3 && get(RESULT + 4, 4) == 10);
    cr_assert_eq(W(args_get, LIST, DATA), 0);
    cr_assert(!memcmp(memory + DATA, "prog\0one\0\0", 10));
    cr_assert(get(LIST, 4) == DATA && get(LIST + 4, 4) == DATA + 5 && get(LIST + 8, 4) == DATA + 9);
    cr_assert_eq(W(environ_sizes_get, RESULT, RESULT + 4), 0);
    cr_assert(get(RESULT, 4) == 2 && get(RESULT + 4, 4) == 15);
    cr_assert_eq(W(environ_get, LIST, DATA), 0);
    cr_assert_str_eq((char *)memory + get(LIST + 4, 4), "LONG=value");
    cr_assert_eq(W(environ_get, BAD, DATA), W_FAULT);
    cr_assert_eq(W(args_get, LIST, BAD - 3), W_FAULT);
}

Test(runtime_wasi, clocks_and_random, .init = begin, .fini = end) {
    for (int id = 0; id < 4; id++) {
        cr_assert_eq(W(clock_res_get, id, RESULT), 0);
        cr_assert_gt(get(RESULT, 8), 0);
        cr_assert_eq(W(clock_time_get, id, 1, RESULT), 0);
        uint64_t t = get(RESULT, 8);
        cr_assert_eq(W(clock_time_get, id, 1, RESULT), 0);
        cr_assert_geq(get(RESULT, 8), t);
    }
    cr_assert_eq(W(clock_time_get, 4, 0, RESULT), W_INVAL);
    cr_assert_eq(W(random_get, DATA, 64), 0);
    int zeros = 0;
    for (int k = 0; k < 64; k++) zeros += !memory[DATA + k];
    cr_assert_lt(zeros, 16);
    cr_assert_eq(W(random_get, BAD - 1, 2), W_FAULT);
    cr_assert_eq(wasmx_call(func(guest, "sched_yield"), NULL, &(wasmx_value){0}), WASMX_OK);
}

Test(runtime_wasi, exit_is_a_trap_with_a_code, .init = begin, .fini = end) {
    wasmx_value code = {.i32 = 42};
    cr_assert_eq(wasmx_call(func(guest, "proc_exit"), &code, NULL), WASMX_TRAP_EXIT);
    cr_assert_eq(wasmx_last_trap(guest)->exit_code, 42);
    cr_assert(W(proc_raise, 0) == 0 && W(proc_raise, 16) == 0);
    cr_assert(W(proc_raise, 18) == W_NOTSUP && W(proc_raise, 31) == W_INVAL && W(proc_raise, -1) == W_INVAL);
    for (int signal = 1; signal <= 30; signal++) {
        static const int same[] = {16, 17, 18, 19, 20, 21, 22, 27};
        bool ends = true;
        for (size_t k = 0; k < sizeof same / sizeof *same; k++) ends &= signal != same[k];
        code.i32 = signal;
        if (!ends) continue;
        cr_assert_eq(wasmx_call(func(guest, "proc_raise"), &code, &(wasmx_value){0}), WASMX_TRAP_EXIT);
        cr_assert_eq(wasmx_last_trap(guest)->exit_code, 128 + signal + (signal > 15), "%d", signal);
    }
}

Test(runtime_wasi, sockets_are_not_there, .init = begin, .fini = end) {
    cr_assert_eq(W(sock_recv, 0, LIST, 0, 0, RESULT, RESULT), W_NOTSOCK);
    cr_assert_eq(W(sock_send, 1, LIST, 0, 0, RESULT), W_NOTSOCK);
    cr_assert_eq(W(sock_shutdown, 99, 0), W_BADF);
    cr_assert_eq(W(sock_accept, 3, 0, RESULT), W_NOTSOCK);
}

// ---- Streams

Test(runtime_wasi, streams, .init = begin, .fini = end) {
    char got[32] = "";
    strcpy((char *)memory + DATA, "abcdef");
    buffers(3, 2);
    cr_assert_eq(W(fd_write, 1, LIST, 3, RESULT), 0);
    cr_assert_eq(get(RESULT, 4), 6);
    cr_assert_eq(read(out[0], got, sizeof got), 6);
    cr_assert_str_eq(got, "abcdef");
    cr_assert_eq(write(in[1], "12345", 5), 5);
    cr_assert_eq(W(fd_read, 0, LIST, 2, RESULT), 0);
    cr_assert(get(RESULT, 4) == 4 && !memcmp(memory + DATA, "1234", 4));
    cr_assert_eq(W(fd_write, 2, LIST, 1, RESULT), W_BADF); // was not given
    cr_assert_eq(W(fd_write, 9, LIST, 1, RESULT), W_BADF);
    cr_assert_eq(W(fd_write, -1, LIST, 1, RESULT), W_BADF);
    cr_assert_eq(W(fd_seek, 1, 0, 1, RESULT), 70); // ESPIPE
    put(LIST + 12, 4, 0xffffffff);
    cr_assert_eq(W(fd_write, 1, LIST, 2, RESULT), W_FAULT);
    cr_assert_eq(W(fd_write, 1, BAD - 8, 2, RESULT), W_FAULT);
    cr_assert_eq(W(fd_write, 1, LIST, -1, RESULT), W_FAULT);
}

static void subscribe(uint32_t k, uint32_t size, uint64_t userdata, uint8_t type, uint64_t what) {
    uint32_t at = LIST + k * size;
    memset(memory + at, 0, size);
    put(at, 8, userdata);
    memory[at + 8] = type;
    put(at + 16, 4, type ? what : 1);
    if (!type) put(at + (size == 48 ? 24 : 32), 8, what);
    if (!type && size == 56) put(at + 24, 4, 1);
}

static uint64_t monotonic(void) {
    W(clock_time_get, 1, 0, RESULT + 512);
    return get(RESULT + 512, 8);
}

static void check_polling(uint32_t size) {
    subscribe(0, size, 111, 0, 20000000);
    subscribe(1, size, 222, 1, 0);
    uint64_t start = monotonic();
    cr_assert_eq(W(poll_oneoff, LIST, DATA, 2, RESULT), 0);
    cr_assert_geq(monotonic() - start, 20000000);
    cr_assert(get(RESULT, 4) == 1 && get(DATA, 8) == 111 && get(DATA + 8, 2) == 0 && memory[DATA + 10] == 0);
    cr_assert_eq(write(in[1], "xyz", 3), 3);
    cr_assert_eq(W(poll_oneoff, LIST, DATA, 2, RESULT), 0);
    cr_assert(get(RESULT, 4) == 1 && get(DATA, 8) == 222 && memory[DATA + 10] == 1 && get(DATA + 16, 8) == 3);
    subscribe(1, size, 333, 2, 77);
    cr_assert_eq(W(poll_oneoff, LIST, DATA, 2, RESULT), 0);
    cr_assert(get(RESULT, 4) == 1 && get(DATA, 8) == 333 && get(DATA + 8, 2) == W_BADF);
    cr_assert_eq(W(poll_oneoff, LIST, DATA, 0, RESULT), W_INVAL);
    cr_assert_eq(W(poll_oneoff, LIST, BAD - 32, 2, RESULT), W_FAULT);
}

Test(runtime_wasi, polling, .init = begin, .fini = end) {
    check_polling(48);
    subscribe(0, 48, 5, 0, monotonic() + 10000000);
    put(LIST + 40, 2, 1); // absolute
    cr_assert_eq(W(poll_oneoff, LIST, DATA, 1, RESULT), 0);
    cr_assert_eq(get(DATA, 8), 5);
}

Test(runtime_wasi, polling_in_preview0, .init = begin_unstable, .fini = end) { check_polling(56); }

// ---- Files

Test(runtime_wasi, files, .init = begin, .fini = end) {
    int64_t fd = opened("f", CREATE | EXCLUSIVE);
    cr_assert_eq(fd, 5);
    cr_assert_eq(open_code("f", CREATE | EXCLUSIVE), 20); // EEXIST
    cr_assert_eq(write_text(fd, "hello world"), 11);
    cr_assert_eq(W(fd_tell, fd, RESULT), 0);
    cr_assert_eq(get(RESULT, 8), 11);
    cr_assert_eq(W(fd_seek, fd, -5, 2, RESULT), 0);
    cr_assert_eq(get(RESULT, 8), 6);
    cr_assert_eq(W(fd_seek, fd, 1, 1, RESULT), 0);
    cr_assert_eq(W(fd_seek, fd, -1, 0, RESULT), W_INVAL);
    cr_assert_eq(W(fd_seek, fd, 0, 3, RESULT), W_INVAL);
    buffers(1, 3);
    cr_assert_eq(W(fd_read, fd, LIST, 1, RESULT), 0);
    cr_assert(!memcmp(memory + DATA, "orl", 3));
    cr_assert_eq(W(fd_pread, fd, LIST, 1, 1, RESULT), 0);
    cr_assert(!memcmp(memory + DATA, "ell", 3));
    cr_assert_eq(W(fd_pwrite, fd, LIST, 1, 8, RESULT), 0);
    cr_assert_eq(W(fd_filestat_set_size, fd, 100), 0);
    cr_assert_eq(W(fd_filestat_set_times, fd, 1000000001, 2000000002, 5), 0);
    cr_assert_eq(W(fd_filestat_set_times, fd, 0, 0, 3), W_INVAL);
    cr_assert_eq(W(fd_filestat_get, fd, DATA), 0);
    cr_assert(memory[DATA + 16] == W_TYPE_FILE && get(DATA + 24, 8) == 1 && get(DATA + 32, 8) == 100);
    cr_assert(get(DATA + 40, 8) == 1000000001 && get(DATA + 48, 8) == 2000000002);
    cr_assert_eq(W(fd_allocate, fd, 0, 200), 0);
    cr_assert_eq(W(fd_advise, fd, 0, 10, 3), 0);
    cr_assert_eq(W(fd_advise, fd, 0, 10, 9), W_INVAL);
    cr_assert(W(fd_sync, fd) == 0 && W(fd_datasync, fd) == 0);
    cr_assert_eq(W(path_filestat_get, 3, 1, PATH, path("f"), DATA), 0);
    cr_assert_eq(get(DATA + 32, 8), 200);
    cr_assert_eq(W(path_filestat_set_times, 3, 1, PATH, path("f"), 0, 7000000000, 4), 0);
    cr_assert_eq(W(path_filestat_set_times, 3, 0, PATH, path("f"), 0, 8000000000, 4), 0);
    cr_assert_eq(W(path_filestat_get, 3, 0, PATH, path("f"), DATA), 0);
    cr_assert_eq(get(DATA + 48, 8), 8000000000);
    cr_assert_eq(W(fd_close, fd), 0);
    cr_assert_eq(W(fd_close, fd), W_BADF);
    cr_assert_eq(W(fd_filestat_get, opened("f", TRUNCATE), DATA), 0);
    cr_assert_eq(get(DATA + 32, 8), 0);
}

Test(runtime_wasi, descriptors, .init = begin, .fini = end) {
    int64_t a = opened("a", CREATE), b = opened("b", CREATE);
    write_text(a, "from a");
    cr_assert_eq(W(fd_renumber, a, b), 0);
    cr_assert_eq(W(fd_tell, a, RESULT), W_BADF);
    cr_assert_eq(W(fd_tell, b, RESULT), 0);
    cr_assert_eq(get(RESULT, 8), 6);
    cr_assert_eq(W(fd_renumber, b, 99), W_BADF);
    cr_assert_eq(opened("c", CREATE), a); // the lowest free number
    cr_assert_eq(W(fd_fdstat_get, b, DATA), 0);
    cr_assert(memory[DATA] == W_TYPE_FILE && get(DATA + 2, 2) == 0 && (get(DATA + 8, 8) & W_RIGHT(R_FD_WRITE)));
    cr_assert_eq(W(fd_fdstat_set_flags, b, 1), 0); // append
    cr_assert_eq(W(fd_fdstat_get, b, DATA), 0);
    cr_assert_eq(get(DATA + 2, 2), 1);
    cr_assert_eq(W(fd_seek, b, 0, 0, RESULT), 0);
    write_text(b, "!");
    cr_assert_eq(W(fd_tell, b, RESULT), 0);
    cr_assert_eq(get(RESULT, 8), 7);
    cr_assert_eq(W(fd_fdstat_get, 0, DATA), 0);
    cr_assert_eq(W(fd_fdstat_get, 2, DATA), W_BADF);
}

Test(runtime_wasi, rights_only_shrink, .init = begin, .fini = end) {
    int64_t fd = opened("f", CREATE), reads = W_RIGHT(R_FD_READ) | W_RIGHT(R_FD_SEEK);
    cr_assert_eq(W(fd_fdstat_set_rights, fd, reads, 0), 0);
    cr_assert_eq(W(fd_fdstat_set_rights, fd, reads | W_RIGHT(R_FD_WRITE), 0), W_NOTCAPABLE);
    buffers(1, 1);
    cr_assert_eq(W(fd_write, fd, LIST, 1, RESULT), W_NOTCAPABLE);
    cr_assert_eq(W(fd_read, fd, LIST, 1, RESULT), 0);
    cr_assert_eq(W(path_open, 3, 0, PATH, path("f"), 0, reads, 0, 0, RESULT), 0);
    cr_assert_eq(W(fd_write, get(RESULT, 4), LIST, 1, RESULT), W_NOTCAPABLE);
    cr_assert_eq(W(fd_fdstat_set_rights, 3, W_RIGHT(R_PATH_OPEN), 0), 0);
    cr_assert_eq(open_code("new", CREATE), W_NOTCAPABLE);
    cr_assert_eq(W(path_unlink_file, 3, PATH, path("f")), W_NOTCAPABLE);
}

Test(runtime_wasi, many_descriptors, .init = begin, .fini = end) {
    int32_t code = 0;
    int opened_files = 0;
    while (!code && opened_files < 5000) code = open_code("f", CREATE), opened_files += !code;
    cr_assert_eq(code, W_MFILE);
    cr_assert_gt(opened_files, 100);
}

// ---- Directories

Test(runtime_wasi, preopened, .init = begin, .fini = end) {
    cr_assert_eq(W(fd_prestat_get, 3, RESULT), 0);
    cr_assert(get(RESULT, 4) == 0 && get(RESULT + 4, 4) == 4);
    cr_assert_eq(W(fd_prestat_dir_name, 3, DATA, 4), 0);
    cr_assert(!memcmp(memory + DATA, "data", 4));
    cr_assert_eq(W(fd_prestat_dir_name, 3, DATA, 3), W_NAMETOOLONG);
    cr_assert_eq(W(fd_prestat_get, 5, RESULT), W_BADF);
    cr_assert_eq(W(fd_prestat_get, 0, RESULT), W_BADF);
}

// Reads a directory with a buffer of `size` bytes; how many of the names were "n0" to "n39".
static int list_directory(int64_t fd, uint32_t size) {
    uint64_t cookie = 0, mask = 0;
    for (int rounds = 0; rounds < 500; rounds++) {
        cr_assert_eq(W(fd_readdir, fd, DATA, size, cookie, RESULT), 0);
        uint32_t used = (uint32_t)get(RESULT, 4), at = 0;
        cr_assert_leq(used, size);
        while (used - at >= 24 && get(DATA + at + 16, 4) <= used - at - 24) {
            uint32_t n = (uint32_t)get(DATA + at + 16, 4);
            char name[300] = "";
            memcpy(name, memory + DATA + at + 24, n);
            if (name[0] == 'n') mask |= (uint64_t)1 << atoi(name + 1);
            cookie = get(DATA + at, 8);
            at += 24 + n;
        }
        if (used < size) break;
    }
    return __builtin_popcountll(mask);
}

Test(runtime_wasi, directories, .init = begin, .fini = end) {
    cr_assert_eq(W(path_create_directory, 3, PATH, path("sub")), 0);
    cr_assert_eq(W(path_create_directory, 3, PATH, path("sub")), 20);
    for (int k = 0; k < 40; k++) {
        char name[32];
        sprintf(name, "sub/n%d", k);
        W(fd_close, opened(name, CREATE));
    }
    int64_t fd = opened("sub", DIRECTORY);
    cr_assert_eq(list_directory(fd, 8000), 40);
    cr_assert_eq(list_directory(fd, 100), 40);
    cr_assert_eq(W(fd_readdir, fd, BAD - 10, 20, 0, RESULT), W_FAULT);
    cr_assert_eq(W(path_remove_directory, 3, PATH, path("sub")), 55); // ENOTEMPTY
    cr_assert_eq(W(path_unlink_file, 3, PATH, path("sub")), 31);      // EISDIR
    cr_assert_eq(open_code("sub/n1", DIRECTORY), W_NOTDIR);
    cr_assert_eq(open_code("missing", 0), W_NOENT);
    cr_assert_eq(open_code("sub/n1/x", 0), W_NOTDIR);
    cr_assert_eq(open_code("", 0), W_NOENT);
    cr_assert_eq(W(path_rename, 3, PATH, path("sub/n1"), 3, PATH2, path2("moved")), 0);
    cr_assert_eq(open_code("sub/n1", 0), W_NOENT);
    cr_assert_eq(W(path_link, 3, 0, PATH, path("moved"), fd, PATH2, path2("linked")), 0);
    cr_assert_eq(W(path_filestat_get, 3, 0, PATH, path("sub/linked"), DATA), 0);
    cr_assert_eq(get(DATA + 24, 8), 2);
    cr_assert_eq(W(path_link, 3, 1, PATH, path("moved"), fd, PATH2, path2("again")), 0);
    cr_assert_eq(W(path_link, 3, 2, PATH, path("moved"), fd, PATH2, path2("more")), W_INVAL);
    cr_assert_eq(W(path_symlink, PATH2, path2("sub/linked"), 3, PATH, path("link")), 0);
    cr_assert_eq(W(path_symlink, PATH2, path2("/etc/passwd"), 3, PATH, path("out")), W_NOTCAPABLE);
    cr_assert_eq(W(path_readlink, 3, PATH, path("link"), DATA, 100, RESULT), 0);
    cr_assert(get(RESULT, 4) == 10 && !memcmp(memory + DATA, "sub/linked", 10));
    cr_assert_eq(W(path_readlink, 3, PATH, path("link"), DATA, 3, RESULT), 0);
    cr_assert_eq(get(RESULT, 4), 3);
    cr_assert_eq(W(path_filestat_get, 3, 0, PATH, path("link"), DATA), 0);
    cr_assert_eq(memory[DATA + 16], W_TYPE_LINK);
    cr_assert_eq(W(path_filestat_get, 3, 1, PATH, path("link"), DATA), 0);
    cr_assert_eq(memory[DATA + 16], W_TYPE_FILE);
    cr_assert_eq(W(path_unlink_file, 3, PATH, path("link/")), W_NOTDIR);
    cr_assert_eq(W(path_unlink_file, 3, PATH, path("link")), 0);
    cr_assert_eq(W(path_open, 1, 0, PATH, path("x"), 0, 0, 0, 0, RESULT), W_NOTDIR);
    run("cd %s && rm -r sub && mkdir %s", dir, "sub");
    cr_assert_eq(W(path_remove_directory, 3, PATH, path("sub/")), 0);
}

// ---- Staying inside

static void make_tree(void) {
    run("mkdir -p %s/outside %s/in/a/b", dir, dir);
    run("cd %s && echo secret >outside/s && echo inside >in/a/f && cd in && ln -s ../../outside/s a/up && ln -s %s abs"
        " && ln -s a/f good && ln -s a dir && ln -s ../a/f a/b/back && ln -s loop loop && ln -s nothing dangling"
        " && ln -s good chain && ln -s .. parent",
        dir, "/etc/passwd");
}

static const struct {
    const char *path;
    int flags, error;
} escapes[] = {
    {"a/f", O_RDONLY, 0},
    {"good", O_RDONLY, 0},
    {"chain", O_RDONLY, 0},
    {"dir/f", O_RDONLY, 0},
    {"a/b/back", O_RDONLY, ENOENT},
    {"a/b/../f", O_RDONLY, 0},
    {"./a/./f", O_RDONLY, 0},
    {"a//f", O_RDONLY, 0},
    {"dir/../a/f", O_RDONLY, 0},
    {".", O_RDONLY, 0},
    {"a/b/..", O_RDONLY, 0},
    {"a/..", O_RDONLY, 0},
    {"a/", O_RDONLY, 0},
    {"dir/", O_RDONLY, 0},
    {"a/f/", O_RDONLY, ENOTDIR},
    {"good/", O_RDONLY, ENOTDIR},
    {"..", O_RDONLY, EXDEV},
    {"../outside/s", O_RDONLY, EXDEV},
    {"a/../../outside/s", O_RDONLY, EXDEV},
    {"a/up", O_RDONLY, EXDEV},
    {"abs", O_RDONLY, EXDEV},
    {"/etc/passwd", O_RDONLY, EXDEV},
    {"parent", O_RDONLY, EXDEV},
    {"parent/in/a/f", O_RDONLY, EXDEV},
    {"loop", O_RDONLY, ELOOP},
    {"loop/x", O_RDONLY, ELOOP},
    {"dangling", O_RDONLY, ENOENT},
    {"missing/..", O_RDONLY, ENOENT},
    {"a/f/..", O_RDONLY, ENOTDIR},
    {"good", O_RDONLY | O_NOFOLLOW, ELOOP},
    {"a/up", O_PATH | O_NOFOLLOW, 0},
    {"abs", O_PATH | O_NOFOLLOW, 0},
    {"", O_RDONLY, ENOENT},
    {"a/up", O_WRONLY | O_CREAT, EXDEV},
    {"good", O_RDONLY | O_CREAT | O_EXCL, EEXIST},
    {"dangling", O_RDWR | O_CREAT | O_EXCL, EEXIST},
    {"new", O_RDWR | O_CREAT | O_EXCL, 0},
    {"a/b/new", O_RDWR | O_CREAT, 0},
    {"dangling", O_RDWR | O_CREAT, 0},
    {"a", O_WRONLY, EISDIR},
};

static void check_escapes(int (*beneath)(int, const char *, int, mode_t)) {
    char name[64];
    make_tree();
    snprintf(name, sizeof name, "%s/in", dir);
    int base = open(name, O_RDONLY | O_DIRECTORY);
    for (size_t k = 0; k < sizeof escapes / sizeof *escapes; k++) {
        errno = 0;
        int fd = beneath(base, escapes[k].path, escapes[k].flags, 0600), code = fd < 0 ? errno : 0;
        cr_expect_eq(code, escapes[k].error, "%s (%x): %s", escapes[k].path, escapes[k].flags, strerror(code));
        if (fd >= 0) close(fd);
    }
    int lowest = dup(base);
    cr_assert_eq(lowest, base + 1); // nothing was left open
}

Test(runtime_wasi, nothing_leads_out, .init = begin, .fini = end) { check_escapes(wx_beneath_open); }
Test(runtime_wasi, nothing_leads_out_without_openat2, .init = begin, .fini = end) { check_escapes(wx_beneath_walk); }

Test(runtime_wasi, names_cannot_lead_out, .init = begin, .fini = end) {
    static const char *const bad[] = {"../x", "..", "a/../../x", "/tmp/x", "out/x", "/", "../"};
    run("mkdir %s/a && ln -s /tmp %s/out", dir, dir);
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        cr_expect_eq(W(path_create_directory, 3, PATH, path(bad[k])), W_NOTCAPABLE, "%s", bad[k]);
        cr_expect_eq(W(path_unlink_file, 3, PATH, path(bad[k])), W_NOTCAPABLE, "%s", bad[k]);
        cr_expect_eq(W(path_rename, 3, PATH, path("a"), 3, PATH2, path2(bad[k])), W_NOTCAPABLE, "%s", bad[k]);
        cr_expect_eq(open_code(bad[k], CREATE), W_NOTCAPABLE, "%s", bad[k]);
        cr_expect_eq(W(path_filestat_get, 3, 1, PATH, path(bad[k]), DATA), W_NOTCAPABLE, "%s", bad[k]);
    }
    cr_assert_eq(W(path_filestat_get, 3, 1, PATH, 5000, DATA), W_NAMETOOLONG);
    cr_assert_eq(W(path_filestat_get, 3, 1, BAD - 2, 4, DATA), W_FAULT);
    memcpy(memory + PATH, "a\0b", 3);
    cr_assert_eq(W(path_filestat_get, 3, 1, PATH, 3, DATA), W_ILSEQ);
}

// ---- Hostile arguments: whatever a guest passes, the host answers with a code

Test(runtime_wasi, any_arguments_get_an_answer, .init = begin, .fini = end) {
    static const int64_t values[] = {0, 1, 3, 4, BAD - 1, BAD, -1, INT32_MIN, INT32_MAX, INT64_MIN};
    uint64_t seed = 12345;
    alarm(60);
    for (int round = 0; round < 20000; round++) {
        const row *r = &rows[(seed >> 33) % ROWS];
        int64_t args[10];
        for (int k = 0; k < 10; k++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            args[k] = values[(seed >> 33) % (sizeof values / sizeof *values)];
        }
        // These would end, wait for a pipe, or close what the next ones need; each has a test of its own.
        bool apart = !r->in_preview1 || strstr(r->name, "proc_") || strstr(r->name, "poll") ||
                     !strcmp(r->name, "fd_read") || !strcmp(r->name, "fd_close") || !strcmp(r->name, "fd_renumber") ||
                     !strcmp(r->name, "fd_allocate");
        if (!apart) cr_assert_leq((uint32_t)w_args(r->name, args), W_NOTCAPABLE, "%s", r->name);
    }
}

// ---- Preview 0

Test(runtime_wasi, preview0_layouts, .init = begin_unstable, .fini = end) {
    int64_t fd = opened("f", CREATE);
    write_text(fd, "0123456789");
    cr_assert_eq(W(fd_seek, fd, -3, 1, RESULT), 0); // 1 is the end
    cr_assert_eq(get(RESULT, 8), 7);
    cr_assert_eq(W(fd_seek, fd, 1, 0, RESULT), 0); // 0 is here
    cr_assert_eq(get(RESULT, 8), 8);
    cr_assert_eq(W(fd_seek, fd, 2, 2, RESULT), 0); // 2 is the start
    cr_assert_eq(get(RESULT, 8), 2);
    memset(memory + DATA, 0xee, 64);
    cr_assert_eq(W(fd_filestat_get, fd, DATA), 0);
    cr_assert(memory[DATA + 16] == W_TYPE_FILE && get(DATA + 20, 4) == 1 && get(DATA + 24, 8) == 10);
    cr_assert_eq(memory[DATA + 56], 0xee);
    cr_assert_eq(W(path_filestat_get, 3, 0, PATH, path("f"), DATA), 0);
    cr_assert_eq(get(DATA + 24, 8), 10);
}

// ---- The main of a command

static int run_main(const char *text, bool trap_unknown, char *errors, size_t size) {
    FILE *f = tmpfile();
    int saved = dup(2);
    dup2(fileno(f), 2);
    wasmx_wasi_config config = {.stdin_fd = 0, .stdout_fd = 1, .stderr_fd = 2};
    int status = wasmx_wasi_main(compile(text), &config, trap_unknown);
    fflush(stderr);
    dup2(saved, 2);
    rewind(f);
    errors[fread(errors, 1, size - 1, f)] = 0;
    return status;
}

Test(runtime_wasi, command_status) {
    char errors[1000];
    cr_assert_eq(
        run_main("(module (memory (export \"memory\") 1) (func (export \"_start\")))", false, errors, sizeof errors),
        0);
    cr_assert_str_eq(errors, "");
    cr_assert_eq(run_main("(module (import \"wasi_snapshot_preview1\" \"proc_exit\" (func $e (param i32)))"
                          " (func (export \"_start\") (call $e (i32.const 9))))",
                          false, errors, sizeof errors),
                 9);
    cr_assert_str_eq(errors, "");
    cr_assert_eq(run_main("(module (func $start (export \"_start\") unreachable))", false, errors, sizeof errors), 134);
    cr_assert_str_eq(errors, "wasmx: trap: unreachable\n    at start (func 0)\n");
    static const char unknown[] = "(module (import \"x\" \"y\" (func $f)) (func (export \"_start\") (call $f)))";
    cr_assert_eq(run_main(unknown, false, errors, sizeof errors), 1);
    cr_assert_str_eq(errors, "wasmx: unknown import \"x\" \"y\"\n");
    cr_assert_eq(run_main(unknown, true, errors, sizeof errors), 134);
    cr_assert_eq(run_main("(module)", false, errors, sizeof errors), 1);
}

Test(runtime_wasi, missing_directory) {
    wasmx_preopen p = {.host = "/nonexistent", .guest = "/"};
    wasmx_wasi_config config = {.preopens = &p, .preopen_count = 1, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1};
    wasmx_error err;
    cr_assert_null(wasmx_wasi_new(&config, &err));
    cr_assert(strstr(err.message, "/nonexistent"));
}
