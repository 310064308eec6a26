// compiler/part.c: what every emitter needs of one partition: types, declarations, metadata.
//
// in: a wx_unit   out: an empty LLVM module with the vocabulary to fill it   allocates: its own; part_close frees all
#include "compiler/part.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const intrinsic_names[] = {
#define X(name, text) text,
    INTRINSICS(X)
#undef X
};

static unsigned attribute_kind(const char *name) { return LLVMGetEnumAttributeKindForName(name, strlen(name)); }

static void open_types(part *p) {
    p->i1 = LLVMInt1TypeInContext(p->c);
    p->i8 = LLVMInt8TypeInContext(p->c);
    p->i16 = LLVMInt16TypeInContext(p->c);
    p->i32 = LLVMInt32TypeInContext(p->c);
    p->i64 = LLVMInt64TypeInContext(p->c);
    p->f32 = LLVMFloatTypeInContext(p->c);
    p->f64 = LLVMDoubleTypeInContext(p->c);
    p->ptr = LLVMPointerTypeInContext(p->c, 0);
    p->v128 = LLVMVectorType(p->i64, 2);
    p->void_ = LLVMVoidTypeInContext(p->c);
}

static LLVMMetadataRef string_md(part *p, const char *s) { return LLVMMDStringInContext2(p->c, s, strlen(s)); }

static LLVMMetadataRef node(part *p, LLVMMetadataRef *ops, size_t n) { return LLVMMDNodeInContext2(p->c, ops, n); }

// One domain, a scope for each region, and for each region the list of all the others. Scopes are identified by
// strings, so that inlining across functions keeps them the same.
static void open_scopes(part *p) {
    static const char *const names[SCOPE_COUNT] = {"linear memory", "globals", "tables", "memory size",
                                                   "objects", "heads of objects", "allocator"};
    LLVMMetadataRef domain_name = string_md(p, "wasmx"), scopes[SCOPE_COUNT];
    LLVMMetadataRef domain = node(p, &domain_name, 1);
    for (int i = 0; i < SCOPE_COUNT; i++) scopes[i] = node(p, (LLVMMetadataRef[]){string_md(p, names[i]), domain}, 2);
    for (int i = 0; i < SCOPE_COUNT; i++) {
        LLVMMetadataRef others[SCOPE_COUNT];
        int n = 0;
        for (int j = 0; j < SCOPE_COUNT; j++)
            if (j != i) others[n++] = scopes[j];
        p->scopes[i] = LLVMMetadataAsValue(p->c, node(p, &scopes[i], 1));
        p->noalias[i] = LLVMMetadataAsValue(p->c, node(p, others, (size_t)n));
    }
    p->empty_md = LLVMMetadataAsValue(p->c, node(p, NULL, 0));
    LLVMMetadataRef weights[] = {string_md(p, "branch_weights"), LLVMValueAsMetadata(ci32(p, 1)),
                                 LLVMValueAsMetadata(ci32(p, 1048575))};
    p->unlikely_md = LLVMMetadataAsValue(p->c, node(p, weights, 3));
}

void part_open(part *p, const wx_unit *u, const wx_plan *plan, wx_error *e) {
    *p = (part){.u = u, .plan = plan, .e = e};
    p->c = LLVMContextCreate();
    p->m = LLVMModuleCreateWithNameInContext(u->name, p->c);
    p->b = LLVMCreateBuilderInContext(p->c);
    LLVMSetTarget(p->m, u->triple);
    open_types(p);
    p->funcs = wx_xcalloc((size_t)u->m->func_count + 1, sizeof *p->funcs);
    p->types = wx_xcalloc((size_t)u->m->type_count + 1, sizeof *p->types);
    p->md_scope = LLVMGetMDKindIDInContext(p->c, "alias.scope", 11);
    p->md_noalias = LLVMGetMDKindIDInContext(p->c, "noalias", 7);
    p->md_invariant = LLVMGetMDKindIDInContext(p->c, "invariant.load", 14);
    p->md_range = LLVMGetMDKindIDInContext(p->c, "range", 5);
    p->md_cold = LLVMGetMDKindIDInContext(p->c, "wasmx.cold", 10);
    p->md_prof = LLVMGetMDKindIDInContext(p->c, "prof", 4);
    p->attr_swiftself = attribute_kind("swiftself");
    p->attr_nounwind = attribute_kind("nounwind");
    p->attr_uwtable = attribute_kind("uwtable");
    p->attr_noinline = attribute_kind("noinline");
    p->attr_nomerge = attribute_kind("nomerge");
    size_t room = strlen(u->name) + sizeof ".text.wasmx.";
    p->section = wx_xmalloc(room);
    snprintf(p->section, room, ".text.wasmx.%s", u->name);
    open_scopes(p);
    debug_open(p);
}

void part_close(part *p) {
    debug_close(p);
    LLVMDisposeBuilder(p->b);
    LLVMDisposeModule(p->m);
    LLVMContextDispose(p->c);
    wx_arena_free(&p->scratch);
    free(p->section);
    free(p->funcs);
    free(p->types);
}

LLVMTypeRef value_type(part *p, wx_type t) {
    switch (t) {
    case WX_I32: return p->i32;
    case WX_I64: return p->i64;
    case WX_F32: return p->f32;
    case WX_F64: return p->f64;
    case WX_V128: return p->v128;
    default: return p->ptr; // references
    }
}

bool results_in_memory(const wx_typedef *t) { return t->result_count > 2; }

LLVMTypeRef result_type(part *p, const wx_typedef *t) {
    if (t->result_count == 0 || results_in_memory(t)) return p->void_;
    if (t->result_count == 1) return value_type(p, t->results[0]);
    LLVMTypeRef both[] = {value_type(p, t->results[0]), value_type(p, t->results[1])};
    return LLVMStructTypeInContext(p->c, both, 2, false);
}

LLVMTypeRef func_type(part *p, uint32_t type) {
    if (p->types[type]) return p->types[type];
    const wx_typedef *t = &p->u->m->types[type];
    LLVMTypeRef *params = wx_xmalloc((t->param_count + 2) * sizeof *params);
    unsigned n = 0;
    params[n++] = p->ptr;
    for (uint32_t i = 0; i < t->param_count; i++) params[n++] = value_type(p, t->params[i]);
    if (results_in_memory(t)) params[n++] = p->ptr;
    p->types[type] = LLVMFunctionType(result_type(p, t), params, n, false);
    free(params);
    return p->types[type];
}

static void add_attribute(part *p, LLVMValueRef f, unsigned place, unsigned kind, uint64_t value) {
    LLVMAddAttributeAtIndex(f, place, LLVMCreateEnumAttribute(p->c, kind, value));
}

static void add_string_attribute(part *p, LLVMValueRef f, const char *name, const char *value) {
    LLVMAttributeRef a = LLVMCreateStringAttribute(p->c, name, (unsigned)strlen(name), value, (unsigned)strlen(value));
    LLVMAddAttributeAtIndex(f, LLVMAttributeFunctionIndex, a);
}

// "no-builtins": LLVM must not turn guest loops into memset or memcpy calls, whose faults would lie outside our code.
static void set_code_attributes(part *p, LLVMValueRef f) {
    add_attribute(p, f, LLVMAttributeFunctionIndex, p->attr_nounwind, 0);
    if (!p->u->lazy) add_attribute(p, f, LLVMAttributeFunctionIndex, p->attr_uwtable, 2);
    // Backtraces find the caller of a function without a frame by its call, which on demand is one of a stub.
    add_string_attribute(p, f, "frame-pointer", p->u->lazy ? "all" : "non-leaf");
    add_string_attribute(p, f, "no-builtins", "");
    add_string_attribute(p, f, "probe-stack", "inline-asm");
    if (p->u->tune) add_string_attribute(p, f, "tune-cpu", p->u->tune);
    if (p->u->opt_size) add_attribute(p, f, LLVMAttributeFunctionIndex, attribute_kind("optsize"), 0);
    LLVMSetSection(f, p->section);
}

static void set_linkage(part *p, LLVMValueRef global) {
    if (p->u->part_count == 1 || p->u->lazy) LLVMSetLinkage(global, LLVMInternalLinkage);
    else LLVMSetVisibility(global, LLVMHiddenVisibility);
}

LLVMValueRef new_func(part *p, const char *name, LLVMTypeRef type, bool has_ctx) {
    LLVMValueRef f = LLVMGetNamedFunction(p->m, name);
    if (!f) f = LLVMAddFunction(p->m, name, type);
    set_code_attributes(p, f);
    set_linkage(p, f);
    if (has_ctx) add_attribute(p, f, 1, p->attr_swiftself, 0);
    return f;
}

static LLVMValueRef declare_func(part *p, const char *name, LLVMTypeRef type, bool has_ctx) {
    LLVMValueRef f = LLVMAddFunction(p->m, name, type);
    LLVMSetVisibility(f, LLVMHiddenVisibility);
    add_attribute(p, f, LLVMAttributeFunctionIndex, p->attr_nounwind, 0);
    if (has_ctx) add_attribute(p, f, 1, p->attr_swiftself, 0);
    return f;
}

static LLVMValueRef declare_guest(part *p, uint32_t func, const char *name) {
    LLVMValueRef f = declare_func(p, name, func_type(p, p->u->m->funcs[func].type), true);
    if (p->u->facts.funcs[func].tail) LLVMSetFunctionCallConv(f, TAILCC);
    if (p->u->cold && p->u->cold[func]) // calls of it are unlikely
        add_attribute(p, f, LLVMAttributeFunctionIndex, attribute_kind("cold"), 0);
    return p->funcs[func] = f;
}

LLVMValueRef func_value(part *p, uint32_t func) {
    return p->funcs[func] ? p->funcs[func] : declare_guest(p, func, p->u->symbols[func]);
}

// Code made on demand is called by its stub, which has the function's symbol, and from its own plan directly.
void declare_bodies(part *p) {
    for (uint32_t i = 0; i < p->plan->count; i++) {
        uint32_t func = p->plan->funcs[i];
        declare_guest(p, func, p->u->lazy ? numbered(p, "body", func) : p->u->symbols[func]);
    }
}

static LLVMTypeRef letter_type(part *p, char letter) {
    switch (letter) {
    case 'p': return p->ptr;
    case 'i': return p->i32;
    case 'I': return p->i64;
    case 'W': return LLVMStructTypeInContext(p->c, (LLVMTypeRef[]){p->i32, p->i64}, 2, false);
    default: return p->void_;
    }
}

static LLVMTypeRef helper_type(part *p, enum helper h) {
    static const char *const sigs[] = {
#define FIELD(s, f)
#define HELPER(name, result, parameters, sig) sig,
#include "runtime/abi.def"
#undef FIELD
#undef HELPER
    };
    LLVMTypeRef params[8];
    unsigned n = 0;
    for (const char *s = sigs[h] + 2; *s; s++) params[n++] = letter_type(p, *s);
    return LLVMFunctionType(letter_type(p, sigs[h][0]), params, n, false);
}

LLVMValueRef helper_value(part *p, enum helper h, LLVMTypeRef *type) {
    static const char *const names[] = {
#define FIELD(s, f)
#define HELPER(name, ...) "wxrt_" #name,
#include "runtime/abi.def"
#undef FIELD
#undef HELPER
    };
    *type = helper_type(p, h);
    if (!p->helpers[h]) {
        p->helpers[h] = LLVMAddFunction(p->m, names[h], *type);
        add_attribute(p, p->helpers[h], LLVMAttributeFunctionIndex, p->attr_nounwind, 0);
    }
    return p->helpers[h];
}

LLVMValueRef call_helper(part *p, enum helper h, LLVMValueRef *args, unsigned n) {
    LLVMTypeRef type;
    LLVMValueRef f = helper_value(p, h, &type);
    return LLVMBuildCall2(p->b, type, f, args, n, "");
}

LLVMValueRef declare_intrinsic(part *p, int which, LLVMTypeRef *overloads, unsigned n, LLVMTypeRef *type) {
    if (!p->intrinsics[which])
        p->intrinsics[which] = LLVMLookupIntrinsicID(intrinsic_names[which], strlen(intrinsic_names[which]));
    *type = LLVMIntrinsicGetType(p->c, p->intrinsics[which], overloads, n);
    return LLVMGetIntrinsicDeclaration(p->m, p->intrinsics[which], overloads, n);
}

LLVMValueRef hidden_global(part *p, const char *name, LLVMTypeRef type) {
    LLVMValueRef g = LLVMGetNamedGlobal(p->m, name);
    if (g) return g;
    g = LLVMAddGlobal(p->m, type, name);
    LLVMSetVisibility(g, LLVMHiddenVisibility);
    return g;
}

void set_scope(part *p, LLVMValueRef access, scope s) {
    LLVMSetMetadata(access, p->md_scope, p->scopes[s]);
    LLVMSetMetadata(access, p->md_noalias, p->noalias[s]);
}

void set_invariant(part *p, LLVMValueRef load) { LLVMSetMetadata(load, p->md_invariant, p->empty_md); }

void set_range(part *p, LLVMValueRef load, uint64_t least, uint64_t most) {
    LLVMMetadataRef ends[] = {LLVMValueAsMetadata(ci64(p, least)), LLVMValueAsMetadata(ci64(p, most + 1))};
    LLVMSetMetadata(load, p->md_range, LLVMMetadataAsValue(p->c, node(p, ends, 2)));
}

LLVMValueRef ci32(part *p, uint64_t v) { return LLVMConstInt(p->i32, v & 0xffffffffu, false); }
LLVMValueRef ci64(part *p, uint64_t v) { return LLVMConstInt(p->i64, v, false); }

LLVMValueRef byte_offset(part *p, LLVMValueRef base, int64_t offset) {
    LLVMValueRef at = ci64(p, (uint64_t)offset);
    return LLVMBuildGEP2(p->b, p->i8, base, &at, 1, "");
}

LLVMValueRef instance_of(part *p, LLVMValueRef ctx) { return byte_offset(p, ctx, INSTANCE_AT); }

LLVMValueRef build_trap(part *p, unsigned code) {
    LLVMTypeRef type;
    LLVMValueRef f = declare_intrinsic(p, UBSANTRAP, NULL, 0, &type), arg = LLVMConstInt(p->i8, code, false);
    return LLVMBuildCall2(p->b, type, f, &arg, 1, "");
}

char *numbered(part *p, const char *kind, uint64_t n) {
    return wx_arena_printf(&p->scratch, "%s.wx.%s.%llu", p->u->name, kind, (unsigned long long)n);
}

char *symbol(part *p, const char *suffix) { return wx_arena_printf(&p->scratch, "%s.wx.%s", p->u->name, suffix); }
