// sha256: the hash of a large buffer, and many hashes of small ones. The constants are computed.
#include "bench.h"

enum { SIZE = 16 << 20 };
static uint8_t data[SIZE];
static uint32_t round_constant[64], initial[8];

// First 32 bits of the fraction of the square or cube root, by halving.
static uint32_t fraction(uint32_t n, int cube) {
    double low = 1, high = n;
    for (int i = 0; i < 80; i++) {
        double middle = (low + high) / 2, power = cube ? middle * middle * middle : middle * middle;
        if (power <= n) low = middle;
        else high = middle;
    }
    return (uint32_t)(uint64_t)(low * 4294967296.0);
}

static void prepare(void) {
    int found = 0;
    for (uint32_t n = 2; found < 64; n++) {
        uint32_t d = 2;
        while (d * d <= n && n % d) d++;
        if (d * d <= n) continue;
        if (found < 8) initial[found] = fraction(n, 0);
        round_constant[found++] = fraction(n, 1);
    }
    for (int i = 0; i < SIZE; i++) data[i] = (uint8_t)rng();
}

static inline uint32_t ror(uint32_t x, int n) { return x >> n | x << (32 - n); }
static inline uint32_t big_endian(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void block(uint32_t state[8], const uint8_t *p) {
    uint32_t w[64], s[8];
    for (int i = 0; i < 16; i++) w[i] = big_endian(p + 4 * i);
    for (int i = 16; i < 64; i++) {
        uint32_t x = w[i - 15], y = w[i - 2];
        w[i] = w[i - 16] + (ror(x, 7) ^ ror(x, 18) ^ x >> 3) + w[i - 7] + (ror(y, 17) ^ ror(y, 19) ^ y >> 10);
    }
    for (int i = 0; i < 8; i++) s[i] = state[i];
    for (int i = 0; i < 64; i++) {
        uint32_t e = s[4], a = s[0];
        uint32_t t = s[7] + (ror(e, 6) ^ ror(e, 11) ^ ror(e, 25)) + ((e & s[5]) ^ (~e & s[6]))
                     + round_constant[i] + w[i];
        uint32_t u = (ror(a, 2) ^ ror(a, 13) ^ ror(a, 22)) + ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));
        s[7] = s[6], s[6] = s[5], s[5] = s[4], s[4] = s[3] + t, s[3] = s[2], s[2] = s[1], s[1] = s[0], s[0] = t + u;
    }
    for (int i = 0; i < 8; i++) state[i] += s[i];
}

// Whole blocks only, then one with the length.
static uint64_t hash(const uint8_t *p, uint32_t size) {
    uint32_t state[8];
    for (int i = 0; i < 8; i++) state[i] = initial[i];
    for (uint32_t at = 0; at < size; at += 64) block(state, p + at);
    uint8_t last[64] = {0x80};
    uint64_t bits = (uint64_t)size * 8;
    for (int i = 0; i < 8; i++) last[63 - i] = (uint8_t)(bits >> (8 * i));
    block(state, last);
    return (uint64_t)state[0] << 32 | state[7];
}

static uint64_t work(void) {
    uint64_t sum = hash(data, SIZE);
    for (uint32_t at = 0; at < SIZE / 2; at += 128) sum = sum * 31 + hash(data + at, 128);
    return sum;
}
