// Charts are drawn four times a second, and less often when they are many and expensive.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { DrawingBudget } from '../../renderer/drawing-budget.ts';

test('cheap charts are drawn four times a second', () => {
  const budget = new DrawingBudget();
  assert.equal(budget.intervalMillis(0), 245);
  for (let chart = 0; chart < 3; chart++) budget.spent({ chart }, 8, 0);
  assert.equal(budget.intervalMillis(0), 245);
});

test('twenty charts of 5 ms take half a core, with what painting adds', () => {
  const budget = new DrawingBudget();
  const charts = Array.from({ length: 20 }, (_, chart) => ({ chart }));
  for (const chart of charts) budget.spent(chart, 5, 0);
  assert.equal(Math.round(budget.intervalMillis(0)), 800);
  for (const chart of charts.slice(10)) budget.forget(chart);
  assert.equal(Math.round(budget.intervalMillis(0)), 400);
  assert.equal(budget.intervalMillis(60_000), 245, 'they are still');
});

test('a picture that other programs delayed counts little, and a chart is drawn every 1.5 s at least', () => {
  const budget = new DrawingBudget();
  const chart = {};
  budget.spent(chart, 5, 0);
  budget.spent(chart, 100, 0);
  assert.equal(budget.intervalMillis(0), 245);
  budget.spent({}, 60_000, 0);
  assert.equal(budget.intervalMillis(0), 1_500);
});
