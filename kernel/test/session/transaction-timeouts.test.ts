// A session checks the transactions of a plan against the interval of its checkpoints.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { PlanNode } from '../../../engine/graph/plan.ts';
import { createSession } from '../../session/state.ts';
import { Stage } from './stage.ts';

test('a transaction that is shorter than the checkpoint interval fails the run of its cell', () => {
  const sink = (transactionTimeoutMillis: number): PlanNode => ({
    ...{ id: 'c', uid: 'c', kind: 'kafkaSink', name: 'to totals', group: 'c', own: '', shape: '' },
    parameters: { topic: 'totals', format: 'json', delivery: 'exactly-once', transactionTimeoutMillis },
  });
  const run = (timeout: number): { readonly s: Stage; readonly said: string } => {
    const s = new Stage();
    s.state = createSession({ checkpointMillis: 10_000 }, { isStored: true, nextId: 5 });
    s.document({ c: 'cx = ' });
    s.ready();
    s.planner = () => ({
      plan: { version: 1, nodes: [sink(timeout)], edges: [] },
      ...{ handover: {}, displays: [], notes: {} },
    });
    s.run('c');
    s.compiled('c');
    return { s, said: s.evaluated('c').join() };
  };
  const short = run(10_000);
  assert.match(short.said, /c fails: The transactionTimeout of to\("totals"\) is 10 s, .* every 10 s\./);
  assert.doesNotMatch(short.said, /mutate/);
  assert.equal(short.s.view('c').phase, 'failed');
  assert.match(run(10_001).said, /mutate .* for c/);
});
