// search: words in a text, three ways: letter by letter, by Horspool's skips, by an automaton of all words at once.
#include "bench.h"

enum { SIZE = 4 << 20, WORDS = 12, STATES = 256, LETTERS = 27 };
static uint8_t text[SIZE], word[WORDS][16];
static int length[WORDS];
static int16_t next_state[STATES][LETTERS];
static uint32_t hits[STATES];
static int state_count;

static void prepare(void) {
    for (int i = 0; i < WORDS; i++) {
        length[i] = 4 + (int)rng_below(8);
        for (int k = 0; k < length[i]; k++) word[i][k] = (uint8_t)('a' + rng_below(6));
    }
    for (int at = 0; at < SIZE;) {
        const uint8_t *insert = word[rng_below(WORDS)];
        if (rng_below(64)) text[at++] = rng_below(7) ? (uint8_t)('a' + rng_below(6)) : (uint8_t)' ';
        else while (*insert && at < SIZE) text[at++] = *insert++;
    }
}

static int same(const uint8_t *a, const uint8_t *b, int n) {
    for (int i = 0; i < n; i++)
        if (a[i] != b[i]) return 0;
    return 1;
}

static uint32_t find_plain(const uint8_t *w, int n) {
    uint32_t found = 0;
    for (int at = 0; at + n <= SIZE; at++) found += (uint32_t)same(text + at, w, n);
    return found;
}

static uint32_t find_skipping(const uint8_t *w, int n) {
    int skip[256];
    uint32_t found = 0;
    for (int i = 0; i < 256; i++) skip[i] = n;
    for (int i = 0; i < n - 1; i++) skip[w[i]] = n - 1 - i;
    for (int at = 0; at + n <= SIZE; at += skip[text[at + n - 1]])
        if (text[at + n - 1] == w[n - 1] && same(text + at, w, n - 1)) found++;
    return found;
}

static int letter(uint8_t c) { return c >= 'a' && c <= 'z' ? c - 'a' + 1 : 0; }

// Aho and Corasick: a tree of the words, completed breadth first with where a mismatch leads.
static void build_automaton(void) {
    static int16_t fail[STATES], queue[STATES];
    state_count = 1;
    for (int i = 0; i < WORDS; i++) {
        int s = 0;
        for (int k = 0; k < length[i]; k++) {
            int16_t *to = &next_state[s][letter(word[i][k])];
            if (!*to) *to = (int16_t)state_count++;
            s = *to;
        }
        hits[s]++;
    }
    int first = 0, last = 0;
    for (int c = 0; c < LETTERS; c++)
        if (next_state[0][c]) queue[last++] = next_state[0][c];
    while (first < last) {
        int s = queue[first++];
        hits[s] += hits[fail[s]];
        for (int c = 0; c < LETTERS; c++) {
            int16_t *to = &next_state[s][c], other = next_state[fail[s]][c];
            if (!*to) { *to = other; continue; }
            fail[*to] = other;
            queue[last++] = *to;
        }
    }
}

static uint32_t find_all(void) {
    uint32_t found = 0;
    int s = 0;
    for (int at = 0; at < SIZE; at++) s = next_state[s][letter(text[at])], found += hits[s];
    return found;
}

static uint64_t work(void) {
    uint64_t sum = 0;
    build_automaton();
    for (int i = 0; i < WORDS; i++) {
        sum = sum * 31 + find_skipping(word[i], length[i]);
        if (i % 4 == 0) sum = sum * 31 + find_plain(word[i], length[i]);
    }
    for (int i = 0; i < 3; i++) sum = sum * 31 + find_all();
    return sum;
}
