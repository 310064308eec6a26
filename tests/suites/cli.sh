# shellcheck shell=bash
# tests/suites/cli.sh: wasmx-aot by transcripts (tests/cli/*.txt): what is typed, and exactly what is seen.
# cost: 60
# WASMX_BLESS=1: what is seen becomes what is expected.
. tests/suite.sh cli

export PATH=$WASMX_BUILD/bin:$PATH LC_ALL=C
export CFLAGS="-D_GNU_SOURCE -Wall -Wextra -I$WASMX_ROOT/include -I." LIBS="$WASMX_BUILD/lib/libwasmx.a -pthread -lm"
export LIMIT='ulimit -v 2097152' ARM=qemu-aarch64
sanitized=
if nm "$WASMX_BUILD/lib/libwasmx.a" | grep -q __asan_init; then
    # An address sanitizer reserves terabytes, and has no static form.
    sanitized=1 LIMIT=: CFLAGS+=' -fsanitize=address,undefined'
    export ASAN_OPTIONS=detect_leaks=0 WASMX_CC=$WASMX_TMP/cc
    # Its shared form leaves the sanitizer's functions to the program.
    printf '%s\n' '#!/usr/bin/env bash' 'exec cc -fsanitize=address,undefined "${@/-Wl,-z,defs/-g0}"' >"$WASMX_CC"
    chmod +x "$WASMX_CC"
fi

transcript() {
    local name=$1 folder=$WASMX_TMP/$1 bless=()
    mkdir -p "$folder"
    cp tests/cli/*.wat tests/cli/*.c tests/cli/*.mjs tests/cli/*.sh "$WASMX_TMP"/{show,lines}.wasm "$folder"
    [ -z "${WASMX_BLESS:-}" ] || bless=(--bless)
    tally < <(node tests/cli/run.mjs "${bless[@]}" "$folder" "tests/cli/$name.txt" || echo "FAIL $name: the runner ended with status $?")
}

if ! clang-22 --target=wasm32-wasi --sysroot=/usr -Wno-deprecated -O1 --no-wasm-opt tests/cli/show.c -o "$WASMX_TMP/show.wasm"; then
    fail "show.c: does not compile"
fi
if ! clang-22 --target=wasm32-wasi --sysroot=/usr -Wno-deprecated -O1 -g --no-wasm-opt tests/cli/lines.c -o "$WASMX_TMP/lines.wasm"; then
    fail "lines.c: does not compile"
fi
for file in tests/cli/*.txt; do
    name=$(basename "$file" .txt)
    [ -z "${1:-}" ] || [ "$name" = "$1" ] || continue
    if [ "$name" = exe ] && [ -n "$sanitized" ]; then skip "exe: a sanitized runtime cannot be linked statically"
    elif [ "$name" = delay ] && [ -n "$sanitized" ]; then skip "delay: sanitized programs are linked with LLVM"
    else transcript "$name"; fi
done
finish
