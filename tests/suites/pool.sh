# shellcheck shell=bash
# tests/suites/pool.sh: servers' loads on pools of instances: plain, with little address space, under ThreadSanitizer and
# valgrind, and on the other architecture.
# cost: 60
. tests/suite.sh pool

aot=$WASMX_BUILD/bin/wasmx-aot lib=$WASMX_BUILD/lib/libwasmx.a out=$WASMX_TMP
flags=(-std=gnu11 -g -O1 -Wall -Wextra -I. -Iinclude -D_GNU_SOURCE)

# module NAME OPTIONS...: out/NAME/filter.o. program NAME COMPILER LIBRARY-AND-FLAGS...: out/NAME/load
module() {
    "$aot" build -O1 --name=filter "${@:2}" -o "$out/$1/filter.o" tests/pool/filter.wat &&
        "$aot" build -O1 --name=wait --interruptible "${@:2}" -o "$out/$1/wait.o" tests/pool/wait.wat
}
program() {
    "$2" "${flags[@]}" -I"$out/$1" tests/pool/load.c "$out/$1/filter.o" "${@:3}" -pthread -lm -o "$out/$1/load" &&
        "$2" "${flags[@]}" -I"$out/$1" tests/pool/async.c "$out/$1/wait.o" "${@:3}" -pthread -lm -o "$out/$1/async"
}

for name in guard explicit arm; do mkdir -p "$out/$name"; done
check "build with guard pages" module guard
check "build with explicit bounds" module explicit --bounds=explicit
check "link with guard pages" program guard cc "$lib"
check "link with explicit bounds" program explicit cc "$lib"

check "4 threads, 20,000 requests each" timeout 120 "$out/guard/load" 20000 4 0
for way in scan pagemap discard; do
    if ! WASMX_RESET=$way "$out/guard/load" 1 1 0 >"$out/way.log" 2>&1 && grep -q 'does not work on this system' "$out/way.log"
    then skip "by $way: this kernel has no such way"; continue; fi
    check "4 threads, by $way" env WASMX_RESET="$way" timeout 120 "$out/guard/load" 3000 4 0
done

check "4 threads, 3,000 calls that are suspended" timeout 120 "$out/guard/async" 3000 4
check "4 threads, suspended, with explicit bounds" timeout 120 "$out/explicit/async" 1000 4

small() { (ulimit -v 262144 && exec "$@"); }
check "explicit bounds in 256 MiB of address space" small "$out/explicit/load" 3000 4 1048576
refused() { ! small "$@" 2>"$out/refused" && grep -q 'no address space' "$out/refused"; }
check "guard pages in 256 MiB of address space: an error" refused "$out/guard/load" 10 1 0

runtime=(runtime/*.c "runtime/entry_$(uname -m).S")
for other in x86_64 aarch64; do
    [ "$other" = "$(uname -m)" ] || for k in "${!runtime[@]}"; do [[ ${runtime[k]} != *_$other.? ]] || unset "runtime[k]"; done
done
core=()
for file in "${runtime[@]}"; do [ "$file" = runtime/command.c ] || core+=("$file"); done
mkdir -p "$out/tsan" && cp "$out/guard/filter.o" "$out/guard/filter.h" "$out/guard"/wait.? "$out/tsan/"
if ! echo 'int main(void) { return 0; }' | cc -x c - -fsanitize=thread -o "$out/tsan/none" || ! "$out/tsan/none"; then
    skip "ThreadSanitizer: it does not run here"
else
    check "link under ThreadSanitizer" program tsan cc -fsanitize=thread -Wno-tsan "${core[@]}"
    check "ThreadSanitizer: 4 threads" env TSAN_OPTIONS=halt_on_error=1 timeout 300 "$out/tsan/load" 2000 4 0
    check "ThreadSanitizer: suspended" env TSAN_OPTIONS=halt_on_error=1 timeout 300 "$out/tsan/async" 400 4
fi

if command -v valgrind >/dev/null; then
    check "valgrind: 2 threads" timeout 300 valgrind -q --error-exitcode=9 --leak-check=full \
        --suppressions=tests/pool/valgrind.supp "$out/guard/load" 100 2 0
else
    skip "valgrind: not installed"
fi

cross=$WASMX_BUILD/lib/aarch64-linux-gnu/libwasmx.a
if command -v qemu-aarch64 >/dev/null && [ -f "$cross" ]; then
    check "build for aarch64" module arm --target=aarch64-linux-gnu
    check "link for aarch64" program arm aarch64-linux-gnu-gcc "$cross" -static
    check "aarch64: 2 threads" timeout 300 qemu-aarch64 "$out/arm/load" 300 2 0
    check "aarch64: suspended" timeout 300 qemu-aarch64 "$out/arm/async" 200 2
else
    skip "aarch64: no qemu-aarch64, or no aarch64-linux-gnu-gcc when libwasmx was built"
fi
finish
