// tests/unit/gc_guest.h: modules with garbage collection as text, which the parser of wabt does not read: a line an item,
// words between spaces, instructions in the order of the stack.
//
//   type struct mut i32 mut #0?          #0? is (ref null 0), #0 is (ref 0), any? is (ref null any)
//   type open array i8                   open: has subtypes; open<0 and final<0: type 0 is above it
//   import M N i32 : any?                parameters : results
//   func NAME i32 : #0 : i64 = local.get 0 ref.null 0 struct.new 0 end     exported; parameters : results : locals
//   global NAME mut any? = ref.null any end
//   table NAME any? 10
//   elem any? = i32.const 1 ref.i31 end ref.null any end       passive
//   data HEX                             passive
//   start NAME
#pragma once
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/test_wasm_build.h"
#include "wasm/instr.h"

typedef struct guest_part { wx_buf bytes; uint32_t count; } guest_part;

typedef struct guest {
    char *text, *at; // of the line that is read
    guest_part types, func_types, imports, funcs, tables, globals, exports, elems, bodies, datas;
    uint32_t start;
    char names[64][32]; // of functions
} guest;

static inline char *guest_word(guest *g) {
    char *word = strtok_r(NULL, " ", &g->at);
    return word ? word : (char *)"";
}

static const struct { const char *name; int code; } guest_types[] = {
    {"i32", 0x7f}, {"i64", 0x7e}, {"f32", 0x7d}, {"f64", 0x7c}, {"v128", 0x7b}, {"i8", 0x78}, {"i16", 0x77},
    {"void", 0x40}, {"any", 0x6e}, {"eq", 0x6d}, {"i31", 0x6c}, {"struct", 0x6b}, {"array", 0x6a}, {"none", 0x71},
    {"func", 0x70}, {"extern", 0x6f}, {"nofunc", 0x73}, {"noextern", 0x72},
};

static inline int guest_code(const char *name, size_t size) {
    for (size_t k = 0; k < sizeof guest_types / sizeof *guest_types; k++)
        if (strlen(guest_types[k].name) == size && !strncmp(guest_types[k].name, name, size)) return guest_types[k].code;
    return 0;
}

static inline void guest_heap(wx_buf *out, const char *word) {
    int code = guest_code(word, strcspn(word, "?"));
    if (code) wx_buf_byte(out, (uint8_t)code);
    else wx_buf_sleb(out, strtol(word + (*word == '#'), NULL, 10));
}

static inline void guest_type(wx_buf *out, const char *word) {
    int code = guest_code(word, strlen(word));
    bool is_ref = strchr(word, '?') || *word == '#' || (code && code < 0x77) ;
    if (is_ref && code != 0x40) wx_buf_byte(out, strchr(word, '?') ? 0x63 : 0x64);
    if (is_ref && code != 0x40) guest_heap(out, word);
    else wx_buf_byte(out, (uint8_t)code);
}

// Types up to a word of punctuation, as a vector.
static inline void guest_list(guest *g, wx_buf *out) {
    wx_buf list = {0};
    uint32_t n = 0;
    for (char *word; *(word = guest_word(g)) && *word != ':' && *word != '='; n++) guest_type(&list, word);
    wx_buf_uleb(out, n);
    wx_buf_add(out, list.data, list.len);
    wx_buf_free(&list);
}

static inline void guest_numbers(guest *g, wx_buf *out, int n) {
    while (n--) wx_buf_uleb(out, strtoul(guest_word(g), NULL, 10));
}

static inline void guest_immediates(guest *g, wx_buf *out, wx_op op) {
    switch (wx_ops[op].imm) {
    case WX_IMM_NONE: break;
    case WX_IMM_BLOCK: guest_type(out, guest_word(g)); break;
    case WX_IMM_HEAP: guest_heap(out, guest_word(g)); break;
    case WX_IMM_I32: wx_buf_sleb(out, (int32_t)strtol(guest_word(g), NULL, 0)); break;
    case WX_IMM_I64: wx_buf_sleb(out, strtoll(guest_word(g), NULL, 0)); break;
    case WX_IMM_FIELD: case WX_IMM_TYPE_N: case WX_IMM_TYPE_DATA: case WX_IMM_TYPE_ELEM: case WX_IMM_TYPE_TYPE:
    case WX_IMM_CALL_INDIRECT: case WX_IMM_ELEM_TABLE: guest_numbers(g, out, 2); break;
    default: guest_numbers(g, out, 1); break;
    }
}

static inline bool guest_is_op(const char *word) { return wx_op_find(word) != WX_OP_COUNT; }

static inline wx_op guest_op(const char *word) {
    char spaced[32]; // ref.test? is what the text format writes as two words
    snprintf(spaced, sizeof spaced, "%.*s null", (int)strcspn(word, "?"), word);
    wx_op op = wx_op_find(strchr(word, '?') ? spaced : word);
    if (op == WX_OP_COUNT) fprintf(stderr, "no instruction %s\n", word), abort();
    return op;
}

// Up to the end that closes it.
static inline void guest_code_of(guest *g, wx_buf *out) {
    for (int depth = 1; depth;) {
        char *word = guest_word(g);
        wx_op op = guest_op(word);
        depth += op == WX_OP_BLOCK || op == WX_OP_LOOP || op == WX_OP_IF;
        depth -= op == WX_OP_END;
        if (wx_ops[op].prefix) wx_buf_byte(out, wx_ops[op].prefix), wx_buf_uleb(out, wx_ops[op].code);
        else wx_buf_byte(out, (uint8_t)wx_ops[op].code);
        guest_immediates(g, out, op);
    }
}

// ---- Items

static inline void guest_field(guest *g, wx_buf *out, char *word) {
    bool is_mutable = !strcmp(word, "mut");
    guest_type(out, is_mutable ? guest_word(g) : word);
    wx_buf_byte(out, is_mutable);
}

static inline void guest_add_type(guest *g) {
    wx_buf *out = &g->types.bytes;
    char *word = guest_word(g);
    if (!strncmp(word, "open", 4) || !strncmp(word, "final", 5)) {
        char *super = strchr(word, '<');
        wx_buf_byte(out, *word == 'o' ? 0x50 : 0x4f);
        wx_buf_byte(out, super != NULL);
        if (super) wx_buf_uleb(out, strtoul(super + 1, NULL, 10));
        word = guest_word(g);
    }
    if (!strcmp(word, "struct")) {
        wx_buf fields = {0};
        uint32_t n = 0;
        for (char *w; *(w = guest_word(g)); n++) guest_field(g, &fields, w);
        wx_buf_byte(out, 0x5f), wx_buf_uleb(out, n), wx_buf_add(out, fields.data, fields.len);
        wx_buf_free(&fields);
    } else if (!strcmp(word, "array")) {
        wx_buf_byte(out, 0x5e), guest_field(g, out, guest_word(g));
    } else {
        wx_buf_byte(out, 0x60), guest_list(g, out), guest_list(g, out);
    }
    g->types.count++;
}

static inline void guest_text(wx_buf *out, const char *text) {
    wx_buf_uleb(out, strlen(text));
    wx_buf_add(out, text, strlen(text));
}

static inline void guest_export(guest *g, const char *name, int kind, uint32_t index) {
    guest_text(&g->exports.bytes, name);
    wx_buf_byte(&g->exports.bytes, (uint8_t)kind);
    wx_buf_uleb(&g->exports.bytes, index);
    g->exports.count++;
}

static inline void guest_func_type(guest *g) {
    wx_buf_byte(&g->func_types.bytes, 0x60);
    guest_list(g, &g->func_types.bytes);
    guest_list(g, &g->func_types.bytes);
    g->func_types.count++;
}

static inline void guest_locals(guest *g, wx_buf *out) {
    wx_buf list = {0};
    uint32_t n = 0;
    for (char *word; *(word = guest_word(g)) && *word != '='; n++) wx_buf_uleb(&list, 1), guest_type(&list, word);
    wx_buf_uleb(out, n);
    wx_buf_add(out, list.data, list.len);
    wx_buf_free(&list);
}

static inline void guest_add_func(guest *g) {
    uint32_t index = g->imports.count + g->funcs.count++;
    char *name = guest_word(g);
    snprintf(g->names[index], sizeof g->names[index], "%s", name);
    guest_export(g, name, WX_EXTERN_FUNC, index);
    guest_func_type(g);
    wx_buf body = {0};
    guest_locals(g, &body);
    guest_code_of(g, &body);
    wx_buf_uleb(&g->bodies.bytes, body.len);
    wx_buf_add(&g->bodies.bytes, body.data, body.len);
    wx_buf_free(&body);
}

// Functions: the types of imports and bodies come after all others, in their order.
static inline void guest_add_import(guest *g) {
    guest_text(&g->imports.bytes, guest_word(g));
    guest_text(&g->imports.bytes, guest_word(g));
    guest_func_type(g);
    wx_buf_byte(&g->imports.bytes, 0);
    wx_buf_byte(&g->imports.bytes, (uint8_t)(g->types.count + g->imports.count++)); // below 128
}

static inline void guest_add_global(guest *g) {
    char *name = guest_word(g), *word = guest_word(g);
    guest_export(g, name, WX_EXTERN_GLOBAL, g->globals.count++);
    guest_field(g, &g->globals.bytes, word);
    guest_word(g);
    guest_code_of(g, &g->globals.bytes);
}

static inline void guest_add_table(guest *g) {
    guest_export(g, guest_word(g), WX_EXTERN_TABLE, g->tables.count++);
    guest_type(&g->tables.bytes, guest_word(g));
    wx_buf_byte(&g->tables.bytes, 0);
    guest_numbers(g, &g->tables.bytes, 1);
}

static inline void guest_add_elem(guest *g) {
    wx_buf list = {0};
    uint32_t n = 0;
    wx_buf_byte(&g->elems.bytes, 5);
    guest_type(&g->elems.bytes, guest_word(g));
    guest_word(g);
    for (; g->at && *g->at; n++) guest_code_of(g, &list);
    wx_buf_uleb(&g->elems.bytes, n);
    wx_buf_add(&g->elems.bytes, list.data, list.len);
    wx_buf_free(&list);
    g->elems.count++;
}

static inline void guest_add_data(guest *g) {
    char *hex = guest_word(g);
    wx_buf_byte(&g->datas.bytes, 1);
    wx_buf_uleb(&g->datas.bytes, strlen(hex) / 2);
    for (; *hex; hex += 2) wx_buf_byte(&g->datas.bytes, (uint8_t)strtoul((char[]){hex[0], hex[1], 0}, NULL, 16));
    g->datas.count++;
}

static inline void guest_set_start(guest *g) {
    char *name = guest_word(g);
    for (g->start = 0; strcmp(g->names[g->start], name);) g->start++;
}

static inline void guest_line(guest *g, char *line) {
    static const struct { const char *word; void (*add)(guest *); } items[] = {
        {"type", guest_add_type}, {"import", guest_add_import}, {"func", guest_add_func}, {"global", guest_add_global},
        {"table", guest_add_table}, {"elem", guest_add_elem}, {"data", guest_add_data}, {"start", guest_set_start},
    };
    char *word = strtok_r(line, " ", &g->at);
    for (size_t k = 0; word && k < sizeof items / sizeof *items; k++)
        if (!strcmp(items[k].word, word)) items[k].add(g);
}

// ---- All of it

static inline void guest_section(builder *b, int id, guest_part *p) {
    if (!p->count) return;
    begin(b, id);
    wx_buf_uleb(&b->section, p->count);
    wx_buf_add(&b->section, p->bytes.data, p->bytes.len);
    end(b);
}

static inline builder guest_module(const char *text) {
    guest g = {.start = UINT32_MAX};
    g.text = strdup(text);
    char *save = NULL;
    for (char *line = strtok_r(g.text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) guest_line(&g, line);
    guest_part types = {.count = g.types.count + g.func_types.count}, funcs = {.count = g.funcs.count};
    wx_buf_add(&types.bytes, g.types.bytes.data, g.types.bytes.len);
    wx_buf_add(&types.bytes, g.func_types.bytes.data, g.func_types.bytes.len);
    g.bodies.count = g.funcs.count;
    for (uint32_t k = 0; k < funcs.count; k++) wx_buf_uleb(&funcs.bytes, g.types.count + g.imports.count + k);
    builder b = build();
    guest_part *parts[] = {[TYPE] = &types, [IMPORT] = &g.imports, [FUNC] = &funcs, [TABLE] = &g.tables,
                           [GLOBAL] = &g.globals, [EXPORT] = &g.exports, [ELEM] = &g.elems, [CODE] = &g.bodies,
                           [DATA] = &g.datas};
    for (int id = TYPE; id <= DATA; id++) {
        if (id == START && g.start != UINT32_MAX) begin(&b, START), wx_buf_uleb(&b.section, g.start), end(&b);
        if (id == CODE && g.datas.count) begin(&b, DATA_COUNT), wx_buf_uleb(&b.section, g.datas.count), end(&b);
        if (parts[id]) guest_section(&b, id, parts[id]);
        if (parts[id]) wx_buf_free(&parts[id]->bytes);
    }
    free(g.text);
    return b;
}
