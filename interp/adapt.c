// interp/adapt.c: between worlds without code made for it: host to guest, guest to host, by the types at hand.
//
// in: the stub that was called, and every register that holds an argument   out: the call, done; results in registers
// What objects have of this is made by compiler/adapters.c.
#include "interp/code.h"
#include "interp/places.h"

uint32_t wx_adapter_span(const wx_module *m) {
    uint32_t most = m->type_count > m->func_imports ? m->type_count : m->func_imports;
    return most ? most : 1;
}

uint32_t wx_first_adapter(const wx_module *m) { return 3 * m->func_count; }

uint32_t wx_adapter_slot(const wx_module *m, wx_adapter kind, uint32_t n) {
    return wx_first_adapter(m) + (uint32_t)kind * wx_adapter_span(m) + n;
}

static void put_value(wx_type t, const wasmx_value *from, uint64_t *to) { memcpy(to, from, wx_width(t)); }

static void take_value(wx_type t, const uint64_t *from, wasmx_value *to) {
    memcpy(to, from, wx_width(t));
    to->words[0] = wx_narrowed(t, to->words[0]);
}

// Results that a call left in registers, and the other way round.
static void take_results(const wx_typedef *t, wx_regs *r, wasmx_value *slots) {
    wx_cursor c = {0};
    for (uint32_t i = 0; i < t->result_count; i++)
        take_value(t->results[i], wx_result_place(&c, r, t->results[i]), &slots[i]);
}

static void give_results(const wx_typedef *t, wx_regs *r, const wasmx_value *slots, uint64_t memory) {
    wx_cursor c = {0};
    if (t->result_count > 2) memcpy((void *)(uintptr_t)memory, slots, t->result_count * sizeof *slots);
    else
        for (uint32_t i = 0; i < t->result_count; i++)
            put_value(t->results[i], &slots[i], wx_result_place(&c, r, t->results[i]));
}

// Arguments into slots. Returns where more than two results go.
static uint64_t take_arguments(const wx_typedef *t, wx_regs *r, wasmx_value *slots) {
    wx_cursor c = {0};
    uint64_t *stack = (uint64_t *)(uintptr_t)r->stack; // only read
    for (uint32_t i = 0; i < t->param_count; i++)
        take_value(t->params[i], wx_next_place(&c, r, t->params[i], stack), &slots[i]);
    return t->result_count > 2 ? *wx_next_place(&c, r, WX_I64, stack) : 0;
}

// ---- Host to guest: (ctx, code, slots)

static WX_LEFT_BY_TRAPS void call_by_slots(const wx_typedef *t, void *code, void *ctx, wasmx_value *slots) {
    wx_regs r;
    wx_cursor c = {0};
    uint64_t stack[wx_most_words(t)];
    for (uint32_t i = 0; i < t->param_count; i++)
        put_value(t->params[i], &slots[i], wx_next_place(&c, &r, t->params[i], stack));
    if (t->result_count > 2) *wx_next_place(&c, &r, WX_I64, stack) = (uint64_t)(uintptr_t)slots;
    wx_leave(code, ctx, &r, stack, c.words);
    if (t->result_count <= 2) take_results(t, &r, slots);
}

static void thunk(const wx_typedef *t, wx_regs *r) {
    call_by_slots(t, (void *)(uintptr_t)r->ints[0], r->ctx, (wasmx_value *)(uintptr_t)r->ints[1]);
}

void wx_call_nothing(wx_interp *it, uint32_t func, char *ctx) {
    static const wx_typedef none;
    const wasmx_func *host = WX_ITEMS(ctx, it, imports, wasmx_func) + func;
    if (it->m->funcs[func].import != WX_NO_INDEX) call_by_slots(&none, host->code, host->ctx, NULL);
    else call_by_slots(&none, wx_func_entry(it, func), ctx, NULL);
}

// ---- Guest to host. ctx is the wasmx_func record.

static WX_LEFT_BY_TRAPS void callback(const wx_typedef *t, wx_regs *r) {
    wasmx_value slots[wx_most_values(t) + 1];
    uint64_t memory = take_arguments(t, r, slots);
    wxrt_host_call((wasmx_func *)(void *)r->ctx, slots);
    give_results(t, r, slots, memory);
}

// References to objects, as the guest has them and as the host does.
static void give_objects(const wasmx_func *f, const uint32_t *kinds, uint32_t count, wasmx_value *slots) {
    for (uint32_t i = 0; i < count; i++)
        if (wxrt_is_object(kinds[i])) slots[i].externref = wxrt_gc_externalize(f->owner, slots[i].externref);
}

static void take_objects(const wasmx_func *f, const uint32_t *kinds, uint32_t count, wasmx_value *slots) {
    for (uint32_t i = 0; i < count; i++)
        if (wxrt_is_object(kinds[i])) slots[i].externref = wxrt_gc_from_host(f->owner, kinds[i], slots[i].externref);
}

// R function(wasmx_instance *, parameters...), as wasmx.h describes typed functions: vectors and results that are not
// one plain value go by pointer.
static WX_LEFT_BY_TRAPS void typed(const wx_typedef *t, wx_regs *r) {
    const wasmx_func *f = (const wasmx_func *)(const void *)r->ctx;
    bool by_pointer = t->result_count > 1 || (t->result_count == 1 && t->results[0] == WX_V128);
    wasmx_value slots[t->param_count + 1], results[t->result_count + 1];
    uint64_t memory = take_arguments(t, r, slots), stack[wx_most_words(t) + 2];
    wx_regs out;
    wx_cursor c = {0};
    give_objects(f, f->signature->kinds, t->param_count, slots);
    *wx_next_place(&c, &out, WX_I64, stack) = (uint64_t)(uintptr_t)f->owner;
    for (uint32_t i = 0; i < t->param_count; i++) {
        if (t->params[i] == WX_V128) *wx_next_place(&c, &out, WX_I64, stack) = (uint64_t)(uintptr_t)&slots[i];
        else put_value(t->params[i], &slots[i], wx_next_place(&c, &out, t->params[i], stack));
    }
    if (by_pointer) *wx_next_place(&c, &out, WX_I64, stack) = (uint64_t)(uintptr_t)results;
    wx_leave(f->host, NULL, &out, stack, c.words);
    if (!by_pointer) take_results(t, &out, results);
    take_objects(f, f->signature->kinds + t->param_count, t->result_count, results);
    give_results(t, r, results, memory);
}

// ---- Guest to guest: an import under the importing instance's ctx

static WX_LEFT_BY_TRAPS void relay(wx_interp *it, uint32_t func, wx_regs *r) {
    const wx_typedef *t = wx_func_type(it->m, func);
    const wasmx_func *f = WX_ITEMS(r->ctx, it, imports, wasmx_func) + func;
    wx_cursor c = {0};
    uint64_t *stack = (uint64_t *)(uintptr_t)r->stack; // counted only
    for (uint32_t i = 0; i < t->param_count; i++) wx_next_place(&c, r, t->params[i], stack);
    if (t->result_count > 2) wx_next_place(&c, r, WX_I64, stack);
    wx_leave(f->code, f->ctx, r, r->stack, c.words);
}

// ---- Which stub it was

void wx_adapt(wx_interp *it, uint32_t k, wx_regs *r) {
    static const wx_typedef none;
    uint32_t n = k % wx_adapter_span(it->m);
    switch ((wx_adapter)(k / wx_adapter_span(it->m))) {
    case WX_THUNK: thunk(&it->m->types[n], r); break;
    case WX_TYPED: typed(wx_func_type(it->m, n), r); break;
    case WX_CALLBACK: callback(wx_func_type(it->m, n), r); break;
    case WX_RELAY: relay(it, n, r); break;
    case WX_UNKNOWN: wxrt_unknown_import((wasmx_func *)(void *)r->ctx); break;
    case WX_EMPTY: wx_interp_trap(r->ctx, WASMX_TRAP_UNINITIALIZED_ELEMENT); break;
    case WX_INIT: it->start(it->arg, r->ctx); break;
    case WX_INIT_THUNK: thunk(&none, r); break;
    case WX_ADAPTERS: break;
    }
}
