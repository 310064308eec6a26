// interp/stubs.c: where the parts of the stubs' code are: what they share first, then one after the other.
#include "interp/stubs.h"

#define COMMON 64 // bytes before the first stub

_Static_assert(sizeof(wx_regs) == 208 && offsetof(wx_regs, vecs) == 64 && offsetof(wx_regs, ctx) == 192,
               "the assembly knows");

size_t wx_stubs_size(uint32_t count) { return COMMON + count * wx_stub_bytes; }
void *wx_stub_at(const wx_stubs *s, uint32_t k) { return s->code + COMMON + k * wx_stub_bytes; }
void *wx_stub_trap(const wx_stubs *s) { return s->code + WX_STUB_TRAP_AT; }
