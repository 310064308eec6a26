# shellcheck shell=bash
# tests/suites/lint.sh: the rules of tests/lint/lint.mjs, one test each.
# cost: 2
. tests/suite.sh lint
tally < <(node tests/lint/lint.mjs "$WASMX_BUILD" || echo "FAIL lint.mjs: status $?")
finish
