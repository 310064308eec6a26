// delay/jumps_x86_64.S: a trampoline for every function of LLVM that is called, and its slot.
        .text

        .macro jump name
        .globl \name
        .hidden \name
        .type \name, @function
        .p2align 4
\name:
        leaq 9f(%rip), %r11
        jmp *(%r11)
        .size \name, . - \name
        .section .data.wx_llvm, "aw", @progbits
9:      .quad wx_llvm_first
        .text
        .endm

        .section .data.wx_llvm, "aw", @progbits
        .p2align 3
        .globl wx_llvm_slots
        .hidden wx_llvm_slots
wx_llvm_slots:
        .text

#define LLVM(name) jump name
#include "llvm_names.h"
#undef LLVM

// r11: the slot. LLVM is loaded and the call goes on as it was.
        .type wx_llvm_first, @function
        .p2align 4
wx_llvm_first:
        .cfi_startproc
        pushq %rbp
        .cfi_def_cfa_offset 16
        .cfi_offset %rbp, -16
        movq %rsp, %rbp
        .cfi_def_cfa_register %rbp
        subq $192, %rsp
        movq %rdi, (%rsp)
        movq %rsi, 8(%rsp)
        movq %rdx, 16(%rsp)
        movq %rcx, 24(%rsp)
        movq %r8, 32(%rsp)
        movq %r9, 40(%rsp)
        movq %rax, 48(%rsp)
        movq %r11, 56(%rsp)
        movaps %xmm0, 64(%rsp)
        movaps %xmm1, 80(%rsp)
        movaps %xmm2, 96(%rsp)
        movaps %xmm3, 112(%rsp)
        movaps %xmm4, 128(%rsp)
        movaps %xmm5, 144(%rsp)
        movaps %xmm6, 160(%rsp)
        movaps %xmm7, 176(%rsp)
        call wx_llvm_load
        movq (%rsp), %rdi
        movq 8(%rsp), %rsi
        movq 16(%rsp), %rdx
        movq 24(%rsp), %rcx
        movq 32(%rsp), %r8
        movq 40(%rsp), %r9
        movq 48(%rsp), %rax
        movq 56(%rsp), %r11
        movaps 64(%rsp), %xmm0
        movaps 80(%rsp), %xmm1
        movaps 96(%rsp), %xmm2
        movaps 112(%rsp), %xmm3
        movaps 128(%rsp), %xmm4
        movaps 144(%rsp), %xmm5
        movaps 160(%rsp), %xmm6
        movaps 176(%rsp), %xmm7
        leave
        .cfi_def_cfa %rsp, 8
        jmp *(%r11)
        .cfi_endproc
        .size wx_llvm_first, . - wx_llvm_first
        .section .note.GNU-stack, "", @progbits
