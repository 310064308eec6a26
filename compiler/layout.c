// compiler/layout.c: where things are: the instance area, ELF symbols, the descriptor's functions, the partitions.
//
// in: facts   out: u->layout, symbols, described, live, cuts
#include <string.h>

#include "compiler/unit.h"

// A partition ends at the first function boundary after this many bytes of Wasm code. Small enough for two cores to
// share a medium module and for LLVM to stay linear, large enough to inline within; independent of -j.
#define PARTITION_BYTES (192u << 10)
#define PARTITION_FUNCS 4000u

// Arrays are laid downwards from the instance; an offset is the distance of the array's start below the instance.
static uint64_t take(uint64_t *size, uint64_t bytes) { return *size = (*size + bytes + 15) & ~(uint64_t)15; }

static void lay_out_area(wx_unit *u) {
    const wx_module *m = u->m;
    uint64_t size = 0;
    u->layout.own_memories = take(&size, (m->memory_count - m->memory_imports) * sizeof(wasmx_memory));
    u->layout.own_tables = take(&size, (m->table_count - m->table_imports) * sizeof(wasmx_table));
    u->layout.memories = take(&size, m->memory_count * sizeof(void *));
    u->layout.tables = take(&size, m->table_count * sizeof(void *));
    u->layout.globals = take(&size, m->global_count * sizeof(wasmx_value));
    u->layout.imports = take(&size, m->func_imports * sizeof(wasmx_func));
    u->layout.refs = take(&size, u->ref_count * sizeof(wasmx_func));
    u->layout.dropped_data = take(&size, m->data_count);
    u->layout.dropped_elems = take(&size, m->elem_count);
    if (u->gc) u->layout.gc = take(&size, sizeof(struct wxrt_gc));
    if (u->gc) u->layout.elem_values = take(&size, u->elem_value_count * sizeof(uint64_t));
    u->area_size = size;
}

static void list_described(wx_unit *u) {
    const wx_module *m = u->m;
    u->funcdesc = wx_arena_array(&u->arena, m->func_count, sizeof *u->funcdesc);
    u->described = wx_arena_array(&u->arena, m->func_count, sizeof *u->described);
    for (int referenced = 1; referenced >= 0; referenced--) {
        for (uint32_t i = 0; i < m->func_count; i++) {
            const wx_func_facts *k = &u->facts.funcs[i];
            if (!k->described || k->referenced != referenced) continue;
            u->funcdesc[i] = u->described_count;
            u->described[u->described_count++] = i;
        }
        if (referenced) u->ref_count = u->described_count;
    }
    for (uint32_t i = 0; i < m->func_count; i++)
        if (!u->facts.funcs[i].described) u->funcdesc[i] = UINT32_MAX;
}

static void list_live(wx_unit *u) {
    u->live = wx_arena_array(&u->arena, u->m->func_count, sizeof *u->live);
    for (uint32_t i = u->m->func_imports; i < u->m->func_count; i++)
        if (u->facts.funcs[i].live) u->live[u->live_count++] = i;
}

// Cold functions come last; what is compiled cheaply is in partitions of its own.
static bool is_first_cold(const wx_unit *u, uint32_t i) {
    return u->options->hot_only && u->cold && i && u->cold[u->order[i]] && !u->cold[u->order[i - 1]];
}

static void cut_partitions(wx_unit *u) {
    u->cuts = wx_arena_array(&u->arena, (size_t)u->live_count + 3, sizeof *u->cuts);
    uint64_t bytes = 0, funcs = 0;
    u->part_count = 1;
    for (uint32_t i = 0; i < u->live_count; i++) {
        if (bytes >= PARTITION_BYTES || funcs >= PARTITION_FUNCS || is_first_cold(u, i)) {
            u->cuts[u->part_count++] = i;
            bytes = funcs = 0;
        }
        bytes += u->m->funcs[u->order[i]].code.len;
        funcs++;
    }
    if (u->part_count > 1) u->cuts[u->part_count++] = u->live_count; // with the descriptor and no code of the guest:
    u->cuts[u->part_count] = u->live_count; // it changes with every snapshot, when code does not (cache.h)
}

static bool is_ours(wx_name name) { return name.len >= 3 && !memcmp(name.ptr, "wx.", 3); }

// NAME.function; a second function of one name is NAME.wx.func.12.function. Names under NAME.wx. are
// ours: functions without a name are there as NAME.wx.func.12, and so are functions that claim such a name.
static void name_functions(wx_unit *u) {
    wx_map seen = {0};
    u->symbols = wx_arena_array(&u->arena, u->m->func_count, sizeof *u->symbols);
    for (uint32_t i = 0; i < u->m->func_count; i++) {
        wx_name name = u->m->funcs[i].name;
        bool plain = !u->lazy && name.len && name.len < 4096 && !memchr(name.ptr, 0, name.len) && !is_ours(name);
        int fresh = 0;
        if (plain) wx_map_put(&seen, wx_hash64(name.ptr, name.len, 0) | 1, &fresh);
        if (plain && fresh) u->symbols[i] = wx_arena_printf(&u->arena, "%s.%.*s", u->name, (int)name.len, name.ptr);
        else if (plain)
            u->symbols[i] = wx_arena_printf(&u->arena, "%s.wx.func.%u.%.*s", u->name, i, (int)name.len, name.ptr);
        else u->symbols[i] = wx_arena_printf(&u->arena, "%s.wx.func.%u", u->name, i);
    }
    wx_map_free(&seen);
}

bool wx_make_layout(wx_unit *u, wx_error *e) {
    list_described(u);
    list_live(u);
    if (u->profiling.generate || u->profiling.use)
        u->profiling.funcs = WX_NEW_ARRAY(&u->arena, wx_func_profile, u->m->func_count);
    if (u->profiling.generate) wx_plan_counters(u);
    if (u->profiling.use && !wx_match_profile(u, e)) return false;
    wx_find_cold(u);
    wx_order_functions(u);
    cut_partitions(u);
    name_functions(u);
    lay_out_area(u);
    return true;
}
