// cli/cli.h: what the commands of wasmx-aot share: settings, the option parser, messages.
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "wasmx_compile.h"

enum { EXIT_FINE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_TRAPPED = 134 };

typedef struct text_list { // of words of argv
    const char **items;
    size_t count;
} text_list;

// Everything an option can set; which command knows which option is in options.def.
typedef struct settings {
    const char *output, *emit;
    const char *opt, *bounds, *traps, *imports, *unknown_imports;
    const char *target, *cpu, *features, *name;
    const char *jobs, *stats, *invoke, *top;
    bool debug, json, help, version;
    text_list dirs, env, embeds;
    text_list words;          // what is not an option: the input, and what follows it
} settings;

typedef struct command {
    const char *name;
    const char *arguments; // "[OPTION...] IN"
    const char *summary;   // one line
    const char *more;      // for --help
    unsigned bit;          // in options.def
    bool words_end_options; // what follows the first word belongs to the guest
    int (*run)(const settings *s);
} command;

enum { BUILD = 1, RUN = 2, VALIDATE = 4, INSPECT = 8, ALL = 15 };

int cmd_build(const settings *s);
int cmd_run(const settings *s);
int cmd_validate(const settings *s);
int cmd_inspect(const settings *s);

// ---- options.c

// Reads argv (without the program's and the command's names). False after a message: wrong usage.
bool parse_options(const command *c, int argc, char **argv, settings *s);
void free_settings(settings *s);
// The options of a command, as --help shows them.
void print_options(unsigned bit);
// A decimal number; false when text is something else. text NULL: *out keeps its value.
bool parse_number(const char *text, unsigned long max, unsigned long *out);

// ---- main.c

// "wasmx-aot: MESSAGE" on standard error. Each returns the exit status that belongs to it.
int fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int wrong_usage(const char *command, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
// The word closest to `word` in a list separated by '|', or NULL when none is close. Cut at the next '|'.
const char *closest(const char *word, const char *list);

// ---- common.c

// What build and run compile with. False after a message: wrong usage.
bool compile_options(const char *command, const settings *s, wasmx_compile_options *out);
// ---- embed.c

// Reads what --embed names into the options. False after a message. free_embeds ends it in any case.
bool read_embeds(const settings *s, wasmx_compile_options *out);
void free_embeds(wasmx_compile_options *o);

// A C identifier from a file's name without folder and extension, after a prefix. To be freed.
char *name_of_file(const char *prefix, const char *path);
double seconds_now(void);
