// runtime/platform.h: what signal handling must know of an architecture. The one place of the runtime with its #if.
#pragma once
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <ucontext.h>

#include "runtime/async.h"
#include "runtime/internal.h"

#if defined(__x86_64__)

#define WX_TARGET "x86_64"
#define WX_TRAP_SIGNAL SIGILL

// ud1l code(%eax), %eax: what llvm.ubsantrap(code) is. 0: another instruction.
static inline uint32_t wx_trap_code(const void *pc) {
    const uint8_t *p = pc;
    return p[0] == 0x67 && p[1] == 0x0f && p[2] == 0xb9 && p[3] == 0x40 ? p[4] : 0;
}

// Is what returns to `ret` a call of the function at `start`, as far as one can tell?
static inline bool wx_is_call(uint64_t ret, uint64_t start) {
    const uint8_t *p = (const uint8_t *)ret;
    int32_t offset;
    memcpy(&offset, p - 4, 4);
    if (p[-5] == 0xe8 && ret + (uint64_t)(int64_t)offset == start) return true;
    for (int length = 2; length <= 7; length++) // ff /2 with its operand; 5 has none of this form
        if (length != 5 && p[-length] == 0xff && (p[1 - length] & 0x38) == 0x10) return true;
    return false;
}

static inline uint64_t wx_pc_of(const ucontext_t *uc) { return (uint64_t)uc->uc_mcontext.gregs[REG_RIP]; }

static inline wx_where wx_where_of(const ucontext_t *uc) {
    const greg_t *r = uc->uc_mcontext.gregs;
    wx_where w = {.pc = (uint64_t)r[REG_RIP], .fp = (uint64_t)r[REG_RBP], .sp = (uint64_t)r[REG_RSP]};
    if (w.sp % 8 == 0) w.link = wx_word_at(w.sp); // on top of the stack while there is no frame
    return w;
}

static inline void wx_continue_at(ucontext_t *uc, void *sp, uint32_t status) {
    uc->uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)wx_resume_here;
    uc->uc_mcontext.gregs[REG_RSP] = (greg_t)(uintptr_t)sp;
    uc->uc_mcontext.gregs[REG_RAX] = status;
}

// The thread's record, found through its thread register here and now.
static inline wx_thread *wx_thread_now(void) {
    char *base;
    int64_t offset;
    __asm__ volatile("movq %%fs:0, %0\n\tmovq wx_this_thread@gottpoff(%%rip), %1" : "=r"(base), "=r"(offset));
    return (wx_thread *)(void *)(base + offset);
}

// A stack for wx_switch to begin on: six callee-saved registers, of which rbx is the argument, and where to go.
static inline void *wx_first_frame(void *end, void *argument) {
    uint64_t *sp = (uint64_t *)((uintptr_t)end & ~(uintptr_t)15) - 9;
    memset(sp, 0, 9 * sizeof *sp);
    sp[4] = (uint64_t)(uintptr_t)argument;
    sp[6] = (uint64_t)(uintptr_t)wx_async_entry;
    return sp;
}

#elif defined(__aarch64__)

#define WX_TARGET "aarch64"
#define WX_TRAP_SIGNAL SIGTRAP

// brk #(0x5500 | code)
static inline uint32_t wx_trap_code(const void *pc) {
    uint32_t word;
    memcpy(&word, pc, 4);
    return (word & 0xffffe01f) == 0xd42aa000 ? (word >> 5) & 0xff : 0;
}

static inline bool wx_is_call(uint64_t ret, uint64_t start) {
    uint32_t word;
    memcpy(&word, (const void *)(ret - 4), 4);
    if (word >> 26 == 0x25) return ret - 4 + (uint64_t)((int64_t)((uint64_t)word << 38) >> 36) == start;
    return (word & 0xfffffc1f) == 0xd63f0000;
}

static inline uint64_t wx_pc_of(const ucontext_t *uc) { return uc->uc_mcontext.pc; }

static inline wx_where wx_where_of(const ucontext_t *uc) {
    const mcontext_t *m = &uc->uc_mcontext;
    return (wx_where){.pc = m->pc, .fp = m->regs[29], .sp = m->sp, .link = m->regs[30]};
}

static inline void wx_continue_at(ucontext_t *uc, void *sp, uint32_t status) {
    uc->uc_mcontext.pc = (uint64_t)(uintptr_t)wx_resume_here;
    uc->uc_mcontext.sp = (uint64_t)(uintptr_t)sp;
    uc->uc_mcontext.regs[0] = status;
}

static inline wx_thread *wx_thread_now(void) {
    char *base;
    int64_t offset;
    __asm__ volatile("mrs %0, tpidr_el0\n\tadrp %1, :gottprel:wx_this_thread\n\t"
                     "ldr %1, [%1, :gottprel_lo12:wx_this_thread]" : "=r"(base), "=&r"(offset));
    return (wx_thread *)(void *)(base + offset);
}

// Twenty callee-saved registers: x29, x30, x19 to x28, d8 to d15. x30 is where to go, x19 the argument.
static inline void *wx_first_frame(void *end, void *argument) {
    uint64_t *sp = (uint64_t *)((uintptr_t)end & ~(uintptr_t)15) - 20;
    memset(sp, 0, 20 * sizeof *sp);
    sp[1] = (uint64_t)(uintptr_t)wx_async_entry;
    sp[2] = (uint64_t)(uintptr_t)argument;
    return sp;
}

#else
#error "libwasmx runs on x86-64 and aarch64"
#endif
