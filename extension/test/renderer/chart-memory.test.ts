// Vega's tables of a live chart hold the rows of now, not all rows that ever were.
import assert from 'node:assert/strict';
import { changeset, parse, type Spec, View } from 'vega';
import { test } from 'vitest';
import { forgetRemovedRows, Sweep } from '../../renderer/chart-memory.ts';

const spec: Spec = {
  data: [
    { name: 'rows' },
    // A formula changes rows, so Vega derives rows of their own for it.
    { name: 'derived', source: 'rows', transform: [{ type: 'formula', expr: 'datum.x * 2', as: 'twice' }] },
    { name: 'projected', source: 'rows', transform: [{ type: 'project', fields: ['x'] }] },
    { name: 'filtered', source: 'rows', transform: [{ type: 'filter', expr: 'datum.x < 0' }] },
  ],
  scales: [{ name: 'x', domain: { data: 'derived', field: 'twice' }, range: [0, 200] }],
  axes: [{ orient: 'bottom', scale: 'x' }],
  marks: [
    { type: 'symbol', from: { data: 'derived' }, encode: { update: { x: { scale: 'x', field: 'twice' } } } },
    { type: 'symbol', from: { data: 'projected' } },
    { type: 'symbol', from: { data: 'filtered' } },
  ],
};
const rowsOfFrame = 10;

/**
 * Number of entries in all tables of a chart that has shown so many frames, each with other rows.
 */
async function entries(frames: number): Promise<number> {
  const view = new View(parse(spec), { renderer: 'none' });
  const sweep = new Sweep();
  let shown: object[] = [];
  for (let frame = 0; frame < frames; frame++) {
    const rows = Array.from({ length: rowsOfFrame }, (_, row) => ({ x: frame * rowsOfFrame + row }));
    view.change('rows', sweep.prepare(view, changeset().insert(rows).remove(shown)));
    shown = rows;
    await view.runAsync();
  }
  assert.deepEqual(
    ['rows', 'derived', 'projected', 'filtered'].map((name) => view.data(name).length),
    [rowsOfFrame, rowsOfFrame, rowsOfFrame, 0],
  );
  const { nodes } = (view as unknown as { readonly _runtime: { readonly nodes: Record<string, { value: unknown }> } })
    ._runtime;
  const count = Object.values(nodes).reduce((sum, { value }) => sum + entriesOf(value), 0);
  view.finalize();
  return count;
}

function entriesOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  // A map of Vega has its entries in a field.
  return Object.keys('object' in value ? (value.object as object) : value).length;
}

test('Vega itself holds more with each frame, and with these mends it does not', async () => {
  const plain = (await entries(640)) - (await entries(320));
  assert.ok(plain >= 320 * rowsOfFrame, `${String(plain)} more entries: Vega forgets by itself now`);
  forgetRemovedRows();
  assert.equal(await entries(640), await entries(320));
});
