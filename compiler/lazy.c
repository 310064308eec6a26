// compiler/lazy.c: code in this process: interpreted first, and made when it has proved to be worth it.
//
//   guest ──► stub k ──► table[k] ──► interp/ ── many calls, many turns of a loop ──► hot ──► a worker: k, and others
//                           │            └────── cannot be interpreted ──► urgent ──► that wait ──► linked ──┐
//                           └◄── code ◄──────────────────────────────────────────────────────────────────────┘
//
// in: a module   out: a descriptor whose every function is a stub   Where there is a second tier (baseline.c), what is
// hot is made by it, at once, and workers are only asked for what cannot be interpreted. They have stacks of their own,
// so a call costs the guest's stack no more than a small frame. One lock guards who compiles what, another the linker.
// Nothing here calls LLVM before there is something for it: where programs load it then, the guest goes on meanwhile.
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/pool.h"
#include "compiler/baseline.h"
#include "compiler/code.h"
#include "compiler/compiler.h"
#include "compiler/job.h"
#include "compiler/need.h"
#include "compiler/placed.h"
#include "compiler/startup.h"

#define PLAN_FUNCS 8u      // compiled together: a module costs LLVM 0.4 ms, whatever is in it
#define PLAN_BYTES 4096u   // of Wasm
#define WORKER_STACK ((size_t)64 << 20)
#define FEW_CALLS 3u       // a function that is so rarely called is worth compiling for the sake of its loops only
#define LLVM_SECONDS 0.02 // of the processor, before LLVM is used
#define PATIENCE 5000      // calls and turns until the interpreter asks again, and at least so long between looks

enum state { FRESH, WANTED, CLAIMED, READY };

typedef struct want { uint32_t func; bool whole; } want; // whole: with entries at loops, where interpreters go on
typedef struct queue { want *items; size_t len, cap; } queue;

struct wx_lazy {
    wx_job j;
    uint8_t *bytes;
    wasmx_compile_options options;
    struct wasmx_code *code;
    wx_space space;
    wx_interp interp;
    wx_placed placed;             // the descriptor
    pthread_mutex_t lock;         // guards states, queues, plans, stop, the rounds of functions
    pthread_cond_t wanted, made;
    uint8_t *states;              // by function
    bool *wholes;                 // by function: such code of it was asked for
    queue urgent, hot;
    uint32_t plans;
    double opened;                // the processor's seconds then
    bool is_long;                 // so much later that LLVM is worth its loading
    bool stop;
    pthread_mutex_t link_lock;
    pthread_t *workers;
    unsigned worker_count;
};

static void put(queue *q, want x) {
    if (q->len == q->cap) {
        q->cap = q->cap ? 2 * q->cap : 64;
        q->items = wx_xrealloc(q->items, q->cap * sizeof *q->items);
    }
    q->items[q->len++] = x;
}

static want take_out(queue *q, size_t i) {
    want x = q->items[i];
    q->items[i] = q->items[--q->len];
    return x;
}

// ---- What to compile together. Under the lock.

typedef struct chosen {
    uint32_t funcs[PLAN_FUNCS], count, bytes, index;
    bool whole;
} chosen;

static bool choose(wx_lazy *l, uint32_t func, chosen *c) {
    uint32_t bytes = l->j.m.funcs[func].code.len;
    bool is_full = c->count == PLAN_FUNCS || (c->count && c->bytes + bytes > PLAN_BYTES);
    if (l->states[func] >= CLAIMED || is_full) return false;
    c->bytes += bytes;
    c->funcs[c->count++] = func;
    l->states[func] = CLAIMED;
    return true;
}

static void choose_callees(wx_lazy *l, uint32_t func, chosen *c) {
    wx_error none = {0};
    wx_reader r = wx_reader_make(l->j.m.funcs[func].code, &none);
    wx_skip_locals(&r);
    for (wx_instr in; !wx_reader_done(&r);) {
        wx_instr_read(&r, &in);
        bool calls = in.op == WX_OP_CALL || in.op == WX_OP_RETURN_CALL;
        if (calls && l->j.m.funcs[in.a].import == WX_NO_INDEX) choose(l, in.a, c);
    }
}

// Where nothing is interpreted, a function that is called will call others.
static void choose_urgent(wx_lazy *l, chosen *c) {
    while (l->urgent.len && !c->count) choose(l, take_out(&l->urgent, 0).func, c);
    for (uint32_t i = 0; l->interp.never && i < c->count && c->count < PLAN_FUNCS; i++)
        choose_callees(l, c->funcs[i], c);
}

static uint32_t rounds_of(const wx_lazy *l, size_t i) { return l->interp.funcs[l->hot.items[i].func].rounds; }

// The hottest that is left; with it, others that are hot too, while they are small.
static void choose_hot(wx_lazy *l, chosen *c) {
    while (l->hot.len) {
        size_t best = 0;
        for (size_t i = 1; i < l->hot.len; i++)
            if (rounds_of(l, i) > rounds_of(l, best)) best = i;
        want w = l->hot.items[best];
        if (w.whole && c->count) return;
        if (!w.whole && !choose(l, w.func, c) && l->states[w.func] < CLAIMED) return;
        take_out(&l->hot, best);
        if (!w.whole) continue;
        *c = (chosen){.funcs = {w.func}, .count = 1, .index = c->index, .whole = true};
        return;
    }
}

static chosen choose_next(wx_lazy *l) {
    chosen c = {.index = ++l->plans};
    choose_urgent(l, &c);
    if (!c.count) choose_hot(l, &c);
    return c;
}

// ---- Making code

// Called by the linker for what no object has defined: functions are their stubs, and data is the descriptor's.
static void *address_of(wx_lazy *l, const char *name) {
    size_t n = strlen(l->j.u.name);
    unsigned k;
    if (strncmp(name, l->j.u.name, n)) return NULL;
    if (sscanf(name + n, ".wx.func.%u", &k) == 1) return wx_stub_at(&l->space.stubs, k);
    if (sscanf(name + n, ".wx.entry.%u", &k) == 1) return wx_stub_at(&l->space.stubs, l->j.m.func_count + k);
    if (sscanf(name + n, ".wx.table.%u", &k) == 1) return l->placed.tables[k];
    return strcmp(name + n, ".wx.type_ids") ? NULL : l->placed.type_ids;
}

static LLVMErrorRef define_names(LLVMOrcDefinitionGeneratorRef generator, void *arg, LLVMOrcLookupStateRef *state,
                                 LLVMOrcLookupKind kind, LLVMOrcJITDylibRef lib, LLVMOrcJITDylibLookupFlags flags,
                                 LLVMOrcCLookupSet names, size_t count) {
    (void)generator, (void)state, (void)kind, (void)flags;
    LLVMOrcCSymbolMapPair *pairs = wx_xcalloc(count + 1, sizeof *pairs);
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        void *at = address_of(arg, LLVMOrcSymbolStringPoolEntryStr(names[i].Name));
        if (!at) continue;
        LLVMOrcRetainSymbolStringPoolEntry(names[i].Name);
        pairs[n].Name = names[i].Name;
        pairs[n].Sym.Address = (LLVMOrcExecutorAddress)(uintptr_t)at;
        pairs[n++].Sym.Flags.GenericFlags = LLVMJITSymbolGenericFlagsExported | LLVMJITSymbolGenericFlagsCallable;
    }
    LLVMErrorRef error = n ? LLVMOrcJITDylibDefine(lib, LLVMOrcAbsoluteSymbols(pairs, n)) : NULL;
    free(pairs);
    return error;
}

// When there is something to link first.
static bool open_linker(wx_lazy *l, wx_error *e) {
    if (l->code->jit) return true;
    LLVMOrcLLJITBuilderRef builder = LLVMOrcCreateLLJITBuilder();
    LLVMOrcLLJITBuilderSetObjectLinkingLayerCreator(builder, wx_space_layer, &l->space);
    if (!wx_code_open(l->code, builder)) return wx_fail(e, WX_ERR_BACKEND, "%s", l->code->error.line);
    LLVMOrcJITDylibAddGenerator(LLVMOrcLLJITGetMainJITDylib(l->code->jit),
                                LLVMOrcCreateCustomCAPIDefinitionGenerator(define_names, l, NULL));
    return true;
}

static void *link_part(wx_lazy *l, const wx_buf *object, const char *symbol, wx_error *e) {
    void *at = open_linker(l, e) ? wx_code_link(l->code, object->data, object->len, symbol) : NULL;
    if (!at) wx_fail(e, WX_ERR_BACKEND, "%s", l->code->error.line);
    return at;
}

// From now on calls of the function arrive at its code. The interpreter calls those of tail calls by their other entry.
static void set_code(wx_lazy *l, uint32_t slot, void *code) {
    uint32_t func = slot % l->j.m.func_count;
    wx_ifunc *f = &l->interp.funcs[func];
    atomic_store_explicit(&l->space.stubs.table[slot], code, memory_order_release);
    if (slot != func || !f->tail) atomic_store_explicit(&f->code, code, memory_order_release);
}

static bool set_tail_entry(wx_lazy *l, uint32_t func, wx_error *e) {
    char name[64];
    LLVMOrcExecutorAddress at;
    snprintf(name, sizeof name, "%s.wx.entry_body.%u", l->j.u.name, func);
    if (wx_code_failed(LLVMOrcLLJITLookup(l->code->jit, &at, name), &l->code->error))
        return wx_fail(e, WX_ERR_BACKEND, "%s", l->code->error.line);
    set_code(l, l->j.m.func_count + func, (void *)(uintptr_t)at);
    return true;
}

static bool publish_whole(wx_lazy *l, uint32_t func, const wxrt_map *map) {
    atomic_store_explicit(&l->interp.funcs[func].whole, wx_map_address(map), memory_order_release);
    return true;
}

static bool publish(wx_lazy *l, const chosen *c, const wxrt_map *map, uint32_t count, wx_error *e) {
    if (!wx_space_add_map(&l->space, map, count)) return wx_fail(e, WX_ERR_BACKEND, "too much code");
    if (c->whole) return publish_whole(l, c->funcs[0], map);
    for (uint32_t i = 0; i < count; i++)
        if (map[i].func != UINT32_MAX) set_code(l, map[i].func, wx_map_address(&map[i]));
    for (uint32_t i = 0; i < c->count; i++)
        if (l->j.u.facts.funcs[c->funcs[i]].tail && !set_tail_entry(l, c->funcs[i], e)) return false;
    return true;
}

static bool make(wx_lazy *l, const chosen *c, LLVMTargetMachineRef tm, wx_error *e) {
    wx_plan plan = {.index = c->index, .funcs = c->funcs, .count = c->count, .whole = c->whole};
    wx_buf object = {0};
    wx_part_result made;
    char symbol[64];
    snprintf(symbol, sizeof symbol, "%s.wx.map.%u", l->j.u.name, c->index);
    bool ok = wx_compile_part(&l->j.u, &plan, tm, &object, &made, NULL, NULL, e);
    pthread_mutex_lock(&l->link_lock);
    const wxrt_map *map = ok ? link_part(l, &object, symbol, e) : NULL;
    ok = map && publish(l, c, map, made.map_count, e);
    pthread_mutex_unlock(&l->link_lock);
    wx_buf_free(&object);
    return ok;
}

// A function that LLVM cannot compile goes on to be interpreted; if it cannot be, it traps when it is called.
static void give_up(wx_lazy *l, const chosen *c) {
    for (uint32_t i = 0; !c->whole && i < c->count; i++) {
        if (atomic_load(&l->interp.funcs[c->funcs[i]].body)) continue;
        set_code(l, c->funcs[i], wx_stub_trap(&l->space.stubs));
        set_code(l, l->j.m.func_count + c->funcs[i], wx_stub_trap(&l->space.stubs));
    }
}

// ---- The end of the process
//
// exit() takes LLVM's own data away, whoever is using it. So it waits until no worker is, and then none begins. It has
// to wait before anything of LLVM's is taken, and LLVM registers most of that when it is used first, in a worker: later
// than any atexit() of ours. But what belongs to the thread that ends the process, the main one mostly, goes before.

extern int __cxa_thread_atexit_impl(void (*end)(void *), void *object, void *of); // what C++ has for thread_local

static pthread_rwlock_t llvm = PTHREAD_RWLOCK_INITIALIZER;

static void keep_out(void) { // for a second at most: the process has been told to end
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_sec++;
    pthread_rwlock_timedwrlock(&llvm, &t);
}
static void keep_out_once(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, keep_out);
}
static void end_of_main(void *lock) { (void)lock, keep_out_once(); }
static void forget_workers(void) { llvm = (pthread_rwlock_t)PTHREAD_RWLOCK_INITIALIZER; } // after fork there are none
static void expect_end(void) {
    if (gettid() == getpid()) __cxa_thread_atexit_impl(end_of_main, &llvm, &llvm);
    pthread_atfork(NULL, NULL, forget_workers);
}
static void expect_end_of_others(void) { atexit(keep_out_once); } // after most of LLVM has been used
static bool enter_llvm(void) { return pthread_rwlock_tryrdlock(&llvm) == 0; }
static void leave_llvm(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, expect_end_of_others);
    pthread_rwlock_unlock(&llvm);
}

// Where LLVM cannot be had, code goes on to be interpreted as far as it can be, and somebody should know why.
static void warn(const wx_error *e) {
    static atomic_flag warned = ATOMIC_FLAG_INIT;
    if (!atomic_flag_test_and_set(&warned)) fprintf(stderr, "wasmx: nothing is compiled: %s\n", e->msg);
}

static LLVMTargetMachineRef machine(const wx_unit *u, wx_error *e) {
    if (wx_need_llvm(e)) return wx_target_machine(u, e);
    warn(e);
    return NULL;
}

// ---- Workers

// Something to compile; none at the end. With the lock.
static chosen next(wx_lazy *l) {
    for (;;) {
        if (l->stop) return (chosen){0};
        chosen c = choose_next(l);
        if (c.count) return c;
        pthread_cond_wait(&l->wanted, &l->lock);
    }
}

static void *work(void *arg) {
    wx_lazy *l = arg;
    wx_error e = {0};
    LLVMTargetMachineRef tm = NULL;
    pthread_mutex_lock(&l->lock);
    for (chosen c; (c = next(l)).count;) {
        pthread_mutex_unlock(&l->lock);
        if (!enter_llvm()) return NULL;
        if (!tm) tm = machine(&l->j.u, &e);
        bool ok = tm && make(l, &c, tm, &e);
        leave_llvm();
        if (!ok) give_up(l, &c);
        e = (wx_error){0};
        pthread_mutex_lock(&l->lock);
        for (uint32_t i = 0; !c.whole && i < c.count; i++) l->states[c.funcs[i]] = READY;
        pthread_cond_broadcast(&l->made);
    }
    pthread_mutex_unlock(&l->lock);
    if (!tm || !enter_llvm()) return NULL;
    LLVMDisposeTargetMachine(tm);
    leave_llvm();
    return NULL;
}

// ---- What the interpreter asks for

// On the guest's stack, so it only waits.
static void *compile_now(void *arg, uint32_t slot) {
    wx_lazy *l = arg;
    uint32_t func = slot % l->j.m.func_count;
    pthread_mutex_lock(&l->lock);
    if (l->states[func] < CLAIMED) {
        put(&l->urgent, (want){func, false});
        pthread_cond_broadcast(&l->wanted);
    }
    while (l->states[func] != READY && !l->stop) pthread_cond_wait(&l->made, &l->lock);
    if (l->states[func] != READY) set_code(l, slot, wx_stub_trap(&l->space.stubs));
    pthread_mutex_unlock(&l->lock);
    return atomic_load_explicit(&l->space.stubs.table[slot], memory_order_acquire);
}

static double processor_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

// A large function is compiled once, with entries at its loops, and its calls go by way of the interpreter's frame. A
// small one is compiled as it is, and again if the interpreter does not get out of a loop of it.
static bool is_large(const wx_lazy *l, uint32_t func) { return l->j.m.funcs[func].code.len > PLAN_BYTES; }

static bool want_whole(const wx_lazy *l, const wx_ifunc *f, uint32_t loop) {
    if (l->wholes[f->index] || l->states[f->index] == CLAIMED || !atomic_load(&f->has_entries)) return false;
    if (is_large(l, f->index) && l->states[f->index] == FRESH) return true;
    return loop != WX_NO_LOOP && (l->states[f->index] == READY || f->entries <= FEW_CALLS);
}

// LLVM takes as much time and 55 MB until it has compiled anything: who ends before that never needs it.
static bool is_worth_llvm(wx_lazy *l) {
    if (l->is_long) return true;
    bool eager = l->options.tiers == WASMX_TIERS_EAGER;
    return l->is_long = eager || processor_seconds() - l->opened > LLVM_SECONDS;
}

// The second tier, where there is one, in the guest's own time: what it cannot do is LLVM's.
static bool has_baseline(wasmx_tiers t) {
    return wx_has_baseline && (t == WASMX_TIERS_MIXED || t == WASMX_TIERS_BASELINE);
}

static bool make_baseline(wx_lazy *l, wx_ifunc *f, uint32_t loop) {
    bool at_once = loop != WX_NO_LOOP || l->options.tiers == WASMX_TIERS_BASELINE;
    pthread_mutex_lock(&l->link_lock);
    bool ok = wx_baseline_make(&l->space, l->placed.module, f, at_once);
    pthread_mutex_unlock(&l->link_lock);
    return ok;
}

static int32_t hot(void *arg, wx_ifunc *f, uint32_t loop) {
    wx_lazy *l = arg;
    if (l->options.tiers == WASMX_TIERS_INTERPRET) return PATIENCE;
    if (has_baseline(l->options.tiers) && make_baseline(l, f, loop)) return PATIENCE;
    pthread_mutex_lock(&l->lock);
    f->rounds++;
    if (!is_worth_llvm(l)) {
        pthread_mutex_unlock(&l->lock);
        return PATIENCE;
    }
    if (want_whole(l, f, loop)) {
        l->wholes[f->index] = true;
        put(&l->hot, (want){f->index, true});
    } else if (l->states[f->index] == FRESH && !(l->wholes[f->index] && is_large(l, f->index))) {
        l->states[f->index] = WANTED;
        put(&l->hot, (want){f->index, false});
    }
    pthread_cond_signal(&l->wanted);
    pthread_mutex_unlock(&l->lock);
    return l->options.tiers == WASMX_TIERS_EAGER ? 1 : PATIENCE;
}

static void start(void *arg, char *ctx) {
    wx_lazy *l = arg;
    wx_startup_run(&l->j.u, &l->interp, ctx);
}

// In the background, so that the guest has a processor of its own.
static bool start_workers(wx_lazy *l, wx_error *e) {
    const wasmx_compile_options *o = l->j.u.options;
    unsigned n = o->threads ? o->threads : wx_cpus() - 1;
    if (!n) n = 1;
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_attr_t attr;
    pthread_once(&once, expect_end);
    l->workers = wx_xcalloc(n, sizeof *l->workers);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, WORKER_STACK);
    while (l->worker_count < n && !pthread_create(&l->workers[l->worker_count], &attr, work, l)) l->worker_count++;
    pthread_attr_destroy(&attr);
    return l->worker_count || wx_fail(e, WX_ERR_IO, "cannot start a thread");
}

// ---- The descriptor

static uint64_t data_bytes(const wx_unit *u) {
    uint64_t n = 0;
    for (size_t i = 0; i < u->options->embed_count; i++) n += u->options->embeds[i].size;
    return n;
}

static void write_adapters(wx_stubs *s, const wx_module *m) {
    for (uint32_t i = 0; i < m->type_count; i++)
        if (m->types[i].kind == WX_KIND_FUNC) wx_stub_write(s, wx_adapter_slot(m, WX_THUNK, i));
    for (wx_adapter kind = WX_TYPED; kind <= WX_RELAY; kind++)
        for (uint32_t i = 0; i < m->func_imports; i++) wx_stub_write(s, wx_adapter_slot(m, kind, i));
    for (wx_adapter kind = WX_UNKNOWN; kind < WX_ADAPTERS; kind++) wx_stub_write(s, wx_adapter_slot(m, kind, 0));
}

// Backtraces show functions only.
static bool map_stubs(wx_space *s, const wx_unit *u) {
    return wx_space_map_stubs(s, u->live, u->live_count) &&
           wx_space_end_map(s, wx_stub_at(&s->stubs, wx_adapter_slot(u->m, WX_THUNK, 0)));
}

static bool open_space(wx_lazy *l, size_t size, wx_error *e) {
    const wx_unit *u = &l->j.u;
    if (!wx_space_open(&l->space, l->j.m.func_count, wx_adapter_slot(u->m, WX_ADAPTERS, 0), size, data_bytes(u)))
        return wx_fail(e, WX_ERR_BACKEND, "no address space for the code of %zu bytes of Wasm", size);
    wx_stubs *s = &l->space.stubs;
    s->enter = wx_interp_enter;
    s->arg = &l->interp;
    wx_stubs_begin(s);
    for (uint32_t i = 0; i < u->live_count; i++) {
        wx_stub_write(s, u->live[i]);
        if (u->facts.funcs[u->live[i]].tail) wx_stub_write(s, l->j.m.func_count + u->live[i]);
    }
    write_adapters(s, u->m);
    wx_space_protect_stubs(&l->space);
    return map_stubs(&l->space, u) || wx_fail(e, WX_ERR_BACKEND, "too many functions");
}

static int32_t first_heat(wasmx_tiers tiers) {
    if (has_baseline(tiers)) return tiers == WASMX_TIERS_BASELINE ? 0 : WX_BASELINE_HEAT;
    return tiers == WASMX_TIERS_EAGER ? 20 : WX_HEAT;
}

static void open_interpreter(wx_lazy *l) {
    const wx_unit *u = &l->j.u;
    const uint32_t **images = WX_NEW_ARRAY(&l->j.u.arena, const uint32_t *, u->m->table_count + 1);
    for (uint32_t i = 0; i < u->m->table_count; i++) images[i] = u->facts.tables[i].image;
    for (uint32_t i = 0; i < u->m->table_count; i++)
        if (!u->facts.tables[i].constant) images[i] = NULL;
    l->interp = (wx_interp){.m = u->m, .layout = &u->layout, .funcdesc = u->funcdesc, .table_images = images,
                            .stubs = &l->space.stubs, .compile = compile_now, .hot = hot, .start = start, .arg = l,
                            .never = l->options.tiers == WASMX_TIERS_COMPILE,
                            .first_heat = first_heat(l->options.tiers)};
    wx_interp_open(&l->interp);
    wx_anchor_fill(l->space.anchor, &l->interp);
    for (uint32_t i = 0; i < u->m->func_count; i++) l->interp.funcs[i].tail = u->facts.funcs[i].tail;
}

static bool make_descriptor(wx_lazy *l, wx_error *e) {
    if (!wx_place_descriptor(&l->j.u, &l->space, &l->placed, e)) return false;
    l->code->module = l->placed.module;
    return true;
}

// ---- Beginning and end

static wx_lazy *new_lazy(wasmx_code *code, const wasmx_compile_options *options) {
    wx_lazy *l = wx_xcalloc(1, sizeof *l);
    l->code = code;
    l->opened = processor_seconds();
    if (options) l->options = *options;
    l->options.link_imports = false; // there is no linker
    if (!l->options.opt_level) l->options.opt_level = '0';
    l->j.u.lazy = true;
    pthread_mutex_init(&l->lock, NULL);
    pthread_mutex_init(&l->link_lock, NULL);
    pthread_cond_init(&l->wanted, NULL);
    pthread_cond_init(&l->made, NULL);
    return l;
}

static const void *copy_of(wx_lazy *l, const void *bytes, size_t size) {
    return memcpy(l->bytes = wx_xmalloc(size), bytes, size);
}

static bool open_lazy(wx_lazy *l, const void *bytes, size_t size, wx_error *e) {
    if (!l->options.bytes_stay && !l->j.given) bytes = copy_of(l, bytes, size);
    if (!wx_job_open(&l->j, bytes, size, &l->options, e)) return false;
    if (!open_space(l, size, e)) return false;
    open_interpreter(l);
    l->states = wx_xcalloc((size_t)l->j.m.func_count + 1, 1);
    l->wholes = wx_xcalloc((size_t)l->j.m.func_count + 1, 1);
    return make_descriptor(l, e) && start_workers(l, e);
}

static wasmx_code *make_code(const void *bytes, size_t size, const wx_module *given,
                             const wasmx_compile_options *options, wasmx_compile_error *err) {
    wasmx_code *c = wx_xcalloc(1, sizeof *c);
    wx_error e = {0};
    c->lazy = new_lazy(c, options);
    c->lazy->j.given = given;
    if (open_lazy(c->lazy, bytes, size, &e)) return c;
    wx_job_error(&e, &c->lazy->options, err);
    wasmx_code_free(c);
    return NULL;
}

wasmx_code *wasmx_code_compile(const void *bytes, size_t size, const wasmx_compile_options *options,
                               wasmx_compile_error *err) {
    return make_code(bytes, size, NULL, options, err);
}

wasmx_code *wx_code_of_module(const wx_module *m, const wasmx_compile_options *options, wasmx_compile_error *err) {
    return make_code(m->bytes.ptr, m->bytes.len, m, options, err);
}

void wx_lazy_stop(wx_lazy *l) {
    pthread_mutex_lock(&l->lock);
    l->stop = true;
    pthread_cond_broadcast(&l->wanted);
    pthread_cond_broadcast(&l->made);
    pthread_mutex_unlock(&l->lock);
    for (unsigned i = 0; i < l->worker_count; i++) pthread_join(l->workers[i], NULL);
    l->worker_count = 0;
}

void wasmx_code_finish(wasmx_code *code) {
    if (!code->lazy) return;
    wx_lazy_stop(code->lazy);
    wx_rest_llvm();
}

void wx_lazy_close(wx_lazy *l) {
    wx_interp_close(&l->interp);
    wx_job_close(&l->j);
    wx_space_close(&l->space);
    pthread_mutex_destroy(&l->lock);
    pthread_mutex_destroy(&l->link_lock);
    pthread_cond_destroy(&l->wanted);
    pthread_cond_destroy(&l->made);
    free(l->workers);
    free(l->states);
    free(l->wholes);
    free(l->urgent.items);
    free(l->hot.items);
    free(l->bytes);
    free(l);
}
