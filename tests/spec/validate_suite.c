// tests/spec/validate_suite.c: every module of the official suite through decoder, validator, encoder and printer.
//
//   validate_suite [--skipped N] [--write] SKIPFILE DIR...
//
// N files were left out before and count as skipped. With --write a good N.wasm gets N.wat, as we print it, and N.enc,
// as we encode it without custom sections, beside it (for validate_suite.print.mjs).
// DIR holds what convert.mjs wrote (script.txt and N.wasm below it). A good module has to decode, validate, encode to
// bytes that decode, validate and encode to the same bytes again, and print. A module of assert_invalid or
// assert_malformed has to be refused; when our message does not begin with the expected text that is printed, as
// information. Last line: validate_suite: P passed, F failed, S skipped.
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "wasm/wasm.h"

static struct { unsigned passed, failed, skipped, other_text, by_parser; } counts;
static const char *root;      // the DIR at hand
static bool write_forms;      // --write
static wx_buf skips;          // the skip file
static char script[4096];     // path of the script at hand, below root, without /script.txt
static char dir[4096];

static void failed(const char *line, const char *why) {
    counts.failed++;
    printf("FAIL %s:%s: %s\n", script, line, why);
}

static void skipped(const char *line, const char *why) {
    counts.skipped++;
    printf("SKIP %s:%s: %s\n", script, line, why);
}

// Undoes the percent-encoding, in place.
static char *decode_text(char *s) {
    char *out = s;
    if (strcmp(s, "%") == 0) return *s = 0, s;
    for (char *at = s; *at; at++) {
        unsigned byte;
        if (*at == '%' && sscanf(at + 1, "%2x", &byte) == 1) *out++ = (char)byte, at += 2;
        else *out++ = *at;
    }
    *out = 0;
    return s;
}

// The reason why the skip file leaves this line out, or NULL.
static const char *skip_reason(const char *line) {
    static char reason[256];
    char here[4200];
    snprintf(here, sizeof here, "%s.wast:%s", script, line);
    const char *at = (const char *)skips.data, *end = at + skips.len;
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t len = (size_t)((stop ? stop : end) - at);
        const char *space = memchr(at, ' ', len);
        size_t prefix = space ? (size_t)(space - at) : 0;
        bool whole = prefix && strncmp(here, at, prefix) == 0 && (!memchr(at, ':', prefix) || here[prefix] == 0);
        if (whole && *at != '#') {
            snprintf(reason, sizeof reason, "%.*s", (int)(len - prefix - 1), space + 1);
            return reason;
        }
        at += len + 1;
    }
    return NULL;
}

static bool load(const char *name, wx_buf *bytes) {
    char path[8300];
    wx_error e = {0};
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return wx_file_read(bytes, path, &e);
}

static bool accept(wx_module *m, const wx_buf *bytes, wx_error *e) {
    return wx_module_decode(m, bytes->data, bytes->len, e) && wx_module_validate(m, 1, e);
}

// encode(decode(x)) decodes and validates, and encodes to itself.
static const char *round_trip(const wx_module *m) {
    wx_buf once = {0}, twice = {0};
    wx_module again = {0};
    wx_error e = {0};
    static char why[400];
    const char *result = NULL;
    wx_module_encode(m, &once);
    if (!accept(&again, &once, &e)) {
        snprintf(why, sizeof why, "encoded again it is refused: %s", e.msg);
        result = why;
    } else {
        wx_module_encode(&again, &twice);
        if (once.len != twice.len || memcmp(once.data, twice.data, once.len) != 0)
            result = "encodes to something else the second time";
    }
    wx_module_free(&again);
    wx_buf_free(&once);
    wx_buf_free(&twice);
    return result;
}

static bool write_form(const char *file, const char *ending, const wx_buf *bytes) {
    char path[8300];
    wx_error e = {0};
    snprintf(path, sizeof path, "%s/%.*s%s", dir, (int)(strlen(file) - strlen(".wasm")), file, ending);
    return wx_file_write(path, bytes->data, bytes->len, &e);
}

static bool write_both(const char *file, wx_module *m, const wx_buf *text) {
    wx_buf encoded = {0};
    m->custom_count = 0;
    wx_module_encode(m, &encoded);
    bool ok = write_form(file, ".wat", text) && write_form(file, ".enc", &encoded);
    wx_buf_free(&encoded);
    return ok;
}

static void good_module(const char *line, const char *file) {
    wx_buf bytes = {0}, text = {0};
    wx_module m = {0};
    wx_error e = {0};
    char message[400];
    const char *why = NULL;
    if (!load(file, &bytes)) why = "cannot read the module";
    else if (!accept(&m, &bytes, &e)) why = wx_error_line(&e, "refused", message, sizeof message);
    else if (!(why = round_trip(&m))) {
        wx_module_print(&m, &text);
        if (text.len < 9) why = "prints nothing";
        else if (write_forms && !write_both(file, &m, &text)) why = "cannot write";
    }
    if (why) failed(line, why);
    else counts.passed++;
    wx_module_free(&m);
    wx_buf_free(&bytes);
    wx_buf_free(&text);
}

// The bytes have to be refused, by the decoder or by the validator.
static void bad_module(const char *line, const char *file, const char *expected) {
    wx_buf bytes = {0};
    wx_module m = {0};
    wx_error e = {0};
    if (!load(file, &bytes)) failed(line, "cannot read the module");
    else if (accept(&m, &bytes, &e)) failed(line, expected);
    else {
        counts.passed++;
        if (strncmp(e.msg, expected, strlen(expected)) != 0) {
            counts.other_text++;
            printf("info %s:%s: wants \"%s\", we say \"%s\"\n", script, line, expected, e.msg);
        }
    }
    wx_module_free(&m);
    wx_buf_free(&bytes);
}

#define MOST_TOKENS 8

static void run_line(char *line) {
    char *token[MOST_TOKENS] = {0}, *save = NULL;
    for (int i = 0; i < MOST_TOKENS; i++)
        if (!(token[i] = strtok_r(i ? NULL : line, " ", &save))) break;
    const char *command = token[1];
    if (!command) return;
    bool good = strcmp(command, "module") == 0 || strcmp(command, "definition") == 0 ||
                strcmp(command, "assert_unlinkable") == 0 || strcmp(command, "assert_uninstantiable") == 0;
    bool bad = strcmp(command, "assert_invalid") == 0 || strcmp(command, "assert_malformed") == 0;
    bool text = strcmp(command, "assert_malformed_text") == 0 || strcmp(command, "assert_invalid_text") == 0;
    bool skip = strncmp(command, "skip_", 5) == 0;
    const char *reason = good || bad || text ? skip_reason(token[0]) : NULL;
    if (reason || skip) skipped(token[0], reason ? reason : decode_text(token[strcmp(command, "skip_module") ? 2 : 3]));
    else if (good) good_module(token[0], token[2]);
    else if (bad) bad_module(token[0], token[2], decode_text(token[3]));
    else if (text && strcmp(token[2], "rejected") == 0) counts.passed++, counts.by_parser++;
    else if (text) bad_module(token[0], token[2], decode_text(token[3]));
}

static void run_script(const char *path) {
    wx_buf lines = {0};
    wx_error e = {0};
    if (!wx_file_read(&lines, path, &e)) return failed("0", e.msg);
    wx_buf_byte(&lines, 0);
    char *save = NULL;
    for (char *line = strtok_r((char *)lines.data, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
        run_line(line);
    wx_buf_free(&lines);
}

static int by_name(const struct dirent **a, const struct dirent **b) { return strcmp((*a)->d_name, (*b)->d_name); }

static void walk(const char *path) {
    struct dirent **entries = NULL;
    int n = scandir(path, &entries, NULL, by_name);
    for (int i = 0; i < n; i++) {
        char below[4096];
        struct stat st;
        const char *name = entries[i]->d_name;
        if (name[0] != '.' && snprintf(below, sizeof below, "%s/%s", path, name) < (int)sizeof below &&
            stat(below, &st) == 0) {
            if (S_ISDIR(st.st_mode)) walk(below);
            else if (strcmp(name, "script.txt") == 0) {
                snprintf(dir, sizeof dir, "%s", path);
                snprintf(script, sizeof script, "%s", strlen(path) > strlen(root) ? path + strlen(root) + 1 : ".");
                run_script(below);
            }
        }
        free(entries[i]);
    }
    free(entries);
}

int main(int argc, char **argv) {
    wx_error e = {0};
    if (argc > 2 && strcmp(argv[1], "--skipped") == 0) {
        counts.skipped = (unsigned)strtoul(argv[2], NULL, 10);
        argc -= 2, argv += 2;
    }
    if (argc > 1 && strcmp(argv[1], "--write") == 0) write_forms = true, argc--, argv++;
    if (argc < 3 || !wx_file_read(&skips, argv[1], &e)) {
        fprintf(stderr, "usage: validate_suite [--skipped N] [--write] SKIPFILE DIR...\n");
        return 2;
    }
    for (int i = 2; i < argc; i++) walk(root = argv[i]);
    printf("passed because the text parser refused them at conversion: %u\n", counts.by_parser);
    if (counts.other_text) printf("refused for a reason in other words: %u\n", counts.other_text);
    printf("validate_suite: %u passed, %u failed, %u skipped\n", counts.passed, counts.failed, counts.skipped);
    return counts.failed || !counts.passed;
}
