// wizer/names.c: the custom sections of the result.
//
// in: the custom sections of the module. out: the name section with the new numbers; sections that point into code, if
// the code is the same; nothing that describes how the file would be linked; everything else as it is.
#include <string.h>

#include "wizer/wizer.h"

typedef struct writer {
    wx_snapshot *s;
    const wx_remap *to;
} writer;

static bool starts_with(wx_name n, const char *text) {
    size_t len = strlen(text);
    return n.len >= len && !memcmp(n.ptr, text, len);
}

// ---- The name section

enum { MODULE, FUNCS, LOCALS, LABELS, TYPES, TABLES, MEMORIES, GLOBALS, ELEMS, DATAS, FIELDS, TAGS, SUBSECTIONS };

// What a subsection's numbers count: a space + 1; nested ones hold a map for each of them.
static const struct { uint8_t space; bool nested; } subsections[SUBSECTIONS] = {
    [FUNCS] = {WX_SPACE_FUNC + 1, false}, [LOCALS] = {WX_SPACE_FUNC + 1, true}, [LABELS] = {WX_SPACE_FUNC + 1, true},
    [TYPES] = {WX_SPACE_TYPE + 1, false}, [TABLES] = {WX_SPACE_TABLE + 1, false},
    [MEMORIES] = {WX_SPACE_MEMORY + 1, false}, [GLOBALS] = {WX_SPACE_GLOBAL + 1, false},
    [ELEMS] = {WX_SPACE_ELEM + 1, false}, [DATAS] = {WX_SPACE_DATA + 1, false}, [FIELDS] = {WX_SPACE_TYPE + 1, true},
    [TAGS] = {WX_SPACE_TAG + 1, false},
};

static bool is_there(const wx_snapshot *s, wx_space space, uint32_t index) {
    const wx_module *m = &s->m;
    const uint32_t counts[WX_SPACES] = {m->type_count, m->func_count, m->table_count, m->memory_count, m->global_count,
                                        m->tag_count, m->elem_count, m->data_count};
    if (index >= counts[space] || !s->reach->used[space][index]) return false;
    if (space == WX_SPACE_ELEM) return !s->state.elem_empty[index];
    return space != WX_SPACE_DATA || !s->state.data_empty[index];
}

static void copy_name(wx_reader *r, wx_buf *out) {
    wx_name name = wx_read_name(r);
    wx_buf_uleb(out, name.len);
    wx_buf_add(out, name.ptr, name.len);
}

static void copy_map(wx_reader *r, wx_buf *out) {
    uint32_t n = wx_read_count(r, 2);
    wx_buf_uleb(out, n);
    for (uint32_t i = 0; i < n && wx_reader_ok(r); i++) {
        wx_buf_uleb(out, wx_read_u32(r));
        copy_name(r, out);
    }
}

// One entry into `entry`; false: it is about something that is gone.
static bool copy_entry(const writer *w, wx_reader *r, uint8_t id, wx_buf *entry) {
    wx_space space = (wx_space)(subsections[id].space - 1);
    uint32_t index = wx_read_u32(r);
    bool there = is_there(w->s, space, index);
    entry->len = 0;
    wx_buf_uleb(entry, there ? wx_remap_index(w->to, space, index) : 0);
    if (subsections[id].nested) copy_map(r, entry);
    else copy_name(r, entry);
    return there && wx_reader_ok(r);
}

static void copy_subsection(const writer *w, wx_reader *r, uint8_t id, wx_buf *out) {
    wx_buf entries = {0}, entry = {0}, body = {0};
    uint32_t n = wx_read_count(r, 2), kept = 0;
    for (uint32_t i = 0; i < n && wx_reader_ok(r); i++) {
        if (!copy_entry(w, r, id, &entry)) continue;
        wx_buf_add(&entries, entry.data, entry.len);
        kept++;
    }
    if (kept) {
        wx_buf_uleb(&body, kept);
        wx_buf_add(&body, entries.data, entries.len);
        wx_buf_byte(out, id);
        wx_buf_uleb(out, body.len);
        wx_buf_add(out, body.data, body.len);
    }
    wx_buf_free(&entries);
    wx_buf_free(&entry);
    wx_buf_free(&body);
}

// What cannot be read ends it; what came before stays.
static void copy_names(const writer *w, wx_span section, wx_buf *out) {
    wx_error ignored = {0};
    wx_reader all = wx_reader_make(section, &ignored);
    while (wx_reader_ok(&all) && !wx_reader_done(&all)) {
        uint8_t id = wx_read_u8(&all);
        wx_span content = wx_read_bytes(&all, wx_read_u32(&all));
        wx_reader r = wx_reader_make(content, &ignored);
        if (!wx_reader_ok(&all)) return;
        if (id == MODULE) {
            wx_buf_byte(out, id);
            wx_buf_uleb(out, content.len);
            wx_buf_add(out, content.ptr, content.len);
        } else if (id < SUBSECTIONS && subsections[id].space) {
            copy_subsection(w, &r, id, out);
        }
    }
}

// ---- All of them

enum { CODE_SECTION = 10, DATA_SECTION = 11 };

// Names come after the data, as the specification has it, also where there was no data before.
static int place_of(const wx_snapshot *s, const wx_custom *c) {
    bool was_last = c->after == CODE_SECTION && !s->m.data_count;
    return was_last || wx_same_name(c->name, "name") ? DATA_SECTION : c->after;
}

// Offsets in the whole file are never what they were; offsets in the code section may be.
static bool stays(wx_snapshot *s, wx_name n, bool same_code) {
    bool in_code = starts_with(n, ".debug_") || starts_with(n, "metadata.code.") ||
                   wx_same_name(n, "external_debug_info");
    bool in_file = wx_same_name(n, "sourceMappingURL");
    if (in_file || (in_code && !same_code)) s->out->debug_removed = true;
    return !in_file && (!in_code || same_code) && !wx_same_name(n, "linking") && !starts_with(n, "reloc.");
}

void wx_put_customs(wx_snapshot *s, const wx_remap *to, bool same_code, wx_module *out) {
    writer w = {s, to};
    wx_custom *all = WX_NEW_ARRAY(&s->arena, wx_custom, s->m.custom_count);
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->m.custom_count; i++) {
        wx_custom c = s->m.customs[i];
        if (!stays(s, c.name, same_code)) continue;
        c.after = place_of(s, &s->m.customs[i]);
        if (wx_same_name(c.name, "name")) {
            wx_buf names = {0};
            copy_names(&w, c.bytes, &names);
            c.bytes = (wx_span){.ptr = wx_arena_dup(&s->arena, names.data ? (const void *)names.data : "", names.len),
                                .len = names.len};
            wx_buf_free(&names);
            if (!c.bytes.len) continue;
        }
        all[n++] = c;
    }
    out->customs = all;
    out->custom_count = n;
}
