// compiler/need.h: what is asked before LLVM is called. Libraries have it linked; programs load it now (delay/).
#pragma once
#include "base/error.h"

// From now on functions of LLVM may be called, by any thread. False: they cannot be.
bool wx_need_llvm(wx_error *e);
// An address in it, once it is there; for who asks which LLVM that is.
const void *wx_llvm_itself(void);
// It will not be called for a while: memory that only it needs may go.
void wx_rest_llvm(void);
