// User code that throws at a record. Every source emits the records before it and no row of it. A
// run after the fix reads the record again.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, test } from 'vitest';
import { functionRef, PolledSource, type SourceSetup } from './polled-source.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-throws-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Row {
  readonly n: number;
  readonly at: number;
}
const rows: readonly Row[] = [0, 1, 2, 3, 4].map((n) => ({ n, at: n * 1000 }));

/** Throws at record 2 until it is fixed. */
class Faulty {
  isFixed = false;
  readonly check = <T>(n: number, value: T): T => {
    if (n === 2 && !this.isFixed) throw new TypeError('cannot take 2');
    return value;
  };
}

const timestamp = functionRef('timestamp');
const watermark = { outOfOrdernessMillis: 0 };
function fileSetup(parameters: SourceSetup['parameters'], functions: SourceSetup['functions']): SourceSetup {
  const path = join(folder, 'rows.jsonl');
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return { kind: 'file', parameters: { path, format: 'jsonl', watermark, ...parameters }, functions: functions ?? {} };
}
function fromSetup(elements: () => unknown, { check }: Faulty, more: SourceSetup['parameters'] = {}): SourceSetup {
  return {
    kind: 'from',
    parameters: { elements: functionRef('elements'), isAsync: false, replayable: true, timestamp, watermark, ...more },
    functions: { elements, timestamp: ({ n, at }: Row) => check(n, at) },
  };
}

const cases: Readonly<Record<string, (faulty: Faulty) => SourceSetup>> = {
  'the function of generate': ({ check }) => ({
    kind: 'generate',
    parameters: { seed: 7, limit: 5, next: functionRef('next'), watermark },
    functions: { next: ({ n }: { n: number }) => check(n, rows[n]) },
  }),
  'the timestamp selector of generate': ({ check }) => ({
    kind: 'generate',
    parameters: { seed: 7, limit: 5, next: functionRef('next'), timestamp, watermark },
    functions: { next: ({ n }: { n: number }) => rows[n], timestamp: ({ n, at }: Row) => check(n, at) },
  }),
  'the timestamp selector of a file': ({ check }) =>
    fileSetup({ timestamp }, { timestamp: ({ n, at }: Row) => check(n, at) }),
  'the schema of a file': ({ check }) =>
    fileSetup({ schema: functionRef('schema') }, { schema: (row: Row) => check(row.n, { value: row }) }),
  'the timestamp selector of an array': (faulty) => fromSetup(() => rows, faulty),
  'the timestamp selector of a set': (faulty) => fromSetup(() => new Set(rows), faulty),
};

for (const [what, setupOf] of Object.entries(cases))
  test(`${what}: a record at which it throws is read again after the fix`, () => {
    const faulty = new Faulty();
    const setup = setupOf(faulty);
    const first = new PolledSource(setup);
    assert.throws(() => first.runToEnd(), /cannot take 2/);
    assert.deepEqual(first.values, rows.slice(0, 2));
    assert.deepEqual(first.errors, []);
    const snapshot = first.snapshot();
    first.source.close();
    faulty.isFixed = true;
    const second = new PolledSource({ ...setup, snapshot });
    second.runToEnd();
    second.source.close();
    assert.deepEqual(second.values, rows.slice(2));
  });

test('the timestamp selector of a generator: the element at which it throws is kept', () => {
  const faulty = new Faulty();
  const setup = fromSetup(() => rows.values(), faulty, { replayable: false });
  const first = new PolledSource(setup);
  assert.throws(() => first.runToEnd(), /cannot take 2/);
  faulty.isFixed = true;
  const second = new PolledSource({ ...setup, snapshot: first.snapshot() });
  assert.throws(() => second.runToEnd(), { code: 'not-replayable' });
  assert.deepEqual([...first.values, ...second.values], rows.slice(0, 3));
});

test('the timestamp selector of an async iterable: the element at which it throws is kept with those that were pulled', async () => {
  const faulty = new Faulty();
  const pulled = { [Symbol.asyncIterator]: () => rows.values() };
  const setup = fromSetup(() => pulled, faulty, { replayable: false, isAsync: true });
  const first = new PolledSource(setup);
  first.poll();
  await new Promise((resolve) => setImmediate(resolve));
  assert.throws(() => first.poll(), /cannot take 2/);
  faulty.isFixed = true;
  const second = new PolledSource({ ...setup, snapshot: first.snapshot() });
  assert.throws(() => second.runToEnd(), { code: 'not-replayable' });
  assert.deepEqual(first.values, rows.slice(0, 2));
  assert.deepEqual(second.values, rows.slice(2));
});

test('a record that is rejected and cannot be written as text costs no more than itself', () => {
  const odd: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  odd['itself'] = odd;
  const source = new PolledSource(fromSetup(() => [rows[0], odd, rows[1]], new Faulty()));
  source.runToEnd();
  assert.deepEqual(source.values, [rows[0], rows[1]]);
  assert.equal(source.errors[0]!.raw, 'an object with itself');
});
