#!/usr/bin/env bash
# tests/snapshot/build.sh OUTDIR: makes OUTDIR/NAME.wasm of every module and program here that is not up to date. Programs are
# reactors; files.c is a command. With RUST=1 rust.wasm too, where Debian's compiler and crates are. With QUICKJS, a folder with the engine's sources, quickjs.wasm too, and quickjs for here.
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

crates=/usr/share/cargo/registry
if [ -n "${RUST:-}" ] && [ -x /usr/bin/rustc ] && [ -d /usr/lib/rustlib/wasm32-wasi ] && [ ! "$out/rust.wasm" -nt "$here/rust/filter.rs" ]; then
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    rust=(/usr/bin/rustc --target wasm32-wasi -O --edition 2018 --cap-lints allow -L "$work" --out-dir "$work")
    features=()
    for f in std unicode unicode-{age,bool,case,gencat,perl,script,segment} perf-{dfa,inline,cache}; do features+=(--cfg "feature=\"$f\""); done
    "${rust[@]}" --crate-name regex_syntax --crate-type rlib "${features[@]}" "$(echo $crates/regex-syntax-0*/src/lib.rs)"
    "${rust[@]}" --crate-name regex --crate-type rlib "${features[@]}" --extern regex_syntax="$work/libregex_syntax.rlib" "$(echo $crates/regex-1*/src/lib.rs)"
    "${rust[@]}" --crate-name filter --crate-type staticlib --extern regex="$work/libregex.rlib" "$here/rust/filter.rs"
    clang-22 "${flags[@]}" -mexec-model=reactor -Wl,--export=check -Wl,--export=wizer-initialize "$work/libfilter.a" -o "$out/rust.wasm.new"
    mv "$out/rust.wasm.new" "$out/rust.wasm"
fi

[ -n "${QUICKJS:-}" ] || exit 0
engine=(-DEMSCRIPTEN -DCONFIG_BIGNUM '-DCONFIG_VERSION="2021"' -w "-I$QUICKJS" "$here/quickjs/driver.c"
    "$QUICKJS"/{cutils,libbf,libregexp,libunicode,quickjs}.c)
if [ ! "$out/quickjs.wasm" -nt "$here/quickjs/driver.c" ]; then
    clang-22 "${flags[@]}" -DFE_DOWNWARD=0 -DFE_UPWARD=0 "${engine[@]}" -o "$out/quickjs.wasm.new" # Wasm has no rounding modes
    clang-22 -O1 "${engine[@]}" -lm -o "$out/quickjs"
    mv "$out/quickjs.wasm.new" "$out/quickjs.wasm"
fi
