// bench/programs/quickjs.js: what QuickJS runs as a program of the bench. Evaluated once; run() is what is timed. Everything is
// counted in integers, so that no C library's way to write a number is part of it.
const mix = (sum, value) => (Math.imul(sum, 31) + value) | 0;
let seed = 12345;
const random = (n) => { seed = (Math.imul(seed, 1103515245) + 12345) | 0; return ((seed >>> 8) % n); };

// Tasks of four kinds hand packets to each other: objects, inherited methods, linked lists.
class Task {
    constructor(scheduler, id) { this.scheduler = scheduler; this.id = id; this.queue = null; this.done = 0; }
    give(packet) { packet.next = null; if (!this.queue) { this.queue = packet; return; } let p = this.queue; while (p.next) p = p.next; p.next = packet; }
    turn() { const p = this.queue; if (!p) return false; this.queue = p.next; this.done++; this.work(p); return true; }
}
class Worker extends Task { work(p) { for (let i = 0; i < 4; i++) p.data[i] = (p.data[i] * 5 + this.id) % 251; this.scheduler.send(p, 1 + p.data[0] % 3); } }
class Device extends Task { work(p) { p.kind ^= 1; this.scheduler.send(p, p.kind ? 0 : 1 + p.data[1] % 3); } }
class Idle extends Task { work(p) { p.data.reverse(); this.scheduler.send(p, (p.kind + p.data[2]) & 3); } }
class Scheduler {
    constructor() { this.tasks = [new Worker(this, 0), new Device(this, 1), new Idle(this, 2), new Device(this, 3)]; this.sent = 0; }
    send(packet, to) { this.sent++; this.tasks[to].give(packet); }
    run(turns) { let i = 0; while (turns > 0) { if (this.tasks[i].turn()) turns--; i = (i + 1) & 3; } }
}
function objects() {
    const s = new Scheduler();
    for (let i = 0; i < 12; i++) s.send({ next: null, kind: i & 1, data: [i, i * 3, i * 5, i * 7] }, i & 3);
    s.run(9000);
    return s.tasks.reduce((sum, t) => mix(sum, t.done), s.sent);
}

function strings() {
    let text = '', sum = 0;
    for (let i = 0; i < 4000; i++) text += 'abcdefghij'[random(10)] + (i % 13 ? '' : ' ');
    const counts = {};
    for (const word of text.split(' ')) counts[word.slice(0, 2)] = (counts[word.slice(0, 2)] ?? 0) + word.length;
    for (const key of Object.keys(counts).sort()) sum = mix(mix(sum, key.charCodeAt(0)), counts[key]);
    return mix(sum, JSON.stringify(JSON.parse(`{"a":[${Array.from({ length: 600 }, (_, i) => i).join()}]}`)).length);
}

function patterns() {
    const lines = [];
    for (let i = 0; i < 250; i++) lines.push(`10.0.${random(256)}.${random(256)} - GET /a${random(90)}/file${random(9)}.html?x=${random(1000)} ${200 + random(4) * 100}`);
    let sum = 0;
    for (const line of lines) {
        const m = /^(\d+)\.(\d+)\.(\d+)\.(\d+) - (GET|POST) (\/[a-z0-9/]+)\.(html|png)(?:\?(\w)=(\d+))? (\d{3})$/.exec(line);
        sum = mix(mix(sum, +m[9]), +m[10] + m[6].length);
    }
    return mix(sum, lines.join('\n').replace(/file(\d)/g, (_, d) => `f${d * 2}`).length);
}

function sorting() {
    const list = Array.from({ length: 2500 }, (_, i) => ({ key: random(100000), at: i }));
    list.sort((a, b) => a.key - b.key || a.at - b.at);
    return list.reduce((sum, { key, at }) => mix(mix(sum, key), at), 0);
}

function closures() {
    const compose = (...fs) => (x) => fs.reduce((y, f) => f(y), x);
    const add = (n) => (x) => (x + n) | 0, times = (n) => (x) => Math.imul(x, n), pipeline = compose(add(3), times(5), add(-1), times(3));
    let sum = 0;
    for (let i = 0; i < 4000; i++) sum = mix(sum, pipeline(i));
    function* evens(n) { for (let i = 0; i < n; i += 2) yield i; }
    for (const x of evens(6000)) sum = mix(sum, x);
    return sum;
}

function numbers() {
    const flags = new Uint8Array(20000), map = new Map();
    let count = 0;
    for (let i = 2; i < flags.length; i++) {
        if (flags[i]) continue;
        count++;
        for (let j = i * 2; j < flags.length; j += i) flags[j] = 1;
    }
    for (let i = 0; i < 6000; i++) map.set(i % 700, (map.get(i % 700) ?? 0) + i);
    for (const [key, value] of map) count = mix(mix(count, key), value);
    const fib = (n) => (n < 2 ? n : fib(n - 1) + fib(n - 2));
    let x = 0.5;
    for (let i = 0; i < 20000; i++) x = 3.7 * x * (1 - x);
    return mix(mix(count, fib(18)), (x * 1e6) | 0);
}

function run(rounds) {
    let sum = 0;
    for (let i = 0; i < rounds; i++)
        for (const part of [objects, strings, patterns, sorting, closures, numbers]) sum = mix(sum, part());
    return sum;
}
