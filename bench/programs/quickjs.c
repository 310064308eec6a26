// quickjs: the engine of an npm package (bench/packages.mjs), which evaluates quickjs.js: objects, strings, regular expressions,
// sorting, closures, numbers. Memory is handed out here, so that no C library's malloc is part of what is compared.
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "quickjs.h"

// ---- Memory: lists of free blocks by size, powers of two and the halves between them. Nothing goes back to the system.

enum { AHEAD = 16, CLASSES = 60, CHUNK = 1 << 20 };
typedef union block { union block *next; uint32_t class; char room[AHEAD]; } block;
static block *free_blocks[CLASSES];
static char *chunk, *chunk_end;

static uint32_t class_size(uint32_t class) { return (class & 1 ? 48u : 32u) << (class >> 1); }

static uint32_t class_of(size_t size) {
    if (size <= 32) return 0;
    uint32_t top = 31 - (uint32_t)__builtin_clz((uint32_t)size - 1);
    return 2 * (top - 5) + (((uint32_t)size - 1) >> (top - 1) & 1 ? 2 : 1);
}

static block *fresh(uint32_t size) {
    if ((size_t)(chunk_end - chunk) < size) {
        size_t room = size > CHUNK ? size : CHUNK;
        chunk = malloc(room);
        if (!chunk) abort();
        chunk_end = chunk + room;
    }
    block *b = (block *)chunk;
    chunk += size;
    return b;
}

static void *give(JSMallocState *s, size_t size) {
    if (size > 1u << 29) return NULL;
    uint32_t class = class_of(size + AHEAD);
    block *b = free_blocks[class];
    if (b) free_blocks[class] = b->next;
    else b = fresh(class_size(class));
    b->class = class;
    s->malloc_size += class_size(class); // by which the engine decides when to look for cycles
    return b + 1;
}

static void take(JSMallocState *s, void *at) {
    if (!at) return;
    block *b = (block *)at - 1;
    uint32_t class = b->class;
    s->malloc_size -= class_size(class);
    b->next = free_blocks[class];
    free_blocks[class] = b;
}

static size_t room_of(const void *at) { return class_size(((const block *)at - 1)->class) - AHEAD; }

static void *give_again(JSMallocState *s, void *at, size_t size) {
    if (!at) return give(s, size);
    if (!size) return take(s, at), NULL;
    if (size <= room_of(at)) return at;
    void *other = give(s, size);
    if (!other) return NULL;
    memcpy(other, at, room_of(at));
    take(s, at);
    return other;
}

// ---- The engine

enum { ROUNDS = 12 };
static const char program[] = {
#embed "quickjs.js" suffix(, 0)
};
static JSContext *context;

static JSValue checked(JSValue value) {
    if (!JS_IsException(value)) return value;
    const char *text = JS_ToCString(context, JS_GetException(context));
    printf("%s\n", text ? text : "an exception");
    exit(1);
}

static void prepare(void) {
    static const JSMallocFunctions memory = {give, take, give_again, room_of};
    context = JS_NewContext(JS_NewRuntime2(&memory, NULL));
    if (!context) abort();
    checked(JS_Eval(context, program, sizeof program - 1, "quickjs.js", JS_EVAL_TYPE_GLOBAL));
}

static uint64_t work(void) {
    JSValue global = JS_GetGlobalObject(context), rounds = JS_NewInt32(context, ROUNDS);
    JSValue run = checked(JS_GetPropertyStr(context, global, "run"));
    int32_t sum = 0;
    JS_ToInt32(context, &sum, checked(JS_Call(context, run, global, 1, &rounds)));
    return (uint32_t)sum;
}
