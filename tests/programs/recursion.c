// tests/programs/recursion.c: calls: deep and bounded recursion, mutual recursion, many arguments, large frames, searches.
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common.h"

static uint64_t calls;

static uint32_t ackermann(uint32_t m, uint32_t n) {
    calls++;
    if (m == 0) return n + 1;
    return ackermann(m - 1, n ? ackermann(m, n - 1) : 1);
}

static int tak(int x, int y, int z) {
    calls++;
    return y < x ? tak(tak(x - 1, y, z), tak(y - 1, z, x), tak(z - 1, x, y)) : z;
}

static uint32_t fib(uint32_t n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

static bool is_odd(uint32_t n);
__attribute__((noinline)) static bool is_even(uint32_t n) { return n == 0 || is_odd(n - 1); }
__attribute__((noinline)) static bool is_odd(uint32_t n) { return n != 0 && is_even(n - 1); }

// A frame in memory at each level, read again on the way back.
__attribute__((noinline)) static uint64_t frames(int depth, const volatile uint32_t *above) {
    volatile uint32_t mine[24];
    for (int i = 0; i < 24; i++) mine[i] = (above ? above[i] : 7u) * 31 + (uint32_t)(depth + i);
    uint64_t below = depth ? frames(depth - 1, mine) : 0;
    return below * 3 + mine[depth % 24];
}

__attribute__((noinline)) static double many(int depth, int a, int64_t b, float c, double d, uint8_t e, int16_t f,
                                             int64_t g, double h, float i, int j, int64_t k, double l) {
    if (depth == 0)
        return a + (double)b * 2 + (double)c * 3 + d * 4 + e * 5 + f * 6 + (double)g * 7 + h * 8 + (double)i * 9 +
               j * 10 + (double)k * 11 + l * 12;
    return many(depth - 1, j, k, i, l, (uint8_t)(e + 1), (int16_t)-f, b, d, c, a, g, h + 0.5) + 1;
}

struct big {
    int32_t v[20];
};

__attribute__((noinline)) static struct big by_value(struct big b, int depth) {
    for (int i = 0; i < 20; i++) b.v[i] = (int32_t)((uint32_t)b.v[(i * 7 + 3) % 20] * 5u + (uint32_t)depth);
    return depth ? by_value(b, depth - 1) : b;
}

static int64_t add_all(int n, ...) {
    va_list ap;
    int64_t sum = 0;
    va_start(ap, n);
    for (int i = 0; i < n; i++)
        sum += i % 3 == 0 ? va_arg(ap, int) : i % 3 == 1 ? va_arg(ap, int64_t) : (int64_t)va_arg(ap, double);
    va_end(ap);
    return sum;
}

// ---- searches

static int queens(int n, uint32_t columns, uint32_t left, uint32_t right, int row) {
    int found = 0;
    if (row == n) return 1;
    for (uint32_t free = ~(columns | left | right) & ((1u << n) - 1), bit; free; free ^= bit) {
        bit = free & -free;
        found += queens(n, columns | bit, (left | bit) << 1, (right | bit) >> 1, row + 1);
    }
    return found;
}

static bool fits(const char *board, int at, char digit) {
    int row = at / 9, column = at % 9, box = row / 3 * 27 + column / 3 * 3;
    for (int i = 0; i < 9; i++)
        if (board[row * 9 + i] == digit || board[i * 9 + column] == digit || board[box + i / 3 * 9 + i % 3] == digit)
            return false;
    return true;
}

static bool sudoku(char *board, int at) {
    calls++;
    while (at < 81 && board[at] != '.') at++;
    if (at == 81) return true;
    for (char digit = '1'; digit <= '9'; digit++) {
        if (!fits(board, at, digit)) continue;
        board[at] = digit;
        if (sudoku(board, at + 1)) return true;
    }
    board[at] = '.';
    return false;
}

static uint64_t permutations(char *s, int n, uint64_t sum) {
    if (n == 1) return sum_bytes(sum, s, 9);
    for (int i = 0; i < n; i++) {
        sum = permutations(s, n - 1, sum);
        int j = n & 1 ? 0 : i;
        char t = s[j];
        s[j] = s[n - 1], s[n - 1] = t;
    }
    return sum;
}

// ---- a recursive-descent calculator

static int64_t sum_of(const char **s);

static int64_t atom(const char **s) {
    int64_t v = 0;
    if (**s == '-') return ++*s, -atom(s);
    if (**s == '(') {
        ++*s;
        v = sum_of(s);
        ++*s;
        return v;
    }
    while (**s >= '0' && **s <= '9') v = v * 10 + *(*s)++ - '0';
    return v;
}

static int64_t term(const char **s) {
    int64_t v = atom(s);
    while (**s == '*' || **s == '/') {
        char op = *(*s)++;
        int64_t right = atom(s);
        v = op == '*' ? v * right : right ? v / right : 0;
    }
    return v;
}

static int64_t sum_of(const char **s) {
    int64_t v = term(s);
    while (**s == '+' || **s == '-') v = *(*s)++ == '+' ? v + term(s) : v - term(s);
    return v;
}

static void calculator(void) {
    static char text[4096];
    const char *s = "2+3*(4-1)*-(7/2)-(((10)))";
    printf("calc %lld", (long long)sum_of(&s));
    for (int i = 0; i < 1000; i++) text[i] = '(', text[1001 + i] = ')';
    text[1000] = '9';
    s = text;
    printf(" %lld\n", (long long)sum_of(&s));
}

int main(void) {
    uint32_t a = ackermann(2, 500);
    a += ackermann(3, 8);
    printf("ackermann %u, calls %llu\n", (unsigned)a, (unsigned long long)calls);
    calls = 0;
    printf("tak %d", tak(24, 16, 8));
    printf(", calls %llu\nfib %u\n", (unsigned long long)calls, (unsigned)fib(37));
    printf("parity %d %d\n", is_even(3000), is_odd(3000));
    printf("frames %016llx\n", (unsigned long long)frames(3000, NULL));
    printf("many %.17g %.17g\n", many(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12),
           many(1000, 1, -2, 3.5f, 4.25, 250, -6, 7, 8.125, -9, 10, 11, -12));
    struct big b = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20}};
    b = by_value(b, 300);
    printf("by value %016llx\n", (unsigned long long)sum_bytes(SUM_START, &b, sizeof b));
    printf("variadic %lld\n", (long long)add_all(7, 1, (int64_t)1 << 40, 3.75, -4, (int64_t)-5, 6e10, 7));
    for (int n = 4; n <= 11; n++) printf("queens %d: %d\n", n, queens(n, 0, 0, 0, 0));
    char board[82] = "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79",
         letters[] = "abcdefghi";
    calls = 0;
    bool solved = sudoku(board, 0);
    printf("sudoku %d %s, calls %llu\n", solved, board, (unsigned long long)calls);
    printf("permutations %016llx\n", (unsigned long long)permutations(letters, 9, SUM_START));
    calculator();
    return 0;
}
