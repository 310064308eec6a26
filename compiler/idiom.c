// compiler/idiom.c: functions of the guest's C library that are known by their code.
//
// in: live functions   out: facts.funcs[].idiom   A function's fingerprint is a hash of its instructions; idioms.def
// says which of them do what. Names say nothing: anybody may call anything memcpy. Nor has the table to be trusted far:
// what emit_idiom.c puts in front of such a body asks first whether it is one of the cases in which C, and so the row,
// says what happens; in all others the body runs as it is.
#include "compiler/idiom.h"

#include "wasm/instr.h"
#include "wasm/reader.h"

static const struct { uint64_t fingerprint; wx_idiom idiom; } known[] = {
#define IDIOM(name, fingerprint, where) {fingerprint, WX_IDIOM_##name},
#include "compiler/idioms.def"
#undef IDIOM
};

#define MOST_BYTES 4096 // of a body that is worth looking at
#define DEEPEST 2       // memmove calls memcpy

// What the body means must be in its bytes: numbers of types, globals, tables and segments mean something else in
// every module. Memory 0 is in them.
static bool means_the_same_everywhere(const wx_instr *in) {
    switch (wx_ops[in->op].imm) {
    case WX_IMM_NONE: case WX_IMM_LABEL: case WX_IMM_BR_TABLE: case WX_IMM_LOCAL: case WX_IMM_SELECT_T:
    case WX_IMM_I32: case WX_IMM_I64: case WX_IMM_V128: case WX_IMM_SHUFFLE: case WX_IMM_LANE: return true;
    case WX_IMM_BLOCK: return !in->block_type.is_index;
    case WX_IMM_MEM1: case WX_IMM_MEM2: case WX_IMM_MEM4: case WX_IMM_MEM8: case WX_IMM_MEM16: return in->a == 0;
    case WX_IMM_MEMORY: return in->a == 0 && in->op == WX_OP_MEMORY_FILL;
    case WX_IMM_MEMORY_MEMORY: return in->a == 0 && in->b == 0;
    default: return false;
    }
}

// A call is hashed as what its callee is, if that is known.
static uint64_t callee_of(const wx_module *m, uint32_t func, unsigned depth) {
    return depth ? (uint64_t)wx_idiom_of(m, func, depth - 1) : WX_IDIOM_NONE;
}

static uint64_t fingerprint(const wx_module *m, uint32_t func, unsigned depth) {
    wx_error none = {0};
    wx_reader r = wx_reader_make(m->funcs[func].code, &none);
    wx_skip_locals(&r);
    uint64_t hash = wx_hash64(r.start, (size_t)(r.at - r.start), 0);
    for (wx_instr in; !wx_reader_done(&r);) {
        const uint8_t *at = r.at;
        wx_instr_read(&r, &in);
        uint64_t callee = in.op == WX_OP_CALL ? callee_of(m, in.a, depth) : WX_IDIOM_NONE;
        if (callee) hash = wx_hash64(&callee, sizeof callee, hash);
        else if (means_the_same_everywhere(&in)) hash = wx_hash64(at, (size_t)(r.at - at), hash);
        else return 0;
    }
    return hash;
}

// i32s to an i32, with a memory of 32 bits.
static bool may_be_one(const wx_module *m, uint32_t func) {
    const wx_typedef *t = wx_func_type(m, func);
    if (m->funcs[func].import != WX_NO_INDEX || m->funcs[func].code.len > MOST_BYTES) return false;
    if (!m->memory_count || m->memories[0].limits.is64) return false;
    bool fits = (t->param_count == 1 || t->param_count == 3) && t->result_count == 1 && t->results[0] == WX_I32;
    for (uint32_t i = 0; i < t->param_count; i++) fits = fits && t->params[i] == WX_I32;
    return fits;
}

uint64_t wx_fingerprint(const wx_module *m, uint32_t func) {
    return may_be_one(m, func) ? fingerprint(m, func, DEEPEST) : 0;
}

wx_idiom wx_idiom_of(const wx_module *m, uint32_t func, unsigned depth) {
    uint64_t hash = may_be_one(m, func) ? fingerprint(m, func, depth) : 0;
    for (size_t i = 0; hash && i < sizeof known / sizeof *known; i++)
        if (known[i].fingerprint == hash) return known[i].idiom;
    return WX_IDIOM_NONE;
}

void wx_find_idioms(wx_unit *u) {
    if (u->facts.shared) return; // what another thread sees meanwhile is not in the table
    for (uint32_t i = 0; i < u->live_count; i++)
        u->facts.funcs[u->live[i]].idiom = wx_idiom_of(u->m, u->live[i], DEEPEST);
}
