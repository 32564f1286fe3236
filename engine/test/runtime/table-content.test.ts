// A late reader of a running table gets its rows, then the time, then the changes. An earlier
// reader gets no row twice.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { FunctionTable, type NodeOf, type Plan, type PlanNode } from '../../graph/plan.ts';
import type { FunctionRef } from '../../graph/spec.ts';
import type { Change } from '../../tables/change.ts';
import type { OperatorMetrics } from '../../api/surface.ts';
import { taskMetrics } from '../../runtime/metrics.ts';
import type { Operator } from '../../contract/operator.ts';
import { toTable } from '../../tables/to-table.ts';
import { lookupRow } from '../../runtime/table-lookup.ts';
import { Numbers, Pass, planOf, runtimeOf, Sink } from './graph-kit.ts';

const node: NodeOf<'toTable'> = {
  ...{ id: 'table', uid: 'table', name: 'table', group: '', own: '', shape: '' },
  ...{ kind: 'toTable', parameters: {} },
};
const tableOfThree = (): Operator => toTable(node, new FunctionTable(), { fields: ['k'] });
const rowsOf = (sink: Sink): unknown[] => (sink.rows as Change[]).map(({ row, old }) => [row, old].map(numberOf));
const numberOf = (row: unknown): number | undefined => (row as { n: number } | undefined)?.n;
function keyed(k: number): Pass {
  const pass = new Pass();
  pass.f = (n) => ({ k: (n as number) % k, n });
  return pass;
}

test('a late reader gets the rows that are there, then the time, then what changes', () => {
  const numbers = new Numbers();
  const [first, late] = [new Sink(), new Sink()];
  const { runtime, settle } = runtimeOf({ numbers, pass: keyed(3), table: tableOfThree(), sink: first, sink2: late });
  runtime.mutate(planOf('numbers>pass, pass>table, table>sink'), {});
  settle();
  numbers.give(5);
  numbers.watermark(4);
  settle();
  runtime.mutate(planOf('numbers>pass, pass>table, table>sink, table>sink2'), {});
  settle();
  assert.deepEqual(rowsOf(late), [
    [3, undefined],
    [4, undefined],
    [2, undefined],
  ]);
  assert.deepEqual(late.watermarks, [4]);
  numbers.give(1);
  settle();
  assert.deepEqual(rowsOf(late).slice(3), [[5, 2]]);
  assert.equal(first.rows.length, 6, 'the first reader hears each change once');
  const found = lookupRow(runtime, new FunctionTable(), 'table', [1]);
  assert.deepEqual([numberOf(found?.row), found?.isBest], [4, true]);
});

test('no rate counts the rows that were there when a reader came', () => {
  const numbers = new Numbers();
  const late = new Sink();
  const { runtime, settle } = runtimeOf({
    ...{ numbers, pass: keyed(3), table: tableOfThree(), sink: new Sink(), pass2: new Pass(), sink2: late },
  });
  runtime.mutate(planOf('numbers>pass, pass>table, table>sink'), {});
  settle();
  numbers.give(5);
  settle();
  runtime.mutate(planOf('numbers>pass, pass>table, table>sink, table>pass2, pass2>sink2'), {});
  settle();
  const metricsOf = (id: string): OperatorMetrics => taskMetrics(runtime.tasks.get(id)!)[0]!;
  assert.equal(late.rows.length, 3);
  for (const id of ['pass2', 'sink2']) {
    const { recordsIn, recordsInPerSecond, recordsOutPerSecond } = metricsOf(id);
    assert.deepEqual([recordsIn, recordsInPerSecond, recordsOutPerSecond], [3, 0, 0], id);
  }
  numbers.give(1);
  settle();
  for (const id of ['pass2', 'sink2']) assert.ok(metricsOf(id).recordsInPerSecond > 0, id);
});

test('a late reader that is slow holds the table back, and gets all of it', () => {
  const numbers = new Numbers();
  const late = new Sink();
  late.blocked = true;
  const { runtime, settle } = runtimeOf({
    numbers,
    pass: keyed(5000),
    table: tableOfThree(),
    sink: new Sink(),
    sink2: late,
  });
  runtime.mutate(planOf('numbers>pass, pass>table, table>sink'), {});
  settle();
  numbers.give(5000);
  settle();
  runtime.mutate(planOf('numbers>pass, pass>table, table>sink, table>sink2'), {});
  settle();
  numbers.give(20_000);
  settle();
  assert.ok(numbers.next < 25_000, 'nothing is unbounded');
  late.unblock();
  settle();
  assert.equal(numbers.next, 25_000);
  const latest = new Map((late.rows as Change[]).map(({ key, row }) => [key[0], numberOf(row)]));
  assert.equal(latest.size, 5000);
  for (const [k, n] of latest) assert.equal(n, 20_000 + (k as number));
  assert.equal(late.rows.length, 25_000);
});

test('for readers that come together, a function of the user runs once for each row', () => {
  let calls = 0;
  const fn: FunctionRef = { uid: 'mapped', slot: 'map', textHash: '' };
  const functions = new FunctionTable();
  functions.set(fn, (row: { n: number }) => {
    calls++;
    return { n: row.n + 10 };
  });
  const mapped = (edges: string): Plan => {
    const { nodes, ...plan } = planOf(edges);
    const map = { kind: 'tableMap', parameters: { fn } } as const;
    return { ...plan, nodes: nodes.map((one): PlanNode => (one.id === 'mapped' ? { ...one, ...map } : one)) };
  };
  const numbers = new Numbers();
  const late = [new Sink(), new Sink()] as const;
  const { runtime, settle } = runtimeOf(
    { numbers, pass: keyed(3), table: tableOfThree(), sink: new Sink(), sink2: late[0], sink3: late[1] },
    { functions },
  );
  runtime.mutate(mapped('numbers>pass, pass>table, table>mapped, mapped>sink'), {});
  settle();
  numbers.give(3);
  settle();
  calls = 0;
  runtime.mutate(mapped('numbers>pass, pass>table, table>mapped, mapped>sink, mapped>sink2, mapped>sink3'), {});
  settle();
  for (const sink of late)
    assert.deepEqual(
      (sink.rows as Change[]).map(({ row }) => numberOf(row)),
      [10, 11, 12],
    );
  assert.equal(calls, 3);
});

test('a reader that takes over a state does not get the rows of the table again', () => {
  const numbers = new Numbers();
  const { runtime, settle, made } = runtimeOf({
    numbers,
    pass: keyed(3),
    table: tableOfThree(),
    sink: () => new Sink(),
  });
  runtime.mutate(planOf('numbers>pass, pass>table, table>sink'), {});
  settle();
  numbers.give(4);
  settle();
  runtime.mutate(planOf('numbers>pass, pass>table, table>sink2', { sink2: 'another' }), {
    handover: { sink2: 'sink' },
  });
  settle();
  assert.deepEqual((made.get('sink2')![0] as Sink).rows, []);
});

test('a table that takes over its rows brings them to a reader that starts with nothing', () => {
  const numbers = new Numbers();
  const late = new Sink();
  const { runtime, settle } = runtimeOf({
    numbers,
    pass: keyed(3),
    table: tableOfThree,
    table2: tableOfThree,
    sink: new Sink(),
    sink2: late,
  });
  runtime.mutate(planOf('numbers>pass, pass>table, table>sink'), {});
  settle();
  numbers.give(4);
  settle();
  runtime.mutate(planOf('numbers>pass, pass>table2, table2>sink2', { table2: 'another' }), {
    handover: { table2: 'table' },
  });
  settle();
  assert.deepEqual(rowsOf(late), [
    [3, undefined],
    [1, undefined],
    [2, undefined],
  ]);
  numbers.give(1);
  settle();
  assert.deepEqual(rowsOf(late).slice(3), [[4, 1]]);
});
