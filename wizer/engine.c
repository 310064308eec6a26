// wizer/engine.c: from a module to code in this process: made function by function, as the initialiser calls them.
#include <stdlib.h>
#include <string.h>

#include "compiler/compiler.h"
#include "wizer/wizer.h"

struct wx_engine { wasmx_code *code; };

static void report(void *arg, size_t done, size_t total) {
    const wasmx_snapshot_options *o = ((wx_snapshot *)arg)->options;
    o->progress(o->progress_arg, "compile", done, total);
}

wx_engine *wx_engine_open(wx_snapshot *s) {
    wasmx_compile_error err;
    wasmx_compile_options options = {.file = s->options->file, .threads = s->options->threads,
                                     .interruptible = s->options->timeout_ns != 0,
                                     .tiers = (wasmx_tiers)s->options->tiers, .bytes_stay = true};
    if (s->options->progress) options.progress = report, options.progress_arg = s;
    wasmx_code *code = wx_code_of_module(&s->m, &options, &err);
    if (!code) {
        memcpy(s->err->line, err.line, sizeof err.line);
        return NULL;
    }
    wx_engine *e = wx_xmalloc(sizeof *e);
    e->code = code;
    return e;
}

const wasmx_module *wx_engine_module(const wx_engine *e) { return wasmx_code_module(e->code); }

void wx_engine_finish(wx_engine *e) { wasmx_code_finish(e->code); }

void wx_engine_close(wx_engine *e) {
    if (!e) return;
    wasmx_code_free(e->code);
    free(e);
}
