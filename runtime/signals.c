// runtime/signals.c: hardware faults of generated code become traps; every other fault goes to who was there before.
//
// The handler acts only when the faulting instruction lies in generated code of a known module and this thread is in a
// call. It then records the trap and rewrites the interrupted context, so that returning from the handler continues in
// the entry assembly with the status as its result. Everything it calls is async-signal-safe.
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "runtime/platform.h"

#define STACK_GUARD ((uint64_t)1 << 20) // below a stack: its guard, or the gap the kernel keeps

static const int signals[] = {SIGSEGV, SIGBUS, WX_TRAP_SIGNAL};
static struct sigaction before[WX_COUNT(signals)];
static pthread_once_t install_once = PTHREAD_ONCE_INIT;
static bool opted_out; // written once, in install_once

static bool in_stack_guard(const wx_thread *t, uint64_t address) {
    return address < t->stack.low + wx_page_size() && address >= t->stack.low - STACK_GUARD;
}

// The status a fault of generated code stands for, or 0 when it is none of ours.
static uint32_t classify(const wx_thread *t, int sig, const siginfo_t *info, uint64_t pc) {
    if (info->si_code <= 0 || !wx_ranges_find(&wx_code_ranges, pc)) return 0;
    if (sig == WX_TRAP_SIGNAL) {
        uint32_t code = wx_trap_code((const void *)pc);
        return code < WASMX_STATUS_COUNT ? code : 0;
    }
    uint64_t address = (uint64_t)(uintptr_t)info->si_addr;
    if (wx_is_interruption(t->top->instance, address)) return WASMX_TRAP_INTERRUPTED;
    if (wx_ranges_find(&wx_memory_ranges, address)) return WASMX_TRAP_MEMORY_OUT_OF_BOUNDS;
    return in_stack_guard(t, address) ? WASMX_TRAP_STACK_EXHAUSTED : 0;
}

static void restore_default(int sig) { sigaction(sig, &(struct sigaction){.sa_handler = SIG_DFL}, NULL); }

// A fault happens again when the handler returns, now with the default action; a signal that somebody sent does not.
static void die_of(int sig, const siginfo_t *info) {
    restore_default(sig);
    if (info->si_code <= 0) raise(sig);
}

static void pass_on(int sig, siginfo_t *info, void *context) {
    const struct sigaction *old = before;
    for (size_t k = 0; k < WX_COUNT(signals); k++)
        if (signals[k] == sig) old = &before[k];
    if (!(old->sa_flags & SA_SIGINFO) && old->sa_handler == SIG_IGN && info->si_code <= 0) return;
    if (!(old->sa_flags & SA_SIGINFO) && (old->sa_handler == SIG_DFL || old->sa_handler == SIG_IGN)) {
        die_of(sig, info);
        return;
    }
    sigset_t mask = old->sa_mask;
    if (!(old->sa_flags & SA_NODEFER)) sigaddset(&mask, sig);
    pthread_sigmask(SIG_BLOCK, &mask, NULL); // returning from the signal restores it
    if (old->sa_flags & SA_SIGINFO) old->sa_sigaction(sig, info, context);
    else old->sa_handler(sig);
}

// ---- Ending what another thread runs
//
// SIGSEGV that this process sends to one of its threads: no signal is taken from the host. In guest code it is a trap;
// in the host's code it does nothing but to interrupt a system call, and the next one will find guest code.

static bool is_stop(const wx_thread *t, int sig, const siginfo_t *info) {
    return sig == SIGSEGV && info->si_code == SI_TKILL && info->si_pid == getpid() && t->is_stoppable;
}

static void stop_guest(wx_thread *t, ucontext_t *uc) {
    uint32_t status = atomic_load(&t->stop);
    if (!status || !t->top || !t->top->instance || !wx_ranges_find(&wx_code_ranges, wx_pc_of(uc))) return;
    wx_where where = wx_where_of(uc);
    wx_trap_record(t->top, status, &where);
    t->top->instance->state->trap.exit_code = t->stop_code;
    wx_continue_at(uc, t->top->sp, status);
    t->top = t->top->prev;
}

void wx_stop_thread(wx_thread *thread, pthread_t handle, uint32_t status, int32_t exit_code) {
    thread->stop_code = exit_code;
    atomic_store(&thread->stop, status);
    pthread_kill(handle, SIGSEGV);
}

void wx_stop_here(void) {
    const wx_thread *t = &wx_this_thread;
    uint32_t status = atomic_load(&t->stop);
    if (status && t->top && t->top->instance) wx_raise(status, NULL, t->stop_code);
}

bool wasmx_handle_signal(int sig, const void *siginfo, void *context) {
    int saved = errno;
    const siginfo_t *info = siginfo;
    ucontext_t *uc = context;
    wx_thread *t = &wx_this_thread;
    bool stops = is_stop(t, sig, info);
    uint32_t status = !stops && t->top && t->top->instance ? classify(t, sig, info, wx_pc_of(uc)) : 0;
    if (stops) {
        stop_guest(t, uc);
    } else if (status) {
        wx_where where = wx_where_of(uc); // reads the stack: not before it is known to be generated code's
        wx_trap_record(t->top, status, &where);
        wx_continue_at(uc, t->top->sp, status);
        t->top = t->top->prev;
    }
    errno = saved;
    return stops || status;
}

static void on_signal(int sig, siginfo_t *info, void *context) {
    int saved = errno;
    if (!wasmx_handle_signal(sig, info, context)) pass_on(sig, info, context);
    errno = saved;
}

static void install(void) {
    if (opted_out) return;
    struct sigaction ours = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    sigemptyset(&ours.sa_mask);
    for (size_t k = 0; k < WX_COUNT(signals); k++) sigaction(signals[k], &ours, &before[k]);
}

void wx_signals_install(void) { pthread_once(&install_once, install); }

static void opt_out(void) { opted_out = true; }

bool wasmx_handler_opt_out(void) {
    pthread_once(&install_once, opt_out);
    return opted_out;
}
