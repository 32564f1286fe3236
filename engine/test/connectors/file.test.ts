// file(): all common forms of JSON lines and CSV, positions, and replay by event time.
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, test } from 'vitest';
import { SourceStarts } from '../../connectors/source-starts.ts';
import { ManualClock } from '../../contract/clock.ts';
import { earthquakeLines, earthquakesFile } from './earthquakes.ts';
import { functionRef, PolledSource, runInLives, type SourceSetup } from './polled-source.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-file-'));
afterAll(() => rmSync(folder, { recursive: true }));

function written(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}
function setup(path: string, parameters: SourceSetup['parameters'] = {}, more: Partial<SourceSetup> = {}): SourceSetup {
  const format = /\.(csv|tsv|json)$/.exec(path)?.[1] ?? 'jsonl';
  return { kind: 'file', parameters: { path, format, watermark: { outOfOrdernessMillis: 0 }, ...parameters }, ...more };
}
function read(path: string, parameters?: SourceSetup['parameters']): PolledSource {
  const source = new PolledSource(setup(path, parameters));
  source.runToEnd();
  source.source.close();
  return source;
}

test('a JSON record is a line, whatever the line ending, with or without one at the end', () => {
  const source = read(written('lines.jsonl', '\ufeff{"n":1}\r\n{"n":2}\n\n  \r\n[3]\n"vier \\n"\r\n5'));
  assert.deepEqual(source.values, [{ n: 1 }, { n: 2 }, [3], 'vier \n', 5]);
  assert.deepEqual(
    source.emitted.map(({ offset }) => offset),
    [1, 2, 5, 6, 7],
  );
  assert.equal(source.source.position(), 'lines.jsonl after line 7');
  assert.deepEqual(source.source.progress?.(), { records: 5 });
});

test('an integer that a double cannot hold is exact in whichever block of the file it lies', () => {
  const [filler, long] = ['x'.repeat(1000), 9_007_199_254_740_993n];
  // Blocks have 256 kB: 300 rows fill one and begin the next.
  for (const place of [0, 255, 258, 261, 262, 299]) {
    const rows = Array.from({ length: 300 }, (_, n) => `{"filler":"${filler}","n":${n === place ? long : n}}`);
    for (const [name, text] of [
      ['long.jsonl', rows.join('\n')],
      ['long.json', `[${rows.join(',')}]`],
    ] as const) {
      const values = read(written(name, text)).values as { n: unknown }[];
      assert.deepEqual(
        values.map(({ n }) => n),
        rows.map((_, n) => (n === place ? long : n)),
        `${name}, row ${place}`,
      );
    }
  }
});

test('an empty file is no records', () => {
  assert.deepEqual(read(written('empty.jsonl', '')).values, []);
  assert.deepEqual(read(written('empty.csv', '')).values, []);
  assert.deepEqual(read(written('header.csv', 'a,b\n')).values, []);
});

test('what is not JSON or not UTF-8 goes to errors with its line, and the rest is read', () => {
  const bytes = Buffer.concat([
    Buffer.from('{"n":1}\n{"n":\n'),
    Buffer.from([0x22, 0xff, 0x22, 0x0a]),
    Buffer.from('"�"\n'),
  ]);
  const source = read(written('broken.jsonl', bytes));
  assert.deepEqual(source.values, [{ n: 1 }, '�']);
  assert.equal(source.errors[0]!.offset, '2');
  assert.equal(source.errors[0]!.raw, '{"n":');
  assert.match(
    source.errors[0]!.error,
    /^broken\.jsonl line 2: It is not JSON: .* It went to orders\.errors; 1 of 2 so far\.$/,
  );
  assert.match(source.errors[1]!.error, /^broken\.jsonl line 3: It is not UTF-8,/);
  assert.equal(source.source.status().errors, 2);
});

test('a record without the timestamp goes to errors', () => {
  const source = read(written('times.jsonl', '{"at":1000}\n{"ats":2000}\n'), { timestamp: { field: 'at' } });
  assert.deepEqual(source.emitted, [{ value: { at: 1000 }, timestamp: 1000, offset: 1 }]);
  assert.match(source.errors[0]!.error, /^times\.jsonl line 2: The record has no "at", so it has no event time\./);
});

test('a file without a usable record reports the reason why no rows come', () => {
  const source = new PolledSource({ ...setup(written('nothing.jsonl', 'a\n')), watchErrors: false });
  source.poll();
  assert.match(source.source.status().waiting!, /^no record was usable so far: nothing\.jsonl line 1: It is not JSON/);
});

test('lines longer than a block and lines across blocks are read whole', () => {
  const long = 'x'.repeat(700_000);
  const values = [long, ...Array.from({ length: 20_000 }, (_, n) => ({ n, text: 'ä'.repeat(n % 40) })), long];
  const source = read(written('long.jsonl', values.map((value) => JSON.stringify(value)).join('\n')));
  assert.deepEqual(source.values, values);
});

test('CSV: a JSON number becomes one, and empty is null', () => {
  const source = read(written('numbers.csv', 'v,w\n1,x\n-2.5e3,x\n0,x\n-0.0,x\n,x\n'));
  assert.deepEqual(
    source.values.map((value) => (value as { v: unknown }).v),
    [1, -2500, 0, -0, null],
  );
});

test('CSV: a column with anything else is text', () => {
  const cells = ['1', '007', '+1', '.5', '1.', '1e999', 'NaN', '', 'true', 'FALSE', 'null', ' 1', 'ä'];
  const source = read(written('types.csv', `v,w\n${cells.map((cell) => `${cell},x`).join('\n')}`));
  assert.deepEqual(
    source.values.map((value) => (value as { v: unknown }).v),
    ['1', '007', '+1', '.5', '1.', '1e999', 'NaN', null, 'true', 'FALSE', 'null', ' 1', 'ä'],
  );
});

test('CSV: quotes hold commas, newlines and quotes; a byte order mark and CRLF are not data', () => {
  const source = read(written('quotes.csv', '\ufeffid,text\r\n1,"a, ""b""\r\nc"\r\n2,""\r\n\r\n3,d"e'));
  assert.deepEqual(source.values, [
    { id: 1, text: 'a, "b"\r\nc' },
    { id: 2, text: '' },
  ]);
  assert.equal(source.emitted[1]!.offset, 4);
  assert.match(source.errors[0]!.error, /^quotes\.csv line 6: It is not CSV: Invalid Opening Quote/);
});

test('CSV: a record with too few or too many fields costs only itself', () => {
  const lines = Array.from({ length: 500 }, (_, n) => (n === 300 ? 'too,many,fields' : n === 301 ? 'few' : `${n},x`));
  const source = read(written('fields.csv', `n,x\n${lines.join('\n')}\n`));
  assert.equal(source.emitted.length, 498);
  assert.deepEqual(
    source.errors.map(({ offset, raw }) => [offset, raw]),
    [
      ['302', 'too,many,fields'],
      ['303', 'few'],
    ],
  );
  assert.match(source.errors[0]!.error, /line 302: It has 3 fields, and the header names 2\./);
});

test('CSV: a column named twice is refused', () => {
  assert.throws(() => read(written('twice.csv', 'a,b,a\n1,2,3\n')), {
    code: 'bad-file',
    message: /twice\.csv names the column "a" twice/,
  });
});

test('a missing file names the path and the closest name', () => {
  written('orders.jsonl', '');
  assert.throws(() => read(join(folder, 'ordres.jsonl')), {
    code: 'no-file',
    message: `There is no file ${join(folder, 'ordres.jsonl')}. Closest: "orders.jsonl".`,
  });
  assert.throws(() => read(join(folder, 'nowhere', 'orders.jsonl')), {
    code: 'no-file',
    message: /folder .*nowhere does not exist either/,
  });
  assert.throws(() => read(folder), { code: 'no-file', message: /is not a file/ });
});

test('any lives and any room give every record of any file once', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'ä', '"', ',', '\n', '\r', '1', ' ', '😀'), maxLength: 8 });
  const schedule = fc.array(
    fc.record({ room: fc.integer({ min: 1, max: 9 }), restart: fc.boolean(), pauseMillis: fc.nat(300) }),
    { maxLength: 30 },
  );
  fc.assert(
    fc.property(
      fc.array(text, { maxLength: 40 }),
      fc.constantFrom('\n', '\r\n'),
      fc.boolean(),
      schedule,
      (texts, ending, isFinal, steps) => {
        const lines = texts.map((value, n) => JSON.stringify({ n, value }));
        const path = written('lives.jsonl', lines.join(ending) + (isFinal && lines.length > 0 ? ending : ''));
        const { emitted, errors } = runInLives({ ...setup(path), clock: new ManualClock(5) }, steps);
        assert.deepEqual(
          emitted.map(({ value }) => value),
          texts.map((value, n) => ({ n, value })),
        );
        assert.deepEqual(errors, []);
      },
    ),
    { numRuns: 60 },
  );
  fc.assert(
    fc.property(
      fc.array(text, { maxLength: 40 }),
      fc.constantFrom('\n', '\r\n', '\r'),
      schedule,
      (texts, ending, steps) => {
        const quoted = texts.map((value, n) => `${n},"${value.replaceAll('"', '""')}"`);
        const path = written('lives.csv', ['n,value', ...quoted].join(ending));
        const { emitted, errors } = runInLives({ ...setup(path), clock: new ManualClock(5) }, steps);
        assert.deepEqual(
          emitted.map(({ value }) => value),
          texts.map((value, n) => ({ n, value })),
        );
        assert.deepEqual(errors, []);
      },
    ),
    { numRuns: 60 },
  );
});

test('a file that has grown is read on; one that was cut is an error', () => {
  const path = written('growing.jsonl', '1\n2\n3\n');
  const first = new PolledSource(setup(path));
  first.poll(2);
  const snapshot = first.snapshot();
  first.source.close();
  appendFileSync(path, '4\n');
  const second = new PolledSource({ ...setup(path), snapshot });
  second.runToEnd();
  second.source.close();
  assert.deepEqual(second.values, [3, 4]);
  truncateSync(path, 3);
  const third = new PolledSource({ ...setup(path), snapshot });
  assert.throws(() => third.poll(), {
    code: 'file-changed',
    message: /growing\.jsonl has changed since it was read up to line 2/,
  });
});

test('with a speed, a record goes out when its time has come, and one that is behind goes at once', () => {
  const times = [10_000, 12_000, 11_000, 11_500, 20_000];
  const path = written('replay.jsonl', times.map((at) => JSON.stringify({ at })).join('\n'));
  const source = new PolledSource(setup(path, { speed: 10, timestamp: { field: 'at' } }));
  const goneBy: [number, number][] = [];
  for (const passed of [0, 199, 200, 999, 1000]) {
    source.clock.advanceTo(1_000_000 + passed);
    source.poll();
    goneBy.push([passed, source.emitted.length]);
  }
  assert.deepEqual(goneBy, [
    [0, 1],
    [199, 1],
    [200, 4],
    [999, 4],
    [1000, 5],
  ]);
  assert.equal(source.source.status().phase, 'finished');
});

test('a replay asks to be woken for its next record and for its watermark', () => {
  const path = written('wake.jsonl', '{"at":0}\n{"at":5000}\n');
  const source = new PolledSource(setup(path, { speed: 10, timestamp: { field: 'at' } }));
  assert.equal(source.poll(), 'wait');
  assert.equal(source.wakeAt, 1_000_200);
  source.clock.advanceTo(1_000_200);
  source.poll();
  assert.deepEqual(source.marks, [-1]);
  assert.equal(source.wakeAt, 1_000_500);
  source.source.close();
});

test('a replay that is restored goes on at its pace, and a later reader catches up with it', () => {
  const path = written('pace.jsonl', Array.from({ length: 50 }, (_, n) => `{"at":${n * 1000}}\n`).join(''));
  const clock = new ManualClock(1_000_000);
  const starts = new SourceStarts();
  const given = setup(path, { speed: 10, timestamp: { field: 'at' } }, { clock, starts });
  const first = new PolledSource(given);
  first.poll();
  clock.advanceTo(1_001_000);
  first.poll(3);
  const restored = new PolledSource({ ...given, starts: new SourceStarts(), snapshot: first.snapshot() });
  clock.advanceTo(1_002_000);
  first.poll();
  restored.poll();
  assert.equal(first.emitted.length, 21);
  assert.deepEqual(restored.emitted, first.emitted.slice(4));
  const later = new PolledSource(given);
  later.poll();
  assert.deepEqual(later.emitted, first.emitted);
  for (const source of [first, restored, later]) source.source.close();
});

test('the earthquakes of the first sample are those of vega-datasets, in the order in which they became known', () => {
  assert.equal(readFileSync(earthquakesFile, 'utf8'), earthquakeLines());
});

test('the earthquakes are replayed for more than five minutes, with something new every few seconds, from the first moment on', () => {
  const source = new PolledSource(setup(earthquakesFile, { speed: 1800, timestamp: { field: 'time' } }));
  const passed: number[] = [];
  while (source.poll() === 'wait') {
    while (passed.length < source.emitted.length) passed.push(source.clock.now() - 1_000_000);
    source.clock.advanceTo(source.wakeAt);
  }
  assert.equal(source.emitted.length, 1707);
  assert.equal(passed[0], 0);
  assert.ok(passed.at(-1)! > 5 * 60_000, `${passed.at(-1)} ms`);
  const longestWait = Math.max(...passed.slice(1).map((at, i) => at - passed[i]!));
  assert.ok(longestWait < 4000, `${longestWait} ms without a quake`);
});

test('tabs separate what commas do elsewhere', () => {
  const source = read(written('fields.tsv', 'a\tb, c\td\n1\t"x\ty"\ttrue\n\t2, 3\t007\n'));
  assert.deepEqual(source.values, [
    { a: 1, 'b, c': 'x\ty', d: 'true' },
    { a: null, 'b, c': '2, 3', d: '007' },
  ]);
});

test('the elements of a JSON array are records, with the line on which each begins', () => {
  const text = '\ufeff [\n  {"a": "],[", "b": [1, {"c": "\\""}]},\n  7, "x",\r\n  [[]]\n]\n';
  const source = read(written('array.json', text));
  assert.deepEqual(source.values, [{ a: '],[', b: [1, { c: '"' }] }, 7, 'x', [[]]]);
  assert.deepEqual(
    source.emitted.map(({ offset }) => offset),
    [2, 3, 3, 4],
  );
  assert.deepEqual(read(written('none.json', ' [ ] ')).values, []);
  assert.deepEqual(read(written('nothing.json', '')).values, []);
});

test('an element of an array that is broken goes to errors, and a file that is no array is refused', () => {
  const source = read(written('broken.json', '[1,\n nope, 3]'));
  assert.deepEqual(source.values, [1, 3]);
  assert.match(source.errors[0]!.error, /^broken\.json line 2: It is not JSON/);
  assert.throws(() => read(written('lines.json', '{"n":1}\n{"n":2}\n')), {
    code: 'bad-file',
    message: /lines\.json is not a JSON array.*format: "jsonl"/,
  });
});

test('an array of any values is read as JSON.parse reads it, from any position on', () => {
  fc.assert(
    fc.property(
      fc.array(fc.jsonValue(), { maxLength: 30 }),
      fc.nat(3),
      fc.integer({ min: 1, max: 40 }),
      (elements, indent, cut) => {
        const path = written('any.json', JSON.stringify(elements, null, indent));
        const expected = elements.map((element) => JSON.stringify(element));
        assert.deepEqual(
          read(path, { integers: 'number' }).values.map((value) => JSON.stringify(value)),
          expected,
        );
        const { emitted } = runInLives(setup(path, { integers: 'number' }), [
          { room: cut, restart: true, pauseMillis: 0 },
        ]);
        assert.deepEqual(
          emitted.map(({ value }) => JSON.stringify(value)),
          expected,
        );
      },
    ),
    { numRuns: 100 },
  );
});

test('a file that is followed gives what is appended, once its line is whole', () => {
  for (const { name, first, second, third, expected } of [
    { name: 'grows.jsonl', first: '{"n":1}\n{"n"', second: ':2}\n', third: '{"n":3}\n', expected: [1, 2, 3] },
    { name: 'grows.csv', first: '', second: 'n\n1\n', third: '2\n', expected: [1, 2] },
  ]) {
    const path = written(name, first);
    const source = new PolledSource(setup(path, { follow: true }));
    const look = (): unknown[] => {
      source.clock.advanceTo(source.clock.now() + 200);
      assert.equal(source.poll(1000), 'wait');
      return source.values.map((value) => (value as { n: number }).n);
    };
    look();
    appendFileSync(path, second);
    look();
    appendFileSync(path, third);
    assert.deepEqual(look(), expected);
    source.source.close();
  }
});

test('what does not fit the schema goes to errors, what the schema makes of the others is emitted', () => {
  const source = new PolledSource(
    setup(
      written('fits.csv', 'n\n1\nx\n3\n'),
      { schema: functionRef('schema') },
      {
        functions: {
          schema: ({ n }: { n: string }) =>
            n !== 'x' ? { value: { n: Number(n) * 2 } } : { issues: [{ message: 'n is no number' }] },
        },
      },
    ),
  );
  source.runToEnd();
  assert.deepEqual(source.values, [{ n: 2 }, { n: 6 }]);
  assert.match(source.errors[0]!.error, /line 3: The record does not fit its schema: n is no number\./);
  source.source.close();
});

test('rejected records are counted without a reader of the errors, and the count goes on after a restore', () => {
  const path = written('mixed.jsonl', '{"n":1}\nnope\n{"n":3}\nno\n');
  const first = new PolledSource({ ...setup(path), watchErrors: false });
  first.poll(1);
  first.poll(1);
  const snapshot = first.snapshot();
  first.source.close();
  assert.equal(first.source.status().errors, 1);
  const second = new PolledSource({ ...setup(path), watchErrors: false, snapshot });
  assert.match(second.source.status().firstRejection!, /^mixed\.jsonl line 2: It is not JSON: /);
  second.runToEnd();
  const { errors, emitted, firstRejection } = second.source.status();
  assert.deepEqual([errors, emitted], [2, 2]);
  assert.match(firstRejection!, /^mixed\.jsonl line 2: It is not JSON: /);
  assert.deepEqual(second.errors, []);
});
