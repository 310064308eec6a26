// cli/snapshot_main.c: wasmx-snapshot: one command, under its own name.
#include "cli/cli.h"

const char program_name[] = "wasmx-snapshot";

int main(int argc, char **argv) {
    static const command snapshot = {
        NULL, "[OPTION...] [IN]", "run a module's initialiser, and write a module that starts from there",
        "IN is a .wasm or .wat file; - or nothing: standard input. The options are Wizer's, and some more.\n",
        SNAPSHOT, false, true, cmd_snapshot};
    return finish_output(run_command(&snapshot, argc - 1, argv + 1));
}
