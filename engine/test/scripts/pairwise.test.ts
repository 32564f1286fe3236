// Scripts of pairwise: neighbours of a key, and of the whole stream.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import type { Stream } from '../../index.ts';
import { harness, runScript } from '../../testing/index.ts';

interface Reading {
  readonly sensor: string;
  readonly at: number;
}
const rises = (pairs: Stream<[previous: Reading, current: Reading]>) =>
  pairs.map(([previous, current]) => ({ sensor: current.sensor, by: current.at - previous.at }));

test('a keyed stream gives each element with the one before it of its key', () => {
  runScript(
    (readings: Stream<Reading>) => rises(readings.keyBy('sensor').pairwise()),
    `
    >: sensor at
    <: time sensor by
    > 00:01 a 5
    > 00:02 b 100
    > 00:03 a 7
    < 00:03 a 2
    | 01:00
    > 00:02 a 4           arrival counts, not event time
    < 00:02 a -3
    > 00:05 b 101
    < 00:05 b 1
    | end
    = 2                   the last element of each key
    `,
  );
});

test('without a key the whole stream is one chain', () => {
  runScript(
    (readings: Stream<Reading>) => rises(readings.pairwise()),
    `
    >: sensor at
    <: time sensor by
    > 00:01 a 5
    > 00:02 b 100
    < 00:02 b 95
    > 00:03 a 7
    < 00:03 a -93
    | end
    `,
  );
});

test('any interleaving of keys gives each key the pairs of its own elements', () => {
  const items = fc.array(fc.record({ k: fc.constantFrom('a', 'b', 'c'), n: fc.integer() }, { noNullPrototype: true }), {
    maxLength: 30,
  });
  fc.assert(
    fc.property(items, fc.nat(30), (elements, cut) => {
      const build = (stream: Stream<{ k: string; n: number }>) => stream.keyBy('k').pairwise();
      let h = harness(build);
      const rows: unknown[] = [];
      const take = (): void => void rows.push(...h.output().map((row) => 'element' in row && row.element));
      elements.forEach((element, index) => {
        if (index === cut) {
          take();
          const restore = h.snapshot();
          h.close();
          h = harness(build, { restore });
        }
        h.element(element);
      });
      take();
      h.close();
      const expected = elements.flatMap((current, index) => {
        const previous = elements.slice(0, index).findLast(({ k }) => k === current.k);
        return previous ? [[previous, current]] : [];
      });
      assert.deepEqual(rows, expected);
    }),
    { numRuns: 50 },
  );
});

test('an element that cannot be kept is one clear error', () => {
  class Point {
    x = 1;
  }
  const h = harness((points: Stream<Point>) => points.pairwise());
  assert.throws(() => h.element(new Point()), {
    code: 'not-storable',
    message: /^An element that "pairwise" keeps for its next pair is an object of class Point/,
  });
  h.close();
});
