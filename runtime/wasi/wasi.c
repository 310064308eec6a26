// runtime/wasi/wasi.c: the WASI object: what a guest is given, its place in a linker, and the main of a command.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "runtime/wasi/wasi.h"

// ---- Guest memory

void *wx_guest(wasmx_instance *i, int32_t address, uint64_t length) {
    struct wxrt_host_state *s = i->state;
    if (!s->wasi_memory && !(s->wasi_memory = wasmx_export_memory(i, "memory"))) return NULL;
    return wasmx_memory_at(s->wasi_memory, (uint32_t)address, length);
}

int32_t wx_guest_put32(wasmx_instance *i, int32_t address, uint32_t value) {
    void *p = wx_guest(i, address, sizeof value);
    if (p) memcpy(p, &value, sizeof value);
    return p ? W_SUCCESS : W_FAULT;
}

int32_t wx_guest_put64(wasmx_instance *i, int32_t address, uint64_t value) {
    void *p = wx_guest(i, address, sizeof value);
    if (p) memcpy(p, &value, sizeof value);
    return p ? W_SUCCESS : W_FAULT;
}

// Of the character at p, n bytes before the end; 0: there is none.
static size_t character(const uint8_t *p, size_t n) {
    size_t size = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;
    if (size > n) return 0;
    for (size_t k = 1; k < size; k++)
        if ((p[k] & 0xc0) != 0x80) return 0;
    bool overlong = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
    bool surrogate = p[0] == 0xed && p[1] > 0x9f, too_large = p[0] == 0xf4 && p[1] > 0x8f;
    return overlong || surrogate || too_large ? 0 : size;
}

bool wx_is_utf8(const char *text, size_t n) {
    for (size_t at = 0, size; at < n; at += size)
        if (!(size = character((const uint8_t *)text + at, n - at))) return false;
    return true;
}

int32_t wx_guest_path(wasmx_instance *i, int32_t address, int32_t length, char *out) {
    uint32_t n = (uint32_t)length;
    if (n >= W_PATH) return W_NAMETOOLONG;
    const char *p = wx_guest(i, address, n);
    if (!p) return W_FAULT;
    wx_guest_copy(out, p, n);
    out[n] = 0;
    return strlen(out) == n && wx_is_utf8(out, n) ? W_SUCCESS : W_ILSEQ;
}

int32_t wx_guest_buffers(wasmx_instance *i, int32_t address, int32_t *count, struct iovec *out) {
    uint32_t n = (uint32_t)*count, pair[2];
    const char *list = wx_guest(i, address, (uint64_t)n * sizeof pair);
    if (!list) return W_FAULT;
    if (n > W_BUFFERS) n = W_BUFFERS;
    for (uint32_t k = 0; k < n; k++) {
        wx_guest_copy(pair, list + k * sizeof pair, sizeof pair);
        out[k] = (struct iovec){wx_guest(i, (int32_t)pair[0], pair[1]), pair[1]};
        if (!out[k].iov_base) return W_FAULT;
    }
    *count = (int32_t)n;
    return W_SUCCESS;
}

// ---- The object

static bool copy_strings(wx_strings *out, const char *const *from) {
    size_t size = 0, at = 0;
    for (; from && from[out->count]; out->count++) size += strlen(from[out->count]) + 1;
    if (size > INT32_MAX || !(out->bytes = malloc(size + 1))) return false;
    for (uint32_t k = 0; k < out->count; k++) {
        size_t n = strlen(from[k]) + 1;
        memcpy(out->bytes + at, from[k], n);
        at += n;
    }
    out->size = (uint32_t)size;
    return true;
}

// The guest may not make a stream of the host's non-blocking, cut it off or write over what is there.
static const uint64_t input_rights = W_RIGHT(R_FD_READ) | W_RIGHT(R_FD_SEEK) | W_RIGHT(R_FD_TELL) |
                                     W_RIGHT(R_FD_ADVISE) | W_RIGHT(R_FD_FILESTAT_GET) | W_RIGHT(R_POLL_FD_READWRITE);
static const uint64_t output_rights = W_RIGHT(R_FD_WRITE) | W_RIGHT(R_FD_TELL) | W_RIGHT(R_FD_SYNC) |
                                      W_RIGHT(R_FD_DATASYNC) | W_RIGHT(R_FD_FILESTAT_GET) |
                                      W_RIGHT(R_POLL_FD_READWRITE);
static const uint64_t connection_rights = W_RIGHT(R_FD_READ) | W_RIGHT(R_FD_WRITE) | W_RIGHT(R_FDSTAT_SET_FLAGS) |
                                          W_RIGHT(R_FD_FILESTAT_GET) | W_RIGHT(R_POLL_FD_READWRITE) |
                                          W_RIGHT(R_SOCK_SHUTDOWN);

// A stream that the guest does not get is closed: fd_close'd from the start.
static wx_fd stream_of(wasmx_stream *given, int host, uint64_t rights) {
    wx_fd fd = {.kind = FD_STREAM, .type = W_TYPE_UNKNOWN, .stream = given};
    if (!given && !wx_fd_of_host(&fd, host)) return fd;
    uint64_t moves = W_RIGHT(R_FD_READ) | W_RIGHT(R_FD_WRITE) | W_RIGHT(R_FD_FILESTAT_GET) |
                     W_RIGHT(R_POLL_FD_READWRITE);
    fd.rights = rights & wx_type_rights(fd.type) & (given ? moves : ~(uint64_t)0);
    return fd;
}

// One stream of the host's may be output and error.
static void share_guards(wasmx_wasi *w) {
    for (uint8_t k = 0; k < 3; k++) {
        w->fds[k].wasi = w;
        for (uint8_t other = w->fds[k].guard = k; other-- > 0;)
            if (w->fds[k].stream == w->fds[other].stream) w->fds[k].guard = other;
    }
}

static void add_streams(wasmx_wasi *w, const wasmx_wasi_config *c) {
    w->fds[0] = stream_of(c->streams[0], c->stdin_fd, input_rights);
    w->fds[1] = stream_of(c->streams[1], c->stdout_fd, output_rights);
    w->fds[2] = stream_of(c->streams[2], c->stderr_fd, output_rights);
    w->fd_count = 3;
    share_guards(w);
}

static bool add_preopen(wasmx_wasi *w, const wasmx_preopen *p, wasmx_error *err) {
    int host = open(p->host, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    wx_fd fd;
    if (!wx_fd_of_host(&fd, host))
        return wx_error_set(err, "cannot open directory \"%.150s\": %s", p->host, strerror(errno));
    fd.owned = true;
    fd.inheriting = W_ALL_RIGHTS;
    fd.read_only = p->read_only;
    fd.rights = wx_fd_passes(&fd) & wx_type_rights(fd.type);
    fd.preopen = strdup(p->guest ? p->guest : p->host);
    if (fd.preopen && wx_fd_add(w, fd) >= 0) return true;
    wx_fd_end(&fd);
    return wx_error_set(err, "too many directories");
}

static bool add_socket(wasmx_wasi *w, int host, wasmx_error *err) {
    wx_fd fd;
    if (!wx_fd_of_host(&fd, host) || (fd.type != W_TYPE_STREAM && fd.type != W_TYPE_DGRAM))
        return wx_error_set(err, "descriptor %d is not a socket", host);
    fd.rights = connection_rights | W_RIGHT(R_SOCK_ACCEPT);
    fd.inheriting = connection_rights;
    return wx_fd_add(w, fd) >= 0 || wx_error_set(err, "too many sockets");
}

#define DESCRIPTORS 1024u

static bool fill(wasmx_wasi *w, const wasmx_wasi_config *c, wasmx_error *err) {
    w->sources = c->sources;
    w->max_threads = c->max_threads;
    pthread_mutex_init(&w->lock, NULL);
    for (int k = 0; k < W_GUARDS; k++) pthread_mutex_init(&w->guards[k], NULL);
    w->embedded = c->embedded;
    w->open = c->no_openat2 ? wx_beneath_walk : wx_beneath_open;
    w->fd_room = c->max_descriptors ? c->max_descriptors : DESCRIPTORS;
    if (w->fd_room < 3) w->fd_room = 3;
    w->fds = malloc(w->fd_room * sizeof *w->fds);
    if (!w->fds || !copy_strings(&w->args, c->args) || !copy_strings(&w->env, c->env))
        return wx_error_set(err, "out of memory");
    add_streams(w, c);
    for (size_t k = 0; k < c->preopen_count; k++)
        if (!add_preopen(w, &c->preopens[k], err)) return false;
    if (!wx_embed_preopen(w)) return wx_error_set(err, "too many directories");
    for (size_t k = 0; k < c->socket_count; k++)
        if (!add_socket(w, c->sockets[k], err)) return false;
    return true;
}

wasmx_wasi *wasmx_wasi_new(const wasmx_wasi_config *config, wasmx_error *err) {
    wasmx_wasi *w = calloc(1, sizeof *w);
    if (w && fill(w, config, err)) return w;
    if (!w) wx_error_set(err, "out of memory");
    wasmx_wasi_free(w);
    return NULL;
}

void wasmx_wasi_free(wasmx_wasi *w) {
    if (!w) return;
    wx_threads_free(w);
    for (uint32_t k = 0; k < w->fd_count; k++) wx_fd_end(&w->fds[k]);
    free(w->fds);
    free(w->args.bytes);
    free(w->env.bytes);
    free(w);
}

// ---- In a linker

typedef struct entry {
    const char *module, *name, *type;
    void (*function)(void);
} entry;

static const char preview1[] = "wasi_snapshot_preview1", unstable[] = "wasi_unstable";

// Their real types stand where they are defined; the linker's entry says the type a second time, in letters.
#define PREVIEW1(name, type) WX_INTERNAL void wx_wasi_##name(void);
#define UNSTABLE(name, type) WX_INTERNAL void wx_wasi0_##name(void);
#define WASI(name, type) PREVIEW1(name, type)
#include "runtime/wasi/wasi.def"
#undef PREVIEW1
#undef UNSTABLE
#undef WASI

static const entry entries[] = {
#define PREVIEW1(name, type) {preview1, #name, type, wx_wasi_##name},
#define UNSTABLE(name, type) {unstable, #name, type, wx_wasi0_##name},
#define WASI(name, type) PREVIEW1(name, type) {unstable, #name, type, wx_wasi_##name},
#include "runtime/wasi/wasi.def"
};

void wasmx_linker_define_wasi(wasmx_linker *l, wasmx_wasi *wasi) {
    l->wasi = wasi;
    for (size_t k = 0; k < WX_COUNT(entries); k++)
        wasmx_linker_define_typed(l, entries[k].module, entries[k].name, entries[k].type, entries[k].function);
}

// ---- The main of a command

static void print_trap(const wasmx_trap *t) {
    fprintf(stderr, "wasmx: trap: %s\n", t->message);
    for (uint32_t k = 0; k < t->frame_count; k++) {
        const wasmx_frame *f = &t->frames[k];
        fprintf(stderr, "    at %s (func %u)\n", f->name ? f->name : "?", f->func);
    }
}

static int run_start(wasmx_instance *i, wasmx_wasi *wasi) {
    wasmx_func *start = wasmx_export_func(i, "_start");
    char type[2];
    if (!start || wasmx_func_type(start, type, sizeof type) != 1) {
        fprintf(stderr, "wasmx: no function \"_start\" without parameters is exported\n");
        return 1;
    }
    wasmx_status status = wasmx_call(start, NULL, NULL);
    const wasmx_trap *trap = wasmx_last_trap(i), *of_thread = wasmx_wasi_end_threads(wasi);
    if (of_thread) trap = of_thread, status = trap->kind;
    if (status == WASMX_OK) return 0;
    if (status == WASMX_TRAP_EXIT) return trap->exit_code;
    print_trap(trap);
    return 134;
}

// A command with threads imports its memory, so that they can share it. False: there is no room for it.
static bool define_memories(wasmx_linker *l, const wasmx_module *m, wasmx_memory **out, wasmx_error *err) {
    uint32_t memories = 0;
    for (uint32_t k = 0; k < m->import_count; k++) {
        const wxrt_import *im = &m->imports[k];
        if (im->kind != WASMX_MEMORY || !m->memories[memories++].is_shared || *out) continue;
        if (!(*out = wasmx_memory_new_shared(im->min, im->max)))
            return wx_error_set(err, "no room for the shared memory \"%.80s\" \"%.80s\"", im->module, im->name);
        wasmx_linker_define(l, im->module, im->name, (wasmx_extern){.kind = WASMX_MEMORY, .of.memory = *out});
    }
    return true;
}

static bool imports_threads(const wasmx_module *m) {
    for (uint32_t k = 0; k < m->import_count; k++)
        if (!strcmp(m->imports[k].module, "wasi") && !strcmp(m->imports[k].name, "thread-spawn")) return true;
    return false;
}

static wasmx_instance *make_command(const wasmx_module *m, wasmx_linker *l, wasmx_wasi *wasi, wasmx_memory **memory,
                                    bool trap_unknown_imports, wasmx_error *err) {
    wasmx_options options = {.linker = l, .trap_unknown_imports = trap_unknown_imports};
    wasmx_linker_define_wasi(l, wasi);
    if (imports_threads(m) && !wasmx_linker_define_threads(l, wasi, &options)) wx_error_set(err, "out of memory");
    else if (define_memories(l, m, memory, err)) return wasmx_instantiate(m, &options, err);
    return NULL;
}

int wasmx_wasi_main(const wasmx_module *module, const wasmx_wasi_config *config, bool trap_unknown_imports) {
    wasmx_error err = {""};
    wx_loaded *loaded = wx_module_load(module, &err); // before anything of it is read
    wasmx_linker *linker = wasmx_linker_new();
    wasmx_wasi_config with_files = *config;
    if (!with_files.embedded) with_files.embedded = module;
    wasmx_wasi *wasi = loaded ? wasmx_wasi_new(&with_files, &err) : NULL;
    wasmx_memory *memory = NULL;
    wasmx_instance *i = NULL;
    if (linker && wasi) i = make_command(module, linker, wasi, &memory, trap_unknown_imports, &err);
    int code = 1;
    if (i) code = run_start(i, wasi);
    else fprintf(stderr, "wasmx: %s\n", err.message);
    wasmx_instance_free(i);
    wasmx_wasi_free(wasi);
    wasmx_linker_free(linker);
    wasmx_memory_free(memory);
    return code;
}
