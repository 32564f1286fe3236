// What the engine keeps for each cell: rows of sinks too, also when a sink was replaced or removed.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { Batch, Operator, OperatorContext } from '../../../engine/contract/operator.ts';
import type { Plan } from '../../../engine/graph/plan.ts';
import { Numbers, planOf, runtimeOf, Sink } from '../../../engine/test/runtime/graph-kit.ts';
import { keptByCells } from '../../executor/kept-by-cells.ts';

/** Its target takes no row. */
class Holding implements Operator {
  rows = 0;
  isFlushed = false;
  #context!: OperatorContext;
  open(context: OperatorContext): void {
    this.#context = context;
  }
  becomeFlushed(): void {
    this.isFlushed = true;
    this.#context.wake();
  }
  process(_input: 0 | 1, batch: Batch, from: number): number {
    this.rows += batch.length - from;
    return batch.length;
  }
  flush(): boolean {
    return this.isFlushed;
  }
  get hasUncommitted(): boolean {
    return this.rows > 0;
  }
  status() {
    return { entries: 0, inFlight: this.rows };
  }
  snapshot(): void {}
  restore(): void {}
}
const parameters = { path: '/', format: 'csv', delivery: 'exactly-once' } as const;
function plan(edges: string): Plan {
  const made = planOf(edges);
  const nodes = made.nodes.map((node) =>
    node.id === 'write' ? Object.assign({}, node, { kind: 'fileSink', group: 'out', parameters }) : node,
  );
  return { ...made, nodes };
}

test('the rows of a sink count while it runs, while it waits to go, and while it waits for its commit', () => {
  const [numbers, write] = [new Numbers(), new Holding()];
  const { runtime, settle } = runtimeOf({ numbers: () => numbers, sink: () => new Sink(), write: () => write });
  const kept = () => keptByCells(runtime).map(({ cell, entries }) => [cell, entries]);
  runtime.mutate(plan('numbers>write, numbers>sink'), {});
  numbers.give(4);
  settle();
  assert.deepEqual(kept(), [['out', 4]]);
  runtime.mutate(plan('numbers>sink'), {});
  settle();
  assert.deepEqual([[...runtime.leaving].length, runtime.retired.length, kept()], [1, 0, [['out', 4]]]);
  write.becomeFlushed();
  settle();
  assert.deepEqual([[...runtime.leaving].length, runtime.retired.length, kept()], [0, 1, [['out', 4]]]);
  write.rows = 0;
  settle();
  assert.deepEqual(kept(), []);
});
