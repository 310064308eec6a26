// tests/unit/test_wasi_virtual.c: what a host gives in place of its own: streams, files in the object, time, randomness,
// sockets, a directory to look at; and directories that change while they are read.
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "tests/unit/wasi_guest.h"

// ---- Streams

static int64_t shout(void *env, void *bytes, size_t size) {
    size_t n = size < 4 ? size : 4;
    strncat(env, bytes, n);
    return (int64_t)n;
}

static int64_t refuse(void *env, void *bytes, size_t size) {
    (void)env, (void)bytes, (void)size;
    return -ECONNRESET;
}

static int64_t lie(void *env, void *bytes, size_t size) {
    (void)env, (void)bytes;
    return (int64_t)size + 1;
}

static char given[] = "0123456789", written[8], heard[64];
static wasmx_stream input = {.data = given, .size = 10}, output = {.data = written, .size = 8},
                    errors = {.transfer = shout, .env = heard};

static void begin_streams(void) {
    extra.streams[0] = &input;
    extra.streams[1] = &output;
    extra.streams[2] = &errors;
    begin();
}

Test(wasi_virtual, streams_in_memory, .init = begin_streams, .fini = end) {
    buffers(2, 3);
    cr_assert_eq(W(fd_read, 0, LIST, 2, RESULT), 0);
    cr_assert(get(RESULT, 4) == 6 && !memcmp(memory + DATA, "012345", 6));
    cr_assert_eq(W(fd_read, 0, LIST, 2, RESULT), 0);
    cr_assert(get(RESULT, 4) == 4 && !memcmp(memory + DATA, "6789", 4));
    cr_assert_eq(W(fd_read, 0, LIST, 2, RESULT), 0);
    cr_assert_eq(get(RESULT, 4), 0);
    cr_assert_eq(W(fd_write, 1, LIST, 2, RESULT), 0);
    cr_assert_eq(W(fd_write, 1, LIST, 2, RESULT), 0);
    cr_assert_eq(get(RESULT, 4), 2);
    cr_assert_eq(W(fd_write, 1, LIST, 2, RESULT), W_NOSPC);
    cr_assert(output.used == 8 && !memcmp(written, "67894567", 4));
    cr_assert_eq(W(fd_write, 0, LIST, 1, RESULT), W_NOTCAPABLE);
    cr_assert_eq(W(fd_read, 1, LIST, 1, RESULT), W_NOTCAPABLE);
    cr_assert_eq(W(fd_seek, 0, 0, 1, RESULT), W_SPIPE);
    cr_assert_eq(W(fd_pread, 0, LIST, 1, 0, RESULT), W_SPIPE);
    cr_assert_eq(W(fd_filestat_get, 0, DATA), 0);
    cr_assert_eq(W(fd_fdstat_get, 1, DATA), 0);
    cr_assert_eq(W(fd_fdstat_set_flags, 1, 4), W_NOTCAPABLE);
    cr_assert_eq(W(fd_close, 1), 0);
    cr_assert_eq(W(fd_write, 1, LIST, 1, RESULT), W_BADF);
}

Test(wasi_virtual, streams_by_callbacks, .init = begin_streams, .fini = end) {
    memcpy(memory + DATA, "abcdefgh", 8);
    buffers(2, 4);
    cr_assert_eq(W(fd_write, 2, LIST, 2, RESULT), 0);
    cr_assert(get(RESULT, 4) == 8 && !strcmp(heard, "abcdefgh"));
    buffers(1, 8);
    cr_assert_eq(W(fd_write, 2, LIST, 1, RESULT), 0);
    cr_assert_eq(get(RESULT, 4), 4); // as much as was taken
    errors.transfer = refuse;
    cr_assert_eq(W(fd_write, 2, LIST, 1, RESULT), 15);
    errors.transfer = lie;
    cr_assert_eq(W(fd_write, 2, LIST, 1, RESULT), W_IO);
}

static void subscribe_to(uint32_t k, uint8_t type, uint32_t what, uint64_t timeout) {
    uint32_t at = LIST + k * 48;
    memset(memory + at, 0, 48);
    put(at, 8, k);
    memory[at + 8] = type;
    put(at + 16, 4, what);
    if (!type) put(at + 24, 8, timeout);
}

Test(wasi_virtual, streams_are_always_ready, .init = begin_streams, .fini = end) {
    subscribe_to(0, 1, 0, 0);
    subscribe_to(1, 2, 1, 0);
    subscribe_to(2, 0, 1, 3600000000000);
    cr_assert_eq(W(poll_oneoff, LIST, DATA, 3, RESULT), 0);
    cr_assert(get(RESULT, 4) == 2 && get(DATA + 16, 8) == 10 && get(DATA + 32, 8) == 1);
}

// ---- Time and randomness

static uint64_t now = 5000000000, slept;

static uint64_t clock_of(void *env, wasmx_clock clock) {
    cr_assert_eq(env, &now);
    return now + (uint64_t)clock;
}

static void sleep_for(void *env, uint64_t nanoseconds) {
    *(uint64_t *)env += nanoseconds;
    slept += nanoseconds;
}

static bool count_up(void *env, void *out, size_t size) {
    (void)env;
    for (size_t k = 0; k < size; k++) ((uint8_t *)out)[k] = (uint8_t)k;
    return size < 100;
}

static void begin_sources(void) {
    extra.sources = (wasmx_sources){&now, clock_of, sleep_for, count_up, NULL};
    begin();
}

Test(wasi_virtual, sources_are_the_hosts, .init = begin_sources, .fini = end) {
    for (int clock = 0; clock < 4; clock++) {
        cr_assert_eq(W(clock_time_get, clock, 0, RESULT), 0);
        cr_assert_eq(get(RESULT, 8), now + (uint64_t)clock);
    }
    cr_assert_eq(W(random_get, DATA, 5), 0);
    cr_assert(!memcmp(memory + DATA, "\0\1\2\3\4", 5));
    cr_assert_eq(W(random_get, DATA, 100), W_IO);
    alarm(20);
    subscribe_to(0, 0, 1, 3600000000000); // an hour passes at once
    subscribe_to(1, 0, 0, 7200000000000);
    subscribe_to(2, 1, 0, 0); // the pipe is empty
    cr_assert_eq(W(poll_oneoff, LIST, DATA, 3, RESULT), 0);
    cr_assert(get(RESULT, 4) == 1 && get(DATA, 8) == 0 && slept == 3600000000000);
    cr_assert_eq(write(in[1], "x", 1), 1);
    cr_assert_eq(W(poll_oneoff, LIST, DATA, 3, RESULT), 0);
    cr_assert(get(RESULT, 4) == 1 && get(DATA, 8) == 2 && slept == 3600000000000);
}

// ---- Waiting

Test(wasi_virtual, waiting_ends_when_something_comes, .init = begin, .fini = end) {
    subscribe_to(0, 0, 1, 20000000);
    subscribe_to(1, 1, 0, 0);
    subscribe_to(2, 0, 0, 3600000000000);
    W(clock_time_get, 1, 0, RESULT);
    uint64_t start = get(RESULT, 8);
    cr_assert_eq(W(poll_oneoff, LIST, DATA, 3, RESULT), 0);
    cr_assert(get(RESULT, 4) == 1 && get(DATA, 8) == 0 && memory[DATA + 10] == 0);
    W(clock_time_get, 1, 0, RESULT);
    cr_assert_geq(get(RESULT, 8) - start, 20000000);
    cr_assert_eq(write(in[1], "xyz", 3), 3);
    cr_assert_eq(W(poll_oneoff, LIST, DATA, 3, RESULT), 0);
    cr_assert(get(RESULT, 4) == 1 && get(DATA, 8) == 1 && get(DATA + 16, 8) == 3 && get(DATA + 24, 2) == 0);
    close(in[1]);
    cr_assert_eq(W(poll_oneoff, LIST, DATA, 3, RESULT), 0);
    cr_assert_eq(get(DATA + 24, 2), 1); // the other end hung up
    W(clock_time_get, 0, 0, RESULT);
    subscribe_to(0, 0, 0, get(RESULT, 8) + 10000000);
    put(LIST + 40, 2, 1); // absolute
    cr_assert_eq(W(poll_oneoff, LIST, DATA, 1, RESULT), 0);
    W(clock_time_get, 0, 0, RESULT);
    cr_assert_geq(get(RESULT, 8), get(LIST + 24, 8));
}

// ---- Files in the object

static const wasmx_embed embeds[] = {
    {"/lib", "b/deep/er/x", "deep", 4}, {"/lib", "b-c", "", 0},      {"/lib", "a.txt", "alpha", 5},
    {"/lib", "b/one", "1", 1},          {"/etc", "conf", "k=v\n", 4}, {"/lib", "b/two", "22", 2},
};

static const wasmx_module *with_files(const wasmx_embed *files, size_t count, wasmx_compile_error *err) {
    static const char text[] = "(module (memory (export \"memory\") 1))";
    wasmx_compile_options options = {.name = "files", .opt_level = '0', .embeds = files, .embed_count = count};
    wasmx_output made;
    if (!wasmx_compile(text, strlen(text), &options, &made, err)) return NULL;
    wasmx_code *code = wasmx_code_load(&made.object, "files", err);
    cr_assert_not_null(code, "%s", err->line);
    return wasmx_code_module(code);
}

static void begin_files(void) {
    wasmx_compile_error err = {""};
    extra.embedded = with_files(embeds, sizeof embeds / sizeof *embeds, &err);
    cr_assert_not_null(extra.embedded, "%s", err.line);
    begin();
}

enum { ETC = 5, LIB = 6 };

static int32_t look(int64_t fd, const char *name, uint64_t rights, int oflags) {
    return W(path_open, fd, 1, P(name), oflags, (int64_t)rights, -1, 0, RESULT);
}

Test(wasi_virtual, embedded_files, .init = begin_files, .fini = end) {
    cr_assert_eq(W(fd_prestat_get, LIB, RESULT), 0);
    cr_assert_eq(W(fd_prestat_dir_name, LIB, DATA, 4), 0);
    cr_assert(get(RESULT + 4, 4) == 4 && !memcmp(memory + DATA, "/lib", 4));
    cr_assert_eq(look(LIB, "b/../b/./deep//er/x", W_RIGHT(R_FD_READ) | W_RIGHT(R_FD_SEEK), 0), 0);
    int64_t fd = (int64_t)get(RESULT, 4);
    buffers(2, 3);
    cr_assert_eq(W(fd_read, fd, LIST, 2, RESULT), 0);
    cr_assert(get(RESULT, 4) == 4 && !memcmp(memory + DATA, "deep", 4));
    cr_assert_eq(W(fd_read, fd, LIST, 2, RESULT), 0);
    cr_assert_eq(get(RESULT, 4), 0);
    cr_assert_eq(W(fd_seek, fd, -3, 2, RESULT), 0);
    cr_assert_eq(get(RESULT, 8), 1);
    cr_assert_eq(W(fd_seek, fd, -2, 1, RESULT), W_INVAL);
    cr_assert_eq(W(fd_seek, fd, INT64_MAX, 1, RESULT), W_OVERFLOW);
    cr_assert_eq(W(fd_pread, fd, LIST, 1, 2, RESULT), 0);
    cr_assert(get(RESULT, 4) == 2 && !memcmp(memory + DATA, "ep", 2));
    cr_assert_eq(W(fd_pread, fd, LIST, 1, -1, RESULT), W_INVAL);
    cr_assert_eq(W(fd_pread, fd, LIST, 1, INT64_MAX, RESULT), 0);
    cr_assert_eq(W(fd_tell, fd, RESULT), W_NOTCAPABLE);
    cr_assert_eq(W(fd_write, fd, LIST, 1, RESULT), W_NOTCAPABLE);
    cr_assert_eq(W(path_filestat_get, LIB, 0, P("a.txt"), DATA), 0);
    cr_assert(memory[DATA + 16] == W_TYPE_FILE && get(DATA + 32, 8) == 5);
    cr_assert_eq(W(path_filestat_get, LIB, 0, P("b/deep/"), DATA), 0);
    cr_assert_eq(memory[DATA + 16], W_TYPE_DIR);
    cr_assert_eq(W(path_filestat_get, LIB, 0, P("b-c"), DATA), 0);
    cr_assert(memory[DATA + 16] == W_TYPE_FILE && get(DATA + 32, 8) == 0);
    cr_assert_eq(look(LIB, "b", W_READING_RIGHTS, DIRECTORY), 0);
    cr_assert_eq(look((int64_t)get(RESULT, 4), "deep/er/../../two", W_RIGHT(R_FD_READ), 0), 0);
}

Test(wasi_virtual, embedded_files_refuse, .init = begin_files, .fini = end) {
    static const struct { const char *path; int error; } paths[] = {
        {"..", W_NOTCAPABLE}, {"b/../../etc/conf", W_NOTCAPABLE}, {"/lib/a.txt", W_NOTCAPABLE}, {"", W_NOENT},
        {"a", W_NOENT}, {"a.txtt", W_NOENT}, {"a.txt/", W_NOTDIR}, {"a.txt/..", W_NOTDIR}, {"b/missing", W_NOENT},
        {"missing/..", W_NOENT}, {"b/on", W_NOENT}, {"b/deep/er/x/y", W_NOTDIR}, {"b/deep/er/..", 0}, {"./.", 0},
    };
    for (size_t k = 0; k < sizeof paths / sizeof *paths; k++) {
        cr_expect_eq(look(LIB, paths[k].path, 0, 0), paths[k].error, "%s", paths[k].path);
        cr_expect_eq(W(path_filestat_get, LIB, 0, P(paths[k].path), DATA), paths[k].error, "%s", paths[k].path);
    }
    cr_assert_eq(look(LIB, "b", W_READING_RIGHTS, DIRECTORY), 0);
    cr_assert_eq(look((int64_t)get(RESULT, 4), "../a.txt", 0, 0), W_NOTCAPABLE); // a directory is a root of its own
    cr_assert_eq(look(LIB, "a.txt", W_RIGHT(R_FD_WRITE), 0), W_NOTCAPABLE);
    cr_assert_eq(look(LIB, "new", 0, CREATE), W_NOTCAPABLE);
    cr_assert_eq(look(LIB, "a.txt", 0, TRUNCATE), W_NOTCAPABLE);
    cr_assert_eq(look(LIB, "a.txt", 0, EXCLUSIVE), W_EXIST);
    cr_assert_eq(look(LIB, "a.txt", 0, DIRECTORY), W_NOTDIR);
    cr_assert_eq(W(path_unlink_file, LIB, P("a.txt")), W_NOTCAPABLE);
    cr_assert_eq(W(path_rename, LIB, P("a.txt"), 3, P("x")), W_NOTCAPABLE);
    cr_assert_eq(W(path_link, LIB, 0, P("a.txt"), 3, P("x")), W_NOTCAPABLE);
    cr_assert_eq(W(path_create_directory, LIB, P("x")), W_NOTCAPABLE);
    cr_assert_eq(W(path_readlink, LIB, P("a.txt"), DATA, 9, RESULT), W_INVAL);
    cr_assert_eq(W(path_readlink, LIB, P("zzz"), DATA, 9, RESULT), W_NOENT);
    cr_assert_eq(W(fd_read, LIB, LIST, 1, RESULT), W_ISDIR);
    cr_assert_eq(W(fd_allocate, LIB, 0, 1), W_BADF);
}

// Names of a directory through buffers of `size` bytes, one after another with commas.
static const char *names_in(int64_t fd, uint32_t size) {
    static char names[4096];
    uint64_t cookie = 0;
    names[0] = 0;
    for (int rounds = 0; rounds < 500; rounds++) {
        cr_assert_eq(W(fd_readdir, fd, DATA, size, (int64_t)cookie, RESULT), 0);
        uint32_t used = (uint32_t)get(RESULT, 4), at = 0;
        while (used - at >= 24 && get(DATA + at + 16, 4) <= used - at - 24) {
            strncat(names, (char *)memory + DATA + at + 24, get(DATA + at + 16, 4));
            strcat(names, ",");
            cookie = get(DATA + at, 8);
            at += 24 + (uint32_t)get(DATA + at + 16, 4);
        }
        if (used < size) break;
    }
    return names;
}

Test(wasi_virtual, embedded_directories, .init = begin_files, .fini = end) {
    cr_assert_str_eq(names_in(LIB, 4000), ".,..,a.txt,b-c,b,");
    cr_assert_str_eq(names_in(LIB, 30), ".,..,a.txt,b-c,b,");
    cr_assert_str_eq(names_in(ETC, 4000), ".,..,conf,");
    cr_assert_eq(look(LIB, "b", W_READING_RIGHTS, DIRECTORY), 0);
    cr_assert_str_eq(names_in((int64_t)get(RESULT, 4), 30), ".,..,deep,one,two,");
    cr_assert_eq(W(fd_readdir, LIB, DATA, 100, -1, RESULT), 0); // a cookie nobody gave: no entries
    cr_assert_eq(get(RESULT, 4), 0);
}

Test(wasi_virtual, embedded_names_are_checked) {
    static const wasmx_embed bad[][2] = {
        {{"/", "a", "", 0}, {"/", "a", "", 0}},  {{"/", "a", "", 0}, {"/", "a/b", "", 0}},
        {{"/", "x", "", 0}, {"/", "../y", "", 0}}, {{"/", "x", "", 0}, {"/", "a//b", "", 0}},
        {{"/", "x", "", 0}, {"/", "", "", 0}},   {{"/", "x", "", 0}, {"/", "/y", "", 0}},
        {{"/", "x", "", 0}, {"", "y", "", 0}},   {{"/", "x", "", 0}, {"/", "y/.", "", 0}},
    };
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        wasmx_compile_error err = {""};
        cr_expect_null(with_files(bad[k], 2, &err), "%zu", k);
        cr_expect(strstr(err.line, "embedded"), "%s", err.line);
    }
}

// ---- Directories that change

Test(wasi_virtual, cookies_outlive_changes, .init = begin, .fini = end) {
    char name[64];
    for (int k = 0; k < 200; k++) snprintf(name, sizeof name, "k%d", k), W(fd_close, opened(name, CREATE));
    uint64_t cookie = 0, kept = 0;
    int seen[200] = {0};
    for (int round = 0; round < 400; round++) {
        cr_assert_eq(W(fd_readdir, 3, DATA, 300, (int64_t)cookie, RESULT), 0);
        uint32_t used = (uint32_t)get(RESULT, 4), at = 0;
        for (; used - at >= 24 && get(DATA + at + 16, 4) <= used - at - 24; at += 24 + (uint32_t)get(DATA + at + 16, 4)) {
            cookie = get(DATA + at, 8);
            snprintf(name, sizeof name, "%.*s", (int)get(DATA + at + 16, 4), (char *)memory + DATA + at + 24);
            if (name[0] == 'k') seen[atoi(name + 1)]++;
        }
        if (used < 300) break;
        // One that was seen goes, others come: nothing that stays may be missed or seen twice.
        for (int k = 0; k < 200; k++) {
            if (seen[k] != 1 || k % 3) continue;
            snprintf(name, sizeof name, "k%d", k);
            W(path_unlink_file, 3, P(name));
            seen[k] = 100;
            break;
        }
        snprintf(name, sizeof name, "new%d", round);
        W(fd_close, opened(name, CREATE));
    }
    for (int k = 0; k < 200; k++) {
        kept += seen[k] == 1 || seen[k] == 100;
        cr_expect(seen[k] == 1 || seen[k] == 100, "k%d: %d", k, seen[k]);
    }
    cr_assert_eq(kept, 200);
}

// ---- Sockets

static int listening;
static char socket_name[sizeof dir + 8];

static void begin_sockets(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(socket_name, sizeof socket_name, "/tmp/wasmx-wasi-%d", getpid());
    strcpy(address.sun_path, socket_name);
    listening = socket(AF_UNIX, SOCK_STREAM, 0);
    cr_assert(!bind(listening, (struct sockaddr *)&address, sizeof address) && !listen(listening, 3));
    extra.sockets = &listening;
    extra.socket_count = 1;
    begin();
}

static void *be_client(void *arg) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char got[16] = "";
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    strcpy(address.sun_path, socket_name);
    bool ok = !connect(fd, (struct sockaddr *)&address, sizeof address) && write(fd, "question", 8) == 8 &&
              recv(fd, got, 6, MSG_WAITALL) == 6 && !strcmp(got, "answer") && read(fd, got, 1) == 0;
    close(fd);
    *(bool *)arg = ok;
    return NULL;
}

Test(wasi_virtual, a_server, .init = begin_sockets, .fini = end) {
    pthread_t client;
    bool ok = false;
    pthread_create(&client, NULL, be_client, &ok);
    subscribe_to(0, 1, 5, 0);
    cr_assert_eq(W(poll_oneoff, LIST, DATA, 1, RESULT), 0);
    cr_assert_eq(W(sock_accept, 5, 4, RESULT), 0);
    int64_t fd = (int64_t)get(RESULT, 4);
    cr_assert_eq(fd, 6);
    cr_assert_eq(W(fd_fdstat_get, fd, DATA), 0);
    cr_assert(memory[DATA] == W_TYPE_STREAM && get(DATA + 2, 2) == 4);
    cr_assert_eq(W(sock_accept, fd, 0, RESULT), W_NOTCAPABLE); // a connection accepts nothing
    subscribe_to(0, 1, (uint32_t)fd, 0);
    cr_assert_eq(W(poll_oneoff, LIST, DATA, 1, RESULT), 0);
    buffers(2, 4);
    cr_assert_eq(W(sock_recv, fd, LIST, 2, 1, RESULT, RESULT + 4), 0); // peeks
    cr_assert_eq(W(sock_recv, fd, LIST, 2, 2, RESULT, RESULT + 4), 0);
    cr_assert(get(RESULT, 4) == 8 && get(RESULT + 4, 2) == 0 && !memcmp(memory + DATA, "question", 8));
    memcpy(memory + DATA, "answer", 6);
    buffers(1, 6);
    cr_assert_eq(W(sock_send, fd, LIST, 1, 0, RESULT), 0);
    cr_assert_eq(get(RESULT, 4), 6);
    cr_assert_eq(W(sock_shutdown, fd, 2), 0);
    pthread_join(client, NULL);
    cr_assert(ok);
    cr_assert_eq(W(sock_recv, fd, LIST, 1, 0, RESULT, RESULT + 4), 0);
    cr_assert_eq(get(RESULT, 4), 0);
    cr_assert_eq(W(fd_close, fd), 0);
    unlink(socket_name);
}

Test(wasi_virtual, only_sockets_are_sockets) {
    int zero = 0;
    wasmx_wasi_config config = {.sockets = &zero, .socket_count = 1, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1};
    wasmx_error err;
    close(0);
    cr_assert_null(wasmx_wasi_new(&config, &err));
    cr_assert(strstr(err.message, "not a socket"));
}

// ---- Limits

static void begin_few(void) {
    extra.max_descriptors = 8;
    begin();
}

Test(wasi_virtual, few_descriptors, .init = begin_few, .fini = end) {
    cr_assert_eq(opened("a", CREATE), 5);
    cr_assert_eq(opened("a", 0), 6);
    cr_assert_eq(opened("a", 0), 7);
    cr_assert_eq(open_code("a", 0), W_MFILE);
    cr_assert_eq(W(fd_close, 6), 0);
    cr_assert_eq(W(fd_close, 5), 0);
    cr_assert_eq(opened("a", 0), 5);
    cr_assert_eq(opened("a", 0), 6);
    cr_assert_eq(open_code("a", 0), W_MFILE);
}

Test(wasi_virtual, buffers_are_capped, .init = begin, .fini = end) {
    int64_t fd = opened("f", CREATE);
    for (uint32_t k = 0; k < 1000; k++) put(TEXTS + 8 * k, 4, DATA), put(TEXTS + 8 * k + 4, 4, 1);
    cr_assert_eq(W(fd_write, fd, TEXTS, 1000, RESULT), 0);
    cr_assert_eq(get(RESULT, 4), W_BUFFERS);
}
