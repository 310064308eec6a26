// compiler/profile_show.c: `wasmx-aot profile`: the sum of profiles, and what is in one.
//
// in: profiles as bytes   out: a profile, a table, or JSON
#include <stdlib.h>
#include <string.h>

#include "compiler/compiler.h"
#include "compiler/profile.h"

static bool answer(bool ok, const wx_error *e, wx_buf *b, wasmx_buffer *out, wasmx_compile_error *err) {
    if (!ok) memcpy(err->line, e->msg, sizeof e->msg), wx_buf_free(b);
    *out = (wasmx_buffer){b->data, b->len};
    return ok;
}

bool wx_profile_merge(const wasmx_buffer *inputs, const char *const *files, size_t count, wasmx_buffer *out,
                      wasmx_compile_error *err) {
    wx_profile sum = {0};
    wx_error e = {0};
    wx_buf text = {0};
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++) {
        wx_profile one = {0};
        ok = wx_profile_read(&one, files[i], inputs[i].data, inputs[i].size, &e) &&
             wx_profile_add(&sum, &one, files[i], &e);
        wx_profile_free(&one);
    }
    if (ok) wx_profile_write(&sum, &text);
    wx_profile_free(&sum);
    return answer(ok, &e, &text, out, err);
}

// ---- A table of the hottest

typedef struct place { uint32_t func, site; uint64_t count; } place; // func: its place in the profile

static uint64_t total_of(const wx_site *s) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < s->count; i++) sum = wx_add_saturating(sum, s->counts[i].count);
    return sum;
}

static int by_count(const void *a, const void *b) {
    const place *x = a, *y = b;
    if (x->count != y->count) return x->count > y->count ? -1 : 1;
    if (x->func != y->func) return x->func < y->func ? -1 : 1;
    return x->site < y->site ? -1 : x->site > y->site;
}

static void put_name(wx_buf *b, const wx_profile_func *f) {
    for (uint32_t i = 0; i < f->name.len; i++) {
        uint8_t c = (uint8_t)f->name.ptr[i];
        wx_buf_byte(b, c < 0x20 || c == 0x7f ? '?' : c);
    }
    wx_buf_printf(b, "%s(func %u)", f->name.len ? " " : "", f->index);
}

// The places, hottest first; *out is to be freed.
static size_t rank(const wx_profile *p, bool of_functions, place **out) {
    size_t n = 0, room = 1;
    for (uint32_t i = 0; i < p->count; i++) room += of_functions ? 1 : p->funcs[i].site_count;
    *out = wx_xmalloc(room * sizeof **out);
    for (uint32_t i = 0; i < p->count; i++) {
        const wx_profile_func *f = &p->funcs[i];
        if (of_functions && f->peak) (*out)[n++] = (place){i, 0, f->peak};
        for (uint32_t k = 0; !of_functions && k < f->site_count; k++)
            (*out)[n++] = (place){i, k, total_of(&f->sites[k])};
    }
    if (n) qsort(*out, n, sizeof **out, by_count);
    return n;
}

static void put_counts(wx_buf *b, const wx_site *s) {
    for (uint32_t i = 0; i < s->count; i++) {
        if (s->counts[i].which == UINT32_MAX) wx_buf_str(b, " other");
        else wx_buf_printf(b, " %u", s->counts[i].which);
        wx_buf_printf(b, ":%llu", (unsigned long long)s->counts[i].count);
    }
}

static void put_place(wx_buf *b, const wx_profile *p, const place *x, bool of_functions) {
    const wx_profile_func *f = &p->funcs[x->func];
    const wx_site *s = of_functions ? NULL : &f->sites[x->site];
    wx_buf_printf(b, "%16llu  ", (unsigned long long)x->count);
    if (s) wx_buf_printf(b, "%-7s  ", wx_site_name(s->kind));
    put_name(b, f);
    if (s) wx_buf_printf(b, " + %u:", s->at), put_counts(b, s);
    wx_buf_byte(b, '\n');
}

static void put_table(wx_buf *b, const wx_profile *p, bool of_functions, size_t top) {
    place *places;
    size_t n = rank(p, of_functions, &places), shown = top && top < n ? top : n;
    for (size_t i = 0; i < shown; i++) put_place(b, p, &places[i], of_functions);
    if (shown < n) wx_buf_printf(b, "%16s  and %zu more\n", "", n - shown);
    free(places);
}

static void put_text(wx_buf *b, const wx_profile *p, size_t top) {
    uint32_t ran = 0;
    for (uint32_t i = 0; i < p->count; i++) ran += p->funcs[i].peak > 0;
    wx_buf_printf(b, "profile of %s: %u functions, %u of them ran\n\nfunctions, by their largest count:\n",
                  p->module.ptr, p->count, ran);
    put_table(b, p, true, top);
    wx_buf_str(b, "\nplaces (offset in the function; counter:count, or function:count for calls):\n");
    put_table(b, p, false, top);
}

// ---- JSON: everything

static void put_json_site(wx_buf *b, const wx_site *s) {
    wx_buf_printf(b, "{\"offset\": %u, \"kind\": \"%s\", \"counts\": [", s->at, wx_site_name(s->kind));
    for (uint32_t i = 0; i < s->count; i++) {
        wx_buf_str(b, i ? ", {\"which\": " : "{\"which\": ");
        if (s->counts[i].which == UINT32_MAX) wx_buf_str(b, "null");
        else wx_buf_printf(b, "%u", s->counts[i].which);
        wx_buf_printf(b, ", \"count\": %llu}", (unsigned long long)s->counts[i].count);
    }
    wx_buf_str(b, "]}");
}

static void put_json_func(wx_buf *b, const wx_profile_func *f) {
    wx_buf_printf(b, "    {\"index\": %u, \"name\": ", f->index);
    wx_buf_json(b, f->name.ptr, f->name.len);
    wx_buf_printf(b, ", \"hash\": \"%016llx\", \"peak\": %llu, \"sites\": [", (unsigned long long)f->hash,
                  (unsigned long long)f->peak);
    for (uint32_t i = 0; i < f->site_count; i++) {
        wx_buf_str(b, i ? ",\n        " : "\n        ");
        put_json_site(b, &f->sites[i]);
    }
    wx_buf_str(b, "]}");
}

static void put_json(wx_buf *b, const wx_profile *p, size_t top) {
    place *places;
    size_t n = rank(p, true, &places), shown = top && top < n ? top : n;
    wx_buf_str(b, "{\n  \"module\": ");
    wx_buf_json(b, p->module.ptr, p->module.len);
    wx_buf_str(b, ",\n  \"sha256\": \"");
    for (int i = 0; i < 32; i++) wx_buf_printf(b, "%02x", p->sha256[i]);
    wx_buf_printf(b, "\",\n  \"functions\": %u,\n  \"ran\": [", p->count);
    for (size_t i = 0; i < shown; i++) {
        wx_buf_str(b, i ? ",\n" : "\n");
        put_json_func(b, &p->funcs[places[i].func]);
    }
    wx_buf_str(b, "\n  ]\n}\n");
    free(places);
}

bool wx_profile_show(const wasmx_buffer *input, const wx_inspect_options *options, wasmx_buffer *out,
                     wasmx_compile_error *err) {
    wx_profile p = {0};
    wx_error e = {0};
    wx_buf text = {0};
    bool ok = wx_profile_read(&p, options->file, input->data, input->size, &e);
    if (ok && options->json) put_json(&text, &p, options->top);
    else if (ok) put_text(&text, &p, options->top);
    wx_profile_free(&p);
    return answer(ok, &e, &text, out, err);
}
