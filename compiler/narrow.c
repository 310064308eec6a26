// compiler/narrow.c: loads that LLVM may make narrower.
//
// Of a loaded value whose upper bits nobody wants, LLVM loads the lower ones only; at the end of memory that access
// does not trap where the whole one does. Only the highest byte matters: a load traps exactly if that is outside.
#include "compiler/access.h"

#define DEEPEST 6
#define MOST_USES 16

static bool reaches(v x, unsigned low, unsigned depth, const wx_map *needed);

static bool is_by_constant(v i) { return LLVMIsAConstantInt(LLVMGetOperand(i, 1)) != NULL; }

static uint64_t constant_of(v i) { return LLVMConstIntGetZExtValue(LLVMGetOperand(i, 1)); }

static bool is_last_lane(v i) {
    return is_by_constant(i) && constant_of(i) + 1 == LLVMGetVectorSize(LLVMTypeOf(LLVMGetOperand(i, 0)));
}

// The byte is at bit `low` of x, which i uses.
static bool passes_on(v i, unsigned low, unsigned depth, const wx_map *needed) {
    LLVMTypeRef type = LLVMTypeOf(i);
    bool is_int = LLVMGetTypeKind(type) == LLVMIntegerTypeKind;
    unsigned width = is_int ? LLVMGetIntTypeWidth(type) : 0;
    switch (LLVMGetInstructionOpcode(i)) {
    case LLVMExtractElement: return is_last_lane(i);
    case LLVMShuffleVector: return false; // a broadcast loads one lane
    case LLVMTrunc: return (!is_int || low < width) && reaches(i, low, depth, needed);
    case LLVMBitCast: case LLVMZExt: case LLVMSExt: case LLVMFreeze:
    case LLVMAdd: case LLVMSub: case LLVMMul: case LLVMOr: case LLVMXor:
        return reaches(i, low, depth, needed);
    case LLVMAnd:
        if (is_int && is_by_constant(i) && !(constant_of(i) >> low & 0xff)) return false;
        return reaches(i, low, depth, needed);
    case LLVMShl:
        if (!is_int || !is_by_constant(i)) return true;
        return low + constant_of(i) < width && reaches(i, low + (unsigned)constant_of(i), depth, needed);
    case LLVMLShr: case LLVMAShr:
        if (!is_int || !is_by_constant(i)) return true;
        return constant_of(i) <= low && reaches(i, low - (unsigned)constant_of(i), depth, needed);
    default: return true;
    }
}

static bool is_needed(v i, const wx_map *needed) {
    return wx_map_get(needed, (uintptr_t)i) || LLVMGetTypeKind(LLVMTypeOf(i)) == LLVMVoidTypeKind || LLVMIsAPHINode(i);
}

static bool reaches(v x, unsigned low, unsigned depth, const wx_map *needed) {
    unsigned seen = 0;
    if (!depth) return false;
    for (EACH_USE(u, x)) {
        v user = LLVMGetUser(u);
        if (seen++ == MOST_USES) return false;
        if (is_needed(user, needed) && passes_on(user, low, depth - 1, needed)) return true;
    }
    return false;
}

bool is_wholly_needed(const part *p, v load, const wx_map *needed) {
    uint64_t size = access_size(p, load);
    return size == 1 || reaches(load, (unsigned)(8 * (size - 1)), DEEPEST, needed);
}
