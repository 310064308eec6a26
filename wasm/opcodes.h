// wasm/opcodes.h: from encoded opcodes to rows of opcodes.def. Private to wasm/.
#pragma once
#include "wasm/instr.h"

// A slot for the one-byte opcodes and one for each prefix byte 0xfb..0xfe; in a slot, the code is the place.
#define WX_OP_SLOT(prefix) ((prefix) ? (prefix) - 0xfa : 0)
#define WX_OP_SLOTS 5
#define WX_OP_CODES 512

extern const uint16_t wx_op_lookup[WX_OP_SLOTS * WX_OP_CODES]; // op + 1, or 0 for no such opcode

// Lanes that a lane immediate of this instruction chooses from, 0 when it has none.
uint32_t wx_op_lanes(wx_op op);
