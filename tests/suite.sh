# shellcheck shell=bash
# tests/suite.sh: sourced by the suites: counting, and a test that is a command.
#
#   . tests/suite.sh NAME
#   check "a title" command args...      passes when the command ends with status 0; its output is shown otherwise
#   ok TITLE / fail TITLE: WHY / skip TITLE: WHY
#   finish                               prints the summary; the suite ends with its status
suite=$1
passed=0 failed=0 skipped=0

ok() { passed=$((passed + 1)); echo "ok $*"; }
fail() { failed=$((failed + 1)); echo "FAIL $*"; }
skip() { skipped=$((skipped + 1)); echo "SKIP $*"; }

check() {
    local title=$1 output
    shift
    if output=$("$@" 2>&1); then
        ok "$title"
    else
        fail "$title: status $?"
        printf '%s\n' "$output" | head -n 60 | sed 's/^/    /'
    fi
}

# Counts the `ok `, `FAIL ` and `SKIP ` lines that another program writes to standard input, and shows everything.
tally() {
    local line
    while IFS= read -r line; do
        case $line in
        'ok '*) ok "${line#ok }" ;;
        'FAIL '*) fail "${line#FAIL }" ;;
        'SKIP '*) skip "${line#SKIP }" ;;
        *) printf '%s\n' "$line" ;;
        esac
    done
}

finish() {
    echo "$suite: $passed passed, $failed failed, $skipped skipped"
    [ "$failed" = 0 ]
    exit
}
