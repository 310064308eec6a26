// tests/cli/boxes.c: references to objects in typed functions: words for the host, checked when they come back.
#include <stdio.h>

#include "boxes.h"

// (struct (mut i32)), which only the guest can look into.
static void *twice(wasmx_instance *caller, void *box) {
    int32_t n = 0;
    void *other = NULL;
    if (boxes_open(caller, box, &n) || boxes_box(caller, 2 * n, &other)) return NULL;
    return other;
}

static void say(wasmx_instance *i, const char *what, wasmx_status status) {
    printf("%s: %s\n", what, status ? wasmx_last_trap(i)->message : "ok");
}

int main(void) {
    const boxes_imports imports = {.env_twice = twice};
    wasmx_options options = {.imports = &imports, .max_gc_bytes = 1 << 20};
    wasmx_error error;
    wasmx_instance *i = wasmx_instantiate(&boxes, &options, &error);
    if (!i) return fprintf(stderr, "%s\n", error.message), 1;
    void *box = NULL;
    int32_t n = 0;
    say(i, "box", boxes_box(i, 42, &box));
    wasmx_root *root = wasmx_root_new(i, (wasmx_value){.externref = box});
    for (int k = 0; k < 100000; k++)
        if (boxes_both(i, k, &n) || n != 2 * k) return say(i, "both", WASMX_TRAP_HOST), 1;
    say(i, "open", boxes_open(i, wasmx_root_get(root).externref, &n));
    printf("%d\n", n);
    say(i, "open nothing", boxes_open(i, NULL, &n));
    say(i, "open what is none", boxes_open(i, &n, &n));
    wasmx_root_free(root);
    wasmx_instance_free(i);
    return 0;
}
