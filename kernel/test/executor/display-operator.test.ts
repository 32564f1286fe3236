// What a display passes on: everything while little comes, an even sample when much comes, never more a second than a person needs.
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
