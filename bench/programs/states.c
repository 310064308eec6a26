// states: a scanner for a small language, one big switch over its state for each character.
#include "bench.h"

enum { SIZE = 6 << 20, ROUNDS = 4 };
enum state { START, NAME, ZERO, DECIMAL, FRACTION, EXPONENT, POWER, HEX, STRING,
             ESCAPE, SLASH, LINE, BLOCK, STAR, LESS, GREATER, STATES };
static uint8_t text[SIZE];
static uint32_t tokens[STATES], nesting, deepest, lines;

static void prepare(void) {
    static const char *const pieces[] = {"while", " x1", "(", ")", "{", "}\n", "0x1fA ", "12.5e-3 ", "0 ",
                                         "\"a \\\"text\\\"\"", "// note\n",
                                         "/* a * b */", "<", "<=", ">> ",
                                         ";\n", " = ", "  ", "counter", "+ 7", "/ ", "3.14;", "[i]", "\t"};
    for (int at = 0; at < SIZE;) {
        const char *p = pieces[rng_below(sizeof pieces / sizeof *pieces)];
        while (*p && at < SIZE) text[at++] = (uint8_t)*p++;
    }
}

static inline int is_letter(uint8_t c) { return (c | 32) - 'a' < 26u || c == '_'; }
static inline int is_digit(uint8_t c) { return c - '0' < 10u; }
static inline int is_hex(uint8_t c) { return is_digit(c) || (c | 32) - 'a' < 6u; }

static enum state begin(uint8_t c) {
    switch (c) {
    case ' ': case '\t': return START;
    case '\n': lines++; return START;
    case '(': case '[': case '{': if (++nesting > deepest) deepest = nesting; return START;
    case ')': case ']': case '}': if (nesting) nesting--; return START;
    case '"': return STRING;
    case '/': return SLASH;
    case '<': return LESS;
    case '>': return GREATER;
    case '0': return ZERO;
    case '1': case '2': case '3': case '4': case '5': case '6': case '7': case '8': case '9': return DECIMAL;
    default: return is_letter(c) ? NAME : START;
    }
}

static enum state end(enum state s, uint8_t c) {
    tokens[s]++;
    return begin(c);
}

static enum state step(enum state s, uint8_t c) {
    switch (s) {
    case START: return begin(c);
    case NAME: return is_letter(c) || is_digit(c) ? NAME : end(s, c);
    case ZERO: return (c | 32) == 'x' ? HEX : c == '.' ? FRACTION : end(s, c);
    case DECIMAL: return is_digit(c) ? DECIMAL : c == '.' ? FRACTION : (c | 32) == 'e' ? EXPONENT : end(s, c);
    case FRACTION: return is_digit(c) ? FRACTION : (c | 32) == 'e' ? EXPONENT : end(s, c);
    case EXPONENT: return is_digit(c) || c == '-' || c == '+' ? POWER : end(s, c);
    case POWER: return is_digit(c) ? POWER : end(s, c);
    case HEX: return is_hex(c) ? HEX : end(s, c);
    case STRING: return c == '\\' ? ESCAPE : c == '"' ? end(s, ' ') : STRING;
    case ESCAPE: return STRING;
    case SLASH: return c == '/' ? LINE : c == '*' ? BLOCK : end(s, c);
    case LINE: return c == '\n' ? end(s, c) : LINE;
    case BLOCK: return c == '*' ? STAR : BLOCK;
    case STAR: return c == '/' ? end(BLOCK, ' ') : c == '*' ? STAR : BLOCK;
    case LESS: return c == '<' || c == '=' ? end(s, ' ') : end(s, c);
    case GREATER: return c == '>' || c == '=' ? end(s, ' ') : end(s, c);
    default: return START;
    }
}

static uint64_t work(void) {
    for (int round = 0; round < ROUNDS; round++) {
        enum state s = START;
        for (int at = 0; at < SIZE; at++) s = step(s, text[at]);
    }
    return sum_bytes(tokens, sizeof tokens) + deepest * 1000003u + lines;
}
