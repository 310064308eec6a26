# shellcheck shell=bash
# tests/suites/hosts.sh: a host built with a sanitizer, on the library as it is; and a host under gdb: a breakpoint on a
# guest function, a backtrace through guest frames into the host's, traps that are handled while gdb looks on.
# cost: 10
. tests/suite.sh hosts

out=$WASMX_TMP lib=$WASMX_BUILD/lib/libwasmx.a own=
if nm "$lib" | grep -q __asan_init; then own=-fsanitize=address,undefined; fi
flags=(-std=gnu11 -g -O1 -Wall -Wextra -D_GNU_SOURCE -Iinclude -I"$out")

# program NAME SOURCE OPTION
program() {
    # shellcheck disable=SC2086
    cc "${flags[@]}" $3 "$2" "$out/traps.o" "$lib" -pthread -lm -o "$out/$1"
}

check "build" "$WASMX_BUILD/bin/wasmx-aot" build --name=traps tests/load/traps.wat -o "$out/traps.o"
check "link" program host tests/hosts/host.c "$own"
check "every trap" "$out/host"

# ---- Sanitizers

works() { echo 'int main(void) { return 0; }' | cc -x c - "$1" -o "$out/none" 2>/dev/null && "$out/none" 2>/dev/null; }
for option in -fsanitize=address,undefined -fsanitize=thread; do
    if [ -n "$own" ] && [ "$option" != "$own" ]; then skip "a host with $option: the library has another one's"
    elif ! works "$option"; then skip "a host with $option: it does not run here"
    else
        check "a host with $option: link" program sanitized tests/hosts/host.c "$option"
        check "a host with $option: every trap" env ASAN_OPTIONS= TSAN_OPTIONS= "$out/sanitized"
    fi
done

# ---- gdb

if ! command -v gdb >/dev/null || [ "$(uname -m)" != x86_64 ]; then
    skip "gdb: it is not installed, or this is aarch64, where traps are SIGTRAPs, which gdb takes for its own"
    finish
fi
export ASAN_OPTIONS=detect_leaks=0 # LeakSanitizer does not run under a debugger
if ! gdb -nx -batch -ex run --args true 2>&1 | grep -q 'exited normally'; then
    skip "gdb: it may not run programs here"
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
the-way-in ^#[0-9]+ .* (wxrt_call|wx_enter)
the-host's-function ^#[0-9]+ .* call_guest \(.* at tests/hosts/host\.c
main ^#[0-9]+ .* main \(
END
check "traps are the program's own" says 'traps: all as expected'
check "it ends as without gdb" says 'exited normally'

gdb_says -ex run -ex 'info program' -ex 'signal SIGSEGV'
check "without the line for signals gdb stops at a guest's fault" says 'received signal SIG(SEGV|ILL|TRAP)'
finish
