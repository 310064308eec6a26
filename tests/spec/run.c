// tests/spec/run.c: executes one official test script against the modules compiled from it.
//
//   run DIR NAME      DIR holds script.txt as convert.mjs writes it, and may hold unsupported.txt; NAME is for messages
//
// in: the modules, linked into this program: an array `spec_modules` of file name and descriptor that ends with a NULL
// name. A module that was not compiled is a line `unsupported FILE REASON` of unsupported.txt; whatever depends on it
// counts as skipped. out: a line for each failure, a line for each reason to skip, and at last
// `NAME: P passed, F failed, S skipped`. Exit status 0 when nothing failed, 1 otherwise, 2 when the script cannot be
// read, 3 when a signal ended it.
//
// Every command that claims something counts: assert_*, and module, instance, register, invoke by having to succeed.
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wasmx.h"

typedef struct spec_module {
    const char *file;
    const wasmx_module *module;
} spec_module;
extern const spec_module spec_modules[];

// ---- What there is

#define MAX_VALUES  512
#define MAX_REASONS 64

typedef struct unit {           // a module of the script
    char *id;                   // "" for none
    const wasmx_module *module; // definitions too
    wasmx_instance *instance;   // NULL: a definition, not instantiated, or not to be had
    const char *skip;           // why it could not be compiled
    struct unit *next;
} unit;

typedef struct reason {
    const char *text;
    unsigned count;
} reason;

static const char *name; // of the script
static unsigned line;    // of the command that runs
static unsigned passed, failed, skipped;
static unit *units, *current, *definition;
static wasmx_linker *linker;
static char *lost[MAX_REASONS]; // names registered for modules that were skipped
static unsigned lost_count;
static reason reasons[MAX_REASONS];
static char *unsupported; // contents of unsupported.txt

static void pass(void) { passed++; }

static void fail(const char *what, const char *detail) {
    failed++;
    printf("%s:%u: %s: %s\n", name, line, what, detail);
}

static void skip(const char *why) {
    skipped++;
    unsigned k = 0;
    while (k < MAX_REASONS - 1 && reasons[k].text && strcmp(reasons[k].text, why)) k++;
    if (!reasons[k].text) reasons[k].text = strdup(why);
    reasons[k].count++;
}

// ---- Tokens

static char *cursor;

// The next token of the line, "" when there is none.
static char *token(void) {
    char *start = cursor;
    cursor += strcspn(cursor, " ");
    if (*cursor) *cursor++ = 0;
    return start;
}

static int hex_digit(char c) { return c <= '9' ? c - '0' : (c | 32) - 'a' + 10; }

static size_t encoded_size(const char *text) { // of what decode makes of it; NULs may be among them
    size_t n = 0;
    if (!strcmp(text, "%")) return 0;
    for (const char *p = text; *p; p += *p == '%' && p[1] && p[2] ? 3 : 1) n++;
    return n;
}

// Undoes percent-encoding in place.
static char *decode(char *text) {
    char *to = text;
    if (!strcmp(text, "%")) *text = 0;
    for (char *p = text; *p; p++) {
        if (*p == '%' && p[1] && p[2]) {
            *to++ = (char)(hex_digit(p[1]) << 4 | hex_digit(p[2]));
            p += 2;
        } else {
            *to++ = *p;
        }
    }
    *to = 0;
    return text;
}

// ---- Values

typedef struct value {
    char kind;
    wasmx_value v;
} value; // kind: a letter of wasmx_func_type

static const struct {
    const char *name;
    char letter;
} kinds[] = {{"i32", 'i'}, {"i64", 'I'}, {"f32", 'f'}, {"f64", 'F'}};

static void *host_ref(const char *number) { return (void *)(uintptr_t)(strtoull(number, NULL, 10) + 1); }

static unsigned lane_bits(const char *shape) { return (unsigned)strtoul(shape + 1, NULL, 10); }

static void put_lane(wasmx_value *v, unsigned k, unsigned bits, uint64_t lane) {
    memcpy(v->v128.bytes + k * bits / 8, &lane, bits / 8);
}

static uint64_t get_lane(const wasmx_value *v, unsigned k, unsigned bits) {
    uint64_t lane = 0;
    memcpy(&lane, v->v128.bytes + k * bits / 8, bits / 8);
    return lane;
}

// v128:SHAPE:LANE,... without patterns
static void read_v128(const char *text, wasmx_value *out) {
    unsigned bits = lane_bits(text), k = 0;
    for (const char *p = strchr(text, ':'); p && k < 128 / bits; p = strchr(p + 1, ','))
        put_lane(out, k++, bits, strtoull(p + 1, NULL, 16));
}

static bool read_value(const char *text, value *out) {
    *out = (value){0};
    const char *colon = strchr(text, ':');
    if (!colon) return false;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        if (!strncmp(text, kinds[k].name, 3)) {
            out->kind = kinds[k].letter;
            out->v.words[0] = strtoull(colon + 1, NULL, 16);
            return true;
        }
    if (!strncmp(text, "v128", 4)) {
        out->kind = 'v';
        read_v128(colon + 1, &out->v);
        return true;
    }
    out->kind = 'e';
    if (!strncmp(text, "ref.null", 8))
        out->kind = !strcmp(colon + 1, "func") || !strcmp(colon + 1, "nofunc") ? 'r' : 'e';
    else if (!strncmp(text, "ref.extern:", 11) || !strncmp(text, "ref.host:", 9))
        out->v.externref = host_ref(colon + 1);
    else return false;
    return true;
}

static bool is_nan(uint64_t bits, unsigned width, bool canonical) {
    uint64_t sign = width == 32 ? 1u << 31 : (uint64_t)1 << 63,
             quiet = width == 32 ? 0x7fc00000u : (uint64_t)0x7ff8 << 48;
    return canonical ? (bits & ~sign) == quiet : (bits & quiet) == quiet;
}

// One number or lane against hexadecimal digits or a pattern.
static bool number_matches(uint64_t got, unsigned width, const char *want) {
    if (!strncmp(want, "nan:", 4)) return is_nan(got, width, want[4] == 'c');
    return got == strtoull(want, NULL, 16);
}

static bool v128_matches(const wasmx_value *got, const char *want) {
    unsigned bits = lane_bits(want), k = 0;
    for (const char *p = strchr(want, ':'); p && k < 128 / bits; p = strchr(p + 1, ','), k++)
        if (!number_matches(get_lane(got, k, bits), bits, p + 1)) return false;
    return k == 128 / bits;
}

static bool ref_matches(const value *got, const char *want) {
    const char *colon = strchr(want, ':');
    if (!strncmp(want, "ref.null", 8)) return !got->v.externref && strchr("rea?", got->kind);
    if (colon) return strchr("ea?", got->kind) && got->v.externref == host_ref(colon + 1);
    if (!strcmp(want, "ref.func")) return got->v.externref && strchr("r?", got->kind);
    if (!strcmp(want, "ref.extern")) return got->v.externref && got->kind == 'e';
    return got->v.externref && got->kind == 'a';
}

static bool matches(const value *got, const char *want);

static bool matches_either(const value *got, const char *want) {
    char *all = strdup(want), *save = NULL;
    bool found = false;
    for (char *one = strtok_r(all, "|", &save); one && !found; one = strtok_r(NULL, "|", &save))
        found = matches(got, one);
    free(all);
    return found;
}

static bool matches(const value *got, const char *want) {
    if (!strncmp(want, "either:", 7)) return matches_either(got, want + 7);
    if (!strncmp(want, "ref.", 4)) return ref_matches(got, want);
    if (!strncmp(want, "v128:", 5)) return got->kind == 'v' && v128_matches(&got->v, want + 5);
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        if (!strncmp(want, kinds[k].name, 3) && got->kind == kinds[k].letter) {
            unsigned width = want[1] == '3' ? 32 : 64;
            return number_matches(width == 32 ? (uint32_t)got->v.i32 : got->v.words[0], width, want + 4);
        }
    return false;
}

static void value_text(const value *v, char *out, size_t size) {
    uint64_t high = v->v.words[1], low = v->v.words[0];
    switch (v->kind) {
    case 'i': snprintf(out, size, "i32:%08" PRIx32, (uint32_t)low); break;
    case 'f': snprintf(out, size, "f32:%08" PRIx32, (uint32_t)low); break;
    case 'I': snprintf(out, size, "i64:%016" PRIx64, low); break;
    case 'F': snprintf(out, size, "f64:%016" PRIx64, low); break;
    case 'v': snprintf(out, size, "v128:i64x2:%016" PRIx64 ",%016" PRIx64, low, high); break;
    default: snprintf(out, size, "%s", low ? "a reference" : "null"); break;
    }
}

// ---- Modules

static const wasmx_module *find_module(const char *file) {
    for (const spec_module *m = spec_modules; m->file; m++)
        if (!strcmp(m->file, file)) return m->module;
    return NULL;
}

// The reason of `unsupported FILE REASON`, or NULL.
static const char *why_unsupported(const char *file) {
    size_t n = strlen(file);
    for (char *p = unsupported; p && *p; p = strchr(p, '\n') ? strchr(p, '\n') + 1 : NULL)
        if (!strncmp(p, "unsupported ", 12) && !strncmp(p + 12, file, n) && p[12 + n] == ' ') {
            size_t length = strcspn(p + 13 + n, "\n");
            char *text = malloc(length + 1);
            memcpy(text, p + 13 + n, length);
            text[length] = 0;
            return text;
        }
    return NULL;
}

static unit *add_unit(const char *id) {
    unit *u = calloc(1, sizeof *u);
    u->id = strdup(decode((char *)id));
    u->next = units;
    units = u;
    return u;
}

static unit *find_unit(const char *id, unit *otherwise) {
    if (!strcmp(id, "-")) return otherwise;
    decode((char *)id);
    for (unit *u = units; u; u = u->next)
        if (!strcmp(u->id, id)) return u;
    return NULL;
}

// Could the import that was not found have come from a module that was skipped?
static bool wants_lost(const char *message) {
    char quoted[300];
    for (unsigned k = 0; k < lost_count; k++) {
        snprintf(quoted, sizeof quoted, "unknown import \"%.100s\" ", lost[k]);
        if (!strncmp(message, quoted, strlen(quoted))) return true;
    }
    return false;
}

static wasmx_instance *instantiate(const wasmx_module *module, wasmx_error *err) {
    wasmx_options options = {.linker = linker};
    return wasmx_instantiate(module, &options, err);
}

static void make_instance(unit *u, const char *what) {
    wasmx_error err = {""};
    if (u->skip) {
        skip(u->skip);
    } else if (!u->module) {
        fail(what, "the module was not compiled");
    } else if ((u->instance = instantiate(u->module, &err))) {
        pass();
    } else if (wants_lost(err.message)) {
        u->skip = "imports from a module that was skipped";
        skip(u->skip);
    } else {
        fail(what, err.message);
    }
}

static unit *new_unit(const char *file, const char *id) {
    unit *u = add_unit(id);
    u->skip = why_unsupported(file);
    u->module = u->skip ? NULL : find_module(file);
    return u;
}

static void run_module(void) {
    char *file = token();
    current = new_unit(file, token());
    make_instance(current, "module");
}

static void run_definition(void) {
    char *file = token();
    definition = new_unit(file, token());
    if (definition->skip) skip(definition->skip);
    else if (definition->module) pass();
    else fail("definition", "the module was not compiled");
}

static void run_instance(void) {
    char *id = token();
    unit *from = find_unit(token(), definition);
    current = add_unit(id);
    if (!from) {
        fail("instance", "no such definition");
        return;
    }
    current->skip = from->skip;
    current->module = from->module;
    make_instance(current, "instance");
}

static void run_register(void) {
    char *as = decode(token());
    unit *u = find_unit(token(), current);
    if (u && u->instance) {
        wasmx_linker_define_instance(linker, as, u->instance);
        pass();
    } else if (u && u->skip) {
        if (lost_count < MAX_REASONS) lost[lost_count++] = strdup(as);
        skip(u->skip);
    } else {
        fail("register", "no such instance");
    }
}

static void run_skip_module(void) {
    current = add_unit(token());
    current->skip = strdup(decode(token()));
    definition = current;
    skip(current->skip);
}

// ---- Actions

typedef struct outcome {
    const char *skip;    // the action could not be tried
    const char *problem; // it could not be tried and should have been
    wasmx_status status;
    const char *message; // of the trap
    unsigned count;
    value results[MAX_VALUES];
} outcome;

static outcome out; // of the last action

static void get_results(const char *letters, const wasmx_value *results) {
    const char *p = strchr(letters, ':') + 1;
    for (out.count = 0; *p; p++, out.count++) out.results[out.count] = (value){*p, results[out.count]};
}

static void invoke(wasmx_instance *i, const char *field, size_t size, unsigned n) {
    static wasmx_value args[MAX_VALUES], results[MAX_VALUES];
    static char letters[2 * MAX_VALUES];
    wasmx_extern e;
    wasmx_func *f = wasmx_export_bytes(i, field, size, &e) && e.kind == WASMX_FUNC ? e.of.func : NULL;
    if (!f || wasmx_func_type(f, letters, sizeof letters) >= MAX_VALUES) {
        out.problem = f ? "too many values" : "no such function is exported";
        return;
    }
    for (unsigned k = 0; k < n; k++) {
        value v;
        if (!read_value(token(), &v) || (v.kind != letters[k] && !strchr("a?", letters[k])))
            out.problem = "an argument of another type";
        else args[k] = v.v;
    }
    if (out.problem || letters[n] != ':') return;
    out.status = wasmx_call(f, args, results);
    out.message = wasmx_last_trap(wasmx_func_instance(f))->message;
    if (out.status == WASMX_OK) get_results(letters, results);
}

static void get(wasmx_instance *i, const char *field, size_t size) {
    wasmx_extern e;
    if (!wasmx_export_bytes(i, field, size, &e) || e.kind != WASMX_GLOBAL) {
        out.problem = "no such global is exported";
        return;
    }
    out.results[0] = (value){" iIfFvrea"[wasmx_global_kind(e.of.global)], wasmx_global_get(e.of.global)};
    out.count = 1;
}

// invoke ID FIELD N ARG*N | get ID FIELD
static void act(void) {
    bool invokes = !strcmp(token(), "invoke");
    unit *u = find_unit(token(), current);
    char *field = token();
    size_t size = encoded_size(field);
    decode(field);
    unsigned n = invokes ? (unsigned)strtoul(token(), NULL, 10) : 0;
    out = (outcome){.status = WASMX_OK, .skip = u ? u->skip : NULL};
    if (out.skip) return;
    if (!u || !u->instance) out.problem = "no such instance";
    else if (n > MAX_VALUES) out.problem = "too many arguments";
    else if (invokes) invoke(u->instance, field, size, n);
    else get(u->instance, field, size);
}

// Deals with actions that could not be tried; true when the caller has an outcome to judge.
static bool tried(const char *what) {
    if (out.skip) skip(out.skip);
    else if (out.problem) fail(what, out.problem);
    return !out.skip && !out.problem;
}

static void run_invoke(void) {
    cursor[-1] = ' ';
    cursor -= strlen("invoke ");
    act();
    if (!tried("invoke")) return;
    if (out.status == WASMX_OK) pass();
    else fail("invoke", out.message);
}

static bool report_result(const value *got, unsigned k, const char *want) {
    char detail[600], text[80] = "nothing";
    if (got) value_text(got, text, sizeof text);
    snprintf(detail, sizeof detail, "result %u: expected %.300s, got %s", k, *want ? want : "nothing", text);
    fail("assert_return", detail);
    return false;
}

static void run_assert_return(void) {
    act();
    if (!tried("assert_return")) return;
    if (out.status != WASMX_OK) {
        fail("assert_return", out.message);
        return;
    }
    unsigned k = 0;
    for (char *want = token(); *want || k < out.count; want = token(), k++) {
        bool fits = k < out.count && *want && matches(&out.results[k], want);
        if (!fits) {
            report_result(k < out.count ? &out.results[k] : NULL, k, want);
            return;
        }
    }
    pass();
}

// Scripts cut messages short or add to them ("uninitialized element 2").
static bool same_message(const char *a, const char *b) {
    size_t n = strlen(a), m = strlen(b);
    return !strncmp(a, b, n < m ? n : m);
}

static void judge_message(const char *what, const char *want, const char *got) {
    char detail[600];
    snprintf(detail, sizeof detail, "expected \"%.200s\", got \"%.250s\"", want, got);
    if (same_message(want, got)) pass();
    else fail(what, detail);
}

static void run_assert_trap(void) {
    char *want = decode(token());
    act();
    if (tried("assert_trap")) judge_message("assert_trap", want, out.status == WASMX_OK ? "no trap" : out.message);
}

static void run_assert_exhaustion(void) {
    token();
    act();
    if (!tried("assert_exhaustion")) return;
    if (out.status == WASMX_TRAP_STACK_EXHAUSTED) pass();
    else fail("assert_exhaustion", out.status == WASMX_OK ? "no trap" : out.message);
}

static void run_assert_exception(void) {
    act();
    if (tried("assert_exception")) fail("assert_exception", out.status == WASMX_OK ? "no exception" : out.message);
}

static void run_assert_no_instance(void) {
    char *file = token(), *want = decode(token());
    const char *why = why_unsupported(file);
    const wasmx_module *module = why ? NULL : find_module(file);
    wasmx_error err = {""};
    if (why) skip(why);
    else if (!module) fail("assert_unlinkable", "the module was not compiled");
    else if (instantiate(module, &err)) fail("assert_unlinkable", "it was instantiated");
    else if (wants_lost(err.message)) skip("imports from a module that was skipped");
    else judge_message("assert_unlinkable", want, err.message);
}

static void run_skip_assert(void) { skip(decode(token())); }
static void run_nothing(void) {} // checked by the program that checks the validator

static const struct {
    const char *name;
    void (*run)(void);
} commands[] = {
    {"module", run_module},
    {"definition", run_definition},
    {"instance", run_instance},
    {"register", run_register},
    {"invoke", run_invoke},
    {"assert_return", run_assert_return},
    {"assert_trap", run_assert_trap},
    {"assert_exhaustion", run_assert_exhaustion},
    {"assert_exception", run_assert_exception},
    {"assert_unlinkable", run_assert_no_instance},
    {"assert_uninstantiable", run_assert_no_instance},
    {"skip_module", run_skip_module},
    {"skip_assert", run_skip_assert},
    {"assert_invalid", run_nothing},
    {"assert_malformed", run_nothing},
    {"assert_malformed_text", run_nothing},
    {"assert_invalid_text", run_nothing},
};

static void run_line(char *text) {
    cursor = text;
    line = (unsigned)strtoul(token(), NULL, 10);
    const char *command = token();
    if (!strcmp(command, "get")) return; // a bare get claims nothing
    for (size_t k = 0; k < sizeof commands / sizeof *commands; k++)
        if (!strcmp(commands[k].name, command)) {
            commands[k].run();
            return;
        }
    fail("unknown command", command);
}

// ---- The module "spectest"

static wasmx_status print(void *env, wasmx_instance *caller, const wasmx_value *args, wasmx_value *results) {
    (void)env, (void)caller, (void)args, (void)results;
    return WASMX_OK;
}

static void define_global(const char *as, wasmx_kind kind, wasmx_value value) {
    wasmx_extern e = {.kind = WASMX_GLOBAL, .of.global = wasmx_global_new(kind, false, value)};
    wasmx_linker_define(linker, "spectest", as, e);
}

static void define_spectest(void) {
    static const struct {
        const char *name, *type;
    } prints[] = {{"print", ":"},      {"print_i32", "i:"},      {"print_i64", "I:"},     {"print_f32", "f:"},
                  {"print_f64", "F:"}, {"print_i32_f32", "if:"}, {"print_f64_f64", "FF:"}};
    for (size_t k = 0; k < sizeof prints / sizeof *prints; k++)
        wasmx_linker_define_callback(linker, "spectest", prints[k].name, prints[k].type, print, NULL);
    define_global("global_i32", WASMX_I32, (wasmx_value){.i32 = 666});
    define_global("global_i64", WASMX_I64, (wasmx_value){.i64 = 666});
    define_global("global_f32", WASMX_F32, (wasmx_value){.f32 = 666.6f});
    define_global("global_f64", WASMX_F64, (wasmx_value){.f64 = 666.6});
    wasmx_extern table = {.kind = WASMX_TABLE, .of.table = wasmx_table_new(WASMX_FUNCREF, 10, 20)};
    wasmx_extern memory = {.kind = WASMX_MEMORY, .of.memory = wasmx_memory_new(1, 2)};
    wasmx_linker_define(linker, "spectest", "table", table);
    wasmx_linker_define(linker, "spectest", "memory", memory);
    table.of.table = wasmx_table_new64(WASMX_FUNCREF, 10, 20);
    wasmx_linker_define(linker, "spectest", "table64", table);
    memory.of.memory = wasmx_memory_new_shared(1, 2); // what the threads proposal adds
    wasmx_linker_define(linker, "spectest", "shared_memory", memory);
}

// ----

static char *read_file(const char *dir, const char *file) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", dir, file);
    FILE *f = fopen(path, "rb");
    if (!f) return NULL;
    size_t size = 0, capacity = 1 << 16, n;
    char *text = malloc(capacity + 1);
    while ((n = fread(text + size, 1, capacity - size, f)) > 0)
        if ((size += n) == capacity) text = realloc(text, (capacity *= 2) + 1);
    text[size] = 0;
    fclose(f);
    return text;
}

static void crashed(int sig) {
    char text[64] = "crashed by signal ", number[24];
    int n = snprintf(number, sizeof number, "%d in line %u\n", sig, line);
    strcat(text, number);
    fflush(stdout);
    if (write(1, text, 18 + (size_t)n) < 0) _exit(4);
    _exit(3);
}

static void catch_crashes(void) {
    static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGABRT};
    for (size_t k = 0; k < sizeof signals / sizeof *signals; k++) signal(signals[k], crashed);
}

// Of modules that count, in DIR/FILE.wxprof, for compile.c.
static void write_profiles(const char *dir) {
    for (const spec_module *m = spec_modules; m->file; m++) {
        char path[1024];
        wasmx_error err;
        snprintf(path, sizeof path, "%s/%s.wxprof", dir, m->file);
        if (wasmx_profile_write(m->module, path, &err) || strstr(err.message, "without --profile-generate")) continue;
        printf("%s\n", err.message);
        failed++;
    }
}

int main(int argc, char **argv) {
    char *script = argc == 3 ? read_file(argv[1], "script.txt") : NULL;
    if (!script) {
        fprintf(stderr, "usage: run DIR NAME, where DIR/script.txt is a converted script\n");
        return 2;
    }
    name = argv[2];
    unsupported = read_file(argv[1], "unsupported.txt");
    catch_crashes();
    linker = wasmx_linker_new();
    define_spectest();
    for (char *at = script, *end; *at; at = end) {
        end = at + strcspn(at, "\n");
        if (*end) *end++ = 0;
        if (*at) run_line(at);
    }
    write_profiles(argv[1]);
    for (unsigned k = 0; k < MAX_REASONS && reasons[k].text; k++)
        printf("skipped %u: %s\n", reasons[k].count, reasons[k].text);
    printf("%s: %u passed, %u failed, %u skipped\n", name, passed, failed, skipped);
    return failed != 0;
}
