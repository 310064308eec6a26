// tests/unit/test_compile_profile.c: counting, writing, merging, and compiling by what was counted.
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "compiler/compiler.h"
#include "tests/unit/compile_code.h"

// An interpreter whose program is mostly case 1; an indirect call that is mostly $often; an if that is mostly taken.
static const char program[] =
    "(module"
    "  (type $op (func (param i32) (result i32)))"
    "  (table $fixed 4 funcref) (elem (table $fixed) (i32.const 0) func $often $seldom $other_type)"
    "  (table $open (export \"open\") 5 funcref)"
    "  (elem (table $open) (i32.const 0) func $seldom $often $other_type)"
    "  (func $often (param i32) (result i32) (i32.add (local.get 0) (i32.const 3)))"
    "  (func $seldom (param i32) (result i32) (i32.mul (local.get 0) (i32.const 5)))"
    "  (func $other_type (param i64))"
    "  (func $never (export \"never\") (param i32) (result i32)"
    "    (if (result i32) (local.get 0) (then (call $never (local.get 0))) (else (i32.const 9))))"
    "  (func $spin (export \"spin\") (loop $l (br $l)))"
    "  (func $fixed (export \"fixed\") (param i32 i32) (result i32)"
    "    (call_indirect $fixed (type $op) (local.get 1) (local.get 0)))"
    "  (func $opened (export \"opened\") (param i32 i32) (result i32)"
    "    (call_indirect $open (type $op) (local.get 1) (local.get 0)))"
    "  (func $tail (export \"tail\") (param i32 i32) (result i32)"
    "    (return_call_indirect $open (type $op) (local.get 1) (local.get 0)))"
    "  (func $step (param $op i32) (param $x i32) (result i32)"
    "    (block $d (block $c (block $b (block $a (br_table $a $b $c $d (local.get $op)))"
    "      (return (call $fixed (i32.const 1) (local.get $x))))"
    "      (return (call $fixed (i32.const 0) (local.get $x))))"
    "      (return (call $opened (i32.const 1) (local.get $x))))"
    "    (call $tail (i32.const 1) (local.get $x)))"
    "  (func (export \"run\") (param $n i32) (result i32) (local $x i32) (local $i i32)"
    "    (loop $next"
    "      (local.set $x (call $step (select (i32.const 1)"
    "                                        (i32.and (i32.shr_u (local.get $i) (i32.const 4)) (i32.const 3))"
    "                                        (i32.and (local.get $i) (i32.const 15))) (local.get $x)))"
    "      (if (i32.and (local.get $x) (i32.const 31))"
    "        (then (local.set $x (i32.add (local.get $x) (i32.const 1))))"
    "        (else (local.set $x (i32.xor (local.get $x) (i32.const 0x55)))))"
    "      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))"
    "    (local.get $x)))";

static wasmx_compile_options by(const wasmx_buffer *profile, char level) {
    return (wasmx_compile_options){.name = "test", .opt_level = level, .profile = profile->data,
                                   .profile_size = profile->size, .profile_file = "p.wxprof"};
}

static const wasmx_module *load(const char *text, wasmx_compile_options options) {
    wasmx_output out = compiled_text(text, options);
    const wasmx_module *m = wasmx_code_module(loaded(&out, "test"));
    wasmx_output_free(&out);
    return m;
}

static const wasmx_module *counting(const char *text) {
    return load(text, (wasmx_compile_options){.name = "test", .profile_generate = true});
}

static wasmx_instance *fresh(const wasmx_module *m) {
    wasmx_error err = {""};
    wasmx_instance *i = wasmx_instantiate(m, NULL, &err);
    cr_assert_not_null(i, "%s", err.message);
    return i;
}

static wasmx_status call(wasmx_instance *i, const char *name, int32_t a, int32_t b, int32_t *result) {
    wasmx_value args[] = {{.i32 = a}, {.i32 = b}}, out = {.i32 = 0};
    wasmx_status status = wasmx_call(wasmx_export_func(i, name), args, &out);
    *result = out.i32;
    return status;
}

static int32_t value(wasmx_instance *i, const char *name, int32_t a, int32_t b) {
    int32_t result;
    cr_assert_eq(call(i, name, a, b, &result), WASMX_OK);
    return result;
}

static char path[64];

static void name_file(void) { snprintf(path, sizeof path, "/tmp/wasmx-profile-%ld", (long)getpid()); }
static void drop_file(void) { unlink(path); }
TestSuite(compile_profile, .init = name_file, .fini = drop_file);

static wasmx_buffer written(const wasmx_module *m) {
    wasmx_error err = {""};
    wasmx_buffer out;
    wasmx_compile_error unread;
    cr_assert(wasmx_profile_write(m, path, &err), "%s", err.message);
    cr_assert(wx_input_read(path, &out, &unread));
    return out;
}

static char *shown(const wasmx_buffer *profile, bool json) {
    wasmx_buffer text;
    wasmx_compile_error err = {""};
    wx_inspect_options options = {.file = "p.wxprof", .json = json};
    cr_assert(wx_profile_show(profile, &options, &text, &err), "%s", err.line);
    char *out = strndup((char *)text.data, text.size);
    wx_buffer_free(&text);
    return out;
}

static bool has(const wasmx_buffer *text, const char *what) { return memmem(text->data, text->size, what, strlen(what)); }

static wasmx_buffer trained(void) {
    const wasmx_module *m = counting(program);
    value(fresh(m), "run", 1600, 0);
    return written(m);
}

Test(compile_profile, counts_are_exact) {
    const wasmx_module *m = counting(program);
    wasmx_instance *i = fresh(m);
    value(i, "run", 1600, 0);
    wasmx_buffer p = written(m);
    char *text = shown(&p, false);
    cr_assert(strstr(text, "profile of test: 10 functions, 7 of them ran"), "%s", text);
    cr_assert(strstr(text, "switch   step (func 8) + 11: 0:25 1:1525 2:25 3:25"), "%s", text);
    cr_assert(strstr(text, "0:1 1:1599"), "%s", text); // the loop's branch
    cr_assert(strstr(text, "targets  fixed (func 5) + 5: 0:1525 1:25"), "%s", text);
    cr_assert(wasmx_profile_reset(m));
    wasmx_buffer empty = written(m);
    text = shown(&empty, false);
    cr_assert(strstr(text, "profile of test: 10 functions, 0 of them ran"), "%s", text);
}

Test(compile_profile, code_says_what_was_counted) {
    wasmx_buffer p = trained();
    wasmx_compile_options options = by(&p, '0');
    options.emit = WASMX_EMIT_LLVM_IR;
    wasmx_output out = compiled_text(program, options);
    cr_assert_str_eq(out.note, "");
    cr_assert(has(&out.llvm_ir, "!\"branch_weights\", i32 25, i32 25, i32 1525, i32 25}")); // default, then cases 0 to 2
    cr_assert(has(&out.llvm_ir, "!\"function_entry_count\", i64 1600}"));
    cr_assert(has(&out.llvm_ir, "!\"ProfileSummary\""));
    const char *fixed = memmem(out.llvm_ir.data, out.llvm_ir.size, "@test.fixed(", 12);
    cr_assert(strstr(fixed, "call i32 @test.often("));
    cr_assert_eq(out.cold_functions, 3); // other_type, never, spin
    wasmx_output_free(&out);
}

// Every function with every index, in plain code and by profile, whatever the profile says.
static void same_everywhere(const wasmx_buffer *profile) {
    static const char *const names[] = {"fixed", "opened", "tail"};
    for (const char *level = "02"; *level; level++)
        for (int hot_only = 0; hot_only < 2; hot_only++) {
            wasmx_compile_options options = by(profile, *level);
            options.hot_only = hot_only;
            wasmx_instance *a = fresh(module_of(program, sizeof program - 1, '0')), *b = fresh(load(program, options));
            cr_assert_eq(value(a, "run", 1000, 0), value(b, "run", 1000, 0));
            for (int n = 0; n < 3; n++)
                for (int32_t index = -1; index < 7; index++) {
                    int32_t x, y;
                    wasmx_status s = call(a, names[n], index, 11, &x), t = call(b, names[n], index, 11, &y);
                    cr_assert(s == t && x == y, "%s(%d): %d and %d, %d and %d", names[n], index, s, t, x, y);
                }
            int32_t none;
            cr_assert_eq(call(b, "never", 1, 0, &none), WASMX_TRAP_STACK_EXHAUSTED);
            cr_assert_eq(value(b, "never", 0, 0), 9);
        }
}

Test(compile_profile, results_and_traps_are_the_same) {
    wasmx_buffer p = trained();
    same_everywhere(&p);
}

// Calls that the profile took from somewhere else: of another type, of functions that are not there.
Test(compile_profile, nothing_rests_on_the_profile) {
    wasmx_buffer p = trained();
    char *text = strndup((char *)p.data, p.size), *changed = malloc(p.size + 4096);
    static const char *const lies[] = {" 1:1500", " 2:1500", " 3:1500", " 77:1500", " *:1500", " 0:18446744073709551615 1:99999999999999999999"};
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        char *at = strstr(text, "t 5 1:25 0:1525");
        cr_assert_not_null(at, "%s", text);
        snprintf(changed, p.size + 4096, "%.*s%s%s", (int)(at - text) + 3, text, lies[i], strchr(at, '\n'));
        same_everywhere(&(wasmx_buffer){(uint8_t *)changed, strlen(changed)});
    }
}

static const char shared_table[] =
    "(module (import \"m\" \"t\" (table 2 funcref)) (global $g (mut i32) (i32.const 0)) (type $f (func (result i32)))"
    "  (func $get (result i32) (global.get $g)) (elem declare func $get)"
    "  (func (export \"set\") (param i32) (global.set $g (local.get 0)))"
    "  (func (export \"put\") (param i32) (table.set 0 (local.get 0) (ref.func $get)))"
    "  (func (export \"get\") (param i32) (result i32) (call_indirect (type $f) (local.get 0))))";

static wasmx_instance *linked(const wasmx_module *m, wasmx_table *table) {
    wasmx_linker *linker = wasmx_linker_new();
    wasmx_error err = {""};
    wasmx_linker_define(linker, "m", "t", (wasmx_extern){.kind = WASMX_TABLE, .of.table = table});
    wasmx_instance *i = wasmx_instantiate(m, &(wasmx_options){.linker = linker}, &err);
    cr_assert_not_null(i, "%s", err.message);
    return i;
}

// The function is the expected one, its instance is not.
Test(compile_profile, a_guard_knows_the_instance) {
    wasmx_table *table = wasmx_table_new(WASMX_FUNCREF, 2, 2);
    const wasmx_module *m = counting(shared_table);
    wasmx_instance *i = linked(m, table);
    int32_t none;
    cr_assert_eq(call(i, "put", 0, 0, &none), WASMX_OK);
    for (int k = 0; k < 100; k++) value(i, "get", 0, 0);
    wasmx_buffer p = written(m);
    cr_assert(has(&p, " 0:100\n"));
    const wasmx_module *by_profile = load(shared_table, by(&p, '2'));
    wasmx_instance *a = linked(by_profile, table), *b = linked(by_profile, table);
    cr_assert_eq(call(a, "set", 41, 0, &none), WASMX_OK);
    cr_assert_eq(call(b, "set", 42, 0, &none), WASMX_OK);
    cr_assert_eq(call(a, "put", 0, 0, &none), WASMX_OK);
    cr_assert_eq(call(b, "put", 1, 0, &none), WASMX_OK);
    for (int k = 0; k < 2; k++) {
        cr_assert_eq(value(a, "get", k, 0), 41 + k);
        cr_assert_eq(value(b, "get", k, 0), 41 + k);
    }
}

// ---- Several threads

enum { THREADS = 4, ROUNDS = 30 };
static wasmx_pool *pool;
static const wasmx_module *pooled;

static void *serve(void *arg) {
    wasmx_error err = {""};
    for (int k = 0; k < ROUNDS; k++) {
        wasmx_instance *i = wasmx_pool_acquire(pool, pooled, arg, &err);
        cr_assert_not_null(i, "%s", err.message);
        value(i, "run", 500, 0);
        wasmx_pool_release(i);
        cr_assert(wasmx_profile_write(pooled, path, &err), "%s", err.message);
        if (k == ROUNDS / 2) wasmx_profile_reset(pooled);
    }
    return NULL;
}

Test(compile_profile, threads_write_while_others_run) {
    pthread_t threads[THREADS];
    wasmx_error err = {""};
    pooled = counting(program);
    wasmx_pool_module module = {.module = pooled};
    pool = wasmx_pool_new(&(wasmx_pool_options){.slots = THREADS, .modules = &module, .module_count = 1}, &err);
    cr_assert_not_null(pool, "%s", err.message);
    for (int k = 0; k < THREADS; k++) pthread_create(&threads[k], NULL, serve, NULL);
    for (int k = 0; k < 20; k++) {
        wasmx_buffer p = written(pooled); // whole, whoever wrote it
        free(shown(&p, true));
        wx_buffer_free(&p);
    }
    for (int k = 0; k < THREADS; k++) pthread_join(threads[k], NULL);
    wasmx_buffer p = written(pooled);
    char *text = shown(&p, false);
    cr_assert(strstr(text, "7 of them ran"), "%s", text);
    wasmx_pool_free(pool);
}

// ---- The same bytes

Test(compile_profile, the_object_does_not_depend_on_threads) {
    wasmx_buffer p = trained();
    for (int kind = 0; kind < 3; kind++) {
        wasmx_output out[2];
        for (unsigned k = 0; k < 2; k++) {
            wasmx_compile_options options = by(&p, '2');
            options.threads = 1 + k;
            options.hot_only = kind == 1;
            if (kind == 2) options.profile = NULL, options.profile_generate = true;
            out[k] = compiled_text(program, options);
        }
        cr_assert_eq(out[0].object.size, out[1].object.size);
        cr_assert_arr_eq(out[0].object.data, out[1].object.data, out[0].object.size);
        cr_assert(kind != 1 || out[0].cold_seconds > 0);
        wasmx_output_free(&out[0]);
        wasmx_output_free(&out[1]);
    }
}

// ---- Sums

static wasmx_buffer sum(const wasmx_buffer *inputs, size_t count) {
    const char *files[] = {"one", "two"};
    wasmx_buffer out;
    wasmx_compile_error err = {""};
    cr_assert(wx_profile_merge(inputs, files, count, &out, &err), "%s", err.line);
    return out;
}

Test(compile_profile, profiles_add_up) {
    wasmx_buffer p = trained(), one = sum(&p, 1), again = sum(&one, 1), two = sum((wasmx_buffer[]){p, p}, 2);
    cr_assert(p.size == one.size && one.size == again.size && !memcmp(one.data, again.data, one.size));
    char *text = shown(&two, false);
    cr_assert(strstr(text, "switch   step (func 8) + 11: 0:50 1:3050 2:50 3:50"), "%s", text);
    cr_assert(strstr(text, "targets  fixed (func 5) + 5: 0:3050 1:50"), "%s", text);
    const char head[] = "wasmx-profile 1\nmodule 0000000000000000000000000000000000000000000000000000000000000000 m\n"
                        "func 3 0123456789abcdef a%0Ab\nb 7 1:18446744073709551615\n";
    const char tail[] = "t 9 0:1 1:2 2:3 3:4 4:5 5:6 6:7 7:8 8:9 9:10\nend\n";
    char one_text[512], other_text[512];
    snprintf(one_text, sizeof one_text, "%s%s", head, tail);
    snprintf(other_text, sizeof other_text, "%s%s", head, "end\n");
    wasmx_buffer full = sum((wasmx_buffer[]){{(uint8_t *)one_text, strlen(one_text)}, {(uint8_t *)other_text, strlen(other_text)}}, 2);
    cr_assert(has(&full, "func 3 0123456789abcdef a%0Ab\nb 7 1:18446744073709551615\n"));
    wasmx_buffer more = sum((wasmx_buffer[]){full, {(uint8_t *)one_text, strlen(one_text)}}, 2);
    cr_assert(has(&more, "\nt 9 3:8 4:10 5:12 6:14 7:16 8:18 9:20 *:12\n"), "%.*s", (int)more.size, more.data);
    wasmx_compile_error err = {""};
    wasmx_buffer none;
    cr_assert_not(wx_profile_merge((wasmx_buffer[]){p, full}, (const char *[]){"a", "b"}, 2, &none, &err));
    cr_assert_str_eq(err.line, "b: a profile of another module: 'm', not 'test'");
    cr_assert_null(none.data);
}

// ---- What is not as it should be

Test(compile_profile, no_counters_no_profile) {
    wasmx_error err = {""};
    const wasmx_module *m = module_of(program, sizeof program - 1, '2');
    cr_assert_not(wasmx_profile_write(m, path, &err));
    cr_assert_str_eq(err.message, "test: built without --profile-generate");
    cr_assert_not(wasmx_profile_reset(m));
    m = counting(program);
    cr_assert_not(wasmx_profile_write(m, "/nowhere/p", &err));
    cr_assert_str_eq(err.message, "/nowhere/p: cannot write: No such file or directory");
    cr_assert_not(wasmx_profile_write(m, "/dev/full", &err));
    cr_assert_str_eq(err.message, "/dev/full: cannot write: No space left on device");
    cr_assert_not(wasmx_profile_write(m, "/", NULL));
    cr_assert(wasmx_profile_write(m, "/dev/null", &err));
}

Test(compile_profile, not_both_at_once) {
    wasmx_buffer p = trained();
    wasmx_compile_options options = by(&p, '2');
    options.profile_generate = true;
    cr_assert(strstr(refused_text(program, options), "--profile-generate or --profile-use"));
}

static const char *refusal(const char *text) {
    return refused_text(program, by(&(wasmx_buffer){(uint8_t *)text, strlen(text)}, '2'));
}

#define HEAD "wasmx-profile 1\nmodule 0000000000000000000000000000000000000000000000000000000000000000 m\n"
#define FUNC "func 1 0123456789abcdef f\n"

Test(compile_profile, malformed_profiles_say_where) {
    static const struct { const char *text, *error; } cases[] = {
        {"", "p.wxprof: line 0: not a profile: it is empty"},
        {"something\n", "p.wxprof: line 1: not a profile"},
        {"wasmx-profile 2\n", "p.wxprof: line 1: a profile of another version"},
        {"wasmx-profile 1\nmodule 12 m\n", "p.wxprof: line 2: 'module', a SHA-256 and a name were expected"},
        {HEAD, "p.wxprof: line 2: the profile is cut off"},
        {HEAD "e 0 0:1\nend\n", "p.wxprof: line 3: 'func', 'end' or a site of a function was expected"},
        {HEAD "func x\nend\n", "p.wxprof: line 3: 'func', an index, a hash and a name were expected"},
        {HEAD "func 4294967295 0123456789abcdef f\nend\n", "p.wxprof: line 3: the index is too large"},
        {HEAD FUNC FUNC "end\n", "p.wxprof: line 4: functions are not in order"},
        {HEAD FUNC "q 0 0:1\nend\n", "p.wxprof: line 4: 'func', 'end' or a site of a function was expected"},
        {HEAD FUNC "b x\nend\n", "p.wxprof: line 4: an offset was expected"},
        {HEAD FUNC "b 5 0\nend\n", "p.wxprof: line 4: a counter's number, ':' and a count were expected"},
        {HEAD FUNC "b 5 0:1\nb 4 0:1\nend\n", "p.wxprof: line 5: offsets are not in order"},
        {HEAD FUNC "end\nend\n", "p.wxprof: line 4: something follows the profile's end"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) cr_assert_str_eq(refusal(cases[i].text), cases[i].error);
}

Test(compile_profile, cut_and_garbled_profiles_are_no_danger) {
    wasmx_buffer p = trained(), text;
    wasmx_compile_error err;
    wx_inspect_options options = {.file = "p", .json = true};
    for (size_t n = 0; n < p.size; n++) // only the whole is whole; the last newline may be missing
        cr_assert_eq(wx_profile_show(&(wasmx_buffer){p.data, n}, &options, &text, &err), n + 1 == p.size);
    uint64_t seed = 7;
    uint8_t *garbled = malloc(p.size);
    unsigned compiled_count = 0;
    for (int k = 0; k < 300; k++) {
        memcpy(garbled, p.data, p.size);
        for (uint32_t n = 1 + next_random(&seed) % 3; n; n--)
            garbled[100 + next_random(&seed) % (p.size - 100)] = "0123456789 :*\nebstlf%"[next_random(&seed) % 21];
        wasmx_output out;
        wasmx_compile_options by_it = by(&(wasmx_buffer){garbled, p.size}, '0');
        if (!wasmx_compile(program, sizeof program - 1, &by_it, &out, &err)) continue;
        compiled_count++;
        wasmx_output_free(&out);
    }
    cr_assert_gt(compiled_count, 20);
}

static const char *note_of(const char *profile) {
    static char note[sizeof(((wasmx_output *)0)->note)];
    wasmx_output out = compiled_text(program, by(&(wasmx_buffer){(uint8_t *)profile, strlen(profile)}, '1'));
    memcpy(note, out.note, sizeof note);
    wasmx_output_free(&out);
    return note;
}

Test(compile_profile, what_does_not_fit_is_said) {
    cr_assert_str_eq(note_of(HEAD "end\n"), "");
    cr_assert_str_eq(note_of(HEAD FUNC "e 0 0:5\nend\n"), "the profile is of another module: none of its functions is in this one");
    wasmx_buffer p = trained();
    char *text = strndup((char *)p.data, p.size), *changed = malloc(p.size + 100), *at = strstr(text, "end\n");
    snprintf(changed, p.size + 100, "%.*sfunc 50 0123456789abcdef f\ne 0 0:7\nend\n", (int)(at - text), text);
    cr_assert_str_eq(note_of(changed), "1 of the 8 functions that ran in the profile are not in the module");
    at = strstr(text, "t 5 1:25 0:1525");
    snprintf(changed, p.size + 100, "%.*sb 5 0:4\n%s", (int)(at - text), text, strchr(at, '\n') + 1);
    cr_assert_str_eq(note_of(changed), "1 counts of the profile are of places that do not exist");
}

// A function keeps what was counted when others are put before it, and its name when it has a twin.
Test(compile_profile, functions_are_known_by_their_bodies) {
    wasmx_buffer p = trained();
    char later[sizeof program + 100];
    const char *at = strstr(program, "(func $often");
    snprintf(later, sizeof later, "%.*s%s", (int)(at - program), program, at);
    char *end = strrchr(later, ')');
    strcpy(end, " (func (export \"new\") (result i32) (i32.const 123456)))");
    wasmx_output out = compiled_text(later, by(&p, '1'));
    cr_assert_str_eq(out.note, "");
    cr_assert_eq(out.cold_functions, 3);
    wasmx_output_free(&out);
}

// ---- Cold without a profile

static const char command[] =
    "(module (memory 1)"
    "  (func $once (i32.store (i32.const 0) (i32.const 7)) (call $helper))"
    "  (func $helper (i32.store (i32.const 4) (i32.const 8)))"
    "  (func $looped (loop (i32.store (i32.const 8) (i32.const 9))))"
    "  (func $in_loop (i32.store (i32.const 12) (i32.const 10)))"
    "  (func $again (param i32) (if (local.get 0) (then (call $again (i32.sub (local.get 0) (i32.const 1))))))"
    "  (func $main (local i32) (call $looped) (call $again (i32.const 3))"
    "    (loop $l (call $in_loop) (br_if $l (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 9)))))"
    "  (func (export \"_start\") (call $once) (call $main))"
    "  (func (export \"peek\") (param i32) (result i32) (i32.load (local.get 0))))";

Test(compile_profile, what_runs_once_is_cold) {
    wasmx_compile_options options = {.name = "test", .hot_only = true};
    wasmx_output out = compiled_text(command, options);
    cr_assert_eq(out.cold_functions, 3); // once, helper, _start
    cr_assert_gt(out.cold_seconds, 0);
    wasmx_instance *i = fresh(wasmx_code_module(loaded(&out, "test")));
    int32_t none;
    cr_assert_eq(call(i, "_start", 0, 0, &none), WASMX_OK);
    for (int k = 0; k < 4; k++) cr_assert_eq(value(i, "peek", 4 * k, 0), 7 + k);
}

// Looks for interruption are in cold code too.
Test(compile_profile, cold_loops_can_be_interrupted, .timeout = 20) {
    wasmx_buffer p = trained();
    wasmx_compile_options options = by(&p, '2');
    options.hot_only = options.interruptible = true;
    wasmx_instance *i = fresh(load(program, options));
    int32_t none;
    cr_assert(wasmx_set_deadline(i, WASMX_TIME_WALL, 5000000));
    cr_assert_eq(call(i, "spin", 0, 0, &none), WASMX_TRAP_INTERRUPTED);
}
