// runtime/wasi/errno.c: the host's errors as WASI's.
#include "runtime/wasi/wasi.h"

static const uint8_t codes[] = {
#define ERRNO(code, name) [E##name] = code,
#include "runtime/wasi/errno.def"
#undef ERRNO
};

int32_t wx_wasi_errno(int host) {
    if (host < 0 || (size_t)host >= sizeof codes || !codes[host]) return W_IO;
    return codes[host];
}
