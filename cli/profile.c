// cli/profile.c: `wasmx-aot profile merge` and `wasmx-aot profile show`.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "compiler/compiler.h"

static int merge(const settings *s) {
    size_t count = s->words.count - 1, read = 0;
    const char *const *files = s->words.items + 1;
    wasmx_buffer *inputs = calloc(count, sizeof *inputs), sum = {0};
    wasmx_compile_error err;
    if (!inputs) abort();
    while (read < count && wx_input_read(files[read], &inputs[read], &err)) read++;
    bool ok = read == count && wx_profile_merge(inputs, files, count, &sum, &err);
    wx_out_file out = {s->output ? s->output : "-", sum, false};
    ok = ok && wx_outputs_write(&out, 1, &err);
    for (size_t i = 0; i < read; i++) wx_buffer_free(&inputs[i]);
    free(inputs);
    wx_buffer_free(&sum);
    return ok ? EXIT_FINE : fail("%s", err.line);
}

static int show(const settings *s) {
    wasmx_buffer input = {0}, text = {0};
    wasmx_compile_error err;
    unsigned long top = s->json ? 0 : 20;
    if (s->words.count > 2)
        return wrong_usage("profile", "show: one profile at a time, '%s' is too many", s->words.items[2]);
    if (!parse_number(s->top, 1000000000, &top)) return wrong_usage("profile", "--top: '%s' is not a number", s->top);
    wx_inspect_options options = {.file = s->words.items[1], .json = s->json, .top = top};
    bool ok = wx_input_read(options.file, &input, &err) && wx_profile_show(&input, &options, &text, &err);
    if (ok) fwrite(text.data, 1, text.size, stdout);
    wx_buffer_free(&input);
    wx_buffer_free(&text);
    return ok ? EXIT_FINE : fail("%s", err.line);
}

int cmd_profile(const settings *s) {
    const char *verb = s->words.items[0];
    bool is_merge = !strcmp(verb, "merge");
    if (!is_merge && strcmp(verb, "show")) return wrong_usage("profile", "'%s' is neither merge nor show", verb);
    if (s->words.count < 2) return wrong_usage("profile", "%s: no input file", verb);
    return is_merge ? merge(s) : show(s);
}
