// compiler/emit_idiom.c: what is put in front of the body of a known function (idiom.c).
//
//   if C says what happens, to many bytes: the host's memmove, memset or memchr, and return
//   otherwise: the body, as if nothing were known
//
// So nothing rests on the table but the meaning of the common case: bounds are compared here, and whatever is past
// them, overlaps or has no end is the body's to do, with its traps.
#include "compiler/emit.h"

#define FEW 32u                // bytes: the body is as fast
#define SEARCHED (1u << 20)    // bytes: so long is a search that cannot be interrupted

static v argument(fn *f, unsigned i) { return zext64(f, LLVMGetParam(f->llvm, i + 1)); }

// Goes on where the condition holds, else in the body.
static void go_on_if(fn *f, v condition, LLVMBasicBlockRef body) {
    LLVMBasicBlockRef next = new_block(f, "");
    LLVMBuildCondBr(f->b, condition, next, body);
    go_on(f, next);
}

static v is_at_least(fn *f, v a, v b) { return LLVMBuildICmp(f->b, LLVMIntUGE, a, b, ""); }

static void go_on_if_inside(fn *f, mem *m, v start, v count, LLVMBasicBlockRef body) {
    v end = LLVMBuildNUWAdd(f->b, start, count, "");
    go_on_if(f, is_at_least(f, memory_bytes(f, m), end), body);
}

// -n < to - from < n: the regions share bytes.
static void go_on_if_apart(fn *f, v to, v from, v n, LLVMBasicBlockRef body) {
    v distance = LLVMBuildAdd(f->b, LLVMBuildSub(f->b, to, from, ""), LLVMBuildSub(f->b, n, ci64(f->p, 1), ""), "");
    v most = LLVMBuildSub(f->b, LLVMBuildShl(f->b, n, ci64(f->p, 1), ""), ci64(f->p, 1), "");
    go_on_if(f, is_at_least(f, distance, most), body);
}

static void emit_copy(fn *f, mem *m, bool apart, LLVMBasicBlockRef body) {
    v to = argument(f, 0), from = argument(f, 1), n = argument(f, 2);
    go_on_if(f, is_at_least(f, n, ci64(f->p, FEW)), body);
    go_on_if_inside(f, m, to, n, body);
    go_on_if_inside(f, m, from, n, body);
    if (apart) go_on_if_apart(f, to, from, n, body);
    copy_bytes(f, m, to, m, from, n);
    LLVMBuildRet(f->b, LLVMGetParam(f->llvm, 1));
}

static void emit_set(fn *f, mem *m, LLVMBasicBlockRef body) {
    v to = argument(f, 0), n = argument(f, 2), byte = LLVMBuildTrunc(f->b, LLVMGetParam(f->llvm, 2), f->p->i8, "");
    go_on_if(f, is_at_least(f, n, ci64(f->p, FEW)), body);
    go_on_if_inside(f, m, to, n, body);
    fill_bytes(f, m, to, byte, n);
    LLVMBuildRet(f->b, LLVMGetParam(f->llvm, 1));
}

// Of eight bytes: is none of them zero?
static v has_no_zero(fn *f, v word) {
    const uint64_t ones = 0x0101010101010101;
    v below = LLVMBuildSub(f->b, word, ci64(f->p, ones), ""), high = LLVMBuildNot(f->b, word, "");
    v zeros = LLVMBuildAnd(f->b, LLVMBuildAnd(f->b, below, high, ""), ci64(f->p, ones << 7), "");
    return LLVMBuildICmp(f->b, LLVMIntEQ, zeros, ci64(f->p, 0), "");
}

// Most strings are short: only what does not end in its first eight bytes is searched by the host.
static void emit_length(fn *f, mem *m, LLVMBasicBlockRef body) {
    v start = argument(f, 0), eight = ci64(f->p, 8);
    go_on_if_inside(f, m, start, eight, body);
    v first = LLVMBuildLoad2(f->b, f->p->i64, byte_at(f, m, start), "");
    LLVMSetAlignment(first, 1);
    set_scope(f->p, first, SCOPE_HEAP);
    go_on_if(f, has_no_zero(f, first), body);
    v at = LLVMBuildNUWAdd(f->b, start, eight, ""), room = LLVMBuildSub(f->b, memory_bytes(f, m), at, "");
    if (f->p->u->interruptible) // the body looks
        room = intrinsic1(f, UMIN, f->p->i64, (v[]){room, ci64(f->p, SEARCHED)}, 2);
    v length = call_helper(f->p, HELP_find_zero, (v[]){byte_at(f, m, at), room}, 2);
    go_on_if(f, LLVMBuildICmp(f->b, LLVMIntNE, length, ci64(f->p, UINT64_MAX), ""), body);
    LLVMBuildRet(f->b, LLVMBuildTrunc(f->b, LLVMBuildAdd(f->b, length, eight, ""), f->p->i32, ""));
}

void emit_idiom(fn *f) {
    wx_idiom idiom = f->p->u->facts.funcs[f->index].idiom;
    if (idiom == WX_IDIOM_NONE || f->frame) return;
    LLVMBasicBlockRef body = new_block(f, "");
    mem m = open_memory(f, 0);
    switch (idiom) {
    case WX_IDIOM_NONE: break;
    case WX_IDIOM_MEMCPY: emit_copy(f, &m, true, body); break;
    case WX_IDIOM_MEMMOVE: emit_copy(f, &m, false, body); break;
    case WX_IDIOM_MEMSET: emit_set(f, &m, body); break;
    case WX_IDIOM_STRLEN: emit_length(f, &m, body); break;
    }
    go_on(f, body);
}
