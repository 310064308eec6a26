// tests/idioms/check.c: do the functions that compiler/idioms.def knows do what it says?
//
//   idiom_check FILE...          each known function of each module, its body as it is (interpreted) and as it is
//                                compiled (guarded and explicit bounds), against C, in memory at random
//   idiom_check --find FILE...   functions of which that holds and that are not known: rows for the table
//
// A module is cut down to the functions in question, which are exported, and its memory. Cases: every distance from an
// aligned address, lengths from 0 up, regions that overlap by a little or by all; at the end of memory and past it,
// where both have to trap. Prints a line for every function; exit status 1 when one is wrong, 2 when a file cannot be read.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/idiom.h"
#include "wasm/wasm.h"
#include "wasmx_compile.h"

enum { PAGES = 4, CASES = 800, BYTES = PAGES << 16, SPAN = 12000 };

static uint64_t seed = 1;
static uint32_t random_below(uint32_t n) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((seed >> 33) % n);
}

// ---- Cases

typedef struct call { uint32_t a, b, n; } call; // dst, src or byte, length; strlen: a

static uint32_t length(void) { return random_below(3) ? random_below(300) : random_below(SPAN); }

static call case_of(wx_idiom idiom, bool any) {
    uint32_t base = 64 + random_below(64), n = length();
    call c = {base + SPAN + random_below(SPAN), base + SPAN + random_below(SPAN), n};
    if (random_below(2)) c.b = c.a + n - random_below(2 * n + 1); // near it
    if (idiom == WX_IDIOM_MEMSET) c.b = random_below(1000);
    if (any && random_below(4) == 0) c.a = BYTES - random_below(n + 40); // up to the end, or past it
    if (any && random_below(8) == 0) c.b = BYTES - random_below(n + 40);
    if (any && random_below(16) == 0) c.n = 0u - random_below(300);
    return c;
}

static bool overlap(call c) { return c.a < c.b + c.n && c.b < c.a + c.n; } // or the same place

// Zeros among the rest, or strncpy would be taken for memcpy; for strlen, one.
static void fill_memory(uint8_t *p, wx_idiom idiom, call c) {
    uint32_t least = idiom == WX_IDIOM_STRLEN;
    for (uint32_t i = 0; i < 4 * SPAN; i++) p[i] = (uint8_t)(least + random_below(256 - least));
    for (uint32_t i = BYTES - 4 * SPAN; i < BYTES; i++) p[i] = (uint8_t)(least + random_below(256 - least));
    if (idiom != WX_IDIOM_STRLEN) return;
    for (uint32_t i = c.a; i < BYTES; i++) p[i] |= 1;
    if ((uint64_t)c.a + c.n < BYTES) p[c.a + c.n] = 0;
}

static uint32_t by_c(wx_idiom idiom, uint8_t *p, call c) {
    switch (idiom) {
    case WX_IDIOM_MEMCPY: case WX_IDIOM_MEMMOVE: memmove(p + c.a, p + c.b, c.n); return c.a;
    case WX_IDIOM_MEMSET: memset(p + c.a, (int)c.b, c.n); return c.a;
    case WX_IDIOM_STRLEN: return (uint32_t)strlen((char *)p + c.a);
    default: abort();
    }
}

// ---- One function, two ways

typedef struct side { wasmx_code *code; wasmx_instance *instance; wasmx_memory *memory; } side;

static wasmx_status call_it(const side *s, const char *name, call c, uint32_t *result) {
    wasmx_value args[3] = {{.i32 = (int32_t)c.a}, {.i32 = (int32_t)c.b}, {.i32 = (int32_t)c.n}}, out = {.i32 = 0};
    wasmx_set_deadline(s->instance, WASMX_TIME_WALL, 1000000000); // what is only looked at may run for ever
    wasmx_status status = wasmx_call(wasmx_export_func(s->instance, name), args, &out);
    *result = (uint32_t)out.i32;
    return status;
}

static uint8_t *bytes_of(const side *s) { return wasmx_memory_data(s->memory); }

// What the row says: within memory, and for memcpy apart.
static bool does_it(const side *s, const char *name, wx_idiom idiom) {
    static uint8_t want[BYTES];
    for (int i = 0; i < CASES; i++) {
        call c = case_of(idiom, false);
        if (idiom == WX_IDIOM_MEMCPY && overlap(c)) continue;
        fill_memory(bytes_of(s), idiom, c);
        memcpy(want, bytes_of(s), BYTES);
        uint32_t expected = by_c(idiom, want, c), result;
        if (call_it(s, name, c, &result) || result != expected || memcmp(want, bytes_of(s), BYTES)) return false;
    }
    return true;
}

// What the compiled one does is what the body does, whatever it is asked for.
static bool are_the_same(const side *s, const side *t, const char *name, wx_idiom idiom) {
    for (int i = 0; i < CASES; i++) {
        call c = case_of(idiom, true);
        fill_memory(bytes_of(s), idiom, c);
        memcpy(bytes_of(t), bytes_of(s), BYTES);
        uint32_t one, other;
        wasmx_status first = call_it(s, name, c, &one), second = call_it(t, name, c, &other);
        if (first != second || one != other) return false;
        if (first == WASMX_OK && memcmp(bytes_of(s), bytes_of(t), BYTES)) return false;
    }
    return true;
}

// ---- Modules

static wx_buf read_file(const char *path) {
    wx_buf b = {0};
    FILE *f = fopen(path, "rb");
    if (!f) perror(path), exit(2);
    static uint8_t piece[1 << 16];
    for (size_t n; (n = fread(piece, 1, sizeof piece, f));) wx_buf_add(&b, piece, n);
    fclose(f);
    return b;
}

static void cut_down(wx_module *m, const bool *wanted, wx_buf *out) {
    wx_export *exports = calloc(m->func_count + 1, sizeof *exports);
    uint32_t n = 0;
    for (uint32_t i = 0; i < m->func_count; i++) {
        if (!wanted[i]) continue;
        char *name = malloc(16);
        int len = snprintf(name, 16, "%u", i);
        exports[n++] = (wx_export){.name = {name, (uint32_t)len}, .kind = WX_EXTERN_FUNC, .index = i};
    }
    exports[n++] = (wx_export){.name = {"memory", 6}, .kind = WX_EXTERN_MEMORY, .index = 0};
    m->exports = exports;
    m->export_count = n;
    m->memories[0].limits.min = PAGES;
    m->memories[0].limits.has_max = true;
    m->memories[0].limits.max = PAGES;
    m->start = WX_NO_INDEX;
    m->elem_count = m->data_count = m->custom_count = 0;
    m->has_data_count = false;
    wx_module_encode(m, out);
}

static bool open_side(side *s, const wx_buf *module, char level, wasmx_bounds bounds) {
    wasmx_compile_options o = {.name = "m", .opt_level = level, .bounds = bounds, .interruptible = true,
                                .tiers = WASMX_TIERS_INTERPRET};
    wasmx_compile_error err = {""};
    wasmx_error why = {""};
    wasmx_output out;
    if (level == '0') {
        s->code = wasmx_code_compile(module->data, module->len, &o, &err);
    } else if (wasmx_compile(module->data, module->len, &o, &out, &err)) {
        s->code = wasmx_code_load(&out.object, "m", &err);
        wasmx_output_free(&out);
    }
    wasmx_options options = {.trap_unknown_imports = true};
    s->instance = s->code ? wasmx_instantiate(wasmx_code_module(s->code), &options, &why) : NULL;
    if (!s->instance) return printf("%s%s\n", err.line, why.message), false;
    s->memory = wasmx_export_memory(s->instance, "memory");
    return true;
}

static void close_side(side *s) {
    if (s->instance) wasmx_instance_free(s->instance);
    if (s->code) wasmx_code_free(s->code);
}

static const char *const names[] = {"none", "memcpy", "memmove", "memset", "strlen"};

static bool check(const wx_module *m, const bool *wanted, side sides[3]) {
    bool ok = true;
    for (uint32_t i = 0; i < m->func_count; i++) {
        char name[16];
        snprintf(name, sizeof name, "%u", i);
        if (!wanted[i]) continue;
        wx_idiom idiom = wx_idiom_of(m, i, 2);
        bool good = does_it(&sides[0], name, idiom) && does_it(&sides[1], name, idiom) &&
                    are_the_same(&sides[0], &sides[1], name, idiom) && are_the_same(&sides[0], &sides[2], name, idiom);
        printf("  %s %s: function %u, %016llx\n", good ? "ok" : "WRONG", names[idiom], i,
               (unsigned long long)wx_fingerprint(m, i));
        ok = ok && good;
    }
    return ok;
}

static void find(const wx_module *m, const bool *wanted, const side *s) {
    for (uint32_t i = 0; i < m->func_count; i++) {
        char name[16];
        snprintf(name, sizeof name, "%u", i);
        for (wx_idiom k = WX_IDIOM_MEMCPY; wanted[i] && k <= WX_IDIOM_STRLEN; k++)
            if ((wx_func_type(m, i)->param_count == 1) == (k == WX_IDIOM_STRLEN) && does_it(s, name, k)) {
                if (k == WX_IDIOM_MEMCPY && does_it(s, name, WX_IDIOM_MEMMOVE)) continue;
                printf("  IDIOM(%s, 0x%016llx) function %u, %zu bytes\n", names[k],
                       (unsigned long long)wx_fingerprint(m, i), i, m->funcs[i].code.len);
            }
    }
}

static bool is_wanted(const wx_module *m, uint32_t func, bool finding) {
    wx_idiom known = wx_idiom_of(m, func, 2);
    return finding ? !known && wx_fingerprint(m, func) && m->funcs[func].code.len > 24 : known != WX_IDIOM_NONE;
}

static bool do_file(const char *path, bool finding) {
    wx_buf file = read_file(path), module = {0};
    wx_module m = {0};
    wx_error e = {0};
    if (!wx_module_decode(&m, file.data, file.len, &e) || !wx_module_validate(&m, 2, &e)) exit(2);
    bool *wanted = calloc(m.func_count + 1, sizeof *wanted), any = false, ok = true;
    for (uint32_t i = 0; i < m.func_count; i++) any |= wanted[i] = is_wanted(&m, i, finding);
    printf("%s\n", path);
    if (any) {
        cut_down(&m, wanted, &module);
        side sides[3] = {0};
        ok = open_side(&sides[0], &module, '0', WASMX_BOUNDS_GUARD);
        if (ok && finding) find(&m, wanted, &sides[0]);
        else ok = ok && open_side(&sides[1], &module, '2', WASMX_BOUNDS_GUARD) &&
                  open_side(&sides[2], &module, '2', WASMX_BOUNDS_EXPLICIT) && check(&m, wanted, sides);
        for (int i = 0; i < 3; i++) close_side(&sides[i]);
    }
    free(wanted);
    wx_buf_free(&module);
    wx_buf_free(&file);
    return ok;
}

int main(int argc, char **argv) {
    bool finding = argc > 1 && !strcmp(argv[1], "--find"), ok = true;
    for (int i = 1 + finding; i < argc; i++) ok = do_file(argv[i], finding) && ok;
    return !ok;
}
