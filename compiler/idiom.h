// compiler/idiom.h: functions of the guest's C library that are known by their code.
#pragma once
#include "compiler/unit.h"

// Of a function of i32s; 0: not one that could be known. Stable: idioms.def holds such numbers.
uint64_t wx_fingerprint(const wx_module *m, uint32_t func);
// depth: of calls that are followed.
wx_idiom wx_idiom_of(const wx_module *m, uint32_t func, unsigned depth);
