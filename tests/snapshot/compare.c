// tests/snapshot/compare.c: is a snapshot what the initialiser left behind?
//
//   snapshot_compare FILE INIT [OUT]     INIT: an export, or "" for none
//   snapshot_compare --memory FILE       a hash of the exported memory of a new instance, for v8.mjs --memory
//
// Initialises the module once by hand, makes snapshots of it (as usual; with everything kept; in whole pages), and
// compares memories, globals and tables, then calls every export the same way on both sides and compares results, traps,
// output and state after each call. A second snapshot has to be the first, and a snapshot of a snapshot too. WASI is there,
// with clocks and random numbers of our own, so that both sides see the same. Writes the usual snapshot to OUT.
// Prints differences; exit status 1 when there are any, 3 when the module cannot be snapshotted.
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wasmx_snapshot.h"

enum { CALLS = 6, OUTPUT = 1 << 20 };

static const char *file, *init;
static wasmx_buffer input;
static int differences;

static void differ(const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    printf("%s: ", file);
    vprintf(fmt, ap);
    putchar('\n');
    va_end(ap);
    differences++;
}

// ---- What guests are given: the same every time

typedef struct given {
    uint64_t time, random;
    char output[OUTPUT];
    wasmx_stream streams[3];
    wasmx_wasi_config config;
    wasmx_wasi *wasi;
    wasmx_linker *linker;
} given;

static uint64_t give_time(void *env, wasmx_clock clock) {
    (void)clock;
    return ((given *)env)->time += 1000000;
}

static void give_sleep(void *env, uint64_t nanoseconds) { ((given *)env)->time += nanoseconds; }

static bool give_random(void *env, void *out, size_t size) {
    given *g = env;
    for (size_t i = 0; i < size; i++) ((uint8_t *)out)[i] = (uint8_t)((g->random = g->random * 6364136223846793005u + 1) >> 56);
    return true;
}

static given *new_given(void) {
    given *g = calloc(1, sizeof *g);
    g->streams[1] = g->streams[2] = (wasmx_stream){.data = g->output, .size = OUTPUT};
    g->config.sources = (wasmx_sources){.env = g, .clock = give_time, .sleep = give_sleep, .random = give_random};
    for (int i = 0; i < 3; i++) g->config.streams[i] = &g->streams[i];
    return g;
}

static void end_given(given *g) {
    wasmx_linker_free(g->linker);
    wasmx_wasi_free(g->wasi);
    free(g);
}

// What a fuzzer's modules import: heard and forgotten.
static wasmx_status ignore(void *env, wasmx_instance *caller, const wasmx_value *args, wasmx_value *results) {
    (void)env, (void)caller, (void)args, (void)results;
    return WASMX_OK;
}

static void define_logs(wasmx_linker *linker) {
    static const char *const logs[][2] = {
        {"log-i32", "i:"}, {"log-i64", "I:"}, {"log-f32", "f:"}, {"log-f64", "F:"}, {"log-v128", "v:"}};
    for (size_t i = 0; i < sizeof logs / sizeof *logs; i++)
        wasmx_linker_define_callback(linker, "fuzzing-support", logs[i][0], logs[i][1], ignore, NULL);
}

// ---- Instances

typedef struct running { given *given; wasmx_code *code; wasmx_instance *instance; } running;

static running start(const wasmx_buffer *bytes, const char *what) {
    wasmx_compile_options options = {.file = what, .name = "m", .opt_level = '0'};
    wasmx_output out;
    wasmx_compile_error err;
    wasmx_error why;
    running r = {.given = new_given()};
    if (!wasmx_compile(bytes->data, bytes->size, &options, &out, &err) ||
        !(r.code = wasmx_code_load(&out.object, "m", &err)))
        printf("%s: %s: %s\n", file, what, err.line), exit(1);
    wasmx_output_free(&out);
    r.given->linker = wasmx_linker_new();
    r.given->wasi = wasmx_wasi_new(&r.given->config, &why);
    wasmx_linker_define_wasi(r.given->linker, r.given->wasi);
    define_logs(r.given->linker);
    wasmx_options o = {.linker = r.given->linker, .trap_unknown_imports = true};
    r.instance = wasmx_instantiate(wasmx_code_module(r.code), &o, &why);
    if (!r.instance) printf("%s: %s: %s\n", file, what, why.message), exit(1);
    return r;
}

static void run_export(running *r, const char *name) {
    wasmx_func *f = wasmx_export_func(r->instance, name);
    if (f && wasmx_call(f, NULL, NULL) != WASMX_OK)
        printf("%s: %s: %s\n", file, name, wasmx_last_trap(r->instance)->message), exit(1);
}

// What wizer/ does, by hand.
static running initialised(void) {
    running r = start(&input, "by hand");
    if (strcmp(init, "_initialize")) run_export(&r, "_initialize");
    if (*init) run_export(&r, init);
    return r;
}

static void end(running *r) {
    wasmx_instance_free(r->instance);
    wasmx_code_free(r->code);
    end_given(r->given);
}

// ---- Comparing things

static void compare_memories(const char *what, const wasmx_memory *a, const wasmx_memory *b) {
    uint64_t size = wasmx_memory_size(a);
    if (size != wasmx_memory_size(b)) return differ("%s: %llu and %llu bytes", what, (unsigned long long)size,
                                                    (unsigned long long)wasmx_memory_size(b));
    const uint8_t *x = wasmx_memory_data(a), *y = wasmx_memory_data(b);
    if (!memcmp(x, y, size)) return;
    uint64_t at = 0;
    while (x[at] == y[at]) at++;
    differ("%s: byte 0x%llx is %02x and %02x", what, (unsigned long long)at, x[at], y[at]);
}

static bool is_ref(wasmx_kind kind) { return kind == WASMX_FUNCREF || kind == WASMX_EXTERNREF; }

static void compare_globals(const char *what, const wasmx_global *a, const wasmx_global *b) {
    wasmx_value x = wasmx_global_get(a), y = wasmx_global_get(b);
    static const size_t sizes[] = {[WASMX_I32] = 4, [WASMX_I64] = 8, [WASMX_F32] = 4, [WASMX_F64] = 8, [WASMX_V128] = 16};
    wasmx_kind kind = wasmx_global_kind(a);
    if (kind != wasmx_global_kind(b)) return differ("%s: another type", what);
    bool same = is_ref(kind) ? !x.externref == !y.externref : !memcmp(&x, &y, sizes[kind]);
    if (!same) differ("%s: another value", what);
}

// With `exact`, both modules number their functions alike.
static void compare_tables(const char *what, const running *ra, const wasmx_table *a, const running *rb,
                           const wasmx_table *b, bool exact) {
    if (wasmx_table_size(a) != wasmx_table_size(b)) return differ("%s: another size", what);
    for (uint64_t k = 0; k < wasmx_table_size(a); k++) {
        wasmx_value x, y;
        if (!wasmx_table_get(a, k, &x) || !wasmx_table_get(b, k, &y)) return differ("%s: cannot be read", what);
        bool same = !x.externref == !y.externref;
        if (same && exact && x.externref)
            same = wasmx_instance_func_index(ra->instance, x.funcref) == wasmx_instance_func_index(rb->instance, y.funcref);
        if (!same) return differ("%s[%llu]: another element", what, (unsigned long long)k);
    }
}

static void compare_all(const char *when, running *a, running *b) {
    char what[128];
    wasmx_memory *m;
    wasmx_global *g;
    for (uint32_t i = 0; (m = wasmx_instance_memory(a->instance, i)); i++) {
        snprintf(what, sizeof what, "%s: memory %u", when, i);
        compare_memories(what, m, wasmx_instance_memory(b->instance, i));
    }
    for (uint32_t i = 0; (g = wasmx_instance_global(a->instance, i)); i++) {
        snprintf(what, sizeof what, "%s: global %u", when, i);
        compare_globals(what, g, wasmx_instance_global(b->instance, i));
    }
    for (uint32_t i = 0; i < 16; i++) {
        wasmx_table *x = wasmx_instance_table(a->instance, i), *y = wasmx_instance_table(b->instance, i);
        snprintf(what, sizeof what, "%s: table %u", when, i);
        if (x && y) compare_tables(what, a, x, b, y, true);
    }
}

static void compare_export(const char *when, running *a, running *b, const char *name) {
    wasmx_extern x, y;
    char what[160];
    snprintf(what, sizeof what, "%s: export %.60s", when, name);
    if (!wasmx_export(a->instance, name, &x) || !wasmx_export(b->instance, name, &y)) return; // removed on purpose
    if (x.kind != y.kind) differ("%s: another kind", what);
    else if (x.kind == WASMX_MEMORY) compare_memories(what, x.of.memory, y.of.memory);
    else if (x.kind == WASMX_GLOBAL) compare_globals(what, x.of.global, y.of.global);
    else if (x.kind == WASMX_TABLE) compare_tables(what, a, x.of.table, b, y.of.table, false);
}

static void compare_exports(const char *when, running *a, running *b) {
    const wasmx_module *m = wasmx_instance_module(a->instance);
    wasmx_extern_kind kind;
    for (size_t k = 0; k < wasmx_module_export_count(m); k++)
        compare_export(when, a, b, wasmx_module_export_name(m, k, &kind));
    if (memcmp(a->given->output, b->given->output, OUTPUT)) differ("%s: other output", when);
}

// ---- Calling both

static uint64_t state_of_random = 88172645463325252u;

static uint64_t next_random(void) {
    state_of_random ^= state_of_random << 13;
    state_of_random ^= state_of_random >> 7;
    return state_of_random ^= state_of_random << 17;
}

static bool make_arguments(const char *type, wasmx_value *out) {
    for (; *type != ':'; type++, out++) {
        uint64_t r = next_random();
        *out = (wasmx_value){.words = {0}};
        switch (*type) {
        case 'i': out->i32 = (int32_t)(r >> 8 & (r % 4 ? 63 : 4095)); break; // some count down from it
        case 'I': out->i64 = (int64_t)(r >> 8 & (r % 4 ? 63 : 4095)); break;
        case 'f': out->f32 = (float)(int32_t)(r >> 32); break;
        case 'F': out->f64 = (double)(int64_t)r; break;
        case 'v': out->words[0] = r, out->words[1] = next_random(); break;
        default: return false;
        }
    }
    return true;
}

static void compare_results(const char *name, const char *kinds, const wasmx_value *a, const wasmx_value *b) {
    for (size_t k = 0; kinds[k]; k++) {
        size_t size = kinds[k] == 'i' || kinds[k] == 'f' ? 4 : kinds[k] == 'v' ? 16 : 8;
        bool ref = kinds[k] == 'r' || kinds[k] == 'e' || kinds[k] == '?';
        if (ref ? !a[k].externref != !b[k].externref : memcmp(&a[k], &b[k], size) != 0)
            differ("%s: result %zu differs", name, k);
    }
}

// A removed table entry traps as a null one, where before the type did not match.
static bool same_status(wasmx_status a, wasmx_status b) {
    return a == b || (a == WASMX_TRAP_INDIRECT_CALL_TYPE_MISMATCH && b == WASMX_TRAP_UNINITIALIZED_ELEMENT);
}

static bool call_both(const char *when, running *a, running *b, const char *name) {
    wasmx_func *f = wasmx_export_func(a->instance, name), *g = wasmx_export_func(b->instance, name);
    wasmx_value args[64], x[64] = {0}, y[64] = {0};
    char type[256], title[200];
    if (!f || !g || wasmx_func_type(f, type, sizeof type) > 60 || !make_arguments(type, args)) return true;
    snprintf(title, sizeof title, "%s: %.60s", when, name);
    wasmx_status s = wasmx_call(f, args, x), t = wasmx_call(g, args, y);
    if (!same_status(s, t))
        differ("%s: %s, and %s", title, wasmx_status_message(s), wasmx_status_message(t));
    if (s == WASMX_OK && t == WASMX_OK) compare_results(title, strchr(type, ':') + 1, x, y);
    return s == WASMX_OK && !differences; // after a trap, memory need not be exact
}

static void exercise(const char *when, running *a, running *b) {
    const wasmx_module *m = wasmx_instance_module(b->instance);
    wasmx_extern_kind kind;
    for (int round = 0; round < CALLS; round++)
        for (size_t k = 0; k < wasmx_module_export_count(m); k++) {
            const char *name = wasmx_module_export_name(m, k, &kind);
            if (kind == WASMX_FUNC && call_both(when, a, b, name) && !differences) compare_exports(when, a, b);
            if (differences) return;
        }
}

// ---- Snapshots

static bool snapshot(const wasmx_buffer *from, wasmx_snapshot_options o, wasmx_snapshot_result *out) {
    wasmx_snapshot_error err;
    given *g = new_given();
    o.file = file;
    o.wasi = &g->config;
    o.linker = g->linker = wasmx_linker_new();
    define_logs(g->linker);
    bool ok = wasmx_snapshot(from->data, from->size, &o, out, &err);
    if (!ok) printf("%s\n%s", err.line, err.backtrace);
    end_given(g);
    return ok;
}

static void expect_same(const char *what, const wasmx_buffer *from, wasmx_snapshot_options o, const wasmx_buffer *want) {
    wasmx_snapshot_result again;
    if (!snapshot(from, o, &again)) return differ("%s fails", what);
    if (again.wasm.size != want->size || memcmp(again.wasm.data, want->data, want->size)) differ("%s is another one", what);
    wasmx_snapshot_free(&again);
}

static void check(const char *when, wasmx_snapshot_options o, const char *out) {
    wasmx_snapshot_result result;
    o.init_func = init;
    if (!snapshot(&input, o, &result)) exit(3);
    running a = initialised(), b = start(&result.wasm, when);
    memcpy(b.given->output, a.given->output, OUTPUT); // what the initialiser printed
    for (int i = 1; i < 3; i++) b.given->streams[i].used = a.given->streams[i].used;
    b.given->time = a.given->time;
    b.given->random = a.given->random;
    if (o.keep_all) compare_all(when, &a, &b);
    compare_exports(when, &a, &b);
    if (!differences) exercise(when, &a, &b);
    end(&a);
    end(&b);
    expect_same("a second snapshot", &input, o, &result.wasm);
    o.init_func = "";
    expect_same("a snapshot of the snapshot", &result.wasm, o, &result.wasm);
    FILE *f = out ? fopen(out, "wb") : NULL;
    if (f && (fwrite(result.wasm.data, 1, result.wasm.size, f) != result.wasm.size || fclose(f))) perror(out), exit(2);
    wasmx_snapshot_free(&result);
}

static int print_memory(void) {
    running r = start(&input, "as it is");
    wasmx_memory *m = wasmx_export_memory(r.instance, "memory");
    uint32_t h = 2166136261u;
    for (uint64_t k = 0; m && k < wasmx_memory_size(m); k++) h = (h ^ wasmx_memory_data(m)[k]) * 16777619u;
    printf("%llu bytes, %08x\n", m ? (unsigned long long)wasmx_memory_size(m) : 0, h);
    end(&r);
    free(input.data);
    return 0;
}

int main(int argc, char **argv) {
    if (argc < 3) return fputs("usage: snapshot_compare FILE INIT [OUT]\n", stderr), 2;
    bool memory = !strcmp(argv[1], "--memory");
    file = argv[1 + memory];
    init = argv[2];
    FILE *f = fopen(file, "rb");
    if (!f) return perror(file), 2;
    fseek(f, 0, SEEK_END);
    input.size = (size_t)ftell(f);
    rewind(f);
    input.data = malloc(input.size + 1);
    if (fread(input.data, 1, input.size, f) != input.size) return perror(file), 2;
    fclose(f);
    if (memory) return print_memory();
    check("snapshot", (wasmx_snapshot_options){0}, argc > 3 ? argv[3] : NULL);
    check("keep_all", (wasmx_snapshot_options){.keep_all = true}, NULL);
    check("whole_pages", (wasmx_snapshot_options){.whole_pages = true}, NULL);
    check("few segments", (wasmx_snapshot_options){.max_segments = 12}, NULL);
    free(input.data);
    return differences != 0;
}
