// tests/cli/externs.mjs: the imports and exports of `inspect --json`, one a line, exports by name.
import { readFileSync } from 'node:fs';

const { imports, exports } = JSON.parse(readFileSync(0));
const line = ({ kind, module, name, type }) => [kind, module, name, type].filter((x) => x !== undefined).join(' ');
console.log([...imports.map(line), '--', ...exports.map(line).sort()].join('\n'));
