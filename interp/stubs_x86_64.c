// interp/stubs_x86_64.c: the machine code of stubs for x86-64.
//
// in: memory for code and a table   out: stubs.h's picture in it
#include <stdatomic.h>
#include <string.h>

#include "interp/stubs.h"
#include "wasmx.h"

void wx_stub_enter(void); // stubs_x86_64.S

const size_t wx_stub_bytes = 32;
const size_t wx_stub_inner_at = 24;
const uint32_t wx_int_registers = 6;

static void put(uint8_t *at, const void *bytes, size_t n) { memcpy(at, bytes, n); }

static void put_relative(uint8_t *at, const void *to) {
    int32_t distance = (int32_t)((const uint8_t *)to - (at + 4));
    put(at, &distance, 4);
}

void wx_stubs_begin(wx_stubs *s) {
    void *self = s, *enter = (void *)(uintptr_t)wx_stub_enter;
    uint8_t *c = s->code;
    put(c, "\x48\xb8", 2); // movabs $self, %rax
    put(c + 2, &self, 8);
    put(c + 10, "\xff\x25\0\0\0\0", 6); // jmp *0(%rip)
    put(c + 16, &enter, 8);
    put(c + WX_STUB_TRAP_AT, (uint8_t[]){0x67, 0x0f, 0xb9, 0x40, WASMX_TRAP_HOST}, 5); // ud1l code(%eax), %eax
}

void wx_stub_write(wx_stubs *s, uint32_t k) {
    uint8_t *c = wx_stub_at(s, k);
    put(c, "\xff\x25", 2); // jmp *table[k](%rip)
    put_relative(c + 2, (void *)(s->table + k));
    put(c + 6, "\x55\x48\x89\xe5", 4); // push %rbp; mov %rsp, %rbp
    put(c + 10, "\x41\xbb", 2);        // mov $k, %r11d
    put(c + 12, &k, 4);
    put(c + 16, "\xe8", 1); // call common
    put_relative(c + 17, s->code);
    put(c + 21, "\x5d\xc3\xcc", 3); // pop %rbp; ret
    put(c + 24, "\x55\x48\x89\xe5\xff\xd1\x5d\xc3", 8); // inner: push, mov, call *%rcx, pop, ret
    atomic_store_explicit(&s->table[k], c + 6, memory_order_relaxed);
}
