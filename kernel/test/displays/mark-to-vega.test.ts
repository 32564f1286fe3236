// The chart shorthand gives a spec that Vega-Lite compiles. The first row determines the scales.
import assert from 'node:assert/strict';
import { compile, type TopLevelSpec } from 'vega-lite';
import { test } from 'vitest';
import { type AnyMark, markToVega } from '../../displays/mark-to-vega.ts';

const row = {
  windowStart: new Date(0),
  windowEnd: new Date(10_000),
  total: 12.5,
  customer: 'ann',
  ok: true,
  at: '2024-05-01T10:00:00Z',
  year: '2024',
  'a.b': 1,
  big: 5n,
};
type Encoding = Readonly<
  Record<string, { readonly type?: string; readonly field?: string; readonly scale?: unknown } | undefined>
>;
const encoding = (mark: AnyMark, first: Record<string, unknown> | undefined = row): Encoding =>
  markToVega(mark, first)['encoding'] as Encoding;

for (const { field, type } of [
  { field: 'windowStart', type: 'temporal' },
  { field: 'at', type: 'temporal' },
  { field: 'total', type: 'quantitative' },
  { field: 'big', type: 'quantitative' },
  { field: 'customer', type: 'nominal' },
  { field: 'ok', type: 'nominal' },
  { field: 'year', type: 'nominal' },
])
  test(`a field like ${field} is ${type}`, () => {
    assert.equal(encoding({ x: field, y: 'total' })['x']?.type, type);
  });

test('before the first row a window’s bounds are time, y is a number and colour a name', () => {
  const { x, y, color } = encoding({ x: 'windowEnd', y: 'total', color: 'customer' }, undefined);
  assert.deepEqual([x?.type, y?.type, color?.type], ['temporal', 'quantitative', 'nominal']);
});

for (const mark of ['line', 'bar', 'area', 'point', 'rect', 'tick'] as const)
  for (const x of ['windowStart', 'total', 'customer', 'at'])
    test(`${mark} over ${x} compiles without a warning`, () => {
      const y = mark === 'rect' ? 'customer' : 'total';
      const spec = markToVega({ mark, x, y, color: mark === 'rect' ? 'total' : 'customer', title: 'T' }, row);
      const warnings: string[] = [];
      const logger = {
        level: () => logger,
        error: (...texts: readonly unknown[]) => (warnings.push(texts.join(' ')), logger),
        warn: (...texts: readonly unknown[]) => (warnings.push(texts.join(' ')), logger),
        info: () => logger,
        debug: () => logger,
      };
      const { spec: vega } = compile(spec as unknown as TopLevelSpec, { logger });
      // Said of every chart with names on y whose width follows its container.
      assert.deepEqual(
        warnings.filter((text) => !text.startsWith('Dropping "fit-y"')),
        [],
      );
      assert.ok(vega.data?.some(({ name }) => name === 'rows'));
    });

test('bars and areas start at zero, lines where the data are', () => {
  assert.deepEqual(encoding({ mark: 'bar', x: 'at', y: 'total' })['y']?.scale, { zero: true });
  assert.deepEqual(encoding({ mark: 'line', x: 'at', y: 'total' })['y']?.scale, { zero: false });
});

test('bars over windows are as wide as their windows', () => {
  assert.deepEqual(encoding({ mark: 'bar', x: 'windowStart', y: 'total' })['x2'], { field: 'windowEnd' });
  assert.equal(encoding({ mark: 'bar', x: 'at', y: 'total' })['x2'], undefined);
});

test('a field’s name is no path', () => {
  assert.equal(encoding({ x: 'a.b', y: 'total' })['x']?.field, 'a\\.b');
});

test('a column lays charts of one width side by side', () => {
  const spec = markToVega({ x: 'windowStart', y: 'total', column: 'customer' }, row);
  assert.equal(typeof spec['width'], 'number');
  assert.equal(markToVega({ x: 'windowStart', y: 'total' }, row)['width'], 'container');
});

test('a title is there when it was given', () => {
  assert.equal(markToVega({ x: 'at', y: 'total', title: 'Totals' }, row)['title'], 'Totals');
  assert.equal('title' in markToVega({ x: 'at', y: 'total' }, row), false);
});

test('bars of a category add up, and their axis says so; bars over time stand for one row each', () => {
  const { y } = encoding({ mark: 'bar', x: 'customer', y: 'total' }) as Record<string, Record<string, unknown>>;
  assert.deepEqual([y!['aggregate'], y!['title']], ['sum', 'sum of total']);
  const overTime = encoding({ mark: 'bar', x: 'at', y: 'total' })['y'] as Record<string, unknown>;
  assert.deepEqual([overTime['aggregate'], overTime['title']], [undefined, 'total']);
});
