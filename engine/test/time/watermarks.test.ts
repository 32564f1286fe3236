// Watermarks as Flink computes them: one partition, partitions of a source, channels of an input.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import type { Emitted } from '../../time/emitted.ts';
import { boundedOutOfOrdernessMillis } from '../../time/bounded-out-of-orderness.ts';
import { PartitionWatermarks } from '../../time/partition-watermarks.ts';
import { WatermarkValve } from '../../time/watermark-valve.ts';
import { vectors } from './vectors.ts';

interface Recorded {
  readonly boundedOutOfOrderness: readonly {
    readonly boundMs: number;
    readonly eventTimestamps: readonly number[];
    readonly watermarkAfterInitialThenEachEvent: readonly string[];
  }[];
  readonly statusWatermarkValve: readonly {
    readonly name: string;
    readonly channels: number;
    readonly input: readonly string[];
    readonly emittedAfterEach: readonly (readonly string[])[];
  }[];
  readonly watermarkOutputMultiplexer_perPartitionInSource: readonly {
    readonly input: readonly string[];
    readonly emittedAfterEach: readonly (readonly string[])[];
  }[];
}
const recorded = vectors<Recorded>('watermarks.json');
const leastLong = '-9223372036854775808';
const inWords = (emitted: readonly Emitted[]): string[] =>
  emitted.map((one) => (typeof one === 'string' ? one : `watermark ${one.watermark}`));

describe('watermarks recorded from Flink', { skip: recorded.skip }, () => {
  const data = recorded.skip === false ? recorded.data : undefined;

  for (const { boundMs, eventTimestamps, watermarkAfterInitialThenEachEvent } of data?.boundedOutOfOrderness ?? [])
    test(`a bound of ${boundMs} ms over ${eventTimestamps.join(', ')}`, () => {
      const generator = boundedOutOfOrdernessMillis(boundMs);
      const seen = [generator.onPeriodic()];
      for (const timestamp of eventTimestamps) {
        generator.onEvent(timestamp);
        seen.push(generator.onPeriodic());
      }
      const expected = watermarkAfterInitialThenEachEvent.map((text) =>
        text === leastLong ? -Infinity : Number(text),
      );
      assert.deepEqual(seen, expected);
    });

  for (const { name, channels, input, emittedAfterEach } of data?.statusWatermarkValve ?? [])
    test(`channels of one input: ${name}`, () => {
      const valve = new WatermarkValve(channels);
      const seen = input.map((line) => {
        const [what, channel, time] = line.split(' ');
        if (what === 'idle') return inWords(valve.idle(Number(channel)));
        if (what === 'active') return inWords(valve.active(Number(channel)));
        return inWords(valve.watermark(Number(channel), Number(time)));
      });
      assert.deepEqual(seen, emittedAfterEach);
    });

  for (const { input, emittedAfterEach } of data?.watermarkOutputMultiplexer_perPartitionInSource ?? [])
    test(`partitions of one source: ${input.join(', ')}`, () => {
      const watermarks = new PartitionWatermarks(2);
      const seen = input.map((line) => {
        const [partition, what] = line.split(' ');
        const index = partition === 'a' ? 0 : 1;
        return inWords(what === 'idle' ? watermarks.idle(index) : watermarks.watermark(index, Number(what)));
      });
      assert.deepEqual(seen, emittedAfterEach);
    });
});

describe('partitions side by side', () => {
  test('when all are idle nothing is flushed, unlike with channels', () => {
    const watermarks = new PartitionWatermarks(2);
    watermarks.watermark(0, 10);
    watermarks.watermark(1, 5);
    assert.deepEqual(watermarks.idle(0), []);
    assert.deepEqual(watermarks.idle(1), ['idle']);
    assert.equal(watermarks.combined, 5);
  });
  test('one that comes back counts at once, and what it had reached may be news', () => {
    const watermarks = new PartitionWatermarks(2);
    watermarks.watermark(0, 10);
    watermarks.watermark(1, 20);
    watermarks.idle(1);
    watermarks.idle(0);
    assert.deepEqual(watermarks.active(1), ['active', { watermark: 20 }]);
    assert.deepEqual(watermarks.active(0), [], 'the one behind holds back, but time does not go back');
    assert.deepEqual(watermarks.watermark(1, 30), []);
    assert.deepEqual(watermarks.watermark(0, 25), [{ watermark: 25 }]);
  });
  test('a partition that is added holds time back until it has spoken', () => {
    const watermarks = new PartitionWatermarks(1);
    assert.deepEqual(watermarks.watermark(0, 10), [{ watermark: 10 }]);
    const added = watermarks.add();
    assert.deepEqual(watermarks.watermark(0, 20), []);
    assert.deepEqual(watermarks.watermark(added, 15), [{ watermark: 15 }]);
  });
  test('a number that is no partition is an error', () => {
    assert.throws(() => new PartitionWatermarks(1).watermark(1, 5), /no partition 1/);
  });
});

describe('channels of one input', () => {
  test('a channel that is added holds time back until it has caught up', () => {
    const valve = new WatermarkValve(1);
    assert.deepEqual(valve.watermark(0, 10), [{ watermark: 10 }]);
    const added = valve.add();
    assert.deepEqual(valve.watermark(0, 20), []);
    assert.deepEqual(valve.watermark(added, 15), [{ watermark: 15 }]);
  });
  test('a channel that came back behind the others holds nobody up until it has caught up', () => {
    const valve = new WatermarkValve(2);
    valve.watermark(0, 10);
    valve.watermark(1, 10);
    valve.idle(1);
    valve.watermark(0, 30);
    valve.active(1);
    assert.deepEqual(valve.watermark(1, 20), []);
    assert.deepEqual(valve.watermark(0, 40), [{ watermark: 40 }]);
    assert.deepEqual(valve.watermark(1, 40), []);
    assert.deepEqual(valve.watermark(0, 50), [], 'now it counts');
    assert.deepEqual(valve.watermark(1, 45), [{ watermark: 45 }]);
  });
  test('a channel that is removed moves no time by itself, and holds none back afterwards', () => {
    const valve = new WatermarkValve(2);
    valve.watermark(0, 10);
    valve.remove(1);
    assert.deepEqual(valve.watermark(0, 11), [{ watermark: 11 }]);
    assert.throws(() => valve.idle(1), /no channel 1/);
  });
});

const step = fc.record({
  what: fc.constantFrom('watermark', 'watermark', 'watermark', 'idle', 'active'),
  channel: fc.nat(2),
  time: fc.integer({ min: -20, max: 20 }),
});
for (const [name, make] of [
  ['channels', () => new WatermarkValve(3)],
  ['partitions', () => new PartitionWatermarks(3)],
] as const)
  test(`law: the combined watermark of ${name} only rises, and idle and active alternate`, () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const combined = make();
        let last = -Infinity;
        let isIdle = false;
        for (const { what, channel, time } of steps) {
          const emitted =
            what === 'watermark'
              ? combined.watermark(channel, time)
              : what === 'idle'
                ? combined.idle(channel)
                : combined.active(channel);
          for (const one of emitted)
            if (one === 'idle') {
              assert.equal(isIdle, false);
              isIdle = true;
            } else if (one === 'active') {
              assert.equal(isIdle, true);
              isIdle = false;
            } else {
              assert.ok(one.watermark > last);
              last = one.watermark;
            }
          // A watermark of a partition also marks the partition as active.
          if (what === 'watermark' && combined instanceof PartitionWatermarks) isIdle = false;
        }
      }),
    );
  });
