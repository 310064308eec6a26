// runtime/instance.c: from a module to a running instance, and its end.
//
// in: a module, options; out: an instance laid out as abi.h draws it, or an error. An instance whose module has a
// memory 0 of its own lies in front of that memory, in the same mapping; any other is a plain allocation.
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "runtime/gc.h"

// ---- Where it lies

static bool has_memory0(const wasmx_module *m) { return m->memory_count && !m->memories[0].import; }

static wx_memory_limits limits_of(const wasmx_module *m, uint32_t k, const wasmx_options *options) {
    const wxrt_memdesc *d = &m->memories[k];
    return (wx_memory_limits){.min = d->min, .max = d->max, .has_max = d->has_max, .is64 = d->is64,
                              .is_shared = d->is_shared, .explicit_bounds = m->explicit_bounds,
                              .limit = options->max_memory_bytes, .reserve = options->reserve_bytes};
}

// In front of memory 0, whole pages.
static uint64_t area_of(const wasmx_module *m) {
    return wx_round_up(m->area_size + sizeof(wasmx_instance), wx_page_size());
}

// The area, and before it the page whose loss interrupts.
static uint64_t front_of(const wasmx_module *m) {
    return m->interrupt_at ? m->interrupt_at - WXRT_LOW_GUARD : area_of(m);
}

static bool allow_interrupt_page(const wasmx_module *m, uint8_t *ctx, wasmx_error *err) {
    if (!m->interrupt_at || !mprotect(ctx - m->interrupt_at, wx_page_size(), PROT_READ)) return true;
    return wx_error_set(err, "out of memory");
}

static wasmx_instance *place_before_memory(const wasmx_module *m, const wasmx_options *options, uint64_t image,
                                           wasmx_error *err) {
    wasmx_memory memory;
    wx_memory_limits limits = limits_of(m, 0, options);
    if (!wx_memory_plan(&memory, &limits, err)) return NULL;
    if (!wx_memory_map(&memory, wx_page_size() + front_of(m), area_of(m), image, err)) return NULL;
    if (!allow_interrupt_page(m, memory.base, err)) {
        wx_memory_unmap(&memory, 0);
        return NULL;
    }
    wasmx_instance *i = (wasmx_instance *)(memory.base - WXRT_LOW_GUARD) - 1;
    i->module = m;
    *WX_AREA(i, own_memories, wasmx_memory) = memory;
    return i;
}

// Pages of its own when one of them has to be taken away at times, else from the heap.
static void *take_block(const wasmx_module *m, uint64_t size, wasmx_error *err) {
    void *p = NULL;
    if (m->interrupt_at) p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    else if ((p = aligned_alloc(64, size))) memset(p, 0, size);
    if (p && p != MAP_FAILED) return p;
    wx_error_set(err, "out of memory");
    return NULL;
}

static void give_block(void *block, uint64_t mapped) {
    if (mapped) munmap(block, mapped);
    else free(block);
}

static wasmx_instance *place_alone(const wasmx_module *m, void **block, uint64_t *mapped, wasmx_error *err) {
    uint64_t size = m->interrupt_at ? front_of(m) : wx_round_up(m->area_size + sizeof(wasmx_instance), 64);
    char *p = take_block(m, size, err);
    if (!p) return NULL;
    *block = p;
    *mapped = m->interrupt_at ? size : 0;
    wasmx_instance *i = (wasmx_instance *)(p + size) - 1;
    i->module = m;
    return i;
}

static wasmx_instance *place(const wasmx_module *m, const wasmx_options *options, const wx_image *image,
                             wasmx_error *err) {
    void *block = NULL;
    uint64_t mapped = 0;
    uint64_t serial = image ? image->serial : 0;
    wasmx_instance *i = has_memory0(m) ? place_before_memory(m, options, serial, err)
                                       : place_alone(m, &block, &mapped, err);
    if (!i) return NULL;
    if (!(i->state = calloc(1, sizeof *i->state))) {
        if (has_memory0(m)) wx_memory_unmap(WX_AREA(i, own_memories, wasmx_memory), area_of(m));
        give_block(block, mapped);
        wx_error_set(err, "out of memory");
        return NULL;
    }
    i->state->block = block;
    i->state->block_size = mapped;
    wx_watch_open(i);
    i->max_stack = options->max_stack_bytes;
    i->host = options->host;
    i->wasi = options->linker ? options->linker->wasi : NULL;
    wx_link_init(&i->state->link, i);
    i->state->max_gc_bytes = options->max_gc_bytes;
    wx_gc_open(i);
    i->stack_limit = wx_stack_limit(i->max_stack);
    return i;
}

// ---- Its memories

static bool make_memories(wasmx_instance *i, const wasmx_options *options, wasmx_error *err) {
    const wasmx_module *m = i->module;
    wasmx_memory *own = WX_AREA(i, own_memories, wasmx_memory), **all = WX_AREA(i, memories, wasmx_memory *);
    for (uint32_t k = 0; k < m->memory_count; k++) {
        if (m->memories[k].import) continue;
        all[k] = own;
        if (k > 0) {
            wx_memory_limits limits = limits_of(m, k, options);
            wasmx_memory memory;
            if (!wx_memory_plan(&memory, &limits, err) || !wx_memory_map(&memory, 0, 0, 0, err)) return false;
            *own = memory;
        }
        own++;
    }
    return true;
}

static bool fill_memories(wasmx_instance *i, const wx_image *image, wasmx_error *err) {
    for (uint32_t k = 0; image && k < i->module->memory_count; k++)
        if (!wx_image_put(image, k, WX_AREA(i, memories, wasmx_memory *)[k], err)) return false;
    return true;
}

// ---- Its tables, functions and globals

static bool make_tables(wasmx_instance *i, const wasmx_options *options, wasmx_error *err) {
    const wasmx_module *m = i->module;
    wasmx_table *next = WX_AREA(i, own_tables, wasmx_table), **all = WX_AREA(i, tables, wasmx_table *);
    for (uint32_t k = 0; k < m->table_count; k++) {
        const wxrt_tabledesc *d = &m->tables[k];
        wasmx_table *own = next;
        if (d->import) continue;
        next++;
        if (d->is_constant) continue;
        *own = (wasmx_table){.is_func = d->is_func, .is64 = d->is64, .has_max = d->has_max, .declared_max = d->max,
                             .type = d->type, .module = m, .link = &i->state->link};
        if (!wx_table_init(own, d->min, options->max_table_elements, err)) return false;
        all[k] = own;
    }
    return true;
}

static void fill_func(wasmx_instance *i, wasmx_func *f, const wxrt_funcdesc *d) {
    const wxrt_type *t = &i->module->types[d->type];
    *f = (wasmx_func){.type = *t->id, .code = d->code, .ctx = wx_ctx(i), .tail = d->tail, .thunk = d->thunk, .owner = i,
                      .signature = t};
}

static void make_refs(wasmx_instance *i) {
    const wasmx_module *m = i->module;
    wasmx_func *refs = WX_AREA(i, refs, wasmx_func), *imports = WX_AREA(i, imports, wasmx_func);
    for (uint32_t k = 0; k < m->ref_count; k++) {
        if (m->funcs[k].code) fill_func(i, &refs[k], &m->funcs[k]);
        else refs[k] = imports[m->funcs[k].index];
    }
}

wasmx_func *wx_func_at(wasmx_instance *i, uint32_t index) {
    const wasmx_module *m = i->module;
    const wxrt_funcdesc *d = &m->funcs[index];
    if (index < m->ref_count) return &WX_AREA(i, refs, wasmx_func)[index];
    if (!d->code) return &WX_AREA(i, imports, wasmx_func)[d->index];
    if (!i->state->funcs && !(i->state->funcs = calloc(m->func_count, sizeof *i->state->funcs))) return NULL;
    wasmx_func **at = &i->state->funcs[index];
    if (!*at && (*at = malloc(sizeof **at))) fill_func(i, *at, d);
    return *at;
}

static bool make_tags(wasmx_instance *i, wasmx_error *err) {
    return wx_tags_make(i) || wx_error_set(err, "out of memory");
}

static bool make_globals(wasmx_instance *i, wasmx_error *err) {
    const wasmx_module *m = i->module;
    if (!m->global_count) return true;
    memcpy(WX_AREA(i, globals, wasmx_value), m->global_image, m->global_count * sizeof(wasmx_value));
    for (uint32_t k = 0; k < m->global_count; k++)
        if (m->globals[k].import && !i->state->globals)
            if (!(i->state->globals = calloc(m->global_count, sizeof *i->state->globals)))
                return wx_error_set(err, "out of memory");
    return true;
}

wasmx_global *wx_global_at(wasmx_instance *i, uint32_t index) {
    const wasmx_module *m = i->module;
    if (!i->state->globals && !(i->state->globals = calloc(m->global_count, sizeof *i->state->globals))) return NULL;
    wasmx_global **at = &i->state->globals[index];
    if (!*at && (*at = malloc(sizeof **at)))
        **at = (wasmx_global){.type = m->globals[index].type, .is_mutable = m->globals[index].is_mutable, .module = m,
                              .cell = &WX_AREA(i, globals, wasmx_value)[index], .link = &i->state->link};
    return *at;
}

// ---- Its end

static void free_made(wasmx_instance *i) {
    const wasmx_module *m = i->module;
    for (uint32_t k = 0; i->state->funcs && k < m->func_count; k++) free(i->state->funcs[k]);
    for (uint32_t k = 0; i->state->globals && k < m->global_count; k++)
        if (!m->globals[k].import) free(i->state->globals[k]);
    free(i->state->tags);
    free(i->state->funcs);
    free(i->state->globals);
}

static void free_tables(wasmx_instance *i) {
    const wasmx_module *m = i->module;
    wasmx_table *own = WX_AREA(i, own_tables, wasmx_table);
    for (uint32_t k = 0; k < m->table_count; k++)
        if (!m->tables[k].import) free(own++->elems);
}

// Memory 0 comes last: the instance is in its mapping.
static void free_memories(wasmx_instance *i) {
    const wasmx_module *m = i->module;
    wasmx_memory *own = WX_AREA(i, own_memories, wasmx_memory);
    uint32_t count = 0;
    for (uint32_t k = 0; k < m->memory_count; k++) count += !m->memories[k].import;
    while (count--) wx_memory_unmap(&own[count], count || !has_memory0(m) ? 0 : area_of(m));
}

static void destroy(wasmx_instance *i) {
    void *block = i->state->block;
    uint64_t mapped = i->state->block_size;
    wx_watch_close(i);
    wx_heap_detach(&i->state->link);
    free_made(i);
    free_tables(i);
    free(i->state);
    free_memories(i);
    give_block(block, mapped);
}

static bool only_zombies(const wx_link *first) {
    const wx_link *l = first;
    do {
        if (!l->instance || !l->instance->state->zombie) return false;
        l = l->next;
    } while (l != first);
    return true;
}

void wx_link_end(wx_link *link) {
    wx_link *rest = link->next;
    wx_link_leave(link);
    if (rest == link || !only_zombies(rest)) return;
    while (rest) {
        wx_link *next = rest->next == rest ? NULL : rest->next;
        wasmx_instance *i = rest->instance;
        wx_link_leave(rest);
        destroy(i);
        rest = next;
    }
}

void wx_instance_end(wasmx_instance *i) {
    wx_link_end(&i->state->link);
    destroy(i);
}

void wasmx_instance_free(wasmx_instance *i) {
    if (!i) return;
    if (i->state->give_back) i->state->give_back(i);
    else wx_instance_end(i);
}

// ---- All of it

// What it put into tables of others before it failed stays callable, so it lives on with them.
static wasmx_instance *fail_start(wasmx_instance *i, const wasmx_options *options, wasmx_error *err) {
    wx_error_set(err, "%s", i->state->trap.message);
    if (options && options->trap) *options->trap = *wasmx_last_trap(i);
    if (i->state->link.next == &i->state->link) destroy(i);
    else i->state->zombie = true;
    return NULL;
}

wasmx_status wx_instance_start(wasmx_instance *i) {
    wasmx_value none[1];
    const wasmx_module *m = i->module;
    return m->init ? (wasmx_status)wx_call(i, wx_ctx(i), m->init_thunk, m->init, none) : WASMX_OK;
}

wasmx_instance *wx_instance_make(const wasmx_module *module, const wasmx_options *options, wasmx_error *err) {
    wx_loaded *loaded = wx_module_load(module, err);
    if (!loaded) return NULL;
    const wx_image *image = module->image_size ? wx_module_image(loaded) : NULL;
    if (module->image_size && !image) return wx_error_set(err, "out of memory"), NULL;
    wasmx_instance *i = place(module, options, image, err);
    if (!i) return NULL;
    bool ok = make_globals(i, err) && make_tags(i, err) && wx_resolve_imports(i, options, err) &&
              make_memories(i, options, err) && make_tables(i, options, err) && fill_memories(i, image, err);
    if (ok) {
        make_refs(i);
        return i;
    }
    wx_instance_end(i);
    return NULL;
}

wasmx_instance *wasmx_instantiate(const wasmx_module *module, const wasmx_options *options, wasmx_error *err) {
    static const wasmx_options none;
    if (options && options->trap) *options->trap = (wasmx_trap){0};
    wasmx_instance *i = wx_instance_make(module, options ? options : &none, err);
    if (!i) return NULL;
    if (options && !wx_watch_begin(i, options, err)) {
        wx_instance_end(i);
        return NULL;
    }
    return wx_instance_start(i) == WASMX_OK ? i : fail_start(i, options, err);
}

void *wasmx_host(const wasmx_instance *i) { return i->host; }
const wasmx_module *wasmx_instance_module(const wasmx_instance *i) { return i->module; }

// ---- Exports

static int compare_name(const wxrt_export *e, const char *name, size_t size) {
    int order = memcmp(e->name, name, e->name_size < size ? e->name_size : size);
    return order ? order : (e->name_size > size) - (e->name_size < size);
}

static const wxrt_export *find_export(const wasmx_module *m, const char *name, size_t size) {
    uint32_t low = 0, high = m->export_count;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        int order = compare_name(&m->exports[mid], name, size);
        if (!order) return &m->exports[mid];
        if (order < 0) low = mid + 1;
        else high = mid;
    }
    return NULL;
}

bool wasmx_export_bytes(wasmx_instance *i, const char *name, size_t size, wasmx_extern *out) {
    const wxrt_export *e = find_export(i->module, name, size);
    if (!e) return false;
    out->kind = (wasmx_extern_kind)e->kind;
    switch (e->kind) {
    case WASMX_FUNC: return (out->of.func = wx_func_at(i, e->index)) != NULL;
    case WASMX_TABLE: return (out->of.table = WX_AREA(i, tables, wasmx_table *)[e->index]) != NULL;
    case WASMX_MEMORY: return (out->of.memory = WX_AREA(i, memories, wasmx_memory *)[e->index]) != NULL;
    case WASMX_GLOBAL: return (out->of.global = wx_global_at(i, e->index)) != NULL;
    case WASMX_TAG: return (out->of.tag = i->state->tags[e->index]) != NULL;
    default: return false;
    }
}

bool wasmx_export(wasmx_instance *i, const char *name, wasmx_extern *out) {
    return wasmx_export_bytes(i, name, strlen(name), out);
}

wasmx_func *wasmx_export_func(wasmx_instance *i, const char *name) {
    wasmx_extern e;
    return wasmx_export(i, name, &e) && e.kind == WASMX_FUNC ? e.of.func : NULL;
}

wasmx_memory *wasmx_export_memory(wasmx_instance *i, const char *name) {
    wasmx_extern e;
    return wasmx_export(i, name, &e) && e.kind == WASMX_MEMORY ? e.of.memory : NULL;
}
