// interp/translate.c: a validated body to translated code, in one pass.
//
// The operand stack is followed as in validation. What local.get and constants push stays a promise until somebody
// needs it in a slot: most instructions read locals and small constants where they are, and what computes a local's new
// value writes it there. Promises are kept before anything that joins paths: blocks, loops, branches; so at a loop's
// head every operand is in its slot, which is what compiled code that goes on there expects.
#include <stdlib.h>
#include <string.h>

#include "interp/code.h"
#include "wasm/instr.h"

#define MOST_SLOTS 65000u
#define MOST_PROMISED 1000u // operands above are kept at once: a promise costs a look at every local.set
#define NOWHERE UINT32_MAX

enum form { F_NONE, F_ARITH, F_COMPARE, F_BINARY, F_UNARY, F_LOAD, F_STORE, F_MANY };

static const struct row { uint8_t form; uint16_t op; } rows[WX_OP_COUNT] = {
#define ARITH(name, ...) [WX_OP_##name] = {F_ARITH, I_##name},
#define COMPARE(name, ...) [WX_OP_##name] = {F_COMPARE, I_##name},
#define BINARY(name, ...) [WX_OP_##name] = {F_BINARY, I_##name},
#define UNARY(name, ...) [WX_OP_##name] = {F_UNARY, I_##name},
#define LOAD(name, ...) [WX_OP_##name] = {F_LOAD, I_##name},
#define STORE(name, ...) [WX_OP_##name] = {F_STORE, I_##name},
#define MANY(name) [WX_OP_##name] = {F_MANY, I_##name},
#define OWN(name)
#include "interp/ops.def"
};

// A comparison has four forms, one after the other: of slots, with a constant, and both of these as a branch.
#define COMPARISON(op) (((op) - I_I32_EQ) / 4)

static const uint16_t opposites[] = {
#define ARITH(name, ...)
#define COMPARE(name, T, expr, not) [COMPARISON(I_##name)] = I_##not,
#define BINARY(name, ...)
#define UNARY(name, ...)
#define LOAD(name, ...)
#define STORE(name, ...)
#define MANY(name)
#define OWN(name)
#include "interp/ops.def"
};

_Static_assert(I_I32_EQ < I_I64_GE_U && I_I64_GE_U + 4 == I_F32_EQ, "comparisons stand together");

typedef struct operand {
    enum { IN_SLOT, IN_LOCAL, IS_CONST } kind;
    bool is_32;    // constants
    uint32_t local;
    uint64_t bits;
} operand;

typedef struct label {
    wx_op op;              // WX_OP_BLOCK, WX_OP_LOOP, WX_OP_IF, WX_OP_ELSE
    uint32_t height;       // of the operand stack below its parameters
    uint32_t params, results;
    uint32_t head;         // loops: where a branch goes
    uint32_t ends;         // sites of branches to the end: a list through their offsets
    uint32_t otherwise;    // if: the site of the branch to the else part
} label;

typedef struct tr {
    wx_interp *it;
    const wx_module *m;
    const wx_func *func;
    wx_reader r;
    wx_ins *code;
    uint32_t len, cap, most;
    operand *stack;
    uint32_t height, stack_cap, highest;
    uint32_t solid;        // operands below are all in their slots
    label *labels;
    uint32_t depth, label_cap;
    uint32_t locals;
    uint32_t last;         // the last instruction, if it computed what is on top of the stack; or NOWHERE
    uint32_t loops;        // so far
    bool burdened;         // one has operands below it or as parameters
    bool dead, failed;
    uint32_t dead_depth;
} tr;

// ---- Code

static wx_ins *put(tr *t, wx_ins in) {
    if (t->len == t->cap) {
        t->cap = t->cap ? 2 * t->cap : 256;
        t->code = wx_xrealloc(t->code, t->cap * sizeof *t->code);
    }
    if (t->len > t->most) t->failed = true;
    t->code[t->len] = in;
    return &t->code[t->len++];
}

static wx_ins *put_op(tr *t, uint32_t op, uint32_t a, uint32_t b, uint32_t c) {
    t->last = NOWHERE;
    return put(t, (wx_ins){.op = (uint16_t)op, .a = (uint16_t)a, .b = (uint16_t)b, .c = (uint16_t)c});
}

static void put_word(tr *t, uint64_t word) { put(t, (wx_ins){.word = word}); }

// ---- Operands

static uint32_t slot_at(const tr *t, uint32_t position) { return t->locals + position; }

static void push(tr *t, operand o) {
    if (t->height == t->stack_cap) {
        t->stack_cap = t->stack_cap ? 2 * t->stack_cap : 64;
        t->stack = wx_xrealloc(t->stack, t->stack_cap * sizeof *t->stack);
    }
    t->stack[t->height++] = o;
    if (t->height > t->highest) t->highest = t->height;
    if (t->locals + t->height > MOST_SLOTS) t->failed = true;
}

// A result: into its own slot.
static uint32_t push_slot(tr *t) {
    push(t, (operand){.kind = IN_SLOT});
    return slot_at(t, t->height - 1);
}

static bool fits(const operand *o) {
    return o->is_32 ? (int32_t)(uint32_t)o->bits == (int16_t)o->bits : (int64_t)o->bits == (int16_t)o->bits;
}

static void put_constant(tr *t, uint32_t slot, const operand *o) {
    if (fits(o)) {
        put_op(t, o->is_32 ? I_SMALL32 : I_SMALL64, slot, (uint16_t)o->bits, 0);
        return;
    }
    put_op(t, I_CONST, slot, 0, 0);
    put_word(t, o->bits);
}

static void move_to(tr *t, uint32_t slot, uint32_t position) {
    const operand *o = &t->stack[position];
    if (o->kind == IS_CONST) put_constant(t, slot, o);
    else put_op(t, I_MOVE, slot, o->kind == IN_LOCAL ? o->local : slot_at(t, position), 0);
}

static void keep(tr *t, uint32_t position) {
    if (t->stack[position].kind == IN_SLOT) return;
    move_to(t, slot_at(t, position), position);
    t->stack[position].kind = IN_SLOT;
}

static void keep_all(tr *t) {
    for (; t->solid < t->height; t->solid++) keep(t, t->solid);
}

static void keep_local(tr *t, uint32_t local) {
    for (uint32_t i = t->solid; i < t->height; i++)
        if (t->stack[i].kind == IN_LOCAL && t->stack[i].local == local) keep(t, i);
}

static void lower(tr *t, uint32_t height) {
    t->height = height;
    if (t->solid > height) t->solid = height;
}

// Where the operand can be read from: made to be in a slot if it is a constant.
static uint32_t place_of(tr *t, uint32_t position) {
    const operand *o = &t->stack[position];
    if (o->kind == IN_LOCAL) return o->local;
    keep(t, position);
    return slot_at(t, position);
}

static uint32_t pop_place(tr *t) {
    uint32_t place = place_of(t, t->height - 1);
    lower(t, t->height - 1);
    return place;
}

// The topmost n in their slots, one after the other; popped. Returns the first slot.
static uint32_t pop_many(tr *t, uint32_t n) {
    for (uint32_t i = t->height - n; i < t->height; i++) keep(t, i);
    lower(t, t->height - n);
    return slot_at(t, t->height);
}

static void push_many(tr *t, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) push_slot(t);
    t->last = NOWHERE;
}

static void computed(tr *t, uint32_t at) { t->last = at; }

// ---- Labels

static label *label_at(tr *t, uint32_t depth) { return &t->labels[t->depth - 1 - depth]; }

// A branch to a place that is not known yet: into the list. The site's own place holds the next one's number.
static void put_site(tr *t, label *l, uint32_t site) {
    if (l->op == WX_OP_LOOP) {
        t->code[site].off = (int32_t)(l->head - site);
        return;
    }
    t->code[site].off = (int32_t)l->ends;
    l->ends = site;
}

static void land(tr *t, uint32_t site) { t->code[site].off = (int32_t)(t->len - site); }

static void land_all(tr *t, uint32_t sites) {
    for (uint32_t next; sites != NOWHERE; sites = next) {
        next = (uint32_t)t->code[sites].off;
        land(t, sites);
    }
    t->last = NOWHERE;
}

static uint32_t arity(const label *l) { return l->op == WX_OP_LOOP ? l->params : l->results; }

static bool needs_moves(const tr *t, const label *l) {
    uint32_t n = arity(l);
    if (n && t->height - n != l->height) return true;
    for (uint32_t i = t->height - n; i < t->height; i++)
        if (t->stack[i].kind != IN_SLOT) return true;
    return false;
}

// What a branch carries, to where the label wants it. Upwards: no place is written before it was read.
static void put_moves(tr *t, const label *l) {
    uint32_t n = arity(l), from = t->height - n;
    for (uint32_t i = 0; i < n; i++)
        if (t->stack[from + i].kind != IN_SLOT || from != l->height) move_to(t, slot_at(t, l->height + i), from + i);
}

static void put_branch(tr *t, label *l) {
    put_moves(t, l);
    put_op(t, I_BR, 0, 0, 0);
    put_site(t, l, t->len - 1);
}

static void set_dead(tr *t) {
    t->dead = true;
    t->dead_depth = 0;
}

// ---- Conditions: a comparison that was the last instruction becomes a branch

static bool is_comparison(const tr *t) {
    if (t->last == NOWHERE || t->stack[t->height - 1].kind != IN_SLOT) return false;
    uint16_t op = t->code[t->last].op;
    return (op >= I_I32_EQ && op < I_F32_EQ) || op == I_I32_EQZ || op == I_I64_EQZ;
}

// Pops the condition; a branch when it holds, or when it does not. Returns the site of its offset.
static uint32_t put_condition(tr *t, bool when) {
    if (!is_comparison(t)) {
        uint32_t place = pop_place(t);
        put_op(t, when ? I_BR_IF : I_BR_UNLESS, place, 0, 0);
        return t->len - 1;
    }
    wx_ins in = t->code[t->last];
    t->len = t->last;
    lower(t, t->height - 1);
    if (in.op == I_I32_EQZ || in.op == I_I64_EQZ) {
        bool wide = in.op == I_I64_EQZ;
        put_op(t, when ? (wide ? I_BR_NULL : I_BR_UNLESS) : wide ? I_BR_REF : I_BR_IF, in.b, 0, 0);
        return t->len - 1;
    }
    uint32_t which = COMPARISON(in.op), form = in.op - I_I32_EQ - 4 * which;
    put_op(t, (when ? I_I32_EQ + 4 * which : opposites[which]) + form + 2, 0, in.b, in.c);
    put_word(t, 0);
    return t->len - 1;
}

// ---- Instructions by form

static void two(tr *t, const struct row *row) {
    bool may_be_constant = row->form == F_ARITH || row->form == F_COMPARE;
    const operand *b = &t->stack[t->height - 1];
    bool constant = may_be_constant && b->kind == IS_CONST && fits(b);
    uint32_t right = constant ? (uint16_t)b->bits : place_of(t, t->height - 1);
    uint32_t left = place_of(t, t->height - 2);
    lower(t, t->height - 2);
    uint32_t to = push_slot(t);
    put_op(t, row->op + constant, to, left, right);
    computed(t, t->len - 1);
}

static void one(tr *t, uint32_t op) {
    uint32_t from = pop_place(t), to = push_slot(t);
    put_op(t, op, to, from, 0);
    computed(t, t->len - 1);
}

static bool is_plain(const tr *t, const wx_instr *in) {
    return in->a == 0 && in->offset <= UINT16_MAX && !t->m->memories[0].limits.is64;
}

static void access(tr *t, const wx_instr *in, const struct row *row) {
    bool stores = row->form == F_STORE, plain = is_plain(t, in);
    uint32_t value = stores ? pop_place(t) : 0, at = pop_place(t);
    uint32_t a = stores ? at : push_slot(t), b = stores ? value : at;
    uint32_t at_op = t->len;
    put_op(t, plain ? row->op : I_ACCESS, a, b, plain ? (uint32_t)in->offset : row->op);
    if (!plain) put_word(t, in->offset), put_word(t, in->a);
    if (!stores) computed(t, at_op);
}

static void many(tr *t, const wx_instr *in, const struct row *row) {
    static const uint8_t operands[WX_OP_COUNT] = {
        [WX_OP_MEMORY_GROW] = 1, [WX_OP_MEMORY_INIT] = 3, [WX_OP_MEMORY_COPY] = 3, [WX_OP_MEMORY_FILL] = 3,
        [WX_OP_TABLE_GET] = 1, [WX_OP_TABLE_SET] = 2, [WX_OP_TABLE_INIT] = 3, [WX_OP_TABLE_COPY] = 3,
        [WX_OP_TABLE_GROW] = 2, [WX_OP_TABLE_FILL] = 3,
    };
    bool gives = in->op == WX_OP_MEMORY_SIZE || in->op == WX_OP_MEMORY_GROW || in->op == WX_OP_TABLE_GET ||
                 in->op == WX_OP_TABLE_GROW || in->op == WX_OP_TABLE_SIZE;
    wx_imm imm = wx_ops[in->op].imm;
    bool pair = imm == WX_IMM_DATA_MEMORY || imm == WX_IMM_ELEM_TABLE || imm == WX_IMM_MEMORY_MEMORY ||
                imm == WX_IMM_TABLE_TABLE;
    uint32_t first = pop_many(t, operands[in->op]);
    if (gives) push_many(t, 1);
    put_op(t, row->op, first, 0, 0);
    put_word(t, in->a | (uint64_t)(pair ? in->b : 0) << 32);
}

static bool by_form(tr *t, const wx_instr *in) {
    const struct row *row = &rows[in->op];
    switch ((enum form)row->form) {
    case F_ARITH: case F_COMPARE: case F_BINARY: two(t, row); return true;
    case F_UNARY: one(t, row->op); return true;
    case F_LOAD: case F_STORE: access(t, in, row); return true;
    case F_MANY: many(t, in, row); return true;
    default: return false;
    }
}

// ---- Variables

static void set_local(tr *t, uint32_t local) {
    uint32_t top = t->height - 1, made = t->stack[top].kind == IN_SLOT ? t->last : NOWHERE, len = t->len;
    lower(t, top);
    keep_local(t, local);
    if (made != NOWHERE && t->len == len) {
        t->code[made].a = (uint16_t)local;
        t->last = NOWHERE;
    } else if (!(t->stack[top].kind == IN_LOCAL && t->stack[top].local == local)) {
        move_to(t, local, top);
    }
}

static void get_local(tr *t, uint32_t local) {
    push(t, (operand){.kind = IN_LOCAL, .local = local});
    if (t->height > MOST_PROMISED) keep(t, t->height - 1);
    t->last = NOWHERE;
}

static void push_constant(tr *t, uint64_t bits, bool is_32) {
    push(t, (operand){.kind = IS_CONST, .bits = is_32 ? (uint32_t)bits : bits, .is_32 = is_32});
    t->last = NOWHERE;
}

static bool has_32_bits(wx_type type) { return type == WX_I32 || type == WX_F32; }

static void global(tr *t, const wx_instr *in) {
    const wx_global *g = &t->m->globals[in->a];
    bool gets = in->op == WX_OP_GLOBAL_GET, far = g->import != WX_NO_INDEX;
    if (g->type == WX_V128) t->failed = true;
    uint32_t op = (gets ? I_GET32 : I_SET32) + !has_32_bits(g->type) + (far ? I_GET32_FAR - I_GET32 : 0);
    uint32_t slot = gets ? push_slot(t) : pop_place(t), at = t->len;
    put_op(t, op, slot, 0, 0);
    put_word(t, (uint64_t)wxrt_area_offset(t->it->layout->globals, in->a * sizeof(wasmx_value)));
    if (gets) computed(t, at);
}

_Static_assert(I_GET64_FAR - I_GET64 == I_SET32_FAR - I_SET32 && I_SET64 == I_SET32 + 1, "global");

static void reference(tr *t, uint32_t func) {
    put_op(t, I_ADDRESS, push_slot(t), 0, 0);
    put_word(t, (uint64_t)wxrt_area_offset(t->it->layout->refs, t->it->funcdesc[func] * sizeof(wasmx_func)));
}

static void choose_value(tr *t) {
    uint32_t n = t->height, condition = place_of(t, n - 1), otherwise = place_of(t, n - 2), then = place_of(t, n - 3);
    lower(t, n - 3);
    uint32_t at = t->len;
    put_op(t, I_SELECT, push_slot(t), then, otherwise);
    put_word(t, condition);
    computed(t, at);
}

// ---- Calls

static bool has_vectors(const wx_typedef *f) {
    for (uint32_t i = 0; i < f->param_count; i++)
        if (f->params[i] == WX_V128) return true;
    for (uint32_t i = 0; i < f->result_count; i++)
        if (f->results[i] == WX_V128) return true;
    return false;
}

// Frames have room for the results where the arguments were: push_many counts them.
static void call(tr *t, uint32_t op, uint32_t type, uint32_t b, uint32_t c, uint64_t word) {
    const wx_typedef *f = &t->m->types[type];
    if (has_vectors(f)) t->failed = true;
    uint32_t first = pop_many(t, f->param_count);
    put_op(t, op, first, b, c);
    put_word(t, word);
    push_many(t, f->result_count);
}

static void direct_call(tr *t, uint32_t func) {
    bool import = t->m->funcs[func].import != WX_NO_INDEX;
    call(t, import ? I_CALL_IMPORT : I_CALL, t->m->funcs[func].type, 0, 0, func);
}

// ---- Blocks

static void block_type(tr *t, const wx_instr *in, label *l) {
    l->params = l->results = 0;
    if (in->block_type.is_index) {
        const wx_typedef *f = &t->m->types[in->block_type.index];
        l->params = f->param_count, l->results = f->result_count;
        if (has_vectors(f)) t->failed = true;
    } else if (in->block_type.result != WX_NONE) {
        l->results = 1;
        if (in->block_type.result == WX_V128) t->failed = true;
    }
}

static label *open_label(tr *t, wx_op op) {
    if (t->depth == t->label_cap) {
        t->label_cap = t->label_cap ? 2 * t->label_cap : 32;
        t->labels = wx_xrealloc(t->labels, t->label_cap * sizeof *t->labels);
    }
    label *l = &t->labels[t->depth++];
    *l = (label){.op = op, .ends = NOWHERE, .otherwise = NOWHERE};
    return l;
}

static void open_block(tr *t, const wx_instr *in) {
    uint32_t otherwise = NOWHERE;
    if (in->op == WX_OP_IF) {
        uint32_t top = t->height - 1; // promises below the condition are kept before it is looked at
        uint32_t len = t->len;
        for (uint32_t i = t->solid; i < top; i++) keep(t, i);
        if (t->len != len) t->last = NOWHERE;
        otherwise = put_condition(t, false);
    }
    keep_all(t);
    label *l = open_label(t, in->op);
    block_type(t, in, l);
    l->height = t->height - l->params;
    l->otherwise = otherwise;
    t->last = NOWHERE;
    if (in->op != WX_OP_LOOP) return;
    l->head = t->len;
    if (t->height) t->burdened = true;
    put_op(t, I_LOOP, 0, 0, 0)->off = (int32_t)++t->loops;
}

static void fall_to_end(tr *t, label *l) {
    if (t->dead) return;
    for (uint32_t i = t->height - l->results; i < t->height; i++) keep(t, i);
}

static void resume(tr *t, uint32_t height, uint32_t n) {
    t->dead = false;
    lower(t, height);
    push_many(t, n);
    t->solid = t->height;
}

static void begin_else(tr *t) {
    label *l = label_at(t, 0);
    if (!t->dead) put_branch(t, l);
    land(t, l->otherwise);
    l->otherwise = NOWHERE;
    l->op = WX_OP_ELSE;
    resume(t, l->height, l->params);
}

static void put_return(tr *t, uint32_t n) {
    if (n == 0) put_op(t, I_RETURN, 0, 0, 0);
    else if (n == 1) put_op(t, I_RETURN_ONE, place_of(t, t->height - 1), 0, 0);
    else {
        for (uint32_t i = t->height - n; i < t->height; i++) keep(t, i);
        put_op(t, I_RETURN_MANY, slot_at(t, t->height - n), n, 0);
    }
}

static void close_block(tr *t) {
    label *l = label_at(t, 0);
    fall_to_end(t, l);
    // An if without else: its parameters are its results, and stand where they stood.
    if (l->otherwise != NOWHERE) land(t, l->otherwise), t->dead = false;
    bool reached = !t->dead || l->ends != NOWHERE;
    if (l->op != WX_OP_LOOP) land_all(t, l->ends);
    t->depth--;
    uint32_t height = l->height, n = l->results;
    if (!reached) {
        lower(t, height);
        set_dead(t);
        return;
    }
    resume(t, height, n);
    if (t->depth == 0) put_return(t, n);
}

// ---- Branches

static void branch_if(tr *t, label *l) {
    uint32_t top = t->height - 1;
    t->height = top; // as the branch will see it
    bool moves = needs_moves(t, l);
    t->height = top + 1;
    uint32_t site = put_condition(t, !moves);
    if (!moves) {
        put_site(t, l, site);
    } else {
        put_branch(t, l);
        land(t, site);
    }
    t->last = NOWHERE;
}

static void branch_on_null(tr *t, label *l, bool on_null) {
    uint32_t top = t->height - 1;
    keep(t, top);
    uint32_t place = slot_at(t, top);
    if (on_null) lower(t, top);
    bool moves = needs_moves(t, l);
    put_op(t, on_null != moves ? I_BR_NULL : I_BR_REF, place, 0, 0);
    uint32_t site = t->len - 1;
    if (!moves) put_site(t, l, site);
    else put_branch(t, l), land(t, site);
    if (on_null) push_slot(t);
    else lower(t, top);
    t->last = NOWHERE;
}

// Targets that want values elsewhere are reached by way of code behind the table.
static void branch_table(tr *t, const wx_instr *in) {
    wx_error none = {0};
    wx_reader r = wx_reader_make(in->labels.at, &none);
    uint32_t count = in->labels.count, place = pop_place(t);
    put_op(t, I_BR_TABLE, place, 0, 0)->off = (int32_t)count;
    uint32_t first = t->len;
    for (uint32_t i = 0; i <= count; i++) put_word(t, 0);
    for (uint32_t i = 0; i <= count && !t->failed; i++) {
        label *l = label_at(t, wx_label_read(&r));
        if (needs_moves(t, l)) land(t, first + i), put_branch(t, l);
        else put_site(t, l, first + i);
    }
    set_dead(t);
}

// ---- All of them

static void refuse(tr *t) { t->failed = true; }

static void other(tr *t, const wx_instr *in) {
    switch (in->op) {
    case WX_OP_NOP: break;
    case WX_OP_UNREACHABLE: put_op(t, I_TRAP, WASMX_TRAP_UNREACHABLE, 0, 0); set_dead(t); break;
    case WX_OP_BLOCK: case WX_OP_LOOP: case WX_OP_IF: open_block(t, in); break;
    case WX_OP_ELSE: begin_else(t); break;
    case WX_OP_END: close_block(t); break;
    case WX_OP_BR: put_branch(t, label_at(t, in->a)); set_dead(t); break;
    case WX_OP_BR_IF: branch_if(t, label_at(t, in->a)); break;
    case WX_OP_BR_TABLE: branch_table(t, in); break;
    case WX_OP_BR_ON_NULL: branch_on_null(t, label_at(t, in->a), true); break;
    case WX_OP_BR_ON_NON_NULL: branch_on_null(t, label_at(t, in->a), false); break;
    case WX_OP_RETURN: put_return(t, t->labels[0].results); set_dead(t); break;
    case WX_OP_CALL: direct_call(t, in->a); break;
    case WX_OP_CALL_INDIRECT: {
        uint32_t index = pop_place(t);
        if (in->b > UINT16_MAX || !t->m->types[in->a].final) refuse(t); // types are compared for equality
        call(t, I_CALL_INDIRECT, in->a, index, in->b, in->a);
        break;
    }
    case WX_OP_CALL_REF: {
        uint32_t ref = pop_place(t);
        call(t, I_CALL_REF, in->a, ref, 0, in->a);
        break;
    }
    case WX_OP_DROP: lower(t, t->height - 1); t->last = NOWHERE; break;
    case WX_OP_SELECT: choose_value(t); break;
    case WX_OP_SELECT_T: in->type == WX_V128 ? refuse(t) : choose_value(t); break;
    case WX_OP_LOCAL_GET: get_local(t, in->a); break;
    case WX_OP_LOCAL_SET: set_local(t, in->a); break;
    case WX_OP_LOCAL_TEE: set_local(t, in->a); get_local(t, in->a); break;
    case WX_OP_GLOBAL_GET: case WX_OP_GLOBAL_SET: global(t, in); break;
    case WX_OP_I32_CONST: case WX_OP_F32_CONST: push_constant(t, in->bits, true); break;
    case WX_OP_I64_CONST: case WX_OP_F64_CONST: push_constant(t, in->bits, false); break;
    case WX_OP_REF_NULL: push_constant(t, 0, false); break;
    case WX_OP_REF_FUNC: reference(t, in->a); break;
    case WX_OP_REF_AS_NON_NULL: put_op(t, I_CHECK_REF, place_of(t, t->height - 1), 0, 0); break;
    default: refuse(t); break;
    }
}

// In unreachable code only the nesting is followed. True when the instruction was passed over.
static bool skip_dead(tr *t, const wx_instr *in) {
    if (!t->dead) return false;
    switch (in->op) {
    case WX_OP_BLOCK: case WX_OP_LOOP: case WX_OP_IF: case WX_OP_TRY: case WX_OP_TRY_TABLE:
        t->dead_depth++;
        return true;
    case WX_OP_DELEGATE:
        if (t->dead_depth) t->dead_depth--;
        return true;
    case WX_OP_ELSE:
        return t->dead_depth > 0;
    case WX_OP_END:
        if (t->dead_depth == 0) return false;
        t->dead_depth--;
        return true;
    default:
        return true;
    }
}

static bool declare_locals(tr *t, const wx_typedef *f) {
    t->locals = f->param_count + t->func->local_count;
    if (t->func->local_count > MOST_SLOTS || t->locals > MOST_SLOTS || has_vectors(f)) return false;
    uint32_t groups = wx_read_u32(&t->r);
    for (uint32_t g = 0; g < groups; g++) {
        uint32_t count = wx_read_u32(&t->r);
        if (wx_read_value_type(&t->r) == WX_V128 && count) return false;
    }
    return true;
}

static wx_body *finish(tr *t, const wx_typedef *f) {
    put_op(t, I_RUN_OUT, 0, 0, 0);
    wx_body *body = wx_arena_alloc(&t->it->arena, sizeof *body + t->len * sizeof *t->code);
    body->slots = t->locals + t->highest + f->result_count + WX_SLACK;
    body->params = f->param_count;
    body->results = f->result_count;
    body->locals = t->locals;
    memcpy(body->code, t->code, t->len * sizeof *t->code);
    return body;
}

wx_body *wx_translate(wx_interp *it, uint32_t func) {
    wx_error none = {0};
    const wx_typedef *f = wx_func_type(it->m, func);
    tr t = {.it = it, .m = it->m, .func = &it->m->funcs[func], .last = NOWHERE};
    t.r = wx_reader_make(t.func->code, &none);
    t.most = 1000 + 16 * (uint32_t)t.func->code.len;
    bool ok = declare_locals(&t, f);
    if (ok) {
        label *body = open_label(&t, WX_OP_BLOCK);
        body->results = f->result_count;
    }
    for (wx_instr in; ok && t.depth && !t.failed;) {
        wx_instr_read(&t.r, &in);
        if (!skip_dead(&t, &in) && !by_form(&t, &in)) other(&t, &in);
    }
    wx_body *body = ok && !t.failed ? finish(&t, f) : NULL;
    atomic_store_explicit(&it->funcs[func].has_entries, body && !t.burdened, memory_order_relaxed);
    free(t.code);
    free(t.stack);
    free(t.labels);
    return body;
}
