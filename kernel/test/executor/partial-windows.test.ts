// Which displays are below windows that have seen only a part, on plans by hand.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { Plan } from '../../../engine/graph/plan.ts';
import { Numbers, planOf, runtimeOf, Sum } from '../../../engine/test/runtime/graph-kit.ts';
import { BegunSources, markPartial } from '../../executor/partial-windows.ts';

/** The instances that hold state have the names `sum1`, `sum2`, … */
function withState(plan: Plan): Plan {
  return { ...plan, nodes: plan.nodes.map((node) => (/^sum/.test(node.id) ? { ...node, shape: 'sum' } : node)) };
}
function marked(edges: string, joinedAt: Readonly<Record<string, number>>, kept: readonly string[] = []): string {
  const found = new Map<string, number>();
  const plan = withState(planOf(edges));
  const startsAnew = ({ id }: { readonly id: string }): boolean => !kept.includes(id);
  markPartial({ plan, joinedAt, startsAnew }, (id, before) => found.set(id, Math.max(before, found.get(id) ?? 0)));
  return [...found]
    .map(([id, before]) => `${id}<${before}`)
    .sort()
    .join(' ');
}

test('everything below the first operator with state is partial, up to the greatest time that has gone by', () => {
  const cases: readonly (readonly [string, Parameters<typeof marked>, string])[] = [
    ['no state', ['in>map, map>show', { map: 10 }], ''],
    ['a window', ['in>map, map>sum, sum>show', { map: 10 }], 'show<12'],
    ['a window that kept its state', ['in>sum, sum>show', { sum: 10 }, ['sum']], ''],
    ['a kept window below a new one', ['in>sum1, sum1>sum2, sum2>show', { sum1: 10 }, ['sum2']], 'show<12 sum2<12'],
    ['a new window below a kept one', ['in>sum1, sum1>sum2, sum2>show', { sum1: 10 }, ['sum1']], ''],
    ['one way of two has state', ['in>map, map>show, map>sum, sum>show', { map: 10 }], 'show<12'],
    ['two readers', ['in>sum1, in>sum2, sum1>a, sum2>b', { sum1: 10, sum2: 20 }], 'a<12 b<22'],
    ['a source without time', ['in>sum, sum>show', { sum: -Infinity }], ''],
  ];
  for (const [what, given, expected] of cases) assert.equal(marked(...given), expected, what);
});

test('each operator is visited once, however many ways lead to it', () => {
  // 2^60 ways: each node is read twice by the next one.
  const diamonds = Array.from(
    { length: 60 },
    (_, n) => `d${n}x>l${n}x, d${n}x>r${n}x, l${n}x>d${n + 1}x, r${n}x>d${n + 1}x`,
  );
  assert.equal(marked(['sum>d0x', ...diamonds].join(), { sum: 10 }).split(' ').length, 3 * 60 + 1);
});

test('a source that is not opened yet is not asked where it began', () => {
  const source = new Numbers();
  const status = source.status.bind(source);
  source.status = () => {
    assert.equal(source.opened, 1, 'asked before it was opened');
    return { ...status(), beganAt: 10 };
  };
  const { runtime, settle } = runtimeOf({ numbers: source, sum: () => new Sum() });
  const begun = new BegunSources(runtime, () => undefined);
  const { nodes, ...rest } = planOf('numbers>sum');
  const fromNow = (node: Plan['nodes'][number]): Plan['nodes'][number] =>
    node.id === 'numbers'
      ? Object.assign({}, node, { kind: 'kafka', parameters: { topic: 't', from: 'latest', format: 'json' } })
      : node;
  // A picture falls between the change and its barrier.
  runtime.mutate({ ...rest, nodes: nodes.map(fromNow) }, {});
  begun.look();
  settle();
  begun.look();
  assert.equal(source.opened, 1);
});
