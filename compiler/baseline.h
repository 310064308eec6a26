// compiler/baseline.h: the second tier (interp/baseline.h) in the address space of code.
#pragma once
#include "compiler/space.h"

// Makes code of the function, unless there is some, for its calls and, if asked to, for interpreted frames that are in
// a loop. False: it cannot be made. Under the lock of who links. f->loops is freed with the interpreter.
bool wx_baseline_make(wx_space *s, const struct wasmx_module *module, wx_ifunc *f, bool loops);
