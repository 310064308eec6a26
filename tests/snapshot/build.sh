#!/usr/bin/env bash
# tests/snapshot/build.sh OUTDIR: makes OUTDIR/NAME.wasm of every module and program here that is not up to date. Programs are
# reactors; files.c is a command. With QUICKJS, a folder with the engine's sources, quickjs.wasm too, and quickjs for here.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
out=$(cd "$1" && pwd)
flags=(--target=wasm32-wasi --sysroot=/usr -Wno-deprecated -O2 -Wall -Wextra --no-wasm-opt -Wl,-z,stack-size=1048576)

for source in "$here"/modules/*.wat "$here"/programs/*; do
    name=$(basename "${source%.*}") target=$out/$(basename "${source%.*}").wasm model=(-mexec-model=reactor)
    [ "$target" -nt "$source" ] && [ "$target" -nt "$0" ] && continue
    [ "$name" != files ] || model=()
    case $source in
    *.wat) wat2wasm --no-check --enable-all --debug-names "$source" -o "$target.new" ;;
    *.cpp) clang++-22 "${flags[@]}" "${model[@]}" -std=c++17 -fno-exceptions -fno-rtti "$source" -o "$target.new" ;;
    *.c) clang-22 "${flags[@]}" "${model[@]}" -std=gnu11 "$source" -o "$target.new" ;;
    esac
    mv "$target.new" "$target"
done

[ -n "${QUICKJS:-}" ] || exit 0
engine=(-DEMSCRIPTEN -DCONFIG_BIGNUM '-DCONFIG_VERSION="2021"' -w "-I$QUICKJS" "$here/quickjs/driver.c"
    "$QUICKJS"/{cutils,libbf,libregexp,libunicode,quickjs}.c)
if [ ! "$out/quickjs.wasm" -nt "$here/quickjs/driver.c" ]; then
    clang-22 "${flags[@]}" -DFE_DOWNWARD=0 -DFE_UPWARD=0 "${engine[@]}" -o "$out/quickjs.wasm.new" # Wasm has no rounding modes
    clang-22 -O1 "${engine[@]}" -lm -o "$out/quickjs"
    mv "$out/quickjs.wasm.new" "$out/quickjs.wasm"
fi
