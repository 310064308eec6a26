// tests/cli/patch.mjs: node patch.mjs IN OUT FROM TO: replaces all occurrences of a string, or of bytes written as
// hex:0123..., by as many other bytes. Status 1 when there is none.
import { readFileSync, writeFileSync } from 'node:fs';

const [input, output, ...texts] = process.argv.slice(2), bytes = readFileSync(input);
const [from, to] = texts.map((text) => text.startsWith('hex:') ? Buffer.from(text.slice(4), 'hex') : Buffer.from(text));
let count = 0;
for (let at = bytes.indexOf(from); at >= 0; at = bytes.indexOf(from, at + from.length), count++) to.copy(bytes, at);
writeFileSync(output, bytes);
process.exit(count ? 0 : 1);
