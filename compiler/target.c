// compiler/target.c: what machine the code is for: triple, CPU level, features, and LLVM's target machine.
//
// in: options   out: u->triple, cpu, features, tune, required
#include <llvm-c/Support.h>
#include <llvm-c/ErrorHandling.h>
#include <llvm-c/Target.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compiler/need.h"
#include "compiler/unit.h"

typedef struct level { const char *name, *features; } level;
typedef struct cpu { const char *name, *level; } cpu;
typedef struct taste { const char *cpu, *without, *preferences; } taste;

// One table each, of the rows of its kind.
#define LEVEL(name, features)
#define CPU(name, level)
#define EXTRA(arch, features)
#define TASTE(cpu, without, preferences)

static const level levels[] = {
#undef LEVEL
#define LEVEL(name, features) {name, features},
#include "compiler/cpus.def"
#undef LEVEL
#define LEVEL(name, features)
};

static const cpu cpus[] = {
#undef CPU
#define CPU(name, level) {name, level},
#include "compiler/cpus.def"
#undef CPU
#define CPU(name, level)
};

static const level extras[] = {
#undef EXTRA
#define EXTRA(arch, features) {arch, features},
#include "compiler/cpus.def"
#undef EXTRA
#define EXTRA(arch, features)
};

static const taste tastes[] = {
#undef TASTE
#define TASTE(cpu, without, preferences) {cpu, without, preferences},
#include "compiler/cpus.def"
};

// LLVM ends the process when it meets what it cannot do. That is a bug of ours or of its own, and it should read like
// one line of ours, not like a crash.
static void on_fatal_error(const char *reason) {
    fprintf(stderr, "wasmx: LLVM cannot go on: %s\n", reason);
    _exit(1);
}

// How far the register allocator looks for where to split a value: in large functions that takes most of the time, and
// more splits make longer code (RATIONALE.md, "What of one huge function?"). There is no other way to say it.
static void bound_splitting(void) {
#ifdef WX_LLVM_HAS_REGION_BUDGET
    static const char *const arguments[] = {"wasmx", "-grow-region-complexity-budget=5000"};
    LLVMParseCommandLineOptions(2, arguments, NULL);
#endif
}

static void start_llvm(void) {
    LLVMInstallFatalErrorHandler(on_fatal_error);
    bound_splitting();
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    LLVMInitializeX86AsmParser();
    LLVMInitializeAArch64TargetInfo();
    LLVMInitializeAArch64Target();
    LLVMInitializeAArch64TargetMC();
    LLVMInitializeAArch64AsmPrinter();
    LLVMInitializeAArch64AsmParser();
}

static const level *find_level(const char *name) {
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        if (!strcmp(levels[i].name, name)) return &levels[i];
    return NULL;
}

static const cpu *find_cpu(const char *name) {
    for (size_t i = 0; i < sizeof cpus / sizeof *cpus; i++)
        if (!strcmp(cpus[i].name, name)) return &cpus[i];
    return NULL;
}

static const taste *find_taste(const char *cpu) {
    const taste *found = tastes;
    for (size_t i = 0; i < sizeof tastes / sizeof *tastes; i++)
        if (!*tastes[i].cpu || !strcmp(tastes[i].cpu, cpu)) found = &tastes[i];
    return found;
}

static bool in_list(const char *list, const char *item, size_t len) {
    for (const char *at = list; *at;) {
        size_t n = strcspn(at, ",");
        if (n == len && !memcmp(at, item, n)) return true;
        at += n + (at[n] == ',');
    }
    return false;
}

static void add_feature(wx_buf *llvm, wx_buf *required, char sign, const char *name, size_t len) {
    wx_buf_printf(llvm, "%s%c%.*s", llvm->len ? "," : "", sign, (int)len, name);
    if (sign == '+' && !in_list(required->len ? (char *)required->data : "", name, len))
        wx_buf_printf(required, "%s%.*s", required->len ? "," : "", (int)len, name);
    wx_buf_byte(required, 0), required->len--;
}

// A feature taken back is not required either.
static void drop_required(wx_buf *required, const char *name, size_t len) {
    wx_buf kept = {0};
    for (const char *at = (char *)required->data; at && *at;) {
        size_t n = strcspn(at, ",");
        if (n != len || memcmp(at, name, n)) wx_buf_printf(&kept, "%s%.*s", kept.len ? "," : "", (int)n, at);
        at += n + (at[n] == ',');
    }
    wx_buf_byte(&kept, 0), kept.len--;
    wx_buf_free(required);
    *required = kept;
}

static void add_all(wx_buf *llvm, wx_buf *required, const char *list) {
    for (const char *at = list; *at;) {
        size_t n = strcspn(at, ",");
        add_feature(llvm, required, '+', at, n);
        at += n + (at[n] == ',');
    }
}

// Preferences say how to compile; nothing of them has to be there when the code runs.
static void apply_taste(const wx_unit *u, wx_buf *llvm, wx_buf *required) {
    if (!u->is_x86 || !u->tune) return;
    const taste *t = find_taste(u->tune);
    for (const char *at = t->without; *at;) {
        size_t n = strcspn(at, ",");
        add_feature(llvm, required, '-', at, n);
        drop_required(required, at, n);
        at += n + (at[n] == ',');
    }
    wx_buf none = {0};
    add_all(llvm, &none, t->preferences);
    wx_buf_free(&none);
}

// The host's features, as far as the highest level knows them: the runtime can check no others.
static void add_native(wx_unit *u, wx_buf *llvm, wx_buf *required) {
    char *host = LLVMGetHostCPUFeatures();
    const char *known = u->is_x86 ? find_level("x86-64-v4")->features : extras[1].features;
    for (char *at = host; *at;) {
        size_t n = strcspn(at, ",");
        if (*at == '+' && in_list(known, at + 1, n - 1)) add_feature(llvm, required, '+', at + 1, n - 1);
        at += n + (at[n] == ',');
    }
    LLVMDisposeMessage(host);
}

// What the runtime can look for. LLVM would take any name, and the object would then fail wherever it is loaded.
static bool is_feature(const wx_unit *u, const char *name, size_t len) {
    if (u->is_x86 && in_list(find_level("x86-64-v4")->features, name, len)) return true;
    return in_list(extras[u->is_x86 ? 0 : 1].features, name, len);
}

static bool add_extra(const wx_unit *u, const char *extra, wx_buf *llvm, wx_buf *required, wx_error *e) {
    for (const char *at = extra; *at;) {
        size_t n = strcspn(at, ",");
        if (n < 2 || (*at != '+' && *at != '-'))
            return wx_fail(e, WX_ERR_USAGE, "--features: '%.*s' wants + or - and a name", (int)n, at);
        if (!is_feature(u, at + 1, n - 1))
            return wx_fail(e, WX_ERR_USAGE, "--features: unknown feature '%.*s' of %s", (int)n - 1, at + 1,
                           u->is_x86 ? "x86_64" : "aarch64");
        add_feature(llvm, required, *at, at + 1, n - 1);
        if (*at == '-') drop_required(required, at + 1, n - 1);
        at += n + (at[n] == ',');
    }
    return true;
}

static bool choose_x86(wx_unit *u, const char *name, wx_buf *llvm, wx_buf *required, wx_error *e) {
    const cpu *c = find_cpu(name);
    const level *l = find_level(c ? c->level : name);
    if (!l)
        return wx_fail(
            e, WX_ERR_USAGE,
            "--cpu: unknown CPU '%s'; x86-64, x86-64-v2, -v3, -v4, native, or a name such as skylake, znver4", name);
    u->tune = c ? c->name : NULL;
    add_all(llvm, required, l->features);
    apply_taste(u, llvm, required);
    return true;
}

static char *host_cpu(wx_unit *u) {
    char *name = LLVMGetHostCPUName(), *copy = wx_arena_str(&u->arena, name, strlen(name));
    LLVMDisposeMessage(name);
    return copy;
}

static bool choose_native(wx_unit *u, wx_buf *llvm, wx_buf *required, wx_error *e) {
    if (u->is_x86 != wx_host_is_x86)
        return wx_fail(e, WX_ERR_USAGE, "--cpu=native needs the target to be this machine");
    if (!wx_need_llvm(e)) return false;
    add_native(u, llvm, required);
    u->tune = host_cpu(u);
    apply_taste(u, llvm, required);
    return true;
}

static bool choose_cpu(wx_unit *u, wx_buf *llvm, wx_buf *required, wx_error *e) {
    const char *name = u->options->cpu ? u->options->cpu : u->is_x86 ? "x86-64-v2" : "generic";
    u->cpu = u->is_x86 ? "x86-64" : "generic";
    if (!strcmp(name, "native")) return choose_native(u, llvm, required, e);
    if (u->is_x86) return choose_x86(u, name, llvm, required, e);
    if (strcmp(name, "generic")) return wx_fail(e, WX_ERR_USAGE, "--cpu: unknown CPU '%s'; generic or native", name);
    return true;
}

static bool choose_triple(wx_unit *u, wx_error *e) {
    const char *t = u->options->target;
    if (!t) {
        u->is_x86 = wx_host_is_x86;
    } else if (!strncmp(t, "x86_64", 6)) {
        u->is_x86 = true;
    } else if (strncmp(t, "aarch64", 7)) {
        return wx_fail(e, WX_ERR_USAGE, "--target: unknown target '%s'; x86_64-linux-gnu or aarch64-linux-gnu", t);
    }
    u->triple = u->is_x86 ? "x86_64-unknown-linux-gnu" : "aarch64-unknown-linux-gnu";
    return true;
}

bool wx_choose_target(wx_unit *u, wx_error *e) {
    wx_buf llvm = {0}, required = {0};
    wx_buf_byte(&required, 0), required.len--;
    bool ok = choose_triple(u, e) && choose_cpu(u, &llvm, &required, e) &&
              (!u->options->features || add_extra(u, u->options->features, &llvm, &required, e));
    u->features = wx_arena_str(&u->arena, (char *)llvm.data, llvm.len);
    u->required = wx_arena_str(&u->arena, (char *)required.data, required.len);
    wx_buf_free(&llvm);
    wx_buf_free(&required);
    return ok;
}

static LLVMCodeGenOptLevel codegen_level(int opt_level) {
    switch (opt_level) {
    case 0: return LLVMCodeGenLevelNone;
    case 1: return LLVMCodeGenLevelLess;
    case 2: return LLVMCodeGenLevelDefault;
    default: return LLVMCodeGenLevelAggressive;
    }
}

static LLVMTargetMachineRef target_machine(const wx_unit *u, int opt_level, wx_error *e) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    LLVMTargetRef target;
    char *message = NULL;
    if (!wx_need_llvm(e)) return NULL;
    pthread_once(&once, start_llvm);
    if (LLVMGetTargetFromTriple(u->triple, &target, &message)) {
        wx_fail(e, WX_ERR_BACKEND, "LLVM: %s", message);
        LLVMDisposeMessage(message);
        return NULL;
    }
    return LLVMCreateTargetMachine(target, u->triple, u->cpu, u->features, codegen_level(opt_level), LLVMRelocPIC,
                                   LLVMCodeModelSmall);
}

LLVMTargetMachineRef wx_target_machine(const wx_unit *u, wx_error *e) { return target_machine(u, u->opt_level, e); }
LLVMTargetMachineRef wx_cheap_target_machine(const wx_unit *u, wx_error *e) { return target_machine(u, 0, e); }
