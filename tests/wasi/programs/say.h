// tests/wasi/programs/say.h: what a call answered, in words that are the same natively and as Wasm.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *error_name(void) {
    static const struct { int code; const char *name; } names[] = {
        {EACCES, "EACCES"}, {EBADF, "EBADF"}, {EBUSY, "EBUSY"}, {EEXIST, "EEXIST"}, {EINVAL, "EINVAL"}, {EISDIR, "EISDIR"},
        {ELOOP, "ELOOP"}, {ENAMETOOLONG, "ENAMETOOLONG"}, {ENOENT, "ENOENT"}, {ENOTDIR, "ENOTDIR"}, {ENOTEMPTY, "ENOTEMPTY"},
        {EPERM, "EPERM"}, {ESPIPE, "ESPIPE"}, {EFBIG, "EFBIG"}, {EXDEV, "EXDEV"}, {ENOTSOCK, "ENOTSOCK"},
    };
    for (size_t k = 0; k < sizeof names / sizeof *names; k++)
        if (names[k].code == errno) return names[k].name;
    return "another error";
}

static void say_result(const char *what, long long result) {
    if (result < 0) printf("%s: %s\n", what, error_name());
    else printf("%s: %lld\n", what, result);
}
// The result itself, or the name of the error.
#define SAY(call) say_result(#call, (long long)(call))
// For descriptors and other numbers that may differ.
#define SAY_OK(call) say_result(#call, (long long)(call) < 0 ? -1 : 0)
