// compiler/simd.h: vector shapes, as column A of opcodes.def names them.
#pragma once

enum shape { I8X16 = 1, I16X8, I32X4, I64X2, F32X4, F64X2 };
