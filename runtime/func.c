// runtime/func.c: calls whose types are known at run time only, in both directions.
//
// Arguments and results travel in slots of 16 bytes, the results over the arguments; a thunk of the module moves them
// from and to where the C calling convention wants them.
#include <string.h>

#include "runtime/internal.h"

wasmx_instance *wasmx_func_instance(const wasmx_func *func) { return func->owner; }

// Functions given to guest code may be called by it: tie their instances to the one that gets them.
static void link_refs(wx_link *link, const uint32_t *kinds, uint32_t count, const wasmx_value *values) {
    for (uint32_t k = 0; k < count; k++)
        if (wx_is_func_type(kinds[k])) wx_link_func(link, values[k].funcref);
}

wasmx_status wasmx_call(wasmx_func *func, const wasmx_value *args, wasmx_value *results) {
    const wxrt_type *t = func->signature;
    uint32_t count = t->param_count > t->result_count ? t->param_count : t->result_count;
    wasmx_value slots[count + 1];
    for (uint32_t k = 0; k < t->param_count; k++) slots[k] = args[k];
    link_refs(&func->owner->state->link, t->kinds, t->param_count, slots);
    uint32_t status = wx_call(func->owner, func->ctx, func->thunk, func->code, slots);
    if (status == WASMX_OK)
        for (uint32_t k = 0; k < t->result_count; k++) results[k] = slots[k];
    return (wasmx_status)status;
}

// Results go through an array of their own, because a callback may write one before it has read every argument.
void wxrt_host_call(wasmx_func *f, wasmx_value *slots) {
    const wxrt_type *t = f->signature;
    wasmx_value results[t->result_count + 1];
    memset(results, 0, sizeof results);
    wasmx_status status = ((wasmx_callback)f->host)(f->env, f->owner, slots, results);
    if (status != WASMX_OK) wx_raise(status, NULL, 0);
    link_refs(&f->owner->state->link, t->kinds + t->param_count, t->result_count, results);
    memcpy(slots, results, t->result_count * sizeof *slots);
}
