// Which changes of a sink hand over what it has finished and not committed, and which begin a new
// sink: then the former one commits it.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { Builder } from '../../../engine/api/builder.ts';
import { makeSources } from '../../../engine/api/sources.ts';
import { emptyPlan, type Plan } from '../../../engine/graph/plan.ts';
import { planLive } from '../../live/planner.ts';

type Rows = ReturnType<ReturnType<typeof makeSources>['kafka']>;
interface Declared {
  readonly sink: (rows: Rows) => unknown;
  readonly armed?: boolean;
}

/** What runs next, when `running` runs. */
function planned({ sink, armed = true }: Declared, running: Plan = emptyPlan) {
  const builder = new Builder({ group: 'out' });
  sink(makeSources(builder, {}).kafka('in', { from: 'latest' }));
  const { functions: _stay, ...fragment } = builder.fragment();
  const cell = {
    cell: 'out',
    run: 1,
    fragment,
    exports: [],
    displayed: { parts: [] },
    armed,
    wrote: [],
    detached: false,
  };
  const graph = { cells: [cell], pulls: [] };
  return planLive({ graph, running, displays: [], failed: [], mayDisarm: false, committing: 'out' });
}
/** Of the sink: its successor takes over the state, it is a new one, or it stays. */
function becomes(former: Declared, next: Declared): 'handed over' | 'new' | 'kept' {
  const { plan } = planned(former);
  const after = planned(next, plan);
  const sinkOf = ({ nodes }: Plan): string => nodes.find(({ kind }) => kind.endsWith('Sink'))!.id;
  if (sinkOf(after.plan) === sinkOf(plan)) return 'kept';
  return after.handover[sinkOf(after.plan)] === sinkOf(plan) ? 'handed over' : 'new';
}
const exactly = { delivery: 'exactly-once' } as const;
const to = (topic: string, options: object): Declared => ({ sink: (rows) => rows.to(topic, options) });

test('a topic written exactly once goes on with every option but topic, connection and delivery', () => {
  const former = to('out', exactly);
  assert.equal(becomes(former, former), 'kept');
  const options = [
    { linger: '7ms' },
    { key: 'n' },
    { transactionalIdPrefix: 'own' },
    { transactionTimeout: '5m' },
    { compression: 'gzip' },
  ];
  for (const option of options)
    assert.equal(becomes(former, to('out', { ...exactly, ...option })), 'handed over', JSON.stringify(option));
  assert.equal(becomes(former, to('other', exactly)), 'new');
  assert.equal(becomes(former, to('out', { ...exactly, connection: 'other' })), 'new');
  for (const delivery of ['at-least-once', 'none']) {
    assert.equal(becomes(former, to('out', { delivery })), 'new');
    assert.equal(becomes(to('out', { delivery }), former), 'new');
  }
});

test('a preview takes nothing over, and hands nothing over', () => {
  const target = { begin: () => 0, write: () => undefined, preCommit: () => 0, commit: () => undefined, abort() {} };
  const sinks: readonly Declared['sink'][] = [
    (rows) => rows.to('out', exactly),
    (rows) => rows.toFile('/out.jsonl', exactly),
    (rows) => rows.sink(target),
  ];
  for (const sink of sinks) {
    assert.equal(becomes({ sink, armed: true }, { sink, armed: false }), 'new');
    assert.equal(becomes({ sink, armed: false }, { sink, armed: true }), 'new');
  }
});

test('a topic written at least once begins behind its former sink, if that one waits for acknowledgements', () => {
  const former = to('out', {});
  assert.equal(becomes(former, former), 'kept');
  for (const option of [{ linger: '7ms' }, { key: 'n' }, { acks: 1, idempotent: false }])
    assert.equal(becomes(former, to('out', option)), 'handed over', JSON.stringify(option));
  const others = [{ connection: 'other' }, { acks: 0 }, { delivery: 'none' }, exactly];
  for (const option of others) assert.equal(becomes(former, to('out', option)), 'new', JSON.stringify(option));
  assert.equal(becomes(former, to('other', {})), 'new');
  assert.equal(becomes(former, { ...former, armed: false }), 'new');
});
