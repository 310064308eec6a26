// examples/filter/filter.c: a filter for HTTP, compiled to WebAssembly. It knows nothing of the server it runs in.
//
//   alloc(size)            memory for what the host wants to hand over; lives until on_request or on_response is done
//   on_request(head, len)  the request line and headers. 0: go on; otherwise the status to answer with
//   on_response(body, len) the body to send instead: address in the high half of the result, length in the low half
//   requests()             how many requests this instance has seen
//
// It refuses paths that climb (`..`, also as %2e) and paths with a blocked word, masks long numbers in bodies, adds a
// footer to HTML and a header to every answer. A request for /crash runs into a bug that is kept on purpose.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXPORT(name) __attribute__((export_name(#name)))
#define IMPORT(name) __attribute__((import_module("env"), import_name(#name)))

IMPORT(log) void host_log(const char *text, size_t len);
IMPORT(add_header) void host_add_header(const char *name, size_t name_len, const char *value, size_t value_len);

typedef struct text { const char *at; size_t len; } text;
#define TEXT(literal) ((text){literal, sizeof literal - 1})

// ---- Memory: a region that starts over with every request and grows with the linear memory

extern char __heap_base;
static uintptr_t used;

EXPORT(alloc) void *alloc(size_t size) {
    if (!used) used = (uintptr_t)&__heap_base;
    uintptr_t start = (used + 15) & ~(uintptr_t)15, end = start + size, have = __builtin_wasm_memory_size(0) << 16;
    if (end < start) __builtin_trap();
    if (end > have && __builtin_wasm_memory_grow(0, (end - have + 65535) >> 16) == (size_t)-1) __builtin_trap();
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

static uint32_t count;

// How many paths of each length there were; and the bug: an index that nobody checks.
static int lengths[256];
__attribute__((noinline)) static int look_up(uint32_t length) { return lengths[length]; }

EXPORT(on_request) int on_request(const char *data, size_t len) {
    builder number = {0};
    text path = decode(path_of((text){data, len}));
    count++;
    lengths[path.len & 255]++;
    add_number(&number, count);
    host_add_header("X-Request", 9, number.at, number.len);
    if (starts(path, 0, TEXT("/crash"))) return look_up(path.len << 24);
    int status = climbs(path) ? 400 : is_blocked(path) ? 403 : 0;
    if (status) LOG("refused: ", path);
    else LOG("passed: ", path);
    start_over();
    return status;
}

EXPORT(requests) uint32_t requests(void) { return count; }

// ---- Responses

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Runs of 12 digits and more keep their last four.
static void add_masked(builder *b, text body) {
    for (size_t i = 0, end; i < body.len; i = end) {
        for (end = i; end < body.len && is_digit(body.at[end]);) end++;
        size_t hidden = end - i >= 12 ? end - i - 4 : 0;
        if (end == i) end++;
        for (size_t k = 0; k < hidden; k++) add(b, "*", 1);
        add(b, body.at + i + hidden, end - i - hidden);
    }
}

EXPORT(on_response) uint64_t on_response(const char *data, size_t len) {
    static const text end = TEXT("</body>");
    text body = {data, len};
    builder b = {0};
    size_t at = 0;
    while (at < len && !starts(body, at, end)) at++;
    add_masked(&b, (text){data, at});
    if (at < len) add_text(&b, TEXT("<footer>Filtered by WebAssembly.</footer>"));
    add(&b, data + at, len - at);
    start_over();
    return (uint64_t)(uintptr_t)b.at << 32 | b.len;
}
