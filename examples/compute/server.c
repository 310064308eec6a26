// examples/compute/server.c: an HTTP server whose every request is answered by JavaScript, in an instance of its own.
//
//   server [PORT]      listens on 127.0.0.1, on a free port unless one is given, and says which; SIGTERM ends it
//
// The engine (SpiderMonkey, compiled to Wasm) and the service's top level have run once, before the snapshot; the pages
// that left behind are the image of every instance. A request takes an instance from the pool, is answered, and gives
// the instance back as it was: what the service changes is gone with the request.
#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "abi.h"
#include "service.h" // made by wasmx-aot build
#include "wasmx_wasi.h"

enum { WORKERS = 4, MOST_HEAD = 16384, BACKLOG = 128 };
#define MOST_NS ((uint64_t)500000000) // for one request

static wasmx_pool *pool;
static int listener;

typedef struct worker {
    exchange e;
    wasmx_wasi *wasi;
    int socket;
    char head[MOST_HEAD + 1];
    size_t received;
} worker;

// ---- Running the service

// The status of the answer when the service did not give one.
static int run(worker *w) {
    wasmx_error error;
    wasmx_instance *i = wasmx_pool_acquire_wasi(pool, &service, &w->e, w->wasi, &error);
    if (!i) return fprintf(stderr, "%s\n", error.message), 503;
    wasmx_set_deadline(i, WASMX_TIME_WALL, MOST_NS);
    wasmx_status s = service__start(i);
    const wasmx_trap *t = wasmx_last_trap(i);
    int status = s == WASMX_OK || (s == WASMX_TRAP_EXIT && !t->exit_code) ? 500 : s == WASMX_TRAP_INTERRUPTED ? 504 : 502;
    if (status != 500) fprintf(stderr, "the service ended: %s\n", t->message);
    wasmx_pool_release(i);
    return w->e.answer && status != 504 ? 0 : status;
}

// ---- HTTP

static bool send_all(int socket, const char *at, size_t size) {
    for (ssize_t n; size; at += n, size -= (size_t)n)
        if ((n = send(socket, at, size, MSG_NOSIGNAL)) <= 0) return false;
    return true;
}

static bool answer(worker *w, int failed) {
    char head[MOST_HEAD];
    const message *m = w->e.answer;
    size_t size = failed ? 0 : w->e.answer_body->bytes.size;
    int n = snprintf(head, sizeof head, "HTTP/1.1 %d -\r\ncontent-length: %zu\r\n", failed ? failed : (int)m->status, size);
    for (uint32_t k = 0; !failed && k < m->count && n < (int)sizeof head; k++) {
        const field *f = &m->fields[k];
        n += snprintf(head + n, sizeof head - (size_t)n, "%.*s: %.*s\r\n", (int)f->name.size, f->name.at,
                      (int)f->value.size, f->value.at);
    }
    if (n + 2 >= (int)sizeof head) return false;
    memcpy(head + n, "\r\n", 2);
    return send_all(w->socket, head, (size_t)n + 2) && send_all(w->socket, size ? w->e.answer_body->bytes.at : "", size);
}

// The head of the next request, its last line ended by an empty one; NULL: the connection is over.
static char *receive_head(worker *w) {
    for (;;) {
        w->head[w->received] = 0;
        char *end = strstr(w->head, "\r\n\r\n");
        if (end) return end;
        if (w->received == MOST_HEAD) return NULL;
        ssize_t n = recv(w->socket, w->head + w->received, MOST_HEAD - w->received, 0);
        if (n <= 0) return NULL;
        w->received += (size_t)n;
    }
}

static bool receive_body(worker *w, const char *at, size_t have, size_t size) {
    size_t first = have < size ? have : size;
    char more[4096];
    if (!exchange_body(&w->e, at, (uint32_t)first)) return false;
    for (size_t left = size - first; left;) {
        ssize_t n = recv(w->socket, more, left < sizeof more ? left : sizeof more, 0);
        if (n <= 0 || !exchange_body(&w->e, more, (uint32_t)n)) return false;
        left -= (size_t)n;
    }
    return true;
}

// "NAME: VALUE" lines; *length from Content-Length.
static bool read_fields(worker *w, char *line, const char *end, size_t *length) {
    while (line < end) {
        char *stop = strstr(line, "\r\n"), *colon = memchr(line, ':', (size_t)(stop - line));
        if (!colon || colon == line) return false;
        char *value = colon + 1 + strspn(colon + 1, " ");
        if (value > stop) value = stop;
        if (!exchange_field(&w->e, line, (uint32_t)(colon - line), value, (uint32_t)(stop - value))) return false;
        if (colon - line == 14 && !strncasecmp(line, "content-length", 14)) *length = strtoul(value, NULL, 10);
        line = stop + 2;
    }
    return *length <= MOST_BYTES;
}

// The first line and the fields into the exchange.
static bool read_head(worker *w, char *end, size_t *length) {
    char uri[8192], *method = w->head, *path = strchr(method, ' '), *rest = path ? strchr(path + 1, ' ') : NULL;
    char *line = strstr(w->head, "\r\n");
    if (!rest || rest > line) return false;
    *path++ = *rest = 0;
    if (snprintf(uri, sizeof uri, "http://127.0.0.1%s", path) >= (int)sizeof uri) return false;
    exchange_begin(&w->e);
    return exchange_request(&w->e, method, uri) && read_fields(w, line + 2, end + 2, length);
}

static bool serve_one(worker *w) {
    char *end = receive_head(w);
    size_t length = 0;
    if (!end) return false;
    size_t used = (size_t)(end + 4 - w->head), have = w->received - used;
    if (!read_head(w, end, &length)) return answer(w, 400), false;
    if (!receive_body(w, end + 4, have, length)) return false;
    size_t kept = have > length ? have - length : 0;
    bool ok = answer(w, run(w));
    memmove(w->head, w->head + used + length, kept);
    w->received = kept;
    return ok;
}

// ---- Workers

static void *work(void *arg) {
    worker *w = arg;
    for (;;) {
        w->socket = accept(listener, NULL, NULL);
        if (w->socket < 0) return NULL;
        w->received = 0;
        while (serve_one(w)) {}
        close(w->socket);
    }
}

static wasmx_wasi *new_wasi(void) {
    wasmx_error error;
    wasmx_wasi_config config = {.stdin_fd = -1, .stdout_fd = STDERR_FILENO, .stderr_fd = STDERR_FILENO};
    wasmx_wasi *wasi = wasmx_wasi_new(&config, &error);
    if (!wasi) exit((fprintf(stderr, "%s\n", error.message), 1));
    return wasi;
}

static void open_pool(void) {
    wasmx_error error;
    wasmx_linker *linker = wasmx_linker_new();
    wasmx_linker_define_wasi(linker, new_wasi());
    exchange_define(linker);
    wasmx_pool_module module = {&service, {.linker = linker, .trap_unknown_imports = true}};
    wasmx_pool_options options = {.slots = WORKERS, .modules = &module, .module_count = 1};
    if (!(pool = wasmx_pool_new(&options, &error))) exit((fprintf(stderr, "%s\n", error.message), 1));
}

static int listen_on(int port) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    socklen_t size = sizeof at;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(listener, (struct sockaddr *)&at, size) || listen(listener, BACKLOG)) return perror("listen"), 0;
    getsockname(listener, (struct sockaddr *)&at, &size);
    return ntohs(at.sin_port);
}

int main(int argc, char **argv) {
    int port = listen_on(argc > 1 ? atoi(argv[1]) : 0);
    if (!port) return 1;
    open_pool();
    printf("listening on %d\n", port);
    fflush(stdout);
    pthread_t threads[WORKERS];
    for (int k = 0; k < WORKERS; k++) {
        worker *w = calloc(1, sizeof *w);
        if (!w || !exchange_open(&w->e)) return 1;
        w->wasi = new_wasi();
        pthread_create(&threads[k], NULL, work, w);
    }
    for (int k = 0; k < WORKERS; k++) pthread_join(threads[k], NULL);
    return 0;
}
