// compiler/inspect_elf.c: a report of an object, archive, shared object or executable, from its note, its descriptor
// and its symbols.
//
// The descriptor is the C struct of runtime/abi.h, full of pointers. In a relocatable object those are relocations
// against sections that have no address yet, so each section is given one; in linked files they are addresses, or
// relative relocations where the file may be loaded anywhere. Nothing in the file is trusted.
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/report.h"
#include "runtime/abi.h"

typedef struct section { uint64_t address, size; const uint8_t *bytes; } section; // bytes: NULL for zeros
typedef struct pointer { uint64_t at, to; } pointer;

typedef struct elf_file {
    Elf *elf;
    report *r;
    GElf_Ehdr header;
    section *sections; // by section index
    size_t count;
    pointer *pointers; // relocated ones, ascending
    size_t pointer_count, pointer_room;
    const char *name;  // of the descriptor
    bool found;        // the descriptor
} elf_file;

// ---- Sections and what stands at an address

static void read_sections(elf_file *f) {
    uint64_t next = 1 << 20;
    elf_getshdrnum(f->elf, &f->count);
    f->sections = wx_arena_array(&f->r->arena, f->count + 1, sizeof *f->sections);
    for (size_t i = 1; i < f->count; i++) {
        Elf_Scn *scn = elf_getscn(f->elf, i);
        GElf_Shdr h;
        if (!scn || !gelf_getshdr(scn, &h)) continue;
        Elf_Data *data = h.sh_type == SHT_NOBITS ? NULL : elf_rawdata(scn, NULL);
        section *s = &f->sections[i];
        *s = (section){.address = h.sh_addr};
        if (data && data->d_buf) s->bytes = data->d_buf, s->size = data->d_size;
        if (f->header.e_type == ET_REL) s->address = next, next += (s->size + 0xffff) & ~0xffffull;
        else if (!(h.sh_flags & SHF_ALLOC)) s->size = 0;
    }
}

// size bytes at an address, or NULL when there are fewer or they are not aligned as a struct has to be.
static const void *bytes_at(const elf_file *f, uint64_t address, uint64_t size, size_t align) {
    for (size_t i = 1; i < f->count; i++) {
        const section *s = &f->sections[i];
        uint64_t offset = address - s->address;
        if (!s->bytes || address < s->address || offset >= s->size || size > s->size - offset) continue;
        return (uintptr_t)(s->bytes + offset) % align ? NULL : s->bytes + offset;
    }
    return NULL;
}

static const void *struct_at(const elf_file *f, uint64_t address, size_t size) { return bytes_at(f, address, size, 8); }

static const void *array_at(const elf_file *f, uint64_t address, uint64_t count, size_t size) {
    return count > UINT32_MAX ? NULL : bytes_at(f, address, count * size, size);
}

static int by_place(const void *a, const void *b) {
    const pointer *x = a, *y = b;
    return (x->at > y->at) - (x->at < y->at);
}

// What a pointer field holds, whether a relocation says so or the bytes do.
static uint64_t pointer_at(const elf_file *f, uint64_t address) {
    pointer key = {.at = address};
    const pointer *p = f->pointer_count ? bsearch(&key, f->pointers, f->pointer_count, sizeof key, by_place) : NULL;
    if (p) return p->to;
    const void *bytes = bytes_at(f, address, 8, 1);
    uint64_t value = 0;
    if (bytes) memcpy(&value, bytes, 8);
    return value;
}

static const char *string_at(const elf_file *f, uint64_t address) {
    for (size_t i = 1; i < f->count; i++) {
        const section *s = &f->sections[i];
        if (!s->bytes || address < s->address || address - s->address >= s->size) continue;
        const char *text = (const char *)s->bytes + (address - s->address);
        return memchr(text, 0, s->size - (address - s->address)) ? text : "?";
    }
    return "?";
}

// ---- Relocations and symbols

static Elf_Data *table_data(Elf_Scn *scn, size_t *count) {
    GElf_Shdr h;
    Elf_Data *data = scn && gelf_getshdr(scn, &h) ? elf_getdata(scn, NULL) : NULL;
    *count = data && h.sh_entsize ? data->d_size / h.sh_entsize : 0;
    return data;
}

static uint64_t symbol_address(const elf_file *f, const GElf_Sym *s) {
    if (s->st_shndx == SHN_UNDEF || s->st_shndx >= f->count) return 0;
    return f->header.e_type == ET_REL ? f->sections[s->st_shndx].address + s->st_value : s->st_value;
}

static bool is_relative(uint64_t type) { return type == R_X86_64_RELATIVE || type == R_AARCH64_RELATIVE; }
static bool is_absolute(uint64_t type) { return type == R_X86_64_64 || type == R_AARCH64_ABS64; }

static void add_pointer(elf_file *f, uint64_t at, uint64_t to) {
    f->pointers = report_room(&f->r->arena, f->pointers, &f->pointer_room, f->pointer_count, sizeof *f->pointers);
    f->pointers[f->pointer_count++] = (pointer){at, to};
}

static void read_relocations(elf_file *f, Elf_Scn *scn, const GElf_Shdr *h) {
    size_t count, symbols;
    Elf_Data *data = table_data(scn, &count), *symtab = table_data(elf_getscn(f->elf, h->sh_link), &symbols);
    bool is_rel = f->header.e_type == ET_REL;
    if (is_rel && h->sh_info >= f->count) return;
    uint64_t base = is_rel ? f->sections[h->sh_info].address : 0;
    for (size_t i = 0; i < count; i++) {
        GElf_Rela r;
        GElf_Sym s;
        if (!gelf_getrela(data, (int)i, &r)) continue;
        uint64_t type = GELF_R_TYPE(r.r_info), symbol = GELF_R_SYM(r.r_info);
        if (is_relative(type)) add_pointer(f, base + r.r_offset, (uint64_t)r.r_addend);
        else if (is_absolute(type) && symbol < symbols && gelf_getsym(symtab, (int)symbol, &s))
            add_pointer(f, base + r.r_offset, symbol_address(f, &s) + (uint64_t)r.r_addend);
    }
}

typedef void (*visit_section)(elf_file *f, Elf_Scn *scn, const GElf_Shdr *h);

static void each_section(elf_file *f, uint32_t type, visit_section visit) {
    for (Elf_Scn *scn = elf_nextscn(f->elf, NULL); scn; scn = elf_nextscn(f->elf, scn)) {
        GElf_Shdr h;
        if (gelf_getshdr(scn, &h) && h.sh_type == type) visit(f, scn, &h);
    }
}

static void add_fact(report *r, const char *name, const char *text) {
    *REPORT_ADD(r, facts) = (report_pair){.name = name, .text = text};
}

// ---- The note

static void read_note_text(elf_file *f, const char *text, size_t size) {
    for (const char *at = text, *end = text + size; at < end;) {
        size_t len = strnlen(at, (size_t)(end - at));
        const char *equal = memchr(at, '=', len);
        if (equal) {
            wx_arena *a = &f->r->arena;
            const char *key = wx_arena_str(a, at, (size_t)(equal - at));
            const char *value = wx_arena_str(a, equal + 1, (size_t)(at + len - equal - 1));
            add_fact(f->r, key, value);
            if (!strcmp(key, "name")) f->name = value;
        }
        at += len + 1;
    }
}

static void read_note(elf_file *f, Elf_Scn *scn, const GElf_Shdr *h) {
    Elf_Data *data = elf_getdata(scn, NULL);
    (void)h;
    GElf_Nhdr n;
    size_t name, text, at = 0, next;
    while (data && !f->name && (next = gelf_getnote(data, at, &n, &name, &text)) > 0) {
        const char *bytes = data->d_buf;
        bool ours = n.n_namesz == 6 && !memcmp(bytes + name, "wasmx", 6) && n.n_type == 1;
        if (ours) read_note_text(f, bytes + text, n.n_descsz);
        at = next;
    }
}

// ---- The descriptor

static const char *kind_text(uint32_t kind) {
    static const char *const names[] = {"?", "i32", "i64", "f32", "f64", "v128", "funcref", "externref"};
    return kind < sizeof names / sizeof *names ? names[kind] : "ref";
}

static void add_kinds(wx_buf *b, const uint32_t *kinds, uint32_t count, bool bare) {
    if (!bare) wx_buf_str(b, "(");
    for (uint32_t i = 0; i < count; i++) wx_buf_printf(b, "%s%s", i ? ", " : "", kind_text(kinds[i]));
    if (!bare) wx_buf_str(b, ")");
}

static const char *func_text(const elf_file *f, const struct wasmx_module *m, uint64_t types, uint32_t index) {
    uint64_t at = types + index * sizeof(wxrt_type);
    const wxrt_type *t = index < m->type_count ? struct_at(f, at, sizeof *t) : NULL;
    if (!t) return "";
    uint64_t count = (uint64_t)t->param_count + t->result_count;
    const uint32_t *kinds = array_at(f, pointer_at(f, at + offsetof(wxrt_type, kinds)), count, 4);
    if (!kinds && count) return "";
    wx_buf b = {0};
    add_kinds(&b, kinds, t->param_count, false);
    wx_buf_str(&b, " -> ");
    if (count) add_kinds(&b, kinds + t->param_count, t->result_count, t->result_count == 1);
    else wx_buf_str(&b, "()");
    const char *text = wx_arena_str(&f->r->arena, (const char *)b.data, b.len);
    wx_buf_free(&b);
    return text;
}

static const char *limits_text(const elf_file *f, uint64_t min, uint64_t max, bool has_max, const char *unit) {
    wx_arena *a = &f->r->arena;
    if (!has_max) return wx_arena_printf(a, "%llu.. %s", (unsigned long long)min, unit);
    return wx_arena_printf(a, "%llu..%llu %s", (unsigned long long)min, (unsigned long long)max, unit);
}

static const char *global_text(const elf_file *f, uint32_t type, bool is_mutable) {
    return wx_arena_printf(&f->r->arena, "%s%s", is_mutable ? "mut " : "", kind_text(type));
}

static const char *const kind_names[] = {"func", "table", "memory", "global", "tag"};
static const char *kind_name(uint32_t kind) { return kind < 5 ? kind_names[kind] : "?"; }

typedef struct descriptor { const struct wasmx_module *m; uint64_t at; } descriptor;
#define POINTER(f, d, field) pointer_at(f, (d)->at + offsetof(struct wasmx_module, field))

// The element of an array of the descriptor, or NULL.
static const void *element(const elf_file *f, uint64_t array, uint32_t count, uint32_t i, size_t size) {
    return i < count ? struct_at(f, array + i * size, size) : NULL;
}

static const char *import_type(const elf_file *f, const descriptor *d, const wxrt_import *x) {
    switch (x->kind) {
    case WASMX_FUNC: return func_text(f, d->m, POINTER(f, d, types), x->type);
    case WASMX_TABLE: return limits_text(f, x->min, x->max, x->has_max, kind_text(x->type));
    case WASMX_MEMORY: return limits_text(f, x->min, x->max, x->has_max, "pages");
    case WASMX_GLOBAL: return global_text(f, x->type, x->is_mutable);
    default: return "";
    }
}

static const char *export_type(const elf_file *f, const descriptor *d, const wxrt_export *x) {
    const struct wasmx_module *m = d->m;
    const wxrt_funcdesc *func;
    const wxrt_tabledesc *table;
    const wxrt_memdesc *memory;
    const wxrt_globaldesc *global;
    switch (x->kind) {
    case WASMX_FUNC:
        func = element(f, POINTER(f, d, funcs), m->func_count, x->index, sizeof *func);
        return func ? func_text(f, m, POINTER(f, d, types), func->type) : "";
    case WASMX_TABLE:
        table = element(f, POINTER(f, d, tables), m->table_count, x->index, sizeof *table);
        return table ? limits_text(f, table->min, table->max, table->has_max, kind_text(table->type)) : "";
    case WASMX_MEMORY:
        memory = element(f, POINTER(f, d, memories), m->memory_count, x->index, sizeof *memory);
        return memory ? limits_text(f, memory->min, memory->max, memory->has_max, "pages") : "";
    case WASMX_GLOBAL:
        global = element(f, POINTER(f, d, globals), m->global_count, x->index, sizeof *global);
        return global ? global_text(f, global->type, global->is_mutable) : "";
    default: return "";
    }
}

static void read_imports(const elf_file *f, const descriptor *d) {
    uint64_t at = POINTER(f, d, imports);
    for (uint32_t i = 0; i < d->m->import_count; i++, at += sizeof(wxrt_import)) {
        const wxrt_import *x = struct_at(f, at, sizeof *x);
        if (!x) return;
        *REPORT_ADD(f->r, imports) = (report_extern){
            .kind = kind_name(x->kind),
            .module = string_at(f, pointer_at(f, at + offsetof(wxrt_import, module))),
            .name = string_at(f, pointer_at(f, at + offsetof(wxrt_import, name))),
            .type = import_type(f, d, x),
        };
    }
}

static void read_exports(const elf_file *f, const descriptor *d) {
    uint64_t at = POINTER(f, d, exports);
    for (uint32_t i = 0; i < d->m->export_count; i++, at += sizeof(wxrt_export)) {
        const wxrt_export *x = struct_at(f, at, sizeof *x);
        if (!x) return;
        *REPORT_ADD(f->r, exports) = (report_extern){
            .kind = kind_name(x->kind),
            .name = string_at(f, pointer_at(f, at + offsetof(wxrt_export, name))),
            .type = export_type(f, d, x),
        };
    }
}

// ---- Symbols: the descriptor's, and the functions

static bool find_descriptor(const elf_file *f, Elf_Data *data, size_t count, const GElf_Shdr *h, uint64_t *out) {
    for (size_t i = 1; i < count; i++) {
        GElf_Sym s;
        if (!gelf_getsym(data, (int)i, &s) || GELF_ST_TYPE(s.st_info) != STT_OBJECT) continue;
        const char *name = elf_strptr(f->elf, h->sh_link, s.st_name);
        if (!name || strcmp(name, f->name) || s.st_shndx == SHN_UNDEF) continue;
        *out = symbol_address(f, &s);
        return true;
    }
    return false;
}

static void read_functions(elf_file *f, Elf_Data *data, size_t count, const GElf_Shdr *h, uint64_t start,
                           uint64_t end) {
    for (size_t i = 1; i < count; i++) {
        GElf_Sym s;
        if (!gelf_getsym(data, (int)i, &s) || GELF_ST_TYPE(s.st_info) != STT_FUNC || !s.st_size) continue;
        uint64_t at = symbol_address(f, &s);
        if (at < start || at >= end) continue;
        const char *name = elf_strptr(f->elf, h->sh_link, s.st_name);
        const char *copy = name ? wx_arena_str(&f->r->arena, name, strlen(name)) : NULL;
        *REPORT_ADD(f->r, funcs) = (report_func){.index = -1, .name = copy, .bytes = s.st_size};
    }
}

static void read_symbols(elf_file *f, Elf_Scn *scn, const GElf_Shdr *h) {
    size_t count;
    Elf_Data *data = table_data(scn, &count);
    descriptor d;
    if (f->found || !find_descriptor(f, data, count, h, &d.at) || !(d.m = struct_at(f, d.at, sizeof *d.m))) return;
    f->found = true;
    if (d.m->abi_hash != wxrt_abi_hash()) {
        add_fact(f->r, "remark", "made by another version of wasmx: imports, exports and functions are not shown");
        return;
    }
    read_imports(f, &d);
    read_exports(f, &d);
    read_functions(f, data, count, h, POINTER(f, &d, text_start), POINTER(f, &d, text_end));
}

// ---- Files

// An executable that can be loaded anywhere is a shared object with an interpreter.
static bool has_interpreter(Elf *elf) {
    size_t count = 0;
    GElf_Phdr h;
    elf_getphdrnum(elf, &count);
    for (size_t i = 0; i < count; i++)
        if (gelf_getphdr(elf, (int)i, &h) && h.p_type == PT_INTERP) return true;
    return false;
}

static const char *format_name(Elf *elf, uint16_t type) {
    switch (type) {
    case ET_REL: return "object";
    case ET_EXEC: return "executable";
    case ET_DYN: return has_interpreter(elf) ? "executable" : "shared object";
    default: return "file";
    }
}

static bool read_elf(report *r, Elf *elf) {
    elf_file f = {.elf = elf, .r = r};
    if (!gelf_getehdr(elf, &f.header) || f.header.e_ident[EI_CLASS] != ELFCLASS64) return false;
    each_section(&f, SHT_NOTE, read_note);
    if (!f.name) return false;
    r->format = format_name(elf, f.header.e_type);
    read_sections(&f);
    each_section(&f, SHT_RELA, read_relocations);
    if (f.pointer_count) qsort(f.pointers, f.pointer_count, sizeof *f.pointers, by_place);
    each_section(&f, SHT_SYMTAB, read_symbols);
    each_section(&f, SHT_DYNSYM, read_symbols); // what is left of them in a stripped shared object
    if (!f.found) add_fact(r, "remark", "its symbols are stripped: imports, exports and functions are not shown");
    return true;
}

static bool read_member(report *r, char *bytes, size_t size) {
    Elf *elf = elf_memory(bytes, size);
    bool ok = elf && elf_kind(elf) == ELF_K_ELF && read_elf(r, elf);
    if (elf) elf_end(elf);
    return ok;
}

// The first member that is ours. libelf opens members only of archives that are files.
static bool read_archive(report *r, char *bytes, size_t size) {
    enum { MAGIC = 8, HEADER = 60, SIZE_AT = 48 };
    for (size_t at = MAGIC; size - at >= HEADER;) {
        char digits[11] = "";
        memcpy(digits, bytes + at + SIZE_AT, 10);
        size_t length = strtoul(digits, NULL, 10);
        at += HEADER;
        if (length > size - at) return false;
        char *member = wx_arena_dup(&r->arena, bytes + at, length); // aligned
        if (read_member(r, member, length)) {
            r->format = "archive";
            return true;
        }
        at += length + (length & 1);
        if (at > size) return false;
    }
    return false;
}

bool wx_report_elf(report *r, const uint8_t *bytes, size_t size, wx_error *e) {
    elf_version(EV_CURRENT);
    char *copy = wx_arena_dup(&r->arena, bytes, size); // libelf wants memory it may write to
    bool ok = *bytes == '!' ? read_archive(r, copy, size) : read_member(r, copy, size);
    return ok || wx_fail(e, WX_ERR_MALFORMED, "nothing in it was made by wasmx");
}
