# shellcheck shell=bash
# tests/suites/codegen.sh: what the design promises of generated code, read off it with FileCheck.
# cost: 30
#
# tests/codegen/NAME.wat carries its test: `;; build: OPTIONS` compiles it (module name t, output to FileCheck) and checks
# CHECK lines, a second build CHECK2 lines and so on; `;; run: FUNCTION ARGS` lines run it at -O0, -O2 and -O3 in turn,
# all outputs of one level together against the CHECK lines.
. tests/suite.sh codegen

aot=$WASMX_BUILD/bin/wasmx-aot
filecheck=$(command -v FileCheck-22 || echo /usr/lib/llvm-22/bin/FileCheck)

check_build() { # FILE PREFIX OPTIONS
    # shellcheck disable=SC2086
    "$aot" build "$1" --name=t $3 -o - | "$filecheck" "$1" --check-prefix="$2"
}

check_runs() { # FILE LEVEL
    sed -n 's/^;; run: //p' "$1" | while read -r function arguments; do
        # shellcheck disable=SC2086
        "$aot" run "$2" --invoke="$function" "$1" $arguments 2>&1
    done | "$filecheck" "$1"
}

for file in tests/codegen/*.wat; do
    name=$(basename "$file" .wat) n=
    while read -r options; do
        check "$name: $options" check_build "$file" "CHECK$n" "$options"
        n=$((${n:-1} + 1))
    done < <(sed -n 's/^;; build: //p' "$file")
    grep -q '^;; run:' "$file" || continue
    for level in -O0 -O2 -O3; do check "$name: run $level" check_runs "$file" "$level"; done
done
finish
