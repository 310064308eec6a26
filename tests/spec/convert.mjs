// tests/spec/convert.mjs: official test scripts (.wast) to a form that a small C program executes.
//
//   node convert.mjs [--tools DIR] [--root DIR] OUTDIR FILE.wast...
//
// For each FILE a directory OUTDIR/<path below root, without .wast> (root: the file's own directory unless given) with
// one N.wasm a module and script.txt. Text modules go through wasm-tools (the npm package
// @bytecodealliance/jco-transpile in DIR/node_modules, loaded once), or through `wat2wasm --enable-all --no-check`
// where the package is missing or does not know the text (the legacy exceptions).
//
// script.txt: one command a line, tokens separated by single spaces, first the line in FILE:
//
//   LINE module FILE ID                    instantiate; becomes the current instance
//   LINE definition FILE ID                a module not instantiated; becomes the current definition
//   LINE instance ID DEFINITION            instantiate a definition (ID of one, or - for the current)
//   LINE register NAME ID                  instance ID (- for the current) under NAME for imports
//   LINE invoke ID FIELD N ARG*N           call an export of instance ID (- for the current) with N arguments
//   LINE get ID FIELD                      read a global
//   LINE assert_return ACTION RESULT...    ACTION is invoke ... or get ... as above; then all results
//   LINE assert_trap TEXT ACTION
//   LINE assert_exhaustion TEXT ACTION
//   LINE assert_exception ACTION
//   LINE assert_invalid FILE TEXT
//   LINE assert_malformed FILE TEXT
//   LINE assert_unlinkable FILE TEXT
//   LINE assert_uninstantiable FILE TEXT   traps while it is instantiated
//   LINE assert_malformed_text VERDICT TEXT  quoted text that has to be refused by a text parser; VERDICT is rejected,
//                                          or FILE when the parser accepted it: then the bytes have to be refused
//   LINE assert_invalid_text rejected TEXT the text parser refused it already, so there are no bytes
//   LINE skip_module ID REASON             a module (or definition) that could not be converted: what depends on it
//   LINE skip_assert REASON                cannot run; so with assertions. Both are to be counted as skips.
//
// NAME, FIELD, TEXT, REASON: bytes, percent-encoded (%hh); the empty string is a single %. ID: $name percent-encoded
// likewise, or - for none. FILE: a name in the same directory.
//
// Values, one token each, hexadecimal without prefix, full width:
//   i32:0000002a i64:... f32:3f800000 f64:...          bits
//   f32:nan:canonical f32:nan:arithmetic (f64 too)     results only: patterns
//   v128:SHAPE:LANE,LANE,...                           SHAPE i8x16 i16x8 i32x4 i64x2 f32x4 f64x2, lane 0 first;
//                                                      float lanes may be nan:canonical or nan:arithmetic
//   ref.null:HEAP ref.extern:N ref.host:N              N decimal: host references, as arguments and as results
//   ref.null ref.func ref.extern ref.any ref.eq ref.i31 ref.struct ref.array ref.exn   results: any of the kind
//   either:VALUE|VALUE...                              results: one of these
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

// ---- Reading s-expressions. The source is a string with one character a byte, so that no byte is harmed.

class SyntaxProblem extends Error {}

// Nodes: {kind: 'list' | 'atom' | 'string', start, end, items | text | bytes}. Strings keep their escapes in text.
function parse(source) {
    const top = { kind: 'list', start: 0, end: source.length, items: [] };
    const open = [top];
    let at = 0;
    const add = (node) => open[open.length - 1].items.push(node);
    while (at < source.length) {
        const c = source[at];
        if (c === ' ' || c === '\t' || c === '\n' || c === '\r') at++;
        else if (c === ';' && source[at + 1] === ';') at = endOfLine(source, at);
        else if (c === '(' && source[at + 1] === ';') at = endOfComment(source, at);
        else if (c === '(') {
            const node = { kind: 'list', start: at++, end: 0, items: [] };
            add(node);
            open.push(node);
        } else if (c === ')') {
            if (open.length === 1) throw new SyntaxProblem(`unbalanced ) at ${at}`);
            const node = open.pop();
            node.end = ++at;
            if (node.items[0]?.text?.startsWith('@')) open[open.length - 1].items.pop(); // an annotation
        } else if (c === '"') {
            const end = endOfString(source, at);
            add({ kind: 'string', start: at, end, bytes: unescape(source.slice(at + 1, end - 1)) });
            at = end;
        } else {
            const end = Math.max(endOfAtom(source, at), at + 1); // annotations may hold a lone semicolon
            add({ kind: 'atom', start: at, end, text: source.slice(at, end) });
            at = end;
        }
    }
    if (open.length !== 1) throw new SyntaxProblem('unbalanced (');
    return top.items;
}

function endOfLine(source, at) {
    while (at < source.length && source[at] !== '\n' && source[at] !== '\r') at++;
    return at;
}

function endOfComment(source, at) {
    let depth = 0;
    do {
        if (source.startsWith('(;', at)) depth++, at += 2;
        else if (source.startsWith(';)', at)) depth--, at += 2;
        else if (at++ >= source.length) throw new SyntaxProblem('unterminated comment');
    } while (depth);
    return at;
}

function endOfString(source, at) {
    for (at++; source[at] !== '"'; at += source[at] === '\\' ? 2 : 1)
        if (at >= source.length) throw new SyntaxProblem('unterminated string');
    return at + 1;
}

// An identifier may be a string with $ or @ before it.
function endOfAtom(source, at) {
    while (at < source.length && !' \t\n\r()";'.includes(source[at])) at++;
    if (source[at] === '"' && '$@'.includes(source[at - 1])) return endOfString(source, at);
    return at;
}

const simpleEscapes = { t: '\t', n: '\n', r: '\r', '"': '"', "'": "'", '\\': '\\' };

function unescape(text) {
    return text.replace(/\\(u\{[0-9a-fA-F_]+\}|[0-9a-fA-F]{2}|.)/gs, (_, e) => {
        if (e.startsWith('u{')) return utf8(String.fromCodePoint(parseInt(e.slice(2, -1).replaceAll('_', ''), 16)));
        return e.length === 2 ? String.fromCharCode(parseInt(e, 16)) : simpleEscapes[e] ?? e;
    });
}

const utf8 = (s) => Buffer.from(s, 'utf8').toString('latin1');
const bytes = (s) => Buffer.from(s, 'latin1');

// Bytes above ASCII inside string literals as escapes, so that no parser has an opinion about them.
function escapeStrings(source) {
    let out = '', at = 0;
    while (at < source.length) {
        let end = at + 1;
        if (source.startsWith(';;', at)) end = endOfLine(source, at);
        else if (source.startsWith('(;', at)) end = endOfComment(source, at);
        else if (source[at] === '"') end = endOfString(source, at);
        const piece = source.slice(at, end);
        const hex = (c) => '\\' + c.charCodeAt(0).toString(16).padStart(2, '0');
        out += piece[0] === '"' && !'$@'.includes(source[at - 1]) ? piece.replace(/[\x80-\xff]/g, hex) : piece;
        at = end;
    }
    return out;
}

// ---- Tokens of the output

function token(text) {
    if (text === '') return '%';
    return text.replace(/[^A-Za-z0-9_.$/+*:=<>-]|^-/g, (c) => '%' + c.charCodeAt(0).toString(16).padStart(2, '0'));
}

function idToken(node) {
    if (!node) return '-';
    const text = node.text;
    return text.startsWith('$"') ? '$' + token(unescape(text.slice(2, -1))) : token(text);
}

const hex = (value, bits) => BigInt.asUintN(bits, value).toString(16).padStart(bits / 4, '0');

function integer(text, bits) {
    const plain = text.replaceAll('_', '');
    const negative = plain.startsWith('-');
    const value = BigInt(plain.replace(/^[+-]/, ''));
    return hex(negative ? -value : value, bits);
}

const formats = { 32: { mantissa: 23n, bias: 127n }, 64: { mantissa: 52n, bias: 1023n } };

// num / den, correctly rounded to nearest even, as the bits of an IEEE 754 number of that width.
function roundRatio(num, den, { mantissa, bias }) {
    if (num === 0n) return 0n;
    let exponent = BigInt(num.toString(2).length - den.toString(2).length);
    const scaled = (e) => (e >= 0n ? [num, den << e] : [num << -e, den]);
    if (((n, d) => n < d)(...scaled(exponent))) exponent--; // now 1 <= value / 2^exponent < 2
    const least = 1n - bias;
    if (exponent < least) exponent = least;
    const [n, d] = scaled(exponent - mantissa);
    let q = n / d;
    const twice = (n % d) * 2n;
    if (twice > d || (twice === d && q & 1n)) q++;
    const subnormal = q < 1n << mantissa;
    const bits = subnormal ? q : q + ((exponent + bias - 1n) << mantissa); // a carry out of q moves the exponent
    const infinity = (2n * bias + 1n) << mantissa;
    return bits > infinity ? infinity : bits;
}

function ratio(text) {
    const [, digits, exponent = '0'] = text.startsWith('0x')
        ? /^0x([0-9a-f.]+)(?:p([+-]?\d+))?$/.exec(text)
        : /^([0-9.]+)(?:e([+-]?\d+))?$/.exec(text);
    const [whole, part = ''] = digits.split('.');
    const isHex = text.startsWith('0x');
    const num = BigInt((isHex ? '0x' : '') + (whole + part || '0'));
    const e = BigInt(exponent);
    const [base, shift] = isHex ? [2n, e - 4n * BigInt(part.length)] : [10n, e - BigInt(part.length)];
    return shift >= 0n ? [num * base ** shift, 1n] : [num, base ** -shift];
}

function floatBits(text, width) {
    const plain = text.replaceAll('_', '').toLowerCase();
    const format = formats[width];
    const sign = plain.startsWith('-') ? 1n << BigInt(width - 1) : 0n;
    const body = plain.replace(/^[+-]/, '');
    const infinity = (2n * format.bias + 1n) << format.mantissa;
    if (body === 'inf') return sign | infinity;
    if (body === 'nan') return sign | infinity | (1n << (format.mantissa - 1n));
    if (body.startsWith('nan:0x')) return sign | infinity | BigInt(body.slice(4));
    return sign | roundRatio(...ratio(body), format);
}

function float(text, width) {
    if (text === 'nan:canonical' || text === 'nan:arithmetic') return text;
    return hex(floatBits(text, width), width);
}

const laneOf = (shape) => {
    const [, kind, width] = /^([if])(\d+)x/.exec(shape);
    return (text) => (kind === 'i' ? integer(text, +width) : float(text, +width));
};

function value(node) {
    const [head, ...rest] = node.items;
    const args = rest.map((n) => n.text);
    switch (head.text) {
    case 'i32.const': return 'i32:' + integer(args[0], 32);
    case 'i64.const': return 'i64:' + integer(args[0], 64);
    case 'f32.const': return 'f32:' + float(args[0], 32);
    case 'f64.const': return 'f64:' + float(args[0], 64);
    case 'v128.const': return `v128:${args[0]}:${args.slice(1).map(laneOf(args[0])).join(',')}`;
    case 'either': return 'either:' + rest.map(value).join('|');
    }
    if (head.text.startsWith('ref.')) return [head.text, ...args].join(':');
    throw new SyntaxProblem(`unknown value ${head.text}`);
}

// ---- Text to binary

async function loadWasmTools(dir) {
    const path = join(dir, 'node_modules/@bytecodealliance/jco-transpile/vendor/wasm-tools.js');
    if (!existsSync(path)) return null;
    const { $init, tools } = await import(pathToFileURL(resolve(path)));
    await $init;
    return (text) => tools.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes(text)));
}

function wabtParser() {
    const scratch = mkdtempSync(join(tmpdir(), 'convert-'));
    process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
    const [input, output] = [join(scratch, 'in.wat'), join(scratch, 'out.wasm')];
    const options = { stdio: ['ignore', 'ignore', 'pipe'], timeout: 10000 };
    return (text) => {
        parse(text); // wabt 1.0.32 never returns from an annotation without its end
        writeFileSync(input, bytes(text));
        execFileSync('wat2wasm', ['--enable-all', '--no-check', input, '-o', output], options);
        return readFileSync(output);
    };
}

// ---- Scripts

class Converter {
    // parsers: text to bytes or an exception; the first is asked first. modern: it knows all of 3.0, so that what it
    // says of bad text counts.
    constructor(source, dir, parsers, modern) {
        Object.assign(this, { source, dir, parsers, modern, lines: [], count: 0 });
        mkdirSync(dir, { recursive: true });
    }

    lineOf(offset) {
        this.lastLine ??= { offset: 0, line: 1 };
        const last = this.lastLine;
        for (; last.offset < offset; last.offset++) if (this.source[last.offset] === '\n') last.line++;
        return last.line;
    }

    emit(...tokens) { this.lines.push([this.line, ...tokens].join(' ')); }

    write(binary) {
        const name = `${this.count++}.wasm`;
        writeFileSync(join(this.dir, name), binary);
        return name;
    }

    // (module definition? $id? (binary "..."* | quote "..."* | field*)) without what stands before the fields.
    module(node) {
        let items = node.items.slice(1);
        const is = (text) => items[0]?.kind === 'atom' && items[0].text === text;
        const definition = is('definition');
        if (definition) items = items.slice(1);
        const id = items[0]?.kind === 'atom' && items[0].text.startsWith('$') ? items.shift() : null;
        const form = is('binary') ? 'binary' : is('quote') ? 'quote' : 'text';
        if (form !== 'text') return { definition, id, form, content: items.slice(1).map((n) => n.bytes).join('') };
        const from = items.length ? items[0].start : node.end - 1;
        return { definition, id, form, content: `(module ${this.source.slice(from, node.end)}` };
    }

    // The module's bytes; throws the first parser's error. Whether quoted text is refused is for the first to say.
    binary(module) {
        if (module.form === 'binary') return bytes(module.content);
        if (module.form === 'quote') return this.parsers[0](module.content);
        const text = escapeStrings(module.content);
        try {
            return this.parsers[0](text);
        } catch (e) {
            for (const parser of this.parsers.slice(1)) {
                try { return parser(text); } catch { /* the first error says more */ }
            }
            throw e;
        }
    }

    // A file's name, or null when the text parser refuses; the reason is in this.reason.
    convert(module) {
        try {
            return this.write(this.binary(module));
        } catch (e) {
            this.reason = String(e.payload ?? e.stderr ?? e.message ?? e).trim().split('\n')[0];
            return null;
        }
    }

    action(node) {
        const [head, ...rest] = node.items;
        const id = rest[0].kind === 'atom' ? rest.shift() : null;
        const field = token(rest.shift().bytes);
        if (head.text === 'get') return `get ${idToken(id)} ${field}`;
        return ['invoke', idToken(id), field, rest.length, ...rest.map(value)].join(' ');
    }

    command(node) {
        const head = node.items[0]?.text;
        this.line = this.lineOf(node.start);
        if (head === 'module') this.topModule(node);
        else if (head === 'register') this.emit('register', token(node.items[1].bytes), idToken(node.items[2]));
        else if (head === 'invoke' || head === 'get') this.emit(this.action(node));
        else if (head?.startsWith('assert_')) this.assertion(head, node.items.slice(1));
        else return false;
        return true;
    }

    topModule(node) {
        if (node.items[1]?.text === 'instance') {
            const ids = node.items.slice(2);
            this.emit('instance', idToken(ids[0]), idToken(ids[1]));
            return;
        }
        const module = this.module(node);
        const file = this.convert(module);
        if (file) this.emit(module.definition ? 'definition' : 'module', file, idToken(module.id));
        else this.emit('skip_module', idToken(module.id), token(this.reason));
    }

    assertion(head, [subject, ...rest]) {
        const text = rest[0]?.kind === 'string' ? token(rest[0].bytes) : '%';
        if (subject.items[0].text === 'module') {
            this.moduleAssertion(head === 'assert_trap' ? 'assert_uninstantiable' : head, this.module(subject), text);
            return;
        }
        const action = this.action(subject);
        if (head === 'assert_return') this.emit(head, action, ...rest.map(value));
        else if (head === 'assert_exception') this.emit(head, action);
        else this.emit(head, text, action);
    }

    moduleAssertion(head, module, text) {
        const file = this.convert(module), malformedText = head === 'assert_malformed' && module.form !== 'binary';
        if (malformedText && file && !this.modern) this.emit('skip_assert', token('wat2wasm accepts this text'));
        else if (malformedText) this.emit('assert_malformed_text', file ?? 'rejected', text);
        else if (file) this.emit(head, file, text);
        else if (head === 'assert_invalid' && this.modern) this.emit('assert_invalid_text', 'rejected', text);
        else this.emit('skip_assert', token(this.reason));
    }

    // A script without commands is one module, given by its fields.
    run() {
        let nodes = parse(this.source);
        if (!nodes.every((node) => this.isCommand(node))) {
            this.source = `(module ${this.source}\n)`;
            nodes = parse(this.source);
        }
        for (const node of nodes) this.command(node);
        writeFileSync(join(this.dir, 'script.txt'), this.lines.join('\n') + '\n');
    }

    isCommand(node) {
        const head = node.items?.[0]?.text;
        return ['module', 'register', 'invoke', 'get'].includes(head) || !!head?.startsWith('assert_');
    }
}

async function main(args) {
    const options = {};
    while (args[0]?.startsWith('--')) options[args.shift().slice(2)] = args.shift();
    const [out, ...files] = args;
    if (!out || !files.length) {
        console.error('usage: convert.mjs [--tools DIR] [--root DIR] OUTDIR FILE.wast...');
        process.exit(2);
    }
    const modern = options.tools && (await loadWasmTools(options.tools));
    const parsers = modern ? [modern, wabtParser()] : [wabtParser()];
    for (const file of files) {
        const name = options.root ? relative(options.root, file) : basename(file);
        const dir = join(out, name.replace(/\.wast$/, ''));
        rmSync(dir, { recursive: true, force: true });
        try {
            new Converter(readFileSync(file).toString('latin1'), dir, parsers, !!modern).run();
        } catch (e) {
            console.error(`${file}: ${e.message}`);
            process.exitCode = 1;
        }
    }
}

await main(process.argv.slice(2));
