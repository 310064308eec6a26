// compiler/constants.c: the descriptor as constants of LLVM, for objects.
//
// in: blobs   out: globals in the last partition, and the functions they refer to, in the order of the references
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/blob.h"
#include "compiler/part.h"

typedef struct constants {
    wx_writer w;
    part *p;
    LLVMValueRef *written; // by number
    uint32_t count, cap;
    LLVMValueRef strings;  // stands for them until they are complete
    LLVMValueRef init;
} constants;

// ---- Constant tables, and what they hold where nothing is

LLVMTypeRef table_entry_type(part *p) {
    LLVMTypeRef fields[] = {p->i64, p->ptr, p->ptr, p->i64};
    return LLVMStructTypeInContext(p->c, fields, p->u->facts.tail_indirect ? 4 : 2, false);
}

static char *table_symbol(part *p, uint32_t table) { return numbered(p, "table", table); }

LLVMValueRef table_image(part *p, uint32_t table) {
    LLVMTypeRef type = LLVMArrayType2(table_entry_type(p), p->u->m->tables[table].limits.min);
    return hidden_global(p, table_symbol(p, table), type);
}

// Empty elements of a one-signature table lead to a stub that traps, because there the type is not looked at.
static LLVMValueRef empty_stub(part *p) {
    LLVMValueRef stub = LLVMGetNamedFunction(p->m, symbol(p, "empty_element"));
    if (stub) return stub;
    stub = new_func(p, symbol(p, "empty_element"), LLVMFunctionType(p->void_, NULL, 0, false), false);
    LLVMPositionBuilderAtEnd(p->b, LLVMAppendBasicBlockInContext(p->c, stub, ""));
    build_trap(p, WASMX_TRAP_UNINITIALIZED_ELEMENT);
    LLVMBuildUnreachable(p->b);
    return stub;
}

// ---- References

static LLVMValueRef marker(part *p, const char *suffix) {
    const char *name = symbol(p, suffix);
    LLVMValueRef f = LLVMGetNamedFunction(p->m, name);
    if (f) return f;
    f = LLVMAddFunction(p->m, name, LLVMFunctionType(p->void_, NULL, 0, false));
    LLVMSetVisibility(f, LLVMHiddenVisibility);
    return f;
}

static LLVMValueRef byte_of(part *p, LLVMValueRef global, uint64_t at) {
    LLVMValueRef index = ci64(p, at);
    return at ? LLVMConstInBoundsGEP2(p->i8, global, &index, 1) : global;
}

static LLVMValueRef value_of(constants *k, wx_ref to) {
    part *p = k->p;
    switch (to.kind) {
    case REF_BLOB: return byte_of(p, k->written[to.n], to.at);
    case REF_STRING: return byte_of(p, k->strings, to.at);
    case REF_ENTRY: return c_entry(p, to.n);
    case REF_TAIL: return func_value(p, to.n);
    case REF_THUNK: return signature_thunk(p, to.n);
    case REF_TYPED: return typed_adapter(p, to.n);
    case REF_CALLBACK: return callback_adapter(p, to.n);
    case REF_UNKNOWN: return unknown_import_stub(p, to.n);
    case REF_EMPTY: return empty_stub(p);
    case REF_INIT: return k->init;
    case REF_INIT_THUNK: return emit_init_thunk(p);
    case REF_TEXT_START: return marker(p, "text_start");
    case REF_TEXT_END: return marker(p, "text_end");
    case REF_MAP: return hidden_global(p, symbol(p, "map"), p->i64);
    case REF_MAP_END: return hidden_global(p, symbol(p, "map_end"), p->i64);
    case REF_COUNTERS: return define_counters(p);
    case REF_NONE: break;
    }
    return LLVMConstNull(p->ptr);
}

// ---- Values: a packed struct of byte runs and pointers

static LLVMValueRef byte_run(part *p, const blob *b, size_t from, size_t to) {
    return LLVMConstStringInContext2(p->c, (const char *)b->bytes.data + from, to - from, true);
}

static LLVMValueRef constant_of(constants *k, const blob *b) {
    if (!b->count) return byte_run(k->p, b, 0, b->bytes.len);
    LLVMValueRef *fields = wx_xmalloc((2 * b->count + 1) * sizeof *fields);
    unsigned n = 0;
    size_t at = 0;
    for (size_t i = 0; i < b->count; i++) {
        if (b->pointers[i].at > at) fields[n++] = byte_run(k->p, b, at, b->pointers[i].at);
        fields[n++] = value_of(k, b->pointers[i].to);
        at = b->pointers[i].at + sizeof(void *);
    }
    if (at < b->bytes.len) fields[n++] = byte_run(k->p, b, at, b->bytes.len);
    LLVMValueRef whole = LLVMConstStructInContext(k->p->c, fields, n, true);
    free(fields);
    return whole;
}

static LLVMValueRef words_of(part *p, const blob *b) {
    const uint64_t *words = (const void *)b->bytes.data;
    size_t n = b->bytes.len / sizeof *words;
    LLVMValueRef *values = wx_xmalloc(n * sizeof *values);
    for (size_t i = 0; i < n; i++) values[i] = ci64(p, words[i]);
    LLVMValueRef array = LLVMConstArray2(p->i64, values, n);
    free(values);
    return array;
}

// ---- Globals

static LLVMValueRef new_global(part *p, const char *name, LLVMValueRef value, unsigned alignment) {
    LLVMValueRef g = LLVMAddGlobal(p->m, LLVMTypeOf(value), name);
    LLVMSetInitializer(g, value);
    LLVMSetGlobalConstant(g, true);
    LLVMSetAlignment(g, alignment);
    return g;
}

static LLVMValueRef private_global(part *p, const char *name, LLVMValueRef value) {
    char unlike_c[64]; // a module may be called "types" too
    snprintf(unlike_c, sizeof unlike_c, ".%s", name);
    LLVMValueRef g = new_global(p, unlike_c, value, 16);
    LLVMSetLinkage(g, LLVMPrivateLinkage);
    return g;
}

static void hide(part *p, LLVMValueRef g) { // code of other partitions may refer to it
    if (p->u->part_count == 1) LLVMSetLinkage(g, LLVMInternalLinkage);
    else LLVMSetVisibility(g, LLVMHiddenVisibility);
}

static LLVMValueRef put_type_ids(part *p, const blob *b) {
    LLVMValueRef words = words_of(p, b), g = hidden_global(p, symbol(p, "type_ids"), LLVMTypeOf(words));
    LLVMSetInitializer(g, words);
    LLVMSetAlignment(g, 16);
    hide(p, g);
    return g;
}

static LLVMValueRef put_table(constants *k, const blob *b) {
    part *p = k->p;
    LLVMValueRef value = constant_of(k, b), old = table_image(p, b->n);
    LLVMSetValueName2(old, "", 0);
    LLVMValueRef g = new_global(p, table_symbol(p, b->n), value, 16);
    hide(p, g);
    LLVMReplaceAllUsesWith(old, g);
    LLVMDeleteGlobal(old);
    return g;
}

static LLVMValueRef put_image(constants *k, const blob *b) {
    part *p = k->p;
    LLVMValueRef g = new_global(p, symbol(p, "image"), constant_of(k, b), 4096);
    LLVMSetLinkage(g, LLVMInternalLinkage);
    LLVMSetSection(g, wx_arena_printf(&p->scratch, ".rodata.wasmx_image.%s", p->u->name));
    return g;
}

static LLVMValueRef put_lines(constants *k, const blob *b) {
    LLVMValueRef g = private_global(k->p, "lines", constant_of(k, b));
    LLVMSetAlignment(g, 8);
    LLVMSetSection(g, wx_arena_printf(&k->p->scratch, WX_LINES_SECTION "%s", k->p->u->name));
    return g;
}

static LLVMValueRef put_global(constants *k, const blob *b) {
    switch (b->kind) {
    case BLOB_TYPE_IDS: return put_type_ids(k->p, b);
    case BLOB_TABLE: return put_table(k, b);
    case BLOB_IMAGE: return put_image(k, b);
    case BLOB_LINES: return put_lines(k, b);
    case BLOB_DESCRIPTOR: return new_global(k->p, k->p->u->name, constant_of(k, b), 16);
    case BLOB_PLAIN: break;
    }
    return private_global(k->p, b->name, constant_of(k, b));
}

static wx_ref put(wx_writer *w, const blob *b) {
    constants *k = (constants *)w;
    if (k->count == k->cap) {
        k->cap = k->cap ? 2 * k->cap : 64;
        k->written = wx_xrealloc(k->written, k->cap * sizeof *k->written);
    }
    k->written[k->count] = put_global(k, b);
    return (wx_ref){.kind = REF_BLOB, .n = k->count++};
}

static wx_ref init(wx_writer *w) {
    constants *k = (constants *)w;
    k->init = emit_init(k->p);
    return (wx_ref){.kind = k->init ? REF_INIT : REF_NONE};
}

// ---- The note

static void note_field(wx_buf *b, const char *key, const char *value) {
    wx_buf_printf(b, "%s=%s", key, value);
    wx_buf_byte(b, 0);
}

static void note_wasm_features(const wx_module *m, wx_buf *b) {
    const char *separator = "";
    wx_buf_str(b, "features=");
    for (unsigned i = 0; i < WX_FEATURE_COUNT; i++) {
        if (!(m->features >> i & 1)) continue;
        wx_buf_printf(b, "%s%s", separator, wx_feature_name((wx_feature)i));
        separator = ",";
    }
    wx_buf_byte(b, 0);
}

// An ELF note of owner "wasmx", type 1: NUL-terminated key=value strings. `inspect` reads it.
static void make_note(part *p) {
    const wx_unit *u = p->u;
    wx_buf text = {0};
    note_field(&text, "name", u->name);
    note_field(&text, "producer", "wasmx " WASMX_VERSION);
    wx_buf_printf(&text, "abi=%016llx", (unsigned long long)wxrt_abi_hash());
    wx_buf_byte(&text, 0);
    note_field(&text, "target", u->is_x86 ? "x86_64" : "aarch64");
    note_field(&text, "cpu-features", u->required);
    note_field(&text, "bounds", u->explicit_bounds ? "explicit" : "guard");
    if (u->interruptible) note_field(&text, "interruptible", "yes");
    note_wasm_features(u->m, &text);
    wx_buf_str(&text, "sha256=");
    for (int i = 0; i < 32; i++) wx_buf_printf(&text, "%02x", u->sha256[i]);
    wx_buf_byte(&text, 0);
    blob note = {.name = "note"};
    wx_buf_u32le(&note.bytes, 6);
    wx_buf_u32le(&note.bytes, (uint32_t)text.len);
    wx_buf_u32le(&note.bytes, 1);
    blob_add(&note, "wasmx\0\0", 8);
    blob_add(&note, text.data, text.len);
    while (note.bytes.len % 4) wx_buf_byte(&note.bytes, 0);
    wx_buf_free(&text);
    LLVMValueRef g = private_global(p, note.name, byte_run(p, &note, 0, note.bytes.len));
    blob_free(&note);
    LLVMSetAlignment(g, 4);
    LLVMSetSection(g, ".note.wasmx");
    LLVMValueRef used = LLVMAddGlobal(p->m, LLVMArrayType2(p->ptr, 1), "llvm.used");
    LLVMSetLinkage(used, LLVMAppendingLinkage);
    LLVMSetSection(used, "llvm.metadata");
    LLVMSetInitializer(used, LLVMConstArray2(p->ptr, &g, 1));
}

// ---- All of it

static void finish(wx_writer *w, const blob *strings) {
    constants *k = (constants *)w;
    make_note(k->p);
    LLVMValueRef g = private_global(k->p, strings->name, constant_of(k, strings));
    LLVMReplaceAllUsesWith(k->strings, g);
    LLVMDeleteGlobal(k->strings);
}

void emit_descriptor(part *p) {
    constants k = {.w = {put, init, finish}, .p = p};
    k.strings = LLVMAddGlobal(p->m, p->i8, "strings.unfinished");
    wx_describe(&k.w, p->u);
    free(k.written);
}
