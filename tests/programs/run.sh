#!/usr/bin/env bash
# tests/programs/run.sh BUILD PROGRAMS OUT [MODE...]: builds every program of PROGRAMS (what build.sh made) in each mode
# and compares output and status with the native ones. A line for each: `ok NAME MODE` or `FAIL NAME MODE: what`.
# A mode is TARGET/LEVEL/BOUNDS: x86_64/2/guard, aarch64/0/explicit; two run at a time. The name of a program may follow,
# TARGET/LEVEL/BOUNDS/NAME: only that one.
set -uo pipefail
aot=$1/bin/wasmx-aot programs=$2 out=$3
shift 3
mkdir -p "$out"
host=$(uname -m)

# Another architecture's programs run under qemu.
runner() { [ "$1" = "$host" ] || echo "qemu-$1"; }

expect() { # NAME: its native output and status, once
    [ -f "$out/$1.status" ] && return
    timeout 120 "$programs/$1.native" </dev/null >"$out/$1.expected" 2>&1
    echo $? >"$out/$1.status"
}

try() {
    local name=$1 target=$2 level=$3 bounds=$4 exe want
    local title="$name $target -O$level $bounds"
    exe=$out/$name.$target.$level.$bounds
    if ! "$aot" build "$programs/$name.wasm" --emit=exe --target="$target-linux-gnu" -O"$level" --bounds="$bounds" -o "$exe" >"$exe.log" 2>&1
    then echo "FAIL $title: does not build: $(head -1 "$exe.log")"; return
    fi
    # shellcheck disable=SC2046
    timeout 300 $(runner "$target") "$exe" </dev/null >"$exe.log" 2>&1
    local status=$?
    want=$(<"$out/$name.status")
    if [ $status != "$want" ]; then echo "FAIL $title: status $status, natively $want"; return; fi
    if ! cmp -s "$out/$name.expected" "$exe.log"; then
        echo "FAIL $title: other output: $(diff "$out/$name.expected" "$exe.log" | sed -n 2p)"
        return
    fi
    echo "ok $title"
    rm -f "$exe" "$exe.log"
}

names=$(cd "$programs" && ls ./*.wasm | sed 's/^\.\///; s/\.wasm$//')
for name in $names; do expect "$name"; done
running=0
for mode; do
    IFS=/ read -r target level bounds only <<<"$mode"
    for name in ${only:-$names}; do
        [ $running -lt 2 ] || { wait -n; running=$((running - 1)); }
        try "$name" "$target" "$level" "$bounds" &
        running=$((running + 1))
    done
done
wait
