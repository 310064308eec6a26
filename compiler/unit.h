// compiler/unit.h: one compilation as data. Filled by compile.c before the partitions start, constant while they run.
#pragma once
#include <llvm-c/Core.h>
#include <llvm-c/TargetMachine.h>

#include "runtime/abi.h"
#include "base/buf.h"
#include "base/hash.h"
#include "wasm/constexpr.h"
#include "wasm/instr.h"
#include "wasmx_compile.h"

// What the host's C library can do in a function's stead (idiom.c).
typedef enum wx_idiom { WX_IDIOM_NONE, WX_IDIOM_MEMCPY, WX_IDIOM_MEMMOVE, WX_IDIOM_MEMSET, WX_IDIOM_STRLEN } wx_idiom;

typedef struct wx_func_facts {
    bool live;      // reachable from an export, the start function, a segment or a reference
    bool tail;      // takes part in return_call: tailcc
    bool described; // exported or referenced: has an entry in the descriptor's funcs
    bool referenced; // has a wasmx_func record in every instance
    wx_idiom idiom;
} wx_func_facts;

typedef struct wx_table_span { uint32_t low, high, count; } wx_table_span; // elements [low, high), count of them

typedef struct wx_table_facts {
    bool constant;      // never written, nobody outside sees it, read by call_indirect only
    uint32_t *image;    // constant tables: function index or UINT32_MAX, by element
    bool one_signature; // constant tables: all functions in it have the type `signature`
    uint32_t signature; // type index
    wx_table_span *spans; // constant tables, by canonical type: where the functions of that type are; or NULL
} wx_table_facts;

typedef struct wx_global_facts {
    bool constant;   // its value is `value`, for ever
    bool is_static;  // its initial value is known: part of the global image
    wx_const value;
} wx_global_facts;

typedef struct wx_facts { // facts.c
    wx_func_facts *funcs;
    wx_table_facts *tables;
    wx_global_facts *globals;
    bool *memory_grown;     // a live body grows it, or someone outside may
    bool shared;            // a memory may be changed by other threads meanwhile
    bool tail_indirect;     // a live body has return_call_indirect or return_call_ref
} wx_facts;

typedef struct wx_image { // image.c: memory contents known at compile time
    wx_buf bytes;
    wxrt_run **runs;      // per memory
    uint32_t *run_counts;
    bool *in_image;           // per data segment: applied by the image
} wx_image;

typedef struct wx_object { // objects.c: of a type that is a struct or an array
    uint32_t size;       // of a struct in bytes; of an element
    uint32_t *at;        // structs: where its fields are
    uint32_t *refs, ref_count; // wxrt_type.refs
} wx_object;

struct wx_cache;
// What a profile says of a place in a body: pairs of a counter's number, for a call that of a function of this module
// or UINT32_MAX, and its count.
typedef struct wx_count { uint32_t which; uint64_t count; } wx_count;
typedef struct wx_site { uint32_t at; wxrt_site kind; uint32_t count; wx_count *counts; } wx_site;

typedef struct wx_func_profile { // of a live function
    uint64_t counter;        // --profile-generate: its first counter
    bool known;              // --profile-use: the profile has it
    uint32_t site_count;
    const wx_site *sites;    // by ascending offset; those that counted something
    uint64_t entries, peak;  // how often it was entered; the largest of its counts
} wx_func_profile;

typedef struct wx_profiling { // profile_plan.c, profile_match.c
    wx_func_profile *funcs;  // per function; NULL: neither is asked for
    bool generate, use;
    uint64_t counter_count;
    wx_buf site_table;       // wxrt_profile.sites
    struct wx_profile *kept; // whose memory the counts are in
    uint64_t *totals;        // every count of the profile, in descending order
    size_t total_count;
    wx_map places;           // where constant tables hold functions
    char note[120];          // "", or what of the profile is not in the module
} wx_profiling;

typedef struct wx_unit {
    const wx_module *m;
    const wasmx_compile_options *options;
    const wasmx_embed *embeds; // options->embed_count, sorted
    const char *name;         // C identifier
    const char *triple;
    bool is_x86;
    const char *cpu, *features; // for LLVM
    const char *tune;           // scheduling model, or NULL
    const char *required;       // features the note asks for, comma-separated
    int opt_level;            // 0..3
    bool opt_size;
    bool debug;               // lines of backtraces and of debuggers (debug.c)
    bool explicit_bounds, precise_traps, verify;
    bool canonical_nans;      // arithmetic gives one NaN only
    bool interruptible;       // code looks whether it has been interrupted
    bool lazy;                // functions are compiled on their first call, in this process (lazy.c)
    const struct wx_cache *cache; // of partitions, or NULL
    bool gc;                  // the module uses garbage collection, or subtypes of functions
    wx_object *objects;       // per type, if so
    wx_expr *elem_values;     // expressions that elements of segments have, empty where their value is known
    uint32_t *elem_value_at;  // per element segment: where those of its elements begin
    uint32_t elem_value_count;
    wx_arena arena;
    wx_facts facts;
    wx_image image;
    wxrt_layout layout;
    uint64_t area_size;
    const char **symbols;     // per function: its ELF symbol
    const char **export_names; // per export: its C name, or NULL (exports.c)
    const char **import_names; // per function import: MODULE_FIELD (exports.c)
    int32_t *typed_slots;      // per function import: its place in NAME_imports, or -1 (exports.c)
    uint32_t *funcdesc;       // per function: index in the descriptor's funcs, or UINT32_MAX
    uint32_t *described;      // the functions in the descriptor, referenced ones first
    uint32_t described_count, ref_count;
    uint32_t *live;           // live functions with a body, ascending
    uint32_t live_count;
    uint32_t *order;          // the same in the order of their code
    uint32_t *place;          // per function: where it is in that
    uint32_t *cuts;           // partition i compiles order[cuts[i]] .. order[cuts[i + 1]]
    uint32_t part_count;
    wx_profiling profiling;
    bool *cold;               // per function, NULL: none: it does not run, or hardly
    uint8_t sha256[32];
} wx_unit;

// Identity of a function type inside constant tables, which hold this module's functions only; never 0.
static inline uint64_t local_identity(const wx_module *m, uint32_t type) { return (uint64_t)m->types[type].canon + 1; }

static inline bool wants_listing(const wx_unit *u) {
    return u->options->emit & (WASMX_EMIT_ASM | WASMX_EMIT_LLVM_IR | WASMX_EMIT_BITCODE);
}

typedef struct wx_plan { // what one LLVM module holds
    uint32_t index;         // tells its symbols from those of others
    const uint32_t *funcs;  // to compile, in the order of their code
    uint32_t count;
    bool cheap;             // compiled at level 0: all of it is cold
    bool is_first, is_last; // where the code starts; with the descriptor and where the code ends
    bool whole;             // its one function not as such, but with entries at loops (emit_whole)
} wx_plan;

// ---- What each file of this folder offers to compile.c and its neighbours

// facts.c. False (WX_ERR_UNSUPPORTED) when a live body or a declaration needs what is not compiled.
bool wx_find_facts(wx_unit *u, wx_error *e);
// idiom.c; needs live.
void wx_find_idioms(wx_unit *u);
// objects.c
void wx_lay_out_objects(wx_unit *u);
bool wx_holds_objects(const wx_module *m, wx_type t);    // references of the hierarchy of `any`
bool wx_mentions_objects(const wx_module *m, const wx_typedef *t); // a function type: as a parameter or result
uint32_t wx_field_log(const wx_module *m, wx_type t);    // a storage type has 2^this bytes in an object
// image.c
void wx_make_image(wx_unit *u);
// profile_plan.c: which counters there are.
void wx_plan_counters(wx_unit *u);
// profile_match.c: reads the profile and finds what it says of this module's functions. False (WX_ERR_USAGE): it is
// malformed.
bool wx_match_profile(wx_unit *u, wx_error *e);
void wx_free_profiling(wx_unit *u);
// The index at which a constant table holds the function; false: at none, or several. With a profile only.
bool wx_index_in_table(const wx_unit *u, uint32_t table, uint32_t func, uint32_t *index);
// cold.c: u->cold, by the profile or, with hot_only, without one.
void wx_find_cold(wx_unit *u);
// What was cold, and the seconds that cheap partitions with so many bytes of Wasm took, of those of all of them; and
// what of the profile could not be used.
void wx_report_cold(const wx_unit *u, uint64_t cheap_bytes, double cheap_seconds, double seconds, wasmx_output *out);
// order.c: u->order; needs live and cold.
void wx_order_functions(wx_unit *u);
// layout.c: the instance area, symbols, the descriptor's function list and the partitions.
bool wx_make_layout(wx_unit *u, wx_error *e);
// host_*.c
extern const bool wx_host_is_x86;
// target.c: triple, CPU and features; fails on names it does not know (WX_ERR_USAGE). Without LLVM, but for "native".
bool wx_choose_target(wx_unit *u, wx_error *e);
LLVMTargetMachineRef wx_target_machine(const wx_unit *u, wx_error *e); // the first of LLVM that any thread calls
LLVMTargetMachineRef wx_cheap_target_machine(const wx_unit *u, wx_error *e); // for cheap plans
// typeid.c
uint64_t wx_type_id(const wx_module *m, uint32_t type);                    // 0: must be interned
void wx_type_canonical(const wx_module *m, uint32_t type, wx_buf *out);    // the bytes it is interned by
bool wx_holds_functions(const wx_module *m, wx_type t);                     // a reference type: to functions?
uint32_t wx_desc_kind(const wx_module *m, wx_type t);                      // value type in the descriptor
// header.c
void wx_write_header(const wx_unit *u, wx_buf *out);
// A C identifier made of any name: letters, digits and _, never empty, never starting with a digit.
char *wx_c_name(wx_arena *a, wx_name name);
// The same for a module, which gets a _ at its end where C or C++ would read a keyword, or main.
char *wx_module_c_name(wx_arena *a, wx_name name);
bool wx_is_word(const char *name); // such a keyword, or main
// object.c: merges the partitions' objects and hides what is internal. The result replaces *out. lines (lines.c), if
// there are any, become the content of their section.
#define WX_LINES_SECTION ".rodata.wasmx_lines."
typedef struct wx_lines { wx_buf table; uint64_t text_size; } wx_lines;
bool wx_merge_objects(const wx_unit *u, const wx_buf *parts, uint32_t count, const wx_lines *lines, wx_buf *out,
                      wx_error *e);
