// compiler/adapters.c: the small functions between worlds: host to guest, guest to host, C convention to tailcc.
//
// All but the tail entries are made in the last partition, next to the descriptor that points to them. Code on demand
// has interp/adapt.c instead.
#include <string.h>

#include "compiler/emit.h"
#include "compiler/exports.h"

// True when the function still needs a body; then the builder stands in its entry block.
static bool begin(fn *f, part *p, const char *name, LLVMTypeRef type, v *out) {
    v known = LLVMGetNamedFunction(p->m, name);
    *out = known;
    if (known && LLVMCountBasicBlocks(known)) return false;
    *out = new_func(p, name, type, true);
    fn_open(f, p, *out);
    return true;
}

static v slot_at(fn *f, v slots, uint32_t i) {
    return i ? byte_offset(f->p, slots, (int64_t)(i * sizeof(wasmx_value))) : slots;
}

static v value_slots(fn *f, const wx_typedef *t) {
    uint32_t n = t->param_count > t->result_count ? t->param_count : t->result_count;
    v slots = entry_alloca(f, LLVMArrayType2(f->p->v128, n ? n : 1));
    LLVMSetAlignment(slots, 16);
    return slots;
}

static void store_params(fn *f, const wx_typedef *t, v slots, unsigned first) {
    for (uint32_t i = 0; i < t->param_count; i++)
        LLVMBuildStore(f->b, LLVMGetParam(f->llvm, first + i), slot_at(f, slots, i));
}

// Returns from f what stands in slots, in the way f's own type returns things.
static void return_slots(fn *f, const wx_typedef *t, v slots) {
    v *values = WX_NEW_ARRAY(&f->p->scratch, v, t->result_count);
    for (uint32_t i = 0; i < t->result_count; i++)
        values[i] = LLVMBuildLoad2(f->b, value_type(f->p, t->results[i]), slot_at(f, slots, i), "");
    f->type = t;
    return_values(f, values);
}

// ---- Host to guest

// void thunk(swiftself ctx, code, slots): unpacks arguments, calls, packs results.
v signature_thunk(part *p, uint32_t type) {
    const wx_typedef *t = &p->u->m->types[type];
    ty params[] = {p->ptr, p->ptr, p->ptr};
    fn f;
    v thunk;
    if (!begin(&f, p, numbered(p, "thunk", t->canon), LLVMFunctionType(p->void_, params, 3, false), &thunk))
        return thunk;
    v code = LLVMGetParam(thunk, 1), slots = LLVMGetParam(thunk, 2);
    v *args = WX_NEW_ARRAY(&p->scratch, v, t->param_count + 1);
    for (uint32_t i = 0; i < t->param_count; i++)
        args[i] = LLVMBuildLoad2(p->b, value_type(p, t->params[i]), slot_at(&f, slots, i), "");
    args[t->param_count] = slots; // results in memory overwrite the arguments, which are read by then
    v result = build_call(&f, func_type(p, type), code, f.ctx, args, t, false);
    if (!results_in_memory(t)) {
        push_results(&f, t, result, NULL);
        for (uint32_t i = 0; i < t->result_count; i++) LLVMBuildStore(p->b, f.stack[i], slot_at(&f, slots, i));
    }
    LLVMBuildRetVoid(p->b);
    fn_close(&f);
    return thunk;
}

// ---- Guest to host. ctx is the wasmx_func record.

static bool by_pointer(wx_type t) { return t == WX_V128; }
static bool results_by_pointer(const wx_typedef *t) {
    return t->result_count > 1 || (t->result_count == 1 && by_pointer(t->results[0]));
}

// R function(wasmx_instance *, parameters...), as wasmx.h describes typed functions.
static ty c_function_type(part *p, const wx_typedef *t) {
    ty *params = WX_NEW_ARRAY(&p->scratch, ty, t->param_count + 2);
    unsigned n = 0;
    params[n++] = p->ptr;
    for (uint32_t i = 0; i < t->param_count; i++)
        params[n++] = by_pointer(t->params[i]) ? p->ptr : value_type(p, t->params[i]);
    if (results_by_pointer(t)) params[n++] = p->ptr;
    ty result = t->result_count == 1 && !results_by_pointer(t) ? value_type(p, t->results[0]) : p->void_;
    return LLVMFunctionType(result, params, n, false);
}

// References to objects, as the host has them and as the guest does.
static v to_host(fn *f, v ref, v instance) {
    return call_helper(f->p, HELP_gc_externalize, (v[]){instance, ref}, 2);
}

static v from_host(fn *f, wx_type t, v word, v instance) {
    if (!wx_holds_objects(f->m, t)) return word;
    return call_helper(f->p, HELP_gc_from_host, (v[]){instance, ci32(f->p, wx_desc_kind(f->m, t)), word}, 3);
}

static void return_host_slots(fn *f, const wx_typedef *t, v slots, v instance) {
    v *values = WX_NEW_ARRAY(&f->p->scratch, v, t->result_count);
    for (uint32_t i = 0; i < t->result_count; i++) {
        v x = LLVMBuildLoad2(f->b, value_type(f->p, t->results[i]), slot_at(f, slots, i), "");
        values[i] = from_host(f, t->results[i], x, instance);
    }
    return_values(f, values);
}

static void call_c_function(fn *f, const wx_typedef *t, v function, v instance) {
    part *p = f->p;
    v *args = WX_NEW_ARRAY(&p->scratch, v, t->param_count + 2);
    unsigned n = 0;
    args[n++] = instance;
    for (uint32_t i = 0; i < t->param_count; i++) {
        v x = LLVMGetParam(f->llvm, i + 1);
        if (by_pointer(t->params[i])) {
            v copy = entry_alloca(f, p->v128);
            LLVMBuildStore(p->b, x, copy);
            x = copy;
        }
        args[n++] = wx_holds_objects(f->m, t->params[i]) ? to_host(f, x, instance) : x;
    }
    v slots = results_by_pointer(t) ? value_slots(f, t) : NULL;
    if (slots) args[n++] = slots;
    v result = LLVMBuildCall2(p->b, c_function_type(p, t), function, args, n, "");
    LLVMSetTailCallKind(result, LLVMTailCallKindNoTail); // a backtrace from the host function starts at our frame
    f->type = t;
    if (slots) return_host_slots(f, t, slots, instance);
    else if (t->result_count) return_values(f, (v[]){from_host(f, t->results[0], result, instance)});
    else return_values(f, &result);
}

static v linked_function(part *p, const wx_typedef *t, const char *name) {
    v known = LLVMGetNamedFunction(p->m, name);
    return known ? known : LLVMAddFunction(p->m, name, c_function_type(p, t));
}

// With --imports=link the function is a symbol and ctx our own; otherwise both come from the record.
v typed_adapter(part *p, uint32_t func) {
    uint32_t type = p->u->m->funcs[func].type;
    const wx_typedef *t = &p->u->m->types[type];
    const char *linked = wx_linked_name(p->u, func);
    fn f;
    v adapter;
    char *name = wx_arena_printf(&p->scratch, "%s.wx.typed.%u.%u", p->u->name, p->plan->index,
                                 linked ? func : t->canon);
    if (!begin(&f, p, name, func_type(p, type), &adapter)) return adapter;
    v function = linked ? linked_function(p, t, linked) : load_field(&f, p->ptr, f.ctx, offsetof(wasmx_func, host));
    v instance = linked ? instance_of(p, f.ctx) : load_field(&f, p->ptr, f.ctx, offsetof(wasmx_func, owner));
    call_c_function(&f, t, function, instance);
    fn_close(&f);
    return adapter;
}

v callback_adapter(part *p, uint32_t func) {
    uint32_t type = p->u->m->funcs[func].type;
    const wx_typedef *t = &p->u->m->types[type];
    fn f;
    v adapter;
    if (!begin(&f, p, numbered(p, "callback", t->canon), func_type(p, type), &adapter)) return adapter;
    v slots = value_slots(&f, t);
    store_params(&f, t, slots, 1);
    call_helper(p, HELP_host_call, (v[]){f.ctx, slots}, 2);
    return_slots(&f, t, slots);
    fn_close(&f);
    return adapter;
}

v unknown_import_stub(part *p, uint32_t func) {
    uint32_t type = p->u->m->funcs[func].type;
    fn f;
    v stub;
    if (!begin(&f, p, numbered(p, "unknown", p->u->m->types[type].canon), func_type(p, type), &stub)) return stub;
    call_helper(p, HELP_unknown_import, &f.ctx, 1);
    LLVMBuildUnreachable(p->b);
    fn_close(&f);
    return stub;
}

// ---- Entries with the C convention

static void forward(fn *f, const wx_typedef *t, ty type, v code, v ctx, bool tailcc) {
    v *args = WX_NEW_ARRAY(&f->p->scratch, v, t->param_count + 1);
    for (uint32_t i = 0; i < t->param_count; i++) args[i] = LLVMGetParam(f->llvm, i + 1);
    if (results_in_memory(t)) args[t->param_count] = LLVMGetParam(f->llvm, t->param_count + 1);
    v result = build_call(f, type, code, ctx, args, t, tailcc);
    bool nothing = t->result_count == 0 || results_in_memory(t);
    if (nothing) LLVMBuildRetVoid(f->b);
    else LLVMBuildRet(f->b, result);
}

void emit_tail_entries(part *p) {
    const wx_unit *u = p->u;
    for (uint32_t i = 0; i < p->plan->count; i++) {
        uint32_t func = p->plan->funcs[i];
        if (!u->facts.funcs[func].tail) continue;
        fn f;
        v entry;
        ty type = func_type(p, u->m->funcs[func].type);
        char *name = numbered(p, u->lazy ? "entry_body" : "entry", func);
        if (!begin(&f, p, name, type, &entry)) continue;
        debug_function(p, entry, func); // whose body may become part of it
        debug_at_start(p, entry);
        forward(&f, wx_func_type(u->m, func), type, func_value(p, func), f.ctx, true);
        if (p->u->lazy) LLVMSetLinkage(entry, LLVMExternalLinkage);
        fn_close(&f);
    }
}

// Runs on the importing instance's ctx and goes to the imported function on its own.
static v import_entry(part *p, uint32_t func) {
    ty type = func_type(p, p->u->m->funcs[func].type);
    fn f;
    v entry;
    if (!begin(&f, p, numbered(p, "import", func), type, &entry)) return entry;
    if (wx_linked_name(p->u, func)) {
        forward(&f, wx_func_type(p->u->m, func), type, typed_adapter(p, func), f.ctx, false);
    } else {
        int64_t record = wxrt_area_offset(p->u->layout.imports, func * sizeof(wasmx_func));
        v code = load_const(&f, p->ptr, f.ctx, record + (int64_t)offsetof(wasmx_func, code));
        v ctx = load_const(&f, p->ptr, f.ctx, record + (int64_t)offsetof(wasmx_func, ctx));
        forward(&f, wx_func_type(p->u->m, func), type, code, ctx, false);
    }
    fn_close(&f);
    return entry;
}

v c_entry(part *p, uint32_t func) {
    const wx_func *x = &p->u->m->funcs[func];
    if (x->import != WX_NO_INDEX) return import_entry(p, func);
    if (!p->u->facts.funcs[func].tail) return func_value(p, func);
    v known = LLVMGetNamedFunction(p->m, numbered(p, "entry", func));
    if (known) return known;
    known = LLVMAddFunction(p->m, numbered(p, "entry", func), func_type(p, x->type));
    LLVMSetVisibility(known, LLVMHiddenVisibility);
    return known; // only its address is taken here
}

// ---- What the header declares

static v public_function(part *p, const char *name, ty type) {
    v f = LLVMAddFunction(p->m, name, type);
    LLVMSetSection(f, p->section);
    LLVMAddAttributeAtIndex(f, LLVMAttributeFunctionIndex, LLVMCreateEnumAttribute(p->c, p->attr_uwtable, 2));
    return f;
}

static v param_value(fn *f, const wx_typedef *t, uint32_t i) {
    v x = LLVMGetParam(f->llvm, i + 1);
    return by_pointer(t->params[i]) ? LLVMBuildLoad2(f->b, f->p->v128, x, "") : x;
}

// Functions of few integers are called in registers, all others by a thunk, through memory.
static bool is_word(wx_type t) { return t == WX_I32 || t == WX_I64; }
static bool in_words(const wx_typedef *t) {
    bool all = t->param_count <= WXRT_WORDS && t->result_count <= 1;
    for (uint32_t i = 0; all && i < t->param_count; i++) all = is_word(t->params[i]);
    return all && (!t->result_count || is_word(t->results[0]));
}

// Both return the status, and the results that there are if it is WASMX_OK.
static v call_in_words(fn *f, const wx_typedef *t, v code, v *results) {
    part *p = f->p;
    v args[2 + WXRT_WORDS] = {f->ctx, code};
    for (uint32_t i = 0; i < WXRT_WORDS; i++)
        args[2 + i] = i < t->param_count ? LLVMBuildZExt(f->b, LLVMGetParam(f->llvm, i + 1), p->i64, "")
                                         : LLVMGetUndef(p->i64);
    v both = call_helper(p, HELP_call_words, args, 2 + WXRT_WORDS);
    if (t->result_count)
        results[0] = LLVMBuildTrunc(f->b, LLVMBuildExtractValue(f->b, both, 1, ""), value_type(p, t->results[0]), "");
    return LLVMBuildExtractValue(f->b, both, 0, "");
}

static v call_by_thunk(fn *f, uint32_t type, v thunk, v code, v *results) {
    const wx_typedef *t = &f->m->types[type];
    v slots = value_slots(f, t);
    for (uint32_t i = 0; i < t->param_count; i++) LLVMBuildStore(f->b, param_value(f, t, i), slot_at(f, slots, i));
    v status = wx_mentions_objects(f->m, t)
                   ? call_helper(f->p, HELP_gc_call, (v[]){f->ctx, ci32(f->p, type), thunk, code, slots}, 5)
                   : call_helper(f->p, HELP_call, (v[]){f->ctx, thunk, code, slots}, 4);
    for (uint32_t i = 0; i < t->result_count; i++)
        results[i] = LLVMBuildLoad2(f->b, value_type(f->p, t->results[i]), slot_at(f, slots, i), "");
    return status;
}

// wasmx_status NAME_export(instance, parameters..., results...)
static void export_function(part *p, const char *name, uint32_t func) {
    uint32_t type = p->u->m->funcs[func].type;
    const wx_typedef *t = &p->u->m->types[type];
    ty *params = WX_NEW_ARRAY(&p->scratch, ty, t->param_count + t->result_count + 1);
    unsigned n = 0;
    params[n++] = p->ptr;
    for (uint32_t i = 0; i < t->param_count; i++)
        params[n++] = by_pointer(t->params[i]) ? p->ptr : value_type(p, t->params[i]);
    for (uint32_t i = 0; i < t->result_count; i++) params[n++] = p->ptr;
    bool words = in_words(t);
    v thunk = words ? NULL : signature_thunk(p, type), code = c_entry(p, func);
    v *results = WX_NEW_ARRAY(&p->scratch, v, t->result_count + 1);
    fn f;
    fn_open(&f, p, public_function(p, name, LLVMFunctionType(p->i32, params, n, false)));
    v status = words ? call_in_words(&f, t, code, results) : call_by_thunk(&f, type, thunk, code, results);
    LLVMBasicBlockRef done = new_block(&f, "done"), store = new_block(&f, "store");
    LLVMBuildCondBr(p->b, LLVMBuildICmp(p->b, LLVMIntEQ, status, ci32(p, 0), ""), store, done);
    go_on(&f, store);
    for (uint32_t i = 0; i < t->result_count; i++) {
        v stored = LLVMBuildStore(p->b, results[i], LLVMGetParam(f.llvm, t->param_count + 1 + i));
        if (by_pointer(t->results[i])) LLVMSetAlignment(stored, 1);
    }
    LLVMBuildBr(p->b, done);
    go_on(&f, done);
    LLVMBuildRet(p->b, status);
    fn_close(&f);
}

static v area_pointer(fn *f, uint64_t array, uint64_t byte) {
    return byte_offset(f->p, f->ctx, (int64_t)byte - (int64_t)array);
}

static void export_memory(part *p, const char *name, uint32_t memory) {
    fn f;
    fn_open(&f, p, public_function(p, name, LLVMFunctionType(p->ptr, &p->ptr, 1, false)));
    v place = area_pointer(&f, p->u->layout.memories, memory * sizeof(void *));
    LLVMBuildRet(p->b, LLVMBuildLoad2(p->b, p->ptr, place, ""));
    fn_close(&f);
}

static v global_place(fn *f, uint32_t global) {
    v cell = area_pointer(f, f->p->u->layout.globals, global * sizeof(wasmx_value));
    bool imported = f->p->u->m->globals[global].import != WX_NO_INDEX;
    return imported ? LLVMBuildLoad2(f->b, f->p->ptr, cell, "") : cell;
}

static void export_global(part *p, const char *name, uint32_t global) {
    const wx_global *g = &p->u->m->globals[global];
    if (by_pointer(g->type) || wx_holds_objects(p->u->m, g->type)) return; // through wasmx_export
    ty type = value_type(p, g->type);
    fn f;
    fn_open(
        &f, p,
        public_function(p, wx_arena_printf(&p->scratch, "%s_get", name), LLVMFunctionType(type, &p->ptr, 1, false)));
    LLVMBuildRet(p->b, LLVMBuildLoad2(p->b, type, global_place(&f, global), ""));
    fn_close(&f);
    if (!g->mutable) return;
    ty params[] = {p->ptr, type};
    fn_open(
        &f, p,
        public_function(p, wx_arena_printf(&p->scratch, "%s_set", name), LLVMFunctionType(p->void_, params, 2, false)));
    LLVMBuildStore(p->b, LLVMGetParam(f.llvm, 1), global_place(&f, global));
    LLVMBuildRetVoid(p->b);
    fn_close(&f);
}

void emit_export_functions(part *p) {
    const wx_module *m = p->u->m;
    for (uint32_t i = 0; i < m->export_count; i++) {
        const char *name = p->u->export_names[i];
        if (!name) continue;
        switch (m->exports[i].kind) {
        case WX_EXTERN_FUNC: export_function(p, name, m->exports[i].index); break;
        case WX_EXTERN_MEMORY: export_memory(p, name, m->exports[i].index); break;
        case WX_EXTERN_GLOBAL: export_global(p, name, m->exports[i].index); break;
        default: break;
        }
    }
}
