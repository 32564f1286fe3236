// The position map: every offset of every cell maps to the module and back, for any text of the
// cells.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import ts from 'typescript';
import { test } from 'vitest';
import { TextLines } from '../../cells/text-lines.ts';
import { VirtualModule, type ModuleCell } from '../../cells/virtual-module.ts';

const text = fc
  .array(fc.constantFrom('a', '`', '${', '/*', '//', "'", '{', '(', ' ', ';', '😀', '\n', '\r\n', '\r', '\u2028'), {
    maxLength: 12,
  })
  .map((all) => all.join(''));
const cells = fc.array(
  fc.record({
    id: fc.constantFrom('a', 'b'),
    kind: fc.constantFrom('code' as const, 'test' as const, 'markdown' as const),
    text,
  }),
  { maxLength: 6 },
);

test('(cell, offset) → module → (cell, offset) is the same place, for every offset and line ending', () => {
  fc.assert(
    fc.property(cells, (all) => {
      const module = new VirtualModule(all);
      const taken = new Set<number>();
      for (const [cell, { kind, text }] of all.entries()) {
        if (kind === 'markdown') {
          assert.throws(() => module.toModule({ cell, offset: 0 }), RangeError);
          continue;
        }
        for (let offset = 0; offset <= text.length; offset++) {
          const place = module.toModule({ cell, offset });
          assert.deepEqual(module.toCell(place), { cell, offset });
          assert.equal(module.text.slice(place, place + text.length - offset), text.slice(offset));
          assert.ok(!taken.has(place));
          taken.add(place);
        }
        assert.throws(() => module.toModule({ cell, offset: text.length + 1 }), RangeError);
      }
      for (let place = 0; place < module.text.length; place++)
        assert.equal(module.toCell(place) === undefined, !taken.has(place));
    }),
    { numRuns: 500 },
  );
});

test('offset → line and column → offset is the same place, except inside a line ending', () => {
  fc.assert(
    fc.property(text, (all) => {
      const lines = new TextLines(all);
      for (let offset = 0; offset <= all.length; offset++) {
        const position = lines.position(offset);
        const isInEnding = all[offset] === '\n' && all[offset - 1] === '\r';
        assert.equal(lines.offset(position), isInEnding ? offset - 1 : offset);
        assert.equal(lines.line(position.line).length >= position.column, !isInEnding);
      }
      assert.equal(lines.count, all.split(/\r\n|\r|\n/).length);
    }),
    { numRuns: 500 },
  );
});

test('what a cell leaves open does not swallow the next one', () => {
  const last: ModuleCell = { id: 'last', kind: 'code', text: 'const last = 1;' };
  const open = [
    '`',
    '`${',
    '/*',
    "'a\\",
    '{',
    'f(',
    '[',
    'if (x) {',
    '`${{',
    '// it',
    'const a = {',
    '({ a: `',
    'x =>',
  ];
  for (const text of open) {
    const module = new VirtualModule([{ id: 'open', kind: 'code', text }, last]);
    const source = ts.createSourceFile('m.ts', module.text, ts.ScriptTarget.ESNext, true);
    const names = source.statements.flatMap((statement) =>
      ts.isVariableStatement(statement)
        ? statement.declarationList.declarations.map((node) => node.name.getText())
        : [],
    );
    assert.ok(names.includes('last'), text);
  }
});
