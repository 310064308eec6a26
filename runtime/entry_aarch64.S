// runtime/entry_aarch64.S: into guest code and back, for AAPCS64. See internal.h for what the symbols do.
    .text

// Those that a called function keeps, but for x29 and x30: in a frame of 160 bytes.
    .macro save_registers
    stp x19, x20, [sp, #16]
    stp x21, x22, [sp, #32]
    stp x23, x24, [sp, #48]
    stp x25, x26, [sp, #64]
    stp x27, x28, [sp, #80]
    stp d8, d9, [sp, #96]
    stp d10, d11, [sp, #112]
    stp d12, d13, [sp, #128]
    stp d14, d15, [sp, #144]
    .endm

    .macro restore_registers
    ldp x19, x20, [sp, #16]
    ldp x21, x22, [sp, #32]
    ldp x23, x24, [sp, #48]
    ldp x25, x26, [sp, #64]
    ldp x27, x28, [sp, #80]
    ldp d8, d9, [sp, #96]
    ldp d10, d11, [sp, #112]
    ldp d12, d13, [sp, #128]
    ldp d14, d15, [sp, #144]
    .endm

    .p2align 4
    .globl wx_enter
    .hidden wx_enter
    .type wx_enter, %function
// uint32_t wx_enter(void *ctx, void *thunk, void *code, wasmx_value *slots, void **sp)
wx_enter:
    .cfi_startproc
    hint #34                    // bti c
    stp x29, x30, [sp, #-160]!
    .cfi_def_cfa_offset 160
    .cfi_offset x29, -160
    .cfi_offset x30, -152
    mov x29, sp
    save_registers
    .cfi_offset x19, -144
    .cfi_offset x20, -136
    .cfi_offset x21, -128
    .cfi_offset x22, -120
    .cfi_offset x23, -112
    .cfi_offset x24, -104
    .cfi_offset x25, -96
    .cfi_offset x26, -88
    .cfi_offset x27, -80
    .cfi_offset x28, -72
    .cfi_offset 72, -64
    .cfi_offset 73, -56
    .cfi_offset 74, -48
    .cfi_offset 75, -40
    .cfi_offset 76, -32
    .cfi_offset 77, -24
    .cfi_offset 78, -16
    .cfi_offset 79, -8
    mov x9, sp
    str x9, [x4]
    mov x20, x0
    mov x16, x1
    mov x0, x2
    mov x1, x3
    blr x16
    mov w0, wzr
    .globl wx_resume_here
    .hidden wx_resume_here
wx_resume_here:                 // sp as it was stored, w0 the status
    hint #36                    // bti j
    restore_registers
    ldp x29, x30, [sp], #160
    .cfi_def_cfa_offset 0
    ret
    .cfi_endproc
    .size wx_enter, . - wx_enter

    .p2align 4
    .globl wx_resume
    .hidden wx_resume
    .type wx_resume, %function
// void wx_resume(void *sp, uint32_t status)
wx_resume:
    .cfi_startproc
    hint #34                    // bti c
    mov x9, x0
    mov w0, w1
    mov sp, x9
    b wx_resume_here
    .cfi_endproc
    .size wx_resume, . - wx_resume

    .p2align 4
    .globl wx_switch
    .hidden wx_switch
    .type wx_switch, %function
// void wx_switch(void **from, void *to)
wx_switch:
    .cfi_startproc
    hint #34                    // bti c
    stp x29, x30, [sp, #-160]!
    save_registers
    mov x9, sp
    str x9, [x0]
    mov sp, x1
    restore_registers
    ldp x29, x30, [sp], #160
    ret
    .cfi_endproc
    .size wx_switch, . - wx_switch

    .p2align 4
    .globl wx_async_entry
    .hidden wx_async_entry
    .type wx_async_entry, %function
wx_async_entry:                 // x19: the wasmx_async; x29 is 0, where chains of frames end
    .cfi_startproc
    .cfi_undefined x30
    hint #36                    // bti j
    mov x0, x19
    bl wx_async_main
    brk #1
    .cfi_endproc
    .size wx_async_entry, . - wx_async_entry

// uint32_t wxrt_call(wasmx_instance *i, void *thunk, void *code, wasmx_value *slots)
    .p2align 4
    .globl wxrt_call
    .type wxrt_call, %function
wxrt_call:
    .cfi_startproc
    hint #34                    // bti c
    b wx_call_from_host
    .cfi_endproc
    .size wxrt_call, . - wxrt_call

    .p2align 4
    .globl wxrt_call_words
    .type wxrt_call_words, %function
// wxrt_words wxrt_call_words(wasmx_instance *i, void *code, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
wxrt_call_words:
    .cfi_startproc
    hint #34                    // bti c
    stp x29, x30, [sp, #-80]!
    .cfi_def_cfa_offset 80
    .cfi_offset x29, -80
    .cfi_offset x30, -72
    mov x29, sp
    str x2, [sp, #16]
    str x3, [sp, #32]
    str x4, [sp, #48]
    str x5, [sp, #64]
    mov x2, x1
    adr x1, words_thunk
    add x3, sp, #16
    bl wx_call_from_host
    ldr x1, [sp, #16]
    ldp x29, x30, [sp], #80
    .cfi_def_cfa_offset 0
    ret
    .cfi_endproc
    .size wxrt_call_words, . - wxrt_call_words

    .p2align 4
    .type words_thunk, %function
words_thunk:                    // x20: ctx; code, slots
    .cfi_startproc
    hint #34                    // bti c
    stp x29, x30, [sp, #-32]!
    .cfi_def_cfa_offset 32
    .cfi_offset x29, -32
    .cfi_offset x30, -24
    mov x29, sp
    str x19, [sp, #16]
    .cfi_offset x19, -16
    mov x19, x1
    mov x16, x0
    ldr x0, [x19]
    ldr x1, [x19, #16]
    ldr x2, [x19, #32]
    ldr x3, [x19, #48]
    blr x16
    str x0, [x19]
    ldr x19, [sp, #16]
    ldp x29, x30, [sp], #32
    .cfi_def_cfa_offset 0
    ret
    .cfi_endproc
    .size words_thunk, . - words_thunk

    .section .note.gnu.property, "a"  // all entries are landing pads: branch target identification may stay on
    .p2align 3
    .long 4, 16, 5
    .asciz "GNU"
    .long 0xc0000000, 4, 1, 0
    .section .note.GNU-stack, "", %progbits
