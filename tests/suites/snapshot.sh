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

# The package alone, without what it depends on, in that version: another package may have brought another one.
fetch() { # NAME@VERSION
    local folder=$modules/${1%@*} version=${1##*@} tarball
    ! grep -q "\"version\": \"$version\"" "$folder/package.json" 2>/dev/null || return 0
    tarball=$(cd "$out" && npm pack "$1" --silent 2>>npm.log | tail -1) && [ -f "$out/$tarball" ] || return 1
    rm -rf "$folder" "$folder.new"
    mkdir -p "$folder.new" && tar xzf "$out/$tarball" -C "$folder.new" --strip-components=1 && rm "$out/$tarball" && mv "$folder.new" "$folder"
}
packages=(@bytecodealliance/wizer-linux-x64@11.0.3)
[ -z "$WASMX_TEST_ALL" ] || packages+=(@fastly/js-compute@3.46.0 @bytecodealliance/componentize-js@0.23.0 @ruby/3.4-wasm-wasi@2.10.1
    react-native-quickjs@0.0.2)
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

# However many functions were compiled when the initialiser ended, and by whom: the same bytes.
same_with_every_tier() { # NAME INIT
    local tiers
    for tiers in mixed interpret compile eager baseline; do
        check "$1: --tiers=$tiers gives the same" bash -c '"$1" --allow-wasi --tiers="$2" -f "$3" "$4" </dev/null 2>/dev/null | cmp - "$5"' - \
            "$snapshot" "$tiers" "$2" "$out/programs/$1.wasm" "$out/$1.snap.wasm"
    done
}

if tests/snapshot/build.sh "$out/programs" >"$out/build.log" 2>&1; then
    for file in "$out"/programs/*.wasm; do
        case $(basename "$file" .wasm) in
        files) files ;;
        start) own start wizer.initialize ;;
        *) own "$(basename "$file" .wasm)" wizer-initialize ;;
        esac
    done
    for name in patterns reactor values tables; do same_with_every_tier "$name" wizer-initialize; done
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

# saw TITLE EXPECTED COMMAND...: what a command prints.
saw() {
    local title=$1 expected=$2
    shift 2
    if timeout 300 "$@" 2>"$out/saw.err" | cmp -s - "$expected"; then ok "$title"; else fail "$title: $(head -3 "$out/saw.err")"; fi
}

# QuickJS evaluates a program, and the snapshot calls its function main.
quickjs() {
    local file=$out/js/quickjs.wasm program=tests/snapshot/quickjs/program.js
    QUICKJS=$modules/react-native-quickjs/cpp/engine tests/snapshot/build.sh "$out/js" >"$out/build.log" 2>&1 ||
        { fail "QuickJS does not build: $(tail -3 "$out/build.log")"; return; }
    "$out/js/quickjs" <$program >"$out/js/native"
    check "QuickJS: a program of its own" grep -q '^awake at last$' "$out/js/native"
    saw "QuickJS: ours as native code" "$out/js/native" "$aot" run "$file" <$program
    saw "QuickJS: V8 as native code" "$out/js/native" node tests/programs/node-wasi.mjs "$file" <$program
    check "QuickJS: snapshot" "$snapshot" --allow-wasi -r _start=resume "$file" -o "$out/js/ours.wasm" <$program
    check "QuickJS: again the same" bash -c '"$1" --allow-wasi -r _start=resume "$2" <"$3" | cmp - "$4"' - "$snapshot" "$file" $program "$out/js/ours.wasm"
    saw "QuickJS: the snapshot, ours" "$out/js/native" "$aot" run "$out/js/ours.wasm" </dev/null
    saw "QuickJS: the snapshot, V8" "$out/js/native" node tests/programs/node-wasi.mjs "$out/js/ours.wasm" </dev/null
    [ -n "$wizer" ] || { skip "QuickJS: beside Wizer: not installed from npm"; return; }
    check "QuickJS: Wizer" "$wizer" --allow-wasi -f wizer-initialize -r _start=resume "$file" -o "$out/js/wizer.wasm" <$program
    saw "QuickJS: Wizer's snapshot, ours" "$out/js/native" "$aot" run "$out/js/wizer.wasm" </dev/null
}

# A filter in Rust: regular expressions and tables, with the crates that Debian carries.
rust() {
    RUST=1 tests/snapshot/build.sh "$out/programs" >"$out/build.log" 2>&1 || { fail "Rust does not build: $(tail -3 "$out/build.log")"; return; }
    if [ -f "$out/programs/rust.wasm" ]; then own rust wizer-initialize && same_with_every_tier rust wizer-initialize
    else skip "Rust: no Debian packages rustc, libstd-rust-dev-wasm32, librust-regex-dev"; fi
}

# Ruby booted, with a program that filled a table: what it says from there on is what it says without a snapshot.
booted_ruby() { # RUBY
    local file=$out/booted.wasm
    present "Ruby, booted" "$1" || return
    node tests/snapshot/boot-ruby.mjs "$1" "$file" \
        'wizer-initialize=$t = (1..1000).to_h { |i| ["key #{i}", i * i] }; $re = (0..50).map { |i| /a#{i}(b+)c/ }; $f = Fiber.new { 3.times { |i| Fiber.yield i } }' \
        'main=$stdout.puts [RUBY_VERSION, $t.size, $t["key 77"], $re[7].match("xa7bbbc")[1], $f.class, "%.3f" % Math.sqrt(2)].join(" "); $stdout.flush'
    check "Ruby, booted: snapshot" "$snapshot" --allow-wasi --preload canonical_abi=tests/snapshot/canonical.wat "$file" -o "$out/booted.snap.wasm"
    node tests/snapshot/v8.mjs --run "$file" _initialize wizer-initialize main >"$out/booted.txt" 2>"$out/booted.err"
    check "Ruby, booted: V8 without a snapshot" grep -q ' 1000 5929 bbb Fiber 1.414$' "$out/booted.txt"
    saw "Ruby, booted: the snapshot in V8" "$out/booted.txt" node tests/snapshot/v8.mjs --run "$out/booted.snap.wasm" main
    saw "Ruby, booted: ours without a snapshot" "$out/booted.txt" "$compare" --calls "$file" _initialize wizer-initialize main
    saw "Ruby, booted: the snapshot, ours" "$out/booted.txt" "$compare" --calls "$out/booted.snap.wasm" main
}

if [ -n "$WASMX_TEST_ALL" ]; then
    quickjs
    rust
    ruby=$modules/@ruby/3.4-wasm-wasi/dist/ruby.wasm
    cp tests/snapshot/handler.js "$out" && echo handler.js >"$out/handler.name"
    real "SpiderMonkey (Fastly)" "$modules/@fastly/js-compute/fastly.wasm" "$out/handler.name" -f wizer.initialize --dir .
    printf '%s\n' 'export const table = new Map(Array.from({ length: 50000 }, (_, i) => [`key ${i}`, i * i]));' >"$out/index.js"
    real "StarlingMonkey" "$modules/@bytecodealliance/componentize-js/lib/starlingmonkey_embedding.wasm" /dev/null --dir .
    mkdir -p "$out/pack" && echo 'puts [1, 2, 3].sum' >"$out/pack/app.rb"
    real "Ruby, constructors" "$ruby" /dev/null -f _initialize
    booted_ruby "$ruby"
    real "Ruby, a packed directory" "$ruby" /dev/null -f wasi_vfs_pack_fs --mapdir /src::pack
fi
finish
