// tests/unit/test_runtime_signals.c: faults that are not the guest's go to whoever handled them before.
#include <setjmp.h>
#include <signal.h>
#include <unistd.h>

#include "tests/unit/runtime_code.h"

static const char text[] = "(module (import \"env\" \"crash\" (func $crash (param i32) (result i32))) (memory 1)"
                           " (func (export \"crash\") (param i32) (result i32) (call $crash (local.get 0)))"
                           " (func (export \"load\") (param i32) (result i32) (i32.load (local.get 0))))";

static sigjmp_buf back;
static volatile sig_atomic_t seen, seen_code;
static void *seen_address;

static void with_info(int sig, siginfo_t *info, void *context) {
    (void)context;
    seen = sig;
    seen_code = info->si_code;
    seen_address = info->si_addr;
    if (info->si_code > 0) siglongjmp(back, 1);
}

static void leave(int sig) { _exit(sig + 40); }

static int32_t crash(wasmx_instance *caller, int32_t at) {
    (void)caller;
    volatile uintptr_t address = (uint32_t)at;
    return *(volatile int32_t *)address;
}

static wasmx_instance *begin(void) {
    wasmx_linker *l = wasmx_linker_new();
    wasmx_linker_define_typed(l, "env", "crash", "i:i", (void (*)(void))crash);
    return start_with(compile(text), &(wasmx_options){.linker = l});
}

static void handle(void (*info)(int, siginfo_t *, void *), void (*simple)(int)) {
    struct sigaction a = {.sa_flags = info ? SA_SIGINFO : 0};
    if (info) a.sa_sigaction = info;
    else a.sa_handler = simple;
    sigaction(SIGSEGV, &a, NULL);
}

Test(runtime_signals, host_faults_reach_the_earlier_handler) {
    handle(with_info, NULL);
    wasmx_instance *i = begin();
    if (!sigsetjmp(back, 1)) crash(i, 64);
    cr_assert_eq(seen, SIGSEGV);
    cr_assert_eq(seen_address, (void *)64);
    seen = 0;
    expect_trap(i, "load", -1, 0, WASMX_TRAP_MEMORY_OUT_OF_BOUNDS);
    cr_assert_eq(seen, 0);
}

Test(runtime_signals, faults_of_host_functions_are_not_traps, .exit_code = SIGSEGV + 40) {
    handle(NULL, leave);
    (void)!try_call(begin(), "crash", 64, 0, NULL);
    cr_assert_fail("the fault became a trap");
}

Test(runtime_signals, sent_signals_are_passed_on) {
    handle(with_info, NULL);
    begin();
    raise(SIGSEGV);
    cr_assert_eq(seen, SIGSEGV);
    cr_assert_leq(seen_code, 0);
}

Test(runtime_signals, default_action_kills, .signal = SIGSEGV) {
    handle(NULL, SIG_DFL);
    crash(begin(), 64);
}

Test(runtime_signals, default_action_kills_when_sent, .signal = SIGSEGV) {
    handle(NULL, SIG_DFL);
    begin();
    raise(SIGSEGV);
}

Test(runtime_signals, ignored_when_sent) {
    handle(NULL, SIG_IGN);
    wasmx_instance *i = begin();
    raise(SIGSEGV);
    expect_trap(i, "load", -1, 0, WASMX_TRAP_MEMORY_OUT_OF_BOUNDS);
}

Test(runtime_signals, ignored_faults_kill, .signal = SIGSEGV) {
    handle(NULL, SIG_IGN);
    crash(begin(), 64);
}

Test(runtime_signals, a_trap_leaves_the_mask_as_it_was) {
    wasmx_instance *i = begin();
    sigset_t before, after;
    sigemptyset(&before);
    sigaddset(&before, SIGUSR1);
    sigprocmask(SIG_BLOCK, &before, NULL);
    sigprocmask(SIG_SETMASK, NULL, &before);
    for (int k = 0; k < 3; k++) expect_trap(i, "load", -1, 0, WASMX_TRAP_MEMORY_OUT_OF_BOUNDS);
    sigprocmask(SIG_SETMASK, NULL, &after);
    for (int sig = 1; sig < 32; sig++) cr_assert_eq(sigismember(&before, sig), sigismember(&after, sig));
}

static char own_stack[1 << 17];

Test(runtime_signals, a_signal_stack_that_is_there_is_kept) {
    stack_t mine = {.ss_sp = own_stack, .ss_size = sizeof own_stack}, now;
    sigaltstack(&mine, NULL);
    expect_trap(begin(), "load", -1, 0, WASMX_TRAP_MEMORY_OUT_OF_BOUNDS);
    sigaltstack(NULL, &now);
    cr_assert_eq(now.ss_sp, own_stack);
}

static void ask_first(int sig, siginfo_t *info, void *context) {
    if (!wasmx_handle_signal(sig, info, context)) with_info(sig, info, context);
}

static void keep_own_handlers(void) {
    static const int all[] = {SIGSEGV, SIGBUS, SIGILL, SIGTRAP};
    struct sigaction a = {.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER, .sa_sigaction = ask_first};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) sigaction(all[k], &a, NULL);
}

Test(runtime_signals, a_host_may_keep_its_own_handlers) {
    keep_own_handlers();
    cr_assert(wasmx_handler_opt_out());
    wasmx_instance *i = begin();
    struct sigaction now;
    sigaction(SIGSEGV, NULL, &now);
    cr_assert_eq(now.sa_sigaction, ask_first);
    expect_trap(i, "load", -1, 0, WASMX_TRAP_MEMORY_OUT_OF_BOUNDS);
    cr_assert_eq(seen, 0);
    if (!sigsetjmp(back, 1)) crash(i, 64);
    cr_assert_eq(seen, SIGSEGV);
    expect_trap(i, "load", -1, 0, WASMX_TRAP_MEMORY_OUT_OF_BOUNDS);
}

Test(runtime_signals, opting_out_after_the_first_use_is_refused) {
    (void)begin();
    cr_assert_not(wasmx_handler_opt_out());
}

static struct sigaction replaced;

static void forward(int sig, siginfo_t *info, void *context) {
    seen++;
    replaced.sa_sigaction(sig, info, context);
}

Test(runtime_signals, a_later_handler_that_forwards_sees_traps_pass) {
    wasmx_instance *i = begin();
    struct sigaction a = {.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER, .sa_sigaction = forward};
    sigaction(SIGSEGV, &a, &replaced);
    for (int k = 1; k <= 3; k++) {
        expect_trap(i, "load", -1, 0, WASMX_TRAP_MEMORY_OUT_OF_BOUNDS);
        cr_assert_eq(seen, k);
    }
}
