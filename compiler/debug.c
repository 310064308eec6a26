// compiler/debug.c: where in the Wasm file each instruction of LLVM comes from.
//
// in: offsets, while a body is emitted   out: debug locations whose *line* is the offset, which LLVM carries through
// optimisation and into .debug_line; lines.c reads them there. Before code is made, inlining is flattened: every
// location then belongs to the function it stands in, and its *column* numbers an entry of p->inlined (abi.h). So
// .debug_info stays a few bytes, and a backtrace still names every inlined function.
#include <string.h>

#include <llvm-c/DebugInfo.h>

#include "compiler/part.h"

#define MOST_INLINED 65535u // columns have 16 bits

static void add_flag(part *p, const char *name, unsigned value) {
    LLVMAddModuleFlag(p->m, LLVMModuleFlagBehaviorWarning, name, strlen(name), LLVMValueAsMetadata(ci32(p, value)));
}

void debug_open(part *p) {
    if (!p->u->debug) return;
    char *file = wx_arena_printf(&p->scratch, "%s.wasm", p->u->name);
    add_flag(p, "Debug Info Version", LLVMDebugMetadataVersion());
    add_flag(p, "Dwarf Version", 4);
    p->di = LLVMCreateDIBuilder(p->m);
    p->di_file = LLVMDIBuilderCreateFile(p->di, file, strlen(file), ".", 1);
    LLVMDIBuilderCreateCompileUnit(p->di, LLVMDWARFSourceLanguageMips_Assembler, p->di_file, "wasmx " WASMX_VERSION,
                                   strlen("wasmx " WASMX_VERSION), false, "", 0, 0, "", 0,
                                   LLVMDWARFEmissionLineTablesOnly, 0, false, false, "", 0, "", 0);
    p->di_type = LLVMDIBuilderCreateSubroutineType(p->di, p->di_file, NULL, 0, LLVMDIFlagZero);
}

void debug_close(part *p) {
    if (p->di) LLVMDisposeDIBuilder(p->di);
    wx_map_free(&p->di_funcs);
    wx_map_free(&p->di_sites);
    wx_buf_free(&p->inlined);
}

void debug_function(part *p, LLVMValueRef f, uint32_t func) {
    if (!p->di) return;
    unsigned line = (unsigned)p->u->m->funcs[func].code.offset;
    p->di_func = LLVMDIBuilderCreateFunction(p->di, p->di_file, "", 0, "", 0, p->di_file, line, p->di_type, true, true,
                                             line, LLVMDIFlagZero, false);
    LLVMSetSubprogram(f, p->di_func);
    *wx_map_put(&p->di_funcs, (uintptr_t)p->di_func, NULL) = func;
}

static LLVMMetadataRef location(part *p, uint64_t offset, unsigned inlined, LLVMMetadataRef func) {
    return LLVMDIBuilderCreateDebugLocation(p->c, (unsigned)offset, inlined, func, NULL);
}

void debug_at(part *p, uint64_t offset) {
    if (p->di) LLVMSetCurrentDebugLocation2(p->b, offset ? location(p, offset, 0, p->di_func) : NULL);
}

void debug_at_start(part *p, LLVMValueRef f) {
    LLVMMetadataRef func = p->di ? LLVMGetSubprogram(f) : NULL;
    if (p->di) LLVMSetCurrentDebugLocation2(p->b, func ? location(p, LLVMDISubprogramGetLine(func), 0, func) : NULL);
}

void debug_near(part *p, LLVMValueRef next) {
    LLVMMetadataRef at = NULL;
    if (!p->di) return;
    debug_at_start(p, LLVMGetBasicBlockParent(LLVMGetInstructionParent(next)));
    for (; next && !at; next = LLVMGetNextInstruction(next)) at = LLVMInstructionGetDebugLoc(next);
    if (at) LLVMSetCurrentDebugLocation2(p->b, at);
}

void debug_keep_apart(part *p, LLVMValueRef call) {
    if (p->di)
        LLVMAddCallSiteAttribute(call, LLVMAttributeFunctionIndex, LLVMCreateEnumAttribute(p->c, p->attr_nomerge, 0));
}

void debug_emitted(part *p) {
    if (p->di) LLVMDIBuilderFinalize(p->di);
}

// ---- Inlining, flattened

// The number of what was inlined at a call site, whose instructions are of the function `scope`; 0: too many. LLVM
// makes a node of its own for each site.
static uint32_t inlined_at(part *p, LLVMMetadataRef site, LLVMMetadataRef scope) {
    const uint64_t *known = wx_map_get(&p->di_sites, (uintptr_t)site);
    if (known) return (uint32_t)*known;
    const uint64_t *func = wx_map_get(&p->di_funcs, (uintptr_t)scope);
    LLVMMetadataRef outer = LLVMDILocationGetInlinedAt(site);
    wxrt_inlined x = {.at = LLVMDILocationGetLine(site), .func = func ? (uint32_t)*func : UINT32_MAX};
    x.up = outer ? inlined_at(p, outer, LLVMDILocationGetScope(site)) : 0;
    uint32_t number = (uint32_t)(p->inlined.len / sizeof x) + 1;
    if (number > MOST_INLINED || (outer && !x.up)) number = 0;
    else wx_buf_add(&p->inlined, &x, sizeof x);
    *wx_map_put(&p->di_sites, (uintptr_t)site, NULL) = number;
    return number;
}

static void flatten_instruction(part *p, LLVMValueRef i, LLVMMetadataRef func) {
    LLVMMetadataRef at = LLVMInstructionGetDebugLoc(i), site = at ? LLVMDILocationGetInlinedAt(at) : NULL;
    if (!site) return;
    uint32_t number = inlined_at(p, site, LLVMDILocationGetScope(at));
    LLVMInstructionSetDebugLoc(i, location(p, number ? LLVMDILocationGetLine(at) : 0, number, func));
}

void debug_flatten(part *p) {
    if (!p->di) return;
    for (LLVMValueRef f = LLVMGetFirstFunction(p->m); f; f = LLVMGetNextFunction(f)) {
        LLVMMetadataRef func = LLVMGetSubprogram(f);
        if (!func) continue;
        for (LLVMBasicBlockRef b = LLVMGetFirstBasicBlock(f); b; b = LLVMGetNextBasicBlock(b))
            for (LLVMValueRef i = LLVMGetFirstInstruction(b); i; i = LLVMGetNextInstruction(i))
                flatten_instruction(p, i, func);
    }
}
