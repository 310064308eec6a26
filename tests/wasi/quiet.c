// tests/wasi/quiet.c: no function of WASI allocates, neither when it succeeds nor when it fails.
//
// Every row of wasi.def has a call here that succeeds; the rest of its calls are made with each argument spoilt in turn.
// proc_exit and proc_raise need a guest that is running: speed.c and the unit tests end calls with them.
#include <sys/socket.h>
#include <sys/un.h>

#include "tests/wasi/direct.h"

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
static long allocations;

void *malloc(size_t n) { return allocations++, __libc_malloc(n); }
void *calloc(size_t n, size_t size) { return allocations++, __libc_calloc(n, size); }
void *realloc(void *p, size_t n) { return allocations++, __libc_realloc(p, n); }

enum { OUT = 100, F = 200, NEW = 210, LINK = 220, LIST = 300, DATA = 400, SUBS = 3000, EVENTS = 4000, DIRECTORY = 3, LISTENER = 4, CONNECTION = 5, FILE_FD = 6, SPARE = 7 };
#define ALL ((int64_t)W_ALL_RIGHTS)

// In this order: some need what others made.
static const struct call {
    const char *name;
    int64_t a[9];
} calls[] = {
    {"args_sizes_get", {OUT, OUT + 4}}, {"args_get", {DATA, DATA + 100}}, {"environ_sizes_get", {OUT, OUT + 4}},
    {"environ_get", {DATA, DATA + 100}}, {"clock_res_get", {1, OUT}}, {"clock_time_get", {0, 0, OUT}},
    {"fd_advise", {FILE_FD, 0, 1, 0}}, {"fd_allocate", {FILE_FD, 0, 10}}, {"fd_datasync", {FILE_FD}},
    {"fd_fdstat_get", {FILE_FD, DATA}}, {"fd_fdstat_set_flags", {FILE_FD, 0}}, {"fd_filestat_get", {FILE_FD, DATA}},
    {"fd_filestat_set_size", {FILE_FD, 20}}, {"fd_filestat_set_times", {FILE_FD, 1, 1, 5}},
    {"fd_write", {FILE_FD, LIST, 2, OUT}}, {"fd_pwrite", {FILE_FD, LIST, 2, 0, OUT}}, {"fd_pread", {FILE_FD, LIST, 2, 0, OUT}},
    {"fd_seek", {FILE_FD, 0, 0, OUT}}, {"fd_read", {FILE_FD, LIST, 2, OUT}}, {"fd_tell", {FILE_FD, OUT}}, {"fd_sync", {FILE_FD}},
    {"fd_prestat_get", {DIRECTORY, OUT}}, {"fd_prestat_dir_name", {DIRECTORY, DATA, 1}}, {"fd_readdir", {DIRECTORY, DATA, 2000, 0, OUT}},
    {"path_create_directory", {DIRECTORY, NEW, 3}}, {"path_filestat_get", {DIRECTORY, 1, NEW, 3, DATA}},
    {"path_filestat_set_times", {DIRECTORY, 1, NEW, 3, 1, 1, 5}}, {"path_remove_directory", {DIRECTORY, NEW, 3}},
    {"path_link", {DIRECTORY, 0, F, 1, DIRECTORY, NEW, 3}}, {"path_rename", {DIRECTORY, NEW, 3, DIRECTORY, F, 1}},
    {"path_symlink", {F, 1, DIRECTORY, LINK, 4}}, {"path_readlink", {DIRECTORY, LINK, 4, DATA, 20, OUT}},
    {"path_unlink_file", {DIRECTORY, LINK, 4}}, {"path_open", {DIRECTORY, 1, F, 1, 0, ALL, ALL, 0, OUT}},
    {"poll_oneoff", {SUBS, EVENTS, 2, OUT}}, {"random_get", {DATA, 100}}, {"sched_yield", {0}},
    {"sock_accept", {LISTENER, 0, OUT}}, {"sock_send", {CONNECTION, LIST, 2, 0, OUT}}, {"sock_recv", {CONNECTION, LIST, 1, 0, OUT, OUT + 8}},
    {"sock_shutdown", {CONNECTION, 3}}, {"fd_renumber", {SPARE + 1, SPARE}}, {"fd_fdstat_set_rights", {SPARE, 0, 0}}, {"fd_close", {SPARE}},
};

static direct guest;

static void (*find(const char *name))(void) {
    for (size_t k = 0; k < DIRECT_ROWS; k++)
        if (!strcmp(direct_rows[k].name, name)) return direct_rows[k].function;
    die(name);
    return NULL;
}

static int make_listener(const char *dir) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/s", dir);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr *a = (struct sockaddr *)&address;
    if (bind(listener, a, sizeof address) || listen(listener, 2) || connect(client, a, sizeof address)) die("socket");
    return listener;
}

int main(void) {
    static const char *const args[] = {"a", "b", NULL};
    char dir[] = "/tmp/wasmx-quiet-XXXXXX", command[100];
    int pair[2], failures = 0;
    long made = 0;
    if (!mkdtemp(dir) || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) || write(pair[1], "xyz", 3) != 3) die(dir);
    int sockets[] = {make_listener(dir), pair[0]};
    const wasmx_preopen preopen = {.host = dir, .guest = "/"};
    wasmx_wasi_config config = {.args = args, .env = args, .preopens = &preopen, .preopen_count = 1, .stdin_fd = -1, .stdout_fd = -1,
                                .stderr_fd = -1, .sockets = sockets, .socket_count = 2};
    direct_begin(&guest, &config);
    memcpy(guest.memory + F, "f", 1), memcpy(guest.memory + NEW, "new", 3), memcpy(guest.memory + LINK, "link", 4);
    memcpy(guest.memory + LIST, (const uint32_t[]){DATA, 5, DATA + 100, 7}, 16);
    guest.memory[SUBS + 48 + 8] = 2, guest.memory[SUBS + 48 + 16] = FILE_FD; // a clock that is due, a file to write
    for (int k = 0; k < 3; k++) // FILE_FD, SPARE and the one after
        if (CALL(&guest, path_open, DIRECTORY, 0, F, 1, 1, ALL, ALL, 0, OUT)) die("f");
    printf("warm\n"), fflush(stdout); // the first line of output has its buffer
    for (size_t k = 0; k < sizeof calls / sizeof *calls; k++) {
        const struct call *c = &calls[k];
        void (*function)(void) = find(c->name);
        long before = allocations;
        int32_t error = direct_args(&guest, function, c->a);
        if (error) printf("FAIL %s: error %d\n", c->name, error), failures++;
        for (int spoilt = 0; spoilt < 9; spoilt++) {
            int64_t a[9];
            memcpy(a, c->a, sizeof a);
            a[spoilt] = -3;
            if (strcmp(c->name, "sock_accept")) direct_args(&guest, function, a), made++; // there is one to accept
        }
        made++;
        if (allocations != before) printf("FAIL %s: %ld allocations\n", c->name, allocations - before), failures++;
    }
    for (size_t k = 0; k < DIRECT_ROWS; k++) {
        bool found = !strncmp(direct_rows[k].name, "proc_", 5);
        for (size_t n = 0; n < sizeof calls / sizeof *calls; n++) found |= !strcmp(calls[n].name, direct_rows[k].name);
        if (!found) printf("FAIL %s is not called\n", direct_rows[k].name), failures++;
    }
    if (!failures) printf("ok no allocation in %ld calls of %zu functions\n", made, sizeof calls / sizeof *calls);
    direct_end(&guest);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command) || failures;
}
