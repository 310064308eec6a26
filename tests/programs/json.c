// tests/programs/json.c: a JSON parser and printer over a generated document, then documents with mistakes in them.
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"

enum kind { NUL, FALSE_, TRUE_, NUMBER, STRING, ARRAY, OBJECT };

struct value {
    enum kind kind;
    double number;
    char *text; // STRING: owned bytes; for a member of an object the key is in `key`
    size_t len;
    char *key;
    struct value *first, *next; // children of ARRAY and OBJECT, in order
};

// ---- text that grows

struct text {
    char *p;
    size_t len, cap;
};

static void put(struct text *t, const char *s, size_t n) {
    if (t->len + n + 1 > t->cap) {
        t->cap = (t->len + n + 1) * 2;
        t->p = realloc(t->p, t->cap);
        if (!t->p) abort();
    }
    memcpy(t->p + t->len, s, n);
    t->len += n;
    t->p[t->len] = 0;
}

static void puts_(struct text *t, const char *s) { put(t, s, strlen(s)); }
static void putc_(struct text *t, char c) { put(t, &c, 1); }

// ---- parsing

struct parser {
    const char *start, *at;
    const char *error; // the first one
    const char *error_at;
    int depth;
};

#define MAX_DEPTH 16

static bool fail(struct parser *p, const char *why) {
    if (!p->error) p->error = why, p->error_at = p->at;
    return false;
}

static void blanks(struct parser *p) {
    while (*p->at == ' ' || *p->at == '\n' || *p->at == '\t' || *p->at == '\r') p->at++;
}

static void put_utf8(struct text *t, uint32_t c) {
    int more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const unsigned char lead[] = {0, 0xc0, 0xe0, 0xf0};
    putc_(t, (char)(lead[more] | c >> 6 * more));
    while (more-- > 0) putc_(t, (char)(0x80 | (c >> 6 * more & 63)));
}

static bool hex4(struct parser *p, uint32_t *out) {
    static const char digits[] = "0123456789abcdefABCDEF";
    *out = 0;
    for (int i = 0; i < 4; i++, p->at++) {
        const char *d = *p->at ? strchr(digits, *p->at) : NULL;
        if (!d) return fail(p, "bad \\u escape");
        *out = *out * 16 + (uint32_t)(d - digits < 16 ? d - digits : d - digits - 6);
    }
    return true;
}

static bool escape(struct parser *p, struct text *t) {
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    char c = *p->at;
    const char *which = c ? strchr(from, c) : NULL;
    if (which) return putc_(t, to[which - from]), p->at++, true;
    if (c != 'u') return fail(p, "bad escape");
    uint32_t hi, lo;
    p->at++;
    if (!hex4(p, &hi)) return false;
    if (hi >= 0xdc00 && hi < 0xe000) return fail(p, "lone surrogate");
    if (hi >= 0xd800 && hi < 0xdc00) {
        if (p->at[0] != '\\' || p->at[1] != 'u') return fail(p, "lone surrogate");
        p->at += 2;
        if (!hex4(p, &lo)) return false;
        if (lo < 0xdc00 || lo >= 0xe000) return fail(p, "lone surrogate");
        hi = 0x10000 + ((hi - 0xd800) << 10) + (lo - 0xdc00);
    }
    return put_utf8(t, hi), true;
}

static bool string(struct parser *p, char **out, size_t *len) {
    struct text t = {0};
    put(&t, "", 0);
    *out = t.p;
    if (*p->at != '"') return fail(p, "string expected");
    for (p->at++; *p->at != '"';) {
        bool good = true;
        if ((unsigned char)*p->at < 0x20) good = fail(p, *p->at ? "control character in string" : "string not closed");
        else if (*p->at == '\\') p->at++, good = escape(p, &t);
        else putc_(&t, *p->at++);
        *out = t.p;
        *len = t.len;
        if (!good) return false;
    }
    p->at++;
    return true;
}

// One digit or more at s, else an error.
static const char *some_digits(struct parser *p, const char *s, const char *why) {
    const char *end = s + strspn(s, "0123456789");
    return end == s ? fail(p, why), NULL : end;
}

static bool number(struct parser *p, struct value *v) {
    const char *s = p->at + (*p->at == '-');
    s = *s == '0' ? s + 1 : some_digits(p, s, "value expected");
    if (s && *s == '.') s = some_digits(p, s + 1, "digits expected after the point");
    if (s && (*s == 'e' || *s == 'E'))
        s = some_digits(p, s + 1 + (s[1] == '+' || s[1] == '-'), "digits expected in the exponent");
    if (!s) return false;
    v->kind = NUMBER;
    v->number = strtod(p->at, NULL);
    p->at = s;
    return true;
}

static bool value(struct parser *p, struct value *v);

static bool children(struct parser *p, struct value *v, char close) {
    struct value **tail = &v->first;
    if (++p->depth > MAX_DEPTH) return fail(p, "too deep");
    for (p->at++, blanks(p); *p->at != close; blanks(p)) {
        if (v->first) {
            if (*p->at != ',') return fail(p, close == ']' ? "',' or ']' expected" : "',' or '}' expected");
            p->at++, blanks(p);
        }
        struct value *child = *tail = calloc(1, sizeof *child);
        size_t len;
        tail = &child->next;
        if (v->kind == OBJECT) {
            if (!string(p, &child->key, &len)) return false;
            blanks(p);
            if (*p->at++ != ':') return p->at--, fail(p, "':' expected");
            blanks(p);
        }
        if (!value(p, child)) return false;
    }
    p->at++;
    p->depth--;
    return true;
}

static bool word(struct parser *p, struct value *v, const char *w, enum kind kind) {
    if (strncmp(p->at, w, strlen(w))) return fail(p, "value expected");
    v->kind = kind;
    p->at += strlen(w);
    return true;
}

static bool value(struct parser *p, struct value *v) {
    switch (*p->at) {
    case '{': return v->kind = OBJECT, children(p, v, '}');
    case '[': return v->kind = ARRAY, children(p, v, ']');
    case '"': return v->kind = STRING, string(p, &v->text, &v->len);
    case 't': return word(p, v, "true", TRUE_);
    case 'f': return word(p, v, "false", FALSE_);
    case 'n': return word(p, v, "null", NUL);
    default: return number(p, v);
    }
}

static struct value *parse(const char *text, struct parser *p) {
    struct value *v = calloc(1, sizeof *v);
    *p = (struct parser){.start = text, .at = text};
    blanks(p);
    if (value(p, v)) {
        blanks(p);
        if (*p->at) fail(p, "something after the value");
    }
    return v;
}

static void destroy(struct value *v) {
    for (struct value *c = v->first, *next; c; c = next) next = c->next, destroy(c);
    free(v->text);
    free(v->key);
    free(v);
}

// ---- printing

static void print_string(struct text *t, const char *s) {
    putc_(t, '"');
    for (; *s; s++) {
        char hex[8];
        if (*s == '"' || *s == '\\') putc_(t, '\\'), putc_(t, *s);
        else if ((unsigned char)*s < 0x20) snprintf(hex, sizeof hex, "\\u%04x", *s), puts_(t, hex);
        else putc_(t, *s);
    }
    putc_(t, '"');
}

static void newline(struct text *t, int indent) {
    if (indent < 0) return;
    putc_(t, '\n');
    for (int i = 0; i < indent; i++) puts_(t, "  ");
}

// A negative indent prints everything on one line.
static void print(struct text *t, const struct value *v, int indent) {
    static const char *const words[] = {"null", "false", "true"};
    char buf[40];
    if (v->kind <= TRUE_) puts_(t, words[v->kind]);
    else if (v->kind == NUMBER) snprintf(buf, sizeof buf, "%.17g", v->number), puts_(t, buf);
    else if (v->kind == STRING) print_string(t, v->text);
    else {
        int inner = indent < 0 ? indent : indent + 1;
        putc_(t, v->kind == ARRAY ? '[' : '{');
        for (const struct value *c = v->first; c; c = c->next) {
            newline(t, inner);
            if (c->key) print_string(t, c->key), puts_(t, indent < 0 ? ":" : ": ");
            print(t, c, inner);
            if (c->next) putc_(t, ',');
        }
        if (v->first) newline(t, indent);
        putc_(t, v->kind == ARRAY ? ']' : '}');
    }
}

// ---- the document

static void generate(struct text *t, uint64_t *rng, int depth) {
    static const char *const atoms[] = {"true", "false", "null", "\"a\\nb\"", "\"\\u00e9\\ud83d\\ude00 \\\"x\\\"\"",
                                        "-0",   "1e-7"};
    char buf[64];
    uint32_t pick = rng_below(rng, depth > 0 ? 10 : 6);
    if (pick < 2) puts_(t, atoms[rng_below(rng, 7)]);
    else if (pick < 4) snprintf(buf, sizeof buf, "%d", (int)rng_below(rng, 2000000) - 1000000), puts_(t, buf);
    else if (pick < 6) snprintf(buf, sizeof buf, "%.15g", rng_unit(rng) * 1e6), puts_(t, buf);
    else {
        uint32_t n = rng_below(rng, 9);
        putc_(t, pick & 1 ? '[' : '{');
        for (uint32_t i = 0; i < n; i++) {
            if (i) puts_(t, " ,");
            if (!(pick & 1)) snprintf(buf, sizeof buf, "\"key%u\" : ", rng_below(rng, 1000)), puts_(t, buf);
            generate(t, rng, depth - 1);
        }
        putc_(t, pick & 1 ? ']' : '}');
    }
}

static void round_trips(void) {
    struct text doc = {0};
    uint64_t rng = 2024;
    putc_(&doc, '[');
    for (int i = 0; i < 4000; i++) generate(&doc, &rng, 6), puts_(&doc, i < 3999 ? ",\n" : "]");
    printf("document: %u bytes\n", (unsigned)doc.len);
    for (int pretty = 0; pretty < 4; pretty++) {
        struct parser p;
        struct value *v = parse(doc.p, &p);
        struct text out = {0};
        print(&out, v, pretty & 1 ? 0 : -1);
        printf("round %d: %s, %u bytes, sum %016llx\n", pretty, p.error ? p.error : "ok", (unsigned)out.len,
               (unsigned long long)sum_bytes(SUM_START, out.p, out.len));
        destroy(v);
        free(doc.p);
        doc = out;
    }
    free(doc.p);
}

int main(void) {
    static const char *const small[] = {
        "{\"a\":[1,2.5,-3e2,{\"b\":null}],\"c\":\"\\u0041\\t\\u20ac\"}", " [ ] ", "", "[1,2", "{\"a\" 1}", "[01]",
        "[1.]", "[2e]", "\"\\x\"", "\"\\ud800\"", "\"abc", "tru", "[1] 2", "{\"a\":1,}", "-", "\"a\nb\"", "1e400",
        "[-0, 5e-324]", "[[[[[[[[[[[[[[[[[[",
    };
    for (size_t i = 0; i < sizeof small / sizeof *small; i++) {
        struct parser p;
        struct value *v = parse(small[i], &p);
        struct text out = {0};
        if (p.error) printf("%2d: error at %d: %s\n", (int)i, (int)(p.error_at - p.start), p.error);
        else print(&out, v, 0), printf("%2d: %s\n", (int)i, out.p);
        destroy(v);
        free(out.p);
    }
    round_trips();
    return 0;
}
