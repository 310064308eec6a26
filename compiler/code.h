// compiler/code.h: code in this process: what a whole object and code made on demand have in common.
#pragma once
#include <llvm-c/LLJIT.h>

#include "wasmx_compile.h"

typedef struct wx_lazy wx_lazy; // lazy.c

struct wasmx_code {
    LLVMOrcLLJITRef jit;
    const wasmx_module *module;
    wasmx_compile_error error; // here, because LLVM may report until it ends
    wx_lazy *lazy;             // or NULL
};

// Takes the error. True when there was one; the first is kept in err.
bool wx_code_failed(LLVMErrorRef error, wasmx_compile_error *err);
// builder may be NULL.
bool wx_code_open(struct wasmx_code *c, LLVMOrcLLJITBuilderRef builder);
// Links an object and finds one of its symbols; NULL: code->error says why.
void *wx_code_link(struct wasmx_code *c, const void *object, size_t size, const char *symbol);
void wx_lazy_stop(wx_lazy *l);  // before the code's linker ends
void wx_lazy_close(wx_lazy *l); // after
