// tests/snapshot/boot-ruby.mjs: gives npm's ruby.wasm functions without parameters, as initialisers must be.
//
//   node boot-ruby.mjs IN.wasm OUT.wasm NAME=PROGRAM...
//
// The first function boots the interpreter as the package's JavaScript does, then runs its program; the others only run
// theirs. They are appended, so no index changes: a type, a function, an export and a body each. What they call makes and reads
// handles of the host's ("canonical_abi"), which canonical.wat answers: a handle is the pointer itself.
import { readFileSync, writeFileSync } from 'node:fs';

const [input, output, ...programs] = process.argv.slice(2);
const bytes = readFileSync(input);

function leb(n) {
    const out = [];
    do { out.push((n & 127) | (n > 127 ? 128 : 0)); n >>>= 7; } while (n);
    return out;
}
function signed(value) {
    const out = [];
    for (let n = BigInt(value); ; n >>= 7n) {
        const low = Number(n & 127n), rest = n >> 7n;
        if ((rest === 0n && !(low & 64)) || (rest === -1n && low & 64)) return [...out, low];
        out.push(low | 128);
    }
}
function read(at) { // a LEB128: [value, where it ends]
    for (let value = 0, shift = 0; ; shift += 7) {
        value += (bytes[at] & 127) * 2 ** shift;
        if (!(bytes[at++] & 128)) return [value, at];
    }
}
const text = (s) => [...leb(Buffer.byteLength(s)), ...Buffer.from(s)];

// ---- The sections

const sections = [];
for (let at = 8; at < bytes.length;) {
    const [size, body] = read(at + 1);
    sections.push({ id: bytes[at], from: body, to: body + size });
    at = body + size;
}
const section = (id) => sections.find((one) => one.id === id);
const count = (id) => read(section(id).from)[0];

const module = new WebAssembly.Module(bytes);
const functionImports = WebAssembly.Module.imports(module).filter(({ kind }) => kind === 'function').length;
const exported = {};
for (let [n, at] = read(section(7).from); n--;) {
    const [length, start] = read(at), name = bytes.toString('utf8', start, start + length);
    [exported[name], at] = read(start + length + 1);
}
const named = (name) => exported[Object.keys(exported).find((one) => one === name || one.startsWith(`${name}:`))];

// ---- The functions. Local 0: where what was stored last is.

const call = (name) => [0x10, ...leb(named(name))];
const constant = (n) => [0x41, ...signed(n)];
function store(buffer) { // in new memory
    const padded = Buffer.concat([buffer, Buffer.alloc(8 - buffer.length % 8)]);
    const code = [...constant(0), ...constant(0), ...constant(8), ...constant(padded.length), ...call('cabi_realloc'), 0x21, 0];
    for (let at = 0; at < padded.length; at += 8)
        code.push(0x20, 0, 0x42, ...signed(padded.readBigInt64LE(at)), 0x37, 3, ...leb(at));
    return code;
}
// A list of strings: pointers and lengths, then the strings.
function storeList(strings) {
    const ends = strings.map((s) => Buffer.from(`${s}\0`)), pointers = Buffer.alloc(8 * ends.length);
    const code = store(Buffer.concat([pointers, ...ends]));
    let at = pointers.length;
    ends.forEach((end, i) => {
        code.push(0x20, 0, 0x20, 0, ...constant(at), 0x6a, 0x36, 2, ...leb(8 * i));
        code.push(0x20, 0, ...constant(end.length), 0x36, 2, ...leb(8 * i + 4));
        at += end.length;
    });
    return code;
}
const boot = [...storeList(['ruby.wasm', '-EUTF-8', '-e_=0']), 0x20, 0, ...constant(3), ...call('ruby-init'), ...call('ruby-init-loadpath')];
const run = (program) => [...store(Buffer.from(program)), 0x20, 0, ...constant(Buffer.byteLength(program)), ...call('rb-eval-string-protect'), 0x1a];
const bodies = programs.map((one, i) => {
    const code = [1, 1, 0x7f, ...(i ? [] : boot), ...run(one.slice(one.indexOf('=') + 1)), 0x0b];
    return [...leb(code.length), ...code];
});

// ---- The result

const type = count(1), first = functionImports + count(3);
const more = {
    1: [[0x60, 0, 0]],
    3: programs.map(() => leb(type)),
    7: programs.map((one, i) => [...text(one.slice(0, one.indexOf('='))), 0, ...leb(first + i)]),
    10: bodies,
};
const parts = [bytes.subarray(0, 8)];
for (const { id, from, to } of sections) {
    const [n, start] = read(from), added = more[id];
    const head = added ? leb(n + added.length) : [], body = bytes.subarray(added ? start : from, to);
    const tail = added ? Buffer.concat(added.map((one) => Buffer.from(one))) : Buffer.alloc(0);
    parts.push(Buffer.from([id, ...leb(head.length + body.length + tail.length), ...head]), body, tail);
}
writeFileSync(output, Buffer.concat(parts));
