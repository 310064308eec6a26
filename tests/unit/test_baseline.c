// tests/unit/test_baseline.c: the table of stencils, and the second tier at its limits. test_interp.c has the rest.
#include <criterion/criterion.h>
#include <unistd.h>

#include "interp/baseline.h"
#include "tests/unit/compile_code.h"
#include "wasm/wasm.h"

// ---- The table. Not on an architecture without one.

static bool is_by_hand(wx_iop op) {
    static const wx_iop by_hand[] = {I_TRAP, I_ACCESS, I_LOOP, I_BR, I_BR_TABLE, I_RETURN, I_RETURN_ONE, I_RETURN_MANY,
                                     I_CALL, I_CALL_IMPORT, I_CALL_INDIRECT, I_CALL_REF, I_RUN_OUT};
    for (size_t i = 0; i < sizeof by_hand / sizeof *by_hand; i++)
        if (op == by_hand[i]) return true;
    return op >= I_MEMORY_SIZE && op <= I_TABLE_FILL; // MANY
}

static void check_ways(wx_iop op, uint32_t ways) {
    for (uint32_t way = 0; way < WX_WAYS; way++)
        cr_assert_eq(wx_stencils[op][way].exists, ways >> way & 1, "instruction %d, way %u", (int)op, way);
}

Test(baseline, every_row_has_stencils_for_all_its_ways) {
    if (!wx_has_baseline) return;
    for (int op = 0; op < I_COUNT; op++) cr_assert_eq(wx_stencils[op][0].exists, !is_by_hand((wx_iop)op), "%d", op);
    enum { TWO = 7, TWO_GIVE = 077, ONE_GIVE = 033, TEST = 3 };
#define ARITH(op, ...) check_ways(I_##op, TWO_GIVE), check_ways(I_##op##_C, ONE_GIVE);
#define COMPARE(op, ...) ARITH(op) check_ways(I_##op##_BR, TWO), check_ways(I_##op##_C_BR, TEST);
#define BINARY(op, ...) check_ways(I_##op, TWO_GIVE);
#define UNARY(op, ...) check_ways(I_##op, ONE_GIVE);
#define LOAD(op, ...) check_ways(I_##op, ONE_GIVE | ONE_GIVE << WX_GUARDED);
#define STORE(op, ...) check_ways(I_##op, TWO | TWO << WX_GUARDED);
#define MANY(op) check_ways(I_##op, 0);
#define OWN(op)
#include "interp/ops.def"
}

static void check_holes(const wx_stencil *s) {
    uint32_t free_from = 0;
    for (uint32_t i = 0; i < s->holes; i++) {
        const wx_hole *h = &wx_stencil_holes[s->first_hole + i];
        uint32_t size = h->kind == WX_HOLE_word ? 8 : 4;
        cr_assert_lt(h->kind, WX_HOLE_COUNT);
        cr_assert_geq(h->at, free_from);
        free_from = h->at + size;
        cr_assert_leq(free_from, s->size);
        for (uint32_t k = 0; k < size; k++) cr_assert_eq(wx_stencil_code[s->at + h->at + k], 0); // an object's holes
    }
}

Test(baseline, holes_lie_in_their_stencils_one_after_the_other) {
    for (int op = 0; op < I_COUNT; op++)
        for (uint32_t way = 0; way < WX_WAYS; way++) check_holes(&wx_stencils[op][way]);
    cr_assert_leq(wx_stencil_pool_size, WX_POOL_ROOM);
}

// ---- Code

static wx_buf binary_of(const char *text) {
    wx_buf binary = {0};
    wx_error e = {0};
    cr_assert(wx_text_to_binary("test", text, strlen(text), &binary, &e), "%s", e.msg);
    return binary;
}

// A text is parsed in a forked process: while no thread of an earlier module may hold a lock of AddressSanitizer's.
static wasmx_instance *instance_in(const char *text, wasmx_compile_options options, const wasmx_options *how) {
    static wasmx_code *code;
    wasmx_compile_error err = {""};
    if (code) wasmx_code_finish(code);
    wx_buf binary = binary_of(text);
    options.name = "test";
    code = wasmx_code_compile(binary.data, binary.len, &options, &err);
    cr_assert_not_null(code, "%s", err.line);
    return instance_of(wasmx_code_module(code), how);
}

static wasmx_instance *copied(const char *text) {
    return instance_in(text, (wasmx_compile_options){.tiers = WASMX_TIERS_BASELINE}, NULL);
}

static char text[1 << 22];
static size_t length;

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...) {
    va_list list;
    va_start(list, format);
    length += (size_t)vsnprintf(text + length, sizeof text - length, format, list);
    va_end(list);
    cr_assert_lt(length, sizeof text);
}

// Half a megabyte of code, and a branch over all of it, both ways.
Test(baseline, branches_reach_across_a_huge_function) {
    say("(module (func (export \"f\") (param $n i32) (result i32) (local $p i32) (local $k i32)"
        " (block $end (loop $top (br_if $end (i32.ge_u (local.get $k) (i32.const 3)))"
        " (if (i32.eq (local.get $n) (i32.const 1)) (then (local.set $k (i32.const 9)) (br $top)))"
        " (local.set $k (i32.add (local.get $k) (i32.const 1)))");
    for (int i = 0; i < 20000; i++)
        say(" (local.set $p (i32.xor (i32.add (local.get $p) (i32.const %d)) (local.get $n)))", i);
    say(" (br $top))) (local.get $p)))");
    wasmx_instance *i = copied(text);
    uint32_t p = 0;
    for (int k = 0; k < 3 * 20000; k++) p = (p + (uint32_t)(k % 20000)) ^ 5u;
    for (int k = 0; k < 3; k++) cr_assert_eq(result_of(i, "f", 5), (int32_t)p);
    cr_assert_eq(result_of(i, "f", 1), 0);
}

Test(baseline, a_table_of_many_branches) {
    enum { CASES = 3000 };
    say("(module (func (export \"f\") (param $n i32) (result i32)");
    for (int k = 0; k < CASES; k++) say("(block ");
    say("(br_table");
    for (int k = 0; k < CASES; k++) say(" %d", k);
    say(" (i32.mul (local.get $n) (i32.const 3)))");
    for (int k = 0; k < CASES; k++) say(") (return (i32.const %d))", k + 7);
    say("(i32.const 1)))");
    wasmx_instance *i = copied(text);
    for (int k = 0; k < CASES / 3; k++) cr_assert_eq(result_of(i, "f", k), 3 * k + 7);
    cr_assert_eq(result_of(i, "f", CASES), CASES - 1 + 7);
    cr_assert_eq(result_of(i, "f", -1), CASES - 1 + 7);
}

Test(baseline, many_locals_are_zero_again_at_every_call) {
    say("(module (func (export \"f\") (param $n i32) (result i32) (local $s i32) (local i32 i64 i64) (local $a i64)"
        " (local $many i32)");
    for (int k = 0; k < 5000; k++) say(" (local $x%d i32)", k);
    for (int k = 0; k < 5000; k++)
        say(" (local.set $s (i32.add (local.get $s) (local.get $x%d))) (local.set $x%d (local.get $n))", k, k);
    say(" (local.set $a (i64.extend_i32_u (local.get $n))) (local.get $s)))");
    wasmx_instance *i = copied(text);
    for (int k = 0; k < 5; k++) cr_assert_eq(result_of(i, "f", -1), 0);
}

// x: the constant; n + x - (x + n) is 0, and so is x != x; then whether 0 < x.
static void say_constant(long long x) {
    length = 0;
    say("(module (func (export \"f\") (param $n i32) (result i32) (local $x i64) (local $n64 i64)"
        " (local.set $x (i64.const %lld)) (local.set $n64 (i64.extend_i32_s (local.get $n)))", x);
    say(" (i32.add (i64.ne (i64.add (local.get $n64) (i64.const %lld)) (i64.add (local.get $x) (local.get $n64)))", x);
    say(" (i32.add (i32.ne (i32.add (local.get $n) (i32.const %d))", (int)(uint32_t)x);
    say("  (i32.add (i32.wrap_i64 (local.get $x)) (local.get $n)))");
    say(" (if (result i32) (i64.lt_s (i64.mul (local.get $n64) (i64.const 0)) (i64.const %lld))", x);
    say("  (then (i32.const 2)) (else (i32.const 4)))))))");
}

Test(baseline, constants_of_every_size_and_sign) {
    static const int64_t values[] = {0, 1, -1, 127, 128, -128, -129, 32767, 32768, -32768, -32769, 65535, 65536,
                                     INT32_MAX, INT32_MIN, UINT32_MAX, 4294967296, INT64_MAX, INT64_MIN};
    for (size_t k = 0; k < sizeof values / sizeof *values; k++) {
        say_constant(values[k]);
        wasmx_instance *i = copied(text);
        for (int n = -3; n < 4; n += 3) cr_assert_eq(result_of(i, "f", n), values[k] > 0 ? 2 : 4, "value %zu", k);
    }
}

#define OUTSIDE WASMX_TRAP_MEMORY_OUT_OF_BOUNDS

static void check_access(wasmx_instance *i, const char *name, uint32_t first_outside, uint32_t size) {
    for (uint32_t at = first_outside - 9; at < first_outside - size; at++)
        cr_assert_eq(status_of(i, name, (int32_t)at, NULL), WASMX_OK, "%s %u", name, at);
    for (uint32_t k = 0; k < 12; k++)
        cr_assert_eq(status_of(i, name, (int32_t)(first_outside - size + 1 + k), NULL), OUTSIDE);
    cr_assert_eq(status_of(i, name, -1, NULL), OUTSIDE, "%s", name);
}

Test(baseline, accesses_end_where_the_memory_ends) {
    const char *accesses =
        "(module (memory 2)"
        " (func (export \"near\") (param i32) (result i32) (i32.load offset=16 (local.get 0)))"
        " (func (export \"far\") (param i32) (result i32) (i32.load16_u offset=70000 (local.get 0)))"
        " (func (export \"store\") (param i32) (result i32)"
        "  (i64.store offset=65540 (local.get 0) (i64.const -1)) (i32.const 1))"
        " (func (export \"beyond\") (param i32) (result i32) (i32.load offset=300000000 (local.get 0)))"
        " (func (export \"last\") (param i32) (result i32) (i32.load offset=4294967295 (local.get 0))))";
    static const wasmx_bounds ways[] = {WASMX_BOUNDS_GUARD, WASMX_BOUNDS_EXPLICIT};
    for (int way = 0; way < 2; way++) {
        wasmx_compile_options o = {.tiers = WASMX_TIERS_BASELINE, .bounds = ways[way]};
        wasmx_instance *i = instance_in(accesses, o, NULL);
        check_access(i, "near", 131072 - 16, 4);
        check_access(i, "far", 131072 - 70000, 2);
        check_access(i, "store", 131072 - 65540, 8);
        for (int k = 0; k < 3; k++) {
            cr_assert_eq(status_of(i, "beyond", k, NULL), OUTSIDE);
            cr_assert_eq(status_of(i, "last", k, NULL), OUTSIDE);
        }
    }
}

// A trap in code that an interpreted frame went on in, and one below a call from there: every function is named once.
Test(baseline, backtraces_name_every_frame_once) {
    const char *loops =
        "(module (memory 1) (func $bottom (param i32) (result i32) (i32.load (i32.sub (local.get 0) (i32.const 1))))"
        " (func $middle (export \"middle\") (param i32) (result i32) (local $k i32) (local.set $k (i32.const 3000))"
        "  (loop $l (drop (call $bottom (local.get $k)))"
        "   (br_if $l (local.tee $k (i32.sub (local.get $k) (i32.const 1)))))"
        "  (call $bottom (local.get 0)))"
        " (func $here (export \"here\") (param i32) (result i32) (local $k i32)"
        "  (loop $l (br_if $l (i32.lt_u (local.tee $k (i32.add (local.get $k) (i32.const 1))) (i32.const 3000))))"
        "  (i32.div_u (i32.const 1) (local.get 0))))";
    static const wasmx_tiers tiers[] = {WASMX_TIERS_MIXED, WASMX_TIERS_BASELINE};
    for (int t = 0; t < 2; t++) {
        wasmx_instance *i = instance_in(loops, (wasmx_compile_options){.tiers = tiers[t]}, NULL);
        for (int k = 0; k < 20; k++) {
            cr_assert_eq(status_of(i, "middle", 0, NULL), WASMX_TRAP_MEMORY_OUT_OF_BOUNDS);
            cr_assert_eq(wasmx_last_trap(i)->frame_count, 2);
            cr_assert_str_eq(wasmx_last_trap(i)->frames[0].name, "bottom");
            cr_assert_str_eq(wasmx_last_trap(i)->frames[1].name, "middle");
            cr_assert_eq(status_of(i, "here", 0, NULL), WASMX_TRAP_INTEGER_DIVIDE_BY_ZERO);
            cr_assert_eq(wasmx_last_trap(i)->frame_count, 1);
            cr_assert_str_eq(wasmx_last_trap(i)->frames[0].name, "here");
        }
    }
}

// ---- Calls through tables

static wasmx_status twice(void *env, wasmx_instance *instance, const wasmx_value *args, wasmx_value *results) {
    (void)env, (void)instance;
    results[0].i32 = 2 * args[0].i32;
    return WASMX_OK;
}

#define TABLE_FUNCS \
    " (type $t (func (param i32) (result i32))) (type $u (func (param i64) (result i32)))" \
    " (import \"host\" \"twice\" (func $twice (type $t)))" \
    " (func $one (type $t) (i32.add (local.get 0) (i32.const 1))) (func $wide (type $u) (i32.const 9))" \
    " (func (export \"f\") (param i32) (result i32) (call_indirect (type $t) (i32.const 20) (local.get 0)))"

static void check_table(const char *module) {
    wasmx_linker *linker = wasmx_linker_new();
    wasmx_linker_define_callback(linker, "host", "twice", "i:i", twice, NULL);
    wasmx_compile_options o = {.tiers = WASMX_TIERS_BASELINE};
    wasmx_instance *i = instance_in(module, o, &(wasmx_options){.linker = linker});
    for (int k = 0; k < 3; k++) {
        cr_assert_eq(result_of(i, "f", 0), 40);
        cr_assert_eq(result_of(i, "f", 1), 21);
        cr_assert_eq(status_of(i, "f", 2, NULL), WASMX_TRAP_INDIRECT_CALL_TYPE_MISMATCH);
        cr_assert_eq(status_of(i, "f", 3, NULL), WASMX_TRAP_UNINITIALIZED_ELEMENT);
        cr_assert_eq(status_of(i, "f", 4, NULL), WASMX_TRAP_UNDEFINED_ELEMENT);
        cr_assert_eq(status_of(i, "f", -1, NULL), WASMX_TRAP_UNDEFINED_ELEMENT);
    }
}

Test(baseline, calls_through_tables_check_what_they_find) {
    check_table("(module" TABLE_FUNCS "(table 4 4 funcref) (elem (i32.const 0) $twice $one $wide))");
    check_table("(module" TABLE_FUNCS "(table (export \"t\") 4 4 funcref) (elem (i32.const 0) $twice $one $wide))");
}

// ---- Pages

static wasmx_status look_at_pages(void *env, wasmx_instance *instance, const wasmx_value *args, wasmx_value *results) {
    (void)instance, (void)args;
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512];
    bool both = false;
    while (fgets(line, sizeof line, maps)) both |= strstr(line, " rwx") != NULL || strstr(line, " -wx") != NULL;
    fclose(maps);
    ++*(int *)env;
    results[0].i32 = both;
    return WASMX_OK;
}

Test(baseline, no_page_can_be_written_and_executed) {
    int looks = 0;
    wasmx_linker *linker = wasmx_linker_new();
    wasmx_linker_define_callback(linker, "host", "look", "i:i", look_at_pages, &looks);
    const char *module = "(module (import \"host\" \"look\" (func $look (param i32) (result i32)))"
                         " (func $g (param i32) (result i32) (call $look (local.get 0)))"
                         " (func (export \"f\") (param i32) (result i32) (call $g (local.get 0))))";
    wasmx_compile_options o = {.tiers = WASMX_TIERS_MIXED};
    wasmx_instance *i = instance_in(module, o, &(wasmx_options){.linker = linker});
    for (int k = 0; k < 50; k++) cr_assert_eq(result_of(i, "f", 1), 0);
    cr_assert_eq(looks, 50);
}
