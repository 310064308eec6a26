// bench/command.c: what `wasmx-aot build --emit=exe` links to an object, so that a program is compiled once: main() of the module `prog`.
#include "wasmx_wasi.h"

extern const wasmx_module prog;

int main(int argc, char **argv) {
    (void)argc;
    return wasmx_wasi_command(&prog, argv, "", 0);
}
