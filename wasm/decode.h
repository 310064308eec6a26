// wasm/decode.h: what the files of the decoder share. Private to wasm/; the door is wasm.h.
//
// Every section has a function that reads it from a reader bounded by the section. Counts are checked against the
// bytes that are left before anything is allocated for them (wx_read_count).
#pragma once
#include "wasm/instr.h"
#include "wasm/reader.h"
#include "wasm/wasm.h"

#define WX_FEATURE_BIT(feature) (UINT64_C(1) << WX_FEATURE_##feature)

// The ids of the binary format.
enum {
    WX_SECTION_CUSTOM, WX_SECTION_TYPE, WX_SECTION_IMPORT, WX_SECTION_FUNC, WX_SECTION_TABLE, WX_SECTION_MEMORY,
    WX_SECTION_GLOBAL, WX_SECTION_EXPORT, WX_SECTION_START, WX_SECTION_ELEM, WX_SECTION_CODE, WX_SECTION_DATA,
    WX_SECTION_DATA_COUNT, WX_SECTION_TAG, WX_SECTION_IDS
};
// Their order in a file: position of each id, custom sections (0) anywhere.
extern const uint8_t wx_section_rank[WX_SECTION_IDS];

// Limits of this implementation, mostly those that the JavaScript embedding fixes. Beyond them: WX_ERR_LIMIT.
enum {
    WX_MAX_TYPES = 1000000,
    WX_MAX_PARAMS = 1000,
    WX_MAX_RESULTS = 1000,
    WX_MAX_FIELDS = 10000,
    WX_MAX_LOCALS = 50000,
    WX_MAX_SUBTYPE_DEPTH = 63,
    WX_MAX_OPERANDS = 1 << 22, // values on the operand stack of the validator
};

void wx_decode_types(wx_module *m, wx_reader *r);
void wx_decode_imports(wx_module *m, wx_reader *r);
void wx_decode_funcs(wx_module *m, wx_reader *r);
void wx_decode_tables(wx_module *m, wx_reader *r);
void wx_decode_memories(wx_module *m, wx_reader *r);
void wx_decode_tags(wx_module *m, wx_reader *r);
void wx_decode_globals(wx_module *m, wx_reader *r);
void wx_decode_exports(wx_module *m, wx_reader *r);
void wx_decode_elems(wx_module *m, wx_reader *r);
void wx_decode_datas(wx_module *m, wx_reader *r);
void wx_decode_code(wx_module *m, wx_reader *r);
// The name section: what cannot be read of it is left out, never an error.
void wx_decode_names(wx_module *m, wx_span section);

// A constant expression: the bytes up to and with its `end`.
wx_expr wx_decode_expr(wx_module *m, wx_reader *r);
void wx_note_type(wx_module *m, wx_type t);
