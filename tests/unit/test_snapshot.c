// tests/unit/test_snapshot.c: wasmx_snapshot as a library: host functions of the caller's, state that cannot be kept, misuse;
// and the runtime's functions for tools.
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/compile_code.h"
#include "tests/unit/gc_guest.h"
#include "wasmx_snapshot.h"

static wasmx_snapshot_result result;
static wasmx_snapshot_error error;

static bool take(const char *text, wasmx_snapshot_options o) {
    memset(&error, 'x', sizeof error);
    return wasmx_snapshot(text, strlen(text), &o, &result, &error);
}

static void expect_error(const char *text, wasmx_snapshot_options o, const char *line) {
    cr_expect_not(take(text, o), "%s", line);
    cr_expect_str_eq(error.line, line);
    cr_expect(!result.wasm.data && !result.block_count && !result.note_count);
}

static wasmx_instance *snapshot_instance(const wasmx_options *o) {
    return instance_of(module_of(result.wasm.data, result.wasm.size, '0'), o);
}

// ---- Host functions

static wasmx_status give(void *env, wasmx_instance *caller, const wasmx_value *args, wasmx_value *results) {
    cr_expect_str_eq(wasmx_host(caller), "host");
    results[0].i32 = args[0].i32 + ++*(int32_t *)env;
    return WASMX_OK;
}

static const char asking[] =
    "(module (import \"env\" \"give\" (func $give (param i32) (result i32))) (global $g (mut i32) (i32.const 0))"
    " (func (export \"wizer.initialize\") (global.set $g (call $give (i32.const 40))))"
    " (func (export \"get\") (param i32) (result i32) (global.get $g))"
    " (func (export \"give\") (param i32) (result i32) (call $give (local.get 0))))";

Test(snapshot, host_functions) {
    int32_t calls = 1;
    wasmx_linker *linker = wasmx_linker_new();
    cr_assert(wasmx_linker_define_callback(linker, "env", "give", "i:i", give, &calls));
    cr_assert(take(asking, (wasmx_snapshot_options){.linker = linker, .host = "host"}), "%s", error.line);
    cr_expect_eq(calls, 2);
    wasmx_instance *i = snapshot_instance(&(wasmx_options){.linker = linker, .host = "host"});
    cr_expect_eq(result_of(i, "get", 0), 42);
    cr_expect_eq(result_of(i, "give", 1), 4);
    wasmx_instance_free(i);
    wasmx_snapshot_free(&result);
    cr_expect_null(result.wasm.data);
    wasmx_linker_free(linker);
    expect_error(asking, (wasmx_snapshot_options){.file = "a"},
                 "a: wizer.initialize called an import that it may not: \"env\" \"give\"");
    cr_expect_str_eq(error.backtrace, "    at wizer.initialize (func 1)\n");
}

// ---- What cannot be kept

static wasmx_status give_pointer(void *env, wasmx_instance *caller, const wasmx_value *args, wasmx_value *results) {
    (void)caller, (void)args;
    results[0].externref = env;
    return WASMX_OK;
}

static void expect_refused(const char *text, const char *line) {
    wasmx_linker *linker = wasmx_linker_new();
    wasmx_instance *other = instance_of(module_of_text("(module (func (export \"f\")))", '0'), NULL);
    wasmx_linker_define_callback(linker, "env", "extern", ":e", give_pointer, linker);
    wasmx_linker_define_callback(linker, "env", "func", ":r", give_pointer, wasmx_export_func(other, "f"));
    expect_error(text, (wasmx_snapshot_options){.file = "a", .linker = linker}, line);
    wasmx_linker_free(linker);
    wasmx_instance_free(other);
}

Test(snapshot, references_of_the_host_are_refused_where_they_are) {
    expect_refused("(module (import \"env\" \"extern\" (func $x (result externref))) (table 4 externref)"
                   " (func (export \"wizer-initialize\") (table.set 0 (i32.const 3) (call $x))))",
                   "a: table 0[3] holds a reference of the host's (externref), which cannot be kept");
    expect_refused("(module (import \"env\" \"extern\" (func $x (result externref))) (global i32 (i32.const 1))"
                   " (global $g (mut externref) (ref.null extern))"
                   " (func (export \"wizer-initialize\") (global.set $g (call $x))))",
                   "a: global 1 holds a reference of the host's (externref), which cannot be kept");
    expect_refused("(module (import \"env\" \"func\" (func $x (result funcref))) (table 2 funcref) (table 2 funcref)"
                   " (func (export \"wizer-initialize\") (table.set 1 (i32.const 0) (call $x))))",
                   "a: table 1[0] holds a function of another module, which cannot be kept");
}

static void expect_guest_refused(const char *text, const char *line) {
    builder b = guest_module(text);
    cr_expect_not(wasmx_snapshot(b.module.data, b.module.len, &(wasmx_snapshot_options){.file = "a"}, &result, &error));
    cr_expect_str_eq(error.line, line);
    discard(&b);
}

Test(snapshot, objects_are_refused_where_they_are) {
    expect_guest_refused("type struct mut i32\ntable t any? 4\n"
                         "func wizer-initialize : : = i32.const 2 i32.const 5 struct.new 0 table.set 0 end\n",
                         "a: table 0[2] holds a reference to an object or an i31, which cannot be kept");
    expect_guest_refused("type struct mut i32\nglobal g mut #0? = ref.null 0 end\n"
                         "func wizer-initialize : : = i32.const 5 struct.new 0 global.set 0 end\n",
                         "a: global 0 holds a reference to an object or an i31, which cannot be kept");
    expect_guest_refused("type struct mut i32\nglobal g #0? = i32.const 1 struct.new 0 end\n" // it may have changed
                         "func wizer-initialize : : = end\n",
                         "a: global 0 holds a reference to an object or an i31, which cannot be kept");
    expect_guest_refused("type struct mut i32\nelem any? = i32.const 1 struct.new 0 end\n"
                         "func wizer-initialize : : = end\n",
                         "a: element segment 0 holds objects, which cannot be kept");
}

// What the initialiser made for itself is no part of the state, and what cannot change is made again.
Test(snapshot, objects_that_are_gone_or_constant_are_no_state) {
    builder b = guest_module("type struct mut i32\ntype struct i32\nglobal n mut i32 = i32.const 0 end\n"
                             "global c #1 = i32.const 40 struct.new 1 end\n"
                             "func wizer-initialize : : = i32.const 2 struct.new 0 struct.get 0 0 global.set 0 end\n"
                             "func get i32 : i32 : = global.get 0 global.get 1 struct.get 1 0 i32.add end\n");
    cr_assert(wasmx_snapshot(b.module.data, b.module.len, &(wasmx_snapshot_options){.file = "a"}, &result, &error), "%s",
              error.line);
    wasmx_instance *i = snapshot_instance(NULL);
    cr_expect_eq(result_of(i, "get", 0), 42);
    wasmx_instance_free(i);
    wasmx_snapshot_free(&result);
    discard(&b);
}

// A reference that is gone again is nobody's business.
Test(snapshot, references_in_passing) {
    wasmx_linker *linker = wasmx_linker_new();
    wasmx_linker_define_callback(linker, "env", "extern", ":e", give_pointer, linker);
    cr_expect(take("(module (import \"env\" \"extern\" (func $x (result externref))) (table $t 4 externref)"
                   " (func (export \"wizer-initialize\") (table.set $t (i32.const 3) (call $x))"
                   "  (table.set $t (i32.const 3) (ref.null extern))))",
                   (wasmx_snapshot_options){.linker = linker}), "%s", error.line);
    wasmx_snapshot_free(&result);
    wasmx_linker_free(linker);
}

// An import of the module's own, in its own table.
Test(snapshot, imported_functions_in_tables_are_kept) {
    int32_t calls = 0;
    wasmx_linker *linker = wasmx_linker_new();
    wasmx_linker_define_callback(linker, "env", "give", "i:i", give, &calls);
    cr_assert(take("(module (import \"env\" \"give\" (func $give (param i32) (result i32))) (table $t 2 funcref)"
                   " (type $f (func (param i32) (result i32))) (elem declare func $give)"
                   " (func (export \"wizer-initialize\") (table.set $t (i32.const 1) (ref.func $give)))"
                   " (func (export \"call\") (param i32) (result i32)"
                   "   (call_indirect $t (type $f) (local.get 0) (i32.const 1))))",
                   (wasmx_snapshot_options){.linker = linker}), "%s", error.line);
    wasmx_instance *i = snapshot_instance(&(wasmx_options){.linker = linker, .host = "host"});
    cr_expect_eq(result_of(i, "call", 20), 21);
    wasmx_instance_free(i);
    wasmx_snapshot_free(&result);
    wasmx_linker_free(linker);
}

// ---- Misuse

Test(snapshot, misuse) {
    static const wasmx_rename missing[] = {{"a", "b"}};
    expect_error("(module)", (wasmx_snapshot_options){.file = "a"},
                 "a: no function \"wizer-initialize\" or \"wizer.initialize\" is exported; --init-func names another");
    expect_error("(module)", (wasmx_snapshot_options){.init_func = "f"}, "module: no function \"f\" is exported");
    expect_error("(module)", (wasmx_snapshot_options){.init_func = "", .renames = missing, .rename_count = 1},
                 "module: cannot rename \"b\": no such function is exported");
    expect_error("(module (memory 1) (memory 1) (data (memory 0) (i32.const 0) \"a\") (data (memory 1) (i32.const 0) \"b\")"
                 " (export \"m\" (memory 0)) (export \"n\" (memory 1)))",
                 (wasmx_snapshot_options){.init_func = "", .max_segments = 1},
                 "module: 1 data segments are too few: at least 2 are needed");
    expect_error("(module (memory 1) (memory 1))",
                 (wasmx_snapshot_options){.init_func = "", .refuse = WASMX_WASM_MULTI_MEMORY},
                 "module: the module uses multi-memory, which is switched off");
    cr_expect_not(wasmx_snapshot("\0asm", 4, NULL, &result, &error));
}

// ---- Files

#define READER(body) \
    "(module (import \"wasi_snapshot_preview1\" \"path_open\" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32)" \
    " (result i32))) (import \"wasi_snapshot_preview1\" \"fd_close\" (func $close (param i32) (result i32)))" \
    " (memory (export \"memory\") 1) (data (i32.const 0) \"kept-open\")" \
    " (func (export \"wizer-initialize\") (if (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 9)" \
    "  (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 16)) (then unreachable)) " body "))"

Test(snapshot, files_left_open) {
    char dir[] = "/tmp/wasmx-snapshot-XXXXXX", path[64], want[400];
    cr_assert(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/kept-open", dir);
    close(open(path, O_CREAT | O_WRONLY, 0600));
    wasmx_preopen preopen = {.host = dir, .guest = "/"};
    wasmx_wasi_config wasi = {.preopens = &preopen, .preopen_count = 1, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1};
    snprintf(want, sizeof want, "a: the initialiser left a file open, which no instance would have: descriptor 4, %s", path);
    expect_error(READER(""), (wasmx_snapshot_options){.file = "a", .wasi = &wasi}, want);
    cr_expect(take(READER("(drop (call $close (i32.load (i32.const 16))))"), (wasmx_snapshot_options){.wasi = &wasi}), "%s",
              error.line);
    wasmx_snapshot_free(&result);
    unlink(path);
    rmdir(dir);
}

// ---- The runtime's part

Test(snapshot, state_of_an_instance) {
    wasmx_instance *i = instance_of(module_of_text(
        "(module (memory 2) (global (mut i64) (i64.const 9)) (table $t (export \"t\") 3 funcref) (data $d \"x\") (data $e \"y\")"
        " (elem (i32.const 1) $f $g) (elem $p func $f) (func $f) (func $g (export \"g\") (elem.drop $p) (data.drop $e)))", '0'),
        NULL);
    wasmx_value v;
    cr_expect_eq(wasmx_memory_size(wasmx_instance_memory(i, 0)), 131072);
    cr_expect_null(wasmx_instance_memory(i, 1));
    cr_expect_eq(wasmx_global_get(wasmx_instance_global(i, 0)).i64, 9);
    cr_expect_null(wasmx_instance_global(i, 1));
    cr_expect_null(wasmx_instance_table(i, 1));
    cr_assert(wasmx_table_get(wasmx_instance_table(i, 0), 2, &v));
    cr_expect_eq(wasmx_instance_func_index(i, v.funcref), 1);
    cr_expect_eq(wasmx_instance_func_index(i, export_of(i, "g")), 1);
    cr_expect_eq(wasmx_instance_func_index(i, (wasmx_func *)&v), UINT32_MAX);
    cr_expect(!wasmx_instance_data_dropped(i, 1) && !wasmx_instance_elem_dropped(i, 1));
    cr_assert_eq(wasmx_call(export_of(i, "g"), NULL, NULL), WASMX_OK);
    cr_expect(wasmx_instance_data_dropped(i, 1) && wasmx_instance_elem_dropped(i, 1));
    cr_expect(!wasmx_instance_data_dropped(i, 0) && !wasmx_instance_data_dropped(i, 7) && !wasmx_instance_elem_dropped(i, 7));
    wasmx_instance_free(i);
}

Test(snapshot, linkers_are_copied) {
    int32_t calls = 1;
    wasmx_linker *linker = wasmx_linker_new();
    wasmx_linker_define_callback(linker, "env", "give", "i:i", give, &calls);
    wasmx_linker *copy = wasmx_linker_copy(linker), *none = wasmx_linker_copy(NULL);
    wasmx_linker_free(linker);
    cr_expect(wasmx_linker_has(copy, "env", "give"));
    cr_expect_not(wasmx_linker_has(copy, "env", "take"));
    cr_expect_not(wasmx_linker_has(none, "env", "give"));
    wasmx_instance *i = instance_of(module_of_text(asking, '0'), &(wasmx_options){.linker = copy, .host = "host"});
    cr_expect_eq(result_of(i, "give", 5), 7);
    wasmx_instance_free(i);
    wasmx_linker_free(copy);
    wasmx_linker_free(none);
}

Test(snapshot, the_trap_of_a_start_function) {
    wasmx_trap trap = {.kind = WASMX_TRAP_EXIT};
    wasmx_error why;
    wasmx_options o = {.trap = &trap};
    cr_expect_null(wasmx_instantiate(module_of_text("(module (func $f unreachable) (start $f))", '0'), &o, &why));
    cr_expect_eq(trap.kind, WASMX_TRAP_UNREACHABLE);
    cr_expect_eq(trap.frame_count, 1);
    cr_expect_null(wasmx_instantiate(module_of_text("(module (import \"a\" \"b\" (func)))", '0'), &o, &why));
    cr_expect_eq(trap.kind, WASMX_OK);
}

// ---- Time

// The whole of it has one limit; a host function is not interrupted, what follows it is.
Test(snapshot, a_limit_on_time) {
    expect_error("(module (func (export \"wizer-initialize\") (loop $l (br $l))))",
                 (wasmx_snapshot_options){.file = "a", .timeout_ns = 20000000},
                 "a: the initialiser did not end within 0.02 seconds");
    cr_expect_str_eq(error.backtrace, "    at wizer-initialize (func 0)\n");
    expect_error("(module (func $f (loop $l (br $l))) (start $f) (func (export \"wizer-initialize\")))",
                 (wasmx_snapshot_options){.file = "a", .timeout_ns = 20000000},
                 "a: the initialiser did not end within 0.02 seconds");
    cr_assert(take("(module (func (export \"wizer-initialize\")))", (wasmx_snapshot_options){.timeout_ns = UINT64_MAX}));
    wasmx_snapshot_free(&result);
}

// ---- The threads that compile

// What was called before stays callable, what was not is interpreted, or traps where nothing is; twice is once.
static void check_finished(wasmx_tiers tiers, wasmx_status expected) {
    static const char text[] = "(module (func (export \"a\") (param i32) (result i32) (i32.const 7))"
                               " (func (export \"b\") (param i32) (result i32) (i32.const 8)))";
    wasmx_compile_error err;
    wasmx_error why;
    wasmx_compile_options options = {.threads = 1, .bytes_stay = true, .tiers = tiers};
    wasmx_code *code = wasmx_code_compile(text, strlen(text), &options, &err);
    cr_assert(code, "%s", err.line);
    wasmx_instance *i = wasmx_instantiate(wasmx_code_module(code), NULL, &why);
    cr_assert(i, "%s", why.message);
    cr_expect_eq(result_of(i, "a", 0), 7);
    wasmx_code_finish(code);
    wasmx_code_finish(code);
    cr_expect_eq(result_of(i, "a", 0), 7);
    cr_expect_eq(wasmx_call(wasmx_export_func(i, "b"), (wasmx_value[1]){0}, (wasmx_value[1]){0}), expected);
    wasmx_instance_free(i);
    wasmx_code_free(code);
}

Test(snapshot, code_that_is_finished) {
    check_finished(WASMX_TIERS_COMPILE, WASMX_TRAP_HOST);
    check_finished(WASMX_TIERS_MIXED, WASMX_OK);
}
