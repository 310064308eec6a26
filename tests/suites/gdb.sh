# shellcheck shell=bash
# tests/suites/gdb.sh: a host with guest code under gdb: a breakpoint on a guest function, a backtrace through guest
# frames into the host's, and traps that are handled while gdb looks on.
# cost: 5
. tests/suite.sh gdb

if ! command -v gdb >/dev/null || [ "$(uname -m)" != x86_64 ]; then
    skip "all: gdb is not installed, or this is aarch64, where traps are SIGTRAPs, which gdb takes for its own"
    finish
fi
out=$WASMX_TMP lib=$WASMX_BUILD/lib/libwasmx.a sanitize=
if nm "$lib" | grep -q __asan_init; then sanitize=-fsanitize=address,undefined; fi

check "build" "$WASMX_BUILD/bin/wasmx-aot" build --name=traps tests/load/traps.wat -o "$out/traps.o"
# shellcheck disable=SC2086
check "link" cc -std=gnu11 -g -O1 -Wall -Wextra -Iinclude -I"$out" $sanitize tests/gdb/host.c "$out/traps.o" "$lib" -pthread -lm \
    -o "$out/host"
check "without gdb" "$out/host"

export ASAN_OPTIONS=detect_leaks=0:allow_user_segv_handler=1 # LeakSanitizer does not run under a debugger
if ! gdb -nx -batch -ex run --args true 2>&1 | grep -q 'exited normally'; then
    skip "the rest: gdb may not run programs here"
    finish
fi

# Without that line gdb writes the parts of a guest function's name as traps[kind].
gdb_says() { timeout 60 gdb -nx -batch -ex 'set print demangle off' "$@" --args "$out/host" >"$out/gdb.log" 2>&1; }
says() { grep -qE "$1" "$out/gdb.log" || { cat "$out/gdb.log"; false; }; }

gdb_says -ex 'handle SIGSEGV SIGBUS SIGILL nostop noprint pass' -ex "break 'traps.kind'" -ex run -ex backtrace -ex 'delete' \
    -ex continue
check "a breakpoint on a guest function" says "^Breakpoint 1, .* traps\.kind \(\)"
while read -r title pattern; do
    check "the backtrace has $title" says "$pattern"
done <<'END'
the-guest's-function ^#0 .*traps\.kind
its-caller ^#1 .* traps\.deep
its-caller's-caller ^#2 .* traps\.deep
the-typed-function-of-the-header ^#[0-9]+ .* traps_trap
the-host's-function ^#[0-9]+ .* call_guest \(.* at tests/gdb/host\.c
main ^#[0-9]+ .* main \(
END
check "traps are the program's own" says 'traps: all as expected'
check "it ends as without gdb" says 'exited normally'

gdb_says -ex run -ex 'info program' -ex 'signal SIGSEGV'
check "without the line for signals gdb stops at a guest's fault" says 'received signal SIG(SEGV|ILL|TRAP)'
finish
