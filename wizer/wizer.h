// wizer/wizer.h: the door of this folder, and what its files share.
//
//   bytes ─ decode ─► wx_module ─ engine.c ─► instance ─ run.c ─► initialised ─ state.c ─► wx_state
//                         └──────────── reach.c: what is still in use ──► output.c: another wx_module ─ encode ─► bytes
//
// Commands use wasmx_snapshot (wasmx_snapshot.h); nothing else of this folder is for them.
#pragma once
#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "wasm/remap.h"
#include "wasmx_snapshot.h"

#define WX_NULL_REF UINT32_MAX

// ---- state.c: what the instance holds, by the indices of the module

typedef struct wx_memory_state {
    const uint8_t *data; // the instance's own
    uint64_t bytes;
} wx_memory_state;

typedef struct wx_table_state {
    uint64_t size;
    uint32_t *refs;      // function index or WX_NULL_REF
} wx_table_state;

typedef struct wx_global_state {
    wasmx_value value;
    uint32_t func;       // reference types: function index or WX_NULL_REF
    bool keep_expr;      // the initial expression says it
} wx_global_state;

typedef struct wx_state {
    wx_memory_state *memories;
    wx_table_state *tables;
    wx_global_state *globals;
    bool *data_empty, *elem_empty; // segments that are empty now: active ones, declared ones, dropped ones
} wx_state;

typedef struct wx_sources { // sources.c
    uint64_t random, time;
    uint64_t random_calls, random_bytes, clock_calls, sleeps, files;
    bool system;
    wx_map inodes;
} wx_sources;

typedef struct wx_snapshot { // one wasmx_snapshot
    const wasmx_snapshot_options *options;
    wasmx_snapshot_result *out;
    wasmx_snapshot_error *err;
    wx_error e;
    wx_arena arena;
    wx_buf binary;       // of a text module
    wx_span bytes;
    wx_module m;
    const char *init;    // what to call, or NULL
    wx_sources sources;
    struct wx_engine *engine;
    wasmx_linker *linker;
    wasmx_wasi *wasi;
    wasmx_instance *instance;
    void **own;          // memories, tables and globals made for imports: one for each import, or NULL
    wx_state state;
    struct wx_reach *reach;
} wx_snapshot;

// False, with the error line set to "FILE: " and the message.
bool wx_snapshot_fail(wx_snapshot *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

// engine.c: the one place where code is made.
typedef struct wx_engine wx_engine;
wx_engine *wx_engine_open(wx_snapshot *s); // NULL: s->err is set
const wasmx_module *wx_engine_module(const wx_engine *e);
void wx_engine_finish(wx_engine *e); // no guest code is called any more
void wx_engine_close(wx_engine *e);

// sources.c: repeatable clocks, random numbers and file facts, and a count of who asked.
wasmx_sources wx_sources_make(wx_sources *s, const wasmx_sources *given, uint64_t seed, bool system);
void wx_sources_note(const wx_sources *s, wasmx_snapshot_result *out);

// run.c: makes the instance and runs start function, _initialize and the initialiser.
bool wx_run_init(wx_snapshot *s);
void wx_run_end(wx_snapshot *s);

// state.c. False: something cannot be kept; the message names it.
bool wx_state_read(wx_snapshot *s);

// reach.c
typedef struct wx_reach { // what the result needs
    bool *used[WX_SPACES];     // per index space; data and element segments: only such as code names
    bool *declared;            // per function: ref.func names it in code
} wx_reach;
bool wx_export_stays(const wx_snapshot *s, const wx_export *x); // in the result, perhaps under another name
wx_name wx_export_name(const wx_snapshot *s, const wx_export *x);
void wx_find_reach(wx_snapshot *s);

// segments.c: the bytes of memories as data segments, at most max of them with the `kept` passive ones.
typedef struct wx_run { uint64_t at, size; } wx_run;
typedef struct wx_runs { wx_run *items; uint32_t count, cap; } wx_runs;
bool wx_find_runs(wx_snapshot *s, uint32_t max, uint32_t kept, wx_runs *of_memory);

// names.c: the custom sections of the result.
void wx_put_customs(wx_snapshot *s, const wx_remap *to, bool same_code, wx_module *out);

// output.c: the result's bytes.
bool wx_write_output(wx_snapshot *s, wx_buf *out);

static inline bool wx_same_name(wx_name n, const char *text) {
    return n.len == __builtin_strlen(text) && !__builtin_memcmp(n.ptr ? n.ptr : "", text, n.len);
}
