// compiler/compile.c: the pass list. Bytes in, object and header out.
#include "compiler/cache.h"

#include <stdlib.h>

#include <llvm-c/Analysis.h>
#include <llvm-c/BitWriter.h>
#include <pthread.h>

#include "base/pool.h"
#include "wasm/wasm.h"

// ---- One partition

static void emit_part(part *p) {
    const wx_plan *plan = p->plan;
    if (plan->is_first) emit_text_start(p);
    if (plan->whole) {
        emit_whole(p, plan->funcs[0]);
        return;
    }
    declare_bodies(p);
    profile_summary(p);
    for (uint32_t i = 0; i < plan->count; i++) emit_function(p, plan->funcs[i]);
    lend_functions(p);
    emit_tail_entries(p);
    if (!plan->is_last) return;
    emit_export_functions(p);
    emit_descriptor(p);
}

static void verify(part *p, const char *when) {
    char *message = NULL;
    if (p->u->verify && LLVMVerifyModule(p->m, LLVMReturnStatusAction, &message))
        wx_fail(p->e, WX_ERR_BACKEND, "LLVM IR is broken %s: %s", when, message);
    LLVMDisposeMessage(message);
}

static void write_code(part *p, LLVMTargetMachineRef tm, LLVMCodeGenFileType kind, wx_buf *out) {
    char *message = NULL;
    LLVMMemoryBufferRef memory;
    if (LLVMTargetMachineEmitToMemoryBuffer(tm, p->m, kind, &message, &memory)) {
        wx_fail(p->e, WX_ERR_BACKEND, "LLVM: %s", message);
        LLVMDisposeMessage(message);
        return;
    }
    wx_buf_add(out, LLVMGetBufferStart(memory), LLVMGetBufferSize(memory));
    LLVMDisposeMemoryBuffer(memory);
}

static void set_data_layout(part *p, LLVMTargetMachineRef tm) {
    LLVMTargetDataRef layout = LLVMCreateTargetDataLayout(tm);
    LLVMSetModuleDataLayout(p->m, layout);
    LLVMDisposeTargetData(layout);
}

static void optimise_and_write(part *p, LLVMTargetMachineRef tm, wx_buf *object, wx_part_result *result,
                               wx_listing *listing, void *arg) {
    double start = wx_seconds();
    optimise(p, tm);
    insert_checks(p);
    emit_address_map(p);
    debug_flatten(p);
    verify(p, "after optimisation");
    double optimised = wx_seconds();
    if (listing && p->e->code == WX_OK) listing(arg, p, tm);
    if (p->e->code == WX_OK) write_code(p, tm, LLVMObjectFile, object);
    result->optimise = optimised - start;
    result->codegen = wx_seconds() - optimised;
    result->map_count = p->map_count;
    result->lines.inlined = p->inlined;
    p->inlined = (wx_buf){0};
    if (p->u->debug && p->e->code == WX_OK) wx_read_lines(object, p->section, &result->lines, p->e);
}

static void make_code(part *p, LLVMTargetMachineRef tm, wx_buf *object, wx_part_result *result, wx_listing *listing,
                      void *arg) {
    const wx_cache *cache = p->u->cache;
    wx_cache_key key;
    if (cache) key = wx_cache_key_of(cache, p);
    if (cache && wx_cache_get(cache, &key, object, result)) return;
    optimise_and_write(p, tm, object, result, listing, arg);
    if (cache && p->e->code == WX_OK) wx_cache_put(cache, &key, object, result);
}

bool wx_compile_part(const wx_unit *u, const wx_plan *plan, LLVMTargetMachineRef tm, wx_buf *object,
                     wx_part_result *result, wx_listing *listing, void *arg, wx_error *e) {
    part p;
    part_open(&p, u, plan, e);
    set_data_layout(&p, tm);
    double t0 = wx_seconds();
    emit_part(&p);
    debug_emitted(&p);
    verify(&p, "after emission");
    *result = (wx_part_result){.emit = wx_seconds() - t0};
    if (e->code == WX_OK) make_code(&p, tm, object, result, listing, arg);
    part_close(&p);
    return e->code == WX_OK;
}

// ---- All of them

typedef struct build { // one wasmx_compile
    wx_job j;
    wx_buf *objects;      // per partition
    wx_part_lines *lines; // likewise
    wx_error *errors;
    wx_buf assembly, ir, bitcode;
    wx_cache cache;
    pthread_mutex_t lock; // guards what follows
    size_t done;
    uint64_t cached_bytes;
    wx_part_result seconds; // summed over threads
    double cpu_seconds, cheap_seconds; // of processor time: all, and for cheap partitions
    uint64_t cheap_bytes;   // of Wasm in those
} build;

// Text and bitcode are asked for rarely, and then of one partition that holds everything.
static void write_listings(void *arg, part *p, LLVMTargetMachineRef tm) {
    build *b = arg;
    unsigned emit = p->u->options->emit;
    if (emit & WASMX_EMIT_LLVM_IR) {
        char *text = LLVMPrintModuleToString(p->m);
        wx_buf_str(&b->ir, text);
        LLVMDisposeMessage(text);
    }
    if (emit & WASMX_EMIT_BITCODE) {
        LLVMMemoryBufferRef memory = LLVMWriteBitcodeToMemoryBuffer(p->m);
        wx_buf_add(&b->bitcode, LLVMGetBufferStart(memory), LLVMGetBufferSize(memory));
        LLVMDisposeMemoryBuffer(memory);
    }
    if (emit & WASMX_EMIT_ASM) {
        LLVMModuleRef copy = LLVMCloneModule(p->m), whole = p->m;
        p->m = copy; // writing code changes the module
        write_code(p, tm, LLVMAssemblyFile, &b->assembly);
        p->m = whole;
        LLVMDisposeModule(copy);
    }
}

static void report(build *b, const wx_plan *plan, const wx_buf *object, const wx_part_result *r, double cpu_seconds) {
    const wx_unit *u = &b->j.u;
    pthread_mutex_lock(&b->lock);
    b->cpu_seconds += cpu_seconds;
    if (plan->cheap) b->cheap_seconds += cpu_seconds;
    for (uint32_t i = 0; plan->cheap && i < plan->count; i++) b->cheap_bytes += u->m->funcs[plan->funcs[i]].code.len;
    b->seconds.emit += r->emit;
    b->seconds.optimise += r->optimise;
    b->seconds.codegen += r->codegen;
    b->done += plan->count;
    if (r->cached) b->cached_bytes += object->len;
    if (u->options->progress && plan->count) u->options->progress(u->options->progress_arg, b->done, u->live_count);
    pthread_mutex_unlock(&b->lock);
}

// The last one has the adapters.
static bool is_cheap(const wx_unit *u, uint32_t i) {
    return u->options->hot_only && u->cold && i + 1 < u->part_count && u->cold[u->order[u->cuts[i]]];
}

static void compile_part(void *arg, size_t index) {
    build *b = arg;
    const wx_unit *u = &b->j.u;
    uint32_t i = (uint32_t)index;
    double start = wx_thread_seconds();
    wx_plan plan = {.index = i, .funcs = u->order + u->cuts[i], .count = u->cuts[i + 1] - u->cuts[i],
                    .cheap = is_cheap(u, i), .is_first = i == 0, .is_last = i + 1 == u->part_count};
    LLVMTargetMachineRef tm = (plan.cheap ? wx_cheap_target_machine : wx_target_machine)(u, &b->errors[i]);
    if (!tm) return;
    wx_part_result result;
    wx_compile_part(u, &plan, tm, &b->objects[i], &result, write_listings, b, &b->errors[i]);
    b->lines[i] = result.lines;
    LLVMDisposeTargetMachine(tm);
    report(b, &plan, &b->objects[i], &result, wx_thread_seconds() - start);
}

static bool first_error(build *b, wx_error *e) {
    for (uint32_t i = 0; i < b->j.u.part_count; i++) {
        if (b->errors[i].code == WX_OK) continue;
        *e = b->errors[i];
        return false;
    }
    return true;
}

// Listings show what is compiled now.
static bool open_cache(build *b, wx_error *e) {
    wx_unit *u = &b->j.u;
    if (!u->options->cache_dir || wants_listing(u)) return true;
    if (!wx_cache_open(&b->cache, u, e)) return false;
    u->cache = &b->cache;
    return true;
}

static bool compile_parts(build *b, wx_error *e) {
    wx_unit *u = &b->j.u;
    if (!open_cache(b, e)) return false;
    unsigned threads = u->options->threads ? u->options->threads : wx_cpus();
    b->objects = WX_NEW_ARRAY(&u->arena, wx_buf, u->part_count);
    b->lines = WX_NEW_ARRAY(&u->arena, wx_part_lines, u->part_count);
    b->errors = WX_NEW_ARRAY(&u->arena, wx_error, u->part_count);
    pthread_mutex_init(&b->lock, NULL);
    wx_parallel(threads, u->part_count, compile_part, b);
    pthread_mutex_destroy(&b->lock);
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < u->part_count; i++) bytes += b->objects[i].len;
    wx_phase_since(&b->j, "compile", bytes);
    wx_phase(&b->j, "emit (all threads)", b->seconds.emit, 0);
    wx_phase(&b->j, "optimise (all threads)", b->seconds.optimise, 0);
    wx_phase(&b->j, "codegen (all threads)", b->seconds.codegen, bytes);
    if (u->cache) wx_phase(&b->j, "from the cache", 0, b->cached_bytes);
    return first_error(b, e);
}

// ---- The whole

static wasmx_buffer give(wx_buf *b) {
    wasmx_buffer out = {b->data, b->len};
    *b = (wx_buf){0};
    return out;
}

static bool finish(build *b, wasmx_output *out, wx_error *e) {
    const wx_unit *u = &b->j.u;
    wx_buf object = {0}, header = {0};
    wx_lines lines = {0};
    if (u->debug) {
        wx_make_lines(u, b->lines, &lines, out->note, sizeof out->note);
        wx_phase_since(&b->j, "lines", lines.table.len);
    }
    bool merged = wx_merge_objects(u, b->objects, u->part_count, &lines, &object, e);
    wx_buf_free(&lines.table);
    if (!merged) return false;
    wx_phase_since(&b->j, "merge", object.len);
    out->object = give(&object);
    if (u->options->emit & WASMX_EMIT_HEADER) {
        wx_write_header(u, &header);
        out->header = give(&header);
    }
    wx_report_cold(u, b->cheap_bytes, b->cheap_seconds, b->cpu_seconds, out);
    out->assembly = give(&b->assembly);
    out->llvm_ir = give(&b->ir);
    out->bitcode = give(&b->bitcode);
    return true;
}

static void free_build(build *b) {
    for (uint32_t i = 0; b->objects && i < b->j.u.part_count; i++) {
        wx_buf_free(&b->objects[i]);
        wx_part_lines_free(&b->lines[i]);
    }
    wx_buf_free(&b->assembly);
    wx_buf_free(&b->ir);
    wx_buf_free(&b->bitcode);
    if (b->j.u.cache) wx_cache_close(&b->cache);
    wx_job_close(&b->j);
}

bool wasmx_compile(const void *bytes, size_t size, const wasmx_compile_options *options, wasmx_output *out,
                   wasmx_compile_error *err) {
    static const wasmx_compile_options defaults;
    if (!options) options = &defaults;
    wx_error e = {0};
    build b = {.j.out = out};
    *out = (wasmx_output){0};
    bool ok = wx_job_open(&b.j, bytes, size, options, &e) && compile_parts(&b, &e) && finish(&b, out, &e);
    if (!ok) {
        wx_job_error(&e, options, err);
        wasmx_output_free(out);
    }
    free_build(&b);
    return ok;
}

void wasmx_output_free(wasmx_output *out) {
    free(out->object.data);
    free(out->header.data);
    free(out->assembly.data);
    free(out->llvm_ir.data);
    free(out->bitcode.data);
    *out = (wasmx_output){0};
}
