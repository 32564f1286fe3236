// Rows of the decision table as tests: the running plans, the next plan, and the decisions.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { emptyPlan, type Plan } from '../../../engine/graph/plan.ts';
import { type Change, changeGraph } from '../../live/live-graph.ts';
import { drawn, planOf } from './plans.ts';

export interface Row {
  readonly name: string;
  /** The plans that ran before, oldest first. */
  readonly before: readonly string[];
  readonly after: string;
  readonly failed?: readonly string[];
  /** `uid decision`, in the order of the plan. */
  readonly decisions: string;
  readonly plan: readonly string[];
  readonly handover?: Readonly<Record<string, string>>;
}

/** One test for each row. */
export function testRows(title: string, rows: readonly Row[]): void {
  for (const row of rows)
    test(`${title}: ${row.name}`, () => {
      const change = changeGraph(runningAfter(row.before), planOf(row.after), new Set(row.failed));
      assert.equal(decisionsOf(change), row.decisions);
      assert.deepEqual(drawn(change.plan), row.plan);
      assert.deepEqual(change.handover, row.handover ?? {});
    });
}

/** The plan that runs when each text was the notebook once, oldest first. */
export function runningAfter(texts: readonly string[]): Plan {
  return texts.reduce((running, text) => changeGraph(running, planOf(text)).plan, emptyPlan);
}
function decisionsOf({ decisions }: Change): string {
  return [...decisions].map(([uid, decision]) => `${uid} ${decision}`).join(', ');
}
