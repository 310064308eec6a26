// cli/main.c: wasmx-aot: a table of commands.
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

const char program_name[] = "wasmx-aot";

static const command commands[] = {
    {"build", "[OPTION...] IN", "compile a module to native code",
     "IN is a .wasm or .wat file, or - for standard input. With one kind in --emit OUT is the file; with several,\n"
     "OUT's stem gets each kind's extension. Without -o the files are named after IN, in the current directory.\n",
     BUILD, false, false, cmd_build},
    {"run", "[OPTION...] IN [ARG...]", "compile in memory and run a WASI program",
     "The exit status is the program's; after a trap it is 134. With --invoke the results are printed, one a line.\n",
     RUN, true, false, cmd_run},
    {"validate", "[OPTION...] IN...", "say whether modules are valid", "Prints nothing for those that are.\n",
     VALIDATE, false, false, cmd_validate},
    {"inspect", "[OPTION...] IN", "show what is in a module, or in what was built from one",
     "IN is a .wasm or .wat file, an object, archive, shared object or executable.\n",
     INSPECT, false, false, cmd_inspect},
    {"profile", "merge|show [OPTION...] IN...", "add up profiles, or show what is in one",
     "Profiles are written by what was built with --profile-generate; build takes one with --profile-use.\n",
     PROFILE, false, false, cmd_profile},
};
enum { COMMANDS = sizeof commands / sizeof *commands };

static int print_help(void) {
    puts("Usage: wasmx-aot COMMAND [OPTION...] ...\n\nWebAssembly modules to native code, ahead of time.\n\nCommands:");
    for (int i = 0; i < COMMANDS; i++) printf("  %-10s %s\n", commands[i].name, commands[i].summary);
    puts("\n'wasmx-aot COMMAND --help' tells more; so does 'man wasmx-aot'.");
    return EXIT_FINE;
}

static int unknown_command(const char *word) {
    const char *near = closest(word, "build|run|validate|inspect|profile");
    int len = near ? (int)strcspn(near, "|") : 0;
    if (near) return wrong_usage(NULL, "unknown command '%s'; did you mean '%.*s'?", word, len, near);
    return wrong_usage(NULL, "unknown command '%s'", word);
}

int main(int argc, char **argv) {
    if (argc < 2) return wrong_usage(NULL, "no command");
    const char *word = argv[1];
    if (!strcmp(word, "--help") || !strcmp(word, "-h") || !strcmp(word, "help")) return finish_output(print_help());
    if (!strcmp(word, "--version")) return finish_output(print_version());
    for (int i = 0; i < COMMANDS; i++)
        if (!strcmp(word, commands[i].name)) return finish_output(run_command(&commands[i], argc - 2, argv + 2));
    return unknown_command(word);
}
