// cli/common.c: what build and run have in common.
#include "cli/cli.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/compiler.h"

static bool is(const char *value, const char *word) { return value && !strcmp(value, word); }

static bool threads_of(const char *command, const settings *s, unsigned *out) {
    unsigned long n = 0;
    if (!parse_number(s->jobs, 1024, &n) || (s->jobs && !n)) {
        wrong_usage(command, "-j: '%s' is not a number from 1 to 1024", s->jobs);
        return false;
    }
    *out = (unsigned)n;
    return true;
}

static bool cache_of(const char *command, const settings *s, wasmx_compile_options *out) {
    unsigned long mib = 0;
    if (!parse_number(s->cache_size, 1ul << 40, &mib) || (s->cache_size && !mib)) {
        wrong_usage(command, "--cache-size: '%s' is not a number of MiB", s->cache_size);
        return false;
    }
    if (s->cache_size && !s->cache_dir) {
        wrong_usage(command, "--cache-size is for --cache-dir");
        return false;
    }
    out->cache_dir = s->cache_dir;
    out->cache_bytes = (uint64_t)mib << 20;
    return true;
}

bool compile_options(const char *command, const settings *s, wasmx_compile_options *out) {
    *out = (wasmx_compile_options){
        .target = s->target,
        .cpu = s->cpu,
        .features = s->features,
        .opt_level = s->opt ? s->opt[0] : 0,
        .debug = s->debug,
        .bounds = is(s->bounds, "explicit") ? WASMX_BOUNDS_EXPLICIT : WASMX_BOUNDS_GUARD,
        .traps = is(s->traps, "precise") ? WASMX_TRAPS_PRECISE : WASMX_TRAPS_DEFAULT,
        .interruptible = s->interruptible,
        .canonical_nans = s->canonical_nans,
        .tiers = tiers_of(s),
        .link_imports = is(s->imports, "link"),
        .profile_generate = s->profile_generate,
        .hot_only = s->hot_only,
    };
    wasmx_compile_error err;
    if (!threads_of(command, s, &out->threads) || !cache_of(command, s, out)) return false;
    if (wx_target_check(out, &err)) return true;
    wrong_usage(command, "%s", err.line);
    return false;
}

// Names that no C symbol may have, or that every program has already.
static bool is_taken(const char *name) {
    static const char *const words[] = {
        "auto", "bool", "break", "case", "catch", "char", "class", "const", "continue", "default", "delete", "do",
        "double", "else", "enum", "export", "extern", "false", "float", "for", "friend", "goto", "if", "inline",
        "int", "long", "main", "namespace", "new", "operator", "private", "public", "register", "return", "short",
        "signed", "sizeof", "static", "struct", "switch", "template", "this", "throw", "true", "try", "typedef",
        "union", "unsigned", "using", "virtual", "void", "volatile", "while",
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strcmp(words[i], name)) return true;
    return false;
}

char *name_of_file(const char *prefix, const char *path) {
    const char *slash = strrchr(path, '/'), *start = slash ? slash + 1 : path, *dot = strrchr(start, '.');
    size_t len = dot && dot > start ? (size_t)(dot - start) : strlen(start), n = strlen(prefix);
    char *name = calloc(n + len + 3, 1);
    if (!name) abort();
    strcpy(name, prefix);
    if (!n && (!len || isdigit((unsigned char)start[0]))) name[n++] = '_';
    for (size_t i = 0; i < len; i++) name[n++] = isalnum((unsigned char)start[i]) ? start[i] : '_';
    if (is_taken(name)) name[n] = '_';
    return name;
}
