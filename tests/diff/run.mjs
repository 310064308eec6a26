// tests/diff/run.mjs: V8's transcript of a fuzzer's module, in the form of run.c.
//
//   node run.mjs FILE TRANSCRIPT      TRANSCRIPT: one of run.c, which tells the order of calls and the types
//
// Exit status 3 where this V8 is too old for the module (tail calls).
import { readFileSync } from 'node:fs';

const [file, transcript] = process.argv.slice(2);
const lines = [];
const bits = new DataView(new ArrayBuffer(8));
const hex = (n, width) => n.toString(16).padStart(width, '0');

function text(kind, value) {
    switch (kind) {
    case 'i': return String(value | 0);
    case 'I': return String(BigInt.asIntN(64, value));
    case 'f': return Number.isNaN(value) ? 'nan' : (bits.setFloat32(0, value), hex(bits.getUint32(0), 8));
    case 'F': return Number.isNaN(value) ? 'nan' : (bits.setFloat64(0, value), hex(bits.getBigUint64(0), 16));
    default: return value === null ? 'null' : 'ref';
    }
}

const log = (kind) => (value) => { lines.push(`log ${text(kind, value)}`); };
const imports = { 'fuzzing-support': { 'log-i32': log('i'), 'log-i64': log('I'), 'log-f32': log('f'), 'log-f64': log('F') } };
const zero = (kind) => (kind === 'I' ? 0n : 'if'.includes(kind) || kind === 'F' ? 0 : null);

function hash(memory) {
    let h = 2166136261;
    if (memory) for (const byte of new Uint8Array(memory.buffer)) h = Math.imul(h ^ byte, 16777619);
    return hex(h >>> 0, 8);
}

function call(exports, name, type) {
    const [params, results] = type.split(':');
    lines.push(`call ${name} ${type}`);
    try {
        exports.hangLimitInitializer?.();
        const got = exports[name](...[...params].map(zero));
        const values = results.length > 1 ? [...got] : results.length ? [got] : [];
        lines.push(['=', ...values.map((value, k) => text(results[k], value))].join(' '));
        lines.push(`memory ${hash(exports.memory)}`);
    } catch (e) {
        if (!(e instanceof WebAssembly.RuntimeError || e instanceof RangeError)) throw e;
        lines.push('trap');
    }
}

let module;
try {
    module = new WebAssembly.Module(readFileSync(file));
} catch (e) {
    console.log(e.message);
    process.exit(/enable with|invalid opcode/i.test(e.message) ? 3 : 1);
}

function instantiate() {
    try {
        return new WebAssembly.Instance(module, imports).exports;
    } catch (e) {
        if (!(e instanceof WebAssembly.RuntimeError)) throw e;
        return null;
    }
}

for (const line of readFileSync(transcript, 'utf8').split('\n')) {
    const parts = line.split(' ');
    if (parts[0] !== 'call' && line !== 'not instantiated') continue;
    const exports = instantiate();
    if (exports) call(exports, parts[1], parts[2]);
    else lines.push('not instantiated');
}
console.log(lines.join('\n'));
