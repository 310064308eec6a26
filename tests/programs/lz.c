// tests/programs/lz.c: a compressor: LZ77 with hash chains, its tokens Huffman-coded; and back again.
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"

// Symbols: 0-255 literal, 256 end, 257 + n a match of 3 + n bytes, whose distance follows in 16 plain bits.
enum { END = 256, MATCH = 257, MIN_MATCH = 3, MAX_MATCH = 66, SYMBOLS = MATCH + MAX_MATCH - MIN_MATCH + 1 };
enum { WINDOW = 1 << 16, HASH_BITS = 15, CHAIN = 48, MAX_CODE = 15 };

struct token {
    uint16_t symbol, distance;
};

static void *need(size_t size) {
    void *p = malloc(size);
    return p ? p : (abort(), NULL);
}

// ---- matching

static uint32_t hash3(const uint8_t *p) {
    return ((uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2]) * 2654435761u >> (32 - HASH_BITS);
}

static int match_length(const uint8_t *a, const uint8_t *b, int limit) {
    int n = 0;
    while (n < limit && a[n] == b[n]) n++;
    return n;
}

struct matcher {
    const uint8_t *data;
    int32_t len, head[1 << HASH_BITS], *previous;
};

static int longest(const struct matcher *m, int32_t at, int32_t *distance) {
    int best = MIN_MATCH - 1, limit = m->len - at < MAX_MATCH ? m->len - at : MAX_MATCH;
    int32_t candidate = m->head[hash3(m->data + at)];
    for (int i = 0; i < CHAIN && candidate >= 0 && at - candidate < WINDOW; i++, candidate = m->previous[candidate]) {
        int n = match_length(m->data + candidate, m->data + at, limit);
        if (n > best) best = n, *distance = at - candidate;
        if (best == limit) break;
    }
    return best;
}

static void remember(struct matcher *m, int32_t at) {
    if (at + MIN_MATCH > m->len) return;
    uint32_t h = hash3(m->data + at);
    m->previous[at] = m->head[h];
    m->head[h] = at;
}

static size_t tokenize(const uint8_t *data, int32_t len, struct token *out) {
    struct matcher *m = need(sizeof *m);
    size_t n = 0;
    m->data = data, m->len = len, m->previous = need((size_t)len * sizeof *m->previous + 4);
    memset(m->head, 0xff, sizeof m->head);
    for (int32_t at = 0; at < len;) {
        int32_t distance = 0;
        int best = at + MIN_MATCH <= len ? longest(m, at, &distance) : 0;
        int step = best >= MIN_MATCH ? best : 1;
        if (step > 1) out[n++] = (struct token){(uint16_t)(MATCH + best - MIN_MATCH), (uint16_t)distance};
        else out[n++] = (struct token){data[at], 0};
        while (step--) remember(m, at++);
    }
    out[n++] = (struct token){END, 0};
    free(m->previous);
    free(m);
    return n;
}

// ---- Huffman codes: lengths by repeated merging, halving the counts until none is too long

static bool code_lengths(uint32_t *count, uint8_t *length) {
    int parent[2 * SYMBOLS], nodes = SYMBOLS, alive = 0;
    uint64_t weight[2 * SYMBOLS];
    bool used[2 * SYMBOLS];
    for (int i = 0; i < SYMBOLS; i++) weight[i] = count[i], used[i] = !count[i], alive += !used[i], parent[i] = -1;
    for (; alive > 1; alive--) {
        int pick[2];
        for (int k = 0; k < 2; k++) {
            int low = -1;
            for (int i = 0; i < nodes; i++)
                if (!used[i] && (low < 0 || weight[i] < weight[low])) low = i;
            used[low] = true, pick[k] = low;
        }
        weight[nodes] = weight[pick[0]] + weight[pick[1]];
        used[nodes] = false, parent[nodes] = -1;
        parent[pick[0]] = parent[pick[1]] = nodes++;
    }
    for (int i = 0; i < SYMBOLS; i++) {
        int depth = 0;
        for (int p = i; parent[p] >= 0; p = parent[p]) depth++;
        if (depth > MAX_CODE) return false;
        length[i] = (uint8_t)(count[i] && !depth ? 1 : depth);
    }
    return true;
}

struct codes {
    uint8_t length[SYMBOLS];
    uint16_t code[SYMBOLS];        // canonical, read from the top bit
    uint16_t first[MAX_CODE + 2];  // first code of a length
    uint16_t offset[MAX_CODE + 2]; // where its symbols start in `sorted`
    uint16_t sorted[SYMBOLS];
};

static void assign(struct codes *c) {
    int n = 0, code = 0;
    for (int bits = 1; bits <= MAX_CODE; bits++, code <<= 1) {
        c->first[bits] = (uint16_t)code, c->offset[bits] = (uint16_t)n;
        for (int i = 0; i < SYMBOLS; i++)
            if (c->length[i] == bits) c->code[i] = (uint16_t)code++, c->sorted[n++] = (uint16_t)i;
    }
    c->offset[MAX_CODE + 1] = (uint16_t)n;
}

// ---- bits

struct bits {
    uint8_t *p;
    size_t at;
    uint64_t hold;
    int held;
};

static void put_bits(struct bits *b, uint32_t value, int n) {
    b->hold = b->hold << n | value, b->held += n;
    for (; b->held >= 8; b->held -= 8) b->p[b->at++] = (uint8_t)(b->hold >> (b->held - 8));
}

static uint32_t get_bits(struct bits *b, int n) {
    for (; b->held < n; b->held += 8) b->hold = b->hold << 8 | b->p[b->at++];
    b->held -= n;
    return (uint32_t)(b->hold >> b->held & ((1u << n) - 1));
}

static uint32_t get_symbol(struct bits *b, const struct codes *c) {
    uint32_t code = 0;
    for (int n = 1; n <= MAX_CODE; n++) {
        code = code << 1 | get_bits(b, 1);
        uint32_t index = code - c->first[n];
        if (code >= c->first[n] && index < (uint32_t)(c->offset[n + 1] - c->offset[n]))
            return c->sorted[c->offset[n] + index];
    }
    return END;
}

// ---- both ways

static size_t compress(const uint8_t *data, size_t len, uint8_t *out) {
    struct token *tokens = need((len + 1) * sizeof *tokens);
    size_t n = tokenize(data, (int32_t)len, tokens);
    uint32_t count[SYMBOLS] = {0};
    struct codes c = {0};
    struct bits b = {.p = out};
    for (size_t i = 0; i < n; i++) count[tokens[i].symbol]++;
    while (!code_lengths(count, c.length))
        for (int i = 0; i < SYMBOLS; i++) count[i] = (count[i] + 1) / 2;
    assign(&c);
    for (int i = 0; i < SYMBOLS; i++) put_bits(&b, c.length[i], 4);
    for (size_t i = 0; i < n; i++) {
        put_bits(&b, c.code[tokens[i].symbol], c.length[tokens[i].symbol]);
        if (tokens[i].symbol >= MATCH) put_bits(&b, tokens[i].distance, 16);
    }
    put_bits(&b, 0, 7);
    free(tokens);
    return b.at;
}

static size_t expand(uint8_t *data, uint8_t *out, size_t cap) {
    struct codes c = {0};
    struct bits b = {.p = data};
    size_t len = 0;
    for (int i = 0; i < SYMBOLS; i++) c.length[i] = (uint8_t)get_bits(&b, 4);
    assign(&c);
    for (uint32_t s; (s = get_symbol(&b, &c)) != END;) {
        if (s < END) {
            if (len == cap) return 0;
            out[len++] = (uint8_t)s;
            continue;
        }
        size_t n = s - MATCH + MIN_MATCH, distance = get_bits(&b, 16);
        if (!distance || distance > len || n > cap - len) return 0;
        for (; n; n--, len++) out[len] = out[len - distance];
    }
    return len;
}

// ---- what is compressed

static void fill_words(uint8_t *p, size_t len, uint64_t *rng) {
    char words[300][12];
    for (int i = 0; i < 300; i++) {
        int n = 2 + (int)rng_below(rng, 9);
        for (int k = 0; k < n; k++) words[i][k] = (char)('a' + rng_below(rng, 26));
        words[i][n] = 0;
    }
    for (size_t at = 0; at < len;) {
        uint32_t pick = rng_below(rng, 300);
        for (const char *w = words[pick * pick / 300]; *w && at < len; w++) p[at++] = (uint8_t)*w;
        if (at < len) p[at++] = rng_below(rng, 12) ? ' ' : '\n';
    }
}

static void fill_random(uint8_t *p, size_t len, uint64_t *rng) {
    for (size_t i = 0; i < len; i++) p[i] = (uint8_t)rng_next(rng);
}

static void fill_runs(uint8_t *p, size_t len, uint64_t *rng) {
    for (size_t at = 0; at < len;) {
        uint8_t byte = (uint8_t)rng_below(rng, 4);
        for (uint32_t n = 1 + rng_below(rng, 900); n && at < len; n--) p[at++] = byte;
    }
}

static void fill_table(uint8_t *p, size_t len, uint64_t *rng) {
    for (size_t i = 0; i + 8 <= len; i += 8) {
        uint32_t row[2] = {(uint32_t)(i / 8 * 3), 100 + rng_below(rng, 16)};
        memcpy(p + i, row, 8);
    }
}

int main(void) {
    static const struct {
        const char *name;
        void (*fill)(uint8_t *, size_t, uint64_t *);
        size_t len;
    } cases[] = {{"words", fill_words, 1000000}, {"random", fill_random, 200000}, {"runs", fill_runs, 1000000},
                 {"table", fill_table, 400000},  {"one", fill_random, 1},         {"none", fill_random, 0}};
    uint64_t rng = 99;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t len = cases[i].len, room = len * 2 + 1024;
        uint8_t *data = calloc(1, len + 1), *packed = calloc(1, room), *back = calloc(1, len + 1);
        cases[i].fill(data, len, &rng);
        size_t packed_len = compress(data, len, packed), back_len = expand(packed, back, len);
        printf("%-6s %7u -> %7u, sum %016llx, %s\n", cases[i].name, (unsigned)len, (unsigned)packed_len,
               (unsigned long long)sum_bytes(SUM_START, packed, packed_len),
               back_len == len && !memcmp(data, back, len) ? "same" : "DIFFERENT");
        free(data), free(packed), free(back);
    }
    return 0;
}
