// aes: AES-128 in counter mode by four tables of words. The tables are computed.
#include "bench.h"

enum { SIZE = 40 << 20 };
static uint8_t sbox[256], data[SIZE];
static uint32_t table[4][256], key[44];

static uint8_t twice(uint8_t x) { return (uint8_t)(x << 1 ^ (x & 0x80 ? 0x1b : 0)); }
static uint8_t turn(uint8_t x, int n) { return (uint8_t)(x << n | x >> (8 - n)); }

// p runs through the powers of 3, q through their inverses.
static void make_tables(void) {
    uint8_t p = 1, q = 1;
    do {
        p ^= twice(p);
        q ^= (uint8_t)(q << 1);
        q ^= (uint8_t)(q << 2);
        q ^= (uint8_t)(q << 4);
        if (q & 0x80) q ^= 0x09;
        sbox[p] = (uint8_t)(q ^ turn(q, 1) ^ turn(q, 2) ^ turn(q, 3) ^ turn(q, 4) ^ 0x63);
    } while (p != 1);
    sbox[0] = 0x63;
    for (int i = 0; i < 256; i++) {
        uint32_t s = sbox[i], s2 = twice(sbox[i]), word = s2 << 24 | s << 16 | s << 8 | (s2 ^ s);
        for (int t = 0; t < 4; t++) table[t][i] = t ? word >> (8 * t) | word << (32 - 8 * t) : word;
    }
}

static uint32_t substitute(uint32_t w) {
    return (uint32_t)sbox[w >> 24] << 24 | (uint32_t)sbox[w >> 16 & 255] << 16 |
           (uint32_t)sbox[w >> 8 & 255] << 8 | sbox[w & 255];
}

static void expand_key(void) {
    uint8_t constant = 1;
    for (int i = 0; i < 4; i++) key[i] = rng();
    for (int i = 4; i < 44; i++) {
        uint32_t t = key[i - 1];
        if (i % 4 == 0) t = substitute(t << 8 | t >> 24) ^ (uint32_t)constant << 24, constant = twice(constant);
        key[i] = key[i - 4] ^ t;
    }
}

static void prepare(void) {
    make_tables();
    expand_key();
    for (int i = 0; i < SIZE; i++) data[i] = (uint8_t)rng();
}

static inline uint32_t column(const uint32_t s[4], int i) {
    return table[0][s[i] >> 24] ^ table[1][s[(i + 1) & 3] >> 16 & 255] ^
           table[2][s[(i + 2) & 3] >> 8 & 255] ^ table[3][s[(i + 3) & 3] & 255];
}

static inline uint32_t last_column(const uint32_t s[4], int i) {
    return (uint32_t)sbox[s[i] >> 24] << 24 | (uint32_t)sbox[s[(i + 1) & 3] >> 16 & 255] << 16 |
           (uint32_t)sbox[s[(i + 2) & 3] >> 8 & 255] << 8 | sbox[s[(i + 3) & 3] & 255];
}

static void encrypt(const uint32_t in[4], uint32_t out[4]) {
    uint32_t s[4], t[4];
    for (int i = 0; i < 4; i++) s[i] = in[i] ^ key[i];
    for (int round = 1; round < 10; round++) {
        for (int i = 0; i < 4; i++) t[i] = column(s, i) ^ key[4 * round + i];
        for (int i = 0; i < 4; i++) s[i] = t[i];
    }
    for (int i = 0; i < 4; i++) out[i] = last_column(s, i) ^ key[40 + i];
}

static uint64_t work(void) {
    uint32_t counter[4] = {1, 2, 3, 0}, stream[4];
    for (uint32_t at = 0; at < SIZE; at += 16) {
        counter[3]++;
        encrypt(counter, stream);
        for (int i = 0; i < 16; i++) data[at + (uint32_t)i] ^= (uint8_t)(stream[i / 4] >> (24 - 8 * (i % 4)));
    }
    return sum_bytes(data, SIZE / 8);
}
