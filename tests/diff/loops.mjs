// tests/diff/loops.mjs SEED: a module of loops as compilers unroll them, as text on standard output.
//
// Every export is one loop nest over memory with constant bounds: k copies of a body displaced by a constant, sometimes
// with one copy spoilt; loads and stores that overlap between copies; loads kept for the next copy; counters from 0 up or
// from below up to 0; bases at the beginning, inside, at the end of memory and just below 4 GiB; exits in the middle.
let x = Number(process.argv[2]) * 2654435761 >>> 0 || 1;
const random = (n) => { x ^= x << 13; x ^= x >>> 17; x ^= x << 5; return (x >>> 0) % n; };
const pick = (list) => list[random(list.length)];
const chance = (percent) => random(100) < percent;

const pages = 2, end = pages * 65536;
const types = [
    { t: 'i32', size: 4, load: 'i32.load', store: 'i32.store', ops: ['i32.add', 'i32.xor', 'i32.mul', 'i32.sub'], literal: 'i32.const 7' },
    { t: 'i64', size: 8, load: 'i64.load', store: 'i64.store', ops: ['i64.add', 'i64.xor', 'i64.sub'], literal: 'i64.const -3' },
    { t: 'i32', size: 1, load: 'i32.load8_u', store: 'i32.store8', ops: ['i32.add', 'i32.xor', 'i32.and'], literal: 'i32.const 129' },
    { t: 'f64', size: 8, load: 'f64.load', store: 'f64.store', ops: ['f64.add', 'f64.sub', 'f64.mul'], literal: 'f64.const 1.5' },
];

function base(span) {
    switch (random(10)) {
    case 0: return end - span + random(64) - 32;            // may reach past the end
    case 1: return (2 ** 32 - span + random(64) - 32) >>> 0; // may pass 4 GiB
    case 2: return random(32);
    case 3: return -random(32) >>> 0;
    default: return 1024 + random(end - 2048 - span);
    }
}

function loop(index) {
    const type = pick(types), delta = pick([type.size, type.size, type.size, 2 * type.size, 3 * type.size, type.size + 1]);
    const copies = pick([1, 2, 2, 3, 4, 5, 8]), step = delta * copies, trips = 1 + random(40), span = step * trips;
    const up = chance(50), from = up ? 0 : -span, nested = chance(40), row = pick([8, 64, 4000]), rows = 1 + random(5);
    const first = base(span + (nested ? row * rows : 0));
    const streams = [first, ...[0, 1].map(() => (chance(50) ? first + (random(9) - 4) * delta : base(span)) >>> 0)];
    const kept = chance(25), spoilt = chance(25) ? random(copies) : -1, sum = chance(30) && type.t !== 'f64';
    const cut = copies === 2 && chance(30), groups = chance(20) ? 2 : 1, ops = [pick(type.ops), pick(type.ops), pick(type.ops)];
    const offsets = streams.map(() => (chance(25) ? pick([8, 16, 1024]) : 0)), order = chance(15);

    const at = (stream, copy) => {
        const spoil = copy === spoilt && chance(40) ? delta : 0, displacement = copy * delta + spoil;
        const inOffset = chance(30), start = (streams[stream] - from - offsets[stream] + (inOffset ? 0 : displacement)) | 0;
        const sum = nested ? `(i32.add (local.get $i) (local.get $row))` : '(local.get $i)';
        return [offsets[stream] + (inOffset ? displacement : 0), `(i32.add ${sum} (i32.const ${start}))`];
    };
    const load = (stream, copy) => { const [o, a] = at(stream, copy); return `(${type.load} offset=${o} ${a})`; };
    const store = (stream, copy, value) => { const [o, a] = at(stream, copy); return `(${type.store} offset=${o} ${a} ${value})`; };
    const one = (copy) => {
        const op = copy === spoilt && chance(40) ? pick(type.ops) : ops[0], text = [];
        let value = `(${op} ${load(0, copy)} ${kept ? '(local.get $kept)' : load(1, copy)})`;
        if (kept) { text.push(`(local.set $next ${load(1, copy)})`); }
        text.push(store(2, copy, `(${ops[1]} ${value} (${type.literal}))`));
        if (groups === 2) text.push(store(1, copy, `(${ops[2]} ${load(2, copy)} ${load(0, copy)})`));
        if (kept) text.push('(local.set $kept (local.get $next))');
        if (sum) text.push(`(local.set $sum (${type.t}.add (local.get $sum) ${load(0, copy)}))`);
        return text.join('\n      ');
    };
    const bodies = Array.from({ length: copies }, (_, copy) => one(copy));
    if (order) bodies.reverse();
    const next = '(local.set $i (i32.add (local.get $i) (i32.const ' + step + ')))';
    const inner = cut
        ? `(block $out (loop $l ${bodies[0]}
      (br_if $out (i32.eq (local.get $i) (i32.const ${from + step * (trips - 1)})))
      ${bodies[1]} ${next} (br $l)))`
        : `(loop $l ${bodies.join('\n      ')} ${next}
      (br_if $l (i32.ne (local.get $i) (i32.const ${from + span}))))`;
    const nest = nested
        ? `(loop $o (local.set $i (i32.const ${from})) ${inner} (local.set $row (i32.add (local.get $row) (i32.const ${row})))
      (br_if $o (i32.ne (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const ${rows}))))`
        : `(local.set $i (i32.const ${from})) ${inner}`;
    return `(func (export "f${index}") (result ${type.t}) (local $i i32) (local $row i32) (local $n i32)
      (local $kept ${type.t}) (local $next ${type.t}) (local $sum ${type.t})
      ${nest}
      ${sum ? '(local.get $sum)' : '(local.get $kept)'})`;
}

const bytes = (n) => Array.from({ length: n }, () => `\\${(64 + random(60)).toString(16)}`).join('');
console.log(`(module (memory (export "memory") ${pages})
  ${[0, 32768, 65536, end - 8192].map((at) => `(data (i32.const ${at}) "${bytes(6000)}")`).join('\n  ')}
  ${Array.from({ length: 24 }, (_, i) => loop(i)).join('\n  ')})`);
