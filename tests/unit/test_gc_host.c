// tests/unit/test_gc_host.c: references to objects in the hands of the host: what keeps them, what is checked when they
// come back, and where frames of guest code are while the host runs.
#include <ucontext.h>

#include "tests/unit/gc_code.h"

// Type 0 is a box, type 1 one below it, type 2 an array of bytes, type 3 of boxes, type 4 a function.
#define BOXES \
    "type open struct mut i32\n" \
    "type final<0 struct mut i32 mut any?\n" \
    "type array mut i8\n" \
    "type array mut #0?\n" \
    "type func i32 : i32\n"
#define COMMON \
    "global any mut any? = ref.null any end\n" \
    "global boxed mut #0? = ref.null 0 end\n" \
    "table shelf any? 10\n" \
    "table boxes #0? 10\n" \
    "func box i32 : #0 : = local.get 0 struct.new 0 end\n" \
    "func wide i32 : #1 : = local.get 0 ref.null any struct.new 1 end\n" \
    "func bytes i32 : #2 : = local.get 0 array.new_default 2 end\n" \
    "func small i32 : any? : = local.get 0 ref.i31 end\n" \
    "func open #0 : i32 : = local.get 0 struct.get 0 0 end\n" \
    "func open_null #0? : i32 : = local.get 0 struct.get 0 0 end\n" \
    "func is_wide any? : i32 : = local.get 0 ref.test 1 end\n" \
    "func is_struct any? : i32 : = local.get 0 ref.test struct end\n" \
    "func is_eq any? : i32 : = local.get 0 ref.test eq end\n" \
    "func same any? : any? : = local.get 0 end\n" \
    "func out any? : extern? : = local.get 0 extern.convert_any end\n" \
    "func in extern? : any? : = local.get 0 any.convert_extern end\n" \
    "func hold any? : : = local.get 0 global.set 0 end\n" \
    "func held : any? : = global.get 0 end\n" \
    "func garbage i32 : : = loop void local.get 0 if void local.get 0 struct.new 0 drop" \
    " local.get 0 i32.const 1 i32.sub local.set 0 br 1 end end end\n"

static wasmx_instance *boxes(char level) { return gc_start(gc_module(BOXES COMMON, level), NULL); }

static wasmx_status pass(wasmx_instance *i, const char *name, void *word, wasmx_value *out) {
    return gc_try(i, name, ref_value(word), i32_value(0), out);
}

static int32_t pass_to(wasmx_instance *i, const char *name, void *word) {
    return gc_value(i, name, ref_value(word), i32_value(0)).i32;
}

static void refused(wasmx_instance *i, const char *name, void *word) {
    cr_assert_eq(pass(i, name, word, NULL), WASMX_TRAP_HOST, "%s of %p", name, word);
    cr_assert(strstr(wasmx_last_trap(i)->message, "not of the type"), "%s", wasmx_last_trap(i)->message);
}

// ---- Words

Test(gc_host, words_come_back_as_they_were) {
    wasmx_instance *i = boxes('2');
    char letters[8];
    cr_assert_str_eq((wasmx_func_type(gc_func(i, "same"), letters, sizeof letters), letters), "a:a");
    cr_assert_str_eq((wasmx_func_type(gc_func(i, "box"), letters, sizeof letters), letters), "i:a");
    void *box = gc_ref(i, "box", 5);
    cr_assert_eq(pass_to(i, "open", box), 5);
    cr_assert_eq(gc_value(i, "same", ref_value(box), i32_value(0)).externref, box);
    cr_assert_eq(gc_value(i, "out", ref_value(box), i32_value(0)).externref, box);
    cr_assert_eq(gc_value(i, "in", ref_value(box), i32_value(0)).externref, box);
    void *seven = gc_ref(i, "small", -7);
    cr_assert_neq(seven, gc_ref(i, "small", 7));
    cr_assert_eq(gc_value(i, "in", gc_value(i, "out", ref_value(seven), i32_value(0)), i32_value(0)).externref, seven);
    cr_assert_eq(pass_to(i, "is_eq", seven), 1);
    for (uintptr_t mine = 1; mine; mine <<= 1) { // any word is one of the host's
        cr_assert_eq(gc_value(i, "same", ref_value((void *)mine), i32_value(0)).externref, (void *)mine);
        cr_assert_eq(gc_value(i, "in", ref_value((void *)mine), i32_value(0)).externref, (void *)mine);
        cr_assert_eq(pass_to(i, "is_eq", (void *)mine), 0);
    }
    cr_assert_null(gc_value(i, "same", ref_value(NULL), i32_value(0)).externref);
}

Test(gc_host, what_comes_in_is_of_its_type) {
    wasmx_instance *i = boxes('1');
    int mine;
    void *box = gc_ref(i, "box", 5), *bytes = gc_ref(i, "bytes", 100);
    refused(i, "open", NULL);
    refused(i, "open", &mine);
    refused(i, "open", bytes);
    refused(i, "open", gc_ref(i, "small", 3));
    cr_assert_eq(pass(i, "open_null", NULL, NULL), WASMX_TRAP_NULL_STRUCTURE);
    cr_assert_eq(pass_to(i, "open", gc_ref(i, "wide", 8)), 8);
    cr_assert_eq(pass_to(i, "is_wide", box), 0);
    cr_assert_eq(pass_to(i, "is_wide", gc_ref(i, "wide", 8)), 1);
    for (uintptr_t p = (uintptr_t)box - 64; p < (uintptr_t)box + 256; p++) // places near it are objects, or the host's
        if (pass_to(i, "is_struct", (void *)p)) cr_assert_eq(p % 16, 0);
    for (uintptr_t k = 1; k < 16; k++) refused(i, "open", (void *)((uintptr_t)box + k));
    for (uintptr_t k = 1; k; k <<= 1) refused(i, "open", (void *)((uintptr_t)bytes + k)); // into it, behind it, anywhere
}

Test(gc_host, globals_and_tables_are_checked) {
    wasmx_instance *i = boxes('1');
    wasmx_global *any = gc_export(i, "any").of.global, *box = gc_export(i, "boxed").of.global;
    wasmx_table *shelf = gc_export(i, "shelf").of.table, *only = gc_export(i, "boxes").of.table;
    int mine;
    wasmx_value v, five = ref_value(gc_ref(i, "box", 5)), bytes = ref_value(gc_ref(i, "bytes", 5));
    cr_assert_eq(wasmx_global_kind(any), WASMX_ANYREF);
    cr_assert(wasmx_global_set(any, ref_value(&mine)) && wasmx_global_get(any).externref == &mine);
    cr_assert(wasmx_global_set(any, bytes) && wasmx_global_get(any).externref == bytes.externref);
    cr_assert(wasmx_global_set(box, five) && wasmx_global_get(box).externref == five.externref);
    cr_assert(!wasmx_global_set(box, bytes) && !wasmx_global_set(box, ref_value(&mine)));
    cr_assert(wasmx_table_set(shelf, 3, ref_value(&mine)) && wasmx_table_get(shelf, 3, &v) && v.externref == &mine);
    cr_assert(wasmx_table_set(only, 3, five) && wasmx_table_get(only, 3, &v) && v.externref == five.externref);
    cr_assert_not(wasmx_table_set(only, 3, bytes));
    cr_assert_not(wasmx_table_set(only, 10, five));
    cr_assert_eq(wasmx_table_grow(only, 1, bytes), UINT64_MAX);
    cr_assert_eq(wasmx_table_grow(only, 1, five), 10);
    gc_call(i, "garbage", 2000000, 0);
    cr_assert_eq(pass_to(i, "open", wasmx_global_get(box).externref), 5);
    cr_assert(wasmx_table_get(only, 10, &v) && pass_to(i, "open", v.externref) == 5);
}

Test(gc_host, functions_are_checked_too) {
    wasmx_instance *i = gc_start(gc_module(
        "type func i32 : i32\n"
        "func call #0? : i32 : = i32.const 20 local.get 0 call_ref 0 end\n"
        "func other i64 : i64 : = local.get 0 end\n"
        "func twice i32 : i32 : = local.get 0 i32.const 2 i32.mul end\n", '1'), NULL);
    cr_assert_eq(pass_to(i, "call", gc_func(i, "twice")), 40);
    refused(i, "call", gc_func(i, "other"));
}

// ---- What keeps an object

Test(gc_host, roots_keep_objects) {
    wasmx_instance *i = boxes('2');
    void *kept = gc_ref(i, "box", 41);
    wasmx_root *root = wasmx_root_new(i, ref_value(kept)), *other = wasmx_root_new(i, ref_value(gc_ref(i, "box", 2)));
    void *lost = gc_ref(i, "wide", 3);
    for (int k = 0; k < 3; k++) gc_call(i, "garbage", 1000000, 0);
    cr_assert_eq(pass_to(i, "open", wasmx_root_get(root).externref), 41);
    cr_assert_eq(pass_to(i, "open", wasmx_root_get(other).externref), 2);
    wasmx_gc_collect(i);
    refused(i, "open", lost);
    wasmx_root_free(other);
    wasmx_root_free(root);
    wasmx_gc_collect(i);
    cr_assert_eq(gc_stats(i).bytes, 0);
    refused(i, "open", kept);
    root = wasmx_root_new(i, ref_value(gc_ref(i, "box", 1)));
    wasmx_instance_free(i);
    cr_assert_null(wasmx_root_get(root).externref);
    wasmx_root_free(root);
}

Test(gc_host, references_of_the_hosts_are_no_leak) {
    wasmx_instance *i = gc_start(gc_module(BOXES COMMON, '1'), &(wasmx_options){.max_gc_bytes = 1 << 20});
    for (uintptr_t k = 1; k < 300000; k++) pass_to(i, "is_eq", (void *)k);
    cr_assert_geq(gc_stats(i).collections, 1);
}

// ---- Calls that meet each other

static wasmx_instance *the_guest;

static wasmx_status collect_in_between(void *env, wasmx_instance *caller, const wasmx_value *args, wasmx_value *results) {
    (void)env;
    void *own = gc_ref(the_guest, "box", 1000); // kept by this frame
    gc_call(the_guest, "garbage", 1000000, 0);
    wasmx_gc_collect(caller);
    cr_assert_eq(pass_to(the_guest, "open", own), 1000);
    results[0] = args[0];
    return WASMX_OK;
}

#define HOSTED BOXES "import host swap any? : any?\n"
#define ACROSS /* swap is function 0, box 1 */ \
    "func across i32 : i32 : #0? #0? any? = local.get 0 struct.new 0 local.set 1 local.get 0 i32.const 1 i32.add" \
    " struct.new 0 local.set 2 local.get 1 call 0 local.set 3" \
    " local.get 1 struct.get 0 0 local.get 2 struct.get 0 0 i32.add local.get 3 ref.cast 0 struct.get 0 0 i32.add end\n"

static wasmx_linker *linker_of(wasmx_callback callback) {
    wasmx_linker *l = wasmx_linker_new();
    cr_assert(wasmx_linker_define_callback(l, "host", "swap", "a:a", callback, NULL));
    return l;
}

static wasmx_instance *hosted(wasmx_callback callback, char level, size_t stack) {
    wasmx_options o = {.linker = linker_of(callback), .max_gc_bytes = 2 << 20, .max_stack_bytes = stack};
    return the_guest = gc_start(gc_module(HOSTED COMMON ACROSS, level), &o);
}

Test(gc_host, frames_below_a_host_function_hold_objects) {
    for (const char *level = "0123l"; *level; level++) {
        wasmx_instance *i = hosted(collect_in_between, *level, 0);
        cr_assert_eq(gc_call(i, "across", 10, 0), 31);
    }
}

static wasmx_status wrong_result(void *env, wasmx_instance *caller, const wasmx_value *args, wasmx_value *results) {
    (void)env, (void)caller, (void)args;
    results[0] = ref_value(&the_guest);
    return WASMX_OK;
}

Test(gc_host, results_of_host_functions_are_checked) {
    wasmx_instance *i = hosted(wrong_result, '1', 0);
    gc_trap(i, "across", 10, 0, WASMX_TRAP_CAST_FAILURE); // any word is an anyref
    wasmx_linker *l = linker_of(wrong_result);
    i = gc_start(gc_module(BOXES "import host swap any? : #0?\n"
                           "func go : i32 : = ref.null any call 0 struct.get 0 0 end\n", '1'), &(wasmx_options){.linker = l});
    gc_trap(i, "go", 0, 0, WASMX_TRAP_HOST);
    cr_assert(strstr(wasmx_last_trap(i)->message, "not of the type"));
}

static void *typed_swap(wasmx_instance *caller, void *word) {
    wasmx_gc_collect(caller);
    return word;
}

Test(gc_host, typed_functions_have_the_same_words) {
    wasmx_linker *l = wasmx_linker_new();
    cr_assert(wasmx_linker_define_typed(l, "host", "swap", "a:a", (void (*)(void))typed_swap));
    for (const char *level = "2l"; *level; level++) {
        wasmx_instance *i = gc_start(gc_module(HOSTED COMMON ACROSS, *level), &(wasmx_options){.linker = l});
        cr_assert_eq(gc_call(i, "across", 10, 0), 31);
    }
}

// Each object comes with a collection.
Test(gc_host, constant_objects_hold_each_other_while_they_are_made) {
    setenv("WASMX_GC_STRESS", "1", 1);
    for (const char *level = "02l"; *level; level++) {
        wasmx_instance *i = gc_start(gc_module("type struct i32 any?\n"
                                               "type array #0?\n"
                                               "global pair #0? = i32.const 1 i32.const 2 i32.const 3 ref.i31 struct.new 0"
                                               " struct.new 0 end\n"
                                               "global all any? = i32.const 4 ref.null any struct.new 0 i32.const 5 ref.null any"
                                               " struct.new 0 array.new_fixed 1 2 end\n"
                                               "func outer i32 : i32 : = global.get 0 struct.get 0 0 end\n"
                                               "func inner i32 : i32 : = global.get 0 struct.get 0 1 ref.cast 0 struct.get 0 0 end\n"
                                               "func at i32 : i32 : = global.get 1 ref.cast 1 local.get 0 array.get 1"
                                               " struct.get 0 0 end\n", *level), NULL);
        cr_assert_eq(gc_call(i, "outer", 0, 0), 1);
        cr_assert_eq(gc_call(i, "inner", 0, 0), 2);
        cr_assert_eq(gc_call(i, "at", 0, 0) * 10 + gc_call(i, "at", 1, 0), 45);
        wasmx_instance_free(i);
    }
}

// ---- Other stacks

static wasmx_status suspend_there(void *env, wasmx_instance *caller, const wasmx_value *args, wasmx_value *results) {
    (void)env, (void)caller;
    results[0] = args[0];
    return wasmx_suspend() ? WASMX_OK : WASMX_TRAP_HOST;
}

Test(gc_host, suspended_calls_hold_objects) {
    wasmx_instance *i = hosted(suspend_there, '2', 0);
    wasmx_error err;
    gc_call(i, "garbage", 1, 0);
    wasmx_async *calls[10];
    wasmx_value results[10];
    for (int k = 0; k < 10; k++) {
        wasmx_value arg = i32_value(100 * k);
        calls[k] = wasmx_async_new(k % 2 ? 0 : 128 << 10, &err);
        cr_assert_eq(wasmx_call_async(calls[k], gc_func(i, "across"), &arg, &results[k]), WASMX_SUSPENDED);
        gc_call(i, "garbage", 300000, 0);
    }
    wasmx_async_free(calls[9]); // abandoned
    wasmx_gc_collect(i);
    for (int k = 0; k < 9; k++) {
        cr_assert_eq(wasmx_resume(calls[k]), WASMX_OK);
        cr_assert_eq(results[k].i32, 300 * k + 1);
        gc_call(i, "garbage", 300000, 0);
        wasmx_async_free(calls[k]);
    }
    cr_assert_geq(gc_stats(i).collections, 5);
}

static wasmx_status collect_on_own_stack(void *arg) {
    cr_assert_eq(gc_call(arg, "across", 10, 0), 31);
    return WASMX_OK;
}

Test(gc_host, a_collection_on_an_async_sees_both_stacks) {
    wasmx_instance *i = hosted(collect_in_between, '2', 0);
    wasmx_error err;
    wasmx_async *a = wasmx_async_new(0, &err);
    cr_assert_eq(wasmx_async_run(a, collect_on_own_stack, i), WASMX_OK);
    wasmx_async_free(a);
}

// Stacks of the host's own making, in the guest both below and above each other.
static ucontext_t main_context, other_context;
static int32_t other_sum;

static void on_other_stack(void) { other_sum = gc_call(the_guest, "across", 50, 0); }

static void run_on_other_stack(void) {
    static char stack[256 << 10];
    cr_assert_eq(getcontext(&other_context), 0);
    other_context.uc_stack.ss_sp = stack;
    other_context.uc_stack.ss_size = sizeof stack;
    other_context.uc_link = &main_context;
    makecontext(&other_context, on_other_stack, 0);
    cr_assert_eq(swapcontext(&main_context, &other_context), 0);
}

Test(gc_host, stacks_of_the_hosts_own_making) {
    hosted(collect_in_between, '2', 64 << 10);
    run_on_other_stack();
    cr_assert_eq(other_sum, 151);
}

static int depth;

static wasmx_status go_elsewhere(void *env, wasmx_instance *caller, const wasmx_value *args, wasmx_value *results) {
    if (!depth++) run_on_other_stack();
    return collect_in_between(env, caller, args, results);
}

Test(gc_host, a_guest_on_a_stack_of_the_hosts_below_a_guest) {
    wasmx_instance *i = hosted(go_elsewhere, '2', 64 << 10);
    cr_assert_eq(gc_call(i, "across", 10, 0), 31);
    cr_assert_eq(other_sum, 151);
}

// Left in the middle: nothing says how deep that stack is, so nothing is collected, and nothing is lost.
static wasmx_status leave_for_main(void *env, wasmx_instance *caller, const wasmx_value *args, wasmx_value *results) {
    (void)env, (void)caller;
    if (!depth++) swapcontext(&other_context, &main_context);
    results[0] = args[0];
    return WASMX_OK;
}

Test(gc_host, a_stack_that_is_not_known_is_not_guessed) {
    wasmx_instance *i = hosted(leave_for_main, '2', 64 << 10);
    run_on_other_stack();
    gc_trap(i, "garbage", 1000000, 0, WASMX_TRAP_HEAP_EXHAUSTED);
    cr_assert_eq(swapcontext(&main_context, &other_context), 0);
    cr_assert_eq(other_sum, 151);
    gc_call(i, "garbage", 1000000, 0);
}

// ---- Several instances

static const char library[] = BOXES
    "func make i32 : #0 : = local.get 0 struct.new 0 end\n"
    "func make_wide i32 : #0 : = local.get 0 ref.null any struct.new 1 end\n"
    "func read #0 : i32 : = local.get 0 struct.get 0 0 end\n";
static const char user[] = BOXES
    "import lib make i32 : #0\n"
    "import lib make_wide i32 : #0\n"
    "import lib read #0 : i32\n"
    "global mine mut #0? = ref.null 0 end\n"
    "func keep i32 : : = local.get 0 call 0 global.set 0 end\n"
    "func kept : i32 : = global.get 0 ref.as_non_null call 2 end\n"
    "func own i32 : i32 : = local.get 0 struct.new 0 call 2 local.get 0 call 0 struct.get 0 0 i32.add end\n"
    "func wide i32 : i32 : = local.get 0 call 1 ref.test 1 local.get 0 call 0 ref.test 1 i32.const 10 i32.mul i32.add end\n"
    "func garbage i32 : : = loop void local.get 0 if void local.get 0 struct.new 0 drop"
    " local.get 0 i32.const 1 i32.sub local.set 0 br 1 end end end\n";

Test(gc_host, linked_instances_share_a_heap) {
    wasmx_linker *l = wasmx_linker_new();
    wasmx_instance *lib = gc_start(gc_module(library, '2'), NULL);
    wasmx_root *early = wasmx_root_new(lib, ref_value(gc_ref(lib, "make", 12)));
    wasmx_linker_define_instance(l, "lib", lib);
    const wasmx_module *m = gc_module(user, '2');
    wasmx_instance *a = gc_start(m, &(wasmx_options){.linker = l}), *b = gc_start(m, &(wasmx_options){.linker = l});
    gc_call(a, "keep", 40, 0);
    gc_call(b, "keep", 41, 0);
    cr_assert_eq(gc_call(a, "own", 21, 0), 42);
    cr_assert_eq(gc_call(a, "wide", 1, 0), 1); // the same types, declared twice
    gc_call(a, "garbage", 1000000, 0);
    gc_call(b, "garbage", 1000000, 0);
    cr_assert_eq(gc_call(a, "kept", 0, 0), 40);
    cr_assert_eq(gc_call(b, "kept", 0, 0), 41);
    cr_assert_eq(pass_to(lib, "read", wasmx_root_get(early).externref), 12);
    cr_assert_eq(gc_stats(a).collections, gc_stats(lib).collections);
    wasmx_instance_free(a);
    wasmx_gc_collect(b);
    cr_assert_eq(gc_call(b, "kept", 0, 0), 41);
    wasmx_instance_free(b);
    wasmx_gc_collect(lib);
    cr_assert_eq(pass_to(lib, "read", wasmx_root_get(early).externref), 12);
    wasmx_instance_free(lib);
    wasmx_root_free(early);
}

Test(gc_host, two_heaps_are_not_linked) {
    static const char calls[] = "type struct\ntable t func? 4\nglobal g mut func? = ref.null func end\n"
                                "func twice i32 : i32 : = struct.new 0 drop local.get 0 end\n"
                                "func take func? : : = end\n";
    const wasmx_module *m = gc_module(calls, '1');
    wasmx_instance *a = gc_start(m, NULL), *b = gc_start(m, NULL);
    wasmx_table *t = gc_export(a, "t").of.table;
    gc_call(a, "twice", 1, 0);
    cr_assert(wasmx_table_set(t, 0, (wasmx_value){.funcref = gc_func(a, "twice")}));
    gc_call(b, "twice", 1, 0); // now both have one
    cr_assert_not(wasmx_table_set(t, 0, (wasmx_value){.funcref = gc_func(b, "twice")}));
    cr_assert_eq(wasmx_table_grow(t, 1, (wasmx_value){.funcref = gc_func(b, "twice")}), UINT64_MAX);
    cr_assert_not(wasmx_global_set(gc_export(a, "g").of.global, (wasmx_value){.funcref = gc_func(b, "twice")}));
    wasmx_value f = {.funcref = gc_func(b, "twice")};
    cr_assert_eq(wasmx_call(gc_func(a, "take"), &f, NULL), WASMX_TRAP_HOST);
    cr_assert(strstr(wasmx_last_trap(a)->message, "cannot be linked"), "%s", wasmx_last_trap(a)->message);
    wasmx_linker *l = wasmx_linker_new();
    wasmx_linker_define(l, "x", "a", (wasmx_extern){.kind = WASMX_FUNC, .of.func = gc_func(a, "twice")});
    wasmx_linker_define(l, "x", "b", (wasmx_extern){.kind = WASMX_FUNC, .of.func = gc_func(b, "twice")});
    wasmx_error err = {""};
    const wasmx_module *both = gc_module("import x a i32 : i32\nimport x b i32 : i32\nfunc f : : = end\n", '1');
    cr_assert_null(wasmx_instantiate(both, &(wasmx_options){.linker = l}, &err));
    cr_assert(strstr(err.message, "import \"x\" \"b\": instances of which each has objects"), "%s", err.message);
    gc_call(a, "twice", 1, 0); // both are as they were
    gc_call(b, "twice", 1, 0);
}

// ---- Hostile guests

Test(gc_host, places_in_arrays_do_not_wrap) {
    for (const char *level = "02"; *level; level++) {
        wasmx_instance *i = gc_start(gc_module(BOXES
            "type array mut i64\n"
            "data 0102030405060708\n"
            "func get i32 i32 : i32 : = local.get 0 array.new_default 5 local.get 1 array.get 5 i32.wrap_i64 end\n"
            "func set i32 i32 : i32 : = local.get 0 array.new_default 5 local.get 1 i64.const -1 array.set 5 i32.const 0 end\n"
            "func fill i32 i32 : i32 : = i32.const 16 array.new_default 5 local.get 0 i64.const 1 local.get 1 array.fill 5"
            " i32.const 0 end\n"
            "func copy i32 i32 : i32 : = i32.const 16 array.new_default 5 local.get 0 i32.const 16 array.new_default 5"
            " i32.const 0 local.get 1 array.copy 5 5 i32.const 0 end\n"
            "func copy_from i32 i32 : i32 : = i32.const 16 array.new_default 5 i32.const 0 i32.const 16 array.new_default 5"
            " local.get 0 local.get 1 array.copy 5 5 i32.const 0 end\n"
            "func init i32 i32 : i32 : = i32.const 16 array.new_default 2 local.get 0 i32.const 0 local.get 1"
            " array.init_data 2 0 i32.const 0 end\n"
            "func data i32 i32 : i32 : = local.get 0 local.get 1 array.new_data 2 0 array.len end\n", *level), NULL);
        const wasmx_status outside = WASMX_TRAP_ARRAY_OUT_OF_BOUNDS;
        const int32_t far[] = {16, 17, 0x10000000, 0x1fffffff, 0x20000000, 0x7fffffff, INT32_MIN, -1, -2, -16};
        for (size_t k = 0; k < sizeof far / sizeof *far; k++) {
            gc_trap(i, "get", 16, far[k], outside);
            gc_trap(i, "set", 16, far[k], outside);
            gc_trap(i, "fill", far[k], 1, outside);
            gc_trap(i, "fill", 15, far[k], outside);
            gc_trap(i, "copy", far[k], 16, outside);
            gc_trap(i, "copy", 8, far[k], outside);
            gc_trap(i, "copy_from", far[k], 16, outside);
            gc_trap(i, "copy_from", 8, far[k], outside);
            gc_trap(i, "init", far[k], 8, outside);
            gc_trap(i, "data", far[k], 8, WASMX_TRAP_MEMORY_OUT_OF_BOUNDS);
            gc_trap(i, "data", 8, far[k], WASMX_TRAP_MEMORY_OUT_OF_BOUNDS);
        }
        gc_trap(i, "get", 0, 0, outside);
        cr_assert_eq(gc_call(i, "get", 1, 0), 0);
        gc_trap(i, "get", -1, 0, WASMX_TRAP_HEAP_EXHAUSTED);
        gc_trap(i, "get", 0x20000000, 0, WASMX_TRAP_HEAP_EXHAUSTED);
    }
}

Test(gc_host, heaps_without_guards_work_too) {
    wasmx_instance *i = gc_start(gc_module_for(BOXES COMMON, '2', WASMX_BOUNDS_EXPLICIT), NULL);
    gc_call(i, "garbage", 1000000, 0);
    cr_assert_eq(pass_to(i, "open", gc_ref(i, "box", 5)), 5);
}
