// bench/wasm2c-main.c: a host for what wasm2c makes of the programs here: the six WASI functions they import.
// Compiled together with prog.c, which `wasm2c -n prog` wrote, and wabt's wasm-rt-impl.c.
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "prog.h"

struct Z_wasi_snapshot_preview1_instance_t { Z_prog_instance_t prog; };
typedef struct Z_wasi_snapshot_preview1_instance_t host;
#define WASI(name) Z_wasi_snapshot_preview1Z_##name

enum { SUCCESS = 0, BAD_DESCRIPTOR = 8, IO = 29, NOT_SEEKABLE = 70, CHARACTER_DEVICE = 2 };

static u8 *at(host *h, u32 address) { return h->prog.w2c_memory.data + address; }

static u32 word(host *h, u32 address) {
    u32 value;
    memcpy(&value, at(h, address), sizeof value);
    return value;
}

u32 WASI(fd_write)(host *h, u32 fd, u32 vectors, u32 count, u32 written) {
    u32 total = 0;
    for (u32 i = 0; i < count; i++) {
        ssize_t n = write((int)fd, at(h, word(h, vectors + 8 * i)), word(h, vectors + 8 * i + 4));
        if (n < 0) return IO;
        total += (u32)n;
    }
    memcpy(at(h, written), &total, sizeof total);
    return SUCCESS;
}

u32 WASI(fd_fdstat_get)(host *h, u32 fd, u32 out) {
    if (fd > 2) return BAD_DESCRIPTOR;
    memset(at(h, out), 0, 24);
    *at(h, out) = CHARACTER_DEVICE;
    return SUCCESS;
}

u32 WASI(fd_close)(host *h, u32 fd) { return (void)h, (void)fd, SUCCESS; }

u32 WASI(fd_seek)(host *h, u32 fd, u64 offset, u32 whence, u32 out) {
    return (void)h, (void)fd, (void)offset, (void)whence, (void)out, NOT_SEEKABLE;
}

u32 WASI(clock_time_get)(host *h, u32 clock, u64 precision, u32 out) {
    (void)clock, (void)precision;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    u64 ns = (u64)now.tv_sec * 1000000000u + (u64)now.tv_nsec;
    memcpy(at(h, out), &ns, sizeof ns);
    return SUCCESS;
}

void WASI(proc_exit)(host *h, u32 code) {
    (void)h;
    exit((int)code);
}

int main(void) {
    static host h;
    wasm_rt_init();
    Z_prog_init_module();
    Z_prog_instantiate(&h.prog, &h);
    Z_progZ__start(&h.prog);
    return 0;
}
