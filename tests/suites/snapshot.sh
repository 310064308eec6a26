# shellcheck shell=bash
# tests/suites/snapshot.sh: run(init; main) is run(snapshot; main), in our engine and in V8, beside the real Wizer.
# cost: 90
#
# The modules and programs of tests/snapshot; with WASMX_TEST_ALL=1 real ones from npm too: SpiderMonkey for the edge,
# StarlingMonkey, Ruby. Packages are installed in build/npm, where they stay; what cannot be had is skipped by name.
. tests/suite.sh snapshot

snapshot=$WASMX_BUILD/bin/wasmx-snapshot aot=$WASMX_BUILD/bin/wasmx-aot compare=$WASMX_BUILD/bin/tests/snapshot_compare
modules=$WASMX_BUILD/npm/node_modules out=$WASMX_TMP
node=(node)
node --v8-options | grep -q experimental-wasm-return-call && node+=(--experimental-wasm-return-call)

# ---- Packages

# The package alone, without what it depends on.
fetch() {
    local folder=$modules/${1%@*} tarball
    [ ! -d "$folder" ] || return 0
    tarball=$(cd "$out" && npm pack "$1" --silent 2>>npm.log | tail -1) && [ -f "$out/$tarball" ] || return 1
    mkdir -p "$folder.new" && tar xzf "$out/$tarball" -C "$folder.new" --strip-components=1 && rm "$out/$tarball" && mv "$folder.new" "$folder"
}
packages=(@bytecodealliance/wizer-linux-x64@11.0.3)
[ -z "$WASMX_TEST_ALL" ] || packages+=(@fastly/js-compute@3.46.0 @bytecodealliance/componentize-js@0.23.0 @ruby/3.4-wasm-wasi@2.10.1)
for package in "${packages[@]}"; do fetch "$package" || fetch "$package" || echo "npm: $package could not be had"; done
wizer=$modules/@bytecodealliance/wizer-linux-x64/wizer
"$wizer" --help >/dev/null 2>&1 || wizer=

# ---- Our own modules

v8() { # TITLE [--calls] ORIGINAL INIT SNAPSHOT
    local title=$1 log=$out/v8.log
    shift
    timeout 120 "${node[@]}" tests/snapshot/v8.mjs "$@" >"$log" 2>&1
    case $? in
    0) ok "$title" ;;
    3) skip "$title: this V8 is too old: $(tail -1 "$log")" ;;
    *) fail "$title: $(head -3 "$log")" ;;
    esac
}

beside_wizer() { # NAME INIT FILE
    local calls=()
    [ "$1" != reactor ] || calls=(--calls) # its random numbers are others every time
    [ -n "$wizer" ] || { skip "$1: beside Wizer: not installed from npm"; return; }
    if ! "$wizer" --allow-wasi -f "$2" "$3" -o "$out/$1.wizer.wasm" 2>"$out/wizer.log" </dev/null; then
        ok "$1: Wizer refuses it ($(head -1 "$out/wizer.log"))"
        return
    fi
    v8 "$1: Wizer's snapshot does the same in V8" "${calls[@]}" "$3" "$2" "$out/$1.wizer.wasm"
    check "$1: no larger than Wizer's" test "$(stat -c %s "$out/$1.snap.wasm")" -le "$(stat -c %s "$out/$1.wizer.wasm")"
}

own() { # NAME INIT
    local file=$out/programs/$1.wasm
    check "$1: state and calls, ours" timeout 120 "$compare" "$file" "$2"
    check "$1: snapshot" "$snapshot" --allow-wasi -f "$2" "$file" -o "$out/$1.snap.wasm" </dev/null
    check "$1: no reader refuses it" wasm-objdump -x "$out/$1.snap.wasm"
    v8 "$1: state and calls, V8" "$file" "$2" "$out/$1.snap.wasm"
    beside_wizer "$1" "$2" "$file"
}

# A command that reads one file when it is initialised and another when it runs: the snapshotted C library finds the
# directories that the host gives it, by the numbers it knows.
files() {
    local file=$out/programs/files.wasm data=$out/data native
    mkdir -p "$data" && printf dark >"$data/settings" && printf morning >"$data/later"
    native=$(node tests/programs/node-wasi.mjs --dir "$data::/data" --env NAME=joe "$file" 2>&1)
    check "files: snapshot" "$snapshot" --allow-wasi --mapdir "/data::$data" --env NAME=joe -r _start=resume "$file" -o "$out/files.snap.wasm"
    printf night >"$data/settings"
    check "files: says what it would" test "$("$aot" run --dir="$data::/data" "$out/files.snap.wasm" 2>&1)" = "$native"
    check "files: says it in V8" test "$(node tests/programs/node-wasi.mjs --dir "$data::/data" "$out/files.snap.wasm" 2>&1)" = "$native"
    if command -v qemu-aarch64 >/dev/null && [ -f "$WASMX_BUILD/lib/aarch64-linux-gnu/libwasmx.a" ]; then
        check "files: for aarch64" "$aot" build --target=aarch64-linux-gnu --dir="$data::/data" --emit=exe "$out/files.snap.wasm" -o "$out/files.arm"
        check "files: says it on aarch64" test "$(qemu-aarch64 "$out/files.arm" 2>&1)" = "$native"
    else
        skip "files: for aarch64: no qemu-aarch64 or no library"
    fi
    printf dark >"$data/settings"
    if nm "$WASMX_BUILD/lib/libwasmx.a" | grep -q __asan_init; then
        skip "files: snapshot and executable in one: a sanitized runtime cannot be linked statically"
    else
        check "files: snapshot and executable in one" "$aot" build --init --allow-wasi --dir="$data::/data" --env NAME=joe \
            -r _start=resume -O0 --emit=exe "$file" -o "$out/files"
        check "files: that says it too" test "$("$out/files" 2>&1)" = "$native"
    fi
}

if tests/snapshot/build.sh "$out/programs" >"$out/build.log" 2>&1; then
    for file in "$out"/programs/*.wasm; do
        case $(basename "$file" .wasm) in
        files) files ;;
        start) own start wizer.initialize ;;
        *) own "$(basename "$file" .wasm)" wizer-initialize ;;
        esac
    done
    # A program without an initialiser: what instantiation leaves behind.
    for source in tests/regress/*.wat; do
        name=$(basename "$source" .wat)
        wat2wasm --no-check --enable-all "$source" -o "$out/$name.wasm" 2>/dev/null || { skip "$name: wat2wasm does not read it"; continue; }
        check "$name: as instantiated" timeout 60 "$compare" "$out/$name.wasm" ''
    done
else
    fail "tests/snapshot does not build: $(tail -3 "$out/build.log")"
fi

# Random modules: each export without parameters and results is the initialiser once, unless it traps.
. tests/diff/module.sh
random() { # SEED
    local file=$out/random.wasm name tried=0
    make_module "$1" "$file" || { skip "random $1: wasm-opt makes no module"; return; }
    for name in hangLimitInitializer $(wasm-objdump -x "$file" | sed -n 's/.* -> "\(func_[0-9_a-z]*\)"$/\1/p' | head -4); do
        timeout 120 "$compare" "$file" "$name" >"$out/random.log" 2>&1
        case $? in
        0) tried=$((tried + 1)) ;;
        3) ;;
        *) fail "random $1, $name: $(tail -1 "$out/random.log")"; return ;;
        esac
    done
    if [ $tried -gt 0 ]; then ok "random $1: $tried initialisers"; else fail "random $1: no initialiser ran"; fi
}
if command -v wasm-opt >/dev/null; then
    count=12
    [ -z "$WASMX_TEST_ALL" ] || count=60
    for seed in $(seq 1 $count); do random "$seed"; done
else
    skip "random modules: no wasm-opt (Debian package binaryen)"
fi

# ---- Real ones

present() { # TITLE FILE
    [ -f "$2" ] && return
    skip "$1: not installed from npm"
    return 1
}

# real TITLE FILE INPUT OPTION...: a snapshot, again the same, of itself the same, and an instance in V8 holds what one of ours
# holds.
real() {
    local title=$1 file=$2 input=$3
    shift 3
    present "$title" "$file" || return 1
    (cd "$out" && timeout 600 "$snapshot" --allow-wasi "$@" "$file" -o one.wasm --report=report.json <"$input") >"$out/log" 2>&1 ||
        { fail "$title: $(tail -5 "$out/log")"; return 1; }
    ok "$title: $(node -p 'const r = JSON.parse(fs.readFileSync(process.argv[1])), s = r.seconds, mb = (n) => (n / 1e6).toFixed(1);
        `compile ${s.compile.toFixed(1)} s, initialise ${s.initialise.toFixed(2)} s, write ${s.write.toFixed(2)} s, ${mb(r.before.bytes)} -> ${mb(r.after.bytes)} MB`' "$out/report.json")"
    grep 'called' "$out/log"
    check "$title: again the same" bash -c 'cd "$1" && "$2" --allow-wasi "${@:4}" -o two.wasm <"$3" 2>/dev/null && cmp one.wasm two.wasm' - "$out" "$snapshot" "$input" "$@" "$file"
    check "$title: of itself the same" bash -c 'cd "$1" && "$2" --init-func= one.wasm -o two.wasm && cmp one.wasm two.wasm' - "$out" "$snapshot"
    check "$title: an instance in V8 holds the same" test "$(node tests/snapshot/v8.mjs --memory "$out/one.wasm" 2>&1)" = \
        "$("$compare" --memory "$out/one.wasm" 2>&1)"
}

if [ -n "$WASMX_TEST_ALL" ]; then
    ruby=$modules/@ruby/3.4-wasm-wasi/dist/ruby.wasm
    cp tests/snapshot/handler.js "$out" && echo handler.js >"$out/handler.name"
    real "SpiderMonkey (Fastly)" "$modules/@fastly/js-compute/fastly.wasm" "$out/handler.name" -f wizer.initialize --dir .
    printf '%s\n' 'export const table = new Map(Array.from({ length: 50000 }, (_, i) => [`key ${i}`, i * i]));' >"$out/index.js"
    real "StarlingMonkey" "$modules/@bytecodealliance/componentize-js/lib/starlingmonkey_embedding.wasm" /dev/null --dir .
    mkdir -p "$out/pack" && echo 'puts [1, 2, 3].sum' >"$out/pack/app.rb"
    real "Ruby, constructors" "$ruby" /dev/null -f _initialize
    real "Ruby, a packed directory" "$ruby" /dev/null -f wasi_vfs_pack_fs --mapdir /src::pack
fi
finish
