// compiler/flow.h: blocks, dominators and loops of one LLVM function, for our own passes.
//
// Blocks are numbered in reverse postorder, unreachable ones not at all. Passes that keep the edges may keep the flow.
#pragma once
#include "compiler/part.h"

#define FLOW_NONE UINT32_MAX

typedef struct flow_loop {
    uint32_t header, parent;  // a block; the loop around it or FLOW_NONE
    uint32_t entry;           // the only block outside that leads to the header, or FLOW_NONE
    uint32_t *latches, latch_count;
} flow_loop;

typedef struct flow {
    LLVMBasicBlockRef *blocks;
    uint32_t count;
    uint32_t *idom;           // of the first block: itself
    uint32_t *preds, *first_pred; // preds[first_pred[b] .. first_pred[b + 1])
    uint32_t *order;          // blocks, dominators first, every subtree in one piece
    uint32_t *in, *out;       // places in that order: b dominates what lies in [in, out)
    uint32_t *loop_of;        // the innermost loop or FLOW_NONE
    flow_loop *loops;         // inner ones before those around them
    uint32_t loop_count;
    wx_map numbers;           // block -> its number + 1
    wx_arena arena;
} flow;

void flow_open(flow *w, LLVMValueRef function);
void flow_close(flow *w);
uint32_t flow_number(const flow *w, LLVMBasicBlockRef block); // FLOW_NONE: not reachable
bool flow_dominates(const flow *w, uint32_t a, uint32_t b);
bool flow_contains(const flow *w, uint32_t loop, uint32_t block);
// Whether nothing gets round the loop without passing the block.
bool flow_every_time(const flow *w, uint32_t loop, uint32_t block);
// Whether the value is the same throughout one run of the loop because it comes from outside.
bool flow_invariant(const flow *w, uint32_t loop, LLVMValueRef value);
