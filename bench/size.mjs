// bench/size.mjs BUILD [OPTIONS]: bytes of code, -Os here beside -Os natively, of the same sources.
//
// A module brings its C library along and a native object does not. So what is summed is functions by their sizes in the symbol
// table: natively all of the object; here those of the module whose names no archive of the C or C++ library defines. Nothing can
// be inlined away unseen: what was is in the caller that counts. Part of every small program is the same main() (bench.h), which
// prints and takes times; fib is next to nothing else. `own` is what remains of each program without as many bytes as fib has.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { nativeCommand, wasmCommand } from './engines.mjs';
import { needsOf, programs } from './packages.mjs';
import { geomean } from './report.mjs';

const usage = `bench/size [--programs A,B] [--flags "FLAGS OF wasmx-aot build"] [--most RATIO]
Bytes of code at -Os beside native -Os. Status 1 when the sum of all programs is above RATIO (default 1.1) times native's.`;
const [build, ...rest] = process.argv.slice(2), options = { most: '1.1', flags: '' };
while (rest.length) {
    const name = rest.shift();
    if (!['--programs', '--flags', '--most'].includes(name) || !rest.length) {
        console.log(usage);
        process.exit(name === '--help' ? 0 : 2);
    }
    options[name.slice(2)] = rest.shift();
}
const names = options.programs?.split(','), unknown = names?.find((name) => !programs.some((p) => p.name === name));
if (unknown || !(Number(options.most) > 0)) {
    console.error(unknown ? `bench/size: no program ${unknown}` : `bench/size: --most wants a number, not '${options.most}'`);
    process.exit(2);
}

const run = (argv) => execFileSync(argv[0], argv.slice(1), { encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'pipe'] });

// [name, bytes] of every function that FILE defines.
function functions(file) {
    return run(['llvm-nm-22', '--defined-only', '--print-size', file]).split('\n').flatMap((line) => {
        const m = /^[0-9a-f]+ ([0-9a-f]+) [TtWw] (.*)$/.exec(line);
        return m ? [[m[2], parseInt(m[1], 16)]] : [];
    });
}

const lib = '/usr/lib/wasm32-wasi', llvm = '/usr/lib/llvm-22/lib';
const archives = [`${lib}/libc.a`, `${lib}/crt1-command.o`, `${lib}/crt1.o`, `${llvm}/wasm32-wasi/libc++.a`, `${llvm}/wasm32-wasi/libc++abi.a`,
    `${llvm}/clang/22/lib/wasi/libclang_rt.builtins-wasm32.a`].filter(existsSync);
const theirs = new Set(archives.flatMap((file) => run(['llvm-nm-22', '--defined-only', '--format=just-symbols', file]).split('\n')));
const linkers = /^(__wasm_call_ctors|_start|undefined_weak:.*|.*\.command_export)$/;
const isOwn = (name) => name === '__original_main' || name === 'main' || !(theirs.has(name) || linkers.test(name));
const sum = (list) => list.reduce((total, [, bytes]) => total + bytes, 0);

function measure(program, needs) {
    const job = { ...program, ...needs }, dir = `${build}/bench/${program.name}`, stem = `${dir}/${program.name}.size`;
    mkdirSync(dir, { recursive: true });
    run(nativeCommand(job, `${stem}.native.o`, '-Os'));
    run(wasmCommand(job, `${stem}.wasm`, false, '-Os'));
    run([`${build}/bin/wasmx-aot`, 'build', `${stem}.wasm`, '-Os', '--name=prog', '--emit=obj', ...options.flags.split(' ').filter(Boolean), '-o', `${stem}.o`]);
    // Guest functions are prog.NAME; prog.wx.* is the instance's: thunks, adapters, what imports are called by.
    const guest = functions(`${stem}.o`).filter(([name]) => name.startsWith('prog.') && !name.startsWith('prog.wx.'));
    return { native: sum(functions(`${stem}.native.o`)), ours: sum(guest.filter(([name]) => isOwn(name.slice(5)))) };
}

const rows = [], leftOut = [];
for (const program of programs.filter(({ name }) => !names || names.includes(name))) {
    const needs = needsOf(program.name, build);
    if (needs.why) leftOut.push(`${program.name} (${needs.why})`);
    else rows.push({ name: program.name, ...measure(program, needs) });
}
const frame = rows.find(({ name }) => name === 'fib');
const line = (name, native, ours, more = '') => console.log(name.padEnd(16), String(native).padStart(8), String(ours).padStart(8), (ours / native).toFixed(3).padStart(7), more);
if (!rows.length) {
    console.error(`bench/size: nothing to measure: ${leftOut.join(', ')}`);
    process.exit(1);
}
console.log('program           native     ours   ratio', frame ? '  own' : '');
for (const row of rows) {
    row.own = frame && row !== frame ? (row.ours - frame.ours) / (row.native - frame.native) : undefined;
    line(row.name, row.native, row.ours, row.own?.toFixed(3).padStart(5));
}
const total = (list, key) => list.reduce((n, row) => n + row[key], 0), small = rows.filter(({ name }) => name !== 'quickjs');
const ratio = total(rows, 'ours') / total(rows, 'native');
line('sum', total(rows, 'native'), total(rows, 'ours'));
if (small.length && small.length < rows.length) line('without quickjs', total(small, 'native'), total(small, 'ours'));
console.log(`geometric mean ${geomean(rows.map((row) => row.ours / row.native)).toFixed(3)}` + (frame ? `, of own code ${geomean(rows.flatMap(({ own }) => (own ? [own] : []))).toFixed(3)}` : ''));
if (leftOut.length) console.log(`skipped: ${leftOut.length} of the programs: ${leftOut.join(', ')}`);
if (ratio > Number(options.most)) {
    console.error(`bench/size: the sum is ${ratio.toFixed(3)} times native's, above ${options.most}`);
    process.exitCode = 1;
}
