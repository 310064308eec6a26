// compiler/profile_match.c: what a profile says of the functions of this module.
//
// in: a profile of this module, or of an earlier or later build of it   out: u->profiling
// A function is known by the hash of its body; of several equal ones it is the one of its name, or of its index. What
// the profile says of places that do not exist is left out, and said in the note.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/profile.h"

#define NOT_HERE UINT32_MAX

typedef struct match {
    wx_unit *u;
    wx_profile *p;
    wx_map by_name, by_index, by_hash; // to a function of the profile, counted from 1
    uint32_t *here;                    // per function of the profile: which it is in this module, or NOT_HERE
    uint64_t lost_places;
} match;

static uint64_t name_key(uint64_t hash, wx_name name) { return wx_hash64(name.ptr, name.len, hash) | 1; }
static uint64_t index_key(uint64_t hash, uint32_t index) { return wx_hash64(&index, sizeof index, hash) | 1; }

static void put(wx_map *map, uint64_t key, uint32_t which) {
    int fresh;
    uint64_t *value = wx_map_put(map, key, &fresh);
    if (fresh) *value = which + 1;
}

static void index_profile(match *m) {
    for (uint32_t i = 0; i < m->p->count; i++) {
        const wx_profile_func *f = &m->p->funcs[i];
        if (f->name.len) put(&m->by_name, name_key(f->hash, f->name), i);
        put(&m->by_index, index_key(f->hash, f->index), i);
        put(&m->by_hash, f->hash | 1, i);
    }
}

// What the runtime knew of a name.
static wx_name c_name(wx_name n) {
    const char *nul = n.len ? memchr(n.ptr, 0, n.len) : NULL;
    return nul ? (wx_name){n.ptr, (uint32_t)(nul - n.ptr)} : n;
}

// A function of the profile, counted from 1; 0: none.
static uint32_t find(match *m, uint32_t func) {
    const wx_func *f = &m->u->m->funcs[func];
    uint64_t hash = wx_body_hash(f), *found = NULL;
    wx_name name = c_name(f->name);
    if (name.len) found = wx_map_get(&m->by_name, name_key(hash, name));
    if (!found) found = wx_map_get(&m->by_index, index_key(hash, func));
    if (!found) found = wx_map_get(&m->by_hash, hash | 1);
    return found && m->p->funcs[*found - 1].hash == hash ? (uint32_t)*found : 0;
}

// ---- Sites

static uint32_t target_here(const match *m, uint32_t index) {
    uint32_t low = 0, high = m->p->count;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (m->p->funcs[mid].index < index) low = mid + 1;
        else high = mid;
    }
    return low < m->p->count && m->p->funcs[low].index == index ? m->here[low] : NOT_HERE;
}

// Counters that the site has not are dropped, and functions get the index they have here.
static void adapt_counts(match *m, wx_site *site, uint64_t words) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < site->count; i++) {
        wx_count c = site->counts[i];
        if (site->kind == WXRT_SITE_TARGETS) c.which = c.which == UINT32_MAX ? NOT_HERE : target_here(m, c.which);
        else if (c.which >= words) continue;
        site->counts[kept++] = c;
    }
    m->lost_places += site->count - kept;
    site->count = kept;
}

typedef struct walk { match *m; wx_profile_func *from; uint32_t next, kept; } walk;

static void meet(walk *w, uint64_t at, wxrt_site kind, uint64_t words) {
    wx_profile_func *f = w->from;
    for (; w->next < f->site_count && f->sites[w->next].at <= at; w->next++) {
        wx_site *site = &f->sites[w->next];
        if (site->at != at || site->kind != kind) continue;
        adapt_counts(w->m, site, words);
        f->sites[w->kept++] = *site;
    }
}

static void adapt_sites(match *m, uint32_t func, wx_profile_func *from) {
    const wx_func *f = &m->u->m->funcs[func];
    walk w = {m, from, 0, 0};
    wx_error none = {0};
    wx_reader r = wx_reader_make(f->code, &none);
    wx_skip_locals(&r);
    meet(&w, 0, WXRT_SITE_ENTRY, 1);
    for (wx_instr in; !wx_reader_done(&r);) {
        wxrt_site kind;
        wx_instr_read(&r, &in);
        uint64_t words = wx_site_words(&in, &kind);
        if (words) meet(&w, in.at - f->code.offset, kind, words);
    }
    m->lost_places += from->site_count - w.kept;
    from->site_count = w.kept;
}

// ---- The whole

static uint64_t count_at(const wx_site *s, uint32_t which) {
    for (uint32_t i = 0; i < s->count; i++)
        if (s->counts[i].which == which) return s->counts[i].count;
    return 0;
}

// Functions of one body can share what the profile says of one of them.
static void take(match *m, uint32_t func, const wx_profile_func *from) {
    wx_func_profile *to = &m->u->profiling.funcs[func];
    *to = (wx_func_profile){.counter = to->counter, .known = true, .site_count = from->site_count};
    to->sites = from->sites;
    if (from->site_count && from->sites[0].kind == WXRT_SITE_ENTRY) to->entries = count_at(&from->sites[0], 0);
    for (uint32_t i = 0; i < from->site_count; i++)
        for (uint32_t k = 0; k < from->sites[i].count; k++)
            if (from->sites[i].counts[k].count > to->peak) to->peak = from->sites[i].counts[k].count;
}

static int descending(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x > y ? -1 : x < y;
}

// For LLVM's summary, which asks how many counters make up which part of the whole.
static void list_totals(match *m) {
    wx_profiling *p = &m->u->profiling;
    size_t n = 0;
    for (uint32_t i = 0; i < m->p->count; i++)
        for (uint32_t k = 0; k < m->p->funcs[i].site_count; k++) n += m->p->funcs[i].sites[k].count;
    p->totals = WX_NEW_ARRAY(&m->u->arena, uint64_t, n + 1);
    for (uint32_t i = 0; i < m->p->count; i++)
        for (uint32_t k = 0; k < m->p->funcs[i].site_count; k++) {
            const wx_site *s = &m->p->funcs[i].sites[k];
            for (uint32_t c = 0; s->kind != WXRT_SITE_TARGETS && c < s->count; c++)
                p->totals[p->total_count++] = s->counts[c].count;
        }
    if (p->total_count) qsort(p->totals, p->total_count, sizeof *p->totals, descending);
}

static void write_note(match *m, const uint32_t *found) {
    uint32_t ran = 0, lost = 0;
    char *out = m->u->profiling.note;
    size_t room = sizeof m->u->profiling.note;
    for (uint32_t i = 0; i < m->p->count; i++) {
        bool it_ran = m->p->funcs[i].peak > 0;
        ran += it_ran;
        lost += it_ran && !found[i];
    }
    if (lost && lost == ran)
        snprintf(out, room, "the profile is of another module: none of its functions is in this one");
    else if (lost)
        snprintf(out, room, "%u of the %u functions that ran in the profile are not in the module", lost, ran);
    else if (m->lost_places)
        snprintf(out, room, "%llu counts of the profile are of places that do not exist",
                 (unsigned long long)m->lost_places);
}

static void match_all(match *m) {
    wx_unit *u = m->u;
    uint32_t *of = WX_NEW_ARRAY(&u->arena, uint32_t, u->live_count);
    uint32_t *found = WX_NEW_ARRAY(&u->arena, uint32_t, m->p->count);
    m->here = WX_NEW_ARRAY(&u->arena, uint32_t, m->p->count);
    memset(m->here, 0xff, m->p->count * sizeof *m->here);
    for (uint32_t i = 0; i < u->live_count; i++) {
        if (!(of[i] = find(m, u->live[i]))) continue;
        if (!found[of[i] - 1]++) m->here[of[i] - 1] = u->live[i];
    }
    for (uint32_t i = 0; i < m->p->count; i++)
        if (found[i]) adapt_sites(m, m->here[i], &m->p->funcs[i]);
    for (uint32_t i = 0; i < u->live_count; i++)
        if (of[i]) take(m, u->live[i], &m->p->funcs[of[i] - 1]);
    list_totals(m);
    write_note(m, found);
}

// ---- Where functions are in constant tables

static uint64_t place_key(uint32_t table, uint32_t func) { return ((uint64_t)table << 32 | func) + 1; }

// The index counts from 1; 0: there are several.
static void find_places(wx_unit *u) {
    for (uint32_t i = 0; i < u->m->table_count; i++) {
        const wx_table_facts *t = &u->facts.tables[i];
        for (uint64_t k = 0; t->constant && k < u->m->tables[i].limits.min; k++) {
            if (t->image[k] == UINT32_MAX) continue;
            int fresh;
            uint64_t *place = wx_map_put(&u->profiling.places, place_key(i, t->image[k]), &fresh);
            *place = fresh ? k + 1 : 0;
        }
    }
}

bool wx_index_in_table(const wx_unit *u, uint32_t table, uint32_t func, uint32_t *index) {
    const uint64_t *place = wx_map_get(&u->profiling.places, place_key(table, func));
    *index = place ? (uint32_t)(*place - 1) : 0;
    return place && *place && *place <= UINT32_MAX;
}

bool wx_match_profile(wx_unit *u, wx_error *e) {
    const wasmx_compile_options *o = u->options;
    match m = {.u = u, .p = u->profiling.kept = wx_xcalloc(1, sizeof(wx_profile))};
    bool ok = wx_profile_read(m.p, o->profile_file ? o->profile_file : "profile", o->profile, o->profile_size, e);
    if (ok) {
        index_profile(&m);
        match_all(&m);
        find_places(u);
    }
    wx_map_free(&m.by_name);
    wx_map_free(&m.by_index);
    wx_map_free(&m.by_hash);
    return ok;
}

void wx_free_profiling(wx_unit *u) {
    wx_map_free(&u->profiling.places);
    wx_buf_free(&u->profiling.site_table);
    if (u->profiling.kept) wx_profile_free(u->profiling.kept);
    free(u->profiling.kept);
}
