// tests/programs/sha256.c: rotations and wide arithmetic: SHA-256 by pieces (its constants computed, with 128-bit
// integers), SipHash-2-4, CRC-32, and modular powers.
#include <stdio.h>
#include <string.h>

#include "common.h"

// ---- SHA-256

static uint32_t round_constant[64], initial[8];

// The largest r with r^power <= n, for power 2 or 3.
static uint64_t root(unsigned __int128 n, int power) {
    uint64_t r = 0;
    for (int bit = power == 3 ? 40 : 60; bit >= 0; bit--) {
        unsigned __int128 t = r | 1ULL << bit;
        if ((power == 3 ? t * t * t : t * t) <= n) r = (uint64_t)t;
    }
    return r;
}

// Fractional bits of the square and cube roots of the first primes.
static void make_constants(void) {
    int found = 0;
    for (uint32_t n = 2; found < 64; n++) {
        uint32_t d = 2;
        while (d * d <= n && n % d) d++;
        if (d * d <= n) continue;
        if (found < 8) initial[found] = (uint32_t)root((unsigned __int128)n << 64, 2);
        round_constant[found++] = (uint32_t)root((unsigned __int128)n << 96, 3);
    }
}

struct sha {
    uint32_t h[8];
    uint64_t len;
    uint8_t block[64];
};

static uint32_t ror(uint32_t x, int n) { return x >> n | x << (32 - n); }

static void sha_block(struct sha *s, const uint8_t *p) {
    uint32_t w[64], a = s->h[0], b = s->h[1], c = s->h[2], d = s->h[3], e = s->h[4], f = s->h[5], g = s->h[6],
                    h = s->h[7];
    for (int i = 0; i < 16; i++) {
        memcpy(&w[i], p + 4 * i, 4);
        w[i] = __builtin_bswap32(w[i]); // both machines are little-endian
    }
    for (int i = 16; i < 64; i++) {
        uint32_t x = w[i - 15], y = w[i - 2];
        w[i] = w[i - 16] + w[i - 7] + (ror(x, 7) ^ ror(x, 18) ^ x >> 3) + (ror(y, 17) ^ ror(y, 19) ^ y >> 10);
    }
    for (int i = 0; i < 64; i++) {
        uint32_t t = h + (ror(e, 6) ^ ror(e, 11) ^ ror(e, 25)) + ((e & f) ^ (~e & g)) + round_constant[i] + w[i];
        uint32_t u = (ror(a, 2) ^ ror(a, 13) ^ ror(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
        h = g, g = f, f = e, e = d + t, d = c, c = b, b = a, a = t + u;
    }
    s->h[0] += a, s->h[1] += b, s->h[2] += c, s->h[3] += d, s->h[4] += e, s->h[5] += f, s->h[6] += g, s->h[7] += h;
}

static void sha_add(struct sha *s, const uint8_t *p, size_t n) {
    for (size_t i = 0; i < n; i++) {
        size_t at = s->len++ % 64;
        if (at == 0 && n - i >= 64) {
            sha_block(s, p + i);
            s->len += 63, i += 63;
            continue;
        }
        s->block[at] = p[i];
        if (at == 63) sha_block(s, s->block);
    }
}

static void sha_print(const char *title, struct sha *s) {
    uint64_t bits = __builtin_bswap64(s->len * 8);
    sha_add(s, (const uint8_t *)"\x80", 1);
    while (s->len % 64 != 56) sha_add(s, (const uint8_t *)"", 1);
    sha_add(s, (const uint8_t *)&bits, 8);
    printf("%-8s ", title);
    for (int i = 0; i < 8; i++) printf("%08x", (unsigned)s->h[i]);
    putchar('\n');
}

static struct sha sha_start(void) {
    struct sha s = {.len = 0};
    memcpy(s.h, initial, sizeof initial);
    return s;
}

// ---- SipHash-2-4

static uint64_t rol(uint64_t x, int n) { return x << n | x >> (64 - n); }

static void sip_round(uint64_t v[4]) {
    v[0] += v[1], v[1] = rol(v[1], 13) ^ v[0], v[0] = rol(v[0], 32);
    v[2] += v[3], v[3] = rol(v[3], 16) ^ v[2];
    v[0] += v[3], v[3] = rol(v[3], 21) ^ v[0];
    v[2] += v[1], v[1] = rol(v[1], 17) ^ v[2], v[2] = rol(v[2], 32);
}

static uint64_t sip(const uint8_t *p, size_t n, uint64_t k0, uint64_t k1) {
    uint64_t v[4] = {k0 ^ 0x736f6d6570736575ULL, k1 ^ 0x646f72616e646f6dULL, k0 ^ 0x6c7967656e657261ULL,
                     k1 ^ 0x7465646279746573ULL};
    for (size_t i = 0; i <= n / 8; i++) {
        uint64_t m = i == n / 8 ? (uint64_t)n << 56 : 0;
        memcpy(&m, p + i * 8, i == n / 8 ? n % 8 : 8);
        v[3] ^= m, sip_round(v), sip_round(v), v[0] ^= m;
    }
    v[2] ^= 0xff;
    for (int i = 0; i < 4; i++) sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

// ---- CRC-32 by table

static uint32_t crc(const uint8_t *p, size_t n) {
    static uint32_t table[256];
    if (!table[1])
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t c = i;
            for (int k = 0; k < 8; k++) c = c & 1 ? c >> 1 ^ 0xedb88320u : c >> 1;
            table[i] = c;
        }
    uint32_t c = ~0u;
    while (n--) c = table[(c ^ *p++) & 255] ^ c >> 8;
    return ~c;
}

// ---- modular powers by Montgomery's method: odd 64-bit moduli, products of 128 bits, no division of 128 bits

struct modulus {
    uint64_t n, minus_inverse, one, square; // -1/n mod 2^64; 2^64 and 2^128 mod n
};

static struct modulus modulus(uint64_t n) {
    struct modulus m = {.n = n, .minus_inverse = 1, .one = -n % n};
    for (int i = 0; i < 6; i++) m.minus_inverse *= 2 + n * m.minus_inverse; // Newton: each round doubles the good bits
    m.square = m.one;
    for (int i = 0; i < 64; i++) m.square = m.square >= n - m.square ? m.square - (n - m.square) : m.square * 2;
    return m;
}

// a * b / 2^64 mod n, for a and b below n.
static uint64_t multiply(const struct modulus *m, uint64_t a, uint64_t b) {
    unsigned __int128 product = (unsigned __int128)a * b;
    uint64_t low = (uint64_t)product, high = (uint64_t)(product >> 64);
    uint64_t carry = (uint64_t)((unsigned __int128)(low * m->minus_inverse) * m->n >> 64) + (low != 0);
    return high >= m->n - carry ? high - (m->n - carry) : high + carry;
}

static uint64_t power(const struct modulus *m, uint64_t base, uint64_t exponent) {
    uint64_t r = m->one;
    for (; exponent; exponent >>= 1, base = multiply(m, base, base))
        if (exponent & 1) r = multiply(m, r, base);
    return r;
}

// Miller and Rabin; these witnesses decide for every 64-bit number above them.
static int is_prime(uint64_t n) {
    static const uint64_t witnesses[] = {2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37};
    struct modulus m = modulus(n);
    uint64_t odd = n - 1, minus_one = n - m.one;
    int twos = 0;
    while (!(odd & 1)) odd >>= 1, twos++;
    for (int i = 0; i < 12; i++) {
        uint64_t x = power(&m, multiply(&m, witnesses[i], m.square), odd);
        int strong = x == m.one || x == minus_one;
        for (int k = 1; k < twos && !strong; k++) strong = (x = multiply(&m, x, x)) == minus_one;
        if (!strong) return 0;
    }
    return 1;
}

static void bit_counts(void) {
    uint64_t rng = 15, total = 0;
    for (int i = 0; i < 200000; i++) {
        uint64_t x = rng_next(&rng) >> (i & 63);
        uint32_t y = (uint32_t)x | 1;
        x |= 1;
        total = total * 3 + (uint64_t)(__builtin_clzll(x) + __builtin_ctzll(x << (i & 31)) * 2 +
                                       __builtin_popcountll(x) * 4 + __builtin_clz(y) * 8 + __builtin_popcount(y) * 16);
        total += x / (y | 3) + x % (y | 3) + (uint64_t)((int64_t)x / -(int64_t)(y | 3));
    }
    printf("bits     %016llx\n", (unsigned long long)total);
}

int main(void) {
    static uint8_t data[1 << 20];
    uint64_t rng = 4;
    make_constants();
    struct sha s = sha_start();
    sha_print("empty", &s);
    s = sha_start();
    sha_add(&s, (const uint8_t *)"abc", 3);
    sha_print("abc", &s);
    for (size_t i = 0; i < sizeof data; i++) data[i] = (uint8_t)rng_next(&rng);
    s = sha_start();
    for (int round = 0; round < 8; round++)
        for (size_t at = 0, n; at < sizeof data; at += n) {
            n = 1 + rng_below(&rng, 5000);
            if (n > sizeof data - at) n = sizeof data - at;
            sha_add(&s, data + at, n);
        }
    sha_print("pieces", &s);
    uint64_t sum = 0;
    for (size_t n = 0; n < 4000; n++)
        sum ^= rol(sip(data + n, n, 0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL), (int)(n % 63 + 1));
    printf("siphash  %016llx\ncrc      %08x %08x\n", (unsigned long long)sum,
           (unsigned)crc((const uint8_t *)"123456789", 9), (unsigned)crc(data, sizeof data));
    int primes = 0;
    for (uint64_t n = 0xfffffffffffffc01ULL; n < 0xfffffffffffffff0ULL; n += 2) primes += is_prime(n);
    printf("primes   %d %d %d\n", primes, is_prime(2305843009213693951ULL), is_prime(3215031751ULL));
    bit_counts();
    return 0;
}
