// compiler/lines.c: the table of runtime/abi.h that says where in the Wasm file, and in its source, code comes from.
//
//   partitions' objects ─ .debug_line ─► rows by address ─┐
//   the module's .debug_* sections ─ source.c ─► rows by offset ─┴─► wxrt_lines, which object.c puts into the object
#include "compiler/lines.h"

#include <stdlib.h>
#include <string.h>

void wx_part_lines_free(wx_part_lines *lines) {
    wx_buf_free(&lines->rows);
    wx_buf_free(&lines->inlined);
}

bool wx_read_lines(const wx_buf *object, const char *section, wx_part_lines *out, wx_error *e) {
    return wx_object_rows(object, section, &out->rows, &out->size, &out->alignment, e);
}

// ---- Rows, encoded

typedef struct writer {
    wx_buf blocks, bytes;
    uint32_t count;
    wx_row last, base; // base: the last one with values
} writer;

static void write_row(writer *w, wx_row row) {
    if (!row.a) row.b = 0;
    if (w->count && row.a == w->last.a && row.b == w->last.b) return;
    if (w->count++ % WXRT_ROWS_IN_BLOCK == 0) {
        wx_buf_add(&w->blocks, &(wxrt_block){row.key, (uint32_t)w->bytes.len}, sizeof(wxrt_block));
        w->last = w->base = (wx_row){row.key, 0, 0};
    }
    unsigned values = !row.a ? WXRT_ROW_EMPTY : row.b == w->base.b ? WXRT_ROW_FIRST : WXRT_ROW_BOTH;
    wx_buf_uleb(&w->bytes, (uint64_t)(row.key - w->last.key) * 4 + values);
    if (values != WXRT_ROW_EMPTY) wx_buf_sleb(&w->bytes, (int64_t)row.a - w->base.a);
    if (values == WXRT_ROW_BOTH) wx_buf_sleb(&w->bytes, (int64_t)row.b - w->base.b);
    if (values != WXRT_ROW_EMPTY) w->base = row;
    w->last = row;
}

static uint32_t place(wx_buf *out, const void *data, size_t size) {
    while (out->len % 4) wx_buf_byte(out, 0);
    size_t at = out->len;
    if (size) wx_buf_add(out, data, size);
    return (uint32_t)at;
}

static wxrt_rows place_rows(wx_buf *out, writer *w) {
    wxrt_rows rows = {.count = (uint32_t)(w->blocks.len / sizeof(wxrt_block)), .size = (uint32_t)w->bytes.len};
    rows.blocks = place(out, w->blocks.data, w->blocks.len);
    rows.bytes = place(out, w->bytes.data, w->bytes.len);
    wx_buf_free(&w->blocks);
    wx_buf_free(&w->bytes);
    return rows;
}

// ---- Code: partition after partition, as the linker puts them, with numbers of the whole

typedef struct code { writer rows; wx_buf inlined; uint64_t at; } code;

static void add_inlined(code *c, const wx_part_lines *part, uint32_t before) {
    const wxrt_inlined *all = (const void *)part->inlined.data;
    for (size_t i = 0; i < part->inlined.len / sizeof *all; i++) {
        wxrt_inlined x = all[i];
        if (x.up) x.up += before;
        wx_buf_add(&c->inlined, &x, sizeof x);
    }
}

static void add_part(code *c, const wx_part_lines *part) {
    const wx_row *rows = (const void *)part->rows.data;
    uint64_t alignment = part->alignment ? part->alignment : 1;
    uint32_t before = (uint32_t)(c->inlined.len / sizeof(wxrt_inlined));
    c->at = (c->at + alignment - 1) / alignment * alignment;
    for (size_t i = 0; i < part->rows.len / sizeof *rows; i++)
        write_row(&c->rows, (wx_row){rows[i].key + (uint32_t)c->at, rows[i].a, rows[i].b ? rows[i].b + before : 0});
    add_inlined(c, part, before);
    c->at += part->size;
}

// ---- Source

static uint32_t place_files(wx_buf *out, const wx_buf *files, uint32_t count) {
    uint32_t *at = wx_xcalloc((size_t)count + 1, sizeof *at), texts = place(out, files->data, files->len), next = texts;
    for (uint32_t i = 0; i < count; i++) {
        at[i] = next;
        next += (uint32_t)strlen((const char *)out->data + next) + 1;
    }
    uint32_t table = place(out, at, count * sizeof *at);
    free(at);
    return table;
}

typedef struct live_code { const wx_unit *u; uint32_t next; } live_code;

// Does a live function have bytes from low up to end? Asked in ascending order.
static bool is_live(live_code *l, uint64_t low, uint64_t end) {
    for (; l->next < l->u->live_count; l->next++) {
        const wx_span *code = &l->u->m->funcs[l->u->live[l->next]].code;
        if (code->offset + code->len > low) return code->offset < end;
    }
    return false;
}

static void add_source(const wx_unit *u, wx_buf *out, wxrt_lines *head, char *note, size_t note_size) {
    wx_debug_rows source = {0};
    writer w = {0};
    wx_source_lines(u, &source, note, note_size);
    const wx_row *all = (const void *)source.rows.data;
    size_t n = source.rows.len / sizeof *all;
    live_code live = {u, 0};
    for (size_t i = 0; i < n; i++) {
        uint64_t end = i + 1 < n ? all[i + 1].key : u->m->bytes.len;
        write_row(&w, is_live(&live, all[i].key, end) ? all[i] : (wx_row){.key = all[i].key});
    }
    head->source = place_rows(out, &w);
    head->files = place_files(out, &source.files, source.file_count);
    wx_buf_free(&source.rows);
    wx_buf_free(&source.files);
}

void wx_make_lines(const wx_unit *u, const wx_part_lines *parts, wx_lines *out, char *note, size_t note_size) {
    wxrt_lines head = {0};
    code c = {0};
    for (uint32_t i = 0; i < u->part_count; i++) add_part(&c, &parts[i]);
    out->text_size = c.at;
    wx_buf_add(&out->table, &head, sizeof head);
    head.code = place_rows(&out->table, &c.rows);
    // Numbers count from 1.
    head.inlined = place(&out->table, c.inlined.data, c.inlined.len) - (uint32_t)sizeof(wxrt_inlined);
    wx_buf_free(&c.inlined);
    add_source(u, &out->table, &head, note, note_size);
    memcpy(out->table.data, &head, sizeof head);
}
