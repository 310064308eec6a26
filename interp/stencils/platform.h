// interp/stencils/platform.h: the machine's own words in stencils. x86-64, the one architecture that has them.
#pragma once

// What llvm.ubsantrap(kind) is: the signal handler makes a trap of it.
#define TRAP_HERE(kind) __asm__ volatile("ud1l %c0(%%eax), %%eax" :: "i"(kind))

// A jump out of the stencil, to code that never returns.
#define TRAP_IF_ABOVE(end, most) \
    __asm__ volatile("cmpq %1, %0\n\tja outside" :: "r"((u64)(end)), "m"(most) : "cc", "memory")

// A constant of 64 bits.
#define WORD_64(to) __asm__("movabsq $hole_word, %0" : "=r"(to))
