// tests/lint/lint.mjs: rules of the tree that a script can check. One line a rule: `ok RULE`, `FAIL RULE: N places`
// followed by the places, or `SKIP RULE: why`. Usage: node tests/lint/lint.mjs [BUILD]
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';

const build = process.argv[2] ?? 'build';
const run = (command, ...args) => execFileSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 26 });

// ---- the files

const isText = (bytes) => !bytes.includes(0);
const files = run('git', 'ls-files', '-co', '--exclude-standard').split('\n')
    .filter((path) => path && existsSync(path) && statSync(path).isFile())
    .map((path) => ({ path, bytes: readFileSync(path) }))
    .filter(({ bytes }) => isText(bytes))
    .map(({ path, bytes }) => ({ path, text: bytes.toString('utf8'), folder: path.split('/')[0] }))
    .map((file) => ({ ...file, lines: file.text.replace(/\n$/, '').split('\n') }));

const product = new Set(['include', 'base', 'wasm', 'interp', 'compiler', 'runtime', 'wizer', 'cli', 'delay']);
const isCode = ({ path }) => /\.(c|cc|h|S)$/.test(path);
const sources = files.filter((file) => product.has(file.folder) && isCode(file));
const file = (path) => files.find((one) => one.path === path);

// Calls visit(file, line, number) for each line; collects what it returns as `path:line: what`.
function scan(which, visit) {
    return which.flatMap((one) => one.lines.flatMap((line, i) => {
        const what = visit(one, line);
        return what ? [`${one.path}:${i + 1}: ${what}`] : [];
    }));
}

// ---- the include matrix (DESIGN, section 1)

const publicHeaders = /^include\//;
const matrix = {
    include: [publicHeaders],
    base: [/^base\//],
    wasm: [/^wasm\//, /^base\//],
    interp: [/^interp\//, /^wasm\//, /^base\//, /^runtime\/abi\.\w+$/, publicHeaders],
    compiler: [/^compiler\//, /^interp\//, /^wasm\//, /^base\//, /^runtime\/abi\.\w+$/, publicHeaders],
    runtime: [/^runtime\//, /^base\//, publicHeaders],
    wizer: [/^wizer\//, /^wasm\//, /^base\//, publicHeaders, /^compiler\/compiler\.h$/],
    delay: [/^compiler\/(need|dwarf|tool)\.h$/, /^base\//],
    cli: [/^cli\//, publicHeaders, /^compiler\/compiler\.h$/, /^wizer\/wizer\.h$/],
};
// Libraries that one folder alone may know.
const libraries = [
    [/^llvm/i, ['compiler']],
    [/^(libelf|gelf|elfutils\/.*)\.h$/, ['compiler']],
    [/^wabt\//, ['wasm']],
];

function forbiddenInclude({ path, folder }, line) {
    const [, quote, name] = /^\s*#\s*include\s*([<"])([^>"]+)/.exec(line) ?? [];
    if (!name) return null;
    if (quote === '<') {
        const known = libraries.find(([pattern]) => pattern.test(name));
        return known && !known[1].includes(folder) ? `<${name}> belongs to ${known[1]}/` : null;
    }
    const target = name.includes('/') ? name : `include/${name}`;
    if (target === 'include/llvm_names.h' && folder === 'delay') return null; // made by cmake/WasmxLlvmNames.cmake
    if (!file(target)) return `"${name}" is not a path from the root of the tree`;
    return matrix[folder].some((pattern) => pattern.test(target)) ? null : `${folder}/ may not include "${name}"`;
}

// ---- architectures stay in platform files

const archMacro = /__(x86_64|amd64|i386|aarch64|arm64|arm|SSE\w*|AVX\w*|ARM_\w+)(__)?\b/;
const platformFile = /^runtime\/(x86_64|aarch64)\/|_(x86_64|aarch64)\.\w+$|(^|\/)platform\.h$/;
const archCondition = ({ path }, line) =>
    !platformFile.test(path) && /^\s*#\s*(if|elif)/.test(line) && archMacro.test(line) ? 'architecture in a condition' : null;

// ---- tables and who answers for their rows

const rows = (path, pattern) => [...(file(path)?.text ?? '').matchAll(pattern)].map((match) => match[1]);
const withText = (which, pattern) => which.some((one) => pattern.test(one.text));
const tests = files.filter((one) => one.folder === 'tests');

function unraisedErrors() {
    const raisers = sources.filter((one) => !one.path.startsWith('base/error'));
    return rows('base/errors.def', /^ERROR\((\w+)/gm)
        .filter((name) => !withText(raisers, new RegExp(`\\bWX_ERR_${name}\\b`))).map((name) => `WX_ERR_${name} is never raised`);
}

const untestedErrors = () => rows('base/errors.def', /^ERROR\((\w+)/gm)
    .filter((name) => !withText(tests, new RegExp(`\\bWX_ERR_${name}\\b`))).map((name) => `WX_ERR_${name} is in no test`);

// The eighth column of OP(name, prefix, code, text, immediate, signature, feature, emitter, A, B).
const emitterRow = /^OP\((?:[^,"]*,|\s*"[^"]*",){7}\s*(\w+)/gm;
function missingEmitters() {
    const compiler = sources.filter((one) => one.folder === 'compiler' && one.path.endsWith('.c'));
    if (!compiler.length) return 'compiler/ has no sources';
    const defined = (name) => withText(compiler, new RegExp(`^[\\w \\t*]*\\bemit_${name}\\([^;]*?\\)\\s*\\{`, 'm'));
    const emitters = [...new Set(rows('wasm/opcodes.def', emitterRow))];
    if (emitters.length < 100) return [`only ${emitters.length} emitters found in wasm/opcodes.def`];
    return emitters.filter((name) => !defined(name)).map((name) => `emit_${name} is not defined in compiler/`);
}

// ---- names that a linker sees

const symbols = (path, ...flags) => run('nm', '-g', '--defined-only', ...flags, path).split('\n')
    .map((line) => /^[0-9a-f]* [A-Z] (\w+)/.exec(line)?.[1]).filter(Boolean);
// Instrumented builds define symbols of the sanitizer's own.
const ownName = (pattern) => (name) => !pattern.test(name) && !/^(__|_init$|_fini$)/.test(name);
const foreignNames = (path, pattern, ...flags) => !existsSync(path) ? `${path} is not built`
    : [...new Set(symbols(path, ...flags))].filter(ownName(pattern)).map((name) => `${path} exports ${name}`);

// ---- size of the runtime: text of its objects; what is WASI's is known by the names of its sources

function tooLarge(path, mostWithout, most) {
    if (!existsSync(path)) return `${path} is not built`;
    if (/__asan_init/.test(run('nm', path))) return `${path} is instrumented`;
    const wasi = new Set(files.filter((one) => /^runtime\/wasi\/.*\.c$/.test(one.path)).map((one) => one.path.split('/').pop()));
    for (const one of files) if (/^runtime\/[^/]*\.c$/.test(one.path)) wasi.delete(one.path.split('/').pop());
    let all = 0, without = 0;
    for (const [, text, name] of run('size', path).matchAll(/^\s*(\d+)\s.*\s(\S+)\.o \(ex /gm)) {
        all += Number(text);
        if (!wasi.has(name)) without += Number(text);
    }
    if (without < 10000) return [`${path}: no sizes found`];
    return [...(all > most ? [`${path}: ${all} bytes of text, ${most} at most`] : []),
        ...(without > mostWithout ? [`${path}: ${without} bytes of text without WASI, ${mostWithout} at most`] : [])];
}

// ---- text

const limit = 900;
const unfinished = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX'].join('|')})\\b`);
const machinePath = new RegExp(`(^|[^\\w.~])/(${['home', 'root', 'Users', 'work', 'farm', 'mnt'].join('|')})/[\\w.]`);
// A public header's users know it by its own name.
const knownAs = (path) => path.replace(publicHeaders, '');
const lengthCounts = /\.(c|cc|cpp|h|S|def|mjs|js|sh|cmake)$/;

const rules = {
    'include matrix': () => scan(sources, forbiddenInclude),
    'architecture conditions': () => scan(sources, archCondition),
    'every error is raised': unraisedErrors,
    'every error is tested': untestedErrors,
    'every emitter is defined': missingEmitters,
    'file length': () => files.filter(({ path, lines }) => lengthCounts.test(path) && lines.length > limit)
        .map(({ path, lines }) => `${path}: ${lines.length} lines, ${limit} at most`),
    'line length': () => scan(sources, (_, line) => [...line].length > 120 ? 'longer than 120 columns' : null),
    'file opens with its name': () => sources.filter(({ path, lines }) => !lines[0].startsWith(`// ${knownAs(path)}: `))
        .map(({ path }) => `${path}:1: does not start with "// ${knownAs(path)}: what it does"`),
    'nothing unfinished': () => scan(files, (_, line) => unfinished.exec(line)?.[0]),
    'no paths of one machine': () => scan(files, (_, line) => machinePath.exec(line)?.[0]),
    'no tabs, no blanks at line ends': () => scan(sources, (_, line) => /\t|\s$/.test(line) ? 'tab or trailing blank' : null),
    'names in libwasmx.so': () => foreignNames(`${build}/lib/libwasmx.so`, /^(wasmx|wasm|wxrt)_/, '-D'),
    'names in libwasmx.a': () => foreignNames(`${build}/lib/libwasmx.a`, /^(wasmx|wasm|wxrt|wx)_/),
    'size of libwasmx.a': () => tooLarge(`${build}/lib/libwasmx.a`, 120000, 200000),
};

for (const [rule, check] of Object.entries(rules)) {
    const found = check();
    if (typeof found === 'string') {
        console.log(`SKIP ${rule}: ${found}`);
    } else if (found.length) {
        console.log(`FAIL ${rule}: ${found.length} places\n${found.map((place) => `    ${place}`).join('\n')}`);
    } else {
        console.log(`ok ${rule}`);
    }
}
