// runtime/types.c: types of functions and values: their identities, their text, when one matches another.
//
// Types that do not fit into 64 bits are numbered here, one number per different sequence of canonical bytes, for as
// long as the process lives. Called under the lock of module.c.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/internal.h"

// ---- Identities

typedef struct interned {
    struct interned *next;
    uint64_t id;
    uint32_t size;
    uint8_t canon[];
} interned;

#define BUCKETS 1024

static interned *buckets[BUCKETS];
static uint64_t interned_count;

static uint32_t bucket_of(const uint8_t *bytes, uint32_t size) {
    uint64_t h = 0xcbf29ce484222325u;
    for (uint32_t k = 0; k < size; k++) h = (h ^ bytes[k]) * 0x100000001b3u;
    return (uint32_t)(h ^ h >> 32) % BUCKETS;
}

static uint64_t intern(const uint8_t *canon, uint32_t size) {
    interned **bucket = &buckets[bucket_of(canon, size)];
    for (interned *t = *bucket; t; t = t->next)
        if (t->size == size && !memcmp(t->canon, canon, size)) return t->id;
    interned *t = malloc(sizeof *t + size);
    if (!t) return 0;
    *t = (interned){.next = *bucket, .id = WXRT_TYPE_INTERNED | ++interned_count, .size = size};
    memcpy(t->canon, canon, size);
    *bucket = t;
    return t->id;
}

bool wx_types_intern(const wasmx_module *m) {
    for (uint32_t k = 0; k < m->type_count; k++) {
        const wxrt_type *t = &m->types[k];
        if (t->id && !*t->id && t->canon && !(*t->id = intern(t->canon, t->canon_size))) return false;
    }
    return true;
}

// ---- Text

static const char *const kind_names[] = {
    [WASMX_I32] = "i32", [WASMX_I64] = "i64", [WASMX_F32] = "f32", [WASMX_F64] = "f64",
    [WASMX_V128] = "v128", [WASMX_FUNCREF] = "funcref", [WASMX_EXTERNREF] = "externref",
};

const char *wx_value_type_text(uint32_t type) {
    return type < WX_COUNT(kind_names) && kind_names[type] ? kind_names[type] : "(ref ...)";
}

static size_t add_text(char *out, size_t size, size_t at, const char *text) {
    for (; *text; text++, at++)
        if (at + 1 < size) out[at] = *text;
    if (size) out[at < size ? at : size - 1] = 0;
    return at;
}

static size_t list_text(const uint32_t *kinds, uint32_t count, char *out, size_t size, size_t at) {
    at = add_text(out, size, at, "(");
    for (uint32_t k = 0; k < count && at < size; k++) {
        if (k) at = add_text(out, size, at, ", ");
        at = add_text(out, size, at, wx_value_type_text(kinds[k]));
    }
    return add_text(out, size, at, ")");
}

void wx_kind_text(const wxrt_type *t, char *out, size_t size) {
    size_t at = list_text(t->kinds, t->param_count, out, size, 0);
    at = add_text(out, size, at, " -> ");
    list_text(t->kinds + t->param_count, t->result_count, out, size, at);
}

// ---- Letters

static const char letters[] = "?iIfFvre"; // by wasmx_kind

static char letter_of(uint32_t type) { return type < sizeof letters - 1 ? letters[type] : '?'; }

static size_t letters_of(const wxrt_type *t, char *out, size_t size) {
    size_t length = (size_t)t->param_count + 1 + t->result_count;
    for (size_t k = 0; k < length && k + 1 < size; k++) {
        if (k == t->param_count) out[k] = ':';
        else out[k] = letter_of(t->kinds[k < t->param_count ? k : k - 1]);
    }
    if (size) out[length < size ? length : size - 1] = 0;
    return length;
}

size_t wasmx_func_type(const wasmx_func *f, char *out, size_t size) { return letters_of(f->signature, out, size); }
size_t wasmx_tag_type(const wasmx_tag *tag, char *out, size_t size) { return letters_of(&tag->type, out, size); }

static uint32_t kind_of(char letter) {
    const char *p = letter && letter != '?' ? strchr(letters, letter) : NULL;
    return p ? (uint32_t)(p - letters) : 0;
}

bool wx_signature_read(wx_signature *s, const char *text) {
    const char *colon = strchr(text, ':');
    size_t length = strlen(text);
    if (!colon || length > UINT32_MAX / 8) return false;
    s->params = (uint32_t)(colon - text);
    s->results = (uint32_t)(length - 1 - s->params);
    if (!(s->kinds = malloc(length * sizeof *s->kinds))) return false;
    for (size_t k = 0; k + 1 < length; k++)
        if (!(s->kinds[k] = kind_of(text[k < s->params ? k : k + 1]))) {
            free(s->kinds);
            return false;
        }
    return true;
}

bool wx_signature_is(const wx_signature *s, const wxrt_type *t) {
    size_t count = (size_t)s->params + s->results;
    if (s->params != t->param_count || s->results != t->result_count) return false;
    return !count || !memcmp(s->kinds, t->kinds, count * sizeof *s->kinds);
}

// ---- Matching (core specification, 3.3): references differ by nullability and heap type

#define FUNCREF (WXRT_REF_BIT | WXRT_NULL_BIT | WXRT_HEAP_FUNC)
#define EXTERNREF (WXRT_REF_BIT | WXRT_NULL_BIT | WXRT_HEAP_EXTERN)

static uint32_t reference(uint32_t type) {
    return type == WASMX_FUNCREF ? FUNCREF : type == WASMX_EXTERNREF ? EXTERNREF : type;
}

static uint64_t identity(uint32_t heap, const wasmx_module *m) {
    uint32_t k = heap & WXRT_LOW_MASK;
    return m && k < m->type_count && m->types[k].id ? *m->types[k].id : 0;
}

static bool heap_matches(uint32_t a, const wasmx_module *in_a, uint32_t b, const wasmx_module *in_b) {
    bool index_a = a & WXRT_INDEX_BIT, index_b = b & WXRT_INDEX_BIT;
    if (index_a && index_b) return identity(a, in_a) && identity(a, in_a) == identity(b, in_b);
    if (index_a) return b == WXRT_HEAP_FUNC;
    if (a == WXRT_HEAP_NOFUNC) return index_b || b == WXRT_HEAP_FUNC || b == a;
    if (a == WXRT_HEAP_NOEXTERN) return b == WXRT_HEAP_EXTERN || b == a;
    return a == b;
}

bool wx_kind_matches(uint32_t a, const wasmx_module *in_a, uint32_t b, const wasmx_module *in_b) {
    uint32_t heap_bits = WXRT_INDEX_BIT | WXRT_LOW_MASK;
    a = reference(a);
    b = reference(b);
    if (!(a & b & WXRT_REF_BIT)) return a == b;
    if ((a & WXRT_NULL_BIT) && !(b & WXRT_NULL_BIT)) return false;
    return heap_matches(a & heap_bits, in_a, b & heap_bits, in_b);
}

bool wx_is_func_type(uint32_t type) {
    uint32_t t = reference(type), low = t & WXRT_LOW_MASK;
    return (t & WXRT_REF_BIT) && ((t & WXRT_INDEX_BIT) || low == WXRT_HEAP_FUNC || low == WXRT_HEAP_NOFUNC);
}
