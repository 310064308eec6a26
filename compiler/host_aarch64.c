// compiler/host_aarch64.c: this machine.
#include "compiler/unit.h"

const bool wx_host_is_x86 = false;
