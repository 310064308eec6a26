// compiler/stubs_aarch64.S: from a stub to its resolver and on to the code, with every argument register as it was.
//
// x15: wx_stubs; w17: k; x30: the caller's return address.
        .text
        .globl wx_stub_enter
        .hidden wx_stub_enter
        .type wx_stub_enter, %function
        .p2align 4
wx_stub_enter:
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
        str x8, [sp, #80]
        stp q0, q1, [sp, #96]
        stp q2, q3, [sp, #128]
        stp q4, q5, [sp, #160]
        stp q6, q7, [sp, #192]
        ldr x16, [x15]
        ldr x0, [x15, #8]
        mov w1, w17
        blr x16
        mov x16, x0
        ldp q6, q7, [sp, #192]
        ldp q4, q5, [sp, #160]
        ldp q2, q3, [sp, #128]
        ldp q0, q1, [sp, #96]
        ldr x8, [sp, #80]
        ldp x6, x7, [sp, #64]
        ldp x4, x5, [sp, #48]
        ldp x2, x3, [sp, #32]
        ldp x0, x1, [sp, #16]
        ldp x29, x30, [sp], #224
        .cfi_restore x29
        .cfi_restore x30
        .cfi_def_cfa_offset 0
        br x16
        .cfi_endproc
        .size wx_stub_enter, . - wx_stub_enter
        .section .note.GNU-stack, "", %progbits
