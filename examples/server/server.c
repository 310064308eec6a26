// examples/server/server.c: a small HTTP server with a WebAssembly filter linked in as native code.
//
//   server [PORT]      listens on 127.0.0.1, on a free port unless one is given, and says which; SIGTERM ends it
//
// Every connection has a thread and a filter instance of its own, so no request can see another connection's memory.
// When the filter traps, the request is answered with 500, its instance is thrown away, and the server goes on.
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "filter.h" // made by wasmx-aot build filter.wasm

enum { MAX_HEAD = 16384, MAX_EXTRA = 1024, TIMEOUT_SECONDS = 10 };

typedef struct connection {
    int socket;
    wasmx_instance *filter;
    char head[MAX_HEAD + 1];   // of the request being handled, with what came after it
    size_t received, head_len;
    char extra[MAX_EXTRA];     // headers the filter adds
    size_t extra_len;
    const char *body;          // what it made of one, in its memory
    size_t body_len;
} connection;

// ---- What the filter may call. Addresses in the guest are checked; a bad one is the guest's fault and traps.

static const char *guest_text(wasmx_instance *guest, int32_t at, int32_t len) {
    const char *text = wasmx_memory_at(filter_memory(guest), (uint32_t)at, (uint32_t)len);
    if (!text) wasmx_raise(guest, WASMX_TRAP_MEMORY_OUT_OF_BOUNDS, NULL);
    return text;
}

static void filter_log(wasmx_instance *guest, int32_t text, int32_t len) {
    printf("  filter: %.*s\n", (int)len, guest_text(guest, text, len));
}

static void filter_add_header(wasmx_instance *guest, int32_t name, int32_t name_len, int32_t value, int32_t value_len) {
    connection *c = wasmx_host(guest);
    const char *name_text = guest_text(guest, name, name_len), *value_text = guest_text(guest, value, value_len);
    int n = snprintf(c->extra + c->extra_len, MAX_EXTRA - c->extra_len, "%.*s: %.*s\r\n", (int)name_len, name_text,
                     (int)value_len, value_text);
    if (n > 0 && (size_t)n < MAX_EXTRA - c->extra_len) c->extra_len += (size_t)n;
}

static void filter_set_body(wasmx_instance *guest, int32_t at, int32_t len) {
    connection *c = wasmx_host(guest);
    c->body = guest_text(guest, at, len);
    c->body_len = (uint32_t)len;
}

static const filter_imports host_functions = {
    .env_log = filter_log, .env_add_header = filter_add_header, .env_set_body = filter_set_body};

static bool start_filter(connection *c) {
    wasmx_options options = {.host = c, .imports = &host_functions};
    wasmx_error err;
    if (c->filter) return true;
    c->filter = wasmx_instantiate(&filter, &options, &err);
    if (!c->filter) printf("  filter: %s\n", err.message);
    return c->filter;
}

// Says why, and ends the instance: after a trap its memory may be half way through anything.
static void drop_filter(connection *c) {
    const wasmx_trap *trap = wasmx_last_trap(c->filter);
    printf("  filter trapped: %s\n", trap->message);
    for (uint32_t i = 0; i < trap->frame_count; i++)
        printf("    at %s\n", trap->frames[i].name ? trap->frames[i].name : "?");
    wasmx_instance_free(c->filter);
    c->filter = NULL;
}

// Copies bytes into the guest's memory; *at is where.
static wasmx_status give(connection *c, const char *data, size_t len, int32_t *at) {
    wasmx_status status = filter_alloc(c->filter, (int32_t)len, at);
    void *room = status ? NULL : wasmx_memory_at(filter_memory(c->filter), (uint32_t)*at, len);
    if (room) memcpy(room, data, len);
    return status ? status : room ? WASMX_OK : WASMX_TRAP_MEMORY_OUT_OF_BOUNDS;
}

// ---- Answers

typedef struct page { const char *path, *type, *body; } page;

static const page pages[] = {
    {"/", "text/html", "<html><body><h1>It works</h1></body></html>\n"},
    {"/orders", "text/plain", "order 17: paid with card 4111111111111111, total 42\n"},
    {"/health", "text/plain", "ok\n"},
};

static const page *find_page(const char *path, size_t len) {
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
        if (strlen(pages[i].path) == len && !memcmp(pages[i].path, path, len)) return &pages[i];
    return NULL;
}

static const char *reason(int status) {
    switch (status) {
    case 200: return "OK";
    case 400: return "Bad Request";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    default: return "Internal Server Error";
    }
}

static bool send_all(int socket, const char *data, size_t len) {
    while (len) {
        ssize_t n = send(socket, data, len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        data += n, len -= (size_t)n;
    }
    return true;
}

static bool answer(connection *c, int status, const char *type, const char *body, size_t len, bool close) {
    char head[512 + MAX_EXTRA];
    int n = snprintf(head, sizeof head,
                     "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%s%.*s\r\n", status,
                     reason(status), type, len, close ? "Connection: close\r\n" : "", (int)c->extra_len, c->extra);
    printf("  answer: %d %s\n", status, reason(status));
    return send_all(c->socket, head, (size_t)n) && send_all(c->socket, body, len) && !close;
}

static bool answer_error(connection *c, int status, bool close) {
    char body[64];
    int n = snprintf(body, sizeof body, "%d %s\n", status, reason(status));
    return answer(c, status, "text/plain", body, (size_t)n, close);
}

// ---- Requests

// 0: go on; otherwise what to answer.
static int ask_filter(connection *c) {
    int32_t at, status;
    if (!start_filter(c)) return 500;
    if (give(c, c->head, c->head_len, &at) || filter_on_request(c->filter, at, (int32_t)c->head_len, &status)) {
        drop_filter(c);
        return 500;
    }
    return status;
}

static bool answer_page(connection *c, const page *p, bool close) {
    int32_t at;
    size_t len = strlen(p->body);
    c->body = NULL;
    if (give(c, p->body, len, &at) || filter_on_response(c->filter, at, (int32_t)len)) {
        drop_filter(c);
        return answer_error(c, 500, true);
    }
    return c->body ? answer(c, 200, p->type, c->body, c->body_len, close) : answer_error(c, 500, true);
}

static bool wants_close(const connection *c) { return strcasestr(c->head, "\r\nConnection: close") != NULL; }

// False when the connection is at its end.
static bool handle(connection *c) {
    bool close = wants_close(c);
    const char *path = strchr(c->head, ' '), *end = path ? strpbrk(++path, " \r") : NULL;
    c->extra_len = 0;
    if (!end || strncmp(c->head, "GET ", 4)) return answer_error(c, 400, true);
    printf("GET %.*s\n", (int)(end - path), path);
    int status = ask_filter(c);
    if (status) return answer_error(c, status, close);
    const page *p = find_page(path, (size_t)(end - path));
    return p ? answer_page(c, p, close) : answer_error(c, 404, close);
}

// Reads on until there is a whole head; head_len is its length, and it ends with a NUL while it is handled.
static bool read_head(connection *c) {
    for (;;) {
        c->head[c->received] = 0;
        char *end = strstr(c->head, "\r\n\r\n");
        if (end) {
            c->head_len = (size_t)(end + 4 - c->head);
            return true;
        }
        if (c->received == MAX_HEAD) return false;
        ssize_t n = recv(c->socket, c->head + c->received, MAX_HEAD - c->received, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        c->received += (size_t)n;
    }
}

static bool handle_next(connection *c) {
    if (!read_head(c)) return false;
    char after = c->head[c->head_len];
    c->head[c->head_len] = 0;
    bool more = handle(c);
    fflush(stdout);
    c->head[c->head_len] = after;
    c->received -= c->head_len;
    memmove(c->head, c->head + c->head_len, c->received);
    return more;
}

static void *serve(void *arg) {
    connection *c = arg;
    while (handle_next(c)) continue;
    wasmx_instance_free(c->filter);
    close(c->socket);
    free(c);
    return NULL;
}

// ---- Connections

static void accept_one(int listener) {
    struct timeval timeout = {.tv_sec = TIMEOUT_SECONDS};
    pthread_t thread;
    int socket = accept(listener, NULL, NULL);
    connection *c = socket < 0 ? NULL : calloc(1, sizeof *c);
    if (!c) {
        if (socket >= 0) close(socket);
        return;
    }
    c->socket = socket;
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    if (pthread_create(&thread, NULL, serve, c)) close(socket), free(c);
    else pthread_detach(thread);
}

static int listen_on(uint16_t port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 64) ||
        getsockname(listener, (struct sockaddr *)&address, &size)) {
        perror("server");
        exit(1);
    }
    printf("listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return listener;
}

static void stop(int signal) {
    (void)signal;
    _exit(0);
}

int main(int argc, char **argv) {
    signal(SIGTERM, stop);
    int listener = listen_on(argc > 1 ? (uint16_t)atoi(argv[1]) : 0);
    for (;;) accept_one(listener);
}
