// interp/baseline_aarch64.c: there is no second tier on aarch64: what is hot is compiled by LLVM (compiler/lazy.c).
//
// Its stencils would have holes of a dozen kinds, a number in two or three instructions; tool.c knows those of x86-64.
#include "interp/baseline.h"

const bool wx_has_baseline = false;
const uint32_t wx_native_entry_bytes = 0;

const wx_stencil wx_stencils[I_COUNT][WX_WAYS];
const uint8_t wx_stencil_code[1];
const wx_hole wx_stencil_holes[1];
const uint8_t wx_stencil_pool[1];
const uint32_t wx_stencil_pool_size = 0;

void wx_put_head(wx_maker *m) { m->failed = true; }
void wx_put_tail(wx_maker *m) { m->failed = true; }
void wx_put_by_hand(wx_maker *m, const wx_ins *in) { (void)in, m->failed = true; }
size_t wx_head_bound(const wx_piece *p) { return (void)p, 0; }

void wx_baseline_enter(void *code, uint64_t *args, char *ctx, const wasmx_memory *memory) {
    (void)code, (void)args, (void)ctx, (void)memory;
}

void wx_baseline_go_on(void *loop, uint64_t *fp, char *ctx, const wasmx_memory *memory) {
    (void)loop, (void)fp, (void)ctx, (void)memory;
}

void wx_baseline_miss(void) {}
