// wizer/sources.c: clocks, random numbers and facts about files that are the same in every run.
//
// Who asked for any is counted, because what the initialiser was told is a part of every instance from now on.
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "wizer/wizer.h"

#define START UINT64_C(946684800000000000) // the year 2000, in nanoseconds
#define STEP UINT64_C(1000000)             // that a look at a clock takes

// SplitMix64 (Steele, Lea, Flood 2014): every seed gives a full period.
static uint64_t next_random(wx_sources *s) {
    uint64_t z = s->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static bool system_random(void *out, size_t size) {
    for (char *at = out; size;) {
        ssize_t n = getrandom(at, size, 0);
        if (n < 0) return false;
        at += n, size -= (size_t)n;
    }
    return true;
}

static bool give_random(void *env, void *out, size_t size) {
    wx_sources *s = env;
    s->random_calls++;
    s->random_bytes += size;
    if (s->system) return system_random(out, size);
    for (size_t done = 0; done < size;) {
        uint64_t bits = next_random(s);
        size_t n = size - done < sizeof bits ? size - done : sizeof bits;
        memcpy((char *)out + done, &bits, n);
        done += n;
    }
    return true;
}

static uint64_t system_clock(wasmx_clock clock) {
    static const clockid_t ids[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID};
    struct timespec t;
    clock_gettime(ids[clock], &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t give_time(void *env, wasmx_clock clock) {
    wx_sources *s = env;
    s->clock_calls++;
    if (s->system) return system_clock(clock);
    s->time += STEP; // a program that waits for time to pass must not wait for ever
    return clock == WASMX_CLOCK_REALTIME ? START + s->time : s->time;
}

static void give_sleep(void *env, uint64_t nanoseconds) {
    wx_sources *s = env;
    s->sleeps++;
    s->time += nanoseconds;
}

// Files are numbered in the order in which the guest asks for them.
static void give_file(void *env, wasmx_file_facts *f) {
    wx_sources *s = env;
    int fresh;
    s->files++;
    if (s->system) return;
    uint64_t identity[] = {f->device, f->inode}, key = wx_hash64(identity, sizeof identity, 0) | 1;
    uint64_t *number = wx_map_put(&s->inodes, key, &fresh);
    if (fresh) *number = s->inodes.len;
    *f = (wasmx_file_facts){.device = 1, .inode = *number, .accessed = START, .modified = START, .changed = START};
}

wasmx_sources wx_sources_make(wx_sources *s, const wasmx_sources *given, uint64_t seed, bool system) {
    s->random = seed;
    s->system = system;
    if (given->clock || given->sleep || given->random || given->file) return *given; // one env for all
    return (wasmx_sources){.env = s, .clock = give_time, .sleep = system ? NULL : give_sleep, .random = give_random,
                           .file = give_file};
}

void wx_sources_note(const wx_sources *s, wasmx_snapshot_result *out) {
    const wasmx_snapshot_note all[] = {{"random_get", s->random_calls, s->random_bytes},
                                       {"clock_time_get", s->clock_calls, 0},
                                       {"poll_oneoff", s->sleeps, 0},
                                       {"filestat_get", s->files, 0}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].count) out->notes[out->note_count++] = all[i];
    out->system_sources = s->system;
}
