# shellcheck shell=bash
# tests/suites/regress.sh: one file a bug that was found, named for what went wrong.
# cost: 20
#
# tests/regress/NAME.wat says in its first lines what happened; `;; run: FUNCTION ARGS` lines run it by every tier, at -O2 and
# at -O3 in turn, all outputs of one level together against the CHECK lines; every file is compiled for aarch64 too.
. tests/suite.sh regress

aot=$WASMX_BUILD/bin/wasmx-aot
filecheck=$(command -v FileCheck-22 || echo /usr/lib/llvm-22/bin/FileCheck)

check_runs() { # FILE LEVEL
    sed -n 's/^;; run: //p' "$1" | while read -r function arguments; do
        # shellcheck disable=SC2086
        "$aot" run "$2" --invoke="$function" "$1" $arguments 2>&1
    done | "$filecheck" "$1"
}

for file in tests/regress/*.wat; do
    name=$(basename "$file" .wat)
    for level in --tiers=interpret --tiers=baseline --tiers=eager --tiers=compile -O2 -O3; do check "$name: run $level" check_runs "$file" "$level"; done
    check "$name: aarch64" "$aot" build "$file" --name=t --target=aarch64-linux-gnu --emit=obj -o "$WASMX_TMP/$name.o"
done
finish
