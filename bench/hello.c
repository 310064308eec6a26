// bench/hello.c: the least a program can do; timed from start to exit.
#include <stdio.h>

int main(void) { puts("hello"); }
