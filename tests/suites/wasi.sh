# shellcheck shell=bash
# tests/suites/wasi.sh: WASI against the native run, against who wants to get out, its speed, and its descriptor table.
# cost: 60
#
# With WASMX_TEST_ALL=1 the races and the fuzzing last ten times as long.
. tests/suite.sh wasi

aot=$WASMX_BUILD/bin/wasmx-aot library=$WASMX_BUILD/lib/libwasmx.a tmp=$WASMX_TMP
flags=(-O1 -g -Wall -Wextra -D_GNU_SOURCE -I. -Iinclude)
times=1 races=0.15 sanitized=
[ -z "$WASMX_TEST_ALL" ] || times=10 races=1.5
if nm "$library" | grep -q __asan_init; then
    sanitized=1 flags+=(-fsanitize=address,undefined)
    export ASAN_OPTIONS=detect_leaks=0
fi

wasm() { clang-22 --target=wasm32-wasi --sysroot=/usr -Wno-deprecated -O1 --no-wasm-opt -D_GNU_SOURCE "tests/wasi/programs/$1.c" -o "$tmp/$1.wasm"; }
link() { gcc "${flags[@]}" "$@" "$library" -lm -pthread; }

# ---- The same program natively and as Wasm: output, messages, status, and what it leaves in its directory

# in_folder FOLDER OUT COMMAND...: in a fresh folder, with the same standard input.
in_folder() {
    local folder=$tmp/$1 out=$tmp/$2
    shift 2
    rm -rf "$folder" && mkdir -p "$folder"
    (cd "$folder" && printf 'input' | "$@" >"$out.out" 2>"$out.err"; echo $? >"$out.status")
    (cd "$folder" && find . -printf '%P %y %l\n' | sort && find . -type f | sort | xargs -r md5sum) >"$out.tree"
}

same() { # TITLE A B
    local what
    for what in out err status tree; do
        cmp -s "$tmp/$2.$what" "$tmp/$3.$what" && continue
        fail "$1: other $what"
        diff "$tmp/$2.$what" "$tmp/$3.$what" | head -10 | sed 's/^/    /'
        return
    done
    ok "$1: $(wc -l <"$tmp/$2.out") lines"
}

for name in files names process raise; do
    if ! clang-22 -O1 -D_GNU_SOURCE "tests/wasi/programs/$name.c" -o "$tmp/$name" || ! wasm "$name"; then
        fail "$name.c does not compile"
        continue
    fi
    in_folder folder native env SOME=thing "$tmp/$name" 7 'a b'
    in_folder folder run "$aot" run --dir .::. --env SOME=thing "$tmp/$name.wasm" 7 'a b'
    same "$name.c by wasmx-aot run" native run
    if [ -n "$sanitized" ]; then skip "$name.c as an executable: a sanitized runtime cannot be linked statically"
    elif "$aot" build "$tmp/$name.wasm" --emit=exe --dir .::. -o "$tmp/$name.exe"; then
        in_folder folder exe env SOME=thing "$tmp/$name.exe" 7 'a b'
        same "$name.c as an executable" native exe
    else fail "$name.c as an executable: cannot be built"
    fi
done

# The same for a server, whose listener a host has to give it.
if clang-22 -O1 -D_GNU_SOURCE tests/wasi/programs/sockets.c -o "$tmp/sockets" && wasm sockets &&
    "$aot" build "$tmp/sockets.wasm" --emit=obj -o "$tmp/sockets.o" && link tests/wasi/serve.c "$tmp/sockets.o" -o "$tmp/serve"; then
    in_folder folder native timeout 60 "$tmp/serve" "$tmp/sockets"
    in_folder folder served timeout 60 "$tmp/serve"
    same "sockets.c in a host" native served
else fail "sockets.c cannot be built"; fi

# ---- The status of a program

status_is() { # WANT COMMAND...
    local want=$1 seen
    shift
    "$@" >"$tmp/status.out" 2>"$tmp/status.err"
    seen=$?
    [ $seen = "$want" ] || { echo "status $seen, not $want"; cat "$tmp/status.err"; return 1; }
}

runners=("$aot run $tmp/process.wasm")
[ -n "$sanitized" ] || runners+=("$tmp/process.exe")
for runner in "${runners[@]}"; do
    for code in 0 1 42 127 255; do
        # shellcheck disable=SC2086
        check "proc_exit $code: $(basename "${runner%% *}")" status_is $code $runner $code
    done
done

# ---- Embedded files

wasm hello
mkdir -p "$tmp/data/sub" && printf 'good day\n' >"$tmp/data/greeting" && printf 'deeper\n' >"$tmp/data/sub/file"
says() { # WANT COMMAND...
    local want=$1
    shift
    diff <("$@" 2>&1) <(printf '%s\n' "$want")
}
check 'run --embed a directory' says 'deeper' "$aot" run --embed "/data::$tmp/data" "$tmp/hello.wasm" /data/sub/file
check 'run --embed a file' says 'good day' "$aot" run --embed "/etc/a/conf::$tmp/data/greeting" "$tmp/hello.wasm" /etc/a/conf
check 'run without it' status_is 3 "$aot" run "$tmp/hello.wasm"
check 'an embedded path that is not there' status_is 1 "$aot" run --embed "/data::$tmp/absent" "$tmp/hello.wasm"
check '--embed without a host path' status_is 1 "$aot" run --embed "/data" "$tmp/hello.wasm"
check 'run --dir read-only' says 'good day' "$aot" run --dir "$tmp/data::/data::ro" "$tmp/hello.wasm"
if [ -z "$sanitized" ]; then
    check 'build --embed' "$aot" build "$tmp/hello.wasm" --emit=exe --embed "/data::$tmp/data" -o "$tmp/hello.exe"
    mv "$tmp/data" "$tmp/gone"
    check 'an executable has its files inside' says 'good day' "$tmp/hello.exe"
    check 'another of them' says 'deeper' "$tmp/hello.exe" /data/sub/file
    check 'a trap ends with 134' status_is 134 "$tmp/hello.exe" /data/greeting trap
    check 'and says so, with a backtrace' grep -Eq '^wasmx: trap: unreachable$' "$tmp/status.err"
    check 'of its functions' grep -Eq '^    at .*main' "$tmp/status.err"
    mv "$tmp/gone" "$tmp/data"
fi
check 'a trap ends run with 134' status_is 134 "$aot" run --dir "$tmp/data::/data" "$tmp/hello.wasm" /data/greeting trap
check 'with a backtrace' grep -Eq '^    at .*main' "$tmp/status.err"

# ---- Escapes

if link tests/wasi/escape.c -o "$tmp/escape"; then
    for mode in kernel fallback; do tally < <("$tmp/escape" $mode $races || echo "FAIL escape $mode: ended with status $?"); done
    # Without the sandbox the same attempts get out: they are attempts.
    "$tmp/escape" naive 0.2 >"$tmp/naive.log" 2>&1
    got=$(grep -c '^FAIL' "$tmp/naive.log")
    raced=$(grep -c '^FAIL.*times)' "$tmp/naive.log")
    if [ "$got" -ge 200 ] && [ "$raced" -ge 5 ]; then ok "without a sandbox $got of these get out, $raced by a race"
    else fail "without a sandbox only $got of these get out, $raced by a race"; fi
else fail "tests/wasi/escape.c does not compile"; fi

if link tests/wasi/race.c -o "$tmp/race"; then tally < <(timeout 120 "$tmp/race" $races || echo "FAIL race: status $?")
else fail "tests/wasi/race.c does not compile"; fi

# ---- wasi-threads: the same program natively, and how a program with threads ends

threaded() { clang-22 --target=wasm32 -O2 --no-wasm-opt -pthread -matomics -mbulk-memory -nostdlib -fno-builtin -Wno-unused-function \
    "tests/wasi/threads/$1.c" -Wl,--shared-memory,--import-memory,--export-memory,--max-memory=67108864 -o "$tmp/$1.wasm"; }
emulator=(qemu-aarch64)
command -v qemu-aarch64 >/dev/null || emulator=()

for name in count queue sum; do
    if ! clang-22 -O2 -pthread -Wno-unused-function "tests/wasi/threads/$name.c" -o "$tmp/$name" || ! threaded "$name"; then
        fail "threads/$name.c does not compile"
        continue
    fi
    in_folder folder native "$tmp/$name"
    for options in -O0 -O2 "-O2 --bounds=explicit"; do
        # shellcheck disable=SC2086
        in_folder folder run timeout 120 "$aot" run $options "$tmp/$name.wasm"
        same "threads/$name.c by wasmx-aot run $options" native run
    done
    for target in x86_64 aarch64; do
        [ -z "$sanitized" ] || { skip "threads/$name.c as an executable: a sanitized runtime cannot be linked statically"; break; }
        on=()
        if [ $target != "$(uname -m)" ]; then
            [ ${#emulator[@]} -gt 0 ] && [ -f "$WASMX_BUILD/lib/$target-linux-gnu/libwasmx.a" ] || { skip "threads/$name.c for $target"; continue; }
            on=("${emulator[@]}")
        fi
        "$aot" build "$tmp/$name.wasm" --emit=exe --target=$target-linux-gnu -o "$tmp/$name.exe" || { fail "threads/$name.c for $target: cannot be built"; continue; }
        in_folder folder exe timeout 120 "${on[@]}" "$tmp/$name.exe"
        same "threads/$name.c for $target" native exe
    done
done

# ends STATUS MODE WHAT: with five threads that compute, wait, read and sleep, whatever ends the program ends all of them.
mkfifo "$tmp/silent" && exec 8<>"$tmp/silent"
ends() {
    local runner
    for runner in "$aot run $tmp/ends.wasm" ${sanitized:+""} ${ends_exe:+"$tmp/ends.exe"}; do
        [ -z "$runner" ] || check "$3 (${runner##*/})" status_is "$1" timeout 60 $runner "$2" <&8
    done
}
if threaded ends; then
    ends_exe=
    [ -n "$sanitized" ] || { "$aot" build "$tmp/ends.wasm" -O2 --emit=exe -o "$tmp/ends.exe" && ends_exe=1; }
    ends 0 r 'main returns while threads run'
    ends 5 c 'main exits while threads run'
    ends 134 t 'main traps while threads run'
    ends 7 e 'a thread exits while main waits'
    ends 7 s 'a thread exits while main computes'
    ends 7 i 'a thread exits while main reads'
    ends 7 p 'a thread exits while main sleeps'
    ends 134 T 'a thread traps'
    check 'and its trap is told, with a backtrace' grep -Eq '^    at (trap|thread_main)' "$tmp/status.err"
    ends 134 o 'a thread recurses too deep'
    ends 0 n 'a program that starts threads without end'
    check 'has 512 of them' grep -q '^threads: 512$' "$tmp/status.out"
else fail "threads/ends.c does not compile"; fi

# ---- Speed, allocations

if [ -n "$sanitized" ]; then skip "speed: not of a sanitized runtime"
elif "$aot" build tests/wasi/speed.wat --emit=obj --name=speed -o "$tmp/speed.o" &&
    gcc -O2 -Wall -Wextra -D_GNU_SOURCE -Iinclude tests/wasi/speed.c "$tmp/speed.o" "$library" -lm -pthread -o "$tmp/speed"; then
    tally < <("$tmp/speed" || echo "FAIL speed: status $?")
else fail "tests/wasi/speed.c does not compile"; fi

if [ -n "$sanitized" ]; then skip "allocations: not of a sanitized runtime"
elif link tests/wasi/quiet.c -o "$tmp/quiet"; then tally < <(timeout 60 "$tmp/quiet" || echo "FAIL quiet: status $?")
else fail "tests/wasi/quiet.c does not compile"; fi

# ---- Who needs no WASI has none

printf '(module (func (export "f")))' >"$tmp/none.wat"
printf '#include "none.h"\nint main(void) { return wasmx_instantiate(&none, NULL, NULL) == NULL; }\n' >"$tmp/none.c"
if [ -n "$sanitized" ]; then skip "a program without WASI: not with a sanitized runtime"
elif "$aot" build "$tmp/none.wat" -o "$tmp/none" && gcc -static -Iinclude -I"$tmp" "$tmp/none.c" "$tmp/none.o" "$library" -lm -pthread -o "$tmp/none.exe"; then
    check 'a program without WASI links none' diff <(nm "$tmp/none.exe" | grep -E ' (wx_wasi|wasmx_wasi|wx_beneath|wx_fd)') /dev/null
else fail 'a program without WASI: cannot be built'; fi

# ---- The descriptor table

if gcc -O1 -g -Wall -Wextra -D_GNU_SOURCE -fsanitize=address -I. -Iinclude tests/fuzz/fuzz_wasi.c tests/wasi/fuzz_main.c "$library" -lm -pthread \
    ${sanitized:+-fsanitize=undefined} -o "$tmp/fuzz"; then
    check "random calls, seed $(date +%s)" env ASAN_OPTIONS=detect_leaks=0 sh -c "cd $tmp && ./fuzz $(date +%s) $((5 * times))"
else fail "tests/fuzz/fuzz_wasi.c does not compile"; fi
finish
