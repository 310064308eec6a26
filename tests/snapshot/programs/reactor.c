// tests/snapshot/programs/reactor.c: a reactor: constructors run in _initialize, then the initialiser fills a hash map whose
// seed it asks the system for, and looks at a clock.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define EXPORT(name) __attribute__((export_name(name)))

typedef struct entry { struct entry *next; char *key; uint32_t value; } entry;
static entry *buckets[509];
static uint64_t seed;
static int constructed, (*step)(int);
static time_t made;

__attribute__((constructor)) static void construct(void) { constructed += 100; }

static int twice(int x) { return 2 * x; }
static int thrice(int x) { return 3 * x; }
static int only_once(int x) { return x ^ 0x55; }

static uint32_t hash(const char *s) {
    uint64_t h = seed;
    for (; *s; s++) h = (h ^ (uint8_t)*s) * 0x100000001b3u;
    return (uint32_t)(h ^ h >> 32);
}

static void put(const char *key, uint32_t value) {
    entry *e = malloc(sizeof *e), **at = &buckets[hash(key) % 509];
    *e = (entry){*at, strdup(key), value};
    *at = e;
}

EXPORT("wizer-initialize") void initialise(void) {
    int (*volatile first)(int) = only_once;
    getentropy(&seed, sizeof seed);
    made = time(NULL);
    for (uint32_t i = 0; i < 2000; i++) {
        char key[32];
        snprintf(key, sizeof key, "key %u", i * 7);
        put(key, (uint32_t)first((int)i));
    }
    step = thrice;
}

EXPORT("get") uint32_t get(uint32_t i) {
    char key[32];
    snprintf(key, sizeof key, "key %u", i % 2000 * 7);
    for (entry *e = buckets[hash(key) % 509]; e; e = e->next)
        if (!strcmp(e->key, key)) return e->value;
    return 0xdead;
}

EXPORT("step") int take_step(int i) {
    if (i & 1) step = step == twice ? thrice : twice;
    return step(i) + constructed;
}

EXPORT("made") int was_made(void) { return made > 900000000; }

EXPORT("print") void print(int i) {
    printf("%d %d\n", i, constructed);
    fflush(stdout);
}
