// runtime/entry_x86_64.S: into guest code and back, for the System V ABI. See internal.h for what the three symbols do.
    .text
    .p2align 4
    .globl wx_enter
    .hidden wx_enter
    .type wx_enter, @function
// uint32_t wx_enter(void *ctx, void *thunk, void *code, wasmx_value *slots, void **sp)
wx_enter:
    .cfi_startproc
    endbr64
    pushq %rbp
    .cfi_def_cfa_offset 16
    .cfi_offset %rbp, -16
    movq %rsp, %rbp
    .cfi_def_cfa_register %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    subq $8, %rsp
    .cfi_offset %rbx, -24
    .cfi_offset %r12, -32
    .cfi_offset %r13, -40
    .cfi_offset %r14, -48
    .cfi_offset %r15, -56
    movq %rsp, (%r8)
    movq %rdi, %r13
    movq %rsi, %rax
    movq %rdx, %rdi
    movq %rcx, %rsi
    call *%rax
    xorl %eax, %eax
    .globl wx_resume_here
    .hidden wx_resume_here
wx_resume_here:                 // rsp as it was stored, eax the status; rbp is the guest's, so not to be used
    endbr64
    .cfi_def_cfa %rsp, 64
    addq $8, %rsp
    .cfi_def_cfa_offset 56
    popq %r15
    .cfi_def_cfa_offset 48
    popq %r14
    .cfi_def_cfa_offset 40
    popq %r13
    .cfi_def_cfa_offset 32
    popq %r12
    .cfi_def_cfa_offset 24
    popq %rbx
    .cfi_def_cfa_offset 16
    popq %rbp
    .cfi_def_cfa_offset 8
    ret
    .cfi_endproc
    .size wx_enter, . - wx_enter

    .p2align 4
    .globl wx_resume
    .hidden wx_resume
    .type wx_resume, @function
// void wx_resume(void *sp, uint32_t status)
wx_resume:
    .cfi_startproc
    endbr64
    movl %esi, %eax
    movq %rdi, %rsp
    jmp wx_resume_here
    .cfi_endproc
    .size wx_resume, . - wx_resume

    .p2align 4
    .globl wx_switch
    .hidden wx_switch
    .type wx_switch, @function
// void wx_switch(void **from, void *to)
wx_switch:
    .cfi_startproc
    endbr64
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .cfi_endproc
    .size wx_switch, . - wx_switch

    .p2align 4
    .globl wx_async_entry
    .hidden wx_async_entry
    .type wx_async_entry, @function
wx_async_entry:                 // rbx: the wasmx_async; rbp is 0, where chains of frames end
    .cfi_startproc
    .cfi_undefined %rip
    endbr64
    movq %rbx, %rdi
    call wx_async_main
    ud2
    .cfi_endproc
    .size wx_async_entry, . - wx_async_entry

    .section .note.gnu.property, "a"  // all entries are landing pads: indirect branch tracking may stay on
    .p2align 3
    .long 4, 16, 5
    .asciz "GNU"
    .long 0xc0000002, 4, 1, 0
    .section .note.GNU-stack, "", @progbits
