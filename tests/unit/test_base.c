// tests/unit/test_base.c: arena, buffer, error, hash, map, pool.
#include <criterion/criterion.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/pool.h"

Test(arena, gives_zeroed_aligned_memory_of_any_size) {
    wx_arena a = {0};
    for (size_t size = 0; size < 5000; size += 37) {
        unsigned char *p = wx_arena_alloc(&a, size);
        cr_assert_eq((uintptr_t)p % 16, 0);
        for (size_t i = 0; i < size; i++) cr_assert_eq(p[i], 0);
        memset(p, 0xee, size);
    }
    memset(wx_arena_alloc(&a, 10u << 20), 1, 10u << 20);
    cr_assert_geq(a.total, 10u << 20);
    wx_arena_free(&a);
    cr_assert_eq(a.total, 0);
}

Test(arena, reset_keeps_one_block_and_zeroes_it_again) {
    wx_arena a = {0};
    for (int i = 0; i < 1000; i++) memset(wx_arena_alloc(&a, 100), 0xff, 100);
    size_t before = a.total;
    wx_arena_reset(&a);
    cr_assert_lt(a.total, before);
    unsigned char *p = wx_arena_alloc(&a, 100);
    for (int i = 0; i < 100; i++) cr_assert_eq(p[i], 0);
    wx_arena_free(&a);
}

Test(arena, copies_and_formats_strings) {
    wx_arena a = {0};
    cr_assert_str_eq(wx_arena_str(&a, "abcdef", 3), "abc");
    cr_assert_str_eq(wx_arena_printf(&a, "%d %s", 7, "seven"), "7 seven");
    cr_assert_eq(memcmp(wx_arena_dup(&a, "\0x\0", 3), "\0x\0", 3), 0);
    wx_arena_free(&a);
}

static void expect_leb(bool is_signed, int64_t value, const char *bytes, size_t len) {
    wx_buf b = {0};
    if (is_signed) wx_buf_sleb(&b, value);
    else wx_buf_uleb(&b, (uint64_t)value);
    cr_assert_eq(b.len, len);
    cr_assert_eq(memcmp(b.data, bytes, len), 0);
    wx_buf_free(&b);
}

Test(buf, writes_leb128_in_shortest_form) {
    expect_leb(false, 0, "\0", 1);
    expect_leb(false, 127, "\x7f", 1);
    expect_leb(false, 128, "\x80\x01", 2);
    expect_leb(false, 624485, "\xe5\x8e\x26", 3);
    expect_leb(false, -1, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10);
    expect_leb(true, 63, "\x3f", 1);
    expect_leb(true, 64, "\xc0\x00", 2);
    expect_leb(true, -64, "\x40", 1);
    expect_leb(true, -65, "\xbf\x7f", 2);
    expect_leb(true, INT64_MIN, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x7f", 10);
}

Test(buf, writes_fixed_numbers_and_json) {
    wx_buf b = {0};
    wx_buf_u32le(&b, 0x04030201);
    wx_buf_u64le(&b, 0x0c0b0a0908070605);
    cr_assert_eq(memcmp(b.data, "\1\2\3\4\5\6\7\x8\x9\xa\xb\xc", 12), 0);
    b.len = 0;
    wx_buf_json(&b, "a\"\\\n\x01", 5);
    wx_buf_byte(&b, 0);
    cr_assert_str_eq((char *)b.data, "\"a\\\"\\\\\\u000a\\u0001\"");
    wx_buf_free(&b);
}

Test(buf, writes_files_whole_and_reads_them_back) {
    char path[] = "/tmp/wasmx-test-XXXXXX";
    close(mkstemp(path));
    wx_error e = {0};
    cr_assert(wx_file_write(path, "hello", 5, &e));
    wx_buf b = {0};
    cr_assert(wx_file_read(&b, path, &e));
    cr_assert_eq(b.len, 5);
    cr_assert_eq(memcmp(b.data, "hello", 5), 0);
    unlink(path);
    cr_assert_not(wx_file_read(&b, path, &e));
    cr_assert_eq(e.code, WX_ERR_IO);
    wx_error e2 = {0};
    cr_assert_not(wx_file_write("/nonexistent/folder/file", "x", 1, &e2));
    cr_assert_eq(e2.code, WX_ERR_IO);
    wx_buf_free(&b);
}

Test(error, first_one_wins) {
    wx_error e = {0};
    cr_assert_not(wx_fail_at(&e, WX_ERR_INVALID, 0x1c4, "type mismatch: %d", 1));
    cr_assert_not(wx_fail(&e, WX_ERR_IO, "later"));
    cr_assert_eq(e.code, WX_ERR_INVALID);
    cr_assert_str_eq(e.msg, "type mismatch: 1");
}

Test(error, reads_as_one_line) {
    wx_error e = {0};
    char line[300];
    wx_fail_at(&e, WX_ERR_INVALID, 0x1c4, "type mismatch");
    cr_assert_str_eq(wx_error_line(&e, "f.wasm", line, sizeof line), "f.wasm:0x1c4: type mismatch");
    e.func = 12;
    cr_assert_str_eq(wx_error_line(&e, "f.wasm", line, sizeof line), "f.wasm:0x1c4 (func 12): type mismatch");
    snprintf(e.name, sizeof e.name, "main");
    cr_assert_str_eq(wx_error_line(&e, "f.wasm", line, sizeof line), "f.wasm:0x1c4 (func 12 \"main\"): type mismatch");
}

static void expect_digest(const char *text, const char *hex) {
    uint8_t digest[32];
    char out[65];
    wx_sha256(text, strlen(text), digest);
    for (int i = 0; i < 32; i++) snprintf(out + 2 * i, 3, "%02x", digest[i]);
    cr_assert_str_eq(out, hex);
}

Test(hash, sha256_of_the_standard_vectors) {
    expect_digest("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect_digest("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect_digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

Test(hash, map_finds_what_was_put) {
    wx_map m = {0};
    cr_assert_null(wx_map_get(&m, 1));
    for (uint64_t k = 1; k < 10000; k++) *wx_map_put(&m, k * 7919, NULL) = k;
    int added = 1;
    wx_map_put(&m, 7919, &added);
    cr_assert_eq(added, 0);
    for (uint64_t k = 1; k < 10000; k++) cr_assert_eq(*wx_map_get(&m, k * 7919), k);
    cr_assert_null(wx_map_get(&m, 5));
    cr_assert_eq(m.len, 9999);
    wx_map_clear(&m);
    cr_assert_null(wx_map_get(&m, 7919));
    wx_map_free(&m);
}

static atomic_int seen[1000];

static void count(void *arg, size_t i) {
    atomic_fetch_add(&seen[i], 1);
    atomic_fetch_add((atomic_int *)arg, 1);
}

Test(pool, every_job_runs_once) {
    for (unsigned threads = 0; threads < 9; threads += 4) {
        atomic_int total = 0;
        for (int i = 0; i < 1000; i++) atomic_store(&seen[i], 0);
        wx_parallel(threads, 1000, count, &total);
        cr_assert_eq(atomic_load(&total), 1000);
        for (int i = 0; i < 1000; i++) cr_assert_eq(atomic_load(&seen[i]), 1);
    }
    cr_assert_geq(wx_cpus(), 1);
}
