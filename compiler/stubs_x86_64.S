// compiler/stubs_x86_64.S: from a stub to its resolver and on to the code, with every argument register as it was.
//
// r11: wx_stubs; on the stack: k, then the caller's return address.
        .text
        .globl wx_stub_enter
        .hidden wx_stub_enter
        .type wx_stub_enter, @function
        .p2align 4
wx_stub_enter:
        .cfi_startproc
        .cfi_def_cfa_offset 16
        pushq %rbp
        .cfi_def_cfa_offset 24
        .cfi_offset %rbp, -24
        movq %rsp, %rbp
        .cfi_def_cfa_register %rbp
        andq $-16, %rsp
        subq $192, %rsp
        movq %rax, (%rsp)
        movq %rdi, 8(%rsp)
        movq %rsi, 16(%rsp)
        movq %rdx, 24(%rsp)
        movq %rcx, 32(%rsp)
        movq %r8, 40(%rsp)
        movq %r9, 48(%rsp)
        movq %r10, 56(%rsp)
        movaps %xmm0, 64(%rsp)
        movaps %xmm1, 80(%rsp)
        movaps %xmm2, 96(%rsp)
        movaps %xmm3, 112(%rsp)
        movaps %xmm4, 128(%rsp)
        movaps %xmm5, 144(%rsp)
        movaps %xmm6, 160(%rsp)
        movaps %xmm7, 176(%rsp)
        movq 8(%r11), %rdi
        movl 8(%rbp), %esi
        call *(%r11)
        movq %rax, %r11
        movq (%rsp), %rax
        movq 8(%rsp), %rdi
        movq 16(%rsp), %rsi
        movq 24(%rsp), %rdx
        movq 32(%rsp), %rcx
        movq 40(%rsp), %r8
        movq 48(%rsp), %r9
        movq 56(%rsp), %r10
        movaps 64(%rsp), %xmm0
        movaps 80(%rsp), %xmm1
        movaps 96(%rsp), %xmm2
        movaps 112(%rsp), %xmm3
        movaps 128(%rsp), %xmm4
        movaps 144(%rsp), %xmm5
        movaps 160(%rsp), %xmm6
        movaps 176(%rsp), %xmm7
        movq %rbp, %rsp
        popq %rbp
        .cfi_def_cfa %rsp, 16
        addq $8, %rsp
        .cfi_def_cfa_offset 8
        jmp *%r11
        .cfi_endproc
        .size wx_stub_enter, . - wx_stub_enter
        .section .note.GNU-stack, "", @progbits
