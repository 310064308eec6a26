#!/bin/sh
# tests/spec/validate_suite.sh: converts the official suite and runs validate_suite on it.
#
#   validate_suite.sh RUNNER WORKDIR [SUITE]
#
# RUNNER is the built validate_suite. WORKDIR receives the converted scripts (WORKDIR/suite) and the npm package that reads
# modern text (WORKDIR/tools); where that cannot be had, wat2wasm converts what it can and the rest is skipped, visibly.
# SUITE is $WASMX_SPEC_TESTS or ../shared/testsuite unless given. Last line: validate_suite: P passed, F failed, S skipped.
set -eu
runner=$1 work=$2
here=$(cd "$(dirname "$0")" && pwd)
suite=${3:-${WASMX_SPEC_TESTS:-$here/../../../shared/testsuite}}
skip=$here/validate_suite.skip

if [ ! -d "$suite" ]; then
    echo "SKIP no official suite at $suite (WASMX_SPEC_TESTS names it)"
    echo "validate_suite: 0 passed, 0 failed, 1 skipped"
    exit 0
fi
mkdir -p "$work/tools"
if [ ! -d "$work/tools/node_modules/@bytecodealliance/jco-transpile" ]; then
    (cd "$work/tools" && npm install --silent --no-audit --no-fund --prefix . @bytecodealliance/jco-transpile) > /dev/null 2>&1 ||
        echo "note: npm package @bytecodealliance/jco-transpile is out of reach, wat2wasm converts what it can"
fi

# Whole folders that are left out are not converted at all; their files count as skipped, one each.
folders=$(sed -n 's|^\([a-z][^ :]*/\) .*|\1|p' "$skip")
left_out=0
set --
for file in $(cd "$suite" && find . -name '*.wast' | sed 's|^\./||' | LC_ALL=C sort); do
    out=
    for folder in $folders; do case $file in "$folder"*) out=$folder ;; esac done
    if [ -n "$out" ]; then
        left_out=$((left_out + 1))
        echo "SKIP $file: $(sed -n "s|^$out ||p" "$skip")"
    else
        set -- "$@" "$suite/$file"
    fi
done
rm -rf "$work/suite"
node "$here/convert.mjs" --tools "$work/tools" --root "$suite" "$work/suite" "$@"
exec "$runner" --skipped "$left_out" "$skip" "$work/suite"
