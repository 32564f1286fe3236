// What a display gets of the open windows above it, on a plan by hand.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { Operator, VisitOpen } from '../../../engine/contract/operator.ts';
import { FunctionTable, type Plan, type PlanNode } from '../../../engine/graph/plan.ts';
import { planOf, runtimeOf, Pass } from '../../../engine/test/runtime/graph-kit.ts';
import { OpenWindows } from '../../executor/open-windows.ts';

/** A window operator whose open windows the test sets: the end of each. */
class Windows extends Pass implements Operator {
  ends: readonly number[] = [];
  openResults(visit: VisitOpen): void {
    for (const end of this.ends) visit({ end }, { start: end - 10, end });
  }
  status(): ReturnType<NonNullable<Operator['status']>> {
    const [end] = this.ends;
    return { entries: this.ends.length, ...(end !== undefined && { nextWindow: { start: end - 10, end } }) };
  }
}
function withWindow(plan: Plan): Plan {
  const parameters = { window: { kind: 'tumbling', sizeMillis: 10, offsetMillis: 0, time: 'event' } };
  const asWindow = (node: PlanNode): PlanNode =>
    node.id === 'window' ? Object.assign({}, node, { kind: 'windowAggregate', parameters }) : node;
  return { ...plan, nodes: plan.nodes.map(asWindow) };
}

test('when the last open window closes, its rows go from the display', () => {
  const windows = new Windows();
  const { runtime, settle } = runtimeOf({ window: windows, show: () => new Pass() });
  runtime.mutate(withWindow(planOf('window>show')), {});
  settle();
  const open = new OpenWindows(runtime, new FunctionTable(), 'show');
  // Far apart, so that no look has to wait for the one before.
  let now = 0;
  const look = (...ends: readonly number[]): ReturnType<OpenWindows['look']> => {
    windows.ends = ends;
    return open.look((now += 100_000));
  };
  assert.equal(look(), undefined, 'nothing was shown');
  assert.deepEqual(
    look(10, 20)?.results.map(({ end }) => end),
    [10, 20],
  );
  assert.equal(look(10, 20), undefined, 'it is the same');
  assert.deepEqual(
    look(20)?.results.map(({ end }) => end),
    [20],
  );
  assert.deepEqual(look(), { results: [] });
  assert.equal(look(), undefined, 'nothing is shown any more');
  assert.deepEqual(
    look(30)?.results.map(({ end }) => end),
    [30],
  );
});
