// tests/unit/test_gc_collect.c: what is reachable stays as it was, what is not is reclaimed; the limit of the heap.
#include "tests/unit/gc_code.h"

// Type 0 is a list of numbers, type 1 an array of lists, type 2 of numbers, type 3 a pair.
#define LISTS \
    "type struct mut i32 mut #0?\n" \
    "type array mut #0?\n" \
    "type array mut i32\n" \
    "type struct mut any? mut any?\n" \
    "global kept mut #0? = ref.null 0 end\n" \
    "global any mut any? = ref.null any end\n" \
    "table shelf any? 100\n" \
    "func garbage i32 : : i32 = loop void local.get 0 if void local.get 0 ref.null 0 struct.new 0 drop" \
    " local.get 0 i32.const 1 i32.sub local.set 0 br 1 end end end\n" /* func 0 */ \
    "func list i32 : #0? : #0? = loop void local.get 0 if void local.get 0 local.get 1 struct.new 0 local.set 1" \
    " i32.const 3 call 0 local.get 0 i32.const 1 i32.sub local.set 0 br 1 end end local.get 1 end\n" /* func 1 */ \
    "func sum #0? : i32 : i32 = loop void local.get 0 ref.is_null i32.eqz if void" \
    " local.get 1 local.get 0 struct.get 0 0 i32.add local.set 1" \
    " local.get 0 struct.get 0 1 local.set 0 br 1 end end local.get 1 end\n" /* func 2 */ \
    "func keep i32 : : = local.get 0 call 1 global.set 0 end\n" \
    "func kept_sum : i32 : = global.get 0 call 2 end\n" \
    "func forget : : = ref.null 0 global.set 0 end\n"

static const char *const levels = "0123sl";

#define EACH_LEVEL(m) for (const char *m##_level = levels; *m##_level; m##_level++)

static wasmx_instance *lists(const char *more, char level, uint64_t limit) {
    char *text = malloc(strlen(LISTS) + strlen(more) + 1);
    strcat(strcpy(text, LISTS), more);
    wasmx_instance *i = gc_start(gc_module(text, level), &(wasmx_options){.max_gc_bytes = limit});
    free(text);
    return i;
}

Test(gc_collect, garbage_is_reclaimed) {
    EACH_LEVEL(m) {
        wasmx_instance *i = lists("", *m_level, 1 << 20);
        gc_call(i, "garbage", 4000000, 0); // 64 MB
        wasmx_gc_stats s = gc_stats(i);
        cr_assert_geq(s.collections, 10);
        cr_assert_eq(s.max_bytes, 1 << 20);
        cr_assert_leq(s.bytes, 1 << 20);
    }
}

Test(gc_collect, modules_without_objects_have_no_heap) {
    wasmx_instance *i = lists("", '1', 0);
    cr_assert_eq(gc_stats(i).max_bytes, 0); // nor has one that has made none yet
    gc_call(i, "garbage", 1, 0);
    cr_assert_eq(gc_stats(i).max_bytes, 256 << 20);
}

Test(gc_collect, a_list_survives_while_garbage_is_made) {
    EACH_LEVEL(m) {
        wasmx_instance *i = lists("", *m_level, 1 << 20);
        gc_call(i, "keep", 10000, 0);
        cr_assert_eq(gc_call(i, "kept_sum", 0, 0), 10000 * 10001 / 2);
        gc_call(i, "garbage", 1000000, 0);
        cr_assert_eq(gc_call(i, "kept_sum", 0, 0), 10000 * 10001 / 2);
        cr_assert_geq(gc_stats(i).collections, 10);
    }
}

Test(gc_collect, a_long_list_needs_no_native_stack) {
    wasmx_instance *i = lists("", '1', 64 << 20);
    gc_call(i, "keep", 1000000, 0);
    wasmx_gc_collect(i);
    cr_assert_eq(gc_call(i, "kept_sum", 0, 0), (int32_t)((int64_t)1000000 * 1000001 / 2));
}

Test(gc_collect, cycles_live_and_die) {
    EACH_LEVEL(m) {
        wasmx_instance *i = lists(
            "func cycle i32 : #0 : #0? = local.get 0 ref.null 0 struct.new 0 local.tee 1 local.get 1 struct.set 0 1"
            " local.get 1 ref.as_non_null end\n"
            "func cycles i32 : : = loop void local.get 0 if void local.get 0 call 6 drop"
            " local.get 0 i32.const 1 i32.sub local.set 0 br 1 end end end\n"
            "func keep_cycle i32 : : = local.get 0 call 6 global.set 0 end\n"
            "func read_cycle : i32 : = global.get 0 struct.get 0 1 struct.get 0 1 struct.get 0 0 end\n", *m_level, 1 << 20);
        gc_call(i, "keep_cycle", 77, 0);
        gc_call(i, "cycles", 1000000, 0);
        cr_assert_eq(gc_call(i, "read_cycle", 0, 0), 77);
    }
}

Test(gc_collect, arrays_of_references_are_looked_into) {
    EACH_LEVEL(m) {
        wasmx_instance *i = lists(
            "func rows i32 : i32 : #1? i32 i32 = local.get 0 array.new_default 1 local.set 1"
            " loop void local.get 2 local.get 0 i32.lt_u if void local.get 1 local.get 2 local.get 2 call 1 array.set 1"
            " local.get 2 i32.const 1 i32.add local.set 2 br 1 end end"
            " i32.const 100000 call 0 i32.const 0 local.set 2"
            " loop void local.get 2 local.get 0 i32.lt_u if void local.get 3 local.get 1 local.get 2 array.get 1 call 2"
            " i32.add local.set 3 local.get 2 i32.const 1 i32.add local.set 2 br 1 end end local.get 3 end\n",
            *m_level, 1 << 20);
        int32_t sum = 0;
        for (int32_t n = 0; n < 200; n++) sum += n * (n + 1) / 2;
        cr_assert_eq(gc_call(i, "rows", 200, 0), sum);
    }
}

// Each frame has a list that nothing but its frame, or a register it saved, leads to.
Test(gc_collect, frames_and_registers_hold_objects) {
    EACH_LEVEL(m) {
        wasmx_instance *i = lists(
            "func deep i32 : i32 : #0? #0? #0? #0? #0? #0? #0? = local.get 0 i32.eqz if i32 i32.const 100000 call 0"
            " i32.const 0 else i32.const 1 call 1 local.set 1 i32.const 2 call 1 local.set 2 i32.const 3 call 1 local.set 3"
            " i32.const 4 call 1 local.set 4 i32.const 5 call 1 local.set 5 i32.const 6 call 1 local.set 6"
            " i32.const 7 call 1 local.set 7 local.get 0 i32.const 1 i32.sub call 6"
            " local.get 1 call 2 i32.add local.get 2 call 2 i32.add local.get 3 call 2 i32.add local.get 4 call 2 i32.add"
            " local.get 5 call 2 i32.add local.get 6 call 2 i32.add local.get 7 call 2 i32.add end end\n", *m_level, 1 << 20);
        cr_assert_eq(gc_call(i, "deep", 100, 0), 100 * (1 + 3 + 6 + 10 + 15 + 21 + 28));
        cr_assert_geq(gc_stats(i).collections, 1);
    }
}

// What optimised code has of the array in such a loop may be nothing but the address of an element.
Test(gc_collect, a_loop_over_elements_holds_its_array) {
    EACH_LEVEL(m) {
        wasmx_instance *i = lists(
            "func total i32 : i32 : #2? i32 i32 = local.get 0 array.new_default 2 local.set 1"
            " local.get 1 i32.const 0 i32.const 5 local.get 0 array.fill 2"
            " loop void local.get 2 local.get 0 i32.lt_u if void"
            " local.get 3 local.get 1 local.get 2 array.get 2 i32.add local.set 3"
            " local.get 2 ref.null 0 struct.new 0 drop i32.const 20 call 0"
            " local.get 2 i32.const 1 i32.add local.set 2 br 1 end end local.get 3 end\n", *m_level, 1 << 20);
        cr_assert_eq(gc_call(i, "total", 100, 0), 500);
        cr_assert_eq(gc_call(i, "total", 50000, 0), 250000);
    }
}

Test(gc_collect, tables_globals_and_segments_hold_objects) {
    EACH_LEVEL(m) {
        wasmx_instance *i = lists(
            "elem any? = i32.const 40 ref.null 0 struct.new 0 end i32.const 2 ref.i31 end ref.null any end\n"
            "func put i32 : : = local.get 0 local.get 0 call 1 table.set 0"
            " local.get 0 call 1 ref.null any struct.new 3 global.set 1 end\n"
            "func get i32 : i32 : = local.get 0 table.get 0 ref.cast? 0 call 2"
            " global.get 1 ref.cast 3 struct.get 3 0 ref.cast? 0 call 2 i32.add end\n"
            "func from_segment : i32 : = i32.const 0 i32.const 0 i32.const 2 table.init 0 0 i32.const 0 table.get 0"
            " ref.cast 0 struct.get 0 0 i32.const 1 table.get 0 ref.cast i31 i31.get_s i32.add end\n", *m_level, 1 << 20);
        gc_call(i, "put", 99, 0);
        gc_call(i, "garbage", 1000000, 0);
        cr_assert_eq(gc_call(i, "get", 99, 0), 2 * 4950);
        cr_assert_eq(gc_call(i, "from_segment", 0, 0), 42);
    }
}

Test(gc_collect, the_limit_is_a_trap_and_life_goes_on) {
    EACH_LEVEL(m) {
        wasmx_instance *i = lists("func big i32 : i32 : = local.get 0 array.new_default 2 array.len end\n", *m_level, 1 << 20);
        for (int round = 0; round < 3; round++) {
            gc_trap(i, "keep", 1000000, 0, WASMX_TRAP_HEAP_EXHAUSTED);
            cr_assert_str_eq(wasmx_last_trap(i)->message, "garbage-collected heap exhausted");
            gc_call(i, "keep", 1000, 0);
            cr_assert_eq(gc_call(i, "kept_sum", 0, 0), 500500);
            gc_trap(i, "big", 1 << 20, 0, WASMX_TRAP_HEAP_EXHAUSTED);
            gc_trap(i, "big", -1, 0, WASMX_TRAP_HEAP_EXHAUSTED);
            cr_assert_eq(gc_call(i, "big", 100000, 0), 100000);
            cr_assert_leq(gc_stats(i).bytes, 1 << 20);
        }
    }
}

Test(gc_collect, large_objects_are_reclaimed_too) {
    wasmx_instance *i = lists("func bigs i32 i32 : : = loop void local.get 0 if void local.get 1 array.new_default 2 drop"
                              " local.get 0 i32.const 1 i32.sub local.set 0 br 1 end end end\n", '2', 1 << 20);
    for (int32_t size = 1; size < 200000; size = size * 3 / 2 + 1) gc_call(i, "bigs", 500, size);
    cr_assert_leq(gc_stats(i).bytes, 1 << 20);
}

// Objects of all sizes, kept in a table and replaced at random, each with its size inside.
Test(gc_collect, sizes_mix) {
    wasmx_instance *i = lists(
        "func put i32 i32 : : = local.get 0 local.get 1 local.get 1 array.new 2 table.set 0 end\n"
        "func check i32 : i32 : #2? i32 = local.get 0 table.get 0 ref.cast? 2 local.tee 1 ref.is_null if i32 i32.const -1"
        " else loop i32 local.get 2 local.get 1 array.len i32.lt_u if i32 local.get 1 local.get 2 array.get 2"
        " local.get 1 array.len i32.ne if void unreachable end local.get 2 i32.const 1 i32.add local.set 2 br 1"
        " else local.get 1 array.len end end end end\n", '2', 8 << 20);
    int32_t sizes[100];
    memset(sizes, 0xff, sizeof sizes);
    uint64_t state = 12345;
    for (int k = 0; k < 20000; k++) {
        uint32_t at = next_random(&state) % 100, size = next_random(&state) % (k % 50 ? 100 : 20000);
        gc_call(i, "put", (int32_t)at, sizes[at] = (int32_t)size);
        at = next_random(&state) % 100;
        cr_assert_eq(gc_call(i, "check", (int32_t)at, 0), sizes[at]);
    }
    cr_assert_geq(gc_stats(i).collections, 5);
}

// Every allocation collects: whatever is not found at once is gone.
Test(gc_collect, with_a_collection_at_every_allocation) {
    setenv("WASMX_GC_STRESS", "1", 1);
    EACH_LEVEL(m) {
        wasmx_instance *i = lists("func pair i32 : i32 : #3? = local.get 0 call 1 local.get 0 ref.i31 struct.new 3"
                                  " local.get 0 call 1 ref.cast any local.get 0 ref.i31 struct.new 3 struct.new 3 local.set 1"
                                  " local.get 1 struct.get 3 0 ref.cast 3 struct.get 3 0 ref.cast 0 call 2"
                                  " local.get 1 struct.get 3 1 ref.cast 3 struct.get 3 0 ref.cast 0 call 2 i32.add end\n",
                                  *m_level, 0);
        cr_assert_eq(gc_call(i, "pair", 20, 0), 420);
        gc_call(i, "keep", 100, 0);
        cr_assert_eq(gc_call(i, "kept_sum", 0, 0), 5050);
        cr_assert_geq(gc_stats(i).collections, 400);
    }
    unsetenv("WASMX_GC_STRESS");
}

// ---- Start and pools

Test(gc_collect, a_pool_gives_back_an_empty_heap) {
    const wasmx_module *m = gc_module(LISTS
        "global made mut #0? = i32.const 7 ref.null 0 struct.new 0 end\n"
        "func first : i32 : = global.get 2 struct.get 0 0 end\n"
        "func spoil : : = global.get 2 i32.const 8 struct.set 0 0 end\n"
        "func shelved i32 : i32 : = local.get 0 table.get 0 ref.is_null end\n"
        "func shelve i32 : : = local.get 0 local.get 0 ref.null 0 struct.new 0 table.set 0 end\n", '2');
    wasmx_pool_module module = {.module = m, .options = {.max_gc_bytes = 4 << 20}};
    wasmx_error err = {""};
    wasmx_pool *p = wasmx_pool_new(&(wasmx_pool_options){.slots = 1, .modules = &module, .module_count = 1}, &err);
    cr_assert_not_null(p, "%s", err.message);
    for (int round = 0; round < 5; round++) {
        wasmx_instance *i = wasmx_pool_acquire(p, m, NULL, &err);
        cr_assert_not_null(i, "%s", err.message);
        cr_assert_eq(gc_call(i, "first", 0, 0), 7);
        cr_assert_leq(gc_stats(i).bytes, 4096); // what init made
        cr_assert_eq(gc_call(i, "kept_sum", 0, 0), 0);
        cr_assert_eq(gc_call(i, "shelved", 5, 0), 1);
        gc_call(i, "spoil", 0, 0);
        gc_call(i, "shelve", 5, 0);
        gc_call(i, "keep", round % 2 ? 1000 : 100000, 0);
        wasmx_root *root = wasmx_root_new(i, ref_value(gc_ref(i, "list", 3)));
        cr_assert_not_null(wasmx_root_get(root).externref);
        cr_assert(wasmx_pool_release(i));
        cr_assert_null(wasmx_root_get(root).externref);
        wasmx_root_free(root);
    }
    cr_assert(wasmx_pool_free(p));
}

Test(gc_collect, a_limit_in_a_pool_ends_one_request) {
    const wasmx_module *m = gc_module(LISTS, '2');
    wasmx_pool_module module = {.module = m, .options = {.max_gc_bytes = 1 << 20}};
    wasmx_error err = {""};
    wasmx_pool *p = wasmx_pool_new(&(wasmx_pool_options){.slots = 2, .modules = &module, .module_count = 1}, &err);
    for (int round = 0; round < 20; round++) {
        wasmx_instance *a = wasmx_pool_acquire(p, m, NULL, &err), *b = wasmx_pool_acquire(p, m, NULL, &err);
        gc_trap(a, "keep", 1000000, 0, WASMX_TRAP_HEAP_EXHAUSTED);
        gc_call(b, "keep", 100, 0);
        cr_assert_eq(gc_call(b, "kept_sum", 0, 0), 5050);
        wasmx_pool_release(a);
        wasmx_pool_release(b);
    }
    cr_assert(wasmx_pool_free(p));
}

// Memory that one request wrote is zeros for the next, and an object's bytes are all written or zero.
Test(gc_collect, new_objects_hold_nothing_of_old_ones) {
    EACH_LEVEL(m) {
        wasmx_instance *i = lists(
            "func write i32 : : = i32.const -1 local.get 0 array.new 2 drop end\n"
            "func read i32 : i32 : #2? i32 i32 = local.get 0 array.new_default 2 local.set 1"
            " loop void local.get 2 local.get 0 i32.lt_u if void local.get 3 local.get 1 local.get 2 array.get 2 i32.or"
            " local.set 3 local.get 2 i32.const 1 i32.add local.set 2 br 1 end end local.get 3 end\n", *m_level, 1 << 20);
        for (int k = 0; k < 3000; k++) {
            gc_call(i, "write", k % 700, 0);
            cr_assert_eq(gc_call(i, "read", k % 700, 0), 0);
        }
    }
}
