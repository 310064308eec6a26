// compiler/need.c: LLVM is linked, so it is there. Programs that load it have a wx_need_llvm of their own instead.
#include "compiler/need.h"

#include <llvm-c/Core.h>
#include <malloc.h>

bool wx_need_llvm(wx_error *e) {
    (void)e;
    return true;
}

const void *wx_llvm_itself(void) { return (const void *)(uintptr_t)LLVMContextCreate; }

void wx_rest_llvm(void) { malloc_trim(0); }
