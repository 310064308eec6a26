// compiler/cache.h: partitions that were compiled before, in a directory.
//
// An entry's name is the SHA-256 of everything that its code follows from: the LLVM IR of the partition as emitted,
// the settings of the unit, this program and LLVM (by their build IDs). So an entry is never out of date, only unused.
// Several processes may use one directory at the same time: entries appear whole, by rename, and are checked when they
// are read; one that is not what was written counts as missing.
#pragma once
#include "compiler/job.h"

typedef struct wx_cache {
    int dir;            // descriptor
    uint64_t max_bytes; // of all entries
    wx_buf settings;    // what every key begins with
} wx_cache;

typedef struct wx_cache_key { uint8_t bytes[32]; } wx_cache_key;

// Opens or makes options->cache_dir. False (WX_ERR_USAGE) when it cannot be used, or others may write to it:
// what is in it becomes code.
bool wx_cache_open(wx_cache *c, const wx_unit *u, wx_error *e);
// Of a partition that was emitted and nothing else yet.
wx_cache_key wx_cache_key_of(const wx_cache *c, const part *p);
// object and result belong to the caller. Any thread.
bool wx_cache_get(const wx_cache *c, const wx_cache_key *key, wx_buf *object, wx_part_result *result);
// That it cannot be kept is no error. Any thread.
void wx_cache_put(const wx_cache *c, const wx_cache_key *key, const wx_buf *object, const wx_part_result *result);
// Removes the entries that were not used for longest, until the others fit.
void wx_cache_close(wx_cache *c);
