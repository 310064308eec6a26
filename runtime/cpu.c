// runtime/cpu.c: does this processor have the features a module was compiled for?
//
// Features have LLVM's names. A name that no table here holds is refused: better an error than an illegal instruction.
#include <stdio.h>
#include <string.h>

#include "runtime/internal.h"

// Names may have LLVM's leading '+'; on failure `missing` is the first that this processor lacks.
bool wx_cpu_has(const char *list, char *missing, size_t size) {
    while (*list) {
        if (*list == '+') list++;
        size_t length = strcspn(list, ",");
        if (length && !wx_cpu_has_feature(list, length)) {
            snprintf(missing, size, "\"%.*s\"", (int)length, list);
            return false;
        }
        list += length + (list[length] == ',');
    }
    return true;
}
