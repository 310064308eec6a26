// tests/unit/wasi_guest.h: a guest that imports and exports all of WASI, a directory and pipes for it to use.
#pragma once
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "runtime/wasi/wasi.h"
#include "tests/unit/runtime_code.h"

// ---- A guest that hands every function on

typedef struct row {
    const char *name, *type;
    bool in_preview1, in_unstable;
} row;

static const row rows[] = {
#define WASI(name, type)     {#name, type, true, true},
#define PREVIEW1(name, type) {#name, type, true, false},
#define UNSTABLE(name, type) {#name, type, false, true},
#include "runtime/wasi/wasi.def"
#undef WASI
#undef PREVIEW1
#undef UNSTABLE
};
#define ROWS (sizeof rows / sizeof *rows)

static const char *type_of(const char *name) {
    for (size_t k = 0; k < ROWS; k++)
        if (!strcmp(rows[k].name, name)) return rows[k].type;
    cr_assert_fail("no function %s", name);
    return "";
}

static inline char *add_type(char *p, const char *type) {
    for (; *type && *type != ':'; type++) p += sprintf(p, " (param %s)", *type == 'i' ? "i32" : "i64");
    return p + sprintf(p, "%s", type[1] ? " (result i32)" : "");
}

static const char *guest_text(bool unstable) {
    static char text[1 << 16];
    char *p = text + sprintf(text, "(module");
    for (size_t k = 0; k < ROWS; k++) {
        if (!(unstable ? rows[k].in_unstable : rows[k].in_preview1)) continue;
        p += sprintf(p, " (import \"%s\" \"%s\" (func $%s", unstable ? "wasi_unstable" : "wasi_snapshot_preview1",
                     rows[k].name, rows[k].name);
        p = add_type(p, rows[k].type);
        p += sprintf(p, "))");
    }
    for (size_t k = 0; k < ROWS; k++)
        if (unstable ? rows[k].in_unstable : rows[k].in_preview1)
            p += sprintf(p, " (export \"%s\" (func $%s))", rows[k].name, rows[k].name);
    sprintf(p, " (memory (export \"memory\") 2))");
    return text;
}

static wasmx_instance *guest;
static uint8_t *memory;
static char dir[] = "/tmp/wasmx-wasi-XXXXXX"; // preopened as "data", 3, and read-only as "look", 4
static int in[2], out[2];                     // pipes behind the guest's standard input and output

static inline void run(const char *format, const char *a, const char *b) {
    char command[600];
    snprintf(command, sizeof command, format, a, b);
    cr_assert_eq(system(command), 0, "%s", command);
}

// What a test adds to the configuration before it begins.
static wasmx_wasi_config extra;

static inline void begin_as(bool unstable) {
    static const char *const args[] = {"prog", "one", "", NULL}, *const env[] = {"A=1", "LONG=value", NULL};
    cr_assert(mkdtemp(dir) && !pipe(in) && !pipe(out));
    wasmx_preopen preopens[] = {{.host = dir, .guest = "data"}, {.host = dir, .guest = "look", .read_only = true}};
    wasmx_wasi_config config = extra;
    config.args = args;
    config.env = env;
    config.preopens = preopens;
    config.preopen_count = 2;
    config.stdin_fd = in[0];
    config.stdout_fd = out[1];
    config.stderr_fd = -1;
    wasmx_error err;
    wasmx_wasi *wasi = wasmx_wasi_new(&config, &err);
    cr_assert_not_null(wasi, "%s", err.message);
    wasmx_linker *l = wasmx_linker_new();
    wasmx_linker_define_wasi(l, wasi);
    guest = start_with(compile(guest_text(unstable)), &(wasmx_options){.linker = l});
    memory = wasmx_memory_data(wasmx_export_memory(guest, "memory"));
}

static inline void begin(void) { begin_as(false); }
static inline void begin_unstable(void) { begin_as(true); }
static inline void end(void) { run("rm -rf %s%s", dir, ""); }

// Calls a function with its arguments as int64_t; its error code.
static inline int32_t w_args(const char *name, const int64_t *values) {
    const char *type = type_of(name);
    wasmx_value args[10], result = {.i32 = -1};
    for (size_t k = 0; type[k] != ':'; k++)
        args[k] = type[k] == 'i' ? (wasmx_value){.i32 = (int32_t)values[k]} : (wasmx_value){.i64 = values[k]};
    cr_assert_eq(wasmx_call(func(guest, name), args, &result), WASMX_OK, "%s", name);
    return result.i32;
}
#define W(name, ...) w_args(#name, (int64_t[]){__VA_ARGS__})

static inline uint64_t get(uint32_t at, uint32_t size) {
    uint64_t v = 0;
    memcpy(&v, memory + at, size);
    return v;
}

static inline void put(uint32_t at, uint32_t size, uint64_t v) { memcpy(memory + at, &v, size); }

// Where the tests keep things in guest memory.
enum { PATH = 256, PATH2 = 768, LIST = 1024, RESULT = 3072, DATA = 4096, TEXTS = 65536, BAD = 131072 };

static inline int64_t path(const char *text) { return strlen(strcpy((char *)memory + PATH, text)); }
static inline int64_t path2(const char *text) { return strlen(strcpy((char *)memory + PATH2, text)); }

// A text put where no other of the last few is.
static inline int64_t text_at(const char *text) {
    static uint32_t next;
    next = (next + 1) % 12;
    uint32_t at = TEXTS + next * 5000;
    strcpy((char *)memory + at, text);
    return at;
}
#define P(text) text_at(text), (int64_t)strlen(text)

static inline void buffers(uint32_t n, uint32_t each) {
    for (uint32_t k = 0; k < n; k++) {
        put(LIST + 8 * k, 4, DATA + k * each);
        put(LIST + 8 * k + 4, 4, each);
    }
}

enum { CREATE = 1, DIRECTORY = 2, EXCLUSIVE = 4, TRUNCATE = 8 };

static inline int32_t open_code(const char *name, int oflags) {
    return W(path_open, 3, 1, PATH, path(name), oflags, W_ALL_RIGHTS, W_ALL_RIGHTS, 0, RESULT);
}

static inline int64_t opened(const char *name, int oflags) {
    cr_assert_eq(open_code(name, oflags), 0, "%s", name);
    return (int64_t)get(RESULT, 4);
}

static inline int64_t write_text(int64_t fd, const char *text) {
    strcpy((char *)memory + DATA, text);
    buffers(1, (uint32_t)strlen(text));
    cr_assert_eq(W(fd_write, fd, LIST, 1, RESULT), 0);
    return (int64_t)get(RESULT, 4);
}
