// bench/instances.mjs: node bench/instances.mjs [BUILD] [--quick] [--save], or make bench-instances: builds and runs
// bench/instances.c on modules made here; a table on the terminal, and BUILD/bench/instances.{json,md,svg}. --save
// also writes bench/INSTANCES.md and bench/instances.svg.
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';

const args = process.argv.slice(2), flag = name => args.includes(name);
const build = args.find(a => !a.startsWith('--')) ?? 'build', out = `${build}/bench/instances`;
const run = (command, ...rest) => execFileSync(command, rest, { maxBuffer: 1 << 26, stdio: ['ignore', 'pipe', 'inherit'] });
mkdirSync(out, { recursive: true });

// ---- A module with an image of so many bytes, none zero, and touch(pages, stride), which writes to them

const leb = n => { const b = []; do { b.push((n & 127) | (n > 127 ? 128 : 0)); n = Math.floor(n / 128); } while (n); return b; };
const section = (id, body) => Buffer.concat([Buffer.from([id, ...leb(body.length)]), Buffer.from(body)]);
const text = s => [s.length, ...Buffer.from(s)];

function moduleWith(imageBytes, pages) {
    const data = Buffer.alloc(imageBytes, 'a module image is not zero ');
    const code = [ // loop: i32.store (at) (n); at += stride; n -= 1 until 0
        1, 1, 0x7f, 0x03, 0x40, 0x20, 2, 0x20, 0, 0x36, 2, 0, 0x20, 2, 0x20, 1, 0x6a, 0x21, 2,
        0x20, 0, 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0, 0x0b, 0x0b];
    return Buffer.concat([
        Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]),
        section(1, [1, 0x60, 2, 0x7f, 0x7f, 0]), section(3, [1, 0]), section(5, [1, 0, ...leb(pages)]),
        section(7, [2, ...text('touch'), 0, 0, ...text('memory'), 2, 0]),
        section(10, [1, code.length, ...code]),
        section(11, Buffer.concat([Buffer.from([1, 0, 0x41, 0, 0x0b, ...leb(imageBytes)]), data])),
    ]);
}

const callsModule = `(module
  (import "env" "tick" (func $tick (param i32) (result i32)))
  (memory 1)
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "ticks") (param $n i32) (result i32)
    (local $x i32)
    (loop $again
      (local.set $x (call $tick (local.get $x)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $x)))`;

const MiB = 1 << 20;
const sources = {
    tiny: ['tiny.wasm', moduleWith(64, 17)], image1: ['image1.wasm', moduleWith(MiB, 17)],
    image16: ['image16.wasm', moduleWith(16 * MiB, 257)], image32: ['image32.wasm', moduleWith(32 * MiB, 513)],
    calls: ['calls.wat', callsModule, '--imports=link'], tabled: ['tabled.wat', callsModule],
};
for (const [name, [file, bytes, ...options]] of Object.entries(sources)) {
    writeFileSync(`${out}/${file}`, bytes);
    run(`${build}/bin/wasmx-aot`, 'build', ...options, `--name=${name}`, '-o', `${out}/${name}.o`, `${out}/${file}`);
}
const compile = ['clang-22', '-std=gnu11', '-O2', '-Wall', '-Wextra', '-Iinclude', `-I${out}`, 'bench/instances.c',
    ...Object.keys(sources).map(name => `${out}/${name}.o`), `${build}/lib/libwasmx.a`, '-pthread', '-lm', '-o', `${out}/run`];
run(...compile);
const results = JSON.parse(run(`${out}/run`, flag('--quick') ? '300' : '4000'));

// ---- The page

const command = `node bench/instances.mjs${flag('--quick') ? ' --quick' : ''}`;
Object.assign(results, { date: new Date().toISOString().slice(0, 10), machine: `${cpus().length} x ${cpus()[0].model}, Linux ${release()}`, command });
const us = ns => (ns / 1000).toFixed(ns < 9950 ? 2 : ns < 99500 ? 1 : 0);
const images = [...new Set(results.requests.map(r => r.image))], ways = [...new Set(results.requests.map(r => r.way))];
const counts = [...new Set(results.requests.map(r => r.dirty))];
const find = (image, way, dirty, threads) => results.requests.find(r => r.image === image && r.way === way && r.dirty === dirty && r.threads === threads);

function requestTable(threads) {
    const lines = [`| image | way | ${counts.map(d => `${d} dirty`).join(' | ')} |`, `|---|---|${counts.map(() => '--:').join('|')}|`];
    for (const image of images)
        for (const way of ways) {
            if (!find(image, way, 0, threads)) continue;
            const cells = counts.map(d => { const r = find(image, way, d, threads); return `${us(r.both_p50)} / ${us(r.both_p99)} (${us(r.all_p50)})`; });
            lines.push(`| ${image} | ${way} | ${cells.join(' | ')} |`);
        }
    return lines;
}

const page = [
    '# Instances', '',
    `Made by \`${command}\` on ${results.date}; ${results.machine}.`, '',
    'Microseconds of acquire and release, median / 99th percentile, and in parentheses the median with the call that writes to the pages.',
    'Ways: *learned* leaves out the search for changed pages when the process had no page fault, *one thread* when the thread had none;',
    '*searched* always asks the kernel (PAGEMAP_SCAN); *discarded* gives all pages back by `madvise`, and so pays in the call; *fresh* is',
    '`wasmx_instantiate` and `wasmx_instance_free`.', '',
    '## One thread', '', ...requestTable(1), '', '## Two threads, each with its own slot', '', ...requestTable(2), '',
    '## Calls', '', 'Nanoseconds a call, of 20,000 in a row: the shortest and the median of 301 times that.', '',
    '| call | shortest | median |', '|---|--:|--:|',
    ...results.calls.map(c => `| ${c.name} | ${c.shortest.toFixed(2)} | ${c.p50.toFixed(2)} |`), '',
    '![acquire and release, 16 MiB image](instances.svg)', '',
].join('\n');

// ---- The plot: acquire + call + release over dirty pages, both logarithmic, for the 16 MiB image

function plot() {
    const shown = '16 MiB', colours = ['#0b6e4f', '#2f9e44', '#1c7ed6', '#e8590c', '#868e96'];
    const width = 640, height = 380, left = 60, bottom = 330, right = 460, top = 30;
    const x = d => left + (right - left) * Math.log2(Math.max(d, 0.5) * 2) / Math.log2(512);
    const y = ns => bottom - (bottom - top) * Math.log10(Math.max(ns, 100) / 100) / 4;
    const parts = [`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
        `<rect width="${width}" height="${height}" fill="white"/>`,
        `<text x="${left}" y="18">acquire, call and release, ${shown} image, one thread, median</text>`];
    for (let e = 2; e <= 6; e++) {
        const label = ['0.1 us', '1 us', '10 us', '100 us', '1 ms'][e - 2];
        parts.push(`<path d="M${left} ${y(10 ** e)}H${right}" stroke="#ddd"/><text x="${left - 6}" y="${y(10 ** e) + 4}" text-anchor="end">${label}</text>`);
    }
    for (const d of counts) parts.push(`<text x="${x(d)}" y="${bottom + 18}" text-anchor="middle">${d}</text>`);
    parts.push(`<text x="${(left + right) / 2}" y="${bottom + 38}" text-anchor="middle">pages the call writes to</text>`);
    ways.forEach((way, k) => {
        const points = counts.map(d => [x(d), y(find(shown, way, d, 1).all_p50)]);
        parts.push(`<polyline fill="none" stroke="${colours[k]}" stroke-width="2" points="${points.map(p => p.map(v => v.toFixed(1)).join()).join(' ')}"/>`);
        parts.push(`<text x="${right + 8}" y="${(points.at(-1)[1] + 4 + (k === 1 ? 12 : 0)).toFixed(1)}" fill="${colours[k]}">${way}</text>`);
    });
    return `${parts.join('\n')}\n</svg>\n`;
}

writeFileSync(`${out}/../instances.json`, JSON.stringify(results, null, 1));
writeFileSync(`${out}/../instances.md`, page);
writeFileSync(`${out}/../instances.svg`, plot());
if (flag('--save')) {
    writeFileSync('bench/INSTANCES.md', page);
    writeFileSync('bench/instances.svg', plot());
}
process.stdout.write(page);
