// tests/wasi/race.c: what guest threads can do to a call: change what it reads, let the memory grow, close the descriptor.
//
//   race SECONDS      how long each race lasts; one `ok` or `FAIL` line a race, and what happened in it
//
// Two guests share a memory and WASI's object, as threads of one program do. Nothing outside of what the host opened may
// come in or go out, whatever the other one does meanwhile.
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <time.h>

#include "tests/wasi/direct.h"

enum { PATH = 1000, KEPT = 1100, OUT = 20000, LIST = 20100, DATA = 24000, SUBS = 30000, EVENTS = 34000, END = 65536, IN = 3, MOST = 64 };

static direct guests[3];
static char root[64] = "/tmp/wasmx-race-XXXXXX";
static _Atomic int over;
static double seconds = 0.15;
static int failures;

static void shell(const char *command) {
    char line[600];
    snprintf(line, sizeof line, "set -e; cd %s; %s", root, command);
    if (system(line)) die(command);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void say(bool ok, const char *what, long a, const char *of_a, long b, const char *of_b) {
    printf("%s %s: %ld %s, %ld %s\n", ok ? "ok" : "FAIL", what, a, of_a, b, of_b);
    failures += !ok;
}

static void begin(void) {
    static char in[80], *paths[1] = {in};
    snprintf(in, sizeof in, "%s/in", root);
    wasmx_preopen preopen = {.host = paths[0], .guest = "/"};
    int null = open("/dev/null", O_RDWR | O_CLOEXEC), zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    wasmx_wasi_config config = {.preopens = &preopen, .preopen_count = 1, .stdin_fd = zero, .stdout_fd = null, .stderr_fd = -1,
                                .max_descriptors = 12};
    wasmx_memory *memory = wasmx_memory_new_shared(1, MOST);
    wasmx_wasi *wasi = wasmx_wasi_new(&config, &(wasmx_error){""});
    wasmx_linker *linker = wasmx_linker_new();
    if (!memory || !wasi || !wasmx_linker_define_threads(linker, wasi, NULL)) die("begin");
    for (int k = 0; k < 3; k++) {
        guests[k] = (direct){.instance = {.state = &guests[k].state, .wasi = wasi}, .memory = wasmx_memory_data(memory)};
        guests[k].state.wasi_memory = memory;
    }
}

static pthread_t start(void *(*run)(void *), void *argument) {
    pthread_t t;
    atomic_store(&over, 0);
    if (pthread_create(&t, NULL, run, argument)) die("pthread_create");
    return t;
}

// A race lasts its time, and on a busy machine until all of its outcomes have been seen.
#define PATIENCE 120 // seconds
static bool goes_on(double start, bool seen_all) {
    double t = now() - start;
    return t < seconds || (!seen_all && t < PATIENCE);
}

static void stop(pthread_t t) {
    atomic_store(&over, 1);
    pthread_join(t, NULL);
}

static void put32(uint32_t at, uint32_t value) { atomic_store_explicit((_Atomic uint32_t *)(guests[0].memory + at), value, memory_order_relaxed); }
static uint32_t get32(uint32_t at) { return atomic_load_explicit((_Atomic uint32_t *)(guests[0].memory + at), memory_order_relaxed); }

// ---- A path that changes while a call reads it

static void *change_path(void *p) {
    static const char *const paths[] = {"inside", "../out", "d/../f", "/./out", "f\0\0\0\0\0", "l/./so", "\xff\xff/out"};
    for (unsigned k = 0; !atomic_load(&over); k++) memcpy(guests[0].memory + PATH, paths[k % 7], 6);
    return p;
}

static bool is_inside(int32_t fd) {
    put32(LIST, DATA), put32(LIST + 4, 64);
    memset(guests[0].memory + DATA, 0, 64);
    CALL(&guests[0], fd_read, fd, LIST, 1, OUT);
    return !strstr((char *)guests[0].memory + DATA, "SECRET");
}

static void race_path(void) {
    long opened = 0, refused = 0;
    bool inside = true;
    memcpy(guests[0].memory + KEPT, "inside", 6);
    pthread_t t = start(change_path, NULL);
    for (double begun = now(); goes_on(begun, opened && refused);) {
        int32_t error = CALL(&guests[0], path_open, IN, 1, PATH, 6, 0, W_RIGHT(R_FD_READ), 0, 0, OUT);
        int32_t fd = (int32_t)get32(OUT);
        if (!error) inside &= is_inside(fd), CALL(&guests[0], fd_close, fd);
        error ? refused++ : opened++;
        CALL(&guests[0], path_rename, IN, PATH, 6, IN, PATH, 6);
        CALL(&guests[0], path_filestat_set_times, IN, 1, PATH, 6, 0, 0, 10);
        CALL(&guests[0], path_unlink_file, IN, PATH, 6);
        error = CALL(&guests[0], path_open, IN, 0, PATH, 6, 1, W_RIGHT(R_FD_WRITE), 0, 0, OUT);
        if (!error) CALL(&guests[0], fd_close, get32(OUT));
        if ((opened + refused) % 64) continue;
        error = CALL(&guests[0], path_open, IN, 0, KEPT, 6, 1, 0, 0, 0, OUT);
        if (!error) CALL(&guests[0], fd_close, get32(OUT));
    }
    stop(t);
    struct stat st;
    char secret[80];
    snprintf(secret, sizeof secret, "%s/out", root);
    inside &= !stat(secret, &st) && st.st_size == 6 && st.st_nlink == 1;
    say(inside && opened && refused, "a path that changes", opened, "opened", refused, "refused");
}

// ---- Buffers that move, and subscriptions

static void *change_list(void *p) {
    static const uint32_t places[] = {DATA, END - 8, END - 4, END, 0xfffffff8, DATA + 1, 1u << 31}, sizes[] = {8, 1, 0xffffffff, 0, 9};
    for (unsigned k = 0; !atomic_load(&over); k++) {
        put32(LIST, places[k % 7]), put32(LIST + 4, sizes[k % 5]);
        put32(LIST + 8, places[k % 3]), put32(LIST + 12, sizes[k % 2]);
    }
    return p;
}

static void race_list(void) {
    long moved = 0, faults = 0, other = 0;
    pthread_t t = start(change_list, NULL);
    for (double begun = now(); goes_on(begun, moved && faults);)
        for (int fd = 0; fd < 2; fd++) {
            int32_t error = fd ? CALL(&guests[0], fd_write, 1, LIST, 2, OUT) : CALL(&guests[0], fd_read, 0, LIST, 2, OUT);
            // A list that was inside memory as a whole moves no more than the memory holds.
            if (!error && get32(OUT) > 2 * END) other++;
            if (error && error != W_FAULT) other++;
            error ? faults++ : moved++;
        }
    stop(t);
    say(moved && faults && !other, "buffers that move", moved, "moved", faults, "refused");
}

static void *change_subscriptions(void *p) {
    for (unsigned k = 0; !atomic_load(&over); k++) {
        memset(guests[0].memory + SUBS, 0, 96);
        guests[0].memory[SUBS + 8] = (uint8_t)(k % 3), guests[0].memory[SUBS + 48 + 8] = (uint8_t)(k % 4);
        put32(SUBS + 16, k % 5), put32(SUBS + 48 + 16, k % 7 - 1);
    }
    return p;
}

static void race_poll(void) {
    long fine = 0, refused = 0, other = 0;
    pthread_t t = start(change_subscriptions, NULL);
    for (double begun = now(); goes_on(begun, fine && refused);) {
        int32_t error = CALL(&guests[0], poll_oneoff, SUBS, EVENTS, 2, OUT);
        if (error ? error != W_INVAL : get32(OUT) - 1 > 1) other++;
        error ? refused++ : fine++;
    }
    stop(t);
    say(fine && refused && !other, "subscriptions that change", fine, "answered", refused, "refused");
}

// ---- Memory that grows

static void *grow(void *p) {
    for (int k = 1; k < MOST; k++) {
        usleep((unsigned)(seconds * 1e6 / MOST));
        wasmx_memory_grow(guests[0].state.wasi_memory, 1);
    }
    return p;
}

// What was inside once stays inside, and what lies across the end is outside until all of it is inside.
static void race_growth(void) {
    long inside = 0, outside = 0;
    bool ok = true;
    int64_t reached = 0;
    pthread_t t = start(grow, NULL);
    for (double begun = now(); goes_on(begun, reached == MOST - 1);)
        for (int64_t page = 1; page < MOST; page++) {
            int32_t error = CALL(&guests[0], random_get, page * END - 8, 16);
            uint64_t size = wasmx_memory_size(guests[0].state.wasi_memory);
            if (error && page <= reached) ok = false;
            if (!error && (uint64_t)page * END >= size) ok = false;
            if (!error && page > reached) reached = page;
            error ? outside++ : inside++;
        }
    stop(t);
    say(ok && inside && outside && reached == MOST - 1, "memory that grows", inside, "inside", outside, "outside");
}

// ---- Descriptors that are closed and replaced under a call

static void *use_descriptors(void *p) {
    direct *d = p;
    uint32_t base = d == &guests[1] ? 0 : 2048, random = (uint32_t)(d - guests);
    strcpy((char *)d->memory + 40000 + base, "f");
    memcpy(d->memory + 41000 + base, (uint32_t[]){42000 + base, 1}, 8);
    d->memory[42000 + base] = 'G';
    while (!atomic_load(&over)) {
        random = random * 1664525 + 1013904223;
        int64_t a = 4 + (random >> 20) % 8, b = 4 + (random >> 24) % 8;
        switch (random >> 28) {
        case 0: case 1: case 2: case 3: case 4:
            CALL(d, path_open, IN, 0, 40000 + base, 1, 0, W_RIGHT(R_FD_WRITE) | W_RIGHT(R_FD_READ), 0, 0, 43000 + base);
            break;
        case 5: case 6: case 7: CALL(d, fd_close, a); break;
        case 8: CALL(d, fd_renumber, a, b); break;
        case 9: CALL(d, fd_filestat_get, a, 43000 + base); break;
        default: CALL(d, fd_write, a, 41000 + base, 1, 43500 + base);
        }
    }
    return NULL;
}

// The host's own file gets the numbers that the guest's descriptors had a moment ago.
static void race_descriptors(void) {
    char name[80], text[8] = "";
    long opened = 0, written = 0;
    bool same = true;
    struct stat st;
    snprintf(name, sizeof name, "%s/out", root);
    pthread_t a = start(use_descriptors, &guests[1]), b = start(use_descriptors, &guests[2]);
    for (double end = now() + 2 * seconds; now() < end; opened++) {
        int fd[4];
        for (int k = 0; k < 4; k++) fd[k] = open(name, O_RDWR | O_CLOEXEC);
        for (int k = 0; k < 4; k++) same &= fd[k] >= 0 && !fstat(fd[k], &st) && st.st_size == 6 && !close(fd[k]);
    }
    stop(a), stop(b);
    int fd = open(name, O_RDONLY);
    same &= read(fd, text, 7) == 6 && !strcmp(text, "SECRET");
    snprintf(name, sizeof name, "%s/in/f", root);
    if (!stat(name, &st)) written = st.st_size;
    say(same && written, "descriptors that are closed under a call", opened, "host files untouched", written, "bytes in the guest's file");
}

int main(int argc, char **argv) {
    if (argc > 1) seconds = atof(argv[1]);
    if (!mkdtemp(root)) die(root);
    shell("mkdir -p in/d; printf SECRET >out; printf inside >in/inside; ln -s .. in/l; printf inside >in/f");
    begin();
    race_path();
    shell("printf inside >in/inside; printf inside >in/f");
    race_list();
    race_poll();
    race_descriptors();
    race_growth();
    shell("rm -rf in out");
    rmdir(root);
    return failures != 0;
}
