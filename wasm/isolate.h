// wasm/isolate.h: runs code that may abort, in a process of its own.
#pragma once
#include "base/buf.h"
#include "base/error.h"

typedef void wx_isolated_job(void *arg, wx_buf *out, wx_error *e);

// Runs job(arg, &out, &e) in a child process with at most cpu_seconds of processor time; *out is replaced by what it
// made. False with *e set when the job said so, or when it ended in any other way (then the error is WX_ERR_TEXT).
bool wx_isolated(wx_isolated_job *job, void *arg, unsigned cpu_seconds, wx_buf *out, wx_error *e);
