// tests/unit/test_compile_options.c: what each option does to the object, what is refused and how it is said.
#include <stdlib.h>
#include <unistd.h>

#include "compiler/compiler.h"
#include "compiler/tool.h"
#include "compiler/unit.h"
#include "runtime/abi.h"
#include "tests/unit/compile_code.h"

static const char small[] = "(module (memory (export \"m\") 1) (global $g (mut i32) (i32.const 5))"
                            " (func $get (export \"get\") (param i32) (result i32)"
                            "   (global.set $g (i32.add (global.get $g) (local.get 0)))"
                            "   (i32.add (global.get $g) (i32.load (local.get 0)))))";

static bool has(const char *text, const char *part) { return strstr(text, part) != NULL; }

// The descriptor of `small`. Never freed.
static const wasmx_module *with(wasmx_compile_options options) {
    wasmx_output out = compiled_text(small, options);
    const wasmx_module *m = wasmx_code_module(loaded(&out, options.name ? options.name : "module"));
    wasmx_output_free(&out);
    return m;
}

// ---- Codes

Test(compile_options, an_option_that_does_not_exist_is_a_usage_error) {
    static const wasmx_compile_options wrong[] = {{.target = "sparc"}, {.cpu = "x86-64-v9"}, {.features = "avx2"},
                                                  {.target = "aarch64-linux-gnu", .cpu = "x86-64-v2"}};
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
        wx_unit u = {.options = &wrong[k]};
        wx_error e = {0};
        cr_expect_not(wx_choose_target(&u, &e));
        cr_expect_eq(e.code, WX_ERR_USAGE, "%s", e.msg);
        wx_arena_free(&u.arena);
    }
}

static wx_error facts_of(const char *text) {
    wx_buf binary = {0};
    wx_module m = {0};
    wx_error e = {0};
    cr_assert(wx_text_to_binary("test", text, strlen(text), &binary, &e), "%s", e.msg);
    cr_assert(wx_module_decode(&m, binary.data, binary.len, &e) && wx_module_validate(&m, 1, &e), "%s", e.msg);
    wasmx_compile_options none = {0};
    wx_unit u = {.m = &m, .options = &none};
    wx_find_facts(&u, &e);
    wx_arena_free(&u.arena);
    wx_module_free(&m);
    wx_buf_free(&binary);
    return e;
}

Test(compile_options, what_is_not_compiled_is_an_unsupported_error) {
    cr_expect_eq(facts_of("(module (tag $t) (func (export \"f\") (throw $t)))").code, WX_ERR_UNSUPPORTED);
    cr_expect_eq(facts_of("(module (tag $t (export \"t\")))").code, WX_OK); // nobody throws it
    cr_expect_eq(facts_of(small).code, WX_OK);
}

Test(compile_options, invalid_modules_are_invalid) {
    wx_error e = {0};
    wx_buf binary = {0};
    wx_module m = {0};
    const char text[] = "(module (func (result i32) (f32.const 1)))";
    cr_assert(wx_text_to_binary("test", text, sizeof text - 1, &binary, &e));
    cr_assert(wx_module_decode(&m, binary.data, binary.len, &e));
    cr_assert_not(wx_module_validate(&m, 1, &e));
    cr_expect_eq(e.code, WX_ERR_INVALID);
    wx_module_free(&m);
    wx_buf_free(&binary);
}

Test(compile_options, tools_that_fail_are_backend_errors) {
    wx_workdir w = {0};
    wx_error e = {0};
    cr_assert(wx_workdir_open(&w, &e), "%s", e.msg);
    cr_expect(wx_tool_run(&w, (const char *const[]){"true", NULL}, &e));
    cr_expect_not(wx_tool_run(&w, (const char *const[]){"false", NULL}, &e));
    cr_expect_eq(e.code, WX_ERR_BACKEND);
    e = (wx_error){0};
    cr_expect_not(wx_tool_run(&w, (const char *const[]){"wasmx-no-such-tool", NULL}, &e));
    cr_expect_eq(e.code, WX_ERR_BACKEND);
    wx_workdir_close(&w);
    wx_buf garbage = {0}, out = {0};
    wx_buf_str(&garbage, "no ELF file at all");
    wx_unit u = {0};
    e = (wx_error){0};
    wx_lines no_lines = {0};
    cr_expect_not(wx_merge_objects(&u, &garbage, 1, &no_lines, &out, &e));
    cr_expect_eq(e.code, WX_ERR_BACKEND);
    wx_buf_free(&garbage);
    wx_buf_free(&out);
}

Test(compile_options, without_a_place_for_temporary_files) {
    wx_workdir w = {0};
    wx_error e = {0};
    setenv("TMPDIR", "/nonexistent", 1);
    cr_expect_not(wx_workdir_open(&w, &e));
    cr_expect_eq(e.code, WX_ERR_IO);
}

// ---- Messages

Test(compile_options, what_is_refused_is_named) {
    typedef wasmx_compile_options o;
    cr_expect_str_eq(refused_text(small, (o){.opt_level = '4'}), "no optimisation level '4'; 0, 1, 2, 3 or s");
    cr_expect_str_eq(refused_text(small, (o){.opt_level = 'z'}), "no optimisation level 'z'; 0, 1, 2, 3 or s");
    cr_expect_str_eq(refused_text(small, (o){.name = "a-b"}), "'a-b' is not a C identifier");
    cr_expect_str_eq(refused_text(small, (o){.name = "2"}), "'2' is not a C identifier");
    cr_expect_str_eq(refused_text(small, (o){.name = ""}), "'' is not a C identifier");
    cr_expect_str_eq(refused_text(small, (o){.name = "\xc3\xa9"}), "'\xc3\xa9' is not a C identifier");
    cr_expect_str_eq(refused_text(small, (o){.target = "riscv64"}),
                     "--target: unknown target 'riscv64'; x86_64-linux-gnu or aarch64-linux-gnu");
    cr_expect(has(refused_text(small, (o){.target = "x86_64-linux-gnu", .cpu = "pdp11"}), "unknown CPU 'pdp11'"));
    cr_expect(has(refused_text(small, (o){.target = "aarch64-linux-gnu", .cpu = "pdp11"}), "unknown CPU 'pdp11'"));
    cr_expect(has(refused_text(small, (o){.features = "avx2"}), "--features: 'avx2' wants + or -"));
    cr_expect(has(refused_text(small, (o){.features = "+prefer-256-bit"}), "unknown feature 'prefer-256-bit'"));
    cr_expect(has(refused_text(small, (o){.features = "+"}), "--features: '+' wants + or -"));
    cr_expect(has(refused_text(small, (o){.features = "+avx2,,"}), "--features: ''"));
}

Test(compile_options, a_c_keyword_names_no_module) {
    cr_expect_str_eq(refused_text(small, (wasmx_compile_options){.name = "int"}), "'int' is a word of C or C++");
    cr_expect_str_eq(refused_text(small, (wasmx_compile_options){.name = "namespace"}),
                     "'namespace' is a word of C or C++");
    cr_expect_str_eq(refused_text(small, (wasmx_compile_options){.name = "main"}), "'main' is a word of C or C++");
    wasmx_output out = compiled_text(small, (wasmx_compile_options){.file = "dir/int.wasm"});
    cr_expect_str_eq(wasmx_module_name(wasmx_code_module(loaded(&out, "int_"))), "int_");
    wasmx_output_free(&out);
}

Test(compile_options, malformed_input_names_the_file) {
    static const struct { const char *bytes; size_t size; const char *line; } cases[] = {
        {"", 0, "dir/a.wasm:0x0: unexpected end"},
        {"\0", 1, "dir/a.wasm:0x0: "},
        {"\0asm", 4, "dir/a.wasm:0x0: unexpected end"},
        {"\0asm\2\0\0\0", 8, "dir/a.wasm:0x0: unknown binary version"},
        {"\0ASM\1\0\0\0", 8, "dir/a.wasm:0x0: magic header not detected"},
        {"\0asm\1\0\0\0\1\xff\xff\xff\xff\x0f", 14, "dir/a.wasm:0x"}, // a section of 4 GiB
        {"(module", 7, "dir/a.wasm: unexpected end of file"},
        {"\xff\xfe", 2, "dir/a.wasm: "},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        const char *line = refused(cases[k].bytes, cases[k].size, (wasmx_compile_options){.file = "dir/a.wasm"});
        cr_expect(starts_with(line, cases[k].line), "%zu: %s", k, line);
    }
    const char *line = refused_text("(module (func $f (export \"main\") (result i32) (f64.const 0)))",
                                    (wasmx_compile_options){.file = "a.wat"});
    cr_expect(starts_with(line, "a.wat:0x") && has(line, " (func 0 \"f\"): type mismatch"), "%s", line);
    line = refused("\0asm\1\0\0\0\2\6\1\2a\0b\4\0", 16, (wasmx_compile_options){.file = "a"});
    cr_expect(starts_with(line, "a:0x"), "%s", line);
}

// ---- Features that are not compiled

static void expect_unsupported(const char *text, const char *feature, const char *where) {
    const char *line = refused_text(text, (wasmx_compile_options){.file = "a.wat"});
    cr_expect(has(line, feature) && has(line, "is not compiled yet"), "%s: %s", feature, line);
    cr_expect(has(line, where), "%s: %s", feature, line);
}

#define IN_F(code) "(module (func) (func $f (export \"f\") " code ") (func))"

Test(compile_options, unsupported_features_are_named_with_the_function) {
    expect_unsupported("(module (tag $t) (func $f (export \"f\") (throw $t)))", "exception-handling", "throw");
    expect_unsupported(IN_F("(try (do) (catch_all))"), "legacy-exceptions", "(func 1 \"f\")");
    expect_unsupported(IN_F("(drop (i32x4.relaxed_trunc_f32x4_s (v128.const i32x4 0 0 0 0)))"), "relaxed-simd",
                       "(func 1 \"f\")");
}

Test(compile_options, dead_functions_may_use_what_is_not_compiled) {
    wasmx_output out = compiled_text("(module (func $dead (try (do) (catch_all))) (func (export \"f\")))",
                                     (wasmx_compile_options){.opt_level = '0'});
    wasmx_output_free(&out);
}

// ---- What the descriptor says

static bool lists(const wasmx_module *m, const char *feature) {
    size_t len = strlen(feature);
    for (const char *at = m->cpu_features; *at;) {
        size_t n = strcspn(at, ",");
        if (n == len && !memcmp(at, feature, n)) return true;
        at += n + (at[n] == ',');
    }
    return false;
}

#ifdef __x86_64__
Test(compile_options, features_are_recorded) {
    typedef wasmx_compile_options o;
    const char *target = "x86_64-linux-gnu";
    const wasmx_module *m = with((o){.target = target});
    cr_expect(lists(m, "sse4.2") && lists(m, "popcnt") && !lists(m, "avx2"));
    m = with((o){.target = target, .cpu = "x86-64-v3"});
    cr_expect(lists(m, "avx2") && lists(m, "bmi2") && lists(m, "sse4.2"));
    m = with((o){.target = target, .cpu = "x86-64"});
    cr_expect(!lists(m, "sse4.2") && !lists(m, "avx2"));
    m = with((o){.target = target, .features = "+avx,+avx2"});
    cr_expect(lists(m, "avx2") && lists(m, "sse4.2"));
    m = with((o){.target = target, .cpu = "x86-64-v3", .features = "-avx2,-bmi"});
    cr_expect(!lists(m, "avx2") && !lists(m, "bmi") && lists(m, "bmi2"));
    m = with((o){.target = target, .cpu = "skylake"});
    cr_expect(lists(m, "avx2"));
    m = with((o){.target = target, .cpu = "x86-64-v4"});
    cr_expect(lists(m, "avx512f"));
    m = with((o){.target = target, .cpu = "znver4"}); // has it, and does better without
    cr_expect(lists(m, "avx2") && !lists(m, "avx512f") && !lists(m, "avx512vl"));
    m = with((o){.target = target, .cpu = "znver4", .features = "+avx512f"});
    cr_expect(lists(m, "avx512f") && !lists(m, "avx512vl"));
    m = with((o){.target = target, .cpu = "skylake-avx512"}); // preferences are nothing that a CPU has
    cr_expect(lists(m, "avx512f") && !lists(m, "prefer-no-gather") && !lists(m, "prefer-256-bit"));
    cr_expect_str_eq(m->target, "x86_64");
    cr_expect_eq(result_of(instance_of(with((o){.target = target, .cpu = "native"}), NULL), "get", 3), 8);
}
#endif

Test(compile_options, the_module_describes_itself) {
    const wasmx_module *m = with((wasmx_compile_options){.file = "some/dir/my-file.v2.wasm", .name = "my_file"});
    cr_expect_eq(m->abi_hash, wxrt_abi_hash());
    cr_expect_str_eq(m->name, "my_file");
    cr_expect(starts_with(m->producer, "wasmx "));
    cr_expect_not(m->explicit_bounds);
    cr_expect_eq(m->export_count, 2);
    m = with((wasmx_compile_options){.bounds = WASMX_BOUNDS_EXPLICIT});
    cr_expect(m->explicit_bounds);
    uint8_t sum[32];
    builder b = build();
    wx_sha256(b.module.data, b.module.len, sum);
    wasmx_output out = compiled(b.module.data, b.module.len, (wasmx_compile_options){.name = "empty"});
    cr_expect_eq(memcmp(wasmx_code_module(loaded(&out, "empty"))->sha256, sum, 32), 0);
    wasmx_output_free(&out);
    discard(&b);
}

Test(compile_options, every_level_and_mode_computes_the_same) {
    for (const char *level = "0123s"; *level; level++)
        for (int mode = 0; mode < 4; mode++) {
            wasmx_instance *i = instance_of(with((wasmx_compile_options){.opt_level = *level,
                .bounds = mode & 1 ? WASMX_BOUNDS_EXPLICIT : WASMX_BOUNDS_GUARD,
                .traps = mode & 2 ? WASMX_TRAPS_PRECISE : WASMX_TRAPS_DEFAULT}), NULL);
            cr_expect_eq(result_of(i, "get", 7), 12);
            cr_expect_eq(status_of(i, "get", 65533, NULL), WASMX_TRAP_MEMORY_OUT_OF_BOUNDS);
            wasmx_instance_free(i);
        }
}

Test(compile_options, both_targets_from_any_host) {
    static const struct { const char *target; uint8_t machine; } targets[] = {{"x86_64-linux-gnu", 62},
                                                                              {"aarch64-linux-gnu", 183}};
    for (int k = 0; k < 2; k++) {
        wasmx_output out = compiled_text(small, (wasmx_compile_options){.target = targets[k].target});
        cr_assert_gt(out.object.size, 64);
        cr_expect_eq(memcmp(out.object.data, "\x7f" "ELF\2\1", 6), 0);
        cr_expect_eq(out.object.data[18], targets[k].machine);
        wasmx_output_free(&out);
    }
}

// ---- Outputs and phases

Test(compile_options, each_output_when_it_is_asked_for) {
    wasmx_output out = compiled_text(small, (wasmx_compile_options){.name = "t"});
    cr_expect(out.object.size && !out.header.data && !out.assembly.data && !out.llvm_ir.data && !out.bitcode.data);
    wasmx_output_free(&out);
    cr_expect(!out.object.data && !out.phase_count);
    wasmx_output_free(&out);
    out = compiled_text(small, (wasmx_compile_options){.name = "t", .emit = 31});
    cr_expect(out.object.size && out.header.size && out.assembly.size && out.llvm_ir.size && out.bitcode.size);
    cr_expect_eq(memcmp(out.bitcode.data, "BC\xc0\xde", 4), 0);
    wasmx_output_free(&out);
}

Test(compile_options, phases_are_timed) {
    wasmx_output out = compiled_text(small, (wasmx_compile_options){0});
    static const char *const wanted[] = {"decode", "validate", "facts", "compile", "merge"};
    for (int k = 0; k < 5; k++) {
        unsigned found = 0;
        for (unsigned n = 0; n < out.phase_count; n++) found += !strcmp(out.phases[n].name, wanted[k]);
        cr_expect_eq(found, 1, "%s", wanted[k]);
    }
    cr_assert_leq(out.phase_count, WASMX_MAX_PHASES);
    for (unsigned n = 0; n < out.phase_count; n++) cr_expect(out.phases[n].seconds >= 0 && out.phases[n].seconds < 60);
    cr_expect_eq(out.phases[out.phase_count - 1].bytes, out.object.size);
    wasmx_output_free(&out);
}

Test(compile_options, code_that_cannot_be_loaded) {
    wasmx_compile_error err = {""};
    wasmx_buffer garbage = {(uint8_t *)"garbage", 7};
    cr_expect_null(wasmx_code_load(&garbage, "t", &err));
    cr_expect(starts_with(err.line, "cannot load code: "), "%s", err.line);
    wasmx_output out = compiled_text(small, (wasmx_compile_options){.name = "t"});
    err.line[0] = 0;
    cr_expect_null(wasmx_code_load(&out.object, "another", &err));
    cr_expect(has(err.line, "another"), "%s", err.line);
    wasmx_output_free(&out);
    wasmx_code_free(NULL);
}
