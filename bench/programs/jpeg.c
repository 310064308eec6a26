// jpeg: blocks of an image as JPEG keeps them: Huffman codes of runs and sizes, quantised, in zigzag order,
// transformed.
#include "bench.h"

enum { BLOCKS = 6000, ROUNDS = 80, LONGEST = 16 };
static uint8_t stream[BLOCKS * 160 + 8], zigzag[64], image[BLOCKS][64];
static int16_t quantum[64];
static int32_t cosine[8][8];
static uint32_t bits_written;

// ---- Codes: lengths by symbol, then JPEG's tables: the first code of every length, and where its symbols begin

static uint8_t lengths[256], symbols[256], fast_length[256], fast_symbol[256];
static uint32_t codes[256];
static int32_t last_code[LONGEST + 2], first_symbol[LONGEST + 2];

static void make_codes(void) {
    uint32_t code = 0, count = 0;
    for (uint32_t length = 1; length <= LONGEST; length++) {
        first_symbol[length] = (int32_t)count - (int32_t)code;
        for (uint32_t s = 0; s < 256; s++)
            if (lengths[s] == length) codes[s] = code++, symbols[count++] = (uint8_t)s;
        last_code[length] = (int32_t)code - 1;
        code <<= 1;
    }
    last_code[LONGEST + 1] = INT32_MAX;
    for (uint32_t s = 0; s < 256; s++)
        for (uint32_t i = 0; lengths[s] && lengths[s] <= 8 && i < 1u << (8 - lengths[s]); i++) {
            uint32_t at = codes[s] << (8 - lengths[s]) | i;
            fast_length[at] = lengths[s];
            fast_symbol[at] = (uint8_t)s;
        }
}

// Symbol 0 ends a block; others are run << 4 | size.
static void choose_lengths(void) {
    uint32_t used = 1u << (LONGEST - 3);
    lengths[0] = 3;
    for (uint32_t longer = 0; longer < 20; longer++)
        for (uint32_t run = 0; run < 16; run++)
            for (uint32_t size = 1; size < 9; size++) {
                uint32_t length = 2 + longer, wanted = 2 + run / 2 + size, s = run << 4 | size;
                if (length > LONGEST) length = LONGEST;
                if (lengths[s] || wanted > length) continue;
                if (used + (1u << (LONGEST - length)) > (1u << LONGEST) - 300) continue;
                if (length == LONGEST) used += 1;
                else used += 1u << (LONGEST - length);
                lengths[s] = (uint8_t)length;
            }
    for (uint32_t run = 0; run < 16; run++)
        for (uint32_t size = 1; size < 9; size++)
            if (!lengths[run << 4 | size]) lengths[run << 4 | size] = LONGEST;
}

// ---- The stream

static void put(uint32_t value, uint32_t count) {
    while (count--) {
        if (value >> count & 1) stream[bits_written >> 3] |= (uint8_t)(0x80 >> (bits_written & 7));
        bits_written++;
    }
}

static void put_block(void) {
    uint32_t at = 0;
    while (at < 63) {
        uint32_t run = rng_below(at < 10 ? 3 : 12), size = 1 + rng_below(at < 6 ? 6 : 3);
        at += run + 1;
        if (at > 63 || rng_below(14) == 0) break;
        put(codes[run << 4 | size], lengths[run << 4 | size]);
        put(rng_below(1u << size), size);
    }
    put(codes[0], lengths[0]);
}

static void prepare(void) {
    int at = 0;
    for (int sum = 0; sum < 15; sum++)
        for (int i = 0; i < 8; i++) {
            int j = sum - i;
            if (j >= 0 && j < 8) zigzag[at++] = (uint8_t)(sum & 1 ? i * 8 + j : j * 8 + i);
        }
    for (int i = 0; i < 64; i++) quantum[i] = (int16_t)(3 + i / 4);
    for (int x = 0; x < 8; x++)
        for (int u = 0; u < 8; u++) { // cos((2x + 1) u pi / 16): the angle in sixteenths, folded
            int turn = (2 * x + 1) * u % 32, fold = turn > 16 ? 32 - turn : turn;
            static const int16_t steps[17] = {1024, 1004, 946, 851, 724, 569, 392, 200, 0,
                                              -200, -392, -569, -724, -851, -946, -1004, -1024};
            cosine[x][u] = u ? steps[fold] : 724;
        }
    choose_lengths();
    make_codes();
    for (int i = 0; i < BLOCKS; i++) put_block();
}

typedef struct reader { uint32_t at, have; uint64_t bits; } reader;

static inline void fill(reader *r) {
    while (r->have <= 48) r->bits |= (uint64_t)stream[r->at++] << (56 - r->have), r->have += 8;
}

static inline uint32_t take(reader *r, uint32_t count) {
    uint32_t value = (uint32_t)(r->bits >> (64 - count));
    r->bits <<= count;
    r->have -= count;
    return value;
}

static uint32_t next_symbol(reader *r) {
    fill(r);
    uint32_t top = (uint32_t)(r->bits >> 56);
    if (fast_length[top]) return take(r, fast_length[top]), fast_symbol[top];
    uint32_t length = 9;
    while ((int32_t)(r->bits >> (64 - length)) > last_code[length]) length++;
    return symbols[(uint32_t)((int32_t)take(r, length) + first_symbol[length]) & 255];
}

static void read_block(reader *r, int32_t *block) {
    for (int i = 0; i < 64; i++) block[i] = 0;
    for (uint32_t at = 0; at < 64;) {
        uint32_t symbol = next_symbol(r), size = symbol & 15;
        if (!symbol) return;
        at += (symbol >> 4) + 1;
        if (at > 63) return;
        int32_t value = (int32_t)take(r, size);
        if (value < 1 << (size - 1)) value -= (1 << size) - 1;
        block[zigzag[at]] = value * quantum[at];
    }
}

// Rows, then columns; each output is a sum of eight products.
static void transform(const int32_t *block, uint8_t *pixels) {
    int32_t rows[64];
    for (int y = 0; y < 8; y++)
        for (int x = 0; x < 8; x++) {
            int32_t sum = 0;
            for (int u = 0; u < 8; u++) sum += cosine[x][u] * block[y * 8 + u];
            rows[y * 8 + x] = sum >> 8;
        }
    for (int x = 0; x < 8; x++)
        for (int y = 0; y < 8; y++) {
            int32_t sum = 0;
            for (int v = 0; v < 8; v++) sum += cosine[y][v] * rows[v * 8 + x];
            sum = (sum >> 14) + 128;
            pixels[y * 8 + x] = (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
        }
}

static uint64_t work(void) {
    uint64_t sum = 0;
    for (int round = 0; round < ROUNDS; round++) {
        reader r = {0};
        int32_t block[64];
        for (int i = 0; i < BLOCKS; i++) {
            read_block(&r, block);
            block[0] += round;
            transform(block, image[i]);
        }
        sum = sum * 31 + sum_bytes(image, sizeof image);
    }
    return sum;
}
