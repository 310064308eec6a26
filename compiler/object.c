// compiler/object.c: from the partitions' objects to one relocatable object whose inner symbols are local.
//
// in: ELF objects in memory   out: one   how: the system's linker with -r where there are several, then libelf turns
// hidden symbols local, so that two modules in one program do not meet, and puts the lines of backtraces in.
#include <errno.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "compiler/tool.h"
#include "compiler/unit.h"

// ---- The linker

static bool on_path(const char *name) {
    const char *path = getenv("PATH");
    char full[512];
    for (const char *at = path ? path : ""; *at;) {
        size_t n = strcspn(at, ":");
        snprintf(full, sizeof full, "%.*s/%s", (int)n, at, name);
        if (access(full, X_OK) == 0) return true;
        at += n + (at[n] == ':');
    }
    return false;
}

static const char *find_linker(const wx_unit *u) {
    const char *const names[] = {"ld.lld-22", "ld.lld", u->is_x86 ? "x86_64-linux-gnu-ld" : "aarch64-linux-gnu-ld"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (on_path(names[i])) return names[i];
    return NULL;
}

static bool merge_in(const wx_unit *u, wx_workdir *w, const wx_buf *parts, uint32_t count, wx_buf *out, wx_error *e) {
    const char *linker = find_linker(u), *merged = wx_workdir_file(w, "merged.o");
    if (!linker)
        return wx_fail(e, WX_ERR_BACKEND, "no linker found: ld.lld-22 (package lld-22) or the target's ld is needed");
    const char **argv = WX_NEW_ARRAY(&w->names, const char *, count + 5);
    uint32_t n = 0;
    argv[n++] = linker;
    argv[n++] = "-r";
    argv[n++] = "-o";
    argv[n++] = merged;
    for (uint32_t i = 0; i < count; i++) {
        char name[32];
        snprintf(name, sizeof name, "%06u.o", i);
        argv[n] = wx_workdir_file(w, name);
        if (!wx_file_write(argv[n++], parts[i].data, parts[i].len, e)) return false;
    }
    return wx_tool_run(w, argv, e) && wx_file_read(out, merged, e);
}

// ---- Hidden symbols become local. ELF wants locals first, so the table is reordered and relocations follow.

typedef struct symtab { Elf_Scn *section; Elf_Data *data; GElf_Shdr header; uint32_t count; uint32_t *moved; } symtab;

static bool find_symtab(Elf *elf, symtab *s) {
    for (Elf_Scn *scn = elf_nextscn(elf, NULL); scn; scn = elf_nextscn(elf, scn)) {
        gelf_getshdr(scn, &s->header);
        if (s->header.sh_type != SHT_SYMTAB) continue;
        s->section = scn;
        s->data = elf_getdata(scn, NULL);
        s->count = (uint32_t)(s->header.sh_size / s->header.sh_entsize);
        return s->data != NULL;
    }
    return false;
}

static bool becomes_local(const GElf_Sym *sym) {
    bool hidden = GELF_ST_VISIBILITY(sym->st_other) == STV_HIDDEN && sym->st_shndx != SHN_UNDEF;
    return GELF_ST_BIND(sym->st_info) == STB_LOCAL || hidden;
}

static void reorder(symtab *s) {
    GElf_Sym *all = wx_xmalloc(s->count * sizeof *all);
    for (uint32_t i = 0; i < s->count; i++) gelf_getsym(s->data, (int)i, &all[i]);
    uint32_t at = 0;
    for (int local = 1; local >= 0; local--) {
        for (uint32_t i = 0; i < s->count; i++) {
            if (becomes_local(&all[i]) != local) continue;
            GElf_Sym sym = all[i];
            if (local) {
                sym.st_info = GELF_ST_INFO(STB_LOCAL, GELF_ST_TYPE(sym.st_info));
                sym.st_other = STV_DEFAULT;
            }
            s->moved[i] = at;
            gelf_update_sym(s->data, (int)at++, &sym);
        }
        if (local) s->header.sh_info = at;
    }
    gelf_update_shdr(s->section, &s->header);
    elf_flagdata(s->data, ELF_C_SET, ELF_F_DIRTY);
    free(all);
}

static void follow_relocations(Elf *elf, const symtab *s) {
    for (Elf_Scn *scn = elf_nextscn(elf, NULL); scn; scn = elf_nextscn(elf, scn)) {
        GElf_Shdr header;
        gelf_getshdr(scn, &header);
        if (header.sh_type != SHT_RELA) continue;
        Elf_Data *data = elf_getdata(scn, NULL);
        size_t n = header.sh_size / header.sh_entsize;
        for (size_t i = 0; i < n; i++) {
            GElf_Rela r;
            gelf_getrela(data, (int)i, &r);
            r.r_info = GELF_R_INFO(s->moved[GELF_R_SYM(r.r_info)], GELF_R_TYPE(r.r_info));
            gelf_update_rela(data, (int)i, &r);
        }
        elf_flagdata(data, ELF_C_SET, ELF_F_DIRTY);
    }
}

// ---- Lines: known only when all code is made, they replace the content of a section that the descriptor points to

static Elf_Scn *find_section(Elf *elf, const char *prefix, const char *name, GElf_Shdr *header) {
    size_t names, n = strlen(prefix);
    if (elf_getshdrstrndx(elf, &names)) return NULL;
    for (Elf_Scn *scn = elf_nextscn(elf, NULL); scn; scn = elf_nextscn(elf, scn)) {
        const char *seen = gelf_getshdr(scn, header) ? elf_strptr(elf, names, header->sh_name) : NULL;
        if (seen && !strncmp(seen, prefix, n) && !strcmp(seen + n, name)) return scn;
    }
    return NULL;
}

// Code is where lines.c thinks it is when all of it together has the size that it thinks.
static bool is_in_place(const wx_unit *u, Elf *elf, const wx_lines *lines) {
    GElf_Shdr header;
    return find_section(elf, ".text.wasmx.", u->name, &header) && header.sh_size == lines->text_size;
}

// The section's new place is where the table of sections was, at the end of the file, and the table comes after it.
static bool put_lines(const wx_unit *u, Elf *elf, const wx_lines *lines) {
    GElf_Shdr header;
    GElf_Ehdr file;
    Elf_Scn *section = find_section(elf, WX_LINES_SECTION, u->name, &header);
    Elf_Data *data = section ? elf_getdata(section, NULL) : NULL;
    if (!data || !gelf_getehdr(elf, &file) || !is_in_place(u, elf, lines)) return false;
    data->d_buf = lines->table.data;
    data->d_size = header.sh_size = lines->table.len;
    header.sh_offset = (file.e_shoff + 7) / 8 * 8;
    file.e_shoff = (header.sh_offset + header.sh_size + 7) / 8 * 8;
    elf_flagdata(data, ELF_C_SET, ELF_F_DIRTY);
    return gelf_update_shdr(section, &header) && gelf_update_ehdr(elf, &file);
}

static bool rewrite_in(const wx_unit *u, int fd, const wx_lines *lines, wx_error *e) {
    elf_version(EV_CURRENT);
    Elf *elf = elf_begin(fd, ELF_C_RDWR, NULL);
    symtab s = {0};
    bool ok = elf && find_symtab(elf, &s);
    if (ok && lines->table.len) ok = put_lines(u, elf, lines);
    if (ok) {
        s.moved = wx_xmalloc(s.count * sizeof *s.moved);
        elf_flagelf(elf, ELF_C_SET, ELF_F_LAYOUT);
        reorder(&s);
        follow_relocations(elf, &s);
        ok = elf_update(elf, ELF_C_WRITE) >= 0;
        free(s.moved);
    }
    if (elf) elf_end(elf);
    return ok || wx_fail(e, WX_ERR_BACKEND, "the object cannot be rewritten: %s", elf_errmsg(-1));
}

// libelf writes to descriptors only; the file is in memory.
static bool rewrite(const wx_unit *u, wx_buf *object, const wx_lines *lines, wx_error *e) {
    int fd = memfd_create("wasmx object", MFD_CLOEXEC);
    if (fd < 0) return wx_fail(e, WX_ERR_IO, "cannot make a file in memory");
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    bool written = wx_fd_write(fd, object->data, object->len);
    if (!written) wx_fail(e, WX_ERR_IO, "cannot write: %s", strerror(errno));
    bool ok = written && rewrite_in(u, fd, lines, e) && wx_file_read(object, path, e);
    close(fd);
    return ok;
}

bool wx_merge_objects(const wx_unit *u, const wx_buf *parts, uint32_t count, const wx_lines *lines, wx_buf *out,
                      wx_error *e) {
    if (count == 1) {
        wx_buf_add(out, parts[0].data, parts[0].len);
        return rewrite(u, out, lines, e);
    }
    wx_workdir w = {0};
    bool ok = wx_workdir_open(&w, e) && merge_in(u, &w, parts, count, out, e);
    wx_workdir_close(&w);
    return ok && rewrite(u, out, lines, e);
}
