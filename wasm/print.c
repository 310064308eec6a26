// wasm/print.c: a module in the text format: one field a line, bodies flat.
//
// in: a decoded module. out: text that reads back as the same module. Custom sections become comments.
#include "wasm/print.h"

static void print_limits(wx_printer *p, const wx_limits *l) {
    if (l->is64) wx_buf_str(p->out, " i64");
    wx_buf_printf(p->out, " %llu", (unsigned long long)l->min);
    if (l->has_max) wx_buf_printf(p->out, " %llu", (unsigned long long)l->max);
    if (l->shared) wx_buf_str(p->out, " shared");
}

// Types

static void print_storage(wx_printer *p, const char *open, const wx_field *f) {
    wx_buf_str(p->out, open);
    if (f->mutable) wx_buf_str(p->out, " (mut");
    wx_print_type(p, f->type);
    if (f->mutable) wx_buf_byte(p->out, ')');
}

static void print_composite(wx_printer *p, const wx_typedef *t) {
    static const char *const opens[] = {" (func", " (struct", " (array"};
    wx_buf_str(p->out, opens[t->kind]);
    wx_print_types(p, "param", t->params, t->param_count);
    wx_print_types(p, "result", t->results, t->result_count);
    for (uint32_t i = 0; i < t->field_count; i++) {
        print_storage(p, t->kind == WX_KIND_STRUCT ? " (field" : "", &t->fields[i]);
        if (t->kind == WX_KIND_STRUCT) wx_buf_byte(p->out, ')');
    }
    wx_buf_byte(p->out, ')');
}

static void print_typedef(wx_printer *p, uint32_t index) {
    const wx_typedef *t = &p->m->types[index];
    bool sub = !t->final || t->super != WX_NO_INDEX;
    wx_buf_printf(p->out, "\n  (type (;%u;)", index);
    if (sub) wx_buf_printf(p->out, " (sub%s", t->final ? " final" : "");
    if (t->super != WX_NO_INDEX) wx_buf_printf(p->out, " %u", t->super);
    print_composite(p, t);
    wx_buf_str(p->out, sub ? "))" : ")");
}

static void print_typedefs(wx_printer *p) {
    for (uint32_t i = 0; i < p->m->type_count; i++) {
        const wx_typedef *t = &p->m->types[i];
        bool group = t->group_size > 1;
        if (group && i == t->group) wx_buf_str(p->out, "\n  (rec");
        print_typedef(p, i);
        if (group && i + 1 == t->group + t->group_size) wx_buf_byte(p->out, ')');
    }
}

// Imports, and the parts that they share with definitions

static void print_func_head(wx_printer *p, uint32_t i) {
    wx_buf_str(p->out, "(func");
    wx_print_definition(p, WX_SPACE_FUNC, i);
    wx_buf_printf(p->out, " (type %u)", p->m->funcs[i].type);
}

static void print_table_head(wx_printer *p, uint32_t i) {
    wx_buf_str(p->out, "(table");
    wx_print_definition(p, WX_SPACE_TABLE, i);
    print_limits(p, &p->m->tables[i].limits);
    wx_print_type(p, p->m->tables[i].type);
}

static void print_memory_head(wx_printer *p, uint32_t i) {
    wx_buf_str(p->out, "(memory");
    wx_print_definition(p, WX_SPACE_MEMORY, i);
    print_limits(p, &p->m->memories[i].limits);
}

static void print_global_head(wx_printer *p, uint32_t i) {
    const wx_global *g = &p->m->globals[i];
    wx_buf_str(p->out, "(global");
    wx_print_definition(p, WX_SPACE_GLOBAL, i);
    print_storage(p, "", &(wx_field){g->type, g->mutable});
}

static void print_tag_head(wx_printer *p, uint32_t i) {
    wx_buf_str(p->out, "(tag");
    wx_print_definition(p, WX_SPACE_TAG, i);
    wx_buf_printf(p->out, " (type %u)", p->m->tags[i].type);
}

static void (*const print_heads[])(wx_printer *, uint32_t) = {
    [WX_EXTERN_FUNC] = print_func_head, [WX_EXTERN_TABLE] = print_table_head, [WX_EXTERN_MEMORY] = print_memory_head,
    [WX_EXTERN_GLOBAL] = print_global_head, [WX_EXTERN_TAG] = print_tag_head,
};

static void print_imports(wx_printer *p) {
    for (uint32_t i = 0; i < p->m->import_count; i++) {
        const wx_import *im = &p->m->imports[i];
        wx_buf_str(p->out, "\n  (import ");
        wx_print_string(p, im->module.ptr, im->module.len);
        wx_buf_byte(p->out, ' ');
        wx_print_string(p, im->field.ptr, im->field.len);
        wx_buf_byte(p->out, ' ');
        print_heads[im->kind](p, im->index);
        wx_buf_str(p->out, "))");
    }
}

// Definitions

static void print_definitions(wx_printer *p, wx_extern_kind kind, uint32_t first, uint32_t count) {
    for (uint32_t i = first; i < count; i++) {
        wx_buf_str(p->out, "\n  ");
        print_heads[kind](p, i);
        if (kind == WX_EXTERN_TABLE) wx_print_expr(p, p->m->tables[i].init);
        if (kind == WX_EXTERN_GLOBAL) wx_print_expr(p, p->m->globals[i].init);
        if (kind == WX_EXTERN_FUNC) wx_print_body(p, &p->m->funcs[i]);
        wx_buf_byte(p->out, ')');
    }
}

static void print_exports(wx_printer *p) {
    static const struct { const char *open; wx_space space; } kinds[] = {
        {" (func", WX_SPACE_FUNC}, {" (table", WX_SPACE_TABLE}, {" (memory", WX_SPACE_MEMORY},
        {" (global", WX_SPACE_GLOBAL}, {" (tag", WX_SPACE_TAG},
    };
    for (uint32_t i = 0; i < p->m->export_count; i++) {
        const wx_export *x = &p->m->exports[i];
        wx_buf_str(p->out, "\n  (export ");
        wx_print_string(p, x->name.ptr, x->name.len);
        wx_buf_str(p->out, kinds[x->kind].open);
        wx_print_ref(p, kinds[x->kind].space, x->index);
        wx_buf_str(p->out, "))");
    }
}

static void print_start(wx_printer *p) {
    if (p->m->start == WX_NO_INDEX) return;
    wx_buf_str(p->out, "\n  (start");
    wx_print_ref(p, WX_SPACE_FUNC, p->m->start);
    wx_buf_byte(p->out, ')');
}

// Segments

static void print_place(wx_printer *p, const char *what, wx_space space, uint32_t index, wx_expr offset) {
    if (index) {
        wx_buf_printf(p->out, " (%s", what);
        wx_print_ref(p, space, index);
        wx_buf_byte(p->out, ')');
    }
    wx_buf_str(p->out, " (offset");
    wx_print_expr(p, offset);
    wx_buf_byte(p->out, ')');
}

static void print_items(wx_printer *p, const wx_elem *e) {
    if (e->funcs) wx_buf_str(p->out, " func");
    else wx_print_type(p, e->type);
    for (uint32_t i = 0; i < e->count; i++) {
        if (e->funcs) {
            wx_print_ref(p, WX_SPACE_FUNC, e->funcs[i]);
            continue;
        }
        wx_buf_str(p->out, " (item");
        wx_print_expr(p, e->exprs[i]);
        wx_buf_byte(p->out, ')');
    }
}

static void print_elems(wx_printer *p) {
    for (uint32_t i = 0; i < p->m->elem_count; i++) {
        const wx_elem *e = &p->m->elems[i];
        wx_buf_str(p->out, "\n  (elem");
        wx_print_definition(p, WX_SPACE_ELEM, i);
        if (e->mode == WX_DECLARED) wx_buf_str(p->out, " declare");
        if (e->mode == WX_ACTIVE) print_place(p, "table", WX_SPACE_TABLE, e->table, e->offset);
        print_items(p, e);
        wx_buf_byte(p->out, ')');
    }
}

static void print_datas(wx_printer *p) {
    for (uint32_t i = 0; i < p->m->data_count; i++) {
        const wx_data *d = &p->m->datas[i];
        wx_buf_str(p->out, "\n  (data");
        wx_print_definition(p, WX_SPACE_DATA, i);
        if (d->mode == WX_ACTIVE) print_place(p, "memory", WX_SPACE_MEMORY, d->memory, d->offset);
        wx_buf_byte(p->out, ' ');
        wx_print_string(p, d->bytes.ptr, d->bytes.len);
        wx_buf_byte(p->out, ')');
    }
}

static void print_customs(wx_printer *p) {
    for (uint32_t i = 0; i < p->m->custom_count; i++) {
        const wx_custom *c = &p->m->customs[i];
        wx_buf_str(p->out, "\n  ;; custom section ");
        wx_print_string(p, c->name.ptr, c->name.len);
        wx_buf_printf(p->out, ", %zu bytes", c->bytes.len);
    }
}

void wx_module_print(const wx_module *m, wx_buf *out) {
    wx_printer p = {.m = m, .out = out};
    wx_print_names_begin(&p);
    wx_buf_str(out, "(module");
    print_typedefs(&p);
    print_imports(&p);
    print_definitions(&p, WX_EXTERN_TABLE, m->table_imports, m->table_count);
    print_definitions(&p, WX_EXTERN_MEMORY, m->memory_imports, m->memory_count);
    print_definitions(&p, WX_EXTERN_TAG, m->tag_imports, m->tag_count);
    print_definitions(&p, WX_EXTERN_GLOBAL, m->global_imports, m->global_count);
    print_exports(&p);
    print_start(&p);
    print_elems(&p);
    print_definitions(&p, WX_EXTERN_FUNC, m->func_imports, m->func_count);
    print_datas(&p);
    print_customs(&p);
    wx_buf_str(out, "\n)\n");
    wx_print_names_end(&p);
}
