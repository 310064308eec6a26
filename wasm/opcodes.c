// wasm/opcodes.c: the instruction table as data, and look-ups into it; type and feature names.
#include "wasm/opcodes.h"

#include <stdio.h>
#include <string.h>

const wx_op_info wx_ops[WX_OP_COUNT] = {
#define OP(name, prefix, code, text, imm, sig, feature, ...) \
    [WX_OP_##name] = {text, prefix, code, WX_IMM_##imm, sig, WX_FEATURE_##feature},
#include "wasm/opcodes.def"
#undef OP
};

const uint16_t wx_op_lookup[WX_OP_SLOTS * WX_OP_CODES] = {
#define OP(name, prefix, code, ...) [WX_OP_SLOT(prefix) * WX_OP_CODES + (code)] = WX_OP_##name + 1,
#include "wasm/opcodes.def"
#undef OP
};

wx_op wx_op_find(const char *text) {
    for (int i = 0; i < WX_OP_COUNT; i++)
        if (strcmp(wx_ops[i].text, text) == 0) return (wx_op)i;
    return WX_OP_COUNT;
}

uint32_t wx_imm_bytes(wx_imm imm) {
    switch (imm) {
    case WX_IMM_MEM1: case WX_IMM_MEM1_LANE: case WX_IMM_ATOMIC1: return 1;
    case WX_IMM_MEM2: case WX_IMM_MEM2_LANE: case WX_IMM_ATOMIC2: return 2;
    case WX_IMM_MEM4: case WX_IMM_MEM4_LANE: case WX_IMM_ATOMIC4: return 4;
    case WX_IMM_MEM8: case WX_IMM_MEM8_LANE: case WX_IMM_ATOMIC8: return 8;
    case WX_IMM_MEM16: return 16;
    default: return 0;
    }
}

// The lane count of a shape is what follows its x: i8x16.
uint32_t wx_op_lanes(wx_op op) {
    const wx_op_info *info = &wx_ops[op];
    uint32_t bytes = wx_imm_bytes(info->imm);
    if (bytes) return 16 / bytes;
    const char *x = strchr(info->text, 'x');
    unsigned lanes = 0;
    if (x) sscanf(x + 1, "%u", &lanes);
    return lanes;
}

const char *wx_feature_name(wx_feature f) {
    static const char *const names[WX_FEATURE_COUNT] = {
#define FEATURE(name, text, version) text,
#include "wasm/features.def"
#undef FEATURE
    };
    return names[f];
}

static const char *code_text(uint32_t code) {
    switch (code) {
    case WX_I32: return "i32";
    case WX_I64: return "i64";
    case WX_F32: return "f32";
    case WX_F64: return "f64";
    case WX_V128: return "v128";
    case WX_I8: return "i8";
    case WX_I16: return "i16";
    case WX_HEAP_NOEXN: return "noexn";
    case WX_HEAP_NOFUNC: return "nofunc";
    case WX_HEAP_NOEXTERN: return "noextern";
    case WX_HEAP_NONE: return "none";
    case WX_HEAP_FUNC: return "func";
    case WX_HEAP_EXTERN: return "extern";
    case WX_HEAP_ANY: return "any";
    case WX_HEAP_EQ: return "eq";
    case WX_HEAP_I31: return "i31";
    case WX_HEAP_STRUCT: return "struct";
    case WX_HEAP_ARRAY: return "array";
    case WX_HEAP_EXN: return "exn";
    default: return "anything";
    }
}

// Nullable references to abstract heap types have short names of their own.
static const char *short_text(uint32_t code) {
    switch (code) {
    case WX_HEAP_NONE: return "nullref";
    case WX_HEAP_NOFUNC: return "nullfuncref";
    case WX_HEAP_NOEXTERN: return "nullexternref";
    case WX_HEAP_NOEXN: return "nullexnref";
    default: return NULL;
    }
}

char *wx_type_text(wx_type t, char out[WX_TYPE_TEXT]) {
    const char *null = wx_is_nullable(t) ? "null " : "";
    uint32_t low = wx_low(t);
    if (wx_is_ref(t) && wx_has_index(t)) snprintf(out, WX_TYPE_TEXT, "(ref %s%u)", null, low);
    else if (wx_has_index(t)) snprintf(out, WX_TYPE_TEXT, "%u", low);
    else if (!wx_is_ref(t)) snprintf(out, WX_TYPE_TEXT, "%s", code_text(low));
    else if (!wx_is_nullable(t)) snprintf(out, WX_TYPE_TEXT, "(ref %s)", code_text(low));
    else if (short_text(low)) snprintf(out, WX_TYPE_TEXT, "%s", short_text(low));
    else snprintf(out, WX_TYPE_TEXT, "%sref", code_text(low));
    return out;
}

#define BIT(feature) (UINT64_C(1) << WX_FEATURE_##feature)

uint64_t wx_type_features(wx_type t) {
    if (t == WX_V128) return BIT(SIMD);
    if (t == WX_I8 || t == WX_I16) return BIT(GC);
    if (!wx_is_ref(t)) return 0;
    uint32_t code = wx_low(t);
    uint64_t bits = wx_is_nullable(t) && !wx_has_index(t) ? BIT(REF_TYPES) : BIT(REF_TYPES) | BIT(FUNC_REFS);
    if (wx_has_index(t) || code == WX_HEAP_FUNC || code == WX_HEAP_EXTERN) return bits;
    return bits | (code == WX_HEAP_EXN || code == WX_HEAP_NOEXN ? BIT(EH) : BIT(GC));
}
