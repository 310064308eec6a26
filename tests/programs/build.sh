#!/usr/bin/env bash
# tests/programs/build.sh OUTDIR: builds every program here, two at a time, those that are not up to date:
#   OUTDIR/NAME.wasm        for wasm32-wasi, by clang at -O2; *simd* with -msimd128
#   OUTDIR/NAME.native      for this machine, by clang at -O2
#   OUTDIR/NAME.gcc         likewise, by gcc
# A C++ program has neither exceptions nor run-time types. -ffp-contract=off: a*b+c rounds twice everywhere.
set -euo pipefail
[ $# = 1 ] || { sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
out=$(cd "$1" && pwd)

common=(-O2 -ffp-contract=off -Wall -Wextra)
# The old name of the target is the one Debian's folders have. Stack: what deep recursion needs. No wasm-opt: what is tested is what LLVM wrote.
wasm=(--target=wasm32-wasi --sysroot=/usr -Wno-deprecated -Wl,-z,stack-size=1048576 --no-wasm-opt)

fresh() { # OUTPUT SOURCE: made after the source, the shared header and this script
    [ "$1" -nt "$2" ] && [ "$1" -nt "$here/common.h" ] && [ "$1" -nt "$here/build.sh" ]
}

# produce OUTPUT SOURCE COMMAND...: to a temporary name first, so that an interrupted build leaves nothing half made.
produce() {
    local output=$1 source=$2
    shift 2
    fresh "$output" "$source" && return
    "$@" "${common[@]}" "$source" -o "$output.tmp" -lm
    mv "$output.tmp" "$output"
}

build() {
    local source=$1 name extra=() clang=clang-22 gcc=gcc
    name=$(basename "${source%.*}")
    case $source in
    *.cpp) clang=clang++-22 gcc=g++ extra=(-std=c++17 -fno-exceptions -fno-rtti) ;;
    *) extra=(-std=gnu11) ;;
    esac
    produce "$out/$name.native" "$source" "$clang" "${extra[@]}"
    produce "$out/$name.gcc" "$source" "$gcc" "${extra[@]}"
    [[ $name != *simd* ]] || extra+=(-msimd128)
    produce "$out/$name.wasm" "$source" "$clang" "${wasm[@]}" "${extra[@]}"
}

running=0
for source in "$here"/*.c "$here"/*.cpp; do
    [ $running -lt 2 ] || { wait -n; running=$((running - 1)); }
    build "$source" &
    running=$((running + 1))
done
while [ $running -gt 0 ]; do wait -n; running=$((running - 1)); done
