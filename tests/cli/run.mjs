// tests/cli/run.mjs: runs transcripts: what a person would type, and exactly what they would see.
//
//   node run.mjs [--bless] FOLDER TRANSCRIPT...
//
// A transcript is lines of text. `$ COMMAND` is run by bash in FOLDER; a command goes on in the next line after a `\`.
// What follows is everything it writes, then `[STATUS]` unless that is 0; a blank line or a `# comment` ends it. A blank
// line in the output is written as `.`. --bless writes what was seen into the transcript. Each command is one test:
// `ok` or `FAIL` lines for tests/suite.sh.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';

const args = process.argv.slice(2), bless = args[0] === '--bless';
const [folder, ...transcripts] = bless ? args.slice(1) : args;

// [{ comment: [lines] } | { command: [lines], output: [lines] }]
function parse(text) {
    const items = [];
    let current = null;
    for (const line of text.replace(/\n$/, '').split('\n')) {
        if (current?.command.at(-1).endsWith('\\') && !current.output.length) current.command.push(line);
        else if (line.startsWith('$ ')) items.push(current = { command: [line], output: [] });
        else if (current && line !== '' && !line.startsWith('# ')) current.output.push(line);
        else items.push({ comment: line }), current = null;
    }
    return items;
}

function run({ command }) {
    const script = command.join('\n').slice(2);
    const result = spawnSync('bash', ['-c', `exec 2>&1\n${script}`], { cwd: folder, timeout: 120000, maxBuffer: 1 << 26 });
    const lines = result.stdout.toString('utf8').replace(/\n$/, '').split('\n').map((line) => line === '' ? '.' : line);
    if (lines.length === 1 && lines[0] === '.') lines.pop();
    if (result.signal) lines.push(`[${result.signal}]`);
    else if (result.status) lines.push(`[${result.status}]`);
    return lines;
}

for (const path of transcripts) {
    const items = parse(readFileSync(path, 'utf8')), name = basename(path, '.txt');
    for (const item of items.filter((one) => one.command)) {
        const seen = run(item), title = `${name}: ${item.command[0].slice(2)}`;
        if (seen.join('\n') === item.output.join('\n')) {
            console.log(`ok ${title}`);
        } else {
            console.log(`${bless ? 'ok' : 'FAIL'} ${title}: ${bless ? 'blessed' : 'other output'}`);
            for (const line of item.output) console.log(`    - ${line}`);
            for (const line of seen) console.log(`    + ${line}`);
        }
        item.output = seen;
    }
    if (bless)
        writeFileSync(path, items.map((one) => [...(one.command ?? [one.comment]), ...(one.output ?? [])].join('\n')).join('\n') + '\n');
}
