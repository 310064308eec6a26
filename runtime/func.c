// runtime/func.c: calls whose types are known at run time only, in both directions.
//
// Arguments and results travel in slots of 16 bytes, the results over the arguments; a thunk of the module moves them
// from and to where the C calling convention wants them.
#include <string.h>

#include "runtime/gc.h"

wasmx_instance *wasmx_func_instance(const wasmx_func *func) { return func->owner; }

// ---- References that cross over

static bool is_ref(uint32_t kind) { return kind > WASMX_V128; }

// What the host gave, as guest code has it. Functions may then be called by the guest: their instances are tied to it.
static bool take_ref(wasmx_instance *i, const wasmx_module *m, uint32_t kind, wasmx_value *value, bool in_guest,
                     const char **why) {
    bool full;
    void *ref;
    *why = WX_TWO_HEAPS;
    if (wx_is_func_type(kind) && !wx_link_func(&i->state->link, value->funcref)) return false;
    *why = "a reference is not of the type of its parameter or result";
    bool ok = wx_from_host(i, kind, m, value->externref, in_guest, &ref, &full);
    if (full) *why = NULL;
    if (ok) *value = (wasmx_value){.externref = ref};
    return ok;
}

static bool take_refs(wasmx_instance *i, const wasmx_module *m, const uint32_t *kinds, uint32_t count,
                      wasmx_value *values, bool in_guest, const char **why) {
    for (uint32_t k = 0; k < count; k++)
        if (is_ref(kinds[k]) && !take_ref(i, m, kinds[k], &values[k], in_guest, why)) return false;
    return true;
}

static void give_refs(wasmx_instance *i, const uint32_t *kinds, uint32_t count, wasmx_value *values) {
    for (uint32_t k = 0; k < count; k++)
        if (wxrt_is_object(kinds[k])) values[k] = (wasmx_value){.externref = wx_to_host(i, values[k].externref)};
}

// Either may be NULL where there are none.
static void copy(wasmx_value *to, const wasmx_value *from, uint32_t count) {
    for (uint32_t k = 0; k < count; k++) to[k] = from[k];
}

// Copies them. A collection that is due takes place first, while everything is still where the host has it.
static bool take_args(wasmx_instance *i, const wasmx_module *m, const wxrt_type *t, const wasmx_value *args,
                      wasmx_value *slots, const char **why) {
    for (int round = 0;; round++) {
        copy(slots, args, t->param_count);
        if (take_refs(i, m, t->kinds, t->param_count, slots, false, why)) return true;
        if (*why || round) return false;
        wx_collect_here(i, &(wx_words){args, args ? args + t->param_count : NULL});
    }
}

static wasmx_status refuse_call(wasmx_instance *i, const char *why) {
    wx_trap_set(i, why ? WASMX_TRAP_HOST : WASMX_TRAP_HEAP_EXHAUSTED, why);
    return i->state->trap.kind;
}

// ---- Calls

wasmx_status wasmx_call(wasmx_func *func, const wasmx_value *args, wasmx_value *results) {
    const wxrt_type *t = func->signature;
    uint32_t count = t->param_count > t->result_count ? t->param_count : t->result_count;
    wasmx_value slots[count + 1];
    wasmx_instance *i = func->owner;
    const char *why;
    if (!take_args(i, i->module, t, args, slots, &why)) return refuse_call(i, why);
    uint32_t status = wx_call(i, func->ctx, func->thunk, func->code, slots);
    if (status != WASMX_OK) return (wasmx_status)status;
    give_refs(i, t->kinds + t->param_count, t->result_count, slots);
    copy(results, slots, t->result_count);
    return WASMX_OK;
}

uint32_t wxrt_gc_call(wasmx_instance *i, uint32_t type, void *thunk, void *code, wasmx_value *slots) {
    const wxrt_type *t = &i->module->types[type];
    wasmx_value args[t->param_count + 1];
    const char *why;
    copy(args, slots, t->param_count);
    if (!take_args(i, i->module, t, args, slots, &why)) return refuse_call(i, why);
    uint32_t status = wx_call_from_host(i, thunk, code, slots);
    if (status == WASMX_OK) give_refs(i, t->kinds + t->param_count, t->result_count, slots);
    return status;
}

// Results go through an array of their own, because a callback may write one before it has read every argument.
void wxrt_host_call(wasmx_func *f, wasmx_value *slots) {
    const wxrt_type *t = f->signature;
    wasmx_value results[t->result_count + 1];
    const char *why;
    memset(results, 0, sizeof results);
    give_refs(f->owner, t->kinds, t->param_count, slots);
    wasmx_status status = ((wasmx_callback)f->host)(f->env, f->owner, slots, results);
    if (status != WASMX_OK) wx_raise(status, NULL, 0);
    if (!take_refs(f->owner, f->owner->module, t->kinds + t->param_count, t->result_count, results, true, &why))
        wx_raise(WASMX_TRAP_HOST, why, 0);
    copy(slots, results, t->result_count);
}
