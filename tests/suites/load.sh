# shellcheck shell=bash
# tests/suites/load.sh: the gateway (examples/gateway) under load, an instance for every request: every answer's bytes,
# memory, descriptors and mappings afterwards; processes forked after the pool was made; a million traps.
# cost: 40
#
# Of 50 requests one traps, one spins until its deadline, one exhausts its memory. Nothing here depends on speed;
# bench/load.mjs compares that with the same filter compiled in natively. --all: 10 s in place of 3.
. tests/suite.sh load

aot=$WASMX_BUILD/bin/wasmx-aot lib=$WASMX_BUILD/lib/libwasmx.a out=$WASMX_TMP
length=3
[ -z "$WASMX_TEST_ALL" ] || length=10
flags=(-std=gnu11 -g -O2 -Wall -Wextra -D_GNU_SOURCE -Iinclude)
limit=10 # ms of processor time for a request: what does not spin must not come near it, however slow a page fault is

# A library under a sanitizer needs the same of what links with it.
sanitize=
if nm "$lib" | grep -q __asan_init; then sanitize=-fsanitize=address,undefined limit=50; fi
export CFLAGS="-DCPU_LIMIT_MS=$limit"
check "build with guard pages" env CC="gcc $sanitize" examples/gateway/build "$out/guard"
check "build with explicit bounds" env CC="gcc $sanitize" examples/gateway/build "$out/explicit" --bounds=explicit
check "build the client" cc "${flags[@]}" tests/load/client.c -o "$out/client"

# ---- Servers

server='' port='' # the last one started
serve() { # NAME COMMAND...: sets server and port; its output is in out/NAME.log
    "${@:2}" >"$out/$1.log" 2>&1 &
    server=$! port=
    for _ in $(seq 200); do
        port=$(sed -n 's/^listening on 127.0.0.1://p' "$out/$1.log")
        [ -z "$port" ] || return 0
        kill -0 $server 2>/dev/null || break
        sleep 0.05
    done
    cat "$out/$1.log"
    return 1
}
# (These two are not for `check`, in whose subshell the server would be nobody's child.)
begin() { # NAME COMMAND...
    if serve "$@"; then ok "$1: it starts"; else fail "$1: it does not start"; fi
}
end() { # NAME
    kill -TERM $server
    if wait $server; then ok "$1: it ends when it is told to"; else fail "$1: it ends with status $?"; fi
}
ask() { timeout 120 "$out/client" "$port" "$@"; }

processes() { echo $server; cat "/proc/$server/task/$server/children"; }
# Of the server and its children: resident memory in KiB, descriptors, mappings.
resident() { local p sum=0; for p in $(processes); do sum=$((sum + $(sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$p/status"))); done; echo $sum; }
descriptors() { local p; for p in $(processes); do ls "/proc/$p/fd"; done | wc -l; }
mappings() { local p; for p in $(processes); do cat "/proc/$p/maps"; done | wc -l; }

# grows_by WHAT BEFORE MOST: what WHAT says is at most BEFORE + MOST; connections may take a moment to be closed.
grows_by() {
    local now
    for _ in $(seq 40); do
        now=$($1)
        [ "$now" -gt $(($2 + $3)) ] || { echo "$1: $2, then $now"; return 0; }
        sleep 0.05
    done
    echo "$1: $2, then $now, at most $3 more expected"
    return 1
}

# loaded TITLE SECONDS: the server that was started last, warm and then under load.
loaded() {
    local title=$1 memory files maps
    check "$title: every answer is right, for a start" ask 1.5 16
    grows_by descriptors 0 64 >/dev/null # the client's connections are being closed
    sleep 0.2
    memory=$(resident) files=$(descriptors) maps=$(mappings)
    check "$title: every answer is right, for $2 s" ask "$2" 16
    check "$title: resident memory is flat within 1 MiB" grows_by resident "$memory" 1024
    check "$title: no descriptor is left" grows_by descriptors "$files" 0
    check "$title: no mapping is left" grows_by mappings "$maps" 2
    end "$title"
}
whole() { # NAME: all instances went back, and no more were made than there are threads
    cat "$out/$1.log"
    [ "$(grep -c '^pool: ' "$out/$1.log")" = "$2" ] && ! grep '^pool: ' "$out/$1.log" | grep -vq ' [12] made, 0 in use,'
}

begin "2 threads" "$out/guard/gateway" 2
loaded "2 threads" $length
check "2 threads: all instances went back" whole "2 threads" 1

begin "2 processes, forked with the pool made" "$out/guard/gateway" 1 2
loaded "2 processes, forked with the pool made" $length
check "2 processes: all instances went back" whole "2 processes, forked with the pool made" 2

begin "explicit bounds" "$out/explicit/gateway" 2
check "explicit bounds: every answer is right" ask 1 16
end "explicit bounds"

begin "the filter as native code" "$out/guard/gateway-native" 2
check "the filter as native code: the same answers" ask 1 16
end "the filter as native code"

# ---- Traps

check "build the traps" "$aot" build --name=traps tests/load/traps.wat -o "$out/traps.o"
# shellcheck disable=SC2086
check "link the traps" cc "${flags[@]}" $sanitize -I"$out" tests/load/traps.c "$out/traps.o" "$lib" -pthread -lm -o "$out/traps"
if [ -n "$sanitize" ]; then skip "a million traps: the library is under a sanitizer, whose memory grows"
else check "a million traps on 4 threads" timeout 300 "$out/traps" 1000000 4; fi

# ---- The other architecture

cross=$WASMX_BUILD/lib/aarch64-linux-gnu/libwasmx.a
if command -v qemu-aarch64 >/dev/null && [ -f "$cross" ]; then
    check "aarch64: build" env CC="aarch64-linux-gnu-gcc -static" CFLAGS=-DCPU_LIMIT_MS=200 LIBWASMX="$cross" \
        examples/gateway/build "$out/arm" --target=aarch64-linux-gnu
    begin "aarch64" qemu-aarch64 "$out/arm/gateway" 2
    check "aarch64: every answer is right" ask 3 8
    end "aarch64"
    check "aarch64: build the traps" "$aot" build --target=aarch64-linux-gnu --name=traps tests/load/traps.wat -o "$out/traps.arm.o"
    check "aarch64: link the traps" aarch64-linux-gnu-gcc -static "${flags[@]}" -I"$out" tests/load/traps.c "$out/traps.arm.o" "$cross" \
        -pthread -lm -o "$out/traps.arm"
    check "aarch64: 20,000 traps on 4 threads" timeout 300 qemu-aarch64 "$out/traps.arm" 20000 4
else
    skip "aarch64: no qemu-aarch64, or no aarch64-linux-gnu-gcc when libwasmx was built"
fi
finish
