// runtime/entry_x86_64.S: into guest code and back, for the System V ABI. See internal.h for what the symbols do.
    .text

// A frame with the registers that a called function keeps, and room below them.
    .macro open_frame room
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
    subq $\room, %rsp
    .cfi_offset %rbx, -24
    .cfi_offset %r12, -32
    .cfi_offset %r13, -40
    .cfi_offset %r14, -48
    .cfi_offset %r15, -56
    .endm

    .macro pop_registers
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    .endm

    .p2align 4
    .globl wx_enter
    .hidden wx_enter
    .type wx_enter, @function
// uint32_t wx_enter(void *ctx, void *thunk, void *code, wasmx_value *slots, void **sp)
wx_enter:
    .cfi_startproc
    endbr64
    open_frame 8
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
    pop_registers
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

// wx_call_from_host and wx_enter in one, for what nearly every call is: on the thread and the stack of the last one.
// The frame is wx_enter's with the entry record below it, so that a trap resumes at wx_resume_here. entry.c asserts the
// offsets. open_entry keeps the arguments, close_entry rdx. 1f: where all other calls go.
    .macro open_entry
    .cfi_startproc
    endbr64
    movq wx_this_thread@gottpoff(%rip), %r11
    movq %fs:8(%r11), %rax      // limit
    cmpq %rax, 32(%rdi)         // stack_limit
    jne 1f
    cmpq $0, 40(%rdi)           // max_stack
    jne 1f
    movq %rsp, %r10
    subq %fs:16(%r11), %r10     // low
    cmpq %fs:24(%r11), %r10     // size
    jae 1f
    open_frame 40
    movq %fs:(%r11), %r12       // kept in a register: from and to memory each time, calls in a row would wait for it
    movq %rsp, %fs:(%r11)       // top
    movq %r12, (%rsp)           // prev
    leaq 32(%rsp), %r10
    movq %r10, 8(%rsp)          // sp
    movq %rdi, 16(%rsp)         // instance
    movq %rax, 24(%rsp)         // limit
    movq %r11, %rbx
    leaq 65584(%rdi), %r13      // ctx
    .endm

    .macro close_entry
    movq %r12, %fs:(%rbx)
    xorl %eax, %eax
    addq $40, %rsp
    pop_registers
    .cfi_def_cfa %rsp, 8
    ret
    .endm

    .p2align 4
    .globl wxrt_call
    .type wxrt_call, @function
// uint32_t wxrt_call(wasmx_instance *i, void *thunk, void *code, wasmx_value *slots)
wxrt_call:
    open_entry
    movq %rsi, %rax
    movq %rdx, %rdi
    movq %rcx, %rsi
    call *%rax
    close_entry
1:  jmp wx_call_from_host
    .cfi_endproc
    .size wxrt_call, . - wxrt_call

    .p2align 4
    .globl wxrt_call_words
    .type wxrt_call_words, @function
// wxrt_words wxrt_call_words(wasmx_instance *i, void *code, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
wxrt_call_words:
    open_entry
    movq %rsi, %rax
    movq %rdx, %rdi
    movq %rcx, %rsi
    movq %r8, %rdx
    movq %r9, %rcx
    call *%rax
    movq %rax, %rdx
    close_entry
1:  .cfi_def_cfa %rsp, 8
    subq $72, %rsp
    .cfi_def_cfa_offset 80
    movq %rdx, (%rsp)
    movq %rcx, 16(%rsp)
    movq %r8, 32(%rsp)
    movq %r9, 48(%rsp)
    movq %rsi, %rdx
    leaq words_thunk(%rip), %rsi
    movq %rsp, %rcx
    call wx_call_from_host
    movq (%rsp), %rdx
    addq $72, %rsp
    .cfi_def_cfa_offset 8
    ret
    .cfi_endproc
    .size wxrt_call_words, . - wxrt_call_words

    .p2align 4
    .type words_thunk, @function
words_thunk:                    // r13: ctx; code, slots
    .cfi_startproc
    endbr64
    pushq %rbp
    .cfi_def_cfa_offset 16
    .cfi_offset %rbp, -16
    movq %rsp, %rbp
    .cfi_def_cfa_register %rbp
    pushq %rbx
    subq $8, %rsp
    .cfi_offset %rbx, -24
    movq %rsi, %rbx
    movq %rdi, %rax
    movq (%rbx), %rdi
    movq 16(%rbx), %rsi
    movq 32(%rbx), %rdx
    movq 48(%rbx), %rcx
    call *%rax
    movq %rax, (%rbx)
    addq $8, %rsp
    popq %rbx
    popq %rbp
    .cfi_def_cfa %rsp, 8
    ret
    .cfi_endproc
    .size words_thunk, . - words_thunk

    .section .note.gnu.property, "a"  // all entries are landing pads: indirect branch tracking may stay on
    .p2align 3
    .long 4, 16, 5
    .asciz "GNU"
    .long 0xc0000002, 4, 1, 0
    .section .note.GNU-stack, "", @progbits
