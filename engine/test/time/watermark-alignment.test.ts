// Watermark alignment in the runtime. The sources of a group stay together when one is slow, idle,
// ended or without a reader.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { test } from 'vitest';
import { type Came, side } from './side-by-side.ts';

const group = (maxDrift: '0s' | '10ms' | '1m', more: object = {}) => ({
  timestamp: 'at' as const,
  watermark: { alignment: { group: 'g', maxDrift }, ...more },
});
const steps = (count: number, each: number, from = 0): { at: number }[] =>
  Array.from({ length: count }, (_, n) => ({ at: from + n * each }));

/**
 * A source that is ahead of the slowest running source by more than the drift must emit no record.
 */
function assertTogether(came: readonly Came[], last: readonly number[], drift: number): void {
  const newest = last.map(() => -Infinity);
  for (const { source, time } of came) {
    const running = newest.filter((_, other) => newest[other]! < last[other]!);
    const slowest = Math.min(Infinity, ...running);
    assert.ok(
      newest[source]! <= slowest + drift,
      `source ${source} went on at ${newest[source]} while the slowest was at ${slowest}`,
    );
    newest[source] = Math.max(newest[source]!, time);
  }
}

test('two arrays, a sparse and a dense one, stay together', () => {
  const run = side(({ from }) => [
    from(steps(2000, 1), group('10ms')),
    from(steps(20, 100), group('10ms')),
    from(new Set(steps(200, 10)), group('10ms')),
  ]);
  assert.deepEqual([run.times(0).length, run.times(1).length, run.times(2).length], [2000, 20, 200]);
  assertTogether(run.came, [1999, 1900, 1990], 10);
  run.close();
});

test('any sources in any order of time give all their records, and never drift apart', () => {
  const source = fc.array(fc.nat(60), { minLength: 1, maxLength: 60 }).map((gaps) => {
    let at = 0;
    return gaps.map((gap) => ({ at: (at += gap) }));
  });
  fc.assert(
    fc.property(fc.array(source, { minLength: 1, maxLength: 4 }), fc.constantFrom('0s', '10ms'), (sources, drift) => {
      const run = side(({ from, generate }) =>
        sources.map((elements, index) =>
          index % 2 === 0
            ? from(elements, group(drift))
            : generate({ ...group(drift), limit: elements.length }, ({ n }) => elements[n]!),
        ),
      );
      sources.forEach((elements, index) =>
        assert.deepEqual(
          run.times(index),
          elements.map(({ at }) => at),
        ),
      );
      assertTogether(
        run.came,
        sources.map((elements) => elements.at(-1)!.at),
        drift === '0s' ? 0 : 10,
      );
      run.close();
    }),
    { numRuns: 60 },
  );
});

test('a source waits for a slower one, says so, and goes on with it', () => {
  const paced = side(({ from, generate }) => [
    from(steps(1000, 1000), { ...group('1m'), name: 'fast' }),
    generate({ ...group('1m'), rate: 1, name: 'slow' }, ({ n }) => ({ at: n * 1000 })),
  ]);
  assert.equal(paced.times(1).length, 1);
  assert.equal(paced.times(0).at(-1), 61_000, 'the one that brings it beyond 1 min is the last');
  assert.equal(
    paced.waiting(0),
    'waits for "slow": this source is 61 s ahead, and at most 60 s are allowed (alignment group "g")',
  );
  assert.equal(paced.waiting(1), undefined);
  paced.advance(paced.clock.now() + 5_000);
  assert.equal(paced.times(1).length, 6);
  assert.equal(paced.times(0).at(-1), 66_000);
  paced.close();
});

test('a source that has said nothing yet holds the others, until it is idle', () => {
  const run = side(({ from }) => [
    from(steps(100, 10), { ...group('10ms'), name: 'orders' }),
    from(
      (async function* () {
        await new Promise(() => {});
        yield { at: 5 };
      })(),
      { ...group('10ms', { idleness: '10s' }), name: 'silent' },
    ),
  ]);
  assert.deepEqual(run.times(0), [0]);
  assert.equal(run.waiting(0), 'waits for "silent", which has no record yet (alignment group "g")');
  run.advance(run.clock.now() + 9_000);
  assert.deepEqual(run.times(0), [0]);
  run.advance(run.clock.now() + 2_000);
  assert.equal(run.times(0).length, 100, 'an idle one is not waited for');
  run.close();
});

test('a source that has paused does not become idle by it', () => {
  const run = side(({ from, generate }) => [
    from(steps(10, 1000), { ...group('10ms', { idleness: '2s' }), name: 'fast' }),
    generate({ ...group('10ms'), rate: 0.01 }, ({ n }) => ({ at: n * 100_000 })),
  ]);
  assert.deepEqual(run.times(0), [0, 1000]);
  run.advance(run.clock.now() + 20_000);
  assert.match(run.waiting(0)!, /^waits for "generate"/);
  const partitions = (run.runtime.tasks.values().next().value!.operatorStatus() as { partitions?: { idle: boolean }[] })
    .partitions!;
  assert.deepEqual(
    partitions.map(({ idle }) => idle),
    [false],
  );
  run.advance(run.clock.now() + 90_000);
  assert.equal(run.times(0).length, 10);
  run.close();
});

test('a source that nobody reads any more holds nobody', () => {
  const run = side(({ from, generate }) => [
    from(steps(100, 1000), group('10ms')),
    generate({ ...group('10ms'), rate: 1 }, ({ n }) => ({ at: n * 1000 })),
  ]);
  assert.deepEqual(run.times(0), [0, 1000]);
  run.keep([0]);
  run.advance(run.clock.now() + 1_000);
  assert.equal(run.times(0).length, 100);
  run.close();
});

test('a source that has failed holds nobody', () => {
  const run = side(
    ({ from }) => [
      from(steps(100, 1000), group('10ms')),
      from(steps(5, 10), {
        ...group('10ms'),
        timestamp: ({ at }) => {
          if (at > 10) throw new Error('broken');
          return at;
        },
      }),
    ],
    true,
  );
  assert.equal(run.status(1), 'failed');
  run.advance(run.clock.now() + 1_000);
  assert.equal(run.times(0).length, 100);
  run.close();
});

test('a reader that takes nothing holds its own source, and so the others', () => {
  const run = side(({ generate }) => [
    generate({ ...group('10ms'), rate: 1000, name: 'a' }, ({ n }) => ({ at: n })),
    generate({ ...group('10ms'), rate: 1000, name: 'b' }, ({ n }) => ({ at: n })),
  ]);
  run.readers[1]!.blocked = true;
  run.advance(run.clock.now() + 60_000);
  const stoppedAt = run.times(0).at(-1)!;
  assert.ok(stoppedAt < 59_000, `a went on to ${stoppedAt}`);
  assert.match(run.waiting(0)!, /^waits for "b": this source is 11 ms ahead, and at most 10 ms are allowed/);
  run.readers[1]!.unblock();
  run.settle();
  run.advance(run.clock.now() + 1);
  assert.ok(run.times(0).at(-1)! >= 60_000);
  run.close();
});

test('groups are apart, and a source without one takes no notice', () => {
  const run = side(({ from, generate }) => [
    from(steps(100, 1000), group('10ms')),
    generate({ ...group('10ms'), rate: 0.001 }, ({ n }) => ({ at: n })),
    from(steps(100, 1000), { timestamp: 'at', watermark: { alignment: { group: 'other', maxDrift: '0s' } } }),
    from(steps(100, 1000), { timestamp: 'at' }),
  ]);
  assert.deepEqual(
    [0, 2, 3].map((source) => run.times(source).length),
    [2, 100, 100],
  );
  run.close();
});

test('a file waits as well, with its line in hand', () => {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  try {
    const path = join(directory, 'orders.jsonl');
    writeFileSync(
      path,
      steps(100, 1000)
        .map((row) => JSON.stringify(row))
        .join('\n'),
    );
    const run = side(({ file, generate }) => [
      file<{ at: number }>(path, { ...group('1m'), name: 'orders' }),
      generate({ ...group('1m'), rate: 1, limit: 20, name: 'slow' }, ({ n }) => ({ at: n * 1000 })),
    ]);
    assert.equal(run.times(0).at(-1), 61_000);
    assert.match(run.waiting(0)!, /^waits for "slow"/);
    run.advance(run.clock.now() + 10_000);
    assert.equal(run.times(0).at(-1), 71_000);
    run.advance(run.clock.now() + 20_000);
    assert.deepEqual(
      run.times(0),
      steps(100, 1000).map(({ at }) => at),
      'the slow one has ended',
    );
    assert.equal(run.status(0), 'ended');
    run.close();
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('an alignment needs a group and a drift, and belongs to a source', () => {
  const declare = (alignment: object) => () => {
    side(({ from }) => [from([{ at: 1 }], { timestamp: 'at', watermark: { alignment: alignment as never } })]).close();
  };
  assert.throws(declare({ maxDrift: '1m' }), {
    code: 'bad-option',
    message: /^The group in the alignment of the watermark of from\(\)/,
  });
  assert.throws(declare({ group: '', maxDrift: '1m' }), { code: 'bad-option' });
  assert.throws(declare({ group: 'g' }), { code: 'bad-duration', message: /^maxDrift in the alignment/ });
  assert.throws(declare({ group: 'g', maxDrift: '-1m' }), { code: 'bad-duration' });
  assert.throws(declare({ group: 'g', maxDrift: '1m', updateInterval: '1s' }), { code: 'unknown-option' });
  assert.throws(() => side(({ from }) => [from([{ at: 1 }]).assignTimestamps('at', group('1m').watermark)]).close(), {
    code: 'bad-option',
    message: /only a source can wait for others/,
  });
});
