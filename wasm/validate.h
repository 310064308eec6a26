// wasm/validate.h: what the files of the validator share. Private to wasm/; the door is wasm.h.
//
// The algorithm is that of the specification's appendix: a stack of operand types and a stack of control frames, both
// on the heap, kept from one function to the next. A failure ends the reader, so that the loop over instructions
// stops; the rest of the failing instruction still runs and has to stay inside the arrays.
#pragma once
#include "wasm/decode.h"
#include "wasm/instr.h"

// (ref bottom): a reference popped in unreachable code. Matches every reference type.
#define WX_BOTTOM_HEAP ((wx_type)WX_BOTTOM)
#define WX_BOTTOM_REF WX_REF(false, WX_BOTTOM_HEAP)

typedef struct wx_types { // a list of value types
    const wx_type *at;
    uint32_t count;
} wx_types;

typedef struct wx_frame {
    wx_op op;             // what opened it; WX_OP_UNREACHABLE for the function itself
    bool unreachable;
    bool one_result;      // results are `single`
    wx_type single;
    uint32_t height;      // operands below it
    uint32_t init_height; // entries of the initialisation log below it
    uint32_t stamp;       // of the last br_table that checked this label
    wx_types params, results;
} wx_frame;

typedef struct wx_local_run { // locals of one type, up to index `end`
    uint32_t end;
    wx_type type;
} wx_local_run;

// The first locals have their types in an array, the rest is searched in runs: a body of ten bytes may declare
// thousands.
#define WX_FLAT_LOCALS 1024

typedef struct wx_checker {
    const wx_module *m;
    wx_reader r;
    wx_instr in;
    uint64_t features;
    wx_type address;        // address type of the memory of the present instruction
    bool is_const;          // a constant expression
    uint32_t global_limit;  // globals that may be named: all, or those before the one being initialised
    uint32_t stamp;
    uint32_t floor;         // height of the innermost frame
    wx_type *stack;         uint32_t depth, stack_cap;
    wx_frame *frames;       uint32_t frame_count, frame_cap;
    wx_type flat[WX_FLAT_LOCALS];
    wx_local_run *runs;     uint32_t run_count, run_cap;
    uint32_t local_count;   // parameters too
    uint8_t *is_set;        uint32_t set_cap;            // per local; only read for types without a default
    uint32_t *set_log;      uint32_t set_count, log_cap; // locals set since the function began
} wx_checker;

// validate_types.c
bool wx_validate_types(wx_module *m, wx_error *e);
bool wx_type_matches(const wx_module *m, wx_type sub, wx_type super); // sub <: super
bool wx_heap_matches(const wx_module *m, wx_type sub, wx_type super);
bool wx_type_known(const wx_module *m, wx_type t);                   // its type index exists
wx_type wx_heap_top(const wx_module *m, wx_type heap);
static inline bool wx_has_default(wx_type t) { return !wx_is_ref(t) || wx_is_nullable(t); }

// validate_body.c: the machine
void wx_checker_free(wx_checker *c);
bool wx_check_func(wx_checker *c, uint32_t func);
// A constant expression that has to give `want`, and may read the globals before `global_limit`.
bool wx_check_const(wx_checker *c, wx_expr expr, wx_type want, uint32_t global_limit);
void wx_check_fail(wx_checker *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void wx_push_slow(wx_checker *c, wx_type t);
wx_type wx_pop_slow(wx_checker *c, wx_type want);
wx_type wx_pop_any(wx_checker *c);
wx_type wx_pop_ref(wx_checker *c); // any reference; WX_BOTTOM_REF in unreachable code
wx_type wx_unpacked(wx_type t); // of a storage type
void wx_pop_list(wx_checker *c, wx_types list);
void wx_pop_fields(wx_checker *c, const wx_typedef *t); // what struct.new takes
void wx_push_list(wx_checker *c, wx_types list);
void wx_push_frame(wx_checker *c, wx_op op, wx_types params, wx_types results, wx_type single);
void wx_set_unreachable(wx_checker *c);
wx_type wx_local_type(const wx_checker *c, uint32_t local);
const wx_typedef *wx_type_of_kind(wx_checker *c, uint32_t type, wx_kind kind); // NULL after failing
wx_type wx_address_type(const wx_limits *l);

static inline wx_frame *wx_top(wx_checker *c) { return &c->frames[c->frame_count - 1]; }
static inline wx_types wx_results_of(const wx_frame *f) {
    return f->one_result ? (wx_types){&f->single, 1} : f->results;
}
static inline void wx_push(wx_checker *c, wx_type t) {
    if (__builtin_expect(c->depth < c->stack_cap, 1)) c->stack[c->depth++] = t;
    else wx_push_slow(c, t);
}
static inline wx_type wx_pop(wx_checker *c, wx_type want) {
    if (__builtin_expect(c->depth > c->floor && c->stack[c->depth - 1] == want, 1)) return c->stack[--c->depth];
    return wx_pop_slow(c, want);
}

// Handlers of the instructions whose signature is "*": X(op, handler). c->in is the instruction; the indices in it
// exist already.
typedef void wx_handler(wx_checker *c);
#define WX_HANDLERS(X) \
    X(UNREACHABLE, unreachable) X(BLOCK, block) X(LOOP, block) X(IF, if) X(ELSE, else) X(END, end) X(BR, br) \
    X(BR_IF, br_if) X(BR_TABLE, br_table) X(RETURN, return) X(CALL, call) X(CALL_INDIRECT, call_indirect) \
    X(CALL_REF, call_ref) X(RETURN_CALL, return_call) X(RETURN_CALL_INDIRECT, return_call_indirect) \
    X(RETURN_CALL_REF, return_call_ref) X(BR_ON_NULL, br_on_null) X(BR_ON_NON_NULL, br_on_non_null) \
    X(BR_ON_CAST, br_on_cast) X(BR_ON_CAST_FAIL, br_on_cast_fail) \
    X(TRY, block) X(CATCH, catch) X(CATCH_ALL, catch_all) X(DELEGATE, delegate) X(RETHROW, rethrow) X(THROW, throw) \
    X(THROW_REF, throw_ref) X(TRY_TABLE, try_table) \
    X(DROP, drop) X(SELECT, select) X(SELECT_T, select_t) X(LOCAL_GET, local_get) X(LOCAL_SET, local_set) \
    X(LOCAL_TEE, local_tee) X(GLOBAL_GET, global_get) X(GLOBAL_SET, global_set) \
    X(TABLE_GET, table_get) X(TABLE_SET, table_set) X(TABLE_INIT, table_init) X(TABLE_COPY, table_copy) \
    X(TABLE_GROW, table_grow) X(TABLE_SIZE, table_size) X(TABLE_FILL, table_fill) X(MEMORY_INIT, memory_init) \
    X(MEMORY_COPY, memory_copy) X(MEMORY_FILL, memory_fill) \
    X(REF_NULL, ref_null) X(REF_IS_NULL, ref_is_null) X(REF_FUNC, ref_func) X(REF_EQ, ref_eq) \
    X(REF_AS_NON_NULL, ref_as_non_null) X(REF_TEST, ref_test) X(REF_TEST_NULL, ref_test) X(REF_CAST, ref_cast) \
    X(REF_CAST_NULL, ref_cast) X(REF_I31, ref_i31) X(I31_GET_S, i31_get) X(I31_GET_U, i31_get) \
    X(ANY_CONVERT_EXTERN, any_convert) X(EXTERN_CONVERT_ANY, extern_convert) \
    X(STRUCT_NEW, struct_new) X(STRUCT_NEW_DEFAULT, struct_new_default) X(STRUCT_GET, struct_get) \
    X(STRUCT_GET_S, struct_get) X(STRUCT_GET_U, struct_get) X(STRUCT_SET, struct_set) \
    X(ARRAY_NEW, array_new) X(ARRAY_NEW_DEFAULT, array_new_default) X(ARRAY_NEW_FIXED, array_new_fixed) \
    X(ARRAY_NEW_DATA, array_new_data) X(ARRAY_NEW_ELEM, array_new_elem) X(ARRAY_GET, array_get) \
    X(ARRAY_GET_S, array_get) X(ARRAY_GET_U, array_get) X(ARRAY_SET, array_set) X(ARRAY_LEN, array_len) \
    X(ARRAY_FILL, array_fill) X(ARRAY_COPY, array_copy) X(ARRAY_INIT_DATA, array_init_data) \
    X(ARRAY_INIT_ELEM, array_init_elem)
#define X(op, handler) wx_handler wx_check_##handler;
WX_HANDLERS(X)
#undef X

// Facts about the module that bodies establish; several threads may say the same thing at once.
static inline void wx_note(bool *flag) {
    if (!__atomic_load_n(flag, __ATOMIC_RELAXED)) __atomic_store_n(flag, true, __ATOMIC_RELAXED);
}
// Types of the label `depth` (0 is the innermost): what a branch to it has to bring.
wx_types wx_label_types(wx_checker *c, uint32_t depth);
// Fails unless `depth` names a frame.
bool wx_label_known(wx_checker *c, uint32_t depth);
// Ends the frame on top: its results are popped, nothing else may be left. The frame stays for its caller to look at.
void wx_close_frame(wx_checker *c);
void wx_pop_frame(wx_checker *c);
bool wx_block_types(wx_checker *c, wx_types *params, wx_types *results, wx_type *single);
bool wx_list_matches(const wx_module *m, wx_types sub, wx_types super);
bool wx_type_check_known(wx_checker *c, wx_type t);
