// bench/report.mjs: from results to figures, a table, a page and a plot.
//
// In: { machine, command, date, rounds, engines: [{ name, about }], absent: [{ name, why }],
//       programs: { NAME: { ENGINE: { seconds: [...], compile_seconds, text_bytes, ..., error } } }, hello, embed }
// A ratio compares runs of the same round, seconds apart, so that a machine that slows down slows both; the figure is
// the median of the rounds. Spread is (max - min) / median of an engine's own seconds. Beside it `best`: the shortest run over
// native's shortest, which other work on the machine disturbs least.
export const median = (list) => {
    const sorted = [...list].sort((a, b) => a - b), half = sorted.length >> 1;
    return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
};
const known = (x) => x !== undefined && x !== null && Number.isFinite(x);
export const geomean = (list) => (list.length ? Math.exp(list.reduce((sum, x) => sum + Math.log(x), 0) / list.length) : NaN);

function pairedRatio(times, base) {
    const ratios = times.flatMap((t, round) => (known(t) && known(base[round]) ? [t / base[round]] : []));
    return ratios.length ? median(ratios) : undefined;
}

// Fills in ratio, median and spread of every cell, and the summary of every engine.
export function digest(results) {
    for (const row of Object.values(results.programs))
        for (const cell of Object.values(row)) {
            const seconds = (cell.seconds ?? []).filter(known);
            if (!seconds.length || cell.error) continue;
            cell.median = median(seconds);
            cell.spread = (Math.max(...seconds) - Math.min(...seconds)) / cell.median;
            cell.ratio = pairedRatio(cell.seconds, row.native.seconds);
            cell.best = Math.min(...seconds) / Math.min(...row.native.seconds.filter(known));
        }
    const rows = Object.values(results.programs);
    results.summary = {};
    for (const { name } of results.engines) {
        const column = (field) => rows.map((row) => row[name]?.[field]).filter(known);
        const ratios = column('ratio'), compile = column('compile_seconds'), text = column('text_bytes');
        results.summary[name] = {
            programs: ratios.length, geomean: geomean(ratios), geomean_best: geomean(column('best')), worst: Math.max(...ratios), spread: column('spread').length ? median(column('spread')) : undefined,
            compile_seconds: compile.length ? compile.reduce((a, b) => a + b) : undefined,
            text_bytes: text.length ? text.reduce((a, b) => a + b) : undefined,
        };
    }
    return results;
}

// ---- the table

const fixed = (x, digits) => (known(x) ? x.toFixed(digits) : '-');
const cellText = (cell) => (cell?.error ? 'FAILED' : known(cell?.ratio) ? `${cell.ratio.toFixed(2)} ±${Math.round(cell.spread * 100)}` : '-');

// Rows of text: the head, one a program, the summary.
function rowsOf(results) {
    const names = results.engines.map((engine) => engine.name).filter((name) => name !== 'native');
    const summary = (title, first, text) => [title, first, ...names.map((name) => text(results.summary[name]))];
    const count = Object.keys(results.programs).length, nativeSum = results.summary.native;
    const kib = (bytes) => (known(bytes) ? String(Math.round(bytes / 1024)) : '-');
    return [
        ['program', 'native s', ...names],
        ...Object.entries(results.programs).map(([program, row]) =>
            [program, `${fixed(row.native?.median, 3)} ±${Math.round((row.native?.spread ?? 0) * 100)}`, ...names.map((name) => cellText(row[name]))]),
        summary('geometric mean', '1.00', (s) => fixed(s.geomean, 3) + (s.programs < count ? ` (${s.programs})` : '')),
        summary('by shortest runs', '1.00', (s) => fixed(s.geomean_best, 3)),
        summary('worst', '1.00', (s) => fixed(s.worst, 2)),
        summary('compile, s', fixed(nativeSum.compile_seconds, 2), (s) => fixed(s.compile_seconds, 2)),
        summary('code, KiB', kib(nativeSum.text_bytes), (s) => kib(s.text_bytes)),
    ];
}

export function table(results) {
    const rows = rowsOf(results);
    const width = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
    return rows.map((row) => row.map((text, i) => (i ? text.padStart(width[i]) : text.padEnd(width[i]))).join('  ')).join('\n');
}

export function extras(results) {
    const lines = [], { hello, embed } = results;
    const one = ([name, { ms, kib }]) => `${name} ${ms.toFixed(2)} ms (${(kib / 1024).toFixed(1)} MiB)`;
    if (hello) lines.push(`hello world, start to exit (and peak memory): ${Object.entries(hello).map(one).join(', ')}`);
    if (embed?.error) lines.push(`embedding: ${embed.error}`);
    else if (embed)
        lines.push(`instance made and freed ${(embed.instantiate_free / 1000).toFixed(1)} us, with one call and one dirty page ${(embed.instantiate_call_free / 1000).toFixed(1)} us; ` +
            `host to guest ${embed.host_to_guest_typed.toFixed(1)} ns typed, ${embed.host_to_guest_untyped.toFixed(1)} ns by values; guest to host ${embed.guest_to_host.toFixed(1)} ns`);
    const why = (list) => list.map(({ name, why }) => `${name} (${why})`).join(', ');
    if (results.leftOut?.length) lines.push(`skipped: ${results.leftOut.length} of the programs: ${why(results.leftOut)}`);
    if (results.absent.length) lines.push(`not measured: ${why(results.absent)}`);
    return lines;
}

// ---- the page

export function page(results) {
    const [head, ...rows] = rowsOf(results).map((row) => row.filter((_, i) => i !== 1)); // seconds say nothing elsewhere
    const line = (row) => `| ${row.join(' | ')} |`;
    const compile = rows.findIndex((row) => row[0] === 'compile, s');
    const base = results.summary.native.compile_seconds;
    // Measured once and not interleaved: worth nothing where the machine has other work.
    if (results.machine.busy) rows.splice(compile, 1);
    else rows[compile] = ['compile time', ...head.slice(1).map((name) => fixed(results.summary[name].compile_seconds / base, 2))];
    return `# Results

Run time as a ratio to native code (\`clang-22 -O3\`) of the same sources in the same round: 1.00 is native speed, less is
faster. After ± the spread of the runs, (max - min) / median, in percent. Written by \`${results.command}\`; the programs,
the engines and the method are described in [README.md](README.md).

* Date: ${results.date}; ${results.rounds} interleaved rounds${results.note ? ` (${results.note})` : ''}.
* Machine: ${results.machine.cpu}, ${results.machine.cores} processors, ${results.machine.memory_gib} GiB; load average ${results.machine.load_before} at the start, ${results.machine.load_after} at the end.
${results.machine.busy ? '* The machine was shared and busy with other work. Read nothing into differences below the spread, and no absolute time.\n' : ''}
${line(head)}
|${head.map((_, i) => (i ? ' ---: |' : ' --- |')).join('')}
${rows.map(line).join('\n')}

${results.machine.busy ? '' : "Compile time is to an object, all programs together, as a ratio to native's. "}A number in parentheses says how many of the
programs the mean is of. Code is what the executable sections of the objects hold: natively without the C library, which a
Wasm module brings along.

${extras(results).filter((text) => !(results.machine.busy && /^(hello|instance)/.test(text))).map((text) => `* ${text}`).join('\n')}

Engines: ${results.engines.map(({ name, about }) => `**${name}** ${about}`).join('; ')}.

![Ratios to native by program](plot.svg)
`;
}

// ---- the plot: bars by program, a dashed line for each engine's geometric mean

const colours = ['#1b6ca8', '#e07b39', '#5a9e4b', '#b03a5b', '#7d5ba6', '#8c8c3e', '#3aa6a0', '#8a6d5b'];
const escape = (text) => text.replace(/[<&>]/g, (c) => ({ '<': '&lt;', '&': '&amp;', '>': '&gt;' })[c]);

export function plot(results) {
    const wanted = results.engines.filter(({ name }) => name !== 'native' && !/-O3|-v2|-expl\+/.test(name)).slice(0, colours.length);
    const programs = Object.entries(results.programs), bar = 7, gap = 14, left = 46, top = 60, height = 300, most = 2.5;
    const group = wanted.length * bar + gap, width = left + programs.length * group + 20;
    const y = (ratio) => top + height - (Math.min(ratio, most) / most) * height;
    const text = (x, at, content, more = '') => `<text x="${x.toFixed(1)}" y="${at.toFixed(1)}" ${more}>${escape(content)}</text>`;
    const rect = (x, ratio, colour) => `<rect x="${x.toFixed(1)}" y="${y(ratio).toFixed(1)}" width="${bar - 1}" height="${(top + height - y(ratio)).toFixed(1)}" fill="${colour}"/>`;
    const line = (ratio, colour, more) => `<line x1="${left}" x2="${width - 20}" y1="${y(ratio).toFixed(1)}" y2="${y(ratio).toFixed(1)}" stroke="${colour}" ${more}/>`;
    const out = [];
    for (let tick = 0; tick <= most; tick += 0.5) out.push(line(tick, tick === 1 ? '#222' : '#ddd', ''), text(left - 6, y(tick) + 4, tick.toFixed(1), 'text-anchor="end"'));
    programs.forEach(([program, row], i) => {
        const x = left + gap / 2 + i * group;
        wanted.forEach(({ name }, k) => {
            const ratio = row[name]?.ratio;
            if (!known(ratio)) return;
            out.push(rect(x + k * bar, ratio, colours[k]));
            if (ratio > most) out.push(text(x + k * bar, top - 3, ratio.toFixed(1), 'font-size="8"'));
        });
        out.push(text(x + 4, top + height + 12, program, `transform="rotate(30 ${(x + 4).toFixed(1)} ${top + height + 12})"`));
    });
    wanted.forEach(({ name }, k) => {
        const mean = results.summary[name].geomean, x = left + (k % 4) * 190, at = 14 + 16 * Math.floor(k / 4);
        if (!known(mean)) return;
        out.push(line(mean, colours[k], 'stroke-dasharray="5 3"'));
        out.push(`<rect x="${x}" y="${at - 9}" width="10" height="10" fill="${colours[k]}"/>`, text(x + 15, at, `${name}: mean ${mean.toFixed(2)}`));
    });
    return `<svg xmlns="http://www.w3.org/2000/svg" width="${Math.max(width, 820)}" height="${top + height + 70}" font-family="sans-serif" font-size="11">
<rect width="100%" height="100%" fill="#fff"/>
${out.join('\n')}
</svg>
`;
}
