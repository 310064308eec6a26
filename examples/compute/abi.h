// examples/compute/abi.h: the host calls of a JavaScript service at the edge: one request in, one response out.
//
// The names and the meaning of the calls are those of the public Compute ABI (modules fastly_http_req, fastly_http_resp,
// fastly_http_body, fastly_log, ...). Calls that fetch from elsewhere, caches and stores are not here: a guest that
// makes one traps.
#pragma once
#include "wasmx.h"

enum { MOST_HEADERS = 64, MOST_MESSAGES = 8, MOST_BODIES = 8, MOST_BYTES = 1 << 20 };

typedef struct text { char *at; uint32_t size; } text;
typedef struct field { text name, value; } field;

typedef struct message { // a request or a response
    bool used, is_response;
    text method, uri;
    uint32_t status;
    uint32_t count;
    field fields[MOST_HEADERS];
} message;

typedef struct body { bool used; text bytes; uint32_t room, read; } body;

typedef struct exchange { // what wasmx_host of the instance is; used for one request after the other
    message messages[MOST_MESSAGES]; // 0 is the request
    body bodies[MOST_BODIES];        // 0 is the request's
    const message *answer;           // NULL: none was sent
    const body *answer_body;
    void (*on_answer)(struct exchange *); // when it is sent; may be NULL
    char *room;                      // where texts of this request are
    uint32_t taken;
} exchange;

bool exchange_open(exchange *e);  // false: no memory
void exchange_close(exchange *e);
void exchange_begin(exchange *e); // forgets the last request
// False: too many, or too long. Copied.
bool exchange_request(exchange *e, const char *method, const char *uri);
bool exchange_field(exchange *e, const char *name, uint32_t name_size, const char *value, uint32_t value_size);
bool exchange_body(exchange *e, const char *bytes, uint32_t size);
// Defines the calls in the linker.
void exchange_define(wasmx_linker *linker);
