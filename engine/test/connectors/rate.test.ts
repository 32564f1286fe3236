// The option `rate` of file() and from(): a maximum, that costs no record and is no silence.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, test } from 'vitest';
import { Environment } from '../../index.ts';
import { functionRef, PolledSource, runInLives, type SourceSetup } from './polled-source.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-rate-'));
afterAll(() => rmSync(folder, { recursive: true }));

const records = Array.from({ length: 60 }, (_, n) => ({ n, at: n * 1000 }));
const path = join(folder, 'records.jsonl');
writeFileSync(path, records.map((record) => JSON.stringify(record)).join('\n'));

function elements(given: () => unknown, rate: number): SourceSetup {
  return {
    kind: 'from',
    parameters: {
      elements: functionRef('elements'),
      isAsync: false,
      replayable: true,
      rate,
      timestamp: { field: 'at' },
      watermark: { outOfOrdernessMillis: 0, idlenessMillis: 700 },
    },
    functions: { elements: given },
  };
}
const setups: Readonly<Record<string, (rate: number) => SourceSetup>> = {
  'a file': (rate) => ({
    kind: 'file',
    parameters: {
      ...{ path, format: 'jsonl', rate, timestamp: { field: 'at' } },
      watermark: { outOfOrdernessMillis: 0, idlenessMillis: 700 },
    },
  }),
  'an array': (rate) => elements(() => records, rate),
  'an iterable': (rate) => elements(() => new Set(records), rate),
};

for (const [title, setup] of Object.entries(setups)) {
  test(`${title} gives at most rate × time records, all of them, and is never idle`, () => {
    fc.assert(
      fc.property(
        fc.constantFrom(0.5, 2, 7, 90, 450, 20_000),
        fc.array(fc.record({ room: fc.integer({ min: 1, max: 40 }), millis: fc.nat(2_000) }), { maxLength: 30 }),
        (rate, steps) => {
          const source = new PolledSource(setup(rate));
          const began = source.clock.now();
          let answer = source.poll(1);
          for (const { room, millis } of steps) {
            if (answer === 'end') break;
            source.clock.advanceTo(source.clock.now() + millis);
            const before = source.emitted.length;
            answer = source.poll(room);
            const passed = source.clock.now() - began;
            assert.ok(source.emitted.length <= 1 + (rate * passed) / 1000 + 1e-6);
            assert.ok(source.emitted.length - before <= Math.max(1, rate / 10), 'a pause gives no burst');
          }
          source.runToEnd(() => 40);
          assert.deepEqual(source.values, records);
          assert.ok(!source.marks.includes('idle'), `it became idle at ${rate}/s`);
          // Not slower than the rate: it asks to be woken in time.
          const longest = 1 + steps.reduce((sum, { millis }) => sum + millis, 0) + (60 * 1000) / rate + 60 * 10;
          assert.ok(source.clock.now() - began <= longest);
          source.source.close();
        },
      ),
      { numRuns: 60 },
    );
  });

  test(`${title} with a rate loses nothing and doubles nothing over restarts`, () => {
    const step = fc.record({ room: fc.integer({ min: 1, max: 9 }), restart: fc.boolean(), pauseMillis: fc.nat(300) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
        const { emitted } = runInLives(setup(40), steps);
        assert.deepEqual(
          emitted.map(({ value }) => value),
          records,
        );
      }),
      { numRuns: 30 },
    );
  });
}

test('an element that waits for the rate is in the snapshot of an iterator, which cannot begin again', () => {
  const { parameters, ...rest } = elements(() => records.values(), 1);
  const setup = { ...rest, parameters: { ...parameters, replayable: false } };
  const source = new PolledSource(setup);
  assert.equal(source.poll(), 'wait');
  assert.equal(source.emitted.length, 1);
  const restored = new PolledSource({ ...setup, clock: source.clock, snapshot: source.snapshot() });
  source.clock.advanceTo(source.clock.now() + 2_000);
  assert.throws(() => restored.poll(), { code: 'not-replayable' });
  assert.deepEqual(restored.values, [records[1]]);
});

test('records that are rejected count for the rate', () => {
  const bad = join(folder, 'bad.jsonl');
  writeFileSync(bad, Array.from({ length: 8 }, (_, n) => (n % 2 === 0 ? '{' : `{"n":${n}}`)).join('\n'));
  const source = new PolledSource({ kind: 'file', parameters: { path: bad, format: 'jsonl', rate: 2 } });
  assert.equal(source.poll(), 'wait');
  assert.deepEqual([source.errors.length, source.emitted.length], [1, 0]);
  source.clock.advanceTo(source.clock.now() + 500);
  source.poll();
  assert.deepEqual([source.errors.length, source.emitted.length], [1, 1]);
});

test('in a running dataflow every source with a rate comes to its end with all of its records', async () => {
  const environment = new Environment();
  async function* later(): AsyncGenerator<(typeof records)[number]> {
    for (const record of records) {
      await Promise.resolve();
      yield record;
    }
  }
  const streams = [
    environment.file<{ n: number }>(path, { rate: 300 }),
    environment.from(records, { rate: 300 }),
    environment.from(new Set(records), { rate: 300 }),
    environment.from(later(), { rate: 300 }),
  ];
  const all = streams.map((stream, at) => stream.map(({ n }) => ({ at, n })));
  const rows = await all[0]!.union(...all.slice(1)).toArray();
  for (const at of streams.keys())
    assert.deepEqual(
      rows.filter((row) => row.at === at).map(({ n }) => n),
      records.map(({ n }) => n),
    );
});
