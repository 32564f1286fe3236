// The three laws of the notebook file, and what its lines look like.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import {
  decodeBytes,
  encode,
  NotebookFileError,
  parseNotebook,
  serializeNotebook,
  type NotebookCell,
} from '../protocol/notebook-file.ts';

/**
 * Does to cells what VS Code does between reading and writing: clones metadata as JSON, and gives
 * each text one kind of line ending.
 */
const throughEditor = (cells: readonly NotebookCell[], eol = '\n'): NotebookCell[] =>
  cells.map((cell) => ({
    ...(JSON.parse(JSON.stringify(cell)) as NotebookCell),
    text: cell.text.replace(/\r\n|\r|\n/g, eol),
  }));
const read = (bytes: Uint8Array, eol?: string): NotebookCell[] => throughEditor(parseNotebook(decodeBytes(bytes)), eol);
const write = (cells: readonly NotebookCell[]): Uint8Array => encode(serializeNotebook(throughEditor(cells)));
const essence = ({ kind, id, text }: NotebookCell) => ({ kind, id, text: text.replace(/\r\n|\r/g, '\n') });

const line = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('', '// %% id=a', '// %%', 'const a = 1;', '// prose', 'orders.show()') },
  fc.constantFrom(
    '// %% [markdown]',
    '// %% [markdown] id=m',
    '// %% [test] id=t',
    '// %% id=x lines=2',
    '// %% lines=0',
  ),
  fc.constantFrom(
    '// %% lines=1 id=b color=red',
    '//',
    '// ',
    '//x',
    ' // %%',
    '// \\%% no',
    '// %%time',
    '%% x',
    '\\%%',
  ),
  fc.constantFrom('`', '${', '}', "'", '"', '/*', '*/', '\\', "'a\\", '`${`', '/`/', 'a / b', '/[/`]/', '({', ')'),
  fc.constantFrom(
    '<<<<<<< HEAD',
    '=======',
    '>>>>>>> user`s',
    '||||||| base',
    '#!/usr/bin/env `',
    '\ufeff',
    '\u2028 x',
  ),
  fc.string({ maxLength: 8, unit: fc.constantFrom(...'/`\'"\\*${}%() \tid=[]#') }),
);
const ending = fc.constantFrom('\n', '\n', '\n', '\r\n', '\r');
const lines = fc.array(fc.tuple(line, ending), { maxLength: 14 });
const fileText = fc.oneof(
  fc
    .tuple(lines, line, fc.constantFrom('', '\ufeff'))
    .map(([all, last, bom]) => bom + all.map((l) => l.join('')).join('') + last),
  fc.tuple(fc.array(line, { maxLength: 14 }), fc.constantFrom('\n', '\r\n')).map(([all, eol]) => all.join(eol)),
);
const text = fc.array(line, { maxLength: 5 }).map((all) => all.join('\n'));
const newCell = fc.record({
  kind: fc.constantFrom('code' as const, 'code' as const, 'markdown' as const, 'test' as const),
  id: fc.option(fc.constantFrom('a', 'b_1', 'orders', 'x-y'), { nil: undefined }),
  text: fc.oneof(
    text,
    fc.string().map((s) => s.replace(/\r/g, '')),
  ),
  metadata: fc.constant({}),
});
const cellsOfFile = fileText.map((file) => parseNotebook(file));
/** Cells after some editing: read from a file, new, moved, and with texts of other cells. */
const editedCells = fc
  .tuple(
    cellsOfFile,
    fc.array(newCell, { maxLength: 3 }),
    fc.array(fc.nat(20), { minLength: 12, maxLength: 12 }),
    fc.array(text, { maxLength: 3 }),
  )
  .map(([old, fresh, numbers, texts]) => {
    const cells = [...old];
    let next = 0;
    const pick = (n: number): number => numbers[next++]! % Math.max(n, 1);
    for (const cell of fresh) cells.splice(pick(cells.length + 1), 0, cell);
    for (const changed of texts) {
      const at = pick(cells.length);
      if (cells[at] !== undefined) cells[at] = { ...cells[at], text: changed };
    }
    const [moved] = cells.splice(pick(cells.length), 1);
    if (moved !== undefined) cells.splice(pick(cells.length + 1), 0, moved);
    return cells;
  });

const runs = { numRuns: Number(process.env['FC_RUNS'] ?? 2000) };

test('writing what was read gives the same bytes', () => {
  fc.assert(
    fc.property(fileText, fc.constantFrom('\n', '\r\n'), (file, eol) => {
      const bytes = encode(file);
      assert.equal(decodeBytes(write(read(bytes, eol))), decodeBytes(bytes));
    }),
    runs,
  );
});

test('reading what was written gives the same cells, whatever their text', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.array(newCell, { maxLength: 5 }), editedCells),
      fc.constantFrom('\n', '\r\n'),
      (cells, eol) => {
        assert.deepEqual(read(write(throughEditor(cells, eol))).map(essence), cells.map(essence));
      },
    ),
    runs,
  );
});

test('an empty file is no cells, a cell that was emptied is still one', () => {
  assert.deepEqual(parseNotebook(''), []);
  const [only] = parseNotebook('let a = 1;\n');
  assert.equal(serializeNotebook([{ ...only!, text: '' }]), '// %%\n');
});

/**
 * The lines of each cell, from its marker to the next one. Blank lines at the end belong to no
 * cell. The next test covers line endings.
 */
function chunks(cells: readonly NotebookCell[]): string[] {
  const plain = (some: readonly NotebookCell[]): string => serializeNotebook(some).replace(/\r\n|\r/g, '\n');
  const file = plain(cells);
  const starts = cells.map((_, i) => file.length - plain(cells.slice(i)).length);
  return cells.map((_, i) => file.slice(starts[i], starts[i + 1] ?? file.length).replace(/\n+$/, ''));
}
/**
 * Cells whose text in the file does not depend on their place. Other laws cover a first cell
 * without marker and the special cases at the ends of the file.
 */
const settled = editedCells.map((cells) =>
  cells.map(({ metadata, ...cell }) => {
    const { bare, before, bom, open, ignored, marker, ...rest } = metadata;
    void [bare, before, bom, open];
    return { ...cell, metadata: ignored || marker === undefined ? rest : { ...rest, marker } };
  }),
);

test('changing, adding, moving or deleting one cell changes the lines of that cell only', () => {
  fc.assert(
    fc.property(settled, newCell, fc.nat(20), fc.nat(20), (cells, other, n, m) => {
      fc.pre(cells.length > 0);
      const at = n % cells.length;
      const all = chunks(cells);
      const without = (list: string[], i: number): string[] => list.filter((_, k) => k !== i);
      const changed = cells.map((cell, i) => (i === at ? { ...cell, text: other.text } : cell));
      assert.deepEqual(without(chunks(changed), at), without(all, at), 'changing');
      const to = m % (cells.length + 1);
      assert.deepEqual(without(chunks(cells.toSpliced(to, 0, other)), to), all, 'adding');
      const deleted = cells.toSpliced(at, 1);
      assert.deepEqual(chunks(deleted), without(all, at), 'deleting');
      const target = m % cells.length;
      const moved = deleted.toSpliced(target, 0, cells[at]!);
      assert.deepEqual(without(chunks(moved), target), without(all, at), 'moving');
    }),
    runs,
  );
});

test('two untouched neighbours keep every byte between their markers', () => {
  fc.assert(
    fc.property(fileText, newCell, (file, other) => {
      const cells = parseNotebook(file);
      fc.pre(cells.length >= 2 && !cells.some((cell) => cell.metadata.ignored));
      // From the second marker on, the cells do not depend on the text before.
      const rest = serializeNotebook(cells.slice(1)).replace(/^\ufeff/, '');
      assert.ok(serializeNotebook([other, ...cells.slice(1)]).endsWith(rest));
      assert.ok(serializeNotebook(cells).endsWith(rest));
    }),
    runs,
  );
});

const shapes = (file: string) => parseNotebook(file).map(({ kind, id, text }) => [kind, id, text]);

test('markers carry kind and id, prose loses its slashes', () => {
  const file =
    '// %% [markdown]\n// # Orders\n//\n// of today\n\n// %% id=orders\nconst a = 1;\n\n// %% [test] id=t\na;\n';
  assert.deepEqual(shapes(file), [
    ['markdown', undefined, '# Orders\n\nof today'],
    ['code', 'orders', 'const a = 1;'],
    ['test', 't', 'a;'],
  ]);
});

test('a marker inside a string, a template, a hole of a template or a comment is none', () => {
  for (const text of [
    'const a = `\n// %% id=b\n`;',
    '/*\n// %% id=b\n*/',
    'const a = "x\\\n// %% id=b\\\n";',
    'const a = `${[\n// %% id=b\n].length}`;',
    'const a = /`/;\nlet b = a / 2; // `\nconst c = `\n// %% id=b\n`',
  ])
    assert.deepEqual(shapes(`// %% id=a\n${text}\n\n// %% id=z\n1;\n`), [
      ['code', 'a', text],
      ['code', 'z', '1;'],
    ]);
});

test('a cell whose text ends inside a template has its number of lines in the marker until the template is closed', () => {
  const [cell, next] = parseNotebook('// %% id=a color=red\nconst a = `x`;\n\n// %% id=b\n1;\n');
  const open = serializeNotebook([{ ...cell!, text: 'const a = `\nx' }, next!]);
  assert.equal(open, '// %% id=a color=red lines=2\nconst a = `\nx\n\n// %% id=b\n1;\n');
  const [again, nextAgain] = parseNotebook(open);
  assert.equal(again!.text, 'const a = `\nx');
  const closed = serializeNotebook([{ ...again!, text: 'const a = `\nx\n`;' }, nextAgain!]);
  assert.equal(closed, '// %% id=a color=red\nconst a = `\nx\n`;\n\n// %% id=b\n1;\n');
});

test('a count that does not fit is no count, and stays in the file', () => {
  const file = '// %% id=a lines=2\n1;\n2;\n3;\n\n// %% id=b\n4;\n';
  assert.deepEqual(shapes(file), [
    ['code', 'a', '1;\n2;\n3;'],
    ['code', 'b', '4;'],
  ]);
  assert.equal(serializeNotebook(parseNotebook(file)), file);
});

test('a line of prose that looks like a marker is written with a backslash', () => {
  const file = serializeNotebook([{ kind: 'markdown', text: '%% id=a\n\\%% b', metadata: {} }]);
  assert.equal(file, '// %% [markdown]\n// \\%% id=a\n// \\\\%% b\n');
});

test('a new cell is written with its id and nothing else, after one blank line, with the line endings of its neighbours', () => {
  const cells = parseNotebook('// %% id=a\r\n1;\r\n');
  const file = serializeNotebook([...cells, { kind: 'code', id: 'b', text: '2;\n3;', metadata: {} }]);
  assert.equal(file, '// %% id=a\r\n1;\r\n\r\n// %% id=b\r\n2;\r\n3;\r\n');
});

test('a renamed cell keeps the attributes it had, in their order', () => {
  const [cell] = parseNotebook('// %%  id=a   [test] title="x y"  \n1;\n');
  assert.equal(serializeNotebook([{ ...cell!, id: 'b' }]), '// %%  id=b   [test] title="x y"  \n1;\n');
  assert.equal(serializeNotebook([{ ...cell!, id: undefined }]), '// %%   [test] title="x y"  \n1;\n');
  assert.equal(serializeNotebook([{ ...cell!, kind: 'code' }]), '// %%  id=a title="x y"  \n1;\n');
});

test('bytes that are not UTF-8 are refused with their place', () => {
  const bytes = Uint8Array.from([0x61, 0x0a, 0xff, 0x62]);
  assert.throws(
    () => decodeBytes(bytes),
    (error) =>
      error instanceof NotebookFileError && error.code === 'not-utf8' && /around 0xff in line 2\./.test(error.message),
  );
});
