// wasm/types.h: value types and type definitions (core specification 3.0, section 2.3), as plain data.
#pragma once
#include <stdbool.h>
#include <stdint.h>

// A value type, a storage type or a heap type in 32 bits:
//
//   bit 31  reference     bit 30  nullable     bit 29  the heap type is a type index
//   low 24 bits: the type index, or the code byte of the abstract heap type or of the number or vector type
typedef uint32_t wx_type;

enum {
    WX_I32 = 0x7f, WX_I64 = 0x7e, WX_F32 = 0x7d, WX_F64 = 0x7c, WX_V128 = 0x7b,
    WX_I8 = 0x78, WX_I16 = 0x77, // storage types of fields only
    WX_NONE = 0,                 // no type: the empty block type
    WX_BOTTOM = 1,               // the type of operands in unreachable code; validator only
};

// Abstract heap types, by their code byte.
enum {
    WX_HEAP_NOEXN = 0x74, WX_HEAP_NOFUNC = 0x73, WX_HEAP_NOEXTERN = 0x72, WX_HEAP_NONE = 0x71,
    WX_HEAP_FUNC = 0x70, WX_HEAP_EXTERN = 0x6f, WX_HEAP_ANY = 0x6e, WX_HEAP_EQ = 0x6d, WX_HEAP_I31 = 0x6c,
    WX_HEAP_STRUCT = 0x6b, WX_HEAP_ARRAY = 0x6a, WX_HEAP_EXN = 0x69,
};

#define WX_REF_BIT 0x80000000u
#define WX_NULL_BIT 0x40000000u
#define WX_INDEX_BIT 0x20000000u
#define WX_LOW_MASK 0x00ffffffu

// (ref null? heap). A heap type is an abstract code byte, or a type index with WX_INDEX_BIT.
#define WX_REF(nullable, heap) (WX_REF_BIT | ((nullable) ? WX_NULL_BIT : 0) | (heap))
#define WX_FUNCREF WX_REF(true, WX_HEAP_FUNC)
#define WX_EXTERNREF WX_REF(true, WX_HEAP_EXTERN)

static inline bool wx_is_ref(wx_type t) { return t & WX_REF_BIT; }
static inline bool wx_is_nullable(wx_type t) { return t & WX_NULL_BIT; }
static inline bool wx_has_index(wx_type t) { return t & WX_INDEX_BIT; } // of a reference or heap type
static inline uint32_t wx_low(wx_type t) { return t & WX_LOW_MASK; }   // type index or code byte
static inline wx_type wx_heap_of(wx_type t) { return t & (WX_INDEX_BIT | WX_LOW_MASK); }

typedef enum wx_kind { WX_KIND_FUNC, WX_KIND_STRUCT, WX_KIND_ARRAY } wx_kind;

typedef struct wx_field {
    wx_type type; // a value type, WX_I8 or WX_I16
    bool mutable;
} wx_field;

// One type definition. The decoder fills everything but canon and depth; validation fills those.
typedef struct wx_typedef {
    wx_kind kind;
    bool final;
    uint32_t super;       // type index of the declared supertype, or UINT32_MAX
    uint32_t group;       // index of the first type of its recursion group
    uint32_t group_size;  // number of types in that group
    uint32_t canon;       // equal for two types exactly when the specification calls them the same type:
                          // the lowest type index with the same definition (validation)
    uint32_t depth;       // number of supertypes above it (validation)
    uint32_t param_count, result_count; // functions
    const wx_type *params, *results;
    uint32_t field_count; // structs; 1 for arrays
    const wx_field *fields;
} wx_typedef;

// The text format's name of a type, "(ref null 3)" or "i32"; returns out.
#define WX_TYPE_TEXT 32
char *wx_type_text(wx_type t, char out[WX_TYPE_TEXT]);
// Bits (1 << WX_FEATURE_x) of what a module that mentions this type needs.
uint64_t wx_type_features(wx_type t);
