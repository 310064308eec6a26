// examples/filter/filter.c: a filter for HTTP, compiled to WebAssembly. It knows nothing of the server it runs in.
//
//   alloc(size)            memory for what the host wants to hand over; lives until on_request or on_response is done
//   on_request(head, len)  the request line and headers. 0: go on; otherwise the status to answer with
//   on_response(body, len) calls set_body with what to send instead, which stays until something is called again
//   requests()             how many requests this instance has seen
//
// It refuses paths that climb (`..`, also as %2e), paths with a blocked word and a robot nobody wants, chooses a backend
// by the path, masks card numbers in bodies, adds a footer to HTML and headers to every answer. Requests for /crash,
// /spin and /hoard run into bugs that are kept on purpose: a wild access, a loop without an end, a leak.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __wasm__

#define EXPORT(name) __attribute__((export_name(#name)))
#define IMPORT(name) __attribute__((import_module("env"), import_name(#name)))
#define STATE static

// The heap: what lies behind the data, and grows with the linear memory.
extern char __heap_base;
static uintptr_t heap_start(void) { return (uintptr_t)&__heap_base; }
static bool heap_reaches(uintptr_t end) {
    uintptr_t have = __builtin_wasm_memory_size(0) << 16;
    return end <= have || __builtin_wasm_memory_grow(0, (end - have + 65535) >> 16) != (size_t)-1;
}

#else // in a server of the same kind as native code, to compare with (examples/gateway/native.c): one for each thread

#define EXPORT(name) __attribute__((unused)) static
#define IMPORT(name)
#define STATE static _Thread_local

STATE char heap[1 << 20];
static uintptr_t heap_start(void) { return (uintptr_t)heap; }
static bool heap_reaches(uintptr_t end) { return end - (uintptr_t)heap <= sizeof heap; }

#endif

IMPORT(log) void host_log(const char *text, size_t len);
IMPORT(add_header) void host_add_header(const char *name, size_t name_len, const char *value, size_t value_len);
IMPORT(set_body) void host_set_body(const char *text, size_t len);

typedef struct text { const char *at; size_t len; } text;
#define TEXT(literal) ((text){literal, sizeof literal - 1})

// ---- Memory: a region that starts over with every request

STATE uintptr_t used;

EXPORT(alloc) void *alloc(size_t size) {
    if (!used) used = heap_start();
    uintptr_t start = (used + 15) & ~(uintptr_t)15, end = start + size;
    if (end < start || !heap_reaches(end)) __builtin_trap();
    used = end;
    return (void *)start;
}

// What was allocated stays readable until somebody allocates again.
static void start_over(void) { used = 0; }

// ---- Text

typedef struct builder { char *at; size_t len, room; } builder;

static void add(builder *b, const char *data, size_t len) {
    if (len > b->room - b->len) {
        size_t room = (b->len + len) * 2;
        char *more = alloc(room);
        __builtin_memcpy(more, b->at, b->len);
        b->at = more, b->room = room;
    }
    __builtin_memcpy(b->at + b->len, data, len);
    b->len += len;
}

static void add_text(builder *b, text t) { add(b, t.at, t.len); }

static void add_number(builder *b, uint32_t n) {
    char digits[10];
    size_t i = sizeof digits;
    do digits[--i] = (char)('0' + n % 10);
    while (n /= 10);
    add(b, digits + i, sizeof digits - i);
}

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }

static bool starts(text t, size_t from, text word) {
    if (t.len - from < word.len) return false;
    for (size_t i = 0; i < word.len; i++)
        if (lower(t.at[from + i]) != word.at[i]) return false;
    return true;
}

static bool contains(text t, text word) {
    for (size_t i = 0; i < t.len; i++)
        if (starts(t, i, word)) return true;
    return false;
}

// The value of a header, or nothing; name is in lower case and ends with a colon.
static text header(text head, text name) {
    for (size_t i = 0; i < head.len; i++) {
        if (head.at[i] != '\n' || !starts(head, i + 1, name)) continue;
        size_t start = i + 1 + name.len, end = start;
        while (end < head.len && head.at[end] != '\r') end++;
        return (text){head.at + start, end - start};
    }
    return (text){0};
}

static void add_header(text name, text value) { host_add_header(name.at, name.len, value.at, value.len); }

static void log_text(const char *what, size_t what_len, text t) {
    builder b = {0};
    add(&b, what, what_len);
    add_text(&b, t);
    host_log(b.at, b.len);
}
#define LOG(what, t) log_text(what, sizeof what - 1, t)

// ---- Requests

// What stands between the first two blanks.
static text path_of(text head) {
    size_t start = 0, end;
    while (start < head.len && head.at[start] != ' ') start++;
    if (start < head.len) start++;
    for (end = start; end < head.len && head.at[end] != ' ' && head.at[end] != '\r';) end++;
    return (text){head.at + start, end - start};
}

static int hex(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    return lower(c) >= 'a' && lower(c) <= 'f' ? lower(c) - 'a' + 10 : -1;
}

// The path with %xx decoded, so that nothing hides behind them.
static text decode(text path) {
    builder b = {0};
    for (size_t i = 0; i < path.len; i++) {
        char c = path.at[i];
        if (c == '%' && i + 2 < path.len && hex(path.at[i + 1]) >= 0 && hex(path.at[i + 2]) >= 0) {
            c = (char)(hex(path.at[i + 1]) << 4 | hex(path.at[i + 2]));
            i += 2;
        }
        add(&b, &c, 1);
    }
    return (text){b.at, b.len};
}

static bool climbs(text path) {
    for (size_t i = 0; i + 1 < path.len; i++)
        if (path.at[i] == '.' && path.at[i + 1] == '.' && (i == 0 || path.at[i - 1] == '/') &&
            (i + 2 == path.len || path.at[i + 2] == '/'))
            return true;
    return false;
}

static bool is_blocked(text path) {
    static const text words[] = {TEXT("/admin"), TEXT("wp-login"), TEXT(".git/")};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (contains(path, words[i])) return true;
    return false;
}

// FNV-1a
static uint32_t hash(text t) {
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < t.len; i++) h = (h ^ (uint8_t)t.at[i]) * 16777619u;
    return h;
}

// The same path always meets the same backend.
static void choose_backend(text path) {
    builder name = {0};
    add_text(&name, TEXT("backend-"));
    add_number(&name, hash(path) % 8);
    add_header(TEXT("X-Backend"), (text){name.at, name.len});
}

STATE uint32_t count;

static void number_it(void) {
    builder number = {0};
    add_number(&number, ++count);
    add_header(TEXT("X-Request"), (text){number.at, number.len});
}

// How many paths of each length there were; and the bugs: an index that nobody checks, and two loops.
STATE int lengths[256];
__attribute__((noinline)) static int look_up(uint32_t length) { return lengths[length]; }

static void spin(void) {
    for (;;) __asm__ volatile("");
}

static void hoard(void) {
    for (char *last = NULL, *next;; last = next) {
        next = alloc(4096);
        __builtin_memset(next, 1, 4096);
        __builtin_memcpy(next, &last, sizeof last);
    }
}

static int judge(text path, text head) {
    if (climbs(path)) return 400;
    return is_blocked(path) || contains(header(head, TEXT("user-agent:")), TEXT("greedybot")) ? 403 : 0;
}

EXPORT(on_request) int on_request(const char *data, size_t len) {
    text head = {data, len}, path = decode(path_of(head));
    lengths[path.len & 255]++;
    number_it();
    if (starts(path, 0, TEXT("/crash"))) return look_up(path.len << 24);
    if (starts(path, 0, TEXT("/spin"))) spin();
    if (starts(path, 0, TEXT("/hoard"))) hoard();
    choose_backend(path);
    int status = judge(path, head);
    if (status) LOG("refused: ", path);
    else LOG("passed: ", path);
    start_over();
    return status;
}

EXPORT(requests) uint32_t requests(void) { return count; }

// ---- Responses

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Luhn's sum: every other digit from the right counts twice.
static bool is_card(const char *digits, size_t len) {
    unsigned sum = 0;
    if (len < 13 || len > 19) return false;
    for (size_t i = 0; i < len; i++) {
        unsigned d = (unsigned)(digits[i] - '0') << ((len - i) % 2 == 0);
        sum += d > 9 ? d - 9 : d;
    }
    return sum % 10 == 0;
}

// Card numbers keep their last four digits.
static void add_masked(builder *b, text body) {
    for (size_t i = 0, start, end; i < body.len; i = end) {
        for (start = i; start < body.len && !is_digit(body.at[start]);) start++;
        for (end = start; end < body.len && is_digit(body.at[end]);) end++;
        size_t hidden = is_card(body.at + start, end - start) ? end - start - 4 : 0;
        add(b, body.at + i, start - i);
        add(b, "***************", hidden);
        add(b, body.at + start + hidden, end - start - hidden);
    }
}

EXPORT(on_response) void on_response(const char *data, size_t len) {
    static const text end = TEXT("</body>");
    text body = {data, len};
    builder b = {0};
    size_t at = 0;
    while (at < len && !starts(body, at, end)) at++;
    add_masked(&b, (text){data, at});
    if (at < len) add_text(&b, TEXT("<footer>Filtered by WebAssembly.</footer>"));
    add(&b, data + at, len - at);
    start_over();
    host_set_body(b.at, b.len);
}
