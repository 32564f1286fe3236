// The windows of an element, as recorded from Flink. Laws hold for all sizes, slides and offsets.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import type { Duration, WindowAssigner } from '../../api/surface.ts';
import { SluiceError } from '../../errors/error.ts';
import * as sluice from '../../index.ts';
import { assignWindows } from '../../testing/index.ts';
import type { AlignedSpec } from '../../graph/window-spec.ts';
import { assignerOf, windowsOf } from '../../windows/assigner.ts';
import { vectors } from '../time/vectors.ts';

interface Recorded {
  readonly vectors: readonly {
    readonly name: string;
    readonly assigner: {
      readonly type: string;
      readonly size?: number;
      readonly slide?: number;
      readonly gap?: number;
      readonly offset?: number;
    };
    /** Of the element. */
    readonly value?: number;
    readonly expectedError?: boolean;
    readonly timestamps: readonly number[];
    readonly expected?: readonly {
      readonly timestamp: number;
      readonly windows: readonly (readonly [number, number])[];
    }[];
  }[];
}
const recorded = vectors<Recorded>('window-assigners.json');

type Recorded1 = Recorded['vectors'][number];
/** The declaration of it in a cell. */
function declared({ assigner: { type, size, slide, gap, offset = 0 }, value }: Recorded1): WindowAssigner<unknown> {
  const ms = (millis: number): Duration => `${millis}ms`;
  switch (type) {
    case 'tumblingEventTime':
      return sluice.tumbling(ms(size!), { offset: ms(offset) });
    case 'slidingEventTime':
      return sluice.sliding(ms(size!), ms(slide!), { offset: ms(offset) });
    case 'sessionEventTime':
      return sluice.session(ms(gap!));
    case 'dynamicSessionEventTime':
      return sluice.session(() => `${value!}s`);
    default:
      throw new Error(`The vectors have an assigner that this test does not know: ${type}.`);
  }
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
  for (const vector of recorded.skip === false ? recorded.data.vectors : [])
    test(`${vector.name} ${JSON.stringify(vector.assigner)}`, () => {
      if (vector.expectedError) {
        assert.throws(() => declared(vector), SluiceError);
        return;
      }
      assert.ok(vector.expected);
      for (const { timestamp, windows } of vector.expected)
        assert.deepEqual(
          assignWindows(declared(vector), {}, timestamp).map((window) => [+window.windowStart, +window.windowEnd]),
          windows,
          `at ${timestamp}`,
        );
    });
});

test('a spec that no surface let through is refused all the same', () => {
  for (const spec of [
    tumbling(-1000),
    tumbling(10, 20),
    tumbling(0),
    sliding(10, 0),
    sliding(10, 5, -5),
    sliding(-1, 5),
  ])
    assert.throws(() => assignerOf(spec), { code: 'bad-window' });
});

test('windows of every kind say what they are for an element', () => {
  const bounds = (window: WindowAssigner<{ n: number }>, at: number): number[][] =>
    assignWindows(window, { n: 3 }, at).map(({ windowStart, windowEnd }) => [+windowStart, +windowEnd]);
  assert.deepEqual(bounds(sluice.tumbling('1s', { time: 'processing' }), 1500), [[1000, 2000]]);
  assert.deepEqual(
    bounds(
      sluice.session((element: { n: number }) => `${element.n}ms`, { time: 'processing' }),
      7,
    ),
    [[7, 10]],
  );
  const everything = [[-8.64e15, 8.64e15]];
  assert.deepEqual(bounds(sluice.globalWindow(), 7), everything);
  assert.deepEqual(bounds(sluice.countWindow(5, 2), 7), everything);
  const own = sluice.customWindow<{ n: number }>({
    *assign({ n }, at) {
      yield { start: at - n, end: at + n };
    },
  });
  assert.deepEqual(bounds(own, 10), [[7, 13]]);
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
      // Counted independently, with bigint: multiples of the slide in (at − n, at].
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
