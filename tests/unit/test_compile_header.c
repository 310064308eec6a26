// tests/unit/test_compile_header.c: the C header of modules with every sort of name, read by C and C++ compilers.
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/compile_code.h"

static bool has(const char *text, const char *part) { return strstr(text, part) != NULL; }

// Text with a NUL at its end. Never freed.
static const char *header_with(const char *text, wasmx_compile_options options) {
    options.emit = WASMX_EMIT_OBJECT | WASMX_EMIT_HEADER;
    options.opt_level = '0';
    wasmx_output out = compiled_text(text, options);
    char *copy = calloc(1, out.header.size + 1);
    memcpy(copy, out.header.data, out.header.size);
    wasmx_output_free(&out);
    return copy;
}

static const char *header_of(const char *text) { return header_with(text, (wasmx_compile_options){.name = "t"}); }

static void write_text(const char *path, const char *text) {
    FILE *f = fopen(path, "w");
    cr_assert_not_null(f);
    fputs(text, f);
    fclose(f);
}

// C11 and C++17 accept it without a warning. Runs in the root of the tree, as all unit tests do.
static void expect_compiles(const char *header) {
    char path[] = "/tmp/wasmx-header-XXXXXX", command[256];
    cr_assert_not_null(mkdtemp(path));
    char file[64];
    snprintf(file, sizeof file, "%s/t.h", path);
    write_text(file, header);
    static const char *const compilers[] = {"cc -std=c11 -xc", "c++ -std=c++17 -xc++"};
    for (int k = 0; k < 2; k++) {
        snprintf(command, sizeof command,
                 "echo '#include \"%s\"' | %s -Wall -Wextra -Werror -pedantic -Iinclude -fsyntax-only -", file,
                 compilers[k]);
        cr_expect_eq(system(command), 0, "%s\n%s", command, header);
    }
    unlink(file);
    rmdir(path);
}

static const char odd_names[] =
    "(module (memory 1) (global $g (mut i32) (i32.const 1)) (table $t 1 funcref)"
    " (func $f (param i32) (result i32) (local.get 0))"
    " (export \"int\" (func $f)) (export \"class\" (func $f)) (export \"\" (func $f)) (export \"7\" (func $f))"
    " (export \"a-b\" (func $f)) (export \"a_b\" (func $f)) (export \"a.b\" (func $f)) (export \"a_b_2\" (func $f))"
    " (export \"h\\c3\\a9\" (func $f)) (export \"\\e6\\97\\a5\" (func $f)) (export \"*/ #error \\\\\\0a\" (func $f))"
    " (export \"imports\" (func $f)) (export \"instance\" (func $f)) (export \"free\" (func $f))"
    " (export \"mem\" (memory 0)) (export \"*/ \\0a#error\" (table $t))"
    " (export \"x\" (global $g)) (export \"x_get\" (func $f)) (export \"x_set\" (func $f)))";

Test(compile_header, odd_names_become_identifiers) {
    const char *h = header_of(odd_names);
    cr_expect(has(h, "wasmx_status t_int(wasmx_instance *instance, int32_t p0, int32_t *r0);"), "%s", h);
    cr_expect(has(h, " t_class("));
    cr_expect(has(h, " t__("));
    cr_expect(has(h, " t__7("));
    cr_expect(has(h, " t_a_b("));
    cr_expect(has(h, " t_a_b_2("));
    cr_expect(has(h, " t_h__("));
    cr_expect(has(h, " t____("));
    cr_expect(has(h, "wasmx_memory *t_mem(wasmx_instance *instance);"));
    cr_expect_not(has(h, "\n#error"), "%s", h);
    expect_compiles(h);
}

// Every name of the header is defined by the object, once: it links.
Test(compile_header, what_is_declared_is_defined) {
    wasmx_output out = compiled_text(odd_names, (wasmx_compile_options){.name = "t", .emit = WASMX_EMIT_OBJECT |
                                     WASMX_EMIT_HEADER});
    wasmx_compile_error err;
    char *at = calloc(1, out.header.size + 1), *line = memcpy(at, out.header.data, out.header.size);
    int seen = 0;
    for (line = strtok(at, "\n"); line; line = strtok(NULL, "\n")) {
        char *open = strstr(line, "(wasmx_instance *"), *name = open;
        if (!open || !strncmp(line, "//", 2) || strstr(line, "(*")) continue;
        *open = 0;
        while (name > line && name[-1] != ' ' && name[-1] != '*') name--;
        wasmx_code *code = wasmx_code_load(&out.object, name, &err);
        cr_expect_not_null(code, "%s: %s", name, err.line);
        seen++;
    }
    cr_expect_eq(seen, 19 - 1 + 1); // a table has no function, a mutable global two
    free(at);
    wasmx_output_free(&out);
}

static const char values[] =
    "(module (import \"env\" \"a\" (func (param i32 i64 f32 f64 v128 funcref externref) (result i32)))"
    " (import \"env\" \"b\" (func (result i32 f64)))"
    " (import \"env\" \"c\" (func (result v128)))"
    " (import \"env\" \"a\" (func (param externref)))"
    " (import \"e-nv\" \"\" (func (result externref)))"
    " (import \"wasi_snapshot_preview1\" \"proc_exit\" (func (param i32)))"
    " (func (export \"all\") (param i32 i64 f32 f64 v128 funcref externref)"
    "   (result externref funcref v128 f64 f32 i64 i32)"
    "   local.get 6 local.get 5 local.get 4 local.get 3 local.get 2 local.get 1 local.get 0)"
    " (func (export \"none\"))"
    " (global (export \"vector\") v128 (v128.const i32x4 0 0 0 0))"
    " (global (export \"constant\") f64 (f64.const 1)) (global (export \"ref\") (mut externref) (ref.null extern)))";

Test(compile_header, every_type) {
    const char *h = header_of(values);
    cr_expect(has(h, "wasmx_status t_all(wasmx_instance *instance, int32_t p0, int64_t p1, float p2, double p3, "
                     "const wasmx_v128 *p4, wasmx_func *p5, void *p6, void **r0, wasmx_func **r1, wasmx_v128 *r2, "
                     "double *r3, float *r4, int64_t *r5, int32_t *r6);"), "%s", h);
    cr_expect(has(h, "wasmx_status t_none(wasmx_instance *instance);"));
    cr_expect(has(h, "double t_constant_get(wasmx_instance *instance);") && !has(h, "t_constant_set"));
    cr_expect(has(h, "void *t_ref_get(") && has(h, "void t_ref_set(wasmx_instance *instance, void *value);"));
    cr_expect(has(h, "int32_t (*env_a)(wasmx_instance *instance, int32_t p0, int64_t p1, float p2, double p3, "
                     "const wasmx_v128 *p4, wasmx_func *p5, void *p6);"));
    cr_expect(has(h, "void (*env_b)(wasmx_instance *instance, wasmx_value *results);"));
    cr_expect(has(h, "void (*env_c)(wasmx_instance *instance, wasmx_value *results);"));
    cr_expect(has(h, "void (*env_a_2)(wasmx_instance *instance, void *p0);"));
    cr_expect(has(h, "void *(*e_nv__)(wasmx_instance *instance);"));
    cr_expect_not(has(h, "proc_exit"));
    expect_compiles(h);
}

Test(compile_header, linked_imports) {
    const char *h = header_with("(module (import \"env\" \"add\" (func $a (param i32 i32) (result i32)))"
                                " (import \"wasi_snapshot_preview1\" \"proc_exit\" (func (param i32)))"
                                " (func (export \"f\") (result i32) (call $a (i32.const 1) (i32.const 2))))",
                                (wasmx_compile_options){.name = "t", .link_imports = true});
    cr_expect(has(h, "\nint32_t env_add(wasmx_instance *instance, int32_t p0, int32_t p1);"), "%s", h);
    cr_expect_not(has(h, "t_imports") || has(h, "proc_exit"));
    expect_compiles(h);
}

// The object refers to the extern function itself.
Test(compile_header, linked_imports_are_symbols_of_the_object) {
    wasmx_output out = compiled_text("(module (import \"env\" \"hook\" (func $a)) (func (export \"f\") (call $a)))",
                                     (wasmx_compile_options){.name = "t", .link_imports = true});
    wasmx_compile_error err = {""};
    cr_expect_null(wasmx_code_load(&out.object, "t", &err)); // nothing defines it here
    cr_expect(has(err.line, "env_hook"), "%s", err.line);
    wasmx_output_free(&out);
}

Test(compile_header, names_of_files_become_names_of_modules) {
    static const char *const names[][2] = {{"a/b-c.wasm", "b_c"}, {"7up.wat", "_7up"}, {".wasm", "_"},
                                           {"int.wasm", "int_"}, {"main.wasm", "main_"}, {"a.b.c", "a"}};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        char want[64];
        snprintf(want, sizeof want, "extern const wasmx_module %s;", names[k][1]);
        const char *h = header_with("(module)", (wasmx_compile_options){.file = names[k][0]});
        cr_expect(has(h, want), "%s: %s", names[k][0], h);
        expect_compiles(h);
    }
}

// Thousands of names that all become one identifier cost no quadratic search.
Test(compile_header, names_that_collide_are_numbered_quickly) {
    size_t room = 400000;
    char *text = malloc(room), *p = text + sprintf(text, "(module (func $f)");
    for (int k = 0; k < 4900; k++)
        p += sprintf(p, "(export \"\\%02x\\%02x\\%02x\" (func $f))", 0x01 + k % 31, 0x01 + k / 31 % 31, 0x01 + k / 961);
    strcpy(p, ")");
    double before = seconds_now();
    const char *h = header_of(text);
    cr_expect_lt(seconds_now() - before, 20);
    cr_expect(has(h, " t____(") && has(h, " t_____4900("));
    free(text);
}

// ---- Symbols

// A name section gives two functions one name, and others names of our own symbols; each is still itself.
Test(compile_header, names_of_functions_may_be_any_and_equal) {
    static const char *const names[] = {"f1", "f1", "wx.thunk.0", "t.f1", "wx.func.4.f1", "", "a\0b", "\xc3\xa9", "wx.init"};
    enum { N = sizeof names / sizeof *names };
    builder b = build();
    SECTION(&b, TYPE, "\x01\x60\x00\x01\x7f");
    begin(&b, FUNC);
    wx_buf_uleb(&b.section, N);
    for (int i = 0; i < N; i++) wx_buf_byte(&b.section, 0);
    end(&b);
    begin(&b, EXPORT);
    wx_buf_uleb(&b.section, N);
    for (int i = 0; i < N; i++) {
        wx_buf_uleb(&b.section, 1);
        wx_buf_byte(&b.section, (uint8_t)('a' + i));
        wx_buf_byte(&b.section, 0);
        wx_buf_uleb(&b.section, (uint32_t)i);
    }
    end(&b);
    begin(&b, CODE);
    wx_buf_uleb(&b.section, N);
    for (int i = 0; i < N; i++) {
        wx_buf_add(&b.section, "\x04\x00\x41", 3);
        wx_buf_byte(&b.section, (uint8_t)i);
        wx_buf_byte(&b.section, 0x0b);
    }
    end(&b);
    wx_buf map = {0};
    wx_buf_uleb(&map, N);
    for (uint32_t i = 0; i < N; i++) {
        size_t len = i == 6 ? 3 : strlen(names[i]);
        wx_buf_uleb(&map, i);
        wx_buf_uleb(&map, len);
        wx_buf_add(&map, names[i], len);
    }
    begin(&b, CUSTOM);
    wx_buf_add(&b.section, "\4name\1", 6);
    wx_buf_uleb(&b.section, map.len);
    wx_buf_add(&b.section, map.data, map.len);
    end(&b);
    for (const char *level = "02"; *level; level++) {
        wasmx_instance *i = instance_of(module_of(b.module.data, b.module.len, *level), NULL);
        for (int k = 0; k < N; k++) cr_expect_eq(result_of(i, (char[]){(char)('a' + k), 0}, 0), k);
    }
    wx_buf_free(&map);
    discard(&b);
}
