// wasm/decode_names.c: the name custom section (core appendix "name section").
//
// in: the section's bytes. out: the name fields of the module. A subsection is a list of (index, name), indices rising;
// the first thing that is not as it should be ends the reading, and what was read stays.
#include "wasm/decode.h"

enum { MODULE, FUNCS, TABLES = 5, MEMORIES, GLOBALS, ELEMS, DATAS, TAGS = 11 };

// Where the name of item i of a list goes: `first` is the name field of item 0, `stride` the size of an item.
typedef struct target {
    char *first;
    size_t stride;
    uint32_t count;
} target;

#define TARGET(list, n) ((target){(n) ? (char *)&(list)->name : NULL, sizeof *(list), (n)})

static target target_of(wx_module *m, uint8_t id) {
    switch (id) {
    case FUNCS: return TARGET(m->funcs, m->func_count);
    case TABLES: return TARGET(m->tables, m->table_count);
    case MEMORIES: return TARGET(m->memories, m->memory_count);
    case GLOBALS: return TARGET(m->globals, m->global_count);
    case ELEMS: return TARGET(m->elems, m->elem_count);
    case DATAS: return TARGET(m->datas, m->data_count);
    case TAGS: return TARGET(m->tags, m->tag_count);
    default: return (target){0};
    }
}

static void read_name_map(wx_reader *r, target t) {
    uint32_t n = wx_read_count(r, 2);
    for (uint32_t i = 0; i < n && wx_reader_ok(r); i++) {
        uint32_t index = wx_read_u32(r);
        wx_name name = wx_read_name(r);
        if (index < t.count && wx_reader_ok(r)) *(wx_name *)(void *)(t.first + t.stride * index) = name;
    }
}

void wx_decode_names(wx_module *m, wx_span section) {
    wx_error ignored = {0};
    wx_reader all = wx_reader_make(section, &ignored);
    while (wx_reader_ok(&all) && !wx_reader_done(&all)) {
        uint8_t id = wx_read_u8(&all);
        wx_reader r = wx_reader_make(wx_read_bytes(&all, wx_read_u32(&all)), &ignored);
        if (!wx_reader_ok(&all)) return;
        target t = target_of(m, id);
        if (id == MODULE) m->name = wx_read_name(&r);
        else if (t.count) read_name_map(&r, t);
    }
}
