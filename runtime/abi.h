// runtime/abi.h: what generated code and the runtime agree on. The compiler includes this header and nothing else of
// runtime/; layouts are the same on both targets (LP64, little endian).
//
//        low addresses                                                                                    high
//   [guard][ module's own area ][ wasmx_instance ][ low guard 64 KiB ] ctx► [ memory 0: reserved ][ high guard ]
//            area_size bytes                                           ▲ pinned in r13 / x20 (LLVM's swiftself)
//
// The module's own area lies right below wasmx_instance. Its arrays are found at `offset` bytes below the instance
// (wxrt_layout); the compiler chooses the layout, the descriptor tells it to the runtime.
//
// Calling convention of Wasm functions: C, with ctx as a swiftself parameter first, then the Wasm parameters. No
// result: void; one: as it is; two: a struct of both by value; more: written to consecutive wasmx_value slots through a
// last pointer parameter. References are pointers: funcref a wasmx_func *, externref what the host gave. References to
// objects and i31 are 32 bits in a pointer's register, as drawn below.
//
// A function reference holds its own ctx. For host functions ctx is the wasmx_func itself, and `code` is an adapter
// that the importing module carries (one for typed host functions, one for callbacks). Thunks and adapters therefore
// must not read an instance through ctx.
#pragma once
#include "wasmx.h"

#define WXRT_PAGE 65536u
#define WXRT_LOW_GUARD ((uint64_t)64 << 10)
#define WXRT_WORDS 4 // arguments of wxrt_call_words
#define WXRT_HIGH_GUARD ((uint64_t)256 << 20) // largest constant offset that needs no compare, less 64 KiB
#define WXRT_RESERVE32 ((uint64_t)4 << 30)
#define WXRT_MAX_PAGES32 65535u               // one less than the specification allows: DESIGN section 3

// ---- Type identities: 64 bits, equal exactly for equal types, without a collision.
//
// A final function type without supertype, alone in its recursion group, over the seven kinds of wasmx_kind, with at
// most 19 of them, is written out: a leading 1, three bits a parameter, 000, three bits a result (first in the highest
// bits). Every other type is numbered by the process when a module that has it is first used; those have the top bit
// set, and in the low 32 bits the number and the kind: its tag. 0 is no type: what an empty table slot has.
#define WXRT_TYPE_DIGITS 19
#define WXRT_TYPE_INTERNED ((uint64_t)1 << 63)
#define WXRT_MAX_INTERNED ((uint32_t)1 << 18)
enum { WXRT_TAG_FUNC, WXRT_TAG_STRUCT, WXRT_TAG_ARRAY, WXRT_TAG_HOST, WXRT_TAG_BITS = 2, WXRT_TAG_MASK = 3 };

// The supertypes of a numbered type, by depth, itself last, each as its tag; 0 beyond. So `x is of type T`, T at depth
// d, is one comparison: wxrt_display of x's number, entry d.
#define WXRT_DISPLAY 64
typedef struct wxrt_display { uint32_t tags[WXRT_DISPLAY]; } wxrt_display;

// ---- The heap of a module with garbage collection
//
// A reference of the hierarchy of `any` is 32 bits, extended by zeros where there is room for more: 0 is null; an odd
// one an i31 (value * 2 + 1); all others are the place of an object in the heap of the instance, a multiple of 16.
//
//   base► [ not accessible: WXRT_HEAP_FIRST ][ objects, up to the limit ][ not accessible, up to 4 GiB and a guard ]
//
// An object begins with the tag of its type (4 bytes). The fields of a struct follow, each at the next multiple of its
// size. An array has its length (4 bytes), then its elements at 8, those of 16 bytes at 16. A reference of the host's
// (any.convert_extern) is an object with the tag WXRT_TAG_HOST alone and the host's word at 8. In fields, references of
// this hierarchy take 4 bytes, all others 8.
//
// Generated code adds 32 bits to base, always, and nothing that is not checked by a compare or covered by the guard.
#define WXRT_HEAP_FIRST ((uint32_t)1 << 20)
#define WXRT_HEAP_GUARD ((uint64_t)1 << 20)
#define WXRT_HEAP_SPACE ((uint64_t)4 << 30)
#define WXRT_ARRAY_DATA 8u

// Where the elements of an array begin, which have 2^log bytes each.
static inline uint32_t wxrt_array_data(uint32_t log) { return log == 4 ? 16 : WXRT_ARRAY_DATA; }

// Small objects are in cells, those of a page of 4 KiB of one size: 16 to 128 by 16, 160 to 256 by 32, 320 to 512 by
// 64, then as many as leave nothing over.
#define WXRT_CELL_CLASSES 21

static inline uint32_t wxrt_cell_size(uint32_t k) {
    static const uint16_t large[] = {640, 816, 1024, 1360, 2048};
    return k < 8 ? 16 * (k + 1) : k < 12 ? 32 * (k - 3) : k < 16 ? 64 * (k - 7) : large[k - 16];
}

// The class of the smallest cells that hold so many bytes; WXRT_CELL_CLASSES: none does.
static inline uint32_t wxrt_cell_class(uint64_t size) {
    if (size <= 128) return size ? (uint32_t)(size - 1) / 16 : 0;
    uint32_t k = 8;
    while (k < WXRT_CELL_CLASSES && wxrt_cell_size(k) < size) k++;
    return k;
}

// Cells of a class from next up to end are free and hold zeros.
typedef struct wxrt_room { uint32_t next, end; } wxrt_room;

struct wxrt_heap { wxrt_room rooms[WXRT_CELL_CLASSES]; };

struct wxrt_gc { // in the area of an instance
    uint8_t *base;               // NULL until something is allocated
    struct wxrt_heap *heap;      // until then one without rooms
    const wxrt_display *displays; // by type number
};

// ---- Objects generated code touches

typedef struct wxrt_slot { // an element of a funcref table
    uint64_t type;         // 0 when null
    void *code;
    void *ctx;
    wasmx_func *ref;
} wxrt_slot;

struct wasmx_func {
    uint64_t type;
    void *code;   // C calling convention
    void *ctx;
    void *tail;   // the tailcc entry, or NULL: then a tail call to it is an ordinary call
    void *thunk;  // void (swiftself ctx, code, wasmx_value *slots): calls from the host
    void *host;   // host functions: the typed C function, or the wasmx_callback
    void *env;    // callbacks: their first argument
    wasmx_instance *owner;           // the instance that defines or imported it
    const struct wxrt_type *signature;
};

struct wasmx_memory {
    uint8_t *base;
    uint64_t bytes;     // accessible now
    uint64_t max_bytes; // declared or limited
    uint64_t reserved;  // bytes of address space from base that belong to it, guard not counted
    void *mapping;      // standalone memories: what to unmap
    size_t mapping_size;
    bool has_max;       // a maximum was declared
    bool is64;
    bool guarded;       // has 4 GiB and the high guard behind them
    bool is_shared;     // by several threads: bytes is read and grows atomically
    uint64_t declared_max; // pages
    uint64_t image;     // serial of the image whose file is mapped in it, or 0
    void *range;        // where the mapping is known to the fault handler; NULL: it is the instance's
};

struct wasmx_table {
    void *elems;        // wxrt_slot[size] for function references, void *[size] otherwise
    uint64_t size;
    uint64_t max;       // declared or limited
    uint64_t capacity;
    bool is_func;       // elements are wxrt_slot
    bool is64;
    bool has_max;
    uint64_t declared_max;
    uint32_t type;      // value type of the elements
    const wasmx_module *module; // whose type indices `type` counts; NULL: made by the host
    struct wx_link *link;       // the instances that functions in it tie together
    uint64_t written_low, written_high; // elements written since they were last put back, none where low >= high
};

struct wasmx_global {
    uint32_t type;      // value type
    bool is_mutable;
    wasmx_value *cell;  // in the owner's area, or `own`
    wasmx_value own;    // standalone globals
    const wasmx_module *module; // whose type indices `type` counts; NULL: made by the host
    struct wx_link *link;       // as in a table
};

typedef struct wxrt_type {
    uint64_t *id;             // where its identity is; 0 there until the module is first used, if it is interned
    uint32_t param_count, result_count; // functions
    const uint32_t *kinds;    // parameters, then results
    const uint8_t *canon;     // interned types: canonical bytes, equal exactly for equal types
    uint32_t canon_size;
    uint32_t sort;            // WXRT_TAG_FUNC, _STRUCT or _ARRAY
    uint32_t super;           // index of the supertype, or UINT32_MAX
    uint32_t size;            // bytes of a struct, or of an element of an array
    uint32_t ref_count;       // fields that may hold objects; arrays: 1 when elements may
    const uint32_t *refs;     // where they are: an offset | WXRT_REF_ANY or WXRT_REF_EXTERN; arrays: offset 0
} wxrt_type;
enum { WXRT_REF_ANY = 1, WXRT_REF_EXTERN = 2, WXRT_REF_MASK = 3 }; // 4 bytes; a word of the host's, or an object

struct wasmx_tag {
    wxrt_type type;     // as its module says; made by the host: without an identity
};

struct wasmx_instance { // 16-byte aligned, size a multiple of 16; ends WXRT_LOW_GUARD below ctx
    const wasmx_module *module;
    void *host;
    wasmx_wasi *wasi;
    struct wxrt_host_state *state; // mapping, trap record, exports made on demand: runtime/ only
    uint64_t stack_limit;          // lowest stack pointer a guest function may have
    uint64_t max_stack;            // bytes a call may use; 0: what the thread has
};

// Where a byte of an array of the instance's area (wxrt_layout) is, from ctx; array 0: of the instance itself.
static inline int64_t wxrt_area_offset(uint64_t array, uint64_t byte) {
    return -(int64_t)(WXRT_LOW_GUARD + sizeof(struct wasmx_instance)) - (int64_t)array + (int64_t)byte;
}

// ---- The descriptor: what `const wasmx_module NAME` is

// Value types in descriptors: a wasmx_kind, or a reference type of another sort in the bits of wasm/types.h: top bit,
// nullable bit, index bit; below it an index in the descriptor's `types`, or an abstract heap type's code byte. funcref
// and externref are always written as their wasmx_kind.
#define WXRT_REF_BIT 0x80000000u
#define WXRT_NULL_BIT 0x40000000u
#define WXRT_INDEX_BIT 0x20000000u
#define WXRT_OBJECT_BIT 0x10000000u // with WXRT_INDEX_BIT: the type is a struct or an array
#define WXRT_LOW_MASK 0x00ffffffu
enum {
    WXRT_HEAP_NOFUNC = 0x73, WXRT_HEAP_NOEXTERN = 0x72, WXRT_HEAP_NONE = 0x71, WXRT_HEAP_FUNC = 0x70,
    WXRT_HEAP_EXTERN = 0x6f, WXRT_HEAP_ANY = 0x6e, WXRT_HEAP_EQ = 0x6d, WXRT_HEAP_I31 = 0x6c, WXRT_HEAP_STRUCT = 0x6b,
    WXRT_HEAP_ARRAY = 0x6a,
};

// References of the hierarchy of `any`.
static inline bool wxrt_is_object(uint32_t type) {
    if (!(type & WXRT_REF_BIT)) return type == WASMX_ANYREF;
    if (type & WXRT_INDEX_BIT) return type & WXRT_OBJECT_BIT;
    uint32_t low = type & WXRT_LOW_MASK;
    return low == WXRT_HEAP_NONE || (low <= WXRT_HEAP_ANY && low >= WXRT_HEAP_ARRAY);
}

typedef struct wxrt_import {
    const char *module, *name;      // NUL-terminated; a name with a NUL inside is refused by the compiler
    uint32_t kind;                  // wasmx_extern_kind
    uint32_t type;                  // functions and tags: index in types; globals and tables: value type
    bool is_mutable, has_max;       // globals; tables and memories
    uint64_t min, max;
    int32_t typed_slot;             // functions: index in NAME_imports, -1, or WXRT_LINKED
    void *typed_adapter;            // functions: `code` for a typed host function
    void *callback_adapter;         // functions: `code` for a callback
    void *thunk;                    // functions
    void *trap_stub;                // functions: `code` that traps with UNKNOWN_IMPORT
} wxrt_import;

// typed_slot of an import that the system's linker has bound: typed_adapter is the code, its ctx the importer's own;
// there is nothing to resolve.
#define WXRT_LINKED (-2)

typedef struct wxrt_funcdesc { // a function that has an identity: exported or referenced
    uint32_t type;             // index in types
    uint32_t index;            // function index
    void *code, *tail, *thunk; // NULL code: an import; index then is its number among the function imports
} wxrt_funcdesc;

typedef struct wxrt_export { // sorted by name: bytes, then length
    const char *name;        // NUL-terminated; a NUL inside is part of it
    uint32_t name_size;      // without the last NUL
    uint32_t kind;
    uint32_t index;          // functions: index in funcs; others: index in their index space
} wxrt_export;

typedef struct wxrt_run { // whole pages of a memory's image that are not all zero
    uint64_t address;     // multiple of 4096
    uint64_t size;        // bytes, the last run may end inside a page
    uint64_t at;          // in image
} wxrt_run;

typedef struct wxrt_memdesc {
    uint64_t min, max;
    bool has_max, is64;
    uint8_t import;
    bool is_shared;
    uint32_t run_count;
    const wxrt_run *runs;
} wxrt_memdesc;

typedef struct wxrt_tabledesc {
    uint64_t min, max;
    bool has_max, is_func, is_constant, is64;
    uint8_t import;
    uint32_t type;
} wxrt_tabledesc;

typedef struct wxrt_globaldesc { uint32_t type; bool is_mutable; uint8_t import; } wxrt_globaldesc;
typedef struct wxrt_tagdesc { uint32_t type; uint8_t import; } wxrt_tagdesc; // type: index in types
// size 0 for active ones in the image
typedef struct wxrt_datadesc { const uint8_t *bytes; uint64_t size; } wxrt_datadesc;

// items: a function's index in funcs; WXRT_ITEM_NULL; WXRT_ITEM_GLOBAL | global index; or WXRT_ITEM_VALUE | index in
// the instance's elem_values, where init has put what the expression gave.
typedef struct wxrt_elemdesc { const uint32_t *items; uint64_t count; } wxrt_elemdesc;
#define WXRT_ITEM_NULL 0xffffffffu
#define WXRT_ITEM_GLOBAL 0x80000000u
#define WXRT_ITEM_VALUE 0x40000000u

// Where that page is, for an area of so many bytes: below area and instance, a multiple of 64 KiB from ctx.
static inline uint64_t wxrt_interrupt_at(uint64_t area_size) {
    uint64_t own = area_size + sizeof(struct wasmx_instance);
    return WXRT_LOW_GUARD + (own + WXRT_PAGE - 1) / WXRT_PAGE * WXRT_PAGE + WXRT_PAGE;
}

typedef struct wxrt_file { // an embedded file, for WASI; sorted by root, then path: bytes
    const char *root;  // the directory the guest finds open
    const char *path;  // below it
    const uint8_t *bytes;
    uint64_t size;
} wxrt_file;

typedef struct wxrt_map {
    int32_t at;    // where the code starts, relative to the address of this field
    uint32_t func; // function index, or UINT32_MAX for a thunk or adapter
} wxrt_map;

// ---- Lines: where in the Wasm file code comes from, and where in its source
//
// Rows of a key and two values stand in ascending order of the key; a row holds for its key and those after it, up to
// the next row's. A row is an unsigned LEB128 number of 4 * (its key - the key before) + what follows: nothing (both
// values are 0), a signed LEB128 number for the first value, or two for both: differences to what they were before.
// Every WXRT_ROWS_IN_BLOCK rows a block begins, before whose first row are the block's key and two zeros.
#define WXRT_ROWS_IN_BLOCK 32
enum { WXRT_ROW_EMPTY, WXRT_ROW_FIRST, WXRT_ROW_BOTH };

typedef struct wxrt_block { uint32_t key, at; } wxrt_block; // at: where its rows are, in the bytes of all rows
typedef struct wxrt_rows { uint32_t blocks, count, bytes, size; } wxrt_rows; // wxrt_block[count], uint8_t[size]

typedef struct wxrt_inlined { // code of one function inside another
    uint32_t func; // which one
    uint32_t at;   // offset in the Wasm file of the call it stands for; 0: not known
    uint32_t up;   // what the caller is inlined as, or 0
} wxrt_inlined;

typedef struct wxrt_lines { // offsets count in bytes from this struct; all zero: nothing is known
    wxrt_rows code;         // key: bytes from text_start; values: offset in the Wasm file or 0, number of wxrt_inlined
    wxrt_rows source;       // key: offset in the Wasm file; values: line or 0, number of the file
    uint32_t inlined;       // wxrt_inlined[], from number 1 on
    uint32_t files;         // uint32_t[]: offsets of NUL-terminated paths
} wxrt_lines;

// ---- Profiles: what --profile-generate counts
//
// Counters are words in writable data of the object, in the order of the sites. A site is a place in a body with words
// of its own; `sites` says which there are, in unsigned LEB128: for each function its index, the hash of its body (8
// bytes, little endian) and the number of its sites; for each site 8 * (its offset in the body - the one before) + its
// kind, and for a switch the number of its words.
typedef enum wxrt_site {
    WXRT_SITE_ENTRY,   // at offset 0: how often the function was entered
    WXRT_SITE_LOOP,    // how often the loop's head was reached
    WXRT_SITE_BRANCH,  // not taken, taken; an `if` takes its first part
    WXRT_SITE_SWITCH,  // a word for each case, the last one for the default
    WXRT_SITE_TARGETS, // WXRT_TARGETS pairs of a code address and how often it was called; 0: a free pair
} wxrt_site;
#define WXRT_TARGETS 4

typedef struct wxrt_profile {
    uint64_t *counters;
    uint64_t count;
    const uint8_t *sites;
    uint64_t size; // in bytes
} wxrt_profile;

// Offsets in bytes below the instance: array X starts at (char *)instance - X.
typedef struct wxrt_layout {
    uint64_t memories;  // wasmx_memory *[memory_count]
    uint64_t tables;    // wasmx_table *[table_count]; NULL for constant tables
    uint64_t globals;   // wasmx_value[global_count]; imported ones: words[0] is the address of the cell
    uint64_t imports;   // wasmx_func[function imports]
    uint64_t refs;      // wasmx_func[ref_count]: the first ref_count of funcs
    uint64_t own_memories, own_tables; // the records: wasmx_memory[own], wasmx_table[own], in index order (own: not
                                       // imported); those of constant tables are not used
    uint64_t dropped_data, dropped_elems; // one byte a segment
    uint64_t gc;          // struct wxrt_gc; 0: the module has no use for one
    uint64_t elem_values; // uint64_t[elem_value_count]
} wxrt_layout;

struct wasmx_module {
    uint64_t abi_hash;
    const char *name, *producer;
    const char *cpu_features; // comma-separated, as LLVM spells them: what the code needs
    const char *target;       // "x86_64" or "aarch64"
    uint8_t sha256[32];       // of the Wasm file
    bool explicit_bounds;     // --bounds=explicit: no guard is needed
    bool has_start;           // init runs code of the module, so that its effects may differ from time to time
    const char *text_start, *text_end;
    uint64_t area_size;       // multiple of 16
    uint64_t interrupt_at;    // so far below ctx lies a page whose loss interrupts the code; 0: it never looks
    wxrt_layout layout;
    const wxrt_type *types;          uint32_t type_count;
    const wxrt_import *imports;      uint32_t import_count, func_imports;
    const wxrt_funcdesc *funcs;      uint32_t func_count, ref_count; // the first ref_count have a place in `refs`
    const wxrt_memdesc *memories;    uint32_t memory_count;
    const wxrt_tabledesc *tables;    uint32_t table_count;
    const wxrt_globaldesc *globals;  uint32_t global_count;
    const wxrt_tagdesc *tags;        uint32_t tag_count;
    const wasmx_value *global_image; // initial values of all globals (imported ones: zero)
    const wxrt_datadesc *datas;      uint32_t data_count;
    const wxrt_elemdesc *elems;      uint32_t elem_count, elem_value_count;
    const wxrt_export *exports;      uint32_t export_count;
    const uint8_t *image;            // page-aligned bytes of all runs
    uint64_t image_size;
    // Applies what the image does not hold (segments with unknown offsets, globals that need instances) and calls the
    // start function. Called through init_thunk like an export of type [] -> []; NULL when there is nothing to do.
    void *init, *init_thunk;
    // The address map: one entry for every piece of code, in address order, from map up to map_end. name_at[f] is an
    // offset in names for function f, 0: none.
    const struct wxrt_map *map, *map_end;
    const uint32_t *name_at;         uint32_t name_count;
    const char *names;
    const wxrt_file *files;          uint64_t file_count; // no padding: these bytes are written to files
    const wxrt_lines *lines;         // NULL: none
    const wxrt_profile *profile;     // NULL: nothing is counted
};

#define WXRT_IMPORTED 1 // in memdesc.import etc.

// ---- Helpers

typedef struct wxrt_words { uint32_t status; uint64_t result; } wxrt_words;

#define FIELD(s, f)
#define HELPER(name, result, parameters, sig) WASMX_API result wxrt_##name parameters;
#ifdef __cplusplus
extern "C" {
#endif
#include "runtime/abi.def"
#ifdef __cplusplus
}
#endif
#undef FIELD
#undef HELPER

_Static_assert(sizeof(struct wasmx_instance) % 16 == 0, "ctx alignment");
_Static_assert(sizeof(wxrt_slot) == 32, "an index is shifted by 5");
_Static_assert(sizeof(wasmx_value) == 16, "slots");

static inline uint64_t wxrt_hash_row(uint64_t h, const char *text, uint64_t number) {
    for (; *text; text++) h = (h ^ (uint8_t)*text) * 0x100000001b3u;
    return (h ^ number) * 0x100000001b3u;
}

// FNV-1a over every row above: names, offsets, signatures, and the sizes of the descriptor's parts.
static inline uint64_t wxrt_abi_hash(void) {
    uint64_t h = wxrt_hash_row(0xcbf29ce484222325u, "wasmx 1", WXRT_LOW_GUARD);
    h = wxrt_hash_row(h, "guard", WXRT_HIGH_GUARD);
    h = wxrt_hash_row(h, "module", sizeof(struct wasmx_module));
    h = wxrt_hash_row(h, "instance", sizeof(struct wasmx_instance));
    h = wxrt_hash_row(h, "func", sizeof(struct wasmx_func));
    h = wxrt_hash_row(h, "memory", sizeof(struct wasmx_memory));
    h = wxrt_hash_row(h, "table", sizeof(struct wasmx_table));
    h = wxrt_hash_row(h, "import", sizeof(wxrt_import));
    h = wxrt_hash_row(h, "type", sizeof(wxrt_type) + WXRT_MAX_INTERNED);
    h = wxrt_hash_row(h, "heap", WXRT_HEAP_FIRST + WXRT_HEAP_GUARD + WXRT_DISPLAY + WXRT_CELL_CLASSES);
    h = wxrt_hash_row(h, "export", sizeof(wxrt_export));
    h = wxrt_hash_row(h, "lines", sizeof(wxrt_lines) + WXRT_ROWS_IN_BLOCK);
    h = wxrt_hash_row(h, "profile", sizeof(wxrt_profile) + WXRT_TARGETS);
#define FIELD(s, f) h = wxrt_hash_row(h, #s "." #f, offsetof(struct s, f));
#define HELPER(name, result, parameters, sig) h = wxrt_hash_row(h, #name sig, 0);
#include "runtime/abi.def"
#undef FIELD
#undef HELPER
    return h;
}
