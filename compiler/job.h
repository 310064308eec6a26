// compiler/job.h: one module on its way to code, and the compilation of a part of it.
#pragma once
#include "compiler/lines.h"
#include "base/clock.h"
#include "compiler/part.h"

typedef struct wx_job {
    wx_unit u;
    wx_module m;
    const wx_module *given; // or NULL: it is this one, decoded and validated, and belongs to someone else
    wx_buf binary;     // of a text module
    wasmx_output *out; // where phases are reported; may be NULL
    double started;    // the current phase
} wx_job;

// Reads, validates and prepares the module; u.lazy is set by who wants it before. The bytes must outlive the job. A
// zeroed job; wx_job_close ends it also when this fails.
bool wx_job_open(wx_job *j, const uint8_t *bytes, size_t size, const wasmx_compile_options *options, wx_error *e);
void wx_job_close(wx_job *j);
void wx_job_error(const wx_error *e, const wasmx_compile_options *options, wasmx_compile_error *err);

void wx_phase(wx_job *j, const char *name, double seconds, uint64_t bytes);
void wx_phase_since(wx_job *j, const char *name, uint64_t bytes);

typedef struct wx_part_result {
    double emit, optimise, codegen; // seconds
    uint32_t map_count;             // entries of its address map
    wx_part_lines lines;            // belongs to the caller
    bool cached;                    // it was compiled before (cache.h)
} wx_part_result;
typedef void wx_listing(void *arg, part *p, LLVMTargetMachineRef tm);

// The pass list: the functions of a plan to an object. listing, which may be NULL, sees the module before code is made.
bool wx_compile_part(const wx_unit *u, const wx_plan *plan, LLVMTargetMachineRef tm, wx_buf *object,
                     wx_part_result *result, wx_listing *listing, void *arg, wx_error *e);
