// runtime/profile.c: what code built with --profile-generate has counted (abi.h), as a file.
//
// The file is text. Its first line names the format, the second the module; then each function has a line, also where
// nothing was counted, and below it one for each of its sites that counted something:
//
//   wasmx-profile 1
//   module SHA-256 NAME
//   func INDEX HASH NAME
//   KIND OFFSET WHICH:COUNT...
//   end
//
// KIND is e, l, b, s or t for the kinds of wxrt_site; WHICH is the number of the counter, for t the index of the
// function that was called, * where it is none of the module's. Names have control characters and % as %XX.
//
// Counters change while they are read, and threads may overwrite each other's increments: counts are lost, never more.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/internal.h"

static uint64_t get(const uint64_t *word) { return __atomic_load_n(word, __ATOMIC_RELAXED); }
static void set(uint64_t *word, uint64_t value) { __atomic_store_n(word, value, __ATOMIC_RELAXED); }

// The commonest callees are kept: a new one takes the place, and the count, of the rarest.
void wxrt_profile_target(uint64_t *pairs, void *code) {
    uint64_t *least = pairs, address = (uint64_t)(uintptr_t)code;
    for (uint64_t *pair = pairs; pair < pairs + 2 * WXRT_TARGETS; pair += 2) {
        if (get(&pair[0]) == address) {
            set(&pair[1], get(&pair[1]) + 1);
            return;
        }
        if (get(&pair[1]) < get(&least[1])) least = pair;
    }
    set(&least[0], address);
    set(&least[1], get(&least[1]) + 1);
}

// ---- The text

typedef struct writer {
    FILE *file;
    const wasmx_module *module;
    const uint8_t *at;       // in the sites
    const uint64_t *counter;
    bool wrote;              // something of the current site
    uint64_t offset;
    unsigned kind;
} writer;

static uint64_t read_unsigned(writer *w) {
    uint64_t out = 0;
    unsigned shift = 0;
    do out |= (uint64_t)(*w->at & 0x7f) << shift, shift += 7;
    while (*w->at++ & 0x80);
    return out;
}

static void write_name(FILE *file, const char *name) {
    for (const char *c = name; *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f || *c == '%') fprintf(file, "%%%02X", (unsigned char)*c);
        else putc(*c, file);
    }
    putc('\n', file);
}

// UINT32_MAX: of another module, of the host, or one that has no index here.
static uint32_t function_at(const wasmx_module *m, uint64_t code) {
    uint32_t func = UINT32_MAX;
    if (wx_find_code(code, &func) != m) return UINT32_MAX;
    for (uint32_t i = 0; func == UINT32_MAX && i < m->func_count; i++)
        if ((uint64_t)(uintptr_t)m->funcs[i].code == code) func = m->funcs[i].index;
    return func;
}

static void write_count(writer *w, uint64_t which, uint64_t count) {
    if (!count) return;
    if (!w->wrote) fprintf(w->file, "%c %llu", "elbst"[w->kind], (unsigned long long)w->offset);
    w->wrote = true;
    if (which == UINT32_MAX) fprintf(w->file, " *:%llu", (unsigned long long)count);
    else fprintf(w->file, " %llu:%llu", (unsigned long long)which, (unsigned long long)count);
}

static void write_targets(writer *w) {
    for (int i = 0; i < WXRT_TARGETS; i++, w->counter += 2) {
        uint64_t code = get(&w->counter[0]);
        if (code) write_count(w, function_at(w->module, code), get(&w->counter[1]));
    }
}

static void write_site(writer *w) {
    uint64_t head = read_unsigned(w), words = 1;
    w->kind = head & 7;
    w->offset += head >> 3;
    w->wrote = false;
    if (w->kind == WXRT_SITE_BRANCH) words = 2;
    if (w->kind == WXRT_SITE_SWITCH) words = read_unsigned(w);
    if (w->kind == WXRT_SITE_TARGETS) write_targets(w);
    else for (uint64_t i = 0; i < words; i++) write_count(w, i, get(w->counter++));
    if (w->wrote) putc('\n', w->file);
}

static void write_function(writer *w) {
    uint32_t func = (uint32_t)read_unsigned(w);
    uint64_t hash = 0;
    for (int i = 0; i < 8; i++) hash |= (uint64_t)*w->at++ << 8 * i;
    const char *name = wx_func_name(w->module, func);
    fprintf(w->file, "func %u %016llx ", func, (unsigned long long)hash);
    write_name(w->file, name ? name : "");
    w->offset = 0;
    for (uint64_t n = read_unsigned(w); n; n--) write_site(w);
}

static void write_profile(FILE *file, const wasmx_module *m) {
    const wxrt_profile *p = m->profile;
    writer w = {.file = file, .module = m, .at = p->sites, .counter = p->counters};
    fputs("wasmx-profile 1\nmodule ", file);
    for (int i = 0; i < 32; i++) fprintf(file, "%02x", m->sha256[i]);
    putc(' ', file);
    write_name(file, m->name ? m->name : "");
    while (w.at < p->sites + p->size) write_function(&w);
    fputs("end\n", file);
}

// ---- The file

static bool cannot_write(const char *path, wasmx_error *err) {
    return wx_error_set(err, "%.200s: cannot write: %s", path, strerror(errno));
}

static bool write_to(int fd, const wasmx_module *m) {
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (!file) {
        if (fd >= 0) close(fd);
        return false;
    }
    write_profile(file, m);
    bool ok = fflush(file) == 0 && !ferror(file);
    return fclose(file) == 0 && ok;
}

// Under another name beside it first, which no other thread or process uses.
static bool replace(const char *path, const wasmx_module *m, wasmx_error *err) {
    static atomic_uint serial;
    char *temp;
    if (asprintf(&temp, "%s.%ld.%u", path, (long)getpid(), atomic_fetch_add(&serial, 1)) < 0)
        return wx_error_set(err, "out of memory");
    int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    bool ok = (write_to(fd, m) && rename(temp, path) == 0) || cannot_write(path, err);
    if (!ok && fd >= 0) unlink(temp);
    free(temp);
    return ok;
}

static bool counts(const wasmx_module *m, wasmx_error *err) {
    if (m->abi_hash != wxrt_abi_hash())
        return wx_error_set(err, "the module was built for another version of libwasmx");
    const char *name = m->name && *m->name ? m->name : "module";
    return m->profile || wx_error_set(err, "%s: built without --profile-generate", name);
}

bool wasmx_profile_write(const wasmx_module *m, const char *path, wasmx_error *err) {
    struct stat st;
    if (!counts(m, err)) return false;
    if (stat(path, &st) != 0 || S_ISREG(st.st_mode)) return replace(path, m, err);
    // What is no regular file, a device or a pipe, cannot be replaced.
    return write_to(open(path, O_WRONLY | O_CLOEXEC), m) || cannot_write(path, err);
}

bool wasmx_profile_reset(const wasmx_module *m) {
    if (!counts(m, NULL)) return false;
    for (uint64_t i = 0; i < m->profile->count; i++) set(&m->profile->counters[i], 0);
    return true;
}

// ---- Executables

static const wasmx_module *at_exit_module;
static char *at_exit_path;

static void write_at_exit(void) {
    wasmx_error err;
    if (!wasmx_profile_write(at_exit_module, at_exit_path, &err)) fprintf(stderr, "wasmx: %s\n", err.message);
}

static char *default_path(const char *program) {
    const char *slash = program ? strrchr(program, '/') : NULL, *name = slash ? slash + 1 : program;
    char *path = NULL;
    return asprintf(&path, "%s.wxprof", name && *name ? name : "wasm") < 0 ? NULL : path;
}

void wx_profile_at_exit(const wasmx_module *m, const char *program) {
    const char *given = getenv("WASMX_PROFILE");
    if (!counts(m, NULL)) return;
    at_exit_module = m;
    at_exit_path = given && *given ? strdup(given) : default_path(program);
    if (!at_exit_path || atexit(write_at_exit)) fprintf(stderr, "wasmx: out of memory: no profile will be written\n");
}
