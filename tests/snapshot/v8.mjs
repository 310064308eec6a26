// tests/snapshot/v8.mjs: is a snapshot, in V8, what the initialiser leaves behind in V8?
//
//   node v8.mjs --memory FILE          a hash of the exported memory of a new instance, as snapshot_compare --memory
//   node v8.mjs --run FILE NAME...     what a new instance prints when these exports are called in turn
//   node v8.mjs [--calls] ORIGINAL INIT SNAPSHOT     INIT: an export, or '' for none; --calls: compare no memory
//
// Initialises the original by hand and compares it with a fresh instance of the snapshot: exported memories, globals and
// tables, then every exported function with the same arguments on both sides, and again. Imports of WASI are node's, with
// clocks and random numbers as wasmx-snapshot has them; others throw. Prints differences, exit status 1; 3 where this V8 does
// not know what the module uses.
import { readFileSync } from 'node:fs';

process.removeAllListeners('warning');
process.on('warning', () => {});
const { WASI } = await import('node:wasi');
const words = process.argv.slice(2), callsOnly = words[0] === '--calls';
const [original, init, snapshot] = callsOnly ? words.slice(1) : words;

// ---- Imports

const mask = (1n << 64n) - 1n;
function splitMix(seed) { // as in wizer/sources.c
    let state = seed;
    return () => {
        let z = state = (state + 0x9e3779b97f4a7c15n) & mask;
        z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & mask;
        z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & mask;
        return z ^ (z >> 31n);
    };
}

function deterministic(imports, memory) {
    const next = splitMix(0n);
    let time = 0n;
    const view = () => new DataView(memory().buffer);
    imports.random_get = (at, size) => {
        for (let i = 0; i < size; i += 8)
            for (let k = 0, bits = next(); k < 8 && i + k < size; k++) view().setUint8(at + i + k, Number((bits >> BigInt(8 * k)) & 255n));
        return 0;
    };
    imports.clock_time_get = (id, precision, at) => {
        time += 1000000n;
        view().setBigUint64(at, id === 0 ? 946684800000000000n + time : time, true);
        return 0;
    };
    // What it prints is compared, not seen.
    const written = [];
    imports.fd_write = (fd, list, count, out) => {
        let total = 0;
        for (let i = 0; i < count; i++) {
            const at = view().getUint32(list + 8 * i, true), size = view().getUint32(list + 8 * i + 4, true);
            if (words[0] !== '--run' || fd === 1) written.push(Buffer.from(new Uint8Array(memory().buffer, at, size)).toString('latin1'));
            total += size;
        }
        view().setUint32(out, total, true);
        return 0;
    };
    imports.proc_exit = (code) => { throw new Error(`exit ${code}`); };
    return written;
}

function instantiate(file) {
    let module, exports = {};
    try {
        module = new WebAssembly.Module(readFileSync(file));
    } catch (e) {
        console.log(`${file}: ${e.message}`);
        process.exit(/enable (with|via)|invalid opcode|memory count/i.test(e.message) ? 3 : 1);
    }
    const wasi = new WASI({ version: 'preview1', returnOnExit: true });
    const calls = { ...wasi.wasiImport }, imports = { wasi_snapshot_preview1: calls };
    const written = deterministic(calls, () => exports.memory);
    for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
        imports[from] ??= {};
        if (kind === 'function') imports[from][name] ??= () => { throw new Error(`import called: ${from} ${name}`); };
    }
    const handles = imports.canonical_abi; // of npm's Ruby: see canonical.wat
    if (handles) handles['resource_new_rb-abi-value'] = handles['resource_get_rb-abi-value'] = (value) => value;
    const instance = new WebAssembly.Instance(module, imports);
    exports = instance.exports;
    // Node's WASI wants to know the memory, and would run _initialize itself.
    try { wasi.initialize({ exports: { memory: exports.memory } }); } catch { /* no memory, nothing to know */ }
    return { file, exports, written, types: WebAssembly.Module.exports(module) };
}

// ---- Comparing

let differences = 0;
const differ = (...what) => { if (differences++ < 10) console.log(`${original}: ${what.join(' ')}`); };
const shown = (value) => typeof value === 'function' ? 'function' : Object.is(value, -0) ? '-0' : Array.isArray(value) ? value.map(shown).join() : String(value);

function compareMemory(title, a, b) {
    if (a.buffer.byteLength !== b.buffer.byteLength) return differ(title, 'sizes', a.buffer.byteLength, b.buffer.byteLength);
    const x = Buffer.from(a.buffer), y = Buffer.from(b.buffer);
    if (!x.equals(y)) differ(title, 'byte', x.findIndex((byte, i) => byte !== y[i]));
}

function compareTable(title, a, b) {
    if (a.length !== b.length) return differ(title, 'lengths', a.length, b.length);
    for (let i = 0; i < a.length; i++) if (shown(a.get(i)) !== shown(b.get(i))) return differ(title, i, shown(a.get(i)), shown(b.get(i)));
}

function globalValue(g) {
    try { return shown(g.value); } catch { return 'v128'; } // not for JavaScript
}

function compareState(a, b, when) {
    for (const { name, kind } of b.types) {
        const x = a.exports[name], y = b.exports[name];
        if (x === undefined) continue;
        if (kind === 'memory' && !callsOnly) compareMemory(`${when}: ${name}`, x, y);
        if (kind === 'global' && globalValue(x) !== globalValue(y)) differ(`${when}: ${name}`, globalValue(x), globalValue(y));
        if (kind === 'table') compareTable(`${when}: ${name}`, x, y);
    }
}

function attempt(f, args) {
    try {
        return shown(f(...args));
    } catch (e) {
        if (e instanceof TypeError && /bigint|v128/i.test(e.message)) return 'not for JavaScript';
        if (/null function or function signature|RuntimeError: (null|indirect)|table index/.test(String(e))) return 'trap: indirect call';
        return `${e.name}: ${e.message}`;
    }
}

let state = 12345;
const random = () => (state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff) >> 8;

function exercise(a, b, aBefore, bBefore) {
    for (let round = 0; round < 4; round++) {
        for (const { name, kind } of b.types) {
            if (kind !== 'function' || typeof a.exports[name] !== 'function') continue;
            const numbers = Array.from({ length: a.exports[name].length }, () => random() % 64);
            for (const args of [numbers, numbers.map(BigInt)]) {
                const x = attempt(a.exports[name], args), y = attempt(b.exports[name], args);
                if (x !== y) return differ(`${name}(${args}) gives`, x, 'and', y);
                if (x !== 'not for JavaScript') break;
            }
        }
        compareState(a, b, `round ${round}`);
        const x = a.written.slice(aBefore).join(''), y = b.written.slice(bBefore).join('');
        if (x !== y) return differ('printed', JSON.stringify(x.slice(0, 80)), 'and', JSON.stringify(y.slice(0, 80)));
        if (differences) return;
    }
}

if (words[0] === '--memory') {
    const bytes = new Uint8Array(instantiate(words[1]).exports.memory.buffer);
    let h = 2166136261;
    for (const byte of bytes) h = Math.imul(h ^ byte, 16777619);
    console.log(`${bytes.length} bytes, ${(h >>> 0).toString(16).padStart(8, '0')}`);
    process.exit(0);
}
if (words[0] === '--run') {
    const { exports, written } = instantiate(words[1]);
    for (const name of words.slice(2)) exports[name]?.();
    process.stdout.write(written.join(''));
    process.exit(0);
}
const a = instantiate(original), b = instantiate(snapshot);
if (init !== '_initialize') a.exports._initialize?.();
if (init) a.exports[init]();
compareState(a, b, 'at the start');
if (!differences) exercise(a, b, a.written.length, b.written.length);
process.exit(differences ? 1 : 0);
