// tests/unit/interp_alone.c: the interpreter on a machine for which there is no LLVM here: under qemu-user.
//
//   interp_alone MODULE.wasm     what interp_alone.wat became
//
// Makes an instance by hand, with stubs, memory, a constant table and two host functions, calls every export through its
// stub, and looks whether it gives 1, or traps as its name says. Nothing is ever compiled.
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "interp/code.h"
#include "wasm/wasm.h"

// ---- What the runtime is to the interpreter

static jmp_buf back;

void wasmx_raise(wasmx_instance *i, wasmx_status kind, const char *message) {
    (void)i, (void)message;
    longjmp(back, (int)kind);
}

void wxrt_look(wasmx_instance *i) { (void)i; }

uint64_t wxrt_memory_grow(wasmx_memory *m, uint64_t delta) {
    uint64_t old = m->bytes / WXRT_PAGE;
    if (delta > (m->max_bytes - m->bytes) / WXRT_PAGE) return UINT64_MAX;
    m->bytes += delta * WXRT_PAGE;
    return old;
}

#define UNUSED(name, ...) void wxrt_##name(__VA_ARGS__) { abort(); }
UNUSED(memory_init, wasmx_instance *i, uint32_t memory, uint32_t data, uint64_t dst, uint64_t src, uint64_t n)
UNUSED(memory_copy, wasmx_instance *i, void *to, const void *from, uint64_t n)
UNUSED(memory_fill, wasmx_instance *i, void *at, uint32_t byte, uint64_t n)
UNUSED(table_init, wasmx_instance *i, uint32_t table, uint32_t elem, uint64_t dst, uint64_t src, uint64_t n)
UNUSED(table_copy, wasmx_instance *i, uint32_t to, uint32_t from, uint64_t dst, uint64_t src, uint64_t n)
UNUSED(table_fill, wasmx_instance *i, uint32_t table, uint64_t at, void *ref, uint64_t n)
UNUSED(table_set, wasmx_instance *i, uint32_t table, uint64_t at, void *ref)
UNUSED(data_drop, wasmx_instance *i, uint32_t data)
UNUSED(elem_drop, wasmx_instance *i, uint32_t elem)
void *wxrt_gc_externalize(wasmx_instance *i, void *ref) { (void)i, (void)ref; abort(); }
void *wxrt_gc_from_host(wasmx_instance *i, uint32_t kind, void *word) { (void)i, (void)kind, (void)word; abort(); }
void *wxrt_table_get(wasmx_instance *i, uint32_t table, uint64_t at) { (void)i, (void)table, (void)at; abort(); }
uint64_t wxrt_table_grow(wasmx_instance *i, uint32_t table, uint64_t delta, void *ref) {
    (void)i, (void)table, (void)delta, (void)ref;
    abort();
}

// ---- Host functions, in the convention of Wasm functions: they do not look at ctx

static double mix(int32_t a, double b, int64_t c, float d, int32_t e, int32_t f, int32_t g, int32_t h, int32_t i,
                  int64_t j, double k) {
    return a + b + (double)c + d + e + f + g + h + i + (double)j + k;
}

static double typed_mix(wasmx_instance *i, int32_t a, double b, int64_t c, float d, int32_t e, int32_t f, int32_t g,
                        int32_t h, int32_t k, int64_t j, double l) {
    return i == (void *)&back ? mix(a, b, c, d, e, f, g, h, k, j, l) : 0;
}

void wxrt_host_call(wasmx_func *f, wasmx_value *v) {
    (void)f;
    v[0].f64 = mix(v[0].i32, v[1].f64, v[2].i64, v[3].f32, v[4].i32, v[5].i32, v[6].i32, v[7].i32, v[8].i32, v[9].i64,
                   v[10].f64);
}

void wxrt_unknown_import(wasmx_func *f) {
    (void)f;
    longjmp(back, WASMX_TRAP_UNKNOWN_IMPORT);
}

// Two results are by hand: no C struct is returned in that way.
static void *two_code(void *arg, uint32_t k, wx_regs *r) {
    (void)arg, (void)k;
    float x;
    memcpy(&x, r->vecs[0], 4);
    x *= 2;
    memcpy(r->vecs[0], &x, 4);
    r->ints[0] *= 2;
    return NULL;
}

// ---- The instance

#define STUBS 512u

static wx_module m;
static wx_stubs stubs, host_stubs;
static wx_interp interp;
static wxrt_layout layout;
static char *ctx;

static void make_stubs(wx_stubs *s, void *(*enter)(void *, uint32_t, wx_regs *), void *arg) {
    uint8_t *p = mmap(NULL, 1 << 17, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) exit(2);
    *s = (wx_stubs){.enter = enter, .arg = arg, .code = p, .table = (void *)(p + (1 << 16))};
    wx_stubs_begin(s);
    for (uint32_t k = 0; k < STUBS; k++) wx_stub_write(s, k);
    __builtin___clear_cache((char *)p, (char *)p + (1 << 16));
    mprotect(p, 1 << 16, PROT_READ | PROT_EXEC);
}

static void *no_compiler(void *arg, uint32_t slot) { (void)arg, (void)slot; abort(); }
static int32_t never_hot(void *arg, wx_ifunc *f, uint32_t loop) { (void)arg, (void)f, (void)loop; return 1000; }

static uint64_t take(uint64_t *size, uint64_t bytes) { return *size = (*size + bytes + 15) & ~(uint64_t)15; }

static void make_instance(void) {
    uint64_t size = 0;
    layout.memories = take(&size, sizeof(void *));
    layout.globals = take(&size, m.global_count * sizeof(wasmx_value));
    layout.imports = take(&size, m.func_imports * sizeof(wasmx_func));
    layout.own_memories = take(&size, sizeof(wasmx_memory));
    uint64_t front = (size + sizeof(wasmx_instance) + WXRT_LOW_GUARD + 15) & ~(uint64_t)15;
    ctx = (char *)calloc(1, front + 3 * WXRT_PAGE) + front;
    uint64_t here = (uint64_t)(uintptr_t)__builtin_frame_address(0);
    wx_instance_of(ctx)->stack_limit = here - (1 << 20);
    wasmx_memory *memory = WX_ITEMS(ctx, &interp, own_memories, wasmx_memory);
    *memory = (wasmx_memory){.base = (uint8_t *)ctx, .bytes = WXRT_PAGE, .max_bytes = 3 * WXRT_PAGE};
    *WX_ITEMS(ctx, &interp, memories, wasmx_memory *) = memory;
    WX_ITEMS(ctx, &interp, imports, wasmx_func)[0].code = (void *)(uintptr_t)mix;
    WX_ITEMS(ctx, &interp, imports, wasmx_func)[1].code = wx_stub_at(&host_stubs, 0);
}

static void open_all(const uint8_t *bytes, size_t size) {
    static uint32_t image[2];
    static const uint32_t *images[] = {image};
    wx_error e = {0};
    char line[400];
    if (!wx_module_decode(&m, bytes, size, &e) || !wx_module_validate(&m, 1, &e))
        puts(wx_error_line(&e, "module", line, sizeof line)), exit(2);
    for (int i = 0; i < 2; i++) image[i] = m.elems[0].funcs[i];
    interp = (wx_interp){.m = &m, .layout = &layout, .table_images = images, .stubs = &stubs, .compile = no_compiler,
                         .hot = never_hot, .first_heat = 100};
    wx_interp_open(&interp);
    make_stubs(&stubs, wx_interp_enter, &interp);
    make_stubs(&host_stubs, two_code, NULL);
    make_instance();
}

// ---- Calls

static int run(const wx_export *x) {
    char name[64];
    int kind = 0;
    snprintf(name, sizeof name, "%.*s", (int)x->name.len, x->name.ptr);
    sscanf(name, "trap_%d", &kind);
    volatile uint32_t result = 1;
    int trapped = setjmp(back);
    if (!trapped) {
        wx_regs r = {.ints = {0}};
        wx_leave(wx_stub_at(&stubs, x->index), ctx, &r, NULL, 0);
        if (!kind) result = (uint32_t)r.ints[0];
    }
    if (trapped == kind && result == 1) return 0;
    printf("not ok %s: result %u, trap %d\n", name, result, trapped);
    return 1;
}

// ---- Between worlds: host to guest by a thunk, and there to the host again

static int adapt(const char *what, wx_adapter kind, void *self) {
    wasmx_value v[11] = {{.i32 = 1}, {.f64 = 2}, {.i64 = 4}, {.f32 = 8}, {.i32 = 16}, {.i32 = 32}, {.i32 = 64},
                         {.i32 = 128}, {.i32 = 256}, {.i64 = 512}, {.f64 = 1024}};
    void *thunk = wx_stub_at(&stubs, wx_adapter_slot(&m, WX_THUNK, m.funcs[0].type));
    void *code = wx_stub_at(&stubs, wx_adapter_slot(&m, kind, 0));
    volatile int trapped = setjmp(back);
    if (!trapped) {
        wx_regs r = {.ints = {(uint64_t)(uintptr_t)code, (uint64_t)(uintptr_t)v}};
        wx_leave(thunk, self, &r, NULL, 0);
        if (kind != WX_UNKNOWN && v[0].f64 == 2047) return 0;
    } else if (kind == WX_UNKNOWN && trapped == WASMX_TRAP_UNKNOWN_IMPORT) return 0;
    return printf("not ok %s: result %f, trap %d\n", what, v[0].f64, trapped), 1;
}

static int adapt_all(void) {
    static const uint32_t kinds[32]; // no objects
    static const wxrt_type signature = {.kinds = kinds};
    wasmx_func record = {.host = (void *)(uintptr_t)typed_mix, .owner = (void *)&back, .signature = &signature};
    return adapt("callback", WX_CALLBACK, &record) + adapt("typed", WX_TYPED, &record) +
           adapt("relay", WX_RELAY, ctx) + adapt("unknown", WX_UNKNOWN, &record);
}

int main(int argc, char **argv) {
    static uint8_t bytes[1 << 16];
    FILE *f = argc == 2 ? fopen(argv[1], "rb") : NULL;
    if (!f) return puts("usage: interp_alone MODULE.wasm"), 2;
    open_all(bytes, fread(bytes, 1, sizeof bytes, f));
    int failed = adapt_all();
    for (int round = 0; round < 2; round++)
        for (uint32_t i = 0; i < m.export_count; i++) {
            failed += run(&m.exports[i]);
            WX_ITEMS(ctx, &interp, own_memories, wasmx_memory)->bytes = WXRT_PAGE; // as it was, for ok_grow
        }
    printf("%s interp_alone: %u exports\n", failed ? "not ok" : "ok", m.export_count);
    return failed != 0;
}
