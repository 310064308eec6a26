// compiler/profile.h: profiles as files and as data, and which places of a body are counted.
#pragma once
#include "compiler/unit.h"

typedef struct wx_profile_func {
    uint32_t index;   // in the module the profile is of
    uint64_t hash;    // of its body: wx_hash64
    wx_name name;
    wx_site *sites;   // ascending, offset first, then kind; counts of functions say index
    uint32_t site_count, site_cap;
    uint64_t peak;    // the largest count
} wx_profile_func;

typedef struct wx_profile { // starts as all zeros, ended by wx_profile_free
    wx_arena arena;
    uint8_t sha256[32]; // of the module
    wx_name module;
    wx_profile_func *funcs; // by ascending index
    uint32_t count, cap;
} wx_profile;

// Reads a file (runtime/profile.c says what it looks like). False with *e (WX_ERR_USAGE), "FILE: line 3: ..."
bool wx_profile_read(wx_profile *p, const char *file, const void *bytes, size_t size, wx_error *e);
// Adds from's counts to p's, which is of the same module or empty. False with *e (WX_ERR_USAGE).
bool wx_profile_add(wx_profile *p, const wx_profile *from, const char *file, wx_error *e);
void wx_profile_write(const wx_profile *p, wx_buf *out);
void wx_profile_free(wx_profile *p);
const char *wx_site_name(wxrt_site kind); // "switch"

static inline uint64_t wx_add_saturating(uint64_t a, uint64_t b) { return a + b < a ? UINT64_MAX : a + b; }

// How many counters an instruction has, 0: it is no site.
uint64_t wx_site_words(const wx_instr *in, wxrt_site *kind);
uint64_t wx_body_hash(const wx_func *f);
