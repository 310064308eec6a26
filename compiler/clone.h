// compiler/clone.h: a second copy of a loop.
#pragma once
#include "compiler/access.h"

typedef struct clone {
    part *p;
    const flow *w;
    uint32_t loop;
    wx_map values, blocks; // what was there -> its copy
    wx_map cuts;           // branch -> the successor that its copy always takes, + 1
} clone;

// Whether it is small enough, and nothing made inside is used after it but by phis where it ends (LLVM's lcssa).
bool clone_is_possible(const flow *w, uint32_t loop, uint32_t most_instructions);
void clone_open(clone *k, part *p, const flow *w, uint32_t loop);
void clone_close(clone *k);
void clone_cut(clone *k, v branch, unsigned keep); // before clone_blocks
// Makes the copy, entered from the same block as the loop, and leaving to the same blocks. No branch leads to it yet.
void clone_blocks(clone *k);
v clone_of(const clone *k, v x);                        // x itself if it is from outside
LLVMBasicBlockRef clone_block(const clone *k, uint32_t block);
