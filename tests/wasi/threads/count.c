// Threads that count one number up: with atomics of every width, under a mutex, and with neither.
#include "thread.h"

enum { THREADS = 8, ROUNDS = 20000 };

static _Atomic uint64_t wide;
static _Atomic uint32_t word, exchanged;
static _Atomic uint16_t half;
static _Atomic uint8_t byte;
static mutex lock;
static uint64_t guarded;
static volatile uint32_t racing;
static _Atomic uint32_t go;

static void count(void *argument) {
    (void)argument;
    while (!atomic_load(&go)) wait_while(&go, 0);
    for (int k = 0; k < ROUNDS; k++) {
        atomic_fetch_add(&wide, 0x100000001);
        atomic_fetch_add(&word, 1);
        atomic_fetch_add(&half, 1);
        atomic_fetch_sub(&byte, 1);
        for (uint32_t seen = atomic_load(&exchanged); !atomic_compare_exchange_weak(&exchanged, &seen, seen + 3);) {}
        racing = racing + 1;
        acquire(&lock);
        guarded++;
        release(&lock);
    }
}

int main(int argc, char **argv) {
    static thread threads[THREADS];
    (void)argc, (void)argv;
    for (int k = 0; k < THREADS; k++) spawn(&threads[k], count, NULL);
    atomic_store(&go, 1);
    wake(&go, THREADS);
    for (int k = 0; k < THREADS; k++) join(&threads[k]);
    say("wide", wide);
    say("word", word);
    say("half", half);
    say("byte", byte);
    say("exchanged", exchanged);
    say("guarded", guarded);
    say("racing is between", racing >= ROUNDS / 100 && racing <= THREADS * ROUNDS);
    return 0;
}
