// tests/real/script.js: what QuickJS is asked to do.
const show = (...values) => print(...values.map((v) => typeof v === 'object' ? JSON.stringify(v) : String(v)));
show([3, 1, 2].sort(), Math.PI, 'caat'.replace(/a+/, 'b'), 2n ** 100n, 0.1 + 0.2, -0, [..."añ€😀"].length);
show({ ...{ a: 1 }, b: [1, , 3] }, [...new Set([1, 1, 2])], new Map([[1, 2]]).get(1), [1, [2, [3]]].flat(Infinity));
class Counter { #n = 0; get next() { return ++this.#n; } static of() { return new this(); } }
const counter = Counter.of();
show(counter.next, counter.next, typeof counter, Object.keys(counter).length);
try { null.x; } catch (e) { show(e.name, e.message); }
function* squares(n) { for (let i = 0; i < n; i++) yield i * i; }
show([...squares(6)], Array.from({ length: 3 }, (_, i) => i));
const fib = (n) => n < 2 ? n : fib(n - 1) + fib(n - 2);
show(fib(24), 'abc'.padStart(5, '*'), parseFloat('1e-7'), (1234.5678).toFixed(2), new Date(0).toISOString());
show(new Uint8Array(new Float64Array([1.5]).buffer), Math.hypot(3, 4), Math.fround(0.1), 5 % -3, -5 >>> 28);
let steps = [];
Promise.resolve().then(() => steps.push('then')).then(() => show(steps));
steps.push('now');
