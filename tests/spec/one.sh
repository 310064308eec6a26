#!/bin/bash
# tests/spec/one.sh: one official script in one mode: compile its modules, link them with the runner, run it.
#
#   one.sh BUILD MODE SCRIPT_DIR NAME      MODE is TARGET-LEVEL-BOUNDS, such as x86_64-2-guard; LEVEL may be a tier
#
# Prints what the runner prints; its last line is `NAME: P passed, F failed, S skipped`. LEVEL p: once with counters, and
# again compiled by what they counted; when the first fails, that is the result.
set -u
build=$1 mode=$2 script=$3 name=$4
here=$(cd "$(dirname "$0")" && pwd)
IFS=- read -r arch level bounds <<<"$mode"
out=$build/spec/$mode/$name
if [ "$level" = p ]; then
    bash "$0" "$build" "$arch-g-$bounds" "$script" "$name" >"$build/spec/logs/$mode/$name.g"
    tail -1 "$build/spec/logs/$mode/$name.g" | grep -q ' 0 failed' || { cat "$build/spec/logs/$mode/$name.g"; exit; }
    exec bash "$0" "$build" "$arch-u-$bounds" "$script" "$name"
fi
[ "$mode" = x86_64-2-explicit ] && export WASMX_GC_STRESS=1 # a collection at every allocation
profiles=$build/spec/$arch-g-$bounds/$name
rm -rf "$out" && mkdir -p "$out"
case $level in
interpret | compile | eager | baseline | mixed) # in one process, no object
    timeout 300 "$build/bin/tests/spec_lazy" "$script" "$out" "$level" "$bounds" "$name" > "$out/log" 2>&1
    status=$?
    cat "$out/log"
    grep -q "^$name: [0-9]* passed" "$out/log" || { echo "$name: the runner ended with status $status"; echo "$name: 0 passed, 1 failed, 0 skipped"; }
    exit ;;
esac
[ "$level" = u ] && cp "$profiles"/*.wxprof "$out" 2>/dev/null
if ! "$build/bin/tests/spec_compile" "$script" "$out" "$level" "$bounds" "$arch-linux-gnu"; then
    echo "$name: a module does not compile"
    echo "$name: 0 passed, 1 failed, 0 skipped"
    exit 1
fi
objects=$(find "$out" -name '*.o')
if [ "$arch" = x86_64 ]; then
    cc=(clang-22 --ld-path="$(command -v ld.lld-22)") lib=$build/lib/libwasmx.a run=()
else
    cc=(aarch64-linux-gnu-gcc) lib=$build/lib/aarch64-linux-gnu/libwasmx.a run=(qemu-aarch64)
fi
# shellcheck disable=SC2086
if ! "${cc[@]}" -static -w -I"$here/../../include" "$out/modules.c" "$build/spec/$arch/run.o" $objects "$lib" -lpthread -o "$out/run"; then
    echo "$name: does not link"
    echo "$name: 0 passed, 1 failed, 0 skipped"
    exit 1
fi
timeout 300 "${run[@]}" "$out/run" "$out" "$name" > "$out/log" 2>&1
status=$?
cat "$out/log"
grep -q "^$name: [0-9]* passed" "$out/log" || { echo "$name: the runner ended with status $status"; echo "$name: 0 passed, 1 failed, 0 skipped"; }
rm -f "$out/run" "$out"/*.o
