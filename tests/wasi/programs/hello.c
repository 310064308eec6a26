// tests/wasi/programs/hello.c: reads a file that is in no directory, and traps when asked.
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
    char line[100] = "";
    FILE *f = fopen(argc > 1 ? argv[1] : "/data/greeting", "r");
    if (!f) return perror("open"), 3;
    while (fgets(line, sizeof line, f)) fputs(line, stdout);
    fclose(f);
    fflush(stdout);
    if (argc > 2 && !strcmp(argv[2], "trap")) __builtin_trap();
    return argc > 2;
}
