// compiler/map.c: the address map, from what is left of the code after optimisation.
//
// Each partition adds its own functions, in the order in which LLVM writes them, to one section; merging the objects
// in order makes one map. The last partition ends the code with a marker and the map with its entry. The map is not
// `constant`: LLVM would give some parts a read-only section and others not.
#include <stdlib.h>
#include <string.h>

#include "compiler/part.h"

static void take_name(LLVMValueRef fresh, LLVMValueRef old, const char *name) {
    if (old) {
        LLVMReplaceAllUsesWith(old, fresh);
        LLVMSetValueName2(old, "", 0);
    }
    LLVMSetValueName2(fresh, name, strlen(name));
}

// A function of one trap. Made anew even if it was declared before: LLVM writes functions in the order of creation.
static LLVMValueRef marker(part *p, const char *suffix) {
    LLVMValueRef declared = LLVMGetNamedFunction(p->m, symbol(p, suffix));
    LLVMValueRef f = new_func(p, "marker", LLVMFunctionType(p->void_, NULL, 0, false), false);
    take_name(f, declared, symbol(p, suffix));
    if (declared) LLVMDeleteFunction(declared);
    LLVMPositionBuilderAtEnd(p->b, LLVMAppendBasicBlockInContext(p->c, f, ""));
    build_trap(p, WASMX_TRAP_UNREACHABLE);
    LLVMBuildUnreachable(p->b);
    return f;
}

void emit_text_start(part *p) { marker(p, "text_start"); }

// A function with entries at loops has the interpreter's frame around it, which backtraces show.
static bool is_known_by_another(LLVMValueRef f) {
    return LLVMGetStringAttributeAtIndex(f, LLVMAttributeFunctionIndex, "wasmx-whole", 11) != NULL;
}

static uint32_t index_of(LLVMValueRef f) {
    if (is_known_by_another(f)) return UINT32_MAX;
    LLVMAttributeRef a = LLVMGetStringAttributeAtIndex(f, LLVMAttributeFunctionIndex, "wasmx-func", 10);
    unsigned len;
    if (!a) return UINT32_MAX;
    const char *text = LLVMGetStringAttributeValue(a, &len);
    return (uint32_t)strtoul(text, NULL, 10);
}

// { f - &entry, index }: a distance, so that the map needs no work at load.
static LLVMValueRef entry(part *p, LLVMValueRef map, uint64_t i, LLVMValueRef f) {
    LLVMValueRef index = ci64(p, i * sizeof(wxrt_map));
    LLVMValueRef here = LLVMConstInBoundsGEP2(p->i8, map, &index, 1);
    LLVMValueRef distance = LLVMConstSub(LLVMConstPtrToInt(f, p->i64), LLVMConstPtrToInt(here, p->i64));
    LLVMValueRef fields[] = {LLVMConstTrunc(distance, p->i32), ci32(p, index_of(f))};
    return LLVMConstStructInContext(p->c, fields, 2, false);
}

static LLVMValueRef map_part(part *p, LLVMValueRef *funcs, uint64_t n, const char *name) {
    LLVMTypeRef pair[] = {p->i32, p->i32};
    LLVMTypeRef type = LLVMStructTypeInContext(p->c, pair, 2, false);
    LLVMValueRef map = LLVMAddGlobal(p->m, LLVMArrayType2(type, n), "map.part");
    LLVMValueRef *entries = wx_xmalloc((n + 1) * sizeof *entries);
    for (uint64_t i = 0; i < n; i++) entries[i] = entry(p, map, i, funcs[i]);
    LLVMSetInitializer(map, LLVMConstArray2(type, entries, n));
    free(entries);
    LLVMSetAlignment(map, 4);
    LLVMSetSection(map, wx_arena_printf(&p->scratch, ".data.rel.ro.wasmx_map.%s", p->u->name));
    LLVMSetVisibility(map, LLVMHiddenVisibility);
    LLVMValueRef declared = LLVMGetNamedGlobal(p->m, name);
    take_name(map, declared, name);
    if (declared) LLVMDeleteGlobal(declared);
    if (p->u->part_count == 1 && !p->u->lazy) LLVMSetLinkage(map, LLVMInternalLinkage);
    return map;
}

static bool is_code(part *p, LLVMValueRef f) {
    const char *section = LLVMGetSection(f);
    return LLVMCountBasicBlocks(f) && section && strcmp(section, p->section) == 0;
}

void emit_address_map(part *p) {
    bool is_last = p->plan->is_last;
    LLVMValueRef end = is_last ? marker(p, "text_end") : NULL;
    uint64_t n = 0;
    for (LLVMValueRef f = LLVMGetFirstFunction(p->m); f; f = LLVMGetNextFunction(f)) n += is_code(p, f) && f != end;
    LLVMValueRef *funcs = wx_xmalloc((n + 1) * sizeof *funcs);
    n = 0;
    for (LLVMValueRef f = LLVMGetFirstFunction(p->m); f; f = LLVMGetNextFunction(f))
        if (is_code(p, f) && f != end) funcs[n++] = f;
    p->map_count = (uint32_t)n;
    map_part(p, funcs, n, p->plan->is_first ? symbol(p, "map") : numbered(p, "map", p->plan->index));
    if (is_last) map_part(p, &end, 1, symbol(p, "map_end"));
    free(funcs);
}
