// compiler/space.c: one reservation, and how LLVM's runtime linker takes memory from it.
//
// in: sizes of sections   out: places for them   All of it belongs to who links, one object at a time.
#include "compiler/space.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MIB ((uint64_t)1 << 20)
#define CODE_FACTOR 24  // unoptimised code is some 8 times its Wasm
#define LARGEST (2047 * MIB)

static uint64_t page(void) { return (uint64_t)sysconf(_SC_PAGESIZE); }
static uint64_t page_up(uint64_t n) { return (n + page() - 1) / page() * page(); }
static uint8_t *page_end(uint8_t *at) { return (uint8_t *)(uintptr_t)page_up((uintptr_t)at); }

static uint64_t within(uint64_t low, uint64_t n, uint64_t high) { return n < low ? low : n > high ? high : n; }

bool wx_space_open(wx_space *s, uint32_t func_count, uint32_t stubs, uint64_t wasm_bytes, uint64_t data_bytes) {
    uint64_t stub_bytes = page_up(wx_stubs_size(stubs)), table = page_up(stubs * sizeof(void *));
    uint64_t anchor = page_up(wx_anchor_size(func_count));
    uint64_t code = page_up(within(64 * MIB, CODE_FACTOR * wasm_bytes, 1024 * MIB));
    uint64_t data = page_up(64 * MIB + 4 * wasm_bytes + data_bytes);
    uint64_t map = page_up((64 * 1024 + 2 * (uint64_t)stubs) * sizeof(wxrt_map));
    *s = (wx_space){.size = stub_bytes + table + anchor + code + data + map};
    if (s->size > LARGEST) return false;
    uint8_t *p = mmap(NULL, s->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) return false;
    s->base = s->stubs.code = p;
    s->stubs.table = (void *)(p += stub_bytes);
    s->anchor = (void *)(p += table);
    s->code_at = s->open = p += anchor;
    s->data_at = s->code_end = p += code;
    s->data_end = p += data;
    s->map = s->map_at = (wxrt_map *)(void *)p;
    s->map_end = s->map + map / sizeof(wxrt_map);
    return true;
}

void wx_space_close(wx_space *s) {
    if (s->base) munmap(s->base, s->size);
}

void wx_space_protect_stubs(wx_space *s) {
    uint8_t *end = (uint8_t *)(void *)s->stubs.table;
    __builtin___clear_cache((char *)s->stubs.code, (char *)end);
    mprotect(s->stubs.code, (size_t)(end - s->stubs.code), PROT_READ | PROT_EXEC);
}

static void add_entry(wx_space *s, const void *at, uint32_t func) {
    wxrt_map entry = {(int32_t)((const char *)at - (const char *)&s->map_at->at), func};
    uint64_t word;
    memcpy(&word, &entry, sizeof word);
    __atomic_store_n((uint64_t *)(void *)s->map_at++, word, __ATOMIC_RELEASE); // a backtrace may look here meanwhile
}

bool wx_space_map_stubs(wx_space *s, const uint32_t *funcs, uint32_t count) {
    if ((size_t)(s->map_end - s->map_at) < count) return false;
    for (uint32_t i = 0; i < count; i++) add_entry(s, wx_stub_at(&s->stubs, funcs[i]), funcs[i]);
    return true;
}

bool wx_space_end_map(wx_space *s, const void *at) {
    if (s->map_at == s->map_end) return false;
    add_entry(s, at, UINT32_MAX);
    return true;
}

bool wx_space_add_map(wx_space *s, const wxrt_map *map, uint32_t count) {
    if ((size_t)(s->map_end - s->map_at) < count) return false;
    for (uint32_t i = 0; i < count; i++) add_entry(s, wx_map_address(&map[i]), map[i].func);
    return true;
}

bool wx_space_map_code(wx_space *s, const void *at, uint32_t func) {
    if (s->map_at == s->map_end) return false;
    add_entry(s, at, func);
    return true;
}

static uint8_t *take(uint8_t **at, uint8_t *end, uint64_t size, uint64_t alignment) {
    uint64_t start = ((uint64_t)(uintptr_t)*at + alignment - 1) / alignment * alignment;
    if (start + size > (uint64_t)(uintptr_t)end) return NULL;
    *at = (uint8_t *)(uintptr_t)(start + size);
    return (uint8_t *)(uintptr_t)start;
}

void *wx_space_data(wx_space *s, uint64_t size) { return take(&s->data_at, s->data_end, size, 16); }

// ---- What the linker calls

static uint8_t *take_code(void *space, uintptr_t size, unsigned alignment, unsigned id, const char *name) {
    wx_space *s = space;
    (void)id, (void)name;
    return take(&s->code_at, s->code_end, size, alignment ? alignment : 16);
}

static uint8_t *take_data(void *space, uintptr_t size, unsigned alignment, unsigned id, const char *name,
                          LLVMBool read_only) {
    wx_space *s = space;
    (void)id, (void)name, (void)read_only;
    return take(&s->data_at, s->data_end, size, alignment ? alignment : 16);
}

static bool seal(wx_space *s) {
    uint8_t *end = page_end(s->code_at);
    if (end == s->open) return true;
    __builtin___clear_cache((char *)s->open, (char *)end);
    bool ok = mprotect(s->open, (size_t)(end - s->open), PROT_READ | PROT_EXEC) == 0;
    s->open = s->code_at = end;
    return ok;
}

static LLVMBool finish_code(void *space, char **message) {
    (void)message;
    return !seal(space);
}

static void *same_space(void *space) { return space; }
static void nothing(void *space) { (void)space; }

LLVMOrcObjectLayerRef wx_space_layer(void *space, LLVMOrcExecutionSessionRef session, const char *triple) {
    (void)triple;
    return LLVMOrcCreateRTDyldObjectLinkingLayerWithMCJITMemoryManagerLikeCallbacks(
        session, space, same_space, nothing, take_code, take_data, finish_code, nothing);
}

// ---- What the second tier calls

uint8_t *wx_space_take_code(wx_space *s, size_t size) { return take(&s->code_at, s->code_end, size, 16); }

bool wx_space_seal(wx_space *s, uint8_t *end) {
    s->code_at = end;
    return seal(s);
}
