// cli/options.c: one parser for all commands, driven by options.def.
//
// `--name value`, `--name=value`, `-x value`, `-xvalue`; `--` ends the options. What is no option is collected in
// words.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

typedef enum kind { TEXT, LIST, FLAG, CHOICE, MAYBE, BOOL } kind;

typedef struct option {
    unsigned commands;
    char letter;
    const char *name;
    kind kind;
    size_t field;
    const char *argument, *help;
} option;

static const option options[] = {
#define OPTION(commands, letter, name, kind, field, argument, help) \
    {commands, letter, name, kind, offsetof(settings, field), argument, help},
#include "cli/options.def"
#undef OPTION
};
enum { OPTIONS = sizeof options / sizeof *options };

typedef struct cursor { // where in argv the parser is
    const command *command;
    char **at, **end;
} cursor;

static void push(text_list *l, const char *item) {
    l->items = realloc(l->items, (l->count + 1) * sizeof *l->items);
    if (!l->items) abort();
    l->items[l->count++] = item;
}

void free_settings(settings *s) {
    free(s->dirs.items);
    free(s->env.items);
    free(s->embeds.items);
    free(s->mapdirs.items);
    free(s->renames.items);
    free(s->preloads.items);
    free(s->words.items);
}

// True when `word` of length len is one of the words that | separates.
static bool listed(const char *word, size_t len, const char *list) {
    for (const char *at = list;; at++) {
        size_t n = strcspn(at, "|");
        if (n == len && !memcmp(at, word, n)) return true;
        at += n;
        if (!*at) return false;
    }
}

static bool set(const cursor *c, const option *o, const char *shown, const char *value, settings *s) {
    char *field = (char *)s + o->field;
    if ((o->commands & WITH_INIT) == WITH_INIT && c->command->bit == BUILD) s->needs_init = o->name;
    switch (o->kind) {
    case FLAG: *(bool *)field = true; return true;
    case LIST: push((text_list *)field, value); return true;
    case BOOL: case CHOICE:
        if (!listed(value, strlen(value), o->argument)) {
            wrong_usage(c->command->name, "%s: '%s' is not one of %s", shown, value, o->argument);
            return false;
        }
        // fall through
    case TEXT: case MAYBE: *(const char **)field = value; return true;
    }
    return false;
}

// `--x` alone is true; the next word is its value if it can be nothing else.
static const char *bool_value(cursor *c, const char *attached) {
    if (attached) return attached;
    bool next = c->at < c->end && (!strcmp(*c->at, "true") || !strcmp(*c->at, "false"));
    return next ? *c->at++ : "true";
}

// The rest of the word or the next word.
static bool take_value(cursor *c, const option *o, const char *shown, const char *attached, settings *s) {
    if (o->kind == FLAG) {
        if (!attached) return set(c, o, shown, NULL, s);
        wrong_usage(c->command->name, "%s takes no value", shown);
        return false;
    }
    if (o->kind == MAYBE) return set(c, o, shown, attached ? attached : "", s);
    if (o->kind == BOOL) return set(c, o, shown, bool_value(c, attached), s);
    if (!attached && c->at == c->end) {
        wrong_usage(c->command->name, "%s wants a value: %s", shown, o->argument);
        return false;
    }
    return set(c, o, shown, attached ? attached : *c->at++, s);
}

static bool unknown(const cursor *c, const char *word) {
    char names[1024] = "";
    for (int i = 0; i < OPTIONS; i++) {
        if (!(options[i].commands & c->command->bit) || !*options[i].name) continue;
        strcat(strcat(names, *names ? "|" : ""), options[i].name);
    }
    const char *near = !strncmp(word, "--", 2) ? closest(word + 2, names) : NULL;
    int len = near ? (int)strcspn(near, "|") : 0;
    if (near) wrong_usage(c->command->name, "unknown option '%s'; did you mean '--%.*s'?", word, len, near);
    else wrong_usage(c->command->name, "unknown option '%s'", word);
    return false;
}

static bool long_option(cursor *c, const char *word, settings *s) {
    char shown[64];
    size_t len = strcspn(word + 2, "=");
    snprintf(shown, sizeof shown, "--%.*s", (int)len, word + 2);
    for (int i = 0; i < OPTIONS; i++) {
        const option *o = &options[i];
        if (!(o->commands & c->command->bit) || strlen(o->name) != len || memcmp(o->name, word + 2, len)) continue;
        return take_value(c, o, shown, word[2 + len] ? word + 3 + len : NULL, s);
    }
    return unknown(c, shown);
}

static bool short_option(cursor *c, const char *word, settings *s) {
    char shown[] = {'-', word[1], 0};
    for (int i = 0; i < OPTIONS; i++)
        if (options[i].commands & c->command->bit && options[i].letter == word[1])
            return take_value(c, &options[i], shown, word[2] ? word + 2 : NULL, s);
    return unknown(c, word);
}

static bool is_option(const char *word) { return word[0] == '-' && word[1]; }

// The words after the input; a `--` before them is not one of them.
static void take_rest(cursor *c, settings *s) {
    if (c->at < c->end && !strcmp(*c->at, "--")) c->at++;
    while (c->at < c->end) push(&s->words, *c->at++);
}

bool parse_options(const command *command, int argc, char **argv, settings *s) {
    cursor c = {command, argv, argv + argc};
    bool plain = false; // after --
    while (c.at < c.end) {
        const char *word = *c.at++;
        if (!plain && !strcmp(word, "--")) {
            plain = true;
        } else if (plain || !is_option(word)) {
            push(&s->words, word);
            if (command->words_end_options) take_rest(&c, s);
        } else if (!(word[1] == '-' ? long_option : short_option)(&c, word, s)) {
            return false;
        }
    }
    return true;
}

void print_options(unsigned bit) {
    for (int i = 0; i < OPTIONS; i++) {
        const option *o = &options[i];
        char left[64], letter[8] = "";
        if (!(o->commands & bit)) continue;
        if (o->letter) snprintf(letter, sizeof letter, "-%c%s", o->letter, *o->name ? ", " : " ");
        bool optional = o->kind == MAYBE || o->kind == BOOL;
        const char *dashes = *o->name ? "--" : "", *equals = *o->name && *o->argument ? optional ? "[=" : "=" : "";
        snprintf(left, sizeof left, "%s%s%s%s%s%s", letter, dashes, o->name, equals, o->argument, optional ? "]" : "");
        printf("  %-30s %s\n", left, o->help);
    }
}

bool parse_number(const char *text, unsigned long max, unsigned long *out) {
    if (!text) return true;
    char *end;
    errno = 0;
    unsigned long n = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno || n > max) return false;
    *out = n;
    return true;
}

// ---- What several commands read in the same way

wasmx_tiers tiers_of(const settings *s) {
    // In the order of wasmx_tiers.
    static const char *const names[] = {"mixed", "interpret", "compile", "eager", "baseline"};
    for (size_t i = 0; s->tiers && i < sizeof names / sizeof *names; i++)
        if (!strcmp(s->tiers, names[i])) return (wasmx_tiers)i;
    return WASMX_TIERS_MIXED;
}
