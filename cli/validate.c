// cli/validate.c: `wasmx-aot validate`.
#include "cli/cli.h"
#include "compiler/compiler.h"

static bool validate(const char *path, unsigned threads) {
    wasmx_buffer input = {0};
    wasmx_compile_error err;
    bool ok = wx_input_read(path, &input, &err) && wx_input_check(&input, path, threads, &err);
    wx_buffer_free(&input);
    if (!ok) fail("%s", err.line);
    return ok;
}

int cmd_validate(const settings *s) {
    wasmx_compile_options options;
    bool ok = true;
    if (!compile_options("validate", s, &options)) return EXIT_USAGE;
    for (size_t i = 0; i < s->words.count; i++) ok = validate(s->words.items[i], options.threads) && ok;
    return ok ? EXIT_FINE : EXIT_FAILED;
}
