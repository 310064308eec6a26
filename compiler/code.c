// compiler/code.c: an object in this process without a file, through LLVM's ORC linker.
#include "compiler/code.h"

#include <llvm-c/Core.h>
#include <llvm-c/Error.h>
#include <llvm-c/Orc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "compiler/need.h"
#include "runtime/abi.h"

bool wx_code_failed(LLVMErrorRef error, wasmx_compile_error *err) {
    if (!error) return false;
    char *message = LLVMGetErrorMessage(error);
    if (!*err->line) snprintf(err->line, sizeof err->line, "cannot load code: %s", message);
    LLVMDisposeErrorMessage(message);
    return true;
}

// LLVM would write to standard error; what went wrong first is what the caller hears.
static void report(void *arg, LLVMErrorRef error) { wx_code_failed(error, arg); }

typedef struct outside { const char *name; void *address; } outside;

// What generated code refers to, and nothing else of this process.
static const outside outsides[] = {
#define FIELD(s, f)
#define HELPER(name, ...) {"wxrt_" #name, (void *)(uintptr_t)wxrt_##name},
#include "runtime/abi.def"
#undef FIELD
#undef HELPER
    {"memmove", (void *)(uintptr_t)memmove},
    {"memcpy", (void *)(uintptr_t)memcpy},
    {"memset", (void *)(uintptr_t)memset},
};
#define OUTSIDES (sizeof outsides / sizeof *outsides)

static LLVMErrorRef define_outsides(LLVMOrcLLJITRef jit, LLVMOrcJITDylibRef lib) {
    LLVMOrcCSymbolMapPair pairs[OUTSIDES];
    for (size_t i = 0; i < OUTSIDES; i++) {
        pairs[i].Name = LLVMOrcLLJITMangleAndIntern(jit, outsides[i].name);
        pairs[i].Sym.Address = (LLVMOrcExecutorAddress)(uintptr_t)outsides[i].address;
        pairs[i].Sym.Flags.GenericFlags = LLVMJITSymbolGenericFlagsExported | LLVMJITSymbolGenericFlagsCallable;
        pairs[i].Sym.Flags.TargetFlags = 0;
    }
    return LLVMOrcJITDylibDefine(lib, LLVMOrcAbsoluteSymbols(pairs, OUTSIDES));
}

bool wx_code_open(wasmx_code *c, LLVMOrcLLJITBuilderRef builder) {
    if (wx_code_failed(LLVMOrcCreateLLJIT(&c->jit, builder), &c->error)) return false;
    LLVMOrcExecutionSessionSetErrorReporter(LLVMOrcLLJITGetExecutionSession(c->jit), report, &c->error);
    return !wx_code_failed(define_outsides(c->jit, LLVMOrcLLJITGetMainJITDylib(c->jit)), &c->error);
}

void *wx_code_link(wasmx_code *c, const void *object, size_t size, const char *symbol) {
    LLVMOrcJITDylibRef lib = LLVMOrcLLJITGetMainJITDylib(c->jit);
    LLVMMemoryBufferRef copy = LLVMCreateMemoryBufferWithMemoryRangeCopy(object, size, symbol);
    if (wx_code_failed(LLVMOrcLLJITAddObjectFile(c->jit, lib, copy), &c->error)) return NULL;
    LLVMOrcExecutorAddress at;
    if (wx_code_failed(LLVMOrcLLJITLookup(c->jit, &at, symbol), &c->error)) return NULL;
    return (void *)(uintptr_t)at;
}

wasmx_code *wasmx_code_load(const wasmx_buffer *object, const char *name, wasmx_compile_error *err) {
    wasmx_code *c = wx_xcalloc(1, sizeof *c);
    wx_error e = {0};
    if (!wx_need_llvm(&e)) snprintf(c->error.line, sizeof c->error.line, "%s", e.msg);
    else if (wx_code_open(c, NULL) && (c->module = wx_code_link(c, object->data, object->size, name))) return c;
    *err = c->error;
    wasmx_code_free(c);
    return NULL;
}

const wasmx_module *wasmx_code_module(const wasmx_code *code) { return code->module; }

void wasmx_code_free(wasmx_code *code) {
    if (!code) return;
    if (code->module) wasmx_module_forget(code->module);
    if (code->lazy) wx_lazy_stop(code->lazy);
    LLVMErrorRef error = code->jit ? LLVMOrcDisposeLLJIT(code->jit) : NULL;
    if (error) LLVMConsumeError(error);
    if (code->lazy) wx_lazy_close(code->lazy);
    free(code);
}
