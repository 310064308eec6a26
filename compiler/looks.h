// compiler/looks.h: loads that fault once the instance was interrupted.
#pragma once
#include "compiler/part.h"

void look_in_loops(part *p, LLVMValueRef function); // after all of LLVM's passes
void look_at_entry(part *p, LLVMValueRef function);
