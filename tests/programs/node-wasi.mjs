// tests/programs/node-wasi.mjs: runs a WASI command under node, the second opinion of the tests.
//   node node-wasi.mjs [--dir HOST[::GUEST]]... [--env K=V]... PROGRAM.wasm [ARGS...]
// Ends with the program's status; a trap prints its message and ends with 134.
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

process.removeAllListeners('warning'); // node says on standard error that its WASI is experimental
process.on('warning', () => {});
const { WASI } = await import('node:wasi');

const args = process.argv.slice(2), preopens = {}, env = {};
while (args[0]?.startsWith('--')) {
    const option = args.shift(), value = args.shift() ?? '';
    if (option === '--dir') {
        const [host, guest = host] = value.split('::');
        preopens[guest] = host;
    } else if (option === '--env') {
        const at = value.indexOf('=');
        env[value.slice(0, at)] = value.slice(at + 1);
    } else {
        console.error(`node-wasi: unknown option ${option}`);
        process.exit(2);
    }
}
const path = args[0];
if (!path) {
    console.error('usage: node node-wasi.mjs [--dir HOST[::GUEST]]... [--env K=V]... PROGRAM.wasm [ARGS...]');
    process.exit(2);
}

const module = new WebAssembly.Module(readFileSync(path));
// Old commands import wasi_unstable; the calls that differ between the two are rare in them.
const version = WebAssembly.Module.imports(module).some((one) => one.module === 'wasi_unstable') ? 'unstable' : 'preview1';
// Global, because node's calls hold only a weak reference: a collection in the middle of one would abort the process.
globalThis.wasi = new WASI({ version, args: [basename(path), ...args.slice(1)], env, preopens, returnOnExit: true });
try {
    const imports = { [version === 'unstable' ? 'wasi_unstable' : 'wasi_snapshot_preview1']: { ...wasi.wasiImport } }; // node 18 has no getImportObject
    // A function that node lacks may still never be called.
    for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
        imports[from] ??= {};
        if (kind === 'function') imports[from][name] ??= () => { throw new Error(`unknown import ${from} ${name}`); };
    }
    process.exitCode = wasi.start(new WebAssembly.Instance(module, imports));
} catch (error) {
    console.error(`${error.name}: ${error.message}`);
    process.exitCode = 134;
}
