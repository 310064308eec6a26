// compiler/source.c: source lines from the module's own debug information (DWARF in custom sections).
//
// in: a module   out: rows by offset in the Wasm file   Sections may hold anything, and LLVM's reader trusts them: it
// runs in a process of its own with little time and memory, and what comes back is looked at before it is used.
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "compiler/lines.h"
#include "wasm/isolate.h"

#define MOST_SECTIONS 32
#define MEMORY_FACTOR 64 // of what LLVM's reader and the rows may take, to the bytes of debug information
#define MEMORY_LEAST ((uint64_t)256 << 20)

typedef struct job {
    wx_debug_section sections[MOST_SECTIONS];
    char names[MOST_SECTIONS][24];
    wx_debug_input input;
    uint64_t bytes;
} job;

static void find_sections(job *j, const wx_module *m) {
    for (uint32_t i = 0; i < m->custom_count && j->input.count < MOST_SECTIONS; i++) {
        const wx_custom *x = &m->customs[i];
        char *name = j->names[j->input.count];
        if (x->name.len < 7 || x->name.len > sizeof *j->names || memcmp(x->name.ptr, ".debug_", 7)) continue;
        memcpy(name, x->name.ptr + 1, x->name.len - 1); // a NUL follows: all of it is zero
        j->sections[j->input.count++] = (wx_debug_section){name, x->bytes.ptr, x->bytes.len};
        j->bytes += x->bytes.len;
    }
    j->input.sections = j->sections;
}

// Where the content of the code section begins: addresses count from there.
static uint32_t code_start(const wx_module *m) {
    wx_error none = {0};
    wx_reader r = wx_reader_make(m->bytes, &none);
    wx_read_bytes(&r, 8);
    while (!wx_reader_done(&r)) {
        uint8_t id = wx_read_u8(&r);
        uint32_t size = wx_read_u32(&r);
        if (id == 10) return (uint32_t)wx_reader_offset(&r);
        wx_read_bytes(&r, size);
    }
    return 0;
}

// ---- In the other process

static void limit_memory(uint64_t more) {
    unsigned long data = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f) return;
    if (fscanf(f, "%*u %*u %*u %*u %*u %lu", &data) != 1) data = 0;
    fclose(f);
    uint64_t limit = (uint64_t)data * (uint64_t)sysconf(_SC_PAGESIZE) + more;
    if (data) setrlimit(RLIMIT_DATA, &(struct rlimit){limit, limit});
}

// [ is it broken | how many files | bytes of paths | paths | rows ]
static void read_rows(void *arg, wx_buf *out, wx_error *e) {
    job *j = arg;
    wx_debug_rows got = {0};
    limit_memory(MEMORY_LEAST + MEMORY_FACTOR * j->bytes);
    if (!wx_read_debug(&j->input, &got)) {
        wx_fail(e, WX_ERR_LIMIT, "too much debug information");
        return;
    }
    wx_buf_u32le(out, got.broken);
    wx_buf_u32le(out, got.file_count);
    wx_buf_u32le(out, (uint32_t)got.files.len);
    if (got.files.len) wx_buf_add(out, got.files.data, got.files.len);
    if (got.rows.len) wx_buf_add(out, got.rows.data, got.rows.len);
}

// ---- Back here

static bool are_files(const uint8_t *at, uint32_t size, uint32_t count) {
    uint32_t ends = 0;
    for (uint32_t i = 0; i < size; i++) ends += at[i] == 0;
    return ends == count && (!size || at[size - 1] == 0);
}

static bool are_rows(const uint8_t *at, size_t size, uint32_t file_count) {
    uint64_t next = 0;
    if (size % sizeof(wx_row)) return false;
    for (wx_row row; size; at += sizeof row, size -= sizeof row) {
        memcpy(&row, at, sizeof row);
        if (row.key < next || (row.a && row.b >= file_count)) return false;
        next = (uint64_t)row.key + 1;
    }
    return true;
}

static bool unpack(const wx_buf *got, wx_debug_rows *out) {
    struct { uint32_t broken, files, size; } head;
    if (got->len < sizeof head) return false;
    memcpy(&head, got->data, sizeof head);
    const uint8_t *paths = got->data + sizeof head;
    size_t left = got->len - sizeof head;
    if (head.size > left || !are_files(paths, head.size, head.files)) return false;
    if (!are_rows(paths + head.size, left - head.size, head.files)) return false;
    if (head.size) wx_buf_add(&out->files, paths, head.size);
    if (left > head.size) wx_buf_add(&out->rows, paths + head.size, left - head.size);
    out->file_count = head.files;
    out->broken = head.broken;
    return true;
}

// Where functions are: not at address 0, where their number is and the linker puts what it left out.
static bool find_code(job *j, const wx_unit *u) {
    if (!u->live_count) return false;
    const wx_span *last = &u->m->funcs[u->m->func_count - 1].code;
    j->input.base = code_start(u->m);
    j->input.low = j->input.base + 1;
    j->input.high = (uint32_t)(last->offset + last->len);
    return true;
}

void wx_source_lines(const wx_unit *u, wx_debug_rows *out, char *note, size_t note_size) {
    job j = {0};
    wx_buf got = {0};
    wx_error e = {0};
    find_sections(&j, u->m);
    if (!j.input.count || !find_code(&j, u)) return;
    unsigned seconds = 10 + (unsigned)(j.bytes / 1000000);
    if (!wx_isolated(read_rows, &j, seconds, &got, &e) || !unpack(&got, out))
        snprintf(note, note_size, "no source lines: the debug information is %s",
                 e.code == WX_ERR_LIMIT ? "too much" : "broken");
    else if (out->broken) snprintf(note, note_size, "source lines are missing: the debug information is broken");
    wx_buf_free(&got);
}
