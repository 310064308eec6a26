// lz: a byte-oriented Lempel-Ziv packer with hash chains, and its unpacker.
//
// packed: a byte n < 128: n + 1 literal bytes follow; n >= 128: a match of n - 128 + 4 bytes, two bytes of distance.
#include "bench.h"

enum { SIZE = 3 << 20, WINDOW = 65535, HASH = 1 << 15, TRIES = 12, SHORTEST = 4, LONGEST = 127 + SHORTEST };
static uint8_t text[SIZE], packed[SIZE + SIZE / 64], back[SIZE];
static int32_t head[HASH], chain[SIZE];

// Words of a small invented vocabulary, some of them misspelt.
static void prepare(void) {
    static uint8_t words[512][12];
    for (int i = 0; i < 512; i++) {
        int n = 3 + (int)rng_below(8);
        for (int k = 0; k < n; k++) words[i][k] = (uint8_t)('a' + rng_below(26));
    }
    for (uint32_t at = 0; at < SIZE;) {
        const uint8_t *word = words[rng_below(32) * rng_below(16)];
        for (; *word && at < SIZE; word++) text[at++] = rng_below(50) ? *word : (uint8_t)rng();
        if (at < SIZE) text[at++] = ' ';
    }
}

static inline uint32_t hash_at(int32_t at) {
    uint32_t four = text[at] | (uint32_t)text[at + 1] << 8 |
                    (uint32_t)text[at + 2] << 16 | (uint32_t)text[at + 3] << 24;
    return four * 2654435761u >> 17;
}

static int common(int32_t a, int32_t b) {
    int n = 0, most = SIZE - b < LONGEST ? SIZE - b : LONGEST;
    while (n < most && text[a + n] == text[b + n]) n++;
    return n;
}

static int longest_match(int32_t at, int32_t *from) {
    int best = 0;
    int32_t old = head[hash_at(at)];
    for (int i = 0; i < TRIES && old >= 0 && at - old <= WINDOW; i++, old = chain[old]) {
        int n = common(old, at);
        if (n > best) best = n, *from = old;
    }
    return best;
}

static void remember(int32_t at) {
    if (at + SHORTEST > SIZE) return;
    uint32_t h = hash_at(at);
    chain[at] = head[h];
    head[h] = at;
}

static uint32_t put_literals(uint32_t out, int32_t from, int32_t to) {
    while (from < to) {
        int n = to - from < 128 ? to - from : 128;
        packed[out++] = (uint8_t)(n - 1);
        for (int i = 0; i < n; i++) packed[out++] = text[from++];
    }
    return out;
}

static uint32_t pack(void) {
    uint32_t out = 0;
    int32_t done = 0, at = 0;
    for (int i = 0; i < HASH; i++) head[i] = -1;
    while (at < SIZE) {
        int32_t from = 0;
        int n = at + SHORTEST <= SIZE ? longest_match(at, &from) : 0;
        if (n < SHORTEST) { remember(at++); continue; }
        out = put_literals(out, done, at);
        packed[out++] = (uint8_t)(128 + n - SHORTEST);
        packed[out++] = (uint8_t)(at - from);
        packed[out++] = (uint8_t)((at - from) >> 8);
        for (int i = 0; i < n; i++) remember(at++);
        done = at;
    }
    return put_literals(out, done, at);
}

static void unpack(uint32_t size) {
    uint32_t out = 0;
    for (uint32_t in = 0; in < size;) {
        uint32_t n = packed[in++];
        if (n < 128) {
            for (n++; n; n--) back[out++] = packed[in++];
            continue;
        }
        uint32_t distance = packed[in] | (uint32_t)packed[in + 1] << 8;
        in += 2;
        for (n = n - 128 + SHORTEST; n; n--, out++) back[out] = back[out - distance];
    }
}

static uint64_t work(void) {
    uint32_t size = pack();
    for (int i = 0; i < 16; i++) unpack(size);
    return sum_bytes(packed, size) + sum_bytes(back, SIZE);
}
