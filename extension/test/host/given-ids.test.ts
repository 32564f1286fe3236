// Ids that VS Code gave to another cell, because the notebook changed meanwhile.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { EditorMetadata } from '../../notebook/cell-metadata.ts';
import { GivenIds } from '../../notebook/given-ids.ts';

interface Cell {
  metadata: EditorMetadata;
}
const cell = (metadata: EditorMetadata): Cell => ({ metadata });
const idOf = (one: Cell): string | undefined => one.metadata.id;

test('an id that hits the cell below a deleted one is taken back', () => {
  const [added, first] = [cell({}), cell({ id: 'a' })];
  const given = new GivenIds<Cell>();
  given.remember([added, first], new Map([[added, 'new']]));
  first.metadata = { id: 'new' };
  assert.deepEqual(given.misplaced([first]), [[first, { id: 'a' }]]);
  first.metadata = { id: 'a' };
  assert.deepEqual(given.misplaced([first]), []);
});

test('an id that is where it belongs stays, also when the cell moves', () => {
  const [added, first] = [cell({}), cell({ id: 'a' })];
  const given = new GivenIds<Cell>();
  given.remember([added, first], new Map([[added, 'new']]));
  added.metadata = { id: 'new' };
  assert.deepEqual(given.misplaced([first, added]), []);
  assert.deepEqual([first, added].map(idOf), ['a', 'new']);
});

test('a second try does not take what the first one did wrong for what was there', () => {
  const [added, first] = [cell({}), cell({ id: 'a' })];
  const given = new GivenIds<Cell>();
  given.remember([added, first], new Map([[added, 'one']]));
  first.metadata = { id: 'one' };
  given.remember([added, first], new Map([[added, 'two']]));
  assert.deepEqual(given.misplaced([added, first]), [[first, { id: 'a' }]]);
});

test('a cell that nobody knew before is left alone', () => {
  const [added, late] = [cell({}), cell({ id: 'late' })];
  const given = new GivenIds<Cell>();
  given.remember([added], new Map([[added, 'new']]));
  late.metadata = { id: 'new' };
  assert.deepEqual(given.misplaced([late]), []);
});
