# shellcheck shell=bash
# tests/suites/compute.sh: examples/compute: JavaScript in SpiderMonkey, snapshotted, compiled (-O0), linked into a server.
# cost: 40
#
# The engine comes from npm; without it everything here is skipped. Every request must see the service as the snapshot
# left it, also after requests that crashed, spun or filled memory.
. tests/suite.sh compute

out=$WASMX_TMP/compute here=examples/compute
if ! WASMX_BUILD=$WASMX_BUILD $here/build $here/handler.js "$out" -O0 >"$WASMX_TMP/build.log" 2>&1; then
    cat "$WASMX_TMP/build.log"
    if [ -f "$WASMX_BUILD/npm/node_modules/@fastly/js-compute/fastly.wasm" ]; then fail "the service is built"
    else skip "@fastly/js-compute could not be had from npm"; fi
    finish
fi
ok "the service is built"
sanitizers=()
if [ -n "$(nm "$WASMX_BUILD/lib/libwasmx.a" | grep __asan_init)" ]; then sanitizers=(-fsanitize=address,undefined); fi
check "the server is linked" cc -std=gnu11 -O1 -Wall -Wextra "${sanitizers[@]}" -Iinclude -I"$out" -I$here $here/server.c \
    $here/abi.c "$out/service.o" "$WASMX_BUILD/lib/libwasmx.a" -pthread -lm -o "$out/server"

"$out/server" >"$out/server.out" 2>"$out/server.err" &
server=$!
trap 'kill $server 2>/dev/null' EXIT
for _ in $(seq 200); do grep -q listening "$out/server.out" 2>/dev/null && break; sleep 0.05; done
port=$(sed -n 's/^listening on //p' "$out/server.out")

ask() { curl -s -m 20 -o "$out/answer" -w '%{http_code}' "$@"; }
expect() { # TITLE STATUS BODY CURL-ARGUMENT...
    local title=$1 status=$2 body=$3 got
    shift 3
    got=$(ask "$@")
    if [ "$got" = "$status" ] && { [ "$body" = '*' ] || [ "$(cat "$out/answer")" = "$body" ]; }; then ok "$title"
    else fail "$title: $got $(head -c 200 "$out/answer")"; fi
}
at=http://127.0.0.1:$port
hello='{"greeting":"Hallo, Ada","path":"/a","requests":1,"clock":true}'
expect "headers and query reach the service" 200 "$hello" -H 'accept-language: de-AT' "$at/a?name=Ada"
expect "the next request sees nothing of it" 200 "$hello" -H 'accept-language: de-AT' "$at/a?name=Ada"
expect "a body goes in and out" 201 "$(head -c 3000 "$here/abi.c" | base64)" --data-binary "$(head -c 3000 "$here/abi.c" | base64)" "$at/echo"
expect "an exception is the service's own 500" 500 '*' "$at/crash"
expect "a loop without end is ended" 504 '*' "$at/spin"
expect "and the one after is answered" 200 "$hello" -H 'accept-language: de-AT' "$at/a?name=Ada"
many() {
    seq 80 | xargs -P4 -I{} curl -s -m 20 -H 'accept-language: de-AT' "$at/a?name=Ada" -o "$out/many.{}" || return 1
    local k
    for k in $(seq 80); do [ "$(cat "$out/many.$k")" = "$hello" ] || return 1; done
}
check "80 requests, 4 at a time, all alike" many
check "the server is still there" kill -0 "$server"
finish
