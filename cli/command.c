// cli/command.c: what both programs share: messages, help, and running a command of a table.
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

int fail(const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    fprintf(stderr, "%s: ", program_name);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    return EXIT_FAILED;
}

int wrong_usage(const char *command, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    fprintf(stderr, "%s%s%s: ", program_name, command ? " " : "", command ? command : "");
    vfprintf(stderr, fmt, ap);
    fprintf(stderr, "\nTry '%s %s%s--help'.\n", program_name, command ? command : "", command ? " " : "");
    va_end(ap);
    return EXIT_USAGE;
}

// How many letters must be changed, added or removed. Words longer than the table are far from everything.
static unsigned distance(const char *a, size_t n, const char *b, size_t m) {
    unsigned row[33];
    if (m > 32) return 100;
    for (size_t j = 0; j <= m; j++) row[j] = (unsigned)j;
    for (size_t i = 1; i <= n; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= m; j++) {
            unsigned change = diagonal + (a[i - 1] != b[j - 1]), step = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = change < step ? change : step;
        }
    }
    return row[m];
}

const char *closest(const char *word, const char *list) {
    const char *best = NULL;
    unsigned limit = 3;
    for (const char *at = list; *at;) {
        size_t n = strcspn(at, "|");
        unsigned d = distance(word, strlen(word), at, n);
        if (d < limit && d < n) limit = d, best = at;
        at += n + (at[n] == '|');
    }
    return best;
}

static int print_command_help(const command *c) {
    const char *name = c->name ? c->name : "", *space = c->name ? " " : "";
    printf("Usage: %s %s%s%s\n\n%c%s.\n%s\nOptions:\n", program_name, name, space, c->arguments,
           c->summary[0] - 'a' + 'A', c->summary + 1, c->more);
    print_options(c->bit);
    return EXIT_FINE;
}

int print_version(void) {
    printf("%s %s\n", program_name, WASMX_VERSION);
    return EXIT_FINE;
}

int run_command(const command *c, int argc, char **argv) {
    settings s = {0};
    int status = EXIT_USAGE;
    if (parse_options(c, argc, argv, &s)) {
        if (s.help) status = print_command_help(c);
        else if (s.version) status = print_version();
        else if (!s.words.count && !c->reads_input) status = wrong_usage(c->name, "no input file");
        else status = c->run(&s);
    }
    free_settings(&s);
    return status;
}

// What was printed may not have arrived: a full disk is a failure too.
int finish_output(int status) {
    if ((fflush(stdout) != 0 || ferror(stdout)) && status == EXIT_FINE) return fail("cannot write to standard output");
    return status;
}
