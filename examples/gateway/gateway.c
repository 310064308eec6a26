// examples/gateway/gateway.c: an HTTP server of the kind that serves many: a few threads with an event loop each, and
// connections that stay open. Every single request has a filter of its own (guard.h).
//
//   gateway [THREADS [PROCESSES [PORT]]]     2 threads, in this process alone, on a free port of 127.0.0.1
//
// With PROCESSES, the master forks so many after everything was made, and ends them at SIGTERM. A request whose filter
// fails is answered with 500, or 504 when it took too long; the next one finds nothing of it.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "examples/gateway/guard.h"

enum { MAX_HEAD = 8192, MAX_BODY = 16384, MAX_OUT = MAX_BODY + 2 * MAX_EXTRA, MAX_THREADS = 64, MAX_PROCESSES = 64 };
enum { ORDERS = 64, ORDER_LINES = 32, ORDER_ROOM = 4096 };

typedef struct connection {
    int socket;
    bool ends;                 // after what is in `out`
    size_t received;
    size_t out_len, sent;
    char in[MAX_HEAD + 1];
    char out[MAX_OUT];
} connection;

// ---- Pages

typedef struct page { const char *type, *body; } page;

static char orders[ORDERS][ORDER_ROOM];

// Card numbers that pass Luhn's check, and order numbers of as many digits that do not.
static void write_orders(void) {
    for (int n = 0; n < ORDERS; n++)
        for (int k = 0, at = 0; k < ORDER_LINES; k++)
            at += snprintf(orders[n] + at, (size_t)(ORDER_ROOM - at), "order %d-%d, reference 4000000000000%03d: paid "
                           "with card 4111111111111111, total %d\n", n, k, k * 10 + 1, n * 100 + k);
}

static page find_page(const char *path, size_t len) {
    static const page home = {"text/html", "<html><body><h1>It works</h1></body></html>\n"};
    static const page health = {"text/plain", "ok\n"};
    const char *query = memchr(path, '?', len);
    if (query) len = (size_t)(query - path);
    if (len == 1) return home;
    if (len == 7 && !memcmp(path, "/health", 7)) return health;
    if (len > 8 && !memcmp(path, "/orders/", 8)) return (page){"text/plain", orders[strtoul(path + 8, NULL, 10) % ORDERS]};
    return (page){NULL, NULL};
}

// ---- Answers

static const char *reason(int status) {
    switch (status) {
    case 200: return "OK";
    case 400: return "Bad Request";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 504: return "Gateway Timeout";
    default: return "Internal Server Error";
    }
}

static void answer(connection *c, const guard *g, int status, const char *type, const char *body, size_t len) {
    if (len > MAX_BODY) status = 500, body = "too long\n", len = 9;
    int n = snprintf(c->out + c->out_len, MAX_OUT - c->out_len,
                     "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%s%.*s\r\n", status, reason(status),
                     type, len, c->ends ? "Connection: close\r\n" : "", (int)g->extra_len, g->extra);
    memcpy(c->out + c->out_len + n, body, len);
    c->out_len += (size_t)n + len;
}

static void answer_text(connection *c, const guard *g, int status, const char *text) {
    char body[128];
    int n = snprintf(body, sizeof body, "%d %s\n", status, text);
    answer(c, g, status, "text/plain", body, (size_t)n);
}

// ---- Requests

static void serve(connection *c, guard *g, size_t head_len, const char *path, size_t path_len) {
    int status = guard_request(g, c->in, head_len);
    page p = find_page(path, path_len);
    if (status > 0) answer_text(c, g, status, reason(status));
    else if (status == 0 && !p.body) answer_text(c, g, 404, reason(404));
    else if (status == 0 && guard_response(g, p.body, strlen(p.body))) answer(c, g, 200, p.type, g->body, g->body_len);
    else answer_text(c, g, g->failure_status, g->failure);
    guard_end(g);
}

// The request line and headers, which end with a NUL in place of their last line feed.
static void handle(connection *c, size_t head_len) {
    guard g;
    g.extra_len = 0, g.body = NULL, g.failure = NULL, g.state = NULL;
    const char *path = strchr(c->in, ' '), *end = path ? strpbrk(++path, " \r") : NULL;
    c->ends = !end || strncmp(c->in, "GET /", 5) || strcasestr(c->in, "\r\nConnection: close");
    if (!end || strncmp(c->in, "GET /", 5)) answer_text(c, &g, 400, reason(400));
    else serve(c, &g, head_len, path, (size_t)(end - path));
}

// Handles one request; false: there is no whole one.
static bool handle_next(connection *c) {
    c->in[c->received] = 0;
    char *end = c->ends ? NULL : strstr(c->in, "\r\n\r\n");
    if (!end) return false;
    size_t len = (size_t)(end - c->in) + 4;
    end[3] = 0;
    handle(c, len);
    c->received -= len;
    memmove(c->in, c->in + len, c->received);
    return true;
}

// ---- Connections

// False when nothing can be sent any more. What the socket does not take now stays in `out`.
static bool flush_out(connection *c) {
    while (c->sent < c->out_len) {
        ssize_t n = send(c->socket, c->out + c->sent, c->out_len - c->sent, MSG_NOSIGNAL);
        if (n < 0) return errno == EAGAIN || errno == EINTR;
        c->sent += (size_t)n;
    }
    c->sent = c->out_len = 0;
    return true;
}

static bool receive(connection *c) {
    if (c->received == MAX_HEAD) return false; // a head that is too long
    ssize_t n = recv(c->socket, c->in + c->received, MAX_HEAD - c->received, 0);
    if (n < 0) return errno == EAGAIN || errno == EINTR;
    c->received += (size_t)n;
    return n > 0;
}

// One answer at a time: who does not read them gets no more.
static bool go_on(connection *c, uint32_t events) {
    if (!flush_out(c)) return false;
    if (c->out_len) return true;
    if (events & ~(uint32_t)EPOLLOUT && !receive(c)) return false;
    while (!c->out_len && handle_next(c))
        if (!flush_out(c)) return false;
    return c->out_len || !c->ends;
}

static void drop(connection *c) {
    close(c->socket);
    free(c);
}

static void watch(int epoll, connection *c, int how) {
    struct epoll_event e = {.events = c->out_len ? EPOLLOUT : EPOLLIN, .data.ptr = c};
    epoll_ctl(epoll, how, c->socket, &e);
}

static void *run_loop(void *arg) {
    int epoll = (int)(intptr_t)arg;
    struct epoll_event events[64];
    for (;;) {
        int n = epoll_wait(epoll, events, 64, -1);
        for (int k = 0; k < n; k++) {
            connection *c = events[k].data.ptr;
            bool waited = c->out_len;
            if (!go_on(c, events[k].events)) drop(c);
            else if (waited != (c->out_len != 0)) watch(epoll, c, EPOLL_CTL_MOD);
        }
    }
    return NULL;
}

static void add_connection(int epoll, int socket) {
    int yes = 1;
    connection *c = malloc(sizeof *c);
    if (!c) {
        close(socket);
        return;
    }
    c->socket = socket, c->ends = false, c->received = c->out_len = c->sent = 0;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    watch(epoll, c, EPOLL_CTL_ADD);
}

// ---- Threads and processes. SIGTERM is blocked in all of them, and waited for by each process's first.

typedef struct acceptor { int listener; unsigned threads; int epolls[MAX_THREADS]; } acceptor;

// Hands connections to the threads in turn.
static void *accept_all(void *arg) {
    const acceptor *a = arg;
    for (unsigned t = 0;; t++) {
        int socket = accept4(a->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (socket >= 0) add_connection(a->epolls[t % a->threads], socket);
        else if (errno == EMFILE || errno == ENFILE) usleep(1000);
    }
    return NULL;
}

static void start(void *(*run)(void *), void *arg) {
    pthread_t thread;
    int error = pthread_create(&thread, NULL, run, arg);
    if (error) fprintf(stderr, "gateway: %s\n", strerror(error)), exit(1);
}

static void wait_for(const sigset_t *signals) {
    int signal;
    while (sigwait(signals, &signal)) continue;
}

static void serve_until(const sigset_t *stop, int listener, unsigned threads) {
    static acceptor a;
    a.listener = listener, a.threads = threads;
    for (unsigned t = 0; t < threads; t++) {
        a.epolls[t] = epoll_create1(EPOLL_CLOEXEC);
        start(run_loop, (void *)(intptr_t)a.epolls[t]);
    }
    start(accept_all, &a);
    wait_for(stop);
    guard_report();
}

static bool run_processes(const sigset_t *stop, int listener, unsigned threads, unsigned processes) {
    pid_t children[MAX_PROCESSES];
    for (unsigned k = 0; k < processes; k++)
        if (!(children[k] = fork())) {
            serve_until(stop, listener, threads);
            fflush(stdout);
            _exit(0);
        }
    wait_for(stop);
    bool ok = true;
    int status;
    for (unsigned k = 0; k < processes; k++) kill(children[k], SIGTERM);
    for (unsigned k = 0; k < processes; k++) ok &= waitpid(children[k], &status, 0) == children[k] && !status;
    return ok;
}

static int listen_on(uint16_t port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 512) ||
        getsockname(listener, (struct sockaddr *)&address, &size)) {
        perror("gateway");
        exit(1);
    }
    printf("listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return listener;
}

static unsigned number(const char *text, unsigned most) {
    unsigned long n = text ? strtoul(text, NULL, 10) : 0;
    return n > most ? most : (unsigned)n;
}

int main(int argc, char **argv) {
    unsigned threads = argc > 1 ? number(argv[1], MAX_THREADS) : 2;
    unsigned processes = argc > 2 ? number(argv[2], MAX_PROCESSES) : 0;
    if (!threads) return fputs("usage: gateway [THREADS [PROCESSES [PORT]]]\n", stderr), 2;
    sigset_t stop;
    bool ok = true;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &stop, NULL);
    write_orders();
    if (!guard_open(threads)) return 1;
    int listener = listen_on(argc > 3 ? (uint16_t)number(argv[3], 65535) : 0);
    if (processes) ok = run_processes(&stop, listener, threads, processes);
    else serve_until(&stop, listener, threads);
    fflush(stdout);
    _exit(!ok); // threads still run: no destructors
}
