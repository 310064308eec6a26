// tests/load/client.c: loads the gateway, and compares every byte of every answer.
//
//   client PORT SECONDS CONNECTIONS [well]
//
// Each connection has one request at a time under way. Of 50 in a row one traps, one spins until its deadline and one
// exhausts memory (`well`: none); among the others some are refused, some find nothing. What must come back is worked
// out here from the request's number. Now and then a connection is closed and made again, and a request arrives in
// pieces. Out: one line; status 0 when nothing was wrong. What is wrong is shown, for the first few.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ROOM = 16384, MOST = 256, TIMEOUT_MS = 20000, LINES = 32, SHOWN = 3 };
enum { CRASH, SPIN, HOARD, ORDER, HOME, HEALTH, NOTHING, ADMIN, CLIMB, BOT, KINDS };

static const char *const names[KINDS] = {"crash", "spin",    "hoard", "order", "home",
                                         "health", "nothing", "admin", "climb", "bot"};

typedef struct text { char at[ROOM]; size_t len; } text;

typedef struct wire {
    int socket;
    unsigned number, served;   // of the request under way; requests on this connection
    int kind;
    size_t sent;
    double began;
    text request, expected, got;
} wire;

static uint16_t port;
static bool well;
static unsigned next_number;
static unsigned long done[KINDS], wrong, connections_made;
static float *latency;
static size_t latency_count, latency_room;

static _Noreturn void die(const char *why) {
    fprintf(stderr, "client: %s: %s\n", why, strerror(errno));
    exit(1);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

// ---- What is asked, and what has to be answered

__attribute__((format(printf, 2, 3))) static void append(text *t, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int n = vsnprintf(t->at + t->len, ROOM - t->len, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= ROOM - t->len) die("a text is too long");
    t->len += (size_t)n;
}

static int kind_of(unsigned n) {
    static const int usual[] = {ORDER, ORDER, HOME, ORDER, HEALTH, ORDER, ADMIN, ORDER, CLIMB, NOTHING, ORDER, BOT};
    switch (well ? 0 : n % 50) {
    case 10: return CRASH;
    case 20: return SPIN;
    case 30: return HOARD;
    }
    return usual[n * 2654435761u % (sizeof usual / sizeof *usual)];
}

static void path_of(int kind, unsigned n, char *out, size_t size) {
    switch (kind) {
    case ORDER: snprintf(out, size, "/orders/%u?visitor=%u", n % 64, n); break;
    case HOME: snprintf(out, size, "/?visitor=%u", n); break;
    case HEALTH: snprintf(out, size, "/health?%u", n); break;
    case NOTHING: snprintf(out, size, "/nothing/%u", n); break;
    case ADMIN: snprintf(out, size, "/admin/%u", n); break;
    case CLIMB: snprintf(out, size, "/%u/../../etc/passwd", n); break;
    case BOT: snprintf(out, size, "/orders/1?bot=%u", n); break;
    default: snprintf(out, size, "/%s", names[kind]);
    }
}

static void make_request(wire *l) {
    char path[64], shown[64];
    l->request.len = 0;
    path_of(l->kind, l->number, path, sizeof path);
    snprintf(shown, sizeof shown, "%s", path);
    char *climb = strstr(shown, "/../");
    if (climb && l->number % 2) { // the same in other letters
        append(&l->request, "GET %.*s/%%2e%%2E/..%s HTTP/1.1\r\n", (int)(climb - shown), shown, climb + 6);
    } else {
        append(&l->request, "GET %s HTTP/1.1\r\n", shown);
    }
    append(&l->request, "Host: gateway.example\r\nAccept: */*\r\nCookie: session=%08x%08x\r\nUser-Agent: %s\r\n\r\n",
           l->number * 2654435761u, l->number * 40503u, l->kind == BOT ? "GreedyBot/2.0" : "client");
}

static unsigned backend_of(const char *path) {
    uint32_t h = 2166136261u;
    while (*path) h = (h ^ (uint8_t)*path++) * 16777619u;
    return h % 8;
}

static void order_body(text *t, unsigned n) {
    for (unsigned k = 0; k < LINES; k++) {
        unsigned digits[16] = {4}, sum = 0, number = k * 10 + 1;
        for (int d = 15; d > 12; d--, number /= 10) digits[d] = number % 10;
        for (int d = 0; d < 16; d++) sum += d % 2 ? digits[d] : digits[d] * 2 / 10 + digits[d] * 2 % 10;
        append(t, "order %u-%u, reference ", n, k);
        if (sum % 10) append(t, "4000000000000%03u", k * 10 + 1); // not a card's number
        else append(t, "************%04u", k * 10 + 1);
        append(t, ": paid with card ************1111, total %u\n", n * 100 + k);
    }
}

static const struct { int status; const char *reason, *text; } ends[KINDS] = {
    [CRASH] = {500, "Internal Server Error", "500 out of bounds memory access\n"},
    [SPIN] = {504, "Gateway Timeout", "504 interrupted\n"},
    [HOARD] = {500, "Internal Server Error", "500 unreachable\n"},
    [ORDER] = {200, "OK", NULL},
    [HOME] = {200, "OK", "<html><body><h1>It works</h1><footer>Filtered by WebAssembly.</footer></body></html>\n"},
    [HEALTH] = {200, "OK", "ok\n"},
    [NOTHING] = {404, "Not Found", "404 Not Found\n"},
    [ADMIN] = {403, "Forbidden", "403 Forbidden\n"},
    [CLIMB] = {400, "Bad Request", "400 Bad Request\n"},
    [BOT] = {403, "Forbidden", "403 Forbidden\n"},
};

// X-Request is 1 each time: no instance saw a request before.
static void make_expected(wire *l) {
    static text body;
    char path[64];
    path_of(l->kind, l->number, path, sizeof path);
    body.len = 0;
    if (ends[l->kind].text) append(&body, "%s", ends[l->kind].text);
    else order_body(&body, l->number % 64);
    l->expected.len = 0;
    append(&l->expected, "HTTP/1.1 %d %s\r\nContent-Type: text/%s\r\nContent-Length: %zu\r\nX-Request: 1\r\n",
           ends[l->kind].status, ends[l->kind].reason, l->kind == HOME ? "html" : "plain", body.len);
    if (l->kind > HOARD) append(&l->expected, "X-Backend: backend-%u\r\n", backend_of(path));
    append(&l->expected, "\r\n%.*s", (int)body.len, body.at);
}

// ---- Connections

static void open_wire(wire *l) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int yes = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    l->socket = socket(AF_INET, SOCK_STREAM, 0);
    if (l->socket < 0 || connect(l->socket, (struct sockaddr *)&address, sizeof address)) die("connect");
    setsockopt(l->socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    l->served = 0;
    connections_made++;
}

static void send_some(wire *l, size_t len) {
    if (send(l->socket, l->request.at + l->sent, len, MSG_NOSIGNAL) != (ssize_t)len) die("send");
    l->sent += len;
}

static void ask(wire *l) {
    l->number = next_number++;
    l->kind = kind_of(l->number);
    make_request(l);
    make_expected(l);
    l->got.len = l->sent = 0;
    l->began = now();
    if (l->number % 97 == 5) send_some(l, 1 + l->number % (unsigned)(l->request.len - 1)); // the rest by and by
    send_some(l, l->request.len - l->sent);
}

static void note(double seconds) {
    if (latency_count == latency_room) {
        latency_room = latency_room ? latency_room * 2 : 65536;
        if (!(latency = realloc(latency, latency_room * sizeof *latency))) die("realloc");
    }
    latency[latency_count++] = (float)seconds;
}

static bool is_as_expected(const wire *l) {
    return l->got.len == l->expected.len && !memcmp(l->got.at, l->expected.at, l->got.len);
}

static void show(const wire *l) {
    if (wrong++ < SHOWN)
        fprintf(stderr, "client: request %u:\n%.*sexpected:\n%.*s\ngot:\n%.*s\n", l->number, (int)l->request.len,
                l->request.at, (int)l->expected.len, l->expected.at, (int)l->got.len, l->got.at);
}

// True when the answer is whole.
static bool listen_to(wire *l) {
    ssize_t n = recv(l->socket, l->got.at + l->got.len, ROOM - l->got.len, 0);
    if (n <= 0) die("the server closed the connection");
    l->got.len += (size_t)n;
    if (l->got.len < l->expected.len && !memcmp(l->got.at, l->expected.at, l->got.len)) return false;
    if (!is_as_expected(l)) {
        show(l); // where it ends cannot be known
        close(l->socket);
        l->socket = -1;
        return true;
    }
    done[l->kind]++;
    note(now() - l->began);
    return true;
}

static void follow(int epoll, wire *l) {
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = l};
    open_wire(l);
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, l->socket, &e)) die("epoll_ctl");
}

// After 100 requests and more a connection makes place for a new one.
static void next(int epoll, wire *l) {
    if (l->socket >= 0 && ++l->served == 100 + l->number % 400) {
        close(l->socket);
        l->socket = -1;
    }
    if (l->socket < 0) follow(epoll, l);
    ask(l);
}

static void run(wire *wires, int count, double seconds) {
    int epoll = epoll_create1(0), busy = count;
    double end = now() + seconds;
    struct epoll_event events[MOST];
    for (int k = 0; k < count; k++) {
        follow(epoll, &wires[k]);
        ask(&wires[k]);
    }
    while (busy) {
        int n = epoll_wait(epoll, events, MOST, TIMEOUT_MS);
        if (n == 0) errno = ETIMEDOUT;
        if (n <= 0) die("no answer");
        for (int k = 0; k < n; k++) {
            wire *l = events[k].data.ptr;
            if (!listen_to(l)) continue;
            if (now() < end) {
                next(epoll, l);
                continue;
            }
            if (l->socket >= 0) close(l->socket);
            busy--;
        }
    }
    close(epoll);
}

static int by_size(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv) {
    int count = argc > 3 ? atoi(argv[3]) : 0;
    if (count < 1 || count > MOST) return fputs("usage: client PORT SECONDS CONNECTIONS [well]\n", stderr), 2;
    port = (uint16_t)atoi(argv[1]);
    well = argc > 4;
    wire *wires = calloc((size_t)count, sizeof *wires);
    if (!wires) die("calloc");
    double start = now();
    run(wires, count, atof(argv[2]));
    double seconds = now() - start;
    qsort(latency, latency_count, sizeof *latency, by_size);
    printf("%zu right, %lu wrong, %.0f a second, p50 %.0f us, p99 %.0f us, %lu connections;", latency_count, wrong,
           (double)latency_count / seconds, latency_count ? latency[latency_count / 2] * 1e6 : 0,
           latency_count ? latency[latency_count * 99 / 100] * 1e6 : 0, connections_made);
    for (int k = 0; k < KINDS; k++) printf(" %s %lu", names[k], done[k]);
    putchar('\n');
    return wrong || !latency_count;
}
