// tests/cli/linked.c: imports that the system's linker binds (--imports=link).
#include <stdio.h>

#include "mul.h"

void env_log(wasmx_instance *instance, int32_t n) {
    (void)instance;
    printf("linked log %d\n", (int)n);
}

int32_t math_times(wasmx_instance *instance, int32_t a, int32_t b) {
    (void)instance;
    return a * b;
}

int main(void) {
    wasmx_error error;
    wasmx_instance *instance = wasmx_instantiate(&mul, NULL, &error);
    int32_t product = 0;
    if (!instance) return printf("%s\n", error.message), 1;
    if (mul_mul(instance, 6, 7, &product)) return 1;
    printf("%d\n", (int)product);
    wasmx_instance_free(instance);
    return 0;
}
