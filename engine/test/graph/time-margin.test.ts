// The time margin of a source or of assigned event times: what the operators below them need.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import {
  count,
  customWindow,
  globalWindow,
  pattern,
  session,
  sliding,
  sum,
  trigger,
  tumbling,
  type Stream,
} from '../../index.ts';
import { Builder } from '../../api/builder.ts';
import { makeSources } from '../../api/sources.ts';
import { timeMargins } from '../../graph/time-margin.ts';
import { planOf } from '../../runtime/environment.ts';

interface Row {
  readonly k: string;
  readonly n: number;
  readonly at: number;
}
/** The margins of all nodes with a time of their own, by kind. */
function margins(declare: (rows: Stream<Row>, endless: Stream<Row>) => unknown): Readonly<Record<string, number>> {
  const builder = new Builder({ group: '' });
  const { from, generate } = makeSources(builder, {});
  declare(
    from<Row>([]),
    generate({}, ({ n }) => ({ k: 'a', n, at: n })),
  );
  const fragment = builder.fragment();
  const plan = planOf(
    fragment,
    fragment.nodes.map(({ id }) => id),
  );
  const byId = timeMargins(plan);
  return Object.fromEntries(plan.nodes.flatMap(({ id, kind }) => (byId.has(id) ? [[kind, byId.get(id)!]] : [])));
}

const onElement = (): string[] => [];
const onTimer = (): string[] => [];
const keyed = (rows: Stream<Row>) => rows.keyBy('k');
const counted = (rows: Stream<Row>) => keyed(rows).window(tumbling('1s')).aggregate({ n: count() });

function worksets(table: Stream<Row>, rows: Stream<Row>) {
  return keyed(table)
    .toTable()
    .iterateDelta(rows, { key: ({ k }: Row) => ({ k }), step: () => {} });
}

test('each operator has the margin of what it can see', () => {
  const all: Readonly<Record<string, readonly [Parameters<typeof margins>[0], number]>> = {
    'a map': [(rows) => rows.map((row) => row), 0],
    'tumbling windows': [counted, 0],
    'sliding windows': [(rows) => keyed(rows).window(sliding('2s', '1s')).aggregate({ n: count() }), 0],
    'windows of counts': [
      (rows) => keyed(rows).window(tumbling('1s')).trigger(trigger.count(3)).aggregate({ n: count() }),
      0,
    ],
    sessions: [(rows) => keyed(rows).window(session('1s')).aggregate({ n: count() }), 1],
    'sessions of processing time': [
      (rows) =>
        keyed(rows)
          .window(session('1s', { time: 'processing' }))
          .aggregate({ n: count() }),
      0,
    ],
    'early results': [
      (rows) => keyed(rows).window(tumbling('1s')).trigger(trigger.early('1ms')).aggregate({ n: count() }),
      Infinity,
    ],
    'early results that are purged': [
      (rows) =>
        keyed(rows)
          .window(globalWindow())
          .trigger(trigger.purging(trigger.early('1ms')))
          .aggregate({ n: count() }),
      Infinity,
    ],
    'windows of the user': [
      (rows) =>
        keyed(rows)
          .window(customWindow<Row>({ assign: () => [] }))
          .aggregate({ n: count() }),
      Infinity,
    ],
    'a trigger of the user with timers': [
      (rows) =>
        keyed(rows)
          .window(tumbling('1s'))
          .trigger(trigger.custom<Row>({ onElement: () => 'continue', onEventTime: () => 'fire' }))
          .aggregate({ n: count() }),
      Infinity,
    ],
    'a process function': [(rows) => keyed(rows).process({ onElement }), 0],
    'a process function with timers': [(rows) => keyed(rows).process({ onElement, onTimer }), Infinity],
    'worksets of bounded input, which is one': [(rows) => worksets(rows, rows), 0],
    'worksets of endless input': [worksets, Infinity],
    'a pattern': [
      (rows) =>
        keyed(rows)
          .pattern(pattern<Row>('a').within('1s'))
          .select(() => 1),
      0,
    ],
  };
  assert.deepEqual(
    Object.fromEntries(Object.entries(all).map(([name, [declare]]) => [name, margins(declare)['from']])),
    Object.fromEntries(Object.entries(all).map(([name, [, margin]]) => [name, margin])),
  );
});

test('operators below others count: sessions of records need 1 ms, those of results everything', () => {
  const sessions = (rows: Stream<Row>) =>
    keyed(rows)
      .window(session('1s'))
      .aggregate({ n: sum('n') });
  assert.equal(margins((rows) => sessions(rows.filter(() => true).union(rows)))['from'], 1);
  assert.equal(
    margins((rows) =>
      counted(rows)
        .keyBy('k')
        .window(session('1s'))
        .aggregate({ n: sum('n') }),
    )['from'],
    Infinity,
  );
  assert.equal(margins((rows) => counted(rows).keyBy('k').process({ onElement, onTimer }))['from'], Infinity);
  assert.equal(margins((rows) => [counted(rows), sessions(rows)])['from'], 1, 'the highest of all branches');
});

test('where event times are assigned, the time above does not matter', () => {
  const timers = (rows: Stream<Row>) => keyed(rows.assignTimestamps('at')).process({ onElement, onTimer });
  assert.deepEqual(margins(timers), { from: 0, generate: 0, assignTimestamps: Infinity });
  assert.deepEqual(margins((rows) => timers(rows.assignTimestamps('at').union(rows)))['from'], 0);
});
