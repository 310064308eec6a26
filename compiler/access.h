// compiler/access.h: guest memory accesses as our own passes see them.
//
// An address is a chain of byte GEPs that begins at its root, `gep base, zext i32`. What follows the root are constants
// and counters that count.c made, which start at 0 and stop at a known bound.
#pragma once
#include "compiler/flow.h"

typedef LLVMValueRef v;

#define EACH_INSTRUCTION(i, b) v i = LLVMGetFirstInstruction(b); i; i = LLVMGetNextInstruction(i)
#define EACH_USE(u, x) LLVMUseRef u = LLVMGetFirstUse(x); u; u = LLVMGetNextUse(u)

// The pointer operand of a load or store of linear memory, else NULL.
v access_pointer(const part *p, v i);
uint64_t access_size(const part *p, v i);
v access_step(v pointer, int64_t *constant); // the GEP's base and its constant; NULL: not a byte GEP with a constant
v access_root(v pointer, int64_t *displacement); // past constants: `gep base, zext i32`, or NULL
v root_base(v root);
v root_index(v root);                        // the i32 below the zext
v new_root(part *p, v base, v index);        // at the builder's place
v add_bytes(part *p, v pointer, v index64);  // no wrap in 64 bits: both are far below 2^63
bool is_sum(v x);                            // add, or what LLVM wrote in its place
v split_constant(v x, int32_t *constant);    // x = result + constant, in 32 bits

// narrow.c: whether the highest byte of what is loaded reaches something in the set, or something without a value.
bool is_wholly_needed(const part *p, v load, const wx_map *needed);

void share_addresses(part *p, const flow *w); // addresses.c
void version_loops(part *p, const flow *w);   // version.c
void merge_checks(part *p, const flow *w);    // merge.c
void count_loops(part *p, const flow *w);     // count.c
void reroll_loops(part *p, const flow *w);    // reroll.c
