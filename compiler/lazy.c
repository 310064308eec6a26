// compiler/lazy.c: the fast tier: code in this process that is made when it is first called.
//
//   guest ──► stub k ──► resolve ──► urgent ──► a worker: k and what it calls ──► linked ──► table[k] ──► guest
//                                      near ──► the other workers: what code that was called may call next
//                                       far ──►                    what that may call in turn
//
// in: a module   out: a descriptor whose every function is a stub   Workers have stacks of their own, so a call costs
// the guest's stack no more than a small frame. One lock guards who compiles what, another the linker.
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "compiler/code.h"
#include "compiler/job.h"
#include "compiler/space.h"

#define PLAN_FUNCS 8u      // compiled together: the one that is called and what it calls
#define PLAN_BYTES 4096u   // of Wasm
#define WORKER_STACK ((size_t)64 << 20)

enum state { FRESH, CLAIMED, READY };

typedef struct queue { uint32_t *items; size_t len, cap; } queue; // last in, first out

struct wx_lazy {
    wx_job j;
    uint8_t *bytes;
    wasmx_compile_options options;
    struct wasmx_code *code;
    wx_space space;
    struct wasmx_module module;   // the descriptor, with what is only known here
    pthread_mutex_t lock;         // guards states, queues, plans, stop
    pthread_cond_t wanted, made;
    uint8_t *states;              // by function
    queue urgent, near, far;
    uint32_t plans;
    bool stop;
    pthread_mutex_t link_lock;
    pthread_t *workers;
    unsigned worker_count;
};

static void put(queue *q, uint32_t x) {
    if (q->len == q->cap) {
        q->cap = q->cap ? 2 * q->cap : 64;
        q->items = wx_xrealloc(q->items, q->cap * sizeof *q->items);
    }
    q->items[q->len++] = x;
}

// ---- What to compile together. Under the lock.

typedef void visitor(wx_lazy *l, uint32_t callee, void *arg);

static void each_callee(wx_lazy *l, uint32_t func, visitor *visit, void *arg) {
    wx_error none = {0};
    wx_reader r = wx_reader_make(l->j.m.funcs[func].code, &none);
    wx_skip_locals(&r);
    for (wx_instr in; !wx_reader_done(&r);) {
        wx_instr_read(&r, &in);
        bool calls = in.op == WX_OP_CALL || in.op == WX_OP_RETURN_CALL;
        if (calls && l->j.m.funcs[in.a].import == WX_NO_INDEX && l->states[in.a] == FRESH) visit(l, in.a, arg);
    }
}

typedef struct chosen { uint32_t funcs[PLAN_FUNCS], count, bytes, index; } chosen;

static void choose(wx_lazy *l, uint32_t func, void *arg) {
    chosen *c = arg;
    uint32_t bytes = l->j.m.funcs[func].code.len;
    if (c->count == PLAN_FUNCS || (c->count && c->bytes + bytes > PLAN_BYTES)) return;
    c->bytes += bytes;
    c->funcs[c->count++] = func;
    l->states[func] = CLAIMED;
}

static chosen choose_with_callees(wx_lazy *l, uint32_t func) {
    chosen c = {.index = ++l->plans};
    choose(l, func, &c);
    for (uint32_t i = 0; i < c.count && c.count < PLAN_FUNCS && c.bytes < PLAN_BYTES; i++)
        each_callee(l, c.funcs[i], choose, &c);
    return c;
}

static void want_ahead(wx_lazy *l, uint32_t func, void *arg) {
    (void)l;
    put(arg, func);
}

// What code that was just made may call next: in the order in which it is written, before all that waits already.
static void look_ahead(wx_lazy *l, const chosen *c, queue *to) {
    size_t low = to->len;
    for (uint32_t i = 0; i < c->count; i++) each_callee(l, c->funcs[i], want_ahead, to);
    for (size_t high = to->len; low + 1 < high; low++, high--) {
        uint32_t x = to->items[low];
        to->items[low] = to->items[high - 1];
        to->items[high - 1] = x;
    }
}

// ---- Making code

// Called by the linker for what no object has defined: functions are their stubs.
static void *stub_of(wx_lazy *l, const char *name) {
    size_t n = strlen(l->j.u.name);
    unsigned func;
    if (strncmp(name, l->j.u.name, n)) return NULL;
    if (sscanf(name + n, ".wx.func.%u", &func) == 1) return wx_stub_at(&l->space.stubs, func);
    if (sscanf(name + n, ".wx.entry.%u", &func) == 1) return wx_stub_at(&l->space.stubs, l->j.m.func_count + func);
    return NULL;
}

static LLVMErrorRef define_stubs(LLVMOrcDefinitionGeneratorRef generator, void *arg, LLVMOrcLookupStateRef *state,
                                 LLVMOrcLookupKind kind, LLVMOrcJITDylibRef lib, LLVMOrcJITDylibLookupFlags flags,
                                 LLVMOrcCLookupSet names, size_t count) {
    (void)generator, (void)state, (void)kind, (void)flags;
    LLVMOrcCSymbolMapPair *pairs = wx_xcalloc(count + 1, sizeof *pairs);
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        void *stub = stub_of(arg, LLVMOrcSymbolStringPoolEntryStr(names[i].Name));
        if (!stub) continue;
        LLVMOrcRetainSymbolStringPoolEntry(names[i].Name);
        pairs[n].Name = names[i].Name;
        pairs[n].Sym.Address = (LLVMOrcExecutorAddress)(uintptr_t)stub;
        pairs[n++].Sym.Flags.GenericFlags = LLVMJITSymbolGenericFlagsExported | LLVMJITSymbolGenericFlagsCallable;
    }
    LLVMErrorRef error = n ? LLVMOrcJITDylibDefine(lib, LLVMOrcAbsoluteSymbols(pairs, n)) : NULL;
    free(pairs);
    return error;
}

static void *link_part(wx_lazy *l, const wx_buf *object, const char *symbol, wx_error *e) {
    void *at = wx_code_link(l->code, object->data, object->len, symbol);
    if (!at) wx_fail(e, WX_ERR_BACKEND, "%s", l->code->error.line);
    return at;
}

// From now on calls of the function arrive at its code.
static void set_code(wx_lazy *l, uint32_t slot, void *code) {
    atomic_store_explicit(&l->space.stubs.table[slot], code, memory_order_release);
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

static bool publish(wx_lazy *l, const chosen *c, const wxrt_map *map, uint32_t count, wx_error *e) {
    if (!wx_space_add_map(&l->space, map, count)) return wx_fail(e, WX_ERR_BACKEND, "too much code");
    for (uint32_t i = 0; i < count; i++)
        if (map[i].func != UINT32_MAX) set_code(l, map[i].func, wx_map_address(&map[i]));
    for (uint32_t i = 0; i < c->count; i++)
        if (l->j.u.facts.funcs[c->funcs[i]].tail && !set_tail_entry(l, c->funcs[i], e)) return false;
    return true;
}

static bool make(wx_lazy *l, const chosen *c, LLVMTargetMachineRef tm, wx_error *e) {
    wx_plan plan = {.index = c->index, .funcs = c->funcs, .count = c->count};
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

// A function that LLVM cannot compile traps when it is called.
static void give_up(wx_lazy *l, const chosen *c) {
    for (uint32_t i = 0; i < c->count; i++) {
        set_code(l, c->funcs[i], wx_stub_trap(&l->space.stubs));
        set_code(l, l->j.m.func_count + c->funcs[i], wx_stub_trap(&l->space.stubs));
    }
}

// ---- Workers

static queue *first_filled(wx_lazy *l, bool may_go_ahead) {
    if (l->urgent.len) return &l->urgent;
    if (!may_go_ahead) return NULL;
    return l->near.len ? &l->near : l->far.len ? &l->far : NULL;
}

// The next function to compile, and in *from the queue it was in; UINT32_MAX at the end. With the lock.
static uint32_t next(wx_lazy *l, bool may_go_ahead, queue **from) {
    for (;;) {
        queue *q = *from = first_filled(l, may_go_ahead);
        if (l->stop) return UINT32_MAX;
        if (!q) {
            pthread_cond_wait(&l->wanted, &l->lock);
            continue;
        }
        uint32_t func = q->items[--q->len];
        if (l->states[func] == FRESH) return func;
    }
}

// The first worker keeps to what the guest waits for, so that the guest has a processor while it runs.
static void *work(void *arg) {
    wx_lazy *l = arg;
    wx_error e = {0};
    LLVMTargetMachineRef tm = wx_target_machine(&l->j.u, &e);
    pthread_mutex_lock(&l->lock);
    bool ahead = !pthread_equal(pthread_self(), l->workers[0]);
    queue *from;
    for (uint32_t func; (func = next(l, ahead, &from)) != UINT32_MAX;) {
        chosen c = choose_with_callees(l, func);
        pthread_mutex_unlock(&l->lock);
        bool ok = tm && make(l, &c, tm, &e);
        if (!ok) give_up(l, &c);
        pthread_mutex_lock(&l->lock);
        for (uint32_t i = 0; i < c.count; i++) l->states[c.funcs[i]] = READY;
        look_ahead(l, &c, from == &l->urgent ? &l->near : &l->far);
        pthread_cond_broadcast(&l->made);
        if (l->near.len || l->far.len) pthread_cond_broadcast(&l->wanted);
    }
    pthread_mutex_unlock(&l->lock);
    if (tm) LLVMDisposeTargetMachine(tm);
    return NULL;
}

// What a stub calls: on the guest's stack, so it only waits.
static void *resolve(void *arg, uint32_t slot) {
    wx_lazy *l = arg;
    uint32_t func = slot % l->j.m.func_count;
    pthread_mutex_lock(&l->lock);
    if (l->states[func] == FRESH) {
        put(&l->urgent, func);
        pthread_cond_broadcast(&l->wanted);
    }
    while (l->states[func] != READY) pthread_cond_wait(&l->made, &l->lock);
    pthread_mutex_unlock(&l->lock);
    return atomic_load_explicit(&l->space.stubs.table[slot], memory_order_acquire);
}

static bool start_workers(wx_lazy *l, wx_error *e) {
    const wasmx_compile_options *o = l->j.u.options;
    unsigned n = o->threads ? o->threads : wx_cpus();
    pthread_attr_t attr;
    l->workers = wx_xcalloc(n, sizeof *l->workers);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, WORKER_STACK);
    pthread_mutex_lock(&l->lock); // the first worker looks itself up
    while (l->worker_count < n && !pthread_create(&l->workers[l->worker_count], &attr, work, l)) l->worker_count++;
    pthread_mutex_unlock(&l->lock);
    pthread_attr_destroy(&attr);
    return l->worker_count || wx_fail(e, WX_ERR_IO, "cannot start a thread");
}

// ---- The descriptor

static uint64_t data_bytes(const wx_unit *u) {
    uint64_t n = 0;
    for (size_t i = 0; i < u->options->embed_count; i++) n += u->options->embeds[i].size;
    return n;
}

static bool open_space(wx_lazy *l, size_t size, wx_error *e) {
    const wx_unit *u = &l->j.u;
    if (!wx_space_open(&l->space, 2 * l->j.m.func_count, size, data_bytes(u)))
        return wx_fail(e, WX_ERR_BACKEND, "no address space for the code of %zu bytes of Wasm", size);
    wx_stubs *s = &l->space.stubs;
    s->resolve = resolve;
    s->arg = l;
    wx_stubs_begin(s);
    for (uint32_t i = 0; i < u->live_count; i++) {
        wx_stub_write(s, u->live[i]);
        if (u->facts.funcs[u->live[i]].tail) wx_stub_write(s, l->j.m.func_count + u->live[i]);
    }
    wx_space_protect_stubs(&l->space);
    return true;
}

static bool open_linker(wx_lazy *l, wx_error *e) {
    LLVMOrcLLJITBuilderRef builder = LLVMOrcCreateLLJITBuilder();
    LLVMOrcLLJITBuilderSetObjectLinkingLayerCreator(builder, wx_space_layer, &l->space);
    if (!wx_code_open(l->code, builder)) return wx_fail(e, WX_ERR_BACKEND, "%s", l->code->error.line);
    LLVMOrcJITDylibAddGenerator(LLVMOrcLLJITGetMainJITDylib(l->code->jit),
                                LLVMOrcCreateCustomCAPIDefinitionGenerator(define_stubs, l, NULL));
    return true;
}

static bool make_descriptor(wx_lazy *l, wx_error *e) {
    const wx_unit *u = &l->j.u;
    wx_plan plan = {.is_first = true, .is_last = true};
    wx_buf object = {0};
    wx_part_result made;
    LLVMTargetMachineRef tm = wx_target_machine(u, e);
    bool ok = tm && wx_compile_part(u, &plan, tm, &object, &made, NULL, NULL, e);
    const struct wasmx_module *m = ok ? link_part(l, &object, u->name, e) : NULL;
    wx_buf_free(&object);
    if (tm) LLVMDisposeTargetMachine(tm);
    if (!m || !wx_space_add_map(&l->space, m->map, made.map_count)) return false;
    l->module = *m;
    l->module.text_start = (const char *)l->space.base;
    l->module.text_end = (const char *)l->space.code_end;
    l->module.map = l->space.map;
    l->module.map_end = l->space.map_end;
    l->module.image = u->image.bytes.data;
    l->code->module = &l->module;
    return true;
}

// ---- Beginning and end

static wx_lazy *new_lazy(wasmx_code *code, const void *bytes, size_t size) {
    wx_lazy *l = wx_xcalloc(1, sizeof *l);
    l->code = code;
    l->bytes = wx_xmalloc(size);
    memcpy(l->bytes, bytes, size);
    l->j.u.lazy = true;
    pthread_mutex_init(&l->lock, NULL);
    pthread_mutex_init(&l->link_lock, NULL);
    pthread_cond_init(&l->wanted, NULL);
    pthread_cond_init(&l->made, NULL);
    return l;
}

static bool open_lazy(wx_lazy *l, size_t size, wx_error *e) {
    if (!wx_job_open(&l->j, l->bytes, size, &l->options, e)) return false;
    if (!open_space(l, size, e) || !open_linker(l, e)) return false;
    l->states = wx_xcalloc(l->j.m.func_count, 1);
    return make_descriptor(l, e) && start_workers(l, e);
}

wasmx_code *wasmx_code_compile(const void *bytes, size_t size, const wasmx_compile_options *options,
                               wasmx_compile_error *err) {
    wasmx_code *c = wx_xcalloc(1, sizeof *c);
    wx_error e = {0};
    c->lazy = new_lazy(c, bytes, size);
    if (options) c->lazy->options = *options;
    if (!c->lazy->options.opt_level) c->lazy->options.opt_level = '0';
    if (open_lazy(c->lazy, size, &e)) return c;
    wx_job_error(&e, &c->lazy->options, err);
    wasmx_code_free(c);
    return NULL;
}

void wx_lazy_stop(wx_lazy *l) {
    pthread_mutex_lock(&l->lock);
    l->stop = true;
    pthread_cond_broadcast(&l->wanted);
    pthread_mutex_unlock(&l->lock);
    for (unsigned i = 0; i < l->worker_count; i++) pthread_join(l->workers[i], NULL);
}

void wx_lazy_close(wx_lazy *l) {
    wx_job_close(&l->j);
    wx_space_close(&l->space);
    pthread_mutex_destroy(&l->lock);
    pthread_mutex_destroy(&l->link_lock);
    pthread_cond_destroy(&l->wanted);
    pthread_cond_destroy(&l->made);
    free(l->workers);
    free(l->states);
    free(l->urgent.items);
    free(l->near.items);
    free(l->far.items);
    free(l->bytes);
    free(l);
}
