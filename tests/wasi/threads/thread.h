// tests/wasi/threads/thread.h: a few functions that threads need, natively by pthread and as Wasm by wasi-threads.
//
// Debian's wasi-libc has no threads, so the Wasm side stands alone: thread-spawn, wait and notify, fd_write.
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STACK 65536

typedef struct thread { // stack is where wasi_thread_start looks for it
    void *stack;
    void (*run)(void *);
    void *argument;
    _Atomic uint32_t done;
    uint64_t native;
} thread;

static void spawn(thread *t, void (*run)(void *), void *argument); // ends the program when it cannot
static void join(thread *t);
static void wait_while(_Atomic uint32_t *at, uint32_t value);      // returns at once where another value is
static void wake(_Atomic uint32_t *at, uint32_t count);
static void write_text(const char *text, size_t n);

#ifdef __wasm__

#define IMPORT(module, name) __attribute__((import_module(module), import_name(name)))
IMPORT("wasi", "thread-spawn") int32_t thread_spawn(void *argument);
IMPORT("wasi_snapshot_preview1", "fd_write") int32_t fd_write(int32_t fd, const void *list, uint32_t count, uint32_t *out);
IMPORT("wasi_snapshot_preview1", "fd_read") int32_t fd_read(int32_t fd, const void *list, uint32_t count, uint32_t *out);
IMPORT("wasi_snapshot_preview1", "poll_oneoff") int32_t poll_oneoff(const void *in, void *out, uint32_t n, uint32_t *ready);
IMPORT("wasi_snapshot_preview1", "proc_exit") _Noreturn void proc_exit(int32_t code);

void thread_main(int32_t tid, thread *t);
__asm__(".globaltype __stack_pointer, i32\n"
        ".functype thread_main (i32, i32) -> ()\n"
        ".globl wasi_thread_start\n"
        ".export_name wasi_thread_start, wasi_thread_start\n"
        ".type wasi_thread_start,@function\n"
        "wasi_thread_start:\n"
        "  .functype wasi_thread_start (i32, i32) -> ()\n"
        "  local.get 1\n"
        "  i32.load 0\n"
        "  global.set __stack_pointer\n"
        "  local.get 0\n"
        "  local.get 1\n"
        "  call thread_main\n"
        "  end_function\n");

static void wait_while(_Atomic uint32_t *at, uint32_t value) {
    __builtin_wasm_memory_atomic_wait32((int *)at, (int)value, -1);
}
static void wake(_Atomic uint32_t *at, uint32_t count) { __builtin_wasm_memory_atomic_notify((int *)at, count); }

void thread_main(int32_t tid, thread *t) {
    if (tid > 0) t->run(t->argument);
    atomic_store(&t->done, 1);
    wake(&t->done, 1);
}

static void write_text(const char *text, size_t n) {
    uint32_t list[] = {(uint32_t)text, n}, out;
    fd_write(1, list, 1, &out);
}

static char stacks[64][STACK] __attribute__((aligned(16)));
static _Atomic uint32_t stacks_used;

static void spawn(thread *t, void (*run)(void *), void *argument) {
    t->stack = stacks[atomic_fetch_add(&stacks_used, 1) % 64] + STACK;
    t->run = run;
    t->argument = argument;
    atomic_store(&t->done, 0);
    if (thread_spawn(t) <= 0) proc_exit(99);
}

static void join(thread *t) {
    while (!atomic_load(&t->done)) wait_while(&t->done, 0);
}

int main(int argc, char **argv); // of which clang makes __main_argc_argv
int __main_argc_argv(int argc, char **argv);
IMPORT("wasi_snapshot_preview1", "args_sizes_get") int32_t args_sizes_get(uint32_t *count, uint32_t *size);
IMPORT("wasi_snapshot_preview1", "args_get") int32_t args_get(char **list, char *bytes);

void _start(void) {
    static char *list[16], bytes[1024];
    uint32_t count = 0, size = 0;
    if (args_sizes_get(&count, &size) || count > 15 || size > sizeof bytes || args_get(list, bytes)) proc_exit(98);
    int code = __main_argc_argv(count, list);
    if (code) proc_exit(code);
}

#else

#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

static void wait_while(_Atomic uint32_t *at, uint32_t value) { syscall(SYS_futex, at, FUTEX_WAIT, value, NULL); }
static void wake(_Atomic uint32_t *at, uint32_t count) { syscall(SYS_futex, at, FUTEX_WAKE, count); }
static void write_text(const char *text, size_t n) {
    if (write(1, text, n) != (ssize_t)n) _exit(97);
}

static void *thread_main(void *p) {
    thread *t = p;
    t->run(t->argument);
    return NULL;
}

static void spawn(thread *t, void (*run)(void *), void *argument) {
    pthread_t handle;
    t->run = run;
    t->argument = argument;
    if (pthread_create(&handle, NULL, thread_main, t)) _exit(99);
    t->native = (uint64_t)handle;
}
static void join(thread *t) { pthread_join((pthread_t)t->native, NULL); }

#endif

// "what: number" on a line.
static inline void say(const char *what, uint64_t number) {
    char line[120], digits[24];
    size_t n = 0, d = 0;
    while (what[n] && n < 80) line[n] = what[n], n++;
    line[n++] = ':', line[n++] = ' ';
    do digits[d++] = (char)('0' + number % 10);
    while (number /= 10);
    while (d) line[n++] = digits[--d];
    line[n++] = '\n';
    write_text(line, n);
}

// A mutex: 0 free, 1 held, 2 held and waited for.
typedef _Atomic uint32_t mutex;

static inline void acquire(mutex *m) {
    uint32_t seen = 0;
    if (atomic_compare_exchange_strong(m, &seen, 1)) return;
    if (seen != 2) seen = atomic_exchange(m, 2);
    while (seen) {
        wait_while(m, 2);
        seen = atomic_exchange(m, 2);
    }
}

static inline void release(mutex *m) {
    if (atomic_exchange(m, 0) == 2) wake(m, 1);
}
