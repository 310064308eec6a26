#!/usr/bin/env bash
# tests/snapshot/build.sh OUTDIR: makes OUTDIR/NAME.wasm of every module and program here that is not up to date. Programs are
# reactors; files.c is a command.
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
