// tests/cli/lines.c: a program that traps in a known line: it follows a list out of memory.
#include <stdio.h>

struct node {
    int value;
    struct node *next;
};

__attribute__((noinline)) static int sum(const struct node *n) {
    int total = 0;
    for (; n; n = n->next)
        total += n->value; // line 12: here
    return total;
}

__attribute__((noinline)) static int twice(const struct node *n) {
    int once = sum(n); // line 17: called here
    printf("%d\n", once);
    return 2 * once;
}

int main(int argc, char **argv) {
    struct node bad = {argc, (struct node *)(unsigned long)0xfffffff0};
    (void)argv;
    return twice(&bad); // line 25: called here
}
