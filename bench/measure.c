// bench/measure.c: runs a command several times and says how long each run took, start to exit, and the most memory.
//   measure COUNT COMMAND ARGS...
// Out: one line of JSON. The command's standard output goes nowhere; its standard error stays. Status 1 if it failed.
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

// Seconds, or -1 when it did not end with status 0.
static double run(char **argv, long *peak_kib) {
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t child;
    struct rusage usage;
    int status = -1;
    double start = now();
    int failed = posix_spawnp(&child, argv[0], &files, NULL, argv, environ);
    if (!failed) wait4(child, &status, 0, &usage);
    double seconds = now() - start;
    posix_spawn_file_actions_destroy(&files);
    if (failed || status) return -1;
    if (usage.ru_maxrss > *peak_kib) *peak_kib = usage.ru_maxrss;
    return seconds;
}

int main(int argc, char **argv) {
    int count = argc > 2 ? atoi(argv[1]) : 0;
    if (count < 1) return fputs("usage: measure COUNT COMMAND ARGS...\n", stderr), 2;
    long peak_kib = 0;
    printf("{\"seconds\":[");
    for (int i = 0; i < count; i++) {
        double seconds = run(argv + 2, &peak_kib);
        if (seconds < 0) return 1;
        printf("%s%.6f", i ? "," : "", seconds);
    }
    printf("],\"peak_kib\":%ld}\n", peak_kib);
    return 0;
}
