// compiler/descriptor.c: the `const wasmx_module NAME` of the object (runtime/abi.h), and constant tables.
//
// in: facts, layout, image   out: globals in the last partition   Structs are filled as C structs; blob.c turns them
// into LLVM constants, so no layout is written twice.
#include <stdlib.h>
#include <string.h>

#include "compiler/blob.h"
#include "compiler/exports.h"
#include "compiler/part.h"

// Padding too: a struct's bytes go into the object, and that has to be the same every time.
#define CLEAR(s) memset(&(s), 0, sizeof(s))

#define POINT(b, start, type, field, to) blob_point((b), (start) + offsetof(type, field), (to))

typedef struct desc { // what the making of one descriptor shares
    part *p;
    const wx_unit *u;
    const wx_module *m;
    blob strings;          // NUL-terminated strings
    LLVMValueRef string_base; // stands for the strings until they are complete
} desc;

static LLVMValueRef string_at(desc *d, const char *s, size_t len) {
    size_t at = blob_add(&d->strings, s, len);
    blob_add(&d->strings, "", 1);
    LLVMValueRef index = ci64(d->p, at);
    return LLVMConstInBoundsGEP2(d->p->i8, d->string_base, &index, 1);
}

static LLVMValueRef name_at(desc *d, wx_name name) { return string_at(d, name.ptr ? name.ptr : "", name.len); }

// ---- Types

static LLVMValueRef type_ids(desc *d) {
    part *p = d->p;
    LLVMTypeRef type = LLVMArrayType2(p->i64, d->m->type_count);
    LLVMValueRef ids = hidden_global(p, symbol(p, "type_ids"), type);
    LLVMValueRef *values = WX_NEW_ARRAY(&p->scratch, LLVMValueRef, d->m->type_count);
    for (uint32_t i = 0; i < d->m->type_count; i++) values[i] = ci64(p, wx_type_id(d->m, i));
    LLVMSetInitializer(ids, LLVMConstArray2(p->i64, values, d->m->type_count));
    LLVMSetAlignment(ids, 16);
    if (d->u->part_count == 1 && !d->u->lazy) LLVMSetLinkage(ids, LLVMInternalLinkage);
    return ids;
}

static LLVMValueRef kinds_of(desc *d, const wx_typedef *t) {
    blob b = {0};
    for (uint32_t i = 0; i < t->param_count + t->result_count; i++) {
        wx_type x = i < t->param_count ? t->params[i] : t->results[i - t->param_count];
        uint32_t kind = wx_desc_kind(d->m, x);
        blob_add(&b, &kind, sizeof kind);
    }
    return blob_global(d->p, &b, "kinds");
}

_Static_assert((int)WX_KIND_STRUCT == WXRT_TAG_STRUCT && (int)WX_KIND_ARRAY == WXRT_TAG_ARRAY, "wxrt_type.sort");

static void describe_object(desc *d, uint32_t type, wxrt_type *out, blob *refs) {
    out->sort = d->m->types[type].kind;
    if (!d->u->gc || out->sort == WXRT_TAG_FUNC) return;
    const wx_object *o = &d->u->objects[type];
    out->size = o->size;
    out->ref_count = o->ref_count;
    if (o->ref_count) blob_add(refs, o->refs, o->ref_count * sizeof *o->refs);
}

static LLVMValueRef make_types(desc *d) {
    blob b = {0};
    LLVMValueRef ids = d->m->type_count ? type_ids(d) : NULL;
    for (uint32_t i = 0; i < d->m->type_count; i++) {
        const wx_typedef *t = &d->m->types[i];
        blob canon = {0};
        if (!wx_type_id(d->m, i)) wx_type_canonical(d->m, i, &canon.bytes);
        wxrt_type out;
        CLEAR(out);
        out.param_count = t->param_count;
        out.result_count = t->result_count;
        out.canon_size = (uint32_t)canon.bytes.len;
        out.super = t->super;
        blob refs = {0};
        describe_object(d, i, &out, &refs);
        size_t at = blob_add(&b, &out, sizeof out);
        LLVMValueRef index = ci64(d->p, i);
        POINT(&b, at, wxrt_type, id, LLVMConstInBoundsGEP2(d->p->i64, ids, &index, 1));
        POINT(&b, at, wxrt_type, kinds, kinds_of(d, t));
        POINT(&b, at, wxrt_type, canon, blob_global(d->p, &canon, "canon"));
        POINT(&b, at, wxrt_type, refs, blob_global(d->p, &refs, "refs"));
    }
    return blob_global(d->p, &b, "types");
}

// ---- Imports and exports

static void fill_import(desc *d, const wx_import *x, wxrt_import *out) {
    const wx_module *m = d->m;
    out->kind = x->kind;
    const wx_limits *limits = NULL;
    switch (x->kind) {
    case WX_EXTERN_FUNC:
        out->type = m->funcs[x->index].type;
        out->typed_slot = wx_typed_slot(d->u, x->index);
        break;
    case WX_EXTERN_GLOBAL:
        out->type = wx_desc_kind(m, m->globals[x->index].type);
        out->is_mutable = m->globals[x->index].mutable;
        break;
    case WX_EXTERN_TABLE:
        out->type = wx_desc_kind(m, m->tables[x->index].type);
        limits = &m->tables[x->index].limits;
        break;
    case WX_EXTERN_MEMORY: limits = &m->memories[x->index].limits; break;
    case WX_EXTERN_TAG: out->type = m->tags[x->index].type; break;
    }
    if (!limits) return;
    out->min = limits->min;
    out->max = limits->max;
    out->has_max = limits->has_max;
}

// Linked imports have no slot to fill: the runtime gives them the stub, which is never called.
static LLVMValueRef make_imports(desc *d) {
    blob b = {0};
    for (uint32_t i = 0; i < d->m->import_count; i++) {
        const wx_import *x = &d->m->imports[i];
        wxrt_import out;
        CLEAR(out);
        out.typed_slot = -1;
        fill_import(d, x, &out);
        bool is_func = x->kind == WX_EXTERN_FUNC;
        bool linked = is_func && wx_linked_name(d->u, x->index);
        if (linked) out.typed_slot = WXRT_LINKED;
        size_t at = blob_add(&b, &out, sizeof out);
        POINT(&b, at, wxrt_import, module, name_at(d, x->module));
        POINT(&b, at, wxrt_import, name, name_at(d, x->field));
        if (!is_func) continue;
        uint32_t type = d->m->funcs[x->index].type;
        POINT(&b, at, wxrt_import, typed_adapter, linked ? c_entry(d->p, x->index) : typed_adapter(d->p, x->index));
        POINT(&b, at, wxrt_import, callback_adapter, callback_adapter(d->p, x->index));
        POINT(&b, at, wxrt_import, thunk, signature_thunk(d->p, type));
        POINT(&b, at, wxrt_import, trap_stub, unknown_import_stub(d->p, x->index));
    }
    return blob_global(d->p, &b, "import_table");
}

static LLVMValueRef tail_entry(desc *d, uint32_t func) {
    return d->u->facts.funcs[func].tail ? func_value(d->p, func) : NULL;
}

static LLVMValueRef make_funcs(desc *d) {
    blob b = {0};
    for (uint32_t i = 0; i < d->u->described_count; i++) {
        uint32_t func = d->u->described[i];
        bool import = d->m->funcs[func].import != WX_NO_INDEX;
        wxrt_funcdesc out;
        CLEAR(out);
        out.type = d->m->funcs[func].type;
        out.index = func;
        size_t at = blob_add(&b, &out, sizeof out);
        if (import) continue;
        POINT(&b, at, wxrt_funcdesc, code, c_entry(d->p, func));
        POINT(&b, at, wxrt_funcdesc, tail, tail_entry(d, func));
        POINT(&b, at, wxrt_funcdesc, thunk, signature_thunk(d->p, out.type));
    }
    return blob_global(d->p, &b, "funcs");
}

static int by_name(const void *a, const void *b) {
    const wx_export *x = *(const wx_export *const *)a, *y = *(const wx_export *const *)b;
    size_t n = x->name.len < y->name.len ? x->name.len : y->name.len;
    int order = n ? memcmp(x->name.ptr, y->name.ptr, n) : 0;
    return order ? order : x->name.len < y->name.len ? -1 : x->name.len > y->name.len;
}

static LLVMValueRef make_exports(desc *d) {
    blob b = {0};
    const wx_export **sorted = WX_NEW_ARRAY(&d->p->scratch, const wx_export *, d->m->export_count);
    for (uint32_t i = 0; i < d->m->export_count; i++) sorted[i] = &d->m->exports[i];
    if (d->m->export_count) qsort(sorted, d->m->export_count, sizeof *sorted, by_name);
    for (uint32_t i = 0; i < d->m->export_count; i++) {
        const wx_export *x = sorted[i];
        wxrt_export out;
        CLEAR(out);
        out.name_size = x->name.len;
        out.kind = x->kind;
        out.index = x->kind == WX_EXTERN_FUNC ? d->u->funcdesc[x->index] : x->index;
        size_t at = blob_add(&b, &out, sizeof out);
        POINT(&b, at, wxrt_export, name, name_at(d, x->name));
    }
    return blob_global(d->p, &b, "exports");
}

// ---- Memories, tables, globals, segments

static LLVMValueRef make_memories(desc *d) {
    blob b = {0};
    for (uint32_t i = 0; i < d->m->memory_count; i++) {
        const wx_memory *x = &d->m->memories[i];
        blob runs = {0};
        if (d->u->image.run_counts[i])
            blob_add(&runs, d->u->image.runs[i], d->u->image.run_counts[i] * sizeof(wxrt_run));
        wxrt_memdesc out;
        CLEAR(out);
        out.min = x->limits.min;
        out.max = x->limits.max;
        out.has_max = x->limits.has_max;
        out.is64 = x->limits.is64;
        out.is_shared = x->limits.shared;
        out.import = x->import != WX_NO_INDEX;
        out.run_count = d->u->image.run_counts[i];
        size_t at = blob_add(&b, &out, sizeof out);
        POINT(&b, at, wxrt_memdesc, runs, blob_global(d->p, &runs, "runs"));
    }
    return blob_global(d->p, &b, "memories");
}

static LLVMValueRef make_tables(desc *d) {
    blob b = {0};
    for (uint32_t i = 0; i < d->m->table_count; i++) {
        const wx_table *x = &d->m->tables[i];
        wxrt_tabledesc out;
        CLEAR(out);
        out.min = x->limits.min;
        out.max = x->limits.max;
        out.has_max = x->limits.has_max;
        out.is_func = wx_holds_functions(d->m, x->type);
        out.is_constant = d->u->facts.tables[i].constant;
        out.is64 = x->limits.is64;
        out.import = x->import != WX_NO_INDEX;
        out.type = wx_desc_kind(d->m, x->type);
        blob_add(&b, &out, sizeof out);
    }
    return blob_global(d->p, &b, "tables");
}

static LLVMValueRef make_globals(desc *d, LLVMValueRef *image) {
    blob b = {0}, values = {0};
    for (uint32_t i = 0; i < d->m->global_count; i++) {
        const wx_global *x = &d->m->globals[i];
        const wx_global_facts *known = &d->u->facts.globals[i];
        wxrt_globaldesc out;
        CLEAR(out);
        out.type = wx_desc_kind(d->m, x->type);
        out.is_mutable = x->mutable;
        out.import = x->import != WX_NO_INDEX;
        blob_add(&b, &out, sizeof out);
        wasmx_value value;
        CLEAR(value);
        if (known->is_static && known->value.kind == WX_CONST_NUMBER) {
            if (x->type == WX_V128) memcpy(&value, known->value.bytes, 16);
            else value.words[0] = known->value.bits;
        }
        blob_add(&values, &value, sizeof value);
    }
    *image = blob_global(d->p, &values, "global_image");
    return blob_global(d->p, &b, "globals");
}

static LLVMValueRef make_tags(desc *d) {
    blob b = {0};
    for (uint32_t i = 0; i < d->m->tag_count; i++) {
        wxrt_tagdesc out;
        CLEAR(out);
        out.type = d->m->tags[i].type;
        out.import = d->m->tags[i].import != WX_NO_INDEX;
        blob_add(&b, &out, sizeof out);
    }
    return blob_global(d->p, &b, "tags");
}

static LLVMValueRef make_datas(desc *d) {
    blob b = {0};
    for (uint32_t i = 0; i < d->m->data_count; i++) {
        const wx_data *x = &d->m->datas[i];
        bool needed = x->mode == WX_PASSIVE || !d->u->image.in_image[i];
        wxrt_datadesc out;
        CLEAR(out);
        out.size = needed ? x->bytes.len : 0;
        blob bytes = {0};
        if (needed) blob_add(&bytes, x->bytes.ptr, x->bytes.len);
        size_t at = blob_add(&b, &out, sizeof out);
        POINT(&b, at, wxrt_datadesc, bytes, blob_global(d->p, &bytes, "data"));
    }
    return blob_global(d->p, &b, "datas");
}

static uint32_t item_of(desc *d, uint32_t elem, uint32_t k) {
    const wx_elem *e = &d->m->elems[elem];
    if (e->funcs) return d->u->funcdesc[e->funcs[k]];
    wx_const c = wx_const_eval(d->m, e->exprs[k]);
    if (c.kind == WX_CONST_FUNC) return d->u->funcdesc[c.index];
    if (c.kind == WX_CONST_EXPR) return WXRT_ITEM_VALUE | (d->u->elem_value_at[elem] + k);
    return c.kind == WX_CONST_GLOBAL ? WXRT_ITEM_GLOBAL | c.index : WXRT_ITEM_NULL;
}

static LLVMValueRef make_elems(desc *d) {
    blob b = {0};
    for (uint32_t i = 0; i < d->m->elem_count; i++) {
        const wx_elem *e = &d->m->elems[i];
        bool needed = e->mode == WX_PASSIVE || (e->mode == WX_ACTIVE && !d->u->facts.tables[e->table].constant);
        wxrt_elemdesc out;
        CLEAR(out);
        out.count = needed ? e->count : 0;
        blob items = {0};
        for (uint32_t k = 0; k < out.count; k++) {
            uint32_t item = item_of(d, i, k);
            blob_add(&items, &item, sizeof item);
        }
        size_t at = blob_add(&b, &out, sizeof out);
        POINT(&b, at, wxrt_elemdesc, items, blob_global(d->p, &items, "items"));
    }
    return blob_global(d->p, &b, "elems");
}

// ---- Constant tables: { type, code } by element, or { type, code, tail, 0 } where tail calls go through tables

LLVMTypeRef table_entry_type(part *p) {
    LLVMTypeRef fields[] = {p->i64, p->ptr, p->ptr, p->i64};
    return LLVMStructTypeInContext(p->c, fields, p->u->facts.tail_indirect ? 4 : 2, false);
}

LLVMValueRef table_image(part *p, uint32_t table) {
    char *name = wx_arena_printf(&p->scratch, "%s.wx.table.%u", p->u->name, table);
    return hidden_global(p, name, LLVMArrayType2(table_entry_type(p), p->u->m->tables[table].limits.min));
}

// Empty elements of a one-signature table lead to a stub that traps, because there the type is not looked at.
static LLVMValueRef empty_stub(part *p) {
    LLVMValueRef stub = LLVMGetNamedFunction(p->m, symbol(p, "empty_element"));
    if (stub) return stub;
    stub = new_func(p, symbol(p, "empty_element"), LLVMFunctionType(p->void_, NULL, 0, false), false);
    LLVMPositionBuilderAtEnd(p->b, LLVMAppendBasicBlockInContext(p->c, stub, ""));
    build_trap(p, WASMX_TRAP_UNINITIALIZED_ELEMENT);
    LLVMBuildUnreachable(p->b);
    return stub;
}

static void make_table_image(desc *d, uint32_t table) {
    part *p = d->p;
    const wx_table_facts *known = &d->u->facts.tables[table];
    uint64_t size = d->m->tables[table].limits.min;
    bool tails = d->u->facts.tail_indirect;
    blob b = {0};
    for (uint64_t i = 0; i < size; i++) {
        uint32_t func = known->image[i];
        bool empty = func == UINT32_MAX;
        uint64_t entry[4] = {empty ? 0 : local_identity(d->m, d->m->funcs[func].type)};
        size_t at = blob_add(&b, entry, tails ? 32 : 16);
        blob_point(&b, at + 8, !empty ? c_entry(p, func) : known->one_signature ? empty_stub(p) : NULL);
        if (tails)
            blob_point(&b, at + 16, !empty && d->m->funcs[func].import == WX_NO_INDEX ? tail_entry(d, func) : NULL);
    }
    if (!b.bytes.len) return;
    LLVMValueRef value = blob_constant(p, &b), old = table_image(p, table);
    char *name = wx_arena_printf(&p->scratch, "%s.wx.table.%u", p->u->name, table);
    LLVMSetValueName2(old, "", 0);
    LLVMValueRef g = LLVMAddGlobal(p->m, LLVMTypeOf(value), name);
    LLVMSetInitializer(g, value);
    LLVMSetGlobalConstant(g, true);
    LLVMSetAlignment(g, 16);
    if (d->u->part_count == 1 && !d->u->lazy) LLVMSetLinkage(g, LLVMInternalLinkage);
    else LLVMSetVisibility(g, LLVMHiddenVisibility);
    LLVMReplaceAllUsesWith(old, g);
    LLVMDeleteGlobal(old);
    blob_free(&b);
}

// ---- Names, image, note

static LLVMValueRef make_name_offsets(desc *d, LLVMValueRef *names) {
    blob offsets = {0}, text = {0};
    blob_add(&text, "", 1);
    for (uint32_t i = 0; i < d->m->func_count; i++) {
        wx_name name = d->m->funcs[i].name;
        uint32_t at = name.len ? (uint32_t)text.bytes.len : 0;
        if (name.len) blob_add(&text, name.ptr, name.len), blob_add(&text, "", 1);
        blob_add(&offsets, &at, sizeof at);
    }
    *names = blob_global(d->p, &text, "names");
    return blob_global(d->p, &offsets, "name_offsets");
}

static LLVMValueRef make_image(desc *d) {
    if (!d->u->image.bytes.len || d->u->lazy) return NULL; // lazy: used where it is
    blob b = {0};
    b.bytes = d->u->image.bytes; // borrowed
    LLVMValueRef value = blob_constant(d->p, &b);
    LLVMValueRef g = LLVMAddGlobal(d->p->m, LLVMTypeOf(value), symbol(d->p, "image"));
    LLVMSetInitializer(g, value);
    LLVMSetGlobalConstant(g, true);
    LLVMSetLinkage(g, LLVMInternalLinkage);
    LLVMSetAlignment(g, 4096);
    LLVMSetSection(g, wx_arena_printf(&d->p->scratch, ".rodata.wasmx_image.%s", d->u->name));
    return g;
}

static void note_field(wx_buf *b, const char *key, const char *value) {
    wx_buf_printf(b, "%s=%s", key, value);
    wx_buf_byte(b, 0);
}

static void note_wasm_features(desc *d, wx_buf *b) {
    const char *separator = "";
    wx_buf_str(b, "features=");
    for (unsigned i = 0; i < WX_FEATURE_COUNT; i++) {
        if (!(d->m->features >> i & 1)) continue;
        wx_buf_printf(b, "%s%s", separator, wx_feature_name((wx_feature)i));
        separator = ",";
    }
    wx_buf_byte(b, 0);
}

// An ELF note of owner "wasmx", type 1: NUL-terminated key=value strings. `inspect` reads it.
static void make_note(desc *d) {
    wx_buf text = {0};
    note_field(&text, "name", d->u->name);
    note_field(&text, "producer", "wasmx " WASMX_VERSION);
    wx_buf_printf(&text, "abi=%016llx", (unsigned long long)wxrt_abi_hash());
    wx_buf_byte(&text, 0);
    note_field(&text, "target", d->u->is_x86 ? "x86_64" : "aarch64");
    note_field(&text, "cpu-features", d->u->required);
    note_field(&text, "bounds", d->u->explicit_bounds ? "explicit" : "guard");
    if (d->u->interruptible) note_field(&text, "interruptible", "yes");
    note_wasm_features(d, &text);
    wx_buf_str(&text, "sha256=");
    for (int i = 0; i < 32; i++) wx_buf_printf(&text, "%02x", d->u->sha256[i]);
    wx_buf_byte(&text, 0);
    blob note = {0};
    wx_buf_u32le(&note.bytes, 6);
    wx_buf_u32le(&note.bytes, (uint32_t)text.len);
    wx_buf_u32le(&note.bytes, 1);
    blob_add(&note, "wasmx\0\0", 8);
    blob_add(&note, text.data, text.len);
    while (note.bytes.len % 4) wx_buf_byte(&note.bytes, 0);
    wx_buf_free(&text);
    LLVMValueRef g = blob_global(d->p, &note, "note");
    LLVMSetAlignment(g, 4);
    LLVMSetSection(g, ".note.wasmx");
    LLVMValueRef used = LLVMAddGlobal(d->p->m, LLVMArrayType2(d->p->ptr, 1), "llvm.used");
    LLVMSetLinkage(used, LLVMAppendingLinkage);
    LLVMSetSection(used, "llvm.metadata");
    LLVMSetInitializer(used, LLVMConstArray2(d->p->ptr, &g, 1));
}

static LLVMValueRef marker(part *p, const char *suffix) {
    const char *name = symbol(p, suffix);
    LLVMValueRef f = LLVMGetNamedFunction(p->m, name);
    if (f) return f;
    f = LLVMAddFunction(p->m, name, LLVMFunctionType(p->void_, NULL, 0, false));
    LLVMSetVisibility(f, LLVMHiddenVisibility);
    return f;
}

static void finish_strings(desc *d) {
    LLVMValueRef strings = blob_global(d->p, &d->strings, "strings");
    LLVMReplaceAllUsesWith(d->string_base, strings);
    LLVMDeleteGlobal(d->string_base);
}

// Sorted already.
static LLVMValueRef make_files(desc *d) {
    blob b = {0};
    const wasmx_compile_options *o = d->u->options;
    for (size_t i = 0; i < o->embed_count; i++) {
        const wasmx_embed *x = &d->u->embeds[i];
        wxrt_file out;
        CLEAR(out);
        out.size = x->size;
        blob bytes = {0};
        blob_add(&bytes, x->data, x->size);
        size_t at = blob_add(&b, &out, sizeof out);
        POINT(&b, at, wxrt_file, root, string_at(d, x->root, strlen(x->root)));
        POINT(&b, at, wxrt_file, path, string_at(d, x->path, strlen(x->path)));
        POINT(&b, at, wxrt_file, bytes, blob_global(d->p, &bytes, "file"));
    }
    return blob_global(d->p, &b, "files");
}

// Of no use yet: object.c puts the lines into this section.
static LLVMValueRef make_lines(desc *d) {
    if (!d->u->debug) return NULL;
    blob b = {0};
    wxrt_lines none;
    CLEAR(none);
    blob_add(&b, &none, sizeof none);
    LLVMValueRef g = blob_global(d->p, &b, "lines");
    LLVMSetAlignment(g, 8);
    LLVMSetSection(g, wx_arena_printf(&d->p->scratch, WX_LINES_SECTION "%s", d->u->name));
    return g;
}

void emit_descriptor(part *p) {
    const wx_unit *u = p->u;
    desc d = {.p = p, .u = u, .m = u->m};
    const wx_module *m = u->m;
    d.string_base = LLVMAddGlobal(p->m, p->i8, "strings.unfinished");
    for (uint32_t i = 0; i < m->table_count; i++)
        if (u->facts.tables[i].constant) make_table_image(&d, i);
    struct wasmx_module out;
    CLEAR(out);
    out.abi_hash = wxrt_abi_hash();
    out.explicit_bounds = u->explicit_bounds;
    out.has_start = m->start != WX_NO_INDEX;
    out.area_size = u->area_size;
    out.interrupt_at = u->interruptible ? wxrt_interrupt_at(u->area_size) : 0;
    out.layout = u->layout;
    out.type_count = m->type_count;
    out.import_count = m->import_count;
    out.func_imports = m->func_imports;
    out.func_count = u->described_count;
    out.ref_count = u->ref_count;
    out.memory_count = m->memory_count;
    out.table_count = m->table_count;
    out.global_count = m->global_count;
    out.tag_count = m->tag_count;
    out.data_count = m->data_count;
    out.elem_count = m->elem_count;
    out.elem_value_count = u->elem_value_count;
    out.export_count = m->export_count;
    out.image_size = u->image.bytes.len;
    out.name_count = m->func_count;
    out.file_count = u->options->embed_count;
    memcpy(out.sha256, u->sha256, 32);
    blob b = {0};
    blob_add(&b, &out, sizeof out);
    LLVMValueRef init = emit_init(p), global_image, names;
    LLVMValueRef globals = make_globals(&d, &global_image), offsets = make_name_offsets(&d, &names);
#define SET(field, value) POINT(&b, 0, struct wasmx_module, field, value)
    SET(name, string_at(&d, u->name, strlen(u->name)));
    SET(producer, string_at(&d, "wasmx " WASMX_VERSION, strlen("wasmx " WASMX_VERSION)));
    SET(cpu_features, string_at(&d, u->required, strlen(u->required)));
    SET(target, string_at(&d, u->is_x86 ? "x86_64" : "aarch64", u->is_x86 ? 6 : 7));
    SET(text_start, marker(p, "text_start"));
    SET(text_end, marker(p, "text_end"));
    SET(types, make_types(&d));
    SET(imports, make_imports(&d));
    SET(funcs, make_funcs(&d));
    SET(memories, make_memories(&d));
    SET(tables, make_tables(&d));
    SET(globals, globals);
    SET(tags, make_tags(&d));
    SET(global_image, global_image);
    SET(datas, make_datas(&d));
    SET(elems, make_elems(&d));
    SET(exports, make_exports(&d));
    SET(image, make_image(&d));
    SET(init, init);
    SET(init_thunk, init ? emit_init_thunk(p) : NULL);
    SET(map, hidden_global(p, symbol(p, "map"), p->i64));
    SET(map_end, hidden_global(p, symbol(p, "map_end"), p->i64));
    SET(name_at, offsets);
    SET(names, names);
    SET(files, make_files(&d));
    SET(lines, make_lines(&d));
    SET(profile, emit_profile(p));
#undef SET
    LLVMValueRef value = blob_constant(p, &b);
    LLVMValueRef g = LLVMAddGlobal(p->m, LLVMTypeOf(value), u->name);
    LLVMSetInitializer(g, value);
    LLVMSetGlobalConstant(g, true);
    LLVMSetAlignment(g, 16);
    blob_free(&b);
    make_note(&d);
    finish_strings(&d);
}
