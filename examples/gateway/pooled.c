// examples/gateway/pooled.c: the filter as WebAssembly: every request has an instance of its own, from a pool, with
// limits on memory and on processor time.
#include <stdio.h>
#include <string.h>

#include "examples/gateway/guard.h"
#include "filter.h" // made by wasmx-aot build --interruptible filter.wasm

static wasmx_pool *pool;

// ---- What the filter may call

static const char *guest_text(wasmx_instance *guest, int32_t at, int32_t len) {
    const char *text = wasmx_memory_at(filter_memory(guest), (uint32_t)at, (uint32_t)len);
    if (!text) wasmx_raise(guest, WASMX_TRAP_MEMORY_OUT_OF_BOUNDS, NULL);
    return text;
}

static void on_log(wasmx_instance *guest, int32_t text, int32_t len) { (void)guest_text(guest, text, len); }

static void on_add_header(wasmx_instance *guest, int32_t name, int32_t name_len, int32_t value, int32_t value_len) {
    guard *g = wasmx_host(guest);
    const char *n = guest_text(guest, name, name_len), *v = guest_text(guest, value, value_len);
    size_t room = MAX_EXTRA - g->extra_len, size = (size_t)(uint32_t)name_len + (uint32_t)value_len + 4;
    if (size > room) return;
    char *to = g->extra + g->extra_len;
    memcpy(to, n, (uint32_t)name_len), to += (uint32_t)name_len;
    memcpy(to, ": ", 2), to += 2;
    memcpy(to, v, (uint32_t)value_len), to += (uint32_t)value_len;
    memcpy(to, "\r\n", 2);
    g->extra_len += size;
}

static void on_set_body(wasmx_instance *guest, int32_t at, int32_t len) {
    guard *g = wasmx_host(guest);
    g->body = guest_text(guest, at, len);
    g->body_len = (uint32_t)len;
}

static const filter_imports host_functions = {
    .env_log = on_log, .env_add_header = on_add_header, .env_set_body = on_set_body};

// ---- The pool

static bool failed(const wasmx_error *err) {
    printf("gateway: %s\n", err->message);
    return false;
}

// As many instances as threads: each has one request at a time. The time is the thread's own, so that a busy machine
// stops nobody. One is used here already, so that processes forked later begin with all that was made for it.
bool guard_open(unsigned threads) {
    wasmx_pool_module module = {.module = &filter,
                                .options = {.imports = &host_functions, .max_memory_bytes = MEMORY_LIMIT,
                                            .deadline_ns = CPU_LIMIT_NS, .deadline_clock = WASMX_TIME_THREAD}};
    wasmx_pool_options options = {.slots = threads, .modules = &module, .module_count = 1, .one_thread = true};
    wasmx_error err;
    pool = wasmx_pool_new(&options, &err);
    wasmx_instance *first = pool ? wasmx_pool_acquire(pool, &filter, NULL, &err) : NULL;
    return wasmx_pool_release(first) || failed(&err);
}

static bool fail(guard *g, const char *why, int status) {
    g->failure = why;
    g->failure_status = status;
    return false;
}

static bool fail_by(guard *g, wasmx_status status) {
    return fail(g, wasmx_status_message(status), status == WASMX_TRAP_INTERRUPTED ? 504 : 500);
}

// Copies bytes into the guest's memory; *at is where.
static wasmx_status give(wasmx_instance *guest, const char *data, size_t len, int32_t *at) {
    wasmx_status status = filter_alloc(guest, (int32_t)len, at);
    void *room = status ? NULL : wasmx_memory_at(filter_memory(guest), (uint32_t)*at, len);
    if (room) memcpy(room, data, len);
    return status ? status : room ? WASMX_OK : WASMX_TRAP_MEMORY_OUT_OF_BOUNDS;
}

int guard_request(guard *g, const char *head, size_t len) {
    wasmx_error err;
    int32_t at, answer;
    g->state = wasmx_pool_acquire(pool, &filter, g, &err);
    if (!g->state) return failed(&err), fail(g, "no instance", 503), -1;
    wasmx_status status = give(g->state, head, len, &at);
    if (!status) status = filter_on_request(g->state, at, (int32_t)len, &answer);
    return status ? fail_by(g, status), -1 : answer;
}

bool guard_response(guard *g, const char *body, size_t len) {
    int32_t at;
    wasmx_status status = give(g->state, body, len, &at);
    if (!status) status = filter_on_response(g->state, at, (int32_t)len);
    return status ? fail_by(g, status) : g->body || fail(g, "it gave no body", 500);
}

void guard_end(guard *g) {
    if (g->state && !wasmx_pool_release(g->state)) printf("gateway: an instance could not be released\n");
}

void guard_report(void) {
    wasmx_pool_stats s;
    wasmx_pool_get_stats(pool, &s);
    printf("pool: %llu acquired, %llu made, %u in use, %llu searched, %llu spared, %llu KiB copied back\n",
           (unsigned long long)s.acquired, (unsigned long long)s.made, s.in_use, (unsigned long long)s.searched,
           (unsigned long long)s.spared, (unsigned long long)(s.copied_bytes >> 10));
}
