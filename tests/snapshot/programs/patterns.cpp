// tests/snapshot/programs/patterns.cpp: a filter of 400 regular expressions. The initialiser builds one automaton of all of
// them and turns it, as far as a budget of states goes, into a deterministic one; what is exported only looks things up.
//
// Patterns: literals, ., [a-z], [^a-z], *, +, ?, |, (). Thompson's construction, then subsets, states named by the sorted list
// of their members.
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

namespace {

struct Node { // of the nondeterministic automaton
    int next = -1, other = -1;      // without a character, if set is empty
    std::vector<bool> set;          // 256 of them, or none
    int accepts = -1;               // pattern
};

struct Fragment { int start, end; };

class Compiler {
public:
    explicit Compiler(std::vector<Node> &nodes) : nodes(nodes) {}

    int compile(const std::string &pattern, int number) {
        text = pattern;
        at = 0;
        Fragment f = alternatives();
        nodes[f.end].accepts = number;
        return f.start;
    }

private:
    std::vector<Node> &nodes;
    std::string text;
    size_t at = 0;

    int add() {
        nodes.emplace_back();
        return static_cast<int>(nodes.size()) - 1;
    }
    void link(int from, int to) { (nodes[from].next < 0 ? nodes[from].next : nodes[from].other) = to; }
    bool more(const char *end) const { return at < text.size() && !strchr(end, text[at]); }

    Fragment alternatives() {
        Fragment f = sequence();
        while (at < text.size() && text[at] == '|') {
            at++;
            Fragment g = sequence();
            int start = add(), end = add();
            link(start, f.start), link(start, g.start), link(f.end, end), link(g.end, end);
            f = {start, end};
        }
        return f;
    }
    Fragment sequence() {
        int start = add();
        Fragment f = {start, start};
        while (more("|)")) {
            Fragment g = repeated();
            link(f.end, g.start);
            f.end = g.end;
        }
        return f;
    }
    Fragment repeated() {
        Fragment f = single();
        while (at < text.size() && strchr("*+?", text[at])) {
            char sign = text[at++];
            int start = add(), end = add();
            link(start, f.start);
            if (sign != '+') link(start, end);
            link(f.end, end);
            if (sign != '?') link(f.end, f.start);
            f = {start, end};
        }
        return f;
    }
    Fragment single() {
        if (text[at] == '(') {
            at++;
            Fragment f = alternatives();
            at++; // )
            int end = add();
            link(f.end, end);
            return {f.start, end};
        }
        int start = add(), end = add();
        nodes[start].set = characters();
        nodes[start].next = end;
        return {start, end};
    }
    std::vector<bool> characters() {
        std::vector<bool> set(256);
        char c = text[at++];
        if (c == '.') {
            set.assign(256, true);
        } else if (c != '[') {
            set[static_cast<uint8_t>(c)] = true;
        } else {
            bool negated = text[at] == '^';
            at += negated;
            while (text[at] != ']') {
                uint8_t low = static_cast<uint8_t>(text[at++]), high = low;
                if (text[at] == '-') high = static_cast<uint8_t>(text[at + 1]), at += 2;
                for (int k = low; k <= high; k++) set[k] = true;
            }
            at++;
            if (negated) set.flip();
        }
        return set;
    }
};

struct State { // of the deterministic one
    int next[256];
    std::vector<int> members, accepts;
};

class Matcher {
public:
    explicit Matcher(const std::vector<std::string> &patterns) {
        Compiler compiler(nodes);
        std::vector<int> starts;
        for (size_t i = 0; i < patterns.size(); i++) starts.push_back(compiler.compile(patterns[i], static_cast<int>(i)));
        state_of(closure(starts));
        for (size_t i = 0; i < states.size() && states.size() < budget; i++) expand(static_cast<int>(i));
    }
    uint32_t match(const uint8_t *text, uint32_t size) {
        int state = 0;
        uint32_t hash = 2166136261u;
        for (uint32_t i = 0; i < size; i++) {
            if (states[state].next[text[i]] < 0) expand(state);
            state = states[state].next[text[i]];
        }
        for (int pattern : states[state].accepts) hash = (hash ^ static_cast<uint32_t>(pattern)) * 16777619u;
        return hash;
    }
    uint32_t count() const { return static_cast<uint32_t>(states.size()); }

private:
    static constexpr size_t budget = 1500;
    std::vector<Node> nodes;
    std::vector<State> states;
    std::map<std::vector<int>, int> known;

    std::vector<int> closure(std::vector<int> open) const {
        std::vector<bool> seen(nodes.size());
        std::vector<int> out;
        while (!open.empty()) {
            int n = open.back();
            open.pop_back();
            if (n < 0 || seen[n]) continue;
            seen[n] = true;
            if (!nodes[n].set.empty() || nodes[n].accepts >= 0) out.push_back(n);
            if (nodes[n].set.empty()) open.push_back(nodes[n].next), open.push_back(nodes[n].other);
        }
        std::vector<int> sorted;
        for (size_t n = 0; n < nodes.size(); n++)
            if (seen[n] && (!nodes[n].set.empty() || nodes[n].accepts >= 0)) sorted.push_back(static_cast<int>(n));
        return sorted;
    }
    int state_of(std::vector<int> members) {
        auto found = known.find(members);
        if (found != known.end()) return found->second;
        State s;
        memset(s.next, 0xff, sizeof s.next);
        for (int n : members)
            if (nodes[n].accepts >= 0) s.accepts.push_back(nodes[n].accepts);
        s.members = members;
        states.push_back(s);
        int number = static_cast<int>(states.size()) - 1;
        known[members] = number;
        return number;
    }
    void expand(int state) {
        std::unordered_map<std::string, int> by_key; // characters that lead to the same nodes share a state
        for (int c = 0; c < 256; c++) {
            std::vector<int> to;
            for (int n : states[state].members)
                if (!nodes[n].set.empty() && nodes[n].set[c]) to.push_back(nodes[n].next);
            std::string key(reinterpret_cast<const char *>(to.data()), to.size() * sizeof(int));
            auto found = by_key.find(key);
            int target = found != by_key.end() ? found->second : state_of(closure(to));
            by_key[key] = target;
            states[state].next[c] = target;
        }
    }
};

Matcher *matcher;
uint8_t text[4096];

std::vector<std::string> make_patterns() {
    static const char *const names[] = {"Mozilla", "Opera", "Safari", "Chrome", "Edge", "curl", "Wget", "Bot", "Crawler", "Phone"};
    static const char *const forms[] = {"%s%d/[0-9]+.[0-9]+", "%s-%d( [a-z]+)?", "(%s|x)%d[^ ]*", "%s[A-Z]%d(ab|cd)+"};
    std::vector<std::string> patterns;
    for (int i = 0; i < 400; i++) {
        char pattern[64];
        snprintf(pattern, sizeof pattern, forms[i % 4], names[i / 4 % 10], i);
        patterns.push_back(pattern);
    }
    return patterns;
}

} // namespace

#define EXPORT(name) extern "C" __attribute__((export_name(name)))

EXPORT("wizer-initialize") void initialise() { matcher = new Matcher(make_patterns()); }
EXPORT("text") uint8_t *text_at() { return text; }
EXPORT("match") uint32_t match(uint32_t size) { return matcher->match(text, size % sizeof text); }
EXPORT("states") uint32_t states() { return matcher->count(); }

// Texts of its own, so that a test without a way to write to memory sees every pattern.
EXPORT("probe") uint32_t probe(uint32_t seed) {
    static const char *const samples[] = {"Mozilla0/12.5", "Mozilla1- abc", "x2tail", "Edge16/1.1", "CrawlerQ35abcdab", "xyz", ""};
    uint32_t hash = seed;
    for (const char *sample : samples) {
        memcpy(text, sample, strlen(sample));
        hash = hash * 31 + matcher->match(text, static_cast<uint32_t>(strlen(sample)));
    }
    return hash;
}
