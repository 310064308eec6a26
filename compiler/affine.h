// compiler/affine.h: values that grow evenly from one iteration of a loop to the next.
#pragma once
#include "compiler/access.h"

typedef struct affine { v start; uint32_t step; } affine; // in iteration n: start + n * step, in 32 bits

// Of an i32. Builds what the start takes at the end of the block before the loop, which must be the only one.
bool find_affine(part *p, const flow *w, uint32_t loop, v x, affine *a);
v end_of_entry(const flow *w, uint32_t loop); // that block's terminator
