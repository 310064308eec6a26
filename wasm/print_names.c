// wasm/print_names.c: identifiers and strings of the text format.
//
// A name of the name section serves as an identifier when its characters are allowed and no other item of the same
// index space has it; everything else is printed by index.
#include <stdlib.h>
#include <string.h>

#include "wasm/print.h"

typedef struct entry {
    wx_name name;
    uint32_t index;
} entry;

static uint32_t space_size(const wx_module *m, wx_space space) {
    const uint32_t sizes[WX_SPACE_COUNT] = {m->func_count, m->table_count, m->memory_count, m->global_count,
                                            m->tag_count,  m->elem_count,  m->data_count};
    return sizes[space];
}

static wx_name name_of(const wx_module *m, wx_space space, uint32_t i) {
    switch (space) {
    case WX_SPACE_FUNC: return m->funcs[i].name;
    case WX_SPACE_TABLE: return m->tables[i].name;
    case WX_SPACE_MEMORY: return m->memories[i].name;
    case WX_SPACE_GLOBAL: return m->globals[i].name;
    case WX_SPACE_TAG: return m->tags[i].name;
    case WX_SPACE_ELEM: return m->elems[i].name;
    case WX_SPACE_DATA: return m->datas[i].name;
    default: return (wx_name){0};
    }
}

static bool is_identifier(wx_name name) {
    for (uint32_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.ptr[i];
        if (c <= ' ' || c >= 0x7f || strchr("\"(),;[]{}", c)) return false;
    }
    return name.len > 0;
}

static int compare(const void *a, const void *b) {
    const entry *x = a, *y = b;
    uint32_t len = x->name.len < y->name.len ? x->name.len : y->name.len;
    int order = memcmp(x->name.ptr, y->name.ptr, len);
    return order ? order : (x->name.len > y->name.len) - (x->name.len < y->name.len);
}

static bool *find_named(const wx_module *m, wx_space space) {
    uint32_t size = space_size(m, space), count = 0;
    bool *named = wx_xmalloc(size);
    memset(named, 0, size);
    entry *entries = wx_xmalloc(size * sizeof *entries);
    for (uint32_t i = 0; i < size; i++) {
        wx_name name = name_of(m, space, i);
        if (name.ptr && is_identifier(name)) entries[count++] = (entry){name, i};
    }
    qsort(entries, count, sizeof *entries, compare);
    for (uint32_t i = 0; i < count; i++) {
        bool twice = (i && compare(&entries[i - 1], &entries[i]) == 0) ||
                     (i + 1 < count && compare(&entries[i], &entries[i + 1]) == 0);
        named[entries[i].index] = !twice;
    }
    free(entries);
    return named;
}

void wx_print_names_begin(wx_printer *p) {
    for (wx_space s = 0; s < WX_SPACE_COUNT; s++) p->named[s] = find_named(p->m, s);
}

void wx_print_names_end(wx_printer *p) {
    for (wx_space s = 0; s < WX_SPACE_COUNT; s++) free(p->named[s]);
}

static bool print_identifier(wx_printer *p, wx_space space, uint32_t index) {
    if (index >= space_size(p->m, space) || !p->named[space][index]) return false;
    wx_name name = name_of(p->m, space, index);
    wx_buf_str(p->out, " $");
    wx_buf_add(p->out, name.ptr, name.len);
    return true;
}

void wx_print_ref(wx_printer *p, wx_space space, uint32_t index) {
    if (!print_identifier(p, space, index)) wx_buf_printf(p->out, " %u", index);
}

void wx_print_definition(wx_printer *p, wx_space space, uint32_t index) {
    print_identifier(p, space, index);
    wx_buf_printf(p->out, " (;%u;)", index);
}

void wx_print_string(wx_printer *p, const void *bytes, size_t len) {
    static const char digits[] = "0123456789abcdef";
    const uint8_t *at = bytes;
    wx_buf_byte(p->out, '"');
    for (size_t i = 0; i < len; i++) {
        uint8_t c = at[i];
        char hex[3] = {'\\', digits[c >> 4], digits[c & 15]};
        if (c < ' ' || c >= 0x7f || c == '"' || c == '\\') wx_buf_add(p->out, hex, sizeof hex);
        else wx_buf_byte(p->out, c);
    }
    wx_buf_byte(p->out, '"');
}
