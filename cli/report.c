// cli/report.c: where the bytes of a snapshot are, for people and as JSON; and what a frozen instance should not hold.
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"

// ---- The rows of both: a label, a JSON name, a member of wasmx_snapshot_size

typedef struct row {
    const char *label, *name;
    size_t member;
    bool wide; // 64 bits
} row;

static const row rows[] = {
    {"file, bytes", "bytes", offsetof(wasmx_snapshot_size, bytes), true},
    {"code, bytes", "code_bytes", offsetof(wasmx_snapshot_size, code_bytes), true},
    {"data, bytes", "data_bytes", offsetof(wasmx_snapshot_size, data_bytes), true},
    {"custom sections, bytes", "custom_bytes", offsetof(wasmx_snapshot_size, custom_bytes), true},
    {"memory, pages of 64 KiB", "pages", offsetof(wasmx_snapshot_size, pages), true},
    {"functions", "functions", offsetof(wasmx_snapshot_size, functions), false},
    {"imports", "imports", offsetof(wasmx_snapshot_size, imports), false},
    {"types", "types", offsetof(wasmx_snapshot_size, types), false},
    {"globals", "globals", offsetof(wasmx_snapshot_size, globals), false},
    {"data segments", "data_segments", offsetof(wasmx_snapshot_size, data_segments), false},
    {"element segments", "elem_segments", offsetof(wasmx_snapshot_size, elem_segments), false},
    {"table entries", "table_entries", offsetof(wasmx_snapshot_size, table_entries), false},
};
enum { ROWS = sizeof rows / sizeof *rows };

static unsigned long long figure(const wasmx_snapshot_size *s, const row *r) {
    const char *at = (const char *)s + r->member;
    return r->wide ? *(const uint64_t *)(const void *)at : *(const uint32_t *)(const void *)at;
}

void print_report(const wasmx_snapshot_result *r, const char *in) {
    fprintf(stderr, "%s%*s %12s %12s\n", in, (int)(30 - snprintf(NULL, 0, "%s", in)), "", "before", "after");
    for (int i = 0; i < ROWS; i++)
        fprintf(stderr, "  %-28s %12llu %12llu\n", rows[i].label, figure(&r->before, &rows[i]),
                figure(&r->after, &rows[i]));
    fprintf(stderr, "  pages of 4 KiB with data: %llu; zeros written between data: %llu bytes\n",
            (unsigned long long)r->nonzero_pages, (unsigned long long)r->filled_bytes);
    if (r->block_count) fputs("  the largest blocks of data:\n", stderr);
    for (unsigned i = 0; i < r->block_count; i++)
        fprintf(stderr, "    memory %u at 0x%llx: %llu bytes\n", r->blocks[i].memory,
                (unsigned long long)r->blocks[i].address, (unsigned long long)r->blocks[i].size);
    if (r->debug_removed)
        fputs("  sections that point into the code were left out; --keep-all keeps the code as it is\n", stderr);
    fprintf(stderr, "  seconds: compile %.2f, initialise %.2f, write %.2f\n", r->compile_seconds, r->init_seconds,
            r->write_seconds);
}

// ---- JSON

void print_json_text(FILE *f, const char *s) {
    fputc('"', f);
    for (; *s; s++) {
        if (*s == '"' || *s == '\\') fprintf(f, "\\%c", *s);
        else if ((unsigned char)*s < 0x20) fprintf(f, "\\u%04x", (unsigned char)*s);
        else fputc(*s, f);
    }
    fputc('"', f);
}

static void put_size(FILE *f, const char *name, const wasmx_snapshot_size *s) {
    fprintf(f, ",\n  \"%s\": {", name);
    for (int i = 0; i < ROWS; i++) fprintf(f, "%s\"%s\": %llu", i ? ", " : "", rows[i].name, figure(s, &rows[i]));
    fputc('}', f);
}

static void put_blocks(FILE *f, const wasmx_snapshot_result *r) {
    fputs(",\n  \"blocks\": [", f);
    for (unsigned i = 0; i < r->block_count; i++)
        fprintf(f, "%s{\"memory\": %u, \"address\": %llu, \"bytes\": %llu}", i ? ", " : "", r->blocks[i].memory,
                (unsigned long long)r->blocks[i].address, (unsigned long long)r->blocks[i].size);
    fputc(']', f);
}

static void put_notes(FILE *f, const wasmx_snapshot_result *r) {
    fputs(",\n  \"calls\": [", f);
    for (unsigned i = 0; i < r->note_count; i++)
        fprintf(f, "%s{\"name\": \"%s\", \"count\": %llu, \"bytes\": %llu}", i ? ", " : "", r->notes[i].call,
                (unsigned long long)r->notes[i].count, (unsigned long long)r->notes[i].bytes);
    fprintf(f, "],\n  \"system_sources\": %s", r->system_sources ? "true" : "false");
}

wasmx_buffer report_json(const wasmx_snapshot_result *r, const char *in) {
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    if (!f) abort();
    fputs("{\n  \"input\": ", f);
    print_json_text(f, in);
    put_size(f, "before", &r->before);
    put_size(f, "after", &r->after);
    put_blocks(f, r);
    put_notes(f, r);
    fprintf(f, ",\n  \"data_pages\": %llu,\n  \"filled_bytes\": %llu,\n  \"debug_removed\": %s",
            (unsigned long long)r->nonzero_pages, (unsigned long long)r->filled_bytes,
            r->debug_removed ? "true" : "false");
    fprintf(f, ",\n  \"seconds\": {\"compile\": %.6f, \"initialise\": %.6f, \"write\": %.6f}\n}\n", r->compile_seconds,
            r->init_seconds, r->write_seconds);
    fclose(f);
    return (wasmx_buffer){(uint8_t *)text, size};
}

// ---- What is frozen now

static const char *times(unsigned long long n) { return n == 1 ? "time" : "times"; }

void print_notes(const wasmx_snapshot_result *r, const char *in) {
    const char *from = r->system_sources ? "the system's" : "fixed";
    for (unsigned i = 0; i < r->note_count; i++) {
        const wasmx_snapshot_note *n = &r->notes[i];
        unsigned long long count = n->count, bytes = n->bytes;
        fprintf(stderr, "%s: %s: %s called %llu %s", program_name, in, n->call, count, times(count));
        if (bytes) fprintf(stderr, ", %llu bytes", bytes);
        fprintf(stderr, ", %s: a value baked into every instance\n", from);
    }
}
