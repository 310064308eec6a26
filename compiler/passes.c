// compiler/passes.c: the order of optimisation, and our own passes in it.
//
// At level 0 nothing but the last.
//
// 1. registers: allocas become SSA values (LLVM's sroa), so that operands can be seen
// 2. guard_nans: arithmetic that LLVM would fold to its operand, although it has to make a NaN quiet
// 3. settle: LLVM folds and simplifies while every load is still volatile and so cannot be lost
// 4. free_loads: a load whose value is surely used becomes plain; the others stay, and with them their traps
// 5. shape: what we know about addresses and LLVM does not (addresses.c, count.c, reroll.c);
//    with explicit bounds, which checks are not needed (version.c, merge.c)
// 6. LLVM's pipeline of the level (pipeline.c)
// 7. insert_checks: of the stack, after inlining, in guest functions that still call; and for interruption (looks.c)
#include <stdlib.h>
#include <string.h>

#include <llvm-c/Error.h>
#include <llvm-c/Transforms/PassBuilder.h>

#include "compiler/bound.h"
#include "compiler/looks.h"

void run_passes(part *p, LLVMTargetMachineRef tm, const char *passes) {
    LLVMPassBuilderOptionsRef o = LLVMCreatePassBuilderOptions();
    LLVMPassBuilderOptionsSetVerifyEach(o, p->u->verify);
    LLVMPassBuilderOptionsSetCallGraphProfile(o, false); // for linkers that order sections; ours is one
    LLVMErrorRef error = LLVMRunPasses(p->m, passes, tm, o);
    LLVMDisposePassBuilderOptions(o);
    if (!error) return;
    char *message = LLVMGetErrorMessage(error);
    wx_fail(p->e, WX_ERR_BACKEND, "LLVM: %s", message);
    LLVMDisposeErrorMessage(message);
}

// ---- NaN identities

static bool is_identity_constant(v c, LLVMOpcode op) {
    if (!LLVMIsAConstantFP(c)) return LLVMIsConstant(c); // vectors: every constant
    LLVMBool loses;
    double x = LLVMConstRealGetDouble(c, &loses);
    switch (op) {
    case LLVMFMul: case LLVMFDiv: return x == 1.0 || x == -1.0;
    default: return x == 0.0; // x + 0, x - 0, either sign
    }
}

static v opaque(part *p, v value) {
    LLVMTypeRef t = LLVMTypeOf(value), type = LLVMFunctionType(t, &t, 1, false);
    char *constraint = p->u->is_x86 ? "=x,0" : "=w,0";
    v code =
        LLVMGetInlineAsm(type, "", 0, constraint, strlen(constraint), false, false, LLVMInlineAsmDialectATT, false);
    return LLVMBuildCall2(p->b, type, code, &value, 1, "");
}

static void guard_operand(part *p, v instruction, unsigned operand) {
    LLVMPositionBuilderBefore(p->b, instruction);
    LLVMSetOperand(instruction, operand, opaque(p, LLVMGetOperand(instruction, operand)));
}

static void guard_instruction(part *p, v i) {
    LLVMOpcode op = LLVMGetInstructionOpcode(i);
    switch (op) {
    case LLVMFAdd: case LLVMFSub: case LLVMFMul: case LLVMFDiv:
        for (unsigned k = 0; k < 2; k++)
            if (is_identity_constant(LLVMGetOperand(i, k), op)) guard_operand(p, i, k);
        break;
    case LLVMFPTrunc: { // demote(promote(x)) is not x
        v from = LLVMGetOperand(i, 0);
        if (LLVMIsAInstruction(from) && LLVMGetInstructionOpcode(from) == LLVMFPExt) guard_operand(p, i, 0);
        break;
    }
    default: break;
    }
}

#define EACH_BLOCK(b, f) LLVMBasicBlockRef b = LLVMGetFirstBasicBlock(f); b; b = LLVMGetNextBasicBlock(b)

static void guard_nans(part *p, v f) {
    for (EACH_BLOCK(b, f))
        for (EACH_INSTRUCTION(i, b)) guard_instruction(p, i);
}

// ---- Loads whose value is used
//
// A load may become plain when LLVM cannot drop it on any path: its value reaches, through instructions of its own
// block, something that must be done there: a store, a call out of the module, the terminator's operand, or a phi that
// is fed from there and is itself live. A value that only other blocks use could be sunk into one of them, and its trap
// with it. Arguments of calls inside the module and returned values do not count: inlining may show that nobody needs
// them.

typedef struct liveness { wx_map live; v *queue; size_t len, cap; } liveness;

// Puts x into the set and, if it is new there, into the queue.
static void mark_in(wx_map *set, v x, liveness *l) {
    int added;
    wx_map_put(set, (uintptr_t)x, &added);
    if (!added) return;
    if (l->len == l->cap) {
        l->cap = l->cap ? 2 * l->cap : 256;
        l->queue = wx_xrealloc(l->queue, l->cap * sizeof *l->queue);
    }
    l->queue[l->len++] = x;
}

static void mark(liveness *l, v x) {
    if (LLVMIsAInstruction(x)) mark_in(&l->live, x, l);
}

// Calls of functions with a body here: those may be inlined.
static bool is_inner_call(v i) {
    v callee = LLVMIsACallInst(i) ? LLVMIsAFunction(LLVMGetCalledValue(i)) : NULL;
    return callee && LLVMCountBasicBlocks(callee);
}

static bool is_anchor(v i) {
    switch (LLVMGetInstructionOpcode(i)) {
    case LLVMStore: case LLVMBr: case LLVMSwitch: case LLVMAtomicRMW: case LLVMAtomicCmpXchg: return true;
    case LLVMCall:
        if (is_inner_call(i)) return false;
        return !LLVMIsAIntrinsicInst(i) || LLVMGetTypeKind(LLVMTypeOf(i)) == LLVMVoidTypeKind;
    default: return false;
    }
}

static void find_live(v f, liveness *l) {
    for (EACH_BLOCK(b, f))
        for (EACH_INSTRUCTION(i, b))
            if (is_anchor(i)) mark(l, i);
    while (l->len) {
        v i = l->queue[--l->len];
        int n = is_inner_call(i) ? 0 : LLVMGetNumOperands(i);
        for (int k = 0; k < n; k++) mark(l, LLVMGetOperand(i, (unsigned)k));
    }
}

// What a block must compute: the operands of its anchors and of live phis that it feeds, and their operands in turn, as
// far as they are of the block itself. Each instruction is visited once.
static void need(wx_map *needed, v x, LLVMBasicBlockRef block, liveness *l) {
    if (LLVMIsAInstruction(x) && LLVMGetInstructionParent(x) == block && !LLVMIsAPHINode(x)) mark_in(needed, x, l);
}

static void need_operands(wx_map *needed, v i, LLVMBasicBlockRef block, liveness *l) {
    int n = is_inner_call(i) ? 0 : LLVMGetNumOperands(i);
    for (int k = 0; k < n; k++) need(needed, LLVMGetOperand(i, (unsigned)k), block, l);
}

static void need_for_phis(wx_map *needed, LLVMBasicBlockRef block, liveness *l) {
    v end = LLVMGetBasicBlockTerminator(block);
    unsigned successors = LLVMGetNumSuccessors(end);
    for (unsigned s = 0; s < successors; s++)
        for (EACH_INSTRUCTION(phi, LLVMGetSuccessor(end, s))) {
            if (!LLVMIsAPHINode(phi)) break;
            if (!wx_map_get(&l->live, (uintptr_t)phi)) continue;
            for (unsigned k = 0; k < LLVMCountIncoming(phi); k++)
                if (LLVMGetIncomingBlock(phi, k) == block) need(needed, LLVMGetIncomingValue(phi, k), block, l);
        }
}

static void find_needed(wx_map *needed, LLVMBasicBlockRef block, liveness *l) {
    for (EACH_INSTRUCTION(i, block))
        if (is_anchor(i)) need_operands(needed, i, block, l);
    need_for_phis(needed, block, l);
    while (l->len) need_operands(needed, l->queue[--l->len], block, l);
}

static bool is_heap_load(part *p, v i) {
    return LLVMIsALoadInst(i) && LLVMGetVolatile(i) && LLVMGetMetadata(i, p->md_scope) == p->scopes[SCOPE_HEAP];
}

static void free_loads(part *p, v f) {
    liveness l = {0};
    wx_map needed = {0};
    find_live(f, &l);
    for (EACH_BLOCK(b, f)) find_needed(&needed, b, &l);
    for (EACH_BLOCK(b, f))
        for (EACH_INSTRUCTION(i, b))
            if (is_heap_load(p, i) && wx_map_get(&needed, (uintptr_t)i) && is_wholly_needed(p, i, &needed))
                LLVMSetVolatile(i, false);
    wx_map_free(&needed);
    wx_map_free(&l.live);
    free(l.queue);
}

static void each_function(part *p, void (*pass)(part *p, v f)) {
    for (v f = LLVMGetFirstFunction(p->m); f; f = LLVMGetNextFunction(f))
        if (LLVMCountBasicBlocks(f)) pass(p, f);
}

// ---- Loops and addresses

#define MOST_BLOCKS 16384 // of a function: dominators are not linear in the worst case

// There, an address that was made of 32 bits proves nothing about the sum it was made of.
static bool has_wide_memory(const wx_module *m) {
    for (uint32_t i = 0; i < m->memory_count; i++)
        if (m->memories[i].limits.is64) return true;
    return false;
}

static void shape_addresses(part *p, v f) {
    if (LLVMCountBasicBlocks(f) > MOST_BLOCKS) return;
    flow w;
    if (p->u->explicit_bounds) split_checks(p, f);
    flow_open(&w, f);
    if (p->u->explicit_bounds) merge_checks(p, &w);
    else share_addresses(p, &w);
    if (w.loop_count && !p->u->precise_traps) {
        if (!p->u->explicit_bounds) count_loops(p, &w);
        if (!p->u->facts.shared) reroll_loops(p, &w); // another thread may write between the copies
    }
    flow_close(&w);
}

static void check_before_loops(part *p, v f) {
    if (LLVMCountBasicBlocks(f) > MOST_BLOCKS) return;
    split_checks(p, f);
    flow w;
    flow_open(&w, f);
    if (w.loop_count) version_loops(p, &w);
    flow_close(&w);
}

static void shape(part *p, LLVMTargetMachineRef tm) {
    if (has_wide_memory(p->u->m)) return;
    if (p->u->explicit_bounds && !p->u->opt_size) {
        run_passes(p, tm, "function(loop-simplify,lcssa)");
        each_function(p, check_before_loops);
        run_passes(p, tm, "function(dce,simplifycfg)");
    }
    each_function(p, shape_addresses);
}

void optimise(part *p, LLVMTargetMachineRef tm) {
    if (p->u->opt_level == 0 || p->plan->cheap) return;
    run_passes(p, tm, "function(sroa)");
    each_function(p, guard_nans);
    run_passes(p, tm, "function(early-cse,instcombine<no-verify-fixpoint>,simplifycfg,dse)");
    if (!p->u->precise_traps) each_function(p, free_loads);
    shape(p, tm);
    run_pipeline(p, tm);
}

// ---- Stack checks

bool is_call(v i) {
    return LLVMIsACallInst(i) && !LLVMIsAIntrinsicInst(i) && !LLVMIsAInlineAsm(LLVMGetCalledValue(i));
}

static bool has_calls(v f) {
    for (EACH_BLOCK(b, f))
        for (EACH_INSTRUCTION(i, b))
            if (is_call(i)) return true;
    return false;
}

static v stack_pointer(part *p) {
    LLVMTypeRef type;
    v f = declare_intrinsic(p, READ_REGISTER, &p->i64, 1, &type);
    LLVMMetadataRef name = LLVMMDStringInContext2(p->c, p->u->is_x86 ? "rsp" : "sp", p->u->is_x86 ? 3 : 2);
    v arg = LLVMMetadataAsValue(p->c, LLVMMDNodeInContext2(p->c, &name, 1));
    return LLVMBuildCall2(p->b, type, f, &arg, 1, "");
}

static void move_allocas(part *p, LLVMBasicBlockRef from) {
    for (v i = LLVMGetFirstInstruction(from), next; i; i = next) {
        next = LLVMGetNextInstruction(i);
        if (!LLVMIsAAllocaInst(i)) continue;
        LLVMInstructionRemoveFromParent(i);
        LLVMInsertIntoBuilder(p->b, i);
    }
}

// Adapters and thunks add a frame of known size only; to some of them ctx is not even an instance.
static bool is_guest_function(v f) {
    return LLVMGetStringAttributeAtIndex(f, LLVMAttributeFunctionIndex, "wasmx-func", 10) != NULL;
}

// entry: allocas; if (sp < limit) trap; then what was there before.
static void check_stack(part *p, v f) {
    if (!is_guest_function(f) || !has_calls(f)) return;
    if (!LLVMGetEnumAttributeAtIndex(f, 1, p->attr_swiftself)) {
        wx_fail(p->e, WX_ERR_BACKEND, "LLVM took the context from %s", LLVMGetValueName(f));
        return;
    }
    LLVMBasicBlockRef body = LLVMGetEntryBasicBlock(f);
    LLVMBasicBlockRef entry = LLVMInsertBasicBlockInContext(p->c, body, "");
    LLVMBasicBlockRef trap = LLVMAppendBasicBlockInContext(p->c, f, "stack");
    LLVMPositionBuilderAtEnd(p->b, entry);
    debug_at_start(p, f);
    move_allocas(p, body);
    v limit = LLVMBuildLoad2(p->b, p->i64, byte_offset(p, LLVMGetParam(f, 0), INSTANCE_FIELD(stack_limit)), "");
    v low = LLVMBuildICmp(p->b, LLVMIntULT, stack_pointer(p), limit, "");
    v branch = LLVMBuildCondBr(p->b, low, trap, body);
    LLVMSetMetadata(branch, p->md_prof, p->unlikely_md);
    LLVMPositionBuilderAtEnd(p->b, trap);
    build_trap(p, WASMX_TRAP_STACK_EXHAUSTED);
    LLVMBuildUnreachable(p->b);
}

// ---- Interruption

// What guest functions were inlined into has their loops; adapters have none of their own.
static void insert_looks(part *p, v f) {
    if (!LLVMCountParams(f) || !LLVMGetEnumAttributeAtIndex(f, 1, p->attr_swiftself)) return;
    look_in_loops(p, f);
    if (is_guest_function(f) && has_calls(f)) look_at_entry(p, f);
}

void insert_checks(part *p) {
    if (p->u->interruptible) each_function(p, insert_looks);
    each_function(p, check_stack);
}
