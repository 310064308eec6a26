// bench/bench.mjs BUILD [OPTIONS]: builds the programs for every engine, runs them in interleaved rounds, reports.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { engines as allEngines, wasmCommand } from './engines.mjs';
import { needsOf, programs } from './packages.mjs';
import { digest, extras, median, page, plot, table } from './report.mjs';

const usage = `bench/run [OPTIONS]
  --rounds N        runs of every program on every engine (default ROUNDS or 5)
  --programs A,B    only these of bench/programs
  --engines A,B     only these (native is always there)
  --quick           one round, native, wasmx and V8 only
  --budget SECONDS  start no round that would end later (default 1500); the first is always run
  --reuse           build nothing that the last run built; its compile figures are taken over
  --render          run nothing; report the last run again
  --busy            say in the page that the machine had other work
  --save            also write bench/RESULTS.md and bench/plot.svg
  --list            show programs and engines, and end
Out: a table; BUILD/bench/results.json and plot.svg. Status 1 when a program failed or printed another checksum than natively.`;

function parse(args) {
    const o = { rounds: Number(process.env.ROUNDS ?? 5), budget: 1500 };
    const take = { rounds: Number, budget: Number, programs: (v) => v.split(','), engines: (v) => v.split(',') };
    while (args.length) {
        const [name, inline] = args.shift().replace(/^--/, '').split('=');
        if (['quick', 'save', 'busy', 'list', 'reuse', 'render', 'help'].includes(name)) o[name] = true;
        else if (take[name]) o[name] = take[name](inline ?? args.shift() ?? '');
        else die(`unknown option --${name}\n${usage}`);
    }
    if (o.help) { console.log(usage); process.exit(0); }
    if (o.quick) { o.rounds = 1; o.engines ??= ['wasmx', 'wasmx+', 'v8']; }
    if (!(o.rounds >= 1 && o.budget > 0)) die('--rounds and --budget want positive numbers');
    return o;
}

function die(message) {
    console.error(`bench: ${message}`);
    process.exit(2);
}

const [build, ...rest] = process.argv.slice(2);
const options = parse([...rest]);
const out = `${build}/bench`, started = Date.now();
const elapsed = () => (Date.now() - started) / 1000;
mkdirSync(out, { recursive: true });

function progress(text) {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${Math.round(elapsed())} s  ${text}`);
}
const progressEnd = () => process.stderr.isTTY && process.stderr.write('\r\x1b[K');

function command(argv, timeout = 120) {
    const r = spawnSync(argv[0], argv.slice(1), { encoding: 'utf8', timeout: timeout * 1000, stdio: ['ignore', 'pipe', 'pipe'] });
    const said = r.stderr?.trim().split('\n')[0] || r.error || '';
    const why = r.error?.code === 'ETIMEDOUT' ? `no end after ${timeout} s` : r.status !== 0 ? `status ${r.status ?? r.signal}: ${said}` : null;
    return { why, stdout: r.stdout ?? '', stderr: r.stderr ?? '' };
}

// ---- what there is

function choose(list, names, what) {
    const unknown = names?.find((name) => !list.some((one) => one.name === name));
    if (unknown) die(`no ${what} ${unknown}; there are ${list.map((one) => one.name).join(' ')}`);
    return names ? list.filter((one) => names.includes(one.name)) : list;
}

const wantedPrograms = choose(programs, options.programs, 'program');
const wanted = choose(allEngines(build), options.engines && ['native', ...options.engines], 'engine').map((engine) => ({ ...engine, why: engine.find() }));
const engines = wanted.filter((engine) => !engine.why), absent = wanted.filter((engine) => engine.why).map(({ name, why }) => ({ name, why }));
if (options.list) {
    console.log(`programs: ${programs.map((p) => p.name).join(' ')}\nengines:`);
    for (const e of wanted) console.log(`  ${e.name.padEnd(12)} ${e.about}${e.why ? ` (${e.why})` : ''}`);
    process.exit(0);
}

// ---- building

// What comes from elsewhere may not be there: then the mean is of the others, and it is said.
const leftOut = [], chosenPrograms = [];
for (const program of options.render ? [] : wantedPrograms) {
    progress(`looking for the sources of ${program.name}`);
    const needs = needsOf(program.name, build);
    if (needs.why) leftOut.push({ name: program.name, why: needs.why });
    else chosenPrograms.push({ ...program, ...needs });
}
if (!options.render && !chosenPrograms.length) die(`nothing to run: ${leftOut.map(({ name, why }) => `${name} (${why})`).join(', ')}`);

const measure = `${out}/measure`, longest = 600; // seconds for one step; the largest takes 40 on a quiet machine
const must = (argv) => {
    const { why } = command(argv, longest);
    if (why) die(`${argv.join(' ')}: ${why}`);
};

// Executable bytes of an ELF file: the sections with SHF_EXECINSTR.
function textBytes(path) {
    const b = readFileSync(path), at = Number(b.readBigUInt64LE(0x28)), size = b.readUInt16LE(0x3a), count = b.readUInt16LE(0x3c);
    let sum = 0;
    for (let i = 0; i < count; i++) {
        const flags = b.readBigUInt64LE(at + i * size + 8);
        if (flags & 4n) sum += Number(b.readBigUInt64LE(at + i * size + 32));
    }
    return sum;
}

if (options.render) {
    report(lastRun());
    process.exit();
}

function lastRun() {
    const path = `${out}/results.json`;
    if (!existsSync(path)) die(`there is no ${path}`);
    return JSON.parse(readFileSync(path, 'utf8'));
}
const earlier = options.reuse ? lastRun().programs : {};

function makeWasm(program) {
    const dir = `${out}/${program.name}`;
    mkdirSync(dir, { recursive: true });
    const file = (simd) => `${dir}/${program.name}${simd ? '.simd' : ''}.wasm`;
    for (const simd of [false, true]) {
        const made = earlier[program.name] && existsSync(file(simd));
        if (!made && engines.some((engine) => engine.simd === simd)) must(wasmCommand(program, file(simd), simd));
    }
    return (engine) => ({ ...program, wasm: file(engine.simd), dir, stem: `${dir}/${program.name}.${engine.name}` });
}

// Fills cell with compile time, memory and size; cell.error when a step fails.
function prepare(engine, job, cell) {
    for (const { argv, timed } of engine.steps(job)) {
        const { why, stdout } = command(timed ? [measure, '1', ...argv] : argv, longest);
        if (why) { cell.error = `${argv[0]}: ${why}`; return; }
        if (!timed) continue;
        const { seconds, peak_kib } = JSON.parse(stdout);
        cell.compile_seconds = (cell.compile_seconds ?? 0) + median(seconds);
        cell.compile_peak_kib = Math.max(cell.compile_peak_kib ?? 0, peak_kib);
    }
    const object = engine.object(job);
    if (object) cell.text_bytes = textBytes(object);
}

function takeOver(old, cell) {
    if (!old || old.error) return false;
    for (const key of ['compile_seconds', 'compile_peak_kib', 'text_bytes']) cell[key] = old[key];
    return true;
}

const results = {
    date: new Date().toISOString().slice(0, 16).replace('T', ' ') + ' UTC', command: ['bench/run', ...rest].join(' '), rounds: 0,
    machine: { cpu: os.cpus()[0].model, cores: os.cpus().length, memory_gib: Math.round(os.totalmem() / 2 ** 30), load_before: os.loadavg()[0].toFixed(1), busy: !!options.busy },
    engines: engines.map(({ name, about }) => ({ name, about })), absent, leftOut, programs: {},
};
const jobs = {};

must(['clang-22', '-O2', '-D_GNU_SOURCE', 'bench/measure.c', '-o', measure]);
for (const program of chosenPrograms) {
    const job = makeWasm(program), row = results.programs[program.name] = {};
    jobs[program.name] = {};
    for (const engine of engines) {
        progress(`building ${program.name} for ${engine.name}`);
        const cell = row[engine.name] = { seconds: [] };
        jobs[program.name][engine.name] = job(engine);
        if (!takeOver(earlier[program.name]?.[engine.name], cell)) prepare(engine, job(engine), cell);
    }
}

// ---- running

function runOnce(engine, program, row, round) {
    const cell = row[engine.name];
    if (cell.error) return;
    const { why, stdout, stderr } = command(engine.run(jobs[program.name][engine.name]), 60);
    const time = /^TIME ([\d.]+)$/m.exec(stderr);
    if (why || !time) { cell.error = why ?? 'it printed no time'; return; }
    row.native.output ??= stdout;
    if (stdout !== row.native.output) { cell.error = `printed ${stdout.trim()}, natively ${row.native.output.trim()}`; return; }
    cell.seconds[round] = Number(time[1]);
}

// Native first in the first round, for its output; then each round begins elsewhere, so that nobody always follows the same.
function runRound(round) {
    chosenPrograms.forEach((program, i) => {
        progress(`round ${round + 1} of ${options.rounds}: ${program.name}`);
        const shift = round ? (round * 3 + i) % engines.length : 0;
        for (const engine of [...engines.slice(shift), ...engines.slice(0, shift)]) runOnce(engine, program, results.programs[program.name], round);
    });
    results.rounds = round + 1;
}

const firstRound = elapsed();
for (let round = 0; round < options.rounds; round++) {
    const each = (elapsed() - firstRound) / round;
    if (round && elapsed() + each > options.budget) { results.note = `of ${options.rounds}: the time was up`; break; }
    runRound(round);
}

// ---- a hello world, an embedder

function hello() {
    const program = { name: 'hello', source: 'bench/hello.c', cxx: false }, job = makeWasm(program), times = {};
    for (const engine of engines.filter(({ name }) => !/-|\+/.test(name))) {
        progress(`hello on ${engine.name}`);
        const cell = {};
        prepare(engine, job(engine), cell);
        const { why, stdout } = cell.error ? { why: cell.error } : command([measure, options.quick ? '5' : '21', ...engine.run(job(engine))]);
        if (why) { absent.push({ name: `hello on ${engine.name}`, why }); continue; }
        const { seconds, peak_kib } = JSON.parse(stdout);
        times[engine.name] = { ms: median(seconds) * 1000, kib: peak_kib };
    }
    return times;
}

function embed() {
    const dir = `${out}/embed`;
    mkdirSync(dir, { recursive: true });
    progress('embedding');
    must([`${build}/bin/wasmx-aot`, 'build', 'bench/guest.wat', '-o', `${dir}/guest.o`]);
    must(['clang-22', '-std=gnu11', '-O2', '-Wall', '-Wextra', '-Iinclude', `-I${dir}`, 'bench/embed.c', `${dir}/guest.o`,
        `${build}/lib/libwasmx.a`, '-pthread', '-lm', '-o', `${dir}/embed`]);
    const { why, stdout } = command([`${dir}/embed`, options.quick ? '3' : '11']);
    return why ? { error: why } : JSON.parse(stdout);
}

results.hello = hello();
results.embed = embed();
results.machine.load_after = os.loadavg()[0].toFixed(1);
results.seconds = elapsed();
report(results);

// ---- reporting

function report(results) {
    digest(results);
    progressEnd();
    console.log(`ratio to native, ± spread in percent; ${results.rounds} rounds${results.note ? ` ${results.note}` : ''}, ${Math.round(results.seconds)} s\n`);
    console.log(table(results));
    console.log(`\n${extras(results).join('\n')}`);
    writeFileSync(`${out}/results.json`, `${JSON.stringify(results, null, 1)}\n`);
    writeFileSync(`${out}/plot.svg`, plot(results));
    if (options.save) {
        writeFileSync('bench/RESULTS.md', page(results));
        writeFileSync('bench/plot.svg', plot(results));
    }
    const failures = Object.entries(results.programs).flatMap(([program, row]) => Object.entries(row)
        .filter(([, cell]) => cell.error).map(([engine, cell]) => `${program} on ${engine}: ${cell.error}`));
    if (results.embed.error) failures.push(`embedding: ${results.embed.error}`);
    for (const failure of failures) console.log(`FAILED ${failure}`);
    process.exitCode = failures.length ? 1 : 0;
}
