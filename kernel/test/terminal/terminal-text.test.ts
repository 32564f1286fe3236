// What the command writes of data, names and errors: no control character reaches a terminal or a
// pipe, and a row that cannot be shown spoils no other row.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { afterAll, test } from 'vitest';
import type { Part, ViewSnapshot } from '../../protocol/displays.ts';
import type { CellState } from '../../protocol/messages.ts';
import { toWire } from '../../protocol/values.ts';
import { parseIsoInstant } from '../../../engine/time/iso-instant.ts';
import { zoneOf } from '../../../engine/time/zone.ts';
import { check } from '../../terminal/check.ts';
import { table } from '../../terminal/figures.ts';
import { JsonLines } from '../../terminal/json-lines.ts';
import { LiveTerminal } from '../../terminal/live-terminal.ts';
import { jsonText } from '../../job/json-text.ts';
import { report } from '../session/reports.ts';
import { linesText, lineText } from '../../terminal/terminal-text.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-terminal-'));
afterAll(() => rmSync(folder, { recursive: true }));

const title = '\u001b]0;title\u0007';
const clipboard = '\u001b]52;c;cm0gLXJmIH4K\u0007';
const clear = '\u001b[2J\u001b[H';
const link = '\u001b]8;;http://there.example\u0007click\u001b]8;;\u0007';
const colour = '\u001b[31m';
const colourC1 = '\u009b31m';
const reordered = 'abc\u202edcba\u2069';
const attacks = [
  title,
  clipboard,
  clear,
  link,
  colourC1,
  reordered,
  'one\r\n● live forged',
  '\u007f',
  '\u2028',
  '\u0000',
];

/** Every control except the line breaks between lines. */
const control = /(?!\n)[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;

test('a text within a line has no control character, and a text of several lines keeps its lines', () => {
  assert.equal(lineText(`a${title}b\nc\td`), 'a\\x1b]0;title\\x07b\\nc\\td');
  assert.equal(lineText(`${colourC1}${reordered}`), '\\x9b31mabc\\u202edcba\\u2069');
  assert.equal(linesText('one\r\ntwo\n\tthree\rfour'), 'one\ntwo\n\tthree\\rfour');
  assert.equal(lineText('żółć 日本 😀 — ünï'), 'żółć 日本 😀 — ünï');
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.doesNotMatch(lineText(text), /\p{Cc}/u);
      assert.doesNotMatch(linesText(text).replaceAll('\t', ''), control);
    }),
  );
});

test('JSON lines escape every control character, and read back the same', () => {
  fc.assert(
    fc.property(fc.oneof(fc.constantFrom(...attacks), fc.string({ unit: 'binary' })), (text) => {
      const line = jsonText({ [text]: text });
      assert.doesNotMatch(line, /[\p{Cc}\u2028\u2029]/u);
      assert.deepEqual(JSON.parse(line), { [text]: text });
    }),
  );
});

test('--json writes no control character of rows and errors', async () => {
  const out = new PassThrough();
  const lines = new JsonLines(out);
  void lines.rows({ cell: 'a' }, attacks, assert.fail);
  lines.error('a', { code: 'x', message: attacks.join('') });
  out.end();
  const text = await readAll(out);
  assert.doesNotMatch(text, control);
  assert.equal(text.split('\n').length, attacks.length + 2);
});

test('--json collects no more than about a million characters in one write', async () => {
  const out = new PassThrough({ highWaterMark: 100_000_000 });
  const lengths: number[] = [];
  out.on('data', (piece: Buffer) => lengths.push(piece.length));
  const lines = new JsonLines(out);
  const rows = Array.from({ length: 5 }, (_, n) => n + 'x'.repeat(700_000));
  await lines.rows({ cell: 'a' }, rows, assert.fail);
  await lines.flushed();
  assert.deepEqual(
    lengths.map((length) => Math.round(length / 700_000)),
    [2, 2, 1],
  );
});

async function readAll(stream: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  for await (const piece of stream) text += String(piece);
  return text;
}

/** What the terminal writes for these parts. In a terminal it also moves the cursor. */
async function written(parts: readonly Part[], isTTY: boolean, more: Partial<CellState> = {}): Promise<string> {
  const out = new PassThrough();
  const terminal = new LiveTerminal(Object.assign(out, { isTTY, rows: 100, columns: 400 }));
  const cell = { id: 'a', phase: 'live', edited: false, stale: [], notes: [], hasView: true, errors: [] } as const;
  terminal.hear('state', { cells: [{ ...cell, ...more }], clients: 1, recordsPerSecond: 0, warning: attacks.join('') });
  const id = more.id ?? 'a';
  terminal.hear('view', { type: 'snapshot', view: id, epoch: 'e', seq: 1, parts } satisfies ViewSnapshot);
  terminal.line(attacks.join(''));
  terminal.end();
  out.end();
  return (await readAll(out)).replace(/^\u001b\[\d+A|\u001b\[J/gm, '');
}

const caption = { pieces: attacks, waiting: true };
const figures = { limit: 10, rate: 1, sampled: 1, total: 1, caption } as const;
const attackRows = [...attacks, Object.fromEntries(attacks.map((text) => [text, text])), attacks].map(
  (value, index) => ({
    n: index + 1,
    t: 0,
    value: toWire(value),
  }),
);
const attackParts: readonly Part[] = [
  { kind: 'table', id: '0', title: attacks.join(''), rows: attackRows, ...figures },
  { kind: 'table', id: '1', title: 'last', rows: attackRows.slice(-2), ...figures },
  { kind: 'value', id: '2', text: attacks.join('\n') },
  { kind: 'log', id: '3', lines: [{ n: 1, level: 'log', at: 0, text: attacks.join('') }], dropped: 0 },
  { kind: 'error', id: '4', code: 'x', where: attacks.join(''), message: attacks.join('') },
];

for (const isTTY of [true, false])
  test(`no display writes a control character (${isTTY ? 'terminal' : 'pipe'})`, async () => {
    const rejected = [{ text: `1 of 2 records of ${title} was rejected`, first: attacks.join('') }];
    const more = { id: `a${clear}`, reason: title, heldBack: link, trouble: attacks.join(''), rejected };
    const text = await written(attackParts, isTTY, more);
    assert.doesNotMatch(text, control);
    assert.match(text, /\\x1b\]0;title\\x07/);
  });

test('a rejected record, a trouble and a note forge no line, also in the summary', async () => {
  const forged = 'one\r\n● live forged';
  for (const isTTY of [true, false]) {
    const lines = await written([], isTTY, { rejected: [{ text: 'some', first: forged }], trouble: forged });
    assert.doesNotMatch(lines, /^● live forged$/m);
    assert.match(lines, /some: one\\r\\n● live forged/);
  }
  const out = new PassThrough();
  new LiveTerminal(Object.assign(out, { isTTY: false, rows: 100, columns: 400 })).summary([
    report('a/file', {
      name: `file ${title}`,
      source: {
        ...{ opened: 1, phase: 'finished', errors: 1, emitted: 1, entries: 0 },
        firstRejection: `${attacks.join('')}${forged}`,
      },
    }),
  ]);
  out.end();
  const summary = await readAll(out);
  assert.doesNotMatch(summary, control);
  assert.doesNotMatch(summary, /^● live forged$/m);
  assert.match(summary, /1 of 2 records of file \\x1b\]0;title\\x07 was rejected: .*one\\r\\n● live forged$/m);
});

test('a line of a pipe has the date of a time, also of today', async () => {
  const at = new Date();
  const rows = [{ n: 1, t: 0, value: toWire({ at }) }];
  const parts: readonly Part[] = [{ kind: 'table', id: '0', title: 'rows', rows, ...figures }];
  const line = await written(parts, false);
  const text = /at=(.*)/.exec(line)?.[1] ?? '';
  assert.equal(parseIsoInstant(text, zoneOf('UTC')), at.getTime(), line);
});

test('the status line of a cell has its lag', async () => {
  const lag = 'lag 10.9 k (4 min 36 s)';
  assert.match(await written(attackParts, true, { lag }), /● live\S* a {2}lag 10\.9 k \(4 min 36 s\)/);
  assert.doesNotMatch(await written(attackParts, true, { lag, phase: 'finished' }), /lag/);
});

test('a line break in a cell forges no line', async () => {
  const rows = [{ n: 1, t: 0, value: { text: 'one\n● live  forged' } }];
  for (const isTTY of [true, false]) {
    const text = await written(
      [{ kind: 'table', id: '0', title: 't', rows, ...figures, caption: { pieces: [], waiting: false } }],
      isTTY,
    );
    assert.match(text, /one\\n● live {2}forged/);
  }
});

test('a row that cannot be shown spoils only itself', async () => {
  const rows = [{ v: 1 }, { $bigint: 'x' }, null, { v: new Date(NaN) }, { v: 2 }].map((value, index) => ({
    n: index + 1,
    t: 0,
    value: index === 1 ? value : toWire(value),
  }));
  assert.deepEqual(
    table(
      rows.slice(0, 2).map(({ value }) => value),
      0,
    ),
    ['v  value', '1', '   cannot be shown: The tag $bigint is not known, or its value is malformed.'],
  );
  const chart: Part = {
    ...{ kind: 'chart', id: '0', title: 'chart', rows, ...figures },
    spec: { encoding: { y: { field: 'v' } } },
  };
  for (const isTTY of [true, false]) {
    const text = await written([chart], isTTY);
    assert.match(text, /cannot be shown: The tag \$bigint/);
    assert.match(text, isTTY ? /^ +2$/m : /^a {2}v=2$/m);
  }
});

test('check escapes the path and the messages', async () => {
  const path = join(folder, `a${colour}.sluice.ts`);
  writeFileSync(path, `// %% id=a\nconst y: "${clear}" = 5;\n`);
  const out = new PassThrough();
  assert.equal(await check(path, out), 1);
  out.end();
  const text = await readAll(out);
  assert.doesNotMatch(text, control);
  assert.match(text, /a\\x1b\[31m\.sluice\.ts/);
});

test('a cell with only a sink has a line in a terminal, and lines in a pipe when its trouble changes', async () => {
  const cell = { id: 'out', phase: 'live', edited: false, stale: [], notes: [], hasView: false, errors: [] } as const;
  const sink = { armed: true, target: 'topic t' };
  const changes = [
    {},
    {},
    { trouble: 't[2] has no leader' },
    { trouble: 't[2] has no leader', notes: ['3 rows are old'] },
    { notes: ['4 rows are old'] },
  ];
  for (const isTTY of [true, false]) {
    const out = new PassThrough();
    const terminal = new LiveTerminal(Object.assign(out, { isTTY, rows: 100, columns: 400 }));
    for (const change of changes) {
      terminal.hear('state', { cells: [{ ...cell, sink, ...change }], clients: 1, recordsPerSecond: 0 });
      if (isTTY) terminal.line('');
    }
    terminal.end();
    out.end();
    const text = stripVTControlCharacters(await readAll(out));
    const lines = text.split('\n').filter((line) => line !== '');
    if (isTTY) assert.ok(lines.includes('● live out  ▲ t[2] has no leader'), text);
    else
      assert.deepEqual(lines, [
        '● live out',
        '▲ out  t[2] has no leader',
        '▲ out  3 rows are old',
        '▲ out  the trouble is over',
      ]);
  }
});
