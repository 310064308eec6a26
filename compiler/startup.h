// compiler/startup.h: what an instance needs beyond its images before it can run (core 4.5.4, in its order).
#pragma once
#include "compiler/unit.h"
#include "interp/interp.h"

typedef enum wx_startup { STARTUP_GLOBAL, STARTUP_TABLE, STARTUP_ELEMENT, STARTUP_DATA, STARTUP_SORTS } wx_startup;

uint32_t wx_startup_count(const wx_module *m, wx_startup sort);
// Whether the i-th of its sort has something left to do. The start function, if there is one, comes after all of them.
bool wx_startup_needs(const wx_unit *u, wx_startup sort, uint32_t i);
bool wx_startup_is_empty(const wx_unit *u);
// Does it, without code made for it.
void wx_startup_run(const wx_unit *u, wx_interp *it, char *ctx);
