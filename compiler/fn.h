// compiler/fn.h: the small vocabulary in which emitters are written.
//
// An emitter is called for one reachable instruction of a validated body; it pops operands, builds LLVM IR at the
// builder's place and pushes results. Nothing here can fail.
#pragma once
#include "compiler/part.h"

typedef LLVMValueRef v;
typedef LLVMTypeRef ty;

typedef struct label { // one entry of the control stack
    wx_op op;                     // WX_OP_BLOCK, WX_OP_LOOP, WX_OP_IF, WX_OP_ELSE; the body itself is a BLOCK
    LLVMBasicBlockRef target;     // where a branch goes: the header of a loop, else the end
    v *phis;                      // what a branch carries: the loop's parameters, else the results
    uint32_t arity;               // how many
    LLVMBasicBlockRef otherwise;  // if: the else block until it is begun
    v *params;                    // if: the parameters, for the else branch
    uint32_t param_count;
    LLVMBasicBlockRef end;        // loops: where the end continues; same as target otherwise
    v *end_phis;
    uint32_t end_arity;
    uint32_t height;              // of the value stack below the parameters
} label;

typedef struct fn_profile { // profile.c: where the current instruction is in what is counted, and was
    bool at_site;
    uint64_t counter, next_counter; // of this instruction; of what follows
    const wx_site *site;            // what the profile says of this instruction, or NULL
    const wx_site *next, *end;
} fn_profile;

typedef struct fn {
    part *p;
    const wx_module *m;
    LLVMBuilderRef b;
    uint32_t index;
    const wx_typedef *type;
    v llvm, ctx;
    LLVMBasicBlockRef entry;
    LLVMBasicBlockRef outer;      // where the builder was before this function
    LLVMMetadataRef outer_location;
    v *locals;                    // allocas
    wx_type *local_types;
    uint32_t local_count;
    v *stack;
    uint32_t height, capacity;
    label *labels;
    uint32_t depth, label_capacity;
    bool dead;                    // after an unconditional branch
    uint32_t dead_depth;          // blocks opened since
    LLVMBasicBlockRef traps[WASMX_STATUS_COUNT]; // made on demand, one a kind
    fn_profile profile;
    wx_reader r;                  // after the current instruction
    v frame, entries;             // emit_whole: where values are, and the switch to where it begins; else NULL
    uint32_t loops;               // so far
} fn;

typedef void emitter(fn *f, const wx_instr *in, int a, int b);

// ---- The value stack
v pop(fn *f);
void push(fn *f, v value);
v top(fn *f, uint32_t below);

// ---- Blocks
LLVMBasicBlockRef new_block(fn *f, const char *name);
void go_on(fn *f, LLVMBasicBlockRef block);      // the builder continues there
void set_dead(fn *f);                            // the rest up to the next else or end is not reached
// Leaves to a cold block that traps when the condition holds; falls through otherwise.
void trap_if(fn *f, v condition, unsigned trap);
void trap_always(fn *f, unsigned trap);
LLVMBasicBlockRef trap_block(fn *f, unsigned trap);
v branch_unlikely(fn *f, v condition, LLVMBasicBlockRef then, LLVMBasicBlockRef otherwise);
v entry_alloca(fn *f, ty type);                  // a static stack slot
v *make_phis(fn *f, LLVMBasicBlockRef block, const wx_type *types, uint32_t n);
void add_edges(fn *f, v *phis, uint32_t n, v *values); // from where the builder is

// ---- Small things
v zext64(fn *f, v x);
v intrinsic1(fn *f, int which, ty overload, v *args, unsigned n);
v intrinsic2(fn *f, int which, ty o1, ty o2, v *args, unsigned n);
v load_field(fn *f, ty type, v base, int64_t offset);         // plain
v load_const(fn *f, ty type, v base, int64_t offset);         // never changes while code runs
v area_at(fn *f, uint64_t array, uint64_t byte);              // address inside the instance area
v as(fn *f, v value, ty type);                                // bit cast, nothing when the type is the same

// ---- emit_memory.c
typedef struct mem { v base, record; uint32_t index; bool is_ctx; } mem;
mem open_memory(fn *f, uint32_t index);
v memory_bytes(fn *f, mem *m);
v byte_at(fn *f, const mem *m, v index);
// The range is inside.
void copy_bytes(fn *f, const mem *to, v dst, const mem *from, v src, v count); // may overlap
void fill_bytes(fn *f, const mem *m, v dst, v value, v count);                 // value: an i8
// The address of an access of `size` bytes, bounds checked as the mode asks.
v effective_address(fn *f, const wx_instr *in, v address, uint32_t size);
v heap_load(fn *f, ty type, v address);
void heap_store(fn *f, v value, v address);

// ---- emit_call.c
v build_call(fn *f, ty type, v callee, v ctx, v *args, const wx_typedef *t, bool tailcc);
void push_results(fn *f, const wx_typedef *t, v result, v memory);
void return_values(fn *f, v *values);

// ---- emit_number.c
v float_minmax(fn *f, int which, v a, v b);
v settle_nans(fn *f, v x); // what arithmetic gave, floats or vectors of them: if need be, one NaN for all

// ---- emit_control.c
void branch_to(fn *f, v condition, uint32_t depth); // when it holds, with what the label wants from the stack

// ---- emit_gc.c
v type_identity(fn *f, uint32_t type);
v identity_matches(fn *f, v id, uint32_t type); // of a function's type: is it the type, or one below it?

// ---- emit_table.c
v table_record(fn *f, uint32_t table);
v function_reference(fn *f, uint32_t func);

// ---- profile.c: each does nothing without --profile-generate (count) or --profile-use (weigh), or where nothing is
// known
void profile_open(fn *f);                     // at the function's entry
void profile_at(fn *f, const wx_instr *in);   // before each instruction, those that are not reached too
void profile_count(fn *f, v which);           // this instruction's counter of that number, an i32; NULL: number 0
void profile_count_condition(fn *f, v condition);
void profile_count_case(fn *f, v index, uint32_t count); // of a br_table with so many cases and a default
void profile_count_target(fn *f, v code);
void profile_weigh(fn *f, v branch);          // a conditional branch that is taken when its instruction's is
// A switch of so many cases; successors[i] says which one case i is, the last one the default, which is number 0.
void profile_weigh_switch(fn *f, v select, const uint32_t *successors, uint32_t count);
void profile_weigh_callees(fn *f, v select, const uint32_t *funcs, uint32_t count); // likewise; case i calls funcs[i]
// The functions that were called here often enough for a guard, commonest first; how many.
typedef struct hot_target { uint32_t func; uint64_t count, others; } hot_target;
#define HOT_TARGETS 2
uint32_t profile_hot_targets(fn *f, uint32_t type, hot_target out[HOT_TARGETS]);
void profile_weights(part *p, v branch, const uint64_t *counts, uint32_t count);
