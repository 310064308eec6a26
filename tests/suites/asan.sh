# shellcheck shell=bash
# tests/suites/asan.sh: everything but generated code under AddressSanitizer and UndefinedBehaviorSanitizer.
# cost: 150
#
# Builds the preset `asan` in build/asan, then runs under it the unit tests, the official suite through decoder,
# validator and encoder where spec.sh has converted it, and the commands on every .wat and .wasm at hand. A report of a
# sanitizer fails the test it appears in, whatever the program's status.
#
# Leaks are looked for in the commands and in validate_suite; the unit tests leak on purpose, as each is a process of
# its own. Those that measure time (test_*_extremes, test_compile_same) are left out and counted.
. tests/suite.sh asan

asan=$WASMX_BUILD/asan
# The runtime's handler of SIGSEGV has to be in front; the stack limit is about the real stack.
common=abort_on_error=0:exitcode=99:allow_user_segv_handler=1:detect_stack_use_after_return=0
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1:exitcode=99
export LSAN_OPTIONS=exitcode=99:print_suppressions=0
report='ERROR: (Address|Leak)Sanitizer|runtime error:|AddressSanitizer:DEADLYSIGNAL'

if ! { cmake --preset asan -B "$asan" && cmake --build "$asan" -j2; } >"$WASMX_TMP/build.log" 2>&1; then
    tail -n 40 "$WASMX_TMP/build.log"
    fail "build: see above"
    finish
fi
ok "build"

# run TITLE LEAKS STATUSES COMMAND...: the status must be one of STATUSES, and no sanitizer may have said anything.
run() {
    local title=$1 leaks=$2 statuses=$3 status log=$WASMX_TMP/log
    shift 3
    ASAN_OPTIONS=$common:detect_leaks=$leaks timeout 300 "$@" >"$log" 2>&1 </dev/null
    status=$?
    if grep -qaE "$report" "$log"; then fail "$title: a sanitizer's report"
    elif [[ " $statuses " != *" $status "* ]]; then fail "$title: status $status"
    else
        ok "$title"
        return
    fi
    grep -aE -A25 "$report" "$log" | head -n 40
    grep -qaE "$report" "$log" || tail -n 20 "$log"
}

for program in "$asan"/bin/tests/test_*; do
    name=$(basename "$program")
    [ -f "tests/unit/$name.c" ] || continue
    case $name in
    *_extremes | test_compile_same) skip "$name: measures time" ;;
    *) run "$name" 0 0 "$program" -j1 --timeout 300 --quiet ;;
    esac
done

scripts=$WASMX_BUILD/spec/suite
if [ -d "$scripts" ]; then run "validate_suite" 1 0 "$asan/bin/tests/validate_suite" tests/spec/validate_suite.skip "$scripts"
else skip "validate_suite: the suite is not converted, tests/run spec does that"; fi

aot=$asan/bin/wasmx-aot
export WASMX_LIBDIR=$WASMX_BUILD/lib
for file in tests/cli/*.wat tests/codegen/*.wat tests/regress/*.wat; do
    name=${file#tests/}
    run "$name: validate" 1 "0 1" "$aot" validate "$file"
    run "$name: inspect" 1 "0 1" "$aot" inspect --json "$file"
    run "$name: build" 1 "0 1" "$aot" build -O1 --name=t -o "$WASMX_TMP/t.o" "$file"
    [ -f "$WASMX_TMP/t.o" ] || continue
    run "$name: inspect the object" 1 0 "$aot" inspect "$WASMX_TMP/t.o"
    rm -f "$WASMX_TMP/t.o" "$WASMX_TMP/t.h"
done

snapshot=$asan/bin/wasmx-snapshot
for file in tests/snapshot/modules/*.wat tests/cli/snap.wat tests/cli/imported.wat; do
    name=${file#tests/}
    wat2wasm --no-check --enable-all "$file" -o "$WASMX_TMP/s.wasm" || continue
    for options in "" "--keep-all --own-imports" "--init-func= --max-segments=3" "--init-func=_initialize --report"; do
        # shellcheck disable=SC2086
        run "$name: snapshot $options" 1 "0 1" "$snapshot" --allow-wasi $options "$WASMX_TMP/s.wasm" -o "$WASMX_TMP/s.out"
    done
done

# Prefixes of a small module: an error, never a report.
if command -v wat2wasm >/dev/null; then
    wat2wasm tests/cli/stack.wat -o "$WASMX_TMP/whole.wasm"
    size=$(stat -c %s "$WASMX_TMP/whole.wasm")
    for ((n = 1; n < size; n += 1 + size / 24)); do
        head -c "$n" "$WASMX_TMP/whole.wasm" >"$WASMX_TMP/cut.wasm"
        run "first $n bytes of a module" 1 "0 1" "$aot" build -O0 --name=t -o "$WASMX_TMP/t.o" "$WASMX_TMP/cut.wasm"
    done
else
    skip "prefixes: no wat2wasm"
fi
finish
