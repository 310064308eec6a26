# shellcheck shell=bash
# tests/suites/programs.sh: programs in C and C++ (tests/programs): natively and as Wasm, the same output byte for byte.
# cost: 120
#
# Each is built into an executable: at -O2 and -O0 with both kinds of bounds for this machine's architecture and, under
# qemu, for the other; -O1, -O3 and -Os with some. With WASMX_TEST_ALL=1 all of that with everything.
. tests/suite.sh programs

programs=$WASMX_BUILD/programs
if nm "$WASMX_BUILD/lib/libwasmx.a" | grep -q __asan_init; then
    skip "programs: a sanitized runtime cannot be linked statically"
    finish
fi
if ! tests/programs/build.sh "$programs"; then
    fail "tests/programs/build.sh: status $?"
    finish
fi
host=$(uname -m) targets=("$host") other=aarch64
[ "$host" = x86_64 ] || other=x86_64
if command -v "qemu-$other" >/dev/null && [ -f "$WASMX_BUILD/lib/$other-linux-gnu/libwasmx.a" ]; then targets+=("$other")
else skip "$other: no qemu-$other, or no $other-linux-gnu-gcc when libwasmx was built"
fi

# What gcc makes of them says the same: the programs are well defined.
for program in "$programs"/*.gcc; do
    name=$(basename "$program" .gcc)
    if cmp -s <("$program" </dev/null 2>&1) <("$programs/$name.native" </dev/null 2>&1); then ok "$name gcc and clang"
    else fail "$name gcc and clang: other output"
    fi
done

modes=()
if [ -n "$WASMX_TEST_ALL" ]; then
    for target in "${targets[@]}"; do
        for level in 0 1 2 3 s; do modes+=("$target/$level/guard" "$target/$level/explicit"); done
    done
else
    modes=("$host/2/guard" "$host/0/guard" "$host/2/explicit" "$host/0/explicit")
    for name in hashmap simd lz floats; do modes+=("$host/1/guard/$name" "$host/3/guard/$name" "$host/s/explicit/$name"); done
    [ ${#targets[@]} = 1 ] || modes+=("$other/2/guard" "$other/0/guard" "$other/2/explicit/lz" "$other/2/explicit/simd")
fi
tally < <(tests/programs/run.sh "$WASMX_BUILD" "$programs" "$WASMX_TMP/run" "${modes[@]}")
finish
