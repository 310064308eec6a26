// tests/spec/validate_suite.print.mjs: what the printer writes is read by someone else as the same module.
//
//   node validate_suite.print.mjs RUNNER WORKDIR
//
// RUNNER is the built validate_suite, WORKDIR what validate_suite.sh left (suite/ and tools/). Every good module is
// printed by us, parsed by wasm-tools, and compared with our encoding, custom sections apart. Last line:
// print_suite: P passed, F failed, S skipped.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const [runner, work] = process.argv.slice(2);
if (!work) {
    console.error('usage: validate_suite.print.mjs RUNNER WORKDIR');
    process.exit(2);
}
const suite = join(work, 'suite');
const tools = join(work, 'tools/node_modules/@bytecodealliance/jco-transpile/vendor/wasm-tools.js');

// These scripts are about LEB128 in more bytes than needed, in bodies and constants too, which we copy as they are.
const notShortest = ['binary/', 'binary-leb128/'];

function stop(passed, failed, skipped) {
    console.log(`print_suite: ${passed} passed, ${failed} failed, ${skipped} skipped`);
    process.exit(failed ? 1 : 0);
}

if (!existsSync(suite) || !existsSync(tools)) {
    console.log(`SKIP ${existsSync(suite) ? 'the npm package with wasm-tools is not there' : 'no converted suite'}`);
    stop(0, 0, 1);
}

function number(bytes, at) {
    let value = 0, shift = 0, byte;
    do {
        byte = bytes[at++];
        value |= (byte & 0x7f) << shift;
        shift += 7;
    } while (byte & 0x80);
    return [value, at];
}

function withoutCustomSections(bytes) {
    const kept = [bytes.subarray(0, 8)];
    for (let at = 8; at < bytes.length;) {
        const [size, body] = number(bytes, at + 1);
        if (bytes[at] !== 0) kept.push(bytes.subarray(at, body + size));
        at = body + size;
    }
    return Buffer.concat(kept);
}

function* printed(dir) {
    for (const entry of readdirSync(dir, { withFileTypes: true })) {
        const path = join(dir, entry.name);
        if (entry.isDirectory()) yield* printed(path);
        else if (entry.name.endsWith('.wat')) yield path;
    }
}

const skipFile = join(dirname(fileURLToPath(import.meta.url)), 'validate_suite.skip');
execFileSync(runner, ['--write', skipFile, suite], { stdio: 'ignore' });
const { $init, tools: parser } = await import(pathToFileURL(resolve(tools)));
await $init;

let passed = 0, failed = 0, skipped = 0;
for (const path of printed(suite)) {
    const name = relative(suite, path);
    const expected = readFileSync(path.replace(/\.wat$/, '.enc'));
    let why = null;
    try {
        const bytes = withoutCustomSections(Buffer.from(parser.parse(readFileSync(path, 'utf8'))));
        if (!bytes.equals(expected)) why = 'reads back as another module';
    } catch (e) {
        why = String(e.payload ?? e.message ?? e).split('\n')[0];
    }
    if (!why) passed++;
    else if (notShortest.some((prefix) => name.startsWith(prefix))) {
        skipped++;
        console.log(`SKIP ${name}: LEB128 not in shortest form`);
    } else {
        failed++;
        console.log(`FAIL ${name}: ${why}`);
    }
}
stop(passed, failed + (passed ? 0 : 1), skipped);
