// runtime/command.c: what main() of an executable made by --emit=exe calls.
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/internal.h"
#include "wasmx_wasi.h"

typedef struct dir_list {
    wasmx_preopen *items;
    size_t count;
} dir_list;

wasmx_preopen wasmx_preopen_parse(char *text) {
    wasmx_preopen p = {.host = text, .guest = text};
    char *guest = strstr(text, "::"), *mode = guest ? strstr(guest + 2, "::ro") : NULL;
    p.read_only = mode && !mode[4];
    if (p.read_only) *mode = 0;
    if (!guest) return p;
    *guest = 0;
    if (guest[2]) p.guest = guest + 2;
    return p;
}

// Keeps a copy of the text, for the life of the process.
static void add_dir(dir_list *l, const char *text, size_t len) {
    char *host = strndup(text, len);
    wasmx_preopen *items = realloc(l->items, (l->count + 1) * sizeof *items);
    if (!host || !items) abort();
    l->items = items;
    l->items[l->count++] = wasmx_preopen_parse(host);
}

static dir_list find_dirs(const char *built_in) {
    dir_list l = {0};
    for (const char *at = built_in; *at; at += strlen(at) + 1) add_dir(&l, at, strlen(at));
    const char *given = getenv("WASMX_DIR");
    for (const char *at = given ? given : ""; *at;) {
        size_t len = strcspn(at, ",");
        if (len) add_dir(&l, at, len);
        at += len + (at[len] == ',');
    }
    return l;
}

int wasmx_wasi_command(const wasmx_module *module, char **argv, const char *dirs, int trap_unknown_imports) {
    dir_list l = find_dirs(dirs);
    wx_profile_at_exit(module, argv[0]);
    wasmx_wasi_config config = {
        .args = (const char *const *)argv,
        .env = (const char *const *)environ,
        .preopens = l.items,
        .preopen_count = l.count,
        .stdin_fd = STDIN_FILENO,
        .stdout_fd = STDOUT_FILENO,
        .stderr_fd = STDERR_FILENO,
    };
    return wasmx_wasi_main(module, &config, trap_unknown_imports);
}
