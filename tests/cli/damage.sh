# shellcheck shell=bash
# tests/cli/damage.sh prefixes|bytes FILE: hands damaged copies of a module to `wasmx-aot validate`, many at a time, and
# says how it took them. Only statuses 0 and 1 are right, with one line for every copy that is refused.
mode=$1 file=$2
mkdir -p damaged
node - "$mode" "$file" <<'JS'
const fs = require('node:fs');
const [mode, file] = process.argv.slice(2), bytes = fs.readFileSync(file);
let seed = 12345;
const random = (n) => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) % n;
const copies = mode === 'prefixes' ? [...bytes.keys()].map((n) => bytes.subarray(0, n))
    : Array.from({ length: 3000 }, () => {
        const copy = Buffer.from(bytes);
        for (let k = random(3); k >= 0; k--) copy[8 + random(copy.length - 8)] = random(256);
        return copy;
    });
copies.forEach((copy, i) => fs.writeFileSync(`damaged/${i}.wasm`, copy));
JS
count=0 strange=0
while read -r -a batch; do
    wasmx-aot validate "${batch[@]}" >damaged/out 2>&1
    status=$?
    count=$((count + ${#batch[@]}))
    [ $status -le 1 ] && ! grep -qv '^wasmx-aot: damaged/[0-9]*\.wasm:' damaged/out && continue
    echo "status $status:" && grep -v '^wasmx-aot: damaged/' damaged/out
    strange=$((strange + 1))
done < <(printf '%s\n' damaged/*.wasm | xargs -n 100)
rm -r damaged
[ $count -gt 100 ] && [ $strange = 0 ] && echo "all refused or taken, $mode"
