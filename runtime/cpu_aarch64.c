// runtime/cpu_aarch64.c: features of aarch64, each a bit of what the kernel tells.
#include <sys/auxv.h>
#include <string.h>

#include "runtime/internal.h"

typedef struct feature {
    const char *name;
    uint32_t word; // AT_HWCAP or AT_HWCAP2; 0: every processor of the architecture has it
    uint32_t bit;
} feature;

static const feature features[] = {
    {"fp-armv8", 0, 0}, {"neon", 0, 0}, {"outline-atomics", 0, 0}, {"v8a", 0, 0}, {"aes", AT_HWCAP, 3},
    {"sha2", AT_HWCAP, 6}, {"crc", AT_HWCAP, 7}, {"lse", AT_HWCAP, 8}, {"fullfp16", AT_HWCAP, 9},
    {"rdm", AT_HWCAP, 12}, {"jsconv", AT_HWCAP, 13}, {"complxnum", AT_HWCAP, 14}, {"rcpc", AT_HWCAP, 15},
    {"ccpp", AT_HWCAP, 16}, {"sha3", AT_HWCAP, 17}, {"sm4", AT_HWCAP, 19}, {"dotprod", AT_HWCAP, 20},
    {"sve", AT_HWCAP, 22}, {"fp16fml", AT_HWCAP, 23}, {"dit", AT_HWCAP, 24}, {"lse2", AT_HWCAP, 25},
    {"rcpc-immo", AT_HWCAP, 26}, {"flagm", AT_HWCAP, 27}, {"ssbs", AT_HWCAP, 28}, {"sb", AT_HWCAP, 29},
    {"pauth", AT_HWCAP, 30}, {"ccdp", AT_HWCAP2, 0}, {"sve2", AT_HWCAP2, 1}, {"sve2-aes", AT_HWCAP2, 2},
    {"sve2-bitperm", AT_HWCAP2, 4}, {"sve2-sha3", AT_HWCAP2, 5}, {"sve2-sm4", AT_HWCAP2, 6},
    {"altnzcv", AT_HWCAP2, 7}, {"fptoint", AT_HWCAP2, 8}, {"f32mm", AT_HWCAP2, 10}, {"f64mm", AT_HWCAP2, 11},
    {"i8mm", AT_HWCAP2, 13}, {"bf16", AT_HWCAP2, 14}, {"rand", AT_HWCAP2, 16}, {"bti", AT_HWCAP2, 17},
    {"mte", AT_HWCAP2, 18}, {"ecv", AT_HWCAP2, 19}, {"mops", AT_HWCAP2, 43},
};

static bool has(const feature *f) { return !f->word || (getauxval(f->word) >> f->bit & 1); }

bool wx_cpu_has_feature(const char *name, size_t length) {
    for (size_t k = 0; k < WX_COUNT(features); k++)
        if (strlen(features[k].name) == length && !memcmp(features[k].name, name, length)) return has(&features[k]);
    return false;
}
