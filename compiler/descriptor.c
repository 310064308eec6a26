// compiler/descriptor.c: the `const wasmx_module NAME` (runtime/abi.h), and constant tables.
//
// in: facts, layout, image   out: blobs, to a writer   Structs are filled as C structs, and what they point to is said
// by kind and number; so no layout is written twice, and nothing here knows what becomes of it.
#include <stdlib.h>
#include <string.h>

#include "compiler/blob.h"
#include "compiler/exports.h"

// Padding too: a struct's bytes go into the object, and that has to be the same every time.
#define CLEAR(s) memset(&(s), 0, sizeof(s))

#define POINT(b, start, type, field, to) blob_point((b), (start) + offsetof(type, field), (to))

typedef struct desc { // what the making of one descriptor shares
    wx_writer *w;
    const wx_unit *u;
    const wx_module *m;
    wx_arena scratch;
    blob strings;          // NUL-terminated strings
} desc;

static wx_ref ref(wx_ref_kind kind, uint32_t n) { return (wx_ref){.kind = kind, .n = n}; }
static const wx_ref nothing;

static wx_ref put(desc *d, blob *b) {
    wx_ref to = b->bytes.len ? d->w->put(d->w, b) : nothing;
    blob_free(b);
    return to;
}

static wx_ref string_at(desc *d, const char *s, size_t len) {
    size_t at = blob_add(&d->strings, s, len);
    blob_add(&d->strings, "", 1);
    return (wx_ref){.kind = REF_STRING, .at = at};
}

static wx_ref name_at(desc *d, wx_name name) { return string_at(d, name.ptr ? name.ptr : "", name.len); }

// ---- Types

static wx_ref type_ids(desc *d) {
    blob ids = {.kind = BLOB_TYPE_IDS};
    for (uint32_t i = 0; i < d->m->type_count; i++) {
        uint64_t id = wx_type_id(d->m, i);
        blob_add(&ids, &id, sizeof id);
    }
    return put(d, &ids);
}

static wx_ref kinds_of(desc *d, const wx_typedef *t) {
    blob b = {.name = "kinds"};
    for (uint32_t i = 0; i < t->param_count + t->result_count; i++) {
        wx_type x = i < t->param_count ? t->params[i] : t->results[i - t->param_count];
        uint32_t kind = wx_desc_kind(d->m, x);
        blob_add(&b, &kind, sizeof kind);
    }
    return put(d, &b);
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

static wx_ref make_types(desc *d) {
    blob b = {.name = "types"};
    wx_ref ids = type_ids(d);
    for (uint32_t i = 0; i < d->m->type_count; i++) {
        const wx_typedef *t = &d->m->types[i];
        blob canon = {.name = "canon"};
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
        POINT(&b, at, wxrt_type, id, ((wx_ref){ids.kind, ids.n, i * sizeof(uint64_t)}));
        POINT(&b, at, wxrt_type, kinds, kinds_of(d, t));
        POINT(&b, at, wxrt_type, canon, put(d, &canon));
        refs.name = "refs";
        POINT(&b, at, wxrt_type, refs, put(d, &refs));
    }
    return put(d, &b);
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
static wx_ref make_imports(desc *d) {
    blob b = {.name = "import_table"};
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
        POINT(&b, at, wxrt_import, typed_adapter, ref(linked ? REF_ENTRY : REF_TYPED, x->index));
        POINT(&b, at, wxrt_import, callback_adapter, ref(REF_CALLBACK, x->index));
        POINT(&b, at, wxrt_import, thunk, ref(REF_THUNK, type));
        POINT(&b, at, wxrt_import, trap_stub, ref(REF_UNKNOWN, x->index));
    }
    return put(d, &b);
}

static wx_ref tail_entry(desc *d, uint32_t func) {
    return d->u->facts.funcs[func].tail ? ref(REF_TAIL, func) : nothing;
}

static wx_ref make_funcs(desc *d) {
    blob b = {.name = "funcs"};
    for (uint32_t i = 0; i < d->u->described_count; i++) {
        uint32_t func = d->u->described[i];
        bool import = d->m->funcs[func].import != WX_NO_INDEX;
        wxrt_funcdesc out;
        CLEAR(out);
        out.type = d->m->funcs[func].type;
        out.index = func;
        size_t at = blob_add(&b, &out, sizeof out);
        if (import) continue;
        POINT(&b, at, wxrt_funcdesc, code, ref(REF_ENTRY, func));
        POINT(&b, at, wxrt_funcdesc, tail, tail_entry(d, func));
        POINT(&b, at, wxrt_funcdesc, thunk, ref(REF_THUNK, out.type));
    }
    return put(d, &b);
}

static int by_name(const void *a, const void *b) {
    const wx_export *x = *(const wx_export *const *)a, *y = *(const wx_export *const *)b;
    size_t n = x->name.len < y->name.len ? x->name.len : y->name.len;
    int order = n ? memcmp(x->name.ptr, y->name.ptr, n) : 0;
    return order ? order : x->name.len < y->name.len ? -1 : x->name.len > y->name.len;
}

static wx_ref make_exports(desc *d) {
    blob b = {.name = "exports"};
    const wx_export **sorted = WX_NEW_ARRAY(&d->scratch, const wx_export *, d->m->export_count);
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
    return put(d, &b);
}

// ---- Memories, tables, globals, segments

static wx_ref make_memories(desc *d) {
    blob b = {.name = "memories"};
    for (uint32_t i = 0; i < d->m->memory_count; i++) {
        const wx_memory *x = &d->m->memories[i];
        blob runs = {.name = "runs"};
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
        POINT(&b, at, wxrt_memdesc, runs, put(d, &runs));
    }
    return put(d, &b);
}

static wx_ref make_tables(desc *d) {
    blob b = {.name = "tables"};
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
    return put(d, &b);
}

static wx_ref make_globals(desc *d, wx_ref *image) {
    blob b = {.name = "globals"}, values = {.name = "global_image"};
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
    *image = put(d, &values);
    return put(d, &b);
}

static wx_ref make_tags(desc *d) {
    blob b = {.name = "tags"};
    for (uint32_t i = 0; i < d->m->tag_count; i++) {
        wxrt_tagdesc out;
        CLEAR(out);
        out.type = d->m->tags[i].type;
        out.import = d->m->tags[i].import != WX_NO_INDEX;
        blob_add(&b, &out, sizeof out);
    }
    return put(d, &b);
}

static wx_buf borrow(const void *data, size_t size) {
    return (wx_buf){.data = (uint8_t *)(uintptr_t)data, .len = size};
}

static wx_ref make_datas(desc *d) {
    blob b = {.name = "datas"};
    for (uint32_t i = 0; i < d->m->data_count; i++) {
        const wx_data *x = &d->m->datas[i];
        bool needed = x->mode == WX_PASSIVE || !d->u->image.in_image[i];
        wxrt_datadesc out;
        CLEAR(out);
        out.size = needed ? x->bytes.len : 0;
        blob bytes = {.name = "data", .borrowed = true};
        if (needed) bytes.bytes = borrow(x->bytes.ptr, x->bytes.len);
        size_t at = blob_add(&b, &out, sizeof out);
        POINT(&b, at, wxrt_datadesc, bytes, put(d, &bytes));
    }
    return put(d, &b);
}

static uint32_t item_of(desc *d, uint32_t elem, uint32_t k) {
    const wx_elem *e = &d->m->elems[elem];
    if (e->funcs) return d->u->funcdesc[e->funcs[k]];
    wx_const c = wx_const_eval(d->m, e->exprs[k]);
    if (c.kind == WX_CONST_FUNC) return d->u->funcdesc[c.index];
    if (c.kind == WX_CONST_EXPR) return WXRT_ITEM_VALUE | (d->u->elem_value_at[elem] + k);
    return c.kind == WX_CONST_GLOBAL ? WXRT_ITEM_GLOBAL | c.index : WXRT_ITEM_NULL;
}

static wx_ref make_elems(desc *d) {
    blob b = {.name = "elems"};
    for (uint32_t i = 0; i < d->m->elem_count; i++) {
        const wx_elem *e = &d->m->elems[i];
        bool needed = e->mode == WX_PASSIVE || (e->mode == WX_ACTIVE && !d->u->facts.tables[e->table].constant);
        wxrt_elemdesc out;
        CLEAR(out);
        out.count = needed ? e->count : 0;
        blob items = {.name = "items"};
        for (uint32_t k = 0; k < out.count; k++) {
            uint32_t item = item_of(d, i, k);
            blob_add(&items, &item, sizeof item);
        }
        size_t at = blob_add(&b, &out, sizeof out);
        POINT(&b, at, wxrt_elemdesc, items, put(d, &items));
    }
    return put(d, &b);
}

// ---- Constant tables: { type, code } by element, or { type, code, tail, 0 } where tail calls go through tables

static void make_table_image(desc *d, uint32_t table) {
    const wx_table_facts *known = &d->u->facts.tables[table];
    uint64_t size = d->m->tables[table].limits.min;
    bool tails = d->u->facts.tail_indirect;
    blob b = {.kind = BLOB_TABLE, .n = table};
    for (uint64_t i = 0; i < size; i++) {
        uint32_t func = known->image[i];
        bool empty = func == UINT32_MAX;
        uint64_t entry[4] = {empty ? 0 : local_identity(d->m, d->m->funcs[func].type)};
        size_t at = blob_add(&b, entry, tails ? 32 : 16);
        blob_point(&b, at + 8, !empty ? ref(REF_ENTRY, func) : known->one_signature ? ref(REF_EMPTY, 0) : nothing);
        if (tails)
            blob_point(&b, at + 16, !empty && d->m->funcs[func].import == WX_NO_INDEX ? tail_entry(d, func) : nothing);
    }
    put(d, &b);
}

// ---- Names, image, files, lines

static wx_ref make_name_offsets(desc *d, wx_ref *names) {
    blob offsets = {.name = "name_offsets"}, text = {.name = "names"};
    blob_add(&text, "", 1);
    for (uint32_t i = 0; i < d->m->func_count; i++) {
        wx_name name = d->m->funcs[i].name;
        uint32_t at = name.len ? (uint32_t)text.bytes.len : 0;
        if (name.len) blob_add(&text, name.ptr, name.len), blob_add(&text, "", 1);
        blob_add(&offsets, &at, sizeof at);
    }
    *names = put(d, &text);
    return put(d, &offsets);
}

static wx_ref make_image(desc *d) {
    const wx_buf *image = &d->u->image.bytes;
    return put(d, &(blob){.kind = BLOB_IMAGE, .borrowed = true, .bytes = borrow(image->data, image->len)});
}

// Sorted already.
static wx_ref make_files(desc *d) {
    blob b = {.name = "files"};
    const wasmx_compile_options *o = d->u->options;
    for (size_t i = 0; i < o->embed_count; i++) {
        const wasmx_embed *x = &d->u->embeds[i];
        wxrt_file out;
        CLEAR(out);
        out.size = x->size;
        blob bytes = {.name = "file"};
        blob_add(&bytes, x->data, x->size);
        size_t at = blob_add(&b, &out, sizeof out);
        POINT(&b, at, wxrt_file, root, string_at(d, x->root, strlen(x->root)));
        POINT(&b, at, wxrt_file, path, string_at(d, x->path, strlen(x->path)));
        POINT(&b, at, wxrt_file, bytes, put(d, &bytes));
    }
    return put(d, &b);
}

// Of no use yet: object.c puts the lines into this section.
static wx_ref make_lines(desc *d) {
    if (!d->u->debug) return nothing;
    blob b = {.kind = BLOB_LINES};
    wxrt_lines none;
    CLEAR(none);
    blob_add(&b, &none, sizeof none);
    return put(d, &b);
}

static wx_ref make_profile(desc *d) {
    const wx_profiling *all = &d->u->profiling;
    if (!all->generate) return nothing;
    wxrt_profile out;
    CLEAR(out);
    out.count = all->counter_count;
    out.size = all->site_table.len;
    blob sites = {.name = "sites", .borrowed = true, .bytes = borrow(all->site_table.data, all->site_table.len)};
    blob b = {.name = "profile"};
    blob_add(&b, &out, sizeof out);
    POINT(&b, 0, wxrt_profile, counters, all->counter_count ? ref(REF_COUNTERS, 0) : nothing);
    POINT(&b, 0, wxrt_profile, sites, put(d, &sites));
    return put(d, &b);
}

void wx_describe(wx_writer *w, const wx_unit *u) {
    const wx_module *m = u->m;
    desc d = {.w = w, .u = u, .m = m, .strings = {.name = "strings"}};
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
    blob b = {.kind = BLOB_DESCRIPTOR};
    blob_add(&b, &out, sizeof out);
    wx_ref init = w->init(w), global_image, names;
    wx_ref globals = make_globals(&d, &global_image), offsets = make_name_offsets(&d, &names);
#define SET(field, value) POINT(&b, 0, struct wasmx_module, field, value)
    SET(name, string_at(&d, u->name, strlen(u->name)));
    SET(producer, string_at(&d, "wasmx " WASMX_VERSION, strlen("wasmx " WASMX_VERSION)));
    SET(cpu_features, string_at(&d, u->required, strlen(u->required)));
    SET(target, string_at(&d, u->is_x86 ? "x86_64" : "aarch64", u->is_x86 ? 6 : 7));
    SET(text_start, ref(REF_TEXT_START, 0));
    SET(text_end, ref(REF_TEXT_END, 0));
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
    SET(init_thunk, init.kind ? ref(REF_INIT_THUNK, 0) : nothing);
    SET(map, ref(REF_MAP, 0));
    SET(map_end, ref(REF_MAP_END, 0));
    SET(name_at, offsets);
    SET(names, names);
    SET(files, make_files(&d));
    SET(lines, make_lines(&d));
    SET(profile, make_profile(&d));
#undef SET
    put(&d, &b);
    w->finish(w, &d.strings);
    blob_free(&d.strings);
    wx_arena_free(&d.scratch);
}
