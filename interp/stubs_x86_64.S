// interp/stubs_x86_64.S: from native code to C with the values in memory, and from C to native code.
//
// wx_regs: ints at 0, vecs at 64, ctx at 192, stack at 200.
        .text

        .macro open_frame
        pushq %rbp
        .cfi_def_cfa_offset 16
        .cfi_offset %rbp, -16
        movq %rsp, %rbp
        .cfi_def_cfa_register %rbp
        .endm

        .macro close_frame
        leave
        .cfi_def_cfa %rsp, 8
        ret
        .endm

        .macro load_ints from
        movq (\from), %rdi
        movq 8(\from), %rsi
        movq 16(\from), %rdx
        movq 24(\from), %rcx
        movq 32(\from), %r8
        movq 40(\from), %r9
        .endm

        .macro load_vecs from
        movaps 64(\from), %xmm0
        movaps 80(\from), %xmm1
        movaps 96(\from), %xmm2
        movaps 112(\from), %xmm3
        movaps 128(\from), %xmm4
        movaps 144(\from), %xmm5
        movaps 160(\from), %xmm6
        movaps 176(\from), %xmm7
        .endm

// rax: wx_stubs; r11d: k; above the return address into the stub: rbp of its caller, and where that goes on
        .globl wx_stub_enter
        .hidden wx_stub_enter
        .type wx_stub_enter, @function
        .p2align 4
wx_stub_enter:
        .cfi_startproc
        open_frame
        subq $208, %rsp
        movq %rdi, (%rsp)
        movq %rsi, 8(%rsp)
        movq %rdx, 16(%rsp)
        movq %rcx, 24(%rsp)
        movq %r8, 32(%rsp)
        movq %r9, 40(%rsp)
        movaps %xmm0, 64(%rsp)
        movaps %xmm1, 80(%rsp)
        movaps %xmm2, 96(%rsp)
        movaps %xmm3, 112(%rsp)
        movaps %xmm4, 128(%rsp)
        movaps %xmm5, 144(%rsp)
        movaps %xmm6, 160(%rsp)
        movaps %xmm7, 176(%rsp)
        movq %r13, 192(%rsp)
        leaq 32(%rbp), %r10
        movq %r10, 200(%rsp)
        movq 8(%rax), %rdi
        movl %r11d, %esi
        movq %rsp, %rdx
        call *(%rax)
        testq %rax, %rax
        jz 1f
        movq %rax, %r11
        load_ints %rsp
        load_vecs %rsp
        .cfi_remember_state
        leave
        .cfi_def_cfa %rsp, 8
        addq $8, %rsp           // the stub's call is undone, and so is its frame
        popq %rbp
        jmp *%r11
1:      .cfi_restore_state
        movq (%rsp), %rax
        movq 8(%rsp), %rdx
        movaps 64(%rsp), %xmm0
        movaps 80(%rsp), %xmm1
        close_frame
        .cfi_endproc
        .size wx_stub_enter, . - wx_stub_enter

        .globl wx_leave
        .hidden wx_leave
        .type wx_leave, @function
        .p2align 4
wx_leave:                       // code, ctx, regs, stack, words
        .cfi_startproc
        open_frame
        pushq %r13
        pushq %rbx
        .cfi_offset %r13, -24
        .cfi_offset %rbx, -32
        movq %rdi, %rax
        movq %rsi, %r13
        movq %rdx, %rbx
        leaq 1(%r8), %r10
        andq $-2, %r10
        shlq $3, %r10
        subq %r10, %rsp
        xorl %r11d, %r11d
1:      cmpq %r8, %r11
        jae 2f
        movq (%rcx, %r11, 8), %r10
        movq %r10, (%rsp, %r11, 8)
        incq %r11
        jmp 1b
2:      load_ints %rbx
        load_vecs %rbx
        call *%rax
        movq %rax, (%rbx)
        movq %rdx, 8(%rbx)
        movaps %xmm0, 64(%rbx)
        movaps %xmm1, 80(%rbx)
        movq -8(%rbp), %r13
        movq -16(%rbp), %rbx
        close_frame
        .cfi_endproc
        .size wx_leave, . - wx_leave

        .globl wx_leave_words
        .hidden wx_leave_words
        .type wx_leave_words, @function
        .p2align 4
wx_leave_words:                 // code, ctx, args
        .cfi_startproc
        open_frame
        pushq %r13
        subq $8, %rsp
        .cfi_offset %r13, -24
        movq %rdi, %rax
        movq %rsi, %r13
        movq %rdx, %r10
        load_ints %r10
        call *%rax
        movq -8(%rbp), %r13
        close_frame
        .cfi_endproc
        .size wx_leave_words, . - wx_leave_words
        .section .note.GNU-stack, "", @progbits
