// tests/snapshot/quickjs/program.js: the top level fills tables, as programs do that are worth a snapshot; main() uses them: maps,
// closures, expressions, a generator that stands in the middle, a promise that waits.
const words = new Map();
for (let i = 0; i < 50000; i++) words.set(`word ${i}`, { length: i % 97, square: i * i });

const patterns = Array.from({ length: 400 }, (_, i) => new RegExp(`^/(api|v${i})/([a-z]+)${i % 7 ? '' : '(?=\\?)'}`, 'u'));
const memo = new WeakMap(), symbol = Symbol('kept');
class Shape { #sides; constructor(n) { this.#sides = n; } get sides() { return this.#sides; } [symbol]() { return this.#sides * 10; } }
const shapes = [3, 4, 5].map((n) => new Shape(n));
shapes.forEach((s, i) => memo.set(s, `shape ${i}`));

function* count() { for (let i = 0; ; i++) yield i; }
const counter = count();
for (let i = 0; i < 10; i++) counter.next();

let wake;
const waiting = new Promise((resolve) => { wake = resolve; });
waiting.then((value) => print('awake', value));

const floats = Float64Array.from({ length: 1000 }, (_, i) => i / 7);
const adders = Array.from({ length: 100 }, (_, i) => (x) => x + i);
const text = JSON.stringify([...words].slice(0, 1000));
const sorted = [...words.keys()].sort((a, b) => (a < b ? 1 : -1));

function main() {
    let sum = 0;
    for (const [key, value] of words) sum = (sum * 31 + key.length * value.square + value.length) % 1000000007;
    print(words.size, sum, sorted[0], sorted[49999]);
    print(patterns.filter((p) => p.test('/v7/list?x')).length, patterns[3].exec('/v3/items/4').slice(1).join());
    print(shapes.map((s) => [s.sides, s[symbol](), memo.get(s)].join(':')).join(' '));
    print(counter.next().value, adders[41](1), floats.reduce((a, b) => a + b, 0));
    print(text.length, JSON.parse(text)[999][1].square, 2n ** 100n);
    wake('at last');
    try { null.x; } catch (e) { print(e.name, e.message); }
    words.set('new', { length: 1, square: 1 });
    print(words.size, words.get('word 777').square, new Date(0).toISOString());
}
