// virtual: a tree of expressions, evaluated by virtual calls again and again.
#include "bench.h"

namespace {

alignas(16) unsigned char pool[1 << 16];
uint32_t used;

struct node {
    static void *operator new(__SIZE_TYPE__ size) noexcept {
        void *at = pool + used;
        used += (uint32_t)(size + 15) & ~15u;
        return at;
    }
    virtual int32_t value(const int32_t *in) const = 0;
};
struct constant : node {
    int32_t k;
    explicit constant(int32_t k) : k(k) {}
    int32_t value(const int32_t *) const override { return k; }
};
struct input : node {
    uint32_t which;
    explicit input(uint32_t which) : which(which) {}
    int32_t value(const int32_t *in) const override { return in[which]; }
};
struct binary : node {
    const node *left, *right;
    binary(const node *left, const node *right) : left(left), right(right) {}
};
struct sum : binary {
    using binary::binary;
    int32_t value(const int32_t *in) const override {
        return (int32_t)((uint32_t)left->value(in) + (uint32_t)right->value(in));
    }
};
struct product : binary {
    using binary::binary;
    int32_t value(const int32_t *in) const override {
        return (int32_t)((uint32_t)left->value(in) * (uint32_t)right->value(in));
    }
};
struct smaller : binary {
    using binary::binary;
    int32_t value(const int32_t *in) const override {
        int32_t a = left->value(in), b = right->value(in);
        return a < b ? a : b;
    }
};
struct choice : node {
    const node *test, *yes, *no;
    choice(const node *test, const node *yes, const node *no) : test(test), yes(yes), no(no) {}
    int32_t value(const int32_t *in) const override { return test->value(in) & 1 ? yes->value(in) : no->value(in); }
};

const node *grow(int depth) {
    if (!depth) {
        if (rng_below(3)) return new input(rng_below(8));
        return new constant((int32_t)rng_below(1000));
    }
    const node *a = grow(depth - 1), *b = grow(depth - 1);
    switch (rng_below(4)) {
    case 0: return new sum(a, b);
    case 1: return new product(a, b);
    case 2: return new smaller(a, b);
    default: return new choice(a, b, a);
    }
}

const node *root;

} // namespace

static void prepare() { root = grow(9); }

static uint64_t work() {
    int32_t in[8] = {3, 1, 4, 1, 5, 9, 2, 6};
    uint64_t total = 0;
    for (int round = 0; round < 60000; round++) {
        in[round & 7] += round;
        total = total * 31 + (uint32_t)root->value(in);
    }
    return total;
}
