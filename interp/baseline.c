// interp/baseline.c: translated code to machine code: for each instruction the stencil that finds its operands.
//
// in: a wx_body   out: code that runs it (baseline.h)   One look at the body finds out where paths join, and how much
// room is needed; then code is written in one pass, and at last branches get their targets. The result of the last
// instruction is still in a register, unless paths join here: an operand that it is, is not read from its slot; and if
// it is popped, it is not even written there. A large constant and the instruction that pops it are one.
#include "interp/baseline.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_OFFSET ((uint64_t)INT32_MAX - 64) // in a stencil

enum { NO_FIELD, FIELD_A, FIELD_B, FIELD_C, FIELD_WORD };
enum {
    GIVES = 1,    // a result, in a
    POPS = 2,     // its operands are gone afterwards, if they are on the operand stack
    BRANCHES = 4,
    BY_HAND = 8,
    ACCESSES = 16, // has guarded ways
    NARROW = 32,   // the next instruction is the same with a constant for its second operand, of 32 bits
    WIDE = 64,     // the same, of 64 bits
};

// words: that follow   first, second: operands that may be the last result
typedef struct shape { uint8_t words, first, second, flags; } shape;

#define TYPE_u32 NARROW
#define TYPE_u64 WIDE

static const shape shapes[I_COUNT] = {
#define ARITH(op, T, ...) \
    [I_##op] = {0, FIELD_B, FIELD_C, GIVES | POPS | TYPE_##T}, [I_##op##_C] = {0, FIELD_B, 0, GIVES | POPS},
#define COMPARE(op, T, ...) \
    ARITH(op, T) [I_##op##_BR] = {1, FIELD_B, FIELD_C, POPS | BRANCHES | TYPE_##T}, \
    [I_##op##_C_BR] = {1, FIELD_B, 0, POPS | BRANCHES},
#define BINARY(op, ...) [I_##op] = {0, FIELD_B, FIELD_C, GIVES | POPS},
#define UNARY(op, ...) [I_##op] = {0, FIELD_B, 0, GIVES | POPS},
#define LOAD(op, ...) [I_##op] = {0, FIELD_B, 0, GIVES | POPS | ACCESSES},
#define STORE(op, ...) [I_##op] = {0, FIELD_A, FIELD_B, POPS | ACCESSES},
#define MANY(op) [I_##op] = {1, 0, 0, BY_HAND},
#define OWN(op)
#include "interp/ops.def"
    [I_TRAP] = {0, 0, 0, BY_HAND},
    [I_MOVE] = {0, FIELD_B, 0, GIVES}, // what a branch carries stays where it was
    [I_CONST] = {1, 0, 0, GIVES},
    [I_SMALL32] = {0, 0, 0, GIVES},
    [I_SMALL64] = {0, 0, 0, GIVES},
    [I_SELECT] = {1, FIELD_WORD, 0, GIVES | POPS},
    [I_GET32] = {1, 0, 0, GIVES},
    [I_GET64] = {1, 0, 0, GIVES},
    [I_SET32] = {1, FIELD_A, 0, POPS},
    [I_SET64] = {1, FIELD_A, 0, POPS},
    [I_GET32_FAR] = {1, 0, 0, GIVES},
    [I_GET64_FAR] = {1, 0, 0, GIVES},
    [I_SET32_FAR] = {1, FIELD_A, 0, POPS},
    [I_SET64_FAR] = {1, FIELD_A, 0, POPS},
    [I_ADDRESS] = {1, 0, 0, GIVES},
    [I_CHECK_REF] = {0, 0, 0, 0},
    [I_ACCESS] = {2, 0, 0, BY_HAND},
    [I_LOOP] = {0, 0, 0, BY_HAND},
    [I_BR] = {0, 0, 0, BY_HAND | BRANCHES},
    [I_BR_IF] = {0, FIELD_A, 0, POPS | BRANCHES},
    [I_BR_UNLESS] = {0, FIELD_A, 0, POPS | BRANCHES},
    [I_BR_REF] = {0, FIELD_A, 0, BRANCHES}, // the reference may be needed
    [I_BR_NULL] = {0, FIELD_A, 0, BRANCHES},
    [I_BR_TABLE] = {0, FIELD_A, 0, BY_HAND | POPS},
    [I_RETURN] = {0, 0, 0, BY_HAND},
    [I_RETURN_ONE] = {0, FIELD_A, 0, BY_HAND | POPS},
    [I_RETURN_MANY] = {0, 0, 0, BY_HAND},
    [I_CALL] = {1, 0, 0, BY_HAND},
    [I_CALL_IMPORT] = {1, 0, 0, BY_HAND},
    [I_CALL_INDIRECT] = {1, 0, 0, BY_HAND},
    [I_CALL_REF] = {1, 0, 0, BY_HAND},
    [I_RUN_OUT] = {0, 0, 0, BY_HAND},
};

static uint32_t table_words(const wx_ins *in) { return in->op == I_BR_TABLE ? (uint32_t)in->off + 1 : 0; }
static uint32_t words_of(const wx_ins *in) { return 1 + shapes[in->op].words + table_words(in); }

// An access at a large offset is a plain one to a stencil, in whose hole there is room.
static bool is_near(const wx_module *m, const wx_ins *in) {
    return in->op == I_ACCESS && in[2].word == 0 && in[1].word < MOST_OFFSET && !m->memories[0].limits.is64;
}

static uint32_t op_of(const wx_maker *m, const wx_ins *in) {
    return is_near(m->p->anchor->it->m, in) ? in->c : in->op;
}

static const shape *shape_of(const wx_maker *m, const wx_ins *in) { return &shapes[op_of(m, in)]; }

static uint64_t offset_of(const wx_ins *in) { return in->op == I_ACCESS ? in[1].word : in->c; }

static uint32_t field(const wx_ins *in, uint32_t which) {
    switch (which) {
    case FIELD_A: return in->a;
    case FIELD_B: return in->b;
    case FIELD_C: return in->c;
    case FIELD_WORD: return (uint32_t)in[1].word;
    default: return WX_NO_SLOT - 1;
    }
}

// ---- The first look

static bool is_comparison(uint32_t op) { return op >= I_I32_EQ && op < I_F32_EQ; }

// Which word holds the offset of a branch: comparisons have one behind them.
static uint32_t site_of(const wx_ins *in, uint32_t i) { return is_comparison(in->op) ? i + 1 : i; }
static uint32_t target_of(const wx_ins *code, uint32_t site) { return site + (uint32_t)code[site].off; }

static bool has_cell(uint32_t op) { return (op >= I_GET32 && op <= I_SET64_FAR) || op == I_ADDRESS; }
static bool is_far(int64_t cell) { return cell != (int32_t)cell; }

static size_t bound_of(const wx_ins *in) {
    if (shapes[in->op].flags & BY_HAND) return WX_BY_HAND_BOUND + 4 * table_words(in);
    return wx_stencils[in->op][WX_FROM_SLOTS].size + 16u;
}

static uint32_t length_of(const wx_body *body) {
    uint32_t i = 0;
    while (body->code[i].op != I_RUN_OUT) i += words_of(&body->code[i]);
    return i + 1;
}

size_t wx_baseline_bound(const wx_piece *p, uint32_t *loops) {
    size_t bound = wx_head_bound(p);
    *loops = 0;
    for (uint32_t i = 0;; i += words_of(&p->body->code[i])) {
        const wx_ins *in = &p->body->code[i];
        if (has_cell(in->op) && is_far((int64_t)in[1].word)) return 0;
        *loops += in->op == I_LOOP;
        bound += bound_of(in);
        if (in->op == I_RUN_OUT) return bound;
    }
}

static void find_joins(wx_maker *m) {
    for (uint32_t i = 0; i < m->len; i += words_of(&m->code[i])) {
        const wx_ins *in = &m->code[i];
        if (shapes[in->op].flags & BRANCHES) m->joins[target_of(m->code, site_of(in, i))] = true;
        if (in->op == I_LOOP) m->joins[i] = true;
        for (uint32_t k = 0; k < table_words(in); k++) m->joins[target_of(m->code, i + 1 + k)] = true;
    }
}

// ---- Bytes

void wx_put(wx_maker *m, const void *bytes, size_t n) {
    if ((size_t)(m->limit - m->at) < n) {
        m->failed = true;
        return;
    }
    memcpy(m->at, bytes, n);
    m->at += n;
}

void wx_put_32(wx_maker *m, int64_t x) {
    uint32_t bits = (uint32_t)x;
    wx_put(m, &bits, 4);
}

void wx_put_to(wx_maker *m, const void *place) { wx_put_32(m, (const uint8_t *)place - (m->at + 4)); }

static void add_fixup(wx_maker *m, wx_fixup f) {
    if (m->fixup_count == m->fixup_cap) {
        m->fixup_cap = m->fixup_cap ? 2 * m->fixup_cap : 256;
        m->fixups = wx_xrealloc(m->fixups, m->fixup_cap * sizeof *m->fixups);
    }
    m->fixups[m->fixup_count++] = f;
}

void wx_put_branch(wx_maker *m, uint32_t target) {
    if (m->limit - m->at >= 4) add_fixup(m, (wx_fixup){m->at, m->at + 4, target});
    wx_put_32(m, 0);
}

static void fix(const wx_maker *m, const uint8_t *outside) {
    for (size_t i = 0; i < m->fixup_count; i++) {
        const wx_fixup *f = &m->fixups[i];
        const uint8_t *to = f->target == WX_TO_OUTSIDE ? outside : m->places[f->target];
        int32_t distance = (int32_t)(to - f->from);
        memcpy(f->at, &distance, 4);
    }
}

// ---- Stencils

static int64_t value_of(const wx_maker *m, const wx_ins *in, wx_hole_kind kind) {
    switch (kind) {
    case WX_HOLE_a: return 8 * in->a;
    case WX_HOLE_b: return 8 * in->b;
    case WX_HOLE_c: return 8 * in->c;
    case WX_HOLE_slot: return 8 * (int64_t)in[1].word;
    case WX_HOLE_constant: return m->constant ? (int64_t)m->constant[1].word : (int16_t)in->c;
    case WX_HOLE_small: return (int16_t)in->b;
    case WX_HOLE_offset: return (int64_t)offset_of(in);
    default: return (int64_t)in[1].word;
    }
}

static void fill_place(wx_maker *m, const wx_ins *in, uint8_t *at, const wx_hole *h, const uint8_t *next) {
    const wx_anchor *a = m->p->anchor;
    uint32_t i = (uint32_t)(in - m->code);
    const uint8_t *to = next;
    if (h->kind == WX_HOLE_taken) add_fixup(m, (wx_fixup){at, at + 4, target_of(m->code, site_of(in, i))});
    else if (h->kind == WX_HOLE_outside) add_fixup(m, (wx_fixup){at, at + 4, WX_TO_OUTSIDE});
    else if (h->kind == WX_HOLE_library) to = (const uint8_t *)&a->library;
    else if (h->kind == WX_HOLE_pool) to = a->pool;
    int32_t distance = (int32_t)(to + h->addend - (at + 4));
    memcpy(at, &distance, 4);
}

static void fill(wx_maker *m, const wx_ins *in, uint8_t *code, const wx_hole *h, const uint8_t *next) {
    uint8_t *at = code + h->at;
    if (h->kind >= WX_HOLE_next) {
        fill_place(m, in, at, h, next);
        return;
    }
    int64_t value = value_of(m, in, h->kind) + h->addend;
    memcpy(at, &value, h->kind == WX_HOLE_word ? 8 : 4);
}

static void put_stencil(wx_maker *m, const wx_ins *in, uint32_t way) {
    const wx_stencil *s = &wx_stencils[op_of(m, in) + (m->constant != NULL)][way];
    const wx_hole *holes = wx_stencil_holes + s->first_hole;
    uint8_t *code = m->at;
    if (!s->exists) m->failed = true;
    wx_put(m, wx_stencil_code + s->at, s->size);
    for (uint32_t i = 0; i < s->holes && !m->failed; i++) fill(m, in, code, &holes[i], m->at);
}

// ---- Which way

static bool pops(const wx_maker *m, const wx_ins *in, uint32_t slot) {
    const shape *s = shape_of(m, in);
    return s->flags & POPS && (field(in, s->first) == slot || field(in, s->second) == slot);
}

static uint32_t index_of(const wx_maker *m, const wx_ins *in) { return (uint32_t)(in - m->code); }

// A constant for the next instruction alone, which fits into its own form with a constant.
static bool is_for_next(const wx_maker *m, const wx_ins *in) {
    if (in->op != I_CONST || in->a < m->p->body->locals || m->joins[index_of(m, in) + 2]) return false;
    uint8_t flags = shapes[in[2].op].flags;
    bool fits = flags & NARROW || (flags & WIDE && (int64_t)in[1].word == (int32_t)in[1].word);
    return fits && in[2].c == in->a;
}

// Is what the instruction gives popped by the next one, which then finds it in the register?
static bool is_passing(const wx_maker *m, const wx_ins *in) {
    const wx_ins *next = in + words_of(in);
    if (in->a < m->p->body->locals || m->joins[index_of(m, next)]) return false;
    return pops(m, is_for_next(m, next) ? next + 2 : next, in->a);
}

static bool is_guarded(const wx_maker *m, const wx_ins *in) {
    return !m->p->module->explicit_bounds && offset_of(in) <= WXRT_HIGH_GUARD - WXRT_LOW_GUARD;
}

static void put_instruction(wx_maker *m, const wx_ins *in) {
    const shape *s = shape_of(m, in);
    if (s->flags & BY_HAND) {
        wx_put_by_hand(m, in);
        return;
    }
    uint32_t way = field(in, s->first) == m->last ? WX_FROM_FIRST
                   : field(in, s->second) == m->last && !m->constant ? WX_FROM_SECOND : WX_FROM_SLOTS;
    if (s->flags & GIVES && is_passing(m, in)) way += WX_UNSTORED;
    if (s->flags & ACCESSES && is_guarded(m, in)) way += WX_GUARDED;
    put_stencil(m, in, way);
    if (s->flags & GIVES) m->last = in->a;
}

static void put_all(wx_maker *m) {
    wx_put_head(m);
    m->last = WX_NO_SLOT;
    for (uint32_t i = 0; i < m->len && !m->failed; i += words_of(&m->code[i])) {
        const wx_ins *in = &m->code[i];
        m->places[i] = m->at;
        if (m->joins[i]) m->last = WX_NO_SLOT;
        if (in->op == I_LOOP && m->p->loops) m->p->loops[in->off] = m->at;
        bool is_first = is_for_next(m, in);
        if (!is_first) put_instruction(m, in);
        m->constant = is_first ? in : NULL;
    }
}

bool wx_baseline_write(wx_piece *p, uint8_t *room, size_t size) {
    wx_maker m = {.p = p, .code = p->body->code, .at = room, .limit = room + size, .len = length_of(p->body)};
    m.joins = wx_xcalloc(m.len, 1);
    m.places = wx_xcalloc(m.len, sizeof *m.places);
    find_joins(&m);
    put_all(&m);
    uint8_t *outside = m.at;
    wx_put_tail(&m);
    if (!m.failed) fix(&m, outside);
    p->end = m.at;
    free(m.joins);
    free(m.places);
    free(m.fixups);
    return !m.failed;
}

// ---- The anchor

size_t wx_anchor_size(uint32_t func_count) { return sizeof(wx_anchor) + func_count * sizeof(void *); }

void wx_anchor_fill(wx_anchor *a, wx_interp *it) {
    a->it = it;
    a->callees[WX_CALL_MANY] = wx_interp_call_many;
    a->callees[WX_CALL_ACCESS] = wx_interp_access;
    a->callees[WX_CALL_IMPORT] = wx_interp_call_import;
    a->callees[WX_CALL_INDIRECT] = wx_interp_call_indirect;
    a->callees[WX_CALL_REF] = wx_interp_call_ref;
    a->library = (wx_library){ceilf, floorf, truncf, rintf, ceil, floor, trunc, rint};
    memcpy(a->pool, wx_stencil_pool, wx_stencil_pool_size < WX_POOL_ROOM ? wx_stencil_pool_size : WX_POOL_ROOM);
    for (uint32_t i = 0; i < it->m->func_count; i++)
        atomic_store_explicit(&a->entries[i], (void *)(uintptr_t)wx_baseline_miss, memory_order_relaxed);
}
