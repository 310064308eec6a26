// cli/cli.h: what the commands share: settings, the option parser, messages.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "wasmx_snapshot.h"

enum { EXIT_FINE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_TRAPPED = 134 };

typedef struct text_list { // of words of argv
    const char **items;
    size_t count;
} text_list;

// Everything an option can set; which command knows which option is in options.def.
typedef struct settings {
    const char *output, *emit;
    const char *opt, *bounds, *traps, *tiers, *imports, *unknown_imports;
    const char *target, *cpu, *features, *name;
    const char *cache_dir, *cache_size;
    const char *jobs, *stats, *invoke, *top;
    bool debug, json, interruptible, canonical_nans, help, version;
    const char *profile_use;
    bool profile_generate, hot_only;
    text_list dirs, env, embeds;
    const char *init, *report, *max_segments, *seed, *timeout;
    const char *keep_init_func, *inherit_env, *inherit_stdio; // "true", "false" or NULL, as are these:
    const char *multi_memory, *multi_value, *bulk_memory, *simd, *relaxed_simd, *deterministic, *reference_types;
    bool allow_wasi, own_imports, keep_all, system_sources;
    text_list mapdirs, renames, preloads;
    const char *needs_init;   // an option that was given and means nothing without --init
    text_list words;          // what is not an option: the input, and what follows it
} settings;

typedef struct command {
    const char *name;      // NULL: the program has no other
    const char *arguments; // "[OPTION...] IN"
    const char *summary;   // one line
    const char *more;      // for --help
    unsigned bit;          // in options.def
    bool words_end_options; // what follows the first word belongs to the guest
    bool reads_input;       // without a word, standard input is what it works on
    int (*run)(const settings *s);
} command;

// WITH_INIT: where build knows the option, it is one about --init.
enum {
    BUILD = 1, RUN = 2, VALIDATE = 4, INSPECT = 8, SNAPSHOT = 16, PROFILE = 64, ALL = 95,
    WITH_INIT = 32 | BUILD | SNAPSHOT
};

int cmd_build(const settings *s);
int cmd_run(const settings *s);
int cmd_validate(const settings *s);
int cmd_inspect(const settings *s);
int cmd_profile(const settings *s);

// ---- options.c

// Reads argv (without the program's and the command's names). False after a message: wrong usage.
bool parse_options(const command *c, int argc, char **argv, settings *s);
void free_settings(settings *s);
// The options of a command, as --help shows them.
void print_options(unsigned bit);
// A decimal number; false when text is something else. text NULL: *out keeps its value.
bool parse_number(const char *text, unsigned long max, unsigned long *out);

// ---- command.c

extern const char program_name[]; // main.c, snapshot_main.c

// Options, then --help, --version or the command itself; returns the exit status.
int run_command(const command *c, int argc, char **argv);
int print_version(void);
// What was printed may not have arrived: a full disk is a failure too.
int finish_output(int status);
// "PROGRAM: MESSAGE" on standard error. Each returns the exit status that belongs to it.
int fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int wrong_usage(const char *command, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
// The word closest to `word` in a list separated by '|', or NULL when none is close. Cut at the next '|'.
const char *closest(const char *word, const char *list);

// ---- common.c

// What build and run compile with. False after a message: wrong usage.
wasmx_tiers tiers_of(const settings *s); // by --tiers
bool compile_options(const char *command, const settings *s, wasmx_compile_options *out);

// ---- snapshot.c

int cmd_snapshot(const settings *s);
// Runs the initialiser of a module as the settings say and reports what it did. An exit status.
int take_snapshot(const char *command, const settings *s, const wasmx_buffer *input, const char *file,
                  bool whole_pages, wasmx_snapshot_result *out);

// ---- preload.c: --preload NAME=FILE

typedef struct preloads {
    wasmx_code **codes;
    wasmx_instance **instances;
    size_t count;
} preloads;

// Makes an instance of each and defines its exports in the linker. False after a message; to be freed in any case.
bool load_preloads(const settings *s, wasmx_linker *linker, preloads *out);
void free_preloads(preloads *p);

// ---- watch.c: a thread that looks at the clock while others work

typedef struct watch watch;
// Shows progress on a terminal after a second; ends the process with a message when the initialiser takes more than
// `timeout` seconds (0: never).
watch *watch_begin(const char *file, double timeout);
// What wasmx_snapshot_options.progress is given.
void watch_progress(void *w, const char *phase, size_t done, size_t total);
void watch_end(watch *w);

// ---- report.c

void print_report(const wasmx_snapshot_result *r, const char *in);
// To be freed.
wasmx_buffer report_json(const wasmx_snapshot_result *r, const char *in);
// A string of JSON, with its quotes.
void print_json_text(FILE *f, const char *text);
// What the initialiser asked for that could have been answered otherwise.
void print_notes(const wasmx_snapshot_result *r, const char *in);

// ---- embed.c

// Reads what --embed names into the options. False after a message. free_embeds ends it in any case.
bool read_embeds(const settings *s, wasmx_compile_options *out);
void free_embeds(wasmx_compile_options *o);

// A C identifier from a file's name without folder and extension, after a prefix. To be freed.
char *name_of_file(const char *prefix, const char *path);
double seconds_now(void);
