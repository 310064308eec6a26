# shellcheck shell=bash
# tests/suites/demo.sh: `make demo` from compiling the filter to the last answer.
# cost: 5
. tests/suite.sh demo

WASMX_DEMO=$WASMX_TMP/demo examples/demo >"$WASMX_TMP/demo.log" 2>&1
status=$?
cat "$WASMX_TMP/demo.log"
if [ $status = 0 ]; then ok "examples/demo"; else fail "examples/demo: status $status"; fi
# The expectations of the demo itself, one test each.
while IFS= read -r title; do
    if awk -v title="# $title" '$0 == title { on = seen = 1; next } /^# / { on = 0 } on && /^! / { bad = 1 } END { exit bad || !seen }' \
        "$WASMX_TMP/demo.log"; then ok "$title"; else fail "$title: see the log"; fi
done < <(sed -n "s/^expect '\([^']*\)'.*/\1/p" examples/demo)
check "the server ran to the end" grep -q 'as expected' "$WASMX_TMP/demo.log"
finish
