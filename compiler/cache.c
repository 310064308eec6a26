// compiler/cache.c: `--cache-dir`: see cache.h.
//
// An entry is a file NAME.part, NAME being its key in hexadecimal: a header, the object, the lines of backtraces, and
// the SHA-256 of all that. Using an entry sets its time, by which the oldest are found.
#include "compiler/cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <llvm-c/BitWriter.h>

#include "compiler/need.h"

#define DEFAULT_BYTES (UINT64_C(4) << 30)
#define TEMP "new."        // names of files that are being written
#define TEMP_SECONDS 3600  // after which their writer is dead

// ---- What the code follows from

typedef struct seeker { uintptr_t address; wx_buf *out; bool found; } seeker;

static bool take_build_id(const uint8_t *at, const uint8_t *end, wx_buf *out) {
    while ((size_t)(end - at) >= sizeof(ElfW(Nhdr))) {
        const ElfW(Nhdr) *n = (const void *)at;
        const uint8_t *name = at + sizeof *n, *text = name + (n->n_namesz + 3) / 4 * 4;
        if (n->n_type == NT_GNU_BUILD_ID && n->n_namesz == 4 && !memcmp(name, "GNU", 4)) {
            wx_buf_add(out, text, n->n_descsz);
            return true;
        }
        at = text + (n->n_descsz + 3) / 4 * 4;
    }
    return false;
}

static bool holds(const struct dl_phdr_info *o, uintptr_t address) {
    for (int i = 0; i < o->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &o->dlpi_phdr[i];
        if (p->p_type == PT_LOAD && address - (o->dlpi_addr + p->p_vaddr) < p->p_memsz) return true;
    }
    return false;
}

static int seek_build_id(struct dl_phdr_info *o, size_t size, void *arg) {
    (void)size;
    seeker *s = arg;
    if (!holds(o, s->address)) return 0;
    for (int i = 0; i < o->dlpi_phnum && !s->found; i++) {
        const ElfW(Phdr) *p = &o->dlpi_phdr[i];
        const uint8_t *at = (const uint8_t *)(o->dlpi_addr + p->p_vaddr);
        if (p->p_type == PT_NOTE) s->found = take_build_id(at, at + p->p_memsz, s->out);
    }
    return 1;
}

// Of the program or shared object that the address is in.
static bool add_build_id(wx_buf *out, uintptr_t address) {
    seeker s = {address, out, false};
    dl_iterate_phdr(seek_build_id, &s);
    return s.found;
}

static void add_text(wx_buf *out, const char *text) {
    if (!text) text = "";
    wx_buf_add(out, text, strlen(text) + 1);
}

// All that passes and the code generator read of a unit beside the IR. More than is needed does no harm.
static bool add_settings(wx_buf *out, const wx_unit *u, wx_error *e) {
    const uint64_t numbers[] = {
        (uint64_t)u->opt_level, u->opt_size, u->debug, u->explicit_bounds, u->precise_traps, u->interruptible,
        u->is_x86, u->facts.shared, u->area_size, u->part_count == 1,
    };
    add_text(out, "wasmx part 1");
    add_text(out, u->triple);
    add_text(out, u->cpu);
    add_text(out, u->features);
    add_text(out, u->tune);
    add_text(out, u->name);
    wx_buf_add(out, numbers, sizeof numbers);
    for (uint32_t i = 0; i < u->m->memory_count; i++) wx_buf_byte(out, u->m->memories[i].limits.is64);
    if (!wx_need_llvm(e)) return false;
    return (add_build_id(out, (uintptr_t)wx_cache_open) && add_build_id(out, (uintptr_t)wx_llvm_itself())) ||
           wx_fail(e, WX_ERR_USAGE, "no cache: this program or LLVM was linked without --build-id, by which entries "
                                    "of another version are told");
}

wx_cache_key wx_cache_key_of(const wx_cache *c, const part *p) {
    wx_cache_key key;
    wx_buf all = {0};
    uint32_t place[] = {p->plan->index, p->plan->is_first, p->plan->is_last, p->plan->cheap};
    LLVMMemoryBufferRef ir = LLVMWriteBitcodeToMemoryBuffer(p->m);
    wx_buf_add(&all, c->settings.data, c->settings.len);
    wx_buf_add(&all, place, sizeof place);
    wx_buf_add(&all, LLVMGetBufferStart(ir), LLVMGetBufferSize(ir));
    wx_sha256(all.data, all.len, key.bytes);
    LLVMDisposeMemoryBuffer(ir);
    wx_buf_free(&all);
    return key;
}

// ---- The directory

static bool check_owner(const wx_cache *c, const char *path, wx_error *e) {
    struct stat s;
    if (fstat(c->dir, &s)) return wx_fail(e, WX_ERR_USAGE, "--cache-dir: '%s': %s", path, strerror(errno));
    bool ours = s.st_uid == geteuid() || s.st_uid == 0;
    return (ours && !(s.st_mode & 022)) ||
           wx_fail(e, WX_ERR_USAGE, "--cache-dir: others may write to '%s', and what is in it becomes code", path);
}

bool wx_cache_open(wx_cache *c, const wx_unit *u, wx_error *e) {
    const char *path = u->options->cache_dir;
    *c = (wx_cache){.max_bytes = u->options->cache_bytes ? u->options->cache_bytes : DEFAULT_BYTES};
    if (mkdir(path, 0700) && errno != EEXIST) c->dir = -1;
    else c->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (c->dir < 0) return wx_fail(e, WX_ERR_USAGE, "--cache-dir: '%s': %s", path, strerror(errno));
    if (check_owner(c, path, e) && add_settings(&c->settings, u, e)) return true;
    close(c->dir);
    wx_buf_free(&c->settings);
    return false;
}

typedef struct name { char text[80]; } name;

static name name_of(const wx_cache_key *key) {
    name n;
    for (size_t i = 0; i < sizeof key->bytes; i++) snprintf(n.text + 2 * i, 3, "%02x", key->bytes[i]);
    strcat(n.text, ".part");
    return n;
}

// ---- Entries

typedef struct header { // the lengths of what follows, and what is not bytes
    char magic[8];
    uint64_t object, rows, inlined;
    uint64_t map_count, size, alignment;
} header;
enum { DIGEST = 32 };
static const char magic[8] = "wasmxp1";

static bool is_whole(const wx_buf *entry, header *h) {
    uint8_t digest[DIGEST];
    if (entry->len < sizeof *h + DIGEST) return false;
    size_t end = entry->len - DIGEST, room = end - sizeof *h;
    memcpy(h, entry->data, sizeof *h);
    if (memcmp(h->magic, magic, sizeof magic)) return false;
    if (h->object > room || h->rows > room || h->inlined > room) return false;
    if (h->object + h->rows + h->inlined != room) return false;
    wx_sha256(entry->data, end, digest);
    return !memcmp(digest, entry->data + end, DIGEST);
}

bool wx_cache_get(const wx_cache *c, const wx_cache_key *key, wx_buf *object, wx_part_result *result) {
    wx_buf entry = {0};
    header h;
    int fd = openat(c->dir, name_of(key).text, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return false;
    bool ok = wx_fd_read(&entry, fd) && is_whole(&entry, &h);
    if (ok) {
        const uint8_t *at = entry.data + sizeof h;
        wx_buf_add(object, at, h.object);
        wx_buf_add(&result->lines.rows, at + h.object, h.rows);
        wx_buf_add(&result->lines.inlined, at + h.object + h.rows, h.inlined);
        result->lines.size = h.size;
        result->lines.alignment = h.alignment;
        result->map_count = (uint32_t)h.map_count;
        result->cached = true;
        futimens(fd, NULL);
    }
    close(fd);
    wx_buf_free(&entry);
    return ok;
}

void wx_cache_put(const wx_cache *c, const wx_cache_key *key, const wx_buf *object, const wx_part_result *r) {
    const wx_part_lines *l = &r->lines;
    header h = {"", object->len, l->rows.len, l->inlined.len, r->map_count, l->size, l->alignment};
    wx_buf entry = {0};
    uint8_t digest[DIGEST];
    name final = name_of(key), temp;
    memcpy(h.magic, magic, sizeof magic);
    wx_buf_add(&entry, &h, sizeof h);
    wx_buf_add(&entry, object->data, object->len);
    if (l->rows.len) wx_buf_add(&entry, l->rows.data, l->rows.len);
    if (l->inlined.len) wx_buf_add(&entry, l->inlined.data, l->inlined.len);
    wx_sha256(entry.data, entry.len, digest);
    wx_buf_add(&entry, digest, sizeof digest);
    snprintf(temp.text, sizeof temp.text, TEMP "%d.%.24s", (int)getpid(), final.text);
    int fd = openat(c->dir, temp.text, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd >= 0) {
        bool ok = wx_fd_write(fd, entry.data, entry.len);
        ok = close(fd) == 0 && ok;
        if (!ok || renameat(c->dir, temp.text, c->dir, final.text)) unlinkat(c->dir, temp.text, 0);
    }
    wx_buf_free(&entry);
}

// ---- Size

typedef struct entry { name n; uint64_t bytes; struct timespec used; } entry;

static int by_use(const void *a, const void *b) {
    const struct timespec *x = &((const entry *)a)->used, *y = &((const entry *)b)->used;
    if (x->tv_sec != y->tv_sec) return x->tv_sec < y->tv_sec ? -1 : 1;
    return (x->tv_nsec > y->tv_nsec) - (x->tv_nsec < y->tv_nsec);
}

static bool ends_in_part(const char *text) {
    size_t n = strlen(text);
    return n == 2 * DIGEST + 5 && !strcmp(text + n - 5, ".part");
}

static bool is_left_over(const char *text, const struct stat *s) {
    return !strncmp(text, TEMP, strlen(TEMP)) && time(NULL) - s->st_mtim.tv_sec > TEMP_SECONDS;
}

// All entries, and their bytes together. What a dead process left half-written is removed on the way.
static uint64_t list_entries(const wx_cache *c, wx_buf *out) {
    uint64_t bytes = 0;
    int fd = openat(c->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    for (struct dirent *d; dir && (d = readdir(dir));) {
        struct stat s;
        if (fstatat(c->dir, d->d_name, &s, AT_SYMLINK_NOFOLLOW) || !S_ISREG(s.st_mode)) continue;
        if (is_left_over(d->d_name, &s)) unlinkat(c->dir, d->d_name, 0);
        if (!ends_in_part(d->d_name)) continue;
        entry x = {.bytes = (uint64_t)s.st_size, .used = s.st_mtim};
        strcpy(x.n.text, d->d_name);
        wx_buf_add(out, &x, sizeof x);
        bytes += x.bytes;
    }
    if (dir) closedir(dir);
    return bytes;
}

void wx_cache_close(wx_cache *c) {
    wx_buf list = {0};
    uint64_t bytes = list_entries(c, &list);
    entry *all = (entry *)list.data;
    size_t count = list.len / sizeof *all;
    if (bytes > c->max_bytes) qsort(all, count, sizeof *all, by_use);
    for (size_t i = 0; i < count && bytes > c->max_bytes; i++) {
        unlinkat(c->dir, all[i].n.text, 0);
        bytes -= all[i].bytes;
    }
    wx_buf_free(&list);
    close(c->dir);
    wx_buf_free(&c->settings);
}
