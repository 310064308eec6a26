// compiler/code.c: an object in this process without a file, through LLVM's ORC linker.
#include <llvm-c/Core.h>
#include <llvm-c/Error.h>
#include <llvm-c/LLJIT.h>
#include <llvm-c/Orc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "runtime/abi.h"
#include "wasmx_compile.h"

struct wasmx_code {
    LLVMOrcLLJITRef jit;
    const wasmx_module *module;
    wasmx_compile_error error; // here, because LLVM may report until it ends
};

static bool failed(LLVMErrorRef error, wasmx_compile_error *err) {
    if (!error) return false;
    char *message = LLVMGetErrorMessage(error);
    if (!*err->line) snprintf(err->line, sizeof err->line, "cannot load code: %s", message);
    LLVMDisposeErrorMessage(message);
    return true;
}

// LLVM would write to standard error; what went wrong first is what the caller hears.
static void report(void *arg, LLVMErrorRef error) { failed(error, arg); }

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

static bool load(wasmx_code *c, const wasmx_buffer *object, const char *name) {
    wasmx_compile_error *err = &c->error;
    if (failed(LLVMOrcCreateLLJIT(&c->jit, NULL), err)) return false;
    LLVMOrcExecutionSessionSetErrorReporter(LLVMOrcLLJITGetExecutionSession(c->jit), report, &c->error);
    LLVMOrcJITDylibRef lib = LLVMOrcLLJITGetMainJITDylib(c->jit);
    if (failed(define_outsides(c->jit, lib), err)) return false;
    const char *bytes = (const char *)object->data;
    LLVMMemoryBufferRef copy = LLVMCreateMemoryBufferWithMemoryRangeCopy(bytes, object->size, name);
    if (failed(LLVMOrcLLJITAddObjectFile(c->jit, lib, copy), err)) return false;
    LLVMOrcExecutorAddress at;
    if (failed(LLVMOrcLLJITLookup(c->jit, &at, name), err)) return false;
    c->module = (const wasmx_module *)(uintptr_t)at;
    return true;
}

wasmx_code *wasmx_code_load(const wasmx_buffer *object, const char *name, wasmx_compile_error *err) {
    wasmx_code *c = wx_xmalloc(sizeof *c);
    *c = (wasmx_code){0};
    if (load(c, object, name)) return c;
    *err = c->error;
    wasmx_code_free(c);
    return NULL;
}

const wasmx_module *wasmx_code_module(const wasmx_code *code) { return code->module; }

void wasmx_code_free(wasmx_code *code) {
    if (!code) return;
    if (code->module) wasmx_module_forget(code->module);
    LLVMErrorRef error = code->jit ? LLVMOrcDisposeLLJIT(code->jit) : NULL;
    if (error) LLVMConsumeError(error);
    free(code);
}
