// runtime/dirty.c: which pages of a range this process has changed since they were mapped.
//
// A page of a private mapping that was written to is anonymous; one that was only read is the file's or the shared
// zero page. The kernel says which are which: by PAGEMAP_SCAN (Linux 6.7), or page by page in /proc/self/pagemap.
// Whether there can be new ones at all is seen from the count of page faults: a page's first write always is one, also
// when the kernel itself writes it in a system call.
//
// Emulators and sandboxes answer these questions with more or less truth. Nothing here is used before it has given the
// right answers in a trial.
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/pool.h"

// linux/fs.h of 6.7, here because headers may be older than the kernel
struct region { uint64_t start, end, categories; };
struct scan {
    uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
    uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};
#define SCAN_REQUEST _IOWR('f', 16, struct scan)
enum { IS_FILE = 1 << 2, IS_PRESENT = 1 << 3, IS_SWAPPED = 1 << 4, IS_ZERO_PAGE = 1 << 5 };

// an entry of /proc/self/pagemap
#define ENTRY_PRESENT ((uint64_t)1 << 63)
#define ENTRY_SWAPPED ((uint64_t)1 << 62)
#define ENTRY_FILE ((uint64_t)1 << 61)

enum { BATCH = 64 };

// ---- What a fork ends: a page that is all zero in the child

typedef struct per_process {
    _Atomic uint64_t serial;  // 0: not yet chosen
    _Atomic int descriptor;   // of /proc/self/pagemap, plus 1
} per_process;

static per_process *process; // NULL: cannot be had
static pthread_once_t trial_once = PTHREAD_ONCE_INIT;
static _Atomic uint64_t last_serial;

static void in_child(void) { // once more, where the kernel should not have done it
    atomic_store(&process->serial, 0);
    atomic_store(&process->descriptor, 0);
}

static void make_process_page(void) {
    void *p = mmap(NULL, wx_page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) return;
    if (!madvise(p, wx_page_size(), MADV_WIPEONFORK) && !pthread_atfork(NULL, NULL, in_child)) process = p;
    else munmap(p, wx_page_size());
}

uint64_t wx_process_serial(void) {
    if (!process) return 0;
    uint64_t serial = atomic_load_explicit(&process->serial, memory_order_relaxed);
    if (WX_LIKELY(serial)) return serial;
    uint64_t fresh = atomic_fetch_add(&last_serial, 1) + 1;
    return atomic_compare_exchange_strong(&process->serial, &serial, fresh) ? fresh : serial;
}

// ---- The descriptor

static _Atomic int inherited = -1;   // the parent's, after a fork
static _Atomic uint64_t inherited_inode;

// The child's copy of the parent's descriptor, if that number still stands for it.
static void close_inherited(int fd, uint64_t inode) {
    struct stat st;
    if (fd >= 0 && !fstat(fd, &st) && st.st_ino == inode) close(fd);
}

static int open_pagemap(void) {
    int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC), none = 0;
    if (fd < 0) return -1;
    if (!atomic_compare_exchange_strong(&process->descriptor, &none, fd + 1)) {
        close(fd);
        return none - 1;
    }
    struct stat st;
    uint64_t inode = fstat(fd, &st) ? 0 : st.st_ino, old = atomic_exchange(&inherited_inode, inode);
    close_inherited(atomic_exchange(&inherited, fd), old);
    return fd;
}

static int pagemap(void) {
    int fd = atomic_load_explicit(&process->descriptor, memory_order_relaxed) - 1;
    return WX_LIKELY(fd >= 0) ? fd : open_pagemap();
}

// ---- Lists

static bool add_span(wx_dirty *out, uint64_t at, uint64_t size) {
    wx_span *last = out->count ? &out->spans[out->count - 1] : NULL;
    if (last && last->at + last->size == at) {
        last->size += size;
        return true;
    }
    if (out->count == out->room) return false;
    out->spans[out->count++] = (wx_span){at, size};
    return true;
}

static int scan_once(struct scan *s) {
    int n = ioctl(pagemap(), SCAN_REQUEST, s);
    if (n >= 0 || (errno != ENOTTY && errno != EBADF && errno != EINVAL)) return n;
    atomic_store(&inherited, -1); // who closes all descriptors closed ours, and the number may be another's by now
    atomic_store(&process->descriptor, 0);
    return ioctl(pagemap(), SCAN_REQUEST, s);
}

static bool list_by_scan(const uint8_t *base, uint64_t size, wx_dirty *out) {
    struct region found[BATCH] = {{0}}; // checkers do not know that the kernel fills it
    uint64_t start = (uint64_t)(uintptr_t)base, left = out->pages;
    struct scan s = {.size = sizeof s, .start = start, .end = start + size, .vec = (uint64_t)(uintptr_t)found,
                     .category_inverted = IS_FILE | IS_ZERO_PAGE, .category_mask = IS_FILE | IS_ZERO_PAGE,
                     .category_anyof_mask = IS_PRESENT | IS_SWAPPED, .return_mask = IS_FILE};
    while (s.start < s.end && left) {
        s.vec_len = BATCH;
        s.max_pages = left;
        int n = scan_once(&s);
        if (n < 0) return false;
        for (int k = 0; k < n; k++) {
            uint64_t length = found[k].end - found[k].start;
            out->end = found[k].start - start;
            if (!add_span(out, found[k].start - start, length)) return true;
            left -= length / wx_page_size();
        }
        s.start = s.walk_end;
        out->end = s.start - start;
    }
    return true;
}

// The descriptor is opened each time: what a wrong one would say could not be told from the truth.
static bool list_by_reading(const uint8_t *base, uint64_t size, wx_dirty *out) {
    uint64_t entries[512], page = wx_page_size(), first = (uint64_t)(uintptr_t)base / page, left = out->pages;
    int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    bool ok = true, full = false;
    while (ok && !full && out->end < size) {
        uint64_t count = (size - out->end) / page, done = out->end / page;
        if (count > WX_COUNT(entries)) count = WX_COUNT(entries);
        ok = pread(fd, entries, count * 8, (off_t)((first + done) * 8)) == (ssize_t)(count * 8);
        for (uint64_t k = 0; ok && !full && k < count; k++) {
            bool changed = (entries[k] & (ENTRY_PRESENT | ENTRY_SWAPPED)) && !(entries[k] & ENTRY_FILE);
            full = changed && (!left || !add_span(out, (done + k) * page, page));
            left -= changed && !full;
            if (!full) out->end = (done + k + 1) * page;
        }
    }
    close(fd);
    return ok;
}

bool wx_dirty_list(wasmx_reset way, const uint8_t *base, uint64_t size, wx_dirty *out) {
    out->count = 0;
    out->end = 0;
    return way == WASMX_RESET_SCAN ? list_by_scan(base, size, out)
                                   : way == WASMX_RESET_PAGEMAP && list_by_reading(base, size, out);
}

// ---- Page faults

static bool faults_work;

static uint64_t count_faults(bool of_thread) {
    struct rusage r;
    if (getrusage(of_thread ? RUSAGE_THREAD : RUSAGE_SELF, &r)) return 0;
    return (uint64_t)r.ru_minflt + (uint64_t)r.ru_majflt;
}

uint64_t wx_faults(bool of_thread) {
    if (!faults_work) return 0;
    return wx_process_serial() << 40 | (count_faults(of_thread) & (((uint64_t)1 << 40) - 1));
}

// ---- The trial: pages read, written by us, written by the kernel, in a file's mapping and in an anonymous one

typedef struct trial {
    uint8_t *file, *plain; // 4 pages each
    int fd;
} trial;

static bool counts_up(bool of_thread, uint8_t *page, bool by_kernel) {
    uint64_t before = count_faults(of_thread);
    if (by_kernel) {
        if (getrandom(page, 1, GRND_NONBLOCK) != 1) return false;
    } else {
        *(volatile uint8_t *)page = 1;
    }
    return count_faults(of_thread) > before;
}

static bool try_faults(const trial *t) {
    uint64_t page = wx_page_size();
    bool up = counts_up(false, t->file + page, false); // all four are written, whatever the first ones say
    up &= counts_up(true, t->plain + 2 * page, false);
    up &= counts_up(true, t->file + 3 * page, true);
    up &= counts_up(false, t->plain + 3 * page, true);
    return up;
}

static bool exactly(wasmx_reset way, const uint8_t *base, uint64_t a, uint64_t b, uint64_t n) {
    uint64_t page = wx_page_size();
    wx_span spans[4];
    wx_dirty list = {.spans = spans, .room = 4, .pages = 4};
    if (!wx_dirty_list(way, base, 4 * page, &list) || list.end != 4 * page || list.count != n) return false;
    return spans[0].at == a * page && spans[n - 1].at + spans[n - 1].size == b * page;
}

// Pages 1 and 3 of the file's, 2 and 3 of the other have been written; page 0 of both was read. /proc's flags do not
// tell the zero page from others, which does no harm.
static bool try_way(wasmx_reset way, const trial *t) {
    if (!exactly(way, t->file, 1, 4, 2)) return false;
    return exactly(way, t->plain, 2, 4, 1) || (way == WASMX_RESET_PAGEMAP && exactly(way, t->plain, 0, 4, 2));
}

static wasmx_reset best = WASMX_RESET_DISCARD;
static bool works[WASMX_RESET_DISCARD + 1] = {[WASMX_RESET_AUTO] = true, [WASMX_RESET_DISCARD] = true};

static void judge(const trial *t) {
    volatile uint8_t sum = (uint8_t)(t->file[0] + t->plain[0]);
    (void)sum;
    faults_work = try_faults(t);
    for (int way = WASMX_RESET_PAGEMAP; way >= WASMX_RESET_SCAN; way--)
        if ((works[way] = try_way((wasmx_reset)way, t))) best = (wasmx_reset)way;
}

static void run_trial(void) {
    uint64_t size = 4 * wx_page_size();
    make_process_page();
    trial t = {.fd = memfd_create("wasmx-trial", MFD_CLOEXEC)};
    if (t.fd < 0 || !process || ftruncate(t.fd, (off_t)size)) goto out;
    t.file = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, t.fd, 0);
    t.plain = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (t.plain != MAP_FAILED) madvise(t.plain, size, MADV_NOHUGEPAGE);
    if (t.file != MAP_FAILED && t.plain != MAP_FAILED) judge(&t);
    if (t.file != MAP_FAILED) munmap(t.file, size);
    if (t.plain != MAP_FAILED) munmap(t.plain, size);
out:
    if (t.fd >= 0) close(t.fd);
}

wasmx_reset wx_dirty_best(void) {
    pthread_once(&trial_once, run_trial);
    return best;
}

bool wx_dirty_works(wasmx_reset way) {
    wx_dirty_best();
    return works[way];
}
