// tests/wasi/direct.h: WASI's functions called as C functions, for a guest that has a memory and no code.
//
// Every argument is an integer in a register or a stack slot of its own, on both architectures, so one prototype does.
#pragma once
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/wasi/wasi.h"

typedef int32_t direct_function(wasmx_instance *, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t);

typedef struct direct_row {
    const char *name, *type;
    void (*function)(void);
} direct_row;

#define PREVIEW1(name, type) WX_INTERNAL void wx_wasi_##name(void);
#define UNSTABLE(name, type) WX_INTERNAL void wx_wasi0_##name(void);
#define WASI(name, type) PREVIEW1(name, type)
#include "runtime/wasi/wasi.def"
#undef PREVIEW1
#undef UNSTABLE
#undef WASI

static const direct_row direct_rows[] = {
#define PREVIEW1(name, type) {#name, type, wx_wasi_##name},
#define UNSTABLE(name, type) {#name, type, wx_wasi0_##name},
#define WASI(name, type) PREVIEW1(name, type)
#include "runtime/wasi/wasi.def"
#undef PREVIEW1
#undef UNSTABLE
#undef WASI
};
#define DIRECT_ROWS (sizeof direct_rows / sizeof *direct_rows)

typedef struct direct { // one guest
    struct wxrt_host_state state;
    wasmx_instance instance;
    uint8_t *memory;
} direct;

static inline void die(const char *what) {
    perror(what);
    exit(2);
}

static inline void direct_begin(direct *d, const wasmx_wasi_config *config) {
    wasmx_error err = {""};
    *d = (direct){.instance = {.state = &d->state, .wasi = wasmx_wasi_new(config, &err)}};
    d->state.wasi_memory = wasmx_memory_new(2, 2);
    if (!d->instance.wasi || !d->state.wasi_memory) die(err.message);
    d->memory = wasmx_memory_data(d->state.wasi_memory);
}

static inline void direct_end(direct *d) {
    wasmx_wasi_free(d->instance.wasi);
    wasmx_memory_free(d->state.wasi_memory);
}

static inline int32_t direct_args(direct *d, void (*function)(void), const int64_t a[9]) {
    direct_function *f = (direct_function *)(uintptr_t)function;
    return f(&d->instance, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8]);
}
#define CALL(d, name, ...) direct_args(d, wx_wasi_##name, (const int64_t[9]){__VA_ARGS__})
