// tests/unit/test_compile_same.c: the object does not depend on threads or on the run.
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/compile_code.h"

#define ADD(buf, literal) wx_buf_add((buf), (literal), sizeof(literal) - 1)

// Over a megabyte of code: functions that load, store, branch, call each other directly and through a table.
static void put_function(builder *b, uint32_t index, uint32_t funcs, uint64_t *seed) {
    wx_buf body = {0};
    ADD(&body, "\x01\x02\x7f");
    for (int k = 0; k < 60; k++) {
        uint32_t r = next_random(seed);
        ADD(&body, "\x20\x00\x41"); // local0 + constant, loaded from memory, added to local1
        wx_buf_sleb(&body, (int32_t)(r >> 8) % 60000);
        ADD(&body, "\x6a\x41\xff\xff\x03\x71\x28\x02");
        wx_buf_uleb(&body, r & 255);
        ADD(&body, "\x20\x01\x6a\x21\x01");
        ADD(&body, "\x20\x01\x41\x03\x71\x04\x40\x41\x08\x20\x01\x36\x02\x00\x0b");
    }
    ADD(&body, "\x20\x01");
    if (index) { // calls go down only
        ADD(&body, "\x10");
        wx_buf_uleb(&body, next_random(seed) % index);
        ADD(&body, "\x41");
        wx_buf_sleb(&body, (int32_t)(next_random(seed) % funcs));
        ADD(&body, "\x11\x00\x00");
    }
    ADD(&body, "\x0b");
    put_body(b, &body);
    wx_buf_free(&body);
}

static builder large(uint32_t funcs) {
    builder b = build();
    uint64_t seed = 42;
    SECTION(&b, TYPE, "\x01\x60\x01\x7f\x01\x7f");
    begin(&b, FUNC);
    wx_buf_uleb(&b.section, funcs);
    for (uint32_t i = 0; i < funcs; i++) wx_buf_byte(&b.section, 0);
    end(&b);
    begin(&b, TABLE);
    ADD(&b.section, "\x01\x70\x00");
    wx_buf_uleb(&b.section, funcs);
    end(&b);
    SECTION(&b, MEMORY, "\x01\x00\x01");
    SECTION(&b, EXPORT, "\x01\x01" "f\x00\x07");
    begin(&b, ELEM);
    ADD(&b.section, "\x01\x00\x41\x00\x0b");
    wx_buf_uleb(&b.section, funcs);
    for (uint32_t i = 0; i < funcs; i++) wx_buf_uleb(&b.section, i);
    end(&b);
    begin(&b, CODE);
    wx_buf_uleb(&b.section, funcs);
    for (uint32_t i = 0; i < funcs; i++) put_function(&b, i, funcs, &seed);
    end(&b);
    return b;
}

static void expect_same(const builder *b, char level, unsigned threads, const wasmx_buffer *first) {
    wasmx_output out = compiled(b->module.data, b->module.len,
                                (wasmx_compile_options){.name = "t", .opt_level = level, .threads = threads});
    cr_expect_eq(out.object.size, first->size);
    cr_expect(!memcmp(out.object.data, first->data, first->size), "-O%c on %u threads differs", level, threads);
    wasmx_output_free(&out);
}

static void check_level(char level, uint32_t funcs) {
    builder b = large(funcs);
    wasmx_output first = compiled(b.module.data, b.module.len,
                                  (wasmx_compile_options){.name = "t", .opt_level = level, .threads = 1});
    static const unsigned threads[] = {1, 2, 5};
    for (int k = 0; k < 3; k++) expect_same(&b, level, threads[k], &first.object);
    wasmx_output_free(&first);
    discard(&b);
}

Test(compile_same, whatever_the_threads_at_O0) { check_level('0', 600); }

Test(compile_same, whatever_the_threads_at_O1_for_a_megabyte) {
    builder b = large(400);
    cr_assert_gt(b.module.len, 3 * (192 << 10)); // several partitions
    discard(&b);
    if (!getenv("WASMX_TEST_ALL") || !*getenv("WASMX_TEST_ALL")) cr_skip_test("minutes: WASMX_TEST_ALL=1");
    check_level('1', 700);
    check_level('2', 700);
}

// The temporary folder's name must not get into the object.
Test(compile_same, wherever_temporary_files_are) {
    builder b = large(200);
    char path[] = "/tmp/wasmx-elsewhere-XXXXXX";
    cr_assert_not_null(mkdtemp(path));
    wasmx_output first = compiled(b.module.data, b.module.len, (wasmx_compile_options){.name = "t", .opt_level = '0'});
    setenv("TMPDIR", path, 1);
    expect_same(&b, '0', 2, &first.object);
    wasmx_output_free(&first);
    rmdir(path); // works only when nothing was left in it
    cr_expect_neq(access(path, F_OK), 0);
    discard(&b);
}

// Progress counts up to the number of functions, from any thread.
typedef struct progress { size_t last, total, calls; } progress;

static void note(void *arg, size_t done, size_t total) {
    progress *p = arg;
    cr_assert_gt(done, p->last);
    p->last = done;
    p->total = total;
    p->calls++;
}

Test(compile_same, progress_reaches_its_end) {
    builder b = large(200);
    progress p = {0};
    wasmx_output out = compiled(b.module.data, b.module.len,
                                (wasmx_compile_options){.opt_level = '0', .progress = note, .progress_arg = &p});
    cr_expect(p.last == 200 && p.total == 200 && p.calls > 1);
    wasmx_output_free(&out);
    discard(&b);
}
