// runtime/cpu_x86_64.c: features of x86-64, each a bit of cpuid and the state the system must save for it.
#include <cpuid.h>
#include <string.h>

#include "runtime/internal.h"

enum { A, B, C, D };
enum { NO_STATE = 0, AVX = 6, AVX512 = 0xe6, AMX = 0x60000 }; // bits of XCR0: what the system saves and restores

typedef struct feature {
    const char *name;
    uint32_t leaf, sub, reg, bit, state;
} feature;

static const feature features[] = {
    {"64bit", 0x80000001, 0, D, 29, 0}, {"cmov", 1, 0, D, 15, 0}, {"cx8", 1, 0, D, 8, 0}, {"mmx", 1, 0, D, 23, 0},
    {"fxsr", 1, 0, D, 24, 0}, {"sse", 1, 0, D, 25, 0}, {"sse2", 1, 0, D, 26, 0}, {"x87", 1, 0, D, 0, 0},
    {"sse3", 1, 0, C, 0, 0}, {"pclmul", 1, 0, C, 1, 0}, {"ssse3", 1, 0, C, 9, 0}, {"fma", 1, 0, C, 12, AVX},
    {"cx16", 1, 0, C, 13, 0}, {"sse4.1", 1, 0, C, 19, 0}, {"sse4.2", 1, 0, C, 20, 0}, {"crc32", 1, 0, C, 20, 0},
    {"movbe", 1, 0, C, 22, 0}, {"popcnt", 1, 0, C, 23, 0}, {"aes", 1, 0, C, 25, 0}, {"xsave", 1, 0, C, 27, 0},
    {"avx", 1, 0, C, 28, AVX}, {"f16c", 1, 0, C, 29, AVX}, {"rdrnd", 1, 0, C, 30, 0}, {"fsgsbase", 7, 0, B, 0, 0},
    {"sgx", 7, 0, B, 2, 0}, {"bmi", 7, 0, B, 3, 0}, {"avx2", 7, 0, B, 5, AVX}, {"bmi2", 7, 0, B, 8, 0},
    {"invpcid", 7, 0, B, 10, 0}, {"rtm", 7, 0, B, 11, 0}, {"avx512f", 7, 0, B, 16, AVX512},
    {"avx512dq", 7, 0, B, 17, AVX512}, {"rdseed", 7, 0, B, 18, 0}, {"adx", 7, 0, B, 19, 0},
    {"avx512ifma", 7, 0, B, 21, AVX512}, {"clflushopt", 7, 0, B, 23, 0}, {"clwb", 7, 0, B, 24, 0},
    {"avx512cd", 7, 0, B, 28, AVX512}, {"sha", 7, 0, B, 29, 0}, {"avx512bw", 7, 0, B, 30, AVX512},
    {"avx512vl", 7, 0, B, 31, AVX512}, {"avx512vbmi", 7, 0, C, 1, AVX512}, {"pku", 7, 0, C, 4, 0},
    {"waitpkg", 7, 0, C, 5, 0}, {"avx512vbmi2", 7, 0, C, 6, AVX512}, {"shstk", 7, 0, C, 7, 0},
    {"gfni", 7, 0, C, 8, 0}, {"vaes", 7, 0, C, 9, AVX}, {"vpclmulqdq", 7, 0, C, 10, AVX},
    {"avx512vnni", 7, 0, C, 11, AVX512}, {"avx512bitalg", 7, 0, C, 12, AVX512},
    {"avx512vpopcntdq", 7, 0, C, 14, AVX512}, {"rdpid", 7, 0, C, 22, 0}, {"cldemote", 7, 0, C, 25, 0},
    {"movdiri", 7, 0, C, 27, 0}, {"movdir64b", 7, 0, C, 28, 0}, {"enqcmd", 7, 0, C, 29, 0},
    {"uintr", 7, 0, D, 5, 0}, {"avx512vp2intersect", 7, 0, D, 8, AVX512}, {"serialize", 7, 0, D, 14, 0},
    {"tsxldtrk", 7, 0, D, 16, 0}, {"pconfig", 7, 0, D, 18, 0}, {"amx-bf16", 7, 0, D, 22, AMX},
    {"avx512fp16", 7, 0, D, 23, AVX512}, {"amx-tile", 7, 0, D, 24, AMX}, {"amx-int8", 7, 0, D, 25, AMX},
    {"sha512", 7, 1, A, 0, AVX}, {"sm3", 7, 1, A, 1, AVX}, {"sm4", 7, 1, A, 2, AVX}, {"avxvnni", 7, 1, A, 4, AVX},
    {"avx512bf16", 7, 1, A, 5, AVX512}, {"cmpccxadd", 7, 1, A, 7, 0}, {"amx-fp16", 7, 1, A, 21, AMX},
    {"hreset", 7, 1, A, 22, 0}, {"avxifma", 7, 1, A, 23, AVX}, {"avxvnniint8", 7, 1, D, 4, AVX},
    {"avxneconvert", 7, 1, D, 5, AVX}, {"avxvnniint16", 7, 1, D, 10, AVX}, {"prefetchi", 7, 1, D, 14, 0},
    {"xsaveopt", 13, 1, A, 0, 0}, {"xsavec", 13, 1, A, 1, 0}, {"xsaves", 13, 1, A, 3, 0},
    {"sahf", 0x80000001, 0, C, 0, 0}, {"lzcnt", 0x80000001, 0, C, 5, 0}, {"sse4a", 0x80000001, 0, C, 6, 0},
    {"prfchw", 0x80000001, 0, C, 8, 0}, {"xop", 0x80000001, 0, C, 11, AVX}, {"lwp", 0x80000001, 0, C, 15, 0},
    {"fma4", 0x80000001, 0, C, 16, AVX}, {"tbm", 0x80000001, 0, C, 21, 0}, {"mwaitx", 0x80000001, 0, C, 29, 0},
    {"clzero", 0x80000008, 0, B, 0, 0}, {"rdpru", 0x80000008, 0, B, 4, 0}, {"wbnoinvd", 0x80000008, 0, B, 9, 0},
    {"evex512", 7, 0, B, 16, AVX512},
};

static uint64_t saved_state(void) {
    unsigned r[4];
    if (!__get_cpuid(1, &r[A], &r[B], &r[C], &r[D]) || !(r[C] >> 27 & 1)) return 0;
    uint32_t low, high;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

static bool has(const feature *f) {
    unsigned r[4];
    if (!__get_cpuid_count(f->leaf, f->sub, &r[A], &r[B], &r[C], &r[D])) return false;
    return (r[f->reg] >> f->bit & 1) && (saved_state() & f->state) == f->state;
}

bool wx_cpu_has_feature(const char *name, size_t length) {
    for (size_t k = 0; k < WX_COUNT(features); k++)
        if (strlen(features[k].name) == length && !memcmp(features[k].name, name, length)) return has(&features[k]);
    return false;
}
