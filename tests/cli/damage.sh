# shellcheck shell=bash
# tests/cli/damage.sh prefixes|bytes COMMAND FILE [COUNT]: hands damaged copies of a file to `wasmx-aot COMMAND` and says
# how it took them. Only statuses 0 and 1 are right, with one line for every copy that is refused.
mode=$1 command=$2 file=$3 copies=${4:-3000}
mkdir -p damaged
node - "$mode" "$file" "$copies" <<'JS'
const fs = require('node:fs');
const [mode, file, count] = process.argv.slice(2), bytes = fs.readFileSync(file);
let seed = 12345;
const random = (n) => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) % n;
const interesting = [0, 1, 0x7f, 0x80, 0xff];
const damage = () => {
    const copy = Buffer.from(bytes);
    for (let k = random(3); k >= 0; k--) copy[8 + random(copy.length - 8)] = random(2) ? random(256) : interesting[random(5)];
    return copy;
};
const copies = mode === 'prefixes' ? [...bytes.keys()].map((n) => bytes.subarray(0, n)) : Array.from({ length: count }, damage);
copies.forEach((copy, i) => fs.writeFileSync(`damaged/${i}.x`, copy));
JS
one=1
[ "$command" = validate ] && one=100 # files at a time
count=0 strange=0
while read -r -a batch; do
    wasmx-aot "$command" "${batch[@]}" >/dev/null 2>damaged/log
    status=$?
    count=$((count + ${#batch[@]}))
    [ $status -le 1 ] && ! grep -qv '^wasmx-aot: damaged/[0-9]*\.x:' damaged/log && continue
    echo "${batch[*]}: status $status:" && grep -v '^wasmx-aot: damaged/' damaged/log
    strange=$((strange + 1))
done < <(printf '%s\n' damaged/*.x | xargs -n $one)
[ $count -gt 50 ] && [ $strange = 0 ] && rm -r damaged && echo "all refused or taken"
