// compiler/baseline.c: the second tier's code of a function: room for it, and who learns of it.
//
// in: a translated body   out: wx_ifunc.made, entries of callers, the address map   Under the lock of who links.
#include "compiler/baseline.h"

#include <stdlib.h>

// Writes the piece where it stays, or gives its room back.
static bool write_piece(wx_space *s, wx_piece *p, size_t bound) {
    uint8_t *room = bound ? wx_space_take_code(s, bound) : NULL;
    if (!room) return false;
    bool ok = wx_baseline_write(p, room, bound);
    return wx_space_seal(s, ok ? p->end : room) && ok && wx_space_map_code(s, room, UINT32_MAX);
}

// For calls: the code in front of its entry is nobody's in a backtrace, as what calls it is the function already.
static bool make_callable(wx_space *s, wx_piece p, wx_ifunc *f) {
    uint32_t loops;
    if (!write_piece(s, &p, wx_baseline_bound(&p, &loops)) || !wx_space_map_code(s, p.entry, f->index)) return false;
    uint8_t *native = p.entry - wx_native_entry_bytes;
    atomic_store_explicit(&f->made, p.entry, memory_order_release);
    atomic_store_explicit(&s->anchor->entries[f->index], p.entry, memory_order_release);
    atomic_store_explicit(&s->stubs.table[f->index], native, memory_order_release);
    return true;
}

// For frames of the interpreter, which backtraces know already: all of it is nobody's.
static bool make_loops(wx_space *s, wx_piece p, wx_ifunc *f) {
    uint32_t count;
    size_t bound = wx_baseline_bound(&p, &count);
    p.loops = wx_xcalloc((size_t)count + 1, sizeof *p.loops);
    if (!write_piece(s, &p, bound)) {
        free(p.loops);
        return false;
    }
    atomic_store_explicit(&f->loops, p.loops, memory_order_release);
    return true;
}

bool wx_baseline_make(wx_space *s, const struct wasmx_module *module, wx_ifunc *f, bool loops) {
    const wx_body *body = atomic_load_explicit(&f->body, memory_order_acquire);
    wx_piece p = {.anchor = s->anchor, .module = module, .body = body, .func = f->index};
    if (!body || module->interrupt_at > INT32_MAX) return false;
    if (!atomic_load(&f->made) && !make_callable(s, p, f)) return false;
    return !loops || atomic_load(&f->loops) || make_loops(s, p, f);
}
