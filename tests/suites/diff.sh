# shellcheck shell=bash
# tests/suites/diff.sh: random valid modules, run by us at several levels and by V8; all must tell the same story.
# cost: 60
#
# wasm-opt's fuzzer makes a module of random bytes; the seeds are fixed, so a failure repeats. Even seeds have no vectors
# and are compared with V8; odd ones have them (which V8 does not let JavaScript see) and are compared between levels.
# DIFF_FIRST and DIFF_COUNT choose other seeds. With --traps=precise every transcript must be the same. In the default mode
# LLVM may, rarely, find out late that nobody needs a loaded value and drop the load with its trap (RATIONALE.md): where
# only that mode differs, the seed is a skip that says so. A third as many modules of unrolled loops and of bounds follow.
. tests/suite.sh diff

first=${DIFF_FIRST:-1} count=${DIFF_COUNT:-60}
[ -z "$WASMX_TEST_ALL" ] || count=${DIFF_COUNT:-2000}
run=$WASMX_BUILD/bin/tests/diff_run
. tests/diff/module.sh

one() { # SEED: prints one line
    local seed=$1 base=$WASMX_TMP/$1 file=$WASMX_TMP/$1.wasm mode
    make_module "$seed" "$file" || { echo "SKIP seed $seed: wasm-opt makes no module"; return; }
    if ! timeout 120 "$run" "$file" 0 guard default >"$base.0" 2>&1; then echo "FAIL seed $seed: -O0: $(tail -1 "$base.0")"; return; fi
    for mode in "i guard default" "b guard default" "b explicit default" "e guard precise" "c explicit precise" "2 explicit default" "2 guard precise" \
        "3 guard precise interruptible"; do
        # shellcheck disable=SC2086
        timeout 120 "$run" "$file" $mode >"$base.other" 2>&1
        cmp -s "$base.0" "$base.other" || { echo "FAIL seed $seed: -O$mode differs from -O0"; return; }
    done
    if [ $((seed % 2)) = 0 ]; then
        timeout 120 node tests/diff/run.mjs "$file" "$base.0" >"$base.other" 2>&1
        [ $? != 3 ] || { echo "SKIP seed $seed: levels agree, but this V8 is too old to compare: $(head -1 "$base.other")"; return; }
        cmp -s "$base.0" "$base.other" || { echo "FAIL seed $seed: V8 differs"; diff "$base.0" "$base.other" | head -3; return; }
    fi
    timeout 120 "$run" "$file" 2 guard default >"$base.other" 2>&1
    cmp -s "$base.0" "$base.other" || { echo "SKIP seed $seed: a trap of an unused load is lost with --traps=default"; return; }
    echo "ok seed $seed: $(grep -c '^call' "$base.0") calls, $(grep -c '^trap' "$base.0") traps"
    rm -f "$base".*
}

# Loops as compilers unroll them, with all that makes rolling them back wrong (tests/diff/loops.mjs).
loops() { # SEED: prints one line
    local base=$WASMX_TMP/loops$1 mode
    node tests/diff/loops.mjs "$1" >"$base.wat"
    timeout 120 "$run" "$base.wat" 0 guard default >"$base.0" 2>&1 || { echo "FAIL loops $1: -O0: $(tail -1 "$base.0")"; return; }
    for mode in "1 guard default" "2 guard default" "3 guard default" "2 explicit default" "2 guard precise" \
        "2 guard default interruptible" "3 explicit default interruptible"; do
        # shellcheck disable=SC2086
        timeout 120 "$run" "$base.wat" $mode >"$base.other" 2>&1
        cmp -s "$base.0" "$base.other" || { echo "FAIL loops $1: -O$mode differs from -O0"; return; }
    done
    echo "ok loops $1: $(grep -c '^call' "$base.0") calls, $(grep -c '^trap' "$base.0") traps"
    rm -f "$base".*
}
# Loops and structures at the bounds of a memory (tests/diff/bounds.mjs). With --traps=precise memory is exact at a trap.
bounds() { # SEED: prints one line
    local base=$WASMX_TMP/bounds$1 mode
    node tests/diff/bounds.mjs "$1" >"$base.wat"
    timeout 120 "$run" "$base.wat" 0 explicit exact >"$base.0" 2>&1 || { echo "FAIL bounds $1: -O0: $(tail -1 "$base.0")"; return; }
    for mode in "2 guard exact" "1 explicit exact" "2 explicit exact" "3 explicit exact" "2 explicit default" "s explicit default" "2 guard default"; do
        # shellcheck disable=SC2086
        timeout 120 "$run" "$base.wat" $mode >"$base.other" 2>&1
        case $mode in *default) grep -v ^memory "$base.0" >"$base.same"; sed -i '/^memory/d' "$base.other" ;; *) cp "$base.0" "$base.same" ;; esac
        cmp -s "$base.same" "$base.other" || { echo "FAIL bounds $1: -O$mode differs from -O0"; return; }
    done
    echo "ok bounds $1: $(grep -c '^call' "$base.0") calls, $(grep -c '^trap' "$base.0") traps"
    rm -f "$base".*
}
export -f one make_module loops bounds
export WASMX_TMP run features

if command -v wasm-opt >/dev/null; then
    tally < <(seq "$first" $((first + count - 1)) | xargs -P2 -I{} bash -c 'one {}')
else
    skip "no wasm-opt (Debian package binaryen)"
fi
for kind in loops bounds; do
    tally < <(seq "$first" $((first + (count + 2) / 3 - 1)) | xargs -P2 -I{} bash -c "$kind {}")
done
finish
