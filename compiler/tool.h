// compiler/tool.h: the system's own tools, and the folder their files live in meanwhile.
#pragma once
#include <signal.h>

#include "base/arena.h"
#include "base/error.h"

typedef struct wx_workdir {
    char path[256];
    wx_arena names;
    sigset_t before; // signals that end the process wait until the folder is gone
} wx_workdir;

// Makes an empty folder in $TMPDIR. wx_workdir_close removes it with every file in it.
bool wx_workdir_open(wx_workdir *w, wx_error *e);
void wx_workdir_close(wx_workdir *w);
// The path of a file in it; lives as long as the folder.
const char *wx_workdir_file(wx_workdir *w, const char *name);
// Runs a program found on the PATH, with nothing on its standard output. False when it cannot be started or does not
// end with status 0; the message then holds the first line it wrote.
bool wx_tool_run(wx_workdir *w, const char *const *argv, wx_error *e);
// The folder lib/ beside the bin/ this program is in, or $WASMX_LIBDIR.
const char *wx_library_folder(wx_arena *names);
