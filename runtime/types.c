// runtime/types.c: types of functions and values: their identities, their text, when one matches another.
//
// Types that do not fit into 64 bits are numbered here, one number per different sequence of canonical bytes, for as
// long as the process lives: with their supertypes, and what a collector has to know of their objects. Called under the
// lock of module.c; what a number leads to is there before anybody can have the number.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "runtime/gc.h"

// ---- Identities

typedef struct interned {
    struct interned *next;
    uint64_t id;
    uint32_t size;
    uint8_t canon[];
} interned;

#define BUCKETS 1024

static interned *buckets[BUCKETS];
static uint32_t interned_count;

const wxrt_display *wx_displays;
const wx_object_type *wx_object_types;

static uint32_t bucket_of(const uint8_t *bytes, uint32_t size) {
    uint64_t h = 0xcbf29ce484222325u;
    for (uint32_t k = 0; k < size; k++) h = (h ^ bytes[k]) * 0x100000001b3u;
    return (uint32_t)(h ^ h >> 32) % BUCKETS;
}

static void *reserve(size_t size) {
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

static bool open_numbers(void) {
    if (!wx_displays) wx_displays = reserve(WXRT_MAX_INTERNED * sizeof *wx_displays);
    if (!wx_object_types) wx_object_types = reserve(WXRT_MAX_INTERNED * sizeof *wx_object_types);
    return wx_displays && wx_object_types;
}

static void describe_supers(uint32_t tag, const uint64_t *super) {
    wxrt_display *display = (wxrt_display *)&wx_displays[tag >> WXRT_TAG_BITS];
    const uint32_t *above = super ? wx_displays[(uint32_t)*super >> WXRT_TAG_BITS].tags : NULL;
    uint32_t depth = 0;
    for (; above && depth < WXRT_DISPLAY - 1 && above[depth]; depth++) display->tags[depth] = above[depth];
    display->tags[depth] = tag;
}

// A copy: the module may be unloaded.
static bool describe_object(uint32_t tag, const wxrt_type *t) {
    uint32_t *refs = NULL;
    if (t->ref_count && !(refs = malloc(t->ref_count * sizeof *refs))) return false;
    if (refs) memcpy(refs, t->refs, t->ref_count * sizeof *refs);
    wx_object_type *out = (wx_object_type *)&wx_object_types[tag >> WXRT_TAG_BITS];
    *out = (wx_object_type){.refs = refs, .ref_count = t->ref_count, .size = t->size, .sort = t->sort};
    return true;
}

static uint64_t number(const wxrt_type *t, const uint64_t *super) {
    if (!open_numbers() || interned_count + 1 >= WXRT_MAX_INTERNED) return 0;
    uint32_t tag = (interned_count + 1) << WXRT_TAG_BITS | t->sort;
    if (!describe_object(tag, t)) return 0;
    describe_supers(tag, super);
    interned_count++;
    return WXRT_TYPE_INTERNED | tag;
}

static uint64_t intern(const wxrt_type *type, const uint64_t *super) {
    interned **bucket = &buckets[bucket_of(type->canon, type->canon_size)];
    for (interned *t = *bucket; t; t = t->next)
        if (t->size == type->canon_size && !memcmp(t->canon, type->canon, t->size)) return t->id;
    interned *t = malloc(sizeof *t + type->canon_size);
    uint64_t id = t ? number(type, super) : 0;
    if (!id) {
        free(t);
        return 0;
    }
    *t = (interned){.next = *bucket, .id = id, .size = type->canon_size};
    memcpy(t->canon, type->canon, t->size);
    *bucket = t;
    return id;
}

bool wx_types_intern(const wasmx_module *m) {
    for (uint32_t k = 0; k < m->type_count; k++) {
        const wxrt_type *t = &m->types[k];
        const uint64_t *super = t->super < k ? m->types[t->super].id : NULL;
        if (t->id && !*t->id && t->canon && !(*t->id = intern(t, super))) return false;
    }
    return true;
}

bool wx_identity_matches(uint64_t a, uint64_t b) {
    if (a == b) return a;
    if (!(a & b & WXRT_TYPE_INTERNED)) return false;
    const uint32_t *above = wx_displays[(uint32_t)a >> WXRT_TAG_BITS].tags;
    for (uint32_t k = 0; k < WXRT_DISPLAY && above[k]; k++)
        if (above[k] == (uint32_t)b) return true;
    return false;
}

// ---- Text

static const char *const kind_names[] = {
    [WASMX_I32] = "i32", [WASMX_I64] = "i64", [WASMX_F32] = "f32", [WASMX_F64] = "f64",
    [WASMX_V128] = "v128", [WASMX_FUNCREF] = "funcref", [WASMX_EXTERNREF] = "externref", [WASMX_ANYREF] = "anyref",
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

static const char letters[] = "?iIfFvrea"; // by wasmx_kind

static char letter_of(uint32_t type) {
    if (wxrt_is_object(type)) return 'a';
    return type < sizeof letters - 1 ? letters[type] : '?';
}

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

// What `a` stands for is checked at each call, by the type of the import.
static bool is_kind(uint32_t kind, uint32_t type) {
    return kind == type || (kind == WASMX_ANYREF && wxrt_is_object(type));
}

bool wx_signature_is(const wx_signature *s, const wxrt_type *t) {
    size_t count = (size_t)s->params + s->results;
    if (s->params != t->param_count || s->results != t->result_count) return false;
    for (size_t k = 0; k < count; k++)
        if (!is_kind(s->kinds[k], t->kinds[k])) return false;
    return true;
}

// ---- Matching (core specification, 3.3): references differ by nullability and heap type

#define FUNCREF (WXRT_REF_BIT | WXRT_NULL_BIT | WXRT_HEAP_FUNC)
#define EXTERNREF (WXRT_REF_BIT | WXRT_NULL_BIT | WXRT_HEAP_EXTERN)
#define ANYREF (WXRT_REF_BIT | WXRT_NULL_BIT | WXRT_HEAP_ANY)

static uint32_t reference(uint32_t type) {
    return type == WASMX_FUNCREF ? FUNCREF : type == WASMX_EXTERNREF ? EXTERNREF : type == WASMX_ANYREF ? ANYREF : type;
}

static uint64_t identity(uint32_t heap, const wasmx_module *m) {
    uint32_t k = heap & WXRT_LOW_MASK;
    return m && k < m->type_count && m->types[k].id ? *m->types[k].id : 0;
}

// The abstract heap types that a is below, itself among them.
static bool abstract_matches(uint32_t a, uint32_t b) {
    if (a == b) return true;
    switch (b) {
    case WXRT_HEAP_FUNC: return a == WXRT_HEAP_NOFUNC;
    case WXRT_HEAP_EXTERN: return a == WXRT_HEAP_NOEXTERN;
    case WXRT_HEAP_ANY: return a == WXRT_HEAP_NONE || (a <= WXRT_HEAP_EQ && a >= WXRT_HEAP_ARRAY);
    case WXRT_HEAP_EQ: return a == WXRT_HEAP_NONE || (a <= WXRT_HEAP_I31 && a >= WXRT_HEAP_ARRAY);
    case WXRT_HEAP_I31: case WXRT_HEAP_STRUCT: case WXRT_HEAP_ARRAY: return a == WXRT_HEAP_NONE;
    default: return false;
    }
}

static uint32_t heap_of_sort(uint32_t sort) {
    return sort == WXRT_TAG_FUNC ? WXRT_HEAP_FUNC : sort == WXRT_TAG_STRUCT ? WXRT_HEAP_STRUCT : WXRT_HEAP_ARRAY;
}

static uint32_t sort_of(uint32_t heap, const wasmx_module *m) { // of an index
    uint32_t k = heap & WXRT_LOW_MASK;
    return m && k < m->type_count ? m->types[k].sort : WXRT_TAG_FUNC;
}

static bool heap_matches(uint32_t a, const wasmx_module *in_a, uint32_t b, const wasmx_module *in_b) {
    bool index_a = a & WXRT_INDEX_BIT, index_b = b & WXRT_INDEX_BIT;
    if (index_a && index_b) return wx_identity_matches(identity(a, in_a), identity(b, in_b));
    if (index_a) return abstract_matches(heap_of_sort(sort_of(a, in_a)), b);
    if (index_b) return a == (sort_of(b, in_b) == WXRT_TAG_FUNC ? WXRT_HEAP_NOFUNC : WXRT_HEAP_NONE);
    return abstract_matches(a, b);
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
    if (t & WXRT_INDEX_BIT) return (t & WXRT_REF_BIT) && !(t & WXRT_OBJECT_BIT);
    return (t & WXRT_REF_BIT) && (low == WXRT_HEAP_FUNC || low == WXRT_HEAP_NOFUNC);
}

bool wx_is_extern_type(uint32_t type) {
    return (reference(type) & WXRT_REF_BIT) && !wx_is_func_type(type) && !wxrt_is_object(type);
}

// ---- Values

static bool object_is(const wx_heap *h, uint32_t ref, uint32_t heap, const wasmx_module *m) {
    if (heap == WXRT_HEAP_ANY) return true;
    if (ref & 1) return heap == WXRT_HEAP_EQ || heap == WXRT_HEAP_I31;
    uint32_t tag = wx_heap_tag(h, ref), sort = tag & WXRT_TAG_MASK;
    if (heap & WXRT_INDEX_BIT) return wx_identity_matches(WXRT_TYPE_INTERNED | tag, identity(heap, m));
    if (heap == WXRT_HEAP_EQ) return sort != WXRT_TAG_HOST;
    return (heap == WXRT_HEAP_STRUCT && sort == WXRT_TAG_STRUCT) || (heap == WXRT_HEAP_ARRAY && sort == WXRT_TAG_ARRAY);
}

static bool function_is(const wasmx_func *f, uint32_t heap, const wasmx_module *m) {
    return heap == WXRT_HEAP_FUNC || ((heap & WXRT_INDEX_BIT) && wx_identity_matches(f->type, identity(heap, m)));
}

bool wx_value_is(const wx_heap *h, const void *ref, uint32_t type, const wasmx_module *m) {
    uint32_t t = reference(type), heap = t & (WXRT_INDEX_BIT | WXRT_LOW_MASK);
    if (!(t & WXRT_REF_BIT)) return true;
    if (!ref) return t & WXRT_NULL_BIT;
    if (wxrt_is_object(t)) return object_is(h, (uint32_t)(uintptr_t)ref, heap, m);
    return wx_is_func_type(t) ? function_is(ref, heap, m) : heap == WXRT_HEAP_EXTERN;
}
