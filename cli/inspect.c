// cli/inspect.c: `wasmx-aot inspect`.
#include <stdio.h>

#include "cli/cli.h"
#include "compiler/compiler.h"

int cmd_inspect(const settings *s) {
    wasmx_buffer input = {0}, text = {0};
    wasmx_compile_error err;
    unsigned long top = s->json ? 0 : 20;
    if (s->words.count > 1) return wrong_usage("inspect", "one input at a time, '%s' is too many", s->words.items[1]);
    if (!parse_number(s->top, 1000000000, &top)) return wrong_usage("inspect", "--top: '%s' is not a number", s->top);
    const char *path = s->words.items[0];
    wx_inspect_options options = {.file = path, .json = s->json, .top = top};
    bool ok = wx_input_read(path, &input, &err) && wx_inspect(&input, &options, &text, &err);
    if (ok) fwrite(text.data, 1, text.size, stdout);
    wx_buffer_free(&input);
    wx_buffer_free(&text);
    return ok ? EXIT_FINE : fail("%s", err.line);
}
