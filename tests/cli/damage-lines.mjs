// tests/cli/damage-lines.mjs: node damage-lines.mjs IN COUNT: builds copies of a module whose debug information alone is
// damaged: bytes changed, sections cut or taken for one another. All must build, with one note or none.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

const [input, count] = process.argv.slice(2), bytes = readFileSync(input);
let seed = 4711;
const random = (n) => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) % n;

function leb(at) {
    let value = 0, shift = 0;
    for (;; shift += 7) {
        const byte = bytes[at++];
        value += (byte & 0x7f) * 2 ** shift;
        if (byte < 0x80) return [value, at];
    }
}

// [{ id, name, body }]: name and body of custom sections, the whole content of others.
const sections = [];
for (let at = 8; at < bytes.length;) {
    const id = bytes[at], [size, start] = leb(at + 1), [length, text] = id ? [0, start] : leb(start);
    at = start + size;
    sections.push({ id, name: bytes.toString('latin1', text, text + length), body: bytes.subarray(text + length, at) });
}

function number(n) {
    const out = [];
    for (; n > 127; n = Math.floor(n / 128)) out.push(128 + n % 128);
    return Buffer.from([...out, n]);
}

const content = ({ id, name, body }) => id ? body : Buffer.concat([number(name.length), Buffer.from(name, 'latin1'), body]);
const whole = (all) => Buffer.concat([bytes.subarray(0, 8), ...all.flatMap((one) => {
    const inside = content(one);
    return [Buffer.from([one.id]), number(inside.length), inside];
})]);

const isDebug = ({ name }) => name.startsWith('.debug_');
const debug = sections.filter(isDebug);
const wreck = {
    bytes: (body) => {
        const copy = Buffer.from(body);
        for (let k = random(8); k >= 0; k--) copy[random(random(2) ? copy.length : Math.min(64, copy.length))] = random(256);
        return copy;
    },
    cut: (body) => body.subarray(0, random(body.length)),
    swap: () => debug[random(debug.length)].body,
    noise: (body) => Buffer.from(body.map(() => random(256))),
};
const ways = Object.values(wreck);

if (debug.length < 4) console.log(`only ${debug.length} sections of debug information`);
let notes = 0;
for (let i = 0; i < count; i++) {
    const which = [debug[i % debug.length].name, '.debug_info', '.debug_abbrev', '.debug_line'][i % 4], way = ways[(i >> 2) % ways.length];
    writeFileSync('wrecked.wasm', whole(sections.map((one) => one.name === which ? { ...one, body: way(one.body) } : one)));
    const { status, stderr } = spawnSync('wasmx-aot', ['build', '-g', '-O0', '--emit=obj', 'wrecked.wasm'], { encoding: 'utf8' });
    const note = /^wasmx-aot: wrecked.wasm: (no source lines|source lines are missing): the debug information is broken\n$/.test(stderr);
    notes += note;
    if (status !== 0 || (stderr && !note)) console.log(`copy ${i}: status ${status}: ${stderr}`);
}
console.log(notes ? 'some with a note' : 'none with a note');
