// Ids of cells: ids in the file, derived ids of cells without one, and ids of new cells.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { identify, isCellId } from '../../../kernel/protocol/cell-identity.ts';
import { newCellId } from '../../notebook/new-cell-id.ts';

const code = (id?: string) => ({ kind: 'code' as const, id });

test('a cell has the id of its marker', () => {
  assert.deepEqual(identify([code('orders'), { kind: 'test', id: 'checks' }]), [{ id: 'orders' }, { id: 'checks' }]);
});

test('the first of several cells with one id keeps it, the later ones do not run', () => {
  assert.deepEqual(identify([code('a'), code('b'), code('a'), code('a')]), [
    { id: 'a' },
    { id: 'b' },
    { id: 'a', problem: 'duplicate' },
    { id: 'a', problem: 'duplicate' },
  ]);
});

test('an invalid id is reported', () => {
  assert.deepEqual(identify([code('1st'), code('a/b')]), [
    { id: '1st', problem: 'invalid' },
    { id: 'a/b', problem: 'invalid' },
  ]);
});

test('a cell without an id gets one from its place among such cells, and never a written one', () => {
  assert.deepEqual(identify([{ kind: 'markdown' }, code(), code('cell-2'), code(), { kind: 'test' }]), [
    { id: 'prose-1' },
    { id: 'cell-1' },
    { id: 'cell-2' },
    { id: 'cell-3' },
    { id: 'test-1' },
  ]);
});

test('ids without a problem are unique', () => {
  const id = fc.option(fc.constantFrom('a', 'b', 'cell-1', 'cell-2', 'prose-1', '1x'), { nil: undefined });
  const cell = fc.record({ kind: fc.constantFrom('code' as const, 'markdown' as const, 'test' as const), id });
  fc.assert(
    fc.property(fc.array(cell), (cells) => {
      const good = identify(cells).filter(({ problem }) => problem === undefined);
      assert.equal(new Set(good.map((known) => known.id)).size, good.length);
      assert.ok(good.every((known) => isCellId(known.id)));
    }),
  );
});

test('a new cell gets the first name that it declares', () => {
  const none = new Set<string>();
  const random = (): number => 0;
  assert.equal(
    newCellId("import { kafka } from 'sluice';\nconst orders = kafka('orders');\nconst b = 1;", none, random),
    'orders',
  );
  assert.equal(newCellId('export async function* rows() {}', none, random), 'rows');
  assert.equal(newCellId('interface Quake { time: string }', none, random), 'Quake');
  assert.equal(newCellId('totals.show();', none, random), 'aaaa');
});

test('a new cell never gets a used id', () => {
  let n = 0;
  const digits = [0, 0, 0, 0, 0.999, 0, 0, 0];
  const random = (): number => digits[n++ % digits.length]!;
  assert.equal(newCellId('const orders = 1;', new Set(['orders', 'aaaa']), random), 'zaaa');
});
