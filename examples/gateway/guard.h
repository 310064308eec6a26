// examples/gateway/guard.h: what the gateway asks of its filter, which is WebAssembly (pooled.c), or the same C source
// compiled in (native.c), to compare with.
#pragma once
#include <stdbool.h>
#include <stddef.h>

#ifndef CPU_LIMIT_MS
#define CPU_LIMIT_MS 2 // of processor time, for one request
#endif

enum { MAX_EXTRA = 1024, MEMORY_LIMIT = 1 << 20, CPU_LIMIT_NS = CPU_LIMIT_MS * 1000000 };

// One request: made by the gateway, filled by the filter. All zero at first.
typedef struct guard {
    char extra[MAX_EXTRA]; // headers to add
    size_t extra_len;
    const char *body;      // to send instead; valid until guard_end
    size_t body_len;
    const char *failure;   // why the filter failed, or NULL; a constant
    int failure_status;    // and what to answer then
    void *state;           // the implementation's
} guard;

// Once, before threads and before forks. False: it has said why.
bool guard_open(unsigned threads);
// 0: go on; otherwise the status to answer with. -1: see failure.
int guard_request(guard *g, const char *head, size_t len);
bool guard_response(guard *g, const char *body, size_t len); // false: see failure
void guard_end(guard *g);                                     // of every request that guard_request was called for
void guard_report(void);                                      // a line to standard output, at the end
