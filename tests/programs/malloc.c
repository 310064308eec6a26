// tests/programs/malloc.c: the allocator under load: every block is filled and checked, memory grows, refusals are refusals.
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"

enum { BLOCKS = 4000 };

static struct block {
    uint8_t *p;
    uint32_t size;
    uint8_t fill;
} block[BLOCKS];
static uint64_t live, most, wrong;

static void count(int64_t change) {
    live += (uint64_t)change;
    if (live > most) most = live;
}

static void check(const struct block *b) {
    for (uint32_t i = 0; i < b->size; i++) wrong += b->p[i] != b->fill;
}

static uint32_t some_size(uint64_t *rng) {
    switch (rng_below(rng, 20)) {
    case 0: return 10000 + rng_below(rng, 90000);
    case 1:
    case 2: return 1000 + rng_below(rng, 5000);
    default: return rng_below(rng, 400);
    }
}

static void fill(struct block *b, uint32_t from, uint64_t *rng) {
    uint8_t byte = (uint8_t)rng_next(rng);
    if (from) byte = b->fill;
    memset(b->p + from, byte, b->size - from);
    b->fill = byte;
}

static void resize(struct block *b, uint64_t *rng) {
    uint32_t old = b->size, size = some_size(rng) + 1;
    uint8_t *p = realloc(b->p, size);
    if (!p) exit(1);
    b->p = p, b->size = size;
    count((int64_t)size - old);
    for (uint32_t i = 0; i < old && i < size; i++) wrong += p[i] != b->fill;
    if (size > old) fill(b, old, rng);
}

static void create(struct block *b, uint64_t *rng) {
    uint32_t kind = rng_below(rng, 4);
    b->size = some_size(rng);
    if (kind == 0) {
        b->p = calloc(b->size / 4 + 1, 4);
        b->fill = 0;
        if (b->p) check(b); // calloc gives zeros, also in memory that was used before
    } else if (kind == 1) {
        b->size = (b->size / 64 + 1) * 64;
        b->p = aligned_alloc(64, b->size);
        wrong += (uintptr_t)b->p % 64 != 0;
    } else {
        b->p = malloc(b->size);
    }
    if (!b->p && b->size) exit(1);
    wrong += (uintptr_t)b->p % 8 != 0;
    count(b->size);
    if (b->size) fill(b, 0, rng);
}

static void churn(void) {
    uint64_t rng = 2, operations[3] = {0};
    for (int i = 0; i < 150000; i++) {
        struct block *b = &block[rng_below(&rng, BLOCKS)];
        if (!b->p) {
            create(b, &rng), operations[0]++;
        } else if (rng_below(&rng, 3) == 0 && b->size) {
            check(b), resize(b, &rng), operations[1]++;
        } else {
            check(b), count(-(int64_t)b->size), free(b->p), operations[2]++;
            b->p = NULL;
        }
    }
    for (int i = 0; i < BLOCKS; i++) {
        if (!block[i].p) continue;
        check(&block[i]), count(-(int64_t)block[i].size), free(block[i].p);
        block[i].p = NULL;
    }
    printf("churn: %llu made, %llu resized, %llu freed, most %llu, left %llu, wrong %llu\n",
           (unsigned long long)operations[0], (unsigned long long)operations[1], (unsigned long long)operations[2],
           (unsigned long long)most, (unsigned long long)live, (unsigned long long)wrong);
}

// ---- a tree that lives in small blocks

struct node {
    struct node *left, *right;
    uint32_t key, priority;
};

static struct node *insert(struct node *n, uint32_t key, uint32_t priority) {
    if (!n) {
        n = malloc(sizeof *n);
        if (!n) exit(1);
        *n = (struct node){NULL, NULL, key, priority};
    } else if (key < n->key) {
        n->left = insert(n->left, key, priority);
        struct node *l = n->left;
        if (l->priority > n->priority) n->left = l->right, l->right = n, n = l;
    } else if (key > n->key) {
        n->right = insert(n->right, key, priority);
        struct node *r = n->right;
        if (r->priority > n->priority) n->right = r->left, r->left = n, n = r;
    }
    return n;
}

static uint64_t measure(const struct node *n, int depth, int *deepest, uint32_t *nodes) {
    if (!n) return 0;
    if (depth > *deepest) *deepest = depth;
    uint64_t left = measure(n->left, depth + 1, deepest, nodes);
    ++*nodes;
    return (left * 31 + n->key) * 31 + measure(n->right, depth + 1, deepest, nodes);
}

static void destroy(struct node *n) {
    if (!n) return;
    destroy(n->left);
    destroy(n->right);
    free(n);
}

static void tree(void) {
    uint64_t rng = 3;
    struct node *root = NULL;
    int deepest = 0;
    uint32_t nodes = 0;
    for (int i = 0; i < 100000; i++) {
        uint32_t key = rng_below(&rng, 1000000), priority = (uint32_t)rng_next(&rng);
        root = insert(root, key, priority);
    }
    uint64_t sum = measure(root, 1, &deepest, &nodes);
    printf("tree: %u nodes, depth %d, sum %016llx\n", (unsigned)nodes, deepest, (unsigned long long)sum);
    destroy(root);
}

// Doubles an array to 32 MiB, so that memory grows many times and its content moves.
static void growth(void) {
    size_t cap = 16, len = 0, limit = (size_t)8 << 20;
    uint32_t *v = malloc(cap * sizeof *v);
    uint64_t sum = 0;
    while (v && len < limit) {
        if (len == cap) {
            uint32_t *bigger = realloc(v, (cap *= 2) * sizeof *v);
            if (!bigger) exit(1);
            v = bigger;
        }
        v[len] = (uint32_t)(len * 2654435761u);
        len++;
    }
    for (size_t i = 0; i < len; i += 4099) sum = sum * 3 + v[i];
    printf("growth: %u words, sum %016llx\n", (unsigned)len, (unsigned long long)sum);
    free(v);
}

static void refusals(void) {
    // All volatile: a compiler may take for granted that an unused block can be had.
    volatile size_t huge = SIZE_MAX - 100, count = SIZE_MAX / 4 + 2;
    void *volatile a = malloc(huge), *volatile b = calloc(count, 8), *volatile keep = malloc(100), *volatile c;
    if (!keep) exit(1);
    memset(keep, 5, 100);
    c = realloc(keep, huge);
    printf("refused: %d %d %d, kept %d\n", !a, !b, !c, c ? 0 : ((char *)keep)[99]);
    free(a);
    free(b);
    free(c ? c : keep);
    free(NULL);
}

int main(void) {
    churn();
    tree();
    growth();
    refusals();
    return 0;
}
