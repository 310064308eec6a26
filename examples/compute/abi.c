// examples/compute/abi.c: the calls of abi.h. Every address and length of the guest is checked before it is used.
#include "abi.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum status { OK = 0, INVALID = 2, BAD_HANDLE = 3, BUFFER_LENGTH = 4, UNSUPPORTED = 5, NONE = 10, LIMIT = 13 };

// ---- The exchange

bool exchange_open(exchange *e) {
    memset(e, 0, sizeof *e);
    return (e->room = malloc(MOST_BYTES));
}

void exchange_close(exchange *e) {
    for (int i = 0; i < MOST_BODIES; i++) free(e->bodies[i].bytes.at);
    free(e->room);
}

void exchange_begin(exchange *e) {
    for (int i = 0; i < MOST_MESSAGES; i++) e->messages[i].used = false;
    for (int i = 0; i < MOST_BODIES; i++) e->bodies[i].used = false;
    e->messages[0] = (message){.used = true};
    e->bodies[0].used = true;
    e->bodies[0].bytes.size = e->bodies[0].read = 0;
    e->answer = NULL;
    e->answer_body = NULL;
    e->taken = 0;
}

static bool keep(exchange *e, text *out, const char *at, uint32_t size) {
    if (size > MOST_BYTES - e->taken) return false;
    *out = (text){e->room + e->taken, size};
    memcpy(out->at, at, size);
    e->taken += size;
    return true;
}

static bool add_field(exchange *e, message *m, const char *name, uint32_t name_size, const char *value, uint32_t size) {
    if (m->count == MOST_HEADERS) return false;
    field *f = &m->fields[m->count];
    if (!keep(e, &f->name, name, name_size) || !keep(e, &f->value, value, size)) return false;
    m->count++;
    return true;
}

static bool add_bytes(body *b, const char *at, uint32_t size, bool front) {
    uint32_t old = b->bytes.size;
    if (size > MOST_BYTES - old) return false;
    if (old + size > b->room) {
        char *grown = realloc(b->bytes.at, b->room = (old + size) * 2);
        if (!grown) return false;
        b->bytes.at = grown;
    }
    if (!size) return true;
    if (front) memmove(b->bytes.at + size, b->bytes.at, old);
    memcpy(b->bytes.at + (front ? 0 : old), at, size);
    b->bytes.size += size;
    return true;
}

bool exchange_request(exchange *e, const char *method, const char *uri) {
    message *m = &e->messages[0];
    return keep(e, &m->method, method, (uint32_t)strlen(method)) && keep(e, &m->uri, uri, (uint32_t)strlen(uri));
}

bool exchange_field(exchange *e, const char *name, uint32_t name_size, const char *value, uint32_t value_size) {
    return add_field(e, &e->messages[0], name, name_size, value, value_size);
}

bool exchange_body(exchange *e, const char *bytes, uint32_t size) {
    return add_bytes(&e->bodies[0], bytes, size, false);
}

// ---- The guest's memory

static void *guest(wasmx_instance *i, int32_t at, uint32_t size) {
    void *p = wasmx_memory_at(wasmx_export_memory(i, "memory"), (uint32_t)at, size);
    if (!p) wasmx_raise(i, WASMX_TRAP_MEMORY_OUT_OF_BOUNDS, NULL);
    return p;
}

static void put(wasmx_instance *i, int32_t at, const void *value, uint32_t size) { memcpy(guest(i, at, size), value, size); }
static void put_u32(wasmx_instance *i, int32_t at, uint32_t value) { put(i, at, &value, 4); }

// A text into a buffer of the guest; the length that it has, or needs, at `written`.
static int32_t give(wasmx_instance *i, text t, int32_t buffer, int32_t room, int32_t written) {
    put_u32(i, written, t.size);
    if (t.size > (uint32_t)room) return BUFFER_LENGTH;
    if (t.size) put(i, buffer, t.at, t.size);
    return OK;
}

static message *message_of(wasmx_instance *i, int32_t handle, bool is_response) {
    exchange *e = wasmx_host(i);
    message *m = (uint32_t)handle < MOST_MESSAGES ? &e->messages[handle] : NULL;
    return m && m->used && m->is_response == is_response ? m : NULL;
}

static body *body_of(wasmx_instance *i, int32_t handle) {
    exchange *e = wasmx_host(i);
    return (uint32_t)handle < MOST_BODIES && e->bodies[handle].used ? &e->bodies[handle] : NULL;
}

static int32_t new_message(wasmx_instance *i, int32_t out, bool is_response) {
    exchange *e = wasmx_host(i);
    for (uint32_t k = 0; k < MOST_MESSAGES; k++) {
        if (e->messages[k].used) continue;
        e->messages[k] = (message){.used = true, .is_response = is_response, .status = 200};
        put_u32(i, out, k);
        return OK;
    }
    return LIMIT;
}

// ---- Header fields, alike for requests and responses

static bool same_name(const field *f, const char *name, uint32_t size) {
    return f->name.size == size && !strncasecmp(f->name.at, name, size);
}

static bool is_repeated(const message *m, uint32_t at) {
    for (uint32_t k = 0; k < at; k++)
        if (same_name(&m->fields[k], m->fields[at].name.at, m->fields[at].name.size)) return true;
    return false;
}

// Texts, each with a NUL behind it, as many as fit from the cursor on; then where to go on, or -1.
typedef struct listing { wasmx_instance *i; int32_t buffer, room, cursor, ending, written; uint32_t size; } listing;

static bool list_text(listing *l, text t, uint32_t k) {
    if ((int32_t)k < l->cursor) return true;
    if (l->size + t.size + 1 > (uint32_t)l->room) {
        int64_t next = (int32_t)k;
        put(l->i, l->ending, &next, 8);
        put_u32(l->i, l->written, l->size ? l->size : t.size + 1);
        return false;
    }
    char *at = guest(l->i, l->buffer + (int32_t)l->size, t.size + 1);
    memcpy(at, t.at, t.size);
    at[t.size] = 0;
    l->size += t.size + 1;
    return true;
}

static int32_t end_list(listing *l) {
    int64_t end = -1;
    put(l->i, l->ending, &end, 8);
    put_u32(l->i, l->written, l->size);
    return OK;
}

static int32_t names(wasmx_instance *i, const message *m, int32_t buffer, int32_t room, int32_t cursor, int32_t ending,
                     int32_t written) {
    listing l = {i, buffer, room, cursor, ending, written, 0};
    if (!m) return BAD_HANDLE;
    for (uint32_t k = 0; k < m->count; k++)
        if (!is_repeated(m, k) && !list_text(&l, m->fields[k].name, k)) return l.size ? OK : BUFFER_LENGTH;
    return end_list(&l);
}

static int32_t values(wasmx_instance *i, const message *m, int32_t name, int32_t size, int32_t buffer, int32_t room,
                      int32_t cursor, int32_t ending, int32_t written) {
    listing l = {i, buffer, room, cursor, ending, written, 0};
    if (!m) return BAD_HANDLE;
    const char *wanted = guest(i, name, (uint32_t)size);
    for (uint32_t k = 0; k < m->count; k++)
        if (same_name(&m->fields[k], wanted, (uint32_t)size) && !list_text(&l, m->fields[k].value, k))
            return l.size ? OK : BUFFER_LENGTH;
    return end_list(&l);
}

static void remove_fields(message *m, const char *name, uint32_t size) {
    uint32_t kept = 0;
    for (uint32_t k = 0; k < m->count; k++)
        if (!same_name(&m->fields[k], name, size)) m->fields[kept++] = m->fields[k];
    m->count = kept;
}

static int32_t set_field(wasmx_instance *i, message *m, int32_t name, int32_t name_size, int32_t value, int32_t size,
                         bool replace) {
    if (!m) return BAD_HANDLE;
    const char *n = guest(i, name, (uint32_t)name_size), *v = guest(i, value, (uint32_t)size);
    if (!name_size || memchr(n, '\n', (uint32_t)name_size) || memchr(v, '\n', (uint32_t)size)) return INVALID;
    if (replace) remove_fields(m, n, (uint32_t)name_size);
    return add_field(wasmx_host(i), m, n, (uint32_t)name_size, v, (uint32_t)size) ? OK : LIMIT;
}

#define FIELD_CALLS(prefix, is_response) \
    static int32_t prefix##_names(wasmx_instance *i, int32_t h, int32_t b, int32_t r, int32_t c, int32_t e, int32_t w) { \
        return names(i, message_of(i, h, is_response), b, r, c, e, w); \
    } \
    static int32_t prefix##_values(wasmx_instance *i, int32_t h, int32_t n, int32_t s, int32_t b, int32_t r, int32_t c, \
                                   int32_t e, int32_t w) { \
        return values(i, message_of(i, h, is_response), n, s, b, r, c, e, w); \
    } \
    static int32_t prefix##_insert(wasmx_instance *i, int32_t h, int32_t n, int32_t ns, int32_t v, int32_t vs) { \
        return set_field(i, message_of(i, h, is_response), n, ns, v, vs, true); \
    } \
    static int32_t prefix##_append(wasmx_instance *i, int32_t h, int32_t n, int32_t ns, int32_t v, int32_t vs) { \
        return set_field(i, message_of(i, h, is_response), n, ns, v, vs, false); \
    } \
    static int32_t prefix##_remove(wasmx_instance *i, int32_t h, int32_t n, int32_t s) { \
        message *m = message_of(i, h, is_response); \
        if (!m) return BAD_HANDLE; \
        remove_fields(m, guest(i, n, (uint32_t)s), (uint32_t)s); \
        return OK; \
    } \
    static int32_t prefix##_new(wasmx_instance *i, int32_t out) { return new_message(i, out, is_response); } \
    static int32_t prefix##_version(wasmx_instance *i, int32_t h, int32_t out) { \
        if (!message_of(i, h, is_response)) return BAD_HANDLE; \
        put_u32(i, out, 2); /* HTTP/1.1 */ \
        return OK; \
    } \
    static int32_t prefix##_framing(wasmx_instance *i, int32_t h, int32_t mode) { \
        return !message_of(i, h, is_response) ? BAD_HANDLE : mode ? UNSUPPORTED : OK; \
    }

FIELD_CALLS(req, false)
FIELD_CALLS(resp, true)

// ---- Requests, responses, bodies

static int32_t downstream_get(wasmx_instance *i, int32_t request, int32_t its_body) {
    put_u32(i, request, 0);
    put_u32(i, its_body, 0);
    return OK;
}

static int32_t method_get(wasmx_instance *i, int32_t h, int32_t buffer, int32_t room, int32_t written) {
    const message *m = message_of(i, h, false);
    return m ? give(i, m->method, buffer, room, written) : BAD_HANDLE;
}

static int32_t uri_get(wasmx_instance *i, int32_t h, int32_t buffer, int32_t room, int32_t written) {
    const message *m = message_of(i, h, false);
    return m ? give(i, m->uri, buffer, room, written) : BAD_HANDLE;
}

static int32_t set_text(wasmx_instance *i, message *m, text *to, int32_t at, int32_t size) {
    if (!m) return BAD_HANDLE;
    return keep(wasmx_host(i), to, guest(i, at, (uint32_t)size), (uint32_t)size) ? OK : LIMIT;
}

static int32_t method_set(wasmx_instance *i, int32_t h, int32_t at, int32_t size) {
    message *m = message_of(i, h, false);
    return set_text(i, m, m ? &m->method : NULL, at, size);
}

static int32_t uri_set(wasmx_instance *i, int32_t h, int32_t at, int32_t size) {
    message *m = message_of(i, h, false);
    return set_text(i, m, m ? &m->uri : NULL, at, size);
}

static int32_t status_get(wasmx_instance *i, int32_t h, int32_t out) {
    const message *m = message_of(i, h, true);
    if (!m) return BAD_HANDLE;
    uint16_t status = (uint16_t)m->status;
    put(i, out, &status, 2);
    return OK;
}

static int32_t status_set(wasmx_instance *i, int32_t h, int32_t status) {
    message *m = message_of(i, h, true);
    if (!m) return BAD_HANDLE;
    if (status < 200 || status > 599) return INVALID;
    m->status = (uint32_t)status;
    return OK;
}

// What streams into the body afterwards belongs to it too: the server answers when the guest has returned.
static int32_t send_downstream(wasmx_instance *i, int32_t h, int32_t its_body, int32_t streaming) {
    exchange *e = wasmx_host(i);
    (void)streaming;
    const message *m = message_of(i, h, true);
    const body *b = body_of(i, its_body);
    if (!m || !b) return BAD_HANDLE;
    if (e->answer) return INVALID;
    e->answer = m;
    e->answer_body = b;
    if (e->on_answer) e->on_answer(e);
    return OK;
}

static int32_t body_new(wasmx_instance *i, int32_t out) {
    exchange *e = wasmx_host(i);
    for (uint32_t k = 0; k < MOST_BODIES; k++) {
        body *b = &e->bodies[k];
        if (b->used) continue;
        b->used = true;
        b->bytes.size = b->read = 0;
        put_u32(i, out, k);
        return OK;
    }
    return LIMIT;
}

static int32_t body_read(wasmx_instance *i, int32_t h, int32_t buffer, int32_t room, int32_t out) {
    body *b = body_of(i, h);
    if (!b) return BAD_HANDLE;
    uint32_t n = b->bytes.size - b->read;
    if (n > (uint32_t)room) n = (uint32_t)room;
    if (n) put(i, buffer, b->bytes.at + b->read, n);
    b->read += n;
    put_u32(i, out, n);
    return OK;
}

static int32_t body_write(wasmx_instance *i, int32_t h, int32_t at, int32_t size, int32_t front, int32_t out) {
    body *b = body_of(i, h);
    if (!b) return BAD_HANDLE;
    if (!add_bytes(b, guest(i, at, (uint32_t)size), (uint32_t)size, front == 1)) return LIMIT;
    put_u32(i, out, (uint32_t)size);
    return OK;
}

static int32_t body_append(wasmx_instance *i, int32_t to, int32_t from) {
    body *a = body_of(i, to), *b = body_of(i, from);
    if (!a || !b || a == b) return BAD_HANDLE;
    b->used = false;
    return add_bytes(a, b->bytes.at, b->bytes.size, false) ? OK : LIMIT;
}

static int32_t body_end(wasmx_instance *i, int32_t h) { return body_of(i, h) ? OK : BAD_HANDLE; }

static int32_t body_known_length(wasmx_instance *i, int32_t h, int32_t out) {
    const body *b = body_of(i, h);
    if (!b) return BAD_HANDLE;
    uint64_t n = b->bytes.size;
    put(i, out, &n, 8);
    return OK;
}

// ---- The rest: what a service asks for whether it uses it or not

static int32_t abi_init(wasmx_instance *i, int64_t version) {
    (void)i;
    return version == 1 ? OK : UNSUPPORTED;
}

static int32_t log_endpoint(wasmx_instance *i, int32_t name, int32_t size, int32_t out) {
    guest(i, name, (uint32_t)size);
    put_u32(i, out, 0);
    return OK;
}

static int32_t log_write(wasmx_instance *i, int32_t h, int32_t at, int32_t size, int32_t out) {
    if (h) return BAD_HANDLE;
    fprintf(stderr, "%.*s\n", (int)size, (const char *)guest(i, at, (uint32_t)size));
    put_u32(i, out, (uint32_t)size);
    return OK;
}

static int32_t next_request(wasmx_instance *i, int32_t a, int32_t b, int32_t c) {
    (void)i, (void)a, (void)b, (void)c;
    return UNSUPPORTED; // an instance serves one request
}

// Bodies are all there: whatever is waited for is ready.
static int32_t is_ready(wasmx_instance *i, int32_t h, int32_t out) {
    if (!body_of(i, h)) return BAD_HANDLE;
    put_u32(i, out, 1);
    return OK;
}

static int32_t select_ready(wasmx_instance *i, int32_t handles, int32_t count, int32_t timeout, int32_t out) {
    (void)timeout;
    guest(i, handles, (uint32_t)count * 4);
    put_u32(i, out, count ? 0 : UINT32_MAX);
    return count ? OK : NONE;
}

static int32_t client_address(wasmx_instance *i, int32_t buffer, int32_t out, int32_t unused) {
    static const uint8_t loopback[] = {127, 0, 0, 1};
    (void)unused;
    put(i, buffer, loopback, 4);
    put_u32(i, out, 4);
    return OK;
}

#define CALL(module, name, type, function) {module, name, type, (void (*)(void))function}

static const struct { const char *module, *name, *type; void (*function)(void); } calls[] = {
    CALL("fastly_abi", "init", "I:i", abi_init),
    CALL("fastly_http_req", "body_downstream_get", "ii:i", downstream_get),
    CALL("fastly_http_req", "new", "i:i", req_new),
    CALL("fastly_http_req", "method_get", "iiii:i", method_get),
    CALL("fastly_http_req", "method_set", "iii:i", method_set),
    CALL("fastly_http_req", "uri_get", "iiii:i", uri_get),
    CALL("fastly_http_req", "uri_set", "iii:i", uri_set),
    CALL("fastly_http_req", "version_get", "ii:i", req_version),
    CALL("fastly_http_req", "framing_headers_mode_set", "ii:i", req_framing),
    CALL("fastly_http_req", "header_names_get", "iiiiii:i", req_names),
    CALL("fastly_http_req", "header_values_get", "iiiiiiii:i", req_values),
    CALL("fastly_http_req", "header_insert", "iiiii:i", req_insert),
    CALL("fastly_http_req", "header_append", "iiiii:i", req_append),
    CALL("fastly_http_req", "header_remove", "iii:i", req_remove),
    CALL("fastly_http_resp", "new", "i:i", resp_new),
    CALL("fastly_http_resp", "status_get", "ii:i", status_get),
    CALL("fastly_http_resp", "status_set", "ii:i", status_set),
    CALL("fastly_http_resp", "version_get", "ii:i", resp_version),
    CALL("fastly_http_resp", "framing_headers_mode_set", "ii:i", resp_framing),
    CALL("fastly_http_resp", "header_names_get", "iiiiii:i", resp_names),
    CALL("fastly_http_resp", "header_values_get", "iiiiiiii:i", resp_values),
    CALL("fastly_http_resp", "header_insert", "iiiii:i", resp_insert),
    CALL("fastly_http_resp", "header_append", "iiiii:i", resp_append),
    CALL("fastly_http_resp", "header_remove", "iii:i", resp_remove),
    CALL("fastly_http_resp", "send_downstream", "iii:i", send_downstream),
    CALL("fastly_http_body", "new", "i:i", body_new),
    CALL("fastly_http_body", "read", "iiii:i", body_read),
    CALL("fastly_http_body", "write", "iiiii:i", body_write),
    CALL("fastly_http_body", "append", "ii:i", body_append),
    CALL("fastly_http_body", "close", "i:i", body_end),
    CALL("fastly_http_body", "abandon", "i:i", body_end),
    CALL("fastly_http_body", "known_length", "ii:i", body_known_length),
    CALL("fastly_http_downstream", "next_request", "iii:i", next_request),
    CALL("fastly_http_downstream", "next_request_wait", "iii:i", next_request),
    CALL("fastly_http_downstream", "downstream_client_ip_addr", "iii:i", client_address),
    CALL("fastly_http_downstream", "downstream_server_ip_addr", "iii:i", client_address),
    CALL("fastly_async_io", "is_ready", "ii:i", is_ready),
    CALL("fastly_async_io", "select", "iiii:i", select_ready),
    CALL("fastly_log", "endpoint_get", "iii:i", log_endpoint),
    CALL("fastly_log", "write", "iiii:i", log_write),
};

void exchange_define(wasmx_linker *linker) {
    for (size_t k = 0; k < sizeof calls / sizeof *calls; k++)
        wasmx_linker_define_typed(linker, calls[k].module, calls[k].name, calls[k].type, calls[k].function);
}
