// tests/snapshot/programs/files.c: a command that reads its settings when it is initialised and other files when it runs, through
// the table of preopened directories that the C library filled before the snapshot.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT(name) __attribute__((export_name(name)))

extern void __wasm_call_ctors(void);
static char settings[256], *leak;
static FILE *left;

static void read_file(const char *path, char *out, size_t size) {
    FILE *f = fopen(path, "r");
    size_t n = f ? fread(out, 1, size - 1, f) : 0;
    out[n] = 0;
    if (f) fclose(f);
    else snprintf(out, size, "cannot open %s", path);
}

static void initialise(void) {
    __wasm_call_ctors();
    read_file("/data/settings", settings, sizeof settings);
    leak = getenv("NAME");
    if (leak) leak = strdup(leak);
}

EXPORT("wizer-initialize") void first(void) { initialise(); }

EXPORT("leaves-open") void second(void) {
    initialise();
    left = fopen("/data/settings", "r");
}

EXPORT("resume") void resume(void) {
    char text[256];
    read_file("/data/later", text, sizeof text);
    printf("settings: %s\nlater: %s\nname: %s\n", settings, text, leak ? leak : "none");
    fflush(stdout);
}

int main(void) {
    initialise();
    resume();
    return left != NULL;
}
