// A savepoint under another version of the notebook: state is taken by the operator with the same
// id, shape and key.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { avg, count, from, sum } from '../../../engine/index.ts';
import { evaluate } from '../../../engine/test/api/evaluate.ts';
import type { Plan } from '../../../engine/graph/plan.ts';
import type { TaskSnapshot } from '../../../engine/runtime/snapshot.ts';
import { type UpgradedState, upgradedState } from '../../session/upgrade.ts';

const rows = [{ k: 'a', m: 'b', n: 1 }];
type Row = (typeof rows)[number];

function plan(declare: () => unknown): Plan {
  const { nodes, edges } = evaluate(() => void declare());
  const within = edges.map(({ from, ...edge }) => {
    assert.ok('node' in from);
    return { from: from.node, port: from.port, ...edge };
  });
  return { version: 1, nodes, edges: within };
}
const state: TaskSnapshot = { full: true, groups: new Map([[1, []]]), watermark: 0 };

/** The state of the last aggregate of the first plan is taken by the second plan. */
function upgrade(former: () => unknown, next: () => unknown): UpgradedState {
  const before = plan(former);
  const parts = new Map([[before.nodes.at(-1)!.id, state]]);
  return upgradedState({ id: 1, takenAt: 0, plan: before, parts, mayLeaveOut: false }, plan(next), true);
}
const counts = (...keys: (keyof Row)[]) =>
  from(rows)
    .keyBy(...keys)
    .aggregate({ n: count() })
    .id('out');
const countsBy = (key: (row: Row) => string) => from(rows).keyBy(key).aggregate({ n: count() }).id('out');
const groups = (key: keyof Row, aggregates: { x: ReturnType<typeof sum<Row>> }) =>
  from(rows).keyBy('k').toTable().groupBy(key).aggregate(aggregates);

test('the same key and shape take the state without a word', () => {
  const { parts, warnings } = upgrade(
    () => counts('k'),
    () => counts('k'),
  );
  assert.deepEqual(parts, [{ instance: 'out', state }]);
  assert.deepEqual(warnings, []);
});

test('state by other fields is other state', () => {
  const refused = { code: 'other-state', message: / has another key, window, aggregate or type of state/ };
  assert.throws(
    () =>
      upgrade(
        () => counts('k'),
        () => counts('m'),
      ),
    refused,
  );
  assert.throws(
    () =>
      upgrade(
        () => counts('k'),
        () => counts('k', 'm'),
      ),
    refused,
  );
  assert.throws(
    () =>
      upgrade(
        () => counts('k'),
        () => countsBy(({ k }) => k),
      ),
    refused,
  );
  assert.throws(
    () =>
      upgrade(
        () => groups('k', { x: sum('n') }),
        () => groups('m', { x: sum('n') }),
      ),
    refused,
  );
});

test('a key function with another text takes the state with a warning', () => {
  const { parts, warnings } = upgrade(
    () => countsBy(({ k }) => k),
    () => countsBy(({ m }) => m),
  );
  assert.equal(parts.length, 1);
  assert.match(warnings.join('\n'), /goes on with its state, and the text of its key has changed since then/);
});

test('groups of a table with another aggregate of the same name are other state', () => {
  assert.equal(
    upgrade(
      () => groups('k', { x: sum('n') }),
      () => groups('k', { x: sum('n') }),
    ).parts.length,
    1,
  );
  assert.throws(
    () =>
      upgrade(
        () => groups('k', { x: sum('n') }),
        () => groups('k', { x: avg('n') }),
      ),
    {
      code: 'other-state',
    },
  );
});
