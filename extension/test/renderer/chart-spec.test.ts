// The Vega-Lite spec of a chart compiles with our theme, our data set and our legend, for every
// mark.
import assert from 'node:assert/strict';
import type { Scale, Signal } from 'vega';
import { parse, View } from 'vega';
import { test } from 'vitest';
import { seriesOrder } from '../../renderer/chart-legend.ts';
import { drawableSpec, seriesSignal } from '../../renderer/chart-spec.ts';
import { lineSpec, pointSpec } from './scripted-session.ts';

type Json = Readonly<Record<string, unknown>>;

test('the domain of the colours is a signal, so that a removed series recolours no other', () => {
  const { vega, series } = drawableSpec(lineSpec, 'total by customer', {});
  const colour = vega.scales?.find(({ name }) => name === 'color') as Scale & { domain: unknown };
  assert.deepEqual(colour.domain, { signal: seriesSignal });
  assert.ok(vega.signals?.some((signal: Signal) => signal.name === seriesSignal));
  assert.equal(series?.field({ customer: 'ann' }), 'ann');
  assert.equal(series?.figure?.({ total: 3 }), 3);
  assert.deepEqual(vega.legends, []);
});

test('a colour that is a number, and a domain or order of the user, stay as they are', () => {
  assert.equal(drawableSpec(pointSpec, '', {}).series, undefined);
  const own = (more: Json): Json => ({
    ...lineSpec,
    encoding: { ...lineSpec.encoding, color: { field: 'customer', type: 'nominal', ...more } },
  });
  assert.equal(drawableSpec(own({ scale: { domain: ['ann'] } }), '', {}).series, undefined);
  assert.equal(drawableSpec(own({ sort: ['bob', 'ann'] }), '', {}).series, undefined);
});

test('a field whose name holds a dot is read as the spec reads it', () => {
  const spec = {
    ...lineSpec,
    encoding: { ...lineSpec.encoding, color: { field: 'customer\\.name', type: 'nominal' } },
  };
  assert.equal(drawableSpec(spec, '', {}).series?.field({ 'customer.name': 'ann' }), 'ann');
  const nested = {
    ...lineSpec,
    encoding: { ...lineSpec.encoding, color: { field: 'customer.name', type: 'nominal' } },
  };
  assert.equal(drawableSpec(nested, '', {}).series?.field({ customer: { name: 'ann' } }), 'ann');
});

test('one plot is as wide as its place and of a fixed height; several take what they need', () => {
  const one = drawableSpec(lineSpec, '', {});
  assert.deepEqual([one.fitsWidth, one.height], [true, 220]);
  const fixed = drawableSpec({ ...lineSpec, width: 300, height: 90 }, '', {});
  assert.deepEqual([fixed.fitsWidth, fixed.height], [false, 90]);
  const columns = { ...lineSpec, encoding: { ...lineSpec.encoding, column: { field: 'customer', type: 'nominal' } } };
  assert.deepEqual([drawableSpec(columns, '', {}).fitsWidth, drawableSpec(columns, '', {}).height], [false, undefined]);
  assert.equal(drawableSpec({ hconcat: [lineSpec, pointSpec] }, '', {}).height, undefined);
});

const shapes: Readonly<Record<string, Json>> = {
  line: lineSpec,
  points: pointSpec,
  area: { ...lineSpec, mark: { type: 'area', line: true, opacity: 0.5 } },
  bar: { ...lineSpec, mark: 'bar' },
  tick: { ...lineSpec, mark: { type: 'tick' } },
  rect: {
    mark: 'rect',
    encoding: {
      x: { field: 'windowEnd', type: 'ordinal' },
      y: { field: 'customer', type: 'nominal' },
      color: { field: 'total', type: 'quantitative' },
    },
  },
  columns: { ...lineSpec, encoding: { ...lineSpec.encoding, column: { field: 'customer', type: 'nominal' } } },
  layer: {
    layer: [
      { mark: 'line', encoding: lineSpec.encoding },
      { mark: 'rule', encoding: { y: { datum: 3 } } },
    ],
  },
  hconcat: { hconcat: [lineSpec, pointSpec] },
  repeat: { repeat: ['total'], spec: { mark: 'line', encoding: { y: { field: { repeat: 'repeat' } } } } },
};
for (const [name, spec] of Object.entries(shapes)) {
  test(`the shape ${name} is drawn, with no row and with some`, async () => {
    const { vega } = drawableSpec(spec, '', {});
    const view = new View(parse(vega), { renderer: 'none' });
    await view.runAsync();
    const rows = [1, 2].map((n) => ({
      windowEnd: n * 10_000,
      time: n * 10_000,
      customer: 'ann',
      total: n,
      magnitude: n,
      depth: n,
    }));
    view.insert('rows', rows);
    await view.runAsync();
    assert.equal(view.data('rows').length, 2);
    const svg = await view.toSVG();
    assert.match(svg, /<svg/);
    assert.doesNotMatch(svg, /NaN/);
    view.finalize();
  });
}

test('series keep their place: the first ones sorted, later ones after them', () => {
  const first = seriesOrder([], ['zoe', 'ann', 'bob']);
  assert.deepEqual(first, ['ann', 'bob', 'zoe']);
  assert.equal(seriesOrder(first, ['zoe']), first);
  assert.deepEqual(seriesOrder(first, ['zoe', 'carl']), ['ann', 'bob', 'zoe', 'carl']);
  assert.deepEqual(seriesOrder([], [10, 9, 100]), [9, 10, 100]);
});

test('with very many series, those without rows are forgotten', () => {
  const first = seriesOrder(
    [],
    Array.from({ length: 60 }, (_, index) => `s${String(index)}`),
  );
  assert.deepEqual(seriesOrder(first, ['s3', 'new']), ['s3', 'new']);
});
