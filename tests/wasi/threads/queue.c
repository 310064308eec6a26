// Producers and consumers with a ring of few places, a mutex and two words to wait at.
#include "thread.h"

enum { PRODUCERS = 3, CONSUMERS = 3, ITEMS = 5000, PLACES = 4 };

static mutex lock;
static uint32_t ring[PLACES], head, tail, taken;
static _Atomic uint32_t changes;
static _Atomic uint64_t sum, squares;

static void changed(void) {
    atomic_fetch_add(&changes, 1);
    wake(&changes, PRODUCERS + CONSUMERS);
}

static void produce(void *argument) {
    uint32_t first = (uint32_t)(uintptr_t)argument;
    for (uint32_t k = 0; k < ITEMS; k++) {
        for (;;) {
            uint32_t now = atomic_load(&changes);
            acquire(&lock);
            bool room = head - tail < PLACES;
            if (room) ring[head++ % PLACES] = first + k;
            release(&lock);
            if (room) break;
            wait_while(&changes, now);
        }
        changed();
    }
}

static void consume(void *argument) {
    (void)argument;
    for (;;) {
        uint32_t now = atomic_load(&changes), item = 0;
        acquire(&lock);
        bool some = head != tail, over = taken == PRODUCERS * ITEMS;
        if (some) item = ring[tail++ % PLACES], taken++;
        release(&lock);
        if (!some && over) return;
        if (some) {
            atomic_fetch_add(&sum, item);
            atomic_fetch_add(&squares, (uint64_t)item * item);
            changed();
        } else {
            wait_while(&changes, now);
        }
    }
}

int main(int argc, char **argv) {
    static thread threads[PRODUCERS + CONSUMERS];
    (void)argc, (void)argv;
    for (uint32_t k = 0; k < CONSUMERS; k++) spawn(&threads[PRODUCERS + k], consume, NULL);
    for (uint32_t k = 0; k < PRODUCERS; k++) spawn(&threads[k], produce, (void *)(uintptr_t)(k * 1000000));
    for (int k = 0; k < PRODUCERS + CONSUMERS; k++) join(&threads[k]);
    say("taken", taken);
    say("sum", sum);
    say("squares", squares);
    return 0;
}
