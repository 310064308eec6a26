// interp/bridge.c: between the calling convention and slots, both ways; and the interpreter's beginning and end.
#include <stdlib.h>
#include <string.h>

#include "interp/baseline.h"
#include "interp/places.h"

struct wx_shape { // of a function type
    bool words;   // integers in registers, at most one result, which is no float
    bool wide;    // that result has 64 bits
};

// ---- To native code

static void take_results(const wx_typedef *t, wx_regs *r, const wasmx_value *memory, uint64_t *args) {
    wx_cursor c = {0};
    for (uint32_t i = 0; i < t->result_count; i++) {
        wx_type type = t->results[i];
        args[i] = wx_narrowed(type, t->result_count > 2 ? memory[i].words[0] : *wx_result_place(&c, r, type));
    }
}

static WX_LEFT_BY_TRAPS void call_any(const wx_typedef *t, void *code, void *ctx, uint64_t *args) {
    wx_regs r;
    wx_cursor c = {0};
    uint64_t stack[wx_most_words(t)];
    wasmx_value memory[t->result_count + 1];
    for (uint32_t i = 0; i < t->param_count; i++) *wx_next_place(&c, &r, t->params[i], stack) = args[i];
    if (t->result_count > 2) *wx_next_place(&c, &r, WX_I64, stack) = (uint64_t)(uintptr_t)memory;
    wx_leave(code, ctx, &r, stack, c.words);
    take_results(t, &r, memory, args);
}

void wx_call_native(wx_interp *it, uint32_t type, void *code, void *ctx, uint64_t *args) {
    const struct wx_shape *s = &it->shapes[type];
    if (!s->words) {
        call_any(&it->m->types[type], code, ctx, args);
        return;
    }
    uint64_t x = wx_leave_words(code, ctx, args);
    args[0] = s->wide ? x : (uint32_t)x; // there is always room for one
}

// ---- From native code

static void take_arguments(const wx_typedef *t, wx_regs *r, uint64_t *args, wasmx_value **memory) {
    wx_cursor c = {0};
    uint64_t *stack = (uint64_t *)(uintptr_t)r->stack; // only read
    for (uint32_t i = 0; i < t->param_count; i++)
        args[i] = wx_narrowed(t->params[i], *wx_next_place(&c, r, t->params[i], stack));
    if (t->result_count > 2) *memory = (wasmx_value *)(uintptr_t)*wx_next_place(&c, r, WX_I64, stack);
}

static void give_results(const wx_typedef *t, wx_regs *r, const uint64_t *args, wasmx_value *memory) {
    wx_cursor c = {0};
    for (uint32_t i = 0; i < t->result_count; i++)
        *(t->result_count > 2 ? memory[i].words : wx_result_place(&c, r, t->results[i])) = args[i];
}

WX_LEFT_BY_TRAPS void *wx_interp_enter(void *arg, uint32_t slot, wx_regs *r) {
    wx_interp *it = arg;
    if (slot >= wx_first_adapter(it->m)) {
        wx_adapt(it, slot - wx_first_adapter(it->m), r);
        return NULL;
    }
    wx_ifunc *f = &it->funcs[slot % it->m->func_count];
    bool made = slot >= WX_MADE_SLOT(it, 0);
    if (!made && (slot >= it->m->func_count || f->tail || !wx_body_of(it, f))) return it->compile(it->arg, slot);
    const wx_typedef *t = wx_func_type(it->m, f->index);
    uint64_t args[wx_most_values(t) + WX_SLACK];
    wasmx_value *memory = NULL;
    take_arguments(t, r, args, &memory);
    if (made) wx_baseline_enter(atomic_load(&f->made), args, r->ctx, wx_memory_0(it, r->ctx));
    else wx_interpret(it, f, args, NULL, r->ctx);
    give_results(t, r, args, memory);
    return NULL;
}

// wx_baseline_miss
void wx_baseline_call(wx_interp *it, uint32_t func, uint64_t *args, char *ctx) {
    wx_call_func(it, &it->funcs[func], args, ctx);
}

// ---- Bodies

wx_body *wx_body_of(wx_interp *it, wx_ifunc *f) {
    wx_body *body = atomic_load_explicit(&f->body, memory_order_acquire);
    if (body || atomic_load_explicit(&f->code, memory_order_acquire)) return body;
    if (!it->never && !f->tail) {
        pthread_mutex_lock(&it->lock);
        body = atomic_load_explicit(&f->body, memory_order_relaxed);
        if (!body) atomic_store_explicit(&f->body, body = wx_translate(it, f->index), memory_order_release);
        pthread_mutex_unlock(&it->lock);
    }
    if (!body) it->compile(it->arg, f->tail ? it->m->func_count + f->index : f->index);
    return body;
}

static struct wx_shape shape_of(const wx_typedef *t) {
    bool words = t->param_count <= wx_int_registers && t->result_count <= 1;
    for (uint32_t i = 0; i < t->param_count; i++) words = words && !wx_in_vec(t->params[i]);
    words = words && !(t->result_count && wx_in_vec(t->results[0]));
    return (struct wx_shape){words, t->result_count && t->results[0] != WX_I32};
}

static wx_target target_of(const wx_module *m, uint32_t func) {
    if (func == WX_NO_INDEX || m->funcs[func].import != WX_NO_INDEX) return (wx_target){0};
    return (wx_target){m->types[m->funcs[func].type].canon + 1, func};
}

static wx_target *targets_of(const wx_interp *it, uint32_t table) {
    uint64_t n = it->m->tables[table].limits.min;
    if (!it->table_images[table]) return NULL;
    wx_target *targets = wx_xcalloc(n + 1, sizeof *targets);
    for (uint64_t i = 0; i < n; i++) targets[i] = target_of(it->m, it->table_images[table][i]);
    return targets;
}

void wx_interp_open(wx_interp *it) {
    const wx_module *m = it->m;
    it->targets = wx_xcalloc((size_t)m->table_count + 1, sizeof *it->targets);
    for (uint32_t i = 0; i < m->table_count; i++) it->targets[i] = targets_of(it, i);
    it->funcs = wx_xcalloc((size_t)m->func_count + 1, sizeof *it->funcs);
    it->shapes = wx_xcalloc((size_t)m->type_count + 1, sizeof *it->shapes);
    for (uint32_t i = 0; i < m->func_count; i++) {
        it->funcs[i].index = i;
        atomic_store_explicit(&it->funcs[i].heat, it->first_heat, memory_order_relaxed);
    }
    for (uint32_t i = 0; i < m->type_count; i++)
        if (m->types[i].kind == WX_KIND_FUNC) it->shapes[i] = shape_of(&m->types[i]);
    pthread_mutex_init(&it->lock, NULL);
}

void wx_interp_close(wx_interp *it) {
    if (!it->funcs) return;
    pthread_mutex_destroy(&it->lock);
    wx_arena_free(&it->arena);
    for (uint32_t i = 0; i < it->m->func_count; i++) free((void *)atomic_load(&it->funcs[i].loops));
    for (uint32_t i = 0; i < it->m->table_count; i++) free(it->targets[i]);
    free(it->targets);
    free(it->funcs);
    free(it->shapes);
}
