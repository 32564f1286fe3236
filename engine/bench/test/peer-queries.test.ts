// The queries of the comparison give the results of the loops written by hand. At this size some
// windows close and some do not. The bench checks the same at full size.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { loops } from '../peers/loops.ts';
import { runQuery } from '../peers/queries.ts';
import { queryNames } from '../peers/rules.ts';

const events = 250_000;

for (const name of queryNames)
  test(`${name} in the fluent API gives what the loop gives`, async () => {
    const byHand = loops[name](events);
    const ours = await runQuery(name, events);
    assert.ok(byHand.results > 0);
    assert.deepEqual([ours.results, ours.sum], [byHand.results, byHand.sum]);
  });
