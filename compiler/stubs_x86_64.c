// compiler/stubs_x86_64.c: the machine code of stubs for x86-64.
//
// in: memory for code and a table   out: stubs.h's picture in it
#include <stdatomic.h>
#include <string.h>

#include "compiler/stubs.h"
#include "wasmx.h"

void wx_stub_enter(void); // stubs_x86_64.S

const size_t wx_stub_bytes = 16;

static void put(uint8_t *at, const void *bytes, size_t n) { memcpy(at, bytes, n); }

static void put_relative(uint8_t *at, const void *to) {
    int32_t distance = (int32_t)((const uint8_t *)to - (at + 4));
    put(at, &distance, 4);
}

void wx_stubs_begin(wx_stubs *s) {
    void *self = s, *enter = (void *)(uintptr_t)wx_stub_enter;
    uint8_t *c = s->code;
    put(c, "\x49\xbb", 2); // movabs $self, %r11
    put(c + 2, &self, 8);
    put(c + 10, "\xff\x25\0\0\0\0", 6); // jmp *0(%rip)
    put(c + 16, &enter, 8);
    put(c + WX_STUB_TRAP_AT, (uint8_t[]){0x67, 0x0f, 0xb9, 0x40, WASMX_TRAP_HOST}, 5); // ud1l code(%eax), %eax
}

void wx_stub_write(wx_stubs *s, uint32_t k) {
    uint8_t *c = wx_stub_at(s, k);
    put(c, "\xff\x25", 2); // jmp *table[k](%rip)
    put_relative(c + 2, (void *)(s->table + k));
    put(c + 6, "\x68", 1); // push $k
    put(c + 7, &k, 4);
    put(c + 11, "\xe9", 1); // jmp common
    put_relative(c + 12, s->code);
    atomic_store_explicit(&s->table[k], c + 6, memory_order_relaxed);
}
