// compiler/exports.h: the C names that the object defines or wants, for the adapters and the header alike.
#pragma once
#include "compiler/unit.h"

// Fills u->export_names: per export its C name NAME_export, made unique; NULL for more exports than a header makes
// sense for (they stay reachable by wasmx_export).
void wx_name_exports(wx_unit *u);
// With --imports=link: the extern function an import is bound to, MODULE_FIELD; NULL for all others (WASI too).
const char *wx_linked_name(const wx_unit *u, uint32_t func);
// The place of a function import in NAME_imports, or -1: WASI, or bound by the linker.
int32_t wx_typed_slot(const wx_unit *u, uint32_t func);
// The field of NAME_imports for a function import, MODULE_FIELD.
const char *wx_import_field(const wx_unit *u, uint32_t func);
#define WX_MAX_HEADER_EXPORTS 5000
