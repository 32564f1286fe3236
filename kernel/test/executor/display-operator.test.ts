// A display forwards all rows at a low rate and an even sample at a high rate, within a limit per
// second.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { Batch, OperatorContext } from '../../../engine/contract/operator.ts';
import { DisplayOperator } from '../../executor/display-operator.ts';
import type { DisplayInstall } from '../../executor/executor-protocol.ts';

const context = { wake: () => undefined } as unknown as OperatorContext;
const batchOf = (from: number, count: number): Batch => ({
  length: count,
  values: Array.from({ length: count }, (_, i) => ({ n: from + i })),
  timestamps: Float64Array.from({ length: count }, (_, i) => from + i),
});
function displayOf(perSecond?: number): DisplayOperator {
  const display = new DisplayOperator();
  display.open(context);
  const install: DisplayInstall = {
    display: 'a/0',
    cell: 'a',
    part: 0,
    instance: 'display/a/0',
    keep: false,
    installed: 1,
    perSecond,
  };
  display.install = install;
  return display;
}

test('below the limit nothing is dropped, frame by frame', () => {
  const display = displayOf(1000);
  let seen = 0;
  for (let frame = 1; frame <= 40; frame++) {
    display.process(0, batchOf(frame * 240, 240), 0);
    const { rows, sampled } = display.frame(performance.now() + frame * 250)!;
    assert.equal(sampled, 1);
    seen += rows.length;
  }
  assert.equal(seen, 40 * 240);
});

test('rows of a lossless display ask for a frame at once, as far as they have credit; others wait for the next', () => {
  let asked = 0;
  const display = new DisplayOperator(() => asked++);
  display.open(context);
  const install = { display: 'a/0', cell: 'a', part: 0, instance: 'display/a/0', keep: false, installed: 1 };
  display.install = install;
  assert.equal(display.process(0, batchOf(0, 10), 0), 0);
  assert.equal(asked, 0, 'without credit there is nothing to send');
  display.credit(4);
  assert.equal(display.process(0, batchOf(0, 10), 0), 4);
  assert.equal(asked, 1);
  assert.equal(display.frame(performance.now())!.rows.length, 4);
  display.end();
  assert.equal(asked, 2, 'the end is told, too');
  display.install = { ...install, perSecond: 100 };
  display.process(0, batchOf(10, 10), 0);
  display.end();
  assert.equal(asked, 2);
});

test('a file that is read in a moment is shown whole', () => {
  const display = displayOf(1000);
  display.process(0, batchOf(0, 1707), 0);
  assert.equal(display.frame(performance.now())!.rows.length, 1707);
});

test('at 50,000 rows a second the rows sent are bounded and even, and the frame says 1 in how many', () => {
  const display = displayOf(1000);
  const start = performance.now();
  let sent = 0;
  for (let frame = 1; frame <= 40; frame++) {
    for (let part = 0; part < 25; part++) display.process(0, batchOf(frame * 12_500 + part * 500, 500), 0);
    const { rows, sampled, total } = display.frame(start + frame * 250)!;
    sent += rows.length;
    assert.equal(total, frame * 12_500);
    if (frame > 12) {
      assert.ok(rows.length <= 500, `${rows.length} rows in a frame`);
      assert.ok(Math.abs(sampled - 12_500 / rows.length) <= 1);
      const first = (rows[0]!.value as { n: number }).n;
      const last = (rows.at(-1)!.value as { n: number }).n;
      assert.ok(last - first > 4000, 'they are spread over the frame');
    }
  }
  assert.ok(sent < 40 * 250 + 4000, `${sent} rows in 10 s`);
});

test('without a limit every row waits for credit', () => {
  const display = displayOf();
  assert.equal(display.process(0, batchOf(0, 10), 0), 0);
  display.credit(4);
  assert.equal(display.process(0, batchOf(0, 10), 0), 4);
  assert.equal(display.frame(performance.now())!.rows.length, 4);
  assert.equal(display.process(0, batchOf(0, 10), 4), 4);
});

test('a table gets the newest rows, not a sample', () => {
  const display = displayOf(28);
  display.install = { ...display.install!, newest: true };
  for (let part = 0; part < 10; part++) display.process(0, batchOf(part * 500, 500), 0);
  const shown = display.frame(performance.now())!.rows.map((row) => (row.value as { n: number }).n);
  assert.deepEqual(shown.slice(-7), [4993, 4994, 4995, 4996, 4997, 4998, 4999]);
});

const large = 'x'.repeat(1_000_000);
function batchOfValues(values: readonly unknown[]): Batch {
  return { length: values.length, values: [...values], timestamps: new Float64Array(values.length) };
}

test('a display cuts its rows before they wait for a frame; in lossless mode nothing is cut', () => {
  const display = displayOf(1000);
  display.process(0, batchOfValues([{ large, v: 1 }]), 0);
  const { value, size } = display.frame(performance.now())!.rows[0]!;
  assert.deepEqual(value, { large: `${'x'.repeat(10_000)}… (1,000,000 characters)`, v: 1 });
  assert.ok(size! > 10_000 && size! < 11_000);

  const lossless = displayOf();
  lossless.credit(10);
  lossless.process(0, batchOfValues([{ large, v: 1 }]), 0);
  assert.deepEqual(lossless.frame(performance.now())!.rows, [{ n: 1, timestamp: 0, value: { large, v: 1 } }]);
});

test('large rows beyond 8 MB are left out from the old end, and the frame says 1 in how many', () => {
  const display = displayOf(1000);
  const row = { texts: Array.from({ length: 20 }, () => 'x'.repeat(10_000)) };
  for (let part = 0; part < 10; part++) display.process(0, batchOfValues(Array.from({ length: 40 }, () => row)), 0);
  const { rows, sampled } = display.frame(performance.now())!;
  assert.ok(rows.length > 30 && rows.length <= 42, `${rows.length} rows`);
  assert.equal(rows.at(-1)!.n, 400);
  assert.equal(sampled, Math.round(400 / rows.length));
});

for (const isLossless of [false, true])
  test(`a row that cannot leave the thread is left out and counted (${isLossless ? 'every row' : 'sampled'})`, () => {
    const display = displayOf(isLossless ? undefined : 1000);
    display.credit(100);
    const values = [{ n: 0 }, Promise.resolve(1), { n: 2, f: () => 1 }, { n: 3 }];
    const places = { partitions: Int32Array.of(0, 0, 0, 0), offsets: Float64Array.of(5, 6, 7, 8) };
    display.process(0, { length: 4, values, timestamps: new Float64Array(4), ...places }, 0);
    const { rows, total } = display.frame(performance.now())!;
    assert.deepEqual(
      rows.map(({ value }) => value),
      [{ n: 0 }, { n: 3 }],
    );
    assert.equal(total, 4);
    const report = display.refused.report({ cell: 'a', display: 'a/0', source: 'orders' });
    assert.equal(report?.count, 2);
    assert.match(report.error.message, /is a Promise\. Use mapAsync/);
    assert.match(report.record, /^orders\[0\]@6 {2}Promise \{ 1 \}$/);
    assert.equal(display.refused.report({ cell: 'a', display: 'a/0' }), undefined);
  });

test('a refused row of a table removes the older row of its key', () => {
  const display = displayOf(1000);
  display.install = { ...display.install!, changes: 10 };
  const change = (row: unknown): Batch => ({
    length: 1,
    values: [{ key: ['k'], row, old: undefined }],
    timestamps: new Float64Array(1),
  });
  display.process(0, change({ n: 1 }), 0);
  assert.deepEqual(display.frame(performance.now())!.rows[0]?.value, { n: 1 });
  display.process(0, change({ n: 2, f: () => 1 }), 0);
  const [row] = display.frame(performance.now())!.rows;
  assert.deepEqual([row?.gone, row?.value], [true, undefined]);
  assert.equal(display.refused.report({ cell: 'a', display: 'a/0' })?.count, 1);
});

test('eleven rows of 50 MB take no more than the bytes that a display keeps', () => {
  const display = displayOf(1000);
  const text = 'x'.repeat(50_000_000);
  const rows: unknown[] = [];
  for (let n = 0; n < 11; n++) {
    const lists = { a: text + n, list: Array.from({ length: 1000 }, () => text.slice(0, 9000 + n)) };
    display.process(0, { length: 1, values: [lists], timestamps: Float64Array.of(n) }, 0);
  }
  rows.push(...display.frame(performance.now())!.rows);
  const bytes = JSON.stringify(rows).length;
  assert.equal(rows.length, 11);
  assert.ok(bytes < 11 * (256 * 1024 + 20_000), `${bytes} bytes wait for the frame`);
});
