// compiler/bound.h: explicit checks as our own passes see them.
#pragma once
#include "compiler/access.h"

// A branch that goes on where zext(index) + extent <= the size of a memory, or zext(index) <= most, and traps
// otherwise.
typedef struct bound {
    v branch;
    unsigned keep;   // the successor where it goes on
    v index;         // an i32
    v size;          // the load of a size, or NULL
    int64_t extent;  // with a size
    uint64_t most;   // without
} bound;

bool read_bound(const part *p, v branch, bound *b);
// Makes two branches of each that LLVM made of two checks. Before the flow is found.
void split_checks(part *p, v function);
// Whether all ways from here end in a trap, without a loop or a return.
bool is_doomed(LLVMBasicBlockRef b);
