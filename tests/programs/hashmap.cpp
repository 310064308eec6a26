// tests/programs/hashmap.cpp: a hash map of our own beside the library's, virtual calls in a hot loop, strings, closures.
// Prints only what the C++ standard fixes: no iteration order, no hash values.
#include <algorithm>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "common.h"

namespace {

struct Hasher {
    virtual ~Hasher() = default;
    virtual uint32_t hash(const std::string &s) const = 0;
    virtual const char *name() const = 0;
};

struct Fnv : Hasher {
    uint32_t hash(const std::string &s) const override {
        uint32_t h = 2166136261u;
        for (unsigned char c : s) h = (h ^ c) * 16777619u;
        return h;
    }
    const char *name() const override { return "fnv"; }
};

struct Jenkins : Hasher {
    uint32_t hash(const std::string &s) const override {
        uint32_t h = 0;
        for (unsigned char c : s) h += c, h += h << 10, h ^= h >> 6;
        h += h << 3, h ^= h >> 11;
        return h + (h << 15);
    }
    const char *name() const override { return "jenkins"; }
};

struct Poor : Fnv { // many collisions on purpose
    uint32_t hash(const std::string &s) const override { return Fnv::hash(s) & 63; }
    const char *name() const override { return "poor"; }
};

// Robin Hood hashing with backward-shift deletion.
template <typename V> class Map {
    struct Slot {
        std::string key;
        V value{};
        uint32_t distance = 0; // 0: empty; else 1 + steps from home
    };
    const Hasher &hasher_;
    std::vector<Slot> slots_;
    size_t size_ = 0;

    size_t mask() const { return slots_.size() - 1; }

    void place(Slot in) {
        size_t i = hasher_.hash(in.key) & mask();
        for (in.distance = 1;; i = (i + 1) & mask(), in.distance++) {
            if (!slots_[i].distance) {
                slots_[i] = std::move(in);
                return;
            }
            if (slots_[i].distance < in.distance) std::swap(slots_[i], in);
        }
    }

    void grow() {
        std::vector<Slot> old(slots_.size() * 2);
        old.swap(slots_);
        for (Slot &s : old)
            if (s.distance) place(std::move(s));
    }

  public:
    explicit Map(const Hasher &h) : hasher_(h), slots_(16) {}
    size_t size() const { return size_; }

    V *find(const std::string &key) {
        size_t i = hasher_.hash(key) & mask();
        for (uint32_t d = 1; slots_[i].distance >= d; i = (i + 1) & mask(), d++)
            if (slots_[i].key == key) return &slots_[i].value;
        return nullptr;
    }

    V &operator[](const std::string &key) {
        if (V *v = find(key)) return *v;
        if ((size_ + 1) * 4 > slots_.size() * 3) grow();
        Slot s;
        s.key = key;
        place(std::move(s));
        size_++;
        return *find(key);
    }

    bool erase(const std::string &key) {
        V *v = find(key);
        if (!v) return false;
        size_t i = hasher_.hash(key) & mask();
        while (&slots_[i].value != v) i = (i + 1) & mask();
        for (size_t next = (i + 1) & mask(); slots_[next].distance > 1; i = next, next = (next + 1) & mask()) {
            slots_[i] = std::move(slots_[next]);
            slots_[i].distance--;
        }
        slots_[i] = Slot();
        size_--;
        return true;
    }

    template <typename F> void each(F f) const {
        for (const Slot &s : slots_)
            if (s.distance) f(s.key, s.value);
    }
};

// The same operations on ours and on the library's; they must agree at the end.
void compare(const Hasher &hasher, int operations, uint32_t keys) {
    Map<int64_t> ours(hasher);
    std::unordered_map<std::string, int64_t> theirs;
    uint64_t rng = 77;
    int64_t hits = 0, erased = 0;
    for (int i = 0; i < operations; i++) {
        std::string key = "key-" + std::to_string(rng_below(&rng, keys));
        switch (rng_below(&rng, 4)) {
        case 0: hits += ours.find(key) != nullptr; break;
        case 1:
            if (ours.erase(key) != (theirs.erase(key) == 1)) std::printf("erase differs: %s\n", key.c_str());
            else erased++;
            break;
        default: ours[key] += i; theirs[key] += i;
        }
    }
    std::vector<std::pair<std::string, int64_t>> a, b(theirs.begin(), theirs.end());
    ours.each([&a](const std::string &k, int64_t v) { a.emplace_back(k, v); });
    std::sort(a.begin(), a.end());
    std::sort(b.begin(), b.end());
    uint64_t sum = SUM_START;
    for (auto &[k, v] : a) sum = sum_bytes(sum_bytes(sum, k.data(), k.size()), &v, sizeof v);
    std::printf("%-8s size %u, hits %lld, erased %lld, %s, sum %016llx\n", hasher.name(), (unsigned)ours.size(),
                (long long)hits, (long long)erased, a == b ? "equal" : "DIFFERENT", (unsigned long long)sum);
}

// ---- a tree of objects, evaluated by virtual calls

struct Node {
    virtual ~Node() = default;
    virtual int32_t eval(int32_t x) const = 0;
};
using Ptr = std::unique_ptr<Node>;

struct Const : Node {
    int32_t v;
    explicit Const(int32_t n) : v(n) {}
    int32_t eval(int32_t) const override { return v; }
};
struct Var : Node {
    int32_t eval(int32_t x) const override { return x; }
};
template <typename Op> struct Binary : Node {
    Ptr a, b;
    Binary(Ptr l, Ptr r) : a(std::move(l)), b(std::move(r)) {}
    int32_t eval(int32_t x) const override { return Op()((uint32_t)a->eval(x), (uint32_t)b->eval(x)); }
};
struct Add {
    int32_t operator()(uint32_t a, uint32_t b) const { return (int32_t)(a + b); }
};
struct Mul {
    int32_t operator()(uint32_t a, uint32_t b) const { return (int32_t)(a * b); }
};
struct Xor {
    int32_t operator()(uint32_t a, uint32_t b) const { return (int32_t)(a ^ b >> 3); }
};

Ptr build(uint64_t *rng, int depth) {
    if (depth == 0) {
        if (rng_below(rng, 2)) return std::make_unique<Var>();
        return std::make_unique<Const>((int32_t)rng_below(rng, 1000));
    }
    Ptr a = build(rng, depth - 1), b = build(rng, depth - 1);
    switch (rng_below(rng, 3)) {
    case 0: return std::make_unique<Binary<Add>>(std::move(a), std::move(b));
    case 1: return std::make_unique<Binary<Mul>>(std::move(a), std::move(b));
    default: return std::make_unique<Binary<Xor>>(std::move(a), std::move(b));
    }
}

void closures() {
    std::vector<std::function<int(int)>> steps;
    for (int k = 1; k <= 5; k++) {
        steps.push_back([k](int x) { return x * k + 1; });
        steps.push_back([&steps, k](int x) { return k > 2 ? steps[(size_t)k - 2](x) : x - k; });
    }
    int x = 1;
    for (int i = 0; i < 200; i++) x = steps[(size_t)i % steps.size()](x) % 10007;
    std::printf("closures %d\n", x);
}

} // namespace

int main() {
    compare(Fnv(), 400000, 20000);
    compare(Jenkins(), 400000, 20000);
    compare(Poor(), 4000, 500);
    uint64_t rng = 5;
    Ptr tree = build(&rng, 12);
    uint32_t total = 0;
    for (int32_t x = 0; x < 400; x++) total = total * 31 + (uint32_t)tree->eval(x);
    std::printf("tree %08x\n", total);
    closures();
    std::string text;
    for (int i = 0; i < 1000; i++) text += std::to_string(i * i) + (i % 7 ? "," : ";");
    size_t semis = (size_t)std::count(text.begin(), text.end(), ';');
    std::printf("text %u %u %s\n", (unsigned)text.size(), (unsigned)semis, text.substr(text.find("9801"), 20).c_str());
    return 0;
}
