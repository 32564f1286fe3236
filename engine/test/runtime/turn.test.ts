// One turn of a task. Small batches share a turn and leave together, marks keep their place between
// them, and neither the room nor the time budget is exceeded.
import assert from 'node:assert/strict';
import { test, vi } from 'vitest';
import type { Batch, Operator } from '../../contract/operator.ts';
import { type Channel, isMark, type Mark } from '../../runtime/channel.ts';
import { Numbers, Pass, planOf, runtimeOf, Sink } from './graph-kit.ts';

/** source → pass → sink, after its first barrier. The source emits nothing by itself. */
function taskWithChannels(pass: Operator = new Pass()) {
  const { runtime, settle } = runtimeOf({ source: new Numbers(), pass, sink: new Sink() });
  runtime.mutate(planOf('source>pass, pass>sink'), {});
  settle();
  const channelOf = (id: string): Channel => runtime.tasks.get(id)!.gate.slots[0]!.channel!;
  const turn = (): void => void runtime.tasks.get('pass')!.turn(performance.now());
  return { input: channelOf('pass'), output: channelOf('sink'), turn };
}
function push(channel: Channel, ...values: number[]): void {
  channel.pushBatch({ length: values.length, values, timestamps: Float64Array.from(values) });
}
function itemsOf(channel: Channel): unknown[] {
  const items: unknown[] = [];
  for (let item = channel.shift(); item; item = channel.shift()) items.push(shown(item));
  return items;
}
const shown = (item: Batch | Mark): unknown =>
  isMark(item) ? (item.kind === 'watermark' ? `watermark ${item.time}` : item.kind) : item.values;

// A turn also ends when its time budget is used up. Here the clock stands still.
vi.spyOn(performance, 'now').mockReturnValue(0);

test('small batches that wait are taken in one turn, and their rows leave as one batch', () => {
  const { input, output, turn } = taskWithChannels();
  for (let n = 0; n < 10; n++) push(input, n);
  turn();
  assert.deepEqual(itemsOf(output), [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]]);
});

test('a watermark keeps its place between the batches of a turn', () => {
  const { input, output, turn } = taskWithChannels();
  push(input, 1);
  push(input, 2);
  input.pushMark({ kind: 'watermark', time: 2 });
  push(input, 3);
  turn();
  assert.deepEqual(itemsOf(output), [[1, 2], 'watermark 2', [3]]);
});

test('a turn ends with the room behind it', () => {
  const { input, output, turn } = taskWithChannels();
  output.capacity = 3;
  for (let n = 0; n < 10; n++) push(input, n);
  turn();
  assert.deepEqual([output.records, input.records], [3, 7]);
  turn();
  assert.deepEqual([output.records, input.records], [3, 7]);
});

test('what was made before an error has left, and what follows is discarded', () => {
  const pass = new Pass();
  pass.f = (value) => {
    if (value === 3) throw new Error('three');
    return value;
  };
  const { input, output, turn } = taskWithChannels(pass);
  for (let n = 1; n < 6; n++) push(input, n);
  turn();
  assert.deepEqual(itemsOf(output), [[1, 2]]);
  while (!input.empty) turn();
  assert.deepEqual([itemsOf(output), input.records], [[], 0]);
});

test('a turn takes no further batch when it has taken as many records as fit a large one', () => {
  // It emits nothing, so that there is always room behind it.
  const { input, turn } = taskWithChannels(new Sink());
  input.capacity = 4096;
  for (let n = 0; n < 30; n++) push(input, ...new Array<number>(100).fill(n));
  turn();
  const taken = 3000 - input.records;
  assert.ok(taken > 0 && taken <= 2100, `${taken} records`);
});
