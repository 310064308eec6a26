// tests/cli/show.c: a WASI command that shows its arguments, its environment and the files it is told to.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int show(const char *path) {
    char text[256];
    FILE *f = fopen(path, "r");
    if (!f) return printf("%s: cannot open\n", path), 1;
    while (fgets(text, sizeof text, f)) printf("%s: %s", path, text);
    fclose(f);
    return 0;
}

int main(int argc, char **argv) {
    int failed = 0;
    const char *greeting = getenv("GREETING");
    printf("greeting: %s\n", greeting ? greeting : "(none)");
    for (int i = 1; i < argc; i++) {
        if (strchr(argv[i], '/')) failed |= show(argv[i]);
        else printf("argument: %s\n", argv[i]);
    }
    return failed ? 3 : 0;
}
