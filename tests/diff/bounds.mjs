// tests/diff/bounds.mjs SEED: a module of loops and structures at the bounds of a memory, as text on standard output.
//
// Explicit checks are merged and moved before loops, which must not show: bounds known only at run time, counters that
// go up, down, by steps that miss their bound, around 4 GiB, or not at all; addresses at the beginning, at the end of
// memory and below 4 GiB; memory that grows inside the loop; exits on what was loaded; accesses that only some
// iterations make; stores before the access that traps, which must be there afterwards.
let x = Number(process.argv[2]) * 2246822519 >>> 0 || 1;
const random = (n) => { x ^= x << 13; x ^= x >>> 17; x ^= x << 5; return (x >>> 0) % n; };
const pick = (list) => list[random(list.length)];
const chance = (percent) => random(100) < percent;

const pages = 2, end = pages * 65536, globals = [];
const literal = (value) => `(i32.const ${value | 0})`;
// What LLVM must not know: a global that an export writes, too.
const hidden = (value) => { globals.push(value | 0); return `(global.get $g${globals.length - 1})`; };
const given = (value) => (chance(60) ? hidden(value) : literal(value));

const kinds = [
    ['i32.load', 'i32.store', 4, 'i32'], ['i32.load8_u', 'i32.store8', 1, 'i32'], ['i32.load16_s', 'i32.store16', 2, 'i32'],
    ['i64.load', 'i64.store', 8, 'i64'], ['f64.load', 'f64.store', 8, 'f64'],
];
const make = { i32: (v) => v, i64: (v) => `(i64.extend_i32_u ${v})`, f64: (v) => `(f64.convert_i32_s ${v})` };
const note = { i32: (v) => v, i64: (v) => `(i32.wrap_i64 ${v})`, f64: (v) => `(i32.wrap_i64 (i64.reinterpret_f64 ${v}))` };

function place(span) {
    switch (random(12)) {
    case 0: case 1: case 2: case 8: case 9: return end - span - random(24);
    case 3: return 2 ** 32 - span + random(48) - 24;
    case 4: return 2 ** 32 - 65536 - span + random(48) - 24;
    case 5: return -random(64);
    case 6: return random(16);
    case 7: return end + 65536 - span + random(48) - 24; // once it has grown
    default: return 2048 + random(Math.max(1, end - 4096 - span));
    }
}

const sum = (a, b) => `(i32.add ${a} ${b})`;
const mix = (value) => `(local.set $sum (i32.add (i32.mul (local.get $sum) (i32.const 31)) ${value}))`;

function access(address, offset) {
    const [load, store, , type] = pick(kinds), where = offset ? `offset=${offset} ${address}` : address;
    if (chance(50)) return mix(note[type](`(${load} ${where})`));
    return `(${store} ${where} ${make[type](sum('(local.get $sum)', '(local.get $i)'))})`;
}

function disturb() {
    switch (random(8)) {
    case 0: return '(if (i32.eq (local.get $i) (i32.const 5)) (then (drop (memory.grow (i32.const 1)))))';
    case 1: return '(call $grow (local.get $i))';
    case 2: return '(global.set $count (i32.add (global.get $count) (i32.const 1)))';
    case 3: return `(br_if $out (i32.eq (local.get $sum) (i32.const ${random(256)})))`;
    default: return '';
    }
}

// Iterations of a loop that starts at `from` and goes on while the test holds, tested before or after the step.
const holds = {
    ne: (a, b) => a !== b, lt_u: (a, b) => a >>> 0 < b >>> 0, lt_s: (a, b) => a < b, le_u: (a, b) => a >>> 0 <= b >>> 0,
    gt_s: (a, b) => a > b, gt_u: (a, b) => a >>> 0 > b >>> 0, ge_s: (a, b) => a >= b,
};
function iterations(from, step, test, limit, first) {
    let n = 0;
    for (let i = from | 0; n < 3000; n++) {
        if (first && !holds[test](i, limit)) break;
        i = (i + step) | 0;
        if (!first && !holds[test](i, limit)) { n++; break; }
    }
    return n;
}

function loop() {
    const step = pick([1, 1, 1, 2, 3, 4, 8, 16, -1, -1, -2, -4, -8]), trips = pick([0, 1, 2, 3, 7, 8, 40, 200]);
    const scale = pick([1, 1, 4, 8, 12]), width = Math.abs(step) * scale * trips;
    const from = pick([0, 0, 1, -step * trips, 1000, 2 ** 31 - 4, -3]) | 0;
    const test = step > 0 ? pick(['ne', 'ne', 'ne', 'lt_u', 'lt_s', 'le_u']) : pick(['ne', 'ne', 'gt_s', 'gt_u', 'ge_s']);
    const limit = (from + step * trips + (chance(15) ? random(5) - 2 : 0)) | 0, first = chance(40);
    const limited = iterations(from, step, test, limit, first) >= 3000;
    const start = given(from), stop = '(local.get $stop)', bases = ['$b0', '$b1', '$b2'], values = bases.map(() => {
        const lowest = place(width), at = step > 0 ? lowest : lowest + width;
        return given(at - Math.imul(from, scale));
    });
    const index = scale === 1 ? '(local.get $i)' : `(i32.mul (local.get $i) (i32.const ${scale}))`;
    const body = Array.from({ length: 1 + random(5) }, () => {
        const base = sum(`(local.get ${pick(bases.slice(0, 1 + random(3)))})`, index), c = chance(50) ? 0 : random(64) - 24;
        const text = access(c ? sum(base, literal(c)) : base, chance(40) ? pick([4, 8, 16, 1000]) : 0);
        return chance(20) ? `(if (i32.and (local.get $i) (i32.const 2)) (then ${text}))` : text;
    });
    if (chance(40)) body.splice(random(body.length + 1), 0, disturb());
    if (limited) body.unshift('(br_if $out (i32.eqz (local.tee $fuel (i32.sub (local.get $fuel) (i32.const 1)))))');
    const again = `(i32.${test} (local.get $i) ${stop})`, next = `(local.set $i (i32.add (local.get $i) (i32.const ${step})))`;
    return `(local.set $fuel (i32.const 3000)) (local.set $i ${start}) (local.set $stop ${given(limit)})
    ${bases.map((name, k) => `(local.set ${name} ${values[k]})`).join(' ')}
    (block $out (loop $l ${first ? `(br_if $out (i32.eqz ${again}))` : ''}
      ${body.join('\n      ')}
      ${next} ${first ? '(br $l)' : `(br_if $l ${again})`}))`;
}

// Members of a structure, in any order, and elements of an array that its index cannot leave.
function structure() {
    const base = given(chance(40) ? end - random(32) : place(random(48)));
    return `(local.set $b ${base})\n    ` + Array.from({ length: 2 + random(10) }, () => {
        const c = chance(50) ? random(16) : pick([0, 0, 4, 8, 16, 24, 40, -8, -16, 64]), at = c ? sum('(local.get $b)', literal(c)) : '(local.get $b)';
        if (chance(10)) return '(local.set $i (i32.load (i32.const 512)))';
        if (chance(10)) return pick(['(call $grow (i32.const 5))', '(global.set $count (i32.const 9))']);
        const element = `(i32.shl (i32.and (local.get $i) (i32.const ${pick([3, 7, 15])})) (i32.const 2))`;
        const text = access(chance(25) ? sum(at, element) : at, chance(50) ? pick([0, 4, 8, 12, 60]) : 0);
        return chance(15) ? `(if (i32.and (local.get $sum) (i32.const 1)) (then ${text}))` : text;
    }).join('\n    ');
}

// One access that says nothing, or just not enough, or just enough, about the next, with something between them.
function pair() {
    const at = () => { const c = random(8); return access(c ? sum('(local.get $b)', literal(c)) : '(local.get $b)', chance(30) ? random(8) : 0); };
    return `(local.set $b ${hidden(end - random(20))}) ${at()} (if (i32.eqz (i32.load (i32.const 65000))) (then ${at()}))`;
}

const wrap = (name, text) => `(func (export "${name}") (result i32)
    (local $i i32) (local $b i32) (local $sum i32) (local $fuel i32) (local $stop i32)
    (local $b0 i32) (local $b1 i32) (local $b2 i32)
    ${text}
    (i32.xor (local.get $sum) (local.get $i)))`;
const functions = [
    ...Array.from({ length: 20 }, (_, i) => wrap(`f${i}`, Array.from({ length: 1 + random(2) }, () => (chance(65) ? loop() : structure())).join('\n    '))),
    ...Array.from({ length: 30 }, (_, i) => wrap(`p${i}`, pair())),
];
const bytes = (n) => Array.from({ length: n }, () => `\\${(64 + random(60)).toString(16)}`).join('');
console.log(`(module (memory (export "memory") ${pages} 16)
  (global $count (mut i32) (i32.const 0))
  ${globals.map((value, k) => `(global $g${k} (mut i32) (i32.const ${value}))`).join(' ')}
  (func (export "poke") ${globals.map((_, k) => `(global.set $g${k} (i32.load (i32.const ${4 * k})))`).join(' ')})
  (func $grow (param i32) (if (i32.eq (local.get 0) (i32.const 5)) (then (drop (memory.grow (i32.const 1))))))
  ${[0, 32768, 65536, end - 8192].map((at) => `(data (i32.const ${at}) "${bytes(4000)}")`).join('\n  ')}
  ${functions.join('\n  ')})`);
