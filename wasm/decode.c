// wasm/decode.c: from bytes to wx_module, section by section.
//
// in: the file's bytes. out: the module with everything but the fields marked (validation).
// allocates from: m->arena. Bodies are only located here; validation reads them.
#include "wasm/decode.h"

#include <string.h>

const uint8_t wx_section_rank[WX_SECTION_IDS] = {
    [WX_SECTION_TYPE] = 1, [WX_SECTION_IMPORT] = 2, [WX_SECTION_FUNC] = 3, [WX_SECTION_TABLE] = 4,
    [WX_SECTION_MEMORY] = 5, [WX_SECTION_TAG] = 6, [WX_SECTION_GLOBAL] = 7, [WX_SECTION_EXPORT] = 8,
    [WX_SECTION_START] = 9, [WX_SECTION_ELEM] = 10, [WX_SECTION_DATA_COUNT] = 11, [WX_SECTION_CODE] = 12,
    [WX_SECTION_DATA] = 13,
};

typedef struct decoder {
    wx_module *m;
    wx_reader r;        // the whole file
    int last;           // id of the last section that was not custom
    uint32_t customs;   // capacity of m->customs
    uint32_t data_count; // as announced
    bool has_code, has_data;
} decoder;

static const char *const section_names[WX_SECTION_IDS] = {
    "custom", "type", "import", "function", "table", "memory", "global", "export", "start", "element", "code", "data",
    "data count", "tag",
};

bool wx_is_binary(const uint8_t *bytes, size_t len) { return len >= 4 && memcmp(bytes, "\0asm", 4) == 0; }

static void read_header(wx_reader *r) {
    static const uint8_t magic[4] = {0, 'a', 's', 'm'}, version[4] = {1};
    size_t left = (size_t)(r->end - r->at);
    if (left && memcmp(r->at, magic, left < 4 ? left : 4) != 0)
        wx_reader_fail(r, WX_ERR_MALFORMED, "magic header not detected");
    else if (left < 8)
        wx_reader_fail(r, WX_ERR_MALFORMED, "unexpected end: a module has at least 8 bytes");
    else if (memcmp(r->at + 4, version, 4) != 0)
        wx_reader_fail(r, WX_ERR_MALFORMED, "unknown binary version");
    else
        r->at += 8;
}

static void add_custom(decoder *d, wx_reader *r) {
    wx_module *m = d->m;
    if (m->custom_count == d->customs) {
        d->customs = d->customs ? d->customs * 2 : 8;
        wx_custom *more = WX_NEW_ARRAY(&m->arena, wx_custom, d->customs);
        if (m->custom_count) memcpy(more, m->customs, m->custom_count * sizeof *more);
        m->customs = more;
    }
    wx_custom *c = &m->customs[m->custom_count];
    c->name = wx_read_name(r);
    c->bytes = wx_read_bytes(r, (uint64_t)(r->end - r->at));
    c->after = d->last;
    m->custom_count += wx_reader_ok(r);
}

static void read_start(wx_module *m, wx_reader *r) { m->start = wx_read_u32(r); }

static void read_data_count(decoder *d, wx_reader *r) {
    d->m->has_data_count = true;
    d->m->features |= WX_FEATURE_BIT(BULK);
    d->data_count = wx_read_u32(r);
}

static void read_section(decoder *d, int id, wx_reader *r) {
    wx_module *m = d->m;
    switch (id) {
    case WX_SECTION_CUSTOM: add_custom(d, r); break;
    case WX_SECTION_TYPE: wx_decode_types(m, r); break;
    case WX_SECTION_IMPORT: wx_decode_imports(m, r); break;
    case WX_SECTION_FUNC: wx_decode_funcs(m, r); break;
    case WX_SECTION_TABLE: wx_decode_tables(m, r); break;
    case WX_SECTION_MEMORY: wx_decode_memories(m, r); break;
    case WX_SECTION_TAG: wx_decode_tags(m, r); break;
    case WX_SECTION_GLOBAL: wx_decode_globals(m, r); break;
    case WX_SECTION_EXPORT: wx_decode_exports(m, r); break;
    case WX_SECTION_START: read_start(m, r); break;
    case WX_SECTION_ELEM: wx_decode_elems(m, r); break;
    case WX_SECTION_DATA_COUNT: read_data_count(d, r); break;
    case WX_SECTION_CODE: d->has_code = true, wx_decode_code(m, r); break;
    case WX_SECTION_DATA: d->has_data = true, wx_decode_datas(m, r); break;
    }
}

static void check_order(decoder *d, int id, uint64_t at) {
    if (id >= WX_SECTION_IDS)
        wx_reader_fail_at(&d->r, WX_ERR_MALFORMED, at, "malformed section id %d", id);
    else if (id != WX_SECTION_CUSTOM && d->last && wx_section_rank[id] <= wx_section_rank[d->last])
        wx_reader_fail_at(&d->r, WX_ERR_MALFORMED, at, "unexpected content after last section: a %s section %s",
                          section_names[id], id == d->last ? "again" : "out of order");
}

static void next_section(decoder *d) {
    uint64_t at = wx_reader_offset(&d->r);
    int id = wx_read_u8(&d->r);
    check_order(d, id, at);
    wx_span body = wx_read_bytes(&d->r, wx_read_u32(&d->r));
    if (!wx_reader_ok(&d->r)) return;
    wx_reader r = wx_reader_make(body, d->r.err);
    read_section(d, id, &r);
    if (!wx_reader_done(&r))
        wx_reader_fail(&r, WX_ERR_MALFORMED, "section size mismatch: %zu bytes left in the %s section",
                       (size_t)(r.end - r.at), section_names[id]);
    if (id != WX_SECTION_CUSTOM) d->last = id;
}

static void check_counts(decoder *d) {
    wx_module *m = d->m;
    if (!d->has_code && m->func_count > m->func_imports)
        wx_reader_fail(&d->r, WX_ERR_MALFORMED, "function and code section have inconsistent lengths");
    if (m->has_data_count && d->data_count != m->data_count)
        wx_reader_fail(&d->r, WX_ERR_MALFORMED, "data count and data section have inconsistent lengths: %u and %u",
                       d->data_count, m->data_count);
}

static void read_names(wx_module *m) {
    for (uint32_t i = 0; i < m->custom_count; i++) {
        wx_name name = m->customs[i].name;
        if (name.len == 4 && memcmp(name.ptr, "name", 4) == 0) wx_decode_names(m, m->customs[i].bytes);
    }
}

bool wx_module_decode(wx_module *m, const uint8_t *bytes, size_t len, wx_error *e) {
    m->bytes = (wx_span){.ptr = bytes, .len = len};
    m->start = WX_NO_INDEX;
    m->features = WX_FEATURE_BIT(MVP);
    decoder d = {.m = m, .r = wx_reader_make(m->bytes, e)};
    if (!wx_reader_ok(&d.r)) return false;
    read_header(&d.r);
    while (wx_reader_ok(&d.r) && !wx_reader_done(&d.r)) next_section(&d);
    check_counts(&d);
    if (!wx_reader_ok(&d.r)) return false;
    read_names(m);
    return true;
}

void wx_module_free(wx_module *m) {
    wx_arena_free(&m->arena);
    *m = (wx_module){0};
}
