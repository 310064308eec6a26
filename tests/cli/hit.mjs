// tests/cli/hit.mjs STATS.json...: how much of a build came from its cache, by what --stats wrote.
import { readFileSync } from 'node:fs';

for (const path of process.argv.slice(2)) {
    const { phases } = JSON.parse(readFileSync(path, 'utf8'));
    const bytes = (name) => phases.find((p) => p.name === name).bytes;
    const cached = bytes('from the cache');
    console.log(cached === 0 ? 'none' : cached === bytes('compile') ? 'all' : 'some');
}
