// delay/jumps_aarch64.S: a trampoline for every function of LLVM that is called, and its slot.
        .text

        .macro jump name
        .globl \name
        .hidden \name
        .type \name, %function
        .p2align 4
\name:
        adrp x16, 9f
        add x16, x16, :lo12:9f
        ldar x17, [x16]         // what LLVM's loading wrote is seen by whom it lets in
        br x17
        .size \name, . - \name
        .section .data.wx_llvm, "aw", %progbits
9:      .quad wx_llvm_first
        .text
        .endm

        .section .data.wx_llvm, "aw", %progbits
        .p2align 3
        .globl wx_llvm_slots
        .hidden wx_llvm_slots
wx_llvm_slots:
        .text

#define LLVM(name) jump name
#include "llvm_names.h"
#undef LLVM

// x16: the slot. LLVM is loaded and the call goes on as it was.
        .type wx_llvm_first, %function
        .p2align 4
wx_llvm_first:
        .cfi_startproc
        stp x29, x30, [sp, #-224]!
        .cfi_def_cfa_offset 224
        .cfi_offset x29, -224
        .cfi_offset x30, -216
        mov x29, sp
        stp x0, x1, [sp, #16]
        stp x2, x3, [sp, #32]
        stp x4, x5, [sp, #48]
        stp x6, x7, [sp, #64]
        stp x8, x16, [sp, #80]
        stp q0, q1, [sp, #96]
        stp q2, q3, [sp, #128]
        stp q4, q5, [sp, #160]
        stp q6, q7, [sp, #192]
        bl wx_llvm_load
        ldp x0, x1, [sp, #16]
        ldp x2, x3, [sp, #32]
        ldp x4, x5, [sp, #48]
        ldp x6, x7, [sp, #64]
        ldp x8, x16, [sp, #80]
        ldp q0, q1, [sp, #96]
        ldp q2, q3, [sp, #128]
        ldp q4, q5, [sp, #160]
        ldp q6, q7, [sp, #192]
        ldp x29, x30, [sp], #224
        .cfi_restore x29
        .cfi_restore x30
        .cfi_def_cfa_offset 0
        ldr x17, [x16]
        br x17
        .cfi_endproc
        .size wx_llvm_first, . - wx_llvm_first
        .section .note.GNU-stack, "", %progbits
