// tests/idioms/libc.c: a program that has the C library's functions, whatever the compiler knows of them.
#include <stdio.h>
#include <string.h>

typedef void any(void);
static any *volatile functions[] = {(any *)memcpy, (any *)memmove, (any *)memset, (any *)strlen};

int main(int argc, char **argv) {
    char copy[200];
    size_t n = ((size_t(*)(const char *))functions[3])(argv[0]);
    ((void *(*)(void *, const void *, size_t))functions[argc & 1])(copy, argv[0], n < 200 ? n : 200);
    ((void *(*)(void *, int, size_t))functions[2])(copy, argc, 100);
    return printf("%d\n", copy[0]) < 0;
}
