// compiler/emit_memory.c: loads, stores and whole-memory operations (core 4.4.7).
//
// Guard mode: the address space around a memory makes every 32-bit address plus a small offset either valid or a
// fault. Explicit mode, 64-bit memories, and offsets beyond the guard: a compare of the access's end with the memory's
// size.
#include "compiler/emit.h"

static const wx_memory *memory_of(const fn *f, uint32_t index) { return &f->m->memories[index]; }

static bool is_imported(const fn *f, uint32_t index) { return memory_of(f, index)->import != WX_NO_INDEX; }

// Memory 0 of one's own is at ctx. Others are found through their record; a memory never moves.
mem open_memory(fn *f, uint32_t index) {
    mem m = {.index = index};
    const wxrt_layout *at = &f->p->u->layout;
    if (index == 0 && !is_imported(f, 0)) {
        m.is_ctx = true;
        m.base = f->ctx;
        m.record = area_at(f, at->own_memories, 0);
        return m;
    }
    m.record = is_imported(f, index)
                   ? load_const(f, f->p->ptr, f->ctx, wxrt_area_offset(at->memories, index * sizeof(void *)))
                   : area_at(f, at->own_memories, (index - f->m->memory_imports) * sizeof(wasmx_memory));
    m.base = load_const(f, f->p->ptr, m.record, offsetof(wasmx_memory, base));
    return m;
}

v memory_bytes(fn *f, mem *m) {
    const wx_memory *w = memory_of(f, m->index);
    if (!f->p->u->facts.memory_grown[m->index]) return ci64(f->p, w->limits.min * WXRT_PAGE);
    v bytes = load_field(f, f->p->i64, m->record, offsetof(wasmx_memory, bytes));
    if (!w->limits.is64) set_range(f->p, bytes, w->limits.min * WXRT_PAGE, WXRT_RESERVE32);
    if (w->limits.shared) { // other threads let it grow, and say so by atomic accesses: not to be read before those
        LLVMSetOrdering(bytes, LLVMAtomicOrderingMonotonic);
        LLVMSetAlignment(bytes, 8);
        return bytes;
    }
    set_scope(f->p, bytes, SCOPE_SIZE);
    return bytes;
}

// Does every address in [at, at + size) lie inside the memory's minimum?
static bool surely_inside(const fn *f, uint32_t memory, v address, uint64_t offset, uint32_t size) {
    if (!LLVMIsAConstantInt(address)) return false;
    uint64_t start = LLVMConstIntGetZExtValue(address), bytes = memory_of(f, memory)->limits.min * WXRT_PAGE;
    return bytes <= WXRT_RESERVE32 && start <= bytes && offset <= bytes - start && size <= bytes - start - offset;
}

// x + c with a negative constant c of at least -64 KiB, offset 0: where the sum would wrap, Wasm traps because no
// memory has its last page, and the displaced access traps in the low guard. So c may go into the displacement.
static v split_negative(fn *f, v address, uint64_t offset, int64_t *displacement) {
    *displacement = (int64_t)offset;
    if (offset != 0 || LLVMGetInstructionOpcode(address) != LLVMAdd) return address;
    v c = LLVMGetOperand(address, 1);
    if (!LLVMIsAConstantInt(c)) return address;
    int64_t n = (int32_t)LLVMConstIntGetZExtValue(c);
    if (n >= 0 || n < -(int64_t)WXRT_LOW_GUARD) return address;
    *displacement = n;
    (void)f;
    return LLVMGetOperand(address, 0);
}

static v at(fn *f, v base, v address, int64_t displacement) {
    v index = zext64(f, address);
    v p = LLVMBuildGEPWithNoWrapFlags(f->b, f->p->i8, base, &index, 1, "", LLVMGEPFlagNUW);
    return displacement ? byte_offset(f->p, p, displacement) : p;
}

// address + more, all of it unsigned: traps where the sum does not fit in 64 bits, which takes a 64-bit address.
static v checked_sum(fn *f, mem *m, v address, v more) {
    if (!memory_of(f, m->index)->limits.is64) return LLVMBuildNUWAdd(f->b, zext64(f, address), more, "");
    v sum = LLVMBuildAdd(f->b, address, more, "");
    trap_if(f, LLVMBuildICmp(f->b, LLVMIntULT, sum, more, ""), WASMX_TRAP_MEMORY_OUT_OF_BOUNDS);
    return sum;
}

static void check_end(fn *f, mem *m, v address, uint64_t offset, uint32_t size) {
    if (offset > UINT64_MAX - size) {
        trap_if(f, LLVMConstInt(f->p->i1, 1, false), WASMX_TRAP_MEMORY_OUT_OF_BOUNDS);
        return;
    }
    v end = checked_sum(f, m, address, ci64(f->p, offset + size));
    trap_if(f, LLVMBuildICmp(f->b, LLVMIntUGT, end, memory_bytes(f, m), ""), WASMX_TRAP_MEMORY_OUT_OF_BOUNDS);
}

v effective_address(fn *f, const wx_instr *in, v address, uint32_t size) {
    mem m = open_memory(f, in->a);
    if (surely_inside(f, in->a, address, in->offset, size)) return at(f, m.base, address, (int64_t)in->offset);
    bool is64 = memory_of(f, in->a)->limits.is64;
    if (f->p->u->explicit_bounds || is64 || in->offset + size > WXRT_HIGH_GUARD) {
        check_end(f, &m, address, in->offset, size);
        return at(f, m.base, address, (int64_t)in->offset);
    }
    int64_t displacement;
    if (LLVMIsAInstruction(address)) address = split_negative(f, address, in->offset, &displacement);
    else displacement = (int64_t)in->offset;
    return at(f, m.base, address, displacement);
}

// Every load starts volatile, so that none is lost; passes.c makes those plain whose value is surely used. Where
// another thread may write meanwhile, LLVM says that a plain load has no certain value; frozen, every use sees the same
// one, so what was compared with a bound is what is used.
v heap_load(fn *f, ty type, v address) {
    v load = LLVMBuildLoad2(f->b, type, address, "");
    LLVMSetAlignment(load, 1);
    LLVMSetVolatile(load, !f->p->u->explicit_bounds); // compares trap there, before the load
    set_scope(f->p, load, SCOPE_HEAP);
    return f->p->u->facts.shared ? LLVMBuildFreeze(f->b, load, "") : load;
}

void heap_store(fn *f, v value, v address) {
    v store = LLVMBuildStore(f->b, value, address);
    LLVMSetAlignment(store, 1);
    if (f->p->u->precise_traps) LLVMSetVolatile(store, true);
    set_scope(f->p, store, SCOPE_HEAP);
}

static ty type_of_letter(fn *f, char letter) {
    switch (letter) {
    case 'i': return f->p->i32;
    case 'I': return f->p->i64;
    case 'f': return f->p->f32;
    default: return f->p->f64;
    }
}

void emit_load(fn *f, const wx_instr *in, int bits, int is_signed) {
    ty result = type_of_letter(f, wx_ops[in->op].sig[2]);
    bool is_int = LLVMGetTypeKind(result) == LLVMIntegerTypeKind;
    ty inside = is_int ? LLVMIntTypeInContext(f->p->c, (unsigned)bits) : result;
    v x = heap_load(f, inside, effective_address(f, in, pop(f), (uint32_t)bits / 8));
    if (inside != result) x = is_signed ? LLVMBuildSExt(f->b, x, result, "") : LLVMBuildZExt(f->b, x, result, "");
    push(f, x);
}

void emit_store(fn *f, const wx_instr *in, int bits, int b) {
    (void)b;
    v x = pop(f), address = pop(f);
    bool is_int = LLVMGetTypeKind(LLVMTypeOf(x)) == LLVMIntegerTypeKind;
    v where = effective_address(f, in, address, (uint32_t)bits / 8);
    if (is_int) x = LLVMBuildTrunc(f->b, x, LLVMIntTypeInContext(f->p->c, (unsigned)bits), "");
    heap_store(f, x, where);
}

// ---- Whole memories

// What an address of the memory can be: 32 or 64 bits of x.
static v as_address(fn *f, uint32_t memory, v x) {
    return memory_of(f, memory)->limits.is64 ? x : LLVMBuildTrunc(f->b, x, f->p->i32, "");
}

void emit_memory_size(fn *f, const wx_instr *in, int a, int b) {
    (void)a, (void)b;
    mem m = open_memory(f, in->a);
    v pages = LLVMBuildLShr(f->b, memory_bytes(f, &m), ci64(f->p, 16), "");
    push(f, as_address(f, in->a, pages));
}

void emit_memory_grow(fn *f, const wx_instr *in, int a, int b) {
    (void)a, (void)b;
    mem m = open_memory(f, in->a);
    v old = call_helper(f->p, HELP_memory_grow, (v[]){m.record, zext64(f, pop(f))}, 2);
    push(f, as_address(f, in->a, old));
}

static v past_end(fn *f, mem *m, v start, v count) {
    v end = checked_sum(f, m, start, count);
    return LLVMBuildICmp(f->b, LLVMIntUGT, end, memory_bytes(f, m), "");
}

v byte_at(fn *f, const mem *m, v index) {
    return LLVMBuildGEPWithNoWrapFlags(f->b, f->p->i8, m->base, &index, 1, "", LLVMGEPFlagNUW);
}

// Can it take so long that an interruption has to end it?
static bool in_pieces(fn *f, v count) {
    return f->p->u->interruptible && !(LLVMIsConstant(count) && LLVMConstIntGetZExtValue(count) <= WXRT_PAGE);
}

void copy_bytes(fn *f, const mem *to, v dst, const mem *from, v src, v count) {
    if (in_pieces(f, count)) {
        v args[] = {instance_of(f->p, f->ctx), byte_at(f, to, dst), byte_at(f, from, src), count};
        call_helper(f->p, HELP_memory_copy, args, 4);
        return;
    }
    v args[] = {byte_at(f, to, dst), byte_at(f, from, src), count, LLVMConstInt(f->p->i1, 0, false)};
    ty type, overloads[] = {f->p->ptr, f->p->ptr, f->p->i64};
    v callee = declare_intrinsic(f->p, MEMMOVE, overloads, 3, &type);
    set_scope(f->p, LLVMBuildCall2(f->b, type, callee, args, 4, ""), SCOPE_HEAP);
}

void fill_bytes(fn *f, const mem *m, v dst, v value, v count) {
    if (in_pieces(f, count)) {
        v args[] = {instance_of(f->p, f->ctx), byte_at(f, m, dst), LLVMBuildZExt(f->b, value, f->p->i32, ""), count};
        call_helper(f->p, HELP_memory_fill, args, 4);
        return;
    }
    v args[] = {byte_at(f, m, dst), value, count, LLVMConstInt(f->p->i1, 0, false)};
    set_scope(f->p, intrinsic2(f, MEMSET, f->p->ptr, f->p->i64, args, 4), SCOPE_HEAP);
}

// One check for the whole range; then the C library's memmove and memset cannot fault.
void emit_memory_copy(fn *f, const wx_instr *in, int a, int b) {
    (void)a, (void)b;
    v count = zext64(f, pop(f)), src = zext64(f, pop(f)), dst = zext64(f, pop(f));
    mem to = open_memory(f, in->a), from = open_memory(f, in->b);
    v outside = LLVMBuildOr(f->b, past_end(f, &to, dst, count), past_end(f, &from, src, count), "");
    trap_if(f, outside, WASMX_TRAP_MEMORY_OUT_OF_BOUNDS);
    copy_bytes(f, &to, dst, &from, src, count);
}

void emit_memory_fill(fn *f, const wx_instr *in, int a, int b) {
    (void)a, (void)b;
    v count = zext64(f, pop(f)), value = LLVMBuildTrunc(f->b, pop(f), f->p->i8, ""), dst = zext64(f, pop(f));
    mem m = open_memory(f, in->a);
    trap_if(f, past_end(f, &m, dst, count), WASMX_TRAP_MEMORY_OUT_OF_BOUNDS);
    fill_bytes(f, &m, dst, value, count);
}

void emit_memory_init(fn *f, const wx_instr *in, int a, int b) {
    (void)a, (void)b;
    v count = zext64(f, pop(f)), src = zext64(f, pop(f)), dst = zext64(f, pop(f));
    v args[] = {instance_of(f->p, f->ctx), ci32(f->p, in->b), ci32(f->p, in->a), dst, src, count};
    call_helper(f->p, HELP_memory_init, args, 6);
}

void emit_data_drop(fn *f, const wx_instr *in, int a, int b) {
    (void)a, (void)b;
    call_helper(f->p, HELP_data_drop, (v[]){instance_of(f->p, f->ctx), ci32(f->p, in->a)}, 2);
}

// ---- Globals (core 4.4.5): constants, cells in the instance, or cells somewhere else

static v const_value(fn *f, const wx_const *c) {
    switch (c->kind) {
    case WX_CONST_NULL: return LLVMConstNull(f->p->ptr);
    case WX_CONST_FUNC: return function_reference(f, c->index);
    default: break;
    }
    if (c->type == WX_V128) {
        uint64_t words[2];
        __builtin_memcpy(words, c->bytes, 16);
        return LLVMConstVector((v[]){ci64(f->p, words[0]), ci64(f->p, words[1])}, 2);
    }
    bool wide = c->type == WX_I64 || c->type == WX_F64;
    v bits = wide ? ci64(f->p, c->bits) : ci32(f->p, c->bits);
    return LLVMConstBitCast(bits, value_type(f->p, c->type));
}

static v global_cell(fn *f, uint32_t index) {
    int64_t offset = wxrt_area_offset(f->p->u->layout.globals, index * sizeof(wasmx_value));
    bool imported = f->m->globals[index].import != WX_NO_INDEX;
    return imported ? load_const(f, f->p->ptr, f->ctx, offset) : byte_offset(f->p, f->ctx, offset);
}

void emit_global_get(fn *f, const wx_instr *in, int a, int b) {
    (void)a, (void)b;
    const wx_global_facts *known = &f->p->u->facts.globals[in->a];
    if (known->constant) {
        push(f, const_value(f, &known->value));
        return;
    }
    const wx_global *g = &f->m->globals[in->a];
    v load = load_field(f, value_type(f->p, g->type), global_cell(f, in->a), 0);
    LLVMSetAlignment(load, 8);
    if (!g->mutable && g->import != WX_NO_INDEX) set_invariant(f->p, load);
    else set_scope(f->p, load, SCOPE_GLOBAL);
    push(f, load);
}

void emit_global_set(fn *f, const wx_instr *in, int a, int b) {
    (void)a, (void)b;
    v store = LLVMBuildStore(f->b, pop(f), global_cell(f, in->a));
    LLVMSetAlignment(store, 8);
    set_scope(f->p, store, SCOPE_GLOBAL);
}
