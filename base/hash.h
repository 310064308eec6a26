// base/hash.h: SHA-256 (FIPS 180-4) and a small hash map from 64-bit keys.
#pragma once
#include <stddef.h>
#include <stdint.h>

void wx_sha256(const void *data, size_t len, uint8_t out[32]);

// FNV-1a, for hash tables and the ABI hash; not for anything an attacker may choose to collide.
uint64_t wx_hash64(const void *data, size_t len, uint64_t seed);

// Keys are any 64-bit value but 0; values any 64-bit value. Starts as all zeros, ended by wx_map_free.
typedef struct wx_map {
    struct { uint64_t key, value; } *slots;
    uint32_t len, cap; // cap is 0 or a power of two
} wx_map;

// The value's place, or NULL when the key is absent. Valid until the next wx_map_put.
uint64_t *wx_map_get(const wx_map *m, uint64_t key);
// The value's place; a new key starts with value 0 and sets *added (may be NULL).
uint64_t *wx_map_put(wx_map *m, uint64_t key, int *added);
void wx_map_clear(wx_map *m);
void wx_map_free(wx_map *m);
