// bench/embed.c: what an embedder pays: an instance made and freed, calls into the guest and out of it.
//   embed ROUNDS
// Out: one line of JSON, medians over the rounds. Linked with the object of guest.wat and libwasmx.
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "guest.h" // made by wasmx-aot build guest.wat

enum { INSTANCES = 200, CALLS = 1000000, MAX_ROUNDS = 101 };

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int32_t tick(wasmx_instance *caller, int32_t x) {
    (void)caller;
    return x + 1;
}

static const guest_imports imports = {.env_tick = tick};
static const wasmx_options options = {.imports = &imports};

static wasmx_instance *make(void) {
    wasmx_error err;
    wasmx_instance *instance = wasmx_instantiate(&guest, &options, &err);
    if (!instance) fprintf(stderr, "embed: %s\n", err.message), exit(1);
    return instance;
}

static void expect(int condition, const char *what) {
    if (!condition) fprintf(stderr, "embed: wrong result: %s\n", what), exit(1);
}

static double instances(wasmx_instance *unused) {
    (void)unused;
    for (int i = 0; i < INSTANCES; i++) wasmx_instance_free(make());
    return INSTANCES;
}

// As a server does it: an instance, one call that touches its memory and its stack, the end.
static double requests(wasmx_instance *unused) {
    (void)unused;
    for (int32_t i = 0, r; i < INSTANCES; i++) {
        wasmx_instance *instance = make();
        expect(guest_add(instance, i, 1, &r) == WASMX_OK && r == i + 1, "add");
        wasmx_memory_data(guest_memory(instance))[4096] = 1;
        wasmx_instance_free(instance);
    }
    return INSTANCES;
}

static double typed_calls(wasmx_instance *instance) {
    int32_t x = 0;
    for (int i = 0; i < CALLS; i++)
        if (guest_add(instance, x, 1, &x) != WASMX_OK) break;
    expect(x == CALLS, "typed calls");
    return CALLS;
}

static double untyped_calls(wasmx_instance *instance) {
    wasmx_func *add = wasmx_export_func(instance, "add");
    wasmx_value args[2] = {{.i32 = 0}, {.i32 = 1}}, result = {.i32 = 0};
    for (int i = 0; i < CALLS; i++, args[0] = result)
        if (wasmx_call(add, args, &result) != WASMX_OK) break;
    expect(result.i32 == CALLS, "untyped calls");
    return CALLS;
}

static double host_calls(wasmx_instance *instance) {
    int32_t x = 0;
    expect(guest_ticks(instance, CALLS, &x) == WASMX_OK && x == CALLS, "host calls");
    return CALLS;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static const struct { const char *name; double (*run)(wasmx_instance *); } tests[] = {
    {"instantiate_free", instances}, {"instantiate_call_free", requests}, {"host_to_guest_typed", typed_calls},
    {"host_to_guest_untyped", untyped_calls}, {"guest_to_host", host_calls},
};
enum { TESTS = sizeof tests / sizeof *tests };

int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 5;
    if (rounds < 1 || rounds > MAX_ROUNDS) return fputs("usage: embed ROUNDS\n", stderr), 2;
    static double ns[TESTS][MAX_ROUNDS];
    wasmx_instance *instance = make();
    for (int round = 0; round < rounds; round++)
        for (int i = 0; i < TESTS; i++) {
            double start = now(), count = tests[i].run(instance);
            ns[i][round] = (now() - start) / count * 1e9;
        }
    wasmx_instance_free(instance);
    for (int i = 0; i < TESTS; i++) {
        qsort(ns[i], (size_t)rounds, sizeof **ns, by_size);
        printf("%s\"%s\":%.2f", i ? "," : "{", tests[i].name, ns[i][rounds / 2]);
    }
    puts("}");
    return 0;
}
