// interp/misc.c: what is too rare to have a handler of its own: whole memories and tables, accesses of an unusual form,
// calls through tables and references.
#include <string.h>

#include "interp/code.h"
#include "wasm/instr.h"

void wx_interp_trap(char *ctx, wasmx_status kind) { wasmx_raise(wx_instance_of(ctx), kind, NULL); }

static void trap_if(char *ctx, bool condition, wasmx_status kind) {
    if (condition) wx_interp_trap(ctx, kind);
}

static wasmx_memory *memory_at(wx_interp *it, char *ctx, uint32_t i) {
    return WX_ITEMS(ctx, it, memories, wasmx_memory *)[i];
}

static uint64_t bytes_of(const wasmx_memory *m) { return __atomic_load_n(&m->bytes, __ATOMIC_ACQUIRE); }

// ---- Loads and stores of any memory at any offset

static uint8_t *place(wx_interp *it, char *ctx, uint32_t memory, uint64_t at, uint64_t offset, uint32_t size) {
    const wasmx_memory *m = memory_at(it, ctx, memory);
    if (!it->m->memories[memory].limits.is64) at = (uint32_t)at;
    uint64_t bytes = bytes_of(m);
    trap_if(ctx, offset > bytes || at > bytes - offset || size > bytes - offset - at, WASMX_TRAP_MEMORY_OUT_OF_BOUNDS);
    return m->base + at + offset;
}

void wx_interp_access(wx_interp *it, char *ctx, uint64_t *fp, const wx_ins *in) {
    uint64_t offset = in[1].word;
    uint32_t memory = (uint32_t)in[2].word;
    switch ((wx_iop)in->c) {
#define ARITH(op, ...)
#define COMPARE(op, ...)
#define BINARY(op, ...)
#define UNARY(op, ...)
#define MANY(op)
#define OWN(op)
#define LOAD(op, M, R) \
    case I_##op: { \
        M v; \
        memcpy(&v, place(it, ctx, memory, fp[in->b], offset, sizeof v), sizeof v); \
        fp[in->a] = #R[1] == '3' ? (uint32_t)v : (uint64_t)v; \
        break; \
    }
#define STORE(op, T, M) \
    case I_##op: { \
        const M v = (M)fp[in->b]; \
        memcpy(place(it, ctx, memory, fp[in->a], offset, sizeof v), &v, sizeof v); \
        break; \
    }
#include "interp/ops.def"
    default: break;
    }
}

// ---- Whole memories and tables. Operands stand in the order of the text format.

static uint64_t address(wx_interp *it, uint32_t memory, uint64_t x) {
    return it->m->memories[memory].limits.is64 ? x : (uint32_t)x;
}

static uint64_t index_of(wx_interp *it, uint32_t table, uint64_t x) {
    return it->m->tables[table].limits.is64 ? x : (uint32_t)x;
}

static uint8_t *range(wx_interp *it, char *ctx, uint32_t memory, uint64_t at, uint64_t n) {
    const wasmx_memory *m = memory_at(it, ctx, memory);
    uint64_t bytes = bytes_of(m);
    trap_if(ctx, n > bytes || at > bytes - n, WASMX_TRAP_MEMORY_OUT_OF_BOUNDS);
    return m->base + at;
}

// The count of a copy has the narrower of the two address types.
static void copy_memory(wx_interp *it, char *ctx, const uint64_t *s, uint32_t to, uint32_t from) {
    uint64_t n = address(it, it->m->memories[to].limits.is64 ? from : to, s[2]);
    uint8_t *source = range(it, ctx, from, address(it, from, s[1]), n);
    wxrt_memory_copy(wx_instance_of(ctx), range(it, ctx, to, address(it, to, s[0]), n), source, n);
}

static uint64_t table_size(wx_interp *it, char *ctx, uint32_t table) {
    const wasmx_table *t = WX_ITEMS(ctx, it, tables, wasmx_table *)[table];
    return it->table_images[table] ? it->m->tables[table].limits.min : t->size;
}

static void do_many(wx_interp *it, char *ctx, wx_iop op, uint64_t *s, uint32_t a, uint32_t b) {
    wasmx_instance *i = wx_instance_of(ctx);
    switch (op) {
    case I_MEMORY_SIZE: s[0] = address(it, a, bytes_of(memory_at(it, ctx, a)) / WXRT_PAGE); break;
    case I_MEMORY_GROW:
        s[0] = address(it, a, wxrt_memory_grow(memory_at(it, ctx, a), address(it, a, s[0])));
        break;
    case I_MEMORY_INIT:
        wxrt_memory_init(i, b, a, address(it, b, s[0]), (uint32_t)s[1], (uint32_t)s[2]);
        break;
    case I_DATA_DROP: wxrt_data_drop(i, a); break;
    case I_MEMORY_COPY: copy_memory(it, ctx, s, a, b); break;
    case I_MEMORY_FILL: {
        uint64_t n = address(it, a, s[2]);
        wxrt_memory_fill(i, range(it, ctx, a, address(it, a, s[0]), n), (uint8_t)s[1], n);
        break;
    }
    case I_TABLE_GET: s[0] = (uint64_t)(uintptr_t)wxrt_table_get(i, a, index_of(it, a, s[0])); break;
    case I_TABLE_SET: wxrt_table_set(i, a, index_of(it, a, s[0]), (void *)(uintptr_t)s[1]); break;
    case I_TABLE_INIT:
        wxrt_table_init(i, b, a, index_of(it, b, s[0]), (uint32_t)s[1], (uint32_t)s[2]);
        break;
    case I_ELEM_DROP: wxrt_elem_drop(i, a); break;
    case I_TABLE_COPY:
        wxrt_table_copy(i, a, b, index_of(it, a, s[0]), index_of(it, b, s[1]),
                        index_of(it, it->m->tables[a].limits.is64 ? b : a, s[2]));
        break;
    case I_TABLE_GROW:
        s[0] = index_of(it, a, wxrt_table_grow(i, a, index_of(it, a, s[1]), (void *)(uintptr_t)s[0]));
        break;
    case I_TABLE_SIZE: s[0] = index_of(it, a, table_size(it, ctx, a)); break;
    case I_TABLE_FILL:
        wxrt_table_fill(i, a, index_of(it, a, s[0]), (void *)(uintptr_t)s[1], index_of(it, a, s[2]));
        break;
    default: break;
    }
}

void wx_interp_call_many(wx_interp *it, char *ctx, uint64_t *fp, const wx_ins *in) {
    do_many(it, ctx, in->op, fp + in->a, (uint32_t)in[1].word, (uint32_t)(in[1].word >> 32));
}

// ---- Calls

void wx_interp_call_import(wx_interp *it, char *ctx, uint64_t *fp, const wx_ins *in) {
    const wasmx_func *host = WX_ITEMS(ctx, it, imports, wasmx_func) + in[1].word;
    wx_call_native(it, it->m->funcs[in[1].word].type, host->code, host->ctx, fp + in->a);
}

// A callee in this module that is interpreted is called as such; code that is not its stub is native.
static void call_slot(wx_interp *it, uint32_t type, void *code, char *callee, uint64_t *args, char *ctx) {
    uint64_t at = (uint64_t)((uint8_t *)code - (uint8_t *)wx_stub_at(it->stubs, 0)) / wx_stub_bytes;
    if (callee == ctx && (uint8_t *)code >= it->stubs->code && at < it->m->func_count)
        wx_call_func(it, &it->funcs[at], args, ctx);
    else wx_call_native(it, type, code, callee, args);
}

static void check_type(char *ctx, uint64_t actual, uint64_t expected) {
    if (actual == expected) return;
    wx_interp_trap(ctx, actual ? WASMX_TRAP_INDIRECT_CALL_TYPE_MISMATCH : WASMX_TRAP_UNINITIALIZED_ELEMENT);
}

static void call_by_index(wx_interp *it, uint32_t func, uint64_t *args, char *ctx) {
    if (it->m->funcs[func].import == WX_NO_INDEX) {
        wx_call_func(it, &it->funcs[func], args, ctx);
        return;
    }
    const wasmx_func *host = WX_ITEMS(ctx, it, imports, wasmx_func) + func;
    wx_call_native(it, it->m->funcs[func].type, host->code, host->ctx, args);
}

static void call_constant(wx_interp *it, char *ctx, uint32_t table, uint64_t index, uint32_t type, uint64_t *args) {
    const wx_module *m = it->m;
    trap_if(ctx, index >= m->tables[table].limits.min, WASMX_TRAP_UNDEFINED_ELEMENT);
    uint32_t func = it->table_images[table][index];
    check_type(ctx, func == WX_NO_INDEX ? 0 : (uint64_t)m->types[m->funcs[func].type].canon + 1,
               (uint64_t)m->types[type].canon + 1);
    call_by_index(it, func, args, ctx);
}

void wx_interp_call_indirect(wx_interp *it, char *ctx, uint64_t *fp, const wx_ins *in) {
    uint32_t table = in->c, type = (uint32_t)in[1].word;
    uint64_t index = index_of(it, table, fp[in->b]);
    if (it->table_images[table]) {
        call_constant(it, ctx, table, index, type, fp + in->a);
        return;
    }
    const wasmx_table *t = WX_ITEMS(ctx, it, tables, wasmx_table *)[table];
    trap_if(ctx, index >= t->size, WASMX_TRAP_UNDEFINED_ELEMENT);
    const wxrt_slot slot = ((const wxrt_slot *)t->elems)[index];
    check_type(ctx, slot.type, *wx_instance_of(ctx)->module->types[type].id);
    call_slot(it, type, slot.code, slot.ctx, fp + in->a, ctx);
}

void wx_interp_call_ref(wx_interp *it, char *ctx, uint64_t *fp, const wx_ins *in) {
    const wasmx_func *f = (const wasmx_func *)(uintptr_t)fp[in->b];
    trap_if(ctx, !f, WASMX_TRAP_NULL_FUNCTION);
    call_slot(it, (uint32_t)in[1].word, f->code, f->ctx, fp + in->a, ctx);
}
