// compiler/header.c: the typed C header of a module. Plain C11 that is C++17 too.
#include <ctype.h>
#include <string.h>

#include "compiler/exports.h"

static const char *c_type(const wx_module *m, wx_type t) {
    switch (t) {
    case WX_I32: return "int32_t";
    case WX_I64: return "int64_t";
    case WX_F32: return "float";
    case WX_F64: return "double";
    case WX_V128: return "wasmx_v128";
    case WX_EXTERNREF: return "void *";
    default: break;
    }
    return wx_holds_functions(m, t) ? "wasmx_func *" : "void *";
}

static bool is_pointer(const char *type) { return type[strlen(type) - 1] == '*'; }

static const char *space_after(const char *type) { return is_pointer(type) ? "" : " "; }

static void declare(wx_buf *out, const char *type, const char *name, uint32_t n) {
    wx_buf_printf(out, "%s%s%s%u", type, space_after(type), name, n);
}

static void add_params(const wx_module *m, wx_buf *out, const wx_typedef *t) {
    wx_buf_str(out, "wasmx_instance *instance");
    for (uint32_t i = 0; i < t->param_count; i++) {
        wx_buf_str(out, ", ");
        if (t->params[i] == WX_V128) wx_buf_printf(out, "const wasmx_v128 *p%u", i);
        else declare(out, c_type(m, t->params[i]), "p", i);
    }
}

static bool by_pointer(const wx_typedef *t) {
    return t->result_count > 1 || (t->result_count == 1 && t->results[0] == WX_V128);
}

static const char *host_result(const wx_module *m, const wx_typedef *t) {
    return t->result_count == 0 || by_pointer(t) ? "void" : c_type(m, t->results[0]);
}

static void add_host_params(const wx_module *m, wx_buf *out, const wx_typedef *t) {
    add_params(m, out, t);
    if (by_pointer(t)) wx_buf_str(out, ", wasmx_value *results");
}

static void add_text_name(wx_buf *out, wx_name name) { // for comments: no way out of them
    for (uint32_t i = 0; i < name.len; i++) {
        uint8_t c = (uint8_t)name.ptr[i];
        wx_buf_byte(out, isprint(c) && c != '*' && c != '\\' ? c : '?');
    }
}

static void add_imports_table(const wx_unit *u, wx_buf *out) {
    const wx_module *m = u->m;
    wx_buf_str(out, "// Host functions the module imports. A NULL is looked up in the linker.\n");
    wx_buf_printf(out, "typedef struct %s_imports {\n", u->name);
    uint32_t slots = 0;
    for (uint32_t i = 0; i < m->func_imports; i++) {
        if (wx_typed_slot(u, i) < 0) continue;
        const wx_typedef *t = wx_func_type(m, i);
        const char *result = host_result(m, t);
        wx_buf_printf(out, "    %s%s(*%s)(", result, space_after(result), wx_import_field(u, i));
        add_host_params(m, out, t);
        wx_buf_str(out, ");\n");
        slots++;
    }
    if (!slots) wx_buf_str(out, "    void *none; // it imports no functions but WASI's\n");
    wx_buf_printf(out, "} %s_imports;\n\n", u->name);
}

static void add_linked_imports(const wx_unit *u, wx_buf *out) {
    wx_buf_str(out, "// Host functions the module imports: define them; the linker binds them.\n");
    for (uint32_t i = 0; i < u->m->func_imports; i++) {
        const char *name = wx_linked_name(u, i);
        if (!name) continue;
        const wx_typedef *t = wx_func_type(u->m, i);
        const char *result = host_result(u->m, t);
        wx_buf_printf(out, "%s%s%s(", result, space_after(result), name);
        add_host_params(u->m, out, t);
        wx_buf_str(out, ");\n");
    }
    wx_buf_byte(out, '\n');
}

static void add_function(const wx_unit *u, const char *name, uint32_t func, wx_buf *out) {
    const wx_typedef *t = wx_func_type(u->m, func);
    wx_buf_printf(out, "WASMX_NODISCARD wasmx_status %s(", name);
    add_params(u->m, out, t);
    for (uint32_t i = 0; i < t->result_count; i++) {
        const char *type = c_type(u->m, t->results[i]);
        wx_buf_printf(out, ", %s%s*r%u", type, space_after(type), i);
    }
    wx_buf_str(out, ");\n");
}

static void add_global(const wx_unit *u, const char *name, uint32_t global, wx_buf *out) {
    const wx_global *g = &u->m->globals[global];
    if (g->type == WX_V128 || wx_holds_objects(u->m, g->type)) return; // by wasmx_export
    const char *type = c_type(u->m, g->type);
    wx_buf_printf(out, "%s%s%s_get(wasmx_instance *instance);\n", type, space_after(type), name);
    if (!g->mutable) return;
    wx_buf_printf(out, "void %s_set(wasmx_instance *instance, %s%svalue);\n", name, type, space_after(type));
}

static void add_export(const wx_unit *u, uint32_t i, wx_buf *out) {
    const wx_export *x = &u->m->exports[i];
    const char *name = u->export_names[i];
    if (!name) return;
    switch (x->kind) {
    case WX_EXTERN_FUNC: add_function(u, name, x->index, out); break;
    case WX_EXTERN_MEMORY: wx_buf_printf(out, "wasmx_memory *%s(wasmx_instance *instance);\n", name); break;
    case WX_EXTERN_GLOBAL: add_global(u, name, x->index, out); break;
    default:
        wx_buf_str(out, "// by wasmx_export: ");
        add_text_name(out, x->name);
        wx_buf_byte(out, '\n');
    }
}

void wx_write_header(const wx_unit *u, wx_buf *out) {
    const char *name = u->name;
    wx_buf_printf(out, "// Made by wasmx " WASMX_VERSION ". Declares what the object of module `%s` defines.\n", name);
    wx_buf_printf(out, "#ifndef WASMX_MODULE_%s_H\n#define WASMX_MODULE_%s_H\n", name, name);
    wx_buf_str(out, "#include \"wasmx.h\"\n\n");
    wx_buf_str(out, "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n");
    wx_buf_printf(out, "extern const wasmx_module %s;\n\n", name);
    if (u->options->link_imports) add_linked_imports(u, out);
    else add_imports_table(u, out);
    wx_buf_str(out, "// Exports. Functions return WASMX_OK and their results by pointer, "
                    "or the trap that ended them.\n");
    for (uint32_t i = 0; i < u->m->export_count; i++) add_export(u, i, out);
    wx_buf_str(out, "\n#ifdef __cplusplus\n}\n#endif\n#endif\n");
}
