// cli/embed.c: --embed GUEST::HOST: files, and directories with all that is below them, read for the compiler.
//
// A directory becomes the root GUEST; a file becomes GUEST's last component in the root before it.
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cli.h"
#include "compiler/compiler.h"

static char *text(const char *format, const char *a, const char *b) {
    size_t size = strlen(a) + strlen(b) + strlen(format);
    char *out = malloc(size);
    if (!out) abort();
    snprintf(out, size, format, a, b);
    return out;
}

// Takes over root and path.
static bool add_file(wasmx_compile_options *o, char *root, char *path, const char *host) {
    wasmx_buffer data = {0};
    wasmx_compile_error err;
    wasmx_embed *all = realloc((void *)(uintptr_t)o->embeds, (o->embed_count + 1) * sizeof *all);
    if (!all) abort();
    o->embeds = all;
    all[o->embed_count++] = (wasmx_embed){.root = root, .path = path};
    if (!wx_input_read(host, &data, &err)) {
        fail("%s", err.line);
        return false;
    }
    all[o->embed_count - 1].data = data.data;
    all[o->embed_count - 1].size = data.size;
    return true;
}

static bool cannot(const char *host) {
    fail("--embed: %s: %s", host, strerror(errno));
    return false;
}

static bool add_below(wasmx_compile_options *o, const char *root, const char *path, const char *host);

// What is neither a file nor a directory is left out.
static bool add_entry(wasmx_compile_options *o, const char *root, const char *path, const char *host) {
    struct stat st;
    if (stat(host, &st)) return cannot(host);
    if (S_ISDIR(st.st_mode)) return add_below(o, root, path, host);
    return !S_ISREG(st.st_mode) || add_file(o, text("%s%s", root, ""), text("%s%s", path, ""), host);
}

enum { DEEPEST = 2048 }; // bytes of a path: links may lead in circles

static bool add_below(wasmx_compile_options *o, const char *root, const char *path, const char *host) {
    DIR *d = strlen(path) < DEEPEST ? opendir(host) : NULL;
    bool ok = true;
    if (!d) return cannot(host);
    for (struct dirent *e; ok && (e = readdir(d));) {
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")) continue;
        char *below = text(*path ? "%s/%s" : "%s%s", path, e->d_name), *from = text("%s/%s", host, e->d_name);
        ok = add_entry(o, root, below, from);
        free(below);
        free(from);
    }
    closedir(d);
    return ok;
}

// guest is cut at its last slash.
static bool add_one(wasmx_compile_options *o, char *guest, const char *host) {
    struct stat st;
    size_t n = strlen(guest);
    while (n > 1 && guest[n - 1] == '/') guest[--n] = 0;
    if (stat(host, &st)) return cannot(host);
    if (S_ISDIR(st.st_mode)) return add_below(o, guest, "", host);
    char *slash = strrchr(guest, '/');
    char *path = text("%s%s", slash ? slash + 1 : guest, "");
    if (slash) *slash = 0;
    return add_file(o, text("%s%s", !slash ? "." : *guest ? guest : "/", ""), path, host);
}

bool read_embeds(const settings *s, wasmx_compile_options *out) {
    bool ok = true;
    for (size_t i = 0; ok && i < s->embeds.count; i++) {
        char *guest = text("%s%s", s->embeds.items[i], ""), *mark = strstr(guest, "::");
        if (mark) *mark = 0;
        if (mark && *guest && mark[2]) ok = add_one(out, guest, mark + 2);
        else ok = fail("--embed: '%s' is not GUEST::HOST", s->embeds.items[i]) == EXIT_FINE;
        free(guest);
    }
    return ok;
}

void free_embeds(wasmx_compile_options *o) {
    for (size_t i = 0; i < o->embed_count; i++) {
        free((void *)(uintptr_t)o->embeds[i].root);
        free((void *)(uintptr_t)o->embeds[i].path);
        free((void *)(uintptr_t)o->embeds[i].data);
    }
    free((void *)(uintptr_t)o->embeds);
    o->embeds = NULL;
    o->embed_count = 0;
}
