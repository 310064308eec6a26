// bench/packages.mjs: the programs; and those whose sources are mostly others': where they come from, by npm, and what they are compiled with.
//
// in: the row of a program   out: what a job needs beside its own source, or why it cannot be had   keeps: BUILD/npm, as the tests do
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';

export const programs = readdirSync('bench/programs').filter((file) => /\.(c|cpp)$/.test(file)).sort()
    .map((file) => ({ name: file.replace(/\.\w+$/, ''), source: `bench/programs/${file}`, cxx: file.endsWith('.cpp') }));

// wasi-libc has neither threads, which EMSCRIPTEN leaves out of the engine, nor rounding modes. Both sides get the same settings.
const packages = {
    quickjs: {
        name: 'react-native-quickjs', version: '0.0.2', folder: 'cpp/engine', sources: ['cutils.c', 'libbf.c', 'libregexp.c', 'libunicode.c', 'quickjs.c'],
        flags: ['-w', '-DEMSCRIPTEN', '-DCONFIG_BIGNUM', '-DCONFIG_VERSION="2021"'],
        wasmFlags: ['-DFE_DOWNWARD=0', '-DFE_UPWARD=0', '-Wl,-z,stack-size=1048576'],
    },
};

const isThere = (folder, version) => existsSync(`${folder}/package.json`) && JSON.parse(readFileSync(`${folder}/package.json`)).version === version;

// The package alone, without what it depends on. Why not, or null.
export function fetchPackage(modules, { name, version }) {
    const folder = `${modules}/${name}`, fresh = `${folder}.new`;
    if (isThere(folder, version)) return null;
    rmSync(fresh, { recursive: true, force: true });
    mkdirSync(fresh, { recursive: true });
    const npm = spawnSync('npm', ['pack', `${name}@${version}`, '--silent', '--pack-destination', fresh], { encoding: 'utf8', timeout: 60000 });
    const file = npm.stdout?.trim().split('\n').pop();
    const tar = npm.status === 0 && spawnSync('tar', ['xzf', `${fresh}/${file}`, '-C', fresh, '--strip-components=1'], { encoding: 'utf8' });
    const ok = tar && tar.status === 0 && isThere(fresh, version);
    if (ok) {
        rmSync(`${fresh}/${file}`);
        rmSync(folder, { recursive: true, force: true });
        renameSync(fresh, folder);
        return null;
    }
    rmSync(fresh, { recursive: true, force: true });
    const said = (tar ? tar.stderr : npm.stderr)?.trim().split('\n')[0] || npm.error?.message || 'no such package';
    return `${name}@${version} could not be had from npm: ${said}`;
}

// What `program` needs besides: { more, flags, wasmFlags }, {} for a program that is all our own, or { why } it cannot be built.
export function needsOf(program, build) {
    const wanted = packages[program];
    if (!wanted) return {};
    const modules = `${build}/npm/node_modules`, folder = `${modules}/${wanted.name}/${wanted.folder}`;
    const why = fetchPackage(modules, wanted);
    if (why) return { why };
    return { more: wanted.sources.map((file) => `${folder}/${file}`), flags: [...wanted.flags, `-I${folder}`], wasmFlags: wanted.wasmFlags };
}
