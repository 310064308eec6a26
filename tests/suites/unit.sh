# shellcheck shell=bash
# tests/suites/unit.sh: the Criterion programs bin/tests/test_*.
# cost: 60
#
# Each writes TAP. A test that crashes is a `not ok` there; a program that dies before it has reported on all the
# tests it announced counts one failure for each that is missing.
. tests/suite.sh unit

# TAP to lines of tests/suite.sh, each test prefixed with its program.
from_tap() {
    awk -v program="$1" -v status="$2" '
        /^1\.\.[0-9]+$/ { planned = substr($0, 4) + 0; announced = 1 }
        /^(not )?ok / {
            seen++
            verdict = /^not/ ? "FAIL" : /# SKIP/ ? "SKIP" : "ok"
            bad += verdict == "FAIL"
            sub(/^(not )?ok +- +/, "")
            sub(/ +# SKIP/, ":")
            print verdict " " program " " $0
            next
        }
        { print "    " $0 }
        END {
            if (!announced) print "FAIL " program ": no report, status " status
            for (; seen < planned; seen++) { bad++; print "FAIL " program ": a test without a result, status " status }
            if (announced && !bad && status != 0) print "FAIL " program ": status " status
        }' "$3"
}

for program in "$WASMX_BUILD"/bin/tests/test_*; do
    [ -x "$program" ] || continue
    # A program whose source is gone is a left-over of an earlier build.
    name=$(basename "$program")
    [ -f "tests/unit/$name.c" ] || continue
    tap=$WASMX_TMP/$name.tap
    : >"$tap"
    "$program" -j1 --timeout 300 --tap="$tap" >"$WASMX_TMP/$name.out" 2>&1
    status=$?
    tally < <(from_tap "$name" "$status" "$tap")
    [ "$status" = 0 ] || sed 's/^/    /' "$WASMX_TMP/$name.out"
done

# The stubs of code made on demand are machine code written by hand: here, and on the other architecture.
stubs() {
    local arch=$1 cc=$2
    shift 2
    check "stubs: $arch" sh -c '"$@"' sh "$cc" -Wall -Wextra -O2 -I. -Iinclude tests/unit/stubs.c interp/stubs.c \
        "interp/stubs_$arch.c" "interp/stubs_$arch.S" -o "$WASMX_TMP/stubs.$arch"
    check "stubs run: $arch" "$@" "$WASMX_TMP/stubs.$arch"
}
# What stands for LLVM's functions, on both: with a library in its place, and without.
delay() {
    local arch=$1 cc=$2 at=$WASMX_TMP/delay.$1
    shift 2
    mkdir -p "$at"
    printf 'LLVM(LLVMCalls)\nLLVM(LLVMSum)\n' >"$at/llvm_names.h"
    local flags=(-std=gnu11 -D_GNU_SOURCE -Wall -Wextra -O2 -I. -I"$at" '-DWX_LLVM_PACKAGE="a package"')
    local sources=(tests/unit/delay.c delay/llvm.c "delay/jumps_$arch.S" base/error.c base/arena.c)
    "$cc" "${flags[@]}" -DLIBRARY -shared -fPIC tests/unit/delay.c -o "$at/libstand-in.so"
    check "delay: $arch" "$cc" "${flags[@]}" -DWX_LLVM_NAME='"libnowhere.so"' -DWX_LLVM_PATH="\"$at/libstand-in.so\"" \
        "${sources[@]}" -lpthread -o "$at/with"
    "$cc" "${flags[@]}" -DWX_LLVM_NAME='"libnowhere.so"' -DWX_LLVM_PATH='"/nowhere"' "${sources[@]}" -lpthread -o "$at/without"
    check "delay runs: $arch" "$@" "$at/with"
    check "delay says what is missing: $arch" sh -c '"$@" ask | grep -qx "cannot load libnowhere.so (Debian package a package): .*"' sh "$@" "$at/without"
    check "delay ends the process: $arch" sh -c '"$@" 2>&1 | grep -qx "wasmx: cannot load libnowhere.so .*"' sh "$@" "$at/without"
}

# The interpreter without a compiler, on both.
alone() {
    local arch=$1 cc=$2 table=$WASMX_BUILD/stencils/table.c
    [ "$arch" = x86_64 ] || table=
    shift 2
    # shellcheck disable=SC2086
    check "interpreter alone: $arch" sh -c '"$@"' sh "$cc" -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Wno-unused-parameter -O2 \
        -fno-omit-frame-pointer -I. -Iinclude tests/unit/interp_alone.c base/*.c wasm/*.c interp/loop.c interp/misc.c \
        interp/bridge.c interp/adapt.c interp/translate.c interp/stubs.c interp/stubs_"$arch".* interp/baseline.c interp/baseline_"$arch".* \
        $table -static -lm -lpthread -o "$WASMX_TMP/alone.$arch"
    check "interpreter alone runs: $arch" "$@" "$WASMX_TMP/alone.$arch" "$WASMX_TMP/alone.wasm"
}
wat2wasm tests/unit/interp_alone.wat -o "$WASMX_TMP/alone.wasm"

stubs "$(uname -m)" cc
alone "$(uname -m)" cc
delay "$(uname -m)" cc
if [ "$(uname -m)" = x86_64 ] && command -v qemu-aarch64 >/dev/null && command -v aarch64-linux-gnu-gcc >/dev/null; then
    stubs aarch64 aarch64-linux-gnu-gcc qemu-aarch64 -L /usr/aarch64-linux-gnu
    alone aarch64 aarch64-linux-gnu-gcc qemu-aarch64
    delay aarch64 aarch64-linux-gnu-gcc qemu-aarch64 -L /usr/aarch64-linux-gnu
else skip "stubs on aarch64: no qemu-aarch64 or no aarch64-linux-gnu-gcc"
fi
finish
