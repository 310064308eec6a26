// examples/gateway/native.c: the same filter as native code of the gateway: what it costs without WebAssembly, and
// without a wall around it. Nothing here would survive its bugs, so requests that run into them are answered before:
// the same bytes, after the same work (processor time up to the limit; the memory of the limit, filled), or, with
// GATEWAY_AT_ONCE in the environment, after none.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "examples/gateway/guard.h"

static _Thread_local guard *current;
static bool at_once;

static void host_log(const char *text, size_t len);
static void host_add_header(const char *name, size_t name_len, const char *value, size_t value_len);
static void host_set_body(const char *text, size_t len);

#include "examples/filter/filter.c"

// ---- What the filter may call

static void host_log(const char *text, size_t len) { (void)text, (void)len; }

static void host_add_header(const char *name, size_t name_len, const char *value, size_t value_len) {
    guard *g = current;
    size_t room = MAX_EXTRA - g->extra_len, size = name_len + value_len + 4;
    if (size > room) return;
    char *to = g->extra + g->extra_len;
    memcpy(to, name, name_len), to += name_len;
    memcpy(to, ": ", 2), to += 2;
    memcpy(to, value, value_len), to += value_len;
    memcpy(to, "\r\n", 2);
    g->extra_len += size;
}

static void host_set_body(const char *text, size_t len) {
    current->body = text;
    current->body_len = len;
}

// ---- Its bugs

static void work_to_the_limit(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    int64_t end = t.tv_sec * 1000000000 + t.tv_nsec + CPU_LIMIT_NS;
    do {
        for (int k = 0; k < 1000; k++) __asm__ volatile("");
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    } while (t.tv_sec * 1000000000 + t.tv_nsec < end);
}

static void fill_to_the_limit(void) {
    char *all = malloc(MEMORY_LIMIT);
    if (all) memset(all, 1, MEMORY_LIMIT);
    __asm__ volatile("" : : "r"(all) : "memory");
    free(all);
}

static int stand_in(guard *g, const char *why, int status) {
    number_it();
    g->failure = why;
    g->failure_status = status;
    return -1;
}

// ---- Requests

bool guard_open(unsigned threads) {
    (void)threads;
    at_once = getenv("GATEWAY_AT_ONCE");
    return true;
}

static bool asks_for(const char *head, size_t len, text path) {
    return starts(path_of((text){head, len}), 0, path);
}

// What an earlier request left in the filter's variables is wiped by hand.
int guard_request(guard *g, const char *head, size_t len) {
    current = g;
    used = 0;
    count = 0;
    memset(lengths, 0, sizeof lengths);
    if (asks_for(head, len, TEXT("/crash"))) return stand_in(g, "out of bounds memory access", 500);
    if (asks_for(head, len, TEXT("/spin"))) {
        if (!at_once) work_to_the_limit();
        return stand_in(g, "interrupted", 504);
    }
    if (asks_for(head, len, TEXT("/hoard"))) {
        if (!at_once) fill_to_the_limit();
        return stand_in(g, "unreachable", 500);
    }
    char *copy = alloc(len);
    memcpy(copy, head, len);
    return on_request(copy, len);
}

bool guard_response(guard *g, const char *body, size_t len) {
    char *copy = alloc(len);
    memcpy(copy, body, len);
    on_response(copy, len);
    return g->body;
}

void guard_end(guard *g) { (void)g; }
void guard_report(void) {}
