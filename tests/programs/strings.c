// tests/programs/strings.c: the memory and string functions of libc against plain loops, and a search over generated text.
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"

enum { SIZE = 1 << 16 };
static unsigned char here[SIZE], there[SIZE], plain[SIZE];

static int sign(int x) { return (x > 0) - (x < 0); }

// Every small length and alignment, then large blocks: copies, overlapping moves, fills, comparisons.
static void blocks(void) {
    uint64_t rng = 12, wrong = 0, sum = SUM_START;
    for (int i = 0; i < SIZE; i++) here[i] = (unsigned char)rng_next(&rng);
    memcpy(there, here, SIZE);
    memcpy(plain, here, SIZE);
    for (int round = 0; round < 6000; round++) {
        uint32_t len = round < 4000 ? (uint32_t)round % 70 : rng_below(&rng, SIZE / 4);
        uint32_t to = rng_below(&rng, SIZE - len),
                 from = rng_below(&rng, 3) ? rng_below(&rng, SIZE - len) : to ^ (to > 3 ? 3 : 0);
        if (from > SIZE - len) from = 0;
        switch (round % 4) {
        case 0:
            memmove(there + to, there + from, len);
            if (to <= from)
                for (uint32_t i = 0; i < len; i++) plain[to + i] = plain[from + i];
            else
                for (uint32_t i = len; i-- > 0;) plain[to + i] = plain[from + i];
            break;
        case 1:
            memset(there + to, round, len);
            for (uint32_t i = 0; i < len; i++) plain[to + i] = (unsigned char)round;
            break;
        case 2:
            memcpy(there + to, here + from, len);
            for (uint32_t i = 0; i < len; i++) plain[to + i] = here[from + i];
            break;
        default: {
            uint32_t i = 0;
            while (i < len && there[to + i] == here[from + i]) i++;
            int expected = i == len ? 0 : there[to + i] < here[from + i] ? -1 : 1;
            wrong += sign(memcmp(there + to, here + from, len)) != expected;
            unsigned char wanted = (unsigned char)round, *found = memchr(there + to, wanted, len);
            for (i = 0; i < len && there[to + i] != wanted;) i++;
            wrong += found != (i == len ? NULL : there + to + i);
        }
        }
        if (round % 500 == 0) wrong += memcmp(there, plain, SIZE) != 0, sum = sum_bytes(sum, there, SIZE);
    }
    printf("blocks: %d wrong, sum %016llx\n", (int)wrong + (memcmp(there, plain, SIZE) != 0), (unsigned long long)sum);
}

// ---- words

static char *make_text(size_t len, uint64_t *rng) {
    char *text = malloc(len + 1);
    if (!text) exit(1);
    for (size_t i = 0; i < len; i++) {
        uint32_t r = rng_below(rng, 40);
        text[i] = r < 26 ? (char)('a' + r % 7) : r < 30 ? (char)('A' + r % 7) : r < 32 ? '\n' : r < 33 ? '.' : ' ';
    }
    text[len] = 0;
    return text;
}

static int count(const char *text, const char *needle) {
    int n = 0;
    for (const char *p = text; (p = strstr(p, needle)); p++) n++;
    return n;
}

static int count_naive(const char *text, const char *needle) {
    int n = 0;
    size_t len = strlen(needle);
    for (const char *p = text; *p; p++) n += !strncmp(p, needle, len);
    return n;
}

static void searches(const char *text) {
    static const char *const needles[] = {"a",    "ab",      "bad",  "fade",  "cab. ",
                                          "gggg", "abcdefg", "Bead", "zebra", "\n\n"};
    for (size_t i = 0; i < sizeof needles / sizeof *needles; i++) {
        const char *first = strstr(text, needles[i]);
        printf("search %d: %d %d, first at %d\n", (int)i, count(text, needles[i]), count_naive(text, needles[i]),
               first ? (int)(first - text) : -1);
    }
}

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void words(const char *text) {
    char *copy = strdup(text), *save = NULL;
    int n = 0, unique = 0, longest = 0;
    char **list = malloc(400000 * sizeof *list);
    if (!copy || !list) exit(1);
    for (char *w = strtok_r(copy, " .\n", &save); w; w = strtok_r(NULL, " .\n", &save)) list[n++] = w;
    qsort(list, (size_t)n, sizeof *list, by_text);
    for (int i = 0; i < n; i++) {
        unique += i == 0 || strcmp(list[i], list[i - 1]) != 0;
        if (strlen(list[i]) > strlen(list[longest])) longest = i;
    }
    uint64_t sum = SUM_START;
    for (int i = 0; i < n; i++) sum = sum_bytes(sum, list[i], strlen(list[i]) + 1);
    printf("words %d, unique %d, first %s, last %s, longest %s, sum %016llx\n", n, unique, list[0], list[n - 1],
           list[longest], (unsigned long long)sum);
    free(list);
    free(copy);
}

static void transforms(const char *text) {
    size_t len = strlen(text);
    char *copy = strdup(text);
    if (!copy) exit(1);
    for (int round = 0; round < 10; round++) {
        for (size_t i = 0; i < len; i++)
            copy[i] = (char)(round & 1 ? tolower((unsigned char)copy[i]) : toupper((unsigned char)copy[i]));
        for (size_t i = 0, j = len - 1; i < j; i++, j--) {
            char t = copy[i];
            copy[i] = copy[j], copy[j] = t;
        }
    }
    size_t lines = 0, spaces = 0, upper = 0;
    for (const char *p = text; *p; p++)
        lines += *p == '\n', spaces += isspace((unsigned char)*p) != 0, upper += isupper((unsigned char)*p) != 0;
    printf("transforms %016llx, lines %u, spaces %u, upper %u\n", (unsigned long long)sum_bytes(SUM_START, copy, len),
           (unsigned)lines, (unsigned)spaces, (unsigned)upper);
    free(copy);
}

// ? matches one byte, * any number.
static bool glob(const char *pattern, const char *s) {
    const char *star = NULL, *mark = NULL;
    while (*s) {
        if (*pattern == '?' || (*pattern == *s && *pattern != '*')) pattern++, s++;
        else if (*pattern == '*') star = pattern++, mark = s;
        else if (star) pattern = star + 1, s = ++mark;
        else return false;
    }
    return pattern[strspn(pattern, "*")] == 0;
}

static void small(void) {
    char buf[64] = "start";
    strcat(buf, "-middle");
    strncat(buf, "-end", 9);
    printf("%s %d %d %d %s %s\n", buf, (int)strlen(buf), (int)strspn(buf, "start"), (int)strcspn(buf, "-"),
           strrchr(buf, '-'), strpbrk(buf, "xyzdm"));
    memset(buf, '#', sizeof buf);
    strncpy(buf, "abc", 8);
    printf("%d %d %c, cmp %d %d %d %d\n", buf[3], buf[7], buf[8], sign(strcmp("abc", "abd")),
           sign(strncmp("abcx", "abcy", 3)), sign(strcmp("\xff", "a")), sign(memcmp("\xff", "a", 1)));
    printf("%d%d%d%d\n", glob("*.c", "strings.c"), glob("s*i*g?.c", "strings.c"), glob("*x*", "strings.c"),
           glob("**a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
    snprintf(buf, sizeof buf, "%5d|%-5d|%05d|%x|%#o|%c|%.3s|%8s|%-8s|%%", -42, 42, 42, 0xbeef, 8, 'c', "abcdef",
             "right", "left");
    volatile size_t room = 4; // less than it needs, which is the point
    int wanted = snprintf(buf + 60, room, "%d", 1234567);
    printf("%s %s %d\n", buf, buf + 60, wanted);
    int a = 0;
    unsigned b = 0;
    char word[16] = "";
    int got = sscanf(" 12 abc,ff rest", "%d %15[a-c],%x", &a, word, &b);
    printf("%d %d %s %u %ld %ld\n", got, a, word, b, strtol("-0x1fz", NULL, 16), strtol("077", NULL, 0));
}

int main(void) {
    uint64_t rng = 6;
    char *text = make_text(600000, &rng);
    blocks();
    searches(text);
    words(text);
    transforms(text);
    small();
    free(text);
    return 0;
}
