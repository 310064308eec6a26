// tests/wasi/programs/process.c: arguments, environment, clocks, randomness, waiting, standard streams, the end.
#include <poll.h>
#include <sched.h>
#include <time.h>

#include "say.h"

static long long nanoseconds(clockid_t clock) {
    struct timespec t = {0, 0};
    return clock_gettime(clock, &t) ? -1 : (long long)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void clocks(void) {
    struct timespec resolution, rest = {0, 20000000};
    long long t = nanoseconds(CLOCK_MONOTONIC), wall = nanoseconds(CLOCK_REALTIME);
    SAY(nanosleep(&rest, NULL));
    long long passed = nanoseconds(CLOCK_MONOTONIC) - t;
    printf("slept enough %d, not too long %d\n", passed >= 20000000, passed < 2000000000);
    printf("wall clock %d\n", wall > 1700000000000000000 && nanoseconds(CLOCK_REALTIME) > wall);
    SAY(clock_getres(CLOCK_MONOTONIC, &resolution));
    SAY(sched_yield());
    SAY(time(NULL) > 1700000000);
}

static void waiting(void) {
    struct pollfd p[2] = {{.fd = 0, .events = POLLIN}, {.fd = 1, .events = POLLOUT}};
    char text[16] = "";
    SAY(poll(p, 2, 1000));
    printf("%d %d\n", p[0].revents & POLLIN, !!(p[1].revents & POLLOUT));
    SAY(read(0, text, 5));
    printf("%s\n", text);
    SAY(poll(NULL, 0, 10));
    SAY(lseek(0, 0, SEEK_CUR));
    SAY(isatty(0));
}

int main(int argc, char **argv) {
    unsigned char random[64] = {0};
    int sum = 0;
    for (int k = 1; k < argc; k++) printf("[%s]", argv[k]);
    printf("%s %s\n", getenv("SOME"), getenv("NONE") ? "there" : "not there");
    SAY(getentropy(random, sizeof random));
    for (int k = 0; k < 64; k++) sum += random[k] != 0;
    printf("random %d\n", sum > 32);
    clocks();
    waiting();
    fprintf(stderr, "to stderr\n");
    fflush(NULL);
    _Exit(argc > 1 ? atoi(argv[1]) : 0);
}
