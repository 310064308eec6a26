// interp/baseline_x86_64.S: from C to code of the second tier, and back (baseline_x86_64.c says what registers hold).
        .text

        .macro open_frame
        .cfi_startproc
        pushq %rbp
        .cfi_def_cfa_offset 16
        .cfi_offset %rbp, -16
        movq %rsp, %rbp
        .cfi_def_cfa_register %rbp
        .endm

        .macro keep_registers   // rsp is 8 below a multiple of 16 afterwards
        open_frame
        pushq %rbx
        pushq %r12
        pushq %r13
        pushq %r14
        pushq %r15
        .cfi_offset %rbx, -24
        .cfi_offset %r12, -32
        .cfi_offset %r13, -40
        .cfi_offset %r14, -48
        .cfi_offset %r15, -56
        movq %rdx, %r13
        movq %rcx, %r15
        movq (%rcx), %r14
        .endm

        .macro give_back
        popq %r15
        popq %r14
        popq %r13
        popq %r12
        popq %rbx
        popq %rbp
        .cfi_def_cfa %rsp, 8
        ret
        .cfi_endproc
        .endm

        .globl wx_baseline_enter
        .hidden wx_baseline_enter
        .type wx_baseline_enter, @function
        .p2align 4
wx_baseline_enter:              // code, args, ctx, memory
        keep_registers
        movq %rdi, %rax
        movq %rsi, %rdi
        call *%rax
        give_back
        .size wx_baseline_enter, . - wx_baseline_enter

        .globl wx_baseline_go_on
        .hidden wx_baseline_go_on
        .type wx_baseline_go_on, @function
        .p2align 4
wx_baseline_go_on:              // loop, fp, ctx, memory
        keep_registers
        call 1f
        give_back
1:      pushq %rbp              // the frame that code expects, but for its slots
        movq %rsp, %rbp
        pushq %r12
        pushq %rsi
        movq %rsi, %r12
        jmp *%rdi
        .size wx_baseline_go_on, . - wx_baseline_go_on

        .globl wx_baseline_miss
        .hidden wx_baseline_miss
        .type wx_baseline_miss, @function
        .p2align 4
wx_baseline_miss:               // eax: the function, rdi: args, rsi: wx_interp
        open_frame
        pushq %rdi
        movq %rdi, %rdx
        movq %rsi, %rdi
        movl %eax, %esi
        movq %r13, %rcx
        call wx_baseline_call
        movq -8(%rbp), %rdi
        movq (%rdi), %rdi
        leave
        .cfi_def_cfa %rsp, 8
        ret
        .cfi_endproc
        .size wx_baseline_miss, . - wx_baseline_miss
        .section .note.GNU-stack, "", @progbits
