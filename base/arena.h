// base/arena.h: memory that is freed all at once.
//
// Two lifetimes exist in the compiler: the module's and one function's. Each is an arena. An allocation never
// fails: when the system has no memory left the process prints one line and exits with status 3, because nothing
// in a compiler can continue from there. The runtime (runtime/) does not use arenas.
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef struct wx_arena {
    struct wx_arena_block *head; // newest block; older ones hang behind it
    char *at, *end;              // free space inside head
    size_t total;                // bytes asked of malloc so far
} wx_arena;

// An arena starts as all zeros; there is no init function.
// Returns zeroed memory aligned to 16 bytes, owned by the arena. size 0 gives a valid, unusable pointer.
void *wx_arena_alloc(wx_arena *a, size_t size);
// Array form; exits as out of memory when count * size overflows.
void *wx_arena_array(wx_arena *a, size_t count, size_t size);
// Copies; the string form adds the terminating NUL.
void *wx_arena_dup(wx_arena *a, const void *data, size_t size);
char *wx_arena_str(wx_arena *a, const char *s, size_t len);
char *wx_arena_printf(wx_arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
// Keeps the newest block for reuse, frees the others: what a function scratch arena does between functions.
void wx_arena_reset(wx_arena *a);
// Frees everything; the arena is as new.
void wx_arena_free(wx_arena *a);

// malloc/realloc that never return NULL (exit status 3 instead).
void *wx_xmalloc(size_t size);
void *wx_xcalloc(size_t count, size_t size);
void *wx_xrealloc(void *p, size_t size);
// The array with room for one more than count; *room doubles. The new array is not cleared.
void *wx_one_more(void *array, uint32_t count, uint32_t *room, size_t size);

#define WX_NEW(a, type) ((type *)wx_arena_alloc((a), sizeof(type)))
#define WX_NEW_ARRAY(a, type, n) ((type *)wx_arena_array((a), (n), sizeof(type)))
