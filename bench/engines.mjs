// bench/engines.mjs: every engine as a row: how it is found, what it makes of a program, how that is run.
//
// A row: { name, about, simd, find(), steps(job), run(job), object(job) }. A job is { source, more, flags, wasmFlags, cxx,
// wasm, dir, stem }: the source, others' sources with it and what they want, the module of the right variant, and where to
// put things. Steps are commands; the timed ones are what a user would call compiling. object: the file whose executable
// sections are counted. find: a reason why not, or null.
import { existsSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { fetchPackage } from './packages.mjs';

export const has = (tool) => spawnSync('sh', ['-c', `command -v ${tool}`]).status === 0;
const missing = (...tools) => tools.filter((tool) => !has(tool)).map((tool) => `no ${tool} on PATH`)[0] ?? null;

const isX86 = process.arch === 'x64';
// The instruction sets that wasmx-aot assumes by default.
const plain = isX86 ? ['-march=x86-64-v2'] : [];

// a*b+c rounds twice everywhere, as in Wasm; otherwise the outputs could not be compared.
const common = ['-ffp-contract=off', '-Wall', '-Wextra', '-Wno-c23-extensions'];
const compiler = (job) => (job.cxx ? ['clang++-22', '-std=gnu++17', '-fno-exceptions', '-fno-rtti'] : ['clang-22', '-std=gnu11']);

const inputs = (job) => [...(job.flags ?? []), job.source, ...(job.more ?? [])];
// One object of several sources is a link.
const toObject = (job) => (job.more ? ['-r', '-nostdlib'] : ['-c']);

// No wasm-opt: what is measured is what LLVM wrote.
export const wasmCommand = (job, output, simd, level = '-O3') => [...compiler(job), '--target=wasm32-wasi', '--sysroot=/usr', '-Wno-deprecated',
    '--no-wasm-opt', level, ...common, ...(simd ? ['-msimd128'] : []), ...(job.wasmFlags ?? []), ...inputs(job), '-o', output];

export const nativeCommand = (job, output, level, flags = []) => [...compiler(job), level, ...common, ...flags, ...toObject(job),
    ...inputs(job), '-o', output];

function native(name, about, flags) {
    return {
        name, about, simd: false, find: () => null,
        steps: (job) => [
            { timed: true, argv: nativeCommand(job, `${job.stem}.o`, '-O3', flags) },
            { argv: [...compiler(job), `${job.stem}.o`, '-o', job.stem, '-lm'] },
        ],
        object: (job) => `${job.stem}.o`,
        run: (job) => [job.stem],
    };
}

const link = (build, job) => ({ argv: ['clang-22', '-std=gnu11', '-static', '-Iinclude', 'bench/command.c', `${job.stem}.o`,
    `${build}/lib/libwasmx.a`, '-pthread', '-lm', '-o', job.stem] });

function wasmx(build, name, about, simd, flags) {
    const aot = `${build}/bin/wasmx-aot`;
    return {
        name, about, simd, find: () => null,
        steps: (job) => [
            { timed: true, argv: [aot, 'build', job.wasm, '--name=prog', '--emit=obj', ...flags, '-o', `${job.stem}.o`] },
            link(build, job),
        ],
        object: (job) => `${job.stem}.o`,
        run: (job) => [job.stem],
    };
}

// Counted in a run of its own, with the same input, and compiled again for what was counted.
function wasmxByProfile(build, name, about, simd) {
    const engine = wasmx(build, name, about, simd, []), aot = `${build}/bin/wasmx-aot`;
    const profile = (job) => `${job.stem}.wxprof`, use = (job) => ['--profile-use', profile(job)];
    return {
        ...engine,
        steps: (job) => [
            { argv: [aot, 'build', job.wasm, '--name=prog', '--emit=exe', '--profile-generate', '-o', `${job.stem}.counts`] },
            { argv: ['env', `WASMX_PROFILE=${profile(job)}`, `${job.stem}.counts`] },
            { timed: true, argv: [aot, 'build', job.wasm, '--name=prog', '--emit=obj', ...use(job), '-o', `${job.stem}.o`] },
            link(build, job),
        ],
    };
}

// The optimising tier and nothing else, everything compiled before the start.
function v8(name, simd) {
    const node = ['node', '--no-liftoff', '--no-wasm-lazy-compilation', '--no-wasm-dynamic-tiering'];
    return {
        name, simd, about: `V8 ${process.versions.v8}, optimising tier only${simd ? ', SIMD' : ''}`, find: () => null,
        steps: () => [], object: () => null,
        run: (job) => [...node, 'tests/programs/node-wasi.mjs', job.wasm],
    };
}

const rtFolders = [process.env.WASM2C_RT, '/usr/share/wabt/wasm2c', '/usr/local/share/wabt/wasm2c'];
const rt = rtFolders.find((folder) => folder && existsSync(`${folder}/wasm-rt-impl.c`));

function wasm2c(name, about, flags) {
    const clang = ['clang-22', '-std=gnu11', '-O3', '-ffp-contract=off', '-w', ...flags];
    return {
        name, about, simd: false,
        find: () => missing('wasm2c') ?? (rt ? null : 'wasm2c is here, its wasm-rt-impl.c is not (set WASM2C_RT)'),
        steps: (job) => [
            { timed: true, argv: ['wasm2c', '-n', 'prog', job.wasm, '-o', `${job.dir}/prog.c`] },
            { timed: true, argv: [...clang, `-I${rt}`, '-c', `${job.dir}/prog.c`, '-o', `${job.stem}.o`] },
            { argv: [...clang, `-I${rt}`, `-I${job.dir}`, 'bench/wasm2c-main.c', `${rt}/wasm-rt-impl.c`, `${job.stem}.o`, '-o', job.stem, '-lm'] },
        ],
        object: (job) => `${job.stem}.o`,
        run: (job) => [job.stem],
    };
}

// Wasmtime inside Wizer: the program is run as an initialiser. It times itself, so compiling it before does not count.
function wizer(build) {
    const modules = `${build}/npm/node_modules`, name = '@bytecodealliance/wizer-linux-x64';
    return {
        name: 'wizer', simd: false, about: "Wasmtime's Cranelift, the one in Wizer 11.0.3",
        find: () => (isX86 ? fetchPackage(modules, { name, version: '11.0.3' }) : 'npm has it for x86-64 only'),
        steps: () => [], object: () => null,
        run: (job) => [`${modules}/${name}/wizer`, job.wasm, '--allow-wasi', '--inherit-stdio', 'true', '-f', '_start', '-o', '/dev/null'],
    };
}

// Engines with a compiler that writes a file and a runner that loads it.
function peer(name, about, tools, simd, compile, run, suffix) {
    const output = (job) => `${job.stem}${suffix}`;
    return {
        name, about, simd, find: () => missing(...tools), object: () => null,
        steps: (job) => [{ timed: true, argv: compile(job.wasm, output(job)) }],
        run: (job) => run(output(job)),
    };
}

const peers = (simd, mark) => [
    peer(`wamr${mark}`, 'wamrc -O3, iwasm', ['wamrc', 'iwasm'], simd, (i, o) => ['wamrc', '--opt-level=3', '-o', o, i], (o) => ['iwasm', o], '.aot'),
    peer(`wasmedge${mark}`, 'WasmEdge AOT, level 3', ['wasmedge'], simd, (i, o) => ['wasmedge', 'compile', '--optimize', '3', i, o], (o) => ['wasmedge', o], '.so'),
    peer(`wasmtime${mark}`, 'Wasmtime, Cranelift', ['wasmtime'], simd, (i, o) => ['wasmtime', 'compile', i, '-o', o], (o) => ['wasmtime', 'run', '--allow-precompiled', o], '.cwasm'),
    peer(`wasmer${mark}`, 'Wasmer, its default compiler', ['wasmer'], simd, (i, o) => ['wasmer', 'compile', i, '-o', o], (o) => ['wasmer', 'run', o], '.wasmu'),
];

// All of them, native first. `+` marks the modules compiled with -msimd128.
export const engines = (build) => [
    native('native', 'clang-22 -O3', []),
    ...(isX86 ? [native('native-v2', `clang-22 -O3 ${plain}`, plain)] : []),
    wasmx(build, 'wasmx', 'wasmx -O2, guard pages', false, []),
    wasmx(build, 'wasmx-O3', 'wasmx -O3, guard pages', false, ['-O3']),
    wasmx(build, 'wasmx-expl', 'wasmx -O2, explicit bounds checks', false, ['--bounds=explicit']),
    wasmx(build, 'wasmx-int', 'wasmx -O2, guard pages, --interruptible', false, ['--interruptible']),
    wasmx(build, 'wasmx-native', 'wasmx -O2, guard pages, --cpu=native', false, ['--cpu=native']),
    wasmxByProfile(build, 'wasmx-pgo', 'wasmx -O2, guard pages, --profile-use of a run with the same input', false),
    wasmx(build, 'wasmx+', 'wasmx -O2, guard pages, SIMD', true, []),
    wasmx(build, 'wasmx-native+', 'wasmx -O2, guard pages, --cpu=native, SIMD', true, ['--cpu=native']),
    wasmx(build, 'wasmx-O3+', 'wasmx -O3, guard pages, SIMD', true, ['-O3']),
    wasmx(build, 'wasmx-expl+', 'wasmx -O2, explicit bounds checks, SIMD', true, ['--bounds=explicit']),
    v8('v8', false),
    v8('v8+', true),
    wasm2c('wasm2c', `wasm2c, clang-22 -O3, guard pages`, []),
    wasm2c('wasm2c-expl', `wasm2c, clang-22 -O3, explicit checks`, ['-DWASM_RT_MEMCHECK_SIGNAL_HANDLER=0']),
    wizer(build),
    ...peers(false, ''),
    ...peers(true, '+'),
];
