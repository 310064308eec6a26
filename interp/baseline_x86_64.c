// interp/baseline_x86_64.c: what is not in stencils, for x86-64: frames, calls, jumps.
//
//   r12: the frame   r13: ctx   r14, r15: memory 0's base and record   rdi: the last result   rbp: the frame pointer
//   [rbp - 8]: the caller's r12   [rbp - 16]: where the arguments are   [r12]: the slots   rsp + 8: a multiple of 16
//
// r12 to r15 are kept by callees in this tier and in C. At entry rdi is the address of the arguments; a single result
// is also left in rdi.
#include <stddef.h>
#include <string.h>

#include "interp/baseline.h"

const bool wx_has_baseline = true;
const uint32_t wx_native_entry_bytes = 17;

_Static_assert(offsetof(struct wasmx_table, elems) == 0 && offsetof(struct wasmx_table, size) == 8, "tables");
_Static_assert(sizeof(wxrt_slot) == 32 && offsetof(wxrt_slot, code) == 8 && offsetof(wxrt_slot, ctx) == 16, "elements");
_Static_assert(offsetof(struct wasmx_memory, base) == 0, "the assembly");

#define MOST_MOVES 64u // of zeros; more are a string instruction

#define PUT(m, bytes) wx_put(m, bytes, sizeof bytes - 1)

static void put_slot(wx_maker *m, const char *opcode, size_t n, uint32_t slot) { // an instruction with [r12 + slot]
    wx_put(m, opcode, n);
    wx_put_32(m, 8 * (int64_t)slot);
}
#define PUT_SLOT(m, opcode, slot) put_slot(m, opcode, sizeof opcode - 1, slot)

static void put_trap(wx_maker *m, wasmx_status kind) { // ud1l kind(%eax), %eax
    wx_put(m, (uint8_t[]){0x67, 0x0f, 0xb9, 0x40, (uint8_t)kind}, 5);
}

// ---- Head and tail

static uint64_t frame_bytes(const wx_body *b) { return ((uint64_t)b->slots * 8 + 8 + 15) / 16 * 16; }

// Traps before anything is written below the frame pointer's two words.
static void put_stack_check(wx_maker *m) {
    int64_t limit = wxrt_area_offset(0, offsetof(wasmx_instance, stack_limit));
    PUT(m, "\x48\x8d\x84\x24"); // lea -frame(%rsp), %rax
    wx_put_32(m, -(int64_t)frame_bytes(m->p->body));
    PUT(m, "\x49\x3b\x85"); // cmp limit(%r13), %rax
    wx_put_32(m, limit);
    PUT(m, "\x73\x05"); // jae behind the trap
    put_trap(m, WASMX_TRAP_STACK_EXHAUSTED);
    PUT(m, "\x48\x89\xc4"); // mov %rax, %rsp
}

static void put_look(wx_maker *m) {
    if (!m->p->module->interrupt_at) return;
    PUT(m, "\x41\x8b\x85"); // mov -interrupt_at(%r13), %eax
    wx_put_32(m, -(int64_t)m->p->module->interrupt_at);
}

static void put_zeros(wx_maker *m, uint32_t first, uint32_t n) {
    if (n > MOST_MOVES) {
        PUT_SLOT(m, "\x49\x8d\xbc\x24", first); // lea first(%r12), %rdi
        PUT(m, "\xb9"); // mov $n, %ecx
        wx_put_32(m, n);
        PUT(m, "\xf3\x48\xab"); // rep stos
        return;
    }
    if (n > 1) PUT(m, "\x0f\x57\xc0"); // xorps %xmm0, %xmm0
    for (; n > 1; n -= 2, first += 2) PUT_SLOT(m, "\x41\x0f\x11\x84\x24", first); // movups %xmm0, first(%r12)
    if (n) PUT_SLOT(m, "\x49\x89\x84\x24", first); // mov %rax, first(%r12)
}

// For native callers: as a stub's way into the interpreter, but what is called has a frame that names it.
static void put_native_entry(wx_maker *m) {
    const wx_interp *it = m->p->anchor->it;
    PUT(m, "\x55\x48\x89\xe5\x41\xbb"); // push %rbp; mov %rsp, %rbp; mov $slot, %r11d
    wx_put_32(m, WX_MADE_SLOT(it, m->p->func));
    PUT(m, "\xe8"); // call common
    wx_put_to(m, it->stubs->code);
    PUT(m, "\x5d\xc3"); // pop %rbp; ret
}

void wx_put_head(wx_maker *m) {
    const wx_body *b = m->p->body;
    if (m->p->loops) {
        m->p->entry = m->p->loops[0] = m->at;
        return;
    }
    put_native_entry(m);
    m->p->entry = m->at;
    PUT(m, "\x55\x48\x89\xe5\x41\x54\x57"); // push %rbp; mov %rsp, %rbp; push %r12; push %rdi
    put_stack_check(m);
    PUT(m, "\x4c\x8d\x64\x24\x08"); // lea 8(%rsp), %r12
    put_look(m);
    for (uint32_t i = 0; i < b->params; i++) {
        PUT(m, "\x48\x8b\x8f"); // mov i(%rdi), %rcx
        wx_put_32(m, 8 * (int64_t)i);
        PUT_SLOT(m, "\x49\x89\x8c\x24", i); // mov %rcx, i(%r12)
    }
    PUT(m, "\x31\xc0\x48\x89\x04\x24"); // xor %eax, %eax; mov %rax, (%rsp): no return address that backtraces could see
    put_zeros(m, b->params, b->locals - b->params);
}

size_t wx_head_bound(const wx_piece *p) { return 128 + 16 * (size_t)p->body->params + 8 * MOST_MOVES; }

void wx_put_tail(wx_maker *m) { put_trap(m, WASMX_TRAP_MEMORY_OUT_OF_BOUNDS); }

static void put_leave(wx_maker *m) { PUT(m, "\x4c\x8b\x65\xf8\xc9\xc3"); } // mov -8(%rbp), %r12; leave; ret

static void put_return_one(wx_maker *m, uint32_t slot) {
    if (slot != m->last) PUT_SLOT(m, "\x49\x8b\xbc\x24", slot); // mov slot(%r12), %rdi
    PUT(m, "\x48\x8b\x4d\xf0\x48\x89\x39"); // mov -16(%rbp), %rcx; mov %rdi, (%rcx)
    put_leave(m);
}

// A string instruction: copies upwards, as a frame's own first slots need it.
static void put_return_many(wx_maker *m, uint32_t first, uint32_t n) {
    PUT_SLOT(m, "\x49\x8d\xb4\x24", first); // lea first(%r12), %rsi
    PUT(m, "\x48\x8b\x7d\xf0\xb9"); // mov -16(%rbp), %rdi; mov $n, %ecx
    wx_put_32(m, n);
    PUT(m, "\xf3\x48\xa5"); // rep movs
    put_leave(m);
}

// ---- Jumps

static void put_index(wx_maker *m, uint32_t slot) {
    if (slot == m->last) PUT(m, "\x89\xf8"); // mov %edi, %eax
    else PUT_SLOT(m, "\x41\x8b\x84\x24", slot); // mov slot(%r12), %eax
}

static void put_jump(wx_maker *m, uint32_t target) {
    PUT(m, "\xe9");
    wx_put_branch(m, target);
}

static void put_table_entry(wx_maker *m, const uint8_t *table, uint32_t target) {
    wx_put_branch(m, target);
    if (!m->failed) m->fixups[m->fixup_count - 1].from = table;
}

// Through distances from the table, which stands behind the jump.
static void put_table(wx_maker *m, const wx_ins *in) {
    uint32_t n = (uint32_t)in->off, i = (uint32_t)(in - m->code);
    put_index(m, in->a);
    PUT(m, "\xb9"); // mov $n, %ecx
    wx_put_32(m, n);
    PUT(m, "\x39\xc8\x0f\x43\xc1\x48\x8d\x0d"); // cmp %ecx, %eax; cmovae %ecx, %eax; lea table(%rip), %rcx
    wx_put_32(m, 9);
    PUT(m, "\x48\x63\x04\x81\x48\x01\xc8\xff\xe0"); // movslq (%rcx, %rax, 4), %rax; add %rcx, %rax; jmp *%rax
    const uint8_t *table = m->at;
    for (uint32_t k = 0; k <= n; k++) put_table_entry(m, table, i + 1 + k + (uint32_t)in[1 + k].off);
}

// ---- Calls

static void put_call(wx_maker *m, uint32_t func, uint32_t args) {
    const wx_anchor *a = m->p->anchor;
    PUT_SLOT(m, "\x49\x8d\xbc\x24", args); // lea args(%r12), %rdi
    void *code = atomic_load_explicit(&a->entries[func], memory_order_acquire);
    if (func == m->p->func && !m->p->loops) code = m->p->entry;
    if (code != (void *)(uintptr_t)wx_baseline_miss) {
        PUT(m, "\xe8"); // call code
        wx_put_to(m, code);
        return;
    }
    PUT(m, "\xb8"); // mov $func, %eax
    wx_put_32(m, func);
    PUT(m, "\x48\x8b\x35"); // mov it(%rip), %rsi
    wx_put_to(m, &a->it);
    PUT(m, "\xff\x15"); // call *entries[func](%rip)
    wx_put_to(m, (const void *)&a->entries[func]);
}

// C that reads the instruction.
static void put_callee(wx_maker *m, enum wx_callee which, const wx_ins *in) {
    const wx_anchor *a = m->p->anchor;
    PUT(m, "\x50\x48\x8b\x3d"); // push %rax; mov it(%rip), %rdi
    wx_put_to(m, &a->it);
    PUT(m, "\x4c\x89\xee\x4c\x89\xe2\x48\xb9"); // mov %r13, %rsi; mov %r12, %rdx; movabs $in, %rcx
    wx_put(m, &in, 8);
    PUT(m, "\xff\x15"); // call *callee(%rip)
    wx_put_to(m, (const void *)&a->callees[which]);
    PUT(m, "\x59"); // pop %rcx
}

// ---- Calls through tables: what is not a function of this module with that type is left to C

#define MOST_EXITS 4
typedef struct exits { uint8_t *at[MOST_EXITS]; uint32_t count; } exits;

static void put_exit(wx_maker *m, exits *e, uint8_t condition) { // jcc
    wx_put(m, (uint8_t[]){0x0f, condition, 0, 0, 0, 0}, 6);
    e->at[e->count++] = m->at - 4;
}
enum { IF_NOT_BELOW = 0x83, IF_NOT_EQUAL = 0x85 };

static void land(wx_maker *m, const exits *e) {
    for (uint32_t i = 0; i < e->count && !m->failed; i++) {
        int32_t distance = (int32_t)(m->at - (e->at[i] + 4));
        memcpy(e->at[i], &distance, 4);
    }
}

// The function's index to rax, from a table that never changes.
static void put_constant_target(wx_maker *m, const wx_ins *in, exits *e) {
    const wx_interp *it = m->p->anchor->it;
    const wx_target *targets = it->targets[in->c];
    PUT(m, "\x3d"); // cmp $size, %eax
    wx_put_32(m, (int64_t)it->m->tables[in->c].limits.min);
    put_exit(m, e, IF_NOT_BELOW);
    PUT(m, "\x48\xb9"); // movabs $targets, %rcx
    wx_put(m, &targets, 8);
    PUT(m, "\x48\x8b\x04\xc1\x3d"); // mov (%rcx, %rax, 8), %rax; cmp $type, %eax
    wx_put_32(m, it->m->types[in[1].word].canon + 1);
    put_exit(m, e, IF_NOT_EQUAL);
    PUT(m, "\x48\xc1\xe8\x20"); // shr $32, %rax
}

// The same from any table of function references. A function of this instance is its stub there, whose number is the
// index; another place in the stubs becomes a number that is too large.
static void put_changing_target(wx_maker *m, const wx_ins *in, exits *e) {
    const wx_interp *it = m->p->anchor->it;
    const uint64_t *type = m->p->module->types[in[1].word].id;
    PUT(m, "\x49\x8b\x8d"); // mov table(%r13), %rcx
    wx_put_32(m, wxrt_area_offset(it->layout->tables, in->c * sizeof(wasmx_table *)));
    PUT(m, "\x48\x3b\x41\x08"); // cmp size(%rcx), %rax
    put_exit(m, e, IF_NOT_BELOW);
    PUT(m, "\x48\xc1\xe0\x05\x48\x03\x01\x48\xb9"); // shl $5, %rax; add elems(%rcx), %rax; movabs $type, %rcx
    wx_put(m, type, 8);
    PUT(m, "\x48\x39\x08"); // cmp %rcx, type(%rax)
    put_exit(m, e, IF_NOT_EQUAL);
    PUT(m, "\x4c\x3b\x68\x10"); // cmp ctx(%rax), %r13
    put_exit(m, e, IF_NOT_EQUAL);
    PUT(m, "\x48\x8b\x40\x08\x48\x8d\x0d"); // mov code(%rax), %rax; lea stubs(%rip), %rcx
    wx_put_to(m, wx_stub_at(it->stubs, 0));
    PUT(m, "\x48\x29\xc8\x48\xc1\xc8\x05\x48\x3d"); // sub %rcx, %rax; ror $5, %rax; cmp $func_count, %rax
    wx_put_32(m, it->m->func_count);
    put_exit(m, e, IF_NOT_BELOW);
}

static bool is_plain_table(const wx_interp *it, uint32_t table) {
    const wx_limits *l = &it->m->tables[table].limits;
    bool near = wxrt_area_offset(it->layout->tables, 0) > INT32_MIN && it->m->func_count <= INT32_MAX;
    return !l->is64 && near && (!it->targets[table] || l->min <= INT32_MAX);
}

// rax: the function's index
static void put_call_of_index(wx_maker *m, uint32_t args) {
    const wx_anchor *a = m->p->anchor;
    PUT_SLOT(m, "\x49\x8d\xbc\x24", args); // lea args(%r12), %rdi
    PUT(m, "\x48\x8b\x35"); // mov it(%rip), %rsi
    wx_put_to(m, &a->it);
    PUT(m, "\x48\x8d\x0d"); // lea entries(%rip), %rcx
    wx_put_to(m, (const void *)a->entries);
    PUT(m, "\xff\x14\xc1"); // call *(%rcx, %rax, 8)
}

static void put_call_indirect(wx_maker *m, const wx_ins *in) {
    const wx_interp *it = m->p->anchor->it;
    exits slow = {0}, done = {0};
    if (is_plain_table(it, in->c)) {
        put_index(m, in->b);
        if (it->targets[in->c]) put_constant_target(m, in, &slow);
        else put_changing_target(m, in, &slow);
        put_call_of_index(m, in->a);
        PUT(m, "\xe9\0\0\0\0"); // jmp
        done.at[done.count++] = m->at - 4;
    }
    land(m, &slow);
    put_callee(m, WX_CALL_INDIRECT, in);
    PUT_SLOT(m, "\x49\x8b\xbc\x24", in->a); // mov a(%r12), %rdi
    land(m, &done);
}

void wx_put_by_hand(wx_maker *m, const wx_ins *in) {
    const wx_module *mod = m->p->anchor->it->m;
    uint32_t last = WX_NO_SLOT;
    switch ((wx_iop)in->op) {
    case I_TRAP: put_trap(m, in->a); break;
    case I_LOOP: put_look(m); break;
    case I_BR: put_jump(m, (uint32_t)(in - m->code) + (uint32_t)in->off); break;
    case I_BR_TABLE: put_table(m, in); break;
    case I_RETURN: put_leave(m); break;
    case I_RETURN_ONE: put_return_one(m, in->a); break;
    case I_RETURN_MANY: put_return_many(m, in->a, in->b); break;
    case I_CALL:
        put_call(m, (uint32_t)in[1].word, in->a);
        if (wx_func_type(mod, (uint32_t)in[1].word)->result_count == 1) last = in->a;
        break;
    case I_CALL_IMPORT: put_callee(m, WX_CALL_IMPORT, in); break;
    case I_CALL_INDIRECT:
        put_call_indirect(m, in);
        if (mod->types[in[1].word].result_count == 1) last = in->a;
        break;
    case I_CALL_REF: put_callee(m, WX_CALL_REF, in); break;
    case I_ACCESS: put_callee(m, WX_CALL_ACCESS, in); break;
    case I_RUN_OUT: put_trap(m, WASMX_TRAP_UNREACHABLE); break;
    default: put_callee(m, WX_CALL_MANY, in); break;
    }
    m->last = last;
}
