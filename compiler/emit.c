// compiler/emit.c: the body of a function, instruction by instruction, through the emitters of opcodes.def.
//
// in: a validated body   out: one LLVM function, locals in allocas   needs: facts, layout
#include "compiler/emit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct { emitter *emit; int a, b; } emitters[WX_OP_COUNT] = {
#define OP(name, prefix, code, text, imm, sig, feature, emitter, a, b) [WX_OP_##name] = {emit_##emitter, a, b},
#include "wasm/opcodes.def"
#undef OP
};

v pop(fn *f) { return f->stack[--f->height]; }

v top(fn *f, uint32_t below) { return f->stack[f->height - 1 - below]; }

void push(fn *f, v value) {
    if (f->height == f->capacity) {
        f->capacity = f->capacity ? f->capacity * 2 : 64;
        f->stack = wx_xrealloc(f->stack, f->capacity * sizeof *f->stack);
    }
    f->stack[f->height++] = value;
}

LLVMBasicBlockRef new_block(fn *f, const char *name) { return LLVMAppendBasicBlockInContext(f->p->c, f->llvm, name); }

void go_on(fn *f, LLVMBasicBlockRef block) { LLVMPositionBuilderAtEnd(f->b, block); }

void set_dead(fn *f) {
    f->dead = true;
    f->dead_depth = 0;
}

v branch_unlikely(fn *f, v condition, LLVMBasicBlockRef then, LLVMBasicBlockRef otherwise) {
    v branch = LLVMBuildCondBr(f->b, condition, then, otherwise);
    LLVMSetMetadata(branch, f->p->md_prof, f->p->unlikely_md);
    return branch;
}

// One a kind; with lines one a place, each of which remains what it is.
LLVMBasicBlockRef trap_block(fn *f, unsigned trap) {
    if (f->traps[trap] && !f->p->di) return f->traps[trap];
    LLVMBasicBlockRef here = LLVMGetInsertBlock(f->b);
    f->traps[trap] = new_block(f, "trap");
    go_on(f, f->traps[trap]);
    debug_keep_apart(f->p, build_trap(f->p, trap));
    LLVMBuildUnreachable(f->b);
    go_on(f, here);
    return f->traps[trap];
}

void trap_if(fn *f, v condition, unsigned trap) {
    if (LLVMIsAConstantInt(condition) && LLVMConstIntGetZExtValue(condition) == 0) return;
    LLVMBasicBlockRef next = new_block(f, "");
    branch_unlikely(f, condition, trap_block(f, trap), next);
    go_on(f, next);
}

void trap_always(fn *f, unsigned trap) {
    LLVMBuildBr(f->b, trap_block(f, trap));
    set_dead(f);
}

// At the front of the entry block: LLVM treats allocas there as part of the frame.
v entry_alloca(fn *f, ty type) {
    LLVMBasicBlockRef here = LLVMGetInsertBlock(f->b);
    LLVMMetadataRef location = LLVMGetCurrentDebugLocation2(f->b); // which the first instruction's replaces
    v first = LLVMGetFirstInstruction(f->entry);
    if (first) LLVMPositionBuilderBefore(f->b, first);
    else go_on(f, f->entry);
    v slot = LLVMBuildAlloca(f->b, type, "");
    go_on(f, here);
    LLVMSetCurrentDebugLocation2(f->b, location);
    return slot;
}

v zext64(fn *f, v x) { return LLVMTypeOf(x) == f->p->i64 ? x : LLVMBuildZExt(f->b, x, f->p->i64, ""); }

v intrinsic1(fn *f, int which, ty overload, v *args, unsigned n) {
    ty type;
    v callee = declare_intrinsic(f->p, which, &overload, 1, &type);
    return LLVMBuildCall2(f->b, type, callee, args, n, "");
}

v intrinsic2(fn *f, int which, ty o1, ty o2, v *args, unsigned n) {
    ty type, overloads[] = {o1, o2};
    v callee = declare_intrinsic(f->p, which, overloads, 2, &type);
    return LLVMBuildCall2(f->b, type, callee, args, n, "");
}

v load_field(fn *f, ty type, v base, int64_t offset) {
    return LLVMBuildLoad2(f->b, type, offset ? byte_offset(f->p, base, offset) : base, "");
}

v load_const(fn *f, ty type, v base, int64_t offset) {
    v load = load_field(f, type, base, offset);
    set_invariant(f->p, load);
    return load;
}

v area_at(fn *f, uint64_t array, uint64_t byte) { return byte_offset(f->p, f->ctx, wxrt_area_offset(array, byte)); }

v as(fn *f, v value, ty type) { return LLVMTypeOf(value) == type ? value : LLVMBuildBitCast(f->b, value, type, ""); }

// Parameters first, then the runs of the local declarations.
static void read_local_types(fn *f) {
    const wx_func *func = &f->m->funcs[f->index];
    f->local_count = f->type->param_count + func->local_count;
    f->local_types = WX_NEW_ARRAY(&f->p->scratch, wx_type, f->local_count);
    f->locals = WX_NEW_ARRAY(&f->p->scratch, v, f->local_count);
    uint32_t n = 0;
    for (; n < f->type->param_count; n++) f->local_types[n] = f->type->params[n];
    uint32_t groups = wx_read_u32(&f->r);
    for (uint32_t g = 0; g < groups; g++) {
        uint32_t count = wx_read_u32(&f->r);
        wx_type t = wx_read_value_type(&f->r);
        for (uint32_t i = 0; i < count; i++) f->local_types[n++] = t;
    }
}

static void make_locals(fn *f) {
    for (uint32_t i = 0; i < f->local_count; i++)
        f->locals[i] = LLVMBuildAlloca(f->b, value_type(f->p, f->local_types[i]), "");
    for (uint32_t i = 0; i < f->local_count; i++) {
        bool is_param = i < f->type->param_count;
        v start = f->frame ? load_field(f, value_type(f->p, f->local_types[i]), f->frame, 8 * (int64_t)i)
                  : is_param ? LLVMGetParam(f->llvm, i + 1) : LLVMConstNull(value_type(f->p, f->local_types[i]));
        LLVMBuildStore(f->b, start, f->locals[i]);
    }
}

// In unreachable code only the nesting is followed. True when the instruction was passed over.
static bool skip_dead(fn *f, const wx_instr *in) {
    if (!f->dead) return false;
    switch (in->op) {
    case WX_OP_BLOCK: case WX_OP_LOOP: case WX_OP_IF: case WX_OP_TRY: case WX_OP_TRY_TABLE:
        f->dead_depth++;
        return true;
    case WX_OP_DELEGATE:
        if (f->dead_depth) f->dead_depth--;
        return true;
    case WX_OP_ELSE:
        return f->dead_depth > 0;
    case WX_OP_END:
        if (f->dead_depth == 0) return false;
        f->dead_depth--;
        return true;
    default:
        return true;
    }
}

// Can it trap, or be the place of a call in a backtrace? What only computes or moves values cannot.
static bool can_stop(wx_op op) {
    switch (wx_ops[op].imm) {
    case WX_IMM_NONE: {
        emitter *e = emitters[op].emit;
        return e == emit_int_div || e == emit_float_to_int || e == emit_unreachable || e == emit_ref_as_non_null ||
               e == emit_array_len || e == emit_i31_get || e == emit_convert_ref || e == emit_unsupported;
    }
    case WX_IMM_BLOCK: case WX_IMM_LABEL: case WX_IMM_BR_TABLE: case WX_IMM_LOCAL: case WX_IMM_GLOBAL:
    case WX_IMM_SELECT_T: case WX_IMM_I32: case WX_IMM_I64: case WX_IMM_F32: case WX_IMM_F64: case WX_IMM_V128:
    case WX_IMM_SHUFFLE: case WX_IMM_LANE:
        return false;
    default: return true;
    }
}

static void emit_instructions(fn *f) {
    wx_instr in;
    while (f->depth) {
        wx_instr_read(&f->r, &in);
        profile_at(f, &in);
        if (skip_dead(f, &in)) continue;
        debug_at(f->p, can_stop(in.op) ? in.at : 0);
        emitters[in.op].emit(f, &in, emitters[in.op].a, emitters[in.op].b);
    }
}

// Constant expressions are bodies without locals: value of the expression, in f.
v emit_expression(fn *f, wx_expr expr) {
    wx_reader outer = f->r;
    wx_error e = {0};
    f->r = wx_reader_make(expr, &e);
    wx_instr in;
    for (;;) {
        wx_instr_read(&f->r, &in);
        if (in.op == WX_OP_END) break;
        emitters[in.op].emit(f, &in, emitters[in.op].a, emitters[in.op].b);
    }
    f->r = outer;
    return pop(f);
}

void fn_open(fn *f, part *p, v llvm) {
    *f = (fn){.p = p, .m = p->u->m, .b = p->b, .llvm = llvm, .ctx = LLVMGetParam(llvm, 0),
              .outer = LLVMGetInsertBlock(p->b), .outer_location = LLVMGetCurrentDebugLocation2(p->b)};
    debug_at(p, 0);
    f->entry = new_block(f, "");
    go_on(f, f->entry);
}

void fn_close(fn *f) {
    if (f->outer) go_on(f, f->outer); // one function may be made while another is
    LLVMSetCurrentDebugLocation2(f->b, f->outer_location);
    free(f->stack);
    free(f->labels);
}

// Calls stay calls: runaway recursion has to exhaust the stack, not to become an endless loop. return_call is musttail
// and not affected.
static void keep_calls(part *p, v llvm) {
    LLVMAddAttributeAtIndex(llvm, LLVMAttributeFunctionIndex,
                            LLVMCreateStringAttribute(p->c, "disable-tail-calls", 18, "true", 4));
}

// Its own ctx parameter must stay where it is, or the stack check would have no limit to look at; LLVM drops unused
// parameters of internal functions. linkonce_odr leaves them alone and still lets inlined functions go. With several
// partitions the others may need the function.
static void set_guest_linkage(part *p, v llvm) {
    LLVMSetLinkage(llvm, p->u->part_count == 1 && !p->u->lazy ? LLVMLinkOnceODRLinkage : LLVMExternalLinkage);
    LLVMSetVisibility(llvm, LLVMHiddenVisibility);
}

static void mark_index(part *p, v llvm, uint32_t func) {
    char number[16];
    int len = snprintf(number, sizeof number, "%u", func);
    LLVMAddAttributeAtIndex(llvm, LLVMAttributeFunctionIndex,
                            LLVMCreateStringAttribute(p->c, "wasmx-func", 10, number, (unsigned)len));
}

// The entries at loops are added when they come (emit_control.c).
static void open_entries(fn *f) {
    LLVMBasicBlockRef start = new_block(f, "start");
    f->entries = LLVMBuildSwitch(f->b, LLVMBuildTrunc(f->b, LLVMGetParam(f->llvm, 2), f->p->i32, ""), start, 1);
    go_on(f, start);
}

static void emit_body(fn *f, uint32_t index) {
    wx_error none = {0};
    f->index = index;
    f->type = wx_func_type(f->m, index);
    f->r = wx_reader_make(f->m->funcs[index].code, &none);
    read_local_types(f);
    make_locals(f);
    profile_open(f);
    emit_idiom(f);
    if (f->frame) open_entries(f);
    open_body(f);
    emit_instructions(f);
    fn_close(f);
    wx_arena_reset(&f->p->scratch);
}

void emit_function(part *p, uint32_t index) {
    const wx_func *func = &p->u->m->funcs[index];
    v llvm = new_func(p, LLVMGetValueName(func_value(p, index)), func_type(p, func->type), true);
    mark_index(p, llvm, index);
    keep_calls(p, llvm);
    set_guest_linkage(p, llvm);
    fn f;
    fn_open(&f, p, llvm);
    debug_function(p, llvm, index);
    emit_body(&f, index);
}

void emit_whole(part *p, uint32_t index) {
    ty params[] = {p->ptr, p->ptr, p->i64}, type = LLVMFunctionType(p->void_, params, 3, false);
    v llvm = new_func(p, numbered(p, "whole", index), type, true);
    mark_index(p, llvm, index);
    LLVMAddAttributeAtIndex(llvm, LLVMAttributeFunctionIndex,
                            LLVMCreateStringAttribute(p->c, "wasmx-whole", 11, "", 0));
    keep_calls(p, llvm);
    fn f;
    fn_open(&f, p, llvm);
    f.frame = LLVMGetParam(llvm, 1);
    emit_body(&f, index);
}
