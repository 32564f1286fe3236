// Ids that VS Code gave to another cell, because the notebook changed meanwhile.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { EditorMetadata } from '../../notebook/cell-metadata.ts';
import { applyIds, GivenIds } from '../../notebook/given-ids.ts';

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

/** A notebook whose edits go by index, as VS Code's do. `meanwhile` happens before each of them. */
function notebookOf(cells: Cell[], ...meanwhile: readonly (() => void)[]) {
  let edits = 0;
  const apply = (changes: ReadonlyMap<Cell, EditorMetadata>): Promise<void> => {
    const byIndex = [...changes].map(([one, metadata]) => [cells.indexOf(one), metadata] as const);
    meanwhile[edits++]?.();
    for (const [index, metadata] of byIndex) if (cells[index] !== undefined) cells[index].metadata = metadata;
    return Promise.resolve();
  };
  const rename = (renamed: Cell, id: string): Promise<void> =>
    applyIds<Cell>({
      cells: () => cells,
      wanted: (now) =>
        now.includes(renamed) && idOf(renamed) !== id ? [[renamed, { ...renamed.metadata, id }] as const] : [],
      apply,
    });
  return { rename, edits: () => edits };
}

test('a cell is renamed with one edit', async () => {
  const cells = [cell({ id: 'a' }), cell({ id: 'b' })];
  const notebook = notebookOf(cells);
  await notebook.rename(cells[1]!, 'c');
  assert.deepEqual(cells.map(idOf), ['a', 'c']);
  assert.equal(notebook.edits(), 1);
});

test('a cell that moves while it is renamed gets its id, and the cell at its place keeps its own', async () => {
  const cells = [cell({ id: 'a' }), cell({ id: 'b' }), cell({ id: 'd' })];
  const notebook = notebookOf(cells, () => cells.unshift(cells.pop()!));
  await notebook.rename(cells[1]!, 'c');
  assert.deepEqual(cells.map(idOf), ['d', 'a', 'c']);
});

test('the id of a cell that is deleted while it is renamed goes to no other cell', async () => {
  const cells = [cell({ id: 'a' }), cell({ id: 'b' }), cell({ id: 'd' })];
  const notebook = notebookOf(cells, () => cells.splice(1, 1));
  await notebook.rename(cells[1]!, 'c');
  assert.deepEqual(cells.map(idOf), ['a', 'd']);
});
