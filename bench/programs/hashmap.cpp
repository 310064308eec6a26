// hashmap: a template of an open-addressing map: insert, find, erase, grow; keys of numbers and of words.
#include "bench.h"

namespace {

enum { ROOM = 1 << 18, KEYS = 120000 };

struct word {
    char text[12];
    bool operator==(const word &other) const {
        for (int i = 0; i < 12; i++)
            if (text[i] != other.text[i]) return false;
        return true;
    }
};

uint32_t hash_of(uint32_t key) {
    key = (key ^ key >> 16) * 0x7feb352du;
    key = (key ^ key >> 15) * 0x846ca68bu;
    return key ^ key >> 16;
}
uint32_t hash_of(const word &key) {
    uint32_t h = 2166136261u;
    for (char c : key.text) h = (h ^ (uint8_t)c) * 16777619u;
    return hash_of(h);
}

// Linear probing; an erased entry is closed up at once, so there are no tombstones.
template <typename K, typename V> class map {
    struct entry { K key; V value; bool full; };
    entry *at, *spare; // two areas, to grow from one into the other
    uint32_t mask = 15, count = 0;

    uint32_t slot(const K &key) const {
        uint32_t i = hash_of(key) & mask;
        while (at[i].full && !(at[i].key == key)) i = (i + 1) & mask;
        return i;
    }
    void grow() {
        entry *old = at;
        uint32_t size = mask + 1;
        at = spare, spare = old, mask = 2 * size - 1;
        for (uint32_t i = 0; i <= mask; i++) at[i].full = false;
        for (uint32_t i = 0; i < size; i++)
            if (old[i].full) at[slot(old[i].key)] = old[i];
    }

public:
    static entry area[2][ROOM];
    map() : at(area[0]), spare(area[1]) { for (uint32_t i = 0; i <= mask; i++) at[i].full = false; }

    V &operator[](const K &key) {
        if (count * 4 >= mask * 3) grow();
        entry &e = at[slot(key)];
        if (!e.full) e = entry{key, V(), true}, count++;
        return e.value;
    }
    const V *find(const K &key) const {
        const entry &e = at[slot(key)];
        return e.full ? &e.value : nullptr;
    }
    void erase(const K &key) {
        uint32_t hole = slot(key);
        if (!at[hole].full) return;
        count--;
        for (uint32_t i = (hole + 1) & mask; at[i].full; i = (i + 1) & mask) {
            uint32_t home = hash_of(at[i].key) & mask;
            if (((i - home) & mask) >= ((i - hole) & mask)) at[hole] = at[i], hole = i;
        }
        at[hole].full = false;
    }
    uint32_t size() const { return count; }
};
template <typename K, typename V> typename map<K, V>::entry map<K, V>::area[2][ROOM];

uint32_t numbers[KEYS];
word words[KEYS];

template <typename K> uint64_t churn(const K *keys) {
    map<K, uint32_t> m;
    uint64_t sum = 0;
    for (uint32_t i = 0; i < KEYS; i++) m[keys[i]] += i;
    for (int round = 0; round < 14; round++) {
        for (uint32_t i = 0; i < KEYS; i += 3) m.erase(keys[i]);
        for (uint32_t i = 0; i < KEYS; i++)
            if (const uint32_t *found = m.find(keys[i])) sum += *found;
        for (uint32_t i = 0; i < KEYS; i += 2) m[keys[i]] += i;
    }
    return sum * 31 + m.size();
}

} // namespace

static void prepare() {
    for (uint32_t i = 0; i < KEYS; i++) {
        numbers[i] = rng();
        for (int k = 0; k < 12; k++) words[i].text[k] = (char)('a' + rng_below(4));
    }
}

static uint64_t work() { return churn(numbers) * 31 + churn(words); }
