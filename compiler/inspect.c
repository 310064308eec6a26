// compiler/inspect.c: `inspect`: which kind of file, and the report as text or JSON.
//
// in: a file's bytes   out: text   how: inspect_wasm.c or inspect_elf.c fills one report, here it is written
#include <stdlib.h>
#include <string.h>

#include "compiler/report.h"

void *report_room(wx_arena *a, void *items, size_t *room, size_t count, size_t size) {
    if (count < *room) return items;
    *room = *room ? *room * 2 : 16;
    void *more = wx_arena_array(a, *room, size);
    if (count) memcpy(more, items, count * size);
    return more;
}

// Largest first; of two as large the one that comes first in the file.
static int by_size(const void *a, const void *b) {
    const report_func *x = a, *y = b;
    if (x->bytes != y->bytes) return x->bytes < y->bytes ? 1 : -1;
    if (x->index != y->index) return x->index < y->index ? -1 : 1;
    return x->name && y->name ? strcmp(x->name, y->name) : 0;
}

static uint64_t total_bytes(const report *r) {
    uint64_t n = 0;
    for (size_t i = 0; i < r->funcs_count; i++) n += r->funcs[i].bytes;
    return n;
}

static size_t shown_funcs(const report *r, size_t top) { return top && top < r->funcs_count ? top : r->funcs_count; }

// ---- Text. Names come from files: what a terminal might obey is shown as '?'.

static void add_plain(wx_buf *out, const char *s) {
    for (; *s; s++) wx_buf_byte(out, (uint8_t)*s < 0x20 || *s == 0x7f ? '?' : (uint8_t)*s);
}

static void text_externs(wx_buf *out, const char *title, const report_extern *x, size_t count) {
    wx_buf_printf(out, "\n%s: %zu\n", title, count);
    for (size_t i = 0; i < count; i++) {
        wx_buf_printf(out, "  %-7s", x[i].kind);
        if (x[i].module) add_plain(out, x[i].module), wx_buf_str(out, " ");
        add_plain(out, x[i].name);
        if (*x[i].type) wx_buf_printf(out, " %s", x[i].type);
        wx_buf_str(out, "\n");
    }
}

static void text_func(wx_buf *out, const report_func *f) {
    wx_buf_printf(out, "  %9llu ", (unsigned long long)f->bytes);
    if (f->index >= 0) wx_buf_printf(out, " func %lld", (long long)f->index);
    if (f->name) wx_buf_str(out, f->index >= 0 ? " \"" : " "), add_plain(out, f->name);
    wx_buf_str(out, f->name && f->index >= 0 ? "\"\n" : "\n");
}

static void text_funcs(wx_buf *out, const report *r, size_t top) {
    size_t shown = shown_funcs(r, top);
    wx_buf_printf(out, "\nfunctions: %zu, %llu bytes of code\n", r->funcs_count, (unsigned long long)total_bytes(r));
    for (size_t i = 0; i < shown; i++) text_func(out, &r->funcs[i]);
    if (shown < r->funcs_count) wx_buf_printf(out, "  ... and %zu more (--top=0 shows all)\n", r->funcs_count - shown);
}

static void write_text(const report *r, const wx_inspect_options *o, wx_buf *out) {
    wx_buf_printf(out, "%s: %s, %llu bytes\n", o->file, r->format, (unsigned long long)r->size);
    for (size_t i = 0; i < r->facts_count; i++) {
        wx_buf_printf(out, "  %s: ", r->facts[i].name);
        add_plain(out, r->facts[i].text);
        wx_buf_str(out, "\n");
    }
    text_externs(out, "imports", r->imports, r->imports_count);
    text_externs(out, "exports", r->exports, r->exports_count);
    text_funcs(out, r, o->top);
    if (!r->customs_count) return;
    wx_buf_printf(out, "\ncustom sections: %zu\n", r->customs_count);
    for (size_t i = 0; i < r->customs_count; i++) {
        wx_buf_printf(out, "  %9llu  ", (unsigned long long)r->customs[i].bytes);
        add_plain(out, r->customs[i].name);
        wx_buf_str(out, "\n");
    }
}

// ---- JSON

static void json_text(wx_buf *out, const char *key, const char *s) {
    wx_buf_printf(out, "\"%s\": ", key);
    wx_buf_json(out, s, strlen(s));
}

static void json_externs(wx_buf *out, const char *title, const report_extern *x, size_t count) {
    wx_buf_printf(out, ",\n  \"%s\": [", title);
    for (size_t i = 0; i < count; i++) {
        wx_buf_printf(out, "%s\n    {\"kind\": \"%s\", ", i ? "," : "", x[i].kind);
        if (x[i].module) json_text(out, "module", x[i].module), wx_buf_str(out, ", ");
        json_text(out, "name", x[i].name);
        if (*x[i].type) wx_buf_str(out, ", "), json_text(out, "type", x[i].type);
        wx_buf_str(out, "}");
    }
    wx_buf_str(out, count ? "\n  ]" : "]");
}

static void json_funcs(wx_buf *out, const report *r, size_t top) {
    wx_buf_printf(out, ",\n  \"code_bytes\": %llu,\n  \"functions\": [", (unsigned long long)total_bytes(r));
    size_t shown = shown_funcs(r, top);
    for (size_t i = 0; i < shown; i++) {
        const report_func *f = &r->funcs[i];
        wx_buf_printf(out, "%s\n    {\"bytes\": %llu", i ? "," : "", (unsigned long long)f->bytes);
        if (f->index >= 0) wx_buf_printf(out, ", \"index\": %lld", (long long)f->index);
        if (f->name) wx_buf_str(out, ", "), json_text(out, "name", f->name);
        wx_buf_str(out, "}");
    }
    wx_buf_str(out, shown ? "\n  ]" : "]");
}

static void json_customs(wx_buf *out, const report *r) {
    wx_buf_str(out, ",\n  \"custom_sections\": [");
    for (size_t i = 0; i < r->customs_count; i++) {
        wx_buf_str(out, i ? ",\n    {" : "\n    {");
        json_text(out, "name", r->customs[i].name);
        wx_buf_printf(out, ", \"bytes\": %llu}", (unsigned long long)r->customs[i].bytes);
    }
    wx_buf_str(out, r->customs_count ? "\n  ]" : "]");
}

static void write_json(const report *r, const wx_inspect_options *o, wx_buf *out) {
    wx_buf_str(out, "{\n  ");
    json_text(out, "file", o->file);
    wx_buf_printf(out, ",\n  \"format\": \"%s\",\n  \"bytes\": %llu", r->format, (unsigned long long)r->size);
    for (size_t i = 0; i < r->facts_count; i++) {
        wx_buf_str(out, ",\n  ");
        json_text(out, r->facts[i].name, r->facts[i].text);
    }
    json_externs(out, "imports", r->imports, r->imports_count);
    json_externs(out, "exports", r->exports, r->exports_count);
    json_funcs(out, r, o->top);
    json_customs(out, r);
    wx_buf_str(out, "\n}\n");
}

// ----

static bool begins_with(const wasmx_buffer *b, const char *magic, size_t len) {
    return b->size >= len && !memcmp(b->data, magic, len);
}

bool wx_inspect(const wasmx_buffer *input, const wx_inspect_options *o, wasmx_buffer *out, wasmx_compile_error *err) {
    report r = {.size = input->size};
    wx_error e = {0};
    wx_buf text = {0};
    bool native = begins_with(input, "\177ELF", 4) || begins_with(input, "!<arch>\n", 8);
    bool ok = native ? wx_report_elf(&r, input->data, input->size, &e)
                     : wx_report_wasm(&r, input->data, input->size, o->file, &e);
    if (ok) {
        if (r.funcs_count) qsort(r.funcs, r.funcs_count, sizeof *r.funcs, by_size);
        (o->json ? write_json : write_text)(&r, o, &text);
    } else {
        wx_error_line(&e, o->file, err->line, sizeof err->line);
    }
    wx_arena_free(&r.arena);
    *out = (wasmx_buffer){text.data, text.len};
    return ok;
}
