// tests/cli/load.c: says whether the module `add` can be instantiated. With an argument, the module is looked for in
// that shared object.
#include <dlfcn.h>
#include <stdio.h>

#include "wasmx.h"

#ifdef SHARED
#define call(library, function) ((__typeof__(&function))dlsym(library, #function))
int main(int argc, char **argv) {
    void *library = argc > 1 ? dlopen(argv[1], RTLD_NOW) : NULL;
    if (!library) return printf("%s\n", dlerror()), 1;
    const wasmx_module *module = dlsym(library, "add");
    wasmx_options options = {.trap_unknown_imports = true};
    wasmx_error error;
    wasmx_instance *instance = call(library, wasmx_instantiate)(module, &options, &error);
    wasmx_value values[2] = {{.i32 = 40}, {.i32 = 2}};
    if (!instance) return printf("%s\n", error.message), 1;
    if (call(library, wasmx_call)(call(library, wasmx_export_func)(instance, "add"), values, values)) return 1;
    printf("%d\n", (int)values[0].i32);
    call(library, wasmx_instance_free)(instance);
    return dlclose(library);
}
#else
extern const wasmx_module add;
int main(void) {
    wasmx_options options = {.trap_unknown_imports = true};
    wasmx_error error;
    wasmx_instance *instance = wasmx_instantiate(&add, &options, &error);
    printf("%s\n", instance ? "fine" : error.message);
    wasmx_instance_free(instance);
    return instance ? 0 : 1;
}
#endif
