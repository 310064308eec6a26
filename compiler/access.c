// compiler/access.c: taking guest addresses apart, and making new ones.
#include "compiler/access.h"

v access_pointer(const part *p, v i) {
    bool is_load = LLVMIsALoadInst(i) != NULL;
    if (!is_load && !LLVMIsAStoreInst(i)) return NULL;
    if (LLVMGetMetadata(i, p->md_scope) != p->scopes[SCOPE_HEAP]) return NULL;
    return LLVMGetOperand(i, is_load ? 0 : 1);
}

uint64_t access_size(const part *p, v i) {
    LLVMTypeRef type = LLVMTypeOf(LLVMIsALoadInst(i) ? i : LLVMGetOperand(i, 0));
    return LLVMStoreSizeOfType(LLVMGetModuleDataLayout(p->m), type);
}

static bool is_byte_gep(v x) {
    if (!LLVMIsAGetElementPtrInst(x) || LLVMGetNumIndices(x) != 1) return false;
    LLVMTypeRef type = LLVMGetGEPSourceElementType(x);
    return LLVMGetTypeKind(type) == LLVMIntegerTypeKind && LLVMGetIntTypeWidth(type) == 8;
}

v access_step(v pointer, int64_t *constant) {
    if (!is_byte_gep(pointer)) return NULL;
    v c = LLVMGetOperand(pointer, 1);
    if (!LLVMIsAConstantInt(c)) return NULL;
    *constant = LLVMConstIntGetSExtValue(c);
    return LLVMGetOperand(pointer, 0);
}

v root_index(v root) {
    if (!is_byte_gep(root)) return NULL;
    v index = LLVMGetOperand(root, 1);
    if (!LLVMIsAZExtInst(index)) return NULL;
    v narrow = LLVMGetOperand(index, 0);
    return LLVMGetIntTypeWidth(LLVMTypeOf(narrow)) == 32 ? narrow : NULL;
}

v root_base(v root) { return LLVMGetOperand(root, 0); }

v access_root(v pointer, int64_t *displacement) {
    *displacement = 0;
    int64_t c;
    for (v below; (below = access_step(pointer, &c)); pointer = below) *displacement += c;
    return root_index(pointer) ? pointer : NULL;
}

v add_bytes(part *p, v pointer, v index) {
    return LLVMBuildGEPWithNoWrapFlags(p->b, p->i8, pointer, &index, 1, "", LLVMGEPFlagNUW);
}

v new_root(part *p, v base, v index) { return add_bytes(p, base, LLVMBuildZExt(p->b, index, p->i64, "")); }

bool is_sum(v x) {
    if (!LLVMIsAInstruction(x)) return false;
    LLVMOpcode op = LLVMGetInstructionOpcode(x);
    return op == LLVMAdd || (op == LLVMOr && LLVMGetIsDisjoint(x));
}

v split_constant(v x, int32_t *constant) {
    uint32_t sum = 0;
    while (is_sum(x) && LLVMIsAConstantInt(LLVMGetOperand(x, 1))) {
        sum += (uint32_t)LLVMConstIntGetZExtValue(LLVMGetOperand(x, 1));
        x = LLVMGetOperand(x, 0);
    }
    *constant = (int32_t)sum;
    return x;
}
