// The laws of the notebook file hold for the data that VS Code keeps of a cell: its text, its kind
// and its metadata as JSON.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { parseNotebook, serializeNotebook } from '../../../kernel/protocol/notebook-file.ts';
import { editorMetadata, fileCell, type EditorMetadata } from '../../notebook/cell-metadata.ts';

interface EditorCell {
  readonly isProse: boolean;
  readonly text: string;
  readonly metadata: EditorMetadata;
}
/** The text of a cell in an editor has one kind of line ending. */
const open = (file: string, eol: '\n' | '\r\n'): EditorCell[] =>
  parseNotebook(file).map((cell) => ({
    isProse: cell.kind === 'markdown',
    text: cell.text.replaceAll('\n', eol),
    metadata: JSON.parse(JSON.stringify(editorMetadata(cell))) as EditorMetadata,
  }));
const save = (cells: readonly EditorCell[]): string =>
  serializeNotebook(cells.map(({ isProse, text, metadata }) => fileCell(isProse, text, metadata)));

const piece = fc.constantFrom(
  '// %% id=a',
  '// %% [markdown]',
  '// %% [test] id=t kept=1',
  '// prose',
  '//',
  '// \\%% escaped',
  'const a = `',
  '`;',
  '<<<<<<< ours',
  '/*',
  '*/',
  '',
  ' ',
  '\ufeff',
  '// %% id=b lines=2',
);
const files = fc
  .array(fc.tuple(piece, fc.constantFrom('\n', '\r\n', '\r')), { maxLength: 12 })
  .map((lines) => lines.map(([text, eol]) => text + eol).join(''));

test('opening and saving gives the same bytes for every line ending of the editor', () => {
  fc.assert(
    fc.property(files, fc.constantFrom('\n', '\r\n'), (file, eol) => assert.equal(save(open(file, eol)), file)),
    { numRuns: 500 },
  );
});

test('changing one cell changes only its lines', () => {
  const file = '// %% id=a\r\nconst a = 1;\r\n\r\n// %% [markdown] extra=1\n// Prose\n\n// %% [test] id=t\nassert(a);';
  const cells = open(file, '\n').map((cell, i) => (i === 0 ? { ...cell, text: 'const a = 2;\nconst b = 3;' } : cell));
  assert.equal(save(cells), file.replace('const a = 1;\r\n', 'const a = 2;\r\nconst b = 3;\r\n'));
});

test('an id from the editor is written into the marker, and the rest of the marker stays', () => {
  const cells = open('// %% id=a kept="a b"\n1;\n', '\n').map((cell) => ({
    ...cell,
    metadata: { ...cell.metadata, id: 'z' },
  }));
  assert.equal(save(cells), '// %% id=z kept="a b"\n1;\n');
});

test('a test cell stays a test cell', () => {
  const [cell] = open('// %% [test] id=t\n1;\n', '\n');
  assert.equal(cell?.metadata.kind, 'test');
});
