// runtime/state.c: what an instance holds, by the indices of its module. For tools that save it.
#include "runtime/internal.h"

wasmx_memory *wasmx_instance_memory(const wasmx_instance *i, uint32_t index) {
    return index < i->module->memory_count ? WX_AREA(i, memories, wasmx_memory *)[index] : NULL;
}

wasmx_table *wasmx_instance_table(const wasmx_instance *i, uint32_t index) {
    return index < i->module->table_count ? WX_AREA(i, tables, wasmx_table *)[index] : NULL;
}

wasmx_global *wasmx_instance_global(wasmx_instance *i, uint32_t index) {
    return index < i->module->global_count ? wx_global_at(i, index) : NULL;
}

bool wasmx_instance_data_dropped(const wasmx_instance *i, uint32_t index) {
    return index < i->module->data_count && WX_AREA(i, dropped_data, uint8_t)[index];
}

bool wasmx_instance_elem_dropped(const wasmx_instance *i, uint32_t index) {
    return index < i->module->elem_count && WX_AREA(i, dropped_elems, uint8_t)[index];
}

// The place of a record in an array of the instance's area, or UINT32_MAX.
static uint32_t place_in(const wasmx_func *array, uint32_t count, const wasmx_func *func) {
    uintptr_t at = (uintptr_t)func - (uintptr_t)array; // huge for one that lies before
    return at < count * sizeof *array ? (uint32_t)(at / sizeof *array) : UINT32_MAX;
}

// An entry without code is an import, whose index comes first among all functions.
uint32_t wasmx_instance_func_index(const wasmx_instance *i, const wasmx_func *func) {
    const wasmx_module *m = i->module;
    uint32_t ref = place_in(WX_AREA(i, refs, wasmx_func), m->ref_count, func);
    if (ref != UINT32_MAX) return m->funcs[ref].index;
    uint32_t import = place_in(WX_AREA(i, imports, wasmx_func), m->func_imports, func);
    if (import != UINT32_MAX) return import;
    for (uint32_t k = m->ref_count; i->state->funcs && k < m->func_count; k++)
        if (i->state->funcs[k] == func) return m->funcs[k].index;
    return UINT32_MAX;
}
