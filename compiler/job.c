// compiler/job.c: from bytes and options to a unit that is ready to be compiled.
//
// in: bytes, options   out: a wx_job whose unit is complete   needs: decode, validate, facts, image, layout
#include "compiler/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "compiler/exports.h"
#include "wasm/wasm.h"

void wx_phase(wx_job *j, const char *name, double seconds, uint64_t bytes) {
    if (!j->out || j->out->phase_count == WASMX_MAX_PHASES) return;
    j->out->phases[j->out->phase_count++] = (wasmx_phase){name, seconds, bytes};
}

void wx_phase_since(wx_job *j, const char *name, uint64_t bytes) {
    double t = wx_seconds();
    wx_phase(j, name, t - j->started, bytes);
    j->started = t;
}

static void set_options(wx_unit *u, const wasmx_compile_options *o) {
    char level = o->opt_level ? o->opt_level : '2';
    u->options = o;
    u->opt_size = level == 's';
    u->opt_level = level == 's' ? 2 : level - '0';
    u->debug = o->debug && !u->lazy;
    u->explicit_bounds = o->bounds == WASMX_BOUNDS_EXPLICIT;
    u->interruptible = o->interruptible;
    u->canonical_nans = o->canonical_nans || u->lazy; // the interpreter's are
    u->precise_traps = o->traps == WASMX_TRAPS_PRECISE;
    u->profiling.generate = o->profile_generate && !u->lazy;
    u->profiling.use = o->profile && !u->lazy;
#ifndef NDEBUG
    u->verify = true;
#endif
    const char *file = o->file ? o->file : "module", *base = strrchr(file, '/');
    base = base ? base + 1 : file;
    wx_name stem = {base, (uint32_t)strcspn(base, ".")};
    u->name = o->name ? wx_arena_str(&u->arena, o->name, strlen(o->name)) : wx_module_c_name(&u->arena, stem);
}

static int by_root_and_path(const void *a, const void *b) {
    const wasmx_embed *x = a, *y = b;
    int order = strcmp(x->root, y->root);
    return order ? order : strcmp(x->path, y->path);
}

// Nothing empty, no "." and no "..".
static bool is_plain_path(const char *path) {
    for (const char *at = path;; at++) {
        size_t n = strcspn(at, "/");
        if (!n || (n <= 2 && !memcmp(at, "..", n))) return false;
        at += n;
        if (!*at) return true;
    }
}

// Another file has the name of a directory of this one.
static bool has_file_above(const wasmx_embed *all, size_t count, const wasmx_embed *x, wx_arena *arena) {
    char *path = wx_arena_printf(arena, "%s", x->path);
    for (char *slash; (slash = strrchr(path, '/'));) {
        *slash = 0;
        wasmx_embed above = {.root = x->root, .path = path};
        if (bsearch(&above, all, count, sizeof *all, by_root_and_path)) return true;
    }
    return false;
}

// The embedded files in the order of the descriptor.
static bool sort_embeds(wx_unit *u, wx_error *e) {
    const wasmx_compile_options *o = u->options;
    wasmx_embed *all = WX_NEW_ARRAY(&u->arena, wasmx_embed, o->embed_count + 1);
    u->embeds = all;
    if (!o->embed_count) return true;
    memcpy(all, o->embeds, o->embed_count * sizeof *all);
    qsort(all, o->embed_count, sizeof *all, by_root_and_path);
    for (size_t i = 0; i < o->embed_count; i++) {
        if (!*all[i].root || !is_plain_path(all[i].path))
            return wx_fail(e, WX_ERR_USAGE, "'%s' cannot be embedded under that name", all[i].path);
        bool again = i && !by_root_and_path(&all[i - 1], &all[i]);
        if (again || has_file_above(all, o->embed_count, &all[i], &u->arena))
            return wx_fail(e, WX_ERR_USAGE, "'%s' is embedded twice", all[i].path);
    }
    return true;
}

static bool check_options(const wasmx_compile_options *o, wx_error *e) {
    char level = o->opt_level ? o->opt_level : '2';
    if (!strchr("0123s", level)) return wx_fail(e, WX_ERR_USAGE, "no optimisation level '%c'; 0, 1, 2, 3 or s", level);
    if (o->profile && o->profile_generate)
        return wx_fail(e, WX_ERR_USAGE, "what is compiled by a profile is not what a profile is made of: "
                       "--profile-generate or --profile-use");
    if (!o->name) return true;
    wx_arena scratch = {0};
    bool ok = !strcmp(wx_c_name(&scratch, (wx_name){o->name, (uint32_t)strlen(o->name)}), o->name);
    wx_arena_free(&scratch);
    if (!ok) return wx_fail(e, WX_ERR_USAGE, "'%s' is not a C identifier", o->name);
    return !wx_is_word(o->name) || wx_fail(e, WX_ERR_USAGE, "'%s' is a word of C or C++", o->name);
}

static bool read_module(wx_job *j, const uint8_t *bytes, size_t size, wx_error *e) {
    const wasmx_compile_options *o = j->u.options;
    if (j->given) {
        j->m = *j->given;
        return true;
    }
    if (!wx_is_binary(bytes, size) && size && bytes[0] != 0) {
        if (!wx_text_to_binary(o->file ? o->file : "module", (const char *)bytes, size, &j->binary, e)) return false;
        bytes = j->binary.data;
        size = j->binary.len;
    }
    unsigned threads = o->threads ? o->threads : wx_cpus();
    if (!j->u.lazy) wx_sha256(bytes, size, j->u.sha256);
    if (!wx_module_decode(&j->m, bytes, size, e)) return false;
    wx_phase_since(j, "decode", size);
    if (!wx_module_validate(&j->m, threads, e)) return false;
    wx_phase_since(j, "validate", size);
    return true;
}

static bool has_nul(wx_name n) { return n.len && memchr(n.ptr, 0, n.len); }

// Names of imports are C strings in the descriptor.
static bool check_names(const wx_module *m, wx_error *e) {
    for (uint32_t i = 0; i < m->import_count; i++)
        if (has_nul(m->imports[i].module) || has_nul(m->imports[i].field))
            return wx_fail(e, WX_ERR_UNSUPPORTED, "an import's name holds a NUL character");
    return true;
}

static bool prepare(wx_job *j, wx_error *e) {
    wx_unit *u = &j->u;
    u->m = &j->m;
    if (!check_names(u->m, e) || !wx_find_facts(u, e)) return false;
    wx_lay_out_objects(u);
    wx_make_image(u);
    if (!wx_make_layout(u, e)) return false;
    wx_find_idioms(u);
    wx_name_exports(u);
    if (wants_listing(u)) {
        u->part_count = 1;
        u->cuts[1] = u->live_count;
    }
    wx_phase_since(j, "facts", u->image.bytes.len);
    return true;
}

bool wx_job_open(wx_job *j, const uint8_t *bytes, size_t size, const wasmx_compile_options *options, wx_error *e) {
    j->started = wx_seconds();
    if (!check_options(options, e)) return false;
    set_options(&j->u, options);
    return sort_embeds(&j->u, e) && wx_choose_target(&j->u, e) && read_module(j, bytes, size, e) && prepare(j, e);
}

void wx_job_close(wx_job *j) {
    for (uint32_t i = 0; j->u.image.runs && i < j->m.memory_count; i++) free(j->u.image.runs[i]);
    wx_free_profiling(&j->u);
    wx_buf_free(&j->u.image.bytes);
    wx_buf_free(&j->binary);
    wx_arena_free(&j->u.arena);
    if (!j->given) wx_module_free(&j->m);
}

void wx_job_error(const wx_error *e, const wasmx_compile_options *options, wasmx_compile_error *err) {
    if (e->code == WX_ERR_USAGE) snprintf(err->line, sizeof err->line, "%s", e->msg);
    else wx_error_line(e, options->file ? options->file : "module", err->line, sizeof err->line);
}
