// compiler/lend.c: small functions of other partitions, so that they can be inlined in this one.
//
// in: the partition's own functions, emitted   out: bodies of what they call, available_externally
// LLVM inlines such a body or drops it; code of the function is made where it belongs. One level: what lent functions
// call is only declared. Needs and breaks nothing; the pipeline has to drop what is left (elim-avail-extern).
#include "compiler/part.h"

#define SMALL 64u             // bytes of Wasm
#define MOST_BYTES (16u << 10) // lent to one partition

static bool is_in_plan(const wx_unit *u, const wx_plan *plan, uint32_t func) {
    uint32_t first = (uint32_t)(plan->funcs - u->order);
    return u->place[func] >= first && u->place[func] - first < plan->count;
}

// With a profile that says it is cold, a call of it is nothing to speed up.
static bool is_lent(const part *p, uint32_t func) {
    const wx_func *f = &p->u->m->funcs[func];
    return p->funcs[func] && f->import == WX_NO_INDEX && f->code.len <= SMALL && !p->u->facts.funcs[func].tail &&
           !(p->u->cold && p->u->cold[func]) && !is_in_plan(p->u, p->plan, func);
}

static void lend_to(part *p, uint32_t func) {
    emit_function(p, func);
    LLVMSetLinkage(p->funcs[func], LLVMAvailableExternallyLinkage);
}

void lend_functions(part *p) {
    const wx_unit *u = p->u;
    if (u->part_count == 1 || u->lazy || u->opt_level < 2 || u->opt_size || p->plan->cheap || !p->plan->count) return;
    wx_buf lent = {0};
    uint32_t bytes = 0;
    for (uint32_t i = u->m->func_imports; i < u->m->func_count && bytes < MOST_BYTES; i++) {
        if (!is_lent(p, i)) continue;
        wx_buf_add(&lent, &i, sizeof i);
        bytes += u->m->funcs[i].code.len;
    }
    for (size_t i = 0; i < lent.len / sizeof(uint32_t); i++) lend_to(p, ((uint32_t *)(void *)lent.data)[i]);
    wx_buf_free(&lent);
}
