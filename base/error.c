// base/error.c: formatting of the one error.
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

static bool fail(wx_error *e, wx_code code, uint64_t offset, const char *fmt, va_list ap) {
    if (e->code != WX_OK) return false;
    e->code = code;
    e->func = WX_NO_FUNC;
    e->offset = offset;
    e->name[0] = 0;
    vsnprintf(e->msg, sizeof e->msg, fmt, ap);
    return false;
}

bool wx_fail(wx_error *e, wx_code code, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    fail(e, code, WX_NO_OFFSET, fmt, ap);
    va_end(ap);
    return false;
}

bool wx_fail_at(wx_error *e, wx_code code, uint64_t offset, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    fail(e, code, offset, fmt, ap);
    va_end(ap);
    return false;
}

const char *wx_code_name(wx_code code) {
    switch (code) {
    case WX_OK: return "ok";
#define ERROR(name, text) \
    case WX_ERR_##name: return text;
#include "base/errors.def"
#undef ERROR
    }
    return "unknown";
}

char *wx_error_line(const wx_error *e, const char *file, char *out, size_t size) {
    char at[32] = "", func[80] = "";
    if (e->offset != WX_NO_OFFSET) snprintf(at, sizeof at, ":0x%llx", (unsigned long long)e->offset);
    if (e->func != WX_NO_FUNC && e->name[0]) snprintf(func, sizeof func, " (func %u \"%s\")", e->func, e->name);
    else if (e->func != WX_NO_FUNC) snprintf(func, sizeof func, " (func %u)", e->func);
    snprintf(out, size, "%s%s%s: %s", file, at, func, e->msg);
    return out;
}
