// The trace: each topic has a line per event, a disabled topic costs nothing, and an unknown topic
// is named in an error.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { traceOf } from '../../runtime/trace.ts';
import { Numbers, planOf, runtimeOf, Sink, Sum } from './graph-kit.ts';

/** numbers → sum → sink, with the lines of the given topics. */
function traced(topics: string) {
  const lines: string[] = [];
  const numbers = new Numbers();
  const sink = new Sink();
  const trace = traceOf(topics, (line) => lines.push(line));
  const { runtime, settle } = runtimeOf({ numbers, sum: () => new Sum(), sink }, { trace });
  runtime.mutate(planOf('numbers>sum, sum>sink'), {});
  settle();
  return { runtime, settle, numbers, sink, take: () => lines.splice(0) };
}

test('barriers: where each enters, which tasks it has passed, and what is complete', () => {
  const { runtime, settle, take } = traced('barriers');
  take();
  runtime.snapshot(() => {});
  settle();
  assert.deepEqual(take(), [
    'barriers: 2 enters: snapshot changes, 3 tasks pass, 0 change',
    'barriers: 2 has passed numbers',
    'barriers: 2 has passed sum',
    'barriers: 2 has passed sink',
    'barriers: 2: the snapshot of 3 tasks is complete',
    'barriers: 2 is over',
  ]);
});

test('mutations: which tasks are kept, created, drained and cut', () => {
  const { runtime, settle, take } = traced(' mutations ,');
  assert.deepEqual(take(), ['mutations: 1 creates numbers, sum, sink']);
  runtime.mutate(planOf('numbers>sum2, sum2>sink'), {});
  settle();
  runtime.mutate(planOf('numbers>sum2, sum2>sink'), {});
  runtime.mutate({ version: 1, nodes: [], edges: [] }, {});
  runtime.mutate({ version: 1, nodes: [], edges: [] }, {});
  assert.deepEqual(take(), [
    'mutations: 2 keeps numbers, sink; creates sum2; drains sum',
    'mutations: 3 keeps numbers, sum2, sink',
    'mutations: 4 cuts numbers, sum2, sink',
    'mutations: 5 changes nothing',
  ]);
});

test('credit: which task waits for room, behind which reader, and when it has room again', () => {
  const { runtime, settle, numbers, sink, take } = traced('credit');
  sink.blocked = true;
  const channel = runtime.tasks.get('sink')!.gate.slots[0]!.channel!;
  channel.capacity = 4;
  numbers.give(10);
  settle();
  const waiting = take();
  assert.ok(waiting.includes('credit: sum waits for room: sink has 4 of 4 records'), waiting.join('\n'));
  sink.unblock();
  settle();
  assert.ok(take().includes('credit: sum has room'));
});

test('topics that are off have no function, so that no line is made for them', () => {
  assert.equal(traceOf(undefined, assert.fail), undefined);
  assert.equal(traceOf(' , ', assert.fail), undefined);
  const trace = traceOf('credit', () => {});
  assert.deepEqual([typeof trace?.credit, trace?.barriers, trace?.mutations], ['function', undefined, undefined]);
});

test('an unknown topic is named with the known ones', () => {
  const lines: string[] = [];
  traceOf('barrier,credit', (line) => lines.push(line));
  assert.deepEqual(lines, ['SLUICE_TRACE has no topic "barrier"; the topics are barriers, mutations, credit.']);
});
