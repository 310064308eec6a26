// tests/programs/streams.c: stdio on memory: open_memstream and fmemopen, seeking, pushing back, scanning, line by line.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"

static char *text;
static size_t text_len;

static void write_rows(void) {
    FILE *f = open_memstream(&text, &text_len);
    uint64_t rng = 10;
    if (!f) exit(1);
    for (int i = 0; i < 50000; i++) {
        double number = rng_unit(&rng) * 100; // not among the arguments: their order is open
        uint32_t hex = rng_below(&rng, 1 << 20);
        fprintf(f, "%d,%s,%.3f,%x\n", i, i % 3 ? "odd" : "\"quoted, too\"", number, (unsigned)hex);
    }
    fputs("end", f);
    fputc('\n', f);
    fclose(f);
    printf("written %u bytes, sum %016llx\n", (unsigned)text_len,
           (unsigned long long)sum_bytes(SUM_START, text, text_len));
}

static void read_rows(void) {
    FILE *f = fmemopen(text, text_len, "r");
    char line[128], word[32];
    int rows = 0, odd = 0, index;
    double number, sum = 0;
    unsigned hex, mixed = 0;
    if (!f) exit(1);
    while (fgets(line, sizeof line, f)) {
        if (sscanf(line, "%d,%31[a-z],%lf,%x", &index, word, &number, &hex) == 4) odd++;
        else if (sscanf(line, "%d,\"%*[^\"]\",%lf,%x", &index, &number, &hex) != 3) continue;
        rows++, sum += number, mixed = mixed * 31 + hex + (unsigned)index;
    }
    printf("read %d rows, %d odd, sum %.3f, mixed %08x, end %d, error %d\n", rows, odd, sum, mixed, feof(f) != 0,
           ferror(f) != 0);
    fclose(f);
}

static void read_bytes(void) {
    FILE *f = fmemopen(text, text_len, "r");
    uint32_t counts[256] = {0};
    uint64_t sum = SUM_START;
    int c, n = 0;
    if (!f) exit(1);
    while ((c = getc(f)) != EOF) {
        counts[c]++;
        if (c == ',' && n++ % 5 == 0) ungetc(';', f);
    }
    printf("bytes %016llx, commas %u, semicolons %u\n", (unsigned long long)sum_bytes(sum, counts, sizeof counts),
           (unsigned)counts[','], (unsigned)counts[';']);
    for (int i = 0; i < 5; i++) {
        char buf[17] = "";
        if (fseek(f, i * 1000 + 7, SEEK_SET)) printf("seek failed ");
        size_t got = fread(buf, 1, 16, f);
        for (char *p = buf; *p; p++)
            if (*p == '\n') *p = '/';
        printf("at %ld: %u \"%s\"\n", ftell(f), (unsigned)got, buf);
    }
    fclose(f);
}

static void update(void) {
    char buf[64] = "0123456789";
    FILE *f = fmemopen(buf, sizeof buf, "r+");
    if (!f) exit(1);
    fseek(f, 3, SEEK_SET);
    fputs("abc", f);
    fflush(f);
    fseek(f, 0, SEEK_SET);
    char back[16] = "";
    size_t got = fread(back, 1, 10, f);
    fclose(f);
    printf("update %u %s\n", (unsigned)got, back);
    f = fmemopen(buf, 4, "w");
    if (!f) exit(1);
    setvbuf(f, NULL, _IONBF, 0);
    int written = (int)fwrite("abcdefgh", 1, 8, f);
    fclose(f);
    printf("short write %d %.3s\n", written, buf);
}

static void failures(void) {
    errno = 0;
    FILE *f = fopen("/no/such/file", "r");
    printf("open: %d %d\n", f != NULL, errno != 0);
    printf("tell: %ld, numbers:", ftell(stdout) < 0 ? -1L : 0L);
    int a = -1, b = -1, n = sscanf("12 x", "%d %d", &a, &b);
    printf(" %d %d %d, %d\n", n, a, b, sscanf("", "%d", &a));
}

int main(void) {
    write_rows();
    read_rows();
    read_bytes();
    update();
    failures();
    free(text);
    return 0;
}
