// Cut and paste keeps a cell's id, although VS Code pastes only its text.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { CutCells } from '../../notebook/cut-cells.ts';

const nobody = new Set<string>();

test('a pasted text gets the metadata of its cell back, once', () => {
  const cut = new CutCells();
  cut.add({ text: 'const a = 1;', metadata: { id: 'a', source: { marker: '// %% id=a kept=1' } } });
  assert.deepEqual(cut.take('const a = 1;', nobody), { id: 'a', source: { marker: '// %% id=a kept=1' } });
  assert.equal(cut.take('const a = 1;', nobody), undefined);
});

test('another text, an empty text, or a used id gets nothing', () => {
  const cut = new CutCells();
  cut.add({ text: '', metadata: { id: 'empty' } });
  cut.add({ text: 'const a = 1;', metadata: { id: 'a' } });
  assert.equal(cut.take('const a = 2;', nobody), undefined);
  assert.equal(cut.take('', nobody), undefined);
  assert.equal(cut.take('const a = 1;', new Set(['a'])), undefined);
});

test('of two cells with the same text, the last cut one is returned first', () => {
  const cut = new CutCells();
  cut.add({ text: 'x;', metadata: { id: 'first' } });
  cut.add({ text: 'x;', metadata: { id: 'second' } });
  assert.equal(cut.take('x;', nobody)?.id, 'second');
  assert.equal(cut.take('x;', nobody)?.id, 'first');
});
