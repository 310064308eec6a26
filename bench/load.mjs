// bench/load.mjs BUILD [--seconds N] [--rounds N] [--assert]: throughput of examples/gateway with the filter as
// WebAssembly, an instance a request, against the same server with the filter's C source compiled in; or make bench-load.
//
// wrk loads the servers in turn, with well-behaved requests alone, and with a mix in which of 50 one traps, one spins
// until its deadline (2 ms of processor time) and one exhausts its memory. What has no filter to be stopped answers
// these three from the server's own code: after the same work (`native`), or at once (`native, at once`). Ratios are of
// runs in one round; what counts is their median. Because wrk and other programs share the processors, the server's own
// processor time for a request is shown too. --assert: status 1 when a throughput is below 0.8 of native's.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';

const args = process.argv.slice(2), build = args.find((a) => !a.startsWith('--') && !/^[\d.]+$/.test(a)) ?? 'build';
const option = (name, usual) => { const at = args.indexOf(name); return at < 0 ? usual : Number(args[at + 1]); };
const seconds = option('--seconds', 2), rounds = option('--rounds', 5), least = 0.8;
const out = `${build}/bench/load`;
mkdirSync(out, { recursive: true });
execFileSync('examples/gateway/build', [out], { stdio: 'inherit', env: { ...process.env, WASMX_BUILD: build } });

const servers = [
    { name: 'wasm', file: 'gateway', env: {} },
    { name: 'native', file: 'gateway-native', env: {} },
    { name: 'native, at once', file: 'gateway-native', env: { GATEWAY_AT_ONCE: '1' } },
];
const kinds = ['well-behaved', 'mix'];
const plan = kinds.flatMap((kind) => servers.filter((s) => kind === 'mix' || !s.env.GATEWAY_AT_ONCE).map((server) => ({ kind, server })));

function start(server) {
    const child = spawn(`${out}/${server.file}`, ['2'], { env: { ...process.env, ...server.env }, stdio: ['ignore', 'pipe', 'inherit'] });
    process.on('exit', () => child.kill('SIGTERM'));
    return new Promise((resolve, reject) => {
        child.stdout.on('data', (text) => {
            const port = /^listening on 127\.0\.0\.1:(\d+)/.exec(text)?.[1];
            if (port) resolve({ ...server, child, port });
        });
        child.on('exit', (status) => reject(new Error(`${server.file} ended with ${status}`)));
    });
}

// Seconds of processor time; a tick of /proc is 10 ms.
function cpu(pid) {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
}

// wrk takes whole seconds.
function load({ kind, server }) {
    const before = cpu(server.child.pid);
    const text = execFileSync('wrk', ['-t1', '-c16', `-d${seconds}s`, '-s', 'tests/load/requests.lua', `http://127.0.0.1:${server.port}`, ...(kind === 'mix' ? ['--', 'mix'] : [])], { encoding: 'utf8' });
    const requests = Number(/(\d+) requests in/.exec(text)[1]), rate = Number(/Requests\/sec:\s+([\d.]+)/.exec(text)[1]);
    const bad = Number(/Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? 0), broken = /Socket errors: (.*)/.exec(text)?.[1];
    const expected = kind === 'mix' ? requests * 3 / 50 : 0;
    if (broken || Math.abs(bad - expected) > 32) throw new Error(`${server.name}, ${kind}: ${requests} requests, ${bad} refused; ${broken ?? ''}`);
    return { rate, cpu: (cpu(server.child.pid) - before) / requests * 1e6 };
}

const median = (list) => { const s = [...list].sort((a, b) => a - b); return s.length % 2 ? s[s.length >> 1] : (s[s.length / 2 - 1] + s[s.length / 2]) / 2; };

const running = await Promise.all(servers.map(start));
const runs = plan.map(({ kind, server }) => ({ kind, server: running.find((r) => r.name === server.name), results: [] }));
for (const run of runs) load(run); // warm
for (let round = 0; round < rounds; round++)
    for (let k = 0; k < runs.length; k++) {
        const run = runs[(k + round) % runs.length];
        run.results[round] = load(run);
    }
for (const { child } of running) {
    child.removeAllListeners('exit');
    child.kill('SIGTERM');
}

const wasm = (kind) => runs.find((r) => r.kind === kind && r.server.name === 'wasm').results;
const rows = runs.map(({ kind, server, results }) => {
    const of = (what) => median(results.map((r) => r[what]));
    const ratio = (what) => median(results.map((r, i) => wasm(kind)[i][what] / r[what]));
    return { kind, server: server.name, rate: of('rate'), cpu_us: of('cpu'), rate_ratio: ratio('rate'), cpu_ratio: ratio('cpu') };
});
writeFileSync(`${out}/load.json`, `${JSON.stringify({ date: new Date().toISOString(), cores: os.cpus().length, load: os.loadavg()[0], seconds, rounds, rows }, null, 1)}\n`);
console.log(`${rounds} rounds of ${seconds} s, wrk with 16 connections, 2 threads; load average ${os.loadavg()[0].toFixed(1)}\n`);
console.log('| requests | filter | a second | wasm / this | server\'s CPU, µs a request | wasm / this |\n|---|---|--:|--:|--:|--:|');
for (const r of rows) console.log(`| ${r.kind} | ${r.server} | ${r.rate.toFixed(0)} | ${r.rate_ratio.toFixed(2)} | ${r.cpu_us.toFixed(1)} | ${r.cpu_ratio.toFixed(2)} |`);
if (args.includes('--assert')) for (const r of rows)
    if (r.server === 'native' && r.rate_ratio < least) {
        console.log(`FAILED ${r.kind}: ${r.rate_ratio.toFixed(2)} of native's throughput, at least ${least} was expected`);
        process.exitCode = 1;
    }
