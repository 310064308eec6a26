// How a program with threads ends: ends MODE. Every mode but two leaves others running, waiting or in a system call.
#include "thread.h"

static _Atomic uint32_t never, started;
static volatile uint32_t turns;

static void begun(void) {
    atomic_fetch_add(&started, 1);
    wake(&started, 16);
}

static void spin(void *argument) {
    (void)argument;
    begun();
    for (;;) turns++;
}

// Touches no memory and calls nothing.
static void spin_alone(void *argument) {
    (void)argument;
    begun();
    for (;;) __asm__ volatile("");
}

static void wait_for_ever(void *argument) {
    (void)argument;
    begun();
    for (;;) wait_while(&never, 0);
}

static void read_input(void *argument) {
    char c;
    uint32_t list[] = {(uint32_t)&c, 1}, n;
    (void)argument;
    begun();
    for (;;) fd_read(0, list, 1, &n);
}

static void sleep_long(void *argument) {
    uint64_t in[6] = {0, 0, 1, 3600000000000ull, 0, 0}, out[4];
    uint32_t n;
    (void)argument;
    begun();
    for (;;) poll_oneoff(in, out, 1, &n);
}

static void exit_7(void *argument) { (void)argument, begun(), proc_exit(7); }
static void trap(void *argument) { (void)argument, begun(), __builtin_trap(); }
static void nothing(void *argument) { (void)argument; }

// A stack that is not a thread's own is used up at its end.
static uint32_t deep(volatile uint32_t n) { return n ? deep(n - 1) + deep(n - 1) : 0; }
static void overflow(void *argument) { (void)argument, begun(), turns = deep(1000000); }

static void start(void (*const *list)(void *), uint32_t n) {
    static thread threads[16];
    for (uint32_t k = 0; k < n; k++) spawn(&threads[k], list[k], NULL);
    for (uint32_t now; (now = atomic_load(&started)) < n;) wait_while(&started, now);
}

int main(int argc, char **argv) {
    static void (*const others[])(void *) = {spin, spin_alone, wait_for_ever, read_input, sleep_long, spin};
    static void (*const ending[])(void *) = {spin, wait_for_ever, read_input, sleep_long, exit_7};
    static void (*const trapping[])(void *) = {spin_alone, wait_for_ever, trap};
    static thread threads[16];
    char mode = argc > 1 ? argv[1][0] : 0;
    switch (mode) {
    case 'r': start(others, 6); return 0;            // main returns
    case 'c': start(others, 6); return 5;            // with a code
    case 't': start(others, 6); __builtin_trap();
    case 'e': start(ending, 5); wait_for_ever(NULL); // a thread ends it, main waits
    case 's': start(ending, 5); spin_alone(NULL);    // main computes
    case 'i': start(ending, 5); read_input(NULL);    // main reads
    case 'p': start(ending, 5); sleep_long(NULL);    // main polls
    case 'T': start(trapping, 3); spin(NULL);
    case 'o': spawn(&threads[0], overflow, NULL); wait_for_ever(NULL);
    case 'n': // more than there may be: thread-spawn says so
        for (uint32_t k = 0;; k++) {
            static thread one;
            one.stack = stacks[0] + STACK;
            one.run = wait_for_ever;
            if (thread_spawn(&one) > 0) continue;
            say("threads", k);
            return 0;
        }
    }
    nothing(NULL);
    return 96;
}
