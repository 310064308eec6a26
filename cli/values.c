// cli/values.c: the values that --invoke reads and prints.
//
// Integers: decimal or 0x, signed or unsigned. Floats: whatever strtod reads; printed with the digits that read back
// as the same value. v128: 0x and 32 hexadecimal digits, highest first. References: only `null` can be given.
#include "cli/values.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *type_name(char letter) {
    static const char letters[] = "iIfFvre";
    static const char *const names[] = {"i32", "i64", "f32", "f64", "v128", "funcref", "externref"};
    const char *at = strchr(letters, letter);
    return at && letter ? names[at - letters] : "reference";
}

static bool read_integer(const char *word, int bits, int64_t *out) {
    char *end;
    bool negative = *word == '-';
    errno = 0;
    uint64_t n = strtoull(word + negative, &end, 0), limit = UINT64_MAX >> (64 - bits);
    if (!isdigit((unsigned char)word[negative]) || *end || errno) return false;
    if (n > limit || (negative && n > limit / 2 + 1)) return false;
    *out = (int64_t)(negative ? 0 - n : n);
    return true;
}

static bool read_float(const char *word, double *out) {
    char *end;
    *out = strtod(word, &end);
    return *word && !isspace((unsigned char)*word) && !*end;
}

static bool read_v128(const char *word, wasmx_v128 *out) {
    if (strncmp(word, "0x", 2) || strlen(word) != 34 || strspn(word + 2, "0123456789abcdefABCDEF") != 32) return false;
    for (int i = 0; i < 16; i++) sscanf(word + 2 + 2 * (15 - i), "%2hhx", &out->bytes[i]);
    return true;
}

static bool read_value(char letter, const char *word, wasmx_value *out) {
    int64_t n = 0;
    double d = 0;
    char *end;
    bool ok = false;
    switch (letter) {
    case 'i': ok = read_integer(word, 32, &n), out->i32 = (int32_t)n; break;
    case 'I': ok = read_integer(word, 64, &n), out->i64 = n; break;
    case 'f': ok = read_float(word, &d), out->f32 = strtof(word, &end); break; // not via double: rounded once
    case 'F': ok = read_float(word, &d), out->f64 = d; break;
    case 'v': ok = read_v128(word, &out->v128); break;
    default: ok = !strcmp(word, "null");
    }
    if (!ok) wrong_usage("run", "--invoke: '%s' is not a value of type %s", word, type_name(letter));
    return ok;
}

bool read_values(const char *type, const char *const *words, size_t count, wasmx_value **args, wasmx_value **results) {
    size_t params = strcspn(type, ":");
    *args = calloc(params + 1, sizeof **args);
    *results = calloc(strlen(type) - params + 1, sizeof **results);
    if (!*args || !*results) abort();
    bool ok = count == params;
    if (!ok) wrong_usage("run", "--invoke: the function wants %zu arguments, there are %zu", params, count);
    for (size_t i = 0; ok && i < params; i++) ok = read_value(type[i], words[i], &(*args)[i]);
    if (!ok) free(*args), free(*results);
    return ok;
}

// With as few digits as read back to the same value.
static void print_float(double d, bool is_single) {
    char text[40];
    if (isnan(d)) strcpy(text, "nan");
    else
        for (int digits = 1; digits <= 17; digits++) {
            snprintf(text, sizeof text, "%.*g", digits, d);
            if (is_single ? strtof(text, NULL) == (float)d : strtod(text, NULL) == d) break;
        }
    puts(text);
}

static void print_value(char letter, const wasmx_value *v) {
    switch (letter) {
    case 'i': printf("%" PRId32 "\n", v->i32); break;
    case 'I': printf("%" PRId64 "\n", v->i64); break;
    case 'f': print_float((double)v->f32, true); break;
    case 'F': print_float(v->f64, false); break;
    case 'v':
        fputs("0x", stdout);
        for (int i = 15; i >= 0; i--) printf("%02x", v->v128.bytes[i]);
        puts("");
        break;
    default: puts(v->externref ? type_name(letter) : "null");
    }
}

void print_values(const char *types, const wasmx_value *values) {
    for (size_t i = 0; types[i]; i++) print_value(types[i], &values[i]);
}
