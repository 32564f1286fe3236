// Records that retention deletes before a source has read them: what `offsetReset` does, and what
// the source says of the loss.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { startBroker, whyNoKafka } from './broker.ts';
import type { IndependentClient } from './independent-client.ts';
import { onBroker } from './on-broker.ts';
import { sourceDrivers, type SourceDriver } from './source-driver.ts';

const skip = whyNoKafka() !== undefined;
let client: IndependentClient;
onBroker(startBroker, (started) => ({ client } = started));
const read = sourceDrivers();

const numbered = (from: number, count: number) => Array.from({ length: count }, (_, i) => ({ value: { n: from + i } }));
const numbers = ({ rows }: SourceDriver): number[] => rows.map(({ value }) => (value as { n: number }).n);
const fromTo = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);
const parameters = (topic: string) => ({ topic, from: 'earliest', format: 'json' }) as const;

/** A topic of 20 records of which a source has read some, and a broker that has only the last 5. */
async function truncated(topic: string) {
  await client.createTopic(topic, 1);
  await client.send(topic, numbered(0, 20));
  const first = read(parameters(topic), { roomPerPoll: 3 });
  await first.until('some rows', () => first.rows.length > 0);
  first.isPaused = true;
  const snapshot = first.snapshot();
  const next = first.rows.length;
  first.close();
  await client.deleteBefore(topic, 0, 15);
  return { snapshot, next };
}

test('without a policy, a restore at deleted records is an error that names the way out', { skip }, async () => {
  const { snapshot, next } = await truncated('reset-none');
  const error = await read(parameters('reset-none'), { snapshot }).failed();
  assert.equal(error.code, 'kafka-offset-gone');
  assert.match(error.message, new RegExp(`^reset-none\\[0\\] begins at offset 15 now: what was before it, ${next} on`));
  assert.match(error.message, /Give kafka\(\) offsetReset: "earliest"/);
});

test("'earliest' goes on with the first record that is left, and says what is lost", { skip }, async () => {
  const { snapshot, next } = await truncated('reset-earliest');
  const source = read({ ...parameters('reset-earliest'), offsetReset: 'earliest' }, { snapshot });
  await source.until('the records that are left', () => source.rows.length === 5);
  await client.send('reset-earliest', numbered(20, 3));
  await source.until('new records', () => source.rows.length === 8);
  assert.deepEqual(numbers(source), fromTo(15, 23));
  const text = `reset-earliest[0] lost the offsets ${next} to 14 (${15 - next}): the topic's retention deleted records before they were read, and reading went on at the earliest record that was left.`;
  const { mayBeMissing, note } = source.source.status();
  assert.deepEqual({ mayBeMissing, note }, { mayBeMissing: text, note: text });
  const restored = read({ ...parameters('reset-earliest'), offsetReset: 'earliest' }, { snapshot: source.snapshot() });
  await client.send('reset-earliest', numbered(23, 1));
  await restored.until('the next record', () => restored.rows.length === 1);
  assert.deepEqual(numbers(restored), [23]);
  assert.equal(restored.source.status().mayBeMissing, text, 'a restore does not forget the loss');
});

test("'latest' goes on at the end, and counts the records that it skips as lost", { skip }, async () => {
  const { snapshot, next } = await truncated('reset-latest');
  const source = read({ ...parameters('reset-latest'), offsetReset: 'latest' }, { snapshot });
  await source.until('the note', () => source.source.status().mayBeMissing !== undefined);
  await client.send('reset-latest', numbered(20, 3));
  await source.until('new records', () => source.rows.length === 3);
  assert.deepEqual(numbers(source), fromTo(20, 23));
  assert.equal(
    source.source.status().mayBeMissing,
    `reset-latest[0] lost the offsets ${next} to 19 (${20 - next}): the topic's retention deleted records before they were read, and reading went on at the end, so records that were still there are left out, too.`,
  );
});

test('a bounded read whose records are all deleted ends, and says so', { skip }, async () => {
  await client.createTopic('reset-bounded', 1);
  await client.send('reset-bounded', numbered(0, 20));
  const bounded = { ...parameters('reset-bounded'), until: 'latest', offsetReset: 'earliest' } as const;
  const first = read(bounded, { roomPerPoll: 3 });
  await first.until('some rows', () => first.rows.length > 0);
  first.isPaused = true;
  const snapshot = first.snapshot();
  const next = first.rows.length;
  first.close();
  await client.send('reset-bounded', numbered(20, 10));
  await client.deleteBefore('reset-bounded', 0, 25);
  const source = read(bounded, { snapshot });
  await source.ended();
  assert.deepEqual(source.rows, [], 'the records at 25 and later are behind its end');
  assert.match(
    source.source.status().mayBeMissing!,
    new RegExp(`^reset-bounded\\[0\\] lost the offsets ${next} to 19 \\(${20 - next}\\):`),
  );
});

test('a source that reads more slowly than retention deletes goes on behind each gap', { skip }, async () => {
  await client.createTopic('reset-slow', 2);
  const size = 64 << 10;
  const filler = 'x'.repeat(size);
  // More than the source may have in hand, so that the rest is still with the broker.
  const send = async (from: number, count: number) => {
    const messages = Array.from({ length: count }, (_, i) => ({ value: { n: from + i, filler } }));
    while (messages.length > 0) await client.send('reset-slow', messages.splice(0, 12));
  };
  await send(0, 480);
  await client.send('reset-slow', [{ partition: 1, value: { n: -1 } }]);
  const source = read({ ...parameters('reset-slow'), offsetReset: 'earliest' }, { roomPerPoll: 1 });
  await source.until('some rows', () => source.rows.length > 3);
  source.isPaused = true;
  await client.deleteBefore('reset-slow', 0, 470);
  source.resume();
  await source.until('the last record', () => numbers(source).includes(479));
  const ofSlow = source.rows.filter(({ partition }) => partition === 0).map(({ offset }) => offset);
  const [, first, last, count] =
    /^reset-slow\[0\] lost the offsets (\d+) to (\d+) \(([\d,]+)\)/.exec(source.source.status().mayBeMissing ?? '') ??
    [];
  assert.equal(last, '469');
  assert.equal(Number(count!.replaceAll(',', '')), 470 - Number(first));
  // Records in hand come before the gap, and none of them is emitted twice.
  assert.deepEqual(ofSlow, [...fromTo(0, Number(first)), ...fromTo(470, 480)]);
  assert.equal(source.failures.length, 0);
  assert.equal(source.source.status().partitions!.length, 2);
});
