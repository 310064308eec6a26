// interp/stubs_aarch64.c: the machine code of stubs for aarch64.
//
// in: memory for code and a table   out: stubs.h's picture in it
#include <stdatomic.h>
#include <string.h>

#include "interp/stubs.h"
#include "wasmx.h"

void wx_stub_enter(void); // stubs_aarch64.S

const size_t wx_stub_bytes = 64;
const size_t wx_stub_inner_at = 40;
const uint32_t wx_int_registers = 8;

enum {
    OPEN_FRAME = 0xa9bf7bfd, // stp x29, x30, [sp, #-16]!
    SET_FRAME = 0x910003fd,  // mov x29, sp
    CLOSE_FRAME = 0xa8c17bfd, // ldp x29, x30, [sp], #16
    RETURN = 0xd65f03c0,
    NOP = 0xd503201f,
};

void wx_stubs_begin(wx_stubs *s) {
    uint32_t code[] = {
        0x5800008f, // ldr x15, self
        0x580000b0, // ldr x16, enter
        0xd61f0200, // br x16
        NOP,
    };
    void *words[] = {s, (void *)(uintptr_t)wx_stub_enter};
    uint32_t trap = 0xd4200000u | (0x5500u | WASMX_TRAP_HOST) << 5; // brk
    memcpy(s->code, code, sizeof code);
    memcpy(s->code + sizeof code, words, sizeof words);
    memcpy(s->code + WX_STUB_TRAP_AT, &trap, 4);
}

void wx_stub_write(wx_stubs *s, uint32_t k) {
    uint8_t *c = wx_stub_at(s, k);
    uint64_t here = (uint64_t)(uintptr_t)c, entry = (uint64_t)(uintptr_t)(s->table + k);
    uint64_t pages = (entry >> 12) - (here >> 12), low = (entry & 4095) / 8;
    uint32_t back = (uint32_t)((s->code - (c + 28)) / 4) & 0x03ffffffu;
    uint32_t code[] = {
        0x90000010u | (uint32_t)(pages & 3) << 29 | (uint32_t)(pages >> 2 & 0x7ffff) << 5, // adrp x16, table[k]
        0xf9400210u | (uint32_t)low << 10,                                                  // ldr x16, [x16, low]
        0xd61f0200u,                                                                        // br x16
        OPEN_FRAME, SET_FRAME,
        0x52800011u | (k & 0xffff) << 5,                                                    // mov w17, #k
        0x72a00011u | (k >> 16) << 5,                                                       // movk w17, #k >> 16
        0x94000000u | back,                                                                 // bl common
        CLOSE_FRAME, RETURN,
        OPEN_FRAME, SET_FRAME,
        0xd63f0060u,                                                                        // inner: blr x3
        CLOSE_FRAME, RETURN, NOP,
    };
    memcpy(c, code, sizeof code);
    atomic_store_explicit(&s->table[k], c + 12, memory_order_relaxed);
}
