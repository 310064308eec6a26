// delay/llvm.c: LLVM for the programs: a shared library of 150 MB that is loaded by who calls into it first.
//
//   compiler/ ── LLVMBuildAdd ──► its trampoline (jumps_*.S) ── jumps through its slot ──► LLVM, once it is loaded
//                                                                     └─ at first ──► wx_llvm_first ──► here
//
// The list of names is made from libwasmx-compile.a when the programs are built. Nothing of this is in that library.
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "compiler/need.h"

static const char names[] = // each ends with a NUL, the list with another
#define LLVM(name) #name "\0"
#include "llvm_names.h"
#undef LLVM
    ;

extern void *wx_llvm_slots[]; // in the same order
void wx_llvm_load(void);      // called by wx_llvm_first

static pthread_once_t once = PTHREAD_ONCE_INIT;
static char failure[160];
static void *llvm; // NULL: not loaded

// ---- Pages that can be read again from the file
//
// LLVM's 700 constructors bring in 32 MB of code, most of it for the last time.

void mi_collect(bool force) __attribute__((weak)); // of the programs' allocator

static int give_back(struct dl_phdr_info *object, size_t size, void *base) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    (void)size;
    if (object->dlpi_addr != (ElfW(Addr))(uintptr_t)base) return 0;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *h = &object->dlpi_phdr[i];
        if (h->p_type != PT_LOAD || h->p_flags & PF_W) continue;
        size_t from = (object->dlpi_addr + h->p_vaddr) / page * page, to = object->dlpi_addr + h->p_vaddr + h->p_memsz;
        madvise((void *)from, to - from, MADV_DONTNEED);
    }
    return 1;
}

static void give_back_pages(void) {
    struct link_map *map;
    if (llvm && !dlinfo(llvm, RTLD_DI_LINKMAP, &map)) dl_iterate_phdr(give_back, (void *)(uintptr_t)map->l_addr);
}

void wx_rest_llvm(void) {
    give_back_pages();
    if (mi_collect) mi_collect(true);
}

// ---- Loading

// As the system's linker finds it; or where it was when this program was built.
static void *open_llvm(void) {
    void *found = dlopen(WX_LLVM_NAME, RTLD_LAZY | RTLD_LOCAL);
    if (found) return found;
    const char *why = dlerror(), *colon = strstr(why, ": "); // the name is in front
    snprintf(failure, sizeof failure, "cannot load %s (Debian package %s): %.80s", WX_LLVM_NAME, WX_LLVM_PACKAGE,
             colon ? colon + 2 : why);
    return dlopen(WX_LLVM_PATH, RTLD_LAZY | RTLD_LOCAL);
}

static void load(void) {
    void **slot = wx_llvm_slots;
    if (!(llvm = open_llvm())) return;
    failure[0] = 0;
    for (const char *name = names; *name; name += strlen(name) + 1, slot++) {
        void *at = dlsym(llvm, name);
        if (!at) snprintf(failure, sizeof failure, "%s has no %.80s", WX_LLVM_NAME, name);
        else __atomic_store_n(slot, at, __ATOMIC_RELEASE);
    }
    give_back_pages();
}

bool wx_need_llvm(wx_error *e) {
    pthread_once(&once, load);
    return !*failure || wx_fail(e, WX_ERR_BACKEND, "%s", failure);
}

const void *wx_llvm_itself(void) { return __atomic_load_n(wx_llvm_slots, __ATOMIC_ACQUIRE); }

// A call that nobody announced.
void wx_llvm_load(void) {
    pthread_once(&once, load);
    if (!*failure) return;
    fprintf(stderr, "wasmx: %s\n", failure);
    _exit(1);
}
