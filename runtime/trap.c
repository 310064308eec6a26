// runtime/trap.c: what a trap was, and where.
//
// in: a status and a place in guest code, from a signal handler, a helper or a host function; out: the trap record of
// the instance the host entered. The walk over frames reads nothing but this thread's stack between the place and the
// entry, and trusts no word of it.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/platform.h"

#define SCAN_LIMIT ((uint64_t)256 << 10) // how far a broken chain is searched for its continuation

static const char *const messages[] = {
    "ok",
#define TRAP(name, message) message,
#include "wasmx_traps.def"
#undef TRAP
};

const char *wasmx_status_message(wasmx_status status) {
    return (unsigned)status < WASMX_STATUS_COUNT ? messages[status] : "unknown status";
}

__attribute__((no_sanitize("address"))) uint64_t wx_word_at(uint64_t address) {
    return *(const volatile uint64_t *)(uintptr_t)address;
}

// ---- Walking frames: [fp] is the caller's fp, [fp + 8] the return address

static bool is_frame(uint64_t fp, uint64_t low, uint64_t high) {
    return fp >= low && fp % 8 == 0 && fp < high && high - fp >= 16;
}

static void add_place(struct wxrt_host_state *s, uint64_t address) {
    if (s->trace_count < WASMX_MAX_FRAMES && wx_ranges_find(&wx_code_ranges, address))
        s->trace[s->trace_count++] = address;
}

static void walk(struct wxrt_host_state *s, uint64_t fp, uint64_t low, uint64_t high) {
    while (is_frame(fp, low, high) && s->trace_count < WASMX_MAX_FRAMES) {
        add_place(s, wx_word_at(fp + 8) - 1);
        low = fp + 16;
        fp = wx_word_at(fp);
    }
}

// Does the chain from fp lead out of [low, high) at its upper end?
static bool is_chain(uint64_t fp, uint64_t low, uint64_t high) {
    while (is_frame(fp, low, high)) {
        low = fp + 16;
        fp = wx_word_at(fp);
    }
    return fp >= high;
}

// Host functions may be compiled without frame pointers, and then hand on a chain that leads nowhere: look for the
// lowest frame of generated code whose chain is whole.
static uint64_t mend_chain(uint64_t fp, uint64_t low, uint64_t high) {
    if (is_chain(fp, low, high)) return fp;
    uint64_t end = high - low > SCAN_LIMIT ? low + SCAN_LIMIT : high;
    for (uint64_t at = wx_round_up(low, 8); is_frame(at, low, end); at += 8)
        if (wx_ranges_find(&wx_code_ranges, wx_word_at(at + 8)) && is_chain(at, low, high)) return at;
    return fp;
}

// A function that trapped before it made its frame: its caller's return address is not in the chain yet.
static void add_frameless(struct wxrt_host_state *s, const wx_where *where, uint64_t high) {
    uint64_t start, caller_start;
    if (!where->link || !wx_find_function(where->pc, &start)) return;
    if (!wx_find_function(where->link - 1, &caller_start) || where->link - caller_start < 8) return;
    if (!wx_is_call(where->link, start)) return;
    if (is_frame(where->fp, where->sp, high) && wx_word_at(where->fp + 8) == where->link) return;
    add_place(s, where->link - 1);
}

static void set_message(wasmx_trap *trap, const char *message) {
    size_t n = strnlen(message, sizeof trap->message - 1);
    memcpy(trap->message, message, n);
    trap->message[n] = 0;
}

static struct wxrt_host_state *start_record(const wasmx_instance *instance, uint32_t status) {
    struct wxrt_host_state *s = instance->state;
    s->trap.kind = (wasmx_status)status;
    s->trap.exit_code = 0;
    s->trap.frame_count = s->trace_count = 0;
    set_message(&s->trap, messages[status]);
    return s;
}

void wx_trap_set(const wasmx_instance *instance, uint32_t status, const char *message) {
    struct wxrt_host_state *s = start_record(instance, status);
    if (message) set_message(&s->trap, message);
}

void wx_trap_record(const wx_entry *entry, uint32_t status, const wx_where *where) {
    struct wxrt_host_state *s = start_record(entry->instance, status);
    uint64_t high = (uint64_t)(uintptr_t)entry->sp;
    add_place(s, where->pc);
    add_frameless(s, where, high);
    walk(s, where->fp, where->sp, high);
}

// ---- Raised by C code

static __attribute__((noreturn)) void no_call(uint32_t status) {
    fprintf(stderr, "wasmx: a trap was raised outside of any call: %s\n", messages[status]);
    abort();
}

// The frames below the entry are nobody's any more. But later calls will have frames in the same places, with holes in
// which a collection would find what has filled the heap.
static __attribute__((noinline, noreturn, no_sanitize("address"))) void forget_and_resume(uint64_t low, void *sp,
                                                                                          uint32_t status) {
    volatile uint64_t *at = (volatile uint64_t *)(uintptr_t)low, *end = sp;
    while (at < end) *at++ = 0;
    wx_resume(sp, status);
}

static __attribute__((noinline, noreturn)) void leave(uint32_t status, const char *message, int32_t exit_code,
                                                      bool forget) {
    wx_entry *entry = wx_this_thread.top;
    if (status == WASMX_OK || status >= WASMX_STATUS_COUNT) status = WASMX_TRAP_HOST;
    if (!entry || !entry->instance) no_call(status);
    uint64_t low = (uint64_t)(uintptr_t)__builtin_frame_address(0), high = (uint64_t)(uintptr_t)entry->sp;
    struct wxrt_host_state *s = start_record(entry->instance, status);
    s->trap.exit_code = exit_code;
    if (message) set_message(&s->trap, message);
    walk(s, mend_chain(low, low, high), low, high);
    wx_this_thread.top = entry->prev;
    if (forget) forget_and_resume(low, entry->sp, status);
    wx_resume(entry->sp, status);
}

__attribute__((noinline)) void wx_raise(uint32_t status, const char *message, int32_t exit_code) {
    leave(status, message, exit_code, false);
}

void wx_raise_exhausted(void) { leave(WASMX_TRAP_HEAP_EXHAUSTED, NULL, 0, true); }

void wasmx_raise(wasmx_instance *instance, wasmx_status kind, const char *message) {
    (void)instance;
    wx_raise(kind, message, 0);
}

void wasmx_raise_exit(wasmx_instance *instance, int32_t code) {
    (void)instance;
    wx_raise(WASMX_TRAP_EXIT, NULL, code);
}

// ---- Asked for by the host

const wasmx_trap *wasmx_last_trap(const wasmx_instance *instance) {
    struct wxrt_host_state *s = instance->state;
    wasmx_trap *trap = &s->trap;
    for (uint32_t i = 0; i < s->trace_count; i++)
        trap->frame_count += wx_frames_at(s->trace[i], trap->frames + trap->frame_count,
                                          WASMX_MAX_FRAMES - trap->frame_count);
    s->trace_count = 0;
    return trap;
}
