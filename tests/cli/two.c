// tests/cli/two.c: two modules and two instances of one in a program; imports by table. C11 and C++17.
#include <stdio.h>
#include <string.h>

#include "add.h"
#include "mul.h"

static void add_log(wasmx_instance *instance, int32_t n) {
    printf("add logs %d for %s\n", (int)n, (const char *)wasmx_host(instance));
}

static void mul_log(wasmx_instance *instance, int32_t n) {
    (void)instance;
    printf("mul logs %d\n", (int)n);
}

static int32_t mul_times(wasmx_instance *instance, int32_t a, int32_t b) {
    (void)instance;
    return a * b;
}

static wasmx_instance *start(const wasmx_module *module, const void *imports, const char *host) {
    wasmx_options options;
    wasmx_error error;
    memset(&options, 0, sizeof options);
    options.imports = imports;
    options.host = (void *)host;
    wasmx_instance *instance = wasmx_instantiate(module, &options, &error);
    if (!instance) printf("%s\n", error.message);
    return instance;
}

static int32_t count(wasmx_instance *instance) {
    int32_t n = 0;
    return add_count(instance, &n) == WASMX_OK ? n : -1;
}

int main(void) {
    add_imports a;
    mul_imports m;
    a.env_log = add_log;
    m.env_log = mul_log;
    m.math_times = mul_times;
    wasmx_instance *one = start(&add, &a, "one"), *two = start(&add, &a, "two"), *three = start(&mul, &m, NULL);
    if (!one || !two || !three) return 1;
    int32_t sum = 0, product = 0, low = 0;
    int64_t high = 0;
    printf("%d %d %d\n", (int)count(one), (int)count(one), (int)count(two));
    add_counter_set(two, 100);
    printf("%d %d\n", (int)count(one), (int)count(two));
    if (add_add(one, 40, 2, &sum) || mul_mul(three, 6, 7, &product) || add_swap(two, 5, -6, &high, &low)) return 1;
    printf("%d %d %d %d, %d\n", (int)sum, (int)product, (int)high, (int)low, (int)mul_answer_get(three));
    if (add_hello(one) || add_hello(two)) return 1;
    ((char *)wasmx_memory_data(add_memory(one)))[0] = 'x';
    printf("%d %d\n", ((char *)wasmx_memory_data(add_memory(one)))[0], ((char *)wasmx_memory_data(add_memory(two)))[0]);
    wasmx_status status = add_div(one, 1, 0, &sum);
    const wasmx_trap *trap = wasmx_last_trap(one);
    printf("%s in", wasmx_status_message(status));
    for (uint32_t i = 0; i < trap->frame_count; i++) printf(" %s", trap->frames[i].name ? trap->frames[i].name : "?");
    printf(", and after it %d\n", (int)count(one));
    wasmx_instance_free(one);
    wasmx_instance_free(two);
    wasmx_instance_free(three);
    return 0;
}
