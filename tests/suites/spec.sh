# shellcheck shell=bash
# tests/suites/spec.sh: the official test suite, through decoder, validator, compiler, linker and runtime.
# cost: 400
#
# First every module is decoded, validated and encoded again (validate_suite). Then every script that needs no feature
# of tests/spec/left_out.txt runs in each mode; there a skipped assertion is a failure, unless tests/spec/exceptions.txt
# names the script with the reason. One OK or FAIL line of detail a script, but the counts are assertions.
. tests/suite.sh spec

# Mode k: every module is a snapshot of itself first; p: profiled, and compiled again by the profile (compile.c, one.sh).
# Interpret, eager, baseline, compile: code is made in the process that runs it, by these tiers (lazy.c).
modes="x86_64-interpret-guard x86_64-eager-guard x86_64-baseline-guard x86_64-baseline-explicit x86_64-compile-explicit x86_64-0-guard x86_64-2-guard x86_64-0-explicit x86_64-2-explicit x86_64-k-guard"
command -v qemu-aarch64 >/dev/null && modes="$modes aarch64-2-guard" || skip "aarch64: no qemu-aarch64"
[ -n "$WASMX_TEST_ALL" ] && modes="$modes x86_64-1-guard x86_64-3-guard x86_64-s-explicit x86_64-p-guard aarch64-p-explicit aarch64-0-guard aarch64-2-explicit"
modes=${WASMX_SPEC_MODES:-$modes}

work=$WASMX_BUILD/spec
mkdir -p "$work/x86_64" "$work/aarch64"

# Adds the numbers of a line `NAME: P passed, F failed, S skipped`.
add_counts() {
    local numbers
    numbers=$(sed -n 's/^.*: \([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' <<<"$1")
    read -r p f s <<<"$numbers"
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

validate() {
    bash tests/spec/validate_suite.sh "$WASMX_BUILD/bin/tests/validate_suite" "$work" >"$work/validate.log" 2>&1
    grep -E '^(FAIL|SKIP)' "$work/validate.log"
    echo "decode, validate, encode: $(tail -1 "$work/validate.log")"
    add_counts "$(tail -1 "$work/validate.log")"
}

build_runners() {
    clang-22 -O1 -g -Wall -Wextra -Iinclude -c tests/spec/run.c -o "$work/x86_64/run.o" || return 1
    case $modes in *aarch64*) aarch64-linux-gnu-gcc -O1 -g -Wall -Wextra -Iinclude -c tests/spec/run.c -o "$work/aarch64/run.o" ;; esac
}

left_out() { grep -q "^$1 " tests/spec/left_out.txt; }
expected_skips() { sed -n "s|^$1 \([0-9]*\) .*|\1|p" tests/spec/exceptions.txt; }

# A log's last line, with skips that nobody expects turned into failures.
judge() {
    local mode=$1 name=$2 last p f s allowed
    last=$(tail -1 "$work/logs/$mode/$name")
    read -r p f s <<<"$(sed -n 's/^.*: \([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' <<<"$last")"
    allowed=$(expected_skips "$name")
    if [ "${s:-0}" -gt "${allowed:-0}" ]; then
        echo "FAIL $mode $name: $s assertions skipped, ${allowed:-0} expected"
        f=$((f + s - ${allowed:-0})) s=${allowed:-0}
    fi
    [ "${f:-1}" -gt 0 ] && { echo "FAIL $mode $name: $last"; head -5 "$work/logs/$mode/$name" | sed 's/^/    /'; }
    passed=$((passed + ${p:-0})) failed=$((failed + ${f:-1})) skipped=$((skipped + ${s:-0}))
}

run_mode() {
    local mode=$1 name
    mkdir -p "$work/logs/$mode"
    for name in $scripts; do mkdir -p "$work/logs/$mode/$(dirname "$name")"; done
    for name in $scripts; do echo "$name"; done |
        xargs -P2 -I{} sh -c "bash tests/spec/one.sh '$WASMX_BUILD' $mode '$work/suite/{}' {} >'$work/logs/$mode/{}' 2>&1"
    for name in $scripts; do judge "$mode" "$name"; done
    echo "$mode: so far $passed passed, $failed failed, $skipped skipped"
}

validate
if [ -d "$work/suite" ]; then
    scripts=
    for dir in "$work"/suite/*/script.txt "$work"/suite/proposals/threads/*/script.txt; do
        name=$(dirname "${dir#"$work/suite/"}")
        if left_out "$name"; then skip "$name.wast is left to Wasm 3.0: $(sed -n "s|^$name ||p" tests/spec/left_out.txt)"
        else scripts="$scripts $name"; fi
    done
    if build_runners; then for mode in $modes; do run_mode "$mode"; done; else fail "tests/spec/run.c does not compile"; fi
fi
finish
