// tests/load/traps.c: traps without end, of every kind and from every depth, and what they leave behind.
//
//   traps COUNT THREADS      COUNT: in all
//
// Every trap must be the one its function makes, and the instance must go on working; every 64th is put back into its
// pool and taken again. Afterwards the process has no more descriptors or mappings than after the first 1,000, and its
// resident memory has not grown by 1 MiB. Out: one line; status 0 when all of that was so.
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "traps.h" // made by wasmx-aot build tests/load/traps.wat

enum { MOST_THREADS = 16, WARM = 1000, HELD = 64 };

static const wasmx_status kinds[] = {
    WASMX_TRAP_UNREACHABLE,     WASMX_TRAP_MEMORY_OUT_OF_BOUNDS,  WASMX_TRAP_INTEGER_DIVIDE_BY_ZERO,
    WASMX_TRAP_STACK_EXHAUSTED, WASMX_TRAP_UNINITIALIZED_ELEMENT, WASMX_TRAP_INDIRECT_CALL_TYPE_MISMATCH,
    WASMX_TRAP_HOST,            WASMX_TRAP_MEMORY_OUT_OF_BOUNDS};
enum { KINDS = sizeof kinds / sizeof *kinds };

static wasmx_pool *pool;
static pthread_barrier_t warm, measured;
static atomic_int wrong;

static void fail(wasmx_instance *guest) { wasmx_raise(guest, WASMX_TRAP_HOST, "so be it"); }

// From guest code into the host, back into guest code, and out of both again.
static void again(wasmx_instance *guest, int32_t kind) {
    wasmx_status status = traps_trap(guest, kind, 3);
    if (status != kinds[kind]) wrong++;
    wasmx_raise(guest, status, NULL);
}

static void check(bool right, const char *what, int k) {
    if (!right && wrong++ < 3) fprintf(stderr, "traps: %s, at trap %d\n", what, k);
}

static wasmx_instance *take(void) {
    wasmx_error err;
    wasmx_instance *i = wasmx_pool_acquire(pool, &traps, NULL, &err);
    if (!i) fprintf(stderr, "traps: %s\n", err.message), exit(1);
    return i;
}

static wasmx_instance *trap_once(wasmx_instance *i, int k) {
    int32_t count;
    wasmx_status expected = kinds[k % KINDS];
    check(traps_trap(i, k % KINDS, k % 29) == expected, "another trap", k);
    check(wasmx_last_trap(i)->kind == expected, "another record", k);
    check(traps_count(i, &count) == WASMX_OK && count == k % HELD + 1, "another count", k);
    if (k % HELD != HELD - 1) return i;
    check(wasmx_pool_release(i), "no release", k);
    return take();
}

static void *work(void *p) {
    int count = *(int *)p;
    wasmx_instance *i = take();
    for (int k = 0; k < count; k++) {
        if (k == WARM) pthread_barrier_wait(&warm), pthread_barrier_wait(&measured);
        i = trap_once(i, k);
    }
    check(wasmx_pool_release(i), "no release", count);
    return NULL;
}

// ---- What the process holds

typedef struct holdings { long kib, maps, descriptors; } holdings;

static long lines_of(const char *path) {
    FILE *f = fopen(path, "r");
    long lines = 0;
    for (int c; f && (c = getc(f)) != EOF;) lines += c == '\n';
    if (f) fclose(f);
    return lines;
}

static holdings look(void) {
    holdings h = {.maps = lines_of("/proc/self/maps")};
    for (int fd = 0; fd < 1024; fd++) h.descriptors += fcntl(fd, F_GETFD) >= 0;
    FILE *f = fopen("/proc/self/statm", "r");
    long size, pages = 0;
    if (!f || fscanf(f, "%ld %ld", &size, &pages) != 2) wrong++;
    if (f) fclose(f);
    h.kib = pages * (sysconf(_SC_PAGESIZE) / 1024);
    return h;
}

int main(int argc, char **argv) {
    int threads = argc > 2 ? atoi(argv[2]) : 0, each = threads ? atoi(argv[1]) / threads : 0;
    if (threads < 1 || threads > MOST_THREADS || each <= WARM) return fputs("usage: traps COUNT THREADS\n", stderr), 2;
    static const traps_imports imports = {.h_fail = fail, .h_again = again};
    wasmx_pool_module module = {.module = &traps, .options = {.imports = &imports, .max_stack_bytes = 64 << 10}};
    wasmx_pool_options o = {.slots = (uint32_t)threads, .modules = &module, .module_count = 1};
    wasmx_error err;
    pthread_t thread[MOST_THREADS];
    pool = wasmx_pool_new(&o, &err);
    if (!pool) return fprintf(stderr, "traps: %s\n", err.message), 1;
    pthread_barrier_init(&warm, NULL, (unsigned)threads + 1);
    pthread_barrier_init(&measured, NULL, (unsigned)threads + 1);
    for (int t = 0; t < threads; t++)
        if (pthread_create(&thread[t], NULL, work, &each)) return fputs("traps: no thread\n", stderr), 1;
    pthread_barrier_wait(&warm);
    holdings before = look();
    pthread_barrier_wait(&measured);
    for (int t = 0; t < threads; t++) pthread_join(thread[t], NULL);
    holdings after = look();
    printf("%d traps on %d threads, wrong %d; KiB %ld, then %ld; mappings %ld, then %ld; descriptors %ld, then %ld\n",
           each * threads, threads, wrong, before.kib, after.kib, before.maps, after.maps, before.descriptors,
           after.descriptors);
    return wrong || after.kib > before.kib + 1024 || after.maps > before.maps + 2 ||
           after.descriptors != before.descriptors || !wasmx_pool_free(pool);
}
