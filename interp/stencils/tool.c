// interp/stencils/tool.c: reads the object that stencils.c became, writes the table of stencil.h. Part of the build.
//
//   stencil_tool OBJECT TABLE.c
//
// Every function I_OP__WAY is a stencil. A last jump to `next` is dropped, so that code falls through; the others
// become holes. Whatever it does not know is an error: another relocation, another symbol, data but for constants of
// instructions, a stencil from which nothing goes on.
#include <elf.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "interp/stencil.h"

static const uint8_t *object;
static const Elf64_Shdr *sections;
static const char *section_names;
static const Elf64_Sym *symbols;
static size_t symbol_count;
static const char *strings;

static _Noreturn void refuse(const char *what, const char *where) {
    fprintf(stderr, "stencils: %s: %s\n", where, what);
    exit(1);
}

// ---- The object

static const uint8_t *read_all(const char *path) {
    FILE *f = fopen(path, "rb");
    if (!f || fseek(f, 0, SEEK_END)) refuse("cannot be read", path);
    size_t size = (size_t)ftell(f);
    uint8_t *bytes = malloc(size + 1);
    rewind(f);
    if (!bytes || fread(bytes, 1, size, f) != size || size < sizeof(Elf64_Ehdr)) refuse("cannot be read", path);
    fclose(f);
    return bytes;
}

static const char *section_name(uint32_t i) { return section_names + sections[i].sh_name; }

static void open_object(const char *path) {
    object = read_all(path);
    const Elf64_Ehdr *head = (const void *)object;
    bool known = !memcmp(head->e_ident, ELFMAG, SELFMAG) && head->e_type == ET_REL && head->e_machine == EM_X86_64;
    if (!known) refuse("no relocatable object for x86-64", path);
    sections = (const void *)(object + head->e_shoff);
    section_names = (const char *)object + sections[head->e_shstrndx].sh_offset;
    for (uint32_t i = 0; i < head->e_shnum; i++) {
        if (sections[i].sh_type != SHT_SYMTAB) continue;
        symbols = (const void *)(object + sections[i].sh_offset);
        symbol_count = sections[i].sh_size / sizeof *symbols;
        strings = (const char *)object + sections[sections[i].sh_link].sh_offset;
    }
    if (!symbols) refuse("no symbols", path);
}

static uint32_t section_count(void) { return ((const Elf64_Ehdr *)(const void *)object)->e_shnum; }

// ---- The pool: what code reads, all in one piece, the most aligned first

static bool is_constants(uint32_t i) { return !strncmp(section_name(i), ".rodata.cst", 11); }

static uint64_t pool_place(uint32_t section) { // of a section of constants
    uint64_t at = 0;
    for (uint64_t align = 32; align; align /= 2)
        for (uint32_t i = 0; i < section_count(); i++) {
            if (!is_constants(i) || sections[i].sh_addralign != align) continue;
            if (i == section) return at;
            at += sections[i].sh_size;
        }
    return at; // of no section: the size of all
}

static void write_bytes(const uint8_t *bytes, uint64_t n) {
    for (uint64_t i = 0; i < n; i++) printf("%s%u,", i % 32 ? "" : "\n", bytes[i]);
}

static void write_pool(void) {
    uint64_t size = pool_place(section_count());
    uint8_t *pool = calloc(1, size + 1);
    for (uint32_t i = 0; i < section_count(); i++)
        if (is_constants(i)) memcpy(pool + pool_place(i), object + sections[i].sh_offset, sections[i].sh_size);
    printf("const uint32_t wx_stencil_pool_size = %u;\n", (unsigned)size);
    printf("_Alignas(32) const uint8_t wx_stencil_pool[] = {");
    write_bytes(pool, size);
    puts("\n0};");
    free(pool);
}

// ---- Holes

static bool fits_value(wx_hole_kind kind, uint32_t type) {
    if (kind == WX_HOLE_word) return type == R_X86_64_64;
    if (kind == WX_HOLE_cell) return type == R_X86_64_32S; // negative, and not shortened afterwards
    return type == R_X86_64_32 || type == R_X86_64_32S;
}

static wx_hole_kind kind_of(const Elf64_Sym *s, uint32_t type, int64_t *addend, const char *where) {
    const char *name = strings + s->st_name;
    bool place = type == R_X86_64_PC32 || type == R_X86_64_PLT32;
    if (place) *addend += 4;
    if (s->st_shndx != SHN_UNDEF && is_constants(s->st_shndx) && place) {
        *addend += (int64_t)(pool_place(s->st_shndx) + s->st_value);
        return WX_HOLE_pool;
    }
#define X(hole) if (!strcmp(name, "hole_" #hole) && fits_value(WX_HOLE_##hole, type)) return WX_HOLE_##hole;
    WX_HOLES_VALUE(X)
#undef X
#define X(hole) if (!strcmp(name, #hole) && place) return WX_HOLE_##hole;
    WX_HOLES_PLACE(X)
#undef X
    fprintf(stderr, "stencils: relocation %u of %s\n", type, name);
    refuse("a relocation that is not known", where);
}

static const Elf64_Rela *relocations_of(uint32_t section, size_t *count) {
    for (uint32_t i = 0; i < section_count(); i++) {
        if (sections[i].sh_type != SHT_RELA || sections[i].sh_info != section) continue;
        *count = sections[i].sh_size / sizeof(Elf64_Rela);
        return (const void *)(object + sections[i].sh_offset);
    }
    *count = 0;
    return NULL;
}

// ---- Stencils

static uint8_t code[1 << 20];
static wx_hole holes[1 << 16];
static uint32_t code_size, hole_count;

static bool ends_in_jump(const uint8_t *bytes, uint64_t size, const wx_hole *last) {
    return size >= 5 && bytes[size - 5] == 0xe9 && last->kind == WX_HOLE_next && last->at == size - 4;
}

// The holes of a section's only function. Returns whether one of them is the way on.
static bool read_holes(uint32_t section, const char *name) {
    size_t count;
    const Elf64_Rela *r = relocations_of(section, &count);
    bool goes_on = false;
    for (size_t i = 0; i < count; i++) {
        const Elf64_Sym *to = &symbols[ELF64_R_SYM(r[i].r_info)];
        int64_t addend = r[i].r_addend;
        wx_hole_kind kind = kind_of(to, (uint32_t)ELF64_R_TYPE(r[i].r_info), &addend, name);
        if (addend != (int16_t)addend) refuse("a distance that is too long", name);
        if (i && r[i].r_offset <= r[i - 1].r_offset) refuse("relocations out of order", name);
        holes[hole_count++] = (wx_hole){(uint8_t)r[i].r_offset, (uint8_t)kind, (int16_t)addend};
        goes_on |= kind == WX_HOLE_next;
    }
    return goes_on;
}

// Which registers hold what is clang's choice, and baseline_x86_64.c counts on it: as seen in three stencils.
static void check_registers(const char *name, const uint8_t *bytes, uint64_t size) {
    static const struct { const char *name, *bytes; size_t size; } expected[] = {
        {"I_MOVE__0", "\x49\x8b\xbc\x24\0\0\0\0\x49\x89\xbc\x24", 12}, // mov b(%r12), %rdi; mov %rdi, a(%r12)
        {"I_GET64__3", "\x49\x8b\xbd", 3},                            // mov cell(%r13), %rdi
        {"I_I64_LOAD__10", "\x89\xf8\x49\x8b\xbc\x06", 6},            // mov %edi, %eax; mov offset(%r14, %rax), %rdi
    };
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        bool same = size >= expected[i].size && !memcmp(bytes, expected[i].bytes, expected[i].size);
        if (!strcmp(name, expected[i].name) && !same) refuse("this clang keeps arguments in other registers", name);
    }
}

static void write_stencil(const Elf64_Sym *s, const char *name) {
    uint32_t first = hole_count, at = code_size;
    const Elf64_Shdr *section = &sections[s->st_shndx];
    uint64_t size = s->st_size;
    if (s->st_value || size != section->sh_size || size > UINT8_MAX) refuse("not one short piece of code", name);
    if (code_size + size > sizeof code || hole_count + size > sizeof holes / sizeof *holes) refuse("too many", name);
    memcpy(code + at, object + section->sh_offset, size);
    check_registers(name, code + at, size);
    if (!read_holes(s->st_shndx, name)) refuse("nothing goes on from here", name);
    if (ends_in_jump(code + at, size, &holes[hole_count - 1])) size -= 5, hole_count--;
    code_size += (uint32_t)size;
    printf("[%.*s][%s] = ", (int)(strstr(name, "__") - name), name, strstr(name, "__") + 2);
    printf("{%u, %u, %u, %u, true},\n", at, first, (unsigned)size, hole_count - first);
}

static bool is_stencil(const Elf64_Sym *s) {
    return ELF64_ST_TYPE(s->st_info) == STT_FUNC && strstr(strings + s->st_name, "__");
}

static void check_sections(void) {
    for (uint32_t i = 0; i < section_count(); i++) {
        bool data = sections[i].sh_flags & SHF_ALLOC && !(sections[i].sh_flags & SHF_EXECINSTR);
        if (data && sections[i].sh_size && !is_constants(i)) refuse("data", section_name(i));
    }
}

int main(int argc, char **argv) {
    if (argc != 3) refuse("usage: stencil_tool OBJECT TABLE.c", "arguments");
    open_object(argv[1]);
    if (!freopen(argv[2], "w", stdout)) refuse("cannot be written", argv[2]);
    check_sections();
    puts("// Made by interp/stencils/tool.c.\n#include \"interp/stencil.h\"");
    puts("const wx_stencil wx_stencils[I_COUNT][WX_WAYS] = {");
    for (size_t i = 0; i < symbol_count; i++)
        if (is_stencil(&symbols[i])) write_stencil(&symbols[i], strings + symbols[i].st_name);
    printf("};\nconst uint8_t wx_stencil_code[] = {");
    write_bytes(code, code_size);
    puts("0};\nconst wx_hole wx_stencil_holes[] = {");
    for (uint32_t i = 0; i < hole_count; i++) printf("{%u,%u,%d},\n", holes[i].at, holes[i].kind, holes[i].addend);
    puts("{0}};");
    write_pool();
    return fflush(stdout) || ferror(stdout);
}
