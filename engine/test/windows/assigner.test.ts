// Which windows an element belongs to, as recorded from Flink, and the laws that hold for all sizes, slides and offsets.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { assignerOf, windowsOf, type AlignedSpec } from '../../windows/assigner.ts';
import { vectors } from '../time/vectors.ts';

interface Recorded {
  readonly vectors: readonly {
    readonly name: string;
    readonly assigner: {
      readonly type: string;
      readonly size: number;
      readonly slide?: number;
      readonly offset?: number;
    };
    readonly expectedError?: boolean;
    readonly timestamps: readonly number[];
    readonly expected?: readonly {
      readonly timestamp: number;
      readonly windows: readonly (readonly [number, number])[];
    }[];
  }[];
}
const recorded = vectors<Recorded>('window-assigners.json');

function specOf({ type, size, slide, offset }: Recorded['vectors'][number]['assigner']): AlignedSpec | undefined {
  const offsetMillis = offset ?? 0;
  if (type === 'tumblingEventTime') return tumbling(size, offsetMillis);
  if (type === 'slidingEventTime') return sliding(size, slide!, offsetMillis);
  return undefined;
}
const tumbling = (sizeMillis: number, offsetMillis = 0): AlignedSpec => ({
  kind: 'tumbling',
  sizeMillis,
  offsetMillis,
  time: 'event',
});
const sliding = (sizeMillis: number, slideMillis: number, offsetMillis = 0): AlignedSpec => ({
  kind: 'sliding',
  sizeMillis,
  slideMillis,
  offsetMillis,
  time: 'event',
});

describe('window assignment recorded from Flink', { skip: recorded.skip }, () => {
  for (const { name, assigner, expectedError, expected } of recorded.skip === false ? recorded.data.vectors : []) {
    const spec = specOf(assigner);
    if (!spec) continue;
    test(`${name} ${JSON.stringify(assigner)}`, () => {
      if (expectedError) {
        assert.throws(() => assignerOf(spec), { code: 'bad-window' });
        return;
      }
      assert.ok(expected);
      for (const { timestamp, windows } of expected)
        assert.deepEqual(
          windowsOf(timestamp, assignerOf(spec)).map(({ start, end }) => [start, end]),
          windows,
          `at ${timestamp}`,
        );
    });
  }
});

const size = fc.integer({ min: 1, max: 5_000 });
const anyTime = fc.oneof(
  fc.integer({ min: -20_000, max: 20_000 }),
  fc.integer({ min: -8_640_000_000_000_000, max: 8_640_000_000_000_000 }),
);

test('law: sliding(n, n) is tumbling(n)', () => {
  fc.assert(
    fc.property(size, anyTime, (n, at) => {
      assert.deepEqual(windowsOf(at, assignerOf(sliding(n, n))), windowsOf(at, assignerOf(tumbling(n))));
    }),
  );
});

test('law: a window holds what it was assigned, starts on the grid, and none that would hold it is missing', () => {
  fc.assert(
    fc.property(size, size, fc.double({ min: -0.999, max: 0.999, noNaN: true }), anyTime, (n, slide, share, at) => {
      const offset = Math.trunc(share * slide);
      const windows = windowsOf(at, assignerOf(sliding(n, slide, offset)));
      const ours = BigInt(at);
      const grid = BigInt(slide);
      for (const { start, end } of windows) {
        assert.ok(start <= at && at < end && end - start === n);
        assert.equal((BigInt(start) - BigInt(offset)) % grid, 0n);
      }
      // Counted independently, in whole numbers of any size: multiples of the slide in (at − n, at].
      const floor = (a: bigint): bigint => (a >= 0n ? a / grid : -((-a + grid - 1n) / grid));
      const expected = floor(ours - BigInt(offset)) - floor(ours - BigInt(n) - BigInt(offset));
      assert.equal(BigInt(windows.length), expected);
    }),
  );
});

test('sizes, slides and offsets that make no sense are one clear error each', () => {
  const code = { code: 'bad-window' };
  assert.throws(() => assignerOf(tumbling(0)), code);
  assert.throws(() => assignerOf(tumbling(1.5)), code);
  assert.throws(() => assignerOf(tumbling(NaN)), code);
  assert.throws(() => assignerOf(sliding(1000, 0)), code);
  assert.throws(() => assignerOf(sliding(1000, 100, 100)), code);
  assert.throws(
    () => assignerOf(tumbling(1000, -1000)),
    /offset is -1000 ms, and it must be shorter than the size of 1000 ms/,
  );
});
