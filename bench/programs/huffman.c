// huffman: counts, code lengths, canonical codes, a bit writer, and a decoder that walks the tree bit by bit.
#include "bench.h"

enum { SIZE = 4 << 20, SYMBOLS = 256, NODES = 2 * SYMBOLS };
static uint8_t text[SIZE], packed[SIZE + SIZE / 2], back[SIZE];

struct node { uint32_t count; int16_t parent, child[2]; };
static struct node tree[NODES];
static int node_count, root;
static uint32_t code[SYMBOLS];
static uint8_t length[SYMBOLS];

// Skewed, so that codes are 3 to 14 bits long.
static void prepare(void) {
    for (int i = 0; i < SIZE; i++) text[i] = (uint8_t)(rng_below(16) * rng_below(16) + rng_below(4));
}

// The rarest node without a parent; never `but`.
static int rarest(int but) {
    int found = -1;
    for (int i = 0; i < node_count; i++)
        if (i != but && tree[i].count && tree[i].parent < 0)
            if (found < 0 || tree[i].count < tree[found].count) found = i;
    return found;
}

static void build_tree(void) {
    node_count = SYMBOLS;
    for (int i = 0; i < SYMBOLS; i++) tree[i] = (struct node){0, -1, {-1, -1}};
    for (int i = 0; i < SIZE; i++) tree[text[i]].count++;
    for (;;) {
        int a = rarest(-1), b = rarest(a);
        if (b < 0) { root = a; return; }
        tree[node_count] = (struct node){tree[a].count + tree[b].count, -1, {(int16_t)a, (int16_t)b}};
        tree[a].parent = tree[b].parent = (int16_t)node_count++;
    }
}

static void assign_codes(int at, uint32_t bits, int depth) {
    if (tree[at].child[0] < 0) {
        code[at] = bits;
        length[at] = (uint8_t)depth;
        return;
    }
    assign_codes(tree[at].child[0], bits << 1, depth + 1);
    assign_codes(tree[at].child[1], bits << 1 | 1, depth + 1);
}

static uint32_t encode(void) {
    uint64_t pending = 0;
    int count = 0;
    uint32_t out = 0;
    for (int i = 0; i < SIZE; i++) {
        pending = pending << length[text[i]] | code[text[i]];
        count += length[text[i]];
        while (count >= 8) packed[out++] = (uint8_t)(pending >> (count -= 8));
    }
    if (count) packed[out++] = (uint8_t)(pending << (8 - count));
    return out;
}

static void decode(void) {
    uint32_t bit = 0;
    for (int i = 0; i < SIZE; i++) {
        int at = root;
        while (tree[at].child[0] >= 0) {
            at = tree[at].child[packed[bit >> 3] >> (7 - (bit & 7)) & 1];
            bit++;
        }
        back[i] = (uint8_t)at;
    }
}

static uint64_t work(void) {
    build_tree();
    assign_codes(root, 0, 0);
    uint32_t size = encode();
    decode();
    return sum_bytes(packed, size) + sum_bytes(back, SIZE / 4);
}
