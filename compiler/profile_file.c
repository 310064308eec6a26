// compiler/profile_file.c: profiles: text to data, data to text, and the sum of two.
//
// in: what wasmx_profile_write wrote, or anything   The text is hostile: counts saturate, order is demanded where later
// steps rely on it, and memory stays in proportion to the text.
#include "compiler/profile.h"

#include <stdlib.h>
#include <string.h>

static const char letters[] = "elbst"; // by wxrt_site

const char *wx_site_name(wxrt_site kind) {
    static const char *const names[] = {"entry", "loop", "branch", "switch", "targets"};
    return names[kind];
}

void wx_profile_free(wx_profile *p) {
    for (uint32_t i = 0; i < p->count; i++) free(p->funcs[i].sites);
    free(p->funcs);
    wx_arena_free(&p->arena);
    *p = (wx_profile){0};
}

static wx_profile_func *add_func(wx_profile *p) {
    if (p->count == p->cap) {
        p->cap = p->cap ? 2 * p->cap : 64;
        p->funcs = wx_xrealloc(p->funcs, p->cap * sizeof *p->funcs);
    }
    p->funcs[p->count] = (wx_profile_func){0};
    return &p->funcs[p->count++];
}

static wx_site *add_site(wx_profile_func *f) {
    if (f->site_count == f->site_cap) {
        f->site_cap = f->site_cap ? 2 * f->site_cap : 8;
        f->sites = wx_xrealloc(f->sites, f->site_cap * sizeof *f->sites);
    }
    f->sites[f->site_count] = (wx_site){0};
    return &f->sites[f->site_count++];
}

// ---- Reading

typedef struct text {
    const char *at, *end; // of the current line
    const char *rest, *last;
    const char *file;
    uint32_t line;
    wx_profile *p;
    wx_count *counts;     // of the current line
    uint32_t count, cap;
    wx_error *e;
} text;

static bool wrong(text *t, const char *what) {
    return wx_fail(t->e, WX_ERR_USAGE, "%.80s: line %u: %s", t->file, t->line, what);
}

static bool next_line(text *t) {
    if (t->rest == t->last) return false;
    const char *end = memchr(t->rest, '\n', (size_t)(t->last - t->rest));
    t->at = t->rest;
    t->end = end ? end : t->last;
    t->rest = end ? end + 1 : t->last;
    t->line++;
    return true;
}

static bool take(text *t, const char *word) {
    size_t n = strlen(word);
    if ((size_t)(t->end - t->at) < n || memcmp(t->at, word, n)) return false;
    t->at += n;
    return true;
}

// Decimal, and at most `most`: what is more becomes that.
static bool take_number(text *t, uint64_t most, uint64_t *out) {
    const char *start = t->at;
    for (*out = 0; t->at < t->end && *t->at >= '0' && *t->at <= '9'; t->at++) {
        uint64_t digit = (uint64_t)(*t->at - '0');
        *out = *out > (most - digit) / 10 ? most : *out * 10 + digit;
    }
    return t->at > start;
}

static int hex_digit(char c) {
    const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c | 0x20) : NULL;
    return at ? (int)(at - digits) : -1;
}

static bool take_hex(text *t, uint8_t *out, size_t bytes) {
    if ((size_t)(t->end - t->at) < 2 * bytes) return false;
    for (; bytes; bytes--, t->at += 2) {
        int high = hex_digit(t->at[0]), low = hex_digit(t->at[1]);
        if (high < 0 || low < 0) return false;
        *out++ = (uint8_t)(high << 4 | low);
    }
    return true;
}

// The rest of the line, with its %XX.
static wx_name take_name(text *t) {
    char *out = wx_arena_str(&t->p->arena, t->at, (size_t)(t->end - t->at)), *to = out;
    for (uint8_t c; t->at < t->end; *to++ = (char)c) {
        c = (uint8_t)*t->at++;
        if (c == '%' && t->end - t->at >= 2 && hex_digit(t->at[0]) >= 0 && hex_digit(t->at[1]) >= 0) take_hex(t, &c, 1);
    }
    return (wx_name){out, (uint32_t)(to - out)};
}

static bool read_head(text *t) {
    if (!next_line(t) || !take(t, "wasmx-profile ")) {
        t->line = 1;
        return wrong(t, "not a profile");
    }
    if (!take(t, "1") || t->at != t->end) return wrong(t, "a profile of another version");
    if (!next_line(t) || !take(t, "module ") || !take_hex(t, t->p->sha256, 32) || !take(t, " "))
        return wrong(t, "'module', a SHA-256 and a name were expected");
    t->p->module = take_name(t);
    return true;
}

static bool read_func(text *t) {
    uint64_t index;
    uint8_t hash[8];
    if (!take_number(t, UINT32_MAX, &index) || !take(t, " ") || !take_hex(t, hash, 8) || !take(t, " "))
        return wrong(t, "'func', an index, a hash and a name were expected");
    if (index == UINT32_MAX) return wrong(t, "the index is too large");
    if (t->p->count && index <= t->p->funcs[t->p->count - 1].index) return wrong(t, "functions are not in order");
    wx_profile_func *f = add_func(t->p);
    f->index = (uint32_t)index;
    for (int i = 0; i < 8; i++) f->hash = f->hash << 8 | hash[i];
    f->name = take_name(t);
    return true;
}

static bool read_count(text *t) {
    uint64_t which = UINT32_MAX, count;
    if (!take(t, " ") || (!take(t, "*") && !take_number(t, UINT32_MAX, &which)) || !take(t, ":") ||
        !take_number(t, UINT64_MAX, &count))
        return wrong(t, "a counter's number, ':' and a count were expected");
    if (t->count == t->cap) {
        t->cap = t->cap ? 2 * t->cap : 16;
        t->counts = wx_xrealloc(t->counts, t->cap * sizeof *t->counts);
    }
    t->counts[t->count++] = (wx_count){(uint32_t)which, count};
    return true;
}

static int by_which(const void *a, const void *b) {
    const wx_count *x = a, *y = b;
    return x->which < y->which ? -1 : x->which > y->which;
}

// Counts of one number become one, ascending. Returns how many are left.
static uint32_t combine(wx_count *counts, uint32_t n) {
    uint32_t kept = 0;
    if (n) qsort(counts, n, sizeof *counts, by_which);
    for (uint32_t i = 0; i < n; i++) {
        if (kept && counts[kept - 1].which == counts[i].which)
            counts[kept - 1].count = wx_add_saturating(counts[kept - 1].count, counts[i].count);
        else counts[kept++] = counts[i];
    }
    return kept;
}

static void keep_counts(wx_profile *p, wx_profile_func *f, wx_site *site, const wx_count *counts, uint32_t n) {
    site->counts = wx_arena_dup(&p->arena, counts, n * sizeof *counts);
    site->count = n;
    for (uint32_t i = 0; i < n; i++)
        if (counts[i].count > f->peak) f->peak = counts[i].count;
}

static int compare_sites(const wx_site *a, const wx_site *b) {
    if (a->at != b->at) return a->at < b->at ? -1 : 1;
    return a->kind < b->kind ? -1 : a->kind > b->kind;
}

static bool read_site(text *t) {
    const char *letter = t->at < t->end ? memchr(letters, *t->at, sizeof letters - 1) : NULL;
    uint64_t at;
    if (!letter || !t->p->count) return wrong(t, "'func', 'end' or a site of a function was expected");
    wx_profile_func *f = &t->p->funcs[t->p->count - 1];
    wx_site site = {.kind = (wxrt_site)(letter - letters)};
    t->at++;
    if (!take(t, " ") || !take_number(t, UINT32_MAX, &at)) return wrong(t, "an offset was expected");
    site.at = (uint32_t)at;
    if (f->site_count && compare_sites(&f->sites[f->site_count - 1], &site) >= 0)
        return wrong(t, "offsets are not in order");
    for (t->count = 0; t->at < t->end;)
        if (!read_count(t)) return false;
    keep_counts(t->p, f, &site, t->counts, combine(t->counts, t->count));
    *add_site(f) = site;
    return true;
}

bool wx_profile_read(wx_profile *p, const char *file, const void *bytes, size_t size, wx_error *e) {
    text t = {.rest = bytes, .last = (const char *)bytes + size, .file = file, .p = p, .e = e};
    if (!size) return wrong(&t, "not a profile: it is empty");
    bool ok = read_head(&t), ended = false;
    while (ok && !ended && next_line(&t)) {
        if (take(&t, "func ")) ok = read_func(&t);
        else if (take(&t, "end")) ended = true;
        else ok = read_site(&t);
    }
    if (ok && !ended) ok = wrong(&t, "the profile is cut off");
    if (ok && t.rest != t.last) ok = wrong(&t, "something follows the profile's end");
    free(t.counts);
    return ok;
}

// ---- The sum

#define MOST_TARGETS 8 // that are kept of a call; what is less common counts as a call of something else

static int by_count(const void *a, const void *b) {
    const wx_count *x = a, *y = b;
    if (x->count != y->count) return x->count > y->count ? -1 : 1;
    return by_which(a, b);
}

static uint32_t limit_targets(wx_count *counts, uint32_t n) {
    if (n <= MOST_TARGETS) return n;
    qsort(counts, n, sizeof *counts, by_count);
    for (uint32_t i = MOST_TARGETS - 1; i < n; i++) counts[i].which = UINT32_MAX;
    return combine(counts, n);
}

static void add_counts(wx_profile *p, wx_profile_func *f, wx_site *to, const wx_site *from) {
    uint32_t n = to->count + from->count;
    wx_count *all = wx_xmalloc((n + 1) * sizeof *all);
    memcpy(all, to->counts, to->count * sizeof *all);
    memcpy(all + to->count, from->counts, from->count * sizeof *all);
    n = combine(all, n);
    if (to->kind == WXRT_SITE_TARGETS) n = limit_targets(all, n);
    keep_counts(p, f, to, all, n);
    free(all);
}

// Both are in order, and so is the sum.
static void add_sites(wx_profile *p, wx_profile_func *to, const wx_profile_func *from) {
    wx_profile_func sum = {0};
    for (uint32_t a = 0, b = 0; a < to->site_count || b < from->site_count;) {
        int order = a == to->site_count ? 1 : b == from->site_count ? -1 : 0;
        if (!order) order = compare_sites(&to->sites[a], &from->sites[b]);
        const wx_site *site = order > 0 ? &from->sites[b] : &to->sites[a];
        wx_site *out = add_site(&sum);
        *out = (wx_site){.at = site->at, .kind = site->kind};
        keep_counts(p, &sum, out, site->counts, site->count);
        if (!order) add_counts(p, &sum, out, &from->sites[b]);
        a += order <= 0;
        b += order >= 0;
    }
    free(to->sites);
    to->sites = sum.sites;
    to->site_count = sum.site_count;
    to->site_cap = sum.site_cap;
    to->peak = sum.peak;
}

static wx_name copy_name(wx_profile *p, wx_name n) { return (wx_name){wx_arena_str(&p->arena, n.ptr, n.len), n.len}; }

static wx_profile_func copy_func(wx_profile *p, const wx_profile_func *from) {
    wx_profile_func to = {.index = from->index, .hash = from->hash, .name = copy_name(p, from->name)};
    add_sites(p, &to, from);
    return to;
}

bool wx_profile_add(wx_profile *p, const wx_profile *from, const char *file, wx_error *e) {
    wx_profile sum = {0};
    if (!p->module.ptr) {
        memcpy(p->sha256, from->sha256, 32);
        p->module = copy_name(p, from->module);
    } else if (memcmp(p->sha256, from->sha256, 32)) {
        return wx_fail(e, WX_ERR_USAGE, "%.60s: a profile of another module: '%.30s', not '%.30s'", file,
                       from->module.ptr, p->module.ptr);
    }
    for (uint32_t a = 0, b = 0; a < p->count || b < from->count;) {
        wx_profile_func *x = a < p->count ? &p->funcs[a] : NULL;
        const wx_profile_func *y = b < from->count ? &from->funcs[b] : NULL;
        bool first = x && (!y || x->index <= y->index), both = first && y && x->index == y->index;
        if (both && x->hash == y->hash) add_sites(p, x, y);
        *add_func(&sum) = first ? *x : copy_func(p, y);
        a += first;
        b += both || !first;
    }
    free(p->funcs);
    p->funcs = sum.funcs;
    p->count = sum.count;
    p->cap = sum.cap;
    return true;
}

// ---- Writing

static void put_name(wx_buf *out, wx_name n) {
    for (uint32_t i = 0; i < n.len; i++) {
        uint8_t c = (uint8_t)n.ptr[i];
        if (c < 0x20 || c == 0x7f || c == '%') wx_buf_printf(out, "%%%02X", c);
        else wx_buf_byte(out, c);
    }
    wx_buf_byte(out, '\n');
}

static void put_site(wx_buf *out, const wx_site *s) {
    wx_buf_printf(out, "%c %u", letters[s->kind], s->at);
    for (uint32_t i = 0; i < s->count; i++) {
        if (s->counts[i].which == UINT32_MAX) wx_buf_str(out, " *");
        else wx_buf_printf(out, " %u", s->counts[i].which);
        wx_buf_printf(out, ":%llu", (unsigned long long)s->counts[i].count);
    }
    wx_buf_byte(out, '\n');
}

void wx_profile_write(const wx_profile *p, wx_buf *out) {
    wx_buf_str(out, "wasmx-profile 1\nmodule ");
    for (int i = 0; i < 32; i++) wx_buf_printf(out, "%02x", p->sha256[i]);
    wx_buf_byte(out, ' ');
    put_name(out, p->module);
    for (uint32_t i = 0; i < p->count; i++) {
        const wx_profile_func *f = &p->funcs[i];
        wx_buf_printf(out, "func %u %016llx ", f->index, (unsigned long long)f->hash);
        put_name(out, f->name);
        for (uint32_t k = 0; k < f->site_count; k++) put_site(out, &f->sites[k]);
    }
    wx_buf_str(out, "end\n");
}
