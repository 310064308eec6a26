// tests/fuzz/fuzz_wasi.c: the descriptor table and everything that takes a descriptor, under any sequence of calls.
//
// A byte chooses the function, the next ones its arguments out of small sets: the interesting descriptors, addresses,
// lengths, rights and paths. After every call the table is looked at; after a run everything the guest opened is closed
// and the host has as many descriptors as before.
#include <dirent.h>

#include "tests/wasi/direct.h"

static char dir[] = "/tmp/wasmx-fuzz-XXXXXX";

static const char *const paths[] = {"a", "b", "d", "d/a", "d/../a", "l", "..", "../x", "/", "", ".", "d/", "l/a", "\xff", "dl/a"};
enum { PATHS = sizeof paths / sizeof *paths, PATH_AT = 4096, LIST_AT = 1024, FREE_AT = 16384, END = 131072 };
static const int64_t numbers[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 1 << 12, -1, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN, 1 << 29};
static const int64_t addresses[] = {LIST_AT, FREE_AT, FREE_AT + 64, FREE_AT + 4096, END - 4, END - 8, END - 24, END - 64, END, -1, -8, 0};
#define PICK(set, byte) (set)[(byte) % (sizeof(set) / sizeof *(set))]

typedef struct input {
    const uint8_t *at, *end;
} input;

static uint8_t byte(input *in) { return in->at < in->end ? *in->at++ : 0; }

static long open_files(void) {
    DIR *d = opendir("/proc/self/fd");
    long n = 0;
    while (d && readdir(d)) n++;
    if (d) closedir(d);
    return n;
}

static void fail(const char *what, const char *where) {
    fprintf(stderr, "%s after %s\n", what, where);
    abort();
}

// These wait, end the process, or fill the disk.
static bool left_out(const char *name, const int64_t *a) {
    if (strstr(name, "proc_")) return true;
    if (!strcmp(name, "fd_allocate") || !strcmp(name, "fd_filestat_set_size")) return a[1] > 4096 || a[2] > 4096;
    if (strstr(name, "pwrite")) return a[3] > 1 << 20;
    if (strstr(name, "seek")) return a[1] > 1 << 20; // a write there makes a file of that size
    return strstr(name, "poll");
}

// Letters say where a path may be: two numbers in a row after a descriptor.
static void arguments(input *in, const direct_row *r, int64_t a[9]) {
    for (size_t k = 0; r->type[k] != ':'; k++) {
        uint8_t b = byte(in);
        a[k] = b & 0x80 ? PICK(addresses, b & 0x7f) : PICK(numbers, b);
        if (r->type[k] == 'I' && (b & 0x60) == 0x60) a[k] = -1;
        if (strncmp(r->name, "path_", 5) || b & 0x40 || r->type[k + 1] != 'i' || k == 0) continue;
        a[k] = PATH_AT + (b % PATHS) * 64;
        a[++k] = (int64_t)strlen(paths[b % PATHS]);
    }
}

static void check_table(const wasmx_wasi *w, const char *after) {
    for (uint32_t k = 0; k < w->fd_count; k++) {
        const wx_fd *f = &w->fds[k];
        if (f->kind == FD_FREE) {
            if (f->preopen || (k >= 3 && k < w->lowest)) fail("a free place is not free", after);
            continue;
        }
        if (f->rights & ~wx_type_rights(f->type)) fail("rights that the type cannot have", after);
        if (f->kind == FD_HOST && fcntl(f->host, F_GETFD) < 0) fail("a descriptor of the host's is gone", after);
        for (uint32_t other = 0; other < k; other++)
            if (w->fds[other].kind == FD_HOST && f->owned && w->fds[other].host == f->host) fail("two have one", after);
    }
    if (w->fd_count > w->fd_room) fail("the table is too long", after);
}

static void remove_files(void) {
    char command[100];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    if (system(command)) perror(dir);
}

static void make_files(void) {
    static bool made;
    char command[300];
    if (made) return;
    made = true;
    if (!mkdtemp(dir)) abort();
    atexit(remove_files);
    snprintf(command, sizeof command, "cd %s && mkdir d && touch a d/a && ln -s a l && ln -s d dl", dir);
    if (system(command)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static direct d; // its memory serves every run
    make_files();
    int zero = open("/dev/null", O_RDWR | O_CLOEXEC), full = open("/dev/full", O_RDWR | O_CLOEXEC);
    const wasmx_preopen preopens[] = {{dir, "/", false}, {dir, "/look", true}};
    wasmx_wasi_config config = {.preopens = preopens, .preopen_count = 2, .stdin_fd = zero, .stdout_fd = zero, .stderr_fd = full,
                                .max_descriptors = 12, .no_openat2 = size && data[0] & 1};
    long before = open_files();
    if (!d.memory) direct_begin(&d, &config);
    else d.instance.wasi = wasmx_wasi_new(&config, &(wasmx_error){""});
    for (int k = 0; k < PATHS; k++) strcpy((char *)d.memory + PATH_AT + 64 * k, paths[k]);
    const uint32_t list[] = {FREE_AT, 16, FREE_AT + 100, 0, END - 4, 4};
    memcpy(d.memory + LIST_AT, list, sizeof list);
    input in = {data + (size > 0), data + size};
    for (int calls = 0; in.at < in.end && calls < 200; calls++) {
        const direct_row *r = &PICK(direct_rows, byte(&in));
        int64_t a[9] = {0};
        arguments(&in, r, a);
        if (left_out(r->name, a)) continue;
        int32_t code = direct_args(&d, r->function, a);
        if (code < 0 || code > W_NOTCAPABLE) fail("no such error", r->name);
        check_table(d.instance.wasi, r->name);
    }
    wasmx_wasi_free(d.instance.wasi);
    if (open_files() != before) fail("descriptors were left open", "the end");
    close(zero), close(full);
    return 0;
}
