// The law of a topic's event time: time passes a partition only while that partition is silent. It
// is silent if its last answer is not older than 2 s, and it was read to its end and had nothing.
// From then on that the source knows of something, or has no answer, it holds time back. So a
// bounded read has no late row at all if each record is within the bound of its own partition, and
// in an unbounded read only time that went by in silence makes a row late.
//
// The law holds for any pace of reading, rates, throttling, outages, open transactions and order of
// partitions. The brokers are a model; the source, and the reader's judgement of answers, are real.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { bound, type End, ModelTopic, type Outcome, type Partition, type Read, type Step } from './model-topic.ts';

const partitions = fc.array(
  fc
    .record({
      steps: fc.array(fc.record({ step: fc.nat(400), behind: fc.nat(bound) }), { maxLength: 12 }),
      first: fc.nat(12),
    })
    .map(({ steps, first }): Partition => {
      let newest = 1_000;
      return { times: steps.map(({ step: ahead, behind }) => (newest += ahead) - behind), first };
    }),
  { minLength: 1, maxLength: 4 },
);
const [broker, partition, millis] = [fc.nat(1), fc.nat(3), fc.nat(4_000)];
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('answer' as const),
      broker,
      most: fc.array(fc.nat(4), { minLength: 4, maxLength: 4 }),
      polls: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('append' as const), partition, count: fc.nat(5) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('quiet' as const), millis }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('transaction' as const), partition, count: fc.nat(5), millis }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('outage' as const),
      ...{ broker, millis, count: fc.nat(3), isNoticed: fc.boolean() },
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('throttled' as const), broker }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('resolve' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const), broker }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('turn' as const), room: fc.nat(5) }) },
);

function read(topic: readonly Partition[], steps: readonly Step[], how: Read): Outcome {
  const model = new ModelTopic(topic, how);
  for (const one of steps) model.do(one);
  return model.finish();
}
const rate = fc.option(fc.integer({ min: 5, max: 200 }), { nil: undefined });
function holds(end: End): void {
  fc.assert(
    fc.property(
      partitions,
      fc.array(step, { maxLength: 60 }),
      rate,
      fc.boolean(),
      (topic, steps, perSecond, isUnresolved) => {
        const outcome = read(topic, steps, { end, isUnresolved, ...(perSecond !== undefined && { rate: perSecond }) });
        assert.deepEqual(outcome.wrong, []);
        if (end === 'latest') assert.equal(outcome.late, 0);
      },
    ),
    { numRuns: 500 },
  );
}

test('a bounded read has no late row, at any pace, throttled, cut off or in any order', () => holds('latest'));
test('an unbounded read has no late row but behind time that passed in silence', () => holds('none'));
test('a read up to a time in the future has no late row but behind time that passed in silence', () => holds('future'));

const times = (from: number, count: number, apart = 10): number[] =>
  Array.from({ length: count }, (_, n) => from + apart * n);

test('a rate far below the backlog, as it was seen: two partitions read first, the third is an hour behind', () => {
  const topic = [3_600_000, 3_600_000, 0].map((from) => ({ times: times(from, 30), first: 30 }));
  const full: Step = { kind: 'answer', broker: 0, most: [0, 0, 0, 0], polls: false };
  const steps: Step[] = [
    { kind: 'answer', broker: 0, most: [30, 0, 0, 0], polls: false },
    { kind: 'answer', broker: 1, most: [0, 30, 0, 0], polls: false },
    { kind: 'outage', broker: 0, millis: 25_000, count: 0, isNoticed: true },
    full,
    { kind: 'outage', broker: 0, millis: 25_000, count: 0, isNoticed: false },
    { kind: 'answer', broker: 0, most: [0, 0, 4, 0], polls: false },
  ];
  for (const end of ['latest', 'none'] as const) {
    const { wrong, late } = read(topic, steps, { end, rate: 5 });
    assert.deepEqual([end, wrong, late], [end, [], 0]);
  }
});

test('two partitions that were silent, then a backlog in each, as it was seen: no row is late', () => {
  for (const brokers of [[0, 2], [0]] as const)
    for (const end of ['none', 'future'] as const) {
      const quiet = { times: times(1_000_000, 600, 100), first: 0 };
      const unused = { times: [], first: 0 };
      // Both on one broker, and in one answer.
      const topic = [quiet, unused, quiet];
      const steps: Step[] = [
        { kind: 'quiet', millis: 15_000 },
        ...brokers.map((index): Step => ({ kind: 'append', partition: index, count: 600 })),
        { kind: 'answer', broker: 0, most: [600, 0, 600, 0], polls: true },
        { kind: 'turn', room: 2_000 },
      ];
      const { wrong, late } = read(topic, steps, { end });
      assert.deepEqual([wrong, brokers.length === 2 ? late : 0], [[], 0]);
    }
});

test('a transaction that opens after a silence ends it, as it was seen: no row behind it is late', () => {
  const live = { times: times(1_000_000, 300, 100), first: 1 };
  const behind = { times: times(1_000_000, 10, 100), first: 0 };
  const steps: Step[] = [
    { kind: 'quiet', millis: 15_000 },
    { kind: 'append', partition: 0, count: 1 },
    { kind: 'transaction', partition: 1, count: 10, millis: 500 },
    { kind: 'append', partition: 0, count: 200 },
    { kind: 'transaction', partition: 1, count: 0, millis: 20_000 },
  ];
  for (const end of ['none', 'future'] as const) {
    const { wrong, late } = read([live, behind], steps, { end });
    assert.deepEqual([wrong, late], [[], 0]);
  }
});

test('a partition that is silent holds nothing back', () => {
  const topic = [
    { times: times(1_000, 30, 100), first: 30 },
    { times: [9_000], first: 0 },
  ];
  const model = new ModelTopic(topic, { end: 'none' });
  model.do({ kind: 'quiet', millis: 5_000 });
  assert.equal(model.finish().watermark, 3_900 - bound - 1);
});
