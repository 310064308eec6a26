// cli/main.c: wasmx-aot: a table of commands.
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

static const command commands[] = {
    {"build", "[OPTION...] IN", "compile a module to native code",
     "IN is a .wasm or .wat file, or - for standard input. With one kind in --emit OUT is the file; with several,\n"
     "OUT's stem gets each kind's extension. Without -o the files are named after IN, in the current directory.\n",
     BUILD, false, cmd_build},
    {"run", "[OPTION...] IN [ARG...]", "compile in memory and run a WASI program",
     "The exit status is the program's; after a trap it is 134. With --invoke the results are printed, one a line.\n",
     RUN, true, cmd_run},
    {"validate", "[OPTION...] IN...", "say whether modules are valid", "Prints nothing for those that are.\n",
     VALIDATE, false, cmd_validate},
    {"inspect", "[OPTION...] IN", "show what is in a module, or in what was built from one",
     "IN is a .wasm or .wat file, an object, archive, shared object or executable.\n", INSPECT, false, cmd_inspect},
};
enum { COMMANDS = sizeof commands / sizeof *commands };

int fail(const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    fputs("wasmx-aot: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    return EXIT_FAILED;
}

int wrong_usage(const char *command, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    fprintf(stderr, "wasmx-aot%s%s: ", command ? " " : "", command ? command : "");
    vfprintf(stderr, fmt, ap);
    fprintf(stderr, "\nTry 'wasmx-aot %s%s--help'.\n", command ? command : "", command ? " " : "");
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

static int print_help(void) {
    puts("Usage: wasmx-aot COMMAND [OPTION...] ...\n\nWebAssembly modules to native code, ahead of time.\n\nCommands:");
    for (int i = 0; i < COMMANDS; i++) printf("  %-10s %s\n", commands[i].name, commands[i].summary);
    puts("\n'wasmx-aot COMMAND --help' tells more; so does 'man wasmx-aot'.");
    return EXIT_FINE;
}

static int print_command_help(const command *c) {
    printf("Usage: wasmx-aot %s %s\n\n%c%s.\n%s\nOptions:\n", c->name, c->arguments, c->summary[0] - 'a' + 'A',
           c->summary + 1, c->more);
    print_options(c->bit);
    return EXIT_FINE;
}

static int print_version(void) {
    puts("wasmx-aot " WASMX_VERSION);
    return EXIT_FINE;
}

static int run_command(const command *c, int argc, char **argv) {
    settings s = {0};
    int status = EXIT_USAGE;
    if (parse_options(c, argc, argv, &s)) {
        if (s.help) status = print_command_help(c);
        else if (s.version) status = print_version();
        else if (!s.words.count) status = wrong_usage(c->name, "no input file");
        else status = c->run(&s);
    }
    free_settings(&s);
    return status;
}

static int unknown_command(const char *word) {
    const char *near = closest(word, "build|run|validate|inspect");
    int len = near ? (int)strcspn(near, "|") : 0;
    if (near) return wrong_usage(NULL, "unknown command '%s'; did you mean '%.*s'?", word, len, near);
    return wrong_usage(NULL, "unknown command '%s'", word);
}

// What was printed may not have arrived: a full disk is a failure too.
static int finish(int status) {
    if ((fflush(stdout) != 0 || ferror(stdout)) && status == EXIT_FINE) return fail("cannot write to standard output");
    return status;
}

int main(int argc, char **argv) {
    if (argc < 2) return wrong_usage(NULL, "no command");
    const char *word = argv[1];
    if (!strcmp(word, "--help") || !strcmp(word, "-h") || !strcmp(word, "help")) return finish(print_help());
    if (!strcmp(word, "--version")) return finish(print_version());
    for (int i = 0; i < COMMANDS; i++)
        if (!strcmp(word, commands[i].name)) return finish(run_command(&commands[i], argc - 2, argv + 2));
    return unknown_command(word);
}
