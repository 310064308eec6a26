// compiler/addresses.c: addresses that differ by a constant are computed once.
//
// A 32-bit address x + c may wrap, so zext(x + c) is not zext(x) + c, and LLVM has to compute each. But a memory ends
// 64 KiB below 4 GiB. So where an access at B = zext(b) + k of z bytes has succeeded, B + k + z <= 2^32 - 64 KiB, and
//   b + d for 0 <= d < 64 KiB + k + z   does not wrap: zext(b + d) is zext(b) + d;
//   b + d for -64 KiB <= d < 0          wraps to the last 64 KiB, where Wasm traps; zext(b) + d is then in the low
//                                       guard and traps too, if the access has no offset that would lift it out again.
// So the second access uses the first one's root with a displacement. Were the first access's trap ever lost, the
// second would still lie within the guards, for the displacement is limited to them.
#include <stdlib.h>

#include "compiler/access.h"

typedef struct fact {  // accesses that reach the current block have used this root
    v base, root;
    int32_t constant;  // the root is the key's value plus this
    int64_t proved;    // how much may be added to the root's index without a wrap
    uint32_t next;     // of the same key, place + 1
} fact;

typedef struct undo { uint64_t key; uint32_t head, fact; int64_t proved; } undo;

typedef struct sharing {
    part *p;
    const flow *w;
    wx_map heads;      // i32 value -> place + 1 of its newest fact
    fact *facts;
    undo *undos;
    uint32_t fact_count, fact_room, undo_count, undo_room;
} sharing;

#define MOST_FACTS 6   // of one value: arrays far apart; a search must end

static void remember(sharing *s, undo u) {
    s->undos = wx_one_more(s->undos, s->undo_count, &s->undo_room, sizeof u);
    s->undos[s->undo_count++] = u;
}

static void forget(sharing *s, uint32_t mark) {
    while (s->undo_count > mark) {
        undo *u = &s->undos[--s->undo_count];
        if (u->key) {
            *wx_map_put(&s->heads, u->key, NULL) = u->head;
            s->fact_count--;
        } else {
            s->facts[u->fact].proved = u->proved;
        }
    }
}

static void add_fact(sharing *s, v key, fact f) {
    uint64_t *head = wx_map_put(&s->heads, (uintptr_t)key, NULL);
    remember(s, (undo){.key = (uintptr_t)key, .head = (uint32_t)*head});
    s->facts = wx_one_more(s->facts, s->fact_count, &s->fact_room, sizeof f);
    f.next = (uint32_t)*head;
    s->facts[s->fact_count++] = f;
    *head = s->fact_count;
}

static void prove(sharing *s, fact *f, int64_t proved) {
    if (proved <= f->proved) return;
    remember(s, (undo){.fact = (uint32_t)(f - s->facts), .proved = f->proved});
    f->proved = proved;
}

// What an access displaced by d from a root may be: see the top. Sums of d and k stay within the guards.
static bool is_equal(const fact *f, int64_t d, int64_t k, uint64_t size) {
    if (k < 0) d += k, k = 0; // emit_memory.c folded a negative constant: the address was index + k, with no offset
    if (d < 0) return k == 0 && d >= -(int64_t)WXRT_LOW_GUARD;
    return d < f->proved && d + k + (int64_t)size <= (int64_t)WXRT_HIGH_GUARD;
}

static void displace(sharing *s, v access, v root, int64_t displacement) {
    LLVMPositionBuilderBefore(s->p->b, access);
    v pointer = displacement ? byte_offset(s->p, root, displacement) : root;
    LLVMSetOperand(access, LLVMIsALoadInst(access) ? 0 : 1, pointer);
}

static void share(sharing *s, v access) {
    v pointer = access_pointer(s->p, access);
    int64_t k;
    v root = pointer ? access_root(pointer, &k) : NULL;
    if (!root) return;
    int32_t c;
    v key = split_constant(root_index(root), &c);
    if (LLVMIsAConstant(key)) return;
    uint64_t *head = wx_map_get(&s->heads, (uintptr_t)key), size = access_size(s->p, access);
    unsigned seen = 0;
    for (uint32_t at = head ? (uint32_t)*head : 0; at && seen < MOST_FACTS; at = s->facts[at - 1].next, seen++) {
        fact *f = &s->facts[at - 1];
        int64_t d = (int32_t)((uint32_t)c - (uint32_t)f->constant);
        if (f->base != root_base(root) || !is_equal(f, d, k, size)) continue;
        if (f->root != root) displace(s, access, f->root, d + k);
        prove(s, f, (int64_t)WXRT_PAGE + d + k + (int64_t)size);
        return;
    }
    add_fact(s, key, (fact){root_base(root), root, c, (int64_t)WXRT_PAGE + k + (int64_t)size, 0});
}

void share_addresses(part *p, const flow *w) {
    sharing s = {.p = p, .w = w};
    uint32_t *marks = wx_xmalloc(w->count * sizeof *marks), *open = wx_xmalloc(w->count * sizeof *open), depth = 0;
    for (uint32_t i = 0; i < w->count; i++) {
        uint32_t b = w->order[i];
        while (depth && !flow_dominates(w, open[depth - 1], b)) forget(&s, marks[--depth]);
        open[depth] = b;
        marks[depth++] = s.undo_count;
        for (EACH_INSTRUCTION(access, w->blocks[b])) share(&s, access);
    }
    wx_map_free(&s.heads);
    free(s.facts);
    free(s.undos);
    free(marks);
    free(open);
}
