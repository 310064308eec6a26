// interp/stubs_aarch64.S: from native code to C with the values in memory, and from C to native code.
//
// wx_regs: ints at 0, vecs at 64, ctx at 192, stack at 200.
        .text

        .macro load_all from, at
        ldp q0, q1, [\from, #(\at + 64)]
        ldp q2, q3, [\from, #(\at + 96)]
        ldp q4, q5, [\from, #(\at + 128)]
        ldp q6, q7, [\from, #(\at + 160)]
        ldp x0, x1, [\from, #\at]
        ldp x2, x3, [\from, #(\at + 16)]
        ldp x4, x5, [\from, #(\at + 32)]
        ldp x6, x7, [\from, #(\at + 48)]
        .endm

// x15: wx_stubs; w17: k; x30: into the stub, whose frame is on top of the stack
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
        stp q0, q1, [sp, #80]
        stp q2, q3, [sp, #112]
        stp q4, q5, [sp, #144]
        stp q6, q7, [sp, #176]
        add x9, x29, #240
        stp x20, x9, [sp, #208]
        ldr x16, [x15]
        ldr x0, [x15, #8]
        mov w1, w17
        add x2, sp, #16
        blr x16
        cbz x0, 1f
        mov x16, x0
        load_all sp, 16
        .cfi_remember_state
        ldp x29, x30, [sp], #224
        .cfi_restore x29
        .cfi_restore x30
        .cfi_def_cfa_offset 0
        ldp x29, x30, [sp], #16
        br x16
1:      .cfi_restore_state
        ldp x0, x1, [sp, #16]
        ldp q0, q1, [sp, #80]
        ldp x29, x30, [sp], #224
        .cfi_restore x29
        .cfi_restore x30
        .cfi_def_cfa_offset 0
        ret
        .cfi_endproc
        .size wx_stub_enter, . - wx_stub_enter

        .globl wx_leave
        .hidden wx_leave
        .type wx_leave, %function
        .p2align 4
wx_leave:                       // code, ctx, regs, stack, words
        .cfi_startproc
        stp x29, x30, [sp, #-32]!
        .cfi_def_cfa_offset 32
        .cfi_offset x29, -32
        .cfi_offset x30, -24
        mov x29, sp
        .cfi_def_cfa_register x29
        stp x19, x20, [sp, #16]
        .cfi_offset x19, -16
        .cfi_offset x20, -8
        mov x16, x0
        mov x20, x1
        mov x19, x2
        add x9, x4, #1
        and x9, x9, #-2
        lsl x9, x9, #3
        sub sp, sp, x9
        mov x12, sp
        mov x10, #0
1:      cmp x10, x4
        b.hs 2f
        ldr x11, [x3, x10, lsl #3]
        str x11, [x12, x10, lsl #3]
        add x10, x10, #1
        b 1b
2:      load_all x19, 0
        blr x16
        stp x0, x1, [x19]
        stp q0, q1, [x19, #64]
        mov sp, x29
        ldp x19, x20, [sp, #16]
        ldp x29, x30, [sp], #32
        .cfi_restore x19
        .cfi_restore x20
        .cfi_restore x29
        .cfi_restore x30
        .cfi_def_cfa sp, 0
        ret
        .cfi_endproc
        .size wx_leave, . - wx_leave

        .globl wx_leave_words
        .hidden wx_leave_words
        .type wx_leave_words, %function
        .p2align 4
wx_leave_words:                 // code, ctx, args
        .cfi_startproc
        stp x29, x30, [sp, #-32]!
        .cfi_def_cfa_offset 32
        .cfi_offset x29, -32
        .cfi_offset x30, -24
        mov x29, sp
        str x20, [sp, #16]
        .cfi_offset x20, -16
        mov x16, x0
        mov x20, x1
        mov x9, x2
        ldp x0, x1, [x9]
        ldp x2, x3, [x9, #16]
        ldp x4, x5, [x9, #32]
        ldp x6, x7, [x9, #48]
        blr x16
        ldr x20, [sp, #16]
        ldp x29, x30, [sp], #32
        .cfi_restore x20
        .cfi_restore x29
        .cfi_restore x30
        .cfi_def_cfa_offset 0
        ret
        .cfi_endproc
        .size wx_leave_words, . - wx_leave_words
        .section .note.GNU-stack, "", %progbits
