// The rows of a chart as Vega gets them: a row that cannot be shown spoils no other row, and no value
// of a row can break Vega.
import assert from 'node:assert/strict';
import { changeset, Error as ErrorsOnly, parse, View } from 'vega';
import { test } from 'vitest';
import type { WireRow } from '../../../kernel/protocol/displays.ts';
import { toWire } from '../../../kernel/protocol/values.ts';
import { ChartRows } from '../../renderer/chart-rows.ts';
import { drawableSpec, rowsData, seriesSignal } from '../../renderer/chart-spec.ts';
import { lastValues, seriesOrder } from '../../renderer/chart-legend.ts';

const rowsOf = (wires: readonly unknown[]): readonly WireRow[] =>
  wires.map((value, index) => ({ n: index + 1, t: index * 1000, value }));

test('a row that cannot be decoded is missing, with its reason, until it leaves', () => {
  const rows = new ChartRows();
  const first = rowsOf([{ v: 1 }, { $bigint: 'x' }, { v: 2 }]);
  assert.deepEqual(rows.reconcile(first), { inserted: [{ v: 1 }, { v: 2 }], removed: [] });
  assert.deepEqual(rows.problems, ['cannot be shown: The tag $bigint is not known, or its value is malformed.']);
  assert.deepEqual([rows.size, [...rows.data()]], [2, [{ v: 1 }, { v: 2 }]]);
  assert.deepEqual(rows.reconcile(first), { inserted: [], removed: [] });
  assert.equal(rows.problems.length, 1);
  assert.deepEqual(rows.reconcile(first.slice(2)).removed, [{ v: 1 }]);
  assert.deepEqual([rows.size, rows.problems], [1, []]);
});

test('a number or a time without a place on an axis becomes null', () => {
  const rows = new ChartRows(['at']);
  const values = [
    { v: NaN, at: new Date(NaN) },
    { v: -Infinity, at: 1e308 },
    { v: 10n ** 400n, at: 'no time' },
  ];
  const none = { v: null, at: null };
  assert.deepEqual(rows.reconcile(rowsOf(values.map(toWire))).inserted, [none, none, none]);
  const times = [{ at: '2024-01-01T00:00:00Z' }, { at: 0 }, { at: 8.64e15 }];
  assert.deepEqual(new ChartRows(['at']).reconcile(rowsOf(times)).inserted, times);
});

const strange: readonly unknown[] = [
  ...[null, undefined, NaN, Infinity, 1e308, -1e308, 10n ** 400n, new Date(NaN), new Date(8.64e15), '', true],
  ...['__proto__', 'constructor', ['__proto__'], [[]], {}, { toString: 1 }, [{ valueOf: 1 }], new Map([[1, 2]])],
  ...[new Uint8Array(3), ...(JSON.parse('[{"__proto__": null}, {"__proto__": {"toString": 1}}]') as unknown[])],
];
const variants = {
  plain: {},
  columns: { column: { field: 'k', type: 'nominal' } },
  names: { x: { field: 'at', type: 'nominal' } },
};

for (const mark of ['line', 'bar', 'point'])
  for (const [name, more] of Object.entries(variants))
    test(`no value of a row breaks a chart or changes the prototype of objects (${mark}, ${name})`, async () => {
      const usual = { at: new Date(1000), v: 1, c: 'a', k: 'q' };
      for (const field of ['at', 'v', 'c', 'k'])
        assert.deepEqual(
          await drawn(
            mark,
            more,
            strange.map((value) => ({ ...usual, [field]: value })),
          ),
          [],
          field,
        );
      for (const inherited in {}) assert.fail(`Every object has ${inherited} now.`);
    });

/** Draws a chart with these rows and two usual ones. Returns the errors of Vega. */
async function drawn(mark: string, more: object, between: readonly unknown[]): Promise<readonly string[]> {
  const encoding = {
    x: { field: 'at', type: 'temporal' },
    y: { field: 'v', type: 'quantitative' },
    color: { field: 'c', type: 'nominal' },
    ...more,
  };
  const spec = drawableSpec({ mark: { type: mark, tooltip: { content: 'data' } }, encoding }, '', {});
  const rows = new ChartRows(spec.temporalFields);
  const good = [0, 2000].map((at) => ({ at: new Date(at), v: at, c: 'a', k: 'q' }));
  const { inserted } = rows.reconcile(rowsOf([good[0], ...between, good[1]].map(toWire)));
  const errors: string[] = [];
  const view = new View(parse(spec.vega), { renderer: 'none', logLevel: ErrorsOnly });
  view.logger().error = (...said) => (errors.push(said.map(String).join(' ')), view.logger());
  view.width(400).change(rowsData, changeset().insert([...inserted]));
  if (spec.series !== undefined) {
    const series = seriesOrder([], new Set([...rows.data()].map(spec.series.field)));
    view.signal(seriesSignal, series);
    lastValues(rows.data(), spec.series, spec.time);
    // The legend shows the name of each series as text.
    series.map(String);
  }
  await view.runAsync();
  const svg = await view.toSVG();
  if (/ (d|transform|x|y|width|height)="[^"]*(NaN|Infinity)/.test(svg)) errors.push('A mark has no place.');
  view.finalize();
  return errors;
}
