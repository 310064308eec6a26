// tests/cli/without.c: for LD_AUDIT: a system on which LLVM is not installed.
#define _GNU_SOURCE
#include <link.h>
#include <string.h>

unsigned la_version(unsigned version) { return version; }
char *la_objsearch(const char *name, uintptr_t *cookie, unsigned flag) {
    (void)cookie, (void)flag;
    return strstr(name, "libLLVM") ? NULL : (char *)(uintptr_t)name;
}
